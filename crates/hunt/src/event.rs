//! One event, whatever log it came from.
//!
//! Column names follow the Elastic Common Schema where it has a field for the
//! thing (`@timestamp`, `user.name`, `source.ip`, `source.as.number`,
//! `user_agent.original`, `event.action`, `event.outcome`, `event.code`, …);
//! what it has no field for stands under `m365.` (`m365.session_id`,
//! `m365.token_id`, …). Those names are what detections and exported tables
//! use, see [`Event::values`]. In Rust the same fields have plain names.
//!
//! Identifiers are kept as the log wrote them, except: user principal names
//! are lower case, addresses carry no port, operation names carry no trailing
//! stop and no dash variants ([`fold_operation`], reference §7.3).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Which log an event came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The unified audit log, by any of its three ways out (reference §7.2).
    Ual,
    /// Entra sign-ins, interactive and not (reference §7.1).
    SignIns,
    /// Entra directory audits (reference §7.1).
    DirectoryAudits,
    /// Message trace (reference §7.5).
    MessageTrace,
    /// Identity Protection risk detections (reference §7.1).
    RiskDetections,
    /// Requests to Microsoft Graph (`MicrosoftGraphActivityLogs`,
    /// `GraphApiAuditEvents`).
    GraphActivity,
    /// Defender for Cloud Apps activities that carry no audit record of their
    /// own.
    CloudApps,
    /// Clicks on links that Safe Links saw (`UrlClickEvents`).
    UrlClicks,
    /// Copilot's own history of questions and answers.
    Copilot,
    /// Alerts of Microsoft's own products (Graph `alerts_v2`).
    SecurityAlerts,
    /// What stood somewhere when a collector looked: rules, grants, rights. An
    /// event of state, mostly without a time ([`NO_TIME`]).
    Listing,
}

/// The time of an event of state whose listing says none.
pub const NO_TIME: Timestamp = Timestamp::UNIX_EPOCH;

impl Source {
    /// Every source, in the order of the ledger.
    pub const ALL: [Self; 11] = [
        Self::Ual,
        Self::SignIns,
        Self::DirectoryAudits,
        Self::MessageTrace,
        Self::RiskDetections,
        Self::GraphActivity,
        Self::CloudApps,
        Self::UrlClicks,
        Self::Copilot,
        Self::SecurityAlerts,
        Self::Listing,
    ];

    /// The ledger names it even where nothing of it was given. The others are
    /// extras, whose absence takes nothing away that the expected ones tell.
    pub const fn is_expected(self) -> bool {
        matches!(
            self,
            Self::Ual
                | Self::SignIns
                | Self::DirectoryAudits
                | Self::MessageTrace
                | Self::RiskDetections
        )
    }

    /// The name in documents: `ual`, `sign_ins`, `directory_audits`,
    /// `message_trace`, `risk_detections`, `graph_activity`, `cloud_apps`,
    /// `url_clicks`, `copilot`, `security_alerts`, `listing`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ual => "ual",
            Self::SignIns => "sign_ins",
            Self::DirectoryAudits => "directory_audits",
            Self::MessageTrace => "message_trace",
            Self::RiskDetections => "risk_detections",
            Self::GraphActivity => "graph_activity",
            Self::CloudApps => "cloud_apps",
            Self::UrlClicks => "url_clicks",
            Self::Copilot => "copilot",
            Self::SecurityAlerts => "security_alerts",
            Self::Listing => "listing",
        }
    }

    /// The name that people use.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Ual => "audit log",
            Self::SignIns => "sign-in log",
            Self::DirectoryAudits => "directory audits",
            Self::MessageTrace => "message trace",
            Self::RiskDetections => "risk detections",
            Self::GraphActivity => "Graph activity",
            Self::CloudApps => "cloud apps",
            Self::UrlClicks => "clicks on links",
            Self::Copilot => "Copilot history",
            Self::SecurityAlerts => "security alerts",
            Self::Listing => "listings",
        }
    }
}

