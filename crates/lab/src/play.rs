//! Everything that happens by itself: company, mail, attacker, people.
//!
//! `Play::open` founds the company, plays its history and the attack up to
//! the alert; from then on the core runs what is due between two requests.

use std::collections::BTreeMap;

use jiff::civil::date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use retake_playbook::{ArtefactId, ObjectKind};
use serde::Serialize;
use serde_json::json;

use crate::attacker::Attacker;
use crate::chance::Chance;
use crate::company::letters::Letter;
use crate::company::life::add;
use crate::company::{Company, DELETED, RENAMED};
use crate::event::Queue;
use crate::mailflow;
use crate::people::{self, Answer, Ask, Pending, PersonAnswer};
use crate::scenario::{AccountKind, Move, Scenario};
use crate::trace::{Actor, Got, Service, Trace, TraceLine};
use crate::world::tokens::CutKind;
use crate::world::{Origin, Surface, World, known};

/// How long before the alert the mailbox begins to fill as densely as during
/// the response, so that the first tries find something.
const LEAD: SignedDuration = SignedDuration::from_mins(60);

/// What a responder is told when the alarm is raised.
///
/// It says nothing that only the attacker knows.
#[derive(Clone, Debug, Serialize)]
pub struct Briefing {
    /// Directory (tenant) id.
    pub tenant_id: String,
    /// The `….onmicrosoft.com` domain.
    pub initial_domain: String,
    /// Name of the organisation.
    pub organisation: String,
    /// User principal name of the affected account.
    pub affected: String,
    /// Others that the alert names, by user principal name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// What was reported.
    pub alert: String,
    /// When.
    pub alert_at: Timestamp,
    /// Client id of the responder's app registration.
    pub client_id: String,
    /// Secret of it.
    #[serde(skip)]
    pub client_secret: String,
    /// Certificate of it with the private key, PEM.
    #[serde(skip)]
    pub certificate_pem: String,
    /// Issuer and subject of its federated credential.
    #[serde(skip)]
    pub workload: (String, String),
    /// What App Service hands to code that runs there, the value of
    /// `X-IDENTITY-HEADER`.
    #[serde(skip)]
    pub identity_header: String,
    /// Who signs in by device code or in a browser.
    pub operator: String,
    /// People who can be reached outside the mailbox.
    pub people: Vec<BriefedPerson>,
    /// Client ids of apps that belong to the response.
    pub own_apps: Vec<String>,
}

/// Somebody who can be reached outside the mailbox.
#[derive(Clone, Debug, Serialize)]
pub struct BriefedPerson {
    /// Role in the response.
    pub role: String,
    /// Name.
    pub name: String,
    /// Telephone number.
    pub phone: String,
}

/// What can be due.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// A step of the attack, on this account of the attacker's.
    Step(usize, usize),
    /// Mail as in ordinary times.
    Post(u64),
    /// Mail as during the response.
    Mail(u64),
    /// Somebody's client does its next thing.
    Client(String, u64),
    /// A task is carried out.
    Task(u64),
    /// The attacker tries everything.
    Tick(u64),
    /// The attacker reacts to a loss.
    Reaction,
    /// The attacker comes back.
    Comeback(usize),
    /// The affected account is renamed or deleted.
    Account,
    /// The affected user sets up a new phone.
    Phone,
    /// A cycle of the on-premises synchronisation.
    Sync(u64),
}

/// The play.
#[derive(Clone, Debug)]
pub(crate) struct Play {
    scenario: Scenario,
    chance: Chance,
    company: Company,
    attacker: Attacker,
    /// The same attacker in further accounts.
    further: Vec<Attacker>,
    queue: Queue<Due>,
    tasks: BTreeMap<u64, Pending>,
    asked: u64,
    alert: Timestamp,
    briefing: Briefing,
    closed: Closed,
}

/// Whether sign-in was blocked and given back: comebacks count from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closed {
    NotYet,
    Blocked,
    GivenBack,
}

