//! Where to practise: a tenant, an attacker and a company in it, and the trace.

pub mod chance;
pub mod scenario;

pub use chance::{Chance, Draw};
pub use scenario::{Scenario, ScenarioError};
