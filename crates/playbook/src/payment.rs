//! When money has moved: the clock that runs from then, and the windows that the world
//! outside has for getting it back (product, S2.5).
//!
//! Windows and thresholds are dated facts for a person to read. They are never a filter:
//! a recall is asked for whatever the amount, the country and the hour.

use jiff::{SignedDuration, Timestamp};

use crate::gate::Gate;
use crate::state::{GateState, State};

/// A window in which a payment can be got back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// What it is called.
    pub name: &'static str,
    /// How long it is open after the payment, in hours; `None` where nobody names an hour.
    pub hours: Option<u32>,
    /// To which payments it applies, as its owner says.
    pub applies: &'static str,
    /// What to do in it.
    pub act: &'static str,
    /// Who says so, and when that was last looked up.
    pub source: &'static str,
}

/// The windows that are known, the shortest first.
pub const WINDOWS: &[Window] = &[
    Window {
        name: "the sending bank's recall",
        hours: Some(24),
        applies: "every transfer; the first day is the best chance, and later is still worth asking",
        act: "telephone the fraud desk of the bank that sent it and ask for a recall (SWIFT or SEPA)",
        source: "banks' own advice to customers; looked up 2026-11",
    },
    Window {
        name: "the Financial Fraud Kill Chain (United States)",
        hours: Some(72),
        applies: "international wires of 50,000 USD and more for which a SWIFT recall was sent",
        act: "report to the FBI's field office and at ic3.gov with bank, beneficiary, amount and time",
        source: "FBI, Internet Crime Complaint Center; looked up 2026-11",
    },
    Window {
        name: "a report to the police",
        hours: None,
        applies: "every payment, whatever the amount",
        act: "report it with the fraud pack; insurers and banks ask for the reference",
        source: "product, S2.5",
    },
];

/// Since when the payment clock runs: a person answered that money has moved, or may have.
pub fn clock(state: &State) -> Option<Timestamp> {
    match state.gates.get(&Gate::Money)? {
        GateState::Passed {
            at,
            answer: Some(answer),
            ..
        } if answer.trim().to_lowercase().starts_with("yes") => Some(*at),
        _ => None,
    }
}

/// The windows in words, with the time at which each is over if the payment was made no
/// earlier than `paid`.
pub fn in_words(paid: Option<Timestamp>) -> Vec<String> {
    WINDOWS
        .iter()
        .map(|window| {
            let end = paid.zip(window.hours).and_then(|(paid, hours)| {
                paid.checked_add(SignedDuration::from_hours(i64::from(hours)))
                    .ok()
            });
            let within = match (window.hours, end) {
                (Some(hours), Some(end)) => format!(
                    "within {hours} h of the payment: until {} if it was made when the first of the attacker's mail was sent",
                    end.strftime("%Y-%m-%d %H:%M UTC")
                ),
                (Some(hours), None) => format!("within {hours} h of the payment"),
                (None, _) => "now".to_owned(),
            };
            format!(
                "{}: {}; {within}. {} ({})",
                window.name, window.act, window.applies, window.source
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(answer: Option<&str>) -> State {
        let mut state = State::default();
        state.gates.insert(
            Gate::Money,
            GateState::Passed {
                at: Timestamp::UNIX_EPOCH,
                by: "Noor".to_owned(),
                answer: answer.map(str::to_owned),
            },
        );
        state
    }

    #[test]
    fn a_yes_opens_the_clock_and_nothing_else_does() {
        for (answer, opens) in [
            (Some("yes"), true),
            (Some("Yes, yesterday"), true),
            (Some("no"), false),
            (Some("not known"), false),
            (None, false),
        ] {
            assert_eq!(clock(&answered(answer)).is_some(), opens, "{answer:?}");
        }
        assert_eq!(clock(&State::default()), None);
    }

    #[test]
    fn every_window_says_until_when_and_who_says_so() {
        for (line, window) in in_words(Some(Timestamp::UNIX_EPOCH)).iter().zip(WINDOWS) {
            assert!(line.contains(window.source) && line.contains(window.act));
            assert_eq!(line.contains("1970-01-0"), window.hours.is_some(), "{line}");
        }
    }
}
