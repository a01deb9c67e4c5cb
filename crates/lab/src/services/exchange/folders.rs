//! The cmdlets for folders and the rights on them (reference §6.2). A folder is named as
//! `mailbox:\path`, in the mailbox's language, or as `mailbox:folder id`.

use retake_playbook::ObjectKind;
use serde_json::{Value, json};

use super::mailbox::about;
use super::{Answer, Cmdlet, Done, Rows, bad, missing, row};
use crate::trace::TraceObject;
use crate::world::World;
use crate::world::folders::{ANONYMOUS, DEFAULT, Listed, Set, is_standing};

/// What may be given: roles, and single rights.
const RIGHTS: [&str; 21] = [
    "None",
    "Owner",
    "PublishingEditor",
    "Editor",
    "PublishingAuthor",
    "Author",
    "NonEditingAuthor",
    "Reviewer",
    "Contributor",
    "AvailabilityOnly",
    "LimitedDetails",
    "CreateItems",
    "CreateSubfolders",
    "DeleteAllItems",
    "DeleteOwnedItems",
    "EditAllItems",
    "EditOwnedItems",
    "FolderContact",
    "FolderOwner",
    "FolderVisible",
    "ReadItems",
];

/// `Get-MailboxFolderStatistics`: names as the user sees them.
pub(super) fn statistics(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let user = cmdlet.mailbox("Identity")?;
    let world = &cmdlet.ask.world;
    let mailbox = world
        .mailboxes
        .get(&user)
        .ok_or_else(|| missing(world, &user))?;
    let rows = mailbox
        .listed_folders()
        .into_iter()
        .map(|folder| {
            let (count, size) = mailbox
                .messages
                .values()
                .filter(|message| message.folder == folder.id)
                .fold((0_u64, 0_u64), |(count, size), message| {
                    (count + 1, size + u64::from(message.size))
                });
            row(vec![
                ("Name", json!(folder.name)),
                ("FolderPath", json!(folder.path.replace('\\', "/"))),
                ("FolderId", json!(folder.id)),
                ("FolderType", json!(folder.kind)),
                (
                    "Identity",
                    json!(format!("{}{}", mailbox.guid, folder.path)),
                ),
                ("ItemsInFolder", json!(count)),
                (
                    "FolderSize",
                    json!(format!("{} KB ({size} bytes)", size / 1024)),
                ),
            ])
        })
        .collect();
    Ok(about(rows, user))
}

/// `Get-MailboxFolderPermission`: `Default` and `Anonymous` stand in every list.
pub(super) fn permissions(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let (user, folder) = folder_of(cmdlet)?;
    let wanted = cmdlet.text("User");
    let world = &cmdlet.ask.world;
    let mailbox = world
        .mailboxes
        .get(&user)
        .ok_or_else(|| missing(world, &user))?;
    let named = mailbox
        .folder_rights
        .iter()
        .filter(|entry| entry.folder == folder.id && !is_standing(&entry.holder))
        .map(|entry| entry.holder.as_str());
    let rows = [DEFAULT, ANONYMOUS]
        .into_iter()
        .chain(named)
        .filter_map(|holder| {
            let shown = world.shown_in_folder(holder);
            let fits = wanted.as_ref().is_none_or(|wanted| {
                wanted.eq_ignore_ascii_case(&shown)
                    || who(world, wanted).is_some_and(|id| id == holder)
            });
            let flags: Vec<&str> = mailbox
                .folder_rights
                .iter()
                .filter(|entry| entry.folder == folder.id && entry.holder == holder)
                .flat_map(|entry| entry.flags.iter().map(String::as_str))
                .collect();
            let rights = mailbox.folder_rights_of(&folder.id, holder)?;
            fits.then(|| {
                row(vec![
                    ("FolderName", json!(folder.name)),
                    ("User", json!(shown)),
                    ("AccessRights", json!(rights)),
                    (
                        "SharingPermissionFlags",
                        if flags.is_empty() {
                            Value::Null
                        } else {
                            json!(flags.join(", "))
                        },
                    ),
                ])
            })
        })
        .collect::<Vec<_>>();
    if rows.is_empty() {
        return Err(no_entry(wanted.as_deref().unwrap_or_default()));
    }
    Ok(Done {
        rows,
        // Which folder of whose mailbox was asked about.
        target: Some(TraceObject::new(
            ObjectKind::FolderRight,
            format!("{user}|{}", folder.id),
        )),
        ..Done::default()
    })
}

/// `Add-MailboxFolderPermission`: for somebody who has no entry yet.
pub(super) fn add(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let (user, folder) = folder_of(cmdlet)?;
    let (named, holder) = holder_of(cmdlet, &user, &folder)?;
    let rights = rights_of(cmdlet)?;
    if entry(cmdlet.ask.world, &user, &folder, &holder) {
        return Err(bad(
            &format!("An existing permission entry was found for user: {named}."),
            "UserAlreadyExistsInPermissionEntryException",
        ));
    }
    Ok(set(cmdlet, &user, &folder, &holder, &rights))
}

/// `Set-MailboxFolderPermission`: for an entry that is there.
pub(super) fn change(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let (user, folder) = folder_of(cmdlet)?;
    let (named, holder) = holder_of(cmdlet, &user, &folder)?;
    let rights = rights_of(cmdlet)?;
    if !entry(cmdlet.ask.world, &user, &folder, &holder) {
        return Err(no_entry(&named));
    }
    Ok(set(cmdlet, &user, &folder, &holder, &rights))
}

