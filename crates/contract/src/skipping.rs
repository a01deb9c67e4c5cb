//! What a test does when something it needs is not here.
//!
//! A test that returns early looks like a test that passed. So that nobody mistakes one
//! for the other, it calls [`skip`] (a tool is missing that an installer could have
//! brought) or [`skip_without_shared`] (the reference data is missing, which is not part
//! of the repository and which no installer can bring). Both print a line and append it
//! to the file named by the environment variable [`SKIPPED_LOG`]. `cargo xtask test` sets
//! that variable and reads the file afterwards: a line of the first kind fails a run in
//! CI, lines of the second kind are counted and shown.
//!
//! A file, rather than the test's own output, because a runner captures the output of a
//! test that passed.

use std::env;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;

/// Environment variable that names the file to which skipped tests are appended, one
/// line each: `SKIPPED: test: reason` or `NO DATA: test: reason`.
pub const SKIPPED_LOG: &str = "RETAKE_SKIPPED_LOG";

/// Says that the running test is not carried out, and why. The test then returns.
///
/// For what an installer could have brought: in CI the whole run fails.
///
/// # Panics
///
/// When [`SKIPPED_LOG`] names a file that cannot be written: a skip must not get lost.
pub fn skip(reason: &str) {
    record("SKIPPED", reason);
}

/// Says that the running test is not carried out because the reference data
/// ([`shared_dir`]) is not here, and which part of it. The test then returns.
///
/// # Panics
///
/// As [`skip`].
pub fn skip_without_shared(what: &str) {
    record("NO DATA", what);
}

/// The directory with the reference and the development data, or `None` where it does
/// not exist. `RETAKE_SHARED` names it; otherwise it lies beside the workspace.
pub fn shared_dir() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let dir = env::var_os("RETAKE_SHARED").map_or_else(beside, PathBuf::from);
    dir.join("reference").is_dir().then_some(dir)
}

fn record(kind: &str, reason: &str) {
    let line = format!("{kind}: {}: {reason}", test_name());
    let _ = writeln!(io::stderr(), "{line}");
    if let Some(path) = env::var_os(SKIPPED_LOG) {
        append(Path::new(&path), &line);
    }
}

fn append(path: &Path, line: &str) {
    // One write call per line: appending tests of several processes do not mix.
    let written = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
    if let Err(error) = written {
        #[expect(
            clippy::panic,
            reason = "a skip that nobody can see would pass as a test"
        )]
        {
            panic!("cannot note a skipped test in {}: {error}", path.display());
        }
    }
}

/// `binary::test` under nextest, the test's own name elsewhere.
fn test_name() -> String {
    let test = env::var("NEXTEST_TEST_NAME")
        .ok()
        .or_else(|| thread::current().name().map(str::to_owned))
        .unwrap_or_else(|| "a test".to_owned());
    match env::var("NEXTEST_BINARY_ID") {
        Ok(binary) => format!("{binary} {test}"),
        Err(_) => test,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_skip_is_one_line_of_the_log() {
        let log = env::temp_dir().join(format!("retake-skipped-{}", std::process::id()));
        let _ = std::fs::remove_file(&log);
        append(&log, "SKIPPED: a: no Python");
        append(&log, "NO DATA: b: no samples");
        let text = std::fs::read_to_string(&log).unwrap();
        std::fs::remove_file(&log).unwrap();
        assert_eq!(text, "SKIPPED: a: no Python\nNO DATA: b: no samples\n");
    }

    #[test]
    #[should_panic(expected = "cannot note a skipped test")]
    fn a_skip_that_cannot_be_noted_fails_the_test() {
        append(Path::new("/nowhere/at/all"), "SKIPPED: a: b");
    }
}
