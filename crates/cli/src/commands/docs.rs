//! `retake docs`: the pages of the documentation that are generated from the
//! declarations, so that they cannot drift.

use std::fmt::Write as _;

use clap::CommandFactory as _;
use retake_playbook::catalogue::{ACTIONS, ARTEFACTS, Reverse};
use retake_playbook::codes::{CODES, Exit};
use retake_playbook::gate::GATES;
use retake_playbook::machine::{ANYWHERE, TRANSITIONS};
use retake_playbook::steps::{Reach, STEP_NAMES, STEPS, StepId};
use retake_responder::preflight::{
    FOR_PRIVILEGED, NEEDS, OPTIONAL, Set, SignedInAs, roles, steps_of, steps_of_role,
};
use retake_tenant::call::CALLS;

use crate::args::{Args, Docs, Page};
use crate::home::VARIABLES;
use crate::terminal::Terminal;

pub(crate) fn run(docs: &Docs, terminal: &Terminal) -> Exit {
    let page = match docs.page {
        Page::Catalogue => catalogue(),
        Page::Playbook => playbook(),
        Page::Permissions => permissions(),
        Page::Commands => commands(),
        Page::Errors => errors(),
        Page::Faults => match faults() {
            Ok(page) => page,
            Err(error) => {
                terminal.say(&format!("docs/soak/faults.json: {error}"));
                return Exit::Internal;
            }
        },
        Page::Score => match score() {
            Ok(page) => page,
            Err(error) => {
                terminal.say(&format!("docs/soak/score.json: {error}"));
                return Exit::Internal;
            }
        },
        Page::Schemas => schemas(),
        Page::Drill => super::picture::drill(),
    };
    terminal.raw(page.trim_end());
    Exit::Done
}

const NOTE: &str = "<!-- Generated from the declarations by `cargo xtask docs`. Do not edit. -->\n";

// Writing to a String cannot fail, so the results are not looked at.

fn catalogue() -> String {
    let mut page = format!(
        "{NOTE}\n# The catalogue\n\nWhat a takeover can leave, and every change that Retake can make. Each action declares all of this, or it does not compile.\n\n## Artefacts\n\n| id | artefact | object | what the attacker gets from it | ended by | source |\n| --- | --- | --- | --- | --- | --- |\n"
    );
    for artefact in ARTEFACTS {
        let ended: Vec<&str> = artefact.ended_by.iter().map(|kind| kind.title()).collect();
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} | {} |",
            artefact.id,
            artefact.title,
            artefact.object.words(),
            artefact.gives,
            ended.join(", "),
            artefact.source
        );
    }
    page.push_str("\n## Actions\n");
    for action in ACTIONS {
        let undo = match action.reverse {
            Reverse::By(how) => how.to_owned(),
            Reverse::None(why) => format!("none: {why}"),
        };
        let roles = if action.roles.is_empty() {
            "none".to_owned()
        } else {
            format!("one of {}", action.roles.join(", "))
        };
        let _ = write!(
            page,
            "\n### {}\n\n| | |\n| --- | --- |\n| step | {} {} |\n| object | {} |\n| permissions | {} |\n| roles | {roles} |\n| evidence before | {} |\n| precheck | {} |\n| verification | {} |\n| undo | {undo} |\n| breaks | {} |\n| takes effect | {} |\n| may be repeated | {} |\n| source | {} |\n",
            action.title,
            action.step,
            action.step.title(),
            action.object.words(),
            action.permissions.join(", "),
            action.evidence,
            action.precheck,
            action.verification,
            action.breaks,
            action.effect.words,
            if action.repeatable { "yes" } else { "no" },
            action.source
        );
    }
    page
}

