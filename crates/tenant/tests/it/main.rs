//! Stories of a client and the services it talks to, over a scripted
//! transport and a virtual clock; one over real TLS.

#![allow(clippy::unwrap_used, clippy::panic)]
// A skipped test says why.
#![allow(clippy::print_stdout)]

mod activity;
mod changing;
mod errors;
mod every_call;
mod exchange;
mod logs;
mod openapi;
mod pace;
mod reading;
mod secrets;
mod sign_in;
mod tls;
mod world;
