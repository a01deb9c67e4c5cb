//! What is true in the tenant: its directory, mailboxes, tokens and logs.
//!
//! Plain data. The services read it and change it through the mutators of
//! [`changes`], [`mail`] and [`issue`], which leave the logs that the real
//! services leave; attacker and company use the same mutators.

pub(crate) mod access;
pub(crate) mod administer;
pub(crate) mod app_roles;
pub(crate) mod audit;
pub(crate) mod changes;
pub(crate) mod contact;
pub(crate) mod directory;
pub(crate) mod folders;
pub(crate) mod issue;
pub(crate) mod legacy;
pub(crate) mod logs;
pub(crate) mod mail;
pub(crate) mod mailbox;
pub(crate) mod practice;
pub(crate) mod recipients;
pub(crate) mod registration;
pub(crate) mod rights;
mod roles;
pub(crate) mod settings;
pub(crate) mod standing;
pub(crate) mod sweeping;
pub(crate) mod tokens;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::chance::{Chance, Draw};

pub(crate) use directory::{
    Grant, Group, Method, MethodKind, PhoneKind, RoleAssignment, ServicePrincipal, User, UserType,
};
pub(crate) use logs::{
    AuditQuery, DirectoryAudit, Initiator, Logs, RiskDetection, SignIn, SignInKind, UnifiedRecord,
};
pub(crate) use mailbox::{
    Address, Folder, InboxRule, Keeping, Mail, Mailbox, Message, RuleActions, RuleConditions,
};
pub(crate) use registration::AppRegistration;
pub(crate) use tokens::{AccessToken, RefreshToken, Resource, Tokens};

