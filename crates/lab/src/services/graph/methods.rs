//! Authentication methods (reference §2.2 to §2.4).

use jiff::Timestamp;
use retake_playbook::ObjectKind;
use serde_json::{Value, json};

use super::{Answer, Call, Outcome, not_allowed, not_found};
use crate::services::rights::Act;
use crate::trace::TraceObject;
use crate::unconfirmed::{ALTERNATE_MOBILE_TEXT, DEFAULT_METHOD_TEXT, READ_METHODS_ROLE};
use crate::world::known::role;
use crate::world::{Method, MethodKind, PhoneKind};

/// The typed segments: name, permission word, whether only beta has it.
const TYPED: [(&str, &str, bool); 9] = [
    ("passwordMethods", "Password", false),
    ("phoneMethods", "Phone", false),
    ("emailMethods", "Email", false),
    ("microsoftAuthenticatorMethods", "MicrosoftAuthApp", false),
    ("fido2Methods", "Passkey", false),
    ("softwareOathMethods", "SoftwareOATH", false),
    ("hardwareOathMethods", "HardwareOATH", true),
    ("temporaryAccessPassMethods", "TAP", false),
    ("windowsHelloForBusinessMethods", "WindowsHello", false),
];

/// Everything below `/users/{id}/authentication`.
pub(super) fn serve(call: &mut Call<'_, '_>, method: &str, user: &str, rest: &[&str]) -> Outcome {
    match (method, rest) {
        ("GET", ["methods"]) => {
            may_read(call, user)?;
            let items = methods_json(call, user, None);
            Ok(listed(call, user, "authentication/methods", items))
        }
        ("GET", ["methods", id]) => {
            may_read(call, user)?;
            one(call, user, id, None)
        }
        ("DELETE", ["methods", id]) => Err(Answer::graph_error(
            404,
            "itemNotFound",
            &format!(
                "No HTTP resource was found that matches the request URI 'https://mface.windowsazure.com/odata/authenticationMethods/{id}'."
            ),
        )),
        ("GET", ["signInPreferences"]) if call.beta() => {
            may_read(call, user)?;
            let held = call.ask.world.users.get(user);
            let preference = held.and_then(|held| {
                held.default_method
                    .as_deref()
                    .and_then(|id| held.method(id))
                    .and_then(|method| method.kind.preference())
            });
            let mut body = json!({"isSystemPreferredAuthenticationMethodEnabled": false});
            if let Some(word) = preference {
                body["userPreferredMethodForSecondaryAuthentication"] = json!(word);
            }
            Ok(Answer::json(200, body).about(ObjectKind::Account, user))
        }
        ("PATCH", ["signInPreferences"]) if call.beta() => prefer(call, user),
        ("POST", ["temporaryAccessPassMethods"]) => create_pass(call, user),
        ("POST", ["phoneMethods"]) => create_phone(call, user),
        (_, [segment, rest @ ..]) => {
            let typed = TYPED
                .iter()
                .find(|(name, _, beta)| name == segment && (!beta || call.beta()))
                .ok_or_else(not_found)?;
            match (method, rest) {
                ("GET", []) => {
                    may_read(call, user)?;
                    let items = methods_json(call, user, Some(typed.0));
                    Ok(listed(call, user, typed.0, items))
                }
                ("GET", [id]) => {
                    may_read(call, user)?;
                    one(call, user, id, Some(typed.0))
                }
                ("DELETE", [id]) if typed.0 != "passwordMethods" => delete(call, user, typed, id),
                _ => Err(not_allowed()),
            }
        }
        _ => Err(not_found()),
    }
}

/// Who reads another's methods, when it is a person (reference §2.2).
const READERS: [&str; 4] = [
    role::GLOBAL_READER,
    role::AUTHENTICATION_ADMINISTRATOR,
    role::PRIVILEGED_AUTHENTICATION_ADMINISTRATOR,
    role::GLOBAL_ADMINISTRATOR,
];

