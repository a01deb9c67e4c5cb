//! What is measured: clocks, calls, leaks, what the attacker still did, and how
//! well the case knows it.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use retake_playbook::event::{Analysis, Change, Origin};
use retake_playbook::{Event, ObjectKind, ObjectRef};

use super::case::Case;
use super::form::{
    Afterwards, BlastRadius, Calls, Clocks, Leak, Overlap, PathScore, Reading, Warned, Warning,
};
use super::moments::Moments;
use super::said::{Said, answers};
use super::trace::{Did, Got, Line, Object, Trace};

/// How long after the approval things were done.
pub(super) fn clocks(trace: &Trace, case: Option<&Case>, moments: &Moments) -> Clocks {
    let at_line = |n: Option<u64>| {
        let line = trace.lines.get(n? as usize)?;
        Some(reading(trace, moments.zero, line.at, line.round))
    };
    let at_time = |at: Timestamp| reading(trace, moments.zero, at, rounds_until(trace, at));
    let closed = case
        .and_then(|case| case.last(|at, event| matches!(event, Event::Closed(_)).then_some(at)));
    Clocks {
        first_block: at_line(moments.blocked),
        revoked: at_line(moments.revoked),
        evicted: at_line(moments.evicted),
        finance_warned: trace
            .lines
            .iter()
            .find(|line| is_warning(line, "finance"))
            .map(|line| at_time(line.at)),
        closed: closed.map(at_time),
    }
}

fn reading(trace: &Trace, zero: Timestamp, at: Timestamp, round: u32) -> Reading {
    let milliseconds = at.duration_since(zero).as_millis();
    Reading {
        virtual_s: milliseconds as f64 / 1000.0,
        round_trips: round.saturating_sub(rounds_until(trace, zero)),
    }
}

/// The highest round that had an answer by then.
fn rounds_until(trace: &Trace, at: Timestamp) -> u32 {
    trace
        .lines
        .iter()
        .filter(|line| line.by_responder() && line.at <= at && line.status.is_some())
        .map(|line| line.round)
        .max()
        .unwrap_or(0)
}

/// Mail that left to the attacker, or was read by it, after the block was accepted.
///
/// The attacker finds mail in its outside mailboxes some minutes after it left;
/// where one look finds mail of before and after the block, the bytes are counted
/// by share.
pub(super) fn leaked(trace: &Trace, moments: &Moments) -> Leak {
    let mut leak = Leak::default();
    let Some(blocked) = line_at(trace, moments.blocked) else {
        return leak;
    };
    for line in trace
        .lines
        .iter()
        .filter(|line| line.n > blocked.n && line.by_attacker())
    {
        if !matches!(line.effect_kind(), Some("leaked" | "read")) {
            continue;
        }
        let all = line.effect_texts("messages").count() as u64;
        let times = line.got_at();
        let after = times.iter().filter(|at| **at > blocked.at).count() as u64;
        let share = |whole: u64| whole * after / (times.len().max(1) as u64);
        leak.messages += share(all);
        leak.bytes += share(
            line.effect_member("bytes")
                .and_then(serde_json::Value::as_u64)
                .unwrap_or(0),
        );
    }
    leak
}

fn line_at(trace: &Trace, n: Option<u64>) -> Option<&Line> {
    trace.lines.get(n? as usize)
}

/// The responder's requests.
pub(super) fn calls(trace: &Trace) -> Calls {
    let mut calls = Calls::default();
    let mut failed = BTreeSet::new();
    for line in trace
        .lines
        .iter()
        .filter(|line| line.by_responder() && line.request_sha256.is_some())
    {
        calls.total += 1;
        for part in &line.parts {
            match part.status {
                Some(429) => calls.throttled += 1,
                Some(400..) => calls.failed += 1,
                _ => {}
            }
        }
        if failed.contains(&line.request_sha256) {
            calls.retried += 1;
        }
        match line.status {
            Some(429) => calls.throttled += 1,
            Some(status) if status < 400 => {
                failed.remove(&line.request_sha256);
                continue;
            }
            _ => calls.failed += 1,
        }
        failed.insert(line.request_sha256.clone());
    }
    calls
}

