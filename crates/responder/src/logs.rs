//! Reading the logs: each source side by side, each with its deadline, and what
//! they say together.
//!
//! A log is read once from the beginning of its window; after that only what came
//! since, with an overlap for records that are late. What was read before lies in
//! the case as evidence, and is read again from there.

mod asked;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use retake_hunt::{Growing, Subject};
use retake_playbook::event::{Event, EvidenceKept, Looked, Source};
use retake_playbook::{Digest, State, judge};
use retake_tenant::client::{AuditAbout, MessageTraceFilter, SignInKind};
use retake_tenant::{Read, Tenant, TenantError};
use serde_json::Value;

use crate::case::Case;
use crate::error::ResponderError;
use crate::evidence::keep;
use crate::preflight::{self, Standing};
use asked::{
    AUDIT_KEPT, TRACE_KEPT, audit_log, audit_query, audit_since, audits, earlier,
    sign_ins_elsewhere,
};
use told::{analysis, could_not, under_one_name};

/// How far back the logs are asked for: what Entra keeps with P1 (reference §11).
const WINDOW: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How far back message traces are asked for at first.
const TRACE_WINDOW: SignedDuration = SignedDuration::from_hours(10 * 24);
/// How far a later reading goes back behind the last whole one: audit records
/// are up to 90 minutes late, as a rule (reference §7.2).
const OVERLAP: SignedDuration = SignedDuration::from_hours(3);
/// The deadline of a quick source (S1.7).
const QUICK: Duration = Duration::from_mins(1);

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
        hostile: Vec::new(),
    }
}

fn back(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_sub(by).unwrap_or(now)
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
