//! `retake docs`: the pages of the documentation that are generated from the
//! declarations, so that they cannot drift.

use std::fmt::Write as _;

use clap::CommandFactory as _;
use retake_playbook::catalogue::{ACTIONS, ARTEFACTS, Reverse};
use retake_playbook::codes::{CODES, Exit};
use retake_playbook::gate::GATES;
use retake_playbook::machine::{ANYWHERE, TRANSITIONS};
use retake_playbook::steps::{Reach, STEP_NAMES, STEPS};
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
        Page::Drill => super::picture::drill(),
    };
    terminal.data(page.trim_end());
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

fn permissions() -> String {
    let mut page = format!(
        "{NOTE}\n# Permissions\n\nEvery call that Retake can make, with the least application permission (one of them suffices) and the roles that are needed beside it (one of them suffices).\n\n| call | what | request | permission | role | source |\n| --- | --- | --- | --- | --- | --- |\n"
    );
    for change in [false, true] {
        for call in CALLS.iter().filter(|call| call.change == change) {
            let list = |items: &[&str]| {
                if items.is_empty() {
                    "none".to_owned()
                } else {
                    items.join(" or ")
                }
            };
            let _ = writeln!(
                page,
                "| `{}` | {}{} | `{}` | {} | {} | {} |",
                call.id,
                if change { "**change**: " } else { "" },
                call.does,
                call.signature(),
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
