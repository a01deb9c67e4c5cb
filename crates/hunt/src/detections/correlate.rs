//! Detections over several events. All that a kind needs stands in the
//! detection's file; what is counted are rows of matched events.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::column::{Column, Seen};
use super::expression::Expression;
use super::matcher::Step;
use super::rows::Row;
use crate::moment::day_of;

/// What must come together.
#[derive(Clone, Debug, PartialEq)]
pub struct Correlate {
    kind: Kind,
    group_by: Vec<Column>,
    then_group_by: Vec<Column>,
    value: Vec<Column>,
    weigh: Option<Column>,
    at_least: u32,
    within: SignedDuration,
    history: SignedDuration,
    at_least_days: usize,
    common: usize,
    times: f64,
    speed: f64,
    distance: f64,
    pub(crate) then: Option<Expression>,
    pub(crate) unless: Option<Expression>,
}

/// The same as it stands in a file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CorrelateText {
    kind: Kind,
    group_by: Vec<String>,
    then_group_by: Option<Vec<String>>,
    distinct: Option<String>,
    value: Option<Vec<String>>,
    weigh: Option<String>,
    at_least: Option<u32>,
    within: Option<String>,
    history: Option<String>,
    at_least_days: Option<usize>,
    common: Option<usize>,
    times: Option<f64>,
    speed: Option<f64>,
    distance: Option<f64>,
    then: Option<String>,
    unless: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// So many events.
    Count,
    /// So many different values of a column.
    Distinct,
    /// One event, then another, with none of a third kind between.
    Sequence,
    /// A value that the group has not had in its own past.
    New,
    /// Two places too far apart for the time between.
    Travel,
    /// Many times more in a day than on any day of the group's own past.
    Rise,
}

impl Kind {
    /// The keys that the kind needs, and those that it may have.
    fn keys(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Count => (&["at_least", "within"], &["weigh", "then", "then_group_by"]),
            Self::Distinct => (
                &["at_least", "within", "distinct"],
                &["then", "then_group_by"],
            ),
            Self::Sequence => (&["within", "then"], &["then_group_by", "unless"]),
            Self::New => (
                &["value", "history", "at_least_days"],
                &["common", "then", "then_group_by", "within"],
            ),
            Self::Travel => (&["speed", "distance"], &[]),
            Self::Rise => (
                &["times", "at_least", "history", "at_least_days"],
                &["weigh"],
            ),
        }
    }
}

impl CorrelateText {
    fn given(&self) -> Vec<&'static str> {
        [
            ("then_group_by", self.then_group_by.is_some()),
            ("distinct", self.distinct.is_some()),
            ("value", self.value.is_some()),
            ("weigh", self.weigh.is_some()),
            ("at_least", self.at_least.is_some()),
            ("within", self.within.is_some()),
            ("history", self.history.is_some()),
            ("at_least_days", self.at_least_days.is_some()),
            ("common", self.common.is_some()),
            ("times", self.times.is_some()),
            ("speed", self.speed.is_some()),
            ("distance", self.distance.is_some()),
            ("then", self.then.is_some()),
            ("unless", self.unless.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, given)| given.then_some(name))
        .collect()
    }

    pub(super) fn check(self) -> Result<Correlate, String> {
        let given = self.given();
        let (needs, may) = self.kind.keys();
        if let Some(key) = needs.iter().find(|key| !given.contains(key)) {
            return Err(format!("`{key}` is missing"));
        }
        if let Some(key) = given
            .iter()
            .find(|key| !needs.contains(key) && !may.contains(key))
        {
            return Err(format!("`{key}` has no meaning in this kind"));
        }
        if self.group_by.is_empty() {
            return Err("`group_by` may not be empty".to_owned());
        }
        if self.kind == Kind::New && self.then.is_some() != self.within.is_some() {
            return Err("`then` and `within` go together".to_owned());
        }
        if matches!(self.kind, Kind::Count | Kind::Distinct) && self.at_least.unwrap_or(0) < 2 {
            return Err("`at_least` must be 2 or more".to_owned());
        }
        let group_by = columns(&self.group_by)?;
        let then_group_by = match &self.then_group_by {
            None => group_by.clone(),
            Some(names) if names.len() == group_by.len() => columns(names)?,
            Some(_) => return Err("`then_group_by` must be as long as `group_by`".to_owned()),
        };
        let value = match (&self.distinct, &self.value) {
            (Some(name), _) => columns(std::slice::from_ref(name))?,
            (None, Some(names)) => columns(names)?,
            (None, None) => Vec::new(),
        };
        let weigh = self.weigh.as_ref().map(column).transpose()?;
        Ok(Correlate {
            kind: self.kind,
            group_by,
            then_group_by,
            value,
            weigh,
            at_least: self.at_least.unwrap_or(1),
            within: length(self.within.as_deref())?,
            history: length(self.history.as_deref())?,
            at_least_days: self.at_least_days.unwrap_or(0),
            common: self.common.unwrap_or(0),
            times: self.times.unwrap_or(0.0),
            speed: self.speed.unwrap_or(0.0),
            distance: self.distance.unwrap_or(0.0),
            then: expression("then", self.then.as_deref())?,
            unless: expression("unless", self.unless.as_deref())?,
        })
    }
}

