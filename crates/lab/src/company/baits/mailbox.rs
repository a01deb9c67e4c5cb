//! Baits in the affected user's own mailbox besides inbox rules.

use jiff::Timestamp;
use retake_playbook::{ObjectKind, ObjectRef};

use super::super::{Company, Kept, names};
use crate::scenario::{Move, Scenario};
use crate::world::World;
use crate::world::mail::Forwarding;
use crate::world::mailbox::{AutoReply, SweepRule};
use crate::world::settings::{JunkList, Protocol};

impl Company {
    /// The mailbox forwards to a colleague, a copy kept: agreed for the holidays and
    /// never taken back. Both fields are one object, so where the attack sets one of
    /// them there is no such bait.
    pub(super) fn forward_inside(
        &mut self,
        world: &mut World,
        scenario: &Scenario,
        alert: Timestamp,
    ) {
        let attacked = [Move::ForwardToContact, Move::ForwardMailbox]
            .iter()
            .any(|step| scenario.takes(self.chance, *step));
        let me = self.affected.clone();
        let Some(colleague) = self
            .chance
            .draw("bait", "deputy", 0)
            .choose(&self.colleagues)
            .cloned()
        else {
            return;
        };
        if attacked {
            return;
        }
        let to = Self::address(world, &colleague).address;
        let (at, by) = self.own_doing(world, &me, alert, "forward inside");
        world.set_forwarding(
            at,
            &by,
            &me,
            Forwarding {
                smtp: None,
                address: Some(to),
                deliver_and_forward: true,
            },
        );
        self.keep(
            ObjectKind::MailboxForwarding,
            me,
            Vec::new(),
            "the mailbox forwards to the user's deputy, inside",
        );
    }

    /// Exchange's own hidden rules, which have the names that attackers borrow.
    pub(super) fn system_rules(&mut self, world: &World) {
        let Some(mailbox) = world.mailboxes.get(&self.affected) else {
            return;
        };
        let rules: Vec<(String, String)> = mailbox
            .system_rules
            .iter()
            .map(|rule| (rule.id.clone(), rule.number.to_string()))
            .collect();
        for (id, number) in rules {
            self.keep(
                ObjectKind::InboxRule,
                id,
                vec![number],
                "Exchange's own hidden rule",
            );
        }
    }

    /// A sweep rule that the user made long ago.
    pub(super) fn sweep_newsletters(&mut self, world: &mut World, alert: Timestamp) {
        let me = self.affected.clone();
        let (at, by) = self.own_doing(world, &me, alert, "sweep");
        let draw = |purpose: &str| self.chance.draw("bait sweep", purpose, 0);
        let draft = SweepRule {
            name: draw("name")
                .word(&["Newsletters", "Accounting Weekly", "News", "."])
                .to_owned(),
            enabled: true,
            sender: format!("news@weekly.{}.example", names::COMPANY_SECOND[0]),
            keep_days: Some(draw("days").between(7, 20) as u32),
            ..SweepRule::default()
        };
        let id = world.create_sweep_rule(at, &by, &me, draft);
        let identity = world.sweep_identity(&me, &id);
        self.keep(
            ObjectKind::SweepRule,
            id,
            vec![identity],
            "tidies newsletters up after days",
        );
    }

    /// Puts a thing on the list of what must survive.
    pub(super) fn keep(
        &mut self,
        kind: ObjectKind,
        id: impl Into<String>,
        aliases: Vec<String>,
        why: &str,
    ) {
        self.kept.push(Kept {
            object: ObjectRef::new(kind, id),
            aliases,
            why: why.to_owned(),
        });
    }
}

