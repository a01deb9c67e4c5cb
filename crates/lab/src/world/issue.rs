//! Sessions, tokens and the sign-in log: the mutators of the sign-in service.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::logs::{SignIn, SignInKind};
use super::tokens::{AccessToken, Class, Cookie, RefreshToken, Resource, Session};
use super::{Origin, World};

/// What an access token is to be for.
#[derive(Clone, Debug)]
pub(crate) struct AccessWish<'a> {
    /// The user; `None` for app-only.
    pub(crate) user: Option<&'a str>,
    pub(crate) app_id: &'a str,
    pub(crate) resource: Resource,
    /// Delegated scopes.
    pub(crate) scopes: Vec<String>,
    /// App roles.
    pub(crate) roles: Vec<String>,
    /// The client declared `cp1`.
    pub(crate) cae: bool,
    pub(crate) session: Option<&'a str>,
    /// The sign-in that the token comes from.
    pub(crate) sign_in: &'a str,
}

/// A sign-in's id as the unified log writes it: unpadded base64url over the
/// GUID's 16 bytes in .NET order, the first three groups little-endian
/// (reference §7.1).
pub(crate) fn unique_token_id(sign_in: &str) -> String {
    uuid::Uuid::parse_str(sign_in)
        .map(|id| URL_SAFE_NO_PAD.encode(id.to_bytes_le()))
        .unwrap_or_default()
}

impl World {
    /// Opens a session: the user has just proven who it is.
    pub(crate) fn open_session(
        &mut self,
        now: Timestamp,
        user: &str,
        class: Class,
        mfa: bool,
        origin: &Origin,
    ) -> String {
        let id = self.next(user, "session").uuid().to_string();
        self.tokens.sessions.insert(
            id.clone(),
            Session {
                id: id.clone(),
                user: user.to_owned(),
                class,
                started: now,
                ip: origin.ip.clone(),
                user_agent: origin.user_agent.clone(),
                mfa,
                device_code: false,
            },
        );
        id
    }

    /// Gives a session a browser cookie.
    pub(crate) fn issue_cookie(
        &mut self,
        now: Timestamp,
        session: &str,
        persistent: bool,
    ) -> Option<String> {
        let held = self.tokens.sessions.get(session)?.clone();
        let value = self.secret(&held.user, "cookie", "1.");
        self.tokens.cookies.insert(
            value.clone(),
            Cookie {
                user: held.user,
                session: held.id,
                class: held.class,
                authenticated: held.started,
                last_used: now,
                persistent,
            },
        );
        Some(value)
    }

    /// Gives a session a refresh token for an app.
    pub(crate) fn issue_refresh(
        &mut self,
        now: Timestamp,
        session: &str,
        app_id: &str,
        scopes: &[String],
    ) -> Option<String> {
        let confidential = self
            .registrations
            .get(app_id)
            .is_some_and(|app| !app.public_client && app.confidential());
        self.issue_refresh_as(now, session, app_id, scopes, confidential)
    }

    /// The same for a client of which it is known whether it proved itself
    /// with a credential.
    pub(crate) fn issue_refresh_as(
        &mut self,
        now: Timestamp,
        session: &str,
        app_id: &str,
        scopes: &[String],
        confidential: bool,
    ) -> Option<String> {
        let held = self.tokens.sessions.get(session)?.clone();
        let token = self.secret(&held.user, "refresh token", "1.AX");
        self.tokens.refresh.insert(
            token.clone(),
            RefreshToken {
                token: token.clone(),
                user: held.user,
                app_id: app_id.to_owned(),
                session: held.id,
                class: if confidential {
                    Class::ConfidentialClient
                } else {
                    held.class
                },
                scopes: scopes.to_vec(),
                authenticated: held.started,
                last_used: now,
            },
        );
        Some(token)
    }