fn column(name: &String) -> Result<Column, String> {
    Column::find(name).ok_or_else(|| format!("there is no column `{name}`"))
}

fn columns(names: &[String]) -> Result<Vec<Column>, String> {
    names.iter().map(column).collect()
}

fn length(text: Option<&str>) -> Result<SignedDuration, String> {
    let Some(text) = text else {
        return Ok(SignedDuration::ZERO);
    };
    let parsed = match text.strip_suffix('d').map(str::parse::<i64>) {
        Some(Ok(days)) => days.checked_mul(24).map(SignedDuration::from_hours),
        _ => text.parse().ok(),
    };
    parsed
        .filter(|length| *length > SignedDuration::ZERO)
        .ok_or_else(|| format!("`{text}` is no length of time"))
}

fn expression(key: &str, text: Option<&str>) -> Result<Option<Expression>, String> {
    text.map(Expression::parse)
        .transpose()
        .map_err(|error| format!("in `{key}`, {error}"))
}

/// Rows that came together.
type Burst<'a> = Vec<&'a Row>;

/// Rows of each group by step.
type Groups<'a> = BTreeMap<&'a str, [Burst<'a>; 3]>;

impl Correlate {
    /// The columns that make the group, of an event that passed that step.
    pub(crate) fn group(&self, step: Step, seen: &Seen<'_>) -> Option<String> {
        join(
            match step {
                Step::Match => &self.group_by,
                Step::Then | Step::Unless => &self.then_group_by,
            },
            seen,
        )
    }

    /// The value that is counted or compared.
    pub(crate) fn value(&self, seen: &Seen<'_>) -> Option<String> {
        (!self.value.is_empty())
            .then(|| join(&self.value, seen))
            .flatten()
    }

    /// How many the event counts for: one, or as many as the weighing column
    /// has values.
    pub(crate) fn weight(&self, seen: &Seen<'_>) -> u32 {
        self.weigh.as_ref().map_or(1, |column| {
            u32::try_from(column.count(seen)).unwrap_or(u32::MAX).max(1)
        })
    }

    /// Somebody is named by what followed, not by what led to it.
    pub(crate) fn blames(&self, row: &Row) -> bool {
        self.then.is_none() || row.step == Step::Then
    }

    /// It has to know what is common among all groups.
    pub(crate) fn asks_for_common(&self) -> bool {
        self.kind == Kind::New && self.common > 0
    }

    /// Learns what is common from rows, which are in order of time. No group comes
    /// twice.
    pub(crate) fn gather(&self, rows: &[&Row], common: &mut Common) {
        if self.asks_for_common() {
            users_of_values(&groups(rows), common);
        }
    }

    /// The groups of rows that came together. The rows are in order of time.
    pub(crate) fn find<'a>(&self, rows: &[&'a Row], common: &Common) -> Vec<Burst<'a>> {
        let groups = groups(rows);
        let mut found = Vec::new();
        for (group, [matched, then, unless]) in &groups {
            match self.kind {
                Kind::Sequence => found.extend(self.sequences(matched, then, unless)),
                Kind::Count | Kind::Distinct => {
                    found.extend(self.followed(self.bursts(matched), then));
                }
                Kind::New => {
                    let new = self.new_values(group, matched, common);
                    found.extend(self.followed(new, then));
                }
                Kind::Travel => found.extend(self.travels(matched)),
                Kind::Rise => found.extend(self.rises(matched)),
            }
        }
        found
    }

    /// Those bursts after (or among) which something of `then` came, with it.
    fn followed<'a>(&self, bursts: Vec<Burst<'a>>, then: &[&'a Row]) -> Vec<Burst<'a>> {
        if self.then.is_none() {
            return bursts;
        }
        bursts
            .into_iter()
            .filter_map(|mut burst| {
                let (from, last) = (burst.first()?.time, burst.last()?.time);
                let follow = between(then, from, after(last, self.within));
                if follow.is_empty() {
                    return None;
                }
                burst.extend(follow);
                Some(burst)
            })
            .collect()
    }

    fn sequences<'a>(
        &self,
        matched: &[&'a Row],
        then: &[&'a Row],
        unless: &[&'a Row],
    ) -> Vec<Burst<'a>> {
        matched
            .iter()
            .filter_map(|first| {
                let next = between(then, first.time, after(first.time, self.within))
                    .iter()
                    .find(|row| (row.time, &row.id) != (first.time, &first.id))?;
                let broken = between(unless, first.time, next.time)
                    .iter()
                    .any(|row| (row.time, &row.id) != (next.time, &next.id));
                (!broken).then(|| vec![*first, *next])
            })
            .collect()
    }

    /// Runs of rows in which some window holds enough of them.
    fn bursts<'a>(&self, rows: &[&'a Row]) -> Vec<Burst<'a>> {
        let mut bursts = Vec::new();
        // The run that is being gathered: indices, inclusive.
        let mut run: Option<(usize, usize)> = None;
        let mut begin = 0;
        let mut weight: u64 = 0;
        let mut counted: HashMap<&str, usize> = HashMap::new();
        for (end, row) in rows.iter().enumerate() {
            weight += u64::from(row.weight);
            if let Some(value) = &row.value {
                *counted.entry(value).or_default() += 1;
            }
            while let Some(first) = rows
                .get(begin)
                .filter(|first| row.time.duration_since(first.time) > self.within)
            {
                weight -= u64::from(first.weight);
                if let Some(value) = first.value.as_deref()
                    && let Some(count) = counted.get_mut(value)
                {
                    *count -= 1;
                    if *count == 0 {
                        counted.remove(value);
                    }
                }
                begin += 1;
            }
            let enough = match self.kind {
                Kind::Distinct => counted.len() as u64 >= u64::from(self.at_least),
                _ => weight >= u64::from(self.at_least),
            };
            if enough {
                run = match run {
                    Some((from, to)) if begin <= to => Some((from, end)),
                    other => {
                        bursts.extend(other.map(|run| slice(rows, run)));
                        Some((begin, end))
                    }
                };
            }
        }
        bursts.extend(run.map(|run| slice(rows, run)));
        bursts
    }

    /// Rows whose value the group has not had before, where its past is long
    /// enough to say so, and which is not common among the others.
    fn new_values<'a>(&self, group: &str, rows: &[&'a Row], common: &Common) -> Vec<Burst<'a>> {
        let mut days: Vec<i64> = Vec::new();
        let mut last: HashMap<&str, Timestamp> = HashMap::new();
        let mut found = Vec::new();
        for row in rows {
            let Some(value) = row.value.as_deref() else {
                continue;
            };
            let from = before(row.time, self.history);
            let known = last.get(value).is_some_and(|time| *time >= from);
            let past = days.len() - days.partition_point(|day| *day < day_of(from));
            let elsewhere = || {
                let mut others: Vec<&str> = common
                    .get(value)
                    .into_iter()
                    .flatten()
                    .filter(|(other, time)| **other != *group && *time >= from && *time < row.time)
                    .map(|(other, _)| &**other)
                    .collect();
                others.sort_unstable();
                others.dedup();
                others.len()
            };
            if !known
                && past >= self.at_least_days
                && (self.common == 0 || elsewhere() < self.common)
            {
                found.push(vec![*row]);
            }
            last.insert(value, row.time);
            let today = day_of(row.time);
            if days.last() != Some(&today) {
                days.push(today);
            }
        }
        found
    }

    fn travels<'a>(&self, rows: &[&'a Row]) -> Vec<Burst<'a>> {
        let placed: Vec<(&'a Row, (f64, f64))> = rows
            .iter()
            .filter_map(|row| Some((*row, row.place?)))
            .collect();
        placed
            .windows(2)
            .filter_map(|pair| {
                let [(a, from), (b, to)] = pair else {
                    return None;
                };
                let distance = kilometres(*from, *to);
                // Clocks and batches: less than a minute apart is a minute.
                let hours = b.time.duration_since(a.time).as_secs_f64().max(60.0) / 3600.0;
                (distance >= self.distance && distance / hours > self.speed).then(|| vec![*a, *b])
            })
            .collect()
    }

    fn rises<'a>(&self, rows: &[&'a Row]) -> Vec<Burst<'a>> {
        let mut days: BTreeMap<i64, (u64, Burst<'a>)> = BTreeMap::new();
        for row in rows {
            let day = days.entry(day_of(row.time)).or_default();
            day.0 += u64::from(row.weight);
            day.1.push(row);
        }
        let length = self.history.as_hours() / 24;
        days.iter()
            .filter(|(day, (sum, _))| {
                let past: Vec<u64> = days
                    .range(*day - length..**day)
                    .map(|(_, (sum, _))| *sum)
                    .collect();
                let most = past.iter().copied().max().unwrap_or(0);
                past.len() >= self.at_least_days
                    && *sum >= u64::from(self.at_least)
                    && *sum as f64 > self.times * most as f64
            })
            .map(|(_, (_, rows))| rows.clone())
            .collect()
    }
}