fn may_read(call: &Call<'_, '_>, user: &str) -> Result<(), Answer> {
    if call.caller.is(user)
        && call.caller.has(&[
            "UserAuthenticationMethod.Read",
            "UserAuthenticationMethod.ReadWrite",
        ])
    {
        return Ok(());
    }
    call.need(&[
        "UserAuthenticationMethod.Read.All",
        "UserAuthenticationMethod.ReadWrite.All",
    ])?;
    // Not confirmed whether a person needs a role for another's methods.
    let role_needed = call.ask.world.unconfirmed.variant(&READ_METHODS_ROLE) == "needed";
    if role_needed && !call.caller.is_app() && !call.caller.is(user) {
        call.need_role(&READERS)?;
    }
    Ok(())
}

fn may_write(call: &Call<'_, '_>, user: &str, word: &str) -> Result<(), Answer> {
    let typed = format!("UserAuthMethod-{word}.ReadWrite.All");
    let own = format!("UserAuthMethod-{word}.ReadWrite");
    if call.caller.is(user) && call.caller.has(&[&own]) {
        return Ok(());
    }
    call.need(&["UserAuthenticationMethod.ReadWrite.All", &typed])?;
    call.need_rank(user, Act::Change)
}

fn methods_json(call: &Call<'_, '_>, user: &str, segment: Option<&str>) -> Vec<(String, Value)> {
    let Some(held) = call.ask.world.shown_user(user, call.ask.now) else {
        return Vec::new();
    };
    held.methods
        .iter()
        .filter(|method| segment.is_none_or(|segment| method.kind.segment() == segment))
        // v1.0 has no hardware tokens (reference §2.2).
        .filter(|method| call.beta() || !matches!(method.kind, MethodKind::HardwareOath { .. }))
        .map(|method| {
            let mut json = method_json(method, call.ask.now, false);
            if segment.is_none() {
                json["@odata.type"] =
                    json!(format!("#microsoft.graph.{}", method.kind.type_name()));
            }
            (method.id.clone(), json)
        })
        .collect()
}

fn listed(call: &Call<'_, '_>, user: &str, name: &str, items: Vec<(String, Value)>) -> Answer {
    let shows = items
        .iter()
        .map(|(id, _)| TraceObject::new(ObjectKind::Method, id.clone()))
        .collect();
    let mut answer = call
        .page(
            &format!("users('{user}')/{name}"),
            (100, 100),
            items.into_iter().map(|(_, json)| json).collect(),
        )
        .about(ObjectKind::Account, user);
    answer.shows = shows;
    answer
}

fn one(call: &Call<'_, '_>, user: &str, id: &str, segment: Option<&str>) -> Outcome {
    let (held, json) = methods_json(call, user, segment)
        .into_iter()
        .find(|(held, _)| held.eq_ignore_ascii_case(id))
        .ok_or_else(|| gone(id))?;
    let mut answer = Answer::json(200, json).about(ObjectKind::Method, held.clone());
    answer.shows = vec![TraceObject::new(ObjectKind::Method, held)];
    Ok(answer)
}

fn gone(id: &str) -> Answer {
    Answer::graph_error(
        404,
        "resourceNotFound",
        &format!("The requested authentication method id of [{id}] was not found."),
    )
}

/// Deletes a method: never the default while another second factor remains,
/// never the mobile phone before the alternate one (reference §2.3).
fn delete(call: &mut Call<'_, '_>, user: &str, typed: &(&str, &str, bool), id: &str) -> Outcome {
    may_write(call, user, typed.1)?;
    let held = call
        .ask
        .world
        .users
        .get(user)
        .ok_or_else(|| Answer::no_object(user))?;
    let method = held
        .method(id)
        .filter(|method| method.kind.segment() == typed.0)
        .cloned()
        .ok_or_else(|| gone(id))?;
    let alternate = held.methods.iter().any(|other| {
        matches!(
            other.kind,
            MethodKind::Phone {
                kind: PhoneKind::AlternateMobile,
                ..
            }
        )
    });
    if matches!(
        method.kind,
        MethodKind::Phone {
            kind: PhoneKind::Mobile,
            ..
        }
    ) && alternate
    {
        let text = match call.ask.world.unconfirmed.variant(&ALTERNATE_MOBILE_TEXT) {
            "bare" => "Without First Deleting Alternate Mobile Number",
            _ => {
                "The mobile number cannot be deleted without first deleting alternate mobile number."
            }
        };
        return Err(
            Answer::graph_error(400, "badRequest", text).about(ObjectKind::Method, method.id)
        );
    }
    let others = held
        .second_factors()
        .any(|other| other.id != method.id && other.kind.preference().is_some());
    if held.default_method.as_deref() == Some(method.id.as_str()) && others {
        let text = match call.ask.world.unconfirmed.variant(&DEFAULT_METHOD_TEXT) {
            "older" => String::from(
                "Cannot delete default method with other methods configured. Please change default method before deletion.",
            ),
            _ => format!(
                "The requested authentication method id of [{id}] matches the user's current default authentication method, and cannot be deleted until the default authentication method is changed"
            ),
        };
        return Err(
            Answer::graph_error(400, "badRequest", &text).about(ObjectKind::Method, method.id)
        );
    }
    let (now, origin) = (call.ask.now, call.origin());
    call.ask.world.delete_method(now, &origin, user, &method.id);
    Ok(Answer::no_content()
        .about(ObjectKind::Method, method.id)
        .effect(json!({"kind": "deleted"})))
}

