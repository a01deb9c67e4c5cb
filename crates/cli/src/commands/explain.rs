//! `retake explain`: the error book, and what steps, gates and artefacts are.

use std::fmt::Write as _;

use retake_playbook::ArtefactId;
use retake_playbook::StepId;
use retake_playbook::catalogue::{ACTIONS, ARTEFACTS, ActionSpec, Reverse};
use retake_playbook::codes::{CODES, Code, Exit};
use retake_playbook::gate::{GATES, GateSpec};
use retake_playbook::steps::{Reach, STEP_NAMES, STEPS};
use serde_json::{Value, json};

use crate::args::Explain;
use crate::failure::Failure;
use crate::terminal::{QUIET, STRONG, Terminal, safe};

macro_rules! pages {
    ($($id:literal)*) => {
        /// The pages of the error book, by code.
        pub(crate) const PAGES: &[(&str, &str)] = &[
            $(($id, include_str!(concat!("../../../../docs/errors/", $id, ".md")))),*
        ];
    };
}

pages! {
    "RT1001" "RT1002" "RT1003" "RT1004" "RT1005" "RT1006"
    "RT1011" "RT1012" "RT1013" "RT1014" "RT1015"
    "RT2001" "RT2002" "RT2003" "RT2004" "RT2005" "RT2006" "RT2007" "RT2008" "RT2009" "RT2010"
    "RT2011" "RT2012"
    "RT2020"
    "RT3001" "RT3002" "RT3003" "RT3004" "RT3005" "RT3006" "RT3007" "RT3008" "RT3009"
    "RT4001" "RT4002" "RT4003" "RT4004" "RT4005"
    "RT5001" "RT5002" "RT5003" "RT5004"
    "RT7001" "RT7002" "RT7003"
}

/// One thing that can be explained.
struct Entry {
    about: String,
    kind: &'static str,
    title: String,
    text: String,
}

pub(crate) fn run(explain: &Explain, terminal: &Terminal) -> Result<Exit, Failure> {
    let Some(asked) = &explain.about else {
        list(terminal);
        return Ok(Exit::Done);
    };
    let entry = code(asked)
        .or_else(|| step(asked))
        .or_else(|| artefact(asked))
        .or_else(|| gate(asked))
        .ok_or_else(|| {
            Failure::usage(
                format!("There is nothing called `{}` to explain.", safe(asked)),
                "`retake explain` alone lists every code, step, gate and artefact.",
            )
            .about(asked.as_str())
        })?;
    if terminal.json() {
        terminal.document(&json!({
            "schema": "retake.explain/1",
            "entries": [document(&entry, true)],
        }));
    } else {
        terminal.raw(entry.text.trim_end());
    }
    Ok(Exit::Done)
}

/// What the error book says is still safe, on one line.
pub(crate) fn still_safe(code: Code) -> String {
    let page = PAGES.iter().find(|(id, _)| *id == code.id);
    page.and_then(|(_, page)| page.split_once("## What is still safe"))
        .map(|(_, rest)| rest.split("\n## ").next().unwrap_or_default())
        .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
        .unwrap_or_default()
}

fn document(entry: &Entry, whole: bool) -> Value {
    json!({
        "about": entry.about,
        "kind": entry.kind,
        "title": entry.title,
        "text": whole.then(|| entry.text.trim_end()),
    })
}

fn list(terminal: &Terminal) {
    let mut ids: Vec<&str> = CODES.iter().map(|known| known.id).collect();
    ids.sort_unstable();
    let codes = ids.into_iter().filter_map(code);
    let steps = STEPS.iter().filter_map(|part| step(&part.id.to_string()));
    let gates = GATES.iter().filter_map(|known| gate(known.name));
    let artefacts = ARTEFACTS
        .iter()
        .filter_map(|known| artefact(&known.id.to_string()));
    let groups: [(&str, Vec<Entry>); 4] = [
        ("Codes of the error book", codes.collect()),
        ("Steps of the playbook", steps.collect()),
        ("Gates", gates.collect()),
        ("Artefacts", artefacts.collect()),
    ];
    if terminal.json() {
        let entries: Vec<Value> = groups
            .iter()
            .flat_map(|(_, entries)| entries)
            .map(|entry| document(entry, false))
            .collect();
        terminal.document(&json!({"schema": "retake.explain/1", "entries": entries}));
        return;
    }
    for (index, (name, entries)) in groups.iter().enumerate() {
        terminal.raw(&format!(
            "{}{STRONG}{name}{STRONG:#}",
            if index == 0 { "" } else { "\n" }
        ));
        for entry in entries {
            terminal.raw(&format!("  {:<14} {}", entry.about, entry.title));
        }
    }
    terminal.raw(&format!(
        "\n{QUIET}retake explain RT3001, S3.5, return or A09 shows the whole page.{QUIET:#}"
    ));
}

fn code(asked: &str) -> Option<Entry> {
    let code = Code::by_id(asked)?;
    let (_, page) = PAGES.iter().find(|(id, _)| *id == code.id)?;
    Some(Entry {
        about: code.id.to_owned(),
        kind: "code",
        title: code.title.to_owned(),
        text: (*page).to_owned(),
    })
}

