//! Looking at the tenant without changing it: which rights are there, which logs can
//! be read and how far back they reach, how mail and audit are set, and whether the
//! accounts for emergencies would work.

use std::time::Duration;

use futures_util::future::{join, join_all, join3, join4};
use retake_playbook::steps::StepId;
use retake_tenant::call::{
    CallSpec, DOMAINS, EXCHANGE_GET_AUDIT_CONFIG, EXCHANGE_GET_MAILBOX,
    EXCHANGE_GET_OUTBOUND_POLICY, LICENCES, ORGANIZATION, ROLE_ASSIGNMENTS,
    SERVICE_PRINCIPAL_BY_APP_ID, USER,
};
use retake_tenant::client::{Probe, RoleAssignment};
use retake_tenant::{Answer, Read, Service, Tenant, TenantError};
use serde::Serialize;

use super::rights::{Set, SignedInAs, roles, steps_of_role};
use super::settings::{LogSource, Setting, auditing, flag, forwarding, licensing, sources};
use super::standing::{Can, Identity, Shown, Standing, StepStanding};

/// The form of a survey as JSON. A field may be added without another number.
pub const SCHEMA: &str = "retake.check/1";

/// How long one question may take: a service that hangs holds nothing up for long.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a survey found.
#[derive(Clone, Debug, Serialize)]
pub struct Survey {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The tenant's id, as it says itself, where it could be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The tenant's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_name: Option<String>,
    /// `app` or `person`.
    pub signed_in_as: &'static str,
    /// Who is signed in.
    pub who: Identity,
    /// For which set the steps were judged.
    pub set: &'static str,
    /// Each step.
    pub steps: Vec<StepStanding>,
    /// Each permission of the set.
    pub permissions: Vec<RightLine>,
    /// Each role of the set.
    pub roles: Vec<RightLine>,
    /// Each log.
    pub sources: Vec<LogSource>,
    /// How the tenant is set, where it matters.
    pub settings: Vec<Setting>,
    /// The accounts for emergencies that the profile names.
    pub break_glass: Vec<BreakGlass>,
    /// The answers behind all this.
    #[serde(skip)]
    pub answers: Vec<Answer>,
    /// What the steps were judged from.
    #[serde(skip)]
    pub standing: Standing,
}

/// A permission or role, and whether it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RightLine {
    /// Its name.
    pub name: String,
    /// Whether it is there.
    pub can: Can,
    /// How that is known.
    pub how: &'static str,
    /// The steps that need it.
    pub steps: Vec<StepId>,
}

/// An account for emergencies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BreakGlass {
    /// As the profile names it.
    pub account: String,
    /// Whether it would work; `None` where it could not be looked at.
    pub good: Option<bool>,
    /// In words.
    pub detail: String,
}

/// What a survey is to look at.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// For which set.
    pub set: Set,
    /// The accounts for emergencies.
    pub break_glass: &'a [String],
    /// Whether each log and each kind of object is tried by a harmless call. A case
    /// does that anyway, right after.
    pub probe: bool,
    /// The account on which the readings of one account are tried; without one, the
    /// first that the tenant lists.
    pub on: Option<&'a str>,
}

