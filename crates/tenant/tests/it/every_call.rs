//! Every call of the table is made once and held against what is documented of it:
//! a call that nobody makes here fails.

use std::collections::BTreeMap;

use retake_contract::{
    Contract, Verdict, check_cmdlet, exchanges, shared_dir, skip_without_shared,
};
use retake_tenant::call::{CALLS, CallSpec};
use retake_tenant::client::{
    AuditAbout, AuditQuery, AuditSearch, Cmdlet, FEEDS, Giving, MessageTraceFilter, Probe,
    SignInKind,
};
use retake_tenant::model::{Forwarding, Grant, Keeping, MessageRule, MethodKind};
use retake_tenant::{Prepared, Service, TenantError};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::world::{Seen, Step, UPN, USER, World, json_answer, refusal, start};

const ID: &str = "3179e48a-750b-4051-897c-87b9720928f7";

/// Makes a call in a world that refuses everything.
type Make = fn(&World) -> Result<(), TenantError>;

fn submit(world: &World, prepared: Result<Prepared, TenantError>) -> Result<(), TenantError> {
    world.run(world.tenant.submit(&prepared.unwrap())).map(drop)
}

macro_rules! reads {
    ($($id:literal => $world:ident . $function:ident ( $($argument:expr),* );)*) => {
        vec![$(($id, |$world: &World| {
            $world.run($world.tenant.$function($($argument),*)).map(drop)
        })),*]
    };
}

macro_rules! changes {
    ($($id:literal => $tenant:ident . $function:ident ( $($argument:expr),* );)*) => {
        vec![$(($id, |world: &World| {
            let $tenant = &world.tenant;
            submit(world, $tenant.$function($($argument),*))
        })),*]
    };
}

fn rule() -> MessageRule {
    serde_json::from_value(json!({"id": "r", "displayName": "n", "sequence": 1, "isEnabled": true,
        "conditions": {"senderContains": ["a"]},
        "actions": {"forwardTo": [{"emailAddress": {"address": "a@b.example"}}], "markAsRead": true}}))
    .unwrap()
}

fn rights() -> [String; 1] {
    [String::from("Reviewer")]
}

fn grant() -> Grant {
    serde_json::from_value(
        json!({"id": "g", "clientId": "c", "consentType": "Principal",
        "principalId": USER, "resourceId": "r", "scope": "Mail.Read"}),
    )
    .unwrap()
}

fn search(beta: bool) -> AuditSearch {
    AuditSearch {
        id: ID.into(),
        beta,
    }
}

fn query() -> AuditQuery {
    AuditQuery {
        display_name: "x".into(),
        start: start(),
        end: start(),
        record_types: vec!["ExchangeItemAggregated".into()],
        operations: vec!["Send".into()],
        users: vec![UPN.into()],
        ip_addresses: vec!["192.0.2.1".into()],
        objects: vec!["o".into()],
    }
}

fn trace() -> MessageTraceFilter {
    MessageTraceFilter {
        sender: Some(UPN.into()),
        recipient: None,
        start: start(),
        end: start(),
    }
}

