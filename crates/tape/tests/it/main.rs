//! A tape as it is written and read.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod batch;
mod broken;
mod leaks;
mod world;
