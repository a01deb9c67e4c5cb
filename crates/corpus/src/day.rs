//! Ordinary days: who is where, signs in, and does what.

use crate::Options;
use crate::act::{
    Act, App, Factor, MOBILE, Mail, OFFICE, OWA, PORTAL, SHELL, SignIn, TEAMS, Target, What, Who,
};
use crate::dice::{Dice, Guid};
use crate::world::{From, Machine, Role, World};

/// A stretch of work on one machine in one place.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    /// Seconds since 1970.
    pub(crate) begin: i64,
    pub(crate) end: i64,
    pub(crate) machine: Machine,
    pub(crate) from: From,
    pub(crate) session: Guid,
    pub(crate) sign_in: Guid,
    pub(crate) interactive: bool,
}

impl World {
    pub(crate) fn midnight(&self, day: i64) -> i64 {
        self.start + day * 86_400
    }

    pub(crate) fn is_weekday(&self, day: i64) -> bool {
        // 1 January 1970 was a Thursday.
        (self.midnight(day).div_euclid(86_400) + 3).rem_euclid(7) < 5
    }

    fn works(&self, user: usize, day: i64) -> bool {
        let mut dice = self.dice(&[10, user as u64, day as u64]);
        self.users[user].role == Role::Service
            || dice.chance(if self.is_weekday(day) { 0.93 } else { 0.04 })
    }

    /// The journey that the user is on: where it went.
    fn journey(&self, user: usize, day: i64) -> Option<usize> {
        let often = match self.users[user].role {
            Role::Traveller => 0.8,
            Role::Service => 0.0,
            _ => 0.07,
        };
        // One journey a fortnight at most, of up to five days.
        let fortnight = day.div_euclid(14);
        let mut dice = self.dice(&[11, user as u64, fortnight as u64]);
        let goes = dice.chance(often);
        let (first, length) = (dice.between(1, 8), dice.between(1, 5));
        let hotel = dice.one(&self.hotels);
        let on = day.rem_euclid(14) - first;
        (goes && (0..length).contains(&on)).then_some(hotel)
    }

    /// Where the laptop stands that day.
    fn desk(&self, user: usize, day: i64, afternoon: bool) -> From {
        let it = &self.users[user];
        let mut dice = self.dice(&[12, user as u64, day as u64, u64::from(afternoon)]);
        if let Some(hotel) = self.journey(user, day) {
            return self.address(
                hotel,
                self.dice(&[13, user as u64, day as u64 / 3]).next() as u16,
                false,
            );
        }
        let morning = self
            .dice(&[14, user as u64, day as u64])
            .chance(it.office_days);
        let office = if afternoon && dice.chance(0.1) {
            !morning
        } else {
            morning
        };
        if office {
            // Everybody in the office has the same address.
            return self.address(it.office, self.seed as u16, false);
        }
        if dice.chance(0.06) {
            return self.address(self.tunnel, dice.below(3) as u16 + 9, false);
        }
        self.house(user, day)
    }

    /// The user's home: the provider gives another address now and then.
    pub(crate) fn house(&self, user: usize, day: i64) -> From {
        let it = &self.users[user];
        let host = self.dice(&[15, user as u64, if it.ipv6 { 0 } else { day as u64 / 9 }]);
        self.address(it.home, host.clone().next() as u16, it.ipv6)
    }

    fn road(&self, user: usize, day: i64, when: u64) -> From {
        // A carrier's exits are few, and strangers share them.
        let host = 0x4000 + self.dice(&[16, user as u64, day as u64, when]).below(600) as u16;
        self.address(self.users[user].carrier, host, false)
    }

    fn session(&self, user: usize, machine: Machine, day: i64) -> Guid {
        let it = &self.users[user];
        let number = match machine {
            Machine::Laptop => day.div_euclid(it.session_days),
            Machine::Phone => i64::from(it.new_phone.is_some_and(|new| day >= new)),
            Machine::Server => day,
        };
        self.dice(&[17, user as u64, machine as u64, number as u64])
            .guid()
    }