fn makers() -> BTreeMap<&'static str, Make> {
    let mut makers: Vec<(&'static str, Make)> = reads! {
        "graph.user.read" => world.user(USER);
        "graph.user.manager" => world.manager(USER);
        "graph.user.member_of" => world.transitive_member_of(USER);
        "graph.organization.read" => world.organization();
        "graph.user.list" => world.probe(Probe::Account);
        "graph.users.by_address" => world.users_by_address(UPN);
        "graph.users.deleted" => world.deleted_users();
        "graph.domains.list" => world.domains();
        "graph.roles.of_principal" => world.role_assignments(USER);
        "graph.licences.list" => world.licences();
        "graph.audit.list" => world.probe(Probe::AuditQueries);
        "exchange.organisation.outbound" => world.outbound_policies();
        "exchange.organisation.audit" => world.audit_config();
        "graph.methods.list" => world.authentication_methods(USER);
        "graph.methods.preferences" => world.sign_in_preferences(USER);
        "graph.methods.temporary_access_passes" => world.temporary_access_passes(USER);
        "graph.rules.list" => world.graph_inbox_rules(USER);
        "graph.mail.folders" => world.mail_folders(USER);
        "graph.mail.messages" => world.messages(USER, "inbox", Some(start()));
        "graph.grants.of_user" => world.grants_of_user(USER);
        "graph.grants.list" => world.grants_for_everybody("c");
        "graph.grants.read" => world.grant("g");
        "graph.apps.read" => world.service_principal(ID);
        "graph.apps.assigned_to" => world.app_role_assigned_to(ID);
        "graph.apps.roles_of_user" => world.app_roles_of_user(USER);
        "graph.apps.find" => world.service_principal_by_app_id(ID);
        "graph.devices.registered" => world.registered_devices(USER);
        "graph.devices.owned" => world.owned_devices(USER);
        "graph.logs.sign_ins" => world.sign_ins(SignInKind::Interactive, USER, start(), None);
        "graph.logs.sign_ins_detailed" => world.sign_ins(SignInKind::NonInteractive, USER, start(), None);
        "graph.logs.directory_audits" => world.directory_audits(AuditAbout::Target(USER), start(), None);
        "graph.risk.user" => world.risky_user(USER);
        "graph.risk.detections" => world.risk_detections(USER);
        "graph.audit.create" => world.start_audit_search(&query());
        "graph.audit.status" => world.audit_search_status(&search(false));
        "graph.audit.status_beta" => world.audit_search_status(&search(true));
        "graph.audit.records" => world.audit_search_records(&search(false));
        "graph.audit.records_beta" => world.audit_search_records(&search(true));
        "graph.mail.traces" => world.message_traces(&trace());
        "exchange.invoke" => world.invoke(&Cmdlet::new("Get-Mailbox").with("Identity", UPN), Some(UPN));
        "exchange.rules.list" => world.get_inbox_rules(UPN, true);
        "exchange.mailbox.read" => world.get_mailbox(UPN);
        "exchange.mailbox.permissions" => world.get_mailbox_permissions(UPN);
        "exchange.mailbox.send_as" => world.get_recipient_permissions(UPN);
        "exchange.folders.list" => world.get_folders(UPN);
        "exchange.folders.rights" => world.get_folder_rights(UPN, "LgAAAAB1");
        "exchange.recipient.mailboxes" => world.list_mailboxes(61);
        "exchange.recipient.read" => world.get_recipients("a contact");
        "exchange.sweep.list" => world.get_sweep_rules(UPN);
        "exchange.auto_reply.read" => world.get_auto_reply(UPN);
        "exchange.junk.read" => world.get_junk_lists(UPN);
        "exchange.protocols.read" => world.get_protocols(UPN);
        "exchange.mobile.list" => world.get_mobile_devices(UPN);
        "exchange.sending.read" => world.get_blocked_senders();
        "activity.subscriptions" => world.activity_subscriptions();
        "activity.start" => world.start_activity_feed(FEEDS[0]);
    };
    makers.extend::<Vec<(&'static str, Make)>>(changes! {
        "graph.user.block" => tenant.prepare_block(USER);
        "exchange.mailbox.give_full_access" => tenant.prepare_full_access(UPN, "kim@tarn.example", Giving::Give);
        "exchange.mailbox.remove_full_access" => tenant.prepare_full_access(UPN, "kim@tarn.example", Giving::Take);
        "exchange.mailbox.give_send_as" => tenant.prepare_send_as(UPN, "kim@tarn.example", Giving::Give);
        "exchange.mailbox.remove_send_as" => tenant.prepare_send_as(UPN, "kim@tarn.example", Giving::Take);
        "exchange.mailbox.send_on_behalf" => tenant.prepare_send_on_behalf(UPN, "Kim Reed", Giving::Take);
        "exchange.folders.give_right" => tenant.prepare_give_folder_right(UPN, "LgAAAAB1", "kim@tarn.example", &rights(), &[]);
        "exchange.folders.set_right" => tenant.prepare_set_folder_right(UPN, "LgAAAAB1", "Default", &rights());
        "exchange.folders.remove_right" => tenant.prepare_remove_folder_right(UPN, "LgAAAAB1", "kim@tarn.example");
        "graph.user.unblock" => tenant.prepare_unblock(USER);
        "graph.user.revoke" => tenant.prepare_revoke(USER);
        "graph.user.reset_password" => tenant.prepare_reset_password(USER, SecretString::from("pass-Word-1".to_owned()), true);
        "graph.user.confirm_compromised" => tenant.prepare_confirm_compromised(USER);
        "graph.methods.set_default" => tenant.prepare_set_default_method(USER, "push");
        "graph.methods.delete" => tenant.prepare_delete_method(USER, MethodKind::Phone, ID);
        "graph.methods.delete_beta" => tenant.prepare_delete_method(USER, MethodKind::HardwareOath, ID);
        "graph.rules.delete" => tenant.prepare_delete_graph_rule(USER, "AQAAAJ5dZqA=");
        "graph.rules.create" => tenant.prepare_create_graph_rule(USER, &rule());
        "graph.grants.delete" => tenant.prepare_delete_grant("g");
        "graph.grants.create" => tenant.prepare_create_grant(&grant());
        "graph.apps.withdraw_role" => tenant.prepare_delete_app_role(USER, "a-1_b");
        "graph.apps.assign_role" => tenant.prepare_create_app_role(USER, &serde_json::from_value(json!({"id": "a", "principalId": ID, "resourceId": ID, "appRoleId": ID})).unwrap());
        "graph.user.set_other_mails" => tenant.prepare_set_other_mails(USER, &["a@b.example".to_owned()]);
        "graph.user.set_phones" => tenant.prepare_set_mobile_phone(USER, Some("+49 30 1"));
        "graph.apps.disable" => tenant.prepare_disable_app(ID);
        "graph.apps.enable" => tenant.prepare_enable_app(ID);
        "graph.devices.disable" => tenant.prepare_disable_device(ID);
        "graph.roles.remove" => tenant.prepare_remove_role(ID);
        "graph.roles.give" => tenant.prepare_give_role(USER, ID, "/");
        "graph.devices.enable" => tenant.prepare_enable_device(ID);
        "exchange.change" => tenant.prepare_cmdlet(&Cmdlet::new("Disable-InboxRule").with("Mailbox", UPN).with("Identity", "b\\1"), Some(UPN), "b\\1");
        "exchange.rules.remove" => tenant.prepare_remove_inbox_rule(UPN, "b\\1");
        "exchange.rules.create" => tenant.prepare_create_inbox_rule(UPN, &serde_json::from_value(json!({"Identity": "b\\1", "Name": "."})).unwrap());
        "exchange.mailbox.set_keeping" => tenant.prepare_set_keeping(UPN, Keeping { retain_days: Some(30), ..Keeping::default() });
        "exchange.mailbox.set_forwarding" => tenant.prepare_set_forwarding(UPN, &Forwarding::default());
        "exchange.auto_reply.set" => tenant.prepare_set_auto_reply(UPN, &retake_tenant::model::AutoReply::default());
        "exchange.junk.set" => tenant.prepare_change_junk_lists(UPN, &[("BlockedSendersAndDomains", vec!["a.example".into()])], false);
        "exchange.protocols.set" => tenant.prepare_set_protocols(UPN, &[("ImapEnabled", Some(false)), ("SmtpClientAuthenticationDisabled", None)]);
        "exchange.mobile.remove" => tenant.prepare_remove_mobile_device(UPN, "dana\\ExchangeActiveSyncDevices\\iPhone§1");
        "exchange.sending.lift" => tenant.prepare_lift_sending_block(UPN);
        "exchange.sweep.create" => tenant.prepare_create_sweep_rule(UPN, &serde_json::from_value(json!({"Name": "n", "Sender": "a@b.example", "KeepForDays": 10})).unwrap());
        "exchange.sweep.remove" => tenant.prepare_remove_sweep_rule(UPN, "dana\\7f3a");
    });
    makers.push(("graph.apps.read_batch", |world| {
        let apps = world.run(world.tenant.service_principals(&[ID, "other"]));
        apps.into_iter().try_for_each(|app| app.map(drop))
    }));
    makers.into_iter().collect()
}

