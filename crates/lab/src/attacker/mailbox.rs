//! What the attacker leaves in the mailbox besides ordinary rules and forwarding.

use jiff::{SignedDuration, Timestamp};
use retake_playbook::{ArtefactId, ObjectKind};

use crate::company::Company;
use crate::company::before;
use crate::mailflow::Delivery;
use crate::trace::{Trace, TraceObject};
use crate::world::mail::{Forwarding, RuleDraft};
use crate::world::mailbox::{Mailbox, SweepRule};
use crate::world::{Address, RuleActions, RuleConditions, Surface, World};

use super::{Attacker, Foothold};

/// What it holds of that kind, as far as it knows.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    /// The contact that the mailbox forwards to and where that leads; the address that
    /// sleeps in the other field, if it filled that too.
    contact: Option<Contact>,
    sweep: Option<String>,
    /// Whether its disguised rule hides mail instead of sending it out.
    disguise_hides: bool,
}

#[derive(Clone, Debug)]
struct Contact {
    name: String,
    leads_to: String,
    asleep: Option<String>,
}

impl Held {
    /// Through which artefact a copy came that no rule sent.
    pub(super) fn through_contact(&self, to: &str) -> Option<ArtefactId> {
        self.contact
            .as_ref()
            .is_some_and(|contact| contact.leads_to == to || contact.asleep.as_deref() == Some(to))
            .then_some(ArtefactId::CONTACT_FORWARDING)
    }

    /// The mail that its sweep rule took away, as deliveries of their own.
    pub(super) fn swept_of(&self, delivery: &Delivery) -> Vec<Delivery> {
        delivery
            .swept
            .iter()
            .filter(|swept| self.sweep.as_deref() == Some(swept.rule.as_str()))
            .map(|swept| Delivery {
                message: swept.message.clone(),
                size: swept.size,
                ..delivery.clone()
            })
            .collect()
    }

    /// What of it is no longer there.
    pub(super) fn gone(&self, mailbox: &Mailbox) -> Vec<String> {
        let mut gone = Vec::new();
        if let Some(contact) = &self.contact
            && mailbox.forwarding_address.as_ref() != Some(&contact.name)
        {
            gone.push(String::from("forwarding to a contact"));
        }
        if let Some(sweep) = &self.sweep
            && !mailbox.sweep_rules.iter().any(|rule| rule.id == *sweep)
        {
            gone.push(sweep.clone());
        }
        gone
    }
}

impl Attacker {
    /// Whether this artefact hides mail and sends none out.
    pub(super) fn only_hides(&self, artefact: ArtefactId) -> bool {
        match artefact {
            ArtefactId::HIDING_RULE | ArtefactId::SWEEP_RULE => true,
            ArtefactId::DISGUISED_RULE => self.held.disguise_hides,
            _ => false,
        }
    }

    /// Points the mailbox at a contact of the organisation that an outsider reads. In
    /// some seeds the other field is filled too: it is ignored as long as this one is
    /// set, and wakes when this one alone is cleared (reference §6.2).
    pub(super) fn forward_to_contact(
        &mut self,
        world: &mut World,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        if self.live_access(world, now).is_none() {
            return;
        }
        let chance = self.chance;
        let draw = |purpose: &str| chance.draw("contact", purpose, 0);
        let leads_to = self.kit.contact_drop();
        let name = draw("name")
            .word(&[
                "Accounts Archive",
                "Backup Mailbox",
                "External Audit",
                "Payroll Office",
                "Tax Adviser",
                "Translation Desk",
            ])
            .to_owned();
        // The organisation has had this contact for a while; whoever is behind it now
        // is another matter.
        let made = before(now, draw("age").between(20, 300))
            .checked_sub(SignedDuration::from_mins(draw("minute").below(600) as i64))
            .unwrap_or(now);
        world.add_contact(made, &name, &leads_to);
        let there = world
            .mailboxes
            .get(&self.victim)
            .and_then(|mailbox| mailbox.forwarding_smtp.clone());
        let asleep = there.or_else(|| draw("asleep").happens(45).then(|| self.kit.spare_drop()));
        let origin = self.origin(world, Surface::OutlookWeb);
        world.set_forwarding(
            now,
            &origin,
            &self.victim,
            Forwarding {
                smtp: asleep.clone(),
                address: Some(name.clone()),
                deliver_and_forward: true,
            },
        );
        self.held.contact = Some(Contact {
            name,
            leads_to,
            asleep,
        });
        let foothold = Foothold {
            artefact: ArtefactId::CONTACT_FORWARDING,
            object: TraceObject::new(ObjectKind::MailboxForwarding, self.victim.clone()),
            aliases: Vec::new(),
        };
        self.plant_line(trace, now, "set_forwarding", foothold, true);
    }

