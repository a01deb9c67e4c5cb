//! Texts and times as the report shows them.

use std::fmt;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::escape::visible_within;

/// The longest text in a report, in characters.
const LONGEST: usize = 600;

/// A text that may be anybody's. It is shown made visible; only JSON, where it is
/// data, has it unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Text(String);

impl Text {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As it came; only for a text that becomes a [`Text`] again.
    pub(crate) fn raw(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_formula(&self.0) {
            // A table is pasted into a sheet now and then: there this mark says "text".
            f.write_str("'")?;
        }
        f.write_str(&visible_within(&self.0, LONGEST))
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Whether a sheet would calculate with it. A number or a telephone number is none.
fn is_formula(text: &str) -> bool {
    let mut letters = text.trim_start().chars();
    match letters.next() {
        Some('=' | '@') => true,
        Some('+' | '-') => !letters.all(|c| c.is_ascii_digit() || " ()/.-".contains(c)),
        _ => false,
    }
}

/// A moment, shown to the second in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct When(pub(crate) Timestamp);

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime("%Y-%m-%d %H:%M:%S UTC"))
    }
}

impl Serialize for When {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// How long it was from one moment to another, in the two largest units.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.as_second().saturating_sub(from.as_second());
    let (sign, seconds) = (if seconds < 0 { "-" } else { "" }, seconds.unsigned_abs());
    let units = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let largest = units
        .iter()
        .position(|(_, size)| seconds >= *size)
        .unwrap_or(3);
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (name, size) in units.iter().skip(largest).take(2) {
        if rest >= *size || parts.is_empty() {
            parts.push(format!("{} {name}", rest / size));
        }
        rest %= size;
    }
    format!("{sign}{}", parts.join(" "))
}

/// `1 message`, `2 messages`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_sheet_would_calculate_is_marked_as_text() {
        for (text, shown) in [
            ("=1+1", "'=1+1"),
            ("\t=cmd", "'␉=cmd"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+cmd|x", "'+cmd|x"),
            ("-A1", "'-A1"),
            ("+49 (89) 123-45", "+49 (89) 123-45"),
            ("-5", "-5"),
            ("RE: a = b", "RE: a = b"),
        ] {
            assert_eq!(Text::from(text).to_string(), shown);
        }
    }

    #[test]
    fn times_between_are_told_in_two_units() {
        let at = |second| Timestamp::from_second(second).unwrap();
        for (seconds, told) in [
            (0, "0 s"),
            (7, "7 s"),
            (65, "1 min 5 s"),
            (3_600, "1 h"),
            (3_605, "1 h"),
            (90_061, "1 d 1 h"),
            (-30, "-30 s"),
        ] {
            assert_eq!(between(at(0), at(seconds)), told);
        }
    }
}
