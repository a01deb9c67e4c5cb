//! The verdict says no more than the logs that are there support.

use jiff::{SignedDuration, Timestamp};
use retake_corpus::{Kind, Options};
use retake_hunt::{Coverage, HuntReport, Path, Source, Verdict};

use crate::found::{Files, files, hunt, hunt_at, lines, options};

fn ledger(coverage: &[Coverage], source: Source) -> Vec<String> {
    coverage
        .iter()
        .filter(|line| line.source == source)
        .flat_map(|line| line.gaps.iter().map(|gap| gap.why.clone()))
        .collect()
}

/// The ledger of all says it, and that of everybody who stands out.
fn says(report: &HuntReport, source: Source, what: &str) -> bool {
    let says = |coverage: &[Coverage]| {
        ledger(coverage, source)
            .iter()
            .any(|why| why.contains(what))
    };
    says(&report.coverage)
        && report
            .alarming()
            .all(|answer| says(&answer.analysis.coverage))
}

/// With logs that are missing nobody is wronged, and no path is named that is not the one;
/// most of those who were taken are found all the same.
fn says_no_more(seeds: [u64; 3]) {
    for without in [
        &["silent"][..],
        &["interactive", "silent"],
        &["interactive", "silent", "directory", "trace"],
    ] {
        let (mut taken, mut found, mut paths) = (0, 0, 0);
        for seed in seeds {
            let options = options(seed);
            let files = files(&options);
            let report = hunt(&files, &options, without);
            for answer in &report.users {
                let it = &answer.analysis;
                let compromised = it.verdict == Verdict::Compromised;
                let mut truths = files.told.truths.iter();
                let Some(truth) = truths.find(|truth| truth.user == answer.user) else {
                    assert!(
                        !compromised,
                        "{seed} without {without:?}: {} has no story: {:?}",
                        answer.user, it.reasons
                    );
                    continue;
                };
                taken += 1;
                found += usize::from(compromised);
                paths += usize::from(it.path.name() == truth.path);
                assert!(
                    it.path == Path::Unknown || it.path.name() == truth.path,
                    "{seed} without {without:?}: {} by {}: {:#?}",
                    answer.user,
                    truth.path,
                    it.path_evidence
                );
            }
        }
        eprintln!("without {without:?}: {taken} taken, {found} found, {paths} paths");
        assert!(found * 10 >= taken * 9 && paths * 10 >= taken * 9);
    }
}

#[test]
fn with_logs_missing_nobody_is_wronged_and_no_path_is_wrong() {
    // The providers of these moved their people about.
    says_no_more([2, 12, 17]);
}

#[test]
fn with_logs_missing_stolen_sessions_are_not_called_phished() {
    says_no_more([4, 20, 36]);
}

fn nobody_is_clean(report: &HuntReport) {
    assert!(!report.users.is_empty());
    for answer in &report.users {
        assert_ne!(answer.analysis.verdict, Verdict::Clean, "{}", answer.user);
    }
}

#[test]
fn without_its_sign_ins_nobody_is_called_clean() {
    let mut options = Options::new(102, 6_000);
    options.stories = vec![Kind::Invoice, Kind::StolenToken];
    let mut files = files(&options);
    // The audit log's own sign-in records go too.
    files.logs[0] = lines(&files.logs[0], |line| !line.contains("\"UserLog"));
    let report = hunt(&files, &options, &["interactive", "silent"]);
    nobody_is_clean(&report);
    assert!(says(&report, Source::SignIns, "not given"));
}

#[test]
fn without_the_audit_log_nobody_is_called_clean_and_the_ledger_says_so() {
    let mut options = Options::new(103, 6_000);
    options.stories = vec![Kind::Middle];
    let report = hunt(&files(&options), &options, &["audit"]);
    nobody_is_clean(&report);
    assert!(says(&report, Source::Ual, "not given"));
    for answer in &report.users {
        assert!(answer.analysis.blast.read.is_empty());
    }
}

/// A corpus, with what stands between two days of these files left out.
fn with_a_hole(seed: u64, from: i64, to: i64, names: &[usize], story: Kind) -> (Files, Options) {
    let mut options = Options::new(seed, 8_000);
    options.repeats = 0.0;
    options.stories = vec![story];
    let mut files = files(&options);
    let day = |day: i64| {
        Timestamp::from_second(options.start + day * 86_400)
            .unwrap()
            .strftime("%Y-%m-%dT")
            .to_string()
    };
    let days: Vec<String> = (from..to).map(day).collect();
    for name in names {
        files.logs[*name] = lines(&files.logs[*name], |line| {
            let at = [
                "\"CreationTime\":\"",
                "\"TimeGenerated\":\"",
                "\"createdDateTime\":\"",
            ]
            .iter()
            .find_map(|key| line.split(key).nth(1));
            at.is_none_or(|at| !days.iter().any(|day| at.starts_with(day.as_str())))
        });
    }
    (files, options)
}

#[test]
fn a_week_that_is_missing_from_the_sign_ins_is_told_and_nobody_is_called_clean() {
    for (seed, from, to) in [(104, 9, 16), (105, 0, 5), (106, 24, 40)] {
        let (files, options) = with_a_hole(seed, from, to, &[1, 2], Kind::Reader);
        let report = hunt(&files, &options, &[]);
        nobody_is_clean(&report);
        assert!(says(&report, Source::SignIns, "cut off"), "{seed}");
        let line = report
            .coverage
            .iter()
            .find(|line| line.source == Source::SignIns)
            .unwrap();
        let hole = line
            .gaps
            .iter()
            .find(|gap| gap.why.contains("cut off"))
            .unwrap();
        // Begin and end of the log are open; a hole between has both.
        assert_eq!(
            (hole.from.is_some(), hole.to.is_some()),
            (from > 0, to < 30),
            "{seed}"
        );
    }
}

