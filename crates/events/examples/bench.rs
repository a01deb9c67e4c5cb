//! What `cargo xtask bench hunt` runs and measures, one thing to a process, so that each
//! peak of memory is its own. Prints one JSON object.
//!
//! - `import TO THREADS WITH FILE…`: an import into the table `TO`; `WITH` is `all`, `nothing`
//!   (no detection), or a folder of Sigma rules beside all detections.
//! - `hunt TO THREADS FILE…`: the import and the judgement over its table, as `retake hunt`.
//! - `fill TO EVENTS WEEKS USERS`: a table of made-up events, straight through the writer.
//! - `timeline TABLE USER TIMES`: one user's events, so many times.
//! - `judge TABLE`: every user's events once, as the judgement reads them.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for developers"
)]

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use retake_events::{Table, TableWriter, Wanted, hunt};
use retake_hunt::detections::Detections;
use retake_hunt::import::{Input, Matching, Settings, import};
use retake_hunt::sigma::Sigma;
use retake_hunt::store::{Sink, Store as _, StoreError};
use retake_hunt::{Event, Options, Source};
use serde_json::{Value, json};

/// As in `retake`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut told = match words.as_slice() {
        ["import", to, threads, with, files @ ..] => {
            imported(Path::new(to), threads.parse().unwrap(), with, files)
        }
        ["hunt", to, threads, files @ ..] => hunted(Path::new(to), threads.parse().unwrap(), files),
        ["fill", to, events, weeks, users] => fill(
            Path::new(to),
            events.parse().unwrap(),
            weeks.parse().unwrap(),
            users.parse().unwrap(),
        ),
        ["timeline", table, user, times] => {
            timelines(Path::new(table), user, times.parse().unwrap())
        }
        ["judge", table] => judged(Path::new(table)),
        other => panic!("not understood: {other:?}"),
    };
    told["peak_mb"] = json!(peak());
    println!("{told}");
}

/// Notes when the first event comes, which is when reading and matching are over.
struct Noting {
    writer: TableWriter,
    first: Option<Instant>,
}

impl Sink for Noting {
    fn put(&mut self, event: Event) -> Result<(), StoreError> {
        self.first.get_or_insert_with(Instant::now);
        self.writer.put(event)
    }
}

fn imported(to: &Path, threads: usize, with: &str, files: &[&str]) -> Value {
    let nothing = with == "nothing";
    let detections = if nothing {
        Detections::default()
    } else {
        Detections::builtin().unwrap()
    };
    let mut sigma = Sigma::default();
    if !nothing && with != "all" {
        sigma.add_path(Path::new(with)).unwrap();
    }
    let scratch = to.with_extension("scratch");
    std::fs::create_dir_all(&scratch).unwrap();
    let begun = Instant::now();
    let mut settings = Settings::new(scratch.clone());
    settings.threads = threads;
    let found: Cell<Option<f64>> = Cell::new(None);
    let read: Cell<f64> = Cell::new(0.0);
    let mut sink = Noting {
        writer: Table::create(to).unwrap(),
        first: None,
    };
    let own_domains = std::collections::BTreeSet::new();
    let matching = Matching {
        detections: &detections,
        sigma: &sigma,
        own_domains: &own_domains,
    };
    let inputs = files.iter().map(|file| Input::Path(PathBuf::from(file)));
    let (report, matched) = import(
        inputs.collect(),
        &settings,
        matching,
        &mut sink,
        None,
        &mut |progress| {
            let now = begun.elapsed().as_secs_f64();
            read.set(now);
            if !progress.new_findings.is_empty() && found.get().is_none() {
                found.set(Some(now));
            }
        },
    )
    .unwrap();
    let first_put = sink
        .first
        .map(|first| first.duration_since(begun).as_secs_f64());
    let table = sink.writer.finish().unwrap();
    let seconds = begun.elapsed().as_secs_f64();
    std::fs::remove_dir_all(&scratch).unwrap();
    json!({
        "seconds": seconds,
        "reading": read.get(),
        "first_finding": found.get(),
        "first_put": first_put,
        "read": report.counts.read,
        "kept": report.counts.kept,
        "repeats": report.counts.repeats,
        "damaged": report.counts.damaged,
        "findings": matched.raised.len(),
        "sigma_rules": sigma.rules().len(),
        "sigma_findings": matched.sigma.findings.len(),
        "written_mb": megabytes_in(table.directory()),
    })
}