/// Calls that only an earlier answer leads to: what comes first.
fn first(id: &str) -> Option<(Make, Vec<Step>)> {
    let content = |id: &str| {
        json_answer(
            200,
            &json!([{"contentUri": format!("https://manage.office.com/api/v1.0/{}/activity/feed/audit/{id}", crate::world::TENANT),
                "contentId": id, "contentType": FEEDS[0]}]),
        )
    };
    let feeds: Vec<Value> = FEEDS
        .iter()
        .map(|feed| json!({"contentType": feed, "status": "enabled"}))
        .collect();
    let read: Make = |world| {
        let since = start() - jiff::SignedDuration::from_hours(1);
        world
            .run(world.tenant.activity_records(since, start()))
            .map(drop)
    };
    match id {
        "graph.audit.create_beta" => Some((
            |world| {
                world
                    .run(world.tenant.start_audit_search(&query()))
                    .map(drop)
            },
            vec![refusal(404, "UnknownError", "")],
        )),
        "activity.content" => Some((read, vec![json_answer(200, &json!(feeds))])),
        "activity.blob" => Some((read, vec![json_answer(200, &json!(feeds)), content("a$1")])),
        _ => None,
    }
}

/// The answer to a batch of two requests that are both refused.
fn batch_refused() -> Value {
    let refused = |id: &str| {
        json!({"id": id, "status": 403, "headers": {"Content-Type": "application/json"},
            "body": {"error": {"code": "Authorization_RequestDenied", "message": "x",
                "innerError": {"date": "2026-03-02T08:00:00", "request-id": "r", "client-request-id": "c"}}}})
    };
    json!({"responses": [refused("2"), refused("1")]})
}