    /// Issues an access token: 60 to 90 minutes, or up to 28 hours where
    /// continuous access evaluation will cut it (reference §9.1).
    pub(crate) fn issue_access(&mut self, now: Timestamp, wish: AccessWish<'_>) -> AccessToken {
        let owner = wish.user.unwrap_or(wish.app_id).to_owned();
        // CAE for app-only tokens exists for Graph alone (reference §0.3);
        // the management API takes no part in it.
        let cae = wish.cae
            && match wish.user {
                Some(_) => wish.resource != Resource::Management,
                None => wish.resource == Resource::Graph,
            };
        let life = if cae {
            self.next(&owner, "long token life").duration(
                SignedDuration::from_hours(24),
                SignedDuration::from_hours(28),
            )
        } else {
            self.next(&owner, "token life")
                .duration(SignedDuration::from_mins(60), SignedDuration::from_mins(90))
        };
        let expires =
            Timestamp::from_second(now.as_second() + life.as_secs()).unwrap_or(Timestamp::MAX);
        let unique_id = unique_token_id(wish.sign_in);
        let token = self.token_text(now, expires, &wish, &unique_id, cae);
        let principal = match wish.user {
            Some(user) => user.to_owned(),
            None => self
                .principal_of_app(wish.app_id)
                .map(|principal| principal.id.clone())
                .unwrap_or_default(),
        };
        let access = AccessToken {
            directory_roles: self
                .roles_of(&principal)
                .into_iter()
                .map(str::to_owned)
                .collect(),
            token: token.clone(),
            user: wish.user.map(str::to_owned),
            app_id: wish.app_id.to_owned(),
            resource: wish.resource,
            scopes: wish.scopes,
            roles: wish.roles,
            issued: now,
            expires,
            cae,
            challenged: None,
            session: wish.session.map(str::to_owned),
            unique_id,
        };
        self.tokens.access.insert(token, access.clone());
        access
    }

    /// Somebody turns a device code down.
    pub(crate) fn decline_device_code(&mut self, user_code: &str) -> bool {
        let held = self
            .tokens
            .device_codes
            .values_mut()
            .find(|held| held.user_code.eq_ignore_ascii_case(user_code));
        match held {
            Some(held) => {
                held.state = super::tokens::DeviceCodeState::Declined;
                true
            }
            None => false,
        }
    }

    /// A user signs in at the page of a browser, with a second factor: the
    /// session, which the browser keeps as a cookie; `None` when the account is
    /// blocked.
    pub(crate) fn sign_in_at_page(
        &mut self,
        now: Timestamp,
        app_id: &str,
        origin: &Origin,
    ) -> Option<String> {
        let user = origin.user.clone()?;
        if !self.users.get(&user).is_some_and(|user| user.enabled) {
            return None;
        }
        let session = self.open_session(now, &user, Class::Password, true, origin);
        let mut at = origin.clone().in_session(&session);
        app_id.clone_into(&mut at.app_id);
        let mut entry = self.sign_in_entry(now, SignInKind::Interactive, &at, Resource::Graph);
        entry.protocol = String::from("oAuth2");
        entry.requirement = String::from("multiFactorAuthentication");
        self.record_sign_in(entry);
        Some(session)
    }

    /// The session behind a browser's cookie, if the cookie is still good.
    pub(crate) fn cookie_session(&mut self, value: &str, now: Timestamp) -> Option<String> {
        let held = self.tokens.cookies.get(value)?.clone();
        let user = self.users.get(&held.user)?;
        let idle = if held.persistent {
            SignedDuration::from_hours(90 * 24)
        } else {
            SignedDuration::from_hours(24)
        };
        if !user.enabled
            || Self::cookie_cut(user, held.class, held.authenticated, now).is_some()
            || now.duration_since(held.last_used) > idle
        {
            return None;
        }
        if let Some(cookie) = self.tokens.cookies.get_mut(value) {
            cookie.last_used = now;
        }
        Some(held.session)
    }

