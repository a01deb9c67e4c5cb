//! The table `events`: one row per event, as Parquet files that any tool reads, and SQL
//! over them.
//!
//! The way through: [`Table::write`] lays events down in files of one week each, sorted
//! by user and time, so that one user's timeline touches one page or two of every file
//! and one day's scan touches one file; [`Table::open`] finds them again;
//! [`Table::sql`] asks them anything, read-only and with a bound on memory;
//! [`Table::timeline`] gives events back as they went in.
//!
//! This room holds the query engine behind its door: no other room names it.

mod columns;
mod maps;
mod sql;
mod table;

pub use columns::column_names;
pub use sql::{Answer, MAX_ROWS};
pub use table::{Table, TableError, Wanted};
