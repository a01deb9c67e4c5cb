//! The answers: what `analyse` says about one account.
//!
//! Every list is sorted, so the same events give the same answer, in whatever
//! order they came. Texts may quote what an attacker wrote: escape them at
//! every exit.

use std::collections::BTreeMap;

use jiff::Timestamp;
use retake_playbook::ObjectKind;
use serde::Serialize;

use crate::event::Source;

/// Whom the question is about, and what the one who asks already knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// Directory object id.
    pub id: Option<String>,
    /// User principal name; compared without case.
    pub upn: String,
    /// The organisation's own mail domains; compared without case. Empty:
    /// they are taken from the accounts seen at work in the events.
    pub own_domains: Vec<String>,
    /// When the alert came: the baseline is what was there long enough before.
    pub alert_at: Option<Timestamp>,
    /// Application ids of the responder's own tools: their events are marked
    /// as the responder's and are evidence of nothing.
    pub own_app_ids: Vec<String>,
    /// Addresses from which other accounts of the organisation were taken.
    pub hostile: Vec<std::net::IpAddr>,
}

/// What the events say about the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Somebody else uses, or used, the account.
    Compromised,
    /// Something is there that needs an explanation.
    Suspicious,
    /// Nothing was found, and the sources that would show it were there.
    Clean,
    /// Nothing was found, but the sources that would show it were not there.
    Unknown,
}

impl Verdict {
    /// The word in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compromised => "compromised",
            Self::Suspicious => "suspicious",
            Self::Clean => "clean",
            Self::Unknown => "unknown",
        }
    }

    /// A person has to look.
    pub const fn is_alarming(self) -> bool {
        matches!(self, Self::Compromised | Self::Suspicious)
    }
}

/// The path of takeover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Path {
    /// The user gave password (and second factor) to somebody in the middle,
    /// or on a copied page.
    CredentialPhishing,
    /// The user was talked into consenting to an app.
    ConsentPhishing,
    /// A session or token of the user was taken and used elsewhere.
    TokenTheft,
    /// The password was guessed or sprayed.
    PasswordAttack,
    /// The user entered a code that signed somebody else in.
    DeviceCodePhishing,
    /// No takeover.
    None,
    /// There was one, or may have been, and the events do not say how.
    Unknown,
}

impl Path {
    /// The word in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CredentialPhishing => "credential_phishing",
            Self::ConsentPhishing => "consent_phishing",
            Self::TokenTheft => "token_theft",
            Self::PasswordAttack => "password_attack",
            Self::DeviceCodePhishing => "device_code_phishing",
            Self::None => "none",
            Self::Unknown => "unknown",
        }
    }
}

/// Whether evidence speaks for a statement or against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ForOrAgainst {
    /// It supports the statement.
    For,
    /// It contradicts it.
    Against,
}

/// One piece of evidence about the path of takeover.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PathEvidence {
    /// The path it is about.
    pub path: Path,
    /// Which way it points.
    pub for_or_against: ForOrAgainst,
    /// In words.
    pub text: String,
    /// Record ids behind it.
    pub events: Vec<String>,
}

/// One reason for a verdict.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Reason {
    /// Points it adds to (or takes from) the score.
    pub points: i32,
    /// In words.
    pub text: String,
    /// Record ids behind it.
    pub events: Vec<String>,
}

/// What the attacker's events have in common that the user's have not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Fingerprint {
    /// Addresses.
    pub addresses: Vec<String>,
    /// Autonomous system numbers, none that the user works from.
    pub networks: Vec<u32>,
    /// User agents that the user does not use.
    pub user_agents: Vec<String>,
    /// Entra and Exchange session ids. A stolen session of the user is one of
    /// them: sessions alone do not say whose an event is.
    pub sessions: Vec<String>,
    /// Token ids.
    pub token_ids: Vec<String>,
    /// Application ids that the attacker had consent for (not the clients
    /// that everybody uses).
    pub apps: Vec<String>,
    /// Device ids.
    pub devices: Vec<String>,
}

impl Fingerprint {
    /// Nothing is known of the attacker.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Who made a change, as far as the evidence goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Somebody else, through this account or with its help.
    Attacker,
    /// The user.
    User,
    /// Whoever answers the case.
    Responder,
    /// Cannot be told.
    Unknown,
}

/// One change to something that a case looks after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// Operation, folded.
    pub operation: String,
    /// What kind of object.
    pub object_kind: ObjectKind,
    /// Every id and name by which a surface may know the object: rule name,
    /// `Identity` and number; grant id, app id and service principal id;
    /// method type, phone, method id; account id and name.
    pub object_ids: Vec<String>,
    /// The name that people see, if the record has one.
    pub name: Option<String>,
    /// The account or mailbox that was changed: user principal name where
    /// known, else whatever the record says.
    pub account: Option<String>,
    /// The account that did it.
    pub actor: Option<String>,
    /// Parameters and new values.
    pub parameters: BTreeMap<String, String>,
    /// What the values were before, where the record says so.
    pub was: BTreeMap<String, String>,
    /// Whose doing.
    pub by: By,
    /// Why that is said.
    pub reasons: Vec<String>,
    /// Ids of the detections that the change raises.
    pub detections: Vec<String>,
    /// Address it came from.
    pub address: Option<String>,
    /// Session it came in.
    pub session: Option<String>,
    /// The record.
    pub record_id: String,
    /// Other records of the same act (another log told of it too).
    pub also: Vec<String>,
}

