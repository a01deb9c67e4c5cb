//! The texts that people get: warnings, the fraud pack, the briefing, the checklist.
//!
//! Each is a template with named places. The built-in ones are embedded; an organisation
//! puts its own beside them, and one that cannot be used is refused with file, line and
//! reason before a case begins. What fills the places is the tenant's or the attacker's:
//! it is put in once, on one line, and never read as a template itself.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

/// The largest template, in bytes.
pub const LARGEST: usize = 64 * 1024;

/// The longest text that fills a place on one line, in characters.
const LONGEST: usize = 300;

/// One template: its name, what it is for, and its built-in text.
#[derive(Clone, Copy, Debug)]
pub struct TemplateSpec {
    /// Its name; the file is `NAME.txt`.
    pub name: &'static str,
    /// Who reads it, and what for.
    pub purpose: &'static str,
    /// The text that is used where an organisation has none.
    pub built_in: &'static str,
    /// Places that it has besides [`EVERYWHERE`].
    pub places: &'static [&'static str],
}

/// Every template.
pub const TEMPLATES: &[TemplateSpec] = &[
    TemplateSpec {
        name: "fraud-pack",
        purpose: "finance, on the telephone: what to stop, whom to call, what the bank needs",
        built_in: include_str!("../templates/fraud-pack.txt"),
        places: &["sent", "people", "drafts"],
    },
    TemplateSpec {
        name: "warn-finance",
        purpose: "a draft for finance, accounts payable, payroll",
        built_in: include_str!("../templates/warn-finance.txt"),
        places: &[],
    },
    TemplateSpec {
        name: "warn-executives",
        purpose: "a draft for the management",
        built_in: include_str!("../templates/warn-executives.txt"),
        places: &[],
    },
    TemplateSpec {
        name: "warn-vendors",
        purpose: "a draft for vendors and customers who had mail from the mailbox",
        built_in: include_str!("../templates/warn-vendors.txt"),
        places: &[],
    },
    TemplateSpec {
        name: "warn-staff",
        purpose: "a draft for everybody inside",
        built_in: include_str!("../templates/warn-staff.txt"),
        places: &[],
    },
    TemplateSpec {
        name: "user-briefing",
        purpose: "the person whose account it was: what happened, what to tell us at once",
        built_in: include_str!("../templates/user-briefing.txt"),
        places: &["removed"],
    },
    TemplateSpec {
        name: "related-secrets",
        purpose: "a checklist of what else the mail could open",
        built_in: include_str!("../templates/related-secrets.txt"),
        places: &["secrets", "secrets_unknown"],
    },
];

/// The places of every template, and what fills them.
pub const EVERYWHERE: &[(&str, &str)] = &[
    ("account", "the account's sign-in name"),
    ("name", "the person's name"),
    ("case", "the case's id"),
    ("tenant", "the tenant's id"),
    ("responder", "who responds"),
    ("opened", "when the case was opened"),
    ("since", "the first known event of the attacker"),
    ("path", "the path of takeover, with its confidence"),
    (
        "money",
        "whether money or a bank detail has moved, as it was answered",
    ),
    ("read_count", "how many messages are known to be read"),
    ("sent_count", "how many messages were sent by the attacker"),
    ("people_count", "how many people had mail from the attacker"),
];

/// The places that some templates have besides, and what fills them.
pub const ELSEWHERE: &[(&str, &str)] = &[
    (
        "sent",
        "each message that is laid to the attacker, one a line",
    ),
    (
        "people",
        "each person who had mail from the attacker, one a line",
    ),
    (
        "drafts",
        "the four warnings, filled in, one after the other",
    ),
    ("removed", "what was removed and verified, one a line"),
    (
        "secrets",
        "what could be opened, by kind, with the subjects that say so",
    ),
    ("secrets_unknown", "what the list cannot know"),
];

/// A template that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// The file.
    pub file: String,
    /// The line, from 1; nothing where it is the file as a whole.
    pub line: Option<usize>,
    /// What is wrong, and what would be right.
    pub reason: String,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}, line {line}: {}", self.file, self.reason),
            None => write!(f, "{}: {}", self.file, self.reason),
        }
    }
}

impl std::error::Error for TemplateError {}

/// The templates of one organisation: the built-in ones, some replaced.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    own: BTreeMap<&'static str, String>,
}

