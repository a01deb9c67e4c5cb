//! `retake lab check`: whoever writes a scenario learns what is wrong, and where.

use serde_json::Value;

use crate::stranger::Home;

const INVOICE_FRAUD: &str = include_str!("../../../../scenarios/invoice-fraud/scenario.toml");

#[test]
fn every_embedded_scenario_can_be_used() {
    let home = Home::new();
    let ran = home.retake(&[
        "lab",
        "check",
        "invoice-fraud",
        "false-alarm",
        "token-theft",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.session());
}

#[test]
fn a_bad_one_is_named_with_file_line_and_reason_and_the_good_ones_are_still_looked_at() {
    let home = Home::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.toml");
    std::fs::write(
        &file,
        INVOICE_FRAUD.replacen("latency_ms = 150", "latencyms = 150", 1),
    )
    .unwrap();
    let line = INVOICE_FRAUD
        .lines()
        .position(|line| line.starts_with("latency_ms"))
        .unwrap()
        + 1;
    let path = folder.path().display().to_string();
    let ran = home.retake(&["--json", "lab", "check", &path, "spoof", "no-such-thing"]);
    assert_eq!(ran.code, 2, "{}", ran.session());
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    let found = said["scenarios"].as_array().unwrap();
    assert_eq!(found[0]["line"], line);
    assert!(found[0]["reason"].as_str().unwrap().contains("latencyms"));
    assert_eq!(found[0]["file"], file.display().to_string());
    assert_eq!(found[1]["usable"], true);
    assert_eq!(found[1]["id"], "spoof");
    assert_eq!(found[2]["usable"], false);
    assert!(found[2]["reason"].as_str().unwrap().contains("spoof"));
}
