//! The legitimate things that look odd: what a careless response destroys.

use jiff::{SignedDuration, Timestamp};
use retake_playbook::{ObjectKind, ObjectRef};

use crate::scenario::{BaitKind, Scenario};
use crate::world::mail::{Forwarding, RuleDraft};
use crate::world::{
    Address, Origin, RuleActions, RuleConditions, ServicePrincipal, Surface, World, known,
};

use super::{Company, Kept, before, names};

mod mailbox;

impl Company {
    /// Lays the baits of this seed.
    pub(super) fn lay_baits(&mut self, world: &mut World, scenario: &Scenario, alert: Timestamp) {
        for (index, bait) in scenario.baits().enumerate() {
            let present = self
                .chance
                .draw("bait", "present", index as u64)
                .happens(bait.chance.0);
            if present {
                self.lay(world, scenario, bait.kind, alert);
            }
        }
    }

    fn lay(&mut self, world: &mut World, scenario: &Scenario, kind: BaitKind, alert: Timestamp) {
        let chance = self.chance;
        let me = self.affected.clone();
        match kind {
            BaitKind::RuleFilesInvoices => {
                let name = chance.draw("bait", "folder", 0).word(&[
                    "Invoices",
                    "Rechnungen",
                    "To pay",
                    "AP",
                    "Open items",
                ]);
                let folder = own_folder(world, &me, &self.dress("folder", 0, name));
                let mut draft = rule(chance.draw("bait", "rule name", 0).word(&[
                    "Invoices",
                    "Invoices to folder",
                    "AP inbox",
                    "rechnungen",
                ]));
                draft.conditions.subject_contains = vec![String::from("invoice")];
                if chance.draw("bait", "files by body", 0).happens(30) {
                    draft.conditions = RuleConditions {
                        subject_or_body_contains: vec![
                            String::from("invoice"),
                            String::from("statement"),
                        ],
                        ..RuleConditions::default()
                    };
                }
                draft.actions.move_to_folder = Some(folder);
                draft.actions.stop_processing = chance.draw("bait", "stops", 0).happens(40);
                self.own_rule(
                    world,
                    &me,
                    draft,
                    alert,
                    "files invoices into the user's own folder",
                );
            }
            BaitKind::RuleForwardsToColleague => {
                let Some(colleague) = chance.draw("bait", "colleague", 0).choose(&self.colleagues)
                else {
                    return;
                };
                let to = Self::address(world, colleague);
                let mut draft = rule(chance.draw("bait", "rule name", 1).word(&[
                    "Weekly",
                    "fwd",
                    "News",
                    "for the team",
                ]));
                draft.conditions.subject_contains = vec![String::from("weekly")];
                draft.actions.forward_to = vec![to];
                self.own_rule(
                    world,
                    &me,
                    draft,
                    alert,
                    "forwards a newsletter to a colleague",
                );
            }
            BaitKind::RuleQuietsNotices => {
                let folder = if chance.draw("bait", "quiet folder", 0).happens(50) {
                    world
                        .mailboxes
                        .get(&me)
                        .map(|m| m.well_known("archive"))
                        .unwrap_or_default()
                } else {
                    own_folder(world, &me, &self.dress("folder", 1, "Scans"))
                };
                let mut draft = rule(
                    chance
                        .draw("bait", "rule name", 2)
                        .word(&["scans", "..scan", "s", "Scanner"]),
                );
                draft.conditions.sender_contains = vec![String::from("scanner@")];
                draft.actions.move_to_folder = Some(folder);
                draft.actions.mark_as_read = true;
                self.own_rule(
                    world,
                    &me,
                    draft,
                    alert,
                    "moves a machine's notices away and marks them read",
                );
            }
            BaitKind::RuleForwardsHome => {
                let address = self.home_address(world, &me);
                if let Some(user) = world.users.get_mut(&me) {
                    user.other_mails.push(address.clone());
                }
                let mut draft = rule(chance.draw("bait", "rule name", 3).word(&[
                    "Travel",
                    "tickets home",
                    "bookings",
                ]));
                draft.conditions.subject_contains = vec![String::from("booking")];
                draft.conditions.sender_contains = vec![String::from("rail-and-air.example")];
                draft.actions.forward_to = vec![Address::new("", address)];
                self.own_rule(
                    world,
                    &me,
                    draft,
                    alert,
                    "sends travel bookings to the user's own outside address, for years",
                );
            }
            BaitKind::GrantMailApp => {
                let name = chance
                    .draw("bait", "mail app", 0)
                    .word(&names::GOOD_MAIL_APPS);
                let scopes: &[&str] = match chance.draw("bait", "mail scopes", 0).below(3) {
                    0 => &[
                        "Mail.ReadWrite",
                        "User.Read",
                        "offline_access",
                        "openid",
                        "profile",
                    ],
                    1 => &["Mail.ReadWrite", "Mail.Send", "User.Read", "offline_access"],
                    _ => &[
                        "Mail.Read",
                        "Mail.ReadWrite",
                        "Contacts.Read",
                        "User.Read",
                        "offline_access",
                        "openid",
                    ],
                };
                let app = self.app(world, name, alert);
                self.own_grant(world, &me, &app, scopes, alert, "an app with mail rights that the user consented to long ago from the own network");
            }
            BaitKind::GrantCalendarApp => {
                let name = chance
                    .draw("bait", "calendar app", 0)
                    .word(&names::GOOD_CALENDAR_APPS);
                let app = self.app(world, name, alert);
                self.own_grant(
                    world,
                    &me,
                    &app,
                    &["Calendars.Read", "User.Read", "openid", "profile"],
                    alert,
                    "a calendar app with small rights",
                );
            }
            BaitKind::OwnMethods => {
                // Everybody has methods of their own; this one has an address
                // for self-service reset besides.
                let address = self.home_address(world, &me);
                let id = chance.draw("bait", "own mail method", 0).uuid().to_string();
                if chance.draw("bait", "own mail method", 1).happens(40)
                    && let Some(user) = world.users.get_mut(&me)
                {
                    user.methods.push(crate::world::Method {
                        id,
                        kind: crate::world::MethodKind::Email { address },
                        created: Some(before(alert, 300)),
                    });
                }
            }
            BaitKind::ColleagueForward => {
                let Some(user) = self.colleagues.get(6).or(self.colleagues.last()).cloned() else {
                    return;
                };
                let address = self.home_address(world, &user);
                let (at, by) = self.own_doing(world, &user, alert, "forward");
                world.set_forwarding(
                    at,
                    &by,
                    &user,
                    Forwarding {
                        smtp: Some(address),
                        address: None,
                        deliver_and_forward: true,
                    },
                );
                self.kept.push(Kept {
                    object: ObjectRef::new(ObjectKind::MailboxForwarding, user),
                    aliases: Vec::new(),
                    why: String::from("a colleague's own forward, agreed with IT"),
                });
            }
            BaitKind::ColleagueRules => {
                let some: Vec<String> = self.colleagues.iter().skip(4).take(3).cloned().collect();
                for (index, user) in some.iter().enumerate() {
                    let folder = own_folder(world, user, &self.dress("folder", 2, "Projects"));
                    let mut draft = rule(
                        chance
                            .draw("bait", "colleague rule", index as u64)
                            .word(&["x", "-", "cleanup", "Projects", "."]),
                    );
                    draft.conditions.subject_contains =
                        vec![String::from("minutes"), String::from("agenda")];
                    draft.actions.move_to_folder = Some(folder);
                    draft.actions.mark_as_read = index == 1;
                    self.own_rule(world, user, draft, alert, "a colleague's rule");
                }
            }
            BaitKind::ColleagueGrants => {
                let name = chance.draw("bait", "colleague app", 0).word(&[
                    "Whiteboarder",
                    "Formulario",
                    "Surveybee",
                    "Notizblock",
                ]);
                let app = self.app(world, name, alert);
                let some: Vec<String> = self.colleagues.iter().skip(2).take(3).cloned().collect();
                for user in some {
                    self.own_grant(
                        world,
                        &user,
                        &app,
                        &["User.Read", "Files.Read", "offline_access"],
                        alert,
                        "a colleague's consent",
                    );
                }
            }
            BaitKind::AssistantFullAccess
            | BaitKind::TeamSendAs
            | BaitKind::ManagerSendOnBehalf => {
                self.lay_right(world, kind, alert);
            }
            BaitKind::CalendarDelegate | BaitKind::TeamFolder => {
                self.lay_folder_right(world, kind, alert);
            }
            BaitKind::SharedRules | BaitKind::SharedForward | BaitKind::SharedReply => {
                self.lay_shared(world, kind, alert);
            }
            BaitKind::ForwardInside => self.forward_inside(world, scenario, alert),
            BaitKind::SystemRules => self.system_rules(world),
            BaitKind::SweepNewsletters => self.sweep_newsletters(world, alert),
            BaitKind::HolidayReply => self.holiday_reply(world, scenario, alert),
            BaitKind::OwnJunkEntries => self.own_junk_entries(world, alert),
            BaitKind::OldProtocols => self.old_protocols(world),
            BaitKind::OwnPhone => self.own_phone(world, alert),
            BaitKind::OwnClientSideRules => self.own_client_side_rules(world, alert),
            BaitKind::OwnLaptop
            | BaitKind::RegisteredPhone
            | BaitKind::GrantNewApp
            | BaitKind::BackupApp
            | BaitKind::OldRole
            | BaitKind::AssignedApps
            | BaitKind::OwnContacts => {
                self.lay_identity(world, kind, alert);
            }
            BaitKind::Travel => self.travelled(alert),
            BaitKind::TravelNow => self.travels(alert),
            BaitKind::Vpn => self.tunnels(alert),
            BaitKind::NewPhone => self.buys_phone(alert),
        }
    }

