//! What a report says, before it has a form.

mod parts;

use jiff::Timestamp;
use retake_casefile::Record;
use retake_playbook::event::Origin;
use retake_playbook::steps::{Reach, STEP_NAMES, STEPS};
use retake_playbook::{ActionKind, Digest, Event, Gate, State};
use serde::Serialize;

use crate::chart::Chart;
use crate::tell::{Line, Whose, percent, spaced, tell};
use crate::text::{Text, When, between, count};

pub(crate) use parts::{
    Action, Checked, Clock, Evidence, Foothold, Left, Mail, Person, SourceLine,
};

/// The whole report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Model {
    pub(crate) schema: &'static str,
    pub(crate) case: Text,
    pub(crate) tenant: Text,
    pub(crate) account: Text,
    pub(crate) account_facts: Vec<(&'static str, Text)>,
    pub(crate) responder: Text,
    pub(crate) alert: Text,
    pub(crate) program: Text,
    pub(crate) opened_at: When,
    pub(crate) as_of: When,
    pub(crate) status: Text,
    pub(crate) summary: Vec<(&'static str, Text)>,
    pub(crate) unknown: Vec<Text>,
    pub(crate) steps: Vec<Step>,
    pub(crate) timeline: Vec<Line>,
    #[serde(skip)]
    pub(crate) chart: Chart,
    pub(crate) actions: Vec<Action>,
    pub(crate) footholds: Vec<Foothold>,
    pub(crate) left: Vec<Left>,
    pub(crate) access: Vec<Clock>,
    pub(crate) sent: Vec<Mail>,
    pub(crate) read: Vec<Mail>,
    pub(crate) accounts: Vec<Text>,
    pub(crate) attacker: Vec<(&'static str, Vec<Text>)>,
    pub(crate) path_reasons: Vec<Text>,
    pub(crate) warnings: Vec<Person>,
    pub(crate) tasks: Vec<Person>,
    pub(crate) checks: Vec<Checked>,
    pub(crate) sources: Vec<SourceLine>,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) attestation: Attestation,
}

/// One of the seven steps, as it went.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Step {
    pub(crate) number: u8,
    pub(crate) name: &'static str,
    pub(crate) lines: Vec<Line>,
    /// Parts that this version does not have.
    pub(crate) absent: Vec<String>,
}

/// What can be checked offline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Attestation {
    /// How many records stand behind this report.
    pub(crate) records: u64,
    /// The hash of the last of them.
    pub(crate) head: Digest,
    pub(crate) evidence: usize,
    pub(crate) found: usize,
    pub(crate) removed: usize,
    pub(crate) verified: usize,
    pub(crate) undone: usize,
    pub(crate) unknown: usize,
    pub(crate) command: &'static str,
}

impl Model {
    /// Nothing for a journal that does not begin with a case.
    pub(crate) fn of(
        records: &[Record],
        kept: &dyn Fn(&Digest) -> Option<Vec<u8>>,
    ) -> Option<Self> {
        let state = State::fold(records.iter().map(|record| (record.at, &record.event)));
        let (opened_at, opened) = state.opened.as_ref()?;
        let last = records.last()?;
        let timeline = timeline(records, &state);
        let sources = parts::sources(&state);
        let actions = parts::actions(&state, last.at);
        let footholds = parts::footholds(&state);
        let unknown = unknown(&state, &sources, &actions);
        let evidence = parts::evidence(&state, kept);
        let analysis = state.analysis.as_ref().map(|(_, analysis)| analysis);
        let mail = |pick: fn(&retake_playbook::event::Analysis) -> &Vec<_>| {
            analysis.map(|a| parts::mail(pick(a))).unwrap_or_default()
        };
        let texts = |all: &[String]| all.iter().map(|text| text.clone().into()).collect();
        Some(Self {
            schema: crate::SCHEMA,
            case: opened.case.clone().into(),
            tenant: opened.tenant.clone().into(),
            account: state
                .account
                .as_ref()
                .map_or(&opened.account, |account| &account.upn)
                .clone()
                .into(),
            account_facts: parts::account(&state),
            responder: opened.responder.clone().into(),
            alert: opened.alert.clone().into(),
            program: opened.program.clone().into(),
            opened_at: When(*opened_at),
            as_of: When(last.at),
            status: status(&state).into(),
            summary: summary(&state, *opened_at, &footholds),
            steps: steps(&timeline),
            chart: Chart::of(&state, &timeline),
            timeline,
            left: parts::left(&state),
            access: parts::access(&state, last.at),
            sent: mail(|analysis| &analysis.sent),
            read: mail(|analysis| &analysis.read),
            accounts: analysis.map(|a| texts(&a.accounts)).unwrap_or_default(),
            attacker: analysis
                .map(|a| {
                    vec![
                        ("Addresses", texts(&a.fingerprint.addresses)),
                        ("Sessions", texts(&a.fingerprint.sessions)),
                        ("User agents", texts(&a.fingerprint.user_agents)),
                        ("Apps", texts(&a.fingerprint.apps)),
                    ]
                })
                .unwrap_or_default(),
            path_reasons: analysis.map(|a| texts(&a.reasons)).unwrap_or_default(),
            warnings: parts::warnings(&state),
            tasks: parts::tasks(&state),
            checks: parts::checks(&state),
            attestation: Attestation {
                records: last.seq,
                head: last.hash.clone(),
                evidence: evidence.len(),
                found: footholds.len(),
                removed: footholds.iter().filter(|f| f.removed).count(),
                verified: actions.iter().filter(|a| a.verified.is_some()).count(),
                undone: records
                    .iter()
                    .filter(|record| matches!(record.event, Event::ReleaseOrdered { .. }))
                    .count(),
                unknown: unknown.len(),
                command: "retake case verify FILE --key FINGERPRINT",
            },
            sources,
            actions,
            footholds,
            unknown,
            evidence,
        })
    }
}

