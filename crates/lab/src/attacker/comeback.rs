//! The attacker comes back: a call to the help desk, in the user's name.

use jiff::{SignedDuration, Timestamp};
use retake_playbook::ObjectKind;
use serde_json::json;

use crate::company::Company;
use crate::company::life::add;
use crate::scenario::Role;
use crate::trace::{Actor, Service, Trace, TraceLine};
use crate::world::tokens::{Class, CutKind};
use crate::world::{MethodKind, Origin, Resource, SignInKind, World, known};

use super::Attacker;
use super::assault::method_foothold;

/// How long the pass of a help desk holds, in minutes.
const PASS_MINUTES: i32 = 60;

impl Attacker {
    /// The help desk sets a new password and makes a temporary access pass for
    /// whoever telephones; the attacker signs in with them from its spare network
    /// and registers a method.
    pub(super) fn phone_help_desk(
        &mut self,
        world: &mut World,
        company: &mut Company,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        let me = self.victim.clone();
        if world.users.get(&me).is_none_or(|user| !user.enabled) {
            trace.push(
                TraceLine::new(now, Actor::Attacker, Service::Attack, "phone_help_desk")
                    .about(ObjectKind::Account, me)
                    .with_effect(json!({"kind": "refused"})),
            );
            return;
        }
        let desk = company.at_the_portal(world, Role::HelpDesk);
        self.entries += 1;
        let password = self.kit.own_password(self.entries);
        world.set_password(now, &desk, &me, &password, false, CutKind::AdminReset);
        let pass = world
            .next(&me, "access pass")
            .text(b"abcdefghkmnpqrstuvwxyz23456789+#", 10);
        let pass = world.add_method(
            now,
            &desk,
            &me,
            MethodKind::TemporaryAccessPass {
                pass,
                starts: now,
                minutes: PASS_MINUTES,
                once: true,
            },
        );
        // The help desk did this, and the user is not the one who asked.
        self.password = Some(password);
        self.cuts_seen = world.users.get(&me).map_or(0, |user| user.cuts.len());

        let signed_in = add(now, SignedDuration::from_mins(3));
        let [_, spare] = &self.kit.hosts;
        let ip = spare.enter(world, 31);
        let origin = Origin::user(&me, known::OFFICE_HOME, &ip, &self.kit.browser);
        let session = world.open_session(signed_in, &me, Class::NonPassword, true, &origin);
        let mut entry =
            world.sign_in_entry(signed_in, SignInKind::Interactive, &origin, Resource::Graph);
        entry.session = Some(session.clone());
        "multiFactorAuthentication".clone_into(&mut entry.requirement);
        "oAuth2".clone_into(&mut entry.protocol);
        entry.steps = vec![(String::from("Temporary Access Pass"), true)];
        world.record_sign_in(entry);
        if let Some(user) = world.users.get_mut(&me) {
            user.methods.retain(|method| method.id != pass);
        }
        self.kit.hosts.swap(0, 1);
        self.hold_session(world, signed_in, &session);
        self.renew(world, signed_in);
        for foothold in self.stolen_footholds(&session) {
            self.plant_line(trace, now, "phone_help_desk", foothold, false);
        }
        for id in self.register_methods(world, company, signed_in, 20 + self.entries) {
            self.plant_line(trace, now, "register_method", method_foothold(id), false);
        }
    }
}
