//! Whose a right on a mailbox is: by the record of who gave it, and without one by
//! who holds it. That it is older than the alert says nothing for it.

use super::Verdict;
use crate::event::{Change, Facts, Holder, HolderKind, MailboxRight, Observed};
use crate::state::State;
use crate::words::ArtefactId;

/// Names by which records may tell of the holder.
pub(super) fn names_of(holder: &Holder) -> Vec<String> {
    let mut names = vec![holder.shown.clone()];
    names.extend(holder.names.iter().cloned());
    names.extend(holder.upn.clone());
    names
}

/// Whether a record tells of a right being given on this mailbox. That it was taken
/// once makes no right; one that is there again was given again.
pub(super) fn gives(state: &State, change: &Change, observed: &Observed) -> bool {
    let operation = change.operation.to_ascii_lowercase();
    !operation.starts_with("remove-") && is_about_mailbox(state, change, observed)
}

/// Whether a record's `Identity` is this mailbox; one without an identity may be.
fn is_about_mailbox(state: &State, change: &Change, observed: &Observed) -> bool {
    let mut identities = change
        .parameters
        .lines()
        .filter_map(|line| line.strip_prefix("identity "))
        .peekable();
    if identities.peek().is_none() {
        return true;
    }
    let names = mailbox_names(state, observed);
    identities.any(|identity| {
        let last = identity.rsplit('/').next().unwrap_or(identity);
        let mailbox = last.split(":\\").next().unwrap_or(last);
        names
            .iter()
            .any(|name| [identity, last, mailbox].contains(&name.as_str()))
    })
}

/// Names of the mailbox that an object lies in, in lower case.
fn mailbox_names(state: &State, observed: &Observed) -> Vec<String> {
    if let Some(mailbox) = &observed.object.mailbox {
        return vec![mailbox.to_lowercase()];
    }
    let Some(account) = &state.account else {
        return Vec::new();
    };
    let mut names = vec![
        account.id.to_lowercase(),
        account.upn.to_lowercase(),
        account.display_name.to_lowercase(),
    ];
    names.extend(account.addresses.iter().cloned());
    names.extend(account.mail.iter().map(|mail| mail.to_lowercase()));
    let aliases: Vec<String> = names
        .iter()
        .filter_map(|name| name.split_once('@').map(|(alias, _)| alias.to_owned()))
        .collect();
    names.extend(aliases);
    names
}

/// What a right is worth without a record: a stranger's is cut, a colleague's stays
/// until a person says so.
pub(super) fn by_holder(what: &str, holder: &Holder) -> (Verdict, Vec<String>) {
    let who = &holder.shown;
    match holder.kind {
        HolderKind::Guest | HolderKind::Outside => (
            Verdict::Foothold,
            vec![format!(
                "{what} for {who}, {}, and no record says who gave it: it works while the account is blocked, so it is cut, and given again if somebody answers for it",
                holder.kind.words()
            )],
        ),
        HolderKind::Nobody => (
            Verdict::Unclear,
            vec![format!(
                "{what} for {who}: nobody has this name or id any more, so nobody can use it; no record says who gave it"
            )],
        ),
        kind => (
            Verdict::Unclear,
            vec![format!(
                "{what} for {who}, {}, and no record says who gave it: ask whether it is meant to be",
                kind.words()
            )],
        ),
    }
}

/// What this right would be among the artefacts.
pub(super) fn artefact_of(right: MailboxRight) -> ArtefactId {
    match right {
        MailboxRight::FullAccess => ArtefactId::FULL_ACCESS,
        MailboxRight::SendAs => ArtefactId::SEND_AS,
        MailboxRight::SendOnBehalf => ArtefactId::SEND_ON_BEHALF,
    }
}

/// The same right as before: who its holder is comes from a read of its own, which may
/// fail in one snapshot and not in the other.
pub(super) fn without_holder(facts: &mut Facts) {
    if let Facts::MailboxRight { holder, .. } = facts {
        *holder = Holder::unknown(holder.shown.clone());
    }
}
