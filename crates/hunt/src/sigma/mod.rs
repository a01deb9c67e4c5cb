//! Sigma rules, run on the same events through a field map.
//!
//! A rule runs whole or not at all: what its `logsource`, a field, a modifier
//! or its condition asks for and this table cannot answer makes
//! [`Sigma::refused`], with the reason. What matched carries the rule's
//! `author`, as the Detection Rule License asks.
//!
//! `docs/hunt-sigma.md` has the field map and the language.

mod condition;
mod fields;
mod rule;
mod value;
mod yaml;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

pub use fields::{SERVICES, Service};
pub use rule::Rule;

use crate::answer::{MAX_NAMED, Severity};
use crate::detections::rows::{Row, Rows};
use crate::detections::{Seen, Step};
use crate::event::Event;

/// One rule file is at most so many bytes.
const MAX_FILE: u64 = 1 << 20;

/// Folders inside one another, at most.
const MAX_DEPTH: usize = 16;

/// Why a rule is not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The file is no Sigma rule, or no YAML that is read.
    NotARule,
    /// It is written for a log that is not read.
    Log,
    /// It asks for a field that the log does not have.
    Field,
    /// It uses a modifier that is not known.
    Modifier,
    /// Somebody has to put the organisation's own values into it first.
    Placeholder,
    /// It counts events, or correlates rules.
    Aggregation,
    /// Its condition cannot be read.
    Condition,
    /// A value cannot be read.
    Value,
}

/// A reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Refused {
    /// Of which kind.
    pub kind: Refusal,
    /// In words.
    pub why: String,
}

/// A file that is not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefusedRule {
    /// The file.
    pub path: String,
    /// Of which kind.
    pub kind: Refusal,
    /// In words.
    pub reason: String,
}

fn refuse(kind: Refusal, why: impl Into<String>) -> Refused {
    Refused {
        kind,
        why: why.into(),
    }
}

/// A set of rules.
#[derive(Clone, Debug, Default)]
pub struct Sigma {
    rules: Vec<Rule>,
    refused: Vec<RefusedRule>,
}

/// What one rule found of one user.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SigmaFinding {
    /// The rule's id, empty where it has none.
    pub rule: String,
    /// The rule's title.
    pub title: String,
    /// Who wrote it.
    pub author: String,
    /// How bad, from the rule's level.
    pub severity: Severity,
    /// The rule's tags (`attack.t1098`, …).
    pub tags: Vec<String>,
    /// Whose events they are.
    pub user: String,
    /// Time of the first event.
    pub first: Timestamp,
    /// Time of the last.
    pub last: Timestamp,
    /// How many.
    pub count: usize,
    /// Ids of their records.
    pub events: Vec<String>,
}

/// What all rules found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SigmaAnswer {
    /// How many rules ran.
    pub rules: usize,
    /// Those that did not.
    pub refused: Vec<RefusedRule>,
    /// What was found, worst first, one per rule and user.
    pub findings: Vec<SigmaFinding>,
}

impl Sigma {
    /// Reads a rule file, or every `.yml` and `.yaml` file of a folder and
    /// those in it, in the order of their names. A file that cannot be read
    /// at all is an error; one that cannot be run is refused.
    pub fn add_path(&mut self, path: &Path) -> std::io::Result<()> {
        let mut files = Vec::new();
        if std::fs::metadata(path)?.is_dir() {
            walk(path, MAX_DEPTH, &mut files)?;
            files.sort();
        } else {
            files.push(path.to_owned());
        }
        for file in files {
            let name = file.display().to_string();
            if std::fs::metadata(&file)?.len() > MAX_FILE {
                self.refuse(
                    &name,
                    refuse(Refusal::NotARule, "larger than a rule can be"),
                );
                continue;
            }
            let bytes = std::fs::read(&file)?;
            match String::from_utf8(bytes) {
                Ok(text) => self.add_text(&name, &text),
                Err(_) => self.refuse(&name, refuse(Refusal::NotARule, "not UTF-8")),
            }
        }
        Ok(())
    }

    /// Takes a rule's text.
    pub fn add_text(&mut self, name: &str, text: &str) {
        match Rule::parse(text) {
            Ok(rule) => self.rules.push(rule),
            Err(refused) => self.refuse(name, refused),
        }
    }

    /// Those that run.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Those that do not, and why.
    pub fn refused(&self) -> &[RefusedRule] {
        &self.refused
    }

