//! What people see of a hunt: the answer on a screen, everything of an account, the page,
//! and the timelines; the same content each, and harmless whatever things are called.

use std::collections::BTreeMap;

use retake_hunt::retrace::DeedKind;
use retake_hunt::{HuntReport, Import, Options, Retrace};
use retake_report::hunt::{Form, Look, Next, Timeline, details, page, screen};
use serde_json::Value;

use crate::hunted::{UPN, now, report};

/// One for each way in which a text can do harm where it is shown.
const NASTY: [&str; 7] = [
    "</title></td></svg><script>alert(1)</script><img src=x onerror=y>\"'>{{7*7}}",
    "\u{1b}[2J\u{1b}]8;;http://evil.example\u{7}here\u{1b}]8;;\u{7}\u{9b}31m\u{7f}\u{0}",
    "=cmd|' /C calc'!A0",
    "\t@SUM(1,2)\r\n+HYPERLINK(\"http://evil.example\")",
    "inv\u{202e}fdp.exe\u{2066}\u{200b}\u{feff}\u{e0041}",
    "-2+3;,\"\u{2028}\r",
    "Z\u{336}\u{336}\u{336}\u{336}\u{336}\u{336}a\u{301}\u{10ffff}",
];

fn plain(text: &str) -> String {
    text.to_owned()
}

/// Every way, each text in another order, the first one at its beginning.
fn nasty(text: &str) -> String {
    let turn = text.len() % NASTY.len();
    format!(
        "{}{text}{}",
        NASTY[turn],
        [&NASTY[turn..], &NASTY[..turn]].concat().concat()
    )
}

fn retraced(report: &HuntReport) -> Retrace<'_> {
    Retrace::of(report, &[], &report.imported.events)
}

fn next() -> Next {
    Next {
        files: "logs".to_owned(),
        reported: false,
    }
}

fn on_screen(report: &HuntReport, look: Look) -> String {
    screen(report, &retraced(report), look, &next())
}

fn timeline(report: &HuntReport, form: Form) -> Vec<u8> {
    let retrace = retraced(report);
    let mut timeline = Timeline::new(Vec::new(), form, report).unwrap();
    for event in &report.imported.events {
        timeline.put(event, retrace.whose(event)).unwrap();
    }
    let (bytes, written) = timeline.finish().unwrap();
    assert_eq!(written, report.imported.counts.kept);
    bytes
}

const FORMS: [Form; 5] = [
    Form::Table,
    Form::JsonLines,
    Form::Csv,
    Form::TimesketchJsonLines,
    Form::TimesketchCsv,
];

