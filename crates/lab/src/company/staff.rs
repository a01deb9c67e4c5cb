//! The people of a company, the vendors it writes with, and who can be reached
//! outside the mailbox.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::chance::Chance;
use crate::scenario::{Role, Scenario};
use crate::world::{Address, Method, MethodKind, PhoneKind, User, World, known};

use super::places::Networks;
use super::{Contact, Thread, Vendor, before, names};

/// The people; the affected user first, then colleagues in the order of
/// [`names::JOBS`].
pub(super) fn people(
    scenario: &Scenario,
    chance: Chance,
    domain: &str,
    alert: Timestamp,
) -> Vec<User> {
    let count = scenario
        .company
        .people
        .pick(chance.draw("company", "people", 0)) as usize;
    let given = chance.order("company", "given names", names::GIVEN.len());
    let surnames = chance.order("company", "surnames", names::SURNAMES.len());
    let mut people = Vec::new();
    for index in 0..count.min(names::JOBS.len() + 1) {
        let first = given
            .get(index)
            .and_then(|i| names::GIVEN.get(*i))
            .copied()
            .unwrap_or("Ada");
        let last = surnames
            .get(index)
            .and_then(|i| names::SURNAMES.get(*i))
            .copied()
            .unwrap_or("Byron");
        let given = scenario.account();
        let alias = given
            .alias
            .clone()
            .filter(|_| index == 0)
            .unwrap_or_else(|| format!("{}.{}", first.to_lowercase(), last.to_lowercase()));
        let name = given
            .display_name
            .clone()
            .filter(|_| index == 0)
            .unwrap_or_else(|| {
                let name = format!("{first} {last}");
                let wanted = scenario.company.hostile_names;
                super::hostile::dress(wanted, chance, "person", index as u64, &name)
            });
        let upn = format!("{alias}@{domain}");
        let id = chance.draw("user", "id", index as u64).uuid().to_string();
        let created = before(alert, 200 + chance.draw(&id, "joined", 0).below(2500));
        let mut user = User::new(&id, &upn, &name, created);
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
pub(super) fn phone_number(chance: Chance, object: &str, purpose: &str) -> String {
    format!(
        "+49 30 2312 {:04}",
        chance.draw(object, purpose, 7).below(10_000)
    )
}

/// The methods that somebody registered long ago, when no log reaches.
pub(super) fn methods(user: &mut User, chance: Chance, alert: Timestamp) {
    let id = user.id.clone();
    let long_ago = before(alert, 60 + chance.draw(&id, "method age", 0).below(600));
    let app = Method {
        id: chance.draw(&id, "authenticator", 0).uuid().to_string(),
        kind: MethodKind::Authenticator {
            display_name: chance
                .draw(&id, "authenticator phone", 0)
                .word(&names::PHONES)
                .to_owned(),
            device_tag: String::from("SoftwareTokenActivated"),
            version: format!(
                "6.{}.{}",
                chance.draw(&id, "app", 0).between(2404, 2410),
                chance.draw(&id, "app", 1).between(1000, 9000)
            ),
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
        id: chance.draw(&id, "key", 0).text(
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
            22,
        ),
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

pub(super) fn vendors(
    scenario: &Scenario,
    chance: Chance,
    networks: &mut Networks,
    world: &mut World,
) -> Vec<Vendor> {
    let count = scenario
        .company
        .vendors
        .pick(chance.draw("company", "vendors", 0));
    let firsts = chance.order("vendors", "first", names::COMPANY_FIRST.len());
    let seconds = chance.order("vendors", "second", names::COMPANY_SECOND.len());
    let given = chance.order("vendors", "given", names::GIVEN.len());
    let surnames = chance.order("vendors", "surname", names::SURNAMES.len());
    let goods = chance.order("vendors", "goods", names::GOODS.len());
    let pick = |list: &[&'static str], order: &[usize], index: usize| {
        order
            .get(index)
            .and_then(|i| list.get(*i))
            .copied()
            .unwrap_or("x")
    };
    (0..count as usize)
        .map(|index| {
            let first = pick(&names::COMPANY_FIRST, &firsts, index);
            let second = pick(&names::COMPANY_SECOND, &seconds, index);
            let domain = format!("{}-{second}.example", first.to_lowercase());
            let (one, two) = (
                pick(&names::GIVEN, &given, index),
                pick(&names::SURNAMES, &surnames, index),
            );
            let server = networks
                .take("vendor", &names::HOME_CITIES)
                .enter(world, 25);
            Vendor {
                name: format!(
                    "{first}{second} {}",
                    chance
                        .draw("vendors", "form", index as u64)
                        .word(&names::COMPANY_FORM)
                ),
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

pub(super) fn thread(chance: Chance, vendors: &[Vendor]) -> Thread {
    let vendor = chance
        .draw("thread", "vendor", 0)
        .below(vendors.len() as u64) as usize;
    let number = chance.draw("thread", "number", 0).between(10_000, 99_999);
    let reference = match chance.draw("thread", "form", 0).below(4) {
        0 => format!("PO-{number}"),
        1 => format!("{number}/26"),
        2 => format!("K{number}"),
        _ => format!("AB-{number}-R"),
    };
    let goods = vendors
        .get(vendor)
        .map(|vendor| vendor.goods.clone())
        .unwrap_or_default();
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

pub(super) fn contacts(
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
                        chance
                            .draw("contact", person.role.as_str(), 0)
                            .word(&names::GIVEN),
                        chance
                            .draw("contact", person.role.as_str(), 1)
                            .word(&names::SURNAMES)
                    ),
                    phone: phone_number(chance, "contact", person.role.as_str()),
                    user: None,
                },
            };
            (person.role, contact)
        })
        .collect()
}