fn prefer(call: &mut Call<'_, '_>, user: &str) -> Outcome {
    call.need(&["UserAuthenticationMethod.ReadWrite.All"])?;
    call.need_rank(user, Act::Change)?;
    let body = call.body()?;
    let word = body["userPreferredMethodForSecondaryAuthentication"]
        .as_str()
        .ok_or_else(|| Answer::bad_request("A preferred method is required."))?;
    let held = call
        .ask
        .world
        .users
        .get(user)
        .ok_or_else(|| Answer::no_object(user))?;
    let matches = |method: &&Method| {
        method.kind.preference() == Some(word)
            || (word == "voiceMobile"
                && matches!(
                    method.kind,
                    MethodKind::Phone {
                        kind: PhoneKind::Mobile,
                        ..
                    }
                ))
    };
    let id = held
        .methods
        .iter()
        .find(matches)
        .map(|method| method.id.clone())
        .ok_or_else(|| {
            Answer::graph_error(
                400,
                "badRequest",
                "The user has no registered method of the preferred kind.",
            )
        })?;
    let old = held.default_method.clone();
    let (now, origin) = (call.ask.now, call.origin());
    call.ask.world.set_default_method(now, &origin, user, &id);
    // What is so already changes nothing.
    let fields = if old.as_deref() == Some(id.as_str()) {
        json!({})
    } else {
        json!({"isDefault": [false, true]})
    };
    Ok(Answer::no_content()
        .about(ObjectKind::Method, id)
        .effect(json!({"kind": "changed", "fields": fields})))
}

/// A temporary access pass: shown once, one usable pass a user (§2.4).
fn create_pass(call: &mut Call<'_, '_>, user: &str) -> Outcome {
    may_write(call, user, "TAP")?;
    let body = call.body()?;
    let minutes = body["lifetimeInMinutes"].as_i64().unwrap_or(60);
    if !(10..=43_200).contains(&minutes) {
        return Err(Answer::graph_error(
            400,
            "badRequest",
            "The lifetime must be between 10 and 43200 minutes.",
        ));
    }
    let (now, origin) = (call.ask.now, call.origin());
    let starts = body["startDateTime"]
        .as_str()
        .and_then(|text| text.parse::<Timestamp>().ok())
        .unwrap_or(now);
    let pass = call.ask.world.next(user, "temporary access pass").text(
        b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789*+#",
        10,
    );
    if let Some(held) = call.ask.world.users.get_mut(user) {
        held.methods
            .retain(|method| !matches!(method.kind, MethodKind::TemporaryAccessPass { .. }));
    }
    let id = call.ask.world.add_method(
        now,
        &origin,
        user,
        MethodKind::TemporaryAccessPass {
            pass,
            starts,
            minutes: i32::try_from(minutes).unwrap_or(60),
            once: body["isUsableOnce"].as_bool().unwrap_or(false),
        },
    );
    let json = call
        .ask
        .world
        .users
        .get(user)
        .and_then(|held| held.method(&id))
        .map(|method| method_json(method, now, true))
        .unwrap_or_default();
    Ok(Answer::json(201, json)
        .about(ObjectKind::Method, id)
        .effect(json!({"kind": "created"})))
}

