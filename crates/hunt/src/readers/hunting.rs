//! Advanced-hunting tables of Defender: mail, clicks, sign-ins and activities
//! under the column names that their schema pages list (`EmailEvents`,
//! `UrlClickEvents`, `EntraIdSignInEvents` and its predecessor
//! `AADSignInEventsBeta`, `CloudAppEvents`).

use super::fields::{Fields, any_text};
use crate::event::{Event, Mfa, Outcome, Source};
use crate::{address, moment, token};

fn started(
    fields: Fields<'_>,
    source: Source,
    operation: &str,
    original: &str,
) -> Result<Event, String> {
    let time = fields
        .text(&["Timestamp", "TimeGenerated", "TimeGenerated [UTC]"])
        .ok_or("a hunting record without a time")?;
    let time = moment::parse(&time).ok_or("the time cannot be read")?;
    let mut event = Event::new(source, time, operation, original);
    event.record_type = fields.text(&["Type"]);
    event.tenant_id = fields.text(&["TenantId"]);
    Ok(event)
}

/// One message to one recipient, as a message trace tells of it; the ids are
/// those of message trace, so both count once.
pub(super) fn email(fields: Fields<'_>, original: &str) -> Result<Event, String> {
    let mut event = started(fields, Source::MessageTrace, "Message trace", original)?;
    let recipient = fields
        .text(&["RecipientEmailAddress"])
        .map(|text| text.to_lowercase());
    event.record_id = fields
        .text(&["NetworkMessageId"])
        .map(|id| format!("{id}/{}", recipient.as_deref().unwrap_or_default()))
        .unwrap_or_default();
    event.recipients = recipient.into_iter().collect();
    event.sender = fields
        .text(&["SenderFromAddress", "SenderMailFromAddress"])
        .map(|text| text.to_lowercase());
    event
        .message_ids
        .extend(fields.text(&["InternetMessageId"]));
    event.subject = fields.text(&["Subject"]);
    event.address = fields
        .text(&["SenderIPv4", "SenderIPv6"])
        .and_then(|text| address::parse(&text));
    event.reason = fields.text(&["DeliveryAction", "LatestDeliveryAction"]);
    event.outcome = match event.reason.as_deref() {
        Some("Delivered") => Outcome::Success,
        Some("Blocked" | "Replaced") => Outcome::Failure,
        _ => Outcome::Unknown,
    };
    for name in [
        "EmailDirection",
        "ThreatTypes",
        "DeliveryLocation",
        "UrlCount",
        "AttachmentCount",
        "AuthenticationDetails",
    ] {
        if let Some(value) = fields.value(&[name]) {
            let value = any_text(value);
            if !value.is_empty() {
                event.parameters.insert(name.to_owned(), value);
            }
        }
    }
    Ok(event)
}

/// A click on a link.
pub(super) fn click(fields: Fields<'_>, original: &str) -> Result<Event, String> {
    let action = fields
        .text(&["ActionType"])
        .unwrap_or_else(|| "UrlClick".to_owned());
    let mut event = started(fields, Source::UrlClicks, &action, original)?;
    // A report id is only unique with the time and the user beside it.
    event.record_id = fields
        .text(&["ReportId"])
        .map(|id| format!("{id}/{}", event.time))
        .unwrap_or_default();
    event.user = fields.text(&["AccountUpn"]).map(|text| text.to_lowercase());
    event.workload = fields.text(&["Workload"]);
    event.address = fields
        .text(&["IPAddress"])
        .and_then(|text| address::parse(&text));
    event.object = fields.text(&["Url"]);
    event.reason = fields.text(&["ThreatTypes"]);
    let through = fields.text(&["IsClickedThrough"]);
    let passed = through
        .as_deref()
        .is_some_and(|text| text.eq_ignore_ascii_case("true") || text == "1");
    event.outcome = if action == "ClickAllowed" || passed {
        Outcome::Success
    } else if action.to_ascii_lowercase().contains("block") {
        Outcome::Failure
    } else {
        Outcome::Unknown
    };
    for name in [
        "NetworkMessageId",
        "IsClickedThrough",
        "UrlChain",
        "ThreatTypes",
    ] {
        if let Some(value) = fields.value(&[name]) {
            event.parameters.insert(name.to_owned(), any_text(value));
        }
    }
    Ok(event)
}

