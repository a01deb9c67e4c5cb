//! The grants of the token endpoint and the device code (reference §1.3).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Ask, Form, Refused, Wish, client, declares_cp1, refused, wish};
use crate::services::answer::Answer;
use crate::world::issue::AccessWish;
use crate::world::tokens::{Class, DeviceCode, DeviceCodeState};
use crate::world::{Origin, SignIn, SignInKind, Surface, World, known};

/// `POST …/token`.
pub(super) fn token(ask: &mut Ask<'_>, form: &Form) -> Result<Answer, Refused> {
    match form.get("grant_type").map(String::as_str) {
        Some("client_credentials") => client_credentials(ask, form),
        // The short name is older than RFC 8628; Microsoft's library for Node still sends it.
        Some("urn:ietf:params:oauth:grant-type:device_code" | "device_code") => {
            device_token(ask, form)
        }
        Some("refresh_token") => refresh(ask, form),
        Some("password") => password(ask, form),
        Some(_) => Err(refused(70003)),
        None => Err(refused(900_144)),
    }
}

fn client_credentials(ask: &mut Ask<'_>, form: &Form) -> Result<Answer, Refused> {
    let wish = wish(form.get("scope").ok_or(refused(900_144))?)?;
    if wish.scopes != [".default"] {
        return Err(refused(70011));
    }
    let (app, now) = (form.get("client_id").cloned().unwrap_or_default(), ask.now);
    let origin = origin_of(ask, None, &app.to_lowercase());
    let mut entry =
        ask.world
            .sign_in_entry(now, SignInKind::ServicePrincipal, &origin, wish.resource);
    let (app, roles) = match client(ask.world, form, true) {
        Ok((app, registration)) => {
            let roles = registration
                .map(|registration| {
                    registration
                        .app_roles
                        .iter()
                        .filter(|(resource, _)| resource == wish.resource.app_id())
                        .map(|(_, role)| role.clone())
                        .collect()
                })
                .unwrap_or_default();
            (app, roles)
        }
        Err(refused) => {
            if refused.code != 700_016 {
                entry.error = refused.code;
                refused.text.clone_into(&mut entry.reason);
                ask.world.record_sign_in(entry);
            }
            return Err(refused);
        }
    };
    let sign_in = entry.id.clone();
    ask.world.record_sign_in(entry);
    let access = ask.world.issue_access(
        now,
        AccessWish {
            user: None,
            app_id: &app,
            resource: wish.resource,
            scopes: Vec::new(),
            roles,
            cae: declares_cp1(form),
            session: None,
            sign_in: &sign_in,
        },
    );
    let life = access.expires.as_second() - now.as_second();
    Ok(fresh(json!({
        "token_type": "Bearer",
        "expires_in": life,
        "ext_expires_in": life,
        "access_token": access.token,
    })))
}

