//! Attack and company without any response, and with one artefact evicted.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use retake_playbook::ArtefactId;

use super::Play;
use crate::people::{Answer, Ask};
use crate::scenario::Scenario;
use crate::services::{Peer, serve};
use crate::trace::{Actor, Trace};
use crate::world::mail::Forwarding;
use crate::world::tokens::CutKind;
use crate::world::{Origin, World};

struct Stage {
    world: World,
    play: Play,
    trace: Trace,
    now: Timestamp,
}

impl Stage {
    fn open(seed: u64) -> Self {
        let scenario = Scenario::find("invoice-fraud").unwrap();
        let mut trace = Trace::default();
        let (world, play) = Play::open(&scenario, seed, &mut trace);
        let now = play.start();
        Self {
            world,
            play,
            trace,
            now,
        }
    }

    fn wait(&mut self, length: SignedDuration) {
        self.now = self.now.checked_add(length).unwrap();
        self.play
            .run_due(&mut self.world, &mut self.trace, self.now);
    }

    fn act(&mut self, change: impl FnOnce(&mut World, Timestamp, &Origin, &str)) {
        let me = self.play.company.affected.clone();
        change(&mut self.world, self.now, &Origin::system(), &me);
        self.play.route(&mut self.world, self.now);
    }

    /// What every artefact brought in full rounds since a moment.
    fn usable_since(&self, from: Timestamp) -> BTreeMap<String, BTreeSet<String>> {
        let mut got: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for line in self.trace.lines().iter().filter(|line| line.at > from) {
            if let (Some(artefact), Some(outcome)) = (line.attempt, line.got) {
                got.entry(artefact.to_string())
                    .or_default()
                    .insert(format!("{outcome:?}"));
            }
        }
        got
    }

    /// The artefacts whose tries all failed since a moment.
    fn dead_since(&self, from: Timestamp) -> Vec<String> {
        self.usable_since(from)
            .into_iter()
            .filter(|(_, got)| got.iter().all(|outcome| outcome == "Nothing"))
            .map(|(artefact, _)| artefact)
            .collect()
    }

    fn objects(&self, artefact: ArtefactId) -> Vec<String> {
        self.play
            .attacker
            .footholds()
            .iter()
            .filter(|foothold| foothold.artefact == artefact)
            .map(|foothold| foothold.object.id.clone())
            .collect()
    }

    fn jsonl(&self) -> String {
        self.trace
            .lines()
            .iter()
            .map(|line| serde_json::to_string(line).unwrap() + "\n")
            .collect()
    }
}

const ALL: [&str; 9] = [
    "A01", "A02", "A03", "A04", "A07", "A08", "A09", "A13", "A20",
];

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

#[test]
fn without_a_response_everything_works_at_every_try() {
    for seed in 1..=20 {
        let mut stage = Stage::open(seed);
        let from = stage.now;
        stage.wait(hours(12));
        let usable = stage.usable_since(from);
        assert_eq!(
            usable.keys().map(String::as_str).collect::<Vec<_>>(),
            ALL,
            "seed {seed}"
        );
        for (artefact, got) in usable {
            assert!(
                !got.contains("Nothing"),
                "seed {seed}: {artefact} got {got:?}"
            );
        }
    }
}

/// An attacker that plants nothing anew, to look at one artefact alone.
fn quiet(seed: u64) -> Stage {
    let mut stage = Stage::open(seed);
    stage.play.attacker.quieten();
    stage
}

/// What no longer works two hours after a change; access tokens have run out
/// by then.
fn dead_after(seed: u64, change: impl FnOnce(&mut Stage)) -> Vec<String> {
    let mut stage = quiet(seed);
    stage.wait(hours(1));
    change(&mut stage);
    stage.wait(hours(2));
    let from = stage.now;
    stage.wait(hours(3));
    stage.dead_since(from)
}

fn delete_methods(stage: &mut Stage) {
    for id in stage.objects(ArtefactId::ADDED_METHOD) {
        stage.act(|world, now, by, me| world.delete_method(now, by, me, &id));
    }
}

