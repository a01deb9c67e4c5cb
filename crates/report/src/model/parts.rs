//! The tables of a report.

use std::collections::BTreeMap;

use jiff::Timestamp;
use retake_casefile::Record;
use retake_playbook::catalogue::Reverse;
use retake_playbook::event::{self, Applied, CheckResult, Looked, Origin};
use retake_playbook::state::GateState;
use retake_playbook::{ActionKind, Digest, Event, ObjectRef, State};
use serde::Serialize;
use serde_json::Value;

use crate::attest::taken_back;
use crate::tell;
use crate::text::{Text, When};

/// One action, with the four words of "asked is not done" apart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Action {
    pub(crate) id: String,
    pub(crate) step: String,
    pub(crate) plan: u32,
    pub(crate) title: Text,
    pub(crate) object: Text,
    pub(crate) why: Vec<Text>,
    /// Each time that it left the process.
    pub(crate) intended: Vec<When>,
    pub(crate) accepted: Option<When>,
    pub(crate) accepted_how: Option<&'static str>,
    pub(crate) verified: Option<When>,
    pub(crate) effective: Text,
    pub(crate) stopped: Option<Text>,
    pub(crate) state: &'static str,
    pub(crate) before: Option<Digest>,
    pub(crate) evidence: Option<Digest>,
    /// How it is taken back, or why it cannot be.
    pub(crate) undo: String,
    pub(crate) breaks: &'static str,
    /// The equivalent Graph or Exchange request.
    pub(crate) request: Option<Text>,
}

/// One thing that the attacker could have used.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Foothold {
    pub(crate) artefact: String,
    pub(crate) what: &'static str,
    pub(crate) gives: &'static str,
    pub(crate) object: Text,
    #[serde(skip)]
    pub(crate) raw_object: String,
    pub(crate) facts: Text,
    pub(crate) why: Vec<Text>,
    pub(crate) actions: Vec<String>,
    pub(crate) removed: bool,
    /// It was removed, and that was taken back by order.
    pub(crate) taken_back: bool,
}

/// One object that a person has to look at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Left {
    pub(crate) kind: &'static str,
    pub(crate) object: Text,
    pub(crate) facts: Text,
    pub(crate) why: Vec<Text>,
}

/// One piece of access and its end.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Clock {
    pub(crate) artefact: String,
    pub(crate) what: Text,
    /// Nothing where no clock ends it: it works until it is removed.
    pub(crate) ends_at: Option<When>,
    pub(crate) why: Text,
    pub(crate) ended: bool,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Mail {
    pub(crate) at: When,
    pub(crate) subject: Text,
    pub(crate) recipients: Vec<Text>,
    pub(crate) message: Text,
    pub(crate) how: Text,
    /// How often the logs tell of it.
    pub(crate) times: usize,
}

/// A warning or a task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Person {
    pub(crate) number: u32,
    pub(crate) step: String,
    pub(crate) who: Text,
    pub(crate) what: Text,
    pub(crate) since: When,
    pub(crate) done: Option<(When, Text)>,
    pub(crate) document: Option<Digest>,
}

/// One check of the preflight.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Checked {
    pub(crate) what: Text,
    pub(crate) good: bool,
    pub(crate) result: &'static str,
    pub(crate) detail: Text,
}

/// The sources that gave one of the answers that are never mixed up.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct SourceGroup {
    /// `whole`, `in_part`, `too_early`, `could_not` or `not`.
    pub(crate) answer: Looked,
    pub(crate) title: &'static str,
    /// What the answer means for a reader.
    pub(crate) means: &'static str,
    pub(crate) sources: Vec<SourceLine>,
}

/// One source and the answer that it gave.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct SourceLine {
    pub(crate) name: Text,
    pub(crate) asked_for: &'static str,
    pub(crate) why: Option<Text>,
    pub(crate) code: Option<Text>,
}

/// What somebody decided at a gate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Decision {
    pub(crate) gate: &'static str,
    pub(crate) step: String,
    pub(crate) asked: &'static str,
    pub(crate) at: When,
    pub(crate) how: &'static str,
    pub(crate) by: Option<Text>,
    pub(crate) words: Option<Text>,
}

/// Something that was taken back.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Undone {
    pub(crate) at: Text,
    pub(crate) what: Text,
    pub(crate) by: Text,
    pub(crate) reason: Text,
    pub(crate) evidence: Option<Text>,
    /// What is not as it was before, and why.
    pub(crate) differs: Vec<Text>,
}

/// Somebody to whom the attacker wrote.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Recipient {
    pub(crate) address: Text,
    /// Of one of the account's own domains.
    pub(crate) inside: bool,
    pub(crate) messages: usize,
    pub(crate) first: When,
    pub(crate) subjects: Vec<Text>,
}

