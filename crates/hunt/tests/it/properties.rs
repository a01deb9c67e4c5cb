//! What holds of any bytes.

use std::sync::OnceLock;

use proptest::prelude::*;
use retake_hunt::readers::Imported;
use retake_hunt::{Growing, Import, Options, report};

use crate::tenant::{FIREFOX, LAIR, Tenant, hours_before, sign_in};

fn import(inputs: &[(&str, &[u8])]) -> Imported {
    let mut import = Import::new();
    for (label, bytes) in inputs {
        import.add_bytes(label, bytes);
    }
    import.finish()
}

fn adds_up(imported: &Imported) {
    let mut sums = (0, 0, 0, 0);
    for input in &imported.inputs {
        let counts = input.counts;
        assert_eq!(
            counts.read,
            counts.kept + counts.repeats + counts.damaged,
            "{}",
            input.path
        );
        sums = (
            sums.0 + counts.read,
            sums.1 + counts.kept,
            sums.2 + counts.repeats,
            sums.3 + counts.damaged,
        );
    }
    let counts = imported.counts;
    assert_eq!(
        sums,
        (counts.read, counts.kept, counts.repeats, counts.damaged)
    );
    assert_eq!(counts.kept, imported.events.len() as u64);
    assert_eq!(counts.damaged, imported.damaged.len() as u64);
}

/// Name, bytes, and where each record ends.
type Form = (&'static str, Vec<u8>, Vec<usize>);

/// The same five records in several forms; of each form, where in the bytes
/// each record ends.
fn forms() -> &'static Vec<Form> {
    static FORMS: OnceLock<Vec<Form>> = OnceLock::new();
    FORMS.get_or_init(|| {
        let records: Vec<String> = (0..5)
            .map(|n| format!(r#"{{"Id":"record-{n}","CreationTime":"2026-03-02T09:1{n}:00","Operation":"New-InboxRule","RecordType":1,"Workload":"Exchange","UserId":"dänä@fabrikam.example","Parameters":[{{"Name":"Name","Value":"a, \"b\" {{[ é"}}]}}"#))
            .collect();
        let build = |head: &str, each: &dyn Fn(&str) -> String, between: &str, tail: &str| {
            let mut text = head.to_owned();
            let mut ends = Vec::new();
            for (n, record) in records.iter().enumerate() {
                if n > 0 {
                    text.push_str(between);
                }
                text.push_str(&each(record));
                ends.push(text.len());
            }
            text.push_str(tail);
            (text.into_bytes(), ends)
        };
        let plain = |record: &str| record.to_owned();
        let pretty = |record: &str| {
            let value: serde_json::Value = serde_json::from_str(record).unwrap();
            serde_json::to_string_pretty(&value).unwrap()
        };
        let row = |record: &str| format!("ExchangeAdmin,3/2/2026 9:10:00 AM,x,New-InboxRule,\"{}\"", record.replace('"', "\"\""));
        let mut forms = Vec::new();
        let mut put = |name, (bytes, ends): (Vec<u8>, Vec<usize>)| forms.push((name, bytes, ends));
        put("lines", build("", &plain, "\n", "\n"));
        put("list", build("[", &plain, ",", "]"));
        put("list of lines", build("[\n", &plain, ",\r\n", "\n]"));
        put("pretty list", build("[", &pretty, ",\n", "]"));
        put("pretty after another", build("", &pretty, "\n", "\n"));
        put("page", build("{\"@odata.context\":\"x\",\"value\":[", &plain, ",", "],\"@odata.nextLink\":\"y\"}"));
        put("csv", build("RecordType,CreationDate,UserIds,Operations,AuditData\r\n", &row, "\r\n", "\r\n"));
        let (utf8, ends) = build("", &plain, "\n", "\n");
        let text = String::from_utf8(utf8).unwrap();
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let wide_ends = ends.iter().map(|end| text[..*end].encode_utf16().count() * 2).collect();
        put("utf-16 lines", (wide, wide_ends));
        forms
    })
}

/// What tells two lists of events apart, where each record was met left out.
fn records(events: &[retake_hunt::Event]) -> Vec<(&str, &str)> {
    let mut records: Vec<_> = events
        .iter()
        .map(|event| (event.record_id.as_str(), &*event.original))
        .collect();
    records.sort_unstable();
    records
}

#[test]
fn pages_that_come_one_after_the_other_give_the_same_events_as_all_at_once() {
    let forms = forms();
    let pages: Vec<(&str, &[u8])> = forms
        .iter()
        .flat_map(|(name, bytes, ends)| [(*name, &bytes[..ends[2]]), (*name, bytes.as_slice())])
        .collect();
    let whole = import(&pages);
    // The CSV row leaves fields out, so which of two records stays does matter.
    assert_eq!(whole.events.len(), 5);
    for turned in 0..pages.len() {
        let mut growing = Growing::default();
        for (label, bytes) in pages.iter().cycle().skip(turned).take(pages.len()) {
            growing.add_bytes(label, bytes);
        }
        assert_eq!(
            records(growing.events()),
            records(&whole.events),
            "{turned}"
        );
    }
}

#[test]
fn cut_at_any_byte_the_records_before_the_cut_are_kept() {
    for (name, bytes, ends) in forms() {
        let whole = import(&[("file", bytes)]);
        assert_eq!(whole.counts.kept, 5, "{name}: {:?}", whole.damaged);
        assert_eq!(whole.counts.damaged, 0, "{name}: {:?}", whole.damaged);
        for cut in 0..bytes.len() {
            let imported = import(&[("file", &bytes[..cut])]);
            adds_up(&imported);
            let before = ends.iter().filter(|end| **end <= cut).count() as u64;
            assert_eq!(
                imported.counts.kept, before,
                "{name} cut at {cut}: {:?}",
                imported.damaged
            );
            assert!(
                imported.counts.damaged <= 1,
                "{name} cut at {cut}: {:?}",
                imported.damaged
            );
        }
    }
}

#[test]
fn a_damaged_record_takes_no_other_with_it() {
    for (name, bytes, ends) in forms() {
        // Cut a hole that reaches over the third record's end, but not over
        // its line end, in forms that have lines.
        if !matches!(*name, "lines" | "csv" | "list of lines") {
            continue;
        }
        for hole in 1..60 {
            let mut holed = bytes[..ends[2] - hole].to_vec();
            holed.extend_from_slice(&bytes[ends[2]..]);
            let imported = import(&[("file", &holed)]);
            adds_up(&imported);
            assert_eq!(
                imported.counts.kept, 4,
                "{name}, hole of {hole}: {:?}",
                imported.damaged
            );
            assert_eq!(
                imported.counts.damaged, 1,
                "{name}, hole of {hole}: {:?}",
                imported.damaged
            );
            let damaged = &imported.damaged[0];
            assert_eq!(
                damaged.salvaged.operation.as_deref(),
                Some("New-InboxRule"),
                "{name}"
            );
            assert!(damaged.line > 2, "{name}: {}", damaged.line);
        }
    }
}

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        &b"{"[..], b"}", b"[", b"]", b"\"", b"\\", b"\n", b"\r\n", b",", b":", b"\"value\":[", b"\"AuditData\":", b"\"Operation\":\"x\"",
        b"\"CreationTime\":\"2026-03-02T09:10:00\"", b"\"Id\":\"1\"", b"\"RecordType\":1", b"\xff\xfe", b"\xef\xbb\xbf", b"PK\x03\x04", b"\x1f\x8b\x08",
        b"\xc3\xa4", b"\xe2\x82", b"CreationDate,UserIds,Operations,AuditData\n", b"Date (UTC),Request ID,Username\n", b"/Date(1)/", b" ", b"\0",
        b"{\"Id\":\"1\",\"Operation\":\"x\",\"RecordType\":1,\"CreationTime\":\"2026-03-02T09:10:00\"}",
    ]);
    prop::collection::vec(
        prop_oneof![
            words.prop_map(<[u8]>::to_vec),
            prop::collection::vec(any::<u8>(), 0..4)
        ],
        0..60,
    )
    .prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_add_up_and_nothing_panics(bytes in pieces()) {
        adds_up(&import(&[("file", &bytes)]));
    }

    #[test]
    fn the_order_of_files_changes_nothing(a in pieces(), b in pieces(), c in pieces()) {
        let one = import(&[("a", &a), ("b", &b), ("a", &c)]);
        let other = import(&[("a", &c), ("b", &b), ("a", &a)]);
        adds_up(&one);
        prop_assert_eq!(one, other);
    }
}

