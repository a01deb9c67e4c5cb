//! Reads that go in one batch: throttled inside, kept as evidence, scored as reads.

use std::collections::BTreeSet;

use retake_casefile::{Bundle, digest};
use retake_drill::campaign::{self, Aim, Called, Census, Play, SCENARIO, SEED, Until, Way};
use retake_lab::{FaultKind, Scenario};
use retake_playbook::{Digest, Event};
use retake_responder::Conduct;
use retake_tenant::call::SERVICE_PRINCIPAL;
use serde_json::Value;

/// A read of an app inside a batch.
fn inside() -> Called {
    Called {
        spec: &SERVICE_PRINCIPAL,
        token_for: None,
        in_batch: true,
    }
}

fn played(aim: Option<Aim>, conduct: Conduct) -> Play {
    let way = Way {
        aim,
        until: Until::Closed,
        conduct,
        again: true,
        unconfirmed: Vec::new(),
    };
    campaign::play(&Scenario::find(SCENARIO).unwrap(), SEED, &way).unwrap()
}

fn turned_away(times: Option<u32>, retry_after: Option<u32>) -> Aim {
    Aim {
        called: inside(),
        kind: FaultKind::Throttle { retry_after },
        from: 1,
        times,
    }
}

fn lines(play: &Play) -> Vec<Value> {
    play.run
        .trace
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Every request inside a batch, with its line.
fn parts(lines: &[Value]) -> Vec<(&Value, &Value)> {
    lines
        .iter()
        .flat_map(|line| {
            let parts = line["inside"].as_array().into_iter().flatten();
            parts.map(move |part| (line, part))
        })
        .collect()
}

#[test]
fn the_default_drill_asks_for_apps_in_batches_and_each_answer_inside_is_in_the_case() {
    let play = played(None, Conduct::default());
    let lines = lines(&play);
    let parts = parts(&lines);
    assert!(parts.len() >= 4, "{}", parts.len());
    let bundle = Bundle::from_bytes(play.run.case.clone().unwrap(), None).unwrap();
    let kept: BTreeSet<Digest> = bundle.evidence_digests().cloned().collect();
    for (line, part) in parts {
        assert_eq!(line["path"], "/v1.0/$batch");
        assert_eq!(
            (&part["method"], &part["status"]),
            (&"GET".into(), &200.into())
        );
        let shown: Digest = serde_json::from_value(part["response_sha256"].clone()).unwrap();
        assert!(kept.contains(&shown), "{part}");
        // With the request that it answers, and under the digest of its own bytes.
        assert_eq!(digest(bundle.evidence(&shown).unwrap()), shown);
        let named = bundle.records().iter().any(|record| {
            matches!(&record.event, Event::EvidenceKept(kept) if kept.digest == shown
                && kept.request.as_ref().is_some_and(|request| part["path"] == request.url.as_str()))
        });
        assert!(named, "{part}");
    }
    // The whole batch is one request.
    assert!(play.ended);
    let total = play.run.score.calls.total;
    let sent = lines
        .iter()
        .filter(|line| line["actor"] == "responder" && line["request_sha256"].is_string());
    assert_eq!(total, sent.count() as u64);
}

#[test]
fn a_request_turned_away_inside_a_batch_is_sent_again_and_the_case_ends_right() {
    let calm = played(None, Conduct::default());
    for retry_after in [Some(20), None] {
        let play = played(Some(turned_away(Some(1), retry_after)), Conduct::default());
        assert_eq!(play.played, 1);
        assert!(play.ended && play.stops.is_empty(), "{:?}", play.stops);
        let lines = lines(&play);
        let (batch, part) = parts(&lines)
            .into_iter()
            .find(|(_, part)| part["status"] == 429)
            .unwrap();
        assert_eq!(part["fault"], "throttle");
        // Only that one is asked for again, and not before the time.
        let again = lines
            .iter()
            .find(|line| line["path"] == part["path"] && line["n"].as_u64() > batch["n"].as_u64())
            .unwrap();
        assert_eq!(
            (&again["method"], &again["status"]),
            (&"GET".into(), &200.into())
        );
        let at = |line: &Value| {
            line["at"]
                .as_str()
                .unwrap()
                .parse::<jiff::Timestamp>()
                .unwrap()
        };
        let waited = at(again).duration_since(at(batch)).as_secs();
        assert!(waited >= i64::from(retry_after.unwrap_or(1)), "{waited}");
        // Everything comes out as without it.
        let (score, other) = (&play.run.score, &calm.run.score);
        assert_eq!(score.collateral, []);
        assert_eq!(score.claims_not_verified, []);
        assert_eq!(score.changes_without_evidence, []);
        let outcomes = |score: &retake_drill::score::RunScore| -> Vec<_> {
            let held = score.artefacts.iter();
            held.map(|held| (held.id, held.outcome)).collect()
        };
        assert_eq!(outcomes(score), outcomes(other));
        assert!(score.calls.throttled >= 1);
    }
}

#[test]
fn an_app_that_stays_unread_inside_every_batch_leaves_its_consent_unjudged_and_says_so() {
    let always = Aim {
        called: inside(),
        kind: FaultKind::Forbidden,
        from: 1,
        times: None,
    };
    let play = played(Some(always), Conduct::default());
    assert!(play.played > 1);
    assert!(
        !play.stops.is_empty(),
        "a case without the apps does not go on as if it knew them"
    );
    assert_eq!(play.run.score.claims_not_verified, []);
    assert_eq!(play.run.score.collateral, []);
}

#[test]
fn the_batch_and_what_is_in_it_are_calls_of_the_campaign() {
    let scenario = Scenario::find(SCENARIO).unwrap();
    let census = Census::take(&scenario, SEED).unwrap();
    let names: Vec<String> = census.calls.iter().map(|seen| seen.called.name()).collect();
    for name in ["graph.apps.read_batch", "graph.apps.read in a batch"] {
        assert!(names.iter().any(|other| other == name), "{names:?}");
    }
    let trials = campaign::trials(&census);
    let faults = |name: &str| -> BTreeSet<&str> {
        let own = trials.iter().filter(|trial| trial.called.name() == name);
        own.map(|trial| trial.fault).collect()
    };
    let whole = faults("graph.apps.read_batch");
    let parts = faults("graph.apps.read in a batch");
    assert!(whole.contains("time-out before the effect"));
    assert!(
        !parts.contains("time-out before the effect"),
        "it has no connection of its own"
    );
    for fault in [
        "429 with Retry-After",
        "429 without Retry-After",
        "401 with claims",
        "403",
        "404 while replicating",
        "500",
        "cut body",
        "redirect elsewhere",
    ] {
        assert!(whole.contains(fault) && parts.contains(fault), "{fault}");
    }
}
