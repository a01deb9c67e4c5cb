//! Where things are kept, and the environment variables that the program reads.

use std::path::{Path, PathBuf};

use retake_playbook::codes;

use crate::failure::Failure;

/// Every environment variable that the program reads, with what it does.
pub const VARIABLES: &[(&str, &str)] = &[
    (
        "RETAKE_HOME",
        "the directory for cases, profiles and the lab's address, instead of the user's data directory",
    ),
    (
        "AZURE_FEDERATED_TOKEN_FILE",
        "the token file of a workload identity, where the profile names none",
    ),
    (
        "IDENTITY_ENDPOINT",
        "with IDENTITY_HEADER: where App Service and alike give tokens of their managed identity",
    ),
    (
        "IDENTITY_HEADER",
        "what that address wants to see; a secret that the platform sets",
    ),
    (
        "HTTPS_PROXY",
        "the HTTP proxy, where the profile names none; also in small letters",
    ),
    (
        "ALL_PROXY",
        "the same, where HTTPS_PROXY is not set; also in small letters",
    ),
    (
        "NO_PROXY",
        "hosts to reach without the proxy, separated by commas; also in small letters",
    ),
    ("NO_COLOR", "no colours, whatever its value"),
    (
        "XDG_DATA_HOME",
        "the user's data directory, where RETAKE_HOME is not given",
    ),
];

/// The directory in which everything is kept.
#[derive(Clone, Debug)]
pub struct Home(PathBuf);

impl Home {
    /// The one that was given, or the user's data directory.
    pub fn find(given: Option<PathBuf>) -> Result<Self, Failure> {
        let of = |name: &str| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        given
            .or_else(|| of("RETAKE_HOME"))
            .or_else(|| of("XDG_DATA_HOME").map(|dir| dir.join("retake")))
            .or_else(|| of("HOME").map(|dir| dir.join(".local/share/retake")))
            .map(Self)
            .ok_or_else(|| {
                Failure::new(
                    codes::BAD_INPUT,
                    "No directory is known to keep cases in: neither RETAKE_HOME nor HOME is set.",
                    "Give one with --home DIR.",
                )
            })
    }

    /// Where the case store is.
    pub fn store(&self) -> PathBuf {
        self.0.join("cases")
    }

    /// Where the lab that is being served says how it is reached.
    pub fn lab(&self) -> PathBuf {
        self.0.join("lab.json")
    }

    /// Where profiles are.
    pub fn profiles(&self) -> PathBuf {
        self.0.join("tenants")
    }

    /// Where an organisation's own texts are.
    pub fn templates(&self) -> PathBuf {
        self.0.join("templates")
    }

    /// Where processes tell one another about throttling.
    pub fn waits(&self) -> PathBuf {
        self.0.join("throttling")
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

/// Writes a file that only its owner can read, whole or not at all.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    use std::io::Write as _;
    let failed = |error: std::io::Error| {
        Failure::new(
            codes::NOT_WRITABLE,
            format!("{} cannot be written: {error}.", path.display()),
            "Name another directory with --home DIR.",
        )
    };
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).map_err(failed)?;
    }
    let part = path.with_extension("part");
    let _ = std::fs::remove_file(&part);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
        .open(&part)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&part, path))
        .map_err(failed)
}
