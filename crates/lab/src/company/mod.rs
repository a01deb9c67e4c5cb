//! The company around the affected account: people with habits, vendors,
//! networks, devices, and the responder's own app.

pub(crate) mod baits;
pub(crate) mod life;
pub(crate) mod letters;
pub(crate) mod names;
pub(crate) mod places;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::chance::Chance;
use crate::scenario::{Role, Scenario, Span};
use crate::world::known::{self, role};
use crate::world::{
    Address, AppRegistration, Grant, Method, MethodKind, PhoneKind, RoleAssignment,
    ServicePrincipal, Tenant, User, World,
};

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
    /// Object ids of everybody else with a mailbox.
    pub(crate) colleagues: Vec<String>,
    /// The office.
    pub(crate) office: Network,
    pub(crate) habits: BTreeMap<String, Habits>,
    pub(crate) vendors: Vec<Vendor>,
    pub(crate) thread: Thread,
    pub(crate) contacts: BTreeMap<Role, Contact>,
    pub(crate) responder: ResponderAccess,
    pub(crate) kept: Vec<Kept>,
    /// A journey of the affected user: from, until, where.
    pub(crate) journey: Option<(Timestamp, Timestamp, Network)>,
    pub(crate) networks: Networks,
    /// Methods on the affected account that are in strange hands.
    pub(crate) foreign_methods: BTreeSet<String>,
}

impl Company {
    /// Founds a company and its tenant; the history is played afterwards.
    pub(crate) fn found(scenario: &Scenario, chance: Chance, alert: Timestamp) -> (World, Self) {
        let mut networks = Networks::new(chance);
        let city = chance
            .draw("company", "city", 0)
            .choose(&names::HOME_CITIES)
            .copied()
            .unwrap_or(names::HOME_CITIES[0]);
        let office = networks.take_at("office", city);
        let mut world = World::new(chance, tenant(scenario, chance, city.2, alert));
        world.tenant.responder_ip = networks.take_at("responder", city).enter(&mut world, 7);
        microsoft_apps(&mut world, alert);

        let people = people(scenario, chance, &world.tenant.domain, alert);
        let affected = people.first().map(|user| user.id.clone()).unwrap_or_default();
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
            user.password_changed = before(alert, 40 + chance.draw(&id, "password age", 0).below(300));
            methods(&mut user, chance, alert);
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
                    password,
                    client: None,
                    every: if index == 0 {
                        Span { low: minutes(55), high: minutes(110) }
                    } else {
                        Span { low: minutes(170), high: minutes(420) }
                    },
                },
            );
            if index > 0 {
                colleagues.push(id.clone());
            }
            world.add_user(user);
            if let Some(mailbox) = world.mailboxes.get_mut(&id) {
                if chance.draw("company", "language", 0).happens(45) && city.2 != "NL" {
                    mailbox.localise("de-DE");
                }
                mailbox.add_folder("RSS Feeds", None);
            }
        }
        roles(&mut world, &colleagues);
        let responder = responder(scenario, chance, &mut world, &mut networks, city, alert);
        let vendors = vendors(scenario, chance, &mut networks, &mut world);
        let thread = thread(chance, &vendors);
        let contacts = contacts(scenario, chance, &world, &affected, &colleagues);
        let mut company = Self {
            chance,
            affected,
            colleagues,
            office,
            habits,
            vendors,
            thread,
            contacts,
            responder,
            kept: Vec::new(),
            journey: None,
            networks,
            foreign_methods: BTreeSet::new(),
        };
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
    at.checked_sub(SignedDuration::from_hours(24 * days as i64)).unwrap_or(at)
}

