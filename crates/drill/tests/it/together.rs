//! One attacker in several accounts: contained in one approval, each cleaned in a case of
//! its own, and nobody else touched.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};

use retake_casefile::{Bundle, Store};
use retake_drill::sequence::Sequence;
use retake_drill::{
    Desk, RehearsalError, Run, ScenarioPeople, SeededEntropy, Stage, UndoOrder, lock, profile,
    run_responder, run_sequence, run_with,
};
use retake_lab::Scenario;
use retake_playbook::event::Origin;
use retake_playbook::{ActionKind, Event, Gate};
use retake_responder::{
    Conduct, Decision, Explained, Extent, Finished, Group, Opening, Outcome, People, Question,
    Surroundings, Task, UndoOutcome, Which,
};
use retake_tenant::Tenant;
use retake_tenant::edge::BoxFuture;
use serde_json::Value;

use crate::response::Nobody;

const TWO_ADMINS: &str = include_str!("../../../../scenarios/two-admins/scenario.toml");

/// Ten seeds by hand: `SEEDS=10 cargo nextest run -p retake-drill -E 'test(together::)'`.
fn seeds() -> RangeInclusive<u64> {
    let most = std::env::var("SEEDS").ok();
    1..=most.and_then(|text| text.parse().ok()).unwrap_or(3)
}

/// The scenario with these lines changed.
fn variant(changes: &[(&str, &str)]) -> Scenario {
    let mut text = TWO_ADMINS.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    Scenario::parse("variant.toml".as_ref(), &text).unwrap()
}

fn play(scenario: &Scenario, seed: u64) -> Run {
    run_responder(scenario, seed, Conduct::default(), &|_| Box::new(Nobody))
        .unwrap_or_else(|error| panic!("{}, seed {seed}: {error}", scenario.id()))
}

fn bundles(run: &Run) -> Vec<Bundle> {
    run.case
        .iter()
        .chain(&run.further_cases)
        .map(|bytes| Bundle::from_bytes(bytes.clone(), None).unwrap())
        .collect()
}

/// What the cases say, for whoever reads a failure.
fn told(run: &Run) -> String {
    let mut told = String::new();
    for (index, bundle) in bundles(run).iter().enumerate() {
        let _ = write!(told, "\n case {index}");
        for record in bundle.records() {
            let line = match &record.event {
                Event::PlanMade(plan) if !plan.actions.is_empty() => {
                    let actions: Vec<String> = plan
                        .actions
                        .iter()
                        .map(|action| format!("{} {:?}", action.kind.title(), action.object.name))
                        .collect();
                    format!("plan {}; left {:?}", actions.join(", "), plan.left)
                }
                Event::CaseOpened(_)
                | Event::AccountLinked(_)
                | Event::GatePassed { .. }
                | Event::ActionStopped { .. }
                | Event::GateWaiting { .. }
                | Event::EvictionEffective { .. }
                | Event::Reopened { .. } => format!("{:?}", record.event),
                Event::Analysed(found) if record.seq < 250 => {
                    let changes: Vec<_> = found
                        .changes
                        .iter()
                        .filter(|change| change.by == Origin::Attacker)
                        .map(|change| (&change.operation, change.kind, change.at, &change.reasons))
                        .collect();
                    format!(
                        "quick {} {} {} {:?} {changes:?}",
                        found.quick, found.verdict, found.path, found.accounts
                    )
                }
                _ => continue,
            };
            let _ = write!(told, "\n  {} {line}", record.at);
        }
    }
    told
}

/// What issue 4 demands of the response.
fn holds(scenario: &Scenario, seed: u64) -> Run {
    let run = play(scenario, seed);
    let here = format!("{}, seed {seed}{}", scenario.id(), told(&run));
    let score = &run.score;
    assert_eq!(score.faults(), Vec::<String>::new(), "{here}");
    assert!(score.clock.closed.is_some(), "{here}");
    let radius = &score.blast_radius;
    for (what, known) in [
        ("sent", radius.sent),
        ("read", radius.read),
        ("changed", radius.changed),
        ("accounts", radius.accounts),
    ] {
        assert!(known.recall >= 1.0, "{here}: {what} {known:?}");
        assert!(known.precision >= 0.95, "{here}: {what} {known:?}");
    }
    run
}

