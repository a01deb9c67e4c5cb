//! Hunt's stories: files in, answers out.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod content;
mod shared_data;