impl Play {
    /// Builds the company, its history and the attack up to the alert. `trace`
    /// is empty before; afterwards its first line holds the truth.
    pub(crate) fn open(scenario: &Scenario, seed: u64, trace: &mut Trace) -> (World, Self) {
        let chance = Chance::new(seed);
        let alert = alert_time(chance);
        let (mut world, mut company) = Company::found(scenario, chance, alert);
        let attacker = Attacker::new(scenario, chance, &mut company, alert);
        let further: Vec<Attacker> = scenario
            .further()
            .enumerate()
            .filter_map(|(index, one)| attacker.also_in(scenario, &company, index, one))
            .collect();
        let briefing = briefing(scenario, &company, &world, alert);
        let days = i64::from(scenario.company.history_days) * 24;
        let begin = alert
            .checked_sub(SignedDuration::from_hours(days))
            .unwrap_or(alert);
        let mut queue = Queue::default();
        for (who, attacker) in std::iter::once(&attacker).chain(&further).enumerate() {
            for (index, (at, _)) in attacker.plan().iter().enumerate() {
                queue.push(*at, Due::Step(who, index));
            }
        }
        // Nobody writes to an account without a mailbox.
        let has_mailbox = scenario.account().kind.has_mailbox();
        if has_mailbox {
            queue.push(company.next_post(begin, 0), Due::Post(0));
        }
        let users: Vec<String> = std::iter::once(company.affected.clone())
            .chain(company.colleagues.iter().cloned())
            .collect();
        for user in users {
            queue.push(company.next_turn(&user, begin, 0), Due::Client(user, 0));
        }
        let dense = alert.checked_sub(LEAD).unwrap_or(alert);
        if has_mailbox {
            queue.push(dense, Due::Mail(0));
        }
        let earlier = |span| alert.checked_sub(span).unwrap_or(alert);
        match scenario.account().kind {
            AccountKind::Renamed => queue.push(earlier(RENAMED), Due::Account),
            AccountKind::Deleted => queue.push(earlier(DELETED), Due::Account),
            AccountKind::Synced => queue.push(dense, Due::Sync(0)),
            _ => {}
        }
        if let Some(at) = company.new_phone {
            queue.push(at, Due::Phone);
        }
        // The first tries fall before the alert, at a phase of the seed's.
        let phase = chance
            .draw("attacker", "first tick", 0)
            .duration(SignedDuration::from_mins(15), SignedDuration::from_mins(25));
        queue.push(alert.checked_sub(phase).unwrap_or(alert), Due::Tick(0));

        trace.push(
            TraceLine::new(alert, Actor::Service, Service::Scenario, "truth")
                .about(ObjectKind::Tenant, world.tenant.id.clone()),
        );
        let mut play = Self {
            scenario: scenario.clone(),
            chance,
            company,
            attacker,
            further,
            queue,
            tasks: BTreeMap::new(),
            asked: 0,
            alert,
            briefing,
            closed: Closed::NotYet,
        };
        play.run_due(&mut world, trace, alert);
        for attacker in &mut play.further {
            attacker.hold_account();
        }
        let truth = play.truth(&world);
        if let Some(line) = trace.line_mut(0) {
            line.effect = Some(json!({"kind": "truth", "truth": truth}));
        }
        (world, play)
    }

    /// The moment of the alert.
    pub(crate) fn start(&self) -> Timestamp {
        self.alert
    }

    /// What the responder is told.
    pub(crate) fn briefing(&self) -> &Briefing {
        &self.briefing
    }

