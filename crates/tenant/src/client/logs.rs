//! Logs: sign-ins, directory changes, risk, the unified audit log, message trace.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Tenant;
use crate::call::{
    AUDIT_QUERY, AUDIT_QUERY_BETA, AUDIT_QUERY_CREATE, AUDIT_QUERY_CREATE_BETA, AUDIT_RECORDS,
    AUDIT_RECORDS_BETA, CallSpec, DIRECTORY_AUDITS, MESSAGE_TRACES, RISK_DETECTIONS, SIGN_INS,
    SIGN_INS_BETA,
};
use crate::error::{Kind, TenantError};
use crate::escape::odata_string;
use crate::model::Record;
use crate::page::{Completeness, Cut};
use crate::send::Deadline;
use crate::wire::{Builder, Read};

/// The longest span that one message trace may cover (reference §7.5).
const TRACE_WINDOW: SignedDuration = SignedDuration::from_hours(10 * 24);

/// Enumeration values that a client did not ask for arrive as `unknownFutureValue` (reference §7.1).
const UNKNOWN_VALUES: (&str, &str) = ("prefer", "include-unknown-enum-members");

/// Which sign-ins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInKind {
    /// Interactive ones of v1.0: without session, token and network details (reference §0.4).
    Interactive,
    /// Interactive ones of beta, with those details.
    InteractiveDetailed,
    /// Refreshes and other sign-ins without a person, of beta.
    NonInteractive,
    /// Sign-ins of apps as themselves, of beta.
    ServicePrincipal,
}

impl SignInKind {
    const fn spec(self) -> &'static CallSpec {
        match self {
            Self::Interactive => &SIGN_INS,
            Self::InteractiveDetailed | Self::NonInteractive | Self::ServicePrincipal => {
                &SIGN_INS_BETA
            }
        }
    }

    const fn event_type(self) -> Option<&'static str> {
        match self {
            Self::Interactive => None,
            Self::InteractiveDetailed => Some("interactiveUser"),
            Self::NonInteractive => Some("nonInteractiveUser"),
            Self::ServicePrincipal => Some("servicePrincipal"),
        }
    }
}

/// Which directory changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditAbout<'a> {
    /// Those to the object with this id.
    Target(&'a str),
    /// Those by the person with this id.
    Initiator(&'a str),
    /// All.
    Everything,
}

/// What to search the unified audit log for. Empty lists do not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// A name that stays in the tenant, so that the search can be found again.
    pub display_name: String,
    /// From when; events of this moment count.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
    /// Record types, for example `ExchangeItemAggregated`. Microsoft's metadata
    /// writes them like this and its page in camel case (reference §7.2), so
    /// rather leave them out and sort the records here.
    pub record_types: Vec<String>,
    /// Operations, for example `New-InboxRule`.
    pub operations: Vec<String>,
    /// Sign-in names.
    pub users: Vec<String>,
    /// Addresses.
    pub ip_addresses: Vec<String>,
    /// Objects.
    pub objects: Vec<String>,
}

impl AuditQuery {
    fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("displayName".into(), self.display_name.clone().into());
        body.insert("filterStartDateTime".into(), odata_time(self.start).into());
        body.insert("filterEndDateTime".into(), odata_end(self.end).into());
        for (name, values) in [
            ("recordTypeFilters", &self.record_types),
            ("operationFilters", &self.operations),
            ("userPrincipalNameFilters", &self.users),
            ("ipAddressFilters", &self.ip_addresses),
            ("objectIdFilters", &self.objects),
        ] {
            if !values.is_empty() {
                body.insert(name.into(), values.clone().into());
            }
        }
        Value::Object(body)
    }
}

/// A search that runs or has run in the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditSearch {
    /// Its id.
    pub id: String,
    /// Whether it lives in beta, because v1.0 had none (reference §0.16).
    pub beta: bool,
}

/// How far a search is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchStatus {
    /// Waiting or running.
    Pending,
    /// Done.
    Succeeded {
        /// Whether the service cut it off at its limit of records (reference §0.11).
        limit_reached: bool,
    },
    /// Failed, cancelled, or in a state that is not documented; the text is the service's.
    Ended(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueryState {
    id: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    is_record_count_limit_exceeded: Option<bool>,
}

/// Which messages to trace. At least one address is better given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageTraceFilter {
    /// From this address.
    pub sender: Option<String>,
    /// To this address.
    pub recipient: Option<String>,
    /// Received from then on; at most 90 days back.
    pub start: Timestamp,
    /// Received until then.
    pub end: Timestamp,
}

