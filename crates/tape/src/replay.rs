//! The client, on recorded answers: can it read each of them?

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use retake_tenant::call::CALLS;
use retake_tenant::client::{
    AuditAbout, AuditQuery, AuditSearch, Cmdlet, Giving, MessageTraceFilter, Probe, SignInKind,
};
use retake_tenant::edge::{BoxFuture, Clock, Transport, TransportError, TransportErrorKind};
use retake_tenant::model::{AppRoleAssignment, Forwarding, Grant, MessageRule, MethodKind};
use retake_tenant::{
    CallSpec, Credential, Endpoints, Kind, Options, Profile, Service, Tenant, TenantError,
};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;

use crate::batch::unbatched;
use crate::form::{Body, Exchange, Header, Tape};
use crate::redact::REDACTED;

/// What the client made of a tape.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// Answers that were read as what they are: a value, or a refusal with its reason.
    pub read: usize,
    /// Answers that could not be read.
    pub unread: Vec<Unread>,
    /// Requests that are none of this client's calls, and exchanges without an answer.
    pub passed_over: usize,
}

/// An answer that the client could not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// Line of the tape.
    pub line: usize,
    /// The call.
    pub call: String,
    /// The client's reason.
    pub reason: String,
}

/// Lets the client read every recorded answer, each for itself.
pub async fn replay(tape: &Tape) -> Reading {
    let mut reading = Reading::default();
    for (line, exchange) in unbatched(tape) {
        let exchange = match exchange {
            Ok(exchange) => exchange,
            Err((_, reason)) => {
                reading.unread.push(Unread {
                    line,
                    call: "$batch".to_owned(),
                    reason,
                });
                continue;
            }
        };
        let Some((call, values)) = call_of(&exchange) else {
            reading.passed_over += 1;
            continue;
        };
        if exchange.answer.is_none() {
            reading.passed_over += 1;
            continue;
        }
        match read_one(&tape.header, &exchange, call, &values).await {
            Ok(true) => reading.read += 1,
            Ok(false) => reading.passed_over += 1,
            Err(reason) => reading.unread.push(Unread {
                line,
                call: call.id.to_owned(),
                reason,
            }),
        }
    }
    reading
}

async fn read_one(
    header: &Header,
    exchange: &Exchange,
    call: &'static CallSpec,
    values: &[String],
) -> Result<bool, String> {
    if NOT_READ.contains(&call.id) {
        return Ok(false);
    }
    let tenant = Tenant::new(
        profile(header),
        Arc::new(Player::of(exchange, call.service == Service::SignIn)),
        Arc::new(Standing(header.started)),
    )
    .with_options(Options {
        deadline: Duration::from_hours(1),
        pages: 1,
    });
    let status = exchange.answer.as_ref().map_or(0, |answer| answer.status);
    match Box::pin(ask(&tenant, call, values, exchange)).await {
        Ok(()) => Ok(true),
        Err(error) if (200..300).contains(&status) => Err(error.to_string()),
        // A refusal is read when the client knows what kind it is.
        Err(error) => match error.kind {
            Kind::BadAnswer { .. } => Err(error.to_string()),
            _ => Ok(true),
        },
    }
}

/// Calls whose answers have no reader of their own here: what the client takes from them is only that
/// they were answered, or they need a flow around them. They are passed over.
const NOT_READ: &[&str] = &[
    "activity.blob",
    "activity.content",
    "activity.start",
    "sign_in.device_code",
];

