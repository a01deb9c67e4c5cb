//! A case in a test: events go in, phases and commands come out.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use retake_playbook::duties::Shows;
use retake_playbook::errands::Errand;
use retake_playbook::event::{
    Account, Analysis, Applied, CaseOpened, Change, Check, CheckResult, Event, Facts, Fingerprint,
    Holder, HolderKind, Looked, MailboxRight, Observed, Origin, Request, Snapshot, Source, Stopped,
};
use retake_playbook::judge::source_of;
use retake_playbook::machine::{Phase, row_taken};
use retake_playbook::steps::StepId;
use retake_playbook::{
    ActionId, ActionKind, Command, Digest, Gate, ObjectKind, ObjectRef, State, next,
};

pub(crate) fn digest(seed: &str) -> Digest {
    let mut bytes = [0; 32];
    for (index, byte) in seed.bytes().enumerate() {
        bytes[index % 32] ^= byte.rotate_left(u32::try_from(index % 8).unwrap());
    }
    Digest::from_bytes(bytes)
}

/// A case under way, and every row of the table that it has taken.
pub(crate) struct Story {
    pub(crate) state: State,
    pub(crate) now: Timestamp,
    pub(crate) rows: BTreeSet<String>,
    pub(crate) objects: Vec<Observed>,
    pub(crate) changes: Vec<Change>,
    /// The first event that the logs lay to the attacker.
    pub(crate) first_known_bad: Option<Timestamp>,
    /// The kind of object whose source cannot be read.
    pub(crate) unread: Option<ObjectKind>,
    /// The account as the tenant has it.
    pub(crate) account: Account,
    /// Somebody else gave sign-in back.
    pub(crate) reopened_by_somebody: bool,
    /// The logs show nobody but the owner.
    pub(crate) no_takeover: bool,
}

impl Story {
    pub(crate) fn begin() -> Self {
        let mut story = Self {
            state: State::default(),
            now: "2026-03-02T03:04:05Z".parse().unwrap(),
            rows: BTreeSet::new(),
            objects: Vec::new(),
            changes: Vec::new(),
            first_known_bad: None,
            unread: None,
            account: Self::account(),
            reopened_by_somebody: false,
            no_takeover: false,
        };
        story.tell(Event::CaseOpened(CaseOpened {
            case: "c1".into(),
            tenant: "t".into(),
            account: "ada@example.test".into(),
            responder: "Rosa".into(),
            alert: "alert".into(),
            program: "0".into(),
        }));
        story
    }

    pub(crate) fn tell(&mut self, event: Event) {
        let from = self.state.phase;
        self.state.apply(self.now, &event);
        // The state has recorded the event, which is what the table's conditions
        // are asked about.
        if let Some(row) = row_taken(from, &event, &self.state) {
            self.rows.insert(format!("{row:?}"));
        }
        self.now = self.now.checked_add(SignedDuration::from_secs(1)).unwrap();
    }

    pub(crate) fn commands(&self) -> Vec<Command> {
        next(&self.state, self.now)
    }

    pub(crate) fn account() -> Account {
        Account {
            id: "u1".into(),
            upn: "ada@example.test".into(),
            display_name: "Ada".into(),
            mail: Some("ada@example.test".into()),
            department: None,
            job_title: None,
            manager: None,
            enabled: true,
            synced: false,
            user_type: "Member".into(),
            sessions_valid_from: None,
            last_password_change: None,
            addresses: vec!["ada@example.test".into()],
            standing: retake_playbook::event::Standing::default(),
        }
    }

    /// What a well-behaved responder, tenant and people would make of the next
    /// commands: one round of them.
    pub(crate) fn go_on(&mut self) {
        let commands = self.commands();
        self.carry_on(commands);
    }

    /// The same, with nobody there for duties elsewhere.
    pub(crate) fn go_on_without_duties(&mut self) {
        let mut commands = self.commands();
        commands.retain(|command| !matches!(command, Command::HandOut(_)));
        self.carry_on(commands);
    }

