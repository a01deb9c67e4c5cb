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

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

pub use fields::{SERVICES, Service};
pub use rule::Rule;

use crate::answer::Severity;
use crate::detections::Seen;
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
            hits: vec![BTreeSet::new(); self.rules.len()],
        }
    }

    /// What they find in these events.
    pub fn find(&self, events: &[Event]) -> SigmaAnswer {
        let mut matcher = self.matcher();
        for event in events {
            matcher.feed(event);
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
#[derive(Clone, Debug)]
pub struct SigmaMatcher<'a> {
    rules: &'a [Rule],
    /// Of each rule. A set, so repeats are one.
    hits: Vec<BTreeSet<Hit>>,
}

/// Time, record id, user.
type Hit = (Timestamp, Arc<str>, Arc<str>);

impl SigmaMatcher<'_> {
    /// Tries the event.
    pub fn feed(&mut self, event: &Event) {
        let seen = Seen::new(event);
        for (rule, hits) in self.rules.iter().zip(&mut self.hits) {
            if rule.matches(&seen) {
                hits.insert((
                    event.time,
                    event.record_id.as_str().into(),
                    event.user.as_deref().unwrap_or_default().into(),
                ));
            }
        }
    }

    /// An empty matcher with the same rules, for another thread.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self {
            rules: self.rules,
            hits: vec![BTreeSet::new(); self.rules.len()],
        }
    }

    /// Takes over what another matcher of the same rules has seen.
    pub fn merge(&mut self, other: Self) {
        for (hits, more) in self.hits.iter_mut().zip(other.hits) {
            hits.extend(more);
        }
    }

    /// What was found, worst first, one per rule and user.
    pub fn finish(self) -> Vec<SigmaFinding> {
        let mut findings = Vec::new();
        for (rule, hits) in self.rules.iter().zip(self.hits) {
            let mut by_user: BTreeMap<Arc<str>, Vec<(Timestamp, Arc<str>)>> = BTreeMap::new();
            for (time, id, user) in hits {
                by_user.entry(user).or_default().push((time, id));
            }
            for (user, events) in by_user {
                let (Some((first, _)), Some((last, _))) = (events.first(), events.last()) else {
                    continue;
                };
                findings.push(SigmaFinding {
                    rule: rule.id.clone(),
                    title: rule.title.clone(),
                    author: rule.author.clone(),
                    severity: rule.severity,
                    tags: rule.tags.clone(),
                    user: user.to_string(),
                    first: *first,
                    last: *last,
                    count: events.len(),
                    events: events.iter().map(|(_, id)| id.to_string()).collect(),
                });
            }
        }
        findings.sort_by(|a, b| {
            b.severity.cmp(&a.severity).then_with(|| {
                (a.first, &a.title, &a.rule, &a.user).cmp(&(b.first, &b.title, &b.rule, &b.user))
            })
        });
        findings
    }
}
