//! Questions to the table of events, as an analyst types them.

use std::path::PathBuf;

use insta::assert_snapshot;
use retake_events::Table;
use retake_hunt::{Event, Source};

use crate::json::follows;
use crate::stranger::{Home, Ran, named};

/// A table in which one value is an attacker's.
fn table(home: &Home) -> String {
    let event = |time: &str, user: &str, id: &str| {
        let mut event = Event::new(Source::Ual, time.parse().unwrap(), "New-InboxRule", "{}");
        event.user = Some(user.to_owned());
        id.clone_into(&mut event.record_id);
        event
    };
    let mut hostile = event("2026-03-02T09:10:00Z", "dana@fabrikam.example", "one");
    hostile.subject = Some("=HYPERLINK(\"https://evil.example\")\u{1b}[2J\u{202e}".to_owned());
    hostile.network = Some(64500);
    hostile.parameters = [("MoveToFolder".to_owned(), "RSS Feeds".to_owned())].into();
    let mut other = event("2026-03-09T10:00:00Z", "eli@fabrikam.example", "two");
    other.subject = Some("long ".repeat(30));
    other.recipients = vec!["@all".to_owned(), "b@fabrikam.example".to_owned()];
    let directory = home.path().join("events");
    Table::write(&directory, &[hostile, other]).unwrap();
    directory.to_str().unwrap().to_owned()
}

const QUESTION: &str = "select \"user.name\", \"source.as.number\" as network, \"email.subject\" as \
                        subject, parameter['MoveToFolder'] as folder, -5 as n from events order by 1";

fn asked(home: &Home, arguments: &[&str]) -> Ran {
    let mut all = vec!["sql"];
    all.extend(arguments);
    home.retake(&all)
}

