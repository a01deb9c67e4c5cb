//! Claims: what the case says, held against what the trace shows.

use retake_drill::score::score;
use retake_playbook::ActionKind;

use crate::score::{judged, unproven_claims};
use crate::story::{
    EVIL_GRANT, EVIL_METHOD, EVIL_RULE, GOOD_GRANT, HIDDEN_RULE, USER, Wrong, play,
};

#[test]
fn a_rule_that_is_said_to_be_removed_and_is_not() {
    for (kind, object) in [
        (ActionKind::RemoveInboxRule, EVIL_RULE),
        (ActionKind::RemoveHiddenRule, HIDDEN_RULE),
        (ActionKind::RemoveMethod, EVIL_METHOD),
        (ActionKind::RemoveGrant, EVIL_GRANT),
        (ActionKind::ClearForwarding, USER),
        (ActionKind::ResetPassword, USER),
    ] {
        let word = serde_json::to_value(kind).unwrap();
        let claims = unproven_claims(Wrong {
            says_removed: Some(kind),
            ..Wrong::default()
        });
        assert!(
            claims.contains(&(word.as_str().unwrap().to_owned(), object.to_owned())),
            "{kind:?}: {claims:?}"
        );
    }
}

#[test]
fn the_answer_to_the_change_itself_verifies_nothing() {
    let claims = unproven_claims(Wrong {
        no_read_back: true,
        ..Wrong::default()
    });
    assert_eq!(
        claims,
        [("remove_inbox_rule".to_owned(), EVIL_RULE.to_owned())]
    );
}

#[test]
fn a_read_from_before_the_change_verifies_nothing() {
    let claims = unproven_claims(Wrong {
        read_back_before: true,
        ..Wrong::default()
    });
    assert_eq!(
        claims,
        [("remove_inbox_rule".to_owned(), EVIL_RULE.to_owned())]
    );
}

#[test]
fn a_list_that_never_held_the_object_does_not_show_that_it_is_gone() {
    let claims = unproven_claims(Wrong {
        read_back_of_other_list: true,
        ..Wrong::default()
    });
    assert_eq!(
        claims,
        [("remove_inbox_rule".to_owned(), EVIL_RULE.to_owned())]
    );
}

#[test]
fn a_request_that_changed_something_else_is_not_the_action() {
    let claims = unproven_claims(Wrong {
        other_object_changed: true,
        ..Wrong::default()
    });
    assert!(claims.contains(&("remove_grant".to_owned(), EVIL_GRANT.to_owned())));
    let score = judged(&Wrong {
        other_object_changed: true,
        ..Wrong::default()
    });
    assert_eq!(score.collateral[0].object, GOOD_GRANT);
}

#[test]
fn an_eviction_that_is_declared_without_having_looked_at_the_rules() {
    let claims = unproven_claims(Wrong {
        last_snapshot_misses_rules: true,
        ..Wrong::default()
    });
    assert!(
        claims.contains(&("eviction_effective".to_owned(), EVIL_RULE.to_owned())),
        "{claims:?}"
    );
}

#[test]
fn an_eviction_that_is_declared_with_the_rule_still_there() {
    let claims = unproven_claims(Wrong {
        keeps_rule: true,
        ..Wrong::default()
    });
    for claim in ["eviction_effective", "watch_ended"] {
        assert!(
            claims.contains(&(claim.to_owned(), EVIL_RULE.to_owned())),
            "{claims:?}"
        );
    }
}

#[test]
fn a_case_that_is_closed_without_a_watch() {
    let claims = unproven_claims(Wrong {
        closes_without_watch: true,
        ..Wrong::default()
    });
    assert_eq!(
        claims,
        [("closed".to_owned(), "the watch had not ended".to_owned())]
    );
}

#[test]
fn access_that_the_clock_did_not_announce() {
    let claims = unproven_claims(Wrong {
        clock_forgets_token: true,
        ..Wrong::default()
    });
    assert_eq!(claims, [("access_clock".to_owned(), "A03".to_owned())]);
}

#[test]
fn access_that_goes_on_beyond_its_announced_end() {
    let claims = unproven_claims(Wrong {
        token_outlives_clock: true,
        ..Wrong::default()
    });
    assert_eq!(claims, [("access_clock".to_owned(), "A03".to_owned())]);
}

#[test]
fn finance_who_only_says_so_was_not_warned() {
    let score = judged(&Wrong {
        finance_only_says_so: true,
        ..Wrong::default()
    });
    assert_eq!(score.warned.due.len(), 1);
    assert_eq!(score.warned.done, []);
    assert_eq!(score.claims_not_verified[0].action, "warning_done");
}

#[test]
fn finance_whose_warning_the_case_does_not_know_was_not_warned() {
    let (trace, mut case) = play(&Wrong::default());
    case.events
        .retain(|(_, event)| !matches!(event, retake_playbook::Event::WarningDone { .. }));
    let score = score(&trace, Some(&case), "by-hand").unwrap();
    assert_eq!(score.warned.done, []);
}
