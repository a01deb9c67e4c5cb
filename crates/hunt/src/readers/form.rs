//! What form a record has, told from its content alone.

use serde_json::{Map, Value};

use super::fields::{Fields, key, scalar, unfold};
use super::listing::{self, Kind};
use super::{alert, audit, cloud_apps, copilot, elastic, entra, graph_activity, hunting, trace};
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
    /// Requests to Microsoft Graph.
    GraphActivity,
    /// Advanced-hunting tables.
    AdvancedHunting,
    /// Defender for Cloud Apps activities.
    CloudAppActivities,
    /// Copilot interactions as Graph gives them.
    CopilotInteractions,
    /// Security alerts.
    SecurityAlerts,
    /// Elastic's documents.
    Elastic,
    /// Listed inbox rules.
    InboxRules,
    /// Listed grants to applications.
    AppGrants,
    /// Listed rights on mailboxes.
    MailboxRights,
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
            Self::GraphActivity => "graph-activity",
            Self::AdvancedHunting => "advanced-hunting",
            Self::CloudAppActivities => "cloud-app-activities",
            Self::CopilotInteractions => "copilot-interactions",
            Self::SecurityAlerts => "security-alerts",
            Self::Elastic => "elastic",
            Self::InboxRules => "inbox-rules",
            Self::AppGrants => "app-grants",
            Self::MailboxRights => "mailbox-rights",
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

/// The records of a list inside a record of unknown keys, which is then a
/// page; none if nothing in it has a known form.
pub(super) fn listed(value: &Value) -> Option<&Vec<Value>> {
    fn find(value: &Value, depth: usize) -> Option<&Vec<Value>> {
        let map = value.as_object()?;
        map.values().find_map(|inner| match inner {
            Value::Array(items) => items
                .iter()
                .any(|item| event(item, "{}").is_ok())
                .then_some(items),
            Value::Object(_) if depth < 2 => find(inner, depth + 1),
            _ => None,
        })
    }
    find(value, 0)
}

/// Wrappings of a record inside a record, at most.
const DEPTH: usize = 4;

pub(super) fn object(
    map: &Map<String, Value>,
    outer: Option<&Map<String, Value>>,
    original: &str,
    depth: usize,
) -> Result<(Form, Event), String> {
    let fields = Fields::new(map, outer);
    match plain(map) {
        Some(Plain::Audit) => {
            return audit::event(fields, original).map(|event| (Form::AuditJson, event));
        }
        Some(Plain::SignIn) => {
            return entra::sign_in(fields, original).map(|event| (Form::SignInsJson, event));
        }
        None => {}
    }
    if depth < DEPTH
        && let Some(result) = wrapped(map, original, depth)
    {
        return result;
    }
    let has = |name: &str| key(map, name).is_some();
    let Some(shape) = shape(&has, &kind_of(map), outer.is_some()) else {
        // An envelope that somebody put around a record.
        return match (depth < DEPTH).then(|| enclosed(map, original, depth)) {
            Some(Some(result)) => result,
            _ => Err(UNKNOWN.to_owned()),
        };
    };
    match shape {
        Shape::RiskDetection => entra::risk_detection(fields, original),
        Shape::MessageTrace => trace::event(fields, original),
        Shape::SignIn(_) => entra::sign_in(fields, original),
        Shape::DirectoryAudit(_) => entra::directory_audit(fields, original),
        Shape::Audit(_) => audit::event(fields, original),
        Shape::GraphActivity => graph_activity::event(fields, original),
        Shape::Email => hunting::email(fields, original),
        Shape::Click => hunting::click(fields, original),
        Shape::HuntingSignIn => hunting::sign_in(fields, original),
        Shape::CloudAppTable => cloud_apps::table(fields, original),
        Shape::CloudApp => cloud_apps::activity(fields, original),
        Shape::Copilot => copilot::event(fields, original),
        Shape::Alert => alert::event(fields, original),
        Shape::Listing(kind) => Ok(listing::event(kind, fields, original)),
        Shape::ResourceManager => Err(RESOURCE_MANAGER.to_owned()),
    }
    .map(|event| (shape.form(), event))
}

enum Plain {
    Audit,
    SignIn,
}

/// The two forms that nearly all records have, in their own spelling: told by
/// a few exact look-ups, because this is asked of every record.
fn plain(map: &Map<String, Value>) -> Option<Plain> {
    let all = |names: &[&str]| names.iter().all(|name| map.contains_key(*name));
    let around = [
        "AuditData",
        "_raw",
        "RawEventData",
        "TimeGenerated",
        "riskEventType",
    ];
    if around.iter().any(|name| map.contains_key(*name)) {
        return None;
    }
    if all(&["Operation", "CreationTime", "RecordType", "Workload"]) {
        return Some(Plain::Audit);
    }
    all(&[
        "createdDateTime",
        "appId",
        "appDisplayName",
        "status",
        "ipAddress",
    ])
    .then_some(Plain::SignIn)
}

