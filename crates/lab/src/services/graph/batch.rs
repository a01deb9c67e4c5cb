//! `$batch`: up to twenty requests in one (reference §10).

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Map, Value, json};

use super::super::{Ask, route};
use super::Answer;
use crate::trace::{TraceInside, digest};

/// Answers a batch.
pub(super) fn serve(ask: &mut Ask<'_>, version: &str) -> Answer {
    let Some(body) = ask.json() else {
        return Answer::bad_request("Unable to read JSON request payload.");
    };
    let Some(requests) = body["requests"].as_array().filter(|list| !list.is_empty()) else {
        return Answer::bad_request("Invalid batch payload format.");
    };
    if requests.len() > 20 {
        return Answer::bad_request(
            "Number of batch request steps exceeds the maximum value of 20.",
        );
    }
    let mut seen = BTreeSet::new();
    for request in requests {
        let id = request["id"].as_str().unwrap_or_default().to_lowercase();
        if id.is_empty() || !seen.insert(id) {
            return Answer::bad_request("Request Ids in the batch must be present and unique.");
        }
        if !request["body"].is_null() && content_type(request).is_none() {
            return Answer::bad_request("Write request id is missing Content-Type header.");
        }
    }
    let mut failed: BTreeSet<String> = BTreeSet::new();
    let (mut responses, mut touched) = (Vec::new(), Vec::new());
    let mut inside = Vec::new();
    for request in requests {
        let id = request["id"].as_str().unwrap_or_default().to_owned();
        let waits = request["dependsOn"].as_array().into_iter().flatten();
        let refusal = if waits
            .filter_map(Value::as_str)
            .any(|id| failed.contains(&id.to_lowercase()))
        {
            Some(Answer::graph_error(
                424,
                "FailedDependency",
                "A request that this one depends on failed.",
            ))
        } else {
            None
        };
        let asked = inner(ask, version, request);
        let mut fault = None;
        let response = match (refusal, &asked) {
            (Some(refusal), _) => refusal.into_response(ask.request, ask.now),
            (None, Some(inner)) => {
                let one = one(ask, inner);
                touched.extend(one.effect);
                fault = one.fault;
                one.response
            }
            (None, None) => Answer::bad_request("Invalid request in the batch.")
                .into_response(ask.request, ask.now),
        };
        if !response.status().is_success() {
            failed.insert(id.to_lowercase());
        }
        let response = response_json(&id, &response);
        inside.extend(asked.map(|asked| noted(&asked, &response, fault)));
        responses.push(response);
    }
    // The service answers in any order: backwards shows who relies on it.
    responses.reverse();
    let mut answer = Answer::json(200, json!({"responses": responses}));
    answer.inside = inside;
    if !touched.is_empty() {
        answer = answer.effect(json!({"kind": "batch", "touched": touched}));
    }
    answer
}

fn content_type(request: &Value) -> Option<&str> {
    request["headers"]
        .as_object()?
        .iter()
        .find_map(|(name, value)| {
            name.eq_ignore_ascii_case("content-type")
                .then(|| value.as_str())?
        })
}

/// The request inside, under the outer one's token.
fn inner(ask: &Ask<'_>, version: &str, request: &Value) -> Option<Request<Bytes>> {
    let url = request["url"].as_str()?.trim_start_matches('/');
    let method = request["method"].as_str()?;
    let mut builder = Request::builder()
        .method(method.to_uppercase().as_str())
        .uri(format!("https://graph.microsoft.com/{version}/{url}"));
    if let Some(token) = ask.header("authorization") {
        builder = builder.header("authorization", token);
    }
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        if let Some(value) = value.as_str() {
            builder = builder.header(name.as_str(), value);
        }
    }
    let body = match &request["body"] {
        Value::Null => Bytes::new(),
        Value::String(text) => Bytes::from(text.clone()),
        other => Bytes::from(other.to_string()),
    };
    builder.body(body).ok()
}

/// One of the requests, answered.
struct One {
    response: Response<Bytes>,
    effect: Option<Value>,
    fault: Option<String>,
}

/// Answers one of the requests. Each is metered alone, and each can meet a fault of
/// its own.
fn one(ask: &mut Ask<'_>, inner: &Request<Bytes>) -> One {
    let fault = ask.world.faults.take(inner, true);
    if let Some(fault) = fault {
        fault.prepare(ask.world, inner, ask.now);
    }
    let before = fault
        .filter(|fault| !fault.applies())
        .map(|_| ask.world.clone());
    let answer = route(ask.world, ask.peer, inner, ask.now).answer;
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
    One {
        response,
        effect,
        fault: fault.map(crate::fault::FaultKind::word),
    }
}

/// For the trace: what was asked, and the digest of the body as it stands in the
/// batch's answer.
fn noted(asked: &Request<Bytes>, response: &Value, fault: Option<String>) -> TraceInside {
    let body = response.get("body").map(Value::to_string);
    TraceInside {
        method: asked.method().as_str().to_owned(),
        path: asked.uri().path().to_owned(),
        query: asked.uri().query().map(str::to_owned),
        status: response["status"]
            .as_u64()
            .and_then(|status| u16::try_from(status).ok())
            .unwrap_or_default(),
        response_sha256: body.map(|body| digest(body.as_bytes())),
        fault,
    }
}

fn response_json(id: &str, response: &Response<Bytes>) -> Value {
    let headers: Map<String, Value> = response
        .headers()
        .iter()
        .filter(|(name, _)| name.as_str() != "date")
        .filter_map(|(name, value)| {
            let value = value.to_str().ok()?;
            let name = match name.as_str() {
                "content-type" => "Content-Type",
                "retry-after" => "Retry-After",
                other => other,
            };
            Some((name.to_owned(), json!(value)))
        })
        .collect();
    let mut json = json!({"id": id, "status": response.status().as_u16(), "headers": headers});
    if let Ok(body) = serde_json::from_slice::<Value>(response.body()) {
        json["body"] = body;
    }
    json
}
