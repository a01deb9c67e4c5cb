//! Standard output for data, standard error for talk. Both understand `NO_COLOR`,
//! and neither ever shows a control character of the tenant's.

use std::io::{IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};
use retake_report::escape::visible;

use crate::failure::Failure;

/// What the program says.
pub struct Terminal {
    interactive: bool,
}

/// Bold.
pub const STRONG: Style = Style::new().bold();
/// Dim.
pub const QUIET: Style = Style::new().dimmed();
/// For our side.
pub const OURS: Style = AnsiColor::Green.on_default();
/// For the attacker's side.
pub const THEIRS: Style = AnsiColor::Red.on_default();
/// For what needs a look.
pub const WARN: Style = AnsiColor::Yellow.on_default();

impl Terminal {
    /// The process's own.
    pub fn new() -> Self {
        Self {
            interactive: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
        }
    }

    /// Whether a person can be asked.
    pub fn is_interactive(&self) -> bool {
        self.interactive
    }

    /// A line of data. A closed pipe is no error: whoever reads has enough.
    pub fn data(&self, line: &str) {
        let _ = writeln!(anstream::stdout(), "{line}");
    }

    /// A line of talk.
    pub fn say(&self, line: &str) {
        let _ = writeln!(anstream::stderr(), "{line}");
    }

    /// A failure, with its hint after a blank line.
    pub fn failure(&self, failure: &Failure) {
        self.say(&format!(
            "{THEIRS}error {}{THEIRS:#}: {}",
            failure.code.id,
            safe(&failure.message)
        ));
        if !failure.hint.is_empty() {
            self.say(&format!("\nhint: {}", safe(&failure.hint)));
        }
        self.say(&format!(
            "{QUIET}      retake explain {}{QUIET:#}",
            failure.code.id
        ));
    }
}

impl Default for Terminal {
    fn default() -> Self {
        Self::new()
    }
}

/// A text of the tenant's, safe for a terminal; line breaks of ours stay.
pub fn safe(text: &str) -> String {
    text.split('\n')
        .map(|line| visible(line).into_owned())
        .collect::<Vec<_>>()
        .join("\n")
}