fn tenant(scenario: &Scenario, chance: Chance, country: &str, alert: Timestamp) -> Tenant {
    let _ = alert;
    let first = chance.draw("company", "name", 0).word(&names::COMPANY_FIRST);
    let second = chance.draw("company", "name", 1).word(&names::COMPANY_SECOND);
    let form = chance.draw("company", "form", 0).word(&names::COMPANY_FORM);
    let stem = format!("{}{second}", first.to_lowercase());
    let mut tenant = Tenant::new(chance.draw("company", "tenant", 0).uuid().to_string());
    tenant.display_name = format!("{first}{second} {form}");
    tenant.initial_domain = format!(
        "{stem}{}.onmicrosoft.com",
        chance.draw("company", "domain", 0).below(900) + 100
    );
    tenant.domain = format!("{stem}.example");
    country.clone_into(&mut tenant.country);
    tenant.auto_forwarding = chance
        .draw("company", "auto forwarding", 0)
        .word(&["Automatic", "On"])
        .to_owned();
    let delays = &scenario.delays;
    let pair = |span: Span| (span.low, span.high);
    tenant.has_p1 = scenario.licences.entra_p1;
    tenant.has_p2 = scenario.licences.entra_p2;
    tenant.sign_in_delay = pair(delays.sign_in_log);
    tenant.directory_audit_delay = pair(delays.directory_audit);
    tenant.unified_delay = pair(delays.audit_log);
    tenant.revoke_delay = pair(delays.revocation);
    tenant.cae_delay = pair(delays.continuous_evaluation);
    tenant.stale_reads = delays.directory_reads.high;
    tenant
}

/// Microsoft's own apps and resources, as every tenant has them.
fn microsoft_apps(world: &mut World, alert: Timestamp) {
    let created = before(alert, 2000);
    for (app, name, client) in [
        (known::GRAPH, "Microsoft Graph", false),
        (known::EXCHANGE, "Office 365 Exchange Online", false),
        (known::MANAGEMENT, "Office 365 Management APIs", false),
        (known::OUTLOOK_WEB, "One Outlook Web", true),
        (known::OFFICE_HOME, "OfficeHome", true),
        (known::MY_SIGN_INS, "My Signins", true),
        (known::OUTLOOK_MOBILE, "Outlook Mobile", true),
        (known::OFFICE_DESKTOP, "Microsoft Office", true),
    ] {
        let id = world.next("microsoft app", app).uuid().to_string();
        let mut principal =
            ServicePrincipal::new(&id, app, name, known::MICROSOFT_TENANT, created);
        principal.verified_publisher = Some(String::from("Microsoft"));
        principal.tags.clear();
        world.service_principals.insert(id, principal);
        if client {
            world.registrations.insert(
                app.to_owned(),
                AppRegistration {
                    app_id: app.to_owned(),
                    secret: None,
                    app_roles: Vec::new(),
                    public_client: true,
                },
            );
        }
    }
}

/// The people; the affected user first, then colleagues in the order of
/// [`names::JOBS`].
fn people(scenario: &Scenario, chance: Chance, domain: &str, alert: Timestamp) -> Vec<User> {
    let count = scenario.company.people.pick(chance.draw("company", "people", 0)) as usize;
    let given = chance.order("company", "given names", names::GIVEN.len());
    let surnames = chance.order("company", "surnames", names::SURNAMES.len());
    let mut people = Vec::new();
    for index in 0..count.min(names::JOBS.len() + 1) {
        let first = given.get(index).and_then(|i| names::GIVEN.get(*i)).copied().unwrap_or("Ada");
        let last = surnames.get(index).and_then(|i| names::SURNAMES.get(*i)).copied().unwrap_or("Byron");
        let upn = format!("{}.{}@{domain}", first.to_lowercase(), last.to_lowercase());
        let id = chance.draw("user", "id", index as u64).uuid().to_string();
        let created = before(alert, 200 + chance.draw(&id, "joined", 0).below(2500));
        let mut user = User::new(&id, &upn, &format!("{first} {last}"), created);
        let (title, department) = match index.checked_sub(1).and_then(|i| names::JOBS.get(i)) {
            Some((title, department)) => ((*title).to_owned(), (*department).to_owned()),
            None => (
                scenario.company.affected_job.clone(),
                scenario.company.affected_department.clone(),
            ),
        };
        user.job_title = title;
        user.department = department;
        user.mobile_phone = Some(phone_number(chance, &id, "mobile"));
        user.business_phones = vec![phone_number(chance, &id, "desk")];
        user.licences = vec![String::from("05e9a617-0261-4cee-bb44-138d3ef5d965")];
        people.push(user);
    }
    // The affected user reports to the head of finance, everybody else to the
    // managing director.
    let ids: Vec<String> = people.iter().map(|user| user.id.clone()).collect();
    for (index, user) in people.iter_mut().enumerate() {
        user.manager = match index {
            0 => ids.get(2).cloned(),
            3 => None,
            _ => ids.get(3).cloned(),
        };
    }
    people
}