/// The typed function of a call.
async fn ask(
    tenant: &Tenant,
    call: &'static CallSpec,
    values: &[String],
    exchange: &Exchange,
) -> Result<(), TenantError> {
    let first = values.first().map_or("", String::as_str);
    let second = values.get(1).map_or("", String::as_str);
    let last = values.last().map_or("", String::as_str);
    let body = exchange.request.body.json();
    let at = Timestamp::UNIX_EPOCH;
    let named = body
        .and_then(|body| body.pointer("/CmdletInput/Parameters"))
        .and_then(|given| {
            given
                .get("Mailbox")
                .or_else(|| given.get("Identity"))?
                .as_str()
        })
        .unwrap_or("mailbox@tape.example");
    let (mailbox, folder) = named.split_once(':').unwrap_or((named, "tape"));
    match call.id {
        "sign_in.token" => tenant.sign_in().await,
        "graph.user.read" => tenant.user(first).await.map(drop),
        "graph.user.manager" => tenant.manager(first).await.map(drop),
        "graph.user.member_of" => tenant.transitive_member_of(first).await.map(drop),
        "graph.organization.read" => tenant.organization().await.map(drop),
        "graph.users.by_address" => tenant.users_by_address(first).await.map(drop),
        "graph.users.deleted" => tenant.deleted_users().await.map(drop),
        "graph.domains.list" => tenant.domains().await.map(drop),
        "graph.user.block" => change(tenant, tenant.prepare_block(first)).await,
        "graph.user.unblock" => change(tenant, tenant.prepare_unblock(first)).await,
        "graph.user.revoke" => change(tenant, tenant.prepare_revoke(first)).await,
        "graph.user.reset_password" => {
            let password = SecretString::from(REDACTED);
            change(tenant, tenant.prepare_reset_password(first, password, true)).await
        }
        "graph.user.confirm_compromised" => {
            change(tenant, tenant.prepare_confirm_compromised(first)).await
        }
        "graph.methods.list" => tenant.authentication_methods(first).await.map(drop),
        "graph.methods.preferences" => tenant.sign_in_preferences(first).await.map(drop),
        "graph.methods.set_default" => {
            change(tenant, tenant.prepare_set_default_method(first, "push")).await
        }
        "graph.methods.delete" | "graph.methods.delete_beta" => {
            change(
                tenant,
                tenant.prepare_delete_method(first, MethodKind::Phone, last),
            )
            .await
        }
        "graph.methods.temporary_access_passes" => {
            tenant.temporary_access_passes(first).await.map(drop)
        }
        "graph.rules.list" => tenant.graph_inbox_rules(first).await.map(drop),
        "graph.rules.delete" => change(tenant, tenant.prepare_delete_graph_rule(first, last)).await,
        "graph.rules.create" => match body.map(from::<MessageRule>) {
            Some(Some(rule)) => {
                change(tenant, tenant.prepare_create_graph_rule(first, &rule)).await
            }
            _ => Ok(()),
        },
        "graph.mail.folders" => tenant.mail_folders(first).await.map(drop),
        "graph.mail.messages" => tenant.messages(first, second, None).await.map(drop),
        "graph.grants.of_user" => tenant.grants_of_user(first).await.map(drop),
        "graph.grants.list" => tenant.grants_for_everybody("app").await.map(drop),
        "graph.grants.read" => tenant.grant(first).await.map(drop),
        "graph.grants.delete" => change(tenant, tenant.prepare_delete_grant(first)).await,
        "graph.grants.create" => match body.map(from::<Grant>) {
            Some(Some(grant)) => change(tenant, tenant.prepare_create_grant(&grant)).await,
            _ => Ok(()),
        },
        "graph.apps.read" => tenant.service_principal(first).await.map(drop),
        "graph.apps.read_batch" => {
            // One that was answered was taken apart before: this is a refusal.
            let apps = tenant.service_principals(&["one", "two"]).await;
            apps.into_iter().try_for_each(|app| app.map(drop))
        }
        "graph.apps.find" => tenant.service_principal_by_app_id(first).await.map(drop),
        "graph.apps.disable" => change(tenant, tenant.prepare_disable_app(first)).await,
        "graph.apps.enable" => change(tenant, tenant.prepare_enable_app(first)).await,
        "graph.logs.sign_ins" => {
            let kind = SignInKind::Interactive;
            tenant.sign_ins(kind, "user", at, None).await.map(drop)
        }
        "graph.logs.sign_ins_detailed" => {
            let kind = SignInKind::InteractiveDetailed;
            tenant.sign_ins(kind, "user", at, None).await.map(drop)
        }
        "graph.logs.directory_audits" => {
            let about = AuditAbout::Everything;
            tenant.directory_audits(about, at, None).await.map(drop)
        }
        "graph.devices.registered" => tenant.registered_devices(first).await.map(drop),
        "graph.devices.owned" => tenant.owned_devices(first).await.map(drop),
        "graph.devices.disable" => change(tenant, tenant.prepare_disable_device(first)).await,
        "graph.devices.enable" => change(tenant, tenant.prepare_enable_device(first)).await,
        "graph.apps.roles_of_user" => tenant.app_roles_of_user(first).await.map(drop),
        "graph.apps.withdraw_role" => {
            change(tenant, tenant.prepare_delete_app_role(first, last)).await
        }
        "graph.apps.assign_role" => match body.map(from::<AppRoleAssignment>) {
            Some(Some(held)) => change(tenant, tenant.prepare_create_app_role(first, &held)).await,
            _ => Ok(()),
        },
        "graph.roles.remove" => change(tenant, tenant.prepare_remove_role(first)).await,
        "graph.roles.give" => {
            change(tenant, tenant.prepare_give_role("principal", "role", "/")).await
        }
        "graph.user.set_other_mails" => {
            change(tenant, tenant.prepare_set_other_mails(first, &[])).await
        }
        "graph.user.set_phones" => {
            change(tenant, tenant.prepare_set_mobile_phone(first, None)).await
        }
        "graph.apps.assigned_to" => tenant.app_role_assigned_to(first).await.map(drop),
        "graph.risk.user" => tenant.risky_user(first).await.map(drop),
        "graph.risk.detections" => tenant.risk_detections("user").await.map(drop),
        "graph.audit.create" | "graph.audit.create_beta" => tenant
            .start_audit_search(&AuditQuery::default())
            .await
            .map(drop),
        "graph.audit.status" | "graph.audit.status_beta" => {
            let search = search(call, first);
            tenant.audit_search_status(&search).await.map(drop)
        }
        "graph.audit.records" | "graph.audit.records_beta" => {
            let search = search(call, first);
            tenant.audit_search_records(&search).await.map(drop)
        }
        "graph.mail.traces" => {
            let filter = MessageTraceFilter::default();
            tenant.message_traces(&filter).await.map(drop)
        }
        "graph.user.list" => tenant.probe(Probe::Account).await.map(drop),
        "graph.audit.list" => tenant.probe(Probe::AuditQueries).await.map(drop),
        "activity.subscriptions" => tenant.activity_subscriptions().await.map(drop),
        "graph.licences.list" => tenant.licences().await.map(drop),
        "graph.roles.of_principal" => tenant.role_assignments("principal").await.map(drop),
        "exchange.organisation.outbound" => tenant.outbound_policies().await.map(drop),
        "exchange.organisation.audit" => tenant.audit_config().await.map(drop),
        "exchange.rules.list" => tenant.get_inbox_rules(mailbox, true).await.map(drop),
        "exchange.mailbox.read" => tenant.get_mailbox(mailbox).await.map(drop),
        "exchange.mailbox.permissions" => tenant.get_mailbox_permissions(mailbox).await.map(drop),
        "exchange.mailbox.send_as" => tenant.get_recipient_permissions(mailbox).await.map(drop),
        "exchange.folders.list" => tenant.get_folders(mailbox).await.map(drop),
        "exchange.folders.rights" => tenant.get_folder_rights(mailbox, folder).await.map(drop),
        "exchange.folders.give_right" => {
            let rights = [String::from("Reviewer")];
            let prepared = tenant.prepare_give_folder_right(mailbox, folder, "tape", &rights, &[]);
            change(tenant, prepared).await
        }
        "exchange.folders.set_right" => {
            let rights = [String::from("None")];
            let prepared = tenant.prepare_set_folder_right(mailbox, folder, "Default", &rights);
            change(tenant, prepared).await
        }
        "exchange.folders.remove_right" => {
            let prepared = tenant.prepare_remove_folder_right(mailbox, folder, "tape");
            change(tenant, prepared).await
        }
        "exchange.recipient.mailboxes" => tenant.list_mailboxes(61).await.map(drop),
        "exchange.recipient.read" => tenant.get_recipient(mailbox).await.map(drop),
        "exchange.mailbox.give_full_access" => {
            change(
                tenant,
                tenant.prepare_full_access(mailbox, "tape", Giving::Give),
            )
            .await
        }
        "exchange.mailbox.remove_full_access" => {
            change(
                tenant,
                tenant.prepare_full_access(mailbox, "tape", Giving::Take),
            )
            .await
        }
        "exchange.mailbox.give_send_as" => {
            change(
                tenant,
                tenant.prepare_send_as(mailbox, "tape", Giving::Give),
            )
            .await
        }
        "exchange.mailbox.remove_send_as" => {
            change(
                tenant,
                tenant.prepare_send_as(mailbox, "tape", Giving::Take),
            )
            .await
        }
        "exchange.mailbox.send_on_behalf" => {
            change(
                tenant,
                tenant.prepare_send_on_behalf(mailbox, "tape", Giving::Take),
            )
            .await
        }
        "exchange.rules.remove" => {
            change(
                tenant,
                tenant.prepare_remove_inbox_rule(mailbox, "mailbox\\1"),
            )
            .await
        }
        "exchange.mailbox.set_forwarding" => {
            let none = Forwarding {
                address: None,
                smtp_address: None,
                keep_copy: false,
            };
            change(tenant, tenant.prepare_set_forwarding(mailbox, &none)).await
        }
        // Every other cmdlet is read row by row.
        _ if call.service == Service::Exchange && call.change => {
            let cmdlet = Cmdlet::new(cmdlet_of(exchange).unwrap_or("Set-Mailbox"));
            change(tenant, tenant.prepare_cmdlet(&cmdlet, None, "tape")).await
        }
        _ if call.service == Service::Exchange => {
            let cmdlet = Cmdlet::new(cmdlet_of(exchange).unwrap_or("Get-Mailbox"));
            tenant.invoke(&cmdlet, None).await.map(drop)
        }
        _ => Err(TenantError::new(
            Kind::BadInput,
            call,
            last,
            "this version has no reader for the call",
        )),
    }
}

