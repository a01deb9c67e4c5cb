//! The cmdlets for mailboxes, rights and protocols.

use retake_playbook::ObjectKind;
use serde_json::{Value, json};

use super::{Cmdlet, Done, Rows, bad, keeping, missing, net_time, row};
use crate::trace::TraceObject;
use crate::world::mail::Forwarding;
use crate::world::rights::Right;
use crate::world::{Mailbox, World};

/// `Get-Mailbox`: one mailbox, or all of them without `-Identity` (which a null
/// identity means too, reference §6.2).
pub(super) fn get(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let users: Vec<String> = match cmdlet.parameter("Identity") {
        None | Some(Value::Null) => cmdlet.ask.world.mailboxes.keys().cloned().collect(),
        Some(_) => vec![cmdlet.mailbox("Identity")?],
    };
    let target = match users.as_slice() {
        [one] => TraceObject::new(ObjectKind::MailboxForwarding, one.clone()),
        _ => TraceObject::new(ObjectKind::Tenant, cmdlet.ask.world.tenant.id.clone()),
    };
    let world = &cmdlet.ask.world;
    let rows = users
        .iter()
        .filter_map(|user| world.mailboxes.get(user))
        .map(|mailbox| mailbox_row(world, mailbox))
        .collect();
    Ok(Done {
        rows,
        target: Some(target),
        shows: users
            .into_iter()
            .flat_map(|user| {
                [
                    TraceObject::new(ObjectKind::MailboxForwarding, user.clone()),
                    TraceObject::new(ObjectKind::Mailbox, user),
                ]
            })
            .collect(),
        ..Done::default()
    })
}

fn mailbox_row(world: &World, mailbox: &Mailbox) -> Value {
    let user = world.users.get(&mailbox.user);
    let upn = user.map(|user| user.upn.as_str()).unwrap_or_default();
    let mut row = row(vec![
        (
            "Identity",
            json!(user.map(|user| user.display_name.as_str())),
        ),
        ("Name", json!(user.map(|user| user.display_name.as_str()))),
        (
            "DisplayName",
            json!(user.map(|user| user.display_name.as_str())),
        ),
        ("Alias", json!(upn.split('@').next())),
        ("Guid", json!(mailbox.guid)),
        ("ExchangeGuid", json!(mailbox.guid)),
        ("ExternalDirectoryObjectId", json!(mailbox.user)),
        ("UserPrincipalName", json!(upn)),
        (
            "PrimarySmtpAddress",
            json!(user.map(|user| user.mail.as_str())),
        ),
        (
            "EmailAddresses",
            json!(
                user.map(|user| user.proxy_addresses.clone())
                    .unwrap_or_default()
            ),
        ),
        (
            "RecipientTypeDetails",
            json!(if mailbox.shared {
                "SharedMailbox"
            } else {
                "UserMailbox"
            }),
        ),
        ("ForwardingAddress", json!(mailbox.forwarding_address)),
        (
            "ForwardingSmtpAddress",
            json!(
                mailbox
                    .forwarding_smtp
                    .as_ref()
                    .map(|address| format!("smtp:{address}"))
            ),
        ),
        (
            "DeliverToMailboxAndForward",
            json!(mailbox.deliver_and_forward),
        ),
        (
            "GrantSendOnBehalfTo",
            json!(
                mailbox
                    .send_on_behalf
                    .iter()
                    .map(|holder| world.shown_holder(Right::SendOnBehalf, holder))
                    .collect::<Vec<_>>()
            ),
        ),
        ("AuditEnabled", json!(mailbox.audit_enabled)),
        ("DefaultAuditSet", json!(["Admin", "Delegate", "Owner"])),
        ("LitigationHoldDuration", json!("Unlimited")),
        ("InPlaceHolds", json!([])),
        ("RetentionHoldEnabled", json!(false)),
        ("DelayHoldApplied", json!(false)),
        ("ElcProcessingDisabled", json!(false)),
        (
            "AccountDisabled",
            json!(user.is_some_and(|user| !user.enabled)),
        ),
        ("RulesQuota", json!("256 KB (262,144 bytes)")),
        ("WhenMailboxCreated", net_time(mailbox.created)),
    ]);
    for (name, value) in keeping::properties(world, mailbox) {
        row[name] = value;
    }
    row["WhenMailboxCreated@data.type"] = json!("System.DateTime");
    row["ExchangeGuid@data.type"] = json!("System.Guid");
    row
}

/// `Set-Mailbox`: what is named, in one change; what is not stays.
pub(super) fn set(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let user = cmdlet.mailbox("Identity")?;
    if cmdlet.parameter("GrantSendOnBehalfTo").is_some() {
        return super::rights::set_send_on_behalf(cmdlet, &user);
    }
    if keeping::is_named(cmdlet) {
        return keeping::set(cmdlet, user);
    }
    set_forwarding(cmdlet, user)
}

