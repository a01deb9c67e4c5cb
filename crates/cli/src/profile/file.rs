//! A profile as it is written in a file: which tenant, and how the responder
//! signs in. It names the files that hold secrets and never holds one itself.

use std::path::{Path, PathBuf};

use retake_playbook::codes;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::home::{Home, write_private};

/// `RETAKE_HOME/tenants/NAME.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfileFile {
    /// The tenant's id; a domain also works, but then a wrong tenant is noticed less.
    pub(crate) tenant_id: String,
    /// The app registration. Not needed for managed identities, the Azure
    /// command line, and with `partner_of`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_id: Option<String>,
    /// Absent: worldwide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cloud: Option<Cloud>,
    /// The host where tokens come from, for a cloud with two: China.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) authority: Option<String>,
    /// Absent: `secret` if `secret_file` is there, else `device-code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sign_in: Option<SignInWay>,
    /// A file with the client secret, that only its owner can read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) secret_file: Option<PathBuf>,
    /// A PEM file with the app's certificate and its private key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) certificate_file: Option<PathBuf>,
    /// The token file of a workload identity; absent: `AZURE_FEDERATED_TOKEN_FILE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_file: Option<PathBuf>,
    /// Client id of a user-assigned managed identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) identity: Option<String>,
    /// A PEM file with certificate authorities to trust besides the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca_file: Option<PathBuf>,
    /// The HTTP proxy, instead of the environment's; `none` for no proxy at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) proxy: Option<String>,
    /// Absent: memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) keep_tokens: Option<KeepTokens>,
    /// Accounts for emergencies (sign-in names or ids), which the responder never touches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) break_glass: Vec<String>,
    /// Partner access: sign in with that profile's credential; `tenant_id` is the customer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) partner_of: Option<String>,
}

/// Which cloud the tenant is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Cloud {
    #[default]
    Worldwide,
    Gcc,
    GccHigh,
    Dod,
    China,
    /// The lab that is being served in this home.
    Lab,
}

/// How the responder signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SignInWay {
    Secret,
    Certificate,
    DeviceCode,
    Browser,
    ManagedIdentity,
    WorkloadIdentity,
    AzureCli,
}

/// Where the refresh token of a person is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KeepTokens {
    #[default]
    Memory,
    Keyring,
}

impl ProfileFile {
    /// The profile of this name.
    pub(crate) fn load(home: &Home, name: &str) -> Result<Self, Failure> {
        let file = path(home, name)?;
        let text = std::fs::read_to_string(&file).map_err(|error| {
            let shown = file.display();
            if error.kind() == std::io::ErrorKind::NotFound {
                Failure::new(
                    codes::NO_PROFILE,
                    format!("There is no profile `{name}`: {shown} is not there."),
                    "Write one as docs/guide/real-tenant.md shows, or use `--tenant lab`.",
                )
            } else {
                Failure::usage(
                    format!("The profile {shown} cannot be read: {error}."),
                    "Make it readable for you, and for nobody else.",
                )
            }
        })?;
        toml::from_str(&text).map_err(|error| {
            Failure::new(
                codes::BAD_INPUT,
                format!("The profile {} cannot be used: {error}", file.display()),
                "docs/guide/real-tenant.md shows the form.",
            )
        })
    }

    /// Writes the profile under this name, instead of what was there.
    pub(crate) fn save(&self, home: &Home, name: &str) -> Result<PathBuf, Failure> {
        let file = path(home, name)?;
        let text = toml::to_string_pretty(self).map_err(|error| {
            Failure::new(
                codes::INTERNAL,
                format!("The profile `{name}` cannot be written down: {error}."),
                "Please report it.",
            )
        })?;
        write_private(&file, text.as_bytes())?;
        Ok(file)
    }

    /// Removes the profile; false if there was none.
    pub(crate) fn remove(home: &Home, name: &str) -> Result<bool, Failure> {
        let file = path(home, name)?;
        match std::fs::remove_file(&file) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Failure::new(
                codes::NOT_WRITABLE,
                format!("The profile {} cannot be removed: {error}.", file.display()),
                "Remove the file yourself.",
            )),
        }
    }

    /// The names of all profiles, in their order.
    pub(crate) fn list(home: &Home) -> Result<Vec<String>, Failure> {
        let entries = match std::fs::read_dir(home.profiles()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => {
                return Err(Failure::usage(
                    format!("{} cannot be read: {error}.", home.profiles().display()),
                    "Make the directory readable.",
                ));
            }
        };
        let mut names: Vec<String> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .filter(|name| is_name(name))
            .collect();
        names.sort();
        Ok(names)
    }

    /// How the responder signs in, whether it is said or follows.
    pub(crate) fn way(&self) -> SignInWay {
        self.sign_in.unwrap_or(if self.secret_file.is_some() {
            SignInWay::Secret
        } else {
            SignInWay::DeviceCode
        })
    }
}

