//! Exchange's own ways: NUL refusals, redirects, sidecars, cut pages.

use retake_tenant::client::{Cmdlet, Giving};
use retake_tenant::model::Forwarding;
use retake_tenant::{Cut, Kind};
use serde_json::{Value, json};

use crate::world::{Step, TENANT, UPN, USER, World, empty, json_answer, raw};

const BOX: &str = "5d2a6f11-0c1e-4a6b-8c59-1f8d0e7a2b33";

fn rows(rows: &Value) -> Step {
    json_answer(
        200,
        &json!({"@odata.context": "https://outlook.office365.com/adminapi/beta/t/$metadata#Collection(Exchange.GenericHashTable)",
            "adminapi.warnings@odata.type": "#Collection(String)", "@adminapi.warnings": [], "value": rows}),
    )
}

fn rule(mailbox: &str, number: u64, name: &str) -> Value {
    json!({"Identity": format!("{mailbox}\\{number}"), "RuleIdentity@data.type": "System.UInt64", "RuleIdentity": number,
        "Name": name, "Enabled": true, "Priority": 1,
        "ForwardTo@odata.type": "#Collection(String)", "ForwardTo": ["\"x\" [SMTP:x@evil.example]"],
        "SubjectContainsWords": null, "MoveToFolder": "", "Inner": {"A@data.type": "x", "A": 1}})
}

#[test]
fn hidden_rules_are_read_with_numbers_that_no_double_holds() {
    let number = 13_835_058_055_282_163_713_u64;
    let world = World::new([rows(&json!([
        rule(BOX, number, "a"),
        rule(BOX, 7, "Junk E-Mail Rule")
    ]))]);
    let read = world.run(world.tenant.get_inbox_rules(UPN, true)).unwrap();
    let first = &read.value[0];
    assert_eq!(first.number(), Some("13835058055282163713"));
    assert_eq!(first.mailbox_part(), BOX);
    assert_eq!(first.move_to_folder, None);
    assert!(first.subject_contains_words.is_empty());
    assert!(!first.other.keys().any(|key| key.contains('@')));
    assert_eq!(first.other["Inner"], json!({"A": 1}));
    assert!(
        !read.value[1].looks_built_in(),
        "a built-in name does not excuse a forward"
    );

    let seen = &world.services.seen()[0];
    assert_eq!(seen.url, format!("/adminapi/beta/{TENANT}/InvokeCommand"));
    assert_eq!(
        seen.json(),
        json!({"CmdletInput": {"CmdletName": "Get-InboxRule", "Parameters": {"Mailbox": UPN, "IncludeHidden": true}}})
    );
    assert_eq!(seen.header("x-anchormailbox"), Some("UPN:ida@tarn.example"));
    assert_eq!(seen.header("accept-encoding"), Some("identity"));
}

#[test]
fn a_refusal_of_nul_bytes_is_a_missing_role_and_not_tried_again() {
    static NULS: [u8; 985] = [0; 985];
    let world = World::new([raw(403, &NULS).with("content-encoding", "gzip")]);
    let error = world
        .run(world.tenant.get_inbox_rules(UPN, true))
        .unwrap_err();
    let Kind::PermissionMissing { permission, .. } = &error.kind else {
        panic!("{error}");
    };
    assert_eq!(permission, "Exchange.ManageAsApp");
    assert!(error.hint().contains("Exchange Administrator"));
    assert!(!error.to_string().contains('\0'));
    assert_eq!(world.services.seen().len(), 1);
}

#[test]
fn the_front_door_sends_us_to_a_regional_host_at_a_port_that_answers() {
    let world = World::new([
        empty(307).with(
            "location",
            "https://eur05b.outlook.office365.com:446/adminapi/beta/x/InvokeCommand",
        ),
        rows(&json!([])),
        rows(&json!([])),
    ]);
    world.run(world.tenant.get_inbox_rules(UPN, true)).unwrap();
    world.run(world.tenant.get_inbox_rules(UPN, true)).unwrap();
    let seen = world.services.seen();
    let hosts: Vec<_> = seen.iter().map(|seen| seen.host.as_str()).collect();
    assert_eq!(
        hosts,
        [
            "outlook.office365.com",
            "eur05b.outlook.office365.com",
            "eur05b.outlook.office365.com"
        ]
    );
    assert_eq!(seen[1].method, "POST");
    assert_eq!(seen[1].body, seen[0].body);
    assert_eq!(
        seen[1].header("authorization"),
        seen[0].header("authorization")
    );
}

