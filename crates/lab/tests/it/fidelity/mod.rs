//! Facts of the documentation that the lab holds to, one story each; the page
//! `docs/fidelity.md` says which story holds which fact.

mod delays;
mod limits;
mod page;
mod rights;
mod sign_in;
mod silent;
mod tokens;
