//! What the corpus promises, and what the hunt finds in it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod corpus;
mod coverage;
mod found;
mod judged;
mod soaked;
