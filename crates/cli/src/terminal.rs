//! Standard output for data, standard error for talk. Both understand `NO_COLOR`,
//! and neither ever shows a control character of the tenant's.

use std::io::{IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};
use retake_report::escape::{json, visible, visible_within};
use retake_report::hunt::Look;

use crate::failure::Failure;

/// What the program says.
pub(crate) struct Terminal {
    interactive: bool,
    json: bool,
}

/// Bold.
pub(crate) const STRONG: Style = Style::new().bold();
/// Dim.
pub(crate) const QUIET: Style = Style::new().dimmed();
/// For our side.
pub(crate) const OURS: Style = AnsiColor::Green.on_default();
/// For the attacker's side.
pub(crate) const THEIRS: Style = AnsiColor::Red.on_default();
/// For what needs a look.
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default();

#[expect(
    clippy::unused_self,
    reason = "who may speak is passed in, though both streams belong to the process"
)]
impl Terminal {
    /// The process's own. With `json`, standard output has one JSON document and
    /// nothing else; words for people go to standard error.
    pub(crate) fn new(json: bool) -> Self {
        Self {
            interactive: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
            json,
        }
    }

    /// Whether a person can be asked.
    pub(crate) fn is_interactive(&self) -> bool {
        self.interactive
    }

    /// Whether a program reads what is printed.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// A line of data, in words. A closed pipe is no error: whoever reads has enough.
    pub(crate) fn data(&self, line: &str) {
        if self.json {
            self.say(line);
        } else {
            self.raw(line);
        }
    }

    /// A line of what is data whoever reads it: a script, a page, a record.
    pub(crate) fn raw(&self, line: &str) {
        let _ = writeln!(anstream::stdout(), "{line}");
    }

    /// The document of a command, for programs. On one line; control characters stand
    /// escaped, as JSON has them, and so does everything else that a terminal could obey
    /// or that changes the order of what is shown.
    pub(crate) fn document(&self, document: &serde_json::Value) {
        self.raw(&json(&document.to_string()));
    }

    /// What the terminal that shows the data can show. Without one, eighty columns, and
    /// more than ASCII unless NO_COLOR asks for plainness. Colour is taken out where it
    /// does not belong when it is written.
    pub(crate) fn look(&self) -> Look {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if !std::io::stdout().is_terminal() {
            return Look {
                unicode: variable("NO_COLOR").is_none(),
                colour: true,
                ..Look::PLAIN
            };
        }
        // The first of these that is set decides, as everywhere.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find_map(variable);
        let unicode = cfg!(windows)
            || locale.is_some_and(|locale| {
                let locale = locale.to_ascii_lowercase();
                locale.contains("utf-8") || locale.contains("utf8")
            });
        let width = terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0));
        Look {
            width,
            unicode,
            colour: true,
        }
    }

    /// How wide the line is that shows how far something is; none where nobody watches.
    pub(crate) fn watched(&self) -> Option<usize> {
        (!self.json && std::io::stderr().is_terminal()).then(|| {
            terminal_size::terminal_size_of(std::io::stderr())
                .map_or(80, |(width, _)| usize::from(width.0))
        })
    }

    /// Shows how far something is, in the place of what was shown before. The text is one
    /// line of ours and fits; an empty one clears the place.
    pub(crate) fn progress(&self, line: &str) {
        let mut stderr = std::io::stderr();
        // To the begin of the line, and nothing of what stood there stays.
        let _ = write!(stderr, "\r\u{1b}[2K{line}");
        let _ = stderr.flush();
    }

    /// A line of talk.
    pub(crate) fn say(&self, line: &str) {
        let _ = writeln!(anstream::stderr(), "{line}");
    }

    /// A failure, with its hint after a blank line; as a document where a program reads.
    pub(crate) fn failure(&self, failure: &Failure) {
        if self.json {
            self.document(&failure.document());
            return;
        }
        self.say(&format!(
            "{THEIRS}error {}{THEIRS:#}: {}",
            failure.code.id,
            safe_at_length(&failure.message)
        ));
        if !failure.hint.is_empty() {
            self.say(&format!("\nhint: {}", safe_at_length(&failure.hint)));
        }
        self.say(&format!(
            "{QUIET}      retake explain {}{QUIET:#}",
            failure.code.id
        ));
    }
}

/// A text of the tenant's, safe for a terminal; line breaks of ours stay.
pub(crate) fn safe(text: &str) -> String {
    text.split('\n')
        .map(|line| visible(line).into_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

/// How much of an explanation is shown: which permission is missing and how it is
/// granted does not fit into what is enough for a name.
const EXPLANATION: usize = 1500;

/// The same for an explanation, which must not end before it says what to do.
pub(crate) fn safe_at_length(text: &str) -> String {
    text.split('\n')
        .map(|line| visible_within(line, EXPLANATION).into_owned())
        .collect::<Vec<_>>()
        .join("\n")
}
