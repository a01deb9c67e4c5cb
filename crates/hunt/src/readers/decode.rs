//! Bytes to text: UTF-8 and UTF-16, with or without a byte-order mark.

use std::borrow::Cow;

/// The text, and what had to be replaced to read it.
pub(super) fn decode(bytes: &[u8]) -> (Cow<'_, str>, Vec<String>) {
    let mut notes = Vec::new();
    let (text, what) = match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => (String::from_utf8_lossy(rest), "UTF-8"),
        [0xff, 0xfe, rest @ ..] => (utf16(rest, u16::from_le_bytes), "UTF-16"),
        [0xfe, 0xff, rest @ ..] => (utf16(rest, u16::from_be_bytes), "UTF-16"),
        // No mark: ASCII text in UTF-16 shows as every other byte being zero.
        [a, 0, b, 0, ..] if *a != 0 && *b != 0 => (utf16(bytes, u16::from_le_bytes), "UTF-16"),
        [0, a, 0, b, ..] if *a != 0 && *b != 0 => (utf16(bytes, u16::from_be_bytes), "UTF-16"),
        _ => (String::from_utf8_lossy(bytes), "UTF-8"),
    };
    // A borrowed text had nothing replaced; an owned one may have had the
    // character in it already.
    if matches!(text, Cow::Owned(_)) && text.contains('\u{fffd}') {
        notes.push(format!("bytes that are not {what} were replaced by U+FFFD"));
    }
    (text, notes)
}

fn utf16(bytes: &[u8], read: fn([u8; 2]) -> u16) -> Cow<'static, str> {
    let units = bytes.chunks_exact(2).map(|pair| match pair {
        [a, b] => read([*a, *b]),
        _ => 0,
    });
    let mut text: String = char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    if bytes.len() % 2 == 1 {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    Cow::Owned(text)
}
