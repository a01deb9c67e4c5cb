//! The attack up to the alert, step by step.

use jiff::Timestamp;
use retake_playbook::{ArtefactId, ObjectKind};
use serde_json::json;

use crate::company::Company;
use crate::company::life::add;
use crate::scenario::Move;
use crate::trace::{Actor, Service, Trace, TraceLine};
use crate::ways::{PasswordSignIn, Redemption};
use crate::world::logs::RiskDetection;
use crate::world::rights::Right;
use crate::world::{
    Address, AppRegistration, Mail, Origin, Resource, ServicePrincipal, Surface, World, known,
};

use super::{Attacker, Foothold, MaliciousApp};
use crate::trace::TraceObject;

/// Scopes of the stolen session's client.
pub(super) const STOLEN_SCOPES: [&str; 4] = [
    "Mail.ReadWrite",
    "Mail.Send",
    "MailboxSettings.ReadWrite",
    "User.Read",
];

impl Attacker {
    /// Does one step of the attack.
    pub(crate) fn step(
        &mut self,
        world: &mut World,
        company: &mut Company,
        trace: &mut Trace,
        now: Timestamp,
        step: Move,
    ) {
        match step {
            Move::Phish => self.phish(world, company, trace, now),
            Move::OpenSession => {
                let renewed = self.renew(world, now).is_some();
                trace.push(
                    TraceLine::new(now, Actor::Attacker, Service::Attack, "open_session")
                        .about(ObjectKind::Session, self.victim.clone())
                        .with_effect(json!({"kind": if renewed { "opened" } else { "refused" }})),
                );
            }
            Move::ReadMail => self.search_mail(world, company, trace, now),
            Move::AddMethod => {
                let ids = self.register_methods(world, company, now, 0);
                for id in ids {
                    self.plant_line(trace, now, "register_method", method_foothold(id), true);
                }
            }
            Move::ForwardByRule => {
                let draft = self.kit.forwarding_rule(0);
                self.plant_rule(
                    world,
                    trace,
                    now,
                    draft,
                    ArtefactId::FORWARDING_RULE,
                    Surface::OutlookWeb,
                    true,
                );
            }
            Move::HideReplies => {
                let victim = self.victim.clone();
                let draft = self.kit.hiding_rule(world, company, &victim);
                self.plant_rule(
                    world,
                    trace,
                    now,
                    draft,
                    ArtefactId::HIDING_RULE,
                    Surface::OutlookWeb,
                    true,
                );
            }
            Move::HiddenRule => {
                let draft = self.kit.hidden_rule();
                self.plant_rule(
                    world,
                    trace,
                    now,
                    draft,
                    ArtefactId::HIDDEN_RULE,
                    Surface::OutlookDesktop,
                    true,
                );
            }
            Move::ForwardMailbox => self.forward_mailbox(world, trace, now),
            Move::ForwardToContact => self.forward_to_contact(world, trace, now),
            Move::DisguisedRule => self.disguised_rule(world, company, trace, now),
            Move::SweepReplies => self.sweep_replies(world, company, trace, now),
            Move::AnswerForTheUser => self.answer_for_the_user(world, company, trace, now),
            Move::BendJunkLists => self.bend_junk_lists(world, company, trace, now),
            Move::OpenProtocols => self.open_protocols(world, trace, now),
            Move::PairPhone => self.pair_phone(world, trace, now),
            Move::ClientSideRule => self.client_side_rule(world, trace, now),
            Move::Flood => self.flood(world, company, trace, now),
            Move::ConsentApp => self.consent_app(world, trace, now),
            Move::SendFraud => self.send_fraud(world, company, trace, now),
            Move::ReadShared => self.read_shared(world, company, trace, now),
            Move::RuleInShared => self.rule_in_shared(world, company, trace, now),
            Move::ForwardShared => self.forward_shared(world, company, trace, now),
            Move::ReplyInShared => self.reply_in_shared(world, company, trace, now),
            Move::SendAsShared => self.send_as_shared(world, company, trace, now),
            Move::GiveFullAccess => self.give_right(world, company, trace, now, Right::FullAccess),
            Move::GiveSendAs => self.give_right(world, company, trace, now, Right::SendAs),
            Move::GiveSendOnBehalf => {
                self.give_right(world, company, trace, now, Right::SendOnBehalf);
            }
            Move::GiveInboxRight => self.give_inbox_right(world, trace, now),
            Move::GiveFolderRight => self.give_folder_right(world, trace, now),
            Move::PhishConsent => self.phish_consent(world, company, trace, now),
            Move::PhishDeviceCode => self.phish_device_code(world, company, trace, now),
            Move::AddDefaultMethod => self.add_default_method(world, company, trace, now),
            Move::RegisterDevice => self.register_own_device(world, trace, now),
            Move::PhishAppConsent => self.phish_app_consent(world, company, trace, now),
            Move::SprayPasswords => self.spray_passwords(world, company, trace, now),
            Move::MakeAppPassword => self.make_app_password(world, trace, now),
            Move::SendBySmtp => self.send_by_smtp(world, company, trace, now),
            Move::ConsentAppOnly => self.consent_app_only(world, trace, now),
            Move::AssignApp => self.assign_app(world, trace, now),
            Move::ChangeResetContact => self.change_reset_contact(world, trace, now),
            Move::AddAccessPass => self.add_access_pass(world, company, trace, now),
            Move::StealToken => self.steal_token(world, company, trace, now),
            Move::SpoofMail => self.spoof_mail(world, company, trace, now),
            Move::VendorMail => self.vendor_mail(world, company, trace, now),
            Move::PhoneHelpDesk => self.phone_help_desk(world, company, trace, now),
            // By its own hand; another account's is [`Self::take_given_role`]'s caller's to find.
            Move::GiveRole => {
                if let Some(by) = self.role_giver(world, now) {
                    self.take_given_role(world, trace, now, &by);
                }
            }
        }
    }

