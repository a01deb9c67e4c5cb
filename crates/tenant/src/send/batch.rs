//! Several reads of Graph in one request: `$batch` (reference §10).
//!
//! Each answer inside is taken as if it had come alone: its status, its words, its
//! time to wait. What was turned away is sent again, and only that. An answer that
//! is not there is an answer that cannot be read, and never "not found".

use std::collections::HashMap;

use bytes::Bytes;
use futures_util::future::join_all;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Call, Deadline, Judgement, Policy, Received, TRIES};
use crate::call::{CallSpec, Verb};
use crate::error::{Kind, TenantError};
use crate::pace::Account;
use crate::sign_in::Token;
use crate::wire::{Answer, Body, Builder, Outgoing};

/// The most requests that one batch may hold (reference §10).
pub(crate) const MOST: usize = 20;

/// One of the requests: its place among them, and what became of it so far.
struct Open {
    place: usize,
    tries: u32,
    renewed: bool,
}

/// What one answer inside means for its request.
enum Next {
    Over(Result<Answer, TenantError>),
    /// Once more, after this wait, unless there is no time for it.
    Again {
        wait: std::time::Duration,
        error: TenantError,
    },
    /// Something that only an answer of its own can tell.
    Alone,
}

impl Call {
    /// Sends these reads in as few requests as they fit in; the results come in their
    /// order. `spec` is the batch itself. What counts against different limits goes
    /// in different batches, side by side.
    pub(crate) async fn batch(
        &self,
        spec: &'static CallSpec,
        inner: &[Outgoing],
        deadline: Deadline,
    ) -> Vec<Result<Answer, TenantError>> {
        let mut groups: Vec<(Account, Vec<usize>)> = Vec::new();
        for (place, outgoing) in inner.iter().enumerate() {
            let tenant = &self.profile().tenant_id;
            let account = Account::of(tenant, outgoing.spec, &outgoing.request.url);
            match groups.iter_mut().find(|(other, _)| *other == account) {
                Some((_, places)) => places.push(place),
                None => groups.push((account, vec![place])),
            }
        }
        let batches = groups.iter().flat_map(|(account, places)| {
            let most = account.at_once().map_or(MOST, |at_once| MOST.min(at_once));
            places
                .chunks(most.max(1))
                .map(move |places| self.one_batch(spec, account, inner, places, deadline))
        });
        let mut results: Vec<(usize, Result<Answer, TenantError>)> =
            join_all(batches).await.into_iter().flatten().collect();
        results.sort_by_key(|(place, _)| *place);
        results.into_iter().map(|(_, result)| result).collect()
    }

    async fn one_batch(
        &self,
        spec: &'static CallSpec,
        account: &Account,
        inner: &[Outgoing],
        places: &[usize],
        deadline: Deadline,
    ) -> Vec<(usize, Result<Answer, TenantError>)> {
        let mut results = Vec::new();
        let mut open: Vec<Open> = places
            .iter()
            .map(|place| Open {
                place: *place,
                tries: 0,
                renewed: false,
            })
            .collect();
        while open.len() > 1 {
            let outgoing = match envelope(spec, account, inner, &open) {
                Ok(outgoing) => outgoing,
                Err(error) => {
                    results.extend(told_to_all(&open, inner, &error));
                    return results;
                }
            };
            let (whole, token) = match self.send(&outgoing, Policy::Always, deadline).await {
                Ok(answered) => answered,
                // Where batches are refused, their parts may not be.
                Err(error) if is_about_the_batch(&error.kind) => break,
                Err(error) => {
                    results.extend(told_to_all(&open, inner, &error));
                    return results;
                }
            };
            let mut parts = match Parts::of(&whole, &open) {
                Ok(parts) => parts,
                Err(why) => {
                    let error = unreadable(&outgoing, &whole, &why);
                    results.extend(told_to_all(&open, inner, &error));
                    return results;
                }
            };
            let mut again = Vec::new();
            let mut longest = std::time::Duration::ZERO;
            for mut one in open {
                let Some(asked) = inner.get(one.place) else {
                    continue;
                };
                one.tries += 1;
                let next = match parts.take(&one, asked, &whole, &token) {
                    Ok(received) => self.next(asked, account, &mut one, received, &token).await,
                    Err(why) => Next::Over(Err(unreadable(asked, &whole, &why))),
                };
                match next {
                    Next::Over(result) => results.push((one.place, result)),
                    Next::Again { wait, .. } if wait < deadline.left(self.clock()) => {
                        longest = longest.max(wait);
                        again.push(one);
                    }
                    Next::Again { error, .. } => results.push((one.place, Err(error))),
                    Next::Alone => results.push((one.place, self.read(asked, deadline).await)),
                }
            }
            // There is time for it: that was looked at for each.
            let _ = self.pause(longest, deadline).await;
            open = again;
        }
        let alone = open.iter().filter_map(|one| {
            let asked = inner.get(one.place)?;
            Some(async move { (one.place, self.read(asked, deadline).await) })
        });
        results.extend(join_all(alone).await);
        results
    }

