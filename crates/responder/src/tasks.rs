//! Duties elsewhere: on-premises, in a home tenant, at a federation provider.
//! People carry them out; what the tenant can show of it, it has to show.

use std::time::Duration;

use jiff::Timestamp;
use retake_playbook::duties::{Duty, Shows, app_password_made};
use retake_playbook::event::{Account, Event};
use retake_tenant::Tenant;
use retake_tenant::client::AuditAbout;
use retake_tenant::edge::Clock;

use crate::case::Case;
use crate::error::ResponderError;
use crate::evidence::keep;
use crate::observe::{account_of, user_key};
use crate::people::{Outcome, People, Task};

/// How long it is looked for that the tenant shows what was said to be done: two
/// cycles of the synchronisation, which runs every half hour.
const PATIENCE: Duration = Duration::from_mins(65);
/// How often it is looked.
const EVERY: Duration = Duration::from_mins(5);

/// What it takes to hand tasks out.
#[derive(Clone, Copy)]
pub(crate) struct Desk<'a> {
    pub(crate) case: &'a Case<'a>,
    pub(crate) tenant: &'a Tenant,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) people: &'a dyn People,
}

impl Desk<'_> {
    /// Hands out what is not said to be done yet, side by side. The reason why it
    /// is not done, if somebody refused or nobody answered.
    pub(crate) async fn hand_out(&self, duties: &[Duty]) -> Result<Option<String>, ResponderError> {
        for duty in duties {
            if self
                .case
                .with_state(|state| !state.tasks.contains_key(&duty.task))
            {
                self.case.append(Event::TaskOpened {
                    task: duty.task,
                    step: duty.step,
                    who: duty.who.to_owned(),
                    what: duty.what.to_owned(),
                })?;
            }
        }
        let about = self.case.with_state(|state| {
            state
                .account
                .as_ref()
                .map(|account| account.upn.clone())
                .unwrap_or_default()
        });
        let open: Vec<&Duty> = duties
            .iter()
            .filter(|duty| self.said_at(duty).is_none())
            .collect();
        let outcomes = futures_util::future::join_all(open.iter().map(|duty| {
            self.people.carry_out(Task {
                duty: duty.who,
                task: duty.name,
                what: duty.what,
                about: &about,
            })
        }))
        .await;
        let mut missing = None;
        for (duty, outcome) in open.into_iter().zip(outcomes) {
            match outcome {
                Outcome::Done { by } => {
                    self.case.append(Event::TaskDone {
                        task: duty.task,
                        by,
                    })?;
                }
                Outcome::Refused { by } => {
                    missing = Some(format!("{by} refuses: {}", duty.what));
                }
                Outcome::NoAnswer => missing = Some(duty.what.to_owned()),
            }
        }
        Ok(missing)
    }

    /// Looks until the tenant shows everything that was said to be done and that
    /// it can show. What it does not show is returned.
    pub(crate) async fn verify(&self, duties: &[Duty]) -> Result<Option<String>, ResponderError> {
        let Some(user) = self.case.with_state(user_key) else {
            return Ok(None);
        };
        let mut waited = Duration::ZERO;
        loop {
            let open: Vec<&Duty> = duties
                .iter()
                .filter(|duty| duty.shows != Shows::Nothing && !self.is_verified(duty))
                .collect();
            if open.is_empty() {
                return Ok(None);
            }
            for duty in open
                .iter()
                .filter(|duty| duty.shows == Shows::AppPasswordsDeleted)
            {
                self.look_for_deletion(duty).await?;
            }
            if let Ok(read) = self.tenant.user(&user).await {
                let account = account_of(&read.value, None);
                let digests = keep(self.case, "account", &read.answers)?;
                if let Some(evidence) = digests.into_iter().next_back() {
                    for duty in &open {
                        if self
                            .counts_from(duty)
                            .is_some_and(|from| shown(duty, &account, from))
                        {
                            self.case.append(Event::TaskVerified {
                                task: duty.task,
                                evidence: evidence.clone(),
                            })?;
                        }
                    }
                }
            }
            let missing = duties
                .iter()
                .find(|duty| duty.shows != Shows::Nothing && !self.is_verified(duty));
            let Some(missing) = missing else {
                return Ok(None);
            };
            if waited >= PATIENCE {
                return Ok(Some(format!(
                    "it was said to be done, and the tenant does not show it: {}",
                    missing.what
                )));
            }
            self.clock.sleep(EVERY).await;
            waited += EVERY;
        }
    }

    /// App passwords are in no list: the record of their deletion is what shows it.
    async fn look_for_deletion(&self, duty: &Duty) -> Result<(), ResponderError> {
        let (made, account) = self.case.with_state(|state| {
            (
                app_password_made(state),
                state.account.as_ref().map(|account| account.id.clone()),
            )
        });
        let (Some(made), Some(account), Some(_)) = (made, account, self.said_at(duty)) else {
            return Ok(());
        };
        let about = AuditAbout::Target(&account);
        let Ok(read) = self.tenant.directory_audits(about, made, None).await else {
            return Ok(());
        };
        let deleted = read.value.iter().any(|record| {
            let name = record["activityDisplayName"].as_str().unwrap_or_default();
            let at = record["activityDateTime"]
                .as_str()
                .and_then(|text| text.parse::<Timestamp>().ok());
            name.to_lowercase()
                .starts_with("delete application password")
                && at.is_some_and(|at| at > made)
        });
        let digests = keep(
            self.case,
            retake_playbook::judge::AUDITS_ABOUT,
            &read.answers,
        )?;
        if deleted && let Some(evidence) = digests.into_iter().next() {
            self.case.append(Event::TaskVerified {
                task: duty.task,
                evidence,
            })?;
        }
        Ok(())
    }

    /// When somebody said that it is done.
    fn said_at(&self, duty: &Duty) -> Option<Timestamp> {
        self.case.with_state(|state| {
            let task = state.tasks.get(&duty.task)?;
            task.done.as_ref().map(|(at, _)| *at)
        })
    }

    /// From when on what the tenant shows counts. That the account is blocked is
    /// our own doing until a synchronisation after our last block left it so.
    fn counts_from(&self, duty: &Duty) -> Option<Timestamp> {
        let said = self.said_at(duty)?;
        self.case.with_state(|state| match duty.shows {
            Shows::StaysDisabled => Some(
                state
                    .contained_since()
                    .map_or(said, |blocked| blocked.max(said)),
            ),
            _ => state.tasks.get(&duty.task).map(|task| task.opened),
        })
    }

    fn is_verified(&self, duty: &Duty) -> bool {
        self.case.with_state(|state| {
            state
                .tasks
                .get(&duty.task)
                .is_some_and(|task| task.verified.is_some())
        })
    }
}

/// Whether the account shows that the duty was carried out, by what happened after
/// `from`.
fn shown(duty: &Duty, account: &Account, from: Timestamp) -> bool {
    match duty.shows {
        Shows::StaysDisabled => {
            !account.enabled && account.standing.last_sync.is_some_and(|at| at > from)
        }
        Shows::NewPassword => account.last_password_change.is_some_and(|at| at > from),
        // Shown by a log, and not by the account.
        Shows::AppPasswordsDeleted => false,
        Shows::Nothing => true,
    }
}
