//! Stories of runs, and what the score makes of them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

mod contract;
mod controls;
mod score;
mod sequences;
mod story;
