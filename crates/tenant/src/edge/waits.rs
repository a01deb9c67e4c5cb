//! What several processes tell one another about throttling.

use jiff::Timestamp;

/// Until when a service wants to be left alone, shared by every process that works
/// on the tenant from this machine.
///
/// Losing it does no harm: whoever does not know is told by the service itself.
pub trait SharedWaits: Send + Sync {
    /// The moment before which a tenant's service should not be asked; none if
    /// nobody was told to wait, or if what was kept cannot be read.
    fn not_before(&self, tenant: &str, service: &str) -> Option<Timestamp>;

    /// The service said so until then.
    fn hold(&self, tenant: &str, service: &str, until: Timestamp);
}
