//! What a report shows.

use retake_casefile::Record;

use crate::story::{report, told};

fn plain(text: &str) -> String {
    text.to_owned()
}

#[test]
fn a_small_case_reads_like_this() {
    insta::assert_snapshot!("markdown", report(&plain).markdown);
}

#[test]
fn the_page_has_the_same_content() {
    insta::assert_snapshot!("html", report(&plain).html);
}

#[test]
fn asked_accepted_verified_and_effective_are_told_apart() {
    let json = report(&plain).json;
    let action = |index: usize| json["actions"][index].clone();
    assert_eq!(action(0)["state"], "verified");
    assert_eq!(action(0)["accepted"], "2026-03-02T03:11:00Z");
    assert!(
        action(0)["effective"]
            .as_str()
            .unwrap()
            .starts_with("since 2026-03-02 03:26:00 UTC")
    );
    assert_eq!(action(2)["state"], "stopped");
    assert_eq!(action(2)["verified"], serde_json::Value::Null);
    let footholds = json["footholds"].as_array().unwrap();
    let removed: Vec<_> = footholds
        .iter()
        .map(|foothold| (&foothold["artefact"], &foothold["removed"]))
        .map(|(artefact, removed)| (artefact.as_str().unwrap(), removed.as_bool().unwrap()))
        .collect();
    // The rule was removed, and that was taken back by order.
    assert_eq!(removed, [("A04", false), ("A07", false)]);
    assert_eq!(json["footholds"][1]["taken_back"], true);
}

#[test]
fn what_was_taken_back_says_by_whom_and_what_is_not_as_before() {
    let told = report(&plain);
    let undone = &told.attestation["undone"][0];
    assert_eq!(undone["by"], "Robin");
    assert_eq!(undone["undo"], 4);
    assert_eq!(undone["differs"][0], "it has a new id");
    assert!(undone["evidence"].is_string());
    assert_eq!(told.attestation["removed"].as_array().unwrap().len(), 0);
    for text in [&told.markdown, &told.html] {
        assert!(text.contains("it has a new id"));
        assert!(text.contains("the user needs the rule"));
    }
    assert!(told.markdown.contains("1 change was taken back by order"));
}

#[test]
fn a_kind_of_object_that_nobody_here_has_heard_of_is_shown_with_its_facts() {
    let markdown = report(&plain).markdown;
    // Facts are told by the names that the journal has for them.
    for fact in [
        "forwards to x@evil.example",
        "moves to RSS",
        "marks read",
        "conditions",
    ] {
        assert!(markdown.contains(fact), "{fact}");
    }
}

#[test]
fn every_kind_of_not_knowing_is_named() {
    let markdown = report(&plain).markdown;
    let (_, rest) = markdown.split_once("## What is not known").unwrap();
    let (unknown, _) = rest.split_once("\n## ").unwrap();
    for text in [
        "audit log: too early to tell",
        "Defender: could not look",
        "#2 Remove inbox rule \"RSS Feeds\": its state before is not known",
        "#3 Remove authentication method \"Pixel 7\": it was stopped",
        "Task 1 (Delete app passwords) is done by what was said",
        "what Teams showed",
    ] {
        assert!(
            unknown.replace('\\', "").contains(text),
            "{text}: {unknown}"
        );
    }
}

#[test]
fn evidence_that_is_not_there_is_called_missing() {
    let report = report(&plain);
    assert!(report.markdown.contains("| MISSING |"));
    assert!(report.html.contains(">missing</strong>"));
}

#[test]
fn the_same_journal_gives_the_same_report() {
    assert_eq!(report(&plain), report(&plain));
}

#[test]
fn a_case_can_be_reported_at_any_moment() {
    let (_, records) = told(&plain);
    for end in 1..=records.len() {
        retake_report::render(&records[..end], &|_| None).unwrap();
    }
    let none: &[Record] = &[];
    assert!(retake_report::render(none, &|_| None).is_err());
}

#[test]
fn the_page_loads_and_runs_nothing() {
    let html = report(&plain).html;
    for forbidden in [
        "<script", "<link", "<img", "<iframe", "src=", "href=", "url(", "@import", "//",
    ] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    assert!(html.contains("default-src 'none'"));
    assert!(html.contains("@media print"));
    assert!(html.contains("prefers-color-scheme:dark"));
}