fn reset(stage: &mut Stage) {
    stage.act(|world, now, by, me| {
        world.set_password(
            now,
            by,
            me,
            "Only the responder knows",
            true,
            CutKind::AdminReset,
        );
    });
}

fn delete_rules(stage: &mut Stage, artefact: ArtefactId) {
    for id in stage.objects(artefact) {
        stage.act(|world, now, by, me| world.delete_rule(now, by, me, &id));
    }
}

fn clear_forwarding(stage: &mut Stage) {
    stage.act(|world, now, by, me| {
        world.set_forwarding(now, by, me, Forwarding::default());
    });
}

fn delete_grants(stage: &mut Stage) {
    for id in stage.objects(ArtefactId::DELEGATED_GRANT) {
        stage.act(|world, now, by, _| world.delete_grant(now, by, &id));
    }
}

#[test]
fn each_artefact_dies_alone() {
    for seed in [1, 2, 3, 4, 5, 6, 7] {
        for (artefact, name) in [
            (ArtefactId::FORWARDING_RULE, "A07"),
            (ArtefactId::HIDING_RULE, "A08"),
            (ArtefactId::HIDDEN_RULE, "A09"),
        ] {
            assert_eq!(
                dead_after(seed, |stage| delete_rules(stage, artefact)),
                [name],
                "seed {seed}"
            );
        }
        assert_eq!(dead_after(seed, clear_forwarding), ["A13"], "seed {seed}");
        assert_eq!(dead_after(seed, delete_grants), ["A20"], "seed {seed}");
        // Without its method the attacker cannot prove the second factor that
        // its password needs; the session it has goes on.
        assert_eq!(
            dead_after(seed, delete_methods),
            ["A01", "A04"],
            "seed {seed}"
        );
    }
}

#[test]
fn a_disabled_app_gets_nothing_though_its_grant_is_there() {
    let dead = dead_after(3, |stage| {
        let app = stage
            .play
            .attacker
            .footholds()
            .iter()
            .find(|foothold| foothold.artefact == ArtefactId::DELEGATED_GRANT)
            .unwrap()
            .aliases[0]
            .clone();
        stage.act(|world, now, by, _| world.set_principal_enabled(now, by, &app, false));
    });
    assert_eq!(dead, ["A20"]);
}

#[test]
fn a_reset_alone_does_not_keep_out_who_can_reset_by_self_service() {
    let mut stage = Stage::open(4);
    stage.wait(hours(1));
    let from = stage.now;
    reset(&mut stage);
    stage.wait(SignedDuration::from_mins(9));
    let planted: Vec<String> = stage
        .trace
        .lines()
        .iter()
        .filter(|line| line.at > from)
        .filter_map(|line| {
            line.effect
                .as_ref()?
                .get("artefact")?
                .as_str()
                .map(str::to_owned)
        })
        .collect();
    for artefact in ["A01", "A02", "A04", "A07"] {
        assert!(
            planted.iter().any(|p| p == artefact),
            "{artefact} not among {planted:?}"
        );
    }
    stage.wait(hours(3));
    let from = stage.now;
    stage.wait(hours(2));
    assert!(stage.dead_since(from).is_empty());
}

#[test]
fn a_reset_with_the_method_gone_ends_sessions_but_not_the_app_nor_the_rules() {
    let dead = dead_after(5, |stage| {
        delete_methods(stage);
        reset(stage);
    });
    assert_eq!(dead, ["A01", "A02", "A03", "A04"]);
}

#[test]
fn a_revocation_ends_the_apps_token_too() {
    let dead = dead_after(6, |stage| {
        delete_methods(stage);
        stage.act(World::revoke_sessions);
    });
    assert_eq!(dead, ["A01", "A02", "A03", "A04", "A20"]);
}

