//! `Get-Recipient`: who a name stands for. The properties are those of its page; the
//! JSON was never seen (reference §6.6 for the form).

use retake_playbook::ObjectKind;
use serde_json::{Value, json};

use super::{Cmdlet, Done, Rows, bad, missing, net_time, row};
use crate::trace::TraceObject;
use crate::world::World;

/// `Get-Recipient -Identity`.
pub(super) fn get(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let Some(key) = cmdlet.text("Identity").filter(|key| !key.is_empty()) else {
        return Err(bad(
            "Cannot process command because of one or more missing mandatory parameters: Identity.",
            "ParameterBindingException",
        ));
    };
    let world = &cmdlet.ask.world;
    let rows: Vec<Value> = contacts(world, &key)
        .into_iter()
        .chain(mailbox(world, &key))
        .collect();
    if rows.is_empty() {
        return Err(missing(world, &key));
    }
    Ok(Done {
        rows,
        target: Some(TraceObject::new(
            ObjectKind::Tenant,
            world.tenant.id.clone(),
        )),
        ..Done::default()
    })
}

fn contacts(world: &World, key: &str) -> Vec<Value> {
    let Some(contact) = world.contact(key) else {
        return Vec::new();
    };
    let mut row = row(vec![
        ("Identity", json!(contact.name)),
        ("Name", json!(contact.name)),
        ("DisplayName", json!(contact.name)),
        ("Alias", json!(contact.alias)),
        ("Guid", json!(contact.id)),
        ("ExternalDirectoryObjectId", json!("")),
        ("PrimarySmtpAddress", json!(contact.external)),
        (
            "ExternalEmailAddress",
            json!(format!("SMTP:{}", contact.external)),
        ),
        (
            "EmailAddresses",
            json!([format!("SMTP:{}", contact.external)]),
        ),
        ("RecipientType", json!("MailContact")),
        ("RecipientTypeDetails", json!("MailContact")),
        ("WhenCreated", net_time(contact.created)),
    ]);
    row["WhenCreated@data.type"] = json!("System.DateTime");
    vec![row]
}

fn mailbox(world: &World, key: &str) -> Option<Value> {
    let user = world.find_user(key).or_else(|| {
        world
            .users
            .values()
            .find(|user| user.display_name.eq_ignore_ascii_case(key))
    })?;
    let mailbox = world.mailboxes.get(&user.id)?;
    Some(row(vec![
        ("Identity", json!(user.display_name)),
        ("Name", json!(user.display_name)),
        ("DisplayName", json!(user.display_name)),
        ("Alias", json!(user.upn.split('@').next())),
        ("Guid", json!(mailbox.guid)),
        ("ExternalDirectoryObjectId", json!(user.id)),
        ("PrimarySmtpAddress", json!(user.mail)),
        ("ExternalEmailAddress", Value::Null),
        ("EmailAddresses", json!(user.proxy_addresses)),
        ("RecipientType", json!("UserMailbox")),
        (
            "RecipientTypeDetails",
            json!(if mailbox.shared {
                "SharedMailbox"
            } else {
                "UserMailbox"
            }),
        ),
    ]))
}
