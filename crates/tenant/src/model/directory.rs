//! The directory: accounts, methods, apps, grants.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Other, lenient};
use crate::call::{CallSpec, DELETE_METHOD, DELETE_METHOD_BETA};

/// An account (reference §2.1). Properties outside `$select` are absent.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Object id.
    pub id: String,
    /// Sign-in name.
    #[serde(default)]
    pub user_principal_name: String,
    /// Display name.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Primary address.
    #[serde(default)]
    pub mail: Option<String>,
    /// Whether sign-in is allowed; `None` if the service did not say.
    #[serde(default)]
    pub account_enabled: Option<bool>,
    /// `Member` or `Guest`.
    #[serde(default)]
    pub user_type: Option<String>,
    /// When it was made.
    #[serde(default, deserialize_with = "lenient::time")]
    pub created_date_time: Option<Timestamp>,
    /// When the password was last set, by whom ever.
    #[serde(default, deserialize_with = "lenient::time")]
    pub last_password_change_date_time: Option<Timestamp>,
    /// Refresh tokens and sessions from before this moment are void.
    #[serde(default, deserialize_with = "lenient::time")]
    pub sign_in_sessions_valid_from_date_time: Option<Timestamp>,
    /// `true` if an on-premises directory is the master; `None` or `false` if never.
    #[serde(default)]
    pub on_premises_sync_enabled: Option<bool>,
    /// When it was last synchronised.
    #[serde(default, deserialize_with = "lenient::time")]
    pub on_premises_last_sync_date_time: Option<Timestamp>,
    /// Department.
    #[serde(default)]
    pub department: Option<String>,
    /// Job title.
    #[serde(default)]
    pub job_title: Option<String>,
    /// Whether it is in a restricted-management unit (reference §0.8).
    #[serde(default)]
    pub is_management_restricted: Option<bool>,
    /// All addresses, each with its `SMTP:` or `smtp:` prefix.
    #[serde(default, deserialize_with = "lenient::list")]
    pub proxy_addresses: Vec<String>,
    /// Addresses outside, also used for self-service reset.
    #[serde(default, deserialize_with = "lenient::list")]
    pub other_mails: Vec<String>,
    /// Mobile phone, also used for self-service reset.
    #[serde(default)]
    pub mobile_phone: Option<String>,
    /// Office phones.
    #[serde(default, deserialize_with = "lenient::list")]
    pub business_phones: Vec<String>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}

impl User {
    /// The properties that are asked for, and no more: `$select` also lowers the cost (reference §10).
    pub const SELECT: &str = "id,userPrincipalName,displayName,mail,accountEnabled,userType,createdDateTime,\
lastPasswordChangeDateTime,signInSessionsValidFromDateTime,onPremisesSyncEnabled,onPremisesLastSyncDateTime,onPremisesImmutableId,\
department,jobTitle,isManagementRestricted,proxyAddresses,otherMails,mobilePhone,businessPhones,\
assignedLicenses,usageLocation";
}

/// An account in the bin.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeletedUser {
    /// Object id, which it keeps.
    pub id: String,
    /// Sign-in name; the service puts the object id before it.
    #[serde(default)]
    pub user_principal_name: String,
    /// Display name.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Primary address.
    #[serde(default)]
    pub mail: Option<String>,
    /// When it was deleted.
    #[serde(default, deserialize_with = "lenient::time")]
    pub deleted_date_time: Option<Timestamp>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}

impl DeletedUser {
    /// The properties that are asked for.
    pub const SELECT: &str = "id,userPrincipalName,displayName,mail,deletedDateTime";

    /// Whether this is the account that was asked for, by id, name or address.
    pub fn is(&self, asked: &str) -> bool {
        let name = self.user_principal_name.to_lowercase();
        let asked = asked.to_lowercase();
        let bare = name
            .strip_prefix(&self.id.replace('-', "").to_lowercase())
            .or_else(|| name.strip_prefix(&self.id.to_lowercase()))
            .unwrap_or(&name);
        self.id.eq_ignore_ascii_case(&asked)
            || bare == asked
            || self
                .mail
                .as_deref()
                .is_some_and(|mail| mail.eq_ignore_ascii_case(&asked))
    }
}

