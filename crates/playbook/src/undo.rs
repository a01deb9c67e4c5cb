//! Taking actions back: which of them can be, what that leaves, and what is kept
//! from then on by a person's order.
//!
//! An undo is a plan like any other: its actions say in
//! [`undoes`](crate::event::Planned::undoes) what they take back, are journalled,
//! sent once and read back. It moves no phase of the case: a person may order it at
//! any time, also when the case is closed.

use jiff::Timestamp;
use serde::Serialize;

use crate::catalogue::{ActionKind, Reverse};
use crate::codes::{self, Code};
use crate::event::{ActionId, Applied, Facts, Observed, Plan, Planned};
use crate::machine::Phase;
use crate::state::{ActionState, State};

/// What a named person ordered to be taken back.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UndoOrder {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Which actions, in the order in which they are taken back.
    pub actions: Vec<ActionId>,
    /// Whether the plan that carries it out is in the journal.
    pub planned: bool,
}

/// An object that an undo brought back, as the tenant showed it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Restored {
    /// When it was read.
    pub at: Timestamp,
    /// The object, under the id that it has now.
    pub object: Observed,
    /// What is not as it was before, in words.
    pub differs: Vec<String>,
}

/// Why an action is not taken back. Nothing else is touched by that.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotUndo {
    /// No plan of the case holds it.
    #[error("{0}: the case has no such action. `retake case show` lists them")]
    NoSuchAction(ActionId),
    /// It was not carried out, or its effect was never seen.
    #[error("{0} was not carried out, so there is nothing to take back")]
    NotDone(ActionId),
    /// The tenant already was so, and the action sent nothing.
    #[error("{0} changed nothing: the tenant already was so before. There is nothing to take back")]
    NothingChanged(ActionId),
    /// The catalogue says that there is no way back.
    #[error("{action}, {title}, cannot be undone: {why}")]
    Irreversible {
        /// The action.
        action: ActionId,
        /// Its title.
        title: &'static str,
        /// The catalogue's reason.
        why: &'static str,
    },
    /// It was taken back before.
    #[error("{action} was undone already, by {undo} at {at}. Nothing is done twice")]
    AlreadyUndone {
        /// The action.
        action: ActionId,
        /// What undid it.
        undo: ActionId,
        /// When the tenant showed that.
        at: Timestamp,
    },
    /// It is itself an undo.
    #[error(
        "{action} is itself the undo of {of}. An undo is not undone: what it brought back is removed by hand, and is kept by the case until then"
    )]
    IsAnUndo {
        /// The action.
        action: ActionId,
        /// What it undid.
        of: ActionId,
    },
    /// The block of a case that is under way.
    #[error(
        "{0} is the block that the case rests on. `retake release` takes it back and ends the case; everything else can be undone now"
    )]
    HoldsTheCase(ActionId),
    /// What was before is not in the case.
    #[error("{action} cannot be undone from what was saved: {why}")]
    NotSaved {
        /// The action.
        action: ActionId,
        /// What is missing.
        why: String,
    },
}

impl CannotUndo {
    /// The action that it is about.
    pub fn action(&self) -> ActionId {
        match self {
            Self::NoSuchAction(action)
            | Self::NotDone(action)
            | Self::NothingChanged(action)
            | Self::HoldsTheCase(action)
            | Self::Irreversible { action, .. }
            | Self::AlreadyUndone { action, .. }
            | Self::IsAnUndo { action, .. }
            | Self::NotSaved { action, .. } => *action,
        }
    }

    /// The code of the error book.
    pub fn code(&self) -> Code {
        match self {
            Self::NoSuchAction(_) => codes::BAD_INPUT,
            _ => codes::CANNOT_UNDO,
        }
    }

    /// Whether there is nothing left to do: asking twice is no failure.
    pub fn is_no_op(&self) -> bool {
        matches!(self, Self::AlreadyUndone { .. } | Self::NothingChanged(_))
    }
}

/// Whether this action can be taken back now, as far as the case tells.
pub fn undoable(state: &State, action: ActionId) -> Result<&ActionState, CannotUndo> {
    let Some(of) = state.actions.get(&action) else {
        return Err(CannotUndo::NoSuchAction(action));
    };
    if let Some(undone) = of.planned.undoes {
        return Err(CannotUndo::IsAnUndo { action, of: undone });
    }
    if of.verified.is_none() {
        return Err(CannotUndo::NotDone(action));
    }
    let spec = of.planned.kind.spec();
    if let Reverse::None(why) = spec.reverse {
        let title = spec.title;
        return Err(CannotUndo::Irreversible { action, title, why });
    }
    if matches!(of.applied, Some((_, Applied::AlreadySo))) {
        return Err(CannotUndo::NothingChanged(action));
    }
    if let Some((undo, at)) = undone(state, action) {
        return Err(CannotUndo::AlreadyUndone { action, undo, at });
    }
    let under_way = !matches!(state.phase, Phase::Closed | Phase::Concluding);
    if of.planned.kind == ActionKind::BlockSignIn && under_way && state.contained_since().is_some()
    {
        return Err(CannotUndo::HoldsTheCase(action));
    }
    Ok(of)
}

/// Every action that was carried out, the latest first: what "all" means. Those that
/// cannot be taken back are among them, so that they are named.
pub fn all(state: &State) -> Vec<ActionId> {
    state
        .actions
        .values()
        .filter(|action| action.planned.undoes.is_none() && action.verified.is_some())
        .filter(|action| !matches!(action.applied, Some((_, Applied::AlreadySo))))
        .map(|action| action.planned.action)
        .rev()
        .collect()
}

