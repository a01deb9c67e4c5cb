//! Files of any size: the same answers as in memory, whatever the pieces.

use std::collections::BTreeSet;
use std::io::{Read, Write as _};

use proptest::prelude::*;
use retake_hunt::import::{self, ImportReport, Input, Matched, Matching, Settings};
use retake_hunt::readers::Imported;
use retake_hunt::store::table_order;
use retake_hunt::{Detections, Event, Import, Progress, Sigma, Sink, StoreError};

use crate::fixtures::all;

/// Keeps what it is given.
#[derive(Default)]
struct Kept(Vec<Event>);

impl Sink for Kept {
    fn put(&mut self, event: Event) -> Result<(), StoreError> {
        self.0.push(event);
        Ok(())
    }
}

/// Gives its bytes a few at a time.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.1.min(buffer.len());
        self.0.read(&mut buffer[..length])
    }
}

/// How an import is cut up.
#[derive(Clone, Copy, Debug)]
struct Cut {
    threads: usize,
    piece: usize,
    chunk: usize,
    run: usize,
}

const WHOLE: Cut = Cut {
    threads: 1,
    piece: 1 << 20,
    chunk: 1 << 20,
    run: 1 << 20,
};

fn stream(inputs: &[(&str, &[u8])], cut: Cut) -> (ImportReport, Matched, Vec<Event>) {
    let scratch = tempfile::tempdir().unwrap();
    let mut settings = Settings::new(scratch.path().to_owned());
    (settings.threads, settings.chunk, settings.run) = (cut.threads, cut.chunk, cut.run);
    settings.rows = cut.run;
    settings.free = 4 << 20;
    let mut readers: Vec<(&str, Pieces<'_>)> = inputs
        .iter()
        .map(|(label, bytes)| (*label, Pieces(bytes, cut.piece)))
        .collect();
    let inputs = readers
        .iter_mut()
        .map(|(label, reader)| Input::Stream(label, reader))
        .collect();
    let mut sink = Kept::default();
    let detections = Detections::builtin().unwrap();
    let matching = Matching {
        detections: &detections,
        sigma: &Sigma::default(),
        own_domains: &BTreeSet::new(),
    };
    let (report, matched) =
        import::import(inputs, &settings, matching, &mut sink, None, &mut |_| {}).unwrap();
    assert!(
        std::fs::read_dir(scratch.path()).unwrap().next().is_none(),
        "nothing is left behind"
    );
    (report, matched, sink.0)
}

fn in_memory(inputs: &[(&str, &[u8])]) -> Imported {
    let mut import = Import::new();
    for (label, bytes) in inputs {
        import.add_bytes(label, bytes);
    }
    import.finish()
}

/// The same account, the same events, the same findings.
fn assert_same(inputs: &[(&str, &[u8])], cut: Cut) {
    let whole = in_memory(inputs);
    let (report, matched, events) = stream(inputs, cut);
    assert_eq!(report.counts, whole.counts, "{cut:?}: {:?}", report.damaged);
    assert_eq!(report.inputs, whole.inputs, "{cut:?}");
    let mut damaged = whole.damaged;
    damaged.dedup();
    assert_eq!(report.damaged, damaged, "{cut:?}");
    let mut expected = whole.events;
    expected.sort_by(table_order);
    assert_eq!(events.len(), expected.len(), "{cut:?}");
    for (event, expected) in events.iter().zip(&expected) {
        assert_eq!(event, expected, "{cut:?}");
    }
    let detections = Detections::builtin().unwrap();
    let own = retake_hunt::detections::own_domains(&expected);
    let findings: Vec<_> = matched
        .raised
        .into_iter()
        .map(|raised| raised.finding)
        .collect();
    assert_eq!(findings, detections.find(&expected, &own), "{cut:?}");
}

#[test]
fn every_form_is_read_the_same_however_it_is_cut_up() {
    let texts: Vec<String> = all().iter().map(|fixture| fixture.text().0).collect();
    let labels: Vec<String> = (0..texts.len())
        .map(|number| format!("{number:03}"))
        .collect();
    let inputs: Vec<(&str, &[u8])> = labels
        .iter()
        .zip(&texts)
        .map(|(label, text)| (label.as_str(), text.as_bytes()))
        .collect();
    for cut in [
        WHOLE,
        Cut {
            threads: 2,
            piece: 7,
            chunk: 100,
            run: 5000,
        },
        Cut {
            threads: 3,
            piece: 1000,
            chunk: 1,
            run: 1,
        },
        Cut {
            threads: 1,
            piece: 1,
            chunk: 3000,
            run: 1 << 20,
        },
    ] {
        assert_same(&inputs, cut);
    }
}

#[test]
fn a_file_larger_than_what_is_looked_at_first_is_read_to_its_end() {
    // Each form longer than the first MiB that decides what it is.
    for fixture in all() {
        let mut long = fixture.head.clone();
        let mut count = 0;
        for record in fixture.records.iter().cycle() {
            if long.len() > (1 << 20) + 200_000 {
                break;
            }
            if count > 0 {
                long.push_str(fixture.between);
            }
            long.push_str(record);
            count += 1;
        }
        long.push_str(fixture.tail);
        let (report, _, _) = stream(&[("long", long.as_bytes())], WHOLE);
        let (short, _, _) = stream(&[("short", fixture.text().0.as_bytes())], WHOLE);
        let said = (
            report.counts.read,
            report.counts.kept,
            report.counts.damaged,
        );
        assert_eq!(
            said,
            (count, short.counts.kept, 0),
            "{}: {:?}",
            fixture.name,
            report.damaged.first()
        );
    }
}

fn record(number: u32) -> String {
    format!(
        r#"{{"Id":"record-{number}","CreationTime":"2026-03-02T09:10:00","Operation":"New-InboxRule","RecordType":1,"Workload":"Exchange","UserId":"dana@fabrikam.example"}}"#
    )
}

/// So many bytes of one kind, then a text.
struct Endless<'a> {
    left: u64,
    byte: u8,
    then: &'a [u8],
}