/// Looks at all of this. What fails is listed with its reason; nothing is changed.
pub async fn survey(tenant: &Tenant, scope: Scope<'_>) -> Survey {
    let quick = tenant.with_deadline(PATIENCE);
    let (graph, exchange) = join(
        quick.token_facts(Service::Graph),
        quick.token_facts(Service::Exchange),
    )
    .await;
    let graph = graph.ok().flatten();
    let exchange = exchange.ok().flatten();
    let mut standing = Standing::of_tokens(
        &tenant.profile().client_id,
        graph.as_ref(),
        exchange.as_ref(),
    );
    let mut answers = Vec::new();

    let own = standing.who.object_id.clone();
    let (directory, mail, emergency, tried) = join4(
        Box::pin(join4(
            quick.organization(),
            quick.licences(),
            own_roles(&quick, own.as_deref()),
            quick.service_principal_by_app_id(&tenant.profile().client_id),
        )),
        join(quick.outbound_policies(), quick.audit_config()),
        join_all(
            scope
                .break_glass
                .iter()
                .map(|account| emergency_account(&quick, account)),
        ),
        Box::pin(tries(&quick, scope)),
    )
    .await;

    let (organization, licences, assignments, app) = directory;
    standing.saw(&ORGANIZATION, &organization);
    standing.saw(&LICENCES, &licences);
    if let Some(assignments) = &assignments {
        standing.saw(&ROLE_ASSIGNMENTS, assignments);
    }
    standing.saw(&SERVICE_PRINCIPAL_BY_APP_ID, &app);
    let (outbound, audit) = mail;
    standing.saw(&EXCHANGE_GET_OUTBOUND_POLICY, &outbound);
    standing.saw(&EXCHANGE_GET_AUDIT_CONFIG, &audit);
    for (call, shown) in tried {
        standing.shown.insert(call.id, shown);
    }

    let organization = taken(organization, &mut answers);
    let licences = taken(licences, &mut answers);
    let outbound = said(outbound, &mut answers);
    let audit = said(audit, &mut answers);
    standing.roles = assignments
        .and_then(|read| taken(read, &mut answers))
        .map(|assignments| role_names(&assignments));
    standing.who.app = taken(app, &mut answers).and_then(|app| app.display_name);
    let mut break_glass = Vec::new();
    for (line, kept) in emergency {
        answers.extend(kept);
        break_glass.push(line);
    }

    let audit_on = audit
        .as_ref()
        .ok()
        .and_then(|rows| flag(rows, "UnifiedAuditLogIngestionEnabled"));
    Survey {
        schema: SCHEMA,
        tenant: organization.as_ref().map(|found| found.id.clone()),
        tenant_name: organization.and_then(|found| found.display_name),
        signed_in_as: match standing.signed_in {
            SignedInAs::App => "app",
            SignedInAs::Person => "person",
        },
        who: standing.who.clone(),
        set: scope.set.word(),
        steps: standing.steps(scope.set),
        permissions: permission_lines(&standing, scope.set),
        roles: role_lines(&standing, scope.set),
        sources: sources(&standing, scope.set, licences.as_deref(), audit_on),
        settings: vec![
            forwarding(&outbound),
            auditing(&audit, audit_on),
            licensing(licences.as_deref()),
        ],
        break_glass,
        answers,
        standing,
    }
}

impl Survey {
    /// Whether every step can run.
    pub fn can(&self) -> Can {
        let any = |can| self.steps.iter().any(|step| step.can == can);
        if any(Can::No) {
            Can::No
        } else if any(Can::Unknown) {
            Can::Unknown
        } else {
            Can::Yes
        }
    }
}

async fn own_roles(
    tenant: &Tenant,
    own: Option<&str>,
) -> Option<Result<Read<Vec<RoleAssignment>>, TenantError>> {
    Some(tenant.role_assignments(own?).await)
}

/// One harmless call for each permission to read.
async fn tries(tenant: &Tenant, scope: Scope<'_>) -> Vec<(&'static CallSpec, Shown)> {
    if !scope.probe {
        return Vec::new();
    }
    let logs = [
        Probe::SignIns,
        Probe::DirectoryAudits,
        Probe::RiskDetections,
        Probe::MessageTraces,
        Probe::AuditQueries,
    ];
    let (logs, domains, objects) = join3(
        join_all(logs.map(|probe| one(tenant, probe))),
        tenant.domains(),
        objects(tenant, scope.on),
    )
    .await;
    let domains = (&DOMAINS, Shown::of(&domains));
    logs.into_iter().chain([domains]).chain(objects).collect()
}

async fn one(tenant: &Tenant, probe: Probe<'_>) -> (&'static CallSpec, Shown) {
    (probe.call(), Shown::of(&tenant.probe(probe).await))
}

/// The readings of one account, on the account that was named or on the first.
async fn objects(tenant: &Tenant, on: Option<&str>) -> Vec<(&'static CallSpec, Shown)> {
    let accounts = tenant.probe(Probe::Account).await;
    let mut shown = vec![(Probe::Account.call(), Shown::of(&accounts))];
    let first = accounts.ok().and_then(|read| read.value.into_iter().next());
    let Some(account) = on.map(str::to_owned).or(first) else {
        return shown;
    };
    let (user, mailbox, rest) = join3(
        tenant.user(&account),
        tenant.get_mailbox(&account),
        join_all(
            [
                Probe::Methods(&account),
                Probe::InboxRules(&account),
                Probe::Grants(&account),
            ]
            .map(|probe| one(tenant, probe)),
        ),
    )
    .await;
    shown.push((&USER, Shown::of(&user)));
    shown.push((&EXCHANGE_GET_MAILBOX, Shown::of(&mailbox)));
    shown.extend(rest);
    shown
}

