//! Rights on single folders of the mailbox: a guest of the attacker's reads the inbox
//! (A18), or another folder; or everybody of the organisation may, and so may an account
//! that it holds (A19). They work while the mailbox's own account is blocked.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use retake_playbook::{ArtefactId, ObjectKind};
use serde_json::{Value, json};

use super::{Attacker, Foothold};
use crate::trace::{Actor, Got, Service, Trace, TraceLine, TraceObject};
use crate::world::folders::{DEFAULT, Set, reads};
use crate::world::{Surface, World};

/// How far back it reads what lay in the folder before.
const BACK: SignedDuration = SignedDuration::from_hours(72);

/// A right on a folder that the attacker gave.
#[derive(Clone, Debug)]
struct OnFolder {
    artefact: ArtefactId,
    folder: String,
    /// Whose entry it is.
    holder: String,
    /// With which account it reads.
    reader: String,
    /// Its id in the trace.
    object: String,
    since: Timestamp,
    /// Messages that it read.
    seen: BTreeSet<String>,
}

/// The rights on folders that it gave.
#[derive(Clone, Debug, Default)]
pub(super) struct Given(Vec<OnFolder>);

impl Given {
    /// Those that show nothing any more.
    pub(super) fn gone(&self, world: &World, user: &str) -> Vec<String> {
        let shows = |given: &OnFolder| {
            world
                .mailboxes
                .get(user)
                .and_then(|mailbox| mailbox.folder_rights_of(&given.folder, &given.holder))
                .is_some_and(|rights| reads(&rights))
        };
        self.0
            .iter()
            .filter(|given| !shows(given))
            .map(|given| given.object.clone())
            .collect()
    }
}

impl Attacker {
    /// A18: a guest of its own reads the inbox.
    pub(super) fn give_inbox_right(
        &mut self,
        world: &mut World,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        if self.live_access(world, now).is_none() {
            return;
        }
        let guest = self.own_guest(world, trace, now);
        let inbox = self.folder(world, "inbox");
        let right = self.chance.draw("folder right", "inbox", 0).word(&[
            "Reviewer",
            "Editor",
            "PublishingEditor",
            "Owner",
        ]);
        let artefact = ArtefactId::INBOX_RIGHT;
        self.give_on_folder(world, trace, now, artefact, &inbox, (&guest, &guest), right);
    }

    /// A19: the guest reads another folder; where it holds a colleague's account, in some
    /// seeds everybody may read one.
    pub(super) fn give_folder_right(
        &mut self,
        world: &mut World,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        if self.live_access(world, now).is_none() {
            return;
        }
        let draw = |purpose: &str| self.chance.draw("folder right", purpose, 0);
        let (raised, right) = (
            draw("default").happens(60),
            draw("right").word(&["Reviewer", "Author", "Editor"]),
        );
        let word = draw("folder").word(&["sentitems", "inbox", "sentitems", "deleteditems"]);
        let colleague = self.delegated.colleague(world).filter(|_| raised);
        let artefact = ArtefactId::FOLDER_RIGHT;
        if let Some(colleague) = colleague {
            let folder = self.folder(world, word);
            let who = (DEFAULT, colleague.as_str());
            self.give_on_folder(world, trace, now, artefact, &folder, who, right);
        } else {
            let guest = self.own_guest(world, trace, now);
            let folder = self.folder(world, if word == "inbox" { "sentitems" } else { word });
            self.give_on_folder(
                world,
                trace,
                now,
                artefact,
                &folder,
                (&guest, &guest),
                right,
            );
        }
    }

    fn folder(&self, world: &World, word: &str) -> String {
        world
            .mailboxes
            .get(&self.victim)
            .map(|mailbox| mailbox.well_known(word))
            .unwrap_or_default()
    }

    #[expect(clippy::too_many_arguments, reason = "what, where, to whom, how much")]
    fn give_on_folder(
        &mut self,
        world: &mut World,
        trace: &mut Trace,
        now: Timestamp,
        artefact: ArtefactId,
        folder: &str,
        (holder, reader): (&str, &str),
        right: &str,
    ) {
        let origin = self.origin(world, Surface::OutlookWeb);
        let victim = self.victim.clone();
        let rights = [right.to_owned()];
        let set = world.set_folder_right(now, &origin, &victim, folder, holder, &rights, &[]);
        if !matches!(set, Set::Made | Set::Changed(_)) {
            return;
        }
        let object = world.folder_object(&victim, folder, holder);
        let mut aliases = vec![world.shown_in_folder(holder)];
        if let Some(user) = world.users.get(holder) {
            aliases.extend([user.upn.clone(), user.display_name.clone()]);
        }
        aliases.sort();
        aliases.dedup();
        self.folders.0.push(OnFolder {
            artefact,
            folder: folder.to_owned(),
            holder: holder.to_owned(),
            reader: reader.to_owned(),
            object: object.clone(),
            since: now,
            seen: BTreeSet::new(),
        });
        let foothold = Foothold {
            artefact,
            object: TraceObject::new(ObjectKind::FolderRight, object),
            aliases,
        };
        self.plant_line(trace, now, "give_folder_right", foothold, true);
    }

    /// A18, A19: reads what is new in the folder, with the account that may.
    pub(super) fn try_folders(&mut self, world: &mut World, trace: &mut Trace, now: Timestamp) {
        for index in 0..self.folders.0.len() {
            let Some(given) = self.folders.0.get(index).cloned() else {
                continue;
            };
            let works = world.may_read_folder(&self.victim, &given.folder, &given.reader);
            let mut effect = None;
            if works {
                effect = self.read_folder(world, now, &given);
            }
            if let Some((_, ids)) = &effect
                && let Some(given) = self.folders.0.get_mut(index)
            {
                given.seen.extend(ids.iter().cloned());
            }
            let got = if works { Got::Data } else { Got::Nothing };
            let mut line = TraceLine::new(
                now,
                Actor::Attacker,
                Service::Attack,
                "read_by_folder_right",
            )
            .attempting(given.artefact, got);
            line.effect = effect.map(|(read, _)| read);
            trace.push(line);
        }
    }

    /// The newest messages of the folder that it has not read; what it read, and their ids.
    fn read_folder(
        &self,
        world: &mut World,
        now: Timestamp,
        given: &OnFolder,
    ) -> Option<(Value, Vec<String>)> {
        let from = given.since.checked_sub(BACK).unwrap_or(given.since);
        let mailbox = world.mailboxes.get(&self.victim)?;
        let mut new: Vec<_> = mailbox
            .messages
            .values()
            .filter(|message| message.folder == given.folder && message.received >= from)
            .filter(|message| !given.seen.contains(&message.id))
            .map(|message| (message.received, message.id.clone()))
            .collect();
        new.sort();
        let ids: Vec<String> = new.into_iter().rev().take(3).map(|(_, id)| id).collect();
        let account = world.users.get(&given.reader)?.upn.clone();
        let origin = self.origin_of(world, &given.reader);
        let mut read = self.read(world, now, &origin, &ids, ids.len())?;
        if let Value::Object(read) = &mut read {
            read.insert(String::from("account"), json!(account));
        }
        Some((read, ids))
    }
}
