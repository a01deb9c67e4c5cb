//! Mailboxes: folders, messages, rules, forwarding and rights.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::directory::User;
use super::folders::FolderEntry;
use super::settings::{JunkList, Protocol};

/// A mail address with the name shown beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) name: String,
    pub(crate) address: String,
}

impl Address {
    /// An address and its name.
    pub(crate) fn new(name: impl Into<String>, address: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            address: address.into(),
        }
    }
}

/// A folder.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    pub(crate) id: String,
    pub(crate) parent: Option<String>,
    /// As the user sees it: localised.
    pub(crate) display_name: String,
    /// `inbox`, `sentitems`, …; the word that Graph paths take.
    pub(crate) well_known: Option<String>,
}

/// A message in a mailbox.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// Store id; changes when the message is moved.
    pub(crate) id: String,
    /// `<…>`, with the angle brackets.
    pub(crate) internet_message_id: String,
    pub(crate) folder: String,
    pub(crate) conversation: String,
    pub(crate) subject: String,
    pub(crate) from: Address,
    pub(crate) to: Vec<Address>,
    pub(crate) cc: Vec<Address>,
    pub(crate) bcc: Vec<Address>,
    pub(crate) reply_to: Vec<Address>,
    pub(crate) sent: Timestamp,
    pub(crate) received: Timestamp,
    pub(crate) body: String,
    pub(crate) read: bool,
    pub(crate) has_attachments: bool,
    pub(crate) draft: bool,
    /// Size in bytes.
    pub(crate) size: u32,
}

/// Mail on its way, before routing.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub(crate) internet_message_id: String,
    pub(crate) conversation: String,
    pub(crate) subject: String,
    pub(crate) from: Address,
    pub(crate) to: Vec<Address>,
    pub(crate) cc: Vec<Address>,
    pub(crate) bcc: Vec<Address>,
    pub(crate) reply_to: Vec<Address>,
    pub(crate) body: String,
    pub(crate) has_attachments: bool,
    pub(crate) size: u32,
    pub(crate) sent: Timestamp,
    /// Address of the machine that handed it in.
    pub(crate) from_ip: String,
    /// A rule or a mailbox forward made it, not a person.
    pub(crate) automatic: bool,
}

impl Mail {
    /// Every recipient, hidden ones too.
    pub(crate) fn recipients(&self) -> impl Iterator<Item = &Address> {
        self.to.iter().chain(&self.cc).chain(&self.bcc)
    }
}

/// When a rule applies; empty lists and `false` ask nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RuleConditions {
    pub(crate) subject_contains: Vec<String>,
    pub(crate) body_contains: Vec<String>,
    pub(crate) subject_or_body_contains: Vec<String>,
    pub(crate) sender_contains: Vec<String>,
    pub(crate) recipient_contains: Vec<String>,
    pub(crate) from_addresses: Vec<Address>,
    pub(crate) sent_to_me: bool,
    pub(crate) has_attachments: bool,
}

impl RuleConditions {
    /// Whether nothing is asked.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a message meets every condition that is set.
    pub(crate) fn meet(&self, mail: &Mail, owner: &str) -> bool {
        let subject = mail.subject.to_lowercase();
        let body = mail.body.to_lowercase();
        let sender = format!("{} {}", mail.from.name, mail.from.address).to_lowercase();
        let any = |words: &[String], texts: &[&str]| {
            words.is_empty()
                || words.iter().any(|word| {
                    let word = word.to_lowercase();
                    texts.iter().any(|text| text.contains(&word))
                })
        };
        any(&self.subject_contains, &[&subject])
            && any(&self.body_contains, &[&body])
            && any(&self.subject_or_body_contains, &[&subject, &body])
            && any(&self.sender_contains, &[&sender])
            && (self.recipient_contains.is_empty()
                || mail.recipients().any(|recipient| {
                    any(
                        &self.recipient_contains,
                        &[&recipient.address.to_lowercase()],
                    )
                }))
            && (self.from_addresses.is_empty()
                || self
                    .from_addresses
                    .iter()
                    .any(|from| from.address.eq_ignore_ascii_case(&mail.from.address)))
            && (!self.sent_to_me
                || mail
                    .to
                    .iter()
                    .any(|to| to.address.eq_ignore_ascii_case(owner)))
            && (!self.has_attachments || mail.has_attachments)
    }
}

