//! The cmdlets for rights on a whole mailbox, and for whoever holds them
//! (reference §6.2, §6.6).

use retake_playbook::ObjectKind;
use serde_json::{Value, json};

use super::mailbox::about;
use super::{Answer, Cmdlet, Done, Rows, bad, missing, row};
use crate::trace::TraceObject;
use crate::world::World;
use crate::world::rights::{Recipient, Right, SELF};

/// `Get-MailboxPermission`: there is no form for the whole tenant. Rows of the
/// mailbox itself and inherited ones stand among the others.
pub(super) fn permissions(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let user = cmdlet.mailbox("Identity")?;
    let world = &cmdlet.ask.world;
    let mailbox = world
        .mailboxes
        .get(&user)
        .ok_or_else(|| missing(world, &user))?;
    let wanted = cmdlet.text("User");
    let one = |holder: &str, rights: &str, deny: bool, inherited: bool| {
        row(vec![
            ("User", json!(holder)),
            // A flags list: one text with commas inside an array.
            ("AccessRights", json!([rights])),
            ("Deny", json!(deny)),
            ("IsInherited", json!(inherited)),
            ("UserSid", json!(sid(holder))),
            ("PrimarySmtpAddress", json!("")),
        ])
    };
    let rows = mailbox
        .permissions
        .iter()
        .map(|right| {
            let shown = world.shown_holder(Right::FullAccess, &right.holder);
            one(&shown, &right.rights.join(", "), false, false)
        })
        .chain([
            one("EURPR01A001\\Domain Admins", "FullAccess", true, true),
            one(
                "EURPR01A001\\Organization Management",
                "ReadPermission",
                false,
                true,
            ),
        ])
        .filter(|row| {
            wanted.as_ref().is_none_or(|wanted| {
                row["User"]
                    .as_str()
                    .is_some_and(|shown| shown.eq_ignore_ascii_case(wanted))
            })
        })
        .collect();
    Ok(about(rows, user))
}

/// `Get-RecipientPermission`.
pub(super) fn send_as(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let user = cmdlet.mailbox("Identity")?;
    let world = &cmdlet.ask.world;
    let mailbox = world
        .mailboxes
        .get(&user)
        .ok_or_else(|| missing(world, &user))?;
    let rows = mailbox
        .send_as
        .iter()
        .map(|right| {
            let shown = world.shown_holder(Right::SendAs, &right.holder);
            row(vec![
                ("Trustee", json!(shown)),
                ("AccessRights", json!(["SendAs"])),
                ("AccessControlType", json!("Allow")),
                ("TrusteeSidString", json!(sid(&shown))),
                ("TrusteeWithPrimarySmtpAddress", json!("")),
            ])
        })
        .collect();
    Ok(about(rows, user))
}

/// `Add-MailboxPermission`, for full access.
pub(super) fn add_permission(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    change(cmdlet, Right::FullAccess, "User", true)
}

/// `Remove-MailboxPermission`.
pub(super) fn remove_permission(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    change(cmdlet, Right::FullAccess, "User", false)
}

/// `Add-RecipientPermission`.
pub(super) fn add_send_as(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    change(cmdlet, Right::SendAs, "Trustee", true)
}

/// `Remove-RecipientPermission`.
pub(super) fn remove_send_as(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    change(cmdlet, Right::SendAs, "Trustee", false)
}

fn change(cmdlet: &mut Cmdlet<'_, '_>, right: Right, who: &str, given: bool) -> Rows {
    let user = cmdlet.mailbox("Identity")?;
    let named = cmdlet.text(who).filter(|name| !name.is_empty()).ok_or_else(|| {
        bad(
            &format!("Cannot process command because of one or more missing mandatory parameters: {who}."),
            "ParameterBindingException",
        )
    })?;
    let asked: Vec<String> = match cmdlet.parameter("AccessRights") {
        Some(Value::String(text)) => text.split(',').map(|one| one.trim().to_owned()).collect(),
        Some(Value::Array(list)) => list
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    };
    if !asked
        .iter()
        .any(|name| name.eq_ignore_ascii_case(right.as_str()))
    {
        return Err(bad(
            &format!(
                "The value of AccessRights is not valid here; it takes {}.",
                right.as_str()
            ),
            "ParameterTransformationException",
        ));
    }
    let holder = holder(cmdlet.ask.world, &user, right, &named, given)?;
    let (now, origin) = (cmdlet.ask.now, cmdlet.origin());
    let object = cmdlet.ask.world.right_object(&user, right, &holder);
    let world = &mut *cmdlet.ask.world;
    let done = if given {
        world.give_right(now, &origin, &user, right, &holder)
    } else {
        world.take_right(now, &origin, &user, right, &holder)
    };
    let mut warnings = Vec::new();
    if !done {
        warnings.push(if given {
            format!("An existing permission entry was found for user: {named}.")
        } else {
            // Nothing to take is a warning, not an error (UNCONFIRMED).
            String::from("Can't remove the access control entry because it isn't present.")
        });
    }
    let word = if given { "created" } else { "deleted" };
    Ok(Done {
        warnings,
        target: Some(TraceObject::new(ObjectKind::MailboxRight, object)),
        effect: done.then(|| json!({"kind": word})),
        ..Done::default()
    })
}

/// Whose right it is: somebody of the directory, or the very text that the list shows.
fn holder(
    world: &World,
    user: &str,
    right: Right,
    named: &str,
    given: bool,
) -> Result<String, Answer> {
    if named.eq_ignore_ascii_case(SELF) {
        return Ok(SELF.to_owned());
    }
    let shown = world
        .holders(user, right)
        .into_iter()
        .find(|held| world.shown_holder(right, held).eq_ignore_ascii_case(named));
    match (shown, given) {
        (Some(held), _) => Ok(held),
        (None, _) => world
            .recipient(named)
            .map(|(id, _)| id)
            .ok_or_else(|| missing(world, named)),
    }
}

