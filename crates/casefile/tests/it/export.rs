//! Exported cases.

use std::fs;
use std::io::Read as _;

use retake_casefile::{
    Bundle, Overwrite, SigningKey32, Store, StoreError, VerifyError, digest, export, pack, verify,
    verify_bytes,
};
use retake_playbook::Event;
use retake_playbook::event::EvidenceKept;

use crate::story::{at, key, tell};

#[test]
fn an_exported_case_verifies_anywhere_and_reads_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_in_memory().unwrap();
    let case = tell(&store);
    let out = dir.path().join("case-1.tar");
    let exported = export(&store, &case, &out, &key(), Overwrite::Refuse).unwrap();
    assert_eq!(exported.entries, 5);
    assert_eq!(exported.bytes, fs::metadata(&out).unwrap().len());

    let typed = exported.fingerprint.to_string().replace('-', " ");
    let verified = verify(&out, Some(&typed)).unwrap();
    assert_eq!(verified.case, case);
    assert_eq!((verified.records, verified.evidence), (4, 2));
    assert!(verified.expected_key);
    assert!(!verify(&out, None).unwrap().expected_key);

    let bundle = Bundle::open(&out, Some(&typed)).unwrap();
    assert_eq!(bundle.records(), store.records(&case).unwrap());
    assert_eq!(verified.head, bundle.records()[3].hash);
    for kept in store.evidence_digests(&case).unwrap() {
        assert_eq!(
            bundle.evidence(&kept),
            store.evidence(&case, &kept).unwrap().as_deref()
        );
    }
    assert_eq!(bundle.evidence(&digest(b"other")), None);
}

#[test]
fn any_tar_reads_it_and_sha256_checks_a_line() {
    let store = Store::open_in_memory().unwrap();
    let case = tell(&store);
    let bytes = pack(&store, &case, &key()).unwrap();
    let mut archive = tar::Archive::new(&*bytes);
    let mut names = vec![];
    let mut journal = String::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        assert_eq!(entry.header().mode().unwrap(), 0o644);
        assert_eq!(entry.header().mtime().unwrap(), 0);
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        if path == "journal.jsonl" {
            entry.read_to_string(&mut journal).unwrap();
        } else if let Some(name) = path.strip_prefix("evidence/") {
            let mut content = vec![];
            entry.read_to_end(&mut content).unwrap();
            assert_eq!(digest(&content).as_str(), name);
        }
        names.push(path);
    }
    assert_eq!(
        names[..3],
        ["manifest.json", "manifest.sig", "journal.jsonl"]
    );
    assert!(names[3..].is_sorted());
    for line in journal.lines() {
        let (open, hash) = line.rsplit_once(",\"hash\":\"").unwrap();
        assert_eq!(
            format!("{}\"}}", digest(format!("{open}}}").as_bytes())),
            hash
        );
    }
}

#[test]
fn the_same_case_gives_the_same_bytes() {
    let packed = || {
        let store = Store::open_in_memory().unwrap();
        let case = tell(&store);
        let key = store.signing_key(&mut |bytes| bytes.fill(9)).unwrap();
        pack(&store, &case, &key).unwrap()
    };
    assert_eq!(packed(), packed());
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let case = tell(&store);
    let out = dir.path().join("x.tar");
    export(
        &store,
        &case,
        &out,
        &SigningKey32::new([9; 32]),
        Overwrite::Refuse,
    )
    .unwrap();
    assert_eq!(fs::read(out).unwrap(), packed());
}

#[test]
fn an_export_replaces_a_file_only_when_told() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_in_memory().unwrap();
    let case = tell(&store);
    let out = dir.path().join("case.tar");
    fs::write(&out, "mine").unwrap();
    let error = export(&store, &case, &out, &key(), Overwrite::Refuse).unwrap_err();
    assert!(matches!(error, StoreError::Exists { .. }), "{error}");
    assert_eq!(fs::read(&out).unwrap(), b"mine");
    export(&store, &case, &out, &key(), Overwrite::Replace).unwrap();
    verify(&out, None).unwrap();
    let nowhere = dir.path().join("no/such/place.tar");
    assert!(export(&store, &case, &nowhere, &key(), Overwrite::Refuse).is_err());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn an_export_that_cannot_be_written_leaves_nothing_that_looks_like_one() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_in_memory().unwrap();
    let case = tell(&store);
    let out = dir.path().join("case.tar");
    fs::create_dir(dir.path().join("case.tar.part")).unwrap();
    assert!(export(&store, &case, &out, &key(), Overwrite::Refuse).is_err());
    assert!(!out.exists());
}

#[test]
fn a_case_whose_evidence_is_gone_is_not_exported() {
    let store = Store::open_in_memory().unwrap();
    let case = tell(&store);
    let kept = Event::EvidenceKept(EvidenceKept {
        digest: digest(b"never kept"),
        what: "nothing".to_owned(),
        request: None,
        status: None,
        bytes: 0,
    });
    store.append(&case, 4, at(5), &kept).unwrap();
    let error = pack(&store, &case, &key()).unwrap_err();
    assert!(
        matches!(error, StoreError::EvidenceMissing { .. }),
        "{error}"
    );
}

#[test]
fn another_key_is_said_to_be_another_key() {
    let store = Store::open_in_memory().unwrap();
    let case = tell(&store);
    let bytes = pack(&store, &case, &key()).unwrap();
    let other = SigningKey32::new([1; 32]).fingerprint().to_string();
    let error = verify_bytes(&bytes, Some(&other)).unwrap_err();
    let [problem] = error.problems() else {
        panic!("{error}");
    };
    assert_eq!(problem.entry, "manifest.json");
    assert!(problem.what.contains("another key"), "{problem}");
    assert!(problem.what.contains(&key().fingerprint().to_string()));
    assert!(matches!(
        verify_bytes(&bytes, Some("abc")),
        Err(VerifyError::Fingerprint(_))
    ));
}

#[test]
fn a_file_that_is_something_else_is_called_that() {
    for bytes in [&b""[..], b"PK\x03\x04", &[0; 4096]] {
        assert!(matches!(
            verify_bytes(bytes, None),
            Err(VerifyError::NotACase)
        ));
    }
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(
        verify(dir.path(), None),
        Err(VerifyError::Unreadable { .. })
    ));
}

#[test]
fn an_empty_case_can_be_exported() {
    let store = Store::open_in_memory().unwrap();
    let case = store.create_case("t", "a", "empty", at(0)).unwrap();
    let bytes = pack(&store, &case, &key()).unwrap();
    assert_eq!(verify_bytes(&bytes, None).unwrap().records, 0);
}
