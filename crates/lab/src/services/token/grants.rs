//! The grants of the token endpoint and the device code (reference §1.3).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::client::{client, client_id};
use super::{Ask, Form, Refused, Wish, authorize, declares_cp1, refused, wish};
use crate::services::answer::Answer;
use crate::ways::{Client, Redemption};
use crate::world::issue::AccessWish;
use crate::world::tokens::{Class, DeviceCode, DeviceCodeState};
use crate::world::{AccessToken, Origin, SignIn, SignInKind, Surface, World};

/// `POST …/token`.
pub(super) fn token(ask: &mut Ask<'_>, form: &Form, tenant: &str) -> Result<Answer, Refused> {
    match form.get("grant_type").map(String::as_str) {
        Some("client_credentials") => client_credentials(ask, form, tenant),
        // The short name is older than RFC 8628; Microsoft's library for Node still sends it.
        Some("urn:ietf:params:oauth:grant-type:device_code" | "device_code") => {
            device_token(ask, form)
        }
        Some("authorization_code") => code(ask, form),
        Some("refresh_token") => refresh(ask, form),
        Some("password") => password(ask, form),
        Some(_) => Err(refused(70003)),
        None => Err(refused(900_144)),
    }
}

/// The app for itself; the tenant must be a real one.
fn client_credentials(ask: &mut Ask<'_>, form: &Form, tenant: &str) -> Result<Answer, Refused> {
    if !super::names_tenant(ask.world, tenant) {
        return Err(refused(50_059));
    }
    let wish = wish(form.get("scope").ok_or(refused(900_144))?)?;
    if wish.scopes != [".default"] {
        return Err(refused(70011));
    }
    let (app, now) = (client_id(form).unwrap_or_default(), ask.now);
    let origin = origin_of(ask, None, &app);
    let mut entry =
        ask.world
            .sign_in_entry(now, SignInKind::ServicePrincipal, &origin, wish.resource);
    if let Err(refused) = client(ask, form, true) {
        if refused.code != 700_016 {
            entry.error = refused.code;
            refused.text.clone_into(&mut entry.reason);
            ask.world.record_sign_in(entry);
        }
        return Err(refused);
    }
    let sign_in = entry.id.clone();
    ask.world.record_sign_in(entry);
    let roles = ask.world.app_roles(&app, wish.resource);
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
pub(super) fn device_code(
    ask: &mut Ask<'_>,
    form: &Form,
    _tenant: &str,
) -> Result<Answer, Refused> {
    let app = client(ask, form, false)?.id;
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
    let client = client(ask, form, false)?;
    let app = client.id.as_str();
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
    tokens(ask, form, &client, &session, wish, None)
}

/// A code from the authorize page.
fn code(ask: &mut Ask<'_>, form: &Form) -> Result<Answer, Refused> {
    let client = client(ask, form, false)?;
    let held = authorize::redeem(ask, form, &client.id)?;
    let scope = form.get("scope").unwrap_or(&held.scope);
    let mut wish = wish(scope)?;
    // What was asked for on the page holds, however little is asked for now.
    let asked = super::wish(&held.scope)?;
    wish.openid |= asked.openid;
    wish.offline |= asked.offline;
    wish.nonce = held.nonce;
    tokens(ask, form, &client, &held.session, wish, None)
}

/// A refresh token, for any resource: it is bound to user and client, not to
/// resource or tenant.
fn refresh(ask: &mut Ask<'_>, form: &Form) -> Result<Answer, Refused> {
    let client = client(ask, form, false)?;
    let given = form.get("refresh_token").ok_or(refused(900_144))?;
    let held = ask.world.tokens.refresh.get(given);
    let scope = match (form.get("scope"), held) {
        (Some(scope), _) => scope.clone(),
        (None, held) => held.map(|held| held.scopes.join(" ")).unwrap_or_default(),
    };
    let wish = wish(&scope)?;
    let (now, origin) = (ask.now, origin_of(ask, None, &client.id));
    let access = ask
        .world
        .redeem(
            now,
            &origin,
            &Redemption {
                refresh: given,
                client: Some(Client {
                    id: &client.id,
                    proven: client.proven,
                }),
                resource: wish.resource,
                wanted: Some(&wish.wanted()),
                cae: declares_cp1(form),
            },
        )
        .map_err(refused)?;
    Ok(granted(ask, &client, wish, &access))
}

/// Resource owner password: no page, so no second factor can be proven.
fn password(ask: &mut Ask<'_>, form: &Form) -> Result<Answer, Refused> {
    let client = client(ask, form, false)?;
    let wish = wish(form.get("scope").map_or("", String::as_str))?;
    let (name, text) = (
        form.get("username").ok_or(refused(900_144))?,
        form.get("password").ok_or(refused(900_144))?,
    );
    let user = ask.world.user_id(name).ok_or(refused(50034))?;
    let origin = origin_of(ask, Some(&user), &client.id);
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
    tokens(ask, form, &client, &session, wish, Some(entry))
}

/// Issues what a session may have: access token, refresh token with
/// `offline_access`, id token with `openid`. Consent is checked here, and the
/// sign-in is recorded when there is one to record.
fn tokens(
    ask: &mut Ask<'_>,
    form: &Form,
    client: &super::client::Client,
    session: &str,
    wish: Wish,
    entry: Option<SignIn>,
) -> Result<Answer, Refused> {
    let (now, app) = (ask.now, client.id.as_str());
    let held = ask
        .world
        .tokens
        .sessions
        .get(session)
        .cloned()
        .ok_or(refused(70000))?;
    let user = held.user.clone();
    let enabled = ask.world.users.get(&user).is_some_and(|user| user.enabled);
    let scopes = ask
        .world
        .allowed_scopes(app, &user, wish.resource, &wish.wanted());
    let refusal = match &scopes {
        _ if !enabled => Some(50057),
        None => Some(65001),
        Some(_) => None,
    };
    if let Some(code) = refusal {
        return Err(match entry {
            Some(entry) => fail(ask.world, entry, code),
            None => refused(code),
        });
    }
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
            scopes: scopes.unwrap_or_default(),
            roles: Vec::new(),
            cae: declares_cp1(form),
            session: Some(session),
            sign_in: &sign_in,
        },
    );
    Ok(granted(ask, client, wish, &access))
}

