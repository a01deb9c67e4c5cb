//! Reports of a told case: complete, the same every time, and harmless whatever
//! the attacker calls things.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod hostile;
mod hunt;
mod hunted;
mod shown;
mod story;
