//! Every judge of the score has a run that passes it and one that it catches.

use retake_drill::score::{Case, Outcome, RunScore, ScoreError, score};
use retake_playbook::ArtefactId;

use crate::story::{EVIL_RULE, GOOD_RULE, USER, Wrong, play};

pub(crate) fn judged(wrong: &Wrong) -> RunScore {
    let (trace, case) = play(wrong);
    score(&trace, Some(&case), "by-hand").unwrap()
}

pub(crate) fn broken(wrong: Wrong) -> Vec<&'static str> {
    let mut rules: Vec<_> = judged(&wrong)
        .order_violations
        .iter()
        .map(|breach| breach.rule)
        .collect();
    rules.dedup();
    rules
}

pub(crate) fn unproven_claims(wrong: Wrong) -> Vec<(String, String)> {
    judged(&wrong)
        .claims_not_verified
        .into_iter()
        .map(|claim| (claim.action, claim.object))
        .collect()
}

fn artefact(score: &RunScore, number: u8) -> &retake_drill::score::ArtefactScore {
    let id = ArtefactId::new(number).unwrap();
    score.artefacts.iter().find(|held| held.id == id).unwrap()
}

#[test]
fn a_response_that_does_everything_right_has_no_fault() {
    let score = judged(&Wrong::default());
    assert_eq!(score.faults(), Vec::<String>::new());
    assert!(
        score
            .artefacts
            .iter()
            .all(|held| held.outcome == Outcome::Evicted)
    );
    assert_eq!((score.scenario.as_str(), score.seed), ("by-hand", 7));
}

#[test]
fn the_same_trace_and_case_give_the_same_bytes() {
    let bytes = || serde_json::to_string(&judged(&Wrong::default())).unwrap();
    assert_eq!(bytes(), bytes());
}

#[test]
fn every_key_is_there_also_when_there_is_nothing_to_say() {
    let value = serde_json::to_value(judged(&Wrong::default())).unwrap();
    for key in [
        "scenario",
        "sequence",
        "seed",
        "artefacts",
        "collateral",
        "order_violations",
        "changes_without_evidence",
        "claims_not_verified",
        "clock",
        "leaked_after_block",
        "calls",
        "attacker_after_containment",
        "path",
        "blast_radius",
        "warned",
    ] {
        assert!(value.get(key).is_some(), "{key}");
    }
    for key in [
        "first_block",
        "revoked",
        "evicted",
        "finance_warned",
        "closed",
    ] {
        assert!(value["clock"][key]["virtual_s"].is_number(), "{key}");
        assert!(value["clock"][key]["round_trips"].is_number(), "{key}");
    }
    for key in ["read", "sent", "changed", "accounts"] {
        assert!(value["blast_radius"][key]["precision"].is_number(), "{key}");
    }
}

mod instants {
    use super::*;

    #[test]
    fn a_rule_that_is_left_alone_survives_and_is_usable_to_the_end() {
        let score = judged(&Wrong {
            keeps_rule: true,
            ..Wrong::default()
        });
        let rule = artefact(&score, 7);
        assert_eq!(rule.outcome, Outcome::Survived);
        assert!(rule.usable.at_end && rule.usable.after_restore && rule.usable.after_24h);
        assert_eq!(artefact(&score, 9).outcome, Outcome::Evicted);
    }

    #[test]
    fn a_rule_that_is_switched_off_is_disabled_and_not_evicted() {
        let score = judged(&Wrong {
            disables_rule: true,
            ..Wrong::default()
        });
        assert_eq!(artefact(&score, 7).outcome, Outcome::Disabled);
    }

    #[test]
    fn a_rule_that_works_although_it_was_deleted_has_survived() {
        let score = judged(&Wrong {
            rule_works_in_secret: true,
            ..Wrong::default()
        });
        assert_eq!(artefact(&score, 7).outcome, Outcome::Survived);
    }

    #[test]
    fn a_rule_that_is_planted_again_is_an_artefact_of_its_own() {
        let score = judged(&Wrong {
            rule_planted_again: true,
            ..Wrong::default()
        });
        let outcomes: Vec<_> = score
            .artefacts
            .iter()
            .filter(|held| held.id.number() == 7)
            .map(|held| (held.object.as_str(), held.outcome, held.usable.after_24h))
            .collect();
        assert_eq!(
            outcomes,
            [
                ("planted-again", Outcome::Survived, true),
                (EVIL_RULE, Outcome::Evicted, false),
            ]
        );
    }

    #[test]
    fn a_password_that_the_attacker_sets_again_is_not_evicted_by_the_reset_before() {
        let score = judged(&Wrong {
            password_taken_back: true,
            ..Wrong::default()
        });
        let password = artefact(&score, 1);
        assert_eq!(password.outcome, Outcome::Survived);
        assert!(!password.usable.at_end && password.usable.after_24h);
    }

    #[test]
    fn mail_that_had_left_before_the_end_does_not_make_a_forward_usable_after_it() {
        let score = judged(&Wrong {
            mail_found_late: true,
            ..Wrong::default()
        });
        assert!(!artefact(&score, 13).usable.ever());
    }

    #[test]
    fn an_attacker_who_does_not_try_makes_the_score_fail_and_not_pass() {
        let (trace, case) = play(&Wrong {
            attacker_silent_at_end: true,
            ..Wrong::default()
        });
        let error = score(&trace, Some(&case), "by-hand").unwrap_err();
        assert!(
            matches!(
                error,
                ScoreError::NotTried {
                    instant: "at_end",
                    ..
                }
            ),
            "{error}"
        );
    }

