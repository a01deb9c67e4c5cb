//! When things happened, what could still be used then, and what became of it.

use jiff::{SignedDuration, Timestamp};
use retake_playbook::{Event, Gate, ObjectKind};

use super::ScoreError;
use super::case::Case;
use super::form::{ArtefactScore, Outcome, Usable};
use super::trace::{Did, Effect, Foothold, Object, Trace};

/// How long after an instant the attacker's next tick is looked for.
pub const WINDOW: SignedDuration = SignedDuration::from_mins(30);
/// How far apart the tries of one tick may lie.
const TICK: SignedDuration = SignedDuration::from_secs(60);
/// From giving sign-in back to `after_restore`.
pub const AFTER_RESTORE: SignedDuration = SignedDuration::from_hours(1);
/// From `after_restore` to `after_24h`.
pub const AFTER_A_DAY: SignedDuration = SignedDuration::from_hours(24);
/// Where nothing responds at all, the end is this long after the alert.
pub const NOTHING_DONE: SignedDuration = SignedDuration::from_hours(2);

/// The moments of one run.
#[derive(Clone, Debug)]
pub(super) struct Moments {
    /// Zero of the clocks: the approval of the containment, else the alert.
    pub(super) zero: Timestamp,
    /// First block of the affected account.
    pub(super) blocked: Option<u64>,
    /// First revoke.
    pub(super) revoked: Option<u64>,
    /// The line with which both block and revoke were accepted.
    pub(super) contained: Option<u64>,
    /// The last removing change.
    pub(super) evicted: Option<u64>,
    /// The three instants.
    pub(super) at_end: Timestamp,
    pub(super) after_restore: Timestamp,
    pub(super) after_24h: Timestamp,
}

impl Moments {
    pub(super) fn of(trace: &Trace, case: Option<&Case>) -> Result<Self, ScoreError> {
        let first = |wanted: &dyn Fn(&Effect) -> bool| {
            trace
                .responder_changes()
                .find(|(_, effect)| trace.is_account(&effect.object) && wanted(effect))
                .map(|(line, _)| line.n)
        };
        let blocked = first(&|effect| effect.did.sets("accountEnabled", false));
        let revoked = first(&|effect| effect.did == Did::Revoked);
        let evicted = trace
            .responder_changes()
            .filter(|(_, effect)| is_removal(effect))
            .last()
            .map(|(line, _)| line.n);

        let at_end = end(trace, case);
        let restored = sign_in_given_back(trace, at_end)?;
        let after_restore = match restored {
            Some(restored) => later(restored, AFTER_RESTORE),
            None => later(at_end, AFTER_RESTORE),
        };
        Ok(Self {
            zero: case.and_then(approved).unwrap_or(trace.alert_at),
            blocked,
            revoked,
            contained: blocked
                .zip(revoked)
                .map(|(block, revoke)| block.max(revoke)),
            evicted,
            at_end,
            after_restore,
            after_24h: later(after_restore, AFTER_A_DAY),
        })
    }
}

/// When the containment was approved, by an answer or by an override.
fn approved(case: &Case) -> Option<Timestamp> {
    case.events.iter().find_map(|(at, event)| match event {
        Event::GatePassed {
            gate: Gate::Contain,
            ..
        }
        | Event::GateOverridden {
            gate: Gate::Contain,
            ..
        } => Some(*at),
        _ => None,
    })
}

/// When the case declares the eviction effective, for the last time. A case that
/// never does, and a sequence without a case, end with their last change; what
/// changes nothing ends two hours after the alert.
fn end(trace: &Trace, case: Option<&Case>) -> Timestamp {
    let declared = case.and_then(|case| {
        case.last(|at, event| matches!(event, Event::EvictionEffective { .. }).then_some(at))
    });
    let last_change = || trace.responder_changes().last().map(|(line, _)| line.at);
    declared
        .or_else(last_change)
        .unwrap_or_else(|| later(trace.alert_at, NOTHING_DONE))
}

