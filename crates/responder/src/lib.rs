//! Makes it happen: asks the playbook what is next, journals, changes, reads
//! back, journals.
//!
//! ```text
//! playbook.next(state) ─▶ command ─▶ intent in the journal ─▶ change ─▶ accepted in the
//! journal ─▶ read ─▶ verified in the journal ─▶ playbook.next(state) … until closed
//! ```
//!
//! The responder knows a [`Tenant`](retake_tenant::Tenant), a
//! [`Store`](retake_casefile::Store), a clock, entropy, and the [`People`] who
//! answer at gates. It does not know whether the tenant is real.

mod act;
mod answers;
mod case;
mod conduct;
mod difference;
mod documents;
mod error;
mod evidence;
mod explain;
mod find;
mod group;
mod logs;
mod observe;
mod open;
mod people;
mod plan_file;
pub mod preflight;
mod protect;
mod run;
mod summary;
mod tasks;
pub mod templates;
mod undo;
mod warn;
mod watch;

pub use act::code_of;
pub use answers::{Answered, Counter, NotRecorded};
pub use case::Watcher;
pub use conduct::Conduct;
pub use error::ResponderError;
pub use explain::{Explained, ExplainedAction};
pub use find::NoAccount;
pub use group::{Dress, Group};
pub use open::{Opening, Responder, Surroundings};
pub use people::{Decision, Outcome, People, Question, Task};
pub use plan_file::{BadPlanFile, PLAN_SCHEMA, PlanFile, PlannedAction};
pub use run::{Extent, Finished};
pub use summary::closing;
pub use undo::{Previewed, UndoOutcome, Undone, Unsent, Which};
pub use watch::Watched;
