//! Which tenant, at which addresses, signed in as what.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use secrecy::SecretString;
use url::Url;

use crate::call::Service;
use crate::edge::ClientCertificate;

/// Everything needed to reach one tenant. [`fmt::Debug`] shows no secret.
#[derive(Clone)]
pub struct Profile {
    /// What the operator calls it.
    pub name: String,
    /// The tenant's id (a GUID) or one of its domains. A GUID is better: only
    /// then is a wrong tenant noticed from the tenant's own answer.
    pub tenant_id: String,
    /// The tenant in which a person signs in, where that is another one:
    /// partner access with delegated administration. Tokens are always asked
    /// of `tenant_id`.
    pub home_tenant_id: Option<String>,
    /// Where its services are.
    pub endpoints: Endpoints,
    /// The app registration that asks; empty where the way of signing in brings
    /// its own (managed identity, Azure command line).
    pub client_id: String,
    /// How it proves itself.
    pub credential: Credential,
    /// Certificate authorities to trust besides the system's, PEM.
    pub ca_pem: Option<String>,
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile")
            .field("name", &self.name)
            .field("tenant_id", &self.tenant_id)
            .field("home_tenant_id", &self.home_tenant_id)
            .field("endpoints", &self.endpoints)
            .field("client_id", &self.client_id)
            .field("credential", &self.credential)
            .field("ca_pem", &self.ca_pem.as_ref().map(|_| "…"))
            .finish()
    }
}

impl Profile {
    /// The tenant in which a person signs in.
    pub fn sign_in_tenant(&self) -> &str {
        self.home_tenant_id.as_deref().unwrap_or(&self.tenant_id)
    }

    /// The name under which a person's session is kept in the system's keyring, where it
    /// is: one for each app and tenant that people sign in to.
    pub fn session_name(&self) -> String {
        session_name(&self.endpoints, self.sign_in_tenant(), &self.client_id)
    }
}

/// [`Profile::session_name`] for whoever has no whole profile: to remove what is kept
/// needs no credential.
pub fn session_name(endpoints: &Endpoints, tenant: &str, client_id: &str) -> String {
    let host = endpoints.authority.host_str().unwrap_or_default();
    format!("{host}/{tenant}/{client_id}")
}

/// How a responder proves who asks (reference §1.3). Four ways are those of an
/// app, two need a person now and then, one borrows a person's session of the
/// Azure command line.
#[derive(Clone)]
pub enum Credential {
    /// As the app, with a client secret.
    ClientSecret(SecretString),
    /// As the app, with an assertion that its certificate signs.
    Certificate(Arc<ClientCertificate>),
    /// As the app, with a token of another issuer that lies in a file and is
    /// replaced there from time to time.
    WorkloadIdentity {
        /// The file with the assertion.
        token_file: PathBuf,
    },
    /// As the identity of the machine in Azure that this runs on.
    ManagedIdentity {
        /// Client id of a user-assigned identity; without one the machine's own.
        identity: Option<String>,
        /// Which service of the machine gives the token.
        host: IdentityHost,
    },
    /// As a person, who enters a code in a browser, on whatever device.
    DeviceCode,
    /// As a person, in a browser on this machine: authorization code with PKCE.
    Browser,
    /// As whoever is signed in to the Azure command line.
    AzureCli,
}

/// Where a managed identity's tokens come from.
#[derive(Clone)]
pub enum IdentityHost {
    /// A virtual machine: the instance metadata service at its fixed address.
    VirtualMachine,
    /// App Service, Functions and alike, as their environment tells.
    AppService {
        /// `IDENTITY_ENDPOINT`.
        endpoint: Url,
        /// `IDENTITY_HEADER`.
        header: SecretString,
    },
}

impl Credential {
    /// Whether a person has to sign in before the first token, and again
    /// whenever the session ends.
    pub const fn is_person(&self) -> bool {
        matches!(self, Self::DeviceCode | Self::Browser)
    }

    /// Its name in a profile (`sign_in = "…"`) and in messages.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ClientSecret(_) => "secret",
            Self::Certificate(_) => "certificate",
            Self::WorkloadIdentity { .. } => "workload-identity",
            Self::ManagedIdentity { .. } => "managed-identity",
            Self::DeviceCode => "device-code",
            Self::Browser => "browser",
            Self::AzureCli => "azure-cli",
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClientSecret(_) => "ClientSecret(…)",
            Self::Certificate(certificate) => return write!(f, "Certificate({certificate:?})"),
            Self::WorkloadIdentity { token_file } => {
                return write!(f, "WorkloadIdentity({})", token_file.display());
            }
            Self::ManagedIdentity { identity, .. } => {
                return write!(f, "ManagedIdentity({identity:?})");
            }
            Self::DeviceCode => "DeviceCode",
            Self::Browser => "Browser",
            Self::AzureCli => "AzureCli",
        })
    }
}

