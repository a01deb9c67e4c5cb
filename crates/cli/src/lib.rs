//! How to say it: arguments in, words and exit codes out.
//!
//! What was typed ([`args`]) and what it means (`commands`) are two stages. Data
//! goes to standard output, talk to standard error. Every failure is turned into
//! words, a hint and an exit code in one place, [`failure`].

pub mod args;
mod commands;
mod crash;
pub mod failure;
pub mod home;
pub mod lab_link;
mod means;
mod people;
mod profile;
mod recording;
mod terminal;
mod waits;
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;
use retake_playbook::codes::Exit;

use crate::args::Args;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Runs the program and returns what the process ends with.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    keep_memory_to_ourselves();
    // `ring` is the one provider; a second installation is not an error.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let args = match Args::try_parse_from(&arguments) {
        Ok(args) => args,
        Err(error) => {
            // Whoever asked for JSON gets JSON, also when the rest cannot be read.
            if error.use_stderr() && arguments.iter().any(|argument| argument == "--json") {
                let failure = unreadable(&error);
                Terminal::new(true).failure(&failure);
                return code(failure.code.exit);
            }
            // Help and version are no errors, and go to standard output.
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
            let _ = error.print();
            return code(exit);
        }
    };
    let terminal = Terminal::new(args.json);
    match crash::guarded(|| commands::run(args, &terminal)) {
        Ok(exit) => code(exit),
        Err(failure) => {
            terminal.failure(&failure);
            code(failure.code.exit)
        }
    }
}

/// What was typed cannot be read.
fn unreadable(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let (what, next) = text.split_once("\n\n").unwrap_or((&text, ""));
    Failure::usage(what.trim_start_matches("error: ").trim(), next.trim())
}

fn code(exit: Exit) -> ExitCode {
    ExitCode::from(exit as u8)
}

/// No core file of a process that holds secrets, and no other process of this
/// user reads its memory.
fn keep_memory_to_ourselves() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{
            DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit,
        };
        let nothing = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        // Where the system refuses, the process is no worse off than others.
        let _ = setrlimit(Resource::Core, nothing);
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
