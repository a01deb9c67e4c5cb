//! Which tenant, at which addresses, signed in as what.

use std::fmt;

use secrecy::SecretString;
use url::Url;

use crate::call::Service;

/// Everything needed to reach one tenant. [`fmt::Debug`] shows no secret.
#[derive(Clone)]
pub struct Profile {
    /// What the operator calls it.
    pub name: String,
    /// The tenant's id (a GUID) or one of its domains. A GUID is better: only
    /// then is a wrong tenant noticed from the tenant's own answer.
    pub tenant_id: String,
    /// Where its services are.
    pub endpoints: Endpoints,
    /// The app registration that asks.
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
            .field("endpoints", &self.endpoints)
            .field("client_id", &self.client_id)
            .field("credential", &self.credential)
            .field("ca_pem", &self.ca_pem.as_ref().map(|_| "…"))
            .finish()
    }
}

/// How the app registration proves itself.
#[derive(Clone)]
pub enum Credential {
    /// As itself, with a client secret (reference §1.3).
    ClientSecret(SecretString),
    /// As a person, who enters a code in a browser (reference §1.3).
    DeviceCode,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClientSecret(_) => "ClientSecret(…)",
            Self::DeviceCode => "DeviceCode",
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

    /// China, operated by 21Vianet. No Activity API is documented there.
    pub fn china() -> Self {
        Self::of(
            "https://login.partner.microsoftonline.cn",
            "https://microsoftgraph.chinacloudapi.cn",
            "https://outlook.office365.cn",
            None,
        )
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

    /// The scope under which an app asks for a token of a service; none for the token service itself.
    pub fn scope(&self, service: Service) -> Option<String> {
        let resource = match service {
            Service::SignIn => return None,
            Service::Graph => &self.graph_resource,
            Service::Exchange => &self.exchange_resource,
            Service::Activity => &self.activity_resource,
        };
        Some(format!("{resource}/.default"))
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
            endpoints: Endpoints::worldwide(),
            client_id: "app".into(),
            credential: Credential::ClientSecret("hunter2-very-secret".to_owned().into()),
            ca_pem: None,
        };
        assert!(!format!("{profile:?} {profile:#?}").contains("hunter2"));
    }
}
