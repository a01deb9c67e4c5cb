//! Detections: content in `detections/*.toml`, one file each.
//!
//! A file has an id that is never used again, a title, why it matters,
//! severity, ATT&CK techniques, confidence, a `match` in the language of
//! [`expression`], optionally a `correlate` table, known good causes,
//! suggested actions, and records that must raise it and that must not.
//! Without both kinds of records a file is refused.

mod builtin;
mod column;
mod correlate;
pub mod expression;
pub(crate) mod fold;
mod matcher;
mod parse;
mod record;
pub(crate) mod rows;

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

pub(crate) use column::{Column, Seen};
pub use correlate::Correlate;
pub use expression::{Context, Expression, ExpressionError};
pub(crate) use matcher::digest;
pub use matcher::{Matcher, RaisedRows};
pub(crate) use matcher::{Step, add_own_domains};

use crate::answer::{Finding, Severity};
use crate::event::Event;
use crate::readers::Import;

/// One detection.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// Its id, never used again for another.
    pub id: String,
    /// What it found, in a few words.
    pub title: String,
    /// Why it matters.
    pub why: String,
    /// How bad.
    pub severity: Severity,
    /// ATT&CK techniques.
    pub technique: Vec<String>,
    /// How often it is right, 0 to 1.
    pub confidence: f64,
    /// Whether it counts in the verdict on a user; not where the verdict
    /// judges the same thing from the user's own past.
    pub score: bool,
    /// What an event must look like.
    pub expression: Expression,
    /// What events must do together.
    pub correlate: Option<Correlate>,
    /// Harmless causes.
    pub known_good: Vec<String>,
    /// What to do about it.
    pub actions: Vec<String>,
    /// Records that must raise it.
    pub must: Vec<Fixture>,
    /// Records that must not.
    pub must_not: Vec<Fixture>,
}

/// Records that a detection is tried on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixture {
    /// What they show.
    pub what: String,
    /// The records, in any form that can be imported.
    pub records: String,
}

/// Why a file is no detection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("detection {file}: {why}")]
pub struct DetectionError {
    /// The file, or the id where it is known.
    pub file: String,
    /// What is wrong with it.
    pub why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DetectionText {
    id: String,
    title: String,
    why: String,
    severity: Severity,
    technique: Vec<String>,
    confidence: f64,
    #[serde(default = "yes")]
    score: bool,
    r#match: String,
    correlate: Option<correlate::CorrelateText>,
    known_good: Vec<String>,
    actions: Vec<String>,
    #[serde(default)]
    must: Vec<Fixture>,
    #[serde(default)]
    must_not: Vec<Fixture>,
}

fn yes() -> bool {
    true
}

impl Detection {
    /// Reads a detection's file.
    pub fn parse(file: &str, text: &str) -> Result<Self, DetectionError> {
        let fail = |why: String| DetectionError {
            file: file.to_owned(),
            why,
        };
        let text: DetectionText = toml::from_str(text).map_err(|error| fail(error.to_string()))?;
        if text.must.is_empty() || text.must_not.is_empty() {
            return Err(fail(
                "records that must raise it, and records that must not, are both needed".to_owned(),
            ));
        }
        if text.known_good.is_empty() || text.actions.is_empty() || text.technique.is_empty() {
            return Err(fail(
                "`technique`, `known_good` and `actions` may not be empty".to_owned(),
            ));
        }
        if !(0.0..=1.0).contains(&text.confidence) {
            return Err(fail("`confidence` goes from 0 to 1".to_owned()));
        }
        let expression = Expression::parse(&text.r#match)
            .map_err(|error| fail(format!("in `match`, {error}")))?;
        let correlate = text
            .correlate
            .map(correlate::CorrelateText::check)
            .transpose()
            .map_err(|why| fail(format!("in `correlate`, {why}")))?;
        Ok(Self {
            id: text.id,
            title: text.title,
            why: text.why,
            severity: text.severity,
            technique: text.technique,
            confidence: text.confidence,
            score: text.score,
            expression,
            correlate,
            known_good: text.known_good,
            actions: text.actions,
            must: text.must,
            must_not: text.must_not,
        })
    }

    /// Tries the detection on its own records; says which it fails.
    pub fn try_fixtures(&self) -> Result<(), DetectionError> {
        let fail = |what: &str, why: &str| DetectionError {
            file: self.id.clone(),
            why: format!("{why}: {what}"),
        };
        let cases = self
            .must
            .iter()
            .map(|fixture| (fixture, true))
            .chain(self.must_not.iter().map(|fixture| (fixture, false)));
        for (fixture, expected) in cases {
            let mut import = Import::new();
            import.add_bytes(&fixture.what, fixture.records.as_bytes());
            let imported = import.finish();
            if imported.counts.kept == 0 || imported.counts.damaged > 0 {
                return Err(fail(&fixture.what, "records that cannot be read"));
            }
            let own = own_domains(&imported.events);
            let detections = Detections(vec![self.clone()]);
            let raised = !detections.find(&imported.events, &own).is_empty();
            if raised != expected {
                return Err(fail(
                    &fixture.what,
                    if expected {
                        "not raised by"
                    } else {
                        "raised by"
                    },
                ));
            }
        }
        Ok(())
    }
}

/// A set of detections; none by default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detections(Vec<Detection>);

impl Detections {
    /// Those of the folder `detections/`, which are compiled in.
    pub fn builtin() -> Result<Self, DetectionError> {
        let mut detections = Vec::new();
        for (file, text) in builtin::FILES {
            detections.push(Detection::parse(file, text)?);
        }
        Ok(Self(detections))
    }

