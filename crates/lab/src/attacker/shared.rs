//! What the attacker does in mailboxes that the stolen account opens: reading, rules,
//! forwarding, and mail in their name. What it leaves there works on while the account
//! is blocked (A61).

use jiff::Timestamp;
use retake_playbook::{ArtefactId, ObjectKind};
use serde_json::json;

use super::tick::{attempt, leaked};
use super::{Attacker, Foothold};
use crate::company::Company;
use crate::company::baits::rule_aliases;
use crate::mailflow::Delivery;
use crate::trace::{Actor, Got, Service, Trace, TraceLine, TraceObject};
use crate::world::mail::{Forwarding, RuleDraft};
use crate::world::mailbox::AutoReply;
use crate::world::rights::Right;
use crate::world::{Address, Mail, RuleActions, Surface, World};

const HERE: ArtefactId = ArtefactId::SHARED_MAILBOX;

/// What it left in other mailboxes.
#[derive(Clone, Debug, Default)]
pub(super) struct Elsewhere {
    /// Mailbox and rule.
    rules: Vec<(String, String)>,
    /// Mailbox and where it forwards to.
    forwards: Vec<(String, String)>,
    /// Mailbox and what it answers.
    replies: Vec<(String, String)>,
    /// What came of it since the last look.
    found: Vec<Delivery>,
    sent: u64,
}

impl Elsewhere {
    /// Takes note of what became of mail to one of those mailboxes.
    pub(super) fn note(&mut self, delivery: &Delivery) {
        let rule = |id: &String| {
            self.rules
                .iter()
                .any(|(mailbox, rule)| *mailbox == delivery.user && rule == id)
        };
        let worked = delivery.hidden_by.as_ref().is_some_and(rule)
            || delivery.leaks.iter().any(|leak| match &leak.rule {
                Some(id) => rule(id),
                None => self
                    .forwards
                    .iter()
                    .any(|(mailbox, to)| *mailbox == delivery.user && *to == leak.to),
            });
        if worked {
            self.found.push(delivery.clone());
        }
    }

    /// What is no longer there.
    pub(super) fn gone(&self, world: &World) -> Vec<String> {
        let rules = self.rules.iter().filter(|(mailbox, id)| {
            !world.mailboxes.get(mailbox).is_some_and(|mailbox| {
                mailbox
                    .rules
                    .iter()
                    .any(|rule| rule.id == *id && rule.enabled)
            })
        });
        let forwards = self.forwards.iter().filter(|(mailbox, to)| {
            world
                .mailboxes
                .get(mailbox)
                .is_none_or(|mailbox| mailbox.forwarding_smtp.as_ref() != Some(to))
        });
        let replies = self.replies.iter().filter(|reply| !answers(world, reply));
        rules
            .map(|(_, id)| id.clone())
            .chain(replies.map(|(mailbox, _)| format!("reply {mailbox}")))
            .chain(forwards.map(|(mailbox, _)| format!("forwarding {mailbox}")))
            .collect()
    }
}

impl Attacker {
    /// Reads mail about money in the mailboxes that the account opens.
    pub(super) fn read_shared(
        &mut self,
        world: &mut World,
        company: &Company,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        if self.live_access(world, now).is_none() {
            return;
        }
        let origin = self.origin(world, Surface::OutlookWeb);
        for (index, mailbox) in company.shared.iter().enumerate() {
            if !world.may_use(mailbox, Right::FullAccess, &self.victim) {
                continue;
            }
            let wanted = self
                .chance
                .draw("attacker", "shared reads", index as u64)
                .between(3, 7) as usize;
            let mut found: Vec<(Timestamp, String, String)> = world
                .mailboxes
                .get(mailbox)
                .into_iter()
                .flat_map(|mailbox| mailbox.messages.values())
                .map(|message| {
                    (
                        message.received,
                        message.id.clone(),
                        message.internet_message_id.clone(),
                    )
                })
                .collect();
            found.sort();
            let read: Vec<_> = found.into_iter().rev().take(wanted).collect();
            let ids: Vec<String> = read.iter().map(|(_, id, _)| id.clone()).collect();
            world.record_reads(now, &origin, mailbox, &ids);
            let messages: Vec<&String> = read.iter().map(|(.., message)| message).collect();
            trace.push(
                TraceLine::new(now, Actor::Attacker, Service::Attack, "read_shared")
                    .about(ObjectKind::Mailbox, mailbox.clone())
                    .with_effect(json!({
                        "kind": "read",
                        "messages": messages,
                        "account": upn(world, mailbox),
                    })),
            );
        }
    }

