//! How to reach it: typed reads and changes of a Microsoft 365 tenant.
//!
//! [`Tenant`] is the one concrete client. It speaks HTTP through the
//! [`edge`] and nothing else: the same code runs against the real services
//! over TLS and against anything else that answers like them. Every request
//! belongs to a [`CallSpec`] in [`call::CALLS`], which names the permission
//! and the role it needs.
//!
//! Three promises hold for every call:
//!
//! - A read that comes back says whether it is whole ([`Completeness`]); an
//!   answer that cannot be read is an error and never "no records".
//! - A change is sent once. Whatever leaves its effect in doubt is said
//!   ([`TenantError::effect_unknown`]), so that the caller reads it back.
//! - Tokens, client secrets and passwords live in types that cannot be
//!   printed, and are cut out of every error text and kept answer.

pub mod call;
pub mod client;
pub mod edge;
pub mod error;
pub mod escape;
pub mod model;
pub mod pace;
pub mod profile;
pub mod sign_in;

mod page;
mod send;
mod wire;

pub use call::{CallSpec, Service, Verb};
pub use client::{Options, Tenant};
pub use error::{Kind, SignInProblem, TenantError};
pub use pace::Pacer;
pub use page::{Completeness, Cut};
pub use profile::{Credential, Endpoints, IdentityHost, Profile};
pub use sign_in::{DeviceCodePrompt, TokenFacts};
pub use wire::{Answer, Change, Equivalent, Prepared, Read, RequestRef};