    /// The user approves a device code: opens a session and leaves the
    /// interactive sign-in of the device code flow (reference §1.3).
    pub(crate) fn approve_device_code(
        &mut self,
        now: Timestamp,
        user_code: &str,
        origin: &Origin,
    ) -> bool {
        let Some(user) = origin.user.clone() else {
            return false;
        };
        let held = self
            .tokens
            .device_codes
            .values()
            .find(|held| held.user_code.eq_ignore_ascii_case(user_code) && held.expires > now)
            .map(|held| (held.device_code.clone(), held.app_id.clone()));
        let enabled = self.users.get(&user).is_some_and(|user| user.enabled);
        let Some((device_code, app_id)) = held.filter(|_| enabled) else {
            return false;
        };
        let session = self.open_session(now, &user, Class::Password, true, origin);
        if let Some(held) = self.tokens.sessions.get_mut(&session) {
            held.device_code = true;
        }
        let mut at = origin.clone().in_session(&session);
        at.app_id = app_id;
        let mut entry = self.sign_in_entry(now, SignInKind::Interactive, &at, Resource::Graph);
        entry.protocol = String::from("deviceCode");
        entry.transfer = String::from("deviceCodeFlow");
        entry.requirement = String::from("multiFactorAuthentication");
        self.record_sign_in(entry);
        if let Some(held) = self.tokens.device_codes.get_mut(&device_code) {
            held.state = super::tokens::DeviceCodeState::Approved(session);
        }
        true
    }

    /// A sign-in entry with everything that follows from who and where.
    pub(crate) fn sign_in_entry(
        &mut self,
        now: Timestamp,
        kind: SignInKind,
        origin: &Origin,
        resource: Resource,
    ) -> SignIn {
        let who = origin
            .user
            .as_deref()
            .and_then(|id| self.users.get(id))
            .map(|user| {
                (
                    user.id.clone(),
                    user.upn.to_lowercase(),
                    user.display_name.clone(),
                )
            })
            .unwrap_or_default();
        let object = if who.0.is_empty() {
            &origin.app_id
        } else {
            &who.0
        };
        let id = self.next(object, "sign-in").uuid().to_string();
        let correlation = self.next(object, "sign-in correlation").uuid().to_string();
        let delay = self.tenant.sign_in_delay;
        let visible_at = self.after(now, "sign-in delay", delay);
        let principal = self.principal_of_app(&origin.app_id);
        let (browser, operating_system) = client_of(&origin.user_agent);
        SignIn {
            unique_token: unique_token_id(&id),
            id,
            at: now,
            visible_at,
            kind,
            user: who.0,
            upn: who.1,
            user_name: who.2,
            app_name: principal
                .map(|p| p.display_name.clone())
                .unwrap_or_default(),
            principal_id: if kind == SignInKind::ServicePrincipal {
                principal.map(|p| p.id.clone()).unwrap_or_default()
            } else {
                String::new()
            },
            app_id: origin.app_id.clone(),
            resource_id: resource.app_id().to_owned(),
            resource_name: resource.name().to_owned(),
            ip: origin.ip.clone(),
            user_agent: origin.user_agent.clone(),
            client_app: if browser.is_empty() {
                String::from("Mobile Apps and Desktop clients")
            } else {
                String::from("Browser")
            },
            correlation,
            session: origin.session.clone(),
            incoming_token: String::from("none"),
            protocol: String::from("none"),
            transfer: String::from("none"),
            error: 0,
            reason: String::new(),
            requirement: String::from("singleFactorAuthentication"),
            steps: Vec::new(),
            risk_level: String::from("none"),
            risk_state: String::from("none"),
            risk_events: Vec::new(),
            device_id: String::new(),
            browser,
            operating_system,
        }
    }

    /// Writes a sign-in to Entra's log and, for users, to the unified log.
    pub(crate) fn record_sign_in(&mut self, entry: SignIn) {
        if entry.kind != SignInKind::ServicePrincipal {
            let failed = entry.error != 0;
            let session = entry.session.clone().unwrap_or_default();
            let extra = json!({
                "ApplicationId": entry.app_id,
                "ErrorNumber": entry.error.to_string(),
                "LogonError": if failed { entry.reason.as_str() } else { "" },
                "ActorIpAddress": entry.ip,
                "Actor": [{"ID": entry.user, "Type": 0}, {"ID": entry.upn, "Type": 5}],
                "Target": [{"ID": entry.resource_id, "Type": 0}],
                "TargetContextId": self.tenant.id,
                "ActorContextId": self.tenant.id,
                "InterSystemsId": entry.correlation,
                "IntraSystemId": entry.id,
                "SupportTicketId": "",
                "DeviceProperties": [
                    {"Name": "OS", "Value": entry.operating_system},
                    {"Name": "BrowserType", "Value": entry.browser},
                    {"Name": "IsCompliantAndManaged", "Value": "False"},
                    {"Name": "SessionId", "Value": session},
                ],
                "ExtendedProperties": [
                    {"Name": "ResultStatusDetail", "Value": if failed { "UserError" } else { "Success" }},
                    {"Name": "UserAgent", "Value": entry.user_agent},
                    {"Name": "RequestType", "Value": if entry.kind == SignInKind::Interactive { "OAuth2:Authorize" } else { "OAuth2:Token" }},
                ],
            });
            let mut origin = Origin::user(&entry.user, &entry.app_id, &entry.ip, &entry.user_agent);
            origin.session.clone_from(&entry.session);
            origin.token = Some(entry.unique_token.clone());
            self.audit(
                entry.at,
                "AzureActiveDirectoryStsLogon",
                if failed {
                    "UserLoginFailed"
                } else {
                    "UserLoggedIn"
                },
                &origin,
                &entry.resource_id,
                extra,
            );
        }
        self.logs.sign_ins.push(entry);
    }

