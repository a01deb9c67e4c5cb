//! Attacks, and the truth about each.

use serde::{Deserialize, Serialize};

use crate::act::{Act, App, Factor, MOBILE, Mail, OFFICE, OWA, SHELL, SignIn, Target, What, Who};
use crate::audit::audit_id;
use crate::day::consent;
use crate::dice::{Dice, Guid};
use crate::entra::directory_id;
use crate::world::{From, Machine, Role, World, browser};

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A page in the middle takes the session, which goes on elsewhere.
    Middle,
    /// A session of the user's own is copied from their machine.
    StolenToken,
    /// One password on many accounts; one fits.
    Spray,
    /// The user enters a code for somebody else.
    DeviceCode,
    /// The user consents to an app, which reads mail.
    Consent,
    /// A password posted without a page, guessed or known already, and mail over an old protocol.
    OldProtocol,
    /// A thread is taken over: rule, reply with another bank account, trace removed.
    Invoice,
    /// Mail to many colleagues, of whom a second one falls for it.
    InternalPhish,
    /// A right on a shared or chief's mailbox, used from another account that was taken too.
    Delegation,
    /// A secret for an app that is there, and the app reads by itself.
    AppSecret,
    /// A second factor of the attacker's own, to come back with.
    Method,
    /// A little every few days, from a provider of the same country.
    Slow,
    /// From a neighbour's line in the same city, with the user's kind of browser.
    Near,
    /// Reads and does nothing else.
    Reader,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::Middle,
        Self::StolenToken,
        Self::Spray,
        Self::DeviceCode,
        Self::Consent,
        Self::OldProtocol,
        Self::Invoice,
        Self::InternalPhish,
        Self::Delegation,
        Self::AppSecret,
        Self::Method,
        Self::Slow,
        Self::Near,
        Self::Reader,
    ];
}

/// The truth about one account that was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Truth {
    /// What happened; `None` only before it is told.
    pub kind: Option<Kind>,
    /// User principal name, lower case.
    pub user: String,
    /// How the account was taken: the name of the path (`credential_phishing`, …).
    pub path: &'static str,
    /// Record ids of the attacker's first event, in each log that tells of it.
    pub first: Vec<String>,
    /// Its time, in seconds since 1970.
    pub first_at: i64,
    /// The attacker's events: ids in any log.
    pub events: Vec<String>,
    /// Message ids read, where they are listed.
    pub read: Vec<String>,
    /// Records of folders that were synchronised: everything in them counts as read.
    pub synced: Vec<String>,
    /// Message ids sent.
    pub sent: Vec<String>,
    /// Records of messages that were deleted.
    pub deleted: Vec<String>,
    /// Changes that the attacker made: of each, the ids of its records in any log.
    pub changed: Vec<Vec<String>>,
}

/// Where an attacker sits, and with what.
#[derive(Clone)]
struct Seat {
    from: From,
    agent: String,
    session: Guid,
    sign_in: Guid,
    app: App,
}

struct Plot<'a> {
    world: &'a World,
    dice: Dice,
    acts: Vec<Act>,
    truths: Vec<Truth>,
    kind: Kind,
}

/// Tells the stories: one after another, each with victims of its own.
pub(crate) fn tell(world: &World, kinds: &[Kind]) -> (Vec<Act>, Vec<Truth>) {
    let mut taken: Vec<usize> = Vec::new();
    let (mut acts, mut truths) = (Vec::new(), Vec::new());
    for (number, kind) in kinds.iter().enumerate() {
        let mut plot = Plot {
            world,
            dice: world.dice(&[80, number as u64]),
            acts: Vec::new(),
            truths: Vec::new(),
            kind: *kind,
        };
        let Some(first) = plot.victim(&taken, *kind == Kind::AppSecret) else {
            continue;
        };
        taken.push(first);
        let Some(second) = plot.victim(&taken, false) else {
            continue;
        };
        if matches!(kind, Kind::InternalPhish | Kind::Delegation) {
            taken.push(second);
        }
        plot.play(first, second);
        for act in &mut plot.acts {
            act.told = true;
        }
        acts.append(&mut plot.acts);
        truths.append(&mut plot.truths);
    }
    acts.sort_by_key(|act| (act.time, act.id));
    (acts, truths)
}

