//! What holds for the repository as a whole, and for the contract checker.

mod contract;
mod crates;
mod dependencies;
mod documentation;
mod repository;
