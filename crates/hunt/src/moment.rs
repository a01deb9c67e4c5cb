//! Times as exports write them (reference §7.3, §7.4): ISO with or without a
//! zone (without means UTC), the US form of the portals, `/Date(…)/` of
//! PowerShell, and the forms that PowerShell writes on machines of other
//! countries (`23.09.2023 16:05:03`, `23/09/2023 16:05:03`).

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;

/// The moment that the text says; none if it says none, or one before 2000 or
/// after 2199, which no log of this service has (.NET's least value stands
/// for "never").
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let moment = any(text)?;
    let year = moment.to_zoned(TimeZone::UTC).year();
    (2000..2200).contains(&year).then_some(moment)
}

/// The UTC day, counted from 1970.
pub(crate) fn day_of(time: Timestamp) -> i64 {
    time.as_second().div_euclid(86_400)
}

/// Which number of `1/2/2026` is the month, as far as a text can tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum DateOrder {
    /// The first, as the portals write.
    #[default]
    MonthFirst,
    /// The second.
    DayFirst,
}

/// How far [`date_order`] looks, in bytes.
const EVIDENCE: usize = 1 << 20;

/// The order of dates in a text, by the dates in it that can be read in one
/// way only; and what is to be said about it.
pub(crate) fn date_order(text: &str) -> (DateOrder, Option<String>) {
    let sample = text
        .get(..text.floor_char_boundary(EVIDENCE))
        .unwrap_or_default();
    let (mut open, mut month_first, mut day_first) = (0usize, 0usize, 0usize);
    for word in sample.split(|c: char| !c.is_ascii_digit() && c != '/') {
        let Some((a, b, _)) = slashed(word) else {
            continue;
        };
        match (a > 12, b > 12) {
            (true, false) => day_first += 1,
            (false, true) => month_first += 1,
            (false, false) if a != b => open += 1,
            _ => {}
        }
    }
    // A half of the day is written where the month is written first.
    let halves = sample.contains(" AM") || sample.contains(" PM");
    match (month_first, day_first, open) {
        (0, 0, 0) => (DateOrder::MonthFirst, None),
        (0, 0, _) if halves => (DateOrder::MonthFirst, None),
        (0, 0, _) => (
            DateOrder::MonthFirst,
            Some("its dates do not tell day from month: read with the month first".to_owned()),
        ),
        (_, 0, _) => (DateOrder::MonthFirst, None),
        (0, _, _) => (
            DateOrder::DayFirst,
            Some("its dates have the day first".to_owned()),
        ),
        _ => (
            DateOrder::MonthFirst,
            Some("some of its dates have the day first and some the month: read with the month first where both are possible".to_owned()),
        ),
    }
}

/// A date with the day first, rewritten with the month first; anything else
/// as it is.
pub(crate) fn month_first(text: &str) -> Cow<'_, str> {
    let trimmed = text.trim_start();
    let date = trimmed
        .split(|c: char| !c.is_ascii_digit() && c != '/')
        .next()
        .unwrap_or_default();
    match slashed(date) {
        Some((day, month, year)) if month <= 12 => {
            let rest = trimmed.get(date.len()..).unwrap_or_default();
            Cow::Owned(format!("{month}/{day}/{year}{rest}"))
        }
        _ => Cow::Borrowed(text),
    }
}