/// A group, role or unit that somebody is in, or somebody's manager.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryObject {
    /// For example `#microsoft.graph.directoryRole`.
    #[serde(default, rename = "@odata.type")]
    pub odata_type: Option<String>,
    /// Object id.
    pub id: String,
    /// Display name.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Sign-in name, of a person.
    #[serde(default)]
    pub user_principal_name: Option<String>,
    /// Template of a directory role, the same in all tenants.
    #[serde(default)]
    pub role_template_id: Option<String>,
    /// Whether a group can hold roles, which makes its members privileged.
    #[serde(default)]
    pub is_assignable_to_role: Option<bool>,
    /// Whether only roles over this unit may change its members (reference §0.8).
    #[serde(default)]
    pub is_member_management_restricted: Option<bool>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}

impl DirectoryObject {
    /// Whether it is a unit whose members only its own roles may change.
    pub fn is_restricted_unit(&self) -> bool {
        self.odata_type.as_deref() == Some("#microsoft.graph.administrativeUnit")
            && self.is_member_management_restricted == Some(true)
    }

    /// Whether it is an active directory role.
    pub fn is_role(&self) -> bool {
        self.odata_type.as_deref() == Some("#microsoft.graph.directoryRole")
    }
}

/// The tenant.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Organization {
    /// Tenant id.
    pub id: String,
    /// Name.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Its domains: an address under any of them is inside.
    #[serde(default, deserialize_with = "lenient::list")]
    pub verified_domains: Vec<Domain>,
    /// Whether an on-premises directory is synchronised.
    #[serde(default)]
    pub on_premises_sync_enabled: Option<bool>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}

/// A domain of the tenant, in the tenant's own description or in the list of domains.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Domain {
    /// Its name; the list of domains calls it `id`.
    #[serde(alias = "id")]
    pub name: String,
    /// `Managed`, or `Federated` where another provider signs its people in.
    #[serde(default)]
    pub authentication_type: Option<String>,
    /// Whether new addresses get it.
    #[serde(default)]
    pub is_default: Option<bool>,
    /// Whether it is the `onmicrosoft.com` one.
    #[serde(default)]
    pub is_initial: Option<bool>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}

/// An authentication method (reference §2.2).
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Method {
    /// Its type as the service writes it; unknown ones are kept.
    #[serde(default, rename = "@odata.type")]
    pub odata_type: String,
    /// Method id. Phones and the password have ids that are the same for everybody.
    #[serde(default)]
    pub id: String,
    /// When it was registered, where the service says so.
    #[serde(default, deserialize_with = "lenient::time")]
    pub created_date_time: Option<Timestamp>,
    /// Display name, of a device or key.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Phone number, of a phone.
    #[serde(default)]
    pub phone_number: Option<String>,
    /// `mobile`, `alternateMobile` or `office`, of a phone.
    #[serde(default)]
    pub phone_type: Option<String>,
    /// Address, of an email method.
    #[serde(default)]
    pub email_address: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}

impl Method {
    /// Its kind, as far as it is known.
    pub fn kind(&self) -> MethodKind {
        MethodKind::of(&self.odata_type)
    }
}

macro_rules! method_kinds {
    ($($kind:ident $type:literal $segment:literal $version:ident, $words:literal;)*) => {
        /// Kinds of authentication methods.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum MethodKind {
            $(#[doc = $words] $kind,)*
            /// A kind that did not exist when this was written.
            Unknown,
        }

        impl MethodKind {
            /// The kind of an `@odata.type`.
            pub fn of(odata_type: &str) -> Self {
                match odata_type.trim_start_matches('#').trim_start_matches("microsoft.graph.") {
                    $($type => Self::$kind,)*
                    _ => Self::Unknown,
                }
            }

            /// What a person reads.
            pub const fn words(self) -> &'static str {
                match self {
                    $(Self::$kind => $words,)*
                    Self::Unknown => "method of an unknown kind",
                }
            }

            /// The call that deletes one, and the kind's path segment; none
            /// for what cannot be deleted or addressed.
            pub(crate) fn deletion(self) -> Option<(&'static CallSpec, &'static str)> {
                match self {
                    $(Self::$kind => method_kinds!(@ $version $segment),)*
                    Self::Unknown => None,
                }
            }
        }
    };
    (@ v1 $segment:literal) => { Some((&DELETE_METHOD, $segment)) };
    (@ beta $segment:literal) => { Some((&DELETE_METHOD_BETA, $segment)) };
    (@ never $segment:literal) => { None };
}

