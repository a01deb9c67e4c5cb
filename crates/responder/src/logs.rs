//! Reading the logs: each source side by side, each with its deadline, and what
//! they say together.
//!
//! A log is read once from the beginning of its window; after that only what came
//! since, with an overlap for records that are late. What was read before lies in
//! the case as evidence, and is read again from there.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use retake_hunt::{By, Growing, HowRead, Subject};
use retake_playbook::event::{
    Analysis, Change, Event, EvidenceKept, Facts, FieldChange, Fingerprint, Looked, Mail, Origin,
    Source,
};
use retake_playbook::{Digest, ObjectKind, State, judge};
use retake_tenant::client::{AuditAbout, AuditQuery, MessageTraceFilter, SignInKind};
use retake_tenant::{Kind, Read, Tenant, TenantError};
use serde_json::Value;

use crate::case::Case;
use crate::error::ResponderError;
use crate::evidence::keep;
use crate::preflight::{self, Standing};

/// How far back the logs are asked for: what Entra keeps with P1 (reference §11).
const WINDOW: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How far back message traces are asked for at first.
const TRACE_WINDOW: SignedDuration = SignedDuration::from_hours(10 * 24);
/// How far back the audit log is kept, at least (reference §11).
const AUDIT_KEPT: SignedDuration = SignedDuration::from_hours(180 * 24);
/// How far back message traces are kept; an hour less, since asking takes time.
const TRACE_KEPT: SignedDuration = SignedDuration::from_hours(90 * 24 - 1);
/// How far a later reading goes back behind the last whole one: audit records
/// are up to 90 minutes late, as a rule (reference §7.2).
const OVERLAP: SignedDuration = SignedDuration::from_hours(3);
/// The deadline of a quick source (S1.7).
const QUICK: Duration = Duration::from_mins(1);
/// How long an audit search may take.
const PATIENCE: Duration = Duration::from_mins(15);
/// How often it is asked whether it is done.
const POLL: Duration = Duration::from_secs(15);

/// The records of the pages that this process has read already: a watch asks for
/// little that is new, and reading everything again each time would take longer
/// each time. Whoever takes a case up starts with nothing and reads its evidence.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    read: BTreeSet<Digest>,
    records: Growing,
}

