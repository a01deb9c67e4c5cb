//! Which objects were changed, under which ids they are known, and by whose
//! hand.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use retake_playbook::ObjectKind;

use super::findings::Findings;
use super::intruder::Intruder;
use super::profile::Whose;
use super::scope::{Scope, sessions};
use crate::answer::{By, Change, Severity};
use crate::event::{Event, Outcome, Source};

/// What kind of object an operation changes; none if it changes nothing that
/// a case looks after.
pub(super) fn object_kind(event: &Event) -> Option<ObjectKind> {
    if event.is_sign_in()
        || matches!(
            event.source,
            Source::MessageTrace | Source::RiskDetections | Source::SignIns
        )
    {
        return None;
    }
    // Most of what an audit log has; the names are as the services write them.
    if BULK.contains(&event.operation.as_str()) {
        return None;
    }
    let operation = event.operation.to_ascii_lowercase();
    if let Some((_, kind)) = KINDS.iter().find(|(name, _)| *name == operation) {
        return Some(*kind);
    }
    match operation.as_str() {
        "set-mailbox" if event.parameter("GrantSendOnBehalfTo").is_some() => {
            Some(ObjectKind::MailboxRight)
        }
        "set-mailbox" => Some(
            if [
                "ForwardingSmtpAddress",
                "ForwardingAddress",
                "DeliverToMailboxAndForward",
            ]
            .iter()
            .any(|name| event.parameter(name).is_some())
            {
                ObjectKind::MailboxForwarding
            } else {
                ObjectKind::Mailbox
            },
        ),
        "update user" => {
            let text = event.modified("Included Updated Properties").map_or_else(
                || event.modified.keys().cloned().collect::<Vec<_>>().join(","),
                |change| change.new.clone(),
            );
            if text.contains("StrongAuthentication") {
                Some(ObjectKind::Method)
            } else if RESET_ATTRIBUTES.iter().any(|name| text.contains(name)) {
                Some(ObjectKind::ResetAttributes)
            } else {
                Some(ObjectKind::Account)
            }
        }
        other if other.contains("security info") => Some(ObjectKind::Method),
        other
            if other.contains("conditional access")
                || other.contains("authorization policy")
                || other.contains("transportrule")
                || other.contains("connector")
                || other.contains("remotedomain")
                || other.contains("journalrule") =>
        {
            Some(ObjectKind::Tenant)
        }
        _ => None,
    }
}

/// What people do all day, which changes nothing that a case looks after.
const BULK: [&str; 14] = [
    "MailItemsAccessed",
    "FileAccessed",
    "FileAccessedExtended",
    "FilePreviewed",
    "FileModified",
    "FileModifiedExtended",
    "FileDownloaded",
    "FileSyncDownloadedFull",
    "FileSyncUploadedFull",
    "Send",
    "Update",
    "Create",
    "PageViewed",
    "MessageSent",
];

/// What self-service reset goes by, as records of the directory call it.
const RESET_ATTRIBUTES: [&str; 6] = [
    "OtherMail",
    "AlternateEmail",
    "Mobile",
    "TelephoneNumber",
    "MobilePhone",
    "BusinessPhones",
];

/// Two logs' times of one act differ by no more.
const SAME_ACT: SignedDuration = SignedDuration::from_secs(5);