/// A change that the logs lay to the attacker.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Changed {
    pub(crate) at: When,
    pub(crate) operation: Text,
    pub(crate) what: &'static str,
    pub(crate) object: Text,
    pub(crate) why: Vec<Text>,
    pub(crate) record: Text,
}

/// A document of the case.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Document {
    pub(crate) name: Text,
    pub(crate) digest: Digest,
    pub(crate) bytes: u64,
}

/// One kept answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Evidence {
    pub(crate) digest: Digest,
    pub(crate) what: Text,
    pub(crate) request: Option<Text>,
    pub(crate) status: Option<u16>,
    pub(crate) bytes: u64,
    pub(crate) kept: bool,
}

pub(super) fn account(state: &State) -> Vec<(&'static str, Text)> {
    let Some(account) = &state.account else {
        return Vec::new();
    };
    let mut facts: Vec<(&'static str, Text)> = vec![
        ("Name", account.display_name.clone().into()),
        ("Object id", account.id.clone().into()),
        ("Type", account.user_type.clone().into()),
        (
            "Directory",
            if account.synced {
                "synchronised from on-premises"
            } else {
                "cloud only"
            }
            .into(),
        ),
    ];
    let optional = [
        ("Department", &account.department),
        ("Job title", &account.job_title),
        ("Manager", &account.manager),
        ("Mail", &account.mail),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            facts.push((name, value.clone().into()));
        }
    }
    facts
}

pub(super) fn actions(state: &State, now: Timestamp) -> Vec<Action> {
    state
        .actions
        .iter()
        .map(|(id, action)| {
            let planned = &action.planned;
            let spec = planned.kind.spec();
            let title = tell::title(planned, state);
            let (word, _) = standing(action);
            Action {
                id: id.to_string(),
                step: planned.step.to_string(),
                plan: action.plan,
                title: title.into(),
                object: format!("{} {}", planned.object.kind.words(), planned.object.id).into(),
                why: planned.why.iter().map(|why| why.clone().into()).collect(),
                intended: action.intended.iter().map(|(at, _)| When(*at)).collect(),
                accepted: action.applied.map(|(at, _)| When(at)),
                accepted_how: action.applied.map(|(_, how)| tell::applied(how)),
                verified: action.verified.as_ref().map(|(at, _)| When(*at)),
                effective: match action.effective_by() {
                    None => "not".into(),
                    Some(at) if at <= now => {
                        format!("since {} at the latest ({})", When(at), spec.effect.words).into()
                    }
                    Some(at) => {
                        format!("by {} at the latest ({})", When(at), spec.effect.words).into()
                    }
                },
                stopped: action
                    .stopped
                    .as_ref()
                    .map(|(_, why, message)| format!("{}: {message}", tell::stopped(*why)).into()),
                state: word,
                before: action.before.clone(),
                evidence: action.verified.as_ref().map(|(_, digest)| digest.clone()),
                undo: match spec.reverse {
                    Reverse::By(how) => how.to_owned(),
                    Reverse::None(why) => format!("cannot be undone: {why}"),
                },
                breaks: spec.breaks,
                request: action
                    .intended
                    .last()
                    .map(|(_, request)| format!("{} {}", request.method, request.url).into()),
            }
        })
        .collect()
}

/// How an action stands, and what is not known of it.
pub(super) fn standing(
    action: &retake_playbook::state::ActionState,
) -> (&'static str, Option<&'static str>) {
    let before_unknown = action.before.is_none()
        && !action.intended.is_empty()
        && action
            .applied
            .is_some_and(|(_, how)| how != Applied::AlreadySo);
    if action.verified.is_some() {
        let doubt = before_unknown.then_some("its state before is not known");
        ("verified", doubt)
    } else if action.stopped.is_some() {
        ("stopped", Some("it was stopped; its effect is not there"))
    } else if action.applied.is_some() {
        (
            "accepted, not verified",
            Some("accepted, and not shown by the tenant"),
        )
    } else if action.intended.is_empty() {
        ("planned, not sent", None)
    } else {
        (
            "sent, outcome not known",
            Some("it was sent, and how it came out is not known"),
        )
    }
}

