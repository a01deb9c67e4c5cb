//! Hunts through large corpora with every kind of story, as `retake hunt` does, and writes
//! what was found: what `cargo xtask soak hunt` calls.
//!
//! `soak DIRECTORY COMMIT COMMAND [EVENTS] [SEEDS]` writes `hunt.json` and `hunt.md`. Each
//! seed is played in a process of its own, so that its peak memory is its own.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a command of the developer's"
)]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;
use retake_corpus::check::{check, kinds};
use retake_corpus::soak::{self, Played};
use retake_corpus::{Logs, generate};
use retake_hunt::import::{Input, Settings};

/// As in `retake`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["--one", seed, events] => {
            let played = play(seed.parse()?, events.parse()?)?;
            println!("{}", serde_json::to_string(&played)?);
            Ok(())
        }
        [directory, commit, command, rest @ ..] => {
            let events: u64 = rest
                .first()
                .map_or(Ok(1_000_000), |events| events.parse())?;
            let seeds: u64 = rest.get(1).map_or(Ok(3), |seeds| seeds.parse())?;
            soak::play(
                Path::new(directory),
                (commit, command),
                1001..=1000 + seeds,
                events,
                &mut |played| println!("{}", played.line()),
            )
        }
        _ => Err("soak DIRECTORY COMMIT COMMAND [EVENTS] [SEEDS]".into()),
    }
}

fn play(seed: u64, events: u64) -> Result<Played, Box<dyn std::error::Error>> {
    let options = soak::options(seed, events);
    let scratch = tempfile::Builder::new().prefix("retake-soak-").tempdir()?;
    let logs = scratch.path().join("logs");
    std::fs::create_dir(&logs)?;
    let open = |name: &str| -> std::io::Result<BufWriter<File>> {
        File::create(logs.join(name)).map(|file| BufWriter::with_capacity(1 << 20, file))
    };
    let begin = Instant::now();
    let mut files = Vec::new();
    for name in ["audit", "interactive", "silent", "directory", "trace"] {
        files.push(open(name)?);
    }
    let mut writers = files.iter_mut().map(|file| file as &mut dyn Write);
    let told = generate(
        &options,
        Logs {
            audit: writers.next(),
            interactive: writers.next(),
            silent: writers.next(),
            directory: writers.next(),
            trace: writers.next(),
        },
    )?;
    for file in &mut files {
        file.flush()?;
    }
    drop(files);
    let generate_seconds = begin.elapsed().as_secs_f64();
    let mut bytes = 0;
    for entry in std::fs::read_dir(&logs)? {
        bytes += entry?.metadata()?.len();
    }

    let begin = Instant::now();
    let now = Timestamp::from_second(options.start + (options.days + 40) * 86_400)?;
    let (report, _table) = retake_events::hunt(
        vec![Input::Path(logs)],
        &retake_hunt::Options::new(now)?,
        &Settings::new(scratch.path().to_owned()),
        &scratch.path().join("events"),
        None,
        &mut |_| {},
    )?;
    let hunt_seconds = begin.elapsed().as_secs_f64();
    Ok(Played {
        seed,
        records: told.rows.iter().sum(),
        bytes,
        users: told.users.len(),
        stories: kinds(&told),
        checked: check(&told, &report),
        generate_seconds,
        hunt_seconds,
        peak_mib: soak::peak_mib(),
    })
}
