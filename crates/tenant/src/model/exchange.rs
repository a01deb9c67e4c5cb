//! The mailbox as Exchange's cmdlets show it (reference §6.6).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Other, lenient};

/// An inbox rule, hidden ones too.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExchangeRule {
    /// `{mailbox guid}\{number}`.
    pub identity: String,
    /// The number alone, as text: it exceeds what JSON readers keep exact.
    #[serde(default, deserialize_with = "lenient::text")]
    pub rule_identity: Option<String>,
    /// Name, chosen by whoever made it.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: Option<String>,
    /// Whether it acts.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Order of execution.
    #[serde(default)]
    pub priority: Option<i64>,
    /// What it does, in Exchange's words.
    #[serde(default, deserialize_with = "lenient::text")]
    pub description: Option<String>,
    /// Forwards; each like `"Name" [SMTP:address]` or `"Name" [EX:path]`.
    #[serde(default, deserialize_with = "lenient::list")]
    pub forward_to: Vec<String>,
    /// Forwards as attachment.
    #[serde(default, deserialize_with = "lenient::list")]
    pub forward_as_attachment_to: Vec<String>,
    /// Redirects.
    #[serde(default, deserialize_with = "lenient::list")]
    pub redirect_to: Vec<String>,
    /// Deletes.
    #[serde(default)]
    pub delete_message: Option<bool>,
    /// Deletes for good.
    #[serde(default)]
    pub soft_delete_message: Option<bool>,
    /// Moves to this folder.
    #[serde(default, deserialize_with = "lenient::text")]
    pub move_to_folder: Option<String>,
    /// Marks as read.
    #[serde(default)]
    pub mark_as_read: Option<bool>,
    /// Keeps later rules from the message.
    #[serde(default)]
    pub stop_processing_rules: Option<bool>,
    /// Words in the subject.
    #[serde(default, deserialize_with = "lenient::list")]
    pub subject_contains_words: Vec<String>,
    /// Words in subject or body.
    #[serde(default, deserialize_with = "lenient::list")]
    pub subject_or_body_contains_words: Vec<String>,
    /// Senders.
    #[serde(default, deserialize_with = "lenient::list")]
    pub from: Vec<String>,
    /// Whose mailbox, in one of Exchange's many forms.
    #[serde(default, deserialize_with = "lenient::text")]
    pub mailbox_owner_id: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}

impl ExchangeRule {
    /// The mailbox's part of the identity.
    pub fn mailbox_part(&self) -> &str {
        self.identity.split('\\').next().unwrap_or_default()
    }

    /// The rule's number: `RuleIdentity`, or the identity's last part.
    pub fn number(&self) -> Option<&str> {
        self.rule_identity
            .as_deref()
            .or_else(|| self.identity.rsplit_once('\\').map(|(_, number)| number))
    }

    /// Whether it is one of Exchange's own hidden rules (reference §6.2). The
    /// name alone tells, and an attacker may choose the same, so a rule that
    /// sends mail away or deletes it is never taken for one.
    pub fn looks_built_in(&self) -> bool {
        let name = self.name.as_deref().unwrap_or_default();
        let acts = !self.forward_to.is_empty()
            || !self.forward_as_attachment_to.is_empty()
            || !self.redirect_to.is_empty()
            || self.delete_message == Some(true)
            || self.soft_delete_message == Some(true);
        !acts && (name == "Junk E-Mail Rule" || name.starts_with("Microsoft.Exchange.OOF."))
    }
}

