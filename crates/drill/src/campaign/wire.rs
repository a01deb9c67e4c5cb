//! A wire that spoils chosen answers, and remembers what passed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use retake_lab::{Fault, FaultKind};
use retake_tenant::edge::{BoxFuture, Transport, TransportError};

use super::calls::Called;
use crate::wire::LabTransport;

/// Which requests meet which fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Aim {
    /// The call.
    pub called: Called,
    /// What happens to it.
    pub kind: FaultKind,
    /// The first of its requests that meets the fault, counted from 1.
    pub from: u32,
    /// How many meet it; all from then on where nothing is said.
    pub times: Option<u32>,
}

impl Aim {
    fn hits(&self, called: &Called, number: u32) -> bool {
        *called == self.called
            && number >= self.from
            && self.times.is_none_or(|times| number - self.from < times)
    }
}

/// One request that passed.
#[derive(Clone, Debug)]
pub struct Passed {
    /// What was called; nothing for a request that the client's table does not know.
    pub called: Option<Called>,
    /// Whether the answer was a list, which may come in pages.
    pub list: bool,
}

/// The wire between client and lab, with one fault on it.
#[derive(Clone, Debug)]
pub struct FaultyWire {
    inner: LabTransport,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug)]
struct Shared {
    aim: Option<Aim>,
    passed: Vec<Passed>,
    played: u32,
}

impl FaultyWire {
    /// A fault on this wire, or none.
    pub fn new(inner: LabTransport, aim: Option<Aim>) -> Self {
        Self {
            inner,
            shared: Arc::new(Mutex::new(Shared {
                aim,
                passed: Vec::new(),
                played: 0,
            })),
        }
    }

    /// From now on nothing is spoilt.
    pub fn heal(&self) {
        self.lock().aim = None;
    }

    /// How many requests met the fault.
    pub fn played(&self) -> u32 {
        self.lock().played
    }

    /// What passed so far, in the order in which it was sent.
    pub fn passed(&self) -> Vec<Passed> {
        self.lock().passed.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what is inside a batch, and orders the fault that one of those meets; the
    /// lab plays it there.
    fn note_inside(&self, request: &Request<Bytes>) {
        for (called, path) in Called::inside(request) {
            let mut shared = self.lock();
            if let Some(kind) = shared.pass(Some(called)).1 {
                let fault = Fault::on_path(path, kind).times(1).inside_batches();
                self.inner.inject(fault);
            }
        }
    }

    /// Notes the request; its place in the notes, and the fault that it meets.
    fn note(&self, request: &Request<Bytes>) -> (usize, Option<FaultKind>) {
        self.lock().pass(Called::of(request))
    }
}

impl Shared {
    fn pass(&mut self, called: Option<Called>) -> (usize, Option<FaultKind>) {
        let before = self
            .passed
            .iter()
            .filter(|passed| passed.called.is_some() && passed.called == called)
            .count();
        let number = u32::try_from(before).unwrap_or(u32::MAX - 1) + 1;
        let kind = self
            .aim
            .as_ref()
            .zip(called.as_ref())
            .filter(|(aim, called)| aim.hits(called, number))
            .map(|(aim, _)| aim.kind);
        self.played += u32::from(kind.is_some());
        self.passed.push(Passed {
            called,
            list: false,
        });
        (self.passed.len() - 1, kind)
    }
}

impl Transport for FaultyWire {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let (place, kind) = self.note(&request);
        self.note_inside(&request);
        Box::pin(async move {
            let answer = self.inner.send_with(request, kind).await;
            if let Ok(response) = &answer
                && let Some(passed) = self.lock().passed.get_mut(place)
            {
                passed.list = is_list(response.body());
            }
            answer
        })
    }
}

fn is_list(body: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(body)
        .is_ok_and(|body| body.get("value").is_some_and(serde_json::Value::is_array))
}