#[test]
fn a_redirect_out_of_exchange_gets_no_token() {
    let world = World::new([empty(302).with("location", "https://evil.example/adminapi")]);
    let error = world
        .run(world.tenant.get_inbox_rules(UPN, true))
        .unwrap_err();
    assert!(matches!(error.kind, Kind::BadAnswer { .. }), "{error}");
    assert!(error.to_string().contains("https://evil.example/adminapi"));
    assert_eq!(world.services.seen().len(), 1);
}

#[test]
fn a_link_to_another_service_is_not_followed_and_the_list_is_not_whole() {
    let first = json!({"value": [{"Identity": format!("{BOX}\\1")}], "@adminapi.warnings": [],
        "@odata.nextLink": "https://outlook.office365.us/adminapi/beta/t/InvokeCommand?%24skiptoken=x"});
    let world = World::new([json_answer(200, &first)]);
    let read = world.run(world.tenant.get_inbox_rules(UPN, true)).unwrap();
    assert!(matches!(read.completeness.why(), Some(Cut::LeftHost(_))));
    assert_eq!(world.services.seen().len(), 1);
}

#[test]
fn a_page_that_cannot_be_followed_leaves_the_list_incomplete() {
    let mut first = json!({"value": [{"Identity": format!("{BOX}\\1")}], "@adminapi.warnings": []});
    first["@odata.nextLink"] = format!(
        "https://outlook.office365.com/adminapi/beta/{TENANT}/InvokeCommand?%24skiptoken=x"
    )
    .into();
    let refused = json_answer(
        400,
        &json!({"error": {"code": "BadRequest", "message": "Expired or Invalid pagination request. Default Expiry time is 00:30:00"}}),
    );
    let world = World::new([json_answer(200, &first), refused]);
    let read = world.run(world.tenant.get_inbox_rules(UPN, true)).unwrap();
    assert_eq!(read.value.len(), 1);
    assert!(
        matches!(read.completeness.why(), Some(Cut::PageFailed(why)) if why.contains("pagination"))
    );
    let seen = world.services.seen();
    assert_eq!(seen[1].method, "POST");
    assert_eq!(seen[1].body, seen[0].body);
    assert!(seen[1].url.ends_with("?%24skiptoken=x"));
}

#[test]
fn a_warning_means_that_something_may_be_missing() {
    let world = World::new([json_answer(
        200,
        &json!({"value": [], "@adminapi.warnings": ["There are more results available than are currently displayed."]}),
    )]);
    let read = world.run(world.tenant.get_inbox_rules(UPN, true)).unwrap();
    assert!(matches!(read.completeness.why(), Some(Cut::Warned(_))));
}

#[test]
fn the_wrong_mailbox_is_not_taken_for_the_right_one() {
    let mailbox = |upn: &str| {
        json!({"UserPrincipalName": upn, "ExternalDirectoryObjectId": USER, "EmailAddresses": [format!("SMTP:{upn}"), "smtp:old@tarn.example"],
        "ForwardingSmtpAddress": "smtp:x@evil.example", "ForwardingAddress": null, "DeliverToMailboxAndForward": true})
    };
    let world = World::new([
        rows(&json!([mailbox(UPN)])),
        rows(&json!([mailbox("eve@tarn.example")])),
        rows(&json!([mailbox(UPN), mailbox("eve@tarn.example")])),
        rows(&json!([])),
        rows(&json!([rule(BOX, 1, "a"), rule("another", 2, "b")])),
    ]);
    let read = world
        .run(world.tenant.get_mailbox("OLD@tarn.example"))
        .unwrap();
    assert_eq!(
        read.value.forwarding(),
        Forwarding {
            address: None,
            smtp_address: Some("smtp:x@evil.example".into()),
            keep_copy: true
        }
    );
    for kind in [
        Kind::BadAnswer {
            effect_unknown: false,
        },
        Kind::BadAnswer {
            effect_unknown: false,
        },
        Kind::NotFound,
    ] {
        let error = world.run(world.tenant.get_mailbox(UPN)).unwrap_err();
        assert_eq!(error.kind, kind);
    }
    let error = world
        .run(world.tenant.get_inbox_rules(UPN, true))
        .unwrap_err();
    assert!(matches!(error.kind, Kind::BadAnswer { .. }));
    // No name at all would mean every mailbox.
    for name in ["", " ", "*"] {
        let error = world.run(world.tenant.get_mailbox(name)).unwrap_err();
        assert_eq!(error.kind, Kind::BadInput);
    }
    world.assert_told();
}