#[test]
fn the_answer_is_on_one_screen() {
    let report = report(&plain);
    let screen = on_screen(&report, Look::PLAIN);
    insta::assert_snapshot!("hunt_screen", screen);
    assert!(screen.lines().count() <= 40, "{screen}");
    assert!(screen.lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn nobody_is_an_answer_that_says_what_it_rests_on() {
    let mut import = Import::new();
    import.add_bytes(
        "day.jsonl",
        br#"{"CreationTime":"2026-03-02T09:10:00","Id":"22222222-0000-4000-8000-000000000001","Operation":"FileAccessed","RecordType":6,"UserType":0,"Workload":"SharePoint","ClientIP":"198.51.100.4","UserId":"dana.reyes@fabrikam.example","ObjectId":"https://fabrikam.example/plan.docx"}"#,
    );
    let report = retake_hunt::report(import.finish(), &Options::new(now()).unwrap());
    insta::assert_snapshot!("hunt_nobody", on_screen(&report, Look::PLAIN));
    let html = page(&report, &retraced(&report), now()).unwrap();
    assert!(html.contains("Nobody stands out") && html.contains("That rests on"));
}

#[test]
fn everything_of_an_account_is_there_on_request() {
    let report = report(&plain);
    let retrace = retraced(&report);
    let answer = report.alarming().next().unwrap();
    let details = details(&report, answer, &retrace, Look::PLAIN);
    insta::assert_snapshot!("hunt_details", details);
    // Each event of the account is a line of its timeline.
    let events = report
        .imported
        .events
        .iter()
        .filter(|event| event.user.as_deref() == Some(UPN))
        .count();
    let lines = details.split("Timeline").nth(1).unwrap().trim().lines();
    assert_eq!(lines.count() - 1, events);
}

#[test]
fn a_narrow_terminal_without_unicode_and_colour_still_reads() {
    let report = report(&plain);
    let look = Look {
        width: 50,
        unicode: false,
        colour: false,
    };
    let screen = on_screen(&report, look);
    assert!(screen.is_ascii(), "{screen}");
    assert!(screen.lines().all(|line| line.len() <= 50), "{screen}");
    let row = screen
        .lines()
        .find(|line| line.trim_start().starts_with("attacker "))
        .unwrap();
    assert!(row.contains(['.', ':', '#', '%', '*']), "{row}");
    // Colour adds nothing but colour.
    let coloured = on_screen(
        &report,
        Look {
            colour: true,
            ..Look::PLAIN
        },
    );
    assert_ne!(coloured, on_screen(&report, Look::PLAIN));
    assert_eq!(without_colour(&coloured), on_screen(&report, Look::PLAIN));
}

/// Without the sequences that set colour.
fn without_colour(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        out.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    out + rest
}

#[test]
fn read_sent_changed_deleted_shared_and_who_else_are_the_attackers_own() {
    let report = report(&plain);
    let retrace = retraced(&report);
    let user = retrace.user(UPN).unwrap();
    let counts = [
        DeedKind::Read,
        DeedKind::Changed,
        DeedKind::Deleted,
        DeedKind::Shared,
    ]
    .map(|kind| user.deeds.count(kind));
    assert_eq!(counts, [1, 0, 0, 1]);
    let behind = user.first.as_ref().unwrap();
    assert_eq!(behind.input, "logs/sign-ins.json");
    let activity = user.activity.as_ref().unwrap();
    assert_eq!(activity.own.iter().sum::<u64>(), 62);
    assert_eq!(activity.theirs.iter().sum::<u64>(), 8);
    // An hour of a month is looked at closer, and nothing of the attacker's is lost there.
    let closer = user.closer.as_ref().unwrap();
    assert_eq!(closer.theirs.iter().sum::<u64>(), 8);
    assert_eq!(closer.own.iter().sum::<u64>(), 0);
    let document = retake_hunt::json::document(&report, &retrace);
    let blast = &document["users"][0]["blast"];
    let count = |name: &str| blast[name]["count"].as_u64().unwrap();
    assert_eq!(
        ["read", "sent", "changed", "deleted", "shared", "reached"].map(count),
        [3, 1, 1, 1, 1, 1],
        "{blast}"
    );
    assert_eq!(blast["read"]["files"]["count"], 1);
    assert_eq!(
        blast["shared"]["items"][0]["with"], "drop@outside.example",
        "{blast}"
    );
    assert!(
        !document["users"][0]["path_evidence"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}

#[test]
fn timesketch_finds_what_it_asks_for_in_every_row() {
    let report = report(&plain);
    let lines = timeline(&report, Form::TimesketchJsonLines);
    let text = String::from_utf8(lines).unwrap();
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        for name in ["message", "datetime", "timestamp_desc"] {
            assert!(!row[name].as_str().unwrap().is_empty(), "{row}");
        }
        let time = row["datetime"].as_str().unwrap();
        assert!(time.ends_with("+00:00"), "{time}");
        time.parse::<jiff::Timestamp>().unwrap();
        assert!(row["tag"].is_array());
        assert!(
            row.as_object()
                .unwrap()
                .keys()
                .all(|key| !key.contains('.'))
        );
    }
    insta::assert_snapshot!("hunt_timesketch", text.lines().last().unwrap());
    let bytes = timeline(&report, Form::TimesketchCsv);
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let heads = reader.headers().unwrap().clone();
    assert_eq!(
        heads.iter().take(4).collect::<Vec<_>>(),
        ["message", "datetime", "timestamp_desc", "tag"]
    );
    let mut rows = 0;
    for row in reader.records() {
        let row = row.unwrap();
        let tags: Vec<String> = serde_json::from_str(&row[3]).unwrap();
        assert!(tags.iter().all(|tag| tag.starts_with('D')));
        rows += 1;
    }
    assert_eq!(rows, report.imported.counts.kept);
}

#[test]
fn a_timeline_says_whose_each_event_is_and_what_it_raised() {
    let report = report(&plain);
    let bytes = timeline(&report, Form::Csv);
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let heads = reader.headers().unwrap().clone();
    let rows: Vec<BTreeMap<String, String>> = reader
        .records()
        .map(|row| {
            heads
                .iter()
                .map(str::to_owned)
                .zip(row.unwrap().iter().map(str::to_owned))
                .collect()
        })
        .collect();
    let rule = rows
        .iter()
        .find(|row| row["event.action"] == "New-InboxRule")
        .unwrap();
    assert_eq!(rule["retake.whose"], "attacker");
    assert!(rule["rule.id"].contains('D'), "{rule:?}");
    assert_eq!(rule["timestamp"], "2026-04-01T22:05:00Z");
    let own = rows
        .iter()
        .filter(|row| row["user.name"] == UPN && row["retake.whose"] == "user")
        .count();
    assert_eq!(own, 62);
    let other = rows
        .iter()
        .find(|row| row["user.name"] != UPN && row["source.ip"] == "203.0.113.9")
        .unwrap();
    // They came in from where another account was taken from.
    assert_eq!(other["retake.whose"], "attacker");
    let table = String::from_utf8(timeline(&report, Form::Table)).unwrap();
    assert!(table.lines().any(|line| {
        line.starts_with("2026-04-01 22:05:00  attacker") && line.contains("New-InboxRule")
    }));
}

#[test]
fn the_page_is_one_file_that_loads_nothing_and_holds_everything() {
    let report = report(&plain);
    let html = page(&report, &retraced(&report), now()).unwrap();
    assert!(html.contains("default-src 'none'"));
    for banned in [
        "<script",
        "<link",
        "<iframe",
        "<img",
        "http-equiv=\"refresh\"",
        "url(",
        "@import",
    ] {
        assert!(!html.contains(banned), "{banned}");
    }
    // Links lead to places in the page alone.
    for link in html.split("href=\"").skip(1) {
        assert!(link.starts_with("#user-"), "{}", &link[..40]);
    }
    for there in [
        "prefers-color-scheme:dark",
        "@media print",
        "<desc id=",
        "&#60;one@fabrikam.example&#62;",
        "RSS Feeds",
        "logs/audit.jsonl",
        "Damaged records",
        "device code phishing",
    ] {
        assert!(html.contains(there), "{there}");
    }
    // Read = kept + repeats + damaged, as it stands there.
    let number = |name: &str| -> u64 {
        let after = html
            .split(&format!("<dt>{name}</dt><dd class=\"t\">"))
            .nth(1)
            .unwrap();
        after.split('<').next().unwrap().parse().unwrap()
    };
    assert_eq!(
        number("read"),
        number("kept") + number("repeats") + number("damaged")
    );
    assert_eq!(number("damaged"), 1);
}

#[test]
fn no_name_moves_the_cursor_or_turns_a_line_around() {
    let report = report(&nasty);
    let answer = report.alarming().next().unwrap();
    assert_eq!(answer.user, UPN);
    let retrace = retraced(&report);
    for text in [
        on_screen(&report, Look::PLAIN),
        details(&report, answer, &retrace, Look::PLAIN),
    ] {
        assert!(!unseen(&text), "{text:?}");
        assert!(text.contains("␛[2J"), "what was there can still be seen");
    }
}

#[test]
fn no_name_becomes_part_of_the_page() {
    let tags = |html: &str| -> Vec<String> {
        html.split('<')
            .skip(1)
            .map(|piece| {
                piece
                    .split(|c: char| !(c.is_ascii_alphanumeric() || "/!".contains(c)))
                    .next()
                    .unwrap()
                    .to_owned()
            })
            .collect()
    };
    let of = |name: &dyn Fn(&str) -> String| {
        let report = report(name);
        page(&report, &retraced(&report), now()).unwrap()
    };
    let page = of(&nasty);
    // Harmless, and as little what the detections look for.
    let harmless = of(&|text| format!("Name {text} name"));
    assert_eq!(
        tags(&page),
        tags(&harmless),
        "the same tags, whatever the names"
    );
    assert!(!page.contains("<script") && !page.contains("onerror=y>"));
    assert!(!unseen(&page));
    assert!(page.contains("{{7*7}}"), "a text is no template");
    // Between the tags stands no quotation mark that ends an attribute.
    for tag in page.split('<').skip(1) {
        let inside = tag.split('>').next().unwrap();
        assert_eq!(inside.matches('"').count() % 2, 0, "{inside}");
    }
}

#[test]
fn no_name_becomes_a_formula_a_row_or_a_control_character() {
    let report = report(&nasty);
    for form in FORMS {
        let text = String::from_utf8(timeline(&report, form)).unwrap();
        assert!(!unseen(&text.replace("\r\n", "\n")), "{form:?}");
        let rows = text.lines().count() as u64;
        let heads = u64::from(!matches!(form, Form::JsonLines | Form::TimesketchJsonLines));
        assert_eq!(rows, report.imported.counts.kept + heads, "{form:?}");
        match form {
            Form::Csv | Form::TimesketchCsv => {
                let mut reader = csv::Reader::from_reader(text.as_bytes());
                let heads = reader.headers().unwrap().clone();
                assert!(!heads.iter().any(retake_report::hunt::cell::calculates));
                let wide = heads.len();
                let mut marked = 0;
                for row in reader.records() {
                    let row = row.unwrap();
                    assert_eq!(row.len(), wide);
                    for cell in &row {
                        assert!(!retake_report::hunt::cell::calculates(cell), "{cell}");
                        marked += usize::from(cell.starts_with("'="));
                    }
                }
                assert!(marked > 0, "the formula can still be recognised");
            }
            Form::JsonLines | Form::TimesketchJsonLines => {
                assert!(text.is_ascii());
                for line in text.lines() {
                    serde_json::from_str::<Value>(line).unwrap();
                }
                // As data, the names are as they are.
                assert!(text.contains("\\u001b[2J"), "{form:?}");
            }
            Form::Table => {}
        }
    }
    let document = retake_hunt::json::document(&report, &retraced(&report));
    assert!(document.to_string().contains("calc"));
}

fn unseen(text: &str) -> bool {
    text.chars().any(|c| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    })
}
