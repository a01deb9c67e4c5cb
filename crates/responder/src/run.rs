//! The loop: ask the playbook what is next, do it, write what came of it.

use futures_util::future::{Either, join, select};
use retake_playbook::codes;
use retake_playbook::duties::{self, Before};
use retake_playbook::errands::{self, Errand};
use retake_playbook::event::{Event, Stopped};
use retake_playbook::machine::{self, Phase};
use retake_playbook::state::GateState;
use retake_playbook::{ActionId, Command, Gate, State, closing as explained, next, plan};
use retake_tenant::{Kind, TenantError};

use crate::act::Hand;
use crate::documents::keep_all;
use crate::error::ResponderError;
use crate::evidence::keep;
use crate::explain::{explain, in_seconds};
use crate::open::Responder;
use crate::people::{Decision, Outcome, Question, Task};
use crate::summary::closing;
use crate::tasks::Desk;
use crate::{logs, observe, preflight, warn};

/// How far to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// S2 and S3.1 alone: block and revoke, verified.
    Contain,
    /// Until the case is closed.
    Whole,
}

/// Where a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Finished {
    /// The case is closed.
    Closed,
    /// Block and revoke are verified, and no more was asked for.
    Contained,
    /// A person has to answer or look first.
    Waits {
        /// At what.
        why: String,
    },
}

/// To which point a case of several is brought before the others are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// The containment waits to be ordered.
    Gate,
    /// Block and revoke are settled.
    Contained,
    /// The quick logs were read.
    Looked,
    /// The end.
    End,
}

impl Until {
    fn is_reached(self, phase: Phase, commands: &[Command]) -> bool {
        match self {
            Self::Gate => commands == [Command::Ask(Gate::Contain)] || is_contained(phase),
            Self::Contained => is_contained(phase),
            Self::Looked => {
                is_contained(phase)
                    && !matches!(phase, Phase::Clocking | Phase::Preserving | Phase::Looking)
            }
            Self::End => false,
        }
    }
}

type Background<'a> = futures_util::future::BoxFuture<'a, Result<(), ResponderError>>;

/// How often the same phase may come back without anything new in the journal
/// before the loop says that it is stuck, which would be a mistake of ours.
const STUCK: u32 = 3;

/// What an answer is that does not show everything.
const UNREADABLE: Kind = Kind::BadAnswer {
    effect_unknown: false,
};

