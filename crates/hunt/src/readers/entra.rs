//! Entra records: sign-ins, directory audits, risk detections; from Graph,
//! portal, Log Analytics and diagnostic settings. Keys differ in case and
//! wrapping only, so one mapping serves all (reference §7.1, §7.4).

use serde_json::Value;

use super::fields::{Fields, any_text, at, pairs_of, text_at};
use crate::event::{Event, Mfa, Modified, Outcome, Source, Target};
use crate::{address, moment, token};

/// The event of a sign-in.
pub(super) fn sign_in(fields: Fields<'_>, original: &str) -> Result<Event, String> {
    let time = fields
        .text(&[
            "createdDateTime",
            "CreatedDateTime [UTC]",
            "TimeGenerated",
            "TimeGenerated [UTC]",
            "time",
            "eventTime",
            "eventTimestamp",
        ])
        // Some exports leave the time out; the first step of the sign-in has it.
        .or_else(|| {
            let steps = fields.nested(&["authenticationDetails"])?;
            text_at(steps.as_array()?.first()?, "authenticationStepDateTime")
        })
        .ok_or("a sign-in without a time")?;
    let time = moment::parse(&time).ok_or("the time cannot be read")?;
    let mut event = Event::new(Source::SignIns, time, "Sign-in activity", original);
    event.record_id = fields.text(&["id"]).unwrap_or_default();
    event.tenant_id = fields.text(&["tenantId", "AADTenantId", "resourceTenantId"]);
    event.user = fields
        .text(&[
            "userPrincipalName",
            "signInIdentifier",
            "servicePrincipalName",
        ])
        .map(|user| user.to_lowercase());
    event.user_id = fields.text(&["userId", "servicePrincipalId"]);
    event.user_type = fields.text(&["userType"]);
    event.workload = Some("AzureActiveDirectory".to_owned());
    event.record_type = fields.text(&["category", "Type"]);
    event.address = fields
        .text(&["ipAddress", "callerIpAddress"])
        .and_then(|text| address::parse(&text));
    event.network = fields
        .text(&["autonomousSystemNumber"])
        .and_then(|text| text.parse().ok())
        .filter(|number| *number != 0);
    event.user_agent = fields.text(&["userAgent"]);
    event.client = fields.text(&["clientAppUsed"]);
    event.app_id = fields.text(&["appId"]);
    event.app_name = fields.text(&["appDisplayName"]);
    event.resource_id = fields.text(&["resourceIdentity", "resourceId"]);
    event.resource_name = fields.text(&["resourceDisplayName"]);
    event.session_id = fields.text(&["sessionId"]);
    event.token_id = fields
        .text(&["uniqueTokenIdentifier"])
        .or_else(|| token::token_id(&event.record_id));
    event.correlation_id = fields.text(&["correlationId"]);
    event.protocol = fields
        .text(&["authenticationProtocol"])
        .filter(|text| text != "none");
    event.transfer = fields
        .text(&["originalTransferMethod"])
        .filter(|text| text != "none");
    event.incoming_token = fields
        .text(&["incomingTokenType"])
        .filter(|text| text != "none");
    event.conditional_access = fields.text(&["conditionalAccessStatus"]);
    event.interactive = interactive(fields);
    outcome(&mut event, fields);
    place(&mut event, fields);
    device(&mut event, fields);
    mfa(&mut event, fields);
    risk(&mut event, fields);
    Ok(event)
}

fn interactive(fields: Fields<'_>) -> Option<bool> {
    let text = fields
        .text(&["isInteractive"])
        .map(|text| text.eq_ignore_ascii_case("true"));
    text.or_else(|| {
        let kinds = fields
            .nested(&["signInEventTypes"])
            .map(|kinds| any_text(&kinds))
            .or_else(|| fields.text(&["category", "Type"]))?;
        let kinds = kinds.to_ascii_lowercase();
        if kinds.contains("noninteractive")
            || kinds.contains("serviceprincipal")
            || kinds.contains("managedidentity")
        {
            Some(false)
        } else if kinds.contains("interactiveuser") || kinds.contains("signinlogs") {
            Some(true)
        } else {
            None
        }
    })
}

fn outcome(event: &mut Event, fields: Fields<'_>) {
    let status = fields.nested(&["status", "Status_dynamic", "Status_string"]);
    let code = status
        .as_deref()
        .and_then(|status| text_at(status, "errorCode"))
        .or_else(|| fields.text(&["resultType"]));
    event.reason = status
        .as_deref()
        .and_then(|status| {
            text_at(status, "failureReason").or_else(|| text_at(status, "additionalDetails"))
        })
        .or_else(|| fields.text(&["resultDescription"]))
        .filter(|text| text != "Other.");
    event.outcome = match code.as_deref() {
        Some("0" | "Success") => Outcome::Success,
        // "Keep me signed in" asks after the sign-in was through.
        Some("50140") | None => Outcome::Unknown,
        Some(_) => Outcome::Failure,
    };
    event.error_code = code.filter(|code| code != "0");
}

