//! From the name of a tenant to a client of it.

use std::sync::Arc;

use retake_playbook::codes;
use retake_tenant::edge::{Clock, ReqwestTransport, SystemClock, Transport};
use retake_tenant::{Credential, Endpoints, Profile, Tenant};
use secrecy::SecretString;
use serde::Deserialize;

use crate::failure::Failure;
use crate::home::Home;
use crate::lab_link::{Control, LabAddress, LabClock, Pace, PacedTransport};

/// A tenant that can be worked on.
pub(crate) struct Connection {
    /// The client.
    pub(crate) tenant: Tenant,
    /// The clock that goes with it.
    pub(crate) clock: Arc<dyn Clock>,
    /// The lab's control port, if it is one.
    pub(crate) lab: Option<Arc<Control>>,
    /// Whether a code has to be entered in a browser first.
    pub(crate) device_code: bool,
}

/// Connects to the tenant of this name.
pub(crate) fn connect(home: &Home, name: &str) -> Result<Connection, Failure> {
    if name == "lab" {
        return lab(home);
    }
    let file = home.profiles().join(format!("{}.toml", file_name(name)?));
    let text = std::fs::read_to_string(&file).map_err(|_| {
        Failure::new(
            codes::NO_PROFILE,
            format!(
                "There is no profile `{name}`: {} is not there.",
                file.display()
            ),
            "Write one as docs/guide/real-tenant.md shows, or use `--tenant lab`.",
        )
    })?;
    let given: Given = toml::from_str(&text).map_err(|error| {
        Failure::new(
            codes::BAD_INPUT,
            format!("The profile {} cannot be used: {error}", file.display()),
            "docs/guide/real-tenant.md shows the form.",
        )
    })?;
    given.connect(name)
}

fn lab(home: &Home) -> Result<Connection, Failure> {
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
        endpoints: Endpoints::all_at(&base),
        client_id: address.client_id,
        credential: Credential::ClientSecret(SecretString::from(address.client_secret)),
        ca_pem: Some(address.ca_pem),
    };
    let transport = PacedTransport::new(transport(&profile)?, Arc::clone(&pace));
    let clock: Arc<dyn Clock> = Arc::new(LabClock::new(Arc::clone(&control), pace));
    Ok(Connection {
        tenant: Tenant::new(profile, Arc::new(transport), Arc::clone(&clock)),
        clock,
        lab: Some(control),
        device_code: false,
    })
}

fn transport(profile: &Profile) -> Result<ReqwestTransport, Failure> {
    ReqwestTransport::new(profile.ca_pem.as_deref()).map_err(|error| {
        Failure::new(
            codes::UNREACHABLE,
            format!("No connection can be made: {error}."),
            "Check the certificate authority of the profile.",
        )
    })
}

/// A profile as it is written in a file. The secret stands in a file of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    tenant_id: String,
    client_id: String,
    /// worldwide, gcc, gcc-high, dod or china.
    #[serde(default)]
    cloud: Option<String>,
    /// A file with the client secret; without one a device code is used.
    #[serde(default)]
    secret_file: Option<std::path::PathBuf>,
    /// A file with certificate authorities to trust besides the system's.
    #[serde(default)]
    ca_file: Option<std::path::PathBuf>,
}

impl Given {
    fn connect(self, name: &str) -> Result<Connection, Failure> {
        let endpoints = match self.cloud.as_deref() {
            None | Some("worldwide") => Endpoints::worldwide(),
            Some("gcc") => Endpoints::gcc(),
            Some("gcc-high") => Endpoints::gcc_high(),
            Some("dod") => Endpoints::dod(),
            Some("china") => Endpoints::china(),
            Some(other) => {
                return Err(Failure::usage(
                    format!("The profile `{name}` names the cloud `{other}`, which is none."),
                    "It is one of worldwide, gcc, gcc-high, dod, china.",
                ));
            }
        };
        let credential = match &self.secret_file {
            Some(file) => Credential::ClientSecret(read_secret(file)?),
            None => Credential::DeviceCode,
        };
        let device_code = matches!(credential, Credential::DeviceCode);
        let ca_pem = self.ca_file.as_deref().map(read_text).transpose()?;
        let profile = Profile {
            name: name.to_owned(),
            tenant_id: self.tenant_id,
            endpoints,
            client_id: self.client_id,
            credential,
            ca_pem,
        };
        let transport: Arc<dyn Transport> = Arc::new(transport(&profile)?);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Ok(Connection {
            tenant: Tenant::new(profile, transport, Arc::clone(&clock)),
            clock,
            lab: None,
            device_code,
        })
    }
}

/// A name that can stand in a file name: no way out of the profiles' directory.
fn file_name(name: &str) -> Result<&str, Failure> {
    let plain = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if plain && !name.is_empty() && name.len() <= 64 {
        Ok(name)
    } else {
        Err(Failure::usage(
            format!("`{name}` cannot be the name of a profile."),
            "A name has 1 to 64 of letters, digits, `-` and `_`.",
        ))
    }
}

fn read_text(file: &std::path::Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| {
        Failure::usage(
            format!("{} cannot be read: {error}.", file.display()),
            "Correct the path in the profile.",
        )
    })
}

/// A secret that other users can read is not taken.
fn read_secret(file: &std::path::Path) -> Result<SecretString, Failure> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if let Ok(metadata) = std::fs::metadata(file)
            && metadata.permissions().mode() & 0o077 != 0
        {
            return Err(Failure::usage(
                format!(
                    "The secret in {} can be read by other users of this machine.",
                    file.display()
                ),
                "`chmod 600` it. If others had access, make a new secret first.",
            ));
        }
    }
    let text = secrecy::zeroize::Zeroizing::new(read_text(file)?);
    Ok(SecretString::from(text.trim().to_owned()))
}
