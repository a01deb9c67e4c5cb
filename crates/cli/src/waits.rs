//! What processes of this machine tell one another about throttling: one small file
//! for each tenant and service, with the moment before which it is left alone.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use retake_tenant::edge::SharedWaits;

use crate::home::write_private;

/// The files, in a directory of their own.
pub(crate) struct FileWaits {
    dir: PathBuf,
    /// Where words about a file that cannot be used go.
    tell: Box<dyn Fn(&str) + Send + Sync>,
    /// Files that were complained about already.
    told: Mutex<HashSet<PathBuf>>,
}

impl FileWaits {
    /// Files in this directory, which need not be there yet.
    pub(crate) fn new(dir: PathBuf, tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self {
            dir,
            tell: Box::new(tell),
            told: Mutex::default(),
        }
    }

    /// The file of a tenant's service. A tenant may be named by a domain, so that
    /// nothing of it can lead out of the directory.
    fn file(&self, tenant: &str, service: &str) -> PathBuf {
        let plain = |text: &str| -> String {
            text.chars()
                .map(|c| match c {
                    c if c.is_ascii_alphanumeric() || c == '-' => c.to_ascii_lowercase(),
                    _ => '_',
                })
                .take(100)
                .collect()
        };
        self.dir
            .join(format!("{}.{}", plain(tenant), plain(service)))
    }

    fn complain(&self, file: &Path, why: &str) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(file.to_owned()) {
            (self.tell)(&format!(
                "{} is not used: {why}. Nothing is lost: the service says itself when it has had enough.",
                file.display()
            ));
        }
    }
}

impl SharedWaits for FileWaits {
    fn not_before(&self, tenant: &str, service: &str) -> Option<Timestamp> {
        let file = self.file(tenant, service);
        match std::fs::read_to_string(&file) {
            Ok(text) => {
                let moment = text.trim().parse().ok();
                if moment.is_none() {
                    self.complain(&file, "it holds no moment");
                }
                moment
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => {
                self.complain(&file, &error.to_string());
                None
            }
        }
    }

    fn hold(&self, tenant: &str, service: &str, until: Timestamp) {
        let file = self.file(tenant, service);
        if self
            .not_before(tenant, service)
            .is_some_and(|held| held >= until)
        {
            return;
        }
        if write_private(&file, until.to_string().as_bytes()).is_err() {
            self.complain(&file, "it cannot be written");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc};

    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap_or_default()
    }

    fn waits(dir: &Path) -> (FileWaits, mpsc::Receiver<String>) {
        let (tell, told) = mpsc::channel();
        let waits = FileWaits::new(dir.join("throttling"), move |words: &str| {
            let _ = tell.send(words.to_owned());
        });
        (waits, told)
    }

    #[test]
    fn one_process_reads_what_another_wrote_and_the_later_moment_stays() {
        let Ok(home) = tempfile::tempdir() else {
            return;
        };
        let (one, told) = waits(home.path());
        let (other, _) = waits(home.path());
        let until = moment("2026-03-02T08:00:20Z");
        assert_eq!(other.not_before("Contoso.example", "directory"), None);
        one.hold("contoso.example", "directory", until);
        assert_eq!(
            other.not_before("Contoso.example", "directory"),
            Some(until)
        );
        other.hold(
            "contoso.example",
            "directory",
            moment("2026-03-02T08:00:10Z"),
        );
        assert_eq!(one.not_before("contoso.example", "directory"), Some(until));
        assert_eq!(one.not_before("contoso.example", "exchange"), None);
        assert_eq!(told.try_iter().count(), 0);
    }

    #[test]
    fn a_broken_file_is_ignored_with_words_and_once() {
        let Ok(home) = tempfile::tempdir() else {
            return;
        };
        let (waits, told) = waits(home.path());
        waits.hold("t", "directory", moment("2026-03-02T08:00:20Z"));
        let file = home.path().join("throttling/t.directory");
        assert!(std::fs::write(&file, b"\xff\x00 tomorrow").is_ok());
        assert_eq!(waits.not_before("t", "directory"), None);
        assert_eq!(waits.not_before("t", "directory"), None);
        let words: Vec<String> = told.try_iter().collect();
        assert_eq!(words.len(), 1, "{words:?}");
        assert!(words[0].contains("t.directory is not used"), "{words:?}");
        // And it heals.
        let until = moment("2026-03-02T08:01:00Z");
        waits.hold("t", "directory", until);
        assert_eq!(waits.not_before("t", "directory"), Some(until));
    }

    #[test]
    fn no_name_leads_out_of_the_directory() {
        let waits = FileWaits::new(PathBuf::from("/x"), |_| {});
        let file = waits.file("../../etc/passwd", "a/b");
        assert_eq!(file.parent(), Some(Path::new("/x")));
        let _: Arc<dyn SharedWaits> = Arc::new(waits);
    }
}
