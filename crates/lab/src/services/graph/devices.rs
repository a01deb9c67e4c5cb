//! Registered devices (reference §4).

use retake_playbook::ObjectKind;
use serde_json::{Value, json};

use super::{Answer, Call, Outcome, not_allowed, not_found};
use crate::trace::TraceObject;
use crate::world::known::role;
use crate::world::legacy::Device;

/// `/devices/{id}`.
pub(super) fn serve(call: &mut Call<'_, '_>, method: &str, rest: &[&str]) -> Outcome {
    let [id] = rest else {
        return Err(not_found());
    };
    let device = call.ask.world.devices.get(*id).cloned();
    match method {
        "GET" => {
            call.need(&[
                "Device.Read.All",
                "Device.ReadWrite.All",
                "Directory.Read.All",
            ])?;
            let device = device.ok_or_else(|| Answer::no_object(id))?;
            let body = call
                .query
                .project(device_json(&device), None, "microsoft.graph.device")?;
            Ok(Answer::json(200, body).about(ObjectKind::Device, *id))
        }
        "PATCH" => {
            may_write(call)?;
            let was = device.ok_or_else(|| Answer::no_object(id))?.enabled;
            let on = call.body()?["accountEnabled"]
                .as_bool()
                .ok_or_else(|| Answer::bad_request("Only accountEnabled can be changed."))?;
            let (now, origin) = (call.ask.now, call.origin());
            call.ask.world.set_device_enabled(now, &origin, id, on);
            Ok(Answer::no_content()
                .about(ObjectKind::Device, *id)
                .effect(json!({"kind": "changed", "fields": {"accountEnabled": [was, on]}})))
        }
        "DELETE" => {
            may_write(call)?;
            device.ok_or_else(|| Answer::no_object(id))?;
            call.ask.world.devices.remove(*id);
            Ok(Answer::no_content()
                .about(ObjectKind::Device, *id)
                .effect(json!({"kind": "deleted"})))
        }
        _ => Err(not_allowed()),
    }
}

/// An app needs its permission; a person what they may do themselves, and a role
/// (reference §4).
fn may_write(call: &Call<'_, '_>) -> Result<(), Answer> {
    if call.caller.is_app() {
        return call.need(&["Device.ReadWrite.All"]);
    }
    call.need(&["Directory.AccessAsUser.All"])?;
    call.need_role(&[
        role::CLOUD_DEVICE_ADMINISTRATOR,
        role::INTUNE_ADMINISTRATOR,
        role::GLOBAL_ADMINISTRATOR,
    ])
}

/// `/users/{id}/registeredDevices` and `/ownedDevices`.
pub(super) fn of_user(call: &mut Call<'_, '_>, user: &str) -> Outcome {
    call.need_user_read(user)?;
    let held: Vec<&Device> = call
        .ask
        .world
        .devices
        .values()
        .filter(|device| device.owner == user)
        .collect();
    let shows = held
        .iter()
        .map(|device| TraceObject::new(ObjectKind::Device, device.id.clone()))
        .collect();
    let items = held
        .into_iter()
        .map(|device| {
            let mut json = device_json(device);
            json["@odata.type"] = json!("#microsoft.graph.device");
            json
        })
        .collect();
    let mut answer = call
        .page("directoryObjects", (100, 999), items)
        .about(ObjectKind::Account, user);
    answer.shows = shows;
    Ok(answer)
}

fn device_json(device: &Device) -> Value {
    json!({
        "id": device.id,
        "deletedDateTime": null,
        "deviceId": device.identifier,
        "displayName": device.display_name,
        "accountEnabled": device.enabled,
        "trustType": "Workplace",
        "operatingSystem": device.system,
        "registrationDateTime": device.registered,
        "approximateLastSignInDateTime": device.last_used,
        "isCompliant": null,
        "isManaged": null,
        "profileType": "RegisteredDevice",
    })
}
