//! Sign-ins and directory audits (reference §7.1).

use retake_playbook::ObjectKind;
use serde_json::{Value, json};

use super::{Answer, Call, Limit, Outcome, not_allowed, not_found};
use crate::services::odata::{Clause, Filter, parse_filter};
use crate::world::known::role;
use crate::world::{DirectoryAudit, Initiator, SignIn, SignInKind, World};

/// Roles with which a signed-in user may read the logs.
const LOG_ROLES: [&str; 6] = [
    role::GLOBAL_ADMINISTRATOR,
    role::REPORTS_READER,
    role::SECURITY_READER,
    role::SECURITY_OPERATOR,
    role::SECURITY_ADMINISTRATOR,
    role::GLOBAL_READER,
];

/// 403 of a tenant without a premium licence (reference §7.1).
pub(super) fn no_premium() -> Answer {
    Answer::graph_error(
        403,
        "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
        "Neither tenant is B2C or tenant doesn't have premium license",
    )
}

/// `/auditLogs/…`.
pub(super) fn audit_logs(call: &mut Call<'_, '_>, method: &str, rest: &[&str]) -> Outcome {
    if method != "GET" {
        return Err(not_allowed());
    }
    call.meter(Limit::Reports)?;
    call.need(&["AuditLog.Read.All"])?;
    if !call.caller.is_app() && !call.caller.holds(call.ask.world, &LOG_ROLES) {
        return Err(Answer::denied());
    }
    match rest {
        ["signIns"] => sign_ins(call),
        ["signIns", id] => {
            premium(call)?;
            let held = call
                .ask
                .world
                .logs
                .sign_ins
                .iter()
                .find(|entry| entry.id == *id && entry.visible_at <= call.ask.now)
                .ok_or_else(|| Answer::no_object(id))?;
            Ok(Answer::json(200, sign_in_json(call, held)).about(ObjectKind::SignIn, *id))
        }
        ["directoryAudits"] => audits(call),
        ["directoryAudits", id] => {
            let held = call
                .ask
                .world
                .logs
                .directory
                .iter()
                .find(|entry| entry.id == *id && entry.visible_at <= call.ask.now)
                .ok_or_else(|| Answer::no_object(id))?;
            Ok(Answer::json(200, audit_json(call, held)).about(ObjectKind::AuditRecord, *id))
        }
        _ => Err(not_found()),
    }
}

fn premium(call: &Call<'_, '_>) -> Result<(), Answer> {
    let tenant = &call.ask.world.tenant;
    if tenant.has_p1 || tenant.has_p2 {
        Ok(())
    } else {
        Err(no_premium())
    }
}

fn sign_ins(call: &mut Call<'_, '_>) -> Outcome {
    premium(call)?;
    let filter = filter_of(call)?;
    let kinds: Vec<&Clause> = filter
        .iter()
        .flatten()
        .filter(|clause| clause.path == "signInEventTypes")
        .collect();
    if !call.beta() && !kinds.is_empty() {
        return Err(Answer::bad_request(
            "Could not find a property named 'signInEventTypes' on type 'microsoft.graph.signIn'.",
        ));
    }
    let now = call.ask.now;
    let oldest = kept_since(
        now,
        call.ask.world.tenant.has_p1 || call.ask.world.tenant.has_p2,
    );
    let mut found = Vec::new();
    for entry in &call.ask.world.logs.sign_ins {
        if entry.visible_at > now || entry.at < oldest {
            continue;
        }
        // Without a filter on the kind only interactive ones come.
        if kinds.is_empty() && entry.kind != SignInKind::Interactive {
            continue;
        }
        if meets(&filter, |clause| sign_in_meets(entry, clause))? {
            found.push(entry);
        }
    }
    found.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
    let mut items = Vec::new();
    for entry in found {
        items.push(call.query.project(
            sign_in_json(call, entry),
            None,
            "microsoft.graph.signIn",
        )?);
    }
    let answer = call.page("auditLogs/signIns", (1000, 1000), items);
    Ok(match user_of(&filter, "userId") {
        Some(user) => answer.about(ObjectKind::Account, user),
        None => answer.about(ObjectKind::Tenant, call.ask.world.tenant.id.clone()),
    })
}

