//! `retake case …`: reading, exporting and verifying cases.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use retake_casefile::{Bundle, CaseId, Overwrite, Store, VerifyError, export, verify};
use retake_playbook::State;
use retake_playbook::codes::{self, Exit};
use retake_playbook::machine::next;
use retake_tenant::edge::{Entropy as _, SystemEntropy};
use serde_json::{Value, json};

use crate::args::Case;
use crate::failure::Failure;
use crate::home::Home;
use crate::terminal::{QUIET, STRONG, Terminal, safe};
use crate::watch;

pub(crate) fn run(args: &Case, home: &Home, terminal: &Terminal) -> Result<Exit, Failure> {
    match args {
        Case::List => list(&Store::open(&home.store())?, terminal),
        Case::Show { case } => show(&Store::open(&home.store())?, case, terminal),
        Case::Log { case } => log(&Store::open(&home.store())?, case, terminal),
        Case::Close { case, name, reason } => {
            super::answer::close(case, name, reason.as_deref(), home, terminal)
        }
        Case::Export { case, out, replace } => {
            write(&Store::open(&home.store())?, case, out, *replace, terminal)
        }
        Case::Report { case, out } => report(&Store::open(&home.store())?, case, out, terminal),
        Case::Verify {
            file,
            key,
            attestation,
        } => prove(file, key.as_deref(), attestation.as_deref(), terminal),
    }
}

fn list(store: &Store, terminal: &Terminal) -> Result<Exit, Failure> {
    let cases = store.cases()?;
    if terminal.json() {
        let cases: Vec<_> = cases
            .iter()
            .map(|case| {
                json!({"case": case.id, "tenant": case.tenant, "account": case.account_key,
                       "opened_at": case.opened_at, "last_at": case.last_at,
                       "records": case.records, "closed": case.closed})
            })
            .collect();
        terminal.document(&json!({"schema": "retake.cases/1", "cases": cases}));
        return Ok(Exit::Done);
    }
    if cases.is_empty() {
        terminal.say("No cases yet. `retake respond USER --tenant NAME` opens one; `retake drill` practises.");
    }
    for case in cases {
        terminal.data(&format!(
            "{}  {}  {}  {}",
            case.id,
            if case.closed { "closed" } else { "open  " },
            case.opened_at,
            safe(&case.account_key)
        ));
    }
    Ok(Exit::Done)
}

fn state_of(store: &Store, id: &CaseId) -> Result<State, Failure> {
    let records = store.records(id)?;
    Ok(State::fold(
        records.iter().map(|record| (record.at, &record.event)),
    ))
}

fn show(store: &Store, case: &str, terminal: &Terminal) -> Result<Exit, Failure> {
    let state = state_of(store, &CaseId::parse(case)?)?;
    if terminal.json() {
        let value = serde_json::to_value(&state).map_err(|error| internal(&error))?;
        terminal.document(&json!({"schema": "retake.state/1", "state": value}));
        return Ok(Exit::Done);
    }
    let say = |line: String| terminal.data(&line);
    if let Some((at, opened)) = &state.opened {
        say(format!(
            "{STRONG}case {}{STRONG:#}, opened {at} by {}",
            safe(&opened.case),
            safe(&opened.responder)
        ));
        say(format!("  account  {}", safe(&opened.account)));
        say(format!("  alert    {}", safe(&opened.alert)));
    }
    say(format!("  stands   {:?}", state.phase));
    if let Some(now) = state.last_at {
        for command in next(&state, now) {
            if let retake_playbook::Command::Ask(gate) = command {
                say(format!(
                    "  waits    gate `{}`, for {}: {}",
                    gate.spec().name,
                    gate.spec().duty,
                    gate.spec().asks
                ));
            }
            if let retake_playbook::Command::Stop(why) = command {
                say(format!("  halted   {}", safe(&why)));
            }
        }
    }
    if let Some(end) = state.access_ends_at() {
        say(format!("  access   the last known token ends by {end}"));
    }
    for (id, action) in &state.actions {
        let how = match (&action.verified, &action.applied, &action.stopped) {
            (Some((at, _)), ..) => format!("verified {at}"),
            (_, _, Some((_, why, message))) => format!("stopped ({why:?}): {}", safe(message)),
            (_, Some((at, _)), _) => format!("accepted {at}, not yet verified"),
            _ if !action.intended.is_empty() => "sent, outcome not known yet".to_owned(),
            _ => "not done yet".to_owned(),
        };
        let object = &action.planned.object;
        say(format!(
            "  {:>4} {} {}: \"{}\" {QUIET}{how}{QUIET:#}",
            id.to_string(),
            action.planned.step,
            action.planned.title(),
            safe(object.name.as_deref().unwrap_or(&object.id))
        ));
    }
    Ok(Exit::Done)
}

