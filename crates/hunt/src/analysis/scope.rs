//! Which events concern the subject, and how.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use super::shared::Shared;
use crate::answer::Subject;
use crate::event::{Event, Source};

/// Codes of a wrong password, or of an account locked by too many of them.
pub(super) const WRONG_PASSWORD: [&str; 2] = ["50126", "50053"];

/// The events of one question.
pub(super) struct Scope<'a> {
    /// Every event, in order of time.
    pub(super) all: Vec<&'a Event>,
    /// Those that the subject's account did, the responder's own left out.
    pub(super) own: Vec<&'a Event>,
    /// Those that were done to the account or its mailbox, or by it.
    pub(super) concerning: Vec<&'a Event>,
    /// Sign-ins by token id.
    pub(super) by_token: HashMap<&'a str, Vec<&'a Event>>,
    /// Sign-ins by Entra session id.
    pub(super) by_session: HashMap<&'a str, Vec<&'a Event>>,
    /// What everybody's events say together.
    pub(super) shared: &'a Shared,
    /// Addresses that other accounts were taken from.
    pub(super) hostile: BTreeSet<IpAddr>,
    upn: String,
    id: Option<String>,
    own_ids: Vec<String>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(mut all: Vec<&'a Event>, subject: &Subject, shared: &'a Shared) -> Self {
        // What stood somewhere is no act, and mostly has no time.
        all.retain(|event| event.source != Source::Listing);
        let mut scope = Self {
            all,
            own: Vec::new(),
            concerning: Vec::new(),
            by_token: HashMap::new(),
            by_session: HashMap::new(),
            shared,
            hostile: subject.hostile.iter().copied().collect(),
            upn: subject.upn.to_lowercase(),
            id: subject.id.as_ref().map(|id| id.to_lowercase()),
            own_ids: subject
                .own_app_ids
                .iter()
                .map(|id| id.to_lowercase())
                .collect(),
        };
        for event in &scope.all {
            if event.is_sign_in() {
                if let Some(token) = &event.token_id {
                    scope.by_token.entry(token).or_default().push(event);
                }
                if let Some(session) = &event.session_id {
                    scope.by_session.entry(session).or_default().push(event);
                }
            }
        }
        let responder = |event: &Event| scope.is_responder(event);
        scope.own = scope
            .all
            .iter()
            .filter(|event| scope.acts(event) && !responder(event))
            .copied()
            .collect();
        scope.concerning = scope
            .all
            .iter()
            .filter(|event| scope.acts(event) || scope.suffers(event))
            .copied()
            .collect();
        scope
    }

    /// The event's address tried passwords on several accounts in the day before it.
    pub(super) fn tried_passwords(&self, event: &Event) -> bool {
        event
            .address
            .is_some_and(|address| self.shared.tried_passwords(address, event.time))
    }

    /// One of the apps that somebody consented to did it.
    pub(super) fn is_by_app(&self, event: &Event) -> bool {
        event
            .app_id
            .as_deref()
            .is_some_and(|app| self.shared.is_consented(app))
    }

    /// The subject's account did it.
    pub(super) fn acts(&self, event: &Event) -> bool {
        if event.source == Source::MessageTrace {
            return false;
        }
        event.user.as_deref() == Some(self.upn.as_str())
            || matches!((&self.id, &event.user_id), (Some(id), Some(user)) if user.eq_ignore_ascii_case(id))
    }

    /// It was done to the subject's account or mailbox.
    pub(super) fn suffers(&self, event: &Event) -> bool {
        if event.sender.as_deref() == Some(self.upn.as_str())
            || event.mailbox.as_deref() == Some(self.upn.as_str())
        {
            return true;
        }
        let names = |text: &str| {
            self.is_name(text) || text.rsplit(['\\', '/']).any(|part| self.is_name(part))
        };
        event.object.as_deref().is_some_and(names)
            || event.parameter("Identity").is_some_and(names)
            || event.parameter("Mailbox").is_some_and(names)
            || event.targets.iter().any(|target| {
                target.upn.as_deref() == Some(self.upn.as_str())
                    || target.id.as_deref().is_some_and(|id| self.is_name(id))
            })
    }

    /// The responder's tools or operators did it.
    pub(super) fn is_responder(&self, event: &Event) -> bool {
        [&event.app_id, &event.user_id, &event.user]
            .into_iter()
            .flatten()
            .any(|id| self.own_ids.iter().any(|own| own.eq_ignore_ascii_case(id)))
    }

    /// Ids and names of the account.
    pub(super) fn names(&self) -> Vec<String> {
        self.id.iter().cloned().chain([self.upn.clone()]).collect()
    }

    pub(super) fn upn(&self) -> &str {
        &self.upn
    }

    fn is_name(&self, text: &str) -> bool {
        let same = |name: &str| {
            if text.is_ascii() {
                text.eq_ignore_ascii_case(name)
            } else {
                text.to_lowercase() == name
            }
        };
        same(&self.upn)
            || self.id.as_deref().is_some_and(same)
            || self.upn.split('@').next().is_some_and(same)
    }
}

/// Every session id of an event, Entra's and the service's.
pub(super) fn sessions(event: &Event) -> impl Iterator<Item = &str> {
    event
        .session_id
        .iter()
        .chain(event.service_session_id.iter())
        .map(String::as_str)
}