/// A mailbox's settings.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Mailbox {
    /// Name or object id.
    #[serde(default, deserialize_with = "lenient::text")]
    pub identity: Option<String>,
    /// The account's object id.
    #[serde(default, deserialize_with = "lenient::text")]
    pub external_directory_object_id: Option<String>,
    /// The account's sign-in name.
    #[serde(default, deserialize_with = "lenient::text")]
    pub user_principal_name: Option<String>,
    /// The mailbox's own guid, the first part of its rules' identities.
    #[serde(default, deserialize_with = "lenient::text")]
    pub exchange_guid: Option<String>,
    /// The guid of the directory object.
    #[serde(default, deserialize_with = "lenient::text")]
    pub guid: Option<String>,
    /// Primary address.
    #[serde(default, deserialize_with = "lenient::text")]
    pub primary_smtp_address: Option<String>,
    /// All addresses, with prefixes.
    #[serde(default, deserialize_with = "lenient::list")]
    pub email_addresses: Vec<String>,
    /// Where mail goes besides; an address inside the tenant.
    #[serde(default, deserialize_with = "lenient::text")]
    pub forwarding_address: Option<String>,
    /// Where mail goes besides, `smtp:address`; ignored while `ForwardingAddress` is set (reference §6.2).
    #[serde(default, deserialize_with = "lenient::text")]
    pub forwarding_smtp_address: Option<String>,
    /// Whether the mailbox keeps a copy.
    #[serde(default)]
    pub deliver_to_mailbox_and_forward: Option<bool>,
    /// `UserMailbox`, `SharedMailbox`, `RoomMailbox`, …
    #[serde(default, deserialize_with = "lenient::text")]
    pub recipient_type_details: Option<String>,
    /// Who may send on behalf of it, by their names.
    #[serde(default, deserialize_with = "lenient::list")]
    pub grant_send_on_behalf_to: Vec<String>,
    /// Whether its audit is on.
    #[serde(default)]
    pub audit_enabled: Option<bool>,
    /// Whether everything is kept, deleted and changed items too (reference §14.1).
    #[serde(default)]
    pub litigation_hold_enabled: Option<bool>,
    /// Whether what is purged stays for the retention time.
    #[serde(default)]
    pub single_item_recovery_enabled: Option<bool>,
    /// The retention time, a .NET time span: `14.00:00:00`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub retain_deleted_items_for: Option<String>,
    /// Licences as Exchange names them.
    #[serde(default, deserialize_with = "lenient::list")]
    pub persisted_capabilities: Vec<String>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}

impl Mailbox {
    /// The forwarding fields together.
    pub fn forwarding(&self) -> Forwarding {
        Forwarding {
            address: self.forwarding_address.clone(),
            smtp_address: self.forwarding_smtp_address.clone(),
            keep_copy: self.deliver_to_mailbox_and_forward.unwrap_or_default(),
        }
    }

    /// How long it keeps what is deleted from it.
    pub fn keeping(&self) -> Keeping {
        Keeping {
            single_item_recovery: self.single_item_recovery_enabled,
            retain_days: self
                .retain_deleted_items_for
                .as_deref()
                .and_then(|span| span.split(['.', ':']).next())
                .and_then(|days| days.parse().ok()),
            litigation_hold: self.litigation_hold_enabled,
        }
    }

    /// Whether it may be put on litigation hold, where it says what it is licensed for.
    pub fn hold_licensed(&self) -> Option<bool> {
        let held = &self.persisted_capabilities;
        (!held.is_empty()).then(|| {
            held.iter()
                .any(|licence| HOLD_LICENCES.contains(&licence.as_str()))
        })
    }

    /// Whether this is the mailbox that was asked for by this name, id or address.
    pub fn is(&self, asked: &str) -> bool {
        let addresses = self
            .email_addresses
            .iter()
            .filter_map(|address| address.split_once(':').map(|(_, address)| address));
        [
            &self.identity,
            &self.external_directory_object_id,
            &self.user_principal_name,
            &self.exchange_guid,
            &self.guid,
            &self.primary_smtp_address,
        ]
        .into_iter()
        .filter_map(Option::as_deref)
        .chain(addresses)
        .any(|name| name.eq_ignore_ascii_case(asked))
    }
}

