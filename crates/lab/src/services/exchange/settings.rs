//! The cmdlets of a mailbox's settings (reference §6.2) and of the service's block from
//! sending (reference §15.5). Their JSON was never seen: the forms follow §6.6.

use retake_playbook::ObjectKind;
use serde_json::{Map, Value, json};

use super::{Cmdlet, Done, Rows, bad, missing, net_time, row};
use crate::trace::TraceObject;
use crate::world::mailbox::{AutoReply, Mailbox};
use crate::world::settings::{JunkList, Protocol};

fn mailbox<'a>(cmdlet: &'a Cmdlet<'_, '_>, user: &str) -> Result<&'a Mailbox, super::Answer> {
    let world = &cmdlet.ask.world;
    world
        .mailboxes
        .get(user)
        .ok_or_else(|| missing(world, user))
}

/// `Get-MailboxAutoReplyConfiguration`.
pub(super) fn auto_reply(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let user = cmdlet.mailbox("Identity")?;
    let reply = &mailbox(cmdlet, &user)?.auto_reply;
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let mut shown = row(vec![
        ("Identity", json!(cmdlet.ask.world.upn(&user))),
        ("AutoReplyState", json!(reply.state())),
        ("ExternalAudience", json!("All")),
        ("InternalMessage", json!(text(&reply.internal))),
        ("ExternalMessage", json!(text(&reply.external))),
        ("StartTime", net_time(cmdlet.ask.now)),
        ("EndTime", net_time(cmdlet.ask.now)),
    ]);
    shown["StartTime@data.type"] = json!("System.DateTime");
    shown["EndTime@data.type"] = json!("System.DateTime");
    Ok(read(ObjectKind::AutoReply, user, shown))
}

/// `Set-MailboxAutoReplyConfiguration`: what is not named stays, null clears.
pub(super) fn set_auto_reply(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let user = cmdlet.mailbox("Identity")?;
    let held = mailbox(cmdlet, &user)?.auto_reply.clone();
    let message = |name: &str, held: &str| match cmdlet.parameter(name) {
        None => held.to_owned(),
        Some(value) => value.as_str().unwrap_or_default().to_owned(),
    };
    let mut to = AutoReply {
        internal: message("InternalMessage", &held.internal),
        external: message("ExternalMessage", &held.external),
        ..held.clone()
    };
    match cmdlet.text("AutoReplyState").as_deref() {
        None => {}
        Some(state) if state.eq_ignore_ascii_case("disabled") => to.enabled = false,
        Some(state) if ["enabled", "scheduled"].contains(&state.to_lowercase().as_str()) => {
            to.enabled = true;
        }
        Some(_) => {
            return Err(bad(
                "Cannot convert the value to OofState.",
                "ParameterTransformationException",
            ));
        }
    }
    let (now, origin) = (cmdlet.ask.now, cmdlet.origin());
    let old = cmdlet
        .ask
        .world
        .set_auto_reply(now, &origin, &user, to.clone());
    let mut fields = Map::new();
    if old.state() != to.state() {
        fields.insert("AutoReplyState".into(), json!([old.state(), to.state()]));
    }
    if old.internal != to.internal {
        fields.insert("InternalMessage".into(), json!([old.internal, to.internal]));
    }
    if old.external != to.external {
        fields.insert("ExternalMessage".into(), json!([old.external, to.external]));
    }
    Ok(Done {
        target: Some(TraceObject::new(ObjectKind::AutoReply, user)),
        effect: Some(json!({"kind": "changed", "fields": fields})),
        ..Done::default()
    })
}

/// `Get-MailboxJunkEmailConfiguration`.
pub(super) fn junk(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let user = cmdlet.mailbox("Identity")?;
    let held = mailbox(cmdlet, &user)?;
    let shown = row(vec![
        ("Identity", json!(cmdlet.ask.world.upn(&user))),
        ("Enabled", json!(true)),
        ("TrustedListsOnly", json!(false)),
        ("ContactsTrusted", json!(false)),
        ("TrustedSendersAndDomains", json!(held.trusted_senders)),
        (
            "TrustedRecipientsAndDomains",
            json!(held.trusted_recipients),
        ),
        ("BlockedSendersAndDomains", json!(held.blocked_senders)),
    ]);
    Ok(read(ObjectKind::JunkLists, user, shown))
}

