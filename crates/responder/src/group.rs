//! Several accounts in the same attacker's hands (S2.6): one approval contains all of
//! them side by side, administrators first; then each case goes its own way to the end.

use std::time::Duration;

use futures_util::future::join_all;
use retake_casefile::CaseId;
use retake_playbook::event::{Event, LinkedCase};
use retake_playbook::machine::Phase;
use retake_playbook::state::GateState;
use retake_playbook::{Gate, State};
use retake_tenant::Kind;

use crate::error::ResponderError;
use crate::evidence::keep;
use crate::explain::{Explained, explain};
use crate::logs;
use crate::open::{FIRST_LOOK, Opening, Responder, Surroundings};
use crate::people::{Decision, Question};
use crate::run::{Extent, Finished, Until};

/// How often it is looked whether the others of the group are clean.
const LOOK_AGAIN: Duration = Duration::from_mins(1);
/// For how long: the access clocks of accounts that were contained together run out
/// together, and each eviction takes its own time.
const PATIENCE: u32 = 12 * 60;

/// The cases of one attacker: the one that the alert named first, and the others.
pub struct Group<'a> {
    around: Surroundings<'a>,
    opening: Opening,
    dress: Dress<'a>,
    /// The lead first, then the others, administrators before the rest.
    cases: Vec<Responder<'a>>,
}

/// The template of the role that can undo everything (reference §3).
const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
/// How many other administrators are looked at, at most: one that is enabled is enough.
const MOST_ADMINISTRATORS: usize = 10;

/// What every responder of the group gets: templates, accounts for emergencies.
pub type Dress<'a> = Box<dyn Fn(Responder<'a>) -> Responder<'a> + 'a>;

/// An account that may be in the same hands, and why.
struct Candidate {
    account: String,
    why: Vec<String>,
}

impl<'a> Group<'a> {
    /// The case of the account without the others: for an order about this one alone.
    pub async fn alone(
        around: Surroundings<'a>,
        opening: Opening,
        dress: Dress<'a>,
    ) -> Result<Self, ResponderError> {
        let lead = dress(Responder::open(around, opening.clone()).await?);
        Ok(Self {
            around,
            opening,
            dress,
            cases: vec![lead],
        })
    }

    /// Takes up or opens the case of the account, and one for each other account that was
    /// named with it. One that is not found stops before anything is changed: whoever
    /// contains the one and mistypes the other has lost.
    pub async fn open(
        around: Surroundings<'a>,
        opening: Opening,
        also: &[String],
        dress: Dress<'a>,
    ) -> Result<Self, ResponderError> {
        let mut group = Self::alone(around, opening, dress).await?;
        let linked = group.lead().state().linked;
        for linked in linked {
            let id = CaseId::parse(&linked.case)?;
            let other = Responder::take(around, id, &group.opening.responder)?;
            group.cases.push((group.dress)(other));
        }
        let named = also
            .iter()
            .map(|account| Candidate {
                account: account.clone(),
                why: vec![format!(
                    "named by {} with the first",
                    group.opening.responder
                )],
            })
            .collect();
        group.add(named).await?;
        Ok(group)
    }

