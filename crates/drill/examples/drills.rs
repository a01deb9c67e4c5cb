//! Plays every embedded scenario with the responder and the controls and writes the
//! figures: what `cargo xtask soak drills` calls.
//!
//! `drills FILE COMMIT COMMAND [SEEDS] [THREADS] [SCENARIO]`; only scenarios whose names
//! hold `SCENARIO` are played, for whoever looks for a mistake.
#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a command of the developer's"
)]

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use retake_drill::rehearsals::{Failed, Rehearsals, SCHEMA, rehearse, sequences};
use retake_drill::score::Figures;
use retake_lab::Scenario;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, commit, command, rest @ ..] = arguments.as_slice() else {
        return Err("drills FILE COMMIT COMMAND [SEEDS] [THREADS] [SCENARIO]".into());
    };
    let seeds: u64 = rest.first().map_or(Ok(10), |seeds| seeds.parse())?;
    let threads = match rest.get(1) {
        Some(threads) => threads.parse()?,
        None => std::thread::available_parallelism()?.get(),
    };
    let only = rest.get(2).map_or("", String::as_str);
    let mut trials = Vec::new();
    for name in Scenario::names().filter(|name| name.contains(only)) {
        for sequence in sequences() {
            for seed in 1..=seeds {
                trials.push((name, sequence, seed));
            }
        }
    }
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some((name, sequence, seed)) = trials.get(index).copied() else {
                        break;
                    };
                    let score = Scenario::find(name)
                        .map_err(|error| error.to_string())
                        .and_then(|scenario| rehearse(&scenario, seed, sequence));
                    if let Err(why) = &score {
                        eprintln!("{name} seed {seed} {sequence}: {why}");
                    }
                    done.lock().unwrap().push((index, score));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(index, _)| *index);
    let mut results = Rehearsals {
        schema: SCHEMA.to_owned(),
        commit: commit.clone(),
        command: command.clone(),
        seeds,
        runs: Vec::new(),
        failed: Vec::new(),
    };
    for (index, score) in done {
        let (scenario, sequence, seed) = trials[index];
        match score {
            Ok(score) => results.runs.push(Figures::of(&score)),
            Err(why) => results.failed.push(Failed {
                scenario: scenario.to_owned(),
                sequence: sequence.to_owned(),
                seed,
                why,
            }),
        }
    }
    // One run a line: the file is read by people as differences.
    let mut text = format!(
        "{{\n  \"schema\": {},\n  \"commit\": {},\n  \"command\": {},\n  \"seeds\": {seeds},\n  \"runs\": [\n",
        serde_json::to_string(&results.schema)?,
        serde_json::to_string(commit)?,
        serde_json::to_string(command)?,
    );
    let lines: Result<Vec<String>, _> = results.runs.iter().map(serde_json::to_string).collect();
    text.push_str(&lines?.join(",\n"));
    let _ = write!(
        text,
        "\n  ],\n  \"failed\": {}\n}}\n",
        serde_json::to_string(&results.failed)?
    );
    std::fs::write(file, text)?;
    let unclean = results
        .runs
        .iter()
        .filter(|run| run.sequence == retake_drill::RETAKE && !run.is_clean())
        .count();
    eprintln!(
        "{} runs, {unclean} of Retake's not clean, {} without a score",
        results.runs.len(),
        results.failed.len()
    );
    Ok(())
}