/// Reads the logs, keeps the answers, analyses them and writes what they say.
pub(crate) async fn analyse(
    case: &Case<'_>,
    tenant: &Tenant,
    pages: &Mutex<Pages>,
    quick: bool,
) -> Result<(), ResponderError> {
    let state = case.state();
    let Some(account) = state.account.clone() else {
        return could_not(case, quick, "the account could not be read");
    };
    let now = case.now();
    let begin = back(now, WINDOW);
    let since = |log: Log| {
        let window = if log == Log::Trace {
            TRACE_WINDOW
        } else {
            WINDOW
        };
        let begin = back(now, window);
        let last = state.logs_read.get(log.name());
        last.map_or(begin, |last| back(*last, OVERLAP).max(begin))
    };
    let id = account.id.as_str();
    let quickly = tenant.with_deadline(QUICK);

    // Without an address of its own the trace would be the whole tenant's.
    let trace = account.mail.clone().map(|mail| MessageTraceFilter {
        sender: Some(mail),
        recipient: None,
        start: since(Log::Trace),
        end: now,
    });
    let audit = audit_query(
        case,
        &account,
        audit_since(&state, since(Log::Audit), begin),
        now,
    );
    let entra = futures_util::future::join4(
        quickly.sign_ins(
            SignInKind::InteractiveDetailed,
            id,
            since(Log::Interactive),
            None,
        ),
        quickly.sign_ins(
            SignInKind::NonInteractive,
            id,
            since(Log::NonInteractive),
            None,
        ),
        audits(
            &quickly,
            AuditAbout::Target(id),
            since(Log::AuditsAbout),
            now,
        ),
        audits(
            &quickly,
            AuditAbout::Initiator(id),
            since(Log::AuditsBy),
            now,
        ),
    );
    let beside = futures_util::future::join3(
        quickly.risk_detections(id),
        async {
            match &trace {
                Some(trace) => Some(quickly.message_traces(trace).await),
                None => None,
            }
        },
        async {
            if quick {
                None
            } else {
                Some(audit_log(tenant, &audit).await)
            }
        },
    );
    let ((interactive, silent, about, by), (risk, traces, audit)) =
        Box::pin(futures_util::future::join(entra, beside)).await;

    let (earlier_audit, earlier_traces) = if quick {
        (None, None)
    } else {
        Box::pin(earlier(case, tenant, &account, now)).await
    };
    // Where the log itself cannot be had, its past cannot either.
    let earlier_audit = earlier_audit.filter(|_| matches!(audit, Some(Ok(_))));
    let earlier_traces = earlier_traces.filter(|_| matches!(traces, Some(Ok(_))));
    let elsewhere = if quick {
        None
    } else {
        sign_ins_elsewhere(&quickly, &state, since(Log::Elsewhere)).await
    };

    let tokens = preflight::tokens(tenant).await;
    let mut pages = pages.lock().unwrap_or_else(PoisonError::into_inner);
    let mut reading = Reading {
        case,
        tokens: &tokens,
        pages: &mut pages,
        sources: Vec::new(),
    };
    reading.take(Log::Interactive, interactive)?;
    reading.take(Log::NonInteractive, silent)?;
    reading.take(Log::AuditsAbout, about)?;
    reading.take(Log::AuditsBy, by)?;
    reading.take(Log::Risk, risk)?;
    match traces {
        Some(traces) => reading.take(Log::Trace, traces)?,
        None => reading.sources.push(Source {
            name: Log::Trace.name().to_owned(),
            looked: Looked::Whole,
            why: Some("the account has no mail address: nothing is sent under it".to_owned()),
            code: None,
        }),
    }
    match audit {
        Some(audit) => reading.take(Log::Audit, audit)?,
        None => reading.sources.push(Source {
            name: Log::Audit.name().to_owned(),
            looked: Looked::Not,
            why: Some("the quick look leaves it out; it is read next".to_owned()),
            code: None,
        }),
    }
    for (log, read) in [
        (Log::Elsewhere, elsewhere),
        (Log::EarlierAudit, earlier_audit),
        (Log::EarlierTrace, earlier_traces),
    ] {
        if let Some(read) = read {
            reading.take(log, read)?;
        }
    }
    for (log, kept) in [
        (Log::EarlierAudit, AUDIT_KEPT),
        (Log::EarlierTrace, TRACE_KEPT),
    ] {
        reading.remember(log, &state, back(now, kept));
    }
    let sources = reading.sources;
    let events = under_one_name(pages.records.events(), &account);
    let mut subject = subject(&state, tenant, &account);
    // Records of the directory name an app by its principal alone (reference §7.1).
    if tokens.signed_in == preflight::SignedInAs::App {
        subject.own_app_ids.extend(tokens.who.object_id.clone());
    }
    let answer = retake_hunt::analyse(&events, &subject, now);
    case.append(Event::Analysed(analysis(quick, answer, sources, now)))?;
    Ok(())
}

type Rows = Option<Result<Read<Vec<Value>>, TenantError>>;

/// What lies before the first window (S6.8), once, as far as the service keeps it: where
/// the logs show more than an ordinary past, the beginning may lie further back. It stands
/// apart, so that an old log that cannot be had takes nothing from the present one.
async fn earlier(
    case: &Case<'_>,
    tenant: &Tenant,
    account: &retake_playbook::event::Account,
    now: Timestamp,
) -> (Rows, Rows) {
    let state = case.state();
    let Some((opened, _)) = state.opened.as_ref() else {
        return (None, None);
    };
    let nothing_seen = state
        .analysis
        .as_ref()
        .is_none_or(|(_, analysis)| analysis.verdict == "clean");
    if nothing_seen {
        return (None, None);
    }
    let read_already = |log: Log| state.logs_read.contains_key(log.name());
    let audit = async {
        if read_already(Log::EarlierAudit) {
            return None;
        }
        let query = audit_query(case, account, back(now, AUDIT_KEPT), back(*opened, WINDOW));
        Some(tenant.audit_search(&query, POLL, PATIENCE).await)
    };
    let traces = async {
        let filter = MessageTraceFilter {
            sender: Some(account.mail.clone()?),
            recipient: None,
            start: back(now, TRACE_KEPT),
            end: back(*opened, TRACE_WINDOW),
        };
        if read_already(Log::EarlierTrace) {
            return None;
        }
        Some(tenant.with_deadline(QUICK).message_traces(&filter).await)
    };
    futures_util::future::join(audit, traces).await
}

