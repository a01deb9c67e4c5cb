//! Unusual accounts in the default drill: handled under the score, or refused
//! with the reason before anything is half-done.

use retake_casefile::Bundle;
use retake_drill::{RehearsalError, Run, run_responder};
use retake_lab::Scenario;
use retake_playbook::event::{Looked, MailboxKind, Snapshot};
use retake_playbook::steps::StepId;
use retake_playbook::{ActionKind, Event, Phase, State};
use retake_responder::{Conduct, NoAccount, ResponderError};
use serde_json::Value;
use toml::{Table, Value as Toml};

use crate::response::Nobody;

const INVOICE_FRAUD: &str = include_str!("../../../../scenarios/invoice-fraud/scenario.toml");
const IN_THE_MAILBOX: [&str; 6] = [
    "read_mail",
    "forward_by_rule",
    "hide_replies",
    "hidden_rule",
    "forward_mailbox",
    "send_fraud",
];

/// The default scenario with another account in it.
fn with(account: &str) -> Table {
    let mut scenario: Table = INVOICE_FRAUD.parse().unwrap();
    scenario.insert("account".into(), Toml::Table(account.parse().unwrap()));
    scenario
}

/// The same without anything that needs a mailbox.
fn without_mailbox(account: &str, evict: &[&str]) -> Table {
    let mut scenario = with(account);
    let keep = |list: &mut Toml, word: &str, keep: &dyn Fn(&str) -> bool| {
        list.as_array_mut()
            .unwrap()
            .retain(|item| keep(item[word].as_str().unwrap()));
    };
    keep(&mut scenario["step"], "do", &|step| {
        !IN_THE_MAILBOX.contains(&step) && (step != "add_method" || evict.contains(&"A04"))
    });
    keep(&mut scenario["bait"], "kind", &|bait| {
        !bait.starts_with("rule_")
    });
    scenario["money_moved"] = Toml::Boolean(false);
    let evict: Vec<Toml> = evict.iter().map(|&id| Toml::from(id)).collect();
    scenario["expect"]["evict"] = Toml::Array(evict);
    scenario["expect"]["warn"] = Toml::Array(Vec::new());
    scenario
}

fn read(scenario: &Table) -> Scenario {
    Scenario::parse("variant.toml".as_ref(), &scenario.to_string()).unwrap()
}

fn play(scenario: &Table, seed: u64) -> Result<Run, RehearsalError> {
    run_responder(&read(scenario), seed, Conduct::default(), &|_| {
        Box::new(Nobody)
    })
}

fn state_of(run: &Run) -> State {
    let bundle = Bundle::from_bytes(run.case.clone().unwrap(), None).unwrap();
    State::fold(
        bundle
            .records()
            .iter()
            .map(|record| (record.at, &record.event)),
    )
}

/// The whole response, with the score that issue 2 demands.
fn handled(scenario: &Table, seed: u64) -> State {
    let run = play(scenario, seed).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let state = state_of(&run);
    let why = || {
        format!(
            "seed {seed}: {:?}: {:?}",
            state.phase,
            retake_playbook::next(&state, state.last_at.unwrap())
        )
    };
    assert_eq!(run.score.faults(), Vec::<String>::new(), "{}", why());
    for held in &run.score.artefacts {
        assert!(!held.usable.ever(), "{held:?} {}", why());
    }
    assert_eq!(run.score.collateral, [], "{}", why());
    assert_eq!(state.phase, Phase::Closed, "{}", why());
    let block = run.score.clock.first_block.unwrap();
    assert!(
        block.round_trips <= 2 && block.virtual_s <= 2.0,
        "{block:?}"
    );
    state
}

/// Everything that the responder changed, as the trace tells it.
fn changes(run: &Run) -> Vec<Value> {
    run.trace
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["actor"] == "responder" && !line["effect"].is_null())
        .filter(|line| line["service"] != "token")
        .collect()
}

