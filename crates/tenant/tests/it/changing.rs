//! Changing: prepared before sent, sent once, doubtful when in doubt.

use std::time::Duration;

use retake_tenant::edge::TransportErrorKind;
use retake_tenant::model::{Grant, MessageRule, MethodKind};
use retake_tenant::{Kind, call};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::world::{Step, USER, World, empty, json_answer, raw, refusal};

#[test]
fn a_block_is_known_before_it_is_sent_and_is_one_request() {
    let world = World::new([empty(204)]);
    let block = world.tenant.prepare_block(USER).unwrap();
    assert!(world.services.seen().is_empty());
    assert_eq!(block.call(), &call::USER_BLOCK);
    let url = format!("/v1.0/users/{USER}");
    let digest: [u8; 32] =
        Sha256::digest(format!("PATCH {url}\n{{\"accountEnabled\":false}}")).into();
    assert_eq!(
        block.request().sha256,
        retake_playbook::Digest::from_bytes(digest)
    );
    assert_eq!(
        block.equivalent().http,
        format!("PATCH https://graph.microsoft.com{url}\n{{\"accountEnabled\":false}}")
    );
    assert_eq!(
        block.equivalent().powershell,
        format!("Update-MgUser -UserId '{USER}' -AccountEnabled:$false")
    );

    let change = world.run(world.tenant.submit(&block)).unwrap();
    assert_eq!(change.status, 204);
    let seen = &world.services.seen()[0];
    assert_eq!(
        (seen.method.as_str(), seen.url.as_str()),
        ("PATCH", url.as_str())
    );
    assert_eq!(seen.body, r#"{"accountEnabled":false}"#);
    assert_eq!(change.request, *block.request());
    // Sign-in and block: two round trips, so that containment takes seconds.
    assert_eq!(world.clock.since_start(), Duration::from_millis(300));
}

#[test]
fn a_change_without_an_answer_is_in_doubt_and_not_repeated() {
    let world = World::new([Step::Hang]);
    let revoke = world.tenant.prepare_revoke(USER).unwrap();
    let error = world.run(world.tenant.submit(&revoke)).unwrap_err();
    assert_eq!(
        error.kind,
        Kind::TimedOut {
            effect_unknown: true
        }
    );
    assert!(error.effect_unknown());
    assert!(error.hint().contains("not known"));
    assert_eq!(world.services.seen().len(), 1);
}

#[test]
fn doubt_depends_on_how_far_the_request_came() {
    for (kind, doubtful) in [
        (TransportErrorKind::Connect, false),
        (TransportErrorKind::Tls, false),
        (TransportErrorKind::Timeout, true),
        (TransportErrorKind::Reset, true),
        (TransportErrorKind::Body, true),
    ] {
        let world = World::new([Step::Fail(kind)]);
        let block = world.tenant.prepare_block(USER).unwrap();
        let error = world.run(world.tenant.submit(&block)).unwrap_err();
        assert_eq!(error.effect_unknown(), doubtful, "{kind}");
        assert_eq!(world.services.seen().len(), 1, "{kind}: sent once");
    }
    for status in [500, 502, 504] {
        let world = World::new([refusal(status, "InternalServerError", "oops")]);
        let block = world.tenant.prepare_block(USER).unwrap();
        let error = world.run(world.tenant.submit(&block)).unwrap_err();
        assert!(error.effect_unknown(), "{status}");
        assert_eq!(world.services.seen().len(), 1);
    }
}

#[test]
fn a_token_service_that_hangs_leaves_no_doubt() {
    let world = World::with(
        retake_tenant::Credential::ClientSecret("s".to_owned().into()),
        [],
        [Step::Hang, Step::Hang, Step::Hang],
    );
    let block = world.tenant.prepare_block(USER).unwrap();
    let error = world.run(world.tenant.submit(&block)).unwrap_err();
    assert!(!error.effect_unknown());
    assert!(matches!(error.kind, Kind::TimedOut { .. }));
}

#[test]
fn a_change_that_was_not_carried_out_is_sent_again() {
    let world = World::new([
        refusal(429, "TooManyRequests", "slow down").with("retry-after", "2"),
        refusal(503, "ServiceUnavailable", "busy").with("retry-after", "1"),
        refusal(401, "InvalidAuthenticationToken", "expired"),
        empty(204),
    ]);
    let block = world.tenant.prepare_block(USER).unwrap();
    assert_eq!(world.run(world.tenant.submit(&block)).unwrap().status, 204);
    assert_eq!(world.services.seen().len(), 4);

    // Without a time to wait, 503 says nothing about the effect.
    let world = World::new([refusal(503, "ServiceUnavailable", "busy")]);
    let block = world.tenant.prepare_block(USER).unwrap();
    assert!(
        world
            .run(world.tenant.submit(&block))
            .unwrap_err()
            .effect_unknown()
    );
}

#[test]
fn revoking_is_accepted_with_200_and_with_204() {
    let world = World::new([
        json_answer(200, &json!({"@odata.context": "x", "value": true})),
        empty(204),
    ]);
    for status in [200, 204] {
        let revoke = world.tenant.prepare_revoke(USER).unwrap();
        assert_eq!(
            world.run(world.tenant.submit(&revoke)).unwrap().status,
            status
        );
    }
    let seen = &world.services.seen()[0];
    assert_eq!(seen.body, "{}");
    assert_eq!(seen.header("content-type"), Some("application/json"));
}

#[test]
fn the_default_method_is_told_apart_from_other_refusals() {
    for (message, kind) in [
        (
            "The requested authentication method id of [3179] matches the user's current default authentication method, and cannot be deleted until the default authentication method is changed",
            Kind::DefaultMethod,
        ),
        (
            "Cannot delete default method with other methods configured. Please change default method before deletion.",
            Kind::DefaultMethod,
        ),
        ("Something else is wrong.", Kind::Refused),
    ] {
        let world = World::new([refusal(400, "badRequest", message)]);
        let delete = world
            .tenant
            .prepare_delete_method(
                USER,
                MethodKind::Phone,
                "3179e48a-750b-4051-897c-87b9720928f7",
            )
            .unwrap();
        let error = world.run(world.tenant.submit(&delete)).unwrap_err();
        assert_eq!(error.kind, kind);
        assert!(!error.effect_unknown());
    }
}

#[test]
fn a_method_is_deleted_by_the_path_of_its_kind() {
    let world = World::new([]);
    for (odata_type, path) in [
        (
            "#microsoft.graph.softwareOathAuthenticationMethod",
            "/v1.0/users/u/authentication/softwareOathMethods/m",
        ),
        (
            "#microsoft.graph.hardwareOathAuthenticationMethod",
            "/beta/users/u/authentication/hardwareOathMethods/m",
        ),
        (
            "#microsoft.graph.fido2AuthenticationMethod",
            "/v1.0/users/u/authentication/fido2Methods/m",
        ),
    ] {
        let delete = world
            .tenant
            .prepare_delete_method("u", MethodKind::of(odata_type), "m")
            .unwrap();
        assert_eq!(delete.request().url, path);
        assert_eq!(delete.request().method, "DELETE");
    }
    for kind in [MethodKind::Password, MethodKind::Unknown] {
        let error = world
            .tenant
            .prepare_delete_method("u", kind, "m")
            .unwrap_err();
        assert_eq!(error.kind, Kind::BadInput);
    }
}

#[test]
fn a_rule_is_put_back_as_it_was_without_what_the_service_sets() {
    let rule: MessageRule = serde_json::from_value(json!({
        "@odata.etag": "W/\"x\"", "id": "AQ==", "displayName": "it's mine", "sequence": 2,
        "isEnabled": true, "hasError": false, "isReadOnly": false, "exceptions": null,
        "conditions": {"subjectContains": ["invoice"]},
        "actions": {"moveToFolder": "f", "stopProcessingRules": true, "forwardTo": [], "assignCategories": ["a"]}
    }))
    .unwrap();
    let world = World::new([json_answer(201, &json!({"id": "new"}))]);
    let create = world.tenant.prepare_create_graph_rule(USER, &rule).unwrap();
    assert_eq!(
        create.body_json().unwrap(),
        json!({"displayName": "it's mine", "sequence": 2, "isEnabled": true,
            "conditions": {"subjectContains": ["invoice"]},
            "actions": {"moveToFolder": "f", "stopProcessingRules": true, "assignCategories": ["a"]}})
    );
    assert!(create.equivalent().powershell.contains("it''s mine"));
    let change = world.run(world.tenant.submit(&create)).unwrap();
    assert_eq!(change.json().unwrap()["id"], "new");
}

#[test]
fn a_consent_is_withdrawn_and_put_back() {
    let grant: Grant = serde_json::from_value(
        json!({"id": "g/1", "clientId": "c", "consentType": "AllPrincipals",
        "principalId": null, "resourceId": "r", "scope": "User.Read"}),
    )
    .unwrap();
    let world = World::new([]);
    let delete = world.tenant.prepare_delete_grant(&grant.id).unwrap();
    assert_eq!(delete.request().url, "/v1.0/oauth2PermissionGrants/g%2F1");
    let create = world.tenant.prepare_create_grant(&grant).unwrap();
    assert_eq!(
        create.body_json().unwrap(),
        json!({"clientId": "c", "consentType": "AllPrincipals", "resourceId": "r", "scope": "User.Read"})
    );
}

#[test]
fn a_protected_account_is_not_a_missing_permission() {
    let denied = || {
        refusal(
            403,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        )
    };
    let world = World::new([
        denied(),
        refusal(
            403,
            "Authorization_RequestDenied",
            "Target is in a restricted management administrative unit.",
        ),
    ]);
    let block = world.tenant.prepare_block(USER).unwrap();
    let error = world.run(world.tenant.submit(&block)).unwrap_err();
    assert!(matches!(error.kind, Kind::PermissionMissing { .. }));
    let error = error.for_target(false, true);
    assert_eq!(error.kind, Kind::ProtectedTarget);
    assert!(
        error
            .hint()
            .contains("Privileged Authentication Administrator")
    );
    let error = world.run(world.tenant.submit(&block)).unwrap_err();
    assert_eq!(error.kind, Kind::ProtectedTarget);
}

#[test]
fn a_refusal_that_cannot_be_read_is_still_a_refusal() {
    let world = World::new([raw(400, b"no JSON here")]);
    let block = world.tenant.prepare_block(USER).unwrap();
    let error = world.run(world.tenant.submit(&block)).unwrap_err();
    assert_eq!(error.kind, Kind::Refused);
    assert!(!error.effect_unknown());
}
