//! `retake completions`: what makes a shell complete commands and options.

use clap::CommandFactory as _;
use retake_playbook::codes::Exit;

use crate::args::{Args, Completions};
use crate::terminal::Terminal;

pub(crate) fn run(completions: &Completions, terminal: &Terminal) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(
        completions.shell,
        &mut Args::command(),
        "retake",
        &mut script,
    );
    terminal.raw(String::from_utf8_lossy(&script).trim_end());
    Exit::Done
}
