//! Several accounts in one attacker's hands: each is judged by itself, against its own
//! case, and what is one for all of them once.
//!
//! A change belongs to the account whose case says that it meant it; where no case says
//! so, to the account that the request is about.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use retake_playbook::Event;

use super::case::Case;
use super::form::{Afterwards, Calls, Clocks, Leak, OrderViolation, Reading, RunScore, Warned};
use super::moments::{Moments, is_removal};
use super::order::{CONTAIN_TOGETHER, breach};
use super::trace::{Account, Did, Line, Trace};
use super::{ScoreError, claims, collateral, evidence, measure, moments, order};

/// How long the accounts of one attacker may be contained apart: less than it takes
/// somebody to notice and to use the other.
const APART: SignedDuration = SignedDuration::from_mins(1);

/// Scores a run from its trace and the cases of its accounts, in any order.
pub(super) fn score(trace: &Trace, cases: &[Case], sequence: &str) -> Result<RunScore, ScoreError> {
    let accounts: Vec<&Account> = std::iter::once(&trace.account)
        .chain(&trace.further)
        .collect();
    let owners: Vec<Option<usize>> = trace
        .lines
        .iter()
        .map(|line| owner(line, &accounts, cases))
        .collect();
    let mut parts = Vec::new();
    for (index, account) in accounts.iter().enumerate() {
        let case = cases.iter().find(|case| is_of(case, account));
        let view = trace.of_account(account, |n| {
            owners
                .get(n as usize)
                .copied()
                .flatten()
                .is_none_or(|owner| owner == index)
        });
        parts.push(one(&view, case)?);
    }
    let mut whole = Part::default();
    for part in parts {
        whole.add(part);
    }
    let mut violations = whole.order;
    violations.extend(apart(trace, &accounts));
    violations.sort_by(|a, b| (a.request, a.rule, &a.object).cmp(&(b.request, b.rule, &b.object)));
    violations.dedup();
    whole
        .artefacts
        .sort_by(|a, b| (a.id, &a.object).cmp(&(b.id, &b.object)));
    let lead = cases.iter().find(|case| is_of(case, &trace.account));
    let mut done = Vec::new();
    for case in cases {
        for warned in measure::warned(trace, Some(case)).done {
            if !done.contains(&warned) {
                done.push(warned);
            }
        }
    }
    Ok(RunScore {
        scenario: trace.scenario.clone(),
        sequence: sequence.to_owned(),
        seed: trace.seed,
        artefacts: whole.artefacts,
        collateral: whole.collateral.into_iter().collect(),
        order_violations: violations,
        changes_without_evidence: whole.evidence.into_iter().collect(),
        claims_not_verified: whole.claims.into_iter().collect(),
        clock: whole.clock,
        leaked_after_block: whole.leaked,
        calls: whole.calls.unwrap_or_else(|| measure::calls(trace)),
        attacker_after_containment: whole.afterwards,
        knowable: super::knowable::knowable(trace),
        path: measure::path(trace, lead),
        blast_radius: measure::blast_radius(trace, cases),
        warned: Warned {
            due: measure::warned(trace, None).due,
            done,
        },
    })
}

/// What is judged account by account.
#[derive(Default)]
struct Part {
    artefacts: Vec<super::ArtefactScore>,
    collateral: BTreeSet<super::Collateral>,
    order: Vec<OrderViolation>,
    evidence: BTreeSet<super::UnprovenChange>,
    claims: BTreeSet<super::UnprovenClaim>,
    clock: Clocks,
    leaked: Leak,
    calls: Option<Calls>,
    afterwards: Afterwards,
}

impl Part {
    fn add(&mut self, other: Self) {
        self.artefacts.extend(other.artefacts);
        self.collateral.extend(other.collateral);
        self.order.extend(other.order);
        self.evidence.extend(other.evidence);
        self.claims.extend(other.claims);
        self.leaked.messages += other.leaked.messages;
        self.leaked.bytes += other.leaked.bytes;
        self.afterwards.tokens += other.afterwards.tokens;
        self.afterwards.reads += other.afterwards.reads;
        self.afterwards.sends += other.afterwards.sends;
        self.afterwards.changes += other.afterwards.changes;
        self.afterwards.through.extend(other.afterwards.through);
        // Of the clocks the slowest account counts; finance is warned once.
        let clock = &mut self.clock;
        slower(&mut clock.first_block, other.clock.first_block);
        slower(&mut clock.revoked, other.clock.revoked);
        slower(&mut clock.evicted, other.clock.evicted);
        slower(&mut clock.closed, other.clock.closed);
        clock.finance_warned = clock.finance_warned.or(other.clock.finance_warned);
    }
}

