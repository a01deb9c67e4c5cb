//! The table of events, as those who write, read and ask it see it.
#![allow(clippy::unwrap_used, clippy::panic)]

mod asked;
mod made;
mod page;
mod store;
mod table;
