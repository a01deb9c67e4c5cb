//! Which events concern the subject, and how.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use jiff::SignedDuration;

use super::shared::Shared;
use super::signs::is_device_code;
use crate::agent;
use crate::answer::Subject;
use crate::event::{Event, Outcome, Source};

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
    /// The subject's own successful sign-ins by address, in order of time.
    entered_at: HashMap<IpAddr, Vec<&'a Event>>,
    /// What [`agent::signature`] says of every user agent: it is asked often.
    programs: HashMap<&'a str, String>,
    /// What everybody's events say together.
    pub(super) shared: &'a Shared,
    /// Addresses that several people of the organisation work from.
    pub(super) exits: &'a HashSet<IpAddr>,
    /// Addresses that other accounts were taken from.
    pub(super) hostile: BTreeSet<IpAddr>,
    upn: String,
    id: Option<String>,
    own_ids: Vec<String>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(
        mut all: Vec<&'a Event>,
        subject: &Subject,
        shared: &'a Shared,
        exits: &'a HashSet<IpAddr>,
    ) -> Self {
        // What stood somewhere is no act, and mostly has no time.
        all.retain(|event| event.source != Source::Listing);
        let mut scope = Self {
            all,
            own: Vec::new(),
            concerning: Vec::new(),
            by_token: HashMap::new(),
            by_session: HashMap::new(),
            entered_at: HashMap::new(),
            programs: HashMap::new(),
            shared,
            exits,
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
            if let Some(text) = event.user_agent.as_deref()
                && !scope.programs.contains_key(text)
            {
                scope.programs.insert(text, agent::signature(text));
            }
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
        for event in &scope.own {
            if event.is_sign_in()
                && event.outcome == Outcome::Success
                && let Some(address) = event.address
            {
                scope.entered_at.entry(address).or_default().push(event);
            }
        }
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
        event.address.is_some_and(|address| {
            !self.exits.contains(&address) && self.shared.tried_passwords(address, event.time)
        })
    }

    /// The kind of program that the event names.
    pub(super) fn program(&self, event: &Event) -> Option<&str> {
        self.programs
            .get(event.user_agent.as_deref()?)
            .map(String::as_str)
    }

    /// The subject's own events so long before and after this one.
    pub(super) fn around(&self, event: &Event, span: SignedDuration) -> &[&'a Event] {
        around(&self.own, event, span)
    }

    /// Of them, successful sign-ins from its address.
    pub(super) fn entered_around(&self, event: &Event, span: SignedDuration) -> &[&'a Event] {
        let there = event
            .address
            .and_then(|address| self.entered_at.get(&address));
        around(there.map_or(&[], Vec::as_slice), event, span)
    }

    /// It came by a device code, or in a session that a device code began.
    pub(super) fn is_by_device_code(&self, event: &Event) -> bool {
        is_device_code(event)
            || sessions(event).any(|session| {
                self.by_session
                    .get(session)
                    .is_some_and(|signs| signs.iter().any(|sign| is_device_code(sign)))
            })
    }

    /// No success was seen before in the session of this sign-in.
    pub(super) fn begins_session(&self, event: &Event) -> bool {
        event.session_id.as_deref().is_some_and(|session| {
            self.by_session.get(session).is_some_and(|signs| {
                !signs
                    .iter()
                    .any(|sign| sign.outcome != Outcome::Failure && sign.time < event.time)
            })
        })
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

/// The part of a list in order of time that is so long before and after an event.
fn around<'s, 'a>(list: &'s [&'a Event], event: &Event, span: SignedDuration) -> &'s [&'a Event] {
    let from = list.partition_point(|other| event.time.duration_since(other.time) > span);
    let to = list.partition_point(|other| other.time.duration_since(event.time) <= span);
    list.get(from..to).unwrap_or_default()
}

/// Every session id of an event, Entra's and the service's.
pub(super) fn sessions(event: &Event) -> impl Iterator<Item = &str> {
    event
        .session_id
        .iter()
        .chain(event.service_session_id.iter())
        .map(String::as_str)
}
