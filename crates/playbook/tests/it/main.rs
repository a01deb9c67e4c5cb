//! The playbook, told as cases that run event by event, without any tenant.

#![allow(clippy::unwrap_used, clippy::panic)]

mod desk;
mod errands;
mod judging;
mod reset;
mod settings;
mod story;
mod transitions;
