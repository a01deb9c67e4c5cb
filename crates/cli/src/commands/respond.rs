//! `retake respond`, `retake contain`, `retake release`.

use std::sync::Arc;

use retake_casefile::{CaseId, Store};
use retake_playbook::codes::{
    BAD_TEMPLATE, Code, Exit, FINDINGS, GATE_WAITS, PERMISSION_MISSING, SECOND_PERSON,
};
use retake_playbook::event::Check;
use retake_playbook::machine::Phase;
use retake_playbook::state::GateState;
use retake_playbook::{Event, Gate, State};
use retake_responder::templates::Templates;
use retake_responder::{Dress, Extent, Finished, Group, Opening, Surroundings};
use retake_tenant::edge::SystemEntropy;
use serde_json::{Value, json};

use crate::args::{Recording, Release, Respond};
use crate::failure::Failure;
use crate::home::Home;
use crate::people::TerminalPeople;
use crate::profile::connect;
use crate::terminal::{OURS, Terminal, WARN, safe_at_length};
use crate::watch::LiveView;

pub(crate) fn respond(args: &Respond, home: &Home, terminal: &Terminal) -> Result<Exit, Failure> {
    go(args, Extent::Whole, home, terminal)
}

pub(crate) fn contain(args: &Respond, home: &Home, terminal: &Terminal) -> Result<Exit, Failure> {
    go(args, Extent::Contain, home, terminal)
}

fn go(args: &Respond, extent: Extent, home: &Home, terminal: &Terminal) -> Result<Exit, Failure> {
    let opening = Opening {
        account: args.user.clone(),
        responder: responder_name(args.responder.as_deref()),
        alert: args.alert.clone(),
    };
    with_responder(
        (&args.tenant, &args.recording),
        opening,
        Answers {
            yes: args.yes,
            despite: args.despite.as_deref(),
        },
        Some(&args.also),
        home,
        terminal,
        async |group| {
            let (finished, others) = Box::pin(group.run(extent)).await?;
            for (other, finished) in group.others().iter().zip(&others) {
                let word = match finished {
                    Finished::Contained => "contained".to_owned(),
                    Finished::Closed => "closed".to_owned(),
                    Finished::Waits { why } => format!("waits: {}", safe_at_length(why)),
                };
                terminal.say(&format!("case {} {word}", other.case_id()));
            }
            // Whatever one of them waits for, somebody has to look at.
            let waits = others
                .into_iter()
                .find(|other| matches!(other, Finished::Waits { .. }))
                .filter(|_| !matches!(finished, Finished::Waits { .. }));
            let lead = group.lead();
            Ok((
                waits.unwrap_or(finished),
                lead.state(),
                lead.case_id().to_string(),
            ))
        },
    )
}

pub(crate) fn release(args: &Release, home: &Home, terminal: &Terminal) -> Result<Exit, Failure> {
    let opening = Opening {
        account: args.user.clone(),
        responder: args.responder.clone(),
        alert: format!("release ordered: {}", args.reason),
    };
    with_responder(
        (&args.tenant, &args.recording),
        opening,
        Answers {
            yes: true,
            despite: Some(&args.reason),
        },
        None,
        home,
        terminal,
        async |group| {
            let responder = group.lead();
            let finished = Box::pin(responder.release(&args.reason)).await?;
            Ok((finished, responder.state(), responder.case_id().to_string()))
        },
    )
}

/// What was answered ahead of time.
#[derive(Clone, Copy)]
struct Answers<'a> {
    /// Yes to every gate whose condition holds.
    yes: bool,
    /// The reason to go on where it does not: clean hands.
    despite: Option<&'a str>,
}

type Ran = Result<(Finished, State, String), Failure>;

