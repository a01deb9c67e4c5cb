//! `--record FILE`: what goes over the wire, redacted.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use retake_playbook::codes;
use retake_tape::{Recorder, RecordingTransport};
use retake_tenant::Profile;
use retake_tenant::edge::{Clock, SystemEntropy, Transport};

use crate::args::Recording;
use crate::failure::Failure;
use crate::terminal::{Terminal, WARN};

/// A tape that is being written.
pub(crate) struct TapeFile {
    recorder: Arc<Recorder>,
    path: PathBuf,
}

/// The transport, and the tape if one is wanted.
pub(crate) fn recorded<T: Transport + 'static>(
    transport: T,
    recording: &Recording,
    profile: &Profile,
    clock: &Arc<dyn Clock>,
) -> Result<(Arc<dyn Transport>, Option<TapeFile>), Failure> {
    let Some(path) = recording.record.clone() else {
        return Ok((Arc::new(transport), None));
    };
    let recorder = Recorder::create(
        &path,
        recording.replace_record,
        profile,
        Arc::clone(clock),
        &SystemEntropy,
    )
    .map_err(|error| {
        if error.kind() == ErrorKind::AlreadyExists {
            Failure::usage(
                format!("{} is there already. Nothing was sent.", path.display()),
                "Name another file, or replace it with --replace-record.",
            )
        } else {
            Failure::new(
                codes::BAD_INPUT,
                format!(
                    "{} cannot be written: {error}. Nothing was sent.",
                    path.display()
                ),
                "Name another file with --record FILE.",
            )
        }
    })?;
    let recorder = Arc::new(recorder);
    let transport = RecordingTransport::new(transport, Arc::clone(&recorder));
    Ok((Arc::new(transport), Some(TapeFile { recorder, path })))
}

impl TapeFile {
    /// Says at the end, however it ends, whether the tape is whole. A tape that cannot be written
    /// stops no response.
    pub(crate) fn told_at_the_end<'a>(&'a self, terminal: &'a Terminal) -> impl Drop + use<'a> {
        Told {
            tape: self,
            terminal,
        }
    }
}

struct Told<'a> {
    tape: &'a TapeFile,
    terminal: &'a Terminal,
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        let path = self.tape.path.display();
        match self.tape.recorder.finish() {
            Ok(()) => self.terminal.say(&format!("\nrecorded, redacted: {path}")),
            Err(error) => self.terminal.say(&format!(
                "\n{WARN}not all was recorded{WARN:#}: {path}: {error}. Nothing else is affected."
            )),
        }
    }
}
