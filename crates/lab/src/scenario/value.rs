//! The values of a scenario file: lengths of time, bounds, chances.

use std::fmt;

use jiff::SignedDuration;
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};

use crate::chance::Draw;

/// A length of time, or bounds between which the seed chooses one: `"4m"`,
/// `"2m..9m"`. Units are `ms`, `s`, `m`, `h` and `d`; they add up (`"1h30m"`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The shortest.
    pub low: SignedDuration,
    /// The longest.
    pub high: SignedDuration,
}

impl Span {
    /// A length without choice.
    pub const fn exactly(length: SignedDuration) -> Self {
        Self {
            low: length,
            high: length,
        }
    }

    /// The length that a draw chooses.
    pub fn pick(self, draw: Draw) -> SignedDuration {
        draw.duration(self.low, self.high)
    }

    fn read(text: &str) -> Result<Self, String> {
        let (low, high) = match text.split_once("..") {
            Some((low, high)) => (length(low)?, length(high)?),
            None => (length(text)?, length(text)?),
        };
        if low > high {
            return Err(format!(
                "`{text}` runs backwards: write the shorter time first"
            ));
        }
        Ok(Self { low, high })
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A number, or bounds between which the seed chooses one: `8`, `"8..14"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// The least.
    pub low: u32,
    /// The most.
    pub high: u32,
}

impl Count {
    /// None at all.
    pub const fn none() -> Self {
        Self { low: 0, high: 0 }
    }

    /// The number that a draw chooses.
    pub fn pick(self, draw: Draw) -> u64 {
        draw.between(u64::from(self.low), u64::from(self.high))
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number such as 8, or bounds such as \"8..14\"")
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Count, E> {
                let number =
                    u32::try_from(number).map_err(|_| E::custom("a count is not negative"))?;
                Ok(Count {
                    low: number,
                    high: number,
                })
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Count, E> {
                let bounds = text.split_once("..").and_then(|(low, high)| {
                    Some(Count {
                        low: low.trim().parse().ok()?,
                        high: high.trim().parse().ok()?,
                    })
                });
                match bounds {
                    Some(count) if count.low <= count.high => Ok(count),
                    _ => Err(E::custom(format!(
                        "`{text}` is not a count: write a number such as 8, or bounds such as \"8..14\""
                    ))),
                }
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// A chance from 0 to 100 in a hundred; always, when left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percent(pub u8);

impl Default for Percent {
    fn default() -> Self {
        Self(100)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        u8::try_from(number)
            .ok()
            .filter(|percent| *percent <= 100)
            .map(Self)
            .ok_or_else(|| D::Error::custom(format!("{number} is not a chance from 0 to 100")))
    }
}

/// Reads `1h30m`.
fn length(text: &str) -> Result<SignedDuration, String> {
    let mistaken =
        || format!("`{text}` is not a length of time: write for example 90s, 4m, 26h or 3d");
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(mistaken());
    }
    let mut whole = SignedDuration::ZERO;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, next) = after.split_at(letters);
        let number: i64 = number.parse().map_err(|_| mistaken())?;
        let milliseconds = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(mistaken()),
        };
        let part = number.checked_mul(milliseconds).ok_or_else(mistaken)?;
        whole = whole
            .checked_add(SignedDuration::from_millis(part))
            .ok_or_else(mistaken)?;
        rest = next;
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn lengths_of_time_read_as_people_write_them() {
        assert_eq!(length("90s").unwrap(), SignedDuration::from_secs(90));
        assert_eq!(length("1h30m").unwrap(), SignedDuration::from_mins(90));
        assert_eq!(length("150ms").unwrap(), SignedDuration::from_millis(150));
        assert_eq!(length("3d").unwrap(), SignedDuration::from_hours(72));
        for text in ["", "4", "m", "4 m", "-4m", "4x", "99999999999999999d"] {
            assert!(length(text).is_err(), "{text}");
        }
    }

    #[test]
    fn bounds_that_run_backwards_are_refused() {
        assert!(Span::read("9m..2m").is_err());
        let span = Span::read("2m..9m").unwrap();
        assert_eq!(span.low, SignedDuration::from_mins(2));
        assert_eq!(span.high, SignedDuration::from_mins(9));
    }
}
