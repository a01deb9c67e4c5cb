//! What only a person can do or see, because the tenant closes it to us: a source for
//! which a permission, a role or a licence is missing, a change that was refused, an
//! object of which no log that can be read says whose it is.
//!
//! None of it is passed over in silence: each becomes an errand with the exact words of
//! what is missing, where a person with the rights looks, which cmdlet does the same,
//! which object it is about and what answer is expected. What the tenant shows of it is
//! read; what it cannot show stays somebody's word, and is told as that.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::codes;
use crate::duties::{Before, Duty, Shows};
use crate::event::{Looked, Observed, Source, Stopped};
use crate::judge::{self, Undecided};
use crate::plan;
use crate::state::State;
use crate::steps::StepId;
use crate::words::{ObjectKind, ObjectRef};

pub use words::{LOOKED_AT, quoted};

mod words;

/// A duty as it is handed out in a case: one of the standing ones, or what this case
/// alone asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Errand {
    /// Its number as a task of the case.
    pub task: u32,
    /// A word for it; with a point and the kind of object where it has one.
    pub name: String,
    /// The step that it belongs to.
    pub step: StepId,
    /// Who carries it out.
    pub who: &'static str,
    /// What to do, and what to answer.
    pub what: String,
    /// What the tenant shows of it.
    pub shows: Shows,
    /// Before what it has to be done.
    pub before: Before,
    /// The one object that it is about, where it is about one.
    pub object: Option<ObjectRef>,
}

impl From<Duty> for Errand {
    fn from(duty: Duty) -> Self {
        Self {
            task: duty.task,
            name: duty.name.to_owned(),
            step: duty.step,
            who: duty.who,
            what: duty.what.to_owned(),
            shows: duty.shows,
            before: duty.before,
            object: None,
        }
    }
}

/// An object is still there, and a person removes it.
pub const REMOVE: &str = "remove_by_hand";
/// Objects of this kind cannot be read, and a person looks and removes.
pub const LOOK: &str = "look_by_hand";
/// A log cannot be read, and a person looks.
pub const READ: &str = "read_by_hand";
/// Nobody but the owner can say whose an object is.
pub const ASK: &str = "ask_owner";
/// A setting that could not be made.
pub const SET: &str = "set_by_hand";

/// What left in the owner's name, and is not theirs.
pub const SENT: &str = "ask_owner.sent";

/// Whether a task is one that stands in for a missing right.
pub fn is_errand(task: &str) -> bool {
    let (word, _) = task.split_once('.').unwrap_or((task, ""));
    [REMOVE, LOOK, READ, ASK, SET].contains(&word)
}

/// From this number on, tasks are errands: a round of the case has ten thousand.
const FIRST: u32 = 10_000;
const LOGS: u32 = 200;
const SENT_PLACE: u32 = 99;
const SETTINGS: u32 = 300;
const OBJECTS: u32 = 400;

/// Whether a task of this number is an errand.
pub const fn is_number_of_errand(task: u32) -> bool {
    task >= FIRST
}

/// Whether a source is closed to us for good, as far as we can do anything: a right or a
/// licence is missing, or nothing was recorded. What merely failed is read again.
pub fn is_closed(source: &Source) -> bool {
    matches!(source.looked, Looked::CouldNot | Looked::InPart)
        && source.code.as_deref().is_some_and(|code| {
            [
                codes::PERMISSION_MISSING.id,
                codes::LICENCE_MISSING.id,
                codes::AUDITING_OFF.id,
                codes::PROTECTED.id,
                codes::REFUSED.id,
            ]
            .contains(&code)
        })
}

/// Everything that people have to do or look at in the place of this program, as the
/// case stands, done or not.
pub fn errands(state: &State) -> Vec<Errand> {
    let Some(account) = &state.account else {
        return Vec::new();
    };
    let hands = Hands {
        state,
        upn: &account.upn,
        id: &account.id,
        numbers: Numbers::of(state),
    };
    let mut all = hands.looks();
    all.extend(hands.removals());
    all.extend(hands.questions());
    all.extend(hands.logs());
    all.extend(hands.sent());
    all.extend(hands.settings());
    all
}