impl Responder<'_> {
    /// Goes on from wherever the journal stands.
    pub async fn run(&self, extent: Extent) -> Result<Finished, ResponderError> {
        self.take_up().await?;
        let until = match extent {
            Extent::Contain => Until::Contained,
            Extent::Whole => Until::End,
        };
        let finished = Box::pin(self.go(until)).await?;
        Ok(finished.unwrap_or(Finished::Contained))
    }

    /// What is due when somebody comes back to a case.
    pub(crate) async fn take_up(&self) -> Result<(), ResponderError> {
        let lacking = self
            .case
            .with_state(|state| state.lacking().next().is_some());
        if self.phase() == Phase::Halted || (self.phase() == Phase::Returning && lacking) {
            self.case.append(Event::Retried {
                by: self.name.clone(),
            })?;
        }
        let contained = self
            .case
            .with_state(|state| state.contained_since().is_some());
        if self.phase() == Phase::UncleanHands && !contained {
            // It may be somebody else who comes back.
            self.preflight().await?;
        }
        if self.phase() == Phase::WatchJudging {
            // Whoever comes back to a watch looks again before judging.
            let until = self.case.now();
            self.case.append(Event::Waited { until })?;
        }
        // An undo that was ordered and not finished is finished before anything else.
        Box::pin(self.finish_undos()).await?;
        Ok(())
    }

    /// Goes on to this point; how it ended, if it did not come so far.
    pub(crate) async fn go(&self, until: Until) -> Result<Option<Finished>, ResponderError> {
        // Warnings run beside everything else and are waited for at the end.
        let mut background: Option<Background<'_>> = None;
        let mut warning = false;
        let mut stuck = 0;
        loop {
            let state = self.case.state();
            let commands = next(&state, self.case.now());
            if until.is_reached(state.phase, &commands) {
                return Ok(None);
            }
            if commands.is_empty() {
                return Ok(Some(Finished::Closed));
            }
            let evidence = state.evidence.len();
            for command in commands {
                let outcome = match command {
                    Command::Warn if state.phase != Phase::Concluding => {
                        let warn = self.warn_and_recall();
                        background = Some(match background.take() {
                            None => Box::pin(warn),
                            Some(rest) if !warning => Box::pin(async {
                                let (one, two) = futures_util::future::join(rest, warn).await;
                                one.and(two)
                            }),
                            Some(rest) => rest,
                        });
                        warning = true;
                        continue;
                    }
                    // Asked early and waited for late: nobody's slow answer holds
                    // up the eviction.
                    Command::HandOut(duties)
                        if matches!(
                            state.phase,
                            Phase::Digging | Phase::Draining | Phase::Watching
                        ) =>
                    {
                        let desk = self.desk();
                        let rest = background.take();
                        background = Some(Box::pin(async move {
                            let handed = async { desk.hand_out(&duties).await.map(|_| ()) };
                            match rest {
                                Some(rest) => {
                                    let (one, two) = futures_util::future::join(rest, handed).await;
                                    one.and(two)
                                }
                                None => handed.await,
                            }
                        }));
                        continue;
                    }
                    command => {
                        // Boxed: every command's state would otherwise lie in this future.
                        let work = Box::pin(self.perform(command));
                        Box::pin(beside(&mut background, work)).await?
                    }
                };
                if let Some(finished) = outcome {
                    if let Some(rest) = background.take() {
                        rest.await?;
                    }
                    return Ok(Some(finished));
                }
            }
            let moved = self.case.with_state(|now| {
                now.phase != state.phase
                    || now.last_at != state.last_at
                    || now.evidence.len() != evidence
            });
            stuck = if moved { 0 } else { stuck + 1 };
            if stuck >= STUCK {
                return Ok(Some(Finished::Waits {
                    why: format!("nothing moves at {:?}", state.phase),
                }));
            }
        }
    }

    /// Takes the containment back, by the order of a named person.
    pub async fn release(&self, reason: &str) -> Result<Finished, ResponderError> {
        if self.phase() != Phase::Releasing {
            self.case.append(Event::ReleaseOrdered {
                by: self.name.clone(),
                reason: reason.to_owned(),
            })?;
        }
        Box::pin(self.run(Extent::Whole)).await
    }

    /// The case as it stands.
    pub fn state(&self) -> State {
        self.case.state()
    }

    pub(crate) fn phase(&self) -> Phase {
        self.case.with_state(|state| state.phase)
    }

    /// Warns, and where money has moved has it recalled: the payment clock runs from the
    /// answer on.
    async fn warn_and_recall(&self) -> Result<(), ResponderError> {
        warn::warn(&self.case, self.around.people, &self.templates).await?;
        let open = self
            .case
            .with_state(|state| duties::open(state, Before::Closing));
        let open: Vec<Errand> = open.into_iter().map(Errand::from).collect();
        self.desk().hand_out(&open).await.map(|_| ())
    }

    /// Carries out one command. `Some` ends the run.
    pub(crate) async fn perform(
        &self,
        command: Command,
    ) -> Result<Option<Finished>, ResponderError> {
        match command {
            Command::ReadAccount => self.read_account().await?,
            Command::Preflight => self.preflight().await?,
            Command::MakePlan(plan) => {
                self.case.append(Event::PlanMade(plan))?;
            }
            Command::Ask(Gate::FirstSignIn) => return self.first_sign_in().await,
            Command::Ask(gate) => return self.ask(gate).await,
            Command::Act(actions) => self.act(actions).await?,
            Command::SetAccessClock(blocked_at) => {
                self.case.append(Event::AccessClockSet {
                    ends: self
                        .case
                        .with_state(|state| plan::access_clock_of(state, blocked_at)),
                    until_removed: plan::until_removed(),
                })?;
            }
            Command::Snapshot if self.phase() == Phase::Preserving => {
                self.snapshot_and_preflight().await?;
            }
            Command::Snapshot => {
                observe::snapshot(&self.case, self.around.tenant, self.conduct).await?;
            }
            Command::Analyse { quick } => {
                Box::pin(logs::analyse(
                    &self.case,
                    self.around.tenant,
                    &self.pages,
                    quick,
                ))
                .await?;
                if quick {
                    let (who, _) = preflight::quick(self.around.tenant, &self.early).await;
                    let tenant = self.around.tenant;
                    Box::pin(preflight::beside_attacker(&self.case, tenant, &who)).await?;
                } else if self.case.with_state(|state| !state.warnings.is_empty()) {
                    keep_all(&self.case, &self.templates)?;
                }
            }
            Command::Warn => self.warn_and_recall().await?,
            Command::HandOut(duties) => return Box::pin(self.hand_out(&duties)).await,
            Command::WaitUntil(until) => self.wait_until(until).await?,
            Command::DeclareEffective(snapshot) => {
                self.case.append(Event::EvictionEffective { snapshot })?;
            }
            Command::Reopen(why) => {
                self.case.append(Event::Reopened { why })?;
            }
            Command::EndWatch(snapshot) => {
                self.case.append(Event::WatchEnded { snapshot })?;
            }
            Command::Decline(actions) => self.decline(&actions)?,
            Command::Close => {
                // As they are at the end: what was found since the warnings belongs in them.
                keep_all(&self.case, &self.templates)?;
                let closing = self.case.with_state(closing);
                self.case.append(Event::Closed(closing))?;
            }
            Command::Stop(why) => return Ok(Some(Finished::Waits { why })),
        }
        Ok(None)
    }

    async fn read_account(&self) -> Result<(), ResponderError> {
        let Some(user) = self.case.with_state(observe::user_key) else {
            return Ok(());
        };
        match self.around.tenant.user(&user).await {
            Ok(read) => {
                let digests = keep(&self.case, "account", &read.answers)?;
                if let Some(evidence) = digests.into_iter().next_back() {
                    let account = observe::account_of(&read.value, None);
                    self.case.append(Event::AccountRead { account, evidence })?;
                }
            }
            Err(error) => {
                self.case.append(Event::AccountUnread {
                    why: error.to_string(),
                })?;
            }
        }
        Ok(())
    }

    /// What can be known without waiting for another answer: nothing stands before the
    /// block.
    async fn preflight(&self) -> Result<(), ResponderError> {
        let (who, rights) = preflight::quick(self.around.tenant, &self.early).await;
        let mut checks = self.case.with_state(|state| {
            let mut checks =
                preflight::before_containment(state, &self.name, &who, &self.break_glass);
            checks.extend(preflight::account(state));
            checks
        });
        checks.extend(rights);
        self.case.append(Event::PreflightDone { checks })?;
        Ok(())
    }

    /// Block and revoke are done: now there is time to look at everything.
    async fn snapshot_and_preflight(&self) -> Result<(), ResponderError> {
        let tenant = self.around.tenant;
        let (snapshot, preflight) = join(
            Box::pin(observe::snapshot(&self.case, tenant, self.conduct)),
            Box::pin(preflight::whole(&self.case, tenant, &self.break_glass)),
        )
        .await;
        snapshot.and(preflight)
    }

    async fn ask(&self, gate: Gate) -> Result<Option<Finished>, ResponderError> {
        let by_hand = match gate {
            Gate::Contain | Gate::Plan | Gate::SecondPerson => self.hand().by_hand(),
            _ => Vec::new(),
        };
        let unclean = match gate {
            Gate::Return => self.others_clean().await?,
            _ => None,
        };
        let state = self.case.state();
        let explained = explain(gate, &state, by_hand);
        let decision = self
            .around
            .people
            .decide(Question {
                gate,
                state: &state,
                explained: &explained,
            })
            .await;
        match decision {
            Decision::Yes { .. } if let Some(why) = needs_a_reason(gate, &state) => {
                return self.waits(gate, why).map(Some);
            }
            Decision::Yes { .. } if let Some(why) = unclean => {
                return self
                    .waits(gate, format!("{why}. Going on all the same takes a reason"))
                    .map(Some);
            }
            Decision::Yes { by, .. } if let Some(why) = machine::not_by(gate, &by, &state) => {
                return self.waits(gate, why).map(Some);
            }
            Decision::Yes { by, answer } => {
                self.case.append(Event::GatePassed { gate, by, answer })?;
            }
            Decision::Override { by, reason } => {
                self.case
                    .append(Event::GateOverridden { gate, by, reason })?;
            }
            Decision::No { by } => {
                self.case.append(Event::GateRefused { gate, by })?;
            }
            Decision::NoAnswer => return self.waits(gate, gate.spec().asks.to_owned()).map(Some),
        }
        Ok(None)
    }

    /// The second person refused: these are not done, and the case says who and why.
    fn decline(&self, actions: &[ActionId]) -> Result<(), ResponderError> {
        let by = self
            .case
            .with_state(|state| match state.gates.get(&Gate::SecondPerson) {
                Some(GateState::Refused { by, .. }) => by.clone(),
                _ => "the second person".to_owned(),
            });
        for action in actions {
            self.case.append(Event::ActionStopped {
                action: *action,
                why: Stopped::Refused,
                message: format!("{by} did not agree to it as the second person"),
                code: codes::SECOND_PERSON.id.to_owned(),
            })?;
        }
        Ok(())
    }

    pub(crate) fn waits(&self, gate: Gate, why: String) -> Result<Finished, ResponderError> {
        self.case.append(Event::GateWaiting {
            gate,
            why: why.clone(),
        })?;
        Ok(Finished::Waits {
            why: format!("the gate `{}` waits: {why}", gate.spec().name),
        })
    }

    pub(crate) fn hand(&self) -> Hand<'_> {
        Hand {
            case: &self.case,
            tenant: self.around.tenant,
            clock: self.around.clock,
            entropy: self.around.entropy,
            conduct: self.conduct,
        }
    }

    async fn act(&self, mut actions: Vec<ActionId>) -> Result<(), ResponderError> {
        if !self.conduct.order {
            actions.reverse();
        }
        let hand = self.hand();
        if self.phase() == Phase::Containing {
            return Box::pin(hand.contain(&actions)).await;
        }
        for action in actions {
            hand.carry_out(action).await?;
            if self.phase() == Phase::Halted {
                return Ok(());
            }
        }
        Ok(())
    }

    fn desk(&self) -> Desk<'_> {
        Desk {
            case: &self.case,
            tenant: self.around.tenant,
            clock: self.around.clock,
            people: self.around.people,
        }
    }

    /// Nothing goes on before these are done: asked, said, and shown.
    async fn hand_out(&self, duties: &[Errand]) -> Result<Option<Finished>, ResponderError> {
        let desk = self.desk();
        if duties
            .iter()
            .all(|duty| errands::is_number_of_errand(duty.task))
        {
            return self.in_our_place(duties).await;
        }
        let missing = match desk.hand_out(duties).await? {
            Some(missing) => Some(missing),
            None => desk.verify(duties).await?,
        };
        missing
            .map(|missing| self.waits(Gate::Return, missing))
            .transpose()
    }

    /// What people do where we lack a right. Whatever came of it is looked at again; where
    /// nothing came of it, the case waits with the words of what is missing.
    async fn in_our_place(&self, errands: &[Errand]) -> Result<Option<Finished>, ResponderError> {
        let answers = |state: &State| {
            errands
                .iter()
                .filter_map(|errand| state.tasks.get(&errand.task)?.done.as_ref())
                .map(|(at, _)| *at)
                .max()
        };
        let before = self.case.with_state(answers);
        let missing = self.desk().hand_out(errands).await?;
        if self.phase() != Phase::Halted {
            return Ok(None);
        }
        if self.case.with_state(answers) > before {
            let until = self.case.now();
            self.case.append(Event::Waited { until })?;
            return Ok(None);
        }
        Ok(missing.map(|_| Finished::Waits {
            why: self.case.with_state(machine::standing_in_the_way),
        }))
    }

    async fn wait_until(&self, until: jiff::Timestamp) -> Result<(), ResponderError> {
        let now = self.case.now();
        if let Ok(rest) = std::time::Duration::try_from(until.duration_since(now))
            && !rest.is_zero()
        {
            self.case.note(&format!(
                "waiting until {}; stopping here loses nothing",
                in_seconds(until)
            ));
            self.around.clock.sleep(rest).await;
        }
        self.case.append(Event::Waited { until })?;
        Ok(())
    }

    /// S7.2: the help desk gives a temporary access pass, the user signs in on a
    /// trusted device and registers anew. Said is not done: the tenant has to show
    /// a method that was not there when sign-in was given back.
    async fn first_sign_in(&self) -> Result<Option<Finished>, ResponderError> {
        const TASK: u32 = 1;
        let task = TASK + self.case.with_state(|state| state.reopened);
        let what = "Give the user a temporary access pass over another channel than the mailbox. On a trusted device they sign in with it, set a new password and register a method.";
        if self
            .case
            .with_state(|state| !state.tasks.contains_key(&task))
        {
            self.case.append(Event::TaskOpened {
                task,
                step: Gate::FirstSignIn.spec().step,
                who: Gate::FirstSignIn.spec().duty.to_owned(),
                what: what.to_owned(),
                object: None,
            })?;
        }
        if self.case.with_state(|state| {
            state
                .tasks
                .get(&task)
                .is_none_or(|task| task.done.is_none())
        }) {
            let about = self.case.with_state(|state| {
                let read = state.account.as_ref().map(|account| account.upn.clone());
                read.unwrap_or_else(|| "the affected account".to_owned())
            });
            let outcome = self
                .around
                .people
                .carry_out(Task {
                    duty: "user",
                    task: "first_sign_in",
                    what,
                    about: &about,
                })
                .await;
            match outcome {
                Outcome::Done { by, said } => {
                    self.case.append(Event::TaskDone { task, by, said })?;
                }
                Outcome::Refused { by } => {
                    self.case.append(Event::GateRefused {
                        gate: Gate::FirstSignIn,
                        by,
                    })?;
                    return Ok(None);
                }
                Outcome::NoAnswer => {
                    return self.waits(Gate::FirstSignIn, what.to_owned()).map(Some);
                }
            }
        }
        self.verify_first_sign_in(task).await
    }

    async fn verify_first_sign_in(&self, task: u32) -> Result<Option<Finished>, ResponderError> {
        let known: Vec<String> = self.case.with_state(|state| {
            state
                .snapshot()
                .map(|snapshot| {
                    snapshot
                        .objects
                        .iter()
                        .map(|seen| seen.object.id.clone())
                        .collect()
                })
                .unwrap_or_default()
        });
        let Some(user) = self.case.with_state(observe::user_key) else {
            return Ok(None);
        };
        let mut unread = None;
        for wait in [0_u64, 30, 60, 120, 300] {
            if wait > 0 {
                self.around
                    .clock
                    .sleep(std::time::Duration::from_secs(wait))
                    .await;
            }
            let methods = match self.around.tenant.authentication_methods(&user).await {
                Ok(methods) => methods,
                Err(error) => {
                    // Where nobody lets us read methods, the account still tells of the new
                    // password that belongs to the first sign-in.
                    let closed = matches!(error.kind, Kind::PermissionMissing { .. });
                    if closed && self.shows_first_password(&user, task).await? {
                        return Ok(None);
                    }
                    unread = Some(error);
                    continue;
                }
            };
            unread = methods.completeness.why().map(|why| {
                let why = format!("the list is not whole: {why}");
                TenantError::new(UNREADABLE, &retake_tenant::call::METHODS, &user, why)
            });
            let digests = keep(&self.case, "authentication methods", &methods.answers)?;
            let new = methods.value.iter().any(|method| {
                use retake_tenant::model::MethodKind::{Password, TemporaryAccessPass};
                !matches!(method.kind(), Password | TemporaryAccessPass)
                    && !known.contains(&method.id)
            });
            if let (true, Some(evidence)) = (new, digests.into_iter().next_back()) {
                self.case.append(Event::TaskVerified { task, evidence })?;
                self.case.append(Event::GatePassed {
                    gate: Gate::FirstSignIn,
                    by: "playbook".to_owned(),
                    answer: None,
                })?;
                return Ok(None);
            }
        }
        // Not seen and not there are two different answers.
        let why = match unread {
            None => "the tenant shows no method that was registered since".to_owned(),
            Some(error) => error.to_string(),
        };
        self.waits(
            Gate::FirstSignIn,
            format!("it was said to be done, and could not be verified: {why}"),
        )
        .map(Some)
    }

    /// Whether the password is a later one than when sign-in was given back: the user set it
    /// at the first sign-in. The method that was registered stays their word.
    async fn shows_first_password(&self, user: &str, task: u32) -> Result<bool, ResponderError> {
        let Ok(read) = self.around.tenant.user(user).await else {
            return Ok(false);
        };
        let digests = keep(&self.case, "account", &read.answers)?;
        let changed = observe::account_of(&read.value, None).last_password_change;
        let since = self.case.with_state(|state| state.restored_at);
        let (Some(evidence), true) = (
            digests.into_iter().next_back(),
            changed > since && since.is_some(),
        ) else {
            return Ok(false);
        };
        self.case.note(
            "authentication methods cannot be read: the new password shows the first sign-in, and which method was registered is the user's word",
        );
        self.case.append(Event::TaskVerified { task, evidence })?;
        self.case.append(Event::GatePassed {
            gate: Gate::FirstSignIn,
            by: "playbook".to_owned(),
            answer: None,
        })?;
        Ok(true)
    }
}

