//! Password, tokens and client secret are nowhere, in no encoding: not in the
//! journal, the store, the export, the report, the output, the trace or the
//! tenant's state as a drill compares it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bytes::Bytes;
use http::Request;
use retake_casefile::{Bundle, Store, pack};
use retake_drill::{
    Recorder, RehearsalError, ScenarioPeople, SeededEntropy, Stage, lock, run_with,
};
use retake_lab::Scenario;
use retake_lab::serve::Decision;
use retake_responder::{Extent, Finished, Opening, Responder, Surroundings, Watcher};
use retake_tenant::edge::Entropy as _;
use retake_tenant::{Credential, Endpoints, Profile, Tenant};
use serde_json::Value;

use crate::practice::Practice;
use crate::stranger::{Home, Served};

#[test]
fn a_response_over_tls_leaves_no_secret_anywhere() {
    let home = Home::new();
    let secrets = Arc::new(Mutex::new(Secrets::default()));
    let seen = Arc::clone(&secrets);
    let served = Served::watched(
        &home,
        Some(Box::new(move |request: &Request<Bytes>, _| {
            seen.lock().unwrap().of_request(request);
            Decision::Handle
        })),
    );
    let respond = [
        "respond",
        served.user(),
        "--tenant",
        "lab",
        "--as",
        "Robin",
        "--yes",
    ];
    let ran = home.retake(&respond);
    assert_eq!(ran.code, 0, "{}", ran.session());
    let case = home.case();
    let out = home.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let path = out.to_str().unwrap();
    let tar = out.join("case.tar");
    let exported = home.retake(&["case", "export", &case, "--out", tar.to_str().unwrap()]);
    let reported = home.retake(&["case", "report", &case, "--out", path]);
    let shown = home.retake(&["case", "show", &case, "--json"]);
    let log = home.retake(&["case", "log", &case, "--json"]);

    let secrets = secrets.lock().unwrap();
    assert_eq!(secrets.passwords.len(), 1, "one new password was set");
    assert!(secrets.tokens.len() >= 2, "for Graph and Exchange");
    assert!(secrets.clients.contains(&served.briefing.client_secret));
    let finder = Finder::of(secrets.all());

    let mut places: Vec<(String, Vec<u8>)> = home
        .files()
        .into_iter()
        .filter(|(name, _)| !name.ends_with("lab.json"))
        .collect();
    for ending in ["cases.db", "case.tar", ".md", ".html"] {
        assert!(
            places.iter().any(|(name, _)| name.ends_with(ending)),
            "{ending}"
        );
    }
    // A page of the database may cut a value in two; the rows do not.
    places.extend(rows(&home));
    for (name, ran) in [
        ("respond", &ran),
        ("export", &exported),
        ("report", &reported),
        ("show", &shown),
        ("log", &log),
    ] {
        assert_eq!(ran.code, 0, "{name}");
        places.push((
            format!("standard output of {name}"),
            ran.stdout.clone().into_bytes(),
        ));
        places.push((
            format!("standard error of {name}"),
            ran.stderr.clone().into_bytes(),
        ));
    }
    places.push((
        "the trace".to_owned(),
        served.server.with(|lab, _| lab.trace_jsonl()).into_bytes(),
    ));
    places.push((
        "the tenant's state".to_owned(),
        served.state().to_string().into_bytes(),
    ));
    nowhere(&finder, &places, served.user());
}

#[test]
fn a_responder_that_is_looked_at_and_then_crashes_shows_no_secret() {
    let secrets = Arc::new(Mutex::new(Secrets::default()));
    let places = Arc::new(Mutex::new(Vec::new()));
    let (seen, listed) = (Arc::clone(&secrets), Arc::clone(&places));
    let practice = Practice::new(1, |responder| {
        Some(Box::new(move |request: &Request<Bytes>, _| {
            let mut seen = seen.lock().unwrap();
            seen.of_request(request);
            if !seen.passwords.is_empty() {
                // What other processes of the machine can list, at the worst moment:
                // a new password is on its way.
                let process = responder.id().unwrap();
                let mut listed = listed.lock().unwrap();
                for file in ["cmdline", "environ", "comm", "status"] {
                    let shown = std::fs::read(format!("/proc/{process}/{file}")).unwrap();
                    listed.push((file.to_owned(), shown));
                }
                let _ = std::process::Command::new("kill")
                    .args(["-ABRT", &process.to_string()])
                    .status();
                return Decision::DropBefore;
            }
            Decision::Handle
        }))
    });
    practice.start(practice.respond());
    assert_eq!(practice.finish(), None, "{}", practice.said());
    let secrets = secrets.lock().unwrap();
    assert_eq!(secrets.passwords.len(), 1);
    assert!(!secrets.tokens.is_empty() && !secrets.clients.is_empty());
    let mut places = places.lock().unwrap();
    places.push(("what it said".to_owned(), practice.said().into_bytes()));
    for file in std::fs::read_dir(practice.home()).unwrap().flatten() {
        if file.file_type().unwrap().is_file() && file.file_name() != "lab.json" {
            let name = file.file_name().to_string_lossy().into_owned();
            places.push((name, std::fs::read(file.path()).unwrap()));
        }
    }
    let (case, records) = practice.journal();
    places.push((
        case.to_string(),
        serde_json::to_vec(&records.iter().map(|one| &one.event).collect::<Vec<_>>()).unwrap(),
    ));
    let arguments = &places[0].1;
    assert!(
        arguments.windows(7).any(|part| part == b"respond"),
        "the listing is the responder's"
    );
    let finder = Finder::of(secrets.all());
    for (name, bytes) in places.iter() {
        assert_eq!(finder.find(bytes), None, "in {name}");
    }
}

