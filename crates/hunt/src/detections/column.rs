//! A column of the table `events`, resolved once, read without a copy where
//! the event has the text.

use std::cell::OnceCell;
use std::sync::Arc;

use super::record::{Leaf, Record};
use crate::event::{Event, Mfa, Outcome};

/// An event under test, with its original opened at most once.
pub(crate) struct Seen<'a> {
    pub(crate) event: &'a Event,
    record: OnceCell<Record>,
    id: OnceCell<Arc<str>>,
}

impl<'a> Seen<'a> {
    pub(crate) fn new(event: &'a Event) -> Self {
        Self {
            event,
            record: OnceCell::new(),
            id: OnceCell::new(),
        }
    }

    /// The record's id, for as many rows as the event leaves.
    pub(crate) fn id(&self) -> &Arc<str> {
        self.id.get_or_init(|| self.event.record_id.as_str().into())
    }

    pub(crate) fn record(&self) -> &Record {
        self.record
            .get_or_init(|| Record::open(&self.event.original))
    }
}

/// Where a test looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Action,
    Kind,
    Dataset,
    Outcome,
    Code,
    User,
    Agent,
    Client,
    App,
    Mfa,
    Session,
    Token,
    Parameter(String),
    Parameters,
    New(String),
    News,
    Old(String),
    /// A field of the original record.
    Record(String),
    /// Any other that the event knows by name.
    Named(String),
}

impl Column {
    /// The column of that name, none if there is no such one.
    pub(crate) fn find(name: &str) -> Option<Self> {
        Some(match name {
            "event.action" => Self::Action,
            "event.kind" => Self::Kind,
            "event.dataset" => Self::Dataset,
            "event.outcome" => Self::Outcome,
            "event.code" => Self::Code,
            "user.name" => Self::User,
            "user_agent.original" => Self::Agent,
            "m365.client" => Self::Client,
            "m365.app.id" => Self::App,
            "m365.mfa" => Self::Mfa,
            "m365.session_id" => Self::Session,
            "m365.token_id" => Self::Token,
            "parameter.*" => Self::Parameters,
            "new.*" => Self::News,
            name => {
                let rest = |prefix: &str| name.strip_prefix(prefix).map(str::to_owned);
                if let Some(name) = rest("parameter.") {
                    Self::Parameter(name)
                } else if let Some(name) = rest("new.") {
                    Self::New(name)
                } else if let Some(name) = rest("old.") {
                    Self::Old(name)
                } else if let Some(name) = rest("record.") {
                    Self::Record(name)
                } else {
                    Event::new(crate::Source::Ual, jiff::Timestamp::UNIX_EPOCH, "", "")
                        .values(name)?;
                    Self::Named(name.to_owned())
                }
            }
        })
    }

    /// True if one of the values passes.
    pub(crate) fn any(&self, seen: &Seen<'_>, test: &mut dyn FnMut(&str) -> bool) -> bool {
        let event = seen.event;
        let mut one = |value: &Option<String>| value.as_deref().is_some_and(&mut *test);
        match self {
            Self::Action => test(&event.operation),
            Self::Kind => test(if event.is_sign_in() {
                "sign_in"
            } else {
                "change"
            }),
            Self::Dataset => test(event.source.name()),
            Self::Outcome => test(match event.outcome {
                Outcome::Success => "success",
                Outcome::Failure => "failure",
                Outcome::Unknown => "unknown",
            }),
            Self::Mfa => test(match event.mfa {
                Mfa::Given => "given",
                Mfa::Claim => "claim",
                Mfa::Missing => "missing",
                Mfa::NotRequired => "not_required",
                Mfa::Unknown => "unknown",
            }),
            Self::Code => one(&event.error_code),
            Self::User => one(&event.user),
            Self::Agent => one(&event.user_agent),
            Self::Client => one(&event.client),
            Self::App => one(&event.app_id),
            Self::Session => one(&event.session_id),
            Self::Token => one(&event.token_id),
            Self::Parameter(name) => event.parameter(name).is_some_and(test),
            Self::Parameters => event.parameters.values().any(|value| test(value)),
            Self::New(name) => event.modified(name).is_some_and(|both| test(&both.new)),
            Self::News => event.modified.values().any(|both| test(&both.new)),
            Self::Old(name) => event.modified(name).is_some_and(|both| test(&both.old)),
            Self::Record(path) => seen.record().leaves(path).iter().any(|leaf| match leaf {
                Leaf::Text(text) => test(text),
                Leaf::Nothing => test(""),
            }),
            Self::Named(name) => event
                .values(name)
                .unwrap_or_default()
                .iter()
                .any(|value| test(value)),
        }
    }

    /// The first value, in lower case.
    pub(crate) fn first(&self, seen: &Seen<'_>) -> Option<String> {
        let mut first = None;
        self.any(seen, &mut |value| {
            first = Some(super::fold::lower(value).into_owned());
            true
        });
        first
    }

    /// How many values.
    pub(crate) fn count(&self, seen: &Seen<'_>) -> usize {
        let mut count = 0;
        self.any(seen, &mut |_| {
            count += 1;
            false
        });
        count
    }
}
