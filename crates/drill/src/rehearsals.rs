//! Every scenario, every seed, the responder and the controls: the results that the
//! documentation's page of scores is written from.

use std::fmt::Write as _;

use retake_lab::Scenario;
use retake_responder::{Conduct, Watcher};
use serde::{Deserialize, Serialize};

use crate::respond::{RETAKE, run_responder};
use crate::run::run_sequence;
use crate::score::{Figures, RunScore, Table, tables};
use crate::sequence::Sequence;

/// The form of the results.
pub const SCHEMA: &str = "retake.rehearsals/1";

/// What was run, and how it went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rehearsals {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// The commit of the program.
    pub commit: String,
    /// What was typed.
    pub command: String,
    /// The seeds, from 1 to this.
    pub seeds: u64,
    /// One for each scenario, seed and sequence.
    pub runs: Vec<Figures>,
    /// Runs that have no score, with the reason.
    pub failed: Vec<Failed>,
}

/// A run that has no score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// The scenario's id.
    pub scenario: String,
    /// What responded.
    pub sequence: String,
    /// The seed.
    pub seed: u64,
    /// Why there is no score.
    pub why: String,
}

/// Every sequence that is compared, the responder first.
pub fn sequences() -> impl Iterator<Item = &'static str> {
    std::iter::once(RETAKE).chain(Sequence::names())
}

/// One run; the reason where it has no score.
pub fn rehearse(scenario: &Scenario, seed: u64, sequence: &str) -> Result<RunScore, String> {
    let run = if sequence == RETAKE {
        run_responder(scenario, seed, Conduct::default(), &|_| {
            Box::new(Silent) as Box<dyn Watcher + '_>
        })
        .map_err(|error| error.to_string())?
    } else {
        let sequence = Sequence::find(sequence).map_err(|error| error.to_string())?;
        run_sequence(scenario, seed, &sequence).map_err(|error| error.to_string())?
    };
    Ok(run.score)
}

struct Silent;

impl Watcher for Silent {
    fn event(&self, _: jiff::Timestamp, _: &retake_playbook::Event, _: &retake_playbook::State) {}

    fn note(&self, _: jiff::Timestamp, _: &str) {}
}

const NOTE: &str =
    "<!-- Generated from docs/soak/score.json by `cargo xtask docs`. Do not edit. -->\n";

/// The page. Writing to a String cannot fail, so the results are not looked at.
pub fn page(results: &Rehearsals) -> String {
    let tables = tables(&results.runs);
    let mut page = format!(
        "{NOTE}\n# Scores\n\nEvery embedded scenario with Retake and with each control, seeds 1 to {}: {} runs at commit `{}` by `{}`. What each figure means stands in [score.md](../score.md); it follows from the lab's trace and the exported case alone. Counts are over all seeds of a scenario; the same seed gives the same figures.\n\nA control is a way of responding that people do use: nothing at all, a reset alone, a reset before the block, removing everything. It is here so that a score that cannot fail would show.\n\n",
        results.seeds,
        results.runs.len() + results.failed.len(),
        results.commit,
        results.command
    );
    summary(results, &mut page);
    for table in &tables {
        one(table, &mut page);
    }
    if !results.failed.is_empty() {
        page.push_str("## Runs without a score\n\n| scenario | sequence | seed | why |\n| --- | --- | --- | --- |\n");
        for failed in &results.failed {
            let _ = writeln!(
                page,
                "| {} | {} | {} | {} |",
                failed.scenario,
                failed.sequence,
                failed.seed,
                failed.why.replace('|', "\\|").replace('\n', " ")
            );
        }
        page.push('\n');
    }
    page.push_str("## What these figures do not show\n\nHow a real tenant behaves where the lab is wrong ([fidelity.md](../fidelity.md) says what the lab rests on), artefacts that no scenario has, and how long people take. The seconds are the lab's: its latencies, not a network's.\n");
    page
}

fn summary(results: &Rehearsals, page: &mut String) {
    page.push_str("## Retake, all scenarios\n\n| scenario | clean runs | artefacts | usable at the end | once sign-in is back | a day later | collateral | order | evidence | claims | path right |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
    let mut scenarios: Vec<&str> = results.runs.iter().map(|r| r.scenario.as_str()).collect();
    scenarios.dedup();
    scenarios.sort_unstable();
    scenarios.dedup();
    for scenario in scenarios {
        let runs: Vec<&Figures> = results
            .runs
            .iter()
            .filter(|run| run.scenario == scenario && run.sequence == RETAKE)
            .collect();
        let sum = |pick: fn(&Figures) -> usize| runs.iter().map(|run| pick(run)).sum::<usize>();
        let _ = writeln!(
            page,
            "| {scenario} | {} of {} | {} | {} | {} | {} | {} | {} | {} | {} | {} of {} |",
            runs.iter().filter(|run| run.is_clean()).count(),
            runs.len(),
            sum(|run| run.artefacts),
            sum(|run| run.at_end),
            sum(|run| run.after_restore),
            sum(|run| run.after_24h),
            sum(|run| run.collateral),
            sum(|run| run.order),
            sum(|run| run.evidence),
            sum(|run| run.claims),
            runs.iter().filter(|run| run.path_is_right()).count(),
            runs.len()
        );
    }
    page.push('\n');
}

fn one(table: &Table, page: &mut String) {
    let _ = writeln!(
        page,
        "## {}\n\n| | {} |\n| --- |{}",
        table.scenario,
        table.sequences.join(" | "),
        " --- |".repeat(table.sequences.len())
    );
    for (name, cells) in &table.rows {
        let cells: Vec<&str> = cells.iter().map(|cell| cell.text.as_str()).collect();
        let _ = writeln!(page, "| {name} | {} |", cells.join(" | "));
    }
    page.push('\n');
}
