//! What the attacker does with the rights of an administrator: it gives roles (A31), and
//! while one administrator's account is free it undoes what is done to the others.

use jiff::Timestamp;
use retake_playbook::{ArtefactId, ObjectKind};
use serde_json::json;

use crate::services::rights::{Act, Caller};
use crate::trace::{Actor, Got, Service, Trace, TraceLine, TraceObject};
use crate::world::directory::MethodKind;
use crate::world::known::role;
use crate::world::tokens::CutKind;
use crate::world::{Origin, Surface, World};

use super::tick::attempt;
use super::{Attacker, Foothold};

/// Who may assign roles (reference §3).
const ROLE_GIVERS: [&str; 2] = [
    role::GLOBAL_ADMINISTRATOR,
    role::PRIVILEGED_ROLE_ADMINISTRATOR,
];
/// What it gives, by seed: each opens something for as long as it is held.
const GIVEN: [&str; 4] = [
    role::EXCHANGE_ADMINISTRATOR,
    role::APPLICATION_ADMINISTRATOR,
    role::USER_ADMINISTRATOR,
    role::GLOBAL_READER,
];

/// Roles that it gave.
#[derive(Clone, Debug, Default)]
pub(super) struct GivenRoles {
    /// Assignment id and role.
    pub(super) held: Vec<(String, String)>,
}

impl GivenRoles {
    /// What of this is gone.
    pub(super) fn gone<'a>(&'a self, world: &'a World) -> impl Iterator<Item = String> + 'a {
        self.held
            .iter()
            .filter(|(id, _)| !world.roles.iter().any(|held| held.id == *id))
            .map(|(id, _)| id.clone())
    }
}

impl Attacker {
    /// At an administrator's portal with this account, if its session still gives new
    /// tokens: those that were taken for mail do not open a portal.
    pub(crate) fn portal(&mut self, world: &mut World, now: Timestamp) -> Option<(Caller, Origin)> {
        let token = self.renew(world, now)?;
        let token = world.bearer(&token, now).ok()?.clone();
        let origin = self.origin(world, Surface::Portal);
        Some((Caller { token }, origin))
    }

    /// The same where the account may give roles.
    pub(crate) fn role_giver(&mut self, world: &mut World, now: Timestamp) -> Option<Origin> {
        let (caller, origin) = self.portal(world, now)?;
        caller.holds(world, &ROLE_GIVERS).then_some(origin)
    }

    /// Takes a role that is given to this account by the hand of an administrator (A31).
    pub(crate) fn take_given_role(
        &mut self,
        world: &mut World,
        trace: &mut Trace,
        now: Timestamp,
        by: &Origin,
    ) {
        let order = self.chance.order("attacker", "given role", GIVEN.len());
        let given = order
            .into_iter()
            .filter_map(|index| GIVEN.get(index))
            .find_map(|role| {
                let id = world.give_role(now, by, &self.victim, role)?;
                Some((id, (*role).to_owned()))
            });
        let Some((id, role)) = given else { return };
        self.given.held.push((id.clone(), role.clone()));
        let foothold = Foothold {
            artefact: ArtefactId::DIRECTORY_ROLE,
            object: TraceObject::new(ObjectKind::DirectoryRole, id),
            aliases: vec![role],
        };
        self.plant_line(trace, now, "give_role", foothold, true);
    }

    /// A31: uses the roles that it gave, with whatever token it has.
    pub(super) fn try_roles(&mut self, world: &World, trace: &mut Trace, now: Timestamp) {
        if self.given.held.is_empty() {
            return;
        }
        let caller = self
            .access
            .as_ref()
            .and_then(|token| world.bearer(token, now).ok())
            .map(|token| Caller {
                token: token.clone(),
            });
        let works = caller.is_some_and(|caller| {
            self.given.held.iter().any(|(id, role)| {
                world.roles.iter().any(|held| held.id == *id) && caller.holds(world, &[role])
            })
        });
        attempt(
            trace,
            now,
            "use_role",
            ArtefactId::DIRECTORY_ROLE,
            works.then_some(Got::Data),
            None,
        );
    }

    /// Gives sign-in back to another account in its hands that was blocked, and a pass to
    /// sign in with, as far as this account's roles allow it (reference §2.1).
    pub(crate) fn free(
        &mut self,
        other: &mut Self,
        world: &mut World,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        let blocked = world
            .users
            .get(&other.victim)
            .is_some_and(|user| !user.enabled);
        if !blocked {
            return;
        }
        let Some((caller, origin)) = self.portal(world, now) else {
            return;
        };
        if !caller.outranks(world, &other.victim, Act::Change) {
            return;
        }
        world.set_enabled(now, &origin, &other.victim, true);
        other.lost.remove("account");
        trace.push(
            TraceLine::new(now, Actor::Attacker, Service::Attack, "free_account")
                .about(ObjectKind::Account, other.victim.clone())
                .with_effect(json!({
                    "kind": "changed",
                    "fields": {"accountEnabled": [false, true]},
                })),
        );
        if other.session_lives(world, now) {
            return;
        }
        self.entries += 1;
        let password = other.kit.own_password(40 + self.entries);
        world.set_password(
            now,
            &origin,
            &other.victim,
            &password,
            false,
            CutKind::AdminReset,
        );
        other.password = Some(password);
        other.cuts_seen = world
            .users
            .get(&other.victim)
            .map_or(0, |user| user.cuts.len());
        let text = world.next(&other.victim, "foreign pass").text(
            b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789",
            10,
        );
        let pass = world.add_method(
            now,
            &origin,
            &other.victim,
            MethodKind::TemporaryAccessPass {
                pass: text,
                starts: now,
                minutes: 20_000,
                once: false,
            },
        );
        other.identity.hold_pass(pass.clone());
        let from = trace.lines().len();
        let victim = other.victim.clone();
        for foothold in [
            Foothold {
                artefact: ArtefactId::STOLEN_PASSWORD,
                object: TraceObject::new(ObjectKind::Password, victim.clone()),
                aliases: Vec::new(),
            },
            Foothold {
                artefact: ArtefactId::TEMPORARY_ACCESS_PASS,
                object: TraceObject::new(ObjectKind::Method, pass),
                aliases: Vec::new(),
            },
        ] {
            other.plant_line(trace, now, "reset_from_outside", foothold, false);
        }
        trace.through_account(from, &victim);
    }
}
