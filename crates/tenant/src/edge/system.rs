//! Clock, entropy and files of the operating system, for the outermost binary.

use std::io;
use std::path::Path;
use std::time::Duration;

use secrecy::SecretString;

use super::{BoxFuture, Clock, Entropy, Files};

/// The computer's own clock; waits on the tokio runtime it is polled in.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// The operating system's random numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    /// Ends the process if the operating system has no random numbers to
    /// give: going on with predictable passwords would be worse, and there is
    /// no caller that could do better.
    fn fill(&self, bytes: &mut [u8]) {
        if getrandom::fill(bytes).is_err() {
            std::process::abort();
        }
    }
}

/// The files of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemFiles;

impl Files for SystemFiles {
    fn read(&self, path: &Path) -> io::Result<SecretString> {
        std::fs::read_to_string(path).map(SecretString::from)
    }
}
