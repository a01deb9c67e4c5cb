//! Rights on a whole mailbox: full access, send as, send on behalf (reference
//! §6.2, §6.6), and the audit records that giving and taking them leaves (§7.3).

use jiff::Timestamp;
use retake_playbook::ObjectRef;
use serde_json::{Value, json};

use super::mail::merge;
use super::mailbox::MailboxRight;
use super::{Mail, Origin, UserType, World};

/// A right on a whole mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Right {
    FullAccess,
    SendAs,
    SendOnBehalf,
}

impl Right {
    /// As Exchange calls it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::FullAccess => "FullAccess",
            Self::SendAs => "SendAs",
            Self::SendOnBehalf => "SendOnBehalf",
        }
    }
}

/// The mailbox itself as the holder of a right.
pub(crate) const SELF: &str = "NT AUTHORITY\\SELF";

/// What kind of recipient somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recipient {
    UserMailbox,
    SharedMailbox,
    GuestMailUser,
    Group,
}

impl Recipient {
    /// `RecipientTypeDetails`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::UserMailbox => "UserMailbox",
            Self::SharedMailbox => "SharedMailbox",
            Self::GuestMailUser => "GuestMailUser",
            Self::Group => "MailUniversalSecurityGroup",
        }
    }
}

impl World {
    /// The directory's id of whoever a name, address or id means: a user, or a
    /// group with an address. `None` for what nobody has, a SID for one.
    pub(crate) fn recipient(&self, key: &str) -> Option<(String, Recipient)> {
        let key = key.trim();
        if key.is_empty() {
            return None;
        }
        if let Some(user) = self.find_user(key).or_else(|| {
            self.users
                .values()
                .find(|user| user.display_name.eq_ignore_ascii_case(key))
        }) {
            let shared = self.mailboxes.get(&user.id).map(|mailbox| mailbox.shared);
            let kind = match (user.user_type, shared) {
                (UserType::Guest, _) => Recipient::GuestMailUser,
                (_, Some(true)) => Recipient::SharedMailbox,
                (_, Some(false)) => Recipient::UserMailbox,
                (UserType::Member, None) => return None,
            };
            return Some((user.id.clone(), kind));
        }
        self.groups
            .values()
            .find(|group| {
                group.mail.is_some()
                    && (group.id.eq_ignore_ascii_case(key)
                        || group.display_name.eq_ignore_ascii_case(key)
                        || group
                            .mail
                            .as_deref()
                            .is_some_and(|mail| mail.eq_ignore_ascii_case(key)))
            })
            .map(|group| (group.id.clone(), Recipient::Group))
    }

    /// How lists of this right show a holder: UPN or a group's name, by the
    /// display name for send on behalf, and the text itself of what is nobody.
    pub(crate) fn shown_holder(&self, right: Right, holder: &str) -> String {
        match (self.users.get(holder), self.groups.get(holder)) {
            (Some(user), _) if right == Right::SendOnBehalf => user.display_name.clone(),
            (Some(user), _) => user.upn.clone(),
            (None, Some(group)) => group.display_name.clone(),
            (None, None) => holder.to_owned(),
        }
    }

    /// The id of a right in the trace, made of what was given to whom.
    pub(crate) fn right_object(&self, user: &str, right: Right, holder: &str) -> String {
        ObjectRef::right_id(user, right.as_str(), &self.shown_holder(right, holder))
    }

    /// Who holds a right, the mailbox itself left out; directory ids as far as
    /// there are any.
    pub(crate) fn holders(&self, user: &str, right: Right) -> Vec<String> {
        let Some(mailbox) = self.mailboxes.get(user) else {
            return Vec::new();
        };
        let of = |list: &[MailboxRight]| -> Vec<String> {
            list.iter()
                .filter(|held| held.holder != SELF)
                .filter(|held| held.rights.iter().any(|name| name == right.as_str()))
                .map(|held| held.holder.clone())
                .collect()
        };
        match right {
            Right::FullAccess => of(&mailbox.permissions),
            Right::SendAs => of(&mailbox.send_as),
            Right::SendOnBehalf => mailbox.send_on_behalf.clone(),
        }
    }

    /// Whether somebody can use a right now, as holder or as member of a group
    /// that holds it: with an account that is there and enabled.
    pub(crate) fn may_use(&self, user: &str, right: Right, who: &str) -> bool {
        self.users.get(who).is_some_and(|held| held.enabled)
            && self.holders(user, right).iter().any(|holder| {
                holder == who
                    || self
                        .groups
                        .get(holder)
                        .is_some_and(|group| group.members.iter().any(|id| id == who))
            })
    }

    /// Gives somebody a right; false if they hold it already or there is no mailbox.
    pub(crate) fn give_right(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        right: Right,
        holder: &str,
    ) -> bool {
        if self.holders(user, right).iter().any(|held| held == holder) {
            return false;
        }
        let Some(mailbox) = self.mailboxes.get_mut(user) else {
            return false;
        };
        let one = |name: &str| MailboxRight {
            holder: holder.to_owned(),
            rights: vec![name.to_owned()],
        };
        match right {
            Right::FullAccess => mailbox.permissions.push(one("FullAccess")),
            Right::SendAs => mailbox.send_as.push(one("SendAs")),
            Right::SendOnBehalf => mailbox.send_on_behalf.push(holder.to_owned()),
        }
        self.right_audit(now, by, user, right, holder, true);
        true
    }