/// `a/b/year`, with numbers that can be a day and a month.
fn slashed(word: &str) -> Option<(u8, u8, u16)> {
    let mut parts = word.split('/');
    let (a, b, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || a.len() > 2 || b.len() > 2 || year.len() != 4 {
        return None;
    }
    let (a, b) = (a.parse().ok()?, b.parse().ok()?);
    ((1..=31).contains(&a) && (1..=31).contains(&b)).then_some((a, b, year.parse().ok()?))
}

fn any(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Some(inner) = text
        .strip_prefix("/Date(")
        .and_then(|rest| rest.strip_suffix(")/"))
    {
        // A zone may follow the milliseconds; it does not move the moment.
        let digits = inner
            .char_indices()
            .find(|(at, c)| *at > 0 && (*c == '+' || *c == '-'))
            .map_or(inner, |(at, _)| inner.get(..at).unwrap_or(inner));
        return Timestamp::from_millisecond(digits.parse().ok()?).ok();
    }
    if text.contains('/') {
        return if text.find('/') == Some(4) {
            any(&text.replace('/', "-"))
        } else {
            us_form(text)
        };
    }
    // `23.09.2023 16:05:03`: nobody writes the month first with stops.
    if text
        .get(..10)
        .is_some_and(|date| date.matches('.').count() == 2)
    {
        let (date, rest) = text.split_once(' ')?;
        let date = date.replace('.', "/");
        return us_form(&month_first(&format!("{date} {rest}")));
    }
    // The shortest is `2021-04-28 14:33`.
    if text.len() < 16 || !text.is_ascii() {
        return None;
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    let utc = text.parse::<civil::DateTime>().ok()?;
    TimeZone::UTC.to_timestamp(utc).ok()
}

/// `9/20/2023 4:05:03 AM`, `4/28/2021, 2:33:14.000 PM`, `6/1/2023 13:12:18`:
/// month first where both are possible, always UTC.
fn us_form(text: &str) -> Option<Timestamp> {
    let mut words = text
        .split([' ', ',', '\u{202f}'])
        .filter(|word| !word.is_empty());
    let (date, time, half) = (words.next()?, words.next()?, words.next());
    let mut numbers = date.split('/');
    let (mut month, mut day, mut year) = (
        numbers.next()?.parse::<i8>().ok()?,
        numbers.next()?.parse::<i8>().ok()?,
        numbers.next()?.parse::<i16>().ok()?,
    );
    // What can be a day only is one.
    if month > 12 && (1..=12).contains(&day) {
        std::mem::swap(&mut month, &mut day);
    }
    // Spreadsheets write two digits.
    if (0..100).contains(&year) {
        year += 2000;
    }
    let mut parts = time.split(':');
    let mut hour = parts.next()?.parse::<i8>().ok()?;
    let minute = parts.next()?.parse::<i8>().ok()?;
    let (second, nanosecond) = match parts.next() {
        None => (0, 0),
        Some(seconds) => {
            let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
            let mut padded = fraction.get(..fraction.len().min(9))?.to_owned();
            while padded.len() < 9 {
                padded.push('0');
            }
            (whole.parse::<i8>().ok()?, padded.parse::<i32>().ok()?)
        }
    };
    match half.map(str::to_ascii_uppercase).as_deref() {
        Some("PM") if hour < 12 => hour += 12,
        Some("AM") if hour == 12 => hour = 0,
        _ => {}
    }
    let utc = civil::DateTime::new(year, month, day, hour, minute, second, nanosecond).ok()?;
    TimeZone::UTC.to_timestamp(utc).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_form_of_a_time_is_the_same_moment() {
        for text in [
            "2023-09-20T04:05:03Z",
            "2023-09-20T04:05:03",
            "2023-09-20 04:05:03",
            "2023-09-20T04:05:03.0000000Z ",
            "2023-09-20T04:05:03.0000000+00:00",
            "2023-09-20T06:05:03+02:00",
            "9/20/2023 4:05:03 AM",
            "9/20/2023, 4:05:03.000 AM",
            "/Date(1695182703000)/",
            "/Date(1695182703000+0200)/",
            "20/9/2023 4:05:03 AM",
            "20.09.2023 04:05:03",
            "2023/09/20 04:05:03",
            "9/20/23 4:05:03 AM",
        ] {
            assert_eq!(
                parse(text).unwrap().to_string(),
                "2023-09-20T04:05:03Z",
                "{text}"
            );
        }
        assert_eq!(
            parse("9/20/2023 12:05:03 PM"),
            parse("2023-09-20T12:05:03Z")
        );
        assert_eq!(
            parse("9/20/2023 12:05:03 AM"),
            parse("2023-09-20T00:05:03Z")
        );
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "2023",
            "String (timestamp)",
            "2023-10-10T17:08:65",
            "13/40/2023 1:1:1 AM",
            "/Date(x)/",
            "/Date(-62135596800000)/",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "99.99.2023 04:05:03",
            "\u{e9}/\u{e9}/\u{e9} 1:1:1.\u{e9}",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_stands_in_a_file_decides_which_number_is_the_month() {
        let order = |text: &str| date_order(text).0;
        assert_eq!(
            order("a,b\n1/2/2026 10:00:00,x\n13/2/2026 10:00:00,y\n"),
            DateOrder::DayFirst
        );
        assert_eq!(
            order("a,b\n1/2/2026 10:00:00,x\n2/13/2026 10:00:00,y\n"),
            DateOrder::MonthFirst
        );
        assert!(date_order("1/2/2026 10:00:00").1.is_some());
        assert!(date_order("1/2/2026 10:00:00 AM").1.is_none());
        assert!(
            date_order("13/2/2026 10:00:00,2/13/2026 1:00:00")
                .1
                .is_some()
        );
        assert_eq!(month_first("1/2/2026 10:00:00"), "2/1/2026 10:00:00");
        assert_eq!(month_first("https://a/1/2/2026"), "https://a/1/2/2026");
    }
}
