//! How far an import is.

use crate::answer::Severity;

/// What an import tells now and then while it reads. There is no clock in it:
/// whoever shows it knows how long it has taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the inputs that were read, as they lie on disk.
    pub bytes_done: u64,
    /// Of so many, where that is known; a stream has no length.
    pub bytes_total: Option<u64>,
    /// Records met so far.
    pub records: u64,
    /// What was found since the last time: severity, the detection's id and
    /// title, and the user, empty where the record names none. The names may
    /// be an attacker's.
    pub new_findings: Vec<(Severity, String, String, String)>,
}