    /// Makes them ready for a stream.
    pub fn matcher(&self) -> SigmaMatcher<'_> {
        SigmaMatcher {
            rules: &self.rules,
            rows: Rows::new(self.rules.len()),
        }
    }

    /// What they find in these events.
    pub fn find(&self, events: &[Event]) -> SigmaAnswer {
        let mut matcher = self.matcher();
        for (event, number) in events.iter().zip(0..) {
            matcher.feed(number, event);
        }
        SigmaAnswer {
            rules: self.rules.len(),
            refused: self.refused.clone(),
            findings: matcher.finish(),
        }
    }

    fn refuse(&mut self, path: &str, refused: Refused) {
        self.refused.push(RefusedRule {
            path: path.to_owned(),
            kind: refused.kind,
            reason: refused.why,
        });
    }
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let Some(depth) = depth.checked_sub(1) else {
        return Ok(());
    };
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        // A link is not followed: it may lead back.
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&path, depth, files)?;
        } else if path
            .extension()
            .is_some_and(|kind| kind == "yml" || kind == "yaml")
        {
            files.push(path);
        }
    }
    Ok(())
}

/// Rules at work on a stream of events, in any order; see
/// [`Matcher`](crate::detections::Matcher).
#[derive(Debug)]
pub struct SigmaMatcher<'a> {
    rules: &'a [Rule],
    rows: Rows,
}

impl SigmaMatcher<'_> {
    /// Tries the event. `ordinal` is the feeder's own number for it; it has no part in
    /// the judgement.
    pub fn feed(&mut self, ordinal: u64, event: &Event) {
        let seen = Seen::new(event);
        for (number, rule) in self.rules.iter().enumerate() {
            if rule.matches(&seen) {
                let row = Row {
                    time: event.time,
                    id: self.rows.text(&event.record_id),
                    source: event.source,
                    user: self.rows.text(event.user.as_deref().unwrap_or_default()),
                    ordinal,
                    step: Step::Match,
                    group: None,
                    value: None,
                    weight: 1,
                    place: None,
                    depends: None,
                };
                self.rows.push(number, row);
            }
        }
    }

    /// An empty matcher with the same rules, for another thread.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self {
            rules: self.rules,
            rows: Rows::new(self.rules.len()),
        }
    }

    /// Puts what matched on disk; see
    /// [`Matcher::spill`](crate::detections::Matcher::spill).
    ///
    /// # Errors
    ///
    /// When there can be no file for it.
    pub fn spill(&mut self, directory: &Path, most: usize) -> std::io::Result<()> {
        self.rows.spill(directory, most)
    }

    /// Takes over what another matcher of the same rules has seen.
    pub fn merge(&mut self, other: Self) {
        self.rows.merge(other.rows);
    }

    /// What was found, worst first, one per rule and user.
    pub fn finish(self) -> Vec<SigmaFinding> {
        // Only a disk can fail.
        Self::finish_all(vec![self], &|_| true).unwrap_or_default()
    }

    /// The same of several threads' matchers together; `wanted` says of a number
    /// whether its event counts.
    ///
    /// # Errors
    ///
    /// When rows cannot be put on disk, or read back.
    pub fn finish_all(
        matchers: Vec<Self>,
        wanted: &dyn Fn(u64) -> bool,
    ) -> std::io::Result<Vec<SigmaFinding>> {
        let rules = matchers.first().map_or(&[][..], |matcher| matcher.rules);
        let mut parts: Vec<Rows> = matchers.into_iter().map(|matcher| matcher.rows).collect();
        let mut findings = Vec::new();
        Rows::each(&mut parts, wanted, &|_| true, &mut |number, rows| {
            let Some(rule) = rules.get(number) else {
                return;
            };
            let mut users: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
            for row in rows {
                users.entry(&row.user).or_default().push(row);
            }
            findings.extend(users.values().filter_map(|rows| finding(rule, rows)));
        })?;
        findings.sort_by(|a, b| {
            b.severity.cmp(&a.severity).then_with(|| {
                (a.first, &a.title, &a.rule, &a.user).cmp(&(b.first, &b.title, &b.rule, &b.user))
            })
        });
        Ok(findings)
    }
}

/// What a rule says of rows of one user, which are in order.
fn finding(rule: &Rule, rows: &[&Row]) -> Option<SigmaFinding> {
    let (first, last) = (rows.first()?, rows.last()?);
    Some(SigmaFinding {
        rule: rule.id.clone(),
        title: rule.title.clone(),
        author: rule.author.clone(),
        severity: rule.severity,
        tags: rule.tags.clone(),
        user: first.user.to_string(),
        first: first.time,
        last: last.time,
        count: rows.len(),
        events: rows
            .iter()
            .take(MAX_NAMED)
            .map(|row| row.id.to_string())
            .collect(),
    })
}
