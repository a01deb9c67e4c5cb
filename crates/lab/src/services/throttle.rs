//! Limits of the services (reference §10): sliding windows per app or tenant.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::answer::Answer;

/// A limit that the lab plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Limit {
    /// Sign-ins, directory audits and reports: 5 in 10 s per app.
    Reports,
    /// Identity Protection: 1 in 1 s for the tenant; no `Retry-After`.
    IdentityProtection,
    /// Message trace: 100 in 5 min.
    MessageTrace,
    /// Creation of audit searches: 10 at once in the tenant.
    AuditSearch,
}

impl Limit {
    const fn shape(self) -> (usize, i64) {
        match self {
            Self::Reports => (5, 10),
            Self::IdentityProtection => (1, 1),
            Self::MessageTrace => (100, 300),
            Self::AuditSearch => (10, 60),
        }
    }
}

/// When which caller used what.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter {
    used: BTreeMap<(Limit, String), VecDeque<Timestamp>>,
}

impl Meter {
    /// Counts a call; the refusal when the window is full. Calls while full
    /// count on, as they do at Graph.
    pub(crate) fn count(&mut self, limit: Limit, app: &str, now: Timestamp) -> Option<Answer> {
        let (most, seconds) = limit.shape();
        let key = match limit {
            Limit::Reports | Limit::MessageTrace => app.to_owned(),
            Limit::IdentityProtection | Limit::AuditSearch => String::new(),
        };
        let used = self.used.entry((limit, key)).or_default();
        let span = SignedDuration::from_secs(seconds);
        while used
            .front()
            .is_some_and(|at| now.duration_since(*at) >= span)
        {
            used.pop_front();
        }
        let full = used.len() >= most;
        used.push_back(now);
        if used.len() > most {
            used.pop_front();
        }
        full.then(|| match limit {
            Limit::IdentityProtection => {
                Answer::graph_error(429, "TooManyRequests", "Too many requests.")
            }
            Limit::AuditSearch => Answer::graph_error(429, "TooManyRequests", "Too many requests."),
            _ => Answer::graph_error(
                429,
                "TooManyRequests",
                &format!("Too many requests from Identifier:{app} under category:reports. Please try again later."),
            )
            .header("retry-after", seconds.to_string()),
        })
    }
}