async fn change(
    tenant: &Tenant,
    prepared: Result<retake_tenant::Prepared, TenantError>,
) -> Result<(), TenantError> {
    tenant.submit(&prepared?).await.map(drop)
}

fn from<T: serde::de::DeserializeOwned>(body: &Value) -> Option<T> {
    serde_json::from_value(body.clone()).ok()
}

fn search(call: &CallSpec, id: &str) -> AuditSearch {
    AuditSearch {
        id: id.to_owned(),
        beta: call.id.ends_with("_beta"),
    }
}

/// The cmdlet of a request to Exchange.
pub(crate) fn cmdlet_of(exchange: &Exchange) -> Option<&str> {
    exchange
        .request
        .body
        .json()?
        .pointer("/CmdletInput/CmdletName")?
        .as_str()
}

fn has_parameter(exchange: &Exchange, name: &str) -> bool {
    exchange.request.body.json().is_some_and(|body| {
        body.pointer("/CmdletInput/Parameters")
            .and_then(|parameters| parameters.get(name))
            .is_some()
    })
}

/// Which call an exchange is, and what stands in the gaps of its path.
pub(crate) fn call_of(exchange: &Exchange) -> Option<(&'static CallSpec, Vec<String>)> {
    let request = &exchange.request;
    let path = request.url.split(['?', '#']).next().unwrap_or_default();
    let all: Vec<_> = CALLS
        .iter()
        .filter(|call| call.method.as_str() == request.method)
        .filter_map(|call| Some((*call, filled(call.path_template, path)?)))
        .collect();
    // The same path does several things: the body says which.
    let wanted = match cmdlet_of(exchange) {
        Some("Get-InboxRule") => Some("exchange.rules.list"),
        Some("Remove-InboxRule") => Some("exchange.rules.remove"),
        Some("Get-Mailbox") => Some("exchange.mailbox.read"),
        Some("Get-MailboxPermission") => Some("exchange.mailbox.permissions"),
        Some("Get-RecipientPermission") => Some("exchange.mailbox.send_as"),
        Some("Get-Recipient") if !has_parameter(exchange, "Identity") => {
            Some("exchange.recipient.mailboxes")
        }
        Some("Get-Recipient") => Some("exchange.recipient.read"),
        Some("Add-MailboxPermission") => Some("exchange.mailbox.give_full_access"),
        Some("Remove-MailboxPermission") => Some("exchange.mailbox.remove_full_access"),
        Some("Add-RecipientPermission") => Some("exchange.mailbox.give_send_as"),
        Some("Remove-RecipientPermission") => Some("exchange.mailbox.remove_send_as"),
        Some("Get-MailboxFolderStatistics") => Some("exchange.folders.list"),
        Some("Get-MailboxFolderPermission") => Some("exchange.folders.rights"),
        Some("Add-MailboxFolderPermission") => Some("exchange.folders.give_right"),
        Some("Set-MailboxFolderPermission") => Some("exchange.folders.set_right"),
        Some("Remove-MailboxFolderPermission") => Some("exchange.folders.remove_right"),
        Some("Set-Mailbox") if has_parameter(exchange, "GrantSendOnBehalfTo") => {
            Some("exchange.mailbox.send_on_behalf")
        }
        Some("Get-HostedOutboundSpamFilterPolicy") => Some("exchange.organisation.outbound"),
        Some("Get-AdminAuditLogConfig") => Some("exchange.organisation.audit"),
        Some("Set-Mailbox") => Some("exchange.mailbox.set_forwarding"),
        Some(name) if reads(name) => Some("exchange.invoke"),
        Some(_) => Some("exchange.change"),
        None => request
            .body
            .json()
            .and_then(|body| match body.get("accountEnabled") {
                Some(Value::Bool(on)) if path.contains("servicePrincipals") => Some(if *on {
                    "graph.apps.enable"
                } else {
                    "graph.apps.disable"
                }),
                Some(Value::Bool(on)) => Some(if *on {
                    "graph.user.unblock"
                } else {
                    "graph.user.block"
                }),
                _ if body.get("passwordProfile").is_some() => Some("graph.user.reset_password"),
                _ => None,
            }),
    };
    // A fixed path before one with gaps.
    all.iter()
        .find(|(call, _)| Some(call.id) == wanted)
        .or_else(|| all.iter().min_by_key(|(_, values)| values.len()))
        .cloned()
}