fn sign_in_meets(entry: &SignIn, clause: &Clause) -> Option<bool> {
    Some(match clause.path.as_str() {
        "userId" => clause.text(&entry.user),
        "userPrincipalName" => clause.text(&entry.upn),
        "userDisplayName" => clause.text(&entry.user_name),
        "createdDateTime" => return clause.time(entry.at),
        "signInEventTypes" => clause.text(entry.kind.word()),
        "ipAddress" => clause.text(&entry.ip),
        "appId" => clause.text(&entry.app_id),
        "appDisplayName" => clause.text(&entry.app_name),
        "correlationId" => clause.text(&entry.correlation),
        "id" => clause.text(&entry.id),
        "status/errorCode" => clause.text(&entry.error.to_string()),
        "servicePrincipalId" => clause.text(&entry.principal_id),
        "riskState" => clause.text(&entry.risk_state),
        "riskLevelDuringSignIn" => clause.text(&entry.risk_level),
        _ => return None,
    })
}

/// A sign-in; v1.0 has far fewer members than beta (reference §0.4).
fn sign_in_json(call: &Call<'_, '_>, entry: &SignIn) -> Value {
    let place = call
        .ask
        .world
        .places
        .get(&entry.ip)
        .cloned()
        .unwrap_or_default();
    let tenant = &call.ask.world.tenant.id;
    let app_only = entry.kind == SignInKind::ServicePrincipal;
    let mut json = json!({
        "id": entry.id,
        "createdDateTime": entry.at,
        "userDisplayName": entry.user_name,
        "userPrincipalName": entry.upn,
        "userId": entry.user,
        "appId": entry.app_id,
        "appDisplayName": entry.app_name,
        "ipAddress": entry.ip,
        "clientAppUsed": entry.client_app,
        "userAgent": entry.user_agent,
        "correlationId": entry.correlation,
        "conditionalAccessStatus": "notApplied",
        "isInteractive": entry.kind == SignInKind::Interactive,
        "riskDetail": "none",
        "riskLevelAggregated": entry.risk_level,
        "riskLevelDuringSignIn": entry.risk_level,
        "riskState": entry.risk_state,
        "riskEventTypes_v2": entry.risk_events,
        "resourceDisplayName": entry.resource_name,
        "resourceId": entry.resource_id,
        "resourceTenantId": tenant,
        "homeTenantId": tenant,
        "servicePrincipalId": entry.principal_id,
        "servicePrincipalName": if app_only { Some(&entry.app_name) } else { None },
        "appliedConditionalAccessPolicies": [],
        "status": {
            "errorCode": entry.error,
            "failureReason": if entry.error == 0 { "Other." } else { entry.reason.as_str() },
            "additionalDetails": null,
        },
        "deviceDetail": {
            "deviceId": entry.device_id,
            "displayName": "",
            "operatingSystem": entry.operating_system,
            "browser": entry.browser,
            "isCompliant": false,
            "isManaged": false,
            "trustType": "",
        },
        "location": {
            "city": place.city,
            "state": place.state,
            "countryOrRegion": place.country,
            "geoCoordinates": {"altitude": null, "latitude": place.latitude, "longitude": place.longitude},
        },
    });
    if call.beta()
        && let Some(json) = json.as_object_mut()
    {
        let known = call
            .ask
            .header("prefer")
            .is_some_and(|prefer| prefer.contains("include-unknown-enum-members"));
        // Newer members come back unknown unless they are asked for.
        let incoming = match entry.incoming_token.as_str() {
            "refreshToken" | "remoteDesktopToken" if !known => "unknownFutureValue",
            other => other,
        };
        let steps: Vec<Value> = entry
            .steps
            .iter()
            .map(|(name, good)| {
                json!({
                    "authenticationStepDateTime": entry.at,
                    "authenticationMethod": name,
                    "authenticationMethodDetail": null,
                    "succeeded": good,
                    "authenticationStepResultDetail": if *good { "Correct" } else { "Wrong" },
                    "authenticationStepRequirement": "",
                })
            })
            .collect();
        json.insert("sessionId".into(), json!(entry.session));
        json.insert("uniqueTokenIdentifier".into(), json!(entry.unique_token));
        json.insert("incomingTokenType".into(), json!(incoming));
        json.insert("authenticationProtocol".into(), json!(entry.protocol));
        json.insert("originalTransferMethod".into(), json!(entry.transfer));
        json.insert("originalRequestId".into(), json!(entry.id));
        json.insert("autonomousSystemNumber".into(), json!(place.asn));
        json.insert("authenticationDetails".into(), json!(steps));
        json.insert("authenticationRequirement".into(), json!(entry.requirement));
        json.insert("signInEventTypes".into(), json!([entry.kind.word()]));
        json.insert("crossTenantAccessType".into(), json!("none"));
        json.insert("tokenIssuerType".into(), json!("AzureAD"));
        json.insert("userType".into(), json!("member"));
        json.insert(
            "clientCredentialType".into(),
            json!(if app_only { "clientSecret" } else { "none" }),
        );
    }
    json
}