#[test]
fn days_that_are_missing_from_the_audit_log_are_told() {
    let (files, options) = with_a_hole(107, 12, 18, &[0], Kind::Middle);
    let report = hunt(&files, &options, &[]);
    nobody_is_clean(&report);
    assert!(says(&report, Source::Ual, "cut off"));
}

#[test]
fn whole_logs_have_no_hole() {
    for seed in [108, 109] {
        let options = Options::new(seed, 8_000);
        let report = hunt(&files(&options), &options, &[]);
        let alarming = report.alarming().map(|answer| &answer.analysis.coverage);
        for coverage in alarming.chain([&report.coverage]) {
            for source in [Source::Ual, Source::SignIns] {
                let gaps = ledger(coverage, source);
                assert!(!gaps.iter().any(|why| why.contains("cut off")), "{gaps:?}");
            }
        }
        let clean = |answer: &&retake_hunt::UserAnswer| answer.analysis.verdict == Verdict::Clean;
        assert!(report.users.iter().filter(clean).count() > report.users.len() / 2);
    }
}

#[test]
fn asked_while_records_are_on_their_way_the_ledger_says_what_may_still_come() {
    let mut options = Options::new(110, 6_000);
    options.stories = vec![Kind::Invoice];
    let files = files(&options);
    let end = Timestamp::from_second(options.start + options.days * 86_400).unwrap();
    let report = hunt_at(&files, &[], end);
    assert!(says(&report, Source::Ual, "late"));
    assert!(says(&report, Source::SignIns, "late"));
    let later = end
        .checked_add(SignedDuration::from_hours(24 * 40))
        .unwrap();
    assert!(!says(&hunt_at(&files, &[], later), Source::Ual, "late"));
}

#[test]
fn where_reading_is_no_longer_recorded_everything_counts_as_read() {
    let mut options = Options::new(111, 6_000);
    options.stories = vec![Kind::StolenToken];
    let mut files = files(&options);
    let truth = files.told.truths[0].clone();
    let record = truth
        .events
        .iter()
        .find(|id| {
            String::from_utf8_lossy(&files.logs[0])
                .lines()
                .any(|line| line.contains(*id) && line.contains("IsThrottled"))
        })
        .unwrap();
    files.logs[0] = String::from_utf8_lossy(&files.logs[0])
        .split_inclusive('\n')
        .map(|line| {
            if line.contains(record) {
                line.replace(
                    "\"Name\":\"IsThrottled\",\"Value\":\"False\"",
                    "\"Name\":\"IsThrottled\",\"Value\":\"True\"",
                )
            } else {
                line.to_owned()
            }
        })
        .collect::<String>()
        .into_bytes();
    let report = hunt(&files, &options, &[]);
    let of = |user: &str| {
        &report
            .users
            .iter()
            .find(|answer| answer.user == user)
            .unwrap()
            .analysis
    };
    let it = of(&truth.user);
    assert_eq!(it.verdict, Verdict::Compromised);
    assert!(
        ledger(&it.coverage, Source::Ual)
            .iter()
            .any(|why| why.contains("assume that everything was read"))
    );
    assert!(
        it.blast
            .read
            .iter()
            .any(|mail| mail.how == retake_hunt::HowRead::Throttled)
    );
    // It is this mailbox's matter alone.
    let others = report.alarming().filter(|answer| answer.user != truth.user);
    let others = others.map(|answer| &answer.analysis.coverage);
    assert!(
        !others
            .chain([&report.coverage])
            .flat_map(|coverage| ledger(coverage, Source::Ual))
            .any(|why| why.contains("everything was read"))
    );
}

#[test]
fn nobody_is_called_compromised_where_nothing_happened() {
    for seed in [101, 112, 113] {
        let options = Options::new(seed, 8_000);
        let report = hunt(&files(&options), &options, &[]);
        assert!(!report.users.is_empty());
        for answer in &report.users {
            assert_ne!(
                answer.analysis.verdict,
                Verdict::Compromised,
                "{}: {:?}",
                answer.user,
                answer.analysis.reasons
            );
        }
    }
}

#[test]
fn with_the_attackers_records_left_out_nobody_is_called_compromised() {
    let mut options = Options::new(114, 8_000);
    options.repeats = 0.0;
    options.stories = Kind::ALL.to_vec();
    options.users = 30;
    let mut files = files(&options);
    assert!(files.told.truths.len() >= Kind::ALL.len());
    let gone: Vec<String> = files
        .told
        .truths
        .iter()
        .flat_map(|truth| truth.events.clone())
        .collect();
    for log in &mut files.logs[..4] {
        *log = lines(log, |line| {
            !gone.iter().any(|id| line.contains(id.as_str()))
        });
    }
    let report = hunt(&files, &options, &[]);
    for answer in &report.users {
        assert_ne!(
            answer.analysis.verdict,
            Verdict::Compromised,
            "{}: {:#?}",
            answer.user,
            answer.analysis.reasons
        );
    }
}
