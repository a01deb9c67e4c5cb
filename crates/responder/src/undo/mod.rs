//! Taking actions back by the order of a named person.
//!
//! ```text
//! order ─▶ plan ─▶ for each: read ─▶ keep ─▶ intend (durable) ─▶ change ─▶ read ─▶ verified
//! ```
//!
//! It goes through the same hand as every other change, so what holds there holds here:
//! nothing is sent before its intent is durable, nothing twice, nothing is claimed that
//! the tenant does not show, and an object that somebody else changed stops its own
//! action alone.

mod past;
mod reverse;

use retake_playbook::event::Event;
use retake_playbook::state::ActionState;
use retake_playbook::undo::{self, CannotUndo};
use retake_playbook::{ActionId, State};

use crate::error::ResponderError;
use crate::explain::ByHand;
use crate::open::Responder;

pub(crate) use past::Past;
pub(crate) use reverse::{NoWay, Shown, prepare_reverse, set_reset_attribute, shows_reversed};

/// What is to be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// Everything that was carried out, the latest first.
    All,
    /// These, in this order.
    These(Vec<ActionId>),
}

impl Which {
    fn actions(&self, state: &State) -> Vec<ActionId> {
        match self {
            Self::All => undo::all(state),
            Self::These(actions) => {
                let mut once: Vec<ActionId> = Vec::new();
                for action in actions {
                    if !once.contains(action) {
                        once.push(*action);
                    }
                }
                once
            }
        }
    }
}

/// What would be done about one action.
#[derive(Clone, Debug, PartialEq)]
pub struct Previewed {
    /// The action.
    pub action: ActionId,
    /// What it did.
    pub title: String,
    /// To what.
    pub object: String,
    /// The way back that the catalogue declares.
    pub how: String,
    /// What would be sent, or why nothing is.
    pub request: Result<(String, String), Unsent>,
}

/// Why nothing would be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Unsent {
    /// In words.
    pub why: String,
    /// The code of the error book.
    pub code: String,
    /// Whether there is nothing left to do.
    pub no_op: bool,
}

/// What became of one action that was to be taken back.
#[derive(Clone, Debug, PartialEq)]
pub struct Undone {
    /// The action.
    pub action: ActionId,
    /// What it did.
    pub title: String,
    /// To what.
    pub object: String,
    /// How it came out.
    pub outcome: UndoOutcome,
}

/// How an undo came out.
#[derive(Clone, Debug, PartialEq)]
pub enum UndoOutcome {
    /// The tenant shows the object as it was, but for these differences.
    Restored {
        /// What is not as it was, in words.
        differs: Vec<String>,
    },
    /// Nothing was tried, for this reason; nothing else was harmed.
    Refused(CannotUndo),
    /// It was tried and stopped.
    Stopped {
        /// Why.
        why: String,
    },
}