/// What a rule does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RuleActions {
    pub(crate) forward_to: Vec<Address>,
    pub(crate) forward_as_attachment_to: Vec<Address>,
    pub(crate) redirect_to: Vec<Address>,
    /// Folder id.
    pub(crate) move_to_folder: Option<String>,
    /// Folder id.
    pub(crate) copy_to_folder: Option<String>,
    pub(crate) delete: bool,
    pub(crate) permanent_delete: bool,
    pub(crate) mark_as_read: bool,
    pub(crate) stop_processing: bool,
    pub(crate) assign_categories: Vec<String>,
}

/// A rule on the inbox.
#[derive(Clone, Debug)]
pub(crate) struct InboxRule {
    /// Graph's id.
    pub(crate) id: String,
    /// Exchange's `RuleIdentity`: above 2^63 (reference §6.6).
    pub(crate) number: u64,
    pub(crate) name: String,
    /// 1 first; Exchange's `Priority`, Graph's `sequence`.
    pub(crate) sequence: i32,
    pub(crate) enabled: bool,
    /// Shown only by Exchange with `-IncludeHidden`.
    pub(crate) hidden: bool,
    pub(crate) conditions: RuleConditions,
    pub(crate) exceptions: RuleConditions,
    pub(crate) actions: RuleActions,
}

/// A sweep rule: what a sender sent goes to another folder after some days, or all but
/// the newest of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct SweepRule {
    /// `RuleId`.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) enabled: bool,
    pub(crate) sender: String,
    /// Folder path; `None` is the inbox.
    pub(crate) source: Option<String>,
    /// Folder path; `None` is Deleted Items.
    pub(crate) destination: Option<String>,
    pub(crate) keep_days: Option<u32>,
    /// All but so many of the newest go at once.
    pub(crate) keep_latest: Option<u32>,
}

/// A right on a mailbox.
#[derive(Clone, Debug)]
pub(crate) struct MailboxRight {
    /// User key as shown: UPN or `NT AUTHORITY\SELF`.
    pub(crate) holder: String,
    /// `FullAccess`, `ReadPermission`, `SendAs`.
    pub(crate) rights: Vec<String>,
}

/// A phone's partnership.
#[derive(Clone, Debug)]
pub(crate) struct MobileDevice {
    /// `alias\\ExchangeActiveSyncDevices\\…§…`; not ASCII (reference §6.2).
    pub(crate) identity: String,
    /// `DeviceId`.
    pub(crate) id: String,
    /// `DeviceType`.
    pub(crate) kind: String,
    /// `DeviceModel`.
    pub(crate) model: String,
    /// `ClientType`.
    pub(crate) client: String,
    pub(crate) first_sync: Timestamp,
}

impl AutoReply {
    /// `AutoReplyState`.
    pub(crate) const fn state(&self) -> &'static str {
        if self.enabled { "Enabled" } else { "Disabled" }
    }
}

/// The automatic reply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AutoReply {
    pub(crate) enabled: bool,
    pub(crate) internal: String,
    pub(crate) external: String,
}

/// How long a mailbox keeps what is deleted from it (reference §14.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keeping {
    /// `SingleItemRecoveryEnabled`.
    pub(crate) single_item_recovery: bool,
    /// `RetainDeletedItemsFor`, in days; at most 30.
    pub(crate) retain_days: u32,
    /// `LitigationHoldEnabled`.
    pub(crate) litigation_hold: bool,
    /// Since when, and by whom, it is held.
    pub(crate) held: Option<(Timestamp, String)>,
}

