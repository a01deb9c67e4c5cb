//! Rights on mailboxes that are as they should be.

use jiff::{SignedDuration, Timestamp};
use retake_playbook::{ObjectKind, ObjectRef};

use crate::scenario::BaitKind;
use crate::world::rights::Right;
use crate::world::{Group, Surface, World};

use super::{Company, Kept, before};

impl Company {
    /// Lays a bait that is a right on the affected mailbox.
    pub(super) fn lay_right(&mut self, world: &mut World, kind: BaitKind, alert: Timestamp) {
        let chance = self.chance;
        let me = self.affected.clone();
        // Whoever administers mail gave the old ones.
        let administrator = self.colleagues.first().cloned().unwrap_or_default();
        match kind {
            BaitKind::AssistantFullAccess => {
                let Some(assistant) = self.colleagues.get(3).cloned() else {
                    return;
                };
                let why = "an assistant's full access, for long";
                self.own_right(
                    world,
                    &administrator,
                    &me,
                    Right::FullAccess,
                    &assistant,
                    alert,
                    why,
                );
                if chance.draw("bait", "somebody who left", 0).happens(50) {
                    let sid = format!(
                        "S-1-5-21-1721254763-462695806-1538882281-{}",
                        chance.draw("bait", "sid", 0).between(4_000_000, 9_000_000)
                    );
                    let why = "full access of somebody who left: nobody can use it";
                    self.own_right(
                        world,
                        &administrator,
                        &me,
                        Right::FullAccess,
                        &sid,
                        alert,
                        why,
                    );
                }
            }
            BaitKind::TeamSendAs => {
                let team = self.team(world, &me, alert);
                let why = "a team that sends as the mailbox";
                self.own_right(world, &administrator, &me, Right::SendAs, &team, alert, why);
            }
            _ => {
                let Some(manager) = world.users.get(&me).and_then(|user| user.manager.clone())
                else {
                    return;
                };
                let why = "the manager sends on behalf, by the user's own choice";
                if chance.draw("bait", "recent choice", 0).happens(50) {
                    let (_, by) = self.own_doing(world, &me, alert, "send on behalf");
                    let days = chance.draw("bait", "recent choice", 1).between(8, 20);
                    let at = before(alert, days);
                    self.keep_right(world, &by, at, &me, Right::SendOnBehalf, &manager, why);
                } else {
                    self.own_right(world, &me, &me, Right::SendOnBehalf, &manager, alert, why);
                }
            }
        }
    }

    /// A group with an address, some colleagues in it.
    pub(super) fn team(&self, world: &mut World, user: &str, alert: Timestamp) -> String {
        let id = self.chance.draw(user, "team", 0).uuid().to_string();
        let word = self.chance.draw(user, "team", 1).word(&[
            "Office team",
            "Front desk",
            "Payables",
            "Sekretariat",
        ]);
        let alias = word.to_lowercase().replace(' ', "-");
        world.groups.insert(
            id.clone(),
            Group {
                id: id.clone(),
                display_name: word.to_owned(),
                description: String::from("Answers mail together"),
                mail: Some(format!("{alias}@{}", world.tenant.domain)),
                security: true,
                assignable_to_role: false,
                created: before(alert, 400),
                members: self.colleagues.iter().take(3).cloned().collect(),
                owners: self.colleagues.first().cloned().into_iter().collect(),
            },
        );
        id
    }

    /// A right that somebody gave long ago.
    #[expect(
        clippy::too_many_arguments,
        reason = "who, whose, what, to whom, when, why"
    )]
    pub(super) fn own_right(
        &mut self,
        world: &mut World,
        by: &str,
        user: &str,
        right: Right,
        holder: &str,
        alert: Timestamp,
        why: &str,
    ) {
        let (at, origin) = self.own_doing(world, by, alert, right.as_str());
        let origin = origin.through(Surface::OutlookWeb);
        let at = at.checked_sub(SignedDuration::from_hours(24)).unwrap_or(at);
        self.keep_right(world, &origin, at, user, right, holder, why);
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "who, whose, what, to whom, when, why"
    )]
    fn keep_right(
        &mut self,
        world: &mut World,
        by: &crate::world::Origin,
        at: Timestamp,
        user: &str,
        right: Right,
        holder: &str,
        why: &str,
    ) {
        if world.give_right(at, by, user, right, holder) {
            let object = world.right_object(user, right, holder);
            self.kept.push(Kept {
                object: ObjectRef::new(ObjectKind::MailboxRight, object),
                aliases: Vec::new(),
                why: why.to_owned(),
            });
        }
    }
}
