//! `hostile-names`: the response is the same, whatever things are called.

use super::{bundle_of, lines, perfect, play, seeds};

/// Whether text holds what only a hostile name brings along.
fn is_hostile(text: &str) -> bool {
    [
        "<script>",
        "Remove-Mailbox",
        "=HYPERLINK",
        "\u{202e}",
        "\u{1b}",
        "../",
        "or '1' eq",
    ]
    .iter()
    .any(|mark| text.contains(mark))
}

#[test]
fn the_response_is_perfect_whatever_things_are_called() {
    let mut met = 0;
    for seed in seeds() {
        let run = play("hostile-names", seed);
        let state = perfect(&run);
        let account = state.account.as_ref().unwrap();
        assert!(account.upn.contains('\''), "{}", account.upn);
        met += state
            .snapshots
            .iter()
            .flat_map(|snapshot| &snapshot.objects)
            .filter(|seen| seen.object.name.as_deref().is_some_and(is_hostile))
            .count();
    }
    assert!(met > 0, "nothing hostile was met");
}

#[test]
fn no_request_is_refused_for_what_a_name_did_to_it() {
    for seed in seeds() {
        let run = play("hostile-names", seed);
        for line in lines(&run).filter(|line| line["actor"] == "responder") {
            let status = line["status"].as_u64().unwrap_or(0);
            assert_ne!(status, 400, "seed {seed}: {line}");
            let path = line["path"].as_str().unwrap_or_default();
            assert!(
                !path.contains("..") && !path.contains('<'),
                "seed {seed}: {line}"
            );
        }
        // What the case keeps is what the tenant said, to the byte.
        assert!(bundle_of(&run).evidence_digests().next().is_some());
    }
}