/// Every value of every row of the store.
fn rows(home: &Home) -> Vec<(String, Vec<u8>)> {
    let store = rusqlite::Connection::open(home.database()).unwrap();
    let mut values = Vec::new();
    for (table, column) in [
        ("records", "body"),
        ("evidence", "bytes"),
        ("cases", "account_key"),
    ] {
        let mut statement = store
            .prepare(&format!("SELECT CAST({column} AS BLOB) FROM {table}"))
            .unwrap();
        let found = statement
            .query_map([], |row| row.get::<_, Vec<u8>>(0))
            .unwrap();
        for value in found {
            values.push((format!("{table}.{column}"), value.unwrap()));
        }
    }
    values
}

struct Spoken(Mutex<String>);

impl Watcher for Spoken {
    fn event(
        &self,
        at: jiff::Timestamp,
        event: &retake_playbook::Event,
        state: &retake_playbook::State,
    ) {
        let mut text = self.0.lock().unwrap();
        writeln!(text, "{at} {event:?} {state:?}").unwrap();
    }
    fn note(&self, at: jiff::Timestamp, said: &str) {
        writeln!(self.0.lock().unwrap(), "{at} {said}").unwrap();
    }
}

#[test]
fn a_drill_with_a_client_secret_leaves_no_secret_anywhere() {
    drill(false);
}

#[test]
fn a_drill_with_a_device_code_leaves_no_refresh_token_anywhere() {
    drill(true);
}

/// The drill's own composition, with somebody who listens at the wire.
fn drill(device_code: bool) {
    let mut wire = Vec::new();
    let spoken = Spoken(Mutex::default());
    let mut user = String::new();
    let mut client_secret = String::new();
    let scenario = Scenario::find("invoice-fraud").unwrap();
    let run = run_with(&scenario, 2, "retake", async |stage: Stage| {
        let briefing = lock(&stage.lab).briefing().clone();
        user.clone_from(&briefing.affected);
        client_secret.clone_from(&briefing.client_secret);
        let profile = Profile {
            name: briefing.organisation.clone(),
            tenant_id: briefing.tenant_id.clone(),
            home_tenant_id: None,
            endpoints: Endpoints::worldwide(),
            client_id: briefing.client_id.clone(),
            credential: if device_code {
                Credential::DeviceCode
            } else {
                Credential::ClientSecret(briefing.client_secret.clone().into())
            },
            ca_pem: None,
        };
        let recorder = Recorder::before(stage.transport.clone());
        let clock = Arc::new(stage.time.clone());
        let tenant = Tenant::new(profile, Arc::new(recorder.clone()), clock);
        if device_code {
            let prompt = tenant.begin_device_code().await.unwrap();
            let now = retake_tenant::edge::Clock::now(&stage.time);
            let approved =
                lock(&stage.lab).approve_device_code(&prompt.user_code, &briefing.operator, now);
            assert!(approved);
            tenant.finish_device_code(&prompt).await.unwrap();
        }
        let store = Store::open_in_memory()?;
        let entropy = SeededEntropy::new(stage.seed);
        let people = ScenarioPeople::new(Arc::clone(&stage.lab), stage.time.clone());
        let around = Surroundings {
            tenant: &tenant,
            store: &store,
            clock: &stage.time,
            entropy: &entropy,
            people: &people,
            watcher: &spoken,
        };
        let opening = Opening {
            account: briefing.affected.clone(),
            responder: "Robin".to_owned(),
            alert: briefing.alert.clone(),
        };
        let responder = Responder::open(around, opening).await?;
        let finished = responder.run(Extent::Whole).await?;
        assert_eq!(finished, Finished::Closed);
        let key = store.signing_key(&mut |bytes| entropy.fill(bytes))?;
        wire = recorder.exchanges();
        Ok::<_, RehearsalError>(Some(pack(&store, responder.case_id(), &key)?))
    })
    .unwrap();

    let usable = run.score.artefacts.iter().filter(|one| one.usable.ever());
    assert_eq!(usable.count(), 0, "the response did its work");
    let mut secrets = Secrets::default();
    secrets.clients.insert(client_secret);
    for exchange in &wire {
        secrets.of_request(&exchange.request);
        if let Some(response) = &exchange.response {
            secrets.of_token_answer(response.body());
        }
    }
    assert_eq!(secrets.passwords.len(), 1);
    assert!(secrets.tokens.len() >= 2);
    assert_eq!(secrets.refresh.is_empty(), !device_code);
    let finder = Finder::of(secrets.all());

    let case = run.case.unwrap();
    let bundle = Bundle::from_bytes(case.clone(), None).unwrap();
    let report = retake_report::render(bundle.records(), &|digest| {
        bundle.evidence(digest).map(<[u8]>::to_vec)
    })
    .unwrap();
    let places = [
        ("the exported case", case),
        ("the report as Markdown", report.markdown.into_bytes()),
        ("the report as HTML", report.html.into_bytes()),
        (
            "the report as JSON",
            serde_json::to_vec(&report.json).unwrap(),
        ),
        ("the trace", run.trace.into_bytes()),
        (
            "the tenant's state",
            run.final_state.to_string().into_bytes(),
        ),
        ("the score", serde_json::to_vec(&run.score).unwrap()),
        (
            "what the watcher saw",
            spoken.0.into_inner().unwrap().into_bytes(),
        ),
    ]
    .map(|(name, bytes)| (name.to_owned(), bytes));
    nowhere(&finder, &places, &user);
}

