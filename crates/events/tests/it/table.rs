//! What goes in comes out; questions are answered; nothing is changed by them.

use retake_events::{Table, TableError, Wanted, column_names};
use retake_hunt::event::{COLUMNS, FolderItems, MailAccess, Mfa, Modified, Outcome, Target};
use retake_hunt::{Event, Source};

fn at(text: &str) -> jiff::Timestamp {
    text.parse().unwrap()
}

/// An event of which every field is filled.
fn full(id: &str, user: &str, time: &str) -> Event {
    let mut event = Event::new(
        Source::Ual,
        at(time),
        "New-InboxRule",
        "{\"Id\":\"\u{1f600}\\u0000\"}",
    );
    id.clone_into(&mut event.record_id);
    let text = |name: &str| Some(format!("{name} of {id}"));
    event.tenant_id = text("tenant");
    event.user = Some(user.to_owned());
    event.user_id = text("user id");
    event.user_type = text("Regular");
    event.workload = text("Exchange");
    event.record_type = text("1");
    event.outcome = Outcome::Success;
    event.error_code = text("50126");
    event.reason = text("reason");
    event.address = Some("2001:db8::7".parse().unwrap());
    event.network = Some(64_500);
    event.place.city = text("city");
    event.place.state = text("state");
    event.place.country = Some("NO".to_owned());
    event.place.coordinates = Some((59.9, -10.75));
    event.user_agent = text("agent");
    event.client = text("client");
    event.app_id = text("app id");
    event.app_name = text("app");
    event.resource_id = text("resource id");
    event.resource_name = text("resource");
    event.session_id = text("session");
    event.service_session_id = text("service session");
    event.token_id = text("token");
    event.correlation_id = text("correlation");
    event.device.id = text("device id");
    event.device.name = text("device");
    event.device.os = text("os");
    event.device.browser = text("browser");
    event.device.trust = text("trust");
    event.device.managed = Some(false);
    event.interactive = Some(true);
    event.protocol = text("protocol");
    event.transfer = text("transfer");
    event.incoming_token = text("incoming");
    event.mfa = Mfa::Claim;
    event.conditional_access = text("policy");
    event.risk = text("risk");
    event.risk_types = vec!["a".to_owned(), "b".to_owned()];
    event.object = text("object");
    event.targets = vec![Target {
        id: text("target id"),
        name: text("target"),
        upn: Some("kim@tarn.example".to_owned()),
        kind: text("User"),
    }];
    event.mailbox = text("mailbox");
    event.logon_type = Some("2".to_owned());
    event.recipients = vec!["x@tarn.example".to_owned()];
    event.sender = text("sender");
    event.message_ids = vec!["<1@tarn.example>".to_owned()];
    event.subject = text("subject");
    event.folder = text("folder");
    event.folders = vec![FolderItems {
        path: text("path"),
        message_ids: vec!["<1@tarn.example>".to_owned()],
        subjects: [("<1@tarn.example>".to_owned(), "=1+1".to_owned())].into(),
    }];
    event.mail_access = Some(MailAccess::Sync);
    event.throttled = true;
    event.parameters = [("DeleteMessage".to_owned(), "True".to_owned())].into();
    event.modified = [(
        "Role".to_owned(),
        Modified {
            old: String::new(),
            new: "Global \"Reader\"".to_owned(),
        },
    )]
    .into();
    event.origin.input = "a folder/a file.csv".into();
    event.origin.line = 17;
    event
}

fn events() -> Vec<Event> {
    let mut events = vec![
        full("1", "ana@tarn.example", "2026-03-01T10:00:00.123456Z"),
        full("2", "bo@tarn.example", "2026-03-01T11:00:00Z"),
        full("3", "ana@tarn.example", "2026-03-20T12:00:00Z"),
        Event::new(Source::SignIns, at("2026-03-02T00:00:00Z"), "Sign-in", "{}"),
        Event::new(
            Source::MessageTrace,
            at("-001000-01-01T00:00:00Z"),
            "Send",
            "",
        ),
        Event::new(Source::MessageTrace, at("9999-12-30T00:00:00Z"), "Send", ""),
    ];
    events.sort_by_key(|event| event.time);
    events
}

