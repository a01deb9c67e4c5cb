//! The same seed gives the same trace; another gives another company.

use jiff::SignedDuration;
use serde_json::json;

use crate::support::Story;

fn play(seed: u64) -> (String, serde_json::Value) {
    let mut story = Story::new(seed);
    let user = story.user();
    story.graph(
        "PATCH",
        &format!("/v1.0/users/{user}"),
        Some(json!({"accountEnabled": false})),
    );
    story.cmdlet(
        "Get-InboxRule",
        json!({"Mailbox": user, "IncludeHidden": true}),
    );
    story.wait(SignedDuration::from_hours(2));
    (story.lab.trace_jsonl(), story.lab.final_state())
}

#[test]
fn a_seed_gives_the_same_trace_byte_for_byte() {
    let (trace, state) = play(11);
    let (again, same) = play(11);
    assert_eq!(trace, again);
    assert_eq!(state, same);
    let (other, _) = play(12);
    assert_ne!(trace, other);
}

#[test]
fn the_trace_begins_with_the_truth_and_counts_its_lines() {
    let story = Story::new(7);
    let truth = story.truth();
    let mut ids: Vec<&str> = truth["artefacts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["id"].as_str().unwrap())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(
        ids,
        [
            "A01", "A02", "A03", "A04", "A07", "A08", "A09", "A13", "A20"
        ]
    );
    for (n, line) in story.lab.trace().iter().enumerate() {
        assert_eq!(line.n, n as u64);
    }
}
