//! Exchange Online's `InvokeCommand` (reference §6.2 to §6.6): one POST runs
//! one cmdlet.

mod errors;
mod folders;
mod front;
mod keeping;
mod mailbox;
mod organisation;
mod pages;
mod recipients;
mod rights;
mod rules;
mod settings;
mod sweep;

use serde_json::{Map, Value, json};

pub(crate) use settings::{junk_id, protocol_id};

use errors::{bad, no_mailbox, unauthorized};
pub(crate) use errors::{error, failed, forbidden, missing, throttled};

use super::answer::Answer;
use super::graph::{bearer_app, caller};
use super::rights::Caller;
use super::{Ask, Served};
use crate::trace::Service;
use crate::world::known::role;
use crate::world::{Origin, Resource, Surface};

/// A cmdlet whose caller is known.
pub(super) struct Cmdlet<'a, 'w> {
    pub(super) ask: &'a mut Ask<'w>,
    pub(super) caller: Caller,
    pub(super) parameters: Map<String, Value>,
}

/// What a cmdlet gives back: its rows (and what the trace should know), or the
/// error.
pub(super) type Rows = Result<Done, Answer>;

/// The output of a cmdlet.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) rows: Vec<Value>,
    pub(super) warnings: Vec<String>,
    pub(super) target: Option<crate::trace::TraceObject>,
    pub(super) effect: Option<Value>,
    pub(super) shows: Vec<crate::trace::TraceObject>,
}

/// What a cmdlet needs: the parameters that exist and who may run it.
struct Known {
    name: &'static str,
    parameters: &'static [&'static str],
    write: bool,
    run: fn(&mut Cmdlet<'_, '_>) -> Rows,
}

/// Parameters that every cmdlet takes.
const COMMON: [&str; 6] = [
    "ResultSize",
    "Confirm",
    "ErrorAction",
    "WarningAction",
    "WhatIf",
    "Verbose",
];

