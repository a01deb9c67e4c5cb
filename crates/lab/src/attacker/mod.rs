//! The attacker: an actor that holds what it stole and planted, tries all of it
//! again and again, and finds another way in when one closes.
//!
//! It has no oracle of the response: what it learns, it learns by trying, or by
//! seeing that a thing of its own is gone.

mod account;
mod app_only;
mod assault;
mod comeback;
mod directory;
mod folders;
mod identity;
mod kit;
mod mailbox;
mod outside;
mod plant;
mod rights;
mod settings;
mod shared;
mod spray;
mod theft;
mod tick;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use retake_playbook::{ArtefactId, ObjectKind};
use serde_json::{Value, json};

use crate::chance::Chance;
use crate::company::Company;
use crate::mailflow::Delivery;
use crate::scenario::{AttackerHabits, Further, Move, Scenario};
use crate::trace::{Actor, Service, Trace, TraceLine, TraceObject};
use crate::world::World;

use kit::Kit;

/// What the attacker left or holds, as the truth lists it.
#[derive(Clone, Debug)]
pub(crate) struct Foothold {
    /// Which kind.
    pub(crate) artefact: ArtefactId,
    /// The object.
    pub(crate) object: TraceObject,
    /// Other ids under which surfaces know it.
    pub(crate) aliases: Vec<String>,
}

impl Foothold {
    /// As the trace writes it.
    pub(crate) fn json(&self) -> Value {
        json!({"id": self.artefact, "object": self.object, "aliases": self.aliases})
    }
}

/// The attacker's app and what it holds for the user.
#[derive(Clone, Debug)]
struct MaliciousApp {
    client_id: String,
    grant: String,
    refresh: String,
}

/// A rule that the attacker made.
#[derive(Clone, Debug)]
struct PlantedRule {
    artefact: ArtefactId,
    id: String,
}

/// The attacker.
#[derive(Clone, Debug)]
pub(crate) struct Attacker {
    chance: Chance,
    habits: AttackerHabits,
    victim: String,
    kit: Kit,
    /// The steps before the alert, by time.
    plan: Vec<(Timestamp, Move)>,
    alert: Timestamp,

    /// The password it knows, as far as it knows.
    password: Option<String>,
    /// Refresh tokens of stolen or own sessions, newest last (A02).
    refresh: Vec<String>,
    /// The access token it calls Graph with (A03).
    access: Option<String>,
    /// The session that all of this belongs to.
    session: Option<String>,
    /// Methods that it registered (A04).
    methods: Vec<String>,
    rules: Vec<PlantedRule>,
    /// Where the mailbox forwards to (A13).
    forwarding: Option<String>,
    /// What it left in the mailbox besides.
    held: mailbox::Held,
    /// Which settings it bent.
    bent: settings::Bent,
    app: Option<MaliciousApp>,
    /// An app with rights of its own (A22).
    own_app: Option<app_only::OwnApp>,
    /// Methods made the default, passes, devices.
    identity: identity::Held,
    /// Apps that it had assigned, and what self-service reset goes by.
    changed: account::Changed,
    /// Directory roles that it gave to this account.
    given: directory::GivenRoles,
    footholds: Vec<Foothold>,
    /// Rights on the mailbox, given to accounts in its hands (A15, A16, A17).
    delegated: rights::Hands,
    /// Rights on folders, through accounts in its hands (A18, A19).
    folders: folders::Given,
    /// What it left in mailboxes that the account opens (A61).
    elsewhere: shared::Elsewhere,

    /// Mail that came out through each artefact since it was last looked at.
    drops: BTreeMap<ArtefactId, Vec<Delivery>>,
    /// Mail that arrived in the victim's mailbox and was not read yet: by the
    /// stolen token, and by the app.
    fresh: Vec<String>,
    fresh_app: Vec<String>,
    fresh_own_app: Vec<String>,
    /// Objects that are known to be lost.
    lost: BTreeSet<String>,
    /// How many events that end sessions were seen.
    cuts_seen: usize,
    replanted: u32,
    second_method: bool,
    entries: u64,
    sent: u64,
    reads: u64,
}