    /// The case that the alert named.
    pub fn lead(&self) -> &Responder<'a> {
        // There is one from the beginning.
        &self.cases[0]
    }

    /// The cases of the others.
    pub fn others(&self) -> &[Responder<'a>] {
        self.cases.get(1..).unwrap_or_default()
    }

    /// Goes on from wherever the journals stand; how the lead's case ended, and how the
    /// others' did.
    pub async fn run(
        &mut self,
        extent: Extent,
    ) -> Result<(Finished, Vec<Finished>), ResponderError> {
        for one in join_all(self.cases.iter().map(Responder::take_up)).await {
            one?;
        }
        let mut ended: Vec<Option<Finished>> = vec![None; self.cases.len()];
        self.go(Until::Gate, &mut ended).await?;
        self.order(&mut ended).await?;
        self.go(Until::Contained, &mut ended).await?;
        if extent == Extent::Whole {
            loop {
                self.go(Until::Looked, &mut ended).await?;
                let found = self.look_for_others(&ended).await?;
                let before = self.cases.len();
                self.add(found).await?;
                if self.cases.len() == before {
                    break;
                }
                ended.resize(self.cases.len(), None);
                self.go(Until::Gate, &mut ended).await?;
                self.order(&mut ended).await?;
                self.go(Until::Contained, &mut ended).await?;
            }
            self.go(Until::End, &mut ended).await?;
        }
        let mut ended = ended
            .into_iter()
            .map(|ended| ended.unwrap_or(Finished::Contained));
        let lead = ended.next().unwrap_or(Finished::Contained);
        Ok((lead, ended.collect()))
    }

    /// Brings every case that has not ended to this point, side by side.
    async fn go(&self, until: Until, ended: &mut [Option<Finished>]) -> Result<(), ResponderError> {
        let going: Vec<usize> = (0..self.cases.len())
            .filter(|index| ended.get(*index).is_some_and(Option::is_none))
            .collect();
        let runs = going
            .iter()
            .filter_map(|index| self.cases.get(*index))
            .map(|case| Box::pin(case.go(until)));
        for (index, finished) in going.iter().zip(join_all(runs).await) {
            if let (Some(finished), Some(slot)) = (finished?, ended.get_mut(*index)) {
                *slot = Some(finished);
            }
        }
        Ok(())
    }

    /// One question for every case that waits for its containment to be ordered.
    async fn order(&self, ended: &mut [Option<Finished>]) -> Result<(), ResponderError> {
        self.answered_elsewhere()?;
        let waiting: Vec<(usize, &Responder<'_>)> = self
            .cases
            .iter()
            .enumerate()
            .filter(|(index, case)| {
                ended.get(*index).is_some_and(Option::is_none) && case.phase() == Phase::Ordering
            })
            .collect();
        let Some((_, first)) = waiting.first() else {
            return Ok(());
        };
        let state = first.case.state();
        let mut explained = offer(&waiting);
        if waiting.len() > 1 {
            explained.known.extend(self.last_administrators().await?);
        }
        let decision = self
            .around
            .people
            .decide(Question {
                gate: Gate::Contain,
                state: &state,
                explained: &explained,
            })
            .await;
        for (index, case) in &waiting {
            let together = (*index > 0 || self.lead().case.id() != case.case.id())
                .then(|| format!("ordered together with case {}", self.lead().case.id()));
            let gate = Gate::Contain;
            let event = match &decision {
                Decision::Yes { by, answer } => Event::GatePassed {
                    gate,
                    by: by.clone(),
                    answer: together.or_else(|| answer.clone()),
                },
                Decision::Override { by, reason } => Event::GateOverridden {
                    gate,
                    by: by.clone(),
                    reason: reason.clone(),
                },
                Decision::No { by } => Event::GateRefused {
                    gate,
                    by: by.clone(),
                },
                Decision::NoAnswer => {
                    let names: Vec<String> = waiting
                        .iter()
                        .map(|(_, one)| one.case.with_state(name_of))
                        .collect();
                    let why = match names.as_slice() {
                        [_] => gate.spec().asks.to_owned(),
                        names => format!(
                            "{} One answer is for all of {}",
                            gate.spec().asks,
                            names.join(", ")
                        ),
                    };
                    let waits = case.waits(gate, why)?;
                    if let Some(slot) = ended.get_mut(*index) {
                        *slot = Some(waits);
                    }
                    continue;
                }
            };
            case.case.append(event)?;
        }
        Ok(())
    }

    /// Whether nobody outside the group is left who could let the others in again: then
    /// accounts for emergencies are the only way back. Where that cannot be read soon, it
    /// is said, and nothing waits.
    async fn last_administrators(&self) -> Result<Option<String>, ResponderError> {
        let quick = self.around.tenant.with_deadline(FIRST_LOOK);
        let unknown = |why: String| {
            Some(format!(
                "whether another Global Administrator is left could not be read: {why}"
            ))
        };
        let holders = match quick.role_holders(GLOBAL_ADMINISTRATOR).await {
            Ok(read) => read,
            Err(error) => return Ok(unknown(error.to_string())),
        };
        keep(&self.lead().case, "global administrators", &holders.answers)?;
        let (ours, others): (Vec<&str>, Vec<&str>) = holders
            .value
            .iter()
            .filter_map(|held| held.principal_id.as_deref())
            .partition(|id| self.holds(id));
        if ours.is_empty() {
            return Ok(None);
        }
        let reads = others
            .iter()
            .take(MOST_ADMINISTRATORS)
            .map(|id| quick.user(id));
        let mut unread = None;
        for read in join_all(reads).await {
            match read {
                Ok(read) if read.value.account_enabled != Some(false) => return Ok(None),
                Ok(_) => {}
                // An app or a group holds it too.
                Err(error) if error.kind == Kind::NotFound => {}
                Err(error) => unread = Some(error.to_string()),
            }
        }
        Ok(match unread {
            Some(why) => unknown(why),
            None => Some(
                "after this no Global Administrator is enabled: only an account for emergencies, or the responder's own roles, give anything back. Have one at hand before you answer"
                    .to_owned(),
            ),
        })
    }

    /// Whoever answered the first case's question with `retake approve` answered for all
    /// that it was put for.
    fn answered_elsewhere(&self) -> Result<(), ResponderError> {
        let lead = self.lead();
        let answered = lead
            .case
            .with_state(|state| match state.gates.get(&Gate::Contain) {
                Some(GateState::Passed { at, by, .. }) => Some((*at, by.clone())),
                _ => None,
            });
        let Some((answered, by)) = answered else {
            return Ok(());
        };
        for other in self.others() {
            let asked = other.case.with_state(|state| {
                matches!(state.gates.get(&Gate::Contain),
                    Some(GateState::Waiting { at, .. }) if *at <= answered)
            });
            if asked && other.phase() == Phase::Ordering {
                other.case.append(Event::GatePassed {
                    gate: Gate::Contain,
                    by: by.clone(),
                    answer: Some(format!("ordered together with case {}", lead.case.id())),
                })?;
            }
        }
        Ok(())
    }

    /// Opens a case for each of these accounts that has none in the group, and links them.
    async fn add(&mut self, found: Vec<Candidate>) -> Result<(), ResponderError> {
        let mut new = Vec::new();
        for candidate in found {
            let opening = Opening {
                account: candidate.account.clone(),
                responder: self.opening.responder.clone(),
                alert: format!(
                    "in the same hands as {} (case {}): {}",
                    self.opening.account,
                    self.lead().case.id(),
                    candidate.why.join("; ")
                ),
            };
            // Under another of its names it may be one of the group.
            if self.holds(&candidate.account) {
                continue;
            }
            let other = (self.dress)(Responder::open(self.around, opening).await?);
            new.push((other, candidate.why));
        }
        let roles = join_all(new.iter().map(|(other, _)| other.is_administrator())).await;
        let mut new: Vec<_> = new
            .into_iter()
            .zip(roles)
            .map(|((other, why), role)| Ok((other, why, role?)))
            .collect::<Result<_, ResponderError>>()?;
        // What is not known is taken for the worse.
        new.sort_by_key(|(_, _, administrator)| *administrator == Some(false));
        for (other, why, administrator) in new {
            for held in &self.cases {
                held.link(&other, administrator, &why)?;
                let known = other
                    .state()
                    .linked
                    .iter()
                    .any(|linked| linked.case == held.case.id().to_string());
                if !known {
                    other.link(held, held.known_administrator(), &why)?;
                }
            }
            self.cases.push(other);
        }
        Ok(())
    }

    fn holds(&self, account: &str) -> bool {
        self.cases.iter().any(|case| {
            case.case.with_state(|state| {
                let opened = state.opened.as_ref().map(|(_, opened)| &opened.account);
                let read = state.account.as_ref();
                opened.is_some_and(|name| name.eq_ignore_ascii_case(account))
                    || read.is_some_and(|read| {
                        read.upn.eq_ignore_ascii_case(account)
                            || read.id.eq_ignore_ascii_case(account)
                    })
            })
        })
    }

    /// Other accounts that the quick logs show at the attacker's addresses. What cannot be
    /// read is said and holds nothing up: the logs of the case are read again anyway.
    async fn look_for_others(
        &self,
        ended: &[Option<Finished>],
    ) -> Result<Vec<Candidate>, ResponderError> {
        let mut found: Vec<Candidate> = Vec::new();
        let looking = self
            .cases
            .iter()
            .zip(ended)
            .filter(|(_, ended)| ended.is_none());
        let reads =
            looking.map(|(case, _)| logs::others_at_the_addresses(&case.case, self.around.tenant));
        for read in join_all(reads).await {
            for (account, why) in read? {
                let known = self.holds(&account)
                    || found
                        .iter()
                        .any(|one| one.account.eq_ignore_ascii_case(&account));
                if !known {
                    found.push(Candidate { account, why });
                }
            }
        }
        Ok(found)
    }
}

