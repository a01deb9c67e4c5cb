//! `shared-mailboxes`: rights that the attacker gave on the mailbox go, whoever holds
//! them, and what it left in mailboxes that the account opens; those of the people who
//! work with them stay.

use std::collections::BTreeSet;
use std::sync::Arc;

use retake_drill::score::{Outcome, RunScore};
use retake_drill::sequence::Sequence;
use retake_drill::{
    Desk, RehearsalError, Run, Stage, UndoOrder, profile, run_responder, run_sequence, run_with,
    wire,
};
use retake_lab::Scenario;
use retake_playbook::{ActionKind, ArtefactId, ObjectKind};
use retake_responder::{Conduct, Finished, UndoOutcome, Which};
use retake_tenant::Tenant;
use serde_json::Value;

use crate::response::Nobody;

fn played(seed: u64) -> Run {
    let scenario = Scenario::find("shared-mailboxes").unwrap();
    run_responder(&scenario, seed, Conduct::default(), &|_| Box::new(Nobody))
        .unwrap_or_else(|error| panic!("seed {seed}: {error}"))
}

fn artefacts(score: &RunScore) -> Vec<String> {
    score
        .artefacts
        .iter()
        .map(|held| held.id.to_string())
        .collect()
}

/// What issue 4 demands of a response to this scenario.
fn holds(seed: u64) {
    let run = played(seed);
    let score = run.score;
    for id in [
        ArtefactId::FULL_ACCESS,
        ArtefactId::SEND_AS,
        ArtefactId::SEND_ON_BEHALF,
        ArtefactId::INBOX_RIGHT,
        ArtefactId::FOLDER_RIGHT,
        ArtefactId::SHARED_MAILBOX,
    ] {
        assert!(
            artefacts(&score).contains(&id.to_string()),
            "seed {seed}: the attack leaves no {id}"
        );
    }
    for held in &score.artefacts {
        assert!(!held.usable.ever(), "seed {seed}: {held:?}");
    }
    assert_eq!(score.collateral, [], "seed {seed}");
    assert_eq!(score.faults(), Vec::<String>::new(), "seed {seed}");
    assert!(score.clock.closed.is_some(), "seed {seed}");
    let radius = score.blast_radius;
    for (what, known) in [
        ("sent", radius.sent),
        ("read", radius.read),
        ("changed", radius.changed),
        ("accounts", radius.accounts),
    ] {
        assert!(known.truth > 0, "seed {seed}: nothing {what}");
        assert!(known.recall >= 1.0, "seed {seed}: {what} {known:?}");
        assert!(known.precision >= 0.95, "seed {seed}: {what} {known:?}");
    }
}

#[test]
fn rights_of_the_attackers_go_and_those_of_the_house_stay_seed_1() {
    holds(1);
}

#[test]
fn rights_of_the_attackers_go_and_those_of_the_house_stay_seed_2() {
    holds(2);
}

#[test]
fn rights_of_the_attackers_go_and_those_of_the_house_stay_seed_3() {
    holds(3);
}

fn control(name: &str, seed: u64) -> Run {
    let scenario = Scenario::find("shared-mailboxes").unwrap();
    run_sequence(&scenario, seed, &Sequence::find(name).unwrap())
        .unwrap_or_else(|error| panic!("{name} {seed}: {error}"))
}

#[test]
fn where_nothing_is_done_every_right_stays_usable() {
    for seed in 1..=2 {
        for held in &control("none", seed).score.artefacts {
            // Without a method of its own the attacker's password alone opens nothing.
            if held.id == ArtefactId::STOLEN_PASSWORD {
                continue;
            }
            let all = held.usable.at_end && held.usable.after_restore && held.usable.after_24h;
            assert!(all, "seed {seed}: {held:?}");
            assert_eq!(held.outcome, Outcome::Survived, "seed {seed}: {held:?}");
        }
    }
}