    /// The private address of somebody.
    pub(super) fn home_address(&self, world: &World, user: &str) -> String {
        let name = world
            .users
            .get(user)
            .map(|user| user.surname.to_lowercase())
            .unwrap_or_default();
        format!(
            "{name}{}@{}.example",
            self.chance.draw(user, "private", 0).between(60, 99),
            self.chance
                .draw(user, "private", 1)
                .word(&names::MAIL_SERVICES)
        )
    }

    /// When and from where somebody did something long ago.
    pub(super) fn own_doing(
        &self,
        world: &mut World,
        user: &str,
        alert: Timestamp,
        what: &str,
    ) -> (Timestamp, Origin) {
        let days = self.chance.draw(user, what, 1).between(45, 170);
        let at = before(alert, days)
            .checked_add(SignedDuration::from_mins(
                self.chance.draw(user, what, 2).below(400) as i64,
            ))
            .unwrap_or(alert);
        let agent = self
            .habits
            .get(user)
            .map(|habits| habits.browser.clone())
            .unwrap_or_default();
        let ip = self.office.enter(world, 2);
        (
            at,
            Origin::user(user, known::OUTLOOK_WEB, &ip, &agent).through(Surface::OutlookWeb),
        )
    }

    fn own_rule(
        &mut self,
        world: &mut World,
        user: &str,
        mut draft: RuleDraft,
        alert: Timestamp,
        why: &str,
    ) {
        let name = draft.name.clone();
        draft.name = self.dress("own rule", self.kept.len() as u64, &name);
        let (at, by) = self.own_doing(world, user, alert, &name);
        let Some(id) = world.create_rule(at, &by, user, draft) else {
            return;
        };
        let aliases = rule_aliases(world, user, &id);
        self.kept.push(Kept {
            object: ObjectRef::new(ObjectKind::InboxRule, id),
            aliases,
            why: why.to_owned(),
        });
    }

