//! Finding an account that the directory does not know by the name that was
//! given: renamed, deleted, or simply not there. Nothing is written for it.

use retake_playbook::codes::{self, Code};
use retake_tenant::model::User;
use retake_tenant::{Kind, Read, Tenant, TenantError};

use crate::error::ResponderError;

/// Why there is no account to respond for. No case is made, nothing is changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAccount {
    /// It was deleted and can be restored.
    #[error("{asked} was deleted{}; its object id is {id}", at.as_deref().map(|at| format!(" at {at}")).unwrap_or_default())]
    Deleted {
        /// The name that was given.
        asked: String,
        /// Its object id.
        id: String,
        /// When it was deleted, as far as it is known.
        at: Option<String>,
    },
    /// Nobody has this name, now or among the addresses.
    #[error(
        "nobody in this tenant is called {asked}, nobody has it among the addresses, and nobody of that name was deleted{}",
        not_looked(missing)
    )]
    Unknown {
        /// The name that was given.
        asked: String,
        /// What could not be looked at.
        missing: Vec<String>,
    },
    /// Several accounts have it among their addresses.
    #[error("{asked} is an address of several accounts: {}", accounts.join(", "))]
    Several {
        /// The name that was given.
        asked: String,
        /// Sign-in names.
        accounts: Vec<String>,
    },
}

fn not_looked(missing: &[String]) -> String {
    if missing.is_empty() {
        String::new()
    } else {
        format!(", as far as could be seen ({})", missing.join("; "))
    }
}

impl NoAccount {
    /// Its page in the error book.
    pub const fn code(&self) -> Code {
        match self {
            Self::Deleted { .. } => codes::DELETED_USER,
            Self::Unknown { .. } | Self::Several { .. } => codes::UNKNOWN_USER,
        }
    }

    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Deleted { id, .. } => format!(
                "A deleted account cannot sign in and its refresh tokens are refused; access tokens that were out before \
                 live at most 90 min longer. To clean what it left, restore it first, within 30 days of the deletion \
                 (POST /v1.0/directory/deletedItems/{id}/restore with User.DeleteRestore.All, or Deleted users in the \
                 Entra admin center), and give the same command at once: it comes back with its password, methods, rules \
                 and consents."
            ),
            Self::Unknown { .. } => {
                "Check the spelling and the tenant. An account that was renamed without keeping its old address is found in \
                 the directory audits: look for \"Update user\" with the old name under UserPrincipalName, and give the \
                 object id of its target."
                    .to_owned()
            }
            Self::Several { .. } => "Give the sign-in name or the object id of the one that is meant.".to_owned(),
        }
    }
}

/// Looks for an account under a former name. The first error is what the
/// directory said about the name itself.
pub(crate) async fn by_former_name(
    tenant: &Tenant,
    asked: &str,
) -> Result<Read<User>, ResponderError> {
    let (holders, deleted) =
        futures_util::future::join(tenant.users_by_address(asked), tenant.deleted_users()).await;
    let mut missing = Vec::new();
    match holders {
        Ok(read) => match read.value.as_slice() {
            [] => {}
            // Read again by its id: what the case keeps is that one answer.
            [one] => return Ok(tenant.user(&one.id).await?),
            several => {
                return Err(NoAccount::Several {
                    asked: asked.to_owned(),
                    accounts: several
                        .iter()
                        .map(|user| user.user_principal_name.clone())
                        .collect(),
                }
                .into());
            }
        },
        Err(error) => missing.push(look_failed("former addresses", error)?),
    }
    match deleted {
        Ok(read) => {
            if let Some(user) = read.value.iter().find(|user| user.is(asked)) {
                return Err(NoAccount::Deleted {
                    asked: asked.to_owned(),
                    id: user.id.clone(),
                    at: user.deleted_date_time.map(crate::explain::in_seconds),
                }
                .into());
            }
            if let Some(why) = read.completeness.why() {
                missing.push(format!("deleted users: {why}"));
            }
        }
        Err(error) => missing.push(look_failed("deleted users", error)?),
    }
    Err(NoAccount::Unknown {
        asked: asked.to_owned(),
        missing,
    }
    .into())
}

/// A look that was refused is said; one that failed on the way stops here, since
/// the same command may find the account the next time.
fn look_failed(what: &str, error: TenantError) -> Result<String, ResponderError> {
    match error.kind {
        Kind::PermissionMissing { .. } | Kind::Refused | Kind::NotFound | Kind::LicenceMissing => {
            Ok(format!("{what}: {error}"))
        }
        _ => Err(error.into()),
    }
}
