//! A `$batch` taken apart: each request in it with its answer, as if it had gone alone.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::form::{Answer, Body, Exchange, Request, Tape};

/// The exchanges of a tape, with line numbers; an answered batch is replaced by what is
/// in it, or by the reason why it cannot be taken apart.
pub(crate) fn unbatched(
    tape: &Tape,
) -> impl Iterator<Item = (usize, Result<Exchange, (&Exchange, String)>)> {
    tape.exchanges.iter().flat_map(|(line, exchange)| {
        let parts = match parts(exchange) {
            None => vec![Ok(exchange.clone())],
            Some(Ok(parts)) => parts.into_iter().map(Ok).collect(),
            Some(Err(why)) => vec![Err((exchange, why))],
        };
        parts.into_iter().map(move |part| (*line, part))
    })
}

/// What is in a batch; nothing if it is none, or was refused as a whole.
fn parts(exchange: &Exchange) -> Option<Result<Vec<Exchange>, String>> {
    let path = exchange.request.url.split('?').next().unwrap_or_default();
    let version = path.strip_suffix("/$batch")?;
    let answer = exchange.answer.as_ref()?;
    if answer.status != 200 {
        return None;
    }
    Some(taken_apart(exchange, answer, version))
}

fn taken_apart(
    exchange: &Exchange,
    answer: &Answer,
    version: &str,
) -> Result<Vec<Exchange>, String> {
    let requests = listed(&exchange.request.body, "requests")?;
    let mut responses: BTreeMap<&str, &Value> = BTreeMap::new();
    for response in listed(&answer.body, "responses")? {
        let id = text(response, "id")?;
        if responses.insert(id, response).is_some() {
            return Err(format!("the batch answers `{id}` twice"));
        }
    }
    let mut parts = Vec::with_capacity(requests.len());
    for request in requests {
        let id = text(request, "id")?;
        let response = responses
            .remove(id)
            .ok_or_else(|| format!("the batch does not answer `{id}`"))?;
        let status = response
            .get("status")
            .and_then(Value::as_u64)
            .and_then(|status| u16::try_from(status).ok())
            .ok_or_else(|| format!("the answer to `{id}` has no status"))?;
        parts.push(Exchange {
            request: Request {
                method: text(request, "method")?.to_owned(),
                origin: exchange.request.origin.clone(),
                url: format!("{version}{}", text(request, "url")?),
                headers: headers(request),
                body: body(request),
            },
            answer: Some(Answer {
                status,
                headers: headers(response),
                body: body(response),
            }),
            ..exchange.clone()
        });
    }
    match responses.keys().next() {
        Some(id) => Err(format!("the batch answers `{id}`, which was not asked")),
        None => Ok(parts),
    }
}

fn listed<'a>(body: &'a Body, key: &str) -> Result<&'a Vec<Value>, String> {
    body.json()
        .and_then(|body| body.get(key)?.as_array())
        .ok_or_else(|| format!("the batch has no list of {key}"))
}

fn text<'a>(object: &'a Value, key: &str) -> Result<&'a str, String> {
    object
        .get(key)
        .and_then(Value::as_str)
        .ok_or_else(|| format!("something in the batch has no {key}"))
}

fn headers(of: &Value) -> BTreeMap<String, String> {
    of.get("headers")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.to_lowercase(), value.as_str()?.to_owned())))
        .collect()
}

fn body(of: &Value) -> Body {
    match of.get("body") {
        None | Some(Value::Null) => Body::Empty,
        Some(body) => Body::Json(body.clone()),
    }
}

/// Whether a body is a batch's, or the answer to one.
pub(crate) fn is_batch(body: &Value) -> bool {
    let all = |list: &str, key: &str| {
        body.get(list)
            .and_then(Value::as_array)
            .is_some_and(|items| {
                !items.is_empty()
                    && items.iter().filter_map(Value::as_object).count() == items.len()
                    && items.iter().all(|item| has(item, "id") && has(item, key))
            })
    };
    all("requests", "url") || all("responses", "status")
}

fn has(item: &Value, key: &str) -> bool {
    item.as_object()
        .is_some_and(|item: &Map<String, Value>| item.contains_key(key))
}