impl Default for Keeping {
    fn default() -> Self {
        Self {
            single_item_recovery: true,
            retain_days: 14,
            litigation_hold: false,
            held: None,
        }
    }
}

/// A user's mailbox.
#[derive(Clone, Debug)]
pub(crate) struct Mailbox {
    /// Owner's object id.
    pub(crate) user: String,
    pub(crate) guid: String,
    /// Shared mailbox instead of a user's.
    pub(crate) shared: bool,
    /// `de-DE`, `en-GB`, …
    pub(crate) language: String,
    pub(crate) time_zone: String,
    pub(crate) created: Timestamp,
    /// By id.
    pub(crate) folders: BTreeMap<String, Folder>,
    /// By store id.
    pub(crate) messages: BTreeMap<String, Message>,
    /// In the order of their sequence is not assumed; sort when it matters.
    pub(crate) rules: Vec<InboxRule>,
    /// Rules that only desktop Outlook runs, kept as one blob that any change
    /// through Exchange PowerShell throws away (reference §0.6).
    pub(crate) client_side_rules: Vec<InboxRule>,
    /// Exchange's own hidden rules: of junk mail in every mailbox (reference §6.2).
    pub(crate) system_rules: Vec<InboxRule>,
    /// `ForwardingSmtpAddress`, without the `smtp:` prefix.
    pub(crate) forwarding_smtp: Option<String>,
    /// `ForwardingAddress`: a recipient of the organisation, by mail address.
    /// When set, `ForwardingSmtpAddress` is ignored (reference §6.2).
    pub(crate) forwarding_address: Option<String>,
    pub(crate) deliver_and_forward: bool,
    pub(crate) auto_reply: AutoReply,
    /// `TrustedSendersAndDomains`.
    pub(crate) trusted_senders: Vec<String>,
    /// `TrustedRecipientsAndDomains`.
    pub(crate) trusted_recipients: Vec<String>,
    /// `BlockedSendersAndDomains`.
    pub(crate) blocked_senders: Vec<String>,
    pub(crate) mobile_devices: Vec<MobileDevice>,
    pub(crate) permissions: Vec<MailboxRight>,
    pub(crate) send_as: Vec<MailboxRight>,
    pub(crate) send_on_behalf: Vec<String>,
    /// Entries that somebody set in the lists of single folders.
    pub(crate) folder_rights: Vec<FolderEntry>,
    pub(crate) audit_enabled: bool,
    /// How long it keeps what is deleted.
    pub(crate) keeping: Keeping,
    /// Reads of single messages are not audited until then.
    pub(crate) bind_stopped_until: Option<Timestamp>,
    /// Sweep rules: a store of their own, apart from inbox rules (reference §6.2).
    pub(crate) sweep_rules: Vec<SweepRule>,
    pub(crate) imap: bool,
    pub(crate) pop: bool,
    pub(crate) ews: bool,
    /// `None` follows the organisation.
    pub(crate) smtp_auth_disabled: Option<bool>,
}

/// Display names of the well-known folders, by language.
const FOLDERS: [(&str, &str, &str, &str, &str); 8] = [
    (
        "inbox",
        "Inbox",
        "Posteingang",
        "Boîte de réception",
        "Postvak IN",
    ),
    (
        "sentitems",
        "Sent Items",
        "Gesendete Elemente",
        "Éléments envoyés",
        "Verzonden items",
    ),
    ("drafts", "Drafts", "Entwürfe", "Brouillons", "Concepten"),
    (
        "deleteditems",
        "Deleted Items",
        "Gelöschte Elemente",
        "Éléments supprimés",
        "Verwijderde items",
    ),
    (
        "junkemail",
        "Junk Email",
        "Junk-E-Mail",
        "Courrier indésirable",
        "Ongewenste e-mail",
    ),
    ("archive", "Archive", "Archiv", "Archive", "Archief"),
    (
        "outbox",
        "Outbox",
        "Postausgang",
        "Boîte d’envoi",
        "Postvak UIT",
    ),
    (
        "conversationhistory",
        "Conversation History",
        "Aufgezeichnete Unterhaltungen",
        "Historique des conversations",
        "Gespreksgeschiedenis",
    ),
];

