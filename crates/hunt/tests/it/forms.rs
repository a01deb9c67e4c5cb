//! Every form, by content alone: whole, encoded otherwise, cut, out of order,
//! repeated, damaged at random.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use retake_hunt::Import;
use retake_hunt::event::{NO_TIME, Source};
use retake_hunt::readers::{Form, Imported};

use crate::fixtures::{Fixture, all};

fn import(inputs: &[(&str, &[u8])]) -> Imported {
    let mut import = Import::new();
    for (label, bytes) in inputs {
        import.add_bytes(label, bytes);
    }
    import.finish()
}

fn adds_up(imported: &Imported, what: &str) {
    let counts = imported.counts;
    assert_eq!(
        counts.read,
        counts.kept + counts.repeats + counts.damaged,
        "{what}"
    );
    assert_eq!(counts.kept, imported.events.len() as u64, "{what}");
    assert_eq!(counts.damaged, imported.damaged.len() as u64, "{what}");
}

#[test]
fn the_columns_of_every_form_come_out_right() {
    let mut wrong = Vec::new();
    for fixture in all() {
        let (text, ends) = fixture.text();
        let imported = import(&[("file", text.as_bytes())]);
        adds_up(&imported, fixture.name);
        if imported.counts.kept != ends.len() as u64 || imported.inputs[0].form != fixture.form {
            wrong.push(format!(
                "{}: {:?} {:?} {:?}",
                fixture.name,
                imported.inputs[0].form,
                imported.counts,
                imported.damaged.first().map(|d| &d.reason)
            ));
            continue;
        }
        let first = imported.events.iter().min_by_key(|event| event.origin.line);
        let event = imported
            .events
            .iter()
            .filter(|event| event.origin.line == first.unwrap().origin.line)
            .min_by_key(|event| event.time)
            .unwrap();
        for (column, value) in fixture.expect {
            let values = event.values(column).unwrap_or_default();
            if values.join("|") != *value {
                wrong.push(format!(
                    "{}: {column} is {values:?}, not {value}",
                    fixture.name
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_form_of_the_list_has_a_fixture() {
    let have: Vec<Form> = all().iter().map(|fixture| fixture.form).collect();
    for form in [
        Form::PurviewCsv,
        Form::SearchCsv,
        Form::SearchJson,
        Form::AuditJson,
        Form::GraphAuditRecords,
        Form::SignInsJson,
        Form::SignInsCsv,
        Form::DirectoryAuditsJson,
        Form::DirectoryAuditsCsv,
        Form::Diagnostics,
        Form::LogAnalytics,
        Form::MessageTrace,
        Form::RiskDetections,
        Form::GraphActivity,
        Form::AdvancedHunting,
        Form::CloudAppActivities,
        Form::CopilotInteractions,
        Form::SecurityAlerts,
        Form::Elastic,
        Form::InboxRules,
        Form::AppGrants,
        Form::MailboxRights,
    ] {
        assert!(have.contains(&form), "{}", form.name());
    }
}

#[test]
fn unknown_columns_are_kept_in_the_original() {
    for fixture in all() {
        let (text, _) = fixture.text();
        for event in import(&[("file", text.as_bytes())]).events {
            assert!(
                serde_json::from_str::<serde_json::Value>(&event.original).is_ok(),
                "{}: {}",
                fixture.name,
                event.original
            );
            if text.contains("NewerColumn") {
                assert!(event.original.contains("NewerColumn"), "{}", fixture.name);
            }
            if text.contains("A Newer Column") {
                assert!(event.original.contains("\"A Newer Column\":\"new\""));
            }
        }
    }
}

fn wide(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

#[test]
fn every_form_in_every_encoding_is_the_same() {
    for fixture in all() {
        let (text, _) = fixture.text();
        let text = text.trim_start_matches('\u{feff}');
        let plain = import(&[("file", text.as_bytes())]);
        let marked = format!("\u{feff}{text}");
        for bytes in [
            marked.clone().into_bytes(),
            wide(&marked, u16::to_le_bytes),
            wide(&marked, u16::to_be_bytes),
            wide(text, u16::to_le_bytes),
            text.replace("\r\n", "\n")
                .replace('\n', "\r\n")
                .into_bytes(),
        ] {
            let other = import(&[("file", &bytes)]);
            assert_eq!(other.counts, plain.counts, "{}", fixture.name);
            let ids = |imported: &Imported| -> Vec<(String, jiff::Timestamp)> {
                imported
                    .events
                    .iter()
                    .map(|event| (event.record_id.clone(), event.time))
                    .collect()
            };
            // A record without an id is told by its own text, line ends and all.
            if !ids(&plain).iter().any(|(id, _)| id.starts_with("sha256")) {
                assert_eq!(ids(&other), ids(&plain), "{}", fixture.name);
            }
        }
    }
}

#[test]
fn cut_at_any_byte_every_form_keeps_the_records_before_the_cut() {
    for fixture in all() {
        let (text, ends) = fixture.text();
        for cut in 0..text.len() {
            let imported = import(&[("file", &text.as_bytes()[..cut])]);
            adds_up(&imported, fixture.name);
            let before = ends.iter().filter(|end| **end <= cut).count() as u64;
            let counts = imported.counts;
            assert!(
                counts.kept >= before && counts.read <= before + 1,
                "{} cut at {cut}: {counts:?} {:?}",
                fixture.name,
                imported.damaged
            );
            // Nothing of the rest is silently gone.
            let rest = &text.as_bytes()[ends
                .iter()
                .rev()
                .find(|end| **end <= cut)
                .copied()
                .unwrap_or(0)..cut];
            let begun = rest.contains(&b'{') && before > 0 && before < ends.len() as u64;
            assert!(
                !begun || counts.read > before,
                "{} cut at {cut}: {counts:?}",
                fixture.name
            );
        }
    }
}

#[test]
fn files_of_every_form_in_any_order_and_repeated_give_the_same() {
    let texts: Vec<(String, String)> = all()
        .iter()
        .map(|fixture| (fixture.name.to_owned(), fixture.text().0))
        .collect();
    let inputs: Vec<(&str, &[u8])> = texts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_bytes()))
        .collect();
    let once = import(&inputs);
    adds_up(&once, "once");
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]),
    );
    let orders = Just(inputs.clone()).prop_shuffle();
    for _ in 0..20 {
        let order = orders.new_tree(&mut runner).unwrap().current();
        assert_eq!(import(&order), once);
    }
    let twice: Vec<(&str, &[u8])> = inputs.iter().chain(&inputs).copied().collect();
    let twice = import(&twice);
    adds_up(&twice, "twice");
    assert_eq!(twice.counts.kept, once.counts.kept);
    assert_eq!(twice.counts.repeats, once.counts.repeats + once.counts.read);
    assert_eq!(twice.counts.damaged, 0);
    let ids = |imported: &Imported| -> Vec<(Source, String, Box<str>)> {
        imported
            .events
            .iter()
            .map(|event| {
                (
                    event.source,
                    event.record_id.clone(),
                    event.original.clone(),
                )
            })
            .collect()
    };
    assert_eq!(ids(&twice), ids(&once));
}

#[test]
fn findings_do_not_depend_on_order_repetition_or_how_the_records_are_shared_out() {
    let detections = retake_hunt::Detections::builtin().unwrap();
    let found = |inputs: &[(&str, &[u8])]| -> Vec<String> {
        let imported = import(inputs);
        let own = retake_hunt::detections::own_domains(&imported.events);
        detections
            .find(&imported.events, &own)
            .iter()
            .map(|finding| format!("{finding:?}"))
            .collect()
    };
    let texts: Vec<String> = all().iter().map(|fixture| fixture.text().0).collect();
    let whole: Vec<(&str, &[u8])> = texts.iter().map(|text| ("x", text.as_bytes())).collect();
    let once = found(&whole);
    assert!(!once.is_empty());
    let turned: Vec<(&str, &[u8])> = whole.iter().rev().chain(&whole).copied().collect();
    assert_eq!(found(&turned), once);
    // Each record a file of its own.
    let single: Vec<String> = all()
        .iter()
        .flat_map(|fixture| {
            fixture
                .records
                .iter()
                .map(|record| format!("{}{record}{}", fixture.head, fixture.tail))
                .collect::<Vec<_>>()
        })
        .collect();
    let parts: Vec<(&str, &[u8])> = single.iter().map(|text| ("x", text.as_bytes())).collect();
    // Dates that only another row can tell are left to the whole file.
    let clear = |finding: &String| !finding.contains("r-1");
    let single: Vec<String> = found(&parts).into_iter().filter(clear).collect();
    assert_eq!(single, once.into_iter().filter(clear).collect::<Vec<_>>());
}

#[test]
fn look_alikes_are_told_apart_and_said_to_be_so() {
    for text in [
        r#"{"time":"2025-06-11T05:00:09Z","category":"Administrative","operationName":"MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE","resourceId":"/SUBSCRIPTIONS/X","subscriptionId":"x","properties":{"statusCode":"Created"}}"#,
        r#"{"authorization":{"action":"Microsoft.Compute/disks/delete"},"claims":{},"eventTimestamp":"2025-06-11T05:00:09Z","operationName":{"value":"Microsoft.Compute/disks/delete"},"resourceProviderName":{"value":"Microsoft.Compute"},"subscriptionId":"x"}"#,
        "TimeGenerated,OperationNameValue,CategoryValue,ResourceProviderValue,Caller\n2025-06-11T05:00:09Z,MICROSOFT.COMPUTE/DISKS/DELETE,Administrative,MICROSOFT.COMPUTE,a@b.example\n",
        r#"{"@timestamp":"2025-06-11T05:00:09Z","azure":{"activitylogs":{"category":"Administrative"}}}"#,
    ] {
        let imported = import(&[("file", text.as_bytes())]);
        assert_eq!(imported.counts.kept, 0, "{text}");
        assert_eq!(imported.counts.damaged, 1, "{text}");
        assert!(
            imported.damaged[0]
                .reason
                .contains("Azure Resource Manager"),
            "{text}: {}",
            imported.damaged[0].reason
        );
    }
}

#[test]
fn a_page_under_a_key_that_nobody_knows_is_a_page_all_the_same() {
    let text = r#"{"Entity":"x","EntityResult":[{"_id":"a","timestamp":1717171717000,"eventTypeValue":"E","appName":"Dropbox"},{"_id":"b","timestamp":1717171717000,"eventTypeValue":"E","appName":"Dropbox"},{"x":1}]}"#;
    let imported = import(&[("file", text.as_bytes())]);
    assert_eq!((imported.counts.kept, imported.counts.damaged), (2, 1));
    let hits = r#"{"took":1,"hits":{"total":1,"hits":[{"_index":"x","_source":{"Operation":"Send","CreationTime":"2025-06-11T05:00:09","Id":"1","UserId":"a@b.example"}}]}}"#;
    assert_eq!(import(&[("file", hits.as_bytes())]).counts.kept, 1);
}

#[test]
fn bad_input_is_reported_by_line_and_takes_nothing_else_with_it() {
    let good = |id: u32| {
        format!(
            r#"{{"Operation":"Send","CreationTime":"2025-06-11T05:00:09","Id":"good-{id}","UserId":"a@b.example"}}"#
        )
    };
    for (bad, reason) in [
        (
            good(9).replace("2025-06-11T05:00:09", "2025-99-99T99:99:99"),
            "the time cannot be read",
        ),
        (
            good(9).replace("2025-06-11T05:00:09", "12025-01-01T00:00:00"),
            "the time cannot be read",
        ),
        (
            good(9).replace("2025-06-11T05:00:09", "0001-01-01T00:00:00"),
            "the time cannot be read",
        ),
        (good(9).replace("a@b.example", "\\ud800"), "not valid JSON"),
        (good(9).replace("a@b.example", "\0"), "not valid JSON"),
        (
            good(9).replace(
                "\"a@b.example\"",
                &format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)),
            ),
            "nested too deeply",
        ),
        (
            good(9).replace(
                "\"a@b.example\"",
                &format!(
                    "{}{}",
                    "{\"a\":".repeat(10_000),
                    "1".to_owned() + &"}".repeat(10_000)
                ),
            ),
            "nested too deeply",
        ),
        ("\u{1}\u{2}binary\u{7f}".to_owned(), "not a JSON record"),
    ] {
        let text = format!("{}\n{bad}\n{}\n", good(1), good(2));
        let imported = import(&[("folder/file", text.as_bytes())]);
        adds_up(&imported, reason);
        assert_eq!(imported.counts.kept, 2, "{reason}: {:?}", imported.damaged);
        assert_eq!(imported.counts.damaged, 1, "{reason}");
        let damaged = &imported.damaged[0];
        assert_eq!((damaged.path.as_str(), damaged.line), ("folder/file", 2));
        assert!(damaged.reason.contains(reason), "{}", damaged.reason);
    }
    // A lone surrogate of UTF-16 is one character, not the file.
    let mut lone = wide(&format!("\u{feff}{}\n", good(1)), u16::to_le_bytes);
    lone.extend([0x00, 0xd8, 0x0a, 0x00]);
    lone.extend(wide(&good(2), u16::to_le_bytes));
    let imported = import(&[("file", &lone)]);
    assert_eq!((imported.counts.kept, imported.counts.damaged), (2, 1));
    assert_eq!(imported.damaged[0].line, 2);
    // Rows that are too long or too short.
    let head = "Date (UTC),Request ID,Username";
    let text = format!(
        "{head}\n2025-06-11T05:00:09Z,r-1,a@b.example\n2025-06-11T05:00:09Z,r-2\n2025-06-11T05:00:09Z,r-3,a@b.example,more\n2025-06-11T05:00:09Z,r-4,a@b.example\n"
    );
    let imported = import(&[("file", text.as_bytes())]);
    let said: Vec<String> = imported
        .damaged
        .iter()
        .map(|damaged| format!("{} {}", damaged.line, damaged.reason))
        .collect();
    assert_eq!(
        said,
        [
            "3 2 columns where the header has 3",
            "4 4 columns where the header has 3"
        ]
    );
    assert_eq!(imported.counts.kept, 2);
}

