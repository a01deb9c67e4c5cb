//! `retake hunt`: what exported logs say.

mod importing;
pub(crate) mod outgoing;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use retake_hunt::import::Sorted;
use retake_hunt::{
    Event, HuntError, HuntReport, Options, Retrace, Severity, Store as _, StoreError,
};
use retake_playbook::codes::{self, Exit};
use retake_report::hunt::{Form, Next, Timeline, details, page, screen};
use serde_json::json;

use self::importing::Hunted;
use self::outgoing::Outgoing;
use crate::args::{Hunt, TimelineForm};
use crate::failure::Failure;
use crate::terminal::{Terminal, safe};

/// Bytes of events that are held while a timeline is sorted.
const SORTED: usize = 32 << 20;

pub(crate) fn run(args: &Hunt, terminal: &Terminal) -> Result<Exit, Failure> {
    let form = args
        .timeline
        .as_ref()
        .map(|path| form_of(path, args.timeline_form))
        .transpose()?;
    // What cannot be written is told before hours of reading.
    let outputs: Vec<&PathBuf> = args.report.iter().chain(&args.timeline).collect();
    if let [one, other] = outputs.as_slice()
        && one == other
    {
        return Err(Failure::usage(
            format!("{} cannot be both report and timeline.", one.display()),
            "Name two files.",
        ));
    }
    for path in &outputs {
        Outgoing::probe(path, args.replace)?;
    }

    let now = Timestamp::now();
    let mut options = Options::new(now).map_err(failure)?;
    options.users.clone_from(&args.user);
    for path in &args.detections {
        options.detections.add_path(path).map_err(|error| {
            Failure::new(
                codes::BAD_INPUT,
                format!("A detection of yours cannot be used: {error}. Nothing was read."),
                "See detections/README.md for what a detection's file holds.",
            )
        })?;
    }
    for path in &args.sigma {
        options.sigma.add_path(path).map_err(|error| {
            Failure::new(
                codes::BAD_INPUT,
                format!(
                    "The Sigma rules at {} cannot be read: {error}. Nothing was read.",
                    path.display()
                ),
                "Name a rule file or a folder of them.",
            )
        })?;
    }
    let hunted = importing::import(args, &options, terminal)?;
    let report = &hunted.report;

    let mut retrace = Retrace::new(report, &args.user);
    hunted
        .table
        .scan(&mut |event| {
            retrace.put(&event);
            Ok(())
        })
        .map_err(unreadable)?;
    let mut written = Vec::new();
    if let (Some(path), Some(form)) = (&args.timeline, form) {
        write_timeline(path, form, args, &hunted, &retrace)?;
        written.push(path);
    }
    if let Some(path) = &args.report {
        let html = page(report, &retrace, now).map_err(|error| {
            Failure::new(codes::INTERNAL, error.to_string(), "Please report it.")
        })?;
        let mut file = Outgoing::open(path, args.replace)?;
        file.write_all(html.as_bytes())
            .map_err(|error| outgoing::failed(path, &error))?;
        file.finish()?;
        written.push(path);
    }
    written.extend(&args.to);
    show(args, terminal, report, &retrace, &written);
    Ok(exit(report))
}

fn show(
    args: &Hunt,
    terminal: &Terminal,
    report: &HuntReport,
    retrace: &Retrace<'_>,
    written: &[&PathBuf],
) {
    if terminal.json() {
        let mut document = retake_hunt::json::document(report, retrace);
        if let Some(map) = document.as_object_mut().filter(|_| !written.is_empty()) {
            let files: Vec<String> = written
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            map.insert("files".to_owned(), json!(files));
        }
        terminal.document(&document);
        return;
    }
    let look = terminal.look();
    let next = Next {
        files: typed_again(&args.files),
        reported: args.report.is_some(),
    };
    terminal.data(screen(report, retrace, look, &next).trim_end());
    let asked: Vec<String> = args.user.iter().map(|user| user.to_lowercase()).collect();
    for answer in &report.users {
        let wanted = if asked.is_empty() {
            args.details && retrace.user(&answer.user).is_some()
        } else {
            asked.contains(&answer.user)
        };
        if wanted {
            terminal.data("");
            terminal.data(details(report, answer, retrace, look).trim_end());
        }
    }
    for user in asked {
        if !report.users.iter().any(|answer| answer.user == user) {
            terminal.say(&format!("The logs name no account {}.", safe(&user)));
        }
    }
    for path in written {
        terminal.say(&format!("wrote {}", safe(&path.display().to_string())));
        if let Some(folder) = outgoing::read_again(path, &args.files) {
            terminal.say(&format!(
                "{} lies in {}, which was read: the next hunt there reads it too.",
                safe(&path.display().to_string()),
                safe(&folder.display().to_string())
            ));
        }
    }
}

