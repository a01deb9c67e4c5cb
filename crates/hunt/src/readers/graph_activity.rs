//! Requests to Microsoft Graph: `MicrosoftGraphActivityLogs` of Log Analytics
//! and diagnostic settings, `GraphApiAuditEvents` of advanced hunting.

use super::fields::Fields;
use crate::event::{Event, Outcome, Source};
use crate::{address, moment};

/// The event of one request. Its operation is the method; the address asked
/// for is its object.
pub(super) fn event(fields: Fields<'_>, original: &str) -> Result<Event, String> {
    let time = fields
        .text(&["TimeGenerated", "TimeGenerated [UTC]", "Timestamp", "time"])
        .ok_or("a Graph request without a time")?;
    let time = moment::parse(&time).ok_or("the time cannot be read")?;
    let method = fields
        .text(&["RequestMethod"])
        .ok_or("a Graph request without a method")?;
    let mut event = Event::new(
        Source::GraphActivity,
        time,
        &format!("Graph {}", method.to_uppercase()),
        original,
    );
    // One request id may stand at a batch and at its parts.
    let request = fields.text(&["RequestId"]);
    let operation = fields.text(&["OperationId"]);
    event.record_id = match (&request, &operation) {
        (Some(request), Some(operation)) if request != operation => {
            format!("{request}/{operation}")
        }
        (Some(id), _) | (None, Some(id)) => id.clone(),
        (None, None) => String::new(),
    };
    event.tenant_id = fields.text(&["AadTenantId", "TenantId"]);
    event.workload = Some("MicrosoftGraph".to_owned());
    event.record_type = fields.text(&["category", "Type"]);
    event.user_id = fields.text(&["UserId", "AccountObjectId", "ServicePrincipalId"]);
    event.user_type = match fields.text(&["EntityType"]) {
        Some(kind) => Some(kind),
        None if fields.text(&["UserId"]).is_some() => Some("user".to_owned()),
        None => fields
            .text(&["ServicePrincipalId"])
            .map(|_| "servicePrincipal".to_owned()),
    };
    event.address = fields
        .text(&["IPAddress", "callerIpAddress"])
        .and_then(|text| address::parse(&text));
    event.user_agent = fields.text(&["UserAgent"]);
    event.app_id = fields.text(&["AppId", "ApplicationId"]);
    event.session_id = fields.text(&["SessionId"]);
    event.token_id = fields.text(&["SignInActivityId", "UniqueTokenIdentifier"]);
    event.correlation_id = fields.text(&["ClientRequestId"]);
    event.object = fields.text(&["RequestUri"]);
    let status = fields
        .text(&["ResponseStatusCode"])
        .and_then(|text| text.parse::<u16>().ok());
    event.outcome = match status {
        Some(100..400) => Outcome::Success,
        Some(_) => Outcome::Failure,
        None => Outcome::Unknown,
    };
    event.error_code = status
        .filter(|code| *code >= 400)
        .map(|code| code.to_string());
    for name in [
        "Scopes",
        "Roles",
        "Wids",
        "ApiVersion",
        "ClientAuthMethod",
        "TargetWorkload",
    ] {
        if let Some(value) = fields.text(&[name]) {
            event.parameters.insert(name.to_owned(), value);
        }
    }
    Ok(event)
}