    /// The user's day, in order of time.
    pub(crate) fn stretches(&self, user: usize, day: i64) -> Vec<Stretch> {
        let mut dice = self.dice(&[18, user as u64, day as u64]);
        let it = &self.users[user];
        let midnight = self.midnight(day);
        let mut stretches = Vec::new();
        let mut add = |dice: &mut Dice, machine, begin: i64, end: i64, from, interactive| {
            stretches.push(Stretch {
                begin: midnight + begin,
                end: midnight + end,
                machine,
                from,
                session: self.session(user, machine, day),
                sign_in: dice.guid(),
                interactive,
            });
        };
        if it.role == Role::Service {
            let from = self.address(self.servers, 0x0707, false);
            for hour in [1, 7, 13, 19] {
                let begin = hour * 3600 + dice.between(0, 300);
                add(&mut dice, Machine::Server, begin, begin + 1200, from, false);
            }
            return stretches;
        }
        // A change of the phone is a sign-in with a person there.
        let moved = it.new_phone == Some(day);
        if !self.works(user, day) {
            if dice.chance(0.6) || moved {
                let begin = dice.between(8 * 3600, 20 * 3600);
                let from = if self.journey(user, day).is_some() || dice.chance(0.5) {
                    self.road(user, day, 0)
                } else {
                    self.house(user, day)
                };
                add(&mut dice, Machine::Phone, begin, begin + 1500, from, moved);
            }
            return stretches;
        }
        let first =
            (day - day.rem_euclid(it.session_days)..day).all(|earlier| !self.works(user, earlier));
        let begin = dice.between(7 * 3600, 9 * 3600);
        let noon = dice.between(12 * 3600, 12 * 3600 + 1800);
        let morning = self.desk(user, day, false);
        add(&mut dice, Machine::Laptop, begin, noon, morning, first);
        let road = self.road(user, day, 1);
        add(
            &mut dice,
            Machine::Phone,
            noon + 60,
            noon + 2400,
            road,
            moved,
        );
        let end = dice.between(16 * 3600, 18 * 3600);
        let afternoon = self.desk(user, day, true);
        add(
            &mut dice,
            Machine::Laptop,
            noon + 2460,
            end,
            afternoon,
            false,
        );
        if dice.chance(0.3) {
            let begin = dice.between(19 * 3600, 21 * 3600);
            let from = match self.journey(user, day) {
                Some(hotel) => self.address(
                    hotel,
                    self.dice(&[13, user as u64, day as u64 / 3]).next() as u16,
                    false,
                ),
                None => self.house(user, day),
            };
            add(&mut dice, Machine::Phone, begin, begin + 1200, from, false);
        }
        stretches
    }

