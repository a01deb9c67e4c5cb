//! Sweep rules: made in Outlook on the web, kept apart from inbox rules (reference §6.2).

use jiff::Timestamp;
use serde_json::json;

use super::mailbox::SweepRule;
use super::{Origin, World};

impl World {
    /// Makes a sweep rule and returns its id; the id in the draft is not used.
    pub(crate) fn create_sweep_rule(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        draft: SweepRule,
    ) -> String {
        let id = self.next(user, "sweep rule").uuid().to_string();
        let rule = SweepRule {
            id: id.clone(),
            ..draft
        };
        let mut parameters = vec![
            json!({"Name": "Name", "Value": rule.name}),
            json!({"Name": "Provider", "Value": "Exchange16"}),
            json!({"Name": "Sender", "Value": rule.sender}),
            json!({"Name": "Mailbox", "Value": self.upn(user)}),
        ];
        for (name, value) in [
            ("SourceFolder", rule.source.clone()),
            ("DestinationFolder", rule.destination.clone()),
            ("KeepForDays", rule.keep_days.map(|days| days.to_string())),
            ("KeepLatest", rule.keep_latest.map(|most| most.to_string())),
        ] {
            if let Some(value) = value {
                parameters.push(json!({"Name": name, "Value": value}));
            }
        }
        let object = self.sweep_identity(user, &id);
        if let Some(mailbox) = self.mailboxes.get_mut(user) {
            mailbox.sweep_rules.push(rule);
        }
        self.exchange_admin_audit(now, by, user, "New-SweepRule", &object, parameters);
        id
    }

    /// Removes a sweep rule by id, identity or name; the id of what went.
    pub(crate) fn delete_sweep_rule(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        key: &str,
    ) -> Option<String> {
        let key = key.rsplit('\\').next().unwrap_or(key);
        let mailbox = self.mailboxes.get_mut(user)?;
        let at = mailbox
            .sweep_rules
            .iter()
            .position(|rule| rule.id.eq_ignore_ascii_case(key) || rule.name == key)?;
        let gone = mailbox.sweep_rules.remove(at).id;
        let object = self.sweep_identity(user, &gone);
        let parameters = vec![json!({"Name": "Identity", "Value": object})];
        self.exchange_admin_audit(now, by, user, "Remove-SweepRule", &object, parameters);
        Some(gone)
    }

    /// `alias\RuleId` (reference §6.2).
    pub(crate) fn sweep_identity(&self, user: &str, id: &str) -> String {
        let upn = self.upn(user);
        let alias = upn.split('@').next().unwrap_or_default();
        format!("{alias}\\{id}")
    }

    /// What the sweep rules of a mailbox take away now that mail has come: all but the
    /// newest of a sender. Rule, message and size of each. Rules that keep mail for
    /// days touch nothing within the days that are played.
    pub(crate) fn sweep(&mut self, user: &str) -> Vec<(String, String, u32)> {
        let Some(mailbox) = self.mailboxes.get_mut(user) else {
            return Vec::new();
        };
        let (inbox, bin) = (
            mailbox.well_known("inbox"),
            mailbox.well_known("deleteditems"),
        );
        let mut swept = Vec::new();
        for rule in mailbox.sweep_rules.clone() {
            let Some(most) = rule.keep_latest.filter(|_| rule.enabled) else {
                continue;
            };
            let to = rule
                .destination
                .as_deref()
                .and_then(|path| path.rsplit('\\').next())
                .and_then(|name| {
                    mailbox
                        .folders
                        .values()
                        .find(|folder| folder.display_name == name)
                })
                .map_or_else(|| bin.clone(), |folder| folder.id.clone());
            let mut of_sender: Vec<(Timestamp, String)> = mailbox
                .messages
                .values()
                .filter(|message| {
                    message.folder == inbox
                        && message.from.address.eq_ignore_ascii_case(&rule.sender)
                })
                .map(|message| (message.received, message.id.clone()))
                .collect();
            of_sender.sort();
            let going = of_sender.len().saturating_sub(most as usize);
            for (_, id) in of_sender.into_iter().take(going) {
                if let Some(message) = mailbox.messages.get_mut(&id) {
                    message.folder.clone_from(&to);
                    swept.push((
                        rule.id.clone(),
                        message.internet_message_id.clone(),
                        message.size,
                    ));
                }
            }
        }
        swept
    }

    /// The user principal name, empty where there is nobody.
    pub(crate) fn upn(&self, user: &str) -> String {
        self.users
            .get(user)
            .map(|user| user.upn.clone())
            .unwrap_or_default()
    }
}
