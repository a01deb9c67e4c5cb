//! The company around the affected account: people with habits, vendors,
//! networks, devices, and the responder's own app.

mod account;
mod away;
mod bait_identity;
pub(crate) mod baits;
mod folders;
pub(crate) mod hostile;
pub(crate) mod letters;
pub(crate) mod life;
pub(crate) mod names;
pub(crate) mod places;
mod rights;
mod shared;
mod staff;
mod tenancy;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::chance::Chance;
use crate::scenario::{AccountKind, Move, Role, Scenario, Span};
use crate::world::{Address, Origin, Surface, World, known};

pub(crate) use account::{DELETED, RENAMED};
use places::{Network, Networks};

/// A company outside that writes to this one.
#[derive(Clone, Debug)]
pub(crate) struct Vendor {
    /// Its name.
    pub(crate) name: String,
    /// Its mail domain.
    pub(crate) domain: String,
    /// Who writes.
    pub(crate) contact: Address,
    /// What it delivers.
    pub(crate) goods: String,
    /// The address of its mail server.
    pub(crate) server: String,
}

/// How one person works.
#[derive(Clone, Debug)]
pub(crate) struct Habits {
    /// Home network.
    pub(crate) home: Network,
    /// The phone's network.
    pub(crate) mobile: Network,
    /// User agent of the browser.
    pub(crate) browser: String,
    /// User agent of the phone's mail client.
    pub(crate) phone: String,
    /// The hour (UTC) at which work begins.
    pub(crate) begins: i8,
    /// Works from home on these days, in a hundred.
    pub(crate) at_home: u8,
    /// `deviceId` of the registered laptop that the person signs in on.
    pub(crate) device: Option<String>,
    /// The password, which the person knows.
    pub(crate) password: String,
    /// Session and refresh token of the person's own client.
    pub(crate) client: Option<life::Client>,
    /// Signs in seldom or often.
    pub(crate) every: Span,
}

/// A running conversation about money: the one that will be stolen.
#[derive(Clone, Debug)]
pub(crate) struct Thread {
    /// Index of the vendor.
    pub(crate) vendor: usize,
    /// Subject without prefixes.
    pub(crate) subject: String,
    /// The word in it that nothing else holds.
    pub(crate) reference: String,
    /// Conversation id.
    pub(crate) conversation: String,
    /// Amount, as text.
    pub(crate) amount: String,
}

/// Somebody who can be reached outside the mailbox.
#[derive(Clone, Debug)]
pub(crate) struct Contact {
    /// Name.
    pub(crate) name: String,
    /// Telephone number.
    pub(crate) phone: String,
    /// Object id, if it is somebody of the tenant.
    pub(crate) user: Option<String>,
}

/// What the responder was given before the alert.
#[derive(Clone, Debug)]
pub(crate) struct ResponderAccess {
    /// Client id of its app registration.
    pub(crate) client_id: String,
    /// Secret of it.
    pub(crate) secret: String,
    /// Certificate of it, with the private key.
    pub(crate) certificate_pem: String,
    /// Outside issuer and subject that stand for it.
    pub(crate) workload: (String, String),
    /// What App Service hands to the code that it runs.
    pub(crate) identity_header: String,
    /// Who signs in by device code.
    pub(crate) operator: String,
}

/// A legitimate thing that must survive.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    /// What it is, and its canonical id.
    pub(crate) object: retake_playbook::ObjectRef,
    /// Other ids for it.
    pub(crate) aliases: Vec<String>,
    /// Why it is there.
    pub(crate) why: String,
}