fn playbook() -> String {
    let mut page = format!(
        "{NOTE}\n# The playbook\n\n## Steps\n\n\"Done\" is done by the program and read back; \"task\" is carried out by a person; \"absent\" is not in this version.\n"
    );
    for (index, name) in STEP_NAMES.iter().enumerate() {
        let _ = write!(
            page,
            "\n### S{} {name}\n\n| part | what | |\n| --- | --- | --- |\n",
            index + 1
        );
        for step in STEPS
            .iter()
            .filter(|step| usize::from(step.id.step()) == index + 1)
        {
            let reach = match step.reach {
                Reach::Done => "done",
                Reach::Task => "task",
                Reach::Absent => "absent",
            };
            let _ = writeln!(page, "| {} | {} | {reach} |", step.id, step.title);
        }
    }
    page.push_str("\n## Gates\n\n| gate | step | asked of | what | if refused |\n| --- | --- | --- | --- | --- |\n");
    for gate in &GATES {
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} | {} |",
            gate.name, gate.step, gate.duty, gate.asks, gate.refused
        );
    }
    page.push_str("\n## Transitions\n\nThe whole machine. A test takes every row of it (`transitions::every_transition_is_taken_and_every_phase_is_reached`).\n\n```mermaid\nstateDiagram-v2\n  [*] --> Opening\n");
    for row in TRANSITIONS {
        let _ = writeln!(
            page,
            "  {:?} --> {:?}: {}",
            row.from,
            row.to,
            label(&format!("{:?}", row.on))
        );
    }
    page.push_str(
        "  Closed --> [*]\n```\n\n| from | on | when | to |\n| --- | --- | --- | --- |\n",
    );
    for (on, to) in ANYWHERE {
        let _ = writeln!(page, "| anywhere but Closed | {on:?} | Always | {to:?} |");
    }
    for row in TRANSITIONS {
        let _ = writeln!(
            page,
            "| {:?} | {:?} | {:?} | {:?} |",
            row.from, row.on, row.when, row.to
        );
    }
    page
}

fn label(on: &str) -> String {
    on.replace(['(', ')'], " ").trim().to_owned()
}

/// What the last whole campaign wrote.
const FAULTS: &str = include_str!("../../../../docs/soak/faults.json");

fn faults() -> Result<String, serde_json::Error> {
    let results = retake_drill::campaign::Results::from_json(FAULTS)?;
    Ok(retake_drill::campaign::page(&results))
}

/// What the last rehearsal of every scenario wrote.
const SCORE: &str = include_str!("../../../../docs/soak/score.json");

fn score() -> Result<String, serde_json::Error> {
    serde_json::from_str(SCORE).map(|results| retake_drill::rehearsals::page(&results))
}

/// Every form that `--json` prints or a command writes: its name, what gives it, what it is.
pub(crate) const SCHEMAS: &[(&str, &str, &str)] = &[
    ("answer", "approve, override", "what was recorded at a gate"),
    (
        "plan",
        "plan",
        "the present plan of a case, as a file that can be approved",
    ),
    ("undo", "undo", "what was taken back, or would be"),
    ("watch", "watch", "one look of the watch"),
    (
        "answer",
        "approve, override, case close",
        "an answer that was recorded at a gate",
    ),
    (
        "plan",
        "plan",
        "the present plan of a case; also the form of a plan file",
    ),
    (
        "undo",
        "undo",
        "what was taken back, or would be, action by action",
    ),
    ("watch", "watch", "what a look of the watch came to"),
    (
        "attestation",
        "case report",
        "a file: what was found, removed, verified, undone, is not known",
    ),
    ("cases", "case list", "the cases of the store"),
    (
        "check",
        "tenant check",
        "each permission and role, and whether each step can run",
    ),
    (
        "error",
        "every command",
        "what went wrong; instead of the command's own document",
    ),
    (
        "explain",
        "explain",
        "a code, step, gate or artefact, or the list of all",
    ),
    (
        "export",
        "case export",
        "the exported file and its fingerprint",
    ),
    (
        "files",
        "case report, man --out",
        "the files that were written",
    ),
    ("hunt", "hunt", "what exported logs say"),
    ("lab", "lab serve", "the lab that is being served"),
    (
        "outcome",
        "respond, contain, release",
        "how the case stands after the command",
    ),
    (
        "record",
        "case log",
        "one record of the journal a line, as it is hashed",
    ),
    (
        "removed",
        "tenant remove, teardown",
        "what was removed and what is left",
    ),
    (
        "replay",
        "replay",
        "a transcript read again and compared with a lab",
    ),
    ("report", "case report", "a file: the whole report"),
    (
        "scenario",
        "read by drill and lab",
        "the form of a scenario.toml, as the JSON document with the same keys",
    ),
    (
        "scenarios",
        "lab check",
        "which scenarios can be used; file, line and reason where one cannot",
    ),
    ("score", "drill", "the scores of all runs"),
    (
        "sql",
        "sql",
        "the answer to a question to the table of events",
    ),
    (
        "state",
        "case show",
        "the state of a case, as its journal gives it",
    ),
    (
        "tenant",
        "tenant add",
        "the profile, its registration and its check",
    ),
    ("tenants", "tenant list", "the profiles"),
    (
        "verified",
        "case verify",
        "an exported case that is whole and unaltered",
    ),
];