/// The undo that took this action back and was shown by the tenant, and when.
pub fn undone(state: &State, action: ActionId) -> Option<(ActionId, Timestamp)> {
    state
        .actions
        .values()
        .filter(|undo| undo.planned.undoes == Some(action))
        .find_map(|undo| Some((undo.planned.action, undo.verified.as_ref()?.0)))
}

/// The plan of the order that has none yet.
pub fn plan(state: &State) -> Option<Plan> {
    let order = state.undo_orders.last().filter(|order| !order.planned)?;
    let first = state.next_action();
    let actions = order
        .actions
        .iter()
        .filter_map(|action| state.actions.get(action))
        .zip(first..)
        .map(|(of, number)| Planned {
            action: ActionId(number),
            undoes: Some(of.planned.action),
            why: vec![format!("ordered by {}: {}", order.by, order.reason)],
            ..of.planned.clone()
        })
        .collect();
    Some(Plan {
        plan: u32::try_from(state.plans.len()).unwrap_or(u32::MAX - 1) + 1,
        snapshot: None,
        actions,
        left: Vec::new(),
    })
}

/// The undos that are not settled: somebody stopped in the middle of them.
pub fn open(state: &State) -> Vec<ActionId> {
    state
        .actions
        .values()
        .filter(|action| action.planned.undoes.is_some() && !action.settled())
        .map(|action| action.planned.action)
        .collect()
}

/// Whether sign-in is to be allowed once this action is taken back, where it is one
/// that blocked or gave back: as if it had never been done, and every other that
/// was not taken back had.
pub fn sign_in_without(state: &State, action: ActionId) -> Option<bool> {
    let switches = |kind| match kind {
        ActionKind::BlockSignIn => Some(false),
        ActionKind::RestoreSignIn => Some(true),
        _ => None,
    };
    switches(state.actions.get(&action)?.planned.kind)?;
    let made: Vec<(ActionId, bool)> = state
        .actions
        .values()
        .filter(|made| made.planned.undoes.is_none() && made.verified.is_some())
        .filter(|made| !matches!(made.applied, Some((_, Applied::AlreadySo))))
        .filter_map(|made| Some((made.planned.action, switches(made.planned.kind)?)))
        .collect();
    let before = made.first().map(|(_, allows)| !allows)?;
    let standing = made
        .iter()
        .rfind(|(made, _)| *made != action && !is_taken_back(state, *made));
    Some(standing.map_or(before, |(_, allows)| *allows))
}

/// Whether it is taken back, or an order to do so is under way: whoever takes back a
/// block and its end in one order must not block in between.
fn is_taken_back(state: &State, action: ActionId) -> bool {
    state
        .actions
        .values()
        .any(|undo| undo.planned.undoes == Some(action) && undo.stopped.is_none())
}

/// By whose order, and why, an object is kept: a person had it brought back. It is
/// known by the id that it was given then, or by what it is and does.
pub fn kept<'a>(state: &'a State, observed: &Observed) -> Option<&'a UndoOrder> {
    let restored = |undo: &ActionState| {
        state
            .restored
            .get(&undo.planned.action)
            .is_some_and(|restored| {
                restored.object.object.id == observed.object.id
                    && restored.object.digest == observed.digest
            })
    };
    let same = |undo: &ActionState| {
        undo.planned.object.kind == observed.object.kind
            && facts_of(state, &undo.planned)
                .is_some_and(|facts| content(facts) == content(&observed.facts))
    };
    let undo = state
        .actions
        .values()
        .filter(|action| action.planned.undoes.is_some())
        .rfind(|undo| restored(undo) || same(undo))?;
    let of = undo.planned.undoes?;
    state
        .undo_orders
        .iter()
        .rfind(|order| order.actions.contains(&of))
}

/// What was seen of the object of an action, or of an undo, before the action was sent.
pub fn facts_of<'a>(state: &'a State, planned: &Planned) -> Option<&'a Facts> {
    let of = planned.undoes.unwrap_or(planned.action);
    let sent = state
        .actions
        .get(&of)
        .and_then(|action| action.intended.first())
        .map(|(at, _)| *at);
    let mut seen = state
        .snapshots
        .iter()
        .rev()
        .filter(|snapshot| sent.is_none_or(|sent| snapshot.at <= sent))
        .flat_map(|snapshot| &snapshot.objects)
        .filter(|seen| seen.object.id == planned.object.id)
        .filter(|seen| seen.object.kind == planned.object.kind);
    match &planned.observed {
        Some(digest) => seen.find(|seen| seen.digest == *digest),
        None => seen.next(),
    }
    .map(|seen| &seen.facts)
}

/// What an object is and does, without the ids that a service gives anew to one that
/// was made again, and without what another object's reading adds.
pub fn content(facts: &Facts) -> Facts {
    let mut content = facts.clone();
    match &mut content {
        Facts::InboxRule {
            hidden,
            graph_id,
            aliases,
            ..
        } => {
            *hidden = false;
            *graph_id = None;
            aliases.clear();
        }
        Facts::Grant {
            app_id,
            app_name,
            verified_publisher,
            first_party,
            ..
        } => {
            *app_id = None;
            *app_name = None;
            *verified_publisher = false;
            *first_party = false;
        }
        Facts::Method { default, .. } => *default = false,
        Facts::MailboxRight { holder, .. } | Facts::FolderRight { holder, .. } => {
            *holder = crate::event::Holder::unknown(holder.shown.clone());
        }
        // A look at the app alone does not show what it was assigned.
        Facts::App { roles, .. } => roles.clear(),
        Facts::SweepRule { aliases, .. } => aliases.clear(),
        Facts::AppRole {
            app_name, created, ..
        } => {
            *app_name = None;
            *created = None;
        }
        Facts::Forwarding { target, .. } => *target = None,
        Facts::Role { name, .. } => *name = None,
        _ => {}
    }
    content
}
