//! The program as a stranger meets it: a home of its own, a lab that is served in
//! this process, and what a terminal shows.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use retake_lab::serve::{ClockMode, OnRequest, Options, Server};
use retake_lab::{Briefing, Lab, Scenario};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A home directory, as one user of one machine has it.
pub(crate) struct Home {
    dir: TempDir,
}

/// A command that was run in it.
pub(crate) struct Ran {
    /// What was typed.
    typed: String,
    /// Data.
    pub(crate) stdout: String,
    /// Talk.
    pub(crate) stderr: String,
    /// Exit code.
    pub(crate) code: i32,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// The directory that RETAKE_HOME names.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The program with these arguments, ready to be run: no terminal, and nothing
    /// of this process's environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_retake"));
        command
            .args(arguments)
            .env_clear()
            .env("RETAKE_HOME", self.path())
            .env("USER", "robin")
            .stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn retake(&self, arguments: &[&str]) -> Ran {
        Ran::of(arguments, self.command(arguments).output().unwrap())
    }

    /// Every file below the home, with its bytes.
    pub(crate) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        walk(self.path(), &mut files);
        files.sort();
        files
    }

    /// What is below the home, by name alone.
    pub(crate) fn names(&self) -> Vec<String> {
        let root = format!("{}/", self.path().display());
        self.files()
            .into_iter()
            .map(|(name, _)| name.replace(&root, ""))
            .collect()
    }

    /// The case store's database.
    pub(crate) fn database(&self) -> std::path::PathBuf {
        self.path().join("cases/cases.db")
    }

    /// The id of the only case.
    pub(crate) fn case(&self) -> String {
        let cases = self.cases();
        assert_eq!(cases.len(), 1, "{cases:?}");
        cases[0]["case"].as_str().unwrap().to_owned()
    }

    /// All cases, as `case list --json` has them.
    pub(crate) fn cases(&self) -> Vec<Value> {
        let listed = self.retake(&["case", "list", "--json"]);
        assert_eq!(listed.code, 0, "{}", listed.stderr);
        let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
        listed["cases"].as_array().unwrap().clone()
    }
}