/// The events of the table, or of some accounts in it, in order of time.
fn write_timeline(
    path: &Path,
    form: Form,
    args: &Hunt,
    hunted: &Hunted,
    retrace: &Retrace<'_>,
) -> Result<(), Failure> {
    let failed = |error: std::io::Error| outgoing::failed(path, &error);
    let asked: Vec<String> = args.user.iter().map(|user| user.to_lowercase()).collect();
    let concerns = |event: &Event| {
        asked.is_empty()
            || [event.user.as_ref(), event.mailbox.as_ref()]
                .into_iter()
                .flatten()
                .any(|name| asked.contains(name))
    };
    let file = Outgoing::open(path, args.replace)?;
    let mut timeline = Timeline::new(file, form, &hunted.report).map_err(failed)?;
    let mut sorted = Sorted::new(hunted.scratch.path(), SORTED).map_err(failed)?;
    hunted
        .table
        .scan(&mut |event| {
            if concerns(&event) {
                let put = sorted.put(&event);
                put.map_err(|error| StoreError::new("sorting the timeline", error))?;
            }
            Ok(())
        })
        .map_err(unreadable)?;
    sorted
        .each::<std::io::Error>(&mut |event| timeline.put(&event, retrace.whose(&event)))
        .map_err(failed)?;
    let (file, _) = timeline.finish().map_err(failed)?;
    file.finish()
}

/// The table was written a moment ago.
fn unreadable(error: StoreError) -> Failure {
    Failure::new(
        codes::BAD_INPUT,
        format!("The table of events cannot be read back: {error}. The logs are as they were."),
        "See whether the disk is full, and run the hunt again.",
    )
}

/// The form that was asked for, or that the file's ending says.
fn form_of(path: &Path, asked: Option<TimelineForm>) -> Result<Form, Failure> {
    let ending = path
        .extension()
        .map(|ending| ending.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    let by_ending = match ending.as_str() {
        "csv" => Some(TimelineForm::Csv),
        "jsonl" | "ndjson" => Some(TimelineForm::Jsonl),
        "txt" | "log" => Some(TimelineForm::Table),
        _ => None,
    };
    match asked.or(by_ending) {
        Some(TimelineForm::Table) => Ok(Form::Table),
        Some(TimelineForm::Jsonl) => Ok(Form::JsonLines),
        Some(TimelineForm::Csv) => Ok(Form::Csv),
        Some(TimelineForm::Timesketch) => match ending.as_str() {
            "csv" => Ok(Form::TimesketchCsv),
            "jsonl" => Ok(Form::TimesketchJsonLines),
            // Timesketch goes by the ending.
            _ => Err(Failure::usage(
                format!(
                    "{} ends in neither .csv nor .jsonl, which is what Timesketch goes by. Nothing was read.",
                    path.display()
                ),
                "Give the file one of these endings.",
            )),
        },
        None => Err(Failure::usage(
            format!(
                "The ending of {} does not say which form the timeline has. Nothing was read.",
                path.display()
            ),
            "End it in .csv, .jsonl or .txt, or give --timeline-form.",
        )),
    }
}

/// The files as they can be typed into a shell again, where that is short.
fn typed_again(files: &[PathBuf]) -> String {
    let plain = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "./_-".contains(c))
            && !text.starts_with('-')
    };
    let typed: Option<Vec<&str>> = files
        .iter()
        .map(|path| path.to_str().filter(|text| plain(text)))
        .collect();
    typed
        .map(|typed| typed.join(" "))
        .filter(|typed| typed.len() <= 36)
        .unwrap_or_else(|| "FILES".to_owned())
}

fn exit(report: &HuntReport) -> Exit {
    let found = report.alarming().next().is_some()
        || report
            .findings
            .iter()
            .any(|finding| finding.severity >= Severity::Medium)
        || report
            .sigma
            .findings
            .iter()
            .any(|finding| finding.severity >= Severity::Medium);
    if found || report.imported.counts.damaged > 0 {
        Exit::NeedsPerson
    } else {
        Exit::Done
    }
}

fn failure(error: HuntError) -> Failure {
    match error {
        HuntError::Detection(error) => Failure::new(
            codes::INTERNAL,
            format!("The embedded detections cannot be used: {error}"),
            "Please report it.",
        ),
        error => Failure::new(
            codes::BAD_INPUT,
            format!("The logs cannot be read: {error}. Nothing was changed."),
            "Name files or directories of exported logs; zip and gz are opened.",
        ),
    }
}