/// `POST …/devicecode`: fifteen minutes, polled every five seconds.
pub(super) fn device_code(ask: &mut Ask<'_>, form: &Form) -> Result<Answer, Refused> {
    let (app, _) = client(ask.world, form, false)?;
    let scope = form.get("scope").cloned().unwrap_or_default();
    wish(&scope)?;
    let now = ask.now;
    let device_code = ask.world.secret(&app, "device code", "GAQ");
    let user_code = ask
        .world
        .next(&app, "user code")
        .text(b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789", 9);
    let life = SignedDuration::from_mins(15);
    ask.world.tokens.device_codes.insert(
        device_code.clone(),
        DeviceCode {
            device_code: device_code.clone(),
            user_code: user_code.clone(),
            app_id: app,
            scopes: scope.split_whitespace().map(str::to_owned).collect(),
            expires: now.checked_add(life).unwrap_or(Timestamp::MAX),
            state: DeviceCodeState::Pending,
            ip: ask.peer.ip.clone(),
        },
    );
    Ok(fresh(json!({
        "user_code": user_code,
        "device_code": device_code,
        "verification_uri": "https://microsoft.com/devicelogin",
        "expires_in": life.as_secs(),
        "interval": 5,
        "message": format!("To sign in, use a web browser to open the page https://microsoft.com/devicelogin and enter the code {user_code} to authenticate."),
    })))
}

fn device_token(ask: &mut Ask<'_>, form: &Form) -> Result<Answer, Refused> {
    let (app, _) = client(ask.world, form, false)?;
    let code = form
        .get("device_code")
        .or_else(|| form.get("code"))
        .ok_or(refused(900_144))?;
    let now = ask.now;
    let held = ask
        .world
        .tokens
        .device_codes
        .get_mut(code)
        .filter(|held| held.app_id == app)
        .ok_or(refused(70018))?;
    if held.expires <= now {
        return Err(refused(70019));
    }
    let session = match &held.state {
        DeviceCodeState::Pending => return Err(refused(70016)),
        DeviceCodeState::Declined => return Err(refused(65004)),
        DeviceCodeState::Redeemed => return Err(refused(70000)),
        DeviceCodeState::Approved(session) => session.clone(),
    };
    held.state = DeviceCodeState::Redeemed;
    let scope = held.scopes.join(" ");
    let wish = wish(&scope)?;
    tokens(ask, form, &app, &session, wish, None)
}

fn refresh(ask: &mut Ask<'_>, form: &Form) -> Result<Answer, Refused> {
    let (app, _) = client(ask.world, form, false)?;
    let given = form.get("refresh_token").ok_or(refused(900_144))?;
    let now = ask.now;
    let held = ask
        .world
        .tokens
        .refresh
        .get(given)
        .filter(|held| held.app_id == app)
        .cloned()
        .ok_or(refused(70000))?;
    if held.class == Class::ConfidentialClient && !form.contains_key("client_secret") {
        return Err(refused(7_000_218));
    }
    let scope = form
        .get("scope")
        .cloned()
        .unwrap_or_else(|| held.scopes.join(" "));
    let wish = wish(&scope)?;
    let refusal = refresh_refusal(ask.world, &held, now);
    let entry = refresh_entry(ask, &held.user, &app, &held.session, wish.resource);
    if let Some(code) = refusal {
        return Err(fail(ask.world, entry, code));
    }
    if let Some(held) = ask.world.tokens.refresh.get_mut(given) {
        held.last_used = now;
    }
    tokens(ask, form, &app, &held.session, wish, Some(entry))
}

/// Why a refresh token is refused, if it is (reference §9.2, §9.3).
fn refresh_refusal(
    world: &World,
    held: &crate::world::RefreshToken,
    now: Timestamp,
) -> Option<u32> {
    let Some(user) = world.users.get(&held.user) else {
        return Some(50034);
    };
    if !user.enabled {
        return Some(50057);
    }
    if let Some(cut) = World::refresh_cut(user, held.class, held.authenticated, now) {
        return Some(cut.kind.error());
    }
    let idle = now.duration_since(held.last_used);
    (idle > SignedDuration::from_hours(90 * 24)).then_some(700_082)
}

fn refresh_entry(
    ask: &mut Ask<'_>,
    user: &str,
    app: &str,
    session: &str,
    resource: crate::world::Resource,
) -> SignIn {
    let origin = origin_of(ask, Some(user), app).in_session(session);
    let now = ask.now;
    let mut entry = ask
        .world
        .sign_in_entry(now, SignInKind::NonInteractive, &origin, resource);
    entry.incoming_token = String::from("refreshToken");
    if let Some(session) = ask.world.tokens.sessions.get(session) {
        if session.mfa {
            entry.requirement = String::from("multiFactorAuthentication");
            entry.steps = vec![(String::from("Previously satisfied"), true)];
        }
        if session.device_code {
            entry.transfer = String::from("deviceCodeFlow");
        }
    }
    entry
}

/// Resource owner password: no page, so no second factor can be proven.
fn password(ask: &mut Ask<'_>, form: &Form) -> Result<Answer, Refused> {
    let (app, _) = client(ask.world, form, false)?;
    let wish = wish(form.get("scope").map_or("", String::as_str))?;
    let (name, text) = (
        form.get("username").ok_or(refused(900_144))?,
        form.get("password").ok_or(refused(900_144))?,
    );
    let user = ask.world.user_id(name).ok_or(refused(50034))?;
    let origin = origin_of(ask, Some(&user), &app);
    let now = ask.now;
    let mut entry = ask
        .world
        .sign_in_entry(now, SignInKind::Interactive, &origin, wish.resource);
    entry.protocol = String::from("ropc");
    let code = ask.world.users.get(&user).and_then(|held| {
        if !held.password.matches(&user, text) {
            Some(50126)
        } else if !held.enabled {
            Some(50057)
        } else if held.must_change_password {
            Some(50055)
        } else if held.second_factors().next().is_some() {
            Some(50076)
        } else {
            None
        }
    });
    entry.steps = vec![(String::from("Password"), code != Some(50126))];
    if let Some(code) = code {
        return Err(fail(ask.world, entry, code));
    }
    let session = ask
        .world
        .open_session(now, &user, Class::Password, false, &origin);
    entry.session = Some(session.clone());
    tokens(ask, form, &app, &session, wish, Some(entry))
}

/// Issues what a session may have: access token, refresh token with
/// `offline_access`, id token with `openid`. Consent is checked here, and the
/// sign-in is recorded when there is one to record.
fn tokens(
    ask: &mut Ask<'_>,
    form: &Form,
    app: &str,
    session: &str,
    wish: Wish,
    entry: Option<SignIn>,
) -> Result<Answer, Refused> {
    let now = ask.now;
    let held = ask
        .world
        .tokens
        .sessions
        .get(session)
        .cloned()
        .ok_or(refused(70000))?;
    let user = held.user.clone();
    let enabled = ask.world.users.get(&user).is_some_and(|user| user.enabled);
    if !enabled {
        let refusal = refused(50057);
        if let Some(entry) = entry {
            return Err(fail(ask.world, entry, 50057));
        }
        return Err(refusal);
    }
    let Some(scopes) = allowed_scopes(ask.world, app, &user, &wish) else {
        return Err(match entry {
            Some(entry) => fail(ask.world, entry, 65001),
            None => refused(65001),
        });
    };
    let sign_in = match entry {
        Some(entry) => {
            let id = entry.id.clone();
            ask.world.record_sign_in(entry);
            id
        }
        None => ask.world.next(&user, "token request").uuid().to_string(),
    };
    let access = ask.world.issue_access(
        now,
        AccessWish {
            user: Some(&user),
            app_id: app,
            resource: wish.resource,
            scopes: scopes.clone(),
            roles: Vec::new(),
            cae: declares_cp1(form),
            session: Some(session),
            sign_in: &sign_in,
        },
    );
    let life = access.expires.as_second() - now.as_second();
    let mut shown = scopes.clone();
    let mut body = json!({
        "token_type": "Bearer",
        "expires_in": life,
        "ext_expires_in": life,
        "access_token": access.token,
    });
    let mut add = |name: &str, value: Value| {
        if let Some(body) = body.as_object_mut() {
            body.insert(name.to_owned(), value);
        }
    };
    if wish.offline {
        let wanted: Vec<String> = scopes
            .iter()
            .map(|scope| format!("{}/{scope}", wish.resource.app_id()))
            .chain([String::from("offline_access")])
            .chain(wish.openid.then(|| String::from("openid")))
            .collect();
        let confidential = form.contains_key("client_secret");
        if let Some(refresh) = ask
            .world
            .issue_refresh_as(now, session, app, &wanted, confidential)
        {
            add("refresh_token", json!(refresh));
        }
    }
    if wish.openid {
        shown.extend(["openid".to_owned(), "profile".to_owned()]);
        add("id_token", json!(id_token(ask, form, app, &user)));
        let tenant = &ask.world.tenant.id;
        let info = json!({"uid": user, "utid": tenant}).to_string();
        add("client_info", json!(URL_SAFE_NO_PAD.encode(info)));
    }
    add("scope", json!(shown.join(" ")));
    Ok(fresh(body))
}

/// The scopes that the app gets for the user; `None` when consent is missing.
fn allowed_scopes(world: &World, app: &str, user: &str, wish: &Wish) -> Option<Vec<String>> {
    let own = world
        .principal_of_app(app)
        .is_some_and(|principal| principal.owner_tenant == known::MICROSOFT_TENANT);
    let all = wish.scopes.is_empty() || wish.scopes.iter().any(|scope| scope == ".default");
    if own {
        // Microsoft's own clients hold their consent beforehand.
        return Some(if all {
            [
                "Mail.ReadWrite",
                "Mail.Send",
                "MailboxSettings.ReadWrite",
                "User.Read",
            ]
            .map(str::to_owned)
            .to_vec()
        } else {
            wish.scopes.clone()
        });
    }
    let granted = world.granted_scopes(app, user, wish.resource.app_id());
    if all {
        return (!granted.is_empty()).then(|| {
            granted
                .into_iter()
                .filter(|scope| {
                    !["openid", "profile", "email", "offline_access"].contains(&scope.as_str())
                })
                .collect()
        });
    }
    wish.scopes
        .iter()
        .all(|scope| granted.iter().any(|held| held.eq_ignore_ascii_case(scope)))
        .then(|| wish.scopes.clone())
}

/// Records a refused sign-in and hands back the refusal.
fn fail(world: &mut World, mut entry: SignIn, code: u32) -> Refused {
    let refusal = refused(code);
    entry.error = code;
    refusal.text.clone_into(&mut entry.reason);
    world.record_sign_in(entry);
    refusal
}

/// Who asks, for the logs.
fn origin_of(ask: &Ask<'_>, user: Option<&str>, app: &str) -> Origin {
    Origin {
        user: user.map(str::to_owned),
        app_id: app.to_owned(),
        ip: ask.peer.ip.clone(),
        user_agent: ask.user_agent.clone(),
        session: None,
        token: None,
        surface: Surface::Entra,
    }
}

fn id_token(ask: &mut Ask<'_>, form: &Form, app: &str, user: &str) -> String {
    let now = ask.now;
    let held = ask.world.users.get(user);
    let tenant = &ask.world.tenant.id;
    let claims = json!({
        "aud": app,
        "iss": format!("{}/{tenant}/v2.0", super::base_of(ask)),
        "iat": now.as_second(),
        "nbf": now.as_second(),
        "exp": now.as_second() + 3600,
        "sub": ask.world.tokens.sessions.len().to_string() + user,
        "oid": user,
        "tid": tenant,
        "ver": "2.0",
        "name": held.map(|user| user.display_name.as_str()),
        "preferred_username": held.map(|user| user.upn.as_str()),
        "nonce": form.get("nonce"),
    });
    let head = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"RS256","kid":"lab"}"#);
    let body = URL_SAFE_NO_PAD.encode(claims.to_string());
    let signature = ask.world.secret(user, "id token signature", "");
    format!("{head}.{body}.{signature}")
}

fn fresh(body: Value) -> Answer {
    Answer::json(200, body)
        .header("cache-control", "no-store, no-cache")
        .header("pragma", "no-cache")
}
