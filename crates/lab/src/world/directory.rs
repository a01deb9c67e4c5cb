//! Users, methods, groups, roles, apps and consents.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::legacy::AppPassword;
use super::standing::OnPremises;
use super::tokens::{CaeCut, Cut};

/// Member or guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UserType {
    /// Belongs to the tenant.
    Member,
    /// Invited.
    Guest,
}

/// A user account.
#[allow(clippy::struct_field_names, reason = "the wire says userType")]
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) upn: String,
    pub(crate) mail: String,
    pub(crate) display_name: String,
    pub(crate) given_name: String,
    pub(crate) surname: String,
    pub(crate) job_title: String,
    pub(crate) department: String,
    pub(crate) office: String,
    pub(crate) mobile_phone: Option<String>,
    pub(crate) business_phones: Vec<String>,
    pub(crate) other_mails: Vec<String>,
    pub(crate) proxy_addresses: Vec<String>,
    pub(crate) user_type: UserType,
    pub(crate) created: Timestamp,
    pub(crate) enabled: bool,
    /// Has a licence with a mailbox.
    pub(crate) has_mailbox: bool,
    /// SKU ids of the licences.
    pub(crate) licences: Vec<String>,
    pub(crate) manager: Option<String>,
    /// What the on-premises directory holds, of a synchronised account.
    pub(crate) on_premises: Option<OnPremises>,
    pub(crate) password: Password,
    pub(crate) password_changed: Timestamp,
    pub(crate) must_change_password: bool,
    pub(crate) sessions_valid_from: Timestamp,
    pub(crate) methods: Vec<Method>,
    /// Id of the default second factor.
    pub(crate) default_method: Option<String>,
    pub(crate) risk: Option<Risk>,
    /// Passwords for old programs, which no interface shows.
    pub(crate) app_passwords: Vec<AppPassword>,
    /// What ended refresh tokens and cookies, oldest first.
    pub(crate) cuts: Vec<Cut>,
    /// What continuous access evaluation cuts, oldest first.
    pub(crate) cae_cuts: Vec<CaeCut>,
    /// Since a block was lifted Exchange keeps the user out until then.
    pub(crate) exchange_closed_until: Option<Timestamp>,
    /// What directory reads still show after a write, and until when.
    pub(crate) stale: Option<(Timestamp, Box<User>)>,
}

impl User {
    /// An enabled member with a mailbox, a password and no second factor.
    pub(crate) fn new(id: &str, upn: &str, display_name: &str, created: Timestamp) -> Self {
        let (given, sur) = display_name.split_once(' ').unwrap_or((display_name, ""));
        Self {
            id: id.to_owned(),
            upn: upn.to_owned(),
            mail: upn.to_owned(),
            display_name: display_name.to_owned(),
            given_name: given.to_owned(),
            surname: sur.to_owned(),
            job_title: String::new(),
            department: String::new(),
            office: String::new(),
            mobile_phone: None,
            business_phones: Vec::new(),
            other_mails: Vec::new(),
            proxy_addresses: vec![format!("SMTP:{upn}")],
            user_type: UserType::Member,
            created,
            enabled: true,
            has_mailbox: true,
            licences: Vec::new(),
            manager: None,
            on_premises: None,
            password: Password::default(),
            password_changed: created,
            must_change_password: false,
            sessions_valid_from: created,
            methods: vec![Method {
                id: super::known::PASSWORD_METHOD.to_owned(),
                kind: MethodKind::Password,
                created: Some(created),
            }],
            default_method: None,
            risk: None,
            app_passwords: Vec::new(),
            cuts: Vec::new(),
            cae_cuts: Vec::new(),
            exchange_closed_until: None,
            stale: None,
        }
    }

    /// The method with this id.
    pub(crate) fn method(&self, id: &str) -> Option<&Method> {
        self.methods
            .iter()
            .find(|method| method.id.eq_ignore_ascii_case(id))
    }

    /// Methods that count as a second factor.
    pub(crate) fn second_factors(&self) -> impl Iterator<Item = &Method> {
        self.methods
            .iter()
            .filter(|method| method.kind.is_second_factor())
    }
}