#[test]
fn a_block_leaves_a_live_token_and_every_rule_working_for_a_while() {
    let mut stage = quiet(7);
    stage.wait(hours(1));
    stage.act(|world, now, by, me| {
        world.set_enabled(now, by, me, false);
        world.revoke_sessions(now, by, me);
    });
    let from = stage.now;
    stage.wait(SignedDuration::from_mins(45));
    let dead: Vec<_> = stage.dead_since(from);
    assert_eq!(dead, ["A01", "A02", "A04", "A20"]);
    stage.wait(hours(1));
    let from = stage.now;
    stage.wait(hours(1));
    assert_eq!(stage.dead_since(from), ["A01", "A02", "A03", "A04", "A20"]);
}

#[test]
fn a_rule_is_planted_with_the_token_that_outlives_the_block() {
    let mut stage = Stage::open(8);
    stage.wait(hours(1));
    let from = stage.now;
    stage.act(|world, now, by, me| {
        world.set_enabled(now, by, me, false);
        world.revoke_sessions(now, by, me);
    });
    stage.wait(SignedDuration::from_mins(8));
    delete_rules(&mut stage, ArtefactId::FORWARDING_RULE);
    stage.wait(SignedDuration::from_mins(2));
    let planted: Vec<String> = stage
        .trace
        .lines()
        .iter()
        .filter(|line| line.at > from)
        .filter_map(|line| {
            line.effect
                .as_ref()?
                .get("object")?
                .get("id")?
                .as_str()
                .map(str::to_owned)
        })
        .collect();
    assert_eq!(planted.len(), 1, "{planted:?}");
    let mailbox = &stage.world.mailboxes[&stage.play.company.affected];
    let rule = mailbox
        .rules
        .iter()
        .find(|rule| rule.id == planted[0])
        .unwrap();
    assert!(!rule.hidden && rule.enabled);
    // It does not go on for ever.
    for _ in 0..5 {
        delete_rules(&mut stage, ArtefactId::FORWARDING_RULE);
        stage.wait(SignedDuration::from_mins(3));
    }
    assert!(stage.objects(ArtefactId::FORWARDING_RULE).len() <= 3);
}

#[test]
fn after_a_whole_response_nothing_works_and_the_user_is_back() {
    for seed in 1..=5 {
        let mut stage = Stage::open(seed);
        stage.act(|world, now, by, me| {
            world.set_enabled(now, by, me, false);
            world.revoke_sessions(now, by, me);
        });
        stage.wait(SignedDuration::from_mins(2));
        reset(&mut stage);
        // Again and again, until nothing new is planted.
        for _ in 0..6 {
            delete_methods(&mut stage);
            for artefact in [
                ArtefactId::FORWARDING_RULE,
                ArtefactId::HIDING_RULE,
                ArtefactId::HIDDEN_RULE,
            ] {
                delete_rules(&mut stage, artefact);
            }
            clear_forwarding(&mut stage);
            delete_grants(&mut stage);
            stage.wait(SignedDuration::from_mins(20));
        }
        let ask = Ask {
            role: String::from("user"),
            task: String::from("first_sign_in"),
            detail: serde_json::Value::Null,
        };
        let refused = stage
            .play
            .ask(&stage.world, &mut stage.trace, &ask, stage.now);
        assert_eq!(
            refused.answer,
            Answer::Refused,
            "nobody signs in to a blocked account"
        );
        stage.act(|world, now, by, me| world.set_enabled(now, by, me, true));
        let answer = stage
            .play
            .ask(&stage.world, &mut stage.trace, &ask, stage.now);
        assert_eq!(answer.answer, Answer::Done);
        let before = stage.now;
        stage.wait(answer.after);
        let me = stage.play.company.affected.clone();
        let user = &stage.world.users[&me];
        assert!(!user.must_change_password);
        assert!(user.second_factors().next().is_some());
        let from = stage.now;
        stage.wait(hours(26));
        let dead = stage.dead_since(from);
        assert_eq!(dead, ALL, "seed {seed}");
        // The user's own client works again.
        let own = stage
            .world
            .logs
            .sign_ins
            .iter()
            .any(|entry| entry.user == me && entry.at > before && entry.error == 0);
        assert!(own, "seed {seed}");
        let back = stage
            .trace
            .lines()
            .iter()
            .any(|line| line.actor.to_string() == "person:user");
        assert!(back);
    }
}