fn log(store: &Store, case: &str, terminal: &Terminal) -> Result<Exit, Failure> {
    let records = store.records(&CaseId::parse(case)?)?;
    let mut state = State::default();
    for record in &records {
        state.apply(record.at, &record.event);
        if terminal.json() {
            terminal.raw(&record.line());
        } else {
            let line = watch::line(&record.event, &state).unwrap_or_else(|| name(&record.event));
            terminal.data(&format!(
                "{:>5}  {}  {QUIET}{}{QUIET:#}  {}",
                record.seq,
                record.at,
                record.hash.short(),
                safe(&line)
            ));
        }
    }
    Ok(Exit::Done)
}

/// The event's name, for those that the live view leaves out.
fn name(event: &retake_playbook::Event) -> String {
    serde_json::to_value(event)
        .ok()
        .and_then(|value| Some(value.get("event")?.as_str()?.replace('_', " ")))
        .unwrap_or_default()
}

fn write(
    store: &Store,
    case: &str,
    out: &Path,
    replace: bool,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let key = store.signing_key(&mut |bytes| SystemEntropy.fill(bytes))?;
    let overwrite = if replace {
        Overwrite::Replace
    } else {
        Overwrite::Refuse
    };
    let written = export(store, &CaseId::parse(case)?, out, &key, overwrite)?;
    terminal.say(&format!(
        "{} entries, {} bytes. Hand the fingerprint over by another way than the file:",
        written.entries, written.bytes
    ));
    if terminal.json() {
        terminal.document(&json!({
            "schema": "retake.export/1",
            "case": case,
            "file": out.display().to_string(),
            "entries": written.entries,
            "bytes": written.bytes,
            "fingerprint": written.fingerprint.to_string(),
        }));
    } else {
        terminal.data(&written.fingerprint.to_string());
    }
    Ok(Exit::Done)
}

fn report(store: &Store, case: &str, out: &Path, terminal: &Terminal) -> Result<Exit, Failure> {
    let id = CaseId::parse(case)?;
    let records = store.records(&id)?;
    let report = retake_report::render(&records, &|digest| {
        store.evidence(&id, digest).ok().flatten()
    })
    .map_err(|error| internal(&error))?;
    let files = write_report(&report, out, id.as_str())?;
    let files: Vec<String> = files
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    for file in &files {
        terminal.data(file);
    }
    if terminal.json() {
        terminal.document(&json!({"schema": "retake.files/1", "files": files}));
    }
    Ok(Exit::Done)
}

/// Writes a report in all its forms: `NAME.html`, `NAME.md`, `NAME.json`, the attestation,
/// and the documents in a folder beside them. Names of files come from the case's id and
/// from letters and digits alone, whatever the documents are called.
pub(crate) fn write_report(
    report: &retake_report::Report,
    out: &Path,
    name: &str,
) -> Result<Vec<PathBuf>, Failure> {
    let pretty = |value: &Value| {
        serde_json::to_string_pretty(value)
            .map(|text| retake_report::escape::json(&text) + "\n")
            .map_err(|error| internal(&error))
    };
    let mut files = vec![
        (format!("{name}.html"), report.html.clone()),
        (format!("{name}.md"), report.markdown.clone()),
        (format!("{name}.json"), pretty(&report.json)?),
        (
            format!("{name}.attestation.json"),
            pretty(&report.attestation)?,
        ),
    ];
    for document in &report.documents {
        files.push((
            format!("{name}-documents/{}.txt", document.name),
            document.text.clone(),
        ));
    }
    let mut written = Vec::new();
    for (file, text) in files {
        let path = out.join(file);
        path.parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(&path, text))
            .map_err(|error| {
                Failure::new(
                    codes::NOT_WRITABLE,
                    format!("{} cannot be written: {error}.", path.display()),
                    "Name another directory with --out.",
                )
                .about(path.display().to_string())
            })?;
        written.push(path);
    }
    Ok(written)
}

