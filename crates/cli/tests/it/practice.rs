//! A practice tenant as a test holds it: a lab served in this process, a home that
//! knows it, and the responder as a process that can be killed.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, Request};
use retake_casefile::{CaseId, Record, Store};
use retake_cli::home::Home;
use retake_cli::lab_link::LabAddress;
use retake_lab::serve::{ClockMode, OnRequest, Options, Server};
use retake_lab::{Actor, Lab, Scenario, TraceLine};
use retake_playbook::{Phase, State};
use serde_json::Value;
use tempfile::TempDir;

/// How long a responder may take before the test calls it stuck.
const PATIENCE: Duration = Duration::from_mins(2);

/// A lab, a home, and at most one responder at work.
pub(crate) struct Practice {
    server: Server,
    home: TempDir,
    account: String,
    responder: Running,
}

/// The responder's process, for whoever may have to end it.
#[derive(Clone, Default)]
pub(crate) struct Running(Arc<Mutex<Option<Child>>>);

impl Running {
    /// Ends it at once, as SIGKILL does, and returns when it is gone.
    pub(crate) fn kill(&self) {
        if let Some(child) = self.lock().as_mut() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Its process id.
    pub(crate) fn id(&self) -> Option<u32> {
        self.lock().as_ref().map(Child::id)
    }

    /// Waits for its end, without holding it, so that the lab can kill it.
    fn wait(&self) -> ExitStatus {
        let begin = Instant::now();
        loop {
            if let Some(status) = self
                .lock()
                .as_mut()
                .and_then(|child| child.try_wait().unwrap())
            {
                return status;
            }
            if begin.elapsed() > PATIENCE {
                self.kill();
                panic!("the responder does not come to an end");
            }
            std::thread::sleep(Duration::from_millis(3));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Child>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Practice {
    /// A fresh lab of the default scenario whose clock stands still between requests.
    /// `watch` gets the responder's process and returns who sees each request.
    pub(crate) fn new(seed: u64, watch: impl FnOnce(Running) -> Option<OnRequest>) -> Self {
        Self::signed_in_by(seed, false, watch)
    }

    /// The same where a person signs in with a code instead of the app with its secret.
    pub(crate) fn of_a_person(seed: u64) -> Self {
        Self::signed_in_by(seed, true, |_| None)
    }

    fn signed_in_by(
        seed: u64,
        person: bool,
        watch: impl FnOnce(Running) -> Option<OnRequest>,
    ) -> Self {
        let lab = Lab::new(&Scenario::find("invoice-fraud").unwrap(), seed).unwrap();
        let account = lab.briefing().affected.clone();
        let responder = Running::default();
        let options = Options {
            clock: ClockMode::Stepped,
            on_request: watch(responder.clone()),
            ..Options::default()
        };
        let server = Server::start(lab, options).unwrap();
        let home = tempfile::tempdir().unwrap();
        let mut address = LabAddress::of(&server);
        if person {
            address.client_secret = None;
        }
        address
            .write(&Home::find(Some(home.path().to_owned())).unwrap())
            .unwrap();
        Self {
            server,
            home,
            account,
            responder,
        }
    }

    /// The lab.
    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// The directory that everything is kept in.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// `retake` with these arguments in this home: no terminal, nothing of this
    /// process's environment.
    pub(crate) fn retake(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_retake"));
        command
            .args(arguments)
            .env_clear()
            .env("RETAKE_HOME", self.home())
            .current_dir(self.home())
            .stdin(Stdio::null());
        command
    }

    /// The command that takes the account back.
    pub(crate) fn respond(&self) -> Command {
        self.retake(&[
            "respond",
            &self.account,
            "--tenant",
            "lab",
            "--as",
            "Robin Castle",
            "--yes",
        ])
    }

    /// Starts a responder.
    pub(crate) fn start(&self, mut command: Command) {
        // The lab may look for the process with its very first request.
        let mut responder = self.responder.lock();
        let talk = File::create(self.talk()).unwrap();
        *responder = Some(command.stdout(Stdio::null()).stderr(talk).spawn().unwrap());
    }

    /// The operator enters the code that the responder shows.
    pub(crate) fn enter_the_code(&self) {
        let begin = Instant::now();
        let code = loop {
            if let Some((_, rest)) = self.said().split_once("enter the code ") {
                break rest.split_whitespace().next().unwrap().to_owned();
            }
            assert!(begin.elapsed() < PATIENCE, "no code: {}", self.said());
            std::thread::sleep(Duration::from_millis(3));
        };
        self.server.with(|lab, now| {
            let operator = lab.briefing().operator.clone();
            assert!(lab.approve_device_code(&code, &operator, now));
        });
    }

    /// Waits for the responder's end: its exit code, none if it was killed.
    pub(crate) fn finish(&self) -> Option<i32> {
        self.end().code()
    }

    /// The same with everything that the system says about it.
    pub(crate) fn end(&self) -> ExitStatus {
        self.responder.wait()
    }

    /// Runs the responder to its end, which has to be a good one: 0, or 1 where it
    /// leaves something for a person to look at.
    pub(crate) fn respond_to_the_end(&self) {
        self.start(self.respond());
        self.comes_to_a_good_end();
    }

    /// The responder at work comes to its end, and that is a good one.
    pub(crate) fn comes_to_a_good_end(&self) {
        let code = self.finish();
        let state = state(&self.journal().1);
        let left = state.plans.iter().any(|plan| !plan.left.is_empty());
        assert_eq!(code, Some(i32::from(left)), "{}", self.said());
        assert_eq!(state.phase, Phase::Closed);
    }

    /// What the last responder said.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(self.talk()).unwrap()
    }

    fn talk(&self) -> PathBuf {
        self.home().join("respond.err")
    }

    /// The tenant's configuration as it is now.
    pub(crate) fn tenant(&self) -> Value {
        self.server.with(|lab, _| lab.final_state())
    }

    /// The store, the only case in it, and its records, checked link by link.
    pub(crate) fn journal(&self) -> (CaseId, Vec<Record>) {
        let store = Store::open(&self.home().join("cases")).unwrap();
        let cases = store.cases().unwrap();
        assert_eq!(cases.len(), 1, "one account, one case");
        let case = cases.into_iter().next().unwrap().id;
        let records = store.records(&case).unwrap();
        (case, records)
    }

    /// What of the responder's requests took effect, in order.
    pub(crate) fn effects(&self) -> Vec<Effect> {
        self.server.with(|lab, _| {
            let aliases = aliases(lab.trace());
            lab.trace()
                .iter()
                .filter(|line| line.actor == Actor::Responder)
                .filter_map(|line| {
                    let id = &line.target.as_ref()?.id;
                    let mut ids = aliases.get(id).cloned().unwrap_or_default();
                    ids.push(id.clone());
                    Some(Effect {
                        ids,
                        what: line.effect.clone()?,
                    })
                })
                .collect()
        })
    }

    /// Exports the case with the program and has the program prove it.
    pub(crate) fn export_and_verify(&self, case: &CaseId) {
        let case = case.to_string();
        let exported = self
            .retake(&["case", "export", &case, "--out", "case.tar"])
            .output()
            .unwrap();
        assert!(exported.status.success(), "{exported:?}");
        let key = String::from_utf8(exported.stdout).unwrap();
        let proven = self
            .retake(&["case", "verify", "case.tar", "--key", key.trim()])
            .output()
            .unwrap();
        assert!(proven.status.success(), "{proven:?}");
    }
}

/// The ids under which other surfaces know what the attacker left: Exchange and
/// Graph name the same rule differently.
fn aliases(trace: &[TraceLine]) -> BTreeMap<String, Vec<String>> {
    let mut aliases = BTreeMap::new();
    for effect in trace.iter().filter_map(|line| line.effect.as_ref()) {
        let artefacts = effect["truth"]["artefacts"].as_array();
        for artefact in artefacts.into_iter().flatten().chain([effect]) {
            if let (Some(id), Some(others)) = (
                artefact["object"]["id"].as_str(),
                artefact["aliases"].as_array(),
            ) {
                let others = others.iter().filter_map(Value::as_str);
                aliases.insert(id.to_owned(), others.map(str::to_owned).collect());
            }
        }
    }
    aliases
}

/// The state that a journal amounts to.
pub(crate) fn state(records: &[Record]) -> State {
    State::fold(records.iter().map(|record| (record.at, &record.event)))
}

/// One effect of ours in the tenant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Effect {
    /// The object's ids.
    pub(crate) ids: Vec<String>,
    /// What happened to it.
    pub(crate) what: Value,
}

/// Whether a request changes something in the tenant. Getting a token and making
/// an audit search do not.
pub(crate) fn is_change(request: &Request<Bytes>) -> bool {
    let path = request.uri().path();
    if request.method() == Method::GET || path.contains("/oauth2/") {
        return false;
    }
    if path.ends_with("/InvokeCommand") {
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        let cmdlet = body["CmdletInput"]["CmdletName"].as_str().unwrap();
        return !cmdlet.starts_with("Get-");
    }
    // A batch of this client holds readings alone.
    !path.ends_with("/security/auditLog/queries") && !path.ends_with("/$batch")
}
