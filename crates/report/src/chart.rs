//! The incident as a picture: who did what when, on one axis.
//!
//! Minutes of an attack and days of watching do not fit on one scale, so gaps
//! grow with the logarithm of their length; order is true, distance is not.

use jiff::Timestamp;
use retake_playbook::{ActionKind, State};

use crate::tell::{Line, Whose};
use crate::text::{Text, When};

/// The width of the picture, in its own units.
pub(crate) const WIDTH: f64 = 960.0;
/// Where the axis begins and ends.
const LEFT: f64 = 84.0;
const RIGHT: f64 = 940.0;
/// Where the lanes lie.
pub(crate) const LANES: [(&str, f64); 3] =
    [("Attacker", 112.0), ("Access", 152.0), ("Response", 192.0)];

/// What is drawn; positions in the picture's units.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Chart {
    /// The incident, from the first known event to the end of access.
    pub(crate) incident: Option<(Place, Place)>,
    pub(crate) dots: Vec<Dot>,
    pub(crate) bars: Vec<Bar>,
    pub(crate) marks: Vec<Mark>,
}

/// A position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place(pub(crate) f64);

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.1}", self.0)
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dot {
    pub(crate) x: Place,
    pub(crate) y: Place,
    pub(crate) class: &'static str,
    pub(crate) title: Text,
}

/// One piece of access.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bar {
    pub(crate) x: Place,
    pub(crate) y: Place,
    pub(crate) width: Place,
    pub(crate) title: Text,
}

/// A moment worth a name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mark {
    pub(crate) x: Place,
    /// Names of neighbours stand on different heights.
    pub(crate) y: Place,
    pub(crate) anchor: &'static str,
    pub(crate) name: &'static str,
    pub(crate) at: When,
    /// Month, day and minute.
    pub(crate) short: String,
}

impl Chart {
    pub(crate) fn of(state: &State, timeline: &[Line]) -> Self {
        let mut times: Vec<Timestamp> = timeline.iter().map(|line| line.at.0).collect();
        times.extend(state.access.iter().map(|end| end.ends_at));
        let axis = Axis::of(times);
        let (attacker, access, response) = (LANES[0].1, LANES[1].1, LANES[2].1);
        let dots = timeline
            .iter()
            .filter(|line| line.whose != Whose::Playbook)
            .map(|line| Dot {
                x: axis.place(line.at.0),
                y: Place(if line.whose == Whose::Attacker {
                    attacker
                } else {
                    response
                }),
                class: line.whose.words(),
                title: format!("{} {}", line.at, line.text).into(),
            })
            .collect();
        let opened = state.opened.as_ref().map(|(at, _)| *at);
        let first = state
            .analysis
            .as_ref()
            .and_then(|(_, analysis)| analysis.first_known_bad)
            .or(opened);
        let bars = (0u32..)
            .zip(&state.access)
            .filter_map(|(row, end)| {
                let from = axis.place(first?);
                let to = axis.place(end.ends_at);
                Some(Bar {
                    x: from,
                    // A few rows within the lane.
                    y: Place(access - 9.0 + f64::from(row % 4) * 5.0),
                    width: Place((to.0 - from.0).max(1.0)),
                    title: format!("{} ends {}", end.what, When(end.ends_at)).into(),
                })
            })
            .collect();
        let blocked = state
            .actions
            .values()
            .find(|action| action.planned.kind == ActionKind::BlockSignIn)
            .and_then(|action| action.applied)
            .map(|(at, _)| at);
        let evicted = state.effective.map(|(at, _)| at);
        let marks = [
            ("first known bad", first.filter(|at| Some(*at) != opened)),
            ("alert", opened),
            ("sign-in blocked", blocked),
            ("eviction effective", evicted),
            ("sign-in back", state.restored_at),
            ("closed", state.closed.as_ref().map(|(at, _)| *at)),
        ];
        let marks = marks
            .into_iter()
            .filter_map(|(name, at)| Some((name, at?)))
            .enumerate()
            .map(|(index, (name, at))| {
                let x = axis.place(at);
                Mark {
                    x,
                    y: Place([12.0, 32.0, 52.0, 72.0][index % 4]),
                    anchor: if x.0 > WIDTH * 0.6 { "end" } else { "start" },
                    name,
                    at: When(at),
                    short: at.strftime("%b %d %H:%M").to_string(),
                }
            })
            .collect();
        let end = evicted.or_else(|| state.access_ends_at());
        Self {
            incident: first
                .zip(end)
                .map(|(from, to)| (axis.place(from), axis.place(to)))
                .map(|(from, to)| (from, Place((to.0 - from.0).max(1.0)))),
            dots,
            bars,
            marks,
        }
    }
}

/// Times with their places, ascending.
struct Axis(Vec<(Timestamp, f64)>);

impl Axis {
    fn of(mut times: Vec<Timestamp>) -> Self {
        times.sort_unstable();
        times.dedup();
        let mut sum = 0.0;
        let mut before = None;
        let mut places: Vec<(Timestamp, f64)> = times
            .into_iter()
            .map(|at| {
                if let Some(before) = before {
                    let gap = at.duration_since(before).as_secs_f64().max(0.0);
                    sum += (1.0 + gap / 30.0).ln();
                }
                before = Some(at);
                (at, sum)
            })
            .collect();
        let scale = if sum > 0.0 { (RIGHT - LEFT) / sum } else { 0.0 };
        for (_, place) in &mut places {
            *place = LEFT + *place * scale;
        }
        Self(places)
    }

    /// The place of a time; of the next one known for a time in between.
    fn place(&self, at: Timestamp) -> Place {
        let index = self.0.partition_point(|(time, _)| *time < at);
        Place(
            self.0
                .get(index)
                .or(self.0.last())
                .map_or(LEFT, |(_, place)| *place),
        )
    }
}
