//! The unified audit log's records (reference §7.3).

use std::net::IpAddr;

use crate::act::{Act, Factor, Mail, SignIn, Target, What, Who};
use crate::dice::Dice;
use crate::text::{Object, pair, quoted, time};
use crate::world::World;

/// One record: what stands beside it in exports, and itself.
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) time: i64,
    pub(crate) kind: u32,
    pub(crate) operation: String,
    pub(crate) user: String,
    pub(crate) json: String,
}

/// The record of an act, or none where this log does not tell of it.
pub(crate) fn record(world: &World, act: &Act) -> Option<Record> {
    let mut dice = world.dice(&[50, act.id.0 as u64]);
    let (kind, workload, operation) = kind(act)?;
    let id = match &act.what {
        // The audit log has an id of its own; the sign-in's stands inside.
        What::SignIn(_) | What::Directory { .. } => audit_id(world, act),
        _ => act.id.to_string(),
    };
    let user = who(world, act, &mut dice);
    let mut json = Object::new()
        .text("CreationTime", time(act.time))
        .text("Id", &id)
        .text("Operation", &operation)
        .text("OrganizationId", world.id)
        .raw("RecordType", kind)
        .text("ResultStatus", result(act))
        .text("UserKey", key(world, act))
        .raw(
            "UserType",
            match act.who {
                Who::App => 5,
                Who::Service => 4,
                _ => 0,
            },
        )
        .raw("Version", 1)
        .text("Workload", workload)
        .text("UserId", &user);
    if let Some(address) = address(act, kind, &mut dice) {
        json = json.text(
            if kind == 2 || kind == 3 || kind == 50 {
                "ClientIPAddress"
            } else {
                "ClientIP"
            },
            &address,
        );
        if kind == 8 {
            json = json.text("ActorIpAddress", &address);
        }
    }
    let json = body(world, act, kind, json, &mut dice);
    let json = pad(json, kind, &mut dice).end();
    Some(Record {
        id,
        time: act.time,
        kind,
        operation,
        user,
        json,
    })
}

/// The id that the audit log gives to what another log tells of too.
pub(crate) fn audit_id(world: &World, act: &Act) -> String {
    world.dice(&[51, act.id.0 as u64]).guid().to_string()
}

fn kind(act: &Act) -> Option<(u32, &'static str, String)> {
    let (kind, workload, operation) = match &act.what {
        What::SignIn(sign_in) if sign_in.code == 0 => (15, "AzureActiveDirectory", "UserLoggedIn"),
        What::SignIn(_) => (15, "AzureActiveDirectory", "UserLoginFailed"),
        What::Read { .. } => (50, "Exchange", "MailItemsAccessed"),
        What::Send { .. } => (2, "Exchange", "Send"),
        What::Arrive { .. } => return None,
        What::Items { operation, .. } if *operation == "Update" => (2, "Exchange", *operation),
        What::Items { operation, .. } => (3, "Exchange", *operation),
        What::Cmdlet { operation, .. } | What::Noise(operation) => (1, "Exchange", *operation),
        What::Rules { .. } => (2, "Exchange", "UpdateInboxRules"),
        What::Directory { activity, .. } => {
            // The unified log ends these names with a stop.
            return Some((8, "AzureActiveDirectory", format!("{activity}.")));
        }
        What::File(operation, _) => (6, "OneDrive", *operation),
        What::Teams(operation) => (25, "MicrosoftTeams", *operation),
        What::Page("SharingSet" | "AddedToGroup") => (14, "SharePoint", "SharingSet"),
        What::Page(operation) => (
            if operation.starts_with("List") { 36 } else { 4 },
            "SharePoint",
            *operation,
        ),
        What::Alert("AirInvestigationData") => (64, "AirInvestigation", "AirInvestigationData"),
        What::Alert(operation) => (40, "SecurityComplianceCenter", *operation),
        What::Other(number) => {
            return Some((
                83 + number % 60,
                "PublicEndpoint",
                format!(
                    "{}{}",
                    [
                        "LabelApplied",
                        "DlpRuleMatch",
                        "SearchSubscription",
                        "FormViewed",
                        "PlanRead"
                    ][*number as usize % 5],
                    number / 5
                ),
            ));
        }
    };
    Some((kind, workload, operation.to_owned()))
}

fn who(world: &World, act: &Act, dice: &mut Dice) -> String {
    match &act.who {
        Who::User(user) => {
            let user = &world.users[*user];
            // Some services write names as the directory shows them.
            if dice.chance(0.04) {
                format!("{}@{}", capital(&user.name), world.domain)
            } else {
                user.upn.clone()
            }
        }
        Who::App => format!(
            "ServicePrincipal_{}",
            world.dice(&[52, act.app.id.len() as u64]).guid()
        ),
        Who::Service => "NT AUTHORITY\\SYSTEM (Microsoft.Exchange.ServiceHost)".to_owned(),
        Who::Stranger(name) => name.clone(),
    }
}

