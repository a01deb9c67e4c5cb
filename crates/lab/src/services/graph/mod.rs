//! Microsoft Graph, v1.0 and beta.

mod apps;
mod audit_search;
mod batch;
mod bin;
mod devices;
pub(crate) mod directory;
mod logs;
mod mail;
mod message_trace;
mod methods;
mod risk;
mod rules;
mod user_roles;
mod users;

use super::answer::{Answer, Body};
use super::challenge::challenge;
use super::odata::{Page, Query, decode};
use super::rights::{Act, Caller};
use super::throttle::{Limit, directory_cost};
use super::{Area, Ask, Served};
use crate::trace::Service;
use crate::unconfirmed::{MAIL_DENIED_TEXT, RESTRICTED_TEXT};
use crate::world::access::Refusal;
use crate::world::{Origin, Resource, Surface};

/// A request to Graph whose token is good.
pub(super) struct Call<'a, 'w> {
    pub(super) ask: &'a mut Ask<'w>,
    pub(super) caller: Caller,
    /// `v1.0` or `beta`.
    pub(super) version: &'static str,
    pub(super) query: Query,
}

/// An answer, or the answer that refuses.
pub(super) type Outcome = Result<Answer, Answer>;

impl Call<'_, '_> {
    /// Whether this is beta.
    pub(super) fn beta(&self) -> bool {
        self.version == "beta"
    }

    /// Refuses unless the token carries one of these permissions.
    pub(super) fn need(&self, permissions: &[&str]) -> Result<(), Answer> {
        if self.caller.has(permissions) {
            Ok(())
        } else {
            Err(Answer::denied())
        }
    }

    /// Refuses unless the caller's principal holds one of these roles.
    pub(super) fn need_role(&self, roles: &[&str]) -> Result<(), Answer> {
        if self.caller.holds(self.ask.world, roles) {
            Ok(())
        } else {
            Err(Answer::denied())
        }
    }