#[test]
fn both_forwarding_fields_change_in_one_call() {
    let world = World::new([rows(&json!([]))]);
    let clear = world
        .tenant
        .prepare_set_forwarding(UPN, &Forwarding::default())
        .unwrap();
    assert_eq!(
        clear.body_json().unwrap(),
        json!({"CmdletInput": {"CmdletName": "Set-Mailbox", "Parameters": {"Identity": UPN, "ForwardingAddress": null,
            "ForwardingSmtpAddress": null, "DeliverToMailboxAndForward": false, "Confirm": false}}})
    );
    assert_eq!(
        clear.equivalent().powershell,
        "Set-Mailbox -Identity 'ida@tarn.example' -ForwardingAddress $null -ForwardingSmtpAddress $null \
         -DeliverToMailboxAndForward:$false -Confirm:$false"
    );
    world.run(world.tenant.submit(&clear)).unwrap();
    let back = Forwarding {
        address: None,
        smtp_address: Some("smtp:x@evil.example".into()),
        keep_copy: true,
    };
    let undo = world.tenant.prepare_set_forwarding(UPN, &back).unwrap();
    let parameters = &undo.body_json().unwrap()["CmdletInput"]["Parameters"];
    assert_eq!(parameters["ForwardingSmtpAddress"], "smtp:x@evil.example");
    assert_eq!(parameters["ForwardingAddress"], Value::Null);
}

#[test]
fn a_rule_is_removed_by_its_identity_only() {
    let world = World::new([rows(&json!([]))]);
    let identity = format!("{BOX}\\13835058055282163713");
    let remove = world
        .tenant
        .prepare_remove_inbox_rule(UPN, &identity)
        .unwrap();
    assert_eq!(
        remove.body_json().unwrap()["CmdletInput"]["Parameters"],
        json!({"Mailbox": UPN, "Identity": identity, "Force": true, "Confirm": false})
    );
    world.run(world.tenant.submit(&remove)).unwrap();
    for identity in ["", "RSS", "5d2a6f11\\", "\\12"] {
        let error = world
            .tenant
            .prepare_remove_inbox_rule(UPN, identity)
            .unwrap_err();
        assert_eq!(error.kind, Kind::BadInput, "{identity}");
    }
}

#[test]
fn refusals_are_read_from_where_exchange_hides_them() {
    let hidden = |exception: &str, text: &str| {
        json_answer(
            400,
            &json!({"error": {"code": "BadRequest", "message": "Error executing cmdlet",
                "details": [{"code": "Context", "target": "", "message": format!("Ex6F9304|Microsoft.Exchange.{exception}|{text}")}],
                "innererror": {"message": "Error executing cmdlet", "stacktrace": "at Secret.Internals()",
                    "internalexception": {"message": "x", "type": "y", "stacktrace": ""}}}}),
        )
    };
    let world = World::new([
        hidden(
            "Configuration.Tasks.ManagementObjectNotFoundException",
            "couldn't be found on 'AM7PR04A002.prod.outlook.com'.",
        ),
        hidden(
            "Management.CommandNotFoundException",
            "The term 'Remove-InboxRule' is not recognized",
        ),
        hidden("X.ADObjectAlreadyExistsException", "exists"),
        hidden("X.ParameterBindingException", "A parameter cannot be found"),
        json_answer(
            200,
            &json!({"value": [], "ErrorRecords": ["Ex1|M.ManagementObjectNotFoundException|gone"]}),
        ),
        raw(401, b""),
        raw(401, b""),
    ]);
    let remove = world
        .tenant
        .prepare_remove_inbox_rule(UPN, &format!("{BOX}\\1"))
        .unwrap();
    let errors: Vec<_> = (0..6)
        .map(|_| world.run(world.tenant.submit(&remove)).unwrap_err())
        .collect();
    assert_eq!(errors[0].kind, Kind::NotFound);
    assert!(!errors[0].to_string().contains("AM7PR04A002"));
    assert!(!errors[0].to_string().contains("Internals"));
    assert!(matches!(errors[1].kind, Kind::PermissionMissing { .. }));
    assert_eq!(errors[2].kind, Kind::Conflict);
    assert_eq!(errors[3].kind, Kind::NotUnderstood);
    assert_eq!(errors[4].kind, Kind::NotFound);
    assert!(matches!(errors[5].kind, Kind::PermissionMissing { .. }));
}

