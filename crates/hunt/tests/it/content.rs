//! The content folder: every detection is compiled in and passes its own
//! records.

use std::path::Path;

use retake_hunt::{Detection, Detections};

#[test]
fn every_detection_is_raised_by_what_it_must_and_not_by_what_it_must_not() {
    let detections = Detections::builtin().unwrap();
    let failures: Vec<String> = detections
        .iter()
        .filter_map(|detection| detection.try_fixtures().err())
        .map(|error| error.to_string())
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_file_of_the_folder_is_compiled_in_and_ids_are_unique() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../detections");
    let mut ids: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| {
            std::path::Path::new(name)
                .extension()
                .is_some_and(|e| e == "toml")
        })
        .map(|name| name.get(..5).unwrap_or_default().to_owned())
        .collect();
    ids.sort();
    let compiled: Vec<String> = Detections::builtin()
        .unwrap()
        .iter()
        .map(|detection| detection.id.clone())
        .collect();
    assert_eq!(ids, compiled);
}

#[test]
fn a_detection_without_records_of_both_kinds_is_refused() {
    let text = r#"
id = "D9999"
title = "t"
why = "w"
severity = "low"
technique = ["T1"]
confidence = 0.5
match = 'event.action is "x"'
known_good = ["k"]
actions = ["a"]

[[must]]
what = "x"
records = "{}"
"#;
    let error = retake_hunt::Detection::parse("D9999.toml", text).unwrap_err();
    assert!(error.to_string().contains("both needed"), "{error}");
}

#[test]
fn a_path_adds_a_detection_or_takes_the_place_of_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../detections");
    let text = std::fs::read_to_string(folder.join("D0705-device-code.toml")).unwrap();
    let own = tempfile::tempdir().unwrap();
    std::fs::write(
        own.path().join("a.toml"),
        text.replacen("severity = \"medium\"", "severity = \"high\"", 1),
    )
    .unwrap();
    std::fs::write(
        own.path().join("b.toml"),
        text.replacen("D0705", "D9705", 1),
    )
    .unwrap();
    let mut detections = Detections::builtin().unwrap();
    let before = detections.iter().count();
    detections.add_path(own.path()).unwrap();
    assert_eq!(detections.iter().count(), before + 1);
    let of = |id: &str| {
        detections
            .iter()
            .find(|one: &&Detection| one.id == id)
            .unwrap()
    };
    assert_eq!(of("D0705").severity, retake_hunt::Severity::High);
    assert_eq!(of("D9705").severity, retake_hunt::Severity::Medium);

    // One that its own records contradict is not taken.
    std::fs::write(
        own.path().join("c.toml"),
        text.replacen("deviceCode", "nothing", 1),
    )
    .unwrap();
    let error = detections.add_path(own.path()).unwrap_err();
    assert!(error.to_string().contains("not raised by"), "{error}");
}
