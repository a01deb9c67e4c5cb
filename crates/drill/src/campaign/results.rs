//! What came of a campaign, as a file that the documentation is written from.

use serde::{Deserialize, Serialize};

use super::judge::{Wrong, WrongKind, judge};
use super::play::{Play, Stop};
use super::{Census, When};
use crate::respond::RehearsalError;

/// The version of the form.
pub const SCHEMA: &str = "retake.faults/1";

/// How long a text of a stop is kept.
const LONGEST: usize = 240;

/// What came of all trials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// The scenario.
    pub scenario: String,
    /// Its seed.
    pub seed: u64,
    /// The commit that was played.
    pub commit: String,
    /// The command that played it.
    pub command: String,
    /// The calls of the drill, with how often it sends each until the watch has looked once.
    pub calls: Vec<Call>,
    /// Block and revoke without a fault, in milliseconds after the approval.
    pub contained_ms: Contained,
    /// One row for each trial.
    pub rows: Vec<Row>,
}

/// A call of the drill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_field_names,
    reason = "the file's word for it, in rows and calls alike"
)]
pub struct Call {
    /// Its name.
    pub call: String,
    /// How often it is sent.
    pub times: u32,
    /// Whether it changes the tenant.
    pub change: bool,
    /// Faults that cannot meet it, each with the reason.
    pub left_out: Vec<(String, String)>,
}

/// When the account was contained, in milliseconds after the approval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contained {
    /// The block was accepted.
    pub block: Option<u64>,
    /// The revoke was accepted.
    pub revoke: Option<u64>,
}

/// How a trial ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The request that was to be spoilt was never sent.
    NotMet,
    /// Clean, and no request had to be sent again.
    Clean,
    /// Clean, after sending again.
    Retried,
    /// To its end, and the case says what could not be looked at.
    Said,
    /// It stopped and said why; the same command, run again without the fault, ended clean.
    Stopped,
    /// Nothing was begun, and the reason was said; the same command, run again
    /// without the fault, ended clean.
    NotBegun,
    /// Something happened that must not.
    Wrong,
}

/// One trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The call.
    pub call: String,
    /// The fault.
    pub fault: String,
    /// Which of the call's requests.
    pub when: When,
    /// How it ended.
    pub end: End,
    /// Where and why it stopped, each time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stops: Vec<Stopped>,
    /// What the case says could not be looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
    /// What must not happen and did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wrong: Vec<Wrong>,
    /// When the account was contained.
    pub contained_ms: Contained,
    /// The commit that was played, where it is not the file's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// Where and why a case stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// Where.
    pub at: String,
    /// The error book's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What the operator reads.
    pub why: String,
}

impl From<&Stop> for Stopped {
    fn from(stop: &Stop) -> Self {
        Self {
            at: stop.at.clone(),
            code: stop.code.clone(),
            why: cut(&stop.why),
        }
    }
}

impl Results {
    /// Nothing played yet.
    pub fn of(census: &Census, scenario: &str, seed: u64) -> Self {
        let calls = census
            .calls
            .iter()
            .map(|seen| Call {
                call: seen.called.name(),
                times: seen.times,
                change: seen.called.spec.change,
                left_out: retake_lab::fault::TABLE
                    .iter()
                    .filter_map(|(fault, kind)| {
                        let why = super::left_out(seen, *kind)?;
                        Some(((*fault).to_owned(), why.to_owned()))
                    })
                    .collect(),
            })
            .collect();
        Self {
            schema: SCHEMA.to_owned(),
            scenario: scenario.to_owned(),
            seed,
            commit: String::new(),
            command: String::new(),
            calls,
            contained_ms: contained(&census.score),
            rows: Vec::new(),
        }
    }