#[test]
fn what_goes_in_comes_out_whole() {
    let home = tempfile::tempdir().unwrap();
    let events = events();
    let table = Table::write(&home.path().join("table"), &events).unwrap();
    assert_eq!(table.timeline(&Wanted::default()).unwrap(), events);

    let of_ana = Wanted {
        user: Some("Ana@tarn.example".to_owned()),
        ..Wanted::default()
    };
    let ids: Vec<String> = table
        .timeline(&of_ana)
        .unwrap()
        .into_iter()
        .map(|event| event.record_id)
        .collect();
    assert_eq!(ids, ["1", "3"]);

    let one_day = Wanted {
        from: Some(at("2026-03-01T00:00:00Z")),
        to: Some(at("2026-03-02T00:00:00Z")),
        ..Wanted::default()
    };
    assert_eq!(table.timeline(&one_day).unwrap().len(), 2);
}

#[test]
fn every_column_of_a_detection_is_a_column_of_the_table() {
    let names = column_names();
    for column in COLUMNS {
        // What an agent's family is follows from the agent.
        if column != "user_agent.os.family" {
            assert!(names.iter().any(|name| name == column), "{column}");
        }
    }
}

#[test]
fn questions_are_answered_in_sql() {
    let home = tempfile::tempdir().unwrap();
    let table = Table::write(&home.path().join("table"), &events()).unwrap();
    let answer = table
        .sql(
            "select \"user.name\", count(*) as events from events \
             where parameter['DeleteMessage'] = 'True' group by 1 order by 2 desc",
        )
        .unwrap();
    assert_eq!(answer.columns, ["user.name", "events"]);
    let shown: Vec<Vec<&str>> = answer
        .rows
        .iter()
        .map(|row| row.iter().map(|value| value.as_deref().unwrap()).collect())
        .collect();
    assert_eq!(shown, [["ana@tarn.example", "2"], ["bo@tarn.example", "1"]]);
    assert!(!answer.cut);
}

#[test]
fn a_question_changes_nothing_and_reads_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    let table = Table::write(&home.path().join("table"), &events()).unwrap();
    let elsewhere = home.path().join("elsewhere.parquet");
    let elsewhere = elsewhere.display();
    for question in [
        "drop table events".to_owned(),
        "insert into events select * from events".to_owned(),
        "create table other as select 1".to_owned(),
        format!("copy (select 1) to '{elsewhere}'"),
        format!("create external table x stored as parquet location '{elsewhere}'"),
        "set datafusion.execution.batch_size = 1".to_owned(),
        "select * from nothing".to_owned(),
        "this is no question".to_owned(),
        format!("select * from '{elsewhere}'"),
    ] {
        let refused = table.sql(&question);
        assert!(
            matches!(refused, Err(TableError::Query(_))),
            "{question}: {refused:?}"
        );
    }
    assert_eq!(table.timeline(&Wanted::default()).unwrap(), events());
    assert!(!home.path().join("elsewhere.parquet").exists());
}

#[test]
fn what_is_not_ours_is_left_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    let theirs = home.path().join("theirs");
    std::fs::create_dir(&theirs).unwrap();
    std::fs::write(theirs.join("notes.txt"), "mine").unwrap();
    let refused = Table::write(&theirs, &events());
    assert!(
        matches!(refused, Err(TableError::Occupied(_))),
        "{refused:?}"
    );
    assert_eq!(
        std::fs::read_to_string(theirs.join("notes.txt")).unwrap(),
        "mine"
    );
    assert!(matches!(Table::open(&theirs), Err(TableError::NoTable(_))));
    assert!(matches!(
        Table::open(&home.path().join("none")),
        Err(TableError::NoTable(_))
    ));

    let ours = home.path().join("ours");
    Table::write(&ours, &events()).unwrap();
    let again = Table::write(&ours, &events()[..2]).unwrap();
    assert_eq!(again.timeline(&Wanted::default()).unwrap().len(), 2);
    assert_eq!(Table::open(&ours).unwrap().directory(), ours);
    // What was begun and not ended is no table, and in nobody's way.
    std::fs::create_dir(home.path().join("ours.partial")).unwrap();
    Table::write(&ours, &events()).unwrap();
}

#[test]
fn the_same_events_give_the_same_bytes() {
    let home = tempfile::tempdir().unwrap();
    let bytes = |name: &str, events: &[Event]| {
        let directory = home.path().join(name);
        Table::write(&directory, events).unwrap();
        let mut files: Vec<_> = std::fs::read_dir(&directory)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name(), std::fs::read(entry.path()).unwrap()))
            .collect();
        files.sort();
        files
    };
    let mut backwards = events();
    backwards.reverse();
    assert_eq!(bytes("a", &events()), bytes("b", &backwards));
}