#[test]
fn a_control_that_never_restores_is_restored_by_its_harness() {
    let mut stage = Stage::open(9);
    stage.wait(hours(4));
    stage
        .play
        .finish_restore(&mut stage.world, &mut stage.trace, stage.now);
    stage.wait(hours(1));
    let from = stage.now;
    stage.wait(hours(1));
    // With everything else left in place the attacker simply comes back.
    assert!(
        stage.dead_since(from).is_empty(),
        "{:?}",
        stage.usable_since(from)
    );
}

#[test]
fn a_warning_is_a_task_that_leaves_a_line_and_saying_so_is_not_doing_it() {
    let ask = Ask {
        role: String::from("finance"),
        task: String::from("warn"),
        detail: serde_json::Value::Null,
    };
    let warned = |text: String| {
        let scenario = Scenario::parse(std::path::Path::new("scenario.toml"), &text).unwrap();
        let mut trace = Trace::default();
        let (mut world, mut play) = Play::open(&scenario, 2, &mut trace);
        let now = play.start();
        let answer = play.ask(&world, &mut trace, &ask, now);
        play.run_due(&mut world, &mut trace, now.checked_add(hours(1)).unwrap());
        let line = trace.lines().iter().any(|line| {
            line.actor.to_string() == "person:finance"
                && line
                    .effect
                    .as_ref()
                    .is_some_and(|effect| effect["kind"] == "warned" && effect["who"] == "finance")
        });
        (answer.answer, line)
    };
    let text = include_str!("../../../../scenarios/invoice-fraud/scenario.toml");
    let script = "task = \"warn\"\noutcome = \"done\"";
    assert!(text.contains(script));
    assert_eq!(warned(text.to_owned()), (Answer::Done, true));
    assert_eq!(
        warned(text.replace(script, "task = \"warn\"\noutcome = \"says_done\"")),
        (Answer::Done, false)
    );
    assert_eq!(
        warned(text.replace(script, "task = \"warn\"\noutcome = \"no_answer\"")),
        (Answer::NoAnswer, false)
    );
    assert_eq!(
        warned(text.replace(script, "task = \"warn\"\noutcome = \"refused\"")),
        (Answer::Refused, false)
    );
}

#[test]
fn the_same_seed_gives_the_same_trace_byte_for_byte() {
    let run = || {
        let mut stage = Stage::open(11);
        stage.wait(hours(5));
        delete_methods(&mut stage);
        reset(&mut stage);
        stage.wait(hours(5));
        stage.jsonl()
    };
    assert_eq!(run(), run());
}