/// The errands that stand in the way of saying that the attacker is out, and that are
/// not settled.
pub fn open(state: &State) -> Vec<Errand> {
    errands(state)
        .into_iter()
        .filter(|errand| errand.before == Before::Effective && !is_settled(state, errand))
        .collect()
}

/// Those of [`open`] that somebody is to be asked about now: nobody was yet; or what was
/// done came back, or was looked at while somebody could still hold a token; or what was
/// said does not count, and a responder has come back to the case since.
pub fn to_ask(state: &State) -> Vec<Errand> {
    open(state)
        .into_iter()
        .filter(|errand| {
            let task = state.tasks.get(&errand.task);
            let Some((task, (at, _))) = task.and_then(|task| Some((task, task.done.as_ref()?)))
            else {
                return true;
            };
            let came_back = errand.shows == Shows::Gone && task.verified.is_some();
            let again = is_look(errand)
                && state
                    .access_ends_at()
                    .is_some_and(|end| state.snapshot().is_some_and(|last| last.at >= end));
            let taken_up = state.retried_at.is_some_and(|retried| retried > *at);
            came_back || again || taken_up
        })
        .collect()
}

/// What holds nothing up and was not asked for yet.
pub fn beside(state: &State) -> Vec<Errand> {
    errands(state)
        .into_iter()
        .filter(|errand| errand.before == Before::Closing)
        .filter(|errand| !state.tasks.contains_key(&errand.task))
        .collect()
}

/// Whether somebody answered for this source of a snapshot, or this log, which we
/// cannot read: then it is their word, and the case says so.
pub fn is_answered_for(state: &State, source: &Source) -> bool {
    is_closed(source)
        && errands(state)
            .iter()
            .any(|errand| names_source(errand, &source.name) && (is_settled(state, errand)))
}

/// Whether a person did what we could not, and the tenant shows it, of what no snapshot
/// shows: the password.
pub fn is_done_by_hand(state: &State, object: &ObjectRef) -> bool {
    object.kind == ObjectKind::Password
        && Numbers::of(state).removal(object).is_some_and(|number| {
            state
                .tasks
                .get(&(FIRST * (state.reopened + 1) + number))
                .is_some_and(|task| task.verified.is_some())
        })
}

/// Whether somebody went through a setting of which no log tells whose its entries are.
pub fn is_looked_through(state: &State, object: &ObjectRef) -> bool {
    errands(state).iter().any(|errand| {
        names_source(errand, judge::source_of(object.kind))
            && errand.name.starts_with(LOOK)
            && is_settled(state, errand)
    })
}

/// The answer about whose an object is, if the owner gave one: who said it, when, and
/// whether it is the owner's.
pub fn owner_said(state: &State, observed: &Observed) -> Option<(String, Timestamp, bool)> {
    // Most cases have none, and this is asked about every object.
    if !state.tasks.keys().any(|task| is_number_of_errand(*task)) {
        return None;
    }
    let rounds = (0..=state.reopened).rev();
    let number = Numbers::of(state).question(observed)?;
    rounds
        .filter_map(|round| state.tasks.get(&(FIRST * (round + 1) + number)))
        .find_map(|task| {
            let (at, by) = task.done.as_ref()?;
            Some((by.clone(), *at, yes_or_no(task.said.as_deref()?)?))
        })
}

/// The lines in which the owner names mail that left in their name and is not theirs.
pub fn not_written(state: &State) -> Vec<String> {
    (0..=state.reopened)
        .filter_map(|round| state.tasks.get(&(FIRST * (round + 1) + LOGS + SENT_PLACE)))
        .filter_map(|task| task.said.as_deref())
        .flat_map(str::lines)
        .filter(|line| line.contains('@'))
        .map(str::to_owned)
        .collect()
}

