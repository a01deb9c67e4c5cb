//! A transport that writes down what goes through it.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, header};
use jiff::Timestamp;
use retake_tenant::edge::{
    BoxFuture, Clock, Entropy, Transport, TransportError, TransportErrorKind,
};
use retake_tenant::{Profile, Service};
use zeroize::Zeroizing;

use crate::form::{Answer, Body, Exchange, Header, Request, SCHEMA};
use crate::redact::Redactor;

/// Request headers that are kept.
pub(crate) const ASKED: [&str; 3] = ["content-type", "prefer", "consistencylevel"];
/// Answer headers that are kept.
pub(crate) const ANSWERED: [&str; 7] = [
    "content-type",
    "location",
    "preference-applied",
    "request-id",
    "retry-after",
    "www-authenticate",
    "x-ms-request-id",
];

/// A tape that is being written. Lines are written whole, one system call each; a failure to write
/// never fails a call, and is told by [`Recorder::finish`].
pub struct Recorder {
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
}

struct Inner {
    file: File,
    redactor: Redactor,
    started: Timestamp,
    next: u64,
    failed: Option<std::io::Error>,
}

impl Recorder {
    /// Creates the file, readable by its owner alone, and writes the header.
    ///
    /// # Errors
    ///
    /// [`std::io::ErrorKind::AlreadyExists`] if it is there and is not to be replaced; any other if
    /// it cannot be written.
    pub fn create(
        path: &Path,
        replace: bool,
        profile: &Profile,
        clock: Arc<dyn Clock>,
        entropy: &dyn Entropy,
    ) -> std::io::Result<Self> {
        if replace {
            // Made anew, so that neither its old rights nor another name of it stay.
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        let mut options = OpenOptions::new();
        options.append(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let mut file = options.open(path)?;
        let mut redactor = Redactor::new(entropy);
        let started = clock.now();
        let origin = |url: &url::Url| url.origin().ascii_serialization();
        let header = Header {
            schema: SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            cloud: cloud_of(profile).to_owned(),
            graph: redactor.origin(
                &profile
                    .endpoints
                    .base(Service::Graph)
                    .map(origin)
                    .unwrap_or_default(),
            ),
            tenant: redactor.identifier(&profile.tenant_id),
            client: redactor.identifier(&profile.client_id),
            started: redactor.moment(started),
        };
        write_line(&mut file, &header)?;
        Ok(Self {
            clock,
            inner: Mutex::new(Inner {
                file,
                redactor,
                started,
                next: 1,
                failed: None,
            }),
        })
    }

    /// Says whether every line could be written.
    ///
    /// # Errors
    ///
    /// The first failure.
    pub fn finish(&self) -> std::io::Result<()> {
        let mut inner = self.lock();
        match inner.failed.take() {
            Some(error) => Err(error),
            None => inner.file.sync_all(),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request before it is sent.
    fn sent(&self, request: &http::Request<Bytes>) -> Sent {
        let now = self.clock.now();
        let mut inner = self.lock();
        let n = inner.next;
        inner.next += 1;
        let at_ms = millis(inner.started, now);
        // What was the secret of this exchange must not be found in its line, wherever it came from.
        let mut secrets = bearer(request.headers());
        let uri = request.uri();
        let origin = match (uri.scheme_str(), uri.authority()) {
            (Some(scheme), Some(authority)) => format!("{scheme}://{authority}"),
            _ => String::new(),
        };
        let redactor = &mut inner.redactor;
        let request = Request {
            method: request.method().as_str().to_owned(),
            origin: redactor.origin(&origin),
            url: redactor.url(uri.path_and_query().map_or("/", |path| path.as_str())),
            headers: headers(redactor, request.headers(), &ASKED),
            body: redactor.body(request.headers(), request.body(), &mut secrets),
        };
        Sent {
            n,
            when: now,
            at_ms,
            request,
            secrets,
        }
    }

    fn write(&self, sent: Sent, outcome: Result<(u16, &HeaderMap, &Bytes), &'static str>) {
        let took_ms = millis(sent.when, self.clock.now());
        let mut secrets = sent.secrets;
        let mut inner = self.lock();
        let (answer, failure) = match outcome {
            Ok((status, answered, body)) => {
                let redactor = &mut inner.redactor;
                let answer = Answer {
                    status,
                    headers: headers(redactor, answered, &ANSWERED),
                    body: redactor.body(answered, body, &mut secrets),
                };
                (Some(answer), None)
            }
            Err(kind) => (None, Some(kind.to_owned())),
        };
        let mut exchange = Exchange {
            n: sent.n,
            at_ms: sent.at_ms,
            took_ms,
            request: sent.request,
            answer,
            failure,
        };
        withhold(&mut exchange, &secrets);
        if inner.failed.is_none()
            && let Err(error) = write_line(&mut inner.file, &exchange)
        {
            inner.failed = Some(error);
        }
    }
}

/// A [`Transport`] that records.
pub struct RecordingTransport<T> {
    inner: T,
    recorder: Arc<Recorder>,
}

impl<T: Transport> RecordingTransport<T> {
    /// Records what goes through `inner`, and changes nothing of it.
    pub fn new(inner: T, recorder: Arc<Recorder>) -> Self {
        Self { inner, recorder }
    }
}

impl<T: Transport> Transport for RecordingTransport<T> {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let mut open = Open {
                recorder: &self.recorder,
                sent: Some(self.recorder.sent(&request)),
            };
            let outcome = self.inner.send(request).await;
            if let Some(sent) = open.sent.take() {
                self.recorder.write(
                    sent,
                    match &outcome {
                        Ok(answer) => {
                            Ok((answer.status().as_u16(), answer.headers(), answer.body()))
                        }
                        Err(error) => Err(failure(error.kind)),
                    },
                );
            }
            outcome
        })
    }
}

/// A request without an answer so far; the client may give it up.
struct Open<'a> {
    recorder: &'a Recorder,
    sent: Option<Sent>,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if let Some(sent) = self.sent.take() {
            self.recorder.write(sent, Err("given_up"));
        }
    }
}

