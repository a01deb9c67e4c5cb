//! Inbox rules, which two surfaces show: Graph those that Outlook shows, Exchange
//! all (reference §0.6). Graph gives a person's token no other person's rules;
//! Exchange does, so that where Graph refuses, Exchange is read alone.
//!
//! A rule is one object whichever surface was read: it is called by Exchange's
//! identity and has the digest of Exchange's row. What Graph says besides (its
//! id, addresses behind names) is shown and used, and is no part of the digest.

use retake_casefile::canonical_json;
use retake_playbook::event::Facts;
use retake_playbook::{ObjectKind, ObjectRef};
use retake_tenant::model::{ExchangeRule, MessageRule};
use retake_tenant::{Kind, Tenant, TenantError};

use super::{Found, Seen, bare, lacks_mailbox, refusals, says_no_mailbox, whole};

/// Reads every rule, from both surfaces or from Exchange alone.
pub(super) async fn inbox_rules(tenant: &Tenant, user: &str) -> Result<Seen, TenantError> {
    let (all, shown) = futures_util::future::join(
        tenant.get_inbox_rules(user, true),
        tenant.graph_inbox_rules(user),
    )
    .await;
    let all = match (all, &shown) {
        // One of the two alone may be a directory that lags.
        (Err(error), Err(other)) if lacks_mailbox(&error) && says_no_mailbox(other) => {
            return Ok(Seen::no_mailbox(refusals([&error, other])));
        }
        (all, _) => all?,
    };
    let shown = match shown {
        Ok(shown) => shown,
        Err(refusal) if is_refusal(&refusal) => {
            let visible = tenant.get_inbox_rules(user, false).await?;
            let complete = whole(&all).and(whole(&visible));
            let objects = all
                .value
                .iter()
                .map(|rule| {
                    let hidden = !visible
                        .value
                        .iter()
                        .any(|other| other.identity == rule.identity);
                    from_exchange(rule, hidden)
                })
                .collect();
            let mut answers = all.answers;
            answers.extend(visible.answers);
            return Ok(Seen {
                objects,
                answers,
                listed: complete.is_ok(),
                complete,
                mailbox: None,
                remark: Some(format!("read through Exchange alone: {refusal}")),
            });
        }
        Err(error) => return Err(error),
    };
    let objects = pair(&all.value, &shown.value);
    Ok(Seen::of(all, objects).also(shown))
}

/// Whether Graph understood and will not show this mailbox's rules to this caller:
/// a person's token, an app kept out of the mailbox, a permission not given
/// (reference §6.1, §10.1).
fn is_refusal(error: &TenantError) -> bool {
    error.status == Some(403)
        && matches!(
            error.kind,
            Kind::PermissionMissing { .. } | Kind::ProtectedTarget | Kind::Refused
        )
}

/// Finds for each rule that Graph shows its twin in Exchange's list; names are
/// not unique, so of several the most alike is taken.
fn pair(all: &[ExchangeRule], shown: &[MessageRule]) -> Vec<Found> {
    let mut taken = vec![false; all.len()];
    let mut objects = Vec::new();
    for rule in shown {
        let name = rule.display_name.as_deref().unwrap_or_default();
        let twin = all
            .iter()
            .enumerate()
            .filter(|(index, other)| {
                !taken[*index] && other.name.as_deref().unwrap_or_default() == name
            })
            .max_by_key(|(index, other)| (likeness(rule, other), std::cmp::Reverse(*index)));
        let twin = twin.map(|(index, other)| {
            taken[index] = true;
            other
        });
        objects.push(from_both(rule, twin));
    }
    for (rule, taken) in all.iter().zip(taken) {
        if !taken {
            objects.push(from_exchange(rule, true));
        }
    }
    objects
}

fn likeness(shown: &MessageRule, other: &ExchangeRule) -> u32 {
    let actions = shown.actions.clone().unwrap_or_default();
    let forwards = graph_forwards(shown);
    let others = exchange_forwards(other);
    let mut points = 0;
    points += u32::from(forwards == others) * 4;
    points += u32::from(shown.sequence == other.priority) * 2;
    points +=
        u32::from(actions.mark_as_read.unwrap_or(false) == other.mark_as_read.unwrap_or(false));
    points += u32::from(actions.move_to_folder.is_some() == other.move_to_folder.is_some());
    points += u32::from(actions.delete.unwrap_or(false) == other.delete_message.unwrap_or(false));
    points += u32::from(shown.is_enabled == other.enabled);
    points
}