/// What the directory keeps without a premium licence (reference §7.1), and a little less:
/// a date before the kept span is refused, not clipped.
const FREE_WINDOW: SignedDuration = SignedDuration::from_mins(7 * 24 * 60 - 10);

/// Changes in the directory, as far back as they are asked for or kept.
async fn audits(
    tenant: &Tenant,
    about: AuditAbout<'_>,
    since: Timestamp,
    now: Timestamp,
) -> Result<Read<Vec<Value>>, TenantError> {
    let kept = back(now, FREE_WINDOW);
    match tenant.directory_audits(about, since, None).await {
        Err(error) if error.status == Some(400) && since < kept => {
            tenant.directory_audits(about, kept, None).await
        }
        read => read,
    }
}

/// The unified audit log: by a search of Graph's, and where that fails from the
/// Management Activity API, which reaches back seven days (reference §7.2).
async fn audit_log(tenant: &Tenant, query: &AuditQuery) -> Result<Read<Vec<Value>>, TenantError> {
    let error = match tenant.audit_search(query, POLL, PATIENCE).await {
        // What was not recorded is in no feed either.
        Err(error) if error.kind != Kind::AuditingOff => error,
        searched => return searched,
    };
    match tenant.activity_records(query.start, query.end).await {
        Ok(feed) => Ok(feed),
        // The search is what a person can do something about.
        Err(_) => Err(error),
    }
}

/// The logs that a case reads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Log {
    Interactive,
    NonInteractive,
    AuditsAbout,
    AuditsBy,
    Risk,
    Trace,
    Audit,
    Elsewhere,
    EarlierAudit,
    EarlierTrace,
}

impl Log {
    const fn name(self) -> &'static str {
        match self {
            Self::Interactive => "sign-ins, interactive",
            Self::NonInteractive => "sign-ins, non-interactive",
            Self::AuditsAbout => judge::AUDITS_ABOUT,
            Self::AuditsBy => judge::AUDITS_BY,
            Self::Risk => "risk detections",
            Self::Trace => "message trace",
            Self::Audit => judge::UNIFIED_AUDIT,
            Self::EarlierAudit => judge::EARLIER_AUDIT,
            Self::EarlierTrace => judge::EARLIER_TRACE,
            Self::Elsewhere => "sign-ins from the attacker's addresses",
        }
    }
}

/// Records name the account as it was called then: its former names are asked for
/// too, as far as they are still among its addresses; and whoever holds a right on
/// the mailbox, since what they did in it stands under their names.
fn audit_query(
    case: &Case<'_>,
    account: &retake_playbook::event::Account,
    since: Timestamp,
    now: Timestamp,
) -> AuditQuery {
    let mut users = vec![account.upn.clone()];
    let asked = case.with_state(|state| {
        state
            .opened
            .as_ref()
            .map(|(_, opened)| opened.account.clone())
    });
    for name in account.addresses.iter().cloned().chain(asked) {
        if name.contains('@') && !users.iter().any(|held| held.eq_ignore_ascii_case(&name)) {
            users.push(name);
        }
    }
    let holders = case.with_state(|state| right_holders(&state.snapshots));
    for holder in holders {
        if !users.iter().any(|held| held.eq_ignore_ascii_case(&holder)) {
            users.push(holder);
        }
    }
    users.extend(case.with_state(acting_apps));
    AuditQuery {
        display_name: format!("Retake case {}", case.id()),
        start: since,
        end: now,
        users,
        ..AuditQuery::default()
    }
}

