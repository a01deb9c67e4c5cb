//! Every byte of an exported case counts, and the place of a change is found.

use std::sync::OnceLock;
use std::thread;

use proptest::prelude::*;
use retake_casefile::{Problem, Store, pack, verify_bytes};

use crate::story::{key, tell};

/// The file and, for each byte, the entry that it belongs to.
fn exported() -> (Vec<u8>, Vec<String>) {
    static ONCE: OnceLock<(Vec<u8>, Vec<String>)> = OnceLock::new();
    ONCE.get_or_init(export).clone()
}

fn export() -> (Vec<u8>, Vec<String>) {
    let store = Store::open_in_memory().unwrap();
    let case = tell(&store);
    let bytes = pack(&store, &case, &key()).unwrap();
    let mut owners = vec!["(end of the archive)".to_owned(); bytes.len()];
    for entry in tar::Archive::new(&*bytes).entries().unwrap() {
        let entry = entry.unwrap();
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        let content = usize::try_from(entry.raw_file_position()).unwrap();
        let size = usize::try_from(entry.size()).unwrap();
        let end = content + size.div_ceil(512) * 512;
        owners[content - 512..end].fill(name);
    }
    (bytes, owners)
}

fn covers(problem: &Problem, at: usize) -> bool {
    let at = at as u64;
    (problem.offset..problem.offset + problem.length).contains(&at)
}

#[test]
fn every_altered_byte_is_found_at_its_place() {
    let (bytes, owners) = exported();
    let print = key().fingerprint().to_string();
    let check = |from: usize, to: usize, expected: Option<&str>| {
        for at in from..to {
            let old = bytes[at];
            // Changes that a lenient reader would miss: the case of a digit, a blank,
            // the next value.
            for new in [old ^ 1, old ^ 0x20, old.wrapping_add(1), old ^ 0xff] {
                let mut altered = bytes.clone();
                altered[at] = new;
                let error = verify_bytes(&altered, expected)
                    .expect_err(&format!("byte {at} from {old} to {new}"));
                assert!(
                    error
                        .problems()
                        .iter()
                        .any(|problem| problem.entry == owners[at] && covers(problem, at)),
                    "byte {at} of {} from {old} to {new}: {error}",
                    owners[at]
                );
            }
        }
    };
    let half = bytes.len() / 2;
    thread::scope(|scope| {
        scope.spawn(|| check(0, half, None));
        check(half, bytes.len(), Some(&print));
    });
    // The half with the manifest once more, knowing the key: then signature and key
    // are told apart.
    check(0, 2048, Some(&print));
}

#[test]
fn knowing_the_key_tells_a_changed_signature_from_a_changed_key() {
    let (bytes, owners) = exported();
    let print = key().fingerprint().to_string();
    let content = owners
        .iter()
        .position(|owner| owner == "manifest.sig")
        .unwrap()
        + 512;
    let mut altered = bytes;
    altered[content] = if altered[content] == b'0' { b'1' } else { b'0' };
    let error = verify_bytes(&altered, Some(&print)).unwrap_err();
    assert_eq!(error.problems().len(), 1, "{error}");
    assert_eq!(error.problems()[0].entry, "manifest.sig");
    assert_eq!(
        verify_bytes(&altered, None).unwrap_err().problems().len(),
        2
    );
}

#[test]
fn every_lost_or_added_byte_is_found_where_it_happened_or_right_behind() {
    let (bytes, owners) = exported();
    for at in (0..=bytes.len()).step_by(7) {
        let mut changed = vec![{
            let mut longer = bytes.clone();
            longer.insert(at, b'7');
            longer
        }];
        if at < bytes.len() {
            let mut shorter = bytes.clone();
            shorter.remove(at);
            changed.push(shorter);
        }
        for file in changed {
            let error = verify_bytes(&file, None).expect_err(&format!("at {at}"));
            let end = "(end of the archive)";
            let owner = owners.get(at).map_or(end, String::as_str);
            // A byte lost from a row of equal ones is missed at the end of the row.
            let row = bytes[at.min(bytes.len())..]
                .iter()
                .position(|byte| bytes.get(at) != Some(byte))
                .map_or(end, |row| owners[at + row].as_str());
            assert!(
                error
                    .problems()
                    .iter()
                    .any(|problem| [owner, row].contains(&&*problem.entry)),
                "at {at} of {owner} (then {row}): {error}"
            );
        }
    }
}

#[test]
fn every_cut_is_found() {
    let (bytes, _) = exported();
    for length in 0..bytes.len() {
        let error = verify_bytes(&bytes[..length], None).expect_err("cut");
        if length > 13 {
            let last = error.problems().last().unwrap();
            assert!(
                last.offset + last.length >= length as u64 || last.entry.contains("end"),
                "cut to {length}: {error}"
            );
        }
    }
}

#[test]
fn an_entry_that_was_taken_out_or_put_in_is_missed() {
    let (bytes, owners) = exported();
    let last = owners
        .iter()
        .rfind(|owner| owner.starts_with("evidence/"))
        .unwrap();
    let start = owners.iter().position(|owner| owner == last).unwrap();
    let end = owners.iter().rposition(|owner| owner == last).unwrap() + 1;
    let without = [&bytes[..start], &bytes[end..]].concat();
    let error = verify_bytes(&without, None).unwrap_err();
    assert_eq!(error.problems()[0].entry, *last, "{error}");
    let twice = [&bytes[..end], &bytes[start..]].concat();
    assert!(
        !verify_bytes(&twice, None)
            .unwrap_err()
            .problems()
            .is_empty()
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        prop_assert!(verify_bytes(&bytes, None).is_err());
    }

    #[test]
    fn a_case_cut_up_and_sewn_together_is_refused(
        from in 0.0..1.0f64, to in 0.0..1.0f64, length in 0usize..2000, noise in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let (bytes, _) = exported();
        let place = |share: f64| (share * bytes.len() as f64) as usize;
        let (from, to) = (place(from), place(to));
        let piece = &bytes[from..(from + length).min(bytes.len())];
        let mut sewn = bytes.clone();
        let end = (to + length).min(sewn.len());
        sewn.splice(to..end, piece.iter().chain(&noise).copied());
        prop_assert_eq!(verify_bytes(&sewn, None).is_ok(), sewn == bytes);
    }
}
