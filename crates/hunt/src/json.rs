//! The document `retake.hunt/1`.
//!
//! Its keys are stable. Besides those of the design it has: `notes` of an
//! input (cut off, bytes replaced); `confidence`, `reasons` and
//! `fingerprint` of a user; `changes`, of the users whose verdict is
//! compromised or suspicious, with `user` and `by`; `timelines`, the events
//! of the same users in order of time; `sigma`, where Sigma rules were given:
//! how many ran, which were refused and why, what they found and who wrote
//! them. The order of everything depends on
//! the content alone, never on the order of the inputs.

use serde_json::{Value, json};

use crate::readers::Counts;
use crate::report::{HuntReport, UserAnswer};

/// The document.
pub fn document(report: &HuntReport) -> Value {
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
            json!({
                "user": answer.user,
                "verdict": analysis.verdict,
                "score": analysis.score,
                "path": analysis.path,
                "confidence": analysis.confidence,
                "first_known_bad": analysis.first_known_bad,
                "last_known_bad": analysis.last_known_bad,
                "reasons": analysis.reasons,
                "fingerprint": analysis.fingerprint,
            })
        })
        .collect();
    let changes: Vec<Value> = report.alarming().flat_map(changes).collect();
    let timelines: Vec<Value> = report
        .alarming()
        .map(|answer| timeline(report, answer))
        .collect();
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

fn timeline(report: &HuntReport, answer: &UserAnswer) -> Value {
    let events: Vec<Value> = report
        .imported
        .events
        .iter()
        .filter(|event| event.user.as_deref() == Some(answer.user.as_str()))
        .map(|event| {
            json!({
                "time": event.time,
                "source": event.source,
                "operation": event.operation,
                "outcome": event.outcome,
                "address": event.address,
                "object": event.object,
                "record_id": event.record_id,
            })
        })
        .collect();
    json!({"user": answer.user, "events": events})
}
