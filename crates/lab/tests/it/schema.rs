//! The schema of the format and the parser agree, both ways.

use std::path::PathBuf;

use retake_lab::Scenario;
use serde_json::{Value, json};
use toml::{Table, Value as Toml};

/// A file with every table and every key of the format.
const WHOLE: &str = r#"
schema = "retake.scenario/1"
id = "whole"
title = "t"
summary = "s"
path = "credential_phishing"
money_moved = false
latency_ms = 1
[alert]
text = "x"
[company]
people = "8..9"
vendors = 2
history_days = 3
mail_every = "4m..5m"
affected_job = "j"
affected_department = "d"
hostile_names = false
shared_mailboxes = "1..2"
[account]
kind = "member"
display_name = "n"
alias = "a"
roles = []
sync_every = "30m"
keeps_former_address = true
[[further]]
name = "second"
roles = []
named = true
[[step]]
do = "phish"
before = "50h"
[[step]]
do = "phish"
on = "second"
before = "50h"
[[step]]
do = "read_mail"
on = "second"
before = "1h"
shuffle = "w"
chance = 60
[[comeback]]
do = "phone_help_desk"
after = "20h"
[attacker]
tick = "10m"
reacts = "1m"
replants = 2
second_method = false
[[bait]]
kind = "travel"
chance = 50
[[person]]
role = "approver"
answer = "approved"
after = "2m"
[[person.task]]
task = "approve"
outcome = "done"
after = "1m"
[[person]]
role = "user"
[[person]]
role = "finance"
[responder]
permissions = []
roles = []
operator_roles = []
unit_roles = []
[licences]
entra_p1 = true
entra_p2 = true
mail_items_accessed = true
litigation_hold = true
[delays]
revocation = "1m"
continuous_evaluation = "1m"
directory_reads = "0s"
sign_in_log = "1m"
directory_audit = "1m"
audit_log = "1m"
mailbox_reenabled = "1m"
[logs]
audit = true
search_limit = 9
search_page = 9
counts_lie = false
[[fault]]
method = "GET"
path = "/"
body = "x"
skip = 1
times = 1
in_batch = false
kind = { throttle = { retry_after = 3 } }
[unconfirmed]
exchange_missing = "internal_error"
[expect]
evict = ["A01", "A02", "A03", "A38"]
[[expect.warn]]
who = "finance"
why = "w"
"#;

fn whole() -> Table {
    WHOLE.parse().unwrap()
}

fn page() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/schemas/scenario.json")
}

/// Why the parser refuses, if it does.
fn refused(scenario: &Table) -> Option<String> {
    Scenario::parse("x".as_ref(), &scenario.to_string())
        .err()
        .map(|error| error.to_string())
}

fn fits(scenario: &Table) -> bool {
    let schema = jsonschema::validator_for(&Scenario::json_schema()).unwrap();
    schema.is_valid(&serde_json::to_value(scenario).unwrap())
}

/// Every table of the whole file, by the way to it, with its definition in the schema.
fn tables() -> Vec<(Vec<&'static str>, Value)> {
    let schema = Scenario::json_schema();
    let definition = |name: &str| schema["$defs"][name].clone();
    let mut tables: Vec<(Vec<&'static str>, Value)> = [
        "alert",
        "company",
        "account",
        "further",
        "step",
        "comeback",
        "attacker",
        "bait",
        "person",
        "responder",
        "licences",
        "delays",
        "logs",
        "fault",
        "expect",
    ]
    .map(|name| (vec![name], definition(name)))
    .into();
    tables.push((vec!["person", "task"], definition("task")));
    tables.push((vec!["expect", "warn"], definition("warning")));
    tables.push((vec![], schema.clone()));
    tables
}

/// The table at this way; of a list its first, or the one that has what is looked for.
fn at<'t>(scenario: &'t mut Table, way: &[&str]) -> &'t mut Table {
    let Some((first, rest)) = way.split_first() else {
        return scenario;
    };
    let inner = match scenario.get_mut(*first).unwrap() {
        Toml::Array(items) => items
            .iter_mut()
            .filter_map(Toml::as_table_mut)
            .max_by_key(|table| table.len())
            .unwrap(),
        Toml::Table(table) => table,
        other => panic!("{other}"),
    };
    at(inner, rest)
}

#[test]
fn the_page_is_the_schema() {
    let schema = serde_json::to_string_pretty(&Scenario::json_schema()).unwrap() + "\n";
    if std::env::var_os("RETAKE_WRITE").is_some() {
        std::fs::write(page(), &schema).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(page()).unwrap(),
        schema,
        "RETAKE_WRITE=1 writes it anew"
    );
}

#[test]
fn every_embedded_scenario_fits() {
    for name in Scenario::names() {
        let file = format!(
            "{}/../../scenarios/{name}/scenario.toml",
            env!("CARGO_MANIFEST_DIR")
        );
        let scenario: Table = std::fs::read_to_string(file).unwrap().parse().unwrap();
        assert!(fits(&scenario), "{name}");
    }
}

#[test]
fn the_whole_file_uses_every_key_and_both_take_it() {
    assert_eq!(refused(&whole()), None);
    assert!(fits(&whole()));
    for (way, definition) in tables() {
        for (key, form) in definition["properties"].as_object().unwrap() {
            assert!(at(&mut whole(), &way).contains_key(key), "{way:?}.{key}");
            assert_ne!(*form, json!(true), "{way:?}.{key} has no form");
        }
    }
}

#[test]
fn what_one_refuses_for_its_form_the_other_refuses_too() {
    for (way, definition) in tables() {
        let mut more = whole();
        at(&mut more, &way).insert("zzz".into(), Toml::Integer(1));
        assert!(refused(&more).unwrap().contains("zzz"), "{way:?}");
        assert!(!fits(&more), "{way:?}");
        let needed = definition["required"].as_array().unwrap();
        for (key, form) in definition["properties"].as_object().unwrap() {
            let mut less = whole();
            at(&mut less, &way).remove(key);
            let missing = refused(&less).is_some_and(|why| why.contains("missing field"));
            assert_eq!(missing, needed.contains(&json!(key)), "{way:?}.{key}");
            assert_eq!(!fits(&less), missing, "{way:?}.{key}");
            // A value of another kind, and of words one that is none.
            for wrong in [Toml::Float(0.5), Toml::from("no such word")] {
                let mut other = whole();
                at(&mut other, &way).insert(key.clone(), wrong.clone());
                if !fits(&other) {
                    assert!(refused(&other).is_some(), "{way:?}.{key} = {wrong}");
                }
            }
            // Every word that the schema knows is known to the parser.
            for word in form["enum"].as_array().into_iter().flatten() {
                let mut other = whole();
                at(&mut other, &way).insert(key.clone(), Toml::from(word.as_str().unwrap()));
                let unknown = refused(&other).is_some_and(|why| why.contains("unknown variant"));
                assert!(!unknown, "{way:?}.{key} = {word}");
            }
        }
    }
}
