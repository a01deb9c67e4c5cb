//! Message trace rows: Graph, the V2 cmdlet, the portal's CSV (reference §7.5).

use super::fields::Fields;
use crate::event::{Event, Outcome, Source};
use crate::{address, moment};

/// The event of one row: one message to one recipient.
pub(super) fn event(fields: Fields<'_>, original: &str) -> Result<Event, String> {
    let time = fields
        .text(&[
            "receivedDateTime",
            "Received",
            "Received (UTC)",
            "origin_timestamp_utc",
            "date_time_utc",
        ])
        .ok_or("a message trace row without a time")?;
    let time = moment::parse(&time).ok_or("the time cannot be read")?;
    let mut event = Event::new(Source::MessageTrace, time, "Message trace", original);
    let recipient = fields
        .text(&["recipientAddress", "recipient_address", "recipient_status"])
        .map(|text| text.to_lowercase());
    // A message has one trace id and a row per recipient: both make the
    // record's id.
    event.record_id = fields
        .text(&[
            "id",
            "MessageTraceId",
            "message_trace_id",
            "network_message_id",
        ])
        .map(|id| format!("{id}/{}", recipient.as_deref().unwrap_or_default()))
        .unwrap_or_default();
    event.recipients = recipient
        .iter()
        .flat_map(|text| text.split(';'))
        // The portal's column holds `address##status`.
        .filter_map(|part| part.split("##").next())
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect();
    event.sender = fields
        .text(&["senderAddress", "sender_address"])
        .map(|text| text.to_lowercase());
    event
        .message_ids
        .extend(fields.text(&["messageId", "message_id"]));
    event.subject = fields.text(&["subject", "message_subject"]);
    event.address = fields
        .text(&["fromIP", "original_client_ip", "client_ip"])
        .and_then(|text| address::parse(&text));
    event.reason = fields.text(&["status"]);
    event.outcome = match event
        .reason
        .as_deref()
        .map(str::to_ascii_lowercase)
        .as_deref()
    {
        Some("delivered" | "expanded") => Outcome::Success,
        Some("failed" | "quarantined" | "filteredasspam" | "expired") => Outcome::Failure,
        _ => Outcome::Unknown,
    };
    Ok(event)
}
