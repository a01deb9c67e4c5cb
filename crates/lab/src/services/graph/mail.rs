//! Messages, folders, settings and sending (reference §6.1).

use jiff::Timestamp;
use retake_playbook::ObjectKind;
use serde_json::{Value, json};

use super::{Answer, Call, Outcome, not_allowed, not_found};
use crate::services::odata::{Clause, parse_filter};
use crate::world::{Address, Folder, Mail, Mailbox, Message};

/// Everything of a mailbox except rules.
pub(super) fn serve(call: &mut Call<'_, '_>, method: &str, user: &str, rest: &[&str]) -> Outcome {
    match (method, rest) {
        ("GET", ["mailboxSettings"]) => settings(call, user),
        ("POST", ["sendMail"]) => send(call, user),
        ("GET", ["mailFolders"]) => {
            may_list(call, user)?;
            folders(call, user, None)
        }
        ("GET", ["mailFolders", key]) => {
            may_list(call, user)?;
            let mailbox = mailbox(call, user)?;
            let folder = mailbox.folder(key).ok_or_else(no_item)?;
            Ok(Answer::json(200, folder_json(mailbox, folder)).about(ObjectKind::Mailbox, user))
        }
        ("GET", ["mailFolders", key, "childFolders"]) => {
            may_list(call, user)?;
            let parent = mailbox(call, user)?
                .folder(key)
                .map(|folder| folder.id.clone())
                .ok_or_else(no_item)?;
            folders(call, user, Some(&parent))
        }
        ("GET", ["messages"]) => messages(call, user, None),
        ("GET", ["mailFolders", key, "messages"]) => {
            let folder = mailbox(call, user)?
                .folder(key)
                .map(|folder| folder.id.clone())
                .ok_or_else(no_item)?;
            messages(call, user, Some(&folder))
        }
        ("GET", ["messages", id] | ["mailFolders", _, "messages", id]) => message(call, user, id),
        ("PATCH", ["messages", id]) => mark(call, user, id),
        ("POST", ["messages", id, "move"]) => move_to(call, user, id),
        ("DELETE", ["messages", id]) => delete(call, user, id),
        (
            _,
            [
                "mailboxSettings" | "sendMail" | "mailFolders" | "messages",
                ..,
            ],
        ) => Err(not_allowed()),
        _ => Err(not_found()),
    }
}

/// Refuses unless the token may do this to the mailbox: an app to all, a user
/// to the own one; a user whom a lifted block still keeps out gets nothing.
pub(super) fn may(call: &Call<'_, '_>, user: &str, permissions: &[&str]) -> Result<(), Answer> {
    if !call.caller.has(permissions) || !(call.caller.is_app() || call.caller.is(user)) {
        return Err(Answer::mail_denied());
    }
    let closed = call
        .caller
        .token
        .user
        .as_deref()
        .and_then(|id| call.ask.world.users.get(id))
        .and_then(|held| held.exchange_closed_until)
        .is_some_and(|until| call.ask.now < until);
    if closed {
        return Err(Answer::graph_error(
            403,
            "ErrorAccountDisabled",
            "The account is disabled in the mail service.",
        ));
    }
    Ok(())
}

fn may_list(call: &Call<'_, '_>, user: &str) -> Result<(), Answer> {
    may(
        call,
        user,
        &[
            "Mail.ReadBasic",
            "Mail.ReadBasic.All",
            "Mail.Read",
            "Mail.ReadWrite",
        ],
    )
}

/// The mailbox, or the 404 of a user without one.
pub(super) fn mailbox<'a>(call: &'a Call<'_, '_>, user: &str) -> Result<&'a Mailbox, Answer> {
    call.ask.world.mailboxes.get(user).ok_or_else(no_mailbox)
}

/// 404 of a user without a mailbox (reference §10.1).
pub(super) fn no_mailbox() -> Answer {
    Answer::graph_error(
        404,
        "MailboxNotEnabledForRESTAPI",
        "REST API is not yet supported for this mailbox.",
    )
}

/// 404 of something that is not in the store (reference §10.1).
pub(super) fn no_item() -> Answer {
    Answer::graph_error(
        404,
        "ErrorItemNotFound",
        "The specified object was not found in the store.",
    )
}

