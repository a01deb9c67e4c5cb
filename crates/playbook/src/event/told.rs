//! What the logs tell: who changed what, what was sent and read, and by whom.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Source;

/// What the logs say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// Whether only the quick sources were asked.
    pub quick: bool,
    /// compromised, suspicious, clean or unknown.
    pub verdict: String,
    /// The path of takeover.
    pub path: String,
    /// From 0 to 1.
    pub confidence: f64,
    /// The evidence for and against the path, in words.
    pub reasons: Vec<String>,
    /// The first event that was the attacker's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_known_bad: Option<Timestamp>,
    /// The last event that was the attacker's and went through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_known_bad: Option<Timestamp>,
    /// What the attacker is known by.
    pub fingerprint: Fingerprint,
    /// Who changed what, as the logs tell it.
    pub changes: Vec<Change>,
    /// Mail sent by the attacker.
    pub sent: Vec<Mail>,
    /// Mail under the account's name that came from outside and was never sent from it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub impersonated: Vec<Mail>,
    /// Mail read by the attacker.
    pub read: Vec<Mail>,
    /// Other accounts that share the fingerprint.
    pub accounts: Vec<String>,
    /// What was looked at.
    pub sources: Vec<Source>,
}

/// What the attacker is known by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Addresses.
    pub addresses: Vec<String>,
    /// Sessions.
    pub sessions: Vec<String>,
    /// User agents.
    pub user_agents: Vec<String>,
    /// App ids.
    pub apps: Vec<String>,
}

/// A change that the logs tell of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// The operation's name in the log.
    pub operation: String,
    /// What kind of object.
    pub kind: crate::words::ObjectKind,
    /// Every id and name by which the object may be known.
    pub ids: Vec<String>,
    /// The parameters in one text, in lower case, to tell objects of one name apart.
    pub parameters: String,
    /// Whose change it was.
    pub by: Origin,
    /// Why that is believed.
    pub reasons: Vec<String>,
    /// The record's id.
    pub record: String,
    /// The values that it set, of settings in which the attacker's and the owner's stand
    /// side by side; absent in journals of before 2026-11-23.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
}

/// One value that a change set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The parameter or property.
    pub name: String,
    /// What it was, where the record says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What it became.
    pub to: String,
}

/// Whose act it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The attacker's.
    Attacker,
    /// The user's own.
    User,
    /// Ours.
    Responder,
    /// Not known.
    Unknown,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mail {
    /// Its internet message id.
    pub message: String,
    /// Its subject.
    pub subject: String,
    /// Its recipients, when it was sent.
    #[serde(default)]
    pub recipients: Vec<String>,
    /// When it was sent or read.
    pub at: Timestamp,
    /// How it is known.
    pub how: String,
}
