//! What can happen in a case. The journal stores these events and nothing else;
//! [`crate::state::State`] is the fold over them.
//!
//! The schema is versioned by [`SCHEMA`]: an event that an older program cannot
//! know makes it stop with a clear version error instead of guessing.

mod facts;
mod rights;
mod told;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::catalogue::ActionKind;
use crate::gate::Gate;
use crate::steps::StepId;
use crate::words::{ArtefactId, Digest, ObjectRef};

pub use facts::{Facts, Recipient};
pub use rights::{
    ANONYMOUS, DEFAULT, Holder, HolderKind, MailboxRight, holds_mail, is_standing_entry,
    ordinary_rights, reads_folder,
};
pub use told::{Analysis, Change, FieldChange, Fingerprint, Mail, Origin};

/// The version of the event schema, written into every journal record. Version 2 (issue 4) adds
/// kinds of objects; journals of version 1 are read as they are.
pub const SCHEMA: u32 = 2;

/// One thing that happened in a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The case begins.
    CaseOpened(CaseOpened),
    /// An answer of the tenant is kept as evidence, unchanged.
    EvidenceKept(EvidenceKept),
    /// The account was read.
    AccountRead {
        /// What the account is.
        account: Account,
        /// The answer that says so.
        evidence: Digest,
    },
    /// The account could not be read in time; block goes ahead all the same.
    AccountUnread {
        /// Why.
        why: String,
    },
    /// Permissions, roles, sources and clean hands were checked.
    PreflightDone {
        /// The single checks.
        checks: Vec<Check>,
    },
    /// A gate waits for a person or a condition.
    GateWaiting {
        /// Which gate.
        gate: Gate,
        /// What it waits for.
        why: String,
    },
    /// A gate is passed.
    GatePassed {
        /// Which gate.
        gate: Gate,
        /// Who, or "playbook" for a condition that is met.
        by: String,
        /// What was answered, where the gate asks a question.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<String>,
    },
    /// A named person overrides a gate, with a reason that stays.
    GateOverridden {
        /// Which gate.
        gate: Gate,
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// A named person refuses.
    GateRefused {
        /// Which gate.
        gate: Gate,
        /// Who.
        by: String,
    },
    /// A plan was made from what was observed.
    PlanMade(Plan),
    /// An action is about to leave the process; durable before it does.
    ActionIntended {
        /// Which action of the plans.
        action: ActionId,
        /// The request as it will be sent.
        request: Request,
        /// The state before, if it could be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Digest>,
        /// How often it has been sent before.
        attempt: u32,
    },
    /// The tenant accepted the change.
    ActionApplied {
        /// Which action.
        action: ActionId,
        /// Its HTTP status; nothing when the effect was found by reading.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// How it is known.
        how: Applied,
    },
    /// The tenant shows the change.
    ActionVerified {
        /// Which action.
        action: ActionId,
        /// The answer that shows it.
        evidence: Digest,
    },
    /// The action did not happen and will not by itself.
    ActionStopped {
        /// Which action.
        action: ActionId,
        /// Why.
        why: Stopped,
        /// In words, for a person.
        message: String,
        /// The code of the error book.
        code: String,
    },
    /// All artefacts were read at one time.
    SnapshotTaken(Snapshot),
    /// The logs were read and analysed.
    Analysed(Analysis),
    /// A warning is due.
    WarningDue {
        /// Its number in the case.
        warning: u32,
        /// Whom to warn.
        who: String,
        /// Why.
        why: String,
        /// The pack that tells them what to do.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pack: Option<Digest>,
    },
    /// Every warning that is due now stands in the journal.
    WarningsSettled,
    /// A person says that the warning was given.
    WarningDone {
        /// Its number.
        warning: u32,
        /// Who gave it.
        by: String,
    },
    /// A task is handed to a person.
    TaskOpened {
        /// Its number in the case.
        task: u32,
        /// The step that it belongs to.
        step: StepId,
        /// The duty that has to carry it out.
        who: String,
        /// What to do.
        what: String,
        /// The one object that it is about, where it is about one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        object: Option<ObjectRef>,
    },
    /// A person says that the task is done.
    TaskDone {
        /// Its number.
        task: u32,
        /// Who.
        by: String,
        /// What they answered or saw, in their words, where the task asks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        said: Option<String>,
    },
    /// The tenant shows that the task was carried out, or there is nothing to read.
    TaskVerified {
        /// Its number.
        task: u32,
        /// The answer that shows it.
        evidence: Digest,
    },
    /// Until when each known piece of the attacker's access can live.
    AccessClockSet {
        /// The pieces that end by themselves.
        ends: Vec<AccessEnd>,
        /// The pieces that go on until they are removed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        until_removed: Vec<UntilRemoved>,
    },
    /// A wait is over.
    Waited {
        /// What for.
        until: Timestamp,
    },
    /// The eviction is declared effective: the access clock has run out and a
    /// later snapshot is clean.
    EvictionEffective {
        /// The snapshot that shows it.
        snapshot: u32,
    },
    /// A responder takes a halted case up again.
    Retried {
        /// Who.
        by: String,
    },
    /// A named person takes the containment back.
    ReleaseOrdered {
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// A named person has actions taken back.
    UndoOrdered {
        /// Who.
        by: String,
        /// Why.
        reason: String,
        /// Which, in the order in which they are taken back.
        actions: Vec<ActionId>,
    },
    /// The tenant shows an object again that an undo brought back.
    ObjectRestored {
        /// The undo.
        action: ActionId,
        /// The object as it is now.
        object: Observed,
        /// What is not as it was before, in words.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        differs: Vec<String>,
    },
    /// Something came back after sign-in was given back.
    Reopened {
        /// What.
        why: String,
    },
    /// Another account in the same attacker's hands has a case of its own (S2.6). Each of
    /// the cases says so of the others.
    AccountLinked(LinkedCase),
    /// The watch is over without re-entry.
    WatchEnded {
        /// The last clean snapshot.
        snapshot: u32,
    },
    /// The case is closed.
    Closed(Closing),
}

/// How a case begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseOpened {
    /// The case's id.
    pub case: String,
    /// The tenant's id.
    pub tenant: String,
    /// The account as the responder named it.
    pub account: String,
    /// Who responds, by name.
    pub responder: String,
    /// What raised the case.
    pub alert: String,
    /// The version of the program.
    pub program: String,
}

