//! The events table.

#![allow(clippy::unwrap_used)]

mod table;