/// The cmdlets that the lab plays.
const CMDLETS: &[Known] = &[
    Known {
        name: "Get-InboxRule",
        parameters: &["Mailbox", "IncludeHidden", "Identity", "BypassScopeCheck"],
        write: false,
        run: rules::get,
    },
    Known {
        name: "New-InboxRule",
        parameters: &[
            "Mailbox",
            "Name",
            "SubjectContainsWords",
            "SubjectOrBodyContainsWords",
            "BodyContainsWords",
            "FromAddressContainsWords",
            "From",
            "ForwardTo",
            "RedirectTo",
            "ForwardAsAttachmentTo",
            "MoveToFolder",
            "MarkAsRead",
            "DeleteMessage",
            "StopProcessingRules",
            "ApplyCategory",
            "CopyToFolder",
            "ExceptIfFromAddressContainsWords",
            "ExceptIfSubjectContainsWords",
            "HasAttachment",
            "MyNameInToBox",
            "RecipientAddressContainsWords",
            "Priority",
            "Force",
            "AlwaysDeleteOutlookRulesBlob",
        ],
        write: true,
        run: rules::new,
    },
    Known {
        name: "Disable-InboxRule",
        parameters: &[
            "Mailbox",
            "Identity",
            "Force",
            "AlwaysDeleteOutlookRulesBlob",
        ],
        write: true,
        run: rules::disable,
    },
    Known {
        name: "Enable-InboxRule",
        parameters: &[
            "Mailbox",
            "Identity",
            "Force",
            "AlwaysDeleteOutlookRulesBlob",
        ],
        write: true,
        run: rules::enable,
    },
    Known {
        name: "Remove-InboxRule",
        parameters: &[
            "Mailbox",
            "Identity",
            "Force",
            "AlwaysDeleteOutlookRulesBlob",
        ],
        write: true,
        run: rules::remove,
    },
    Known {
        name: "Get-SweepRule",
        parameters: &["Mailbox", "Identity"],
        write: false,
        run: sweep::get,
    },
    Known {
        name: "New-SweepRule",
        parameters: &[
            "Mailbox",
            "Name",
            "Provider",
            "Sender",
            "SourceFolder",
            "DestinationFolder",
            "KeepForDays",
            "KeepLatest",
            "Enabled",
        ],
        write: true,
        run: sweep::new,
    },
    Known {
        name: "Get-MailboxAutoReplyConfiguration",
        parameters: &["Identity"],
        write: false,
        run: settings::auto_reply,
    },
    Known {
        name: "Set-MailboxAutoReplyConfiguration",
        parameters: &[
            "Identity",
            "AutoReplyState",
            "InternalMessage",
            "ExternalMessage",
            "ExternalAudience",
            "StartTime",
            "EndTime",
        ],
        write: true,
        run: settings::set_auto_reply,
    },
    Known {
        name: "Get-MailboxJunkEmailConfiguration",
        parameters: &["Identity"],
        write: false,
        run: settings::junk,
    },
    Known {
        name: "Set-MailboxJunkEmailConfiguration",
        parameters: &[
            "Identity",
            "Enabled",
            "TrustedSendersAndDomains",
            "TrustedRecipientsAndDomains",
            "BlockedSendersAndDomains",
            "ContactsTrusted",
        ],
        write: true,
        run: settings::set_junk,
    },
    Known {
        name: "Set-CASMailbox",
        parameters: &[
            "Identity",
            "ImapEnabled",
            "PopEnabled",
            "EwsEnabled",
            "SmtpClientAuthenticationDisabled",
        ],
        write: true,
        run: settings::set_protocols,
    },
    Known {
        name: "Get-MobileDevice",
        parameters: &["Mailbox", "Identity"],
        write: false,
        run: settings::mobile_devices,
    },
    Known {
        name: "Remove-MobileDevice",
        parameters: &["Identity"],
        write: true,
        run: settings::remove_mobile_device,
    },
    Known {
        name: "Get-BlockedSenderAddress",
        parameters: &["SenderAddress"],
        write: false,
        run: settings::blocked_senders,
    },
    Known {
        name: "Remove-BlockedSenderAddress",
        parameters: &["SenderAddress", "Reason"],
        write: true,
        run: settings::lift,
    },
    Known {
        name: "Remove-SweepRule",
        parameters: &["Mailbox", "Identity"],
        write: true,
        run: sweep::remove,
    },
    Known {
        name: "Get-Mailbox",
        parameters: &[
            "Identity",
            "Anr",
            "Filter",
            "RecipientTypeDetails",
            "IncludeInactiveMailbox",
        ],
        write: false,
        run: mailbox::get,
    },
    Known {
        name: "Set-Mailbox",
        parameters: &[
            "Identity",
            "ForwardingAddress",
            "ForwardingSmtpAddress",
            "DeliverToMailboxAndForward",
            "Force",
            "AuditEnabled",
            "GrantSendOnBehalfTo",
            "LitigationHoldEnabled",
            "RetainDeletedItemsFor",
            "SingleItemRecoveryEnabled",
        ],
        write: true,
        run: mailbox::set,
    },
    Known {
        name: "Get-MailboxPermission",
        parameters: &["Identity", "User", "Owner"],
        write: false,
        run: rights::permissions,
    },
    Known {
        name: "Add-MailboxPermission",
        parameters: &[
            "Identity",
            "User",
            "AccessRights",
            "InheritanceType",
            "AutoMapping",
        ],
        write: true,
        run: rights::add_permission,
    },
    Known {
        name: "Remove-MailboxPermission",
        parameters: &["Identity", "User", "AccessRights", "InheritanceType"],
        write: true,
        run: rights::remove_permission,
    },
    Known {
        name: "Add-RecipientPermission",
        parameters: &["Identity", "Trustee", "AccessRights"],
        write: true,
        run: rights::add_send_as,
    },
    Known {
        name: "Remove-RecipientPermission",
        parameters: &["Identity", "Trustee", "AccessRights"],
        write: true,
        run: rights::remove_send_as,
    },
    Known {
        name: "Get-Recipient",
        parameters: &[
            "Identity",
            "Anr",
            "Filter",
            "RecipientType",
            "RecipientTypeDetails",
        ],
        write: false,
        run: rights::recipient,
    },
    Known {
        name: "Get-RecipientPermission",
        parameters: &["Identity", "Trustee"],
        write: false,
        run: rights::send_as,
    },
    Known {
        name: "Get-CASMailbox",
        parameters: &["Identity"],
        write: false,
        run: mailbox::protocols,
    },
    Known {
        name: "Get-MailboxFolderStatistics",
        parameters: &["Identity", "FolderScope"],
        write: false,
        run: folders::statistics,
    },
    Known {
        name: "Get-MailboxFolderPermission",
        parameters: &["Identity", "User"],
        write: false,
        run: folders::permissions,
    },
    Known {
        name: "Add-MailboxFolderPermission",
        parameters: &[
            "Identity",
            "User",
            "AccessRights",
            "SharingPermissionFlags",
            "SendNotificationToUser",
        ],
        write: true,
        run: folders::add,
    },
    Known {
        name: "Set-MailboxFolderPermission",
        parameters: &[
            "Identity",
            "User",
            "AccessRights",
            "SharingPermissionFlags",
            "SendNotificationToUser",
        ],
        write: true,
        run: folders::change,
    },
    Known {
        name: "Remove-MailboxFolderPermission",
        parameters: &["Identity", "User"],
        write: true,
        run: folders::remove,
    },
    Known {
        name: "Get-OrganizationConfig",
        parameters: &[],
        write: false,
        run: organisation::config,
    },
    Known {
        name: "Get-AdminAuditLogConfig",
        parameters: &[],
        write: false,
        run: organisation::audit_config,
    },
    Known {
        name: "Get-HostedOutboundSpamFilterPolicy",
        parameters: &["Identity"],
        write: false,
        run: organisation::outbound,
    },
    Known {
        name: "Get-RemoteDomain",
        parameters: &["Identity"],
        write: false,
        run: organisation::remote_domain,
    },
    Known {
        name: "Get-TransportRule",
        parameters: &["Identity"],
        write: false,
        run: organisation::transport_rules,
    },
];

