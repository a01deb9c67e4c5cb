//! Changes of a mailbox's settings, each with the record that its cmdlet leaves
//! (reference §6.2, §7.3), and the service's block from sending (reference §15.5).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::mailbox::{AutoReply, InboxRule, MobileDevice, RuleActions, RuleConditions};
use super::{Origin, Surface, World};
use crate::unconfirmed::MODIFIED_PROPERTIES;

/// One of the lists of junk mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JunkList {
    Trusted,
    Recipients,
    Blocked,
}

impl JunkList {
    /// The parameter and property.
    pub(crate) const fn parameter(self) -> &'static str {
        match self {
            Self::Trusted => "TrustedSendersAndDomains",
            Self::Recipients => "TrustedRecipientsAndDomains",
            Self::Blocked => "BlockedSendersAndDomains",
        }
    }

    /// Every one.
    pub(crate) const ALL: [Self; 3] = [Self::Trusted, Self::Recipients, Self::Blocked];
}

/// A protocol's switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Imap,
    Pop,
    Ews,
    /// `SmtpClientAuthenticationDisabled`: true is off, nothing follows the organisation.
    SmtpAuth,
}

impl Protocol {
    /// The parameter and property.
    pub(crate) const fn parameter(self) -> &'static str {
        match self {
            Self::Imap => "ImapEnabled",
            Self::Pop => "PopEnabled",
            Self::Ews => "EwsEnabled",
            Self::SmtpAuth => "SmtpClientAuthenticationDisabled",
        }
    }

    /// Every one.
    pub(crate) const ALL: [Self; 4] = [Self::Imap, Self::Pop, Self::Ews, Self::SmtpAuth];
}

/// Parameters and old values of one change.
#[derive(Default)]
struct Told {
    parameters: Vec<Value>,
    modified: Vec<Value>,
}

impl Told {
    fn add(&mut self, name: &str, old: &str, new: &str) {
        self.parameters.push(json!({"Name": name, "Value": new}));
        self.modified
            .push(json!({"Name": name, "OldValue": old, "NewValue": new}));
    }
}

impl World {
    /// Sets the automatic reply; the old one.
    pub(crate) fn set_auto_reply(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        to: AutoReply,
    ) -> AutoReply {
        let Some(mailbox) = self.mailboxes.get_mut(user) else {
            return AutoReply::default();
        };
        let old = std::mem::replace(&mut mailbox.auto_reply, to.clone());
        mailbox.name_system_rules();
        let mut told = Told::default();
        told.add("AutoReplyState", old.state(), to.state());
        for (name, old, new) in [
            ("InternalMessage", &old.internal, &to.internal),
            ("ExternalMessage", &old.external, &to.external),
        ] {
            if old != new {
                told.add(name, old, new);
            }
        }
        self.setting_audit(now, by, user, "Set-MailboxAutoReplyConfiguration", told);
        old
    }

    /// Adds entries to a list of junk mail. Outlook on the web writes the whole list.
    pub(crate) fn add_junk_entries(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        added: &[(JunkList, String)],
    ) {
        let mut told = Told::default();
        for list in JunkList::ALL {
            let Some(mailbox) = self.mailboxes.get_mut(user) else {
                return;
            };
            let held = mailbox.junk_list(list);
            let old = held.join(";");
            for (_, entry) in added.iter().filter(|(of, _)| *of == list) {
                if !held.contains(entry) {
                    held.push(entry.clone());
                }
            }
            let new = held.join(";");
            if new != old {
                told.add(list.parameter(), &old, &new);
            }
        }
        self.setting_audit(now, by, user, "Set-MailboxJunkEmailConfiguration", told);
    }

    /// Takes entries out of a list of junk mail; those that were there.
    pub(crate) fn remove_junk_entries(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        removed: &[(JunkList, String)],
    ) -> Vec<(JunkList, String)> {
        let mut told = Told::default();
        let mut gone = Vec::new();
        for list in JunkList::ALL {
            let Some(mailbox) = self.mailboxes.get_mut(user) else {
                return gone;
            };
            let held = mailbox.junk_list(list);
            let old = held.join(";");
            for (_, entry) in removed.iter().filter(|(of, _)| *of == list) {
                if let Some(at) = held
                    .iter()
                    .position(|held| held.eq_ignore_ascii_case(entry))
                {
                    gone.push((list, held.remove(at)));
                }
            }
            let new = held.join(";");
            if new != old {
                told.add(list.parameter(), &old, &new);
            }
        }
        self.setting_audit(now, by, user, "Set-MailboxJunkEmailConfiguration", told);
        gone
    }

