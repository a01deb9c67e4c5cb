//! The responder in the lab: the same code that works on a tenant, with the
//! lab's transport, clock and people around it.

use std::sync::Arc;

use retake_casefile::{CaseId, Store, StoreError, pack};
use retake_lab::Scenario;
use retake_playbook::State;
use retake_responder::{
    Conduct, Extent, Finished, Group, Opening, Responder, ResponderError, Surroundings, Undone,
    Watched, Watcher, Which,
};
use retake_tenant::edge::{Clock as _, Entropy as _, Transport};
use retake_tenant::{Credential, Endpoints, Profile, Tenant};
use secrecy::SecretString;

use crate::people::ScenarioPeople;
use crate::run::{DrillError, Run, Stage, run_with};
use crate::virtual_time::Deadlock;
use crate::wire::{SeededEntropy, lock};

/// The name under which the responder is scored.
pub const RETAKE: &str = "retake";

/// Why the responder's rehearsal did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// The rehearsal itself.
    #[error(transparent)]
    Drill(#[from] DrillError),
    /// The responder.
    #[error(transparent)]
    Responder(#[from] ResponderError),
    /// The case store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The lab has no such unconfirmed behaviour.
    #[error("{0}")]
    Switch(String),
}

impl From<Deadlock> for RehearsalError {
    fn from(deadlock: Deadlock) -> Self {
        Self::Drill(deadlock.into())
    }
}

/// Plays a scenario against the responder.
pub fn run_responder<'w>(
    scenario: &Scenario,
    seed: u64,
    conduct: Conduct,
    watcher: &dyn Fn(&Stage) -> Box<dyn Watcher + 'w>,
) -> Result<Run, RehearsalError> {
    run_with(scenario, seed, RETAKE, async |stage: Stage| {
        let watcher = watcher(&stage);
        let transport = Arc::new(stage.transport.clone());
        Box::pin(respond(&stage, transport, conduct, watcher.as_ref()))
            .await
            .map(Some)
    })
}

/// The response itself, on a stage and over a way to the tenant: from the briefing
/// to the exported case.
pub async fn respond(
    stage: &Stage,
    transport: Arc<dyn Transport>,
    conduct: Conduct,
    watcher: &dyn Watcher,
) -> Result<Vec<u8>, RehearsalError> {
    let profile = profile(stage, None);
    let tenant = Tenant::new(profile, transport, Arc::new(stage.time.clone()));
    respond_as(stage, &tenant, conduct, watcher).await
}

/// The same with a client that is signed in already, as an app or as a person.
pub async fn respond_as(
    stage: &Stage,
    tenant: &Tenant,
    conduct: Conduct,
    watcher: &dyn Watcher,
) -> Result<Vec<u8>, RehearsalError> {
    let desk = Desk::new(stage)?;
    let worked = Box::pin(desk.work_as(stage, tenant, conduct, watcher)).await?;
    if let Finished::Waits { why } = &worked.finished {
        watcher.note(stage.time.now(), &format!("the case waits: {why}"));
    }
    for case in &worked.further {
        let exported = desk.export(case)?;
        stage
            .further
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push(exported);
    }
    desk.export(&worked.case)
}

/// The briefing's tenant with the given sign-in, or with the app's own secret.
pub fn profile(stage: &Stage, credential: Option<Credential>) -> Profile {
    let lab = lock(&stage.lab);
    let briefing = lab.briefing();
    let secret = || SecretString::from(briefing.client_secret.clone());
    Profile {
        name: briefing.organisation.clone(),
        tenant_id: briefing.tenant_id.clone(),
        home_tenant_id: None,
        endpoints: Endpoints::worldwide(),
        client_id: briefing.client_id.clone(),
        credential: credential.unwrap_or_else(|| Credential::ClientSecret(secret())),
        ca_pem: None,
    }
}

/// What outlives one run of the responder: its case store, and the entropy of the seed.
#[derive(Debug)]
pub struct Desk {
    store: Store,
    entropy: SeededEntropy,
    alone: bool,
}

/// What a person orders to be taken back.
#[derive(Clone, Copy, Debug)]
pub struct UndoOrder<'a> {
    /// The case.
    pub case: &'a CaseId,
    /// Who orders it.
    pub by: &'a str,
    /// Why.
    pub reason: &'a str,
    /// What.
    pub which: &'a Which,
}

/// Where a run of the responder ended.
#[derive(Debug)]
pub struct Worked {
    /// The case.
    pub case: CaseId,
    /// The cases of further accounts in the same hands.
    pub further: Vec<CaseId>,
    /// How it ended.
    pub finished: Finished,
    /// The case as it stands.
    pub state: State,
}

