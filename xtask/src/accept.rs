//! `cargo xtask accept N`: an issue measured against its own sentences.
//!
//! The rows are in docs/acceptance/N.md, see [`table`]. The tests of all rows run in one
//! nextest run; a row passes when each test that its check names exists, ran and passed.

mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::Failure;
use crate::run::{Call, timed};
use table::{Check, Row};

/// Where nextest's profile `accept` puts its results, `.config/nextest.toml`.
const RESULTS: &str = "target/nextest/accept/junit.xml";
const SKIPPED_LOG: &str = "RETAKE_SKIPPED_LOG";

#[derive(Clone, Debug, Eq, PartialEq)]
enum Verdict {
    Pass,
    Fail(String),
    /// No check yet.
    Open,
}

/// A test as nextest names it: binary, a space, path of the test.
type TestId = String;

/// Runs every check of an issue and reports row by row.
pub(crate) fn accept(root: &Path, issue: u32) -> Result<(), Failure> {
    let page = root.join(format!("docs/acceptance/{issue}.md"));
    let text = fs::read_to_string(&page).map_err(|error| format!("{}: {error}", page.display()))?;
    let rows = table::rows(&text).map_err(|error| format!("{}: {error}", page.display()))?;
    let tests = run_tests(root, &rows)?;
    let commands = run_commands(root, &rows);
    let mut counts = BTreeMap::new();
    println!();
    for row in &rows {
        let verdict = judge(row, &tests, &commands);
        let word = match &verdict {
            Verdict::Pass => "pass",
            Verdict::Fail(_) => "FAIL",
            Verdict::Open => "open",
        };
        *counts.entry(word).or_insert(0_usize) += 1;
        println!("{word}  line {:>3}  {}", row.line, row.sentence);
        if let Verdict::Fail(why) = verdict {
            println!(
                "                {}",
                why.replace('\n', "\n                ")
            );
        }
    }
    let count = |word| counts.get(word).copied().unwrap_or(0);
    let summary = format!(
        "issue {issue}: {} rows, {} pass, {} fail, {} open",
        rows.len(),
        count("pass"),
        count("FAIL"),
        count("open")
    );
    if count("pass") == rows.len() {
        println!("\n{summary}");
        Ok(())
    } else {
        Err(summary)
    }
}

fn judge(row: &Row, tests: &Tests, commands: &BTreeMap<String, Result<(), Failure>>) -> Verdict {
    if row.checks.is_empty() {
        return Verdict::Open;
    }
    let failures: Vec<String> = row
        .checks
        .iter()
        .flat_map(|check| match check {
            Check::Tests(filter) => tests.failures(filter),
            Check::Command(command) => match commands.get(command) {
                Some(Ok(())) => Vec::new(),
                Some(Err(why)) => vec![why.clone()],
                None => vec![format!("{command} was not run")],
            },
        })
        .collect();
    if failures.is_empty() {
        Verdict::Pass
    } else {
        Verdict::Fail(failures.join("\n"))
    }
}

/// Which tests each filter means, and what became of each test.
#[derive(Default)]
struct Tests {
    meant: BTreeMap<String, Result<BTreeSet<TestId>, Failure>>,
    passed: BTreeMap<TestId, bool>,
    /// Lines of the log of skipped tests.
    skipped: String,
}

impl Tests {
    fn failures(&self, filter: &str) -> Vec<String> {
        match self.meant.get(filter) {
            Some(Ok(tests)) if tests.is_empty() => vec![format!("{filter} means no test")],
            Some(Ok(tests)) => tests
                .iter()
                .filter_map(|test| match self.passed.get(test) {
                    Some(true) if self.was_skipped(test) => Some(format!("{test} was skipped")),
                    Some(true) => None,
                    Some(false) => Some(format!("{test} failed")),
                    None => Some(format!("{test} did not run")),
                })
                .collect(),
            Some(Err(why)) => vec![why.clone()],
            None => vec![format!("{filter} was not looked up")],
        }
    }

    /// A test that returned early has measured nothing.
    fn was_skipped(&self, test: &str) -> bool {
        let name = test.split_once(' ').map_or(test, |(_, name)| name);
        self.skipped
            .lines()
            .any(|line| line.contains(&format!("{name}: ")))
    }
}

fn run_tests(root: &Path, rows: &[Row]) -> Result<Tests, Failure> {
    let filters: BTreeSet<&str> = rows
        .iter()
        .flat_map(|row| &row.checks)
        .filter_map(Check::filter)
        .collect();
    let mut tests = Tests::default();
    if filters.is_empty() {
        return Ok(tests);
    }
    // Once, so that what does not compile is said once and not for every row.
    Call::cargo("nextest run --workspace --profile accept --no-run").run(root)?;
    for filter in &filters {
        tests.meant.insert((*filter).to_owned(), list(root, filter));
    }
    let good: Vec<String> = filters
        .iter()
        .filter(|filter| tests.meant.get(**filter).is_some_and(Result::is_ok))
        .map(|filter| format!("({filter})"))
        .collect();
    let log = root.join("target/skipped-tests.log");
    let _ = fs::remove_file(&log);
    let _ = fs::remove_file(root.join(RESULTS));
    if !good.is_empty() {
        let mut call = Call::cargo("nextest run --workspace --profile accept --no-tests=pass -E")
            .arg(good.join(" | "))
            .env(SKIPPED_LOG, log.clone());
        for (name, program) in crate::install::look(root).interpreters() {
            call = call.env(name, program);
        }
        // That a test failed is seen in the results; that nothing was built is seen there too.
        if let Err(why) = call.run(root) {
            println!("{why}");
        }
        let results = fs::read_to_string(root.join(RESULTS)).unwrap_or_default();
        tests.passed = results_of(&results);
    }
    tests.skipped = fs::read_to_string(&log).unwrap_or_default();
    Ok(tests)
}

