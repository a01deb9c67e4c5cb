//! Lines of a terminal: wrapped to its width, and readable without colour.

use std::fmt::Write as _;

use anstyle::Style;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::escape::visible_within;

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Columns; at least 40 are used.
    pub width: usize,
    /// More than ASCII.
    pub unicode: bool,
    /// Colour.
    pub colour: bool,
}

impl Look {
    /// Eighty columns, without colour.
    pub const PLAIN: Self = Self {
        width: 80,
        unicode: true,
        colour: false,
    };
}

/// Where the text of a labelled line begins.
const TEXT: usize = 12;

/// The longest text, in characters, that is looked at for one line.
const LONGEST: usize = 600;

/// Lines, as they are put together.
pub(super) struct Sheet {
    out: String,
    look: Look,
}

impl Sheet {
    pub(super) fn new(look: Look) -> Self {
        let width = look.width.clamp(40, 200);
        Self {
            out: String::new(),
            look: Look { width, ..look },
        }
    }

    pub(super) fn look(&self) -> Look {
        self.look
    }

    pub(super) fn blank(&mut self) {
        self.out.push('\n');
    }

    /// A line of its own, cut at the end.
    pub(super) fn head(&mut self, style: Style, text: &str) {
        let text = fit(&self.shown(text), self.look.width);
        self.styled(style, &text);
        self.out.push('\n');
    }

    /// A line with something at its right end.
    pub(super) fn head_with(&mut self, style: Style, left: &str, right: &str) {
        let right = self.shown(right);
        let room = self.look.width.saturating_sub(right.width() + 2);
        let left = fit(&self.shown(left), room);
        let gap = self.look.width.saturating_sub(left.width() + right.width());
        self.styled(style, &left);
        self.out.push_str(&" ".repeat(gap));
        self.out.push_str(&right);
        self.out.push('\n');
    }

    /// A labelled text, on at most `most` lines.
    pub(super) fn field(&mut self, label: &str, text: &str, most: usize) {
        self.field_in(Style::new(), label, text, most);
    }

    /// The same, the label in colour.
    pub(super) fn field_in(&mut self, style: Style, label: &str, text: &str, most: usize) {
        let lines = wrap(&self.shown(text), self.look.width - TEXT, most);
        for (index, line) in lines.iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            self.out.push_str("  ");
            self.styled(style, label);
            let gap = TEXT.saturating_sub(2 + label.width()).max(1);
            self.out.push_str(&" ".repeat(gap));
            self.out.push_str(line);
            self.out.push('\n');
        }
    }

    /// An indented text, on at most `most` lines, the later ones further in.
    pub(super) fn item(&mut self, text: &str, most: usize) {
        self.item_at(2, text, most);
    }

    /// The same, further in.
    pub(super) fn item_at(&mut self, indent: usize, text: &str, most: usize) {
        let lines = wrap(
            &self.shown(text),
            self.look.width.saturating_sub(indent + 2),
            most,
        );
        for (index, line) in lines.iter().enumerate() {
            let indent = indent + if index == 0 { 0 } else { 2 };
            self.out.push_str(&" ".repeat(indent));
            self.out.push_str(line);
            self.out.push('\n');
        }
    }

    /// A line that is made already and fits.
    pub(super) fn line(&mut self, style: Style, text: &str) {
        self.styled(style, text);
        self.out.push('\n');
    }

    fn styled(&mut self, style: Style, text: &str) {
        if self.look.colour && !text.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(self.out, "{style}{text}{style:#}");
        } else {
            self.out.push_str(text);
        }
    }

    pub(super) fn finish(self) -> String {
        if self.look.unicode {
            self.out
        } else {
            // Where we cut; what came from elsewhere is ASCII by now.
            self.out.replace('…', "~")
        }
    }

    /// A text of anybody's on one line, as this terminal can show it.
    pub(super) fn shown(&self, text: &str) -> String {
        let shown = shown(text);
        if self.look.unicode {
            shown
        } else {
            ascii(&shown)
        }
    }
}

/// A text of anybody's on one line.
pub(super) fn shown(text: &str) -> String {
    visible_within(text, LONGEST).into_owned()
}

