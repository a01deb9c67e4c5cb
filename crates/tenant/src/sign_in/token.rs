//! Tokens, and what they say about themselves.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::call::CallSpec;

/// An access token that cannot be printed.
#[derive(Clone)]
pub(crate) struct Token {
    pub(super) secret: Arc<SecretString>,
    pub(super) number: u64,
}

impl Token {
    pub(crate) fn secret(&self) -> &SecretString {
        &self.secret
    }

    pub(crate) fn scrub(&self, text: &str) -> String {
        cut(text, self.secret.expose_secret(), "<token>")
    }

    pub(crate) fn scrub_bytes(&self, body: Bytes) -> Bytes {
        let secret = self.secret.expose_secret();
        let text = String::from_utf8_lossy(&body);
        if !secret.is_empty() && text.contains(secret) {
            Bytes::from(text.replace(secret, "<token>"))
        } else {
            body
        }
    }
}

/// `text` without `secret`. Nothing is not a secret: it stands between any two letters.
pub(crate) fn cut(text: &str, secret: &str, instead: &str) -> String {
    if secret.is_empty() {
        text.to_owned()
    } else {
        text.replace(secret, instead)
    }
}

/// A token fresh from the token service.
pub(super) struct Fetched {
    pub(super) token: SecretString,
    pub(super) expires_in: Duration,
}

/// What an access token says about itself. Microsoft calls tokens opaque, so
/// this is a help for a preflight and never a proof.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct TokenFacts {
    /// Tenant id: the tenant that the token is for.
    #[serde(default, rename = "tid")]
    pub tenant_id: Option<String>,
    /// Object id of whoever signed in: a person, or the app's service principal.
    #[serde(default, rename = "oid")]
    pub object_id: Option<String>,
    /// App id of the app registration.
    #[serde(default, rename = "appid", alias = "azp")]
    pub app_id: Option<String>,
    /// The person's sign-in name, if a person signed in.
    #[serde(default)]
    pub upn: Option<String>,
    /// Who vouched for the person, where that is another tenant:
    /// `https://sts.windows.net/{tenant id}/`.
    #[serde(default, rename = "idp")]
    pub identity_provider: Option<String>,
    /// Application permissions.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Delegated permissions, separated by spaces.
    #[serde(default)]
    pub scp: Option<String>,
    /// Template ids of the directory roles held.
    #[serde(default)]
    pub wids: Vec<String>,
}

impl TokenFacts {
    pub(super) fn of(token: &SecretString) -> Option<Self> {
        let payload = token.expose_secret().split('.').nth(1)?;
        let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Whether the token carries what a call needs, or more of the same
    /// (`ReadWrite` for `Read`). Roles are not looked at.
    pub fn allows(&self, call: &CallSpec) -> bool {
        call.permissions.iter().any(|permission| {
            self.has(permission)
                || self.has(&permission.replace(".Read.", ".ReadWrite."))
                || permission
                    .strip_suffix(".Read")
                    .is_some_and(|area| self.has(&format!("{area}.ReadWrite")))
                || (*permission == "Mail.ReadBasic.All"
                    && (self.has("Mail.Read") || self.has("Mail.ReadWrite")))
        })
    }

    /// Whether a permission is among the token's, of either sort.
    pub fn has(&self, permission: &str) -> bool {
        self.roles.iter().any(|role| role == permission)
            || self
                .scp
                .iter()
                .flat_map(|scopes| scopes.split(' '))
                .any(|scope| scope == permission)
    }

    /// The tenant that the person is at home in, if the token says that it is
    /// another than the one that the token is for: a guest, or a partner's
    /// administrator.
    pub fn foreign_home(&self) -> Option<&str> {
        let home = self
            .identity_provider
            .as_deref()?
            .strip_prefix("https://sts.windows.net/")?
            .trim_end_matches('/');
        let tenant = self.tenant_id.as_deref().unwrap_or_default();
        (!home.is_empty() && !home.eq_ignore_ascii_case(tenant)).then_some(home)
    }

    /// Whether whoever signed in is a guest in the tenant, as far as the token tells.
    pub fn is_guest(&self) -> bool {
        let upn = self.upn.as_deref().unwrap_or_default();
        upn.to_ascii_uppercase().contains("#EXT#")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_from_elsewhere_is_told_from_one_at_home() {
        let facts = |text: &str| serde_json::from_str::<TokenFacts>(text).unwrap();
        let home = facts(r#"{"tid":"T1","upn":"a@b.example"}"#);
        assert_eq!(home.foreign_home(), None);
        assert!(!home.is_guest());
        let same = facts(r#"{"tid":"T1","idp":"https://sts.windows.net/t1/"}"#);
        assert_eq!(same.foreign_home(), None);
        let guest = facts(
            r##"{"tid":"T1","idp":"https://sts.windows.net/T2/","upn":"a_b.example#ext#@c.example"}"##,
        );
        assert_eq!(guest.foreign_home(), Some("T2"));
        assert!(guest.is_guest());
    }
}