/// How the act ended.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It happened.
    Success,
    /// It was refused or failed.
    Failure,
    /// The log does not say.
    #[default]
    Unknown,
}

/// What a sign-in says about a second factor.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Mfa {
    /// Given in this sign-in, in person.
    Given,
    /// Satisfied by a claim in a token or cookie from earlier.
    Claim,
    /// Asked for and not (yet) given.
    Missing,
    /// Not asked for.
    NotRequired,
    /// The log does not say.
    #[default]
    Unknown,
}

/// Where a sign-in came from, as the service located the address.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// City.
    pub city: Option<String>,
    /// State or region.
    pub state: Option<String>,
    /// ISO 3166 two-letter code, upper case.
    pub country: Option<String>,
    /// Latitude and longitude in degrees.
    pub coordinates: Option<(f64, f64)>,
}

/// One thing that the act was done to.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Target {
    /// Its id in the directory or service.
    pub id: Option<String>,
    /// The name it shows.
    pub name: Option<String>,
    /// Its user principal name, lower case, when it is a user.
    pub upn: Option<String>,
    /// What the log calls its kind (`User`, `ServicePrincipal`, …).
    pub kind: Option<String>,
}

/// Old and new value of one property.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Modified {
    /// The value before, as text.
    pub old: String,
    /// The value after, as text.
    pub new: String,
}

/// How mail was read, from `MailItemsAccessed` (reference §7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailAccess {
    /// Single messages, each listed.
    Bind,
    /// A whole folder was synchronised: every item of it counts as read.
    Sync,
}

/// The messages of one folder that a record lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderItems {
    /// Folder path.
    pub path: Option<String>,
    /// Internet message ids, with angle brackets.
    pub message_ids: Vec<String>,
    /// Subjects by message id, where the record has them.
    #[serde(default)]
    pub subjects: std::collections::BTreeMap<String, String>,
}

/// The device that a sign-in names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The directory's device id; absent for an unregistered one.
    pub id: Option<String>,
    /// The name it shows.
    pub name: Option<String>,
    /// Operating system as the service saw it.
    pub os: Option<String>,
    /// Browser as the service saw it.
    pub browser: Option<String>,
    /// How it is joined.
    pub trust: Option<String>,
    /// Managed or compliant, when the log says so.
    pub managed: Option<bool>,
}

/// Where a record was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Origin {
    /// The input's label: a path, or a request for a live page.
    pub input: std::sync::Arc<str>,
    /// Line of the record's first byte, from 1.
    pub line: u64,
}