/// From when audit records are asked for: from the beginning, when somebody holds a
/// right on the mailbox of whom the last reading did not ask.
fn audit_since(state: &State, since: Timestamp, begin: Timestamp) -> Timestamp {
    let Some(last) = state.logs_read.get(Log::Audit.name()) else {
        return since;
    };
    let (before, after): (Vec<_>, Vec<_>) = state
        .snapshots
        .iter()
        .partition(|snapshot| snapshot.at <= *last);
    let known = right_holders(before);
    if right_holders(after).iter().all(|name| known.contains(name)) {
        since
    } else {
        begin
    }
}

/// Who holds a right on the mailbox by the snapshots: what they do in it stands in
/// the audit log under their own names.
fn right_holders<'a>(
    snapshots: impl IntoIterator<Item = &'a retake_playbook::event::Snapshot>,
) -> BTreeSet<String> {
    snapshots
        .into_iter()
        .flat_map(|snapshot| &snapshot.objects)
        .filter_map(|observed| match &observed.facts {
            Facts::MailboxRight { holder, .. } | Facts::FolderRight { holder, .. } => {
                holder.upn.as_ref()
            }
            _ => None,
        })
        .map(|upn| upn.to_lowercase())
        .collect()
}

/// How many of the attacker's addresses are asked for, at most.
const MOST_ADDRESSES: usize = 6;

/// Everybody's sign-ins from the addresses that the attacker was seen at (S6.5): whether
/// passwords were tried on many, and who else let them in. Nothing where none is known.
async fn sign_ins_elsewhere(
    tenant: &Tenant,
    state: &State,
    since: Timestamp,
) -> Option<Result<Read<Vec<Value>>, TenantError>> {
    let (_, analysis) = state.analysis.as_ref()?;
    let addresses: Vec<&str> = analysis
        .fingerprint
        .addresses
        .iter()
        .map(String::as_str)
        .take(MOST_ADDRESSES)
        .collect();
    let asked = addresses.iter().flat_map(|address| {
        [SignInKind::InteractiveDetailed, SignInKind::NonInteractive]
            .map(|kind| tenant.sign_ins_from_address(kind, address, since, None))
    });
    let mut all: Option<Read<Vec<Value>>> = None;
    for read in futures_util::future::join_all(asked).await {
        match (read, &mut all) {
            (Err(error), _) => return Some(Err(error)),
            (Ok(read), None) => all = Some(read),
            (Ok(read), Some(all)) => {
                all.value.extend(read.value);
                all.answers.extend(read.answers);
                if all.completeness.why().is_none() {
                    all.completeness = read.completeness;
                }
            }
        }
    }
    all.map(Ok)
}

/// Other accounts with successful sign-ins from the addresses that the attacker was seen
/// at, as soon as the quick logs name these (S2.6): the account and the reasons. What
/// cannot be read is noted: the whole reading asks again.
pub(crate) async fn others_at_the_addresses(
    case: &Case<'_>,
    tenant: &Tenant,
) -> Result<Vec<(String, Vec<String>)>, ResponderError> {
    let state = case.state();
    let (Some(account), Some((_, analysis))) = (&state.account, &state.analysis) else {
        return Ok(Vec::new());
    };
    let Some(first) = analysis.first_known_bad else {
        return Ok(Vec::new());
    };
    let quickly = tenant.with_deadline(QUICK);
    let read = match sign_ins_elsewhere(&quickly, &state, back(case.now(), WINDOW)).await {
        None => return Ok(Vec::new()),
        Some(Err(error)) => {
            case.note(&format!(
                "who else signed in from the attacker's addresses could not be read yet: {error}"
            ));
            return Ok(Vec::new());
        }
        Some(Ok(read)) => read,
    };
    keep(case, Log::Elsewhere.name(), &read.answers)?;
    let came = back(first, BEFORE_FIRST);
    let mut seen: BTreeMap<(String, String), (BTreeSet<i64>, bool, String)> = BTreeMap::new();
    for record in &read.value {
        let text = |name: &str| record.get(name).and_then(Value::as_str);
        let worked = record
            .pointer("/status/errorCode")
            .and_then(Value::as_i64)
            .is_some_and(|code| code == 0);
        let own = text("userId").is_some_and(|id| id.eq_ignore_ascii_case(&account.id));
        let at = text("createdDateTime").and_then(|at| at.parse::<Timestamp>().ok());
        let (Some(name), Some(address), Some(at), true, false) = (
            text("userPrincipalName").filter(|name| name.contains('@')),
            text("ipAddress"),
            at,
            worked,
            own || text("userPrincipalName")
                .is_some_and(|name| name.eq_ignore_ascii_case(&account.upn)),
        ) else {
            continue;
        };
        let (days, long, last) = seen
            .entry((name.to_lowercase(), address.to_owned()))
            .or_default();
        days.insert(at.as_second().div_euclid(86_400));
        *long |= at < came;
        let at = at.strftime("%Y-%m-%d %H:%M UTC").to_string();
        if *last < at {
            *last = at;
        }
    }
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for ((name, address), (days, long, last)) in seen {
        // Somebody who has long worked from there: a shared exit.
        if long && days.len() >= 3 {
            continue;
        }
        let why = format!(
            "signed in from {address}, where the attacker of {} was seen, last at {last}",
            account.upn
        );
        match found.iter_mut().find(|(held, _)| *held == name) {
            Some((_, whys)) => whys.push(why),
            None => found.push((name, vec![why])),
        }
    }
    Ok(found)
}

