//! The figures of a run on one line, and several runs side by side.
//!
//! A score has every object; a comparison of a hundred runs has room for counts. They
//! follow from the score and from nothing else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::form::{Outcome, Overlap, RunScore};

/// Of what a case says of the blast radius so much is true.
const LEAST_PRECISION: f64 = 0.95;

/// The figures of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// The scenario's id.
    pub scenario: String,
    /// What responded.
    pub sequence: String,
    /// The seed.
    pub seed: u64,
    /// How many objects the attacker held or planted.
    pub artefacts: usize,
    /// How many were usable when the eviction was declared effective.
    pub at_end: usize,
    /// … an hour after sign-in was given back.
    pub after_restore: usize,
    /// … a day after that.
    pub after_24h: usize,
    /// The artefacts that survived or were usable at any of the three instants.
    pub survivors: Vec<String>,
    /// Legitimate objects removed or broken.
    pub collateral: usize,
    /// Broken rules of order.
    pub order: usize,
    /// Changes whose object was not in the case before.
    pub evidence: usize,
    /// What the case says and the trace does not show.
    pub claims: usize,
    /// Messages that left or were read after the block.
    pub leaked: u64,
    /// Seconds from the approval to the accepted block; nothing where none was accepted.
    pub first_block_s: Option<f64>,
    /// Seconds from the approval to the warning of finance.
    pub finance_warned_s: Option<f64>,
    /// The path as it was.
    pub path: String,
    /// The path as the case says.
    pub path_said: String,
    /// Whether nothing that could be read carries the path.
    #[serde(default)]
    pub path_unknowable: bool,
    /// People to warn, and how many of them were.
    pub warned: (usize, usize),
    /// The least precision and recall over what was sent, changed and read, and whose
    /// accounts were used.
    pub blast: (f64, f64),
}

impl Figures {
    /// Those of this score.
    pub fn of(score: &RunScore) -> Self {
        let usable = |pick: fn(&super::form::Usable) -> bool| {
            score.artefacts.iter().filter(|a| pick(&a.usable)).count()
        };
        let mut survivors: Vec<String> = score
            .artefacts
            .iter()
            .filter(|a| a.usable.ever() || a.outcome == Outcome::Survived)
            .map(|a| a.id.to_string())
            .collect();
        survivors.sort();
        survivors.dedup();
        let blast = &score.blast_radius;
        let least = |pick: fn(&Overlap) -> f64| {
            [&blast.read, &blast.sent, &blast.changed, &blast.accounts]
                .into_iter()
                .skip(usize::from(!score.knowable.read))
                .map(pick)
                .fold(1.0, f64::min)
        };
        let warned = score
            .warned
            .due
            .iter()
            .filter(|due| score.warned.done.iter().any(|done| done.who == due.who))
            .count();
        Self {
            scenario: score.scenario.clone(),
            sequence: score.sequence.clone(),
            seed: score.seed,
            artefacts: score.artefacts.len(),
            at_end: usable(|u| u.at_end),
            after_restore: usable(|u| u.after_restore),
            after_24h: usable(|u| u.after_24h),
            survivors,
            collateral: score.collateral.len(),
            order: score.order_violations.len(),
            evidence: score.changes_without_evidence.len(),
            claims: score.claims_not_verified.len(),
            leaked: score.leaked_after_block.messages,
            first_block_s: score.clock.first_block.map(|reading| reading.virtual_s),
            finance_warned_s: score.clock.finance_warned.map(|reading| reading.virtual_s),
            path: score.path.truth.clone(),
            path_said: score.path.said.clone(),
            path_unknowable: !score.knowable.path,
            warned: (score.warned.due.len(), warned),
            blast: (least(|o| o.precision), least(|o| o.recall)),
        }
    }

    /// The path as it was, or unknown where nothing that could be read carries it.
    pub fn path_is_right(&self) -> bool {
        self.path == self.path_said || (self.path_said == "unknown" && self.path_unknowable)
    }

    /// Nothing usable, nothing broken, order kept, everything proven, path right,
    /// everybody warned, and what was read, sent, changed and entered all told and hardly
    /// anything else.
    pub fn is_clean(&self) -> bool {
        self.survivors.is_empty()
            && self.collateral + self.order + self.evidence + self.claims == 0
            && self.path_is_right()
            && self.warned.0 == self.warned.1
            && self.blast.0 >= LEAST_PRECISION
            && self.blast.1 >= 1.0
    }
}

