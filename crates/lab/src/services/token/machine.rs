//! The identity endpoints of a machine and of App Service (reference §1.3): a
//! token for whatever runs there, without a credential.
//!
//! The responder's app stands for the machine's identity, so that its rights
//! are the same whichever way it signs in.

use jiff::SignedDuration;
use serde_json::json;

use super::Form;
use crate::services::Ask;
use crate::services::answer::Answer;
use crate::unconfirmed::APP_SERVICE;
use crate::world::issue::AccessWish;
use crate::world::{Origin, Resource, SignInKind, Surface};

/// `GET /metadata/identity/oauth2/token` of a virtual machine.
pub(super) fn virtual_machine(ask: &mut Ask<'_>, form: &Form) -> Answer {
    // In lower case, or it is not seen.
    if ask.header("metadata") != Some("true") {
        return error(
            400,
            "bad_request_102",
            "Required metadata header not specified",
        );
    }
    // A proxy must not be able to ask in the machine's name.
    if ask.header("x-forwarded-for").is_some() {
        return error(400, "invalid_request", "The request came through a proxy");
    }
    if !form.contains_key("api-version") {
        return error(
            400,
            "invalid_request",
            "Required query variable 'api-version' is missing",
        );
    }
    answer(ask, form)
}

/// What `IDENTITY_ENDPOINT` points to in App Service.
pub(super) fn app_service(ask: &mut Ask<'_>, form: &Form) -> Answer {
    if ask.world.unconfirmed.variant(&APP_SERVICE) == "absent" {
        return error(404, "not_found", "There is nothing at this address");
    }
    let header = ask.header("x-identity-header").unwrap_or_default();
    if header.is_empty() || header != ask.world.tenant.identity_header {
        return error(
            401,
            "unauthorized",
            "The identity header is missing or wrong",
        );
    }
    answer(ask, form)
}

fn answer(ask: &mut Ask<'_>, form: &Form) -> Answer {
    let app = ask.world.tenant.responder_app.clone();
    let Some(resource) = form.get("resource") else {
        return error(
            400,
            "invalid_request",
            "Required query variable 'resource' is missing",
        );
    };
    let Some(resource) = super::resource_of(resource) else {
        return error(
            400,
            "invalid_resource",
            "AADSTS500011: The resource principal was not found in the tenant.",
        );
    };
    let principal = ask.world.principal_of_app(&app).map(|app| app.id.clone());
    let named = [
        ("client_id", Some(app.clone())),
        ("object_id", principal.clone()),
        ("principal_id", principal),
        ("msi_res_id", None),
    ];
    for (name, held) in named {
        if form.get(name).is_some_and(|given| {
            !held
                .as_ref()
                .is_some_and(|held| held.eq_ignore_ascii_case(given))
        }) {
            return error(400, "invalid_request", "Identity not found");
        }
    }
    let access = match held(ask, resource) {
        Some(access) => access,
        None => issue(ask, &app, resource),
    };
    let left = access.expires.as_second() - ask.now.as_second();
    // Times are texts here.
    Answer::json(
        200,
        json!({
            "access_token": access.token,
            "refresh_token": "",
            "client_id": app,
            "expires_in": left.to_string(),
            "expires_on": access.expires.as_second().to_string(),
            "ext_expires_in": left.to_string(),
            "not_before": access.issued.as_second().to_string(),
            "resource": form.get("resource"),
            "token_type": "Bearer",
        }),
    )
}

/// The host keeps a token until shortly before its end, whatever was granted in
/// the meantime.
fn held(ask: &Ask<'_>, resource: Resource) -> Option<crate::world::AccessToken> {
    let text = ask.world.tokens.machine.get(&resource)?;
    let access = ask.world.bearer(text, ask.now).ok()?;
    let left = access.expires.duration_since(ask.now);
    (left > SignedDuration::from_mins(5)).then(|| access.clone())
}

fn issue(ask: &mut Ask<'_>, app: &str, resource: Resource) -> crate::world::AccessToken {
    let now = ask.now;
    let origin = Origin {
        user: None,
        app_id: app.to_owned(),
        ip: ask.peer.ip.clone(),
        user_agent: ask.user_agent.clone(),
        session: None,
        token: None,
        surface: Surface::Entra,
    };
    let entry = ask
        .world
        .sign_in_entry(now, SignInKind::ServicePrincipal, &origin, resource);
    let sign_in = entry.id.clone();
    ask.world.record_sign_in(entry);
    let roles = ask.world.app_roles(app, resource);
    // Managed identities take no part in continuous access evaluation.
    let access = ask.world.issue_access(
        now,
        AccessWish {
            user: None,
            app_id: app,
            resource,
            scopes: Vec::new(),
            roles,
            cae: false,
            session: None,
            sign_in: &sign_in,
        },
    );
    ask.world
        .tokens
        .machine
        .insert(resource, access.token.clone());
    access
}

/// The error body of the identity endpoint.
fn error(status: u16, error: &str, text: &str) -> Answer {
    Answer::json(status, json!({"error": error, "error_description": text}))
}