/// Well-known application and resource ids (public constants of the service).
pub(crate) mod known {
    /// Microsoft Graph, as a resource.
    pub(crate) const GRAPH: &str = "00000003-0000-0000-c000-000000000000";
    /// Exchange Online, as a resource.
    pub(crate) const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";
    /// Office 365 Management APIs, as a resource.
    pub(crate) const MANAGEMENT: &str = "c5393580-f805-4401-95e8-94b7a6ef2fc2";
    /// The owner tenant of Microsoft's own apps (reference §5).
    pub(crate) const MICROSOFT_TENANT: &str = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";
    /// Outlook on the web's client.
    pub(crate) const OUTLOOK_WEB: &str = "9199bf20-a13f-4107-85dc-02114787ef48";
    /// The app a browser gets when it opens the portal.
    pub(crate) const OFFICE_HOME: &str = "4765445b-32c6-49b0-83e6-1d93765276ca";
    /// The security-info page.
    pub(crate) const MY_SIGN_INS: &str = "19db86c3-b2b9-44cc-b339-36da233a3be2";
    /// Outlook mobile.
    pub(crate) const OUTLOOK_MOBILE: &str = "27922004-5251-4030-b22d-91ecd9a37ea4";
    /// The authentication broker of Windows and of telephones, to which devices register.
    pub(crate) const AUTHENTICATION_BROKER: &str = "29d9ed98-a469-4536-ade2-f981bc1d605e";
    /// Microsoft Office desktop.
    pub(crate) const OFFICE_DESKTOP: &str = "d3590ed6-52b3-4102-aeff-aad2292ab01c";
    /// The id that every password method has (reference §2.2).
    pub(crate) const PASSWORD_METHOD: &str = "28c10230-6103-485e-b985-444c60001490";
    /// The id of a mobile phone method (reference §2.2).
    pub(crate) const MOBILE_METHOD: &str = "3179e48a-750b-4051-897c-87b9720928f7";
    /// The id of an alternate mobile phone method (reference §2.2).
    pub(crate) const ALTERNATE_MOBILE_METHOD: &str = "b6332ec1-7057-4abe-9331-3d72feddfe41";
    /// The id of an office phone method.
    pub(crate) const OFFICE_PHONE_METHOD: &str = "e37fc753-ff3b-4958-9484-eaa9425c82bc";
    /// The template of a directory role by its name.
    pub(crate) fn role_template(name: &str) -> Option<&'static str> {
        Some(match name {
            "Global Administrator" => role::GLOBAL_ADMINISTRATOR,
            "Privileged Authentication Administrator" => {
                role::PRIVILEGED_AUTHENTICATION_ADMINISTRATOR
            }
            "Privileged Role Administrator" => role::PRIVILEGED_ROLE_ADMINISTRATOR,
            "Authentication Administrator" => role::AUTHENTICATION_ADMINISTRATOR,
            "User Administrator" => role::USER_ADMINISTRATOR,
            "Helpdesk Administrator" => role::HELPDESK_ADMINISTRATOR,
            "Password Administrator" => role::PASSWORD_ADMINISTRATOR,
            "Exchange Administrator" => role::EXCHANGE_ADMINISTRATOR,
            "Exchange Recipient Administrator" => role::EXCHANGE_RECIPIENT_ADMINISTRATOR,
            "Global Reader" => role::GLOBAL_READER,
            "Security Reader" => role::SECURITY_READER,
            "Security Operator" => role::SECURITY_OPERATOR,
            "Security Administrator" => role::SECURITY_ADMINISTRATOR,
            "Reports Reader" => role::REPORTS_READER,
            "Cloud Application Administrator" => role::CLOUD_APPLICATION_ADMINISTRATOR,
            "Application Administrator" => role::APPLICATION_ADMINISTRATOR,
            "Directory Readers" => role::DIRECTORY_READERS,
            "Guest Inviter" => role::GUEST_INVITER,
            "Compliance Administrator" => role::COMPLIANCE_ADMINISTRATOR,
            "Groups Administrator" => role::GROUPS_ADMINISTRATOR,
            "Cloud Device Administrator" => role::CLOUD_DEVICE_ADMINISTRATOR,
            "Intune Administrator" => role::INTUNE_ADMINISTRATOR,
            "Message Center Reader" => role::MESSAGE_CENTER_READER,
            _ => return None,
        })
    }

    /// Directory role templates.
    pub(crate) mod role {
        pub(crate) const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
        pub(crate) const PRIVILEGED_AUTHENTICATION_ADMINISTRATOR: &str =
            "7be44c8a-adaf-4e2a-84d6-ab2649e08a13";
        pub(crate) const PRIVILEGED_ROLE_ADMINISTRATOR: &str =
            "e8611ab8-c189-46e8-94e1-60213ab1f814";
        pub(crate) const AUTHENTICATION_ADMINISTRATOR: &str =
            "c4e39bd9-1100-46d3-8c65-fb160da0071f";
        pub(crate) const USER_ADMINISTRATOR: &str = "fe930be7-5e62-47db-91af-98c3a49a38b1";
        pub(crate) const HELPDESK_ADMINISTRATOR: &str = "729827e3-9c14-49f7-bb1b-9608f156bbb8";
        pub(crate) const PASSWORD_ADMINISTRATOR: &str = "966707d0-3269-4727-9be2-8c3a10f19b9d";
        pub(crate) const EXCHANGE_ADMINISTRATOR: &str = "29232cdf-9323-42fd-ade2-1d097af3e4de";
        pub(crate) const EXCHANGE_RECIPIENT_ADMINISTRATOR: &str =
            "31392ffb-586c-42d1-9346-e59415a2cc4e";
        pub(crate) const GLOBAL_READER: &str = "f2ef992c-3afb-46b9-b7cf-a126ee74c451";
        pub(crate) const SECURITY_READER: &str = "5d6b6bb7-de71-4623-b4af-96380a352509";
        pub(crate) const SECURITY_OPERATOR: &str = "5f2222b1-57c3-48ba-8ad5-d4759f1fde6f";
        pub(crate) const SECURITY_ADMINISTRATOR: &str = "194ae4cb-b126-40b2-bd5b-6091b380977d";
        pub(crate) const REPORTS_READER: &str = "4a5d8f65-41da-4de4-8968-e035b65339cf";
        pub(crate) const CLOUD_APPLICATION_ADMINISTRATOR: &str =
            "158c047a-c907-4556-b7ef-446551a6b5f7";
        pub(crate) const APPLICATION_ADMINISTRATOR: &str = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3";
        pub(crate) const DIRECTORY_READERS: &str = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b";
        pub(crate) const GUEST_INVITER: &str = "95e79109-95c0-4d8e-aee3-d01accf2d47b";
        pub(crate) const COMPLIANCE_ADMINISTRATOR: &str = "17315797-102d-40b4-93e0-432062caca18";
        pub(crate) const GROUPS_ADMINISTRATOR: &str = "fdd7a751-b60b-444a-984c-02652fe8fa1c";
        pub(crate) const CLOUD_DEVICE_ADMINISTRATOR: &str = "7698a772-787b-4ac8-901f-60d6b08affd2";
        pub(crate) const INTUNE_ADMINISTRATOR: &str = "3a2c62db-5318-420d-8d74-23affee5d9d5";
        pub(crate) const MESSAGE_CENTER_READER: &str = "790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b";
    }
}

