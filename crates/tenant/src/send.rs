//! How a request is sent: token, deadline, waiting, trying again, redirects.
//!
//! The policy in one place. Reads are tried again on throttling, failures of
//! the service and lost connections. Changes are sent again only after an
//! answer that says they were not carried out: 429, 503 with `Retry-After`,
//! 401, and a redirect of Exchange's front door.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;
use url::Url;

use crate::call::Service;
use crate::client::Options;
use crate::edge::{Clock, Transport};
use crate::error::{Kind, TenantError, exchange, graph};
use crate::profile::Profile;
use crate::sign_in::{SignIn, Token};
use crate::wire::{Answer, Outgoing};

/// How often one request is sent at most, the first time included.
const TRIES: u32 = 5;

/// How often Exchange's front door may send us on.
const HOPS: u32 = 3;

/// Domains under which Exchange's regional hosts live (reference §1.1, §6.3).
/// A token is never sent anywhere else.
const EXCHANGE_DOMAINS: &[&str] = &[
    "office365.com",
    "outlook.com",
    "office365.us",
    "office365.cn",
    "outlook.cn",
];

/// What all clones of a client share.
pub(crate) struct Sender {
    pub(crate) profile: Profile,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sign_in: SignIn,
    /// Where Exchange's front door sent us, once it did.
    pub(crate) exchange_host: Mutex<Option<Url>>,
}

/// The shared parts together with one caller's options.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) sender: Arc<Sender>,
    pub(crate) options: Options,
}

/// When a call must be over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Timestamp);

impl Deadline {
    pub(crate) fn after(clock: &dyn Clock, duration: Duration) -> Self {
        let wait = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        Self(clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX))
    }

    fn left(self, clock: &dyn Clock) -> Duration {
        Duration::try_from(self.0.duration_since(clock.now())).unwrap_or_default()
    }

    pub(crate) fn is_over(self, clock: &dyn Clock) -> bool {
        self.left(clock).is_zero()
    }
}

/// When a request may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    /// Whenever that can help.
    Always,
    /// Only when it was not carried out.
    NotCarriedOut,
}