fn walk(dir: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else {
            files.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}

impl Ran {
    pub(crate) fn of(arguments: &[&str], output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self {
            typed: arguments.join(" "),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            code: output.status.code().unwrap_or(-1),
        }
    }

    /// As a terminal shows it, with the exit code.
    pub(crate) fn session(&self) -> String {
        let mut text = format!("$ retake {}\n{}{}", self.typed, self.stdout, self.stderr);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        format!("{text}[exit {}]", self.code)
    }

    /// The same without the lines of the live view, which say what was done when.
    pub(crate) fn without_view(&self) -> String {
        let days = ["Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "];
        self.session()
            .lines()
            .filter(|line| !days.iter().any(|day| line.starts_with(day)))
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

/// A lab that is served to a home.
pub(crate) struct Served {
    pub(crate) server: Server,
    pub(crate) briefing: Briefing,
}

impl Served {
    /// Serves the default scenario, and writes down in the home how it is reached.
    pub(crate) fn to(home: &Home) -> Self {
        Self::watched(home, None)
    }

    /// The same with somebody who sees each request.
    pub(crate) fn watched(home: &Home, on_request: Option<OnRequest>) -> Self {
        Self::of(home, &Scenario::find("invoice-fraud").unwrap(), on_request)
    }

    /// The same where nobody does by hand what the responder may not do.
    pub(crate) fn where_nobody_stands_in(home: &Home) -> Self {
        let mut text = include_str!("../../../../scenarios/invoice-fraud/scenario.toml").to_owned();
        for role in ["user", "help_desk", "mail_admin", "identity_admin"] {
            let person = text.find(&format!("role = \"{role}\"")).unwrap();
            let end = person + text[person..].find("\n\n").unwrap() + 1;
            let silent: Vec<String> = [
                "look_by_hand",
                "remove_by_hand",
                "ask_owner",
                "read_by_hand",
                "set_by_hand",
            ]
            .iter()
            .map(|word| {
                format!(
                    "\n[[person.task]]\ntask = \"{word}\"\noutcome = \"no_answer\"\nafter = \"1m\"\n"
                )
            })
            .collect();
            text.insert_str(end, &silent.concat());
        }
        let scenario = Scenario::parse("silent.toml".as_ref(), &text).unwrap();
        Self::of(home, &scenario, None)
    }

    fn of(home: &Home, scenario: &Scenario, on_request: Option<OnRequest>) -> Self {
        let lab = Lab::new(scenario, 1).unwrap();
        let briefing = lab.briefing().clone();
        let options = Options {
            clock: ClockMode::Stepped,
            on_request,
            ..Options::default()
        };
        let served = Self {
            server: Server::start(lab, options).unwrap(),
            briefing,
        };
        served.write(home, &json!({}));
        served
    }

    /// Writes `lab.json`, with some keys changed.
    pub(crate) fn write(&self, home: &Home, changed: &Value) {
        let mut address = json!({
            "base": format!("https://localhost:{}", self.server.addr().port()),
            "ca_pem": self.server.ca_pem(),
            "control": self.server.control_addr(),
            "tenant_id": self.briefing.tenant_id,
            "client_id": self.briefing.client_id,
            "client_secret": self.briefing.client_secret,
        });
        for (key, value) in changed.as_object().unwrap() {
            address[key] = value.clone();
        }
        std::fs::write(home.path().join("lab.json"), address.to_string()).unwrap();
    }

    /// The affected account.
    pub(crate) fn user(&self) -> &str {
        &self.briefing.affected
    }

    /// The tenant's configuration.
    pub(crate) fn state(&self) -> Value {
        self.server.with(|lab, _| lab.final_state())
    }

    /// Takes one of the responder's permissions away, or gives it back.
    pub(crate) fn permit(&self, permission: &str, granted: bool) {
        let changed = self
            .server
            .with(|lab, _| lab.set_permission(permission, granted));
        assert!(changed, "the app's `{permission}` was so already");
    }

    /// How many requests of ours changed something in the tenant.
    pub(crate) fn changes(&self) -> usize {
        self.server.with(|lab, _| {
            lab.trace()
                .iter()
                .filter(|line| line.actor == retake_lab::Actor::Responder)
                .filter(|line| line.effect.is_some() && line.method != "GET")
                .count()
        })
    }
}

/// Compares as snapshots do, with everything that differs from run to run or from
/// seed to seed under a name.
pub(crate) fn named<T>(home: &Home, served: Option<&Served>, check: impl FnOnce() -> T) -> T {
    let mut settings = insta::Settings::clone_current();
    let home = home.path().display().to_string();
    settings.add_filter(&literally(&home), "[HOME]");
    if let Some(served) = served {
        let briefing = &served.briefing;
        settings.add_filter(&literally(&briefing.affected), "[USER]");
        settings.add_filter(&literally(&briefing.tenant_id), "[TENANT]");
        settings.add_filter(&literally(&briefing.client_id), "[APP]");
        for person in briefing.people.iter().filter(|one| one.role == "user") {
            settings.add_filter(&literally(&person.name), "[NAME]");
        }
    }
    for (pattern, name) in [
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[TIME]"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", "[TIME]"),
        (r"\d{4}-\d\d-\d\d-[0-9a-f]{8}", "[CASE]"),
        (
            r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            "[ID]",
        ),
        (r"(localhost|127\.0\.0\.1):\d+", "$1:[PORT]"),
        (r"([0-9a-f]{4}-){15}[0-9a-f]{4}", "[FINGERPRINT]"),
        // Lists that grow with the lab, cut where the line became too long.
        (
            r"known names are [^…\n]*… \[\d+ characters\]",
            "known names are [NAMES]",
        ),
        (r"`open_session`, [^…\n]*… \[\d+ characters\]", "[MOVES]"),
        (r"\b[0-9a-f]{64}\b", "[SHA-256]"),
        (
            r"hash [0-9a-f]{12}, recorded is [0-9a-f]{12}",
            "hash [HASH], recorded is [HASH]",
        ),
        (r#"app consent "[^"]+""#, "app consent \"[APP NAME]\""),
        (r"consent of [\w-]{20,}:", "consent of [GRANT]:"),
        (r"bytes \d+ to \d+", "bytes [FROM] to [TO]"),
        (r"has \d+ bytes fewer", "has [SO MANY] bytes fewer"),
        (r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d\d:\d\d:\d\d", "[CLOCK]"),
        (r"[ \t]+\n", "\n"),
    ] {
        settings.add_filter(pattern, name);
    }
    settings.bind(check)
}

/// A pattern that matches this text alone.
fn literally(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_string()
            } else {
                format!("\\{c}")
            }
        })
        .collect()
}
