//! One small case from alert to close. Every text that a tenant, an attacker or a
//! person could have written goes through `name`, so that a test can taint all of
//! them.

use jiff::{SignedDuration, Timestamp};
use retake_casefile::{Record, Store};
use retake_playbook::event::{
    AccessEnd, Account, ActionId, Analysis, Applied, CaseOpened, Change, Check, CheckResult,
    Closing, EvidenceKept, Facts, Fingerprint, Left, Looked, Mail, Observed, Origin, Plan, Planned,
    Request, Snapshot, Source, Stopped,
};
use retake_playbook::{ActionKind, ArtefactId, Digest, Event, Gate, ObjectKind, ObjectRef, StepId};
use retake_report::Report;

pub(crate) fn at(minute: i64) -> Timestamp {
    "2026-03-02T03:10:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minute)
}

/// The journal of the case, and a store that keeps its evidence.
pub(crate) fn told(name: &dyn Fn(&str) -> String) -> (Store, Vec<Record>) {
    let store = Store::open_in_memory().unwrap();
    let case = store.create_case("t", "a", "case-7", at(0)).unwrap();
    let answer = store.keep(&case, b"{}").unwrap();
    for (seq, (minute, event)) in (0..).zip(events(name, &answer)) {
        store.append(&case, seq, at(minute), &event).unwrap();
    }
    let records = store.records(&case).unwrap();
    (store, records)
}

pub(crate) fn report(name: &dyn Fn(&str) -> String) -> Report {
    let (store, records) = told(name);
    let case = records[0].case.clone();
    retake_report::render(&records, &|digest| store.evidence(&case, digest).unwrap()).unwrap()
}

