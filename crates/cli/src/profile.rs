//! From the name of a tenant to a client of it.

use std::sync::Arc;

use retake_playbook::codes;
use retake_tenant::edge::{
    ClientCertificate, Clock, Means, ProxyRoute, ReqwestTransport, SystemClock, SystemEntropy,
    SystemFiles, Transport, TransportError, TransportErrorKind,
};
use retake_tenant::profile::session_name;
use retake_tenant::{Credential, Endpoints, IdentityHost, Pacer, Profile, Tenant};
use secrecy::SecretString;

use crate::args::Recording;
use crate::failure::Failure;
use crate::home::Home;
use crate::lab_link::{Control, LabAddress, LabClock, Pace, PacedTransport};
use crate::means::{SystemBrowser, SystemKeyring, SystemPrograms};
use crate::recording::{TapeFile, recorded};
use crate::terminal::{Terminal, WARN, safe, safe_at_length};
use crate::waits::FileWaits;

mod file;

pub(crate) use file::{Cloud, KeepTokens, ProfileFile, SignInWay};
use file::{read_secret, read_text};

/// A tenant that can be worked on.
pub(crate) struct Connection {
    /// The client.
    pub(crate) tenant: Tenant,
    /// The clock that goes with it.
    pub(crate) clock: Arc<dyn Clock>,
    /// What is written down of it, if anything.
    pub(crate) tape: Option<TapeFile>,
    /// The lab's control port, if it is one.
    pub(crate) lab: Option<Arc<Control>>,
    /// The accounts for emergencies that the profile names.
    pub(crate) break_glass: Vec<String>,
}

impl Connection {
    /// Makes sure that somebody is signed in, before anything else is done: a
    /// person is asked where one is needed, and a wrong secret shows here.
    pub(crate) async fn sign_in(&self, terminal: &Terminal) -> Result<(), Failure> {
        let tenant = &self.tenant;
        if self.lab.is_some() && !tenant.profile().credential.is_person() {
            return Ok(());
        }
        if !tenant.resume().await? {
            if matches!(tenant.profile().credential, Credential::Browser) {
                tenant.sign_in_in_browser().await?;
            } else {
                let prompt = tenant.begin_device_code().await?;
                terminal.say(&format!(
                    "Open {} and enter the code {} as the administrator who responds.",
                    safe(&prompt.verification_uri),
                    safe(&prompt.user_code)
                ));
                tenant.finish_device_code(&prompt).await?;
            }
        }
        if let Some(trouble) = tenant.keyring_trouble() {
            terminal.say(&format!(
                "{WARN}note{WARN:#}: {}. The session stays in memory and ends with this command.",
                safe_at_length(&trouble.to_string())
            ));
        }
        if let Some(clock) = tenant.clock_warning() {
            terminal.say(&format!(
                "{WARN}note{WARN:#}: {clock}. The record of the case is wrong by as much: set the clock."
            ));
        }
        Ok(())
    }
}

/// Connects to the tenant of this name, and writes down what goes over the wire if that is wanted.
pub(crate) fn connect(
    home: &Home,
    name: &str,
    recording: &Recording,
) -> Result<Connection, Failure> {
    if name == "lab" {
        return lab(home, Vec::new(), recording);
    }
    let profile = ProfileFile::load(home, name)?;
    if profile.cloud == Some(Cloud::Lab) {
        return lab(home, profile.break_glass, recording);
    }
    profile.connect(home, name, recording)
}

fn lab(
    home: &Home,
    break_glass: Vec<String>,
    recording: &Recording,
) -> Result<Connection, Failure> {
    let address = LabAddress::read(&home.lab())?;
    let control = Arc::new(Control::connect(address.control)?);
    let pace = Arc::new(Pace::default());
    let base = address.base.parse().map_err(|error| {
        Failure::new(
            codes::NO_PROFILE,
            format!(
                "The lab's address `{}` cannot be read: {error}.",
                address.base
            ),
            "End `retake lab serve` and start it again.",
        )
    })?;
    let profile = Profile {
        name: "lab".to_owned(),
        tenant_id: address.tenant_id,
        home_tenant_id: None,
        endpoints: Endpoints::all_at(&base),
        client_id: address.client_id,
        credential: address
            .client_secret
            .map_or(Credential::DeviceCode, |secret| {
                Credential::ClientSecret(SecretString::from(secret))
            }),
        ca_pem: Some(address.ca_pem),
    };
    let transport =
        ReqwestTransport::new(profile.ca_pem.as_deref()).map_err(|error| no_transport(&error))?;
    let transport = PacedTransport::new(transport, Arc::clone(&pace));
    let clock: Arc<dyn Clock> = Arc::new(LabClock::new(Arc::clone(&control), pace));
    let (transport, tape) = recorded(transport, recording, &profile, &clock)?;
    Ok(Connection {
        tenant: Tenant::new(profile, transport, Arc::clone(&clock)),
        clock,
        tape,
        lab: Some(control),
        break_glass,
    })
}