/// Operations, folded and in lower case, by what they change.
const KINDS: &[(&str, ObjectKind)] = &[
    ("new-inboxrule", ObjectKind::InboxRule),
    ("set-inboxrule", ObjectKind::InboxRule),
    ("enable-inboxrule", ObjectKind::InboxRule),
    ("disable-inboxrule", ObjectKind::InboxRule),
    ("remove-inboxrule", ObjectKind::InboxRule),
    ("updateinboxrules", ObjectKind::InboxRule),
    ("new-sweeprule", ObjectKind::SweepRule),
    ("set-sweeprule", ObjectKind::SweepRule),
    ("enable-sweeprule", ObjectKind::SweepRule),
    ("disable-sweeprule", ObjectKind::SweepRule),
    ("remove-sweeprule", ObjectKind::SweepRule),
    ("set-casmailbox", ObjectKind::MailProtocols),
    ("add-mailboxpermission", ObjectKind::MailboxRight),
    ("remove-mailboxpermission", ObjectKind::MailboxRight),
    ("add-recipientpermission", ObjectKind::MailboxRight),
    ("remove-recipientpermission", ObjectKind::MailboxRight),
    ("add-mailboxfolderpermission", ObjectKind::FolderRight),
    ("set-mailboxfolderpermission", ObjectKind::FolderRight),
    ("remove-mailboxfolderpermission", ObjectKind::FolderRight),
    ("addfolderpermissions", ObjectKind::FolderRight),
    ("updatefolderpermissions", ObjectKind::FolderRight),
    ("modifyfolderpermissions", ObjectKind::FolderRight),
    ("removefolderpermissions", ObjectKind::FolderRight),
    ("updatecalendardelegation", ObjectKind::Mailbox),
    ("set-mailboxautoreplyconfiguration", ObjectKind::AutoReply),
    ("set-mailboxjunkemailconfiguration", ObjectKind::JunkLists),
    ("set-mailboxauditbypassassociation", ObjectKind::Mailbox),
    ("consent to application", ObjectKind::OauthGrant),
    ("add delegated permission grant", ObjectKind::OauthGrant),
    ("add oauth2permissiongrant", ObjectKind::OauthGrant),
    ("remove delegated permission grant", ObjectKind::OauthGrant),
    ("remove oauth2permissiongrant", ObjectKind::OauthGrant),
    ("update delegated permission grant", ObjectKind::OauthGrant),
    ("add app role assignment grant to user", ObjectKind::AppRole),
    ("remove app role assignment from user", ObjectKind::AppRole),
    (
        "add app role assignment to service principal",
        ObjectKind::OauthGrant,
    ),
    ("add service principal", ObjectKind::ServicePrincipal),
    ("remove service principal", ObjectKind::ServicePrincipal),
    ("update service principal", ObjectKind::ServicePrincipal),
    (
        "add service principal credentials",
        ObjectKind::ServicePrincipal,
    ),
    ("update application", ObjectKind::ServicePrincipal),
    ("add application", ObjectKind::ServicePrincipal),
    ("add owner to application", ObjectKind::ServicePrincipal),
    (
        "add owner to service principal",
        ObjectKind::ServicePrincipal,
    ),
    (
        "update application - certificates and secrets management",
        ObjectKind::ServicePrincipal,
    ),
    ("add fido2 security key", ObjectKind::Method),
    (
        "add windows hello for business credential",
        ObjectKind::Method,
    ),
    (
        "add passwordless phone sign-in credential",
        ObjectKind::Method,
    ),
    ("add platform credential", ObjectKind::Method),
    (
        "create application password for user",
        ObjectKind::AppPassword,
    ),
    (
        "delete application password for user",
        ObjectKind::AppPassword,
    ),
    ("disable strong authentication", ObjectKind::Account),
    ("enable strong authentication", ObjectKind::Account),
    ("add member to role", ObjectKind::DirectoryRole),
    ("remove member from role", ObjectKind::DirectoryRole),
    ("add eligible member to role", ObjectKind::Account),
    ("disable account", ObjectKind::Account),
    ("enable account", ObjectKind::Account),
    ("add user", ObjectKind::Account),
    ("invite external user", ObjectKind::Account),
    ("change user password", ObjectKind::Password),
    ("reset user password", ObjectKind::Password),
    ("reset password", ObjectKind::Password),
    ("register device", ObjectKind::Device),
    ("add registered owner to device", ObjectKind::Device),
    ("set-adminauditlogconfig", ObjectKind::Tenant),
];

