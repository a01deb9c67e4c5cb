//! Planning for what belongs to the identity.

use jiff::{SignedDuration, Timestamp};

use crate::event::{AccessEnd, Observed};
use crate::judge::{Judgement, Verdict, preference};
use crate::state::State;
use crate::words::ArtefactId;

/// The method that stays and can be the default; the one that asks for most first.
pub(super) fn stays<'a>(state: &'a State, judgements: &[Judgement]) -> Option<&'a Observed> {
    let rank = |seen: &Observed| match preference(&seen.facts) {
        Some("push") => Some(0),
        Some("oath") => Some(1),
        Some(_) => Some(2),
        None => None,
    };
    state
        .snapshot()?
        .objects
        .iter()
        .filter(|seen| {
            !judgements.iter().any(|judgement| {
                judgement.object == seen.object && judgement.verdict == Verdict::Foothold
            })
        })
        .filter_map(|seen| Some((rank(seen)?, seen)))
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, seen)| seen)
}

/// What lasts as long as tokens that are out: a role that they carry, and an account that
/// was contained together with others.
pub(super) fn with_live_tokens(state: &State, blocked_at: Timestamp) -> Vec<AccessEnd> {
    let ends_at = blocked_at
        .checked_add(SignedDuration::from_mins(
            super::TOKEN_LIFE_MIN + super::CLOCK_MARGIN_MIN,
        ))
        .unwrap_or(blocked_at);
    let mut ends = vec![AccessEnd {
        artefact: ArtefactId::DIRECTORY_ROLE,
        what: "directory roles, used with tokens issued before the block".to_owned(),
        ends_at,
        why: format!(
            "a token lives up to {} min, and the role works for as long as it is assigned",
            super::TOKEN_LIFE_MIN
        ),
    }];
    if !state.linked.is_empty() {
        ends.push(AccessEnd {
            artefact: ArtefactId::SECOND_ACCOUNT,
            what: "this account beside others in the same hands".to_owned(),
            ends_at,
            why: "it can be used for as long as its last token lives".to_owned(),
        });
    }
    ends
}

/// What is a way in whenever the account is open again, until then.
pub(super) fn ways_while_open(until: Timestamp) -> Vec<AccessEnd> {
    [
        (
            ArtefactId::ADDED_METHOD,
            "new sign-ins with a method that the attacker registered",
            "the method",
        ),
        (
            ArtefactId::DEFAULT_METHOD,
            "new sign-ins with a method that the attacker made the default",
            "the method",
        ),
        (
            ArtefactId::TEMPORARY_ACCESS_PASS,
            "new sign-ins with a temporary access pass",
            "the pass",
        ),
        (
            ArtefactId::REGISTERED_DEVICE,
            "new tokens by a device that the attacker registered",
            "the device",
        ),
        (
            ArtefactId::RESET_ATTRIBUTES,
            "a new password by self-service reset, through a phone or address of the attacker's",
            "the phone or address",
        ),
        (
            ArtefactId::APP_ROLE,
            "new tokens for an app that the attacker assigned to the account",
            "the app role",
        ),
    ]
    .into_iter()
    .map(|(artefact, what, itself)| AccessEnd {
        artefact,
        what: what.to_owned(),
        ends_at: until,
        why: format!(
            "refused as soon as sign-in stays blocked; {itself} itself goes with the eviction"
        ),
    })
    .collect()
}