impl Desk {
    /// An empty store in memory.
    pub fn new(stage: &Stage) -> Result<Self, RehearsalError> {
        Ok(Self {
            store: Store::open_in_memory()?,
            entropy: SeededEntropy::new(stage.seed),
            alone: false,
        })
    }

    /// Nobody does anything in the responder's place.
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.alone = true;
        self
    }

    fn people(&self, stage: &Stage) -> ScenarioPeople {
        if self.alone {
            stage.people().who_do_not_stand_in()
        } else {
            stage.people()
        }
    }

    /// Gives the command that the briefing calls for, signed in afresh. The second time
    /// it goes on where the first one stopped.
    pub async fn work(
        &self,
        stage: &Stage,
        transport: Arc<dyn Transport>,
        conduct: Conduct,
        watcher: &dyn Watcher,
    ) -> Result<Worked, RehearsalError> {
        let profile = profile(stage, None);
        let tenant = Tenant::new(profile, transport, Arc::new(stage.time.clone()));
        self.work_as(stage, &tenant, conduct, watcher).await
    }

    /// The same with a client that is signed in already.
    pub async fn work_as(
        &self,
        stage: &Stage,
        tenant: &Tenant,
        conduct: Conduct,
        watcher: &dyn Watcher,
    ) -> Result<Worked, RehearsalError> {
        let people = self.people(stage);
        let around = self.around(stage, tenant, &people, watcher);
        let also = lock(&stage.lab).briefing().also.clone();
        let mut group = Box::pin(Group::open(
            around,
            opening(stage),
            &also,
            Box::new(move |responder| responder.with_conduct(conduct)),
        ))
        .await?;
        let (finished, others) = Box::pin(group.run(Extent::Whole)).await?;
        for (other, finished) in group.others().iter().zip(others) {
            if let Finished::Waits { why } = finished {
                let case = other.case_id();
                watcher.note(stage.time.now(), &format!("case {case} waits: {why}"));
            }
        }
        Ok(Worked {
            case: group.lead().case_id().clone(),
            further: group
                .others()
                .iter()
                .map(|other| other.case_id().clone())
                .collect(),
            finished,
            state: group.lead().state(),
        })
    }

    fn around<'a>(
        &'a self,
        stage: &'a Stage,
        tenant: &'a Tenant,
        people: &'a ScenarioPeople,
        watcher: &'a dyn Watcher,
    ) -> Surroundings<'a> {
        Surroundings {
            tenant,
            store: &self.store,
            clock: &stage.time,
            entropy: &self.entropy,
            people,
            watcher,
        }
    }

    /// Takes actions of a case back, by the order of this person. Given again after it
    /// was broken off, it goes on where it stopped.
    pub async fn undo(
        &self,
        stage: &Stage,
        tenant: &Tenant,
        order: UndoOrder<'_>,
        conduct: Conduct,
        watcher: &dyn Watcher,
    ) -> Result<Vec<Undone>, RehearsalError> {
        let people = self.people(stage);
        let around = self.around(stage, tenant, &people, watcher);
        let responder =
            Responder::take(around, order.case.clone(), order.by)?.with_conduct(conduct);
        Ok(Box::pin(responder.undo(order.which, order.reason)).await?)
    }

    /// Looks once whether something came back.
    pub async fn watch(
        &self,
        stage: &Stage,
        tenant: &Tenant,
        case: &CaseId,
        watcher: &dyn Watcher,
    ) -> Result<Watched, RehearsalError> {
        let people = self.people(stage);
        let around = self.around(stage, tenant, &people, watcher);
        let responder = Responder::take(around, case.clone(), "watch")?;
        Ok(Box::pin(responder.watch(false)).await?)
    }

    /// The case as its journal has it.
    pub fn state(&self, case: &CaseId) -> Result<State, RehearsalError> {
        let records = self.store.records(case)?;
        Ok(State::fold(
            records.iter().map(|record| (record.at, &record.event)),
        ))
    }

    /// The case, exported and signed.
    pub fn export(&self, case: &CaseId) -> Result<Vec<u8>, RehearsalError> {
        let key = self
            .store
            .signing_key(&mut |bytes| self.entropy.fill(bytes))?;
        Ok(pack(&self.store, case, &key)?)
    }
}

/// The alert of the briefing.
pub(crate) fn opening(stage: &Stage) -> Opening {
    let lab = lock(&stage.lab);
    let briefing = lab.briefing();
    let approver = briefing
        .people
        .iter()
        .find(|person| person.role == "approver");
    Opening {
        account: briefing.affected.clone(),
        responder: approver.map_or_else(|| "responder".to_owned(), |person| person.name.clone()),
        alert: briefing.alert.clone(),
    }
}