/// One row of the table `events`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When it happened.
    pub time: Timestamp,
    /// The record's own id; `sha256:…` of the record where it has none.
    pub record_id: String,
    /// Which log.
    pub source: Source,
    /// The tenant's id.
    pub tenant_id: Option<String>,
    /// Who did it: user principal name in lower case (or the service name
    /// that the log puts in its place).
    pub user: Option<String>,
    /// Who did it: directory object id.
    pub user_id: Option<String>,
    /// Kind of actor as the log names it (`Regular`, `Admin`, `Application`, …).
    pub user_type: Option<String>,
    /// What was done, folded by [`fold_operation`].
    pub operation: String,
    /// Service that wrote the record.
    pub workload: Option<String>,
    /// Record type as the log gives it (a number or a name), or the category.
    pub record_type: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Error code, as text (`50126`).
    pub error_code: Option<String>,
    /// The reason given with the outcome.
    pub reason: Option<String>,
    /// Address without port.
    pub address: Option<IpAddr>,
    /// Autonomous system number of the address, when the log says it.
    pub network: Option<u32>,
    /// Where the service located the address.
    pub place: Place,
    /// User agent.
    pub user_agent: Option<String>,
    /// Client: the protocol family of a sign-in, or Exchange's client string.
    pub client: Option<String>,
    /// Application id.
    pub app_id: Option<String>,
    /// Application name.
    pub app_name: Option<String>,
    /// Resource id.
    pub resource_id: Option<String>,
    /// Resource name.
    pub resource_name: Option<String>,
    /// Entra session id (`sessionId`, `AADSessionId`): joins sign-ins to
    /// audit records.
    pub session_id: Option<String>,
    /// Exchange's own session id, which Entra does not know.
    pub service_session_id: Option<String>,
    /// Token id (`uniqueTokenIdentifier`, `UniqueTokenId`), case-sensitive;
    /// computed from the sign-in id where the log has none.
    pub token_id: Option<String>,
    /// Joins the records of one request across logs.
    pub correlation_id: Option<String>,
    /// The device.
    pub device: Device,
    /// A person was there; nothing where the log does not tell.
    pub interactive: Option<bool>,
    /// Authentication protocol (`oAuth2`, `ropc`, `deviceCode`, …).
    pub protocol: Option<String>,
    /// How a transferred sign-in began (`deviceCodeFlow`, …).
    pub transfer: Option<String>,
    /// Type of the token that came in.
    pub incoming_token: Option<String>,
    /// Second factor.
    pub mfa: Mfa,
    /// Conditional access status.
    pub conditional_access: Option<String>,
    /// Risk level of the sign-in or detection.
    pub risk: Option<String>,
    /// Kinds of risk named (`anomalousToken`, …).
    pub risk_types: Vec<String>,
    /// The object acted on, as the log writes it.
    pub object: Option<String>,
    /// The things acted on, where the log lists them.
    pub targets: Vec<Target>,
    /// Owner of the mailbox acted on, lower case.
    pub mailbox: Option<String>,
    /// Kind of mailbox logon (`0` owner, `1` administrator, `2` delegate).
    pub logon_type: Option<String>,
    /// Recipients of mail, lower case.
    pub recipients: Vec<String>,
    /// Sender of mail, lower case.
    pub sender: Option<String>,
    /// Internet message ids, with angle brackets.
    pub message_ids: Vec<String>,
    /// Subject of the message.
    pub subject: Option<String>,
    /// Folder path.
    pub folder: Option<String>,
    /// Messages by folder, where the record lists them so.
    pub folders: Vec<FolderItems>,
    /// Bind or Sync.
    pub mail_access: Option<MailAccess>,
    /// Mail access audit was throttled: assume everything was read.
    pub throttled: bool,
    /// Parameters of the act.
    pub parameters: BTreeMap<String, String>,
    /// Properties that the act changed.
    pub modified: BTreeMap<String, Modified>,
    /// The record as it was read, whole. Of a CSV row: a JSON object of its
    /// columns, in order.
    pub original: Box<str>,
    /// Where it was read.
    pub origin: Origin,
}

impl Event {
    /// An event with nothing known but when, what and from where.
    pub fn new(source: Source, time: Timestamp, operation: &str, original: &str) -> Self {
        Self {
            time,
            record_id: String::new(),
            source,
            tenant_id: None,
            user: None,
            user_id: None,
            user_type: None,
            operation: fold_operation(operation),
            workload: None,
            record_type: None,
            outcome: Outcome::Unknown,
            error_code: None,
            reason: None,
            address: None,
            network: None,
            place: Place::default(),
            user_agent: None,
            client: None,
            app_id: None,
            app_name: None,
            resource_id: None,
            resource_name: None,
            session_id: None,
            service_session_id: None,
            token_id: None,
            correlation_id: None,
            device: Device::default(),
            interactive: None,
            protocol: None,
            transfer: None,
            incoming_token: None,
            mfa: Mfa::Unknown,
            conditional_access: None,
            risk: None,
            risk_types: Vec::new(),
            object: None,
            targets: Vec::new(),
            mailbox: None,
            logon_type: None,
            recipients: Vec::new(),
            sender: None,
            message_ids: Vec::new(),
            subject: None,
            folder: None,
            folders: Vec::new(),
            mail_access: None,
            throttled: false,
            parameters: BTreeMap::new(),
            modified: BTreeMap::new(),
            original: original.into(),
            origin: Origin::default(),
        }
    }

