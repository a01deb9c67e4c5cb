//! A scenario file that somebody wrote: read, or refused with its place.

use retake_lab::{Scenario, ScenarioError};

/// The default scenario with one text in place of another.
fn altered(from: &str, to: &str) -> Result<Scenario, ScenarioError> {
    let text = include_str!("../../../../scenarios/invoice-fraud/scenario.toml");
    assert!(text.contains(from), "the scenario no longer holds `{from}`");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("scenario.toml"),
        text.replacen(from, to, 1),
    )
    .unwrap();
    Scenario::load(folder.path())
}

/// The line and the reason of a refusal; the file must be named.
fn refusal(from: &str, to: &str) -> (usize, String) {
    match altered(from, to) {
        Err(ScenarioError::Invalid { file, line, reason }) => {
            assert!(file.ends_with("scenario.toml"));
            (line, reason)
        }
        other => panic!("`{to}` should be refused, and was: {other:?}"),
    }
}

/// The line in which a text stands in the default scenario.
fn line_of(text: &str) -> usize {
    let scenario = include_str!("../../../../scenarios/invoice-fraud/scenario.toml");
    scenario
        .lines()
        .position(|line| line.contains(text))
        .unwrap()
        + 1
}

#[test]
fn the_default_scenario_is_embedded_and_reads_from_a_folder_alike() {
    let embedded = Scenario::find("invoice-fraud").unwrap();
    let loaded = altered("invoice-fraud", "invoice-fraud").unwrap();
    assert_eq!(embedded.id(), "invoice-fraud");
    assert_eq!(loaded.id(), embedded.id());
    assert_eq!(embedded.latency().as_millis(), 150);
    assert_eq!(embedded.expect().evict.len(), 9);
}

#[test]
fn a_name_that_nobody_knows_is_answered_with_the_names_that_exist() {
    let error = Scenario::find("no-such-thing").unwrap_err().to_string();
    assert!(
        error.contains("no-such-thing") && error.contains("invoice-fraud"),
        "{error}"
    );
}

#[test]
fn a_slip_of_the_pen_is_named_with_its_line() {
    let (line, reason) = refusal("latency_ms = 150", "latency_ms = ");
    assert_eq!(line, line_of("latency_ms"), "{reason}");

    let (line, reason) = refusal("latency_ms = 150", "latencyms = 150");
    assert_eq!(line, line_of("latency_ms"));
    assert!(reason.contains("latencyms"), "{reason}");

    let (line, reason) = refusal("do = \"hidden_rule\"", "do = \"hide_rule\"");
    assert_eq!(line, line_of("do = \"hidden_rule\""));
    assert!(
        reason.contains("hide_rule") && reason.contains("hidden_rule"),
        "{reason}"
    );

    let (line, reason) = refusal("mail_every = \"4m..5m\"", "mail_every = \"5m..4m\"");
    assert_eq!(line, line_of("mail_every"));
    assert!(reason.contains("backwards"), "{reason}");

    let (line, reason) = refusal("after = \"20s..70s\"", "after = \"soon\"");
    assert_eq!(line, line_of("after = \"20s..70s\""));
    assert!(reason.contains("soon"), "{reason}");

    let (line, reason) = refusal("chance = 35", "chance = 135");
    assert_eq!(line, line_of("chance = 35"));
    assert!(reason.contains("135"), "{reason}");
}

#[test]
fn a_scenario_that_makes_no_sense_is_refused_with_the_reason() {
    let (line, reason) = refusal("retake.scenario/1", "retake.scenario/9");
    assert_eq!(line, line_of("schema ="));
    assert!(reason.contains("retake.scenario/1"), "{reason}");

    let (_, reason) = refusal("\"invoice-fraud\"", "\"../evil\"");
    assert!(reason.contains("../evil"), "{reason}");

    let (line, reason) = refusal("before = \"46h..46h50m\"", "before = \"46h..48h\"");
    // The step begins at its `[[step]]` line, two above its `before`.
    assert_eq!(line, line_of("before = \"46h..46h50m\"") - 2, "{reason}");
    assert!(reason.contains("open_session"), "{reason}");

    let (line, reason) = refusal("\"A13\", ", "");
    assert_eq!(line, line_of("[expect]"), "{reason}");
    assert!(reason.contains("A13"), "{reason}");

    let (_, reason) = refusal("\"A13\", ", "\"A13\", \"A24\", ");
    assert!(reason.contains("A24"), "{reason}");

    let (_, reason) = refusal("role = \"bank\"", "role = \"approver\"");
    assert!(reason.contains("approver"), "{reason}");

    let (_, reason) = refusal("role = \"approver\"", "role = \"endpoint\"");
    assert!(reason.contains("approver"), "{reason}");

    let (_, reason) = refusal("kind = \"own_methods\"", "kind = \"grant_mail_app\"");
    assert!(reason.contains("twice"), "{reason}");

    let (_, reason) = refusal("path = \"credential_phishing\"", "path = \"none\"");
    assert!(reason.contains("none"), "{reason}");
}

#[test]
fn the_way_in_has_to_be_the_one_that_the_scenario_is_about() {
    let (line, reason) = refusal("path = \"credential_phishing\"", "path = \"token_theft\"");
    assert_eq!(line, line_of("do = \"phish\"") - 1);
    assert!(reason.contains("another way in"), "{reason}");

    let (_, reason) = refusal("do = \"phish\"", "do = \"open_session\"");
    assert!(reason.contains("no step lets the attacker in"), "{reason}");

    let (line, reason) = refusal(
        "before = \"47h..50h\"",
        "before = \"47h..50h\"\nshuffle = \"persistence\"",
    );
    assert_eq!(line, line_of("do = \"phish\"") - 1);
    assert!(reason.contains("cannot be shuffled"), "{reason}");
}

#[test]
fn without_a_takeover_only_what_happens_outside_may_happen() {
    let spoof = include_str!("../../../../scenarios/spoof/scenario.toml");
    let parse = |text: &str| Scenario::parse("x.toml".as_ref(), text);
    assert!(parse(spoof).is_ok());
    let inside = spoof.replacen("do = \"vendor_mail\"", "do = \"read_mail\"", 1);
    let error = parse(&inside).unwrap_err().to_string();
    assert!(error.contains("no access to the account"), "{error}");
    let nobody = spoof
        .replace("do = \"vendor_mail\"", "do = \"spoof_mail\"")
        .replacen(
            "[[bait]]\nkind = \"travel\"",
            "[[bait]]\nkind = \"trip\"",
            1,
        );
    let error = parse(&nobody).unwrap_err().to_string();
    assert!(error.contains("trip"), "{error}");
    // Who pays has to have been asked.
    let false_alarm = include_str!("../../../../scenarios/false-alarm/scenario.toml");
    let paid = false_alarm.replacen("money_moved = false", "money_moved = true", 1);
    let error = parse(&paid).unwrap_err().to_string();
    assert!(error.contains("nobody asked for the money"), "{error}");
}
