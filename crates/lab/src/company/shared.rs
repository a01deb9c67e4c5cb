//! Mailboxes that the affected user opens besides their own: shared ones, and the
//! manager's.

use jiff::{SignedDuration, Timestamp};
use retake_playbook::{ObjectKind, ObjectRef};

use crate::scenario::{BaitKind, Scenario};
use crate::world::mail::{Forwarding, RuleDraft};
use crate::world::mailbox::AutoReply;
use crate::world::rights::Right;
use crate::world::{Address, Mail, Surface, User, World};

use super::baits::rule_aliases;
use super::letters::Letter;
use super::{Company, Kept, before};

/// Names of shared mailboxes and their aliases.
const NAMES: [(&str, &str); 6] = [
    ("Office", "office"),
    ("Invoices", "invoices"),
    ("Board office", "board-office"),
    ("Travel desk", "travel-desk"),
    ("Info", "info"),
    ("Purchasing", "purchasing"),
];
/// How many mails lie in each when the alert comes.
const STORED: u64 = 14;

impl Company {
    /// Opens the shared mailboxes of this seed. Every other one is reached through a
    /// group; with the second comes the manager's own mailbox.
    pub(super) fn open_shared(&mut self, world: &mut World, scenario: &Scenario, alert: Timestamp) {
        let chance = self.chance;
        let count = scenario
            .company
            .shared_mailboxes
            .pick(chance.draw("shared", "count", 0)) as usize;
        if count == 0 {
            return;
        }
        let me = self.affected.clone();
        let administrator = self.colleagues.first().cloned().unwrap_or_default();
        let order = chance.order("shared", "names", NAMES.len());
        for (index, at) in order.into_iter().take(count).enumerate() {
            let (name, alias) = NAMES.get(at).copied().unwrap_or(NAMES[0]);
            let id = chance.draw("shared", "id", index as u64).uuid().to_string();
            let upn = format!("{alias}@{}", world.tenant.domain);
            let mut user = User::new(&id, &upn, name, before(alert, 700));
            // Nobody signs in with the account of a shared mailbox.
            user.enabled = false;
            world.add_user(user);
            if let Some(mailbox) = world.mailboxes.get_mut(&id) {
                mailbox.shared = true;
                mailbox.add_folder("RSS Feeds", None);
            }
            let holder = if index % 2 == 0 {
                me.clone()
            } else {
                self.team_with(world, &id, &me, alert)
            };
            for right in [Right::FullAccess, Right::SendAs] {
                let why = "a mailbox that several people answer";
                self.own_right(world, &administrator, &id, right, &holder, alert, why);
            }
            self.fill(world, &id, alert, index as u64);
            self.shared.push(id);
        }
        let manager = world.users.get(&me).and_then(|user| user.manager.clone());
        if let Some(manager) = manager.filter(|_| count > 1) {
            let why = "the user works in the manager's mailbox";
            self.own_right(
                world,
                &administrator,
                &manager,
                Right::FullAccess,
                &me,
                alert,
                why,
            );
        }
    }

    fn team_with(&self, world: &mut World, mailbox: &str, user: &str, alert: Timestamp) -> String {
        let id = self.team(world, mailbox, alert);
        if let Some(group) = world.groups.get_mut(&id) {
            group.display_name = format!("{} ({})", group.display_name, &id[..4]);
            group.mail = Some(format!("team-{}@{}", &id[..8], world.tenant.domain));
            group.members.push(user.to_owned());
        }
        id
    }

    /// Mail that lies in a shared mailbox already.
    fn fill(&self, world: &mut World, mailbox: &str, alert: Timestamp, index: u64) {
        for number in 0..STORED {
            let ordinal = 3_000_000 + index * 100 + number;
            let hours = self.chance.draw(mailbox, "stored", number).between(60, 600);
            let at = alert
                .checked_sub(SignedDuration::from_hours(hours as i64))
                .unwrap_or(alert);
            let mail = self.letter_to(world, mailbox, Letter::Money, ordinal, at);
            let inbox = world
                .mailboxes
                .get(mailbox)
                .map(|mailbox| mailbox.well_known("inbox"))
                .unwrap_or_default();
            world.store(at, mailbox, &inbox, &mail, number % 3 != 0);
        }
    }

    /// A letter of the affected user's post, to another mailbox.
    pub(crate) fn letter_to(
        &self,
        world: &World,
        mailbox: &str,
        kind: Letter,
        ordinal: u64,
        at: Timestamp,
    ) -> Mail {
        let mut mail = self.letter(world, kind, ordinal, at);
        mail.to = vec![Self::address(world, mailbox)];
        mail
    }

    /// Lays a bait in a shared mailbox; the attacker leaves the last one alone.
    pub(super) fn lay_shared(&mut self, world: &mut World, kind: BaitKind, alert: Timestamp) {
        let Some(mailbox) = self.shared.last().cloned() else {
            return;
        };
        let colleague = self.colleagues.get(2).cloned().unwrap_or_default();
        let (at, by) = self.own_doing(world, &colleague, alert, "shared mailbox");
        let by = by.through(Surface::OutlookWeb);
        if kind == BaitKind::SharedForward {
            world.set_forwarding(
                at,
                &by,
                &mailbox,
                Forwarding {
                    smtp: Some(self.home_address(world, &mailbox)),
                    address: None,
                    deliver_and_forward: true,
                },
            );
            self.kept.push(Kept {
                object: ObjectRef::new(ObjectKind::MailboxForwarding, mailbox),
                aliases: Vec::new(),
                why: String::from("the shared mailbox's copy for the tax adviser"),
            });
            return;
        }
        if kind == BaitKind::SharedReply {
            // With one mailbox alone it may be the one that the attacker bends.
            if self.shared.len() > 1 {
                let reply = AutoReply {
                    enabled: true,
                    internal: String::new(),
                    external: String::from(
                        "We answer within two days. In a hurry? Write to desk@tax-adviser.example",
                    ),
                };
                world.set_auto_reply(at, &by, &mailbox, reply);
                self.kept.push(Kept {
                    object: ObjectRef::new(ObjectKind::AutoReply, mailbox),
                    aliases: Vec::new(),
                    why: String::from("what the shared mailbox tells whoever writes"),
                });
            }
            return;
        }
        for mailbox in self.shared.clone() {
            let folder = world
                .mailboxes
                .get_mut(&mailbox)
                .map(|mailbox| mailbox.add_folder("Done", None));
            let mut draft = RuleDraft {
                name: String::from("newsletters"),
                ..RuleDraft::default()
            };
            draft.conditions.subject_contains = vec![String::from("weekly")];
            draft.actions.move_to_folder = folder;
            draft.actions.mark_as_read = true;
            draft.actions.forward_to = vec![Address::new("", "archive@tax-adviser.example")];
            let Some(id) = world.create_rule(at, &by, &mailbox, draft) else {
                continue;
            };
            let aliases = rule_aliases(world, &mailbox, &id);
            self.kept.push(Kept {
                object: ObjectRef::new(ObjectKind::InboxRule, id),
                aliases,
                why: String::from("a shared mailbox's own rule"),
            });
        }
    }
}
