//! `retake plan`: the present plan of a case, to be read and approved elsewhere.

use retake_playbook::codes::{self, Exit};
use retake_responder::PlanFile;
use serde_json::json;

use super::at_hand::present_plan;
use crate::args::PlanArgs;
use crate::failure::Failure;
use crate::home::{Home, write_private};
use crate::terminal::{QUIET, STRONG, Terminal, safe};

pub(crate) fn run(args: &PlanArgs, home: &Home, terminal: &Terminal) -> Result<Exit, Failure> {
    let plan = present_plan(home, &args.case, terminal)?;
    let internal = |error: serde_json::Error| {
        Failure::new(
            codes::INTERNAL,
            error.to_string(),
            "Please report it. The case is not affected.",
        )
    };
    let value = serde_json::to_value(&plan).map_err(internal)?;
    let text = retake_report::escape::json(&serde_json::to_string_pretty(&plan).map_err(internal)?);
    if let Some(out) = &args.out {
        if out.exists() && !args.replace {
            return Err(Failure::usage(
                format!("{} is there already, and was not touched.", out.display()),
                "Name another file, or give --replace.",
            ));
        }
        write_private(out, text.as_bytes())?;
        terminal.say(&format!(
            "{} holds plan {} of the case {}: {} actions. Whoever approves it: `retake approve {} GATE --as NAME --plan {}`",
            out.display(),
            plan.plan,
            safe(&plan.case),
            plan.actions.len(),
            safe(&plan.case),
            out.display()
        ));
        if terminal.json() {
            terminal.document(
                &json!({"schema": "retake.files/1", "files": [out.display().to_string()]}),
            );
        } else {
            terminal.data(plan.digest.as_str());
        }
    } else if terminal.json() {
        terminal.document(&value);
    } else {
        show(&plan, terminal);
    }
    Ok(Exit::Done)
}

fn show(plan: &PlanFile, terminal: &Terminal) {
    let say = |line: String| terminal.data(&line);
    say(format!(
        "{STRONG}plan {}{STRONG:#} of the case {}, for {}; sha256 {}",
        plan.plan,
        safe(&plan.case),
        safe(&plan.account),
        plan.digest
    ));
    for action in &plan.actions {
        let name = action.object.name.as_deref().unwrap_or(&action.object.id);
        say(format!(
            "\n  #{} {STRONG}{} {}{STRONG:#}: {}",
            action.action,
            action.step,
            action.title,
            safe(name)
        ));
        for why in &action.why {
            say(format!("    why:     {}", safe(why)));
        }
        if let Some(observed) = &action.observed {
            say(format!("    seen:    sha256 {}", observed.short()));
        }
        say(format!("    reaches: {}", action.scope.words()));
        say(format!("    breaks:  {}", action.breaks));
        say(format!("    undo:    {}", action.undo));
        say(format!("    effect:  {}", action.effect));
        for line in action.call.lines() {
            say(format!("    {QUIET}{}{QUIET:#}", safe(line)));
        }
        if !action.powershell.is_empty() {
            say(format!(
                "    {QUIET}PS> {}{QUIET:#}",
                safe(&action.powershell)
            ));
        }
    }
    for left in &plan.left {
        let name = left.object.name.as_deref().unwrap_or(&left.object.id);
        say(format!(
            "\n  left alone: {} \"{}\": {}",
            left.object.kind.words(),
            safe(name),
            safe(&left.why.join("; "))
        ));
    }
}