/// Makes the call and gives its request, which is the last that was sent.
fn made(spec: &CallSpec) -> Option<Seen> {
    let refused = || {
        refusal(
            403,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        )
    };
    let (make, mut steps) = match first(spec.id) {
        Some(found) => found,
        None => (makers().get(spec.id).copied()?, Vec::new()),
    };
    // A batch that is refused as a whole is asked for piece by piece.
    steps.push(if spec.batch_of().is_some() {
        json_answer(200, &batch_refused())
    } else {
        refused()
    });
    let world = World::new(steps);
    let error = make(&world).unwrap_err();
    let meant = spec.batch_of().unwrap_or(spec);
    assert_eq!(error.call.id, meant.id, "{error}");
    world.services.seen().last().cloned()
}

/// Whether a path is one of the template's.
fn fits(template: &str, path: &str) -> bool {
    let (mut template, mut path) = (template.split('/'), path.split('/'));
    loop {
        match (template.next(), path.next()) {
            (None, None) => return true,
            (Some(part), Some(given)) => {
                let Some((before, rest)) = part.split_once('{') else {
                    if part == given {
                        continue;
                    }
                    return false;
                };
                let after = rest.split_once('}').map_or("", |(_, after)| after);
                let inner = given
                    .strip_prefix(before)
                    .and_then(|rest| rest.strip_suffix(after));
                if inner.is_none_or(str::is_empty) {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

#[test]
fn every_call_of_the_table_is_made_and_goes_where_the_table_says() {
    let mut wrong = Vec::new();
    for spec in CALLS.iter().filter(|spec| spec.service != Service::SignIn) {
        match made(spec) {
            None => wrong.push(format!("{}: no test makes it", spec.id)),
            Some(seen) => {
                let path = seen.url.split('?').next().unwrap_or_default();
                if seen.method != spec.method.as_str() || !fits(spec.path_template, path) {
                    wrong.push(format!("{}: {} {path}", spec.id, seen.method));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// Documented in words though the subsets do not have them.
const NOT_IN_SUBSETS: &[&str] = &[
    "graph.audit.create_beta",
    "graph.audit.status_beta",
    "graph.audit.records_beta",
    "graph.methods.delete_beta", // not in the government cloud, whose schema the subset is
];

#[test]
fn every_graph_call_keeps_to_the_openapi_subsets() {
    let Some(shared) = shared_dir() else {
        skip_without_shared("the OpenAPI subsets of Graph");
        return;
    };
    let contract = Contract::load(&shared).unwrap();
    let mut wrong = Vec::new();
    for spec in CALLS.iter().filter(|spec| spec.service == Service::Graph) {
        // The other test says which nobody makes.
        let Some(seen) = made(spec) else { continue };
        let refused = json!({"error": {"code": "Authorization_RequestDenied", "message": "x",
            "innerError": {"date": "2026-03-02T08:00:00", "request-id": "r", "client-request-id": "c"}}});
        let (status, answer) = match spec.batch_of() {
            Some(_) => (200, batch_refused()),
            None => (403, refused),
        };
        let read = exchanges(
            &seen.method,
            &seen.url,
            seen.body.as_bytes(),
            status,
            answer.to_string().as_bytes(),
        );
        for part in read.unwrap() {
            let unknown = NOT_IN_SUBSETS.contains(&spec.id);
            match contract.check(&part) {
                Verdict::Valid if !unknown => {}
                // Everybody sends an empty object (reference §2.1).
                Verdict::Invalid(faults)
                    if spec.id == "graph.user.revoke"
                        && faults == ["request: a body where none is described"] => {}
                Verdict::Unknown if unknown => {}
                verdict => wrong.push(format!("{} {}: {verdict:?}", spec.id, seen.url)),
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_exchange_call_keeps_to_the_table_of_cmdlets() {
    let mut wrong = Vec::new();
    for spec in CALLS
        .iter()
        .filter(|spec| spec.service == Service::Exchange)
    {
        let Some(seen) = made(spec) else { continue };
        let body = seen.json();
        wrong.extend(check_cmdlet(&body, 403, None));
        // The cmdlet that the table of calls names is the one that is run.
        if let Some((_, named)) = spec.does.rsplit_once('(') {
            let named = named.trim_end_matches(')');
            if body["CmdletInput"]["CmdletName"] != named {
                wrong.push(format!(
                    "{}: runs {}",
                    spec.id, body["CmdletInput"]["CmdletName"]
                ));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
