//! How it went: composes lab and responder, plays the people, scores.
//!
//! A rehearsal ([`run_sequence`], [`run_with`]) is a lab of one scenario and seed, a
//! response that runs in [virtual time](VirtualTime) over the [wire](LabTransport) between the two, and
//! the [score](mod@score), which sees nothing but the trace and the exported case.

pub mod campaign;
mod people;
pub mod rehearsals;
mod respond;
mod run;
pub mod score;
pub mod sequence;
pub mod virtual_time;
pub mod wire;

pub use people::ScenarioPeople;
pub use respond::{
    Desk, RETAKE, RehearsalError, UndoOrder, Worked, profile, respond, respond_as, run_responder,
};
pub use run::{DrillError, Run, Stage, run_sequence, run_with};
pub use sequence::Sequence;
pub use virtual_time::{Deadlock, VirtualTime};
pub use wire::{LabTransport, Recorder, SeededEntropy, SharedLab, lock};