    /// A secret text that only its holder knows: prefix, then 64 letters.
    pub(crate) fn secret(&mut self, object: &str, purpose: &str, prefix: &str) -> String {
        let one = self.next(object, purpose).bytes();
        let two = self.next(object, purpose).bytes();
        format!(
            "{prefix}{}{}",
            URL_SAFE_NO_PAD.encode(one),
            URL_SAFE_NO_PAD.encode(two)
        )
    }

    /// A token shaped like a JWT; the claims are true, the signature is noise.
    fn token_text(
        &mut self,
        now: Timestamp,
        expires: Timestamp,
        wish: &AccessWish<'_>,
        unique_id: &str,
        cae: bool,
    ) -> String {
        let principal = self.principal_of_app(wish.app_id);
        let mut claims = json!({
            "aud": wish.resource.app_id(),
            "iss": format!("https://sts.windows.net/{}/", self.tenant.id),
            "iat": now.as_second(),
            "nbf": now.as_second(),
            "exp": expires.as_second(),
            "appid": wish.app_id,
            "app_displayname": principal.map(|p| p.display_name.as_str()),
            "tid": self.tenant.id,
            "uti": unique_id,
            "ver": "1.0",
        });
        if let Some(claims) = claims.as_object_mut() {
            if cae {
                claims.insert("xms_cc".into(), json!(["CP1"]));
            }
            if let Some(user) = wish.user.and_then(|id| self.users.get(id)) {
                claims.insert("idtyp".into(), json!("user"));
                claims.insert("oid".into(), json!(user.id));
                claims.insert("upn".into(), json!(user.upn));
                claims.insert("name".into(), json!(user.display_name));
                claims.insert("scp".into(), json!(wish.scopes.join(" ")));
                if let Some(session) = wish.session {
                    claims.insert("sid".into(), json!(session));
                }
            } else {
                claims.insert("idtyp".into(), json!("app"));
                claims.insert("oid".into(), json!(principal.map(|p| p.id.as_str())));
                claims.insert("roles".into(), json!(wish.roles));
            }
        }
        let head = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"RS256","kid":"lab"}"#);
        let body = URL_SAFE_NO_PAD.encode(claims.to_string());
        let owner = wish.user.unwrap_or(wish.app_id).to_owned();
        let signature = self.secret(&owner, "token signature", "");
        format!("{head}.{body}.{signature}")
    }
}

/// Browser and system as the sign-in log reads them from a user agent.
fn client_of(user_agent: &str) -> (String, String) {
    let system = [
        ("Windows", "Windows10"),
        ("iPhone", "Ios"),
        ("Android", "Android"),
        ("Mac OS X", "MacOs"),
        ("Linux", "Linux"),
    ]
    .iter()
    .find(|(sign, _)| user_agent.contains(sign))
    .map_or("", |(_, name)| name);
    let browser = [
        ("Edg/", "Edge"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]
    .iter()
    .find(|(sign, _)| user_agent.contains(sign))
    .map(|(sign, name)| {
        let version = user_agent
            .split(sign)
            .nth(1)
            .and_then(|rest| rest.split([' ', ';']).next())
            .unwrap_or_default();
        format!("{name} {version}")
    })
    .unwrap_or_default();
    (browser, system.to_owned())
}
