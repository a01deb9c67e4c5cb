//! One attacker in several accounts: contained in one approval, each cleaned in a case of
//! its own, and nobody else touched.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use retake_casefile::Bundle;
use retake_drill::{Run, run_responder};
use retake_lab::Scenario;
use retake_playbook::{Event, Gate};
use retake_responder::Conduct;

use crate::response::Nobody;

const TWO_ADMINS: &str = include_str!("../../../../scenarios/two-admins/scenario.toml");

/// Ten seeds by hand: `SEEDS=10 cargo nextest run -p retake-drill -E 'test(together::)'`.
fn seeds() -> RangeInclusive<u64> {
    let most = std::env::var("SEEDS").ok();
    1..=most.and_then(|text| text.parse().ok()).unwrap_or(3)
}

/// The scenario with these lines changed.
fn variant(changes: &[(&str, &str)]) -> Scenario {
    let mut text = TWO_ADMINS.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    Scenario::parse("variant.toml".as_ref(), &text).unwrap()
}

fn play(scenario: &Scenario, seed: u64) -> Run {
    run_responder(scenario, seed, Conduct::default(), &|_| Box::new(Nobody))
        .unwrap_or_else(|error| panic!("{}, seed {seed}: {error}", scenario.id()))
}

fn bundles(run: &Run) -> Vec<Bundle> {
    run.case
        .iter()
        .chain(&run.further_cases)
        .map(|bytes| Bundle::from_bytes(bytes.clone(), None).unwrap())
        .collect()
}

/// What the cases say, for whoever reads a failure.
fn told(run: &Run) -> String {
    let mut told = String::new();
    for (index, bundle) in bundles(run).iter().enumerate() {
        let _ = write!(told, "\n case {index}");
        for record in bundle.records() {
            let line = match &record.event {
                Event::PlanMade(plan) if !plan.actions.is_empty() => {
                    let actions: Vec<String> = plan
                        .actions
                        .iter()
                        .map(|action| format!("{} {:?}", action.kind.title(), action.object.name))
                        .collect();
                    format!("plan {}; left {:?}", actions.join(", "), plan.left)
                }
                Event::CaseOpened(_)
                | Event::AccountLinked(_)
                | Event::GatePassed { .. }
                | Event::ActionStopped { .. }
                | Event::GateWaiting { .. }
                | Event::EvictionEffective { .. }
                | Event::Reopened { .. } => format!("{:?}", record.event),
                Event::Analysed(found) if record.seq < 250 => {
                    let roles: Vec<_> = found
                        .changes
                        .iter()
                        .filter(|change| change.kind == retake_playbook::ObjectKind::DirectoryRole)
                        .map(|change| (&change.ids, change.by, &change.reasons))
                        .collect();
                    format!(
                        "quick {} {} {} {:?} {roles:?}",
                        found.quick, found.verdict, found.path, found.accounts
                    )
                }
                _ => continue,
            };
            let _ = write!(told, "\n  {} {line}", record.at);
        }
    }
    told
}

/// What issue 4 demands of the response.
fn holds(scenario: &Scenario, seed: u64) -> Run {
    let run = play(scenario, seed);
    let here = format!("{}, seed {seed}{}", scenario.id(), told(&run));
    let score = &run.score;
    assert_eq!(score.faults(), Vec::<String>::new(), "{here}");
    assert!(score.clock.closed.is_some(), "{here}");
    let radius = &score.blast_radius;
    for (what, known) in [
        ("sent", radius.sent),
        ("read", radius.read),
        ("changed", radius.changed),
        ("accounts", radius.accounts),
    ] {
        assert!(known.recall >= 1.0, "{here}: {what} {known:?}");
        assert!(known.precision >= 0.95, "{here}: {what} {known:?}");
    }
    run
}

#[test]
fn two_administrators_are_contained_in_one_approval_and_nothing_is_left() {
    for seed in seeds() {
        let run = holds(&Scenario::find("two-admins").unwrap(), seed);
        let cases = bundles(&run);
        assert_eq!(cases.len(), 2);
        let mut passed = Vec::new();
        for case in &cases {
            let mut gates = case.records().iter().filter_map(|record| match &record.event {
                Event::GatePassed {
                    gate: Gate::Contain,
                    by,
                    ..
                } => Some((record.at, by.clone())),
                _ => None,
            });
            passed.push(gates.next().unwrap());
            assert_eq!(gates.next(), None, "seed {seed}: asked again");
        }
        // One answer, by one person, for both.
        assert_eq!(passed[0], passed[1], "seed {seed}");
    }
}