/// Every change that concerns the account or that the attacker made, one act
/// told by two logs once.
pub(super) fn find(
    scope: &Scope<'_>,
    intruder: &Intruder<'_>,
    elsewhere: &BTreeSet<*const Event>,
    findings: &Findings,
) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    // Which log told of each: one log tells of an act once.
    let mut told: Vec<Source> = Vec::new();
    // Mobile devices are named by what they read, not by what made them.
    let mut devices: Vec<Change> = Vec::new();
    let mut sightings: BTreeSet<(String, By)> = BTreeSet::new();
    for event in &scope.all {
        let key = std::ptr::from_ref(*event);
        let concerns = scope.acts(event)
            || scope.suffers(event)
            || elsewhere.contains(&key)
            || intruder.is_bad(event);
        if concerns && let Some(device) = event.parameter("DeviceId") {
            let seen = change(
                event,
                ObjectKind::MobilePartnership,
                scope,
                intruder,
                elsewhere,
                findings,
            );
            // Whose hands a phone is in is said once for each of them.
            if sightings.insert((device.to_owned(), seen.by)) {
                devices.push(Change {
                    object_ids: vec![device.to_owned()],
                    ..seen
                });
            }
        }
        let Some(kind) =
            object_kind(event).filter(|_| concerns && event.outcome != Outcome::Failure)
        else {
            continue;
        };
        let change = change(event, kind, scope, intruder, elsewhere, findings);
        let same = changes
            .iter_mut()
            .zip(&told)
            .rev()
            .take_while(|(other, _)| change.at.duration_since(other.at) <= SAME_ACT)
            .find(|(other, source)| **source != event.source && is_same_act(other, &change));
        if let Some((same, _)) = same {
            merge(same, change);
        } else {
            changes.push(change);
            told.push(event.source);
        }
    }
    changes.extend(devices);
    changes.sort_by(|a, b| (a.at, &a.record_id).cmp(&(b.at, &b.record_id)));
    changes
}

fn change(
    event: &Event,
    kind: ObjectKind,
    scope: &Scope<'_>,
    intruder: &Intruder<'_>,
    elsewhere: &BTreeSet<*const Event>,
    findings: &Findings,
) -> Change {
    let key = std::ptr::from_ref(event);
    let (by, mut reasons) = if scope.is_responder(event) {
        (
            By::Responder,
            vec!["done with the responder's own app or account".to_owned()],
        )
    } else if intruder.is_bad(event) {
        let why = intruder.whose(event).map(Whose::why).unwrap_or_default();
        (
            By::Attacker,
            vec![
                why.to_owned(),
                "it belongs to the attacker's events by session, token or address".to_owned(),
            ],
        )
    } else if elsewhere.contains(&key) {
        (
            By::Attacker,
            vec!["done by another account from the attacker's address or session".to_owned()],
        )
    } else if !scope.acts(event) {
        let who = event
            .user
            .as_deref()
            .or(event.app_name.as_deref())
            .unwrap_or("an unnamed actor");
        (
            By::Unknown,
            vec![format!("done by {who}, not by this account")],
        )
    } else {
        match intruder.whose(event) {
            Some(Whose::Own(why)) => (By::User, vec![why.clone()]),
            Some(Whose::Foreign(why)) => (
                By::Unknown,
                vec![
                    why.clone(),
                    "nothing else there speaks of an attacker".to_owned(),
                ],
            ),
            Some(Whose::Unclear(why)) => (By::Unknown, vec![why.clone()]),
            None => (By::Unknown, Vec::new()),
        }
    };
    let mut detections: Vec<String> = findings
        .of(event)
        .map(|told| told.detection.clone())
        .collect();
    detections.sort();
    detections.dedup();
    reasons.extend(detections.iter().map(|id| format!("raises detection {id}")));
    reasons.retain(|reason| !reason.is_empty());
    let (object_ids, name) = identify(event, kind, Some(scope));
    let mut parameters = event.parameters.clone();
    for (name, modified) in &event.modified {
        parameters
            .entry(name.clone())
            .or_insert_with(|| modified.new.clone());
    }
    let was = event
        .modified
        .iter()
        .map(|(name, modified)| (name.clone(), modified.old.clone()))
        .collect();
    Change {
        at: event.time,
        operation: event.operation.clone(),
        object_kind: kind,
        object_ids,
        name,
        account: account(event, scope),
        actor: event.user.clone().or_else(|| event.app_name.clone()),
        parameters,
        was,
        by,
        reasons,
        detections,
        address: event.address.map(|address| address.to_string()),
        session: sessions(event).next().map(str::to_owned),
        record_id: event.record_id.clone(),
        also: Vec::new(),
    }
}

/// Every id in the record of a consent: the app's, and what it may reach.
pub(super) fn grant_ids(event: &Event) -> Vec<String> {
    identify(event, ObjectKind::OauthGrant, None).0
}

/// The event changes something that a case looks after.
pub(crate) fn changes_something(event: &Event) -> bool {
    object_kind(event).is_some()
}