/// A telephone number out of a range kept for films.
fn phone_number(chance: Chance, object: &str, purpose: &str) -> String {
    format!("+49 30 2312 {:04}", chance.draw(object, purpose, 7).below(10_000))
}

/// The methods that somebody registered long ago, when no log reaches.
fn methods(user: &mut User, chance: Chance, alert: Timestamp) {
    let id = user.id.clone();
    let long_ago = before(alert, 60 + chance.draw(&id, "method age", 0).below(600));
    let app = Method {
        id: chance.draw(&id, "authenticator", 0).uuid().to_string(),
        kind: MethodKind::Authenticator {
            display_name: chance.draw(&id, "authenticator phone", 0).word(&names::PHONES).to_owned(),
            device_tag: String::from("SoftwareTokenActivated"),
            version: format!("6.{}.{}", chance.draw(&id, "app", 0).between(2404, 2410), chance.draw(&id, "app", 1).between(1000, 9000)),
        },
        created: Some(long_ago),
    };
    let phone = Method {
        id: known::MOBILE_METHOD.to_owned(),
        kind: MethodKind::Phone {
            number: user.mobile_phone.clone().unwrap_or_default(),
            kind: PhoneKind::Mobile,
        },
        created: Some(long_ago),
    };
    let key = Method {
        id: chance.draw(&id, "key", 0).text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 22),
        kind: MethodKind::Fido2 {
            display_name: format!("Key of {}", user.given_name),
            model: String::from("Security Key NFC"),
            aa_guid: String::from("a4e9fc6d-4cbe-4758-b8ba-37598bb5bbaa"),
        },
        created: Some(long_ago),
    };
    let kinds = match chance.draw(&id, "own methods", 0).below(10) {
        0..=3 => vec![app],
        4..=6 => vec![app, phone],
        7..=8 => vec![phone],
        _ => vec![app, key],
    };
    user.default_method = kinds.first().map(|method| method.id.clone());
    user.methods.extend(kinds);
}

/// Directory roles of the people who have some.
fn roles(world: &mut World, colleagues: &[String]) {
    for (index, role) in [
        (0, role::GLOBAL_ADMINISTRATOR),
        (3, role::HELPDESK_ADMINISTRATOR),
    ] {
        if let Some(user) = colleagues.get(index) {
            let id = world.new_id("role assignment");
            world.roles.push(RoleAssignment {
                id,
                principal_id: user.clone(),
                role: role.to_owned(),
            });
        }
    }
}

/// The template of a directory role by its name.
fn role_template(name: &str) -> Option<&'static str> {
    Some(match name {
        "Global Administrator" => role::GLOBAL_ADMINISTRATOR,
        "Privileged Authentication Administrator" => role::PRIVILEGED_AUTHENTICATION_ADMINISTRATOR,
        "Privileged Role Administrator" => role::PRIVILEGED_ROLE_ADMINISTRATOR,
        "Authentication Administrator" => role::AUTHENTICATION_ADMINISTRATOR,
        "User Administrator" => role::USER_ADMINISTRATOR,
        "Helpdesk Administrator" => role::HELPDESK_ADMINISTRATOR,
        "Password Administrator" => role::PASSWORD_ADMINISTRATOR,
        "Exchange Administrator" => role::EXCHANGE_ADMINISTRATOR,
        "Exchange Recipient Administrator" => role::EXCHANGE_RECIPIENT_ADMINISTRATOR,
        "Global Reader" => role::GLOBAL_READER,
        "Security Reader" => role::SECURITY_READER,
        "Security Operator" => role::SECURITY_OPERATOR,
        "Security Administrator" => role::SECURITY_ADMINISTRATOR,
        "Reports Reader" => role::REPORTS_READER,
        "Cloud Application Administrator" => role::CLOUD_APPLICATION_ADMINISTRATOR,
        "Application Administrator" => role::APPLICATION_ADMINISTRATOR,
        _ => return None,
    })
}

