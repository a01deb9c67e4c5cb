//! Inbox rules as Graph shows and changes them (reference §6.1): hidden rules
//! never show here.

use retake_playbook::ObjectKind;
use serde_json::{Map, Value, json};

use super::{Answer, Call, Outcome, mail, not_allowed};
use crate::trace::TraceObject;
use crate::world::mail::RuleDraft;
use crate::world::{Address, InboxRule, RuleActions, RuleConditions};

/// Everything below `…/mailFolders/{folder}/messageRules`.
pub(super) fn serve(
    call: &mut Call<'_, '_>,
    method: &str,
    user: &str,
    folder: &str,
    rest: &[&str],
) -> Outcome {
    let read = method == "GET";
    mail::may(
        call,
        user,
        if read {
            &["MailboxSettings.Read", "MailboxSettings.ReadWrite"]
        } else {
            &["MailboxSettings.ReadWrite"]
        },
    )?;
    let mailbox = mail::mailbox(call, user)?;
    let inbox = mailbox
        .folder(folder)
        .is_some_and(|folder| folder.well_known.as_deref() == Some("inbox"));
    if !inbox {
        return Err(mail::no_item());
    }
    let identity = |rule: &InboxRule| TraceObject::new(ObjectKind::InboxRule, rule.id.clone());
    match (method, rest) {
        ("GET", []) => {
            let mut rules: Vec<&InboxRule> =
                mailbox.rules.iter().filter(|rule| !rule.hidden).collect();
            rules.sort_by_key(|rule| (rule.sequence, rule.id.clone()));
            let shows = rules.iter().map(|rule| identity(rule)).collect();
            let mut items = Vec::new();
            for rule in rules {
                items.push(call.query.project(
                    rule_json(rule),
                    None,
                    "microsoft.graph.messageRule",
                )?);
            }
            let context = format!("users('{user}')/mailFolders('inbox')/messageRules");
            let mut answer = call
                .page(&context, (1000, 1000), items)
                .about(ObjectKind::Mailbox, user);
            answer.shows = shows;
            Ok(answer)
        }
        ("POST", []) => {
            let body = call.body()?;
            let draft = draft_of(&body)?;
            let (now, origin) = (call.ask.now, call.origin());
            let id = call
                .ask
                .world
                .create_rule(now, &origin, user, draft)
                .ok_or_else(mail::no_mailbox)?;
            let json = mail::mailbox(call, user)?
                .rule(&id)
                .map(rule_json)
                .unwrap_or_default();
            Ok(Answer::json(201, json)
                .about(ObjectKind::InboxRule, id)
                .effect(json!({"kind": "created"})))
        }
        (_, [id]) => {
            let rule = mailbox
                .rules
                .iter()
                .find(|rule| rule.id == *id && !rule.hidden)
                .cloned()
                .ok_or_else(mail::no_item)?;
            one(call, method, user, rule)
        }
        _ => Err(not_allowed()),
    }
}

fn one(call: &mut Call<'_, '_>, method: &str, user: &str, rule: InboxRule) -> Outcome {
    let (now, origin) = (call.ask.now, call.origin());
    match method {
        "GET" => {
            let mut answer =
                Answer::json(200, rule_json(&rule)).about(ObjectKind::InboxRule, rule.id.clone());
            answer.shows = vec![TraceObject::new(ObjectKind::InboxRule, rule.id)];
            Ok(answer)
        }
        "PATCH" => {
            let body = call.body()?;
            let mut changed = rule.clone();
            apply(&mut changed, &body)?;
            let fields = difference(&rule_json(&rule), &rule_json(&changed));
            call.ask
                .world
                .update_rule(now, &origin, user, changed.clone());
            Ok(Answer::json(200, rule_json(&changed))
                .about(ObjectKind::InboxRule, rule.id)
                .effect(json!({"kind": "changed", "fields": fields})))
        }
        "DELETE" => {
            call.ask.world.delete_rule(now, &origin, user, &rule.id);
            Ok(Answer::no_content()
                .about(ObjectKind::InboxRule, rule.id)
                .effect(json!({"kind": "deleted"})))
        }
        _ => Err(not_allowed()),
    }
}