#[test]
fn the_served_lab_tells_its_secret_to_its_owner_alone() {
    let home = Home::new();
    let mut lab = home
        .command(&["lab", "serve", "--clock", "stepped"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let file = home.path().join("lab.json");
    for _ in 0..600 {
        if file.exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    // What it says comes after the file.
    std::thread::sleep(std::time::Duration::from_millis(300));
    lab.kill().unwrap();
    let said = lab.wait_with_output().unwrap();
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let address: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let secret = address["client_secret"].as_str().unwrap().to_owned();
    let finder = Finder::of([secret]);
    assert!(String::from_utf8_lossy(&said.stderr).contains("The attacker is in."));
    assert_eq!(finder.find(&said.stdout), None);
    assert_eq!(finder.find(&said.stderr), None);
}

#[test]
fn the_search_finds_a_secret_in_every_encoding_and_only_then() {
    // The control of the tests above: a search that finds nothing proves nothing.
    let secret = "pa/s+w\"rd~Ünd=0123456789.\\Q8Q";
    let finder = Finder::of([secret.to_owned()]);
    let encodings = encodings(secret);
    assert!(encodings.len() >= 12, "{}", encodings.len());
    for (name, bytes) in &encodings {
        let mut place = b"before it stands something {\"a\":\"".to_vec();
        place.extend(bytes);
        place.extend(b"\"} and after it too");
        assert!(finder.find(&place).is_some(), "{name}");
        let half = &bytes[..bytes.len() / 2];
        assert_eq!(finder.find(half), None, "half of {name} is not it");
    }
    for offset in 0..3 {
        let mut text = vec![b'x'; offset];
        text.extend(secret.as_bytes());
        text.extend(b" and more");
        for engine in [&STANDARD, &URL_SAFE] {
            let place = engine.encode(&text).into_bytes();
            assert!(finder.find(&place).is_some(), "base64 at {offset}");
        }
    }
    assert_eq!(
        finder.find(b"nothing of the kind, in a text of some length"),
        None
    );
}

/// What must be found nowhere.
#[derive(Default)]
struct Secrets {
    tokens: BTreeSet<String>,
    refresh: BTreeSet<String>,
    passwords: BTreeSet<String>,
    clients: BTreeSet<String>,
}

impl Secrets {
    /// What a request carries: its bearer token, the client secret, a password.
    fn of_request(&mut self, request: &Request<Bytes>) {
        let bearer = request
            .headers()
            .get(http::header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        self.tokens.extend(bearer.map(str::to_owned));
        if let Ok(body) = serde_json::from_slice::<Value>(request.body()) {
            passwords(&body, &mut self.passwords);
        } else if request.uri().path().ends_with("/token") {
            for pair in request.body().split(|byte| *byte == b'&') {
                let pair = String::from_utf8_lossy(pair);
                match pair.split_once('=') {
                    Some(("client_secret", value)) => {
                        self.clients.insert(decoded(value));
                    }
                    Some(("refresh_token" | "device_code", value)) => {
                        self.refresh.insert(decoded(value));
                    }
                    _ => {}
                }
            }
        }
    }

    fn of_token_answer(&mut self, body: &[u8]) {
        let Ok(answer) = serde_json::from_slice::<Value>(body) else {
            return;
        };
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        self.tokens.extend(text("access_token"));
        self.tokens.extend(text("id_token"));
        self.refresh.extend(text("refresh_token"));
    }

    /// All of them; of a signed token the signature alone as well.
    fn all(&self) -> BTreeSet<String> {
        let signatures = self
            .tokens
            .iter()
            .filter_map(|token| Some(token.rsplit_once('.')?.1.to_owned()))
            .filter(|signature| signature.len() >= 16);
        [&self.tokens, &self.refresh, &self.passwords, &self.clients]
            .into_iter()
            .flatten()
            .cloned()
            .chain(signatures)
            .collect()
    }
}

fn passwords(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(text) if key.to_lowercase().ends_with("password") => {
                        found.insert(text.clone());
                    }
                    value => passwords(value, found),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| passwords(value, found)),
        _ => {}
    }
}

/// A value of a form.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let hex: Vec<u8> = rest.by_ref().take(2).collect();
                u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).unwrap()
}