    /// True of operations equal to `name`, case aside.
    pub fn is(&self, name: &str) -> bool {
        self.operation.eq_ignore_ascii_case(name)
    }

    /// Mail was sent.
    pub(crate) fn is_send(&self) -> bool {
        ["Send", "SendAs", "SendOnBehalf"]
            .iter()
            .any(|name| self.is(name))
    }

    /// Its day ([`crate::moment::day_of`]).
    pub(crate) fn day(&self) -> i64 {
        crate::moment::day_of(self.time)
    }

    /// A sign-in by its record, whichever log told of it.
    pub fn is_sign_in(&self) -> bool {
        self.source == Source::SignIns
            || (self.source == Source::Ual
                && (self.is("UserLoggedIn") || self.is("UserLoginFailed")))
    }

    /// The value of a parameter, its name's case aside.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        lookup(&self.parameters, name).map(String::as_str)
    }

    /// Old and new value of a changed property, its name's case aside.
    pub fn modified(&self, name: &str) -> Option<&Modified> {
        lookup(&self.modified, name)
    }

    /// The values of a column, none if it is empty, `None` if there is no
    /// such column. `parameter.NAME`, `old.NAME` and `new.NAME` reach into the
    /// maps; `parameter.*` and `new.*` are all values of them.
    pub fn values(&self, column: &str) -> Option<Vec<Cow<'_, str>>> {
        fn one(value: Option<&String>) -> Vec<Cow<'_, str>> {
            value
                .map(|text| Cow::Borrowed(text.as_str()))
                .into_iter()
                .collect()
        }
        fn many(values: &[String]) -> Vec<Cow<'_, str>> {
            values
                .iter()
                .map(|text| Cow::Borrowed(text.as_str()))
                .collect()
        }
        fn owned(value: Option<String>) -> Vec<Cow<'static, str>> {
            value.map(Cow::Owned).into_iter().collect()
        }
        if let Some(name) = column.strip_prefix("parameter.") {
            return Some(if name == "*" {
                self.parameters
                    .values()
                    .map(|v| Cow::Borrowed(v.as_str()))
                    .collect()
            } else {
                one(lookup(&self.parameters, name))
            });
        }
        if let Some(name) = column.strip_prefix("new.") {
            return Some(if name == "*" {
                self.modified
                    .values()
                    .map(|v| Cow::Borrowed(v.new.as_str()))
                    .collect()
            } else {
                one(lookup(&self.modified, name).map(|m| &m.new))
            });
        }
        if let Some(name) = column.strip_prefix("old.") {
            return Some(one(lookup(&self.modified, name).map(|m| &m.old)));
        }
        Some(match column {
            "@timestamp" => owned((self.time != NO_TIME).then(|| self.time.to_string())),
            "event.id" => one(Some(&self.record_id)),
            "event.dataset" => vec![Cow::Borrowed(self.source.name())],
            "event.action" => one(Some(&self.operation)),
            "event.provider" => one(self.workload.as_ref()),
            "event.kind" => vec![Cow::Borrowed(if self.is_sign_in() {
                "sign_in"
            } else {
                "change"
            })],
            "event.outcome" => vec![Cow::Borrowed(match self.outcome {
                Outcome::Success => "success",
                Outcome::Failure => "failure",
                Outcome::Unknown => "unknown",
            })],
            "event.code" => one(self.error_code.as_ref()),
            "event.reason" => one(self.reason.as_ref()),
            "organization.id" => one(self.tenant_id.as_ref()),
            "user.name" => one(self.user.as_ref()),
            "user.id" => one(self.user_id.as_ref()),
            "user.type" => one(self.user_type.as_ref()),
            "user.target.name" => self
                .targets
                .iter()
                .filter_map(|t| t.upn.as_deref().map(Cow::Borrowed))
                .collect(),
            "source.ip" => owned(self.address.map(|a| a.to_string())),
            "source.as.number" => owned(self.network.map(|n| n.to_string())),
            // The network's number, or the neighbourhood of the address: what a user's own past is told by.
            "source.network" => owned(self.network.map(|n| format!("as{n}")).or_else(|| {
                self.address
                    .map(|a| crate::address::neighbourhood(a).to_string())
            })),
            "m365.mail_access" => self
                .mail_access
                .map(|access| {
                    Cow::Borrowed(match access {
                        MailAccess::Bind => "bind",
                        MailAccess::Sync => "sync",
                    })
                })
                .into_iter()
                .collect(),
            "source.geo.country_iso_code" => one(self.place.country.as_ref()),
            "source.geo.city_name" => one(self.place.city.as_ref()),
            "user_agent.original" => one(self.user_agent.as_ref()),
            "user_agent.os.family" => self
                .user_agent
                .as_deref()
                .and_then(crate::agent::os_family)
                .map(Cow::Borrowed)
                .into_iter()
                .collect(),
            "device.id" => one(self.device.id.as_ref()),
            "email.sender.address" => one(self.sender.as_ref()),
            "email.to.address" => many(&self.recipients),
            "email.message_id" => many(&self.message_ids),
            "email.subject" => one(self.subject.as_ref()),
            "m365.record_type" => one(self.record_type.as_ref()),
            "m365.client" => one(self.client.as_ref()),
            "m365.app.id" => one(self.app_id.as_ref()),
            "m365.app.name" => one(self.app_name.as_ref()),
            "m365.resource.id" => one(self.resource_id.as_ref()),
            "m365.resource.name" => one(self.resource_name.as_ref()),
            "m365.session_id" => one(self.session_id.as_ref()),
            "m365.token_id" => one(self.token_id.as_ref()),
            "m365.interactive" => owned(self.interactive.map(|b| b.to_string())),
            "m365.protocol" => one(self.protocol.as_ref()),
            "m365.transfer" => one(self.transfer.as_ref()),
            "m365.incoming_token" => one(self.incoming_token.as_ref()),
            "m365.mfa" => vec![Cow::Borrowed(match self.mfa {
                Mfa::Given => "given",
                Mfa::Claim => "claim",
                Mfa::Missing => "missing",
                Mfa::NotRequired => "not_required",
                Mfa::Unknown => "unknown",
            })],
            "m365.conditional_access" => one(self.conditional_access.as_ref()),
            "m365.risk" => one(self.risk.as_ref()),
            "m365.risk_types" => many(&self.risk_types),
            "m365.object" => one(self.object.as_ref()),
            "m365.target.name" => self
                .targets
                .iter()
                .filter_map(|t| t.name.as_deref().map(Cow::Borrowed))
                .collect(),
            "m365.target.id" => self
                .targets
                .iter()
                .filter_map(|t| t.id.as_deref().map(Cow::Borrowed))
                .collect(),
            "m365.mailbox" => one(self.mailbox.as_ref()),
            "m365.logon_type" => one(self.logon_type.as_ref()),
            "m365.folder" => one(self.folder.as_ref()),
            "m365.throttled" => owned(Some(self.throttled.to_string())),
            _ => return None,
        })
    }

    /// How many fields are filled: of two copies of one record, the fuller
    /// one is kept.
    pub(crate) fn fullness(&self) -> usize {
        let texts = [
            &self.tenant_id,
            &self.user,
            &self.user_id,
            &self.user_type,
            &self.workload,
            &self.record_type,
            &self.error_code,
            &self.reason,
            &self.place.city,
            &self.place.state,
            &self.place.country,
            &self.user_agent,
            &self.client,
            &self.app_id,
            &self.app_name,
            &self.resource_id,
            &self.resource_name,
            &self.session_id,
            &self.service_session_id,
            &self.token_id,
            &self.correlation_id,
            &self.device.id,
            &self.device.name,
            &self.device.os,
            &self.device.browser,
            &self.device.trust,
            &self.protocol,
            &self.transfer,
            &self.incoming_token,
            &self.conditional_access,
            &self.risk,
            &self.object,
            &self.mailbox,
            &self.logon_type,
            &self.sender,
            &self.subject,
            &self.folder,
        ];
        let others = [
            self.address.is_some(),
            self.network.is_some(),
            self.place.coordinates.is_some(),
            self.device.managed.is_some(),
            self.interactive.is_some(),
            self.mail_access.is_some(),
            self.outcome != Outcome::Unknown,
            self.mfa != Mfa::Unknown,
            self.time != NO_TIME,
        ];
        texts.iter().filter(|text| text.is_some()).count()
            + others.iter().filter(|there| **there).count()
            + self.risk_types.len()
            + self.targets.len()
            + self.recipients.len()
            + self.message_ids.len()
            + self.folders.len()
            + self.parameters.len()
            + self.modified.len()
    }
}

