//! An attack that began before the first window of the logs (S6.8), and whose author would
//! by now pass for the user if being there for long were enough.

use jiff::SignedDuration;
use retake_lab::Scenario;
use retake_playbook::event::Looked;
use retake_playbook::judge::{EARLIER_AUDIT, EARLIER_TRACE};
use toml::Value as Toml;

use super::{perfect, play_of, table};

/// The default attack whose beginning lies seven weeks back, and whose fraud is of yesterday.
fn long_ago() -> Scenario {
    let mut scenario = table("invoice-fraud");
    let company = scenario["company"].as_table_mut().unwrap();
    company.insert("history_days".into(), Toml::from(60));
    for step in scenario["step"].as_array_mut().unwrap() {
        let before = step["before"].as_str().unwrap();
        let later: Vec<String> = before
            .split("..")
            .map(|time| {
                let (hours, rest) = time.split_once('h').unwrap();
                let hours: u64 = hours.parse().unwrap();
                let back = if hours < 30 { hours } else { hours + 45 * 24 };
                format!("{back}h{rest}")
            })
            .collect();
        let later = later.join("..");
        step.as_table_mut()
            .unwrap()
            .insert("before".into(), Toml::from(later));
    }
    Scenario::parse("variant.toml".as_ref(), &scenario.to_string()).unwrap()
}

#[test]
fn what_was_done_before_the_window_is_found_and_judged_by_its_records() {
    for seed in 1..=3 {
        let run = play_of(&long_ago(), seed);
        let state = perfect(&run);
        let (_, analysis) = state.analysis.as_ref().unwrap();
        let (opened, _) = state.opened.as_ref().unwrap();
        let first = analysis.first_known_bad.unwrap();
        assert!(
            opened.duration_since(first) > SignedDuration::from_hours(40 * 24),
            "seed {seed}: {first}"
        );
        for name in [EARLIER_AUDIT, EARLIER_TRACE] {
            let read = analysis.sources.iter().find(|read| read.name == name);
            let read = read.unwrap_or_else(|| panic!("seed {seed}: {name}"));
            assert_eq!(read.looked, Looked::Whole, "{read:?}");
            assert!(read.why.as_ref().unwrap().starts_with("read back to "));
        }
    }
}
