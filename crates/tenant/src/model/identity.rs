//! Devices, and app roles that somebody holds.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Other, lenient};

/// A registered device (reference §4). Its object id is not its `deviceId`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// Object id.
    pub id: String,
    /// The id that sign-in logs name.
    #[serde(default)]
    pub device_id: Option<String>,
    /// The name that it gave itself.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Whether it is switched on; `None` if the service did not say.
    #[serde(default)]
    pub account_enabled: Option<bool>,
    /// `Workplace`, `AzureAd` or `ServerAd`.
    #[serde(default)]
    pub trust_type: Option<String>,
    /// The operating system that it names.
    #[serde(default)]
    pub operating_system: Option<String>,
    /// When it was registered.
    #[serde(default, deserialize_with = "lenient::time")]
    pub registration_date_time: Option<Timestamp>,
    /// Whether it keeps to the organisation's rules.
    #[serde(default)]
    pub is_compliant: Option<bool>,
    /// Whether it is managed.
    #[serde(default)]
    pub is_managed: Option<bool>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}

/// An app role that an app, a user or a group holds on a resource (reference §5).
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AppRoleAssignment {
    /// Its id.
    pub id: String,
    /// The role; all zeros is the default access.
    #[serde(default)]
    pub app_role_id: Option<String>,
    /// Who holds it, by object id.
    #[serde(default)]
    pub principal_id: Option<String>,
    /// `ServicePrincipal`, `User` or `Group`.
    #[serde(default)]
    pub principal_type: Option<String>,
    /// The resource's service principal.
    #[serde(default)]
    pub resource_id: Option<String>,
    /// The resource's name.
    #[serde(default)]
    pub resource_display_name: Option<String>,
    /// When it was assigned.
    #[serde(default, deserialize_with = "lenient::time")]
    pub created_date_time: Option<Timestamp>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}