method_kinds! {
    Password "passwordAuthenticationMethod" "passwordMethods" never, "password";
    Phone "phoneAuthenticationMethod" "phoneMethods" v1, "phone";
    Email "emailAuthenticationMethod" "emailMethods" v1, "email";
    Authenticator "microsoftAuthenticatorAuthenticationMethod" "microsoftAuthenticatorMethods" v1, "Microsoft Authenticator";
    PasswordlessAuthenticator "passwordlessMicrosoftAuthenticatorAuthenticationMethod" "passwordlessMicrosoftAuthenticatorMethods" beta, "passwordless Microsoft Authenticator";
    Fido2 "fido2AuthenticationMethod" "fido2Methods" v1, "security key or passkey";
    SoftwareOath "softwareOathAuthenticationMethod" "softwareOathMethods" v1, "authenticator app with codes";
    HardwareOath "hardwareOathAuthenticationMethod" "hardwareOathMethods" beta, "hardware token";
    TemporaryAccessPass "temporaryAccessPassAuthenticationMethod" "temporaryAccessPassMethods" v1, "temporary access pass";
    WindowsHello "windowsHelloForBusinessAuthenticationMethod" "windowsHelloForBusinessMethods" v1, "Windows Hello for Business";
    PlatformCredential "platformCredentialAuthenticationMethod" "platformCredentialMethods" v1, "platform credential";
    External "externalAuthenticationMethod" "externalAuthenticationMethods" v1, "external method";
    // Its path takes no id (reference §2.2), which no call here can express.
    QrCodePin "qrCodePinAuthenticationMethod" "qrCodePinMethod" never, "QR code and PIN";
}

/// Which method is asked for first (reference §2.2, §2.3): a kind, not an id.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SignInPreferences {
    /// `push`, `oath`, `voiceMobile`, `voiceAlternateMobile`, `voiceOffice` or `sms`.
    #[serde(default)]
    pub user_preferred_method_for_secondary_authentication: Option<String>,
    /// Whether Entra chooses instead.
    #[serde(default)]
    pub is_system_preferred_authentication_method_enabled: Option<bool>,
    /// What Entra would choose.
    #[serde(default)]
    pub system_preferred_authentication_method: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}

/// What an app may do in somebody's name, or in everybody's (reference §5).
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// Grant id.
    pub id: String,
    /// Object id of the app's service principal, not its app id.
    #[serde(default)]
    pub client_id: String,
    /// `Principal` or `AllPrincipals`.
    #[serde(default)]
    pub consent_type: Option<String>,
    /// For whom, if for one.
    #[serde(default)]
    pub principal_id: Option<String>,
    /// Object id of the service that the permissions are for.
    #[serde(default)]
    pub resource_id: String,
    /// Permissions, separated by spaces.
    #[serde(default)]
    pub scope: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}

impl Grant {
    /// The permissions, one by one.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope.as_deref().unwrap_or_default().split_whitespace()
    }
}

/// An app as it exists in the tenant.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServicePrincipal {
    /// Object id.
    pub id: String,
    /// App id, the same in all tenants.
    #[serde(default)]
    pub app_id: String,
    /// Name, chosen by whoever made the app.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Whether it gets tokens.
    #[serde(default)]
    pub account_enabled: Option<bool>,
    /// The tenant where the app was made; f8cdef31-a31e-4b4a-93e4-5f571e91255a is Microsoft's.
    #[serde(default)]
    pub app_owner_organization_id: Option<String>,
    /// Who vouches for it, as the service says it.
    #[serde(default)]
    pub verified_publisher: Option<Value>,
    /// Where it sends people after sign-in.
    #[serde(default, deserialize_with = "lenient::list")]
    pub reply_urls: Vec<String>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}

/// The risk state of an account.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RiskyUser {
    /// Object id.
    pub id: String,
    /// `none`, `low`, `medium`, `high`, `hidden`.
    #[serde(default)]
    pub risk_level: Option<String>,
    /// `atRisk`, `confirmedCompromised`, `remediated`, `dismissed`, …
    #[serde(default)]
    pub risk_state: Option<String>,
    /// Why.
    #[serde(default)]
    pub risk_detail: Option<String>,
    /// Since when.
    #[serde(default, deserialize_with = "lenient::time")]
    pub risk_last_updated_date_time: Option<Timestamp>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}