impl Templates {
    /// Puts a file in the place of a built-in template. `name` is the file's name, `file`
    /// how it is called in an error.
    pub fn replace(&mut self, name: &str, file: &str, bytes: &[u8]) -> Result<(), TemplateError> {
        let refused = |line: Option<usize>, reason: String| TemplateError {
            file: file.to_owned(),
            line,
            reason,
        };
        let names = || {
            let names: Vec<String> = TEMPLATES
                .iter()
                .map(|spec| format!("{}.txt", spec.name))
                .collect();
            names.join(", ")
        };
        let spec = name
            .strip_suffix(".txt")
            .and_then(|name| TEMPLATES.iter().find(|spec| spec.name == name))
            .ok_or_else(|| {
                let reason = format!("no template has this name; there are {}", names());
                refused(None, reason)
            })?;
        if bytes.len() > LARGEST {
            return Err(refused(
                None,
                format!(
                    "it has {} bytes, and a template has at most {LARGEST}",
                    bytes.len()
                ),
            ));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            refused(
                Some(lines(before)),
                "here it is not UTF-8; save it as UTF-8".to_owned(),
            )
        })?;
        // A mark that some editors put before the text is none of it.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        check(spec, text).map_err(|(line, reason)| refused(Some(line), reason))?;
        self.own.insert(spec.name, text.replace("\r\n", "\n"));
        Ok(())
    }

    /// The template of this name, its places filled. A place that has no value here is
    /// "not known".
    pub(crate) fn fill(&self, name: &str, values: &Values) -> String {
        let text = self.text(name);
        let mut filled = String::with_capacity(text.len() * 2);
        let _ = pieces(text, |piece| {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Brace(brace) => filled.push(brace),
                Piece::Place(place) => filled.push_str(values.get(place)),
            }
            Ok(())
        });
        filled
    }

    fn text(&self, name: &str) -> &str {
        self.own.get(name).map_or_else(
            || {
                TEMPLATES
                    .iter()
                    .find(|spec| spec.name == name)
                    .map_or("", |spec| spec.built_in)
            },
            String::as_str,
        )
    }
}

/// What fills the places.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values(BTreeMap<&'static str, String>);

impl Values {
    /// A text of anybody's, on one line.
    pub(crate) fn line(&mut self, place: &'static str, text: &str) {
        let text = one_line(text);
        let text = text.trim();
        if !text.is_empty() {
            self.0.insert(place, text.to_owned());
        }
    }

    /// Lines of our own, each of whose parts went through [`one_line`].
    pub(crate) fn block(&mut self, place: &'static str, lines: &[String]) {
        let text = if lines.is_empty() {
            "none that is known".to_owned()
        } else {
            lines.join("\n")
        };
        self.0.insert(place, text);
    }

    fn get(&self, place: &str) -> &str {
        self.0.get(place).map_or("not known", String::as_str)
    }
}