impl Plot<'_> {
    fn victim(&mut self, taken: &[usize], admin: bool) -> Option<usize> {
        let free: Vec<usize> = (0..self.world.users.len())
            .filter(|user| !taken.contains(user))
            .filter(|user| self.world.users[*user].role != Role::Service)
            .collect();
        let admins: Vec<usize> = free
            .iter()
            .filter(|user| self.world.users[**user].role == Role::Admin)
            .copied()
            .collect();
        let list = if admin && !admins.is_empty() {
            admins
        } else {
            free
        };
        (!list.is_empty()).then(|| *self.dice.pick(&list))
    }

    /// A weekday in the last third, in office hours, with days left to go on.
    fn when(&mut self) -> i64 {
        let days = self.world.days;
        let mut day = (days * 2 / 3 + self.dice.between(0, (days / 3 - 4).max(0)))
            .min(days - 1)
            .max(0);
        while !self.world.is_weekday(day) && day > 0 {
            day -= 1;
        }
        self.world.midnight(day) + self.dice.between(8 * 3600, 16 * 3600)
    }

    fn rented(&mut self, agent: Option<String>) -> Seat {
        let network = *self.dice.pick(&self.world.hosting);
        self.seat(network, agent)
    }

    fn seat(&mut self, network: usize, agent: Option<String>) -> Seat {
        let from = self.world.address(
            network,
            self.dice.next() as u16,
            self.dice.clone().chance(0.1),
        );
        let kind = self.dice.below(5) as usize;
        let version = 100 + self.dice.below(30);
        Seat {
            from,
            agent: agent.unwrap_or_else(|| browser(kind, version)),
            session: self.dice.guid(),
            sign_in: Guid::default(),
            app: App::known(OWA),
        }
    }

    fn begin(&mut self, user: usize, path: &'static str) -> usize {
        self.truths.push(Truth {
            kind: Some(self.kind),
            user: self.world.users[user].upn.clone(),
            path,
            first_at: i64::MAX,
            ..Truth::default()
        });
        self.truths.len() - 1
    }

    /// Something that the attacker did; `truth` is whose account they did it in.
    fn act(&mut self, truth: Option<usize>, time: i64, who: Who, seat: &Seat, what: What) -> Guid {
        let id = self.dice.guid();
        let act = Act {
            time,
            who,
            id,
            from: Some(seat.from),
            agent: seat.agent.clone(),
            session: seat.session,
            sign_in: if matches!(what, What::SignIn(_)) {
                id
            } else {
                seat.sign_in
            },
            app: seat.app.clone(),
            what,
            told: true,
        };
        let ids = match &act.what {
            What::SignIn(_) => vec![id.to_string(), audit_id(self.world, &act)],
            What::Directory { .. } => vec![directory_id(id), audit_id(self.world, &act)],
            _ => vec![id.to_string()],
        };
        if let Some(truth) = truth.and_then(|number| self.truths.get_mut(number)) {
            let failed = matches!(&act.what, What::SignIn(sign_in) if sign_in.code != 0);
            if act.time < truth.first_at && !failed {
                truth.first_at = act.time;
                truth.first.clone_from(&ids);
            }
            match &act.what {
                What::Read { mails, sync, .. } => {
                    truth.read.extend(mails.iter().map(|mail| mail.id.clone()));
                    if *sync {
                        truth.synced.extend(ids.clone());
                    }
                }
                What::Items { .. } => truth.deleted.extend(ids.clone()),
                What::Send { mail, .. } => truth.sent.push(mail.id.clone()),
                What::Cmdlet { .. } | What::Rules { .. } | What::Directory { .. } => {
                    truth.changed.push(ids.clone());
                }
                _ => {}
            }
            truth.events.extend(ids);
        }
        self.acts.push(act);
        id
    }

    fn sign_in(
        &mut self,
        truth: Option<usize>,
        time: i64,
        user: usize,
        seat: &mut Seat,
        sign_in: SignIn,
    ) {
        let ok = sign_in.code == 0;
        let id = self.act(truth, time, Who::User(user), seat, What::SignIn(sign_in));
        if ok {
            seat.sign_in = id;
        }
    }

    /// Opens some of the user's mail, in bursts.
    fn read(
        &mut self,
        truth: usize,
        mut time: i64,
        user: usize,
        mailbox: usize,
        seat: &Seat,
        records: i64,
    ) {
        for _ in 0..records {
            time += self.dice.between(70, 900);
            let mails = (0..self.dice.between(1, 12))
                .map(|_| self.world.mail(&mut self.dice, None))
                .collect();
            let folder = *self.dice.pick(&["\\Inbox", "\\Sent Items", "\\Archive"]);
            self.act(
                Some(truth),
                time,
                Who::User(user),
                seat,
                What::Read {
                    mailbox,
                    folder,
                    mails,
                    sync: false,
                },
            );
        }
    }

    fn hide(&mut self, truth: usize, time: i64, user: usize, seat: &Seat) {
        let name = *self.dice.pick(&[".", "..", "a", "Sync Issues", "zz"]);
        let words = *self.dice.pick(&[
            "invoice;payment;bank",
            "phish;hacked;suspicious",
            "wire;iban;remittance",
        ]);
        let folder = *self
            .dice
            .pick(&["RSS Feeds", "Conversation History", "Archive"]);
        let parameters = vec![
            ("Name", name.to_owned()),
            ("SubjectOrBodyContainsWords", words.to_owned()),
            ("MoveToFolder", folder.to_owned()),
            ("MarkAsRead", "True".to_owned()),
            ("StopProcessingRules", "True".to_owned()),
        ];
        let what = if self.dice.chance(0.3) {
            What::Rules {
                mailbox: user,
                parameters: vec![
                    ("RuleOperation", "AddMailboxRule".to_owned()),
                    ("RuleName", name.to_owned()),
                    (
                        "RuleActions",
                        format!(
                            "[{{\"ActionType\":\"Move\",\"DestinationFolder\":\"{folder}\"}},{{\"ActionType\":\"MarkAsRead\"}}]"
                        ),
                    ),
                ],
            }
        } else {
            What::Cmdlet {
                operation: "New-InboxRule",
                mailbox: user,
                object: name.to_owned(),
                parameters,
            }
        };
        self.act(Some(truth), time, Who::User(user), seat, what);
    }

    fn write(
        &mut self,
        truth: usize,
        time: i64,
        user: usize,
        seat: &Seat,
        subject: &str,
        to: Vec<String>,
    ) {
        let mail = self.world.mail(&mut self.dice, Some(subject));
        self.act(
            Some(truth),
            time,
            Who::User(user),
            seat,
            What::Send {
                mailbox: user,
                mail: Mail { ..mail.clone() },
                to,
            },
        );
        if self.dice.chance(0.7) {
            self.act(
                Some(truth),
                time + 40,
                Who::User(user),
                seat,
                What::Items {
                    mailbox: user,
                    operation: "MoveToDeletedItems",
                    mails: vec![mail],
                    folder: "\\Sent Items",
                },
            );
        }
    }

    fn colleagues(&mut self, count: usize) -> Vec<String> {
        (0..count)
            .map(|_| {
                self.world.users[self.dice.below(self.world.users.len() as u64) as usize]
                    .upn
                    .clone()
            })
            .collect()
    }

    /// The user's own laptop session at that time, for somebody to copy.
    fn own_session(&self, user: usize, time: i64) -> Guid {
        let day = (time - self.world.start).div_euclid(86_400);
        (0..=day)
            .rev()
            .flat_map(|day| self.world.stretches(user, day).into_iter().rev())
            .find(|stretch| stretch.machine == Machine::Laptop && stretch.begin <= time)
            .map_or_else(Guid::default, |stretch| stretch.session)
    }

    fn play(&mut self, user: usize, second: usize) {
        let at = self.when();
        match self.kind {
            Kind::Middle => {
                let (truth, _, seat) = self.taken_at_a_page(user, at);
                self.read(truth, at + 400, user, user, &seat, 12);
                self.hide(truth, at + 2_000, user, &seat);
                self.write(
                    truth,
                    at + 20_000,
                    user,
                    &seat,
                    "RE: Contract draft",
                    vec!["buyer@partner7.example".to_owned()],
                );
                self.come_back(truth, at, user, seat, 3);
            }
            Kind::StolenToken | Kind::Reader => {
                let truth = self.begin(user, "token_theft");
                let mut seat = self.rented(None);
                seat.session = self.own_session(user, at);
                self.sign_in(Some(truth), at, user, &mut seat, silent());
                if self.kind == Kind::StolenToken {
                    self.read(truth, at + 60, user, user, &seat, 6);
                    self.hide(truth, at + 9_000, user, &seat);
                    let to = self.colleagues(3);
                    self.write(truth, at + 10_000, user, &seat, "Document for you", to);
                } else if self.dice.chance(0.5) {
                    for folder in ["\\Inbox", "\\Sent Items", "\\Archive"] {
                        let time = at + self.dice.between(60, 600);
                        self.act(
                            Some(truth),
                            time,
                            Who::User(user),
                            &seat,
                            What::Read {
                                mailbox: user,
                                folder,
                                mails: Vec::new(),
                                sync: true,
                            },
                        );
                    }
                } else {
                    self.read(truth, at + 60, user, user, &seat, 40);
                }
                self.come_back(truth, at, user, seat, 2);
            }
            Kind::Spray => {
                let truth = self.begin(user, "password_attack");
                let mut seat = self.rented(Some(browser(1, 97)));
                let mut time = at - 3_000;
                for _ in 0..self.dice.between(8, 16) {
                    let other = self.dice.below(self.world.users.len() as u64) as usize;
                    time += self.dice.between(20, 160);
                    let own = (other == user).then_some(truth);
                    self.sign_in(own, time, other, &mut seat, failed(50126));
                }
                self.sign_in(Some(truth), at, user, &mut seat, at_page(Factor::None));
                self.read(truth, at + 100, user, user, &seat, 15);
                self.come_back(truth, at, user, seat, 2);
            }
            Kind::DeviceCode => {
                let truth = self.begin(user, "device_code_phishing");
                let mut seat = self.rented(None);
                seat.app = App::known(OFFICE);
                let code = SignIn {
                    protocol: "deviceCode",
                    client: "Mobile Apps and Desktop clients",
                    ..at_page(Factor::Claim)
                };
                if self.dice.chance(0.5) {
                    // The log has the address of whoever asked for the code.
                    self.sign_in(Some(truth), at, user, &mut seat, code);
                } else {
                    let day = (at - self.world.start).div_euclid(86_400);
                    let mut own = seat.clone();
                    own.from = self.world.house(user, day);
                    own.agent = self.world.agent(user, Machine::Laptop, day);
                    self.sign_in(None, at, user, &mut own, code);
                    seat.sign_in = own.sign_in;
                }
                self.sign_in(
                    Some(truth),
                    at + 30,
                    user,
                    &mut seat,
                    SignIn {
                        transfer: "deviceCodeFlow",
                        ..silent()
                    },
                );
                self.read(truth, at + 100, user, user, &seat, 10);
                let to = self.colleagues(5);
                self.write(truth, at + 9_000, user, &seat, "Teams meeting code", to);
                self.come_back(truth, at, user, seat, 2);
            }
            Kind::Consent => {
                let truth = self.begin(user, "consent_phishing");
                let day = (at - self.world.start).div_euclid(86_400);
                let stretch = (day..self.world.days).find_map(|day| {
                    self.world
                        .stretches(user, day)
                        .into_iter()
                        .find(|stretch| stretch.machine == Machine::Laptop)
                });
                let Some(stretch) = stretch else { return };
                let at = stretch.begin + 1_000;
                let mut seat = self.rented(Some("python-httpx/0.27".to_owned()));
                let own = Seat {
                    from: stretch.from,
                    agent: self.world.agent(user, Machine::Laptop, day),
                    session: stretch.session,
                    sign_in: stretch.sign_in,
                    app: App::known(OWA),
                };
                let what = consent(
                    &self.dice,
                    "Mail Backup Pro",
                    "Mail.Read Mail.Send offline_access User.Read",
                    user,
                    self.world,
                );
                if let What::Directory {
                    target: Target::App { id, name, .. },
                    ..
                } = &what
                {
                    seat.app = App {
                        id: id.clone(),
                        name: name.clone(),
                    };
                }
                self.dice.next();
                seat.session = stretch.session;
                self.act(Some(truth), at, Who::User(user), &own, what);
                self.sign_in(Some(truth), at + 1_800, user, &mut seat, silent());
                self.read(truth, at + 2_000, user, user, &seat, 15);
            }
            Kind::OldProtocol => {
                // Of a password that was known nobody can tell from where.
                let guessed = self.dice.chance(0.6);
                let path = if guessed {
                    "password_attack"
                } else {
                    "unknown"
                };
                let truth = self.begin(user, path);
                let mut seat = self.rented(Some("BAV2ROPC IMAP".to_owned()));
                seat.app = App::known(OFFICE);
                let post = SignIn {
                    protocol: "ropc",
                    client: "IMAP4",
                    ..at_page(Factor::None)
                };
                let tries = if guessed { self.dice.between(4, 9) } else { 0 };
                for number in 0..tries {
                    let wrong = SignIn {
                        code: 50126,
                        ..post.clone()
                    };
                    self.sign_in(
                        Some(truth),
                        at - 2_000 + number * 170,
                        user,
                        &mut seat,
                        wrong,
                    );
                }
                self.sign_in(Some(truth), at, user, &mut seat, post.clone());
                for folder in ["\\Inbox", "\\Sent Items"] {
                    let time = at + self.dice.between(20, 300);
                    self.act(
                        Some(truth),
                        time,
                        Who::User(user),
                        &seat,
                        What::Read {
                            mailbox: user,
                            folder,
                            mails: Vec::new(),
                            sync: true,
                        },
                    );
                }
                for hours in [5, 11, 26] {
                    self.sign_in(
                        Some(truth),
                        at + hours * 3600,
                        user,
                        &mut seat,
                        post.clone(),
                    );
                    self.read(truth, at + hours * 3600 + 5, user, user, &seat, 3);
                }
            }
            Kind::Invoice => {
                let (truth, _, seat) = self.taken_at_a_page(user, at);
                self.act(
                    Some(truth),
                    at + 300,
                    Who::User(user),
                    &seat,
                    What::Other(2),
                );
                self.read(truth, at + 500, user, user, &seat, 8);
                self.hide(truth, at + 9_000, user, &seat);
                self.write(
                    truth,
                    at + 9_600,
                    user,
                    &seat,
                    "RE: Invoice for last month - new bank details",
                    vec!["accounts@customer3.example".to_owned()],
                );
                self.come_back(truth, at, user, seat, 2);
            }
            Kind::InternalPhish => {
                let (truth, place, seat) = self.taken_at_a_page(user, at);
                self.read(truth, at + 200, user, user, &seat, 3);
                let mut to = self.colleagues(30);
                to.push(self.world.users[second].upn.clone());
                self.write(
                    truth,
                    at + 5_000,
                    user,
                    &seat,
                    "Salary review 2026: please confirm",
                    to,
                );
                self.hide(truth, at + 5_300, user, &seat);
                let later = at + 5_000 + self.dice.between(1_200, 9_000);
                let truth = self.begin(second, "credential_phishing");
                let mut other = place;
                other.session = self.dice.guid();
                self.sign_in(
                    Some(truth),
                    later,
                    second,
                    &mut other,
                    at_page(Factor::Given),
                );
                self.read(truth, later + 300, second, second, &other, 5);
            }
            Kind::Delegation => {
                let (truth, place, seat) = self.taken_at_a_page(user, at);
                let chief = self.dice.below(self.world.users.len() as u64) as usize;
                let parameters = vec![
                    ("Identity", self.world.users[chief].upn.clone()),
                    ("User", self.world.users[second].upn.clone()),
                    ("AccessRights", "FullAccess".to_owned()),
                    ("AutoMapping", "False".to_owned()),
                ];
                let object = self.world.users[chief].name.clone();
                self.act(
                    Some(truth),
                    at + 1_500,
                    Who::User(user),
                    &seat,
                    What::Cmdlet {
                        operation: "Add-MailboxPermission",
                        mailbox: user,
                        object,
                        parameters,
                    },
                );
                let later = at + 4_000;
                let truth = self.begin(second, "credential_phishing");
                let mut other = place;
                other.session = self.dice.guid();
                self.sign_in(
                    Some(truth),
                    later,
                    second,
                    &mut other,
                    at_page(Factor::Given),
                );
                self.read(truth, later + 60, second, chief, &other, 15);
            }
            Kind::AppSecret => {
                let (truth, _, seat) = self.taken_at_a_page(user, at);
                let mut app = self.world.dice(&[21, 9]);
                let (id, principal) = (app.guid().to_string(), app.guid());
                let target = Target::App {
                    id: id.clone(),
                    principal,
                    name: "Fleet Reporting".to_owned(),
                };
                self.act(
                    Some(truth),
                    at + 1_000,
                    Who::User(user),
                    &seat,
                    What::Directory {
                        activity: "Add service principal credentials",
                        service: "Core Directory",
                        category: "ApplicationManagement",
                        reason: String::new(),
                        target,
                        changed: vec![("KeyDescription", "[]".to_owned(), format!("[\"[KeyIdentifier={},KeyType=Password,KeyUsage=Verify,DisplayName=]\"]", self.dice.clone().guid()))],
                    },
                );
                let mut by_app = self.rented(Some("python-httpx/0.27".to_owned()));
                by_app.app = App {
                    id,
                    name: "Fleet Reporting".to_owned(),
                };
                for number in 0..20 {
                    let mailbox = self.dice.below(self.world.users.len() as u64) as usize;
                    let mail = self.world.mail(&mut self.dice, None);
                    self.act(
                        Some(truth),
                        at + 4_000 + number * 90,
                        Who::App,
                        &by_app,
                        What::Read {
                            mailbox,
                            folder: "\\Inbox",
                            mails: vec![mail],
                            sync: false,
                        },
                    );
                }
            }
            Kind::Method => {
                let truth = self.begin(user, "credential_phishing");
                let mut seat = self.rented(None);
                self.sign_in(Some(truth), at, user, &mut seat, at_page(Factor::None));
                self.act(
                    Some(truth),
                    at + 200,
                    Who::User(user),
                    &seat,
                    What::Directory {
                        activity: "User registered security info",
                        service: "Authentication Methods",
                        category: "UserManagement",
                        reason: "User registered Authenticator App with Notification and Code"
                            .to_owned(),
                        target: Target::User(user),
                        changed: Vec::new(),
                    },
                );
                self.read(truth, at + 500, user, user, &seat, 4);
                for day in 1..=3 {
                    let mut again = seat.clone();
                    again.session = self.dice.guid();
                    again.from =
                        self.world
                            .address(seat.from.network, self.dice.next() as u16, false);
                    let time = at + day * 80_000;
                    self.sign_in(Some(truth), time, user, &mut again, at_page(Factor::Given));
                    self.read(truth, time + 60, user, user, &again, 3);
                }
            }
            Kind::Slow => {
                let truth = self.begin(user, "credential_phishing");
                let network = *self.dice.pick(&self.world.neighbours);
                let mut seat = self.seat(network, None);
                let begin = self.world.midnight(self.world.days / 2)
                    + self.dice.between(8 * 3600, 20 * 3600);
                self.sign_in(Some(truth), begin, user, &mut seat, at_page(Factor::Given));
                let mut time = begin;
                let end = self.world.midnight(self.world.days) - 86_400;
                while time < end {
                    self.sign_in(Some(truth), time + 30, user, &mut seat, silent());
                    self.read(truth, time + 60, user, user, &seat, 2);
                    time += self.dice.between(18, 60) * 3600;
                }
                self.hide(truth, begin + 5 * 86_400, user, &seat);
            }
            Kind::Near => {
                let truth = self.begin(user, "credential_phishing");
                let network = *self.dice.pick(&self.world.neighbours);
                let day = (at - self.world.start).div_euclid(86_400);
                let agent = self.world.agent(user, Machine::Laptop, day);
                let mut seat = self.seat(network, Some(agent));
                self.sign_in(Some(truth), at, user, &mut seat, at_page(Factor::Given));
                self.read(truth, at + 300, user, user, &seat, 10);
                self.hide(truth, at + 4_000, user, &seat);
                self.write(
                    truth,
                    at + 6_000,
                    user,
                    &seat,
                    "RE: Payment reminder",
                    vec!["ledger@supplier9.example".to_owned()],
                );
            }
        }
    }

    /// Password and second factor given to a page in the middle; the session goes on elsewhere.
    /// Gives the account's truth, the page's place and the place where it goes on.
    fn taken_at_a_page(&mut self, user: usize, at: i64) -> (usize, Seat, Seat) {
        let truth = self.begin(user, "credential_phishing");
        let mut page = self.rented(None);
        let lure = self
            .world
            .mail(&mut self.dice, Some("Shared document waiting for you"));
        self.act(
            None,
            at - 1_500,
            Who::Stranger("share@lure5.example".to_owned()),
            &page,
            What::Arrive {
                sender: "share@lure5.example".to_owned(),
                mail: lure,
                to: user,
            },
        );
        self.sign_in(Some(truth), at, user, &mut page, at_page(Factor::Given));
        let mut seat = self.rented(None);
        seat.session = page.session;
        seat.sign_in = page.sign_in;
        if self.dice.chance(0.3) {
            seat.app = App::known(MOBILE);
        } else if self.dice.chance(0.1) {
            seat.app = App::known(SHELL);
        }
        let time = at + self.dice.between(60, 300);
        self.sign_in(Some(truth), time, user, &mut seat, silent());
        (truth, page, seat)
    }

    /// Now and then again, with what was taken.
    fn come_back(&mut self, truth: usize, at: i64, user: usize, mut seat: Seat, times: i64) {
        for number in 1..=times {
            let time = at + number * self.dice.between(30_000, 70_000);
            if time < self.world.midnight(self.world.days) {
                self.sign_in(Some(truth), time, user, &mut seat, silent());
                self.read(truth, time + 20, user, user, &seat, 2);
            }
        }
    }
}

fn at_page(factor: Factor) -> SignIn {
    SignIn {
        interactive: true,
        code: 0,
        protocol: "oAuth2",
        transfer: "none",
        factor,
        device: None,
        client: "Browser",
    }
}

fn silent() -> SignIn {
    SignIn {
        interactive: false,
        factor: Factor::Claim,
        ..at_page(Factor::Claim)
    }
}

fn failed(code: u32) -> SignIn {
    SignIn {
        code,
        ..at_page(Factor::None)
    }
}
