//! What must happen: words, the seven steps, gates, the catalogue and the plan.
//!
//! This room is pure: no I/O, no clock, no randomness, no async. It knows no
//! other room, and every other room speaks its words.

pub mod acquit;
pub mod catalogue;
pub mod closing;
pub mod codes;
pub mod duties;
pub mod errands;
pub mod event;
pub mod gate;
pub mod judge;
pub mod machine;
pub mod payment;
pub mod plan;
pub mod state;
pub mod steps;
pub mod undo;
pub mod words;

pub use catalogue::ActionKind;
pub use event::{ActionId, Event};
pub use gate::Gate;
pub use machine::{Command, Phase, next};
pub use state::State;
pub use steps::StepId;
pub use words::{ArtefactId, Digest, NotADigest, NotAnArtefactId, ObjectKind, ObjectRef};