/// How long a mailbox keeps what is deleted from it (reference §14.1). What is absent
/// is not known, or is left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keeping {
    /// `SingleItemRecoveryEnabled`: what is purged stays for the retention time.
    pub single_item_recovery: Option<bool>,
    /// `RetainDeletedItemsFor` in whole days, at most 30.
    pub retain_days: Option<u32>,
    /// `LitigationHoldEnabled`: everything stays, until the hold is lifted.
    pub litigation_hold: Option<bool>,
}

/// Licences that a litigation hold needs one of (reference §14.1).
const HOLD_LICENCES: [&str; 5] = [
    "BPOS_S_Enterprise",
    "EXCHANGE_S_ENTERPRISE",
    "BPOS_S_ArchiveAddOn",
    "EXCHANGE_S_ARCHIVE_ADDON",
    "BPOS_S_DlpAddOn",
];

/// Both forwarding fields and the copy: always read and set together, since
/// clearing one would switch the other on (reference §6.2).
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
pub struct Forwarding {
    /// `ForwardingAddress`: a recipient inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// `ForwardingSmtpAddress`: any address, with or without `smtp:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smtp_address: Option<String>,
    /// `DeliverToMailboxAndForward`: the mailbox keeps a copy.
    #[serde(default)]
    pub keep_copy: bool,
}

impl Forwarding {
    /// Whether nothing is forwarded.
    pub fn is_off(&self) -> bool {
        self.address.is_none() && self.smtp_address.is_none()
    }
}

/// Somebody's full access to a mailbox.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MailboxPermission {
    /// Who: `NT AUTHORITY\SELF`, a sign-in name or a group.
    #[serde(default, deserialize_with = "lenient::text")]
    pub user: Option<String>,
    /// Rights; one text may hold several, separated by commas.
    #[serde(default, deserialize_with = "lenient::list")]
    pub access_rights: Vec<String>,
    /// Whether it comes from above.
    #[serde(default)]
    pub is_inherited: Option<bool>,
    /// Whether it takes away instead.
    #[serde(default)]
    pub deny: Option<bool>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}

/// Somebody's right to send as a mailbox.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RecipientPermission {
    /// Who.
    #[serde(default, deserialize_with = "lenient::text")]
    pub trustee: Option<String>,
    /// `SendAs`.
    #[serde(default, deserialize_with = "lenient::list")]
    pub access_rights: Vec<String>,
    /// `Allow` or `Deny`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub access_control_type: Option<String>,
    /// Whether it comes from above.
    #[serde(default)]
    pub is_inherited: Option<bool>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}

/// A folder of a mailbox, with its name in the mailbox's language.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MailboxFolder {
    /// What the user calls it.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: Option<String>,
    /// Its path with slashes: `/Posteingang`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub folder_path: Option<String>,
    /// Its id, which no language changes.
    #[serde(default, deserialize_with = "lenient::text")]
    pub folder_id: Option<String>,
    /// What it is for: `Inbox`, `Calendar`, `User Created`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub folder_type: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}

/// An entry of a folder's list of rights.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct FolderPermission {
    /// Who: a display name, `Default`, `Anonymous`; in some answers an object.
    #[serde(default)]
    pub user: Option<Value>,
    /// Rights: roles and single ones; one text may hold several, separated by commas.
    #[serde(default, deserialize_with = "lenient::list")]
    pub access_rights: Vec<String>,
    /// `Delegate`, `CanViewPrivateItems`, on a calendar.
    #[serde(default, deserialize_with = "lenient::list")]
    pub sharing_permission_flags: Vec<String>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}

impl FolderPermission {
    /// Whose entry it is, as a person reads it.
    pub fn who(&self) -> Option<&str> {
        let shown = match self.user.as_ref()? {
            Value::String(text) => text.as_str(),
            Value::Object(parts) => parts.get("DisplayName")?.as_str()?,
            _ => return None,
        };
        Some(shown.trim()).filter(|shown| !shown.is_empty())
    }

    /// The rights one by one, `None` left out, sorted.
    pub fn rights(&self) -> Vec<String> {
        words(&self.access_rights)
    }

    /// The flags one by one, sorted.
    pub fn flags(&self) -> Vec<String> {
        words(&self.sharing_permission_flags)
    }
}