/// Why a plain yes does not open this gate: its condition does not hold, and whoever
/// goes on all the same says why.
pub(crate) fn needs_a_reason(gate: Gate, state: &State) -> Option<String> {
    match gate {
        Gate::CleanHands => {
            let whys: Vec<&str> = state
                .checks
                .iter()
                .filter(|check| check.is_unclean())
                .map(|check| check.detail.as_str())
                .collect();
            Some(format!(
                "{}. Going on all the same takes a reason",
                whys.join("; ")
            ))
        }
        Gate::Return => {
            let lacking: Vec<String> = state
                .lacking()
                .filter(|source| !errands::is_answered_for(state, source))
                .map(|source| {
                    let why = source.why.as_deref().unwrap_or("no reason is known");
                    format!("{}: {why}", source.name)
                })
                .collect();
            (!lacking.is_empty()).then(|| {
                format!(
                    "not every log could be read. {} Grant it and give the same command again, or go on with a reason",
                    lacking.join(" ")
                )
            })
        }
        Gate::Close => {
            let missing = explained::unexplained(state);
            (!missing.is_empty()).then(|| {
                format!(
                    "the case is not explained: {}. Closing it all the same takes a reason",
                    missing.join("; ")
                )
            })
        }
        _ => None,
    }
}

fn is_contained(phase: Phase) -> bool {
    !matches!(
        phase,
        Phase::Opening
            | Phase::Preflight
            | Phase::UncleanHands
            | Phase::Ordering
            | Phase::Containing
            | Phase::Halted
    )
}

/// Runs `work` while `background` goes on beside it.
async fn beside<T>(
    background: &mut Option<Background<'_>>,
    work: impl Future<Output = Result<T, ResponderError>>,
) -> Result<T, ResponderError> {
    let Some(running) = background.as_mut() else {
        return work.await;
    };
    let work = std::pin::pin!(work);
    match select(running, work).await {
        Either::Left((finished, work)) => {
            *background = None;
            finished?;
            work.await
        }
        Either::Right((done, _)) => done,
    }
}
