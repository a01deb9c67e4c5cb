//! The sign-in service: discovery, the token endpoint v2 and the device code
//! (reference §1.1 to §1.3, §9). What a person does on the sign-in page is
//! played by [`crate::ways`].

mod discovery;
mod grants;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::Answer;
use super::odata::decode;
use super::{Ask, Served};
use crate::trace::Service;
use crate::world::{AppRegistration, Resource, World};

/// The fields of a form.
pub(super) type Form = BTreeMap<String, String>;

/// What the token endpoint refuses: the OAuth word, the AADSTS number and the
/// status.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused {
    pub(crate) code: u32,
    pub(super) error: &'static str,
    pub(super) status: u16,
    pub(super) text: &'static str,
}

/// The refusals (reference §1.3).
pub(crate) const fn refused(code: u32) -> Refused {
    let (error, status, text) = match code {
        50034 => (
            "invalid_grant",
            400,
            "The user account does not exist in this directory.",
        ),
        50055 => ("invalid_grant", 400, "The password is expired."),
        50057 => ("invalid_grant", 400, "The user account is disabled."),
        50072 => (
            "interaction_required",
            400,
            "The user must register a second factor.",
        ),
        50076 => (
            "interaction_required",
            400,
            "Multi-factor authentication is required to access this resource.",
        ),
        50126 => ("invalid_grant", 400, "Invalid username or password."),
        50133 => (
            "invalid_grant",
            400,
            "The session is not valid due to a recent password change.",
        ),
        50173 => (
            "invalid_grant",
            400,
            "The provided grant has expired due to it being revoked, a fresh auth token is needed.",
        ),
        65001 => (
            "invalid_grant",
            400,
            "The user or administrator has not consented to use the application.",
        ),
        70000 => (
            "invalid_grant",
            400,
            "The provided value for the input parameter is not valid: the grant is malformed or unknown.",
        ),
        70011 => (
            "invalid_scope",
            400,
            "The provided value for the input parameter 'scope' is not valid.",
        ),
        70016 => (
            "authorization_pending",
            400,
            "OAuth 2.0 device flow error. Authorization is pending.",
        ),
        70018 => (
            "bad_verification_code",
            400,
            "The device code is not known.",
        ),
        70019 => ("expired_token", 400, "The device code has expired."),
        65004 => (
            "authorization_declined",
            400,
            "The user declined the request.",
        ),
        90002 => (
            "invalid_request",
            400,
            "Tenant not found. Check that the tenant id is correct.",
        ),
        500_011 => (
            "invalid_resource",
            400,
            "The resource principal was not found in the tenant.",
        ),
        700_016 => (
            "unauthorized_client",
            400,
            "The application was not found in the directory.",
        ),
        700_082 => (
            "invalid_grant",
            400,
            "The refresh token has expired due to inactivity.",
        ),
        7_000_112 => ("unauthorized_client", 400, "The application is disabled."),
        7_000_222 => (
            "invalid_client",
            401,
            "The provided client secret keys or certificates are expired.",
        ),
        7_000_215 => ("invalid_client", 401, "Invalid client secret provided."),
        7_000_218 => (
            "invalid_client",
            401,
            "The request body must contain 'client_assertion' or 'client_secret'.",
        ),
        70003 => (
            "unsupported_grant_type",
            400,
            "The app requested an unsupported grant type.",
        ),
        _ => (
            "invalid_request",
            400,
            "The request is malformed or a required parameter is missing.",
        ),
    };
    Refused {
        code,
        error,
        status,
        text,
    }
}

/// The service is busy or broken; the status says how.
pub(crate) const fn busy(status: u16) -> Refused {
    Refused {
        code: if status == 429 { 90055 } else { 90033 },
        error: "temporarily_unavailable",
        status,
        text: "A transient error has occurred. Please try again.",
    }
}

impl Refused {
    /// The error body of the token endpoint (reference §1.3).
    pub(crate) fn answer(self, world: &mut World, now: Timestamp) -> Answer {
        let trace = world.new_id("token trace");
        let correlation = world.new_id("token correlation");
        let stamp = now.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let mut body = json!({
            "error": self.error,
            "error_description": format!(
                "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}",
                self.code, self.text
            ),
            "error_codes": [self.code],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.code),
        });
        if self.error == "interaction_required"
            && let Some(body) = body.as_object_mut()
        {
            body.insert("suberror".into(), json!("basic_action"));
        }
        Answer::json(self.status, body)
            .header("cache-control", "no-store")
            .header("pragma", "no-cache")
    }
}

/// Answers what belongs to the sign-in service.
pub(super) fn serve(ask: &mut Ask<'_>) -> Served {
    let path = ask.path().trim_matches('/').to_owned();
    let segments: Vec<String> = path.split('/').map(decode).collect();
    let words: Vec<&str> = segments.iter().map(String::as_str).collect();
    let method = ask.request.method().as_str().to_owned();
    let form = form_of(ask);
    let app_id = form.get("client_id").cloned();
    let answer = match (method.as_str(), words.as_slice()) {
        ("GET", ["common" | "organizations", "discovery", "instance"]) => discovery::instance(ask),
        (
            "GET",
            [tenant, "v2.0", ".well-known", "openid-configuration"]
            | [tenant, ".well-known", "openid-configuration"],
        ) => discovery::openid(ask, tenant),
        ("GET", [_, "discovery", "v2.0", "keys"]) => Answer::json(200, json!({"keys": []})),
        ("GET", ["common", "userrealm" | "UserRealm", _]) => Answer::json(
            200,
            json!({"ver": "1.0", "account_type": "Managed", "cloud_instance_name": "microsoftonline.com"}),
        ),
        ("POST", [tenant, "oauth2", "v2.0", "token"]) => within(ask, tenant, &form, grants::token),
        ("POST", [tenant, "oauth2", "v2.0", "devicecode"]) => {
            within(ask, tenant, &form, grants::device_code)
        }
        _ => Answer::json(
            404,
            json!({"error": "not_found", "error_description": "There is nothing at this address."}),
        ),
    };
    Served {
        service: Service::Token,
        answer,
        app_id,
    }
}

