//! Evidence: what has to be in the case before an object is changed.

use retake_drill::score::score;

use crate::score::judged;
use crate::story::{EVIL_GRANT, EVIL_METHOD, EVIL_RULE, HIDDEN_RULE, USER, Wrong, play};

#[test]
fn the_block_may_go_without_when_the_account_could_not_be_read() {
    let without = Wrong {
        block_without_before: true,
        ..Wrong::default()
    };
    let score = judged(&without);
    assert_eq!(score.changes_without_evidence[0].object, USER);
    let excused = judged(&Wrong {
        account_unread: true,
        ..without
    });
    assert_eq!(excused.changes_without_evidence, []);
    assert_eq!(excused.order_violations, []);
}

#[test]
fn an_answer_that_is_not_in_the_case_is_no_evidence() {
    let (trace, mut case) = play(&Wrong::default());
    case.evidence.clear();
    let score = score(&trace, Some(&case), "by-hand").unwrap();
    let objects: Vec<_> = score
        .changes_without_evidence
        .iter()
        .map(|change| change.object.as_str())
        .collect();
    for object in [USER, EVIL_METHOD, EVIL_RULE, HIDDEN_RULE, EVIL_GRANT] {
        assert!(objects.contains(&object), "{object}: {objects:?}");
    }
    assert!(
        score
            .order_violations
            .iter()
            .any(|breach| breach.rule == "evidence_first")
    );
}

#[test]
fn a_change_whose_state_before_was_not_read_for_it() {
    for wrong in [
        Wrong {
            intent_without_before: true,
            ..Wrong::default()
        },
        Wrong {
            rule_changed_since_read: true,
            ..Wrong::default()
        },
    ] {
        let score = judged(&wrong);
        let objects: Vec<_> = score
            .changes_without_evidence
            .iter()
            .map(|change| change.object.as_str())
            .collect();
        assert_eq!(objects, [EVIL_RULE], "{wrong:?}");
        assert_eq!(score.order_violations[0].rule, "evidence_first");
    }
}

#[test]
fn without_a_case_every_change_is_without_evidence() {
    let (trace, _) = play(&Wrong::default());
    let score = score(&trace, None, "a-control").unwrap();
    assert_eq!(score.changes_without_evidence.len(), 10);
    assert_eq!(score.claims_not_verified, [], "and nothing is claimed");
    assert_eq!(score.path.said, "unknown");
    assert_eq!(score.warned.done, []);
}