/// `Remove-MailboxFolderPermission`: `Default` and `Anonymous` cannot be removed (that is
/// not confirmed; they are set to what they were instead).
pub(super) fn remove(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let (user, folder) = folder_of(cmdlet)?;
    let (named, holder) = holder_of(cmdlet, &user, &folder)?;
    if is_standing(&holder) {
        return Err(bad(
            &format!("The permission entry of {named} can't be removed."),
            "InvalidInternalUserIdException",
        ));
    }
    if !entry(cmdlet.ask.world, &user, &folder, &holder) {
        return Err(no_entry(&named));
    }
    Ok(set(cmdlet, &user, &folder, &holder, &[]))
}

fn set(
    cmdlet: &mut Cmdlet<'_, '_>,
    user: &str,
    folder: &Listed,
    holder: &str,
    rights: &[String],
) -> Done {
    let flags = texts(cmdlet, "SharingPermissionFlags");
    let (now, origin) = (cmdlet.ask.now, cmdlet.origin());
    let object = cmdlet.ask.world.folder_object(user, &folder.id, holder);
    let world = &mut *cmdlet.ask.world;
    let done = world.set_folder_right(now, &origin, user, &folder.id, holder, rights, &flags);
    let effect = match done {
        Set::Made => Some(json!({"kind": "created"})),
        Set::Gone => Some(json!({"kind": "deleted"})),
        Set::Changed(before) => Some(json!({
            "kind": "changed",
            "fields": {"AccessRights": [before, rights]},
        })),
        Set::Same => None,
    };
    let mut warnings = Vec::new();
    if effect.is_none() {
        warnings.push(String::from(
            "The command completed successfully but no settings were modified.",
        ));
    }
    Done {
        warnings,
        target: Some(TraceObject::new(ObjectKind::FolderRight, object)),
        effect,
        ..Done::default()
    }
}

/// The mailbox and the folder that the identity names.
fn folder_of(cmdlet: &Cmdlet<'_, '_>) -> Result<(String, Listed), Answer> {
    let identity = cmdlet.text("Identity").unwrap_or_default();
    let (mailbox, folder) = identity.split_once(':').unwrap_or((&identity, ""));
    let user = cmdlet.mailbox_of("Identity", mailbox)?;
    let world = &cmdlet.ask.world;
    let listed = world
        .mailboxes
        .get(&user)
        .and_then(|mailbox| mailbox.listed_folder(folder))
        .ok_or_else(|| missing(world, &identity))?;
    Ok((user, listed))
}

/// Whom the cmdlet names: as it was written, and who that is.
fn holder_of(
    cmdlet: &Cmdlet<'_, '_>,
    user: &str,
    folder: &Listed,
) -> Result<(String, String), Answer> {
    let named = cmdlet
        .text("User")
        .filter(|name| !name.is_empty())
        .ok_or_else(|| {
            bad(
                "Cannot process command because of one or more missing mandatory parameters: User.",
                "ParameterBindingException",
            )
        })?;
    let world = &cmdlet.ask.world;
    // The list's own text is somebody too, also where nobody is called so any more.
    let listed = world.mailboxes.get(user).and_then(|mailbox| {
        mailbox
            .folder_rights
            .iter()
            .filter(|entry| entry.folder == folder.id)
            .map(|entry| entry.holder.clone())
            .find(|holder| world.shown_in_folder(holder).eq_ignore_ascii_case(&named))
    });
    let holder = listed
        .or_else(|| who(world, &named))
        .ok_or_else(|| missing(world, &named))?;
    Ok((named, holder))
}

fn who(world: &World, named: &str) -> Option<String> {
    [DEFAULT, ANONYMOUS]
        .into_iter()
        .find(|standing| standing.eq_ignore_ascii_case(named))
        .map(str::to_owned)
        .or_else(|| world.recipient(named).map(|(id, _)| id))
}

/// The rights that are asked for, as they are spelled here.
fn rights_of(cmdlet: &Cmdlet<'_, '_>) -> Result<Vec<String>, Answer> {
    let refused = |text: &str| {
        bad(
            &format!("Cannot convert value \"{text}\" to type MailboxFolderAccessRight[]."),
            "ParameterTransformationException",
        )
    };
    let asked = texts(cmdlet, "AccessRights");
    if asked.is_empty() {
        return Err(refused(""));
    }
    asked
        .iter()
        .map(|text| {
            RIGHTS
                .iter()
                .find(|right| right.eq_ignore_ascii_case(text))
                .map(|right| (*right).to_owned())
                .ok_or_else(|| refused(text))
        })
        .collect()
}

fn texts(cmdlet: &Cmdlet<'_, '_>, name: &str) -> Vec<String> {
    match cmdlet.parameter(name) {
        Some(Value::String(text)) => text.split(',').map(|one| one.trim().to_owned()).collect(),
        Some(Value::Array(list)) => list
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

/// Whether somebody has an entry in the folder's list.
fn entry(world: &World, user: &str, folder: &Listed, holder: &str) -> bool {
    world
        .mailboxes
        .get(user)
        .is_some_and(|mailbox| mailbox.folder_rights_of(&folder.id, holder).is_some())
}

fn no_entry(named: &str) -> Answer {
    bad(
        &format!("There is no existing permission entry found for user: {named}."),
        "UserNotFoundInPermissionEntryException",
    )
}
