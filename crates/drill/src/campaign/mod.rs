//! The fault campaign: the default drill with one fault at a time on one of the
//! client's calls.
//!
//! Which calls there are is measured: a [`Census`] plays the drill without a fault
//! and counts what the client sends. A [`Trial`] is one call, one fault of the lab's
//! table and one position; [`run`] plays it, lifts the fault where the case stopped,
//! runs the same command again as a person would, and judges the whole from trace
//! and exported case. What came of all trials is a [`Results`] file, and the page of
//! the documentation is written from that file.

mod calls;
mod census;
mod judge;
mod page;
mod play;
mod results;
mod wire;

pub use calls::Called;
pub use census::{Census, Seen};
pub use judge::{Wrong, WrongKind};
pub use page::{NEEDED, page};
pub use play::{Play, Stop, Until, Way, play};
pub use results::{End, Results, Row, SCHEMA};
pub use wire::{Aim, FaultyWire};

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use retake_lab::{FaultKind, Scenario};
use retake_responder::Conduct;
use serde::{Deserialize, Serialize};

/// The scenario of the campaign: the default drill.
pub const SCENARIO: &str = "invoice-fraud";
/// Its seed. The lab is the same in every trial; only the fault differs.
pub const SEED: u64 = 3;

/// Which of the requests of a call meets the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// The first one alone.
    First,
    /// The last one alone, of as many as the drill without a fault sends.
    Last,
    /// Every one, until a person has read why the case stopped.
    Always,
}

impl When {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 3] = [Self::First, Self::Last, Self::Always];
}

/// One fault on one call.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The call.
    pub called: Called,
    /// The fault, by its words in the lab's table.
    pub fault: &'static str,
    /// The same for the lab.
    pub kind: FaultKind,
    /// Which of the call's requests.
    pub when: When,
    /// How many requests of the call the drill without a fault sends.
    pub times: u32,
}

/// Every trial: each call of the census, each fault that can meet it, each position.
pub fn trials(census: &Census) -> Vec<Trial> {
    let mut trials = Vec::new();
    for seen in &census.calls {
        for (fault, kind) in retake_lab::fault::TABLE {
            if let Some(_why) = left_out(seen, kind) {
                continue;
            }
            for when in When::ALL {
                let alone = when == When::Last && (seen.times < 2 || !is_met_last(kind));
                if alone || is_too_long(kind, when) {
                    continue;
                }
                trials.push(Trial {
                    called: seen.called.clone(),
                    fault,
                    kind,
                    when,
                    times: seen.times,
                });
            }
        }
    }
    trials
}

/// The last request of a call meets one fault of each sort: refused, no answer, an
/// answer that cannot be read, an answer that is not true. How a call is sent is the
/// same for all its requests; what differs is where the case then stands.
fn is_met_last(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::Forbidden
            | FaultKind::Hang
            | FaultKind::Truncate
            | FaultKind::SuccessWithoutEffect
    )
}

/// A list that goes on at new addresses takes the whole deadline each time that it is
/// read, some three hundred pages. The first reading shows what the client does, and
/// a list that is never whole is shown by the one that repeats its page.
fn is_too_long(kind: FaultKind, when: When) -> bool {
    kind == FaultKind::EndlessPages && when == When::Always
}

/// Why a fault cannot meet a call, if so.
pub fn left_out(seen: &Seen, kind: FaultKind) -> Option<&'static str> {
    match kind {
        kind if seen.called.in_batch && !kind.answers() => {
            Some("it has no connection of its own: what hangs or is cut is the batch")
        }
        FaultKind::EndlessNextLink | FaultKind::EndlessPages if !seen.pages => {
            Some("it answers no list, so that there is no next page")
        }
        FaultKind::HangAfterApplying
        | FaultKind::ResetAfterApplying
        | FaultKind::AppliedButError(_)
        | FaultKind::SuccessWithoutEffect
            if !seen.leaves =>
        {
            Some("it leaves nothing behind, so that before and after its effect are the same")
        }
        _ => None,
    }
}

/// Plays one trial and judges it.
pub fn run(scenario: &Scenario, seed: u64, trial: &Trial, conduct: Conduct) -> Row {
    let aim = Aim {
        called: trial.called.clone(),
        kind: trial.kind,
        from: match trial.when {
            When::First | When::Always => 1,
            When::Last => trial.times,
        },
        times: match trial.when {
            When::First | When::Last => Some(1),
            When::Always => None,
        },
    };
    let way = Way {
        aim: Some(aim),
        // The watch looks twelve times alike: its first look shows what it does.
        until: Until::FirstLook,
        conduct,
        again: true,
        unconfirmed: Vec::new(),
    };
    // A panic of the client is what the campaign looks for, too.
    let played = catch_unwind(AssertUnwindSafe(|| play(scenario, seed, &way)));
    Row::of_play(
        &trial.called.name(),
        trial.fault,
        trial.when,
        true,
        played.ok(),
    )
}

/// Plays a drill without a fault, in a lab that does what the documentation leaves
/// open in one way or the other, and judges it. A stop is no mistake here: the lab
/// stays as it is, so that the same command would stop again.
pub fn unconfirmed(scenario: &Scenario, seed: u64, way: &Way) -> Row {
    let fault: Vec<String> = way
        .unconfirmed
        .iter()
        .map(|(switch, variant)| format!("{switch} = {variant}"))
        .collect();
    let played = catch_unwind(AssertUnwindSafe(|| play(scenario, seed, way)));
    Row::of_play("", &fault.join(", "), When::Always, false, played.ok())
}

/// Plays trials on so many threads; the rows come in the order of the trials.
/// `told` hears of each row as it is there.
pub fn run_all(
    scenario: &Scenario,
    seed: u64,
    trials: &[Trial],
    threads: usize,
    told: &(dyn Fn(&Row) + Sync),
) -> Vec<Row> {
    let next = AtomicUsize::new(0);
    let rows: Mutex<Vec<(usize, Row)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                while let Some((index, trial)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    trials.get(index).map(|trial| (index, trial))
                } {
                    let row = run(scenario, seed, trial, Conduct::default());
                    told(&row);
                    rows.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((index, row));
                }
            });
        }
    });
    let mut rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
    rows.sort_by_key(|(index, _)| *index);
    rows.into_iter().map(|(_, row)| row).collect()
}