/// How long before the first event known to be the attacker's somebody must have been at
/// an address to be there by right.
const BEFORE_FIRST: SignedDuration = SignedDuration::from_hours(48);

/// How many apps are asked for by name in the unified log, at most.
const MOST_APPS: usize = 20;
/// How long before the case an app may have been let in to be asked for.
const APPS_SINCE: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Apps that this account let in lately, as the unified log names whoever acts without a
/// user: what they do with rights of their own is under no user's name.
fn acting_apps(state: &State) -> Vec<String> {
    let Some((opened, _)) = &state.opened else {
        return Vec::new();
    };
    let Some((_, analysis)) = &state.analysis else {
        return Vec::new();
    };
    let let_in: BTreeSet<&str> = analysis
        .changes
        .iter()
        .filter(|change| {
            matches!(
                change.kind,
                ObjectKind::OauthGrant | ObjectKind::ServicePrincipal | ObjectKind::AppRole
            ) && change.by != Origin::Responder
                && change.at >= back(*opened, APPS_SINCE)
        })
        .flat_map(|change| change.ids.iter().map(String::as_str))
        .filter(|id| is_guid(id))
        .collect();
    let_in
        .into_iter()
        .take(MOST_APPS)
        .map(|id| format!("ServicePrincipal_{id}"))
        .collect()
}

fn is_guid(text: &str) -> bool {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

/// Records before a renaming name the account as it was called then: they are
/// about the same account, and are analysed under its present name.
fn under_one_name<'a>(
    events: &'a [retake_hunt::Event],
    account: &retake_playbook::event::Account,
) -> Cow<'a, [retake_hunt::Event]> {
    let upn = account.upn.to_lowercase();
    if account
        .addresses
        .iter()
        .all(|address| address.eq_ignore_ascii_case(&upn))
    {
        return Cow::Borrowed(events);
    }
    let mut events = events.to_vec();
    let rename = |name: &mut Option<String>| {
        if let Some(held) = name
            && account
                .addresses
                .iter()
                .any(|address| address.eq_ignore_ascii_case(held))
        {
            held.clone_from(&upn);
        }
    };
    for event in &mut events {
        for name in [
            &mut event.user,
            &mut event.sender,
            &mut event.mailbox,
            &mut event.object,
        ] {
            rename(name);
        }
        for target in &mut event.targets {
            rename(&mut target.upn);
        }
    }
    Cow::Owned(events)
}

fn subject(state: &State, tenant: &Tenant, account: &retake_playbook::event::Account) -> Subject {
    let mut own_domains: Vec<String> = account
        .addresses
        .iter()
        .chain([&account.upn])
        .filter_map(|address| address.rsplit_once('@'))
        .map(|(_, domain)| domain.to_lowercase())
        .collect();
    own_domains.sort();
    own_domains.dedup();
    Subject {
        id: Some(account.id.clone()),
        upn: account.upn.clone(),
        own_domains,
        alert_at: state.opened.as_ref().map(|(at, _)| *at),
        own_app_ids: vec![tenant.profile().client_id.clone()],
    }
}

