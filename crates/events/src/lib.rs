//! The table `events`: one row per event, as Parquet files that any tool reads, and SQL
//! over them.
//!
//! The way through: [`Table::create`] gives a [`TableWriter`], the
//! [`Sink`](retake_hunt::Sink) that an import puts its events into: files of one week each,
//! sorted by user and time, so that one user's timeline touches one page or two of every
//! file and one day's scan touches one file. [`Table::open`] finds them again. A [`Table`]
//! is a [`Store`](retake_hunt::Store), for the judgement; [`Table::timeline`] gives one
//! user's events back as they went in; [`Table::sql`] asks anything, read-only and with a
//! bound on memory.
//!
//! This room holds the query engine behind its door: no other room names it.

mod columns;
mod hunt;
mod maps;
mod read;
mod sql;
mod table;
mod texts;
mod timeline;
mod writer;

pub use columns::{Column, column_names, columns};
pub use hunt::{HuntFailure, hunt};
pub use sql::{Answer, MAX_BYTES, MAX_ROWS};
pub use table::{Table, TableError, Wanted};
pub use writer::TableWriter;
