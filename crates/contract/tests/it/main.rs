//! What holds for the repository as a whole, and for the contract checker.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

mod contract;
mod crates;
mod dependencies;
mod documentation;
mod repository;