    /// Takes a right from somebody; false if they do not hold it.
    pub(crate) fn take_right(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        right: Right,
        holder: &str,
    ) -> bool {
        let Some(mailbox) = self.mailboxes.get_mut(user) else {
            return false;
        };
        let clear = |list: &mut Vec<MailboxRight>| {
            let before = list.len();
            list.retain(|held| held.holder != holder);
            list.len() < before
        };
        let taken = match right {
            Right::FullAccess => clear(&mut mailbox.permissions),
            Right::SendAs => clear(&mut mailbox.send_as),
            Right::SendOnBehalf => {
                let before = mailbox.send_on_behalf.len();
                mailbox.send_on_behalf.retain(|held| held != holder);
                mailbox.send_on_behalf.len() < before
            }
        };
        if taken {
            self.right_audit(now, by, user, right, holder, false);
        }
        taken
    }

    fn right_audit(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        right: Right,
        holder: &str,
        given: bool,
    ) {
        let identity = self
            .users
            .get(user)
            .map(|user| user.upn.clone())
            .unwrap_or_default();
        let shown = self.shown_holder(right, holder);
        let list: Vec<String> = self
            .holders(user, right)
            .iter()
            .map(|holder| self.shown_holder(right, holder))
            .collect();
        let mut parameters = vec![json!({"Name": "Identity", "Value": identity})];
        let mut add = |name: &str, value: &str| {
            parameters.push(json!({"Name": name, "Value": value}));
        };
        let cmdlet = match (right, given) {
            (Right::FullAccess, given) => {
                add("User", &shown);
                add("AccessRights", "FullAccess");
                if given {
                    add("InheritanceType", "All");
                    "Add-MailboxPermission"
                } else {
                    "Remove-MailboxPermission"
                }
            }
            (Right::SendAs, given) => {
                add("Trustee", &shown);
                add("AccessRights", "SendAs");
                if given {
                    "Add-RecipientPermission"
                } else {
                    "Remove-RecipientPermission"
                }
            }
            // The whole list as it is after the change.
            (Right::SendOnBehalf, _) => {
                add("GrantSendOnBehalfTo", &list.join(";"));
                "Set-Mailbox"
            }
        };
        let at = self.logs.unified.len();
        self.exchange_admin_audit(now, by, user, cmdlet, &identity, parameters);
        // What the list was before and after (reference §7.3).
        if right == Right::SendOnBehalf
            && let Some(record) = self.logs.unified.get_mut(at)
        {
            let new = list.join(";");
            let old: Vec<String> = if given {
                list.iter()
                    .filter(|name| **name != shown)
                    .cloned()
                    .collect()
            } else {
                list.iter().cloned().chain([shown]).collect()
            };
            record.data.insert(
                String::from("ModifiedProperties"),
                json!([{"Name": "GrantSendOnBehalfTo", "OldValue": old.join(";"), "NewValue": new}]),
            );
        }
    }

    /// Somebody sends with a right on this mailbox: the record is the mailbox's,
    /// with the name that was used (reference §7.3).
    pub(crate) fn send_with_right(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        right: Right,
        mail: Mail,
    ) {
        let address = mail.from.address.clone();
        let (operation, name) = match right {
            Right::SendOnBehalf => ("SendOnBehalf", "SendOnBehalfOfUserSmtp"),
            Right::SendAs | Right::FullAccess => ("SendAs", "SendAsUserSmtp"),
        };
        let recipients: Vec<&str> = mail.recipients().map(|to| to.address.as_str()).collect();
        let mut extra = self.mailbox_audit(user, by);
        merge(
            &mut extra,
            json!({
                "Item": {
                    "Id": Value::Null,
                    "InternetMessageId": mail.internet_message_id,
                    "ParentFolder": {"Path": "\\Drafts"},
                    "SizeInBytes": mail.size,
                    "Subject": mail.subject,
                },
                "recipientList": recipients,
                "recipientCount": recipients.len(),
            }),
        );
        extra[name] = json!(address);
        self.audit(now, "ExchangeItem", operation, by, "", extra);
        self.outbox.push(mail);
    }

    /// Invites somebody from outside, who accepts at once; returns the guest's id.
    pub(crate) fn invite_guest(
        &mut self,
        now: Timestamp,
        by: &Origin,
        address: &str,
        name: &str,
    ) -> String {
        let id = self.new_id("guest");
        let upn = format!(
            "{}#EXT#@{}",
            address.replace('@', "_"),
            self.tenant.initial_domain
        );
        let mut guest = super::User::new(&id, &upn, name, now);
        guest.user_type = UserType::Guest;
        guest.has_mailbox = false;
        address.clone_into(&mut guest.mail);
        guest.proxy_addresses = vec![format!("SMTP:{address}")];
        self.add_user(guest);
        let target = self.user_target(&id, Vec::new());
        self.audit_directory(
            now,
            by,
            &super::audit::Activity {
                name: "Invite external user",
                category: "UserManagement",
                service: "Invited Users",
                operation: "Add",
            },
            vec![target],
        );
        id
    }
}