impl Responder<'_> {
    /// Whether the account holds a directory role; nothing where that cannot be read soon.
    async fn is_administrator(&self) -> Result<Option<bool>, ResponderError> {
        let quick = self.around.tenant.with_deadline(FIRST_LOOK);
        let Some(user) = self.case.with_state(crate::observe::user_key) else {
            return Ok(None);
        };
        Ok(match quick.role_assignments(&user).await {
            Ok(read) => {
                keep(&self.case, "directory roles", &read.answers)?;
                Some(!read.value.is_empty())
            }
            Err(_) => None,
        })
    }

    fn known_administrator(&self) -> Option<bool> {
        self.case.with_state(|state| {
            let snapshot = state.snapshot()?;
            Some(
                snapshot
                    .objects
                    .iter()
                    .any(|seen| seen.object.kind == retake_playbook::ObjectKind::DirectoryRole),
            )
        })
    }

    fn link(
        &self,
        other: &Self,
        administrator: Option<bool>,
        why: &[String],
    ) -> Result<(), ResponderError> {
        let account = other.case.with_state(name_of);
        self.case.append(Event::AccountLinked(LinkedCase {
            case: other.case.id().to_string(),
            account,
            administrator,
            why: why.to_vec(),
        }))?;
        Ok(())
    }

    /// Waits until every other account of the group is clean; why that is not so after
    /// all, if it is not. Whoever gives one back while the attacker still signs in to
    /// another gives it back to the attacker.
    pub(crate) async fn others_clean(&self) -> Result<Option<String>, ResponderError> {
        let linked = self.case.with_state(|state| state.linked.clone());
        for round in 0..=PATIENCE {
            let mut unclean = None;
            for other in &linked {
                let id = CaseId::parse(&other.case)?;
                let records = self.around.store.records(&id)?;
                let state = State::fold(records.iter().map(|record| (record.at, &record.event)));
                if !is_clean(&state) {
                    unclean = Some(format!(
                        "{} is in the same hands, and its case {} has not come to its eviction",
                        other.account, other.case
                    ));
                }
            }
            match unclean {
                None => return Ok(None),
                Some(why) if round == PATIENCE => return Ok(Some(why)),
                Some(why) if round == 0 => self.case.note(&format!("waiting: {why}")),
                Some(_) => {}
            }
            self.around.clock.sleep(LOOK_AGAIN).await;
        }
        Ok(None)
    }
}