    /// What an answer inside leads to: the same as if it had come alone.
    async fn next(
        &self,
        asked: &Outgoing,
        account: &Account,
        one: &mut Open,
        received: Received,
        token: &Token,
    ) -> Next {
        let scrubbed = |error: TenantError| error.scrubbed(|text| token.scrub(text));
        match self.judge(asked, Policy::Always, received) {
            Judgement::Done(answer) => Next::Over(Ok(answer)),
            Judgement::Renew { claims, error } if !one.renewed => {
                one.renewed = true;
                self.sender
                    .sign_in
                    .forget(asked.service(), token, claims)
                    .await;
                Next::Again {
                    wait: std::time::Duration::ZERO,
                    error,
                }
            }
            Judgement::Elsewhere { .. } => Next::Alone,
            Judgement::Later { wait, error } => {
                let wait = wait.unwrap_or_else(|| self.pacer.backoff(one.tries));
                if error.kind == Kind::Throttled {
                    let until = SignedDuration::try_from(wait)
                        .ok()
                        .and_then(|wait| self.clock().now().checked_add(wait).ok());
                    self.pacer
                        .hold(account, until.unwrap_or(jiff::Timestamp::MAX));
                }
                if one.tries < TRIES {
                    Next::Again { wait, error }
                } else {
                    Next::Over(Err(scrubbed(error)))
                }
            }
            Judgement::Failed(error) | Judgement::Renew { error, .. } => {
                Next::Over(Err(scrubbed(error)))
            }
        }
    }
}

/// The batch as one request. Every request inside is counted.
fn envelope(
    spec: &'static CallSpec,
    account: &Account,
    inner: &[Outgoing],
    open: &[Open],
) -> Result<Outgoing, TenantError> {
    let (version, _) = spec
        .path_template
        .split_at(spec.path_template.len() - "/$batch".len());
    let mut requests = Vec::with_capacity(open.len());
    for one in open {
        let asked = inner.get(one.place);
        let relative = asked
            .filter(|asked| asked.spec.method == Verb::Get)
            .and_then(|asked| asked.request.url.strip_prefix(version));
        let Some((asked, relative)) = asked.zip(relative) else {
            let why = "only reads of the same version can go in one batch";
            return Err(TenantError::new(Kind::BadInput, spec, "", why));
        };
        let mut request = json!({
            "id": id_of(one.place),
            "method": asked.spec.method.as_str(),
            "url": relative,
        });
        let headers: serde_json::Map<String, Value> = asked
            .headers
            .iter()
            .filter(|(name, _)| !["accept", "accept-encoding"].contains(&name.as_str()))
            .filter_map(|(name, value)| Some((name.to_string(), json!(value.to_str().ok()?))))
            .collect();
        if !headers.is_empty() {
            request["headers"] = Value::Object(headers);
        }
        requests.push(request);
    }
    let targets = format!("{} objects", open.len());
    let weight = u32::try_from(open.len()).unwrap_or(u32::MAX);
    Ok(Builder::new(spec, &targets, &[])
        .body(Body::json(&json!({"requests": requests})))
        .build()?
        .counted(account.clone(), weight))
}

/// The id under which a request goes and its answer comes back.
fn id_of(place: usize) -> String {
    (place + 1).to_string()
}

