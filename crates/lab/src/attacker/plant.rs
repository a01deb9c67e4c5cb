//! What the attacker leaves behind.

use jiff::Timestamp;
use retake_playbook::{ArtefactId, ObjectKind};

use crate::company::Company;
use crate::company::baits::rule_aliases;
use crate::trace::{Trace, TraceObject};
use crate::world::mail::RuleDraft;
use crate::world::{MethodKind, Surface, World, known};

use super::{Attacker, Foothold, PlantedRule};

impl Attacker {
    /// Makes a rule, first in the order.
    #[expect(clippy::too_many_arguments, reason = "one private caller shape")]
    pub(super) fn plant_rule(
        &mut self,
        world: &mut World,
        trace: &mut Trace,
        now: Timestamp,
        mut draft: RuleDraft,
        artefact: ArtefactId,
        surface: Surface,
        before_alert: bool,
    ) -> bool {
        let live = self
            .access
            .as_ref()
            .is_some_and(|token| world.bearer(token, now).is_ok());
        if !live && self.renew(world, now).is_none() {
            return false;
        }
        let origin = self.origin(world, surface);
        // A new rule goes to the top, and the others move down.
        if let Some(mailbox) = world.mailboxes.get_mut(&self.victim) {
            for rule in &mut mailbox.rules {
                rule.sequence += 1;
            }
        }
        draft.sequence = Some(1);
        let Some(id) = world.create_rule(now, &origin, &self.victim, draft) else {
            return false;
        };
        let aliases = rule_aliases(world, &self.victim, &id);
        self.rules.push(PlantedRule {
            artefact,
            id: id.clone(),
        });
        let foothold = Foothold {
            artefact,
            object: TraceObject::new(ObjectKind::InboxRule, id),
            aliases,
        };
        self.plant_line(trace, now, "create_rule", foothold, before_alert);
        true
    }

    /// Registers methods of its own; never the default one.
    pub(super) fn register_methods(
        &mut self,
        world: &mut World,
        company: &mut Company,
        now: Timestamp,
        ordinal: u64,
    ) -> Vec<String> {
        let origin = self.origin(world, Surface::Entra);
        let Some(user) = world.users.get(&self.victim) else {
            return Vec::new();
        };
        let has_mobile = user.method(known::MOBILE_METHOD).is_some();
        let default = user.default_method.clone();
        let mut kinds = self.kit.methods(ordinal, has_mobile);
        if ordinal > 0 {
            // A phone's method id is fixed: a second one would replace the first.
            for kind in &mut kinds {
                if matches!(kind, MethodKind::Phone { .. }) {
                    *kind = MethodKind::SoftwareOath;
                }
            }
        }
        let ids: Vec<String> = kinds
            .into_iter()
            .map(|kind| world.add_method(now, &origin, &self.victim, kind))
            .collect();
        if let Some(user) = world.users.get_mut(&self.victim)
            && default.is_some()
        {
            user.default_method = default;
        }
        self.methods.extend(ids.iter().cloned());
        company.foreign_methods.extend(ids.iter().cloned());
        ids
    }
}