impl Mailbox {
    /// An empty mailbox with the usual folders in English.
    pub(crate) fn new(user: &User, guid: String) -> Self {
        let mut mailbox = Self {
            user: user.id.clone(),
            guid,
            shared: false,
            language: String::from("en-GB"),
            time_zone: String::from("W. Europe Standard Time"),
            created: user.created,
            folders: BTreeMap::new(),
            messages: BTreeMap::new(),
            rules: Vec::new(),
            client_side_rules: Vec::new(),
            system_rules: Vec::new(),
            forwarding_smtp: None,
            forwarding_address: None,
            deliver_and_forward: false,
            auto_reply: AutoReply::default(),
            trusted_senders: Vec::new(),
            trusted_recipients: Vec::new(),
            blocked_senders: Vec::new(),
            mobile_devices: Vec::new(),
            permissions: vec![MailboxRight {
                holder: String::from("NT AUTHORITY\\SELF"),
                rights: vec![String::from("FullAccess"), String::from("ReadPermission")],
            }],
            send_as: vec![MailboxRight {
                holder: String::from("NT AUTHORITY\\SELF"),
                rights: vec![String::from("SendAs")],
            }],
            send_on_behalf: Vec::new(),
            folder_rights: Vec::new(),
            audit_enabled: true,
            keeping: Keeping::default(),
            bind_stopped_until: None,
            sweep_rules: Vec::new(),
            imap: true,
            pop: true,
            ews: true,
            smtp_auth_disabled: None,
        };
        mailbox
            .system_rules
            .push(mailbox.system_rule("Junk E-Mail Rule"));
        for (word, english, ..) in FOLDERS {
            let id = mailbox.folder_id(word);
            mailbox.folders.insert(
                id.clone(),
                Folder {
                    id,
                    parent: None,
                    display_name: english.to_owned(),
                    well_known: Some(word.to_owned()),
                },
            );
        }
        mailbox
    }

    /// Renames the well-known folders to the language of the mailbox.
    pub(crate) fn localise(&mut self, language: &str) {
        language.clone_into(&mut self.language);
        for folder in self.folders.values_mut() {
            let names = FOLDERS
                .iter()
                .find(|names| Some(names.0) == folder.well_known.as_deref());
            if let Some(names) = names {
                folder.display_name = match language.get(..2) {
                    Some("de") => names.2,
                    Some("fr") => names.3,
                    Some("nl") => names.4,
                    _ => names.1,
                }
                .to_owned();
            }
        }
    }

    /// The id of a folder: opaque, stable, url-safe.
    pub(crate) fn folder_id(&self, word: &str) -> String {
        let draw = crate::chance::Chance::new(0).draw(&self.guid, word, 0);
        format!("AAMkAG{}AAAAAAEMAAA=", draw.hex(40))
    }

    /// The folder by id or well-known word (any case).
    pub(crate) fn folder(&self, key: &str) -> Option<&Folder> {
        self.folders.get(key).or_else(|| {
            self.folders.values().find(|folder| {
                folder
                    .well_known
                    .as_deref()
                    .is_some_and(|word| word.eq_ignore_ascii_case(key))
            })
        })
    }

    /// The id of a well-known folder; every mailbox has them.
    pub(crate) fn well_known(&self, word: &str) -> String {
        self.folder(word)
            .map(|folder| folder.id.clone())
            .unwrap_or_default()
    }