#[test]
fn nothing_malicious_is_the_same_in_every_seed() {
    let seeds = 1..=20_u64;
    let mut unique: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut varied: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for seed in seeds.clone() {
        let stage = Stage::open(seed);
        let me = stage.play.company.affected.clone();
        let mailbox = &stage.world.mailboxes[&me];
        unique.entry("account").or_default().push(me.clone());
        unique
            .entry("tenant")
            .or_default()
            .push(stage.world.tenant.id.clone());
        unique
            .entry("drop")
            .or_default()
            .push(mailbox.forwarding_smtp.clone().unwrap());
        varied
            .entry("organisation")
            .or_default()
            .insert(stage.world.tenant.display_name.clone());
        for foothold in stage.play.attacker.footholds() {
            let id = foothold.artefact.to_string();
            match id.as_str() {
                "A07" | "A08" | "A09" => {
                    let rule = mailbox.rule(&foothold.object.id).unwrap();
                    unique.entry("rule").or_default().push(rule.id.clone());
                    varied
                        .entry("rule name")
                        .or_default()
                        .insert(rule.name.clone());
                    if id == "A08" {
                        let folder = rule.actions.move_to_folder.clone().unwrap();
                        varied.entry("folder").or_default().insert(
                            mailbox.folders[&folder]
                                .well_known
                                .clone()
                                .unwrap_or_default(),
                        );
                    }
                    varied
                        .entry("conditions")
                        .or_default()
                        .insert(format!("{:?}", rule.conditions));
                }
                "A20" => {
                    unique
                        .entry("grant")
                        .or_default()
                        .push(foothold.object.id.clone());
                    unique
                        .entry("app")
                        .or_default()
                        .push(foothold.aliases[1].clone());
                    let app = &stage.world.service_principals[&foothold.aliases[0]];
                    varied
                        .entry("app name")
                        .or_default()
                        .insert(app.display_name.clone());
                    varied
                        .entry("scopes")
                        .or_default()
                        .insert(stage.world.grants[&foothold.object.id].scopes.join(" "));
                }
                "A04" => {
                    let user = &stage.world.users[&me];
                    varied.entry("method").or_default().insert(
                        user.method(&foothold.object.id)
                            .unwrap()
                            .kind
                            .type_name()
                            .to_owned(),
                    );
                }
                _ => {}
            }
        }
        let hosts: BTreeSet<String> = stage
            .world
            .logs
            .unified
            .iter()
            .filter(|record| {
                record.operation == "New-InboxRule"
                    && record.at > stage.now.checked_sub(hours(60)).unwrap()
            })
            .map(|record| record.client_ip.rsplit_once(':').unwrap().0.to_owned())
            .collect();
        unique
            .entry("address")
            .or_default()
            .extend(hosts.iter().take(1).cloned());
        let order: Vec<String> = stage
            .play
            .attacker
            .footholds()
            .iter()
            .map(|f| f.artefact.to_string())
            .collect();
        varied.entry("order").or_default().insert(order.join(" "));
        varied
            .entry("baits")
            .or_default()
            .insert(stage.play.company.kept.len().to_string());
    }
    for (what, values) in unique {
        let different: BTreeSet<_> = values.iter().collect();
        assert_eq!(different.len(), values.len(), "{what} repeats: {values:?}");
    }
    for (what, values) in varied {
        assert!(values.len() >= 4, "{what} hardly varies: {values:?}");
    }
}

#[test]
fn the_truth_stands_on_the_first_line_and_its_objects_exist() {
    for seed in 1..=10 {
        let stage = Stage::open(seed);
        let truth = &stage.trace.lines()[0].effect.as_ref().unwrap()["truth"];
        let me = truth["account"]["id"].as_str().unwrap();
        assert_eq!(truth["path"], "credential_phishing");
        assert_eq!(truth["money_moved"], true);
        let kinds: BTreeSet<&str> = truth["artefacts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|a| a["id"].as_str().unwrap())
            .collect();
        assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ALL);
        for bait in truth["baits"].as_array().unwrap() {
            let id = bait["id"].as_str().unwrap();
            let there = match bait["kind"].as_str().unwrap() {
                "inbox_rule" => stage
                    .world
                    .mailboxes
                    .values()
                    .any(|mailbox| mailbox.rules.iter().any(|rule| rule.id == id)),
                "oauth_grant" => stage.world.grants.contains_key(id),
                "service_principal" => stage.world.service_principals.contains_key(id),
                "mailbox_forwarding" => {
                    id != me && stage.world.mailboxes[id].forwarding_smtp.is_some()
                }
                other => panic!("a bait of kind {other}"),
            };
            assert!(there, "seed {seed}: {bait}");
        }
        let sent = stage.trace.lines().iter().any(|line| {
            line.effect
                .as_ref()
                .is_some_and(|effect| effect["kind"] == "sent")
        });
        let read = stage.trace.lines().iter().any(|line| {
            line.effect.as_ref().is_some_and(|effect| {
                effect["kind"] == "read" && !effect["messages"].as_array().unwrap().is_empty()
            })
        });
        assert!(sent && read, "seed {seed}");
    }
}

#[test]
fn the_user_is_phished_in_working_hours() {
    for seed in 1..=20 {
        let stage = Stage::open(seed);
        let phish = stage
            .trace
            .lines()
            .iter()
            .find(|line| line.method == "phish")
            .unwrap();
        let at = phish.at.to_zoned(jiff::tz::TimeZone::UTC);
        assert!((7..17).contains(&at.hour()), "seed {seed}: {at}");
        assert!(
            at.weekday().to_monday_one_offset() <= 5,
            "seed {seed}: {at}"
        );
    }
}

