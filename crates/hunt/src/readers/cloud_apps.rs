//! Defender for Cloud Apps: its activities as the portal's API gives them, and
//! the rows of `CloudAppEvents` that hold no audit record.

use jiff::Timestamp;

use super::fields::{Fields, any_text, at, text_at};
use crate::event::{Event, Outcome, Source, Target};
use crate::{address, moment};

/// The event of one activity of the API.
pub(super) fn activity(fields: Fields<'_>, original: &str) -> Result<Event, String> {
    let time = fields
        .text(&["timestamp", "instantiation", "created"])
        .ok_or("an activity without a time")?;
    let time = time
        .parse::<i64>()
        .ok()
        .and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok())
        .and_then(|time| moment::parse(&time.to_string()))
        .or_else(|| moment::parse(&time))
        .ok_or("the time cannot be read")?;
    let operation = fields
        .text(&[
            "eventActionType",
            "eventTypeValue",
            "actionType",
            "eventTypeName",
        ])
        .ok_or("an activity without a type")?;
    let mut event = Event::new(Source::CloudApps, time, &operation, original);
    event.record_id = fields.text(&["_id", "uid", "id"]).unwrap_or_default();
    event.tenant_id = fields.text(&["aadTenantId"]);
    event.app_name = fields.text(&["appName"]);
    event.workload = fields.text(&["appName"]);
    event.record_type = fields.text(&["eventTypeName"]);
    event.reason = fields.text(&["description"]);
    if let Some(user) = fields.nested(&["user"]) {
        event.user = text_at(&user, "userName").map(|text| text.to_lowercase());
    }
    if let Some(actor) = fields.nested(&["resolvedActor"]) {
        event.user_id = text_at(&actor, "id");
    }
    if let Some(device) = fields.nested(&["device"]) {
        event.address = text_at(&device, "clientIP").and_then(|text| address::parse(&text));
        event.user_agent = text_at(&device, "userAgent").filter(|text| text != "unknown");
        event.place.country = text_at(&device, "countryCode");
    }
    if let Some(session) = fields.nested(&["session"]) {
        event.service_session_id = text_at(&session, "sessionId");
    }
    if let Some(location) = fields.nested(&["location"]) {
        event.place.city = text_at(&location, "city");
        event.place.country = text_at(&location, "countryCode").or(event.place.country.take());
        let degree = |name: &str| at(&location, name).and_then(serde_json::Value::as_f64);
        event.place.coordinates = degree("latitude").zip(degree("longitude"));
    }
    if let Some(main) = fields.nested(&["mainInfo"])
        && let Some(objects) = at(&main, "eventObjects").and_then(|value| value.as_array())
    {
        for object in objects {
            event.targets.push(Target {
                id: text_at(object, "id"),
                name: text_at(object, "name"),
                upn: None,
                kind: text_at(object, "objType"),
            });
        }
    }
    Ok(event)
}

/// The event of a `CloudAppEvents` row without an audit record in it.
pub(super) fn table(fields: Fields<'_>, original: &str) -> Result<Event, String> {
    let time = fields
        .text(&["Timestamp", "TimeGenerated", "TimeGenerated [UTC]"])
        .ok_or("an activity without a time")?;
    let time = moment::parse(&time).ok_or("the time cannot be read")?;
    let operation = fields
        .text(&["ActionType"])
        .ok_or("an activity without a type")?;
    let mut event = Event::new(Source::CloudApps, time, &operation, original);
    event.record_id = fields.text(&["ReportId"]).unwrap_or_default();
    event.workload = fields.text(&["Application"]);
    event.app_name = fields.text(&["Application"]);
    event.record_type = fields.text(&["ActivityType"]);
    event.user = fields
        .text(&["AccountUpn"])
        .or_else(|| fields.text(&["AccountId"]).filter(|id| id.contains('@')))
        .map(|text| text.to_lowercase());
    event.user_id = fields.text(&["AccountObjectId"]);
    event.user_type = fields.text(&["AccountType"]);
    event.address = fields
        .text(&["IPAddress"])
        .and_then(|text| address::parse(&text));
    event.place.country = fields.text(&["CountryCode"]);
    event.place.city = fields.text(&["City"]);
    event.user_agent = fields.text(&["UserAgent"]);
    event.device.os = fields.text(&["OSPlatform"]);
    event.object = fields.text(&["ObjectName", "ObjectId"]);
    event.outcome = Outcome::Unknown;
    if let Some(objects) = fields.nested(&["ActivityObjects"]) {
        for object in objects.as_array().into_iter().flatten() {
            event.targets.push(Target {
                id: text_at(object, "Id"),
                name: text_at(object, "Name"),
                upn: None,
                kind: text_at(object, "Type"),
            });
        }
    }
    for name in [
        "IPCategory",
        "IPTags",
        "UserAgentTags",
        "IsAnonymousProxy",
        "ISP",
    ] {
        if let Some(value) = fields.value(&[name]) {
            event.parameters.insert(name.to_owned(), any_text(value));
        }
    }
    Ok(event)
}
