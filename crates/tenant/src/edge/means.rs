//! What single ways of signing in want besides: a file, a program, a browser, a keyring.
//!
//! A profile needs at most one or two of them. Whoever has none to give leaves
//! it out; a sign-in that would need it says so and asks nobody.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use secrecy::SecretString;

use super::{BoxFuture, Entropy, Transport};

/// What the ways of signing in may use. Nothing is there unless it is given.
#[derive(Clone, Default)]
pub struct Means {
    /// For the ids of assertions and the secrets of one sign-in in a browser.
    pub entropy: Option<Arc<dyn Entropy>>,
    /// For the token file of a workload identity.
    pub files: Option<Arc<dyn Files>>,
    /// For the Azure command line.
    pub programs: Option<Arc<dyn Programs>>,
    /// For the sign-in of a person in a browser.
    pub browser: Option<Arc<dyn Browser>>,
    /// For keeping refresh tokens beyond the process; without one they stay in memory.
    pub keyring: Option<Arc<dyn Keyring>>,
    /// The way to this machine's own identity service: plain HTTP, never through a proxy.
    pub metadata: Option<Arc<dyn Transport>>,
}

impl fmt::Debug for Means {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Means")
            .field("entropy", &self.entropy.is_some())
            .field("files", &self.files.is_some())
            .field("programs", &self.programs.is_some())
            .field("browser", &self.browser.is_some())
            .field("keyring", &self.keyring.is_some())
            .field("metadata", &self.metadata.is_some())
            .finish()
    }
}

/// Reads small files that hold a secret.
pub trait Files: Send + Sync {
    /// All of the file, which is UTF-8.
    fn read(&self, path: &Path) -> io::Result<SecretString>;
}

/// Runs a program of this machine.
pub trait Programs: Send + Sync {
    /// Runs it to its end, with nothing to read. Dropping the future ends the
    /// program. An error means that it could not be started.
    fn run<'a>(
        &'a self,
        program: &'a str,
        arguments: &'a [&'a str],
    ) -> BoxFuture<'a, io::Result<Ran>>;
}

/// What a program left behind.
#[derive(Debug)]
pub struct Ran {
    /// Whether it ended with 0.
    pub success: bool,
    /// Its standard output.
    pub stdout: SecretString,
    /// Its standard error.
    pub stderr: String,
}

/// A person's browser on this machine.
pub trait Browser: Send + Sync {
    /// Listens on the loopback address, at a port that the system chooses.
    fn listen(&self) -> BoxFuture<'_, io::Result<Box<dyn Loopback>>>;

    /// Shows the address to the person, and opens it if that is possible.
    fn open(&self, url: &str);
}

/// A listener for the browser's way back. Anybody on this machine can speak to
/// it, so nothing that it hears is believed before its state was checked.
pub trait Loopback: Send + Sync {
    /// The port.
    fn port(&self) -> u16;

    /// Waits for the next GET request: its path and query.
    fn request(&mut self) -> BoxFuture<'_, io::Result<SecretString>>;

    /// Answers the request that came last with a page of this text.
    fn answer<'a>(&'a mut self, status: u16, text: &'a str) -> BoxFuture<'a, ()>;
}

/// The system's store for secrets.
pub trait Keyring: Send + Sync {
    /// The secret under this name, if there is one.
    fn load(&self, name: &str) -> Result<Option<SecretString>, KeyringError>;

    /// Keeps a secret under this name, instead of what was there.
    fn store(&self, name: &str, secret: &SecretString) -> Result<(), KeyringError>;

    /// Removes what is under this name; nothing there is no error.
    fn remove(&self, name: &str) -> Result<(), KeyringError>;
}

/// Why the system's keyring does not serve. Its text holds no secret.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the system's keyring cannot be used: {0}")]
pub struct KeyringError(pub String);