/// One message that the attacker sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SentMail {
    /// When.
    pub at: Timestamp,
    /// Internet message id with angle brackets.
    pub message_id: Option<String>,
    /// Subject.
    pub subject: Option<String>,
    /// Recipients, lower case, from audit and trace together.
    pub recipients: Vec<String>,
    /// Records behind it.
    pub events: Vec<String>,
}

/// One message under the account's name that came from outside and was never sent from it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ImpersonatedMail {
    /// When it arrived.
    pub at: Timestamp,
    /// Internet message id with angle brackets.
    pub message_id: String,
    /// Subject.
    pub subject: Option<String>,
    /// Recipients, lower case.
    pub recipients: Vec<String>,
    /// The address that handed it over.
    pub address: String,
    /// Records behind it.
    pub events: Vec<String>,
}

/// How it is known that mail was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HowRead {
    /// The message is listed.
    Bind,
    /// Its whole folder was synchronised.
    Sync,
    /// The audit was throttled: everything may have been read for 24 hours.
    Throttled,
}

/// Mail that the attacker read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ReadMail {
    /// When.
    pub at: Timestamp,
    /// Internet message id; none where a whole folder or mailbox must be
    /// assumed.
    pub message_id: Option<String>,
    /// Its subject, where the record or the message trace has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Folder path.
    pub folder: Option<String>,
    /// How it is known.
    pub how: HowRead,
    /// The record.
    pub record_id: String,
}

/// Something that the attacker changed, moved or deleted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ChangedItem {
    /// When.
    pub at: Timestamp,
    /// What was done.
    pub operation: String,
    /// What kind of object.
    pub kind: ObjectKind,
    /// Ids and names by which it is known.
    pub ids: Vec<String>,
    /// The record.
    pub record_id: String,
}

/// Another account that shares something with the attacker.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ReachedAccount {
    /// User principal name, lower case.
    pub user: String,
    /// What it shares, in words.
    pub how: String,
    /// The attacker got in there, not only knocked.
    pub entered: bool,
    /// Records behind it.
    pub events: Vec<String>,
}

/// What the attacker did with the access.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Blast {
    /// Mail sent.
    pub sent: Vec<SentMail>,
    /// Mail read.
    pub read: Vec<ReadMail>,
    /// Things changed, moved, deleted.
    pub changed: Vec<ChangedItem>,
    /// Other accounts touched.
    pub accounts: Vec<ReachedAccount>,
}

/// A span of a source that is missing or in doubt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Gap {
    /// Begin, if known.
    pub from: Option<Timestamp>,
    /// End, if known.
    pub to: Option<Timestamp>,
    /// What is missing and what that leaves unknown.
    pub why: String,
}

/// What one source covered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// The source.
    pub source: Source,
    /// Earliest event seen. What was asked for may reach further: only the
    /// caller knows that.
    pub from: Option<Timestamp>,
    /// Latest event seen.
    pub to: Option<Timestamp>,
    /// Events of it that concern the account.
    pub events: usize,
    /// What is missing.
    pub gaps: Vec<Gap>,
}

/// How bad.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Often legitimate.
    Low,
    /// Needs a look.
    Medium,
    /// Rarely legitimate.
    High,
}

impl Severity {
    /// The word in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// So many record ids a finding names at most; all are counted.
pub const MAX_NAMED: usize = 200;

/// One detection raised for one user.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Detection id.
    pub detection: String,
    /// Its title.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// ATT&CK techniques.
    pub technique: Vec<String>,
    /// 0 to 1.
    pub confidence: f64,
    /// The user, lower case; empty if the record names none.
    pub user: String,
    /// First event.
    pub first: Timestamp,
    /// Last event.
    pub last: Timestamp,
    /// How many events.
    pub count: usize,
    /// Their record ids, in order of time: the first [`MAX_NAMED`].
    pub events: Vec<String>,
    /// Why it matters.
    pub why: String,
}

/// Everything that is said about one account.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Analysis {
    /// The verdict.
    pub verdict: Verdict,
    /// 0 to 100.
    pub score: u32,
    /// What makes the score.
    pub reasons: Vec<Reason>,
    /// The path of takeover.
    pub path: Path,
    /// How sure of the path, 0 to 1.
    pub confidence: f64,
    /// Evidence for and against each path considered.
    pub path_evidence: Vec<PathEvidence>,
    /// The earliest event that is the attacker's.
    pub first_known_bad: Option<Timestamp>,
    /// The records of that moment: one act may stand in several logs.
    pub first_known_bad_events: Vec<String>,
    /// The latest event that is the attacker's and was no failure.
    pub last_known_bad: Option<Timestamp>,
    /// Addresses that the user's own sign-ins came from.
    pub own_addresses: Vec<std::net::IpAddr>,
    /// The attacker's fingerprint.
    pub fingerprint: Fingerprint,
    /// Changes that concern the account or that the attacker made, in order
    /// of time.
    pub changes: Vec<Change>,
    /// What was done with the access.
    pub blast: Blast,
    /// Mail under the account's name that was never sent from it: no takeover, and fraud
    /// all the same.
    pub impersonated: Vec<ImpersonatedMail>,
    /// What the sources covered.
    pub coverage: Vec<Coverage>,
}

impl Analysis {
    /// Verdict, score and path alone: what is kept of the many accounts that need no look.
    #[must_use]
    pub fn brief(self) -> Self {
        Self {
            path_evidence: Vec::new(),
            own_addresses: Vec::new(),
            changes: Vec::new(),
            blast: Blast::default(),
            impersonated: Vec::new(),
            coverage: Vec::new(),
            ..self
        }
    }
}