/// The responder's app registration, its rights, and the operator.
fn responder(
    scenario: &Scenario,
    chance: Chance,
    world: &mut World,
    networks: &mut Networks,
    city: names::City,
    alert: Timestamp,
) -> ResponderAccess {
    let client_id = chance.draw("responder", "client id", 0).uuid().to_string();
    let principal = chance.draw("responder", "principal", 0).uuid().to_string();
    let secret = format!(
        "{}~{}",
        chance.draw("responder", "secret", 0).text(b"abcdefghkmnpqrstuvwxyzABCDEFGHKMNPQRSTUVWXYZ23456789", 6),
        chance.draw("responder", "secret", 1).text(b"abcdefghkmnpqrstuvwxyzABCDEFGHKMNPQRSTUVWXYZ23456789._-", 32)
    );
    let mut app = ServicePrincipal::new(
        &principal,
        &client_id,
        "Incident response",
        &world.tenant.id.clone(),
        before(alert, 90),
    );
    app.verified_publisher = None;
    world.service_principals.insert(principal.clone(), app);
    let resource_of = |permission: &str| match permission {
        "Exchange.ManageAsApp" | "full_access_as_app" => known::EXCHANGE,
        "ActivityFeed.Read" | "ActivityFeed.ReadDlp" => known::MANAGEMENT,
        _ => known::GRAPH,
    };
    world.registrations.insert(
        client_id.clone(),
        AppRegistration {
            app_id: client_id.clone(),
            secret: Some(AppRegistration::digest(&secret)),
            app_roles: scenario
                .responder
                .permissions
                .iter()
                .map(|permission| (resource_of(permission).to_owned(), permission.clone()))
                .collect(),
            public_client: false,
        },
    );
    // What an administrator consented to for the operator's delegated use.
    for resource in [known::GRAPH, known::EXCHANGE, known::MANAGEMENT] {
        let scopes: Vec<String> = scenario
            .responder
            .permissions
            .iter()
            .filter(|permission| resource_of(permission) == resource)
            .map(|permission| match permission.as_str() {
                "Exchange.ManageAsApp" => String::from("Exchange.Manage"),
                other => other.to_owned(),
            })
            .collect();
        let resource_id = world.principal_of_app(resource).map(|p| p.id.clone()).unwrap_or_default();
        if !scopes.is_empty() {
            let id = chance
                .draw("responder grant", resource, 0)
                .text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 32);
            world.grants.insert(
                id.clone(),
                Grant {
                    id,
                    client_id: principal.clone(),
                    principal_id: None,
                    resource_id,
                    scopes,
                },
            );
        }
    }
    for name in &scenario.responder.roles {
        if let Some(role) = role_template(name) {
            let id = world.new_id("role assignment");
            world.roles.push(RoleAssignment {
                id,
                principal_id: principal.clone(),
                role: role.to_owned(),
            });
        }
    }
    let id = chance.draw("operator", "id", 0).uuid().to_string();
    let upn = format!("ir-operator@{}", world.tenant.initial_domain);
    let mut operator = User::new(&id, &upn, "Incident Operator", before(alert, 90));
    operator.has_mailbox = false;
    operator.mail = String::new();
    operator.proxy_addresses.clear();
    operator.job_title = String::from("External incident response");
    let agent = places::desktop_agent(chance, "operator", 0);
    let _ = (networks, city, agent);
    operator.methods.push(Method {
        id: chance.draw("operator", "key", 0).text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 22),
        kind: MethodKind::Fido2 {
            display_name: String::from("Operator key"),
            model: String::from("Security Key NFC"),
            aa_guid: String::from("a4e9fc6d-4cbe-4758-b8ba-37598bb5bbaa"),
        },
        created: Some(before(alert, 90)),
    });
    world.add_user(operator);
    for name in &scenario.responder.operator_roles {
        if let Some(role) = role_template(name) {
            let assignment = world.new_id("role assignment");
            world.roles.push(RoleAssignment {
                id: assignment,
                principal_id: id.clone(),
                role: role.to_owned(),
            });
        }
    }
    ResponderAccess { client_id, secret, operator: upn }
}

