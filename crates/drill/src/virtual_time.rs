//! Time that jumps: a clock and the executor that moves it.
//!
//! [`VirtualTime::block_on`] polls one future on the calling thread. When nothing
//! in it is ready, the clock jumps to the earliest moment for which somebody
//! sleeps, and that sleeper alone is woken; sleepers of the same moment wake in the
//! order in which they began to sleep. Nothing else decides an order, so a run is
//! the same every time. 72 hours of watch take as long as their requests.

use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use retake_tenant::edge::{BoxFuture, Clock};

/// A clock that stands still except when [`block_on`](Self::block_on) or
/// [`advance_to`](Self::advance_to) moves it. Clones show the same time.
#[derive(Clone, Debug)]
pub struct VirtualTime {
    timers: Arc<Mutex<Timers>>,
}

/// The future waits for something that no passing of time brings about.
#[derive(Debug, thiserror::Error)]
#[error(
    "nothing can happen any more: at {at} a future is pending and nobody sleeps (an answer that never comes, without a deadline?)"
)]
pub struct Deadlock {
    /// When it was found.
    pub at: Timestamp,
}

impl VirtualTime {
    /// A clock that shows `start`.
    pub fn starting_at(start: Timestamp) -> Self {
        Self {
            timers: Arc::new(Mutex::new(Timers {
                now: start,
                ordinal: 0,
                sleepers: BTreeMap::new(),
            })),
        }
    }

    /// Moves the clock forward without waking anybody; never backward.
    pub fn advance_to(&self, to: Timestamp) {
        let mut timers = self.lock();
        timers.now = timers.now.max(to);
    }

    /// Runs `future` to its end. Not to be nested: the inner call would jump over
    /// what the outer one sleeps for.
    ///
    /// Fails when the future is pending, was not woken and nobody sleeps.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> Result<T, Deadlock> {
        let mut future = pin!(future);
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        loop {
            while woken.0.swap(false, Ordering::AcqRel) {
                if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                    return Ok(value);
                }
            }
            if let Some(sleeper) = self.lock().jump() {
                sleeper.wake();
            } else {
                return Err(Deadlock { at: self.now() });
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Timers> {
        // The state is whole after every statement that holds the lock.
        self.timers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for VirtualTime {
    fn now(&self) -> Timestamp {
        self.lock().now
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        let until = SignedDuration::try_from(duration)
            .ok()
            .and_then(|duration| self.now().checked_add(duration).ok())
            .unwrap_or(Timestamp::MAX);
        Box::pin(Sleep {
            time: self,
            until,
            key: None,
        })
    }
}

#[derive(Debug)]
struct Timers {
    now: Timestamp,
    ordinal: u64,
    sleepers: BTreeMap<(Timestamp, u64), Waker>,
}

impl Timers {
    /// Moves to the earliest sleeper and takes it out.
    fn jump(&mut self) -> Option<Waker> {
        let ((until, _), waker) = self.sleepers.pop_first()?;
        self.now = self.now.max(until);
        Some(waker)
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

struct Sleep<'a> {
    time: &'a VirtualTime,
    until: Timestamp,
    key: Option<(Timestamp, u64)>,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut timers = self.time.lock();
        if timers.now >= self.until {
            return Poll::Ready(());
        }
        // Whoever is polled again in between keeps the place in the order.
        let key = self.key.unwrap_or_else(|| {
            timers.ordinal += 1;
            (self.until, timers.ordinal)
        });
        timers.sleepers.insert(key, context.waker().clone());
        drop(timers);
        self.key = Some(key);
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.time.lock().sleepers.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Mutex;

    use futures_util::future::{Either, join_all, select};

    use super::*;

    fn start() -> Timestamp {
        "2026-03-02T09:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_long_wait_takes_no_time_and_the_clock_shows_it() {
        let time = VirtualTime::starting_at(start());
        time.block_on(time.sleep(Duration::from_hours(72))).unwrap();
        assert_eq!(time.now().duration_since(start()).as_hours(), 72);
    }

    #[test]
    fn sleepers_wake_by_time_and_then_in_the_order_in_which_they_lay_down() {
        let time = VirtualTime::starting_at(start());
        let seen = Mutex::new(Vec::new());
        let nap = |name: &'static str, seconds: u64| {
            let (time, seen) = (&time, &seen);
            async move {
                time.sleep(Duration::from_secs(seconds)).await;
                seen.lock().unwrap().push(name);
            }
        };
        time.block_on(join_all([
            nap("c", 5),
            nap("a", 1),
            nap("d", 5),
            nap("b", 2),
            nap("e", 5),
        ]))
        .unwrap();
        assert_eq!(*seen.lock().unwrap(), ["a", "b", "c", "d", "e"]);
    }

    #[test]
    fn an_answer_that_never_comes_is_ended_by_its_deadline_at_the_deadline() {
        let time = VirtualTime::starting_at(start());
        let never = std::future::pending::<()>();
        let outcome = time
            .block_on(select(Box::pin(never), time.sleep(Duration::from_secs(2))))
            .unwrap();
        assert!(matches!(outcome, Either::Right(_)));
        assert_eq!(time.now().duration_since(start()).as_secs(), 2);
    }

    #[test]
    fn a_sleeper_that_is_dropped_does_not_move_the_clock() {
        let time = VirtualTime::starting_at(start());
        time.block_on(async {
            let long = time.sleep(Duration::from_hours(1));
            let short = time.sleep(Duration::from_secs(1));
            drop(select(long, short).await);
            time.sleep(Duration::from_secs(1)).await;
        })
        .unwrap();
        assert_eq!(time.now().duration_since(start()).as_secs(), 2);
    }

    #[test]
    fn waiting_for_nothing_is_an_error_and_not_a_hang() {
        let time = VirtualTime::starting_at(start());
        let error = time.block_on(std::future::pending::<()>()).unwrap_err();
        assert_eq!(error.at, start());
        assert!(error.to_string().contains("2026-03-02T09:00:00Z"));
    }
}
