//! What the attacker does to the identity itself: consents that the user is talked
//! into, device codes, methods, access passes, devices.

use jiff::{SignedDuration, Timestamp};
use retake_playbook::{ArtefactId, ObjectKind};
use serde_json::json;

use crate::company::Company;
use crate::trace::{Actor, Got, Service, Trace, TraceLine, TraceObject};
use crate::world::directory::MethodKind;
use crate::world::legacy::NewDevice;
use crate::world::tokens::{Class, DeviceCode, DeviceCodeState};
use crate::world::{Origin, Surface, World, known};

use super::assault::{STOLEN_SCOPES, method_foothold};
use super::tick::attempt;
use super::{Attacker, Foothold};

/// What it holds of the kind.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    /// Methods that it registered and made the default (A05).
    pub(super) defaults: Vec<String>,
    /// Temporary access passes (A41).
    passes: Vec<String>,
    /// An app password (A06).
    pub(super) app_password: Option<String>,
    /// Devices that it registered, each with the session that its token got (A24).
    devices: Vec<(String, Option<String>)>,
}

impl Held {
    /// A pass that was made for it.
    pub(super) fn hold_pass(&mut self, pass: String) {
        self.passes.push(pass);
    }

    /// What of this is gone or switched off.
    pub(super) fn gone(&self, world: &World, victim: &str) -> Vec<String> {
        let user = world.users.get(victim);
        let methods = self.defaults.iter().chain(&self.passes);
        let lost = methods
            .filter(|id| user.is_none_or(|user| user.method(id).is_none()))
            .cloned();
        let devices = self.devices.iter().map(|(id, _)| id);
        let app_password = self
            .app_password
            .iter()
            .filter(|_| user.is_none_or(|user| user.app_passwords.is_empty()))
            .map(|_| String::from("app password"));
        lost.chain(app_password)
            .chain(
                devices
                    .filter(|id| world.devices.get(*id).is_none_or(|device| !device.enabled))
                    .cloned(),
            )
            .collect()
    }
}

impl Attacker {
    /// Every method in its hands.
    pub(super) fn factors(&self) -> Vec<String> {
        self.methods
            .iter()
            .chain(&self.identity.defaults)
            .cloned()
            .collect()
    }

