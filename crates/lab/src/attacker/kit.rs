//! What an attacker brings along: networks, tools, names, addresses.

use crate::chance::Chance;
use crate::company::Company;
use crate::company::names;
use crate::company::places::{self, Network};
use crate::world::mail::RuleDraft;
use crate::world::{Address, MethodKind, PhoneKind, RuleActions, RuleConditions, World};

/// The attacker's equipment in this seed.
#[derive(Clone, Debug)]
pub(super) struct Kit {
    chance: Chance,
    /// Where the phishing page stands.
    pub(super) proxy: Network,
    /// Where the session is used from, and a spare one.
    pub(super) hosts: [Network; 2],
    /// Which machines of these it uses, and which one the phishing page.
    pub(super) host: u64,
    pub(super) page: u64,
    /// Where the malicious app runs.
    pub(super) app_host: Network,
    pub(super) browser: String,
    pub(super) tool: String,
    /// Outside mailboxes: of the visible rule, the hidden rule, the forward.
    pub(super) drops: [String; 3],
    names: Vec<String>,
    pub(super) app_name: String,
    pub(super) app_publisher: Option<String>,
    pub(super) app_scopes: Vec<&'static str>,
}

impl Kit {
    /// Packs for this seed.
    pub(super) fn pack(chance: Chance, company: &mut Company) -> Self {
        let draw = |purpose: &str| chance.draw("attacker", purpose, 0);
        let networks = &mut company.networks;
        let proxy = networks.take("phishing page", &names::HOSTING_CITIES);
        let hosts = [
            networks.take("attacker", &names::HOSTING_CITIES),
            networks.take("attacker spare", &names::HOSTING_CITIES),
        ];
        let app_host = networks.take("malicious app", &names::HOSTING_CITIES);
        let drop = |index: u64| {
            let one = chance
                .draw("drop", "given", index)
                .word(&names::GIVEN)
                .to_lowercase();
            let two = chance
                .draw("drop", "surname", index)
                .word(&names::SURNAMES)
                .to_lowercase();
            let service = chance
                .draw("drop", "service", index)
                .word(&names::MAIL_SERVICES);
            match chance.draw("drop", "form", index).below(4) {
                0 => format!(
                    "{one}.{two}{}@{service}.example",
                    chance.draw("drop", "number", index).below(900) + 100
                ),
                1 => format!(
                    "{}@{service}.example",
                    chance
                        .draw("drop", "letters", index)
                        .text(b"abcdefghjkmnpqrstuvwxyz0123456789", 11)
                ),
                2 => format!(
                    "{two}{}@{service}.example",
                    chance.draw("drop", "year", index).between(1961, 2004)
                ),
                _ => format!(
                    "office@{two}-{}.example",
                    chance
                        .draw("drop", "domain", index)
                        .word(&names::COMPANY_SECOND)
                ),
            }
        };
        // In some seeds one mailbox collects everything.
        let first = drop(0);
        let shared = draw("one drop").happens(35);
        let drops = [
            first.clone(),
            if shared { first.clone() } else { drop(1) },
            if shared || draw("two drops").happens(30) {
                first
            } else {
                drop(2)
            },
        ];
        let mut all: Vec<String> = names::SHORT_RULE_NAMES
            .iter()
            .chain(&names::PLAUSIBLE_RULE_NAMES)
            .enumerate()
            .map(|(index, name)| company.dress("rule name", index as u64, name))
            .collect();
        let order = chance.order("attacker", "rule names", all.len());
        let names_in_order = order
            .into_iter()
            .filter_map(|index| all.get_mut(index).map(std::mem::take))
            .collect();
        let scopes: &[&[&str]] = &[
            &[
                "Mail.Read",
                "User.Read",
                "offline_access",
                "openid",
                "profile",
            ],
            &["Mail.ReadWrite", "Mail.Send", "User.Read", "offline_access"],
            &["Mail.Read", "Contacts.Read", "offline_access"],
            &[
                "Mail.ReadWrite",
                "MailboxSettings.ReadWrite",
                "User.Read",
                "offline_access",
                "openid",
            ],
            &[
                "Mail.ReadWrite",
                "Files.Read.All",
                "User.Read",
                "offline_access",
                "openid",
                "profile",
                "email",
            ],
        ];
        let app_name = format!(
            "{}{}{}",
            draw("app first").word(&names::APP_FIRST),
            draw("app gap").word(&["", " ", "-"]),
            draw("app second").word(&names::APP_SECOND)
        );
        let app_name = company.dress("app name", 0, &app_name);
        Self {
            chance,
            proxy,
            hosts,
            host: draw("host").below(200),
            page: chance.draw("phish", "host", 0).below(200),
            app_host,
            browser: places::desktop_agent(chance, "attacker", 0),
            tool: places::tool_agent(chance, "attacker"),
            drops,
            names: names_in_order,
            app_publisher: draw("app publisher")
                .happens(20)
                .then(|| format!("{} Ltd", draw("app publisher name").word(&names::SURNAMES))),
            app_name,
            app_scopes: draw("app scopes")
                .choose(scopes)
                .map(|list| list.to_vec())
                .unwrap_or_default(),
        }
    }

