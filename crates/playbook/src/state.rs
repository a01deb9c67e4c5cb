//! What is so in a case: the fold over its events, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::catalogue::ActionKind;
use crate::codes;
use crate::event::{
    AccessEnd, Account, ActionId, Analysis, Applied, CaseOpened, Check, Closing, Event,
    EvidenceKept, Left, LinkedCase, Looked, Plan, Planned, Request, Snapshot, Source, Stopped,
};
use crate::gate::Gate;
use crate::judge::{self, LOGS_FOR_JUDGEMENT};
use crate::machine::{Phase, step};
use crate::steps::StepId;
use crate::undo::{self, Restored, UndoOrder};
use crate::words::{Digest, ObjectRef};

/// The state of a case at the end of its journal.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct State {
    /// Where the playbook stands.
    pub phase: Phase,
    /// How the case began, and when.
    pub opened: Option<(Timestamp, CaseOpened)>,
    /// The account as last read.
    pub account: Option<Account>,
    /// The checks of the preflight.
    pub checks: Vec<Check>,
    /// The gates, as they stand.
    pub gates: BTreeMap<Gate, GateState>,
    /// Every plan, in order.
    pub plans: Vec<Plan>,
    /// Every action of every plan.
    pub actions: BTreeMap<ActionId, ActionState>,
    /// Actions that reach beyond the account and wait for a second person (S2.4).
    pub takes_two: BTreeSet<ActionId>,
    /// Every snapshot, in order.
    pub snapshots: Vec<Snapshot>,
    /// What the logs say, as last analysed, and when.
    pub analysis: Option<(Timestamp, Analysis)>,
    /// When a halted case was last taken up again.
    pub retried_at: Option<Timestamp>,
    /// Whether it was decided which warnings are due.
    pub warnings_made: bool,
    /// When it was first seen that the unified audit was switched off: what happened before is
    /// in no log, whoever switches it on later.
    pub unrecorded_until: Option<Timestamp>,
    /// When each log was last read to its end.
    pub logs_read: BTreeMap<String, Timestamp>,
    /// Warnings by number.
    pub warnings: BTreeMap<u32, WarningState>,
    /// Tasks by number.
    pub tasks: BTreeMap<u32, TaskState>,
    /// Until when each known piece of access can live.
    pub access: Vec<AccessEnd>,
    /// When the access clock was last set.
    pub access_set_at: Option<Timestamp>,
    /// When the eviction was declared effective, and the snapshot behind it.
    pub effective: Option<(Timestamp, u32)>,
    /// When sign-in was given back.
    pub restored_at: Option<Timestamp>,
    /// When the watch began.
    pub watch_from: Option<Timestamp>,
    /// How often the case was reopened.
    pub reopened: u32,
    /// What people ordered to be taken back.
    pub undo_orders: Vec<UndoOrder>,
    /// What undos brought back, by the number of the undo.
    pub restored: BTreeMap<ActionId, Restored>,
    /// How it ended, and when.
    pub closed: Option<(Timestamp, Closing)>,
    /// Other accounts in the same attacker's hands, each with its case.
    pub linked: Vec<LinkedCase>,
    /// All evidence.
    pub evidence: BTreeMap<Digest, EvidenceKept>,
    /// The time of the last event.
    pub last_at: Option<Timestamp>,
}

/// How a gate stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "gate", rename_all = "snake_case")]
pub enum GateState {
    /// It waits.
    Waiting {
        /// Since when.
        at: Timestamp,
        /// For what.
        why: String,
    },
    /// It is passed.
    Passed {
        /// When.
        at: Timestamp,
        /// By whom.
        by: String,
        /// What was answered.
        answer: Option<String>,
    },
    /// It was overridden.
    Overridden {
        /// When.
        at: Timestamp,
        /// By whom.
        by: String,
        /// Why.
        reason: String,
    },
    /// It was refused.
    Refused {
        /// When.
        at: Timestamp,
        /// By whom.
        by: String,
    },
}