struct Sent {
    n: u64,
    when: Timestamp,
    at_ms: u64,
    request: Request,
    secrets: Vec<Zeroizing<String>>,
}

/// The second line of defence: a body in which a secret of its own exchange is still found is not
/// kept, nor a header.
fn withhold(exchange: &mut Exchange, secrets: &[Zeroizing<String>]) {
    let found = |text: &str| {
        secrets
            .iter()
            .any(|secret| secret.len() >= 8 && text.contains(secret.as_str()))
    };
    let hide = |headers: &mut BTreeMap<String, String>, body: &mut Body| {
        headers.retain(|_, value| !found(value));
        let text = serde_json::to_string(body).unwrap_or_default();
        if found(&text) {
            *body = Body::Opaque(text.len());
        }
    };
    hide(&mut exchange.request.headers, &mut exchange.request.body);
    if found(&exchange.request.url) {
        "/withheld".clone_into(&mut exchange.request.url);
    }
    if let Some(answer) = &mut exchange.answer {
        hide(&mut answer.headers, &mut answer.body);
    }
}

fn bearer(headers: &HeaderMap) -> Vec<Zeroizing<String>> {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .map(|(_, token)| Zeroizing::new(token.to_owned()))
        .into_iter()
        .collect()
}

fn headers(redactor: &mut Redactor, all: &HeaderMap, wanted: &[&str]) -> BTreeMap<String, String> {
    wanted
        .iter()
        .filter_map(|name| {
            let value = all.get(*name)?.to_str().ok()?;
            Some(((*name).to_owned(), redactor.header(name, value)))
        })
        .collect()
}

fn write_line(file: &mut File, value: &impl serde::Serialize) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    file.write_all(&line)
}

fn millis(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_millis()).unwrap_or_default()
}

fn failure(kind: TransportErrorKind) -> &'static str {
    match kind {
        TransportErrorKind::Name => "name",
        TransportErrorKind::Route => "route",
        TransportErrorKind::Proxy => "proxy",
        TransportErrorKind::Connect => "connect",
        TransportErrorKind::Tls => "tls",
        TransportErrorKind::Timeout => "timeout",
        TransportErrorKind::Reset => "reset",
        TransportErrorKind::Body => "body",
    }
}

/// The cloud whose Graph and activity API these are.
fn cloud_of(profile: &Profile) -> &'static str {
    use retake_tenant::Endpoints;
    [
        ("worldwide", Endpoints::worldwide()),
        ("gcc", Endpoints::gcc()),
        ("gcc-high", Endpoints::gcc_high()),
        ("dod", Endpoints::dod()),
        ("china", Endpoints::china()),
    ]
    .into_iter()
    .find(|(_, cloud)| {
        [Service::Graph, Service::Exchange, Service::Activity]
            .into_iter()
            .all(|service| cloud.base(service) == profile.endpoints.base(service))
    })
    .map_or("custom", |(name, _)| name)
}
