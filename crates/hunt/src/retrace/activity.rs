//! How many events were when: what a picture is drawn from.

use jiff::{SignedDuration, Timestamp};

/// A span is counted in so many bins.
pub const BINS: usize = 240;

/// The attacker's time is looked at closer where the whole is so many times longer.
const CLOSER: i64 = 6;

/// Events of one account over a span of time, its own and the attacker's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// Begin of the first bin.
    pub from: Timestamp,
    /// End of the last bin.
    pub to: Timestamp,
    /// The user's own, by bin.
    pub own: Vec<u64>,
    /// The attacker's, by bin.
    pub theirs: Vec<u64>,
}

impl Activity {
    pub(super) fn new(from: Timestamp, to: Timestamp) -> Self {
        Self {
            from,
            to,
            own: vec![0; BINS],
            theirs: vec![0; BINS],
        }
    }

    /// The attacker's time with a margin, where it is short beside the whole.
    pub(super) fn closer(
        (from, to): (Timestamp, Timestamp),
        bad: [Option<Timestamp>; 2],
    ) -> Option<Self> {
        let [first, last] = bad;
        let (first, last) = (first?, last.or(first)?);
        let length = last.duration_since(first);
        let margin = (length / 8).max(SignedDuration::from_mins(15));
        let begin = first.checked_sub(margin).ok()?.max(from);
        let end = last.checked_add(margin).ok()?.min(to);
        let close = end.duration_since(begin);
        (close.is_positive() && to.duration_since(from) / i32::try_from(CLOSER).ok()? > close)
            .then(|| Self::new(begin, end))
    }

    pub(super) fn put(&mut self, at: Timestamp, theirs: bool) {
        if at < self.from || at > self.to {
            return;
        }
        let bins = if theirs {
            &mut self.theirs
        } else {
            &mut self.own
        };
        let past = at.duration_since(self.from).as_millis().max(0);
        let whole = self.to.duration_since(self.from).as_millis().max(0) + 1;
        let bin = usize::try_from(past * BINS as i128 / whole).unwrap_or(0);
        if let Some(count) = bins.get_mut(bin) {
            *count += 1;
        }
    }

    /// The counts in fewer (or as many) columns.
    pub fn columns(counts: &[u64], columns: usize) -> Vec<u64> {
        let columns = columns.clamp(1, counts.len().max(1));
        (0..columns)
            .map(|column| {
                let begin = column * counts.len() / columns;
                let end = (column + 1) * counts.len() / columns;
                counts.get(begin..end).unwrap_or_default().iter().sum()
            })
            .collect()
    }

    /// The begin of a column.
    pub fn begin(&self, column: usize, columns: usize) -> Timestamp {
        let whole = self.to.duration_since(self.from).as_millis();
        let past = whole * column as i128 / columns.max(1) as i128;
        i64::try_from(past)
            .ok()
            .and_then(|past| {
                self.from
                    .checked_add(SignedDuration::from_millis(past))
                    .ok()
            })
            .unwrap_or(self.to)
    }

    /// Whether anything was counted.
    pub fn is_empty(&self) -> bool {
        self.own.iter().chain(&self.theirs).all(|count| *count == 0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn nothing_is_lost_at_the_edges_and_in_fewer_columns() {
        let (from, to) = (at("2026-03-01T00:00:00Z"), at("2026-03-31T00:00:00Z"));
        let mut activity = Activity::new(from, to);
        activity.put(from, false);
        activity.put(to, false);
        activity.put(at("2026-03-16T00:00:00Z"), true);
        activity.put(at("2026-04-01T00:00:00Z"), true);
        assert_eq!((activity.own[0], activity.own[BINS - 1]), (1, 1));
        assert_eq!(activity.theirs.iter().sum::<u64>(), 1);
        for columns in [1, 7, 60, 61, 240, 500] {
            let own = Activity::columns(&activity.own, columns);
            assert_eq!(own.iter().sum::<u64>(), 2, "{columns}");
            assert_eq!(own.len(), columns.min(BINS));
        }
        // All at one moment.
        let mut moment = Activity::new(from, from);
        moment.put(from, true);
        assert_eq!(moment.theirs[0], 1);
    }

    #[test]
    fn an_hour_in_a_month_is_looked_at_closer_and_a_week_in_a_month_is_not() {
        let whole = (at("2026-03-01T00:00:00Z"), at("2026-03-31T00:00:00Z"));
        let hour = [
            Some(at("2026-03-10T09:00:00Z")),
            Some(at("2026-03-10T10:00:00Z")),
        ];
        let closer = Activity::closer(whole, hour).unwrap();
        assert_eq!(closer.from, at("2026-03-10T08:45:00Z"));
        assert_eq!(closer.to, at("2026-03-10T10:15:00Z"));
        let week = [
            Some(at("2026-03-10T09:00:00Z")),
            Some(at("2026-03-17T10:00:00Z")),
        ];
        assert_eq!(Activity::closer(whole, week), None);
        assert_eq!(Activity::closer(whole, [None, None]), None);
    }
}
