//! Bytes to text as they come: UTF-8 and UTF-16, with or without a byte-order
//! mark.

/// Bytes that are looked at before the encoding is settled.
const MARK: usize = 4;

#[derive(Clone, Copy, Debug)]
enum Encoding {
    Utf8,
    Utf16(fn([u8; 2]) -> u16),
}

/// Decodes a stream piece by piece; how it is cut into pieces changes nothing.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    encoding: Option<Encoding>,
    /// The begin of a character whose rest is still to come.
    carry: Vec<u8>,
    /// The first half of a pair whose second is still to come.
    high: Option<u16>,
    replaced: bool,
}

impl Decoder {
    /// Decodes the next bytes, the last ones with `end`.
    pub(super) fn push(&mut self, bytes: &[u8], end: bool, text: &mut String) {
        let joined;
        let bytes = if self.carry.is_empty() {
            bytes
        } else {
            joined = [std::mem::take(&mut self.carry).as_slice(), bytes].concat();
            &joined
        };
        let bytes = match self.encoding {
            Some(_) => bytes,
            None if bytes.len() < MARK && !end => {
                self.carry = bytes.to_vec();
                return;
            }
            None => self.settle(bytes),
        };
        match self.encoding {
            Some(Encoding::Utf16(read)) => self.utf16(bytes, read, end, text),
            _ => self.utf8(bytes, end, text),
        }
    }

    /// What had to be done to read it, if it has to be told.
    pub(super) fn note(&self) -> Option<String> {
        let what = match self.encoding {
            Some(Encoding::Utf16(_)) => "UTF-16",
            _ => "UTF-8",
        };
        self.replaced
            .then(|| format!("bytes that are not {what} were replaced by U+FFFD"))
    }

    /// The encoding, from the first bytes; what follows the mark.
    fn settle<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (encoding, rest) = match bytes {
            [0xef, 0xbb, 0xbf, rest @ ..] => (Encoding::Utf8, rest),
            [0xff, 0xfe, rest @ ..] => (Encoding::Utf16(u16::from_le_bytes), rest),
            [0xfe, 0xff, rest @ ..] => (Encoding::Utf16(u16::from_be_bytes), rest),
            // No mark: ASCII text in UTF-16 shows as every other byte being zero.
            [a, 0, b, 0, ..] if *a != 0 && *b != 0 => (Encoding::Utf16(u16::from_le_bytes), bytes),
            [0, a, 0, b, ..] if *a != 0 && *b != 0 => (Encoding::Utf16(u16::from_be_bytes), bytes),
            _ => (Encoding::Utf8, bytes),
        };
        self.encoding = Some(encoding);
        rest
    }

    fn utf8(&mut self, mut bytes: &[u8], end: bool, text: &mut String) {
        loop {
            let error = match std::str::from_utf8(bytes) {
                Ok(whole) => return text.push_str(whole),
                Err(error) => error,
            };
            let (sound, rest) = bytes
                .split_at_checked(error.valid_up_to())
                .unwrap_or_default();
            // It was just found to be sound.
            text.push_str(std::str::from_utf8(sound).unwrap_or_default());
            match error.error_len() {
                None if !end => {
                    self.carry = rest.to_vec();
                    return;
                }
                length => {
                    self.replaced = true;
                    text.push(char::REPLACEMENT_CHARACTER);
                    bytes = rest.get(length.unwrap_or(rest.len())..).unwrap_or_default();
                }
            }
        }
    }

    fn utf16(&mut self, bytes: &[u8], read: fn([u8; 2]) -> u16, end: bool, text: &mut String) {
        let pairs = bytes.chunks_exact(2);
        let odd = pairs.remainder();
        for pair in pairs {
            let unit = match pair {
                [a, b] => read([*a, *b]),
                _ => 0,
            };
            self.unit(unit, text);
        }
        if !end {
            self.carry = odd.to_vec();
            return;
        }
        if self.high.take().is_some() || !odd.is_empty() {
            self.replace(text);
        }
    }

    fn unit(&mut self, unit: u16, text: &mut String) {
        if let Some(high) = self.high.take() {
            if let Some(Ok(whole)) = char::decode_utf16([high, unit]).next() {
                return text.push(whole);
            }
            self.replace(text);
        }
        match char::decode_utf16([unit]).next() {
            Some(Ok(whole)) => text.push(whole),
            _ if (0xd800..0xdc00).contains(&unit) => self.high = Some(unit),
            _ => self.replace(text),
        }
    }

    fn replace(&mut self, text: &mut String) {
        self.replaced = true;
        text.push(char::REPLACEMENT_CHARACTER);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8], piece: usize) -> (String, bool) {
        let mut decoder = Decoder::default();
        let mut text = String::new();
        for piece in bytes.chunks(piece) {
            decoder.push(piece, false, &mut text);
        }
        decoder.push(&[], true, &mut text);
        (text, decoder.note().is_some())
    }

    #[test]
    fn a_text_is_the_same_however_it_is_cut() {
        let wide = |text: &str| -> Vec<u8> {
            let units = text.encode_utf16();
            [0xff, 0xfe]
                .into_iter()
                .chain(units.flat_map(u16::to_le_bytes))
                .collect()
        };
        let cases: [(Vec<u8>, &str, bool); 7] = [
            ("añ–𝄞b".into(), "añ–𝄞b", false),
            (b"a\xf0\x9d\x84b\xff".to_vec(), "a\u{fffd}b\u{fffd}", true),
            (b"\xef\xbb\xbfx".to_vec(), "x", false),
            (wide("a𝄞b"), "a𝄞b", false),
            (
                b"\xff\xfea\0\x34\xd8b\0\x34\xd8".to_vec(),
                "a\u{fffd}b\u{fffd}",
                true,
            ),
            (b"\xff\xfea\0\0".to_vec(), "a\u{fffd}", true),
            (b"\0a\0b".to_vec(), "ab", false),
        ];
        for (bytes, text, replaced) in cases {
            for piece in 1..=bytes.len() {
                assert_eq!(
                    decoded(&bytes, piece),
                    (text.to_owned(), replaced),
                    "{bytes:?} by {piece}"
                );
            }
        }
    }
}
