//! The preflight of a case: quickly before block and revoke, whole beside the first
//! snapshot.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join;
use retake_playbook::State;
use retake_playbook::event::{Check, CheckResult, Event};
use retake_playbook::steps::StepId;
use retake_tenant::{Kind, Service, Tenant, TenantError, TokenFacts};

use super::rights::{FOR_PRIVILEGED, Set};
use super::standing::{Can, Identity, Standing, StepStanding};
use super::survey::{Scope, Survey, role_names, survey};
use crate::case::Case;
use crate::error::ResponderError;
use crate::evidence::keep;

/// The steps without which nothing may be changed.
const CONTAINMENT: [StepId; 2] = [StepId::new(2, 1), StepId::new(3, 1)];
/// Permissions that include others without naming them. With one of these the token's
/// list is no proof that something is missing.
const BROAD: [&str; 3] = [
    "User.ReadWrite.All",
    "Directory.ReadWrite.All",
    "Directory.AccessAsUser.All",
];

/// How long a token may take: those that are in memory take no time.
const TOKEN: Duration = Duration::from_secs(2);

/// What could be learned while the account was being read for the first time. Nobody
/// waits for it: what is not there by then is looked at later.
#[derive(Default)]
pub(crate) struct Early {
    exchange: Mutex<Option<TokenFacts>>,
    roles: Mutex<Option<Vec<String>>>,
}

impl Early {
    /// Asks, as long as it is polled.
    pub(crate) async fn look(&self, tenant: &Tenant) {
        let own = match tenant.token_facts(Service::Graph).await {
            Ok(Some(facts)) => facts.object_id,
            _ => None,
        };
        let roles = async {
            if let Some(own) = own
                && let Ok(read) = tenant.role_assignments(&own).await
            {
                put(&self.roles, role_names(&read.value));
            }
        };
        let exchange = async {
            if let Ok(Some(facts)) = tenant.token_facts(Service::Exchange).await {
                put(&self.exchange, facts);
            }
        };
        join(roles, exchange).await;
    }

    fn take(&self) -> (Option<TokenFacts>, Option<Vec<String>>) {
        let exchange = self.exchange.lock().unwrap_or_else(PoisonError::into_inner);
        let roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        (exchange.clone(), roles.clone())
    }
}

fn put<T>(place: &Mutex<Option<T>>, value: T) {
    *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
}

/// Who is signed in, and the checks that need no request of their own.
pub(crate) async fn quick(tenant: &Tenant, early: &Early) -> (Identity, Vec<Check>) {
    // It is in memory: block and revoke need it as well.
    let graph = tenant
        .with_deadline(TOKEN)
        .token_facts(Service::Graph)
        .await
        .ok()
        .flatten();
    let (exchange, roles) = early.take();
    let mut standing = Standing::of_tokens(
        &tenant.profile().client_id,
        graph.as_ref(),
        exchange.as_ref(),
    );
    standing.roles = roles;
    let checks = rights(&standing, &standing.steps(Set::Response), true);
    (standing.who, checks)
}

/// One check for each step that cannot run, with what to grant.
fn rights(standing: &Standing, steps: &[StepStanding], before: bool) -> Vec<Check> {
    let broad = standing
        .graph
        .iter()
        .flatten()
        .any(|held| BROAD.contains(&held.as_str()));
    // A role may come through a group, where it does not show: only a permission that
    // the token does not carry forbids the containment.
    let by_token = Standing {
        roles: None,
        ..standing.clone()
    };
    let forbidden = |step: &StepStanding| {
        before
            && !broad
            && CONTAINMENT.contains(&step.step)
            && by_token
                .steps(Set::Response)
                .iter()
                .any(|other| other.step == step.step && other.can == Can::No)
    };
    let mut checks: Vec<Check> = steps
        .iter()
        .filter(|step| step.can == Can::No)
        .map(|step| Check {
            what: format!("{} {}", step.step, step.title),
            result: if forbidden(step) {
                CheckResult::Bad
            } else {
                CheckResult::Warning
            },
            detail: format!("cannot run: {}", reasons(step)),
            step: Some(step.step),
        })
        .collect();
    checks.extend(
        steps
            .iter()
            .filter(|step| step.can == Can::Yes && !step.notes.is_empty())
            .map(|step| Check {
                what: format!("{} {}", step.step, step.title),
                result: CheckResult::Warning,
                detail: format!("runs, but {}", step.notes.join("; ")),
                step: Some(step.step),
            }),
    );
    let unknown: Vec<String> = steps
        .iter()
        .filter(|step| step.can == Can::Unknown)
        .map(|step| step.step.to_string())
        .collect();
    let summary = |result, detail: String| Check {
        what: "permissions and roles".to_owned(),
        result,
        detail,
        step: Some(StepId::new(1, 5)),
    };
    if !unknown.is_empty() {
        // Before containment it says nothing: the whole look follows right after.
        if !before {
            checks.push(summary(
                CheckResult::Unknown,
                format!(
                    "not everything could be found out for {}",
                    unknown.join(", ")
                ),
            ));
        }
    } else if checks.is_empty() {
        checks.push(summary(
            CheckResult::Good,
            "every step has what it needs, as far as tokens and role assignments tell".to_owned(),
        ));
    }
    checks
}