impl Attacker {
    /// Somebody who will attack this company's affected user.
    pub(crate) fn new(
        scenario: &Scenario,
        chance: Chance,
        company: &mut Company,
        alert: Timestamp,
    ) -> Self {
        Self {
            chance,
            habits: scenario.attacker.clone(),
            victim: company.affected.clone(),
            kit: Kit::pack(chance, company),
            plan: plan(scenario, chance, alert, None),
            alert,
            password: None,
            refresh: Vec::new(),
            access: None,
            session: None,
            methods: Vec::new(),
            rules: Vec::new(),
            forwarding: None,
            held: mailbox::Held::default(),
            bent: settings::Bent::default(),
            app: None,
            own_app: None,
            identity: identity::Held::default(),
            changed: account::Changed::default(),
            given: directory::GivenRoles::default(),
            footholds: Vec::new(),
            delegated: rights::Hands::default(),
            folders: folders::Given::default(),
            elsewhere: shared::Elsewhere::default(),
            drops: BTreeMap::new(),
            fresh: Vec::new(),
            fresh_app: Vec::new(),
            fresh_own_app: Vec::new(),
            lost: BTreeSet::new(),
            cuts_seen: 0,
            replanted: 0,
            second_method: false,
            entries: 0,
            sent: 0,
            reads: 0,
        }
    }

    /// The same attacker, in another account: with the same networks, tools and outside
    /// mailboxes, and steps of its own.
    pub(crate) fn also_in(
        &self,
        scenario: &Scenario,
        company: &Company,
        index: usize,
        further: &Further,
    ) -> Option<Self> {
        let victim = company.further.get(index)?.clone();
        let chance = Chance::new(
            self.chance
                .draw("further account", &further.name, 0)
                .number(),
        );
        let mut plan = plan(scenario, self.chance, self.alert, Some(&further.name));
        plan.sort_by_key(|(at, _)| *at);
        Some(Self {
            victim,
            kit: self.kit.again(chance),
            plan,
            chance,
            ..self.clone()
        })
    }

    /// The account, by its object id.
    pub(crate) fn account(&self) -> &str {
        &self.victim
    }

    /// The account itself as a foothold: it is in the same hands (A38).
    pub(crate) fn hold_account(&mut self) {
        self.footholds.push(Foothold {
            artefact: ArtefactId::SECOND_ACCOUNT,
            object: TraceObject::new(ObjectKind::Account, self.victim.clone()),
            aliases: Vec::new(),
        });
    }

    /// Plants nothing anew from now on.
    #[cfg(test)]
    pub(crate) fn quieten(&mut self) {
        self.habits.replants = 0;
        self.habits.second_method = false;
    }

    /// The newest refresh token of the stolen session.
    #[cfg(test)]
    pub(crate) fn held_refresh(&self) -> String {
        self.refresh.last().cloned().unwrap_or_default()
    }

    /// The app's refresh token and client id.
    #[cfg(test)]
    pub(crate) fn held_app(&self) -> (String, String) {
        self.app
            .as_ref()
            .map(|app| (app.refresh.clone(), app.client_id.clone()))
            .unwrap_or_default()
    }

    /// The steps before the alert.
    pub(crate) fn plan(&self) -> &[(Timestamp, Move)] {
        &self.plan
    }

    /// Everything that it left or holds.
    pub(crate) fn footholds(&self) -> &[Foothold] {
        &self.footholds
    }

    /// How long after one round of trying the next comes.
    pub(crate) fn tick_after(&self, ordinal: u64) -> SignedDuration {
        self.habits
            .tick
            .pick(self.chance.draw("attacker", "tick", ordinal))
    }