#[test]
fn dates_that_do_not_tell_day_from_month_are_said_to_be_so() {
    let file =
        |date: &str| format!("Date (UTC),Request ID,Username\n{date} 10:00:00,r,a@b.example\n");
    let open = import(&[("file", file("2/3/2025").as_bytes())]);
    assert_eq!(open.events[0].time.to_string(), "2025-02-03T10:00:00Z");
    assert!(open.inputs[0].notes[0].contains("day from month"));
    let iso = import(&[("file", file("2025-03-02").as_bytes())]);
    assert!(iso.inputs[0].notes.is_empty(), "{:?}", iso.inputs[0].notes);
}

#[test]
fn without_a_sign_in_log_the_audit_logs_own_sign_ins_stand_in_and_the_ledger_says_so() {
    let sign_in = r#"{"CreationTime":"2025-06-11T05:00:09","Id":"00112233-4455-6677-8899-aabbccddee01","Operation":"UserLoggedIn","RecordType":15,"UserId":"mika@northwind.example","Workload":"AzureActiveDirectory","ActorIpAddress":"198.51.100.9"}"#;
    let options = retake_hunt::Options::new("2025-06-12T00:00:00Z".parse().unwrap()).unwrap();
    let report = retake_hunt::report(import(&[("file", sign_in.as_bytes())]), &options);
    let line = report
        .coverage
        .iter()
        .find(|line| line.source == Source::SignIns)
        .unwrap();
    assert!(line.from.is_none());
    assert!(line.gaps[0].why.contains("sign-in records stand in"));
    // With nobody's sign-ins in it, nothing stands in, and the ledger says that too.
    let other = sign_in.replace("UserLoggedIn", "Update user.");
    let report = retake_hunt::report(import(&[("file", other.as_bytes())]), &options);
    let line = report
        .coverage
        .iter()
        .find(|line| line.source == Source::SignIns)
        .unwrap();
    assert!(line.gaps[0].why.contains("cannot be told"));
}

