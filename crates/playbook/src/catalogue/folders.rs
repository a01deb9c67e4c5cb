//! Rights on single folders of a mailbox.

use super::{ActionKind, ActionSpec, ArtefactSpec, Effect, Reverse, Scope};
use crate::steps::StepId;
use crate::words::{ArtefactId, ObjectKind};

pub(super) const REMOVE_FOLDER_RIGHT: ActionSpec = ActionSpec {
    kind: ActionKind::RemoveFolderRight,
    title: "Remove right on a folder",
    step: StepId::new(3, 5),
    object: ObjectKind::FolderRight,
    scope: Scope::Mailbox,
    permissions: &["Exchange.ManageAsApp"],
    roles: &["Exchange Administrator"],
    evidence: "the folder's list of rights with this one in it",
    precheck: "the folder's list holds the right as it was when the plan was made",
    verification: "the folder's list no longer holds it; Default and Anonymous show no more than such a folder has by itself",
    reverse: Reverse::By("give the same rights on the folder to the same holder again"),
    breaks: "its holder can no longer open this folder",
    effect: Effect {
        words: "at once for new connections; a program that has the folder open may keep it for up to an hour",
        within_s: 3600,
    },
    repeatable: false,
    source: "reference §6.2",
};

pub(super) const INBOX_RIGHT: ArtefactSpec = ArtefactSpec {
    id: ArtefactId::INBOX_RIGHT,
    title: "Right on the inbox for somebody else",
    object: ObjectKind::FolderRight,
    gives: "all mail that arrives, through another account, also while this one is blocked",
    ended_by: &[ActionKind::RemoveFolderRight],
    source: "reference §6.2",
};

pub(super) const FOLDER_RIGHT: ArtefactSpec = ArtefactSpec {
    id: ArtefactId::FOLDER_RIGHT,
    title: "Right on another folder, or Default raised",
    object: ObjectKind::FolderRight,
    gives: "what lies in the folder, through another account or any account of the organisation, also while this one is blocked",
    ended_by: &[ActionKind::RemoveFolderRight],
    source: "reference §6.2",
};