    /// Refuses unless the user may be read: everyone with a directory
    /// permission, oneself with `User.Read`.
    pub(super) fn need_user_read(&self, user: &str) -> Result<(), Answer> {
        if self.caller.is(user)
            && self
                .caller
                .has(&["User.Read", "User.ReadWrite", "User.ReadBasic.All"])
        {
            return Ok(());
        }
        self.need(&[
            "User.Read.All",
            "User.ReadWrite.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ])
    }

    /// Refuses unless the roles allow the act on this user: a role that is high
    /// enough, and over the unit, where it is in a restricted one (reference
    /// §0.8, §2.1).
    pub(super) fn need_rank(&self, user: &str, act: Act) -> Result<(), Answer> {
        let world = &self.ask.world;
        if self.caller.outranks(world, user, act) {
            return Ok(());
        }
        Err(match world.restricted_unit(user) {
            Some(_) if world.unconfirmed.variant(&RESTRICTED_TEXT) == "named" => {
                Answer::restricted()
            }
            _ => Answer::denied(),
        })
    }

    /// Counts against a limit; the refusal when it is full.
    pub(super) fn meter(&mut self, limit: Limit) -> Result<(), Answer> {
        let app = self.caller.token.app_id.clone();
        let now = self.ask.now;
        let world = &mut *self.ask.world;
        match world.meter.count(limit, &app, now, &world.unconfirmed) {
            Some(refusal) => Err(refusal),
            None => Ok(()),
        }
    }

    /// Who does this, for the logs.
    pub(super) fn origin(&self) -> Origin {
        let token = &self.caller.token;
        Origin {
            user: token.user.clone(),
            app_id: token.app_id.clone(),
            ip: self.ask.peer.ip.clone(),
            user_agent: self.ask.user_agent.clone(),
            session: token.session.clone(),
            token: Some(token.unique_id.clone()),
            surface: Surface::Graph,
        }
    }

    /// The user that a path segment names: object id or user principal name. A
    /// deleted one is not there any more.
    pub(super) fn user(&self, key: &str) -> Result<String, Answer> {
        self.ask
            .world
            .named_user(key)
            .map(|user| user.id.clone())
            .ok_or_else(|| Answer::no_object(key))
    }

    /// A page of a list.
    pub(super) fn page(
        &self,
        context: &str,
        sizes: (usize, usize),
        items: Vec<serde_json::Value>,
    ) -> Answer {
        Page {
            version: self.version,
            context,
            uri: self.ask.request.uri(),
            sizes,
        }
        .of(&self.query, items)
    }

    /// The body as JSON, or 400.
    pub(super) fn body(&self) -> Result<serde_json::Value, Answer> {
        self.ask
            .json()
            .filter(serde_json::Value::is_object)
            .ok_or_else(|| {
                Answer::bad_request("Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
            })
    }
}

/// Answers a request to Graph.
pub(super) fn serve(ask: &mut Ask<'_>) -> Served {
    let app_id = bearer_app(ask);
    let answer = answer(ask);
    Served {
        service: Service::Graph,
        answer,
        app_id,
    }
}

fn answer(ask: &mut Ask<'_>) -> Answer {
    let path = ask.path().trim_matches('/').to_owned();
    let segments: Vec<String> = path.split('/').map(decode).collect();
    let version = if segments.first().is_some_and(|first| first == "beta") {
        "beta"
    } else {
        "v1.0"
    };
    let words: Vec<&str> = segments.iter().skip(1).map(String::as_str).collect();
    let caller = match caller(ask, Resource::Graph) {
        Ok(caller) => caller,
        Err(refusal) => return refusal,
    };
    if words == ["$batch"] {
        return batch::serve(ask, version);
    }
    let query = match Query::parse(ask.request.uri().query()) {
        Ok(query) => query,
        Err(refusal) => return refusal,
    };
    let mut call = Call {
        ask,
        caller,
        version,
        query,
    };
    let answer = match metered(&mut call, &words) {
        Ok(()) => dispatch(&mut call, &words).unwrap_or_else(|refusal| refusal),
        Err(refusal) => refusal,
    };
    finished(&call, answer)
}

/// The limits that hold for a whole area (reference §10).
fn metered(call: &mut Call<'_, '_>, words: &[&str]) -> Result<(), Answer> {
    let app = call.caller.token.app_id.clone();
    let (now, world) = (call.ask.now, &mut *call.ask.world);
    match Area::of(call.ask.request.uri().path()) {
        Area::Mail => {
            let mailbox = words.get(1).copied().unwrap_or_default();
            let mailbox = world.user_id(mailbox).unwrap_or_else(|| mailbox.to_owned());
            let latency = world.tenant.latency;
            let busy =
                world
                    .meter
                    .begin_in_mailbox(&app, &mailbox, now, latency, &world.unconfirmed);
            if let Some(refusal) = busy {
                return Err(refusal);
            }
            let key = format!("{app} {mailbox}");
            match world
                .meter
                .count(Limit::Outlook, &key, now, &world.unconfirmed)
            {
                Some(refusal) => Err(refusal),
                None => Ok(()),
            }
        }
        Area::Directory => {
            if call.ask.request.method() != http::Method::GET {
                call.meter(Limit::DirectoryWrites)?;
            }
            let uri = call.ask.request.uri();
            let cost = directory_cost(uri.path(), uri.query().unwrap_or_default());
            let world = &mut *call.ask.world;
            // All but one unit are used up silently, the last one speaks.
            world
                .meter
                .use_units(Limit::Directory, &app, now, cost.saturating_sub(1));
            call.meter(Limit::Directory)
        }
        _ => Ok(()),
    }
}

/// What every answer of an area has.
fn finished(call: &Call<'_, '_>, mut answer: Answer) -> Answer {
    let uri = call.ask.request.uri();
    let world = &call.ask.world;
    if Area::of(uri.path()) == Area::Directory {
        let cost = directory_cost(uri.path(), uri.query().unwrap_or_default());
        let used = world
            .meter
            .used(Limit::Directory, &call.caller.token.app_id);
        let (most, _) = Limit::Directory.shape();
        answer = answer.header("x-ms-resource-unit", cost.to_string());
        if used * 10 >= most * 8 {
            let share = used as f64 / most as f64;
            answer = answer.header("x-ms-throttle-limit-percentage", format!("{share:.1}"));
        }
    }
    if let Body::Json(body) = &mut answer.body
        && body["error"]["code"] == "ErrorAccessDenied"
        && world.unconfirmed.variant(&MAIL_DENIED_TEXT) == "other"
    {
        body["error"]["message"] = "Access to OData is disabled.".into();
    }
    answer
}

fn dispatch(call: &mut Call<'_, '_>, words: &[&str]) -> Outcome {
    let method = call.ask.request.method().as_str().to_owned();
    match words {
        ["me", rest @ ..] => {
            let Some(user) = call.caller.token.user.clone() else {
                return Err(Answer::bad_request(
                    "/me request is only valid with delegated authentication flow.",
                ));
            };
            users::serve(call, &method, &user, rest)
        }
        ["users"] => users::list(call, &method),
        ["users", key, rest @ ..] => {
            let key = (*key).to_owned();
            let user = call.user(&key)?;
            users::serve(call, &method, &user, rest)
        }
        [
            "organization" | "subscribedSkus" | "groups" | "directoryRoles" | "roleManagement"
            | "domains" | "policies",
            ..,
        ] => directory::serve(call, &method, words),
        ["devices", rest @ ..] => devices::serve(call, &method, rest),
        ["directory", "administrativeUnits", rest @ ..] => bin::units(call, &method, rest),
        ["directory", "deletedItems", rest @ ..] => bin::serve(call, &method, rest),
        ["oauth2PermissionGrants", rest @ ..] => apps::grants(call, &method, rest),
        ["servicePrincipals", rest @ ..] => apps::principals(call, &method, None, rest),
        [one, rest @ ..] if one.starts_with("servicePrincipals(") => {
            let key = keyed(one, "servicePrincipals", "appId").ok_or_else(not_found)?;
            apps::principals(call, &method, Some(&key), rest)
        }
        ["auditLogs", rest @ ..] => logs::audit_logs(call, &method, rest),
        ["identityProtection", rest @ ..] => risk::serve(call, &method, rest),
        ["security", "auditLog", "queries", rest @ ..] => audit_search::serve(call, &method, rest),
        ["admin", "exchange", "tracing", "messageTraces", rest @ ..] => {
            message_trace::serve(call, &method, rest)
        }
        _ => Err(not_found()),
    }
}

/// 404 for a path that Graph does not know.
pub(super) fn not_found() -> Answer {
    Answer::graph_error(
        404,
        "ResourceNotFound",
        "Resource not found for the segment of the request path.",
    )
}

/// 405 for a method that a path does not take.
pub(super) fn not_allowed() -> Answer {
    Answer::graph_error(
        405,
        "MethodNotAllowed",
        "The HTTP method is not allowed for this resource.",
    )
}

/// The key in `set(name='value')`.
fn keyed(segment: &str, set: &str, name: &str) -> Option<String> {
    let inner = segment
        .strip_prefix(set)?
        .strip_prefix('(')?
        .strip_suffix(')')?;
    let (held, value) = inner.split_once('=')?;
    (held.trim() == name).then(|| value.trim().trim_matches('\'').replace("''", "'"))
}

/// The text of the bearer token.
fn bearer_text(ask: &Ask<'_>) -> Option<String> {
    ask.header("authorization")
        .and_then(|value| value.strip_prefix("Bearer "))
        .map(|token| token.trim().to_owned())
}

/// The client id behind the bearer token, good or not.
pub(super) fn bearer_app(ask: &Ask<'_>) -> Option<String> {
    let token = bearer_text(ask)?;
    ask.world
        .tokens
        .access
        .get(&token)
        .map(|access| access.app_id.clone())
}

/// Who calls, if the bearer token is good for this resource.
pub(super) fn caller(ask: &Ask<'_>, resource: Resource) -> Result<Caller, Answer> {
    let unauthorized = |message: &str| {
        Answer::graph_error(401, "InvalidAuthenticationToken", message).header(
            "www-authenticate",
            "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", client_id=\"00000003-0000-0000-c000-000000000000\"",
        )
    };
    let token = bearer_text(ask)
        .filter(|token| !token.is_empty())
        .ok_or_else(|| unauthorized("Access token is empty."))?;
    match ask.world.bearer(&token, ask.now) {
        Ok(access) if access.resource == resource => Ok(Caller {
            token: access.clone(),
        }),
        Ok(_) => Err(unauthorized(
            "Access token validation failure. Invalid audience.",
        )),
        Err(Refusal::Unknown) => Err(unauthorized(
            "CompactToken parsing failed with error code: 80049217",
        )),
        Err(Refusal::Expired) => Err(unauthorized(
            "Lifetime validation failed, the token is expired.",
        )),
        Err(Refusal::Cut(at)) => Err(challenge(ask.world, resource, at)),
    }
}