    /// The origin of what it does with the stolen session.
    pub(super) fn origin(&self, world: &mut World, surface: Surface) -> Origin {
        let [first, _] = &self.kit.hosts;
        let ip = first.enter(world, self.kit.host);
        let app = match surface {
            Surface::Entra => known::MY_SIGN_INS,
            Surface::OutlookDesktop => known::OFFICE_DESKTOP,
            _ => known::OUTLOOK_WEB,
        };
        let agent = if surface == Surface::Graph {
            &self.kit.tool
        } else {
            &self.kit.browser
        };
        let mut origin = Origin::user(&self.victim, app, &ip, agent).through(surface);
        origin.session.clone_from(&self.session);
        let access = self
            .access
            .as_ref()
            .and_then(|token| world.tokens.access.get(token));
        if let Some(access) = access {
            origin.token = Some(access.unique_id.clone());
            if surface == Surface::Graph {
                origin.app_id.clone_from(&access.app_id);
            }
        }
        origin
    }

    /// The user signs in at a page in the middle: password and session stolen.
    fn phish(
        &mut self,
        world: &mut World,
        company: &mut Company,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        let chance = self.chance;
        let draw = |purpose: &str| chance.draw("phish", purpose, 0);
        let Some(habits) = company.habits.get(&self.victim) else {
            return;
        };
        let password = habits.password.clone();
        let ip = self.kit.proxy.enter(world, self.kit.page);
        // Some proxies pass the victim's user agent on, some do not.
        let agent = if draw("own agent").happens(60) {
            habits.browser.clone()
        } else {
            crate::company::places::desktop_agent(chance, "phishing page", 0)
        };
        let mut origin = Origin::user(&self.victim, known::OFFICE_HOME, &ip, &agent);
        let factors: Vec<String> = world
            .users
            .get(&self.victim)
            .map(|user| {
                user.second_factors()
                    .map(|method| method.id.clone())
                    .collect()
            })
            .unwrap_or_default();
        let risk: &[&str] = match draw("risk").below(5) {
            0 | 1 => &["unfamiliarFeatures"],
            2 => &["anomalousToken", "unfamiliarFeatures"],
            3 => &["attackerinTheMiddle"],
            // No alert does not mean no incident.
            _ => &[],
        };
        let session = world.sign_in(
            now,
            &origin,
            &PasswordSignIn {
                user: &self.victim,
                password: &password,
                factors: &factors,
                resource: Resource::Graph,
                risk,
                device: "",
            },
        );
        let Ok(session) = session else { return };
        origin.session = Some(session.clone());
        if let Some(event) = risk.first() {
            let id = world.new_id("risk detection");
            let sign_in = world
                .logs
                .sign_ins
                .last()
                .map(|entry| (entry.id.clone(), entry.correlation.clone()))
                .unwrap_or_default();
            world.logs.risk.push(RiskDetection {
                id,
                at: now,
                visible_at: add(
                    now,
                    draw("risk delay").duration(
                        jiff::SignedDuration::from_mins(8),
                        jiff::SignedDuration::from_mins(95),
                    ),
                ),
                user: self.victim.clone(),
                event: (*event).to_owned(),
                level: String::from("medium"),
                state: String::from("atRisk"),
                timing: String::from("offline"),
                ip: ip.clone(),
                request_id: sign_in.0,
                correlation: sign_in.1,
                user_agent: agent,
            });
            if let Some(user) = world.users.get_mut(&self.victim) {
                user.risk = Some(crate::world::directory::Risk {
                    level: String::from("medium"),
                    state: String::from("atRisk"),
                    detail: String::from("none"),
                    updated: now,
                });
            }
        }
        self.password = Some(password);
        self.hold_session(world, now, &session);
        for foothold in self.stolen_footholds(&session) {
            self.plant_line(trace, now, "phish", foothold, true);
        }
    }

