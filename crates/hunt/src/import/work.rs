//! What each thread of an import does with the chunks it gets.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use super::repeats::{self, Ids, Repeats};
use super::spill::{self, Runs, Spill};
use super::{ImportError, MAX_DAMAGED, Matched, Matching, Settings};
use crate::answer::Severity;
use crate::detections::Matcher;
use crate::event::Event;
use crate::readers::chunk::{Chunk, Taker};
use crate::readers::{Damaged, Form, Salvaged};
use crate::sigma::{SigmaAnswer, SigmaMatcher};

/// How much of a damaged record's text a report holds, in bytes.
const MAX_TOLD: usize = 4 << 10;

/// One chunk to read.
pub(super) struct Job {
    pub(super) number: u32,
    pub(super) input: u32,
    pub(super) label: Arc<str>,
    pub(super) chunk: Chunk,
}

/// What all threads have in common.
pub(super) struct Shared<'d> {
    pub(super) damage: Mutex<Damage<'d>>,
    pub(super) records: AtomicU64,
    /// What was found since it was last told.
    pub(super) news: Mutex<Vec<(Severity, String, String, String)>>,
}

/// Of one input, what one thread has read.
#[derive(Clone, Debug, Default)]
pub(super) struct OfInput {
    pub(super) forms: BTreeSet<Form>,
    pub(super) events: u64,
    pub(super) damaged: u64,
}

/// One thread.
pub(super) struct Worker<'s, 'd, 'm> {
    shared: &'s Shared<'d>,
    part: Part<'m>,
    /// The chunk at hand.
    number: u32,
    place: u32,
    label: Arc<str>,
    input: OfInput,
    fault: Option<io::Error>,
}

/// What a thread leaves.
pub(super) struct Part<'a> {
    matcher: Matcher<'a>,
    sigma: SigmaMatcher<'a>,
    spill: Spill,
    ids: Ids,
    inputs: BTreeMap<u32, OfInput>,
}

impl<'s, 'd, 'm> Worker<'s, 'd, 'm> {
    pub(super) fn new(
        settings: &Settings,
        matching: Matching<'m>,
        shared: &'s Shared<'d>,
    ) -> io::Result<Self> {
        let scratch: &Path = &settings.scratch;
        let mut matcher = matching.detections.matcher();
        matcher.spill(scratch, settings.rows)?;
        let mut sigma = matching.sigma.matcher();
        sigma.spill(scratch, settings.rows)?;
        Ok(Self {
            shared,
            part: Part {
                matcher,
                sigma,
                spill: Spill::new(scratch, settings.run, spill::by_table)?,
                ids: Ids::new(scratch)?,
                inputs: BTreeMap::new(),
            },
            number: 0,
            place: 0,
            label: "".into(),
            input: OfInput::default(),
            fault: None,
        })
    }

    /// Reads chunks until there are no more.
    pub(super) fn run(mut self, jobs: &Mutex<mpsc::Receiver<Job>>) -> io::Result<Part<'m>> {
        loop {
            let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(job) = job else {
                return Ok(self.part);
            };
            self.read(&job);
            if let Some(fault) = self.fault.take() {
                return Err(fault);
            }
        }
    }

    fn read(&mut self, job: &Job) {
        self.number = job.number;
        self.place = 0;
        self.label = Arc::clone(&job.label);
        self.input = OfInput::default();
        job.chunk.read(self);
        let read = std::mem::take(&mut self.input);
        self.shared
            .records
            .fetch_add(read.events + read.damaged, Ordering::Relaxed);
        let input = self.part.inputs.entry(job.input).or_default();
        input.add(read);
        let news = self.part.matcher.news();
        if !news.is_empty() {
            let mut told = self
                .shared
                .news
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            told.extend(news);
        }
    }
}