fn create_phone(call: &mut Call<'_, '_>, user: &str) -> Outcome {
    may_write(call, user, "Phone")?;
    let body = call.body()?;
    let kind = match body["phoneType"].as_str() {
        Some("mobile") => PhoneKind::Mobile,
        Some("alternateMobile") => PhoneKind::AlternateMobile,
        Some("office") => PhoneKind::Office,
        _ => {
            return Err(Answer::graph_error(
                400,
                "badRequest",
                "phoneType is required.",
            ));
        }
    };
    let Some(number) = body["phoneNumber"].as_str().map(str::to_owned) else {
        return Err(Answer::graph_error(
            400,
            "badRequest",
            "phoneNumber is required.",
        ));
    };
    let taken = call
        .ask
        .world
        .users
        .get(user)
        .is_some_and(|held| held.method(kind.method_id()).is_some());
    if taken {
        return Err(Answer::graph_error(
            400,
            "badRequest",
            "Phone method of this type already exists for the user.",
        ));
    }
    let (now, origin) = (call.ask.now, call.origin());
    let id = call
        .ask
        .world
        .add_method(now, &origin, user, MethodKind::Phone { number, kind });
    let json = call
        .ask
        .world
        .users
        .get(user)
        .and_then(|held| held.method(&id))
        .map(|method| method_json(method, now, false))
        .unwrap_or_default();
    Ok(Answer::json(201, json)
        .about(ObjectKind::Method, id)
        .effect(json!({"kind": "created"})))
}

/// A method as Graph shows it. A creation time is given only for kinds whose
/// type has one worth showing; for phones, mail and codes it stays null.
fn method_json(method: &Method, now: Timestamp, reveal: bool) -> Value {
    let mut json = json!({"id": method.id, "createdDateTime": null});
    let mut set = |name: &str, value: Value| json[name] = value;
    match &method.kind {
        MethodKind::Password => {
            set("createdDateTime", json!(method.created));
            set("password", Value::Null);
        }
        MethodKind::Phone { number, kind } => {
            set("phoneNumber", json!(number));
            set("phoneType", json!(kind.word()));
            set("smsSignInState", json!("notAllowedByPolicy"));
        }
        MethodKind::Email { address } => set("emailAddress", json!(address)),
        MethodKind::Authenticator {
            display_name,
            device_tag,
            version,
        } => {
            set("createdDateTime", json!(method.created));
            set("displayName", json!(display_name));
            set("deviceTag", json!(device_tag));
            set("phoneAppVersion", json!(version));
        }
        MethodKind::Fido2 {
            display_name,
            model,
            aa_guid,
        } => {
            set("createdDateTime", json!(method.created));
            set("displayName", json!(display_name));
            set("model", json!(model));
            set("aaGuid", json!(aa_guid));
            set("attestationLevel", json!("attested"));
            set("attestationCertificates", json!([]));
        }
        MethodKind::SoftwareOath => set("secretKey", Value::Null),
        MethodKind::HardwareOath { .. } => {}
        MethodKind::WindowsHello { display_name } => {
            set("createdDateTime", json!(method.created));
            set("displayName", json!(display_name));
            set("keyStrength", json!("normal"));
        }
        MethodKind::TemporaryAccessPass {
            pass,
            starts,
            minutes,
            once,
        } => {
            let ends = starts
                .checked_add(jiff::SignedDuration::from_mins(i64::from(*minutes)))
                .unwrap_or(Timestamp::MAX);
            let reason = if now < *starts {
                "NotYetValid"
            } else if now >= ends {
                "Expired"
            } else {
                "EnabledByPolicy"
            };
            set("createdDateTime", json!(method.created));
            set("startDateTime", json!(starts));
            set("lifetimeInMinutes", json!(minutes));
            set("isUsableOnce", json!(once));
            set("isUsable", json!(reason == "EnabledByPolicy"));
            set("methodUsabilityReason", json!(reason));
            set(
                "temporaryAccessPass",
                if reveal { json!(pass) } else { Value::Null },
            );
        }
    }
    json
}