fn settings(call: &mut Call<'_, '_>, user: &str) -> Outcome {
    may(
        call,
        user,
        &["MailboxSettings.Read", "MailboxSettings.ReadWrite"],
    )?;
    let mailbox = mailbox(call, user)?;
    let purpose = if mailbox.shared { "shared" } else { "user" };
    let body = json!({
        "archiveFolder": mailbox.well_known("archive"),
        "timeZone": mailbox.time_zone,
        "dateFormat": "dd/MM/yyyy",
        "timeFormat": "HH:mm",
        "delegateMeetingMessageDeliveryOptions": "sendToDelegateOnly",
        // A word in v1.0, an object in beta.
        "userPurpose": if call.beta() { json!({"value": purpose}) } else { json!(purpose) },
        "language": {"locale": mailbox.language, "displayName": mailbox.language},
        "automaticRepliesSetting": {
            "status": if mailbox.auto_reply.enabled { "alwaysEnabled" } else { "disabled" },
            "externalAudience": "all",
            "internalReplyMessage": mailbox.auto_reply.internal,
            "externalReplyMessage": mailbox.auto_reply.external,
        },
    });
    Ok(Answer::json(200, body).about(ObjectKind::Mailbox, user))
}

fn folders(call: &Call<'_, '_>, user: &str, parent: Option<&str>) -> Outcome {
    let mailbox = mailbox(call, user)?;
    let mut found: Vec<&Folder> = mailbox
        .folders
        .values()
        .filter(|folder| folder.parent.as_deref() == parent)
        .collect();
    found.sort_by(|a, b| a.display_name.cmp(&b.display_name));
    let mut items = Vec::new();
    for folder in found {
        items.push(call.query.project(
            folder_json(mailbox, folder),
            None,
            "microsoft.graph.mailFolder",
        )?);
    }
    Ok(call
        .page(&format!("users('{user}')/mailFolders"), (10, 999), items)
        .about(ObjectKind::Mailbox, user))
}

fn folder_json(mailbox: &Mailbox, folder: &Folder) -> Value {
    let inside = || {
        mailbox
            .messages
            .values()
            .filter(|message| message.folder == folder.id)
    };
    json!({
        "id": folder.id,
        "displayName": folder.display_name,
        "parentFolderId": folder.parent.clone().unwrap_or_else(|| mailbox.folder_id("root")),
        "childFolderCount": mailbox.folders.values().filter(|f| f.parent.as_deref() == Some(&folder.id)).count(),
        "totalItemCount": inside().count(),
        "unreadItemCount": inside().filter(|message| !message.read).count(),
        "isHidden": false,
    })
}

fn messages(call: &mut Call<'_, '_>, user: &str, folder: Option<&str>) -> Outcome {
    may_list(call, user)?;
    let filter = match &call.query.filter {
        Some(text) => parse_filter(text)?,
        None => Vec::new(),
    };
    if call.query.search.is_some() {
        return Err(Answer::bad_request(
            "The query parameter '$search' is not supported.",
        ));
    }
    let mailbox = mailbox(call, user)?;
    let mut found = Vec::new();
    for message in mailbox.messages.values() {
        if folder.is_some_and(|folder| message.folder != folder) {
            continue;
        }
        let mut all = true;
        for group in &filter {
            let mut any = false;
            for clause in group {
                any |= meets(message, clause)?;
            }
            all &= any;
        }
        if all {
            found.push(message);
        }
    }
    // Newest first, as Graph lists by default.
    found.sort_by(|a, b| (b.received, &b.id).cmp(&(a.received, &a.id)));
    if call
        .query
        .order_by
        .as_deref()
        .is_some_and(|order| order.contains("receivedDateTime") && !order.contains("desc"))
    {
        found.reverse();
    }
    let bodies = call.caller.has(&["Mail.Read", "Mail.ReadWrite"]);
    let size = call.query.top.unwrap_or(10).clamp(1, 1000);
    let shown: Vec<String> = found
        .iter()
        .skip(call.query.skip)
        .take(size)
        .map(|message| message.id.clone())
        .collect();
    let mut items = Vec::new();
    for message in found {
        items.push(call.query.project(
            message_json(message, bodies),
            None,
            "microsoft.graph.message",
        )?);
    }
    let (now, origin) = (call.ask.now, call.origin());
    // A list that shows bodies or previews binds every message on the page.
    let binds = bodies
        && call.query.select.as_ref().is_none_or(|names| {
            names
                .iter()
                .any(|name| ["body", "bodyPreview", "uniqueBody"].contains(&name.as_str()))
        });
    let answer = call
        .page(&format!("users('{user}')/messages"), (10, 1000), items)
        .about(ObjectKind::Mailbox, user);
    if binds {
        call.ask.world.record_reads(now, &origin, user, &shown);
    }
    Ok(answer)
}

