//! What the judgement reads back is what the import put in.

use retake_events::{Table, TableError};
use retake_hunt::Event;
use retake_hunt::store::{Memory, Sink as _, Store, StoreError};

use crate::made::{Numbers, hard, plain, weeks};

type Users = Vec<(String, Vec<Event>)>;

fn by_user(store: &dyn Store) -> Users {
    let mut users = Vec::new();
    store
        .each_user(&mut |user, events| {
            users.push((user.to_owned(), events));
            Ok(())
        })
        .unwrap();
    users
}

fn scanned(store: &dyn Store) -> Vec<Event> {
    let mut events = Vec::new();
    store
        .scan(&mut |event| {
            events.push(event);
            Ok(())
        })
        .unwrap();
    events
}

fn alike(events: Vec<Event>) {
    let at = tempfile::tempdir().unwrap();
    let table = Table::write(&at.path().join("events"), &events).unwrap();
    let memory = Memory::new(events);
    let (ours, theirs) = (by_user(&table), by_user(&memory));
    assert_eq!(ours.len(), theirs.len(), "users");
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours.0, theirs.0);
        assert_eq!(ours.1.len(), theirs.1.len(), "events of {:?}", ours.0);
        for (ours, theirs) in ours.1.iter().zip(&theirs.1) {
            assert_eq!(ours, theirs);
        }
    }
    assert!(scanned(&table) == scanned(&memory), "another scan");
}

#[test]
fn memory_and_table_hand_out_the_same_of_hard_events() {
    let mut numbers = Numbers(1);
    alike((0..700).map(|_| hard(&mut numbers)).collect());
}

#[test]
fn memory_and_table_hand_out_the_same_of_more_events_than_are_read_ahead() {
    alike(weeks(5, 3, 9_000));
}

#[test]
fn memory_and_table_hand_out_the_same_of_more_weeks_than_are_open() {
    // Times that are none: every event another week.
    let events = (0..300)
        .map(|number| {
            let user = format!("user{}@contoso.example", number % 7);
            plain(&format!("{:04}-06-01T00:00:00Z", 1700 + number), &user, "a")
        })
        .collect();
    alike(events);
}

#[test]
fn memory_and_table_hand_out_nothing_of_nothing() {
    alike(Vec::new());
}

#[test]
fn the_events_of_nobody_come_first_whether_the_name_is_empty_or_absent() {
    let mut named = plain("2026-11-23T10:00:00Z", "", "b");
    named.user = Some(String::new());
    let events = vec![
        plain("2026-11-23T11:00:00Z", "", "c"),
        named,
        plain("2026-11-16T09:00:00Z", "", "a"),
        plain("2026-11-23T09:00:00Z", "ada@contoso.example", "d"),
    ];
    let at = tempfile::tempdir().unwrap();
    let table = Table::write(&at.path().join("events"), &events).unwrap();
    let users = by_user(&table);
    let ids: Vec<Vec<&str>> = users
        .iter()
        .map(|(_, events)| {
            events
                .iter()
                .map(|event| event.record_id.as_str())
                .collect()
        })
        .collect();
    assert_eq!(ids, [vec!["a", "b", "c"], vec!["d"]]);
    alike(events);
}

#[test]
fn a_visitor_ends_the_reading() {
    let at = tempfile::tempdir().unwrap();
    let table = Table::write(&at.path().join("events"), &weeks(3, 2, 50)).unwrap();
    let mut seen = 0;
    let ended = table.scan(&mut |_| {
        seen += 1;
        Err(StoreError::new("looking", "enough"))
    });
    assert_eq!(ended.unwrap_err().to_string(), "looking: enough");
    assert_eq!(seen, 1);
    assert!(
        table
            .each_user(&mut |_, _| Err(StoreError::new("looking", "enough")))
            .is_err()
    );
}

#[test]
fn an_event_out_of_order_is_refused_and_nothing_is_left() {
    let later = plain("2026-11-24T10:00:00Z", "bob@contoso.example", "b");
    for (what, earlier) in [
        (
            "week",
            plain("2026-11-22T23:59:59Z", "zoe@contoso.example", "c"),
        ),
        (
            "user",
            plain("2026-11-24T11:00:00Z", "ada@contoso.example", "c"),
        ),
        (
            "time",
            plain("2026-11-24T09:00:00Z", "bob@contoso.example", "c"),
        ),
        (
            "id",
            plain("2026-11-24T10:00:00Z", "bob@contoso.example", "a"),
        ),
    ] {
        let at = tempfile::tempdir().unwrap();
        let mut writer = Table::create(&at.path().join("events")).unwrap();
        writer.put(later.clone()).unwrap();
        let refused = writer.put(earlier).unwrap_err();
        assert!(
            matches!(
                refused.source.downcast_ref(),
                Some(TableError::Order { .. })
            ),
            "{what}: {refused}"
        );
        drop(writer);
        assert_eq!(at.path().read_dir().unwrap().count(), 0, "{what}");
    }
}

#[test]
fn the_order_holds_across_what_is_handed_over_at_a_time() {
    let at = tempfile::tempdir().unwrap();
    let mut writer = Table::create(&at.path().join("events")).unwrap();
    for number in 0..20_000 {
        writer
            .put(plain(
                "2026-11-24T10:00:00Z",
                "bob@contoso.example",
                &format!("{number:06}"),
            ))
            .unwrap();
    }
    let table = writer.finish().unwrap();
    let mut count = 0;
    table
        .scan(&mut |event| {
            assert_eq!(event.record_id, format!("{count:06}"));
            count += 1;
            Ok(())
        })
        .unwrap();
    assert_eq!(count, 20_000);
}