/// The answer with an access token for a user, and what comes with it.
fn granted(
    ask: &mut Ask<'_>,
    client: &super::client::Client,
    wish: Wish,
    access: &AccessToken,
) -> Answer {
    let (now, app) = (ask.now, client.id.as_str());
    let user = access.user.clone().unwrap_or_default();
    let life = access.expires.as_second() - now.as_second();
    let mut shown = access.scopes.clone();
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
        let wanted: Vec<String> = access
            .scopes
            .iter()
            .map(|scope| format!("{}/{scope}", wish.resource.app_id()))
            .chain([String::from("offline_access")])
            .chain(wish.openid.then(|| String::from("openid")))
            .collect();
        let session = access.session.clone().unwrap_or_default();
        if let Some(refresh) =
            ask.world
                .issue_refresh_as(now, &session, app, &wanted, client.proven)
        {
            add("refresh_token", json!(refresh));
        }
    }
    if wish.openid {
        shown.extend(["openid".to_owned(), "profile".to_owned()]);
        add(
            "id_token",
            json!(id_token(ask, wish.nonce.as_deref(), app, &user)),
        );
        let tenant = &ask.world.tenant.id;
        let info = json!({"uid": user, "utid": tenant}).to_string();
        add("client_info", json!(URL_SAFE_NO_PAD.encode(info)));
    }
    add("scope", json!(shown.join(" ")));
    fresh(body)
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

fn id_token(ask: &mut Ask<'_>, nonce: Option<&str>, app: &str, user: &str) -> String {
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
        "nonce": nonce,
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
