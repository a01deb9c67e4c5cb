//! Settings of the mailbox that the attacker bends: automatic reply, junk lists,
//! protocols, a phone, desktop Outlook's own rules; and the flood of mail for which the
//! service stops the account from sending.

use jiff::{SignedDuration, Timestamp};
use retake_playbook::{ArtefactId, ObjectKind};
use serde_json::json;

use crate::company::Company;
use crate::company::life::add;
use crate::services::exchange::{junk_id, protocol_id};
use crate::trace::{Actor, Got, Service, Trace, TraceLine, TraceObject};
use crate::world::mailbox::AutoReply;
use crate::world::settings::{JunkList, Protocol};
use crate::world::{Address, Mail, Origin, Surface, World, known};

use super::tick::attempt;
use super::{Attacker, Foothold};

/// What it bent, as far as it knows.
#[derive(Clone, Debug, Default)]
pub(super) struct Bent {
    /// The text that whoever writes is answered.
    reply: Option<String>,
    junk: Vec<(JunkList, String)>,
    protocols: Vec<Protocol>,
    phone: Option<String>,
    client_rule: Option<String>,
}

impl Attacker {
    /// The automatic reply sends whoever writes to another address or account.
    pub(super) fn answer_for_the_user(
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
        let draw = |purpose: &str| chance.draw("auto reply", purpose, 0);
        let to = self.kit.spare_drop();
        let text = match draw("text").below(3) {
            0 => format!("Thank you for your mail. Please use my new address {to} from now on."),
            1 => format!(
                "We have changed banks. Please ask for the new details before you pay, at {to}."
            ),
            _ => format!(
                "I am out of the office. For {} please write to my deputy: {to}",
                company.thread.reference
            ),
        };
        let origin = self.origin(world, Surface::OutlookWeb);
        world.set_auto_reply(
            now,
            &origin,
            &self.victim,
            AutoReply {
                enabled: true,
                internal: if draw("inside").happens(40) {
                    text.clone()
                } else {
                    String::new()
                },
                external: text.clone(),
            },
        );
        self.bent.reply = Some(text);
        let foothold = Foothold {
            artefact: ArtefactId::AUTO_REPLY,
            object: TraceObject::new(ObjectKind::AutoReply, self.victim.clone()),
            aliases: Vec::new(),
        };
        self.plant_line(trace, now, "set_auto_reply", foothold, true);
    }

    /// Its own domain is trusted, somebody who would warn the user is junk.
    pub(super) fn bend_junk_lists(
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
        let draw = |purpose: &str| chance.draw("junk lists", purpose, 0);
        let drop = self.kit.contact_drop();
        let domain = drop.rsplit('@').next().unwrap_or_default().to_owned();
        let trusted = if draw("whole domain").happens(50) {
            domain
        } else {
            drop
        };
        let mut added = Vec::new();
        if draw("trusts").happens(70) {
            added.push((JunkList::Trusted, trusted.clone()));
        }
        if draw("blocks").happens(60) || added.is_empty() {
            let hushed = if draw("whom").happens(50) {
                format!("security@{}", world.tenant.domain)
            } else {
                Company::address(world, &company.treasurer()).address
            };
            added.push((JunkList::Blocked, hushed));
        }
        let origin = self.origin(world, Surface::OutlookWeb);
        world.add_junk_entries(now, &origin, &self.victim, &added);
        for (list, entry) in &added {
            let foothold = Foothold {
                artefact: ArtefactId::JUNK_LISTS,
                object: TraceObject::new(
                    ObjectKind::JunkLists,
                    junk_id(&self.victim, *list, entry),
                ),
                aliases: vec![entry.clone()],
            };
            self.plant_line(trace, now, "set_junk_lists", foothold, true);
        }
        self.bent.junk = added;
    }

    /// Switches on what a program can use that shows no page.
    pub(super) fn open_protocols(&mut self, world: &mut World, trace: &mut Trace, now: Timestamp) {
        if self.live_access(world, now).is_none() {
            return;
        }
        let chance = self.chance;
        let draw = |purpose: &str| chance.draw("protocols", purpose, 0);
        let mut wanted = vec![(Protocol::Imap, Some(true))];
        if draw("smtp").happens(60) {
            wanted.push((Protocol::SmtpAuth, Some(false)));
        }
        if draw("which").happens(30) {
            wanted.remove(0);
            wanted.push((Protocol::Pop, Some(true)));
        }
        let origin = self.origin(world, Surface::OutlookWeb);
        let changed = world.set_protocols(now, &origin, &self.victim, &wanted);
        for (protocol, ..) in changed {
            let foothold = Foothold {
                artefact: ArtefactId::MAIL_PROTOCOLS,
                object: TraceObject::new(
                    ObjectKind::MailProtocols,
                    protocol_id(&self.victim, protocol),
                ),
                aliases: Vec::new(),
            };
            self.bent.protocols.push(protocol);
            self.plant_line(trace, now, "set_protocols", foothold, true);
        }
    }

