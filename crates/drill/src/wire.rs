//! Between client and lab without sockets: HTTP in virtual time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use retake_lab::{Call, Fault, FaultKind, Lab, Reply};
use retake_tenant::edge::{
    BoxFuture, Clock, Entropy, Transport, TransportError, TransportErrorKind,
};
use sha2::{Digest, Sha256};

use crate::virtual_time::VirtualTime;

/// The lab, shared by the transport, the people and whoever watches.
pub type SharedLab = Arc<Mutex<Lab>>;

/// The lab for the time of one call. A panic elsewhere does not make its state
/// any less readable.
pub fn lock(lab: &SharedLab) -> MutexGuard<'_, Lab> {
    lab.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Carries requests to the lab: each takes the scenario's latency in virtual
/// time, and is handled at the end of it. Clones share lab, clock and rounds.
#[derive(Clone)]
pub struct LabTransport {
    lab: SharedLab,
    time: VirtualTime,
    latency: Duration,
    rounds: RoundCounter,
}

impl LabTransport {
    /// A wire between a client and this lab.
    pub fn new(lab: SharedLab, time: VirtualTime) -> Self {
        let latency = lock(&lab).latency();
        Self {
            lab,
            time,
            latency,
            rounds: RoundCounter::default(),
        }
    }
}

impl std::fmt::Debug for LabTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LabTransport")
            .field("latency", &self.latency)
            .finish_non_exhaustive()
    }
}

impl LabTransport {
    /// Orders a fault of the lab for requests to come.
    pub fn inject(&self, fault: Fault) {
        lock(&self.lab).inject(fault);
    }

    /// The same as [`Transport::send`], with a fault for this very request.
    pub async fn send_with(
        &self,
        request: Request<Bytes>,
        fault: Option<FaultKind>,
    ) -> Result<Response<Bytes>, TransportError> {
        let round = self.rounds.issue();
        self.time.sleep(self.latency).await;
        let call = Call { request, round };
        let reply = match fault {
            None => lock(&self.lab).handle(call, self.time.now()),
            Some(fault) => lock(&self.lab).handle_with(call, fault, self.time.now()),
        };
        match reply {
            Reply::Answer { response, after } => {
                if !after.is_zero() {
                    self.time.sleep(after).await;
                }
                self.rounds.complete(round);
                Ok(response)
            }
            Reply::Hang => std::future::pending().await,
            Reply::Reset => {
                self.rounds.complete(round);
                Err(TransportError::new(
                    TransportErrorKind::Reset,
                    "the connection was cut before an answer came",
                ))
            }
        }
    }
}

impl Transport for LabTransport {
    /// An answer that hangs stays pending for ever: the client's own deadline
    /// drops it. A cut connection is [`TransportErrorKind::Reset`].
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(self.send_with(request, None))
    }
}

/// Numbers the sequential rounds of requests.
///
/// A request's round is one more than the highest round that had been completed
/// when it was sent: requests side by side share a round, a request that needed
/// an earlier answer is a round later. A request that never ends holds nobody up.
#[derive(Clone, Debug, Default)]
pub struct RoundCounter {
    completed: Arc<Mutex<u32>>,
}

impl RoundCounter {
    /// The round of a request that is sent now.
    pub fn issue(&self) -> u32 {
        self.lock().saturating_add(1)
    }

    /// A request of this round has its answer.
    pub fn complete(&self, round: u32) {
        let mut completed = self.lock();
        *completed = (*completed).max(round);
    }

    fn lock(&self) -> MutexGuard<'_, u32> {
        self.completed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes that are the same in every run of a seed: a SHA-256 over seed and counter.
/// Good for drills alone; outside, the operating system's entropy is used.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    counter: Mutex<u64>,
}

impl SeededEntropy {
    /// The bytes of this seed, from their beginning.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            counter: Mutex::new(0),
        }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let mut counter = self.counter.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in bytes.chunks_mut(32) {
            let mut hash = Sha256::new();
            hash.update(b"retake drill entropy");
            hash.update(self.seed.to_be_bytes());
            hash.update(counter.to_be_bytes());
            let block: [u8; 32] = hash.finalize().into();
            chunk.copy_from_slice(block.get(..chunk.len()).unwrap_or(&[]));
            *counter += 1;
        }
    }
}

/// One request with its answer, as it passed a [`Recorder`].
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What was sent.
    pub request: Request<Bytes>,
    /// What came back; nothing when the answer was cut or never came.
    pub response: Option<Response<Bytes>>,
}

/// A transport that writes down what passes it, in the order of the answers.
#[derive(Clone, Debug)]
pub struct Recorder<T> {
    inner: T,
    exchanges: Arc<Mutex<Vec<Exchange>>>,
}

impl<T> Recorder<T> {
    /// Puts itself before `inner`.
    pub fn before(inner: T) -> Self {
        Self {
            inner,
            exchanges: Arc::default(),
        }
    }

    /// What has passed so far.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl<T: Transport> Transport for Recorder<T> {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let answer = self.inner.send(request.clone()).await;
            let response = answer.as_ref().ok().cloned();
            self.exchanges
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(Exchange { request, response });
            answer
        })
    }
}