/// A password as the directory keeps it: no way back to the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Password([u8; 32]);

impl Password {
    /// The password with this text, of this user.
    pub(crate) fn new(user_id: &str, text: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(user_id.as_bytes());
        hash.update([0]);
        hash.update(text.as_bytes());
        Self(hash.finalize().into())
    }

    /// Whether this is the text.
    pub(crate) fn matches(&self, user_id: &str, text: &str) -> bool {
        *self == Self::new(user_id, text)
    }
}

/// The user's risk in Identity Protection.
#[derive(Clone, Debug)]
pub(crate) struct Risk {
    /// low, medium, high, none.
    pub(crate) level: String,
    /// atRisk, confirmedCompromised, dismissed, remediated.
    pub(crate) state: String,
    /// Detail word of the service.
    pub(crate) detail: String,
    pub(crate) updated: Timestamp,
}

/// A registered authentication method.
#[derive(Clone, Debug)]
pub(crate) struct Method {
    pub(crate) id: String,
    pub(crate) kind: MethodKind,
    /// When it was registered; the interface does not show it for every kind.
    pub(crate) created: Option<Timestamp>,
}

impl Method {
    /// Gives the thing behind it another name, where it has one.
    pub(crate) fn rename(&mut self, name: impl Fn(&str) -> String) {
        if let MethodKind::Authenticator { display_name, .. }
        | MethodKind::Fido2 { display_name, .. } = &mut self.kind
        {
            *display_name = name(display_name);
        }
    }
}

/// Which phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PhoneKind {
    Mobile,
    AlternateMobile,
    Office,
}

impl PhoneKind {
    /// The word on the wire.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::AlternateMobile => "alternateMobile",
            Self::Office => "office",
        }
    }

    /// The fixed method id (reference §2.2).
    pub(crate) const fn method_id(self) -> &'static str {
        match self {
            Self::Mobile => super::known::MOBILE_METHOD,
            Self::AlternateMobile => super::known::ALTERNATE_MOBILE_METHOD,
            Self::Office => super::known::OFFICE_PHONE_METHOD,
        }
    }
}

/// The kind of a method and what belongs to the kind (reference §2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MethodKind {
    Password,
    Phone {
        number: String,
        kind: PhoneKind,
    },
    Email {
        address: String,
    },
    Authenticator {
        display_name: String,
        device_tag: String,
        version: String,
    },
    Fido2 {
        display_name: String,
        model: String,
        aa_guid: String,
    },
    SoftwareOath,
    HardwareOath {
        serial: String,
    },
    WindowsHello {
        display_name: String,
    },
    TemporaryAccessPass {
        /// The pass; shown once.
        pass: String,
        starts: Timestamp,
        minutes: i32,
        once: bool,
    },
}

