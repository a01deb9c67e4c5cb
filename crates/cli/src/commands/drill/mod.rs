//! `retake drill`: a takeover, the response to it, and the score.

mod both_sides;
mod side_by_side;

use std::path::Path;

use retake_casefile::Bundle;
use retake_drill::score::{Outcome, Reading, RunScore, Scores, Unscored};
use retake_drill::{RETAKE, Run, run_responder, run_sequence};
use retake_playbook::ArtefactId;
use retake_playbook::codes::{self, Exit};
use retake_responder::{Conduct, Watcher};

use crate::args::Drill;
use crate::failure::Failure;
use crate::terminal::{OURS, QUIET, STRONG, THEIRS, Terminal, WARN, safe, safe_at_length};
use both_sides::Silent;
pub(crate) use both_sides::{BothSides, Side};

pub(crate) fn run(args: &Drill, terminal: &Terminal) -> Result<Exit, Failure> {
    let names: Vec<String> = if args.all {
        retake_lab::Scenario::names().map(str::to_owned).collect()
    } else {
        args.scenarios.clone()
    };
    let seeds: Vec<u64> = match args.seeds {
        Some(count) => (1..=count).collect(),
        None => vec![args.seed],
    };
    let sequences: Vec<String> = if args.compare {
        retake_drill::rehearsals::sequences()
            .map(str::to_owned)
            .collect()
    } else {
        vec![args.sequence.clone()]
    };
    let count = names.len() * seeds.len() * sequences.len();
    let live = !args.quiet && !terminal.json() && count == 1;
    let (mut scores, mut failed) = (Vec::new(), Vec::new());
    for name in &names {
        let scenario = super::lab::scenario(name)?;
        let from = scores.len();
        for sequence in &sequences {
            for seed in &seeds {
                let run = match rehearse(&scenario, *seed, sequence, live, terminal) {
                    Ok(run) => run,
                    // Of many runs the others still say something.
                    Err(failure) if count > 1 => {
                        terminal.say(&format!(
                            "{WARN}no score{WARN:#} {} · seed {seed} · {}: {}",
                            safe(name),
                            safe(sequence),
                            safe_at_length(&failure.message)
                        ));
                        failed.push(Unscored {
                            scenario: name.clone(),
                            sequence: sequence.clone(),
                            seed: *seed,
                            why: failure.message,
                        });
                        continue;
                    }
                    Err(failure) => return Err(failure),
                };
                keep(args, &run, terminal)?;
                if !args.compare {
                    show(&run, terminal);
                }
                scores.push(run.score);
            }
        }
        if args.compare {
            side_by_side::show(&scores[from..], terminal);
        }
    }
    let good = failed.is_empty()
        && scores
            .iter()
            .filter(|score| score.sequence == RETAKE)
            .all(is_clean);
    if terminal.json() {
        let scores =
            serde_json::to_value(Scores::of(scores, failed)).map_err(|error| internal(&error))?;
        terminal.document(&scores);
    }
    Ok(if good { Exit::Done } else { Exit::NeedsPerson })
}

fn rehearse(
    scenario: &retake_lab::Scenario,
    seed: u64,
    sequence: &str,
    live: bool,
    terminal: &Terminal,
) -> Result<Run, Failure> {
    let bad = |error: &dyn std::fmt::Display| {
        Failure::new(
            codes::BAD_SCENARIO,
            safe(&error.to_string()),
            "docs/scenario-format.md and sequences/README.md describe the formats.",
        )
    };
    if sequence == RETAKE {
        return run_responder(scenario, seed, Conduct::default(), &|stage| {
            if live {
                Box::new(BothSides::new(stage.lab.clone(), |at, side, text| {
                    let (style, who) = match side {
                        Side::Ours => (OURS, "retake"),
                        Side::Theirs => (THEIRS, "attacker"),
                        Side::Note => (WARN, "retake"),
                    };
                    terminal.say(&format!(
                        "{QUIET}{}{QUIET:#} {style}{who:<8}{style:#} {}",
                        at.strftime("%a %H:%M:%S"),
                        safe(text)
                    ));
                })) as Box<dyn Watcher + '_>
            } else {
                Box::new(Silent)
            }
        })
        .map_err(|error| bad(&error));
    }
    let sequence = retake_drill::Sequence::find(sequence).map_err(|error| bad(&error))?;
    run_sequence(scenario, seed, &sequence).map_err(|error| bad(&error))
}

/// Writes what the person asked to keep.
fn keep(args: &Drill, run: &Run, terminal: &Terminal) -> Result<(), Failure> {
    let write = |path: &Path, bytes: &[u8]| {
        path.parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(path, bytes))
            .map_err(|error| {
                Failure::new(
                    codes::NOT_WRITABLE,
                    format!("{} cannot be written: {error}.", path.display()),
                    "Name another place.",
                )
            })
    };
    if let Some(path) = &args.trace {
        write(path, run.trace.as_bytes())?;
    }
    let (Some(dir), Some(case)) = (&args.keep, &run.case) else {
        return Ok(());
    };
    let name = format!("{}-{}", run.score.scenario, run.score.seed);
    let further = (2..).zip(&run.further_cases).map(|(number, case)| {
        // Of each further account in the same hands.
        (format!("{name}-account-{number}"), case)
    });
    for (name, case) in std::iter::once((name.clone(), case)).chain(further) {
        write(&dir.join(format!("{name}.tar")), case)?;
        let bundle = Bundle::from_bytes(case.clone(), None).map_err(|error| internal(&error))?;
        let report = retake_report::render(bundle.records(), &|digest| {
            bundle.evidence(digest).map(<[u8]>::to_vec)
        })
        .map_err(|error| internal(&error))?;
        super::case::write_report(&report, dir, &name)?;
        terminal.say(&format!("kept: {}", dir.join(name).display()));
    }
    Ok(())
}

