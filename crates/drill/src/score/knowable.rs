//! What the tenant could have shown of a takeover, by what it answered.
//!
//! A source counts as closed only where it was asked for and never answered: whoever did
//! not look could have known.

use super::form::Knowable;
use super::trace::{Line, Trace};

/// The sources that carry how somebody came in.
const PATH: [fn(&str) -> bool; 2] = [is_sign_ins, is_audit_records];

/// What could be known in this run.
pub(super) fn knowable(trace: &Trace) -> Knowable {
    let consent = trace.path == "consent_phishing";
    Knowable {
        path: PATH.iter().any(|source| was_open(trace, source))
            // A consent is told by the directory, too.
            || (consent && was_open(trace, &is_directory_audits)),
        read: was_open(trace, &is_audit_records),
    }
}

/// Whether the responder read it, or never tried to.
fn was_open(trace: &Trace, source: &dyn Fn(&str) -> bool) -> bool {
    let mut asked = trace
        .lines
        .iter()
        .flat_map(Line::with_parts)
        .filter(|line| line.by_responder() && source(&line.path))
        .peekable();
    // A log that a person switched on during the response tells nothing of before.
    let on = trace
        .lines
        .iter()
        .filter(|line| line.at >= trace.alert_at)
        .find(|line| {
            line.effects
                .iter()
                .any(|effect| effect.did.sets(RECORDS, true))
        })
        .map(|line| line.n)
        .filter(|_| source("/auditlog/queries"));
    asked.peek().is_none() || asked.any(|line| line.succeeded() && on.is_none_or(|on| line.n < on))
}

/// The switch of the unified log, as the trace names it.
const RECORDS: &str = "UnifiedAuditLogIngestionEnabled";

fn is_sign_ins(path: &str) -> bool {
    path.to_lowercase().contains("/auditlogs/signins")
}

fn is_directory_audits(path: &str) -> bool {
    path.to_lowercase().contains("/auditlogs/directoryaudits")
}

/// The unified log: the search, or where no search begins, the feed.
fn is_audit_records(path: &str) -> bool {
    let path = path.to_lowercase();
    path.contains("/auditlog/queries") || path.contains("/feed/audit/")
}
