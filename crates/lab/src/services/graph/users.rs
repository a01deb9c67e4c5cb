//! `/users` and what hangs below a user.

use retake_playbook::ObjectKind;
use serde_json::{Value, json};

use super::{
    Answer, Call, Outcome, devices, directory, logs, mail, methods, not_allowed, not_found, rules,
};
use crate::services::odata::parse_filter;
use crate::services::rights::Act;
use crate::trace::TraceObject;
use crate::unconfirmed::{BLOCK_PERMISSION, REVOKE_ROLE};
use crate::world::contact::Contact;
use crate::world::tokens::CutKind;
use crate::world::{User, UserType, World};

/// What a read shows when nothing is selected (reference §2.1).
const DEFAULT: [&str; 10] = [
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
];

/// Everything below one user.
pub(super) fn serve(call: &mut Call<'_, '_>, method: &str, user: &str, rest: &[&str]) -> Outcome {
    match (method, rest) {
        ("GET", []) => read(call, user),
        ("PATCH", []) => update(call, user),
        ("POST", ["revokeSignInSessions" | "microsoft.graph.revokeSignInSessions"]) => {
            revoke(call, user)
        }
        ("POST", ["invalidateAllRefreshTokens"]) if call.beta() => {
            revoke(call, user).map(|answer| {
                let mut empty = Answer::no_content();
                empty.target = answer.target;
                empty.effect = answer.effect;
                empty
            })
        }
        ("GET", ["manager"]) => manager(call, user),
        ("GET", ["memberOf" | "transitiveMemberOf"]) => directory::member_of(call, user),
        ("GET", ["oauth2PermissionGrants"]) => super::apps::grants_of(call, user),
        ("GET", ["ownedDevices" | "registeredDevices"]) => devices::of_user(call, user),
        (_, ["appRoleAssignments", rest @ ..]) => {
            super::user_roles::serve(call, method, user, rest)
        }
        ("GET", ["ownedObjects"]) => {
            call.need_user_read(user)?;
            // Nothing of the kind exists in the scenarios so far.
            Ok(call
                .page("directoryObjects", (100, 999), Vec::new())
                .about(ObjectKind::Account, user))
        }
        (_, ["authentication", rest @ ..]) => methods::serve(call, method, user, rest),
        (_, ["mailFolders", folder, "messageRules", rest @ ..]) => {
            rules::serve(call, method, user, folder, rest)
        }
        (
            _,
            [
                "mailFolders" | "messages" | "sendMail" | "mailboxSettings",
                ..,
            ],
        ) => mail::serve(call, method, user, rest),
        (_, []) => Err(not_allowed()),
        _ => Err(not_found()),
    }
}