fn vendors(
    scenario: &Scenario,
    chance: Chance,
    networks: &mut Networks,
    world: &mut World,
) -> Vec<Vendor> {
    let count = scenario.company.vendors.pick(chance.draw("company", "vendors", 0));
    let firsts = chance.order("vendors", "first", names::COMPANY_FIRST.len());
    let seconds = chance.order("vendors", "second", names::COMPANY_SECOND.len());
    let given = chance.order("vendors", "given", names::GIVEN.len());
    let surnames = chance.order("vendors", "surname", names::SURNAMES.len());
    let goods = chance.order("vendors", "goods", names::GOODS.len());
    let pick = |list: &[&'static str], order: &[usize], index: usize| {
        order.get(index).and_then(|i| list.get(*i)).copied().unwrap_or("x")
    };
    (0..count as usize)
        .map(|index| {
            let first = pick(&names::COMPANY_FIRST, &firsts, index);
            let second = pick(&names::COMPANY_SECOND, &seconds, index);
            let domain = format!("{}-{second}.example", first.to_lowercase());
            let (one, two) = (pick(&names::GIVEN, &given, index), pick(&names::SURNAMES, &surnames, index));
            let server = networks.take("vendor", &names::HOME_CITIES).enter(world, 25);
            Vendor {
                name: format!("{first}{second} {}", chance.draw("vendors", "form", index as u64).word(&names::COMPANY_FORM)),
                contact: Address::new(
                    format!("{one} {two}"),
                    format!("{}.{}@{domain}", one.to_lowercase(), two.to_lowercase()),
                ),
                domain,
                goods: pick(&names::GOODS, &goods, index).to_owned(),
                server,
            }
        })
        .collect()
}

fn thread(chance: Chance, vendors: &[Vendor]) -> Thread {
    let vendor = chance.draw("thread", "vendor", 0).below(vendors.len() as u64) as usize;
    let number = chance.draw("thread", "number", 0).between(10_000, 99_999);
    let reference = match chance.draw("thread", "form", 0).below(4) {
        0 => format!("PO-{number}"),
        1 => format!("{number}/26"),
        2 => format!("K{number}"),
        _ => format!("AB-{number}-R"),
    };
    let goods = vendors.get(vendor).map(|vendor| vendor.goods.clone()).unwrap_or_default();
    Thread {
        vendor,
        subject: format!("Order {reference}, {goods}"),
        reference,
        conversation: format!("AAQk{}", chance.draw("thread", "conversation", 0).hex(40)),
        amount: format!(
            "EUR {}.{:03},{:02}",
            chance.draw("thread", "amount", 0).between(18, 240),
            chance.draw("thread", "amount", 1).below(1000),
            chance.draw("thread", "amount", 2).below(100)
        ),
    }
}

fn contacts(
    scenario: &Scenario,
    chance: Chance,
    world: &World,
    affected: &str,
    colleagues: &[String],
) -> BTreeMap<Role, Contact> {
    scenario
        .people()
        .map(|person| {
            let user = match person.role {
                Role::User => Some(affected),
                Role::Approver | Role::SecondPerson | Role::Endpoint => {
                    colleagues.get(2).map(String::as_str)
                }
                Role::Finance => colleagues.get(1).map(String::as_str),
                Role::HelpDesk => colleagues.get(3).or(colleagues.first()).map(String::as_str),
                Role::MailAdmin | Role::IdentityAdmin => colleagues.first().map(String::as_str),
                Role::Bank => None,
            };
            let contact = match user.and_then(|id| world.users.get(id)) {
                // The second person must not be the first one.
                Some(user) if person.role != Role::SecondPerson => Contact {
                    name: user.display_name.clone(),
                    phone: user.mobile_phone.clone().unwrap_or_default(),
                    user: Some(user.id.clone()),
                },
                _ => Contact {
                    name: format!(
                        "{} {}",
                        chance.draw("contact", person.role.as_str(), 0).word(&names::GIVEN),
                        chance.draw("contact", person.role.as_str(), 1).word(&names::SURNAMES)
                    ),
                    phone: phone_number(chance, "contact", person.role.as_str()),
                    user: None,
                },
            };
            (person.role, contact)
        })
        .collect()
}
