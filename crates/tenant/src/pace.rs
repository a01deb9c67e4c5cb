//! How fast each service may be asked, and who goes first.
//!
//! Every service counts on its own (reference §10). A [`Pacer`] keeps this client
//! within the documented limits before a service has to say so, and when one does
//! say so, holds back everything else that would count against the same limit:
//! requests made while throttled count on. Block and revoke are never held back.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::call::{CallSpec, Service};
use crate::edge::{Clock, Entropy, SharedWaits};

/// A longer wait than this is no throttling: what was kept is broken, or from
/// another clock.
const LONGEST: SignedDuration = SignedDuration::from_mins(15);

/// Calls that take the account away from the attacker: they go first.
const FIRST: [&str; 2] = ["graph.user.block", "graph.user.revoke"];

/// What requests are counted against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Meter {
    /// Tokens.
    SignIn,
    /// Users, groups, apps, methods, grants.
    Directory,
    /// Sign-ins and directory audits.
    Reports,
    /// Identity protection and conditional access.
    Risk,
    /// Mail, rules and mailbox settings, each mailbox by itself.
    Mailbox,
    /// Searches of the unified audit log.
    AuditSearch,
    /// Message traces.
    MessageTrace,
    /// Exchange's cmdlets.
    Exchange,
    /// The Management Activity API.
    Activity,
}

/// A documented limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// What is counted.
    pub meter: Meter,
    /// Requests at most, with the span in which they are counted; none where no
    /// number is documented.
    pub most: Option<(usize, Duration)>,
    /// Requests at one time at most.
    pub at_once: Option<u32>,
    /// Where that is documented.
    pub source: &'static str,
}

/// Every meter's limit.
pub const LIMITS: [Limit; 9] = [
    Limit {
        meter: Meter::SignIn,
        most: None,
        at_once: None,
        source: "reference §10: none given",
    },
    Limit {
        meter: Meter::Directory,
        // Resource units of the smallest tenants, at the most that one of our reads costs.
        most: Some((700, Duration::from_secs(10))),
        at_once: None,
        source: "reference §10: 3,500 resource units in 10 s, up to 5 each",
    },
    Limit {
        meter: Meter::Reports,
        most: Some((5, Duration::from_secs(10))),
        at_once: None,
        source: "reference §10: 5 in 10 s for each app and tenant",
    },
    Limit {
        meter: Meter::Risk,
        most: Some((1, Duration::from_secs(1))),
        at_once: None,
        source: "reference §10: 1 in 1 s for a tenant, all apps together",
    },
    Limit {
        meter: Meter::Mailbox,
        most: Some((10_000, Duration::from_mins(10))),
        at_once: Some(4),
        source: "reference §10: 10,000 in 10 min and 4 at once for an app and mailbox",
    },
    Limit {
        meter: Meter::AuditSearch,
        most: None,
        at_once: Some(10),
        source: "reference §7.2: 429 from about ten searches at once; no rate is given",
    },
    Limit {
        meter: Meter::MessageTrace,
        most: Some((100, Duration::from_mins(5))),
        at_once: None,
        source: "reference §10: 100 in 5 min",
    },
    Limit {
        meter: Meter::Exchange,
        most: None,
        at_once: None,
        source: "reference §6.3: the number of calls is not confirmed",
    },
    Limit {
        meter: Meter::Activity,
        most: Some((2_000, Duration::from_mins(1))),
        at_once: None,
        source: "reference §10: 2,000 a minute for a tenant",
    },
];

impl Meter {
    /// What a call is counted against.
    pub fn of(call: &CallSpec) -> Self {
        let path = call.path_template;
        match call.service {
            Service::SignIn => Self::SignIn,
            Service::Exchange => Self::Exchange,
            Service::Activity => Self::Activity,
            Service::Graph if path.contains("/auditLogs/") => Self::Reports,
            Service::Graph
                if path.contains("/identityProtection/") || path.contains("/conditionalAccess") =>
            {
                Self::Risk
            }
            Service::Graph if path.contains("/mailFolders") || path.contains("/mailbox") => {
                Self::Mailbox
            }
            Service::Graph if path.contains("/security/auditLog/") => Self::AuditSearch,
            Service::Graph if path.contains("/tracing/") => Self::MessageTrace,
            Service::Graph => Self::Directory,
        }
    }