/// The members that differ, with old and new value.
pub(crate) fn difference(old: &Value, new: &Value) -> Map<String, Value> {
    let mut fields = Map::new();
    for (name, before) in old.as_object().into_iter().flatten() {
        let after = new.get(name).unwrap_or(&Value::Null);
        if before != after {
            fields.insert(name.clone(), json!([before, after]));
        }
    }
    for (name, after) in new.as_object().into_iter().flatten() {
        if old.get(name).is_none() {
            fields.insert(name.clone(), json!([null, after]));
        }
    }
    fields
}

/// A rule as Graph writes it: conditions and actions that are not set are
/// absent.
pub(super) fn rule_json(rule: &InboxRule) -> Value {
    let mut json = json!({
        "id": rule.id,
        "displayName": rule.name,
        "sequence": rule.sequence,
        "isEnabled": rule.enabled,
        "hasError": false,
        "isReadOnly": false,
        "conditions": conditions_json(&rule.conditions),
        "actions": actions_json(&rule.actions),
    });
    if !rule.exceptions.is_empty() {
        json["exceptions"] = conditions_json(&rule.exceptions);
    }
    json
}

fn conditions_json(conditions: &RuleConditions) -> Value {
    let mut json = Map::new();
    let mut list = |name: &str, words: &[String]| {
        if !words.is_empty() {
            json.insert(name.to_owned(), json!(words));
        }
    };
    list("subjectContains", &conditions.subject_contains);
    list("bodyContains", &conditions.body_contains);
    list(
        "bodyOrSubjectContains",
        &conditions.subject_or_body_contains,
    );
    list("senderContains", &conditions.sender_contains);
    list("recipientContains", &conditions.recipient_contains);
    if !conditions.from_addresses.is_empty() {
        json.insert(
            "fromAddresses".into(),
            mail::recipients(&conditions.from_addresses),
        );
    }
    if conditions.sent_to_me {
        json.insert("sentToMe".into(), json!(true));
    }
    if conditions.has_attachments {
        json.insert("hasAttachments".into(), json!(true));
    }
    Value::Object(json)
}

fn actions_json(actions: &RuleActions) -> Value {
    let mut json = Map::new();
    for (name, list) in [
        ("forwardTo", &actions.forward_to),
        ("forwardAsAttachmentTo", &actions.forward_as_attachment_to),
        ("redirectTo", &actions.redirect_to),
    ] {
        if !list.is_empty() {
            json.insert(name.to_owned(), mail::recipients(list));
        }
    }
    for (name, folder) in [
        ("moveToFolder", &actions.move_to_folder),
        ("copyToFolder", &actions.copy_to_folder),
    ] {
        if let Some(folder) = folder {
            json.insert(name.to_owned(), json!(folder));
        }
    }
    for (name, on) in [
        ("delete", actions.delete),
        ("permanentDelete", actions.permanent_delete),
        ("markAsRead", actions.mark_as_read),
        ("stopProcessingRules", actions.stop_processing),
    ] {
        if on {
            json.insert(name.to_owned(), json!(true));
        }
    }
    if !actions.assign_categories.is_empty() {
        json.insert("assignCategories".into(), json!(actions.assign_categories));
    }
    Value::Object(json)
}

fn draft_of(body: &Value) -> Result<RuleDraft, Answer> {
    let mut rule = InboxRule {
        id: String::new(),
        number: 0,
        name: String::new(),
        sequence: 0,
        enabled: true,
        hidden: false,
        conditions: RuleConditions::default(),
        exceptions: RuleConditions::default(),
        actions: RuleActions::default(),
    };
    apply(&mut rule, body)?;
    if rule.name.is_empty() || body.get("actions").is_none() {
        return Err(Answer::graph_error(
            400,
            "ErrorInvalidRequest",
            "A rule needs a display name and an action.",
        ));
    }
    Ok(RuleDraft {
        name: rule.name,
        hidden: false,
        disabled: !rule.enabled,
        sequence: (rule.sequence > 0).then_some(rule.sequence),
        conditions: rule.conditions,
        exceptions: rule.exceptions,
        actions: rule.actions,
    })
}

