//! The table as files: what goes in comes out, whole or not at all.

use std::fs;
use std::path::Path;

use retake_events::{Table, TableError, Wanted};
use retake_hunt::Event;
use retake_hunt::store::{Sink as _, Store as _, by_time, week_of};

use crate::made::{Numbers, hard, plain, weeks};

fn all(table: &Table) -> Vec<Event> {
    table.timeline(&Wanted::default()).unwrap()
}

fn sorted(mut events: Vec<Event>) -> Vec<Event> {
    events.sort_by(by_time);
    events
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn every_field_of_every_event_comes_back_as_it_went_in() {
    let mut numbers = Numbers(2);
    let events: Vec<Event> = (0..600).map(|_| hard(&mut numbers)).collect();
    let at = tempfile::tempdir().unwrap();
    let table = Table::write(&at.path().join("events"), &events).unwrap();
    let back = all(&table);
    assert_eq!(back.len(), events.len());
    for (back, event) in back.iter().zip(&sorted(events)) {
        assert_eq!(back, event);
    }
    let opened = Table::open(&at.path().join("events")).unwrap();
    assert!(all(&opened) == back);
}

#[test]
fn a_user_s_timeline_is_theirs_and_within_the_time_that_is_asked_for() {
    let events = weeks(40, 5, 12_000);
    let at = tempfile::tempdir().unwrap();
    let table = Table::write(&at.path().join("events"), &events).unwrap();
    let user = "user7@contoso.example";
    let expected = |from: Option<&str>, to: Option<&str>| {
        let from = from.map(|time| time.parse().unwrap());
        let to = to.map(|time| time.parse().unwrap());
        let wanted = Wanted {
            user: Some("User7@Contoso.example".to_owned()),
            from,
            to,
            without_originals: false,
        };
        let events = events.iter().filter(|event| {
            event.user.as_deref() == Some(user)
                && from.is_none_or(|from| event.time >= from)
                && to.is_none_or(|to| event.time < to)
        });
        let events = sorted(events.cloned().collect());
        assert!(!events.is_empty());
        assert_eq!(table.timeline(&wanted).unwrap(), events);
        events.len()
    };
    let whole = expected(None, None);
    let part = expected(Some("2026-01-14T12:00:00Z"), Some("2026-01-15T12:00:00Z"));
    let rest = expected(Some("2026-01-15T12:00:00Z"), None);
    assert!(part < rest && rest < whole);
    let nobody = Wanted {
        user: Some("nobody@contoso.example".to_owned()),
        ..Wanted::default()
    };
    assert!(table.timeline(&nobody).unwrap().is_empty());
}

#[test]
fn a_timeline_without_originals_is_the_same_but_for_them() {
    let events = weeks(3, 2, 200);
    let at = tempfile::tempdir().unwrap();
    let table = Table::write(&at.path().join("events"), &events).unwrap();
    let wanted = Wanted {
        without_originals: true,
        ..Wanted::default()
    };
    let mut expected = sorted(events);
    for event in &mut expected {
        event.original = Box::default();
    }
    assert_eq!(table.timeline(&wanted).unwrap(), expected);
}

#[test]
fn moments_are_kept_beyond_the_microsecond_and_asked_for_by_it() {
    let mut events = Vec::new();
    for (number, time) in [
        "2026-11-23T10:00:00.000000100Z",
        "2026-11-23T10:00:00.000000200Z",
        "1969-12-31T23:59:59.999999900Z",
    ]
    .into_iter()
    .enumerate()
    {
        events.push(plain(time, "ada@contoso.example", &number.to_string()));
    }
    let at = tempfile::tempdir().unwrap();
    let table = Table::write(&at.path().join("events"), &events).unwrap();
    let ids = |from: &str, to: &str| -> Vec<String> {
        let wanted = Wanted {
            from: Some(from.parse().unwrap()),
            to: Some(to.parse().unwrap()),
            ..Wanted::default()
        };
        let found = table.timeline(&wanted).unwrap();
        found.into_iter().map(|event| event.record_id).collect()
    };
    assert_eq!(
        ids(
            "2026-11-23T10:00:00.000000100Z",
            "2026-11-23T10:00:00.000000200Z"
        ),
        ["0"]
    );
    assert_eq!(
        ids("1969-12-31T23:59:59.9999999Z", "1970-01-01T00:00:00Z"),
        ["2"]
    );
}

#[test]
fn there_is_one_file_for_each_week() {
    let events = [
        plain("2026-11-23T00:00:00Z", "a", "1"),
        plain("2026-11-22T23:59:59.9999999Z", "a", "2"),
        plain("2024-12-30T00:00:00Z", "a", "3"),
        plain("1969-12-28T23:59:59.5Z", "a", "4"),
        plain("1969-12-29T00:00:00Z", "a", "5"),
        plain("-000004-06-01T00:00:00Z", "a", "6"),
    ];
    let at = tempfile::tempdir().unwrap();
    let directory = at.path().join("events");
    let table = Table::write(&directory, &events).unwrap();
    let mut expected: Vec<String> = events
        .iter()
        .map(|event| format!("events-{}.parquet", week_of(event.time)))
        .collect();
    expected.sort();
    assert_eq!(names(&directory), expected);
    assert!(expected.contains(&"events-2025-W01.parquet".to_owned()));
    // By time, not by name.
    let mut order = Vec::new();
    table
        .scan(&mut |event| {
            order.push(event.record_id);
            Ok(())
        })
        .unwrap();
    assert_eq!(order, ["6", "4", "5", "3", "2", "1"]);
}

#[test]
fn a_new_table_takes_the_place_of_an_earlier_one() {
    let at = tempfile::tempdir().unwrap();
    let directory = at.path().join("events");
    Table::write(&directory, &weeks(3, 4, 100)).unwrap();
    let one = [plain("2026-11-23T00:00:00Z", "a", "1")];
    Table::write(&directory, &one).unwrap();
    assert_eq!(names(&directory), ["events-2026-W48.parquet"]);
    assert_eq!(names(at.path()), ["events"]);
    assert_eq!(all(&Table::open(&directory).unwrap()), one);
}

#[test]
fn a_writer_that_is_given_up_leaves_the_earlier_table_and_nothing_else() {
    let at = tempfile::tempdir().unwrap();
    let directory = at.path().join("events");
    let earlier = [plain("2026-11-23T00:00:00Z", "a", "1")];
    Table::write(&directory, &earlier).unwrap();
    let mut writer = Table::create(&directory).unwrap();
    for event in sorted(weeks(0, 3, 10_000)) {
        writer.put(event).unwrap();
    }
    assert_eq!(names(at.path()), ["events", "events.partial"]);
    drop(writer);
    assert_eq!(names(at.path()), ["events"]);
    assert_eq!(all(&Table::open(&directory).unwrap()), earlier);
}

#[test]
fn what_a_killed_run_has_left_beside_is_taken_away() {
    let at = tempfile::tempdir().unwrap();
    let directory = at.path().join("events");
    let left = at.path().join("events.partial");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("events-2026-W47.parquet"), "half").unwrap();
    fs::write(left.join("writing"), "").unwrap();
    let events = [plain("2026-11-23T00:00:00Z", "a", "1")];
    Table::write(&directory, &events).unwrap();
    assert_eq!(names(at.path()), ["events"]);
    assert_eq!(names(&directory), ["events-2026-W48.parquet"]);
}