/// What the attacker got after the line with which the account was contained.
pub(super) fn afterwards(trace: &Trace, moments: &Moments) -> Afterwards {
    let mut after = Afterwards::default();
    let Some(contained) = line_at(trace, moments.contained) else {
        return after;
    };
    for line in trace
        .lines
        .iter()
        .filter(|line| line.n > contained.n && line.by_attacker())
    {
        // Mail that had left before is found later; that is not afterwards.
        let new = line.got_at().iter().any(|at| *at > contained.at);
        if line.got_something() && new {
            match line.got {
                Some(Got::Token) => after.tokens += 1,
                _ => after.reads += 1,
            }
            after.through.extend(line.attempt);
        }
        match line.effect_kind() {
            Some("sent") => after.sends += line.effect_texts("messages").count() as u64,
            Some("read" | "leaked" | "hidden") | None => {}
            Some(_) => after.changes += line.effects.len() as u64,
        }
    }
    after
}

/// The path of takeover, as it was and as the case says.
pub(super) fn path(trace: &Trace, case: Option<&Case>) -> PathScore {
    let analysis = case.and_then(last_analysis);
    PathScore {
        truth: trace.path.clone(),
        said: analysis.map_or_else(|| "unknown".to_owned(), |found| found.path.clone()),
        confidence: analysis.map_or(0.0, |found| found.confidence),
    }
}

/// The last reading of all sources; a quick one only where there is no other.
fn last_analysis(case: &Case) -> Option<&Analysis> {
    let last = |quick_too: bool| {
        case.last(|_, event| match event {
            Event::Analysed(found) if quick_too || !found.quick => Some(found),
            _ => None,
        })
    };
    last(false).or_else(|| last(true))
}

/// What the attacker read, sent, changed and used, against what the case says.
pub(super) fn blast_radius(trace: &Trace, cases: &[Case]) -> BlastRadius {
    let analyses: Vec<&Analysis> = cases.iter().filter_map(last_analysis).collect();
    let messages = |kind: &str| -> BTreeSet<String> {
        trace
            .lines
            .iter()
            .filter(|line| line.by_attacker() && line.effect_kind() == Some(kind))
            .flat_map(|line| line.effect_texts("messages"))
            .map(str::to_owned)
            .collect()
    };
    let said = |pick: &dyn Fn(&Analysis) -> Vec<String>| -> BTreeSet<String> {
        analyses.iter().flat_map(|found| pick(found)).collect()
    };
    let told: Vec<Said<'_>> = cases.iter().flat_map(answers).collect();
    let ids = |mail: &[retake_playbook::event::Mail]| {
        mail.iter().map(|mail| mail.message.clone()).collect()
    };
    BlastRadius {
        read: overlap(&messages("read"), &said(&|found| ids(&found.read))),
        sent: {
            let truth = messages("sent");
            let mut all = said(&|found| ids(&found.sent));
            all.extend(told.iter().filter_map(|told| {
                match told {
                    Said::NotWritten(line) => Some(
                        truth
                            .iter()
                            .find(|id| line.contains(id.as_str()))
                            .cloned()
                            .unwrap_or_else(|| (*line).to_owned()),
                    ),
                    _ => None,
                }
            }));
            overlap(&truth, &all)
        },
        changed: changed(
            trace,
            analyses.iter().flat_map(|found| &found.changes),
            &told,
            &cases.iter().flat_map(laid_to_the_attacker).collect(),
        ),
        accounts: overlap(
            &other_accounts(trace),
            &said(&|found| {
                found
                    .accounts
                    .iter()
                    .filter(|name| !name.eq_ignore_ascii_case(&trace.account.upn))
                    .map(|name| name.to_ascii_lowercase())
                    .collect()
            }),
        ),
    }
}

fn other_accounts(trace: &Trace) -> BTreeSet<String> {
    trace
        .lines
        .iter()
        .filter(|line| line.by_attacker())
        .filter_map(|line| line.effect_member("account")?.as_str())
        .chain(trace.further.iter().map(|account| account.upn.as_str()))
        .filter(|name| !name.eq_ignore_ascii_case(&trace.account.upn))
        .map(str::to_ascii_lowercase)
        .collect()
}

