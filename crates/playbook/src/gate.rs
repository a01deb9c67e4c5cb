//! The gates: conditions between steps that are passed, wait, or are overridden
//! by a named person with a reason that stays in the record.

use serde::{Deserialize, Serialize};

use crate::steps::StepId;

/// A gate of the playbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// The responder is not the affected user.
    CleanHands,
    /// A named responder orders the containment.
    Contain,
    /// Has money or a bank detail moved?
    Money,
    /// The logs show no takeover: the containment may be taken back.
    Release,
    /// A named responder approves the plan.
    Plan,
    /// A second person agrees to what reaches beyond the account.
    SecondPerson,
    /// Sign-in may be given back.
    Return,
    /// The user has signed in from a trusted device and registered anew.
    FirstSignIn,
    /// The case may be closed.
    Close,
}

/// What a gate is.
#[derive(Clone, Copy, Debug)]
pub struct GateSpec {
    /// Which gate.
    pub gate: Gate,
    /// The step that it belongs to.
    pub step: StepId,
    /// The name used in commands.
    pub name: &'static str,
    /// The duty that answers it.
    pub duty: &'static str,
    /// What is asked or demanded.
    pub asks: &'static str,
    /// What happens when it is refused.
    pub refused: &'static str,
}

/// Every gate, in the order in which a case meets them.
pub const GATES: [GateSpec; 9] = [
    GateSpec {
        gate: Gate::CleanHands,
        step: StepId::new(1, 6),
        name: "clean-hands",
        duty: "approver",
        asks: "Somebody else should respond, or nobody should touch this account. Going on takes a reason, which stays in the record.",
        refused: "The case stops before anything is changed; somebody else responds.",
    },
    GateSpec {
        gate: Gate::Contain,
        step: StepId::new(1, 7),
        name: "contain",
        duty: "approver",
        asks: "Block sign-in and revoke all sessions now?",
        refused: "Nothing is changed; the case stays open for investigation.",
    },
    GateSpec {
        gate: Gate::Money,
        step: StepId::new(2, 5),
        name: "money",
        duty: "finance",
        asks: "Has money or a bank detail moved? (yes, no, not known)",
        refused: "It is taken as not known, and finance is warned all the same.",
    },
    GateSpec {
        gate: Gate::Release,
        step: StepId::new(1, 7),
        name: "release",
        duty: "approver",
        asks: "Every log was read whole after its records could no longer be late, and shows nobody but the account's owner. Take the containment back, and remove nothing?",
        refused: "It is handled as a takeover all the same: the password is reset, and a plan is made.",
    },
    GateSpec {
        gate: Gate::Plan,
        step: StepId::new(3, 5),
        name: "plan",
        duty: "approver",
        asks: "Carry out this plan?",
        refused: "Nothing of the plan is done; sign-in stays blocked.",
    },
    GateSpec {
        gate: Gate::SecondPerson,
        step: StepId::new(2, 4),
        name: "second-person",
        duty: "second_person",
        asks: "Part of the plan reaches beyond the affected account: roles, policies, other people's objects, apps or consents for everybody. Do you, as another person than the approver, agree?",
        refused: "Those actions are not done; the rest of the plan goes ahead.",
    },
    GateSpec {
        gate: Gate::Return,
        step: StepId::new(7, 1),
        name: "return",
        duty: "approver",
        asks: "Every foothold is dealt with and the attacker's access has ended. Give sign-in back?",
        refused: "Sign-in stays blocked.",
    },
    GateSpec {
        gate: Gate::FirstSignIn,
        step: StepId::new(7, 2),
        name: "first-sign-in",
        duty: "user",
        asks: "The user has signed in from a trusted device with a temporary access pass and registered again.",
        refused: "The watch does not begin.",
    },
    GateSpec {
        gate: Gate::Close,
        step: StepId::new(7, 6),
        name: "close",
        duty: "approver",
        asks: "First access, persistence and impact are explained. Close the case?",
        refused: "The case stays open and the watch goes on.",
    },
];

impl Gate {
    /// The gate of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        GATES
            .iter()
            .find(|spec| spec.name.eq_ignore_ascii_case(name))
            .map(|spec| spec.gate)
    }

    /// What it is.
    pub fn spec(self) -> &'static GateSpec {
        let index = match self {
            Self::CleanHands => 0,
            Self::Contain => 1,
            Self::Money => 2,
            Self::Release => 3,
            Self::Plan => 4,
            Self::SecondPerson => 5,
            Self::Return => 6,
            Self::FirstSignIn => 7,
            Self::Close => 8,
        };
        &GATES[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_gate_finds_itself() {
        for spec in &GATES {
            assert_eq!(spec.gate.spec().gate, spec.gate);
            assert_eq!(Gate::by_name(spec.name), Some(spec.gate));
            assert!(spec.step.spec().is_some());
        }
    }
}
