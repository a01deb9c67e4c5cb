//! The lab from outside: what its callers see.

#![allow(clippy::unwrap_used, clippy::panic)]

mod scenario;