/// How an action stands. The four words of "asked is not done" are four fields.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ActionState {
    /// The action.
    pub planned: Planned,
    /// The plan that holds it.
    pub plan: u32,
    /// Every time that it was about to be sent.
    pub intended: Vec<(Timestamp, Request)>,
    /// The state before.
    pub before: Option<Digest>,
    /// When the tenant accepted it.
    pub applied: Option<(Timestamp, Applied)>,
    /// When the tenant showed it.
    pub verified: Option<(Timestamp, Digest)>,
    /// Why it did not happen.
    pub stopped: Option<(Timestamp, Stopped, String)>,
}

impl ActionState {
    /// Whether nothing more happens to it by itself.
    pub fn settled(&self) -> bool {
        self.verified.is_some() || self.stopped.is_some()
    }

    /// When it is effective at the latest, once accepted.
    pub fn effective_by(&self) -> Option<Timestamp> {
        let (at, _) = self.applied.as_ref()?;
        let within = i64::from(self.planned.kind.spec().effect.within_s);
        at.checked_add(jiff::SignedDuration::from_secs(within)).ok()
    }
}

/// How a warning stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WarningState {
    /// When it became due.
    pub due: Timestamp,
    /// Whom to warn.
    pub who: String,
    /// Why.
    pub why: String,
    /// The pack.
    pub pack: Option<Digest>,
    /// When and by whom it was given.
    pub done: Option<(Timestamp, String)>,
}

/// How a task stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskState {
    /// When it was opened.
    pub opened: Timestamp,
    /// Its step.
    pub step: StepId,
    /// The duty that carries it out.
    pub who: String,
    /// What to do.
    pub what: String,
    /// The one object that it is about, where it is about one.
    pub object: Option<ObjectRef>,
    /// When and by whom it was said to be done.
    pub done: Option<(Timestamp, String)>,
    /// What they answered or saw.
    pub said: Option<String>,
    /// What shows that it is.
    pub verified: Option<Digest>,
}

