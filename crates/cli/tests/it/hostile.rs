//! The attacker names things. A real case of a drill, with every text in its journal
//! made hostile, goes out by every exit.
//!
//! What is a text is found by walking what serde writes: whatever field a new version
//! adds is made hostile by itself. What is not free text (a digest, a time, a word of a
//! closed list) is what cannot be read back when it is changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;

use jiff::Timestamp;
use retake_casefile::{Bundle, Record, Store};
use retake_drill::run_responder;
use retake_lab::Scenario;
use retake_playbook::Event;
use retake_playbook::event::{Account, Analysis, CaseOpened, Facts};
use retake_responder::{Conduct, Watcher};
use serde_json::Value;

use crate::stranger::Home;

/// One for each way in which a text can do harm where it is shown.
const NASTY: [&str; 10] = [
    "</title></td></svg><script>alert(1)</script><img src=x onerror=y>\"'>",
    "\u{1b}[2J\u{1b}]8;;http://evil.example\u{7}here\u{1b}]8;;\u{7}\u{9b}31m\u{7f}\u{0}",
    "=cmd|' /C calc'!A0",
    "+1-2@SUM(1,2)\t=HYPERLINK(\"http://evil.example\")",
    "inv\u{202e}fdp.exe\u{2066}\u{200b}\u{feff}\u{e0041}",
    "../../../../etc/passwd\0/..\\..\\windows\\con:aux",
    "' or 1 eq 1 or '\"; Remove-Mailbox -Identity `$(x) #",
    "\r\n\n# Heading\n| a | b |\n- [x](javascript:alert(1)) ![y](http://evil.example/z)\n```\n",
    "{account}{{sent}}%s%n$(reboot)`reboot`\u{0}&amp;&lt;b&gt;",
    "Z\u{336}\u{336}\u{336}\u{336}\u{336}\u{336}\u{336}\u{336}a\u{301}\u{10ffff}\u{fffe}",
];

/// Makes texts hostile, each in another way, and some of them a megabyte long.
#[derive(Default)]
struct Poison {
    texts: usize,
    /// Whether the texts of a place are free, by event and place without numbers.
    free: BTreeMap<String, bool>,
    /// Fields whose first text is made very long.
    long: BTreeSet<String>,
}

impl Poison {
    fn event(&mut self, event: &Event) -> Event {
        let clean = serde_json::to_value(event).unwrap();
        let tag = clean["event"].as_str().unwrap().to_owned();
        let mut places = Vec::new();
        texts("", &clean, &mut places);
        let mut value = clean.clone();
        let mut changed = 0;
        for place in places {
            let before = clean.pointer(&place).unwrap().as_str().unwrap();
            let nasty = Value::from(self.text(&place, before));
            let numberless: Vec<&str> = place
                .split('/')
                .map(|part| part.parse::<u32>().map_or(part, |_| "*"))
                .collect();
            let key = format!("{tag} {}", numberless.join("/"));
            let free = *self.free.entry(key).or_insert_with(|| {
                let mut alone = clean.clone();
                *alone.pointer_mut(&place).unwrap() = nasty.clone();
                reads_back(&alone)
            });
            if free {
                *value.pointer_mut(&place).unwrap() = nasty;
                changed += 1;
            }
        }
        assert!(reads_back(&value), "{tag}: what is free is free everywhere");
        self.texts += changed;
        serde_json::from_value(value).unwrap()
    }

    /// The same text becomes the same hostile text, so that objects stay the same objects.
    fn text(&mut self, place: &str, text: &str) -> String {
        let field = place
            .rsplit('/')
            .find(|part| part.parse::<u32>().is_err())
            .unwrap();
        let sum: usize = text.bytes().map(usize::from).sum();
        let nasty = NASTY[sum % NASTY.len()];
        let megabyte = ["display_name", "alert", "subject", "conditions", "why"].contains(&field);
        if megabyte && self.long.insert(field.to_owned()) {
            return format!("{nasty}{}", "long ".repeat(210_000));
        }
        format!("{nasty}{text}{nasty}")
    }
}

/// Whether this is an event, every text of it kept as it stands.
fn reads_back(value: &Value) -> bool {
    serde_json::from_value::<Event>(value.clone())
        .is_ok_and(|read| serde_json::to_value(&read).unwrap() == *value)
}

/// Every text below this value, as JSON pointers.
fn texts(at: &str, value: &Value, places: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                texts(&format!("{at}/{key}"), value, places);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                texts(&format!("{at}/{index}"), value, places);
            }
        }
        Value::String(_) => places.push(at.to_owned()),
        _ => {}
    }
}

struct Silent;