    /// When the next thing happens by itself.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.queue.next_at()
    }

    /// Runs everything that is due up to and including `now`.
    pub(crate) fn run_due(&mut self, world: &mut World, trace: &mut Trace, now: Timestamp) {
        while let Some((at, due)) = self.queue.pop_until(now) {
            self.run(world, trace, at, due);
            self.route(world, at);
        }
    }

    /// Routes what a request put into the outbox, and lets the attacker see
    /// what it lost. To be called after each answered request.
    pub(crate) fn route(&mut self, world: &mut World, now: Timestamp) {
        if !world.outbox.is_empty() {
            let deliveries = mailflow::route(world, now);
            for attacker in self.attackers() {
                attacker.note_deliveries(&deliveries);
            }
        }
        let reactions: Vec<Timestamp> = self
            .attackers()
            .flat_map(|attacker| attacker.notice(world, now))
            .collect();
        for at in reactions {
            self.queue.push(at, Due::Reaction);
        }
        self.watch_sign_in(world, now);
    }

    /// The attacker in each of its accounts, the affected one first.
    fn attackers(&mut self) -> impl Iterator<Item = &mut Attacker> {
        std::iter::once(&mut self.attacker).chain(&mut self.further)
    }

    /// The attacker tries everything in every account; what one account lets it, it uses
    /// for the others.
    fn try_all(&mut self, world: &mut World, trace: &mut Trace, at: Timestamp, reaction: bool) {
        let company = &mut self.company;
        let mut all: Vec<&mut Attacker> = std::iter::once(&mut self.attacker)
            .chain(&mut self.further)
            .collect();
        for (index, attacker) in all.iter_mut().enumerate() {
            let from = trace.lines().len();
            attacker.try_all(world, company, trace, at, reaction);
            if index > 0 {
                try_account(trace, at, from);
            }
            trace.through_account(from, attacker.account());
        }
        for helper in 0..all.len() {
            for other in 0..all.len() {
                let Ok([helping, helped]) = all.get_disjoint_mut([helper, other]) else {
                    continue;
                };
                let from = trace.lines().len();
                helping.free(helped, world, trace, at);
                trace.through_account(from, helping.account());
            }
        }
    }

    /// One step of the attack, on this account.
    fn step(
        &mut self,
        world: &mut World,
        trace: &mut Trace,
        at: Timestamp,
        who: usize,
        step: Move,
    ) {
        let from = trace.lines().len();
        let giver = (step == Move::GiveRole)
            .then(|| {
                self.attackers()
                    .find_map(|attacker| attacker.role_giver(world, at))
            })
            .flatten();
        let attacker = std::iter::once(&mut self.attacker)
            .chain(&mut self.further)
            .nth(who);
        let Some(attacker) = attacker else { return };
        match giver {
            Some(giver) => attacker.take_given_role(world, trace, at, &giver),
            None => attacker.step(world, &mut self.company, trace, at, step),
        }
        trace.through_account(from, attacker.account());
    }

    /// Once sign-in was blocked and is open again, what the attacker does next is due.
    fn watch_sign_in(&mut self, world: &World, now: Timestamp) {
        let open = world
            .users
            .get(&self.company.affected)
            .is_some_and(|user| user.enabled);
        match (self.closed, open) {
            (Closed::NotYet, false) if now > self.alert => self.closed = Closed::Blocked,
            (Closed::Blocked, true) => {
                self.closed = Closed::GivenBack;
                for (index, comeback) in self.scenario.comebacks().enumerate() {
                    let draw = self.chance.draw("comeback", "time", index as u64);
                    self.queue
                        .push(add(now, comeback.after.pick(draw)), Due::Comeback(index));
                }
            }
            _ => {}
        }
    }

    /// Somebody is asked; a task that will be carried out is put in the queue.
    pub(crate) fn ask(
        &mut self,
        world: &World,
        trace: &mut Trace,
        ask: &Ask,
        now: Timestamp,
    ) -> PersonAnswer {
        let ordinal = self.asked;
        self.asked += 1;
        let sent: Vec<String> = trace
            .lines()
            .iter()
            .filter(|line| line.actor == Actor::Attacker)
            .filter_map(|line| line.effect.as_ref())
            .filter(|effect| effect["kind"] == "sent")
            .flat_map(|effect| effect["messages"].as_array().into_iter().flatten())
            .filter_map(|id| id.as_str().map(str::to_owned))
            .collect();
        let theirs = people::Theirs {
            footholds: self.attacker.footholds(),
            sent: &sent,
        };
        let (answer, pending) =
            people::answer(&self.scenario, &self.company, world, &theirs, ask, ordinal);
        if let Some(task) = pending {
            self.tasks.insert(ordinal, task);
            self.queue.push(add(now, answer.after), Due::Task(ordinal));
        } else {
            let word = match answer.answer {
                Answer::Approved => "approved",
                Answer::Done => "done",
                Answer::Refused => "refused",
                Answer::NoAnswer => "no_answer",
            };
            trace.push(
                TraceLine::new(
                    now,
                    Actor::Person(ask.role.clone()),
                    Service::Person,
                    &ask.task,
                )
                .about(ObjectKind::Person, ask.role.clone())
                .with_effect(json!({"kind": word})),
            );
        }
        answer
    }

    /// Gives the account back with a clean password that the user knows: the
    /// end of a control that would never do it itself.
    pub(crate) fn finish_restore(&mut self, world: &mut World, trace: &mut Trace, now: Timestamp) {
        let blocked: Vec<String> = self
            .company
            .further
            .iter()
            .filter(|id| world.users.get(*id).is_some_and(|user| !user.enabled))
            .cloned()
            .collect();
        let affected = self.company.affected.clone();
        for account in std::iter::once(affected).chain(blocked) {
            self.give_back(world, trace, now, account);
        }
        self.route(world, now);
    }

    fn give_back(&mut self, world: &mut World, trace: &mut Trace, now: Timestamp, me: String) {
        let text = format!(
            "Clean-{}",
            world
                .next(&me, "clean password")
                .text(b"abcdefghkmnpqrstuvwxyz23456789", 16)
        );
        let by = Origin {
            user: self.company.colleagues.first().cloned(),
            app_id: known::OFFICE_HOME.to_owned(),
            ip: self.company.office.address(2),
            user_agent: String::new(),
            session: None,
            token: None,
            surface: Surface::Portal,
        };
        let was = world.users.get(&me).is_some_and(|user| user.enabled);
        world.set_password(now, &by, &me, &text, false, CutKind::AdminReset);
        if !was {
            world.set_enabled(now, &by, &me, true);
        }
        // The other directory must not undo it.
        if let Some(directory) = world
            .users
            .get_mut(&me)
            .and_then(|user| user.on_premises.as_mut())
        {
            directory.enabled = true;
            directory.new_password = None;
        }
        if let Some(habits) = self.company.habits.get_mut(&me) {
            habits.password = text;
            habits.client = None;
        }
        trace.push(
            TraceLine::new(
                now,
                Actor::Person(String::from("harness")),
                Service::Person,
                "finish_restore",
            )
            .about(ObjectKind::Account, me.clone())
            .with_effect(json!({
                "kind": "changed",
                "fields": {"accountEnabled": [was, true]},
                "touched": [{"kind": "password", "id": me, "effect": {"kind": "password_set"}}],
            })),
        );
    }

    fn run(&mut self, world: &mut World, trace: &mut Trace, at: Timestamp, due: Due) {
        match due {
            Due::Step(who, index) => {
                let attacker = std::iter::once(&self.attacker)
                    .chain(&self.further)
                    .nth(who);
                let step = attacker.and_then(|attacker| attacker.plan().get(index).copied());
                if let Some((_, step)) = step {
                    self.step(world, trace, at, who, step);
                }
            }
            Due::Comeback(index) => {
                let step = self.scenario.comebacks().nth(index).map(|back| back.action);
                if let Some(step) = step {
                    self.step(world, trace, at, 0, step);
                }
            }
            Due::Post(ordinal) => {
                let kind = self.company.history_letter(ordinal);
                let mail = self.company.letter(world, kind, ordinal, at);
                world.outbox.push(mail);
                let next = self.company.next_post(at, ordinal + 1);
                // Ordinary post gives way to the dense one.
                if next < self.alert.checked_sub(LEAD).unwrap_or(self.alert) {
                    self.queue.push(next, Due::Post(ordinal + 1));
                }
            }
            Due::Mail(ordinal) => self.dense_mail(world, at, ordinal),
            Due::Client(user, ordinal) => {
                self.company.client_turn(world, &user, at);
                if user == self.company.affected {
                    self.company.own_work(world, ordinal, at);
                }
                let next = self.company.next_turn(&user, at, ordinal + 1);
                self.queue.push(next, Due::Client(user, ordinal + 1));
            }
            Due::Task(ordinal) => {
                if let Some(task) = self.tasks.remove(&ordinal) {
                    let theirs = self.attacker.footholds();
                    people::carry_out(world, &mut self.company, trace, at, &task, theirs);
                }
            }
            Due::Tick(ordinal) => {
                self.try_all(world, trace, at, false);
                let wait = self.attacker.tick_after(ordinal);
                self.queue.push(add(at, wait), Due::Tick(ordinal + 1));
            }
            Due::Reaction => {
                self.try_all(world, trace, at, true);
            }
            Due::Account => {
                let account = self.scenario.account().clone();
                self.company.change_account(world, &account, at);
            }
            Due::Phone => self.company.change_phone(world, at),
            Due::Sync(ordinal) => self.synchronise(world, trace, at, ordinal),
        }
    }

    /// The on-premises state comes back, and the trace says what that changed.
    fn synchronise(&mut self, world: &mut World, trace: &mut Trace, at: Timestamp, ordinal: u64) {
        let me = self.company.affected.clone();
        if let Some(enabled) = world.synchronise(at, &me) {
            trace.push(
                TraceLine::new(at, Actor::Service, Service::Scenario, "synchronise")
                    .about(ObjectKind::Account, me)
                    .with_effect(json!({
                        "kind": "changed",
                        "fields": {"accountEnabled": [!enabled, enabled]},
                    })),
            );
        }
        let wait = self.scenario.account().sync_every.pick(self.chance.draw(
            "synchronisation",
            "every",
            ordinal,
        ));
        self.queue.push(add(at, wait), Due::Sync(ordinal + 1));
    }

    /// An answer in the stolen thread and a mail about money take turns, so
    /// that between two tries each rule has met something; the rest of the
    /// post comes in between.
    fn dense_mail(&mut self, world: &mut World, at: Timestamp, ordinal: u64) {
        let number = 1_000_000 + ordinal;
        let kind = if ordinal.is_multiple_of(2) {
            Letter::ThreadReply
        } else {
            Letter::Money
        };
        let mail = self.company.letter(world, kind, number, at);
        world.outbox.push(mail);
        // Who is attacked beside gets as much.
        for (index, user) in (1_u64..).zip(self.company.further.clone()) {
            let mail = self
                .company
                .letter(world, kind, number + index * 10_000_000, at);
            let to = vec![Company::address(world, &user)];
            world.outbox.push(crate::world::Mail { to, ..mail });
        }
        // Shared mailboxes get the other one of the two.
        for (index, mailbox) in self.company.shared.clone().iter().enumerate() {
            let other = if kind == Letter::Money {
                Letter::ThreadReply
            } else {
                Letter::Money
            };
            let number = 2_000_000 + ordinal * 10 + index as u64;
            let mail = self.company.letter_to(world, mailbox, other, number, at);
            world.outbox.push(mail);
        }
        if ordinal % 7 == 3 {
            let extra = match self.chance.draw("post", "extra", ordinal).below(4) {
                0 => Letter::Newsletter,
                1 => Letter::Booking,
                2 => Letter::Notice,
                _ => Letter::SmallTalk,
            };
            let mail = self.company.letter(world, extra, number, at);
            world.outbox.push(mail);
        }
        let wait = self
            .scenario
            .company
            .mail_every
            .pick(self.chance.draw("post", "every", ordinal));
        self.queue.push(add(at, wait), Due::Mail(ordinal + 1));
    }

    /// What really happened, for the trace's first line.
    fn truth(&self, world: &World) -> serde_json::Value {
        let upn = world
            .users
            .get(&self.company.affected)
            .or_else(|| {
                world
                    .deleted
                    .get(&self.company.affected)
                    .map(|held| &held.user)
            })
            .map(|user| user.upn.clone())
            .unwrap_or_default();
        // What the attack has bent since is no bait any more.
        let attacked = |kept: &crate::company::Kept| {
            self.attacker.footholds().iter().any(|held| {
                held.object.kind == kept.object.kind && held.object.id == kept.object.id
            })
        };
        json!({
            "scenario": self.scenario.id(),
            "seed": self.chance.seed(),
            "path": self.scenario.path.as_str(),
            "account": {
                "id": self.company.affected,
                "upn": upn,
                // The service did this, and only the responder can have it undone.
                "sending_stopped": world
                    .users
                    .get(&self.company.affected)
                    .is_some_and(|user| world.stopped_senders.contains_key(&user.mail)),
                "stays_blocked": self.scenario.account().kind == AccountKind::SharedMailbox,
                "administrator": !self.scenario.account().roles.is_empty(),
            },
            "further": self.further.iter().zip(self.scenario.further()).map(|(attacker, further)| json!({
                "administrator": !further.roles.is_empty(),
                "named": further.named,
                "id": attacker.account(),
                "upn": world.users.get(attacker.account()).map(|user| &user.upn),
                "sending_stopped": world
                    .users
                    .get(attacker.account())
                    .is_some_and(|user| world.stopped_senders.contains_key(&user.mail)),
            })).collect::<Vec<_>>(),
            "alert_at": self.alert,
            "artefacts": std::iter::once(&self.attacker)
                .chain(&self.further)
                .flat_map(|attacker| attacker.footholds().iter().map(|held| {
                    let mut json = held.json();
                    json["account"] = json!(attacker.account());
                    json
                }))
                .collect::<Vec<_>>(),
            "baits": self.company.kept.iter().filter(|kept| !attacked(kept)).map(|kept| json!({
                "kind": kept.object.kind,
                "id": kept.object.id,
                "aliases": kept.aliases,
                "why": kept.why,
            })).collect::<Vec<_>>(),
            "warnings_due": self.scenario.expect().warn.iter().map(|warning| json!({
                "who": warning.who.as_str(),
                "why": warning.why,
            })).collect::<Vec<_>>(),
            "money_moved": self.scenario.money_moved,
        })
    }
}

