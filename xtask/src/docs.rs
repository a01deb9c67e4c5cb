//! Pages that the program writes about itself, and whether they are up to date.

use std::fs;
use std::path::Path;

use crate::Failure;
use crate::run::Call;

/// Page → arguments of `retake` whose standard output is the page. A page stands here from
/// the day on which the program can write it.
const GENERATED: &[(&str, &str)] = &[
    ("docs/reference/catalogue.md", "docs catalogue"),
    ("docs/reference/playbook.md", "docs playbook"),
    ("docs/reference/permissions.md", "docs permissions"),
    ("docs/reference/commands.md", "docs commands"),
    ("docs/reference/faults.md", "docs faults"),
    ("docs/errors/README.md", "docs errors"),
    ("docs/reference/score.md", "docs score"),
    ("docs/reference/schemas/README.md", "docs schemas"),
    ("docs/drill.svg", "docs drill"),
];

/// Writes every generated page.
pub(crate) fn write(root: &Path) -> Result<(), Failure> {
    for (page, arguments) in GENERATED {
        let text = generate(root, arguments)?;
        fs::write(root.join(page), text).map_err(|error| format!("{page}: {error}"))?;
        println!("wrote {page}");
    }
    println!("{} generated pages", GENERATED.len());
    Ok(())
}

/// Compares every generated page with what the program would write.
pub(crate) fn check(root: &Path) -> Result<(), Failure> {
    let mut stale = Vec::new();
    for (page, arguments) in GENERATED {
        let text = generate(root, arguments)?;
        match fs::read(root.join(page)) {
            Ok(there) if there == text => println!("up to date: {page}"),
            Ok(_) => stale.push(format!("{page} is not what `retake {arguments}` writes")),
            Err(error) => stale.push(format!("{page}: {error}")),
        }
    }
    if stale.is_empty() {
        println!("{} generated pages, all up to date", GENERATED.len());
        return Ok(());
    }
    Err(format!(
        "{}\n`cargo xtask docs` writes them; look at the difference.",
        stale.join("\n")
    ))
}

fn generate(root: &Path, arguments: &str) -> Result<Vec<u8>, Failure> {
    Call::cargo("run --quiet --package retake-cli --")
        .args(arguments)
        .output(root)
}