fn no_transport(error: &TransportError) -> Failure {
    let code = match error.kind {
        TransportErrorKind::Proxy => codes::PROXY,
        _ => codes::NOT_TRUSTED,
    };
    let hint = match error.kind {
        TransportErrorKind::Proxy => {
            "Correct `proxy` in the profile, or HTTPS_PROXY; `proxy = \"none\"` uses none."
        }
        _ => "Check `ca_file` in the profile, and that this machine has certificate authorities.",
    };
    Failure::new(code, format!("No connection can be made: {error}."), hint)
}

/// The pace that all cases of this home keep. A lab has a clock of its own, and what
/// it says about waiting means nothing to another process.
fn pacer(home: &Home) -> Pacer {
    let waits = FileWaits::new(home.waits(), |words| Terminal::new(false).say(words));
    Pacer::default()
        .with_entropy(Arc::new(SystemEntropy))
        .with_shared(Arc::new(waits))
}

impl ProfileFile {
    /// Connects to the tenant of this profile.
    fn connect(
        self,
        home: &Home,
        name: &str,
        recording: &Recording,
    ) -> Result<Connection, Failure> {
        let break_glass = self.break_glass.clone();
        let settled = settle(self, home, name)?;
        let credential = settled.credential(name)?;
        let ca_pem = settled
            .signs_in
            .ca_file
            .as_deref()
            .map(read_text)
            .transpose()?;
        let profile = Profile {
            name: name.to_owned(),
            tenant_id: settled.tenant_id.clone(),
            home_tenant_id: settled.home_tenant_id.clone(),
            endpoints: settled.endpoints(name)?,
            client_id: settled.client_id(name)?,
            credential,
            ca_pem,
        };
        let proxy = settled.proxy(name)?;
        let transport = ReqwestTransport::through(proxy.as_ref(), profile.ca_pem.as_deref())
            .map_err(|error| no_transport(&error))?;
        let means = settled.means(&profile)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (transport, tape) = recorded(transport, recording, &profile, &clock)?;
        Ok(Connection {
            tenant: Tenant::with_means(profile, transport, Arc::clone(&clock), means)
                .with_pacer(pacer(home)),
            clock,
            tape,
            lab: None,
            break_glass,
        })
    }
}

/// The name under which the keyring may hold a session of this profile; nothing where
/// none is kept there, or where the session is its partner's.
pub(crate) fn session_in_keyring(given: &ProfileFile, name: &str) -> Option<String> {
    if given.keep_tokens != Some(KeepTokens::Keyring) || given.partner_of.is_some() {
        return None;
    }
    let settled = Settled {
        tenant_id: given.tenant_id.clone(),
        home_tenant_id: None,
        signs_in: given.clone(),
    };
    let endpoints = settled.endpoints(name).ok()?;
    let client_id = settled.client_id(name).ok()?;
    Some(session_name(&endpoints, &given.tenant_id, &client_id))
}

/// A profile with its partner's credential, if it has one.
struct Settled {
    tenant_id: String,
    home_tenant_id: Option<String>,
    /// Whose credential, client id, proxy and cloud are used.
    signs_in: ProfileFile,
}

