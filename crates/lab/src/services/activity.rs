//! The Management Activity API (reference §7.2): subscriptions, lists of content,
//! and the content itself.

use jiff::{SignedDuration, Timestamp};
use retake_playbook::ObjectKind;
use serde_json::{Value, json};

use super::graph::{bearer_app, caller};
use super::{Answer, Ask, Served};
use crate::trace::Service;
use crate::unconfirmed::ACTIVITY_DENIED;
use crate::world::{Resource, UnifiedRecord, World};

/// The kinds of content.
const CONTENT: [&str; 5] = [
    "Audit.AzureActiveDirectory",
    "Audit.Exchange",
    "Audit.SharePoint",
    "Audit.General",
    "DLP.All",
];
/// The longest window.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);
/// How far back a window may begin.
const REACH: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How soon after the start of a subscription the first content is there, and how
/// far it is then filled back (measured, reference §7.2).
const FIRST: SignedDuration = SignedDuration::from_mins(2);
const BACK: SignedDuration = SignedDuration::from_hours(22);
/// How long content is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(20 * 24);
/// Records of this many seconds are one piece of content.
const PIECE: i64 = 60;
/// Pieces on a page of the list.
const PAGE: usize = 10;

/// Answers a request to `/api/v1.0/{tenant}/activity/feed/…`.
pub(super) fn serve(ask: &mut Ask<'_>) -> Served {
    let app_id = bearer_app(ask);
    let tenant = ask.world.tenant.id.clone();
    let answer = answer(ask)
        .unwrap_or_else(|refusal| refusal)
        .about(ObjectKind::Tenant, tenant);
    Served {
        service: Service::Activity,
        answer,
        app_id,
    }
}

fn refuse(code: &str, message: &str) -> Answer {
    Answer::activity_error(400, code, message)
}