#[test]
fn two_administrators_are_contained_in_one_approval_and_nothing_is_left() {
    for seed in seeds() {
        let run = holds(&Scenario::find("two-admins").unwrap(), seed);
        let cases = bundles(&run);
        assert_eq!(cases.len(), 2);
        let mut passed = Vec::new();
        for case in &cases {
            let mut gates = case
                .records()
                .iter()
                .filter_map(|record| match &record.event {
                    Event::GatePassed {
                        gate: Gate::Contain,
                        by,
                        ..
                    } => Some((record.at, by.clone())),
                    _ => None,
                });
            passed.push(gates.next().unwrap());
            assert_eq!(gates.next(), None, "seed {seed}: asked again");
        }
        // One answer, by one person, for both.
        assert_eq!(passed[0], passed[1], "seed {seed}");
    }
}

/// The ids of accounts that the responder blocked.
fn blocked(run: &Run) -> BTreeSet<String> {
    lines(run)
        .filter(|line| line["actor"] == "responder")
        .filter(|line| line["effect"]["fields"]["accountEnabled"][1] == false)
        .filter_map(|line| Some(line["target"]["id"].as_str()?.to_owned()))
        .collect()
}

fn lines(run: &Run) -> impl Iterator<Item = Value> + '_ {
    run.trace
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
}

/// The ids of the accounts that the attacker really held.
fn held(run: &Run) -> BTreeSet<String> {
    let first = lines(run).next().unwrap();
    let truth = &first["effect"]["truth"];
    std::iter::once(&truth["account"])
        .chain(truth["further"].as_array().unwrap())
        .map(|account| account["id"].as_str().unwrap().to_owned())
        .collect()
}

/// How often the attacker gave sign-in back to one account with the rights of another.
fn freed(run: &Run) -> usize {
    lines(run)
        .filter(|line| line["method"] == "free_account")
        .count()
}

fn sequence(text: &str) -> Sequence {
    Sequence::parse("x.toml".as_ref(), text).unwrap()
}

fn together_violations(run: &Run) -> usize {
    let violations = &run.score.order_violations;
    violations
        .iter()
        .filter(|breach| breach.rule == "contain_together")
        .count()
}

/// Everybody works in the same office, and many sign in from its address: only those who
/// are in the attacker's hands are blocked.
#[test]
fn whoever_shares_the_office_with_them_is_left_alone() {
    for seed in seeds() {
        let run = holds(&variant(&[("named = true", "named = false")]), seed);
        assert_eq!(blocked(&run), held(&run), "seed {seed}");
    }
}

/// The alert names one account; the other signed in from the attacker's address, and is
/// no administrator.
#[test]
fn a_second_account_is_found_by_its_sign_in_from_the_attackers_address() {
    let scenario = variant(&[
        ("named = true", "named = false"),
        (
            "roles = [\"Privileged Authentication Administrator\"]\nnamed",
            "named",
        ),
    ]);
    for seed in seeds() {
        let run = holds(&scenario, seed);
        assert_eq!(blocked(&run), held(&run), "seed {seed}");
        let linked = bundles(&run)[0].records().iter().any(|record| {
            matches!(&record.event, Event::AccountLinked(linked)
                if linked.administrator == Some(true) || linked.why[0].contains("signed in from"))
        });
        assert!(linked, "seed {seed}");
    }
}

#[test]
fn three_accounts_of_which_one_is_found_are_cleaned_in_three_cases() {
    let scenario = variant(&[
        (
            "[[step]]\ndo = \"open_session\"\nbefore",
            "[[further]]\nname = \"third\"\nnamed = false\n\n\
         [[step]]\ndo = \"steal_token\"\non = \"third\"\nbefore = \"20h..21h\"\n\n\
         [[step]]\ndo = \"forward_mailbox\"\non = \"third\"\nbefore = \"10h..12h\"\n\n\
         [[step]]\ndo = \"open_session\"\nbefore",
        ),
        ("\"A09\", \"A31\"", "\"A09\", \"A13\", \"A31\""),
    ]);
    for seed in seeds() {
        let run = holds(&scenario, seed);
        assert_eq!(run.further_cases.len(), 2, "seed {seed}");
        assert_eq!(blocked(&run), held(&run), "seed {seed}");
    }
}

