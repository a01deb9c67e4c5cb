//! Consents that the user gave in person, and what the apps did with them.
//!
//! A consent in the user's own session is the user's act. It was talked out of them
//! where the app then reached the account from a network that is not theirs: then
//! what made the app at home here is laid to whoever stands behind it.

use std::collections::BTreeSet;

use retake_playbook::ObjectKind;

use super::profile::{Networks, Profile};
use super::scope::Scope;
use crate::answer::{By, Change};
use crate::event::{Event, Outcome};

/// Consents that were misused.
#[derive(Default)]
pub(super) struct Misuse<'a> {
    /// The records of them.
    pub(super) consents: Vec<&'a Event>,
    /// What the apps did, sign-ins included.
    pub(super) events: Vec<&'a Event>,
    /// Every id of the apps.
    pub(super) apps: BTreeSet<String>,
}

impl Misuse<'_> {
    /// Whether the event is one of such an app's.
    pub(super) fn is_by_app(&self, event: &Event) -> bool {
        event
            .app_id
            .as_deref()
            .is_some_and(|app| self.apps.contains(&app.to_lowercase()))
    }
}

/// Of the consents that the user gave in person those whose apps then came from
/// elsewhere.
pub(super) fn misused<'a>(
    scope: &Scope<'a>,
    profile: &Profile,
    networks: &Networks,
    changes: &[Change],
    consents: &[&'a Event],
) -> Misuse<'a> {
    let mut misuse = Misuse::default();
    for consent in consents {
        let mine = ids(changes, consent, scope);
        // Also what it did in other people's mailboxes.
        let used: Vec<&Event> = scope
            .all
            .iter()
            .filter(|event| {
                event.time >= consent.time
                    && event.outcome != Outcome::Failure
                    && !scope.is_responder(event)
                    && event
                        .app_id
                        .as_deref()
                        .is_some_and(|app| mine.contains(&app.to_lowercase()))
                    && networks
                        .of(event)
                        .is_some_and(|network| !profile.knows_network(network))
            })
            .copied()
            .collect();
        if !used.is_empty() {
            misuse.consents.push(consent);
            misuse.events.extend(used);
            misuse.apps.extend(mine);
        }
    }
    misuse.events.sort_by_key(|event| event.time);
    misuse.events.dedup_by(|a, b| std::ptr::eq(*a, *b));
    misuse
}

/// What made the app at home here was the attacker's doing, by the user's hand.
pub(super) fn lay_to_the_attacker(changes: &mut [Change], misuse: &Misuse<'_>) {
    for change in changes.iter_mut() {
        let of_app = matches!(
            change.object_kind,
            ObjectKind::OauthGrant | ObjectKind::ServicePrincipal | ObjectKind::AppRole
        ) && change
            .object_ids
            .iter()
            .any(|id| misuse.apps.contains(&id.to_lowercase()));
        if of_app && matches!(change.by, By::User | By::Unknown) {
            change.by = By::Attacker;
            change.reasons.push(
                "the user agreed to it in person, and the app then came from a network that is not the user's"
                    .to_owned(),
            );
        }
    }
}

/// The ids of the app that a consent is about. The resource (Graph itself) may stand
/// among them; every client names it, so it says nothing.
fn ids(changes: &[Change], consent: &Event, scope: &Scope<'_>) -> BTreeSet<String> {
    let common: BTreeSet<String> = scope
        .own
        .iter()
        .filter(|event| event.is_sign_in() && event.time < consent.time)
        .flat_map(|event| {
            event
                .app_id
                .as_deref()
                .into_iter()
                .chain(event.resource_id.as_deref())
        })
        .map(str::to_lowercase)
        .collect();
    changes
        .iter()
        .filter(|change| {
            change.record_id == consent.record_id || change.also.contains(&consent.record_id)
        })
        .flat_map(|change| &change.object_ids)
        .filter(|id| crate::token::token_id(id).is_some())
        .map(|id| id.to_lowercase())
        .filter(|id| !common.contains(id))
        .collect()
}