fn answer(ask: &mut Ask<'_>) -> Result<Answer, Answer> {
    let path = ask.path().trim_matches('/').to_owned();
    let words: Vec<&str> = path.split('/').collect();
    let ["api", "v1.0", tenant, "activity", "feed", rest @ ..] = words.as_slice() else {
        return Err(Answer::activity_error(
            404,
            "AF50000",
            "An internal error occurred. Retry the request.",
        ));
    };
    let caller = caller(ask, Resource::Management)?;
    if !caller.has(&["ActivityFeed.Read"]) {
        let status = match ask.world.unconfirmed.variant(&ACTIVITY_DENIED) {
            "401" => 401,
            _ => 403,
        };
        return Err(Answer::activity_error(
            status,
            "AF10001",
            "The permission set sent in the request did not include the expected permission ActivityFeed.Read.",
        ));
    }
    if !tenant.eq_ignore_ascii_case(&ask.world.tenant.id) {
        return Err(refuse(
            "AF20010",
            &format!(
                "The tenant ID passed in the URL ({tenant}) does not match the tenant ID passed in the access token."
            ),
        ));
    }
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(ask.request.uri().query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
    let parameter = |name: &str| {
        query
            .iter()
            .find(|(held, _)| held.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    };
    let kind = || -> Result<&'static str, Answer> {
        let asked = parameter("contentType")
            .ok_or_else(|| refuse("AF20001", "Missing parameter: contentType."))?;
        CONTENT
            .into_iter()
            .find(|kind| kind.eq_ignore_ascii_case(asked))
            .ok_or_else(|| refuse("AF20020", "The specified content type is not valid."))
    };
    let method = ask.request.method().as_str().to_owned();
    match (method.as_str(), rest) {
        ("POST", ["subscriptions", "start"]) => start(ask, kind()?),
        ("POST", ["subscriptions", "stop"]) => {
            let kind = kind()?;
            subscribed(ask.world, kind)?;
            ask.world.subscriptions.remove(kind);
            Ok(Answer::no_content())
        }
        ("GET", ["subscriptions", "list"]) => {
            let list: Vec<Value> = ask
                .world
                .subscriptions
                .keys()
                .map(|kind| subscription(kind))
                .collect();
            Ok(Answer::json(200, Value::Array(list)))
        }
        ("GET", ["subscriptions", "content"]) => {
            let kind = kind()?;
            let window = window(ask.now, parameter("startTime"), parameter("endTime"))?;
            let page = match parameter("nextPage") {
                None => 0,
                Some(text) => text
                    .parse::<usize>()
                    .map_err(|_| refuse("AF20031", "Invalid nextPage Input."))?,
            };
            content(ask, kind, window, page)
        }
        ("GET", ["audit", id]) => piece(ask, id),
        _ => Err(Answer::activity_error(
            404,
            "AF50000",
            "An internal error occurred. Retry the request.",
        )),
    }
}

fn subscription(kind: &str) -> Value {
    json!({"contentType": kind, "status": "enabled", "webhook": null})
}

fn subscribed(world: &World, kind: &str) -> Result<Timestamp, Answer> {
    world.subscriptions.get(kind).copied().ok_or_else(|| {
        refuse(
            "AF20022",
            "No subscription found for the specified content type.",
        )
    })
}

/// Starting an active subscription again is an error that means success.
fn start(ask: &mut Ask<'_>, kind: &'static str) -> Result<Answer, Answer> {
    if !ask.world.tenant.audit_on {
        return Err(refuse(
            "AF20023",
            "The subscription was disabled by a tenant admin.",
        ));
    }
    if ask.world.subscriptions.contains_key(kind) {
        return Err(refuse("AF20024", "The subscription is already enabled."));
    }
    ask.world.subscriptions.insert(kind.to_owned(), ask.now);
    Ok(Answer::json(200, subscription(kind)).effect(json!({"kind": "created"})))
}

/// Both ends or none; without them the last 24 hours.
fn window(
    now: Timestamp,
    start: Option<&str>,
    end: Option<&str>,
) -> Result<(Timestamp, Timestamp), Answer> {
    let wrong = |code: &str| {
        refuse(
            code,
            "Start time and end time must both be specified (or both omitted) and must be less than or equal to 24 hours apart, with the start time no more than 7 days in the past.",
        )
    };
    let time = |text: &str| {
        text.parse::<Timestamp>()
            .or_else(|_| format!("{text}Z").parse())
            .or_else(|_| format!("{text}:00Z").parse())
            .map_err(|_| wrong("AF20030"))
    };
    let (start, end) = match (start, end) {
        (None, None) => return Ok((now.checked_sub(WINDOW).unwrap_or(now), now)),
        (Some(start), Some(end)) => (time(start)?, time(end)?),
        _ => return Err(wrong("AF20030")),
    };
    let length = end.duration_since(start);
    if length > WINDOW || length.is_negative() || now.duration_since(start) > REACH {
        return Err(wrong("AF20055"));
    }
    Ok((start, end))
}

/// A piece of content: when it became available, and which records are in it.
struct Piece {
    id: String,
    created: Timestamp,
    records: Vec<usize>,
}

/// When a record is available as content of a subscription begun at `begun`; what
/// was there before is filled back for some hours only.
fn available(record: &UnifiedRecord, begun: Timestamp) -> Option<Timestamp> {
    let first = begun.checked_add(FIRST).unwrap_or(begun);
    if record.visible_at > first {
        return Some(record.visible_at);
    }
    (begun.duration_since(record.visible_at) <= BACK).then_some(first)
}

fn belongs(record: &UnifiedRecord, kind: &str) -> bool {
    match record.workload.as_str() {
        "AzureActiveDirectory" => kind == "Audit.AzureActiveDirectory",
        "Exchange" => kind == "Audit.Exchange",
        _ => kind == "Audit.General",
    }
}

/// Everything that is available by `now`, in pieces. Each repeats the last record
/// of the one before, as pieces may.
fn pieces(world: &World, kind: &str, begun: Timestamp, now: Timestamp) -> Vec<Piece> {
    let mut slots: std::collections::BTreeMap<i64, Vec<usize>> = std::collections::BTreeMap::new();
    for (index, record) in world.logs.unified.iter().enumerate() {
        if belongs(record, kind)
            && let Some(at) = available(record, begun)
        {
            let slot = at.as_second().div_euclid(PIECE);
            slots.entry(slot).or_default().push(index);
        }
    }
    let mut last = None;
    slots
        .into_iter()
        // A piece is whole before it is listed.
        .filter(|(slot, _)| (slot + 1) * PIECE <= now.as_second())
        .map(|(slot, mut records)| {
            let created = Timestamp::from_second((slot + 1) * PIECE).unwrap_or(now);
            let order = world.order(kind, &format!("activity {slot}"), records.len());
            records = order
                .into_iter()
                .filter_map(|at| records.get(at).copied())
                .collect();
            let again = last.replace(records.last().copied());
            records.extend(again.flatten());
            Piece {
                id: format!(
                    "{}${}${}",
                    slot * PIECE,
                    kind.to_lowercase().replace('.', "_"),
                    kind.replace('.', "_")
                ),
                created,
                records,
            }
        })
        .collect()
}

fn content(
    ask: &Ask<'_>,
    kind: &'static str,
    (start, end): (Timestamp, Timestamp),
    page: usize,
) -> Result<Answer, Answer> {
    let begun = subscribed(ask.world, kind)?;
    // By the time at which it became available, not by that of the events.
    let found: Vec<Piece> = pieces(ask.world, kind, begun, ask.now)
        .into_iter()
        .filter(|piece| piece.created >= start && piece.created < end)
        .collect();
    let base = format!(
        "https://manage.office.com/api/v1.0/{}/activity/feed",
        ask.world.tenant.id
    );
    let order = ask.world.order(kind, "activity list", found.len());
    let list: Vec<Value> = order
        .iter()
        .filter_map(|at| found.get(*at))
        .skip(page * PAGE)
        .take(PAGE)
        .map(|piece| {
            json!({
                "contentType": kind,
                "contentId": piece.id,
                "contentUri": format!("{base}/audit/{}", piece.id),
                "contentCreated": stamp(piece.created),
                "contentExpiration": stamp(piece.created.checked_add(KEPT).unwrap_or(piece.created)),
            })
        })
        .collect();
    let answer = Answer::json(200, Value::Array(list));
    if (page + 1) * PAGE < found.len() {
        let at = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        return Ok(answer.header(
            "nextpageuri",
            format!(
                "{base}/subscriptions/content?contentType={kind}&startTime={}&endTime={}&nextPage={}",
                at(start),
                at(end),
                page + 1
            ),
        ));
    }
    Ok(answer)
}

fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

fn piece(ask: &Ask<'_>, id: &str) -> Result<Answer, Answer> {
    let bad = || refuse("AF20052", "Content ID in the request is not valid.");
    let id = super::odata::decode(id);
    let mut parts = id.split('$');
    let (slot, _, name) = (
        parts.next().and_then(|slot| slot.parse::<i64>().ok()),
        parts.next(),
        parts.next(),
    );
    let kind = CONTENT
        .into_iter()
        .find(|kind| Some(kind.replace('.', "_").as_str()) == name)
        .ok_or_else(bad)?;
    let slot = slot.ok_or_else(bad)?;
    let begun = subscribed(ask.world, kind)?;
    let created = Timestamp::from_second(slot).map_err(|_| bad())?;
    if ask.now.duration_since(created) > KEPT {
        return Err(refuse("AF20051", "Content requested has already expired."));
    }
    let piece = pieces(ask.world, kind, begun, ask.now)
        .into_iter()
        .find(|piece| piece.id == id)
        .ok_or_else(|| refuse("AF20050", "The specified content does not exist."))?;
    let records: Vec<Value> = piece
        .records
        .iter()
        .filter_map(|at| ask.world.logs.unified.get(*at))
        .map(|record| Value::Object(record.data.clone()))
        .collect();
    Ok(Answer::json(200, Value::Array(records)))
}