fn capital(name: &str) -> String {
    name.split('.')
        .map(|part| {
            let mut letters = part.chars();
            letters.next().map_or_else(String::new, |first| {
                first.to_uppercase().chain(letters).collect()
            })
        })
        .collect::<Vec<_>>()
        .join(".")
}

fn key(world: &World, act: &Act) -> String {
    match (&act.who, &act.what) {
        (Who::User(user), What::SignIn(_)) => world.users[*user].id.to_string(),
        (Who::User(user), _) => world.users[*user].key.clone(),
        _ => "Not Available".to_owned(),
    }
}

fn result(act: &Act) -> &'static str {
    match &act.what {
        What::SignIn(sign_in) if sign_in.code != 0 => "Failed",
        What::SignIn(_) | What::Directory { .. } => "Success",
        What::Cmdlet { .. } | What::Noise(_) => "True",
        _ => "Succeeded",
    }
}

/// The five forms: none, bare, with a port, IPv6, IPv6 with a port.
fn address(act: &Act, kind: u32, dice: &mut Dice) -> Option<String> {
    let address = act.from?.address;
    let port = dice.between(1024, 64_000);
    // Exchange's administrative records are the ones that have ports.
    let with_port = kind == 1 || dice.chance(0.008);
    if kind == 25 && dice.chance(0.5) {
        return None;
    }
    Some(match (address, with_port) {
        (IpAddr::V6(address), true) => format!("[{address}]:{port}"),
        (address, true) => format!("{address}:{port}"),
        (address, false) => address.to_string(),
    })
}

fn body(world: &World, act: &Act, kind: u32, json: Object, dice: &mut Dice) -> Object {
    match &act.what {
        What::SignIn(sign_in) => logon(act, sign_in, json, world),
        What::Read {
            mailbox,
            folder,
            mails,
            sync,
        } => {
            let json = mailbox_fields(world, act, *mailbox, json, dice);
            let items = mails.iter().map(|mail| {
                Object::new()
                    .text("Id", format!("{:032X}", dice.next()))
                    .text("InternetMessageId", &mail.id)
                    .text("Subject", &mail.subject)
                    .raw("SizeInBytes", dice.between(2_000, 300_000))
                    .end()
            });
            let folder_items = Object::new()
                .list("FolderItems", items)
                .text("Path", folder)
                .text("Id", format!("LgAAAA{:016x}", dice.next()))
                .end();
            json.raw("OperationCount", mails.len().max(1))
                .list(
                    "OperationProperties",
                    [
                        pair("MailAccessType", if *sync { "Sync" } else { "Bind" }),
                        pair("IsThrottled", "False"),
                    ],
                )
                .list("Folders", [folder_items])
        }
        What::Send { mailbox, mail, .. } => {
            let json = mailbox_fields(world, act, *mailbox, json, dice);
            json.object("Item", item(mail, "\\Drafts", dice))
        }
        What::Items {
            mailbox,
            operation,
            mails,
            folder,
        } => {
            let json = mailbox_fields(world, act, *mailbox, json, dice);
            if *operation == "Update" {
                return match mails.first() {
                    Some(mail) => json.object("Item", item(mail, folder, dice)),
                    None => json,
                };
            }
            let items: Vec<String> = mails
                .iter()
                .map(|mail| item(mail, folder, dice).end())
                .collect();
            json.list("AffectedItems", items)
                .object("Folder", Object::new().text("Path", folder))
                .object("DestFolder", Object::new().text("Path", "\\Deleted Items"))
        }
        What::Cmdlet {
            mailbox,
            object,
            parameters,
            ..
        } => app(act, json)
            .text(
                "ObjectId",
                format!("{}\\{object}", world.users[*mailbox].name),
            )
            .raw("ExternalAccess", "false")
            .text("OriginatingServer", "AM0PR01MB0001 (15.20.7962.010)")
            .list(
                "Parameters",
                parameters.iter().map(|(name, value)| pair(name, value)),
            ),
        What::Rules {
            mailbox,
            parameters,
        } => mailbox_fields(world, act, *mailbox, json, dice).list(
            "OperationProperties",
            parameters.iter().map(|(name, value)| pair(name, value)),
        ),
        What::Directory {
            target, changed, ..
        } => directory(world, act, target, changed, json),
        What::File(_, number) => app(act, json)
            .text(
                "ObjectId",
                format!(
                    "https://{}-my.sharepoint.example/personal/Documents/file{number}.docx",
                    world.domain.split('.').next().unwrap_or_default()
                ),
            )
            .text("SiteUrl", "https://tenant-my.sharepoint.example/personal/")
            .text("SourceFileName", format!("file{number}.docx"))
            .text("SourceFileExtension", "docx")
            .text("UserAgent", &act.agent)
            .text("ItemType", "File")
            .text("EventSource", "SharePoint"),
        What::Noise(_) => json
            .text("ObjectId", format!("plan{}", dice.below(50)))
            .list(
                "Parameters",
                [pair("Identity", "plan"), pair("Force", "True")],
            ),
        _ if kind == 4 || kind == 14 || kind == 36 => app(act, json)
            .text(
                "ObjectId",
                format!(
                    "https://tenant.sharepoint.example/sites/site{}",
                    dice.below(60)
                ),
            )
            .text("UserAgent", &act.agent)
            .text("ItemType", "Page")
            .text("EventSource", "SharePoint"),
        _ => json.text("CorrelationId", dice.guid()),
    }
}

