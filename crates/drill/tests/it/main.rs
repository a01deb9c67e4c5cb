//! Stories of runs, and what the score makes of them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

mod accounts;
mod batch;
mod changed;
mod claims;
mod comeback;
mod contract;
mod controls;
mod evidence;
mod faults;
mod half;
mod identity;
mod mailbox;
mod order_rules;
mod payment;
mod permissions;
mod person;
mod preserve;
mod rehearsed;
mod response;
mod score;
mod sequences;
mod shared_mailboxes;
mod signing_in;
mod stories;
mod story;
mod together;
mod undo;