/// `GET /users`.
pub(super) fn list(call: &mut Call<'_, '_>, method: &str) -> Outcome {
    if method != "GET" {
        return Err(not_allowed());
    }
    call.need(&[
        "User.Read.All",
        "User.ReadWrite.All",
        "User.ReadBasic.All",
        "Directory.Read.All",
        "Directory.ReadWrite.All",
    ])?;
    let filter = match &call.query.filter {
        Some(text) => parse_filter(text)?,
        None => Vec::new(),
    };
    needs_premium(call)?;
    let mut found = Vec::new();
    let now = call.ask.now;
    for id in call.ask.world.users.keys() {
        let Some(user) = call.ask.world.shown_user(id, now) else {
            continue;
        };
        let mut all = true;
        for group in &filter {
            let mut any = false;
            for clause in group {
                let value = match clause.path.as_str() {
                    "userPrincipalName" => user.upn.as_str(),
                    "mail" => &user.mail,
                    "displayName" => &user.display_name,
                    "id" => &user.id,
                    "accountEnabled" => {
                        if user.enabled {
                            "true"
                        } else {
                            "false"
                        }
                    }
                    "userType" => match user.user_type {
                        UserType::Member => "Member",
                        UserType::Guest => "Guest",
                    },
                    "department" => &user.department,
                    "proxyAddresses" => {
                        any |= user
                            .proxy_addresses
                            .iter()
                            .any(|address| clause.text(address));
                        continue;
                    }
                    _ => {
                        return Err(Answer::graph_error(
                            400,
                            "Request_UnsupportedQuery",
                            &format!(
                                "Unsupported or invalid query filter clause specified for property '{}' of resource 'User'.",
                                clause.path
                            ),
                        ));
                    }
                };
                any |= clause.text(value);
            }
            all &= any;
        }
        if all {
            found.push(user.clone());
        }
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    let mut items = Vec::new();
    for user in &found {
        let json = user_json(call.ask.world, user, call.beta());
        items.push(
            call.query
                .project(json, Some(&DEFAULT), "microsoft.graph.user")?,
        );
    }
    let mut answer = call
        .page("users", (100, 999), items)
        .about(ObjectKind::Tenant, call.ask.world.tenant.id.clone());
    if let [one] = found.as_slice() {
        answer = answer.about(ObjectKind::Account, one.id.clone());
    }
    answer.shows = found
        .iter()
        .map(|user| TraceObject::new(ObjectKind::Account, user.id.clone()))
        .collect();
    Ok(answer)
}

fn read(call: &mut Call<'_, '_>, user: &str) -> Outcome {
    call.need_user_read(user)?;
    needs_premium(call)?;
    let now = call.ask.now;
    let held = call
        .ask
        .world
        .shown_user(user, now)
        .ok_or_else(|| Answer::no_object(user))?;
    let json = user_json(call.ask.world, held, call.beta());
    let body = call
        .query
        .project(json, Some(&DEFAULT), "microsoft.graph.user")?;
    let mut answer = Answer::json(200, body).about(ObjectKind::Account, user);
    answer.shows = vec![TraceObject::new(ObjectKind::Account, user)];
    Ok(answer)
}

/// `signInActivity` is for tenants with a premium licence (reference §7.1).
fn needs_premium(call: &Call<'_, '_>) -> Result<(), Answer> {
    let wanted = call
        .query
        .select
        .as_ref()
        .is_some_and(|names| names.iter().any(|name| name == "signInActivity"));
    if !wanted {
        return Ok(());
    }
    call.need(&["AuditLog.Read.All"])?;
    if call.ask.world.tenant.has_p1 || call.ask.world.tenant.has_p2 {
        Ok(())
    } else {
        Err(logs::no_premium())
    }
}

fn update(call: &mut Call<'_, '_>, user: &str) -> Outcome {
    let body = call.body()?;
    let Some(fields) = body.as_object() else {
        return Err(Answer::bad_request("The body is not an object."));
    };
    // All or nothing: one refused property fails the whole change.
    for (name, value) in fields {
        match name.as_str() {
            "accountEnabled" => {
                if !value.is_boolean() {
                    return Err(invalid(name));
                }
                call.need(&[
                    "User.EnableDisableAccount.All",
                    "User.ReadWrite.All",
                    "Directory.ReadWrite.All",
                ])?;
                // Not confirmed whether the narrow permission suffices alone.
                if call.ask.world.unconfirmed.variant(&BLOCK_PERMISSION) == "paired" {
                    call.need_user_read(user)?;
                }
                call.need_rank(user, Act::Change)?;
            }
            "passwordProfile" => {
                if !value["password"].is_null() && !value["password"].is_string() {
                    return Err(invalid(name));
                }
                call.need(&[
                    "User-PasswordProfile.ReadWrite.All",
                    "User.ReadWrite.All",
                    "Directory.AccessAsUser.All",
                ])?;
                call.need_rank(user, Act::Reset)?;
                mastered_here(call, user, true)?;
                if let Some(text) = value["password"].as_str()
                    && !strong(text)
                {
                    return Err(Answer::graph_error(
                        400,
                        "Request_BadRequest",
                        "The specified password does not comply with password complexity requirements. Please provide a different password.",
                    ));
                }
            }
            "mobilePhone" | "otherMails" | "businessPhones" => {
                let least = if name == "otherMails" {
                    "User-Mail.ReadWrite.All"
                } else {
                    "User-Phone.ReadWrite.All"
                };
                // Everybody may change their own.
                if !(call.caller.is(user) && call.caller.has(&["User.ReadWrite"])) {
                    call.need(&[least, "User.ReadWrite.All", "Directory.ReadWrite.All"])?;
                    call.need_rank(user, Act::Change)?;
                }
                mastered_here(call, user, false)?;
            }
            "@odata.type" => {}
            _ => return Err(invalid(name)),
        }
    }
    let (now, origin) = (call.ask.now, call.origin());
    let mut changed = serde_json::Map::new();
    let mut password = false;
    let mut contacts = Vec::new();
    for (name, value) in fields {
        match name.as_str() {
            "accountEnabled" => {
                let old = call
                    .ask
                    .world
                    .users
                    .get(user)
                    .is_some_and(|held| held.enabled);
                let new = value.as_bool().unwrap_or(old);
                call.ask.world.set_enabled(now, &origin, user, new);
                changed.insert(name.clone(), json!([old, new]));
            }
            "passwordProfile" => {
                let must = value["forceChangePasswordNextSignIn"]
                    .as_bool()
                    .unwrap_or(false)
                    || value["forceChangePasswordNextSignInWithMfa"]
                        .as_bool()
                        .unwrap_or(false);
                if let Some(text) = value["password"].as_str() {
                    call.ask.world.set_password(
                        now,
                        &origin,
                        user,
                        text,
                        must,
                        CutKind::AdminReset,
                    );
                    password = true;
                } else if let Some(held) = call.ask.world.users.get_mut(user) {
                    held.must_change_password = must;
                }
            }
            _ => {
                let Some(contact) = Contact::named(name) else {
                    continue;
                };
                let old = call
                    .ask
                    .world
                    .users
                    .get(user)
                    .map(|held| contact.of(held))
                    .unwrap_or_default();
                let new = texts(value);
                call.ask
                    .world
                    .set_contact(now, &origin, user, contact, new.clone());
                let shown = |values: &[String]| match contact {
                    Contact::MobilePhone => json!(values.first()),
                    _ => json!(values),
                };
                contacts.push(json!({
                    "kind": ObjectKind::ResetAttributes,
                    "id": format!("{user}/{name}"),
                    "effect": {"kind": "changed", "fields": {name: [shown(&old), shown(&new)]}},
                }));
            }
        }
    }
    if !contacts.is_empty() && changed.is_empty() && !password {
        return Ok(Answer::no_content()
            .about(ObjectKind::Account, user)
            .effect(json!({"kind": "changed", "fields": {}, "touched": contacts})));
    }
    let effect = match (password, changed.is_empty()) {
        (true, true) => json!({"kind": "password_set"}),
        (true, false) => json!({"kind": "changed", "fields": changed, "touched": [
            {"kind": "password", "id": user, "effect": {"kind": "password_set"}},
        ]}),
        (false, _) => json!({"kind": "changed", "fields": changed}),
    };
    let kind = if password && changed.is_empty() {
        ObjectKind::Password
    } else {
        ObjectKind::Account
    };
    Ok(Answer::no_content().about(kind, user).effect(effect))
}

/// Refuses what another directory is the master of: properties of a synchronised
/// account, and the password of one that signs in elsewhere (reference §2.1; the
/// texts for guests and federated accounts are UNCONFIRMED).
fn mastered_here(call: &Call<'_, '_>, user: &str, password: bool) -> Result<(), Answer> {
    let world = &call.ask.world;
    let Some(held) = world.users.get(user) else {
        return Ok(());
    };
    let refuse = |text: &str| Err(Answer::graph_error(400, "Request_BadRequest", text));
    if held.on_premises.is_some() {
        refuse(
            "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.",
        )
    } else if password && held.user_type == UserType::Guest {
        refuse(
            "Unable to update the specified properties for objects that have originated within an external service.",
        )
    } else if password && world.is_federated(held) {
        refuse("The password of a federated user cannot be updated.")
    } else {
        Ok(())
    }
}

/// The texts of a list, or of one value; none of nothing.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items
            .iter()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect(),
        Value::String(text) => vec![text.clone()],
        _ => Vec::new(),
    }
}