fn slower(held: &mut Option<Reading>, other: Option<Reading>) {
    if let Some(other) = other
        && held.is_none_or(|held| held.virtual_s < other.virtual_s)
    {
        *held = Some(other);
    }
}

fn one(view: &Trace, case: Option<&Case>) -> Result<Part, ScoreError> {
    let moments = Moments::of(view, case)?;
    let unproven = evidence::changes_without_evidence(view, case);
    Ok(Part {
        artefacts: moments::artefacts(view, &moments)?,
        collateral: collateral::collateral(view, case).into_iter().collect(),
        order: order::violations(view, case, &unproven),
        evidence: unproven.into_iter().collect(),
        claims: claims::claims_not_verified(view, case, moments.contained)
            .into_iter()
            .collect(),
        clock: measure::clocks(view, case, &moments),
        leaked: measure::leaked(view, &moments),
        calls: None,
        afterwards: measure::afterwards(view, &moments),
    })
}

/// Whether the case is this account's.
fn is_of(case: &Case, account: &Account) -> bool {
    case.events.iter().any(|(_, event)| match event {
        Event::CaseOpened(opened) => {
            opened.account.eq_ignore_ascii_case(&account.upn)
                || opened.account.eq_ignore_ascii_case(&account.id)
        }
        Event::AccountRead { account: read, .. } => read.id.eq_ignore_ascii_case(&account.id),
        _ => false,
    })
}

/// Whose change the line is, by its place among the accounts; nothing where it changes
/// nothing.
fn owner(line: &Line, accounts: &[&Account], cases: &[Case]) -> Option<usize> {
    if !line.by_responder() || line.effects.is_empty() {
        return None;
    }
    let meant = cases.iter().find(|case| {
        case.events.iter().any(|(_, event)| {
            matches!(event, Event::ActionIntended { request, .. }
                if Some(&request.sha256) == line.request_sha256.as_ref())
        })
    });
    if let Some(case) = meant {
        return accounts.iter().position(|account| is_of(case, account));
    }
    let about = |account: &&Account| {
        let names = [&account.id, &account.upn];
        names.iter().any(|name| {
            line.path.contains(name.as_str())
                || line
                    .effects
                    .iter()
                    .any(|effect| effect.object.id.eq_ignore_ascii_case(name))
        })
    };
    Some(accounts.iter().position(about).unwrap_or(0))
}

/// Accounts of the attacker's that were contained one after the other while one that could
/// undo it was free.
fn apart(trace: &Trace, accounts: &[&Account]) -> Vec<OrderViolation> {
    let is = |account: &Account, id: &str| {
        id.eq_ignore_ascii_case(&account.id) || id.eq_ignore_ascii_case(&account.upn)
    };
    let mut blocked: BTreeSet<&str> = BTreeSet::new();
    let mut first = None;
    let mut found = Vec::new();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for line in trace.lines.iter().filter(|line| line.by_responder()) {
        for effect in &line.effects {
            let hit = accounts
                .iter()
                .find(|account| is(account, &effect.object.id));
            if let Some(account) = hit
                && effect.did.sets("accountEnabled", false)
            {
                blocked.insert(&account.id);
                first.get_or_insert((line.n, line.at));
            }
        }
        let Some((_, since)) = first else { continue };
        let changes = line
            .effects
            .iter()
            .any(|effect| is_removal(effect) && effect.did != Did::Revoked);
        for free in accounts
            .iter()
            .filter(|account| account.administrator && !blocked.contains(account.id.as_str()))
        {
            let late = free.named && line.at.duration_since(since) > APART;
            if (changes || late) && told.insert(&free.id) {
                found.push(breach(CONTAIN_TOGETHER, line.n, &free.id));
            }
        }
    }
    // One that was never contained at all.
    if let Some((n, _)) = first {
        for free in accounts
            .iter()
            .filter(|account| account.administrator && !blocked.contains(account.id.as_str()))
        {
            if told.insert(&free.id) {
                found.push(breach(CONTAIN_TOGETHER, n, &free.id));
            }
        }
    }
    found
}
