//! Every file of the shared data against the committed table
//! `tests/shared-data.toml`: form, counts, findings; or why it is no log.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use retake_hunt::{Detections, Import, Severity};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    file: Vec<Row>,
    no_log: Vec<NoLog>,
}

/// A file with records.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    path: String,
    form: String,
    read: u64,
    kept: u64,
    repeats: u64,
    damaged: u64,
    /// Detections that must be among those raised.
    #[serde(default)]
    finds: Vec<String>,
    /// Ordinary work: nothing of high severity may be raised.
    #[serde(default)]
    background: bool,
    /// What else there is to say; required where something is damaged.
    #[serde(default)]
    note: String,
}

/// Files that hold no records.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoLog {
    /// A file, or a folder with its stroke.
    path: String,
    why: String,
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn every_shared_file_is_read_as_the_table_says() {
    let Some(root) = crate::shared_data::shared("") else {
        return;
    };
    let table: Table = toml::from_str(include_str!("../shared-data.toml")).unwrap();
    let detections = Detections::builtin().unwrap();
    let mut found = Vec::new();
    files(&root, &mut found);
    found.sort();
    let mut wrong = Vec::new();
    let mut met = BTreeSet::new();
    for path in found {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
        let mut import = Import::new();
        import.add_path(&path).unwrap();
        let imported = import.finish();
        let counts = imported.counts;
        assert_eq!(counts.read, counts.kept + counts.repeats + counts.damaged);
        if let Some(row) = table.file.iter().find(|row| row.path == name) {
            met.insert(row.path.as_str());
            let have = (counts.read, counts.kept, counts.repeats, counts.damaged);
            let want = (row.read, row.kept, row.repeats, row.damaged);
            let form = imported.inputs[0].form.name();
            if have != want || form != row.form {
                wrong.push(format!(
                    "{name}: {form} {have:?}, not {} {want:?}",
                    row.form
                ));
            }
            if row.damaged > 0 && row.note.is_empty() {
                wrong.push(format!("{name}: damage without a reason"));
            }
            let own = retake_hunt::detections::own_domains(&imported.events);
            let raised = detections.find(&imported.events, &own);
            for expected in &row.finds {
                if !raised.iter().any(|finding| finding.detection == *expected) {
                    wrong.push(format!("{name}: {expected} is not raised"));
                }
            }
            if row.background {
                for finding in raised.iter().filter(|f| f.severity >= Severity::High) {
                    wrong.push(format!("{name}: {} is raised", finding.detection));
                }
            }
        } else if let Some(no_log) = table.no_log.iter().find(|row| {
            row.path == name || (row.path.ends_with('/') && name.starts_with(&row.path))
        }) {
            met.insert(no_log.path.as_str());
            if counts.kept > 0 || no_log.why.is_empty() {
                wrong.push(format!(
                    "{name}: {} records kept of what is no log",
                    counts.kept
                ));
            }
        } else {
            wrong.push(format!("{name}: no row"));
        }
    }
    let rows = table.file.iter().map(|row| row.path.as_str());
    for path in rows.chain(table.no_log.iter().map(|row| row.path.as_str())) {
        if !met.contains(path) {
            wrong.push(format!("{path}: no file"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
