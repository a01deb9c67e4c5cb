//! Activity over time, as rows of a terminal and as bars of a page.
//!
//! Heights grow with the logarithm of the number, so that one event of the
//! attacker's shows beside a thousand of the user's.

use jiff::Timestamp;
use retake_hunt::retrace::Activity;
use unicode_width::UnicodeWidthStr as _;

use super::layout::{Sheet, pad};
use crate::chart::Place;

const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII: [char; 9] = [' ', '.', ':', '-', '=', '+', '*', '%', '#'];

/// Where the rows begin.
const LEFT: usize = 12;

/// The rows of one picture: the user's, the attacker's, and the time below.
/// `theirs` names the second row.
pub(super) fn draw(sheet: &mut Sheet, activity: &Activity, theirs: &str) {
    let look = sheet.look();
    let columns = look.width.saturating_sub(LEFT).clamp(16, 120);
    let own = Activity::columns(&activity.own, columns);
    let foreign = Activity::columns(&activity.theirs, columns);
    let most = own.iter().chain(&foreign).copied().max().unwrap_or(0);
    let levels = if look.unicode { BLOCKS } else { ASCII };
    let row = |counts: &[u64]| -> String {
        counts
            .iter()
            .map(|count| levels.get(level(*count, most)).copied().unwrap_or(' '))
            .collect()
    };
    for (name, counts) in [("user", &own), (theirs, &foreign)] {
        let text = format!("  {}{}", pad(name, LEFT - 2), row(counts));
        let style = if name == "user" {
            anstyle::Style::new()
        } else {
            super::screen::BAD
        };
        sheet.line(style, text.trim_end());
    }
    sheet.line(
        super::screen::QUIET,
        &format!("  {}{}", " ".repeat(LEFT - 2), axis(activity, columns)),
    );
}

/// 0 for none, then 1 to 8.
fn level(count: u64, most: u64) -> usize {
    if count == 0 {
        return 0;
    }
    let share = (1.0 + count as f64).ln() / (1.0 + most.max(1) as f64).ln();
    ((share * 8.0).ceil() as usize).clamp(1, 8)
}

/// The times at the left end, in the middle and at the right end.
fn axis(activity: &Activity, columns: usize) -> String {
    let days = activity.to.duration_since(activity.from).as_hours() >= 72;
    let told = |at: Timestamp| {
        at.strftime(if days { "%Y-%m-%d" } else { "%m-%d %H:%M" })
            .to_string()
    };
    let (left, right) = (told(activity.from), told(activity.to));
    let middle = told(activity.begin(columns / 2, columns));
    let mut line = pad(&left, columns / 2);
    if columns > left.width() + middle.width() + right.width() + 4 {
        line.push_str(&middle);
    }
    let room = columns.saturating_sub(right.width());
    format!("{}{right}", pad(&line, room))
}

/// The picture of a page, in its own units.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bars {
    /// What it is, for those who do not see it.
    pub(super) told: String,
    /// The columns with something in them.
    pub(super) columns: Vec<Bar>,
    /// Times below, with their places.
    pub(super) ticks: Vec<(Place, String)>,
    /// For each column with something in it: begin, end, the user's, the attacker's.
    pub(super) rows: Vec<(String, String, u64, u64)>,
}

/// One bar.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bar {
    pub(super) x: Place,
    pub(super) y: Place,
    pub(super) width: Place,
    pub(super) height: Place,
    pub(super) class: &'static str,
    pub(super) title: String,
}

/// The picture's width in its own units.
pub(super) const WIDTH: f64 = 960.0;
/// Where the axis begins.
pub(super) const BEGIN: f64 = 84.0;
/// How high the highest bar is.
const HIGH: f64 = 52.0;
/// The feet of the two rows.
pub(super) const FEET: [f64; 2] = [64.0, 128.0];
const COLUMNS: usize = 120;

