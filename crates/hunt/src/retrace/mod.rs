//! A second walk over the events, once the answers are known: whose each is,
//! when it was, and what was done to files.
//!
//! It takes the events one at a time, in any order, and keeps a bounded
//! amount of each account that is shown: counts in bins, at most [`MOST`]
//! lines and [`MOST`] deeds of a kind.

mod activity;
mod deeds;
mod whose;

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;

pub use activity::{Activity, BINS};
pub use deeds::{Deed, DeedKind, Deeds, MailDeed};
pub use whose::Whose;

use crate::answer::Verdict;
use crate::event::{Event, NO_TIME, Outcome, Source};
use crate::report::{HuntReport, UserAnswer};
use whose::Attribution;

/// Of each account, so many lines of its own and so many of the attacker's are
/// kept, and so many deeds of each kind; [`Retraced::omitted`] counts the rest.
pub const MOST: usize = 10_000;

/// Of all accounts together, so many lines are kept.
const MOST_LINES: usize = 100_000;

/// One event of an account's timeline.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Line {
    /// When; [`NO_TIME`] of a state whose listing says none.
    pub time: Timestamp,
    /// Which log.
    pub source: Source,
    /// The record's id.
    pub record_id: String,
    /// What was done.
    pub operation: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Where it came from.
    pub address: Option<std::net::IpAddr>,
    /// What it was done to.
    pub object: Option<String>,
    /// Whose doing.
    pub whose: Whose,
}

/// The record behind a first or last known time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Behind {
    /// What was done.
    pub operation: String,
    /// The record's id.
    pub record_id: String,
    /// The input's label.
    pub input: String,
    /// Line of the record's first byte, from 1.
    pub line: u64,
}

/// What is known of one account's events.
#[derive(Clone, Debug, PartialEq)]
pub struct Retraced {
    /// User principal name, lower case.
    pub user: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Over the whole time that the logs cover.
    pub activity: Option<Activity>,
    /// Around the attacker's time, where that is short beside the whole.
    pub closer: Option<Activity>,
    /// The record of the first known bad time.
    pub first: Option<Behind>,
    /// The record of the last known bad time.
    pub last: Option<Behind>,
    /// What was done to files.
    pub deeds: Deeds,
    /// Lines that were left out for their number.
    pub omitted: u64,
    lines: Vec<Line>,
    kept: [usize; 2],
    bad: [Option<Timestamp>; 2],
}

impl Retraced {
    /// The timeline, in order of time, then source and record id.
    pub fn lines(&self) -> Vec<&Line> {
        let mut lines: Vec<&Line> = self.lines.iter().collect();
        lines.sort();
        lines
    }
}

/// The second walk.
#[derive(Clone, Debug)]
pub struct Retrace<'a> {
    attribution: Attribution<'a>,
    places: HashMap<&'a str, usize>,
    users: Vec<Retraced>,
    room: usize,
}

impl<'a> Retrace<'a> {
    /// Ready to walk: for the accounts whose verdict asks for something, and
    /// for those that were asked for by name.
    pub fn new(report: &'a HuntReport, asked: &[String]) -> Self {
        let shown = shown(report, asked);
        let span = span(report);
        let users = shown
            .iter()
            .map(|answer| {
                let analysis = &answer.analysis;
                let bad = [analysis.first_known_bad, analysis.last_known_bad];
                Retraced {
                    user: answer.user.clone(),
                    verdict: analysis.verdict,
                    activity: span.map(|(from, to)| Activity::new(from, to)),
                    closer: span.and_then(|span| Activity::closer(span, bad)),
                    first: None,
                    last: None,
                    deeds: Deeds::default(),
                    omitted: 0,
                    lines: Vec::new(),
                    kept: [0; 2],
                    bad,
                }
            })
            .collect();
        let places = shown
            .iter()
            .enumerate()
            .map(|(place, answer)| (answer.user.as_str(), place))
            .collect();
        Self {
            attribution: Attribution::new(&shown),
            places,
            users,
            room: MOST_LINES,
        }
    }

