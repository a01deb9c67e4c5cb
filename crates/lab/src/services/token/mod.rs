//! The sign-in service: discovery, the authorize page, the token endpoint v2,
//! the device code and the identity endpoint of a machine (reference §1.1 to
//! §1.3, §9).

mod authorize;
mod client;
mod discovery;
mod grants;
mod machine;
mod refused;

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub(crate) use authorize::COOKIE;
pub(crate) use refused::{Refused, busy, refused};

use super::answer::Answer;
use super::odata::decode;
use super::{Ask, Served};
use crate::trace::Service;
use crate::world::access::Wanted;
use crate::world::{Resource, World};

/// The fields of a form.
pub(super) type Form = BTreeMap<String, String>;

/// Answers what belongs to the sign-in service.
pub(super) fn serve(ask: &mut Ask<'_>) -> Served {
    let path = ask.path().trim_matches('/').to_owned();
    let segments: Vec<String> = path.split('/').map(decode).collect();
    let words: Vec<&str> = segments.iter().map(String::as_str).collect();
    let method = ask.request.method().as_str().to_owned();
    let form = form_of(ask);
    let app_id = match words.first() {
        // The responder's app stands for the machine's identity.
        Some(&("metadata" | "msi")) => Some(ask.world.tenant.responder_app.clone()),
        _ => form.get("client_id").cloned(),
    };
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
        ("GET" | "POST", [tenant, "oauth2", "v2.0", "authorize"]) => {
            let fields = query_of(ask);
            if is_tenant(ask.world, tenant) {
                authorize::page(ask, &fields)
            } else {
                refused(90_002).answer(ask.world, ask.now)
            }
        }
        ("GET" | "POST", [tenant, "adminconsent"] | [tenant, "v2.0", "adminconsent"]) => {
            let fields = query_of(ask);
            if is_tenant(ask.world, tenant) {
                let tenant = ask.world.tenant.id.clone();
                authorize::admin_consent(ask, &fields, &tenant)
            } else {
                refused(90_002).answer(ask.world, ask.now)
            }
        }
        ("GET", ["metadata", "identity", "oauth2", "token"]) => {
            machine::virtual_machine(ask, &form)
        }
        ("GET", ["msi", "token"]) => machine::app_service(ask, &form),
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
    flow: fn(&mut Ask<'_>, &Form, &str) -> Result<Answer, Refused>,
) -> Answer {
    let now = ask.now;
    let outcome = if is_tenant(ask.world, tenant) {
        flow(ask, form, tenant)
    } else {
        Err(refused(90002))
    };
    outcome.unwrap_or_else(|refused| refused.answer(ask.world, now))
}

/// The query of a request, whatever its method.
fn query_of(ask: &Ask<'_>) -> Form {
    url::form_urlencoded::parse(ask.request.uri().query().unwrap_or_default().as_bytes())
        .into_owned()
        .collect()
}

/// Whether the segment is this tenant's id or one of its domains.
fn names_tenant(world: &World, segment: &str) -> bool {
    let tenant = &world.tenant;
    [&tenant.id, &tenant.domain, &tenant.initial_domain]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(segment))
}

/// Whether the segment names this tenant; `common` and `organizations` find it
/// by the user who signs in.
fn is_tenant(world: &World, segment: &str) -> bool {
    names_tenant(world, segment) || ["common", "organizations"].contains(&segment)
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
    // RFC 6749: both halves are form-encoded before they are joined.
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
    /// What the id token must repeat.
    pub(super) nonce: Option<String>,
}

impl Wish {
    /// The scopes on the resource.
    pub(super) fn wanted(&self) -> Wanted {
        if self.scopes.is_empty() || self.scopes.iter().any(|scope| scope == ".default") {
            Wanted::Everything
        } else {
            Wanted::Exactly(self.scopes.clone())
        }
    }
}

/// The resource with this name.
pub(super) fn resource_of(name: &str) -> Option<Resource> {
    use crate::world::known;
    Some(match name.trim_end_matches('/') {
        "https://graph.microsoft.com" | known::GRAPH => Resource::Graph,
        "https://outlook.office365.com" | "https://outlook.office.com" | known::EXCHANGE => {
            Resource::Exchange
        }
        "https://manage.office.com" | known::MANAGEMENT => Resource::Management,
        _ => return None,
    })
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
                let resource = resource_of(host).ok_or(refused(500_011))?;
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
        nonce: None,
    })
}

/// The address of the server as the client knows it.
pub(crate) fn base_of(ask: &Ask<'_>) -> String {
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