fn reasons(step: &StepStanding) -> String {
    step.grants
        .iter()
        .map(|grant| grant.order.as_str())
        .chain(step.notes.iter().map(String::as_str))
        .collect::<Vec<_>>()
        .join("; ")
}

/// What is to be noted about the account itself.
pub(crate) fn account(state: &State) -> Vec<Check> {
    let check = |what: &str, result, detail: &str| Check {
        what: what.to_owned(),
        result,
        detail: detail.to_owned(),
        step: None,
    };
    let Some(account) = &state.account else {
        return vec![check(
            "account",
            CheckResult::Unknown,
            "the account could not be read in time; block goes ahead by its name",
        )];
    };
    let mut checks = Vec::new();
    if account.standing.restricted {
        checks.push(check(
            "restricted unit",
            CheckResult::Warning,
            "the account is in a restricted management unit: only roles over that unit count, so the block may be refused; then nothing is changed",
        ));
    }
    if account.synced {
        checks.push(check(
            "on-premises",
            CheckResult::Warning,
            "the account is synchronised: disable it on-premises too, or the next sync undoes the block",
        ));
    }
    if account.user_type.eq_ignore_ascii_case("guest") {
        checks.push(check(
            "guest",
            CheckResult::Warning,
            "a guest's sessions and password are the home tenant's: tell its administrators",
        ));
    }
    checks
}

/// Looks at everything, keeps the answers and writes the checks, those of the hands as
/// they were.
pub(crate) async fn whole(
    case: &Case<'_>,
    tenant: &Tenant,
    break_glass: &[String],
) -> Result<(), ResponderError> {
    let scope = Scope {
        set: Set::Response,
        break_glass,
        probe: false,
        on: None,
    };
    let found = Box::pin(survey(tenant, scope)).await;
    keep(case, "preflight", &found.answers)?;
    let mut checks = case.with_state(|state| {
        let hands = state.checks.iter();
        let mut checks: Vec<Check> = hands
            .filter(|check| check.step == Some(StepId::new(1, 6)))
            .cloned()
            .collect();
        checks.extend(account(state));
        checks
    });
    checks.extend(rights(&found.standing, &found.steps, false));
    checks.extend(of_tenant(&found));
    case.append(Event::PreflightDone { checks })?;
    Ok(())
}

fn of_tenant(found: &Survey) -> Vec<Check> {
    let check = |what: String, good: Option<bool>, detail: &str, step| Check {
        what,
        result: match good {
            Some(true) => CheckResult::Good,
            Some(false) => CheckResult::Warning,
            None => CheckResult::Unknown,
        },
        detail: detail.to_owned(),
        step: Some(step),
    };
    let settings = found.settings.iter().map(|setting| {
        check(
            setting.what.to_owned(),
            setting.good,
            &setting.detail,
            StepId::new(1, 5),
        )
    });
    let sources = found.sources.iter().map(|source| {
        check(
            format!("log: {}", source.name),
            match source.can {
                Can::Yes => Some(true),
                Can::No => Some(false),
                Can::Unknown => None,
            },
            &format!("reaches back {}", source.reach),
            StepId::new(1, 5),
        )
    });
    let emergency = found.break_glass.iter().map(|line| {
        check(
            format!("break-glass {}", line.account),
            line.good,
            &line.detail,
            StepId::new(2, 4),
        )
    });
    settings.chain(sources).chain(emergency).collect()
}

/// What the tokens say, for explaining refusals. They are in memory where a call was
/// made at all.
pub(crate) async fn tokens(tenant: &Tenant) -> Standing {
    let quick = tenant.with_deadline(TOKEN);
    let (graph, exchange) = join(
        quick.token_facts(Service::Graph),
        quick.token_facts(Service::Exchange),
    )
    .await;
    Standing::of_tokens(
        &tenant.profile().client_id,
        graph.ok().flatten().as_ref(),
        exchange.ok().flatten().as_ref(),
    )
}

/// What went wrong, and for a missing right exactly what to grant to whom.
pub(crate) fn said(tokens: &Standing, error: &TenantError) -> String {
    let what = error.to_string();
    match &error.kind {
        Kind::PermissionMissing { .. } => {
            let what = what.trim_end_matches('.');
            let next = after_refusal(tokens, error).unwrap_or_else(|| error.hint());
            format!("{what}. {next}")
        }
        _ => what,
    }
}

/// What exactly to grant after a refusal, as far as the tokens tell what is missing.
pub(crate) fn after_refusal(tokens: &Standing, error: &TenantError) -> Option<String> {
    if !matches!(error.kind, Kind::PermissionMissing { .. }) {
        return None;
    }
    let mut standing = tokens.clone();
    standing.saw::<()>(error.call, &Err(error.clone()));
    let orders = standing.orders(error.call, Set::Response);
    if !orders.is_empty() {
        return Some(format!("To go on, {}.", orders.join("; ")));
    }
    standing.graph.is_some().then(|| {
        let grant = standing.role_grant(FOR_PRIVILEGED);
        format!(
            "The permission is there, so the account outranks the app. To go on, {}, or a role for the unit if it is in a restricted management unit.",
            grant.order
        )
    })
}