fn reads(cmdlet: &str) -> bool {
    ["Get-", "Search-", "Test-"]
        .iter()
        .any(|verb| cmdlet.starts_with(verb))
}

/// What stands in the `{…}` of a template, decoded, if the path fits.
fn filled(template: &str, path: &str) -> Option<Vec<String>> {
    let decoded = |text: &str| {
        percent_encoding::percent_decode_str(text)
            .decode_utf8_lossy()
            .into_owned()
    };
    let (parts, given): (Vec<_>, Vec<_>) =
        (template.split('/').collect(), path.split('/').collect());
    if parts.len() != given.len() {
        return None;
    }
    let mut values = Vec::new();
    for (part, given) in parts.into_iter().zip(given) {
        match part.split_once('{') {
            None if part == given => {}
            None => return None,
            Some((before, rest)) => {
                let (_, after) = rest.split_once('}')?;
                let given = decoded(given);
                let value = given.strip_prefix(before)?.strip_suffix(after)?;
                values.push(value.to_owned());
            }
        }
    }
    Some(values)
}

fn profile(header: &Header) -> Profile {
    let endpoints = match header.cloud.as_str() {
        "gcc" => Endpoints::gcc(),
        "gcc-high" => Endpoints::gcc_high(),
        "dod" => Endpoints::dod(),
        "china" => Endpoints::china(),
        "custom" => header
            .graph
            .parse()
            .map_or_else(|_| Endpoints::worldwide(), |url| Endpoints::all_at(&url)),
        _ => Endpoints::worldwide(),
    };
    Profile {
        name: "tape".to_owned(),
        tenant_id: header.tenant.clone(),
        home_tenant_id: None,
        endpoints,
        client_id: header.client.clone(),
        credential: Credential::ClientSecret(SecretString::from(REDACTED)),
        ca_pem: None,
    }
}