/// Applies the members of a request to a rule.
fn apply(rule: &mut InboxRule, body: &Value) -> Result<(), Answer> {
    let refuse = |name: &str| {
        Answer::graph_error(
            400,
            "RequestBodyRead",
            &format!(
                "The property '{name}' does not exist on type 'microsoft.graph.messageRule' or its value is not valid."
            ),
        )
    };
    for (name, value) in body.as_object().into_iter().flatten() {
        match name.as_str() {
            "displayName" => {
                value
                    .as_str()
                    .ok_or_else(|| refuse(name))?
                    .clone_into(&mut rule.name);
            }
            "sequence" => {
                rule.sequence = value
                    .as_i64()
                    .and_then(|number| i32::try_from(number).ok())
                    .ok_or_else(|| refuse(name))?;
            }
            "isEnabled" => rule.enabled = value.as_bool().ok_or_else(|| refuse(name))?,
            "conditions" => rule.conditions = conditions_of(value).ok_or_else(|| refuse(name))?,
            "exceptions" => rule.exceptions = conditions_of(value).ok_or_else(|| refuse(name))?,
            "actions" => rule.actions = actions_of(value).ok_or_else(|| refuse(name))?,
            "id" | "hasError" | "isReadOnly" => {}
            other if other.starts_with('@') => {}
            other => return Err(refuse(other)),
        }
    }
    Ok(())
}

fn conditions_of(value: &Value) -> Option<RuleConditions> {
    let mut conditions = RuleConditions::default();
    if value.is_null() {
        return Some(conditions);
    }
    for (name, value) in value.as_object()? {
        match name.as_str() {
            "subjectContains" => conditions.subject_contains = words(value)?,
            "bodyContains" => conditions.body_contains = words(value)?,
            "bodyOrSubjectContains" => conditions.subject_or_body_contains = words(value)?,
            "senderContains" => conditions.sender_contains = words(value)?,
            "recipientContains" => conditions.recipient_contains = words(value)?,
            "fromAddresses" => conditions.from_addresses = addresses(value)?,
            "sentToMe" => conditions.sent_to_me = value.as_bool()?,
            "hasAttachments" => conditions.has_attachments = value.as_bool()?,
            other if other.starts_with('@') => {}
            _ => return None,
        }
    }
    Some(conditions)
}

fn actions_of(value: &Value) -> Option<RuleActions> {
    let mut actions = RuleActions::default();
    for (name, value) in value.as_object()? {
        match name.as_str() {
            "forwardTo" => actions.forward_to = addresses(value)?,
            "forwardAsAttachmentTo" => actions.forward_as_attachment_to = addresses(value)?,
            "redirectTo" => actions.redirect_to = addresses(value)?,
            "moveToFolder" => actions.move_to_folder = value.as_str().map(str::to_owned),
            "copyToFolder" => actions.copy_to_folder = value.as_str().map(str::to_owned),
            "delete" => actions.delete = value.as_bool()?,
            "permanentDelete" => actions.permanent_delete = value.as_bool()?,
            "markAsRead" => actions.mark_as_read = value.as_bool()?,
            "stopProcessingRules" => actions.stop_processing = value.as_bool()?,
            "assignCategories" => actions.assign_categories = words(value)?,
            other if other.starts_with('@') => {}
            _ => return None,
        }
    }
    Some(actions)
}

fn words(value: &Value) -> Option<Vec<String>> {
    value
        .as_array()?
        .iter()
        .map(|word| word.as_str().map(str::to_owned))
        .collect()
}

fn addresses(value: &Value) -> Option<Vec<Address>> {
    value.as_array()?.iter().map(mail::address_of).collect()
}