/// A flags list is one text with commas inside a list (reference §6.6).
fn words(texts: &[String]) -> Vec<String> {
    let mut words: Vec<String> = texts
        .iter()
        .flat_map(|text| text.split(','))
        .map(|word| word.trim().to_owned())
        .filter(|word| !word.is_empty() && !word.eq_ignore_ascii_case("None"))
        .collect();
    words.sort();
    words.dedup();
    words
}

/// A recipient of the organisation.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExchangeRecipient {
    /// Name, or where it stands in the directory.
    #[serde(default, deserialize_with = "lenient::text")]
    pub identity: Option<String>,
    /// Name.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: Option<String>,
    /// The name that people see.
    #[serde(default, deserialize_with = "lenient::text")]
    pub display_name: Option<String>,
    /// Alias.
    #[serde(default, deserialize_with = "lenient::text")]
    pub alias: Option<String>,
    /// The directory object's guid.
    #[serde(default, deserialize_with = "lenient::text")]
    pub guid: Option<String>,
    /// The account's object id, if it has an account.
    #[serde(default, deserialize_with = "lenient::text")]
    pub external_directory_object_id: Option<String>,
    /// Primary address.
    #[serde(default, deserialize_with = "lenient::text")]
    pub primary_smtp_address: Option<String>,
    /// Where mail to it leaves to, `SMTP:address`; of contacts and mail users.
    #[serde(default, deserialize_with = "lenient::text")]
    pub external_email_address: Option<String>,
    /// All addresses, with prefixes.
    #[serde(default, deserialize_with = "lenient::list")]
    pub email_addresses: Vec<String>,
    /// `MailContact`, `UserMailbox`, `MailUniversalDistributionGroup`, …
    #[serde(default, deserialize_with = "lenient::text")]
    pub recipient_type: Option<String>,
    /// The same in finer words.
    #[serde(default, deserialize_with = "lenient::text")]
    pub recipient_type_details: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}

impl ExchangeRecipient {
    /// Every name, id and address that it is known by.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        [
            &self.identity,
            &self.name,
            &self.display_name,
            &self.alias,
            &self.guid,
            &self.external_directory_object_id,
            &self.primary_smtp_address,
            &self.external_email_address,
        ]
        .into_iter()
        .filter_map(Option::as_deref)
        .chain(self.email_addresses.iter().map(String::as_str))
        .map(|name| match name.split_once(':') {
            Some((kind, address)) if kind.eq_ignore_ascii_case("smtp") => address,
            _ => name,
        })
    }
}

/// A sweep rule. The JSON was never seen (reference §6.6): names are those of
/// `New-SweepRule`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SweepRule {
    /// `alias\RuleId`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub identity: Option<String>,
    /// The rule's own id.
    #[serde(default, deserialize_with = "lenient::text")]
    pub rule_id: Option<String>,
    /// Name, chosen by whoever made it.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: Option<String>,
    /// Whether it acts.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Whose mail it sweeps.
    #[serde(default, deserialize_with = "lenient::text")]
    pub sender: Option<String>,
    /// From which folder.
    #[serde(default, deserialize_with = "lenient::text")]
    pub source_folder: Option<String>,
    /// To which folder.
    #[serde(default, deserialize_with = "lenient::text")]
    pub destination_folder: Option<String>,
    /// How many days mail stays, as text or number.
    #[serde(default, deserialize_with = "lenient::text")]
    pub keep_for_days: Option<String>,
    /// How many of the newest stay, as text or number.
    #[serde(default, deserialize_with = "lenient::text")]
    pub keep_latest: Option<String>,
    /// `Exchange16`: made in Outlook on the web.
    #[serde(default, deserialize_with = "lenient::text")]
    pub provider: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}

impl SweepRule {
    /// By what it is called when it is removed.
    pub fn key(&self) -> Option<&str> {
        self.identity.as_deref().or(self.rule_id.as_deref())
    }
}
