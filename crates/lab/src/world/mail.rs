//! Changes of mailboxes, each with the audit records that it leaves.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::logs::MessageTrace;
use super::mailbox::{Address, InboxRule, Keeping, Mail, Message, RuleActions, RuleConditions};
use super::{Origin, Surface, World};
use crate::unconfirmed::BIND_LIMIT;

/// A rule to be made.
#[derive(Clone, Debug, Default)]
pub(crate) struct RuleDraft {
    pub(crate) name: String,
    /// Made so that only `-IncludeHidden` shows it.
    pub(crate) hidden: bool,
    pub(crate) disabled: bool,
    /// Place in the order; last when absent.
    pub(crate) sequence: Option<i32>,
    pub(crate) conditions: RuleConditions,
    pub(crate) exceptions: RuleConditions,
    pub(crate) actions: RuleActions,
}

/// Bind records of a mailbox in a day, past which their audit stops (reference
/// §7.3; the figure is from about 2021, §13.6).
pub(crate) const BINDS_A_DAY: usize = 1_000;

/// Both forwarding fields and the copy switch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Forwarding {
    pub(crate) smtp: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) deliver_and_forward: bool,
}

impl World {
    /// Makes a rule and returns its Graph id.
    pub(crate) fn create_rule(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        draft: RuleDraft,
    ) -> Option<String> {
        let number = self.next(user, "rule number").number() | (1 << 63);
        let id = format!(
            "AQ{}AAA=",
            self.next(user, "rule id").hex(12).to_uppercase()
        );
        let mailbox = self.mailboxes.get_mut(user)?;
        let last = mailbox.rules.iter().map(|rule| rule.sequence).max();
        let rule = InboxRule {
            id: id.clone(),
            number,
            name: draft.name,
            sequence: draft.sequence.unwrap_or(last.unwrap_or(0) + 1),
            enabled: !draft.disabled,
            hidden: draft.hidden,
            conditions: draft.conditions,
            exceptions: draft.exceptions,
            actions: draft.actions,
        };
        mailbox.rules.push(rule.clone());
        self.rule_audit(
            now,
            by,
            user,
            "New-InboxRule",
            "AddMailboxRule",
            &rule,
            true,
        );
        Some(id)
    }

    /// Replaces a rule by a changed one with the same id.
    pub(crate) fn update_rule(&mut self, now: Timestamp, by: &Origin, user: &str, rule: InboxRule) {
        let Some(mailbox) = self.mailboxes.get_mut(user) else {
            return;
        };
        let Some(held) = mailbox.rules.iter_mut().find(|held| held.id == rule.id) else {
            return;
        };
        let old = std::mem::replace(held, rule.clone());
        let name = match (old.enabled, rule.enabled) {
            (true, false) => "Disable-InboxRule",
            (false, true) => "Enable-InboxRule",
            _ => "Set-InboxRule",
        };
        let full = name == "Set-InboxRule";
        self.rule_audit(now, by, user, name, "ModifyMailboxRule", &rule, full);
    }

    /// Removes a rule.
    pub(crate) fn delete_rule(&mut self, now: Timestamp, by: &Origin, user: &str, id: &str) {
        let Some(mailbox) = self.mailboxes.get_mut(user) else {
            return;
        };
        let rule = if let Some(at) = mailbox.rules.iter().position(|rule| rule.id == id) {
            mailbox.rules.remove(at)
        } else if let Some(at) = mailbox.system_rules.iter().position(|rule| rule.id == id) {
            mailbox.system_rules.remove(at)
        } else {
            return;
        };
        self.rule_audit(
            now,
            by,
            user,
            "Remove-InboxRule",
            "RemoveMailboxRule",
            &rule,
            false,
        );
    }

    /// Desktop Outlook keeps a rule of its own; false without a mailbox.
    pub(crate) fn make_client_side_rule(&mut self, user: &str, name: &str) -> bool {
        let number = self.next(user, "client-side rule").number();
        let Some(mailbox) = self.mailboxes.get_mut(user) else {
            return false;
        };
        mailbox.client_side_rules.push(InboxRule {
            id: format!("client-{number}"),
            number,
            name: name.to_owned(),
            sequence: 1,
            enabled: true,
            hidden: false,
            conditions: RuleConditions::default(),
            exceptions: RuleConditions::default(),
            actions: RuleActions::default(),
        });
        true
    }