/// Every object that was acted on because of what it is.
pub(super) fn footholds(state: &State) -> Vec<Foothold> {
    let mut found: BTreeMap<_, Foothold> = BTreeMap::new();
    for (id, action) in &state.actions {
        let planned = &action.planned;
        let Some(artefact) = planned.artefact.filter(|_| planned.undoes.is_none()) else {
            continue;
        };
        let spec = tell::artefact(artefact);
        let foothold = found
            .entry((
                artefact,
                planned.object.kind,
                planned.object.id.clone(),
                planned.object.mailbox.clone(),
            ))
            .or_insert_with(|| Foothold {
                artefact: artefact.to_string(),
                what: spec.map_or("", |spec| spec.title),
                gives: spec.map_or("", |spec| spec.gives),
                object: tell::object(&planned.object, state).into(),
                raw_object: tell::object(&planned.object, state),
                facts: seen(state, &planned.object).into(),
                why: Vec::new(),
                actions: Vec::new(),
                removed: false,
                taken_back: false,
            });
        for why in &planned.why {
            let why = Text::from(why.clone());
            if !foothold.why.contains(&why) {
                foothold.why.push(why);
            }
        }
        foothold.actions.push(id.to_string());
        foothold.taken_back = taken_back(state, *id);
        foothold.removed = action.verified.is_some() && !foothold.taken_back;
    }
    found.into_values().collect()
}

/// What was last seen of an object.
fn seen(state: &State, object: &ObjectRef) -> String {
    state
        .snapshots
        .iter()
        .rev()
        .flat_map(|snapshot| &snapshot.objects)
        .find(|seen| {
            seen.object.kind == object.kind
                && seen.object.id == object.id
                && seen.object.mailbox == object.mailbox
        })
        .map(|seen| tell::facts(&seen.facts))
        .unwrap_or_default()
}

/// What the last plan left alone; earlier plans saw the same objects.
pub(super) fn left(state: &State) -> Vec<Left> {
    let mut found: BTreeMap<_, Left> = BTreeMap::new();
    for left in state.plans.iter().flat_map(|plan| &plan.left) {
        found.insert(
            (
                left.object.kind,
                left.object.id.clone(),
                left.object.mailbox.clone(),
            ),
            Left {
                kind: left.object.kind.words(),
                object: tell::name(&left.object).into(),
                facts: seen(state, &left.object).into(),
                why: left.why.iter().map(|why| why.clone().into()).collect(),
            },
        );
    }
    // What a later plan acted on after all is no longer left.
    for action in state.actions.values() {
        let object = &action.planned.object;
        if action.planned.kind != ActionKind::RestoreSignIn {
            found.remove(&(object.kind, object.id.clone(), object.mailbox.clone()));
        }
    }
    found.into_values().collect()
}

pub(super) fn access(records: &[Record], state: &State, now: Timestamp) -> Vec<Clock> {
    let by_clock = state.access.iter().map(|end| Clock {
        artefact: end.artefact.to_string(),
        what: end.what.clone().into(),
        ends_at: Some(When(end.ends_at)),
        why: end.why.clone().into(),
        ended: end.ends_at <= now,
    });
    let last = records.iter().rev().find_map(|record| match &record.event {
        Event::AccessClockSet { until_removed, .. } => Some(until_removed),
        _ => None,
    });
    let by_hand = last.into_iter().flatten().map(|piece| Clock {
        artefact: piece.artefact.to_string(),
        what: piece.what.clone().into(),
        ends_at: None,
        why: "no clock ends it; that the eviction is effective says that it was removed".into(),
        ended: state.effective.is_some(),
    });
    by_clock.chain(by_hand).collect()
}

/// Each message once: when it was first read or sent, and every way in which it is known.
/// What has no id cannot be told from others and stands for itself.
pub(super) fn mail(mail: &[event::Mail]) -> Vec<Mail> {
    let mut sorted: Vec<&event::Mail> = mail.iter().collect();
    sorted.sort_by_key(|mail| mail.at);
    let mut all: Vec<(Mail, Vec<String>)> = Vec::new();
    let mut by_id: BTreeMap<&str, usize> = BTreeMap::new();
    for mail in sorted {
        let how = tell::how_known(&mail.how);
        let known = by_id.get(mail.message.as_str()).copied();
        if let Some((shown, ways)) = known.and_then(|index| all.get_mut(index)) {
            shown.times += 1;
            if !ways.contains(&how) {
                ways.push(how);
            }
            continue;
        }
        if !mail.message.is_empty() {
            by_id.insert(&mail.message, all.len());
        }
        let shown = Mail {
            at: When(mail.at),
            subject: mail.subject.clone().into(),
            recipients: mail.recipients.iter().map(|to| to.clone().into()).collect(),
            message: mail.message.clone().into(),
            how: Text::default(),
            times: 1,
        };
        all.push((shown, vec![how]));
    }
    all.into_iter()
        .map(|(mail, ways)| Mail {
            how: ways.join("; ").into(),
            ..mail
        })
        .collect()
}