/// What happened, by its time: our records, and what the logs tell of the attacker.
fn timeline(records: &[Record], state: &State) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut step = 1;
    for record in records {
        if let Some(line) = tell(record, state, step) {
            step = line.step;
            lines.push(line);
        }
    }
    let mut add = |at: Timestamp, text: String| {
        lines.push(Line {
            at: When(at),
            step: 6,
            whose: Whose::Attacker,
            text: text.into(),
            record: None,
        });
    };
    if let Some((_, analysis)) = &state.analysis {
        if let Some(at) = analysis.first_known_bad {
            add(at, "First known event of the attacker.".to_owned());
        }
        for change in &analysis.changes {
            if change.by == Origin::Attacker {
                let what = change.ids.first().map_or("", String::as_str);
                add(
                    change.at,
                    format!("{}: {} {what}", change.operation, change.kind.words()),
                );
            }
        }
        for mail in &analysis.sent {
            add(
                mail.at,
                format!(
                    "Sent \"{}\" to {}.",
                    mail.subject,
                    mail.recipients.join(", ")
                ),
            );
        }
    }
    // Stable: what happened at the same time stays in the journal's order.
    lines.sort_by_key(|line| line.at);
    lines
}

fn steps(timeline: &[Line]) -> Vec<Step> {
    (1..)
        .zip(STEP_NAMES)
        .map(|(number, name)| Step {
            number,
            name,
            lines: timeline
                .iter()
                .filter(|line| line.step == number && line.record.is_some())
                .cloned()
                .collect(),
            absent: STEPS
                .iter()
                .filter(|part| part.id.step() == number && part.reach == Reach::Absent)
                .map(|part| format!("{} {}", part.id, part.title))
                .collect(),
        })
        .collect()
}

fn status(state: &State) -> &'static str {
    if state.closed.is_some() {
        "Closed"
    } else if state.restored_at.is_some() {
        "Sign-in given back, under watch"
    } else if state.effective.is_some() {
        "Evicted, sign-in still blocked"
    } else if state.contained_since().is_some() {
        "Contained"
    } else {
        "Not contained"
    }
}

