//! What the attacker changes of the account's place in the directory: apps that it is
//! assigned (A21), and what self-service reset goes by (A42).

use jiff::Timestamp;
use retake_playbook::{ArtefactId, ObjectKind};

use crate::trace::{Got, Trace, TraceObject};
use crate::world::audit::Activity;
use crate::world::contact::Contact;
use crate::world::{Resource, SignInKind, Surface, World, known};

use super::tick::attempt;
use super::{Attacker, Foothold};

/// What it changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Changed {
    /// App roles that it assigned, each with the app's principal.
    roles: Vec<(String, String)>,
    /// Addresses and numbers of its own, each with the property that it put them in.
    contacts: Vec<(Contact, String)>,
}

impl Changed {
    /// Its addresses and numbers.
    pub(super) fn contacts(&self) -> Vec<String> {
        self.contacts
            .iter()
            .map(|(_, value)| value.clone())
            .collect()
    }

    /// What of this is gone.
    pub(super) fn gone(&self, world: &World, victim: &str) -> Vec<String> {
        let user = world.users.get(victim);
        let roles = self
            .roles
            .iter()
            .filter(|(id, _)| !world.app_role_assignments.contains_key(id))
            .map(|(id, _)| id.clone());
        let contacts = self
            .contacts
            .iter()
            .filter(|(contact, value)| user.is_none_or(|user| !contact.of(user).contains(value)))
            .map(|(_, value)| format!("contact {value}"));
        roles.chain(contacts).collect()
    }
}

impl Attacker {
    /// Assigns the account an app of the company's (A21): where the tenant lets people
    /// add apps for themselves, or with the account's own role.
    pub(super) fn assign_app(&mut self, world: &mut World, trace: &mut Trace, now: Timestamp) {
        if self.live_access(world, now).is_none() {
            return;
        }
        let own = self.own_app.as_ref().map(|app| app.principal.clone());
        let granted = self.app.as_ref().map(|app| app.client_id.clone());
        let taken: Vec<&String> = world
            .app_role_assignments
            .values()
            .filter(|row| row.principal_id == self.victim)
            .map(|row| &row.resource_id)
            .collect();
        // Of other makers, and not its own: what the company bought.
        let apps: Vec<String> = world
            .service_principals
            .values()
            .filter(|app| app.enabled)
            .filter(|app| {
                app.owner_tenant != known::MICROSOFT_TENANT && app.owner_tenant != world.tenant.id
            })
            .filter(|app| Some(&app.id) != own.as_ref() && Some(&app.app_id) != granted.as_ref())
            .filter(|app| !taken.contains(&&app.id))
            .map(|app| app.id.clone())
            .collect();
        let draw = |purpose: &str| self.chance.draw("assigned app", purpose, 0);
        let Some(principal) = draw("which").choose(&apps).cloned() else {
            return;
        };
        let origin = self.origin(world, Surface::Entra);
        let role = match draw("role").below(3) {
            0 => None,
            1 => Some("Administrator"),
            _ => Some("Payments.Approve"),
        };
        let victim = self.victim.clone();
        let Some(id) = world.assign_user_app_role(now, &origin, &victim, &principal, role) else {
            return;
        };
        self.changed.roles.push((id.clone(), principal.clone()));
        let foothold = Foothold {
            artefact: ArtefactId::APP_ROLE,
            object: TraceObject::new(ObjectKind::AppRole, id),
            // Records name the app, and not the assignment.
            aliases: vec![principal],
        };
        self.plant_line(trace, now, "assign_app", foothold, true);
    }

    /// Puts an address or a number of its own among those that self-service reset goes
    /// by (A42).
    pub(super) fn change_reset_contact(
        &mut self,
        world: &mut World,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        if self.live_access(world, now).is_none() {
            return;
        }
        let chance = self.chance;
        let ordinal = self.changed.contacts.len() as u64;
        let draw = |purpose: &str| chance.draw("reset contact", purpose, ordinal);
        let contact = match draw("which").below(3) {
            0 => Contact::MobilePhone,
            1 => Contact::BusinessPhones,
            _ => Contact::OtherMails,
        };
        let mut values = world
            .users
            .get(&self.victim)
            .map(|user| contact.of(user))
            .unwrap_or_default();
        let value = match contact {
            Contact::OtherMails => {
                // Beside the owner's, or in their place.
                if draw("in place").happens(50) {
                    values.clear();
                }
                format!(
                    "{}{}@{}.example",
                    draw("name").hex(5),
                    draw("year").between(70, 99),
                    draw("service").word(&crate::company::names::MAIL_SERVICES)
                )
            }
            Contact::MobilePhone | Contact::BusinessPhones => {
                values.clear();
                format!("+44 7{}", draw("number").between(400_000_000, 999_999_999))
            }
        };
        values.push(value.clone());
        let origin = self.origin(world, Surface::Graph);
        let victim = self.victim.clone();
        world.set_contact(now, &origin, &victim, contact, values);
        self.changed.contacts.push((contact, value.clone()));
        let foothold = Foothold {
            artefact: ArtefactId::RESET_ATTRIBUTES,
            object: TraceObject::new(
                ObjectKind::ResetAttributes,
                format!("{victim}/{}", contact.as_str()),
            ),
            aliases: vec![victim, value],
        };
        self.plant_line(trace, now, "change_reset_contact", foothold, true);
    }

    /// Tries both kinds; true if self-service reset would take one of its addresses or
    /// numbers.
    pub(super) fn try_changed(
        &mut self,
        world: &mut World,
        trace: &mut Trace,
        now: Timestamp,
    ) -> bool {
        self.try_assigned(world, trace, now);
        let values = self.changed.contacts();
        if values.is_empty() {
            return false;
        }
        let passed = world.can_reset_by_contact(&self.victim, &values);
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
            ArtefactId::RESET_ATTRIBUTES,
            passed.then_some(Got::Token),
            None,
        );
        passed
    }

    /// A21: signs in to the app with the session that it holds.
    fn try_assigned(&mut self, world: &mut World, trace: &mut Trace, now: Timestamp) {
        if self.changed.roles.is_empty() {
            return;
        }
        let lives = self.session_lives(world, now);
        let app = self
            .changed
            .roles
            .iter()
            .filter(|(id, _)| world.app_role_assignments.contains_key(id))
            .find_map(|(_, principal)| world.service_principals.get(principal))
            .filter(|app| app.enabled && lives)
            .map(|app| app.app_id.clone());
        if let Some(app_id) = &app {
            let mut origin = self.origin(world, Surface::OutlookWeb);
            origin.app_id.clone_from(app_id);
            let mut entry =
                world.sign_in_entry(now, SignInKind::NonInteractive, &origin, Resource::Graph);
            entry.session.clone_from(&self.session);
            world.record_sign_in(entry);
        }
        attempt(
            trace,
            now,
            "use_assigned_app",
            ArtefactId::APP_ROLE,
            app.map(|_| Got::Token),
            None,
        );
    }
}
