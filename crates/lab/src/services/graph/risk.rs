//! Identity Protection: risky users and risk detections (reference §7.1).

use retake_playbook::ObjectKind;
use serde_json::{Value, json};

use super::logs::{filter_of, meets, no_premium, user_of};
use super::{Answer, Call, Limit, Outcome, not_found};
use crate::unconfirmed::CONFIRM_ROLE;
use crate::world::known::role;
use crate::world::{RiskDetection, User, World};

/// Who marks a user compromised, when it is a person (reference §7.1).
const CONFIRMERS: [&str; 3] = [
    role::SECURITY_OPERATOR,
    role::SECURITY_ADMINISTRATOR,
    role::GLOBAL_ADMINISTRATOR,
];

/// `/identityProtection/…`.
pub(super) fn serve(call: &mut Call<'_, '_>, method: &str, rest: &[&str]) -> Outcome {
    call.meter(Limit::IdentityProtection)?;
    let p2 = call.ask.world.tenant.has_p2;
    match (method, rest) {
        ("GET", ["riskDetections"]) => {
            call.need(&[
                "IdentityRiskEvent.Read.All",
                "IdentityRiskEvent.ReadWrite.All",
            ])?;
            if !p2 {
                return Err(no_premium());
            }
            let filter = filter_of(call)?;
            let now = call.ask.now;
            let mut items = Vec::new();
            for entry in &call.ask.world.logs.risk {
                let good = meets(&filter, |clause| {
                    Some(match clause.path.as_str() {
                        "userId" => clause.text(&entry.user),
                        "riskEventType" => clause.text(&entry.event),
                        "riskLevel" => clause.text(&entry.level),
                        "ipAddress" => clause.text(&entry.ip),
                        "activityDateTime" | "detectedDateTime" => return clause.time(entry.at),
                        _ => return None,
                    })
                })?;
                if good && entry.visible_at <= now {
                    items.push(risk_json(call.ask.world, entry));
                }
            }
            let answer = call.page("identityProtection/riskDetections", (500, 500), items);
            Ok(match user_of(&filter, "userId") {
                Some(user) => answer.about(ObjectKind::Account, user),
                None => answer.about(ObjectKind::Tenant, call.ask.world.tenant.id.clone()),
            })
        }
        ("GET", ["riskyUsers"]) => {
            risky_read(call, p2)?;
            let items = call
                .ask
                .world
                .users
                .values()
                .filter_map(risky_json)
                .collect();
            Ok(call
                .page("identityProtection/riskyUsers", (100, 500), items)
                .about(ObjectKind::Tenant, call.ask.world.tenant.id.clone()))
        }
        ("GET", ["riskyUsers", id]) => {
            risky_read(call, p2)?;
            let json = call
                .ask
                .world
                .users
                .get(*id)
                .and_then(risky_json)
                .ok_or_else(|| Answer::no_object(id))?;
            Ok(Answer::json(200, json).about(ObjectKind::Account, *id))
        }
        ("POST", ["riskyUsers", "confirmCompromised"]) => {
            call.need(&["IdentityRiskyUser.ReadWrite.All"])?;
            // Not confirmed whether the permission suffices for a person.
            let role_needed = call.ask.world.unconfirmed.variant(&CONFIRM_ROLE) == "needed";
            if role_needed && !call.caller.is_app() {
                call.need_role(&CONFIRMERS)?;
            }
            if !p2 {
                return Err(no_premium());
            }
            let body = call.body()?;
            let ids: Vec<String> = body["userIds"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|id| id.as_str().map(str::to_owned))
                .collect();
            let Some(first) = ids.first().cloned() else {
                return Err(Answer::bad_request("userIds is required."));
            };
            if let Some(unknown) = ids
                .iter()
                .find(|id| !call.ask.world.users.contains_key(*id))
            {
                return Err(Answer::no_object(unknown));
            }
            let (now, origin) = (call.ask.now, call.origin());
            for id in &ids {
                call.ask.world.confirm_compromised(now, &origin, id);
            }
            Ok(Answer::no_content()
                .about(ObjectKind::Account, first)
                .effect(json!({"kind": "changed", "fields": {"riskState": [null, "confirmedCompromised"]}})))
        }
        _ => Err(not_found()),
    }
}

fn risky_read(call: &Call<'_, '_>, p2: bool) -> Result<(), Answer> {
    call.need(&[
        "IdentityRiskyUser.Read.All",
        "IdentityRiskyUser.ReadWrite.All",
    ])?;
    if call.query.top.is_some_and(|top| top > 500) {
        return Err(Answer::bad_request("Invalid page size specified"));
    }
    if p2 { Ok(()) } else { Err(no_premium()) }
}

fn risky_json(user: &User) -> Option<Value> {
    let risk = user.risk.as_ref()?;
    Some(json!({
        "id": user.id,
        "isDeleted": false,
        "isProcessing": false,
        "riskLastUpdatedDateTime": risk.updated,
        "riskLevel": risk.level,
        "riskState": risk.state,
        "riskDetail": risk.detail,
        "userDisplayName": user.display_name,
        "userPrincipalName": user.upn,
    }))
}

fn risk_json(world: &World, entry: &RiskDetection) -> Value {
    let user = world.users.get(&entry.user);
    let place = world.places.get(&entry.ip).cloned().unwrap_or_default();
    json!({
        "id": entry.id,
        "requestId": entry.request_id,
        "correlationId": entry.correlation,
        "riskEventType": entry.event,
        "riskState": entry.state,
        "riskLevel": entry.level,
        "riskDetail": "none",
        "source": "IdentityProtection",
        "detectionTimingType": entry.timing,
        "activity": "signin",
        "tokenIssuerType": "AzureAD",
        "ipAddress": entry.ip,
        "activityDateTime": entry.at,
        "detectedDateTime": entry.visible_at,
        "lastUpdatedDateTime": entry.visible_at,
        "userId": entry.user,
        "userDisplayName": user.map(|user| user.display_name.as_str()),
        "userPrincipalName": user.map(|user| user.upn.as_str()),
        "additionalInfo": json!([{"Key": "userAgent", "Value": entry.user_agent}]).to_string(),
        "location": {
            "city": place.city,
            "state": place.state,
            "countryOrRegion": place.country,
            "geoCoordinates": {"latitude": place.latitude, "longitude": place.longitude},
        },
    })
}