impl MethodKind {
    /// The type name after `#microsoft.graph.`.
    pub(crate) const fn type_name(&self) -> &'static str {
        match self {
            Self::Password => "passwordAuthenticationMethod",
            Self::Phone { .. } => "phoneAuthenticationMethod",
            Self::Email { .. } => "emailAuthenticationMethod",
            Self::Authenticator { .. } => "microsoftAuthenticatorAuthenticationMethod",
            Self::Fido2 { .. } => "fido2AuthenticationMethod",
            Self::SoftwareOath => "softwareOathAuthenticationMethod",
            Self::HardwareOath { .. } => "hardwareOathAuthenticationMethod",
            Self::WindowsHello { .. } => "windowsHelloForBusinessAuthenticationMethod",
            Self::TemporaryAccessPass { .. } => "temporaryAccessPassAuthenticationMethod",
        }
    }

    /// The path segment after `/authentication/`.
    pub(crate) const fn segment(&self) -> &'static str {
        match self {
            Self::Password => "passwordMethods",
            Self::Phone { .. } => "phoneMethods",
            Self::Email { .. } => "emailMethods",
            Self::Authenticator { .. } => "microsoftAuthenticatorMethods",
            Self::Fido2 { .. } => "fido2Methods",
            Self::SoftwareOath => "softwareOathMethods",
            Self::HardwareOath { .. } => "hardwareOathMethods",
            Self::WindowsHello { .. } => "windowsHelloForBusinessMethods",
            Self::TemporaryAccessPass { .. } => "temporaryAccessPassMethods",
        }
    }

    /// Mail addresses serve self-service reset alone; passwords are the first
    /// factor.
    pub(crate) const fn is_second_factor(&self) -> bool {
        !matches!(self, Self::Password | Self::Email { .. })
    }

    /// The word for the default second factor (beta `signInPreferences`);
    /// passkeys, Hello and access passes cannot be the default.
    pub(crate) const fn preference(&self) -> Option<&'static str> {
        match self {
            Self::Authenticator { .. } => Some("push"),
            Self::SoftwareOath | Self::HardwareOath { .. } => Some("oath"),
            Self::Phone { kind, .. } => Some(match kind {
                PhoneKind::Mobile => "sms",
                PhoneKind::AlternateMobile => "voiceAlternateMobile",
                PhoneKind::Office => "voiceOffice",
            }),
            _ => None,
        }
    }

    /// The words of the audit log for this method.
    pub(crate) const fn audit_words(&self) -> &'static str {
        match self {
            Self::Password => "Password",
            Self::Phone { .. } => "Phone",
            Self::Email { .. } => "Email",
            Self::Authenticator { .. } => "Authenticator App with Push Notification",
            Self::Fido2 { .. } => "Fido",
            Self::SoftwareOath => "Authenticator App with Code",
            Self::HardwareOath { .. } => "Hardware OATH token",
            Self::WindowsHello { .. } => "Windows Hello for Business",
            Self::TemporaryAccessPass { .. } => "Temporary Access Pass",
        }
    }
}

/// A group.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) display_name: String,
    pub(crate) description: String,
    pub(crate) mail: Option<String>,
    pub(crate) security: bool,
    pub(crate) assignable_to_role: bool,
    pub(crate) created: Timestamp,
    /// User ids.
    pub(crate) members: Vec<String>,
    /// User ids.
    pub(crate) owners: Vec<String>,
}

/// An active directory role assignment.
#[derive(Clone, Debug)]
pub(crate) struct RoleAssignment {
    pub(crate) id: String,
    /// A user or a service principal.
    pub(crate) principal_id: String,
    /// Role template id, see `known::role`.
    pub(crate) role: String,
    /// The administrative unit that it is over; `None` is the whole tenant.
    pub(crate) unit: Option<String>,
}

/// An app as it exists in this tenant.
#[derive(Clone, Debug)]
pub(crate) struct ServicePrincipal {
    pub(crate) id: String,
    pub(crate) app_id: String,
    pub(crate) display_name: String,
    pub(crate) enabled: bool,
    /// Tenant that owns the app.
    pub(crate) owner_tenant: String,
    /// Name of the verified publisher, if there is one.
    pub(crate) verified_publisher: Option<String>,
    pub(crate) reply_urls: Vec<String>,
    pub(crate) homepage: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) tags: Vec<String>,
}

impl ServicePrincipal {
    /// An enabled app of another tenant, without a verified publisher.
    pub(crate) fn new(
        id: &str,
        app_id: &str,
        display_name: &str,
        owner_tenant: &str,
        created: Timestamp,
    ) -> Self {
        Self {
            id: id.to_owned(),
            app_id: app_id.to_owned(),
            display_name: display_name.to_owned(),
            enabled: true,
            owner_tenant: owner_tenant.to_owned(),
            verified_publisher: None,
            reply_urls: Vec::new(),
            homepage: None,
            created,
            tags: vec![String::from("WindowsAzureActiveDirectoryIntegratedApp")],
        }
    }
}

/// A delegated permission grant.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) id: String,
    /// Object id of the client's service principal.
    pub(crate) client_id: String,
    /// The user; `None` means everyone (AllPrincipals).
    pub(crate) principal_id: Option<String>,
    /// Object id of the resource's service principal.
    pub(crate) resource_id: String,
    /// Scopes, in the order of the consent.
    pub(crate) scopes: Vec<String>,
}
