//! What a report says, before it has a form.

mod executive;
mod narrative;
mod parts;

use jiff::Timestamp;
use retake_casefile::Record;
use retake_playbook::event::{Looked, Origin};
use retake_playbook::judge;
use retake_playbook::steps::{Reach, STEP_NAMES, STEPS};
use retake_playbook::{Digest, State};
use serde::Serialize;

use crate::attest;
use crate::chart::Chart;
use crate::tell::{self, Line, Whose, tell};
use crate::text::{Text, When};

pub(crate) use executive::Glance;
pub(crate) use parts::{
    Action, Changed, Checked, Clock, Decision, Document, Evidence, Foothold, Left, Mail, Person,
    Recipient, SourceGroup, Undone,
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
    /// Whether somebody has to do something about the status.
    pub(crate) settled: bool,
    pub(crate) glance: Vec<Glance>,
    pub(crate) narrative: Vec<Text>,
    pub(crate) unknown: Vec<Text>,
    pub(crate) sources: Vec<SourceGroup>,
    pub(crate) steps: Vec<Step>,
    pub(crate) timeline: Vec<Line>,
    #[serde(skip)]
    pub(crate) chart: Chart,
    pub(crate) decisions: Vec<Decision>,
    pub(crate) actions: Vec<Action>,
    pub(crate) footholds: Vec<Foothold>,
    pub(crate) left: Vec<Left>,
    pub(crate) undone: Vec<Undone>,
    pub(crate) access: Vec<Clock>,
    pub(crate) sent: Vec<Mail>,
    pub(crate) recipients: Vec<Recipient>,
    pub(crate) read: Vec<Mail>,
    /// How many messages are known to be read in which way.
    pub(crate) read_by: Vec<(Text, usize)>,
    pub(crate) changed: Vec<Changed>,
    pub(crate) accounts: Vec<Text>,
    pub(crate) attacker: Vec<(&'static str, Vec<Text>)>,
    pub(crate) path_reasons: Vec<Text>,
    pub(crate) warnings: Vec<Person>,
    pub(crate) tasks: Vec<Person>,
    pub(crate) documents: Vec<Document>,
    pub(crate) checks: Vec<Checked>,
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

/// What can be checked offline, in figures; the whole of it is a file of its own.
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
        let actions = parts::actions(&state, last.at);
        let footholds = parts::footholds(&state);
        let unknown: Vec<Text> = not_known(&state).into_iter().map(Text::from).collect();
        let evidence = parts::evidence(&state, kept);
        let attested = attest::attest(records)?;
        let counted = |key: &str| attested[key].as_array().map_or(0, Vec::len);
        let analysis = state.analysis.as_ref().map(|(_, analysis)| analysis);
        let mail = |pick: fn(&retake_playbook::event::Analysis) -> &Vec<_>| {
            analysis.map(|a| parts::mail(pick(a))).unwrap_or_default()
        };
        let texts = |all: &[String]| all.iter().map(|text| text.clone().into()).collect();
        let read = mail(|analysis| &analysis.read);
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
            settled: state.effective.is_some() || state.closed.is_some(),
            glance: executive::glance(&state, *opened_at, &footholds, &unknown),
            narrative: narrative::narrative(&state, *opened_at, &footholds),
            sources: parts::sources(&state),
            steps: steps(&timeline),
            chart: Chart::of(&state, &timeline),
            timeline,
            decisions: parts::decisions(&state),
            left: parts::left(&state),
            undone: parts::undone(&attested),
            access: parts::access(records, &state, last.at),
            sent: mail(|analysis| &analysis.sent),
            recipients: parts::recipients(&state),
            read_by: parts::read_by(&read),
            read,
            changed: parts::changed(&state),
            accounts: parts::accounts(&state),
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
            documents: parts::documents(&evidence),
            checks: parts::checks(&state),
            attestation: Attestation {
                records: last.seq,
                head: last.hash.clone(),
                evidence: evidence.len(),
                found: counted("found"),
                removed: counted("removed"),
                verified: counted("verified"),
                undone: counted("undone"),
                unknown: unknown.len(),
                command: "retake case verify CASE.tar --key FINGERPRINT --attestation CASE.attestation.json",
            },
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

/// Everything that is not known, each with its reason.
pub(crate) fn not_known(state: &State) -> Vec<String> {
    let mut unknown: Vec<String> = Vec::new();
    let mut say = |text: String| {
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
    for (_, source) in parts::all_sources(state) {
        let earlier = [judge::EARLIER_AUDIT, judge::EARLIER_TRACE].contains(&source.name.as_str());
        if let (true, Looked::Whole, Some(why)) = (earlier, source.looked, &source.why) {
            say(format!("{}: {why}", source.name));
        }
        if source.looked != Looked::Whole {
            let why = source.why.as_ref().map(|why| format!(" ({why})"));
            say(format!(
                "{}: {}{}",
                source.name,
                tell::looked(source.looked),
                why.unwrap_or_default()
            ));
        }
    }
    for (id, action) in &state.actions {
        if let (_, Some(doubt)) = parts::standing(action) {
            say(format!(
                "{id} {}: {doubt}",
                tell::title(&action.planned, state)
            ));
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