impl Call {
    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.sender.clock
    }

    pub(crate) fn profile(&self) -> &Profile {
        &self.sender.profile
    }

    pub(crate) fn page_cap(&self) -> u32 {
        self.options.pages
    }

    /// The deadline of a call that starts now.
    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::after(self.clock(), self.options.deadline)
    }

    pub(crate) fn base_of(&self, outgoing: &Outgoing) -> Option<&Url> {
        self.profile().endpoints.base(outgoing.service())
    }

    /// Sends a request that changes nothing.
    pub(crate) async fn read(
        &self,
        outgoing: &Outgoing,
        deadline: Deadline,
    ) -> Result<Answer, TenantError> {
        self.send(outgoing, Policy::Always, deadline).await
    }

    /// Sends a request that must not be carried out twice.
    pub(crate) async fn once(
        &self,
        outgoing: &Outgoing,
        deadline: Deadline,
    ) -> Result<Answer, TenantError> {
        self.send(outgoing, Policy::NotCarriedOut, deadline).await
    }

    async fn send(
        &self,
        outgoing: &Outgoing,
        policy: Policy,
        deadline: Deadline,
    ) -> Result<Answer, TenantError> {
        let in_flight = AtomicBool::new(false);
        let attempts = self.attempts(outgoing, policy, deadline, &in_flight);
        within(self.clock(), deadline.left(self.clock()), attempts)
            .await
            .unwrap_or_else(|| {
                let sent = in_flight.load(Ordering::Relaxed);
                Err(TenantError::timed_out(
                    outgoing.spec,
                    &outgoing.target,
                    sent,
                ))
            })
            .map_err(|error| error.scrubbed(|text| outgoing.scrub(text)))
    }

    async fn attempts(
        &self,
        outgoing: &Outgoing,
        policy: Policy,
        deadline: Deadline,
        in_flight: &AtomicBool,
    ) -> Result<Answer, TenantError> {
        let clock = self.clock();
        let mut base = self.base(outgoing)?;
        let mut tries = 0;
        let mut hops = 0;
        let mut renewed = false;
        loop {
            let token = self.sender.sign_in.token(outgoing.service()).await?;
            let request = assemble(&base, outgoing, &token)?;
            tries += 1;
            // A read keeps half of its time for another try; a change has none.
            let limit = match policy {
                Policy::Always => self.options.deadline / 2,
                Policy::NotCarriedOut => deadline.left(clock),
            };
            in_flight.store(true, Ordering::Relaxed);
            let lost = match within(clock, limit, self.sender.transport.send(request)).await {
                Some(Ok(response)) => {
                    in_flight.store(false, Ordering::Relaxed);
                    let answer = self.answer(outgoing, &token, response);
                    match self.judge(outgoing, policy, answer) {
                        Judgement::Done(answer) => return Ok(answer),
                        Judgement::Renew { claims, error } if !renewed => {
                            renewed = true;
                            self.sender
                                .sign_in
                                .forget(outgoing.service(), &token, claims)
                                .await;
                            drop(error);
                            continue;
                        }
                        Judgement::Elsewhere { host, error } => {
                            hops += 1;
                            if hops > HOPS {
                                return Err(error);
                            }
                            self.remember_exchange(&host);
                            base = host;
                            continue;
                        }
                        Judgement::Later { wait, error } => {
                            let wait = wait.unwrap_or_else(|| backoff(tries));
                            if tries < TRIES && self.pause(wait, deadline).await {
                                continue;
                            }
                            return Err(error);
                        }
                        Judgement::Failed(error) | Judgement::Renew { error, .. } => {
                            return Err(error.scrubbed(|text| token.scrub(text)));
                        }
                    }
                }
                Some(Err(error)) => TenantError::transport(outgoing.spec, &outgoing.target, &error),
                None => TenantError::timed_out(outgoing.spec, &outgoing.target, true),
            };
            if policy == Policy::Always
                && tries < TRIES
                && self.pause(backoff(tries), deadline).await
            {
                continue;
            }
            return Err(lost.scrubbed(|text| token.scrub(text)));
        }
    }

    fn base(&self, outgoing: &Outgoing) -> Result<Url, TenantError> {
        if outgoing.service() == Service::Exchange {
            let host = self
                .sender
                .exchange_host
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            if let Some(host) = host {
                return Ok(host);
            }
        }
        self.base_of(outgoing).cloned().ok_or_else(|| {
            TenantError::new(
                Kind::BadInput,
                outgoing.spec,
                &outgoing.target,
                "this cloud has no such service",
            )
        })
    }

    fn remember_exchange(&self, host: &Url) {
        *self
            .sender
            .exchange_host
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(host.clone());
    }

    /// Waits, unless the deadline would come first.
    async fn pause(&self, wait: Duration, deadline: Deadline) -> bool {
        if wait >= deadline.left(self.clock()) {
            return false;
        }
        self.clock().sleep(wait).await;
        true
    }

    fn answer(&self, outgoing: &Outgoing, token: &Token, response: Response<Bytes>) -> Received {
        let (parts, body) = response.into_parts();
        let mut body = outgoing.scrub_bytes(body);
        if !parts.status.is_success() {
            body = token.scrub_bytes(body);
        }
        let request_id = ["request-id", "x-ms-request-id"]
            .iter()
            .find_map(|name| parts.headers.get(*name)?.to_str().ok())
            .map(crate::escape::message);
        Received {
            answer: Answer {
                request: outgoing.request.clone(),
                status: parts.status.as_u16(),
                body,
                received_at: self.clock().now(),
                request_id,
            },
            status: parts.status,
            headers: parts.headers,
        }
    }

    fn judge(&self, outgoing: &Outgoing, policy: Policy, received: Received) -> Judgement {
        let Received {
            answer,
            status,
            headers,
        } = received;
        if status.is_success() {
            return Judgement::Done(answer);
        }
        let exchange = outgoing.service() == Service::Exchange;
        let wait = retry_after(&headers, self.clock().now());
        let error = if exchange {
            exchange::classify(outgoing.spec, &outgoing.target, &answer)
        } else {
            graph::classify(outgoing.spec, &outgoing.target, &answer)
        }
        .with_retry_after(wait);
        match status.as_u16() {
            401 => Judgement::Renew {
                claims: claims(&headers),
                error,
            },
            301 | 302 | 307 | 308 if exchange => {
                let from = self.profile().endpoints.base(Service::Exchange);
                match headers
                    .get(header::LOCATION)
                    .and_then(|location| location.to_str().ok())
                    .zip(from)
                    .and_then(|(location, from)| regional_host(from, location))
                {
                    Some(host) => Judgement::Elsewhere { host, error },
                    None => Judgement::Failed(error),
                }
            }
            429 => Judgement::Later { wait, error },
            // 503 with a time to wait is throttling in other words: not carried out.
            503 if wait.is_some() => Judgement::Later {
                wait,
                error: error.with_kind(Kind::Throttled),
            },
            500.. if policy == Policy::Always => Judgement::Later { wait, error },
            _ => Judgement::Failed(error),
        }
    }
}

struct Received {
    answer: Answer,
    status: StatusCode,
    headers: HeaderMap,
}

/// What to do about an answer.
enum Judgement {
    Done(Answer),
    /// The token is refused: once more with a new one.
    Renew {
        claims: Option<String>,
        error: TenantError,
    },
    /// Exchange answers from another host.
    Elsewhere {
        host: Url,
        error: TenantError,
    },
    /// Not carried out, or safe to repeat.
    Later {
        wait: Option<Duration>,
        error: TenantError,
    },
    Failed(TenantError),
}

