//! A tenant that shows little, and a responder who may do half: exact tasks instead of
//! silence.

use super::{play, state_of, whereabouts};

#[test]
fn dump() {
    let seed = std::env::var("SEED")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(1);
    let run = play("poor-tenant", seed);
    let state = state_of(&run);
    println!("{}", whereabouts(&state));
    for task in &state.tasks {
        println!("TASK {task:#?}");
    }
    for action in state.actions.values() {
        println!(
            "ACT {} {:?} {} ver={} {:?}",
            action.planned.action,
            action.planned.kind,
            action.planned.object.name.clone().unwrap_or_default(),
            action.verified.is_some(),
            action.stopped
        );
    }
    println!("JUDGED {:#?}", retake_playbook::judge::judge(&state));
    let (_, a) = state.analysis.as_ref().unwrap();
    println!(
        "AN {} {} sent {} read {} changes {:?}",
        a.verdict,
        a.path,
        a.sent.len(),
        a.read.len(),
        a.changes
            .iter()
            .map(|c| (&c.operation, c.by, c.kind))
            .collect::<Vec<_>>()
    );
    for s in &a.sources {
        println!("LOG {s:?}");
    }
    for s in &state.snapshot().unwrap().sources {
        println!("SRC {s:?}");
    }
    println!("SCORE {:#?}", run.score);
    println!("FAULTS {:#?}", run.score.faults());
    println!("CLOSED {:#?}", state.closed);
}
