//! Limits of the services (reference §10): sliding windows per app, mailbox or
//! tenant. Calls while a window is full count on, as they do at Graph.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::Answer;
use crate::unconfirmed::{OUTLOOK_CONCURRENCY, RETRY_AFTER, Unconfirmed};

/// A limit that the lab plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Limit {
    /// Users, groups, apps, policies: resource units in 10 s per app and
    /// tenant.
    Directory,
    /// Writes to the directory: 3,000 in 150 s per app and tenant.
    DirectoryWrites,
    /// Sign-ins, directory audits and reports: 5 in 10 s per app.
    Reports,
    /// Identity Protection and Conditional Access: 1 in 1 s for the tenant; no
    /// `Retry-After`.
    IdentityProtection,
    /// Mail, rules, settings: 10,000 in 10 min per app and mailbox.
    Outlook,
    /// Message trace: 100 in 5 min.
    MessageTrace,
    /// Creation of audit searches: 10 in a minute in the tenant.
    AuditSearch,
    /// The Management Activity API: 2,000 in a minute in the tenant.
    Activity,
    /// Exchange cmdlets, where a limit is played: 400 in 5 min.
    Exchange,
}

impl Limit {
    /// How much fits into how many seconds.
    pub(crate) const fn shape(self) -> (usize, i64) {
        match self {
            // A tenant of under fifty users.
            Self::Directory => (3_500, 10),
            Self::DirectoryWrites => (3_000, 150),
            Self::Reports => (5, 10),
            Self::IdentityProtection => (1, 1),
            Self::Outlook => (10_000, 600),
            Self::MessageTrace => (100, 300),
            Self::AuditSearch => (10, 60),
            Self::Activity => (2_000, 60),
            Self::Exchange => (400, 300),
        }
    }

    /// Whether it counts for the tenant, whoever calls.
    const fn of_the_tenant(self) -> bool {
        matches!(
            self,
            Self::IdentityProtection | Self::AuditSearch | Self::Activity
        )
    }
}

/// What a call to the directory costs in resource units (reference §10).
pub(crate) fn directory_cost(path: &str, query: &str) -> usize {
    let words: Vec<&str> = path.trim_matches('/').split('/').skip(1).collect();
    let base: usize = match words.as_slice() {
        ["groups", _, "members"] | ["subscribedSkus"] => 3,
        ["groups", _, "transitiveMembers"] => 5,
        ["users" | "applications" | "oauth2PermissionGrants"]
        | [
            _,
            _,
            "memberOf" | "transitiveMemberOf" | "getMemberGroups" | "getMemberObjects",
        ]
        | ["servicePrincipals", _, "appRoleAssignments"] => 2,
        [_, _, "checkMemberGroups" | "checkMemberObjects"] => 4,
        _ => 1,
    };
    let has = |name: &str| {
        url::form_urlencoded::parse(query.as_bytes())
            .find_map(|(held, value)| (held == name).then(|| value.into_owned()))
    };
    let mut cost = base + usize::from(has("$expand").is_some());
    if has("$select").is_some() {
        cost = cost.saturating_sub(1);
    }
    if has("$top")
        .and_then(|top| top.parse::<usize>().ok())
        .is_some_and(|top| top < 20)
    {
        cost = cost.saturating_sub(1);
    }
    cost.max(1)
}

/// When which caller used what.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter {
    used: BTreeMap<(Limit, String), VecDeque<Timestamp>>,
    /// Requests to mailboxes that may still be running: app, mailbox, when they
    /// came.
    running: VecDeque<(String, String, Timestamp)>,
}

impl Meter {
    /// Counts a call; the refusal when the window is full.
    pub(crate) fn count(
        &mut self,
        limit: Limit,
        app: &str,
        now: Timestamp,
        unconfirmed: &Unconfirmed,
    ) -> Option<Answer> {
        let wait = self.use_up(limit, app, now)?;
        let with = |answer: Answer| answer.header("retry-after", wait.to_string());
        let silent = |answer: Answer| match unconfirmed.variant(&RETRY_AFTER) {
            "present" => with(answer),
            _ => answer,
        };
        let words = |text: &str| Answer::graph_error(429, "TooManyRequests", text);
        Some(match limit {
            Limit::IdentityProtection => words("Too many requests."),
            Limit::AuditSearch | Limit::MessageTrace => silent(words("Too many requests.")),
            Limit::Reports => with(words(&format!(
                "Too many requests from Identifier:{app} under category:reports. Please try again later."
            ))),
            Limit::Outlook => with(Answer::graph_error(
                429,
                "ApplicationThrottled",
                "Application is over its request limit.",
            )),
            Limit::Activity => with(Answer::activity_error(
                429,
                "AF429",
                &format!("Too many requests. Method=GET, PublisherId={app}"),
            )),
            Limit::Directory | Limit::DirectoryWrites | Limit::Exchange => with(words(&format!(
                "Too many requests from Identifier:{app} under category:aadgraph.app.tenant_small. Please try again later."
            )))
            .header("x-ms-throttle-scope", "Tenant_Application/ReadWrite")
            .header(
                "x-ms-throttle-information",
                if limit == Limit::DirectoryWrites {
                    "WriteLimitExceeded"
                } else {
                    "ResourceUnitLimitExceeded"
                },
            ),
        })
    }

