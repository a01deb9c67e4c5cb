//! Chance from a seed: the same seed throws the same, on every machine.
//!
//! Every thing of the corpus has dice of its own, made from the seed and what
//! the thing is. So nothing has to be remembered: a user's Tuesday can be
//! worked out again at any time, and memory does not grow with the corpus.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// SplitMix64.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice for one thing.
    pub(crate) fn of(parts: &[u64]) -> Self {
        let mut dice = Self(0x9e37_79b9_7f4a_7c15);
        for part in parts {
            dice.0 = dice.0.rotate_left(17) ^ part.wrapping_mul(0xff51_afd7_ed55_8ccd);
            dice.0 = dice.next();
        }
        dice
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// From 0 to `count` - 1; 0 where there is nothing to choose from.
    pub(crate) fn below(&mut self, count: u64) -> u64 {
        self.next().checked_rem(count).unwrap_or(0)
    }

    /// From `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low).unsigned_abs() + 1) as i64
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.part() < probability
    }

    /// From 0 up to, not including, 1.
    pub(crate) fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// One of the list, which has something in it.
    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len() as u64) as usize]
    }

    /// The same, by value.
    pub(crate) fn one<T: Copy>(&mut self, list: &[T]) -> T {
        *self.pick(list)
    }

    pub(crate) fn guid(&mut self) -> Guid {
        let wide = (u128::from(self.next()) << 64) | u128::from(self.next());
        // Version 4, variant 1.
        Guid((wide & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62))
    }

    /// A whole number whose mean is `mean`.
    pub(crate) fn about(&mut self, mean: f64) -> usize {
        let whole = mean.floor();
        whole as usize + usize::from(self.chance(mean - whole))
    }
}

/// A random GUID.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Guid(pub(crate) u128);

impl Guid {
    /// The token id of the sign-in with this id (reference §7.1): unpadded base64url of the bytes
    /// in .NET order.
    pub(crate) fn token(self) -> String {
        let mut bytes = self.0.to_be_bytes();
        bytes[0..4].reverse();
        bytes[4..6].reverse();
        bytes[6..8].reverse();
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

impl std::fmt::Display for Guid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = self.0;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            (word >> 96) as u32,
            (word >> 80) as u16,
            (word >> 64) as u16,
            (word >> 48) as u16,
            word & 0xffff_ffff_ffff
        )
    }
}