#[test]
fn no_password_and_no_token_stands_in_the_trace() {
    let mut stage = Stage::open(12);
    stage.wait(hours(2));
    reset(&mut stage);
    stage.wait(hours(2));
    let text = stage.jsonl();
    for habits in stage.play.company.habits.values() {
        assert!(!text.contains(&habits.password));
    }
    for token in stage
        .world
        .tokens
        .refresh
        .keys()
        .chain(stage.world.tokens.access.keys())
    {
        assert!(!text.contains(token.as_str()));
    }
    assert!(!text.contains(&stage.play.briefing().client_secret));
}

#[test]
fn a_whole_run_stays_small() {
    let began = std::time::Instant::now();
    let mut stage = Stage::open(1);
    stage.wait(hours(4 + 72 + 26));
    let lines = stage.trace.lines().len();
    assert!(lines < 15_000, "{lines} lines");
    // Generous against a busy machine; it is measured by hand otherwise.
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}

/// What the token endpoint answers to a refresh token.
fn at_the_endpoint(stage: &Stage, refresh: &str, secret: Option<&str>) -> Result<(), u32> {
    let mut world = stage.world.clone();
    let held = world.tokens.refresh[refresh].clone();
    let secret = secret
        .map(|text| format!("&client_secret={text}"))
        .unwrap_or_default();
    let body = format!(
        "grant_type=refresh_token&client_id={}&refresh_token={refresh}&scope={}{secret}",
        held.app_id, "https%3A%2F%2Fgraph.microsoft.com%2F.default%20offline_access"
    );
    let request = http::Request::builder()
        .method("POST")
        .uri(format!("/{}/oauth2/v2.0/token", world.tenant.id))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(bytes::Bytes::from(body))
        .unwrap();
    let peer = Peer {
        actor: Some(Actor::Attacker),
        ip: String::from("198.18.0.1"),
        user_agent: String::from("curl/8.0"),
        attempt: None,
        round: 0,
    };
    let mut trace = Trace::default();
    let (response, _) = serve(&mut world, &mut trace, &peer, &request, stage.now);
    if response.status().is_success() {
        return Ok(());
    }
    let answer: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    Err(u32::try_from(answer["error_codes"][0].as_u64().unwrap()).unwrap())
}

type Change = fn(&mut Stage);

#[test]
fn the_attackers_way_and_the_token_endpoint_answer_alike() {
    let changes: [(&str, Change); 6] = [
        ("nothing", |_| {}),
        ("reset", reset),
        ("revoked", |stage| stage.act(World::revoke_sessions)),
        ("blocked", |stage| {
            stage.act(|world, now, by, me| world.set_enabled(now, by, me, false));
        }),
        ("grant gone", delete_grants),
        ("app disabled", |stage| {
            let app = stage.play.attacker.held_app().1;
            let principal = stage.world.principal_of_app(&app).unwrap().id.clone();
            stage.act(|world, now, by, _| world.set_principal_enabled(now, by, &principal, false));
        }),
    ];
    for (name, change) in changes {
        let mut stage = quiet(13);
        change(&mut stage);
        stage.now = stage.now.checked_add(SignedDuration::from_mins(9)).unwrap();
        let stolen = stage.play.attacker.held_refresh();
        let (app, _) = stage.play.attacker.held_app();
        let secret = crate::chance::Chance::new(13)
            .draw("malicious app", "secret", 0)
            .hex(40);
        for (refresh, secret) in [(stolen, None), (app, Some(secret.as_str()))] {
            let mut world = stage.world.clone();
            let origin = Origin::system();
            let way = world
                .redeem(
                    stage.now,
                    &origin,
                    &crate::ways::Redemption::renewal(&refresh),
                )
                .map(|_| ());
            assert_eq!(
                way,
                at_the_endpoint(&stage, &refresh, secret),
                "{name}, secret {}",
                secret.is_some()
            );
        }
    }
}