fn schemas() -> String {
    let mut page = format!(
        "{NOTE}\n# Forms of JSON\n\nWith `--json` a command writes exactly one JSON document to standard output, and talk to standard error; the exit code is the same as without. Where the command fails, the document is `retake.error/1`. Each document names its form in `schema`, as `retake.NAME/VERSION`; a key may be added without another version, none is taken away or changes its meaning. Texts of the tenant stand in it as the tenant has them: they are data, and whoever shows them escapes them.\n\n`completions` and `man` print what a shell and a pager read, `lab serve` goes on running after its document, and `case log` writes one document a line.\n\n| form | given by | what |\n| --- | --- | --- |\n"
    );
    for (name, command, what) in SCHEMAS {
        let _ = writeln!(
            page,
            "| [retake.{name}/1]({name}.json) | {command} | {what} |"
        );
    }
    page
}

fn permissions() -> String {
    let mut page = format!(
        "{NOTE}\n# Permissions\n\nWhat a registration asks for, why, which step needs what, and what every call needs. `retake tenant add` prints the first part as a manifest; `retake tenant check` proves it.\n"
    );
    for set in [Set::ReadOnly, Set::Response] {
        let _ = write!(
            page,
            "\n## The {} set\n\n| application permission | delegated permission | of | steps | for |\n| --- | --- | --- | --- | --- |\n",
            set.word()
        );
        for permission in set.permissions() {
            let does: Vec<&str> = permission.calls(set).map(|call| call.does).collect();
            let _ = writeln!(
                page,
                "| `{}` | {} | {} | {} | {} |",
                permission.name,
                permission.scope.map_or_else(
                    || "none: a person's case goes through Exchange".to_owned(),
                    |name| format!("`{name}`")
                ),
                permission.resource.name(),
                steps_in_words(&permission.steps(set)),
                does.join("; ")
            );
        }
        page.push_str("\n| role | of | steps |\n| --- | --- | --- |\n");
        for (signed_in, whose) in [
            (SignedInAs::App, "the app's service principal"),
            (SignedInAs::Person, "the person who signs in"),
        ] {
            for role in roles(set, signed_in) {
                let steps = steps_of_role(role, set, signed_in);
                let _ = writeln!(
                    page,
                    "| {} | {whose} | {} |",
                    role.name,
                    steps_in_words(&steps)
                );
            }
        }
    }
    let _ = write!(
        page,
        "\nAn account that holds a role itself takes *{FOR_PRIVILEGED}* besides (reference §2.1), for as long as it is being taken back.\n"
    );
    page.push_str("\n## Optional\n\nNo step needs these, they are in no manifest, and `retake tenant check` does not ask for them.\n\n| permission | of | good for | without it |\n| --- | --- | --- | --- |\n");
    for optional in OPTIONAL {
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            optional.name, optional.of, optional.why, optional.without
        );
    }
    page.push_str(&step_permissions());
    page.push_str(&call_permissions());
    page
}