impl Watcher for Silent {
    fn event(&self, _: Timestamp, _: &Event, _: &retake_playbook::State) {}
    fn note(&self, _: Timestamp, _: &str) {}
}

/// The journal of a drill, its documents among the evidence.
fn drilled() -> &'static [Record] {
    static RECORDS: OnceLock<Vec<Record>> = OnceLock::new();
    RECORDS.get_or_init(|| {
        let scenario = Scenario::find("invoice-fraud").unwrap();
        let run = run_responder(&scenario, 1, Conduct::default(), &|_| {
            Box::new(Silent) as Box<dyn Watcher + '_>
        })
        .unwrap();
        let bundle = Bundle::from_bytes(run.case.unwrap(), None).unwrap();
        bundle.records().to_vec()
    })
}

/// A home whose store has the drilled case with hostile texts, and the case's id.
fn poisoned() -> (Home, Vec<Record>, usize) {
    let home = Home::new();
    let store = Store::open(&home.path().join("cases")).unwrap();
    let mut poison = Poison::default();
    let nasty = NASTY.concat();
    let at = drilled()[0].at;
    let case = store.create_case(&nasty, &nasty, "case-7", at).unwrap();
    // Evidence that is named has to be there to be exported.
    let document = store.keep(&case, NASTY.concat().as_bytes()).unwrap();
    for record in drilled() {
        let mut event = poison.event(&record.event);
        if let Event::EvidenceKept(kept) = &mut event {
            kept.digest = document.clone();
        }
        let seq = record.seq - 1;
        store.append(&case, seq, record.at, &event).unwrap();
    }
    let records = store.records(&case).unwrap();
    (home, records, poison.texts)
}