    /// Takes a session's refresh token into its hands.
    pub(super) fn hold_session(&mut self, world: &mut World, now: Timestamp, session: &str) {
        let app = match self.chance.draw("attacker", "client", 0).below(3) {
            0 => known::OFFICE_DESKTOP,
            1 => known::OUTLOOK_MOBILE,
            _ => known::OFFICE_HOME,
        };
        let scopes: Vec<String> = STOLEN_SCOPES.map(String::from).to_vec();
        self.session = Some(session.to_owned());
        if let Some(token) = world.issue_refresh(now, session, app, &scopes) {
            self.refresh.push(token);
        }
    }

    /// A new access token from the newest refresh token that still works.
    pub(super) fn renew(&mut self, world: &mut World, now: Timestamp) -> Option<String> {
        let origin = self.origin(world, Surface::Graph);
        // Dead ones are tried too: only trying tells that they are dead.
        let held: Vec<String> = self.refresh.iter().rev().take(2).cloned().collect();
        for refresh in held {
            if let Ok(access) = world.redeem(now, &origin, &Redemption::renewal(&refresh)) {
                self.session.clone_from(&access.session);
                self.access = Some(access.token.clone());
                return Some(access.token);
            }
        }
        None
    }

    /// The access token, renewed if it is at its end.
    pub(super) fn live_access(&mut self, world: &mut World, now: Timestamp) -> Option<String> {
        if let Some(token) = &self.access
            && world.bearer(token, now).is_ok()
        {
            return Some(token.clone());
        }
        self.renew(world, now)
    }