/// When sign-in was given back at or after the end, by whomever; nothing when
/// it was not blocked then.
fn sign_in_given_back(trace: &Trace, at_end: Timestamp) -> Result<Option<Timestamp>, ScoreError> {
    let mut blocked = false;
    let mut given_back = None;
    for line in &trace.lines {
        for effect in &line.effects {
            if !trace.is_account(&effect.object) {
                continue;
            }
            if effect.did.sets("accountEnabled", false) {
                blocked = true;
            } else if effect.did.sets("accountEnabled", true) {
                blocked = false;
                if line.at >= at_end {
                    given_back = Some(line.at);
                }
            }
        }
    }
    if blocked {
        return Err(ScoreError::NeverGivenBack);
    }
    Ok(given_back)
}

/// Whether the account is blocked after the last line, as the harness of a
/// sequence needs to know.
pub(super) fn ends_blocked(trace: &Trace) -> bool {
    let accounts = std::iter::once(&trace.account).chain(&trace.further);
    accounts.into_iter().any(|account| {
        let view = trace.of_account(account, |_| true);
        matches!(
            sign_in_given_back(&view, trace.alert_at),
            Err(ScoreError::NeverGivenBack)
        )
    })
}

/// A change that takes something from the attacker: the reset, and everything
/// deleted, cleared or switched off besides the account itself.
pub(super) fn is_removal(effect: &Effect) -> bool {
    match (&effect.did, effect.object.kind) {
        // What self-service reset goes by is set as a whole; a responder sets it to take
        // something away.
        (Did::PasswordSet, _) | (Did::Changed(_), ObjectKind::ResetAttributes) => true,
        // The block from sending is the service's, and takes nothing from the attacker.
        (
            _,
            ObjectKind::Account
            | ObjectKind::Session
            | ObjectKind::Token
            | ObjectKind::SendingBlock,
        ) => false,
        (Did::Deleted, _) => true,
        (Did::Changed(_), ObjectKind::MailboxForwarding) => clears_forwarding(&effect.did),
        (Did::Changed(_), ObjectKind::AutoReply) => silences(&effect.did),
        (Did::Changed(_), _) => switches_off(&effect.did),
        _ => false,
    }
}

fn clears_forwarding(did: &Did) -> bool {
    ["ForwardingSmtpAddress", "ForwardingAddress"]
        .iter()
        .any(|field| {
            did.field(field)
                .is_some_and(|(from, to)| !super::case::is_empty(from) && super::case::is_empty(to))
        })
}

/// Whether it makes an automatic reply fall silent.
fn silences(did: &Did) -> bool {
    did.field("AutoReplyState")
        .is_some_and(|(_, now)| now == "Disabled")
}

pub(super) fn switches_off(did: &Did) -> bool {
    ["isEnabled", "enabled", "accountEnabled"]
        .iter()
        .any(|field| did.sets(field, false))
}

/// Every foothold, with what became of it and when it could be used.
pub(super) fn artefacts(
    trace: &Trace,
    moments: &Moments,
) -> Result<Vec<ArtefactScore>, ScoreError> {
    let mut scores = Vec::new();
    for foothold in &trace.footholds {
        let usable = Usable {
            at_end: usable(trace, foothold, "at_end", moments.at_end)?,
            after_restore: usable(trace, foothold, "after_restore", moments.after_restore)?,
            after_24h: usable(trace, foothold, "after_24h", moments.after_24h)?,
        };
        scores.push(ArtefactScore {
            id: foothold.artefact,
            object: foothold.object.id.clone(),
            outcome: outcome(trace, foothold, usable),
            usable,
        });
    }
    scores.sort_by(|a, b| (a.id, &a.object).cmp(&(b.id, &b.object)));
    Ok(scores)
}

