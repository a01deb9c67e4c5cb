//! The columns that hold texts: one, or any number.

use std::borrow::Cow;
use std::net::IpAddr;

use retake_hunt::event::{MailAccess, Mfa, Outcome};
use retake_hunt::{Event, Source};

use crate::columns::{ID, ORIGINAL, USER};

/// A column with one text, or none.
pub(crate) struct Text {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// How alike its values are.
    pub(crate) values: Values,
    pub(crate) get: fn(&Event) -> Option<Cow<'_, str>>,
    /// False: that is no text of this column.
    pub(crate) set: fn(&mut Event, String) -> bool,
}

/// How alike the values of a column are: whether a dictionary of them is worth its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Values {
    /// A few, over and over; every row has one.
    Always,
    /// A few, over and over.
    Few,
    /// Nearly each its own.
    Own,
}

/// A column with any number of texts.
pub(crate) struct Texts {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) get: fn(&Event) -> Vec<&str>,
    pub(crate) set: fn(&mut Event, Vec<String>),
}

macro_rules! text {
    ($name:expr, $values:ident, $($field:ident).+, $about:literal) => {
        Text {
            name: $name,
            about: $about,
            values: Values::$values,
            get: |event| event.$($field).+.as_deref().map(Cow::Borrowed),
            set: |event, text| {
                event.$($field).+ = Some(text);
                true
            },
        }
    };
}

/// What follows from other columns: written so that it can be asked for, not read back.
macro_rules! derived {
    ($name:literal, $values:ident, $about:literal) => {
        Text {
            name: $name,
            about: $about,
            values: Values::$values,
            get: |event| {
                let texts = event.values($name)?;
                let text = texts.into_iter().next()?;
                Some(Cow::Owned(text.into_owned()))
            },
            set: |_, _| true,
        }
    };
}

const OUTCOMES: [(Outcome, &str); 3] = [
    (Outcome::Success, "success"),
    (Outcome::Failure, "failure"),
    (Outcome::Unknown, "unknown"),
];

const MFAS: [(Mfa, &str); 5] = [
    (Mfa::Given, "given"),
    (Mfa::Claim, "claim"),
    (Mfa::Missing, "missing"),
    (Mfa::NotRequired, "not_required"),
    (Mfa::Unknown, "unknown"),
];

const ACCESSES: [(MailAccess, &str); 2] = [(MailAccess::Bind, "bind"), (MailAccess::Sync, "sync")];

