//! The project's own commands: `cargo xtask test`, `accept`, `soak`, `bench`, `replay`, `docs`.
//!
//! Kept small on purpose: it is compiled before anything can be checked.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command that talks to the developer who called it"
)]

mod accept;
mod bench;
mod checks;
mod docs;
mod install;
mod run;
mod soak;
mod soak_hunt;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own commands", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run every check, in the order in which a failure is cheapest to find.
    Test {
        /// First bring what is missing: system packages, cargo tools, Microsoft's client libraries.
        #[arg(long)]
        install: bool,
    },
    /// Measure an issue against its own sentences: every row of docs/acceptance/N.md.
    Accept {
        /// Number of the issue.
        issue: u32,
    },
    /// Play what takes too long for every check, and write its results.
    Soak {
        /// What to play.
        what: soak::Soak,
    },
    /// Measure speed and memory beside rivals, and write docs/benchmarks.md.
    Bench {
        /// What to measure.
        what: bench::What,
        #[command(flatten)]
        size: bench::Size,
    },
    /// Read a transcript that `retake … --record` wrote, and compare the lab with it.
    Replay {
        /// The transcript.
        file: PathBuf,
        /// More arguments, such as `--scenario NAME`, `--seed N` or `--json`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        more: Vec<String>,
    },
    /// Write the generated pages.
    Docs {
        /// Write nothing; fail if a page is not as it would be generated.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    let root = root();
    let outcome = match Arguments::parse().command {
        Command::Test { install } => checks::test(&root, install),
        Command::Accept { issue } => accept::accept(&root, issue),
        Command::Bench { what, size } => bench::bench(&root, what, &size),
        Command::Soak { what } => soak::soak(&root, what),
        Command::Replay { file, more } => replay(&root, &file, more),
        Command::Docs { check: true } => docs::check(&root),
        Command::Docs { check: false } => docs::write(&root),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("\n{reason}");
            ExitCode::FAILURE
        }
    }
}

/// The client and the lab are in the program; only building it is ours.
fn replay(root: &Path, file: &Path, more: Vec<String>) -> Result<(), Failure> {
    let here = env::current_dir().map_err(|error| error.to_string())?;
    let call = run::Call::cargo("run --quiet --package retake-cli -- replay")
        .arg(here.join(file).to_string_lossy());
    more.into_iter().fold(call, run::Call::arg).run(root)
}

/// Why a command did not succeed, in the words that the developer reads.
type Failure = String;

/// Whether this run may leave nothing out.
fn in_ci() -> bool {
    env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}