    /// A rule that bears the name of one of Exchange's own, exactly or nearly, and does
    /// what the attacker's rules do.
    pub(super) fn disguised_rule(
        &mut self,
        world: &mut World,
        company: &Company,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        let chance = self.chance;
        let draw = |purpose: &str| chance.draw("disguise", purpose, 0);
        let Some(mailbox) = world.mailboxes.get(&self.victim) else {
            return;
        };
        let own = match mailbox.language.get(..2) {
            Some("de") => "Junk-E-Mail-Regel",
            Some("fr") => "Règle Courrier indésirable",
            Some("nl") => "Regel voor ongewenste e-mail",
            _ => "Junk E-mail Rule",
        };
        let name = draw("name").word(&[
            "Junk E-Mail Rule",
            own,
            "Junk Email Rule",
            "Microsoft.Exchange.OOF.InternalSenders.Global",
            "Microsoft.Exchange.OOF.AllExternalSenders.Global",
        ]);
        // A rule hidden from Outlook can be removed through Exchange alone, which costs
        // the owner's client-side rules: not where the owner has any.
        let hidden = mailbox.client_side_rules.is_empty() && draw("hidden").happens(50);
        let hides = draw("hides").happens(50);
        let archive = mailbox.well_known(draw("folder").word(&[
            "conversationhistory",
            "archive",
            "deleteditems",
        ]));
        let (conditions, actions) = if hides {
            (
                RuleConditions {
                    subject_or_body_contains: vec![company.thread.reference.clone()],
                    ..RuleConditions::default()
                },
                RuleActions {
                    move_to_folder: Some(archive),
                    mark_as_read: true,
                    ..RuleActions::default()
                },
            )
        } else {
            (
                RuleConditions {
                    subject_contains: vec![String::from("invoice")],
                    ..RuleConditions::default()
                },
                RuleActions {
                    redirect_to: vec![Address::new("", self.kit.spare_drop())],
                    ..RuleActions::default()
                },
            )
        };
        let draft = RuleDraft {
            name: name.to_owned(),
            hidden,
            conditions,
            actions,
            ..RuleDraft::default()
        };
        self.held.disguise_hides = hides;
        let surface = if hidden {
            Surface::OutlookDesktop
        } else {
            Surface::OutlookWeb
        };
        self.plant_rule(
            world,
            trace,
            now,
            draft,
            ArtefactId::DISGUISED_RULE,
            surface,
            true,
        );
    }

    /// A sweep rule: all but the newest of the vendor's mail goes at once.
    pub(super) fn sweep_replies(
        &mut self,
        world: &mut World,
        company: &Company,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        if self.live_access(world, now).is_none() {
            return;
        }
        let chance = self.chance;
        let draw = |purpose: &str| chance.draw("sweep", purpose, 0);
        let sender = company
            .stolen_vendor()
            .map(|vendor| vendor.contact.address.clone())
            .unwrap_or_default();
        let upn = world.upn(&self.victim);
        let archive = world.mailboxes.get(&self.victim).and_then(|mailbox| {
            mailbox
                .folder("archive")
                .map(|folder| folder.display_name.clone())
        });
        let draft = SweepRule {
            name: draw("name")
                .word(&["Sweep", "Old mail", "Aufräumen", "-", "Clean up"])
                .to_owned(),
            enabled: true,
            sender,
            keep_latest: Some(1),
            destination: archive
                .filter(|_| draw("where").happens(40))
                .map(|name| format!("{upn}:\\{name}")),
            ..SweepRule::default()
        };
        let origin = self.origin(world, Surface::OutlookWeb);
        let id = world.create_sweep_rule(now, &origin, &self.victim, draft);
        let identity = world.sweep_identity(&self.victim, &id);
        self.held.sweep = Some(id.clone());
        let foothold = Foothold {
            artefact: ArtefactId::SWEEP_RULE,
            object: TraceObject::new(ObjectKind::SweepRule, id),
            aliases: vec![identity],
        };
        self.plant_line(trace, now, "create_sweep_rule", foothold, true);
    }
}