/// Values that do harm where they stand in for others.
const HOSTILE: &[&str] = &[
    "null",
    "0",
    "-1",
    "1e999",
    "99999999999999999999999",
    "true",
    "[]",
    "{}",
    "\"\"",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "\"\\u202e\"",
    "\"9999-99-99T99:99:99Z\"",
    "\"0001-01-01T00:00:00Z\"",
    "\"/Date(99999999999999999)/\"",
    "\"/Date(-62135596800000)/\"",
    "\"31/31/2025 25:61:61\"",
    "\"::ffff:999.1.1.1\"",
    "[[[[[[[[1]]]]]]]]",
    "{\"Name\":{\"Name\":[]}}",
    "[null,null]",
    "\"@{Name=x; Value=y}\"",
    "\"{\\\"a\\\":\"",
];

/// One damaged copy of a text: by bytes, by fields, by lines.
fn mutate(text: &[u8], random: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
    let mut bytes = text.to_vec();
    for _ in 0..=random(3) {
        if bytes.is_empty() {
            break;
        }
        let at = random(bytes.len());
        let to = (at + 1 + random(40)).min(bytes.len());
        match random(9) {
            0 => bytes[at] = u8::try_from(random(256)).unwrap(),
            1 => drop(bytes.drain(at..to)),
            2 => {
                let piece = bytes[at..to].to_vec();
                bytes.splice(at..at, piece);
            }
            3 => bytes.truncate(at),
            4 => {
                let part = [
                    &b"\0"[..],
                    b"\xff",
                    b"\"",
                    b"\\",
                    b"\n",
                    b"{",
                    b"]",
                    b",",
                    b"\xed\xa0\x80",
                ];
                bytes.splice(at..at, part[random(part.len())].iter().copied());
            }
            // Another value behind some colon or comma.
            5..=7 => {
                let starts: Vec<usize> = (0..bytes.len())
                    .filter(|at| matches!(bytes[*at], b':' | b','))
                    .collect();
                if starts.is_empty() {
                    continue;
                }
                let start = starts[random(starts.len())] + 1;
                let length = bytes[start..]
                    .iter()
                    .position(|byte| matches!(byte, b',' | b'}' | b'\n'))
                    .unwrap_or(0);
                bytes.splice(
                    start..start + length,
                    HOSTILE[random(HOSTILE.len())].bytes(),
                );
            }
            // A line moved.
            _ => {
                let mut lines: Vec<Vec<u8>> = bytes
                    .split(|byte| *byte == b'\n')
                    .map(<[u8]>::to_vec)
                    .collect();
                let (a, b) = (random(lines.len()), random(lines.len()));
                lines.swap(a, b);
                bytes = lines.join(&b'\n');
            }
        }
    }
    bytes
}

