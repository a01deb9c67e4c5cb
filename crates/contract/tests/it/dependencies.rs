//! Few dependencies, each with a reason that somebody wrote down.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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

/// Cargo compiles a package anew for each set of features that is asked of it, and with it
/// all that stands on it. `retake` alone must not ask for another set than the tests.
#[test]
fn the_binary_is_built_of_the_same_packages_as_the_tests() {
    let alone = features("--package retake-cli --edges normal,build");
    let all = features("--workspace --edges normal,build,dev");
    assert!(alone.len() > 100, "{}", alone.len());
    let other: Vec<_> = alone
        .iter()
        .filter(|(package, sets)| !sets.is_subset(&all[*package]))
        .map(|(package, sets)| format!("{package}: alone {sets:?}, all {:?}", all[package]))
        .collect();
    assert!(
        other.is_empty(),
        "give crates/events these features, too (docs/decisions/dependencies.md):\n{}",
        other.join("\n")
    );
}

/// Of each package with its version, the sets of features that it is built with.
fn features(of: &str) -> BTreeMap<String, BTreeSet<String>> {
    let said = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args("tree --locked --offline --prefix none --format {p}|{f}".split(' '))
        .args(of.split(' '))
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        said.status.success(),
        "{}",
        String::from_utf8_lossy(&said.stderr)
    );
    let mut features: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in String::from_utf8(said.stdout).unwrap().lines() {
        let Some((package, set)) = line.split_once('|') else {
            continue;
        };
        let set = set.trim_end_matches(" (*)").to_owned();
        features.entry(package.to_owned()).or_default().insert(set);
    }
    features
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}