/// The whole tenant.
#[derive(Clone, Debug)]
pub(crate) struct World {
    /// The organisation and its switches.
    pub(crate) tenant: Tenant,
    /// Users by object id.
    pub(crate) users: BTreeMap<String, User>,
    /// Users that were deleted and can be restored.
    pub(crate) deleted: standing::Bin,
    /// Administrative units by object id.
    pub(crate) units: BTreeMap<String, standing::Unit>,
    /// Registered devices by object id.
    pub(crate) devices: BTreeMap<String, legacy::Device>,
    /// Mail contacts by guid.
    pub(crate) contacts: BTreeMap<String, recipients::MailContact>,
    /// Accounts that the service stopped from sending, by address: since when, and why.
    pub(crate) stopped_senders: BTreeMap<String, (Timestamp, String)>,
    /// Grants that were deleted and still show, until then.
    pub(crate) ghosts: Vec<(Timestamp, Grant)>,
    /// Groups by object id.
    pub(crate) groups: BTreeMap<String, Group>,
    /// Active directory role assignments.
    pub(crate) roles: Vec<RoleAssignment>,
    /// Apps as they exist in this tenant, by object id.
    pub(crate) service_principals: BTreeMap<String, ServicePrincipal>,
    /// Apps that can ask the token endpoint, by client id.
    pub(crate) registrations: registration::Registrations,
    /// Ids of app roles, by the resource's app id and the role's value.
    pub(crate) app_role_ids: BTreeMap<(String, String), String>,
    /// Who holds which app role, by id.
    pub(crate) app_role_assignments: BTreeMap<String, app_roles::AppRoleAssignment>,
    /// Delegated permission grants by id.
    pub(crate) grants: BTreeMap<String, Grant>,
    /// Mailboxes by user object id.
    pub(crate) mailboxes: BTreeMap<String, Mailbox>,
    /// Sessions and everything that was issued.
    pub(crate) tokens: Tokens,
    /// What was recorded.
    pub(crate) logs: Logs,
    /// Searches of the unified audit log, by id.
    pub(crate) audit_queries: BTreeMap<String, AuditQuery>,
    /// Mail that was handed in and is not yet routed; `mailflow` empties it.
    pub(crate) outbox: Vec<Mail>,
    /// How much of the limits is used.
    pub(crate) meter: crate::services::throttle::Meter,
    /// Content types of the activity feed that are subscribed to, since when.
    pub(crate) feeds: BTreeMap<String, Timestamp>,
    /// Faults that were ordered and are not used up.
    pub(crate) faults: crate::fault::Faults,
    /// How the tenant behaves where the documentation is silent.
    pub(crate) unconfirmed: crate::unconfirmed::Unconfirmed,
    /// Where addresses are, for sign-in logs, by address.
    pub(crate) places: BTreeMap<String, Place>,
    chance: Chance,
    drawn: BTreeMap<(String, String), u64>,
}

