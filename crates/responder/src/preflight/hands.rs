//! Clean hands (S1.6): the responder is not the affected user, not at an address that
//! the attacker used, and neither of the two is an account for emergencies, unless a
//! named person takes that on themselves with a reason.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::SignedDuration;
use retake_playbook::State;
use retake_playbook::event::{Check, CheckResult, Event};
use retake_playbook::steps::StepId;
use retake_tenant::Tenant;
use retake_tenant::client::SignInKind;
use serde_json::Value;

use super::standing::Identity;
use crate::case::Case;
use crate::error::ResponderError;
use crate::evidence::keep;

const STEP: StepId = StepId::new(1, 6);
/// How far back the responder's own sign-ins are looked at.
const OWN_SIGN_INS: SignedDuration = SignedDuration::from_hours(24);
/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(10);

fn check(what: &str, result: CheckResult, detail: impl Into<String>) -> Check {
    Check {
        what: what.to_owned(),
        result,
        detail: detail.into(),
        step: Some(STEP),
    }
}

/// What can be known of the hands without asking the tenant anything.
pub(crate) fn before_containment(
    state: &State,
    responder: &str,
    who: &Identity,
    break_glass: &[String],
) -> Vec<Check> {
    let mut checks = vec![clean_hands(state, responder, who)];
    let named = |id: Option<&str>, names: &[&str]| {
        break_glass.iter().find(|listed| {
            id.is_some_and(|id| listed.eq_ignore_ascii_case(id))
                || names.iter().any(|name| listed.eq_ignore_ascii_case(name))
        })
    };
    let affected = match (&state.account, &state.opened) {
        (Some(account), _) => named(Some(&account.id), &[&account.upn]),
        (None, Some((_, opened))) => named(None, &[&opened.account]),
        (None, None) => None,
    };
    if let Some(listed) = affected {
        checks.push(check(
            "break-glass account",
            CheckResult::Bad,
            format!("the affected account `{listed}` is one of the accounts for emergencies: blocking it takes away a way back in; make sure that another one works"),
        ));
    }
    let own = named(
        who.object_id.as_deref(),
        &who.person.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    if let Some(listed) = own {
        checks.push(check(
            "responder's account",
            CheckResult::Bad,
            format!("you are signed in with `{listed}`, an account for emergencies: use your own administrator account"),
        ));
    }
    checks
}

fn clean_hands(state: &State, responder: &str, who: &Identity) -> Check {
    let responder = responder.to_lowercase();
    let own = state.account.as_ref().is_some_and(|account| {
        let by_name = account
            .addresses
            .iter()
            .chain([&account.upn, &account.display_name])
            .any(|name| {
                let name = name.to_lowercase();
                name == responder
                    || who
                        .person
                        .as_ref()
                        .is_some_and(|own| own.to_lowercase() == name)
            });
        by_name || who.object_id.as_deref() == Some(account.id.as_str())
    });
    if own {
        check(
            "clean hands",
            CheckResult::Bad,
            "the responder is the affected user: somebody else has to respond",
        )
    } else if state.account.is_some() {
        check(
            "clean hands",
            CheckResult::Good,
            "the responder is not the affected user",
        )
    } else {
        check(
            "clean hands",
            CheckResult::Unknown,
            "the account could not be read in time; whether it is the responder's own is not known",
        )
    }
}

/// Compares where the responder signs in from with where the attacker did. Written
/// only where there is something to say; what was known before stays.
pub(crate) async fn beside_attacker(
    case: &Case<'_>,
    tenant: &Tenant,
    who: &Identity,
) -> Result<(), ResponderError> {
    let attacker: BTreeSet<String> = case.with_state(|state| {
        state
            .analysis
            .iter()
            .flat_map(|(_, analysis)| &analysis.fingerprint.addresses)
            .cloned()
            .collect()
    });
    let Some(own) = who.object_id.as_deref().filter(|_| !attacker.is_empty()) else {
        return Ok(());
    };
    let now = case.now();
    let since = now.checked_sub(OWN_SIGN_INS).unwrap_or(now);
    let quick = tenant.with_deadline(PATIENCE);
    let read = if who.person.is_some() {
        quick
            .sign_ins(SignInKind::InteractiveDetailed, own, since, None)
            .await
    } else {
        quick.sign_ins_of_principal(own, since).await
    };
    let found = match read {
        Ok(read) => {
            keep(case, "the responder's own sign-ins", &read.answers)?;
            let mine: BTreeSet<String> = read
                .value
                .iter()
                .filter_map(|record| record.get("ipAddress").and_then(Value::as_str))
                .filter(|address| attacker.contains(*address))
                .map(str::to_owned)
                .collect();
            if !mine.is_empty() {
                let list: Vec<String> = mine.into_iter().collect();
                check(
                    "responder's address",
                    CheckResult::Bad,
                    format!(
                        "the responder signs in from an address that the attacker used ({}): the machine or network may be the attacker's too; respond from another one",
                        list.join(", ")
                    ),
                )
            } else if read.value.is_empty() {
                check(
                    "responder's address",
                    CheckResult::Unknown,
                    "no sign-in of the responder is in the log yet, so its address could not be compared with the attacker's",
                )
            } else {
                check(
                    "responder's address",
                    CheckResult::Good,
                    "no address of the responder's sign-ins was used by the attacker",
                )
            }
        }
        Err(error) => check(
            "responder's address",
            CheckResult::Unknown,
            format!("could not be compared with the attacker's: {error}"),
        ),
    };
    let mut checks = case.with_state(|state| state.checks.clone());
    checks.retain(|check| check.what != found.what);
    checks.push(found);
    case.append(Event::PreflightDone { checks })?;
    Ok(())
}
