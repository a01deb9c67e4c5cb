//! The people of a case at a terminal: whoever sits there answers, and in a lab
//! its colleagues carry the tasks out.

use std::sync::Arc;
use std::time::Duration;

use dialoguer::{Input, Select};
use retake_playbook::errands;
use retake_playbook::{Gate, State};
use retake_responder::{Decision, Explained, Outcome, People, Question, Task};
use retake_tenant::edge::{BoxFuture, Clock};
use serde_json::{Value, json};

use crate::lab_link::Control;
use crate::terminal::{QUIET, STRONG, Terminal, WARN, safe};

/// Whoever sits at the terminal.
pub(crate) struct TerminalPeople<'a> {
    /// Where to ask.
    pub(crate) terminal: &'a Terminal,
    /// Their name in the record.
    pub(crate) name: String,
    /// Whether every gate is approved without asking.
    pub(crate) yes: bool,
    /// Why the responder goes on although the hands are not clean, if that was said.
    pub(crate) despite: Option<String>,
    /// The lab whose people carry tasks out.
    pub(crate) lab: Option<Arc<Control>>,
    /// The clock.
    pub(crate) clock: Arc<dyn Clock>,
}

impl People for TerminalPeople<'_> {
    fn decide<'a>(&'a self, question: Question<'a>) -> BoxFuture<'a, Decision> {
        Box::pin(async move {
            self.show(question.explained);
            // Nobody vouches for their own hands, not even ahead of time, and a yes to
            // everything is no reason.
            let hands = question.gate == Gate::CleanHands;
            if hands
                && !self.is_affected(question.state)
                && let Some(reason) = &self.despite
            {
                return Decision::Override {
                    by: self.name.clone(),
                    reason: reason.clone(),
                };
            }
            if self.yes && !hands {
                let answer = (question.gate == Gate::Money).then(|| "not known".to_owned());
                return Decision::Yes {
                    by: self.name.clone(),
                    answer,
                };
            }
            if !self.terminal.is_interactive() {
                return Decision::NoAnswer;
            }
            self.ask(question.gate)
        })
    }

    fn carry_out<'a>(&'a self, task: Task<'a>) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            self.terminal.say(&format!(
                "\n{STRONG}task for {}{STRONG:#}: {}\n  about: {}",
                safe(task.duty),
                safe(task.what),
                safe(task.about)
            ));
            if let Some(lab) = &self.lab {
                return self.through_the_lab(lab, task).await;
            }
            if !self.terminal.is_interactive() {
                return Outcome::NoAnswer;
            }
            if task.task.starts_with(errands::ASK) {
                let said = match choose("Is it the owner's?", &["yes", "no", "not known yet"]) {
                    Some(0) => "yes",
                    Some(1) => "no",
                    _ => return Outcome::NoAnswer,
                };
                return Outcome::Done {
                    by: self.name.clone(),
                    said: Some(said.to_owned()),
                };
            }
            match choose("Is it done?", &["yes, done", "not yet", "refused"]) {
                Some(0) => Outcome::Done {
                    by: self.name.clone(),
                    said: errands::is_errand(task.task).then(what_was_seen).flatten(),
                },
                Some(2) => Outcome::Refused {
                    by: self.name.clone(),
                },
                _ => Outcome::NoAnswer,
            }
        })
    }
}

impl TerminalPeople<'_> {
    /// Whether the name in the record is one of the account's own.
    fn is_affected(&self, state: &State) -> bool {
        state.account.as_ref().is_some_and(|account| {
            account
                .addresses
                .iter()
                .chain([&account.upn, &account.display_name])
                .any(|name| name.to_lowercase() == self.name.to_lowercase())
        })
    }

    fn show(&self, explained: &Explained) {
        let say = |line: &str| self.terminal.say(line);
        let spec = explained.gate.spec();
        say(&format!(
            "\n{STRONG}{} gate `{}`{STRONG:#}: {}",
            spec.step, spec.name, explained.asks
        ));
        for line in &explained.known {
            say(&format!("  {}", safe(line)));
        }
        for action in &explained.actions {
            say(&format!(
                "\n  {STRONG}{} {}{STRONG:#}: {}",
                action.step,
                action.title,
                safe(&action.object)
            ));
            for why in &action.why {
                say(&format!("    why:     {}", safe(why)));
            }
            say(&format!("    breaks:  {}", action.breaks));
            say(&format!("    undo:    {}", safe(&action.undo)));
            say(&format!("    effect:  {}", action.effect));
            for line in action.call.lines() {
                say(&format!("    {QUIET}{}{QUIET:#}", safe(line)));
            }
            if !action.powershell.is_empty() {
                say(&format!(
                    "    {QUIET}PS> {}{QUIET:#}",
                    safe(&action.powershell)
                ));
            }
        }
        for missing in &explained.missing {
            say(&format!("  {WARN}not explained{WARN:#}: {}", safe(missing)));
        }
        for left in &explained.left {
            say(&format!("  {WARN}left alone{WARN:#}: {}", safe(left)));
        }
        say(&format!("  if refused: {}", explained.refused));
    }

    fn ask(&self, gate: Gate) -> Decision {
        let by = self.name.clone();
        if gate == Gate::Money {
            return match choose(
                "Has money or a bank detail moved?",
                &["not known", "yes", "no", "ask later"],
            ) {
                Some(index @ 0..=2) => Decision::Yes {
                    by,
                    answer: Some(["not known", "yes", "no"][index].to_owned()),
                },
                _ => Decision::NoAnswer,
            };
        }
        match choose(
            "Your answer",
            &["yes", "no", "go on all the same, with a reason", "later"],
        ) {
            Some(0) => Decision::Yes { by, answer: None },
            Some(1) => Decision::No { by },
            Some(2) => match Input::<String>::new().with_prompt("Reason").interact_text() {
                Ok(reason) => Decision::Override { by, reason },
                Err(_) => Decision::NoAnswer,
            },
            _ => Decision::NoAnswer,
        }
    }

    /// In a lab its scripted colleagues do the work, after their own time.
    async fn through_the_lab(&self, lab: &Control, task: Task<'_>) -> Outcome {
        let ask = json!({"op": "ask", "ask": {
            "role": task.duty, "task": task.task,
            "detail": {"about": task.about, "what": task.what}}});
        let said = lab.call(&ask);
        let Some(answer) = said.as_ref().and_then(|said| said.get("answer")) else {
            return Outcome::NoAnswer;
        };
        let text = |name: &str| {
            answer
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let after = text("after")
            .parse::<jiff::SignedDuration>()
            .ok()
            .and_then(|after| Duration::try_from(after).ok())
            .unwrap_or_default();
        self.clock.sleep(after).await;
        let by = text("who");
        match text("answer").as_str() {
            "done" | "approved" => Outcome::Done {
                by,
                said: answer
                    .get("words")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            },
            "refused" => Outcome::Refused { by },
            _ => Outcome::NoAnswer,
        }
    }
}

/// What somebody answers in words; nothing where they leave it empty.
fn what_was_seen() -> Option<String> {
    Input::<String>::new()
        .with_prompt("What was seen or removed")
        .allow_empty(true)
        .interact_text()
        .ok()
        .filter(|said| !said.trim().is_empty())
}

fn choose(prompt: &str, items: &[&str]) -> Option<usize> {
    Select::new()
        .with_prompt(prompt)
        .items(items)
        .default(0)
        .interact_opt()
        .ok()
        .flatten()
}