/// Three of four kinds of characters and at least eight.
fn strong(text: &str) -> bool {
    let kinds = [
        text.chars().any(char::is_lowercase),
        text.chars().any(char::is_uppercase),
        text.chars().any(|letter| letter.is_ascii_digit()),
        text.chars().any(|letter| !letter.is_alphanumeric()),
    ];
    text.chars().count() >= 8 && kinds.iter().filter(|kind| **kind).count() >= 3
}

fn invalid(name: &str) -> Answer {
    Answer::graph_error(
        400,
        "Request_BadRequest",
        &format!("A value for property '{name}' of resource 'User' is invalid or not supported."),
    )
}

fn revoke(call: &mut Call<'_, '_>, user: &str) -> Outcome {
    // The page says that there is no body, and Microsoft's own libraries send none; the one report
    // of a 400 (reference §2.1) names a request inside a batch. What comes has to name its type.
    if call.ask.header("content-type").is_none() && !call.ask.request.body().is_empty() {
        return Err(Answer::bad_request(
            "Write request id : action:1 does not contain Content-Type header or body.",
        ));
    }
    let own = call.caller.is(user);
    if !own
        || !call
            .caller
            .has(&["User.ReadWrite", "User.RevokeSessions.All"])
    {
        call.need(&[
            "User.RevokeSessions.All",
            "User.ReadWrite.All",
            "Directory.ReadWrite.All",
        ])?;
        // Not confirmed which role a person needs, or whether any; an app needs one
        // over the unit, where the account is in a restricted one.
        let role_needed = call.ask.world.unconfirmed.variant(&REVOKE_ROLE) == "needed";
        let restricted = call.ask.world.restricted_unit(user).is_some();
        if restricted || (role_needed && !call.caller.is_app()) {
            call.need_rank(user, Act::Reset)?;
        }
    }
    let (now, origin) = (call.ask.now, call.origin());
    call.ask.world.revoke_sessions(now, &origin, user);
    Ok(Answer::json(
        200,
        json!({
            "@odata.context": format!("https://graph.microsoft.com/{}/$metadata#Edm.Boolean", call.version),
            "value": true,
        }),
    )
    .about(ObjectKind::Session, user)
    .effect(json!({"kind": "revoked"})))
}

