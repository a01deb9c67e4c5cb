//! Stories of the tenant, seen from outside: requests in, answers and trace out.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    clippy::print_stdout
)]

mod activity;
mod directory;
mod eviction;
mod exchange;
mod faults;
mod fidelity;
mod logs;
mod mailbox;
mod msal;
mod openapi;
mod sameness;
mod scenario;
mod schema;
mod serve;
mod support;
mod tokens;
