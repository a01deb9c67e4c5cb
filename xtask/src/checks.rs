//! `cargo xtask test`: every check, one after the other, up to the first that fails.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::install::{self, Tools};
use crate::run::{Call, colour, timed};
use crate::{Failure, docs, in_ci};

/// Where tests note that they were skipped; see the crate `retake-contract`.
const SKIPPED_LOG: &str = "RETAKE_SKIPPED_LOG";

/// What a step came to.
enum Outcome {
    /// Passed, with what is worth repeating at the end.
    Passed(Vec<String>),
    /// Not carried out, and why. Does not happen in CI: see [`tools`].
    LeftOut(String),
    Failed(Failure),
}

struct Step {
    name: &'static str,
    /// What to type to see the same again.
    repeat: String,
    run: Box<dyn Fn(&Path) -> Outcome>,
}

/// Runs every check. With `install`, first brings what is missing on this machine.
pub(crate) fn test(root: &Path, install: bool) -> Result<(), Failure> {
    let tools = tools(root, install)?;
    let steps = steps(root, &tools);
    let mut closing = Vec::new();
    let mut whole = Duration::ZERO;
    for (index, step) in steps.iter().enumerate() {
        println!(
            "\n── {}/{} {} · {}",
            index + 1,
            steps.len(),
            step.name,
            step.repeat
        );
        let (outcome, took) = timed(|| (step.run)(root));
        whole += took;
        let took = shown(took);
        match outcome {
            Outcome::Passed(worth_repeating) => {
                println!("── {} passed in {took}", step.name);
                closing.push(format!("   passed    {took:>9}  {}", step.name));
                closing.extend(worth_repeating);
            }
            Outcome::LeftOut(why) => {
                println!("── {} left out: {why}", step.name);
                closing.push(format!("   left out  {:>9}  {}: {why}", "", step.name));
            }
            Outcome::Failed(why) => return Err(failed(&closing, step, &took, &why)),
        }
    }
    println!(
        "\n── all checks in {}\n{}",
        shown(whole),
        closing.join("\n")
    );
    Ok(())
}

fn failed(closing: &[String], step: &Step, took: &str, why: &str) -> Failure {
    let mut lines = closing.to_vec();
    lines.push(format!("   FAILED    {took:>9}  {}", step.name));
    lines.push(format!("\n{why}"));
    lines.push(format!("again with: {}", step.repeat));
    lines.join("\n")
}

/// What is here, after bringing the rest where that was asked for.
///
/// In CI something missing is a failure, before anything is compiled: no check may be left
/// out or done by half there.
fn tools(root: &Path, install: bool) -> Result<Tools, Failure> {
    println!("── tools");
    let tools = if install {
        match install::bring(root) {
            Ok(tools) => tools,
            Err(reason) if in_ci() => return Err(reason),
            Err(reason) => {
                println!("   could not be brought: {reason}");
                install::look(root)
            }
        }
    } else {
        install::look(root)
    };
    let missing = tools.missing();
    for line in &missing {
        println!("   missing: {line}");
    }
    if missing.is_empty() {
        println!("   everything is here");
    } else if !install {
        println!("   `cargo xtask test --install` brings what is missing");
    }
    if !missing.is_empty() && in_ci() {
        return Err(
            "In CI (the environment variable CI is set) nothing may be left out.".to_owned(),
        );
    }
    Ok(tools)
}

fn steps(root: &Path, tools: &Tools) -> Vec<Step> {
    vec![
        called("rustfmt", Call::cargo("fmt --all --check")),
        called(
            "clippy",
            Call::cargo("clippy --workspace --all-targets -- -D warnings"),
        ),
        called(
            "rustdoc",
            Call::cargo("doc --workspace --no-deps").env("RUSTDOCFLAGS", "-D warnings"),
        ),
        tests(root, tools),
        called("doctests", Call::cargo("test --doc --workspace")),
        deny(tools),
        Step {
            name: "generated pages",
            repeat: "cargo xtask docs --check".to_owned(),
            run: Box::new(|root| passed(docs::check(root))),
        },
        called("drill", Call::cargo("run --quiet -- drill")),
    ]
}

