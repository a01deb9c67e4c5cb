//! Asking about money, and warning those who have to know (S2.5, S6.7).
//!
//! All of this runs beside the rest of the case: a person who takes an hour to
//! answer the telephone holds nothing up.

use retake_playbook::event::{Analysis, Event};
use retake_playbook::{Gate, State};

use crate::case::Case;
use crate::documents::{keep_for_the_user, keep_fraud_pack};
use crate::error::ResponderError;
use crate::explain::explain;
use crate::people::{Decision, Outcome, People, Question, Task};
use crate::templates::Templates;

/// Asks about money once, makes due what is due once, and has it given.
pub(crate) async fn warn(
    case: &Case<'_>,
    people: &dyn People,
    templates: &Templates,
) -> Result<(), ResponderError> {
    if case.with_state(|state| !state.warnings_made || state.warning_owed()) {
        make_due(case, templates)?;
    }
    let asked = async {
        ask_about_money(case, people).await?;
        // A yes is reason enough, whatever the logs say of the account.
        if case.with_state(State::warning_owed) {
            make_due(case, templates)?;
            give(case, people).await?;
        }
        Ok(())
    };
    let (asked, given) = futures_util::future::join(asked, give(case, people)).await;
    asked.and(given)
}

/// Has every open warning given.
async fn give(case: &Case<'_>, people: &dyn People) -> Result<(), ResponderError> {
    let open: Vec<(u32, String, String)> = case.with_state(|state| {
        state
            .warnings
            .iter()
            .filter(|(_, warning)| warning.done.is_none())
            .map(|(number, warning)| (*number, warning.who.clone(), warning.why.clone()))
            .collect()
    });
    for (warning, who, why) in open {
        let outcome = people
            .carry_out(Task {
                duty: &who,
                task: "warn",
                what: "Telephone them; use no address of the affected mailbox. The fraud pack says what to tell.",
                about: &why,
            })
            .await;
        if let Outcome::Done { by } = outcome {
            case.append(Event::WarningDone { warning, by })?;
        }
    }
    Ok(())
}

/// Thresholds are no filter: whoever handles money is warned as soon as there is
/// credible evidence, and a "no" about money only changes the words.
fn make_due(case: &Case<'_>, templates: &Templates) -> Result<(), ResponderError> {
    let state = case.state();
    if let Some((_, analysis)) = &state.analysis
        && state.fraud_is_credible()
    {
        let pack = keep_fraud_pack(case, templates, analysis)?;
        case.append(Event::WarningDue {
            warning: 1,
            who: "finance".to_owned(),
            why: why_due(analysis, &retake_playbook::judge::reached(&state)),
            pack: Some(pack),
        })?;
    }
    keep_for_the_user(case, templates)?;
    case.append(Event::WarningsSettled)?;
    Ok(())
}

/// Why somebody has to know now: the strongest reason that there is.
fn why_due(analysis: &Analysis, reached: &[&str]) -> String {
    if matches!(analysis.verdict.as_str(), "compromised" | "suspicious") {
        let false_requests = "payment requests and changed bank details of this time may be false";
        if reached.is_empty() {
            format!("the mailbox was in a stranger's hands: {false_requests}")
        } else {
            format!(
                "the mailbox was in a stranger's hands, and with it those that the account reaches ({}): {false_requests}",
                reached.join(", ")
            )
        }
    } else if !analysis.impersonated.is_empty() {
        "mail came from outside under this mailbox's name and was never sent from it: payment requests and changed bank details in it are false, although the account was not taken".to_owned()
    } else {
        "money or a bank detail has moved: payment requests and changed bank details may be false, from whomever they seem to come".to_owned()
    }
}

async fn ask_about_money(case: &Case<'_>, people: &dyn People) -> Result<(), ResponderError> {
    if case.with_state(|state| state.gate_open(Gate::Money)) {
        return Ok(());
    }
    let state = case.state();
    let explained = explain(Gate::Money, &state, Vec::new());
    let decision = people
        .decide(Question {
            gate: Gate::Money,
            state: &state,
            explained: &explained,
        })
        .await;
    let event = match decision {
        Decision::Yes { by, answer } => Event::GatePassed {
            gate: Gate::Money,
            by,
            answer: Some(answer.unwrap_or_else(|| "yes".to_owned())),
        },
        Decision::No { by } => Event::GatePassed {
            gate: Gate::Money,
            by,
            answer: Some("no".to_owned()),
        },
        Decision::Override { by, reason } => Event::GateOverridden {
            gate: Gate::Money,
            by,
            reason,
        },
        Decision::NoAnswer => Event::GateWaiting {
            gate: Gate::Money,
            why: "nobody answered whether money has moved; it is taken as not known".to_owned(),
        },
    };
    case.append(event)?;
    Ok(())
}