/// `yes` or `no`, whatever stands behind it.
pub fn yes_or_no(said: &str) -> Option<bool> {
    let word: String = said
        .trim_start()
        .chars()
        .take_while(|letter| letter.is_alphabetic())
        .flat_map(char::to_lowercase)
        .collect();
    match word.as_str() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

/// Why an errand that somebody says is done does not count, in words.
pub fn contradiction(state: &State, errand: &Errand) -> Option<String> {
    let task = state.tasks.get(&errand.task)?;
    let (at, by) = task.done.as_ref()?;
    if is_settled(state, errand) {
        return None;
    }
    let when = at.strftime("%Y-%m-%d %H:%M:%S UTC");
    Some(if errand.name.starts_with(ASK) && errand.object.is_some() {
        format!(
            "{by} answered on {when}, and neither yes nor no: {}",
            errand.what
        )
    } else if is_look(errand) {
        format!(
            "{by} looked on {when}, while somebody could still hold access; it has to be looked at again: {}",
            errand.what
        )
    } else {
        format!(
            "{by} said on {when} that it is done, and the tenant still shows it: {}",
            errand.what
        )
    })
}

/// Whether nothing more is to be done about it.
pub fn is_settled(state: &State, errand: &Errand) -> bool {
    let Some(task) = state.tasks.get(&errand.task) else {
        return false;
    };
    let Some((at, _)) = &task.done else {
        return false;
    };
    match errand.shows {
        // It is listed for as long as the latest look shows it.
        Shows::Gone => state.snapshot().is_some_and(|last| last.at <= *at),
        Shows::NewPassword => task.verified.is_some(),
        _ if errand.object.is_some() => task
            .said
            .as_deref()
            .is_some_and(|said| yes_or_no(said).is_some()),
        _ if is_look(errand) => !is_too_early(state, *at),
        _ => true,
    }
}

/// Whether whoever looked then could have missed what was made afterwards: until the
/// access clock has run out, somebody can still hold a token.
fn is_too_early(state: &State, at: Timestamp) -> bool {
    state.restored_at.is_none() && state.access_ends_at().is_none_or(|end| at < end)
}

fn is_look(errand: &Errand) -> bool {
    errand.name.starts_with(LOOK)
}

fn names_source(errand: &Errand, source: &str) -> bool {
    let Some((word, what)) = errand.name.split_once('.') else {
        return false;
    };
    match word {
        LOOK if what == ELSEWHERE => !is_known(source),
        LOOK => LOOKED_AT
            .iter()
            .any(|hand| hand.word == what && judge::source_of(hand.kind) == source),
        READ => words::LOGS
            .iter()
            .any(|log| log.word == what && log.sources.contains(&source)),
        _ => false,
    }
}

/// Sources that are about other mailboxes, or about what this table does not know.
const ELSEWHERE: &str = "elsewhere";

/// Whether the table of kinds knows a source of a snapshot.
fn is_known(source: &str) -> bool {
    source == judge::source_of(ObjectKind::Account)
        || LOOKED_AT
            .iter()
            .any(|hand| judge::source_of(hand.kind) == source)
}

struct Hands<'a> {
    state: &'a State,
    upn: &'a str,
    id: &'a str,
    numbers: Numbers,
}

