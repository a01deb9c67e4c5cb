//! Searches of the unified audit log: created, waited for, read in pages
//! (reference §7.2).

use jiff::{SignedDuration, Timestamp};
use retake_playbook::ObjectKind;
use serde_json::{Value, json};

use super::{Answer, Call, Limit, Outcome, not_allowed, not_found};
use crate::unconfirmed::AUDIT_SEARCH_V1;
use crate::world::{AuditQuery, UnifiedRecord, World};

/// `/security/auditLog/queries`.
pub(super) fn serve(call: &mut Call<'_, '_>, method: &str, rest: &[&str]) -> Outcome {
    if !call.beta() && call.ask.world.unconfirmed.variant(&AUDIT_SEARCH_V1) == "absent" {
        return Err(Answer::graph_error(404, "UnknownError", ""));
    }
    call.need(&[
        "AuditLogsQuery.Read.All",
        "AuditLogsQuery-Exchange.Read.All",
        "AuditLogsQuery-Entra.Read.All",
    ])?;
    let tenant = call.ask.world.tenant.id.clone();
    let answer = match (method, rest) {
        ("POST", []) => create(call),
        ("GET", []) => {
            let items = call
                .ask
                .world
                .audit_queries
                .values()
                .map(|query| query_json(query, call.ask.now))
                .collect();
            Ok(call.page("security/auditLog/queries", (100, 999), items))
        }
        ("GET", [id]) => {
            let query = found(call.ask.world, id)?.clone();
            if call.ask.now >= query.done_at && query.found.is_none() {
                finish(call.ask.world, &query);
            }
            let query = found(call.ask.world, id)?;
            Ok(Answer::json(200, query_json(query, call.ask.now)))
        }
        ("GET", [id, "records"]) => records(call, id),
        (_, [] | [_] | [_, "records"]) => Err(not_allowed()),
        _ => Err(not_found()),
    }?;
    Ok(answer.about(ObjectKind::Tenant, tenant))
}

fn found<'w>(world: &'w World, id: &str) -> Result<&'w AuditQuery, Answer> {
    world
        .audit_queries
        .get(id)
        .ok_or_else(|| Answer::graph_error(404, "NotFound", "The audit log query was not found."))
}

fn create(call: &mut Call<'_, '_>) -> Outcome {
    call.meter(Limit::AuditSearch)?;
    let body = call.body()?;
    if !call.ask.world.tenant.audit_on {
        // The message is itself JSON (reference §7.2).
        return Err(Answer::graph_error(
            400,
            "UnknownError",
            &json!({"Status": "AuditingDisabledTenant"}).to_string(),
        ));
    }
    // Dates are taken with and without a zone; without one they are UTC.
    let time = |name: &str| {
        body[name].as_str().and_then(|text| {
            text.parse::<Timestamp>()
                .or_else(|_| format!("{text}Z").parse())
                .ok()
        })
    };
    let invalid = || Answer::graph_error(400, "BadRequest", "Invalid request data");
    let (from, until) = (
        time("filterStartDateTime").ok_or_else(invalid)?,
        time("filterEndDateTime").ok_or_else(invalid)?,
    );
    if until <= from {
        return Err(invalid());
    }
    let list = |name: &str| -> Vec<String> {
        body[name]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|item| item.as_str().map(str::to_lowercase))
            .collect()
    };
    let now = call.ask.now;
    let id = call.ask.world.new_id("audit query");
    let runs_from = call.ask.world.after(
        now,
        "audit query start",
        (SignedDuration::from_secs(10), SignedDuration::from_secs(40)),
    );
    let span = call.ask.world.tenant.audit_query_time;
    let done_at = call.ask.world.after(runs_from, "audit query run", span);
    let query = AuditQuery {
        id: id.clone(),
        display_name: body["displayName"].as_str().unwrap_or_default().to_owned(),
        runs_from,
        done_at,
        from,
        until,
        record_types: list("recordTypeFilters"),
        operations: list("operationFilters"),
        users: list("userPrincipalNameFilters"),
        ips: list("ipAddressFilters"),
        objects: list("objectIdFilters"),
        keyword: body["keywordFilter"]
            .as_str()
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase),
        found: None,
        cut: None,
    };
    let json = query_json(&query, now);
    call.ask.world.audit_queries.insert(id, query);
    Ok(Answer::json(201, json))
}

fn query_json(query: &AuditQuery, now: Timestamp) -> Value {
    let status = if now < query.runs_from {
        "notStarted"
    } else if now < query.done_at {
        "running"
    } else {
        "succeeded"
    };
    let mut json = json!({
        "id": query.id,
        "displayName": query.display_name,
        "filterStartDateTime": query.from,
        "filterEndDateTime": query.until,
        "recordTypeFilters": [],
        "keywordFilter": query.keyword.clone().unwrap_or_default(),
        "operationFilters": query.operations,
        "userPrincipalNameFilters": query.users,
        "ipAddressFilters": query.ips,
        "objectIdFilters": query.objects,
        "administrativeUnitIdFilters": [],
        "status": status,
    });
    // Known when it is over: a search can succeed though it is cut off.
    if let Some(cut) = query.cut {
        json["isRecordCountLimitExceeded"] = json!(cut);
    }
    json
}

