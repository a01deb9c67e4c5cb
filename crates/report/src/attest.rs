//! The attestation: what was found, removed, verified, undone and is not known, with
//! digests, so that anybody who has the exported case can check it offline.
//!
//! It is a function of the journal's first records and of nothing else: [`check`]
//! computes it anew from the case and compares, so that no line of it can be changed,
//! added or left out without being found.

use retake_casefile::Record;
use retake_playbook::event::Event;
use retake_playbook::{ActionId, Digest, ObjectRef, State};
use serde_json::{Value, json};

use crate::model::not_known;
use crate::tell;

/// The version of the attestation.
pub const SCHEMA: &str = "retake.attestation/1";

/// How deep and how many differences are told.
const MOST: usize = 20;

/// One place where an attestation and the case differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The place, as a JSON pointer.
    pub at: String,
    /// What the attestation says; nothing where it is silent.
    pub said: Option<String>,
    /// What follows from the case; nothing where it says nothing.
    pub is: Option<String>,
}

/// The attestation of these records. Nothing for a journal that does not begin with a
/// case. The same records give the same attestation.
pub fn attest(records: &[Record]) -> Option<Value> {
    let state = State::fold(records.iter().map(|record| (record.at, &record.event)));
    let (opened_at, opened) = state.opened.as_ref()?;
    let last = records.last()?;
    let object = |object: &ObjectRef| {
        json!({
            "kind": object.kind,
            "id": object.id,
            "name": object.name,
            "mailbox": object.mailbox,
        })
    };
    let mut found = Vec::new();
    let mut removed = Vec::new();
    let mut verified = Vec::new();
    let mut open = Vec::new();
    for (id, action) in &state.actions {
        let planned = &action.planned;
        let line = json!({
            "action": id.0,
            "kind": planned.kind,
            "artefact": planned.artefact,
            "object": object(&planned.object),
            "observed": planned.observed,
            "before": action.before,
            "requested": action.intended.iter().map(|(at, _)| at).collect::<Vec<_>>(),
            "accepted": action.applied.map(|(at, _)| at),
            "verified": action.verified.as_ref().map(|(at, _)| at),
            "effective_by": action.effective_by(),
            "evidence": action.verified.as_ref().map(|(_, digest)| digest),
        });
        if planned.artefact.is_some() && planned.undoes.is_none() {
            let seen: Vec<&Digest> = state
                .snapshots
                .iter()
                .flat_map(|snapshot| &snapshot.objects)
                .filter(|seen| same(&seen.object, &planned.object))
                .flat_map(|seen| &seen.evidence)
                .collect();
            let thing = json!({
                "artefact": planned.artefact,
                "object": object(&planned.object),
                "observed": planned.observed,
                "evidence": seen.first(),
                "action": id.0,
            });
            if !found.contains(&thing) {
                found.push(thing);
            }
            if action.verified.is_some() && !taken_back(&state, *id) {
                removed.push(json!({
                    "artefact": planned.artefact,
                    "object": object(&planned.object),
                    "action": id.0,
                }));
            }
        }
        if action.verified.is_some() {
            verified.push(line);
        } else {
            open.push(line);
        }
    }
    Some(json!({
        "schema": SCHEMA,
        "case": opened.case,
        "tenant": opened.tenant,
        "account": opened.account,
        "account_id": state.account.as_ref().map(|account| &account.id),
        "program": opened.program,
        "opened_at": opened_at,
        "as_of": last.at,
        "records": last.seq,
        "head": last.hash,
        "effective_at": state.effective.map(|(at, _)| at),
        "closed_at": state.closed.as_ref().map(|(at, _)| at),
        "found": found,
        "removed": removed,
        "verified": verified,
        "not_verified": open,
        "undone": undone(records, &state),
        "unknown": not_known(&state),
        "evidence": state
            .evidence
            .values()
            .map(|kept| json!({"sha256": kept.digest, "bytes": kept.bytes}))
            .collect::<Vec<_>>(),
    }))
}

/// Whether an undo of this action was carried out and read back.
pub(crate) fn taken_back(state: &State, action: ActionId) -> bool {
    state
        .actions
        .values()
        .any(|undo| undo.planned.undoes == Some(action) && undo.verified.is_some())
}

