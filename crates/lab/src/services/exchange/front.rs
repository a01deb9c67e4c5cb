//! What stands before the cmdlets: redirects, limits, and requests inside a
//! batch (reference §6.3).

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use super::super::throttle::Limit;
use super::super::{Answer, Ask};
use super::{invoke_in, throttled};
use crate::fault::regional;
use crate::unconfirmed::{EXCHANGE_FRONT_DOOR, EXCHANGE_LIMIT, EXCHANGE_RATE_HEADERS};

/// How many calls the captured headers allow, and in which window.
const RATE: (u32, i64) = (30_000, 300);

/// A redirect to the regional host, where the front door gives one. The
/// regional host itself answers.
pub(super) fn redirect(ask: &Ask<'_>) -> Option<Answer> {
    let port = match ask.world.unconfirmed.variant(&EXCHANGE_FRONT_DOOR) {
        "redirects" => None,
        "redirects_446" => Some(446),
        _ => return None,
    };
    let uri = ask.request.uri();
    let at_the_region = uri
        .host()
        .is_some_and(|host| host.starts_with("eurpr01.") || host == "127.0.0.1");
    if at_the_region {
        return None;
    }
    let mut answer = Answer::no_content().header("location", regional(uri, port));
    answer.status = 307;
    Some(answer)
}

/// Whether an answer is a claims challenge.
pub(super) fn challenges(answer: &Answer) -> bool {
    answer
        .headers
        .iter()
        .any(|(_, value)| value.contains("insufficient_claims"))
}

/// Counts the call, and tells what is left where the service does.
pub(super) fn with_rate(ask: &mut Ask<'_>, invoke: fn(&mut Ask<'_>) -> Answer) -> Answer {
    let limited = ask.world.unconfirmed.variant(&EXCHANGE_LIMIT) == "400_per_5m";
    let app = super::bearer_app(ask).unwrap_or_default();
    let wait = ask.world.meter.use_up(Limit::Exchange, &app, ask.now);
    let answer = match wait {
        Some(seconds) if limited => throttled(ask.world).header("retry-after", seconds.to_string()),
        _ => invoke(ask),
    };
    if ask.world.unconfirmed.variant(&EXCHANGE_RATE_HEADERS) != "present" {
        return answer;
    }
    let used = u32::try_from(ask.world.meter.used(Limit::Exchange, &app)).unwrap_or(u32::MAX);
    let reset = ask
        .now
        .checked_add(jiff::SignedDuration::from_secs(16))
        .unwrap_or(ask.now);
    answer
        .header("rate-limit-limit", RATE.0.to_string())
        .header(
            "rate-limit-remaining",
            RATE.0.saturating_sub(used).to_string(),
        )
        .header("rate-limit-reset", reset.to_string())
}

/// A request of a batch, under the outer one's token.
pub(super) fn inner(ask: &Ask<'_>, tenant: &str, request: &Value) -> Option<Request<Bytes>> {
    let uri = ask.request.uri();
    let base = format!(
        "https://{}",
        uri.authority()
            .map_or("outlook.office365.com", |a| a.as_str())
    );
    let query = request["url"]
        .as_str()
        .and_then(|url| url.split_once('?'))
        .map(|(_, query)| format!("?{query}"))
        .unwrap_or_default();
    let mut inner = Request::post(format!(
        "{base}/adminapi/beta/{tenant}/InvokeCommand{query}"
    ));
    if let Some(token) = ask.header("authorization") {
        inner = inner.header("authorization", token);
    }
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        if let Some(value) = value.as_str() {
            inner = inner.header(name.as_str(), value);
        }
    }
    inner.body(Bytes::from(request["body"].to_string())).ok()
}

/// Runs it, with a fault of its own if one is ordered; what it changed.
pub(super) fn one(
    ask: &mut Ask<'_>,
    tenant: &str,
    inner: &Request<Bytes>,
) -> (Response<Bytes>, Option<Value>) {
    let fault = ask.world.faults.take(inner, true);
    if let Some(fault) = fault {
        fault.prepare(ask.world, inner, ask.now);
    }
    let before = fault
        .filter(|fault| !fault.applies())
        .map(|_| ask.world.clone());
    let answer = {
        let mut one = Ask {
            world: &mut *ask.world,
            now: ask.now,
            peer: ask.peer,
            request: inner,
            user_agent: ask.user_agent.clone(),
        };
        invoke_in(&mut one, tenant)
    };
    let mut effect = match (&answer.target, &answer.effect) {
        (Some(target), Some(effect)) => {
            Some(json!({"kind": target.kind, "id": target.id, "effect": effect}))
        }
        _ => None,
    };
    let mut response = answer.into_response(inner, ask.now);
    if let Some(before) = before {
        *ask.world = before;
        effect = None;
    }
    if let Some(fault) = fault {
        fault.spoil(ask.world, inner, ask.now, &mut response);
    }
    (response, effect)
}
