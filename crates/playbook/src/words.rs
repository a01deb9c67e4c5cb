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
    /// `A05`: an added authentication method that was made the default.
    pub const DEFAULT_METHOD: Self = Self(5);
    /// `A06`: an app password.
    pub const APP_PASSWORD: Self = Self(6);
    /// `A07`: a visible inbox rule that forwards outside.
    pub const FORWARDING_RULE: Self = Self(7);
    /// `A08`: a visible inbox rule that hides mail by moving and marking read.
    pub const HIDING_RULE: Self = Self(8);
    /// `A09`: an inbox rule hidden from Outlook and Graph.
    pub const HIDDEN_RULE: Self = Self(9);
    /// `A10`: a malicious inbox rule named like one of the system's own.
    pub const DISGUISED_RULE: Self = Self(10);
    /// `A12`: a sweep rule.
    pub const SWEEP_RULE: Self = Self(12);
    /// `A13`: the mailbox's `ForwardingSmtpAddress`.
    pub const SMTP_FORWARDING: Self = Self(13);
    /// `A14`: the mailbox's `ForwardingAddress`, to a contact.
    pub const CONTACT_FORWARDING: Self = Self(14);
    /// `A15`: `FullAccess` on the mailbox, also older than the alert.
    pub const FULL_ACCESS: Self = Self(15);
    /// `A16`: `SendAs` for a guest or somebody outside.
    pub const SEND_AS: Self = Self(16);
    /// `A17`: `SendOnBehalf`.
    pub const SEND_ON_BEHALF: Self = Self(17);
    /// `A18`: a right on the inbox folder for a guest.
    pub const INBOX_RIGHT: Self = Self(18);
    /// `A19`: a right on another folder, or `Default` raised.
    pub const FOLDER_RIGHT: Self = Self(19);
    /// `A20`: a delegated grant to an app.
    pub const DELEGATED_GRANT: Self = Self(20);
    /// `A21`: an app role assigned to the user.
    pub const APP_ROLE: Self = Self(21);
    /// `A22`: an attacker's app with application permissions.
    pub const MALICIOUS_APP: Self = Self(22);
    /// `A24`: a registered device with its primary refresh token.
    pub const REGISTERED_DEVICE: Self = Self(24);
    /// `A25`: a mobile device's partnership with the mailbox.
    pub const MOBILE_PARTNERSHIP: Self = Self(25);
    /// `A30`: SMTP AUTH, IMAP, POP or EWS switched on.
    pub const MAIL_PROTOCOLS: Self = Self(30);
    /// `A31`: an active directory role on the account.
    pub const DIRECTORY_ROLE: Self = Self(31);
    /// `A35`: an automatic reply.
    pub const AUTO_REPLY: Self = Self(35);
    /// `A38`: a second account in the same attacker's hands.
    pub const SECOND_ACCOUNT: Self = Self(38);
    /// `A40`: the account blocked from sending, by the service.
    pub const SENDING_BLOCK: Self = Self(40);
    /// `A41`: a temporary access pass.
    pub const TEMPORARY_ACCESS_PASS: Self = Self(41);
    /// `A42`: phone or other mail changed for self-service reset.
    pub const RESET_ATTRIBUTES: Self = Self(42);
    /// `A43`: safe senders and junk lists.
    pub const JUNK_LISTS: Self = Self(43);
    /// `A50`: a rule that only desktop Outlook runs.
    pub const CLIENT_SIDE_RULE: Self = Self(50);
    /// `A61`: a rule, forward or automatic reply in a shared or delegated mailbox.
    pub const SHARED_MAILBOX: Self = Self(61);

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
    /// The app passwords of an account; the id is the account's.
    AppPassword,
    /// A sweep rule of a mailbox.
    SweepRule,
    /// A right on a whole mailbox: full access, send as, send on behalf.
    MailboxRight,
    /// A right on a folder of a mailbox.
    FolderRight,
    /// The automatic reply of a mailbox; the id is the account's.
    AutoReply,
    /// Safe senders and junk lists of a mailbox; the id is the account's.
    JunkLists,
    /// The protocols that a mailbox can be reached by; the id is the account's.
    MailProtocols,
    /// A mobile device's partnership with a mailbox.
    MobilePartnership,
    /// A rule that only desktop Outlook runs.
    ClientSideRule,
    /// The service's block of an account from sending; the id is the account's.
    SendingBlock,
    /// An app role assigned to a user or to an app.
    AppRole,
    /// A directory role assignment.
    DirectoryRole,
    /// What the directory keeps for self-service reset: phone, other mail; the id is
    /// the account's.
    ResetAttributes,
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
            Self::AppPassword => "app passwords",
            Self::SweepRule => "sweep rule",
            Self::MailboxRight => "right on the mailbox",
            Self::FolderRight => "right on a folder",
            Self::AutoReply => "automatic reply",
            Self::JunkLists => "safe senders and junk lists",
            Self::MailProtocols => "mail protocols",
            Self::MobilePartnership => "mobile device",
            Self::ClientSideRule => "client-side rule",
            Self::SendingBlock => "block from sending",
            Self::AppRole => "app role",
            Self::DirectoryRole => "directory role",
            Self::ResetAttributes => "attributes for self-service reset",
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
    /// Whose mailbox it lies in, by object id, where that is not the affected account's
    /// own: a shared mailbox, one that it could open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<String>,
}

impl ObjectRef {
    /// An object without a name.
    pub fn new(kind: ObjectKind, id: impl Into<String>) -> Self {
        Self {
            kind,
            id: id.into(),
            name: None,
            mailbox: None,
        }
    }

    /// The id of a right on a mailbox or on a folder of one. The services give rights no
    /// id of their own, so it is made of whose mailbox it is (object id), what was given
    /// (`FullAccess`, `SendAs`, `SendOnBehalf`) and to whom, as the list of that right
    /// shows them.
    pub fn right_id(mailbox: &str, right: &str, holder: &str) -> String {
        format!("{mailbox}|{right}|{holder}")
    }

    /// The same object in the mailbox of this account, which is not the affected one.
    #[must_use]
    pub fn in_mailbox(mut self, account: impl Into<String>) -> Self {
        self.mailbox = Some(account.into());
        self
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