fn item(mail: &Mail, folder: &str, dice: &mut Dice) -> Object {
    Object::new()
        .text("Id", format!("RgAAAA{:016x}", dice.next()))
        .text("InternetMessageId", &mail.id)
        .text("Subject", &mail.subject)
        .raw("SizeInBytes", dice.between(2_000, 90_000))
        .object(
            "ParentFolder",
            Object::new()
                .text("Id", format!("LgAAAA{:016x}", dice.next()))
                .text("Path", folder),
        )
}

fn app(act: &Act, json: Object) -> Object {
    json.object(
        "AppAccessContext",
        Object::new()
            .text(
                "AADSessionId",
                if act.who == Who::App {
                    String::new()
                } else {
                    act.session.to_string()
                },
            )
            .text("ClientAppId", &act.app.id)
            .text("ClientAppName", &act.app.name)
            .text("CorrelationId", act.id)
            .text("UniqueTokenId", act.sign_in.token()),
    )
}

fn mailbox_fields(
    world: &World,
    act: &Act,
    mailbox: usize,
    json: Object,
    dice: &mut Dice,
) -> Object {
    let owner = &world.users[mailbox];
    let own = act.who == Who::User(mailbox);
    let client = if act.agent.contains("Outlook-") {
        "Client=REST;Client=RESTSystem;;".to_owned()
    } else if act.agent.contains("IMAP") {
        "Client=POP3/IMAP4;Protocol=IMAP4".to_owned()
    } else if act.who == Who::App || act.agent.starts_with("python") {
        "Client=REST;Client=RESTSystem;;".to_owned()
    } else {
        format!("Client=OWA;{}", act.agent)
    };
    app(act, json)
        .raw("LogonType", if own { 0 } else { 2 })
        .raw("InternalLogonType", 0)
        .raw("ExternalAccess", "false")
        .text("MailboxGuid", owner.mailbox)
        .text("MailboxOwnerUPN", &owner.upn)
        .text(
            "MailboxOwnerSid",
            format!("S-1-5-21-{}-{}", dice.clone().next() as u32, mailbox + 1100),
        )
        .text("ClientInfoString", client)
        .text("ClientAppId", &act.app.id)
        .text("AppId", &act.app.id)
        .text(
            "SessionId",
            if act.who == Who::App {
                String::new()
            } else {
                act.session.to_string()
            },
        )
        .text("OriginatingServer", "AM0PR01MB0001 (15.20.7962.010)\r\n")
}

fn logon(act: &Act, sign_in: &SignIn, json: Object, world: &World) -> Object {
    let device: Vec<String> = [
        ("OS", "Windows10"),
        ("BrowserType", "Other"),
        ("IsCompliantAndManaged", "False"),
    ]
    .iter()
    .map(|(name, value)| pair(name, value))
    .chain([pair("SessionId", &act.session.to_string())])
    .chain(sign_in.device.map(|id| pair("Id", &id.to_string())))
    .collect();
    let user = match act.who {
        Who::User(user) => world.users[user].id.to_string(),
        _ => String::new(),
    };
    json.text("ObjectId", "00000002-0000-0ff1-ce00-000000000000")
        .text("ApplicationId", &act.app.id)
        .text("ErrorNumber", sign_in.code)
        .text("ErrorCode", sign_in.code)
        .text(
            "LogonError",
            match sign_in.code {
                0 => "",
                50126 => "InvalidUserNameOrPassword",
                50053 => "IdsLocked",
                _ => "UserStrongAuthClientAuthNRequiredInterrupt",
            },
        )
        .text("InterSystemsId", act.id)
        .text("IntraSystemId", act.id)
        .text("SupportTicketId", "")
        .text("TargetContextId", world.id)
        .list("Actor", [format!("{{\"ID\":\"{user}\",\"Type\":0}}")])
        .list(
            "Target",
            ["{\"ID\":\"00000002-0000-0ff1-ce00-000000000000\",\"Type\":0}".to_owned()],
        )
        .list("DeviceProperties", device)
        .list("ExtendedProperties", extended(act, sign_in, world))
}