fn with_responder(
    (tenant, recording): (&str, &Recording),
    opening: Opening,
    answers: Answers<'_>,
    also: Option<&[String]>,
    home: &Home,
    terminal: &Terminal,
    work: impl AsyncFnOnce(&mut Group<'_>) -> Ran,
) -> Result<Exit, Failure> {
    let templates = templates(home)?;
    let runtime = super::runtime()?;
    runtime.block_on(async {
        let connection = connect(home, tenant, recording)?;
        let _told = connection
            .tape
            .as_ref()
            .map(|tape| tape.told_at_the_end(terminal));
        connection.sign_in(terminal).await?;
        let store = Store::open(&home.store())?;
        let people = TerminalPeople {
            terminal,
            name: opening.responder.clone(),
            yes: answers.yes,
            despite: answers.despite.map(str::to_owned),
            lab: connection.lab.clone(),
            clock: Arc::clone(&connection.clock),
        };
        let watcher = LiveView(terminal);
        let around = Surroundings {
            tenant: &connection.tenant,
            store: &store,
            clock: connection.clock.as_ref(),
            entropy: &SystemEntropy,
            people: &people,
            watcher: &watcher,
        };
        let break_glass = connection.break_glass.clone();
        let dress: Dress<'_> = Box::new(move |responder| {
            responder
                .with_break_glass(break_glass.clone())
                .with_templates(templates.clone())
        });
        let mut group = match also {
            Some(also) => Box::pin(Group::open(around, opening, also, dress)).await?,
            None => Box::pin(Group::alone(around, opening, dress)).await?,
        };
        let (finished, state, case) = work(&mut group).await?;
        let exit = tell(&finished, &state, &case, &store, terminal)?;
        if terminal.json() {
            terminal.document(&outcome(&finished, &state, &case, &store, exit)?);
        }
        Ok(exit)
    })
}

/// The built-in texts, and those of the organisation in their place. One that cannot be
/// used stops before anything is begun: in the middle of a case nobody has time for it.
fn templates(home: &Home) -> Result<Templates, Failure> {
    let mut templates = Templates::default();
    let dir = home.templates();
    let refused = |what: String, object: String| {
        Failure::new(
            BAD_TEMPLATE,
            format!("{what}. No case was begun and nothing was changed."),
            "docs/guide/templates.md has the format. If the case cannot wait, move the file away: the built-in text is used.",
        )
        .about(object)
    };
    let listed = match std::fs::read_dir(&dir) {
        Ok(listed) => listed,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(templates),
        Err(error) => {
            let object = dir.display().to_string();
            return Err(refused(format!("{object} cannot be read: {error}"), object));
        }
    };
    let mut paths: Vec<_> = listed.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        // What an editor or a file manager leaves behind is no template.
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        let object = path.display().to_string();
        let too_large = std::fs::metadata(&path).is_ok_and(|data| data.len() > 1 << 20);
        let bytes = if too_large {
            // Its size alone is the reason; nothing of it has to be read.
            vec![b' '; retake_responder::templates::LARGEST + 1]
        } else {
            std::fs::read(&path).map_err(|error| {
                refused(format!("{object} cannot be read: {error}"), object.clone())
            })?
        };
        templates
            .replace(&name, &object, &bytes)
            .map_err(|error| refused(error.to_string(), object))?;
    }
    Ok(templates)
}

/// The name that stands in the record: the one given, or the login name.
fn responder_name(given: Option<&str>) -> String {
    given
        .map(str::to_owned)
        .or_else(|| std::env::var("USER").ok().filter(|name| !name.is_empty()))
        .unwrap_or_else(|| "responder".to_owned())
}

fn tell(
    finished: &Finished,
    state: &State,
    case: &str,
    store: &Store,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    match finished {
        Finished::Contained => {
            terminal.say(&format!(
                "\n{OURS}contained{OURS:#}: sign-in is blocked and sessions are revoked, both verified."
            ));
            if let Some(end) = state.access_ends_at() {
                terminal.say(&format!(
                    "Tokens that are already out can live until {end}."
                ));
            }
            terminal.say("Rules, forwards, consents and methods are still as they are: `retake respond` goes on.");
            Ok(Exit::Done)
        }
        Finished::Waits { why } => {
            let code = in_the_way(state, case, store)?;
            terminal.say(&format!(
                "\n{WARN}waits ({}){WARN:#}: {}",
                code.id,
                safe_at_length(why)
            ));
            terminal.say(&format!(
                "Nothing is lost: the same command goes on. `retake case show {case}` shows where it stands."
            ));
            Ok(code.exit)
        }
        Finished::Closed => {
            let key = store.signing_key(&mut |bytes| {
                use retake_tenant::edge::Entropy as _;
                SystemEntropy.fill(bytes);
            })?;
            terminal.say(&format!("\n{OURS}closed{OURS:#}: case {case}"));
            if let Some((_, closing)) = &state.closed {
                for line in [&closing.first_access, &closing.persistence, &closing.impact] {
                    terminal.say(&format!("  {}", safe_at_length(line)));
                }
            }
            terminal.say(&format!(
                "\n  retake case export {case} --out {case}.tar\n  retake case report {case} --out .\n  fingerprint of this store's key: {}",
                key.fingerprint()
            ));
            let open = state
                .warnings
                .values()
                .any(|warning| warning.done.is_none())
                || state.left().next().is_some();
            Ok(if open { Exit::NeedsPerson } else { Exit::Done })
        }
    }
}

