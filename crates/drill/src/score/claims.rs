//! Whether what the case says is what the trace shows.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use retake_playbook::event::{ActionId, Applied, Planned};
use retake_playbook::{ActionKind, ArtefactId, Digest, Event, ObjectKind, State, undo};

use super::case::Case;
use super::form::UnprovenClaim;
use super::reads::Reads;
use super::trace::{Did, Effect, Foothold, Line, Object, Trace};

/// Every claim of the case that the trace does not bear out; without a case,
/// nothing is claimed.
pub(super) fn claims_not_verified(
    trace: &Trace,
    case: Option<&Case>,
    contained: Option<u64>,
) -> Vec<UnprovenClaim> {
    let Some(case) = case else {
        return Vec::new();
    };
    let judge = Judge {
        trace,
        case,
        reads: Reads::new(trace, case),
    };
    let mut found = BTreeSet::new();
    judge.actions(&mut found);
    judge.clean_snapshots(&mut found);
    judge.warnings(&mut found);
    judge.tasks(&mut found);
    judge.access_clock(contained, &mut found);
    found.into_iter().collect()
}

struct Judge<'a> {
    trace: &'a Trace,
    case: &'a Case,
    reads: Reads<'a>,
}

fn claim(action: impl Into<String>, object: impl Into<String>) -> UnprovenClaim {
    UnprovenClaim {
        action: action.into(),
        object: object.into(),
    }
}

