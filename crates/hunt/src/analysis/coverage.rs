//! What the sources covered, and what that leaves unknown. "Nothing found"
//! needs coverage.

use jiff::{SignedDuration, Timestamp};

use super::scope::Scope;
use super::shared::{Facts, Shared};
use crate::answer::{Coverage, Gap};
use crate::event::Source;

/// What the ledger says of the sign-in log where only the audit log tells of
/// sign-ins (no premium licence, or not exported).
const STAND_IN: &str = "not given: the audit log's own sign-in records stand in; they have no network numbers, devices or non-interactive sign-ins";

/// The ledger, one line per source.
pub(super) fn ledger(scope: &Scope<'_>, now: Timestamp) -> Vec<Coverage> {
    Source::ALL
        .iter()
        .filter(|source| {
            source.is_expected()
                || (**source != Source::Listing && scope.shared.facts(**source).is_some())
        })
        .map(|source| line(*source, scope, now))
        .collect()
}

fn line(source: Source, scope: &Scope<'_>, now: Timestamp) -> Coverage {
    let Some(facts) = scope.shared.facts(source) else {
        return absent(source, scope.own.iter().any(|event| event.is_sign_in()));
    };
    let mut gaps = common(source, facts, scope.shared, now);
    if source == Source::Ual {
        for event in scope
            .concerning
            .iter()
            .filter(|event| event.source == source && event.throttled)
        {
            gaps.push(Gap {
                from: Some(event.time),
                to: event.time.checked_add(SignedDuration::from_hours(24)).ok(),
                why: format!(
                    "reading of {} was no longer recorded: assume that everything was read",
                    event.mailbox.as_deref().unwrap_or("the mailbox")
                ),
            });
        }
    }
    gaps.sort();
    gaps.dedup();
    Coverage {
        source,
        from: facts.from,
        to: facts.to,
        events: scope
            .concerning
            .iter()
            .filter(|event| event.source == source)
            .count(),
        gaps,
    }
}

/// What is missing of a source that is there, for everybody.
pub(crate) fn common(source: Source, facts: &Facts, shared: &Shared, now: Timestamp) -> Vec<Gap> {
    let (from, to) = (facts.from, facts.to);
    let mut gaps = holes(source, shared);
    if let Some((minutes, why)) = late(source) {
        let begin = now
            .checked_sub(SignedDuration::from_mins(minutes))
            .unwrap_or(now);
        // Files are often older than their reading: then nothing is late.
        if to.is_some_and(|to| to.duration_since(begin).abs() < SignedDuration::from_hours(48)) {
            gaps.push(Gap {
                from: Some(begin),
                to: Some(now),
                why: why.to_owned(),
            });
        }
    }
    if source == Source::SignIns && !facts.silent {
        gaps.push(Gap {
            from,
            to,
            why: "no non-interactive sign-ins are among them: use of a stolen token would not show"
                .to_owned(),
        });
    }
    if source == Source::Ual && !facts.mail_read {
        gaps.push(Gap {
            from,
            to,
            why: "no MailItemsAccessed records are among them: which mail was read cannot be told"
                .to_owned(),
        });
    }
    gaps
}

/// The stretches in which the source is silent while another goes on.
fn holes(source: Source, shared: &Shared) -> Vec<Gap> {
    shared
        .holes(source)
        .iter()
        .map(|hole| Gap {
            from: hole.from,
            to: hole.to,
            why: format!(
                "nothing of it is there for a day or more while the {} went on: it was cut off, or not exported whole",
                hole.other.words()
            ),
        })
        .collect()
}

/// The line of a source that is not there; `signs_in`: another one tells of sign-ins.
pub(crate) fn absent(source: Source, signs_in: bool) -> Coverage {
    let why = match source {
        Source::Ual => "not given: changes in the mailbox, mail read and mail sent cannot be told",
        Source::SignIns if signs_in => STAND_IN,
        Source::SignIns => "not given: where and how the account signed in cannot be told",
        Source::DirectoryAudits => {
            "not given: methods, consents and roles show only where the audit log has them too"
        }
        Source::MessageTrace => {
            "not given: recipients of sent mail show only where the audit log has them"
        }
        Source::RiskDetections => "not given, or not licensed: Microsoft's own rating is not known",
        Source::GraphActivity
        | Source::CloudApps
        | Source::UrlClicks
        | Source::Copilot
        | Source::SecurityAlerts
        | Source::Listing => "not given",
    };
    Coverage {
        source,
        from: None,
        to: None,
        events: 0,
        gaps: vec![Gap {
            from: None,
            to: None,
            why: why.to_owned(),
        }],
    }
}

/// Minutes by which a source runs late (reference §7.1, §7.2).
fn late(source: Source) -> Option<(i64, &'static str)> {
    match source {
        Source::Ual => Some((90, "audit records arrive 60 to 90 minutes late")),
        Source::SignIns | Source::DirectoryAudits => Some((15, "records arrive some minutes late")),
        Source::MessageTrace => Some((15, "rows arrive some minutes late")),
        _ => None,
    }
}
