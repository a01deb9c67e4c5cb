//! What the services recorded, each with the time at which it shows.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// Which of the sign-in logs (beta `signInEventTypes`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignInKind {
    Interactive,
    NonInteractive,
    ServicePrincipal,
}

impl SignInKind {
    /// The word of the filter.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Interactive => "interactiveUser",
            Self::NonInteractive => "nonInteractiveUser",
            Self::ServicePrincipal => "servicePrincipal",
        }
    }
}

/// A sign-in.
#[derive(Clone, Debug)]
pub(crate) struct SignIn {
    /// Request id, a GUID.
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    pub(crate) visible_at: Timestamp,
    pub(crate) kind: SignInKind,
    /// Object id; empty for a service principal.
    pub(crate) user: String,
    pub(crate) upn: String,
    pub(crate) user_name: String,
    pub(crate) app_id: String,
    pub(crate) app_name: String,
    pub(crate) resource_id: String,
    pub(crate) resource_name: String,
    pub(crate) ip: String,
    pub(crate) user_agent: String,
    pub(crate) client_app: String,
    pub(crate) correlation: String,
    pub(crate) session: Option<String>,
    /// `uniqueTokenIdentifier`: see [`super::issue::unique_token_id`].
    pub(crate) unique_token: String,
    /// none, refreshToken, primaryRefreshToken.
    pub(crate) incoming_token: String,
    /// none, oAuth2, ropc, deviceCode.
    pub(crate) protocol: String,
    /// none, deviceCodeFlow.
    pub(crate) transfer: String,
    pub(crate) error: u32,
    pub(crate) reason: String,
    /// singleFactorAuthentication or multiFactorAuthentication.
    pub(crate) requirement: String,
    /// Methods used, in order, with whether each succeeded.
    pub(crate) steps: Vec<(String, bool)>,
    /// Object id of the app's principal, for app-only.
    pub(crate) principal_id: String,
    pub(crate) risk_level: String,
    pub(crate) risk_state: String,
    pub(crate) risk_events: Vec<String>,
    pub(crate) device_id: String,
    pub(crate) browser: String,
    pub(crate) operating_system: String,
}

/// Who a directory audit says did it.
#[derive(Clone, Debug)]
pub(crate) enum Initiator {
    User {
        id: String,
        upn: String,
        name: String,
        ip: String,
    },
    App {
        id: String,
        app_id: Option<String>,
        name: String,
    },
}

/// What a directory audit says it was done to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) id: String,
    /// User, ServicePrincipal, Other.
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) upn: Option<String>,
    /// Name, old value, new value; the values are JSON texts.
    pub(crate) modified: Vec<(String, Option<String>, Option<String>)>,
}

/// An entry of Entra's audit log.
#[derive(Clone, Debug)]
pub(crate) struct DirectoryAudit {
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    pub(crate) visible_at: Timestamp,
    pub(crate) activity: String,
    pub(crate) category: String,
    pub(crate) service: String,
    /// Add, Update, Delete, Assign.
    pub(crate) operation_type: String,
    pub(crate) success: bool,
    pub(crate) reason: String,
    pub(crate) by: Initiator,
    pub(crate) targets: Vec<Target>,
    pub(crate) details: Vec<(String, String)>,
    pub(crate) correlation: String,
    pub(crate) user_agent: String,
}

/// A record of the unified audit log.
#[derive(Clone, Debug)]
pub(crate) struct UnifiedRecord {
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    pub(crate) visible_at: Timestamp,
    /// Name as Graph search shows it (PascalCase).
    pub(crate) record_type: String,
    pub(crate) operation: String,
    pub(crate) user_key: String,
    pub(crate) user_id: String,
    pub(crate) user_type: u8,
    pub(crate) workload: String,
    pub(crate) object_id: String,
    pub(crate) client_ip: String,
    /// The whole AuditData.
    pub(crate) data: Map<String, Value>,
}

/// A line of the message trace: one message to one recipient.
#[derive(Clone, Debug)]
pub(crate) struct MessageTrace {
    pub(crate) id: String,
    pub(crate) message_id: String,
    pub(crate) received: Timestamp,
    pub(crate) visible_at: Timestamp,
    pub(crate) sender: String,
    pub(crate) recipient: String,
    pub(crate) subject: String,
    pub(crate) size: u32,
    pub(crate) from_ip: String,
    pub(crate) to_ip: String,
    /// delivered, failed, …
    pub(crate) status: String,
}

/// A detection of Identity Protection.
#[derive(Clone, Debug)]
pub(crate) struct RiskDetection {
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    pub(crate) visible_at: Timestamp,
    pub(crate) user: String,
    /// anonymizedIPAddress, unfamiliarFeatures, attackerinTheMiddle, …
    pub(crate) event: String,
    pub(crate) level: String,
    pub(crate) state: String,
    /// realtime or offline.
    pub(crate) timing: String,
    pub(crate) ip: String,
    /// The sign-in's id.
    pub(crate) request_id: String,
    pub(crate) correlation: String,
    pub(crate) user_agent: String,
}

/// A search of the unified audit log.
#[derive(Clone, Debug)]
pub(crate) struct AuditQuery {
    pub(crate) id: String,
    pub(crate) display_name: String,
    pub(crate) runs_from: Timestamp,
    pub(crate) done_at: Timestamp,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) record_types: Vec<String>,
    pub(crate) operations: Vec<String>,
    pub(crate) users: Vec<String>,
    pub(crate) ips: Vec<String>,
    pub(crate) objects: Vec<String>,
    pub(crate) keyword: Option<String>,
    /// Indexes into the unified log, in the (unsorted) order of the pages;
    /// fixed when the search ends.
    pub(crate) found: Option<Vec<usize>>,
    /// Whether it was cut off at the tenant's limit; known when it ends.
    pub(crate) cut: Option<bool>,
}

/// All logs, oldest first within each as far as they were written in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Logs {
    pub(crate) sign_ins: Vec<SignIn>,
    pub(crate) directory: Vec<DirectoryAudit>,
    pub(crate) unified: Vec<UnifiedRecord>,
    pub(crate) message_trace: Vec<MessageTrace>,
    pub(crate) risk: Vec<RiskDetection>,
}