fn hunted(to: &Path, threads: usize, files: &[&str]) -> Value {
    let scratch = to.with_extension("scratch");
    std::fs::create_dir_all(&scratch).unwrap();
    let begun = Instant::now();
    let mut settings = Settings::new(scratch.clone());
    settings.threads = threads;
    // Long after the corpus, whatever the day is on which this runs.
    let options = Options::new("2030-01-01T00:00:00Z".parse().unwrap()).unwrap();
    let inputs = files.iter().map(|file| Input::Path(PathBuf::from(file)));
    let (report, table) =
        hunt(inputs.collect(), &options, &settings, to, None, &mut |_| {}).unwrap();
    let seconds = begun.elapsed().as_secs_f64();
    std::fs::remove_dir_all(&scratch).unwrap();
    json!({
        "seconds": seconds,
        "users": report.users.len(),
        "findings": report.findings.len(),
        "written_mb": megabytes_in(table.directory()),
    })
}

/// The same events for the same numbers; about as long as the records of an audit log.
fn fill(to: &Path, events: u64, weeks: u64, users: u64) -> Value {
    let begun = Instant::now();
    let mut writer = Table::create(to).unwrap();
    let monday: Timestamp = "2026-01-05T00:00:00Z".parse().unwrap();
    let each = (events / weeks / users).max(1);
    let mut number = 0_u64;
    for week in 0..weeks {
        for user in 0..users {
            for nth in 0..each {
                let second = week * 604_800 + nth * 604_800 / each;
                let time = monday + SignedDuration::from_secs(second as i64);
                writer.put(made_up(number, user, time)).unwrap();
                number += 1;
            }
        }
    }
    let table = writer.finish().unwrap();
    json!({
        "seconds": begun.elapsed().as_secs_f64(),
        "events": number,
        "of_each_user": each * weeks,
        "user": name(users / 2),
        "written_mb": megabytes_in(table.directory()),
    })
}

fn name(user: u64) -> String {
    format!("user{user:06}@contoso.example")
}

/// Letters that no compressor shortens, as ids have them.
fn id(number: u64) -> String {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let other = mixed.wrapping_mul(0xd6e8_feb8_6659_fd93);
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        mixed >> 32,
        mixed & 0xffff,
        (mixed >> 16) & 0xfff,
        other >> 52,
        other & 0xffff_ffff_ffff
    )
}