/// The future's output, unless this much time passes first.
pub(crate) async fn within<T>(
    clock: &dyn Clock,
    limit: Duration,
    future: impl Future<Output = T> + Send,
) -> Option<T> {
    if limit.is_zero() {
        return None;
    }
    match select(Box::pin(future), clock.sleep(limit)).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(((), _)) => None,
    }
}

/// 1, 2, 4, 8 seconds. Without jitter, so that the same run is the same run.
pub(crate) fn backoff(tries: u32) -> Duration {
    Duration::from_secs(1 << tries.saturating_sub(1).min(4))
}

fn assemble(
    base: &Url,
    outgoing: &Outgoing,
    token: &Token,
) -> Result<http::Request<Bytes>, TenantError> {
    let bad = |why: &str| TenantError::new(Kind::BadInput, outgoing.spec, &outgoing.target, why);
    let uri = format!(
        "{}{}",
        base.origin().ascii_serialization(),
        outgoing.request.url
    );
    let mut request = http::Request::builder()
        .method(http::Method::from(outgoing.spec.method))
        .uri(uri)
        .body(outgoing.body.to_send())
        .map_err(|_| bad("the address cannot be written"))?;
    *request.headers_mut() = outgoing.headers.clone();
    let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.secret().expose_secret()))
        .map_err(|_| bad("the token service gave a token that no header can carry"))?;
    bearer.set_sensitive(true);
    request.headers_mut().insert(header::AUTHORIZATION, bearer);
    Ok(request)
}

/// `Retry-After` in seconds or as a date.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(text)
        .ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

/// The claims that a 401 asks for (reference §1.4), decoded from base64.
/// Parameters come in any order, quoted or not, in one header or several.
fn claims(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .find_map(|challenge| {
            let encoded = parameter(challenge, "claims")?;
            let bytes = STANDARD
                .decode(encoded)
                .or_else(|_| URL_SAFE_NO_PAD.decode(encoded.trim_end_matches('=')))
                .ok()?;
            let text = String::from_utf8(bytes).ok()?;
            serde_json::from_str::<serde_json::Value>(&text)
                .ok()
                .map(|_| text)
        })
}

fn parameter<'a>(challenge: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = challenge;
    loop {
        let (before, after) = rest.split_once('=')?;
        let key = before.rsplit([' ', ',', '\t']).next().unwrap_or_default();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once([',', ' ']).unwrap_or((after, "")),
        };
        if key.eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = next;
    }
}

/// The host that Exchange's front door names, if a token may go there. Port
/// 446 is an inner one: the same host answers at 443 (reference §6.3).
fn regional_host(from: &Url, location: &str) -> Option<Url> {
    let mut url = from.join(location).ok()?;
    if url.port() == Some(446) {
        url.set_port(None).ok()?;
    }
    let host = url.host_str()?;
    let known = |domain: &&str| {
        host.strip_suffix(*domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let home = from.host_str()?;
    let allowed = host == home
        || (EXCHANGE_DOMAINS.iter().any(|domain| known(&domain))
            && EXCHANGE_DOMAINS.iter().any(|domain| home.ends_with(domain)));
    (url.scheme() == "https" && url.username().is_empty() && allowed).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_found_in_any_order_and_behind_another_scheme() {
        for challenge in [
            r#"Bearer realm="", authorization_uri=https://login.example/common, error="insufficient_claims", claims="eyJhIjoxfQ==""#,
            r#"PoP realm="x", nonce="abc=", Bearer claims=eyJhIjoxfQ, error="insufficient_claims""#,
        ] {
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_str(challenge) {
                headers.append(header::WWW_AUTHENTICATE, value);
            }
            assert_eq!(
                claims(&headers).as_deref(),
                Some(r#"{"a":1}"#),
                "{challenge}"
            );
        }
    }

    #[test]
    fn a_token_follows_a_redirect_only_within_exchange() {
        let from = Url::parse("https://outlook.office365.com").ok();
        let to = |location: &str| {
            regional_host(from.as_ref()?, location).map(|url| url.origin().ascii_serialization())
        };
        assert_eq!(
            to("https://eur05.outlook.office365.com:446/adminapi/beta/t/InvokeCommand").as_deref(),
            Some("https://eur05.outlook.office365.com")
        );
        for location in [
            "https://office365.com.evil.example/",
            "https://eviloffice365.com/",
            "http://eur05.outlook.office365.com/",
            "https://evil.example/",
        ] {
            assert_eq!(to(location), None, "{location}");
        }
    }

    #[test]
    fn retry_after_may_be_a_date() {
        let now: Timestamp = "2026-01-05T10:00:00Z".parse().unwrap_or_default();
        let mut headers = HeaderMap::new();
        headers.insert(
            header::RETRY_AFTER,
            HeaderValue::from_static("Mon, 05 Jan 2026 10:00:30 GMT"),
        );
        assert_eq!(retry_after(&headers, now), Some(Duration::from_secs(30)));
    }
}
