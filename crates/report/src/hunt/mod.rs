//! What a hunt found, for people: on one screen, in full in the terminal, as a
//! page; and the events as a timeline, for people and for other programs.
//!
//! Everything here may have been written by an attacker: every text goes
//! through [`crate::escape`] on its way out, every cell through [`cell`].

pub mod cell;
mod details;
mod layout;
mod ledger;
mod page;
mod picture;
pub mod progress;
mod screen;
mod sums;
mod timeline;

pub use details::details;
pub use layout::Look;
pub use page::page;

pub use screen::{Next, screen};
pub use timeline::{Form, Timeline};