    /// The file, one row a line so that a difference can be read.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let mut head = self.clone();
        head.rows = Vec::new();
        let head = serde_json::to_string_pretty(&head)?;
        let rows = self
            .rows
            .iter()
            .map(serde_json::to_string)
            .collect::<Result<Vec<_>, _>>()?;
        let empty = "\"rows\": []";
        let filled = format!("\"rows\": [\n    {}\n  ]", rows.join(",\n    "));
        Ok(format!("{}\n", head.replace(empty, &filled)))
    }

    /// Reads such a file.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Takes the rows of an earlier file for the trials that were not played now, each
    /// with the commit that it was played at; in the order of the trials.
    #[must_use]
    pub fn with_earlier(mut self, earlier: &Self, trials: &[super::Trial]) -> Self {
        let rows = trials.iter().filter_map(|trial| {
            let name = trial.called.name();
            let now = self.row(&name, trial.fault, trial.when).cloned();
            now.or_else(|| {
                let row = earlier.row(&name, trial.fault, trial.when)?;
                let commit = row.commit.clone();
                Some(Row {
                    commit: commit.or_else(|| Some(earlier.commit.clone())),
                    ..row.clone()
                })
            })
        });
        self.rows = rows.collect();
        self
    }

    /// The row of a trial.
    pub fn row(&self, call: &str, fault: &str, when: When) -> Option<&Row> {
        self.rows
            .iter()
            .find(|row| row.call == call && row.fault == fault && row.when == when)
    }
}

impl Row {
    /// What came of a trial; nothing was played where the program panicked.
    /// A play that had to `end` and did not is wrong.
    pub(super) fn of_play(
        call: &str,
        fault: &str,
        when: When,
        end: bool,
        played: Option<Result<Play, RehearsalError>>,
    ) -> Self {
        let mut row = Self {
            call: call.to_owned(),
            fault: fault.to_owned(),
            when,
            end: End::Wrong,
            stops: Vec::new(),
            unread: Vec::new(),
            wrong: Vec::new(),
            contained_ms: Contained::default(),
            commit: None,
        };
        let broke = |what: String| Wrong {
            kind: WrongKind::Broke,
            what,
        };
        let play = match played {
            None => {
                row.wrong.push(broke("the program panicked".to_owned()));
                return row;
            }
            Some(Err(error)) => {
                row.wrong.push(broke(error.to_string()));
                return row;
            }
            Some(Ok(play)) => play,
        };
        let judged = judge(&play.run, play.ended);
        row.wrong = judged.wrong;
        row.unread = judged.unread.iter().map(|text| cut(text)).collect();
        row.stops = play.stops.iter().map(Stopped::from).collect();
        row.contained_ms = contained(&play.run.score);
        if end && !play.ended {
            row.wrong.push(broke(
                "it stopped, and stopped again without the fault".to_owned(),
            ));
        }
        for stop in &play.stops {
            if stop.why.trim().is_empty() || stop.why.contains("nothing moves") {
                row.wrong
                    .push(broke(format!("it stopped without a reason: {}", stop.why)));
            }
        }
        row.end = if !row.wrong.is_empty() {
            End::Wrong
        } else if play.played == 0 {
            End::NotMet
        } else if play.stops.iter().any(|stop| stop.at == "before the case") {
            End::NotBegun
        } else if !play.stops.is_empty() {
            End::Stopped
        } else if !row.unread.is_empty() && row.unread.iter().any(|source| !is_late(source)) {
            End::Said
        } else if play.run.score.calls.retried > 0 {
            End::Retried
        } else {
            End::Clean
        };
        row
    }
}

/// The audit log is always said to be late; that is no fault.
fn is_late(source: &str) -> bool {
    source.contains("may not be in it yet")
}

fn contained(score: &crate::score::RunScore) -> Contained {
    let milliseconds = |reading: Option<crate::score::Reading>| {
        reading.map(|reading| (reading.virtual_s * 1000.0).round().max(0.0) as u64)
    };
    Contained {
        block: milliseconds(score.clock.first_block),
        revoke: milliseconds(score.clock.revoked),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
