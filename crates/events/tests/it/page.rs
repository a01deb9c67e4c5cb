//! The page that tells the columns.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use retake_events::{column_names, columns};

#[test]
fn the_page_has_every_column_with_its_type_and_meaning() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/events-table.md");
    let page = fs::read_to_string(path).unwrap();
    let told: BTreeSet<&str> = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    let rows: Vec<String> = columns()
        .iter()
        .map(|column| format!("| `{}` | {} | {} |", column.name, column.kind, column.about))
        .collect();
    let expected: BTreeSet<&str> = rows.iter().map(String::as_str).collect();
    assert_eq!(
        told,
        expected,
        "the rows of the page, in order:\n{}",
        rows.join("\n")
    );
}

#[test]
fn every_column_that_detections_know_is_in_the_table() {
    let names = column_names();
    for column in retake_hunt::event::COLUMNS {
        assert!(names.iter().any(|name| name == column), "{column}");
    }
    for prefix in ["parameter", "old", "new"] {
        assert!(names.iter().any(|name| name == prefix), "{prefix}");
    }
    assert_eq!(names.len(), columns().len());
    assert!(columns().iter().all(|column| !column.about.is_empty()));
}