fn extended(act: &Act, sign_in: &SignIn, world: &World) -> Vec<String> {
    // A browser renews at the page without its owner; other clients at the token endpoint.
    let at_page = sign_in.interactive || world.dice(&[54, act.id.0 as u64]).chance(0.25);
    let request = match sign_in.protocol {
        "ropc" => "OAuth2:Token",
        "deviceCode" => "Cmsi:Cmsi",
        _ if at_page => "OAuth2:Authorize",
        _ => "OAuth2:Token",
    };
    let detail = if sign_in.factor == Factor::Given {
        "Success"
    } else {
        "Redirect"
    };
    let mut pairs = vec![
        pair("ResultStatusDetail", detail),
        pair("UserAgent", &act.agent),
        pair("RequestType", request),
    ];
    if sign_in.protocol == "ropc" {
        pairs.push(pair("UserAuthenticationMethod", "1"));
    }
    pairs
}

fn directory(
    world: &World,
    act: &Act,
    target: &Target,
    changed: &[(&str, String, String)],
    json: Object,
) -> Object {
    let entry = |id: &str, kind: u32| Object::new().text("ID", id).raw("Type", kind).end();
    let (object, targets) = match target {
        Target::User(user) => {
            let user = &world.users[*user];
            (
                user.upn.clone(),
                vec![
                    entry(&format!("User_{}", user.id), 2),
                    entry(&user.id.to_string(), 2),
                    entry("User", 2),
                    entry(&user.upn, 5),
                ],
            )
        }
        Target::App {
            id,
            principal,
            name,
        } => (
            id.clone(),
            vec![
                entry(&format!("ServicePrincipal_{principal}"), 2),
                entry(&principal.to_string(), 2),
                entry("ServicePrincipal", 2),
                entry(name, 1),
                entry(id, 2),
            ],
        ),
    };
    let actor = match act.who {
        Who::User(user) => {
            let user = &world.users[user];
            vec![
                entry(&user.upn, 5),
                entry(&user.key, 3),
                entry(&format!("User_{}", user.id), 2),
                entry(&user.id.to_string(), 2),
                entry("User", 2),
            ]
        }
        _ => vec![entry("Not Available", 1)],
    };
    json.text("ObjectId", object)
        .raw("AzureActiveDirectoryEventType", 1)
        .list("Actor", actor)
        .list("Target", targets)
        .text("InterSystemsId", act.id)
        .text("IntraSystemId", world.dice(&[53, act.id.0 as u64]).guid())
        .list(
            "ExtendedProperties",
            [pair(
                "additionalDetails",
                &format!("{{\"User-Agent\":{}}}", quoted(&act.agent)),
            )],
        )
        .list(
            "ModifiedProperties",
            changed.iter().map(|(name, old, new)| {
                Object::new()
                    .text("Name", name)
                    .text("NewValue", new)
                    .text("OldValue", old)
                    .end()
            }),
        )
}

/// Up to the sizes that were measured: a median by kind, and a long tail.
fn pad(mut json: Object, kind: u32, dice: &mut Dice) -> Object {
    let (median, high) = match kind {
        50 => (1500, 2800),
        6 => (1150, 1500),
        15 => (1450, 1600),
        2 | 3 => (1300, 2050),
        25 => (900, 1300),
        4 | 14 | 36 => (950, 1450),
        1 => (1100, 1720),
        8 => (1800, 5400),
        40 | 64 => (1150, 6400),
        _ => (850, 4500),
    };
    let part = dice.part();
    let mut goal = if part < 0.5 {
        median * 3 / 5 + (part * 4.0 * f64::from(median) / 5.0) as i32
    } else if part < 0.95 {
        median + ((part - 0.5) / 0.45 * f64::from(high - median)) as i32
    } else {
        high + ((part - 0.95) * 6.0 * f64::from(high)) as i32
    };
    if dice.chance(0.001) {
        goal = dice.between(10_000, 25_000) as i32;
        if dice.chance(0.01) {
            goal = 120_000;
        }
    }
    let mut number = 0;
    while (json.len() as i32) + 60 < goal {
        let rest = (goal - json.len() as i32 - 30).clamp(8, 400) as usize;
        let filler: String = (0..rest)
            .map(|_| char::from(b'a' + dice.below(26) as u8))
            .collect();
        number += 1;
        json = json.text(&format!("ServiceDetail{number}"), filler);
    }
    json
}
