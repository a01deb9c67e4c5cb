//! Questions: what they answer, and what they cannot do.

use std::fs;

use retake_events::{Answer, MAX_ROWS, Table, TableError};
use serde_json::{Value, json};

use crate::made::{plain, weeks};

fn table(events: &[retake_hunt::Event]) -> (tempfile::TempDir, Table) {
    let at = tempfile::tempdir().unwrap();
    let table = Table::write(&at.path().join("events"), events).unwrap();
    (at, table)
}

fn ask(table: &Table, question: &str) -> Answer {
    table
        .sql(question)
        .unwrap_or_else(|error| panic!("{question}: {error}"))
}

#[test]
fn values_come_as_what_they_are() {
    let mut event = plain("2026-11-23T10:00:00.5Z", "ada@contoso.example", "one");
    event.network = Some(64500);
    event.place.coordinates = Some((48.5, -1.25));
    event.interactive = Some(true);
    event.recipients = vec!["a@contoso.example".into(), "b, c".into()];
    event.parameters = [("ForwardTo".into(), "x@evil.example".into())].into();
    event.modified.insert(
        "Role".into(),
        retake_hunt::event::Modified {
            old: String::new(),
            new: "Admin".into(),
        },
    );
    let (_at, table) = table(&[event]);
    let answer = ask(
        &table,
        r#"select "@timestamp", "user.name", "source.as.number", "source.network",
           "source.geo.location.lat", "m365.interactive", "email.to.address", parameter, "new",
           "m365.session_id", parameter['ForwardTo'] as target, count(*) over () as n
           from events"#,
    );
    assert_eq!(answer.columns[0], "@timestamp");
    assert_eq!(answer.columns[10], "target");
    assert_eq!(
        Value::from(answer.rows[0].clone()),
        json!([
            "2026-11-23T10:00:00.500Z",
            "ada@contoso.example",
            64500,
            "as64500",
            48.5,
            true,
            ["a@contoso.example", "b, c"],
            {"ForwardTo": "x@evil.example"},
            {"Role": "Admin"},
            null,
            "x@evil.example",
            1
        ])
    );
    assert!(!answer.cut);
}

#[test]
fn a_directory_may_have_any_name() {
    let at = tempfile::tempdir().unwrap();
    for name in ["logs [2026] *", "100% of {a,b}?", "Ünï 東京 #1", "a'b\"c;d"] {
        let directory = at.path().join(name);
        let table = Table::write(&directory, &weeks(2, 1, 20)).unwrap();
        let answer = ask(&table, "select count(*) from events");
        assert_eq!(answer.rows[0][0], json!(20), "{name}");
    }
}

#[test]
fn what_an_analyst_asks_is_understood() {
    let (_at, table) = table(&weeks(6, 3, 3_000));
    let total = ask(&table, "select count(*) from events").rows[0][0].clone();
    assert_eq!(total, json!(3_000));
    let busiest = ask(
        &table,
        r#"select "user.name", count(*) as n, min("@timestamp") as first, round(avg("log.offset"), 1)
           from events where "user.name" like 'user%' and "@timestamp" >= '2026-01-08T00:00:00Z'
           group by 1 order by n desc, 1 limit 3"#,
    );
    assert_eq!(busiest.rows.len(), 3);
    let days = ask(
        &table,
        r#"select date_trunc('day', "@timestamp") as day, count(distinct "source.ip") from events
           group by day order by day"#,
    );
    assert_eq!(days.rows.len(), 21);
    let gaps = ask(
        &table,
        r#"with seen as (select "user.name" as u, "@timestamp" as t,
             lag("@timestamp") over (partition by "user.name" order by "@timestamp") as before
           from events) select u, max(t - before) from seen group by u order by 2 desc"#,
    );
    assert_eq!(gaps.rows.len(), 7);
}

#[test]
fn nothing_can_be_changed_and_no_other_file_read() {
    let (at, table) = table(&weeks(2, 1, 20));
    let secret = at.path().join("secret.csv");
    fs::write(&secret, "word\nxyzzy\n").unwrap();
    let out = at.path().join("out.csv");
    let (secret, out) = (secret.display(), out.display());
    let questions = [
        "drop table events".to_owned(),
        "delete from events".to_owned(),
        "insert into events select * from events".to_owned(),
        "update events set \"user.name\" = 'x'".to_owned(),
        "truncate table events".to_owned(),
        "create table mine as select * from events".to_owned(),
        "create view mine as select * from events".to_owned(),
        format!("copy events to '{out}'"),
        format!("copy (select 1) to '{out}' stored as csv"),
        format!("create external table s stored as csv location '{secret}'"),
        format!("select * from '{secret}'"),
        format!("select * from \"{secret}\""),
        format!("select * from read_csv('{secret}')"),
        format!("select * from read_parquet('{secret}')"),
        "set datafusion.execution.batch_size = 1".to_owned(),
        "show tables".to_owned(),
        "select 1; drop table events".to_owned(),
        format!("explain analyze copy events to '{out}'"),
        "prepare p as select 1".to_owned(),
        "begin".to_owned(),
        "create function f() returns int return 1".to_owned(),
        "select * from information_schema.tables".to_owned(),
        String::new(),
        "garbage".to_owned(),
        "(".repeat(16_000),
        "x".repeat(70_000),
        format!("select {}1", "1+".repeat(400)),
    ];
    let before = fs::read_dir(table.directory()).unwrap().count();
    for question in &questions {
        match table.sql(question) {
            Err(TableError::Query(_)) => {}
            // An answer that is only long is fine.
            Ok(answer) if question.starts_with("select 1+") => {
                assert_eq!(answer.rows[0][0], json!(401));
            }
            other => panic!("{question:.80}: {other:?}"),
        }
    }
    assert_eq!(
        fs::read_dir(at.path()).unwrap().count(),
        2,
        "events, secret"
    );
    assert_eq!(fs::read_dir(table.directory()).unwrap().count(), before);
    assert_eq!(
        ask(&table, "select count(*) from events").rows[0][0],
        json!(20)
    );
}

#[test]
fn an_answer_has_an_end() {
    let (_at, table) = table(&weeks(2, 1, 400));
    let answer = ask(&table, "select 1 from events a cross join events b");
    assert_eq!(answer.rows.len(), MAX_ROWS);
    assert!(answer.cut);
    // By bytes as well as by rows.
    let answer = ask(
        &table,
        "select repeat('x', 1000000) from events a cross join events b",
    );
    assert!(answer.cut && answer.rows.len() < 100);
}

#[test]
fn a_question_that_needs_more_memory_than_there_is_is_refused_or_answered_from_disk() {
    let (_at, table) = table(&weeks(20, 1, 1_500));
    // Two million rows of 250 bytes: twice what a question may take up.
    let answer = table.sql(
        r#"select count(*) from (select a."event.id" as one, b."event.id" as other,
             repeat(a."event.id", 30) as long, row_number() over (order by b."event.id", a."event.id") as n
           from events a cross join events b) where n > 5 and length(long) > 1"#,
    );
    match answer {
        Ok(answer) => assert_eq!(answer.rows[0][0], json!(1_500 * 1_500 - 5)),
        Err(TableError::Query(why)) => {
            assert!(why.contains("Resources exhausted"), "{why}");
        }
        Err(other) => panic!("{other}"),
    }
}
