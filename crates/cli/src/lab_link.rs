//! The way to a lab that is being served: how it is reached, and its control
//! port, which only the command line knows.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;
use retake_lab::serve::Server;
use retake_playbook::codes;
use retake_tenant::edge::{BoxFuture, Clock, Transport, TransportError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::home::{Home, write_private};

/// How a lab is reached, as `retake lab serve` writes it down for its owner only.
#[derive(Clone, Serialize, Deserialize)]
pub struct LabAddress {
    /// `https://localhost:PORT`.
    pub base: String,
    /// The authority that signed the lab's certificate, PEM.
    pub ca_pem: String,
    /// The control port.
    pub control: SocketAddr,
    /// The tenant's id.
    pub tenant_id: String,
    /// The responder's app registration.
    pub client_id: String,
    /// Its secret: good for this lab and nothing else. Without one, a person signs
    /// in with a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// Its certificate with the private key, PEM.
    #[serde(default)]
    pub certificate_pem: String,
}

impl LabAddress {
    /// How this server is reached, and what its responder is told.
    pub fn of(server: &Server) -> Self {
        let (tenant_id, client_id, client_secret, certificate_pem) = server.with(|lab, _| {
            let briefing = lab.briefing();
            (
                briefing.tenant_id.clone(),
                briefing.client_id.clone(),
                Some(briefing.client_secret.clone()),
                briefing.certificate_pem.clone(),
            )
        });
        Self {
            base: format!("https://localhost:{}", server.addr().port()),
            ca_pem: server.ca_pem().to_owned(),
            control: server.control_addr(),
            tenant_id,
            client_id,
            client_secret,
            certificate_pem,
        }
    }

    /// Writes it where `--tenant lab` looks for it.
    pub fn write(&self, home: &Home) -> Result<(), Failure> {
        let text = serde_json::to_vec_pretty(self).map_err(|error| {
            Failure::new(
                codes::INTERNAL,
                format!("The lab's address cannot be written: {error}."),
                "Please report it.",
            )
        })?;
        write_private(&home.lab(), &text)
    }

    /// The lab that is being served.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|_| {
            Failure::new(
                codes::NO_PROFILE,
                format!("No lab is being served: {} is not there.", path.display()),
                "Run `retake lab serve` in another terminal and leave it open.",
            )
        })?;
        serde_json::from_str(&text).map_err(|error| {
            Failure::new(
                codes::NO_PROFILE,
                format!("{} cannot be read: {error}.", path.display()),
                "End `retake lab serve` and start it again.",
            )
        })
    }
}

/// The control port of a lab: its clock and its people.
pub(crate) struct Control {
    stream: Mutex<BufReader<TcpStream>>,
}

impl Control {
    /// Connects to the lab's control port.
    pub(crate) fn connect(address: SocketAddr) -> Result<Self, Failure> {
        let stream =
            TcpStream::connect_timeout(&address, Duration::from_secs(5)).map_err(|error| {
                Failure::new(
                    codes::NO_PROFILE,
                    format!("The lab at {address} does not answer: {error}."),
                    "It may have been ended. Run `retake lab serve` in another terminal.",
                )
            })?;
        let _ = stream.set_nodelay(true);
        Ok(Self {
            stream: Mutex::new(BufReader::new(stream)),
        })
    }

    /// One operation and its answer. A lab that is gone answers nothing.
    pub(crate) fn call(&self, operation: &Value) -> Option<Value> {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        let mut line = operation.to_string();
        line.push('\n');
        stream.get_mut().write_all(line.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_line(&mut answer).ok()?;
        serde_json::from_str(&answer).ok()
    }
}

/// Who is doing what against the lab just now: its clock jumps only when
/// everybody waits for it.
#[derive(Default)]
pub(crate) struct Pace {
    inner: Mutex<Pacing>,
}

#[derive(Default)]
struct Pacing {
    in_flight: usize,
    sleepers: BTreeSet<(Timestamp, u64)>,
    next: u64,
    /// Counts every beginning and end of a request or a sleep.
    moves: u64,
}

/// What a sleeper finds when it looks.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Quiet {
    moves: u64,
    in_flight: usize,
}

/// How often a sleeper looks. The clock jumps when two looks in a row find the same
/// and no request is under way: whatever else could go on ran between the two.
const LOOK: Duration = Duration::from_millis(1);
/// How long the same requests must be under way before the lab is asked whether it
/// means to leave them without an answer.
const SILENCE: Duration = Duration::from_millis(500);
/// How long a request may be under way before the clock goes on without it,
/// whatever the lab says. A busy machine must not look like a tenant that hangs.
const LOST: Duration = Duration::from_mins(1);

