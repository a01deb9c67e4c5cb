//! What it means: readers for logs, one event schema, detections, blast radius.
//!
//! The way through: bytes go into an [`Import`], which recognises each
//! record's form by its content and gives [`Event`]s and an account of
//! everything that was read, kept, repeated or damaged. [`Detections`] are
//! matched against the events. [`analyse`] answers for one account:
//! takeover or not, by which path, by whose hand each change was made, and
//! what the attacker read and sent. [`run`] does all of it for files.
//!
//! This room does no printing, has no clock and asks nobody: it reads what it
//! is given. [`import::import`] takes inputs of any size in bounded memory;
//! [`Import`] holds its events, which take about three times the input's
//! unpacked size. One record is at most [`readers::MAX_RECORD`] bytes.

pub mod address;
pub mod agent;
mod analysis;
pub mod answer;
pub mod detections;
pub mod event;
pub mod import;
pub mod json;
pub mod judge;
mod moment;
mod progress;
pub mod readers;
mod report;
pub mod retrace;
pub mod sigma;
pub mod store;
pub mod token;

pub use analysis::{analyse, analyse_with};
pub use answer::{
    Analysis, Blast, By, Change, ChangedItem, Coverage, Finding, Fingerprint, ForOrAgainst, Gap,
    HowRead, Path, PathEvidence, ReachedAccount, ReadMail, Reason, SentMail, Severity, Subject,
    Verdict,
};
pub use detections::{Detection, DetectionError, Detections};
pub use event::{Event, Source};
pub use import::ImportReport;
pub use judge::judge;
pub use progress::Progress;
pub use readers::{Growing, Import, Imported, ReadError};
pub use report::{HuntError, HuntReport, Options, UserAnswer, report, run};
pub use retrace::Retrace;
pub use sigma::{Sigma, SigmaAnswer, SigmaFinding};
pub use store::{Sink, Store, StoreError};
