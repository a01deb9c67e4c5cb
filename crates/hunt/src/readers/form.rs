//! What form a record has, told from its content alone.

use serde_json::{Map, Value};

use super::fields::{Fields, key, scalar, unfold};
use super::{audit, entra, trace};
use crate::event::Event;

/// The form of an input, by what its records turned out to be. The names
/// stand in documents and are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// Purview portal CSV, new or old.
    PurviewCsv,
    /// `Search-UnifiedAuditLog` piped to CSV.
    SearchCsv,
    /// The same as JSON, `AuditData` a text or an object.
    SearchJson,
    /// Bare audit records: JSON lines, lists, Management Activity blobs.
    AuditJson,
    /// Graph audit-query records.
    GraphAuditRecords,
    /// Entra sign-ins as Graph or portal JSON.
    SignInsJson,
    /// Entra sign-ins, portal CSV.
    SignInsCsv,
    /// Directory audits as Graph or portal JSON.
    DirectoryAuditsJson,
    /// Directory audits, portal CSV.
    DirectoryAuditsCsv,
    /// Azure diagnostic envelopes.
    Diagnostics,
    /// Log Analytics tables, CSV or JSON.
    LogAnalytics,
    /// Message trace.
    MessageTrace,
    /// Risk detections.
    RiskDetections,
    /// Records of several forms.
    Mixed,
    /// No record of a known form.
    Unknown,
    /// Nothing in it.
    Empty,
}

impl Form {
    /// The name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PurviewCsv => "purview-csv",
            Self::SearchCsv => "search-unified-audit-log-csv",
            Self::SearchJson => "search-unified-audit-log-json",
            Self::AuditJson => "audit-json",
            Self::GraphAuditRecords => "graph-audit-records",
            Self::SignInsJson => "sign-ins-json",
            Self::SignInsCsv => "sign-ins-csv",
            Self::DirectoryAuditsJson => "directory-audits-json",
            Self::DirectoryAuditsCsv => "directory-audits-csv",
            Self::Diagnostics => "azure-diagnostics",
            Self::LogAnalytics => "log-analytics",
            Self::MessageTrace => "message-trace",
            Self::RiskDetections => "risk-detections",
            Self::Mixed => "mixed",
            Self::Unknown => "unknown",
            Self::Empty => "empty",
        }
    }
}

/// The form and event of one JSON record; an error says why there is none.
pub(super) fn event(value: &Value, original: &str) -> Result<(Form, Event), String> {
    let Value::Object(map) = value else {
        return Err("not a record".to_owned());
    };
    object(map, None, original, 0)
}

fn object(
    map: &Map<String, Value>,
    outer: Option<&Map<String, Value>>,
    original: &str,
    depth: usize,
) -> Result<(Form, Event), String> {
    let has = |name: &str| key(map, name).is_some();
    let fields = Fields::new(map, outer);
    if depth < 4 {
        // Splunk: the record is a text inside the record.
        if let Some(raw) = key(map, "_raw").and_then(unfold) {
            return nested(&raw, None, original, depth);
        }
        if let Some(Value::Object(result)) = key(map, "result")
            && key(result, "_raw").is_some()
        {
            return object(result, None, original, depth + 1);
        }
        if let Some(data) = key(map, "AuditData") {
            let form = if has("auditLogRecordType") {
                Form::GraphAuditRecords
            } else {
                Form::SearchJson
            };
            let data = unfold(data).ok_or("the audit data cannot be read")?;
            return nested(&data, Some(map), original, depth).map(|(_, event)| (form, event));
        }
        if let Some(Value::Object(properties)) = key(map, "properties") {
            return diagnostic(map, properties, original);
        }
    }
    if has("riskEventType") {
        return entra::risk_detection(fields, original).map(|event| (Form::RiskDetections, event));
    }
    if (has("senderAddress") && has("recipientAddress"))
        || (has("sender_address") && has("message_id"))
    {
        return trace::event(fields, original).map(|event| (Form::MessageTrace, event));
    }
    let kind = key(map, "Type").and_then(scalar).unwrap_or_default();
    let log_analytics = kind.ends_with("SigninLogs")
        || kind.ends_with("SignInLogs")
        || (has("TimeGenerated") && has("ResultType"));
    if log_analytics && (has("AppDisplayName") || has("IPAddress")) {
        return entra::sign_in(fields, original).map(|event| (Form::LogAnalytics, event));
    }
    if has("activityDisplayName")
        && (has("initiatedBy") || has("targetResources") || has("loggedByService"))
    {
        let form = if has("TimeGenerated") || kind == "AuditLogs" {
            Form::LogAnalytics
        } else {
            Form::DirectoryAuditsJson
        };
        return entra::directory_audit(fields, original).map(|event| (form, event));
    }
    if has("Operation") && (has("OfficeWorkload") || kind == "OfficeActivity") {
        return audit::event(fields, original).map(|event| (Form::LogAnalytics, event));
    }
    if has("Operation")
        && (has("CreationTime") || has("RecordType") || has("Workload") || outer.is_some())
    {
        return audit::event(fields, original).map(|event| (Form::AuditJson, event));
    }
    let sign_in = [
        "appId",
        "ipAddress",
        "userPrincipalName",
        "appDisplayName",
        "status",
        "isInteractive",
    ];
    if has("createdDateTime") && sign_in.iter().filter(|name| has(name)).count() >= 3 {
        return entra::sign_in(fields, original).map(|event| (Form::SignInsJson, event));
    }
    Err("a record of a form that is not known".to_owned())
}

fn nested(
    value: &Value,
    outer: Option<&Map<String, Value>>,
    original: &str,
    depth: usize,
) -> Result<(Form, Event), String> {
    match value {
        Value::Object(map) => object(map, outer, original, depth + 1),
        _ => Err("a record inside a record is not an object".to_owned()),
    }
}

/// The envelope of diagnostic settings, event hubs and storage exports.
fn diagnostic(
    map: &Map<String, Value>,
    properties: &Map<String, Value>,
    original: &str,
) -> Result<(Form, Event), String> {
    let category = key(map, "category")
        .and_then(scalar)
        .unwrap_or_default()
        .to_ascii_lowercase();
    let fields = Fields::new(properties, Some(map));
    if category.contains("signinlogs") {
        return entra::sign_in(fields, original).map(|event| (Form::Diagnostics, event));
    }
    if category == "auditlogs" || key(properties, "activityDisplayName").is_some() {
        return entra::directory_audit(fields, original).map(|event| (Form::Diagnostics, event));
    }
    Err("an Azure record that is neither sign-in nor directory audit".to_owned())
}