fn name_of(state: &State) -> String {
    let read = state.account.as_ref().map(|account| account.upn.clone());
    let opened = || Some(state.opened.as_ref()?.1.account.clone());
    read.or_else(opened).unwrap_or_default()
}

/// Whether a linked case no longer stands in the way: the attacker is out, or was never in.
fn is_clean(state: &State) -> bool {
    state.effective.is_some()
        || state.restored_at.is_some()
        || matches!(
            state.phase,
            Phase::Closed | Phase::Reporting | Phase::Releasing
        )
}

/// The question for all of these cases together.
fn offer(waiting: &[(usize, &Responder<'_>)]) -> Explained {
    let mut all = waiting.iter().map(|(_, case)| {
        let state = case.case.state();
        (explain(Gate::Contain, &state, case.hand().by_hand()), state)
    });
    let Some((mut first, state)) = all.next() else {
        return explain(Gate::Contain, &State::default(), Vec::new());
    };
    for (explained, other) in all {
        let account = other
            .account
            .as_ref()
            .map_or("", |account| account.upn.as_str());
        let why = state
            .linked
            .iter()
            .chain(&other.linked)
            .find(|linked| linked.account.eq_ignore_ascii_case(account))
            .or_else(|| other.linked.first());
        let reasons = why.map(|linked| linked.why.join("; ")).unwrap_or_default();
        let rank = match why.and_then(|linked| linked.administrator) {
            Some(false) => "",
            Some(true) => " (administrator)",
            None => " (roles not known)",
        };
        first
            .known
            .push(format!("in the same hands: {account}{rank}: {reasons}"));
        first.actions.extend(explained.actions);
    }
    first
}