/// A38: whether anything of this round let the attacker into the account.
fn try_account(trace: &mut Trace, at: Timestamp, from: usize) {
    const WAYS: [ArtefactId; 8] = [
        ArtefactId::STOLEN_PASSWORD,
        ArtefactId::REFRESH_TOKENS,
        ArtefactId::ACCESS_TOKEN,
        ArtefactId::ADDED_METHOD,
        ArtefactId::DEFAULT_METHOD,
        ArtefactId::TEMPORARY_ACCESS_PASS,
        ArtefactId::REGISTERED_DEVICE,
        ArtefactId::DELEGATED_GRANT,
    ];
    let inside = trace.lines().iter().skip(from).any(|line| {
        line.attempt
            .is_some_and(|artefact| WAYS.contains(&artefact))
            && line.got.is_some_and(|got| got != Got::Nothing)
    });
    let got = if inside { Got::Token } else { Got::Nothing };
    trace.push(
        TraceLine::new(at, Actor::Attacker, Service::Attack, "use_account")
            .attempting(ArtefactId::SECOND_ACCOUNT, got),
    );
}

/// A working morning or noon of the seed's, in the late summer of the year that
/// the reference was written.
fn alert_time(chance: Chance) -> Timestamp {
    let draw = |purpose: &str| chance.draw("alert", purpose, 0);
    let monday = date(2026, 8, 31)
        .to_zoned(TimeZone::UTC)
        .map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp());
    let days = 7 * draw("week").below(9) + draw("day").between(2, 4);
    let minutes = draw("minute").between(10 * 60, 13 * 60);
    let seconds = (days * 86_400 + minutes * 60 + draw("second").below(60)) as i64;
    add(monday, SignedDuration::from_secs(seconds))
}

