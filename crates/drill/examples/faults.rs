//! Plays the whole fault campaign and writes its results: what `cargo xtask soak faults` calls.
//!
//! `faults FILE COMMIT COMMAND [THREADS] [CALL] [FAULT]`; only calls and faults whose names hold
//! `CALL` and `FAULT` are played, for whoever looks for a mistake. With `--missing` for `CALL` only
//! what FILE does not hold yet is played; the rest keeps its rows, each with its commit.
#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a command of the developer's"
)]

use std::sync::atomic::{AtomicUsize, Ordering};

use retake_drill::campaign::{self, Census, End, Results, SCENARIO, SEED};
use retake_lab::Scenario;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, commit, command, rest @ ..] = arguments.as_slice() else {
        return Err("faults FILE COMMIT COMMAND [THREADS] [CALL] [FAULT]".into());
    };
    let threads = match rest.first() {
        Some(threads) => threads.parse()?,
        None => std::thread::available_parallelism()?.get(),
    };
    let missing = rest.get(1).is_some_and(|call| call == "--missing");
    let call = rest
        .get(1)
        .map_or("", String::as_str)
        .trim_start_matches("--missing");
    let earlier = if missing {
        Some(Results::from_json(&std::fs::read_to_string(file)?)?)
    } else {
        None
    };
    let fault = rest.get(2).map_or("", String::as_str);
    let scenario = Scenario::find(SCENARIO)?;
    let census = Census::take(&scenario, SEED)?;
    let all = campaign::trials(&census);
    let is_wanted = |trial: &&campaign::Trial| {
        let name = trial.called.name();
        let known = earlier
            .as_ref()
            .is_some_and(|earlier| earlier.row(&name, trial.fault, trial.when).is_some());
        !known && name.contains(call) && trial.fault.contains(fault)
    };
    let trials: Vec<_> = all.iter().filter(is_wanted).cloned().collect();
    let done = AtomicUsize::new(0);
    let rows = campaign::run_all(&scenario, SEED, &trials, threads, &|row| {
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if row.end == End::Wrong {
            eprintln!(
                "{} | {} | {:?}: {:?} stops {:?}",
                row.call, row.fault, row.when, row.wrong, row.stops
            );
        } else if done.is_multiple_of(100) {
            eprintln!("{done} of {}", trials.len());
        }
    });
    let wrong = rows.iter().filter(|row| row.end == End::Wrong).count();
    let mut results = Results::of(&census, SCENARIO, SEED);
    results.commit.clone_from(commit);
    results.command.clone_from(command);
    results.rows = rows;
    if let Some(earlier) = &earlier {
        results = results.with_earlier(earlier, &all);
    }
    std::fs::write(file, results.to_json()?)?;
    eprintln!("{} runs, {wrong} wrong", results.rows.len());
    Ok(())
}
