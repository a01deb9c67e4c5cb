//! Where to practise: a tenant, an attacker and a company in it, and the trace.

pub(crate) mod attacker;
pub mod chance;
pub(crate) mod company;
pub mod core;
pub(crate) mod event;
pub mod fault;
pub(crate) mod mailflow;
pub mod people;
pub mod play;
pub mod scenario;
pub mod serve;
pub(crate) mod services;
pub mod trace;
pub mod unconfirmed;
pub(crate) mod ways;
pub(crate) mod world;

pub use chance::{Chance, Draw};
pub use company::names::names_of_people;
pub use core::{Act, Acted, Call, Lab, Reply};
pub use fault::{Fault, FaultKind};
pub use people::{Answer, Ask, PersonAnswer};
pub use play::{BriefedPerson, Briefing};
pub use scenario::{Scenario, ScenarioError};
pub use trace::{Actor, Got, Service, TraceInside, TraceLine, TraceObject};
pub use unconfirmed::{NoSuchSwitch, SWITCHES, Switch};
pub use world::legacy::Legacy;
