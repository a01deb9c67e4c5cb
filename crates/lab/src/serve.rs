//! The lab over TLS, for foreign clients and for tests with two processes; its
//! clock and people are driven over a control port apart from the tenant's.
//!
//! The shell adds sockets and a clock to [`Lab`] and nothing else.

mod control;
mod tls;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::core::{Call, Lab, Reply};
use crate::trace::TraceLine;

/// How the clock runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockMode {
    /// With real time, from the alert on.
    #[default]
    Live,
    /// It stands still; each request moves it by the latency, the control port
    /// by as much as it is told.
    Stepped,
}

/// What a test wants done with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Answer it.
    Handle,
    /// Cut the connection; the tenant never saw it.
    DropBefore,
    /// Let the tenant do it, then cut the connection before the answer.
    DropAfter,
}

/// Decides about each request; the number counts requests from 0.
pub type OnRequest = Box<dyn FnMut(&Request<Bytes>, usize) -> Decision + Send>;

/// Told of each new line of the trace, in order.
pub type OnLine = Box<dyn FnMut(&TraceLine) + Send>;

/// How to serve.
#[derive(Default)]
pub struct Options {
    /// Address of the tenant; `127.0.0.1:0` when absent.
    pub listen: Option<SocketAddr>,
    /// Address of the control port; `127.0.0.1:0` when absent.
    pub control: Option<SocketAddr>,
    /// How the clock runs.
    pub clock: ClockMode,
    /// A test's hand in it.
    pub on_request: Option<OnRequest>,
    /// Somebody who watches.
    pub on_line: Option<OnLine>,
}

/// Why the lab cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A socket or a thread could not be had.
    #[error("the lab cannot listen: {0}")]
    Io(#[from] std::io::Error),
    /// The certificate could not be made.
    #[error("the lab's certificate could not be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library refused the certificate.
    #[error("the lab's certificate was refused: {0}")]
    Tls(#[from] rustls::Error),
}

/// A lab that is being served, until it is dropped or shut down.
pub struct Server {
    addr: SocketAddr,
    control_addr: SocketAddr,
    ca_pem: String,
    shared: Shared,
    stop: watch::Sender<bool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    /// Serves a lab on threads of its own.
    pub fn start(lab: Lab, options: Options) -> Result<Self, ServeError> {
        let identity = tls::Identity::generate()?;
        let acceptor = identity.acceptor()?;
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let tenant = std::net::TcpListener::bind(options.listen.unwrap_or(any))?;
        let control = std::net::TcpListener::bind(options.control.unwrap_or(any))?;
        tenant.set_nonblocking(true)?;
        control.set_nonblocking(true)?;
        let (addr, control_addr) = (tenant.local_addr()?, control.local_addr()?);
        let clock = Clock::new(options.clock, lab.start());
        let shared = Shared(Arc::new(Mutex::new(State {
            lab,
            clock,
            on_request: options.on_request,
            on_line: options.on_line,
            told: 0,
            seen: 0,
            hanging: 0,
        })));
        let (stop, stopped) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("lab")
            .enable_io()
            .enable_time()
            .build()?;
        let for_thread = shared.clone();
        let thread = std::thread::Builder::new()
            .name(String::from("lab"))
            .spawn(move || {
                runtime.block_on(run(tenant, control, acceptor, for_thread, stopped));
                // Requests that hang on purpose must not hold the end up.
                runtime.shutdown_background();
            })?;
        Ok(Self {
            addr,
            control_addr,
            ca_pem: identity.ca_pem().to_owned(),
            shared,
            stop,
            thread: Some(thread),
        })
    }

    /// Where the tenant listens; clients use `https://localhost:PORT`.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where the control port listens: one JSON object a line.
    pub fn control_addr(&self) -> SocketAddr {
        self.control_addr
    }

    /// The certificate of the authority that clients must trust, in PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Does something with the lab at the time of its clock.
    pub fn with<T>(&self, act: impl FnOnce(&mut Lab, Timestamp) -> T) -> T {
        let mut state = self.shared.lock();
        let now = state.clock.now();
        let done = act(&mut state.lab, now);
        state.tell();
        done
    }

    /// Moves the clock on, and lets happen what is due.
    pub fn advance(&self, by: Duration) -> Timestamp {
        self.shared.advance(by)
    }

    /// Freezes the clock or lets it go on.
    pub fn hold(&self, on: bool) {
        self.shared.lock().clock.hold(on);
    }

    /// Stops serving and waits for the end.
    pub fn shutdown(mut self) {
        self.end();
    }

    /// Serves until the process ends.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported by itself.
            let _ = thread.join();
        }
    }

    fn end(&mut self) {
        // Nobody listening any more is what is wanted.
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// The lab's clock.
#[derive(Debug)]
struct Clock {
    mode: ClockMode,
    base: Timestamp,
    since: Instant,
    held: bool,
}

impl Clock {
    fn new(mode: ClockMode, base: Timestamp) -> Self {
        Self {
            mode,
            base,
            since: Instant::now(),
            held: false,
        }
    }

    fn now(&self) -> Timestamp {
        if self.held || self.mode == ClockMode::Stepped {
            return self.base;
        }
        plus(self.base, self.since.elapsed())
    }

    fn advance(&mut self, by: Duration) {
        self.base = plus(self.base, by);
    }

    fn hold(&mut self, on: bool) {
        self.base = self.now();
        self.since = Instant::now();
        self.held = on;
    }
}

fn plus(at: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by)
        .ok()
        .and_then(|by| at.checked_add(by).ok())
        .unwrap_or(at)
}