fn events(name: &dyn Fn(&str) -> String, answer: &Digest) -> Vec<(i64, Event)> {
    let missing = Digest::from_bytes([0xee; 32]);
    let request = || Request {
        method: "PATCH".to_owned(),
        url: name("/v1.0/users/7d1"),
        sha256: answer.clone(),
    };
    let kept = |digest: &Digest| {
        Event::EvidenceKept(EvidenceKept {
            digest: digest.clone(),
            what: name("the account"),
            request: Some(request()),
            status: Some(200),
            bytes: 2,
        })
    };
    let account = Account {
        id: name("7d1"),
        upn: name("li.wei@contoso.example"),
        display_name: name("Li Wei"),
        mail: Some(name("li.wei@contoso.example")),
        department: Some(name("Finance")),
        job_title: Some(name("Accountant")),
        manager: Some(name("Ada Byron")),
        enabled: true,
        synced: false,
        user_type: name("Member"),
        sessions_valid_from: None,
        last_password_change: None,
        addresses: vec![name("li.wei@contoso.example")],
        standing: retake_playbook::event::Standing::default(),
    };
    let block = |action| {
        planned(
            action,
            ActionKind::BlockSignIn,
            StepId::new(2, 1),
            ObjectRef::new(ObjectKind::Account, name("7d1")),
            None,
            name,
        )
    };
    let rule = ObjectRef::new(ObjectKind::InboxRule, name("AQAA")).named(name("RSS Feeds"));
    let again = rule.clone();
    let odd = ObjectRef::new(ObjectKind::InboxRule, name("AQBB")).named(name("Newsletters"));
    let source = |source: &str, looked, why: Option<&str>| Source {
        name: name(source),
        looked,
        why: why.map(name),
        code: None,
    };
    let intended = |action| Event::ActionIntended {
        action: ActionId(action),
        request: request(),
        before: (action != 2).then(|| answer.clone()),
        attempt: 0,
    };
    let applied = |action| Event::ActionApplied {
        action: ActionId(action),
        status: Some(204),
        how: Applied::Accepted,
    };
    let verified = |action| Event::ActionVerified {
        action: ActionId(action),
        evidence: answer.clone(),
    };
    let passed = |gate, by: &str, answer: Option<&str>| Event::GatePassed {
        gate,
        by: name(by),
        answer: answer.map(name),
    };
    vec![
        (
            0,
            Event::CaseOpened(CaseOpened {
                case: name("case-7"),
                tenant: name("0f0e"),
                account: name("li.wei@contoso.example"),
                responder: name("Robin"),
                alert: name("A supplier asks about a new bank account"),
                program: name("0.1.0"),
            }),
        ),
        (0, kept(answer)),
        (0, kept(&missing)),
        (
            0,
            Event::AccountRead {
                account: account.clone(),
                evidence: answer.clone(),
            },
        ),
        (
            0,
            Event::PreflightDone {
                checks: vec![
                    Check {
                        what: name("roles"),
                        result: CheckResult::Good,
                        detail: name("both"),
                        step: None,
                    },
                    Check {
                        what: name("audit"),
                        result: CheckResult::Unknown,
                        detail: name("no"),
                        step: None,
                    },
                ],
            },
        ),
        (
            0,
            // The playbook's own word, not a name.
            Event::GatePassed {
                gate: Gate::CleanHands,
                by: "playbook".to_owned(),
                answer: None,
            },
        ),
        (
            1,
            Event::GateWaiting {
                gate: Gate::Contain,
                why: name("an order"),
            },
        ),
        (1, passed(Gate::Contain, "Robin", None)),
        (
            1,
            Event::PlanMade(Plan {
                plan: 1,
                snapshot: None,
                actions: vec![block(1)],
                left: vec![],
            }),
        ),
        (1, intended(1)),
        (1, applied(1)),
        (1, verified(1)),
        (
            2,
            Event::AccessClockSet {
                ends: vec![AccessEnd {
                    artefact: ArtefactId::ACCESS_TOKEN,
                    what: name("access token of Outlook"),
                    ends_at: at(62),
                    why: name("issued 02:42, lives 90 min"),
                }],
                until_removed: Vec::new(),
            },
        ),
        (
            3,
            Event::SnapshotTaken(Snapshot {
                snapshot: 1,
                at: at(3),
                account: None,
                objects: vec![
                    observed(&rule, answer, name, true),
                    observed(&odd, answer, name, false),
                ],
                sources: vec![source("inbox rules", Looked::Whole, None)],
            }),
        ),
        (
            9,
            Event::Analysed(Analysis {
                quick: false,
                verdict: name("compromised"),
                path: name("credential_phishing"),
                confidence: 0.9,
                reasons: vec![name("sign-in from a network never seen")],
                first_known_bad: Some(at(-300)),
                last_known_bad: Some(at(-300)),
                fingerprint: Fingerprint {
                    addresses: vec![name("203.0.113.9")],
                    sessions: vec![name("s-1")],
                    user_agents: vec![name("curl/8")],
                    apps: vec![],
                },
                changes: vec![Change {
                    at: at(-200),
                    operation: name("New-InboxRule"),
                    kind: ObjectKind::InboxRule,
                    ids: vec![name("RSS Feeds")],
                    parameters: name("x"),
                    by: Origin::Attacker,
                    reasons: vec![name("same session")],
                    record: name("r-1"),
                    fields: vec![],
                }],
                sent: vec![Mail {
                    message: name("<1@contoso.example>"),
                    subject: name("RE: Invoice 4711"),
                    recipients: vec![name("ap@supplier.example")],
                    at: at(-100),
                    how: name("message trace"),
                }],
                impersonated: Vec::new(),
                read: vec![Mail {
                    message: name("<2@contoso.example>"),
                    subject: name("Bank details"),
                    recipients: vec![],
                    at: at(-150),
                    how: name("MailItemsAccessed"),
                }],
                accounts: vec![name("kim@contoso.example")],
                sources: vec![
                    source("sign-ins", Looked::Whole, None),
                    source(
                        "audit log",
                        Looked::TooEarly,
                        Some("it lags by up to 60 min"),
                    ),
                    source("Defender", Looked::CouldNot, Some("no licence")),
                ],
            }),
        ),
        (
            9,
            Event::WarningDue {
                warning: 1,
                who: name("finance"),
                why: name("a payment was asked for"),
                pack: Some(answer.clone()),
            },
        ),
        (9, Event::WarningsSettled),
        (
            10,
            Event::WarningDone {
                warning: 1,
                by: name("Robin"),
            },
        ),
        (
            10,
            passed(Gate::Money, "Noor of finance", Some("not known")),
        ),
        (
            11,
            Event::TaskOpened {
                task: 1,
                step: StepId::new(4, 3),
                who: name("mail admin"),
                what: name("Delete app passwords"),
                object: None,
            },
        ),
        (
            12,
            Event::PlanMade(Plan {
                plan: 2,
                snapshot: Some(1),
                actions: vec![
                    planned(
                        2,
                        ActionKind::RemoveInboxRule,
                        StepId::new(5, 1),
                        rule,
                        Some(ArtefactId::FORWARDING_RULE),
                        name,
                    ),
                    planned(
                        3,
                        ActionKind::RemoveMethod,
                        StepId::new(4, 2),
                        ObjectRef::new(ObjectKind::Method, name("m-1")).named(name("Pixel 7")),
                        Some(ArtefactId::ADDED_METHOD),
                        name,
                    ),
                ],
                left: vec![Left {
                    object: odd,
                    why: vec![name("forwards inside")],
                }],
            }),
        ),
        (13, passed(Gate::Plan, "Robin", None)),
        (13, intended(2)),
        (13, applied(2)),
        (14, verified(2)),
        (14, intended(3)),
        (
            14,
            Event::ActionStopped {
                action: ActionId(3),
                why: Stopped::Refused,
                message: name("role missing"),
                code: "RT3001".to_owned(),
            },
        ),
        (
            15,
            Event::TaskDone {
                task: 1,
                by: name("Kim"),
                said: None,
            },
        ),
        (70, Event::Waited { until: at(70) }),
        (71, Event::EvictionEffective { snapshot: 1 }),
        (
            72,
            Event::GateOverridden {
                gate: Gate::Return,
                by: name("Robin"),
                reason: name("the method is the user's own"),
            },
        ),
        (
            80,
            Event::UndoOrdered {
                by: name("Robin"),
                reason: name("the user needs the rule"),
                actions: vec![ActionId(2)],
            },
        ),
        (
            80,
            Event::PlanMade(Plan {
                plan: 3,
                snapshot: None,
                actions: vec![Planned {
                    undoes: Some(ActionId(2)),
                    ..planned(
                        4,
                        ActionKind::RemoveInboxRule,
                        StepId::new(5, 1),
                        again.clone(),
                        Some(ArtefactId::FORWARDING_RULE),
                        name,
                    )
                }],
                left: vec![],
            }),
        ),
        (80, intended(4)),
        (80, applied(4)),
        (81, verified(4)),
        (
            81,
            Event::ObjectRestored {
                action: ActionId(4),
                object: observed(&again, answer, name, true),
                differs: vec![name("it has a new id")],
            },
        ),
        (
            4400,
            Event::Closed(Closing {
                first_access: name("phished"),
                persistence: name("one rule"),
                impact: name("one mail sent"),
                confidence: 0.9,
                unknown: vec![name("what Teams showed")],
            }),
        ),
    ]
}

fn planned(
    action: u32,
    kind: ActionKind,
    step: StepId,
    object: ObjectRef,
    artefact: Option<ArtefactId>,
    name: &dyn Fn(&str) -> String,
) -> Planned {
    Planned {
        action: ActionId(action),
        kind,
        step,
        object,
        observed: None,
        artefact,
        undoes: None,
        why: vec![name("made in the attacker's session")],
    }
}

fn observed(
    object: &ObjectRef,
    answer: &Digest,
    name: &dyn Fn(&str) -> String,
    outside: bool,
) -> Observed {
    Observed {
        object: object.clone(),
        digest: answer.clone(),
        evidence: vec![answer.clone()],
        facts: Facts::InboxRule {
            name: name("RSS Feeds"),
            enabled: true,
            hidden: false,
            graph_id: None,
            aliases: vec![],
            forwards_to: vec![name(if outside {
                "x@evil.example"
            } else {
                "kim@contoso.example"
            })],
            moves_to: Some(name("RSS")),
            deletes: false,
            marks_read: outside,
            conditions: name(r#"{"subjectContains":["invoice"]}"#),
        },
    }
}
