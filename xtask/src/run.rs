//! Programs called, and what is said about them.

use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Failure;

/// A program with its arguments, to be run from the root of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    program: OsString,
    arguments: Vec<String>,
    environment: Vec<(String, OsString)>,
}

impl Call {
    /// `cargo` with `arguments` given in one string, split at spaces.
    pub(crate) fn cargo(arguments: &str) -> Call {
        Call::new("cargo", arguments)
    }

    /// Any program. `cargo` means the cargo that started us.
    pub(crate) fn new(program: &str, arguments: &str) -> Call {
        Call {
            program: program.into(),
            arguments: arguments.split_whitespace().map(str::to_owned).collect(),
            environment: Vec::new(),
        }
    }

    /// One argument more, taken as it is.
    pub(crate) fn arg(mut self, argument: impl Into<String>) -> Call {
        self.arguments.push(argument.into());
        self
    }

    /// More arguments in one string, split at spaces.
    pub(crate) fn args(mut self, arguments: &str) -> Call {
        self.arguments
            .extend(arguments.split_whitespace().map(str::to_owned));
        self
    }

    /// One environment variable more.
    pub(crate) fn env(mut self, name: &str, value: impl Into<OsString>) -> Call {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// As one would type it.
    pub(crate) fn shown(&self) -> String {
        let mut words: Vec<String> = self
            .environment
            .iter()
            .map(|(name, value)| format!("{name}={}", quoted(&value.to_string_lossy())))
            .collect();
        words.push(self.program.to_string_lossy().into_owned());
        words.extend(self.arguments.iter().map(|argument| quoted(argument)));
        words.join(" ")
    }

    /// Runs it, its output going where ours goes.
    pub(crate) fn run(&self, root: &Path) -> Result<(), Failure> {
        let status = self
            .command(root)
            .status()
            .map_err(|error| self.did_not_start(&error))?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("{} gave {status}", self.shown()))
        }
    }

    /// Runs it and also keeps the lines of its standard error that `keep` picks.
    pub(crate) fn run_keeping(
        &self,
        root: &Path,
        keep: fn(&str) -> bool,
    ) -> (Result<(), Failure>, Vec<String>) {
        let mut kept = Vec::new();
        let mut child = match self.command(root).stderr(Stdio::piped()).spawn() {
            Ok(child) => child,
            Err(error) => return (Err(self.did_not_start(&error)), kept),
        };
        if let Some(pipe) = child.stderr.take() {
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                let _ = writeln!(std::io::stderr(), "{line}");
                if keep(&line) {
                    kept.push(line);
                }
            }
        }
        let outcome = match child.wait() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("{} gave {status}", self.shown())),
            Err(error) => Err(self.did_not_start(&error)),
        };
        (outcome, kept)
    }

    /// Runs it in silence and gives its standard output.
    pub(crate) fn output(&self, root: &Path) -> Result<Vec<u8>, Failure> {
        let output = self
            .command(root)
            .output()
            .map_err(|error| self.did_not_start(&error))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!(
            "{} gave {}\n{}",
            self.shown(),
            output.status,
            said.trim_end()
        ))
    }

    /// Whether it runs in silence and succeeds.
    pub(crate) fn works(&self, root: &Path) -> bool {
        self.output(root).is_ok()
    }

    fn command(&self, root: &Path) -> Command {
        let program = if self.program == "cargo" {
            env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
        } else {
            self.program.clone()
        };
        let mut command = Command::new(program);
        command.args(&self.arguments).current_dir(root);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn did_not_start(&self, error: &std::io::Error) -> Failure {
        format!("{} did not start: {error}", self.shown())
    }
}

/// What to tell a program whose output goes through a pipe of ours about colour.
pub(crate) fn colour() -> &'static str {
    if std::io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none() {
        "always"
    } else {
        "auto"
    }
}

/// Runs `work` and says how long it took.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let outcome = work();
    (outcome, start.elapsed())
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_shown_so_that_it_can_be_repeated() {
        let call = Call::cargo("nextest run")
            .arg("-E")
            .arg("test(=it's)")
            .env("A", "b c");
        assert_eq!(
            call.shown(),
            r"A='b c' cargo nextest run -E 'test(=it'\''s)'"
        );
    }
}
