//! Development only: what the tests of several crates share.
//!
//! Three things live here. [`Contract`] holds every request of the client and every
//! answer of the lab against the OpenAPI subsets of Microsoft Graph
//! (docs/decisions/contract-checking.md). [`check_cmdlet`] does the same for Exchange
//! against a table of cmdlets. [`skip`] and [`shared_dir`] say what a test
//! does when something that it needs is not on this machine.

mod allowances;
mod check;
mod cmdlets;
mod exchange;
mod paths;
mod schema;
mod skipping;

pub use allowances::{ALLOWED, Addition, Allowance};
pub use check::{Contract, LoadError, Verdict};
pub use cmdlets::{CMDLETS, COMMON, Cmdlet, Takes, check_cmdlet};
pub use exchange::{Exchange, ReadError, Version, exchanges};
pub use skipping::{SKIPPED_LOG, shared_dir, skip, skip_without_shared};