/// The organisation, its licences and the behaviour that a scenario chooses.
#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    /// Directory (tenant) id.
    pub(crate) id: String,
    /// Name of the organisation.
    pub(crate) display_name: String,
    /// The `….onmicrosoft.com` domain.
    pub(crate) initial_domain: String,
    /// The domain of the mail addresses.
    pub(crate) domain: String,
    /// Country, two letters.
    pub(crate) country: String,
    /// Has Entra ID P1 (sign-in logs, 30 days).
    pub(crate) has_p1: bool,
    /// Has Entra ID P2 (risk).
    pub(crate) has_p2: bool,
    /// Sign-in to the domain of the mail addresses is another provider's.
    pub(crate) federated: bool,
    /// Unified audit ingestion is on.
    pub(crate) audit_on: bool,
    /// `AutoForwardingMode` of the outbound policy: Automatic, On or Off.
    pub(crate) auto_forwarding: String,
    /// SMTP AUTH is off for mailboxes that do not say otherwise.
    pub(crate) smtp_auth_disabled: bool,
    /// How long a sign-in takes to show: shortest and longest.
    pub(crate) sign_in_delay: (SignedDuration, SignedDuration),
    /// How long a directory audit takes to show.
    pub(crate) directory_audit_delay: (SignedDuration, SignedDuration),
    /// How long a unified audit record takes to show.
    pub(crate) unified_delay: (SignedDuration, SignedDuration),
    /// How long a revocation takes to bite.
    pub(crate) revoke_delay: (SignedDuration, SignedDuration),
    /// How long continuous access evaluation takes to cut.
    pub(crate) cae_delay: (SignedDuration, SignedDuration),
    /// How long a read after a directory write may still show the old value.
    pub(crate) stale_reads: SignedDuration,
    /// How long Exchange keeps a user out after a block was lifted.
    pub(crate) exchange_reopens: (SignedDuration, SignedDuration),
    /// Mailbox reads are audited (`MailItemsAccessed`).
    pub(crate) mail_items_accessed: bool,
    /// Mailboxes are licensed for a litigation hold.
    pub(crate) has_litigation_hold: bool,
    /// How long an audit search takes.
    pub(crate) audit_query_time: (SignedDuration, SignedDuration),
    /// Records on a page of an audit search when `$top` is not sent.
    pub(crate) audit_page: usize,
    /// Records that one audit search gives at most.
    pub(crate) audit_limit: usize,
    /// `@odata.count` of an audit search says nothing true.
    pub(crate) audit_counts_lie: bool,
    /// The address that the responder's requests come from.
    pub(crate) responder_ip: String,
    /// The client id of the responder's app registration.
    pub(crate) responder_app: String,
    /// Who signs in on our side, by user principal name.
    pub(crate) operator: String,
    /// How long one request takes.
    pub(crate) latency: SignedDuration,
    /// What App Service's identity endpoint wants to see.
    pub(crate) identity_header: String,
}

impl Tenant {
    /// A tenant with the documented delays (reference §7, §9) and no names.
    pub(crate) fn new(id: impl Into<String>) -> Self {
        let minutes = SignedDuration::from_mins;
        Self {
            id: id.into(),
            display_name: String::new(),
            initial_domain: String::new(),
            domain: String::new(),
            country: String::from("DE"),
            has_p1: true,
            has_p2: true,
            federated: false,
            audit_on: true,
            auto_forwarding: String::from("Automatic"),
            smtp_auth_disabled: false,
            sign_in_delay: (minutes(2), minutes(8)),
            directory_audit_delay: (minutes(2), minutes(10)),
            unified_delay: (minutes(60), minutes(90)),
            revoke_delay: (SignedDuration::from_secs(20), minutes(4)),
            cae_delay: (SignedDuration::from_secs(10), minutes(15)),
            stale_reads: SignedDuration::ZERO,
            exchange_reopens: (minutes(35), minutes(40)),
            mail_items_accessed: true,
            has_litigation_hold: true,
            audit_query_time: (minutes(2), minutes(6)),
            audit_page: 150,
            audit_limit: 1_000_000,
            audit_counts_lie: false,
            responder_ip: String::from("192.0.2.10"),
            responder_app: String::new(),
            operator: String::new(),
            identity_header: String::new(),
            latency: SignedDuration::from_millis(150),
        }
    }
}