/// A text of anybody's for one line of a plain document: what would break the line, move
/// the cursor, hide itself or turn the order of letters is shown as a replacement sign,
/// and a long text ends with its length.
pub(crate) fn one_line(text: &str) -> String {
    let mut line: String = text
        .chars()
        .take(LONGEST)
        .map(|c| {
            if c.is_control() {
                ' '
            } else if is_unseen(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        // Writing to a String cannot fail.
        let _ = write!(line, "… [{} characters]", text.chars().count());
    }
    line
}

/// Characters that show nothing or change the order of others.
fn is_unseen(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

enum Piece<'a> {
    Text(&'a str),
    Brace(char),
    Place(&'a str),
}

/// The line that the end of these bytes is on.
fn lines(before: &[u8]) -> usize {
    before.split(|byte| *byte == b'\n').count()
}

fn check(spec: &TemplateSpec, text: &str) -> Result<(), (usize, String)> {
    if let Some(at) = text.find(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        let line = lines(text.get(..at).unwrap_or_default().as_bytes());
        return Err((line, "here is a control character".to_owned()));
    }
    pieces(text, |piece| match piece {
        Piece::Place(place) if !has(spec, place) => {
            let all: Vec<&str> = places(spec).collect();
            Err(format!(
                "`{}` is no place of this template; it has {}. A brace that is meant as itself is written twice",
                one_line(place),
                all.join(", ")
            ))
        }
        _ => Ok(()),
    })
}

/// The places of a template.
pub fn places(spec: &TemplateSpec) -> impl Iterator<Item = &'static str> {
    EVERYWHERE
        .iter()
        .map(|(place, _)| *place)
        .chain(spec.places.iter().copied())
}

fn has(spec: &TemplateSpec, place: &str) -> bool {
    places(spec).any(|known| known == place)
}

/// Reads a text piece by piece; the line and the reason where it cannot be read.
fn pieces<'a>(
    text: &'a str,
    mut take: impl FnMut(Piece<'a>) -> Result<(), String>,
) -> Result<(), (usize, String)> {
    let mut rest = text;
    loop {
        let line = lines(
            text.get(..text.len() - rest.len())
                .unwrap_or_default()
                .as_bytes(),
        );
        let Some(at) = rest.find(['{', '}']) else {
            return take(Piece::Text(rest)).map_err(|reason| (line, reason));
        };
        let (before, from) = rest.split_at(at);
        let line = line + before.matches('\n').count();
        let located = |reason: String| (line, reason);
        take(Piece::Text(before)).map_err(located)?;
        if let Some(after) = from.strip_prefix("{{") {
            take(Piece::Brace('{')).map_err(located)?;
            rest = after;
        } else if let Some(after) = from.strip_prefix("}}") {
            take(Piece::Brace('}')).map_err(located)?;
            rest = after;
        } else if from.starts_with('}') {
            return Err((
                line,
                "here a brace closes that was not opened; one that is meant as itself is written twice"
                    .to_owned(),
            ));
        } else {
            let inside = from.get(1..).unwrap_or_default();
            let closed = inside
                .find(['}', '{', '\n'])
                .filter(|end| inside.get(*end..).is_some_and(|rest| rest.starts_with('}')));
            let Some(end) = closed else {
                return Err((
                    line,
                    "here a brace is opened and not closed on its line".to_owned(),
                ));
            };
            let (place, after) = inside.split_at(end);
            take(Piece::Place(place)).map_err(located)?;
            rest = after.get(1..).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn refused(name: &str, bytes: &[u8]) -> TemplateError {
        Templates::default()
            .replace(name, "home/templates/x", bytes)
            .unwrap_err()
    }

    #[test]
    fn every_built_in_template_follows_the_format_and_uses_its_places() {
        for spec in TEMPLATES {
            check(spec, spec.built_in).unwrap();
            for place in spec.places {
                let written = format!("{{{place}}}");
                assert!(spec.built_in.contains(&written), "{}: {place}", spec.name);
                assert!(ELSEWHERE.iter().any(|(known, _)| known == place));
            }
            assert!(spec.built_in.contains("{account}"), "{}", spec.name);
        }
    }

    #[test]
    fn a_template_that_cannot_be_used_is_refused_with_line_and_reason() {
        let cases: [(&str, &[u8], Option<usize>, &str); 8] = [
            (
                "warn-staff.txt",
                b"one\ntwo {acount}\n",
                Some(2),
                "`acount` is no place",
            ),
            (
                "warn-staff.txt",
                b"one\n\n{account\nnext}",
                Some(3),
                "not closed",
            ),
            (
                "warn-staff.txt",
                b"{{fine}}\nand } not",
                Some(2),
                "not opened",
            ),
            ("warn-staff.txt", b"a\nb\n\xff\xfe", Some(3), "not UTF-8"),
            (
                "warn-staff.txt",
                b"a\n\x1b[2J",
                Some(2),
                "control character",
            ),
            ("warn-staff.txt", b"{sent}", Some(1), "`sent` is no place"),
            ("warn-everybody.txt", b"x", None, "warn-staff.txt"),
            ("warn-staff.md", b"x", None, "no template has this name"),
        ];
        for (name, bytes, line, reason) in cases {
            let error = refused(name, bytes);
            assert_eq!(error.line, line, "{error}");
            assert!(error.reason.contains(reason), "{error}");
            assert_eq!(error.file, "home/templates/x");
        }
        let large = refused("warn-staff.txt", &vec![b'x'; LARGEST + 1]);
        assert!(large.reason.contains("65537 bytes"), "{large}");
    }

    #[test]
    fn a_template_of_the_organisation_takes_the_built_in_ones_place() {
        let mut templates = Templates::default();
        let text = "\u{feff}Dear all,\r\n{name} {{sic}} {account}\r\n";
        templates
            .replace("warn-staff.txt", "f", text.as_bytes())
            .unwrap();
        let mut values = Values::default();
        values.line("name", "Li Wei");
        assert_eq!(
            templates.fill("warn-staff", &values),
            "Dear all,\nLi Wei {sic} not known\n"
        );
        assert!(templates.fill("warn-vendors", &values).contains("Li Wei"));
    }

    #[test]
    fn what_fills_a_place_is_one_line_and_never_a_template() {
        let mut values = Values::default();
        values.line("name", "{account}\r\nNOW PAY\u{202e}\u{1b}[2J");
        values.line("account", &"a".repeat(1_000_000));
        let filled = Templates::default().fill("warn-staff", &values);
        assert!(
            filled.contains("{account}  NOW PAY\u{fffd} [2J"),
            "{filled}"
        );
        assert!(filled.contains("… [1000000 characters]"));
        assert!(filled.len() < 4_000);
        assert_eq!(
            filled.lines().count(),
            TEMPLATES[4].built_in.lines().count()
        );
    }
}
