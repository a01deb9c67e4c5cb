//! One drill with a fault: until it ends or stops, and then again without it.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use jiff::Timestamp;
use retake_casefile::{Store, pack};
use retake_lab::Scenario;
use retake_playbook::machine::Phase;
use retake_playbook::{Event, State};
use retake_responder::{
    Conduct, Extent, Finished, Responder, ResponderError, Surroundings, Watcher, code_of,
};
use retake_tenant::Tenant;
use retake_tenant::edge::{Clock as _, Entropy as _};

use super::wire::{Aim, FaultyWire, Passed};
use crate::respond::{RETAKE, RehearsalError, opening, profile};
use crate::run::{Run, Stage, run_with};
use crate::wire::{SeededEntropy, lock};

/// How often the same command is run again at most after the case stopped.
const AGAIN: usize = 2;
/// How long a person takes to read why, and to run the command again.
const READING: Duration = Duration::from_mins(5);

/// How far a drill is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Until block and revoke are done and the clock is set.
    Contained,
    /// Until the watch has looked for the first time.
    FirstLook,
    /// Until the case is closed.
    Closed,
}

/// How one drill is played.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    /// The fault, if any.
    pub aim: Option<Aim>,
    /// How far.
    pub until: Until,
    /// How the responder behaves.
    pub conduct: Conduct,
    /// Whether the command is run again, without the fault, where the case stopped.
    pub again: bool,
    /// What the lab does where the documentation is silent: switch and variant.
    pub unconfirmed: Vec<(&'static str, &'static str)>,
}

/// Where and why a case stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// `before the case`, or where the playbook stood.
    pub at: String,
    /// The error book's code, where one was given.
    pub code: Option<String>,
    /// What the operator reads.
    pub why: String,
}

/// One drill that was played.
#[derive(Clone, Debug)]
pub struct Play {
    /// Score, trace and case.
    pub run: Run,
    /// Every time that it stopped, in order.
    pub stops: Vec<Stop>,
    /// Whether it got to where it was to be played to.
    pub ended: bool,
    /// How many requests met the fault.
    pub played: u32,
}

/// Plays the drill.
pub fn play(scenario: &Scenario, seed: u64, way: &Way) -> Result<Play, RehearsalError> {
    play_on(scenario, seed, way).map(|(play, _)| play)
}

/// The same, with everything that passed the wire.
pub(super) fn play_on(
    scenario: &Scenario,
    seed: u64,
    way: &Way,
) -> Result<(Play, Vec<Passed>), RehearsalError> {
    let mut stops = Vec::new();
    let mut ended = false;
    let mut wire = None;
    let run = run_with(scenario, seed, RETAKE, async |stage: Stage| {
        let faulty = FaultyWire::new(stage.transport.clone(), way.aim.clone());
        wire = Some(faulty.clone());
        let (case, reached) = Box::pin(respond(&stage, &faulty, way, &mut stops)).await?;
        ended = reached;
        Ok::<_, RehearsalError>(case)
    })?;
    let (played, passed) =
        wire.map_or_else(Default::default, |wire| (wire.played(), wire.passed()));
    let play = Play {
        run,
        stops,
        ended,
        played,
    };
    Ok((play, passed))
}

async fn respond(
    stage: &Stage,
    wire: &FaultyWire,
    way: &Way,
    stops: &mut Vec<Stop>,
) -> Result<(Option<Vec<u8>>, bool), RehearsalError> {
    for (switch, variant) in &way.unconfirmed {
        lock(&stage.lab)
            .set_unconfirmed(switch, variant)
            .map_err(|error| RehearsalError::Switch(error.to_string()))?;
    }
    let opening = opening(stage);
    let entropy = SeededEntropy::new(stage.seed);
    let tenant = Tenant::new(
        profile(stage, None),
        Arc::new(wire.clone()),
        Arc::new(stage.time.clone()),
    );
    let store = Store::open_in_memory()?;
    // What the responder does by itself is what the campaign is about.
    let people = stage.people().who_do_not_stand_in();
    let mut reached = false;
    for attempt in 0..=AGAIN {
        let goal = Goal {
            until: way.until,
            reached: AtomicBool::new(false),
        };
        let around = Surroundings {
            tenant: &tenant,
            store: &store,
            clock: &stage.time,
            entropy: &entropy,
            people: &people,
            watcher: &goal,
        };
        let finished = {
            let opening = opening.clone();
            let mut work = pin!(async {
                let responder = Responder::open(around, opening)
                    .await?
                    .with_conduct(way.conduct);
                let finished = responder.run(Extent::Whole).await?;
                Ok::<_, ResponderError>((finished, responder.state()))
            });
            // Dropping the work in the middle of a wait is what a closed terminal
            // does; the case stays as its journal has it.
            poll_fn(|context| match work.as_mut().poll(context) {
                Poll::Ready(finished) => Poll::Ready(Some(finished)),
                Poll::Pending if goal.reached.load(Ordering::Relaxed) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            })
            .await
        };
        match finished {
            None | Some(Ok((Finished::Closed | Finished::Contained, _))) => {
                reached = true;
                break;
            }
            Some(Ok((Finished::Waits { why }, state))) => stops.push(stop(&store, &state, why)),
            Some(Err(ResponderError::Tenant(error))) => stops.push(Stop {
                at: if store.cases()?.is_empty() {
                    "before the case"
                } else {
                    "in the case"
                }
                .to_owned(),
                code: Some(code_of(&error).id.to_owned()),
                why: format!("{error}. {}", error.hint()),
            }),
            Some(Err(error)) => return Err(error.into()),
        }
        if !way.again || attempt == AGAIN {
            break;
        }
        wire.heal();
        stage.time.sleep(READING).await;
    }
    let Some(case) = store.cases()?.into_iter().next() else {
        return Ok((None, reached));
    };
    let key = store.signing_key(&mut |bytes| entropy.fill(bytes))?;
    Ok((Some(pack(&store, &case.id, &key)?), reached))
}

/// What the journal says about a stop.
fn stop(store: &Store, state: &State, why: String) -> Stop {
    let code = store
        .cases()
        .ok()
        .and_then(|cases| store.records(&cases.into_iter().next()?.id).ok())
        .filter(|_| state.phase == Phase::Halted)
        .and_then(|records| {
            records.iter().rev().find_map(|record| match &record.event {
                Event::ActionStopped { code, .. } => Some(code.clone()),
                _ => None,
            })
        });
    Stop {
        at: format!("{:?}", state.phase),
        code,
        why,
    }
}

/// Watches for the phase at which a drill has been played far enough.
struct Goal {
    until: Until,
    reached: AtomicBool,
}

impl Watcher for Goal {
    fn event(&self, _: Timestamp, _: &Event, state: &State) {
        let there = match self.until {
            Until::Contained => state.phase == Phase::Preserving,
            Until::FirstLook => state.phase == Phase::WatchJudging,
            Until::Closed => false,
        };
        if there {
            self.reached.store(true, Ordering::Relaxed);
        }
    }

    fn note(&self, _: Timestamp, _: &str) {}
}
