//! What the attacker did to files and mail items, by the audit log's names of
//! operations (reference §7.3).

use jiff::Timestamp;
use retake_playbook::ObjectKind;
use serde::Serialize;

use super::MOST;
use crate::answer::{Blast, ChangedItem};
use crate::event::{Event, Outcome};

/// What is done to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeedKind {
    /// Opened, previewed, downloaded, copied.
    Read,
    /// Uploaded, modified, moved, renamed.
    Changed,
    /// Deleted, or sent to the recycle bin.
    Deleted,
    /// Given to others, or to whoever has the link.
    Shared,
}

/// Operation, folded to lower case → what it does.
const OPERATIONS: [(&str, DeedKind); 38] = [
    ("fileaccessed", DeedKind::Read),
    ("fileaccessedextended", DeedKind::Read),
    ("filepreviewed", DeedKind::Read),
    ("filedownloaded", DeedKind::Read),
    ("filesyncdownloadedfull", DeedKind::Read),
    ("filesyncdownloadedpartial", DeedKind::Read),
    ("filecopied", DeedKind::Read),
    ("fileuploaded", DeedKind::Changed),
    ("filesyncuploadedfull", DeedKind::Changed),
    ("filesyncuploadedpartial", DeedKind::Changed),
    ("filemodified", DeedKind::Changed),
    ("filemodifiedextended", DeedKind::Changed),
    ("filemoved", DeedKind::Changed),
    ("filerenamed", DeedKind::Changed),
    ("filerestored", DeedKind::Changed),
    ("foldercreated", DeedKind::Changed),
    ("foldermodified", DeedKind::Changed),
    ("foldermoved", DeedKind::Changed),
    ("folderrenamed", DeedKind::Changed),
    ("filedeleted", DeedKind::Deleted),
    ("filedeletedfirststagerecyclebin", DeedKind::Deleted),
    ("filedeletedsecondstagerecyclebin", DeedKind::Deleted),
    ("filerecycled", DeedKind::Deleted),
    ("fileversionsalldeleted", DeedKind::Deleted),
    ("folderdeleted", DeedKind::Deleted),
    ("folderdeletedfirststagerecyclebin", DeedKind::Deleted),
    ("folderdeletedsecondstagerecyclebin", DeedKind::Deleted),
    ("folderrecycled", DeedKind::Deleted),
    ("sharingset", DeedKind::Shared),
    ("sharinglinkcreated", DeedKind::Shared),
    ("sharinginvitationcreated", DeedKind::Shared),
    ("anonymouslinkcreated", DeedKind::Shared),
    ("anonymouslinkupdated", DeedKind::Shared),
    ("securelinkcreated", DeedKind::Shared),
    ("securelinkupdated", DeedKind::Shared),
    ("companylinkcreated", DeedKind::Shared),
    ("addedtosecurelink", DeedKind::Shared),
    ("addedtosharinglink", DeedKind::Shared),
];

/// One thing done to a file, folder or site.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Deed {
    /// When.
    pub at: Timestamp,
    /// What was done.
    pub operation: String,
    /// To what, as the log writes it.
    pub object: Option<String>,
    /// With whom it was shared, where the record says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
    /// The record.
    pub record_id: String,
}

/// The attacker's deeds to files, by kind; lists hold at most [`MOST`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deeds {
    lists: [Vec<Deed>; 4],
    counts: [u64; 4],
}

impl Deeds {
    pub(super) fn put(&mut self, event: &Event) {
        if event.outcome == Outcome::Failure {
            return;
        }
        let operation = event.operation.to_lowercase();
        let Some((_, kind)) = OPERATIONS.iter().find(|(name, _)| *name == operation) else {
            return;
        };
        let place = *kind as usize;
        if let Some(count) = self.counts.get_mut(place) {
            *count += 1;
        }
        if let Some(list) = self.lists.get_mut(place)
            && list.len() < MOST
        {
            list.push(Deed {
                at: event.time,
                operation: event.operation.clone(),
                object: event.object.clone(),
                with: event
                    .parameter("TargetUserOrGroupName")
                    .map(str::to_owned)
                    .or_else(|| event.targets.iter().find_map(|target| target.upn.clone())),
                record_id: event.record_id.clone(),
            });
        }
    }

    /// How many there are of a kind.
    pub fn count(&self, kind: DeedKind) -> u64 {
        self.counts.get(kind as usize).copied().unwrap_or(0)
    }

    /// Those that were kept of a kind, in order of time.
    pub fn list(&self, kind: DeedKind) -> Vec<&Deed> {
        let mut list: Vec<&Deed> = self
            .lists
            .get(kind as usize)
            .into_iter()
            .flatten()
            .collect();
        list.sort();
        list
    }
}

/// What is done to an item in a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailDeed {
    /// It was deleted, in any of the ways that Exchange knows.
    Deleted,
    /// Anything else: moved, made, changed.
    Changed,
}

impl ChangedItem {
    /// Deleted or only changed. What is no message (a rule, a right) counts as
    /// changed also where it was removed.
    pub fn deed(&self) -> MailDeed {
        let deletes = [
            "SoftDelete",
            "HardDelete",
            "MoveToDeletedItems",
            "RecordDelete",
        ]
        .iter()
        .any(|name| self.operation.eq_ignore_ascii_case(name));
        if self.kind == ObjectKind::Message && deletes {
            MailDeed::Deleted
        } else {
            MailDeed::Changed
        }
    }
}

impl Blast {
    /// Items of mail that were deleted.
    pub fn deleted(&self) -> impl Iterator<Item = &ChangedItem> {
        self.changed
            .iter()
            .filter(|item| item.deed() == MailDeed::Deleted)
    }

    /// What was changed and not deleted.
    pub fn altered(&self) -> impl Iterator<Item = &ChangedItem> {
        self.changed
            .iter()
            .filter(|item| item.deed() == MailDeed::Changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Source;

    #[test]
    fn each_kind_is_told_by_the_operation_and_a_failure_is_none() {
        let mut deeds = Deeds::default();
        let mut put = |operation: &str, outcome: Outcome| {
            let mut event = Event::new(Source::Ual, Timestamp::UNIX_EPOCH, operation, "");
            event.outcome = outcome;
            deeds.put(&event);
        };
        put("FileDownloaded", Outcome::Success);
        put("FileAccessed", Outcome::Unknown);
        put("AnonymousLinkCreated", Outcome::Success);
        put("FileRecycled", Outcome::Failure);
        put("UserLoggedIn", Outcome::Success);
        let counts = [
            DeedKind::Read,
            DeedKind::Changed,
            DeedKind::Deleted,
            DeedKind::Shared,
        ]
        .map(|kind| deeds.count(kind));
        assert_eq!(counts, [2, 0, 0, 1]);
    }

    #[test]
    fn a_removed_rule_is_a_change_and_a_removed_message_a_deletion() {
        let item = |kind, operation: &str| ChangedItem {
            at: Timestamp::UNIX_EPOCH,
            operation: operation.to_owned(),
            kind,
            ids: Vec::new(),
            record_id: String::new(),
        };
        let blast = Blast {
            changed: vec![
                item(ObjectKind::InboxRule, "Remove-InboxRule"),
                item(ObjectKind::Message, "HardDelete"),
                item(ObjectKind::Message, "Move"),
            ],
            ..Blast::default()
        };
        assert_eq!(blast.deleted().count(), 1);
        assert_eq!(blast.altered().count(), 2);
    }
}