#[test]
fn an_answer_is_a_table_in_which_nothing_obeys_an_attacker() {
    let home = Home::new();
    let directory = table(&home);
    let ran = asked(&home, &[&directory, QUESTION]);
    named(&home, None, || {
        assert_snapshot!(ran.stdout, @r#"
user.name              network  subject                                                                         folder     n
---------------------  -------  ------------------------------------------------------------------------------  ---------  --
dana@fabrikam.example    64500  =HYPERLINK("https://evil.example")␛[2J[U+202E]                                  RSS Feeds  -5
eli@fabrikam.example            long long long long long long long long long long long long … [150 characters]             -5
"#);
    });
    assert_eq!((ran.code, ran.stderr.as_str()), (0, "2 rows\n"));
    let whole = asked(&home, &[&directory, QUESTION, "--whole"]);
    assert!(
        whole
            .stdout
            .contains("long long long long long long long long long long long long long")
    );
    assert!(!whole.stdout.contains('\u{1b}') && !whole.stdout.contains('\u{202e}'));
}

#[test]
fn many_columns_stand_below_each_other_without_the_empty_ones() {
    let home = Home::new();
    let directory = table(&home);
    let ran = asked(
        &home,
        &[
            &directory,
            "select * from events where \"event.id\" = 'one'",
        ],
    );
    named(&home, None, || {
        assert_snapshot!(ran.stdout, @r#"
-- 1
@timestamp                   [TIME]
event.id                     one
event.dataset                ual
event.kind                   change
event.action                 New-InboxRule
event.outcome                unknown
user.name                    dana@fabrikam.example
source.network               as64500
email.subject                =HYPERLINK("https://evil.example")␛[2J[U+202E]
m365.mfa                     unknown
log.file.path
event.original               {}
source.as.number             64500
m365.throttled               false
log.offset                   0
parameter                    {"MoveToFolder":"RSS Feeds"}
"#);
    });
}

#[test]
fn programs_get_one_document_with_values_as_what_they_are() {
    let home = Home::new();
    let directory = table(&home);
    let ran = asked(&home, &[&directory, QUESTION, "--json"]);
    let document = ran.json();
    follows("sql", &document);
    assert_eq!(document["rows"][0][1], 64500);
    assert_eq!(document["rows"][0][3], "RSS Feeds");
    assert_eq!(document["rows"][1][1], serde_json::Value::Null);
    assert_eq!(
        document["rows"][0][2],
        "=HYPERLINK(\"https://evil.example\")\u{1b}[2J\u{202e}"
    );
    assert!(ran.stdout.is_ascii() && !ran.stdout.contains('\u{1b}'));
    let columns = asked(&home, &[&directory, "--columns", "--json"]).json();
    follows("sql", &columns);
    assert_eq!(columns["rows"][0][0], "@timestamp");
}

#[test]
fn a_spreadsheet_calculates_numbers_and_no_text() {
    let home = Home::new();
    let directory = table(&home);
    let file = home.path().join("answer.csv");
    let question = format!(
        "{}, \"email.to.address\" from events order by 1",
        QUESTION.split(" from").next().unwrap()
    );
    let ran = asked(
        &home,
        &[&directory, &question, "--csv", file.to_str().unwrap()],
    );
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(
        lines[0],
        "\"user.name\",\"network\",\"subject\",\"folder\",\"n\",\"email.to.address\""
    );
    assert_eq!(
        lines[1],
        "\"dana@fabrikam.example\",64500,\"'=HYPERLINK(\"\"https://evil.example\"\")\u{1b}[2J\u{202e}\",\
         \"RSS Feeds\",-5,\"[]\""
    );
    assert!(
        lines[2].ends_with("-5,\"[\"\"@all\"\",\"\"b@fabrikam.example\"\"]\""),
        "{}",
        lines[2]
    );
    // What is there is not written over.
    let again = asked(
        &home,
        &[&directory, "select 1", "--csv", file.to_str().unwrap()],
    );
    assert_eq!(again.code, 2);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    let replaced = asked(
        &home,
        &[
            &directory,
            "select 1 as one",
            "--csv",
            file.to_str().unwrap(),
            "--replace",
        ],
    );
    assert_eq!(replaced.code, 0, "{}", replaced.session());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "\"one\"\r\n1\r\n");
    let printed = asked(&home, &[&directory, &question, "--csv", "-"]);
    assert_eq!(printed.stdout, text);
    for start in ["=", "+", "-", "@", "\t", "\r"] {
        let ran = asked(
            &home,
            &[&directory, &format!("select '{start}1' as c"), "--csv", "-"],
        );
        assert_eq!(ran.stdout, format!("\"c\"\r\n\"'{start}1\"\r\n"));
    }
}

#[test]
fn the_columns_are_listed_with_what_they_hold() {
    let home = Home::new();
    let directory = table(&home);
    let ran = asked(&home, &[&directory, "--columns", "--whole"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    for column in retake_events::columns() {
        let line = ran
            .stdout
            .lines()
            .find(|line| line.split("  ").next() == Some(column.name.as_str()));
        assert!(
            line.is_some_and(|line| line.ends_with(column.about)),
            "{}",
            column.name
        );
    }
}

#[test]
fn what_cannot_be_answered_says_why_and_what_to_do() {
    let home = Home::new();
    let directory = table(&home);
    let before = home.files();
    let nothing = home.path().join("nothing");
    let mut all = String::new();
    for arguments in [
        &[nothing.to_str().unwrap(), "select 1"][..],
        &[&directory, "select user.name from events"],
        &[&directory, "select \"user.nam\" from events"],
        &[&directory, "drop table events"],
        &[&directory, "copy events to 'out.csv'"],
        &[&directory],
    ] {
        let ran = asked(&home, arguments);
        assert_eq!(ran.code, 2, "{}", ran.session());
        all.push_str(&ran.session());
        all.push_str("\n\n");
    }
    named(&home, None, || {
        assert_snapshot!(all, @r#"
$ retake sql [HOME]/nothing select 1
error RT2002: [HOME]/nothing holds no table of events (a directory with files `events-*.parquet`). Nothing was read.

hint: `retake hunt FILE… --to DIR` writes one.
      retake explain RT2002
[exit 2]

$ retake sql [HOME]/events select user.name from events
error RT2002: The question cannot be answered: This feature is not implemented: Dot access not supported for non-string expr: Identifier(Ident { value: "name", quote_style: None, span: Span(Location(1,13)..Location(1,17)) }). Nothing was changed.

hint: A name with a dot stands in double quotes: "user.name". `retake sql DIR --columns` lists them; the table is called events.
      retake explain RT2002
[exit 2]

$ retake sql [HOME]/events select "user.nam" from events
error RT2002: The question cannot be answered: Schema error: No field named "user.nam". Did you mean 'events."user.name"'. Nothing was changed.

hint: A name with a dot stands in double quotes: "user.name". `retake sql DIR --columns` lists them; the table is called events.
      retake explain RT2002
[exit 2]

$ retake sql [HOME]/events drop table events
error RT2002: The question cannot be answered: Error during planning: DDL not supported: DropTable. Nothing was changed.

hint: A name with a dot stands in double quotes: "user.name". `retake sql DIR --columns` lists them; the table is called events.
      retake explain RT2002
[exit 2]

$ retake sql [HOME]/events copy events to 'out.csv'
error RT2002: The question cannot be answered: Error during planning: DML not supported: COPY. Nothing was changed.

hint: A name with a dot stands in double quotes: "user.name". `retake sql DIR --columns` lists them; the table is called events.
      retake explain RT2002
[exit 2]

$ retake sql [HOME]/events
error: the following required arguments were not provided:
  <QUESTION>

Usage: retake sql <DIRECTORY> <QUESTION>

For more information, try '--help'.
[exit 2]
"#);
    });
    assert_eq!(home.files(), before);
    // A table that is damaged.
    let file = std::fs::read_dir(&directory).unwrap().next().unwrap();
    let file: PathBuf = file.unwrap().path();
    std::fs::write(&file, "PAR1").unwrap();
    let ran = asked(&home, &[&directory, "select 1 from events"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("RT2006") && ran.stderr.contains("is damaged"),
        "{}",
        ran.session()
    );
}