    /// The record of a rule that desktop Outlook keeps: it has a number, and no list of
    /// rules has that number.
    pub(super) fn client_side_audit(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        rule: &InboxRule,
    ) {
        self.rule_audit(
            now,
            by,
            user,
            "New-InboxRule",
            "AddMailboxRule",
            rule,
            false,
        );
    }

    /// Throws away Outlook's client-side rules, as any rule change through
    /// Exchange PowerShell does (reference §0.6), and returns them.
    pub(crate) fn drop_client_side_rules(&mut self, user: &str) -> Vec<InboxRule> {
        self.mailboxes
            .get_mut(user)
            .map(|mailbox| std::mem::take(&mut mailbox.client_side_rules))
            .unwrap_or_default()
    }

    /// Sets both forwarding fields and the copy switch; returns the old ones.
    pub(crate) fn set_forwarding(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        to: Forwarding,
    ) -> Forwarding {
        let Some(mailbox) = self.mailboxes.get_mut(user) else {
            return Forwarding::default();
        };
        let old = Forwarding {
            smtp: std::mem::replace(&mut mailbox.forwarding_smtp, to.smtp.clone()),
            address: std::mem::replace(&mut mailbox.forwarding_address, to.address.clone()),
            deliver_and_forward: std::mem::replace(
                &mut mailbox.deliver_and_forward,
                to.deliver_and_forward,
            ),
        };
        let identity = self
            .users
            .get(user)
            .map(|u| u.upn.clone())
            .unwrap_or_default();
        let mut parameters = vec![json!({"Name": "Identity", "Value": identity})];
        if old.smtp != to.smtp {
            let value = to
                .smtp
                .as_ref()
                .map(|a| format!("smtp:{a}"))
                .unwrap_or_default();
            parameters.push(json!({"Name": "ForwardingSmtpAddress", "Value": value}));
        }
        if old.address != to.address {
            parameters.push(json!({"Name": "ForwardingAddress", "Value": to.address.clone().unwrap_or_default()}));
        }
        let copy = if to.deliver_and_forward {
            "True"
        } else {
            "False"
        };
        parameters.push(json!({"Name": "DeliverToMailboxAndForward", "Value": copy}));
        self.exchange_admin_audit(now, by, user, "Set-Mailbox", &identity, parameters);
        old
    }

    /// Sets how long a mailbox keeps what is deleted from it; the service itself
    /// notes since when, and by whom, it is held.
    pub(crate) fn set_keeping(&mut self, now: Timestamp, by: &Origin, user: &str, to: Keeping) {
        let owner = by
            .user
            .as_ref()
            .and_then(|id| self.users.get(id))
            .map_or_else(|| by.app_id.clone(), |user| user.upn.clone());
        let Some(mailbox) = self.mailboxes.get_mut(user) else {
            return;
        };
        let old = std::mem::replace(&mut mailbox.keeping, to.clone());
        if old.litigation_hold != to.litigation_hold {
            mailbox.keeping.held = to.litigation_hold.then_some((now, owner));
        }
        let identity = self
            .users
            .get(user)
            .map(|u| u.upn.clone())
            .unwrap_or_default();
        let mut parameters = vec![json!({"Name": "Identity", "Value": identity})];
        let word = |on| if on { "True" } else { "False" };
        if old.single_item_recovery != to.single_item_recovery {
            parameters.push(json!({"Name": "SingleItemRecoveryEnabled", "Value": word(to.single_item_recovery)}));
        }
        if old.retain_days != to.retain_days {
            let span = format!("{}.00:00:00", to.retain_days);
            parameters.push(json!({"Name": "RetainDeletedItemsFor", "Value": span}));
        }
        if old.litigation_hold != to.litigation_hold {
            parameters
                .push(json!({"Name": "LitigationHoldEnabled", "Value": word(to.litigation_hold)}));
        }
        self.exchange_admin_audit(now, by, user, "Set-Mailbox", &identity, parameters);
    }

