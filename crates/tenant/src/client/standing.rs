//! Where the responder stands: the roles of whoever is signed in, how the tenant
//! is set, and one harmless request for each permission to read.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Cmdlet, Tenant};
use crate::call::{
    AUDIT_QUERIES, CallSpec, DIRECTORY_AUDITS, EXCHANGE_GET_AUDIT_CONFIG,
    EXCHANGE_GET_OUTBOUND_POLICY, GRANTS_OF_USER, INBOX_RULES, LICENCES, MESSAGE_TRACES, METHODS,
    RISK_DETECTIONS, ROLE_ASSIGNMENTS, SIGN_INS_BETA, USERS,
};
use crate::error::TenantError;
use crate::escape::odata_string;
use crate::wire::{Builder, Read};

/// A role that somebody holds (reference §3).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoleAssignment {
    /// The assignment's id.
    #[serde(default)]
    pub id: String,
    /// Whose it is, by object id.
    #[serde(default)]
    pub principal_id: Option<String>,
    /// The role's template id.
    #[serde(default)]
    pub role_definition_id: String,
    /// `/` for the whole tenant, or the unit that it is limited to.
    #[serde(default)]
    pub directory_scope_id: Option<String>,
    /// The role itself, if the service sent it along.
    #[serde(default)]
    pub role_definition: Option<RoleDefinition>,
}

/// What a role is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoleDefinition {
    /// Its name, in English for those that Microsoft made.
    #[serde(default)]
    pub display_name: Option<String>,
}

/// A licence that the tenant has, with its service plans.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Licence {
    /// Its short name.
    #[serde(default)]
    pub sku_part_number: String,
    /// `Enabled`, `Warning`, `Suspended`, …
    #[serde(default)]
    pub capability_status: Option<String>,
    /// What it consists of.
    #[serde(default)]
    pub service_plans: Vec<ServicePlan>,
}

/// A part of a licence.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServicePlan {
    /// Its short name, for example `AAD_PREMIUM`.
    #[serde(default)]
    pub service_plan_name: String,
}

/// One harmless reading request, at most one row of each list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe<'a> {
    /// Any account.
    Account,
    /// The authentication methods of this account.
    Methods(&'a str),
    /// The inbox rules of this account.
    InboxRules(&'a str),
    /// The consents of this account.
    Grants(&'a str),
    /// The sign-in log.
    SignIns,
    /// The directory's audit log.
    DirectoryAudits,
    /// Risk detections.
    RiskDetections,
    /// Message traces.
    MessageTraces,
    /// Searches of the unified audit log; none is started.
    AuditQueries,
}

impl Probe<'_> {
    /// The call that it proves.
    pub const fn call(self) -> &'static CallSpec {
        match self {
            Self::Account => &USERS,
            Self::Methods(_) => &METHODS,
            Self::InboxRules(_) => &INBOX_RULES,
            Self::Grants(_) => &GRANTS_OF_USER,
            Self::SignIns => &SIGN_INS_BETA,
            Self::DirectoryAudits => &DIRECTORY_AUDITS,
            Self::RiskDetections => &RISK_DETECTIONS,
            Self::MessageTraces => &MESSAGE_TRACES,
            Self::AuditQueries => &AUDIT_QUERIES,
        }
    }

    fn builder(self) -> Builder {
        let spec = self.call();
        match self {
            Self::Account => Builder::new(spec, "", &[])
                .query("$select", "id")
                .query("$top", "1"),
            // The list of methods takes no $top (reference §2.2), and a message
            // trace neither filters nor selects when nothing is asked for.
            Self::Methods(user) | Self::Grants(user) => Builder::new(spec, user, &[user]),
            Self::InboxRules(user) => Builder::new(spec, user, &[user]).query("$top", "1"),
            Self::SignIns
            | Self::DirectoryAudits
            | Self::RiskDetections
            | Self::MessageTraces
            | Self::AuditQueries => Builder::new(spec, "", &[]).query("$top", "1"),
        }
    }
}

impl Tenant {
    /// Sends one harmless request and gives back the ids of what came, without
    /// following pages.
    pub async fn probe(&self, probe: Probe<'_>) -> Result<Read<Vec<String>>, TenantError> {
        #[derive(Deserialize)]
        struct Page {
            #[serde(default)]
            value: Vec<Value>,
        }
        let read: Read<Page> = self.one(probe.builder()).await?;
        Ok(read.map(|page| {
            page.value
                .iter()
                .filter_map(|row| row.get("id")?.as_str().map(str::to_owned))
                .collect()
        }))
    }

    /// The directory roles that are assigned to a person or service principal by
    /// its object id. Roles that it has through a group are not among them (reference §3).
    pub async fn role_assignments(
        &self,
        principal: &str,
    ) -> Result<Read<Vec<RoleAssignment>>, TenantError> {
        let filter = format!("principalId eq {}", odata_string(principal));
        self.list(
            Builder::new(&ROLE_ASSIGNMENTS, principal, &[])
                .query("$filter", &filter)
                .query("$expand", "roleDefinition"),
        )
        .await
    }

    /// Who holds a directory role, by its template id.
    pub async fn role_holders(&self, role: &str) -> Result<Read<Vec<RoleAssignment>>, TenantError> {
        let filter = format!("roleDefinitionId eq {}", odata_string(role));
        self.list(Builder::new(&ROLE_ASSIGNMENTS, role, &[]).query("$filter", &filter))
            .await
    }

    /// The tenant's licences.
    pub async fn licences(&self) -> Result<Read<Vec<Licence>>, TenantError> {
        self.list(Builder::new(&LICENCES, "", &[])).await
    }

    /// The policies for outgoing mail; `AutoForwardingMode` says whether mail may be
    /// forwarded outside (reference §6.2).
    pub async fn outbound_policies(&self) -> Result<Read<Vec<Map<String, Value>>>, TenantError> {
        let cmdlet = Cmdlet::new("Get-HostedOutboundSpamFilterPolicy");
        self.rows(&EXCHANGE_GET_OUTBOUND_POLICY, &cmdlet, None)
            .await
    }

    /// The audit log's configuration; `UnifiedAuditLogIngestionEnabled` says whether it is on.
    pub async fn audit_config(&self) -> Result<Read<Vec<Map<String, Value>>>, TenantError> {
        let cmdlet = Cmdlet::new("Get-AdminAuditLogConfig");
        self.rows(&EXCHANGE_GET_AUDIT_CONFIG, &cmdlet, None).await
    }
}
