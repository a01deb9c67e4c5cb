//! Baits in the affected user's own mailbox besides inbox rules.

use jiff::Timestamp;
use retake_playbook::{ObjectKind, ObjectRef};

use super::super::{Company, Kept, names};
use crate::scenario::{Move, Scenario};
use crate::world::World;
use crate::world::mail::Forwarding;
use crate::world::mailbox::SweepRule;

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