/// Roles that may run everything here.
const WRITERS: [&str; 2] = [role::EXCHANGE_ADMINISTRATOR, role::GLOBAL_ADMINISTRATOR];
/// Roles that may read (reference §6.7).
const READERS: [&str; 5] = [
    role::EXCHANGE_ADMINISTRATOR,
    role::GLOBAL_ADMINISTRATOR,
    role::GLOBAL_READER,
    role::EXCHANGE_RECIPIENT_ADMINISTRATOR,
    role::COMPLIANCE_ADMINISTRATOR,
];
/// What a Security Reader may run (reference §6.7).
const FOR_SECURITY_READER: [&str; 2] = ["Get-AdminAuditLogConfig", "Get-TransportRule"];

const CONTENT_TYPE: &str = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";

/// Answers a request to `/adminapi/…`.
pub(super) fn serve(ask: &mut Ask<'_>) -> Served {
    let app_id = bearer_app(ask);
    let answer = answer(ask);
    Served {
        service: Service::Exchange,
        answer,
        app_id,
    }
}

fn answer(ask: &mut Ask<'_>) -> Answer {
    let path = ask.path().trim_matches('/').to_owned();
    let words: Vec<&str> = path.split('/').collect();
    let post = ask.request.method() == http::Method::POST;
    match words.as_slice() {
        [
            "adminapi" | "AdminApi",
            "beta" | "v1.0",
            tenant,
            "InvokeCommand",
        ] if post => front::redirect(ask).unwrap_or_else(|| invoke_in(ask, tenant)),
        ["adminapi" | "AdminApi", "beta" | "v1.0", tenant, "$batch"] if post => {
            front::redirect(ask).unwrap_or_else(|| batch(ask, tenant))
        }
        _ => Answer::json(
            404,
            json!({"error": {"code": "NotFound", "message": "Resource not found."}}),
        ),
    }
}

/// One cmdlet, in a tenant that must be this one.
fn invoke_in(ask: &mut Ask<'_>, tenant: &str) -> Answer {
    let held = &ask.world.tenant;
    let known = [&held.id, &held.domain, &held.initial_domain]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(tenant));
    if known {
        front::with_rate(ask, invoke)
    } else {
        unauthorized()
    }
}