    /// The mailbox in which it leaves something: the first, while a session of the stolen
    /// account lives.
    fn shared_in_reach(
        &mut self,
        world: &mut World,
        company: &Company,
        now: Timestamp,
    ) -> Option<String> {
        let mailbox = company.shared.first()?;
        self.live_access(world, now)?;
        Some(mailbox.clone())
    }

    /// A rule in the first of them: one that forwards, one that hides, or a hidden one.
    pub(super) fn rule_in_shared(
        &mut self,
        world: &mut World,
        company: &Company,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        let Some(mailbox) = self.shared_in_reach(world, company, now) else {
            return;
        };
        let (draft, surface) = match self.chance.draw("shared", "rule", 0).below(3) {
            0 => (self.kit.forwarding_rule(50), Surface::OutlookWeb),
            1 => (
                self.hiding_in(world, company, &mailbox),
                Surface::OutlookWeb,
            ),
            _ => (self.kit.hidden_rule(), Surface::OutlookDesktop),
        };
        let origin = self.origin(world, surface);
        let Some(id) = world.create_rule(now, &origin, &mailbox, draft) else {
            return;
        };
        let aliases = rule_aliases(world, &mailbox, &id);
        self.elsewhere.rules.push((mailbox, id.clone()));
        let foothold = Foothold {
            artefact: HERE,
            object: TraceObject::new(ObjectKind::InboxRule, id),
            aliases,
        };
        self.plant_line(trace, now, "create_rule_in_shared", foothold, true);
    }

    /// A rule that takes the vendor's answers out of sight.
    fn hiding_in(&mut self, world: &mut World, company: &Company, mailbox: &str) -> RuleDraft {
        let victim = self.victim.clone();
        let draft = self.kit.hiding_rule(world, company, &victim);
        let folder = world.mailboxes.get(mailbox).map(|mailbox| {
            let word = self.chance.draw("shared", "folder", 0).word(&[
                "archive",
                "deleteditems",
                "conversationhistory",
            ]);
            mailbox.well_known(word)
        });
        RuleDraft {
            actions: RuleActions {
                move_to_folder: folder,
                ..draft.actions
            },
            ..draft
        }
    }

    /// Forwards the first of them to a mailbox of its own.
    pub(super) fn forward_shared(
        &mut self,
        world: &mut World,
        company: &Company,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        let Some(mailbox) = self.shared_in_reach(world, company, now) else {
            return;
        };
        let origin = self.origin(world, Surface::OutlookWeb);
        let [.., drop] = self.kit.drops.clone();
        let to = Forwarding {
            smtp: Some(drop.clone()),
            address: None,
            deliver_and_forward: true,
        };
        world.set_forwarding(now, &origin, &mailbox, to);
        self.elsewhere.forwards.push((mailbox.clone(), drop));
        let foothold = Foothold {
            artefact: HERE,
            object: TraceObject::new(ObjectKind::MailboxForwarding, mailbox.clone()),
            aliases: vec![upn(world, &mailbox)],
        };
        self.plant_line(trace, now, "forward_shared", foothold, true);
    }