#[test]
fn two_cannot_write_one_table_at_once() {
    let at = tempfile::tempdir().unwrap();
    let directory = at.path().join("events");
    let mut first = Table::create(&directory).unwrap();
    assert!(matches!(
        Table::create(&directory),
        Err(TableError::Busy(_))
    ));
    first.put(plain("2026-11-23T00:00:00Z", "a", "1")).unwrap();
    assert_eq!(all(&first.finish().unwrap()).len(), 1);
    assert_eq!(names(at.path()), ["events"]);
}

#[test]
fn a_directory_of_somebody_else_is_left_alone() {
    let events = [plain("2026-11-23T00:00:00Z", "a", "1")];
    let at = tempfile::tempdir().unwrap();
    let directory = at.path().join("mine");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("thesis.txt"), "years").unwrap();
    assert!(matches!(
        Table::write(&directory, &events),
        Err(TableError::Occupied(_))
    ));
    assert_eq!(names(at.path()), ["mine"]);
    assert_eq!(names(&directory), ["thesis.txt"]);
    // Nor is one that only stands where we would write, or move to.
    for beside in ["events.partial", "events.old"] {
        let at = tempfile::tempdir().unwrap();
        let directory = at.path().join("events");
        Table::write(&directory, &events).unwrap();
        let theirs = at.path().join(beside);
        fs::create_dir(&theirs).unwrap();
        fs::write(theirs.join("thesis.txt"), "years").unwrap();
        assert!(Table::write(&directory, &[]).is_err(), "{beside}");
        assert_eq!(names(&theirs), ["thesis.txt"]);
        assert_eq!(all(&Table::open(&directory).unwrap()), events);
    }
    // A file in its place.
    let file = at.path().join("file");
    fs::write(&file, "text").unwrap();
    assert!(Table::write(&file, &events).is_err());
    assert_eq!(fs::read(&file).unwrap(), b"text");
}

