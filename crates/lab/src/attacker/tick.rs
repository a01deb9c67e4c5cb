//! Trying everything, and reacting to what was lost.

use jiff::Timestamp;
use retake_playbook::{ArtefactId, ObjectKind};
use serde_json::{Value, json};

use crate::company::Company;
use crate::mailflow::Delivery;
use crate::trace::{Actor, Got, Service, Trace, TraceLine};
use crate::ways::{PasswordSignIn, Redemption};
use crate::world::changes::Activity;
use crate::world::{Origin, Resource, Surface, World};

use super::assault::method_foothold;
use super::{Attacker, Foothold};

/// Scopes with which a token reads mail.
const READING: [&str; 2] = ["Mail.Read", "Mail.ReadWrite"];

impl Attacker {
    /// Tries everything that it holds, then acts on what it found.
    ///
    /// A reaction looks at the ways in only: mailboxes outside fill with the
    /// mail of some minutes, so looking a minute after the last look would show
    /// nothing although they work.
    pub(crate) fn try_all(
        &mut self,
        world: &mut World,
        company: &mut Company,
        trace: &mut Trace,
        now: Timestamp,
        reaction: bool,
    ) {
        let password = self.try_password(world, company, trace, now);
        let refresh = self.try_refresh(world, trace, now);
        self.try_access(world, trace, now);
        let reset = self.try_reset(world, trace, now);
        let reset = self.try_identity(world, trace, now) || reset;
        let reset = self.try_changed(world, trace, now) || reset;
        if !reaction {
            for (artefact, word) in [
                (ArtefactId::FORWARDING_RULE, "look_outside"),
                (ArtefactId::HIDING_RULE, "look_hidden"),
                (ArtefactId::HIDDEN_RULE, "look_outside"),
                (ArtefactId::SMTP_FORWARDING, "look_outside"),
                (ArtefactId::CONTACT_FORWARDING, "look_outside"),
                (ArtefactId::DISGUISED_RULE, "look_outside"),
                (ArtefactId::SWEEP_RULE, "look_hidden"),
            ] {
                self.look(trace, now, artefact, word);
            }
            self.look_elsewhere(world, trace, now);
        }
        self.try_settings(world, trace, now);
        self.try_roles(world, trace, now);
        self.try_app(world, trace, now);
        self.try_own_app(world, trace, now);
        self.try_rights(world, company, trace, now, reaction);
        self.try_folders(world, trace, now);
        if !password && !refresh && reset {
            self.come_back(world, trace, now);
        }
        self.plant_anew(world, company, trace, now, reaction);
    }

    /// A01: signs in with the password it knows, proving the second factor
    /// with a method of its own.
    fn try_password(
        &mut self,
        world: &mut World,
        company: &mut Company,
        trace: &mut Trace,
        now: Timestamp,
    ) -> bool {
        let Some(password) = self.password.clone() else {
            return false;
        };
        let session = self.sign_in(world, now, &password);
        let got = session.is_some();
        attempt(
            trace,
            now,
            "sign_in",
            ArtefactId::STOLEN_PASSWORD,
            got.then_some(Got::Token),
            None,
        );
        let Some(session) = session else { return false };
        // Without any second factor the service asks to register one, and
        // whoever knows the password registers theirs.
        let bare = world
            .users
            .get(&self.victim)
            .is_some_and(|user| user.second_factors().next().is_none());
        if bare {
            self.entries += 1;
            let ids = self.register_methods(world, company, now, 10 + self.entries);
            for id in ids {
                self.plant_line(trace, now, "register_method", method_foothold(id), false);
            }
        }
        if !self.session_lives(world, now) {
            self.hold_session(world, now, &session);
            self.renew(world, now);
        }
        true
    }

    fn sign_in(&mut self, world: &mut World, now: Timestamp, password: &str) -> Option<String> {
        let mut origin = self.origin(world, Surface::OutlookWeb);
        origin.session = None;
        origin.token = None;
        world
            .sign_in(
                now,
                &origin,
                &PasswordSignIn {
                    user: &self.victim,
                    password,
                    factors: &self.factors(),
                    resource: Resource::Exchange,
                    risk: &[],
                    device: "",
                },
            )
            .ok()
    }

    /// A02: redeems its refresh tokens.
    fn try_refresh(&mut self, world: &mut World, trace: &mut Trace, now: Timestamp) -> bool {
        if self.refresh.is_empty() {
            return false;
        }
        let got = self.renew(world, now).is_some();
        attempt(
            trace,
            now,
            "redeem",
            ArtefactId::REFRESH_TOKENS,
            got.then_some(Got::Token),
            None,
        );
        got
    }

