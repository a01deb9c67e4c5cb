//! What the case saved of an object before it was changed: the only source that an
//! undo has. The tenant is never asked what used to be.

use retake_playbook::State;
use retake_playbook::event::{Facts, Observed};
use retake_playbook::state::ActionState;
use retake_playbook::undo::facts_of;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::case::Case;

/// What is known of an object as it was before an action.
pub(crate) struct Past<'a> {
    case: &'a Case<'a>,
    /// The case.
    pub(crate) state: &'a State,
    /// The action that changed the object.
    pub(crate) action: &'a ActionState,
}

impl<'a> Past<'a> {
    pub(crate) fn new(case: &'a Case<'a>, state: &'a State, action: &'a ActionState) -> Self {
        Self {
            case,
            state,
            action,
        }
    }

    /// The object's id as it was.
    pub(crate) fn id(&self) -> &str {
        &self.action.planned.object.id
    }

    /// What the plan had seen of the object.
    pub(crate) fn facts(&self) -> Option<&'a Facts> {
        facts_of(self.state, &self.action.planned)
    }

    /// The first row of the saved answers of which this is true: of the answer that was
    /// read immediately before the change, then of those that the plan was made from.
    pub(crate) fn row<T: DeserializeOwned>(&self, is: impl Fn(&Value) -> bool) -> Option<T> {
        let planned = self.action.planned.observed.as_ref();
        let seen = self
            .state
            .snapshots
            .iter()
            .rev()
            .flat_map(|snapshot| &snapshot.objects)
            .find(|seen| seen.object.id == self.id() && Some(&seen.digest) == planned);
        let digests = self
            .action
            .before
            .iter()
            .chain(seen.iter().flat_map(|seen| &seen.evidence));
        for digest in digests {
            let answer = self
                .case
                .evidence(digest)
                .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
            let Some(answer) = answer else { continue };
            let rows = match answer.get("value") {
                Some(Value::Array(rows)) => rows.as_slice(),
                _ => std::slice::from_ref(&answer),
            };
            if let Some(row) = rows.iter().find(|row| is(row)) {
                let mut row = row.clone();
                drop_type_notes(&mut row);
                if let Ok(row) = serde_json::from_value(row) {
                    return Some(row);
                }
            }
        }
        None
    }

    /// The same for the row whose field has the object's id.
    pub(crate) fn row_named<T: DeserializeOwned>(&self, field: &str) -> Option<T> {
        self.row(|row| row.get(field).and_then(Value::as_str) == Some(self.id()))
    }

    /// The ids of objects that are not this one come back: those that stood beside it
    /// when the plan was made, and those that other undos brought back.
    pub(crate) fn others(&self) -> Vec<String> {
        let beside = self
            .state
            .plans
            .iter()
            .find(|plan| plan.plan == self.action.plan)
            .and_then(|plan| plan.snapshot)
            .and_then(|number| {
                self.state
                    .snapshots
                    .iter()
                    .find(|snapshot| snapshot.snapshot == number)
            })
            .map_or(&[][..], |snapshot| &snapshot.objects);
        let back = self
            .state
            .restored
            .iter()
            .filter(|(undo, _)| {
                self.state
                    .actions
                    .get(undo)
                    .is_none_or(|undo| undo.planned.undoes != Some(self.action.planned.action))
            })
            .map(|(_, restored)| &restored.object);
        beside.iter().chain(back).map(id_of).collect()
    }
}

fn id_of(observed: &Observed) -> String {
    observed.object.id.clone()
}

/// Removes the type notes that Exchange writes beside values (reference §6.6).
fn drop_type_notes(value: &mut Value) {
    match value {
        Value::Object(row) => {
            row.retain(|key, _| !key.ends_with("@odata.type") && !key.ends_with("@data.type"));
            row.values_mut().for_each(drop_type_notes);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_type_notes),
        _ => {}
    }
}
