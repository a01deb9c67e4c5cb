//! What the logs are asked for: whose records, from when on, and what else once something
//! is known.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use retake_playbook::event::{Facts, Origin, Snapshot};
use retake_playbook::{ObjectKind, State};
use retake_tenant::client::{AuditAbout, AuditQuery, MessageTraceFilter, SignInKind};
use retake_tenant::{Kind, Read, Tenant, TenantError};
use serde_json::Value;

use super::{Log, QUICK, TRACE_WINDOW, WINDOW, back};
use crate::case::Case;

/// How far back the audit log is kept, at least (reference §11).
pub(super) const AUDIT_KEPT: SignedDuration = SignedDuration::from_hours(180 * 24);

/// How far back message traces are kept; an hour less, since asking takes time.
pub(super) const TRACE_KEPT: SignedDuration = SignedDuration::from_hours(90 * 24 - 1);

/// How long an audit search may take.
pub(super) const PATIENCE: Duration = Duration::from_mins(15);

/// How often it is asked whether it is done.
pub(super) const POLL: Duration = Duration::from_secs(15);

pub(super) type Rows = Option<Result<Read<Vec<Value>>, TenantError>>;

/// What lies before the first window (S6.8), once, as far as the service keeps it: where
/// the logs show more than an ordinary past, the beginning may lie further back. It stands
/// apart, so that an old log that cannot be had takes nothing from the present one.
pub(super) async fn earlier(
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
pub(super) const FREE_WINDOW: SignedDuration = SignedDuration::from_mins(7 * 24 * 60 - 10);

/// Changes in the directory, as far back as they are asked for or kept.
pub(super) async fn audits(
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
pub(super) async fn audit_log(
    tenant: &Tenant,
    query: &AuditQuery,
) -> Result<Read<Vec<Value>>, TenantError> {
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

/// Records name the account as it was called then: its former names are asked for
/// too, as far as they are still among its addresses; and whoever holds a right on
/// the mailbox, since what they did in it stands under their names.
pub(super) fn audit_query(
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
pub(super) fn audit_since(state: &State, since: Timestamp, begin: Timestamp) -> Timestamp {
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
pub(super) fn right_holders<'a>(
    snapshots: impl IntoIterator<Item = &'a Snapshot>,
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
pub(super) const MOST_ADDRESSES: usize = 6;

/// Everybody's sign-ins from the addresses that the attacker was seen at (S6.5): whether
/// passwords were tried on many, and who else let them in. Nothing where none is known.
pub(super) async fn sign_ins_elsewhere(
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

/// How many apps are asked for by name in the unified log, at most.
pub(super) const MOST_APPS: usize = 20;

/// How long before the case an app may have been let in to be asked for.
pub(super) const APPS_SINCE: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Apps that this account let in lately, as the unified log names whoever acts without a
/// user: what they do with rights of their own is under no user's name.
pub(super) fn acting_apps(state: &State) -> Vec<String> {
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

pub(super) fn is_guid(text: &str) -> bool {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}
