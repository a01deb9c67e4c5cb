//! Passwords tried on many accounts, and an app password that outlives the reset.

use jiff::{SignedDuration, Timestamp};
use retake_playbook::{ArtefactId, ObjectKind};
use serde_json::json;

use crate::company::Company;
use crate::trace::{Actor, Got, Service, Trace, TraceLine, TraceObject};
use crate::world::legacy::Legacy;
use crate::world::{Origin, Surface, World, known};

use super::tick::attempt;
use super::{Attacker, Foothold};

impl Attacker {
    /// Posts a list of passwords to the token endpoint, account by account, until one
    /// fits: no page, no second factor (reference §1.3, ROPC).
    pub(super) fn spray_passwords(
        &mut self,
        world: &mut World,
        company: &Company,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        let Some(password) = company
            .habits
            .get(&self.victim)
            .map(|habits| habits.password.clone())
        else {
            return;
        };
        let rounds = self.chance.draw("spray", "rounds", 0).between(1, 2);
        let mut targets = company.colleagues.clone();
        targets.push(self.victim.clone());
        let mut at = now;
        for round in 0..rounds {
            for (index, user) in targets.iter().enumerate() {
                let wrong = format!(
                    "{}{}!",
                    self.chance
                        .draw("spray", "word", round)
                        .word(&["Summer", "Welcome", "Herbst", "Password", "Office"]),
                    self.chance.draw("spray", "year", round).between(2021, 2026)
                );
                at = at
                    .checked_add(SignedDuration::from_secs(7 + (index as i64 % 5)))
                    .unwrap_or(at);
                let origin = self.poster(world, user);
                let _ = world.post_password(at, &origin, user, &wrong);
                let upn = world.users.get(user).map(|held| held.upn.clone());
                if *user != self.victim && round == 0 {
                    trace.push(
                        TraceLine::new(at, Actor::Attacker, Service::Attack, "try_password")
                            .about(ObjectKind::Account, user.clone())
                            .with_effect(json!({"kind": "tried", "account": upn})),
                    );
                }
            }
        }
        let victim = self.victim.clone();
        let origin = self.poster(world, &victim);
        at = at.checked_add(SignedDuration::from_secs(31)).unwrap_or(at);
        let Ok(session) = world.post_password(at, &origin, &victim, &password) else {
            return;
        };
        self.password = Some(password);
        self.hold_session(world, at, &session);
        for foothold in self.stolen_footholds(&session) {
            self.plant_line(trace, at, "spray_passwords", foothold, true);
        }
    }

    fn poster(&self, world: &mut World, user: &str) -> Origin {
        let here = self.origin(world, Surface::Graph);
        Origin::user(user, known::OFFICE_DESKTOP, &here.ip, &self.kit.tool).through(Surface::Graph)
    }

    /// A password for old programs, which no interface lists (A06).
    pub(super) fn make_app_password(
        &mut self,
        world: &mut World,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        if self.live_access(world, now).is_none() {
            return;
        }
        let origin = self.origin(world, Surface::Entra);
        let text = world.make_app_password(now, &origin, &self.victim);
        self.identity.app_password = Some(text);
        let foothold = Foothold {
            artefact: ArtefactId::APP_PASSWORD,
            object: TraceObject::new(ObjectKind::AppPassword, self.victim.clone()),
            aliases: Vec::new(),
        };
        self.plant_line(trace, now, "make_app_password", foothold, true);
    }

    /// Hands mail in with the app password.
    pub(super) fn send_by_smtp(
        &mut self,
        world: &mut World,
        company: &Company,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        if let Some(origin) = self.smtp(world, now) {
            self.write_fraud(world, company, trace, now, &origin, true);
        }
    }

    /// A06: signs in to SMTP AUTH with the app password.
    pub(super) fn try_app_password(
        &mut self,
        world: &mut World,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        if self.identity.app_password.is_none() {
            return;
        }
        let got = self.smtp(world, now).is_some();
        attempt(
            trace,
            now,
            "smtp_auth",
            ArtefactId::APP_PASSWORD,
            got.then_some(Got::Token),
            None,
        );
    }

    fn smtp(&mut self, world: &mut World, now: Timestamp) -> Option<Origin> {
        let text = self.identity.app_password.clone()?;
        let here = self.origin(world, Surface::OutlookDesktop);
        let origin = Origin::user(&self.victim, known::EXCHANGE, &here.ip, "");
        world
            .legacy_sign_in(now, &origin, Legacy::SmtpAuth, &self.victim, &text)
            .then_some(origin)
    }
}
