//! What a scenario must keep to beyond the form of its file.

use std::collections::BTreeSet;

use retake_playbook::ArtefactId;

use super::{Move, Outcome, Role, SCHEMA, Scenario, TakeoverPath};
use crate::unconfirmed::Unconfirmed;

/// The first thing that is wrong, and where in the text.
pub(super) struct Problem {
    pub(super) offset: usize,
    pub(super) reason: String,
}

/// Checks everything that one value alone does not show.
pub(super) fn first_problem(scenario: &Scenario) -> Option<Problem> {
    header(scenario)
        .or_else(|| super::account::first_problem(scenario))
        .or_else(|| steps(scenario))
        .or_else(|| comebacks(scenario))
        .or_else(|| baits(scenario))
        .or_else(|| people(scenario))
        .or_else(|| switches(scenario))
        .or_else(|| expectations(scenario))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every check ends with the option that says whether there is a problem"
)]
fn problem(offset: usize, reason: impl Into<String>) -> Option<Problem> {
    Some(Problem {
        offset,
        reason: reason.into(),
    })
}

fn header(scenario: &Scenario) -> Option<Problem> {
    let schema = &scenario.schema;
    if schema.get_ref() != SCHEMA {
        return problem(
            schema.span().start,
            format!(
                "schema is `{}`; this program reads `{SCHEMA}`",
                schema.get_ref()
            ),
        );
    }
    let id = &scenario.id;
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if id.get_ref().is_empty() || !id.get_ref().bytes().all(plain) {
        return problem(
            id.span().start,
            format!(
                "id `{}` may hold lower-case letters, digits and hyphens only",
                id.get_ref()
            ),
        );
    }
    if scenario.company.people.low < 4 {
        return problem(
            id.span().end,
            "company.people: at least 4 people are needed for the roles of a response",
        );
    }
    if scenario.company.vendors.low < 2 {
        return problem(
            id.span().end,
            "company.vendors: at least 2 are needed, one of them for the stolen thread",
        );
    }
    None
}

fn steps(scenario: &Scenario) -> Option<Problem> {
    if scenario.path == TakeoverPath::None {
        let inside = scenario
            .steps
            .iter()
            .find(|step| !step.get_ref().action.is_outside());
        return match inside {
            Some(step) => problem(
                step.span().start,
                format!(
                    "the path is `none`, so `{}` cannot happen: there is no access to the account",
                    step.get_ref().action.as_str()
                ),
            ),
            None => nobody_asked(scenario),
        };
    }
    std::iter::once(None)
        .chain(scenario.further().map(|further| Some(&further.name)))
        .find_map(|on| steps_on(scenario, on))
        .or_else(|| nobody_asked(scenario))
}

/// The steps on one account: each account has a way in of its own.
fn steps_on(scenario: &Scenario, on: Option<&String>) -> Option<Problem> {
    let here = || {
        scenario
            .steps
            .iter()
            .filter(|step| step.get_ref().on.as_ref() == on)
    };
    let Some(entry) = here().find(|step| step.get_ref().action.entry().is_some()) else {
        let offset = here().next().map_or(0, |step| step.span().start);
        return problem(
            offset,
            "no step lets the attacker in: the first must be one that does, such as `phish`",
        );
    };
    let way_in = entry.get_ref().action;
    let way_word = way_in.as_str();
    if on.is_none() && way_in.entry() != Some(scenario.path) {
        return problem(
            entry.span().start,
            format!(
                "the path is `{}`, and `{way_word}` is another way in",
                scenario.path.as_str()
            ),
        );
    }
    let mut seen = BTreeSet::new();
    for step in here() {
        let at = step.span().start;
        let step = step.get_ref();
        let name = step.action.as_str();
        if step.action == Move::PhoneHelpDesk {
            return problem(
                at,
                "`phone_help_desk` is a comeback: it happens after sign-in was given back",
            );
        }
        if step.action != way_in && step.action.entry().is_some() {
            return problem(
                at,
                format!("`{way_word}` lets the attacker in already: `{name}` is a second way in"),
            );
        }
        let needs_access = step.action != way_in && !step.action.is_outside();
        if needs_access && step.before.high >= entry.get_ref().before.low {
            return problem(
                at,
                format!(
                    "`{name}` could come before `{way_word}`, when the attacker has no session yet"
                ),
            );
        }
        if matches!(way_in, Move::PhishConsent | Move::PhishAppConsent)
            && needs_access
            && !step.action.by_app()
        {
            return problem(
                at,
                format!(
                    "`{name}` needs a session of the account, and `{way_word}` gives none: an app can read and send"
                ),
            );
        }
        let shared = matches!(
            step.action,
            Move::ReadShared
                | Move::RuleInShared
                | Move::ForwardShared
                | Move::ReplyInShared
                | Move::SendAsShared
        );
        if shared && scenario.company.shared_mailboxes.low == 0 {
            return problem(
                at,
                format!(
                    "`{name}` needs a shared mailbox: company.shared_mailboxes says that there may be none"
                ),
            );
        }
        let repeatable = matches!(
            step.action,
            Move::ReadMail | Move::ReadShared | Move::SendAsShared
        ) || step.action.asks_for_money();
        if !seen.insert(name) && !repeatable {
            return problem(at, format!("`{name}` stands twice; it happens once"));
        }
        if step.action == way_in && step.chance.0 < 100 {
            return problem(
                at,
                format!("`{way_word}` is how the attacker gets in: it has no chance of its own"),
            );
        }
        if step.action == way_in && step.shuffle.is_some() {
            return problem(
                at,
                format!("`{way_word}` is always first and cannot be shuffled"),
            );
        }
    }
    None
}

