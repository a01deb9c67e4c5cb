//! What the checks need besides cargo, and how a bare machine gets it.
//!
//! Everything is looked for first and brought only when missing, so that a second run costs
//! nothing. Versions are pinned: a new release of a tool does not break an old commit.

use std::env;
use std::path::{Path, PathBuf};

use crate::Failure;
use crate::run::Call;

const NEXTEST: &str = "0.9.143";
const DENY: &str = "0.20.2";
/// Microsoft's own client library, which has to work against the lab unmodified.
const MSAL: &str = "msal==1.*";
const REQUESTS: &str = "requests==2.*";

/// What is on this machine.
pub(crate) struct Tools {
    /// A C compiler: SQLite and ring are compiled from C.
    pub(crate) compiler: bool,
    /// cargo-nextest, which runs the tests.
    pub(crate) nextest: bool,
    /// cargo-deny, which checks licences and sources.
    pub(crate) deny: bool,
    /// A Python that has msal and requests; the tests find it under `RETAKE_PYTHON`.
    pub(crate) python: Option<PathBuf>,
}

/// Looks for everything, changes nothing.
pub(crate) fn look(root: &Path) -> Tools {
    Tools {
        compiler: has_compiler(root),
        nextest: Call::cargo("nextest --version").works(root),
        deny: Call::cargo("deny --version").works(root),
        python: python(root),
    }
}

impl Tools {
    /// One line for each thing that is missing: what, and what is done without it.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        [
            (
                self.compiler,
                "cc, a C compiler: SQLite and ring cannot be built",
            ),
            (
                self.nextest,
                "cargo-nextest: plain `cargo test` runs instead, slower, without time limits",
            ),
            (
                self.deny,
                "cargo-deny: licences, bans and sources are not checked",
            ),
            (
                self.python.is_some(),
                "a Python with msal: the test with Microsoft's own library is skipped",
            ),
        ]
        .into_iter()
        .filter_map(|(there, line)| (!there).then_some(line))
        .collect()
    }
}

/// Brings whatever is missing; says of each thing what it does.
///
/// # Errors
///
/// The first thing that could not be brought, and what a person can do about it.
pub(crate) fn bring(root: &Path) -> Result<Tools, Failure> {
    let tools = look(root);
    if !tools.compiler {
        packages(root, &["gcc", "libc6-dev"])?;
    }
    if !tools.nextest {
        cargo_tool(root, "cargo-nextest", NEXTEST)?;
    }
    if !tools.deny {
        cargo_tool(root, "cargo-deny", DENY)?;
    }
    if tools.python.is_none() {
        bring_python(root)?;
    }
    Ok(look(root))
}

fn has_compiler(root: &Path) -> bool {
    Call::new("cc", "--version").works(root)
}

/// Compiled with little optimisation: a tool that mostly waits is not worth ten minutes.
fn cargo_tool(root: &Path, name: &str, version: &str) -> Result<(), Failure> {
    say(&format!(
        "{name} {version} is compiled, some minutes, once on this machine"
    ));
    Call::cargo("install --locked --debug")
        .arg(format!("{name}@{version}"))
        .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_TARGET_DIR", root.join("target/tools"))
        .run(root)
}

/// Ours, made by [`bring_python`], or the one that the caller named.
fn python(root: &Path) -> Option<PathBuf> {
    let named = env::var_os("RETAKE_PYTHON").map(PathBuf::from);
    named
        .into_iter()
        .chain([venv(root).join("bin/python")])
        .find(|python| {
            Call::new(&python.to_string_lossy(), "-c")
                .arg("import msal, requests")
                .works(root)
        })
}

fn venv(root: &Path) -> PathBuf {
    root.join("target/python")
}

fn bring_python(root: &Path) -> Result<(), Failure> {
    say("a Python environment with msal is made under target/python");
    let venv = venv(root).to_string_lossy().into_owned();
    // A half-made one is made anew: `--clear`.
    let make = Call::new("python3", "-m venv --clear").arg(venv.clone());
    if !make.works(root) {
        packages(root, &["python3", "python3-venv"])?;
        make.run(root)?;
    }
    Call::new(
        &format!("{venv}/bin/python"),
        "-m pip install --quiet --disable-pip-version-check",
    )
    .arg(MSAL)
    .arg(REQUESTS)
    .run(root)
}

fn packages(root: &Path, names: &[&str]) -> Result<(), Failure> {
    let by_hand = format!(
        "install {} with the system's package manager",
        names.join(", ")
    );
    if !Call::new("apt-get", "--version").works(root) {
        return Err(format!("no apt-get here; {by_hand}"));
    }
    let is_root = Call::new("id", "-u")
        .output(root)
        .is_ok_and(|id| id.trim_ascii() == b"0");
    let apt = |arguments: &str| {
        let call = if is_root {
            Call::new("apt-get", arguments)
        } else {
            Call::new("sudo", "--non-interactive apt-get").args(arguments)
        };
        call.env("DEBIAN_FRONTEND", "noninteractive")
    };
    say(&format!("system packages: {}", names.join(", ")));
    let install = names.iter().fold(
        apt("install -y -qq --no-install-recommends"),
        |call, name| call.arg(*name),
    );
    apt("update -qq")
        .run(root)
        .and_then(|()| install.run(root))
        .map_err(|error| format!("{error}\n{by_hand}"))
}

fn say(line: &str) {
    println!("   {line}");
}
