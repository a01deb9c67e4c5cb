//! Every story is found with its first event; nobody without a story is called compromised.

use jiff::Timestamp;
use retake_corpus::check::{Checked, check};
use retake_corpus::{AuditForm, Kind, Logs, Options, SignInForm, Told, generate};
use retake_hunt::{HuntReport, Import};

/// A corpus as it comes out of the generator.
pub(crate) struct Files {
    pub(crate) logs: [Vec<u8>; 5],
    pub(crate) told: Told,
}

pub(crate) const NAMES: [&str; 5] = ["audit", "interactive", "silent", "directory", "trace"];

pub(crate) fn files(options: &Options) -> Files {
    let mut logs: [Vec<u8>; 5] = Default::default();
    let [audit, interactive, silent, directory, trace] = &mut logs;
    let told = generate(
        options,
        Logs {
            audit: Some(audit),
            interactive: Some(interactive),
            silent: Some(silent),
            directory: Some(directory),
            trace: Some(trace),
        },
    )
    .unwrap();
    Files { logs, told }
}

/// The hunt over these files, those of `without` left out, long after.
pub(crate) fn hunt(files: &Files, options: &Options, without: &[&str]) -> HuntReport {
    let end = Timestamp::from_second(options.start + options.days * 86_400 + 40 * 86_400).unwrap();
    hunt_at(files, without, end)
}

/// The same at a time of asking.
pub(crate) fn hunt_at(files: &Files, without: &[&str], now: Timestamp) -> HuntReport {
    let mut import = Import::new();
    for (name, bytes) in NAMES.iter().zip(&files.logs) {
        if !without.contains(name) {
            import.add_bytes(name, bytes);
        }
    }
    retake_hunt::report(import.finish(), &retake_hunt::Options::new(now).unwrap())
}

/// The corpus of a seed, in one form or another.
pub(crate) fn options(seed: u64) -> Options {
    let mut options = Options::new(seed, 20_000).with_stories(3 + seed as usize % 4);
    options.audit = [AuditForm::Lines, AuditForm::Portal, AuditForm::Shell][seed as usize % 3];
    options.sign_ins = [SignInForm::Graph, SignInForm::Analytics][seed as usize % 2];
    options.repeats = if seed.is_multiple_of(5) { 0.44 } else { 0.05 };
    options
}

/// Plays some seeds: every story is found with its first event, its path and what was read,
/// sent and changed, and nobody else is called compromised.
fn play(seeds: std::ops::Range<u64>) {
    let mut all = Checked::default();
    for seed in seeds {
        let options = options(seed);
        let files = files(&options);
        let mut checked = check(&files.told, &hunt(&files, &options, &[]));
        for line in &mut checked.wrong {
            *line = format!("{seed}: {line}");
        }
        all.add(checked);
    }
    eprintln!(
        "{} accounts taken; suspicious without a story: {:?}",
        all.taken, all.suspicious
    );
    assert!(
        all.wrong.is_empty(),
        "{} wrong:\n{}",
        all.wrong.len(),
        all.wrong.join("\n")
    );
    assert_eq!(
        (all.taken, all.taken, all.taken),
        (all.found, all.first_event, all.path)
    );
    assert!(all.taken >= 20, "{}", all.taken);
    // Whoever has no story seldom needs a look.
    assert!(
        all.suspicious.0 * 20 <= all.suspicious.1,
        "{:?}",
        all.suspicious
    );
    assert!(
        all.blast.0 > 500 && all.blast.0 == all.blast.1,
        "{:?}",
        all.blast
    );
}

#[test]
fn seeds_one_to_five() {
    play(1..6);
}

#[test]
fn seeds_six_to_ten() {
    play(6..11);
}

#[test]
fn seeds_eleven_to_fifteen() {
    play(11..16);
}

#[test]
fn seeds_sixteen_to_twenty() {
    play(16..21);
}

pub(crate) fn lines(bytes: &[u8], keep: impl Fn(&str) -> bool) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    text.split_inclusive('\n')
        .filter(|line| keep(line))
        .collect::<String>()
        .into_bytes()
}

#[test]
fn every_kind_of_story_is_among_the_seeds() {
    for kind in Kind::ALL {
        assert!(
            (1..21).any(|seed| options(seed).stories.contains(&kind)),
            "{kind:?}"
        );
    }
}