const UNKNOWN: &str = "a record of a form that is not known";
const NO_OBJECT: &str = "a record inside a record is not an object";
pub(super) const RESOURCE_MANAGER: &str =
    "an Azure Resource Manager activity, which tells of Azure resources, not of accounts or mail";

/// What a record is, by its keys.
#[derive(Clone, Copy)]
enum Shape {
    RiskDetection,
    MessageTrace,
    SignIn(Form),
    DirectoryAudit(Form),
    Audit(Form),
    GraphActivity,
    Email,
    Click,
    HuntingSignIn,
    CloudAppTable,
    CloudApp,
    Copilot,
    Alert,
    Listing(Kind),
    ResourceManager,
}

impl Shape {
    const fn form(self) -> Form {
        match self {
            Self::RiskDetection => Form::RiskDetections,
            Self::MessageTrace => Form::MessageTrace,
            Self::SignIn(form) | Self::DirectoryAudit(form) | Self::Audit(form) => form,
            Self::GraphActivity => Form::GraphActivity,
            Self::Email | Self::Click | Self::HuntingSignIn | Self::CloudAppTable => {
                Form::AdvancedHunting
            }
            Self::CloudApp => Form::CloudAppActivities,
            Self::Copilot => Form::CopilotInteractions,
            Self::Alert => Form::SecurityAlerts,
            Self::Listing(Kind::Rule) => Form::InboxRules,
            Self::Listing(Kind::Grant) => Form::AppGrants,
            Self::Listing(Kind::MailboxRight) => Form::MailboxRights,
            Self::ResourceManager => Form::Unknown,
        }
    }
}

/// True if a record with these keys has a form that is known: the header of a
/// table whose columns are a record's keys.
pub(super) fn is_known(has: &dyn Fn(&str) -> bool) -> bool {
    has("RawEventData") || shape(has, "", false).is_some()
}

fn kind_of(map: &Map<String, Value>) -> String {
    key(map, "Type").and_then(scalar).unwrap_or_default()
}

/// The table that tells all its forms from another; the first that fits.
fn shape(has: &dyn Fn(&str) -> bool, kind: &str, enveloped: bool) -> Option<Shape> {
    let all = |names: &[&str]| names.iter().all(|name| has(name));
    let any = |names: &[&str]| names.iter().any(|name| has(name));
    let generated = any(&["TimeGenerated", "TimeGenerated [UTC]"]);
    if has("riskEventType") {
        return Some(Shape::RiskDetection);
    }
    if all(&["senderAddress", "recipientAddress"]) || all(&["sender_address", "message_id"]) {
        return Some(Shape::MessageTrace);
    }
    if all(&["RequestUri", "RequestMethod"]) {
        return Some(Shape::GraphActivity);
    }
    if all(&["NetworkMessageId", "RecipientEmailAddress"]) {
        return Some(Shape::Email);
    }
    if all(&["Url", "ActionType", "AccountUpn"]) {
        return Some(Shape::Click);
    }
    if has("Timestamp")
        && all(&["ErrorCode", "ApplicationId", "RequestId"])
        && any(&[
            "AccountUpn",
            "AccountObjectId",
            "ServicePrincipalId",
            "LogonType",
        ])
    {
        return Some(Shape::HuntingSignIn);
    }
    if all(&["ActionType", "Application"]) && any(&["Timestamp", "TimeGenerated"]) {
        return Some(Shape::CloudAppTable);
    }
    if all(&["eventTypeValue", "timestamp"]) && any(&["appName", "appId", "user"]) {
        return Some(Shape::CloudApp);
    }
    if has("interactionType") && any(&["appClass", "conversationType"]) {
        return Some(Shape::Copilot);
    }
    if all(&["title", "severity", "createdDateTime"]) && any(&["serviceSource", "detectionSource"])
    {
        return Some(Shape::Alert);
    }
    let log_analytics = kind.ends_with("SigninLogs")
        || kind.ends_with("SignInLogs")
        || (generated && has("ResultType"));
    if log_analytics && any(&["AppDisplayName", "IPAddress", "ServicePrincipalId"]) {
        return Some(Shape::SignIn(Form::LogAnalytics));
    }
    let activity =
        has("activityDisplayName") && any(&["initiatedBy", "targetResources", "loggedByService"]);
    let named = has("OperationName") && all(&["InitiatedBy", "TargetResources"]);
    if activity || named {
        return Some(Shape::DirectoryAudit(if generated || kind == "AuditLogs" {
            Form::LogAnalytics
        } else {
            Form::DirectoryAuditsJson
        }));
    }
    if has("Operation") && (has("OfficeWorkload") || kind == "OfficeActivity") {
        return Some(Shape::Audit(Form::LogAnalytics));
    }
    if has("Operation") && (any(&["CreationTime", "RecordType", "Workload"]) || enveloped) {
        return Some(Shape::Audit(Form::AuditJson));
    }
    let sign_in = [
        "appId",
        "ipAddress",
        "userPrincipalName",
        "servicePrincipalId",
        "appDisplayName",
        "status",
        "isInteractive",
    ];
    if has("createdDateTime") && sign_in.iter().filter(|name| has(name)).count() >= 3 {
        return Some(Shape::SignIn(Form::SignInsJson));
    }
    if let Some(kind) = listing::kind(has) {
        return Some(Shape::Listing(kind));
    }
    let resources = [
        "authorization",
        "resourceProviderName",
        "resourceProvider",
        "resource_provider_name",
        "ResourceProviderValue",
        "subscriptionId",
        "subscription_id",
    ];
    let named = any(&["operationName", "operation_name", "OperationNameValue"]);
    (named && any(&resources)).then_some(Shape::ResourceManager)
}