pub(crate) const TEXTS: &[Text] = &[
    Text {
        name: ID,
        about: "The record's own id; `sha256:…` of the record where it has none",
        values: Values::Own,
        get: |event| Some(Cow::Borrowed(&event.record_id)),
        set: |event, text| {
            event.record_id = text;
            true
        },
    },
    Text {
        name: "event.dataset",
        about: "Which log: `ual`, `sign_ins`, `directory_audits`, `message_trace`, …",
        values: Values::Always,
        get: |event| Some(Cow::Borrowed(event.source.name())),
        set: |event, text| {
            let source = Source::ALL.into_iter().find(|source| source.name() == text);
            source.map(|source| event.source = source).is_some()
        },
    },
    Text {
        name: "event.kind",
        about: "`sign_in`, or `change` for everything else",
        values: Values::Always,
        get: |event| {
            Some(Cow::Borrowed(if event.is_sign_in() {
                "sign_in"
            } else {
                "change"
            }))
        },
        set: |_, _| true,
    },
    Text {
        name: "event.action",
        about: "What was done; dashes and a trailing stop are written one way",
        values: Values::Always,
        get: |event| Some(Cow::Borrowed(&event.operation)),
        set: |event, text| {
            event.operation = text;
            true
        },
    },
    text!(
        "event.provider",
        Few,
        workload,
        "Service that wrote the record"
    ),
    Text {
        name: "event.outcome",
        about: "How it ended: `success`, `failure`, `unknown`",
        values: Values::Always,
        get: |event| name_of(&OUTCOMES, event.outcome),
        set: |event, text| {
            let outcome = named(&OUTCOMES, &text);
            outcome.map(|outcome| event.outcome = outcome).is_some()
        },
    },
    text!("event.code", Few, error_code, "Error code, as text"),
    text!(
        "event.reason",
        Few,
        reason,
        "The reason given with the outcome"
    ),
    text!("organization.id", Few, tenant_id, "The tenant's id"),
    text!(
        USER,
        Few,
        user,
        "Who did it: user principal name in lower case, or the service's name"
    ),
    text!("user.id", Few, user_id, "Who did it: directory object id"),
    text!(
        "user.type",
        Few,
        user_type,
        "Kind of actor, as the log names it"
    ),
    Text {
        name: "source.ip",
        about: "Address, without port",
        values: Values::Few,
        get: |event| event.address.map(|address| Cow::Owned(address.to_string())),
        set: |event, text| {
            event.address = text.parse::<IpAddr>().ok();
            event.address.is_some()
        },
    },
    derived!(
        "source.network",
        Few,
        "The network's number (`as64500`), or the address's neighbourhood where none is known"
    ),
    text!(
        "source.geo.country_iso_code",
        Few,
        place.country,
        "Country of the address, two letters, as the service located it"
    ),
    text!(
        "source.geo.region_name",
        Few,
        place.state,
        "State or region, likewise"
    ),
    text!("source.geo.city_name", Few, place.city, "City, likewise"),
    text!("user_agent.original", Few, user_agent, "User agent"),
    derived!(
        "user_agent.os.family",
        Few,
        "Operating system that the user agent names"
    ),
    text!(
        "device.id",
        Few,
        device.id,
        "The directory's id of the device"
    ),
    text!("device.name", Few, device.name, "The device's name"),
    text!(
        "m365.device.os",
        Few,
        device.os,
        "Operating system, as the service saw it"
    ),
    text!(
        "m365.device.browser",
        Few,
        device.browser,
        "Browser, as the service saw it"
    ),
    text!(
        "m365.device.trust",
        Few,
        device.trust,
        "How the device is joined"
    ),
    text!(
        "email.sender.address",
        Few,
        sender,
        "Sender of mail, lower case"
    ),
    text!("email.subject", Own, subject, "Subject of the message"),
    text!(
        "m365.record_type",
        Few,
        record_type,
        "Record type as the log gives it (a number or a name), or the category"
    ),
    text!(
        "m365.client",
        Few,
        client,
        "Client: protocol family of a sign-in, or Exchange's client string"
    ),
    text!("m365.app.id", Few, app_id, "Application id"),
    text!("m365.app.name", Few, app_name, "Application name"),
    text!("m365.resource.id", Few, resource_id, "Resource id"),
    text!("m365.resource.name", Few, resource_name, "Resource name"),
    text!(
        "m365.session_id",
        Own,
        session_id,
        "Entra session id: joins sign-ins to audit records"
    ),
    text!(
        "m365.service_session_id",
        Own,
        service_session_id,
        "Exchange's own session id, which Entra does not know"
    ),
    text!(
        "m365.token_id",
        Own,
        token_id,
        "Unique token id, its case as the log writes it"
    ),
    text!(
        "m365.correlation_id",
        Own,
        correlation_id,
        "Joins the records of one request across logs"
    ),
    text!("m365.protocol", Few, protocol, "Authentication protocol"),
    text!(
        "m365.transfer",
        Few,
        transfer,
        "How a transferred sign-in began"
    ),
    text!(
        "m365.incoming_token",
        Few,
        incoming_token,
        "Type of the token that came in"
    ),
    Text {
        name: "m365.mfa",
        about: "Second factor: `given`, `claim` (from an earlier one), `missing`, \
                `not_required`, `unknown`",
        values: Values::Always,
        get: |event| name_of(&MFAS, event.mfa),
        set: |event, text| {
            let mfa = named(&MFAS, &text);
            mfa.map(|mfa| event.mfa = mfa).is_some()
        },
    },
    text!(
        "m365.conditional_access",
        Few,
        conditional_access,
        "Conditional access status"
    ),
    text!(
        "m365.risk",
        Few,
        risk,
        "Risk level of the sign-in or detection"
    ),
    text!(
        "m365.object",
        Own,
        object,
        "The object acted on, as the log writes it"
    ),
    text!(
        "m365.mailbox",
        Few,
        mailbox,
        "Owner of the mailbox acted on, lower case"
    ),
    text!(
        "m365.logon_type",
        Few,
        logon_type,
        "Kind of mailbox logon: `0` owner, `1` administrator, `2` delegate"
    ),
    text!("m365.folder", Few, folder, "Folder path"),
    Text {
        name: "m365.mail_access",
        about: "How mail was read: `bind` (single messages) or `sync` (a whole folder)",
        values: Values::Few,
        get: |event| {
            event
                .mail_access
                .and_then(|access| name_of(&ACCESSES, access))
        },
        set: |event, text| {
            event.mail_access = named(&ACCESSES, &text);
            event.mail_access.is_some()
        },
    },
    Text {
        name: "m365.targets",
        about: "The things acted on, as JSON: a list of `id`, `name`, `upn`, `kind`",
        values: Values::Own,
        get: |event| as_json(&event.targets),
        set: |event, text| {
            let targets = serde_json::from_str(&text);
            targets.map(|targets| event.targets = targets).is_ok()
        },
    },
    Text {
        name: "m365.folders",
        about: "Messages by folder, as JSON: a list of `path`, `message_ids`, `subjects`",
        values: Values::Own,
        get: |event| as_json(&event.folders),
        set: |event, text| {
            let folders = serde_json::from_str(&text);
            folders.map(|folders| event.folders = folders).is_ok()
        },
    },
    Text {
        name: "log.file.path",
        about: "The input that it was read from",
        values: Values::Always,
        get: |event| Some(Cow::Borrowed(&event.origin.input)),
        set: |event, text| {
            event.origin.input = text.into();
            true
        },
    },
    Text {
        name: ORIGINAL,
        about: "The record as it was read, whole; of a CSV row a JSON object of its columns",
        values: Values::Own,
        get: |event| Some(Cow::Borrowed(&event.original)),
        set: |event, text| {
            event.original = text.into();
            true
        },
    },
];

