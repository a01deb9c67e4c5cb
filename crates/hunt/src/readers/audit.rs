//! Unified audit log records: `AuditData` in every wrapping (reference §7.2 to
//! §7.4), and the same under Log Analytics' column names.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::{Fields, any_text, at, key, pairs_of, scalar, text_at, unfold};
use crate::event::{Event, FolderItems, MailAccess, Outcome, Source, Target};
use crate::{address, moment, token};

/// The event of one record; an error says what is missing.
pub(super) fn event(fields: Fields<'_>, original: &str) -> Result<Event, String> {
    let operation = fields
        .text(&["Operation", "Operations"])
        .ok_or("an audit record without an operation")?;
    let time_text = fields
        .text(&[
            "CreationTime",
            "CreationDate",
            "createdDateTime",
            "TimeGenerated",
            "TimeGenerated [UTC]",
        ])
        .ok_or("an audit record without a time")?;
    let time = moment::parse(&time_text).ok_or("the time cannot be read")?;
    let mut event = Event::new(Source::Ual, time, &operation, original);
    event.record_id = fields
        .text(&["Id", "OfficeId", "RecordId", "Identity", "SourceRecordId"])
        .unwrap_or_default();
    event.tenant_id = fields.text(&["OrganizationId"]);
    event.workload = fields.text(&["Workload", "OfficeWorkload", "service"]);
    event.record_type = fields.text(&["RecordType", "auditLogRecordType"]);
    event.object = fields.text(&["ObjectId", "OfficeObjectId"]);
    event.mailbox = fields
        .text(&["MailboxOwnerUPN"])
        .map(|upn| upn.to_lowercase());
    event.logon_type = fields.text(&["LogonType", "Logon_Type"]);
    event.client = fields.text(&["ClientInfoString"]);
    event.address = [
        "ClientIP",
        "ClientIPAddress",
        "Client_IPAddress",
        "ActorIpAddress",
        "ClientIP_",
    ]
    .iter()
    .find_map(|name| address::parse(&fields.text(&[name])?));
    actor(&mut event, fields);
    context(&mut event, fields);
    outcome(&mut event, fields);
    devices(&mut event, fields);
    parameters(&mut event, fields);
    targets(&mut event, fields);
    mail(&mut event, fields);
    copilot(&mut event, fields);
    if event.is_sign_in() {
        sign_in(&mut event, fields);
    }
    Ok(event)
}

fn actor(event: &mut Event, fields: Fields<'_>) {
    // Around a Graph record the names stand the other way round: userId holds
    // the old UserKey and userPrincipalName the old UserId (reference §7.2).
    event.user = fields
        .inner_value(&["UserId", "UserId_"])
        .and_then(scalar)
        .or_else(|| {
            fields
                .outer_value(&["userPrincipalName", "UserIds", "UserId"])
                .and_then(scalar)
        })
        .or_else(|| fields.text(&["UserIds"]))
        .map(|user| user.to_lowercase());
    let actors = fields.nested(&["Actor"]);
    let actor_id = actors
        .iter()
        .flat_map(|list| list.as_array().into_iter().flatten())
        .filter_map(|actor| text_at(actor, "ID"))
        .find(|id| is_guid(id));
    event.user_id = fields
        .text(&["UserKey"])
        .filter(|key| is_guid(key))
        .or(actor_id)
        .or_else(|| fields.text(&["TokenObjectId"]).filter(|id| is_guid(id)));
    event.user_type = fields.text(&["UserType"]).map(|kind| {
        match kind.as_str() {
            "0" => "Regular",
            "2" => "Admin",
            "3" => "DcAdmin",
            "4" => "System",
            "5" => "Application",
            "6" => "ServicePrincipal",
            "9" => "PartnerTechnician",
            "10" => "Guest",
            other => other,
        }
        .to_owned()
    });
}

/// Session, token and client, which join the record to sign-ins.
fn context(event: &mut Event, fields: Fields<'_>) {
    let access = fields.nested(&["AppAccessContext"]);
    let from = |name: &str| access.as_deref().and_then(|value| text_at(value, name));
    event.session_id = from("AADSessionId");
    event.token_id = from("UniqueTokenId");
    event.service_session_id = fields.text(&["SessionId"]);
    event.correlation_id = fields
        .text(&["InterSystemsId"])
        .or_else(|| from("CorrelationId"));
    event.app_id =
        from("ClientAppId").or_else(|| fields.text(&["ClientAppId", "AppId", "ApplicationId"]));
    event.app_name =
        from("ClientAppName").or_else(|| fields.text(&["ApplicationDisplayName", "Application"]));
}

