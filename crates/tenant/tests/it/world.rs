//! The world around the client: services that answer by script, and a clock
//! that jumps to the next moment at which something happens.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use retake_tenant::edge::{BoxFuture, Clock, Means, Transport, TransportError, TransportErrorKind};
use retake_tenant::{Credential, Endpoints, Profile, Tenant};
use serde_json::{Value, json};

pub(crate) const TENANT: &str = "6f0c1b1e-52a7-4a0e-9d4b-0d2f7a3c9e11";
pub(crate) const CLIENT: &str = "2c1a1b36-3b0c-4a6e-9c55-f9b8a7f0c001";
pub(crate) const USER: &str = "0b6d2f0e-6d0f-4c53-8f3e-1f9f0a3c7d21";
pub(crate) const UPN: &str = "ida@tarn.example";
pub(crate) const SECRET: &str = "c1ient~secret.value-9XyZ";

/// The moment at which every story begins.
pub(crate) fn start() -> Timestamp {
    "2026-03-02T08:00:00Z".parse().unwrap()
}

/// A clock that stands still until nothing else can happen.
#[derive(Clone)]
pub(crate) struct VirtualClock(Arc<Mutex<Times>>);

struct Times {
    now: Timestamp,
    sleepers: Vec<(Timestamp, Waker)>,
}

impl VirtualClock {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Times {
            now: start(),
            sleepers: Vec::new(),
        })))
    }

    pub(crate) fn since_start(&self) -> Duration {
        self.now().duration_since(start()).try_into().unwrap()
    }

    pub(crate) fn advance(&self, by: Duration) {
        let mut times = self.0.lock().unwrap();
        times.now += SignedDuration::try_from(by).unwrap();
    }

    /// Moves to the next sleeper's moment; false if nobody sleeps.
    fn jump(&self) -> bool {
        let mut times = self.0.lock().unwrap();
        let Some(next) = times.sleepers.iter().map(|(at, _)| *at).min() else {
            return false;
        };
        times.now = times.now.max(next);
        let now = times.now;
        let (due, rest) = std::mem::take(&mut times.sleepers)
            .into_iter()
            .partition(|(at, _)| *at <= now);
        times.sleepers = rest;
        drop(times);
        for (_, waker) in due {
            waker.wake();
        }
        true
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap().now
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        let until = self.now() + SignedDuration::try_from(duration).unwrap();
        Box::pin(std::future::poll_fn(move |context| {
            let mut times = self.0.lock().unwrap();
            if times.now >= until {
                return Poll::Ready(());
            }
            times.sleepers.push((until, context.waker().clone()));
            Poll::Pending
        }))
    }
}

/// What a service does with the next request.
pub(crate) enum Step {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Bytes,
    },
    /// Never answers.
    Hang,
    Fail(TransportErrorKind),
}

/// An answer with a JSON body.
pub(crate) fn json_answer(status: u16, body: &Value) -> Step {
    Step::Answer {
        status,
        headers: vec![("content-type", "application/json".into())],
        body: body.to_string().into(),
    }
}

/// An answer without a body.
pub(crate) fn empty(status: u16) -> Step {
    raw(status, b"")
}

/// An answer with exactly these bytes.
pub(crate) fn raw(status: u16, body: &'static [u8]) -> Step {
    Step::Answer {
        status,
        headers: Vec::new(),
        body: Bytes::from_static(body),
    }
}

/// A Graph refusal.
pub(crate) fn refusal(status: u16, code: &str, message: &str) -> Step {
    json_answer(
        status,
        &json!({"error": {"code": code, "message": message,
            "innerError": {"date": "2026-03-02T08:00:00", "request-id": "r-1", "client-request-id": "c-1"}}}),
    )
}

impl Step {
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.to_owned()));
        }
        self
    }
}

/// A request as the services saw it.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) at: Duration,
    pub(crate) method: String,
    pub(crate) host: String,
    pub(crate) url: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A field of a form that was sent.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.body.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Tokens are given out by themselves unless the story scripts them; all else is scripted.
pub(crate) struct Services {
    clock: VirtualClock,
    steps: Mutex<VecDeque<Step>>,
    token_steps: Mutex<VecDeque<Step>>,
    tokens: Mutex<u32>,
    seen: Mutex<Vec<Seen>>,
}