/// Each step with the exact set that it needs, for both ways of signing in.
fn step_permissions() -> String {
    let mut page = "\n## What each step needs\n\nA step that is not here asks people or computes, and needs nothing. The permissions are those of the response set.\n\n| step | | signed in as the app | role | signed in as a person | role |\n| --- | --- | --- | --- | --- | --- |\n".to_owned();
    for needs in NEEDS {
        let of = |signed_in: SignedInAs| {
            let mut names: Vec<&str> = Set::Response
                .permissions()
                .filter(|permission| permission.steps(Set::Response).contains(&needs.step))
                .map(|permission| {
                    permission
                        .name_for(signed_in)
                        .unwrap_or("none: through Exchange")
                })
                .collect();
            names.sort_unstable();
            names.dedup();
            let roles: Vec<&str> = roles(Set::Response, signed_in)
                .into_iter()
                .filter(|role| steps_of_role(role, Set::Response, signed_in).contains(&needs.step))
                .map(|role| role.name)
                .collect();
            let or_none = |names: Vec<&str>| {
                if names.is_empty() {
                    "none".to_owned()
                } else {
                    names.join(", ")
                }
            };
            (or_none(names), or_none(roles))
        };
        let (app, app_roles) = of(SignedInAs::App);
        let (person, person_roles) = of(SignedInAs::Person);
        let _ = writeln!(
            page,
            "| {} | {} | {app} | {app_roles} | {person} | {person_roles} |",
            needs.step,
            needs.step.title()
        );
    }
    page
}

fn steps_in_words(steps: &[StepId]) -> String {
    let words: Vec<String> = steps.iter().map(ToString::to_string).collect();
    words.join(", ")
}

fn call_permissions() -> String {
    let mut page = "\n## What each call needs\n\nThe least permissions (one of them suffices) and the roles beside it (one of them suffices).\n\n| call | what | request | steps | permission | role | source |\n| --- | --- | --- | --- | --- | --- | --- |\n".to_owned();
    for change in [false, true] {
        for call in CALLS.iter().filter(|call| call.change == change) {
            let list = |items: &[&str]| {
                if items.is_empty() {
                    "none".to_owned()
                } else {
                    items.join(" or ")
                }
            };
            let steps: Vec<StepId> = steps_of(call).collect();
            let _ = writeln!(
                page,
                "| `{}` | {}{} | `{}` | {} | {} | {} | {} |",
                call.id,
                if change { "**change**: " } else { "" },
                call.does,
                call.signature(),
                steps_in_words(&steps),
                list(call.permissions),
                list(call.roles),
                call.source
            );
        }
    }
    page
}

fn commands() -> String {
    let mut page = format!("{NOTE}\n# Commands\n\n");
    let mut root = Args::command();
    root.build();
    describe(&root, &mut page);
    page.push_str("\n## Environment\n\n| variable | what |\n| --- | --- |\n");
    for (name, what) in VARIABLES {
        let _ = writeln!(page, "| `{name}` | {what} |");
    }
    page
}

fn describe(command: &clap::Command, page: &mut String) {
    for sub in command
        .get_subcommands()
        .filter(|sub| !sub.is_hide_set() && sub.get_name() != "help")
    {
        if sub
            .get_subcommands()
            .any(|inner| inner.get_name() != "help")
        {
            describe(sub, page);
            continue;
        }
        let help = sub.clone().term_width(90).render_long_help();
        let _ = write!(
            page,
            "## {}\n\n```text\n{}\n```\n\n",
            sub.get_bin_name().unwrap_or(sub.get_name()),
            help.to_string().trim_end()
        );
    }
}

pub(super) fn errors() -> String {
    let mut page = format!(
        "{NOTE}\n# The error book\n\nEvery error names a code; `retake explain CODE` prints its page. The first digit is the exit code's; 7 stands for 70.\n\n| exit | meaning |\n| --- | --- |\n| 0 | done, and nothing waits |\n| 1 | done so far, and something needs a person |\n| 2 | the command or its input cannot be used |\n| 3 | the tenant refuses: permission, role or licence |\n| 4 | the tenant cannot be reached, or throttles for too long |\n| 5 | something was altered that must not be |\n| 70 | the program or this machine failed |\n\n| code | what happened |\n| --- | --- |\n"
    );
    for code in CODES {
        let _ = writeln!(page, "| [{0}]({0}.md) | {1} |", code.id, code.title);
    }
    page
}