    /// The sign-ins and other things that belong to the day itself, whatever the volume.
    pub(crate) fn routine(&self, user: usize, day: i64, acts: &mut Vec<Act>) {
        let mut dice = self.dice(&[20, user as u64, day as u64]);
        let it = &self.users[user];
        for stretch in self.stretches(user, day) {
            let base = self.act(user, day, &stretch, stretch.begin, &mut dice);
            let sign_in = |interactive, code, factor| SignIn {
                interactive,
                code,
                protocol: if stretch.machine == Machine::Server {
                    "ropc"
                } else {
                    "oAuth2"
                },
                transfer: "none",
                factor,
                device: (stretch.machine == Machine::Laptop)
                    .then(|| self.device(user))
                    .flatten(),
                client: if stretch.machine == Machine::Laptop {
                    "Browser"
                } else {
                    "Mobile Apps and Desktop clients"
                },
            };
            if stretch.interactive {
                if dice.chance(0.15) {
                    // Mistyped, or the second factor not at hand.
                    acts.push(Act {
                        time: stretch.begin - dice.between(20, 90),
                        id: dice.guid(),
                        what: What::SignIn(sign_in(
                            true,
                            dice.one(&[50126, 50126, 50076, 500_121, 50140]),
                            Factor::None,
                        )),
                        ..base.clone()
                    });
                }
                acts.push(Act {
                    id: stretch.sign_in,
                    what: What::SignIn(sign_in(true, 0, Factor::Given)),
                    ..base
                });
            } else {
                let factor = if stretch.machine == Machine::Server {
                    Factor::None
                } else {
                    Factor::Claim
                };
                acts.push(Act {
                    id: stretch.sign_in,
                    what: What::SignIn(sign_in(false, 0, factor)),
                    ..base
                });
            }
        }
        let Some(stretch) = self
            .stretches(user, day)
            .into_iter()
            .find(|stretch| stretch.machine != Machine::Server)
        else {
            return;
        };
        if it.new_phone == Some(day) {
            let phone = self
                .stretches(user, day)
                .into_iter()
                .find(|stretch| stretch.machine == Machine::Phone);
            let at = phone.unwrap_or_else(|| stretch.clone());
            let time = at.begin + 240;
            acts.push(Act {
                what: What::Directory {
                    activity: "User registered security info",
                    service: "Authentication Methods",
                    category: "UserManagement",
                    reason: "User registered Authenticator App with Notification and Code"
                        .to_owned(),
                    target: Target::User(user),
                    changed: Vec::new(),
                },
                ..self.act(user, day, &at, time, &mut dice)
            });
        }
        let time = stretch.begin + dice.between(60, (stretch.end - stretch.begin).max(61));
        let here = self.act(user, day, &stretch, time, &mut dice);
        if dice.chance(0.004) {
            let name = dice.one(&["Newsletters", "Project", "Travel", "Reports", "Team"]);
            acts.push(Act {
                what: What::Cmdlet {
                    operation: "New-InboxRule",
                    mailbox: user,
                    object: name.to_owned(),
                    parameters: vec![
                        ("Name", name.to_owned()),
                        ("From", format!("news@{}", sender(&mut dice))),
                        ("MoveToFolder", format!("Inbox\\{name}")),
                        ("StopProcessingRules", "True".to_owned()),
                    ],
                },
                ..here.clone()
            });
        }
        if dice.chance(0.006) {
            let (name, scope) = dice.one(&[
                ("Board Planner", "User.Read"),
                ("Meeting Notes", "User.Read Calendars.Read"),
                ("Survey Desk", "openid profile email"),
                ("Sign Online", "User.Read Files.Read"),
            ]);
            acts.push(Act {
                what: consent(
                    &self.dice(&[21, name.len() as u64]),
                    name,
                    scope,
                    user,
                    self,
                ),
                ..here.clone()
            });
        }
        if it.role == Role::Admin && self.is_weekday(day) {
            for number in 0..dice.between(0, 3) {
                let other = dice.below(self.users.len() as u64) as usize;
                let what = match dice.below(10) {
                    0 => What::Cmdlet {
                        operation: "Add-MailboxPermission",
                        mailbox: user,
                        object: self.users[other].name.clone(),
                        parameters: vec![
                            ("Identity", self.users[other].upn.clone()),
                            (
                                "User",
                                self.users[dice.below(self.users.len() as u64) as usize]
                                    .upn
                                    .clone(),
                            ),
                            ("AccessRights", "FullAccess".to_owned()),
                        ],
                    },
                    1 => What::Directory {
                        activity: "Reset user password",
                        service: "Core Directory",
                        category: "UserManagement",
                        reason: String::new(),
                        target: Target::User(other),
                        changed: Vec::new(),
                    },
                    _ => What::Directory {
                        activity: "Update user",
                        service: "Core Directory",
                        category: "UserManagement",
                        reason: String::new(),
                        target: Target::User(other),
                        changed: vec![(
                            "Department",
                            "[\"Sales\"]".to_owned(),
                            "[\"Service\"]".to_owned(),
                        )],
                    },
                };
                acts.push(Act {
                    time: here.time + number * 70,
                    id: dice.guid(),
                    what,
                    ..here.clone()
                });
            }
            if dice.chance(0.05) {
                acts.push(Act {
                    time: here.time + 900,
                    id: dice.guid(),
                    app: App::known(SHELL),
                    agent: format!("Mozilla/5.0 (compatible; AzureCLI/2.5{})", day % 10),
                    what: What::Noise("Set-Mailbox"),
                    ..here.clone()
                });
            }
        }
        if it.role == Role::Marketing && dice.chance(0.15) {
            let count = dice.between(80, 300);
            let to = (0..count)
                .map(|number| format!("customer{number}@{}", sender(&mut dice)))
                .collect();
            acts.push(Act {
                time: here.time + 60,
                id: dice.guid(),
                what: What::Send {
                    mailbox: user,
                    mail: self.mail(&mut dice, Some("Our offers this month")),
                    to,
                },
                ..here
            });
        }
    }