impl State {
    /// The state after these events, each with its time.
    pub fn fold<'a>(events: impl IntoIterator<Item = (Timestamp, &'a Event)>) -> Self {
        let mut state = Self::default();
        for (at, event) in events {
            state.apply(at, event);
        }
        state
    }

    /// Takes one more event in.
    pub fn apply(&mut self, at: Timestamp, event: &Event) {
        self.record(at, event);
        self.last_at = Some(at);
        self.phase = step(self, event);
        if self.phase == Phase::Watching && self.watch_from.is_none() {
            self.watch_from = Some(at);
        }
    }

    fn record(&mut self, at: Timestamp, event: &Event) {
        match event {
            Event::CaseOpened(opened) => self.opened = Some((at, opened.clone())),
            Event::EvidenceKept(kept) => {
                self.evidence.insert(kept.digest.clone(), kept.clone());
            }
            Event::AccountRead { account, .. } => self.account = Some(account.clone()),
            Event::AccountLinked(linked) => {
                self.linked.retain(|held| held.case != linked.case);
                self.linked.push(linked.clone());
            }
            Event::AccountUnread { .. }
            | Event::Waited { .. }
            | Event::ReleaseOrdered { .. }
            | Event::WatchEnded { .. } => {}
            Event::Retried { .. } => {
                self.retried_at = Some(at);
                self.gates
                    .retain(|_, gate| !matches!(gate, GateState::Refused { .. }));
            }
            Event::WarningsSettled => self.warnings_made = true,
            Event::PreflightDone { checks } => {
                // Whoever overrode what was known then has not answered what is new.
                let known = |check: &&Check| {
                    let was = |old: &Check| old.is_unclean() && old.what == check.what;
                    self.checks.iter().any(was)
                };
                if checks
                    .iter()
                    .filter(|check| check.is_unclean())
                    .any(|check| !known(&check))
                {
                    self.gates.remove(&Gate::CleanHands);
                }
                self.checks.clone_from(checks);
            }
            Event::GateWaiting { gate, why } => {
                let why = why.clone();
                self.gates.insert(*gate, GateState::Waiting { at, why });
            }
            Event::GatePassed { gate, by, answer } => {
                let (by, answer) = (by.clone(), answer.clone());
                self.gates
                    .insert(*gate, GateState::Passed { at, by, answer });
            }
            Event::GateOverridden { gate, by, reason } => {
                let (by, reason) = (by.clone(), reason.clone());
                let state = GateState::Overridden { at, by, reason };
                self.gates.insert(*gate, state);
            }
            Event::GateRefused { gate, by } => {
                let by = by.clone();
                self.gates.insert(*gate, GateState::Refused { at, by });
            }
            Event::PlanMade(plan) => self.take_plan(plan),
            Event::ActionIntended {
                action,
                request,
                before,
                ..
            } => {
                if let Some(state) = self.actions.get_mut(action) {
                    state.intended.push((at, request.clone()));
                    if before.is_some() {
                        state.before.clone_from(before);
                    }
                }
            }
            Event::ActionApplied { action, how, .. } => {
                if let Some(state) = self.actions.get_mut(action) {
                    state.applied = Some((at, *how));
                }
            }
            Event::ActionVerified { action, evidence } => {
                if let Some(state) = self.actions.get_mut(action) {
                    state.verified = Some((at, evidence.clone()));
                    let planned = state.planned.clone();
                    self.sign_in_switched(at, &planned);
                }
            }
            Event::ActionStopped {
                action,
                why,
                message,
                ..
            } => {
                if let Some(state) = self.actions.get_mut(action) {
                    state.stopped = Some((at, *why, message.clone()));
                }
            }
            Event::SnapshotTaken(snapshot) => {
                if let Some(account) = &snapshot.account {
                    self.account = Some(account.clone());
                }
                self.snapshots.push(snapshot.clone());
            }
            Event::Analysed(analysis) => {
                for source in &analysis.sources {
                    if source.code.as_deref() == Some(codes::AUDITING_OFF.id)
                        && self.unrecorded_until.is_none()
                    {
                        self.unrecorded_until = Some(at);
                    }
                    if source.looked == Looked::Whole {
                        self.logs_read.insert(source.name.clone(), at);
                    }
                }
                self.analysis = Some((at, analysis.clone()));
            }
            Event::WarningDue {
                warning,
                who,
                why,
                pack,
            } => {
                let state = WarningState {
                    due: at,
                    who: who.clone(),
                    why: why.clone(),
                    pack: pack.clone(),
                    done: None,
                };
                self.warnings.insert(*warning, state);
            }
            Event::WarningDone { warning, by } => {
                if let Some(state) = self.warnings.get_mut(warning) {
                    state.done = Some((at, by.clone()));
                }
            }
            Event::TaskOpened {
                task,
                step,
                who,
                what,
                object,
            } => {
                let state = TaskState {
                    opened: at,
                    step: *step,
                    who: who.clone(),
                    what: what.clone(),
                    object: object.clone(),
                    done: None,
                    said: None,
                    verified: None,
                };
                self.tasks.insert(*task, state);
            }
            Event::TaskDone { task, by, said } => {
                if let Some(state) = self.tasks.get_mut(task) {
                    state.done = Some((at, by.clone()));
                    state.said.clone_from(said);
                    // What showed it before says nothing about now.
                    state.verified = None;
                }
            }
            Event::TaskVerified { task, evidence } => {
                if let Some(state) = self.tasks.get_mut(task) {
                    state.verified = Some(evidence.clone());
                }
            }
            Event::AccessClockSet { ends, .. } => {
                self.access.clone_from(ends);
                self.access_set_at = Some(at);
            }
            Event::UndoOrdered {
                by,
                reason,
                actions,
            } => self.undo_orders.push(UndoOrder {
                at,
                by: by.clone(),
                reason: reason.clone(),
                actions: actions.clone(),
                planned: false,
            }),
            Event::ObjectRestored {
                action,
                object,
                differs,
            } => {
                let restored = Restored {
                    at,
                    object: object.clone(),
                    differs: differs.clone(),
                };
                self.restored.insert(*action, restored);
            }
            Event::EvictionEffective { snapshot } => self.effective = Some((at, *snapshot)),
            Event::Reopened { .. } => {
                self.reopened += 1;
                self.closed = None;
                self.effective = None;
                self.restored_at = None;
                self.watch_from = None;
                self.access.clear();
                self.access_set_at = None;
                self.gates.clear();
                self.warnings_made = false;
            }
            Event::Closed(closing) => self.closed = Some((at, closing.clone())),
        }
    }

    /// Sign-in was given back, or taken again by an undo of that.
    fn sign_in_switched(&mut self, at: Timestamp, planned: &Planned) {
        if planned.makes(ActionKind::RestoreSignIn) {
            self.restored_at = Some(at);
        } else if let Some(allowed) = planned
            .undoes
            .and_then(|of| undo::sign_in_without(self, of))
        {
            self.restored_at = allowed.then_some(at);
        }
    }

    fn take_plan(&mut self, plan: &Plan) {
        if plan.is_undo()
            && let Some(order) = self.undo_orders.last_mut()
        {
            order.planned = true;
        }
        // A second person agrees to one plan, not to those that come after.
        if !plan.is_undo() && !plan.actions.is_empty() {
            self.gates.remove(&Gate::SecondPerson);
        }
        for planned in &plan.actions {
            if planned.undoes.is_none() && planned.kind.spec().scope.takes_two() {
                self.takes_two.insert(planned.action);
            }
            let state = ActionState {
                planned: planned.clone(),
                plan: plan.plan,
                intended: Vec::new(),
                before: None,
                applied: None,
                verified: None,
                stopped: None,
            };
            self.actions.insert(planned.action, state);
        }
        self.plans.push(plan.clone());
    }

    /// The latest plan that moves the case: no undo.
    pub fn plan(&self) -> Option<&Plan> {
        self.plans.iter().rfind(|plan| !plan.is_undo())
    }

    /// The actions of the latest plan, in its order.
    pub fn plan_actions(&self) -> impl Iterator<Item = &ActionState> {
        self.plan()
            .map_or(&[][..], |plan| &plan.actions)
            .iter()
            .filter_map(|planned| self.actions.get(&planned.action))
    }

    /// The latest snapshot.
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshots.last()
    }

    /// What plans left alone and no action removed since: a refusal that was put
    /// right and done later is not left.
    pub fn left(&self) -> impl Iterator<Item = &Left> {
        self.plans
            .iter()
            .flat_map(|plan| &plan.left)
            .filter(|left| {
                !self.actions.values().any(|action| {
                    action.verified.is_some()
                        && action.planned.undoes.is_none()
                        && action.planned.object == left.object
                })
            })
            // Nor is what a person removed, or whose it is its owner said.
            .filter(|left| {
                !self.tasks.values().any(|task| {
                    task.object.as_ref() == Some(&left.object)
                        && (task.verified.is_some()
                            || task
                                .said
                                .as_deref()
                                .is_some_and(|said| crate::errands::yes_or_no(said).is_some()))
                })
            })
    }

    /// The logs that could not be read for want of a permission or role when they were
    /// last asked: what they hold is not known, and whoever grants it can change that.
    pub fn lacking(&self) -> impl Iterator<Item = &Source> {
        self.analysis
            .iter()
            .flat_map(|(_, analysis)| &analysis.sources)
            .filter(|source| source.looked == Looked::CouldNot)
            .filter(|source| {
                ![judge::EARLIER_AUDIT, judge::EARLIER_TRACE].contains(&source.name.as_str())
            })
            .filter(|source| source.code.as_deref() == Some(codes::PERMISSION_MISSING.id))
    }

    /// Whether the logs say that somebody has to be warned and nobody has been told to
    /// yet: what a log holds may be known only after it could be read again.
    pub fn warning_owed(&self) -> bool {
        self.fraud_is_credible() && self.warnings.is_empty()
    }

    /// Whether somebody has to be warned: the mailbox was in a stranger's hands, or mail
    /// came from outside under its name, or money has moved. None of these needs the
    /// others: fraud can be real where no account was taken.
    pub fn fraud_is_credible(&self) -> bool {
        let logs = self.analysis.as_ref().is_some_and(|(_, analysis)| {
            matches!(analysis.verdict.as_str(), "compromised" | "suspicious")
                || !analysis.impersonated.is_empty()
        });
        logs || self.money_moved()
    }

    /// Whether somebody answered that money or a bank detail has moved.
    pub fn money_moved(&self) -> bool {
        matches!(
            self.gates.get(&Gate::Money),
            Some(GateState::Passed { answer: Some(answer), .. })
                if answer.trim().to_ascii_lowercase().starts_with("yes")
        )
    }

    /// A log that tells whose a change was, and that could not be read when it was
    /// last asked. Where the tenant has no licence for it, nobody can read it: then the
    /// case goes on and says so.
    pub fn unjudged(&self) -> Option<&Source> {
        self.analysis
            .iter()
            .flat_map(|(_, analysis)| &analysis.sources)
            .filter(|source| LOGS_FOR_JUDGEMENT.contains(&source.name.as_str()))
            .filter(|source| source.looked == Looked::CouldNot)
            // What was not recorded, nobody reads either.
            .find(|source| {
                let code = source.code.as_deref();
                code != Some(codes::LICENCE_MISSING.id) && code != Some(codes::AUDITING_OFF.id)
            })
    }

    /// Whether this gate is open: passed, or overridden.
    pub fn gate_open(&self, gate: Gate) -> bool {
        matches!(
            self.gates.get(&gate),
            Some(GateState::Passed { .. } | GateState::Overridden { .. })
        )
    }

    /// When the attacker was last seen in the account after sign-in was given back, if so.
    pub fn seen_again(&self) -> Option<Timestamp> {
        let restored = self.restored_at?;
        let (_, analysis) = self.analysis.as_ref()?;
        analysis.last_known_bad.filter(|last| *last > restored)
    }

    /// Since when sign-in has been blocked by us and not given back. A block that
    /// the tenant accepted and then did not show is none.
    pub fn contained_since(&self) -> Option<Timestamp> {
        if self.restored_at.is_some() {
            return None;
        }
        self.actions
            .values()
            .filter(|action| action.planned.blocks_sign_in())
            .filter(|action| action.stopped.is_none())
            .filter_map(|action| action.applied.as_ref().map(|(at, _)| *at))
            .max()
    }

    /// Whether both block and revoke stand: neither was stopped the last time that
    /// it was tried.
    pub fn is_contained(&self) -> bool {
        let revoked = self
            .actions
            .values()
            .filter(|action| action.planned.makes(ActionKind::RevokeSessions))
            .rfind(|action| !action.intended.is_empty() || action.settled())
            .is_some_and(|action| action.applied.is_some() && action.stopped.is_none());
        revoked && self.contained_since().is_some()
    }

    /// When the last piece of known access ends.
    pub fn access_ends_at(&self) -> Option<Timestamp> {
        let known = self.access.iter().map(|end| end.ends_at).max()?;
        // An app that acts for itself gets tokens until it is switched off, and those
        // live on for their time (reference §9.3).
        let life = jiff::SignedDuration::from_mins(
            crate::plan::TOKEN_LIFE_MIN + crate::plan::CLOCK_MARGIN_MIN,
        );
        let apps = self
            .actions
            .values()
            .filter(|action| action.planned.makes(ActionKind::DisableApp))
            .filter_map(|action| action.applied.as_ref()?.0.checked_add(life).ok())
            .max();
        Some(apps.map_or(known, |end| end.max(known)))
    }

    /// The number that the next action gets.
    pub fn next_action(&self) -> u32 {
        self.actions.keys().map(|id| id.0).max().unwrap_or(0) + 1
    }
}