fn nobody_asked(scenario: &Scenario) -> Option<Problem> {
    let asked = scenario.steps().any(|step| step.action.asks_for_money());
    if scenario.money_moved && !asked {
        return problem(
            0,
            "money_moved is true, but no step is `send_fraud`, `spoof_mail` or `vendor_mail`: nobody asked for the money",
        );
    }
    None
}

/// Whoever was thrown out needs a way in first.
fn comebacks(scenario: &Scenario) -> Option<Problem> {
    let call = scenario
        .comebacks
        .iter()
        .find(|comeback| comeback.get_ref().action == Move::PhoneHelpDesk)
        .map(|comeback| comeback.get_ref().after.high);
    let mut calls = 0;
    for comeback in &scenario.comebacks {
        let at = comeback.span().start;
        let comeback = comeback.get_ref();
        let name = comeback.action.as_str();
        match (comeback.action, call) {
            (Move::PhoneHelpDesk, _) => {
                calls += 1;
                if calls > 1 {
                    return problem(at, "`phone_help_desk` stands twice; it happens once");
                }
            }
            (action, _) if action.entry().is_some() => {
                return problem(
                    at,
                    format!("`{name}` cannot be a comeback: it is how an attack begins"),
                );
            }
            (_, None) => {
                return problem(
                    at,
                    format!("`{name}` needs a session: a comeback begins with `phone_help_desk`"),
                );
            }
            (_, Some(call)) if comeback.after.low <= call => {
                return problem(
                    at,
                    format!(
                        "`{name}` could come before `phone_help_desk`, when the attacker has no session yet"
                    ),
                );
            }
            _ => {}
        }
    }
    None
}

fn baits(scenario: &Scenario) -> Option<Problem> {
    let mut seen = Vec::new();
    for bait in &scenario.baits {
        let kind = bait.get_ref().kind;
        if seen.contains(&kind) {
            return problem(bait.span().start, "this bait stands twice");
        }
        seen.push(kind);
    }
    None
}

fn people(scenario: &Scenario) -> Option<Problem> {
    let mut seen = BTreeSet::new();
    for person in &scenario.people {
        let at = person.span().start;
        let person = person.get_ref();
        if !seen.insert(person.role) {
            return problem(
                at,
                format!(
                    "there are two people with the role `{}`",
                    person.role.as_str()
                ),
            );
        }
        let mut tasks = BTreeSet::new();
        for script in &person.tasks {
            if !tasks.insert(script.task.as_str()) {
                return problem(
                    at,
                    format!(
                        "`{}` is told twice what to do with the task `{}`",
                        person.role.as_str(),
                        script.task
                    ),
                );
            }
            if script.task == "first_sign_in"
                && person.role != Role::User
                && script.outcome == Outcome::Done
            {
                return problem(
                    at,
                    "only the `user` can do the task `first_sign_in`: it is their sign-in",
                );
            }
        }
    }
    for role in [Role::Approver, Role::User] {
        if !seen.contains(&role) {
            let offset = scenario
                .people
                .first()
                .map_or(0, |first| first.span().start);
            return problem(
                offset,
                format!(
                    "nobody has the role `{}`, and no response goes without",
                    role.as_str()
                ),
            );
        }
    }
    None
}

fn switches(scenario: &Scenario) -> Option<Problem> {
    let mut all = Unconfirmed::default();
    scenario.unconfirmed.iter().find_map(|(name, variant)| {
        let wrong = all.set(name, variant.get_ref()).err()?;
        problem(variant.span().start, wrong.to_string())
    })
}

fn expectations(scenario: &Scenario) -> Option<Problem> {
    let at = scenario.expect.span().start;
    let expect = scenario.expect();
    let left: BTreeSet<_> = scenario
        .steps()
        .flat_map(|step| step.action.leaves())
        .copied()
        .chain(scenario.further().map(|_| ArtefactId::SECOND_ACCOUNT))
        .collect();
    let evicted: BTreeSet<_> = expect.evict.iter().copied().collect();
    if let Some(extra) = evicted.difference(&left).next() {
        return problem(
            at,
            format!("{extra} shall be evicted, but no step leaves it"),
        );
    }
    if let Some(missing) = left.difference(&evicted).next() {
        return problem(
            at,
            format!("{missing} is left by a step, but is not among what shall be evicted"),
        );
    }
    for warning in &expect.warn {
        if !scenario.people().any(|person| person.role == warning.who) {
            return problem(
                at,
                format!(
                    "`{}` shall be warned, but is nobody here",
                    warning.who.as_str()
                ),
            );
        }
    }
    None
}