impl Hands<'_> {
    fn number(&self, within: u32) -> u32 {
        FIRST * (self.state.reopened + 1) + within
    }

    /// Sources of the latest snapshot that are closed.
    fn looks(&self) -> Vec<Errand> {
        let Some(snapshot) = self.state.snapshot() else {
            return Vec::new();
        };
        let closed = |kind| {
            snapshot
                .sources
                .iter()
                .find(|source| source.name == judge::source_of(kind) && is_closed(source))
        };
        (0..)
            .zip(LOOKED_AT)
            .filter_map(|(place, hand)| {
                let source = closed(hand.kind)?;
                let why = source.why.as_deref().unwrap_or("it cannot be read");
                Some(Errand {
                    task: self.number(place),
                    name: format!("{LOOK}.{}", hand.word),
                    step: hand.step,
                    who: hand.who,
                    what: words::look(hand, &self.whom(), &words::unread(&source.name, why)),
                    shows: Shows::Nothing,
                    // Whether the service stopped the account says nothing about access.
                    before: if hand.kind == ObjectKind::SendingBlock {
                        Before::Closing
                    } else {
                        Before::Effective
                    },
                    object: None,
                })
            })
            .chain(self.lists())
            .chain(self.elsewhere())
            .collect()
    }

    /// Closed sources that are about other mailboxes: one look at all of them.
    fn elsewhere(&self) -> Option<Errand> {
        let closed: Vec<&Source> = self
            .state
            .snapshot()?
            .sources
            .iter()
            .filter(|source| is_closed(source) && !is_known(&source.name))
            .collect();
        let why: Vec<String> = closed
            .iter()
            .map(|source| {
                words::unread(
                    &source.name,
                    source.why.as_deref().unwrap_or("it cannot be read"),
                )
            })
            .collect();
        (!closed.is_empty()).then(|| Errand {
            task: self.number(LOGS - 1),
            name: format!("{LOOK}.{ELSEWHERE}"),
            step: StepId::new(5, 1),
            who: "mail_admin",
            what: words::elsewhere(&self.whom(), &why.join(" ")),
            shows: Shows::Nothing,
            before: Before::Effective,
            object: None,
        })
    }

    /// Settings that are judged entry by entry, and whose log is closed: their owner goes
    /// through them with somebody who may change them.
    fn lists(&self) -> impl Iterator<Item = Errand> {
        judge::undecided(self.state)
            .into_iter()
            .filter(|open| open.closed && !is_asked_whole(open.object.kind))
            .filter_map(|open| {
                let (place, hand) = (0..)
                    .zip(LOOKED_AT)
                    .find(|(_, h)| h.kind == open.object.kind)?;
                Some(Errand {
                    task: self.number(place),
                    name: format!("{LOOK}.{}", hand.word),
                    step: hand.step,
                    who: hand.who,
                    what: words::look(hand, &self.whom(), &open.why),
                    shows: Shows::Nothing,
                    before: Before::Effective,
                    object: None,
                })
            })
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// What we could not remove.
    fn removals(&self) -> Vec<Errand> {
        plan::survivors(self.state)
            .into_iter()
            .filter_map(|(object, why)| {
                let hand = words::hand(object.kind)?;
                Some(Errand {
                    task: self.number(self.numbers.removal(&object)?),
                    name: format!("{REMOVE}.{}", hand.word),
                    step: hand.step,
                    who: hand.who,
                    what: words::remove(hand, &self.whom(), &object, &why),
                    shows: if object.kind == ObjectKind::Password {
                        Shows::NewPassword
                    } else {
                        Shows::Gone
                    },
                    before: Before::Effective,
                    object: Some(object),
                })
            })
            .collect()
    }

    /// Objects of which only their owner can say whose they are.
    fn questions(&self) -> Vec<Errand> {
        let Some(snapshot) = self.state.snapshot() else {
            return Vec::new();
        };
        judge::undecided(self.state)
            .into_iter()
            .filter(|open| open.closed && is_asked_whole(open.object.kind))
            .filter_map(|Undecided { object, why, .. }| {
                let observed = snapshot.objects.iter().find(|seen| seen.object == object)?;
                let hand = words::hand(object.kind)?;
                Some(Errand {
                    task: self.number(self.numbers.question(observed)?),
                    name: format!("{ASK}.{}", hand.word),
                    step: hand.step,
                    who: if object.kind == ObjectKind::ServicePrincipal {
                        "identity_admin"
                    } else {
                        "user"
                    },
                    what: words::ask(hand, &self.whom(), observed, &why),
                    shows: Shows::Nothing,
                    before: Before::Effective,
                    object: Some(object),
                })
            })
            .collect()
    }

    /// Logs that are closed.
    fn logs(&self) -> Vec<Errand> {
        let Some((_, analysis)) = &self.state.analysis else {
            return Vec::new();
        };
        (0..)
            .zip(words::LOGS)
            .filter_map(|(place, log)| {
                let source = analysis.sources.iter().find(|source| {
                    log.sources.contains(&source.name.as_str()) && is_closed(source)
                })?;
                let why = source.why.as_deref().unwrap_or("it cannot be read");
                let unrecorded = source.code.as_deref() == Some(codes::AUDITING_OFF.id);
                // Whoever can grant it can do so now; a licence comes too late for this case,
                // and what was not recorded is in no log.
                let granted = source.code.as_deref() == Some(codes::PERMISSION_MISSING.id);
                Some(Errand {
                    task: self.number(LOGS + place),
                    name: format!("{READ}.{}", log.word),
                    step: log.step,
                    who: log.who,
                    what: words::read(
                        log,
                        &self.whom(),
                        &words::unread(&source.name, why),
                        unrecorded,
                    ),
                    shows: Shows::Nothing,
                    before: if granted {
                        Before::Effective
                    } else {
                        Before::Closing
                    },
                    object: None,
                })
            })
            .collect()
    }

    /// Where neither sign-ins nor the unified log can be read, nothing tells whose hand a
    /// message is of, however well the trace shows that it left.
    fn sent(&self) -> Option<Errand> {
        let (_, analysis) = self.state.analysis.as_ref().filter(|(_, all)| !all.quick)?;
        let closed = |name: &str| {
            analysis
                .sources
                .iter()
                .find(|source| source.name == name && is_closed(source))
        };
        let signs = closed(judge::LOGS_FOR_JUDGEMENT[0])?;
        closed(judge::UNIFIED_AUDIT)?;
        let why = signs.why.as_deref().unwrap_or("it cannot be read");
        Some(Errand {
            task: self.number(LOGS + SENT_PLACE),
            name: SENT.to_owned(),
            step: StepId::new(6, 2),
            who: "user",
            what: words::sent(&self.whom(), &words::unread(&signs.name, why)),
            shows: Shows::Nothing,
            before: Before::Closing,
            object: None,
        })
    }

    /// What was to keep evidence, or was to be given back, and was refused.
    fn settings(&self) -> Vec<Errand> {
        use crate::ActionKind::{HoldMailbox, LiftSendingBlock, RaiseRetention};
        let refused = |kind| {
            let mut of_kind = self
                .state
                .actions
                .values()
                .filter(|action| action.planned.makes(kind));
            let last = of_kind.next_back()?;
            let (_, why, message) = last.stopped.as_ref()?;
            (*why == Stopped::Refused).then(|| (last.planned.clone(), message.clone()))
        };
        (0..)
            .zip([RaiseRetention, HoldMailbox, LiftSendingBlock])
            .filter_map(|(place, kind)| {
                let (planned, message) = refused(kind)?;
                Some(Errand {
                    task: self.number(SETTINGS + place),
                    name: format!("{SET}.{}", words::setting_word(kind)),
                    step: planned.step,
                    who: "mail_admin",
                    what: words::setting(kind, &self.whom(), &message),
                    shows: Shows::Nothing,
                    before: Before::Closing,
                    object: None,
                })
            })
            .collect()
    }

    fn whom(&self) -> words::Whom<'_> {
        words::Whom {
            upn: self.upn,
            id: self.id,
        }
    }
}

