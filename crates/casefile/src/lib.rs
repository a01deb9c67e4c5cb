//! What did happen: journal, evidence, leases, signed export.
//!
//! A [`Store`] is one SQLite file with the journals of its cases. A journal is
//! append-only and hash-chained; what a case *is* follows from it and from
//! nothing else. Evidence lies beside it under its own SHA-256. A [`Lease`] keeps
//! two responders off one case and dies with its owner.
//!
//! [`export()`] writes a case as one signed file in which every byte is determined;
//! [`verify()`] needs that file alone, and says where it was altered. [`Bundle`]
//! reads from it.

mod bundle;
mod canonical;
mod container;
mod error;
mod export;
mod key;
mod lease;
mod place;
mod record;
mod store;
mod verify;

pub use bundle::Bundle;
pub use canonical::{canonical_json, digest};
pub use error::StoreError;
pub use export::{Export, Overwrite, export, pack};
pub use key::{Fingerprint, NotAFingerprint, SigningKey32};
pub use lease::Lease;
pub use record::{CaseId, Record};
pub use store::{CaseSummary, Options, Store};
pub use verify::{Problem, Verified, VerifyError, verify, verify_bytes};