fn place(event: &mut Event, fields: Fields<'_>) {
    let Some(place) = fields.nested(&[
        "locationDetails",
        "LocationDetails_dynamic",
        "LocationDetails_string",
        "location",
    ]) else {
        event.place.country = fields.text(&["location"]).filter(|text| text.len() == 2);
        return;
    };
    event.place.city = text_at(&place, "city");
    event.place.state = text_at(&place, "state");
    event.place.country = text_at(&place, "countryOrRegion").map(|country| country.to_uppercase());
    event.place.coordinates = at(&place, "geoCoordinates").and_then(|geo| {
        let degree = |name: &str| at(geo, name).and_then(Value::as_f64);
        Some((degree("latitude")?, degree("longitude")?))
    });
}

fn device(event: &mut Event, fields: Fields<'_>) {
    let Some(device) = fields.nested(&[
        "deviceDetail",
        "DeviceDetail_dynamic",
        "DeviceDetail_string",
    ]) else {
        return;
    };
    event.device.id = text_at(&device, "deviceId");
    event.device.name = text_at(&device, "displayName");
    event.device.os = text_at(&device, "operatingSystem");
    event.device.browser = text_at(&device, "browser");
    event.device.trust = text_at(&device, "trustType");
    let flag = |name: &str| text_at(&device, name).map(|text| text.eq_ignore_ascii_case("true"));
    event.device.managed = match (flag("isManaged"), flag("isCompliant")) {
        (None, None) => None,
        (managed, compliant) => Some(managed == Some(true) || compliant == Some(true)),
    };
}

/// Reads the steps of the sign-in; a second factor satisfied by a claim was
/// not given by whoever is there now.
fn mfa(event: &mut Event, fields: Fields<'_>) {
    let required = fields.text(&["authenticationRequirement"]);
    let details = fields.nested(&["authenticationDetails"]);
    let steps: Vec<&Value> = details
        .as_deref()
        .and_then(Value::as_array)
        .map(|steps| steps.iter().collect())
        .unwrap_or_default();
    let said = |step: &Value, words: &[&str]| {
        let text = [
            "authenticationMethod",
            "authenticationStepResultDetail",
            "authenticationStepRequirement",
        ]
        .iter()
        .filter_map(|name| text_at(step, name))
        .collect::<Vec<_>>()
        .join(" ")
        .to_ascii_lowercase();
        words.iter().any(|word| text.contains(word))
    };
    let second = steps.iter().filter(|step| {
        said(step, &["multifactor", "multi-factor", "mfa", "secondary"])
            || !said(step, &["password", "previously satisfied", "primary"])
    });
    let mut given = false;
    let mut claim = false;
    for step in second {
        if text_at(step, "succeeded").as_deref() == Some("true") {
            if said(step, &["claim", "previously satisfied"]) {
                claim = true;
            } else {
                given = true;
            }
        }
    }
    let result = fields
        .text(&["mfaResult", "ResultDescription"])
        .unwrap_or_default()
        .to_ascii_lowercase();
    let status = fields
        .nested(&["status", "Status_dynamic", "Status_string"])
        .and_then(|status| text_at(&status, "additionalDetails"))
        .unwrap_or_default()
        .to_ascii_lowercase();
    let words = format!("{result} {status}");
    event.mfa = if words.contains("claim in the token") || (claim && !given) {
        Mfa::Claim
    } else if given
        || words.contains("mfa completed")
        || words.contains("mfa successfully completed")
    {
        Mfa::Given
    } else if matches!(
        event.error_code.as_deref(),
        Some("50074" | "50076" | "50072" | "50079" | "500121")
    ) {
        Mfa::Missing
    } else {
        match required.as_deref() {
            Some("singleFactorAuthentication") => Mfa::NotRequired,
            Some("multiFactorAuthentication") if event.outcome == Outcome::Success => {
                if event.interactive == Some(false) {
                    Mfa::Claim
                } else {
                    Mfa::Given
                }
            }
            Some("multiFactorAuthentication") => Mfa::Missing,
            _ => Mfa::Unknown,
        }
    };
}

fn risk(event: &mut Event, fields: Fields<'_>) {
    // `none` at this sign-in does not hide what the session gathered.
    event.risk = ["riskLevelDuringSignIn", "riskLevel", "riskLevelAggregated"]
        .iter()
        .filter_map(|name| fields.text(&[name]))
        .find(|level| level != "none" && level != "hidden");
    for name in ["riskEventTypes_v2", "riskEventTypes"] {
        if let Some(kinds) = fields.nested(&[name]) {
            event
                .risk_types
                .extend(kinds.as_array().into_iter().flatten().map(any_text));
        }
    }
    event.risk_types.sort();
    event.risk_types.dedup();
}