/// Whether an object of this kind is one person's or another's as a whole.
const fn is_asked_whole(kind: ObjectKind) -> bool {
    !matches!(kind, ObjectKind::JunkLists | ObjectKind::MailProtocols)
}

/// Numbers of errands about objects: those of the order in which the snapshots showed
/// them, so that the same object has the same number for as long as the case lasts.
struct Numbers {
    objects: BTreeMap<(ObjectKind, String), u32>,
    states: BTreeMap<(ObjectKind, String, String), u32>,
}

impl Numbers {
    fn of(state: &State) -> Self {
        let mut numbers = Self {
            objects: BTreeMap::new(),
            states: BTreeMap::new(),
        };
        if let Some(account) = &state.account {
            numbers
                .objects
                .insert((ObjectKind::Password, account.id.clone()), 0);
        }
        for seen in state
            .snapshots
            .iter()
            .flat_map(|snapshot| &snapshot.objects)
        {
            let key = (seen.object.kind, seen.object.id.clone());
            let next = u32::try_from(numbers.objects.len()).unwrap_or(u32::MAX / 4);
            numbers.objects.entry(key.clone()).or_insert(next);
            // Who answers about a rule has not answered about what it becomes later.
            let key = (key.0, key.1, seen.digest.to_string());
            let next = u32::try_from(numbers.states.len()).unwrap_or(u32::MAX / 4);
            numbers.states.entry(key).or_insert(next);
        }
        numbers
    }

    fn removal(&self, object: &ObjectRef) -> Option<u32> {
        let place = self.objects.get(&(object.kind, object.id.clone()))?;
        Some(OBJECTS + 2 * place)
    }

    fn question(&self, observed: &Observed) -> Option<u32> {
        let key = (
            observed.object.kind,
            observed.object.id.clone(),
            observed.digest.to_string(),
        );
        Some(OBJECTS + 2 * self.states.get(&key)? + 1)
    }
}
