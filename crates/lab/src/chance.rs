//! Randomness as a hash of seed, object, purpose and ordinal.
//!
//! There is no stream: a value depends on nothing but its own four
//! coordinates, so asking for one value more, or in another order, changes no
//! other. The same seed gives the same world, byte for byte.

use jiff::SignedDuration;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// The source of every value that a seed decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chance {
    seed: u64,
}

impl Chance {
    /// The chance of this seed.
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The seed.
    pub const fn seed(self) -> u64 {
        self.seed
    }

    /// The value for one purpose of one object; `ordinal` tells repeated draws
    /// for the same purpose apart.
    pub fn draw(self, object: &str, purpose: &str, ordinal: u64) -> Draw {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        // Lengths keep ("ab", "c") and ("a", "bc") apart.
        hash.update((object.len() as u64).to_be_bytes());
        hash.update(object.as_bytes());
        hash.update((purpose.len() as u64).to_be_bytes());
        hash.update(purpose.as_bytes());
        hash.update(ordinal.to_be_bytes());
        Draw {
            bytes: hash.finalize().into(),
        }
    }

    /// The order in which `len` things come, as their indexes.
    pub fn order(self, object: &str, purpose: &str, len: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..len).collect();
        order.sort_by_key(|&index| self.draw(object, purpose, index as u64).bytes);
        order
    }
}

/// One drawn value: 32 bytes, read in whatever shape is needed.
///
/// Reading it twice gives the same answer twice; independent values need
/// independent purposes or ordinals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    bytes: [u8; 32],
}

impl Draw {
    /// The whole value.
    pub const fn bytes(self) -> [u8; 32] {
        self.bytes
    }

    /// A number of 64 bits.
    pub fn number(self) -> u64 {
        u64::from_be_bytes(self.bytes.first_chunk().copied().unwrap_or_default())
    }

    /// A number below `bound`; 0 when the bound is 0.
    pub fn below(self, bound: u64) -> u64 {
        // 64 bits against bounds of a few thousand: the bias cannot be seen.
        self.number().checked_rem(bound).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// A length of time from `low` to `high`, in whole milliseconds.
    pub fn duration(self, low: SignedDuration, high: SignedDuration) -> SignedDuration {
        let spread = high.saturating_sub(low).as_millis().max(0);
        let part = self.below(u64::try_from(spread).unwrap_or(0).saturating_add(1));
        low.saturating_add(SignedDuration::from_millis(
            i64::try_from(part).unwrap_or(i64::MAX),
        ))
    }

    /// Whether something with this chance of `percent` in a hundred happens.
    pub fn happens(self, percent: u8) -> bool {
        self.below(100) < u64::from(percent)
    }

    /// One of `choices`, if there is any.
    pub fn choose<T>(self, choices: &[T]) -> Option<&T> {
        choices.get(self.below(choices.len() as u64) as usize)
    }

    /// One of `choices`, or an empty text when there is none.
    pub fn word<'a>(self, choices: &[&'a str]) -> &'a str {
        self.choose(choices).copied().unwrap_or_default()
    }

    /// A random (version 4) UUID.
    pub fn uuid(self) -> Uuid {
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(self.bytes.iter().skip(8)) {
            *to = *from;
        }
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// `digits` lower-case hexadecimal digits, at most 64.
    pub fn hex(self, digits: usize) -> String {
        use std::fmt::Write as _;
        let mut text = String::with_capacity(64);
        for byte in self.bytes {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text.truncate(digits);
        text
    }

    /// `letters` characters out of `alphabet`, at most 32.
    pub fn text(self, alphabet: &[u8], letters: usize) -> String {
        self.bytes
            .iter()
            .take(letters)
            .filter_map(|byte| alphabet.get(usize::from(*byte) % alphabet.len().max(1)))
            .map(|letter| char::from(*letter))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_value_depends_on_its_four_coordinates_and_on_nothing_else() {
        let chance = Chance::new(7);
        let value = chance.draw("anna", "name", 0);
        assert_eq!(value, Chance::new(7).draw("anna", "name", 0));
        for other in [
            Chance::new(8).draw("anna", "name", 0),
            chance.draw("ann", "aname", 0),
            chance.draw("anna", "mail", 0),
            chance.draw("anna", "name", 1),
        ] {
            assert_ne!(value, other);
        }
    }

    #[test]
    fn every_shape_stays_within_its_bounds() {
        for ordinal in 0..200 {
            let draw = Chance::new(1).draw("x", "y", ordinal);
            assert!((3..=5).contains(&draw.between(3, 5)));
            assert!(draw.below(2) < 2);
            let low = SignedDuration::from_secs(60);
            let high = SignedDuration::from_secs(90);
            assert!((low..=high).contains(&draw.duration(low, high)));
            assert_eq!(draw.uuid().get_version_num(), 4);
            assert_eq!(draw.hex(12).len(), 12);
            assert_eq!(draw.text(b"ab", 9).len(), 9);
            assert!(["a", "b"].contains(&draw.word(&["a", "b"])));
        }
        assert_eq!(Chance::new(1).draw("x", "y", 0).word(&[]), "");
        assert_eq!(Chance::new(1).draw("x", "y", 0).below(0), 0);
    }

    #[test]
    fn an_order_holds_each_index_once_and_differs_by_seed() {
        let mut sorted = Chance::new(3).order("attack", "order", 9);
        assert_ne!(sorted, Chance::new(4).order("attack", "order", 9));
        sorted.sort_unstable();
        assert_eq!(sorted, (0..9).collect::<Vec<_>>());
    }
}