impl Services {
    /// Everything but token requests.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.all(|seen| !seen.url.contains("/oauth2/"))
    }

    pub(crate) fn token_requests(&self) -> Vec<Seen> {
        self.all(|seen| seen.url.contains("/oauth2/"))
    }

    fn all(&self, which: impl Fn(&Seen) -> bool) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|seen| which(seen)).cloned().collect()
    }

    fn step(&self, token: bool) -> Step {
        if token {
            return self
                .token_steps
                .lock()
                .unwrap()
                .pop_front()
                .unwrap_or_else(|| {
                    let mut tokens = self.tokens.lock().unwrap();
                    *tokens += 1;
                    let number = *tokens;
                    json_answer(
                        200,
                        &json!({"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599,
                            "access_token": format!("access-token-{number}")}),
                    )
                });
        }
        self.steps
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or_else(|| panic!("the client asked for more than the story has"))
    }
}

impl Transport for Services {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let url = parts.uri.path_and_query().unwrap().to_string();
            self.seen.lock().unwrap().push(Seen {
                at: self.clock.since_start(),
                method: parts.method.to_string(),
                host: parts.uri.authority().unwrap().to_string(),
                headers: parts.headers,
                body: String::from_utf8(body.to_vec()).unwrap(),
                url: url.clone(),
            });
            let step = self.step(url.contains("/oauth2/"));
            self.clock.sleep(Duration::from_millis(150)).await;
            match step {
                Step::Answer {
                    status,
                    headers,
                    body,
                } => {
                    let mut answer = http::Response::builder().status(status);
                    for (name, value) in headers {
                        answer = answer.header(name, value);
                    }
                    Ok(answer.body(body).unwrap())
                }
                Step::Hang => std::future::pending().await,
                Step::Fail(kind) => Err(TransportError::new(kind, "scripted")),
            }
        })
    }
}

/// A profile of the worldwide cloud.
pub(crate) fn profile(credential: Credential) -> Profile {
    Profile {
        name: "tarn".into(),
        tenant_id: TENANT.into(),
        home_tenant_id: None,
        endpoints: Endpoints::worldwide(),
        client_id: CLIENT.into(),
        credential,
        ca_pem: None,
    }
}

/// A client, its services and its clock.
pub(crate) struct World {
    pub(crate) services: Arc<Services>,
    pub(crate) clock: VirtualClock,
    pub(crate) tenant: Tenant,
}

impl World {
    /// A client with a client secret; the services answer with these steps in order.
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self::with(
            Credential::ClientSecret(SECRET.to_owned().into()),
            steps,
            [],
        )
    }

    pub(crate) fn with(
        credential: Credential,
        steps: impl IntoIterator<Item = Step>,
        token_steps: impl IntoIterator<Item = Step>,
    ) -> Self {
        Self::build(
            profile(credential),
            |_| Means::default(),
            steps,
            token_steps,
        )
    }

    /// A client with this profile and what `means` makes of the services.
    pub(crate) fn build(
        profile: Profile,
        means: impl FnOnce(Arc<dyn Transport>) -> Means,
        steps: impl IntoIterator<Item = Step>,
        token_steps: impl IntoIterator<Item = Step>,
    ) -> Self {
        let clock = VirtualClock::new();
        let services = Arc::new(Services {
            clock: clock.clone(),
            steps: Mutex::new(steps.into_iter().collect()),
            token_steps: Mutex::new(token_steps.into_iter().collect()),
            tokens: Mutex::new(0),
            seen: Mutex::default(),
        });
        let transport = Arc::clone(&services) as Arc<dyn Transport>;
        let means = means(Arc::clone(&transport));
        let tenant = Tenant::with_means(profile, transport, Arc::new(clock.clone()), means);
        Self {
            services,
            clock,
            tenant,
        }
    }

    /// Runs a future to its end in virtual time.
    pub(crate) fn run<T>(&self, future: impl Future<Output = T> + Send) -> T {
        struct Flag(AtomicBool);
        impl Wake for Flag {
            fn wake(self: Arc<Self>) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let mut future = pin!(future);
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&flag));
        let mut context = Context::from_waker(&waker);
        loop {
            while flag.0.swap(false, Ordering::SeqCst) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                    return output;
                }
            }
            assert!(self.clock.jump(), "nothing can ever happen again");
        }
    }

    /// Nothing of the script is left over.
    pub(crate) fn assert_told(&self) {
        assert!(self.services.steps.lock().unwrap().is_empty(), "steps left");
        let left = self.services.token_steps.lock().unwrap().len();
        assert_eq!(left, 0, "token steps left");
    }
}

/// A Graph list.
pub(crate) fn page(items: &Value, next: Option<&str>) -> Step {
    let mut body = json!({"value": items});
    if let Some(next) = next {
        body["@odata.nextLink"] = next.into();
    }
    json_answer(200, &body)
}
