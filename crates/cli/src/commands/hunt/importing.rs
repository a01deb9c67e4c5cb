//! Reading, and saying meanwhile how far it is.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use retake_events::{HuntFailure, Table};
use retake_hunt::import::{ImportError, Input, Settings};
use retake_hunt::{HuntReport, Options, Progress};
use retake_playbook::codes;
use retake_report::hunt::progress;
use tempfile::TempDir;

use super::outgoing::Outgoing;
use crate::args::Hunt;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// The line is drawn anew at most so often.
const EVERY: Duration = Duration::from_millis(200);

/// What was read, in a table that is there as long as this is.
pub(super) struct Hunted {
    pub(super) report: HuntReport,
    pub(super) table: Table,
    /// Where temporary files go; gone with this.
    pub(super) scratch: TempDir,
}

/// Reads the files and answers. How far it is goes to standard error, where somebody
/// watches.
pub(super) fn import(
    args: &Hunt,
    options: &Options,
    terminal: &Terminal,
) -> Result<Hunted, Failure> {
    let scratch = tempfile::Builder::new()
        .prefix("retake-hunt-")
        .tempdir()
        .map_err(|error| {
            Failure::new(
                codes::BAD_INPUT,
                format!(
                    "No temporary directory can be made in {}: {error}. Nothing was read.",
                    std::env::temp_dir().display()
                ),
                "Make room there, or name another directory in TMPDIR.",
            )
        })?;
    let directory = args
        .to
        .clone()
        .unwrap_or_else(|| scratch.path().join("events"));
    let mut damage = args
        .to
        .as_ref()
        .map(|table| Outgoing::open(&damaged_beside(table), true))
        .transpose()?;
    let mut shown = Shown::new(terminal);
    let mut stdin = std::io::stdin();
    let mut stdin: Option<&mut dyn Read> = Some(&mut stdin);
    let mut inputs = Vec::new();
    for path in &args.files {
        if path.as_os_str() == "-" {
            inputs.extend(
                stdin
                    .take()
                    .map(|stdin| Input::Stream("standard input", stdin)),
            );
        } else {
            inputs.push(Input::Path(path.clone()));
        }
    }
    let hunted = retake_events::hunt(
        inputs,
        options,
        &Settings::new(scratch.path().to_owned()),
        &directory,
        damage
            .as_mut()
            .map(|file| file as &mut (dyn std::io::Write + Send)),
        &mut |progress| shown.progress(progress),
    );
    let (report, table) = hunted.map_err(failure)?;
    if let Some(file) = damage
        && report.imported.counts.damaged > 0
    {
        file.finish()?;
    }
    Ok(Hunted {
        report,
        table,
        scratch,
    })
}

/// The file for what could not be read, beside a table.
pub(super) fn damaged_beside(table: &Path) -> PathBuf {
    let mut name = table.file_name().unwrap_or_default().to_owned();
    name.push(".damaged.jsonl");
    table.with_file_name(name)
}

fn failure(error: HuntFailure) -> Failure {
    let next = match &error {
        HuntFailure::Import(
            ImportError::Scratch { .. } | ImportError::Damage(_) | ImportError::Sink(_),
        )
        | HuntFailure::Table(_)
        | HuntFailure::Store(_) => {
            "Make room, or name another directory: in TMPDIR for temporary files, in --to for the table."
        }
        _ => "Name files or directories of exported logs; zip and gz are opened.",
    };
    Failure::new(
        codes::BAD_INPUT,
        format!("The logs cannot be read: {error}. Nothing was changed."),
        next,
    )
}

/// The line that says how far it is, and above it what was found so far. Where nobody
/// watches, nothing is written.
pub(super) struct Shown<'a> {
    terminal: &'a Terminal,
    width: Option<usize>,
    begun: Instant,
    last: Option<Instant>,
}

impl<'a> Shown<'a> {
    pub(super) fn new(terminal: &'a Terminal) -> Self {
        Self {
            terminal,
            width: terminal.watched(),
            begun: Instant::now(),
            last: None,
        }
    }

    pub(super) fn progress(&mut self, progress: &Progress) {
        let Some(width) = self.width else {
            return;
        };
        let width = width.saturating_sub(1).max(20);
        for finding in &progress.new_findings {
            self.terminal.progress("");
            self.terminal.say(&progress::finding(finding, width));
        }
        let now = Instant::now();
        let due = self
            .last
            .is_none_or(|last| now.duration_since(last) >= EVERY);
        if due || !progress.new_findings.is_empty() {
            self.last = Some(now);
            let line = progress::line(progress, now.duration_since(self.begun), width);
            self.terminal.progress(&line);
        }
    }
}

/// Whatever comes next has the line for itself.
impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if self.width.is_some() && self.last.is_some() {
            self.terminal.progress("");
        }
    }
}
