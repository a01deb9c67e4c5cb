//! Sessions, tokens and what ends them (reference §9.1, §9.2).

use std::collections::BTreeMap;

use jiff::Timestamp;

/// The columns of the table of §9.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Obtained with a password (with or without a second factor).
    Password,
    /// Obtained by passkey, Hello, passwordless Authenticator or certificate.
    NonPassword,
    /// Held by a confidential client.
    ConfidentialClient,
}

/// The rows of the table of §9.2 that the lab plays.
#[allow(dead_code, reason = "rows of the table that nobody plays yet")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CutKind {
    /// The user changed the password.
    UserChangedPassword,
    /// Self-service reset.
    SelfServiceReset,
    /// Reset in the Azure portal; a Graph PATCH of `passwordProfile` is taken
    /// as this weakest administrator's row.
    AdminReset,
    /// Reset in the Entra admin centre.
    AdminCentreReset,
    /// The user or an administrator revoked.
    Revoked,
    /// Single sign-out of the user.
    SignedOut,
}

impl CutKind {
    /// Whether this ends a refresh token of the class.
    pub(crate) const fn ends_refresh(self, class: Class) -> bool {
        match self {
            Self::Revoked | Self::AdminCentreReset => true,
            Self::SignedOut => false,
            Self::UserChangedPassword | Self::SelfServiceReset | Self::AdminReset => {
                matches!(class, Class::Password)
            }
        }
    }

    /// Whether this ends a browser cookie of the class.
    pub(crate) const fn ends_cookie(self, class: Class) -> bool {
        match self {
            Self::Revoked | Self::SignedOut => true,
            Self::UserChangedPassword
            | Self::SelfServiceReset
            | Self::AdminReset
            | Self::AdminCentreReset => matches!(class, Class::Password),
        }
    }

    /// The error a refused refresh token gets (reference §1.3).
    pub(crate) const fn error(self) -> u32 {
        match self {
            Self::Revoked | Self::SignedOut => 50173,
            _ => 50133,
        }
    }
}

/// One event that ended tokens of a user.
#[derive(Clone, Debug)]
pub(crate) struct Cut {
    pub(crate) kind: CutKind,
    /// Everything authenticated before this moment …
    pub(crate) at: Timestamp,
    /// … is refused from this moment on.
    pub(crate) effective: Timestamp,
}

/// One critical event of continuous access evaluation.
#[derive(Clone, Debug)]
pub(crate) struct CaeCut {
    /// Tokens issued before this …
    pub(crate) at: Timestamp,
    /// … are refused from here on.
    pub(crate) effective: Timestamp,
}

/// Whom a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Resource {
    Graph,
    Exchange,
    Management,
}

impl Resource {
    /// The resource's app id.
    pub(crate) const fn app_id(self) -> &'static str {
        match self {
            Self::Graph => super::known::GRAPH,
            Self::Exchange => super::known::EXCHANGE,
            Self::Management => super::known::MANAGEMENT,
        }
    }

    /// The name in sign-in logs.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Graph => "Microsoft Graph",
            Self::Exchange => "Office 365 Exchange Online",
            Self::Management => "Office 365 Management APIs",
        }
    }
}

/// A signed-in session of a user at one browser or client.
#[allow(dead_code, reason = "kept for whoever looks at the state")]
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) user: String,
    pub(crate) class: Class,
    pub(crate) started: Timestamp,
    pub(crate) ip: String,
    pub(crate) user_agent: String,
    /// The second factor was proven.
    pub(crate) mfa: bool,
    /// Began with the device code flow.
    pub(crate) device_code: bool,
}

/// An access token that was issued.
#[derive(Clone, Debug)]
pub(crate) struct AccessToken {
    pub(crate) token: String,
    /// The user; `None` for app-only.
    pub(crate) user: Option<String>,
    pub(crate) app_id: String,
    pub(crate) resource: Resource,
    /// Delegated scopes.
    pub(crate) scopes: Vec<String>,
    /// App roles, for app-only tokens.
    pub(crate) roles: Vec<String>,
    pub(crate) issued: Timestamp,
    pub(crate) expires: Timestamp,
    /// A long token that continuous access evaluation cuts.
    pub(crate) cae: bool,
    /// Refused with a claims challenge since then, by a fault.
    pub(crate) challenged: Option<Timestamp>,
    pub(crate) session: Option<String>,
    /// Directory roles of the principal when it was issued: the `wids` claim.
    pub(crate) directory_roles: Vec<String>,
    /// `uti`: the sign-in's id as base64url of its .NET bytes (reference §7.1).
    pub(crate) unique_id: String,
}