    /// Puts a message into a folder of a mailbox and returns its store id.
    pub(crate) fn store(
        &mut self,
        now: Timestamp,
        user: &str,
        folder: &str,
        mail: &Mail,
        read: bool,
    ) -> Option<String> {
        let id = format!("AAMkAD{}AAA=", self.next(user, "message id").hex(44));
        let mailbox = self.mailboxes.get_mut(user)?;
        mailbox.messages.insert(
            id.clone(),
            Message {
                id: id.clone(),
                internet_message_id: mail.internet_message_id.clone(),
                folder: folder.to_owned(),
                conversation: mail.conversation.clone(),
                subject: mail.subject.clone(),
                from: mail.from.clone(),
                to: mail.to.clone(),
                cc: mail.cc.clone(),
                bcc: mail.bcc.clone(),
                reply_to: mail.reply_to.clone(),
                sent: mail.sent,
                received: now,
                body: mail.body.clone(),
                read,
                has_attachments: mail.has_attachments,
                draft: false,
                size: mail.size,
            },
        );
        Some(id)
    }

    /// A user or app sends mail: a copy in Sent Items when wanted, the audit
    /// record of the send, and the mail in the outbox for routing.
    pub(crate) fn send_mail(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        mail: Mail,
        keep_copy: bool,
    ) {
        let mut path = String::from("\\Drafts");
        let mut item = None;
        if keep_copy && let Some(mailbox) = self.mailboxes.get(user) {
            let folder = mailbox.well_known("sentitems");
            path = mailbox.folder_path(&folder);
            item = self.store(now, user, &folder, &mail, true);
        }
        let recipients: Vec<&str> = mail.recipients().map(|to| to.address.as_str()).collect();
        let mut extra = self.mailbox_audit(user, by);
        merge(
            &mut extra,
            json!({
                "Item": {
                    "Id": item,
                    "InternetMessageId": mail.internet_message_id,
                    "ParentFolder": {"Path": path},
                    "SizeInBytes": mail.size,
                    "Subject": mail.subject,
                },
                "recipientList": recipients,
                "recipientCount": recipients.len(),
            }),
        );
        self.audit(now, "ExchangeItem", "Send", by, "", extra);
        self.outbox.push(mail);
    }

    /// Writes the message trace's line for one recipient.
    pub(crate) fn trace_message(&mut self, now: Timestamp, mail: &Mail, to: &str, status: &str) {
        let id = self
            .next(&mail.internet_message_id, "trace id")
            .uuid()
            .to_string();
        let visible_at = self.after(
            now,
            "message trace delay",
            (SignedDuration::from_mins(1), SignedDuration::from_mins(5)),
        );
        self.logs.message_trace.push(MessageTrace {
            id,
            message_id: mail.internet_message_id.clone(),
            received: now,
            visible_at,
            sender: mail.from.address.clone(),
            recipient: to.to_owned(),
            subject: mail.subject.clone(),
            size: mail.size,
            from_ip: mail.from_ip.clone(),
            to_ip: String::new(),
            status: status.to_owned(),
        });
    }

