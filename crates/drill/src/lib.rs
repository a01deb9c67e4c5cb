//! How it went: composes lab and responder, plays the people, scores.

pub mod score;
pub mod sequence;
pub mod virtual_time;

pub use virtual_time::{Deadlock, VirtualTime};
