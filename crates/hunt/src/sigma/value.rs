//! Values of a rule, compiled: wildcards, escapes, modifiers.

use std::net::IpAddr;

use regex::{Regex, RegexBuilder};

use super::yaml::Yaml;
use super::{Refusal, refuse};
use crate::detections::fold;

/// One value that a field is held against.
#[derive(Clone, Debug)]
pub(super) enum Pattern {
    /// No such field, or nothing in it.
    Null,
    /// Any, or no, field of that name.
    Exists(bool),
    Text {
        parts: Vec<Part>,
        cased: bool,
    },
    Regex(Regex),
    Cidr(IpAddr, u8),
    Number(Compare, f64),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Compare {
    Below,
    AtMost,
    Above,
    AtLeast,
}

/// A piece of a text with wildcards; texts are lower case unless cased.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    Text(String),
    /// `?`
    One,
    /// `*`
    Many,
}

/// The modifiers of a field.
#[derive(Clone, Debug, Default)]
pub(super) struct Modifiers {
    pub(super) all: bool,
    cased: bool,
    windash: bool,
    before: bool,
    after: bool,
    regex: bool,
    flags: String,
    cidr: bool,
    exists: bool,
    compare: Option<Compare>,
}

impl Modifiers {
    pub(super) fn parse<'a>(names: impl Iterator<Item = &'a str>) -> Result<Self, super::Refused> {
        let mut have = Self::default();
        for name in names {
            match name {
                "contains" => (have.before, have.after) = (true, true),
                "startswith" => have.after = true,
                "endswith" => have.before = true,
                "all" => have.all = true,
                "cased" => have.cased = true,
                "windash" => have.windash = true,
                "re" => have.regex = true,
                "i" | "m" | "s" if have.regex => have.flags.push_str(name),
                "cidr" => have.cidr = true,
                "exists" => have.exists = true,
                "lt" => have.compare = Some(Compare::Below),
                "lte" => have.compare = Some(Compare::AtMost),
                "gt" => have.compare = Some(Compare::Above),
                "gte" => have.compare = Some(Compare::AtLeast),
                "expand" => {
                    return Err(refuse(
                        Refusal::Placeholder,
                        "a placeholder stands where the organisation's own values belong",
                    ));
                }
                other => {
                    return Err(refuse(
                        Refusal::Modifier,
                        format!("the modifier `{other}` is not known"),
                    ));
                }
            }
        }
        let kinds = [
            have.regex,
            have.cidr,
            have.exists,
            have.compare.is_some(),
            have.before || have.after,
        ];
        if kinds.iter().filter(|kind| **kind).count() > 1 {
            return Err(refuse(
                Refusal::Modifier,
                "modifiers that do not go together",
            ));
        }
        Ok(have)
    }

    /// The patterns of one value: one, or the variants of `windash`.
    pub(super) fn compile(&self, value: &Yaml) -> Result<Vec<Pattern>, super::Refused> {
        let bad = |what: String| refuse(Refusal::Value, what);
        let text = match value {
            Yaml::Null if self.before || self.after || self.regex || self.cidr => {
                return Err(bad("`null` with a modifier".to_owned()));
            }
            Yaml::Null => return Ok(vec![Pattern::Null]),
            Yaml::Text(text) => text,
            _ => return Err(bad("a list or map where a value belongs".to_owned())),
        };
        if self.exists {
            return match text.to_ascii_lowercase().as_str() {
                "true" | "yes" => Ok(vec![Pattern::Exists(true)]),
                "false" | "no" => Ok(vec![Pattern::Exists(false)]),
                _ => Err(bad(format!("`{text}` is neither true nor false"))),
            };
        }
        if let Some(compare) = self.compare {
            return text
                .parse()
                .map(|number| vec![Pattern::Number(compare, number)])
                .map_err(|_| bad(format!("`{text}` is no number")));
        }
        if self.cidr {
            return cidr(text)
                .map(|(address, bits)| vec![Pattern::Cidr(address, bits)])
                .ok_or_else(|| bad(format!("`{text}` is no network")));
        }
        if self.regex {
            return RegexBuilder::new(text)
                .case_insensitive(self.flags.contains('i'))
                .multi_line(self.flags.contains('m'))
                .dot_matches_new_line(self.flags.contains('s'))
                .size_limit(1 << 20)
                .build()
                .map(|regex| vec![Pattern::Regex(regex)])
                .map_err(|error| bad(format!("the regular expression cannot be used: {error}")));
        }
        let mut texts = vec![text.clone()];
        if self.windash && text.contains('-') {
            texts.extend(
                ['/', '\u{2013}', '\u{2014}', '\u{2015}']
                    .map(|sign| text.replacen('-', &sign.to_string(), 1)),
            );
        }
        Ok(texts
            .iter()
            .map(|text| {
                let mut parts = parts(text, self.cased);
                if self.before {
                    parts.insert(0, Part::Many);
                }
                if self.after {
                    parts.push(Part::Many);
                }
                parts.dedup_by(|a, b| *a == Part::Many && *b == Part::Many);
                Pattern::Text {
                    parts,
                    cased: self.cased,
                }
            })
            .collect())
    }
}

/// `*` and `?` are wildcards, unless a backslash stands before them; of two
/// backslashes before a wildcard the first escapes the second.
fn parts(text: &str, cased: bool) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = text.chars().peekable();
    let flush = |plain: &mut String, parts: &mut Vec<Part>| {
        if !plain.is_empty() {
            let text = std::mem::take(plain);
            parts.push(Part::Text(if cased { text } else { text.to_lowercase() }));
        }
    };
    while let Some(c) = rest.next() {
        match c {
            '\\' if matches!(rest.peek(), Some('*' | '?' | '\\')) => plain.extend(rest.next()),
            '*' | '?' => {
                flush(&mut plain, &mut parts);
                parts.push(if c == '*' { Part::Many } else { Part::One });
            }
            c => plain.push(c),
        }
    }
    flush(&mut plain, &mut parts);
    parts
}

