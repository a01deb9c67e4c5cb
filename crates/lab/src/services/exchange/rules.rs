//! The cmdlets for inbox rules.

use retake_playbook::ObjectKind;
use serde_json::{Value, json};

use super::{Cmdlet, Done, Rows, bad, missing, row};
use crate::trace::TraceObject;
use crate::world::mail::RuleDraft;
use crate::world::{Address, InboxRule, Mailbox, RuleActions, RuleConditions, World};

/// `Get-InboxRule`: hidden rules only with `-IncludeHidden`, the built-in junk
/// rule among them.
pub(super) fn get(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let user = cmdlet.mailbox("Mailbox")?;
    let hidden = cmdlet.switch("IncludeHidden");
    let world = &cmdlet.ask.world;
    let mailbox = world
        .mailboxes
        .get(&user)
        .ok_or_else(|| missing(cmdlet.ask.world, &user))?;
    let mut rules: Vec<&InboxRule> = mailbox
        .rules
        .iter()
        .filter(|rule| hidden || !rule.hidden)
        .collect();
    rules.sort_by_key(|rule| (rule.sequence, rule.number));
    if hidden && cmdlet.text("Identity").is_none() {
        rules.extend(&mailbox.system_rules);
    }
    if let Some(wanted) = cmdlet.text("Identity") {
        let found = mailbox.rule(&wanted).map(|rule| rule.number);
        rules.retain(|rule| Some(rule.number) == found);
        if rules.is_empty() && hidden {
            rules.extend(
                mailbox
                    .system_rules
                    .iter()
                    .filter(|rule| Some(rule.number) == found),
            );
        }
        if rules.is_empty() {
            return Err(missing(cmdlet.ask.world, &wanted));
        }
    }
    let shows = rules
        .iter()
        .map(|rule| TraceObject::new(ObjectKind::InboxRule, rule.id.clone()))
        .collect();
    let rows: Vec<Value> = rules
        .iter()
        .map(|rule| rule_row(world, mailbox, rule))
        .collect();
    Ok(Done {
        rows,
        target: Some(TraceObject::new(ObjectKind::Mailbox, user)),
        shows,
        ..Done::default()
    })
}

/// `New-InboxRule`.
pub(super) fn new(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let user = cmdlet.mailbox("Mailbox")?;
    let words = |name: &str| -> Vec<String> {
        match cmdlet.parameter(name) {
            Some(Value::Array(list)) => list
                .iter()
                .filter_map(|word| word.as_str().map(str::to_owned))
                .collect(),
            Some(Value::String(word)) => vec![word.clone()],
            _ => Vec::new(),
        }
    };
    // A recipient may be named by its address or by its legacy distinguished name.
    let addresses = |name: &str| -> Vec<Address> {
        words(name)
            .into_iter()
            .map(|address| {
                let known = address.rsplit_once("cn=").and_then(|(_, number)| {
                    cmdlet
                        .ask
                        .world
                        .users
                        .values()
                        .find(|user| user.id.replace('-', "") == number)
                });
                match known.filter(|_| address.starts_with("/o=")) {
                    Some(user) => Address::new(&user.display_name, &user.upn),
                    None => Address::new(&address, address.trim_start_matches("smtp:")),
                }
            })
            .collect()
    };
    let folder = |parameter: &str| match cmdlet.text(parameter) {
        None => Ok(None),
        Some(path) => {
            let name = path.rsplit(['\\', ':']).next().unwrap_or(&path).to_owned();
            let found = cmdlet.ask.world.mailboxes.get(&user).and_then(|mailbox| {
                mailbox
                    .folders
                    .values()
                    .find(|folder| folder.display_name == name)
                    .map(|folder| folder.id.clone())
            });
            found
                .ok_or_else(|| missing(cmdlet.ask.world, &path))
                .map(Some)
        }
    };
    let Some(name) = cmdlet.text("Name").filter(|name| !name.is_empty()) else {
        return Err(bad("The rule needs a name.", "ParameterBindingException"));
    };
    let draft = RuleDraft {
        name,
        hidden: false,
        disabled: false,
        sequence: cmdlet
            .parameter("Priority")
            .and_then(Value::as_i64)
            .and_then(|number| i32::try_from(number).ok()),
        conditions: RuleConditions {
            subject_contains: words("SubjectContainsWords"),
            body_contains: words("BodyContainsWords"),
            subject_or_body_contains: words("SubjectOrBodyContainsWords"),
            sender_contains: words("FromAddressContainsWords"),
            recipient_contains: words("RecipientAddressContainsWords"),
            from_addresses: addresses("From"),
            sent_to_me: cmdlet.switch("MyNameInToBox"),
            has_attachments: cmdlet.switch("HasAttachment"),
        },
        exceptions: RuleConditions {
            subject_contains: words("ExceptIfSubjectContainsWords"),
            sender_contains: words("ExceptIfFromAddressContainsWords"),
            ..RuleConditions::default()
        },
        actions: RuleActions {
            forward_to: addresses("ForwardTo"),
            forward_as_attachment_to: addresses("ForwardAsAttachmentTo"),
            redirect_to: addresses("RedirectTo"),
            move_to_folder: folder("MoveToFolder")?,
            copy_to_folder: folder("CopyToFolder")?,
            assign_categories: words("ApplyCategory"),
            delete: cmdlet.switch("DeleteMessage"),
            mark_as_read: cmdlet.switch("MarkAsRead"),
            stop_processing: cmdlet.switch("StopProcessingRules"),
            ..RuleActions::default()
        },
    };
    let (now, origin) = (cmdlet.ask.now, cmdlet.origin());
    let dropped = cmdlet.ask.world.drop_client_side_rules(&user);
    let id = cmdlet
        .ask
        .world
        .create_rule(now, &origin, &user, draft)
        .ok_or_else(|| missing(cmdlet.ask.world, &user))?;
    let world = &cmdlet.ask.world;
    let rows = world
        .mailboxes
        .get(&user)
        .and_then(|mailbox| mailbox.rule(&id).map(|rule| rule_row(world, mailbox, rule)))
        .into_iter()
        .collect();
    Ok(changed(&id, json!({"kind": "created"}), &dropped, rows))
}