/// A name of anybody's within a sentence: short, and in quotation marks.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", fit(&shown(text), 48))
}

/// The text cut to a width, with `…` where something was cut.
pub(super) fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for letter in text.chars() {
        let wide = letter.width().unwrap_or(0);
        if used + wide + 1 > width {
            break;
        }
        used += wide;
        out.push(letter);
    }
    out.push('…');
    out
}

/// The text cut or filled to exactly a width.
pub(super) fn pad(text: &str, width: usize) -> String {
    let mut out = fit(text, width);
    let gap = width.saturating_sub(out.width());
    out.push_str(&" ".repeat(gap));
    out
}

/// Broken at blanks, and within words that are too long, on at most `most`
/// lines; the last ends in `…` where more would follow. Blanks within a line
/// stay as many as they are.
pub(super) fn wrap(text: &str, width: usize, most: usize) -> Vec<String> {
    let width = width.max(8);
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    // Blanks that stand between what is in the line and what comes next.
    let mut gap = 0;
    for word in text.split(' ') {
        let mut word = word;
        if !line.is_empty() && line.width() + gap + word.width() > width {
            lines.push(std::mem::take(&mut line));
            gap = 0;
        }
        if line.is_empty() {
            gap = 0;
        }
        while word.width() > width {
            let (part, rest) = split(word, width);
            lines.push(part.to_owned());
            word = rest;
        }
        if !word.is_empty() {
            line.push_str(&" ".repeat(gap));
            line.push_str(word);
            gap = 0;
        }
        gap += 1;
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    if lines.len() > most {
        lines.truncate(most.max(1));
        if let Some(last) = lines.last_mut() {
            *last = fit(&format!("{last} …"), width);
        }
    }
    lines
}

/// As much of a word as fits, at least one character.
fn split(word: &str, width: usize) -> (&str, &str) {
    let mut used = 0;
    for (at, letter) in word.char_indices() {
        let wide = letter.width().unwrap_or(0);
        if at > 0 && used + wide > width {
            return word.split_at(at);
        }
        used += wide;
    }
    (word, "")
}

/// For a terminal that shows nothing but ASCII.
fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '…' => out.push_str("..."),
            '–' | '−' => out.push('-'),
            '·' => out.push('.'),
            _ if letter.is_ascii() => out.push(letter),
            // Writing to a String cannot fail.
            _ => {
                let _ = write!(out, "[U+{:04X}]", letter as u32);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_blanks_and_long_words_where_they_must() {
        assert_eq!(wrap("one two three", 8, 9), ["one two", "three"]);
        assert_eq!(wrap("abcdefghijklm n", 8, 9), ["abcdefgh", "ijklm n"]);
        assert_eq!(wrap("one two three four", 8, 2), ["one two", "three …"]);
        assert_eq!(wrap("", 8, 2), [""]);
        assert_eq!(wrap("a  b   c", 8, 2), ["a  b   c"]);
        assert_eq!(wrap("a      bcdef", 8, 2), ["a", "bcdef"]);
        // Letters of two columns.
        assert_eq!(wrap("東京東京東京", 8, 9), ["東京東京", "東京"]);
        assert_eq!(fit("東京東京", 5), "東京…");
        assert_eq!(pad("東京", 6), "東京  ");
    }

    #[test]
    fn a_terminal_of_ascii_gets_ascii() {
        let mut sheet = Sheet::new(Look {
            unicode: false,
            ..Look::PLAIN
        });
        sheet.field("name", "Zoë \u{1b}[2J …", 3);
        let out = sheet.finish();
        assert!(out.is_ascii(), "{out}");
        assert!(out.contains("Zo[U+00EB] [U+241B][2J ..."), "{out}");
    }

    #[test]
    fn a_label_stands_before_its_text_and_the_text_below_itself() {
        let mut sheet = Sheet::new(Look {
            width: 40,
            ..Look::PLAIN
        });
        sheet.field(
            "path",
            "token theft, as one session came from two networks",
            3,
        );
        assert_eq!(
            sheet.finish(),
            "  path      token theft, as one session\n            came from two networks\n"
        );
    }
}