fn cidr(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let bits: u8 = bits.parse().ok()?;
    (bits <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, bits))
}

fn inside(address: IpAddr, (network, bits): (IpAddr, u8)) -> bool {
    let same = |a: u128, b: u128, width: u32| {
        let shift = width - u32::from(bits);
        a.checked_shr(shift).unwrap_or(0) == b.checked_shr(shift).unwrap_or(0)
    };
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            same(u128::from(a.to_bits()), u128::from(b.to_bits()), 32)
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => same(a.to_bits(), b.to_bits(), 128),
        _ => false,
    }
}

impl Pattern {
    /// True of a value that a field has.
    pub(super) fn passes(&self, value: &str) -> bool {
        match self {
            Self::Null => value.is_empty(),
            Self::Exists(expected) => *expected,
            Self::Text { parts, cased } => text(parts, *cased, value),
            Self::Regex(regex) => regex.is_match(value),
            Self::Cidr(network, bits) => crate::address::parse(value)
                .is_some_and(|address| inside(address, (*network, *bits))),
            Self::Number(compare, limit) => {
                value
                    .trim()
                    .parse::<f64>()
                    .is_ok_and(|value| match compare {
                        Compare::Below => value < *limit,
                        Compare::AtMost => value <= *limit,
                        Compare::Above => value > *limit,
                        Compare::AtLeast => value >= *limit,
                    })
            }
        }
    }

    /// True of a field that is not there.
    pub(super) fn passes_absent(&self) -> bool {
        matches!(self, Self::Null | Self::Exists(false))
    }
}

fn text(parts: &[Part], cased: bool, value: &str) -> bool {
    use Part::{Many, Text};
    match (parts, cased) {
        ([], _) => value.is_empty(),
        ([Many], _) => true,
        ([Text(text)], false) => fold::equals(value, text),
        ([Text(text), Many], false) => fold::starts_with(value, text),
        ([Many, Text(text)], false) => fold::ends_with(value, text),
        ([Many, Text(text), Many], false) => fold::contains(value, text),
        (parts, false) => glob(parts, &fold::lower(value)),
        (parts, true) => glob(parts, value),
    }
}

/// Tries the wildcards from left to right; of `*` only the last one has to be
/// tried again, so the work is at most the product of both lengths.
fn glob(parts: &[Part], value: &str) -> bool {
    let (mut part, mut rest) = (0, value);
    let mut again: Option<(usize, &str)> = None;
    loop {
        let step = match parts.get(part) {
            Some(Part::Many) => {
                again = Some((part + 1, rest));
                part += 1;
                continue;
            }
            Some(Part::Text(text)) => rest.strip_prefix(text.as_str()),
            Some(Part::One) => {
                let mut chars = rest.chars();
                chars.next().map(|_| chars.as_str())
            }
            None if rest.is_empty() => return true,
            None => None,
        };
        if let Some(next) = step {
            rest = next;
            part += 1;
            continue;
        }
        let Some((from, tried)) = again else {
            return false;
        };
        let mut chars = tried.chars();
        if chars.next().is_none() {
            return false;
        }
        rest = chars.as_str();
        again = Some((from, rest));
        part = from;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn passes(modifiers: &str, pattern: &str, value: &str) -> bool {
        let modifiers =
            Modifiers::parse(modifiers.split('|').filter(|name| !name.is_empty())).unwrap();
        modifiers
            .compile(&Yaml::Text(pattern.to_owned()))
            .unwrap()
            .iter()
            .any(|pattern| pattern.passes(value))
    }

    #[test]
    fn values_mean_what_the_specification_says() {
        for (modifiers, pattern, value, expected) in [
            ("", "Add User", "add user", true),
            ("", "add*r", "Add a user", true),
            ("", "a*b*c", "aXbXbXc", true),
            ("", "a*b*c", "aXbXbX", false),
            ("", "a?c", "abc", true),
            ("", "a?c", "abbc", false),
            ("", r"a\*c", "abc", false),
            ("", r"a\*c", "a*c", true),
            ("", r"C:\x", r"c:\x", true),
            ("", r"a\\*", r"a\bc", true),
            ("contains", "ser", "Add User", true),
            ("startswith", "ser", "Add User", false),
            ("endswith", "USER", "Add User", true),
            ("contains|cased", "user", "Add User", false),
            ("re", "^Add .ser$", "Add User", true),
            ("re", "^add", "Add User", false),
            ("re|i", "^add", "Add User", true),
            ("cidr", "203.0.113.0/24", "203.0.113.9", true),
            ("cidr", "203.0.113.0/24", "203.0.114.9", false),
            ("cidr", "0.0.0.0/0", "203.0.114.9", true),
            ("cidr", "2001:db8::/32", "[2001:db8::1]:443", true),
            ("windash|contains", "-f", "cmd /f", true),
            ("gte", "3", "3", true),
            ("lt", "3", "x", false),
        ] {
            assert_eq!(
                passes(modifiers, pattern, value),
                expected,
                "{modifiers} {pattern} {value}"
            );
        }
        assert!(Modifiers::parse(["base64"].into_iter()).is_err());
        assert!(Modifiers::parse(["re", "contains"].into_iter()).is_err());
    }
}