    fn carry_on(&mut self, commands: Vec<Command>) {
        for command in commands {
            match command {
                Command::ReadAccount => self.tell(Event::AccountRead {
                    account: self.account.clone(),
                    evidence: digest("account"),
                }),
                Command::Preflight => self.preflight(CheckResult::Good),
                Command::MakePlan(plan) => self.tell(Event::PlanMade(plan)),
                Command::Ask(gate) => self.pass(gate),
                Command::Act(actions) => {
                    for action in actions {
                        self.carry_out(action);
                    }
                }
                Command::SetAccessClock(from) => self.tell(Event::AccessClockSet {
                    ends: retake_playbook::plan::access_clock_of(&self.state, from),
                    until_removed: retake_playbook::plan::until_removed(),
                }),
                Command::Snapshot => self.snapshot(),
                Command::Analyse { quick } => self.analyse(quick),
                Command::Warn => self.tell(Event::WarningsSettled),
                Command::HandOut(duties) => self.hand_out(&duties),
                Command::WaitUntil(until) => {
                    self.now = until;
                    self.tell(Event::Waited { until });
                }
                Command::DeclareEffective(snapshot) => {
                    self.tell(Event::EvictionEffective { snapshot });
                }
                Command::Reopen(why) => self.tell(Event::Reopened { why }),
                Command::EndWatch(snapshot) => self.tell(Event::WatchEnded { snapshot }),
                Command::Close => self.tell(Event::Closed(retake_playbook::event::Closing {
                    first_access: String::new(),
                    persistence: String::new(),
                    impact: String::new(),
                    confidence: 0.0,
                    unknown: vec![],
                })),
                Command::Decline(actions) => {
                    for action in actions {
                        self.stop(action, Stopped::Refused);
                    }
                }
                Command::Stop(_) => return,
            }
        }
    }

    /// Everybody does what they are told, and the tenant shows it.
    fn hand_out(&mut self, duties: &[Errand]) {
        for duty in duties {
            self.tell(Event::TaskOpened {
                task: duty.task,
                step: duty.step,
                who: duty.who.into(),
                what: duty.what.clone(),
                object: None,
            });
            self.tell(Event::TaskDone {
                task: duty.task,
                by: "Ines".into(),
                said: None,
            });
            if duty.shows != Shows::Nothing {
                self.tell(Event::TaskVerified {
                    task: duty.task,
                    evidence: digest("account"),
                });
            }
        }
    }

    /// Goes on until this phase is reached.
    pub(crate) fn go_to(&mut self, phase: Phase) {
        for _ in 0..200 {
            if self.state.phase == phase {
                return;
            }
            self.go_on();
        }
        panic!("never came to {phase:?}, stands at {:?}", self.state.phase);
    }

    pub(crate) fn preflight(&mut self, result: CheckResult) {
        self.checked("clean hands", result, None);
    }

    pub(crate) fn checked(&mut self, what: &str, result: CheckResult, step: Option<StepId>) {
        self.tell(Event::PreflightDone {
            checks: vec![Check {
                what: what.into(),
                result,
                detail: "grant it".into(),
                step,
            }],
        });
    }

    pub(crate) fn pass(&mut self, gate: Gate) {
        self.tell(Event::GatePassed {
            gate,
            by: "Rosa".into(),
            answer: None,
        });
    }

    pub(crate) fn refuse(&mut self, gate: Gate) {
        self.tell(Event::GateRefused {
            gate,
            by: "Rosa".into(),
        });
    }

    pub(crate) fn intend(&mut self, action: ActionId) {
        self.tell(Event::ActionIntended {
            action,
            request: Request {
                method: "PATCH".into(),
                url: "/x".into(),
                sha256: digest("x"),
            },
            before: Some(digest("before")),
            attempt: 0,
        });
    }

    pub(crate) fn carry_out(&mut self, action: ActionId) {
        self.intend(action);
        self.tell(Event::ActionApplied {
            action,
            status: Some(204),
            how: Applied::Accepted,
        });
        let planned = &self.state.actions[&action].planned;
        if planned.kind == ActionKind::BlockSignIn {
            self.reopened_by_somebody = false;
        }
        let object = self.state.actions[&action].planned.object.clone();
        self.objects.retain(|seen| seen.object != object);
        self.tell(Event::ActionVerified {
            action,
            evidence: digest("after"),
        });
    }

    pub(crate) fn stop(&mut self, action: ActionId, why: Stopped) {
        self.tell(Event::ActionStopped {
            action,
            why,
            message: "the tenant said no".into(),
            code: "RT3001".into(),
        });
    }

    pub(crate) fn first_action(&self) -> ActionId {
        self.state
            .plan_actions()
            .find(|a| !a.settled())
            .unwrap()
            .planned
            .action
    }

    pub(crate) fn snapshot(&mut self) {
        let number = u32::try_from(self.state.snapshots.len()).unwrap() + 1;
        let sources = [
            ObjectKind::Account,
            ObjectKind::Method,
            ObjectKind::InboxRule,
            ObjectKind::MailboxForwarding,
            ObjectKind::OauthGrant,
        ];
        self.tell(Event::SnapshotTaken(Snapshot {
            snapshot: number,
            at: self.now,
            account: Some(Account {
                // As the tenant shows it: blocked while we keep it blocked.
                enabled: self.reopened_by_somebody || self.state.contained_since().is_none(),
                ..self.account.clone()
            }),
            objects: self.objects.clone(),
            sources: sources
                .into_iter()
                .map(|kind| Source {
                    name: source_of(kind).into(),
                    looked: if self.unread == Some(kind) {
                        Looked::CouldNot
                    } else {
                        Looked::Whole
                    },
                    why: None,
                    code: None,
                })
                .collect(),
        }));
    }