/// Follows `partner_of`, one step.
fn settle(given: ProfileFile, home: &Home, name: &str) -> Result<Settled, Failure> {
    let Some(partner) = given.partner_of.clone() else {
        return Ok(Settled {
            tenant_id: given.tenant_id.clone(),
            home_tenant_id: None,
            signs_in: given,
        });
    };
    let own = [
        ("sign_in", given.sign_in.is_some()),
        ("client_id", given.client_id.is_some()),
        ("secret_file", given.secret_file.is_some()),
        ("certificate_file", given.certificate_file.is_some()),
        ("token_file", given.token_file.is_some()),
        ("identity", given.identity.is_some()),
        ("keep_tokens", given.keep_tokens.is_some()),
    ];
    if let Some((key, _)) = own.iter().find(|(_, there)| *there) {
        return Err(Failure::usage(
            format!("The profile `{name}` has `{key}` besides `partner_of`."),
            format!("The profile `{partner}` says how to sign in. Take one of the two out."),
        ));
    }
    let partners = ProfileFile::load(home, &partner)?;
    if partners.partner_of.is_some() {
        return Err(Failure::usage(
            format!(
                "The profile `{name}` is of the partner `{partner}`, which is itself a customer's profile."
            ),
            "`partner_of` names the profile of the partner's own tenant.",
        ));
    }
    if given
        .cloud
        .is_some_and(|cloud| cloud != partners.cloud.unwrap_or_default())
    {
        return Err(Failure::usage(
            format!("The profile `{name}` is in another cloud than its partner `{partner}`."),
            "Tokens of one cloud do not work in another: sign in with an account of the customer's cloud.",
        ));
    }
    Ok(Settled {
        tenant_id: given.tenant_id,
        home_tenant_id: Some(partners.tenant_id.clone()),
        signs_in: ProfileFile {
            ca_file: given.ca_file.or(partners.ca_file.clone()),
            proxy: given.proxy.or(partners.proxy.clone()),
            ..partners
        },
    })
}

impl Settled {
    fn endpoints(&self, name: &str) -> Result<Endpoints, Failure> {
        let cloud = self.signs_in.cloud.unwrap_or_default();
        let endpoints = match cloud {
            Cloud::Worldwide => Endpoints::worldwide(),
            Cloud::Gcc => Endpoints::gcc(),
            Cloud::GccHigh => Endpoints::gcc_high(),
            Cloud::Dod => Endpoints::dod(),
            Cloud::China => Endpoints::china(),
            Cloud::Lab => {
                return Err(Failure::usage(
                    format!("The profile `{name}` is of a partner in the lab."),
                    "The lab has no partners: use the lab's own profile.",
                ));
            }
        };
        let Some(host) = self.signs_in.authority.as_deref() else {
            return Ok(endpoints);
        };
        // Secrets go there: only to the hosts that are documented for the cloud.
        let documented = cloud == Cloud::China && CHINA_AUTHORITIES.contains(&host);
        let url = format!("https://{host}")
            .parse()
            .ok()
            .filter(|_| documented);
        url.map(|url| endpoints.with_authority(url)).ok_or_else(|| {
            Failure::usage(
                format!(
                    "The profile `{name}` names the authority `{host}`, which is none of its cloud."
                ),
                format!(
                    "Leave it out. Only China has two: {}.",
                    CHINA_AUTHORITIES.join(", ")
                ),
            )
        })
    }

    /// The profile's proxy, or the environment's.
    fn proxy(&self, name: &str) -> Result<Option<ProxyRoute>, Failure> {
        let either = |upper: &str, lower: &str| variable(upper).or_else(|| variable(lower));
        let except = either("NO_PROXY", "no_proxy").unwrap_or_default();
        let refused = |error: TransportError| no_transport(&error);
        match self.signs_in.proxy.as_deref() {
            Some("none") => Ok(None),
            Some(address) => {
                let proxy = ProxyRoute::new(address, &except).map_err(refused)?;
                if proxy.has_credentials() {
                    return Err(Failure::usage(
                        format!("The profile `{name}` has a name or password in `proxy`."),
                        "Give them with HTTPS_PROXY in the environment of the command; profiles hold no secrets.",
                    ));
                }
                Ok(Some(proxy))
            }
            None => either("HTTPS_PROXY", "https_proxy")
                .or_else(|| either("ALL_PROXY", "all_proxy"))
                .map(|address| ProxyRoute::new(&address, &except).map_err(refused))
                .transpose(),
        }
    }

    /// What the profile's way of signing in may use of this machine.
    fn means(&self, profile: &Profile) -> Result<Means, Failure> {
        let keep = self.signs_in.keep_tokens.unwrap_or_default();
        let metadata: Option<Arc<dyn Transport>> = match profile.credential {
            Credential::ManagedIdentity { .. } => {
                let way = ReqwestTransport::metadata().map_err(|error| no_transport(&error))?;
                Some(Arc::new(way))
            }
            _ => None,
        };
        Ok(Means {
            entropy: Some(Arc::new(SystemEntropy)),
            files: Some(Arc::new(SystemFiles)),
            programs: Some(Arc::new(SystemPrograms)),
            browser: Some(Arc::new(SystemBrowser)),
            keyring: (keep == KeepTokens::Keyring).then(|| Arc::new(SystemKeyring) as _),
            metadata,
        })
    }

