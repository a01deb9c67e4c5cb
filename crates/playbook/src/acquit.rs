//! When the logs say that nobody took the account over.
//!
//! A containment comes before the logs can be read whole: on a named person's order, or
//! because a verdict had to do. When they have been read, and show nobody but the account's
//! owner, nothing is reset and nothing removed: the case proposes to take the containment
//! back (docs/decisions/false-alarm.md).

use crate::event::{Looked, Origin};
use crate::gate::Gate;
use crate::judge::{LOGS_FOR_JUDGEMENT, Verdict, judge};
use crate::state::{GateState, State};

/// Whether what was read so far shows no takeover: the verdict over all logs is clean,
/// each log that a verdict rests on was read whole, no change is anybody else's, no object
/// is a foothold, and no person holds that it is a takeover all the same.
///
/// Audit records come late, so this is an answer only once the access clock has run out and
/// the logs were read after that; until then it says no more than that nothing is to be done
/// yet.
pub fn shows_no_takeover(state: &State) -> bool {
    logs_are_clean(state)
        && !judge(state)
            .iter()
            .any(|judgement| judgement.verdict == Verdict::Foothold)
}

/// The part of it that the logs alone tell.
pub(crate) fn logs_are_clean(state: &State) -> bool {
    let Some((_, analysis)) = &state.analysis else {
        return false;
    };
    let whole = |log: &str| {
        analysis
            .sources
            .iter()
            .any(|source| source.name == log && source.looked == Looked::Whole)
    };
    !analysis.quick
        && analysis.verdict == "clean"
        && LOGS_FOR_JUDGEMENT.iter().all(|log| whole(log))
        && !analysis
            .changes
            .iter()
            .any(|change| change.by == Origin::Attacker)
        && state.restored_at.is_none()
        && state.reopened == 0
        && !matches!(
            state.gates.get(&Gate::Release),
            Some(GateState::Refused { .. })
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Analysis, Event, Fingerprint, Source};

    fn analysed(verdict: &str, unread: Option<&str>) -> State {
        let sources = LOGS_FOR_JUDGEMENT.map(|name| Source {
            name: name.to_owned(),
            looked: if unread == Some(name) {
                Looked::InPart
            } else {
                Looked::Whole
            },
            why: None,
            code: None,
        });
        let event = Event::Analysed(Analysis {
            quick: false,
            verdict: verdict.to_owned(),
            path: "none".to_owned(),
            confidence: 0.8,
            reasons: Vec::new(),
            first_known_bad: None,
            last_known_bad: None,
            fingerprint: Fingerprint::default(),
            changes: Vec::new(),
            sent: Vec::new(),
            impersonated: Vec::new(),
            read: Vec::new(),
            accounts: Vec::new(),
            sources: sources.to_vec(),
        });
        State::fold([("2026-09-01T10:00:00Z".parse().unwrap(), &event)])
    }

    #[test]
    fn a_clean_verdict_over_whole_logs_acquits_and_nothing_less_does() {
        assert!(shows_no_takeover(&analysed("clean", None)));
        for verdict in ["suspicious", "compromised", "unknown"] {
            assert!(!shows_no_takeover(&analysed(verdict, None)), "{verdict}");
        }
        for log in LOGS_FOR_JUDGEMENT {
            assert!(!shows_no_takeover(&analysed("clean", Some(log))), "{log}");
        }
    }

    #[test]
    fn a_person_who_holds_that_it_is_a_takeover_is_heard() {
        let mut state = analysed("clean", None);
        let refused = Event::GateRefused {
            gate: Gate::Release,
            by: "Ada".to_owned(),
        };
        state.apply("2026-09-01T10:05:00Z".parse().unwrap(), &refused);
        assert!(!shows_no_takeover(&state));
    }
}
