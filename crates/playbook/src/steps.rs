//! The seven steps and their parts, with ids that never change.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The id of a part of a step, `S1.1` to `S7.6`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId {
    step: u8,
    part: u8,
}

impl StepId {
    /// The id `S<step>.<part>`; whether it exists is decided by [`STEPS`].
    pub const fn new(step: u8, part: u8) -> Self {
        Self { step, part }
    }

    /// Which of the seven steps it belongs to.
    pub const fn step(self) -> u8 {
        self.step
    }

    /// Its entry in [`STEPS`].
    pub fn spec(self) -> Option<&'static StepSpec> {
        STEPS.iter().find(|spec| spec.id == self)
    }

    /// Its title, or nothing for an id that does not exist.
    pub fn title(self) -> &'static str {
        self.spec().map_or("", |spec| spec.title)
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S{}.{}", self.step, self.part)
    }
}

/// A text that names no part of a step.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a step of the playbook")]
pub struct NotAStep(String);

impl FromStr for StepId {
    type Err = NotAStep;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || NotAStep(text.to_owned());
        let (step, part) = text
            .strip_prefix('S')
            .and_then(|rest| rest.split_once('.'))
            .ok_or_else(unknown)?;
        let id = Self::new(
            step.parse().map_err(|_| unknown())?,
            part.parse().map_err(|_| unknown())?,
        );
        id.spec().map(|spec| spec.id).ok_or_else(unknown)
    }
}

impl Serialize for StepId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StepId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// How far a part of a step goes in this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Done by the program and read back.
    Done,
    /// A person carries it out; the program asks, and reads back what it can.
    Task,
    /// Not in this version; the report says so.
    Absent,
}

/// A part of a step.
#[derive(Clone, Copy, Debug)]
pub struct StepSpec {
    /// Its id.
    pub id: StepId,
    /// What it is, in a few words.
    pub title: &'static str,
    /// How far it goes in this version.
    pub reach: Reach,
}

/// The names of the seven steps, in their order.
pub const STEP_NAMES: [&str; 7] = [
    "Validate and preserve",
    "Contain",
    "Revoke and cut",
    "Reset",
    "Remove persistence",
    "Investigate the blast radius",
    "Recover and watch",
];

const fn part(step: u8, part: u8, reach: Reach, title: &'static str) -> StepSpec {
    StepSpec {
        id: StepId::new(step, part),
        title,
        reach,
    }
}

/// Every part of every step.
pub const STEPS: &[StepSpec] = &[
    part(1, 1, Reach::Done, "Case record"),
    part(1, 2, Reach::Done, "Risky sign-ins and alerts"),
    part(1, 3, Reach::Done, "Outbound mail against the user's normal"),
    part(1, 4, Reach::Done, "Snapshot of what later steps may change"),
    part(1, 5, Reach::Done, "Preflight: permissions, roles, sources"),
    part(1, 6, Reach::Done, "Clean hands"),
    part(1, 7, Reach::Done, "Enough to act"),
    part(1, 8, Reach::Done, "Preserve what decays"),
    part(2, 1, Reach::Done, "Block sign-in"),
    part(2, 2, Reach::Absent, "Synced and federated accounts"),
    part(2, 3, Reach::Absent, "Compromised device"),
    part(2, 4, Reach::Task, "Privileged account: second person"),
    part(
        2,
        5,
        Reach::Task,
        "Business e-mail compromise: has money moved?",
    ),
    part(2, 6, Reach::Done, "Others with the same attacker"),
    part(3, 1, Reach::Done, "Revoke sessions"),
    part(3, 2, Reach::Done, "Access clock"),
    part(
        3,
        3,
        Reach::Done,
        "Non-interactive sign-ins after the cut-off",
    ),
    part(3, 4, Reach::Task, "Apps that keep their own sessions"),
    part(3, 5, Reach::Done, "Cut what outlives block and revoke"),
    part(4, 1, Reach::Done, "Password reset"),
    part(4, 2, Reach::Done, "Authentication methods"),
    part(4, 3, Reach::Task, "App passwords"),
    part(4, 4, Reach::Done, "Attributes for self-service reset"),
    part(5, 1, Reach::Done, "Mailbox rules and forwarding"),
    part(5, 2, Reach::Task, "Rights on mailboxes"),
    part(5, 3, Reach::Done, "App consents"),
    part(5, 4, Reach::Absent, "Devices, roles, groups, guests"),
    part(5, 5, Reach::Absent, "Tenant settings"),
    part(5, 6, Reach::Absent, "Beyond mail"),
    part(6, 1, Reach::Done, "Sign-ins and the path of takeover"),
    part(6, 2, Reach::Done, "What was sent"),
    part(6, 3, Reach::Done, "What was read"),
    part(6, 4, Reach::Absent, "What was changed or deleted elsewhere"),
    part(6, 5, Reach::Absent, "Who else"),
    part(6, 6, Reach::Absent, "Malicious mail inside"),
    part(6, 7, Reach::Done, "Warnings and the fraud pack"),
    part(6, 8, Reach::Absent, "Widening the window"),
    part(6, 9, Reach::Absent, "Lookalike domains"),
    part(7, 1, Reach::Done, "Gates of return"),
    part(7, 2, Reach::Task, "First sign-in"),
    part(7, 3, Reach::Done, "Watch"),
    part(7, 4, Reach::Task, "Related secrets"),
    part(7, 5, Reach::Task, "Briefing for the user"),
    part(7, 6, Reach::Done, "Close only when explained"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_reads_back_and_stands_in_order() {
        for pair in STEPS.windows(2) {
            assert!(pair[0].id < pair[1].id, "{} {}", pair[0].id, pair[1].id);
        }
        for spec in STEPS {
            assert_eq!(spec.id.to_string().parse::<StepId>().ok(), Some(spec.id));
        }
        assert!("S8.1".parse::<StepId>().is_err());
        assert!("S1.9".parse::<StepId>().is_err());
    }
}
