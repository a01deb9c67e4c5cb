//! A scenario: the company, the attack as timed steps, the people on our side,
//! the responder's rights, licences, delays, and what must come out.
//!
//! A scenario is a folder with a file `scenario.toml`. It says *what kind* of
//! things happen and within which bounds; the seed says which ones exactly, so
//! a scenario never names a malicious value. The format with an example of
//! every key is described in `docs/scenario-format.md`.
//!
//! A file that does not fit is refused as a whole, with the file, the line and
//! the reason: see [`ScenarioError`].

mod account;
mod check;
mod form;
mod schema;
mod value;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

pub(crate) use account::FIRST_FURTHER;
pub use account::{AccountKind, Affected, Further};
pub use form::{
    Alert, AttackerHabits, Bait, BaitKind, Comeback, Company, Decision, Delays, Expect, Licences,
    Logs, Move, Outcome, Person, Responder, Role, Step, TakeoverPath, TaskScript, Warning,
};
pub use value::{Count, Percent, Span};

use crate::chance::Chance;
use crate::fault::Fault;
use crate::unconfirmed::Unconfirmed;

/// The name of the file in a scenario's folder.
pub const FILE: &str = "scenario.toml";

/// The version of the format, the value of the key `schema`.
pub const SCHEMA: &str = "retake.scenario/1";

/// The scenarios that come with the program: name and text.
const EMBEDDED: &[(&str, &str)] = &[
    (
        "invoice-fraud",
        include_str!("../../../../scenarios/invoice-fraud/scenario.toml"),
    ),
    (
        "mailbox-persistence",
        include_str!("../../../../scenarios/mailbox-persistence/scenario.toml"),
    ),
    (
        "shared-mailboxes",
        include_str!("../../../../scenarios/shared-mailboxes/scenario.toml"),
    ),
    (
        "consent-phish",
        include_str!("../../../../scenarios/consent-phish/scenario.toml"),
    ),
    (
        "app-only",
        include_str!("../../../../scenarios/app-only/scenario.toml"),
    ),
    (
        "spray",
        include_str!("../../../../scenarios/spray/scenario.toml"),
    ),
    (
        "device-code",
        include_str!("../../../../scenarios/device-code/scenario.toml"),
    ),
    (
        "false-alarm",
        include_str!("../../../../scenarios/false-alarm/scenario.toml"),
    ),
    (
        "spoof",
        include_str!("../../../../scenarios/spoof/scenario.toml"),
    ),
    (
        "poor-tenant",
        include_str!("../../../../scenarios/poor-tenant/scenario.toml"),
    ),
    (
        "token-theft",
        include_str!("../../../../scenarios/token-theft/scenario.toml"),
    ),
    (
        "synced-account",
        include_str!("../../../../scenarios/synced-account/scenario.toml"),
    ),
    (
        "hostile-names",
        include_str!("../../../../scenarios/hostile-names/scenario.toml"),
    ),
    (
        "two-admins",
        include_str!("../../../../scenarios/two-admins/scenario.toml"),
    ),
];

/// One scenario, read and checked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The version of the format, [`SCHEMA`].
    schema: Spanned<String>,
    /// Short name, lower case with hyphens.
    id: Spanned<String>,
    /// One line that says what happens.
    pub title: String,
    /// A paragraph for whoever reads the scenario.
    #[serde(default)]
    pub summary: String,
    /// How the attacker got in.
    pub path: TakeoverPath,
    /// Whether money was moved before the alert.
    #[serde(default)]
    pub money_moved: bool,
    /// How long one call to the tenant takes, in milliseconds.
    pub latency_ms: u32,
    /// What raises the alarm.
    pub alert: Alert,
    /// The company around the affected account.
    pub company: Company,
    /// The affected account, where it is unusual.
    #[serde(default = "ordinary")]
    account: Spanned<Affected>,
    /// Further accounts in the same attacker's hands.
    #[serde(default)]
    further: Vec<Spanned<Further>>,
    /// The steps of the attack.
    #[serde(rename = "step", default)]
    steps: Vec<Spanned<Step>>,
    /// What the attacker does after sign-in was given back.
    #[serde(rename = "comeback", default)]
    comebacks: Vec<Spanned<Comeback>>,
    /// How the attacker behaves once the response has begun.
    #[serde(default)]
    pub attacker: AttackerHabits,
    /// Legitimate things that look odd.
    #[serde(rename = "bait", default)]
    baits: Vec<Spanned<Bait>>,
    /// People on our side.
    #[serde(rename = "person")]
    people: Vec<Spanned<Person>>,
    /// What the responder's app may do.
    pub responder: Responder,
    /// What the tenant has paid for.
    pub licences: Licences,
    /// How long the services take.
    pub delays: Delays,
    /// How the logs are kept and searched.
    #[serde(default)]
    pub logs: Logs,
    /// Faults that the responder meets.
    #[serde(rename = "fault", default)]
    faults: Vec<Fault>,
    /// How the tenant behaves where the documentation is silent: switch and
    /// variant.
    #[serde(default)]
    unconfirmed: BTreeMap<String, Spanned<String>>,
    /// What must be so at the end.
    expect: Spanned<Expect>,
}

