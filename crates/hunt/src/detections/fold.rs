//! Comparing without regard to case, and without making a copy where both
//! sides are ASCII. The pattern is always in lower case already.

use std::borrow::Cow;

/// The text in lower case; borrowed where it is so already.
pub(crate) fn lower(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        }
    } else {
        Cow::Owned(text.to_lowercase())
    }
}

pub(crate) fn equals(text: &str, pattern: &str) -> bool {
    if text.is_ascii() {
        text.eq_ignore_ascii_case(pattern)
    } else {
        text.to_lowercase() == pattern
    }
}

pub(crate) fn contains(text: &str, pattern: &str) -> bool {
    if text.is_ascii() {
        find(text.as_bytes(), pattern.as_bytes()).is_some()
    } else {
        text.to_lowercase().contains(pattern)
    }
}

pub(crate) fn starts_with(text: &str, pattern: &str) -> bool {
    if text.is_ascii() {
        text.as_bytes()
            .get(..pattern.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(pattern.as_bytes()))
    } else {
        text.to_lowercase().starts_with(pattern)
    }
}

pub(crate) fn ends_with(text: &str, pattern: &str) -> bool {
    if text.is_ascii() {
        text.len()
            .checked_sub(pattern.len())
            .and_then(|at| text.as_bytes().get(at..))
            .is_some_and(|tail| tail.eq_ignore_ascii_case(pattern.as_bytes()))
    } else {
        text.to_lowercase().ends_with(pattern)
    }
}

/// The pattern stands in the text with no letter or digit on either side.
pub(crate) fn mentions(text: &str, pattern: &str) -> bool {
    let text = lower(text);
    text.match_indices(pattern).any(|(at, found)| {
        let before = text.get(..at).and_then(|head| head.chars().next_back());
        let after = text
            .get(at + found.len()..)
            .and_then(|tail| tail.chars().next());
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

fn find(text: &[u8], pattern: &[u8]) -> Option<usize> {
    let Some(first) = pattern.first() else {
        return Some(0);
    };
    let last = text.len().checked_sub(pattern.len())?;
    text.get(..=last)?
        .iter()
        .enumerate()
        .position(|(at, byte)| {
            byte.to_ascii_lowercase() == *first
                && text
                    .get(at..at + pattern.len())
                    .is_some_and(|part| part.eq_ignore_ascii_case(pattern))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_agrees_with_lower_case_copies() {
        let texts = [
            "",
            "A",
            "Überweisung",
            "New-InboxRule",
            "aAb",
            "\u{212a}elvin",
            "x\u{130}",
        ];
        let patterns = [
            "",
            "a",
            "ab",
            "über",
            "inboxrule",
            "kelvin",
            "new-",
            "-inboxrule",
        ];
        for text in texts {
            let copy = text.to_lowercase();
            assert_eq!(lower(text), copy);
            for pattern in patterns {
                assert_eq!(equals(text, pattern), copy == pattern, "{text} {pattern}");
                assert_eq!(
                    contains(text, pattern),
                    copy.contains(pattern),
                    "{text} {pattern}"
                );
                assert_eq!(
                    starts_with(text, pattern),
                    copy.starts_with(pattern),
                    "{text} {pattern}"
                );
                assert_eq!(
                    ends_with(text, pattern),
                    copy.ends_with(pattern),
                    "{text} {pattern}"
                );
            }
        }
    }
}