/// Every column that [`Event::values`] knows, besides the three map prefixes.
pub const COLUMNS: [&str; 50] = [
    "@timestamp",
    "event.id",
    "event.dataset",
    "event.action",
    "event.provider",
    "event.kind",
    "event.outcome",
    "event.code",
    "event.reason",
    "organization.id",
    "user.name",
    "user.id",
    "user.type",
    "user.target.name",
    "source.ip",
    "source.as.number",
    "source.network",
    "m365.mail_access",
    "source.geo.country_iso_code",
    "source.geo.city_name",
    "user_agent.original",
    "user_agent.os.family",
    "device.id",
    "email.sender.address",
    "email.to.address",
    "email.message_id",
    "email.subject",
    "m365.record_type",
    "m365.client",
    "m365.app.id",
    "m365.app.name",
    "m365.resource.id",
    "m365.resource.name",
    "m365.session_id",
    "m365.token_id",
    "m365.interactive",
    "m365.protocol",
    "m365.transfer",
    "m365.incoming_token",
    "m365.mfa",
    "m365.conditional_access",
    "m365.risk",
    "m365.risk_types",
    "m365.object",
    "m365.target.name",
    "m365.target.id",
    "m365.mailbox",
    "m365.logon_type",
    "m365.folder",
    "m365.throttled",
];