/// How a case stands after a command, in the form `retake.outcome/1`.
fn outcome(
    finished: &Finished,
    state: &State,
    case: &str,
    store: &Store,
    exit: Exit,
) -> Result<Value, Failure> {
    let (word, code, why) = match finished {
        Finished::Contained => ("contained", None, None),
        Finished::Closed => ("closed", None, None),
        Finished::Waits { why } => (
            "waits",
            Some(in_the_way(state, case, store)?.id),
            Some(why.as_str()),
        ),
    };
    let open_tasks: Vec<u32> = state
        .tasks
        .iter()
        .filter(|(_, task)| task.done.is_none())
        .map(|(number, _)| *number)
        .collect();
    let open_warnings: Vec<u32> = state
        .warnings
        .iter()
        .filter(|(_, warning)| warning.done.is_none())
        .map(|(number, _)| *number)
        .collect();
    let verified = state.actions.values().filter(|a| a.verified.is_some());
    let stopped = state.actions.values().filter(|a| a.stopped.is_some());
    Ok(json!({
        "schema": "retake.outcome/1",
        "outcome": word,
        "exit": exit as u8,
        "code": code,
        "why": why,
        "case": case,
        "tenant": state.opened.as_ref().map(|(_, opened)| &opened.tenant),
        "account": state.opened.as_ref().map(|(_, opened)| &opened.account),
        "phase": state.phase,
        "contained_since": state.contained_since(),
        "access_ends_at": state.access_ends_at(),
        "effective_at": state.effective.map(|(at, _)| at),
        "sign_in_back_at": state.restored_at,
        "verdict": state.analysis.as_ref().map(|(_, analysis)| &analysis.verdict),
        "path": state.analysis.as_ref().map(|(_, analysis)| &analysis.path),
        "actions": {
            "planned": state.actions.len(),
            "verified": verified.count(),
            "stopped": stopped.count(),
        },
        "left_for_a_person": state.left().count(),
        "linked": state
            .linked
            .iter()
            .map(|linked| json!({"case": linked.case, "account": linked.account}))
            .collect::<Vec<_>>(),
        "open_tasks": open_tasks,
        "open_warnings": open_warnings,
        "closing": state.closed.as_ref().map(|(_, closing)| closing),
        "records": store.records(&CaseId::parse(case)?)?.len(),
    }))
}

/// What a case waits for: the code of the change that stopped it, where one did,
/// so that a missing permission is not taken for a question to a person.
fn in_the_way(state: &State, case: &str, store: &Store) -> Result<Code, Failure> {
    let refused = state
        .gates
        .values()
        .any(|gate| matches!(gate, GateState::Refused { .. }));
    if state.phase == Phase::Returning && state.lacking().next().is_some() {
        return Ok(PERMISSION_MISSING);
    }
    let second = state.gates.get(&Gate::SecondPerson);
    if state.phase == Phase::Evicting && matches!(second, Some(GateState::Waiting { .. })) {
        return Ok(SECOND_PERSON);
    }
    if state.phase != Phase::Halted || refused {
        return Ok(GATE_WAITS);
    }
    if state.contained_since().is_none() && state.checks.iter().any(Check::forbids_containment) {
        return Ok(PERMISSION_MISSING);
    }
    let records = store.records(&CaseId::parse(case)?)?;
    Ok(records
        .iter()
        .rev()
        .find_map(|record| match &record.event {
            Event::ActionStopped { code, .. } => Code::by_id(code),
            _ => None,
        })
        .unwrap_or(FINDINGS))
}
