//! Times as exports write them (reference §7.3, §7.4): ISO with or without a
//! zone (without means UTC), the US form of the portals, `/Date(…)/` of
//! PowerShell.

use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;

/// The moment that the text says; none if it says none.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
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
        return us_form(text);
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
/// month first, always UTC.
fn us_form(text: &str) -> Option<Timestamp> {
    let mut words = text
        .split([' ', ',', '\u{202f}'])
        .filter(|word| !word.is_empty());
    let (date, time, half) = (words.next()?, words.next()?, words.next());
    let mut numbers = date.split('/');
    let (month, day, year) = (
        numbers.next()?.parse::<i8>().ok()?,
        numbers.next()?.parse::<i8>().ok()?,
        numbers.next()?.parse::<i16>().ok()?,
    );
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
            "\u{e9}/\u{e9}/\u{e9} 1:1:1.\u{e9}",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