#[test]
fn a_change_whose_answer_cannot_be_read_is_in_doubt() {
    let world = World::new([raw(200, b"\x1f\x8b\x08 not really gzip")]);
    let clear = world
        .tenant
        .prepare_set_forwarding(UPN, &Forwarding::default())
        .unwrap();
    let error = world.run(world.tenant.submit(&clear)).unwrap_err();
    assert!(error.effect_unknown());
}

#[test]
fn any_cmdlet_can_be_run_but_a_changing_one_not_as_a_read() {
    let world = World::new([rows(&json!([{"UnifiedAuditLogIngestionEnabled": true}]))]);
    let read = world
        .run(world.tenant.invoke(
            &Cmdlet::new("Get-AdminAuditLogConfig").with("Nothing", Value::Null),
            None,
        ))
        .unwrap();
    assert_eq!(read.value[0]["UnifiedAuditLogIngestionEnabled"], true);
    let seen = &world.services.seen()[0];
    assert_eq!(seen.json()["CmdletInput"]["Parameters"], json!({}));
    assert!(
        seen.header("x-anchormailbox")
            .unwrap()
            .starts_with("APP:SystemMailbox{")
    );

    for name in [
        "Remove-Mailbox",
        "Get-Mailbox; Remove-Mailbox",
        "Get-",
        "Get",
    ] {
        let error = world
            .run(world.tenant.invoke(&Cmdlet::new(name), None))
            .unwrap_err();
        assert_eq!(error.kind, Kind::BadInput, "{name}");
    }
}

#[test]
fn rights_are_read_as_they_stand_in_the_lists() {
    let world = World::new([
        rows(&json!([
            {"User": "NT AUTHORITY\\SELF", "AccessRights": ["FullAccess, ReadPermission"], "Deny": false, "IsInherited": false},
            {"User": "kim@tarn.example", "AccessRights": ["FullAccess"], "Deny": null, "IsInherited": null},
        ])),
        rows(
            &json!([{"Trustee": "Front desk", "AccessRights": "SendAs", "AccessControlType": "Allow"}]),
        ),
        rows(
            &json!([{"Name": "Kim", "RecipientTypeDetails": "GuestMailUser", "ExternalDirectoryObjectId": USER}]),
        ),
        rows(&json!([{"Name": "Kim"}, {"Name": "Kim"}])),
        rows(&json!([])),
    ]);
    let full = world
        .run(world.tenant.get_mailbox_permissions(UPN))
        .unwrap();
    assert_eq!(full.value[1].user.as_deref(), Some("kim@tarn.example"));
    assert_eq!(full.value[1].is_inherited, None);
    let send = world
        .run(world.tenant.get_recipient_permissions(UPN))
        .unwrap();
    assert_eq!(send.value[0].access_rights, ["SendAs"]);
    assert_eq!(send.value[0].is_inherited, None);
    let kim = world.run(world.tenant.get_recipient("Kim")).unwrap().value;
    assert_eq!(kim.recipient_type_details.as_deref(), Some("GuestMailUser"));
    // The name of two is nobody's, and no row is nobody.
    let several = world.run(world.tenant.get_recipient("Kim")).unwrap_err();
    assert!(matches!(several.kind, Kind::BadAnswer { .. }), "{several}");
    let nobody = world.run(world.tenant.get_recipient("Kim")).unwrap_err();
    assert_eq!(nobody.kind, Kind::NotFound);
}

