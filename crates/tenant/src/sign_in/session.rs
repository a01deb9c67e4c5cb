//! A person's session: their refresh token, in memory, and in the system's
//! keyring if that is wanted. One token serves all services and all tenants
//! that the person may enter (reference §1.3).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrecy::SecretString;

use crate::edge::{Keyring, KeyringError};
use crate::profile::Profile;

/// The refresh token of one person at one app.
pub(super) struct Session {
    held: Mutex<Held>,
    keyring: Option<Arc<dyn Keyring>>,
    name: String,
}

#[derive(Default)]
struct Held {
    token: Option<SecretString>,
    /// Whether the keyring was asked.
    looked: bool,
    /// Why the keyring did not serve, the last time it did not.
    trouble: Option<KeyringError>,
}

impl Session {
    pub(super) fn new(profile: &Profile, keyring: Option<Arc<dyn Keyring>>) -> Self {
        Self {
            held: Mutex::default(),
            keyring,
            name: profile.session_name(),
        }
    }

    /// The refresh token, if there is one.
    pub(super) fn token(&self) -> Option<SecretString> {
        let mut held = self.lock();
        if held.token.is_none() && !held.looked {
            held.looked = true;
            if let Some(keyring) = &self.keyring {
                match keyring.load(&self.name) {
                    Ok(token) => held.token = token,
                    Err(error) => held.trouble = Some(error),
                }
            }
        }
        held.token.clone()
    }

    /// Keeps the newest refresh token instead of the one before.
    pub(super) fn keep(&self, token: SecretString) {
        let mut held = self.lock();
        if let Some(keyring) = &self.keyring {
            held.trouble = keyring.store(&self.name, &token).err();
        }
        held.token = Some(token);
    }

    /// Forgets a refresh token that is refused, wherever it is kept.
    pub(super) fn forget(&self) {
        let mut held = self.lock();
        held.token = None;
        held.looked = true;
        if let Some(keyring) = &self.keyring
            && let Err(error) = keyring.remove(&self.name)
        {
            held.trouble = Some(error);
        }
    }

    /// Why the keyring does not serve, if it does not. The session is in memory then.
    pub(super) fn trouble(&self) -> Option<KeyringError> {
        self.lock().trouble.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