    #[test]
    fn a_trace_that_is_none_is_refused_with_its_line() {
        let error = score("{}\n", None, "x").unwrap_err();
        assert!(
            matches!(error, ScoreError::BadTrace { line: 1, .. }),
            "{error}"
        );
        let (trace, _) = play(&Wrong::default());
        let cut: String = trace
            .lines()
            .enumerate()
            .filter(|(index, _)| *index != 3)
            .map(|(_, line)| line)
            .collect::<Vec<_>>()
            .join("\n");
        let error = score(&cut, None, "x").unwrap_err();
        assert!(
            matches!(error, ScoreError::BadTrace { line: 4, .. }),
            "{error}"
        );
    }
}

mod collateral {
    use super::*;

    #[test]
    fn a_good_rule_that_is_deleted_is_named_with_what_it_was_for() {
        let score = judged(&Wrong {
            good_rule_removed: true,
            ..Wrong::default()
        });
        let [harmed] = score.collateral.as_slice() else {
            panic!("{:?}", score.collateral);
        };
        assert_eq!(harmed.object, GOOD_RULE);
        assert_eq!(harmed.why, "deleted: files invoices");
    }

    #[test]
    fn a_good_rule_that_is_made_again_is_no_collateral() {
        let score = judged(&Wrong {
            good_rule_removed: true,
            good_rule_made_again: true,
            ..Wrong::default()
        });
        assert_eq!(score.collateral, []);
    }

    #[test]
    fn an_account_that_only_the_harness_gives_back_was_not_given_back() {
        let wrong = Wrong {
            never_restored: true,
            ..Wrong::default()
        };
        let (trace, case) = play(&wrong);
        let with_case = score(&trace, Some(&case), "retake").unwrap();
        assert_eq!(with_case.collateral.len(), 1);
        assert_eq!(with_case.collateral[0].object, USER);
        // A control has nobody who could: the harness ends it.
        let (trace, _) = play(&wrong);
        let control = retake_drill::score::score(&trace, None, "a-control").unwrap();
        assert_eq!(control.collateral, []);
    }
}

mod measures {
    use super::*;

    #[test]
    fn the_first_block_is_counted_from_the_approval() {
        let score = judged(&Wrong::default());
        let block = score.clock.first_block.unwrap();
        // One read of the account, then the change, at 150 ms each.
        assert_eq!(block.round_trips, 2);
        assert!((block.virtual_s - 0.3).abs() < 1e-9, "{block:?}");
        assert!(score.clock.closed.unwrap().virtual_s > 86_400.0);
    }

    #[test]
    fn what_left_after_the_block_is_counted_and_what_had_left_before_is_not() {
        let score = judged(&Wrong::default());
        // The tick half a minute after the block finds mail of before it.
        assert_eq!(
            score.leaked_after_block.messages, 0,
            "{:?}",
            score.leaked_after_block
        );
        let kept = judged(&Wrong {
            keeps_rule: true,
            ..Wrong::default()
        });
        assert!(kept.leaked_after_block.messages > 100);
        assert_eq!(
            kept.leaked_after_block.bytes,
            kept.leaked_after_block.messages * 1000
        );
    }

    #[test]
    fn after_the_containment_only_the_live_token_gets_something() {
        let score = judged(&Wrong::default());
        let after = &score.attacker_after_containment;
        let through: Vec<String> = after.through.iter().map(ToString::to_string).collect();
        assert_eq!(through, ["A03"]);
        assert_eq!((after.tokens, after.sends, after.changes), (0, 0, 0));
        let planted = judged(&Wrong {
            rule_planted_again: true,
            ..Wrong::default()
        });
        assert_eq!(planted.attacker_after_containment.changes, 1);
    }

    #[test]
    fn a_wrong_path_is_a_fault_and_a_wrong_read_list_shows_in_its_figures() {
        let score = judged(&Wrong {
            names_another_path: true,
            reads_unknown: true,
            ..Wrong::default()
        });
        assert_eq!(score.path.said, "token_theft");
        assert!(
            score
                .faults()
                .iter()
                .any(|fault| fault.contains("token_theft"))
        );
        let read = score.blast_radius.read;
        assert_eq!((read.truth, read.said), (2, 2));
        assert!((read.precision - 0.5).abs() < 1e-9 && (read.recall - 0.5).abs() < 1e-9);
        let right = judged(&Wrong::default()).blast_radius;
        for figure in [right.read, right.sent, right.changed, right.accounts] {
            assert!(
                figure.precision > 0.999 && figure.recall > 0.999,
                "{right:?}"
            );
        }
        assert_eq!((right.changed.truth, right.accounts.truth), (5, 0));
    }

    #[test]
    fn calls_are_told_apart() {
        let (trace, _) = play(&Wrong::default());
        let calls = score(&trace, None, "x").unwrap().calls;
        assert!(calls.total > 30);
        assert_eq!((calls.throttled, calls.failed, calls.retried), (0, 0, 0));
        // The third request of the responder is throttled, and sent again.
        let mut lines: Vec<serde_json::Value> = trace
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let at = lines
            .iter()
            .position(|line| line["actor"] == "responder")
            .unwrap();
        let mut refused = lines[at].clone();
        refused["status"] = serde_json::json!(429);
        lines.insert(at, refused);
        let text: String = lines
            .into_iter()
            .enumerate()
            .map(|(n, mut line)| {
                line["n"] = serde_json::json!(n);
                line.to_string()
            })
            .collect::<Vec<_>>()
            .join("\n");
        let calls = score(&text, None, "x").unwrap().calls;
        assert_eq!((calls.throttled, calls.failed, calls.retried), (1, 0, 1));
    }
}

#[test]
fn the_case_read_from_an_export_is_the_case() {
    // Nothing but records and bytes: the default is an empty case.
    let case = Case::default();
    assert!(case.events.is_empty() && case.evidence.is_empty());
}
