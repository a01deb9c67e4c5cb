//! The page where a person signs in for an app: authorization code with PKCE,
//! and the consent of an administrator (reference §1.3).
//!
//! The page reads the browser's cookie. Whoever has none sees a form whose
//! button signs the operator in: it plays the person, for browsers with a
//! person in front of them; tests bring a cookie.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::refused::{Refused, refused};
use super::{Form, client, wish};
use crate::services::Ask;
use crate::services::answer::{Answer, Body};
use crate::unconfirmed::CODE_LIFE;
use crate::world::known::role;
use crate::world::tokens::AuthorizationCode;
use crate::world::{Origin, Surface};

/// The name under which the browser keeps its session.
pub(crate) const COOKIE: &str = "ESTSAUTH";

/// `GET …/authorize`, and the same by POST when the page's button is pressed.
pub(super) fn page(ask: &mut Ask<'_>, form: &Form) -> Answer {
    let (app, redirect) = match target(ask, form) {
        Ok(found) => found,
        // Where the answer may go is not known: it stays on the page.
        Err(refused) => return shown(refused),
    };
    match decide(ask, form, &app, &redirect) {
        Ok(Some(code)) => back(form, &redirect, &[("code", &code)]),
        Ok(None) => sign_in_form(ask),
        Err(refused) => back(
            form,
            &redirect,
            &[
                ("error", refused.error),
                ("error_description", &refused.words()),
            ],
        ),
    }
}

/// The client and the address for the answer.
fn target(ask: &Ask<'_>, form: &Form) -> Result<(String, String), Refused> {
    let app = client::client_id(form).ok_or(refused(900_144))?;
    let registration = ask.world.registrations.get(&app).ok_or(refused(700_016))?;
    let redirect = form.get("redirect_uri").ok_or(refused(900_144))?;
    if registration.may_redirect_to(redirect) {
        Ok((app, redirect.clone()))
    } else {
        Err(Refused {
            code: 50_011,
            error: "invalid_request",
            status: 400,
            text: "The redirect URI specified in the request does not match the redirect URIs configured for the application.",
        })
    }
}

/// The code; `None` when nobody is signed in.
fn decide(
    ask: &mut Ask<'_>,
    form: &Form,
    app: &str,
    redirect: &str,
) -> Result<Option<String>, Refused> {
    if form.get("response_type").map(String::as_str) != Some("code") {
        return Err(refused(900_144));
    }
    let scope = form.get("scope").cloned().unwrap_or_default();
    wish(&scope)?;
    let challenge = form.get("code_challenge");
    let method = form.get("code_challenge_method").map(String::as_str);
    // S256 gives 43 characters; a plain one has 43 to 128.
    if challenge.is_some_and(|text| {
        !(43..=128).contains(&text.len()) || (method == Some("S256") && text.len() != 43)
    }) {
        return Err(refused(50_147));
    }
    let challenge = challenge.map(|text| match method {
        Some("S256") => text.clone(),
        // A plain challenge is its own verifier.
        _ => hash_of(text),
    });
    let Some(session) = session(ask, app) else {
        return if form.get("prompt").map(String::as_str) == Some("none") {
            Err(refused(50_058))
        } else {
            Ok(None)
        };
    };
    let life = match ask.world.unconfirmed.variant(&CODE_LIFE) {
        "1m" => SignedDuration::from_mins(1),
        _ => SignedDuration::from_mins(10),
    };
    let code = ask.world.secret(app, "authorization code", "1.AX");
    let expires = ask.now.checked_add(life).unwrap_or(Timestamp::MAX);
    ask.world.tokens.codes.insert(
        code.clone(),
        AuthorizationCode {
            app_id: app.to_owned(),
            redirect_uri: redirect.to_owned(),
            challenge,
            scope,
            nonce: form.get("nonce").cloned(),
            session,
            expires,
            redeemed: false,
        },
    );
    Ok(Some(code))
}

/// The session of the browser's cookie, or a new one when the page's button
/// was pressed.
fn session(ask: &mut Ask<'_>, app: &str) -> Option<String> {
    let cookie = cookie_of(ask);
    if let Some(session) = cookie.and_then(|cookie| ask.world.cookie_session(&cookie, ask.now)) {
        return Some(session);
    }
    if ask.request.method() != http::Method::POST {
        return None;
    }
    let operator = ask.world.user_id(&ask.world.tenant.operator)?;
    let origin = Origin {
        user: Some(operator),
        app_id: app.to_owned(),
        ip: ask.peer.ip.clone(),
        user_agent: ask.user_agent.clone(),
        session: None,
        token: None,
        surface: Surface::Entra,
    };
    let now = ask.now;
    ask.world.sign_in_at_page(now, app, &origin)
}

