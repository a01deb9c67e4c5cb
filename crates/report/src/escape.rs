//! Makes texts that somebody else wrote harmless, one function for each exit.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The longest text that [`visible`] lets through, in characters.
pub const LONGEST: usize = 200;

/// A text for a terminal or any other place that shows characters: control
/// characters (so ANSI sequences and line feeds), bidirectional overrides and
/// characters that show nothing become visible, and what is longer than
/// [`LONGEST`] ends in `…` and says how long it was.
pub fn visible(text: &str) -> Cow<'_, str> {
    visible_within(text, LONGEST)
}

/// The same with another limit, in characters.
pub fn visible_within(text: &str, longest: usize) -> Cow<'_, str> {
    // Most texts are short and plain, and pass as they are.
    if text.len() <= longest && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len().min(longest * 4));
    let mut marks = 0;
    for (index, letter) in text.chars().enumerate() {
        if index == longest {
            // Counting stops nothing: the text is in memory already.
            let _ = write!(shown, "… [{} characters]", text.chars().count());
            break;
        }
        marks = if is_mark(letter) { marks + 1 } else { 0 };
        match letter {
            // Control pictures: one character for one.
            '\0'..='\u{1f}' => shown.push(char::from_u32(0x2400 + letter as u32).unwrap_or('?')),
            '\u{7f}' => shown.push('␡'),
            // Writing to a String cannot fail. A pile of marks on one letter would
            // run over the lines above and below.
            _ if is_unseen(letter) || marks > 3 => {
                let _ = write!(shown, "[U+{:04X}]", letter as u32);
            }
            _ => shown.push(letter),
        }
    }
    Cow::Owned(shown)
}

/// A text for one line of Markdown, also within a table: [`visible`], and nothing
/// in it is markup, an HTML tag or a link.
pub fn markdown(text: &str) -> String {
    markdown_of(&visible(text), true)
}

/// JSON in which every character beyond ASCII letters, signs and blanks is written as its
/// number: the same document, and harmless wherever its text is shown.
pub fn json(document: &str) -> String {
    let mut text = String::with_capacity(document.len());
    for letter in document.chars() {
        if (' '..='~').contains(&letter) || letter == '\n' {
            text.push(letter);
        } else {
            let mut units = [0; 2];
            for unit in letter.encode_utf16(&mut units) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}

/// A name for a file, from a text that may be anybody's: small letters, digits and
/// hyphens alone, at most 60 of them, and never empty.
pub fn file_name(text: &str) -> String {
    let mut name = String::new();
    for letter in text.chars().take(240) {
        let letter = letter.to_ascii_lowercase();
        if letter.is_ascii_lowercase() || letter.is_ascii_digit() {
            name.push(letter);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
        if name.len() == 60 {
            break;
        }
    }
    let name = name.trim_end_matches('-');
    if name.is_empty() {
        "unnamed".to_owned()
    } else {
        name.to_owned()
    }
}

/// The same for a text that is already visible. `begins` says that it may stand at
/// the beginning of a block, where digits and signs have a meaning of their own.
pub(crate) fn markdown_of(visible: &str, begins: bool) -> String {
    let mut escaped = String::with_capacity(visible.len() + 8);
    let mut rest = visible.char_indices().peekable();
    // Digits at the beginning with a dot behind them would be a numbered item.
    let number = visible
        .find(|c: char| !c.is_ascii_digit())
        .filter(|end| begins && *end > 0 && visible[*end..].starts_with(['.', ')']));
    while let Some((at, letter)) = rest.next() {
        let next = rest.peek().map(|(_, next)| *next);
        match letter {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            // Bare addresses become links in many readers.
            ':' if next == Some('/') => escaped.push_str("\\:"),
            '.' if at >= 3
                && visible
                    .get(at - 3..at)
                    .is_some_and(|before| before.eq_ignore_ascii_case("www")) =>
            {
                escaped.push_str("\\.");
            }
            '#' | '-' | '+' | '=' if begins && at == 0 => {
                escaped.push('\\');
                escaped.push(letter);
            }
            '.' | ')' if number == Some(at) => {
                escaped.push('\\');
                escaped.push(letter);
            }
            // Four blanks at the beginning would be a block of code.
            ' ' if begins && at == 0 => escaped.push_str("&#32;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

/// Characters that show nothing, change what others look like, or change their
/// order.
fn is_unseen(letter: char) -> bool {
    matches!(letter,
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}' | '\u{1160}'
        | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0e}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Marks that are put on the letter before: the blocks made of nothing else.
fn is_mark(letter: char) -> bool {
    matches!(letter,
        '\u{300}'..='\u{36f}'
        | '\u{483}'..='\u{489}'
        | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_pass_as_they_are() {
        for name in [
            "Li Wei",
            "Zoë Ångström",
            "王伟",
            "שלום",
            "",
            "a.b@example.org",
        ] {
            assert_eq!(visible(name), name);
        }
        assert!(matches!(visible("Li Wei"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown_instead() {
        assert_eq!(visible("a\u{1b}[2Jb\r\n\tc\u{7f}"), "a␛[2Jb␍␊␉c␡");
        assert_eq!(visible("\u{9b}31m"), "[U+009B]31m");
        assert_eq!(visible("inv\u{202e}fdp.exe"), "inv[U+202E]fdp.exe");
        assert_eq!(visible("ad\u{200b}min"), "ad[U+200B]min");
        assert_eq!(visible("e\u{301}").chars().count(), 2);
        let pile = format!("Z{}", "\u{336}".repeat(50));
        assert!(visible(&pile).chars().filter(|c| *c == '\u{336}').count() <= 3);
    }

    #[test]
    fn a_long_text_ends() {
        let long = "ä".repeat(5000);
        let shown = visible(&long);
        assert!(shown.ends_with("ä… [5000 characters]"), "{shown}");
        assert_eq!(shown.chars().filter(|c| *c == 'ä').count(), LONGEST);
        assert_eq!(visible_within("abc", 3), "abc");
        assert_eq!(visible_within("abcd", 3), "abc… [4 characters]");
    }

    #[test]
    fn nothing_in_markdown_stays_markup() {
        assert_eq!(
            markdown("a|b `c` [d](https://e) <img src=x> *f* &amp; ![g]"),
            "a\\|b \\`c\\` \\[d\\](https\\://e) &lt;img src=x&gt; \\*f\\* &amp;amp; !\\[g\\]"
        );
        assert_eq!(markdown("# y\n# z"), "\\# y␊# z");
        assert_eq!(markdown("- z"), "\\- z");
        assert_eq!(markdown("12. z"), "12\\. z");
        assert_eq!(markdown("    z"), "&#32;   z");
        assert_eq!(markdown("www.example.org"), "www\\.example.org");
    }
}