    pub(crate) fn analyse(&mut self, quick: bool) {
        self.tell(Event::Analysed(Analysis {
            quick,
            verdict: if self.no_takeover {
                "clean".into()
            } else {
                "compromised".into()
            },
            path: "credential_phishing".into(),
            confidence: 0.9,
            reasons: vec![],
            first_known_bad: self.first_known_bad,
            last_known_bad: None,
            fingerprint: Fingerprint::default(),
            changes: self.changes.clone(),
            sent: vec![],
            impersonated: Vec::new(),
            read: vec![],
            accounts: vec![],
            sources: retake_playbook::judge::LOGS_FOR_JUDGEMENT
                .iter()
                .map(|&name| Source {
                    name: name.into(),
                    looked: Looked::Whole,
                    why: None,
                    code: None,
                })
                .collect(),
        }));
    }
}

pub(crate) fn rule(id: &str, name: &str, forwards_to: &[&str]) -> Observed {
    Observed {
        object: ObjectRef::new(ObjectKind::InboxRule, id).named(name),
        digest: digest(&format!("{id}{name}{forwards_to:?}")),
        evidence: vec![digest("rules")],
        facts: Facts::InboxRule {
            name: name.into(),
            enabled: true,
            hidden: false,
            graph_id: None,
            aliases: vec![],
            forwards_to: forwards_to.iter().map(|&a| a.to_owned()).collect(),
            moves_to: None,
            deletes: false,
            marks_read: false,
            conditions: String::new(),
        },
    }
}

pub(crate) fn method(id: &str, kind: &str, default: bool, detail: &str) -> Observed {
    Observed {
        object: ObjectRef::new(ObjectKind::Method, id).named(detail),
        digest: digest(id),
        evidence: vec![digest("methods")],
        facts: Facts::Method {
            method: kind.into(),
            default,
            created: None,
            detail: Some(detail.into()),
        },
    }
}

pub(crate) fn right(right: MailboxRight, who: &str, kind: HolderKind) -> Observed {
    let id = ObjectRef::right_id("account", right.name(), who);
    Observed {
        digest: digest(&id),
        object: ObjectRef::new(ObjectKind::MailboxRight, id),
        evidence: vec![digest("rights")],
        facts: Facts::MailboxRight {
            right,
            holder: Holder {
                kind,
                upn: Some(who.to_owned()),
                ..Holder::unknown(who)
            },
        },
    }
}

/// Rights on a folder of this type, for somebody.
pub(crate) fn folder_right(
    folder_type: &str,
    path: &str,
    rights: &[&str],
    who: &str,
    kind: HolderKind,
) -> Observed {
    let id = ObjectRef::right_id("account", path, who);
    Observed {
        digest: digest(&id),
        object: ObjectRef::new(ObjectKind::FolderRight, id),
        evidence: vec![digest("folders")],
        facts: Facts::FolderRight {
            folder: format!("id-of-{path}"),
            path: path.to_owned(),
            folder_type: folder_type.to_owned(),
            rights: rights.iter().map(|&right| right.to_owned()).collect(),
            sharing: Vec::new(),
            holder: Holder {
                kind,
                upn: who.contains('@').then(|| who.to_owned()),
                ..Holder::unknown(who)
            },
        },
    }
}

/// A device that was registered this many minutes before the alert.
pub(crate) fn device(id: &str, minutes: i64) -> Observed {
    Observed {
        object: ObjectRef::new(ObjectKind::Device, id).named(id),
        digest: digest(id),
        evidence: vec![digest("devices")],
        facts: Facts::Device {
            identifier: None,
            enabled: true,
            trust: None,
            system: None,
            registered: Some(
                "2026-03-01T00:00:00Z".parse::<jiff::Timestamp>().unwrap()
                    - jiff::SignedDuration::from_mins(minutes),
            ),
            managed: false,
        },
    }
}

pub(crate) fn change(kind: ObjectKind, ids: &[&str], parameters: &str, by: Origin) -> Change {
    Change {
        at: "2026-03-01T00:00:00Z".parse().unwrap(),
        operation: "operation".into(),
        kind,
        ids: ids.iter().map(|&id| id.to_owned()).collect(),
        parameters: parameters.into(),
        by,
        reasons: vec![],
        record: "r".into(),
        fields: vec![],
    }
}

impl Story {
    /// Makes the plan that the phase wants, without carrying it out.
    pub(crate) fn make_plan(&mut self) {
        if let [Command::MakePlan(plan)] = &self.commands()[..] {
            let plan = plan.clone();
            self.tell(Event::PlanMade(plan));
        }
    }

    /// The containment shows its plan before it can be refused.
    pub(crate) fn go_on_if_planless(&mut self) {
        self.make_plan();
    }
}