/// The event of a risk detection. Its `requestId` is the sign-in's id, so its
/// token id joins it to sign-in and audit.
pub(super) fn risk_detection(fields: Fields<'_>, original: &str) -> Result<Event, String> {
    let time = fields
        .text(&[
            "activityDateTime",
            "ActivityDateTime [UTC]",
            "detectedDateTime",
            "lastUpdatedDateTime",
            "TimeGenerated",
            "TimeGenerated [UTC]",
        ])
        .ok_or("a risk detection without a time")?;
    let time = moment::parse(&time).ok_or("the time cannot be read")?;
    let kind = fields.text(&["riskEventType"]).unwrap_or_default();
    let mut event = Event::new(Source::RiskDetections, time, "Risk detection", original);
    event.record_id = fields.text(&["id"]).unwrap_or_default();
    event.user = fields
        .text(&["userPrincipalName"])
        .map(|user| user.to_lowercase());
    event.user_id = fields.text(&["userId"]);
    event.address = fields
        .text(&["ipAddress"])
        .and_then(|text| address::parse(&text));
    event.correlation_id = fields.text(&["correlationId"]);
    event.token_id = fields
        .text(&["requestId"])
        .and_then(|id| token::token_id(&id));
    event.risk = fields.text(&["riskLevel"]).filter(|level| level != "none");
    event.risk_types = vec![kind];
    event.reason = fields.text(&["riskState"]);
    if let Some(info) = fields.nested(&["additionalInfo"]) {
        event.parameters = pairs_of(&info);
        event.user_agent = event.parameter("userAgent").map(str::to_owned);
    }
    place(&mut event, fields);
    Ok(event)
}

/// The event of a directory audit.
pub(super) fn directory_audit(fields: Fields<'_>, original: &str) -> Result<Event, String> {
    let operation = fields
        .text(&["activityDisplayName", "operationName"])
        .ok_or("a directory audit without an activity")?;
    let time = fields
        .text(&[
            "activityDateTime",
            "TimeGenerated",
            "ActivityDateTime [UTC]",
            "TimeGenerated [UTC]",
            "time",
            "eventTime",
            "eventTimestamp",
        ])
        .ok_or("a directory audit without a time")?;
    let time = moment::parse(&time).ok_or("the time cannot be read")?;
    let mut event = Event::new(Source::DirectoryAudits, time, &operation, original);
    event.record_id = fields.text(&["id"]).unwrap_or_default();
    event.tenant_id = fields.text(&["tenantId", "AADTenantId"]);
    event.workload = fields.text(&["loggedByService"]);
    event.record_type = fields.text(&["category"]);
    event.correlation_id = fields.text(&["correlationId"]);
    event.outcome = match fields
        .text(&["result"])
        .unwrap_or_default()
        .to_ascii_lowercase()
        .as_str()
    {
        "success" => Outcome::Success,
        "failure" | "timeout" => Outcome::Failure,
        _ => Outcome::Unknown,
    };
    event.reason = fields.text(&["resultReason", "resultDescription"]);
    if let Some(by) = fields.nested(&["initiatedBy"]) {
        if let Some(user) = at(&by, "user") {
            event.user = text_at(user, "userPrincipalName").map(|upn| upn.to_lowercase());
            event.user_id = text_at(user, "id");
            event.address = text_at(user, "ipAddress").and_then(|text| address::parse(&text));
        }
        if let Some(app) = at(&by, "app") {
            event.app_id = text_at(app, "appId").or_else(|| text_at(app, "servicePrincipalId"));
            event.app_name = text_at(app, "displayName");
            if event.user.is_none() {
                event.user_id = text_at(app, "servicePrincipalId");
                event.user_type = Some("Application".to_owned());
            }
        }
    }
    if event.address.is_none() {
        event.address = fields
            .text(&["callerIpAddress", "ipAddress"])
            .and_then(|text| address::parse(&text));
    }
    event.parameters = fields.pairs(&["additionalDetails"]);
    event.user_agent = event
        .parameter("User-Agent")
        .map(str::to_owned)
        .or_else(|| fields.text(&["userAgent"]));
    event.session_id = fields.text(&["sessionId"]);
    if let Some(list) = fields.nested(&["targetResources"]) {
        for item in list.as_array().into_iter().flatten() {
            event.targets.push(Target {
                id: text_at(item, "id"),
                name: text_at(item, "displayName"),
                upn: text_at(item, "userPrincipalName").map(|upn| upn.to_lowercase()),
                kind: text_at(item, "type"),
            });
            if let Some(changes) = at(item, "modifiedProperties") {
                let changes: Vec<(String, Modified)> =
                    super::fields::modified_of(changes).into_iter().collect();
                event.modified.extend(changes);
            }
        }
        event.object = event.targets.first().and_then(|target| {
            target
                .upn
                .clone()
                .or_else(|| target.id.clone())
                .or_else(|| target.name.clone())
        });
    }
    Ok(event)
}