    /// Looks for mail about money and reads some of it.
    fn search_mail(
        &mut self,
        world: &mut World,
        company: &Company,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        let Some(origin) = self.hand(world, now, Surface::OutlookWeb, "Mail.Read") else {
            return;
        };
        let chance = self.chance;
        let round = self.reads;
        self.reads += 1;
        let wanted = chance.draw("attacker", "reads", round).between(4, 9) as usize;
        let Some(mailbox) = world.mailboxes.get(&self.victim) else {
            return;
        };
        let mut hits: Vec<(Timestamp, String, String)> = mailbox
            .messages
            .values()
            .filter(|message| {
                let subject = message.subject.to_lowercase();
                message.conversation == company.thread.conversation || subject.contains("invoice")
            })
            .map(|message| {
                (
                    message.received,
                    message.id.clone(),
                    message.internet_message_id.clone(),
                )
            })
            .collect();
        hits.sort();
        let skip = chance.draw("attacker", "reads from", round).below(6) as usize;
        let read: Vec<(Timestamp, String, String)> =
            hits.into_iter().rev().skip(skip).take(wanted).collect();
        let ids: Vec<String> = read.iter().map(|(_, id, _)| id.clone()).collect();
        world.record_reads(now, &origin, &self.victim, &ids);
        let messages: Vec<&String> = read.iter().map(|(.., message)| message).collect();
        trace.push(
            TraceLine::new(now, Actor::Attacker, Service::Attack, "read_mail")
                .about(ObjectKind::Mailbox, self.victim.clone())
                .with_effect(json!({"kind": "read", "messages": messages})),
        );
        if origin.user.is_none() {
            Self::reach_further(world, company, trace, now, &origin);
        }
    }

    fn forward_mailbox(&mut self, world: &mut World, trace: &mut Trace, now: Timestamp) {
        if self.live_access(world, now).is_none() {
            return;
        }
        let origin = self.origin(world, Surface::OutlookWeb);
        let [.., drop] = &self.kit.drops;
        let drop = drop.clone();
        let address = world
            .mailboxes
            .get(&self.victim)
            .and_then(|mailbox| mailbox.forwarding_address.clone());
        world.set_forwarding(
            now,
            &origin,
            &self.victim,
            crate::world::mail::Forwarding {
                smtp: Some(drop.clone()),
                address,
                deliver_and_forward: true,
            },
        );
        self.forwarding = Some(drop);
        let foothold = Foothold {
            artefact: ArtefactId::SMTP_FORWARDING,
            object: TraceObject::new(ObjectKind::MailboxForwarding, self.victim.clone()),
            aliases: Vec::new(),
        };
        self.plant_line(trace, now, "set_forwarding", foothold, true);
    }

    /// Consents, as the user, to an app of its own.
    fn consent_app(&mut self, world: &mut World, trace: &mut Trace, now: Timestamp) {
        if self.live_access(world, now).is_none() {
            return;
        }
        let origin = self.origin(world, Surface::Entra);
        let Some(session) = self.session.clone() else {
            return;
        };
        if let Some(foothold) = self.consented(world, now, &origin, &session) {
            self.plant_line(trace, now, "consent_app", foothold, true);
        }
    }

    /// Whoever `origin` is consents to the attacker's app, which gets a refresh token
    /// in this session.
    pub(super) fn consented(
        &mut self,
        world: &mut World,
        now: Timestamp,
        origin: &Origin,
        session: &str,
    ) -> Option<Foothold> {
        let chance = self.chance;
        let draw = |purpose: &str| chance.draw("malicious app", purpose, 0);
        let client_id = draw("client id").uuid().to_string();
        let principal = draw("principal").uuid().to_string();
        let mut app = ServicePrincipal::new(
            &principal,
            &client_id,
            &self.kit.app_name,
            &draw("owner").uuid().to_string(),
            now,
        );
        app.verified_publisher.clone_from(&self.kit.app_publisher);
        let host = self.kit.app_name.to_lowercase().replace(' ', "");
        app.reply_urls = vec![format!(
            "https://{host}{}.example/auth",
            draw("host").below(900) + 100
        )];
        world.service_principals.insert(principal.clone(), app);
        world.registrations.insert(
            client_id.clone(),
            AppRegistration {
                app_id: client_id.clone(),
                secret: Some(AppRegistration::digest(&draw("secret").hex(40))),
                ..AppRegistration::default()
            },
        );
        world.app_added(now, origin, &principal);
        let grant = world.consent(
            now,
            origin,
            Some(&self.victim),
            &principal,
            &self.kit.app_scopes,
        );
        let scopes: Vec<String> = self
            .kit
            .app_scopes
            .iter()
            .map(|scope| (*scope).to_owned())
            .collect();
        let refresh = world.issue_refresh(now, session, &client_id, &scopes)?;
        let foothold = Foothold {
            artefact: ArtefactId::DELEGATED_GRANT,
            object: TraceObject::new(ObjectKind::OauthGrant, grant.clone()),
            aliases: vec![principal, client_id.clone()],
        };
        self.app = Some(MaliciousApp {
            client_id,
            grant,
            refresh,
        });
        Some(foothold)
    }