/// A refresh token.
#[allow(dead_code, reason = "kept for whoever looks at the state")]
#[derive(Clone, Debug)]
pub(crate) struct RefreshToken {
    pub(crate) token: String,
    pub(crate) user: String,
    pub(crate) app_id: String,
    pub(crate) session: String,
    pub(crate) class: Class,
    pub(crate) scopes: Vec<String>,
    /// When the user proved who it is: what a revocation is measured against.
    pub(crate) authenticated: Timestamp,
    pub(crate) last_used: Timestamp,
}

/// A browser's session cookie at the sign-in service.
#[derive(Clone, Debug)]
pub(crate) struct Cookie {
    pub(crate) user: String,
    pub(crate) session: String,
    pub(crate) class: Class,
    pub(crate) authenticated: Timestamp,
    pub(crate) last_used: Timestamp,
    /// "Keep me signed in".
    pub(crate) persistent: bool,
}

/// What became of a device code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DeviceCodeState {
    Pending,
    Declined,
    /// Approved in this session.
    Approved(String),
    Redeemed,
}

/// A device code.
#[allow(clippy::struct_field_names, reason = "the wire says device_code")]
#[allow(dead_code, reason = "kept for whoever looks at the state")]
#[derive(Clone, Debug)]
pub(crate) struct DeviceCode {
    pub(crate) device_code: String,
    pub(crate) user_code: String,
    pub(crate) app_id: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) expires: Timestamp,
    pub(crate) state: DeviceCodeState,
    /// Address that asked for the code.
    pub(crate) ip: String,
}

/// A code from the authorize page, for the client to redeem.
#[derive(Clone, Debug)]
pub(crate) struct AuthorizationCode {
    pub(crate) app_id: String,
    pub(crate) redirect_uri: String,
    /// S256 of the verifier; the client must know what it is the hash of.
    pub(crate) challenge: Option<String>,
    pub(crate) scope: String,
    pub(crate) nonce: Option<String>,
    pub(crate) session: String,
    pub(crate) expires: Timestamp,
    pub(crate) redeemed: bool,
}

/// Everything that was issued, by its secret.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tokens {
    /// By id.
    pub(crate) sessions: BTreeMap<String, Session>,
    pub(crate) access: BTreeMap<String, AccessToken>,
    pub(crate) refresh: BTreeMap<String, RefreshToken>,
    pub(crate) cookies: BTreeMap<String, Cookie>,
    /// By device code.
    pub(crate) device_codes: BTreeMap<String, DeviceCode>,
    /// By code.
    pub(crate) codes: BTreeMap<String, AuthorizationCode>,
    /// What a machine's identity endpoint keeps, by resource: the access token.
    pub(crate) machine: BTreeMap<Resource, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ended: password-based cookie and refresh token, the same without a
    /// password, a confidential client's refresh token.
    type Row = (CutKind, [bool; 5]);

    #[test]
    fn the_documented_table_of_what_ends_what() {
        // reference §9.2
        let table: [Row; 6] = [
            (
                CutKind::UserChangedPassword,
                [true, true, false, false, false],
            ),
            (CutKind::SelfServiceReset, [true, true, false, false, false]),
            (CutKind::AdminReset, [true, true, false, false, false]),
            (CutKind::AdminCentreReset, [true, true, false, true, true]),
            (CutKind::Revoked, [true, true, true, true, true]),
            (CutKind::SignedOut, [true, false, true, false, false]),
        ];
        for (kind, ended) in table {
            let shown = [
                kind.ends_cookie(Class::Password),
                kind.ends_refresh(Class::Password),
                kind.ends_cookie(Class::NonPassword),
                kind.ends_refresh(Class::NonPassword),
                kind.ends_refresh(Class::ConfidentialClient),
            ];
            assert_eq!(shown, ended, "{kind:?}");
        }
    }
}