fn called(name: &'static str, call: Call) -> Step {
    Step {
        name,
        repeat: call.shown(),
        run: Box::new(move |root| passed(call.run(root))),
    }
}

fn tests(root: &Path, tools: &Tools) -> Step {
    let call = if tools.nextest {
        Call::cargo("nextest run --workspace")
    } else {
        Call::cargo("test --workspace --lib --bins --tests --no-fail-fast")
    };
    let repeat = call.shown();
    let log = root.join("target/skipped-tests.log");
    let mut call = call.env(SKIPPED_LOG, log.clone());
    for (name, program) in tools.interpreters() {
        call = call.env(name, program);
    }
    let nextest = tools.nextest;
    let run = move |root: &Path| run_tests(&call, nextest, root, &log);
    Step {
        name: "tests",
        repeat,
        run: Box::new(run),
    }
}

/// The runner's own summary is repeated at the end, followed by the tests that did not run.
fn run_tests(call: &Call, nextest: bool, root: &Path, log: &PathBuf) -> Outcome {
    // The log belongs to this run alone; where there was none, there is nothing to remove.
    let _ = fs::remove_file(log);
    let call = if nextest {
        call.clone().args("--color").arg(colour())
    } else {
        call.clone()
    };
    let (outcome, mut closing) = call.run_keeping(root, |line| {
        line.contains("Summary") && line.contains("tests run")
    });
    if let Err(why) = outcome {
        return Outcome::Failed(why);
    }
    let noted = fs::read_to_string(log).unwrap_or_default();
    let (skipped, without_data): (Vec<&str>, Vec<&str>) =
        noted.lines().partition(|line| line.starts_with("SKIPPED:"));
    if !skipped.is_empty() && in_ci() {
        return Outcome::Failed(format!(
            "{} tests were skipped, which this run does not allow:\n{}",
            skipped.len(),
            skipped.join("\n")
        ));
    }
    let indented = |line: &&str| format!("     {line}");
    closing.extend(skipped.iter().map(indented));
    if !without_data.is_empty() {
        closing.push(format!(
            "     {} tests did not run: the reference data is not here (RETAKE_SHARED can name it):",
            without_data.len()
        ));
        closing.extend(without_data.iter().map(indented));
    }
    Outcome::Passed(closing)
}

/// Advisories are left to a machine that reaches their database.
fn deny(tools: &Tools) -> Step {
    let call = Call::cargo("deny check --hide-inclusion-graph licenses bans sources");
    let there = tools.deny;
    Step {
        name: "cargo-deny",
        repeat: call.shown(),
        run: Box::new(move |root| {
            if there {
                passed(call.run(root))
            } else {
                Outcome::LeftOut("cargo-deny is missing".to_owned())
            }
        }),
    }
}

fn passed(outcome: Result<(), Failure>) -> Outcome {
    match outcome {
        Ok(()) => Outcome::Passed(Vec::new()),
        Err(why) => Outcome::Failed(why),
    }
}

fn shown(took: Duration) -> String {
    let seconds = took.as_secs();
    if seconds < 60 {
        format!("{:.1} s", took.as_secs_f64())
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine with a compiler and nothing else.
    const BARE: Tools = Tools {
        compiler: true,
        nextest: false,
        deny: false,
        python: None,
        node: None,
    };

    #[test]
    fn a_bare_machine_is_told_what_is_missing_and_falls_back_where_it_can() {
        let missing = BARE.missing().join("\n");
        for tool in ["cargo-nextest", "cargo-deny", "msgraph-sdk", "Node"] {
            assert!(missing.contains(tool), "{missing}");
        }
        let root = Path::new(".");
        assert!(tests(root, &BARE).repeat.contains("cargo test"));
        assert!(
            matches!((deny(&BARE).run)(root), Outcome::LeftOut(why) if why.contains("cargo-deny"))
        );
        let whole = Tools {
            nextest: true,
            ..BARE
        };
        assert!(tests(root, &whole).repeat.contains("nextest"));
    }

    #[test]
    fn a_run_says_how_long_it_took() {
        assert_eq!(shown(Duration::from_millis(1_240)), "1.2 s");
        assert_eq!(shown(Duration::from_secs(61)), "1 min 01 s");
    }
}