    /// So many more acts within a stretch, by the mix of a working tenant.
    pub(crate) fn work(
        &self,
        user: usize,
        day: i64,
        stretch: &Stretch,
        (count, options): (usize, &Options),
        dice: &mut Dice,
        acts: &mut Vec<Act>,
    ) {
        for _ in 0..count {
            let time = dice.between(stretch.begin + 1, (stretch.end - 1).max(stretch.begin + 1));
            let mut act = self.act(user, day, stretch, time, dice);
            act.what = self.deed(user, options, dice);
            if matches!(act.what, What::Noise(_) | What::Alert(_)) {
                act.who = Who::Service;
                act.from = None;
            }
            acts.push(act);
        }
    }

    fn deed(&self, user: usize, options: &Options, dice: &mut Dice) -> What {
        let mix = &options.mix;
        let total: f64 = mix.iter().sum();
        let mut at = dice.part() * total;
        let group = mix
            .iter()
            .position(|share| {
                at -= share;
                at < 0.0
            })
            .unwrap_or(0);
        match group {
            0 => {
                let boss = self.users[user].boss.filter(|_| dice.chance(0.4));
                let sync = dice.chance(0.1);
                let count = if sync {
                    0
                } else {
                    1 + dice.below(1 + dice.clone().below(11))
                };
                What::Read {
                    mailbox: boss.unwrap_or(user),
                    folder: dice.one(&[
                        "\\Inbox",
                        "\\Inbox",
                        "\\Sent Items",
                        "\\Inbox\\Project",
                        "\\Archive",
                    ]),
                    mails: (0..count).map(|_| self.mail(dice, None)).collect(),
                    sync,
                }
            }
            1 => What::File(
                dice.one(&[
                    "FileAccessed",
                    "FileAccessed",
                    "FileAccessed",
                    "FilePreviewed",
                    "FileModified",
                    "FileModifiedExtended",
                    "FileDownloaded",
                    "FileSyncDownloadedFull",
                    "FileSyncUploadedFull",
                ]),
                dice.below(4000) as u32,
            ),
            2 => match dice.below(10) {
                0..=3 => {
                    let inside = dice.chance(0.6);
                    let to = (0..=dice.below(3))
                        .map(|_| {
                            if inside {
                                self.users[dice.below(self.users.len() as u64) as usize]
                                    .upn
                                    .clone()
                            } else {
                                format!(
                                    "{}@{}",
                                    dice.pick(&["info", "sales", "office", "anna", "piet"]),
                                    sender(dice)
                                )
                            }
                        })
                        .collect();
                    What::Send {
                        mailbox: user,
                        mail: self.mail(dice, None),
                        to,
                    }
                }
                4 => What::Arrive {
                    sender: format!("news@{}", sender(dice)),
                    mail: self.mail(dice, Some("Weekly newsletter")),
                    to: user,
                },
                5 | 6 => What::Items {
                    mailbox: user,
                    operation: "Update",
                    mails: vec![self.mail(dice, None)],
                    folder: "\\Inbox",
                },
                operation => What::Items {
                    mailbox: user,
                    operation: ["MoveToDeletedItems", "SoftDelete", "HardDelete"]
                        [operation as usize % 3],
                    mails: (0..=dice.below(3)).map(|_| self.mail(dice, None)).collect(),
                    folder: "\\Inbox",
                },
            },
            3 => What::Teams(dice.one(&[
                "MessageSent",
                "MessageSent",
                "MessageSent",
                "TeamsSessionStarted",
                "MemberAdded",
            ])),
            4 => What::Page(dice.one(&[
                "PageViewed",
                "PageViewed",
                "ListViewed",
                "ListUpdated",
                "SharingSet",
                "AddedToGroup",
            ])),
            5 => What::Noise(dice.one(&[
                "Set-Mailbox",
                "Set-MailboxPlan",
                "Set-User",
                "Set-TransportConfig",
            ])),
            6 => What::Alert(dice.one(&[
                "AlertTriggered",
                "AlertEntityGenerated",
                "AirInvestigationData",
            ])),
            _ => What::Other(dice.below(1000) as u32),
        }
    }