/// Whether a text would move a cursor, hide something or turn its order.
fn obeyed(text: &str) -> Option<char> {
    text.chars().find(|c| {
        (c.is_control() && *c != '\n')
            || matches!(c,
                '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
    })
}

#[test]
fn the_walk_makes_every_kind_of_text_hostile() {
    let nasty = |value: &Value| {
        let mut places = Vec::new();
        texts("", value, &mut places);
        places
    };
    let mut poison = Poison::default();
    let opened = Event::CaseOpened(CaseOpened {
        case: "c".into(),
        tenant: "t".into(),
        account: "a".into(),
        responder: "r".into(),
        alert: "x".into(),
        program: "p".into(),
    });
    let hostile = poison.event(&opened);
    assert_eq!(poison.texts, 6, "each field of a case");
    let value = serde_json::to_value(&hostile).unwrap();
    assert_eq!(value["event"], "case_opened");
    assert_eq!(nasty(&value).len(), 7);

    let mut poison = Poison::default();
    for record in drilled() {
        let event = poison.event(&record.event);
        if let Event::AccountRead { account, evidence } = &event {
            let Account { upn, manager, .. } = account;
            assert!(NASTY.iter().any(|nasty| upn.contains(nasty)));
            assert!(
                manager
                    .as_ref()
                    .is_none_or(|m| NASTY.iter().any(|n| m.contains(n)))
            );
            assert_eq!(evidence.as_str().len(), 64, "a digest stays one");
        }
        if let Event::SnapshotTaken(snapshot) = &event {
            for seen in &snapshot.objects {
                let Facts::InboxRule { conditions, .. } = &seen.facts else {
                    continue;
                };
                assert!(NASTY.iter().any(|nasty| conditions.contains(nasty)));
            }
        }
        if let Event::Analysed(Analysis { sent, .. }) = &event {
            assert!(
                sent.iter()
                    .all(|mail| NASTY.iter().any(|n| mail.subject.contains(n)))
            );
        }
    }
    assert!(poison.texts > 3_000, "{}", poison.texts);
    assert_eq!(poison.long.len(), 5, "{:?}", poison.long);
}

#[test]
fn the_terminal_obeys_no_name() {
    let (home, records, _) = poisoned();
    for arguments in [
        &["case", "list"][..],
        &["case", "show", "case-7"],
        &["case", "log", "case-7"],
    ] {
        let ran = home.retake(arguments);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let session = ran.session();
        assert_eq!(obeyed(&session), None, "{arguments:?}");
        let longest = session.lines().map(|line| line.chars().count()).max();
        assert!(longest.unwrap() < 4_000, "{arguments:?}: {longest:?}");
        assert!(session.len() > 100);
    }
    let log = home.retake(&["case", "log", "case-7"]).stdout;
    assert!(
        log.contains(" characters]"),
        "a long text says how long it was"
    );
    // A text that has lines may have them; none of them poses as a record of ours.
    let numbered = log
        .lines()
        .filter(|line| line.trim_start().starts_with(|c: char| c.is_ascii_digit()))
        .count();
    assert!(numbered >= records.len(), "{numbered}");
}

#[test]
fn json_is_whole_and_ascii_and_has_the_names_as_they_are() {
    let (home, records, _) = poisoned();
    for arguments in [
        &["case", "list", "--json"][..],
        &["case", "show", "case-7", "--json"],
    ] {
        let ran = home.retake(arguments);
        assert_eq!(ran.stdout.lines().count(), 1);
        assert!(
            ran.stdout
                .trim_end()
                .chars()
                .all(|c| (' '..='~').contains(&c))
        );
        let value: Value = serde_json::from_str(&ran.stdout).unwrap();
        let mut places = Vec::new();
        texts("", &value, &mut places);
        let raw = places
            .iter()
            .filter_map(|place| value.pointer(place)?.as_str())
            .any(|text| text.contains('\u{1b}') && text.contains('\u{9b}'));
        assert!(raw, "{arguments:?}: data is not changed");
    }
    let log = home.retake(&["case", "log", "case-7", "--json"]).stdout;
    assert_eq!(log.lines().count(), records.len());
    let missing = home.retake(&["case", "show", NASTY[1].trim_end_matches('\0'), "--json"]);
    assert!(
        missing
            .stdout
            .trim_end()
            .chars()
            .all(|c| (' '..='~').contains(&c))
    );
}

#[test]
fn report_attestation_documents_and_export_take_no_harm() {
    let (home, records, _) = poisoned();
    let out = home.path().join("out");
    let reported = home.retake(&["case", "report", "case-7", "--out", out.to_str().unwrap()]);
    assert_eq!(reported.code, 0, "{}", reported.stderr);
    let tar = out.join("case-7.tar");
    let exported = home.retake(&["case", "export", "case-7", "--out", tar.to_str().unwrap()]);
    assert_eq!(exported.code, 0, "{}", exported.stderr);
    let attestation = out.join("case-7.attestation.json");
    let verified = home.retake(&[
        "case",
        "verify",
        tar.to_str().unwrap(),
        "--attestation",
        attestation.to_str().unwrap(),
    ]);
    assert_eq!(verified.code, 0, "{}", verified.stderr);
    assert_eq!(obeyed(&verified.session()), None);

    names_are_plain(&out);
    // Nothing was written outside of where it was told to go.
    let beside: Vec<String> = home
        .names()
        .into_iter()
        .filter(|name| !name.starts_with("out/") && !name.starts_with("cases/"))
        .collect();
    assert!(beside.is_empty(), "{beside:?}");

    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    let markdown = read("case-7.md");
    assert_eq!(obeyed(&markdown), None);
    let markup = markdown.replace("\\]", "").replace("\\[", "");
    for harmful in [
        "<script",
        "<img",
        "](java",
        "](http",
        "\n# Heading",
        "\n```",
    ] {
        assert!(!markup.contains(harmful), "{harmful}");
    }
    let html = read("case-7.html");
    assert_eq!(obeyed(&html), None);
    for harmful in ["<script", "<img", "<iframe", "<link", "onerror=y>"] {
        assert!(!html.contains(harmful), "{harmful}");
    }
    // The picture is part of the page: its tags are those of a harmless case, too.
    let kinds = |html: &str| -> BTreeSet<String> {
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
    let harmless = retake_report::render(drilled(), &|_| None).unwrap();
    assert_eq!(kinds(&html), kinds(&harmless.html));
    let svg = |html: &str| {
        let (_, rest) = html.split_once("<svg").unwrap();
        kinds(rest.split_once("</svg>").unwrap().0)
    };
    assert_eq!(svg(&html), svg(&harmless.html));
    assert!(html.len() < 4_000_000, "{}", html.len());
    assert!(html.contains(" characters]"));

    // No cell of any table begins as a formula, for whoever pastes one into a sheet.
    for cell in markdown.lines().filter(|line| line.starts_with("| ")) {
        for text in cell.split(" | ") {
            let first = text.trim_start_matches("| ").chars().next();
            assert!(!matches!(first, Some('=' | '+' | '@')), "{text}");
        }
    }
    assert!(records.len() > 100);
    for name in ["case-7.json", "case-7.attestation.json"] {
        let text = read(name);
        assert!(text.is_ascii(), "{name}");
        assert_eq!(obeyed(&text), None, "{name}");
        serde_json::from_str::<Value>(&text).unwrap();
    }
}

/// Small letters, digits, dots and hyphens alone.
fn names_are_plain(dir: &Path) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        assert!(
            name.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c)),
            "{name}"
        );
        assert!(!name.contains("..") && name.len() < 100, "{name}");
        if entry.path().is_dir() {
            names_are_plain(&entry.path());
        }
    }
}
