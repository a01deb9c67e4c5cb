//! What a command has at hand that reads a case and sends nothing: the clock that the
//! case goes by, and a client that only writes requests down.

use std::sync::Arc;

use bytes::Bytes;
use retake_casefile::{CaseId, Store};
use retake_playbook::{State, codes};
use retake_responder::{
    Decision, Outcome, People, PlanFile, Question, Responder, Surroundings, Task,
};
use retake_tenant::edge::{
    BoxFuture, Clock, SystemClock, SystemEntropy, Transport, TransportError, TransportErrorKind,
};
use retake_tenant::{Credential, Endpoints, Profile, Tenant};
use secrecy::SecretString;

use crate::args::Recording;
use crate::failure::Failure;
use crate::home::Home;
use crate::lab_link::LabAddress;
use crate::profile::{Connection, ProfileFile, connect};
use crate::terminal::Terminal;
use crate::watch::LiveView;

/// A case's tenant, as far as this machine knows it.
pub(crate) struct AtHand {
    connection: Option<Connection>,
    clock: Arc<dyn Clock>,
    tenant_id: String,
}

impl AtHand {
    /// Finds the lab or the profile that this case is of. Without one the system's clock
    /// is taken, and calls are written for the worldwide cloud.
    pub(crate) fn of(home: &Home, store: &Store, case: &str) -> Result<Self, Failure> {
        let records = store.records(&CaseId::parse(case)?)?;
        let state = State::fold(records.iter().map(|record| (record.at, &record.event)));
        let tenant_id = state
            .opened
            .map(|(_, opened)| opened.tenant)
            .unwrap_or_default();
        let connection = name_of(home, &tenant_id)
            .and_then(|name| connect(home, &name, &Recording::default()).ok());
        let clock = connection.as_ref().map_or_else(
            || Arc::new(SystemClock) as Arc<dyn Clock>,
            |connection| Arc::clone(&connection.clock),
        );
        Ok(Self {
            connection,
            clock,
            tenant_id,
        })
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// A client that writes requests down; it is not signed in.
    fn tenant(&self) -> Tenant {
        match &self.connection {
            Some(connection) => connection.tenant.clone(),
            None => Tenant::new(
                Profile {
                    name: "nowhere".to_owned(),
                    tenant_id: self.tenant_id.clone(),
                    home_tenant_id: None,
                    endpoints: Endpoints::worldwide(),
                    client_id: String::new(),
                    credential: Credential::ClientSecret(SecretString::from(String::new())),
                    ca_pem: None,
                },
                Arc::new(Nowhere),
                Arc::clone(&self.clock),
            ),
        }
    }
}

/// A case that is taken up again on its tenant, by somebody who answers no gate.
pub(crate) struct TakenUp<'a> {
    case: CaseId,
    store: Store,
    pub(crate) connection: Connection,
    watcher: LiveView<'a>,
}

impl<'a> TakenUp<'a> {
    /// Looks for the case first: a mistyped id needs no sign-in.
    pub(crate) fn find(
        home: &Home,
        case: CaseId,
        tenant: &str,
        recording: &Recording,
        terminal: &'a Terminal,
    ) -> Result<Self, Failure> {
        let store = Store::open(&home.store())?;
        store.records(&case)?;
        Ok(Self {
            case,
            store,
            connection: connect(home, tenant, recording)?,
            watcher: LiveView(terminal),
        })
    }

    /// Whoever goes on with it, in this name; the tenant has to be the case's.
    pub(crate) fn responder(&self, name: Option<&str>) -> Result<Responder<'_>, Failure> {
        let around = Surroundings {
            tenant: &self.connection.tenant,
            store: &self.store,
            clock: self.connection.clock.as_ref(),
            entropy: &SystemEntropy,
            people: &NobodyHere,
            watcher: &self.watcher,
        };
        let responder = Responder::take(around, self.case.clone(), &named_or_login(name))?;
        super::same_tenant(&responder.state(), &self.connection.tenant)?;
        Ok(responder)
    }
}

/// The lab or the profile that has this tenant.
fn name_of(home: &Home, tenant_id: &str) -> Option<String> {
    if LabAddress::read(&home.lab()).is_ok_and(|address| address.tenant_id == tenant_id) {
        return Some("lab".to_owned());
    }
    let names = ProfileFile::list(home).ok()?;
    names.into_iter().find(|name| {
        ProfileFile::load(home, name).is_ok_and(|profile| profile.tenant_id == tenant_id)
    })
}

/// The present plan of a case.
pub(crate) fn present_plan(
    home: &Home,
    case: &str,
    terminal: &Terminal,
) -> Result<PlanFile, Failure> {
    let store = Store::open(&home.store())?;
    let at_hand = AtHand::of(home, &store, case)?;
    let tenant = at_hand.tenant();
    let watcher = LiveView(terminal);
    let around = Surroundings {
        tenant: &tenant,
        store: &store,
        clock: at_hand.clock(),
        entropy: &SystemEntropy,
        people: &NobodyHere,
        watcher: &watcher,
    };
    let responder = Responder::take(around, CaseId::parse(case)?, "plan")?;
    responder.plan_file()?.ok_or_else(|| {
        Failure::new(
            codes::GATE_NOT_WAITING,
            format!("The case {case} has no plan now. Nothing was written."),
            format!("`retake case show {case}` says where it stands; `retake respond` makes the next plan."),
        )
    })
}

/// The name that stands in the record: the one given, or the login name.
pub(crate) fn named_or_login(given: Option<&str>) -> String {
    given
        .map(str::to_owned)
        .or_else(|| std::env::var("USER").ok().filter(|name| !name.is_empty()))
        .unwrap_or_else(|| "responder".to_owned())
}

/// Sends nothing.
struct Nowhere;

impl Transport for Nowhere {
    fn send(
        &self,
        _: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        Box::pin(async {
            Err(TransportError::new(
                TransportErrorKind::Connect,
                "this command sends nothing",
            ))
        })
    }
}

/// Answers nothing: nobody is asked.
pub(crate) struct NobodyHere;

impl People for NobodyHere {
    fn decide<'a>(&'a self, _: Question<'a>) -> BoxFuture<'a, Decision> {
        Box::pin(async { Decision::NoAnswer })
    }

    fn carry_out<'a>(&'a self, _: Task<'a>) -> BoxFuture<'a, Outcome> {
        Box::pin(async { Outcome::NoAnswer })
    }
}
