//! What takes too long for every check: played now and then, its results committed.

use std::path::Path;

use clap::ValueEnum;

use crate::Failure;
use crate::run::Call;

/// What can be played.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Soak {
    /// The default drill with every fault on every call, to docs/soak/faults.json.
    Faults,
    /// Every scenario with the responder and the controls, seeds 1 to 10, to docs/soak/score.json.
    Drills,
}

/// Plays it. The results name the commit, and whether the tree held anything else.
pub(crate) fn soak(root: &Path, what: Soak) -> Result<(), Failure> {
    let commit = git(root, "rev-parse --short HEAD")?;
    let changed = !git(root, "status --porcelain --untracked-files=no")?.is_empty();
    let commit = if changed {
        format!("{commit} with changes")
    } else {
        commit
    };
    let (run, file, command) = match what {
        Soak::Faults => (
            "run --quiet --package retake-drill --example faults --",
            "docs/soak/faults.json",
            "cargo xtask soak faults",
        ),
        Soak::Drills => (
            "run --quiet --release --package retake-drill --example drills --",
            "docs/soak/score.json",
            "cargo xtask soak drills",
        ),
    };
    Call::cargo(run)
        .arg(file)
        .arg(commit)
        .arg(command)
        .run(root)?;
    println!("wrote {file}; `cargo xtask docs` writes its page");
    Ok(())
}

fn git(root: &Path, arguments: &str) -> Result<String, Failure> {
    let said = Call::new("git", arguments).output(root)?;
    Ok(String::from_utf8_lossy(&said).trim().to_owned())
}