    /// Adds a folder of the user's own below a parent (top level: `None`).
    pub(crate) fn add_folder(&mut self, name: &str, parent: Option<&str>) -> String {
        let id = self.folder_id(&format!("{}/{name}", parent.unwrap_or_default()));
        self.folders.insert(
            id.clone(),
            Folder {
                id: id.clone(),
                parent: parent.map(str::to_owned),
                display_name: name.to_owned(),
                well_known: None,
            },
        );
        id
    }

    /// The folder's path as logs show it: `\Inbox\Projects`.
    pub(crate) fn folder_path(&self, id: &str) -> String {
        let mut path = String::new();
        let mut at = self.folders.get(id);
        // Bounded: a broken parent chain must not turn into a loop.
        for _ in 0..16 {
            let Some(folder) = at else { break };
            path = format!("\\{}{path}", folder.display_name);
            at = folder
                .parent
                .as_ref()
                .and_then(|parent| self.folders.get(parent));
        }
        path
    }

    /// A list of junk mail.
    pub(crate) fn junk(&self, list: JunkList) -> &Vec<String> {
        match list {
            JunkList::Trusted => &self.trusted_senders,
            JunkList::Recipients => &self.trusted_recipients,
            JunkList::Blocked => &self.blocked_senders,
        }
    }

    /// The same, to be changed.
    pub(crate) fn junk_list(&mut self, list: JunkList) -> &mut Vec<String> {
        match list {
            JunkList::Trusted => &mut self.trusted_senders,
            JunkList::Recipients => &mut self.trusted_recipients,
            JunkList::Blocked => &mut self.blocked_senders,
        }
    }

    /// A protocol's switch as its property shows it.
    pub(crate) fn protocol(&self, protocol: Protocol) -> Option<bool> {
        match protocol {
            Protocol::Imap => Some(self.imap),
            Protocol::Pop => Some(self.pop),
            Protocol::Ews => Some(self.ews),
            Protocol::SmtpAuth => self.smtp_auth_disabled,
        }
    }

    /// Sets a protocol's switch.
    pub(crate) fn set_protocol(&mut self, protocol: Protocol, to: Option<bool>) {
        match protocol {
            Protocol::Imap => self.imap = to.unwrap_or(self.imap),
            Protocol::Pop => self.pop = to.unwrap_or(self.pop),
            Protocol::Ews => self.ews = to.unwrap_or(self.ews),
            Protocol::SmtpAuth => self.smtp_auth_disabled = to,
        }
    }

    /// An automatic reply that is on has rules of Exchange's own (reference §6.2).
    pub(crate) fn name_system_rules(&mut self) {
        let name = "Microsoft.Exchange.OOF.AllExternalSenders.Global";
        self.system_rules.retain(|rule| rule.name != name);
        if self.auto_reply.enabled {
            let rule = self.system_rule(name);
            self.system_rules.push(rule);
        }
    }

    /// A rule of Exchange's own, which does nothing that a rule's fields could show.
    fn system_rule(&self, name: &str) -> InboxRule {
        let number = crate::chance::Chance::new(0)
            .draw(&self.guid, name, 0)
            .number()
            | (1 << 63);
        InboxRule {
            // No other surface than Exchange knows it.
            id: format!("{}\\{number}", self.guid),
            number,
            name: name.to_owned(),
            sequence: 0,
            enabled: true,
            hidden: true,
            conditions: RuleConditions::default(),
            exceptions: RuleConditions::default(),
            actions: RuleActions::default(),
        }
    }

    /// The rule by Graph id, Exchange identity (`guid\number`), number or name.
    pub(crate) fn rule(&self, key: &str) -> Option<&InboxRule> {
        let number = key.rsplit('\\').next().unwrap_or(key);
        let all = || self.rules.iter().chain(&self.system_rules);
        all()
            .find(|rule| rule.id == key || rule.number.to_string() == number)
            .or_else(|| all().find(|rule| rule.name == key))
    }

    /// Exchange's `Identity` of a rule.
    pub(crate) fn rule_identity(&self, rule: &InboxRule) -> String {
        format!("{}\\{}", self.guid, rule.number)
    }
}
