//! The journal and its store.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use retake_casefile::{CaseId, Options, Store, StoreError, digest};
use retake_playbook::Event;
use retake_playbook::event::Closing;
use rusqlite::Connection;

use crate::story::{at, opened, tell, unread};

#[test]
fn a_journal_reads_back_as_it_was_written_and_each_record_follows_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let case = tell(&Store::open(dir.path()).unwrap());
    let store = Store::open(dir.path()).unwrap();
    let records = store.records(&case).unwrap();
    assert_eq!(records.len(), 4);
    assert_eq!(records[0].event, opened("case-1"));
    assert_eq!(records[0].previous.as_str(), "0".repeat(64));
    for pair in records.windows(2) {
        assert_eq!(pair[1].previous, pair[0].hash);
        assert_eq!(pair[1].seq, pair[0].seq + 1);
    }
    // The hash can be computed from what the module's documentation says alone.
    let first = &records[0];
    let body = format!(
        concat!(
            r#"{{"schema":2,"case":"case-1","seq":1,"at":"{at}","event":{{"account":"li.wei@example.org","#,
            r#""alert":"Invoice with a changed bank account","case":"case-1","event":"case_opened","#,
            r#""program":"0.1.0","responder":"Robin","tenant":"0f0e"}},"previous":"{zeros}"}}"#
        ),
        at = at(0),
        zeros = "0".repeat(64)
    );
    assert_eq!(first.body(), body);
    assert_eq!(first.hash, digest(body.as_bytes()));
}

#[test]
fn only_its_owner_may_look_into_a_store() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("cases");
    let store = Store::open(&dir).unwrap();
    let case = tell(&store);
    let _lease = store.lease(&case, "Robin").unwrap();
    store.signing_key(&mut |bytes| bytes.fill(7)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    for file in [
        "cases.db",
        "cases.db-wal",
        "signing.key",
        "leases/case-1.lock",
    ] {
        assert_eq!(mode(&dir.join(file)), 0o600, "{file}");
    }
}

#[test]
fn of_two_writers_at_once_one_is_told_that_the_other_was_first() {
    let dir = tempfile::tempdir().unwrap();
    let one = Arc::new(Store::open(dir.path()).unwrap());
    let case = tell(&one);
    // One pair shares a store, the other opens its own as another process would.
    let two = Arc::new(Store::open(dir.path()).unwrap());
    for round in 0..20 {
        let expected = 4 + round;
        let outcomes: Vec<_> = [Arc::clone(&one), Arc::clone(&one), Arc::clone(&two)]
            .into_iter()
            .map(|store| {
                let case = case.clone();
                thread::spawn(move || store.append(&case, expected, at(3), &unread("slow")))
            })
            .collect::<Vec<_>>()
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect();
        assert_eq!(outcomes.iter().filter(|o| o.is_ok()).count(), 1);
        for outcome in outcomes {
            if let Err(error) = outcome {
                let StoreError::Conflict {
                    expected: e, found, ..
                } = error
                else {
                    panic!("{error}");
                };
                assert_eq!((e, found), (expected, expected + 1));
            }
        }
    }
    assert_eq!(one.records(&case).unwrap().len(), 24);
}

#[test]
fn an_account_has_one_open_case_and_may_have_another_after_it_was_closed() {
    let store = Store::open_in_memory().unwrap();
    let case = tell(&store);
    let again = |id| store.create_case("0f0e", "li.wei@example.org", id, at(5));
    assert!(matches!(again("case-2"), Err(StoreError::AlreadyOpen { case: open }) if open == case));
    let closed = Event::Closed(Closing {
        first_access: "phish".to_owned(),
        persistence: "a rule".to_owned(),
        impact: "three messages".to_owned(),
        confidence: 0.1 + 0.2,
        unknown: vec![],
    });
    store.append(&case, 4, at(5), &closed).unwrap();
    assert_eq!(store.find_open("0f0e", "li.wei@example.org").unwrap(), None);
    assert!(matches!(
        again("case-1"),
        Err(StoreError::CaseExists { .. })
    ));
    let second = again("case-2").unwrap();
    let cases = store.cases().unwrap();
    assert_eq!(
        cases
            .iter()
            .map(|case| (case.id.as_str(), case.records, case.closed))
            .collect::<Vec<_>>(),
        [("case-1", 5, true), ("case-2", 0, false)]
    );
    assert_eq!(
        store.find_open("0f0e", "li.wei@example.org").unwrap(),
        Some(second)
    );
    assert_eq!(
        store.find_open("other", "li.wei@example.org").unwrap(),
        None
    );
}