/// Answers with one recorded answer, and with a token of its own unless that is what is played.
struct Player {
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
    sign_in: bool,
}

impl Player {
    fn of(exchange: &Exchange, sign_in: bool) -> Self {
        let (status, headers, body) = match &exchange.answer {
            Some(answer) => (
                answer.status,
                answer.headers.clone().into_iter().collect(),
                match &answer.body {
                    Body::Json(value) => Bytes::from(value.to_string()),
                    Body::Empty => Bytes::new(),
                    Body::Form(_) | Body::Opaque(_) => Bytes::from_static(b"not kept on the tape"),
                },
            ),
            None => (0, Vec::new(), Bytes::new()),
        };
        Self {
            status,
            headers,
            body,
            sign_in,
        }
    }

    fn answer(&self, request: &http::Request<Bytes>) -> http::Result<http::Response<Bytes>> {
        if !self.sign_in && request.uri().path().ends_with("/token") {
            return http::Response::builder()
                .status(200)
                .body(Bytes::from_static(
                    br#"{"token_type":"Bearer","expires_in":3599,"access_token":"tape"}"#,
                ));
        }
        let mut answer = http::Response::builder().status(self.status);
        for (name, value) in &self.headers {
            answer = answer.header(name, value);
        }
        answer.body(self.body.clone())
    }
}