fn invoke(ask: &mut Ask<'_>) -> Answer {
    let caller = match caller(ask, Resource::Exchange) {
        Ok(caller) => caller,
        // The claims challenge is the same at every resource.
        Err(refusal) if front::challenges(&refusal) => return refusal,
        Err(_) => return unauthorized(),
    };
    let body = ask.json().unwrap_or_default();
    let input = &body["CmdletInput"];
    let Some(name) = input["CmdletName"].as_str().map(str::to_owned) else {
        return bad("The cmdlet name is missing.", "InvalidRequestException");
    };
    let parameters = match &input["Parameters"] {
        Value::Object(parameters) => parameters.clone(),
        _ => return bad("Parameters must be an object.", "InvalidRequestException"),
    };
    let known = CMDLETS
        .iter()
        .find(|known| known.name.eq_ignore_ascii_case(&name));
    let mut answer = match permitted(ask, &caller, known) {
        Err(refusal) => refusal,
        Ok(known) => run(ask, caller, known, parameters),
    };
    answer.operation = Some(name);
    answer
}

fn run(ask: &mut Ask<'_>, caller: Caller, known: &Known, parameters: Map<String, Value>) -> Answer {
    let alien = parameters.keys().find(|name| {
        !COMMON
            .iter()
            .chain(known.parameters)
            .any(|held| held.eq_ignore_ascii_case(name))
    });
    if let Some(alien) = alien {
        return bad(
            &format!("A parameter cannot be found that matches parameter name '{alien}'."),
            "ParameterBindingException",
        );
    }
    let page = match pages::Page::of(ask, &parameters) {
        Ok(page) => page,
        Err(refusal) => return refusal,
    };
    let mut cmdlet = Cmdlet {
        ask,
        caller,
        parameters,
    };
    match (known.run)(&mut cmdlet) {
        Ok(done) => success(page, done, ask),
        Err(refusal) => refusal,
    }
}

/// 401 with neither app role nor directory role, 403 with one of the two or
/// for a cmdlet that is not in the caller's roles (reference §6.3).
fn permitted<'k>(
    ask: &Ask<'_>,
    caller: &Caller,
    known: Option<&'k Known>,
) -> Result<&'k Known, Answer> {
    let app_role = if caller.is_app() {
        caller.has(&["Exchange.ManageAsApp"])
    } else {
        caller.has(&["Exchange.Manage"])
    };
    let any = READERS
        .iter()
        .chain(&WRITERS)
        .chain(&[role::SECURITY_READER])
        .any(|wanted| caller.holds(ask.world, &[wanted]));
    match (app_role, any) {
        (false, false) => return Err(unauthorized()),
        (true, true) => {}
        _ => return Err(forbidden()),
    }
    let known = known.ok_or_else(forbidden)?;
    let allowed = if known.write {
        caller.holds(ask.world, &WRITERS)
    } else {
        caller.holds(ask.world, &READERS)
            || (FOR_SECURITY_READER.contains(&known.name)
                && caller.holds(ask.world, &[role::SECURITY_READER]))
    };
    if allowed { Ok(known) } else { Err(forbidden()) }
}

fn success(page: pages::Page, done: Done, ask: &Ask<'_>) -> Answer {
    // What is on another page is not shown.
    let shows = if done.shows.len() == done.rows.len() {
        page.of_rows(done.shows)
    } else {
        done.shows
    };
    let (rows, next, warning) = page.cut(done.rows);
    let mut warnings = done.warnings;
    warnings.extend(warning);
    let mut body = json!({
        "@odata.context": format!("https://outlook.office365.com/adminapi/beta/{}/$metadata#Collection(Exchange.GenericHashTable)", ask.world.tenant.id),
        "adminapi.warnings@odata.type": "#Collection(String)",
        "@adminapi.warnings": warnings,
        "value": rows,
    });
    if let Some(next) = next {
        body["@odata.nextLink"] = json!(next);
    }
    let mut answer = Answer::json(200, body).header("content-type", CONTENT_TYPE);
    answer.target = done.target;
    answer.effect = done.effect;
    answer.shows = shows;
    answer
}