/// A change that needs a look.
pub(crate) fn is_serious_change(event: &Event, findings: &Findings) -> bool {
    findings
        .of(event)
        .any(|told| told.severity >= Severity::Medium)
        && object_kind(event).is_some()
}

/// Hands out every name and id of whom the event was done to, as it stands there: of a path
/// also its parts.
pub(crate) fn each_name(event: &Event, visit: &mut dyn FnMut(&str)) {
    let texts = [
        event.object.as_deref(),
        event.parameter("Identity"),
        event.parameter("Mailbox"),
    ];
    for text in texts.into_iter().flatten() {
        visit(text);
        if text.contains(['\\', '/']) {
            text.rsplit(['\\', '/']).for_each(&mut *visit);
        }
    }
    for target in &event.targets {
        target
            .upn
            .iter()
            .chain(&target.id)
            .for_each(|name| visit(name));
    }
    for name in [&event.mailbox, &event.sender].into_iter().flatten() {
        visit(name);
    }
}

/// The account or mailbox changed.
fn account(event: &Event, scope: &Scope<'_>) -> Option<String> {
    if scope.suffers(event) {
        return Some(scope.upn().to_owned());
    }
    event
        .targets
        .iter()
        .find_map(|target| target.upn.clone())
        .or_else(|| event.mailbox.clone())
        .or_else(|| event.parameter("Identity").map(str::to_lowercase))
        .or_else(|| event.user.clone())
}

/// Every id and name of the object in the record, and the name that people
/// see.
fn identify(
    event: &Event,
    kind: ObjectKind,
    scope: Option<&Scope<'_>>,
) -> (Vec<String>, Option<String>) {
    let mut ids = BTreeSet::new();
    let mut add = |text: &str| {
        let text = text.trim().trim_matches('"').trim();
        if !text.is_empty() {
            ids.insert(text.to_owned());
        }
    };
    let mut name = None;
    match kind {
        ObjectKind::InboxRule | ObjectKind::SweepRule => {
            for parameter in ["Name", "RuleName", "Identity", "RuleId", "RuleIdentity"] {
                if let Some(text) = event.parameter(parameter) {
                    add(text);
                    // `mailbox\number`, `…/mailbox\name`.
                    text.rsplit('\\').next().into_iter().for_each(&mut add);
                }
            }
            if let Some(object) = &event.object {
                add(object);
                object.rsplit('\\').next().into_iter().for_each(&mut add);
            }
            name = event
                .parameter("Name")
                .or_else(|| event.parameter("RuleName"))
                .map(str::to_owned);
        }
        ObjectKind::OauthGrant | ObjectKind::ServicePrincipal | ObjectKind::AppRole => {
            for target in &event.targets {
                target
                    .id
                    .iter()
                    .chain(target.name.iter())
                    .for_each(|text| add(text));
            }
            event
                .object
                .as_deref()
                .into_iter()
                .flat_map(|text| text.split(';'))
                .for_each(&mut add);
            for (property, modified) in &event.modified {
                if property.starts_with("ServicePrincipal.")
                    || property == "AppId"
                    || property.starts_with("TargetId.ServicePrincipalNames")
                {
                    modified.new.split([';', ',']).for_each(&mut add);
                }
                // `[[Id: …, ClientId: …, …]]`
                for key in ["Id: ", "ClientId: "] {
                    for (at, _) in modified.new.match_indices(key) {
                        let before = modified
                            .new
                            .get(..at)
                            .and_then(|head| head.chars().next_back());
                        if before.is_some_and(char::is_alphanumeric) {
                            continue;
                        }
                        let rest = modified.new.get(at + key.len()..).unwrap_or_default();
                        rest.split([',', ']']).next().into_iter().for_each(&mut add);
                    }
                }
            }
            for parameter in ["AppId", "ServicePrincipalId", "ClientId", "GrantId"] {
                event.parameter(parameter).into_iter().for_each(&mut add);
            }
            name = event
                .modified("ServicePrincipal.DisplayName")
                .map(|modified| modified.new.clone())
                .filter(|text| !text.is_empty())
                .or_else(|| event.targets.iter().find_map(|target| target.name.clone()));
        }
        ObjectKind::DirectoryRole => {
            event.object.as_deref().into_iter().for_each(&mut add);
            for target in &event.targets {
                target
                    .id
                    .iter()
                    .chain(target.upn.iter())
                    .for_each(|text| add(text));
            }
            for property in ["Role.TemplateId", "Role.ObjectID"] {
                if let Some(modified) = event.modified(property) {
                    add(&modified.new);
                    add(&modified.old);
                }
            }
            name = event
                .modified("Role.DisplayName")
                .map(|modified| modified.new.trim_matches('"').to_owned());
        }
        ObjectKind::Method => {
            event.reason.as_deref().into_iter().for_each(&mut add);
            event.parameters.values().for_each(|text| add(text));
            for modified in event.modified.values() {
                add(&modified.new);
                for text in method_ids(&modified.new, &modified.old) {
                    add(&text);
                }
            }
            name.clone_from(&event.reason);
        }
        ObjectKind::MailboxRight | ObjectKind::FolderRight => super::rights::holders(event)
            .iter()
            .for_each(|holder| add(holder)),
        ObjectKind::MailboxForwarding
        | ObjectKind::AutoReply
        | ObjectKind::JunkLists
        | ObjectKind::MailProtocols
        | ObjectKind::Mailbox
        | ObjectKind::Account
        | ObjectKind::ResetAttributes
        | ObjectKind::Password => {
            for parameter in ["Identity", "User", "Trustee"] {
                event.parameter(parameter).into_iter().for_each(&mut add);
            }
            event.object.as_deref().into_iter().for_each(&mut add);
            for target in &event.targets {
                target
                    .id
                    .iter()
                    .chain(target.upn.iter())
                    .for_each(|text| add(text));
            }
            if let Some(scope) = scope.filter(|scope| scope.suffers(event)) {
                scope.names().iter().for_each(|text| add(text));
            }
        }
        _ => {
            event.object.as_deref().into_iter().for_each(&mut add);
            for target in &event.targets {
                target
                    .id
                    .iter()
                    .chain(target.name.iter())
                    .for_each(|text| add(text));
            }
            name = event.targets.iter().find_map(|target| target.name.clone());
        }
    }
    (ids.into_iter().collect(), name)
}