/// One scenario: a column for each sequence, a row for each figure, over all seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The scenario's id.
    pub scenario: String,
    /// How many runs a column stands for.
    pub runs: usize,
    /// The sequences, in the order in which they came.
    pub sequences: Vec<String>,
    /// What is measured, and a cell for each sequence.
    pub rows: Vec<(&'static str, Vec<Cell>)>,
}

/// One figure of one sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// As it is shown.
    pub text: String,
    /// Whether it is as it should be; nothing for what is only told.
    pub good: Option<bool>,
}

/// These runs, scenario by scenario.
pub fn tables(runs: &[Figures]) -> Vec<Table> {
    let mut scenarios: Vec<&str> = Vec::new();
    let mut sequences: Vec<&str> = Vec::new();
    let mut by: BTreeMap<(&str, &str), Vec<&Figures>> = BTreeMap::new();
    for run in runs {
        if !scenarios.contains(&run.scenario.as_str()) {
            scenarios.push(&run.scenario);
        }
        if !sequences.contains(&run.sequence.as_str()) {
            sequences.push(&run.sequence);
        }
        by.entry((&run.scenario, &run.sequence))
            .or_default()
            .push(run);
    }
    scenarios
        .into_iter()
        .map(|scenario| {
            let columns: Vec<(&str, &[&Figures])> = sequences
                .iter()
                .filter_map(|sequence| {
                    let runs = by.get(&(scenario, *sequence))?;
                    Some((*sequence, runs.as_slice()))
                })
                .collect();
            Table {
                scenario: scenario.to_owned(),
                runs: columns
                    .iter()
                    .map(|(_, runs)| runs.len())
                    .max()
                    .unwrap_or(0),
                sequences: columns.iter().map(|(name, _)| (*name).to_owned()).collect(),
                rows: ROWS
                    .iter()
                    .map(|(name, cell)| {
                        (*name, columns.iter().map(|(_, runs)| cell(runs)).collect())
                    })
                    .collect(),
            }
        })
        .collect()
}

