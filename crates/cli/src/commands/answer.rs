//! `retake approve`, `retake override`, `retake case close`: a named person's answer at
//! a gate, recorded and not carried out.

use retake_casefile::{CaseId, Store};
use retake_playbook::codes::{self, Exit};
use retake_playbook::{Gate, gate::GATES};
use retake_responder::{Answered, Counter, NotRecorded, PlanFile};
use serde_json::json;

use super::at_hand::{AtHand, named_or_login, present_plan};
use crate::args::{Approve, Override};
use crate::failure::Failure;
use crate::home::Home;
use crate::terminal::{OURS, Terminal, safe};
use crate::watch::LiveView;

pub(crate) fn approve(args: &Approve, home: &Home, terminal: &Terminal) -> Result<Exit, Failure> {
    let gate = gate_named(&args.gate)?;
    let by = named_or_login(args.name.as_deref());
    let answered = match (args.refuse, &args.plan) {
        (true, _) => Answered::No,
        (false, None) => Answered::Yes(args.answer.clone()),
        (false, Some(file)) => Answered::Yes(Some(bound_to(args, file, gate, home, terminal)?)),
    };
    record(&args.case, gate, &by, answered, home, terminal)
}

pub(crate) fn go_on_all_the_same(
    args: &Override,
    home: &Home,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let gate = gate_named(&args.gate)?;
    let reason = given(&args.reason)?;
    let answered = Answered::Override(reason.to_owned());
    record(&args.case, gate, &args.name, answered, home, terminal)
}

/// The agreement that closes; the case is written closed by it at once, because nothing
/// in the tenant is left to do.
pub(crate) fn close(
    case: &str,
    by: &str,
    reason: Option<&str>,
    home: &Home,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let answered = match reason {
        Some(reason) => Answered::Override(given(reason)?.to_owned()),
        None => Answered::Yes(None),
    };
    let store = Store::open(&home.store())?;
    let at_hand = AtHand::of(home, &store, case)?;
    let watcher = LiveView(terminal);
    let counter = Counter::take(&store, CaseId::parse(case)?, by, at_hand.clock(), &watcher)?;
    counter
        .answer(Gate::Close, by, answered)
        .map_err(|error| not_recorded(&error, case))?;
    counter.write_closed()?;
    document(case, Gate::Close, by, &counter, terminal);
    terminal.say(&format!(
        "\n{OURS}closed{OURS:#} by {}. `retake watch {case} --tenant NAME` looks again; do so daily for 30 days.",
        safe(by)
    ));
    Ok(Exit::Done)
}

fn record(
    case: &str,
    gate: Gate,
    by: &str,
    answered: Answered,
    home: &Home,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let store = Store::open(&home.store())?;
    let at_hand = AtHand::of(home, &store, case)?;
    let watcher = LiveView(terminal);
    let counter = Counter::take(&store, CaseId::parse(case)?, by, at_hand.clock(), &watcher)?;
    counter
        .answer(gate, by, answered)
        .map_err(|error| not_recorded(&error, case))?;
    document(case, gate, by, &counter, terminal);
    let account = counter
        .state()
        .opened
        .map(|(_, opened)| opened.account)
        .unwrap_or_default();
    terminal.say(&format!(
        "\n{OURS}recorded{OURS:#} at the gate `{}`. Nothing was carried out: `retake respond {} --tenant NAME` goes on.",
        gate.spec().name,
        safe(&account)
    ));
    Ok(Exit::Done)
}

fn document(case: &str, gate: Gate, by: &str, counter: &Counter<'_>, terminal: &Terminal) {
    if terminal.json() {
        let waiting: Vec<&str> = counter
            .waiting()
            .iter()
            .map(|gate| gate.spec().name)
            .collect();
        terminal.document(&json!({"schema": "retake.answer/1", "case": case,
            "gate": gate.spec().name, "by": by, "stands": counter.state().phase,
            "waits_at": waiting}));
    }
}

/// The approval is of exactly this plan: the file is whole and of this case, and the
/// case's plan is still the one in it.
fn bound_to(
    args: &Approve,
    file: &std::path::Path,
    gate: Gate,
    home: &Home,
    terminal: &Terminal,
) -> Result<String, Failure> {
    if !matches!(gate, Gate::Contain | Gate::Plan | Gate::SecondPerson) {
        return Err(Failure::usage(
            format!("The gate `{}` asks about no plan.", gate.spec().name),
            "Leave --plan out.",
        ));
    }
    let bad = |why: String| {
        Failure::new(
            codes::BAD_PLAN_FILE,
            format!("{}: {why}. Nothing was approved.", file.display()),
            format!(
                "`retake plan {} --out FILE` writes the present plan.",
                args.case
            ),
        )
    };
    let bytes = std::fs::read(file).map_err(|error| bad(format!("it cannot be read: {error}")))?;
    let approved = PlanFile::read(&bytes, &args.case).map_err(|error| bad(error.to_string()))?;
    let present = present_plan(home, &args.case, terminal)?;
    if present.digest != approved.digest {
        let mut differences = approved.differences(&present)?;
        differences.truncate(20);
        let lines: Vec<String> = differences
            .iter()
            .map(|difference| format!("\n  {}", safe(difference)))
            .collect();
        return Err(Failure::new(
            codes::PLAN_CHANGED,
            format!(
                "The case's plan is no longer the one in {}. Nothing was approved. What differs (file → case):{}",
                file.display(),
                lines.concat()
            ),
            format!(
                "Write the present plan with `retake plan {} --out FILE`, read it, and approve that.",
                args.case
            ),
        ));
    }
    Ok(format!(
        "plan {}, sha256 {}",
        approved.plan, approved.digest
    ))
}

fn gate_named(name: &str) -> Result<Gate, Failure> {
    Gate::by_name(name).ok_or_else(|| {
        let names: Vec<&str> = GATES.iter().map(|spec| spec.name).collect();
        Failure::usage(
            format!("There is no gate {name:?}."),
            format!("The gates are {}.", names.join(", ")),
        )
    })
}

fn given(reason: &str) -> Result<&str, Failure> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(Failure::usage(
            "The reason is empty.",
            "Whoever goes on all the same says why; it stays in the record.",
        ));
    }
    Ok(reason)
}

fn not_recorded(error: &NotRecorded, case: &str) -> Failure {
    let hint = match error {
        NotRecorded::NotWaiting { .. } => {
            format!("`retake case show {case}` says which gate waits, and for whom.")
        }
        NotRecorded::NeedsReason { gate, .. } => format!(
            "`retake override {case} {} --as NAME --reason TEXT` opens it; the reason stays in the record.",
            gate.spec().name
        ),
        NotRecorded::NotExplained { .. } => format!(
            "Read again what could not be read (`retake respond` does), or close all the same: `retake case close {case} --as NAME --reason TEXT`."
        ),
        NotRecorded::NotBy { .. } => {
            "Somebody else gives the same command with their own --as.".to_owned()
        }
        NotRecorded::Responder(_) => "Give the same command again.".to_owned(),
    };
    Failure::new(
        error.code(),
        format!("{error}. Nothing was recorded and nothing was changed."),
        hint,
    )
}