    /// Takes note of what became of delivered mail.
    pub(crate) fn note_deliveries(&mut self, deliveries: &[Delivery]) {
        for delivery in deliveries.iter().filter(|d| d.user != self.victim) {
            self.elsewhere.note(delivery);
        }
        for delivery in deliveries.iter().filter(|d| d.user == self.victim) {
            for leak in &delivery.leaks {
                let through = match &leak.rule {
                    Some(rule) => self
                        .rules
                        .iter()
                        .find(|planted| planted.id == *rule)
                        .map(|planted| planted.artefact),
                    None if self.forwarding.as_deref() == Some(leak.to.as_str()) => {
                        Some(ArtefactId::SMTP_FORWARDING)
                    }
                    None => self.held.through_contact(&leak.to),
                };
                if let Some(artefact) = through {
                    self.drops
                        .entry(artefact)
                        .or_default()
                        .push(delivery.clone());
                }
            }
            let hiding = delivery.hidden_by.as_ref().and_then(|rule| {
                self.rules
                    .iter()
                    .find(|planted| planted.id == *rule)
                    .map(|planted| planted.artefact)
            });
            if let Some(artefact @ (ArtefactId::HIDING_RULE | ArtefactId::DISGUISED_RULE)) = hiding
            {
                self.drops
                    .entry(artefact)
                    .or_default()
                    .push(delivery.clone());
            }
            for swept in self.held.swept_of(delivery) {
                self.drops
                    .entry(ArtefactId::SWEEP_RULE)
                    .or_default()
                    .push(swept);
            }
            if let Some((id, _)) = &delivery.stored {
                self.delegated.arrived(id);
                for list in [
                    &mut self.fresh,
                    &mut self.fresh_app,
                    &mut self.fresh_own_app,
                ] {
                    list.push(id.clone());
                    // Only the newest matter; without a bound a locked-out
                    // attacker would remember every mail of three days.
                    if list.len() > 12 {
                        list.remove(0);
                    }
                }
            }
        }
    }

    /// Looks whether something of its own is gone; returns when it reacts.
    ///
    /// A thing that is gone is noticed once.
    pub(crate) fn notice(&mut self, world: &World, now: Timestamp) -> Vec<Timestamp> {
        let Some(user) = world.users.get(&self.victim) else {
            return Vec::new();
        };
        let mut gone: Vec<String> = Vec::new();
        if user.enabled {
            self.lost.remove("account");
        } else {
            gone.push(String::from("account"));
        }
        if let Some(password) = &self.password
            && !user.password.matches(&self.victim, password)
        {
            gone.push(format!("password {password}"));
        }
        gone.extend(
            self.methods
                .iter()
                .filter(|id| user.method(id).is_none())
                .cloned(),
        );
        gone.extend(self.identity.gone(world, &self.victim));
        gone.extend(self.changed.gone(world, &self.victim));
        gone.extend(self.given.gone(world));
        gone.extend(
            self.own_app
                .iter()
                .filter(|app| {
                    world
                        .service_principals
                        .get(&app.principal)
                        .is_none_or(|held| !held.enabled)
                })
                .map(|app| app.principal.clone()),
        );
        if let Some(mailbox) = world.mailboxes.get(&self.victim) {
            gone.extend(
                self.rules
                    .iter()
                    .filter(|planted| {
                        !mailbox
                            .rules
                            .iter()
                            .any(|rule| rule.id == planted.id && rule.enabled)
                    })
                    .map(|planted| planted.id.clone()),
            );
            if self.forwarding.is_some() && mailbox.forwarding_smtp != self.forwarding {
                gone.push(String::from("forwarding"));
            }
            gone.extend(self.held.gone(mailbox));
        }
        gone.extend(self.unbent(world));
        if let Some(app) = &self.app {
            let disabled = world
                .principal_of_app(&app.client_id)
                .is_none_or(|principal| !principal.enabled);
            if disabled || !world.grants.contains_key(&app.grant) {
                gone.push(app.grant.clone());
            }
        }
        gone.extend(self.delegated.gone(world, &self.victim));
        gone.extend(self.folders.gone(world, &self.victim));
        gone.extend(self.elsewhere.gone(world));
        let mut reactions = Vec::new();
        let reacts = self.habits.reacts.low;
        let later = |at: Timestamp| at.checked_add(reacts).unwrap_or(Timestamp::MAX);
        for key in gone {
            if self.lost.insert(key) {
                reactions.push(later(now));
            }
        }
        // A revocation is felt when it takes effect.
        for cut in user.cuts.iter().skip(self.cuts_seen) {
            reactions.push(later(cut.effective.max(now)));
        }
        self.cuts_seen = user.cuts.len();
        reactions.sort();
        reactions.dedup();
        reactions
    }