#[test]
fn folders_are_named_by_id_and_their_lists_read_as_they_stand() {
    let world = World::new([
        rows(
            &json!([{"Name": "Posteingang", "FolderPath": "/Posteingang", "FolderId": "LgAA/1=", "FolderType": "Inbox", "ItemsInFolder": 3}]),
        ),
        rows(&json!([
            {"FolderName": "Posteingang", "User": "Default", "AccessRights": ["None"], "SharingPermissionFlags": null},
            {"FolderName": "Posteingang", "User": {"DisplayName": "Kim Lund", "UserType": "Internal"}, "AccessRights": "FolderVisible, ReadItems"},
        ])),
        rows(&json!([])),
    ]);
    let folders = world.run(world.tenant.get_folders(UPN)).unwrap().value;
    let id = folders[0].folder_id.clone().unwrap();
    let rights = world
        .run(world.tenant.get_folder_rights(UPN, &id))
        .unwrap()
        .value;
    assert_eq!(rights[0].who(), Some("Default"));
    assert_eq!(rights[0].rights(), Vec::<String>::new());
    assert_eq!(rights[1].who(), Some("Kim Lund"));
    assert_eq!(rights[1].rights(), ["FolderVisible", "ReadItems"]);
    let asked = world.services.seen()[1].json();
    assert_eq!(
        asked["CmdletInput"]["Parameters"]["Identity"],
        format!("{UPN}:LgAA/1=")
    );
    // Every mailbox has folders: an empty list is no answer.
    let none = world.run(world.tenant.get_folders(UPN)).unwrap_err();
    assert!(matches!(none.kind, Kind::BadAnswer { .. }), "{none}");
    let taken = world
        .tenant
        .prepare_remove_folder_right(UPN, &id, "Kim Lund")
        .unwrap();
    assert_eq!(
        taken.equivalent().powershell,
        "Remove-MailboxFolderPermission -Identity 'ida@tarn.example:LgAA/1=' -User 'Kim Lund' -Confirm:$false"
    );
    for (folder, who) in [("", "Kim Lund"), (id.as_str(), " ")] {
        let prepared = world.tenant.prepare_remove_folder_right(UPN, folder, who);
        assert!(prepared.is_err(), "{folder:?} {who:?}");
    }
}

#[test]
fn a_right_is_taken_from_one_holder_and_the_table_names_its_type() {
    let world = World::new([rows(&json!([]))]);
    let taken = world
        .tenant
        .prepare_send_on_behalf(UPN, "O'Neil; *", Giving::Take)
        .unwrap();
    assert_eq!(
        taken.equivalent().powershell,
        "Set-Mailbox -Identity 'ida@tarn.example' -GrantSendOnBehalfTo @{Remove='O''Neil; *'} -Confirm:$false"
    );
    world.run(world.tenant.submit(&taken)).unwrap();
    let sent = world.services.seen()[0].json();
    assert_eq!(
        sent["CmdletInput"]["Parameters"]["GrantSendOnBehalfTo"],
        json!({"@odata.type": "#Exchange.GenericHashTable", "Remove": ["O'Neil; *"]})
    );
    let full = world
        .tenant
        .prepare_full_access(UPN, "kim@tarn.example", Giving::Take)
        .unwrap();
    assert_eq!(
        full.equivalent().powershell,
        "Remove-MailboxPermission -Identity 'ida@tarn.example' -User 'kim@tarn.example' -AccessRights 'FullAccess' -Confirm:$false"
    );
    for nobody in ["", "  "] {
        assert!(
            world
                .tenant
                .prepare_send_as(UPN, nobody, Giving::Take)
                .is_err()
        );
    }
    assert!(
        world
            .tenant
            .prepare_full_access("*", "kim", Giving::Take)
            .is_err()
    );
}
