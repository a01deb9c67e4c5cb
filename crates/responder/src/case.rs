//! The case in the hand: its journal, its state, and whoever watches.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use retake_casefile::{CaseId, Lease, Record, Store};
use retake_playbook::{Digest, Event, State};
use retake_tenant::edge::Clock;

use crate::error::ResponderError;

/// Sees every event as it is written. It cannot change anything.
pub trait Watcher: Send + Sync {
    /// An event was written, and this is the state after it.
    fn event(&self, at: Timestamp, event: &Event, state: &State);
    /// Something worth saying that changes nothing.
    fn note(&self, at: Timestamp, text: &str);
}

/// One case, held under its lease.
pub(crate) struct Case<'a> {
    store: &'a Store,
    id: CaseId,
    clock: &'a dyn Clock,
    watcher: &'a dyn Watcher,
    inner: Mutex<Inner>,
    // Held for as long as the case is in the hand.
    _lease: Lease,
}

struct Inner {
    seq: u64,
    state: State,
}

impl<'a> Case<'a> {
    /// Takes the case up: claims it and folds its journal.
    pub(crate) fn take(
        store: &'a Store,
        id: CaseId,
        owner: &str,
        clock: &'a dyn Clock,
        watcher: &'a dyn Watcher,
    ) -> Result<Self, ResponderError> {
        let lease = store.lease(&id, owner)?;
        let records = store.records(&id)?;
        let inner = Inner {
            seq: records.last().map_or(0, |record| record.seq),
            state: State::fold(records.iter().map(|record| (record.at, &record.event))),
        };
        Ok(Self {
            store,
            id,
            clock,
            watcher,
            inner: Mutex::new(inner),
            _lease: lease,
        })
    }

    pub(crate) fn id(&self) -> &CaseId {
        &self.id
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Writes an event; it is durable when this returns.
    pub(crate) fn append(&self, event: Event) -> Result<Record, ResponderError> {
        let at = self.clock.now();
        let mut inner = self.inner();
        let record = self.store.append(&self.id, inner.seq, at, &event)?;
        inner.seq = record.seq;
        inner.state.apply(record.at, &record.event);
        self.watcher.event(record.at, &record.event, &inner.state);
        Ok(record)
    }

    pub(crate) fn keep(&self, bytes: &[u8]) -> Result<Digest, ResponderError> {
        Ok(self.store.keep(&self.id, bytes)?)
    }

    /// Evidence that was kept, if it is there and whole.
    pub(crate) fn evidence(&self, digest: &Digest) -> Option<Vec<u8>> {
        self.store.evidence(&self.id, digest).ok().flatten()
    }

    /// Whether the journal names this evidence.
    pub(crate) fn knows(&self, digest: &Digest) -> bool {
        self.inner().state.evidence.contains_key(digest)
    }

    pub(crate) fn note(&self, text: &str) {
        self.watcher.note(self.clock.now(), text);
    }

    /// The state as it is now.
    pub(crate) fn state(&self) -> State {
        self.inner().state.clone()
    }

    /// Looks at the state without copying it.
    pub(crate) fn with_state<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.inner().state)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic while the lock is held leaves the state as the journal has it:
        // it is changed only after the record is written.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