/// How many different messages these are.
pub(super) fn distinct(mail: &[event::Mail]) -> usize {
    let named: std::collections::BTreeSet<&str> = mail
        .iter()
        .map(|mail| mail.message.as_str())
        .filter(|id| !id.is_empty())
        .collect();
    named.len() + mail.iter().filter(|mail| mail.message.is_empty()).count()
}

pub(super) fn warnings(state: &State) -> Vec<Person> {
    state
        .warnings
        .iter()
        .map(|(number, warning)| Person {
            number: *number,
            step: "S6.7".to_owned(),
            who: warning.who.clone().into(),
            what: warning.why.clone().into(),
            since: When(warning.due),
            done: warning
                .done
                .as_ref()
                .map(|(at, by)| (When(*at), by.clone().into())),
            document: warning.pack.clone(),
        })
        .collect()
}

pub(super) fn tasks(state: &State) -> Vec<Person> {
    state
        .tasks
        .iter()
        .map(|(number, task)| Person {
            number: *number,
            step: task.step.to_string(),
            who: task.who.clone().into(),
            what: task.what.clone().into(),
            since: When(task.opened),
            done: task
                .done
                .as_ref()
                .map(|(at, by)| (When(*at), by.clone().into())),
            document: task.verified.clone(),
        })
        .collect()
}

pub(super) fn checks(state: &State) -> Vec<Checked> {
    state
        .checks
        .iter()
        .map(|check| Checked {
            what: check.what.clone().into(),
            good: check.result == CheckResult::Good,
            result: match check.result {
                CheckResult::Good => "good",
                CheckResult::Warning => "to note",
                CheckResult::Bad => "in the way",
                CheckResult::Unknown => "could not be looked at",
            },
            detail: check.detail.clone().into(),
        })
        .collect()
}

/// The sources as they were last asked: of the logs, and of the last snapshot.
pub(super) fn all_sources(state: &State) -> Vec<(&'static str, &event::Source)> {
    let logs = state
        .analysis
        .iter()
        .flat_map(|(_, analysis)| &analysis.sources)
        .map(|source| ("logs", source));
    let objects = state
        .snapshot()
        .into_iter()
        .flat_map(|snapshot| &snapshot.sources)
        .map(|source| ("objects", source));
    logs.chain(objects).collect()
}

/// Answer, heading, and what it means.
const ANSWERS: [(Looked, &str, &str); 5] = [
    (
        Looked::CouldNot,
        "Could not look",
        "The tenant did not let us, or has no such source. Anything may have happened there.",
    ),
    (
        Looked::TooEarly,
        "Too early to tell",
        "The source lags; what happened just now may show there later.",
    ),
    (
        Looked::InPart,
        "Looked, and part is missing",
        "What is not listed in this report may be in the part that is missing.",
    ),
    (
        Looked::Not,
        "Not looked",
        "Nobody looked there. That says nothing about what is there.",
    ),
    (
        Looked::Whole,
        "Looked, nothing more found",
        "Read as a whole; beyond what this report lists, nothing was found there.",
    ),
];

pub(super) fn sources(state: &State) -> Vec<SourceGroup> {
    let all = all_sources(state);
    ANSWERS
        .into_iter()
        .map(|(answer, title, means)| SourceGroup {
            answer,
            title,
            means,
            sources: all
                .iter()
                .filter(|(_, source)| source.looked == answer)
                .map(|(asked_for, source)| SourceLine {
                    name: source.name.clone().into(),
                    asked_for,
                    why: source.why.clone().map(Text::new),
                    code: source.code.clone().map(Text::new),
                })
                .collect(),
        })
        .filter(|group| !group.sources.is_empty())
        .collect()
}

pub(super) fn decisions(state: &State) -> Vec<Decision> {
    let mut decisions: Vec<Decision> = state
        .gates
        .iter()
        .map(|(gate, gate_state)| {
            let spec = gate.spec();
            let (at, how, by, words) = match gate_state {
                GateState::Waiting { at, why } => (at, "waits", None, Some(why)),
                GateState::Passed { at, by, answer } => (at, "passed", Some(by), answer.as_ref()),
                GateState::Overridden { at, by, reason } => {
                    (at, "overridden", Some(by), Some(reason))
                }
                GateState::Refused { at, by } => (at, "refused", Some(by), None),
            };
            Decision {
                gate: spec.name,
                step: spec.step.to_string(),
                asked: spec.asks,
                at: When(*at),
                how,
                by: by.cloned().map(Text::new),
                words: words.cloned().map(Text::new),
            }
        })
        .collect();
    decisions.sort_by_key(|decision| decision.at);
    decisions
}