/// `Disable-InboxRule`.
pub(super) fn disable(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    switch(cmdlet, false)
}

/// `Enable-InboxRule`.
pub(super) fn enable(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    switch(cmdlet, true)
}

fn switch(cmdlet: &mut Cmdlet<'_, '_>, enabled: bool) -> Rows {
    let (user, rule) = named(cmdlet)?;
    let (now, origin) = (cmdlet.ask.now, cmdlet.origin());
    let dropped = cmdlet.ask.world.drop_client_side_rules(&user);
    let mut new = rule.clone();
    new.enabled = enabled;
    cmdlet.ask.world.update_rule(now, &origin, &user, new);
    Ok(changed(
        &rule.id,
        json!({"kind": "changed", "fields": {"isEnabled": [rule.enabled, enabled]}}),
        &dropped,
        Vec::new(),
    ))
}

/// `Remove-InboxRule`.
pub(super) fn remove(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let (user, rule) = named(cmdlet)?;
    let (now, origin) = (cmdlet.ask.now, cmdlet.origin());
    let dropped = cmdlet.ask.world.drop_client_side_rules(&user);
    cmdlet.ask.world.delete_rule(now, &origin, &user, &rule.id);
    Ok(changed(
        &rule.id,
        json!({"kind": "deleted"}),
        &dropped,
        Vec::new(),
    ))
}

/// The rule that `-Identity` names: `{guid}\{number}`, the number, or a name.
fn named(cmdlet: &Cmdlet<'_, '_>) -> Result<(String, InboxRule), super::Answer> {
    let identity = match cmdlet.parameter("Identity") {
        Some(Value::String(text)) if !text.is_empty() => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => {
            return Err(bad(
                "Cannot process command because of one or more missing mandatory parameters: Identity.",
                "ParameterBindingException",
            ));
        }
    };
    let user = if cmdlet.parameter("Mailbox").is_some() {
        cmdlet.mailbox("Mailbox")?
    } else {
        let guid = identity.split('\\').next().unwrap_or_default();
        cmdlet
            .ask
            .world
            .mailboxes
            .values()
            .find(|mailbox| mailbox.guid.eq_ignore_ascii_case(guid))
            .map(|mailbox| mailbox.user.clone())
            .ok_or_else(|| missing(cmdlet.ask.world, &identity))?
    };
    let rule = cmdlet
        .ask
        .world
        .mailboxes
        .get(&user)
        .and_then(|mailbox| mailbox.rule(&identity))
        .cloned()
        .ok_or_else(|| missing(cmdlet.ask.world, &identity))?;
    Ok((user, rule))
}

/// A change of one rule, and the client-side rules that went with it.
fn changed(id: &str, mut effect: Value, dropped: &[InboxRule], rows: Vec<Value>) -> Done {
    let mut warnings = Vec::new();
    if !dropped.is_empty() {
        let touched: Vec<Value> = dropped
            .iter()
            .map(|rule| json!({"kind": "client_side_rule", "id": rule.id, "effect": {"kind": "deleted"}}))
            .collect();
        effect["touched"] = json!(touched);
        warnings.push(String::from(
            "The rules that Outlook keeps on the client were removed from the mailbox.",
        ));
    }
    Done {
        rows,
        warnings,
        target: Some(TraceObject::new(ObjectKind::InboxRule, id)),
        effect: Some(effect),
        shows: Vec::new(),
    }
}

