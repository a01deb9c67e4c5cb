//! Entra's own logs (reference §7.1) and the message trace (§7.5).

use crate::act::{Act, Factor, SignIn, Target, What, Who};
use crate::dice::Guid;
use crate::text::{Object, quoted, row, time};
use crate::world::World;

/// A sign-in as Graph (beta) gives it.
pub(crate) fn graph_sign_in(world: &World, act: &Act) -> Option<String> {
    let (What::SignIn(sign_in), Who::User(user)) = (&act.what, &act.who) else {
        return None;
    };
    let (user, network) = (&world.users[*user], &world.networks[act.from?.network]);
    let (city, state, country, latitude, longitude) = network.place;
    Some(
        Object::new()
            .text("id", act.id)
            .text("createdDateTime", time(act.time) + "Z")
            .text("userDisplayName", &user.name)
            .text("userPrincipalName", &user.upn)
            .text("userId", user.id)
            .text("appId", &act.app.id)
            .text("appDisplayName", &act.app.name)
            .text("resourceDisplayName", "Office 365 Exchange Online")
            .text("resourceId", "00000002-0000-0ff1-ce00-000000000000")
            .text("ipAddress", act.from?.address)
            .raw("autonomousSystemNumber", network.number)
            .text("clientAppUsed", sign_in.client)
            .text("userAgent", &act.agent)
            .text("correlationId", world.dice(&[60, act.id.0 as u64]).guid())
            .text("conditionalAccessStatus", "notApplied")
            .text("sessionId", act.session)
            .text("uniqueTokenIdentifier", act.id.token())
            .text(
                "incomingTokenType",
                if sign_in.interactive {
                    "none"
                } else {
                    "refreshToken"
                },
            )
            .text("authenticationProtocol", sign_in.protocol)
            .text("originalTransferMethod", sign_in.transfer)
            .raw("isInteractive", sign_in.interactive)
            .list(
                "signInEventTypes",
                [quoted(if sign_in.interactive {
                    "interactiveUser"
                } else {
                    "nonInteractiveUser"
                })],
            )
            .text("authenticationRequirement", requirement(sign_in))
            .list("authenticationDetails", steps(sign_in))
            .text("riskLevelDuringSignIn", "none")
            .text("riskLevelAggregated", "none")
            .text("riskState", "none")
            .object(
                "status",
                Object::new()
                    .raw("errorCode", sign_in.code)
                    .text("failureReason", failure(sign_in.code)),
            )
            .object("deviceDetail", device(sign_in))
            .object(
                "location",
                Object::new()
                    .text("city", city)
                    .text("state", state)
                    .text("countryOrRegion", country)
                    .object(
                        "geoCoordinates",
                        Object::new()
                            .raw("latitude", latitude)
                            .raw("longitude", longitude),
                    ),
            )
            .end(),
    )
}

/// The same as a Log Analytics row, where nested values are JSON in text.
pub(crate) fn analytics_sign_in(world: &World, act: &Act) -> Option<String> {
    let (What::SignIn(sign_in), Who::User(user)) = (&act.what, &act.who) else {
        return None;
    };
    let (user, network) = (&world.users[*user], &world.networks[act.from?.network]);
    let (city, state, country, latitude, longitude) = network.place;
    let location = Object::new()
        .text("city", city)
        .text("state", state)
        .text("countryOrRegion", country)
        .object(
            "geoCoordinates",
            Object::new()
                .raw("latitude", latitude)
                .raw("longitude", longitude),
        )
        .end();
    Some(
        Object::new()
            .text("TenantId", world.id)
            .text("TimeGenerated", time(act.time) + "Z")
            .text("OperationName", "Sign-in activity")
            .text(
                "Category",
                if sign_in.interactive {
                    "SignInLogs"
                } else {
                    "NonInteractiveUserSignInLogs"
                },
            )
            .text("ResultType", sign_in.code)
            .text("ResultDescription", failure(sign_in.code))
            .text("CorrelationId", world.dice(&[60, act.id.0 as u64]).guid())
            .text("Id", act.id)
            .text("CreatedDateTime", time(act.time) + "Z")
            .text("AppDisplayName", &act.app.name)
            .text("AppId", &act.app.id)
            .text(
                "AuthenticationDetails",
                format!("[{}]", steps(sign_in).join(",")),
            )
            .text("AuthenticationProtocol", sign_in.protocol)
            .text("OriginalTransferMethod", sign_in.transfer)
            .text("AuthenticationRequirement", requirement(sign_in))
            .text("AutonomousSystemNumber", network.number)
            .text("ClientAppUsed", sign_in.client)
            .text("DeviceDetail", device(sign_in).end())
            .text("IPAddress", act.from?.address)
            .raw("IsInteractive", sign_in.interactive)
            .text("LocationDetails", location)
            .text("ResourceDisplayName", "Office 365 Exchange Online")
            .text("SessionId", act.session)
            .text("Status", Object::new().raw("errorCode", sign_in.code).end())
            .text("UniqueTokenIdentifier", act.id.token())
            .text(
                "IncomingTokenType",
                if sign_in.interactive {
                    "none"
                } else {
                    "refreshToken"
                },
            )
            .text("UserAgent", &act.agent)
            .text("UserId", user.id)
            .text("UserPrincipalName", &user.upn)
            .text(
                "Type",
                if sign_in.interactive {
                    "SigninLogs"
                } else {
                    "AADNonInteractiveUserSignInLogs"
                },
            )
            .end(),
    )
}

fn requirement(sign_in: &SignIn) -> &'static str {
    if sign_in.factor == Factor::None {
        "singleFactorAuthentication"
    } else {
        "multiFactorAuthentication"
    }
}