/// What was taken back again, by whom and why; what shows it; and what is not as before.
fn undone(records: &[Record], state: &State) -> Vec<Value> {
    let releases = records.iter().filter_map(|record| match &record.event {
        Event::ReleaseOrdered { by, reason } => Some(json!({
            "what": "Release of the containment ordered", "at": record.at, "by": by,
            "reason": reason, "action": null, "undo": null, "evidence": null, "differs": [],
        })),
        _ => None,
    });
    let orders = state.undo_orders.iter().flat_map(|order| {
        order.actions.iter().map(|action| {
            let undo = state
                .actions
                .iter()
                .rfind(|(_, undo)| undo.planned.undoes == Some(*action));
            let verified = undo.and_then(|(_, undo)| undo.verified.as_ref());
            let mut differs: Vec<String> = undo
                .and_then(|(id, _)| state.restored.get(id))
                .map(|restored| restored.differs.clone())
                .unwrap_or_default();
            match undo.map(|(_, undo)| &undo.stopped) {
                None => differs.push("not taken back: nothing was sent".to_owned()),
                Some(Some((_, why, message))) => differs.push(format!(
                    "not taken back: {} ({message})",
                    tell::stopped(*why)
                )),
                Some(None) if verified.is_none() => {
                    differs.push("taken back, and not shown by the tenant yet".to_owned());
                }
                Some(None) => {}
            }
            json!({
                "what": state.actions.get(action).map_or_else(
                    || action.to_string(),
                    |of| format!("Undo of {action} {}", tell::title(&of.planned, state)),
                ),
                "at": verified.map_or(order.at, |(at, _)| *at),
                "by": order.by,
                "reason": order.reason,
                "action": action.0,
                "undo": undo.map(|(id, _)| id.0),
                "evidence": verified.map(|(_, digest)| digest),
                "differs": differs,
            })
        })
    });
    releases.chain(orders).collect()
}

fn same(one: &ObjectRef, other: &ObjectRef) -> bool {
    one.kind == other.kind && one.id == other.id && one.mailbox == other.mailbox
}

/// Whether this attestation follows from this case: every place where it does not.
///
/// The case may have gone on since; the attestation names the records that it is about.
pub fn check(records: &[Record], attestation: &Value) -> Vec<Difference> {
    let one = |at: &str, said: Option<&Value>, is: Option<String>| {
        vec![Difference {
            at: at.to_owned(),
            said: said.map(short),
            is,
        }]
    };
    let schema = &attestation["schema"];
    if schema != SCHEMA {
        return one("/schema", Some(schema), Some(format!("\"{SCHEMA}\"")));
    }
    let count = attestation["records"]
        .as_u64()
        .and_then(|count| usize::try_from(count).ok());
    let about = count
        .filter(|count| *count > 0)
        .and_then(|count| records.get(..count));
    let Some(about) = about else {
        return one(
            "/records",
            Some(&attestation["records"]),
            Some(format!("{} in the case", records.len())),
        );
    };
    let mut differences = Vec::new();
    match attest(about) {
        Some(is) => compare("", attestation, &is, &mut differences),
        None => differences.extend(one("", None, None)),
    }
    differences
}

fn compare(at: &str, said: &Value, is: &Value, found: &mut Vec<Difference>) {
    if found.len() >= MOST || said == is {
        return;
    }
    match (said, is) {
        (Value::Object(said), Value::Object(is)) => {
            let keys: std::collections::BTreeSet<&String> = said.keys().chain(is.keys()).collect();
            for key in keys {
                let place = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                step(&place, said.get(key), is.get(key), found);
            }
        }
        (Value::Array(said), Value::Array(is)) => {
            for index in 0..said.len().max(is.len()) {
                step(
                    &format!("{at}/{index}"),
                    said.get(index),
                    is.get(index),
                    found,
                );
            }
        }
        _ => step_differs(at, Some(said), Some(is), found),
    }
}

fn step(at: &str, said: Option<&Value>, is: Option<&Value>, found: &mut Vec<Difference>) {
    match (said, is) {
        (Some(said), Some(is)) => compare(at, said, is, found),
        _ => step_differs(at, said, is, found),
    }
}

fn step_differs(at: &str, said: Option<&Value>, is: Option<&Value>, found: &mut Vec<Difference>) {
    if found.len() < MOST {
        found.push(Difference {
            at: at.to_owned(),
            said: said.map(short),
            is: is.map(short),
        });
    }
}

fn short(value: &Value) -> String {
    crate::escape::visible(&value.to_string()).into_owned()
}