impl Pace {
    fn with<T>(&self, work: impl FnOnce(&mut Pacing) -> T) -> T {
        work(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the first sleeper finds; the others find nothing.
    fn look(&self, sleeper: (Timestamp, u64)) -> Option<Quiet> {
        self.with(|pacing| {
            (pacing.sleepers.first() == Some(&sleeper)).then_some(Quiet {
                moves: pacing.moves,
                in_flight: pacing.in_flight,
            })
        })
    }
}

/// The way to the lab's services. It only counts: what it carries is the
/// client's, unchanged.
pub(crate) struct PacedTransport<T> {
    inner: T,
    pace: Arc<Pace>,
}

impl<T: Transport> PacedTransport<T> {
    /// Counts what goes through `inner`.
    pub(crate) fn new(inner: T, pace: Arc<Pace>) -> Self {
        Self { inner, pace }
    }
}

impl<T: Transport> Transport for PacedTransport<T> {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let flight = Flight::new(&self.pace);
            let answer = self.inner.send(request).await;
            drop(flight);
            answer
        })
    }
}

/// One request under way, also when it is given up.
struct Flight<'a>(&'a Pace);

impl<'a> Flight<'a> {
    fn new(pace: &'a Pace) -> Self {
        pace.with(|pacing| {
            pacing.in_flight += 1;
            pacing.moves += 1;
        });
        Self(pace)
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.0.with(|pacing| {
            pacing.in_flight -= 1;
            pacing.moves += 1;
        });
    }
}

/// The lab's clock. Waiting makes it jump instead of letting a person wait.
pub(crate) struct LabClock {
    control: Arc<Control>,
    pace: Arc<Pace>,
    last: Mutex<Timestamp>,
}

impl LabClock {
    /// The clock behind this control port.
    pub(crate) fn new(control: Arc<Control>, pace: Arc<Pace>) -> Self {
        Self {
            control,
            pace,
            last: Mutex::new(Timestamp::UNIX_EPOCH),
        }
    }

    fn take(&self, answer: Option<&Value>) -> Timestamp {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(now) = answer
            .and_then(|answer| answer.get("now"))
            .and_then(Value::as_str)
            .and_then(|now| now.parse().ok())
        {
            *last = now;
        }
        *last
    }

    /// Whether the lab leaves at least this many requests without an answer.
    fn leaves_hanging(&self, in_flight: usize) -> bool {
        self.control
            .call(&json!({"op": "now"}))
            .and_then(|answer| answer.get("hanging")?.as_u64())
            .is_some_and(|hanging| hanging >= in_flight as u64)
    }

    /// Returns when nobody can do anything before this sleeper wakes.
    async fn until_quiet(&self, sleeper: (Timestamp, u64)) {
        let mut found = None;
        let mut since = Instant::now();
        let mut asked = since;
        loop {
            tokio::time::sleep(LOOK).await;
            let look = self.pace.look(sleeper);
            if look != found {
                found = look;
                since = Instant::now();
                asked = since;
                continue;
            }
            match look {
                Some(Quiet { in_flight: 0, .. }) => return,
                Some(_) if since.elapsed() >= LOST => return,
                Some(Quiet { in_flight, .. }) if asked.elapsed() >= SILENCE => {
                    if self.leaves_hanging(in_flight) {
                        return;
                    }
                    asked = Instant::now();
                }
                // Somebody else is first, or it is too early to tell.
                None | Some(_) => {}
            }
        }
    }
}

impl Clock for LabClock {
    fn now(&self) -> Timestamp {
        self.take(self.control.call(&json!({"op": "now"})).as_ref())
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        let asleep = Asleep::new(self, duration);
        Box::pin(async move {
            // The whole of it: a block that names only its copyable key would leave
            // the sleeper outside, where it would be dropped at once.
            let asleep = asleep;
            self.until_quiet(asleep.0).await;
            let rest = asleep.0.0.duration_since(self.now());
            if rest.is_positive() {
                let jump = json!({"op": "advance", "seconds": rest.as_secs_f64()});
                self.take(self.control.call(&jump).as_ref());
            }
        })
    }
}

/// A sleeper in the queue, also when nobody waits for it any more.
struct Asleep<'a>((Timestamp, u64), &'a Pace);

impl<'a> Asleep<'a> {
    fn new(clock: &'a LabClock, duration: Duration) -> Self {
        let now = clock.now();
        let until = jiff::SignedDuration::try_from(duration)
            .ok()
            .and_then(|duration| now.checked_add(duration).ok())
            .unwrap_or(now);
        let key = clock.pace.with(|pacing| {
            let key = (until, pacing.next);
            pacing.next += 1;
            pacing.moves += 1;
            pacing.sleepers.insert(key);
            key
        });
        Self(key, &clock.pace)
    }
}

impl Drop for Asleep<'_> {
    fn drop(&mut self) {
        self.1.with(|pacing| {
            pacing.sleepers.remove(&self.0);
            pacing.moves += 1;
        });
    }
}