/// Where an address is and whose network it belongs to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    /// City.
    pub(crate) city: String,
    /// State or region.
    pub(crate) state: String,
    /// Country, two letters.
    pub(crate) country: String,
    /// Latitude in degrees.
    pub(crate) latitude: f64,
    /// Longitude in degrees.
    pub(crate) longitude: f64,
    /// Autonomous system number.
    pub(crate) asn: u32,
}

/// The surface through which somebody acts; it decides what the logs say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    /// Microsoft Graph.
    Graph,
    /// Exchange PowerShell over REST.
    ExchangePowerShell,
    /// Outlook on the web.
    OutlookWeb,
    /// Desktop Outlook.
    OutlookDesktop,
    /// The user's security-info page, consent page and other Entra pages.
    Entra,
    /// The administrator's portals.
    Portal,
    /// The service itself.
    #[cfg(test)]
    System,
}

/// Who does something and from where, as the logs will say.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// Object id of the acting user; `None` for an app or the service.
    pub(crate) user: Option<String>,
    /// Client id of the acting app.
    pub(crate) app_id: String,
    /// Address.
    pub(crate) ip: String,
    /// User agent.
    pub(crate) user_agent: String,
    /// Id of the session, if the user has one.
    pub(crate) session: Option<String>,
    /// The access token's unique id, if one was used.
    pub(crate) token: Option<String>,
    /// Through what.
    pub(crate) surface: Surface,
}

impl Origin {
    /// The service itself.
    #[cfg(test)]
    pub(crate) fn system() -> Self {
        Self {
            user: None,
            app_id: String::new(),
            ip: String::new(),
            user_agent: String::new(),
            session: None,
            token: None,
            surface: Surface::System,
        }
    }

    /// A user in a browser or client, without a token that the lab issued.
    pub(crate) fn user(user: &str, app_id: &str, ip: &str, user_agent: &str) -> Self {
        Self {
            user: Some(user.to_owned()),
            app_id: app_id.to_owned(),
            ip: ip.to_owned(),
            user_agent: user_agent.to_owned(),
            session: None,
            token: None,
            surface: Surface::OutlookWeb,
        }
    }

    /// The same, in this session.
    pub(crate) fn in_session(mut self, session: &str) -> Self {
        self.session = Some(session.to_owned());
        self
    }

    /// The same, through this surface.
    pub(crate) fn through(mut self, surface: Surface) -> Self {
        self.surface = surface;
        self
    }
}

impl World {
    /// An empty tenant.
    pub(crate) fn new(chance: Chance, tenant: Tenant) -> Self {
        Self {
            tenant,
            users: BTreeMap::new(),
            deleted: standing::Bin::new(),
            units: BTreeMap::new(),
            devices: BTreeMap::new(),
            contacts: BTreeMap::new(),
            stopped_senders: BTreeMap::new(),
            ghosts: Vec::new(),
            groups: BTreeMap::new(),
            roles: Vec::new(),
            service_principals: BTreeMap::new(),
            registrations: BTreeMap::new(),
            app_role_ids: BTreeMap::new(),
            app_role_assignments: BTreeMap::new(),
            grants: BTreeMap::new(),
            mailboxes: BTreeMap::new(),
            tokens: Tokens::default(),
            logs: Logs::default(),
            audit_queries: BTreeMap::new(),
            outbox: Vec::new(),
            meter: crate::services::throttle::Meter::default(),
            feeds: BTreeMap::new(),
            faults: crate::fault::Faults::default(),
            unconfirmed: crate::unconfirmed::Unconfirmed::default(),
            places: BTreeMap::new(),
            chance,
            drawn: BTreeMap::new(),
        }
    }