impl Taker for Worker<'_, '_, '_> {
    fn keep(&mut self, form: Form, mut event: Event) {
        event.origin.input = Arc::clone(&self.label);
        let ordinal = repeats::ordinal(self.number, self.place);
        self.place += 1;
        self.input.forms.insert(form);
        self.input.events += 1;
        self.part.matcher.feed(ordinal, &event);
        self.part.sigma.feed(ordinal, &event);
        let put = self
            .part
            .ids
            .put(ordinal, &event)
            .and_then(|()| self.part.spill.put(ordinal, &event));
        if let Err(error) = put {
            self.fault.get_or_insert(error);
        }
    }

    fn damage(&mut self, line: u64, reason: String, salvaged: Salvaged, text: &str) {
        self.input.damaged += 1;
        let damaged = Damaged {
            path: self.label.to_string(),
            line,
            reason,
            salvaged,
            original: text.into(),
        };
        let mut damage = self
            .shared
            .damage
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        damage.put(damaged);
    }
}

impl OfInput {
    fn add(&mut self, more: Self) {
        self.forms.extend(more.forms);
        self.events += more.events;
        self.damaged += more.damaged;
    }
}

/// What all threads left.
#[derive(Default)]
pub(super) struct Parts<'a> {
    matchers: Vec<Matcher<'a>>,
    sigma: Vec<SigmaMatcher<'a>>,
    pub(super) ids: Vec<Ids>,
    spills: Vec<Spill>,
    pub(super) inputs: BTreeMap<u32, OfInput>,
}

impl<'a> Parts<'a> {
    pub(super) fn add(&mut self, part: Part<'a>) {
        self.matchers.push(part.matcher);
        self.sigma.push(part.sigma);
        self.ids.push(part.ids);
        self.spills.push(part.spill);
        for (input, of) in part.inputs {
            self.inputs.entry(input).or_default().add(of);
        }
    }

    /// What was found, repeats aside.
    pub(super) fn matched(
        &mut self,
        matching: Matching<'_>,
        repeats: &Repeats,
    ) -> io::Result<Matched> {
        let matchers = std::mem::take(&mut self.matchers);
        let sigma = std::mem::take(&mut self.sigma);
        let own_domains = if matching.own_domains.is_empty() {
            let seen = matchers.iter().flat_map(Matcher::own_domains);
            seen.cloned().collect()
        } else {
            matching.own_domains.clone()
        };
        let wanted = |ordinal| repeats.wanted(ordinal);
        Ok(Matched {
            raised: Matcher::finish_all(matchers, &own_domains, &wanted)?,
            sigma: SigmaAnswer {
                rules: matching.sigma.rules().len(),
                refused: matching.sigma.refused().to_vec(),
                findings: SigmaMatcher::finish_all(sigma, &wanted)?,
            },
            own_domains,
        })
    }

    /// The events, in runs.
    pub(super) fn runs(&mut self) -> io::Result<Vec<Runs>> {
        self.spills.drain(..).map(Spill::finish).collect()
    }
}

/// Where damaged records go.
pub(super) struct Damage<'a> {
    /// All of them, a line of JSON each.
    lines: Option<&'a mut (dyn Write + Send)>,
    fault: Option<io::Error>,
    /// The first of them, by input and line.
    first: BTreeSet<Damaged>,
}

impl<'a> Damage<'a> {
    pub(super) fn new(lines: Option<&'a mut (dyn Write + Send)>) -> Self {
        Self {
            lines,
            fault: None,
            first: BTreeSet::new(),
        }
    }

    pub(super) fn put(&mut self, damaged: Damaged) {
        if let Some(lines) = &mut self.lines {
            let value = serde_json::json!({
                "path": damaged.path,
                "line": damaged.line,
                "reason": damaged.reason,
                "salvaged": damaged.salvaged,
                "original": damaged.original,
            });
            if let Err(error) = writeln!(lines, "{value}") {
                self.fault.get_or_insert(error);
            }
        }
        self.first.insert(Damaged {
            original: begin(&damaged.original).into(),
            ..damaged
        });
        if self.first.len() > MAX_DAMAGED {
            self.first.pop_last();
        }
    }

    pub(super) fn finish(self) -> Result<Vec<Damaged>, ImportError> {
        match self.fault {
            Some(source) => Err(ImportError::Damage(source)),
            None => Ok(self.first.into_iter().collect()),
        }
    }
}

/// As much of a damaged record as a report holds.
fn begin(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_TOLD))
        .unwrap_or_default()
}