impl Tenant {
    /// Sign-ins of an account between two moments, newest first.
    pub async fn sign_ins(
        &self,
        kind: SignInKind,
        user_id: &str,
        since: Timestamp,
        until: Option<Timestamp>,
    ) -> Result<Read<Vec<Record>>, TenantError> {
        let about = format!("userId eq {}", odata_string(user_id));
        self.sign_ins_where(kind, user_id, &about, since, until)
            .await
    }

    /// Sign-ins of an app as itself, by its service principal's object id, newest first.
    pub async fn sign_ins_of_principal(
        &self,
        principal_id: &str,
        since: Timestamp,
    ) -> Result<Read<Vec<Record>>, TenantError> {
        let about = format!("servicePrincipalId eq {}", odata_string(principal_id));
        let kind = SignInKind::ServicePrincipal;
        self.sign_ins_where(kind, principal_id, &about, since, None)
            .await
    }

    /// Everybody's sign-ins from an address between two moments, newest first.
    pub async fn sign_ins_from_address(
        &self,
        kind: SignInKind,
        address: &str,
        since: Timestamp,
        until: Option<Timestamp>,
    ) -> Result<Read<Vec<Record>>, TenantError> {
        let about = format!("ipAddress eq {}", odata_string(address));
        self.sign_ins_where(kind, address, &about, since, until)
            .await
    }

    async fn sign_ins_where(
        &self,
        kind: SignInKind,
        target: &str,
        about: &str,
        since: Timestamp,
        until: Option<Timestamp>,
    ) -> Result<Read<Vec<Record>>, TenantError> {
        let mut filter = format!("{about} and {}", span("createdDateTime", since, until));
        if let Some(event) = kind.event_type() {
            let _ = write!(filter, " and signInEventTypes/any(t: t eq '{event}')");
        }
        let (name, value) = UNKNOWN_VALUES;
        self.list(
            Builder::new(kind.spec(), target, &[])
                .query("$filter", &filter)
                .header(name, value),
        )
        .await
    }

    /// Changes in the directory between two moments.
    pub async fn directory_audits(
        &self,
        about: AuditAbout<'_>,
        since: Timestamp,
        until: Option<Timestamp>,
    ) -> Result<Read<Vec<Record>>, TenantError> {
        let mut filter = span("activityDateTime", since, until);
        let target = match about {
            AuditAbout::Target(id) => {
                let _ = write!(
                    filter,
                    " and targetResources/any(t: t/id eq {})",
                    odata_string(id)
                );
                id
            }
            AuditAbout::Initiator(id) => {
                let _ = write!(filter, " and initiatedBy/user/id eq {}", odata_string(id));
                id
            }
            AuditAbout::Everything => "",
        };
        self.list(Builder::new(&DIRECTORY_AUDITS, target, &[]).query("$filter", &filter))
            .await
    }

    /// Risk detections of an account.
    pub async fn risk_detections(&self, user_id: &str) -> Result<Read<Vec<Record>>, TenantError> {
        let filter = format!("userId eq {}", odata_string(user_id));
        self.list(Builder::new(&RISK_DETECTIONS, user_id, &[]).query("$filter", &filter))
            .await
    }

    /// Starts a search of the unified audit log, in beta if v1.0 has none.
    pub async fn start_audit_search(
        &self,
        query: &AuditQuery,
    ) -> Result<Read<AuditSearch>, TenantError> {
        match self.submit_audit_query(query, false).await {
            Err(error) if error.kind == Kind::NotFound => {
                self.submit_audit_query(query, true).await
            }
            outcome => outcome,
        }
    }

    /// Asking twice makes two searches, which costs the tenant a little and harms nothing.
    async fn submit_audit_query(
        &self,
        query: &AuditQuery,
        beta: bool,
    ) -> Result<Read<AuditSearch>, TenantError> {
        let spec = if beta {
            &AUDIT_QUERY_CREATE_BETA
        } else {
            &AUDIT_QUERY_CREATE
        };
        let builder = Builder::new(spec, &query.display_name, &[]).json(&query.body());
        let read: Read<QueryState> = self.one(builder).await?;
        Ok(read.map(|state| AuditSearch { id: state.id, beta }))
    }

    /// How far a search is.
    pub async fn audit_search_status(
        &self,
        search: &AuditSearch,
    ) -> Result<Read<SearchStatus>, TenantError> {
        let spec = if search.beta {
            &AUDIT_QUERY_BETA
        } else {
            &AUDIT_QUERY
        };
        let read: Read<QueryState> = self
            .one(Builder::new(spec, &search.id, &[&search.id]))
            .await?;
        Ok(read.map(|state| match state.status.as_deref() {
            Some("succeeded") => SearchStatus::Succeeded {
                limit_reached: state.is_record_count_limit_exceeded.unwrap_or_default(),
            },
            None | Some("notStarted" | "running") => SearchStatus::Pending,
            Some(other) => SearchStatus::Ended(crate::escape::message(other)),
        }))
    }

