//! A mailbox's settings besides rules and forwarding, as Exchange's cmdlets show them.
//! Most of this JSON was never seen (reference §6.6): names are those of the cmdlets'
//! pages, and every field may be absent.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Other, lenient};

/// The automatic reply.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AutoReply {
    /// `Disabled`, `Enabled`, `Scheduled`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub auto_reply_state: Option<String>,
    /// `None`, `Known`, `All`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub external_audience: Option<String>,
    /// What colleagues are told; markup.
    #[serde(default, deserialize_with = "lenient::text")]
    pub internal_message: Option<String>,
    /// What others are told; markup.
    #[serde(default, deserialize_with = "lenient::text")]
    pub external_message: Option<String>,
    /// From when, where it is scheduled.
    #[serde(default, deserialize_with = "lenient::text")]
    pub start_time: Option<String>,
    /// Until when, where it is scheduled.
    #[serde(default, deserialize_with = "lenient::text")]
    pub end_time: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}

/// Safe senders and junk lists.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct JunkConfiguration {
    /// Whether junk mail is sorted out.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Senders and domains whose mail never is junk.
    #[serde(default, deserialize_with = "lenient::list")]
    pub trusted_senders_and_domains: Vec<String>,
    /// Recipients and domains of the same kind.
    #[serde(default, deserialize_with = "lenient::list")]
    pub trusted_recipients_and_domains: Vec<String>,
    /// Senders and domains whose mail always is.
    #[serde(default, deserialize_with = "lenient::list")]
    pub blocked_senders_and_domains: Vec<String>,
    /// Whether contacts are trusted.
    #[serde(default)]
    pub contacts_trusted: Option<bool>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}

/// How programs reach a mailbox.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ClientAccess {
    /// IMAP.
    #[serde(default)]
    pub imap_enabled: Option<bool>,
    /// POP.
    #[serde(default)]
    pub pop_enabled: Option<bool>,
    /// Exchange Web Services.
    #[serde(default)]
    pub ews_enabled: Option<bool>,
    /// SMTP AUTH is off; nothing follows the organisation.
    #[serde(default)]
    pub smtp_client_authentication_disabled: Option<bool>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}

/// A mobile device's partnership with a mailbox.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MobileDevice {
    /// `Mailbox\ExchangeActiveSyncDevices\Type§…`; not ASCII.
    #[serde(default, deserialize_with = "lenient::text")]
    pub identity: Option<String>,
    /// The device's own id.
    #[serde(default, deserialize_with = "lenient::text")]
    pub device_id: Option<String>,
    /// What kind of device it says it is.
    #[serde(default, deserialize_with = "lenient::text")]
    pub device_type: Option<String>,
    /// Its model.
    #[serde(default, deserialize_with = "lenient::text")]
    pub device_model: Option<String>,
    /// `EAS`, `Outlook`, …
    #[serde(default, deserialize_with = "lenient::text")]
    pub client_type: Option<String>,
    /// When it first synchronised.
    #[serde(default, deserialize_with = "lenient::time")]
    pub first_sync_time: Option<Timestamp>,
    /// `Allowed`, `Blocked`, `Quarantined`, …
    #[serde(default, deserialize_with = "lenient::text")]
    pub device_access_state: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}

impl MobileDevice {
    /// By what it is called when it is removed.
    pub fn key(&self) -> Option<&str> {
        self.identity.as_deref()
    }
}

/// An account that the service stopped from sending.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BlockedSender {
    /// The account's address.
    #[serde(default, deserialize_with = "lenient::text")]
    pub sender_address: Option<String>,
    /// Why, in the service's words.
    #[serde(default, deserialize_with = "lenient::text")]
    pub reason: Option<String>,
    /// Since when.
    #[serde(default, deserialize_with = "lenient::time")]
    pub created_datetime: Option<Timestamp>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}
