//! Changes that were carried out more than once.

use retake_playbook::Event;
use retake_playbook::event::ActionId;

use super::case::Case;
use super::trace::Trace;

/// The actions of the case whose requests took effect more than once, each with the
/// lines that did it. The journal is written before the call and after it so that
/// this never happens (product, tenet 6).
pub(super) fn changed_twice(trace: &Trace, case: &Case) -> Vec<(ActionId, Vec<u64>)> {
    let mut twice = Vec::new();
    let actions = case.events.iter().filter_map(|(_, event)| match event {
        Event::PlanMade(plan) => Some(&plan.actions),
        _ => None,
    });
    for planned in actions.flatten() {
        let action = planned.action;
        let intents: Vec<_> = case
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
        let settled = case.events.iter().find_map(|(at, event)| match event {
            Event::ActionVerified {
                action: settled, ..
            }
            | Event::ActionStopped {
                action: settled, ..
            } if *settled == action => Some(*at),
            _ => None,
        });
        let lines: Vec<u64> = trace
            .lines
            .iter()
            .filter(|line| {
                line.by_responder()
                    && !line.effects.is_empty()
                    && settled.is_none_or(|settled| line.at <= settled)
                    && intents.iter().any(|(at, sha256)| {
                        line.at >= *at && line.request_sha256.as_ref() == Some(*sha256)
                    })
            })
            .map(|line| line.n)
            .collect();
        if lines.len() > 1 {
            twice.push((action, lines));
        }
    }
    twice
}
