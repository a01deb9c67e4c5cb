//! Why the responder could not go on.

use retake_casefile::StoreError;
use retake_tenant::TenantError;

/// Why the responder could not go on. Everything that was done until then stands
/// in the journal, and the same command resumes.
#[derive(Debug, thiserror::Error)]
pub enum ResponderError {
    /// The case store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The tenant.
    #[error(transparent)]
    Tenant(#[from] TenantError),
    /// There is no account to respond for. No case was made and nothing was changed.
    #[error(transparent)]
    NoAccount(#[from] crate::find::NoAccount),
    /// Something of ours cannot be written as JSON.
    #[error("what was read cannot be written as JSON: {0}. Nothing was changed.")]
    Json(#[from] serde_json::Error),
}