    /// The same equipment for another account: only what is made for the account differs.
    pub(super) fn again(&self, chance: Chance) -> Self {
        let mut again = self.clone();
        again.chance = chance;
        // Not one name stands in two mailboxes.
        let half = again.names.len() / 2;
        again.names.rotate_left(half);
        again
    }

    /// Where a contact of the organisation leads to that the attacker reads.
    pub(super) fn contact_drop(&self) -> String {
        format!("office.{}", self.drops[1])
    }

    /// An outside mailbox of its own besides.
    pub(super) fn spare_drop(&self) -> String {
        self.drops[0].clone()
    }

    /// The next rule name; every one is used once.
    fn rule_name(&mut self) -> String {
        if self.names.is_empty() {
            String::from("rule")
        } else {
            self.names.remove(0)
        }
    }

    /// A rule that sends money mail out (A07).
    pub(super) fn forwarding_rule(&mut self, ordinal: u64) -> RuleDraft {
        let chance = self.chance;
        let draw = move |purpose: &str| chance.draw("forwarding rule", purpose, ordinal);
        let words = self.money_words("forwarding rule", ordinal);
        let conditions = match draw("conditions").below(6) {
            0 => RuleConditions::default(),
            1 => RuleConditions {
                subject_contains: vec![String::from("invoice")],
                ..RuleConditions::default()
            },
            2 => RuleConditions {
                body_contains: words,
                ..RuleConditions::default()
            },
            3 => RuleConditions {
                has_attachments: true,
                ..RuleConditions::default()
            },
            4 => RuleConditions {
                sent_to_me: true,
                ..RuleConditions::default()
            },
            _ => RuleConditions {
                subject_or_body_contains: words,
                ..RuleConditions::default()
            },
        };
        let to = vec![Address::new("", self.drops[0].clone())];
        let mut actions = RuleActions::default();
        match draw("how").below(3) {
            0 => actions.redirect_to = to,
            1 => actions.forward_as_attachment_to = to,
            _ => actions.forward_to = to,
        }
        RuleDraft {
            name: self.rule_name(),
            conditions,
            actions,
            ..RuleDraft::default()
        }
    }

    /// A rule that hides the vendor's answers (A08).
    pub(super) fn hiding_rule(
        &mut self,
        world: &mut World,
        company: &Company,
        victim: &str,
    ) -> RuleDraft {
        let chance = self.chance;
        let draw = move |purpose: &str| chance.draw("hiding rule", purpose, 0);
        let vendor = company.stolen_vendor();
        let contact = vendor
            .map(|vendor| vendor.contact.clone())
            .unwrap_or_default();
        let domain = vendor
            .map(|vendor| vendor.domain.clone())
            .unwrap_or_default();
        let conditions = match draw("conditions").below(5) {
            0 => RuleConditions {
                from_addresses: vec![contact],
                ..RuleConditions::default()
            },
            1 => RuleConditions {
                sender_contains: vec![domain],
                ..RuleConditions::default()
            },
            2 => RuleConditions {
                subject_contains: vec![company.thread.reference.clone()],
                ..RuleConditions::default()
            },
            3 => RuleConditions {
                sender_contains: vec![domain],
                body_contains: vec![String::from("account"), String::from("bank")],
                ..RuleConditions::default()
            },
            _ => RuleConditions {
                subject_or_body_contains: vec![company.thread.reference.clone()],
                ..RuleConditions::default()
            },
        };
        let folder = world
            .mailboxes
            .get_mut(victim)
            .map(|mailbox| match draw("folder").below(5) {
                0 => mailbox.well_known("conversationhistory"),
                1 => mailbox.well_known("archive"),
                2 => mailbox.well_known("deleteditems"),
                3 => mailbox
                    .folders
                    .values()
                    .find(|folder| folder.display_name == "RSS Feeds")
                    .map(|folder| folder.id.clone())
                    .unwrap_or_default(),
                _ => mailbox.add_folder(
                    draw("own folder").word(&["Lists", "Sync Log", "Temp", "Old", "2019"]),
                    None,
                ),
            });
        RuleDraft {
            name: self.rule_name(),
            conditions,
            actions: RuleActions {
                move_to_folder: folder,
                mark_as_read: true,
                stop_processing: draw("stops").happens(60),
                ..RuleActions::default()
            },
            ..RuleDraft::default()
        }
    }

