//! Hunt's stories: files in, answers out.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod content;
mod files;
mod hands;
mod panther;
mod properties;
mod shared_data;
mod stories;
mod tenant;
