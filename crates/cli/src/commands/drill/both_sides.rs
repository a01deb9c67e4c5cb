//! Both sides of a drill on one clock, line by line.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use retake_drill::{SharedLab, lock};
use retake_lab::{Actor, Got, TraceLine};
use retake_playbook::{ArtefactId, Event, State};
use retake_responder::Watcher;

use crate::watch;

/// Nobody looks.
pub(super) struct Silent;

impl Watcher for Silent {
    fn event(&self, _at: Timestamp, _event: &Event, _state: &State) {}
    fn note(&self, _at: Timestamp, _text: &str) {}
}

/// Whose line it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// What the responder did.
    Ours,
    /// What the attacker got, lost or planted.
    Theirs,
    /// What the responder has to say besides.
    Note,
}

/// Sees what the responder does and what the attacker gets, loses and plants.
pub(crate) struct BothSides<F> {
    lab: SharedLab,
    show: F,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    lines: usize,
    last: BTreeMap<ArtefactId, Got>,
}

impl<F: Fn(Timestamp, Side, &str) + Send + Sync> BothSides<F> {
    /// Shows each line as it happens.
    pub(crate) fn new(lab: SharedLab, show: F) -> Self {
        Self {
            lab,
            show,
            seen: Mutex::default(),
        }
    }

    fn catch_up(&self) {
        let lab = lock(&self.lab);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let start = lab.start();
        for line in lab.trace().iter().skip(seen.lines) {
            if let Some(text) = theirs(line, &mut seen.last, line.at >= start) {
                (self.show)(line.at, Side::Theirs, &text);
            }
        }
        seen.lines = lab.trace().len();
    }
}

impl<F: Fn(Timestamp, Side, &str) + Send + Sync> Watcher for BothSides<F> {
    fn event(&self, at: Timestamp, event: &Event, state: &State) {
        self.catch_up();
        if let Some(line) = watch::line(event, state) {
            (self.show)(at, Side::Ours, &line);
        }
    }

    fn note(&self, at: Timestamp, text: &str) {
        self.catch_up();
        (self.show)(at, Side::Note, text);
    }
}

/// What of the attacker's side is worth a line: what it plants, and each artefact
/// that stops or begins to work.
fn theirs(line: &TraceLine, last: &mut BTreeMap<ArtefactId, Got>, shown: bool) -> Option<String> {
    if line.actor != Actor::Attacker {
        return None;
    }
    if let Some(planted) = line
        .effect
        .as_ref()
        .filter(|effect| effect.get("kind").is_some_and(|kind| kind == "planted"))
    {
        let artefact = planted
            .get("artefact")
            .and_then(|id| id.as_str())
            .unwrap_or("?");
        return Some(format!(
            "plants {artefact}: {}",
            title(artefact.parse().ok())
        ));
    }
    let (artefact, got) = (line.attempt?, line.got?);
    let before = last.insert(artefact, got);
    if before == Some(got) || !shown {
        return None;
    }
    let what = title(Some(artefact));
    match (before, got) {
        (None, Got::Nothing) => None,
        (_, Got::Nothing) => Some(format!("loses {artefact}: {what}")),
        (None | Some(Got::Nothing), _) => Some(format!("uses {artefact}: {what}")),
        _ => None,
    }
}

fn title(artefact: Option<ArtefactId>) -> String {
    retake_playbook::catalogue::ARTEFACTS
        .iter()
        .find(|spec| Some(spec.id) == artefact)
        .map_or_else(String::new, |spec| spec.title.to_lowercase())
}
