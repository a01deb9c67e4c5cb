//! `cargo xtask soak hunt`: a million records with every kind of story, several seeds.

use std::path::Path;

use crate::Failure;
use crate::run::Call;

/// Plays it in release, to docs/soak/hunt.json and its page.
pub(crate) fn soak(root: &Path, commit: String) -> Result<(), Failure> {
    Call::cargo("build --release --quiet --workspace --example soak").run(root)?;
    Call::new("target/release/examples/soak", "")
        .arg("docs/soak")
        .arg(commit)
        .arg("cargo xtask soak hunt")
        .run(root)?;
    println!("wrote docs/soak/hunt.json and docs/soak/hunt.md");
    Ok(())
}
