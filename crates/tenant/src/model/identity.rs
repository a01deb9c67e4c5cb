//! Devices.

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