/// A case that stops at the block, with nothing changed; what it says.
fn refused_at_the_block(scenario: &Table) -> String {
    let run = play(scenario, 3).unwrap();
    assert_eq!(changes(&run), Vec::<Value>::new());
    let state = state_of(&run);
    assert_eq!(state.phase, Phase::Halted);
    let bundle = Bundle::from_bytes(run.case.unwrap(), None).unwrap();
    let codes: Vec<(String, String)> = bundle
        .records()
        .iter()
        .filter_map(|record| match &record.event {
            Event::ActionStopped { code, message, .. } => Some((code.clone(), message.clone())),
            _ => None,
        })
        .collect();
    let [(code, message)] = &codes[..] else {
        panic!("one action is stopped, and no other is tried: {codes:?}");
    };
    assert_eq!(code, "RT3003");
    let intended: Vec<ActionKind> = state
        .actions
        .values()
        .filter(|action| !action.intended.is_empty())
        .map(|action| action.planned.kind)
        .collect();
    assert_eq!(intended, [ActionKind::BlockSignIn]);
    message.clone()
}

/// Tasks that the kind of the account brings; those about money stand in `payment`.
fn tasks(state: &State) -> Vec<(String, bool, bool)> {
    state
        .tasks
        .values()
        .filter(|task| task.step != StepId::new(2, 5))
        .map(|task| {
            let word = task.what.split([':', ',', '.']).next().unwrap_or_default();
            (
                word.to_owned(),
                task.done.is_some(),
                task.verified.is_some(),
            )
        })
        .collect()
}

fn did(state: &State, kind: ActionKind) -> bool {
    state
        .actions
        .values()
        .any(|action| action.planned.kind == kind && action.verified.is_some())
}

fn last_snapshot(state: &State) -> &Snapshot {
    state.snapshot().unwrap()
}

#[test]
fn a_guest_is_blocked_here_and_the_home_tenant_is_told() {
    for seed in [1, 2] {
        let guest = without_mailbox("kind = \"guest\"", &["A01", "A02", "A03", "A20"]);
        let state = handled(&guest, seed);
        let account = state.account.as_ref().unwrap();
        assert!(account.upn.contains("#EXT#"), "{}", account.upn);
        assert!(did(&state, ActionKind::BlockSignIn));
        assert!(did(&state, ActionKind::RevokeSessions));
        assert!(did(&state, ActionKind::RestoreSignIn));
        // The password is the home tenant's: nothing here may pretend to reset it.
        assert!(!did(&state, ActionKind::ResetPassword));
        assert_eq!(
            tasks(&state),
            [("The account is a guest".to_owned(), true, false)]
        );
        assert_eq!(account.standing.mailbox, Some(MailboxKind::Absent));
    }
}

#[test]
fn a_guest_case_is_not_effective_while_the_home_tenant_did_nothing() {
    let mut guest = without_mailbox("kind = \"guest\"", &["A01", "A02", "A03", "A20"]);
    let people = guest["person"].as_array_mut().unwrap();
    let admin = people
        .iter_mut()
        .find(|person| person["role"].as_str() == Some("identity_admin"))
        .unwrap();
    admin
        .as_table_mut()
        .unwrap()
        .insert("answer".into(), Toml::from("no_answer"));
    let run = play(&guest, 1).unwrap();
    let state = state_of(&run);
    assert_eq!(state.phase, Phase::Declaring);
    assert!(state.effective.is_none());
    assert!(!did(&state, ActionKind::RestoreSignIn));
}

#[test]
fn a_member_of_a_restricted_unit_is_refused_with_the_role_and_its_scope() {
    // Whether the refusal names the unit is UNCONFIRMED (reference §10.1).
    for text in ["named", "plain"] {
        let mut scenario = with("kind = \"restricted\"");
        let switch: Table = format!("restricted_text = \"{text}\"").parse().unwrap();
        scenario.insert("unconfirmed".into(), Toml::Table(switch));
        let said = refused_at_the_block(&scenario);
        assert!(
            said.contains("restricted management administrative unit \"Protected people\""),
            "{said}"
        );
        assert!(
            said.contains("the role User Administrator with the scope /administrativeUnits/"),
            "{said}"
        );
    }
}