fn back(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_sub(by).unwrap_or(now)
}

fn could_not(case: &Case<'_>, quick: bool, why: &str) -> Result<(), ResponderError> {
    case.append(Event::Analysed(Analysis {
        quick,
        verdict: "unknown".to_owned(),
        path: "unknown".to_owned(),
        confidence: 0.0,
        reasons: vec![why.to_owned()],
        first_known_bad: None,
        last_known_bad: None,
        fingerprint: Fingerprint::default(),
        changes: Vec::new(),
        sent: Vec::new(),
        impersonated: Vec::new(),
        read: Vec::new(),
        accounts: Vec::new(),
        sources: Vec::new(),
    }))?;
    Ok(())
}

/// What was read so far.
struct Reading<'a> {
    case: &'a Case<'a>,
    tokens: &'a Standing,
    pages: &'a mut Pages,
    sources: Vec<Source>,
}

impl Reading<'_> {
    /// Takes one log in: keeps its answers, reads its records and those that
    /// were kept before, notes how it went.
    fn take(
        &mut self,
        log: Log,
        read: Result<Read<Vec<Value>>, TenantError>,
    ) -> Result<(), ResponderError> {
        let (looked, why, code) = match read {
            Ok(read) => {
                keep(self.case, log.name(), &read.answers)?;
                let off = (log == Log::Audit)
                    .then(|| self.case.with_state(|state| state.unrecorded_until))
                    .flatten();
                match read.completeness.why() {
                    // Switched on meanwhile: what is asked about happened before.
                    None if off.is_some() => (
                        Looked::CouldNot,
                        off.map(|off| {
                            format!(
                                "auditing was still switched off on {}: what happened before is in no log",
                                off.strftime("%Y-%m-%d %H:%M:%S UTC")
                            )
                        }),
                        Some(retake_playbook::codes::AUDITING_OFF.id.to_owned()),
                    ),
                    None => (Looked::Whole, None, None),
                    Some(why) => (Looked::InPart, Some(why.to_string()), None),
                }
            }
            Err(error) => {
                let code = crate::act::code_of(&error).id.to_owned();
                let why = preflight::said(self.tokens, &error);
                (Looked::CouldNot, Some(why), Some(code))
            }
        };
        let pages: Vec<Digest> = self.case.with_state(|state| {
            state
                .evidence
                .values()
                .filter(|kept| kept.what == log.name() && is_page(kept))
                .filter(|kept| !self.pages.read.contains(&kept.digest))
                .map(|kept| kept.digest.clone())
                .collect()
        });
        for page in pages {
            if let Some(bytes) = self.case.evidence(&page) {
                self.pages.records.add_bytes(log.name(), &bytes);
                self.pages.read.insert(page);
            }
        }
        self.sources.push(Source {
            name: log.name().to_owned(),
            looked,
            why,
            code,
        });
        Ok(())
    }
}

impl Reading<'_> {
    /// What was read once stays said: how far back it reached, in words.
    fn remember(&mut self, log: Log, state: &State, since: Timestamp) {
        if let Some(now) = self.sources.iter_mut().find(|read| read.name == log.name()) {
            if now.looked == Looked::Whole {
                now.why = Some(format!(
                    "read back to {}; what is older is in no log that was read",
                    since.strftime("%Y-%m-%d")
                ));
            }
            return;
        }
        let before = state
            .analysis
            .iter()
            .flat_map(|(_, analysis)| &analysis.sources)
            .find(|read| read.name == log.name());
        self.sources.extend(before.cloned());
    }
}

/// Of an audit search's answers only its records are pages of a log, of a feed's
/// only its parts.
fn is_page(kept: &EvidenceKept) -> bool {
    kept.request.as_ref().is_some_and(|request| {
        let search = request.url.contains("/auditLog/queries");
        let feed = request.url.contains("/activity/feed/subscriptions/");
        !feed && (!search || request.url.contains("/records"))
    })
}

