//! A plan as a file: what people read, hand round and approve, bound by its digest.

use retake_casefile::{canonical_json, digest};
use retake_playbook::catalogue::Reverse;
use retake_playbook::event::Left;
use retake_playbook::{ActionKind, Digest, ObjectRef, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::difference::compare;
use crate::error::ResponderError;
use crate::explain::ByHand;
use crate::open::Responder;

/// The version of the form.
pub const PLAN_SCHEMA: &str = "retake.plan/1";

/// The present plan of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanFile {
    /// [`PLAN_SCHEMA`].
    pub schema: String,
    /// The case.
    pub case: String,
    /// The account.
    pub account: String,
    /// The plan's number in the case.
    pub plan: u32,
    /// The snapshot that it was made from; nothing for the containment.
    pub snapshot: Option<u32>,
    /// What is to be done, in order.
    pub actions: Vec<PlannedAction>,
    /// What is left alone, and why.
    pub left: Vec<Left>,
    /// SHA-256 over all the other fields as canonical JSON.
    pub digest: Digest,
}

/// One action of a plan file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedAction {
    /// Its number in the case.
    pub action: u32,
    /// The step.
    pub step: String,
    /// What is done, in words.
    pub title: String,
    /// What is done.
    pub kind: ActionKind,
    /// How far it reaches.
    pub scope: retake_playbook::catalogue::Scope,
    /// To what.
    pub object: ObjectRef,
    /// The digest of what was observed of the object.
    pub observed: Option<Digest>,
    /// Why.
    pub why: Vec<String>,
    /// What it breaks.
    pub breaks: String,
    /// How it is undone, or why it cannot be.
    pub undo: String,
    /// When it takes effect.
    pub effect: String,
    /// The equivalent Graph or Exchange call.
    pub call: String,
    /// The equivalent PowerShell.
    pub powershell: String,
}

/// Why a plan file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {why}")]
pub struct BadPlanFile {
    /// Where in the file.
    pub place: String,
    /// What is wrong.
    pub why: String,
}

impl PlanFile {
    fn of(state: &State, by_hand: Vec<ByHand>) -> Option<Result<Self, ResponderError>> {
        let plan = state.plan().filter(|plan| !plan.actions.is_empty())?;
        let (_, opened) = state.opened.as_ref()?;
        let actions = plan
            .actions
            .iter()
            .zip(by_hand)
            .map(|(planned, by_hand)| {
                let spec = planned.kind.spec();
                PlannedAction {
                    action: planned.action.0,
                    step: planned.step.to_string(),
                    title: planned.title(),
                    kind: planned.kind,
                    scope: spec.scope,
                    object: planned.object.clone(),
                    observed: planned.observed.clone(),
                    why: planned.why.clone(),
                    breaks: spec.breaks.to_owned(),
                    undo: match spec.reverse {
                        Reverse::By(how) => how.to_owned(),
                        Reverse::None(why) => format!("cannot be undone: {why}"),
                    },
                    effect: spec.effect.words.to_owned(),
                    call: by_hand.call,
                    powershell: by_hand.powershell,
                }
            })
            .collect();
        let mut file = Self {
            schema: PLAN_SCHEMA.to_owned(),
            case: opened.case.clone(),
            account: opened.account.clone(),
            plan: plan.plan,
            snapshot: plan.snapshot,
            actions,
            left: plan.left.clone(),
            digest: Digest::from_bytes([0; 32]),
        };
        Some(file.computed().map(|digest| {
            file.digest = digest;
            file
        }))
    }

    fn computed(&self) -> Result<Digest, ResponderError> {
        let mut value = serde_json::to_value(self)?;
        if let Value::Object(fields) = &mut value {
            fields.remove("digest");
        }
        Ok(digest(canonical_json(&value).as_bytes()))
    }

    /// Reads a plan file and checks that it is as it was written, and of this case.
    ///
    /// # Errors
    /// [`BadPlanFile`] with the place: no JSON, another schema, another case, edited.
    pub fn read(bytes: &[u8], case: &str) -> Result<Self, BadPlanFile> {
        let bad = |place: &str, why: String| BadPlanFile {
            place: place.to_owned(),
            why,
        };
        let at =
            |error: &serde_json::Error| format!("line {}, column {}", error.line(), error.column());
        let value: Value =
            serde_json::from_slice(bytes).map_err(|error| bad(&at(&error), error.to_string()))?;
        match value.get("schema").and_then(Value::as_str) {
            Some(PLAN_SCHEMA) => {}
            Some(other) => {
                let why = format!("it is {other:?}, and {PLAN_SCHEMA:?} is wanted");
                return Err(bad("schema", why));
            }
            None => return Err(bad("schema", "it is not a plan of Retake".to_owned())),
        }
        let file: Self =
            serde_json::from_slice(bytes).map_err(|error| bad(&at(&error), error.to_string()))?;
        if file.case != case {
            let why = format!("it is a plan of the case {:?}, not of {case:?}", file.case);
            return Err(bad("case", why));
        }
        let computed = file
            .computed()
            .map_err(|error| bad("digest", error.to_string()))?;
        if computed != file.digest {
            let why = format!(
                "the file was edited: it says {}, and what it holds has {}",
                file.digest.short(),
                computed.short()
            );
            return Err(bad("digest", why));
        }
        Ok(file)
    }

    /// In what another plan differs from this one, one part of a sentence each.
    ///
    /// # Errors
    /// When something of ours cannot be written as JSON.
    pub fn differences(&self, now: &Self) -> Result<Vec<String>, ResponderError> {
        let mut differences = Vec::new();
        let (was, is) = (serde_json::to_value(self)?, serde_json::to_value(now)?);
        let fields = |value: &Value| {
            let mut value = value.clone();
            if let Value::Object(fields) = &mut value {
                fields.remove("digest");
                fields.remove("actions");
            }
            value
        };
        compare("", &fields(&was), &fields(&is), &mut differences);
        for (place, action) in self.actions.iter().enumerate() {
            match now.actions.get(place) {
                Some(other) => compare(
                    &format!("actions[{place}]"),
                    &serde_json::to_value(action)?,
                    &serde_json::to_value(other)?,
                    &mut differences,
                ),
                None => differences.push(format!("actions[{place}]: {} is gone", named(action))),
            }
        }
        for (place, action) in now.actions.iter().enumerate().skip(self.actions.len()) {
            differences.push(format!("actions[{place}]: {} is new", named(action)));
        }
        Ok(differences)
    }
}

fn named(action: &PlannedAction) -> String {
    let object = action.object.name.as_deref().unwrap_or(&action.object.id);
    format!("{} {:?}", action.title, object)
}

impl Responder<'_> {
    /// The present plan as a file; nothing where there is none with actions.
    ///
    /// # Errors
    /// When something of ours cannot be written as JSON.
    pub fn plan_file(&self) -> Result<Option<PlanFile>, ResponderError> {
        let by_hand = self.hand().by_hand();
        PlanFile::of(&self.case.state(), by_hand).transpose()
    }
}