/// When each group had each value, once a day and group.
pub(crate) type Common = HashMap<Arc<str>, Vec<(Arc<str>, Timestamp)>>;

fn groups<'a>(rows: &[&'a Row]) -> Groups<'a> {
    let mut groups: Groups<'a> = BTreeMap::new();
    for row in rows {
        if let Some(group) = &row.group
            && let Some(list) = groups.entry(group).or_default().get_mut(row.step as usize)
        {
            list.push(row);
        }
    }
    groups
}

fn users_of_values(groups: &Groups<'_>, common: &mut Common) {
    for [matched, ..] in groups.values() {
        for row in matched {
            let (Some(value), Some(group)) = (&row.value, &row.group) else {
                continue;
            };
            let list = common.entry(Arc::clone(value)).or_default();
            let same_day = list
                .last()
                .is_some_and(|(have, time)| have == group && day_of(*time) == day_of(row.time));
            if !same_day {
                list.push((Arc::clone(group), row.time));
            }
        }
    }
}

fn join(columns: &[Column], seen: &Seen<'_>) -> Option<String> {
    let mut text = String::new();
    for (number, column) in columns.iter().enumerate() {
        if number > 0 {
            text.push('\u{1f}');
        }
        text.push_str(&column.first(seen).filter(|value| !value.is_empty())?);
    }
    Some(text)
}