type Row = (&'static str, fn(&[&Figures]) -> Cell);

/// The figures in their order. What is counted is counted over all seeds.
const ROWS: &[Row] = &[
    ("clean runs", |runs| {
        of(
            runs.iter().filter(|r| r.is_clean()).count(),
            runs.len(),
            true,
        )
    }),
    ("usable at the end", |runs| usable(runs, |r| r.at_end)),
    ("usable once sign-in is back", |runs| {
        usable(runs, |r| r.after_restore)
    }),
    ("usable a day later", |runs| usable(runs, |r| r.after_24h)),
    ("survivors", |runs| {
        let mut names: Vec<&str> = runs
            .iter()
            .flat_map(|r| r.survivors.iter().map(String::as_str))
            .collect();
        names.sort_unstable();
        names.dedup();
        Cell {
            good: Some(names.is_empty()),
            text: match names.len() {
                0 => "none".to_owned(),
                1..=4 => names.join(" "),
                count => format!("{} and {} more", names[..3].join(" "), count - 3),
            },
        }
    }),
    ("collateral", |runs| sum(runs, |r| r.collateral as u64)),
    ("order violations", |runs| sum(runs, |r| r.order as u64)),
    ("changes without evidence", |runs| {
        sum(runs, |r| r.evidence as u64)
    }),
    ("claims not verified", |runs| sum(runs, |r| r.claims as u64)),
    ("leaked after the block", |runs| {
        told(sum(runs, |r| r.leaked).text + " mails")
    }),
    ("first block, slowest", |runs| {
        seconds(runs, |r| r.first_block_s)
    }),
    ("finance warned, slowest", |runs| {
        seconds(runs, |r| r.finance_warned_s)
    }),
    ("path of takeover right", |runs| {
        let right = runs.iter().filter(|r| r.path_is_right()).count();
        of(right, runs.len(), true)
    }),
    ("people warned", |runs| {
        let due = runs.iter().map(|r| r.warned.0).sum();
        of(runs.iter().map(|r| r.warned.1).sum(), due, true)
    }),
    ("blast radius, worst precision", |runs| {
        told(format!(
            "{:.2}",
            runs.iter().map(|r| r.blast.0).fold(1.0, f64::min)
        ))
    }),
    ("blast radius, worst recall", |runs| {
        told(format!(
            "{:.2}",
            runs.iter().map(|r| r.blast.1).fold(1.0, f64::min)
        ))
    }),
];

/// So many of so many; good when it is all of them, or none.
fn of(number: usize, whole: usize, all: bool) -> Cell {
    Cell {
        text: format!("{number} of {whole}"),
        good: Some(if all { number == whole } else { number == 0 }),
    }
}

fn usable(runs: &[&Figures], pick: fn(&Figures) -> usize) -> Cell {
    of(
        runs.iter().map(|run| pick(run)).sum(),
        runs.iter().map(|run| run.artefacts).sum(),
        false,
    )
}

fn sum(runs: &[&Figures], pick: fn(&Figures) -> u64) -> Cell {
    let sum: u64 = runs.iter().map(|run| pick(run)).sum();
    Cell {
        text: sum.to_string(),
        good: Some(sum == 0),
    }
}

fn told(text: String) -> Cell {
    Cell { text, good: None }
}

/// The slowest of all runs, or in how many it never came.
fn seconds(runs: &[&Figures], pick: fn(&Figures) -> Option<f64>) -> Cell {
    let never = runs.iter().filter(|run| pick(run).is_none()).count();
    if never > 0 {
        return told(if never == runs.len() {
            "never".to_owned()
        } else {
            format!("never in {never}")
        });
    }
    let slowest = runs.iter().filter_map(|run| pick(run)).fold(0.0, f64::max);
    told(if slowest < 600.0 {
        format!("{slowest:.2} s")
    } else {
        format!("{:.0} min", slowest / 60.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(sequence: &str, seed: u64, survivors: &[&str]) -> Figures {
        Figures {
            scenario: "practice".to_owned(),
            sequence: sequence.to_owned(),
            seed,
            artefacts: 3,
            at_end: survivors.len(),
            after_restore: survivors.len(),
            after_24h: survivors.len(),
            survivors: survivors.iter().map(|id| (*id).to_owned()).collect(),
            collateral: 0,
            order: 0,
            evidence: 0,
            claims: 0,
            leaked: 2,
            first_block_s: (sequence == "retake").then_some(0.25 * seed as f64),
            finance_warned_s: None,
            path: "token_theft".to_owned(),
            path_said: "token_theft".to_owned(),
            path_unknowable: false,
            warned: (1, 1),
            blast: (1.0, if survivors.is_empty() { 1.0 } else { 0.5 }),
        }
    }

    #[test]
    fn a_table_adds_seeds_up_and_shows_the_worst() {
        let runs = [
            run("retake", 1, &[]),
            run("none", 1, &["A02", "A07"]),
            run("retake", 2, &["A09"]),
            run("none", 2, &["A07"]),
        ];
        let tables = tables(&runs);
        assert_eq!(tables.len(), 1);
        let table = &tables[0];
        assert_eq!(table.sequences, ["retake", "none"]);
        assert_eq!(table.runs, 2);
        let cells = |name: &str| -> Vec<&str> {
            let (_, cells) = table.rows.iter().find(|(row, _)| *row == name).unwrap();
            cells.iter().map(|cell| cell.text.as_str()).collect()
        };
        assert_eq!(cells("clean runs"), ["1 of 2", "0 of 2"]);
        assert_eq!(cells("usable at the end"), ["1 of 6", "3 of 6"]);
        assert_eq!(cells("survivors"), ["A09", "A02 A07"]);
        assert_eq!(cells("leaked after the block"), ["4 mails", "4 mails"]);
        assert_eq!(cells("first block, slowest"), ["0.50 s", "never"]);
        assert_eq!(cells("blast radius, worst recall"), ["0.50", "0.50"]);
    }

    #[test]
    fn figures_read_back_as_written() {
        let run = run("retake", 7, &["A09"]);
        let text = serde_json::to_string(&run).unwrap();
        assert_eq!(serde_json::from_str::<Figures>(&text).unwrap(), run);
    }
}