    /// Sets protocols; protocol, old and new value of those that changed.
    pub(crate) fn set_protocols(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        to: &[(Protocol, Option<bool>)],
    ) -> Vec<(Protocol, Option<bool>, Option<bool>)> {
        let mut told = Told::default();
        let mut changed = Vec::new();
        for (protocol, new) in to {
            let Some(mailbox) = self.mailboxes.get_mut(user) else {
                return changed;
            };
            let old = mailbox.protocol(*protocol);
            if old == *new {
                continue;
            }
            mailbox.set_protocol(*protocol, *new);
            let word = |value: Option<bool>| match value {
                Some(true) => "True",
                Some(false) => "False",
                None => "",
            };
            told.add(protocol.parameter(), word(old), word(*new));
            changed.push((*protocol, old, *new));
        }
        self.setting_audit(now, by, user, "Set-CASMailbox", told);
        changed
    }

    /// A phone pairs with the mailbox; its device id.
    pub(crate) fn pair_device(
        &mut self,
        now: Timestamp,
        user: &str,
        kind: &str,
        model: &str,
        client: &str,
    ) -> String {
        let id = self.next(user, "mobile device").hex(26).to_uppercase();
        let alias = self
            .upn(user)
            .split('@')
            .next()
            .unwrap_or_default()
            .to_owned();
        if let Some(mailbox) = self.mailboxes.get_mut(user) {
            mailbox.mobile_devices.push(MobileDevice {
                identity: format!("{alias}\\ExchangeActiveSyncDevices\\{client}§{kind}§{id}"),
                id: id.clone(),
                kind: kind.to_owned(),
                model: model.to_owned(),
                client: client.to_owned(),
                first_sync: now,
            });
        }
        id
    }

    /// A phone reads messages: its records name it (reference §7.3).
    pub(crate) fn record_device_reads(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        device: &str,
        messages: &[String],
    ) {
        let before = self.logs.unified.len();
        self.record_reads(now, by, user, messages);
        for record in self.logs.unified.iter_mut().skip(before) {
            record.data.insert("DeviceId".into(), json!(device));
            record.data.insert(
                "ClientInfoString".into(),
                json!("Client=ActiveSync;UserAgent=;Action=/Microsoft-Server-ActiveSync"),
            );
        }
    }

    /// Desktop Outlook keeps a rule of its own; the record names a rule that no
    /// interface lists. The rule's id; nothing without a mailbox.
    pub(crate) fn make_client_side_rule_by(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        name: &str,
    ) -> Option<String> {
        let number = self.next(user, "client-side rule").number() | (1 << 63);
        let id = format!("client-{number}");
        let rule = InboxRule {
            id: id.clone(),
            number,
            name: name.to_owned(),
            sequence: 1,
            enabled: true,
            hidden: false,
            conditions: RuleConditions::default(),
            exceptions: RuleConditions::default(),
            actions: RuleActions::default(),
        };
        self.mailboxes
            .get_mut(user)?
            .client_side_rules
            .push(rule.clone());
        let by = by.clone().through(Surface::OutlookDesktop);
        self.client_side_audit(now, &by, user, &rule);
        Some(id)
    }

    fn setting_audit(&mut self, now: Timestamp, by: &Origin, user: &str, cmdlet: &str, told: Told) {
        if told.parameters.is_empty() {
            return;
        }
        let identity = self.upn(user);
        let mut parameters = vec![json!({"Name": "Identity", "Value": identity})];
        parameters.extend(told.parameters);
        let before = self.logs.unified.len();
        self.exchange_admin_audit(now, by, user, cmdlet, &identity, parameters);
        if self.unconfirmed.variant(&MODIFIED_PROPERTIES) == "written"
            && let Some(record) = self.logs.unified.get_mut(before)
        {
            record
                .data
                .insert("ModifiedProperties".into(), json!(told.modified));
        }
    }
}
