//! App roles of a user: what they may use, and as what (reference §5).

use retake_playbook::ObjectKind;
use serde_json::json;

use super::{Answer, Call, Outcome, not_allowed, not_found};
use crate::trace::TraceObject;
use crate::world::app_roles::{AppRoleAssignment, assignment_json};
use crate::world::known::role;

/// `/users/{id}/appRoleAssignments` and what is below.
pub(super) fn serve(call: &mut Call<'_, '_>, method: &str, user: &str, rest: &[&str]) -> Outcome {
    match (method, rest) {
        ("GET", []) => list(call, user),
        ("POST", []) => assign(call, user),
        ("DELETE", [id]) => withdraw(call, user, id),
        (_, [] | [_]) => Err(not_allowed()),
        _ => Err(not_found()),
    }
}

fn list(call: &mut Call<'_, '_>, user: &str) -> Outcome {
    call.need(&[
        "Directory.Read.All",
        "Directory.ReadWrite.All",
        "AppRoleAssignment.ReadWrite.All",
    ])?;
    let world = &call.ask.world;
    let held: Vec<&AppRoleAssignment> = world
        .app_role_assignments
        .values()
        .filter(|row| row.principal_id == user)
        .collect();
    let shows = held
        .iter()
        .map(|row| TraceObject::new(ObjectKind::AppRole, row.id.clone()))
        .collect();
    let items = held
        .into_iter()
        .map(|row| assignment_json(world, row))
        .collect();
    let mut answer = call
        .page("appRoleAssignments", (100, 999), items)
        .about(ObjectKind::Account, user);
    answer.shows = shows;
    Ok(answer)
}

/// An app needs its permission; a person a role besides.
fn may_write(call: &Call<'_, '_>) -> Result<(), Answer> {
    call.need(&["AppRoleAssignment.ReadWrite.All"])?;
    if call.caller.is_app() {
        return Ok(());
    }
    call.need_role(&[
        role::CLOUD_APPLICATION_ADMINISTRATOR,
        role::APPLICATION_ADMINISTRATOR,
        role::GLOBAL_ADMINISTRATOR,
    ])
}

fn assign(call: &mut Call<'_, '_>, user: &str) -> Outcome {
    may_write(call)?;
    let body = call.body()?;
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let (principal, resource, role_id) =
        (text("principalId"), text("resourceId"), text("appRoleId"));
    if principal != user {
        return Err(Answer::bad_request(
            "principalId has to be the user that the request is made for.",
        ));
    }
    if !call.ask.world.service_principals.contains_key(&resource) {
        return Err(Answer::no_object(&resource));
    }
    let there = call.ask.world.app_role_assignments.values().any(|row| {
        row.principal_id == user && row.resource_id == resource && row.role_id == role_id
    });
    if there {
        return Err(Answer::graph_error(
            400,
            "Request_BadRequest",
            "Permission being assigned already exists on the object",
        ));
    }
    let (now, origin) = (call.ask.now, call.origin());
    let Some(id) = call
        .ask
        .world
        .assign_user_app_role(now, &origin, user, &resource, None)
    else {
        return Err(Answer::no_object(&resource));
    };
    if let Some(row) = call.ask.world.app_role_assignments.get_mut(&id) {
        row.role_id = role_id;
    }
    let world = &call.ask.world;
    let shown = world
        .app_role_assignments
        .get(&id)
        .map(|row| assignment_json(world, row));
    Ok(Answer::json(201, json!(shown))
        .about(ObjectKind::AppRole, id)
        .effect(json!({"kind": "created"})))
}

fn withdraw(call: &mut Call<'_, '_>, user: &str, id: &str) -> Outcome {
    may_write(call)?;
    let own = call
        .ask
        .world
        .app_role_assignments
        .get(id)
        .is_some_and(|row| row.principal_id == user);
    if !own {
        return Err(Answer::no_object(id));
    }
    let (now, origin) = (call.ask.now, call.origin());
    call.ask.world.withdraw_user_app_role(now, &origin, id);
    Ok(Answer::no_content()
        .about(ObjectKind::AppRole, id)
        .effect(json!({"kind": "deleted"})))
}