fn outcome(event: &mut Event, fields: Fields<'_>) {
    let status = fields
        .text(&["ResultStatus"])
        .unwrap_or_default()
        .to_ascii_lowercase();
    event.outcome = match status.as_str() {
        "success" | "succeeded" | "true" | "partiallysucceeded" => Outcome::Success,
        "failed" | "failure" | "false" => Outcome::Failure,
        _ => Outcome::Unknown,
    };
    event.error_code = fields.text(&["ErrorNumber", "ErrorCode"]);
    event.reason = fields.text(&["LogonError", "ResultReasonType"]);
}

fn devices(event: &mut Event, fields: Fields<'_>) {
    let device = fields.pairs(&["DeviceProperties"]);
    let get = |name: &str| device.get(name).filter(|value| !value.is_empty()).cloned();
    event.device.id = get("Id");
    event.device.name = get("DisplayName");
    event.device.os = get("OS");
    event.device.browser = get("BrowserType");
    event.device.trust = get("TrustType");
    event.device.managed = get("IsCompliantAndManaged")
        .or_else(|| get("IsCompliant"))
        .map(|text| text.eq_ignore_ascii_case("true"));
    if event.session_id.is_none() {
        event.session_id = get("SessionId");
    }
}

fn parameters(event: &mut Event, fields: Fields<'_>) {
    let extended = fields.pairs(&["ExtendedProperties"]);
    let mut all = fields.pairs(&["Parameters"]);
    all.extend(fields.pairs(&["OperationProperties"]));
    let details: BTreeMap<String, String> = extended
        .get("additionalDetails")
        .and_then(|text| serde_json::from_str::<Value>(text).ok())
        .map(|value| pairs_of(&value))
        .unwrap_or_default();
    let agent = |map: &BTreeMap<String, String>| {
        ["UserAgent", "User-Agent"]
            .iter()
            .find_map(|name| map.get(*name))
            .filter(|text| !text.is_empty())
            .cloned()
    };
    event.user_agent = agent(&extended)
        .or_else(|| agent(&details))
        .or_else(|| fields.text(&["UserAgent"]));
    for (name, value) in extended.into_iter().chain(details) {
        if name != "additionalDetails" {
            all.entry(name).or_insert(value);
        }
    }
    // Which phone a mailbox record came from (reference §7.3, DeviceId).
    if let Some(device) = fields.text(&["DeviceId"]).filter(|text| !text.is_empty()) {
        all.entry("DeviceId".to_owned()).or_insert(device);
    }
    // With whom a file was shared (SharePoint's sharing records).
    if let Some(with) = fields
        .text(&["TargetUserOrGroupName"])
        .filter(|text| !text.is_empty())
    {
        all.entry("TargetUserOrGroupName".to_owned())
            .or_insert(with);
    }
    folder_rights(&mut all, fields);
    event.parameters = all;
    event.modified = fields.modified(&["ModifiedProperties"]);
    event.mail_access = match event.parameter("MailAccessType") {
        Some("Bind") => Some(MailAccess::Bind),
        Some("Sync") => Some(MailAccess::Sync),
        _ => None,
    };
    event.throttled = event
        .parameter("IsThrottled")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"));
}

/// Rights on a folder, as a mailbox record tells of them: whose, which, on what folder of
/// whose mailbox (reference §7.3, `ParentFolder`).
fn folder_rights(all: &mut BTreeMap<String, String>, fields: Fields<'_>) {
    let Some(item) = fields.nested(&["Item"]) else {
        return;
    };
    let Some(folder) = at(&item, "ParentFolder") else {
        return;
    };
    let member = [
        ("MemberUpn", text_at(folder, "MemberUpn")),
        ("MemberRights", text_at(folder, "MemberRights")),
    ];
    if member.iter().all(|(_, value)| value.is_none()) {
        return;
    }
    let place = [
        ("FolderPath", text_at(folder, "Path")),
        ("FolderId", text_at(folder, "Id")),
        ("MailboxOwnerUPN", fields.text(&["MailboxOwnerUPN"])),
    ];
    for (name, value) in member.into_iter().chain(place) {
        if let Some(value) = value {
            all.entry(name.to_owned()).or_insert(value);
        }
    }
}

/// `Target` lists one thing under several ids: type 1 its name, 2 its id, 5
/// its user principal name.
fn targets(event: &mut Event, fields: Fields<'_>) {
    let Some(list) = fields.nested(&["Target", "AADTarget"]) else {
        return;
    };
    let mut target = Target::default();
    for item in list.as_array().into_iter().flatten() {
        let Some(id) = text_at(item, "ID") else {
            continue;
        };
        match text_at(item, "Type").as_deref() {
            Some("1") => target.name = Some(id),
            Some("5") => target.upn = Some(id.to_lowercase()),
            _ if is_guid(&id) => target.id = target.id.or(Some(id)),
            Some("2") if !id.contains('_') => target.kind = Some(id),
            _ => {}
        }
    }
    if target != Target::default() {
        event.targets.push(target);
    }
}