impl Judge<'_> {
    /// Each verified action: the request was accepted, it changed what it was said
    /// to change, and the evidence is a later read that shows the effect.
    fn actions(&self, found: &mut BTreeSet<UnprovenClaim>) {
        for (at, event) in &self.case.events {
            let Event::ActionVerified { action, evidence } = event else {
                continue;
            };
            let Some(planned) = self.case.planned(*action) else {
                found.insert(claim(format!("action {action}"), "not in any plan"));
                continue;
            };
            if !self.is_verified(*at, *action, planned, evidence) {
                found.insert(claim(kind_word(planned.kind), &planned.object.id));
            }
        }
    }

    fn is_verified(
        &self,
        at: Timestamp,
        action: ActionId,
        planned: &Planned,
        evidence: &Digest,
    ) -> bool {
        let object = self.object_of(planned);
        let how = self.case.last(|_, event| match event {
            Event::ActionApplied {
                action: applied,
                how,
                ..
            } if *applied == action => Some(*how),
            _ => None,
        });
        // After which line the effect has to show, and from when it dates.
        let mut sent = None;
        let (after, since) = match how {
            None => return false,
            Some(Applied::AlreadySo) => match self.first_intent_or_plan(action) {
                Some(from) => (self.line_before(from), None),
                None => return false,
            },
            Some(how @ (Applied::Accepted | Applied::FoundByReading)) => {
                match self.change(action, at, how, &object) {
                    Some(line) => {
                        sent = Some(line);
                        (line.n, Some(line.at))
                    }
                    None => return false,
                }
            }
        };
        self.trace
            .lines
            .iter()
            .flat_map(Line::with_parts)
            .filter(|line| {
                line.n > after
                    && line.at <= at
                    && line.is_read()
                    && line.response_sha256.as_ref() == Some(evidence)
            })
            .any(|line| match planned.undoes {
                None => self.shows_effect(planned.kind, &object, line, since, sent),
                Some(of) => self.shows_undone(of, &object, line, at),
            })
    }

    /// What an undo brought back is shown, under the id that it has now.
    fn shows_undone(&self, of: ActionId, object: &Object, line: &Line, at: Timestamp) -> bool {
        if object.kind == ObjectKind::Account {
            let until = self.case.events.iter().filter(|(when, _)| *when <= at);
            let state = State::fold(until.map(|(when, event)| (*when, event)));
            return undo::sign_in_without(&state, of)
                .is_some_and(|allowed| self.shows_switch(line, object, allowed));
        }
        let emptied = object.kind == ObjectKind::MailboxForwarding
            && self.reads.shows_no_forwarding(line, object);
        !emptied && self.reads.shows(line, object)
    }

    /// What an action is about: for an undo, the object that it brought back.
    fn object_of(&self, planned: &Planned) -> Object {
        let back = self.case.last(|_, event| match event {
            Event::ObjectRestored { action, object, .. } if *action == planned.action => {
                Some(&object.object)
            }
            _ => None,
        });
        let object = back.unwrap_or(&planned.object);
        Object {
            kind: object.kind,
            id: object.id.clone(),
        }
    }

    /// The line with which the action was carried out.
    fn change(
        &self,
        action: ActionId,
        until: Timestamp,
        how: Applied,
        object: &Object,
    ) -> Option<&Line> {
        let intents: Vec<(Timestamp, &Digest)> = self
            .case
            .events
            .iter()
            .filter_map(|(at, event)| match event {
                Event::ActionIntended {
                    action: intended,
                    request,
                    ..
                } if *intended == action => Some((*at, &request.sha256)),
                _ => None,
            })
            .collect();
        let undoes = self
            .case
            .planned(action)
            .is_some_and(|planned| planned.undoes.is_some());
        self.trace.lines.iter().rev().find(|line| {
            let meant = intents.iter().any(|(intended, digest)| {
                line.request_sha256.as_ref() == Some(*digest)
                    && line.at >= *intended
                    && line.at <= until
            });
            let accepted = line.succeeded() || how == Applied::FoundByReading;
            // What is made again has an id that nobody knew when it was asked for.
            let of_this = line.effects.is_empty()
                || line.effects.iter().any(|effect| {
                    self.trace.same(&effect.object, object.kind, &object.id)
                        || (undoes && effect.object.kind == object.kind)
                });
            line.by_responder() && meant && accepted && of_this
        })
    }

    fn first_intent_or_plan(&self, action: ActionId) -> Option<Timestamp> {
        self.case.events.iter().find_map(|(at, event)| match event {
            Event::ActionIntended {
                action: intended, ..
            } if *intended == action => Some(*at),
            Event::PlanMade(plan) if plan.actions.iter().any(|a| a.action == action) => Some(*at),
            _ => None,
        })
    }

    /// The number of the last line before a moment.
    fn line_before(&self, at: Timestamp) -> u64 {
        self.trace
            .lines
            .iter()
            .take_while(|line| line.at < at)
            .last()
            .map_or(0, |line| line.n)
    }

    fn shows_effect(
        &self,
        kind: ActionKind,
        object: &Object,
        line: &Line,
        since: Option<Timestamp>,
        change: Option<&Line>,
    ) -> bool {
        use ActionKind as Kind;
        match kind {
            Kind::BlockSignIn => self.shows_switch(line, object, false),
            Kind::RestoreSignIn => self.shows_switch(line, object, true),
            Kind::RevokeSessions => {
                self.shows_time(line, object, "signInSessionsValidFromDateTime", since)
            }
            Kind::ResetPassword => {
                self.shows_time(line, object, "lastPasswordChangeDateTime", since)
            }
            Kind::ClearForwarding => self.reads.shows_no_forwarding(line, object),
            Kind::RaiseRetention => {
                self.reads
                    .shows_value(line, object, "RetainDeletedItemsFor", |value| {
                        value.as_str().is_some_and(|span| span.starts_with("30."))
                    })
            }
            Kind::HoldMailbox => {
                self.reads
                    .shows_value(line, object, "LitigationHoldEnabled", |value| {
                        value.as_bool() == Some(true)
                    })
            }
            Kind::RemoveMethod
            | Kind::RemoveInboxRule
            | Kind::RemoveHiddenRule
            | Kind::RemoveRuleInExchange
            | Kind::RemoveGrant
            | Kind::RemoveRole
            | Kind::RemoveMailboxRight
            | Kind::RemoveFolderRight
            | Kind::RemoveSweepRule
            | Kind::RemovePartnership
            | Kind::RemoveAppRole
            | Kind::LiftSendingBlock => self.reads.shows_gone(line, object),
            // To what it was set is told by the change itself.
            Kind::RestoreResetAttribute => {
                let property = object.id.rsplit('/').next().unwrap_or_default();
                let set = change
                    .iter()
                    .flat_map(|change| &change.effects)
                    .filter(|effect| effect.object.id == object.id)
                    .find_map(|effect| effect.did.field(property))
                    .map(|(_, to)| to.clone());
                self.reads.shows_reset_value(line, object, |value| {
                    set.as_ref().is_none_or(|set| set == value)
                })
            }
            Kind::SwitchOffAutoReply => {
                self.reads
                    .shows_value(line, object, "AutoReplyState", |state| state == "Disabled")
            }
            // Which values went is told by the change itself.
            Kind::RemoveJunkEntries | Kind::RestoreProtocols => change.is_none_or(|change| {
                change
                    .effects
                    .iter()
                    .filter(|effect| effect.object.id != object.id)
                    .all(|effect| match effect.object.kind {
                        ObjectKind::MailProtocols => {
                            self.reads.shows_protocol_off(line, &effect.object)
                        }
                        _ => self.reads.shows_gone(line, &effect.object),
                    })
            }),
            Kind::ChooseDefaultMethod => self.shows_a_default(line),
            Kind::DisableDevice | Kind::DisableApp => {
                self.reads.shows_gone(line, object) || self.reads.shows_switched_off(line, object)
            }
        }
    }

    fn shows_switch(&self, line: &Line, object: &Object, enabled: bool) -> bool {
        self.account_values(line, object, "accountEnabled", |value| {
            value.as_bool() == Some(enabled)
        })
    }

    /// Which method is the default is shown as a kind alone (reference §2.3).
    fn shows_a_default(&self, line: &Line) -> bool {
        let field = "userPreferredMethodForSecondaryAuthentication";
        line.path.ends_with("/signInPreferences")
            && self.reads.body(line).is_some_and(|body| {
                body.values_of(field, None)
                    .iter()
                    .any(|word| word.as_str().is_some_and(|word| !word.is_empty()))
            })
    }

    /// The service keeps these times to the second.
    fn shows_time(
        &self,
        line: &Line,
        object: &Object,
        property: &str,
        since: Option<Timestamp>,
    ) -> bool {
        let since = since.map(whole_second);
        self.account_values(line, object, property, |value| {
            value
                .as_str()
                .and_then(|text| text.parse::<Timestamp>().ok())
                .is_some_and(|time| since.is_none_or(|since| time >= since))
        })
    }

    fn account_values(
        &self,
        line: &Line,
        object: &Object,
        property: &str,
        fits: impl Fn(&serde_json::Value) -> bool,
    ) -> bool {
        if !self.reads.shows(line, object) {
            return false;
        }
        let names = self.trace.names(object);
        self.reads.body(line).is_some_and(|body| {
            let values = body.values_of(property, Some(&names));
            !values.is_empty() && values.iter().all(|value| fits(value))
        })
    }

    /// Each statement that nothing is left: the eviction is effective, the watch
    /// is over. It names a snapshot, and the snapshot must have looked.
    fn clean_snapshots(&self, found: &mut BTreeSet<UnprovenClaim>) {
        let mut watch_ended = false;
        for (at, event) in &self.case.events {
            match event {
                Event::EvictionEffective { snapshot } => {
                    let from = self.last_change(*at, |effect| effect.did == Did::Revoked);
                    self.clean("eviction_effective", *snapshot, from, *at, found);
                }
                Event::WatchEnded { snapshot } => {
                    watch_ended = true;
                    let stays_blocked = self.trace.account.stays_blocked;
                    let from = self.last_change(*at, |effect| {
                        if stays_blocked {
                            effect.did == Did::Revoked
                        } else {
                            effect.did.sets("accountEnabled", true)
                        }
                    });
                    self.clean("watch_ended", *snapshot, from, *at, found);
                }
                Event::Reopened { .. } => watch_ended = false,
                Event::Closed(_) if !watch_ended && !self.is_let_go(*at) => {
                    found.insert(claim("closed", "the watch had not ended"));
                }
                _ => {}
            }
        }
    }

    /// A named person may close without the watch, or take the containment back.
    fn is_let_go(&self, by: Timestamp) -> bool {
        self.case.events.iter().any(|(at, event)| {
            *at <= by
                && match event {
                    Event::GateOverridden { gate, .. } => {
                        matches!(
                            gate,
                            retake_playbook::Gate::Close | retake_playbook::Gate::Release
                        )
                    }
                    Event::GatePassed { gate, .. } => *gate == retake_playbook::Gate::Release,
                    Event::ReleaseOrdered { .. } => true,
                    _ => false,
                }
        })
    }

    /// The responder's last change of the affected account of this kind.
    fn last_change(&self, until: Timestamp, wanted: impl Fn(&Effect) -> bool) -> Option<u64> {
        self.trace
            .responder_changes()
            .filter(|(line, effect)| {
                line.at <= until && self.trace.is_account(&effect.object) && wanted(effect)
            })
            .last()
            .map(|(line, _)| line.n)
    }

    /// The snapshot was taken from reads after line `from`, and those reads show
    /// of every foothold in the directory or mailbox that it is no longer there.
    fn clean(
        &self,
        action: &str,
        snapshot: u32,
        from: Option<u64>,
        until: Timestamp,
        found: &mut BTreeSet<UnprovenClaim>,
    ) {
        let (Some(taken), Some(from)) = (self.case.snapshot(snapshot), from) else {
            found.insert(claim(action, format!("snapshot {snapshot}")));
            return;
        };
        let reads: Vec<&Line> = self
            .reads
            .between(from, u64::MAX)
            .filter(|line| line.at >= taken.at && line.at <= until)
            .collect();
        for seen in &taken.objects {
            let backed = seen.evidence.iter().all(|digest| {
                reads
                    .iter()
                    .any(|line| line.response_sha256.as_ref() == Some(digest))
            });
            if !backed || seen.evidence.is_empty() {
                found.insert(claim(action, &seen.object.id));
            }
        }
        for held in &self.trace.footholds {
            if held.since.is_some_and(|since| since > taken.at) {
                continue;
            }
            let looked = match held.object.kind {
                ObjectKind::Method
                | ObjectKind::InboxRule
                | ObjectKind::OauthGrant
                | ObjectKind::MailboxRight
                | ObjectKind::FolderRight
                | ObjectKind::SweepRule
                | ObjectKind::JunkLists
                | ObjectKind::AppRole
                | ObjectKind::MobilePartnership => reads
                    .iter()
                    .any(|line| self.reads.shows_gone(line, &held.object)),
                ObjectKind::MailboxForwarding => reads
                    .iter()
                    .any(|line| self.reads.shows_no_forwarding(line, &held.object)),
                ObjectKind::AutoReply => reads.iter().any(|line| {
                    self.reads
                        .shows_value(line, &held.object, "AutoReplyState", |state| {
                            state == "Disabled"
                        })
                }),
                ObjectKind::ResetAttributes => reads
                    .iter()
                    .any(|line| self.reads.shows_contact_gone(line, &held.object)),
                ObjectKind::MailProtocols => reads
                    .iter()
                    .any(|line| self.reads.shows_protocol_off(line, &held.object)),
                ObjectKind::Device | ObjectKind::ServicePrincipal => reads.iter().any(|line| {
                    self.reads.shows_gone(line, &held.object)
                        || self.reads.shows_switched_off(line, &held.object)
                }),
                // Passwords, sessions and tokens cannot be read; their actions and
                // the access clock speak for them.
                _ => true,
            };
            if !looked && !self.is_somebodys_word(&held.object, taken, until) {
                found.insert(claim(action, &held.object.id));
            }
        }
    }

    /// Somebody whom the case says was warned, and who was not.
    fn warnings(&self, found: &mut BTreeSet<UnprovenClaim>) {
        for (at, event) in &self.case.events {
            let Event::WarningDone { warning, .. } = event else {
                continue;
            };
            let who = self.case.events.iter().find_map(|(_, event)| match event {
                Event::WarningDue {
                    warning: due, who, ..
                } if due == warning => Some(who.as_str()),
                _ => None,
            });
            let who = who.unwrap_or_default();
            if !super::measure::was_warned(self.trace, who, Some(*at)) {
                found.insert(claim("warning_done", who));
            }
        }
    }

    /// A task that is said to be verified needs an answer that the tenant gave
    /// after the task was done, or a document of the case where nothing can be read.
    fn tasks(&self, found: &mut BTreeSet<UnprovenClaim>) {
        for (at, event) in &self.case.events {
            let Event::TaskVerified { task, evidence } = event else {
                continue;
            };
            let answers: Vec<&Line> = self
                .trace
                .lines
                .iter()
                .flat_map(Line::with_parts)
                .filter(|line| {
                    line.by_responder() && line.response_sha256.as_ref() == Some(evidence)
                })
                .collect();
            let done = self
                .case
                .events
                .iter()
                .find_map(|(done, event)| match event {
                    Event::TaskDone { task: other, .. } if other == task => Some(*done),
                    _ => None,
                });
            let in_time = answers.is_empty()
                || done.is_some_and(|done| {
                    answers.iter().any(|line| line.at >= done && line.at <= *at)
                });
            if !in_time || !self.case.evidence.contains_key(evidence) {
                found.insert(claim("task_verified", format!("task {task}")));
            }
        }
    }

    /// What the attacker got after the containment without the access clock having
    /// said so: it announced nothing for this artefact, or an earlier end.
    ///
    /// The clock that counts is the last one set before; the first one counts for
    /// what happened until it was set. No clock speaks for what the attacker makes
    /// anew after sign-in was given back: that is for the watch to see, and the next
    /// clock counts again.
    fn access_clock(&self, contained: Option<u64>, found: &mut BTreeSet<UnprovenClaim>) {
        let Some(contained) = contained else {
            return;
        };
        let from = self
            .trace
            .lines
            .get(contained as usize)
            .map_or(Timestamp::MIN, |line| line.at);
        for line in self
            .trace
            .lines
            .iter()
            .filter(|line| line.n > contained && line.got_something())
        {
            let unannounced = |artefact: ArtefactId| {
                line.got_at().into_iter().any(|at| {
                    at >= from
                        && !self.is_announced(artefact, at)
                        && !self.is_new_after_return(artefact, at)
                })
            };
            if let Some(artefact) = line.attempt
                && unannounced(artefact)
            {
                found.insert(claim("access_clock", artefact.to_string()));
            }
        }
    }

    /// Whether the attacker made this anew after sign-in was given back for the last
    /// time, and no access clock was set since.
    fn is_new_after_return(&self, artefact: ArtefactId, at: Timestamp) -> bool {
        let given_back = self
            .trace
            .responder_changes()
            .filter(|(line, effect)| {
                line.at <= at
                    && self.trace.is_account(&effect.object)
                    && effect.did.sets("accountEnabled", true)
            })
            .map(|(line, _)| line.at)
            .max();
        let Some(given_back) = given_back else {
            return false;
        };
        let clock_since = self.case.events.iter().any(|(set, event)| {
            matches!(event, Event::AccessClockSet { .. }) && *set > given_back && *set <= at
        });
        let since = |held: &Foothold| {
            let line = self.trace.lines.get(usize::try_from(held.renewed).ok()?)?;
            Some(line.at).filter(|since| *since > given_back && *since <= at)
        };
        !clock_since
            && self
                .trace
                .footholds
                .iter()
                .any(|held| held.artefact == artefact && since(held).is_some())
    }

    /// A piece without an end of its own may be announced as lasting until it is
    /// removed; that ends with the declaration that the eviction is effective.
    fn is_announced(&self, artefact: ArtefactId, at: Timestamp) -> bool {
        let mut applicable = None;
        for (set, event) in &self.case.events {
            if let Event::AccessClockSet {
                ends,
                until_removed,
            } = event
                && (*set <= at || applicable.is_none())
            {
                applicable = Some((*set, ends, until_removed));
            }
        }
        applicable.is_some_and(|(set, ends, until_removed)| {
            // The declaration that closes this clock; one of before the case was opened
            // again closed another.
            let declared = self.case.events.iter().find_map(|(declared, event)| {
                (matches!(event, Event::EvictionEffective { .. }) && *declared >= set)
                    .then_some(*declared)
            });
            ends.iter()
                .any(|end| end.artefact == artefact && at <= end.ends_at)
                || (declared.is_none_or(|declared| at <= declared)
                    && works_until_removed(artefact)
                    && until_removed.iter().any(|piece| piece.artefact == artefact))
        })
    }
}