impl Transport for Player {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        let answer = self
            .answer(&request)
            .map_err(|error| TransportError::new(TransportErrorKind::Body, error.to_string()));
        Box::pin(async move { answer })
    }
}

/// A clock that stands: nothing is waited for, and no deadline comes before an answer that is there.
struct Standing(Timestamp);

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        self.0
    }

    /// Over after a few turns, in which whatever else can go on does.
    fn sleep(&self, _duration: Duration) -> BoxFuture<'_, ()> {
        let mut turns = 100;
        Box::pin(std::future::poll_fn(move |context| {
            if turns == 0 {
                return std::task::Poll::Ready(());
            }
            turns -= 1;
            context.waker().wake_by_ref();
            std::task::Poll::Pending
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A refusal is answered to every call: whoever has a reader understands it.
    #[tokio::test]
    async fn every_call_of_the_client_has_a_reader_or_is_named_as_having_none() {
        let header = Header {
            schema: crate::SCHEMA.to_owned(),
            version: String::new(),
            cloud: "worldwide".to_owned(),
            graph: String::new(),
            tenant: "00000000-0000-4000-8000-000000000001".to_owned(),
            client: "00000000-0000-4000-8000-000000000002".to_owned(),
            started: Timestamp::UNIX_EPOCH,
        };
        for call in CALLS {
            let body = serde_json::json!({"error": {"code": "Authorization_RequestDenied", "message": "no"}});
            let exchange = Exchange {
                n: 1,
                at_ms: 0,
                took_ms: 0,
                request: crate::form::Request {
                    method: call.method.as_str().to_owned(),
                    origin: String::new(),
                    url: "/".to_owned(),
                    headers: std::collections::BTreeMap::new(),
                    body: Body::Json(serde_json::json!({
                        "id": "1", "clientId": "1", "consentType": "Principal", "resourceId": "1",
                        "scope": "s", "displayName": "d",
                    })),
                },
                answer: Some(crate::form::Answer {
                    status: 403,
                    headers: std::collections::BTreeMap::new(),
                    body: Body::Json(body),
                }),
                failure: None,
            };
            let values = ["one".to_owned(), "two".to_owned()];
            let tenant = Tenant::new(
                profile(&header),
                Arc::new(Player::of(&exchange, call.service == Service::SignIn)),
                Arc::new(Standing(header.started)),
            );
            let error = Box::pin(ask(&tenant, call, &values, &exchange)).await.err();
            let no_reader = error.is_some_and(|error| error.to_string().contains("no reader"));
            assert_eq!(no_reader, NOT_READ.contains(&call.id), "{}", call.id);
        }
    }
}
