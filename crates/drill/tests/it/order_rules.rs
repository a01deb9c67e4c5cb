//! Each rule of order has a run that breaks it, and it alone.

use retake_drill::score::order;

use crate::score::broken;
use crate::story::Wrong;

#[test]
fn every_rule_has_its_own_id_and_source() {
    for (index, rule) in order::RULES.iter().enumerate() {
        assert!(
            order::RULES
                .iter()
                .skip(index + 1)
                .all(|other| other.id != rule.id)
        );
        assert!(
            rule.demands.len() > 20 && rule.source.starts_with("product"),
            "{}",
            rule.id
        );
    }
}

#[test]
fn reset_before_block() {
    let rules = broken(Wrong {
        reset_first: true,
        ..Wrong::default()
    });
    assert_eq!(rules, ["block_before_reset", "contain_before_change"]);
}

#[test]
fn revoke_before_block() {
    let rules = broken(Wrong {
        revoke_first: true,
        ..Wrong::default()
    });
    // The revoke did not count, so that nothing afterwards was contained.
    assert_eq!(rules.first(), Some(&"revoke_after_block"));
}

#[test]
fn a_rule_removed_before_the_containment() {
    let rules = broken(Wrong {
        rule_before_containment: true,
        ..Wrong::default()
    });
    assert_eq!(rules, ["contain_before_change"]);
}

#[test]
fn the_default_method_tried_before_the_others() {
    let rules = broken(Wrong {
        default_method_first: true,
        ..Wrong::default()
    });
    assert_eq!(rules, ["default_method_last"]);
}

#[test]
fn forwarding_cleared_in_two_changes() {
    let rules = broken(Wrong {
        forwarding_in_two: true,
        ..Wrong::default()
    });
    assert_eq!(rules, ["forwarding_in_one_change"]);
}

#[test]
fn no_second_revoke() {
    let rules = broken(Wrong {
        no_second_revoke: true,
        ..Wrong::default()
    });
    assert_eq!(rules, ["second_revoke"]);
}

#[test]
fn sign_in_given_back_while_the_access_clock_runs() {
    let rules = broken(Wrong {
        restore_early: true,
        ..Wrong::default()
    });
    assert_eq!(rules, ["restore_last"]);
}

#[test]
fn risk_marked_before_the_reset() {
    let rules = broken(Wrong {
        risk_before_reset: true,
        ..Wrong::default()
    });
    assert_eq!(rules, ["risk_after_reset"]);
}

#[test]
fn a_change_without_evidence_breaks_the_order_too() {
    let rules = broken(Wrong {
        account_unread: true,
        ..Wrong::default()
    });
    assert_eq!(
        rules,
        Vec::<&str>::new(),
        "the case says that it could not be read"
    );
}