impl Judge<'_> {
    /// Whether the case says that it could not read objects of this kind, and who looked
    /// in its place: then it claims no more than that somebody said so. Whether it was so
    /// stands in the score of the artefact itself.
    fn is_somebodys_word(
        &self,
        object: &Object,
        taken: &retake_playbook::event::Snapshot,
        until: Timestamp,
    ) -> bool {
        let name = retake_playbook::judge::source_of(object.kind);
        let unread = taken.sources.iter().any(|source| {
            source.name == name && source.looked != retake_playbook::event::Looked::Whole
        });
        // Or it was gone by a person's hand before it could be read for the first time.
        let listed = taken
            .objects
            .iter()
            .any(|seen| self.trace.same(object, seen.object.kind, &seen.object.id));
        let asked = self
            .case
            .events
            .iter()
            .filter_map(|(_, event)| match event {
                Event::TaskOpened { task, what, .. } if what.contains(name) => Some(task),
                _ => None,
            });
        let said: BTreeSet<&u32> = asked.collect();
        (unread || !listed)
            && self.case.events.iter().any(|(at, event)| {
                *at <= until && matches!(event, Event::TaskDone { task, .. } if said.contains(task))
            })
    }
}

/// Whether an artefact is an object whose removal ends it: nobody can announce a
/// token as lasting until further notice.
fn works_until_removed(artefact: ArtefactId) -> bool {
    retake_playbook::catalogue::ARTEFACTS.iter().any(|spec| {
        spec.id == artefact
            && matches!(
                spec.object,
                ObjectKind::InboxRule
                    | ObjectKind::MailboxForwarding
                    | ObjectKind::MailboxRight
                    | ObjectKind::FolderRight
                    | ObjectKind::SweepRule
                    | ObjectKind::AutoReply
                    | ObjectKind::JunkLists
                    | ObjectKind::ClientSideRule
                    | ObjectKind::ServicePrincipal
            )
    })
}

/// The action's word in the journal.
fn kind_word(kind: ActionKind) -> String {
    serde_json::to_value(kind)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn whole_second(at: Timestamp) -> Timestamp {
    let nanos = i64::from(at.subsec_nanosecond());
    at.checked_sub(SignedDuration::from_nanos(nanos))
        .unwrap_or(at)
}