#[test]
fn what_json_cannot_carry_is_refused_before_it_is_written() {
    let store = Store::open_in_memory().unwrap();
    let case = tell(&store);
    let closed = Event::Closed(Closing {
        first_access: String::new(),
        persistence: String::new(),
        impact: String::new(),
        confidence: f64::NAN,
        unknown: vec![],
    });
    let error = store.append(&case, 4, at(5), &closed).unwrap_err();
    assert!(matches!(error, StoreError::Unwritable { .. }), "{error}");
    assert_eq!(store.records(&case).unwrap().len(), 4);
}

#[test]
fn a_case_id_is_harmless_in_a_path() {
    for text in ["", "..", "a/b", "A", "-a", "a.b", "ä", &"a".repeat(65)] {
        assert!(CaseId::parse(text).is_err(), "{text}");
    }
    assert!(CaseId::parse("2026-11-22-x7").is_ok());
    let store = Store::open_in_memory().unwrap();
    let missing = CaseId::parse("nobody").unwrap();
    for error in [
        store.records(&missing).unwrap_err(),
        store.append(&missing, 0, at(0), &unread("x")).unwrap_err(),
        store.keep(&missing, b"x").unwrap_err(),
        store.lease(&missing, "Robin").map(drop).unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::NotFound { .. }), "{error}");
    }
}

#[test]
fn evidence_is_kept_once_and_an_altered_piece_is_not_handed_out() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let case = tell(&store);
    let kept = store.keep(&case, b"answer").unwrap();
    assert_eq!(store.keep(&case, b"answer").unwrap(), kept);
    assert_eq!(store.evidence_digests(&case).unwrap().len(), 3);
    assert_eq!(store.evidence(&case, &kept).unwrap().unwrap(), b"answer");
    assert_eq!(store.evidence(&case, &digest(b"other")).unwrap(), None);
    behind_the_back(
        dir.path(),
        "UPDATE evidence SET bytes = x'00' WHERE length(bytes) = 6",
    );
    let error = store.evidence(&case, &kept).unwrap_err();
    assert!(matches!(error, StoreError::EvidenceDamaged { .. }));
    assert!(error.is_integrity());
}

#[test]
fn a_journal_altered_in_the_store_is_noticed_at_the_record() {
    let changes = [
        (
            "UPDATE records SET body = replace(body, 'Robin', 'Mallory') WHERE seq = 1",
            1,
        ),
        (
            "UPDATE records SET hash = replace(hash, substr(hash, 1, 1), 'x') WHERE seq = 2",
            2,
        ),
        ("DELETE FROM records WHERE seq = 2", 2),
        ("UPDATE records SET body = 'nonsense' WHERE seq = 3", 3),
        (
            "PRAGMA writable_schema = ON; UPDATE records SET seq = 9 WHERE seq = 3",
            3,
        ),
    ];
    for (change, expected) in changes {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let case = tell(&store);
        behind_the_back(dir.path(), change);
        let error = store.records(&case).unwrap_err();
        let StoreError::Integrity { seq, .. } = error else {
            panic!("{change}: {error}");
        };
        assert_eq!(seq, expected, "{change}");
        // The list of cases still comes up.
        assert_eq!(store.cases().unwrap().len(), 1);
    }
}

#[test]
fn a_record_rewritten_together_with_its_hash_no_longer_fits_the_next_one() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let case = tell(&store);
    let body = store.records(&case).unwrap()[0]
        .body()
        .replace("Robin", "Mallory");
    behind_the_back(
        dir.path(),
        &format!(
            "UPDATE records SET body = '{body}', hash = '{}' WHERE seq = 1",
            digest(body.as_bytes())
        ),
    );
    assert!(matches!(
        store.records(&case),
        Err(StoreError::Integrity { seq: 2, .. })
    ));
}