#[test]
fn with_nobody_responding_everything_works_at_all_three_instants() {
    let none = Sequence::find("none").unwrap();
    for seed in seeds() {
        let run = run_sequence(&Scenario::find("two-admins").unwrap(), seed, &none).unwrap();
        for artefact in &run.score.artefacts {
            let usable = artefact.usable;
            assert!(
                usable.at_end && usable.after_restore && usable.after_24h,
                "seed {seed}: {artefact:?}"
            );
        }
        assert!(run.score.blast_radius.accounts.recall < 0.5, "seed {seed}");
    }
}

const ONE_AFTER_THE_OTHER: &str = include_str!("../../../../sequences/one-after-the-other.toml");

/// The control for the approval: the second administrator undoes the first block.
#[test]
fn whoever_contains_one_after_the_other_loses_and_is_caught() {
    let control = sequence(ONE_AFTER_THE_OTHER);
    for seed in seeds() {
        let run = run_sequence(&Scenario::find("two-admins").unwrap(), seed, &control).unwrap();
        assert_eq!(run.refused, [], "seed {seed}");
        assert!(freed(&run) > 0, "seed {seed}: nobody undid it");
        assert_eq!(together_violations(&run), 1, "seed {seed}");
        let back = run
            .score
            .artefacts
            .iter()
            .filter(|artefact| artefact.usable.after_24h)
            .filter(|artefact| artefact.id.to_string() == "A41")
            .count();
        assert!(back > 0, "seed {seed}: {:?}", run.score.artefacts);
    }
}

/// The other way round for the judge: both blocks first, and nobody is blamed for it.
#[test]
fn whoever_blocks_both_first_is_not_blamed() {
    let text = ONE_AFTER_THE_OTHER;
    let (head, operations) = text.split_once("[[operation]]").unwrap();
    let mut operations: Vec<&str> = operations.split("[[operation]]").collect();
    operations.retain(|operation| !operation.contains("do = \"wait\""));
    operations.sort_by_key(|operation| operation.contains("passwordProfile"));
    let text = operations.iter().fold(head.to_owned(), |text, operation| {
        format!("{text}[[operation]]{operation}\n")
    });
    for seed in seeds() {
        let scenario = Scenario::find("two-admins").unwrap();
        let run = run_sequence(&scenario, seed, &sequence(&text)).unwrap();
        assert_eq!(run.refused, [], "seed {seed}");
        assert_eq!(freed(&run), 0, "seed {seed}");
        assert_eq!(together_violations(&run), 0, "seed {seed}");
    }
}

/// A directory role comes back during the watch: the case is opened again.
#[test]
fn a_role_that_comes_back_reopens_the_case() {
    let scenario = variant(&[(
        "[attacker]",
        "[[comeback]]\ndo = \"phone_help_desk\"\nafter = \"19h..20h\"\n\n\
         [[comeback]]\ndo = \"give_role\"\nafter = \"21h..22h\"\n\n[attacker]",
    )]);
    for seed in seeds() {
        let run = play(&scenario, seed);
        let faults = run.score.faults();
        assert_eq!(faults, Vec::<String>::new(), "seed {seed}{}", told(&run));
        let cases = bundles(&run);
        let reopened = cases[0]
            .records()
            .iter()
            .any(|record| matches!(record.event, Event::Reopened { .. }));
        assert!(reopened, "seed {seed}");
        let gave = lines(&run)
            .any(|line| line["method"] == "give_role" && line["effect"]["kind"] == "planted");
        assert!(gave, "seed {seed}: the role never came back");
    }
}

