//! Two responders, one case.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use retake_casefile::{CaseId, Store, StoreError};

use crate::story::tell;

const MARKER: &str = "RETAKE_TEST_LEASE_STORE";

#[test]
fn the_second_responder_hears_who_the_first_one_is() {
    let dir = tempfile::tempdir().unwrap();
    for (store, on_disk) in [
        (Store::open(dir.path()).unwrap(), true),
        (Store::open_in_memory().unwrap(), false),
    ] {
        let case = tell(&store);
        let lease = store.lease(&case, "Robin on desk-3\n").unwrap();
        assert_eq!(lease.case(), &case);
        let error = store.lease(&case, "Kim").unwrap_err();
        let StoreError::Leased { owner, since, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(owner.trim_end(), "Robin on desk-3");
        assert_eq!(since.is_some(), on_disk);
        drop(lease);
        store.lease(&case, "Kim").unwrap();
    }
}

#[test]
fn a_lease_dies_with_its_owner_however_it_dies() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let case = tell(&store);
    let mut child = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "lease::holds_a_lease_until_it_is_killed",
            "--nocapture",
        ])
        .env(MARKER, dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let held = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .any(|line| line.contains("held"));
    assert!(held);
    let error = store.lease(&case, "Kim").unwrap_err();
    assert!(
        matches!(&error, StoreError::Leased { owner, .. } if owner == "the child"),
        "{error}"
    );
    child.kill().unwrap();
    child.wait().unwrap();
    store.lease(&case, "Kim").unwrap();
}

/// Not a test by itself: the other process of the test above.
#[test]
fn holds_a_lease_until_it_is_killed() {
    let Some(dir) = env::var_os(MARKER) else {
        return;
    };
    let store = Store::open(Path::new(&dir)).unwrap();
    let case = CaseId::parse("case-1").unwrap();
    let _lease = store.lease(&case, "the child").unwrap();
    println!("held");
    // Ends when the parent is gone, at the latest.
    let _ = std::io::stdin().read_line(&mut String::new());
}
