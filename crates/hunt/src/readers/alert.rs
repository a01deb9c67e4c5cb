//! Security alerts of Microsoft's own products as Graph gives them
//! (`/security/alerts_v2`).

use super::fields::{Fields, at, text_at};
use crate::event::{Event, Outcome, Source, Target};
use crate::{address, moment};

/// The event of one alert, at the time of the first act that it is about.
pub(super) fn event(fields: Fields<'_>, original: &str) -> Result<Event, String> {
    let time = fields
        .text(&["firstActivityDateTime", "createdDateTime"])
        .ok_or("an alert without a time")?;
    let time = moment::parse(&time).ok_or("the time cannot be read")?;
    let mut event = Event::new(Source::SecurityAlerts, time, "Security alert", original);
    event.record_id = fields.text(&["id"]).unwrap_or_default();
    event.tenant_id = fields.text(&["tenantId"]);
    event.workload = fields.text(&["serviceSource"]);
    event.record_type = fields.text(&["category"]);
    event.reason = fields.text(&["title"]);
    event.outcome = Outcome::Unknown;
    event.risk = fields
        .text(&["severity"])
        .map(|severity| severity.to_ascii_lowercase())
        .filter(|severity| severity != "informational" && severity != "unknown");
    for name in [
        "title",
        "severity",
        "status",
        "category",
        "serviceSource",
        "detectionSource",
        "classification",
        "determination",
    ] {
        if let Some(value) = fields.text(&[name]) {
            event.parameters.insert(name.to_owned(), value);
        }
    }
    let evidence = fields.nested(&["evidence"]);
    let items = evidence.as_deref().and_then(|value| value.as_array());
    for item in items.into_iter().flatten() {
        if let Some(account) = at(item, "userAccount") {
            let upn = text_at(account, "userPrincipalName").map(|upn| upn.to_lowercase());
            event.user = event.user.take().or_else(|| upn.clone());
            event.user_id = event
                .user_id
                .take()
                .or_else(|| text_at(account, "azureAdUserId"));
            event.targets.push(Target {
                id: text_at(account, "azureAdUserId"),
                name: text_at(account, "displayName"),
                upn,
                kind: Some("User".to_owned()),
            });
        }
        if event.address.is_none() {
            event.address = text_at(item, "ipAddress").and_then(|text| address::parse(&text));
        }
    }
    Ok(event)
}
