//! Scratch.
#![allow(clippy::unwrap_used, clippy::print_stdout)]
use retake_drill::{Sequence, run_sequence};
use retake_lab::Scenario;
fn main() {
    let name = std::env::args().nth(1).unwrap();
    let seed: u64 = std::env::args().nth(2).unwrap().parse().unwrap();
    let scenario = Scenario::find("invoice-fraud").unwrap();
    let run = if name == "retake" {
        struct W;
        impl retake_responder::Watcher for W {
            fn event(&self, at: jiff::Timestamp, event: &retake_playbook::Event, _: &retake_playbook::State) { let t = format!("{event:?}"); println!("@ {at} {}", t.chars().take(260).collect::<String>()); }
            fn note(&self, at: jiff::Timestamp, what: &str) { println!("# {at} {what}"); }
        }
        retake_drill::run_responder(&scenario, seed, retake_responder::Conduct::default(), &|_| Box::new(W)).unwrap()
    } else {
        run_sequence(&scenario, seed, &Sequence::find(&name).unwrap()).unwrap()
    };
    std::fs::write(format!("/tmp/drill-{name}-{seed}.jsonl"), &run.trace).unwrap();
    if let Some(case) = &run.case { std::fs::write(format!("/tmp/drill-{name}-{seed}.case"), case).unwrap(); }
    println!("{}", serde_json::to_string_pretty(&run.score).unwrap());
    for fault in run.score.faults() { println!("FAULT {fault}"); }
    for refused in run.refused { println!("REFUSED {refused:?}"); }
}
