//! The program as it is installed, run as a process of its own.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests fail by panicking"
)]

mod bad_input;
mod commands;
mod crash;
mod desk;
mod foreign;
mod hostile;
mod hunt;
mod json;
mod lab_check;
mod practice;
mod secrets;
mod signing_in;
mod sql;
mod stranger;
mod tape;
mod templates;
mod tenant;
mod tls;