fn overlap(truth: &BTreeSet<String>, said: &BTreeSet<String>) -> Overlap {
    let both = truth.intersection(said).count();
    Overlap {
        precision: part(both, said.len()),
        recall: part(both, truth.len()),
        truth: truth.len() as u64,
        said: said.len() as u64,
    }
}

/// The objects that the attacker changed, against the changes that the case
/// lays to the attacker. One object may be told of by several records.
fn changed<'a>(
    trace: &Trace,
    changes: impl Iterator<Item = &'a Change>,
    told: &[Said<'_>],
    planned: &BTreeSet<ObjectRef>,
) -> Overlap {
    let truth: BTreeSet<&Object> = trace
        .lines
        .iter()
        .filter(|line| line.by_attacker())
        .flat_map(|line| &line.effects)
        .filter(|effect| matches!(effect.did, Did::Created | Did::Changed(_) | Did::Deleted))
        .map(|effect| &effect.object)
        .chain(trace.footholds.iter().map(|held| &held.object))
        // Another account that it made is a change; those that it entered are what they are.
        .filter(|object| {
            let entered = object.kind == ObjectKind::Account
                && trace.further.iter().any(|held| held.id == object.id);
            let kept_secret = matches!(
                object.kind,
                ObjectKind::Password
                    | ObjectKind::Session
                    | ObjectKind::Token
                    | ObjectKind::Message
            );
            !entered && !kept_secret && !trace.is_account(object)
        })
        .collect();
    let mut missing: Vec<&Object> = truth.iter().copied().collect();
    let said: Vec<&Change> = changes
        .filter(|change| change.by == Origin::Attacker)
        .collect();
    let mut right = 0;
    for change in &said {
        let parts = missing.len();
        // One record may set several parts of one setting.
        missing.retain(|object| is_about_part(trace, change, object) != Some(true));
        if missing.len() < parts {
            right += 1;
        } else if let Some(index) = missing
            .iter()
            .position(|object| is_about(trace, change, object))
        {
            missing.remove(index);
            right += 1;
        } else if truth.iter().any(|object| is_about(trace, change, object)) {
            right += 1;
        }
    }
    // What people said counts like a record, right or wrong.
    let mut count = said.len();
    for told in told {
        let names = |object: &Object| match told {
            Said::NotTheirs(of) => trace.same(object, of.kind, &of.id),
            Said::Removed(line) => trace
                .names(object)
                .iter()
                .any(|name| name.len() >= 8 && line.contains(name.as_str())),
            Said::NotWritten(_) => false,
        };
        if matches!(told, Said::NotWritten(_)) {
            continue;
        }
        count += 1;
        if let Some(index) = missing.iter().position(|object| names(object)) {
            missing.remove(index);
            right += 1;
        } else if truth.iter().any(|object| names(object)) {
            right += 1;
        }
    }
    // What was to be removed as the attacker's is said to be the attacker's, with a record
    // or without one.
    for planned in planned {
        let names = |object: &Object| trace.same(object, planned.kind, &planned.id);
        if let Some(index) = missing.iter().position(|object| names(object)) {
            missing.remove(index);
            right += 1;
            count += 1;
        } else if !trace.is_attackers(&Object {
            kind: planned.kind,
            id: planned.id.clone(),
        }) {
            count += 1;
        }
    }
    Overlap {
        precision: part(right, count),
        recall: part(truth.len() - missing.len(), truth.len()),
        truth: truth.len() as u64,
        said: count as u64,
    }
}

/// Objects of which the case says that they are the attacker's, by planning their removal.
/// A method goes where nothing says whose it is, and junk lists and protocols are named
/// as a whole: those say nothing about one object.
fn laid_to_the_attacker(case: &Case) -> BTreeSet<ObjectRef> {
    case.events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::PlanMade(plan) => Some(&plan.actions),
            _ => None,
        })
        .flatten()
        .filter(|planned| planned.undoes.is_none() && planned.observed.is_some())
        .filter(|planned| planned.artefact.is_some())
        .map(|planned| planned.object.clone())
        .filter(|object| {
            !matches!(
                object.kind,
                ObjectKind::Method
                    | ObjectKind::JunkLists
                    | ObjectKind::MailProtocols
                    | ObjectKind::SendingBlock
            )
        })
        .collect()
}

