//! Reading what belongs to the identity beside its methods: devices.

use retake_playbook::event::Facts;
use retake_playbook::{ObjectKind, ObjectRef};
use retake_tenant::model::Device;
use retake_tenant::{Tenant, TenantError};

use super::{Found, Seen};

/// The devices of the account: those that it is registered on, and those that it owns.
pub(super) async fn devices(tenant: &Tenant, user: &str) -> Result<Seen, TenantError> {
    let (registered, owned) =
        futures_util::future::join(tenant.registered_devices(user), tenant.owned_devices(user))
            .await;
    let (registered, owned) = (registered?, owned?);
    let mut devices: Vec<&Device> = registered.value.iter().chain(&owned.value).collect();
    devices.retain(|device| !device.id.is_empty());
    devices.sort_by(|a, b| a.id.cmp(&b.id));
    devices.dedup_by(|a, b| a.id == b.id);
    let objects = devices.into_iter().map(device_facts).collect();
    Ok(Seen::of(registered, objects).also(owned))
}

fn device_facts(device: &Device) -> Found {
    let object = ObjectRef::new(ObjectKind::Device, &device.id);
    let object = match &device.display_name {
        Some(name) => object.named(name),
        None => object,
    };
    Found::new(
        object,
        Facts::Device {
            identifier: device.device_id.clone(),
            // What the service does not say is taken for the worse.
            enabled: device.account_enabled.unwrap_or(true),
            trust: device.trust_type.clone(),
            system: device.operating_system.clone(),
            registered: device.registration_date_time,
            managed: device.is_managed == Some(true),
        },
    )
}