/// `S3.5`, or all of `S3`.
fn step(asked: &str) -> Option<Entry> {
    let asked = asked.to_uppercase();
    if let Some(number) = asked
        .strip_prefix('S')
        .and_then(|digits| digits.parse::<u8>().ok())
    {
        let name = STEP_NAMES.get(usize::from(number).checked_sub(1)?)?;
        let mut text = format!("# S{number}: {name}\n");
        for part in STEPS.iter().filter(|part| part.id.step() == number) {
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                "\n  {:<6} {} ({})",
                part.id.to_string(),
                part.title,
                reach(part.reach)
            );
        }
        return Some(Entry {
            about: format!("S{number}"),
            kind: "step",
            title: (*name).to_owned(),
            text,
        });
    }
    let id: StepId = asked.parse().ok()?;
    let spec = id.spec()?;
    let mut text = format!(
        "# {id}: {}\n\nPart of S{} {}. {}\n",
        spec.title,
        id.step(),
        STEP_NAMES
            .get(usize::from(id.step()).saturating_sub(1))
            .unwrap_or(&""),
        match spec.reach {
            Reach::Done => "The program does it and reads it back.",
            Reach::Task => "A person carries it out; the program asks, and reads back what it can.",
            Reach::Absent => "This version does not have it; the report of each case says so.",
        }
    );
    for gate in GATES.iter().filter(|gate| gate.step == id) {
        let _ = write!(text, "\n## Gate `{}`\n\n{}\n", gate.name, of_gate(gate));
    }
    for action in ACTIONS.iter().filter(|action| action.step == id) {
        let _ = write!(text, "\n## {}\n\n{}", action.title, of_action(action));
    }
    let needs = retake_responder::preflight::NEEDS
        .iter()
        .any(|needs| needs.step == id);
    if needs {
        text.push_str(
            "\nWhat it needs in the tenant, right by right: `retake tenant check NAME`, or docs/reference/permissions.md.\n",
        );
    }
    Some(Entry {
        about: id.to_string(),
        kind: "step",
        title: spec.title.to_owned(),
        text,
    })
}

const fn reach(reach: Reach) -> &'static str {
    match reach {
        Reach::Done => "done",
        Reach::Task => "a person's task",
        Reach::Absent => "not in this version",
    }
}

fn gate(asked: &str) -> Option<Entry> {
    let spec = GATES
        .iter()
        .find(|spec| spec.name.eq_ignore_ascii_case(asked))?;
    Some(Entry {
        about: spec.name.to_owned(),
        kind: "gate",
        title: spec.asks.to_owned(),
        text: format!("# Gate `{}`\n\n{}\n", spec.name, of_gate(spec)),
    })
}

fn of_gate(gate: &GateSpec) -> String {
    format!(
        "  asks        {}\n  asked of    {}\n  belongs to  {} {}\n  if refused  {}\n\nA named person may override it with a reason, which stays in the record.",
        gate.asks,
        gate.duty,
        gate.step,
        gate.step.title(),
        gate.refused
    )
}

fn artefact(asked: &str) -> Option<Entry> {
    let id: ArtefactId = asked.to_uppercase().parse().ok()?;
    let spec = ARTEFACTS.iter().find(|spec| spec.id == id)?;
    let mut text = format!(
        "# {id}: {}\n\nCarried by: {}. It gives {}.\n",
        spec.title,
        spec.object.words(),
        spec.gives
    );
    for kind in spec.ended_by {
        let action = kind.spec();
        let _ = write!(
            text,
            "\n## Ended by: {}\n\n{}",
            action.title,
            of_action(action)
        );
    }
    let _ = write!(text, "\nSource: {}\n", spec.source);
    Some(Entry {
        about: id.to_string(),
        kind: "artefact",
        title: spec.title.to_owned(),
        text,
    })
}

fn of_action(action: &ActionSpec) -> String {
    let or_none = |all: &[&str]| {
        if all.is_empty() {
            "none".to_owned()
        } else {
            all.join(" or ")
        }
    };
    let undo = match action.reverse {
        Reverse::By(how) => how.to_owned(),
        Reverse::None(why) => format!("cannot be undone: {why}"),
    };
    format!(
        "  step         {} {}\n  permissions  {}\n  role         {}\n  saved first  {}\n  must hold    {}\n  read back    {}\n  undo         {undo}\n  breaks       {}\n  effective    {}\n",
        action.step,
        action.step.title(),
        action.permissions.join(" and "),
        or_none(action.roles),
        action.evidence,
        action.precheck,
        action.verification,
        action.breaks,
        action.effect.words
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_page_that_says_what_is_safe_and_what_to_do() {
        assert_eq!(PAGES.len(), CODES.len());
        for code in CODES {
            let page = PAGES
                .iter()
                .find(|(id, _)| *id == code.id)
                .map(|(_, page)| *page);
            let page = page.unwrap_or_default();
            assert!(
                page.starts_with(&format!("# {}: {}\n", code.id, code.title)),
                "{}",
                code.id
            );
            for heading in ["## What happened", "## What is still safe", "## What to do"] {
                assert!(page.contains(heading), "{} {heading}", code.id);
            }
        }
    }

    #[test]
    fn everything_that_is_listed_is_explained() {
        for part in STEPS {
            let entry = step(&part.id.to_string()).unwrap();
            assert!(entry.text.contains(part.title), "{}", entry.text);
        }
        for spec in &GATES {
            assert!(gate(spec.name).unwrap().text.contains(spec.refused));
        }
        for spec in ARTEFACTS {
            let entry = artefact(&spec.id.to_string().to_lowercase()).unwrap();
            assert!(entry.text.contains(spec.gives));
            for kind in spec.ended_by {
                assert!(entry.text.contains(kind.spec().breaks), "{}", entry.text);
            }
        }
        for number in 1..=7 {
            assert!(step(&format!("s{number}")).is_some());
        }
        assert!(step("S8").is_none() && step("S0").is_none() && artefact("A99").is_none());
    }

    #[test]
    fn every_code_says_what_is_still_safe_on_one_line() {
        for code in CODES {
            let safe = still_safe(*code);
            assert!(
                safe.len() > 10 && !safe.contains('\n'),
                "{}: {safe}",
                code.id
            );
            assert!(!safe.contains("## "), "{}: {safe}", code.id);
        }
    }
}
