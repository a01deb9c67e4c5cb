//! Answers of people who are not at the terminal: recorded at the gate that waits, and
//! carried out by whoever gives the command that resumes.

use retake_casefile::{CaseId, Store};
use retake_playbook::codes::{self, Code};
use retake_playbook::event::Event;
use retake_playbook::{Command, Gate, State, closing, machine, next};
use retake_tenant::edge::Clock;

use crate::case::{Case, Watcher};
use crate::error::ResponderError;
use crate::run::needs_a_reason;

/// What a person answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// Yes, with an answer where the gate asks a question.
    Yes(Option<String>),
    /// No.
    No,
    /// The condition does not hold, and they go on all the same, for this reason.
    Override(String),
}

/// Why an answer was not recorded. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum NotRecorded {
    /// Nobody is asked there now.
    #[error("the gate `{}` does not wait: {stands}", .gate.spec().name)]
    NotWaiting {
        /// The gate.
        gate: Gate,
        /// Where the case stands.
        stands: String,
    },
    /// A plain yes does not open it.
    #[error("the gate `{}` is not opened by a yes: {why}", .gate.spec().name)]
    NeedsReason {
        /// The gate.
        gate: Gate,
        /// Why.
        why: String,
    },
    /// The case cannot be closed yet.
    #[error("the case is not explained: {}", .missing.join("; "))]
    NotExplained {
        /// What is missing.
        missing: Vec<String>,
    },
    /// Not by this person.
    #[error("{why}")]
    NotBy {
        /// Why.
        why: String,
    },
    /// The case store.
    #[error(transparent)]
    Responder(#[from] ResponderError),
}

impl NotRecorded {
    /// The code of the error book.
    pub fn code(&self) -> Code {
        match self {
            Self::NotWaiting { .. } => codes::GATE_NOT_WAITING,
            Self::NeedsReason { .. } => codes::GATE_WAITS,
            Self::NotExplained { .. } => codes::NOT_EXPLAINED,
            Self::NotBy { .. } => codes::SECOND_PERSON,
            Self::Responder(_) => codes::INTERNAL,
        }
    }
}

/// A case in the hand of somebody who answers and changes nothing in the tenant.
pub struct Counter<'a> {
    case: Case<'a>,
    clock: &'a dyn Clock,
}

impl<'a> Counter<'a> {
    /// Takes the case up, under its lease.
    pub fn take(
        store: &'a Store,
        id: CaseId,
        by: &str,
        clock: &'a dyn Clock,
        watcher: &'a dyn Watcher,
    ) -> Result<Self, ResponderError> {
        let case = Case::take(store, id, by, clock, watcher)?;
        Ok(Self { case, clock })
    }

    /// The case as it stands.
    pub fn state(&self) -> State {
        self.case.state()
    }

    /// The gates that wait for an answer now.
    pub fn waiting(&self) -> Vec<Gate> {
        let state = self.case.state();
        let mut gates: Vec<Gate> = next(&state, self.clock.now())
            .into_iter()
            .filter_map(|command| match command {
                Command::Ask(gate) => Some(gate),
                _ => None,
            })
            .collect();
        // Asked beside everything else, and answered whenever somebody knows.
        if state.gates.contains_key(&Gate::Money) && !state.gate_open(Gate::Money) {
            gates.push(Gate::Money);
        }
        gates
    }

    /// Records what this person answers. Nothing is carried out by it.
    ///
    /// # Errors
    /// [`NotRecorded`] where the gate does not wait, or not for this.
    pub fn answer(&self, gate: Gate, by: &str, answered: Answered) -> Result<(), NotRecorded> {
        let state = self.case.state();
        if !self.waiting().contains(&gate) {
            let stands = stands(&state, &self.waiting());
            return Err(NotRecorded::NotWaiting { gate, stands });
        }
        if gate == Gate::CleanHands && is_affected(&state, by) {
            let why = format!("{by} is the affected user, and nobody vouches for their own hands");
            return Err(NotRecorded::NeedsReason { gate, why });
        }
        let by = by.to_owned();
        let event = match answered {
            Answered::No if gate == Gate::Money => Event::GatePassed {
                gate,
                by,
                answer: Some("no".to_owned()),
            },
            Answered::No => Event::GateRefused { gate, by },
            Answered::Override(reason) => Event::GateOverridden { gate, by, reason },
            Answered::Yes(answer) => {
                if let Some(why) = machine::not_by(gate, &by, &state) {
                    return Err(NotRecorded::NotBy { why });
                }
                if gate == Gate::Close {
                    let missing = closing::unexplained(&state);
                    if !missing.is_empty() {
                        return Err(NotRecorded::NotExplained { missing });
                    }
                }
                if let Some(why) = needs_a_reason(gate, &state) {
                    return Err(NotRecorded::NeedsReason { gate, why });
                }
                if gate == Gate::FirstSignIn {
                    return Ok(self.said_done(&state, by)?);
                }
                let answer = answer.or_else(|| (gate == Gate::Money).then(|| "yes".to_owned()));
                Event::GatePassed { gate, by, answer }
            }
        };
        self.case.append(event)?;
        Ok(())
    }

    /// Writes the case closed, once its closing was agreed to.
    ///
    /// # Errors
    /// The case store's.
    pub fn write_closed(&self) -> Result<(), ResponderError> {
        let state = self.case.state();
        let closes = next(&state, self.clock.now())
            .iter()
            .any(|command| matches!(command, Command::Close));
        if closes {
            self.case
                .append(Event::Closed(crate::summary::closing(&state)))?;
        }
        Ok(())
    }

    /// The first sign-in is a task: said is not done, and the tenant has to show it.
    fn said_done(&self, state: &State, by: String) -> Result<(), ResponderError> {
        let open = state
            .tasks
            .iter()
            .rfind(|(_, task)| task.step == Gate::FirstSignIn.spec().step && task.done.is_none());
        if let Some((task, _)) = open {
            self.case.append(Event::TaskDone {
                task: *task,
                by,
                said: None,
            })?;
        }
        Ok(())
    }
}

fn is_affected(state: &State, by: &str) -> bool {
    state.account.as_ref().is_some_and(|account| {
        account
            .addresses
            .iter()
            .chain([&account.upn, &account.display_name])
            .any(|name| name.to_lowercase() == by.trim().to_lowercase())
    })
}

fn stands(state: &State, waiting: &[Gate]) -> String {
    match waiting {
        [] => format!("no gate does, the case stands at {:?}", state.phase),
        gates => {
            let names: Vec<&str> = gates.iter().map(|gate| gate.spec().name).collect();
            format!("the case waits at `{}`", names.join("` and `"))
        }
    }
}