    /// A phone of its own reads the mailbox.
    pub(super) fn pair_phone(&mut self, world: &mut World, trace: &mut Trace, now: Timestamp) {
        if self.live_access(world, now).is_none() {
            return;
        }
        let chance = self.chance;
        let draw = |purpose: &str| chance.draw("phone", purpose, 0);
        let (kind, model) = *draw("kind")
            .choose(&[
                ("iPhone", "iPhone12C1"),
                ("Android", "SM-A525F"),
                ("Outlook", "Outlook for iOS and Android"),
                ("WindowsMail", "Mail"),
            ])
            .unwrap_or(&("iPhone", "iPhone12C1"));
        let victim = self.victim.clone();
        let device = world.pair_device(now, &victim, kind, model, "EAS");
        let identity = world
            .mailboxes
            .get(&victim)
            .and_then(|mailbox| {
                mailbox
                    .mobile_devices
                    .iter()
                    .find(|held| held.id == device)
                    .map(|held| held.identity.clone())
            })
            .unwrap_or_default();
        self.bent.phone = Some(device.clone());
        let foothold = Foothold {
            artefact: ArtefactId::MOBILE_PARTNERSHIP,
            object: TraceObject::new(ObjectKind::MobilePartnership, device),
            aliases: vec![identity],
        };
        self.plant_line(trace, now, "pair_phone", foothold, true);
        self.sync_phone(world, trace, now);
    }

    /// A rule that desktop Outlook runs and no interface lists.
    pub(super) fn client_side_rule(
        &mut self,
        world: &mut World,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        if self.live_access(world, now).is_none() {
            return;
        }
        let name = self
            .chance
            .draw("client rule", "name", 0)
            .word(&["", ".", "sync", "Outlook"]);
        let origin = self.origin(world, Surface::OutlookDesktop);
        let victim = self.victim.clone();
        let Some(id) = world.make_client_side_rule_by(now, &origin, &victim, name) else {
            return;
        };
        self.bent.client_rule = Some(id.clone());
        // Its record knows the number.
        let aliases = id.strip_prefix("client-").map(str::to_owned);
        let foothold = Foothold {
            artefact: ArtefactId::CLIENT_SIDE_RULE,
            object: TraceObject::new(ObjectKind::ClientSideRule, id),
            aliases: aliases.into_iter().collect(),
        };
        self.plant_line(trace, now, "create_client_side_rule", foothold, true);
    }

    /// Mail to many at once, until the service stops the account from sending.
    pub(super) fn flood(
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
        let me = Company::address(world, &self.victim);
        let origin = self.origin(world, Surface::OutlookWeb);
        for (index, vendor) in company.vendors.iter().enumerate() {
            let at = add(now, SignedDuration::from_secs(20 * index as i64));
            let draw = |purpose: &str| chance.draw("flood", purpose, index as u64);
            let to = vendor.contact.clone();
            let mail = Mail {
                internet_message_id: format!("<{}@{}>", draw("id").hex(32), world.tenant.domain),
                conversation: format!("AAQk{}", draw("conversation").hex(40)),
                subject: String::from("Document shared with you"),
                from: Address::new(me.name.clone(), me.address.clone()),
                to: vec![to.clone()],
                cc: Vec::new(),
                bcc: Vec::new(),
                reply_to: Vec::new(),
                body: String::from("Please open the attached document and sign in to read it."),
                has_attachments: true,
                size: draw("size").between(20_000, 90_000) as u32,
                sent: at,
                from_ip: String::new(),
                automatic: false,
            };
            let id = mail.internet_message_id.clone();
            world.send_mail(at, &origin, &self.victim, mail, true);
            trace.push(
                TraceLine::new(at, Actor::Attacker, Service::Attack, "send_mail")
                    .about(ObjectKind::Message, id.clone())
                    .with_effect(
                        json!({"kind": "sent", "messages": [id], "recipients": [to.address]}),
                    ),
            );
        }
        let stopped = add(now, SignedDuration::from_mins(9));
        world.stopped_senders.insert(
            me.address,
            (
                stopped,
                String::from("OutboundSpamLast24Hours=100;OutboundMailLast24Hours=112"),
            ),
        );
    }