/// `Set-MailboxJunkEmailConfiguration`: a whole list, or a typed table of entries to add
/// or to remove; untyped, the binder refuses it (reference §6.2).
pub(super) fn set_junk(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let user = cmdlet.mailbox("Identity")?;
    let held = mailbox(cmdlet, &user)?.clone();
    let texts = |value: &Value| -> Vec<String> {
        match value {
            Value::Array(list) => list
                .iter()
                .filter_map(|text| text.as_str().map(str::to_owned))
                .collect(),
            Value::String(text) => vec![text.clone()],
            _ => Vec::new(),
        }
    };
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    for list in JunkList::ALL {
        let present = held.clone().junk_list(list).clone();
        match cmdlet.parameter(list.parameter()) {
            None => {}
            Some(Value::Object(table)) => {
                if table.get("@odata.type") != Some(&json!("#Exchange.GenericHashTable")) {
                    return Err(bad(
                        "Cannot process argument transformation on the parameter.",
                        "ParameterTransformationException",
                    ));
                }
                let of = |word: &str| table.get(word).map(texts).unwrap_or_default();
                added.extend(of("Add").into_iter().map(|entry| (list, entry)));
                removed.extend(of("Remove").into_iter().map(|entry| (list, entry)));
            }
            Some(value) => {
                let whole = texts(value);
                removed.extend(
                    present
                        .iter()
                        .filter(|entry| !whole.contains(entry))
                        .map(|entry| (list, entry.clone())),
                );
                added.extend(
                    whole
                        .into_iter()
                        .filter(|entry| !present.contains(entry))
                        .map(|entry| (list, entry)),
                );
            }
        }
    }
    let (now, origin) = (cmdlet.ask.now, cmdlet.origin());
    let gone = cmdlet
        .ask
        .world
        .remove_junk_entries(now, &origin, &user, &removed);
    if !added.is_empty() {
        cmdlet
            .ask
            .world
            .add_junk_entries(now, &origin, &user, &added);
    }
    let touched: Vec<Value> = gone
        .iter()
        .map(|(list, entry)| (list, entry, "deleted"))
        .chain(added.iter().map(|(list, entry)| (list, entry, "created")))
        .map(|(list, entry, what)| {
            json!({
                "kind": "junk_lists",
                "id": junk_id(&user, *list, entry),
                "effect": {"kind": what},
            })
        })
        .collect();
    Ok(Done {
        target: Some(TraceObject::new(ObjectKind::JunkLists, user)),
        effect: Some(json!({"kind": "entries", "touched": touched})),
        ..Done::default()
    })
}

/// The id of one entry in traces.
pub(crate) fn junk_id(user: &str, list: JunkList, entry: &str) -> String {
    format!("{user}/{}/{}", list.parameter(), entry.to_lowercase())
}

/// The id of one protocol in traces.
pub(crate) fn protocol_id(user: &str, protocol: Protocol) -> String {
    format!("{user}/{}", protocol.parameter())
}

/// `Set-CASMailbox`: what is not named stays, null lets the organisation decide.
pub(super) fn set_protocols(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let user = cmdlet.mailbox("Identity")?;
    let mut to = Vec::new();
    for protocol in Protocol::ALL {
        match cmdlet.parameter(protocol.parameter()) {
            None => {}
            Some(Value::Null) if protocol == Protocol::SmtpAuth => to.push((protocol, None)),
            Some(Value::Bool(on)) => to.push((protocol, Some(*on))),
            Some(_) => {
                return Err(bad(
                    "Cannot convert the value to a boolean.",
                    "ParameterTransformationException",
                ));
            }
        }
    }
    let (now, origin) = (cmdlet.ask.now, cmdlet.origin());
    let changed = cmdlet.ask.world.set_protocols(now, &origin, &user, &to);
    let warnings = if changed.is_empty() {
        vec![String::from(
            "The command completed successfully but no settings were modified.",
        )]
    } else {
        Vec::new()
    };
    let open = cmdlet.ask.world.tenant.smtp_auth_disabled;
    let on = |protocol: Protocol, value: Option<bool>| match protocol {
        Protocol::SmtpAuth => !value.unwrap_or(open),
        _ => value.unwrap_or_default(),
    };
    let touched: Vec<Value> = changed
        .into_iter()
        .map(|(protocol, old, new)| {
            json!({
                "kind": "mail_protocols",
                "id": protocol_id(&user, protocol),
                "effect": {"kind": "changed", "fields": {"enabled": [on(protocol, old), on(protocol, new)]}},
            })
        })
        .collect();
    Ok(Done {
        warnings,
        target: Some(TraceObject::new(ObjectKind::MailProtocols, user)),
        effect: Some(json!({"kind": "switched", "touched": touched})),
        ..Done::default()
    })
}