/// The company.
#[derive(Clone, Debug)]
pub(crate) struct Company {
    pub(crate) chance: Chance,
    /// Object id of the affected user.
    pub(crate) affected: String,
    /// The name that the account had in the weeks before, and in the alert.
    former_name: Option<String>,
    /// Object ids of everybody else with a mailbox.
    pub(crate) colleagues: Vec<String>,
    /// Colleagues whose accounts are in the same attacker's hands, in the scenario's order.
    pub(crate) further: Vec<String>,
    /// Shared mailboxes that the affected user opens, by object id.
    pub(crate) shared: Vec<String>,
    /// The office.
    pub(crate) office: Network,
    pub(crate) habits: BTreeMap<String, Habits>,
    pub(crate) vendors: Vec<Vendor>,
    pub(crate) thread: Thread,
    pub(crate) contacts: BTreeMap<Role, Contact>,
    pub(crate) responder: ResponderAccess,
    pub(crate) kept: Vec<Kept>,
    /// Where the affected user's computer was and will be; the first that fits counts.
    journeys: Vec<away::Journey>,
    /// When the affected user gets a new phone.
    pub(crate) new_phone: Option<Timestamp>,
    pub(crate) networks: Networks,
    /// Methods on the affected account that are in strange hands.
    pub(crate) foreign_methods: BTreeSet<String>,
    /// Names harm whoever shows them badly.
    hostile_names: bool,
}

impl Company {
    /// Somebody with this role, at an administrator's portal in the office; nobody of the
    /// tenant where the role has no account here.
    pub(crate) fn at_the_portal(&self, world: &mut World, role: Role) -> Origin {
        let user = self
            .contacts
            .get(&role)
            .and_then(|contact| contact.user.clone());
        let agent = user
            .as_ref()
            .and_then(|id| self.habits.get(id))
            .map(|habits| habits.browser.clone())
            .unwrap_or_default();
        let ip = self.office.enter(world, 2);
        let mut origin = Origin::user(
            user.as_deref().unwrap_or_default(),
            known::OFFICE_HOME,
            &ip,
            &agent,
        )
        .through(Surface::Portal);
        origin.user = user;
        origin
    }

