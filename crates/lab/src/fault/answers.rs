//! The words in which each service refuses (reference §6.5, §7.2, §10.1).

use bytes::Bytes;
use http::{Request, Uri};
use jiff::Timestamp;

use super::{ELSEWHERE, FaultKind};
use crate::services::answer::{Answer, Body};
use crate::services::{Area, exchange, token};
use crate::world::World;

/// The answer of a fault that replaces the service's own; `None` for a kind
/// that does not.
pub(super) fn of(
    kind: FaultKind,
    world: &mut World,
    request: &Request<Bytes>,
    now: Timestamp,
) -> Option<Answer> {
    let area = Area::of(request.uri().path());
    Some(match kind {
        FaultKind::Throttle { retry_after } => {
            let answer = throttled(area, world, request, now);
            match retry_after {
                Some(seconds) => answer.header("retry-after", seconds.to_string()),
                None => answer,
            }
        }
        FaultKind::Unavailable { retry_after } => {
            broken(area, 503, world, now).header("retry-after", retry_after.to_string())
        }
        FaultKind::Status(status) | FaultKind::AppliedButError(status) => {
            broken(area, status, world, now)
        }
        // At the services, the spoilt token is refused by the service itself.
        FaultKind::Expired if area == Area::Token => token::refused(7_000_222).answer(world, now),
        FaultKind::ClaimsChallenge if area == Area::Token => {
            token::refused(50_076).answer(world, now)
        }
        FaultKind::Forbidden => forbidden(area, world, now),
        FaultKind::GatewayForbidden => gateway(),
        FaultKind::NotYetReplicated => absent(area, world, request, now),
        FaultKind::Conflict => stale(area, 409, "Conflict", world, now),
        FaultKind::PreconditionFailed => stale(area, 412, "PreconditionFailed", world, now),
        FaultKind::Redirect { status, port } => redirect(status, &regional(request.uri(), port)),
        FaultKind::RedirectAway => redirect(
            307,
            &format!("https://{ELSEWHERE}{}", path_of(request.uri())),
        ),
        FaultKind::Expired
        | FaultKind::ClaimsChallenge
        | FaultKind::Hang
        | FaultKind::HangAfterApplying
        | FaultKind::Reset
        | FaultKind::ResetAfterApplying
        | FaultKind::Truncate
        | FaultKind::EndlessNextLink
        | FaultKind::EndlessPages
        | FaultKind::SuccessWithoutEffect
        | FaultKind::Slow(_) => return None,
    })
}

/// The address of a further page: the same list, with a page mark that counts
/// up.
pub(super) fn next_address(uri: &Uri) -> String {
    let mut number = 0_u32;
    let mut pairs = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        if name == "$skiptoken" || name == "$skip" {
            let digits = value.rsplit('_').next().and_then(|n| n.parse().ok());
            number = digits.unwrap_or(number);
        } else {
            pairs.append_pair(&name, &value);
        }
    }
    pairs.append_pair("$skiptoken", &format!("more_{}", number.saturating_add(1)));
    format!("{}{}?{}", base_of(uri), uri.path(), pairs.finish())
}

fn throttled(area: Area, world: &mut World, request: &Request<Bytes>, now: Timestamp) -> Answer {
    let app = &world.tenant.responder_app;
    match area {
        Area::Directory => Answer::graph_error(
            429,
            "TooManyRequests",
            &format!(
                "Too many requests from Identifier:{app} under category:aadgraph.app.tenant_large. Please try again later."
            ),
        ),
        Area::Reports => Answer::graph_error(
            429,
            "TooManyRequests",
            &format!(
                "Too many requests from Identifier:{app} under category:reports. Please try again later."
            ),
        ),
        Area::Risk | Area::AuditSearch => {
            Answer::graph_error(429, "TooManyRequests", "Too many requests.")
        }
        Area::Mail => Answer::graph_error(
            429,
            "ApplicationThrottled",
            "Application is over its MailboxConcurrency limit.",
        ),
        Area::Exchange => exchange::throttled(world),
        Area::Activity => Answer::activity_error(
            429,
            "AF429",
            &format!(
                "Too many requests. Method={}, PublisherId={}",
                request.method(),
                world.tenant.id
            ),
        ),
        Area::Token => token::busy(429).answer(world, now),
    }
}