    /// Counts a call; the seconds to wait when the window is full.
    pub(crate) fn use_up(&mut self, limit: Limit, app: &str, now: Timestamp) -> Option<i64> {
        self.use_units(limit, app, now, 1)
    }

    /// The same for a call of several units.
    pub(crate) fn use_units(
        &mut self,
        limit: Limit,
        app: &str,
        now: Timestamp,
        units: usize,
    ) -> Option<i64> {
        let (most, seconds) = limit.shape();
        let used = self.used.entry((limit, key(limit, app))).or_default();
        let span = SignedDuration::from_secs(seconds);
        while used
            .front()
            .is_some_and(|at| now.duration_since(*at) >= span)
        {
            used.pop_front();
        }
        let full = used.len() + units > most;
        for _ in 0..units {
            used.push_back(now);
            if used.len() > most {
                used.pop_front();
            }
        }
        full.then_some(seconds)
    }

    /// How much of a window is used.
    pub(crate) fn used(&self, limit: Limit, app: &str) -> usize {
        self.used
            .get(&(limit, key(limit, app)))
            .map_or(0, VecDeque::len)
    }

    /// A request to a mailbox begins; the refusal when four others of the app
    /// are running. A request runs as long as the latency.
    pub(crate) fn begin_in_mailbox(
        &mut self,
        app: &str,
        mailbox: &str,
        now: Timestamp,
        latency: SignedDuration,
        unconfirmed: &Unconfirmed,
    ) -> Option<Answer> {
        while self
            .running
            .front()
            .is_some_and(|(.., at)| now.duration_since(*at) >= latency)
        {
            self.running.pop_front();
        }
        let everywhere = unconfirmed.variant(&OUTLOOK_CONCURRENCY) == "per_app";
        let others = self
            .running
            .iter()
            .filter(|(by, at, _)| by == app && (everywhere || at == mailbox))
            .count();
        if others >= 4 {
            return Some(
                Answer::graph_error(
                    429,
                    "ApplicationThrottled",
                    "Application is over its MailboxConcurrency limit.",
                )
                .header("retry-after", "1"),
            );
        }
        self.running
            .push_back((app.to_owned(), mailbox.to_owned(), now));
        None
    }
}

fn key(limit: Limit, app: &str) -> String {
    if limit.of_the_tenant() {
        String::new()
    } else {
        app.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_counts_units_as_documented() {
        // reference §10
        for (path, query, cost) in [
            ("/v1.0/users", "", 2),
            ("/v1.0/users", "$select=id", 1),
            ("/v1.0/users", "$select=id&$top=5", 1),
            ("/v1.0/users", "$expand=manager", 3),
            ("/v1.0/users/x", "", 1),
            ("/v1.0/users/x/memberOf", "", 2),
            ("/v1.0/groups/x/members", "", 3),
            ("/v1.0/groups/x/transitiveMembers", "", 5),
            ("/beta/users/x/checkMemberGroups", "", 4),
            ("/v1.0/oauth2PermissionGrants", "$filter=x", 2),
            ("/v1.0/subscribedSkus", "", 3),
        ] {
            assert_eq!(directory_cost(path, query), cost, "{path}?{query}");
        }
    }

    #[test]
    fn calls_while_throttled_count_on() {
        let mut meter = Meter::default();
        let at = |seconds: i64| Timestamp::from_second(1_000_000 + seconds).unwrap();
        for second in 0..5 {
            assert!(meter.use_up(Limit::Reports, "a", at(second)).is_none());
        }
        // Asking every second keeps the window full for ever.
        for second in 5..60 {
            assert!(meter.use_up(Limit::Reports, "a", at(second)).is_some());
        }
        assert!(meter.use_up(Limit::Reports, "b", at(59)).is_none());
        assert!(meter.use_up(Limit::Reports, "a", at(70)).is_none());
    }
}
