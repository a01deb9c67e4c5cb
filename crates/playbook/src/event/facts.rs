//! What an object of the tenant is and does, as far as judgement needs it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::rights::{Holder, MailboxRight};

/// What an object is and does, as far as judgement needs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Facts {
    /// An authentication method.
    Method {
        /// The type's name without `#microsoft.graph.`.
        method: String,
        /// Whether it is of the kind that is the default second factor.
        default: bool,
        /// When it was registered, where the service says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        created: Option<Timestamp>,
        /// The phone number, address or device name that it shows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    /// An inbox rule.
    InboxRule {
        /// The name.
        name: String,
        /// Whether it runs.
        enabled: bool,
        /// Whether only Exchange shows it.
        hidden: bool,
        /// Graph's id, where Graph shows it; absent in journals of before 2026-11-23.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        graph_id: Option<String>,
        /// The ids by which it is known (Graph's, Exchange's identity, number).
        #[serde(default)]
        aliases: Vec<String>,
        /// Addresses that it forwards or redirects to, in lower case.
        #[serde(default)]
        forwards_to: Vec<String>,
        /// The folder that it moves to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        moves_to: Option<String>,
        /// Whether it deletes.
        deletes: bool,
        /// Whether it marks as read.
        marks_read: bool,
        /// Its conditions, as canonical JSON text.
        conditions: String,
    },
    /// Both forwarding fields.
    Forwarding {
        /// `ForwardingSmtpAddress` without prefix, in lower case.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        smtp: Option<String>,
        /// `ForwardingAddress`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<String>,
        /// Whether a copy stays in the mailbox.
        keeps_copy: bool,
        /// Who `ForwardingAddress` is, where it is set and could be looked up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<Recipient>,
    },
    /// The automatic reply.
    AutoReply {
        /// `disabled`, `enabled` or `scheduled`, in lower case.
        state: String,
        /// Who outside gets one: `none`, `known` or `all`, in lower case.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        audience: Option<String>,
        /// What colleagues are told.
        internal: String,
        /// What others are told.
        external: String,
        /// From when, where it is scheduled.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// Until when, where it is scheduled.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<String>,
    },
    /// Safe senders and junk lists, each in the service's order.
    JunkLists {
        /// Whether junk mail is sorted out at all.
        enabled: bool,
        /// Senders and domains whose mail never is junk.
        #[serde(default)]
        trusted: Vec<String>,
        /// Recipients and domains of the same kind.
        #[serde(default)]
        trusted_recipients: Vec<String>,
        /// Senders and domains whose mail always is.
        #[serde(default)]
        blocked: Vec<String>,
        /// Whether contacts are trusted.
        contacts_trusted: bool,
    },
    /// The protocols that programs reach the mailbox by; nothing where the service does
    /// not say.
    MailProtocols {
        /// IMAP.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        imap: Option<bool>,
        /// POP.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pop: Option<bool>,
        /// Exchange Web Services.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ews: Option<bool>,
        /// `SmtpClientAuthenticationDisabled`; nothing follows the organisation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        smtp_auth_disabled: Option<bool>,
    },
    /// A mobile device's partnership.
    MobilePartnership {
        /// The device's id.
        device: String,
        /// Type and model, as the device says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<String>,
        /// `EAS`, `Outlook`, …
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client: Option<String>,
        /// When it first synchronised.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        first_sync: Option<Timestamp>,
        /// `Allowed`, `Blocked`, …
        #[serde(default, skip_serializing_if = "Option::is_none")]
        access: Option<String>,
    },
    /// The service stopped the account from sending.
    SendingBlock {
        /// Why, in the service's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Since when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<Timestamp>,
    },
    /// A sweep rule: a store of its own, apart from inbox rules.
    SweepRule {
        /// The name.
        name: String,
        /// Whether it runs.
        enabled: bool,
        /// The ids by which it is known.
        #[serde(default)]
        aliases: Vec<String>,
        /// Whose mail it sweeps.
        sender: String,
        /// From where; the inbox, if nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<String>,
        /// To where; Deleted Items, if nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        destination: Option<String>,
        /// How many days mail stays.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        keep_days: Option<u32>,
        /// How many of the newest stay.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        keep_latest: Option<u32>,
        /// By which program it was made, as far as it is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        provider: Option<String>,
    },
    /// A right on the whole mailbox.
    MailboxRight {
        /// Which.
        right: MailboxRight,
        /// Whose.
        holder: Holder,
    },
    /// A right on one folder of the mailbox, beyond what such a folder has by itself.
    FolderRight {
        /// The folder's id (`FolderId`), which no language changes.
        folder: String,
        /// Where the user sees it, in the mailbox's language: `\Posteingang`.
        path: String,
        /// What it is for (`FolderType`): `Inbox`, `Calendar`, `User Created`.
        folder_type: String,
        /// The rights, roles and single ones, sorted.
        rights: Vec<String>,
        /// What goes with a delegate's right on a calendar (`SharingPermissionFlags`), sorted.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sharing: Vec<String>,
        /// Whose.
        holder: Holder,
    },
    /// A mailbox that the account can open or send as, besides its own.
    Opened {
        /// Its address.
        address: String,
        /// By what it has full access: itself, or a group; empty if it has not.
        #[serde(default)]
        full: Vec<String>,
        /// By what it may send as the mailbox; empty if it may not.
        #[serde(default)]
        send_as: Vec<String>,
    },
    /// How long a mailbox keeps what is deleted from it.
    Keeping {
        /// The retention time in days, where the service says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retain_days: Option<u32>,
        /// Whether what is purged stays that long.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        single_item_recovery: Option<bool>,
        /// Whether it is on litigation hold.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        litigation_hold: Option<bool>,
        /// Whether a hold is licensed, where the service says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hold_licensed: Option<bool>,
    },
    /// A delegated grant.
    Grant {
        /// The app's service principal.
        client: String,
        /// The app's id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        app_id: Option<String>,
        /// The app's name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        app_name: Option<String>,
        /// Whether its publisher is verified.
        verified_publisher: bool,
        /// Whether Microsoft's own tenant owns the app.
        first_party: bool,
        /// The scopes, sorted.
        scopes: Vec<String>,
    },

    // Identity.
    /// A registered device.
    Device {
        /// `deviceId`, by which sign-in logs know it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        identifier: Option<String>,
        /// Whether it is switched on.
        enabled: bool,
        /// How it belongs to the tenant: `Workplace`, `AzureAd`, `ServerAd`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trust: Option<String>,
        /// Its operating system.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        system: Option<String>,
        /// When it was registered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        registered: Option<Timestamp>,
        /// Whether the organisation manages it.
        managed: bool,
    },
    /// An app role that the account was assigned: what it may use, and as what.
    AppRole {
        /// The app's service principal.
        resource: String,
        /// The app's name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        app_name: Option<String>,
        /// The role's id; all zeros is plain access.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<String>,
        /// When it was assigned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        created: Option<Timestamp>,
    },
    /// One of the account's own properties that self-service reset goes by.
    ResetAttribute {
        /// Which: `otherMails`, `mobilePhone`, `businessPhones`.
        attribute: String,
        /// Its values: of a phone one at most.
        #[serde(default)]
        values: Vec<String>,
    },
    /// A directory role that is assigned to the account.
    Role {
        /// The role's template id.
        role: String,
        /// Its name, where the service says it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// `/` for the whole tenant, or the unit that it is over.
        scope: String,
        /// Whose it is, by object id.
        principal: String,
    },
    /// An app with permissions of its own on mail, files or the directory.
    App {
        /// The app's id.
        app_id: String,
        /// Whether it gets tokens.
        enabled: bool,
        /// Whether its publisher is verified.
        verified_publisher: bool,
        /// Whether Microsoft's own tenant owns it.
        first_party: bool,
        /// Its application permissions, sorted.
        #[serde(default)]
        roles: Vec<String>,
        /// Key ids of the secrets and certificates that this tenant keeps for it.
        #[serde(default)]
        credentials: Vec<String>,
    },
}

/// A recipient of the organisation: a mailbox, a group, or a contact outside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// Where mail to it leaves to, in lower case, if it leaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside: Option<String>,
    /// Whether it is a group, whose members are not looked at.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub group: bool,
    /// Every name, address and id that a log may call it by, in lower case.
    #[serde(default)]
    pub names: Vec<String>,
}
