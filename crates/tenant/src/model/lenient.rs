//! Readers for the ways in which the services write nothing, times and numbers.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A list: `null` is an empty one, one value alone a list of it (reference §6.6).
pub fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    let value = match Value::deserialize(deserializer)? {
        Value::Null => return Ok(Vec::new()),
        Value::String(text) if text.is_empty() => return Ok(Vec::new()),
        Value::Array(items) => Value::Array(items),
        one => Value::Array(vec![one]),
    };
    serde_json::from_value(value).map_err(serde::de::Error::custom)
}

/// A text: `null` and the empty text are none (reference §6.6).
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    })
}

/// A time; one that cannot be read is unknown, not an error: the raw answer still holds it.
pub fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?
        .as_deref()
        .and_then(parse_time))
}

/// RFC 3339, .NET round trip with seven decimals, and both without a zone,
/// which then is UTC (reference §6.6, §7.3).
pub fn parse_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse::<Timestamp>().ok().or_else(|| {
        text.parse::<DateTime>()
            .ok()?
            .to_zoned(TimeZone::UTC)
            .ok()
            .map(|zoned| zoned.timestamp())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_in_three_forms() {
        for text in [
            "2026-05-04T10:11:12.0000000Z",
            "2026-05-04T10:11:12+00:00",
            "2026-05-04T10:11:12",
        ] {
            assert_eq!(
                parse_time(text).map(|time| time.to_string()).as_deref(),
                Some("2026-05-04T10:11:12Z"),
                "{text}"
            );
        }
        assert_eq!(parse_time("soon"), None);
    }
}
