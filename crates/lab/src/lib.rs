//! Where to practise: a tenant, an attacker and a company in it, and the trace.

pub mod chance;
pub(crate) mod event;
pub mod scenario;
pub mod trace;
pub(crate) mod world;

pub use chance::{Chance, Draw};
pub use scenario::{Scenario, ScenarioError};
pub use trace::{Actor, Got, Service, TraceLine, TraceObject};