fn made_up(number: u64, user: u64, time: Timestamp) -> Event {
    const OPERATIONS: [&str; 6] = [
        "MailItemsAccessed",
        "FileAccessed",
        "UserLoggedIn",
        "FileModified",
        "Send",
        "FileDownloaded",
    ];
    let operation = OPERATIONS[(number % 6) as usize];
    let user_name = name(user);
    let address = format!("203.0.{}.{}", user % 250, number % 4);
    let (own, correlation, message) = (id(number), id(!number), id(number ^ 0x5555));
    let session = id(user ^ ((time.as_second() as u64 / 86_400) << 32));
    let original = format!(
        "{{\"CreationTime\":\"{time}\",\"Id\":\"{own}\",\"Operation\":\"{operation}\",\
         \"OrganizationId\":\"11111111-2222-4333-8444-555555555555\",\"RecordType\":50,\
         \"ResultStatus\":\"Succeeded\",\"UserKey\":\"1003200{user:09}\",\"UserType\":0,\"Version\":1,\
         \"Workload\":\"Exchange\",\"UserId\":\"{user_name}\",\"ClientIPAddress\":\"{address}\",\
         \"AppId\":\"00000002-0000-0ff1-ce00-000000000000\",\"ClientInfoString\":\"Client=OWA;Action=ViaProxy\",\
         \"ExternalAccess\":false,\"InternalLogonType\":0,\"LogonType\":0,\
         \"LogonUserSid\":\"S-1-5-21-1234567890-1234567890-1234567890-{user}\",\
         \"MailboxOwnerSid\":\"S-1-5-21-1234567890-1234567890-1234567890-{user}\",\
         \"MailboxOwnerUPN\":\"{user_name}\",\"OperationProperties\":[{{\"Name\":\"MailAccessType\",\"Value\":\"Bind\"}},\
         {{\"Name\":\"IsThrottled\",\"Value\":\"False\"}}],\"OrganizationName\":\"contoso.example\",\
         \"OriginatingServer\":\"AM0PR01MB{:04} (15.20.4200.000)\\r\\n\",\"SessionId\":\"{session}\",\
         \"Folders\":[{{\"FolderItems\":[{{\"InternetMessageId\":\"<{message}@contoso.example>\",\
         \"SizeInBytes\":{}}}],\"Path\":\"\\\\Inbox\"}}],\"OperationCount\":1,\"CorrelationId\":\"{correlation}\"}}",
        number % 10_000,
        number % 1_000_003,
    );
    let mut event = Event::new(Source::Ual, time, operation, &original);
    event.record_id = own;
    event.user_id = Some(id(user ^ 0xffff));
    event.user_type = Some("Regular".to_owned());
    event.tenant_id = Some("11111111-2222-4333-8444-555555555555".to_owned());
    event.workload = Some("Exchange".to_owned());
    event.record_type = Some("50".to_owned());
    event.address = address.parse().ok();
    event.client = Some("Client=OWA;Action=ViaProxy".to_owned());
    event.app_id = Some("00000002-0000-0ff1-ce00-000000000000".to_owned());
    event.session_id = Some(session);
    event.correlation_id = Some(correlation);
    event.mailbox = Some(user_name.clone());
    event.logon_type = Some("0".to_owned());
    event.folder = Some("\\Inbox".to_owned());
    event.message_ids = vec![format!("<{message}@contoso.example>")];
    event.user = Some(user_name);
    event.origin.input = "audit.jsonl".into();
    event.origin.line = number + 1;
    event
}

fn timelines(table: &Path, user: &str, times: u32) -> Value {
    let mut found = 0;
    let mut measure = |without_originals: bool| -> Vec<f64> {
        let wanted = Wanted {
            user: Some(user.to_owned()),
            without_originals,
            ..Wanted::default()
        };
        let each = (0..times).map(|_| {
            let begun = Instant::now();
            let events = Table::open(table).unwrap().timeline(&wanted).unwrap();
            found = events.len();
            begun.elapsed().as_secs_f64() * 1e3
        });
        each.collect()
    };
    let whole = measure(false);
    let bare = measure(true);
    json!({"milliseconds": whole, "without_originals": bare, "events": found})
}

fn judged(table: &Path) -> Value {
    let begun = Instant::now();
    let (mut users, mut events) = (0_u64, 0_u64);
    let table = Table::open(table).unwrap();
    table
        .each_user(&mut |_, of_user| {
            users += 1;
            events += of_user.len() as u64;
            Ok(())
        })
        .unwrap();
    json!({"seconds": begun.elapsed().as_secs_f64(), "users": users, "events": events})
}

fn megabytes_in(directory: &Path) -> f64 {
    let files = std::fs::read_dir(directory).unwrap();
    let bytes: u64 = files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    bytes as f64 / 1e6
}

/// The most memory that this process ever had, in MB, where the system tells it.
fn peak() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1e3)
}