fn meets(message: &Message, clause: &Clause) -> Result<bool, Answer> {
    let refuse = || {
        Answer::graph_error(
            400,
            "ErrorInvalidUrlQueryFilter",
            &format!(
                "The query filter contains one or more invalid nodes: {}",
                clause.path
            ),
        )
    };
    match clause.path.as_str() {
        "receivedDateTime" => clause.time(message.received).ok_or_else(refuse),
        "sentDateTime" => clause.time(message.sent).ok_or_else(refuse),
        "internetMessageId" => Ok(clause.text(&message.internet_message_id)),
        "subject" => Ok(clause.text(&message.subject)),
        "conversationId" => Ok(clause.text(&message.conversation)),
        "from/emailAddress/address" => Ok(clause.text(&message.from.address)),
        "isRead" => Ok(clause.text(if message.read { "true" } else { "false" })),
        "hasAttachments" => Ok(clause.text(if message.has_attachments {
            "true"
        } else {
            "false"
        })),
        _ => Err(refuse()),
    }
}

fn message(call: &mut Call<'_, '_>, user: &str, id: &str) -> Outcome {
    may(call, user, &["Mail.Read", "Mail.ReadWrite"])?;
    let held = mailbox(call, user)?
        .messages
        .get(id)
        .ok_or_else(no_item)?
        .clone();
    let body = call
        .query
        .project(message_json(&held, true), None, "microsoft.graph.message")?;
    let (now, origin) = (call.ask.now, call.origin());
    call.ask
        .world
        .record_reads(now, &origin, user, &[id.to_owned()]);
    Ok(Answer::json(200, body).about(ObjectKind::Message, held.internet_message_id))
}

fn mark(call: &mut Call<'_, '_>, user: &str, id: &str) -> Outcome {
    may(call, user, &["Mail.ReadWrite"])?;
    let read = call.body()?["isRead"].as_bool();
    let mailbox = call
        .ask
        .world
        .mailboxes
        .get_mut(user)
        .ok_or_else(no_mailbox)?;
    let held = mailbox.messages.get_mut(id).ok_or_else(no_item)?;
    let old = held.read;
    held.read = read.unwrap_or(old);
    Ok(Answer::json(200, message_json(held, true))
        .about(ObjectKind::Message, held.internet_message_id.clone())
        .effect(json!({"kind": "changed", "fields": {"isRead": [old, held.read]}})))
}

fn move_to(call: &mut Call<'_, '_>, user: &str, id: &str) -> Outcome {
    may(call, user, &["Mail.ReadWrite"])?;
    let body = call.body()?;
    let wanted = body["destinationId"].as_str().unwrap_or_default();
    let to = mailbox(call, user)?
        .folder(wanted)
        .map(|folder| folder.id.clone())
        .ok_or_else(no_item)?;
    shift(call, user, id, &to, "Move").map(|(held, from)| {
        Answer::json(201, message_json(&held, true))
            .about(ObjectKind::Message, held.internet_message_id.clone())
            .effect(json!({"kind": "changed", "fields": {"folder": [from, to]}}))
    })
}

/// Deleting moves the message to the deleted items, from there out of sight.
fn delete(call: &mut Call<'_, '_>, user: &str, id: &str) -> Outcome {
    may(call, user, &["Mail.ReadWrite"])?;
    let to = mailbox(call, user)?.well_known("deleteditems");
    let already = mailbox(call, user)?
        .messages
        .get(id)
        .is_some_and(|held| held.folder == to);
    if already {
        let held = call
            .ask
            .world
            .mailboxes
            .get_mut(user)
            .and_then(|mailbox| mailbox.messages.remove(id))
            .ok_or_else(no_item)?;
        let (now, origin) = (call.ask.now, call.origin());
        call.ask.world.record_move(
            now,
            &origin,
            user,
            "SoftDelete",
            &[(held.internet_message_id.clone(), held.subject.clone())],
            "\\Deleted Items",
            None,
        );
        return Ok(Answer::no_content()
            .about(ObjectKind::Message, held.internet_message_id)
            .effect(json!({"kind": "deleted"})));
    }
    shift(call, user, id, &to, "MoveToDeletedItems").map(|(held, _)| {
        Answer::no_content()
            .about(ObjectKind::Message, held.internet_message_id)
            .effect(json!({"kind": "deleted"}))
    })
}

/// Moves a message: it gets a new id in the store.
fn shift(
    call: &mut Call<'_, '_>,
    user: &str,
    id: &str,
    to: &str,
    operation: &str,
) -> Result<(Message, String), Answer> {
    let (now, origin) = (call.ask.now, call.origin());
    let fresh = format!(
        "AAMkAD{}AAA=",
        call.ask.world.next(user, "message id").hex(44)
    );
    let mailbox = call
        .ask
        .world
        .mailboxes
        .get_mut(user)
        .ok_or_else(no_mailbox)?;
    let mut held = mailbox.messages.remove(id).ok_or_else(no_item)?;
    let from = std::mem::replace(&mut held.folder, to.to_owned());
    held.id = fresh;
    mailbox.messages.insert(held.id.clone(), held.clone());
    let (from_path, to_path) = (mailbox.folder_path(&from), mailbox.folder_path(to));
    call.ask.world.record_move(
        now,
        &origin,
        user,
        operation,
        &[(held.internet_message_id.clone(), held.subject.clone())],
        &from_path,
        Some(&to_path),
    );
    Ok((held, from))
}