/// What must hold whatever was read.
fn holds(fixture: &Fixture, bytes: &[u8]) {
    let imported = import(&[("file", bytes)]);
    adds_up(&imported, fixture.name);
    let text = String::from_utf8_lossy(bytes);
    for event in &imported.events {
        assert!(!event.record_id.is_empty(), "{}: {text}", fixture.name);
        let year = event.time.to_zoned(jiff::tz::TimeZone::UTC).year();
        assert!(
            (2000..2200).contains(&year)
                || (event.source == Source::Listing && event.time == NO_TIME),
            "{}: {text}",
            fixture.name
        );
        // The record itself, or the object of a row's columns.
        assert!(
            text.contains(&*event.original)
                || serde_json::from_str::<serde_json::Value>(&event.original).is_ok(),
            "{}: {text}",
            fixture.name
        );
        assert!(event.origin.line >= 1);
    }
    for damaged in &imported.damaged {
        assert!(!damaged.reason.is_empty() && damaged.line >= 1, "{text}");
    }
    assert_eq!(imported, import(&[("file", bytes)]), "{}", fixture.name);
}

/// A fixed number of damaged copies of every form; more of them with
/// `RETAKE_FUZZ_CASES`.
#[test]
fn fuzz_every_reader() {
    let cases: usize = std::env::var("RETAKE_FUZZ_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(150);
    for (number, fixture) in all().iter().enumerate() {
        let text = fixture.text().0;
        let mut seed = [number as u8; 32];
        seed[31] = 0x5a;
        let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        let mut random = |below: usize| (rng.next_u64() % below.max(1) as u64) as usize;
        for _ in 0..cases {
            holds(fixture, &mutate(text.as_bytes(), &mut random));
        }
    }
}
