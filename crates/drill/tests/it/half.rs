//! Responders with less than the response set, for good: one right missing at a time, and
//! several at once. People with the rights stand in; whatever they have to do is said in
//! exact words, and nothing that was not read is taken for clean.

use std::sync::Arc;

use retake_drill::{Desk, RehearsalError, Run, Stage, Worked, run_with};
use retake_lab::Scenario;
use retake_playbook::event::{Event, Stopped};
use retake_playbook::{Phase, State, errands};
use retake_responder::{Conduct, Finished};

use crate::permissions::{declared_only, describe, every_right};
use crate::response::Nobody;
use crate::stories::bundle_of;

const SEED: u64 = 3;

struct Story {
    missing: Vec<&'static str>,
    worked: Result<Worked, String>,
    run: Option<Run>,
}

/// The default drill with these rights taken away before it begins.
fn without(missing: &[&'static str]) -> Story {
    let mut scenario: Scenario = declared_only();
    let gone = |name: &String| missing.contains(&name.as_str());
    scenario.responder.permissions.retain(|name| !gone(name));
    scenario.responder.roles.retain(|name| !gone(name));
    let mut worked = None;
    let run = run_with(&scenario, SEED, "retake", async |stage: Stage| {
        let desk = Desk::new(&stage)?;
        let way = Arc::new(stage.transport.clone());
        let tried = Box::pin(desk.work(&stage, way, Conduct::default(), &Nobody))
            .await
            .map_err(|error| match error {
                RehearsalError::Responder(error) => describe(&error),
                other => other.to_string(),
            });
        let case = match &tried {
            Ok(worked) => Some(desk.export(&worked.case)?),
            Err(_) => None,
        };
        worked = Some(tried);
        Ok::<_, RehearsalError>(case)
    });
    Story {
        missing: missing.to_vec(),
        worked: worked.unwrap(),
        run: run.ok(),
    }
}

fn holds(story: &Story) {
    let what = story.missing.join(", ");
    let worked = match &story.worked {
        Ok(worked) => worked,
        Err(said) => {
            // Without the account there is no case: what to grant is said at once.
            assert!(
                story
                    .missing
                    .iter()
                    .any(|name| said.contains(&format!("`{name}`"))),
                "{what}: {said}"
            );
            return;
        }
    };
    let state = &worked.state;
    let run = story
        .run
        .as_ref()
        .unwrap_or_else(|| panic!("{what}: no score"));
    match &worked.finished {
        Finished::Closed => {
            assert_eq!(run.score.faults(), Vec::<String>::new(), "{what}");
        }
        // Only where nothing may be changed at all, and that is said.
        Finished::Waits { why } => {
            assert!(cannot_contain(state), "{what}: {:?}: {why}", state.phase);
            assert!(
                story
                    .missing
                    .iter()
                    .any(|name| why.contains(&format!("`{name}`"))),
                "{what}: {why}"
            );
            assert!(
                state
                    .actions
                    .values()
                    .all(|action| action.intended.is_empty()),
                "{what}"
            );
            return;
        }
        Finished::Contained => panic!("{what}: {:?}", worked.finished),
    }
    assert_eq!(state.phase, Phase::Closed, "{what}");
    says_every_task(story, run);
}

/// Whether block or revoke is refused before anything was changed.
fn cannot_contain(state: &State) -> bool {
    state.phase == Phase::Halted
        && state
            .checks
            .iter()
            .any(retake_playbook::event::Check::forbids_containment)
}

/// Whatever was closed or refused in the case for want of one of these rights has a task
/// that names it.
fn says_every_task(story: &Story, run: &Run) {
    let bundle = bundle_of(run);
    let events: Vec<&Event> = bundle
        .records()
        .iter()
        .map(|record| &record.event)
        .collect();
    let tasks: Vec<&str> = events
        .iter()
        .filter_map(|event| match event {
            Event::TaskOpened { task, what, .. } if errands::is_number_of_errand(*task) => {
                Some(what.as_str())
            }
            _ => None,
        })
        .collect();
    for name in &story.missing {
        let quoted = format!("`{name}`");
        let sources = events.iter().flat_map(|event| match event {
            Event::SnapshotTaken(snapshot) => snapshot.sources.as_slice(),
            Event::Analysed(analysis) => analysis.sources.as_slice(),
            _ => &[],
        });
        let mut felt: Vec<String> = sources
            .filter(|source| errands::is_closed(source))
            .filter_map(|source| source.why.clone())
            .collect();
        felt.extend(events.iter().filter_map(|event| match event {
            Event::ActionStopped {
                why: Stopped::Refused,
                message,
                ..
            } => Some(message.clone()),
            _ => None,
        }));
        if felt.iter().any(|why| why.contains(&quoted)) {
            assert!(
                tasks.iter().any(|what| what.contains(&quoted)
                    && what.contains("PowerShell")
                    && what.contains("Answer")),
                "{name} of {:?}: {felt:#?} {tasks:#?}",
                story.missing
            );
        }
    }
}

fn one_at_a_time(part: usize, parts: usize) {
    for (index, right) in every_right().into_iter().enumerate() {
        if index % parts == part {
            holds(&without(&[right.name()]));
        }
    }
}

#[test]
fn with_any_one_right_missing_people_stand_in_and_nothing_unread_is_clean_1() {
    one_at_a_time(0, 3);
}

#[test]
fn with_any_one_right_missing_people_stand_in_and_nothing_unread_is_clean_2() {
    one_at_a_time(1, 3);
}

#[test]
fn with_any_one_right_missing_people_stand_in_and_nothing_unread_is_clean_3() {
    one_at_a_time(2, 3);
}

/// Several at once, drawn by a number and never the same ones: those without which there is
/// no containment are held.
#[test]
fn with_several_rights_missing_at_once_it_is_the_same() {
    let rights: Vec<&'static str> = every_right()
        .into_iter()
        .filter(|right| !right.contains())
        .map(crate::permissions::Right::name)
        .filter(|name| *name != "User.Read.All")
        .collect();
    let draws: u64 = std::env::var("RETAKE_DRAWS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(3);
    for draw in 1..=draws {
        let mut state = draw.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let missing: Vec<&'static str> = rights
            .iter()
            .copied()
            .filter(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state % 5 < 2
            })
            .collect();
        holds(&without(&missing));
    }
}