    /// The user consents, in a session of their own, to an app of the attacker's:
    /// nothing else of the account is in its hands.
    pub(super) fn phish_consent(
        &mut self,
        world: &mut World,
        company: &Company,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        let scopes: &[&'static str] =
            match self.chance.draw("phished consent", "scopes", 0).below(3) {
                0 => &["Mail.ReadWrite", "Mail.Send", "User.Read", "offline_access"],
                1 => &[
                    "Mail.Read",
                    "Mail.Send",
                    "Contacts.Read",
                    "User.Read",
                    "offline_access",
                    "openid",
                ],
                _ => &[
                    "Mail.ReadWrite",
                    "Mail.Send",
                    "Files.Read.All",
                    "User.Read",
                    "offline_access",
                    "openid",
                    "profile",
                ],
            };
        self.kit.app_scopes = scopes.to_vec();
        let Some(origin) = own_hand(world, company, &self.victim) else {
            return;
        };
        let session = origin.session.clone().unwrap_or_else(|| {
            world.open_session(now, &self.victim, Class::Password, true, &origin)
        });
        let by = origin.in_session(&session).through(Surface::Entra);
        if let Some(foothold) = self.consented(world, now, &by, &session) {
            self.plant_line(trace, now, "phish_consent", foothold, true);
        }
    }

    /// The user enters a code on the sign-in page that the attacker's client asked
    /// for: the session that comes of it is the attacker's.
    pub(super) fn phish_device_code(
        &mut self,
        world: &mut World,
        company: &Company,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        let Some(by) = own_hand(world, company, &self.victim) else {
            return;
        };
        let draw = |purpose: &str| self.chance.draw("device code", purpose, 0);
        let code = draw("code").hex(40);
        let user_code = draw("user code").text(b"ABCDEFGHJKLMNPQRSTUVWXYZ", 9);
        let asked_from = self.origin(world, Surface::Graph).ip;
        world.tokens.device_codes.insert(
            code.clone(),
            DeviceCode {
                device_code: code.clone(),
                user_code: user_code.clone(),
                app_id: known::AUTHENTICATION_BROKER.to_owned(),
                scopes: STOLEN_SCOPES.map(String::from).to_vec(),
                expires: now
                    .checked_add(SignedDuration::from_mins(15))
                    .unwrap_or(now),
                state: DeviceCodeState::Pending,
                ip: asked_from,
            },
        );
        let mut page = by;
        page.session = None;
        if !world.approve_device_code(now, &user_code, &page) {
            return;
        }
        let session = match world.tokens.device_codes.get_mut(&code) {
            Some(held) => match std::mem::replace(&mut held.state, DeviceCodeState::Redeemed) {
                DeviceCodeState::Approved(session) => session,
                _ => return,
            },
            None => return,
        };
        let scopes = STOLEN_SCOPES.map(String::from).to_vec();
        self.session = Some(session.clone());
        if let Some(token) =
            world.issue_refresh(now, &session, known::AUTHENTICATION_BROKER, &scopes)
        {
            self.refresh.push(token);
        }
        let [_, sessions, token] = self.stolen_footholds(&session);
        for foothold in [sessions, token] {
            self.plant_line(trace, now, "phish_device_code", foothold, true);
        }
    }

    /// A method of its own becomes the one that is asked for first (A05).
    pub(super) fn add_default_method(
        &mut self,
        world: &mut World,
        company: &mut Company,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        if self.live_access(world, now).is_none() {
            return;
        }
        let origin = self.origin(world, Surface::Entra);
        let draw = |purpose: &str| self.chance.draw("default method", purpose, 0);
        let kind = if draw("kind").happens(60) {
            MethodKind::Authenticator {
                display_name: draw("phone")
                    .word(&crate::company::names::PHONES)
                    .to_owned(),
                device_tag: String::from("SoftwareTokenActivated"),
                version: format!(
                    "6.{}.{}",
                    draw("app").between(2404, 2410),
                    draw("build").between(1000, 9000)
                ),
            }
        } else {
            MethodKind::SoftwareOath
        };
        let id = world.add_method(now, &origin, &self.victim, kind);
        world.set_default_method(now, &origin, &self.victim, &id);
        self.identity.defaults.push(id.clone());
        company.foreign_methods.insert(id.clone());
        let foothold = Foothold {
            artefact: ArtefactId::DEFAULT_METHOD,
            ..method_foothold(id)
        };
        self.plant_line(trace, now, "make_default", foothold, true);
    }

    /// A pass that signs in without password and second factor (A41): made by the
    /// session of an administrator that it has stolen too, or on the account's own
    /// page where the tenant lets people do that.
    pub(super) fn add_access_pass(
        &mut self,
        world: &mut World,
        company: &mut Company,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        if self.live_access(world, now).is_none() {
            return;
        }
        let mut origin = self.origin(world, Surface::Entra);
        let draw = |purpose: &str| self.chance.draw("access pass", purpose, 0);
        let administrator = company
            .colleagues
            .first()
            .filter(|_| draw("by an administrator").happens(60));
        if let Some(administrator) = administrator {
            let upn = world
                .users
                .get(administrator)
                .map(|user| user.upn.clone())
                .unwrap_or_default();
            origin = Origin::user(
                administrator,
                known::OFFICE_HOME,
                &origin.ip,
                &origin.user_agent,
            )
            .through(Surface::Portal);
            trace.push(
                TraceLine::new(now, Actor::Attacker, Service::Attack, "use_administrator")
                    .about(ObjectKind::Account, administrator.clone())
                    .with_effect(json!({"kind": "entered", "account": upn})),
            );
        }
        let pass = world.next(&self.victim, "foreign pass").text(
            b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789",
            10,
        );
        let id = world.add_method(
            now,
            &origin,
            &self.victim,
            MethodKind::TemporaryAccessPass {
                pass,
                starts: now,
                // The longest that a policy can allow is thirty days.
                minutes: i32::try_from(draw("minutes").between(20_000, 43_200)).unwrap_or(43_200),
                once: false,
            },
        );
        self.identity.passes.push(id.clone());
        company.foreign_methods.insert(id.clone());
        let foothold = Foothold {
            artefact: ArtefactId::TEMPORARY_ACCESS_PASS,
            ..method_foothold(id)
        };
        self.plant_line(trace, now, "make_access_pass", foothold, true);
    }

    /// A device of its own is registered for the user, and gets a primary refresh
    /// token (A24).
    pub(super) fn register_own_device(
        &mut self,
        world: &mut World,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        if self.live_access(world, now).is_none() {
            return;
        }
        let mut origin = self.origin(world, Surface::Entra);
        known::AUTHENTICATION_BROKER.clone_into(&mut origin.app_id);
        let draw = |purpose: &str| self.chance.draw("foreign device", purpose, 0);
        let name = match draw("name").below(3) {
            0 => format!("DESKTOP-{}", draw("letters").hex(7).to_uppercase()),
            1 => format!("LAPTOP-{}", draw("letters").hex(6).to_uppercase()),
            _ => format!("WIN-{}", draw("letters").hex(8).to_uppercase()),
        };
        let id = world.register_device_as(
            now,
            &origin,
            &self.victim,
            NewDevice {
                name,
                system: "Windows",
                class: Class::Password,
            },
        );
        let identifier = world
            .devices
            .get(&id)
            .map(|device| device.identifier.clone())
            .unwrap_or_default();
        self.identity.devices.push((id.clone(), None));
        let foothold = Foothold {
            artefact: ArtefactId::REGISTERED_DEVICE,
            object: TraceObject::new(ObjectKind::Device, id),
            aliases: vec![identifier],
        };
        self.plant_line(trace, now, "register_device", foothold, true);
    }

    /// Tries everything of this kind; true if self-service reset would accept one of
    /// its methods.
    pub(super) fn try_identity(
        &mut self,
        world: &mut World,
        trace: &mut Trace,
        now: Timestamp,
    ) -> bool {
        let reset = self.try_default(world, trace, now);
        self.try_pass(world, trace, now);
        self.try_device(world, trace, now);
        self.try_app_password(world, trace, now);
        reset
    }

    /// A05: proves to self-service reset that the default method is in its hands.
    fn try_default(&mut self, world: &World, trace: &mut Trace, now: Timestamp) -> bool {
        if self.identity.defaults.is_empty() {
            return false;
        }
        let passed = world
            .can_reset_with(&self.victim, &self.identity.defaults)
            .is_some();
        attempt(
            trace,
            now,
            "reset_probe",
            ArtefactId::DEFAULT_METHOD,
            passed.then_some(Got::Token),
            None,
        );
        passed
    }

    /// A41: signs in with the pass alone.
    fn try_pass(&mut self, world: &mut World, trace: &mut Trace, now: Timestamp) {
        if self.identity.passes.is_empty() {
            return;
        }
        let mut origin = self.origin(world, Surface::OutlookWeb);
        origin.session = None;
        origin.token = None;
        let passes = self.identity.passes.clone();
        let session = passes.iter().find_map(|pass| {
            world
                .sign_in_with_pass(now, &origin, &self.victim, pass)
                .ok()
        });
        attempt(
            trace,
            now,
            "sign_in_with_pass",
            ArtefactId::TEMPORARY_ACCESS_PASS,
            session.is_some().then_some(Got::Token),
            None,
        );
        if let Some(session) = session
            && !self.session_lives(world, now)
        {
            self.hold_session(world, now, &session);
            self.renew(world, now);
        }
    }

    /// A24: asks for a token with the primary refresh token of its device.
    fn try_device(&mut self, world: &mut World, trace: &mut Trace, now: Timestamp) {
        if self.identity.devices.is_empty() {
            return;
        }
        let origin = self.origin(world, Surface::OutlookDesktop);
        let mut got = None;
        let mut devices = std::mem::take(&mut self.identity.devices);
        for (device, session) in &mut devices {
            let mut origin = origin.clone();
            origin.session.clone_from(session);
            if let Ok(access) = world.sign_in_with_device(now, &origin, device) {
                session.clone_from(&access.session);
                got = Some(access.token);
                break;
            }
        }
        self.identity.devices = devices;
        attempt(
            trace,
            now,
            "use_device",
            ArtefactId::REGISTERED_DEVICE,
            got.is_some().then_some(Got::Token),
            None,
        );
        let live = self
            .access
            .as_ref()
            .is_some_and(|token| world.bearer(token, now).is_ok());
        if let Some(token) = got
            && !live
        {
            self.access = Some(token);
        }
    }

    /// Where it reads and sends from: the session that it holds, or else the app that
    /// the user consented to, where its rights allow it.
    pub(super) fn hand(
        &mut self,
        world: &mut World,
        now: Timestamp,
        surface: Surface,
        scope: &str,
    ) -> Option<Origin> {
        if self.live_access(world, now).is_some() {
            return Some(self.origin(world, surface));
        }
        self.app_hand(world, now, scope)
            .or_else(|| self.own_app_hand(world, now))
    }
}

/// The user at their own desk, in the session that they have.
pub(super) fn own_hand(world: &mut World, company: &Company, user: &str) -> Option<Origin> {
    let habits = company.habits.get(user)?;
    let (session, ip) = match &habits.client {
        Some(client) => (Some(client.session.clone()), Some(client.desk.clone())),
        None => (None, None),
    };
    let ip = ip.unwrap_or_else(|| company.office.enter(world, 2));
    let mut origin = Origin::user(user, known::OFFICE_HOME, &ip, &habits.browser);
    origin.session = session;
    Some(origin)
}
