//! Baits of the identity: devices, recent consents.

use jiff::{SignedDuration, Timestamp};
use retake_playbook::{ObjectKind, ObjectRef};

use crate::scenario::BaitKind;
use crate::world::contact::Contact;
use crate::world::legacy::NewDevice;
use crate::world::tokens::Class;
use crate::world::{Origin, RoleAssignment, Surface, World, known};

use super::{Company, Kept, before, names};

impl Company {
    /// Lays one bait of this kind.
    pub(super) fn lay_identity(&mut self, world: &mut World, kind: BaitKind, alert: Timestamp) {
        let chance = self.chance;
        let me = self.affected.clone();
        match kind {
            BaitKind::OwnLaptop => {
                let (at, by) = self.own_doing(world, &me, alert, "laptop");
                let name = format!(
                    "{}-{}",
                    chance.draw("bait", "laptop", 0).word(&["NB", "LT", "PC"]),
                    chance.draw("bait", "laptop", 1).below(9000) + 1000
                );
                let id = self.own_device(
                    world,
                    at,
                    &by,
                    NewDevice {
                        name,
                        system: "Windows",
                        class: Class::Password,
                    },
                    "the user's own laptop, registered long ago",
                );
                let identifier = world.devices.get(&id).map(|held| held.identifier.clone());
                if let Some(habits) = self.habits.get_mut(&me) {
                    habits.device = identifier;
                }
            }
            BaitKind::RegisteredPhone => {
                let (at, by) = self.lately(world, &me, alert, "new phone");
                let name = chance
                    .draw("bait", "new phone", 0)
                    .word(&names::PHONES)
                    .to_owned();
                self.own_device(
                    world,
                    at,
                    &by,
                    NewDevice {
                        name,
                        system: "IPhone",
                        class: Class::Password,
                    },
                    "the user's new telephone, registered from the office days before the alert",
                );
            }
            BaitKind::OldRole => {
                // Nothing in the logs reaches back to when it was given.
                let role = *chance
                    .draw("bait", "old role", 0)
                    .choose(&[
                        known::role::MESSAGE_CENTER_READER,
                        known::role::REPORTS_READER,
                        known::role::DIRECTORY_READERS,
                    ])
                    .unwrap_or(&known::role::REPORTS_READER);
                let id = world.new_id("role assignment");
                world.roles.push(RoleAssignment {
                    id: id.clone(),
                    principal_id: me,
                    role: role.to_owned(),
                    unit: None,
                });
                self.kept.push(Kept {
                    object: ObjectRef::new(ObjectKind::DirectoryRole, id),
                    aliases: Vec::new(),
                    why: String::from("a directory role that an administrator gave long ago"),
                });
            }
            BaitKind::BackupApp => {
                let name = chance.draw("bait", "backup app", 0).word(&[
                    "Mail Archive",
                    "Backup for Office",
                    "Signature Server",
                ]);
                let app = self.app(world, name, alert);
                if chance.draw("bait", "backup app", 1).happens(50)
                    && let Some(held) = world.service_principals.get_mut(&app)
                {
                    held.verified_publisher = None;
                }
                let since = before(
                    alert,
                    chance.draw("bait", "backup app", 2).between(200, 900),
                );
                for value in ["Mail.ReadWrite", "Mail.Send", "User.Read.All"] {
                    world.assign_app_role(since, &app, known::GRAPH, value);
                }
            }
            BaitKind::AssignedApps => self.assigned_apps(world, alert),
            BaitKind::OwnContacts => self.own_contacts(world, alert),
            _ => {
                let (at, by) = self.lately(world, &me, alert, "new app");
                let name = chance.draw("bait", "new app", 0).word(&[
                    "Desk Booker",
                    "Lunch Rota",
                    "Room Finder",
                    "Parkplatz",
                ]);
                let app = self.app(world, name, alert);
                let id = world.consent(
                    at,
                    &by,
                    Some(&me),
                    &app,
                    &["Calendars.ReadWrite", "User.Read", "openid", "profile"],
                );
                self.kept.push(Kept {
                    object: ObjectRef::new(ObjectKind::OauthGrant, id),
                    aliases: Vec::new(),
                    why: String::from(
                        "an app with small rights, consented to days before the alert",
                    ),
                });
            }
        }
    }