fn failure(code: u32) -> &'static str {
    match code {
        0 => "Other.",
        50126 => "Error validating credentials due to invalid username or password.",
        50053 => "The account is locked.",
        _ => "Strong authentication is required.",
    }
}

fn steps(sign_in: &SignIn) -> Vec<String> {
    let step = |method: &str, succeeded: bool, detail: &str, requirement: &str| {
        Object::new()
            .text("authenticationMethod", method)
            .raw("succeeded", succeeded)
            .text("authenticationStepResultDetail", detail)
            .text("authenticationStepRequirement", requirement)
            .end()
    };
    let ok = sign_in.code == 0 || sign_in.code == 50076;
    if !sign_in.interactive {
        return vec![step(
            "Previously satisfied",
            ok,
            "First factor requirement satisfied by claim in the token",
            "Primary authentication",
        )];
    }
    let mut steps = vec![step(
        "Password",
        ok,
        if ok {
            "Correct password"
        } else {
            "Incorrect password"
        },
        "Primary authentication",
    )];
    match sign_in.factor {
        Factor::Given => steps.push(step(
            "Mobile app notification",
            true,
            "MFA completed in Azure AD",
            "Multifactor authentication",
        )),
        Factor::Claim => steps.push(step(
            "Previously satisfied",
            true,
            "MFA requirement satisfied by claim in the token",
            "Multifactor authentication",
        )),
        Factor::None => {}
    }
    steps
}

fn device(sign_in: &SignIn) -> Object {
    Object::new()
        .text(
            "deviceId",
            sign_in.device.map_or_else(String::new, |id| id.to_string()),
        )
        .text(
            "displayName",
            sign_in
                .device
                .map_or_else(String::new, |id| format!("LT-{}", &id.to_string()[..5])),
        )
        .text("operatingSystem", "")
        .text("browser", "")
        .raw("isCompliant", "false")
        .raw("isManaged", "false")
        .text(
            "trustType",
            if sign_in.device.is_some() {
                "Azure AD joined"
            } else {
                ""
            },
        )
}

/// A directory audit as Graph gives it.
pub(crate) fn directory_audit(world: &World, act: &Act) -> Option<String> {
    let What::Directory {
        activity,
        service,
        category,
        reason,
        target,
        changed,
    } = &act.what
    else {
        return None;
    };
    let Who::User(user) = act.who else {
        return None;
    };
    let properties = changed.iter().map(|(name, old, new)| {
        let coded = |value: &str| {
            if value.is_empty() {
                "null".to_owned()
            } else {
                quoted(&quoted(value))
            }
        };
        Object::new()
            .text("displayName", name)
            .raw("oldValue", coded(old))
            .raw("newValue", coded(new))
            .end()
    });
    let resource = match target {
        Target::User(user) => Object::new()
            .text("id", world.users[*user].id)
            .text("type", "User")
            .text("userPrincipalName", &world.users[*user].upn)
            .raw("displayName", "null"),
        Target::App {
            principal, name, ..
        } => Object::new()
            .text("id", principal)
            .text("type", "ServicePrincipal")
            .raw("userPrincipalName", "null")
            .text("displayName", name),
    };
    let details = match target {
        Target::App { id, .. } => vec![Object::new().text("key", "AppId").text("value", id).end()],
        Target::User(_) => Vec::new(),
    };
    Some(
        Object::new()
            .text("id", directory_id(act.id))
            .text("category", category)
            .text("correlationId", act.id)
            .text("result", "success")
            .text("resultReason", reason)
            .text("activityDisplayName", activity)
            .text("activityDateTime", time(act.time) + "Z")
            .text("loggedByService", service)
            .text("operationType", "Update")
            .object(
                "initiatedBy",
                Object::new().raw("app", "null").object(
                    "user",
                    Object::new()
                        .text("id", world.users[user].id)
                        .text("userPrincipalName", &world.users[user].upn)
                        .text(
                            "ipAddress",
                            act.from
                                .map_or_else(String::new, |from| from.address.to_string()),
                        ),
                ),
            )
            .list(
                "targetResources",
                [resource.list("modifiedProperties", properties).end()],
            )
            .list("additionalDetails", details)
            .end(),
    )
}

pub(crate) fn directory_id(id: Guid) -> String {
    format!(
        "Directory_{id}_{:05X}_{}",
        id.0 as u32 & 0xf_ffff,
        1000 + (id.0 >> 40) as u32 % 90_000
    )
}

pub(crate) const TRACE_HEADER: &str = "\"MessageTraceId\",\"Received\",\"SenderAddress\",\"RecipientAddress\",\"Subject\",\"Status\",\"FromIP\",\"ToIP\",\"Size\",\"MessageId\"\r\n";

/// The trace's rows of a message, one for each recipient, as Get-MessageTraceV2 has them.
pub(crate) fn trace(world: &World, act: &Act) -> Vec<String> {
    let (sender, mail, to) = match &act.what {
        What::Send { mailbox, mail, to } => (world.users[*mailbox].upn.clone(), mail, to.clone()),
        What::Arrive { sender, mail, to } => {
            (sender.clone(), mail, vec![world.users[*to].upn.clone()])
        }
        _ => return Vec::new(),
    };
    let mut dice = world.dice(&[61, act.id.0 as u64]);
    let (trace, size) = (
        dice.guid().to_string(),
        dice.between(4_000, 200_000).to_string(),
    );
    let from = match &act.what {
        What::Arrive { .. } => act
            .from
            .map_or_else(String::new, |from| from.address.to_string()),
        _ => String::new(),
    };
    to.iter()
        .map(|to| {
            row(&[
                &trace,
                &(time(act.time + 2) + "Z"),
                &sender,
                to,
                &mail.subject,
                "Delivered",
                &from,
                "",
                &size,
                &mail.id,
            ])
        })
        .collect()
}