    /// The same, walked.
    pub fn of<'e>(
        report: &'a HuntReport,
        asked: &[String],
        events: impl IntoIterator<Item = &'e Event>,
    ) -> Self {
        let mut retrace = Self::new(report, asked);
        for event in events {
            retrace.put(event);
        }
        retrace
    }

    /// Takes one event.
    pub fn put(&mut self, event: &Event) {
        let by_record = self.attribution.by_record(&event.record_id);
        let named = [event.user.as_deref(), event.mailbox.as_deref()]
            .map(|name| name.and_then(|name| self.places.get(name)).copied());
        let mut met: Vec<usize> = named.into_iter().chain([by_record]).flatten().collect();
        met.sort_unstable();
        met.dedup();
        for place in met {
            let whose = self.attribution.whose(place, event);
            if let Some(user) = self.users.get_mut(place) {
                let own = event.user.as_deref() == Some(user.user.as_str());
                if own || whose.is_theirs() {
                    user.put(event, whose, &mut self.room);
                }
            }
        }
    }

    /// Whose an event is, as far as the accounts that are shown tell.
    pub fn whose(&self, event: &Event) -> Whose {
        let mut whose = Whose::Unknown;
        let by_record = self.attribution.by_record(&event.record_id);
        for place in [event.user.as_deref(), event.mailbox.as_deref()]
            .into_iter()
            .flatten()
            .filter_map(|name| self.places.get(name).copied())
            .chain(by_record)
        {
            whose = whose.max(self.attribution.whose(place, event));
        }
        whose
    }

    /// The accounts, worst first.
    pub fn users(&self) -> &[Retraced] {
        &self.users
    }

    /// One account.
    pub fn user(&self, user: &str) -> Option<&Retraced> {
        self.places
            .get(user)
            .and_then(|place| self.users.get(*place))
    }
}

impl Retraced {
    fn put(&mut self, event: &Event, whose: Whose, room: &mut usize) {
        // What Microsoft or a trace says about an account is no activity of it.
        let acted = !matches!(
            event.source,
            Source::MessageTrace
                | Source::RiskDetections
                | Source::SecurityAlerts
                | Source::Listing
        );
        let theirs = whose.is_theirs();
        if acted && event.time != NO_TIME {
            for activity in [&mut self.activity, &mut self.closer].into_iter().flatten() {
                activity.put(event.time, theirs);
            }
        }
        if theirs {
            self.deeds.put(event);
            if event.outcome != Outcome::Failure {
                for (bad, behind) in self.bad.into_iter().zip([&mut self.first, &mut self.last]) {
                    if bad == Some(event.time) {
                        let this = behind_of(event);
                        // Of several at one time, the same whatever order they come in.
                        if behind.as_ref().is_none_or(|there| this < *there) {
                            *behind = Some(this);
                        }
                    }
                }
            }
        }
        let Some(kept) = self.kept.get_mut(usize::from(theirs)) else {
            return;
        };
        if *kept == MOST || *room == 0 {
            self.omitted += 1;
            return;
        }
        *kept += 1;
        *room -= 1;
        self.lines.push(Line {
            time: event.time,
            source: event.source,
            record_id: event.record_id.clone(),
            operation: event.operation.clone(),
            outcome: event.outcome,
            address: event.address,
            object: event.object.clone(),
            whose,
        });
    }
}

fn behind_of(event: &Event) -> Behind {
    Behind {
        operation: event.operation.clone(),
        record_id: event.record_id.clone(),
        input: event.origin.input.to_string(),
        line: event.origin.line,
    }
}

fn shown<'a>(report: &'a HuntReport, asked: &[String]) -> Vec<&'a UserAnswer> {
    report
        .users
        .iter()
        .filter(|answer| {
            answer.analysis.verdict.is_alarming()
                || asked.iter().any(|user| user.to_lowercase() == answer.user)
        })
        .collect()
}

/// From the first to the last event of any log that tells of acts.
fn span(report: &HuntReport) -> Option<(Timestamp, Timestamp)> {
    let lines = || {
        report
            .coverage
            .iter()
            .filter(|line| line.source != Source::Listing)
    };
    let from = lines().filter_map(|line| line.from).min()?;
    let to = lines().filter_map(|line| line.to).max()?;
    (from <= to).then_some((from, to))
}