#[test]
fn a_member_of_a_restricted_unit_is_handled_by_an_app_with_a_role_over_the_unit() {
    let mut scenario = with("kind = \"restricted\"");
    scenario["responder"].as_table_mut().unwrap().insert(
        "unit_roles".into(),
        Toml::Array(vec![
            Toml::from("User Administrator"),
            Toml::from("Authentication Administrator"),
        ]),
    );
    let state = handled(&scenario, 3);
    assert!(state.account.unwrap().standing.restricted);
}

#[test]
fn a_protected_administrator_is_refused_with_the_role_that_is_needed() {
    let mut scenario =
        with("kind = \"administrator\"\nroles = [\"Exchange Administrator\", \"Reports Reader\"]");
    // As reference §2.1 has it: User Administrator is not enough here.
    let roles = [
        "User Administrator",
        "Cloud Application Administrator",
        "Exchange Administrator",
        "Security Reader",
    ];
    scenario["responder"]["roles"] =
        Toml::Array(roles.iter().map(|&role| Toml::from(role)).collect());
    let said = refused_at_the_block(&scenario);
    assert!(
        said.contains("Exchange Administrator, Reports Reader"),
        "{said}"
    );
    assert!(
        said.contains("the role Privileged Authentication Administrator"),
        "{said}"
    );
}

#[test]
fn a_protected_administrator_is_handled_by_an_app_that_outranks_it() {
    handled(
        &with("kind = \"administrator\"\nroles = [\"Exchange Administrator\"]"),
        4,
    );
}

#[test]
fn without_a_mailbox_its_parts_are_absent_and_no_failure() {
    for (kind, seed) in [("no_licence", 1), ("no_mailbox", 2)] {
        let scenario = without_mailbox(
            &format!("kind = \"{kind}\""),
            &["A01", "A02", "A03", "A04", "A20"],
        );
        let state = handled(&scenario, seed);
        let snapshot = last_snapshot(&state);
        for source in &snapshot.sources {
            assert_eq!(source.looked, Looked::Whole, "{kind}: {source:?}");
        }
        let absent: Vec<&str> = snapshot
            .sources
            .iter()
            .filter(|source| {
                source
                    .why
                    .as_deref()
                    .is_some_and(|why| why.contains("no mailbox"))
            })
            .map(|source| source.name.as_str())
            .collect();
        assert_eq!(
            absent,
            [
                "inbox rules",
                "mailbox forwarding",
                "rights on the mailbox",
                "rights on folders",
                "sweep rules",
                "automatic reply",
                "safe senders and junk lists",
                "mail protocols",
                "mobile devices"
            ],
            "{kind}"
        );
    }
}

#[test]
fn the_account_of_a_shared_mailbox_stays_blocked() {
    let state = handled(&with("kind = \"shared_mailbox\""), 5);
    assert!(!did(&state, ActionKind::RestoreSignIn));
    let account = state.account.unwrap();
    assert!(!account.enabled);
    assert_eq!(account.standing.mailbox, Some(MailboxKind::Shared));
}

#[test]
fn a_deleted_account_is_refused_with_how_to_restore_it_and_leaves_no_case() {
    let error = play(&with("kind = \"deleted\""), 3).unwrap_err();
    let RehearsalError::Responder(ResponderError::NoAccount(error)) = error else {
        panic!("{error:?}");
    };
    assert!(
        matches!(&error, NoAccount::Deleted { at: Some(_), .. }),
        "{error:?}"
    );
    assert_eq!(error.code().id, "RT2010");
    let NoAccount::Deleted { id, asked, .. } = &error else {
        unreachable!()
    };
    assert!(
        error
            .to_string()
            .starts_with(&format!("{asked} was deleted at 2026-")),
        "{error}"
    );
    assert!(
        error
            .hint()
            .contains(&format!("/v1.0/directory/deletedItems/{id}/restore")),
        "{}",
        error.hint()
    );
}

#[test]
fn a_renamed_account_is_found_by_the_name_in_the_alert() {
    for seed in [1, 2] {
        let scenario = with("kind = \"renamed\"");
        let state = handled(&scenario, seed);
        let account = state.account.as_ref().unwrap();
        let (_, opened) = state.opened.as_ref().unwrap();
        assert_eq!(
            opened.account, account.upn,
            "the case goes by the present name"
        );
        assert_eq!(account.addresses.len(), 2);
        assert!(account.addresses.contains(&account.upn));
    }
}