/// The forms in which a text could hide, by name.
fn encodings(secret: &str) -> BTreeMap<String, Vec<u8>> {
    let bytes = secret.as_bytes();
    let mut forms = BTreeMap::new();
    let mut add = |name: &str, form: Vec<u8>| {
        forms.insert(name.to_owned(), form);
    };
    add("plain", bytes.to_vec());
    let hex = |upper: bool| -> String {
        bytes
            .iter()
            .map(|byte| {
                if upper {
                    format!("{byte:02X}")
                } else {
                    format!("{byte:02x}")
                }
            })
            .collect()
    };
    add("hex", hex(false).into_bytes());
    add("hex, upper case", hex(true).into_bytes());
    for offset in 0..3_usize {
        let mut padded = vec![0; offset];
        padded.extend(bytes);
        // The characters that hold nothing but the secret's own bits.
        let (from, to) = ((offset * 8).div_ceil(6), padded.len() * 8 / 6);
        for (name, engine) in [("base64", &STANDARD), ("base64url", &URL_SAFE)] {
            let text = engine.encode(&padded);
            add(
                &format!("{name} at {offset}"),
                text.as_bytes()[from..to].to_vec(),
            );
        }
    }
    for (name, upper) in [("URL, upper case", true), ("URL, lower case", false)] {
        let text: String = bytes
            .iter()
            .map(|byte| match byte {
                b'-' | b'.' | b'_' | b'~' => char::from(*byte).to_string(),
                byte if byte.is_ascii_alphanumeric() => char::from(*byte).to_string(),
                byte if upper => format!("%{byte:02X}"),
                byte => format!("%{byte:02x}"),
            })
            .collect();
        add(name, text.into_bytes());
    }
    let json = serde_json::to_string(secret).unwrap();
    add("JSON", json.as_bytes()[1..json.len() - 1].to_vec());
    let twice = serde_json::to_string(&json).unwrap();
    add(
        "JSON in JSON",
        twice.as_bytes()[3..twice.len() - 3].to_vec(),
    );
    let units = || secret.encode_utf16();
    add("UTF-16LE", units().flat_map(u16::to_le_bytes).collect());
    add("UTF-16BE", units().flat_map(u16::to_be_bytes).collect());
    forms
}

/// Looks for many texts in all their forms, in one pass.
struct Finder {
    by_start: HashMap<[u8; START], Vec<(String, Vec<u8>)>>,
}

/// How many bytes a form has at least.
const START: usize = 8;

impl Finder {
    fn of(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut by_start: HashMap<_, Vec<_>> = HashMap::new();
        for secret in secrets {
            for (name, form) in encodings(&secret) {
                let start: [u8; START] = form[..START].try_into().unwrap();
                let shown: String = secret.chars().take(6).collect();
                by_start
                    .entry(start)
                    .or_default()
                    .push((format!("{shown}… as {name}"), form));
            }
        }
        Self { by_start }
    }

    /// The first that is there.
    fn find(&self, place: &[u8]) -> Option<String> {
        place.windows(START).enumerate().find_map(|(at, start)| {
            self.by_start
                .get(start)?
                .iter()
                .find(|(_, form)| place[at..].starts_with(form))
                .map(|(name, _)| name.clone())
        })
    }
}

/// None of the secrets is in any of the places, and the places are not empty
/// words: the account's name stands in at least one of them.
fn nowhere(finder: &Finder, places: &[(String, Vec<u8>)], account: &str) {
    for (name, bytes) in places {
        assert_eq!(finder.find(bytes), None, "in {name}");
    }
    let known = Finder::of([account.to_owned()]);
    let with = places
        .iter()
        .filter(|(_, bytes)| known.find(bytes).is_some())
        .count();
    assert!(with >= 4, "the account's name is found in {with} places");
}
