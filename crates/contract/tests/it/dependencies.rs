//! Few dependencies, each with a reason that somebody wrote down.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Packages in the lock file, ours included. Raising it is a decision: say in
/// docs/decisions/dependencies.md what the new ones are for. Of these 100 are
/// the query engine's (docs/decisions/events-table.md).
const MOST_PACKAGES: usize = 500;

#[test]
fn the_lock_file_stays_below_its_ceiling() {
    let lock: toml::Table = read("Cargo.lock").parse().unwrap();
    let packages = lock["package"].as_array().unwrap().len();
    assert!(
        packages <= MOST_PACKAGES,
        "{packages} packages, {MOST_PACKAGES} are the most"
    );
}

#[test]
fn every_dependency_has_its_reason_and_every_reason_its_dependency() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let declared: BTreeSet<String> = manifest["workspace"]["dependencies"]
        .as_table()
        .unwrap()
        .iter()
        .filter(|(_, how)| how.get("path").is_none())
        .map(|(name, _)| name.clone())
        .collect();
    let mut explained = BTreeSet::new();
    for row in read("docs/decisions/dependencies.md")
        .lines()
        .filter(|line| line.starts_with("| `"))
    {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert!(
            cells.len() == 3 && cells.iter().all(|cell| !cell.is_empty()),
            "{row}"
        );
        explained.insert(cells[0].trim_matches('`').to_owned());
    }
    assert_eq!(
        declared, explained,
        "declared, and explained in docs/decisions/dependencies.md"
    );
}

fn read(path: &str) -> String {
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::read_to_string(root.join(path)).unwrap()
}
