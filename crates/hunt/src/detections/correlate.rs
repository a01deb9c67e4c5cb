//! Detections over several events: how many, or how many different ones,
//! within a window, and optionally what came of it.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::expression::{Context, Expression};
use crate::event::Event;

/// What must come together. All parameters stand in the detection's file.
#[derive(Clone, Debug, PartialEq)]
pub struct Correlate {
    /// Columns that must be equal among the events.
    group_by: Vec<String>,
    /// Column whose different values are counted; without it, events are.
    distinct: Option<String>,
    /// How many.
    at_least: usize,
    /// Within how long.
    within: SignedDuration,
    /// An event of the same group that must follow (or stand among them).
    then: Option<Expression>,
}

/// The same as it stands in a file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CorrelateText {
    kind: Kind,
    group_by: Vec<String>,
    distinct: Option<String>,
    at_least: usize,
    within: String,
    then: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// So many events.
    Count,
    /// So many different values of a column.
    Distinct,
}

impl CorrelateText {
    pub(super) fn check(self) -> Result<Correlate, String> {
        let probe = Event::new(crate::Source::Ual, Timestamp::UNIX_EPOCH, "", "");
        for column in self.group_by.iter().chain(&self.distinct) {
            if probe.values(column).is_none() {
                return Err(format!("there is no column `{column}`"));
            }
        }
        match (self.kind, &self.distinct) {
            (Kind::Distinct, None) => return Err("`distinct` is missing".to_owned()),
            (Kind::Count, Some(_)) => return Err("`distinct` has no meaning in a count".to_owned()),
            _ => {}
        }
        if self.at_least < 2 {
            return Err("`at_least` must be 2 or more".to_owned());
        }
        let within: SignedDuration = self
            .within
            .parse()
            .map_err(|_| format!("`{}` is no length of time", self.within))?;
        let then = self
            .then
            .as_deref()
            .map(Expression::parse)
            .transpose()
            .map_err(|error| format!("in `then`, {error}"))?;
        Ok(Correlate {
            group_by: self.group_by,
            distinct: self.distinct,
            at_least: self.at_least,
            within,
            then,
        })
    }
}

impl Correlate {
    /// The groups of events that came together, each in order of time. Both
    /// lists are in order of time.
    pub(super) fn find<'a>(
        &self,
        matched: &[&'a Event],
        all: &[&'a Event],
        context: Context<'_>,
    ) -> Vec<Vec<&'a Event>> {
        let mut groups: BTreeMap<Vec<String>, Vec<&'a Event>> = BTreeMap::new();
        for event in matched {
            if let Some(group) = self.group(event) {
                groups.entry(group).or_default().push(event);
            }
        }
        let mut followers: HashMap<Vec<String>, Vec<&'a Event>> = HashMap::new();
        if let Some(then) = &self.then {
            for event in all.iter().filter(|event| then.matches(event, context)) {
                if let Some(group) = self.group(event).filter(|group| groups.contains_key(group)) {
                    followers.entry(group).or_default().push(event);
                }
            }
        }
        let mut found = Vec::new();
        for (group, events) in groups {
            for burst in self.bursts(&events) {
                let mut burst = burst;
                if self.then.is_some() {
                    let (Some(first), Some(last)) = (burst.first(), burst.last()) else {
                        continue;
                    };
                    let (from, to) = (
                        first.time,
                        last.time.saturating_add(self.within).unwrap_or(last.time),
                    );
                    let follow: Vec<&Event> = followers
                        .get(&group)
                        .into_iter()
                        .flatten()
                        .filter(|event| event.time >= from && event.time <= to)
                        .copied()
                        .collect();
                    if follow.is_empty() {
                        continue;
                    }
                    burst.extend(follow);
                    burst.sort_by(|a, b| (a.time, &a.record_id).cmp(&(b.time, &b.record_id)));
                }
                found.push(burst);
            }
        }
        found
    }

    /// Whether somebody is named by what followed, not by what led to it.
    pub(super) fn blames<'a>(&self, burst: &[&'a Event], context: Context<'_>) -> Vec<&'a Event> {
        match &self.then {
            None => burst.to_vec(),
            Some(then) => burst
                .iter()
                .filter(|event| then.matches(event, context))
                .copied()
                .collect(),
        }
    }

    fn group(&self, event: &Event) -> Option<Vec<String>> {
        self.group_by
            .iter()
            .map(|column| {
                event
                    .values(column)?
                    .first()
                    .map(|value| value.to_lowercase())
            })
            .collect()
    }

    /// Runs of events in which some window holds enough of them.
    fn bursts<'a>(&self, events: &[&'a Event]) -> Vec<Vec<&'a Event>> {
        let mut bursts: Vec<Vec<&'a Event>> = Vec::new();
        // The run that is being gathered: indices, inclusive.
        let mut run: Option<(usize, usize)> = None;
        let mut begin = 0;
        let mut counted: HashMap<Cow<'_, str>, usize> = HashMap::new();
        let value = |position: usize, event: &'a Event| match &self.distinct {
            None => Some(Cow::Owned(position.to_string())),
            Some(column) => event
                .values(column)
                .and_then(|values| values.first().map(|value| Cow::Owned(value.to_lowercase()))),
        };
        for (end, event) in events.iter().enumerate() {
            if let Some(value) = value(end, event) {
                *counted.entry(value).or_default() += 1;
            }
            while let Some(first) = events
                .get(begin)
                .filter(|first| event.time.duration_since(first.time) > self.within)
            {
                if let Some(value) = value(begin, first)
                    && let Some(count) = counted.get_mut(&value)
                {
                    *count -= 1;
                    if *count == 0 {
                        counted.remove(&value);
                    }
                }
                begin += 1;
            }
            if counted.len() >= self.at_least {
                run = match run {
                    Some((from, to)) if begin <= to => Some((from, end)),
                    other => {
                        bursts.extend(other.map(|run| slice(events, run)));
                        Some((begin, end))
                    }
                };
            }
        }
        bursts.extend(run.map(|run| slice(events, run)));
        bursts
    }
}

fn slice<'a>(events: &[&'a Event], (from, to): (usize, usize)) -> Vec<&'a Event> {
    events.get(from..=to).unwrap_or_default().to_vec()
}
