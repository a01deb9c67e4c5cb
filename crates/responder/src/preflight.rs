//! Before anything is done: may the responder do what each step needs, which sources
//! are there, how is the tenant set, and are the hands clean (S1.5, S1.6).
//!
//! Nothing of this stands before block and revoke: what the token says is there
//! already, and everything that has to be asked for is asked beside the first look at
//! the account or, in full, beside the first snapshot.

mod hands;
mod in_case;
mod rights;
mod settings;
mod standing;
mod steps;
mod survey;

pub(crate) use hands::{before_containment, beside_attacker};
pub(crate) use in_case::{Early, account, after_refusal, quick, said, tokens, whole};
pub use rights::{
    FOR_PRIVILEGED, OPTIONAL, Optional, PERMISSIONS, Permission, Resource, Role, Set, SignedInAs,
    role_for, roles, steps_of_role,
};
pub use settings::{LogSource, Setting};
pub use standing::{Can, Grant, Identity, Shown, Standing, StepStanding};
pub use steps::{NEEDS, StepNeeds, steps_of};
pub use survey::{BreakGlass, RightLine, SCHEMA, Scope, Survey, survey};
