//! Stand-ins for the means of signing in: each notes what was asked of it.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

use retake_tenant::edge::{
    BoxFuture, Browser, Entropy, Files, Keyring, KeyringError, Loopback, Programs, Ran,
};
use secrecy::{ExposeSecret as _, SecretString};

/// Every call gives other bytes, and every run the same.
#[derive(Default)]
pub(crate) struct Counting(AtomicU8);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0.fetch_add(1, Ordering::Relaxed));
    }
}

#[derive(Default, Clone)]
pub(crate) struct FakeFiles(pub(crate) Arc<Mutex<HashMap<PathBuf, String>>>);

impl FakeFiles {
    pub(crate) fn write(&self, path: &str, text: &str) {
        self.0.lock().unwrap().insert(path.into(), text.into());
    }
}

impl Files for FakeFiles {
    fn read(&self, path: &Path) -> io::Result<SecretString> {
        let files = self.0.lock().unwrap();
        let text = files.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(text.clone().into())
    }
}

/// Programs that end as scripted: success, standard output, standard error.
#[derive(Default)]
pub(crate) struct FakePrograms {
    pub(crate) ends: Mutex<VecDeque<Option<(bool, String, String)>>>,
    pub(crate) ran: Mutex<Vec<String>>,
}

impl Programs for FakePrograms {
    fn run<'a>(
        &'a self,
        program: &'a str,
        arguments: &'a [&'a str],
    ) -> BoxFuture<'a, io::Result<Ran>> {
        self.ran
            .lock()
            .unwrap()
            .push(format!("{program} {}", arguments.join(" ")));
        let end = self.ends.lock().unwrap().pop_front().unwrap();
        Box::pin(async move {
            let (success, stdout, stderr) = end.ok_or(io::ErrorKind::NotFound)?;
            Ok(Ran {
                success,
                stdout: stdout.into(),
                stderr,
            })
        })
    }
}

/// A person at a browser. What comes back is scripted, with `STATE` for the
/// state of the address that was opened.
#[derive(Default, Clone)]
pub(crate) struct FakeBrowser {
    pub(crate) opened: Arc<Mutex<Vec<String>>>,
    pub(crate) comes_back: Arc<Mutex<VecDeque<String>>>,
    pub(crate) shown: Arc<Mutex<Vec<(u16, String)>>>,
}

pub(crate) const PORT: u16 = 41_234;

impl FakeBrowser {
    pub(crate) fn coming_back(targets: &[&str]) -> Self {
        let browser = Self::default();
        let targets = targets.iter().map(|target| (*target).to_owned());
        browser.comes_back.lock().unwrap().extend(targets);
        browser
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let opened = self.opened.lock().unwrap();
        let url = url::Url::parse(opened.last()?).unwrap();
        url.query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

impl Browser for FakeBrowser {
    fn listen(&self) -> BoxFuture<'_, io::Result<Box<dyn Loopback>>> {
        let listener: Box<dyn Loopback> = Box::new(self.clone());
        Box::pin(async move { Ok(listener) })
    }

    fn open(&self, url: &str) {
        self.opened.lock().unwrap().push(url.to_owned());
    }
}

impl Loopback for FakeBrowser {
    fn port(&self) -> u16 {
        PORT
    }

    fn request(&mut self) -> BoxFuture<'_, io::Result<SecretString>> {
        let next = self.comes_back.lock().unwrap().pop_front();
        let state = self.parameter("state").unwrap_or_default();
        Box::pin(async move {
            match next {
                Some(target) => Ok(target.replace("STATE", &state).into()),
                None => std::future::pending().await,
            }
        })
    }

    fn answer<'a>(&'a mut self, status: u16, text: &'a str) -> BoxFuture<'a, ()> {
        self.shown.lock().unwrap().push((status, text.to_owned()));
        Box::pin(async {})
    }
}

/// A keyring; `broken` says why it does not serve.
#[derive(Default, Clone)]
pub(crate) struct FakeKeyring {
    pub(crate) kept: Arc<Mutex<HashMap<String, String>>>,
    pub(crate) broken: Option<&'static str>,
}

impl FakeKeyring {
    fn works(&self) -> Result<(), KeyringError> {
        self.broken
            .map_or(Ok(()), |why| Err(KeyringError(why.to_owned())))
    }

    pub(crate) fn only(&self) -> Option<(String, String)> {
        let kept = self.kept.lock().unwrap();
        assert!(kept.len() <= 1, "{kept:?}");
        kept.iter().next().map(|(k, v)| (k.clone(), v.clone()))
    }
}

impl Keyring for FakeKeyring {
    fn load(&self, name: &str) -> Result<Option<SecretString>, KeyringError> {
        self.works()?;
        Ok(self.kept.lock().unwrap().get(name).cloned().map(Into::into))
    }

    fn store(&self, name: &str, secret: &SecretString) -> Result<(), KeyringError> {
        self.works()?;
        let secret = secret.expose_secret().to_owned();
        self.kept.lock().unwrap().insert(name.to_owned(), secret);
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<(), KeyringError> {
        self.works()?;
        self.kept.lock().unwrap().remove(name);
        Ok(())
    }
}
