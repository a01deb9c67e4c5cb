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
    /// The same for the calls and faults alone that docs/soak/faults.json does not hold yet; the
    /// others keep their rows, each with the commit that it was played at.
    FaultsMissing,
    /// Every scenario with the responder and the controls, seeds 1 to 10, to docs/soak/score.json.
    Drills,
    /// A hunt through a million generated records with every kind of story, three seeds, in
    /// release, to docs/soak/hunt.json and docs/soak/hunt.md.
    Hunt,
}

/// Plays it, in the tuned development profile that the tests have built already: every figure
/// is of the lab's own clock, and the same in each profile. The results name the commit, and whether the tree held anything else.
pub(crate) fn soak(root: &Path, what: Soak) -> Result<(), Failure> {
    let commit = git(root, "rev-parse --short HEAD")?;
    let changed = !git(root, "status --porcelain --untracked-files=no")?.is_empty();
    let commit = if changed {
        format!("{commit} with changes")
    } else {
        commit
    };
    let (run, file, command) = match what {
        Soak::Hunt => return crate::soak_hunt::soak(root, commit),
        Soak::Faults => (
            "run --quiet --package retake-drill --example faults --",
            "docs/soak/faults.json",
            "cargo xtask soak faults",
        ),
        Soak::FaultsMissing => (
            "run --quiet --package retake-drill --example faults --",
            "docs/soak/faults.json",
            "cargo xtask soak faults-missing",
        ),
        Soak::Drills => (
            "run --quiet --package retake-drill --example drills --",
            "docs/soak/score.json",
            "cargo xtask soak drills",
        ),
    };
    let mut call = Call::cargo(run).arg(file).arg(commit).arg(command);
    if matches!(what, Soak::FaultsMissing) {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        call = call.arg(threads.to_string()).arg("--missing");
    }
    call.run(root)?;
    println!("wrote {file}; `cargo xtask docs` writes its page");
    Ok(())
}

fn git(root: &Path, arguments: &str) -> Result<String, Failure> {
    let said = Call::new("git", arguments).output(root)?;
    Ok(String::from_utf8_lossy(&said).trim().to_owned())
}