fn broken(area: Area, status: u16, world: &mut World, now: Timestamp) -> Answer {
    match area {
        Area::Reports => Answer::graph_error(status, "DataInsightsRequestError", ""),
        Area::Directory | Area::Risk | Area::AuditSearch | Area::Mail => {
            Answer::graph_error(status, "UnknownError", "")
        }
        Area::Exchange => exchange::failed(status),
        Area::Activity => Answer::activity_error(
            status,
            "AF50000",
            "An internal error occurred. Retry the request.",
        ),
        Area::Token => token::busy(status).answer(world, now),
    }
}

fn forbidden(area: Area, world: &mut World, now: Timestamp) -> Answer {
    match area {
        Area::Mail => Answer::mail_denied(),
        Area::Directory | Area::Reports | Area::Risk | Area::AuditSearch => Answer::denied(),
        Area::Exchange => exchange::forbidden(),
        Area::Activity => Answer::activity_error(
            403,
            "AF10001",
            "The permission set () sent in the request did not include the expected permission.",
        ),
        // The token endpoint has no 403; it calls the client disabled.
        Area::Token => token::refused(7_000_112).answer(world, now),
    }
}

/// A gateway's page; it is neither Graph nor JSON.
fn gateway() -> Answer {
    let mut answer = Answer::no_content();
    answer.status = 403;
    answer.body = Body::Raw(
        "text/html",
        b"<html><head><title>403 Forbidden</title></head><body><center><h1>403 Forbidden</h1></center></body></html>".to_vec(),
    );
    answer
}

fn absent(area: Area, world: &mut World, request: &Request<Bytes>, now: Timestamp) -> Answer {
    let id = request
        .uri()
        .path()
        .split('/')
        .nth(3)
        .unwrap_or_default()
        .to_owned();
    match area {
        Area::Mail => Answer::graph_error(
            404,
            "ErrorItemNotFound",
            "The specified object was not found in the store.",
        ),
        Area::Directory | Area::Reports | Area::Risk | Area::AuditSearch => Answer::no_object(&id),
        Area::Exchange => exchange::missing(world, "object"),
        Area::Activity => {
            Answer::activity_error(404, "AF20050", "The specified content does not exist.")
        }
        Area::Token => token::refused(700_016).answer(world, now),
    }
}

fn stale(area: Area, status: u16, code: &str, world: &mut World, now: Timestamp) -> Answer {
    const TEXT: &str = "The object was changed by another request in the meantime.";
    match area {
        Area::Exchange => exchange::error(
            status,
            code,
            "Error executing cmdlet",
            &format!("|Microsoft.Exchange.Data.Storage.SaveConflictException|{TEXT}"),
            TEXT,
        ),
        Area::Activity => Answer::activity_error(status, "AF50000", TEXT),
        Area::Token => token::busy(status).answer(world, now),
        _ => Answer::graph_error(status, code, TEXT),
    }
}

fn redirect(status: u16, to: &str) -> Answer {
    let mut answer = Answer::no_content().header("location", to);
    answer.status = status;
    answer
}

/// The same address at the service's regional host. On the loopback it is the
/// loopback's other name, so that a client finds the same listener.
pub(crate) fn regional(uri: &Uri, port: Option<u16>) -> String {
    let host = match uri.host().unwrap_or("localhost") {
        "localhost" => String::from("127.0.0.1"),
        "127.0.0.1" | "[::1]" => String::from("localhost"),
        host if host.starts_with("eurpr01.") => host.to_owned(),
        host => format!("eurpr01.{host}"),
    };
    let port = port
        .or_else(|| uri.port_u16())
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    format!("https://{host}{port}{}", path_of(uri))
}

fn path_of(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/", |path| path.as_str())
}

fn base_of(uri: &Uri) -> String {
    match (uri.scheme_str(), uri.authority()) {
        (Some(scheme), Some(authority)) => format!("{scheme}://{authority}"),
        _ => String::from("https://graph.microsoft.com"),
    }
}