/// The forwarding fields; null clears.
fn set_forwarding(cmdlet: &mut Cmdlet<'_, '_>, user: String) -> Rows {
    let world = &cmdlet.ask.world;
    let held = world
        .mailboxes
        .get(&user)
        .ok_or_else(|| missing(cmdlet.ask.world, &user))?;
    let mut to = Forwarding {
        smtp: held.forwarding_smtp.clone(),
        address: held.forwarding_address.clone(),
        deliver_and_forward: held.deliver_and_forward,
    };
    let cleared = |value: &Value| {
        value.is_null()
            || value
                .as_str()
                .is_some_and(|text| text.is_empty() || text == "$null")
    };
    if let Some(value) = cmdlet.parameter("ForwardingSmtpAddress") {
        to.smtp = match value.as_str() {
            _ if cleared(value) => None,
            Some(text) if text.contains('@') => Some(
                text.trim_start_matches("smtp:")
                    .trim_start_matches("SMTP:")
                    .to_owned(),
            ),
            _ => {
                return Err(bad(
                    "The address isn't valid.",
                    "ParameterTransformationException",
                ));
            }
        };
    }
    if let Some(value) = cmdlet.parameter("ForwardingAddress") {
        to.address = match value.as_str() {
            _ if cleared(value) => None,
            Some(text) => Some(
                world
                    .find_user(text)
                    .map(|user| user.mail.clone())
                    .or_else(|| world.contact(text).map(|contact| contact.name.clone()))
                    .ok_or_else(|| missing(cmdlet.ask.world, text))?,
            ),
            None => {
                return Err(bad(
                    "The address isn't valid.",
                    "ParameterTransformationException",
                ));
            }
        };
    }
    if let Some(value) = cmdlet.parameter("DeliverToMailboxAndForward") {
        to.deliver_and_forward = value.as_bool().ok_or_else(|| {
            bad(
                "Cannot convert the value to a boolean.",
                "ParameterTransformationException",
            )
        })?;
    }
    let (now, origin) = (cmdlet.ask.now, cmdlet.origin());
    let old = cmdlet
        .ask
        .world
        .set_forwarding(now, &origin, &user, to.clone());
    let mut fields = serde_json::Map::new();
    if old.smtp != to.smtp {
        fields.insert("ForwardingSmtpAddress".into(), json!([old.smtp, to.smtp]));
    }
    if old.address != to.address {
        fields.insert("ForwardingAddress".into(), json!([old.address, to.address]));
    }
    if old.deliver_and_forward != to.deliver_and_forward {
        fields.insert(
            "DeliverToMailboxAndForward".into(),
            json!([old.deliver_and_forward, to.deliver_and_forward]),
        );
    }
    let mut warnings = Vec::new();
    if fields.is_empty() {
        warnings.push(String::from(
            "The command completed successfully but no settings were modified.",
        ));
    }
    Ok(Done {
        warnings,
        target: Some(TraceObject::new(ObjectKind::MailboxForwarding, user)),
        effect: Some(json!({"kind": "changed", "fields": fields})),
        ..Done::default()
    })
}

/// `Get-CASMailbox`.
pub(super) fn protocols(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let user = cmdlet.mailbox("Identity")?;
    let mailbox = cmdlet
        .ask
        .world
        .mailboxes
        .get(&user)
        .ok_or_else(|| missing(cmdlet.ask.world, &user))?;
    let rows = vec![row(vec![
        (
            "Identity",
            json!(
                cmdlet
                    .ask
                    .world
                    .users
                    .get(&user)
                    .map(|user| user.upn.as_str())
            ),
        ),
        ("ImapEnabled", json!(mailbox.imap)),
        ("PopEnabled", json!(mailbox.pop)),
        ("EwsEnabled", json!(mailbox.ews)),
        ("ActiveSyncEnabled", json!(true)),
        ("OWAEnabled", json!(true)),
        ("MAPIEnabled", json!(true)),
        (
            "SmtpClientAuthenticationDisabled",
            json!(mailbox.smtp_auth_disabled),
        ),
        ("OutlookMobileEnabled", json!(true)),
        ("MacOutlookEnabled", json!(true)),
        ("UniversalOutlookEnabled", json!(true)),
        ("OneWinNativeOutlookEnabled", json!(true)),
        ("ECPEnabled", json!(true)),
        ("OWAforDevicesEnabled", json!(true)),
        ("ActiveSyncAllowedDeviceIDs", json!([])),
        ("ActiveSyncBlockedDeviceIDs", json!([])),
    ])];
    Ok(Done {
        rows,
        target: Some(TraceObject::new(ObjectKind::MailProtocols, user)),
        ..Done::default()
    })
}

pub(super) fn about(rows: Vec<Value>, user: String) -> Done {
    Done {
        rows,
        target: Some(TraceObject::new(ObjectKind::Mailbox, user)),
        ..Done::default()
    }
}