/// `Set-Mailbox -GrantSendOnBehalfTo`: who is added and who removed, in a table that
/// names its type; without that the binder refuses it (reference §6.2).
pub(super) fn set_send_on_behalf(cmdlet: &mut Cmdlet<'_, '_>, user: &str) -> Rows {
    let right = Right::SendOnBehalf;
    let refused = || {
        bad(
            "Cannot convert the value to type MultiValuedProperty.",
            "ParameterTransformationException",
        )
    };
    let table = cmdlet
        .parameter("GrantSendOnBehalfTo")
        .and_then(Value::as_object)
        .filter(|table| {
            table.get("@odata.type").and_then(Value::as_str) == Some("#Exchange.GenericHashTable")
        })
        .cloned()
        .ok_or_else(refused)?;
    let names = |word: &str| -> Vec<String> {
        table
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(word))
            .flat_map(|(_, value)| match value {
                Value::Array(list) => list.clone(),
                one => vec![one.clone()],
            })
            .filter_map(|value| value.as_str().map(str::to_owned))
            .collect()
    };
    let (now, origin) = (cmdlet.ask.now, cmdlet.origin());
    let mut touched = Vec::new();
    for (word, given) in [("Remove", false), ("Add", true)] {
        for name in names(word) {
            let holder = holder(cmdlet.ask.world, user, right, &name, given)?;
            let object = cmdlet.ask.world.right_object(user, right, &holder);
            let world = &mut *cmdlet.ask.world;
            let done = if given {
                world.give_right(now, &origin, user, right, &holder)
            } else {
                world.take_right(now, &origin, user, right, &holder)
            };
            if done {
                let effect = if given { "created" } else { "deleted" };
                touched.push(
                    json!({"kind": "mailbox_right", "id": object, "effect": {"kind": effect}}),
                );
            }
        }
    }
    let mut warnings = Vec::new();
    if touched.is_empty() {
        warnings.push(String::from(
            "The command completed successfully but no settings were modified.",
        ));
    }
    Ok(Done {
        warnings,
        target: Some(TraceObject::new(ObjectKind::Mailbox, user)),
        effect: (!touched.is_empty()).then(|| json!({"kind": "members", "touched": touched})),
        ..Done::default()
    })
}

/// `Get-Recipient`: who a name means, and of what kind; groups are recipients too.
/// Without a name, every recipient of the kinds that are asked for.
pub(super) fn recipient(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let world = &cmdlet.ask.world;
    let Some(name) = cmdlet.text("Identity").filter(|name| !name.is_empty()) else {
        let wanted: Vec<String> = match cmdlet.parameter("RecipientTypeDetails") {
            Some(Value::Array(list)) => list
                .iter()
                .filter_map(|one| one.as_str().map(str::to_lowercase))
                .collect(),
            Some(Value::String(text)) => text
                .split(',')
                .map(|one| one.trim().to_lowercase())
                .collect(),
            _ => Vec::new(),
        };
        let rows = world
            .users
            .keys()
            .filter_map(|id| world.recipient(id))
            .filter(|(_, kind)| wanted.is_empty() || wanted.contains(&kind.as_str().to_lowercase()))
            .filter_map(|(id, kind)| recipient_row(world, &id, kind))
            .collect();
        return Ok(Done {
            rows,
            target: Some(TraceObject::new(
                ObjectKind::Tenant,
                world.tenant.id.clone(),
            )),
            ..Done::default()
        });
    };
    // Contacts and the rest of what a setting may name.
    let Some((id, kind)) = world.recipient(&name) else {
        return super::recipients::get(cmdlet);
    };
    let row = recipient_row(world, &id, kind).ok_or_else(|| missing(world, &name))?;
    Ok(Done {
        rows: vec![row],
        target: Some(TraceObject::new(ObjectKind::Account, id)),
        ..Done::default()
    })
}

fn recipient_row(world: &World, id: &str, kind: Recipient) -> Option<Value> {
    let (display, address) = match (world.users.get(id), world.groups.get(id)) {
        (Some(user), _) => (user.display_name.clone(), user.mail.clone()),
        (None, Some(group)) => (
            group.display_name.clone(),
            group.mail.clone().unwrap_or_default(),
        ),
        (None, None) => return None,
    };
    let recipient_type = match kind {
        Recipient::GuestMailUser => "MailUser",
        Recipient::Group => "MailUniversalSecurityGroup",
        Recipient::UserMailbox | Recipient::SharedMailbox => "UserMailbox",
    };
    Some(row(vec![
        ("Identity", json!(display)),
        ("Name", json!(display)),
        ("DisplayName", json!(display)),
        ("Alias", json!(address.split('@').next())),
        ("PrimarySmtpAddress", json!(address)),
        ("EmailAddresses", json!([format!("SMTP:{address}")])),
        ("ExternalDirectoryObjectId", json!(id)),
        ("RecipientType", json!(recipient_type)),
        ("RecipientTypeDetails", json!(kind.as_str())),
    ]))
}

fn sid(holder: &str) -> String {
    if holder.ends_with("SELF") {
        return String::from("S-1-5-10");
    }
    if holder.starts_with("S-1-") {
        return holder.to_owned();
    }
    let number = crate::chance::Chance::new(0)
        .draw(holder, "sid", 0)
        .below(9_000_000);
    format!("S-1-5-21-3623811015-3361044348-30300820-{number}")
}