pub(crate) const LISTS: &[Texts] = &[
    Texts {
        name: "email.to.address",
        about: "Recipients of mail, lower case",
        get: |event| borrowed(&event.recipients),
        set: |event, texts| event.recipients = texts,
    },
    Texts {
        name: "email.message_id",
        about: "Internet message ids, with angle brackets",
        get: |event| borrowed(&event.message_ids),
        set: |event, texts| event.message_ids = texts,
    },
    Texts {
        name: "m365.risk_types",
        about: "Kinds of risk named",
        get: |event| borrowed(&event.risk_types),
        set: |event, texts| event.risk_types = texts,
    },
    // What `m365.targets` holds whole, so that it can be asked for.
    Texts {
        name: "user.target.name",
        about: "User principal names among the things acted on",
        get: |event| {
            let targets = event.targets.iter();
            targets.filter_map(|target| target.upn.as_deref()).collect()
        },
        set: |_, _| {},
    },
    Texts {
        name: "m365.target.name",
        about: "Names of the things acted on",
        get: |event| {
            let targets = event.targets.iter();
            targets
                .filter_map(|target| target.name.as_deref())
                .collect()
        },
        set: |_, _| {},
    },
    Texts {
        name: "m365.target.id",
        about: "Ids of the things acted on",
        get: |event| {
            let targets = event.targets.iter();
            targets.filter_map(|target| target.id.as_deref()).collect()
        },
        set: |_, _| {},
    },
];

fn name_of<T: PartialEq>(names: &[(T, &'static str)], value: T) -> Option<Cow<'static, str>> {
    let found = names.iter().find(|(one, _)| *one == value);
    found.map(|(_, name)| Cow::Borrowed(*name))
}

fn named<T: Copy>(names: &[(T, &str)], text: &str) -> Option<T> {
    let found = names.iter().find(|(_, name)| *name == text);
    found.map(|(value, _)| *value)
}

/// A list of things with parts of their own, as JSON text; nothing where it is empty.
fn as_json<T: serde::Serialize>(items: &[T]) -> Option<Cow<'_, str>> {
    (!items.is_empty())
        .then(|| serde_json::to_string(items).ok().map(Cow::Owned))
        .flatten()
}

fn borrowed(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}
