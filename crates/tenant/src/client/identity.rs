//! What belongs to an identity beside its methods: its devices.

use serde_json::json;

use super::Tenant;
use crate::call::{CallSpec, DISABLE_DEVICE, ENABLE_DEVICE, OWNED_DEVICES, REGISTERED_DEVICES};
use crate::error::TenantError;
use crate::escape::powershell_string;
use crate::model::Device;
use crate::wire::{Builder, Prepared, Read};

impl Tenant {
    /// The devices on which the account is registered: each may hold a primary refresh
    /// token (reference §4).
    pub async fn registered_devices(&self, user: &str) -> Result<Read<Vec<Device>>, TenantError> {
        self.list(Builder::new(&REGISTERED_DEVICES, user, &[user]))
            .await
    }

    /// The devices that the account owns, as a rule the same ones.
    pub async fn owned_devices(&self, user: &str) -> Result<Read<Vec<Device>>, TenantError> {
        self.list(Builder::new(&OWNED_DEVICES, user, &[user])).await
    }

    /// Switching a device off, by its object id (never `deviceId`). It is not deleted:
    /// it is evidence, and keys lie on it (reference §4).
    pub fn prepare_disable_device(&self, id: &str) -> Result<Prepared, TenantError> {
        self.enable_device(&DISABLE_DEVICE, id, false)
    }

    /// Switching a device on again.
    pub fn prepare_enable_device(&self, id: &str) -> Result<Prepared, TenantError> {
        self.enable_device(&ENABLE_DEVICE, id, true)
    }

    fn enable_device(
        &self,
        spec: &'static CallSpec,
        id: &str,
        enabled: bool,
    ) -> Result<Prepared, TenantError> {
        let body = json!({ "accountEnabled": enabled });
        self.graph_change(spec, id, &[id], Some(body), |_| {
            format!(
                "Update-MgDevice -DeviceId {} -AccountEnabled:${enabled}",
                powershell_string(id)
            )
        })
    }
}
