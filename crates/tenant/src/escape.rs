//! Escaping for each place that a value of the tenant goes to.
//!
//! Names and ids may have been written by an attacker (a rule's name, a
//! guest's address), so nothing reaches a path, a filter, a cmdlet or an error
//! text as it came.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// In a query `,` and `:` also stay, so that a kept URL is readable.
const QUERY: &AsciiSet = &SEGMENT.remove(b',').remove(b':');

/// Longest error text kept, in characters.
const MESSAGE_LIMIT: usize = 400;

/// One path segment, percent-encoded; `None` for what cannot be one: nothing,
/// or only dots, which URL parsers take for "this folder" and "the one above".
pub fn path_segment(value: &str) -> Option<String> {
    if value.bytes().all(|byte| byte == b'.') {
        return None;
    }
    Some(utf8_percent_encode(value, SEGMENT).to_string())
}

/// A value of a query parameter, percent-encoded.
pub fn query_value(value: &str) -> String {
    utf8_percent_encode(value, QUERY).to_string()
}

/// An OData string literal: quoted, quotes inside doubled. Not yet percent-encoded.
pub fn odata_string(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// A PowerShell string literal in single quotes. PowerShell takes four
/// typographic quotes for the plain one, so those are doubled too; line breaks
/// and other control characters cannot stand in a command that a person pastes
/// and become the replacement character.
pub fn powershell_string(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('\'');
    for c in value.chars() {
        match c {
            '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' => {
                text.push(c);
                text.push(c);
            }
            c if unprintable(c) => text.push('\u{fffd}'),
            c => text.push(c),
        }
    }
    text.push('\'');
    text
}

/// A text of a service or of the tenant, fit to be shown in one line: control
/// and direction-changing characters spelled out, white space joined, at most
/// 400 characters.
pub fn message(text: &str) -> String {
    let mut shown = String::new();
    for (count, c) in text.trim().chars().enumerate() {
        if count == MESSAGE_LIMIT {
            shown.push('…');
            break;
        }
        match c {
            '\r' | '\n' | '\t' => {
                if !shown.ends_with(' ') {
                    shown.push(' ');
                }
            }
            c if unprintable(c) => {
                // Writing to a String cannot fail.
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
            }
            c => shown.push(c),
        }
    }
    shown
}

/// Characters that a terminal obeys or that change the reading order.
fn unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guests_address_stays_one_segment() {
        assert_eq!(
            path_segment("eve_evil.example#EXT#@corp.example/../x%2e").as_deref(),
            Some("eve_evil.example%23EXT%23%40corp.example%2F..%2Fx%252e")
        );
        for nothing in ["", ".", ".."] {
            assert_eq!(path_segment(nothing), None);
        }
    }

    #[test]
    fn a_quote_does_not_end_a_filter() {
        assert_eq!(odata_string("o'neil' or 1 eq 1"), "'o''neil'' or 1 eq 1'");
        assert_eq!(query_value("a eq 'b'&x=1"), "a%20eq%20%27b%27%26x%3D1");
    }

    #[test]
    fn typographic_quotes_do_not_end_a_powershell_string() {
        assert_eq!(powershell_string("a’; rm"), "'a’’; rm'");
        assert_eq!(powershell_string("a'\nb"), "'a''\u{fffd}b'");
    }

    #[test]
    fn a_message_cannot_command_a_terminal() {
        assert_eq!(
            message(" a\x1b[2J\r\n b\u{202e}c "),
            "a\\u{1b}[2J  b\\u{202e}c"
        );
        assert!(message(&"x".repeat(5000)).chars().count() <= 401);
    }
}