/// The bars of a page. `theirs` names the second row.
pub(super) fn bars(activity: &Activity, theirs: &str) -> Bars {
    let own = Activity::columns(&activity.own, COLUMNS);
    let foreign = Activity::columns(&activity.theirs, COLUMNS);
    let most = own.iter().chain(&foreign).copied().max().unwrap_or(0);
    let wide = (WIDTH - BEGIN) / COLUMNS as f64;
    let told = |at: Timestamp| at.strftime("%Y-%m-%d %H:%M").to_string();
    let mut bars = Vec::new();
    let mut rows = Vec::new();
    for (column, (own, foreign)) in own.iter().zip(&foreign).enumerate() {
        if own + foreign == 0 {
            continue;
        }
        let begin = told(activity.begin(column, COLUMNS));
        let end = told(activity.begin(column + 1, COLUMNS));
        for (count, whose, class, foot) in [
            (*own, "user", "user", FEET[0]),
            (*foreign, theirs, "attacker", FEET[1]),
        ] {
            if count == 0 {
                continue;
            }
            let height = HIGH * (1.0 + count as f64).ln() / (1.0 + most as f64).ln();
            bars.push(Bar {
                x: Place(BEGIN + wide * column as f64),
                y: Place(foot - height),
                width: Place(wide - 1.0),
                height: Place(height),
                class,
                title: format!("{begin} to {end} UTC, {whose}: {count}"),
            });
        }
        rows.push((begin, end, *own, *foreign));
    }
    let ticks = (0..=4)
        .map(|tick| {
            let column = COLUMNS * tick / 4;
            (
                Place(BEGIN + wide * column as f64),
                activity
                    .begin(column, COLUMNS)
                    .strftime("%b %d %H:%M")
                    .to_string(),
            )
        })
        .collect();
    Bars {
        told: format!(
            "Events from {} to {} UTC: {} of the user, {} ({theirs})",
            told(activity.from),
            told(activity.to),
            own.iter().sum::<u64>(),
            foreign.iter().sum::<u64>()
        ),
        columns: bars,
        ticks,
        rows,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hunt::Look;

    fn activity() -> Activity {
        let at = |second| Timestamp::from_second(second).unwrap_or_default();
        let mut own = vec![0; 240];
        let mut theirs = vec![0; 240];
        for (bin, count) in own.iter_mut().enumerate() {
            *count = (bin as u64 % 24) * 4;
        }
        theirs[200] = 1;
        theirs[203] = 40;
        Activity {
            from: at(1_772_323_200),
            to: at(1_774_915_200),
            own,
            theirs,
        }
    }

    fn drawn(look: Look) -> String {
        let mut sheet = Sheet::new(look);
        draw(&mut sheet, &activity(), "attacker");
        sheet.finish()
    }

    #[test]
    fn one_event_shows_beside_thousands_and_the_rows_fit() {
        let ascii = Look {
            width: 60,
            unicode: false,
            ..Look::PLAIN
        };
        insta::assert_snapshot!("picture", drawn(Look::PLAIN) + &drawn(ascii));
    }

    #[test]
    fn without_events_the_rows_are_empty_and_nothing_divides_by_nothing() {
        let mut empty = activity();
        empty.own = vec![0; 240];
        empty.theirs = vec![0; 240];
        empty.to = empty.from;
        let bars = bars(&empty, "attacker");
        assert!(bars.columns.is_empty() && bars.rows.is_empty());
        let mut sheet = Sheet::new(Look::PLAIN);
        draw(&mut sheet, &empty, "attacker");
        assert_eq!(sheet.finish().lines().count(), 3);
    }

    #[test]
    fn every_event_is_in_a_bar_of_its_row_and_in_the_table() {
        let bars = bars(&activity(), "attacker");
        let theirs: u64 = bars.rows.iter().map(|row| row.3).sum();
        assert_eq!(theirs, 41);
        for bar in &bars.columns {
            assert!(bar.y.0 >= 0.0 && bar.y.0 + bar.height.0 <= FEET[1] + 0.01);
            assert!(bar.x.0 + bar.width.0 <= WIDTH);
        }
    }
}