#[test]
fn removing_everything_takes_the_rights_of_the_house_too() {
    for seed in 1..=2 {
        let run = control("remove-everything", seed);
        let harmed: BTreeSet<(ObjectKind, &str)> = run
            .score
            .collateral
            .iter()
            .map(|harmed| (harmed.kind, harmed.object.as_str()))
            .collect();
        let first = run.trace.lines().next().unwrap();
        let truth: Value = serde_json::from_str(first).unwrap();
        let (mut rights, mut folders) = (0, 0);
        for bait in truth["effect"]["truth"]["baits"].as_array().unwrap() {
            let kind: ObjectKind = serde_json::from_value(bait["kind"].clone()).unwrap();
            if kind == ObjectKind::Method {
                continue;
            }
            rights += u32::from(kind == ObjectKind::MailboxRight);
            folders += u32::from(kind == ObjectKind::FolderRight);
            let id = bait["id"].as_str().unwrap();
            assert!(
                harmed.contains(&(kind, id)),
                "seed {seed}: {bait} in {harmed:?}"
            );
        }
        assert!(rights >= 2 && folders == 2, "seed {seed}");
        for held in &run.score.artefacts {
            let by_right = held.object.contains('|');
            assert!(
                !by_right || held.outcome == Outcome::Evicted,
                "seed {seed}: {held:?}"
            );
        }
    }
}

/// In some seeds the attacker lets everybody read, in others its guest: both go, and
/// what the calendar shows by itself stays as it is.
#[test]
fn a_folder_that_everybody_could_read_says_again_what_it_said_by_itself() {
    let mut raised = 0;
    for seed in 1..=6 {
        let run = played(seed);
        let of_all: Vec<_> = run
            .score
            .artefacts
            .iter()
            .filter(|held| held.id == ArtefactId::FOLDER_RIGHT && held.object.ends_with("|Default"))
            .collect();
        raised += of_all.len();
        for held in of_all {
            assert_eq!(held.outcome, Outcome::Evicted, "seed {seed}: {held:?}");
        }
        assert_eq!(run.score.collateral, [], "seed {seed}");
    }
    assert!(raised > 0, "no seed of six raises Default");
}

/// Rights and forwards of every mailbox, and how many rules each has, by address.
fn set_up(stage: &Stage) -> Vec<(String, Vec<String>, usize)> {
    let state = wire::lock(&stage.lab).final_state();
    let mut all = Vec::new();
    for (address, mailbox) in state["mailboxes"].as_object().unwrap() {
        let mut held: Vec<String> = ["permissions", "sendAs", "sendOnBehalf", "folderRights"]
            .iter()
            .flat_map(|name| mailbox[name].as_array().unwrap().clone())
            .map(|right| right.to_string())
            .collect();
        held.sort();
        held.push(mailbox["forwardingSmtpAddress"].to_string());
        held.push(mailbox["deliverToMailboxAndForward"].to_string());
        let rules = mailbox["rules"].as_array().unwrap().len();
        all.push((address.clone(), held, rules));
    }
    all
}

#[test]
fn undo_of_all_gives_rights_back_and_puts_rules_back_where_they_lay() {
    let scenario = Scenario::find("shared-mailboxes").unwrap();
    run_with(&scenario, 2, "retake", async |stage: Stage| {
        let before = set_up(&stage);
        let desk = Desk::new(&stage)?;
        let way = Arc::new(stage.transport.clone());
        let worked = Box::pin(desk.work(&stage, way.clone(), Conduct::default(), &Nobody)).await?;
        assert_eq!(worked.finished, Finished::Closed);
        assert_ne!(set_up(&stage), before);
        let tenant = Tenant::new(profile(&stage, None), way, Arc::new(stage.time.clone()));
        let order = UndoOrder {
            case: &worked.case,
            by: "Mara Keller",
            reason: "the rights were meant to be",
            which: &Which::All,
        };
        let undone = Box::pin(desk.undo(&stage, &tenant, order, Conduct::default(), &Nobody))
            .await
            .unwrap();
        let state = desk.state(&worked.case).unwrap();
        let mut back = 0;
        for one in &undone {
            let planned = &state.actions[&one.action].planned;
            let ours = matches!(
                planned.kind,
                ActionKind::RemoveMailboxRight | ActionKind::RemoveFolderRight
            ) || planned.object.mailbox.is_some();
            if ours {
                assert!(
                    matches!(one.outcome, UndoOutcome::Restored { .. }),
                    "{one:?}"
                );
                back += 1;
            }
        }
        assert!(
            back >= 7,
            "three rights, two on folders, a rule and a forward: {undone:?}"
        );
        let affected = wire::lock(&stage.lab).briefing().affected.clone();
        for (was, now) in before.iter().zip(&set_up(&stage)) {
            assert_eq!((&was.0, &was.1), (&now.0, &now.1));
            // In its own mailbox the attacker planted one more meanwhile.
            assert!(was.0 == affected || was.2 == now.2, "{was:?} {now:?}");
        }
        let exported = desk.export(&worked.case)?;
        Ok::<_, RehearsalError>(Some(exported))
    })
    .unwrap();
}