    /// The first of them answers whoever writes with the attacker's address.
    pub(super) fn reply_in_shared(
        &mut self,
        world: &mut World,
        company: &Company,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        let Some(mailbox) = self.shared_in_reach(world, company, now) else {
            return;
        };
        let to = self.kit.spare_drop();
        let text = self.chance.draw("shared", "reply", 0).word(&[
            "For payments please write to",
            "This mailbox has moved. The new address is",
            "Invoices are answered by our partner at",
        ]);
        let external = format!("{text} {to}");
        let origin = self.origin(world, Surface::OutlookWeb);
        let reply = AutoReply {
            enabled: true,
            internal: String::new(),
            external: external.clone(),
        };
        world.set_auto_reply(now, &origin, &mailbox, reply);
        self.elsewhere.replies.push((mailbox.clone(), external));
        let foothold = Foothold {
            artefact: HERE,
            object: TraceObject::new(ObjectKind::AutoReply, mailbox.clone()),
            aliases: vec![upn(world, &mailbox)],
        };
        self.plant_line(trace, now, "reply_in_shared", foothold, true);
    }

    /// Asks whoever pays for money, in the name of a shared mailbox.
    pub(super) fn send_as_shared(
        &mut self,
        world: &mut World,
        company: &Company,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        let Some(mailbox) = company.shared.first() else {
            return;
        };
        if self.live_access(world, now).is_none()
            || !world.may_use(mailbox, Right::SendAs, &self.victim)
        {
            return;
        }
        let ordinal = self.elsewhere.sent;
        self.elsewhere.sent += 1;
        let draw = |purpose: &str| self.chance.draw("shared fraud", purpose, ordinal);
        let to = Company::address(world, &company.treasurer());
        let mail = Mail {
            internet_message_id: format!(
                "<{}@{}>",
                draw("message id").hex(32),
                world.tenant.domain
            ),
            conversation: company.thread.conversation.clone(),
            subject: format!("Payment: {}", company.thread.subject),
            from: Company::address(world, mailbox),
            to: vec![Address::new(to.name, to.address.clone())],
            cc: Vec::new(),
            bcc: Vec::new(),
            reply_to: Vec::new(),
            body: format!(
                "Please pay {} for {} today, to the new bank details in the attachment.",
                company.thread.amount, company.thread.reference
            ),
            has_attachments: true,
            size: draw("size").between(5_000, 60_000) as u32,
            sent: now,
            from_ip: String::new(),
            automatic: false,
        };
        let id = mail.internet_message_id.clone();
        let origin = self.origin(world, Surface::OutlookWeb);
        let account = upn(world, mailbox);
        world.send_with_right(now, &origin, mailbox, Right::SendAs, mail);
        trace.push(
            TraceLine::new(now, Actor::Attacker, Service::Attack, "send_as_shared")
                .about(ObjectKind::Message, id.clone())
                .with_effect(json!({
                    "kind": "sent",
                    "messages": [id],
                    "recipients": [to.address],
                    "account": account,
                })),
        );
    }

    /// A61: what came out of other mailboxes, or was hidden there, since the last look.
    pub(super) fn look_elsewhere(&mut self, world: &World, trace: &mut Trace, now: Timestamp) {
        if !self.footholds.iter().any(|held| held.artefact == HERE) {
            return;
        }
        let found = std::mem::take(&mut self.elsewhere.found);
        let out = found.iter().any(|delivery| !delivery.leaks.is_empty());
        let effect =
            (!found.is_empty()).then(|| leaked(if out { "leaked" } else { "hidden" }, &found));
        let got = effect.is_some().then_some(Got::Data);
        attempt(trace, now, "look_shared", HERE, got, effect);
        if !self.elsewhere.replies.is_empty() {
            // A mail of its own from outside, to see what comes back.
            let still = self
                .elsewhere
                .replies
                .iter()
                .any(|reply| answers(world, reply));
            let got = still.then_some(Got::Data);
            attempt(trace, now, "probe_shared_reply", HERE, got, None);
        }
    }
}

/// Whether a mailbox still answers with this text.
fn answers(world: &World, (mailbox, text): &(String, String)) -> bool {
    world
        .mailboxes
        .get(mailbox)
        .is_some_and(|mailbox| mailbox.auto_reply.enabled && mailbox.auto_reply.external == *text)
}

fn upn(world: &World, user: &str) -> String {
    world
        .users
        .get(user)
        .map(|user| user.upn.clone())
        .unwrap_or_default()
}