fn slice<'a>(rows: &[&'a Row], (from, to): (usize, usize)) -> Burst<'a> {
    rows.get(from..=to).unwrap_or_default().to_vec()
}

/// The rows from one time to another, both included.
fn between<'r, 'a>(rows: &'r [&'a Row], from: Timestamp, to: Timestamp) -> &'r [&'a Row] {
    let begin = rows.partition_point(|row| row.time < from);
    let end = rows.partition_point(|row| row.time <= to);
    rows.get(begin..end).unwrap_or_default()
}

fn after(time: Timestamp, length: SignedDuration) -> Timestamp {
    time.saturating_add(length).unwrap_or(Timestamp::MAX)
}

fn before(time: Timestamp, length: SignedDuration) -> Timestamp {
    time.saturating_sub(length).unwrap_or(Timestamp::MIN)
}

/// Along the great circle, on a sphere of 6371 km.
fn kilometres((lat_a, lon_a): (f64, f64), (lat_b, lon_b): (f64, f64)) -> f64 {
    let (lat_a, lat_b) = (lat_a.to_radians(), lat_b.to_radians());
    let (lat, lon) = ((lat_b - lat_a) / 2.0, (lon_b - lon_a).to_radians() / 2.0);
    let square = lat.sin().powi(2) + lat_a.cos() * lat_b.cos() * lon.sin().powi(2);
    2.0 * 6371.0 * square.sqrt().min(1.0).asin()
}