fn audits(call: &mut Call<'_, '_>) -> Outcome {
    let filter = filter_of(call)?;
    let now = call.ask.now;
    let oldest = kept_since(
        now,
        call.ask.world.tenant.has_p1 || call.ask.world.tenant.has_p2,
    );
    // A date before the kept span is refused, not clipped (reference §7.1);
    // a day of grace, as "thirty days ago" is always slightly older.
    let too_old = filter.iter().flatten().any(|clause| {
        clause.path == "activityDateTime"
            && clause.op.starts_with('g')
            && clause.value.parse::<jiff::Timestamp>().is_ok_and(|at| {
                at < oldest
                    .checked_sub(jiff::SignedDuration::from_hours(24))
                    .unwrap_or(oldest)
            })
    });
    if too_old {
        return Err(Answer::bad_request(
            "The start date is out of the range of the data that is kept.",
        ));
    }
    let mut found = Vec::new();
    for entry in &call.ask.world.logs.directory {
        if entry.visible_at <= now
            && entry.at >= oldest
            && meets(&filter, |clause| audit_meets(entry, clause))?
        {
            found.push(entry);
        }
    }
    found.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
    let items = found.iter().map(|entry| audit_json(call, entry)).collect();
    let answer = call.page("auditLogs/directoryAudits", (1000, 1000), items);
    let user =
        user_of(&filter, "targetResources/id").or_else(|| user_of(&filter, "initiatedBy/user/id"));
    Ok(match user {
        Some(user) => answer.about(ObjectKind::Account, user),
        None => answer.about(ObjectKind::Tenant, call.ask.world.tenant.id.clone()),
    })
}

fn audit_meets(entry: &DirectoryAudit, clause: &Clause) -> Option<bool> {
    Some(match clause.path.as_str() {
        "activityDateTime" => return clause.time(entry.at),
        "activityDisplayName" => clause.text(&entry.activity),
        "category" => clause.text(&entry.category),
        "loggedByService" => clause.text(&entry.service),
        "correlationId" => clause.text(&entry.correlation),
        "result" => clause.text(if entry.success { "success" } else { "failure" }),
        "targetResources/id" => entry.targets.iter().any(|target| clause.text(&target.id)),
        "targetResources/displayName" => {
            entry.targets.iter().any(|target| clause.text(&target.name))
        }
        "initiatedBy/user/id" => {
            matches!(&entry.by, Initiator::User { id, .. } if clause.text(id))
        }
        "initiatedBy/user/userPrincipalName" => {
            matches!(&entry.by, Initiator::User { upn, .. } if clause.text(upn))
        }
        "initiatedBy/app/servicePrincipalId" => {
            matches!(&entry.by, Initiator::App { id, .. } if clause.text(id))
        }
        _ => return None,
    })
}