impl Company {
    /// The user's own holiday text, from before; not where the attack sets the reply.
    pub(super) fn holiday_reply(
        &mut self,
        world: &mut World,
        scenario: &Scenario,
        alert: Timestamp,
    ) {
        if scenario.takes(self.chance, Move::AnswerForTheUser) {
            return;
        }
        let me = self.affected.clone();
        let (at, by) = self.own_doing(world, &me, alert, "holiday");
        let text = self.chance.draw("bait", "holiday text", 0).word(&[
            "I am out of the office and read mail in the evening.",
            "Ich bin zurzeit nicht im Haus. In dringenden Fällen bitte anrufen.",
            "On leave until Monday; my deputy reads along.",
        ]);
        world.set_auto_reply(
            at,
            &by,
            &me,
            AutoReply {
                enabled: true,
                internal: text.to_owned(),
                external: text.to_owned(),
            },
        );
        self.keep(
            ObjectKind::AutoReply,
            me,
            Vec::new(),
            "the user's own holiday text",
        );
    }

    /// Entries of the user's own in the lists of junk mail.
    pub(super) fn own_junk_entries(&mut self, world: &mut World, alert: Timestamp) {
        let me = self.affected.clone();
        let (at, by) = self.own_doing(world, &me, alert, "junk");
        let vendor = self
            .vendors
            .last()
            .map(|vendor| vendor.domain.clone())
            .unwrap_or_default();
        let spam = format!(
            "deals@{}.example",
            self.chance.draw("bait", "spam", 0).word(&[
                "bargain-post",
                "daily-offers",
                "printer-cartridges"
            ])
        );
        let entries = [(JunkList::Trusted, vendor), (JunkList::Blocked, spam)];
        world.add_junk_entries(at, &by, &me, &entries);
        for (list, entry) in entries {
            self.keep(
                ObjectKind::JunkLists,
                crate::services::exchange::junk_id(&me, list, &entry),
                vec![entry],
                "an entry of the user's own in the lists of junk mail",
            );
        }
    }

    /// Old protocols that somebody needs: POP of the affected user, SMTP AUTH of a
    /// mailbox that a scanner sends through. Nothing in the logs is as old.
    pub(super) fn old_protocols(&mut self, world: &mut World) {
        let me = self.affected.clone();
        let Some(scanner) = self.colleagues.last().cloned() else {
            return;
        };
        for (user, protocol, value, why) in [
            (
                me,
                Protocol::Ews,
                true,
                "a program of the user's own needs EWS",
            ),
            (
                scanner,
                Protocol::SmtpAuth,
                false,
                "a scanner sends through it",
            ),
        ] {
            let Some(mailbox) = world.mailboxes.get_mut(&user) else {
                continue;
            };
            mailbox.set_protocol(protocol, Some(value));
            self.keep(
                ObjectKind::MailProtocols,
                crate::services::exchange::protocol_id(&user, protocol),
                Vec::new(),
                why,
            );
        }
    }

    /// The user's own phone, paired long ago.
    pub(super) fn own_phone(&mut self, world: &mut World, alert: Timestamp) {
        let me = self.affected.clone();
        let at = super::super::before(alert, self.chance.draw("bait", "phone", 0).between(60, 500));
        let device = world.pair_device(at, &me, "iPhone", "iPhone14C5", "EAS");
        let identity: Vec<String> = world
            .mailboxes
            .get(&me)
            .into_iter()
            .flat_map(|mailbox| &mailbox.mobile_devices)
            .filter(|held| held.id == device)
            .map(|held| held.identity.clone())
            .collect();
        self.keep(
            ObjectKind::MobilePartnership,
            device,
            identity,
            "the user's own phone",
        );
    }

    /// Rules that the user's own Outlook runs; any rule changed through Exchange costs
    /// them (reference §0.6).
    pub(super) fn own_client_side_rules(&mut self, world: &mut World, alert: Timestamp) {
        let me = self.affected.clone();
        let (at, by) = self.own_doing(world, &me, alert, "client rule");
        if let Some(id) = world.make_client_side_rule_by(at, &by, &me, "Print invoices") {
            self.keep(
                ObjectKind::ClientSideRule,
                id,
                Vec::new(),
                "a rule that the user's own Outlook runs",
            );
        }
    }
}