/// As the attestation has it.
pub(super) fn undone(attested: &Value) -> Vec<Undone> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    attested["undone"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|undone| Undone {
            at: text(&undone["at"])
                .parse::<Timestamp>()
                .map_or_else(|_| text(&undone["at"]), |at| When(at).to_string())
                .into(),
            what: text(&undone["what"]).into(),
            by: text(&undone["by"]).into(),
            reason: text(&undone["reason"]).into(),
            evidence: undone["evidence"].as_str().map(Text::from),
            differs: undone["differs"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|differs| text(differs).into())
                .collect(),
        })
        .collect()
}

/// To whom the attacker wrote: outside first, then by how often.
pub(super) fn recipients(state: &State) -> Vec<Recipient> {
    let Some((_, analysis)) = &state.analysis else {
        return Vec::new();
    };
    let domain = |address: &str| {
        address
            .rsplit_once('@')
            .map(|(_, domain)| domain.to_lowercase())
    };
    let own: Vec<String> = state
        .account
        .iter()
        .flat_map(|account| account.addresses.iter().chain([&account.upn]))
        .filter_map(|address| domain(address))
        .collect();
    let mut found: BTreeMap<String, Recipient> = BTreeMap::new();
    for mail in &analysis.sent {
        for to in &mail.recipients {
            let recipient = found.entry(to.to_lowercase()).or_insert_with(|| Recipient {
                address: to.clone().into(),
                inside: domain(to).is_some_and(|domain| own.contains(&domain)),
                messages: 0,
                first: When(mail.at),
                subjects: Vec::new(),
            });
            recipient.messages += 1;
            recipient.first = recipient.first.min(When(mail.at));
            let subject = Text::from(mail.subject.clone());
            if !recipient.subjects.contains(&subject) {
                recipient.subjects.push(subject);
            }
        }
    }
    let mut all: Vec<Recipient> = found.into_values().collect();
    all.sort_by_key(|recipient| (recipient.inside, std::cmp::Reverse(recipient.messages)));
    all
}

pub(super) fn read_by(read: &[Mail]) -> Vec<(Text, usize)> {
    let mut by: BTreeMap<Text, usize> = BTreeMap::new();
    for mail in read {
        *by.entry(mail.how.clone()).or_default() += 1;
    }
    by.into_iter().collect()
}

/// Other accounts with the attacker's marks; those in the same hands with their cases.
pub(super) fn accounts(state: &State) -> Vec<Text> {
    let linked = state.linked.iter().map(|linked| {
        format!(
            "{}: in the same hands, case {}: {}",
            linked.account,
            linked.case,
            linked.why.join("; ")
        )
    });
    let told = state
        .analysis
        .iter()
        .flat_map(|(_, analysis)| &analysis.accounts)
        .filter(|account| {
            !state
                .linked
                .iter()
                .any(|linked| linked.account.eq_ignore_ascii_case(account))
        })
        .cloned();
    linked.chain(told).map(Text::from).collect()
}

pub(super) fn changed(state: &State) -> Vec<Changed> {
    let mut changed: Vec<Changed> = state
        .analysis
        .iter()
        .flat_map(|(_, analysis)| &analysis.changes)
        .filter(|change| change.by == Origin::Attacker)
        .map(|change| Changed {
            at: When(change.at),
            operation: change.operation.clone().into(),
            what: change.kind.words(),
            object: change.ids.first().cloned().unwrap_or_default().into(),
            why: change
                .reasons
                .iter()
                .map(|why| why.clone().into())
                .collect(),
            record: change.record.clone().into(),
        })
        .collect();
    changed.sort_by_key(|change| change.at);
    changed
}

/// What is evidence and answers no request is a document of ours.
pub(super) fn documents(evidence: &[Evidence]) -> Vec<Document> {
    evidence
        .iter()
        .filter(|evidence| evidence.request.is_none())
        .map(|evidence| Document {
            name: evidence.what.clone(),
            digest: evidence.digest.clone(),
            bytes: evidence.bytes,
        })
        .collect()
}

pub(super) fn evidence(state: &State, kept: &dyn Fn(&Digest) -> Option<Vec<u8>>) -> Vec<Evidence> {
    state
        .evidence
        .values()
        .map(|evidence| Evidence {
            digest: evidence.digest.clone(),
            what: evidence.what.clone().into(),
            request: evidence
                .request
                .as_ref()
                .map(|request| format!("{} {}", request.method, request.url).into()),
            status: evidence.status,
            bytes: evidence.bytes,
            kept: kept(&evidence.digest).is_some(),
        })
        .collect()
}
