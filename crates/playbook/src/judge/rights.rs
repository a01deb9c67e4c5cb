//! Whose a right on a mailbox is: by the record of who gave it, and without one by
//! who holds it. That it is older than the alert says nothing for it.

use super::Verdict;
use crate::event::{
    Change, Facts, Holder, HolderKind, MailboxRight, Observed, holds_mail, is_standing_entry,
    reads_folder,
};
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
    !operation.starts_with("remove")
        && is_about_mailbox(state, change, observed)
        && is_about_folder(change, &observed.facts)
}

/// Whether a record tells of this folder, and of rights that show what this one shows.
/// Records call a folder by its path in the mailbox's language, or by its id; one without
/// either may be about it.
fn is_about_folder(change: &Change, facts: &Facts) -> bool {
    let Facts::FolderRight {
        folder,
        path,
        rights,
        ..
    } = facts
    else {
        return true;
    };
    let values = |names: &'static [&'static str]| {
        change.parameters.lines().filter_map(move |line| {
            let (name, value) = line.split_once(' ')?;
            names.contains(&name).then_some(value.trim())
        })
    };
    let known = [plain(folder), plain(path)];
    let mut folders = values(&["folderpath", "folderid"])
        .chain(values(&["identity"]).filter_map(|identity| Some(identity.split_once(':')?.1)))
        .peekable();
    let here = folders.peek().is_none() || folders.any(|folder| known.contains(&plain(folder)));
    // One that lowered a right, or gave less than what is there, did not make this one.
    let mut told = values(&["accessrights", "memberrights"]).peekable();
    let as_much = told.peek().is_none()
        || !reads_folder(rights.iter().map(String::as_str))
        || reads_folder(told);
    here && as_much
}

/// A folder's path or id, as records and cmdlets write it in one way or another.
fn plain(folder: &str) -> String {
    folder
        .to_lowercase()
        .replace('/', "\\")
        .trim_matches('\\')
        .to_owned()
}

/// Whether a record's `Identity` is this mailbox; one without an identity may be.
fn is_about_mailbox(state: &State, change: &Change, observed: &Observed) -> bool {
    let mut identities = change
        .parameters
        .lines()
        .filter_map(|line| {
            line.strip_prefix("identity ")
                .or_else(|| line.strip_prefix("mailboxownerupn "))
        })
        // Of a folder: mailbox, colon, path or id.
        .map(|identity| match observed.facts {
            Facts::FolderRight { .. } => identity.split(':').next().unwrap_or(identity),
            _ => identity,
        })
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

/// What a right on a folder would be among the artefacts.
pub(super) fn folder_artefact(folder_type: &str, holder: &Holder) -> ArtefactId {
    if folder_type.eq_ignore_ascii_case("Inbox") && !is_standing_entry(&holder.shown) {
        ArtefactId::INBOX_RIGHT
    } else {
        ArtefactId::FOLDER_RIGHT
    }
}

/// What a right on a folder is worth without a record: by what it shows, and to whom.
pub(super) fn folder(facts: &Facts) -> (Verdict, Vec<String>) {
    let Facts::FolderRight {
        path,
        folder_type,
        rights,
        holder,
        ..
    } = facts
    else {
        return (Verdict::Unclear, Vec::new());
    };
    let what = format!("{} on the folder {path}", rights.join(", "));
    let reads = reads_folder(rights.iter().map(String::as_str));
    let mail = holds_mail(folder_type);
    let stranger = holder.kind.is_foreign();
    if !mail || !reads {
        // Calendars are shared, also with people outside: it shows no mail.
        return if stranger {
            (
                Verdict::Unclear,
                vec![format!(
                    "{what} for {}, {}, and no record says who gave it: it shows no mail; ask whether it is meant to be",
                    holder.shown,
                    holder.kind.words()
                )],
            )
        } else {
            (
                Verdict::Legitimate,
                vec![format!(
                    "{what} for {}: no record says who gave it, and it shows no mail",
                    holder.shown
                )],
            )
        };
    }
    match holder.kind {
        HolderKind::Anybody => (
            Verdict::Foothold,
            vec![format!(
                "{what} for {}: whoever is not even signed in may read mail, which nobody needs, and no record says who set it",
                holder.shown
            )],
        ),
        // A folder that the user made may be meant for all; no other one ever is.
        HolderKind::Everybody if !is_users_own(folder_type) => (
            Verdict::Foothold,
            vec![format!(
                "{what} for {}: every account of the organisation reads it while this one is blocked; no mailbox has that by itself, and no record says who set it",
                holder.shown
            )],
        ),
        _ => by_holder(&what, holder),
    }
}

/// Whether the user made the folder.
fn is_users_own(folder_type: &str) -> bool {
    folder_type.trim().is_empty() || folder_type.eq_ignore_ascii_case("User Created")
}

/// The same right as before: who its holder is comes from a read of its own, which may
/// fail in one snapshot and not in the other.
pub(super) fn without_holder(facts: &mut Facts) {
    if let Facts::MailboxRight { holder, .. } | Facts::FolderRight { holder, .. } = facts {
        *holder = Holder::unknown(holder.shown.clone());
    }
}
