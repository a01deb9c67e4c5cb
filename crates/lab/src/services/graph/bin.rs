//! `/directory`: administrative units, and users that were deleted and can be
//! restored (reference §2.1, §3).

use retake_playbook::ObjectKind;
use serde_json::{Value, json};

use super::logs::{filter_of, meets};
use super::users::user_json;
use super::{Answer, Call, Outcome, not_allowed, not_found};
use crate::trace::TraceObject;
use crate::world::World;
use crate::world::standing::{DeletedUser, RESTORABLE, Unit};

/// What a read of a deleted user shows when nothing is selected.
const DEFAULT: [&str; 5] = [
    "displayName",
    "mail",
    "userPrincipalName",
    "deletedDateTime",
    "accountEnabled",
];

/// `/directory/administrativeUnits`.
pub(super) fn units(call: &mut Call<'_, '_>, method: &str, rest: &[&str]) -> Outcome {
    if method != "GET" {
        return Err(not_allowed());
    }
    call.need(&[
        "AdministrativeUnit.Read.All",
        "AdministrativeUnit.ReadWrite.All",
        "Directory.Read.All",
    ])?;
    let tenant = call.ask.world.tenant.id.clone();
    match rest {
        [] => {
            let mut items = Vec::new();
            for unit in call.ask.world.units.values() {
                items.push(call.query.project(
                    unit_json(unit),
                    None,
                    "microsoft.graph.administrativeUnit",
                )?);
            }
            Ok(call
                .page("directory/administrativeUnits", (100, 999), items)
                .about(ObjectKind::Tenant, tenant))
        }
        [id] => {
            let unit = call
                .ask
                .world
                .units
                .get(*id)
                .ok_or_else(|| Answer::no_object(id))?;
            let body =
                call.query
                    .project(unit_json(unit), None, "microsoft.graph.administrativeUnit")?;
            Ok(Answer::json(200, body).about(ObjectKind::Tenant, tenant))
        }
        _ => Err(not_found()),
    }
}

/// A unit as Graph shows it.
pub(super) fn unit_json(unit: &Unit) -> Value {
    json!({
        "id": unit.id,
        "deletedDateTime": null,
        "displayName": unit.display_name,
        "description": null,
        "visibility": null,
        "isMemberManagementRestricted": unit.restricted,
    })
}

/// `/directory/deletedItems`.
pub(super) fn serve(call: &mut Call<'_, '_>, method: &str, rest: &[&str]) -> Outcome {
    match (method, rest) {
        ("GET", ["microsoft.graph.user"]) => {
            may_read(call)?;
            list(call)
        }
        ("GET", [id] | ["microsoft.graph.user", id]) => {
            may_read(call)?;
            let held = restorable(call, id)?;
            let body = call.query.project(
                deleted_json(call.ask.world, held, call.beta()),
                Some(&DEFAULT),
                "microsoft.graph.user",
            )?;
            Ok(Answer::json(200, body).about(ObjectKind::Account, *id))
        }
        ("POST", [id, "restore"]) => restore(call, id),
        (_, [_] | ["microsoft.graph.user", _]) => Err(not_allowed()),
        _ => Err(not_found()),
    }
}

fn may_read(call: &Call<'_, '_>) -> Result<(), Answer> {
    call.need(&[
        "User.Read.All",
        "User.ReadWrite.All",
        "Directory.Read.All",
        "Directory.ReadWrite.All",
    ])
}

/// The deleted user, as long as it can be restored (for 30 days: UNCONFIRMED).
fn restorable<'a>(call: &'a Call<'_, '_>, id: &str) -> Result<&'a DeletedUser, Answer> {
    call.ask
        .world
        .deleted
        .get(id)
        .filter(|held| call.ask.now.duration_since(held.at) < RESTORABLE)
        .ok_or_else(|| Answer::no_object(id))
}

fn list(call: &mut Call<'_, '_>) -> Outcome {
    let filter = filter_of(call)?;
    let world = &call.ask.world;
    let mut items = Vec::new();
    let mut shows = Vec::new();
    for (id, held) in &world.deleted {
        if restorable(call, id).is_err() {
            continue;
        }
        let json = deleted_json(world, held, call.beta());
        let good = meets(&filter, |clause| {
            let value = match clause.path.as_str() {
                "id" | "userPrincipalName" | "mail" | "displayName" => json[&clause.path].as_str(),
                _ => return None,
            };
            Some(value.is_some_and(|value| clause.text(value)))
        })?;
        if good {
            shows.push(TraceObject::new(ObjectKind::Account, id.clone()));
            items.push(
                call.query
                    .project(json, Some(&DEFAULT), "microsoft.graph.user")?,
            );
        }
    }
    let tenant = world.tenant.id.clone();
    let mut answer = call
        .page(
            "directory/deletedItems/microsoft.graph.user",
            (100, 999),
            items,
        )
        .about(ObjectKind::Tenant, tenant);
    answer.shows = shows;
    Ok(answer)
}

/// A deleted user: its object id, without hyphens, stands before its name.
fn deleted_json(world: &World, held: &DeletedUser, beta: bool) -> Value {
    let mut json = user_json(world, &held.user, beta);
    json["deletedDateTime"] = json!(held.at);
    json["userPrincipalName"] = json!(format!(
        "{}{}",
        held.user.id.replace('-', ""),
        held.user.upn
    ));
    json
}

fn restore(call: &mut Call<'_, '_>, id: &str) -> Outcome {
    call.need(&["User.DeleteRestore.All", "User.ReadWrite.All"])?;
    restorable(call, id)?;
    let (now, origin) = (call.ask.now, call.origin());
    call.ask.world.restore_user(now, &origin, id);
    let body = call
        .ask
        .world
        .users
        .get(id)
        .map(|user| user_json(call.ask.world, user, call.beta()))
        .unwrap_or_default();
    let mut json = call
        .query
        .project(body, Some(&DEFAULT), "microsoft.graph.user")?;
    json["@odata.type"] = json!("#microsoft.graph.user");
    Ok(Answer::json(200, json)
        .about(ObjectKind::Account, id)
        .effect(json!({"kind": "created"})))
}