/// Whether the attacker got something then. That it did not try is no proof of
/// anything, and an error.
///
/// Where a thing can be tried at will, its first tick at or after the instant
/// counts. Rules and forwards show by mail alone: of them every look within the
/// window counts, and of it the mail that was delivered at or after the instant.
///
/// A try is of an artefact, not of an object. What a try brought is laid to the
/// objects that were there and not removed by the instant; to all of them, if
/// none was.
fn usable(
    trace: &Trace,
    foothold: &Foothold,
    name: &'static str,
    instant: Timestamp,
) -> Result<bool, ScoreError> {
    if foothold.since.is_some_and(|since| since > instant) {
        return Ok(false);
    }
    let by_mail = matches!(
        foothold.object.kind,
        ObjectKind::InboxRule | ObjectKind::MailboxForwarding | ObjectKind::SweepRule
    );
    let until = later(instant, WINDOW);
    // Which of the objects of this artefact a try at this time may have gone through.
    let there = |held: &Foothold, at: Timestamp| {
        held.artefact == foothold.artefact
            && held.since.is_none_or(|since| since <= at)
            && !is_gone(trace, held, instant)
    };
    let mut first = None;
    let mut got = false;
    for line in trace.lines.iter().filter(|line| {
        line.at >= instant
            && line.at <= until
            && line.by_attacker()
            && line.attempt == Some(foothold.artefact)
    }) {
        let first = *first.get_or_insert(line.at);
        if !by_mail && line.at > later(first, TICK) {
            break;
        }
        got |= line.got_something()
            && line.got_at().iter().any(|at| *at >= instant)
            && (there(foothold, line.at)
                || !trace.footholds.iter().any(|held| there(held, line.at)));
    }
    if first.is_none() {
        return Err(ScoreError::NotTried {
            artefact: foothold.artefact,
            object: foothold.object.id.clone(),
            instant: name,
            at: instant,
        });
    }
    Ok(got)
}

/// Whether the object had been removed or switched off by then, by whomever.
fn is_gone(trace: &Trace, held: &Foothold, by: Timestamp) -> bool {
    trace
        .lines
        .iter()
        .filter(|line| line.n > held.renewed && line.at <= by)
        .flat_map(|line| &line.effects)
        .any(|effect| ends(trace, held, effect).is_some())
}

fn is_object(trace: &Trace, one: &Object, other: &Object) -> bool {
    trace.same(one, other.kind, &other.id)
}

/// From what the trace says was done, never from what the case claims.
fn outcome(trace: &Trace, foothold: &Foothold, usable: Usable) -> Outcome {
    let mut outcome = Outcome::Survived;
    for line in trace.lines.iter().filter(|line| line.n > foothold.renewed) {
        let ours = line.by_responder();
        // The user is a person on our side too, but their own sign-in afterwards
        // is no removal; only what they did to this very object counts.
        if !ours && line.person().is_none() {
            continue;
        }
        for effect in &line.effects {
            match ends(trace, foothold, effect) {
                // What is gone is gone, whatever is done to it besides.
                _ if outcome == Outcome::Evicted => {}
                Some(end) if ours => outcome = end,
                Some(_) => outcome = Outcome::Task,
                None => {}
            }
        }
    }
    // Whatever was done to it: it still works.
    if usable.after_24h {
        return Outcome::Survived;
    }
    outcome
}

/// What this effect means for the foothold.
fn ends(trace: &Trace, foothold: &Foothold, effect: &Effect) -> Option<Outcome> {
    match foothold.object.kind {
        ObjectKind::Password => (effect.did == Did::PasswordSet
            && trace.is_account(&effect.object))
        .then_some(Outcome::Evicted),
        // A session or a token ends by revoking; an app's tokens by removing it.
        ObjectKind::Session | ObjectKind::Token => (effect.did == Did::Revoked
            && trace.is_account(&effect.object))
        .then_some(Outcome::Evicted),
        // An account is out of the attacker's hands with its sessions and its password.
        ObjectKind::Account => (matches!(effect.did, Did::PasswordSet | Did::Revoked)
            && trace.is_account(&effect.object))
        .then_some(Outcome::Evicted),
        kind if kind == effect.object.kind
            && is_object(trace, &foothold.object, &effect.object) =>
        {
            // A protocol that is off is all that can become of it.
            if is_removal(effect)
                && (!switches_off(&effect.did) || kind == ObjectKind::MailProtocols)
            {
                Some(Outcome::Evicted)
            } else if switches_off(&effect.did) {
                Some(Outcome::Disabled)
            } else {
                None
            }
        }
        // An app that is switched off gets no tokens, whatever was consented to.
        ObjectKind::OauthGrant => (trace.is_app_of(&effect.object, foothold)
            && switches_off(&effect.did))
        .then_some(Outcome::Disabled),
        _ => None,
    }
}

pub(crate) fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