    fn act(&self, user: usize, day: i64, stretch: &Stretch, time: i64, dice: &mut Dice) -> Act {
        let app = match stretch.machine {
            Machine::Phone => MOBILE,
            Machine::Server => OFFICE,
            Machine::Laptop => dice.one(&[OWA, OWA, PORTAL, TEAMS]),
        };
        Act {
            time,
            who: Who::User(user),
            id: dice.guid(),
            from: Some(stretch.from),
            agent: self.agent(user, stretch.machine, day),
            session: stretch.session,
            sign_in: stretch.sign_in,
            app: App::known(app),
            what: What::Other(0),
            told: false,
        }
    }

    pub(crate) fn mail(&self, dice: &mut Dice, subject: Option<&str>) -> Mail {
        Mail {
            id: format!(
                "<{:016X}{:08X}@{}>",
                dice.next(),
                dice.next() as u32,
                self.domain
            ),
            subject: subject.map_or_else(|| (dice.one(&SUBJECTS)).to_owned(), str::to_owned),
        }
    }

    /// Strangers try passwords all the time; none fits.
    pub(crate) fn knocking(&self, day: i64, acts: &mut Vec<Act>) {
        let mut dice = self.dice(&[30, day as u64]);
        if !dice.chance(0.5) {
            return;
        }
        let network = dice.one(&self.hosting);
        let from = self.address(network, dice.next() as u16, false);
        let mut time = self.midnight(day) + dice.between(0, 80_000);
        for _ in 0..dice.between(2, 14) {
            let user = dice.below(self.users.len() as u64) as usize;
            time += dice.between(15, 700);
            acts.push(Act {
                time,
                who: Who::User(user),
                id: dice.guid(),
                from: Some(from),
                agent: crate::world::browser(dice.below(5) as usize, 90 + dice.below(30)),
                session: dice.guid(),
                sign_in: dice.guid(),
                app: App::known(OFFICE),
                what: What::SignIn(SignIn {
                    interactive: true,
                    code: dice.one(&[50126, 50126, 50053]),
                    protocol: "oAuth2",
                    transfer: "none",
                    factor: Factor::None,
                    device: None,
                    client: "Browser",
                }),
                told: false,
            });
        }
    }
}

/// A consent to an app, as both logs have it.
pub(crate) fn consent(app: &Dice, name: &str, scope: &str, user: usize, world: &World) -> What {
    let mut app = app.clone();
    let (id, principal, grant) = (app.guid(), app.guid(), app.guid());
    What::Directory {
        activity: "Consent to application",
        service: "Core Directory",
        category: "ApplicationManagement",
        reason: String::new(),
        target: Target::App {
            id: id.to_string(),
            principal,
            name: name.to_owned(),
        },
        changed: vec![
            (
                "ConsentContext.IsAdminConsent",
                String::new(),
                "False".to_owned(),
            ),
            (
                "ConsentAction.Permissions",
                String::new(),
                format!(
                    "[] => [[Id: {grant}, ClientId: {principal}, PrincipalId: {}, ResourceId: {}, ConsentType: Principal, Scope: {scope}, CreatedDateTime: , LastModifiedDateTime ]]; ",
                    world.users[user].id,
                    world.dice(&[40]).guid()
                ),
            ),
        ],
    }
}

const SUBJECTS: [&str; 14] = [
    "Meeting on Thursday",
    "RE: Quotation",
    "Minutes",
    "FW: Delivery",
    "Lunch?",
    "Holiday plan",
    "RE: Contract draft",
    "Invoice for last month",
    "Your order",
    "Team event",
    "RE: RE: Planning",
    "Question",
    "Photos",
    "Payment reminder",
];

pub(crate) fn sender(dice: &mut Dice) -> String {
    format!(
        "{}{}.example",
        dice.pick(&["acorn", "bravo", "cobalt", "dune", "eagle", "fable"]),
        dice.below(40)
    )
}