/// `Get-MobileDevice`: of one mailbox, or of all without `-Mailbox`.
pub(super) fn mobile_devices(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let users: Vec<String> = match cmdlet.parameter("Mailbox") {
        None | Some(Value::Null) => cmdlet.ask.world.mailboxes.keys().cloned().collect(),
        Some(_) => vec![cmdlet.mailbox("Mailbox")?],
    };
    let world = &cmdlet.ask.world;
    let devices = users
        .iter()
        .filter_map(|user| world.mailboxes.get(user))
        .flat_map(|mailbox| mailbox.mobile_devices.iter().map(move |one| (mailbox, one)));
    let (mut rows, mut shows) = (Vec::new(), Vec::new());
    for (mailbox, device) in devices {
        let mut shown = row(vec![
            ("Identity", json!(device.identity)),
            ("DeviceId", json!(device.id)),
            ("DeviceType", json!(device.kind)),
            ("DeviceModel", json!(device.model)),
            ("ClientType", json!(device.client)),
            ("FriendlyName", json!("")),
            (
                "UserDisplayName",
                json!(
                    world
                        .users
                        .get(&mailbox.user)
                        .map(|user| user.display_name.as_str())
                ),
            ),
            ("FirstSyncTime", net_time(device.first_sync)),
            ("DeviceAccessState", json!("Allowed")),
        ]);
        shown["FirstSyncTime@data.type"] = json!("System.DateTime");
        rows.push(shown);
        shows.push(TraceObject::new(
            ObjectKind::MobilePartnership,
            device.id.clone(),
        ));
    }
    Ok(Done {
        rows,
        target: users
            .first()
            .map(|user| TraceObject::new(ObjectKind::Mailbox, user.clone())),
        shows,
        ..Done::default()
    })
}

/// `Remove-MobileDevice`: the partnership goes; the device keeps what it holds.
pub(super) fn remove_mobile_device(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let identity = cmdlet.text("Identity").unwrap_or_default();
    if identity.is_empty() {
        return Err(bad(
            "Cannot process command because of one or more missing mandatory parameters: Identity.",
            "ParameterBindingException",
        ));
    }
    let gone = cmdlet.ask.world.mailboxes.values_mut().find_map(|mailbox| {
        let at = mailbox
            .mobile_devices
            .iter()
            .position(|device| device.identity == identity || device.id == identity)?;
        Some((mailbox.user.clone(), mailbox.mobile_devices.remove(at)))
    });
    let Some((user, device)) = gone else {
        return Err(missing(cmdlet.ask.world, &identity));
    };
    let (now, origin) = (cmdlet.ask.now, cmdlet.origin());
    cmdlet.ask.world.exchange_admin_audit(
        now,
        &origin,
        &user,
        "Remove-MobileDevice",
        &identity,
        vec![json!({"Name": "Identity", "Value": identity})],
    );
    Ok(Done {
        target: Some(TraceObject::new(ObjectKind::MobilePartnership, device.id)),
        effect: Some(json!({"kind": "deleted"})),
        ..Done::default()
    })
}

/// `Get-BlockedSenderAddress`.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the table of cmdlets wants one shape"
)]
pub(super) fn blocked_senders(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let wanted = cmdlet.text("SenderAddress");
    let world = &cmdlet.ask.world;
    let rows = world
        .stopped_senders
        .iter()
        .filter(|(address, _)| {
            wanted
                .as_deref()
                .is_none_or(|wanted| wanted.eq_ignore_ascii_case(address))
        })
        .map(|(address, (since, reason))| {
            let mut shown = row(vec![
                ("SenderAddress", json!(address)),
                ("Reason", json!(reason)),
                ("CreatedDatetime", net_time(*since)),
            ]);
            shown["CreatedDatetime@data.type"] = json!("System.DateTime");
            shown
        })
        .collect();
    Ok(Done {
        rows,
        target: Some(TraceObject::new(
            ObjectKind::Tenant,
            world.tenant.id.clone(),
        )),
        ..Done::default()
    })
}

/// `Remove-BlockedSenderAddress`.
pub(super) fn lift(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let address = cmdlet.text("SenderAddress").unwrap_or_default();
    let key = cmdlet
        .ask
        .world
        .stopped_senders
        .keys()
        .find(|held| held.eq_ignore_ascii_case(&address))
        .cloned();
    let Some(key) = key else {
        return Err(missing(cmdlet.ask.world, &address));
    };
    cmdlet.ask.world.stopped_senders.remove(&key);
    let user = cmdlet.ask.world.user_id(&key).unwrap_or_default();
    Ok(Done {
        target: Some(TraceObject::new(ObjectKind::SendingBlock, user)),
        effect: Some(json!({"kind": "deleted"})),
        ..Done::default()
    })
}

fn read(kind: ObjectKind, user: String, shown: Value) -> Done {
    Done {
        rows: vec![shown],
        target: Some(TraceObject::new(kind, user)),
        ..Done::default()
    }
}
