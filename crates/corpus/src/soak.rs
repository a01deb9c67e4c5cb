//! What a long run found, and its page.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::check::Checked;
use crate::{AuditForm, Kind, Options, SignInForm};

/// A run over some seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Soak {
    /// `retake.soak.hunt/1`.
    pub schema: String,
    /// At which commit.
    pub commit: String,
    /// By which command.
    pub command: String,
    /// Each corpus.
    pub played: Vec<Played>,
}

/// One corpus.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Played {
    /// Its seed.
    pub seed: u64,
    /// Rows in all its logs, repeats and damaged ones among them.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Accounts in it.
    pub users: usize,
    /// Accounts that were taken, by kind of story.
    pub stories: BTreeMap<Kind, usize>,
    /// The answers beside the truth.
    pub checked: Checked,
    /// How long writing took.
    pub generate_seconds: f64,
    /// How long the hunt took: import, table, judgement.
    pub hunt_seconds: f64,
    /// The most memory that it had; none where the system does not say.
    pub peak_mib: Option<u64>,
}

/// Plays seeds, each in a process of its own, so that its peak memory is its own: this program
/// again, with `--one SEED EVENTS`, which prints a [`Played`]. Writes `hunt.json` and `hunt.md`.
///
/// # Errors
///
/// When a process cannot be run, fails or says something else, or a file cannot be written.
pub fn play(
    directory: &Path,
    (commit, command): (&str, &str),
    seeds: impl IntoIterator<Item = u64>,
    events: u64,
    say: &mut dyn FnMut(&Played),
) -> Result<(), Box<dyn Error>> {
    let mut soak = Soak::new(commit, command);
    for seed in seeds {
        let said = Command::new(std::env::current_exe()?)
            .args(["--one", &seed.to_string(), &events.to_string()])
            .output()?;
        if !said.status.success() {
            let error = String::from_utf8_lossy(&said.stderr);
            return Err(format!("seed {seed}: {}: {error}", said.status).into());
        }
        let played: Played = serde_json::from_slice(&said.stdout)?;
        say(&played);
        soak.played.push(played);
    }
    std::fs::write(directory.join("hunt.json"), soak.json())?;
    std::fs::write(directory.join("hunt.md"), soak.page())?;
    Ok(())
}

/// The corpus of a seed: every kind of story twice, and the layouts in turn.
pub fn options(seed: u64, events: u64) -> Options {
    let mut options = Options::new(seed, events);
    options.stories = Kind::ALL.repeat(2);
    options.audit = [AuditForm::Lines, AuditForm::Portal, AuditForm::Shell][(seed % 3) as usize];
    options.sign_ins = [SignInForm::Graph, SignInForm::Analytics][(seed % 2) as usize];
    options
}

/// The most memory in MiB that this process had, where the system says so.
pub fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace()
        .nth(1)?
        .parse::<u64>()
        .ok()
        .map(|kib| kib / 1024)
}

impl Played {
    /// In one line.
    pub fn line(&self) -> String {
        let it = &self.checked;
        format!(
            "seed {}: {} of {} found, {} first events, {} wronged, {:.0} s, {} MiB",
            self.seed,
            it.found,
            it.taken,
            it.first_event,
            it.wronged,
            self.hunt_seconds,
            self.peak_mib.unwrap_or(0)
        )
    }
}

impl Soak {
    /// A run that has just begun.
    pub fn new(commit: &str, command: &str) -> Self {
        Self {
            schema: "retake.soak.hunt/1".to_owned(),
            commit: commit.to_owned(),
            command: command.to_owned(),
            played: Vec::new(),
        }
    }

    /// As it is committed.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// For people.
    pub fn page(&self) -> String {
        let mut page = format!(
            "<!-- Written from hunt.json by `cargo xtask soak hunt`. Do not edit. -->\n\
             # The hunt against a generated corpus\n\n\
             Generated logs of a tenant with attack stories of {} kinds in them; `retake-corpus` writes them from the\n\
             documented record shapes, and the truth about each story beside them. Found means: called\n\
             compromised; with the first event, by record id and time; by the path it was taken by. Read, sent, changed\n\
             means: of the messages, folders and changes of the attackers so many are told. At commit {} by `{}`.\n\n",
            Kind::ALL.len(),
            self.commit,
            self.command,
        );
        page.push_str(
            "| Seed | Records | GB | Accounts | Taken | Found | First event | Path | Read, sent, changed | No story, called compromised | No story, needs a look | Seconds | Peak MiB |\n\
             |---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
        );
        for one in &self.played {
            let it = &one.checked;
            let _ = writeln!(
                page,
                "| {} | {} | {:.2} | {} | {} | {} | {} | {} | {} of {} | {} of {} | {} | {:.0} | {} |",
                one.seed,
                one.records,
                one.bytes as f64 / 1e9,
                one.users,
                it.taken,
                it.found,
                it.first_event,
                it.path,
                it.blast.1,
                it.blast.0,
                it.wronged,
                it.suspicious.1,
                it.suspicious.0,
                one.hunt_seconds,
                one.peak_mib
                    .map_or_else(|| "-".to_owned(), |mib| mib.to_string()),
            );
        }
        let wrong: Vec<(u64, &String)> = self
            .played
            .iter()
            .flat_map(|one| one.checked.wrong.iter().map(move |line| (one.seed, line)))
            .collect();
        if wrong.is_empty() {
            page.push_str("\nNothing else was wrong.\n");
        } else {
            page.push_str("\nWhat was not as it should be:\n\n");
            for (seed, line) in wrong {
                // The reasons behind it are in hunt.json.
                let line = line.lines().next().unwrap_or_default();
                let _ = writeln!(page, "- seed {seed}: {line}");
            }
        }
        page
    }
}