    /// Writes as the user into the stolen thread: first to whoever pays, then
    /// to the vendor, to win time.
    fn send_fraud(
        &mut self,
        world: &mut World,
        company: &Company,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        let ordinal = self.sent;
        let through = if self.chance.draw("fraud", "surface", ordinal).happens(50) {
            Surface::OutlookWeb
        } else {
            Surface::Graph
        };
        if let Some(origin) = self.hand(world, now, through, "Mail.Send") {
            self.write_fraud(world, company, trace, now, &origin, false);
        }
    }

    /// The same as whoever `origin` is; over SMTP no mailbox takes part, and no copy is
    /// kept.
    pub(super) fn write_fraud(
        &mut self,
        world: &mut World,
        company: &Company,
        trace: &mut Trace,
        now: Timestamp,
        origin: &Origin,
        by_smtp: bool,
    ) {
        let chance = self.chance;
        let ordinal = self.sent;
        self.sent += 1;
        let draw = |purpose: &str| chance.draw("fraud", purpose, ordinal);
        let vendor = company
            .stolen_vendor()
            .map(|vendor| (vendor.name.clone(), vendor.contact.clone()))
            .unwrap_or_default();
        let me = Company::address(world, &self.victim);
        let (to, body) = if ordinal.is_multiple_of(2) {
            let to = Company::address(world, &company.treasurer());
            let account = format!(
                "{}{:02} {:04} {:04} {:04} {:04}",
                draw("bank country").word(&["LT", "PL", "PT", "ES", "HU"]),
                draw("check").below(88) + 10,
                draw("account").below(10_000),
                chance.draw("fraud", "account", ordinal + 100).below(10_000),
                chance.draw("fraud", "account", ordinal + 200).below(10_000),
                chance.draw("fraud", "account", ordinal + 300).below(10_000),
            );
            (
                to,
                format!(
                    "{} changed banks. Please pay {} for order {} today to the new bank details: {account}. I am in meetings, write me here.",
                    vendor.0, company.thread.amount, company.thread.reference
                ),
            )
        } else {
            (
                vendor.1,
                format!(
                    "Thank you for your patience. The payment for {} is on its way, our bank needs a few days.",
                    company.thread.reference
                ),
            )
        };
        let mail = Mail {
            internet_message_id: format!(
                "<{}@{}>",
                draw("message id").hex(32),
                world.tenant.domain
            ),
            conversation: company.thread.conversation.clone(),
            subject: format!("RE: {}", company.thread.subject),
            from: Address::new(me.name, me.address),
            to: vec![to.clone()],
            cc: Vec::new(),
            bcc: Vec::new(),
            reply_to: Vec::new(),
            body,
            has_attachments: ordinal.is_multiple_of(2),
            size: draw("size").between(5_000, 60_000) as u32,
            sent: now,
            from_ip: if by_smtp {
                origin.ip.clone()
            } else {
                String::new()
            },
            automatic: false,
        };
        let id = mail.internet_message_id.clone();
        let copy = draw("copy").happens(70);
        if by_smtp {
            world.outbox.push(mail);
        } else {
            world.send_mail(now, origin, &self.victim, mail, copy);
        }
        trace.push(
            TraceLine::new(now, Actor::Attacker, Service::Attack, "send_mail")
                .about(ObjectKind::Message, id.clone())
                .with_effect(json!({"kind": "sent", "messages": [id], "recipients": [to.address]})),
        );
    }
}

/// A method as a foothold.
pub(super) fn method_foothold(id: String) -> Foothold {
    Foothold {
        artefact: ArtefactId::ADDED_METHOD,
        object: TraceObject::new(ObjectKind::Method, id),
        aliases: Vec::new(),
    }
}
