//! Message trace over Graph (reference §7.5).

use jiff::{SignedDuration, Timestamp};
use retake_playbook::ObjectKind;
use serde_json::json;

use super::{Answer, Call, Limit, Outcome, not_allowed, not_found};
use crate::services::odata::parse_filter;

/// `/admin/exchange/tracing/messageTraces`.
pub(super) fn serve(call: &mut Call<'_, '_>, method: &str, rest: &[&str]) -> Outcome {
    if method != "GET" {
        return Err(not_allowed());
    }
    if !rest.is_empty() {
        return Err(not_found());
    }
    call.meter(Limit::MessageTrace)?;
    call.need(&["ExchangeMessageTrace.Read.All"])?;
    let refuse = |text: &str| Answer::bad_request(text);
    if call.query.select.is_some() || call.query.order_by.is_some() {
        return Err(refuse("Only $filter, $top and $skiptoken are supported."));
    }
    let filter = match &call.query.filter {
        Some(text) => parse_filter(text)?,
        None => Vec::new(),
    };
    let now = call.ask.now;
    let before = |span| {
        now.checked_sub(SignedDuration::from_hours(span))
            .unwrap_or(now)
    };
    let bound = |sign: char| {
        filter
            .iter()
            .flatten()
            .find(|clause| clause.path == "receivedDateTime" && clause.op.starts_with(sign))
            .and_then(|clause| clause.value.parse::<Timestamp>().ok())
    };
    let from = bound('g').unwrap_or_else(|| before(48));
    let until = bound('l').unwrap_or(now);
    if until.duration_since(from) > SignedDuration::from_hours(240) {
        return Err(refuse("The time range cannot be larger than 10 days."));
    }
    if from < before(91 * 24) {
        return Err(refuse("The start date cannot be older than 90 days."));
    }
    let mut found = Vec::new();
    for line in &call.ask.world.logs.message_trace {
        if line.visible_at > now || line.received < from || line.received > until {
            continue;
        }
        let mut all = true;
        for clause in filter.iter().flatten() {
            all &= match clause.path.as_str() {
                "receivedDateTime" => clause.time(line.received).unwrap_or(false),
                "senderAddress" => clause.text(&line.sender),
                "recipientAddress" => clause.text(&line.recipient),
                "messageId" => clause.text(&line.message_id),
                "subject" => clause.text(&line.subject),
                "status" => clause.text(&line.status),
                "fromIP" => clause.text(&line.from_ip),
                "id" => clause.text(&line.id),
                _ => return Err(refuse("The filter is not supported.")),
            };
        }
        if all {
            found.push(line);
        }
    }
    found.sort_by(|a, b| (b.received, &b.id).cmp(&(a.received, &a.id)));
    let items = found
        .iter()
        .map(|line| {
            json!({
                "id": line.id,
                "messageId": line.message_id,
                "receivedDateTime": line.received,
                "senderAddress": line.sender,
                "recipientAddress": line.recipient,
                "subject": line.subject,
                "size": line.size,
                "fromIP": line.from_ip,
                "toIP": line.to_ip,
                "status": line.status,
            })
        })
        .collect();
    let sender = filter
        .iter()
        .flatten()
        .find(|clause| ["senderAddress", "recipientAddress"].contains(&clause.path.as_str()))
        .and_then(|clause| call.ask.world.user_id(&clause.value));
    let answer = call.page("admin/exchange/tracing/messageTraces", (1000, 5000), items);
    Ok(match sender {
        Some(user) => answer.about(ObjectKind::Mailbox, user),
        None => answer.about(ObjectKind::Tenant, call.ask.world.tenant.id.clone()),
    })
}
