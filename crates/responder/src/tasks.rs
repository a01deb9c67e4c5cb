//! Duties elsewhere: on-premises, in a home tenant, at a federation provider.
//! People carry them out; what the tenant can show of it, it has to show.

use std::time::Duration;

use jiff::Timestamp;
use retake_playbook::duties::{Before, Shows, app_password_made};
use retake_playbook::errands::{self, Errand};
use retake_playbook::event::{Account, Event};
use retake_playbook::judge::{Verdict, judge, source_of};
use retake_playbook::{Digest, ObjectRef};
use retake_tenant::Tenant;
use retake_tenant::client::AuditAbout;
use retake_tenant::edge::Clock;

use crate::case::Case;
use crate::error::ResponderError;
use crate::evidence::keep;
use crate::observe::{account_of, observe, record, user_key};
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
    pub(crate) async fn hand_out(
        &self,
        duties: &[Errand],
    ) -> Result<Option<String>, ResponderError> {
        for duty in duties {
            if self
                .case
                .with_state(|state| !state.tasks.contains_key(&duty.task))
            {
                self.case.append(Event::TaskOpened {
                    task: duty.task,
                    step: duty.step,
                    who: duty.who.to_owned(),
                    what: duty.what.clone(),
                    object: duty.object.clone(),
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
        // What stands in for a right is asked for again where its answer did not count.
        let open = duties
            .iter()
            .filter(|duty| errands::is_number_of_errand(duty.task) || self.said_at(duty).is_none());
        let outcomes =
            futures_util::future::join_all(open.map(|duty| self.one(duty, &about))).await;
        let mut missing = None;
        for outcome in outcomes {
            missing = outcome?.or(missing);
        }
        Ok(missing)
    }

    /// One of them: asked, said, and looked at where an errand shows.
    async fn one(&self, duty: &Errand, about: &str) -> Result<Option<String>, ResponderError> {
        let outcome = self
            .people
            .carry_out(Task {
                duty: duty.who,
                task: &duty.name,
                what: &duty.what,
                about,
            })
            .await;
        match outcome {
            Outcome::Done { by, said } => {
                self.case.append(Event::TaskDone {
                    task: duty.task,
                    by,
                    said,
                })?;
                if errands::is_number_of_errand(duty.task) {
                    self.look_back(duty).await?;
                }
                Ok(None)
            }
            // What only spares something holds nothing up.
            _ if errands::is_number_of_errand(duty.task) && duty.before == Before::Closing => {
                Ok(None)
            }
            Outcome::Refused { by } => Ok(Some(format!("{by} refuses: {}", duty.what))),
            Outcome::NoAnswer => Ok(Some(duty.what.clone())),
        }
    }

    /// Whether what a person did in our place is so, wherever the tenant shows it. Asked
    /// is not done, and said is not done either.
    async fn look_back(&self, errand: &Errand) -> Result<(), ResponderError> {
        let Some(user) = self.case.with_state(user_key) else {
            return Ok(());
        };
        for wait in [0_u64, 30, 90] {
            if wait > 0 {
                self.clock.sleep(Duration::from_secs(wait)).await;
            }
            let evidence = match (errand.shows, &errand.object) {
                (Shows::Gone, Some(object)) => self.shows_gone(&user, object).await?,
                (Shows::NewPassword, _) => self.shows_password(&user, errand).await?,
                _ => return Ok(()),
            };
            if let Some(evidence) = evidence {
                self.case.append(Event::TaskVerified {
                    task: errand.task,
                    evidence,
                })?;
                return Ok(());
            }
        }
        Ok(())
    }

    /// The answer that shows that nothing of an object is left to use: it is in no list, or
    /// what is there is no foothold.
    async fn shows_gone(
        &self,
        user: &str,
        object: &ObjectRef,
    ) -> Result<Option<Digest>, ResponderError> {
        let Ok(seen) = observe(self.tenant, user, object.kind).await else {
            return Ok(None);
        };
        if !seen.listed {
            return Ok(None);
        }
        let evidence = keep(self.case, source_of(object.kind), &seen.answers)?;
        let now = record(self.case, object.kind, seen)?;
        let there = now.iter().find(|seen| seen.object == *object).cloned();
        let gone = there.is_none_or(|there| {
            let mut state = self.case.state();
            if let Some(last) = state.snapshots.last_mut() {
                last.objects.retain(|seen| seen.object != *object);
                last.objects.push(there);
            }
            !judge(&state)
                .iter()
                .any(|judged| judged.object == *object && judged.verdict == Verdict::Foothold)
        });
        Ok(evidence.into_iter().next_back().filter(|_| gone))
    }

    async fn shows_password(
        &self,
        user: &str,
        errand: &Errand,
    ) -> Result<Option<Digest>, ResponderError> {
        let Ok(read) = self.tenant.user(user).await else {
            return Ok(None);
        };
        let evidence = keep(self.case, "account", &read.answers)?;
        let account = account_of(&read.value, None);
        let new = self
            .counts_from(errand)
            .is_some_and(|from| shown(errand, &account, from));
        Ok(evidence.into_iter().next_back().filter(|_| new))
    }

    /// Looks until the tenant shows everything that was said to be done and that
    /// it can show. What it does not show is returned.
    pub(crate) async fn verify(&self, duties: &[Errand]) -> Result<Option<String>, ResponderError> {
        let Some(user) = self.case.with_state(user_key) else {
            return Ok(None);
        };
        let mut waited = Duration::ZERO;
        loop {
            let open: Vec<&Errand> = duties
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
    async fn look_for_deletion(&self, duty: &Errand) -> Result<(), ResponderError> {
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
    fn said_at(&self, duty: &Errand) -> Option<Timestamp> {
        self.case.with_state(|state| {
            let task = state.tasks.get(&duty.task)?;
            task.done.as_ref().map(|(at, _)| *at)
        })
    }

    /// From when on what the tenant shows counts. That the account is blocked is
    /// our own doing until a synchronisation after our last block left it so.
    fn counts_from(&self, duty: &Errand) -> Option<Timestamp> {
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

    fn is_verified(&self, duty: &Errand) -> bool {
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
fn shown(duty: &Errand, account: &Account, from: Timestamp) -> bool {
    match duty.shows {
        Shows::StaysDisabled => {
            !account.enabled && account.standing.last_sync.is_some_and(|at| at > from)
        }
        Shows::NewPassword => account.last_password_change.is_some_and(|at| at > from),
        // Shown by a log, and not by the account.
        // Shown by a list.
        Shows::AppPasswordsDeleted | Shows::Gone => false,
        Shows::Nothing => true,
    }
}
