//! What was said: a redacted transcript of calls and answers, and its replay.
//!
//! A [`Recorder`] writes what goes through a transport to a file of JSON lines, every line redacted
//! before it leaves the process ([`redact`]). [`read()`] gives the file back. [`replay`] lets the
//! client read each recorded answer once more, and [`compare()`] sends the recorded requests to a lab
//! and compares the form of its answers with that of the recorded ones. The format and what is
//! redacted stand in docs/tape-format.md.

mod batch;
mod compare;
mod form;
mod lab;
mod record;
pub mod redact;
mod replay;

pub use compare::Difference;
pub use form::{Answer, Body, Exchange, Header, Request, SCHEMA, Tape, TapeError, read};
pub use lab::{Comparison, compare};
pub use record::{Recorder, RecordingTransport};
pub use replay::{Reading, Unread, replay};