    /// Founds a company and its tenant; the history is played afterwards.
    pub(crate) fn found(scenario: &Scenario, chance: Chance, alert: Timestamp) -> (World, Self) {
        let mut networks = Networks::new(chance);
        let city = chance
            .draw("company", "city", 0)
            .choose(&names::HOME_CITIES)
            .copied()
            .unwrap_or(names::HOME_CITIES[0]);
        let office = networks.take_at("office", city);
        let mut world = World::new(chance, tenancy::tenant(scenario, chance, city.2));
        world.tenant.responder_ip = networks.take_at("responder", city).enter(&mut world, 7);
        tenancy::microsoft_apps(&mut world, alert);

        let people = staff::people(scenario, chance, &world.tenant.domain, alert);
        let affected = people
            .first()
            .map(|user| user.id.clone())
            .unwrap_or_default();
        let mut habits = BTreeMap::new();
        let mut colleagues = Vec::new();
        for (index, mut user) in people.into_iter().enumerate() {
            let id = user.id.clone();
            let password = format!(
                "{}{}!{}",
                chance.draw(&id, "password", 0).word(&names::COMPANY_FIRST),
                chance.draw(&id, "password", 1).word(&names::COMPANY_SECOND),
                chance.draw(&id, "password", 2).below(9000) + 1000
            );
            user.password = crate::world::directory::Password::new(&id, &password);
            user.password_changed =
                before(alert, 40 + chance.draw(&id, "password age", 0).below(300));
            staff::methods(&mut user, chance, alert);
            let hostile = scenario.company.hostile_names;
            for (ordinal, method) in user.methods.iter_mut().enumerate() {
                method.rename(|name| hostile::dress(hostile, chance, &id, ordinal as u64, name));
            }
            if index == 0 {
                account::shape(&mut user, scenario, &world, chance);
            }
            let home = networks.take_at("home", city);
            let mobile = networks.take_at("mobile", city);
            let minutes = SignedDuration::from_mins;
            habits.insert(
                id.clone(),
                Habits {
                    home,
                    mobile,
                    browser: places::desktop_agent(chance, &id, 0),
                    phone: places::phone_agent(chance, &id),
                    begins: chance.draw(&id, "begins", 0).between(6, 8) as i8,
                    at_home: chance.draw(&id, "at home", 0).between(10, 55) as u8,
                    device: None,
                    password,
                    client: None,
                    every: if index == 0 {
                        Span {
                            low: minutes(55),
                            high: minutes(110),
                        }
                    } else {
                        Span {
                            low: minutes(170),
                            high: minutes(420),
                        }
                    },
                },
            );
            if index > 0 {
                colleagues.push(id.clone());
            }
            world.add_user(user);
            if let Some(mailbox) = world.mailboxes.get_mut(&id) {
                if chance.draw("company", "language", 0).happens(45)
                    && matches!(city.2, "DE" | "AT" | "CH")
                {
                    mailbox.localise("de-DE");
                }
                mailbox.add_folder("RSS Feeds", None);
            }
        }
        if scenario.takes(chance, Move::OpenProtocols) {
            // Somebody has tidied up here: nothing is open that nobody asked for.
            world.tenant.smtp_auth_disabled = true;
            for mailbox in world.mailboxes.values_mut() {
                (mailbox.imap, mailbox.pop, mailbox.ews) = (false, false, false);
            }
        }
        tenancy::roles(&mut world, &colleagues);
        let responder = tenancy::responder(scenario, chance, &mut world, alert);
        let principal = world
            .principal_of_app(&responder.client_id)
            .map(|principal| principal.id.clone())
            .unwrap_or_default();
        account::place(&mut world, scenario, chance, &affected, &principal, alert);
        let further = account::further(&mut world, scenario, chance, &colleagues);
        let former_name = (scenario.account().kind == AccountKind::Renamed)
            .then(|| world.users.get(&affected).map(|user| user.upn.clone()))
            .flatten();
        let vendors = staff::vendors(scenario, chance, &mut networks, &mut world);
        let mut thread = staff::thread(chance, &vendors);
        let hostile_names = scenario.company.hostile_names;
        thread.subject = hostile::dress(hostile_names, chance, "thread", 0, &thread.subject);
        let contacts = staff::contacts(scenario, chance, &world, &affected, &colleagues);
        let mut company = Self {
            chance,
            affected,
            former_name,
            further,
            colleagues,
            shared: Vec::new(),
            office,
            habits,
            vendors,
            thread,
            contacts,
            responder,
            kept: Vec::new(),
            journeys: Vec::new(),
            new_phone: None,
            networks,
            foreign_methods: BTreeSet::new(),
            hostile_names,
        };
        company.open_shared(&mut world, scenario, alert);
        company.lay_baits(&mut world, scenario, alert);
        (world, company)
    }

    /// The vendor whose thread is stolen.
    pub(crate) fn stolen_vendor(&self) -> Option<&Vendor> {
        self.vendors.get(self.thread.vendor)
    }

    /// The colleague who pays what the affected user asks for.
    pub(crate) fn treasurer(&self) -> String {
        self.colleagues
            .get(4)
            .or_else(|| self.colleagues.get(1))
            .cloned()
            .unwrap_or_default()
    }

    /// A name with something hostile in it, where the scenario asks for it.
    pub(crate) fn dress(&self, purpose: &str, ordinal: u64, text: &str) -> String {
        hostile::dress(self.hostile_names, self.chance, purpose, ordinal, text)
    }

    /// The mail address and name of a user.
    pub(crate) fn address(world: &World, user: &str) -> Address {
        world
            .users
            .get(user)
            .map(|user| Address::new(user.display_name.clone(), user.mail.clone()))
            .unwrap_or_default()
    }
}

/// A moment some days before another.
pub(crate) fn before(at: Timestamp, days: u64) -> Timestamp {
    at.checked_sub(SignedDuration::from_hours(24 * days as i64))
        .unwrap_or(at)
}