fn manager(call: &mut Call<'_, '_>, user: &str) -> Outcome {
    call.need_user_read(user)?;
    let manager = call
        .ask
        .world
        .users
        .get(user)
        .and_then(|held| held.manager.clone())
        .and_then(|id| call.ask.world.users.get(&id).cloned())
        .ok_or_else(|| {
            Answer::graph_error(
                404,
                "Request_ResourceNotFound",
                "Resource 'manager' does not exist or one of its queried reference-property objects are not present.",
            )
        })?;
    let mut json = user_json(call.ask.world, &manager, call.beta());
    json["@odata.type"] = json!("#microsoft.graph.user");
    let body = call
        .query
        .project(json, Some(&DEFAULT), "microsoft.graph.user")?;
    Ok(Answer::json(200, body).about(ObjectKind::Account, user))
}

/// A user with everything that can be selected.
pub(super) fn user_json(world: &World, user: &User, beta: bool) -> Value {
    let activity = logs::activity_of(world, &user.id);
    let licences: Vec<Value> = user
        .licences
        .iter()
        .map(|sku| json!({"skuId": sku, "disabledPlans": []}))
        .collect();
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let guest = user.user_type == UserType::Guest;
    // A licence without this plan has no mailbox.
    let plans: Vec<Value> = user
        .licences
        .iter()
        .filter(|_| user.has_mailbox)
        .map(|_| {
            json!({
                "assignedDateTime": user.created,
                "capabilityStatus": "Enabled",
                "service": "exchange",
                "servicePlanId": "9aaf7827-d63c-4b61-89c3-182f06f82e5c",
            })
        })
        .collect();
    let directory = user.on_premises.as_ref();
    let mut json = json!({
        "id": user.id,
        "businessPhones": user.business_phones,
        "displayName": user.display_name,
        "givenName": user.given_name,
        "jobTitle": user.job_title,
        "mail": text(&user.mail),
        "mobilePhone": user.mobile_phone,
        "officeLocation": user.office,
        "preferredLanguage": null,
        "surname": user.surname,
        "userPrincipalName": user.upn,
        "accountEnabled": user.enabled,
        "ageGroup": null,
        "assignedLicenses": licences,
        "assignedPlans": plans,
        "city": null,
        "companyName": world.tenant.display_name,
        "country": null,
        "createdDateTime": user.created,
        "creationType": guest.then_some("Invitation"),
        "deletedDateTime": null,
        "department": user.department,
        "employeeId": null,
        "employeeType": null,
        "externalUserState": guest.then_some("Accepted"),
        "faxNumber": null,
        "identities": if guest {
            json!([{"signInType": "federated", "issuer": "ExternalAzureAD", "issuerAssignedId": null}])
        } else {
            json!([{"signInType": "userPrincipalName", "issuer": world.tenant.initial_domain, "issuerAssignedId": user.upn}])
        },
    });
    let more = json!({
        "imAddresses": [user.upn],
        "isManagementRestricted": world.restricted_unit(&user.id).map(|_| true),
        "isResourceAccount": null,
        "lastPasswordChangeDateTime": user.password_changed,
        "licenseAssignmentStates": [],
        "mailNickname": user.upn.split('@').next(),
        "onPremisesDistinguishedName": null,
        "onPremisesDomainName": null,
        "onPremisesImmutableId": directory.map(|held| held.immutable_id.as_str()),
        "onPremisesLastSyncDateTime": directory.map(|held| held.last_sync),
        "onPremisesSamAccountName": directory.map(|held| held.account_name.as_str()),
        "onPremisesSecurityIdentifier": null,
        "onPremisesSyncEnabled": directory.map(|_| true),
        "onPremisesUserPrincipalName": null,
        "otherMails": user.other_mails,
        "passwordPolicies": null,
        "passwordProfile": {
            "password": null,
            "forceChangePasswordNextSignIn": user.must_change_password,
            "forceChangePasswordNextSignInWithMfa": false,
        },
        "postalCode": null,
        "provisionedPlans": [],
        "proxyAddresses": user.proxy_addresses,
        "securityIdentifier": null,
        "showInAddressList": null,
        "signInActivity": activity,
        "signInSessionsValidFromDateTime": user.sessions_valid_from,
        "state": null,
        "streetAddress": null,
        "usageLocation": world.tenant.country,
        "userType": match user.user_type { UserType::Member => "Member", UserType::Guest => "Guest" },
    });
    crate::world::mail::merge(&mut json, more);
    if beta && let Some(json) = json.as_object_mut() {
        json.insert(
            "refreshTokensValidFromDateTime".into(),
            json!(user.sessions_valid_from),
        );
    }
    json
}