    fn client_id(&self, name: &str) -> Result<String, Failure> {
        let own = self.signs_in.client_id.clone();
        match self.signs_in.way() {
            SignInWay::AzureCli => Ok(own.unwrap_or_else(|| AZURE_CLI.to_owned())),
            SignInWay::ManagedIdentity => Ok(own
                .or_else(|| self.signs_in.identity.clone())
                .unwrap_or_default()),
            _ => own.ok_or_else(|| {
                Failure::usage(
                    format!("The profile `{name}` has no `client_id`."),
                    "Put the application (client) id of the app registration there.",
                )
            }),
        }
    }

    fn credential(&self, name: &str) -> Result<Credential, Failure> {
        let needs = |key: &str| {
            Failure::usage(
                format!(
                    "The profile `{name}` signs in with `{}` and has no `{key}`.",
                    way_name(self.signs_in.way())
                ),
                "docs/guide/real-tenant.md shows the form.",
            )
        };
        let signs_in = &self.signs_in;
        Ok(match signs_in.way() {
            SignInWay::Secret => {
                let file = signs_in.secret_file.as_deref();
                Credential::ClientSecret(read_secret(file.ok_or_else(|| needs("secret_file"))?)?)
            }
            SignInWay::Certificate => {
                let file = signs_in.certificate_file.as_deref();
                let file = file.ok_or_else(|| needs("certificate_file"))?;
                let certificate =
                    ClientCertificate::from_pem(&read_secret(file)?).map_err(|error| {
                        Failure::usage(
                            format!("{} cannot be used: {error}.", file.display()),
                            error.hint(),
                        )
                    })?;
                Credential::Certificate(Arc::new(certificate))
            }
            SignInWay::DeviceCode => Credential::DeviceCode,
            SignInWay::Browser => Credential::Browser,
            SignInWay::AzureCli => Credential::AzureCli,
            SignInWay::WorkloadIdentity => Credential::WorkloadIdentity {
                token_file: signs_in
                    .token_file
                    .clone()
                    .or_else(|| variable("AZURE_FEDERATED_TOKEN_FILE").map(Into::into))
                    .ok_or_else(|| needs("token_file"))?,
            },
            SignInWay::ManagedIdentity => {
                if self.home_tenant_id.is_some() {
                    return Err(Failure::usage(
                        format!(
                            "The profile `{name}` would sign in to a customer with a managed identity."
                        ),
                        "A managed identity works in its own tenant only: sign in as the partner with a certificate, a device code or a browser.",
                    ));
                }
                Credential::ManagedIdentity {
                    identity: signs_in.identity.clone(),
                    host: identity_host()?,
                }
            }
        })
    }
}

/// Where tokens for China come from; both are documented (reference §1.1).
const CHINA_AUTHORITIES: [&str; 2] = ["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"];

/// The app that the Azure command line is.
const AZURE_CLI: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";

fn way_name(way: SignInWay) -> &'static str {
    match way {
        SignInWay::Secret => "secret",
        SignInWay::Certificate => "certificate",
        SignInWay::DeviceCode => "device-code",
        SignInWay::Browser => "browser",
        SignInWay::ManagedIdentity => "managed-identity",
        SignInWay::WorkloadIdentity => "workload-identity",
        SignInWay::AzureCli => "azure-cli",
    }
}

/// App Service and alike say in the environment where their tokens are; a
/// virtual machine has them at a fixed address.
fn identity_host() -> Result<IdentityHost, Failure> {
    match (variable("IDENTITY_ENDPOINT"), variable("IDENTITY_HEADER")) {
        (Some(endpoint), Some(header)) => Ok(IdentityHost::AppService {
            endpoint: endpoint.parse().map_err(|error| {
                Failure::usage(
                    format!("IDENTITY_ENDPOINT is no address: {error}."),
                    "App Service sets it; take it out of the environment elsewhere.",
                )
            })?,
            header: SecretString::from(header),
        }),
        _ => Ok(IdentityHost::VirtualMachine),
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
