//! One place that turns what went wrong into words, a hint and an exit code.

use std::fmt;

use retake_casefile::StoreError;
use retake_playbook::codes::{self, Code};
use retake_responder::ResponderError;
use retake_tenant::TenantError;

/// What went wrong, for a person.
#[derive(Debug)]
pub struct Failure {
    /// The code of the error book, which also decides the exit code.
    pub code: Code,
    /// What happened, to which object, what is still safe.
    pub message: String,
    /// What to do next.
    pub hint: String,
    /// The object that it is about, where there is one: a case, an account, a file.
    pub object: Option<String>,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(code: Code, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: hint.into(),
            object: None,
        }
    }

    /// The same failure, about this object.
    #[must_use]
    pub fn about(mut self, object: impl Into<String>) -> Self {
        self.object = Some(object.into());
        self
    }

    /// For programs, in the form `retake.error/1`.
    pub fn document(&self) -> serde_json::Value {
        serde_json::json!({
            "schema": "retake.error/1",
            "code": self.code.id,
            "title": self.code.title,
            "exit": self.code.exit as u8,
            "what": self.message,
            "object": self.object,
            "still_safe": crate::commands::still_safe(self.code),
            "next": self.hint,
        })
    }

    /// The arguments or an input cannot be used.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(codes::BAD_INPUT, message, hint)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::Foreign { .. } => codes::FOREIGN_FILE,
            StoreError::NewerVersion { .. } => codes::NEWER_VERSION,
            StoreError::NotFound { .. } | StoreError::NotACaseId { .. } => codes::UNKNOWN_CASE,
            StoreError::Leased { .. } | StoreError::Busy { .. } | StoreError::Conflict { .. } => {
                codes::LEASED
            }
            StoreError::Full { .. } => codes::DISK_FULL,
            StoreError::NotWritable { .. } | StoreError::Io { .. } => codes::NOT_WRITABLE,
            StoreError::KeyExposed { .. } => codes::KEY_EXPOSED,
            StoreError::Exists { .. }
            | StoreError::AlreadyOpen { .. }
            | StoreError::CaseExists { .. } => codes::BAD_INPUT,
            error if error.is_integrity() => codes::JOURNAL_ALTERED,
            _ => codes::INTERNAL,
        };
        Self::new(code, error.to_string(), error.hint())
    }
}

impl From<TenantError> for Failure {
    fn from(error: TenantError) -> Self {
        Self::new(
            retake_responder::code_of(&error),
            error.to_string(),
            error.hint(),
        )
    }
}

impl From<ResponderError> for Failure {
    fn from(error: ResponderError) -> Self {
        match error {
            ResponderError::Store(error) => error.into(),
            ResponderError::Tenant(error) => error.into(),
            ResponderError::NoAccount(error) => {
                Self::new(error.code(), error.to_string(), error.hint())
            }
            error @ ResponderError::Json(_) => Self::new(
                codes::INTERNAL,
                error.to_string(),
                "Please report it. The same command resumes the case.",
            ),
        }
    }
}