fn send(call: &mut Call<'_, '_>, user: &str) -> Outcome {
    may(call, user, &["Mail.Send"])?;
    let body = call.body()?;
    // The metadata writes the parameters with capitals, clients without.
    let message = body
        .get("message")
        .or_else(|| body.get("Message"))
        .ok_or_else(|| Answer::bad_request("The message is missing."))?;
    let keep = body
        .get("saveToSentItems")
        .or_else(|| body.get("SaveToSentItems"))
        .and_then(Value::as_bool)
        .unwrap_or(true);
    let list = |name: &str| -> Vec<Address> {
        message[name]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(address_of)
            .collect()
    };
    let (now, origin) = (call.ask.now, call.origin());
    let sender = call
        .ask
        .world
        .users
        .get(user)
        .map(|held| Address::new(&held.display_name, &held.mail))
        .unwrap_or_default();
    let id = message["internetMessageId"].as_str().map_or_else(
        || {
            let draw = call.ask.world.next(user, "internet message id");
            format!(
                "<{}@{}>",
                draw.hex(32).to_uppercase(),
                call.ask.world.tenant.domain
            )
        },
        str::to_owned,
    );
    let mail = Mail {
        internet_message_id: id.clone(),
        conversation: message["conversationId"].as_str().map_or_else(
            || call.ask.world.next(user, "conversation").hex(40),
            str::to_owned,
        ),
        subject: message["subject"].as_str().unwrap_or_default().to_owned(),
        from: sender,
        to: list("toRecipients"),
        cc: list("ccRecipients"),
        bcc: list("bccRecipients"),
        reply_to: list("replyTo"),
        body: message["body"]["content"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        has_attachments: false,
        size: u32::try_from(call.ask.request.body().len()).unwrap_or(u32::MAX),
        sent: now,
        from_ip: call.ask.peer.ip.clone(),
        automatic: false,
    };
    if mail.recipients().next().is_none() {
        return Err(Answer::graph_error(
            400,
            "ErrorInvalidRecipients",
            "At least one recipient is not valid.",
        ));
    }
    let recipients: Vec<String> = mail.recipients().map(|to| to.address.clone()).collect();
    call.ask.world.send_mail(now, &origin, user, mail, keep);
    let mut answer = Answer::no_content();
    answer.status = 202;
    Ok(answer
        .about(ObjectKind::Mailbox, user)
        .effect(json!({"kind": "sent", "messages": [id], "recipients": recipients})))
}

/// A list of recipients as Graph writes it.
pub(super) fn recipients(list: &[Address]) -> Value {
    list.iter().map(recipient).collect()
}

fn recipient(address: &Address) -> Value {
    json!({"emailAddress": {"name": address.name, "address": address.address}})
}

/// A recipient as Graph reads it.
pub(super) fn address_of(value: &Value) -> Option<Address> {
    let address = value["emailAddress"]["address"].as_str()?;
    let name = value["emailAddress"]["name"].as_str().unwrap_or(address);
    Some(Address::new(name, address))
}

/// A message; without the right to bodies they are absent.
fn message_json(message: &Message, bodies: bool) -> Value {
    let time = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut json = json!({
        "id": message.id,
        "createdDateTime": time(message.received),
        "lastModifiedDateTime": time(message.received),
        "changeKey": "CQAAABYAAAA=",
        "categories": [],
        "receivedDateTime": time(message.received),
        "sentDateTime": time(message.sent),
        "hasAttachments": message.has_attachments,
        "internetMessageId": message.internet_message_id,
        "subject": message.subject,
        "importance": "normal",
        "parentFolderId": message.folder,
        "conversationId": message.conversation,
        "isDeliveryReceiptRequested": null,
        "isReadReceiptRequested": false,
        "isRead": message.read,
        "isDraft": message.draft,
        "inferenceClassification": "focused",
        "sender": recipient(&message.from),
        "from": recipient(&message.from),
        "toRecipients": recipients(&message.to),
        "ccRecipients": recipients(&message.cc),
        "bccRecipients": recipients(&message.bcc),
        "replyTo": recipients(&message.reply_to),
        "flag": {"flagStatus": "notFlagged"},
    });
    if bodies {
        let preview: String = message.body.chars().take(255).collect();
        json["bodyPreview"] = json!(preview);
        json["body"] = json!({"contentType": "text", "content": message.body});
    }
    json
}