fn cookie_of(ask: &Ask<'_>) -> Option<String> {
    ask.header("cookie")?.split(';').find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == COOKIE).then(|| value.to_owned())
    })
}

/// `POST …/token` with a code.
pub(super) fn redeem(
    ask: &mut Ask<'_>,
    form: &Form,
    app: &str,
) -> Result<AuthorizationCode, Refused> {
    let (given, now) = (form.get("code").ok_or(refused(900_144))?, ask.now);
    let held = ask
        .world
        .tokens
        .codes
        .get_mut(given)
        .filter(|held| held.app_id == app)
        .ok_or(refused(70_000))?;
    if held.redeemed {
        return Err(refused(54_005));
    }
    if held.expires <= now {
        return Err(refused(70_008));
    }
    if form.get("redirect_uri").map(String::as_str) != Some(held.redirect_uri.as_str()) {
        return Err(refused(500_112));
    }
    let verifier = form.get("code_verifier").map(|text| hash_of(text));
    if verifier != held.challenge {
        return Err(refused(501_481));
    }
    held.redeemed = true;
    Ok(held.clone())
}

fn hash_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

/// `GET /{tenant}/adminconsent`: the app's permissions were consented by whoever
/// set the lab up, so only the person's right to do it is looked at.
pub(super) fn admin_consent(ask: &mut Ask<'_>, form: &Form, tenant: &str) -> Answer {
    let (app, redirect) = match target(ask, form) {
        Ok(found) => found,
        Err(refused) => return shown(refused),
    };
    let Some(session) = session(ask, &app) else {
        return sign_in_form(ask);
    };
    let allowed = ask.world.tokens.sessions.get(&session).is_some_and(|held| {
        let roles = ask.world.roles_of(&held.user);
        [
            role::GLOBAL_ADMINISTRATOR,
            role::PRIVILEGED_ROLE_ADMINISTRATOR,
        ]
        .iter()
        .any(|role| roles.contains(role))
    });
    if allowed {
        back(
            form,
            &redirect,
            &[("tenant", tenant), ("admin_consent", "True")],
        )
    } else {
        back(
            form,
            &redirect,
            &[
                ("error", "permission_denied"),
                ("error_description", "The admin canceled the request"),
            ],
        )
    }
}

/// The answer at the app's address, in the way it asked for.
fn back(form: &Form, redirect: &str, fields: &[(&str, &str)]) -> Answer {
    let mut fields = fields.to_vec();
    if let Some(state) = form.get("state") {
        fields.push(("state", state));
    }
    let Ok(mut to) = url::Url::parse(redirect) else {
        return shown(refused(900_144));
    };
    match form.get("response_mode").map(String::as_str) {
        Some("form_post") => {
            let mut inputs = String::new();
            for (name, value) in &fields {
                inputs.push_str("<input type=\"hidden\" name=\"");
                inputs.push_str(name);
                inputs.push_str("\" value=\"");
                inputs.push_str(&escaped(value));
                inputs.push_str("\">");
            }
            return html(
                200,
                &format!(
                    "<form method=\"post\" action=\"{}\">{inputs}<noscript><button>Continue</button></noscript></form><script>document.forms[0].submit()</script>",
                    escaped(to.as_str())
                ),
            );
        }
        Some("fragment") => {
            let text = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(&fields)
                .finish();
            to.set_fragment(Some(&text));
        }
        _ => {
            to.query_pairs_mut().extend_pairs(&fields);
        }
    }
    // An address without a path comes back with a slash at its end.
    let mut answer = Answer::no_content().header("location", to.as_str());
    answer.status = 302;
    answer
}

/// An error that stays on the page.
fn shown(refused: Refused) -> Answer {
    html(
        refused.status,
        &format!(
            "<p>Sorry, but we are having trouble signing you in.</p><p>{}</p>",
            refused.words()
        ),
    )
}

fn sign_in_form(ask: &Ask<'_>) -> Answer {
    let uri = ask.request.uri();
    html(
        200,
        &format!(
            "<p>Sign in</p><form method=\"post\" action=\"{}?{}\"><button>Continue as {}</button></form>",
            escaped(uri.path()),
            escaped(uri.query().unwrap_or_default()),
            escaped(&ask.world.tenant.operator)
        ),
    )
}

fn html(status: u16, inside: &str) -> Answer {
    let mut answer = Answer::no_content().header("cache-control", "no-store");
    answer.status = status;
    answer.body = Body::Raw(
        "text/html; charset=utf-8",
        format!("<!doctype html><html><head><title>Sign in to your account</title></head><body>{inside}</body></html>")
            .into_bytes(),
    );
    answer
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
