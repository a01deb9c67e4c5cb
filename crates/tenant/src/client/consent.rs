//! Apps and what they may do.

use super::Tenant;
use crate::call::{
    APP_ROLE_ASSIGNED_TO, GRANT, GRANTS, GRANTS_OF_USER, SERVICE_PRINCIPAL,
    SERVICE_PRINCIPAL_BY_APP_ID, SERVICE_PRINCIPALS,
};
use crate::error::TenantError;
use crate::escape::odata_string;
use crate::model::{AppRoleAssignment, Grant, ServicePrincipal};
use crate::wire::{Builder, Read};

impl Tenant {
    /// What apps may do in the account's name. Grants for everybody are not
    /// among them (reference §5): see [`Tenant::grants_for_everybody`].
    pub async fn grants_of_user(&self, user: &str) -> Result<Read<Vec<Grant>>, TenantError> {
        self.list(Builder::new(&GRANTS_OF_USER, user, &[user]))
            .await
    }

    /// What an app, by its service principal's object id, may do in everybody's name.
    pub async fn grants_for_everybody(
        &self,
        client_id: &str,
    ) -> Result<Read<Vec<Grant>>, TenantError> {
        let filter = format!(
            "clientId eq {} and consentType eq 'AllPrincipals'",
            odata_string(client_id)
        );
        self.list(Builder::new(&GRANTS, client_id, &[]).query("$filter", &filter))
            .await
    }

    /// One grant by its id.
    pub async fn grant(&self, grant: &str) -> Result<Read<Grant>, TenantError> {
        self.one(Builder::new(&GRANT, grant, &[grant])).await
    }

    /// An app by its service principal's object id.
    pub async fn service_principal(&self, id: &str) -> Result<Read<ServicePrincipal>, TenantError> {
        self.one(Builder::new(&SERVICE_PRINCIPAL, id, &[id])).await
    }

    /// Several apps by their service principals' object ids, twenty in one request
    /// (reference §10). The results come in the order of the ids; each is what
    /// [`Tenant::service_principal`] would give for it.
    pub async fn service_principals(
        &self,
        ids: &[&str],
    ) -> Vec<Result<Read<ServicePrincipal>, TenantError>> {
        self.many(
            &SERVICE_PRINCIPALS,
            ids.iter()
                .map(|id| Builder::new(&SERVICE_PRINCIPAL, id, &[id])),
        )
        .await
    }

    /// Who holds app roles of a resource, by the resource's service principal: apps with
    /// permissions of their own, and users assigned to it (reference §5).
    pub async fn app_role_assigned_to(
        &self,
        resource: &str,
    ) -> Result<Read<Vec<AppRoleAssignment>>, TenantError> {
        self.list(Builder::new(&APP_ROLE_ASSIGNED_TO, resource, &[resource]))
            .await
    }

    /// An app by its app id.
    pub async fn service_principal_by_app_id(
        &self,
        app_id: &str,
    ) -> Result<Read<ServicePrincipal>, TenantError> {
        self.one(Builder::new(
            &SERVICE_PRINCIPAL_BY_APP_ID,
            app_id,
            &[app_id],
        ))
        .await
    }
}