fn briefing(scenario: &Scenario, company: &Company, world: &World, alert: Timestamp) -> Briefing {
    let name = |user: &str| {
        world
            .users
            .get(user)
            .map(|user| user.display_name.clone())
            .unwrap_or_default()
    };
    let vendor = company
        .stolen_vendor()
        .map(|vendor| vendor.name.clone())
        .unwrap_or_default();
    let text = scenario
        .alert
        .text
        .replace("{user}", &name(&company.affected))
        .replace("{vendor}", &vendor)
        .replace("{amount}", &company.thread.amount)
        .replace("{reporter}", &name(&company.treasurer()));
    Briefing {
        tenant_id: world.tenant.id.clone(),
        initial_domain: world.tenant.initial_domain.clone(),
        organisation: world.tenant.display_name.clone(),
        affected: company.former_name().map_or_else(
            || {
                world
                    .users
                    .get(&company.affected)
                    .map(|user| user.upn.clone())
                    .unwrap_or_default()
            },
            str::to_owned,
        ),
        also: scenario
            .further()
            .zip(&company.further)
            .filter(|(further, _)| further.named)
            .filter_map(|(_, id)| Some(world.users.get(id)?.upn.clone()))
            .collect(),
        alert: text,
        alert_at: alert,
        client_id: company.responder.client_id.clone(),
        client_secret: company.responder.secret.clone(),
        certificate_pem: company.responder.certificate_pem.clone(),
        workload: company.responder.workload.clone(),
        identity_header: company.responder.identity_header.clone(),
        operator: company.responder.operator.clone(),
        people: company
            .contacts
            .iter()
            .map(|(role, contact)| BriefedPerson {
                role: role.as_str().to_owned(),
                name: contact.name.clone(),
                phone: contact.phone.clone(),
            })
            .collect(),
        own_apps: vec![company.responder.client_id.clone()],
    }
}

#[cfg(test)]
mod tests;