    /// Somebody read messages (store ids): one `MailItemsAccessed` record of
    /// kind Bind per two minutes, folder, client and session; the same message
    /// again within an hour is dropped (reference §7.3).
    pub(crate) fn record_reads(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        messages: &[String],
    ) {
        if !self.tenant.mail_items_accessed {
            return;
        }
        let Some(mailbox) = self.mailboxes.get(user) else {
            return;
        };
        // Past a thousand bind records in a day none is written for another day
        // (reference §7.3).
        if mailbox.bind_stopped_until.is_some_and(|until| now < until) {
            return;
        }
        let mut by_folder: std::collections::BTreeMap<String, Vec<Value>> =
            std::collections::BTreeMap::new();
        for message in messages.iter().filter_map(|id| mailbox.messages.get(id)) {
            by_folder
                .entry(mailbox.folder_path(&message.folder))
                .or_default()
                .push(json!({
                    "InternetMessageId": message.internet_message_id,
                    "SizeInBytes": message.size,
                    "Subject": message.subject,
                }));
        }
        let hour = now
            .checked_sub(SignedDuration::from_hours(1))
            .unwrap_or(now);
        let two = now.checked_sub(SignedDuration::from_mins(2)).unwrap_or(now);
        let base = self.mailbox_audit(user, by);
        for (path, mut items) in by_folder {
            let same = |record: &super::UnifiedRecord| {
                record.operation == "MailItemsAccessed"
                    && record.client_ip == by.ip
                    && record.data.get("MailboxGuid") == base.get("MailboxGuid")
                    && record.data.get("ClientAppId") == base.get("ClientAppId")
                    && record.data.get("SessionId") == base.get("SessionId")
                    && record.data["Folders"][0]["Path"] == path
            };
            let recent: Vec<usize> = self
                .logs
                .unified
                .iter()
                .enumerate()
                .rev()
                .take(400)
                .filter(|(_, record)| record.at >= hour && same(record))
                .map(|(at, _)| at)
                .collect();
            let seen = |items: &Value, item: &Value| {
                items.as_array().is_some_and(|items| {
                    items
                        .iter()
                        .any(|i| i["InternetMessageId"] == item["InternetMessageId"])
                })
            };
            items.retain(|item| {
                !recent.iter().any(|at| {
                    self.logs
                        .unified
                        .get(*at)
                        .is_some_and(|r| seen(&r.data["Folders"][0]["FolderItems"], item))
                })
            });
            if items.is_empty() {
                continue;
            }
            let open = recent
                .first()
                .copied()
                .and_then(|at| self.logs.unified.get_mut(at));
            if let Some(record) = open.filter(|record| record.at >= two) {
                let mut count = 0;
                if let Some(list) = record
                    .data
                    .get_mut("Folders")
                    .and_then(|f| f[0]["FolderItems"].as_array_mut())
                {
                    list.extend(items);
                    count = list.len();
                }
                record.data.insert("OperationCount".into(), json!(count));
                continue;
            }
            let mut extra = base.clone();
            let throttled = self.unconfirmed.variant(&BIND_LIMIT) == "1000"
                && self.binds_of_a_day(now, &base) >= BINDS_A_DAY;
            if throttled && let Some(mailbox) = self.mailboxes.get_mut(user) {
                mailbox.bind_stopped_until = now.checked_add(SignedDuration::from_hours(24)).ok();
            }
            merge(
                &mut extra,
                json!({
                    "OperationCount": items.len(),
                    "OperationProperties": [
                        {"Name": "MailAccessType", "Value": "Bind"},
                        {"Name": "IsThrottled", "Value": if throttled { "True" } else { "False" }},
                    ],
                    "Folders": [{"FolderItems": items, "Path": path}],
                }),
            );
            self.audit(
                now,
                "ExchangeItemAggregated",
                "MailItemsAccessed",
                by,
                "",
                extra,
            );
        }
    }

    /// Bind records of this mailbox within the last day.
    fn binds_of_a_day(&self, now: Timestamp, base: &Value) -> usize {
        let day = now
            .checked_sub(SignedDuration::from_hours(24))
            .unwrap_or(now);
        self.logs
            .unified
            .iter()
            .filter(|record| {
                record.operation == "MailItemsAccessed"
                    && record.at >= day
                    && record.data.get("MailboxGuid") == base.get("MailboxGuid")
                    && record.data["OperationProperties"][0]["Value"] == "Bind"
            })
            .count()
    }

    /// Desktop Outlook downloads a folder: one record for the whole folder, which
    /// no throttle stops. Everything in it counts as read (reference §7.3).
    pub(crate) fn record_sync(&mut self, now: Timestamp, by: &Origin, user: &str, folder: &str) {
        let Some(mailbox) = self.mailboxes.get(user) else {
            return;
        };
        if !self.tenant.mail_items_accessed {
            return;
        }
        let path = mailbox.folder_path(folder);
        let mut extra = self.mailbox_audit(user, by);
        merge(
            &mut extra,
            json!({
                "OperationCount": 1,
                "OperationProperties": [
                    {"Name": "MailAccessType", "Value": "Sync"},
                    {"Name": "IsThrottled", "Value": "False"},
                ],
                "Folders": [{"Path": path}],
            }),
        );
        self.audit(
            now,
            "ExchangeItemAggregated",
            "MailItemsAccessed",
            by,
            "",
            extra,
        );
    }