/// A page of records. The order is not that of time, and a record may come a
/// second time at the beginning of the next page.
fn records(call: &mut Call<'_, '_>, id: &str) -> Outcome {
    let query = found(call.ask.world, id)?.clone();
    let now = call.ask.now;
    if now < query.done_at {
        return Err(Answer::graph_error(
            400,
            "BadRequest",
            "The audit log query has not finished.",
        ));
    }
    let order = if let Some(order) = &query.found {
        order.clone()
    } else {
        finish(call.ask.world, &query)
    };
    let default = call.ask.world.tenant.audit_page;
    let size = call.query.top.unwrap_or(default).clamp(1, 999);
    let items = order
        .iter()
        .filter_map(|at| call.ask.world.logs.unified.get(*at))
        .map(record_json)
        .collect::<Vec<_>>();
    let total = items.len();
    let mut answer = call.page("security/auditLog/queries/records", (default, 999), items);
    // A count that lies, where the tenant's search does (reference §7.2).
    if call.query.count
        && call.ask.world.tenant.audit_counts_lie
        && let super::super::answer::Body::Json(body) = &mut answer.body
    {
        body["@odata.count"] = json!(0);
    }
    // From the second page on the last record of the page before comes again.
    let again = order
        .get(call.query.skip.wrapping_sub(1))
        .filter(|_| call.query.skip > 0 && call.query.skip < total && size > 1)
        .and_then(|at| call.ask.world.logs.unified.get(*at))
        .map(record_json);
    if let (Some(record), super::super::answer::Body::Json(body)) = (again, &mut answer.body)
        && let Some(list) = body["value"].as_array_mut()
    {
        list.insert(0, record);
    }
    Ok(answer)
}

/// Fixes what an ended search found: no more than the tenant's limit, and whether
/// that cut it off (reference §0.11).
fn finish(world: &mut World, query: &AuditQuery) -> Vec<usize> {
    let mut order = search(world, query);
    let cut = order.len() > world.tenant.audit_limit;
    order.truncate(world.tenant.audit_limit);
    if let Some(held) = world.audit_queries.get_mut(&query.id) {
        held.found = Some(order.clone());
        held.cut = Some(cut);
    }
    order
}

/// What the search finds among what was visible when it ended, shuffled.
fn search(world: &World, query: &AuditQuery) -> Vec<usize> {
    let matching: Vec<usize> = world
        .logs
        .unified
        .iter()
        .enumerate()
        .filter(|(_, record)| {
            record.visible_at <= query.done_at
                && record.at >= query.from
                && record.at < query.until
                && matches(record, query)
        })
        .map(|(at, _)| at)
        .collect();
    let order = world.order(&query.id, "audit pages", matching.len());
    order
        .into_iter()
        .filter_map(|at| matching.get(at).copied())
        .collect()
}

fn matches(record: &UnifiedRecord, query: &AuditQuery) -> bool {
    let any = |list: &[String], value: &str| {
        list.is_empty() || list.iter().any(|wanted| value.to_lowercase() == *wanted)
    };
    any(&query.record_types, &record.record_type)
        && (query.operations.is_empty()
            || query.operations.iter().any(|wanted| {
                // Entra's operations end in a full stop in this log.
                let name = record.operation.to_lowercase();
                name == *wanted || name.trim_end_matches('.') == wanted.trim_end_matches('.')
            }))
        && any(&query.users, &record.user_id)
        && (query.ips.is_empty()
            || query.ips.iter().any(|ip| {
                record.client_ip == *ip || record.client_ip.starts_with(&format!("{ip}:"))
            }))
        && (query.objects.is_empty()
            || query
                .objects
                .iter()
                .any(|object| record.object_id.to_lowercase().contains(object)))
        && query.keyword.as_ref().is_none_or(|word| {
            Value::Object(record.data.clone())
                .to_string()
                .to_lowercase()
                .contains(word)
        })
}

/// A record as the search shows it: the classic user key stands under
/// `userId`, `clientIp` stays null, `auditData` is an object (reference §7.2).
fn record_json(record: &UnifiedRecord) -> Value {
    let mut data = record.data.clone();
    data.insert(
        "@odata.type".into(),
        json!("#microsoft.graph.security.defaultAuditData"),
    );
    if let Some(Value::String(time)) = data.get("CreationTime") {
        let zoned = json!(format!("{time}Z"));
        data.insert("CreationTime".into(), zoned);
    }
    json!({
        "id": record.id,
        "createdDateTime": record.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "auditLogRecordType": record.record_type,
        "operation": record.operation,
        "organizationId": record.data.get("OrganizationId"),
        "userType": match record.user_type {
            2 => "Admin",
            4 => "System",
            5 => "Application",
            6 => "ServicePrincipal",
            _ => "Regular",
        },
        "userId": record.user_key,
        "service": record.workload,
        "objectId": record.object_id,
        "userPrincipalName": record.user_id,
        "clientIp": null,
        "administrativeUnits": [""],
        "auditData": Value::Object(data),
    })
}
