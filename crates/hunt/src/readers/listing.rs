//! What other collectors saved: inbox rules (Graph `messageRule`, the cmdlet's
//! output, tables made of it), grants to applications, rights on mailboxes.
//! They say what stood there, not when it came about: events of state.

use super::fields::{Fields, any_text, pairs_of};
use crate::event::{Event, NO_TIME, Outcome, Source};
use crate::moment;

/// What a listing lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Inbox rules.
    Rule,
    /// Delegated permissions and app roles.
    Grant,
    /// Rights on a mailbox or folder.
    MailboxRight,
}

/// The kind of listing that a record with these keys is from.
pub(super) fn kind(has: &dyn Fn(&str) -> bool) -> Option<Kind> {
    let graph_rule = has("displayName") && has("sequence") && (has("actions") || has("conditions"));
    let acts = [
        "ForwardTo",
        "RedirectTo",
        "ForwardAsAttachmentTo",
        "DeleteMessage",
        "SoftDeleteMessage",
        "MoveToFolder",
        "CopyToFolder",
    ];
    let cmdlet_rule = (has("RuleName")
        || (has("Name") && (has("RuleIdentity") || has("MailboxOwnerId") || has("Priority"))))
        && acts.iter().any(|name| has(name));
    if (graph_rule || cmdlet_rule) && !has("Operation") {
        return Some(Kind::Rule);
    }
    if (has("clientId") && has("consentType") && has("scope"))
        || (has("ClientObjectId") && has("ConsentType") && has("Permission"))
        || (has("principalId") && has("resourceId") && has("appRoleId"))
    {
        return Some(Kind::Grant);
    }
    if has("AccessRights")
        && (has("User") || has("Trustee"))
        && (has("Identity") || has("FolderName"))
    {
        return Some(Kind::MailboxRight);
    }
    None
}

/// The event of one listed thing.
pub(super) fn event(kind: Kind, fields: Fields<'_>, original: &str) -> Event {
    let (operation, workload) = match kind {
        Kind::Rule => ("Inbox rule listed", "Exchange"),
        Kind::Grant => ("Application grant listed", "AzureActiveDirectory"),
        Kind::MailboxRight => ("Mailbox right listed", "Exchange"),
    };
    let time = fields
        .text(&["createdDateTime", "creationTimestamp", "WhenCreatedUTC"])
        .and_then(|text| moment::parse(&text))
        .unwrap_or(NO_TIME);
    let mut event = Event::new(Source::Listing, time, operation, original);
    event.outcome = Outcome::Success;
    event.workload = Some(workload.to_owned());
    match kind {
        Kind::Rule => rule(&mut event, fields),
        Kind::Grant => grant(&mut event, fields),
        Kind::MailboxRight => right(&mut event, fields),
    }
    event
}

fn rule(event: &mut Event, fields: Fields<'_>) {
    event.mailbox = fields
        .text(&[
            "UserPrincipalName",
            "UserName",
            "Mailbox",
            "MailboxOwnerUPN",
            "MailboxOwnerId",
        ])
        .map(|text| text.to_lowercase());
    event.user = event.mailbox.clone().filter(|text| text.contains('@'));
    // A rule's number is only unique in its mailbox.
    event.record_id = fields
        .text(&["RuleIdentity", "Identity", "id"])
        .map(|id| format!("rule/{}/{id}", event.mailbox.as_deref().unwrap_or_default()))
        .unwrap_or_default();
    for (ours, names) in [
        ("Name", &["displayName", "RuleName", "Name"][..]),
        ("Enabled", &["isEnabled", "Enabled"]),
        ("ForwardTo", &["ForwardTo"]),
        ("RedirectTo", &["RedirectTo"]),
        ("ForwardAsAttachmentTo", &["ForwardAsAttachmentTo"]),
        ("DeleteMessage", &["DeleteMessage", "SoftDeleteMessage"]),
        ("MoveToFolder", &["MoveToFolder"]),
        ("CopyToFolder", &["CopyToFolder"]),
        ("MarkAsRead", &["MarkAsRead"]),
        ("SubjectContainsWords", &["SubjectContainsWords"]),
        ("BodyContainsWords", &["BodyContainsWords"]),
        (
            "SubjectOrBodyContainsWords",
            &["SubjectOrBodyContainsWords"],
        ),
        ("From", &["From"]),
        ("StopProcessingRules", &["StopProcessingRules"]),
    ] {
        if let Some(value) = fields.value(names) {
            put(event, ours, value);
        }
    }
    // Graph's names under the cmdlet's, which detections know.
    for part in ["actions", "conditions", "exceptions"] {
        let Some(value) = fields.nested(&[part]) else {
            continue;
        };
        for (name, text) in pairs_of(&value) {
            let ours = match name.as_str() {
                "delete" | "permanentDelete" => "DeleteMessage".to_owned(),
                "subjectContains" => "SubjectContainsWords".to_owned(),
                "bodyContains" => "BodyContainsWords".to_owned(),
                "bodyOrSubjectContains" => "SubjectOrBodyContainsWords".to_owned(),
                "fromAddresses" => "From".to_owned(),
                other => capital(other),
            };
            let prefix = if part == "exceptions" { "ExceptIf" } else { "" };
            if !text.is_empty() {
                event
                    .parameters
                    .entry(format!("{prefix}{ours}"))
                    .or_insert(text);
            }
        }
    }
    event.object = event.parameter("Name").map(str::to_owned);
}

fn grant(event: &mut Event, fields: Fields<'_>) {
    event.record_id = fields
        .text(&["id"])
        .map(|id| format!("grant/{id}"))
        .unwrap_or_default();
    event.app_id = fields.text(&["AppId", "clientId", "ClientObjectId"]);
    event.app_name = fields.text(&[
        "AppDisplayName",
        "ClientDisplayName",
        "principalDisplayName",
    ]);
    event.resource_id = fields.text(&["resourceId", "ResourceObjectId"]);
    event.resource_name = fields.text(&["resourceDisplayName"]);
    event.user_id = fields.text(&["principalId", "PrincipalObjectId"]);
    for (ours, names) in [
        ("Scope", &["scope", "Permission"][..]),
        ("ConsentType", &["consentType"]),
        ("AppRoleId", &["appRoleId"]),
        ("PermissionType", &["PermissionType"]),
    ] {
        if let Some(value) = fields.value(names) {
            put(event, ours, value);
        }
    }
}

fn right(event: &mut Event, fields: Fields<'_>) {
    event.mailbox = fields
        .text(&["UserPrincipalName", "Mailbox", "Identity"])
        .map(|text| text.to_lowercase());
    for (ours, names) in [
        ("User", &["User", "Trustee"][..]),
        ("AccessRights", &["AccessRights"]),
        ("FolderName", &["FolderName"]),
        ("IsInherited", &["IsInherited"]),
        ("Deny", &["Deny"]),
    ] {
        if let Some(value) = fields.value(names) {
            put(event, ours, value);
        }
    }
    event.object = event.mailbox.clone();
}

fn put(event: &mut Event, name: &str, value: &serde_json::Value) {
    let text = any_text(value);
    if !text.trim().is_empty() {
        event.parameters.insert(name.to_owned(), text);
    }
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters
        .next()
        .map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
        .unwrap_or_default()
}
