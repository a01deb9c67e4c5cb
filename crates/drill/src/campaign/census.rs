//! What the drill without a fault sends, counted.

use retake_lab::Scenario;
use retake_responder::Conduct;
use retake_tenant::call::{AUDIT_QUERY_CREATE, AUDIT_QUERY_CREATE_BETA, Service};

use super::calls::Called;
use super::play::{Until, Way, play_on};
use crate::respond::RehearsalError;
use crate::score::RunScore;

/// One call of the drill.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The call.
    pub called: Called,
    /// How many requests of it the drill sends until the watch has looked once.
    pub times: u32,
    /// Whether it answers a list, which may come in pages.
    pub pages: bool,
    /// Whether it leaves something behind in the tenant or at the token service.
    pub leaves: bool,
}

/// All calls of the drill, and how it went without a fault.
#[derive(Clone, Debug)]
pub struct Census {
    /// In the order in which they are first sent.
    pub calls: Vec<Seen>,
    /// The score without a fault.
    pub score: RunScore,
}

impl Census {
    /// Plays the drill up to the first look of the watch and counts.
    pub fn take(scenario: &Scenario, seed: u64) -> Result<Self, RehearsalError> {
        let way = Way {
            aim: None,
            until: Until::FirstLook,
            conduct: Conduct::default(),
            again: false,
            unconfirmed: Vec::new(),
        };
        let (play, passed) = play_on(scenario, seed, &way)?;
        let mut calls: Vec<Seen> = Vec::new();
        for passed in passed {
            let Some(called) = passed.called else {
                continue;
            };
            if let Some(seen) = calls.iter_mut().find(|seen| seen.called == called) {
                seen.times += 1;
                seen.pages |= passed.list;
            } else {
                let spec = called.spec;
                calls.push(Seen {
                    times: 1,
                    // Exchange's cmdlets answer a list even for one object.
                    pages: passed.list,
                    leaves: spec.change
                        || spec.service == Service::SignIn
                        || [&AUDIT_QUERY_CREATE, &AUDIT_QUERY_CREATE_BETA].contains(&spec),
                    called,
                });
            }
        }
        Ok(Self {
            calls,
            score: play.run.score,
        })
    }
}