/// The tests that a filter means, by asking nextest.
fn list(root: &Path, filter: &str) -> Result<BTreeSet<TestId>, Failure> {
    let call = Call::cargo("nextest list --workspace --message-format json -E").arg(filter);
    let listed: Value = serde_json::from_slice(&call.output(root)?)
        .map_err(|error| format!("{}: {error}", call.shown()))?;
    let mut tests = BTreeSet::new();
    let suites = listed["rust-suites"].as_object();
    for (binary, suite) in suites.into_iter().flatten() {
        for (name, case) in suite["testcases"].as_object().into_iter().flatten() {
            if case["filter-match"]["status"] == "matches" {
                tests.insert(format!("{binary} {name}"));
            }
        }
    }
    Ok(tests)
}

/// Test → whether it passed, from a JUnit file as nextest writes it: one tag a line, names
/// of Rust paths (nothing in them is escaped).
fn results_of(junit: &str) -> BTreeMap<TestId, bool> {
    let mut results = BTreeMap::new();
    let mut current = None;
    for line in junit.lines().map(str::trim_start) {
        if line.starts_with("<testcase ") {
            let test = attribute(line, "classname")
                .zip(attribute(line, "name"))
                .map(|(binary, name)| format!("{binary} {name}"));
            if let Some(test) = &test {
                results.insert(test.clone(), true);
            }
            current = test;
        } else if (line.starts_with("<failure") || line.starts_with("<error"))
            && let Some(test) = &current
        {
            results.insert(test.clone(), false);
        }
    }
    results
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    tag.split_once(&format!(" {name}=\""))?.1.split('"').next()
}

/// Each command once, however many rows name it.
fn run_commands(root: &Path, rows: &[Row]) -> BTreeMap<String, Result<(), Failure>> {
    let commands: BTreeSet<&str> = rows
        .iter()
        .flat_map(|row| &row.checks)
        .filter_map(Check::command)
        .collect();
    commands
        .into_iter()
        .map(|command| {
            let (outcome, took) =
                timed(|| Call::new("sh", "-c").arg(command).output(root).map(drop));
            let word = if outcome.is_ok() { "passed" } else { "FAILED" };
            println!("{word} in {:.1} s: {command}", took.as_secs_f64());
            (command.to_owned(), outcome)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const JUNIT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="3" failures="1" errors="0">
    <testsuite name="retake-lab::it" tests="3" disabled="0" errors="0" failures="1">
        <testcase name="tokens::live" classname="retake-lab::it" timestamp="2026-05-04T08:15:30Z" time="0.005">
        </testcase>
        <testcase name="tokens::dead" classname="retake-lab::it" time="0.005">
            <failure type="test failure with exit code 101">panicked</failure>
        </testcase>
        <testcase name="tokens::quiet" classname="retake-lab::it" time="0.005"/>
    </testsuite>
</testsuites>"#;

    fn row(checks: Vec<Check>) -> Row {
        Row {
            line: 1,
            sentence: "It holds.".to_owned(),
            checks,
        }
    }

    fn tests(filter: &str, names: &[&str]) -> Tests {
        let meant = names
            .iter()
            .map(|name| format!("retake-lab::it {name}"))
            .collect();
        Tests {
            meant: BTreeMap::from([(filter.to_owned(), Ok(meant))]),
            passed: results_of(JUNIT),
            skipped: "SKIPPED: retake-lab::it tokens::quiet: no Python\n".to_owned(),
        }
    }

    #[test]
    fn a_row_passes_only_when_every_test_it_means_ran_and_passed() {
        let check = || row(vec![Check::Tests("f".to_owned())]);
        let verdict = |names: &[&str]| judge(&check(), &tests("f", names), &BTreeMap::new());
        assert_eq!(verdict(&["tokens::live"]), Verdict::Pass);
        for (names, why) in [
            (&["tokens::live", "tokens::dead"][..], "tokens::dead failed"),
            (&["tokens::gone"][..], "tokens::gone did not run"),
            (&["tokens::quiet"][..], "tokens::quiet was skipped"),
            (&[][..], "f means no test"),
        ] {
            assert!(
                matches!(verdict(names), Verdict::Fail(text) if text.contains(why)),
                "{why}"
            );
        }
    }

    #[test]
    fn a_row_without_a_check_is_open_and_one_failing_command_fails_it() {
        let none = Tests::default();
        assert_eq!(
            judge(&row(Vec::new()), &none, &BTreeMap::new()),
            Verdict::Open
        );
        let both = row(vec![
            Check::Command("a".to_owned()),
            Check::Command("b".to_owned()),
        ]);
        let mut ran = BTreeMap::from([("a".to_owned(), Ok(())), ("b".to_owned(), Ok(()))]);
        assert_eq!(judge(&both, &none, &ran), Verdict::Pass);
        ran.insert("b".to_owned(), Err("b gave 1".to_owned()));
        assert_eq!(
            judge(&both, &none, &ran),
            Verdict::Fail("b gave 1".to_owned())
        );
    }
}