fn internal(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(codes::INTERNAL, error.to_string(), "Please report it.")
}

/// Whether nothing in a score is left to be desired.
fn is_clean(score: &RunScore) -> bool {
    score
        .artefacts
        .iter()
        .all(|artefact| !artefact.usable.ever())
        && score.collateral.is_empty()
        && score.order_violations.is_empty()
        && score.changes_without_evidence.is_empty()
        && score.claims_not_verified.is_empty()
        && score.path_is_right()
        && score
            .warned
            .due
            .iter()
            .all(|due| score.warned.done.iter().any(|done| done.who == due.who))
}

fn show(run: &Run, terminal: &Terminal) {
    if terminal.json() {
        return;
    }
    let score = &run.score;
    let data = |line: String| terminal.data(&line);
    data(format!(
        "\n{STRONG}score{STRONG:#}  {} · seed {} · {}",
        safe(&score.scenario),
        score.seed,
        safe(&score.sequence)
    ));
    for refused in &run.refused {
        data(format!(
            "  {WARN}refused{WARN:#} {}",
            safe(&format!("{refused:?}"))
        ));
    }
    let yes = |usable: bool| {
        if usable {
            format!("{THEIRS}usable{THEIRS:#}")
        } else {
            format!("{OURS}ended {OURS:#}")
        }
    };
    data(format!(
        "  {QUIET}{:<4} {:<34} {:<9} at end  restored  +24 h{QUIET:#}",
        "", "artefact", "outcome"
    ));
    for artefact in &score.artefacts {
        let title = retake_playbook::catalogue::ARTEFACTS
            .iter()
            .find(|spec| spec.id == artefact.id)
            .map_or("", |spec| spec.title);
        let outcome = match artefact.outcome {
            Outcome::Evicted => "evicted",
            Outcome::Disabled => "disabled",
            Outcome::Task => "task",
            Outcome::Survived => "survived",
        };
        data(format!(
            "  {:<4} {:<34} {:<9} {}  {}    {}",
            artefact.id.to_string(),
            title,
            outcome,
            yes(artefact.usable.at_end),
            yes(artefact.usable.after_restore),
            yes(artefact.usable.after_24h)
        ));
    }
    let count = |name: &str, lines: Vec<String>| {
        let mark = if lines.is_empty() { OURS } else { THEIRS };
        data(format!("  {name:<28} {mark}{}{mark:#}", lines.len()));
        for line in lines {
            data(format!("      {}", safe(&line)));
        }
    };
    count(
        "collateral",
        score
            .collateral
            .iter()
            .map(|c| format!("{} {}: {}", c.kind.words(), c.object, c.why))
            .collect(),
    );
    count(
        "order violations",
        score
            .order_violations
            .iter()
            .map(|v| format!("{} at request {}: {}", v.rule, v.request, v.object))
            .collect(),
    );
    count(
        "changes without evidence",
        score
            .changes_without_evidence
            .iter()
            .map(|c| format!("request {}: {}", c.request, c.object))
            .collect(),
    );
    count(
        "claims not verified",
        score
            .claims_not_verified
            .iter()
            .map(|c| format!("{}: {}", c.action, c.object))
            .collect(),
    );
    let reading = |reading: &Option<Reading>| {
        reading.map_or_else(
            || "never".to_owned(),
            |reading| {
                format!(
                    "{:.2} s, {} round trips",
                    reading.virtual_s, reading.round_trips
                )
            },
        )
    };
    data(format!(
        "  {:<28} {}",
        "first block after approval",
        reading(&score.clock.first_block)
    ));
    data(format!(
        "  {:<28} {}",
        "sessions revoked",
        reading(&score.clock.revoked)
    ));
    data(format!(
        "  {:<28} {}",
        "evicted",
        reading(&score.clock.evicted)
    ));
    data(format!(
        "  {:<28} {}",
        "finance warned",
        reading(&score.clock.finance_warned)
    ));
    data(format!(
        "  {:<28} {}",
        "closed",
        reading(&score.clock.closed)
    ));
    data(format!(
        "  {:<28} {} messages, through {}",
        "leaked after the block",
        score.leaked_after_block.messages,
        if score.attacker_after_containment.through.is_empty() {
            "nothing".to_owned()
        } else {
            score
                .attacker_after_containment
                .through
                .iter()
                .map(ArtefactId::to_string)
                .collect::<Vec<_>>()
                .join(", ")
        }
    ));
    data(format!(
        "  {:<28} {} (truth: {}, confidence {:.0} %)",
        "path of takeover",
        safe(&score.path.said),
        safe(&score.path.truth),
        score.path.confidence * 100.0
    ));
    for (name, overlap) in [
        ("mail read", score.blast_radius.read),
        ("mail sent", score.blast_radius.sent),
    ] {
        data(format!(
            "  {:<28} {} said, {} true, precision {:.2}, recall {:.2}",
            name, overlap.said, overlap.truth, overlap.precision, overlap.recall
        ));
    }
    data(format!(
        "  {:<28} {} of {}",
        "warned",
        score.warned.done.len(),
        score.warned.due.len()
    ));
    if run.case.is_some() && score.sequence == RETAKE {
        let (mark, word) = if is_clean(score) {
            (OURS, "clean")
        } else {
            (THEIRS, "not clean")
        };
        data(format!("  {mark}{word}{mark:#}"));
    }
}