/// How long after an event its record may take to appear (reference §7.2).
const AUDIT_LAG: SignedDuration = SignedDuration::from_mins(90);

fn analysis(
    quick: bool,
    answer: retake_hunt::Analysis,
    mut sources: Vec<Source>,
    now: Timestamp,
) -> Analysis {
    for source in &mut sources {
        if source.name == Log::Audit.name() && source.looked == Looked::Whole {
            source.why = Some(format!(
                "events after {} may not be in it yet",
                back(now, AUDIT_LAG)
            ));
        }
    }
    let mut reasons: Vec<String> = answer
        .path_evidence
        .iter()
        .filter(|evidence| evidence.path == answer.path)
        .map(|evidence| match evidence.for_or_against {
            retake_hunt::ForOrAgainst::For => format!("for: {}", evidence.text),
            retake_hunt::ForOrAgainst::Against => format!("against: {}", evidence.text),
        })
        .collect();
    reasons.extend(answer.reasons.iter().map(|reason| reason.text.clone()));
    let blast = answer.blast;
    Analysis {
        quick,
        verdict: answer.verdict.name().to_owned(),
        path: answer.path.name().to_owned(),
        confidence: answer.confidence,
        reasons,
        first_known_bad: answer.first_known_bad,
        last_known_bad: answer.last_known_bad,
        fingerprint: Fingerprint {
            addresses: answer.fingerprint.addresses,
            sessions: answer.fingerprint.sessions,
            user_agents: answer.fingerprint.user_agents,
            apps: answer.fingerprint.apps,
        },
        changes: answer.changes.into_iter().map(change).collect(),
        sent: blast
            .sent
            .into_iter()
            .filter_map(|mail| {
                Some(Mail {
                    message: mail.message_id?,
                    subject: mail.subject.unwrap_or_default(),
                    recipients: mail.recipients,
                    at: mail.at,
                    how: "sent".to_owned(),
                })
            })
            .collect(),
        impersonated: answer
            .impersonated
            .into_iter()
            .map(|mail| Mail {
                message: mail.message_id,
                subject: mail.subject.unwrap_or_default(),
                recipients: mail.recipients,
                at: mail.at,
                how: format!("from outside, {}", mail.address),
            })
            .collect(),
        read: blast
            .read
            .into_iter()
            .filter_map(|mail| {
                Some(Mail {
                    message: mail.message_id?,
                    subject: mail.subject.unwrap_or_default(),
                    recipients: Vec::new(),
                    at: mail.at,
                    how: match mail.how {
                        HowRead::Bind => "bind",
                        HowRead::Sync => "sync",
                        HowRead::Throttled => "throttled",
                    }
                    .to_owned(),
                })
            })
            .collect(),
        accounts: blast
            .accounts
            .into_iter()
            .map(|account| account.user)
            .collect(),
        sources,
    }
}

fn change(change: retake_hunt::Change) -> Change {
    let mut ids = change.object_ids;
    ids.extend(change.name);
    let parameters: Vec<String> = change
        .parameters
        .iter()
        .map(|(name, value)| format!("{name} {value}").to_lowercase())
        .collect();
    let fields = if is_setting(change.object_kind) {
        change
            .parameters
            .iter()
            .map(|(name, value)| FieldChange {
                name: name.clone(),
                from: change.was.get(name).cloned(),
                to: value.clone(),
            })
            .collect()
    } else {
        Vec::new()
    };
    Change {
        at: change.at,
        operation: change.operation,
        kind: change.object_kind,
        ids,
        parameters: parameters.join("\n"),
        by: match change.by {
            By::Attacker => Origin::Attacker,
            By::User => Origin::User,
            By::Responder => Origin::Responder,
            By::Unknown => Origin::Unknown,
        },
        reasons: change.reasons,
        record: change.record_id,
        fields,
    }
}

/// Whether the values of this kind of object are judged one by one.
const fn is_setting(kind: ObjectKind) -> bool {
    matches!(
        kind,
        ObjectKind::AutoReply
            | ObjectKind::JunkLists
            | ObjectKind::MailProtocols
            | ObjectKind::ResetAttributes
    )
}