    /// What of this is no longer there.
    pub(super) fn unbent(&self, world: &World) -> Vec<String> {
        let Some(mailbox) = world.mailboxes.get(&self.victim) else {
            return Vec::new();
        };
        let mut gone = Vec::new();
        if let Some(text) = &self.bent.reply
            && !(mailbox.auto_reply.enabled && mailbox.auto_reply.external == *text)
        {
            gone.push(String::from("automatic reply"));
        }
        for (list, entry) in &self.bent.junk {
            if !mailbox.junk(*list).contains(entry) {
                gone.push(junk_id(&self.victim, *list, entry));
            }
        }
        if let Some(phone) = &self.bent.phone
            && !mailbox.mobile_devices.iter().any(|held| held.id == *phone)
        {
            gone.push(phone.clone());
        }
        gone
    }

    /// Tries all of it.
    pub(super) fn try_settings(&mut self, world: &mut World, trace: &mut Trace, now: Timestamp) {
        let bent = self.bent.clone();
        let Some(mailbox) = world.mailboxes.get(&self.victim) else {
            return;
        };
        if let Some(text) = &bent.reply {
            // A mail of its own from outside, to see what comes back.
            let answered = mailbox.auto_reply.enabled && mailbox.auto_reply.external == *text;
            attempt(
                trace,
                now,
                "probe_auto_reply",
                ArtefactId::AUTO_REPLY,
                answered.then_some(Got::Data),
                None,
            );
        }
        if !bent.junk.is_empty() {
            let holds = bent
                .junk
                .iter()
                .any(|(list, entry)| mailbox.junk(*list).contains(entry));
            attempt(
                trace,
                now,
                "probe_junk_lists",
                ArtefactId::JUNK_LISTS,
                holds.then_some(Got::Data),
                None,
            );
        }
        if !bent.protocols.is_empty() {
            let open = world.tenant.smtp_auth_disabled;
            let on = bent.protocols.iter().any(|protocol| {
                match (protocol, mailbox.protocol(*protocol)) {
                    (Protocol::SmtpAuth, value) => !value.unwrap_or(open),
                    (_, value) => value.unwrap_or_default(),
                }
            });
            // A program asks for a token of its own: an open protocol opens nothing
            // to whoever has none.
            let got = on && self.session_lives(world, now);
            attempt(
                trace,
                now,
                "read_by_protocol",
                ArtefactId::MAIL_PROTOCOLS,
                got.then_some(Got::Data),
                None,
            );
        }
        if bent.phone.is_some() {
            self.sync_phone(world, trace, now);
        }
        if let Some(rule) = &bent.client_rule {
            // It runs where Outlook runs: the owner's, or one that the attacker signed in.
            let there = world.mailboxes.get(&self.victim).is_some_and(|mailbox| {
                mailbox
                    .client_side_rules
                    .iter()
                    .any(|held| held.id == *rule)
            });
            let runs = world
                .users
                .get(&self.victim)
                .is_some_and(|user| user.enabled);
            attempt(
                trace,
                now,
                "look_outside",
                ArtefactId::CLIENT_SIDE_RULE,
                (there && runs).then_some(Got::Data),
                None,
            );
        }
    }

    /// The phone synchronises with the token that it holds.
    fn sync_phone(&mut self, world: &mut World, trace: &mut Trace, now: Timestamp) {
        let Some(device) = self.bent.phone.clone() else {
            return;
        };
        let paired = world
            .mailboxes
            .get(&self.victim)
            .is_some_and(|mailbox| mailbox.mobile_devices.iter().any(|held| held.id == device));
        let got = paired && self.session_lives(world, now);
        let mut effect = None;
        if got {
            let [first, _] = &self.kit.hosts;
            let ip = first.enter(world, 61);
            let mut origin =
                Origin::user(&self.victim, known::OUTLOOK_MOBILE, &ip, &self.kit.browser)
                    .through(Surface::Graph);
            origin.session.clone_from(&self.session);
            let newest: Vec<(String, String)> = world
                .mailboxes
                .get(&self.victim)
                .map(|mailbox| {
                    let inbox = mailbox.well_known("inbox");
                    let mut all: Vec<_> = mailbox
                        .messages
                        .values()
                        .filter(|message| message.folder == inbox)
                        .collect();
                    all.sort_by_key(|message| (message.received, message.id.clone()));
                    all.into_iter()
                        .rev()
                        .take(1)
                        .map(|message| (message.id.clone(), message.internet_message_id.clone()))
                        .collect()
                })
                .unwrap_or_default();
            let (ids, messages): (Vec<String>, Vec<String>) = newest.into_iter().unzip();
            let victim = self.victim.clone();
            world.record_device_reads(now, &origin, &victim, &device, &ids);
            effect = Some(json!({"kind": "read", "messages": messages}));
        }
        attempt(
            trace,
            now,
            "sync_phone",
            ArtefactId::MOBILE_PARTNERSHIP,
            got.then_some(Got::Data),
            effect,
        );
    }
}