    /// The same where no error can be told: a test proves that there is none.
    pub(crate) fn builtin_or_none() -> Self {
        Self::builtin().unwrap_or(Self(Vec::new()))
    }

    /// Adds a detection, in place of one with the same id.
    pub fn add(&mut self, detection: Detection) {
        self.0.retain(|have| have.id != detection.id);
        self.0.push(detection);
        self.0.sort_by(|a, b| a.id.cmp(&b.id));
    }

    /// Adds those of a file, or of every `.toml` file of a folder, in place of
    /// those with the same id. Each is tried on its own records first.
    pub fn add_path(&mut self, path: &Path) -> Result<(), DetectionError> {
        let name = |path: &Path| path.display().to_string();
        let fail = |path: &Path, error: &std::io::Error| DetectionError {
            file: name(path),
            why: format!("it cannot be read: {error}"),
        };
        let mut files = Vec::new();
        if path.is_dir() {
            for entry in std::fs::read_dir(path).map_err(|error| fail(path, &error))? {
                let file = entry.map_err(|error| fail(path, &error))?.path();
                if file.extension().is_some_and(|kind| kind == "toml") {
                    files.push(file);
                }
            }
            files.sort();
        } else {
            files.push(path.to_owned());
        }
        if files.is_empty() {
            return Err(DetectionError {
                file: name(path),
                why: "there is no `.toml` file in it".to_owned(),
            });
        }
        for file in files {
            let text = std::fs::read_to_string(&file).map_err(|error| fail(&file, &error))?;
            let detection = Detection::parse(&name(&file), &text)?;
            detection.try_fixtures()?;
            self.add(detection);
        }
        Ok(())
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Detection> {
        self.0.iter()
    }

    /// What they find, worst first, one finding per detection and user.
    pub fn find(&self, events: &[Event], own_domains: &BTreeSet<String>) -> Vec<Finding> {
        let mut matcher = self.matcher();
        for (event, number) in events.iter().zip(0..) {
            matcher.feed(number, event);
        }
        matcher
            .finish(Some(own_domains))
            .into_iter()
            .map(|raised| raised.finding)
            .collect()
    }

    /// What those that count in a verdict find.
    pub(crate) fn raise(
        &self,
        events: &[&Event],
        own_domains: &BTreeSet<String>,
    ) -> Vec<RaisedRows> {
        let mut matcher = self.matcher_of(|detection| detection.score);
        for (event, number) in events.iter().zip(0..) {
            matcher.feed(number, event);
        }
        matcher.finish(Some(own_domains))
    }
}

/// The mail domains of the accounts at work in the events: those of mailbox
/// owners and of everybody who acts and is no guest.
pub fn own_domains(events: &[Event]) -> BTreeSet<String> {
    let mut domains = BTreeSet::new();
    for event in events {
        add_own_domains(&mut domains, event);
    }
    domains
}

/// Mail providers that anybody can have an address at.
const PUBLIC_PROVIDERS: [&str; 24] = [
    "aol.com",
    "fastmail.com",
    "gmail.com",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hotmail.com",
    "icloud.com",
    "live.com",
    "mac.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "outlook.com",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "tutanota.com",
    "web.de",
    "yahoo.com",
    "yandex.ru",
    "zoho.com",
];