fn rule_row(world: &World, mailbox: &Mailbox, rule: &InboxRule) -> Value {
    let owner = world.users.get(&mailbox.user);
    let folder = |id: &Option<String>| match id.as_ref().and_then(|id| mailbox.folders.get(id)) {
        Some(folder) => json!(folder.display_name),
        None => Value::Null,
    };
    let recipients = |list: &[Address]| -> Value {
        list.iter()
            .map(|address| recipient(world, address))
            .collect()
    };
    let (c, a) = (&rule.conditions, &rule.actions);
    let mut row = row(vec![
        ("Description", json!(description(rule))),
        ("Enabled", json!(rule.enabled)),
        ("Identity", json!(mailbox.rule_identity(rule))),
        ("InError", json!(false)),
        ("ErrorType", json!("None")),
        ("Name", json!(rule.name)),
        ("Priority", json!(rule.sequence)),
        ("RuleIdentity", json!(rule.number)),
        ("SupportedByTask", json!(true)),
        ("SubjectContainsWords", json!(c.subject_contains)),
        ("BodyContainsWords", json!(c.body_contains)),
        (
            "SubjectOrBodyContainsWords",
            json!(c.subject_or_body_contains),
        ),
        ("FromAddressContainsWords", json!(c.sender_contains)),
        ("RecipientAddressContainsWords", json!(c.recipient_contains)),
        ("From", recipients(&c.from_addresses)),
        ("MyNameInToBox", json!(c.sent_to_me)),
        ("HasAttachment", json!(c.has_attachments)),
        ("ForwardTo", recipients(&a.forward_to)),
        (
            "ForwardAsAttachmentTo",
            recipients(&a.forward_as_attachment_to),
        ),
        ("RedirectTo", recipients(&a.redirect_to)),
        ("MoveToFolder", folder(&a.move_to_folder)),
        ("CopyToFolder", folder(&a.copy_to_folder)),
        ("DeleteMessage", json!(a.delete || a.permanent_delete)),
        ("SoftDeleteMessage", json!(false)),
        ("MarkAsRead", json!(a.mark_as_read)),
        ("StopProcessingRules", json!(a.stop_processing)),
        ("ApplyCategory", json!(a.assign_categories)),
        (
            "MailboxOwnerId",
            json!(owner.map(|user| user.display_name.as_str())),
        ),
        ("IsValid", json!(true)),
        ("ObjectState", json!("Unchanged")),
    ]);
    if !rule.exceptions.is_empty() {
        row["ExceptIfSubjectContainsWords"] = json!(rule.exceptions.subject_contains);
        row["ExceptIfFromAddressContainsWords"] = json!(rule.exceptions.sender_contains);
    }
    row
}

/// `"Name" [EX:/o=…]` inside the organisation, `"Name" [SMTP:…]` outside.
fn recipient(world: &World, address: &Address) -> String {
    match world.find_user(&address.address) {
        Some(user) if world.is_inside(&address.address) => format!(
            "\"{}\" [EX:/o=ExchangeLabs/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn={}]",
            user.display_name,
            user.id.replace('-', "")
        ),
        _ => format!("\"{}\" [SMTP:{}]", address.name, address.address),
    }
}

fn description(rule: &InboxRule) -> String {
    use std::fmt::Write as _;
    // Writing to a String cannot fail.
    let mut text = String::from("If the message:\r\n");
    let c = &rule.conditions;
    for (words, list) in [
        (
            "the message includes specific words in the subject",
            &c.subject_contains,
        ),
        (
            "the message includes specific words in the body",
            &c.body_contains,
        ),
        (
            "the message includes specific words in the subject or body",
            &c.subject_or_body_contains,
        ),
        ("the sender's address includes", &c.sender_contains),
    ] {
        if !list.is_empty() {
            let _ = write!(text, "\t{words} '{}'\r\n", list.join("' or '"));
        }
    }
    text.push_str("Take the following actions:\r\n");
    let a = &rule.actions;
    for (words, list) in [
        ("forward the message to", &a.forward_to),
        (
            "forward the message as an attachment to",
            &a.forward_as_attachment_to,
        ),
        ("redirect the message to", &a.redirect_to),
    ] {
        for address in list {
            let _ = write!(text, "\t{words} '{}'\r\n", address.address);
        }
    }
    for (words, on) in [
        ("mark the message as Read", a.mark_as_read),
        ("delete the message", a.delete || a.permanent_delete),
        (
            "stop processing more rules on this message",
            a.stop_processing,
        ),
    ] {
        if on {
            let _ = write!(text, "\t{words}\r\n");
        }
    }
    text
}
