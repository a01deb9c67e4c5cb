//! The words that every room shares: artefacts, objects, digests.
//!
//! These are names only. What an artefact *means* stands in the
//! [catalogue](crate::catalogue); what a step demands in [`crate::steps`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The id of an artefact kind, `A01` to `A99`: an object that a takeover can
/// leave or change in a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtefactId(u8);

impl ArtefactId {
    /// `A01`: a stolen password.
    pub const STOLEN_PASSWORD: Self = Self(1);
    /// `A02`: refresh tokens and session cookies.
    pub const REFRESH_TOKENS: Self = Self(2);
    /// `A03`: a live access token.
    pub const ACCESS_TOKEN: Self = Self(3);
    /// `A04`: an added authentication method that is not the default.
    pub const ADDED_METHOD: Self = Self(4);
    /// `A07`: a visible inbox rule that forwards outside.
    pub const FORWARDING_RULE: Self = Self(7);
    /// `A08`: a visible inbox rule that hides mail by moving and marking read.
    pub const HIDING_RULE: Self = Self(8);
    /// `A09`: an inbox rule hidden from Outlook and Graph.
    pub const HIDDEN_RULE: Self = Self(9);
    /// `A13`: the mailbox's `ForwardingSmtpAddress`.
    pub const SMTP_FORWARDING: Self = Self(13);
    /// `A20`: a delegated grant to an app.
    pub const DELEGATED_GRANT: Self = Self(20);

    /// The artefact with this number, if it is one (1 to 99).
    pub const fn new(number: u8) -> Option<Self> {
        if number >= 1 && number <= 99 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The number behind the `A`.
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl fmt::Display for ArtefactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "A{:02}", self.0)
    }
}

/// A text that is not an artefact id.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an artefact id: ids run from A01 to A99")]
pub struct NotAnArtefactId(String);

impl FromStr for ArtefactId {
    type Err = NotAnArtefactId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_prefix('A')
            .filter(|digits| digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok())
            .and_then(Self::new)
            .ok_or_else(|| NotAnArtefactId(text.to_owned()))
    }
}

impl Serialize for ArtefactId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ArtefactId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// What kind of thing in a tenant an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// A user account; its id is the directory object id.
    Account,
    /// A password; the id is the account's.
    Password,
    /// Sessions and refresh tokens of an account; the id is the account's.
    Session,
    /// An access token; the id says whose and for what, never the token.
    Token,
    /// An authentication method.
    Method,
    /// A rule on a mailbox's inbox.
    InboxRule,
    /// Both forwarding fields of a mailbox; the id is the account's.
    MailboxForwarding,
    /// A delegated permission grant.
    OauthGrant,
    /// An app as it exists in this tenant.
    ServicePrincipal,
    /// A mailbox; the id is the account's.
    Mailbox,
    /// A registered device.
    Device,
    /// A mail message; the id is its internet message id.
    Message,
    /// A sign-in record.
    SignIn,
    /// A record of an audit log.
    AuditRecord,
    /// A person on our side or one to warn.
    Person,
    /// The tenant itself.
    Tenant,
}

impl ObjectKind {
    /// The words a person reads.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Password => "password",
            Self::Session => "sessions",
            Self::Token => "access token",
            Self::Method => "authentication method",
            Self::InboxRule => "inbox rule",
            Self::MailboxForwarding => "mailbox forwarding",
            Self::OauthGrant => "app consent",
            Self::ServicePrincipal => "app",
            Self::Mailbox => "mailbox",
            Self::Device => "device",
            Self::Message => "message",
            Self::SignIn => "sign-in",
            Self::AuditRecord => "audit record",
            Self::Person => "person",
            Self::Tenant => "tenant",
        }
    }
}

/// One object in the tenant: its kind, its id, and the name it shows.
///
/// The name may have been written by the attacker; every exit escapes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectRef {
    /// What it is.
    pub kind: ObjectKind,
    /// Its stable id in the service that holds it.
    pub id: String,
    /// What the service calls it, if it has a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl ObjectRef {
    /// An object without a name.
    pub fn new(kind: ObjectKind, id: impl Into<String>) -> Self {
        Self {
            kind,
            id: id.into(),
            name: None,
        }
    }

    /// The same object with the name that the service shows.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

/// The SHA-256 of some bytes, as 64 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Digest(String);

/// A text that is not a digest.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a SHA-256 digest of 64 lower-case hexadecimal digits")]
pub struct NotADigest(String);

impl Digest {
    /// The digest written as these digits.
    pub fn parse(digits: impl Into<String>) -> Result<Self, NotADigest> {
        let digits = digits.into();
        if digits.len() == 64
            && digits
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        {
            Ok(Self(digits))
        } else {
            Err(NotADigest(digits))
        }
    }

    /// The digest of 32 bytes that a hash function returned.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        use fmt::Write as _;
        let mut digits = String::with_capacity(64);
        for byte in bytes {
            // Writing to a String cannot fail.
            let _ = write!(digits, "{byte:02x}");
        }
        Self(digits)
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits, enough for a person to compare.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn artefact_ids_read_back_as_written_and_nothing_else_is_one() {
        for number in 1..=99 {
            let id = ArtefactId::new(number).unwrap();
            assert_eq!(id.to_string().parse::<ArtefactId>().unwrap(), id);
        }
        for text in ["A00", "A1", "a01", "A100", "A0x", "", "07", "A+7"] {
            assert!(text.parse::<ArtefactId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_digest_is_sixty_four_lower_case_digits() {
        let digest = Digest::from_bytes([0xab; 32]);
        assert_eq!(Digest::parse(digest.as_str()).unwrap(), digest);
        assert!(Digest::parse("AB".repeat(32)).is_err());
        assert!(Digest::parse("ab").is_err());
    }
}
