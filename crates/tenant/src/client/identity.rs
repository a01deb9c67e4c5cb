//! What belongs to an identity beside its methods: its devices, its app roles, and what
//! self-service reset goes by.

use serde_json::json;

use super::Tenant;
use crate::call::{
    APP_ROLES_OF_USER, CREATE_APP_ROLE, CallSpec, DELETE_APP_ROLE, DISABLE_DEVICE, ENABLE_DEVICE,
    OWNED_DEVICES, REGISTERED_DEVICES, USER_SET_OTHER_MAILS, USER_SET_PHONES,
};
use crate::error::TenantError;
use crate::escape::powershell_string;
use crate::model::{AppRoleAssignment, Device};
use crate::wire::{Builder, Prepared, Read};

/// The app role of plain access, for apps that name no roles (reference §5).
const PLAIN_ACCESS: &str = "00000000-0000-0000-0000-000000000000";

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

    /// The app roles that the account was assigned, by itself and not through a group
    /// (reference §5).
    pub async fn app_roles_of_user(
        &self,
        user: &str,
    ) -> Result<Read<Vec<AppRoleAssignment>>, TenantError> {
        self.list(Builder::new(&APP_ROLES_OF_USER, user, &[user]))
            .await
    }

    /// Withdrawing an app role. A consent that the account gave to the app stays
    /// (reference §5).
    pub fn prepare_delete_app_role(
        &self,
        user: &str,
        assignment: &str,
    ) -> Result<Prepared, TenantError> {
        self.graph_change(
            &DELETE_APP_ROLE,
            assignment,
            &[user, assignment],
            None,
            |_| {
                format!(
                    "Remove-MgUserAppRoleAssignment -UserId {} -AppRoleAssignmentId {}",
                    powershell_string(user),
                    powershell_string(assignment)
                )
            },
        )
    }

    /// Assigning an app role that was read before. It gets a new id.
    pub fn prepare_create_app_role(
        &self,
        user: &str,
        held: &AppRoleAssignment,
    ) -> Result<Prepared, TenantError> {
        let body = json!({
            "principalId": held.principal_id.as_deref().unwrap_or(user),
            "resourceId": held.resource_id,
            "appRoleId": held.app_role_id.as_deref().unwrap_or(PLAIN_ACCESS),
        });
        let shown = powershell_string(&body.to_string());
        self.graph_change(&CREATE_APP_ROLE, &held.id, &[user], Some(body), |url| {
            format!("Invoke-MgGraphRequest -Method POST -Uri {url} -Body {shown}")
        })
    }

    /// Setting the other mail addresses, all of them.
    pub fn prepare_set_other_mails(
        &self,
        user: &str,
        addresses: &[String],
    ) -> Result<Prepared, TenantError> {
        let body = json!({ "otherMails": addresses });
        self.set_reset_attribute(&USER_SET_OTHER_MAILS, user, body)
    }

    /// Setting the mobile phone, or taking it away.
    pub fn prepare_set_mobile_phone(
        &self,
        user: &str,
        number: Option<&str>,
    ) -> Result<Prepared, TenantError> {
        let body = json!({ "mobilePhone": number });
        self.set_reset_attribute(&USER_SET_PHONES, user, body)
    }

    /// Setting the office phones, of which the directory keeps one.
    pub fn prepare_set_business_phones(
        &self,
        user: &str,
        numbers: &[String],
    ) -> Result<Prepared, TenantError> {
        let body = json!({ "businessPhones": numbers });
        self.set_reset_attribute(&USER_SET_PHONES, user, body)
    }

    fn set_reset_attribute(
        &self,
        spec: &'static CallSpec,
        user: &str,
        body: serde_json::Value,
    ) -> Result<Prepared, TenantError> {
        let shown = powershell_string(&body.to_string());
        self.graph_change(spec, user, &[user], Some(body), |url| {
            format!("Invoke-MgGraphRequest -Method PATCH -Uri {url} -Body {shown}")
        })
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
