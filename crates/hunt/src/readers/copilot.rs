//! Copilot's history of questions and answers as Graph gives it
//! (`aiInteraction`). What the audit log says of Copilot is an audit record.

use super::fields::{Fields, any_text, at, text_at};
use crate::event::{Event, Source, Target};
use crate::moment;

/// The event of one question or answer.
pub(super) fn event(fields: Fields<'_>, original: &str) -> Result<Event, String> {
    let time = fields
        .text(&["createdDateTime"])
        .ok_or("an interaction without a time")?;
    let time = moment::parse(&time).ok_or("the time cannot be read")?;
    let kind = fields
        .text(&["interactionType"])
        .unwrap_or_else(|| "interaction".to_owned());
    let mut event = Event::new(Source::Copilot, time, &format!("Copilot {kind}"), original);
    event.record_id = fields.text(&["id"]).unwrap_or_default();
    event.workload = Some("Copilot".to_owned());
    event.record_type = fields.text(&["conversationType"]);
    event.app_name = fields.text(&["appClass"]);
    event.service_session_id = fields.text(&["sessionId"]);
    event.correlation_id = fields.text(&["requestId"]);
    if let Some(from) = fields.nested(&["from"]) {
        if let Some(user) = at(&from, "user") {
            event.user_id = text_at(user, "id");
            event.user = text_at(user, "userPrincipalName").map(|text| text.to_lowercase());
        } else if let Some(app) = at(&from, "application") {
            event.app_id = text_at(app, "id");
        }
    }
    if let Some(body) = fields.nested(&["body"])
        && let Some(text) = at(&body, "content")
    {
        event
            .parameters
            .insert("content".to_owned(), any_text(text));
    }
    for name in ["contexts", "attachments", "links"] {
        if let Some(list) = fields.nested(&[name]) {
            for item in list.as_array().into_iter().flatten() {
                event.targets.push(Target {
                    id: text_at(item, "contextReference")
                        .or_else(|| text_at(item, "contentUrl"))
                        .or_else(|| text_at(item, "linkUrl")),
                    name: text_at(item, "displayName").or_else(|| text_at(item, "name")),
                    upn: None,
                    kind: Some(name.to_owned()),
                });
            }
        }
    }
    Ok(event)
}