struct State {
    lab: Lab,
    clock: Clock,
    on_request: Option<OnRequest>,
    on_line: Option<OnLine>,
    /// Lines of the trace that the watcher was told.
    told: usize,
    /// Requests seen.
    seen: usize,
    /// Requests that get no answer and whose client still waits for one.
    hanging: usize,
}

impl State {
    fn tell(&mut self) {
        if let Some(watcher) = &mut self.on_line {
            for line in self.lab.trace().iter().skip(self.told) {
                watcher(line);
            }
            self.told = self.lab.trace().len();
        }
    }
}

#[derive(Clone)]
struct Shared(Arc<Mutex<State>>);

/// What the shell does with a request.
enum Fate {
    Answer(Response<Bytes>, Duration),
    Hang,
    Cut,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere is a failed test already; the state is still whole,
        // as the lab's own calls do not panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn advance(&self, by: Duration) -> Timestamp {
        let mut state = self.lock();
        state.clock.advance(by);
        let now = state.clock.now();
        state.lab.advance(now);
        state.tell();
        now
    }

    fn handle(&self, request: Request<Bytes>, round: u32) -> Fate {
        let mut state = self.lock();
        let ordinal = state.seen;
        state.seen += 1;
        let decision = match &mut state.on_request {
            Some(decide) => decide(&request, ordinal),
            None => Decision::Handle,
        };
        if decision == Decision::DropBefore {
            return Fate::Cut;
        }
        let latency = state.lab.latency();
        if state.clock.mode == ClockMode::Stepped && !state.clock.held {
            state.clock.advance(latency);
        }
        let now = state.clock.now();
        let reply = state.lab.handle(Call { request, round }, now);
        state.tell();
        if decision == Decision::DropAfter {
            return Fate::Cut;
        }
        match reply {
            Reply::Answer { response, after } => {
                let wait = match state.clock.mode {
                    ClockMode::Live => latency + after,
                    ClockMode::Stepped => {
                        state.clock.advance(after);
                        Duration::ZERO
                    }
                };
                Fate::Answer(response, wait)
            }
            Reply::Hang => Fate::Hang,
            Reply::Reset => Fate::Cut,
        }
    }
}

async fn run(
    tenant: std::net::TcpListener,
    control: std::net::TcpListener,
    acceptor: TlsAcceptor,
    shared: Shared,
    mut stopped: watch::Receiver<bool>,
) {
    let (Ok(tenant), Ok(control)) = (
        TcpListener::from_std(tenant),
        TcpListener::from_std(control),
    ) else {
        return;
    };
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            accepted = tenant.accept() => {
                if let Ok((stream, _)) = accepted {
                    tokio::spawn(serve_one(stream, acceptor.clone(), shared.clone()));
                }
            }
            accepted = control.accept() => {
                if let Ok((stream, _)) = accepted {
                    tokio::spawn(control::serve(stream, shared.clone()));
                }
            }
        }
    }
}

/// One request without an answer, until its client gives it up.
struct Hanging(Shared);

impl Hanging {
    fn new(shared: Shared) -> Self {
        shared.lock().hanging += 1;
        Self(shared)
    }
}

impl Drop for Hanging {
    fn drop(&mut self) {
        self.0.lock().hanging -= 1;
    }
}

async fn serve_one(stream: TcpStream, acceptor: TlsAcceptor, shared: Shared) {
    // Answers are small, and whoever waits for one has nothing else to say.
    let _ = stream.set_nodelay(true);
    // A client that does not trust the authority ends here; that is its right.
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let service = service_fn(move |request| answer(request, shared.clone()));
    // A cut connection is reported as an error, and is what was ordered.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// The error with which hyper cuts a connection.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut on purpose")]
struct CutOnPurpose;

async fn answer(
    request: Request<Incoming>,
    shared: Shared,
) -> Result<Response<Full<Bytes>>, CutOnPurpose> {
    let (mut parts, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        return Err(CutOnPurpose);
    };
    // The core reads the host from the URI, as in process.
    let host = parts
        .headers
        .get(http::header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("localhost");
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    if let Ok(uri) = format!("https://{host}{path}").parse() {
        parts.uri = uri;
    }
    // The drill's rounds, where a client sends them.
    let round = parts
        .headers
        .get("x-lab-round")
        .and_then(|round| round.to_str().ok())
        .and_then(|round| round.parse().ok())
        .unwrap_or(0);
    let request = Request::from_parts(parts, body.to_bytes());
    match shared.handle(request, round) {
        Fate::Answer(response, wait) => {
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            Ok(response.map(Full::new))
        }
        Fate::Cut => Err(CutOnPurpose),
        Fate::Hang => {
            let _hanging = Hanging::new(shared);
            let never: Infallible = std::future::pending().await;
            match never {}
        }
    }
}