    /// What a search has found. Call it once it has succeeded.
    pub async fn audit_search_records(
        &self,
        search: &AuditSearch,
    ) -> Result<Read<Vec<Record>>, TenantError> {
        let spec = if search.beta {
            &AUDIT_RECORDS_BETA
        } else {
            &AUDIT_RECORDS
        };
        self.list(
            Builder::new(spec, &search.id, &[&search.id])
                .query("$top", "999")
                .query("$count", "true"),
        )
        .await
    }

    /// Searches the unified audit log from beginning to end: starts, looks
    /// every `poll` whether it is done, for at most `patience`, and reads the
    /// records. Each request has the client's deadline for itself.
    pub async fn audit_search(
        &self,
        query: &AuditQuery,
        poll: Duration,
        patience: Duration,
    ) -> Result<Read<Vec<Record>>, TenantError> {
        let clock = self.call.clock();
        let patience = Deadline::after(clock, patience);
        let started = self.start_audit_search(query).await?;
        let search = started.value;
        let mut answers = started.answers;
        let limit_reached = loop {
            let status = self.audit_search_status(&search).await?;
            answers.extend(status.answers);
            match status.value {
                SearchStatus::Succeeded { limit_reached } => break limit_reached,
                SearchStatus::Pending if !patience.is_over(clock) => clock.sleep(poll).await,
                SearchStatus::Pending => {
                    return Err(TenantError::timed_out(
                        &AUDIT_QUERY,
                        &query.display_name,
                        false,
                    ));
                }
                SearchStatus::Ended(status) => {
                    let why = format!("the search ended as `{status}`");
                    let kind = Kind::Server {
                        effect_unknown: false,
                    };
                    return Err(TenantError::new(
                        kind,
                        &AUDIT_QUERY,
                        &query.display_name,
                        why,
                    ));
                }
            }
        };
        let records = self.audit_search_records(&search).await?;
        answers.extend(records.answers);
        let limit = if limit_reached {
            Completeness::Cut {
                why: Cut::LimitReached,
            }
        } else {
            Completeness::Complete
        };
        Ok(Read {
            value: records.value,
            answers,
            completeness: records.completeness.and(limit),
        })
    }

    /// Where messages went, in as many queries of ten days as the span needs.
    pub async fn message_traces(
        &self,
        filter: &MessageTraceFilter,
    ) -> Result<Read<Vec<Record>>, TenantError> {
        let target = filter
            .sender
            .as_deref()
            .or(filter.recipient.as_deref())
            .unwrap_or_default();
        let mut all = Read {
            value: Vec::new(),
            answers: Vec::new(),
            completeness: Completeness::Complete,
        };
        let mut seen = HashSet::new();
        // Written in whole seconds, a window must not grow past ten days by rounding.
        let mut start = Timestamp::from_second(filter.start.as_second()).unwrap_or(filter.start);
        loop {
            let end = start
                .checked_add(TRACE_WINDOW)
                .unwrap_or(filter.end)
                .min(filter.end);
            let mut text = format!(
                "receivedDateTime ge {} and receivedDateTime le {}",
                odata_time(start),
                odata_end(end)
            );
            for (name, address) in [
                ("senderAddress", &filter.sender),
                ("recipientAddress", &filter.recipient),
            ] {
                if let Some(address) = address {
                    let _ = write!(text, " and {name} eq {}", odata_string(address));
                }
            }
            let page: Read<Vec<Record>> = self
                .list(Builder::new(&MESSAGE_TRACES, target, &[]).query("$filter", &text))
                .await?;
            // Both ends of a window are inclusive, and rows can repeat (reference §7.5).
            all.value.extend(page.value.into_iter().filter(|row| {
                seen.insert((row.get("id").cloned(), row.get("recipientAddress").cloned()))
            }));
            all.answers.extend(page.answers);
            all.completeness = all.completeness.and(page.completeness);
            if end >= filter.end {
                return Ok(all);
            }
            start = end;
        }
    }
}

/// A moment as OData writes it, in whole seconds and UTC.
pub(super) fn odata_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The end of a span: the next whole second, so that nothing within the last one is left out.
fn odata_end(time: Timestamp) -> String {
    let whole = time.subsec_nanosecond() == 0;
    let second = SignedDuration::from_secs(i64::from(!whole));
    odata_time(time.checked_add(second).unwrap_or(time))
}

fn span(property: &str, since: Timestamp, until: Option<Timestamp>) -> String {
    let mut filter = format!("{property} ge {}", odata_time(since));
    if let Some(until) = until {
        let _ = write!(filter, " and {property} le {}", odata_end(until));
    }
    filter
}
