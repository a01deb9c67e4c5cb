//! Rights on folders that are as they should be. What a calendar shows of by itself,
//! `Default` with `AvailabilityOnly`, is in every mailbox.

use jiff::Timestamp;
use retake_playbook::{ObjectKind, ObjectRef};

use super::baits::own_folder;
use super::{Company, Kept};
use crate::scenario::BaitKind;
use crate::world::World;
use crate::world::folders::{DEFAULT, Set};

impl Company {
    /// Lays a bait that is a right on a folder of the affected mailbox, given by the user.
    pub(super) fn lay_folder_right(&mut self, world: &mut World, kind: BaitKind, alert: Timestamp) {
        let chance = self.chance;
        let me = self.affected.clone();
        let Some(colleague) = self.colleagues.get(2).cloned() else {
            return;
        };
        if kind == BaitKind::CalendarDelegate {
            let calendar = world
                .mailboxes
                .get(&me)
                .map(|mailbox| mailbox.folder_id("calendar"))
                .unwrap_or_default();
            let why = "a colleague keeps the calendar";
            let flags = [String::from("Delegate")];
            self.keep_folder(world, alert, &calendar, (&colleague, "Editor"), &flags, why);
            return;
        }
        let name = chance.draw("bait", "team folder", 0).word(&[
            "Projects",
            "Events 2026",
            "Board papers",
            "Ablage",
        ]);
        let folder = own_folder(world, &me, name);
        let why = "a folder that the user lets others read";
        if chance.draw("bait", "team folder", 1).happens(50) {
            self.keep_folder(world, alert, &folder, (DEFAULT, "Reviewer"), &[], why);
        } else {
            self.keep_folder(world, alert, &folder, (&colleague, "Author"), &[], why);
        }
    }

    fn keep_folder(
        &mut self,
        world: &mut World,
        alert: Timestamp,
        folder: &str,
        (holder, right): (&str, &str),
        flags: &[String],
        why: &str,
    ) {
        let me = self.affected.clone();
        let (at, by) = self.own_doing(world, &me, alert, why);
        let rights = [right.to_owned()];
        let set = world.set_folder_right(at, &by, &me, folder, holder, &rights, flags);
        if matches!(set, Set::Made) {
            let object = world.folder_object(&me, folder, holder);
            self.kept.push(Kept {
                object: ObjectRef::new(ObjectKind::FolderRight, object),
                aliases: Vec::new(),
                why: why.to_owned(),
            });
        }
    }
}
