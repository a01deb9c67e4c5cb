//! The judgement over a store: the same whatever the store and the bounds.

use retake_corpus::check::check;
use retake_corpus::{Kind, Options};
use retake_hunt::judge::{Bounds, judge_within};
use retake_hunt::store::{EventVisitor, Memory, Sink as _, UserVisitor};
use retake_hunt::{Event, HuntReport, Import, ImportReport, Source, Store, StoreError, Verdict};

use crate::found::{Files, NAMES, files};

/// Events as text, as files would hold them, in an order of their own.
struct Texts(Vec<String>);

impl Texts {
    fn new(events: &[Event]) -> Self {
        // From the last to the first: a store brings its own order.
        Self(
            events
                .iter()
                .rev()
                .map(|event| serde_json::to_string(event).unwrap())
                .collect(),
        )
    }

    fn memory(&self) -> Memory {
        let mut memory = Memory::default();
        for text in &self.0 {
            memory.put(serde_json::from_str(text).unwrap()).unwrap();
        }
        Memory::new(memory.into_events())
    }
}

impl Store for Texts {
    fn each_user(&self, visit: &mut UserVisitor<'_>) -> Result<(), StoreError> {
        self.memory().each_user(visit)
    }

    fn scan(&self, visit: &mut EventVisitor<'_>) -> Result<(), StoreError> {
        self.memory().scan(visit)
    }
}

/// A store that fails in the middle.
struct Broken<'a>(&'a Memory);

impl Store for Broken<'_> {
    fn each_user(&self, visit: &mut UserVisitor<'_>) -> Result<(), StoreError> {
        let mut left = 3;
        self.0.each_user(&mut |user, events| {
            left -= 1;
            if left == 0 {
                return Err(StoreError::new("reading week 9", "the disk is gone"));
            }
            visit(user, events)
        })
    }

    fn scan(&self, visit: &mut EventVisitor<'_>) -> Result<(), StoreError> {
        self.0.scan(visit)
    }
}

fn events(files: &Files) -> Vec<Event> {
    let mut import = Import::new();
    for (name, bytes) in NAMES.iter().zip(&files.logs) {
        import.add_bytes(name, bytes);
    }
    import.finish().events
}

fn judged(store: &dyn Store, events: &[Event], bounds: Bounds) -> Result<HuntReport, StoreError> {
    judged_with(store, events, bounds, &options())
}

fn options() -> retake_hunt::Options {
    retake_hunt::Options::new("2026-06-01T00:00:00Z".parse().unwrap()).unwrap()
}

fn judged_with(
    store: &dyn Store,
    events: &[Event],
    bounds: Bounds,
    options: &retake_hunt::Options,
) -> Result<HuntReport, StoreError> {
    let mut matcher = options.detections.matcher();
    for (event, number) in events.iter().zip(0..) {
        matcher.feed(number, event);
    }
    judge_within(
        store,
        ImportReport::default(),
        matcher.finish(None),
        retake_hunt::SigmaAnswer::default(),
        options,
        bounds,
    )
}

fn everything() -> Files {
    let mut options = Options::new(31, 8_000);
    options.stories = Kind::ALL.to_vec();
    options.users = 36;
    files(&options)
}

#[test]
fn the_store_and_the_order_of_events_make_no_difference() {
    let files = everything();
    let events = events(&files);
    let bounds = Bounds::default();
    let one = judged(&Memory::new(events.clone()), &events, bounds.clone()).unwrap();
    assert_eq!(check(&files.told, &one).wrong, [""; 0]);
    let mut other: Vec<Event> = events.clone();
    other.reverse();
    let again = judged(&Texts::new(&other), &other, bounds).unwrap();
    assert!(one == again);
}

#[test]
fn in_small_groups_the_answers_are_the_same() {
    let files = everything();
    let events = events(&files);
    let store = Memory::new(events.clone());
    let one = judged(&store, &events, Bounds::default()).unwrap();
    let at_once = Bounds {
        at_once: 1,
        ..Bounds::default()
    };
    assert!(one == judged(&store, &events, at_once.clone()).unwrap());
    // With next to nothing held in memory.
    for held in [1, 10_000] {
        let on_disk = Bounds {
            held,
            scratch: Some(std::env::temp_dir()),
            ..at_once.clone()
        };
        assert!(one == judged(&store, &events, on_disk).unwrap());
    }
    // The disk cannot be written to.
    let nowhere = Bounds {
        scratch: Some("/nowhere/at/all".into()),
        ..at_once
    };
    let error = judged(&store, &events, nowhere).unwrap_err().to_string();
    assert!(error.contains("keeping events on disk"), "{error}");
}

#[test]
fn the_bulk_of_busy_accounts_is_thinned_and_said_and_no_story_is_lost() {
    let files = everything();
    let events = events(&files);
    let bounds = Bounds {
        most: 100,
        at_once: 1_000,
        ..Bounds::default()
    };
    let report = judged(&Memory::new(events.clone()), &events, bounds).unwrap();
    let checked = check(&files.told, &report);
    assert_eq!(checked.wrong, [""; 0]);
    assert_eq!(checked.blast.0, checked.blast.1);
    let told = report
        .alarming()
        .filter(|answer| {
            answer.analysis.coverage.iter().any(|line| {
                line.source == Source::Ual
                    && line
                        .gaps
                        .iter()
                        .any(|gap| gap.why.contains("not judged one by one"))
            })
        })
        .count();
    assert!(told > 0);
}

#[test]
fn who_needs_no_look_is_kept_in_brief_unless_asked_for() {
    let files = everything();
    let events = events(&files);
    let report = judged(&Memory::new(events.clone()), &events, Bounds::default()).unwrap();
    let calm = report.users.iter().find(|answer| {
        answer.analysis.verdict == Verdict::Clean
            && events.iter().any(|event| {
                event.user.as_deref() == Some(&answer.user) && event.operation == "New-InboxRule"
            })
    });
    let calm = calm.expect("somebody made a rule").clone();
    assert!(calm.analysis.changes.is_empty() && calm.analysis.coverage.is_empty());
    // What is missing is said all the same, once for everybody.
    assert!(report.coverage.iter().any(|line| line.events == 0));
    let mut options = options();
    options.users = vec![calm.user.clone()];
    let bounds = Bounds::default();
    let asked = judged_with(&Memory::new(events.clone()), &events, bounds, &options).unwrap();
    let mut users = asked.users.iter();
    let asked = users.find(|answer| answer.user == calm.user).unwrap();
    assert!(!asked.analysis.changes.is_empty() && !asked.analysis.coverage.is_empty());
    assert_eq!(asked.analysis.clone().brief(), calm.analysis);
}

#[test]
fn a_store_that_cannot_be_read_is_said() {
    let files = everything();
    let events = events(&files);
    let error = judged(
        &Broken(&Memory::new(events.clone())),
        &events,
        Bounds::default(),
    )
    .unwrap_err()
    .to_string();
    assert!(error.contains("reading week 9") && error.contains("the disk is gone"));
}
