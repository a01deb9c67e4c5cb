//! What `cargo xtask soak hunt` last wrote holds what is claimed of it.

use std::path::{Path, PathBuf};

use retake_corpus::Kind;
use retake_corpus::soak::Soak;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/soak")
        .join(name)
}

fn soak() -> Soak {
    serde_json::from_slice(&std::fs::read(file("hunt.json")).unwrap()).unwrap()
}

#[test]
fn a_million_records_with_every_kind_of_story_by_the_committed_run() {
    let soak = soak();
    assert!(soak.played.len() >= 3);
    for one in &soak.played {
        let seed = one.seed;
        assert!(one.records >= 1_000_000, "seed {seed}");
        assert!(
            Kind::ALL.iter().all(|kind| one.stories.contains_key(kind)),
            "seed {seed}"
        );
        let it = &one.checked;
        assert!(it.taken > Kind::ALL.len(), "seed {seed}");
        assert_eq!(it.found, it.taken, "seed {seed}: {:#?}", it.wrong);
        assert!(one.peak_mib.is_none_or(|mib| mib < 512), "seed {seed}");
        assert_eq!(it.first_event, it.taken, "seed {seed}: {:#?}", it.wrong);
        assert_eq!(it.wronged, 0, "seed {seed}: {:#?}", it.wrong);
    }
}

#[test]
fn the_page_is_of_the_committed_run() {
    let page = std::fs::read_to_string(file("hunt.md")).unwrap();
    assert_eq!(soak().page(), page, "`cargo xtask soak hunt` writes both");
}