impl Read for Endless<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 {
            return self.then.read(buffer);
        }
        let length = buffer
            .len()
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        buffer[..length].fill(self.byte);
        self.left -= length as u64;
        Ok(length)
    }
}

/// Reads a stream; gives the account of it.
fn read(reader: &mut dyn Read) -> ImportReport {
    let scratch = tempfile::tempdir().unwrap();
    let mut settings = Settings::new(scratch.path().to_owned());
    settings.free = 4 << 20;
    let detections = Detections::builtin().unwrap();
    let matching = Matching {
        detections: &detections,
        sigma: &Sigma::default(),
        own_domains: &BTreeSet::new(),
    };
    let inputs = vec![Input::Stream("it", reader)];
    import::import(
        inputs,
        &settings,
        matching,
        &mut Kept::default(),
        None,
        &mut |_| {},
    )
    .unwrap()
    .0
}

#[test]
fn a_line_without_end_is_one_damaged_record_and_takes_no_other_with_it() {
    let after = format!("\n{}\n", record(2));
    for (begin, byte, why) in [
        ("{\"Id\":\"", b'a', "longer than a record may be"),
        ("{\"Id\":", b'[', "longer than a record may be"),
        ("", b'x', "not a JSON record"),
        ("{\"Id\":\"record-3\",", b' ', "longer than a record may be"),
        ("\"", b'\\', "not a JSON record"),
    ] {
        let before = format!("{}\n{begin}", record(1));
        let mut reader = before.as_bytes().chain(Endless {
            left: 80 << 20,
            byte,
            then: after.as_bytes(),
        });
        let report = read(&mut reader);
        assert_eq!(
            (report.counts.kept, report.counts.damaged),
            (2, 1),
            "{begin}: {:?}",
            report
                .damaged
                .iter()
                .map(|damaged| (&damaged.reason, damaged.line))
                .collect::<Vec<_>>()
        );
        assert_eq!(
            (report.damaged[0].reason.as_str(), report.damaged[0].line),
            (why, 2),
            "{begin}"
        );
    }
    // In a table, too.
    let row = |number| format!("x,{number},\"{}\"", record(number).replace('"', "\"\""));
    let before = format!("UserIds,n,AuditData\n{}\nx,1,\"", row(1));
    let after = format!("\n{}\n", row(2));
    let mut reader = before.as_bytes().chain(Endless {
        left: 80 << 20,
        byte: b'y',
        then: after.as_bytes(),
    });
    let report = read(&mut reader);
    assert_eq!(
        (report.counts.kept, report.counts.damaged),
        (2, 1),
        "{:?}",
        report.counts
    );
    assert_eq!(
        (report.damaged[0].reason.as_str(), report.damaged[0].line),
        ("longer than a record may be", 3)
    );
}

