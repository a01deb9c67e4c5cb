//! Reading, and saying meanwhile how far it is.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use retake_hunt::{HuntError, HuntReport, Import, Options, Progress};
use retake_report::hunt::progress;

use crate::terminal::Terminal;

/// The line is drawn anew at most so often.
const EVERY: Duration = Duration::from_millis(200);

/// Reads the files and answers. How far it is goes to standard error, where somebody
/// watches.
pub(super) fn import(
    paths: &[PathBuf],
    options: &Options,
    terminal: &Terminal,
) -> Result<HuntReport, HuntError> {
    let mut shown = Shown::new(terminal);
    let mut files = Vec::new();
    for path in paths {
        list(path, &mut files);
    }
    let sizes: Vec<u64> = files
        .iter()
        .map(|path| std::fs::metadata(path).map_or(0, |metadata| metadata.len()))
        .collect();
    let mut told = Progress {
        bytes_total: Some(sizes.iter().sum()),
        ..Progress::default()
    };
    let mut import = Import::new();
    for (path, size) in files.iter().zip(sizes) {
        shown.progress(&told);
        import.add_path(path)?;
        told.bytes_done += size;
    }
    let imported = import.finish();
    told.records = imported.counts.read;
    shown.progress(&told);
    if imported.inputs.is_empty() {
        return Err(HuntError::NoInput);
    }
    Ok(retake_hunt::report(imported, options))
}

/// Every file below a path. What cannot be listed stands there itself: the import says why
/// it cannot be read.
fn list(path: &Path, files: &mut Vec<PathBuf>) {
    let entries = std::fs::metadata(path)
        .ok()
        .filter(std::fs::Metadata::is_dir)
        .and_then(|_| std::fs::read_dir(path).ok())
        .and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<Result<Vec<_>, _>>()
                .ok()
        });
    match entries {
        Some(mut entries) => {
            entries.sort();
            for entry in entries {
                // Links inside a directory may form a circle.
                if !entry.is_symlink() {
                    list(&entry, files);
                }
            }
        }
        None => files.push(path.to_owned()),
    }
}

/// The line that says how far it is, and above it what was found so far. Where nobody
/// watches, nothing is written.
pub(super) struct Shown<'a> {
    terminal: &'a Terminal,
    width: Option<usize>,
    begun: Instant,
    last: Option<Instant>,
}

impl<'a> Shown<'a> {
    pub(super) fn new(terminal: &'a Terminal) -> Self {
        Self {
            terminal,
            width: terminal.watched(),
            begun: Instant::now(),
            last: None,
        }
    }

    pub(super) fn progress(&mut self, progress: &Progress) {
        let Some(width) = self.width else {
            return;
        };
        let width = width.saturating_sub(1).max(20);
        for finding in &progress.new_findings {
            self.terminal.progress("");
            self.terminal.say(&progress::finding(finding, width));
        }
        let now = Instant::now();
        let due = self
            .last
            .is_none_or(|last| now.duration_since(last) >= EVERY);
        if due || !progress.new_findings.is_empty() {
            self.last = Some(now);
            let line = progress::line(progress, now.duration_since(self.begun), width);
            self.terminal.progress(&line);
        }
    }
}

/// Whatever comes next has the line for itself.
impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if self.width.is_some() && self.last.is_some() {
            self.terminal.progress("");
        }
    }
}
