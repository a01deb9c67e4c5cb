//! Hunt's stories: files in, answers out.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod audit_alone;
mod content;
mod correlation;
mod files;
mod fixtures;
mod forms;
mod hands;
mod panther;
mod properties;
mod shared_data;
mod shared_table;
mod sigma;
mod stories;
mod streaming;
mod tenant;