/// Another account in the same attacker's hands, and its case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkedCase {
    /// The other case's id.
    pub case: String,
    /// Its account, by user principal name.
    pub account: String,
    /// Whether the account holds a directory role; nothing where that could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub administrator: Option<bool>,
    /// Why it is believed to be in the same hands.
    pub why: Vec<String>,
}

/// An answer that is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvidenceKept {
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// What it is, in a few words.
    pub what: String,
    /// The request that it answers; nothing for a document of our own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// Its HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Its length in bytes.
    pub bytes: u64,
}

/// A request as it is known in the case: never its secrets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The HTTP method.
    pub method: String,
    /// Path and query as sent.
    pub url: String,
    /// SHA-256 over `METHOD SP path[?query] LF body`.
    pub sha256: Digest,
}

/// The affected identity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// Directory object id.
    pub id: String,
    /// User principal name.
    pub upn: String,
    /// Display name.
    pub display_name: String,
    /// Primary mail address, if there is a mailbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    /// Department, as the directory has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Job title, as the directory has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_title: Option<String>,
    /// Manager's display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<String>,
    /// Whether sign-in is allowed.
    pub enabled: bool,
    /// Whether it is synchronised from on-premises.
    pub synced: bool,
    /// Member or Guest.
    pub user_type: String,
    /// Sessions older than this are not valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions_valid_from: Option<Timestamp>,
    /// When the password was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_password_change: Option<Timestamp>,
    /// Addresses of the account, without prefix, in lower case.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Where it belongs, where it is not an ordinary account of this tenant.
    #[serde(default, skip_serializing_if = "Standing::is_ordinary")]
    pub standing: Standing,
}

impl Account {
    /// Whether it belongs to another tenant.
    pub fn is_guest(&self) -> bool {
        self.user_type.eq_ignore_ascii_case("guest")
    }

    /// Whether another directory is the master of its password.
    pub fn password_is_elsewhere(&self) -> bool {
        self.is_guest() || self.synced || self.standing.federated == Some(true)
    }

    /// Whether nobody signs in with it: a shared mailbox is opened by people
    /// with rights on it, and its own account stays blocked.
    pub fn stays_blocked(&self) -> bool {
        self.standing.mailbox == Some(MailboxKind::Shared)
    }
}

/// Where an account belongs and what it has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// In a restricted management unit: only roles over that unit count.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restricted: bool,
    /// Whether its domain signs in at another provider, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub federated: Option<bool>,
    /// What mailbox it has, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<MailboxKind>,
    /// When the on-premises directory was last synchronised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sync: Option<Timestamp>,
}

impl Standing {
    fn is_ordinary(&self) -> bool {
        *self == Self::default()
    }
}

/// What mailbox an account has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailboxKind {
    /// A person's.
    User,
    /// One that several people open.
    Shared,
    /// Another kind: a room, a scheduling mailbox.
    Other,
    /// None in this tenant: both ways into it say so.
    Absent,
}

/// One check before the case acts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// What was checked.
    pub what: String,
    /// How it came out.
    pub result: CheckResult,
    /// Details, and what to grant to whom when it failed.
    pub detail: String,
    /// The step that it is about, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepId>,
}

impl Check {
    /// Whether it says that block or revoke cannot be carried out: then nothing is
    /// changed before somebody has granted what is missing.
    pub fn forbids_containment(&self) -> bool {
        let contains = [StepId::new(2, 1), StepId::new(3, 1)];
        self.result == CheckResult::Bad && self.step.is_some_and(|step| contains.contains(&step))
    }

