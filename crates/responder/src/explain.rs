//! What a person reads before approving: each change, what it breaks, how it is
//! undone, and how to do it by hand.

use jiff::Timestamp;
use retake_playbook::catalogue::Reverse;
use retake_playbook::{Gate, State};
use serde::Serialize;

/// A gate, explained.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explained {
    /// Which gate.
    pub gate: Gate,
    /// What is asked.
    pub asks: String,
    /// What happens when it is refused.
    pub refused: String,
    /// What is known, in lines.
    pub known: Vec<String>,
    /// The changes that a yes lets happen, in their order.
    pub actions: Vec<ExplainedAction>,
    /// What is left alone, and why.
    pub left: Vec<String>,
    /// Why a plain yes does not open the gate; a reason does.
    pub missing: Vec<String>,
}

/// One change, explained.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplainedAction {
    /// What is done.
    pub title: String,
    /// The step.
    pub step: String,
    /// To what.
    pub object: String,
    /// Why.
    pub why: Vec<String>,
    /// What it breaks.
    pub breaks: &'static str,
    /// How it is undone, or why it cannot be.
    pub undo: String,
    /// When it takes effect.
    pub effect: &'static str,
    /// The equivalent Graph or Exchange call.
    pub call: String,
    /// The equivalent PowerShell.
    pub powershell: String,
}

/// The two forms in which an action can be done by hand.
pub(crate) struct ByHand {
    pub(crate) call: String,
    pub(crate) powershell: String,
}

impl ByHand {
    /// Both forms of a request.
    pub(crate) fn of(prepared: &retake_tenant::Prepared) -> Self {
        Self {
            call: prepared.equivalent().http.clone(),
            powershell: prepared.equivalent().powershell.clone(),
        }
    }
}

/// Explains a gate. `by_hand` gives the equivalents of each action of the plan,
/// in its order.
pub(crate) fn explain(gate: Gate, state: &State, by_hand: Vec<ByHand>) -> Explained {
    let spec = gate.spec();
    let plan = state.plan();
    let shows_plan = matches!(gate, Gate::Contain | Gate::Plan | Gate::SecondPerson);
    let actions = if shows_plan {
        state
            .plan_actions()
            .zip(by_hand)
            .filter(|(action, _)| {
                gate != Gate::SecondPerson || state.takes_two.contains(&action.planned.action)
            })
            .map(|(action, by_hand)| explain_action(action, by_hand))
            .collect()
    } else {
        Vec::new()
    };
    // Whoever gives sign-in back or closes the case sees what was left, too.
    let shows_left = shows_plan || matches!(gate, Gate::Return | Gate::Close);
    let left = plan
        .filter(|_| shows_left)
        .map(|plan| {
            plan.left
                .iter()
                .map(|left| {
                    format!(
                        "{} \"{}\": {}",
                        left.object.kind.words(),
                        left.object.name.as_deref().unwrap_or(&left.object.id),
                        left.why.join("; ")
                    )
                })
                .collect()
        })
        .unwrap_or_default();
    Explained {
        gate,
        asks: spec.asks.to_owned(),
        refused: spec.refused.to_owned(),
        known: known(gate, state),
        actions,
        left,
        missing: match gate {
            Gate::Close => retake_playbook::closing::unexplained(state),
            _ => Vec::new(),
        },
    }
}

/// A moment as people read it: nobody needs its fractions.
pub(crate) fn in_seconds(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn explain_action(
    action: &retake_playbook::state::ActionState,
    by_hand: ByHand,
) -> ExplainedAction {
    let planned = &action.planned;
    let spec = planned.kind.spec();
    ExplainedAction {
        title: spec.title.to_owned(),
        step: planned.step.to_string(),
        object: planned
            .object
            .name
            .clone()
            .unwrap_or_else(|| planned.object.id.clone()),
        why: planned.why.clone(),
        breaks: spec.breaks,
        undo: match spec.reverse {
            Reverse::By(how) => how.to_owned(),
            Reverse::None(why) => format!("cannot be undone: {why}"),
        },
        effect: spec.effect.words,
        call: by_hand.call,
        powershell: by_hand.powershell,
    }
}

fn known(gate: Gate, state: &State) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(account) = &state.account {
        let mut line = format!("{} <{}>", account.display_name, account.upn);
        for detail in [&account.job_title, &account.department]
            .into_iter()
            .flatten()
        {
            line.push_str(", ");
            line.push_str(detail);
        }
        lines.push(line);
    } else if let Some((_, opened)) = &state.opened {
        lines.push(format!(
            "{} (the account could not be read)",
            opened.account
        ));
    }
    for check in &state.checks {
        if check.result != retake_playbook::event::CheckResult::Good {
            lines.push(format!("{}: {}", check.what, check.detail));
        }
    }
    if let Some((_, analysis)) = &state.analysis {
        lines.push(format!(
            "logs say: {}, by {} (confidence {:.0} %)",
            analysis.verdict,
            analysis.path.replace('_', " "),
            analysis.confidence * 100.0
        ));
    }
    if gate == Gate::Money {
        let first_sent = state
            .analysis
            .as_ref()
            .and_then(|(_, analysis)| analysis.sent.iter().map(|mail| mail.at).min());
        lines.extend(retake_playbook::payment::in_words(first_sent));
    }
    if gate == Gate::Return
        && let (Some(end), Some((at, snapshot))) = (state.access_ends_at(), state.effective)
    {
        lines.push(format!(
            "the last known access ended by {}; snapshot {snapshot} is clean; declared effective at {}",
            in_seconds(end),
            in_seconds(at)
        ));
    }
    if gate == Gate::Close {
        let closing = crate::summary::closing(state);
        lines.push(closing.first_access);
        lines.push(closing.persistence);
        lines.push(closing.impact);
        lines.extend(
            closing
                .unknown
                .into_iter()
                .map(|unknown| format!("not known: {unknown}")),
        );
    }
    lines
}
