//! One rehearsal: a lab, a response in virtual time, and the score.

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use retake_casefile::{Bundle, VerifyError};
use retake_lab::{Lab, Scenario, ScenarioError};
use retake_tenant::edge::Clock;

use crate::people::ScenarioPeople;
use crate::score::{self, Case, RunScore, ScoreError, moments};
use crate::sequence::{Access, Refused, Runner, Sequence, SequenceError};
use crate::virtual_time::{Deadlock, VirtualTime};
use crate::wire::{LabTransport, SeededEntropy, SharedLab, lock};

/// How long the harness lets the attacker try after the end, before it gives
/// sign-in back: a window of the score, and a little.
const LINGER: SignedDuration = SignedDuration::from_mins(40);
/// How long after the last instant the lab goes on.
const AFTERWARDS: SignedDuration = SignedDuration::from_hours(1);

/// What a response finds when it begins.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The lab; a response proper sees it through the transport alone. What plays
    /// the people asks it too.
    pub lab: SharedLab,
    /// The clock.
    pub time: VirtualTime,
    /// The way to the tenant.
    pub transport: LabTransport,
    /// The seed, for entropy and keys that are the same in every run of it.
    pub seed: u64,
    /// Exported cases of further accounts, beside the one that the response returns.
    pub further: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Stage {
    /// The scenario's people, in this lab and on this clock.
    pub(crate) fn people(&self) -> ScenarioPeople {
        ScenarioPeople::new(Arc::clone(&self.lab), self.time.clone())
    }
}

/// A rehearsal that is over.
#[derive(Clone, Debug)]
pub struct Run {
    /// How it went.
    pub score: RunScore,
    /// Everything that happened, one JSON object a line.
    pub trace: String,
    /// The exported case, if there was one.
    pub case: Option<Vec<u8>>,
    /// The exported cases of further accounts in the same hands.
    pub further_cases: Vec<Vec<u8>>,
    /// What the tenant refused a sequence.
    pub refused: Vec<Refused>,
    /// The tenant at the end, in canonical form.
    pub final_state: serde_json::Value,
}

/// Why a rehearsal has no score.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// The scenario cannot be used.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The sequence cannot be used.
    #[error(transparent)]
    Sequence(#[from] SequenceError),
    /// The response waits for something that never comes.
    #[error("the response is stuck: {0}")]
    Stuck(#[from] Deadlock),
    /// The exported case does not hold.
    #[error("the exported case: {0}")]
    Case(#[from] VerifyError),
    /// Trace and case do not allow a score.
    #[error("the run cannot be scored: {0}")]
    Score(#[from] ScoreError),
}

/// Plays a scenario against a sequence.
pub fn run_sequence(
    scenario: &Scenario,
    seed: u64,
    sequence: &Sequence,
) -> Result<Run, DrillError> {
    let mut refused = Vec::new();
    let mut run = run_with(scenario, seed, &sequence.id, async |stage: Stage| {
        let access = {
            let lab = lock(&stage.lab);
            let briefing = lab.briefing();
            Access {
                tenant: briefing.tenant_id.clone(),
                client_id: briefing.client_id.clone(),
                client_secret: briefing.client_secret.clone(),
                upn: briefing.affected.clone(),
                also: briefing.also.first().cloned(),
            }
        };
        let entropy = SeededEntropy::new(stage.seed);
        let runner = Runner::new(&stage.transport, &stage.time, &entropy, access);
        refused = runner.run(sequence).await;
        Ok::<_, DrillError>(None)
    })?;
    run.refused = refused;
    Ok(run)
}

/// Plays a scenario against any response: `respond` gets the stage and returns the
/// exported case, if it kept one. `name` is copied into the score.
///
/// When the response is over, the attacker tries a little longer, the harness
/// gives sign-in back if the account is blocked, and the lab runs on past the
/// last instant. Then trace and case are scored.
pub fn run_with<E: From<DrillError> + From<Deadlock>>(
    scenario: &Scenario,
    seed: u64,
    name: &str,
    respond: impl AsyncFnOnce(Stage) -> Result<Option<Vec<u8>>, E>,
) -> Result<Run, E> {
    let lab = Lab::new(scenario, seed).map_err(DrillError::from)?;
    let time = VirtualTime::starting_at(lab.start());
    let lab: SharedLab = Arc::new(Mutex::new(lab));
    let stage = Stage {
        transport: LabTransport::new(Arc::clone(&lab), time.clone()),
        lab: Arc::clone(&lab),
        time: time.clone(),
        seed,
        further: Arc::default(),
    };
    let further = Arc::clone(&stage.further);
    let exported = time.block_on(respond(stage))??;
    let further = std::mem::take(
        &mut *further
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner),
    );
    Ok(finish(&lab, &time, name, exported, further)?)
}

fn finish(
    lab: &SharedLab,
    time: &VirtualTime,
    name: &str,
    exported: Option<Vec<u8>>,
    further: Vec<Vec<u8>>,
) -> Result<Run, DrillError> {
    let mut cases = Vec::new();
    for bytes in exported.iter().chain(&further) {
        cases.push(Case::from(&Bundle::from_bytes(bytes.clone(), None)?));
    }
    let end = {
        let lab = lock(lab);
        let nothing_done = moments::later(lab.start(), moments::NOTHING_DONE);
        if score::may_be_untouched(&lab.trace_jsonl())? {
            nothing_done.max(time.now())
        } else {
            time.now()
        }
    };
    let lingered = advance(lab, time, moments::later(end, LINGER));
    if score::ends_blocked(&lock(lab).trace_jsonl())? {
        lock(lab).finish_restore(lingered);
    }
    let last = [moments::AFTER_RESTORE, moments::AFTER_A_DAY, AFTERWARDS]
        .into_iter()
        .fold(lingered, moments::later);
    advance(lab, time, last);
    let lab = lock(lab);
    let trace = lab.trace_jsonl();
    Ok(Run {
        score: score::score_all(&trace, &cases, name)?,
        trace,
        case: exported,
        further_cases: further,
        refused: Vec::new(),
        final_state: lab.final_state(),
    })
}

/// Runs the lab on to a moment.
fn advance(lab: &SharedLab, time: &VirtualTime, to: Timestamp) -> Timestamp {
    time.advance_to(to);
    lock(lab).advance(to);
    to
}