/// A record in one of the wrappings that are known by their keys.
fn wrapped(
    map: &Map<String, Value>,
    original: &str,
    depth: usize,
) -> Option<Result<(Form, Event), String>> {
    // Splunk: the record is a text inside the record.
    if let Some(raw) = key(map, "_raw").and_then(unfold) {
        return Some(nested(&raw, None, original, depth));
    }
    if let Some(Value::Object(result)) = key(map, "result")
        && key(result, "_raw").is_some()
    {
        return Some(object(result, None, original, depth + 1));
    }
    if let Some(data) = key(map, "AuditData") {
        let form = if key(map, "auditLogRecordType").is_some() {
            Form::GraphAuditRecords
        } else {
            Form::SearchJson
        };
        let Some(data) = unfold(data) else {
            return Some(Err("the audit data cannot be read".to_owned()));
        };
        let inner = nested(&data, Some(map), original, depth);
        return Some(inner.map(|(_, event)| (form, event)));
    }
    if let Some(result) = elastic::record(map, original, depth) {
        return Some(result.map(|(_, event)| (Form::Elastic, event)));
    }
    // An activity of Defender for Cloud Apps holds the audit record itself.
    if key(map, "ActionType").is_some()
        && let Some(raw) = key(map, "RawEventData").and_then(unfold)
        && let Ok((_, event)) = nested(&raw, None, original, depth)
    {
        return Some(Ok((Form::AdvancedHunting, event)));
    }
    if key(map, "eventTypeValue").is_some()
        && let Some(raw) = key(map, "rawDataJson").and_then(unfold)
        && let Ok((_, event)) = nested(&raw, None, original, depth)
    {
        return Some(Ok((Form::CloudAppActivities, event)));
    }
    let properties = key(map, "properties").and_then(unfold)?;
    Some(diagnostic(map, properties.as_object()?, original))
}

/// The one record that stands inside one of unknown keys, or what is wrong
/// with it; none if there is none, or if there are several.
fn enclosed(
    map: &Map<String, Value>,
    original: &str,
    depth: usize,
) -> Option<Result<(Form, Event), String>> {
    let results: Vec<_> = map
        .values()
        .filter_map(unfold)
        .map(|value| nested(&value, None, original, depth))
        .collect();
    let (mut whole, mut damaged) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(record) => whole.push(record),
            Err(reason) if reason != UNKNOWN && reason != NO_OBJECT => damaged.push(reason),
            Err(_) => {}
        }
    }
    match (whole.len(), damaged.len()) {
        (1, _) => whole.pop().map(Ok),
        (0, 1) => damaged.pop().map(Err),
        _ => None,
    }
}

pub(super) fn nested(
    value: &Value,
    outer: Option<&Map<String, Value>>,
    original: &str,
    depth: usize,
) -> Result<(Form, Event), String> {
    match value {
        Value::Object(map) => object(map, outer, original, depth + 1),
        _ => Err(NO_OBJECT.to_owned()),
    }
}

/// The envelope of diagnostic settings, event hubs and storage exports.
pub(super) fn diagnostic(
    map: &Map<String, Value>,
    properties: &Map<String, Value>,
    original: &str,
) -> Result<(Form, Event), String> {
    let category = key(map, "category")
        .and_then(scalar)
        .unwrap_or_default()
        .to_ascii_lowercase();
    let fields = Fields::new(properties, Some(map));
    let has = |name: &str| key(properties, name).is_some();
    let event = if category.contains("signinlogs") {
        entra::sign_in(fields, original)
    } else if category == "auditlogs" || has("activityDisplayName") {
        entra::directory_audit(fields, original)
    } else if has("riskEventType") {
        entra::risk_detection(fields, original)
    } else if category == "microsoftgraphactivitylogs"
        || (has("requestUri") && has("requestMethod"))
    {
        graph_activity::event(fields, original)
    } else if category.starts_with("advancedhunting-") || has("ActionType") {
        return object(properties, Some(map), original, DEPTH - 1);
    } else {
        let has = |name: &str| key(map, name).is_some();
        let resources = shape(&has, "", false);
        return Err(if matches!(resources, Some(Shape::ResourceManager)) {
            RESOURCE_MANAGER.to_owned()
        } else {
            "an Azure record that is neither sign-in nor directory audit".to_owned()
        });
    };
    event.map(|event| (Form::Diagnostics, event))
}