    /// The next value for a purpose of an object: the ordinal counts by itself.
    pub(crate) fn next(&mut self, object: &str, purpose: &str) -> Draw {
        let ordinal = self
            .drawn
            .entry((object.to_owned(), purpose.to_owned()))
            .or_default();
        let draw = self.chance.draw(object, purpose, *ordinal);
        *ordinal += 1;
        draw
    }

    /// The order in which `len` things of an object come.
    pub(crate) fn order(&self, object: &str, purpose: &str, len: usize) -> Vec<usize> {
        self.chance.order(object, purpose, len)
    }

    /// The next id of this kind as a UUID.
    pub(crate) fn new_id(&mut self, kind: &str) -> String {
        self.next("world", kind).uuid().to_string()
    }

    /// A moment after `now`, between two delays.
    pub(crate) fn after(
        &mut self,
        now: Timestamp,
        purpose: &str,
        delay: (SignedDuration, SignedDuration),
    ) -> Timestamp {
        let wait = self.next("world", purpose).duration(delay.0, delay.1);
        now.checked_add(wait).unwrap_or(Timestamp::MAX)
    }

    /// The user with this object id or user principal name (any case), as the
    /// directory knows it; by a mail address it knows nobody (reference, how to
    /// read it: `{id}`).
    pub(crate) fn named_user(&self, key: &str) -> Option<&User> {
        self.users.get(&key.to_lowercase()).or_else(|| {
            self.users
                .values()
                .find(|user| user.upn.eq_ignore_ascii_case(key))
        })
    }

    /// The user with this object id, user principal name or any of its mail
    /// addresses, as Exchange and the mail flow know it.
    pub(crate) fn find_user(&self, key: &str) -> Option<&User> {
        let has = |user: &User| {
            user.mail.eq_ignore_ascii_case(key)
                || user.proxy_addresses.iter().any(|address| {
                    address
                        .split_once(':')
                        .is_some_and(|(_, address)| address.eq_ignore_ascii_case(key))
                })
        };
        self.named_user(key).or_else(|| {
            self.users
                .values()
                .find(|user| !key.is_empty() && has(user))
        })
    }

    /// The user's id for any key that [`World::find_user`] takes.
    pub(crate) fn user_id(&self, key: &str) -> Option<String> {
        self.find_user(key).map(|user| user.id.clone())
    }

    /// The service principal of a client id.
    pub(crate) fn principal_of_app(&self, app_id: &str) -> Option<&ServicePrincipal> {
        self.service_principals
            .values()
            .find(|principal| principal.app_id.eq_ignore_ascii_case(app_id))
    }

    /// The name that logs show for a client id.
    pub(crate) fn app_name(&self, app_id: &str) -> String {
        self.principal_of_app(app_id)
            .map(|principal| principal.display_name.clone())
            .unwrap_or_default()
    }

    /// Whether mail to this address stays inside.
    pub(crate) fn is_inside(&self, address: &str) -> bool {
        let domain = address.rsplit('@').next().unwrap_or_default();
        domain.eq_ignore_ascii_case(&self.tenant.domain)
            || domain.eq_ignore_ascii_case(&self.tenant.initial_domain)
    }

    /// Role templates that a principal (user or service principal) holds over
    /// the whole tenant.
    pub(crate) fn roles_of(&self, principal: &str) -> Vec<&str> {
        self.roles
            .iter()
            .filter(|held| held.principal_id == principal && held.unit.is_none())
            .map(|assignment| assignment.role.as_str())
            .collect()
    }

    /// Adds a user and, if it has a licence for mail, its empty mailbox with
    /// the usual folders.
    pub(crate) fn add_user(&mut self, user: User) {
        if user.has_mailbox && !self.mailboxes.contains_key(&user.id) {
            let guid = self.next(&user.id, "mailbox guid").uuid().to_string();
            self.mailboxes
                .insert(user.id.clone(), Mailbox::new(&user, guid));
        }
        self.users.insert(user.id.clone(), user);
    }
}