fn path(home: &Home, name: &str) -> Result<PathBuf, Failure> {
    if is_name(name) {
        Ok(home.profiles().join(format!("{name}.toml")))
    } else {
        Err(Failure::usage(
            format!("`{name}` cannot be the name of a profile."),
            "A name has 1 to 64 of letters, digits, `-` and `_`.",
        ))
    }
}

/// A name that can stand in a file name: no way out of the profiles' directory.
fn is_name(name: &str) -> bool {
    let plain = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    plain && !name.is_empty() && name.len() <= 64
}

/// The text of a file that a profile names.
pub(super) fn read_text(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| {
        Failure::usage(
            format!("{} cannot be read: {error}.", file.display()),
            "Correct the path in the profile.",
        )
    })
}

/// A secret that other users can read is not taken.
pub(super) fn read_secret(file: &Path) -> Result<secrecy::SecretString, Failure> {
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
    Ok(secrecy::SecretString::from(text.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> (tempfile::TempDir, Home) {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::find(Some(dir.path().to_owned())).unwrap();
        (dir, home)
    }

    #[test]
    fn what_is_saved_is_loaded_again_listed_and_removed() {
        let (_dir, home) = home();
        assert_eq!(ProfileFile::list(&home).unwrap(), Vec::<String>::new());
        let profile = ProfileFile {
            tenant_id: "6f0c1b1e-52a7-4a0e-9d4b-0d2f7a3c9e11".into(),
            client_id: Some("app".into()),
            cloud: Some(Cloud::GccHigh),
            authority: None,
            sign_in: Some(SignInWay::Certificate),
            secret_file: None,
            certificate_file: Some("/secret/app.pem".into()),
            token_file: None,
            identity: None,
            ca_file: Some("/etc/ssl/our.pem".into()),
            proxy: Some("http://proxy.example:3128".into()),
            keep_tokens: Some(KeepTokens::Keyring),
            break_glass: vec!["glass@contoso.example".into()],
            partner_of: None,
        };
        profile.save(&home, "contoso").unwrap();
        let customer = ProfileFile {
            tenant_id: "customer.example".into(),
            partner_of: Some("contoso".into()),
            ..ProfileFile::default()
        };
        customer.save(&home, "a-customer").unwrap();
        assert_eq!(ProfileFile::load(&home, "contoso").unwrap(), profile);
        assert_eq!(ProfileFile::load(&home, "a-customer").unwrap(), customer);
        assert_eq!(ProfileFile::list(&home).unwrap(), ["a-customer", "contoso"]);
        assert!(ProfileFile::remove(&home, "contoso").unwrap());
        assert!(!ProfileFile::remove(&home, "contoso").unwrap());
        assert_eq!(ProfileFile::list(&home).unwrap(), ["a-customer"]);
    }

    #[test]
    fn the_words_of_the_file_are_those_of_the_guide() {
        let profile: ProfileFile = toml::from_str(
            "tenant_id = \"t\"\ncloud = \"gcc-high\"\nsign_in = \"managed-identity\"\nkeep_tokens = \"keyring\"\n",
        )
        .unwrap();
        assert_eq!(profile.cloud, Some(Cloud::GccHigh));
        assert_eq!(profile.way(), SignInWay::ManagedIdentity);
        for (text, way) in [
            ("", SignInWay::DeviceCode),
            ("secret_file = \"s\"", SignInWay::Secret),
            ("sign_in = \"browser\"", SignInWay::Browser),
            ("sign_in = \"azure-cli\"", SignInWay::AzureCli),
            (
                "sign_in = \"workload-identity\"",
                SignInWay::WorkloadIdentity,
            ),
        ] {
            let profile: ProfileFile =
                toml::from_str(&format!("tenant_id = \"t\"\n{text}\n")).unwrap();
            assert_eq!(profile.way(), way);
        }
    }

    #[test]
    fn no_name_leads_out_of_the_directory() {
        let (_dir, home) = home();
        for name in ["", "../x", "a/b", "a.toml", "..", &"a".repeat(65)] {
            assert_eq!(
                ProfileFile::load(&home, name).unwrap_err().code,
                codes::BAD_INPUT
            );
            assert!(ProfileFile::remove(&home, name).is_err());
            assert!(ProfileFile::default().save(&home, name).is_err());
        }
    }
}