fn graph_forwards(rule: &MessageRule) -> Vec<String> {
    let actions = rule.actions.clone().unwrap_or_default();
    let mut forwards: Vec<String> = actions
        .forward_to
        .iter()
        .chain(&actions.forward_as_attachment_to)
        .chain(&actions.redirect_to)
        .filter_map(|recipient| recipient.email_address.address.as_deref())
        .map(bare)
        .collect();
    forwards.sort();
    forwards.dedup();
    forwards
}

/// `"Name" [SMTP:address]` or `"Name" [EX:/o=…]`, in any order of case
/// (reference §6.6; the form for outside recipients is UNCONFIRMED, so a bare
/// address is taken too). The name is the attacker's: only the last bracket counts.
fn exchange_forwards(rule: &ExchangeRule) -> Vec<String> {
    let mut forwards: Vec<String> = rule
        .forward_to
        .iter()
        .chain(&rule.forward_as_attachment_to)
        .chain(&rule.redirect_to)
        .map(|text| address(text))
        .collect();
    forwards.sort();
    forwards.dedup();
    forwards
}

/// Graph names a folder by its id; Exchange's list of the same rule names it as people
/// do, so that no permission to read mail is needed for the name.
fn from_both(rule: &MessageRule, twin: Option<&ExchangeRule>) -> Found {
    let name = rule.display_name.clone().unwrap_or_default();
    let actions = rule.actions.clone().unwrap_or_default();
    let moves_to = actions.move_to_folder.as_ref().map(|id| {
        twin.and_then(|twin| twin.move_to_folder.clone())
            .unwrap_or_else(|| id.clone())
    });
    let conditions = serde_json::json!({
        "conditions": rule.conditions,
        "exceptions": rule.exceptions,
    });
    let mut aliases = vec![rule.id.clone()];
    aliases.extend(twin.map(names).unwrap_or_default());
    let id = twin.map_or(&rule.id, |twin| &twin.identity);
    Found {
        object: ObjectRef::new(ObjectKind::InboxRule, id).named(&name),
        facts: Facts::InboxRule {
            name,
            enabled: rule.is_enabled.unwrap_or(true),
            hidden: false,
            graph_id: Some(rule.id.clone()),
            aliases,
            forwards_to: graph_forwards(rule),
            moves_to,
            deletes: actions.delete == Some(true) || actions.permanent_delete == Some(true),
            marks_read: actions.mark_as_read == Some(true),
            conditions: canonical_json(&conditions),
        },
        basis: twin.map(|twin| exchange_facts(twin, false)),
        content: twin.map(content),
        place: rule.sequence,
    }
}

fn from_exchange(rule: &ExchangeRule, hidden: bool) -> Found {
    let name = rule.name.clone().unwrap_or_default();
    Found {
        object: ObjectRef::new(ObjectKind::InboxRule, &rule.identity).named(name),
        facts: exchange_facts(rule, hidden),
        basis: Some(exchange_facts(rule, false)),
        content: Some(content(rule)),
        place: rule.priority,
    }
}

/// What a rule does, without its ids, its place in the order, and the names that
/// Exchange writes before addresses: canonical JSON.
pub(crate) fn content(rule: &ExchangeRule) -> String {
    let addresses = |texts: &[String]| {
        let mut addresses: Vec<String> = texts.iter().map(|text| address(text)).collect();
        addresses.sort();
        addresses
    };
    let mut content = serde_json::json!({
        "Name": rule.name,
        "Enabled": rule.enabled.unwrap_or(true),
        "ForwardTo": addresses(&rule.forward_to),
        "ForwardAsAttachmentTo": addresses(&rule.forward_as_attachment_to),
        "RedirectTo": addresses(&rule.redirect_to),
        "From": addresses(&rule.from),
        "DeleteMessage": rule.delete_message == Some(true),
        "SoftDeleteMessage": rule.soft_delete_message == Some(true),
        "MoveToFolder": rule.move_to_folder,
        "MarkAsRead": rule.mark_as_read == Some(true),
        "StopProcessingRules": rule.stop_processing_rules == Some(true),
        "SubjectContainsWords": rule.subject_contains_words,
        "SubjectOrBodyContainsWords": rule.subject_or_body_contains_words,
    });
    for (name, value) in &rule.other {
        if !says_nothing(value) && !ABOUT_THE_ROW.contains(&name.as_str()) {
            content[name] = value.clone();
        }
    }
    canonical_json(&content)
}

