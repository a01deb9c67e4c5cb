//! Files that are there whole, or not at all.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use retake_playbook::codes;

use crate::failure::Failure;

/// A file that is being written beside its place, and put there when it is whole. Only its
/// owner can read it: it tells what was read in somebody's mailbox.
#[derive(Debug)]
pub(crate) struct Outgoing {
    path: PathBuf,
    part: PathBuf,
    replace: bool,
    file: BufWriter<File>,
    done: bool,
}

impl Outgoing {
    /// Whether it could be written; leaves nothing behind.
    pub(crate) fn probe(path: &Path, replace: bool) -> Result<(), Failure> {
        // Dropped unfinished, it takes its part away.
        Self::open(path, replace).map(drop)
    }

    /// Begins to write.
    pub(crate) fn open(path: &Path, replace: bool) -> Result<Self, Failure> {
        free(path, replace)?;
        let name = path.file_name().ok_or_else(|| {
            Failure::usage(
                format!(
                    "{} is no name of a file. Nothing was written.",
                    path.display()
                ),
                "Name a file.",
            )
        })?;
        let part = path.with_file_name(format!(
            ".{}.{}.part",
            name.to_string_lossy(),
            std::process::id()
        ));
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let file = options.open(&part).map_err(|error| failed(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            part,
            replace,
            file: BufWriter::new(file),
            done: false,
        })
    }

    /// Puts it in its place.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.file
            .flush()
            .and_then(|()| self.file.get_ref().sync_all())
            .map_err(|error| failed(&self.path, &error))?;
        // Somebody may have put a file there meanwhile.
        free(&self.path, self.replace)?;
        std::fs::rename(&self.part, &self.path).map_err(|error| failed(&self.path, &error))?;
        self.done = true;
        Ok(())
    }
}

impl Write for Outgoing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        if !self.done {
            let _ = std::fs::remove_file(&self.part);
        }
    }
}

fn free(path: &Path, replace: bool) -> Result<(), Failure> {
    if path.is_dir() {
        return Err(Failure::usage(
            format!("{} is a directory. Nothing was written.", path.display()),
            "Name a file in it.",
        ));
    }
    // A link to nowhere is there, too.
    if path.symlink_metadata().is_ok() && !replace {
        return Err(Failure::usage(
            format!("{} is there already, and was not touched.", path.display()),
            "Name another file, or give --replace.",
        ));
    }
    Ok(())
}

/// The file cannot be written.
pub(crate) fn failed(path: &Path, error: &io::Error) -> Failure {
    let code = if error.kind() == io::ErrorKind::StorageFull {
        codes::DISK_FULL
    } else {
        codes::NOT_WRITABLE
    };
    Failure::new(
        code,
        format!(
            "{} cannot be written: {error}. What was there before is as it was.",
            path.display()
        ),
        "Name a file in a directory that is there and that you may write to.",
    )
    .about(path.display().to_string())
}

/// The folder of those that were read in which the file lies.
pub(crate) fn read_again<'a>(path: &Path, read: &'a [PathBuf]) -> Option<&'a PathBuf> {
    let path = path.canonicalize().ok()?;
    read.iter().find(|folder| {
        folder.is_dir()
            && folder
                .canonicalize()
                .is_ok_and(|folder| path.starts_with(folder))
    })
}