fn audit_json(call: &Call<'_, '_>, entry: &DirectoryAudit) -> Value {
    let by = match &entry.by {
        Initiator::User { id, upn, name, ip } => json!({
            "user": {"id": id, "displayName": name, "userPrincipalName": upn, "ipAddress": ip},
            "app": null,
        }),
        Initiator::App { id, app_id, name } => json!({
            "user": null,
            "app": {"appId": app_id, "displayName": name, "servicePrincipalId": id, "servicePrincipalName": null},
        }),
    };
    let by = match by {
        Value::Object(by) => by
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .collect(),
        other => other,
    };
    let targets: Vec<Value> = entry
        .targets
        .iter()
        .map(|target| {
            let modified: Vec<Value> = target
                .modified
                .iter()
                .map(|(name, old, new)| json!({"displayName": name, "oldValue": old, "newValue": new}))
                .collect();
            json!({
                "id": target.id,
                "displayName": target.name,
                "type": target.kind,
                "userPrincipalName": target.upn,
                "modifiedProperties": modified,
            })
        })
        .collect();
    let details: Vec<Value> = entry
        .details
        .iter()
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect();
    let mut json = json!({
        "id": entry.id,
        "category": entry.category,
        "correlationId": entry.correlation,
        "result": if entry.success { "success" } else { "failure" },
        "resultReason": entry.reason,
        "activityDisplayName": entry.activity,
        "activityDateTime": entry.at,
        "loggedByService": entry.service,
        "operationType": entry.operation_type,
        "initiatedBy": by,
        "targetResources": targets,
        "additionalDetails": details,
    });
    if call.beta() {
        json["userAgent"] = json!(entry.user_agent);
    }
    json
}

/// `signInActivity` of a user: attempts count, failed ones too (§2.1).
pub(super) fn activity_of(world: &World, user: &str) -> Value {
    let last = |wanted: SignInKind, good: bool| {
        world
            .logs
            .sign_ins
            .iter()
            .filter(|entry| {
                entry.user == user && entry.kind == wanted && (!good || entry.error == 0)
            })
            .max_by_key(|entry| entry.at)
    };
    let (on, off) = (
        last(SignInKind::Interactive, false),
        last(SignInKind::NonInteractive, false),
    );
    let good = last(SignInKind::Interactive, true);
    json!({
        "lastSignInDateTime": on.map(|entry| entry.at),
        "lastSignInRequestId": on.map(|entry| entry.id.as_str()),
        "lastNonInteractiveSignInDateTime": off.map(|entry| entry.at),
        "lastNonInteractiveSignInRequestId": off.map(|entry| entry.id.as_str()),
        "lastSuccessfulSignInDateTime": good.map(|entry| entry.at),
        "lastSuccessfulSignInRequestId": good.map(|entry| entry.id.as_str()),
    })
}

/// Logs go back 30 days with a premium licence, 7 without.
fn kept_since(now: jiff::Timestamp, premium: bool) -> jiff::Timestamp {
    let days = if premium { 30 } else { 7 };
    now.checked_sub(jiff::SignedDuration::from_hours(24 * days))
        .unwrap_or(jiff::Timestamp::MIN)
}

pub(super) fn filter_of(call: &Call<'_, '_>) -> Result<Filter, Answer> {
    match &call.query.filter {
        Some(text) => parse_filter(text),
        None => Ok(Vec::new()),
    }
}

/// Whether every group has a clause that is met; a property that cannot be
/// filtered on is refused.
pub(super) fn meets(
    filter: &Filter,
    met: impl Fn(&Clause) -> Option<bool>,
) -> Result<bool, Answer> {
    let mut all = true;
    for group in filter {
        let mut any = false;
        for clause in group {
            any |= met(clause).ok_or_else(|| {
                Answer::bad_request(&format!("Invalid filter clause: {}", clause.path))
            })?;
        }
        all &= any;
    }
    Ok(all)
}

/// The user that a filter names, for the trace.
pub(super) fn user_of(filter: &Filter, path: &str) -> Option<String> {
    filter
        .iter()
        .flatten()
        .find(|clause| clause.path == path && clause.op == "eq")
        .map(|clause| clause.value.clone())
}