    /// Whether it says that the responder should not be the one to respond.
    pub fn is_unclean(&self) -> bool {
        self.result == CheckResult::Bad && !self.forbids_containment()
    }
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckResult {
    /// As it should be.
    Good,
    /// Not as it should be; the case can go on.
    Warning,
    /// Stands in the way.
    Bad,
    /// Could not be looked at.
    Unknown,
}

/// The number of an action in its case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActionId(pub u32);

impl std::fmt::Display for ActionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Ordered actions, bound to what was observed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Its number in the case, from 1.
    pub plan: u32,
    /// The snapshot that it was made from; nothing for the containment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<u32>,
    /// What is to be done, in order.
    pub actions: Vec<Planned>,
    /// What needs a person's eyes and is left alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<Left>,
}

impl Plan {
    /// Whether it takes actions back: then it moves no phase of the case.
    pub fn is_undo(&self) -> bool {
        !self.actions.is_empty() && self.actions.iter().all(|action| action.undoes.is_some())
    }
}

/// One action of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// Its number in the case.
    pub action: ActionId,
    /// What to do.
    pub kind: ActionKind,
    /// The step under which it is done now.
    pub step: StepId,
    /// To what.
    pub object: ObjectRef,
    /// What was observed of the object; the action stops if it has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<Digest>,
    /// The artefact that this object is, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artefact: Option<ArtefactId>,
    /// The action whose change is taken back: then `kind` is that action's kind, and
    /// this one brings its object to where it was before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<ActionId>,
    /// Why.
    pub why: Vec<String>,
}

impl Planned {
    /// Whether it makes this change, and does not take one back.
    pub fn makes(&self, kind: ActionKind) -> bool {
        self.kind == kind && self.undoes.is_none()
    }

    /// Whether it blocks sign-in: itself, or by taking back that it was given back.
    pub fn blocks_sign_in(&self) -> bool {
        self.makes(ActionKind::BlockSignIn)
            || (self.kind == ActionKind::RestoreSignIn && self.undoes.is_some())
    }

    /// What a person reads, as an order: "Remove inbox rule", "Undo: remove inbox rule".
    pub fn title(&self) -> String {
        let title = self.kind.title();
        match self.undoes {
            None => title.to_owned(),
            Some(of) => format!("Undo {of}, {}", lower_first(title)),
        }
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(chars).collect()
    })
}

/// An object that looks odd and is left alone, for a person to decide.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Left {
    /// The object.
    pub object: ObjectRef,
    /// Why it stands out, and why it is left.
    pub why: Vec<String>,
}

/// How it is known that a change was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Applied {
    /// The tenant answered that it accepted it.
    Accepted,
    /// The outcome was unknown and the tenant shows the effect.
    FoundByReading,
    /// The object was already so before anything was sent.
    AlreadySo,
}

/// Why an action did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// The object is no longer as it was when the plan was made.
    Changed,
    /// The tenant refuses: permission, role or licence.
    Refused,
    /// The state before could not be read, and this action must have it.
    NoEvidence,
    /// The tenant accepted it, and reading shows that it did not happen.
    NoEffect,
    /// The tenant could not be reached or did not answer in a usable way.
    Unreachable,
}

/// All artefacts at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Its number in the case, from 1.
    pub snapshot: u32,
    /// When its first read began.
    pub at: Timestamp,
    /// The account at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// What was seen.
    pub objects: Vec<Observed>,
    /// What was looked at, and how it went.
    pub sources: Vec<Source>,
}

/// One object as it was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// Which object.
    pub object: ObjectRef,
    /// SHA-256 of its facts as canonical JSON: the plan is bound to it.
    pub digest: Digest,
    /// The answers that it was seen in.
    pub evidence: Vec<Digest>,
    /// What it is and does.
    pub facts: Facts,
}

/// A source and how reading it went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// How it went.
    pub looked: Looked,
    /// Why, when it could not be looked at or is not whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The code of the error book, when it could not be looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// Four different answers that are never mixed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Looked {
    /// Looked at, whole.
    Whole,
    /// Looked at, and part is missing.
    InPart,
    /// Could not look.
    CouldNot,
    /// Too early to tell: the source lags.
    TooEarly,
    /// Not looked at.
    Not,
}

/// When a piece of access ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccessEnd {
    /// The artefact.
    pub artefact: ArtefactId,
    /// What it is, in words.
    pub what: String,
    /// When it ends at the latest.
    pub ends_at: Timestamp,
    /// Why then.
    pub why: String,
}

/// A piece of access that no clock ends: it works until it is removed, and the
/// declaration that the eviction is effective says that it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UntilRemoved {
    /// The artefact.
    pub artefact: ArtefactId,
    /// What it is, in words.
    pub what: String,
}

/// How a case ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Closing {
    /// How the attacker came in.
    pub first_access: String,
    /// What was found and removed.
    pub persistence: String,
    /// What was read and sent.
    pub impact: String,
    /// From 0 to 1.
    pub confidence: f64,
    /// What is not known.
    pub unknown: Vec<String>,
}