fn prove(
    file: &Path,
    key: Option<&str>,
    attestation: Option<&Path>,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let proven = verify(file, key).map_err(|error| altered(file, &error))?;
    let attested = attestation
        .map(|attestation| check_attestation(file, key, attestation))
        .transpose()?;
    terminal.data(&format!(
        "whole and unaltered: case {}, {} records, {} pieces of evidence",
        proven.case, proven.records, proven.evidence
    ));
    if let Some(records) = attested {
        terminal.data(&format!(
            "the attestation follows from its first {records} records"
        ));
    }
    if key.is_none() {
        terminal.say(&format!(
            "It is signed by {}. Compare that with the fingerprint that you were given by another way; --key does it for you.",
            proven.fingerprint
        ));
    }
    if terminal.json() {
        terminal.document(&json!({
            "schema": "retake.verified/1",
            "case": proven.case,
            "records": proven.records,
            "evidence": proven.evidence,
            "head": proven.head,
            "fingerprint": proven.fingerprint.to_string(),
            "expected_key": proven.expected_key,
            "attestation_records": attested,
        }));
    }
    Ok(Exit::Done)
}

/// Whether the attestation follows from the case; how many records it is about.
fn check_attestation(file: &Path, key: Option<&str>, attestation: &Path) -> Result<u64, Failure> {
    let object = attestation.display().to_string();
    let unusable = |why: String| {
        Failure::new(
            codes::FOREIGN_FILE,
            format!("{object} is no attestation: {why}. The exported case is whole."),
            "`retake case report CASE --out DIR` writes one.",
        )
        .about(object.as_str())
    };
    let text = std::fs::read(attestation).map_err(|error| unusable(error.to_string()))?;
    let said: Value = serde_json::from_slice(&text).map_err(|error| unusable(error.to_string()))?;
    let bytes = std::fs::read(file).map_err(|error| unusable(error.to_string()))?;
    let bundle = Bundle::from_bytes(bytes, key).map_err(|error| altered(file, &error))?;
    let differences = retake_report::attest::check(bundle.records(), &said);
    if differences.is_empty() {
        return Ok(said["records"].as_u64().unwrap_or_default());
    }
    let mut message = format!(
        "{object} says what does not follow from the case in {}, which is itself whole and unaltered:",
        file.display()
    );
    for difference in differences {
        let nothing = || "nothing".to_owned();
        // Writing to a String cannot fail.
        let _ = write!(
            message,
            "\n  {}: it says {}, the case {}",
            if difference.at.is_empty() {
                "/"
            } else {
                &difference.at
            },
            difference.said.unwrap_or_else(nothing),
            difference.is.unwrap_or_else(nothing)
        );
    }
    Err(Failure::new(
        codes::ATTESTATION_ALTERED,
        message,
        "Rely on the case, not on this attestation.",
    )
    .about(object))
}

fn altered(file: &Path, error: &VerifyError) -> Failure {
    let code = match error {
        VerifyError::Altered { .. } => codes::EXPORT_ALTERED,
        VerifyError::NewerVersion { .. } => codes::NEWER_VERSION,
        VerifyError::Fingerprint(_) => codes::BAD_INPUT,
        VerifyError::Unreadable { .. } | VerifyError::NotACase => codes::FOREIGN_FILE,
    };
    let mut message = match error {
        VerifyError::Altered { .. } => format!("{} is not as it was signed:", file.display()),
        other => format!("{}: {other}", file.display()),
    };
    for problem in error.problems() {
        message.push_str("\n  ");
        message.push_str(&problem.to_string());
    }
    Failure::new(code, message, error.hint()).about(file.display().to_string())
}

fn internal(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        codes::INTERNAL,
        error.to_string(),
        "Please report it. The journal is not affected.",
    )
}