    fn assigned_apps(&mut self, world: &mut World, alert: Timestamp) {
        let me = self.affected.clone();
        let chance = self.chance;
        let name = chance.draw("bait", "assigned app", 0).word(&[
            "Travel Desk",
            "Time Sheets",
            "Learning Hub",
        ]);
        let old = self.app(world, name, alert);
        let (at, by) = self.own_doing(world, &me, alert, "assigned app");
        let administrator = self.colleagues.first().cloned();
        let mut by = by.through(Surface::Portal);
        by.user.clone_from(&administrator);
        let long_ago = world.assign_user_app_role(at, &by, &me, &old, None);
        let name = chance.draw("bait", "newly assigned app", 0).word(&[
            "Contract Archive",
            "Fleet Portal",
            "Supplier Desk",
        ]);
        let new = self.app(world, name, alert);
        let whose = administrator.unwrap_or_else(|| me.clone());
        let (at, by) = self.lately(world, &whose, alert, "newly assigned app");
        let role = chance
            .draw("bait", "assigned role", 0)
            .happens(50)
            .then_some("Editor");
        let lately = world.assign_user_app_role(at, &by.through(Surface::Portal), &me, &new, role);
        for (id, why) in [
            (long_ago, "an app that the user was assigned long ago"),
            (
                lately,
                "an app that an administrator assigned days before the alert",
            ),
        ] {
            if let Some(id) = id {
                self.kept.push(Kept {
                    object: ObjectRef::new(ObjectKind::AppRole, id),
                    aliases: Vec::new(),
                    why: why.to_owned(),
                });
            }
        }
    }

    fn own_contacts(&mut self, world: &mut World, alert: Timestamp) {
        let me = self.affected.clone();
        let chance = self.chance;
        let (at, by) = self.own_doing(world, &me, alert, "own contacts");
        let home = self.home_address(world, &me);
        let number = |ordinal| {
            format!(
                "+49 151 {}",
                chance
                    .draw(&me, "own number", ordinal)
                    .between(2_000_000, 9_999_999)
            )
        };
        let mut kept = Vec::new();
        // A mailbox rule may have had it written down before.
        let known = world
            .users
            .get(&me)
            .is_some_and(|user| user.other_mails.contains(&home));
        if !known {
            world.set_contact(
                at,
                &by.clone().through(Surface::Entra),
                &me,
                Contact::OtherMails,
                vec![home],
            );
        }
        kept.push((
            Contact::OtherMails,
            "the user's private address, from long ago",
        ));
        world.set_contact(
            at,
            &by.through(Surface::Entra),
            &me,
            Contact::MobilePhone,
            vec![number(0)],
        );
        let (at, by) = self.lately(world, &me, alert, "own number");
        world.set_contact(at, &by, &me, Contact::MobilePhone, vec![number(1)]);
        kept.push((
            Contact::MobilePhone,
            "the user's new number, changed from the office days before the alert",
        ));
        for (contact, why) in kept {
            self.kept.push(Kept {
                object: ObjectRef::new(
                    ObjectKind::ResetAttributes,
                    format!("{me}/{}", contact.as_str()),
                ),
                aliases: Vec::new(),
                why: why.to_owned(),
            });
        }
    }

    fn own_device(
        &mut self,
        world: &mut World,
        at: Timestamp,
        by: &Origin,
        device: NewDevice,
        why: &str,
    ) -> String {
        let me = self.affected.clone();
        let id = world.register_device_as(at, by, &me, device);
        let identifier = world
            .devices
            .get(&id)
            .map(|held| held.identifier.clone())
            .unwrap_or_default();
        self.kept.push(Kept {
            object: ObjectRef::new(ObjectKind::Device, id.clone()),
            aliases: vec![identifier],
            why: why.to_owned(),
        });
        id
    }

    /// When and from where the user did something in the days before the attack.
    pub(super) fn lately(
        &self,
        world: &mut World,
        user: &str,
        alert: Timestamp,
        what: &str,
    ) -> (Timestamp, Origin) {
        let days = self.chance.draw(user, what, 1).between(4, 6);
        let minutes = self.chance.draw(user, what, 2).below(110) as i64;
        let at = before(alert, days)
            .checked_sub(SignedDuration::from_mins(minutes))
            .unwrap_or(alert);
        let agent = self
            .habits
            .get(user)
            .map(|habits| habits.browser.clone())
            .unwrap_or_default();
        let ip = self.office.enter(world, 2);
        (
            at,
            Origin::user(user, known::MY_SIGN_INS, &ip, &agent).through(Surface::Entra),
        )
    }
}