impl Responder<'_> {
    /// What an undo of these would send, and what it could not take back. Sends nothing.
    pub fn preview_undo(&self, which: &Which) -> Vec<Previewed> {
        let state = self.case.state();
        which
            .actions(&state)
            .into_iter()
            .map(|action| {
                let (title, object) = named(&state, action);
                let how = state.actions.get(&action).map_or_else(String::new, |of| {
                    match of.planned.kind.spec().reverse {
                        retake_playbook::catalogue::Reverse::By(how)
                        | retake_playbook::catalogue::Reverse::None(how) => how.to_owned(),
                    }
                });
                let request = match undo::undoable(&state, action) {
                    Err(cannot) => Err(unsent(&cannot)),
                    Ok(of) => self.reverse_by_hand(&state, of),
                };
                Previewed {
                    action,
                    title,
                    object,
                    how,
                    request,
                }
            })
            .collect()
    }

    fn reverse_by_hand(&self, state: &State, of: &ActionState) -> Result<(String, String), Unsent> {
        let past = Past::new(&self.case, state, of);
        match prepare_reverse(self.around.tenant, &past) {
            Ok(prepared) => {
                let by_hand = ByHand::of(&prepared);
                Ok((by_hand.call, by_hand.powershell))
            }
            Err(NoWay::Cannot(cannot)) => Err(unsent(&cannot)),
            Err(NoWay::Tenant(error)) => Err(Unsent {
                why: error.to_string(),
                code: crate::code_of(&error).id.to_owned(),
                no_op: false,
            }),
        }
    }

    /// Takes actions back, by the order of this responder and for this reason. Undos that
    /// an earlier run left in the middle are finished first.
    ///
    /// What cannot be taken back is named in the result, and nothing else is harmed by it.
    pub async fn undo(&self, which: &Which, reason: &str) -> Result<Vec<Undone>, ResponderError> {
        let resumed = Box::pin(self.finish_undos()).await?;
        let state = self.case.state();
        let mut refused = Vec::new();
        let mut doable = Vec::new();
        for action in which.actions(&state) {
            match undo::undoable(&state, action) {
                // What this very command went on with is reported as done below.
                Err(_) if resumed.contains(&action) => {}
                Err(cannot) => refused.push((action, cannot)),
                Ok(_) => doable.push(action),
            }
        }
        if !doable.is_empty() {
            self.case.append(Event::UndoOrdered {
                by: self.name.clone(),
                reason: reason.to_owned(),
                actions: doable.clone(),
            })?;
            Box::pin(self.finish_undos()).await?;
        }
        let state = self.case.state();
        let mut results: Vec<Undone> = resumed
            .iter()
            .chain(doable.iter().filter(|action| !resumed.contains(action)))
            .map(|action| result(&state, *action))
            .collect();
        results.extend(refused.into_iter().map(|(action, cannot)| {
            let (title, object) = named(&state, action);
            Undone {
                action,
                title,
                object,
                outcome: UndoOutcome::Refused(cannot),
            }
        }));
        Ok(results)
    }

    /// Carries out what was ordered and is not settled, from wherever the journal left
    /// it. Gives the actions that were taken back.
    pub(crate) async fn finish_undos(&self) -> Result<Vec<ActionId>, ResponderError> {
        if let Some(plan) = self.case.with_state(undo::plan) {
            self.case.append(Event::PlanMade(plan))?;
        }
        let open = self.case.with_state(undo::open);
        let mut taken = Vec::new();
        let hand = self.hand();
        for undo in open {
            Box::pin(hand.carry_out(undo)).await?;
            let of = self.case.with_state(|state| {
                state
                    .actions
                    .get(&undo)
                    .and_then(|action| action.planned.undoes)
            });
            taken.extend(of);
        }
        Ok(taken)
    }
}

fn unsent(cannot: &CannotUndo) -> Unsent {
    Unsent {
        why: cannot.to_string(),
        code: cannot.code().id.to_owned(),
        no_op: cannot.is_no_op(),
    }
}

fn named(state: &State, action: ActionId) -> (String, String) {
    state.actions.get(&action).map_or_else(
        || ("unknown action".to_owned(), String::new()),
        |of| {
            let object = &of.planned.object;
            let name = object.name.as_deref().unwrap_or(&object.id);
            (of.planned.title(), name.to_owned())
        },
    )
}

/// How the latest undo of an action came out.
fn result(state: &State, action: ActionId) -> Undone {
    let (title, object) = named(state, action);
    let undo = state
        .actions
        .values()
        .rfind(|undo| undo.planned.undoes == Some(action));
    let outcome = match undo {
        Some(undo) if undo.verified.is_some() => UndoOutcome::Restored {
            differs: state
                .restored
                .get(&undo.planned.action)
                .map(|restored| restored.differs.clone())
                .unwrap_or_default(),
        },
        Some(undo) => UndoOutcome::Stopped {
            why: undo.stopped.as_ref().map_or_else(
                || "it is not settled yet: the same command goes on".to_owned(),
                |(_, _, message)| message.clone(),
            ),
        },
        None => UndoOutcome::Stopped {
            why: "it was not tried".to_owned(),
        },
    };
    Undone {
        action,
        title,
        object,
        outcome,
    }
}