    /// Somebody moved messages out of a folder or deleted them.
    #[expect(
        clippy::too_many_arguments,
        reason = "who, whose, what, whence, whither"
    )]
    pub(crate) fn record_move(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        operation: &str,
        moved: &[(String, String)],
        from: &str,
        to: Option<&str>,
    ) {
        let items: Vec<Value> = moved
            .iter()
            .map(|(id, subject)| json!({"InternetMessageId": id, "Subject": subject}))
            .collect();
        let mut extra = self.mailbox_audit(user, by);
        merge(
            &mut extra,
            json!({
                "AffectedItems": items,
                "Folder": {"Path": from},
                "DestFolder": to.map(|path| json!({"Path": path})),
            }),
        );
        self.audit(now, "ExchangeItemGroup", operation, by, "", extra);
    }

    /// The fields that every mailbox record has (reference §7.3).
    pub(crate) fn mailbox_audit(&self, user: &str, by: &Origin) -> Value {
        let owner = self.users.get(user);
        let client = match by.surface {
            Surface::OutlookWeb => "Client=OWA;Action=ViaProxy",
            Surface::OutlookDesktop => "Client=MSExchangeRPC",
            Surface::ExchangePowerShell => "Client=WebServices;ExchangeAdminApi",
            _ => "Client=REST;Client=RESTSystem;;",
        };
        let own = by.user.as_deref() == Some(user);
        json!({
            "ClientAppId": by.app_id,
            "AppId": by.app_id,
            "ClientIPAddress": by.ip,
            "ClientInfoString": client,
            "ExternalAccess": false,
            "InternalLogonType": 0,
            // Owner, delegate, or an administrator's tool (reference §7.3).
            "LogonType": match (own, &by.user) {
                (true, _) => 0,
                (false, Some(_)) if by.surface != Surface::ExchangePowerShell => 2,
                (false, _) => 1,
            },
            "MailboxGuid": self.mailboxes.get(user).map(|m| m.guid.clone()),
            "MailboxOwnerUPN": owner.map(|u| u.upn.clone()),
            "OrganizationName": self.tenant.initial_domain,
            "SessionId": by.session,
        })
    }

    /// An `ExchangeAdmin` record: a cmdlet with its parameters.
    pub(crate) fn exchange_admin_audit(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        cmdlet: &str,
        object: &str,
        parameters: Vec<Value>,
    ) {
        let mut with_port = by.clone();
        if !by.ip.is_empty() {
            let port = self.next(user, "client port").between(1024, 65000);
            // Exchange writes `ip:port` here, brackets for version 6.
            with_port.ip = if by.ip.contains(':') {
                format!("[{}]:{port}", by.ip)
            } else {
                format!("{}:{port}", by.ip)
            };
        }
        let name = self.users.get(user).map(|u| u.display_name.clone());
        let extra = json!({
            "AppId": if by.surface == Surface::OutlookWeb { "" } else { by.app_id.as_str() },
            "ExternalAccess": false,
            "ModifiedObjectResolvedName": name,
            "OrganizationName": self.tenant.initial_domain,
            "OriginatingServer": "AM0PR01MB0001 (15.20.4200.000)",
            "Parameters": parameters,
            "SessionId": by.session.clone().unwrap_or_default(),
        });
        self.audit(now, "ExchangeAdmin", cmdlet, &with_port, object, extra);
    }

    #[expect(clippy::too_many_arguments, reason = "one private caller shape")]
    fn rule_audit(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        cmdlet: &str,
        operation: &str,
        rule: &InboxRule,
        full: bool,
    ) {
        let Some(mailbox) = self.mailboxes.get(user) else {
            return;
        };
        let identity = mailbox.rule_identity(rule);
        if by.surface == Surface::OutlookDesktop {
            let mut extra = self.mailbox_audit(user, by);
            merge(
                &mut extra,
                json!({
                    "Item": {"ParentFolder": {"Path": "\\Inbox", "Name": "Inbox"}},
                    "OperationProperties": [
                        {"Name": "RuleOperation", "Value": operation},
                        {"Name": "RuleId", "Value": rule.number.to_string()},
                        {"Name": "RuleName", "Value": rule.name},
                        {"Name": "RuleState", "Value": if rule.enabled { "Enabled" } else { "Disabled" }},
                        {"Name": "RuleActions", "Value": action_words(&rule.actions)},
                    ],
                }),
            );
            self.audit(now, "ExchangeItem", "UpdateInboxRules", by, "", extra);
            return;
        }
        let parameters = if full {
            rule_parameters(mailbox, rule)
        } else {
            vec![json!({"Name": "Identity", "Value": identity})]
        };
        self.exchange_admin_audit(now, by, user, cmdlet, &identity, parameters);
    }
}