    /// A name that can stand in a file name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Directory => "directory",
            Self::Reports => "reports",
            Self::Risk => "risk",
            Self::Mailbox => "mailbox",
            Self::AuditSearch => "audit-search",
            Self::MessageTrace => "message-trace",
            Self::Exchange => "exchange",
            Self::Activity => "activity",
        }
    }

    fn limit(self) -> Option<&'static Limit> {
        LIMITS.iter().find(|limit| limit.meter == self)
    }
}

/// Whose requests count together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Account {
    tenant: String,
    meter: Meter,
    /// Where each mailbox counts by itself, which.
    mailbox: Option<String>,
}

impl Account {
    pub(crate) fn of(tenant: &str, call: &CallSpec, url: &str) -> Self {
        let meter = Meter::of(call);
        let mailbox = url
            .split_once("/users/")
            .filter(|_| meter == Meter::Mailbox)
            .and_then(|(_, rest)| rest.split('/').next())
            .map(str::to_ascii_lowercase);
        Self {
            tenant: tenant.to_ascii_lowercase(),
            meter,
            mailbox,
        }
    }

    /// How many of these may go at one time.
    pub(crate) fn at_once(&self) -> Option<usize> {
        let limit = self.meter.limit()?;
        limit.at_once.map(|most| most as usize)
    }
}

/// Keeps every client that has it within the services' limits. One for all cases
/// of a process; processes share what they were told through [`SharedWaits`].
#[derive(Clone, Default)]
pub struct Pacer {
    entropy: Option<Arc<dyn Entropy>>,
    shared: Option<Arc<dyn SharedWaits>>,
    counts: Arc<Mutex<HashMap<Account, Count>>>,
}

impl fmt::Debug for Pacer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pacer").finish_non_exhaustive()
    }
}

/// What is known about one account.
#[derive(Default)]
struct Count {
    sent: VecDeque<Timestamp>,
    not_before: Option<Timestamp>,
    at_once: u32,
    waiting: Vec<Waker>,
}

/// What to do about a request that wants to go.
enum Turn {
    Go,
    Wait(Duration),
    Full,
}

/// A request on its way; the next may go when it is dropped.
pub(crate) struct Permit {
    counts: Arc<Mutex<HashMap<Account, Count>>>,
    account: Account,
    weight: u32,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = locked(&self.counts);
        if let Some(count) = counts.get_mut(&self.account) {
            count.at_once = count.at_once.saturating_sub(self.weight);
            count.waiting.drain(..).for_each(Waker::wake);
        }
    }
}