/// Whether the service refused the batch and not what is in it. Who has had enough,
/// is down or was not reached would not be helped by more requests.
fn is_about_the_batch(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::PermissionMissing { .. }
            | Kind::ProtectedTarget
            | Kind::LicenceMissing
            | Kind::NotFound
            | Kind::Conflict
            | Kind::PreconditionFailed
            | Kind::Refused
            | Kind::NotUnderstood
            | Kind::Gateway
    )
}

/// What befell the batch, for each request in it.
fn told_to_all(
    open: &[Open],
    inner: &[Outgoing],
    error: &TenantError,
) -> Vec<(usize, Result<Answer, TenantError>)> {
    open.iter()
        .filter_map(|one| {
            let asked = inner.get(one.place)?;
            let error = error.clone().about(asked.spec, &asked.target);
            Some((one.place, Err(error)))
        })
        .collect()
}

fn unreadable(asked: &Outgoing, whole: &Answer, why: &str) -> TenantError {
    let kind = Kind::BadAnswer {
        effect_unknown: false,
    };
    TenantError::new(kind, asked.spec, &asked.target, why).with_answer(whole)
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    responses: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Part<'a> {
    id: String,
    status: u16,
    #[serde(default)]
    headers: Option<HashMap<String, Value>>,
    #[serde(default, borrow)]
    body: Option<&'a RawValue>,
}

/// The answers inside, by id; nothing under an id that came twice.
struct Parts<'a>(HashMap<String, Option<Part<'a>>>);

impl<'a> Parts<'a> {
    fn of(whole: &'a Answer, open: &[Open]) -> Result<Self, String> {
        let envelope: Envelope<'a> = serde_json::from_slice(&whole.body)
            .map_err(|error| format!("the answer to the batch cannot be read: {error}"))?;
        let mut parts: HashMap<String, Option<Part<'a>>> = HashMap::new();
        for raw in envelope.responses {
            // One that cannot be read is missing for whoever waits for it.
            let Ok(part) = serde_json::from_str::<Part<'a>>(raw.get()) else {
                continue;
            };
            if !open.iter().any(|one| id_of(one.place) == part.id) {
                return Err(format!(
                    "the answer to the batch answers `{}`, which was not asked",
                    crate::escape::message(&part.id)
                ));
            }
            parts
                .entry(part.id.clone())
                .and_modify(|twice| *twice = None)
                .or_insert(Some(part));
        }
        Ok(Self(parts))
    }

    /// The answer to one request, as if it had come alone.
    fn take(
        &mut self,
        one: &Open,
        asked: &Outgoing,
        whole: &Answer,
        token: &Token,
    ) -> Result<Received, String> {
        let part = match self.0.remove(&id_of(one.place)) {
            Some(Some(part)) => part,
            Some(None) => return Err("the batch answered this request twice".to_owned()),
            None => return Err("the batch has no answer to this request".to_owned()),
        };
        let status = StatusCode::from_u16(part.status)
            .map_err(|_| format!("the batch gave {} for a status", part.status))?;
        let mut body = part.body.map(|raw| exact(raw, whole)).unwrap_or_default();
        body = asked.scrub_bytes(body);
        if !status.is_success() {
            body = token.scrub_bytes(body);
        }
        let headers = headers_of(part.headers.unwrap_or_default());
        let request_id = ["request-id", "x-ms-request-id"]
            .iter()
            .find_map(|name| headers.get(*name)?.to_str().ok())
            .map(crate::escape::message)
            .or_else(|| whole.request_id.clone());
        Ok(Received {
            answer: Answer {
                request: asked.request.clone(),
                status: part.status,
                body,
                received_at: whole.received_at,
                request_id,
                next_page: None,
            },
            status,
            headers,
        })
    }
}

/// The bytes of a body as they stand in the batch's answer; what is no JSON stands
/// there as a text.
fn exact(raw: &RawValue, whole: &Answer) -> Bytes {
    match serde_json::from_str::<Value>(raw.get()) {
        Ok(Value::String(text)) => Bytes::from(text),
        _ => whole.body.slice_ref(raw.get().as_bytes()),
    }
}

fn headers_of(given: HashMap<String, Value>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            _ => continue,
        };
        if let (Ok(name), Ok(value)) = (
            HeaderName::try_from(name.to_ascii_lowercase()),
            HeaderValue::from_str(&text),
        ) {
            headers.append(name, value);
        }
    }
    headers
}