/// What Copilot read for the one who asked: `CopilotEventData` lists it.
fn copilot(event: &mut Event, fields: Fields<'_>) {
    let Some(data) = fields.nested(&["CopilotEventData"]) else {
        return;
    };
    for name in ["AppHost", "ThreadId"] {
        if let Some(text) = text_at(&data, name) {
            event.parameters.entry(name.to_owned()).or_insert(text);
        }
    }
    let resources = at(&data, "AccessedResources").and_then(Value::as_array);
    for resource in resources.into_iter().flatten() {
        event.targets.push(Target {
            id: text_at(resource, "ID"),
            name: text_at(resource, "Name"),
            upn: None,
            kind: text_at(resource, "Type"),
        });
    }
}

fn mail(event: &mut Event, fields: Fields<'_>) {
    event.sender = fields
        .text(&["SendAsUserSmtp", "SendOnBehalfOfUserSmtp"])
        .or_else(|| {
            event
                .operation
                .to_ascii_lowercase()
                .starts_with("send")
                .then(|| event.mailbox.clone().or_else(|| event.user.clone()))?
        })
        .map(|sender| sender.to_lowercase());
    if let Some(item) = fields.nested(&["Item"]) {
        event
            .message_ids
            .extend(text_at(&item, "InternetMessageId"));
        event.subject = text_at(&item, "Subject");
        event.folder = at(&item, "ParentFolder").and_then(|folder| text_at(folder, "Path"));
        recipients(
            event,
            item.as_object().and_then(|map| key(map, "Recipients")),
        );
    }
    if event.folder.is_none() {
        event.folder = fields
            .nested(&["Folder"])
            .and_then(|folder| text_at(&folder, "Path"));
    }
    recipients(event, fields.value(&["RecipientList", "Recipients"]));
    if let Some(items) = fields.nested(&["AffectedItems"]) {
        for item in items.as_array().into_iter().flatten() {
            event.message_ids.extend(text_at(item, "InternetMessageId"));
            event.subject = event.subject.take().or_else(|| text_at(item, "Subject"));
        }
    }
    if let Some(folders) = fields.nested(&["Folders"]) {
        for folder in folders.as_array().into_iter().flatten() {
            let message_ids: Vec<String> = at(folder, "FolderItems")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(|item| text_at(item, "InternetMessageId"))
                .collect();
            let subjects = at(folder, "FolderItems")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(|item| {
                    let id = text_at(item, "InternetMessageId")?;
                    Some((id, text_at(item, "Subject")?))
                })
                .collect();
            event.message_ids.extend(message_ids.iter().cloned());
            let path = text_at(folder, "Path");
            event.folder = event.folder.take().or_else(|| path.clone());
            event.folders.push(FolderItems {
                path,
                message_ids,
                subjects,
            });
        }
    }
}

fn recipients(event: &mut Event, value: Option<&Value>) {
    let Some(value) = value else { return };
    let list = unfold(value).map_or_else(
        || vec![any_text(value)],
        |list| match list.as_ref() {
            Value::Array(items) => items
                .iter()
                .map(|item| {
                    ["Address", "EmailAddress", "Smtp", "RecipientAddress"]
                        .iter()
                        .find_map(|name| text_at(item, name))
                        .unwrap_or_else(|| any_text(item))
                })
                .collect(),
            other => vec![any_text(other)],
        },
    );
    for text in list {
        event.recipients.extend(
            text.split([';', ','])
                .map(|part| part.trim().to_lowercase())
                .filter(|part| part.contains('@')),
        );
    }
    event.recipients.sort();
    event.recipients.dedup();
}

fn sign_in(event: &mut Event, fields: Fields<'_>) {
    // A failed one may carry `Success` as its status; the operation is right.
    event.outcome = if event.is("UserLoginFailed") {
        Outcome::Failure
    } else {
        Outcome::Success
    };
    // The record's id is the sign-in's, so it joins as one.
    if event.token_id.is_none() {
        event.token_id = fields
            .text(&["IntraSystemId", "Id"])
            .and_then(|id| token::token_id(&id));
    }
    event.resource_id = event.object.clone();
    let request = event
        .parameter("RequestType")
        .unwrap_or_default()
        .to_ascii_lowercase();
    event.interactive = match request.as_str() {
        // A browser that has a session is let through without anybody there.
        "" | "oauth2:authorize" => None,
        kind if kind.starts_with("login")
            || kind.starts_with("kmsi")
            || kind.starts_with("cmsi")
            || kind.starts_with("sas:") =>
        {
            Some(true)
        }
        _ => Some(false),
    };
    // A password posted straight to the token endpoint, without a page.
    if request == "oauth2:token" && event.parameter("UserAuthenticationMethod") == Some("1") {
        event.protocol = Some("ropc".to_owned());
    }
    if request.contains("cmsi") || request.contains("devicecode") {
        event.protocol = Some("deviceCode".to_owned());
    }
}

pub(super) fn is_guid(text: &str) -> bool {
    token::token_id(text).is_some()
}