/// Base addresses of one cloud's services, and the names under which tokens
/// for them are asked. The two differ where the services are reached through
/// another address than their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Where tokens come from.
    pub authority: Url,
    /// Microsoft Graph.
    pub graph: Url,
    /// Exchange Online.
    pub exchange: Url,
    /// The Management Activity API, where one is documented.
    pub activity: Option<Url>,
    /// Resource name of Graph, without `/.default`.
    pub graph_resource: String,
    /// Resource name of Exchange Online.
    pub exchange_resource: String,
    /// Resource name of the Management Activity API.
    pub activity_resource: String,
}

impl Endpoints {
    /// The worldwide cloud, also for GCC except its Activity API (reference §1.1).
    pub fn worldwide() -> Self {
        Self::of(
            "https://login.microsoftonline.com",
            "https://graph.microsoft.com",
            "https://outlook.office365.com",
            Some("https://manage.office.com"),
        )
    }

    /// GCC: the worldwide cloud with its own Activity API.
    pub fn gcc() -> Self {
        Self::of(
            "https://login.microsoftonline.com",
            "https://graph.microsoft.com",
            "https://outlook.office365.com",
            Some("https://manage-gcc.office.com"),
        )
    }

    /// GCC High (L4).
    pub fn gcc_high() -> Self {
        Self::of(
            "https://login.microsoftonline.us",
            "https://graph.microsoft.us",
            "https://outlook.office365.us",
            Some("https://manage.office365.us"),
        )
    }

    /// DoD (L5).
    pub fn dod() -> Self {
        Self::of(
            "https://login.microsoftonline.us",
            "https://dod-graph.microsoft.us",
            "https://outlook-dod.office365.us",
            Some("https://manage.protection.apps.mil"),
        )
    }

    /// China, operated by 21Vianet. No Activity API is documented there. Two
    /// authorities are: this one, and [`Endpoints::with_authority`]
    /// `https://login.chinacloudapi.cn`.
    pub fn china() -> Self {
        Self::of(
            "https://login.partner.microsoftonline.cn",
            "https://microsoftgraph.chinacloudapi.cn",
            "https://outlook.office365.cn",
            None,
        )
    }

    /// The same services, with tokens from another authority.
    #[must_use]
    pub fn with_authority(mut self, authority: Url) -> Self {
        self.authority = authority;
        self
    }

    /// The resource of a service as a token names it, without `/.default`;
    /// none for the token service itself, and where the cloud has no such service.
    pub fn resource(&self, service: Service) -> Option<&str> {
        let resource = match service {
            Service::SignIn => return None,
            Service::Graph => &self.graph_resource,
            Service::Exchange => &self.exchange_resource,
            Service::Activity => &self.activity_resource,
        };
        Some(resource.as_str()).filter(|resource| !resource.is_empty())
    }

    /// All services at one address, under the worldwide resource names.
    #[must_use]
    pub fn all_at(base: &Url) -> Self {
        Self {
            authority: base.clone(),
            graph: base.clone(),
            exchange: base.clone(),
            activity: Some(base.clone()),
            ..Self::worldwide()
        }
    }

    /// The base address of a service, if this cloud has it.
    pub fn base(&self, service: Service) -> Option<&Url> {
        match service {
            Service::SignIn => Some(&self.authority),
            Service::Graph => Some(&self.graph),
            Service::Exchange => Some(&self.exchange),
            Service::Activity => self.activity.as_ref(),
        }
    }

    /// The scope under which a token of a service is asked: all permissions
    /// that were consented to for the app, or for the app in the person's name
    /// (reference §1.2). None for the token service itself.
    pub fn scope(&self, service: Service) -> Option<String> {
        Some(format!("{}/.default", self.resource(service)?))
    }

    fn of(authority: &str, graph: &str, exchange: &str, activity: Option<&str>) -> Self {
        Self {
            authority: fixed(authority),
            graph: fixed(graph),
            exchange: fixed(exchange),
            activity: activity.map(fixed),
            graph_resource: graph.to_owned(),
            exchange_resource: exchange.to_owned(),
            activity_resource: activity.unwrap_or_default().to_owned(),
        }
    }
}

/// Parses an address written in this file; a test reads every one of them.
fn fixed(address: &str) -> Url {
    match Url::parse(address) {
        Ok(url) => url,
        Err(_) => unreachable!("`{address}` is a constant of this file"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cloud_has_addresses_under_https() {
        for cloud in [
            Endpoints::worldwide(),
            Endpoints::gcc(),
            Endpoints::gcc_high(),
            Endpoints::dod(),
            Endpoints::china(),
        ] {
            for url in [&cloud.authority, &cloud.graph, &cloud.exchange] {
                assert_eq!(url.scheme(), "https");
            }
        }
        assert_eq!(
            Endpoints::dod().scope(Service::Graph).as_deref(),
            Some("https://dod-graph.microsoft.us/.default")
        );
    }

    #[test]
    fn a_profile_shows_no_secret() {
        let profile = Profile {
            name: "here".into(),
            tenant_id: "contoso.example".into(),
            home_tenant_id: None,
            endpoints: Endpoints::worldwide(),
            client_id: "app".into(),
            credential: Credential::ClientSecret("hunter2-very-secret".to_owned().into()),
            ca_pem: None,
        };
        assert!(!format!("{profile:?} {profile:#?}").contains("hunter2"));
    }
}