/// The address in one of Exchange's texts for a recipient, in lower case.
pub(crate) fn address(text: &str) -> String {
    match (text.rfind('['), text.rfind(']')) {
        (Some(open), Some(close)) if open < close => bare(&text[open + 1..close]),
        _ => bare(text.trim_matches(|c| c == '"' || c == ' ')),
    }
}

fn exchange_facts(rule: &ExchangeRule, hidden: bool) -> Facts {
    let mut conditions = serde_json::json!({
        "From": rule.from,
        "SubjectContainsWords": rule.subject_contains_words,
        "SubjectOrBodyContainsWords": rule.subject_or_body_contains_words,
    });
    for (name, value) in &rule.other {
        if !says_nothing(value) && !ABOUT_THE_ROW.contains(&name.as_str()) {
            conditions[name] = value.clone();
        }
    }
    Facts::InboxRule {
        name: rule.name.clone().unwrap_or_default(),
        enabled: rule.enabled.unwrap_or(true),
        hidden,
        graph_id: None,
        aliases: names(rule),
        forwards_to: exchange_forwards(rule),
        moves_to: rule.move_to_folder.clone(),
        deletes: rule.delete_message == Some(true) || rule.soft_delete_message == Some(true),
        marks_read: rule.mark_as_read == Some(true),
        conditions: canonical_json(&conditions),
    }
}

/// Of a row's other fields those that tell of the row and not of the rule; they may
/// change without anybody touching the rule.
const ABOUT_THE_ROW: [&str; 8] = [
    "ErrorType",
    "InError",
    "IsValid",
    "ObjectState",
    "RunspaceId",
    "SupportedByTask",
    "DescriptionTimeFormat",
    "DescriptionTimeZone",
];

/// Empty, null and off are the same in what Exchange writes (reference §6.6).
fn says_nothing(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Null | serde_json::Value::Bool(false) => true,
        serde_json::Value::String(text) => text.is_empty(),
        serde_json::Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn names(rule: &ExchangeRule) -> Vec<String> {
    let mut names = vec![rule.identity.clone()];
    names.extend(rule.number().map(str::to_owned));
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(name: &str) -> ExchangeRule {
        serde_json::from_value(json!({
            "Identity": "5d7c\\11529215046068469761", "RuleIdentity": 11_529_215_046_068_469_761_u64,
            "Name": name, "Enabled": true, "Priority": 1, "MarkAsRead": true,
            "ForwardTo": ["\"x\" [SMTP:x@evil.example]"], "MoveToFolder": "RSS Feeds",
            "BodyContainsWords": ["invoice"], "FromAddressContainsWords": [], "InError": false,
            "HasAttachment": false, "ObjectState": "Unchanged", "ExceptIfFrom": null,
        }))
        .unwrap()
    }

    fn shown(name: &str) -> MessageRule {
        serde_json::from_value(json!({
            "id": "AQAAAJ5dZqA=", "displayName": name, "sequence": 1, "isEnabled": true,
            "conditions": {"bodyContains": ["invoice"]},
            "actions": {"forwardTo": [{"emailAddress": {"address": "x@evil.example"}}], "markAsRead": true,
                "moveToFolder": "folder-1"},
        }))
        .unwrap()
    }

    #[test]
    fn one_rule_is_one_object_whichever_surface_was_read() {
        let both = pair(&[row(".")], &[shown(".")]);
        let alone = from_exchange(&row("."), false);
        assert_eq!(both.len(), 1);
        assert_eq!(both[0].object, alone.object);
        assert_eq!(both[0].basis, alone.basis);
        let Facts::InboxRule {
            graph_id, aliases, ..
        } = &both[0].facts
        else {
            panic!("a rule")
        };
        assert_eq!(graph_id.as_deref(), Some("AQAAAJ5dZqA="));
        assert!(aliases.contains(&"11529215046068469761".to_owned()));
    }

    #[test]
    fn what_a_rule_does_is_in_its_digest_and_where_it_stands_is_not() {
        let base = from_exchange(&row("."), false).basis;
        let mut moved = row(".");
        moved.priority = Some(7);
        moved.other.insert("ObjectState".into(), json!("Changed"));
        assert_eq!(from_exchange(&moved, true).basis, base);
        let mut wider = row(".");
        wider.other.insert("BodyContainsWords".into(), json!([]));
        assert_ne!(from_exchange(&wider, false).basis, base);
    }
}