#[test]
fn a_renamed_account_without_its_old_address_is_refused_with_how_to_find_it() {
    let scenario = with("kind = \"renamed\"\nkeeps_former_address = false");
    let error = play(&scenario, 1).unwrap_err();
    let RehearsalError::Responder(ResponderError::NoAccount(error)) = error else {
        panic!("{error:?}");
    };
    assert!(
        matches!(&error, NoAccount::Unknown { missing, .. } if missing.is_empty()),
        "{error:?}"
    );
    assert_eq!(error.code().id, "RT2001");
    assert!(error.hint().contains("\"Update user\""), "{}", error.hint());
}

#[test]
fn names_with_quotes_signs_and_letters_of_other_scripts_are_taken_as_they_are() {
    for (seed, name, alias) in [
        (1, "Sinéad O'Brien \"Shay\"", "o'brien"),
        (2, "100% Ünal & Söhne", "100%25ünal&söhne"),
        (3, "A+B #1; $filter=x", "a+b#1"),
        (4, "王 小明 ' or 1 eq 1", "王小明''x"),
        (5, "%2e%2e", "..%2f%00"),
    ] {
        let quoted = |text: &str| Toml::from(text).to_string();
        let scenario = with(&format!(
            "display_name = {}\nalias = {}",
            quoted(name),
            quoted(alias)
        ));
        let state = handled(&scenario, seed);
        let account = state.account.unwrap();
        assert_eq!(account.display_name, name);
        assert!(
            account.upn.starts_with(&format!("{alias}@")),
            "{}",
            account.upn
        );
    }
}

#[test]
fn a_synced_account_is_contained_only_when_it_is_disabled_on_premises_too() {
    for seed in 1..=4 {
        let scenario = with("kind = \"synced\"\nsync_every = \"3m..30m\"");
        let state = handled(&scenario, seed);
        assert_eq!(
            tasks(&state)[1..],
            [
                (
                    "Disable the account in the on-premises directory too".to_owned(),
                    true,
                    true
                ),
                (
                    "Reset the password in the on-premises directory".to_owned(),
                    true,
                    true
                ),
                (
                    "Enable the account in the on-premises directory again".to_owned(),
                    true,
                    false
                ),
            ],
            "seed {seed}"
        );
        assert!(!did(&state, ActionKind::ResetPassword), "seed {seed}");
    }
}

#[test]
fn a_synced_account_whose_administrator_only_says_so_is_caught() {
    let mut scenario = with("kind = \"synced\"\nsync_every = \"30m\"");
    let people = scenario["person"].as_array_mut().unwrap();
    let admin = people
        .iter_mut()
        .find(|person| person["role"].as_str() == Some("identity_admin"))
        .unwrap();
    let script: Table = "task = \"disable_on_premises\"\noutcome = \"says_done\"\nafter = \"5m\""
        .parse()
        .unwrap();
    admin
        .as_table_mut()
        .unwrap()
        .insert("task".into(), Toml::Array(vec![Toml::Table(script)]));
    let run = play(&scenario, 2).unwrap();
    let state = state_of(&run);
    assert_eq!(state.phase, Phase::Halted, "{:?}", tasks(&state));
    assert!(state.effective.is_none());
    let said = format!(
        "{:?}",
        retake_playbook::next(&state, state.last_at.unwrap())
    );
    assert!(
        said.contains("blocked again 3 times because a synchronisation"),
        "{said}"
    );
    // It stands blocked when the case stops, and the task is not taken for done.
    assert!(!state.account.unwrap().enabled);
    let task = state.tasks.values().next().unwrap();
    assert!(task.done.is_some() && task.verified.is_none(), "{task:?}");
}

#[test]
fn a_federated_account_is_reset_where_it_signs_in() {
    let state = handled(&with("kind = \"federated\""), 2);
    assert_eq!(
        tasks(&state)[1],
        (
            "The account signs in at a federation provider".to_owned(),
            true,
            false
        )
    );
    assert!(!did(&state, ActionKind::ResetPassword));
    assert_eq!(state.account.unwrap().standing.federated, Some(true));
}