/// Ids, numbers and addresses of methods in a property's new value that were
/// not in the old one.
fn method_ids(new: &str, old: &str) -> Vec<String> {
    fn collect(value: &serde_json::Value, into: &mut Vec<String>) {
        match value {
            serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
            serde_json::Value::Object(map) => map.values().for_each(|item| collect(item, into)),
            serde_json::Value::String(text) if text.len() > 3 => into.push(text.clone()),
            _ => {}
        }
    }
    let mut ids = Vec::new();
    if let Ok(value) = serde_json::from_str::<serde_json::Value>(new) {
        collect(&value, &mut ids);
    }
    ids.retain(|id| !old.contains(id.as_str()));
    ids
}

/// The same act told twice: the same operation on an object with a shared id,
/// within seconds.
fn is_same_act(a: &Change, b: &Change) -> bool {
    a.object_kind == b.object_kind
        && a.operation.eq_ignore_ascii_case(&b.operation)
        && a.actor == b.actor
        && (a.object_ids.is_empty() || a.object_ids.iter().any(|id| b.object_ids.contains(id)))
        && a.record_id != b.record_id
}

/// Who did it is told by the record that knows more.
fn merge(into: &mut Change, other: Change) {
    let rank = |by: By| match by {
        By::Responder => 3,
        By::Attacker => 2,
        By::User => 1,
        By::Unknown => 0,
    };
    if rank(other.by) > rank(into.by) {
        into.by = other.by;
        into.reasons = other.reasons;
    }
    let ids: BTreeSet<String> = into.object_ids.drain(..).chain(other.object_ids).collect();
    into.object_ids = ids.into_iter().collect();
    let parameters: BTreeMap<String, String> = other.parameters;
    for (name, value) in parameters {
        into.parameters.entry(name).or_insert(value);
    }
    into.name = into.name.take().or(other.name);
    into.address = into.address.take().or(other.address);
    into.session = into.session.take().or(other.session);
    let mut detections: BTreeSet<String> = into.detections.drain(..).collect();
    detections.extend(other.detections);
    into.detections = detections.into_iter().collect();
    into.also.push(other.record_id);
    into.also.extend(other.also);
    into.also.sort();
}