    /// A03: reads the user's mail with the access token it holds.
    fn try_access(&mut self, world: &mut World, trace: &mut Trace, now: Timestamp) {
        let Some(token) = self.access.clone() else {
            return;
        };
        let (got, effect) = if may_read(world, &token, &self.victim, now) {
            let origin = self.origin(world, Surface::Graph);
            let fresh = std::mem::take(&mut self.fresh);
            (Some(Got::Data), self.read(world, now, &origin, &fresh, 3))
        } else {
            (None, None)
        };
        attempt(
            trace,
            now,
            "read_mail",
            ArtefactId::ACCESS_TOKEN,
            got,
            effect,
        );
    }

    /// A04: proves to self-service reset that a method is in its hands.
    fn try_reset(&mut self, world: &mut World, trace: &mut Trace, now: Timestamp) -> bool {
        if self.methods.is_empty() {
            return false;
        }
        let passed = world.can_reset_with(&self.victim, &self.methods).is_some();
        if passed {
            let origin = self.origin(world, Surface::Entra);
            let target = world.user_target(&self.victim, Vec::new());
            world.audit_directory(
                now,
                &origin,
                &Activity {
                    name: "User started password reset",
                    category: "UserManagement",
                    service: "Authentication Methods",
                    operation: "Update",
                },
                vec![target],
            );
        }
        attempt(
            trace,
            now,
            "reset_probe",
            ArtefactId::ADDED_METHOD,
            passed.then_some(Got::Token),
            None,
        );
        passed
    }

    /// A07, A08, A09, A13: what came out, or was hidden, since the last look.
    fn look(&mut self, trace: &mut Trace, now: Timestamp, artefact: ArtefactId, word: &str) {
        if !self
            .footholds
            .iter()
            .any(|foothold| foothold.artefact == artefact)
        {
            return;
        }
        let found = self.drops.remove(&artefact).unwrap_or_default();
        let kind = if self.only_hides(artefact) {
            "hidden"
        } else {
            "leaked"
        };
        let effect = (!found.is_empty()).then(|| leaked(kind, &found));
        let got = effect.is_some().then_some(Got::Data);
        attempt(trace, now, word, artefact, got, effect);
    }

    /// A20: redeems its app's refresh token and reads mail as the app.
    fn try_app(&mut self, world: &mut World, trace: &mut Trace, now: Timestamp) {
        let Some(app) = self.app.clone() else { return };
        let ip = self.kit.app_host.enter(world, 17);
        let mut origin =
            Origin::user(&self.victim, &app.client_id, &ip, &self.kit.tool).through(Surface::Graph);
        let access = world.redeem(now, &origin, &Redemption::renewal(&app.refresh));
        let (got, effect) = match access {
            Ok(access) => {
                origin.session.clone_from(&access.session);
                origin.token = Some(access.unique_id.clone());
                if may_read(world, &access.token, &self.victim, now) {
                    let fresh = std::mem::take(&mut self.fresh_app);
                    (Some(Got::Data), self.read(world, now, &origin, &fresh, 2))
                } else {
                    (Some(Got::Token), None)
                }
            }
            Err(_) => (None, None),
        };
        attempt(
            trace,
            now,
            "redeem_app",
            ArtefactId::DELEGATED_GRANT,
            got,
            effect,
        );
    }

    /// The app as whoever acts, if it still gets a token with this right (`Mail.Read`
    /// is in `Mail.ReadWrite`).
    pub(super) fn app_hand(
        &mut self,
        world: &mut World,
        now: Timestamp,
        scope: &str,
    ) -> Option<Origin> {
        let app = self.app.clone()?;
        let ip = self.kit.app_host.enter(world, 17);
        let mut origin =
            Origin::user(&self.victim, &app.client_id, &ip, &self.kit.tool).through(Surface::Graph);
        let access = world
            .redeem(now, &origin, &Redemption::renewal(&app.refresh))
            .ok()?;
        let more = scope.replace(".Read", ".ReadWrite");
        access
            .scopes
            .iter()
            .any(|held| held == scope || *held == more)
            .then_some(())?;
        origin.session.clone_from(&access.session);
        origin.token = Some(access.unique_id);
        Some(origin)
    }

    /// Reads the newest of these messages; the effect names them.
    pub(super) fn read(
        &self,
        world: &mut World,
        now: Timestamp,
        origin: &Origin,
        fresh: &[String],
        most: usize,
    ) -> Option<Value> {
        let mailbox = world.mailboxes.get(&self.victim)?;
        let (ids, messages): (Vec<String>, Vec<String>) = fresh
            .iter()
            .rev()
            .filter_map(|id| mailbox.messages.get(id))
            .take(most)
            .map(|message| (message.id.clone(), message.internet_message_id.clone()))
            .unzip();
        if ids.is_empty() {
            return None;
        }
        world.record_reads(now, origin, &self.victim, &ids);
        Some(json!({"kind": "read", "messages": messages}))
    }