    /// An app of another publisher, verified in most cases.
    pub(super) fn app(&mut self, world: &mut World, name: &str, alert: Timestamp) -> String {
        let draw = |purpose: &str| self.chance.draw(name, purpose, 0);
        let id = draw("principal").uuid().to_string();
        let mut app = ServicePrincipal::new(
            &id,
            &draw("app id").uuid().to_string(),
            &self.dress("own app", self.kept.len() as u64, name),
            &draw("owner").uuid().to_string(),
            before(alert, draw("app age").between(200, 900)),
        );
        let host = name.to_lowercase().replace(' ', "-");
        app.homepage = Some(format!("https://{host}.example"));
        app.reply_urls = vec![format!("https://app.{host}.example/signin")];
        app.verified_publisher = draw("verified")
            .happens(70)
            .then(|| format!("{} Software", name.split(' ').next().unwrap_or(name)));
        world.service_principals.insert(id.clone(), app);
        self.kept.push(Kept {
            object: ObjectRef::new(ObjectKind::ServicePrincipal, id.clone()),
            aliases: Vec::new(),
            why: format!("{name}, an app that the company uses"),
        });
        id
    }

    fn own_grant(
        &mut self,
        world: &mut World,
        user: &str,
        app: &str,
        scopes: &[&str],
        alert: Timestamp,
        why: &str,
    ) {
        let (at, by) = self.own_doing(world, user, alert, app);
        let by = by.through(Surface::Entra);
        let id = world.consent(at, &by, Some(user), app, scopes);
        self.kept.push(Kept {
            object: ObjectRef::new(ObjectKind::OauthGrant, id),
            aliases: Vec::new(),
            why: why.to_owned(),
        });
    }
}

/// A folder of the user's own, made if it is not there.
pub(super) fn own_folder(world: &mut World, user: &str, name: &str) -> String {
    let Some(mailbox) = world.mailboxes.get_mut(user) else {
        return String::new();
    };
    let there = mailbox
        .folders
        .values()
        .find(|folder| folder.display_name == name)
        .map(|folder| folder.id.clone());
    there.unwrap_or_else(|| mailbox.add_folder(name, None))
}

/// The other ids of a rule: Exchange's identity and number.
pub(crate) fn rule_aliases(world: &World, user: &str, id: &str) -> Vec<String> {
    let Some(mailbox) = world.mailboxes.get(user) else {
        return Vec::new();
    };
    mailbox
        .rules
        .iter()
        .filter(|rule| rule.id == id)
        .flat_map(|rule| [mailbox.rule_identity(rule), rule.number.to_string()])
        .collect()
}

fn rule(name: &str) -> RuleDraft {
    RuleDraft {
        name: name.to_owned(),
        actions: RuleActions::default(),
        ..RuleDraft::default()
    }
}
