//! The same client over real sockets: it ends where it ends in process, keeps
//! others off its case, and leaves no memory behind.

use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::Stdio;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use retake_drill::run_responder;
use retake_lab::serve::Decision;
use retake_lab::{Fault, FaultKind, Scenario, TraceLine};
use retake_playbook::{ActionKind, Event, State};
use retake_responder::{Conduct, Watcher};

use crate::practice::{Practice, state};

/// As long as the drill lets the lab go on after the response.
const AFTERWARDS: Duration = Duration::from_hours(27);

#[test]
fn over_tls_the_drill_ends_with_the_same_tenant_seed_1() {
    same_end(1);
}

#[test]
fn over_tls_the_drill_ends_with_the_same_tenant_seed_2() {
    same_end(2);
}

#[test]
fn over_tls_a_person_with_a_device_code_leaves_the_tenant_as_the_app_does() {
    let scenario = Scenario::find("invoice-fraud").unwrap();
    let drill = run_responder(&scenario, 1, Conduct::default(), &|_| Box::new(Nobody)).unwrap();

    let practice = Practice::of_a_person(1);
    practice.start(practice.respond());
    practice.enter_the_code();
    practice.comes_to_a_good_end();
    practice.server().advance(AFTERWARDS);
    // Nothing is left of what the attacker planted, and nothing else is gone.
    let rules = |tenant: &serde_json::Value| tenant["mailboxes"].clone();
    similar(&rules(&practice.tenant()), &rules(&drill.final_state));
    let (case, records) = practice.journal();
    let removed = records.iter().filter(|record| {
        matches!(&record.event, Event::ActionVerified { action, .. }
            if state(&records).actions[action].planned.kind == ActionKind::RemoveRuleInExchange)
    });
    assert!(removed.count() > 0, "{}", practice.said());
    practice.export_and_verify(&case);
}

fn same_end(seed: u64) {
    let scenario = Scenario::find("invoice-fraud").unwrap();
    let drill = run_responder(&scenario, seed, Conduct::default(), &|_| Box::new(Nobody)).unwrap();

    let practice = Practice::new(seed, |_| None);
    // 72 hours of watch lie in it: were they waited for, the test would not end.
    practice.respond_to_the_end();
    practice.server().advance(AFTERWARDS);
    similar(&practice.tenant(), &drill.final_state);
    let (case, _) = practice.journal();
    practice.export_and_verify(&case);
}

#[test]
fn requests_that_hang_cost_the_labs_time_and_not_ours() {
    let practice = Practice::new(1, |_| None);
    practice.server().with(|lab, _| {
        lab.inject(Fault::on_path("/auditLogs/signIns", FaultKind::Hang).times(2));
        lab.inject(Fault::on_path("/messageRules", FaultKind::Hang).times(1));
    });
    practice.respond_to_the_end();
    let hung = practice.server().with(|lab, _| {
        let hung = |line: &&TraceLine| line.fault.is_some();
        lab.trace().iter().filter(hung).count()
    });
    assert_eq!(hung, 3);
}

fn similar(ours: &serde_json::Value, theirs: &serde_json::Value) {
    let lines = |value| serde_json::to_string_pretty(value).unwrap();
    assert_eq!(lines(ours), lines(theirs));
}

struct Nobody;

impl Watcher for Nobody {
    fn event(&self, _: Timestamp, _: &Event, _: &State) {}
    fn note(&self, _: Timestamp, _: &str) {}
}

#[test]
fn a_second_responder_on_the_same_case_is_sent_away_and_changes_nothing() {
    let (arrived, first_is_there) = mpsc::channel();
    let (go_on, second_is_done) = mpsc::channel::<()>();
    let practice = Practice::new(1, |_| {
        Some(Box::new(move |_, ordinal| {
            // The lab stands still with the first responder in the middle of its
            // work: a request of the second would never be answered.
            if ordinal == 60 {
                arrived.send(()).unwrap();
                second_is_done.recv().unwrap();
            }
            Decision::Handle
        }))
    });
    practice.start(practice.respond());
    first_is_there.recv_timeout(Duration::from_mins(1)).unwrap();
    let before = practice.journal();

    let mut second = practice
        .respond()
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    while second.try_wait().unwrap().is_none() {
        if begin.elapsed() > Duration::from_secs(20) {
            second.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let second = second.wait_with_output().unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(2), "{said}");
    assert!(said.contains("RT2008"), "{said}");
    assert!(said.contains("Robin Castle"), "who has it: {said}");
    assert_eq!(practice.journal(), before);

    go_on.send(()).unwrap();
    assert_eq!(practice.finish(), Some(0), "{}", practice.said());
}

#[test]
fn a_responder_leaves_no_core_and_nobody_reads_its_memory() {
    let practice = Practice::new(1, |responder| {
        Some(Box::new(move |_, ordinal| {
            if ordinal == 60 {
                let process = format!("/proc/{}", responder.id().unwrap());
                let limits = std::fs::read_to_string(format!("{process}/limits")).unwrap();
                let core = limits
                    .lines()
                    .find(|line| line.starts_with("Max core file size"))
                    .unwrap();
                let values: Vec<&str> = core.split_whitespace().rev().take(3).collect();
                assert_eq!(values, ["bytes", "0", "0"], "{core}");
                // The kernel gives what is not dumpable to root.
                let owner = std::fs::metadata(format!("{process}/environ"))
                    .unwrap()
                    .uid();
                assert_eq!(owner, 0);
                let _ = std::process::Command::new("kill")
                    .args(["-ABRT", &responder.id().unwrap().to_string()])
                    .status();
            }
            Decision::Handle
        }))
    });
    let mut command = practice.respond();
    if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        // Root's processes belong to root in any case: it takes another user to see
        // the difference. That user has a copy of the program and the home.
        let program = practice.home().join("retake");
        std::fs::copy(env!("CARGO_BIN_EXE_retake"), &program).unwrap();
        let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        command = std::process::Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .env("RETAKE_HOME", practice.home())
            .current_dir(practice.home())
            .stdin(Stdio::null())
            .uid(NOBODY)
            .gid(NOBODY);
        for file in [".", "lab.json"] {
            std::os::unix::fs::chown(practice.home().join(file), Some(NOBODY), Some(NOBODY))
                .unwrap();
        }
    }
    practice.start(command);
    let status = practice.end();
    assert_eq!(status.signal(), Some(6), "{}", practice.said());
    assert!(!status.core_dumped());
}

/// The user that owns nothing.
const NOBODY: u32 = 65534;
