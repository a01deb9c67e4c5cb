//! Hunts through generated corpora and compares the answers with the truth.
//!
//! By hand, to look at single seeds; with the events in memory. The long run over the table is
//! `cargo xtask soak hunt`.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::io::Write;
use std::time::Instant;

use clap::Parser;
use jiff::Timestamp;
use retake_corpus::check::{Checked, check};
use retake_corpus::{AuditForm, Logs, Options, SignInForm, generate};
use retake_hunt::{Import, Verdict};

/// The logs of a corpus, in the order of [`Logs`].
const LOGS: [&str; 5] = ["audit", "interactive", "silent", "directory", "trace"];

#[derive(Parser)]
struct Arguments {
    /// First seed.
    from: u64,
    /// Last seed.
    to: u64,
    /// About how many audit records each.
    #[arg(long, default_value_t = 20_000)]
    events: u64,
    /// How many stories each; none: as the tests have it.
    #[arg(long)]
    stories: Option<usize>,
    /// The corpus that `cargo xtask soak hunt` makes of the seed.
    #[arg(long)]
    soak: bool,
    /// Logs that are not given: without a premium licence all but `audit` and `trace`.
    #[arg(long, value_delimiter = ',', value_parser = LOGS)]
    without: Vec<String>,
    /// Why accounts without a story need a look.
    #[arg(long)]
    suspicious: bool,
    /// Tells what is known of this account's sign-ins and changes.
    #[arg(long)]
    user: Option<String>,
}

fn main() {
    let arguments = Arguments::parse();
    let mut all = Checked::default();
    for seed in arguments.from..=arguments.to {
        let mut options = Options::new(seed, arguments.events)
            .with_stories(arguments.stories.unwrap_or(3 + seed as usize % 4));
        options.audit = [AuditForm::Lines, AuditForm::Portal, AuditForm::Shell][seed as usize % 3];
        options.sign_ins = [SignInForm::Graph, SignInForm::Analytics][seed as usize % 2];
        options.repeats = if seed.is_multiple_of(5) { 0.44 } else { 0.05 };
        if arguments.soak {
            options = retake_corpus::soak::options(seed, arguments.events);
        }
        let begin = Instant::now();
        let mut logs: [Vec<u8>; 5] = Default::default();
        let mut given = LOGS.iter().zip(&mut logs).map(|(name, log)| {
            let given = !arguments.without.iter().any(|without| without == name);
            given.then_some(log as &mut dyn Write)
        });
        let told = generate(
            &options,
            Logs {
                audit: given.next().flatten(),
                interactive: given.next().flatten(),
                silent: given.next().flatten(),
                directory: given.next().flatten(),
                trace: given.next().flatten(),
            },
        )
        .unwrap();
        drop(given);
        let generated = begin.elapsed();
        let mut import = Import::new();
        for (name, bytes) in LOGS.iter().zip(&logs) {
            import.add_bytes(name, bytes);
        }
        let imported = import.finish();
        if let Some(user) = &arguments.user {
            tell(&imported.events, user);
        }
        let read = begin.elapsed();
        let end =
            Timestamp::from_second(options.start + options.days * 86_400 + 40 * 86_400).unwrap();
        let report = retake_hunt::report(imported, &retake_hunt::Options::new(end).unwrap());
        let checked = check(&told, &report);
        println!(
            "seed {seed}: {:?}; {} of {} found, {} first events, {} paths, blast {:?}; {} wronged, suspicious {:?}; {generated:.1?} {:.1?} {:.1?}",
            told.truths
                .iter()
                .filter_map(|truth| truth.kind)
                .collect::<Vec<_>>(),
            checked.found,
            checked.taken,
            checked.first_event,
            checked.path,
            checked.blast,
            checked.wronged,
            checked.suspicious,
            read.saturating_sub(generated),
            begin.elapsed().saturating_sub(read),
        );
        for line in &checked.wrong {
            println!("  WRONG {line}");
        }
        if arguments.suspicious {
            for answer in report.users.iter().filter(|answer| {
                answer.analysis.verdict == Verdict::Suspicious
                    && !told.truths.iter().any(|truth| truth.user == answer.user)
            }) {
                let reasons: Vec<_> = answer
                    .analysis
                    .reasons
                    .iter()
                    .map(|reason| (reason.points, &reason.text))
                    .collect();
                println!("  look at {}: {reasons:?}", answer.user);
                for change in answer.analysis.changes.iter().filter(|change| {
                    change.by == retake_hunt::By::Unknown && !change.detections.is_empty()
                }) {
                    println!(
                        "    {} {}: {:?}",
                        change.at, change.record_id, change.reasons
                    );
                }
            }
        }
        all.add(checked);
    }
    println!(
        "all: {} of {} found, {} first events, {} paths, blast {:?}; {} wronged, suspicious {:?}",
        all.found, all.taken, all.first_event, all.path, all.blast, all.wronged, all.suspicious
    );
}

/// One line for each sign-in or change.
fn tell(events: &[retake_hunt::Event], user: &str) {
    for event in events.iter().filter(|event| {
        event
            .user
            .as_deref()
            .is_some_and(|name| name.starts_with(user))
            && (event.is_sign_in()
                || event.source == retake_hunt::Source::DirectoryAudits
                || event.record_type.as_deref() == Some("1"))
    }) {
        println!(
            "    {} {} {:?} {:?} {:?} {:?} {} device {:?} session {:?} {} {:?} {:?}",
            event.time,
            event.operation,
            event.outcome,
            event.address,
            event.network,
            event.place.country,
            event
                .user_agent
                .as_deref()
                .map(retake_hunt::agent::signature)
                .unwrap_or_default(),
            event.device.id.as_deref().map(|id| &id[..4]),
            event.session_id.as_deref().map(|id| &id[..4]),
            match event.interactive {
                Some(true) => "page",
                Some(false) => "",
                None => "page?",
            },
            event.mfa,
            event.record_id,
        );
    }
}