fn summary(
    state: &State,
    opened_at: Timestamp,
    footholds: &[Foothold],
) -> Vec<(&'static str, Text)> {
    let mut lines: Vec<(&'static str, Text)> = Vec::new();
    let mut say = |about, text: String| lines.push((about, Text::new(text)));
    match &state.analysis {
        None => say("What happened", "The logs were not analysed.".to_owned()),
        Some((_, analysis)) => say(
            "What happened",
            format!(
                "Verdict: {}. Path of takeover: {} (confidence {}). First known event of the attacker: {}.",
                analysis.verdict,
                spaced(&analysis.path),
                percent(analysis.confidence),
                analysis
                    .first_known_bad
                    .map_or_else(|| "not known".to_owned(), |at| When(at).to_string())
            ),
        ),
    }
    let first = |kind| {
        state
            .actions
            .values()
            .find(|action| action.planned.kind == kind && action.applied.is_some())
    };
    say(
        "Contained",
        match first(ActionKind::BlockSignIn) {
            None => "Sign-in was not blocked.".to_owned(),
            Some(action) => {
                let accepted = action.applied.map_or(opened_at, |(at, _)| at);
                format!(
                    "Sign-in blocked at {}, {} after the case was opened; {}.",
                    When(accepted),
                    between(opened_at, accepted),
                    match &action.verified {
                        Some((at, _)) => format!("verified at {}", When(*at)),
                        None => "not verified".to_owned(),
                    }
                )
            }
        },
    );
    say(
        "Evicted",
        match state.effective {
            Some((at, snapshot)) => format!(
                "Effective at {}, {} after the case was opened, shown by snapshot {snapshot}. {} of {} removed and verified.",
                When(at),
                between(opened_at, at),
                footholds.iter().filter(|foothold| foothold.removed).count(),
                count(footholds.len(), "foothold", "footholds"),
            ),
            None => format!(
                "Not declared effective. {} of {} removed and verified.",
                footholds.iter().filter(|foothold| foothold.removed).count(),
                count(footholds.len(), "foothold", "footholds"),
            ),
        },
    );
    if let Some((_, analysis)) = &state.analysis {
        say(
            "Impact",
            format!(
                "{} sent by the attacker, {} known to be read, {} with the same marks.",
                count(analysis.sent.len(), "message", "messages"),
                count(analysis.read.len(), "message", "messages"),
                count(analysis.accounts.len(), "other account", "other accounts"),
            ),
        );
    }
    if let Some(retake_playbook::state::GateState::Passed {
        by,
        answer: Some(answer),
        ..
    }) = state.gates.get(&Gate::Money)
    {
        say(
            "Money",
            format!("Has money or a bank detail moved? {by} answered \"{answer}\"."),
        );
    }
    match state.restored_at {
        Some(at) => say(
            "Recovery",
            format!("Sign-in was given back at {}.", When(at)),
        ),
        None => say("Recovery", "Sign-in was not given back.".to_owned()),
    }
    if state.reopened > 0 {
        say("Reopened", count(state.reopened as usize, "time", "times"));
    }
    if let Some((at, closing)) = &state.closed {
        say(
            "Closed",
            format!(
                "{}; {}; {}; {}. Confidence {}.",
                When(*at),
                closing.first_access,
                closing.persistence,
                closing.impact,
                percent(closing.confidence)
            ),
        );
    }
    lines
}

fn unknown(state: &State, sources: &[SourceLine], actions: &[Action]) -> Vec<Text> {
    let mut unknown: Vec<Text> = Vec::new();
    let mut say = |text: String| {
        let text = Text::new(text);
        if !unknown.contains(&text) {
            unknown.push(text);
        }
    };
    if state.account.is_none() {
        say("The account itself: it could not be read.".to_owned());
    }
    if state.analysis.is_none() {
        say(
            "First access, what was sent and what was read: the logs were not analysed.".to_owned(),
        );
    }
    if state.snapshots.is_empty() {
        say("Footholds: no snapshot was taken.".to_owned());
    }
    for source in sources.iter().filter(|source| !source.whole) {
        say(format!(
            "{}: {}{}",
            source.raw_name,
            source.answer,
            source.why_raw()
        ));
    }
    for action in actions {
        if let Some(doubt) = &action.doubt {
            say(format!("{} {}: {doubt}", action.id, action.raw_title));
        }
    }
    for (number, task) in &state.tasks {
        if task.done.is_none() {
            say(format!(
                "Task {number} for {} is open: {}",
                task.who, task.what
            ));
        } else if task.verified.is_none() {
            say(format!(
                "Task {number} ({}) is done by what was said; nothing in the tenant was read that shows it.",
                task.what
            ));
        }
    }
    for warning in state.warnings.values().filter(|w| w.done.is_none()) {
        say(format!("Whether {} was warned.", warning.who));
    }
    if let Some((_, closing)) = &state.closed {
        for text in &closing.unknown {
            say(text.clone());
        }
    }
    unknown
}