#[test]
fn what_is_no_text_is_said_to_be_none_and_costs_nothing() {
    for byte in [0, 0xff, b' ', b'[', b'"', b'\n', b',', b'a'] {
        let mut reader = Endless {
            left: 20 << 20,
            byte,
            then: b"",
        };
        let report = read(&mut reader);
        assert!(
            report.counts.kept == 0 && report.counts.damaged <= 1,
            "{byte}: {:?}",
            report.counts
        );
    }
}

#[test]
fn an_archive_that_would_burst_is_read_as_far_as_it_may_be() {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gz.write_all(format!("{}\n", record(1)).as_bytes()).unwrap();
    std::io::copy(
        &mut Endless {
            left: 64 << 20,
            byte: b' ',
            then: b"",
        },
        &mut gz,
    )
    .unwrap();
    gz.write_all(format!("\n{}\n", record(2)).as_bytes())
        .unwrap();
    let bomb = gz.finish().unwrap();
    assert!(bomb.len() < 1 << 20);
    let report = read(&mut bomb.as_slice());
    assert_eq!(report.counts.kept, 1, "{:?}", report.counts);
    let note = &report.inputs[0].notes[0];
    assert!(note.contains("unpacks to more than"), "{note}");

    // The same, in archives in archives; they share one limit.
    let zip = |name: &str, bytes: &[u8]| {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for copy in 0..3 {
            zip.start_file(
                format!("{name}{copy}"),
                zip::write::SimpleFileOptions::default(),
            )
            .unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    };
    let nested = zip("outer", &zip("inner", &bomb));
    let report = read(&mut nested.as_slice());
    assert!(
        report.counts.kept <= 1 && report.inputs.len() <= 9,
        "{:?}",
        report.inputs
    );
    assert!(report.inputs.iter().any(|input| {
        input
            .notes
            .iter()
            .any(|note| note.contains("unpacks to more"))
    }));
    // Deeper than archives are opened, the rest is no text.
    let deep = (0..6).fold(record(1).into_bytes(), |bytes, _| zip("x", &bytes));
    let report = read(&mut deep.as_slice());
    assert!(
        report.counts.kept == 0 && report.counts.damaged > 0,
        "{:?}",
        report.counts
    );
    let shallow = (0..2).fold(record(1).into_bytes(), |bytes, _| zip("x", &bytes));
    let report = read(&mut shallow.as_slice());
    assert_eq!(
        (report.counts.kept, report.counts.repeats),
        (1, 8),
        "{:?}",
        report.inputs
    );
}

#[test]
fn progress_is_told_and_what_is_serious_before_the_import_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let forward = r#"{"CreationTime":"2026-03-02T09:10:00","Id":"f","Operation":"Set-Mailbox","RecordType":1,"ResultStatus":"True","Workload":"Exchange","UserId":"dana@fabrikam.example","Parameters":[{"Name":"Identity","Value":"dana"},{"Name":"DeliverToMailboxAndForward","Value":"False"},{"Name":"ForwardingSmtpAddress","Value":"smtp:x@mailbox.example"}]}"#;
    let mut text = format!("{forward}\n");
    for number in 0..40_000 {
        text.push_str(&record(number));
        text.push('\n');
    }
    std::fs::write(folder.path().join("audit.json"), &text).unwrap();
    let settings = Settings {
        chunk: 10_000,
        ..Settings::new(folder.path().to_owned())
    };
    let detections = Detections::builtin().unwrap();
    let matching = Matching {
        detections: &detections,
        sigma: &Sigma::default(),
        own_domains: &BTreeSet::new(),
    };
    let mut told: Vec<Progress> = Vec::new();
    let inputs = vec![Input::Path(folder.path().join("audit.json"))];
    import::import(
        inputs,
        &settings,
        matching,
        &mut Kept::default(),
        None,
        &mut |progress| {
            told.push(progress.clone());
        },
    )
    .unwrap();
    let size = Some(text.len() as u64);
    assert!(told.len() > 100);
    assert!(told.iter().all(|one| one.bytes_total == size));
    assert!(
        told.windows(2)
            .all(|pair| pair[0].bytes_done <= pair[1].bytes_done
                && pair[0].records <= pair[1].records)
    );
    assert_eq!(
        told.last().map(|one| one.bytes_done),
        Some(text.len() as u64)
    );
    let serious = told.iter().position(|one| !one.new_findings.is_empty());
    if let Some(at) = serious {
        assert!(at < told.len() / 2, "{at} of {}", told.len());
    }
}

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        &b"{"[..], b"}", b"[", b"]", b"\"", b"\\", b"\n", b"\r\n", b",", b":", b"\"value\":[", b"\"AuditData\":", b"\"Operation\":\"x\"",
        b"\"CreationTime\":\"2026-03-02T09:10:00\"", b"\"Id\":\"1\"", b"\"RecordType\":1", b"\xff\xfe", b"\xef\xbb\xbf", b"PK\x03\x04", b"\x1f\x8b\x08",
        b"\xc3\xa4", b"\xe2\x82", b"CreationDate,UserIds,Operations,AuditData\n", b"Date (UTC),Request ID,Username\n", b"/Date(1)/", b" ", b"\0", b"    ",
        b"{\"tables\":[{\"columns\":[{\"name\":\"Operation\"},{\"name\":\"RecordType\"},{\"name\":\"TimeGenerated\"}],\"rows\":[", b"[\"x\",1,\"2026-03-02T09:10:00\"]", b"]}]}",
        b"{\"Id\":\"1\",\"Operation\":\"x\",\"RecordType\":1,\"CreationTime\":\"2026-03-02T09:10:00\"}",
        b"{\"Id\":\"2\",\n\"Operation\":\"x\",\n\"RecordType\":1,\n\"CreationTime\":\"2026-03-02T09:10:00\"}\n",
        b"a,2026,x,\"{\"\"Id\"\":\"\"3\"\",\"\"Operation\"\":\"\"x\"\",\"\"RecordType\"\":1,\"\"CreationTime\"\":\"\"2026-03-02T09:10:00\"\"}\"\n",
    ]);
    prop::collection::vec(
        prop_oneof![
            4 => words.prop_map(<[u8]>::to_vec),
            1 => prop::collection::vec(any::<u8>(), 0..4)
        ],
        0..60,
    )
    .prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_the_same_in_any_pieces(
        a in pieces(),
        b in pieces(),
        threads in 1_usize..3,
        piece in 1_usize..40,
        chunk in 1_usize..200,
        run in 1_usize..4000,
    ) {
        assert_same(&[("a", &a), ("b", &b)], Cut { threads, piece, chunk, run });
    }
}