#[test]
fn the_document_does_not_depend_on_the_order_of_files() {
    let mut tenant = Tenant::with_history();
    tenant.add(sign_in(hours_before(30), LAIR, FIREFOX, "s"));
    let events = tenant.events();
    let lines: Vec<String> = events
        .iter()
        .map(|event| event.original.to_string())
        .collect();
    let (a, b) = lines.split_at(lines.len() / 2);
    let (a, b) = (a.join("\n"), b.join("\n"));
    let options = Options::new(crate::tenant::alert()).unwrap();
    let document = |inputs: &[(&str, &[u8])]| {
        let report = report(import(inputs), &options);
        let retrace = retake_hunt::Retrace::of(&report, &[], &report.imported.events);
        serde_json::to_string(&retake_hunt::json::document(&report, &retrace)).unwrap()
    };
    let one = document(&[
        ("a", a.as_bytes()),
        ("b", b.as_bytes()),
        ("c", a.as_bytes()),
    ]);
    let other = document(&[
        ("c", a.as_bytes()),
        ("b", b.as_bytes()),
        ("a", a.as_bytes()),
    ]);
    assert_eq!(one, other);
    assert!(
        one.contains("\"repeats\":90"),
        "the third file repeats the first"
    );
}

#[test]
fn deep_nesting_is_damage_not_a_crash() {
    let deep = format!(
        "{{\"Operation\":\"x\",\"RecordType\":1,\"CreationTime\":\"2026-03-02T09:10:00\",\"a\":{}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let imported = import(&[("file", deep.as_bytes())]);
    adds_up(&imported);
    assert_eq!(imported.damaged[0].reason, "nested too deeply");
    assert_eq!(imported.damaged[0].salvaged.operation.as_deref(), Some("x"));
}
