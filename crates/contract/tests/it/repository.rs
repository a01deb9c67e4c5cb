//! The repository works on any machine: nothing in it names the one it was written on.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn no_file_names_a_path_of_the_machine_it_was_written_on() {
    let root = root();
    let files = tracked(&root).unwrap_or_else(|| everything(&root));
    assert!(files.len() > 20, "only {} files looked at", files.len());
    let paths = paths_of_this_machine(&root);
    let mut wrong = Vec::new();
    for file in files {
        // Listed by git and deleted in the checkout, or a link to nowhere.
        let Ok(bytes) = fs::read(root.join(&file)) else {
            continue;
        };
        let text = String::from_utf8_lossy(&bytes);
        for (number, line) in text.lines().enumerate() {
            for path in &paths {
                if names(line, path) {
                    wrong.push(format!("{}:{} names {path}", file.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn ci_runs_one_command_and_it_is_the_one_that_people_run() {
    let script = fs::read_to_string(root().join(".ci/run")).unwrap();
    let commands: Vec<&str> = script
        .lines()
        .filter(|line| line.contains("exec "))
        .collect();
    assert_eq!(commands, ["exec cargo xtask test --install"]);
    assert!(script.trim_end().ends_with(commands[0]));
}

#[test]
fn a_path_is_told_from_the_middle_of_another() {
    assert!(names("see /srv/code/retake/docs", "/srv/code/retake"));
    assert!(names("`/srv/code/retake`", "/srv/code/retake"));
    assert!(!names(
        "https://example.org/srv/code/retake/",
        "/srv/code/retake"
    ));
    assert!(!names("/srv/code/retake-old", "/srv/code/retake"));
    assert!(names(
        "/srv/code/retake-old and /srv/code/retake.",
        "/srv/code/retake"
    ));
}

/// The checkout, what lies beside it under a fixed name or hidden, and the toolchain's home.
fn paths_of_this_machine(root: &Path) -> Vec<String> {
    let mut paths = vec![root.to_path_buf()];
    if let Some(parent) = root
        .parent()
        .filter(|parent| parent.components().count() > 1)
    {
        paths.push(parent.join("shared"));
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with('.') {
                paths.push(entry.path());
            }
        }
    }
    let homes = ["HOME", "CARGO_HOME", "RUSTUP_HOME"]
        .into_iter()
        .filter_map(env::var_os);
    for home in homes
        .map(PathBuf::from)
        .filter(|home| home.components().count() > 1)
    {
        paths.push(home.join(".cargo"));
        paths.push(home.join("registry"));
    }
    paths
        .iter()
        .filter_map(|path| path.to_str())
        .map(str::to_owned)
        .collect()
}

/// Whether `line` holds `path` as a path of its own: neither the tail of a longer one (or of
/// an address), nor the beginning of a longer name.
fn names(line: &str, path: &str) -> bool {
    let of_a_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + path.len()..].chars().next();
        !before.is_some_and(|c| of_a_name(c) || matches!(c, '.' | '/'))
            && !after.is_some_and(of_a_name)
    })
}

fn tracked(root: &Path) -> Option<Vec<PathBuf>> {
    let output = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root)
        .output()
        .ok()?;
    output.status.success().then(|| {
        let list = String::from_utf8_lossy(&output.stdout).into_owned();
        list.split('\0')
            .filter(|name| !name.is_empty())
            .map(PathBuf::from)
            .collect()
    })
}

/// Where there is no git: all files but those that a build makes.
fn everything(root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            let made = entry.file_name() == "target" || entry.file_name() == ".git";
            if entry.file_type().unwrap().is_dir() && !made {
                open.push(entry.path());
            } else if !made {
                files.push(entry.path());
            }
        }
    }
    files
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}
