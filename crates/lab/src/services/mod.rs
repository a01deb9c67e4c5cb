//! The tenant's services over HTTP: one request in, one answer out.
//!
//! Requests are routed by path alone, whatever the host, as one listener
//! stands for all of Microsoft's hosts. Attacker and company call
//! [`serve`] too, so what they do passes the same checks as what the
//! responder does.

#![allow(
    clippy::result_large_err,
    reason = "the error is the answer that refuses: it goes out as it is"
)]

pub(crate) mod activity;
pub(crate) mod answer;
pub(crate) mod challenge;
pub(crate) mod exchange;
pub(crate) mod graph;
pub(crate) mod odata;
pub(crate) mod rights;
pub(crate) mod throttle;
pub(crate) mod token;

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use retake_playbook::ArtefactId;
use serde_json::Value;

pub(crate) use answer::Answer;

use crate::trace::{Actor, Got, Service, Trace, TraceLine, digest, request_digest};
use crate::world::World;

/// Who calls, as the network sees it.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// Who it is for the trace; `None` decides by the client id in the request
    /// or behind the token.
    pub(crate) actor: Option<Actor>,
    /// Source address.
    pub(crate) ip: String,
    /// User agent when the request has none.
    pub(crate) user_agent: String,
    /// The artefact that the attacker tries with this request.
    pub(crate) attempt: Option<ArtefactId>,
    /// The client's round.
    pub(crate) round: u32,
}

/// A request on its way through a service.
pub(crate) struct Ask<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) now: Timestamp,
    pub(crate) peer: &'a Peer,
    pub(crate) request: &'a Request<Bytes>,
    pub(crate) user_agent: String,
}

impl Ask<'_> {
    /// The path as sent.
    pub(crate) fn path(&self) -> &str {
        self.request.uri().path()
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.request.headers().get(name)?.to_str().ok()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(self.request.body()).ok()
    }
}

/// The part of the services that a path belongs to, as far as it has words of
/// its own for refusals and limits (reference §6.5, §7.2, §10, §10.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Area {
    /// Graph: users, groups, apps, policies.
    Directory,
    /// Graph: sign-ins and directory audits.
    Reports,
    /// Graph: Identity Protection.
    Risk,
    /// Graph: searches of the unified audit log.
    AuditSearch,
    /// Graph: mailboxes.
    Mail,
    /// Exchange's own interface.
    Exchange,
    /// The Management Activity API.
    Activity,
    /// The sign-in service.
    Token,
}

impl Area {
    /// The area of a path.
    pub(crate) fn of(path: &str) -> Self {
        let mut words = path.trim_start_matches('/').split('/');
        match words.next().unwrap_or_default() {
            "adminapi" | "AdminApi" => return Self::Exchange,
            "api" => return Self::Activity,
            "v1.0" | "beta" => {}
            _ => return Self::Token,
        }
        let rest: Vec<&str> = words.collect();
        match rest.as_slice() {
            ["auditLogs", ..] => Self::Reports,
            ["identityProtection", ..] => Self::Risk,
            ["security", "auditLog", ..] => Self::AuditSearch,
            ["admin", "exchange", ..] => Self::Mail,
            ["me", below, ..] | ["users", _, below, ..]
                if ["messages", "mailFolders", "mailboxSettings", "sendMail"].contains(below) =>
            {
                Self::Mail
            }
            _ => Self::Directory,
        }
    }
}

/// What the services say, before the trace.
pub(crate) struct Served {
    pub(crate) service: Service,
    pub(crate) answer: Answer,
    /// Client id that the request came from, as far as it is known.
    pub(crate) app_id: Option<String>,
}

/// Answers a request and writes its line to the trace; returns the answer and
/// the number of the line.
pub(crate) fn serve(
    world: &mut World,
    trace: &mut Trace,
    peer: &Peer,
    request: &Request<Bytes>,
    now: Timestamp,
) -> (http::Response<Bytes>, u64) {
    let served = route(world, peer, request, now);
    let line = line_of(world, peer, request, now, &served);
    let response = served.answer.into_response(request, now);
    let n = trace.push(line);
    if let Some(line) = trace.line_mut(n) {
        line.response_sha256 = Some(digest(response.body()));
    }
    (response, n)
}

/// Which service a path belongs to, and its answer.
pub(crate) fn route(
    world: &mut World,
    peer: &Peer,
    request: &Request<Bytes>,
    now: Timestamp,
) -> Served {
    let user_agent = request
        .headers()
        .get(http::header::USER_AGENT)
        .and_then(|agent| agent.to_str().ok())
        .unwrap_or(&peer.user_agent)
        .to_owned();
    let mut ask = Ask {
        world,
        now,
        peer,
        request,
        user_agent,
    };
    let path = ask.path().to_owned();
    let first = path
        .trim_start_matches('/')
        .split('/')
        .next()
        .unwrap_or_default();
    match first {
        "v1.0" | "beta" => graph::serve(&mut ask),
        "adminapi" | "AdminApi" => exchange::serve(&mut ask),
        "api" => activity::serve(&mut ask),
        _ => token::serve(&mut ask),
    }
}

fn line_of(
    world: &World,
    peer: &Peer,
    request: &Request<Bytes>,
    now: Timestamp,
    served: &Served,
) -> TraceLine {
    let actor = peer.actor.clone().unwrap_or_else(|| match &served.app_id {
        Some(app) if app.eq_ignore_ascii_case(&world.tenant.responder_app) => Actor::Responder,
        Some(app) => Actor::Foreign(app.clone()),
        None => Actor::Foreign(String::from("unknown")),
    });
    let uri = request.uri();
    let sent = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut line = TraceLine::new(now, actor, served.service, request.method().as_str());
    line.round = peer.round;
    uri.path().clone_into(&mut line.path);
    line.query = uri.query().map(str::to_owned);
    line.request_sha256 = Some(request_digest(
        request.method().as_str(),
        sent,
        request.body(),
    ));
    let status = served.answer.status;
    line.status = Some(status);
    line.target.clone_from(&served.answer.target);
    line.effect.clone_from(&served.answer.effect);
    line.shows.clone_from(&served.answer.shows);
    line.operation.clone_from(&served.answer.operation);
    line.inside.clone_from(&served.answer.inside);
    if let Some(artefact) = peer.attempt {
        line.attempt = Some(artefact);
        line.got = Some(match (status, served.service) {
            (200..=299, Service::Token) => Got::Token,
            (200..=299, _) => Got::Data,
            _ => Got::Nothing,
        });
    }
    line
}