/// `$batch`: each request inside is a POST of its own, with a status of its
/// own.
fn batch(ask: &mut Ask<'_>, tenant: &str) -> Answer {
    let Some(requests) = ask
        .json()
        .and_then(|body| body["requests"].as_array().cloned())
    else {
        return bad("The batch is not readable.", "InvalidRequestException");
    };
    let (mut responses, mut touched) = (Vec::new(), Vec::new());
    for request in &requests {
        let Some(inner) = front::inner(ask, tenant, request) else {
            responses.push(json!({"id": request["id"], "status": 400, "body": Value::Null}));
            continue;
        };
        let (response, effect) = front::one(ask, tenant, &inner);
        touched.extend(effect);
        let headers: Map<String, Value> = response
            .headers()
            .iter()
            .filter(|(name, _)| ["retry-after", "content-type"].contains(&name.as_str()))
            .filter_map(|(name, value)| Some((name.to_string(), json!(value.to_str().ok()?))))
            .collect();
        let body = serde_json::from_slice::<Value>(response.body()).unwrap_or_default();
        responses.push(json!({
            "id": request["id"],
            "status": response.status().as_u16(),
            "headers": headers,
            "body": body,
        }));
    }
    let mut answer = Answer::json(200, json!({"responses": responses}));
    if !touched.is_empty() {
        answer = answer.effect(json!({"kind": "batch", "touched": touched}));
    }
    answer
}

impl Cmdlet<'_, '_> {
    /// A parameter, whatever the case of its name.
    pub(super) fn parameter(&self, name: &str) -> Option<&Value> {
        self.parameters
            .iter()
            .find(|(held, _)| held.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// A parameter as text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.parameter(name)?.as_str().map(str::to_owned)
    }

    /// A switch.
    pub(super) fn switch(&self, name: &str) -> bool {
        matches!(self.parameter(name), Some(Value::Bool(true)))
            || self
                .text(name)
                .is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    /// The user whose mailbox the parameter names: address, id or GUID.
    pub(super) fn mailbox(&self, name: &str) -> Result<String, Answer> {
        let key = self.text(name).unwrap_or_default();
        self.mailbox_of(name, &key)
    }

    /// The same of a key that is a part of the parameter.
    pub(super) fn mailbox_of(&self, name: &str, key: &str) -> Result<String, Answer> {
        if key.is_empty() {
            return Err(bad(
                &format!(
                    "Cannot process command because of one or more missing mandatory parameters: {name}."
                ),
                "ParameterBindingException",
            ));
        }
        let world = &self.ask.world;
        world
            .user_id(key)
            .filter(|id| world.mailboxes.contains_key(id))
            .or_else(|| {
                world
                    .mailboxes
                    .values()
                    .find(|mailbox| mailbox.guid.eq_ignore_ascii_case(key))
                    .map(|mailbox| mailbox.user.clone())
            })
            .ok_or_else(|| no_mailbox(world, key))
    }

    /// Who does this, for the logs.
    pub(super) fn origin(&self) -> Origin {
        let token = &self.caller.token;
        Origin {
            user: token.user.clone(),
            app_id: token.app_id.clone(),
            ip: self.ask.peer.ip.clone(),
            user_agent: self.ask.user_agent.clone(),
            session: token.session.clone(),
            token: Some(token.unique_id.clone()),
            surface: Surface::ExchangePowerShell,
        }
    }
}

/// A row with the sidecars of its lists (reference §6.6).
pub(super) fn row(pairs: Vec<(&str, Value)>) -> Value {
    let mut row = Map::new();
    for (name, value) in pairs {
        if value.is_array() {
            row.insert(format!("{name}@odata.type"), json!("#Collection(String)"));
        }
        row.insert(name.to_owned(), value);
    }
    Value::Object(row)
}

/// A time with its sidecar, in .NET's round-trip form.
pub(super) fn net_time(at: jiff::Timestamp) -> Value {
    json!(at.strftime("%Y-%m-%dT%H:%M:%S.0000000Z").to_string())
}
