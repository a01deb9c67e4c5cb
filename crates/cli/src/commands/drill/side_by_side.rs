//! The responder and the controls side by side: a table for each scenario.

use std::fmt::Write as _;

use retake_drill::RETAKE;
use retake_drill::score::{Figures, RunScore, tables};

use crate::terminal::{OURS, QUIET, STRONG, THEIRS, Terminal, safe};

/// The widest that a column gets.
const WIDEST: usize = 24;

/// Shows these runs, which are all of one scenario.
pub(super) fn show(scores: &[RunScore], terminal: &Terminal) {
    if terminal.json() {
        return;
    }
    let figures: Vec<Figures> = scores.iter().map(Figures::of).collect();
    for table in tables(&figures) {
        terminal.data(&format!(
            "\n{STRONG}{}{STRONG:#}{QUIET}, {} a column{QUIET:#}",
            safe(&table.scenario),
            if table.runs == 1 {
                "1 run".to_owned()
            } else {
                format!("{} runs", table.runs)
            }
        ));
        let label = table
            .rows
            .iter()
            .map(|(name, _)| name.len())
            .max()
            .unwrap_or(0);
        let widths: Vec<usize> = table
            .sequences
            .iter()
            .enumerate()
            .map(|(column, name)| {
                table
                    .rows
                    .iter()
                    .filter_map(|(_, cells)| cells.get(column))
                    .map(|cell| cell.text.chars().count())
                    .chain([name.chars().count()])
                    .max()
                    .unwrap_or(0)
                    .min(WIDEST)
            })
            .collect();
        let mut line = format!("  {:<label$}", "");
        for (name, width) in table.sequences.iter().zip(&widths) {
            // Writing to a String cannot fail.
            let _ = write!(line, "  {STRONG}{:<width$}{STRONG:#}", safe(name));
        }
        terminal.data(line.trim_end());
        for (name, cells) in &table.rows {
            let mut line = format!("  {QUIET}{name:<label$}{QUIET:#}");
            for (cell, width) in cells.iter().zip(&widths) {
                let text = safe(&cell.text);
                let shown = match cell.good {
                    Some(true) => format!("{OURS}{text:<width$}{OURS:#}"),
                    Some(false) => format!("{THEIRS}{text:<width$}{THEIRS:#}"),
                    None => format!("{text:<width$}"),
                };
                line.push_str("  ");
                line.push_str(&shown);
            }
            terminal.data(line.trim_end());
        }
    }
    // What is wrong with a run of the responder's is not a figure.
    for score in scores.iter().filter(|score| score.sequence == RETAKE) {
        for fault in score.faults() {
            terminal.data(&format!(
                "  {THEIRS}seed {}{THEIRS:#}: {}",
                score.seed,
                safe(&fault)
            ));
        }
    }
}
