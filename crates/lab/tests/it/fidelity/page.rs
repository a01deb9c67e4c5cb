//! `docs/fidelity.md` says what is true: each row names tests that exist, each
//! story here stands on the page, each switch does.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use retake_lab::SWITCHES;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page() -> String {
    std::fs::read_to_string(root().join("docs/fidelity.md")).unwrap()
}

/// The cells of the page's table rows, by heading.
fn rows(page: &str, columns: usize) -> Vec<Vec<&str>> {
    page.lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| ---"))
        .map(|line| {
            line.trim_matches('|')
                .split('|')
                .map(str::trim)
                .collect::<Vec<_>>()
        })
        .filter(|cells| cells.len() == columns)
        .collect()
}

fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// Whether `a::b::name` is a test of the lab: in its stories, or beside the
/// code.
fn exists(test: &str) -> bool {
    let words: Vec<&str> = test.split("::").collect();
    let Some((name, modules)) = words.split_last() else {
        return false;
    };
    let beside: Vec<&str> = modules
        .iter()
        .copied()
        .filter(|word| *word != "tests")
        .collect();
    let lab = root().join("crates/lab");
    let places = [
        lab.join("tests/it")
            .join(modules.join("/"))
            .with_extension("rs"),
        lab.join("src").join(beside.join("/")).with_extension("rs"),
        lab.join("src").join(modules.join("/")).with_extension("rs"),
    ];
    places.iter().any(|place| {
        std::fs::read_to_string(place).is_ok_and(|text| {
            let lines: Vec<&str> = text.lines().map(str::trim).collect();
            lines
                .windows(2)
                .any(|pair| pair[0] == "#[test]" && pair[1].starts_with(&format!("fn {name}()")))
        })
    })
}

#[test]
fn every_row_names_a_test_that_exists_and_a_section() {
    let page = page();
    let facts: Vec<_> = rows(&page, 3)
        .into_iter()
        .filter(|cells| cells[0] != "fact")
        .collect();
    assert!(facts.len() > 40, "{}", facts.len());
    for cells in &facts {
        let tests = quoted(cells[1]);
        assert!(!tests.is_empty(), "{cells:?} names no test");
        for test in tests {
            assert!(exists(test), "{test} is no test of the lab");
        }
        assert!(
            cells[2].starts_with('§') || cells[2].starts_with("lab"),
            "{cells:?} names no section"
        );
    }
    assert!(!exists("fidelity::page::nothing_of_this_name"));
}

#[test]
fn every_story_of_fidelity_stands_on_the_page() {
    let page = page();
    let folder = root().join("crates/lab/tests/it/fidelity");
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if module == "page" || module == "mod" {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for pair in lines.windows(2).filter(|pair| pair[0] == "#[test]") {
            let name = pair[1].trim_start_matches("fn ").split('(').next().unwrap();
            let test = format!("`fidelity::{module}::{name}`");
            assert!(page.contains(&test), "{test} is not on docs/fidelity.md");
        }
    }
}

#[test]
fn every_switch_stands_on_the_page_with_its_variants() {
    let page = page();
    let listed: Vec<_> = rows(&page, 4)
        .into_iter()
        .filter(|cells| cells[0] != "switch")
        .collect();
    let known: BTreeSet<&str> = SWITCHES.iter().map(|switch| switch.name).collect();
    let told: BTreeSet<&str> = listed.iter().map(|cells| quoted(cells[0])[0]).collect();
    assert_eq!(told, known);
    for cells in &listed {
        let switch = SWITCHES
            .iter()
            .find(|switch| switch.name == quoted(cells[0])[0])
            .unwrap();
        let variants: Vec<&str> = switch.variants.iter().map(|(name, _)| *name).collect();
        assert_eq!(quoted(cells[3]), variants, "{}", switch.name);
        assert_eq!(cells[1], switch.reference);
        assert_eq!(cells[2], switch.asks);
    }
}