#[test]
fn what_comes_to_lie_there_while_it_is_written_is_left_alone() {
    let at = tempfile::tempdir().unwrap();
    let directory = at.path().join("events");
    let writer = Table::create(&directory).unwrap();
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("thesis.txt"), "years").unwrap();
    assert!(matches!(writer.finish(), Err(TableError::Occupied(_))));
    assert_eq!(names(at.path()), ["events"]);
    assert_eq!(names(&directory), ["thesis.txt"]);
}

#[test]
fn a_table_of_nothing_is_a_table() {
    let at = tempfile::tempdir().unwrap();
    let directory = at.path().join("events");
    Table::write(&directory, &[]).unwrap();
    let table = Table::open(&directory).unwrap();
    assert!(all(&table).is_empty());
    let answer = table.sql("select count(*) from events").unwrap();
    assert_eq!(answer.rows, [[serde_json::json!(0)]]);
}

#[cfg(unix)]
#[test]
fn nobody_else_can_look_into_a_table() {
    use std::os::unix::fs::PermissionsExt as _;

    let at = tempfile::tempdir().unwrap();
    let directory = at.path().join("deep/er/events");
    Table::write(&directory, &[]).unwrap();
    let mode = fs::metadata(&directory).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn no_table_is_told_from_a_table() {
    let at = tempfile::tempdir().unwrap();
    for directory in [at.path().to_owned(), at.path().join("absent")] {
        assert!(matches!(
            Table::open(&directory),
            Err(TableError::NoTable(_))
        ));
    }
}

#[test]
fn a_damaged_file_is_an_error_wherever_the_damage_is() {
    let at = tempfile::tempdir().unwrap();
    let directory = at.path().join("events");
    Table::write(&directory, &sorted(weeks(3, 1, 400))).unwrap();
    let name = names(&directory).remove(0);
    let path = directory.join(name);
    let whole = fs::read(&path).unwrap();
    let table = Table::open(&directory).unwrap();
    let mut wrong = 0;
    let mut try_it = |bytes: &[u8], must_fail: bool| {
        fs::write(&path, bytes).unwrap();
        // Damage inside a text cannot be seen; a panic would be.
        let results = [
            table.timeline(&Wanted::default()).is_err(),
            table.scan(&mut |_| Ok(())).is_err(),
            table.each_user(&mut |_, _| Ok(())).is_err(),
            table.sql("select * from events").is_err(),
        ];
        if must_fail {
            assert_eq!(results, [true; 4]);
        }
        wrong += usize::from(results.contains(&true));
    };
    try_it(b"", true);
    try_it(b"PAR1", true);
    try_it(
        &b"not parquet at all, but long enough to look. ".repeat(40),
        true,
    );
    for cut in [1, 4, 8, 9, 100, whole.len() / 2, whole.len() - 5] {
        try_it(&whole[..whole.len() - cut], true);
    }
    let mut numbers = Numbers(3);
    for _ in 0..60 {
        let mut bytes = whole.clone();
        let at = numbers.below(bytes.len() as u64) as usize;
        bytes[at] ^= 1 << numbers.below(8);
        try_it(&bytes, false);
    }
    let footer = whole.len() - 2_000;
    for _ in 0..60 {
        let mut bytes = whole.clone();
        let at = footer + numbers.below(1_992) as usize;
        bytes[at] = numbers.below(256) as u8;
        try_it(&bytes, false);
    }
    assert!(wrong > 30, "{wrong}: the damage was not even seen");
}