/// The operation name that two logs' spellings share: no trailing stop, one
/// kind of dash, single spaces (reference §7.3). Case is kept; compare
/// without it.
pub fn fold_operation(name: &str) -> String {
    let dashes = name.replace(
        ['\u{2013}', '\u{2014}', '\u{2012}', '\u{2010}', '\u{2011}'],
        "-",
    );
    let spaced = dashes.split_whitespace().collect::<Vec<_>>().join(" ");
    spaced.trim_end_matches('.').trim_end().to_owned()
}

fn lookup<'a, V>(map: &'a BTreeMap<String, V>, name: &str) -> Option<&'a V> {
    map.get(name).or_else(|| {
        map.iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn both_spellings_of_an_operation_are_one() {
        assert_eq!(
            fold_operation("Consent to application."),
            "Consent to application"
        );
        assert_eq!(
            fold_operation("Update application \u{2013} Certificates and secrets management "),
            "Update application - Certificates and secrets management"
        );
    }

    #[test]
    fn every_listed_column_is_readable_and_nothing_else_is() {
        let event = Event::new(Source::Ual, NO_TIME, "x", "{}");
        for column in COLUMNS {
            assert!(event.values(column).is_some(), "{column}");
        }
        assert!(event.values("nothing.such").is_none());
    }
}
