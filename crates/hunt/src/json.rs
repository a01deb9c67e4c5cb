//! The document `retake.hunt/1`.
//!
//! Its keys are stable. Besides those of the design it has: `notes` of an
//! input (cut off, bytes replaced); `confidence`, `reasons` and
//! `fingerprint` of a user; `changes`, of the users whose verdict is
//! compromised or suspicious, with `user` and `by`; `timelines`, the events
//! of the same users in order of time, with `whose` each is, at most
//! [`MOST`](crate::retrace::MOST) of the user's own and as many of the
//! attacker's (`omitted` counts the rest); `sigma`, where Sigma rules were given:
//! how many ran, which were refused and why, what they found and who wrote
//! them. The order of everything depends on
//! the content alone, never on the order of the inputs.
//!
//! A user whose verdict is compromised or suspicious has besides:
//! `path_evidence`, for and against each path considered; `impersonated`, mail
//! under the user's name that was never sent from the account; `coverage`, the
//! ledger for this user; `blast`: `read`, `sent`, `changed`, `deleted`,
//! `shared` and `reached`, each with `count` and `items`, and with `files`
//! (`count`, `items`) where files were read, changed or deleted. `count` is of
//! all; lists of files end at [`MOST`](crate::retrace::MOST).

use serde_json::{Value, json};

use crate::readers::Counts;
use crate::report::{HuntReport, UserAnswer};
use crate::retrace::{DeedKind, Deeds, Retrace, Retraced};

/// The document. `retrace` has walked over the events of the report.
pub fn document(report: &HuntReport, retrace: &Retrace<'_>) -> Value {
    let imported = &report.imported;
    let inputs: Vec<Value> = imported
        .inputs
        .iter()
        .map(|input| {
            let mut value = counts(input.counts);
            if let Value::Object(map) = &mut value {
                map.insert("path".to_owned(), json!(input.path));
                map.insert("form".to_owned(), json!(input.form.name()));
                map.insert("notes".to_owned(), json!(input.notes));
            }
            value
        })
        .collect();
    let damaged: Vec<Value> = imported
        .damaged
        .iter()
        .map(|record| {
            json!({
                "path": record.path,
                "line": record.line,
                "reason": record.reason,
                "salvaged": record.salvaged,
            })
        })
        .collect();
    let users: Vec<Value> = report
        .users
        .iter()
        .map(|answer| {
            let analysis = &answer.analysis;
            let mut user = json!({
                "user": answer.user,
                "verdict": analysis.verdict,
                "score": analysis.score,
                "path": analysis.path,
                "confidence": analysis.confidence,
                "first_known_bad": analysis.first_known_bad,
                "last_known_bad": analysis.last_known_bad,
                "reasons": analysis.reasons,
                "fingerprint": analysis.fingerprint,
            });
            if analysis.verdict.is_alarming()
                && let Value::Object(map) = &mut user
            {
                map.insert("path_evidence".to_owned(), json!(analysis.path_evidence));
                map.insert("impersonated".to_owned(), json!(analysis.impersonated));
                map.insert("coverage".to_owned(), json!(analysis.coverage));
                let none = Deeds::default();
                let deeds = retrace
                    .user(&answer.user)
                    .map_or(&none, |retraced| &retraced.deeds);
                map.insert("blast".to_owned(), blast(answer, deeds));
            }
            user
        })
        .collect();
    let changes: Vec<Value> = report.alarming().flat_map(changes).collect();
    let timelines: Vec<Value> = retrace.users().iter().map(timeline).collect();
    let mut document = json!({
        "schema": "retake.hunt/1",
        "inputs": inputs,
        "counts": counts(imported.counts),
        "damaged": damaged,
        "findings": report.findings,
        "users": users,
        "coverage": report.coverage,
        "changes": changes,
        "timelines": timelines,
    });
    // Only where rules were given: the document is the same without them.
    if report.sigma.rules + report.sigma.refused.len() > 0
        && let Value::Object(map) = &mut document
    {
        map.insert("sigma".to_owned(), json!(report.sigma));
    }
    document
}

fn counts(counts: Counts) -> Value {
    json!({
        "read": counts.read,
        "kept": counts.kept,
        "repeats": counts.repeats,
        "damaged": counts.damaged,
    })
}

fn changes(answer: &UserAnswer) -> Vec<Value> {
    answer
        .analysis
        .changes
        .iter()
        .map(|change| {
            let mut value = json!(change);
            if let Value::Object(map) = &mut value {
                map.insert("user".to_owned(), json!(answer.user));
            }
            value
        })
        .collect()
}

/// What was done with the access, each with how many and which.
fn blast(answer: &UserAnswer, deeds: &Deeds) -> Value {
    let blast = &answer.analysis.blast;
    let files = |kind: DeedKind| json!({"count": deeds.count(kind), "items": deeds.list(kind)});
    let of = |count: usize, items: Value| json!({"count": count, "items": items});
    let with_files = |mut value: Value, kind: DeedKind| {
        if let Value::Object(map) = &mut value {
            map.insert("files".to_owned(), files(kind));
        }
        value
    };
    let altered: Vec<_> = blast.altered().collect();
    let deleted: Vec<_> = blast.deleted().collect();
    json!({
        "read": with_files(of(blast.read.len(), json!(blast.read)), DeedKind::Read),
        "sent": of(blast.sent.len(), json!(blast.sent)),
        "changed": with_files(of(altered.len(), json!(altered)), DeedKind::Changed),
        "deleted": with_files(of(deleted.len(), json!(deleted)), DeedKind::Deleted),
        "shared": files(DeedKind::Shared),
        "reached": of(blast.accounts.len(), json!(blast.accounts)),
    })
}

fn timeline(user: &Retraced) -> Value {
    json!({"user": user.user, "events": user.lines(), "omitted": user.omitted})
}
