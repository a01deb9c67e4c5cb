//! `retake undo`: taking actions of a case back.

use retake_casefile::CaseId;
use retake_playbook::ActionId;
use retake_playbook::codes::{CANNOT_UNDO, Exit};
use retake_responder::{Responder, UndoOutcome, Undone, Which};
use serde_json::json;

use super::at_hand::TakenUp;
use crate::args::Undo;
use crate::failure::Failure;
use crate::home::Home;
use crate::terminal::{OURS, QUIET, STRONG, Terminal, WARN, safe, safe_at_length};

pub(crate) fn run(args: &Undo, home: &Home, terminal: &Terminal) -> Result<Exit, Failure> {
    let case = CaseId::parse(&args.case)?;
    let which = if args.all {
        Which::All
    } else {
        Which::These(args.action.iter().map(|number| ActionId(*number)).collect())
    };
    let reason = args.reason.as_deref().unwrap_or_default().trim();
    if !args.dry_run && reason.is_empty() {
        return Err(Failure::usage(
            "The reason is empty.",
            "Whoever takes something back says why; what comes back is kept for that reason.",
        ));
    }
    super::runtime()?.block_on(async {
        let taken = TakenUp::find(home, case, &args.tenant, &args.recording, terminal)?;
        let connection = &taken.connection;
        let _told = connection
            .tape
            .as_ref()
            .map(|tape| tape.told_at_the_end(terminal));
        let responder = taken.responder(args.name.as_deref())?;
        if args.dry_run {
            return Ok(preview(args, &responder, &which, terminal));
        }
        connection.sign_in(terminal).await?;
        let results = Box::pin(responder.undo(&which, reason)).await?;
        Ok(tell(args, &results, terminal))
    })
}

fn preview(args: &Undo, responder: &Responder<'_>, which: &Which, terminal: &Terminal) -> Exit {
    let previewed = responder.preview_undo(which);
    if terminal.json() {
        let actions: Vec<_> = previewed
            .iter()
            .map(|one| match &one.request {
                Ok((call, powershell)) => json!({"action": one.action, "title": one.title,
                    "object": one.object, "how": one.how, "call": call, "powershell": powershell}),
                Err(unsent) => json!({"action": one.action, "title": one.title,
                    "object": one.object, "how": one.how, "refused": {"code": unsent.code, "why": unsent.why}}),
            })
            .collect();
        terminal.document(
            &json!({"schema": "retake.undo/1", "case": args.case, "dry_run": true, "actions": actions}),
        );
        return Exit::Done;
    }
    if previewed.is_empty() {
        terminal.say("Nothing of this case was carried out, so there is nothing to take back.");
    }
    for one in &previewed {
        terminal.data(&format!(
            "{} {STRONG}{}{STRONG:#}: \"{}\"",
            one.action,
            one.title,
            safe(&one.object)
        ));
        match &one.request {
            Ok((call, powershell)) => {
                terminal.data(&format!("    back:    {}", one.how));
                for line in call.lines() {
                    terminal.data(&format!("    {QUIET}{}{QUIET:#}", safe(line)));
                }
                terminal.data(&format!("    {QUIET}PS> {}{QUIET:#}", safe(powershell)));
            }
            Err(unsent) => terminal.data(&format!(
                "    {WARN}not undone ({}){WARN:#}: {}",
                unsent.code,
                safe_at_length(&unsent.why)
            )),
        }
    }
    terminal.say("\nNothing was sent. Without --dry-run, with --as and --reason, it is.");
    Exit::Done
}

fn tell(args: &Undo, results: &[Undone], terminal: &Terminal) -> Exit {
    let open = results.iter().any(|undone| match &undone.outcome {
        UndoOutcome::Restored { .. } => false,
        // What has no way back is expected where everything is asked for.
        UndoOutcome::Refused(cannot) => !args.all && !cannot.is_no_op(),
        UndoOutcome::Stopped { .. } => true,
    });
    let exit = if open { CANNOT_UNDO.exit } else { Exit::Done };
    if terminal.json() {
        let actions: Vec<_> = results
            .iter()
            .map(|undone| {
                let (outcome, words) = match &undone.outcome {
                    UndoOutcome::Restored { differs } => ("restored", differs.clone()),
                    UndoOutcome::Refused(cannot) => ("refused", vec![cannot.to_string()]),
                    UndoOutcome::Stopped { why } => ("stopped", vec![why.clone()]),
                };
                json!({"action": undone.action, "title": undone.title, "object": undone.object,
                       "outcome": outcome, "words": words})
            })
            .collect();
        terminal.document(
            &json!({"schema": "retake.undo/1", "case": args.case, "dry_run": false, "actions": actions}),
        );
        return exit;
    }
    if results.is_empty() {
        terminal.say("Nothing of this case was carried out, so there is nothing to take back.");
    }
    for undone in results {
        let line = match &undone.outcome {
            UndoOutcome::Restored { differs } if differs.is_empty() => {
                format!("{OURS}as it was{OURS:#}, verified")
            }
            UndoOutcome::Restored { differs } => format!(
                "{OURS}restored{OURS:#}, verified; not as it was: {}",
                safe_at_length(&differs.join("; "))
            ),
            UndoOutcome::Refused(cannot) => format!(
                "{WARN}not undone ({}){WARN:#}: {}",
                cannot.code().id,
                safe_at_length(&cannot.to_string())
            ),
            UndoOutcome::Stopped { why } => {
                format!("{WARN}stopped{WARN:#}: {}", safe_at_length(why))
            }
        };
        terminal.data(&format!(
            "{} {}: \"{}\" {line}",
            undone.action,
            undone.title,
            safe(&undone.object)
        ));
    }
    exit
}