impl Pacer {
    /// A pacer with jitter from `entropy`, so that clients that were turned away
    /// together do not come back together.
    #[must_use]
    pub fn with_entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = Some(entropy);
        self
    }

    /// A pacer that tells other processes, and is told by them.
    #[must_use]
    pub fn with_shared(mut self, shared: Arc<dyn SharedWaits>) -> Self {
        self.shared = Some(shared);
        self
    }

    /// Waits for a request's turn, or a batch's, which counts as what is in it. `Err` is
    /// how long it would take, if that is more than `patience`.
    pub(crate) async fn admit(
        &self,
        clock: &dyn Clock,
        (account, weight): (&Account, u32),
        call: &CallSpec,
        patience: impl Fn() -> Duration,
    ) -> Result<Permit, Duration> {
        let first = FIRST.contains(&call.id);
        loop {
            match self.turn((account, weight), clock.now(), first) {
                Turn::Go => {
                    return Ok(Permit {
                        counts: Arc::clone(&self.counts),
                        account: account.clone(),
                        weight,
                    });
                }
                Turn::Wait(wait) if wait >= patience() => return Err(wait),
                Turn::Wait(wait) => clock.sleep(wait).await,
                Turn::Full => self.until_one_is_back(account).await,
            }
        }
    }

    fn turn(&self, (account, weight): (&Account, u32), now: Timestamp, first: bool) -> Turn {
        let told = self
            .shared
            .as_ref()
            .filter(|_| !first && account.mailbox.is_none())
            .and_then(|shared| shared.not_before(&account.tenant, account.meter.name()));
        let limit = account.meter.limit();
        let mut counts = locked(&self.counts);
        let count = counts.entry(account.clone()).or_default();
        if !first {
            let until = count.not_before.max(told);
            if let Some(until) = until {
                let wait = until.duration_since(now);
                if wait.is_positive() && wait <= LONGEST {
                    return Turn::Wait(Duration::try_from(wait).unwrap_or_default());
                }
            }
        }
        if let Some((most, span)) = limit.and_then(|limit| limit.most) {
            let span = SignedDuration::try_from(span).unwrap_or_default();
            while count
                .sent
                .front()
                .is_some_and(|at| now.duration_since(*at) >= span)
            {
                count.sent.pop_front();
            }
            let wanted = count.sent.len() + (weight as usize).min(most);
            if !first && wanted > most {
                let oldest = count.sent.get(wanted - most - 1).copied();
                let passed = oldest.map_or(span, |at| now.duration_since(at));
                return Turn::Wait(Duration::try_from(span - passed).unwrap_or_default());
            }
            count.sent.extend((0..weight).map(|_| now));
        }
        let full = limit
            .and_then(|limit| limit.at_once)
            .is_some_and(|most| count.at_once > 0 && count.at_once + weight > most);
        if full && !first {
            // It has not gone after all.
            let kept = count.sent.len().saturating_sub(weight as usize);
            count.sent.truncate(kept);
            return Turn::Full;
        }
        count.at_once += weight;
        Turn::Go
    }

    async fn until_one_is_back(&self, account: &Account) {
        let mut asked = false;
        poll_fn(|context| {
            if asked {
                return Poll::Ready(());
            }
            asked = true;
            let mut counts = locked(&self.counts);
            match counts.get_mut(account) {
                Some(count) if count.at_once > 0 => {
                    count.waiting.push(context.waker().clone());
                    Poll::Pending
                }
                _ => Poll::Ready(()),
            }
        })
        .await;
    }

    /// A service said that it has had enough: nothing that counts against the same
    /// limit goes before then.
    pub(crate) fn hold(&self, account: &Account, until: Timestamp) {
        {
            let mut counts = locked(&self.counts);
            let count = counts.entry(account.clone()).or_default();
            count.not_before = count.not_before.max(Some(until));
        }
        // One mailbox's limit says nothing about the others'.
        if let Some(shared) = self.shared.as_ref().filter(|_| account.mailbox.is_none()) {
            shared.hold(&account.tenant, account.meter.name(), until);
        }
    }

    /// How long to wait before try number `tries` + 1 where the service does not
    /// say: 1, 2, 4, 8 seconds and up to half as much again.
    pub(crate) fn backoff(&self, tries: u32) -> Duration {
        let base = crate::send::backoff(tries);
        let mut byte = [0];
        if let Some(entropy) = &self.entropy {
            entropy.fill(&mut byte);
        }
        base + base * u32::from(byte[0]) / 512
    }
}

fn locked(counts: &Mutex<HashMap<Account, Count>>) -> MutexGuard<'_, HashMap<Account, Count>> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::CALLS;

    #[test]
    fn every_meter_has_one_limit_with_its_source() {
        for call in CALLS {
            let limits = LIMITS.iter().filter(|limit| limit.meter == Meter::of(call));
            assert_eq!(limits.count(), 1, "{}", call.id);
        }
        for limit in LIMITS {
            assert!(limit.source.starts_with("reference §"), "{limit:?}");
        }
    }

    #[test]
    fn calls_that_go_first_exist_and_are_changes() {
        for id in FIRST {
            assert!(CallSpec::by_id(id).is_some_and(|call| call.change), "{id}");
        }
    }

    #[test]
    fn jitter_adds_up_to_half_and_nothing_without_entropy() {
        struct Same(u8);
        impl Entropy for Same {
            fn fill(&self, bytes: &mut [u8]) {
                bytes.fill(self.0);
            }
        }
        let wait = |byte| {
            Pacer::default()
                .with_entropy(Arc::new(Same(byte)))
                .backoff(3)
        };
        assert_eq!(Pacer::default().backoff(3), Duration::from_secs(4));
        assert_eq!(wait(0), Duration::from_secs(4));
        assert!(wait(255) > wait(100) && wait(255) < Duration::from_secs(6));
    }
}