/// Adds the keys of one object to another.
pub(crate) fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}

/// The parameters of `New-InboxRule` that would make this rule.
fn rule_parameters(mailbox: &super::Mailbox, rule: &InboxRule) -> Vec<Value> {
    let mut list = Vec::new();
    let mut add = |name: &str, value: String| {
        if !value.is_empty() {
            list.push(json!({"Name": name, "Value": value}));
        }
    };
    let addresses = |list: &[Address]| {
        list.iter()
            .map(|a| a.address.clone())
            .collect::<Vec<_>>()
            .join(";")
    };
    let folder = |id: &Option<String>| {
        id.as_ref()
            .and_then(|id| mailbox.folders.get(id))
            .map(|folder| folder.display_name.clone())
            .unwrap_or_default()
    };
    let flag = |on: bool| {
        if on {
            String::from("True")
        } else {
            String::new()
        }
    };
    let (c, a) = (&rule.conditions, &rule.actions);
    add("Name", rule.name.clone());
    add("SubjectContainsWords", c.subject_contains.join(";"));
    add("BodyContainsWords", c.body_contains.join(";"));
    add(
        "SubjectOrBodyContainsWords",
        c.subject_or_body_contains.join(";"),
    );
    add("FromAddressContainsWords", c.sender_contains.join(";"));
    add(
        "RecipientAddressContainsWords",
        c.recipient_contains.join(";"),
    );
    add("From", addresses(&c.from_addresses));
    add("MyNameInToBox", flag(c.sent_to_me));
    add("HasAttachment", flag(c.has_attachments));
    add("ForwardTo", addresses(&a.forward_to));
    add(
        "ForwardAsAttachmentTo",
        addresses(&a.forward_as_attachment_to),
    );
    add("RedirectTo", addresses(&a.redirect_to));
    add("MoveToFolder", folder(&a.move_to_folder));
    add("CopyToFolder", folder(&a.copy_to_folder));
    add("DeleteMessage", flag(a.delete || a.permanent_delete));
    add("MarkAsRead", flag(a.mark_as_read));
    add(
        "StopProcessingRules",
        if a.stop_processing { "True" } else { "False" }.to_owned(),
    );
    list
}

/// The actions as `UpdateInboxRules` records write them.
fn action_words(actions: &RuleActions) -> String {
    let mut words = Vec::new();
    let recipients = |list: &[Address]| {
        list.iter()
            .map(|a| a.address.clone())
            .collect::<Vec<_>>()
            .join(", ")
    };
    for (name, list) in [
        ("Forward", &actions.forward_to),
        ("ForwardAsAttachment", &actions.forward_as_attachment_to),
        ("Redirect", &actions.redirect_to),
    ] {
        if !list.is_empty() {
            words.push(json!({"ActionType": name, "Recipients": recipients(list)}));
        }
    }
    if let Some(folder) = &actions.move_to_folder {
        words.push(json!({"ActionType": "Move", "FolderId": folder}));
    }
    if actions.mark_as_read {
        words.push(json!({"ActionType": "MarkAsRead"}));
    }
    if actions.delete || actions.permanent_delete {
        words.push(json!({"ActionType": "Delete"}));
    }
    Value::Array(words).to_string()
}
