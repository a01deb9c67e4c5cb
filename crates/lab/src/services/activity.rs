//! The Management Activity API: subscriptions, and blobs of audit records by
//! the hour in which they became available (reference §7.2).

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::answer::{Answer, Body};
use super::graph::{bearer_app, caller};
use super::throttle::Limit;
use super::{Ask, Served};
use crate::trace::Service;
use crate::world::{Resource, UnifiedRecord};

/// The kinds of content.
const CONTENT_TYPES: [&str; 5] = [
    "Audit.AzureActiveDirectory",
    "Audit.Exchange",
    "Audit.SharePoint",
    "Audit.General",
    "DLP.All",
];
/// Blobs on a page of the list.
const PAGE: usize = 3;
/// How long a blob covers, in seconds.
const BLOB: i64 = 3600;

/// Answers a request to `/api/…`.
pub(super) fn serve(ask: &mut Ask<'_>) -> Served {
    let app_id = bearer_app(ask);
    let answer = answer(ask).unwrap_or_else(|refusal| refusal);
    Served {
        service: Service::Activity,
        answer,
        app_id,
    }
}

fn answer(ask: &mut Ask<'_>) -> Result<Answer, Answer> {
    let path = ask.path().trim_matches('/').to_owned();
    let words: Vec<&str> = path.split('/').collect();
    let ["api", "v1.0", tenant, "activity", "feed", rest @ ..] = words.as_slice() else {
        return Err(error(404, "AF50000", "Nothing is at this address."));
    };
    let caller = caller(ask, Resource::Management)
        .map_err(|_| error(401, "AF10001", "The token is missing or not valid."))?;
    // A token can only be this tenant's.
    if !tenant.eq_ignore_ascii_case(&ask.world.tenant.id) {
        return Err(error(
            400,
            "AF20010",
            "The tenant ID passed in the URL does not match the tenant ID passed in the access token.",
        ));
    }
    if !caller.has(&["ActivityFeed.Read"]) {
        return Err(error(
            403,
            "AF10001",
            "The permission set sent in the request did not include the expected permission ActivityFeed.Read.",
        ));
    }
    let (now, world) = (ask.now, &mut *ask.world);
    let key = world.tenant.id.clone();
    if let Some(refusal) = world
        .meter
        .count(Limit::Activity, &key, now, &world.unconfirmed)
    {
        return Err(refusal);
    }
    match (ask.request.method().as_str(), rest) {
        ("POST", ["subscriptions", "start"]) => start(ask),
        ("POST", ["subscriptions", "stop"]) => {
            let kind = content_type(ask)?;
            ask.world
                .feeds
                .remove(kind)
                .map(|_| Answer::no_content())
                .ok_or_else(|| not_subscribed(kind))
        }
        ("GET", ["subscriptions", "list"]) => {
            let list: Vec<Value> = ask
                .world
                .feeds
                .keys()
                .map(|kind| json!({"contentType": kind, "status": "enabled", "webhook": null}))
                .collect();
            Ok(Answer::json(200, Value::Array(list)))
        }
        ("GET", ["subscriptions", "content"]) => content(ask, tenant),
        ("GET", ["audit", id]) => blob(ask, id),
        _ => Err(error(405, "AF50000", "The method is not allowed here.")),
    }
}

fn start(ask: &mut Ask<'_>) -> Result<Answer, Answer> {
    let kind = content_type(ask)?;
    if !ask.world.tenant.audit_on {
        return Err(error(
            400,
            "AF20023",
            "The subscription was disabled by an administrator.",
        ));
    }
    if ask.world.feeds.contains_key(kind) {
        return Err(error(
            400,
            "AF20024",
            "The subscription is already enabled. No property change.",
        ));
    }
    ask.world.feeds.insert(kind.to_owned(), ask.now);
    Ok(Answer::json(
        200,
        json!({"contentType": kind, "status": "enabled", "webhook": null}),
    ))
}

fn parameter(ask: &Ask<'_>, wanted: &str) -> Option<String> {
    url::form_urlencoded::parse(ask.request.uri().query().unwrap_or_default().as_bytes())
        .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
        .map(|(_, value)| value.into_owned())
}

fn content_type(ask: &Ask<'_>) -> Result<&'static str, Answer> {
    let given = parameter(ask, "contentType")
        .ok_or_else(|| error(400, "AF20001", "Missing parameter: contentType."))?;
    CONTENT_TYPES
        .into_iter()
        .find(|kind| kind.eq_ignore_ascii_case(&given))
        .ok_or_else(|| error(400, "AF20020", "The specified content type is not valid."))
}

fn not_subscribed(kind: &str) -> Answer {
    error(
        400,
        "AF20022",
        &format!("No subscription found for the specified content type {kind}."),
    )
}

/// The kind under which a record is found.
fn kind_of(record: &UnifiedRecord) -> &'static str {
    match record.workload.as_str() {
        "AzureActiveDirectory" => "Audit.AzureActiveDirectory",
        "Exchange" => "Audit.Exchange",
        "SharePoint" | "OneDrive" => "Audit.SharePoint",
        _ => "Audit.General",
    }
}