    /// Whether the session that it holds can still be used at the sign-in pages.
    pub(super) fn session_lives(&self, world: &World, now: Timestamp) -> bool {
        let Some(user) = world.users.get(&self.victim) else {
            return false;
        };
        user.enabled
            && self
                .refresh
                .last()
                .and_then(|token| world.tokens.refresh.get(token))
                .is_some_and(|token| {
                    world
                        .refresh_cut(user, token.class, token.authenticated, now)
                        .is_none()
                })
    }

    /// Out of every session: resets the password by itself and signs in anew.
    fn come_back(&mut self, world: &mut World, trace: &mut Trace, now: Timestamp) {
        self.entries += 1;
        let password = self.kit.own_password(self.entries);
        let origin = self.origin(world, Surface::Entra);
        let methods = self.factors();
        let contacts = self.changed.contacts();
        let victim = &self.victim;
        if !world.reset_by_self_service(now, &origin, victim, &methods, &password)
            && !world.reset_by_contact(now, &origin, victim, &contacts, &password)
        {
            return;
        }
        self.password = Some(password.clone());
        // Its own reset is no loss.
        self.cuts_seen = world
            .users
            .get(&self.victim)
            .map_or(0, |user| user.cuts.len());
        let victim = self.victim.clone();
        let foothold = |artefact, kind, id: String, aliases| Foothold {
            artefact,
            object: crate::trace::TraceObject::new(kind, id),
            aliases,
        };
        self.plant_line(
            trace,
            now,
            "reset_password",
            foothold(
                ArtefactId::STOLEN_PASSWORD,
                ObjectKind::Password,
                victim.clone(),
                Vec::new(),
            ),
            false,
        );
        if let Some(session) = self.sign_in(world, now, &password) {
            self.hold_session(world, now, &session);
            self.renew(world, now);
            self.plant_line(
                trace,
                now,
                "sign_in",
                foothold(
                    ArtefactId::REFRESH_TOKENS,
                    ObjectKind::Session,
                    victim,
                    vec![session],
                ),
                false,
            );
        }
    }

    /// Plants a new visible rule for each thing that was lost, as long as a
    /// token still lets it, and a second method while the session lives.
    fn plant_anew(
        &mut self,
        world: &mut World,
        company: &mut Company,
        trace: &mut Trace,
        now: Timestamp,
        reaction: bool,
    ) {
        let live = self
            .access
            .as_ref()
            .is_some_and(|token| may_change_rules(world, token, &self.victim, now));
        // What it planted and lost; the block of the account is no such thing.
        let due = self
            .lost
            .iter()
            .filter(|key| key.as_str() != "account")
            .count() as u32;
        while live && self.replanted < due.min(self.habits.replants) {
            self.replanted += 1;
            let draft = self.kit.forwarding_rule(u64::from(self.replanted));
            let planted = self.plant_rule(
                world,
                trace,
                now,
                draft,
                ArtefactId::FORWARDING_RULE,
                Surface::Graph,
                false,
            );
            if !planted {
                break;
            }
        }
        if reaction
            && self.habits.second_method
            && !self.second_method
            && self.session_lives(world, now)
        {
            self.second_method = true;
            for id in self.register_methods(world, company, now, 1) {
                self.plant_line(trace, now, "register_method", method_foothold(id), false);
            }
        }
    }
}

/// Whether a token reads this user's mail now.
fn may_read(world: &World, token: &str, user: &str, now: Timestamp) -> bool {
    world.bearer(token, now).is_ok_and(|access| {
        access.user.as_deref() == Some(user)
            && access
                .scopes
                .iter()
                .any(|scope| READING.contains(&scope.as_str()))
    })
}

/// Whether a token changes this user's rules now.
fn may_change_rules(world: &World, token: &str, user: &str, now: Timestamp) -> bool {
    world.bearer(token, now).is_ok_and(|access| {
        access.user.as_deref() == Some(user)
            && access
                .scopes
                .iter()
                .any(|scope| scope == "MailboxSettings.ReadWrite")
    })
}

/// One try of an artefact.
pub(super) fn attempt(
    trace: &mut Trace,
    now: Timestamp,
    word: &str,
    artefact: ArtefactId,
    got: Option<Got>,
    effect: Option<Value>,
) {
    let mut line = TraceLine::new(now, Actor::Attacker, Service::Attack, word)
        .attempting(artefact, got.unwrap_or(Got::Nothing));
    line.effect = effect;
    trace.push(line);
}

/// What left or was hidden: which messages, how many bytes, from when to when.
pub(super) fn leaked(kind: &str, found: &[Delivery]) -> Value {
    json!({
        "kind": kind,
        "messages": found.iter().map(|delivery| &delivery.message).collect::<Vec<_>>(),
        "at": found.iter().map(|delivery| delivery.at).collect::<Vec<_>>(),
        "bytes": found.iter().map(|delivery| u64::from(delivery.size)).sum::<u64>(),
    })
}
