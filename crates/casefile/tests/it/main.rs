//! Stories of a case's file: how it is written, shared, damaged and checked.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod export;
mod lease;
mod store;
mod story;
mod tamper;