/// Runs a flow in a tenant that exists.
fn within(
    ask: &mut Ask<'_>,
    tenant: &str,
    form: &Form,
    flow: fn(&mut Ask<'_>, &Form) -> Result<Answer, Refused>,
) -> Answer {
    let now = ask.now;
    let outcome = if is_tenant(ask.world, tenant) {
        flow(ask, form)
    } else {
        Err(refused(90002))
    };
    outcome.unwrap_or_else(|refused| refused.answer(ask.world, now))
}

/// Whether the segment names this tenant; `common` and `organizations` find it
/// by the user who signs in.
fn is_tenant(world: &World, segment: &str) -> bool {
    let tenant = &world.tenant;
    [&tenant.id, &tenant.domain, &tenant.initial_domain]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(segment))
        || ["common", "organizations"].contains(&segment)
}

/// The form of a POST, the query of a GET; a client that authenticates by
/// HTTP Basic is put into the same fields.
fn form_of(ask: &Ask<'_>) -> Form {
    use base64::Engine as _;
    let mut form: Form = if ask.request.method() == http::Method::GET {
        url::form_urlencoded::parse(ask.request.uri().query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect()
    } else {
        url::form_urlencoded::parse(ask.request.body())
            .into_owned()
            .collect()
    };
    let basic = ask
        .header("authorization")
        .and_then(|value| value.strip_prefix("Basic "))
        .and_then(|value| base64::engine::general_purpose::STANDARD.decode(value).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok());
    if let Some((id, secret)) = basic.as_deref().and_then(|text| text.split_once(':')) {
        form.entry("client_id".into()).or_insert_with(|| decode(id));
        form.entry("client_secret".into())
            .or_insert_with(|| decode(secret));
    }
    form
}

/// What was asked for: one resource and the scopes on it, `openid` and its
/// kin apart.
pub(super) struct Wish {
    pub(super) resource: Resource,
    /// Names without the resource; `.default` alone means all that is granted.
    pub(super) scopes: Vec<String>,
    pub(super) openid: bool,
    pub(super) offline: bool,
}

/// Reads a scope value (reference §1.2): scopes of two resources are refused.
pub(super) fn wish(scope: &str) -> Result<Wish, Refused> {
    let mut found: Option<Resource> = None;
    let (mut scopes, mut openid, mut offline) = (Vec::new(), false, false);
    for word in scope.split_whitespace() {
        match word {
            "openid" => openid = true,
            "profile" | "email" => {}
            "offline_access" => offline = true,
            _ => {
                let (host, name) = word
                    .rsplit_once('/')
                    .map_or(("https://graph.microsoft.com", word), |(host, name)| {
                        (host, name)
                    });
                let resource = match host.trim_end_matches('/') {
                    "https://graph.microsoft.com" | crate::world::known::GRAPH => Resource::Graph,
                    "https://outlook.office365.com"
                    | "https://outlook.office.com"
                    | crate::world::known::EXCHANGE => Resource::Exchange,
                    "https://manage.office.com" | crate::world::known::MANAGEMENT => {
                        Resource::Management
                    }
                    _ => return Err(refused(500_011)),
                };
                if found.is_some_and(|held| held != resource) {
                    return Err(refused(70011));
                }
                found = Some(resource);
                scopes.push(name.to_owned());
            }
        }
    }
    Ok(Wish {
        resource: found.unwrap_or(Resource::Graph),
        scopes,
        openid,
        offline,
    })
}

/// The client of a request: known here, and its secret right where one is
/// sent or needed.
pub(super) fn client<'w>(
    world: &'w World,
    form: &Form,
    secret_needed: bool,
) -> Result<(String, Option<&'w AppRegistration>), Refused> {
    let id = form
        .get("client_id")
        .ok_or(refused(900_144))?
        .to_lowercase();
    let registration = world.registrations.get(&id);
    if registration.is_none() && world.principal_of_app(&id).is_none() {
        return Err(refused(700_016));
    }
    match form.get("client_secret") {
        Some(secret) => {
            let held = registration.and_then(|app| app.secret);
            if held != Some(AppRegistration::digest(secret)) {
                return Err(refused(7_000_215));
            }
        }
        None if secret_needed => return Err(refused(7_000_218)),
        None => {}
    }
    if world
        .principal_of_app(&id)
        .is_some_and(|principal| !principal.enabled)
    {
        return Err(refused(7_000_112));
    }
    Ok((id, registration))
}

/// The address of the server as the client knows it.
pub(super) fn base_of(ask: &Ask<'_>) -> String {
    let uri = ask.request.uri();
    match (uri.scheme_str(), uri.authority()) {
        (Some(scheme), Some(authority)) => format!("{scheme}://{authority}"),
        _ => format!(
            "https://{}",
            ask.header("host").unwrap_or("login.microsoftonline.com")
        ),
    }
}

/// Whether the client declared that it understands claims challenges.
pub(super) fn declares_cp1(form: &Form) -> bool {
    form.get("claims")
        .and_then(|claims| serde_json::from_str::<Value>(claims).ok())
        .and_then(|claims| claims.pointer("/access_token/xms_cc/values").cloned())
        .and_then(|values| values.as_array().cloned())
        .is_some_and(|values| {
            values.iter().any(|value| {
                value
                    .as_str()
                    .is_some_and(|v| v.eq_ignore_ascii_case("cp1"))
            })
        })
}