#[test]
fn a_role_that_was_taken_away_can_be_given_back() {
    let scenario = Scenario::find("two-admins").unwrap();
    run_with(&scenario, 2, "retake", async |stage| {
        let desk = Desk::new(&stage)?;
        let way = Arc::new(stage.transport.clone());
        let worked = Box::pin(desk.work(&stage, way.clone(), Conduct::default(), &Nobody)).await?;
        let case = &worked.further[0];
        let state = desk.state(case)?;
        let action = state
            .actions
            .values()
            .find(|action| action.planned.kind == ActionKind::RemoveRole)
            .unwrap();
        assert!(action.verified.is_some());
        let tenant = Tenant::new(profile(&stage, None), way, Arc::new(stage.time.clone()));
        let user = state.account.as_ref().unwrap().id.clone();
        let roles = async || {
            let held = tenant.role_assignments(&user).await.unwrap().value;
            held.into_iter()
                .filter_map(|held| held.role_definition?.display_name)
                .collect::<BTreeSet<_>>()
        };
        let name = action.planned.object.name.clone().unwrap();
        assert!(!roles().await.contains(&name));
        let order = UndoOrder {
            case,
            by: "Mara Keller",
            reason: "the owner needs it",
            which: &Which::These(vec![action.planned.action]),
        };
        let undone =
            Box::pin(desk.undo(&stage, &tenant, order, Conduct::default(), &Nobody)).await?;
        assert!(
            matches!(undone[0].outcome, UndoOutcome::Restored { .. }),
            "{undone:?}"
        );
        assert!(roles().await.contains(&name));
        desk.export(&worked.case).map(Some)
    })
    .unwrap();
}

/// The scenario's people, and what they were told at the gate `contain`.
struct Listening<'a> {
    people: ScenarioPeople,
    heard: &'a Mutex<Vec<Explained>>,
}

impl People for Listening<'_> {
    fn decide<'a>(&'a self, question: Question<'a>) -> BoxFuture<'a, Decision> {
        if question.gate == Gate::Contain {
            self.heard.lock().unwrap().push(question.explained.clone());
        }
        self.people.decide(question)
    }

    fn carry_out<'a>(&'a self, task: Task<'a>) -> BoxFuture<'a, Outcome> {
        self.people.carry_out(task)
    }
}

const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";

/// One question names both, with what each change is; where nobody is left who could let
/// them in again, it says so before anybody answers.
#[test]
fn whoever_answers_is_told_of_both_and_whether_a_global_administrator_is_left() {
    for last in [false, true] {
        let heard = Mutex::new(Vec::new());
        let scenario = Scenario::find("two-admins").unwrap();
        run_with(&scenario, 1, "retake", async |stage: Stage| {
            let (account, also) = {
                let lab = lock(&stage.lab);
                let briefing = lab.briefing();
                (briefing.affected.clone(), briefing.also.clone())
            };
            let way = Arc::new(stage.transport.clone());
            let tenant = Tenant::new(profile(&stage, None), way, Arc::new(stage.time.clone()));
            let own = tenant.user(&account).await.unwrap().value.id;
            let holders = tenant
                .role_holders(GLOBAL_ADMINISTRATOR)
                .await
                .unwrap()
                .value;
            for held in holders {
                if last && held.principal_id.as_deref() != Some(own.as_str()) {
                    let remove = tenant.prepare_remove_role(&held.id).unwrap();
                    tenant.submit(&remove).await.unwrap();
                }
            }
            let people = Listening {
                people: ScenarioPeople::new(Arc::clone(&stage.lab), stage.time.clone()),
                heard: &heard,
            };
            let store = Store::open_in_memory()?;
            let entropy = SeededEntropy::new(stage.seed);
            let around = Surroundings {
                tenant: &tenant,
                store: &store,
                clock: &stage.time,
                entropy: &entropy,
                people: &people,
                watcher: &Nobody,
            };
            let opening = Opening {
                account,
                responder: "Rosa Lind".to_owned(),
                alert: "x".to_owned(),
            };
            let plain = Box::new(|responder| responder);
            let mut group = Box::pin(Group::open(around, opening, &also, plain)).await?;
            let (finished, others) = Box::pin(group.run(Extent::Contain)).await?;
            assert_eq!(
                (finished, others),
                (Finished::Contained, vec![Finished::Contained])
            );
            Ok::<_, RehearsalError>(None)
        })
        .unwrap();
        let heard = heard.into_inner().unwrap();
        let [asked] = heard.as_slice() else {
            panic!("asked {} times", heard.len());
        };
        assert_eq!(asked.actions.len(), 4, "{asked:?}");
        let known = asked.known.join("\n");
        assert!(known.contains("in the same hands"), "{known}");
        assert!(known.contains("(administrator)"), "{known}");
        let warned = known.contains("no Global Administrator is enabled");
        assert_eq!(warned, last, "{known}");
    }
}