/// The records of a kind by the end of the hour in which they became available;
/// an hour that is not over has no blob yet.
fn blobs<'w>(ask: &'w Ask<'_>, kind: &str) -> BTreeMap<i64, Vec<&'w UnifiedRecord>> {
    let mut blobs: BTreeMap<i64, Vec<&UnifiedRecord>> = BTreeMap::new();
    for record in &ask.world.logs.unified {
        let end = (record.visible_at.as_second().div_euclid(BLOB) + 1) * BLOB;
        if kind_of(record) == kind && end <= ask.now.as_second() {
            blobs.entry(end).or_default().push(record);
        }
    }
    blobs
}

/// The blobs of a window; the start is inside, the end is not.
fn content(ask: &Ask<'_>, tenant: &str) -> Result<Answer, Answer> {
    let kind = content_type(ask)?;
    if !ask.world.feeds.contains_key(kind) {
        return Err(not_subscribed(kind));
    }
    let time = |name: &str| {
        parameter(ask, name)
            .map(|text| {
                let zoned = if text.ends_with('Z') {
                    text
                } else {
                    format!("{text}Z")
                };
                zoned
                    .parse::<Timestamp>()
                    .map_err(|_| error(400, "AF20002", &format!("Invalid parameter type: {name}.")))
            })
            .transpose()
    };
    let day = SignedDuration::from_hours(24);
    let (from, to) = match (time("startTime")?, time("endTime")?) {
        (None, None) => (ask.now.checked_sub(day).unwrap_or(ask.now), ask.now),
        (Some(from), Some(to)) => (from, to),
        _ => return Err(window()),
    };
    if to <= from
        || to.duration_since(from) > day
        || ask.now.duration_since(from) > SignedDuration::from_hours(7 * 24)
    {
        return Err(window());
    }
    let skip: usize = match parameter(ask, "nextPage") {
        None => 0,
        Some(text) => text
            .parse()
            .map_err(|_| error(400, "AF20031", "Invalid nextPage input."))?,
    };
    let base = super::token::base_of(ask);
    let feed = format!("{base}/api/v1.0/{tenant}/activity/feed");
    // Not in order: whoever relies on one is found out.
    let all: Vec<Value> = blobs(ask, kind)
        .into_keys()
        .rev()
        .filter(|end| (from.as_second()..to.as_second()).contains(end))
        .map(|end| {
            let id = format!("{}${end}", kind.replace('.', "_").to_lowercase());
            json!({
                "contentType": kind,
                "contentId": id,
                "contentUri": format!("{feed}/audit/{id}"),
                "contentCreated": stamp(end),
                "contentExpiration": stamp(end + 7 * 24 * 3600),
            })
        })
        .collect();
    let page: Vec<Value> = all.iter().skip(skip).take(PAGE).cloned().collect();
    let next = skip + page.len();
    let mut answer = Answer::json(200, Value::Array(page));
    if next < all.len() {
        let link = format!(
            "{feed}/subscriptions/content?contentType={kind}&startTime={}&endTime={}&nextPage={next}",
            stamp(from.as_second()),
            stamp(to.as_second())
        );
        answer = answer.header("nextpageuri", link);
    }
    Ok(answer)
}

fn window() -> Answer {
    error(
        400,
        "AF20030",
        "Start time and end time must both be specified (or both omitted) and must be less than or equal to 24 hours apart, with the start time no more than 7 days in the past.",
    )
}

fn blob(ask: &Ask<'_>, id: &str) -> Result<Answer, Answer> {
    let bad = || error(400, "AF20052", "The content id in the URL is not valid.");
    let id = super::odata::decode(id);
    let (kind, end) = id.split_once('$').ok_or_else(bad)?;
    let kind = CONTENT_TYPES
        .into_iter()
        .find(|held| held.replace('.', "_").eq_ignore_ascii_case(kind))
        .ok_or_else(bad)?;
    let end: i64 = end.parse().map_err(|_| bad())?;
    if ask.now.as_second() - end > 7 * 24 * 3600 {
        return Err(error(
            400,
            "AF20051",
            "Content requested has already expired.",
        ));
    }
    let held = blobs(ask, kind);
    let records = held
        .get(&end)
        .ok_or_else(|| error(404, "AF20050", "The specified content does not exist."))?;
    let mut list: Vec<Value> = records
        .iter()
        .rev()
        .map(|record| Value::Object(record.data.clone()))
        .collect();
    // Blobs may repeat events: the last one of the blob before comes again.
    if let Some(again) = held
        .range(..end)
        .next_back()
        .and_then(|(_, records)| records.last())
    {
        list.push(Value::Object(again.data.clone()));
    }
    let mut answer = Answer::no_content();
    answer.status = 200;
    answer.body = Body::Json(Value::Array(list));
    Ok(answer)
}

fn stamp(second: i64) -> String {
    Timestamp::from_second(second)
        .map(|at| at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string())
        .unwrap_or_default()
}

fn error(status: u16, code: &str, message: &str) -> Answer {
    Answer::activity_error(status, code, message)
}