/// A sign-in of a user, an application or a managed identity.
pub(super) fn sign_in(fields: Fields<'_>, original: &str) -> Result<Event, String> {
    let mut event = started(fields, Source::SignIns, "Sign-in activity", original)?;
    event.record_id = fields.text(&["RequestId"]).unwrap_or_default();
    event.user = fields
        .text(&["AccountUpn", "ServicePrincipalName"])
        .map(|text| text.to_lowercase());
    event.user_id = fields.text(&["AccountObjectId", "ServicePrincipalId"]);
    event.workload = Some("AzureActiveDirectory".to_owned());
    event.address = fields
        .text(&["IPAddress"])
        .and_then(|text| address::parse(&text));
    event.place.city = fields.text(&["City"]);
    event.place.state = fields.text(&["State"]);
    event.place.country = fields.text(&["Country"]).map(|text| text.to_uppercase());
    let degree = |name: &str| fields.text(&[name])?.parse::<f64>().ok();
    event.place.coordinates = degree("Latitude").zip(degree("Longitude"));
    event.user_agent = fields.text(&["UserAgent"]);
    event.client = fields.text(&["ClientAppUsed"]);
    event.app_id = fields.text(&["ApplicationId"]);
    event.app_name = fields.text(&["Application"]);
    event.resource_id = fields.text(&["ResourceId"]);
    event.resource_name = fields.text(&["ResourceDisplayName"]);
    event.session_id = fields.text(&["SessionId"]);
    event.token_id = fields
        .text(&["UniqueTokenId"])
        .or_else(|| token::token_id(&event.record_id));
    event.correlation_id = fields.text(&["CorrelationId"]);
    event.device.id = fields.text(&["EntraIdDeviceId", "AadDeviceId"]);
    event.device.name = fields.text(&["DeviceName"]);
    event.device.os = fields.text(&["OSPlatform"]);
    event.device.browser = fields.text(&["Browser"]);
    event.device.trust = fields.text(&["DeviceTrustType"]);
    let flag = |name: &str| {
        fields
            .text(&[name])
            .map(|text| text == "1" || text.eq_ignore_ascii_case("true"))
    };
    event.device.managed = match (flag("IsManaged"), flag("IsCompliant")) {
        (None, None) => None,
        (managed, compliant) => Some(managed == Some(true) || compliant == Some(true)),
    };
    // `["nonInteractiveUser"]`, as text or as a list.
    let kind = fields
        .value(&["LogonType"])
        .map(any_text)
        .unwrap_or_default()
        .to_ascii_lowercase();
    let application = fields.text(&["AccountUpn"]).is_none()
        && fields
            .text(&["ServicePrincipalId", "ServicePrincipalName"])
            .is_some();
    event.interactive = if kind.contains("noninteractive") || application {
        Some(false)
    } else if kind.contains("interactive") {
        Some(true)
    } else {
        None
    };
    let code = fields.text(&["ErrorCode"]);
    event.outcome = match code.as_deref() {
        Some("0") => Outcome::Success,
        Some("50140") | None => Outcome::Unknown,
        Some(_) => Outcome::Failure,
    };
    event.error_code = code.filter(|code| code != "0");
    event.mfa = match fields.text(&["AuthenticationRequirement"]).as_deref() {
        Some("singleFactorAuthentication") => Mfa::NotRequired,
        Some("multiFactorAuthentication") if event.outcome == Outcome::Failure => Mfa::Missing,
        Some("multiFactorAuthentication") if event.interactive == Some(false) => Mfa::Claim,
        Some("multiFactorAuthentication") if event.outcome == Outcome::Success => Mfa::Given,
        _ => Mfa::Unknown,
    };
    event.conditional_access =
        fields
            .text(&["ConditionalAccessStatus"])
            .map(|text| match text.as_str() {
                "0" => "success".to_owned(),
                "1" => "failure".to_owned(),
                "2" => "notApplied".to_owned(),
                _ => text,
            });
    event.risk = fields
        .text(&["RiskLevelDuringSignIn", "RiskLevelAggregated"])
        .map(|text| match text.as_str() {
            "0" | "1" => "none".to_owned(),
            "10" => "low".to_owned(),
            "50" => "medium".to_owned(),
            "100" => "high".to_owned(),
            _ => text,
        })
        .filter(|level| level != "none" && level != "hidden");
    Ok(event)
}
