//! Stories of a client and the services it talks to, over a scripted
//! transport and a virtual clock; one over real TLS.

#![allow(clippy::unwrap_used, clippy::panic)]
// A skipped test says why.
#![allow(clippy::print_stdout)]

mod activity;
mod batch;
mod changing;
mod doubles;
mod errors;
mod every_call;
mod exchange;
mod logs;
mod openapi;
mod pace;
mod reaching;
mod reading;
mod secrets;
mod sign_in;
mod sign_in_app;
mod sign_in_person;
mod tls;
mod world;
