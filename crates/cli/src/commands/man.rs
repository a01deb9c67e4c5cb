//! `retake man`: manual pages, from the same definitions as the help.
//!
//! They are made when they are asked for, so that they are those of the program that
//! is installed; see docs/decisions/man-pages.md.

use std::fmt::Write as _;

use clap::CommandFactory as _;
use retake_playbook::codes::{self, Exit};

use crate::args::{Args, Man};
use crate::failure::Failure;
use crate::home::VARIABLES;
use crate::terminal::{Terminal, safe};

pub(crate) fn run(man: &Man, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut root = Args::command();
    root.build();
    let Some(dir) = &man.out else {
        let command = find(&root, &man.command)?;
        terminal.raw(page(command, man.command.is_empty())?.trim_end());
        return Ok(Exit::Done);
    };
    let failed = |error: std::io::Error| {
        Failure::new(
            codes::NOT_WRITABLE,
            format!("{} cannot be written: {error}.", dir.display()),
            "Name another directory with --out.",
        )
        .about(dir.display().to_string())
    };
    std::fs::create_dir_all(dir).map_err(failed)?;
    let mut pages = Vec::new();
    collect(&root, &mut pages);
    for command in pages {
        let file = dir.join(format!("{}.1", title(command)));
        std::fs::write(&file, page(command, title(command) == "retake")?).map_err(failed)?;
        terminal.data(&file.display().to_string());
    }
    if terminal.json() {
        let mut pages = Vec::new();
        collect(&root, &mut pages);
        let files: Vec<String> = pages
            .iter()
            .map(|command| {
                dir.join(format!("{}.1", title(command)))
                    .display()
                    .to_string()
            })
            .collect();
        terminal.document(&serde_json::json!({"schema": "retake.files/1", "files": files}));
    }
    Ok(Exit::Done)
}

/// `retake-case-verify` for `retake case verify`.
fn title(command: &clap::Command) -> String {
    command
        .get_bin_name()
        .unwrap_or(command.get_name())
        .replace(' ', "-")
}

fn find<'a>(root: &'a clap::Command, words: &[String]) -> Result<&'a clap::Command, Failure> {
    words.iter().try_fold(root, |command, word| {
        command
            .get_subcommands()
            .find(|sub| sub.get_name() == word && !sub.is_hide_set())
            .ok_or_else(|| {
                Failure::usage(
                    format!("There is no command `{}`.", safe(&words.join(" "))),
                    "`retake --help` names them all.",
                )
            })
    })
}

fn collect<'a>(command: &'a clap::Command, pages: &mut Vec<&'a clap::Command>) {
    pages.push(command);
    for sub in command
        .get_subcommands()
        .filter(|sub| !sub.is_hide_set() && sub.get_name() != "help")
    {
        collect(sub, pages);
    }
}

fn page(command: &clap::Command, is_root: bool) -> Result<String, Failure> {
    let mut text = Vec::new();
    let man = clap_mangen::Man::new(command.clone())
        .title(title(command).to_uppercase())
        .section("1");
    man.render(&mut text).map_err(|error| {
        Failure::new(
            codes::INTERNAL,
            format!("The manual page cannot be made: {error}."),
            "Please report it.",
        )
    })?;
    let mut text = String::from_utf8_lossy(&text).into_owned();
    if is_root {
        text.push_str(".SH ENVIRONMENT\n");
        for (name, what) in VARIABLES {
            // Writing to a String cannot fail.
            let _ = write!(text, ".TP\n{name}\n{}\n", what.replace('-', "\\-"));
        }
        text.push_str(".SH \"EXIT STATUS\"\n");
        for (status, what) in EXITS {
            let _ = write!(text, ".TP\n{status}\n{what}\n");
        }
    }
    Ok(text)
}

const EXITS: [(&str, &str); 7] = [
    ("0", "done, and nothing waits"),
    ("1", "done so far, and something needs a person"),
    ("2", "the command or its input cannot be used"),
    ("3", "the tenant refuses: permission, role or licence"),
    (
        "4",
        "the tenant cannot be reached, or throttles for too long",
    ),
    ("5", "something was altered that must not be"),
    ("70", "the program or this machine failed"),
];