    /// A rule that neither Outlook nor Graph shows (A09).
    pub(super) fn hidden_rule(&mut self) -> RuleDraft {
        let chance = self.chance;
        let draw = move |purpose: &str| chance.draw("hidden rule", purpose, 0);
        let words = self.money_words("hidden rule", 0);
        let conditions = match draw("conditions").below(4) {
            0 => RuleConditions::default(),
            1 => RuleConditions {
                has_attachments: true,
                ..RuleConditions::default()
            },
            2 => RuleConditions {
                subject_contains: vec![String::from("invoice")],
                ..RuleConditions::default()
            },
            _ => RuleConditions {
                subject_or_body_contains: words,
                ..RuleConditions::default()
            },
        };
        let to = vec![Address::new("", self.drops[1].clone())];
        let mut actions = RuleActions::default();
        if draw("how").happens(50) {
            actions.redirect_to = to;
        } else {
            actions.forward_to = to;
        }
        let name = if draw("no name").happens(25) {
            String::new()
        } else {
            self.rule_name()
        };
        RuleDraft {
            name,
            hidden: true,
            conditions,
            actions,
            ..RuleDraft::default()
        }
    }

    /// One to three words of money.
    fn money_words(&self, what: &str, ordinal: u64) -> Vec<String> {
        let count = self
            .chance
            .draw(what, "how many words", ordinal)
            .between(1, 3) as usize;
        self.chance
            .order(
                what,
                if ordinal == 0 { "words" } else { "other words" },
                names::MONEY_WORDS.len(),
            )
            .into_iter()
            .filter_map(|index| names::MONEY_WORDS.get(index))
            .take(count)
            .map(|word| (*word).to_owned())
            .collect()
    }

    /// The methods that it registers: one, or an address for self-service reset
    /// with a code generator, since an address is no second factor.
    pub(super) fn methods(&self, ordinal: u64, has_mobile: bool) -> Vec<MethodKind> {
        let chance = self.chance;
        let draw = move |purpose: &str| chance.draw("method", purpose, ordinal);
        match draw("kind").below(4) {
            0 => vec![MethodKind::Phone {
                number: format!("+1 202555{:04}", draw("number").below(10_000)),
                kind: if has_mobile {
                    PhoneKind::AlternateMobile
                } else {
                    PhoneKind::Mobile
                },
            }],
            1 => vec![MethodKind::Authenticator {
                display_name: draw("phone").word(&names::PHONES).to_owned(),
                device_tag: String::from("SoftwareTokenActivated"),
                version: format!(
                    "6.{}.{}",
                    draw("app").between(2404, 2410),
                    draw("build").between(1000, 9000)
                ),
            }],
            2 => vec![
                MethodKind::Email {
                    address: self.drops[0].clone(),
                },
                MethodKind::SoftwareOath,
            ],
            _ => vec![MethodKind::SoftwareOath],
        }
    }

    /// The password that it sets when it comes back.
    pub(super) fn own_password(&self, ordinal: u64) -> String {
        self.chance.draw("attacker password", "text", ordinal).text(
            b"abcdefghkmnpqrstuvwxyzABCDEFGHKMNPQRSTUVWXYZ23456789!#%+",
            18,
        )
    }
}