impl Scenario {
    /// The names of the scenarios that come with the program.
    pub fn names() -> impl Iterator<Item = &'static str> {
        EMBEDDED.iter().map(|(name, _)| *name)
    }

    /// A scenario by the name of an embedded one, or by the path of a folder.
    pub fn find(name_or_path: &str) -> Result<Self, ScenarioError> {
        match EMBEDDED.iter().find(|(name, _)| *name == name_or_path) {
            Some((name, text)) => Self::parse(&Path::new(name).join(FILE), text),
            None => Self::load(Path::new(name_or_path)),
        }
    }

    /// The scenario in this folder (or in this file).
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let file = if path.is_dir() {
            path.join(FILE)
        } else {
            path.to_owned()
        };
        let text = std::fs::read_to_string(&file).map_err(|error| {
            if error.kind() == std::io::ErrorKind::NotFound {
                ScenarioError::NotFound {
                    asked: path.display().to_string(),
                    known: Self::names().collect::<Vec<_>>().join(", "),
                }
            } else {
                ScenarioError::Unreadable {
                    file: file.clone(),
                    source: error,
                }
            }
        })?;
        Self::parse(&file, &text)
    }

    /// The scenario in `text`; `file` is only named in errors.
    pub fn parse(file: &Path, text: &str) -> Result<Self, ScenarioError> {
        let invalid = |offset: usize, reason: String| ScenarioError::Invalid {
            file: file.to_owned(),
            line: line_of(text, offset),
            reason,
        };
        let scenario: Self = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            invalid(offset, error.message().to_owned())
        })?;
        match check::first_problem(&scenario) {
            None => Ok(scenario),
            Some(problem) => Err(invalid(problem.offset, problem.reason)),
        }
    }

    /// Short name, such as `invoice-fraud`.
    pub fn id(&self) -> &str {
        self.id.get_ref()
    }

    /// How long one call to the tenant takes.
    pub fn latency(&self) -> std::time::Duration {
        std::time::Duration::from_millis(u64::from(self.latency_ms))
    }

    /// The affected account.
    pub fn account(&self) -> &Affected {
        self.account.get_ref()
    }

    /// The further accounts in the same attacker's hands.
    pub fn further(&self) -> impl Iterator<Item = &Further> {
        self.further.iter().map(Spanned::get_ref)
    }

    /// The steps of the attack, as written.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().map(Spanned::get_ref)
    }

    /// The steps that this seed takes.
    pub(crate) fn drawn_steps(&self, chance: Chance) -> Vec<&Step> {
        self.steps()
            .enumerate()
            .filter(|(index, step)| {
                chance
                    .draw("attack", "happens", *index as u64)
                    .happens(step.chance.0)
            })
            .map(|(_, step)| step)
            .collect()
    }

    /// Whether this seed takes such a step, on whichever account.
    pub(crate) fn takes(&self, chance: Chance, wanted: Move) -> bool {
        self.drawn_steps(chance)
            .iter()
            .any(|step| step.action == wanted)
    }

    /// What the attacker does after sign-in was given back, as written.
    pub fn comebacks(&self) -> impl Iterator<Item = &Comeback> {
        self.comebacks.iter().map(Spanned::get_ref)
    }

    /// The legitimate oddities, as written.
    pub fn baits(&self) -> impl Iterator<Item = &Bait> {
        self.baits.iter().map(Spanned::get_ref)
    }

    /// The people on our side, as written.
    pub fn people(&self) -> impl Iterator<Item = &Person> {
        self.people.iter().map(Spanned::get_ref)
    }

    /// The faults that the responder meets, in their order.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// How the tenant behaves where the documentation is silent.
    pub(crate) fn unconfirmed(&self) -> Unconfirmed {
        let mut switches = Unconfirmed::default();
        for (name, variant) in &self.unconfirmed {
            // A name that does not exist was refused with the file.
            let _ = switches.set(name, variant.get_ref());
        }
        switches
    }

    /// What must be so at the end.
    pub fn expect(&self) -> &Expect {
        self.expect.get_ref()
    }
}

/// Why a scenario cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// Neither the name of an embedded scenario nor a folder with one.
    #[error(
        "there is no scenario `{asked}`: known names are {known}; a path must be a folder with a {FILE}"
    )]
    NotFound {
        /// What was asked for.
        asked: String,
        /// The names that exist.
        known: String,
    },
    /// The file is there and cannot be read.
    #[error("{}: cannot be read: {source}", file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not a valid scenario.
    #[error("{}:{line}: {reason}", file.display())]
    Invalid {
        /// Which file.
        file: PathBuf,
        /// Where in it, counted from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
}

/// The account of a file that says nothing about it.
fn ordinary() -> Spanned<Affected> {
    Spanned::new(0..0, Affected::default())
}

/// The line, counted from 1, in which the byte at `offset` stands.
fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|b| *b == b'\n').count() + 1
}
