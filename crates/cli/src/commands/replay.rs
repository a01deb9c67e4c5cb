//! `retake replay`: a transcript read again by the client, and compared with a lab.

use std::collections::BTreeMap;

use retake_lab::Lab;
use retake_playbook::codes::Exit;
use retake_tape::{Comparison, Reading, Tape};
use serde_json::json;

use crate::args::Replay;
use crate::failure::Failure;
use crate::terminal::{Terminal, safe, safe_at_length};

pub(crate) fn run(args: &Replay, terminal: &Terminal) -> Result<Exit, Failure> {
    let tape = retake_tape::read(&args.file).map_err(|error| {
        Failure::usage(
            format!(
                "The tape cannot be read: {}.",
                safe_at_length(&error.to_string())
            ),
            "docs/tape-format.md describes the form. A line that a crash cut off may be deleted.",
        )
    })?;
    let scenario = super::lab::scenario(&args.scenario)?;
    let lab = Lab::new(&scenario, args.seed).map_err(|error| {
        Failure::usage(
            format!("The scenario cannot be played: {error}."),
            "docs/scenario-format.md describes the form.",
        )
    })?;
    let reading = super::runtime()?.block_on(retake_tape::replay(&tape));
    let comparison = retake_tape::compare(&tape, lab);
    if terminal.json() {
        let all = json!({
            "schema": "retake.replay/1",
            "exchanges": tape.exchanges.len(),
            "client": reading,
            "lab": comparison,
        });
        terminal.document(&all);
    } else {
        terminal.data(words(args, &tape, &reading, &comparison).trim_end());
    }
    let clean = reading.unread.is_empty() && comparison.differences.is_empty();
    Ok(if clean { Exit::Done } else { Exit::NeedsPerson })
}

fn words(args: &Replay, tape: &Tape, reading: &Reading, comparison: &Comparison) -> String {
    let mut lines = vec![format!(
        "tape: {} exchanges, recorded by version {} in the cloud {}",
        tape.exchanges.len(),
        safe(&tape.header.version),
        safe(&tape.header.cloud)
    )];
    lines.push(format!(
        "client: {} answers read, {} not, {} passed over",
        reading.read,
        reading.unread.len(),
        reading.passed_over
    ));
    for unread in &reading.unread {
        lines.push(format!(
            "  line {} {}: {}",
            unread.line,
            unread.call,
            safe_at_length(&unread.reason)
        ));
    }
    // The same difference on many lines is one.
    let mut same: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for one in &comparison.differences {
        same.entry((&one.call, &one.place, &one.tape, &one.lab))
            .or_default()
            .push(one.line);
    }
    lines.push(format!(
        "lab ({}, seed {}): {} answers compared, {} differences, {} left out",
        safe(&args.scenario),
        args.seed,
        comparison.compared,
        same.len(),
        comparison.left_out.len()
    ));
    for ((call, place, said, ours), at) in same {
        let more = match at.len() {
            1 => String::new(),
            more => format!(" and {} more", more - 1),
        };
        lines.push(format!(
            "  {call} {}: tape {}, lab {} (line {}{more})",
            safe(place),
            safe(said),
            safe(ours),
            at[0]
        ));
    }
    for (call, places) in &comparison.open {
        let places: Vec<_> = places.iter().map(|place| safe(place)).collect();
        lines.push(format!(
            "  {call}: nothing to compare with at {}",
            places.join(", ")
        ));
    }
    let mut reasons: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (line, why) in &comparison.left_out {
        reasons.entry(why).or_default().push(*line);
    }
    for (why, at) in reasons {
        lines.push(format!(
            "  left out: {} (line {}, {} in all)",
            why,
            at[0],
            at.len()
        ));
    }
    lines.join("\n")
}