    /// Enters a thing of its own into the list; after the alert the trace says
    /// `planted`, before it `created` (the truth line has it then).
    fn plant_line(
        &mut self,
        trace: &mut Trace,
        now: Timestamp,
        word: &str,
        foothold: Foothold,
        before_alert: bool,
    ) {
        // What a step does is the same whether it comes before the alert or in a comeback.
        let effect = if before_alert && now <= self.alert {
            json!({"kind": "created"})
        } else {
            json!({
                "kind": "planted",
                "artefact": foothold.artefact,
                "object": foothold.object,
                "aliases": foothold.aliases,
            })
        };
        trace.push(
            TraceLine::new(now, Actor::Attacker, Service::Attack, word)
                .about(foothold.object.kind, foothold.object.id.clone())
                .with_effect(effect),
        );
        self.footholds.push(foothold);
    }

    /// The footholds that come with a phished password and session.
    fn stolen_footholds(&self, session: &str) -> [Foothold; 3] {
        let me = || self.victim.clone();
        [
            Foothold {
                artefact: ArtefactId::STOLEN_PASSWORD,
                object: TraceObject::new(ObjectKind::Password, me()),
                aliases: Vec::new(),
            },
            Foothold {
                artefact: ArtefactId::REFRESH_TOKENS,
                object: TraceObject::new(ObjectKind::Session, me()),
                aliases: vec![session.to_owned()],
            },
            Foothold {
                artefact: ArtefactId::ACCESS_TOKEN,
                object: TraceObject::new(ObjectKind::Token, format!("{}/graph", self.victim)),
                aliases: Vec::new(),
            },
        ]
    }
}

/// The steps of the scenario at the times of this seed.
fn plan(
    scenario: &Scenario,
    chance: Chance,
    alert: Timestamp,
    on: Option<&str>,
) -> Vec<(Timestamp, Move)> {
    let steps: Vec<_> = scenario.drawn_steps(chance);
    let mut times: Vec<Timestamp> = steps
        .iter()
        .enumerate()
        .map(|(index, step)| {
            let before = step
                .before
                .pick(chance.draw("attack", "time", index as u64));
            alert.checked_sub(before).unwrap_or(alert)
        })
        .collect();
    // Steps of one group exchange their times.
    let groups: BTreeSet<&str> = steps
        .iter()
        .filter_map(|step| step.shuffle.as_deref())
        .collect();
    for group in groups {
        let members: Vec<usize> = (0..steps.len())
            .filter(|index| {
                steps
                    .get(*index)
                    .is_some_and(|step| step.shuffle.as_deref() == Some(group))
            })
            .collect();
        let held: Vec<Timestamp> = members
            .iter()
            .filter_map(|index| times.get(*index).copied())
            .collect();
        for (place, from) in chance
            .order("attack", group, members.len())
            .into_iter()
            .enumerate()
        {
            if let (Some(index), Some(time)) = (members.get(place), held.get(from))
                && let Some(slot) = times.get_mut(*index)
            {
                *slot = *time;
            }
        }
    }
    let mut plan: Vec<(Timestamp, Move)> = times
        .into_iter()
        .zip(&steps)
        .filter(|(_, step)| step.on.as_deref() == on)
        .map(|(at, step)| (at, step.action))
        .collect();
    plan.sort_by_key(|(at, _)| *at);
    plan
}