/// Whether the change that the case tells of is the one of this object.
///
/// Audit records of methods do not name the method (reference §2.2): of them the
/// time has to fit. An app that comes in with a consent belongs to the grant.
fn is_about(trace: &Trace, change: &Change, object: &Object) -> bool {
    if object.kind == ObjectKind::Method {
        return change.kind == ObjectKind::Method
            && trace
                .lines
                .iter()
                .filter(|line| line.by_attacker())
                .filter(|line| line.effects.iter().any(|effect| effect.object == *object))
                .any(|line| {
                    change.at.duration_since(line.at).abs() <= SignedDuration::from_secs(5)
                });
    }
    if let Some(about) = is_about_part(trace, change, object) {
        return about;
    }
    let kinds = change.kind == object.kind
        || (change.kind == ObjectKind::ServicePrincipal && object.kind == ObjectKind::OauthGrant)
        // A rule that Outlook keeps is told like any other.
        || (change.kind == ObjectKind::InboxRule && object.kind == ObjectKind::ClientSideRule)
        // What lets an app in with rights of its own is told as a consent.
        || (object.kind == ObjectKind::ServicePrincipal
            && matches!(change.kind, ObjectKind::OauthGrant | ObjectKind::AppRole));
    kinds
        && change
            .ids
            .iter()
            .any(|id| trace.same(object, object.kind, id) || names_account(trace, object, id))
}

/// A setting in which the attacker's and the owner's stand side by side is told apart by
/// its parts: each entry of a list and each switch is an object. Records name the account,
/// and the part among their parameters.
fn is_about_part(trace: &Trace, change: &Change, object: &Object) -> Option<bool> {
    if !matches!(
        object.kind,
        ObjectKind::JunkLists | ObjectKind::MailProtocols
    ) {
        return None;
    }
    let (owner, part) = object.id.split_once('/')?;
    let part = part.rsplit('/').next().unwrap_or(part).to_lowercase();
    let account = std::iter::once(&trace.account)
        .chain(&trace.further)
        .find(|account| account.id == owner)?;
    let names =
        |id: &String| id.eq_ignore_ascii_case(&account.id) || id.eq_ignore_ascii_case(&account.upn);
    Some(
        change.kind == object.kind
            && change.ids.iter().any(names)
            && change.parameters.to_lowercase().contains(&part),
    )
}

/// Forwarding has the account's id, and records know it by its address.
fn names_account(trace: &Trace, object: &Object, id: &str) -> bool {
    std::iter::once(&trace.account)
        .chain(&trace.further)
        .any(|account| object.id == account.id && id.eq_ignore_ascii_case(&account.upn))
}

fn part(some: usize, whole: usize) -> f64 {
    if whole == 0 {
        1.0
    } else {
        some as f64 / whole as f64
    }
}

/// Who had to be warned; who was, as both the person's own line and the case say.
pub(super) fn warned(trace: &Trace, case: Option<&Case>) -> Warned {
    let due: Vec<Warning> = trace
        .warnings_due
        .iter()
        .map(|due| Warning {
            who: due.who.clone(),
            why: due.why.clone(),
        })
        .collect();
    let done = due
        .iter()
        .filter(|due| was_warned(trace, &due.who, None) && says_warned(case, &due.who))
        .cloned()
        .collect();
    Warned { due, done }
}

fn says_warned(case: Option<&Case>, whom: &str) -> bool {
    let Some(case) = case else {
        return false;
    };
    case.events.iter().any(|(_, event)| {
        match event {
        Event::WarningDue { warning, who, .. } => {
            who == whom
                && case.events.iter().any(|(_, event)| {
                    matches!(event, Event::WarningDone { warning: done, .. } if done == warning)
                })
        }
        _ => false,
    }
    })
}

/// Whether the trace knows that this person was warned, by then where a time is given.
pub(super) fn was_warned(trace: &Trace, who: &str, by: Option<Timestamp>) -> bool {
    trace
        .lines
        .iter()
        .any(|line| is_warning(line, who) && by.is_none_or(|by| line.at <= by))
}

fn is_warning(line: &Line, who: &str) -> bool {
    line.person() == Some(who) && line.effect_kind() == Some("warned")
}
