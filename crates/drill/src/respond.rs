//! The responder in the lab: the same code that works on a tenant, with the
//! lab's transport, clock and people around it.

use std::sync::Arc;

use retake_casefile::{Store, StoreError, pack};
use retake_lab::Scenario;
use retake_responder::{
    Conduct, Extent, Finished, Opening, Responder, ResponderError, Surroundings, Watcher,
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

/// The same with a client that is signed in already, as an app or as a person.
pub async fn respond_as(
    stage: &Stage,
    tenant: &Tenant,
    conduct: Conduct,
    watcher: &dyn Watcher,
) -> Result<Vec<u8>, RehearsalError> {
    let opening = {
        let lab = lock(&stage.lab);
        let briefing = lab.briefing();
        let approver = briefing
            .people
            .iter()
            .find(|person| person.role == "approver");
        Opening {
            account: briefing.affected.clone(),
            responder: approver
                .map_or_else(|| "responder".to_owned(), |person| person.name.clone()),
            alert: briefing.alert.clone(),
        }
    };
    let entropy = SeededEntropy::new(stage.seed);
    let store = Store::open_in_memory()?;
    let people = ScenarioPeople::new(Arc::clone(&stage.lab), stage.time.clone());
    let around = Surroundings {
        tenant,
        store: &store,
        clock: &stage.time,
        entropy: &entropy,
        people: &people,
        watcher,
    };
    let responder = Responder::open(around, opening)
        .await?
        .with_conduct(conduct);
    let finished = Box::pin(responder.run(Extent::Whole)).await?;
    if let Finished::Waits { why } = finished {
        watcher.note(stage.time.now(), &format!("the case waits: {why}"));
    }
    let key = store.signing_key(&mut |bytes| entropy.fill(bytes))?;
    Ok(pack(&store, responder.case_id(), &key)?)
}
