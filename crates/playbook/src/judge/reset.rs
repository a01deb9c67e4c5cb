//! Judging the properties of the account that self-service reset goes by: phone numbers
//! and other mail addresses (step S4.4).
//!
//! Judged value by value, by the records that brought and took them; what the attacker
//! displaced is put back.

use super::Verdict;
use super::settings::{changes_of, field, first_while_blocked, told};
use crate::event::{Change, Facts, FieldChange, Observed, Origin};
use crate::state::State;
use crate::words::ObjectKind;

/// What an attribute has to be again, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResetValues {
    /// The attribute: `otherMails`, `mobilePhone`, `businessPhones`.
    pub attribute: String,
    /// Its values without the attacker's, with those that they took away.
    pub values: Vec<String>,
    /// Why.
    pub why: Vec<String>,
}

/// The names under which records of the directory tell of an attribute (reference §7.3
/// has the operation; the names are those of the directory's own schema).
fn recorded_as(attribute: &str) -> &'static [&'static str] {
    match attribute {
        "otherMails" => &["OtherMail", "OtherMails", "AlternateEmail"],
        "mobilePhone" => &["Mobile", "MobilePhone"],
        _ => &["TelephoneNumber", "BusinessPhones"],
    }
}

/// What the attribute has to be again; nothing where nothing there is the attacker's.
pub fn restored_values(state: &State, observed: &Observed) -> Option<ResetValues> {
    let Facts::ResetAttribute { attribute, values } = &observed.facts else {
        return None;
    };
    let told_of = told_of(state, observed);
    let mut wanted = values.clone();
    let mut why = Vec::new();
    // Back in time: each of the attacker's acts is taken back.
    for (change, field) in told_of.iter().rev() {
        if change.by != Origin::Attacker {
            continue;
        }
        let Some(from) = &field.from else { continue };
        let (from, to) = (entries(from), entries(&field.to));
        let lacks = |list: &[String], value: &str| !list.iter().any(|held| is_one(held, value));
        let brought: Vec<&String> = to.iter().filter(|value| lacks(&from, value)).collect();
        let taken: Vec<&String> = from.iter().filter(|value| lacks(&to, value)).collect();
        let still = brought
            .iter()
            .any(|value| wanted.iter().any(|held| is_one(held, value)));
        // What stands there now came later, and by somebody else.
        let emptied = brought.is_empty() && wanted.is_empty();
        if !still && !emptied {
            continue;
        }
        wanted.retain(|held| !brought.iter().any(|value| is_one(held, value)));
        for value in taken {
            if lacks(&wanted, value) {
                wanted.push(value.clone());
            }
        }
        why.push(told("the attacker", change));
    }
    if why.is_empty()
        && told_of.is_empty()
        && let Some(Facts::ResetAttribute { values: before, .. }) = first_one(state, observed)
        && before != values
    {
        wanted.clone_from(before);
        why.push(
            "it is not what it was when sign-in was blocked, and its owner could change nothing since"
                .to_owned(),
        );
    }
    (!why.is_empty() && wanted != *values).then(|| ResetValues {
        attribute: attribute.clone(),
        values: wanted,
        why,
    })
}

/// Judges an attribute; nothing for an object of another kind.
pub(super) fn judge(state: &State, observed: &Observed) -> Option<(Verdict, Vec<String>)> {
    let Facts::ResetAttribute { values, .. } = &observed.facts else {
        return None;
    };
    if let Some(restored) = restored_values(state, observed) {
        return Some((Verdict::Foothold, restored.why));
    }
    let told_of = told_of(state, observed);
    let blind = told_of.iter().rev().find(|(change, field)| {
        change.by == Origin::Attacker
            && field.from.is_none()
            && entries(&field.to)
                .iter()
                .any(|value| values.iter().any(|held| is_one(held, value)))
    });
    Some(match (blind, told_of.last()) {
        (Some((change, _)), _) => (
            Verdict::Unclear,
            vec![format!(
                "{}; the record does not tell what stood there before: ask the owner",
                told("written by the attacker", change)
            )],
        ),
        (None, Some((change, _))) if change.by == Origin::Unknown && !values.is_empty() => (
            Verdict::Unclear,
            vec![format!(
                "{}: ask the owner whether it is theirs",
                told("changed by nobody who can be told", change)
            )],
        ),
        (None, Some((change, _))) => (
            Verdict::Legitimate,
            vec![told("changed last by somebody known,", change)],
        ),
        (None, None) => (
            Verdict::Legitimate,
            vec![
                "no record says that anybody changed it, as far back as the logs reach".to_owned(),
            ],
        ),
    })
}

/// Whether no record decides whose the values are, so that a log that could not be read
/// might.
pub(super) fn leaves_open(state: &State, observed: &Observed) -> Option<bool> {
    let Facts::ResetAttribute { values, .. } = &observed.facts else {
        return None;
    };
    let (verdict, _) = judge(state, observed)?;
    let untold = !values.is_empty() && told_of(state, observed).is_empty();
    Some(verdict == Verdict::Unclear || untold)
}

/// The records about this attribute, oldest first, each with what it says of it.
fn told_of<'a>(state: &'a State, observed: &Observed) -> Vec<(&'a Change, &'a FieldChange)> {
    let Facts::ResetAttribute { attribute, .. } = &observed.facts else {
        return Vec::new();
    };
    changes_of(state, observed)
        .into_iter()
        .filter_map(|change| {
            let field = recorded_as(attribute)
                .iter()
                .find_map(|name| field(change, name))?;
            Some((change, field))
        })
        .collect()
}

fn first_one<'a>(state: &'a State, observed: &Observed) -> Option<&'a Facts> {
    // Only where the source was read whole then; of this attribute, not of another.
    first_while_blocked(state, ObjectKind::ResetAttributes)?;
    let blocked_at = state.contained_since()?;
    state
        .snapshots
        .iter()
        .find(|snapshot| {
            snapshot.at >= blocked_at && super::looked_at(snapshot, ObjectKind::ResetAttributes)
        })?
        .objects
        .iter()
        .find(|seen| seen.object.id == observed.object.id)
        .map(|seen| &seen.facts)
}

/// The values of a record's text: a list in JSON, or one value as it is.
fn entries(text: &str) -> Vec<String> {
    let text = text.trim();
    serde_json::from_str::<Vec<String>>(text)
        .or_else(|_| serde_json::from_str::<String>(text).map(|one| vec![one]))
        .unwrap_or_else(|_| {
            text.split([';', ','])
                .map(|part| part.trim_matches(['[', ']', '"', '\'', ' ']).to_owned())
                .collect()
        })
        .into_iter()
        .filter(|value| !value.trim().is_empty())
        .collect()
}

/// The same address or number, however it is written.
fn is_one(one: &str, other: &str) -> bool {
    let plain = |text: &str| -> String {
        text.chars()
            .filter(|letter| !matches!(letter, ' ' | '-' | '(' | ')'))
            .flat_map(char::to_lowercase)
            .collect()
    };
    plain(one) == plain(other)
}