async fn emergency_account(tenant: &Tenant, account: &str) -> (BreakGlass, Vec<Answer>) {
    let line = |good, detail: String| BreakGlass {
        account: account.to_owned(),
        good,
        detail,
    };
    let user = match tenant.user(account).await {
        Ok(user) => user,
        Err(error) => return (line(None, error.to_string()), Vec::new()),
    };
    let mut answers = user.answers;
    let user = user.value;
    let mut problems = Vec::new();
    if user.account_enabled == Some(false) {
        problems.push("it is disabled".to_owned());
    }
    if user.on_premises_sync_enabled == Some(true) {
        problems.push(
            "it is synchronised from on-premises; it should live in the cloud alone".to_owned(),
        );
    }
    match tenant.role_assignments(&user.id).await {
        Ok(read) => {
            if !role_names(&read.value).iter().any(|role| role == GLOBAL) {
                problems.push(format!("it does not hold `{GLOBAL}` itself"));
            }
            answers.extend(read.answers);
        }
        Err(error) => {
            return (
                line(None, format!("its roles could not be read: {error}")),
                answers,
            );
        }
    }
    let line = if problems.is_empty() {
        line(
            Some(true),
            format!(
                "enabled and `{GLOBAL}`; whether a conditional access policy shuts it out is not looked at"
            ),
        )
    } else {
        line(Some(false), problems.join("; "))
    };
    (line, answers)
}

const GLOBAL: &str = "Global Administrator";

/// Names of the roles that count for the whole tenant, for the readable and for those
/// that came by id alone.
pub(super) fn role_names(assignments: &[RoleAssignment]) -> Vec<String> {
    let mut names: Vec<String> = assignments
        .iter()
        .filter(|held| {
            held.directory_scope_id
                .as_deref()
                .is_none_or(|scope| scope == "/")
        })
        .map(|held| {
            held.role_definition
                .as_ref()
                .and_then(|role| role.display_name.clone())
                .unwrap_or_else(|| held.role_definition_id.clone())
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

fn taken<T>(read: Result<Read<T>, TenantError>, answers: &mut Vec<Answer>) -> Option<T> {
    said(read, answers).ok()
}

fn said<T>(read: Result<Read<T>, TenantError>, answers: &mut Vec<Answer>) -> Result<T, String> {
    match read {
        Ok(read) => {
            answers.extend(read.answers);
            Ok(read.value)
        }
        Err(error) => Err(error.to_string()),
    }
}

fn permission_lines(standing: &Standing, set: Set) -> Vec<RightLine> {
    set.permissions()
        .filter_map(|permission| {
            let name = permission.name_for(standing.signed_in)?;
            let shown = |wanted| {
                permission
                    .calls(set)
                    .any(|call| !call.change && standing.shown.get(call.id) == Some(&wanted))
            };
            let claims = match permission.resource {
                super::rights::Resource::Exchange => &standing.exchange,
                super::rights::Resource::Graph => &standing.graph,
            };
            let (can, how) = match claims {
                _ if shown(Shown::Allowed) => (Can::Yes, "a harmless call went through"),
                Some(claims) if claims.iter().any(|held| held == name) => {
                    (Can::Yes, "the token carries it")
                }
                Some(_) => (Can::No, "the token does not carry it"),
                None if shown(Shown::Refused) => (Can::No, "a harmless call was refused"),
                None => (Can::Unknown, "the token could not be read"),
            };
            Some(RightLine {
                name: name.to_owned(),
                can,
                how,
                steps: permission.steps(set),
            })
        })
        .collect()
}

fn role_lines(standing: &Standing, set: Set) -> Vec<RightLine> {
    roles(set, standing.signed_in)
        .into_iter()
        .map(|role| {
            let does = |held: &String| {
                held.eq_ignore_ascii_case(role.name)
                    || role.or.iter().any(|other| held.eq_ignore_ascii_case(other))
            };
            let (can, how) = match &standing.roles {
                Some(held) if held.iter().any(does) => (Can::Yes, "it is assigned directly"),
                Some(_) => (
                    Can::No,
                    "it is not assigned directly; through a group it would not show",
                ),
                None => (Can::Unknown, "role assignments could not be read"),
            };
            RightLine {
                name: role.name.to_owned(),
                can,
                how,
                steps: steps_of_role(role, set, standing.signed_in),
            }
        })
        .collect()
}