#[test]
fn a_store_or_an_event_of_a_newer_program_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let case = tell(&store);
    let newer = store.records(&case).unwrap()[3]
        .body()
        .replace("gate_passed", "gate_melted");
    behind_the_back(
        dir.path(),
        &format!(
            "UPDATE records SET body = '{newer}', hash = '{}' WHERE seq = 4",
            digest(newer.as_bytes())
        ),
    );
    let error = store.records(&case).unwrap_err();
    assert!(matches!(error, StoreError::NewerVersion { .. }), "{error}");
    drop(store);

    behind_the_back(dir.path(), "PRAGMA user_version = 7");
    let before = fs::read(dir.path().join("cases.db")).unwrap();
    let error = Store::open(dir.path()).unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::NewerVersion {
                found: 7,
                known: 1,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(fs::read(dir.path().join("cases.db")).unwrap(), before);
}

#[test]
fn foreign_and_cut_files_are_named_and_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cases.db");
    tell(&Store::open(dir.path()).unwrap());
    behind_the_back(dir.path(), "PRAGMA wal_checkpoint(TRUNCATE)");
    let whole = fs::read(&path).unwrap();
    let other = {
        let other = tempfile::tempdir().unwrap();
        let path = other.path().join("other.db");
        Connection::open(&path)
            .unwrap()
            .execute_batch("CREATE TABLE mine (x)")
            .unwrap();
        fs::read(path).unwrap()
    };
    let mut garbled = whole.clone();
    garbled[..16].fill(0xff);
    for content in [
        b"Dear diary".to_vec(),
        other,
        garbled,
        whole[..50].to_vec(),
        whole[..whole.len() - 1].to_vec(),
        whole[..4096].to_vec(),
    ] {
        fs::write(&path, &content).unwrap();
        let error = Store::open(dir.path()).unwrap_err();
        assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), content);
    }
    fs::write(&path, whole).unwrap();
    assert!(Store::open(dir.path()).is_ok());
}

#[test]
fn a_full_disk_loses_nothing_and_leaves_nothing_half_written() {
    let dir = tempfile::tempdir().unwrap();
    let case = tell(&Store::open(dir.path()).unwrap());
    let limit = Options {
        max_bytes: Some(120_000),
    };
    let store = Store::open_with(dir.path(), &limit).unwrap();
    let mut written = 4;
    let full = loop {
        match store.append(&case, written, at(9), &unread(&"x".repeat(3000))) {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 1000);
    };
    assert!(matches!(full, StoreError::Full { .. }), "{full}");
    assert!(
        full.to_string()
            .contains("everything written before is whole")
    );
    assert!(full.hint().contains("Make room"));
    let error = store.keep(&case, &vec![1; 50_000]).unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    assert!(written > 10);
    assert_eq!(store.records(&case).unwrap().len() as u64, written);
    // With room again, the same command goes on where it stopped.
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.records(&case).unwrap().len() as u64, written);
    store
        .append(&case, written, at(9), &unread(&"x".repeat(3000)))
        .unwrap();
    assert_eq!(store.evidence_digests(&case).unwrap().len(), 2);
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Store::open(&file.join("cases")).unwrap_err();
    assert!(matches!(error, StoreError::NotWritable { .. }), "{error}");
    assert!(error.to_string().contains("file"));
}

#[test]
fn the_key_is_made_once_and_must_stay_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let mut next = 0;
    let mut entropy = |bytes: &mut [u8]| {
        next += 1;
        bytes.fill(next);
    };
    let store = Store::open(dir.path()).unwrap();
    let key = store.signing_key(&mut entropy).unwrap();
    let again = Store::open(dir.path())
        .unwrap()
        .signing_key(&mut entropy)
        .unwrap();
    assert_eq!(key.fingerprint(), again.fingerprint());

    let path = dir.path().join("signing.key");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let error = store.signing_key(&mut entropy).unwrap_err();
    assert!(matches!(error, StoreError::KeyExposed { .. }), "{error}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, "half a key").unwrap();
    let error = store.signing_key(&mut entropy).unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
    assert!(!error.to_string().contains("half"));

    let memory = Store::open_in_memory().unwrap();
    let one = memory.signing_key(&mut |b| b.fill(1)).unwrap();
    let two = memory.signing_key(&mut |b| b.fill(2)).unwrap();
    assert_eq!(one.fingerprint(), two.fingerprint());
}

fn behind_the_back(dir: &Path, change: &str) {
    Connection::open(dir.join("cases.db"))
        .unwrap()
        .execute_batch(change)
        .unwrap();
}
