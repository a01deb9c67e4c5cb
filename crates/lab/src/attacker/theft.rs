//! A token stolen from the user's own computer: nobody signs in, and no password
//! is known.

use jiff::Timestamp;
use retake_playbook::{ArtefactId, ObjectKind};

use crate::company::Company;
use crate::trace::{Trace, TraceObject};
use crate::world::World;

use super::{Attacker, Foothold};

impl Attacker {
    /// Malware copies the refresh token that the user's own client holds. A copy is
    /// as good as the first: each use renews it, and it is not bound to a device
    /// (reference §9.1).
    pub(super) fn steal_token(
        &mut self,
        world: &mut World,
        company: &Company,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        let Some(client) = company
            .habits
            .get(&self.victim)
            .and_then(|habits| habits.client.as_ref())
        else {
            return;
        };
        self.refresh.push(client.refresh.clone());
        self.session = Some(client.session.clone());
        let footholds = [
            Foothold {
                artefact: ArtefactId::REFRESH_TOKENS,
                object: TraceObject::new(ObjectKind::Session, self.victim.clone()),
                aliases: vec![client.session.clone()],
            },
            Foothold {
                artefact: ArtefactId::ACCESS_TOKEN,
                object: TraceObject::new(ObjectKind::Token, format!("{}/graph", self.victim)),
                aliases: Vec::new(),
            },
        ];
        for foothold in footholds {
            self.plant_line(trace, now, "steal_token", foothold, true);
        }
        // It tries at once what it took.
        self.renew(world, now);
    }
}
