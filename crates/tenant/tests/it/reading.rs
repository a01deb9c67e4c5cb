//! Reading: pages, throttling, broken answers, names of all sorts.

use std::time::Duration;

use retake_tenant::edge::TransportErrorKind;
use retake_tenant::model::MethodKind;
use retake_tenant::{Cut, Kind, Options};
use serde_json::json;

use crate::world::{Step, TENANT, UPN, USER, World, empty, json_answer, page, raw, refusal};

const GRANTS: &str = "https://graph.microsoft.com/v1.0/users/x/oauth2PermissionGrants";

fn grant(id: &str) -> serde_json::Value {
    json!({"id": id, "clientId": "c", "consentType": "Principal", "principalId": USER,
        "resourceId": "r", "scope": " Mail.Read  offline_access "})
}

#[test]
fn an_account_is_read_with_what_the_case_needs_and_its_answer_kept() {
    let world = World::new([json_answer(
        200,
        &json!({"id": USER, "userPrincipalName": UPN, "accountEnabled": true,
            "signInSessionsValidFromDateTime": "2026-01-05T10:00:00Z",
            "lastPasswordChangeDateTime": "not a date", "proxyAddresses": null,
            "onPremisesSyncEnabled": null, "assignedLicenses": []}),
    )
    .with("request-id", "abc")]);
    let read = world.run(world.tenant.user(UPN)).unwrap();
    assert_eq!(read.value.account_enabled, Some(true));
    assert_eq!(read.value.last_password_change_date_time, None);
    assert!(read.value.other.contains_key("assignedLicenses"));
    assert!(read.completeness.is_complete());

    let seen = &world.services.seen()[0];
    assert_eq!(seen.host, "graph.microsoft.com");
    assert!(
        seen.url
            .starts_with("/v1.0/users/ida%40tarn.example?$select=id,")
    );
    assert_eq!(seen.header("authorization"), Some("Bearer access-token-1"));
    let answer = &read.answers[0];
    assert_eq!(answer.request.url, seen.url);
    assert_eq!(answer.request_id.as_deref(), Some("abc"));
    assert_eq!(answer.received_at.to_string(), "2026-03-02T08:00:00.3Z");
}

#[test]
fn another_accounts_answer_does_not_pass_for_the_one_asked_for() {
    let world = World::new([json_answer(
        200,
        &json!({"id": "someone-else", "userPrincipalName": "eve@tarn.example"}),
    )]);
    let error = world.run(world.tenant.user(UPN)).unwrap_err();
    assert!(matches!(error.kind, Kind::BadAnswer { .. }));
}

#[test]
fn pages_are_followed_to_the_end() {
    let world = World::new([
        page(
            &json!([grant("1"), grant("2")]),
            Some(&format!("{GRANTS}?$skiptoken=a%2Bb")),
        ),
        page(&json!([grant("3")]), None),
    ]);
    let read = world.run(world.tenant.grants_of_user(USER)).unwrap();
    let ids: Vec<_> = read.value.iter().map(|grant| grant.id.as_str()).collect();
    assert_eq!(ids, ["1", "2", "3"]);
    assert_eq!(
        read.value[0].scopes().collect::<Vec<_>>(),
        ["Mail.Read", "offline_access"]
    );
    assert!(read.completeness.is_complete());
    assert_eq!(read.answers.len(), 2);
    assert!(world.services.seen()[1].url.ends_with("?$skiptoken=a%2Bb"));
}

#[test]
fn a_next_link_that_comes_again_ends_the_list_as_incomplete() {
    let next = format!("{GRANTS}?$skiptoken=same");
    let world = World::new([
        page(&json!([grant("1")]), Some(&next)),
        page(&json!([grant("2")]), Some(&next)),
    ]);
    let read = world.run(world.tenant.grants_of_user(USER)).unwrap();
    assert_eq!(read.value.len(), 2);
    assert_eq!(read.completeness.why(), Some(&Cut::Loop));
}

#[test]
fn a_list_without_end_stops_at_the_page_cap() {
    let pages = (0..3).map(|n| {
        page(
            &json!([grant("x")]),
            Some(&format!("{GRANTS}?$skiptoken={n}")),
        )
    });
    let world = World::new(pages);
    let tenant = world.tenant.with_options(Options {
        pages: 3,
        ..Options::default()
    });
    let read = world.run(tenant.grants_of_user(USER)).unwrap();
    assert_eq!(read.value.len(), 3);
    assert_eq!(read.completeness.why(), Some(&Cut::PageCap(3)));
}

#[test]
fn a_token_never_follows_a_next_link_to_another_host() {
    let world = World::new([page(
        &json!([grant("1")]),
        Some("https://graph.microsoft.com.evil.example/v1.0/x?$skiptoken=1"),
    )]);
    let read = world.run(world.tenant.grants_of_user(USER)).unwrap();
    assert!(matches!(read.completeness.why(), Some(Cut::LeftHost(_))));
    assert_eq!(world.services.seen().len(), 1);
}

#[test]
fn a_later_page_that_fails_keeps_what_came_before_and_says_so() {
    let world = World::new([
        page(
            &json!([grant("1")]),
            Some(&format!("{GRANTS}?$skiptoken=2")),
        ),
        raw(200, br#"{"value":[{"id":"2","#),
    ]);
    let read = world.run(world.tenant.grants_of_user(USER)).unwrap();
    assert_eq!(read.value.len(), 1);
    assert!(matches!(read.completeness.why(), Some(Cut::PageFailed(_))));
}

#[test]
fn a_truncated_or_foreign_answer_is_never_an_empty_list() {
    for body in [
        br#"{"value":["#.as_slice(),
        b"",
        b"<html>Welcome to the hotel Wi-Fi</html>",
        br#"{"@odata.context":"x"}"#,
        br#"{"value":null}"#,
        br#"{"value":{}}"#,
    ] {
        let world = World::new([raw(200, body)]);
        let error = world.run(world.tenant.grants_of_user(USER)).unwrap_err();
        assert!(
            matches!(error.kind, Kind::BadAnswer { .. }),
            "{}: {error}",
            String::from_utf8_lossy(body)
        );
        assert!(error.answer.is_some(), "the broken answer is evidence too");
    }
}

#[test]
fn retry_after_is_waited_out_in_full() {
    let world = World::new([
        refusal(429, "TooManyRequests", "slow down").with("retry-after", "7"),
        page(&json!([]), None),
    ]);
    world.run(world.tenant.grants_of_user(USER)).unwrap();
    let seen = world.services.seen();
    assert_eq!(
        seen[1].at.saturating_sub(seen[0].at),
        Duration::from_millis(7_150)
    );
}

#[test]
fn throttling_without_a_time_is_waited_out_longer_and_longer() {
    let world = World::new([
        refusal(429, "TooManyRequests", "Too many requests."),
        refusal(429, "TooManyRequests", "Too many requests."),
        refusal(503, "ServiceUnavailable", "later"),
        page(&json!([]), None),
    ]);
    world.run(world.tenant.risk_detections(USER)).unwrap();
    let at: Vec<_> = world.services.seen().iter().map(|seen| seen.at).collect();
    let gaps: Vec<_> = at
        .windows(2)
        .map(|pair| pair[1].saturating_sub(pair[0]).as_millis())
        .collect();
    assert_eq!(gaps, [1_150, 2_150, 4_150]);
}

#[test]
fn a_wait_beyond_the_deadline_is_not_begun() {
    let world =
        World::new([refusal(429, "TooManyRequests", "slow down").with("retry-after", "600")]);
    let error = world.run(world.tenant.grants_of_user(USER)).unwrap_err();
    assert_eq!(error.kind, Kind::Throttled);
    assert_eq!(error.retry_after, Some(Duration::from_mins(10)));
    assert!(world.clock.since_start() < Duration::from_secs(1));
    assert!(error.hint().contains("600 s"));
}

#[test]
fn a_service_that_hangs_takes_no_longer_than_the_deadline() {
    let world = World::new([Step::Hang, Step::Hang]);
    let tenant = world.tenant.with_deadline(Duration::from_secs(2));
    let error = world.run(tenant.grants_of_user(USER)).unwrap_err();
    assert_eq!(
        error.kind,
        Kind::TimedOut {
            effect_unknown: false
        }
    );
    assert!(world.clock.since_start() <= Duration::from_secs(2));
}

#[test]
fn one_lost_answer_is_asked_for_again() {
    for kind in [
        TransportErrorKind::Connect,
        TransportErrorKind::Reset,
        TransportErrorKind::Body,
    ] {
        let world = World::new([Step::Fail(kind), page(&json!([]), None)]);
        world.run(world.tenant.grants_of_user(USER)).unwrap();
    }
    let world = World::new([Step::Hang, page(&json!([]), None)]);
    world.run(world.tenant.grants_of_user(USER)).unwrap();
    assert!(world.clock.since_start() > Duration::from_secs(15));
}

#[test]
fn what_is_refused_says_what_is_missing() {
    let world = World::new([refusal(
        403,
        "Authorization_RequestDenied",
        "Insufficient privileges to complete the operation.",
    )]);
    let error = world
        .run(world.tenant.authentication_methods(USER))
        .unwrap_err();
    let Kind::PermissionMissing { permission, .. } = &error.kind else {
        panic!("{error}");
    };
    assert_eq!(permission, "UserAuthenticationMethod.Read.All");
    assert!(error.hint().contains("UserAuthenticationMethod.Read.All"));
    assert!(
        error
            .to_string()
            .contains("403 Authorization_RequestDenied")
    );

    let kinds = [
        (
            refusal(
                403,
                "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
                "Neither tenant is B2C or tenant doesn't have premium license",
            ),
            Kind::LicenceMissing,
        ),
        (
            refusal(
                404,
                "Request_ResourceNotFound",
                "Resource 'x' does not exist",
            ),
            Kind::NotFound,
        ),
        (raw(403, b"<html>blocked by proxy</html>"), Kind::Gateway),
        (refusal(403, "UnknownError", ""), Kind::Gateway),
        (empty(412), Kind::PreconditionFailed),
        (refusal(409, "Conflict", "x"), Kind::Conflict),
    ];
    for (step, kind) in kinds {
        let world = World::new([step]);
        let error = world.run(world.tenant.risk_detections(USER)).unwrap_err();
        assert_eq!(error.kind, kind);
        assert_eq!(world.services.seen().len(), 1, "not asked again");
    }
}

#[test]
fn names_with_quotes_hashes_and_percent_signs_stay_what_they_are() {
    let upn = "o'neil%2e#EXT#@tarn.example";
    let world = World::new([
        json_answer(200, &json!({"id": USER, "userPrincipalName": upn})),
        json_answer(200, &json!({"id": "sp", "appId": "a'b"})),
        page(&json!([]), None),
    ]);
    world.run(world.tenant.user(upn)).unwrap();
    world
        .run(world.tenant.service_principal_by_app_id("a'b"))
        .unwrap();
    world
        .run(world.tenant.grants_for_everybody("a'b&$top=1"))
        .unwrap();
    let seen = world.services.seen();
    assert!(
        seen[0]
            .url
            .starts_with("/v1.0/users/o%27neil%252e%23EXT%23%40tarn.example?")
    );
    assert_eq!(seen[1].url, "/v1.0/servicePrincipals(appId='a%27%27b')");
    assert_eq!(
        seen[2].url,
        "/v1.0/oauth2PermissionGrants?$filter=clientId%20eq%20%27a%27%27b%26%24top%3D1%27%20and%20consentType%20eq%20%27AllPrincipals%27"
    );

    for nothing in ["", "..", "."] {
        let world = World::new([]);
        let error = world.run(world.tenant.user(nothing)).unwrap_err();
        assert_eq!(error.kind, Kind::BadInput);
    }
}

#[test]
fn methods_of_unknown_kinds_are_kept() {
    let world = World::new([page(
        &json!([
            {"@odata.type": "#microsoft.graph.phoneAuthenticationMethod", "id": "p", "phoneNumber": "+1", "phoneType": "mobile"},
            {"@odata.type": "#microsoft.graph.brainwaveAuthenticationMethod", "id": "b", "frequency": 7},
        ]),
        None,
    )]);
    let methods = world
        .run(world.tenant.authentication_methods(USER))
        .unwrap()
        .value;
    assert_eq!(methods[0].kind(), MethodKind::Phone);
    assert_eq!(methods[1].kind(), MethodKind::Unknown);
    assert_eq!(methods[1].other["frequency"], 7);
}

#[test]
fn a_wrong_tenant_is_noticed_from_its_own_answer() {
    let organization = |id: &str| {
        page(
            &json!([{"id": id, "displayName": "Tarn", "verifiedDomains": [{"name": "tarn.example", "isDefault": true}]}]),
            None,
        )
    };
    let world = World::new([organization(TENANT), organization("other")]);
    let right = world.run(world.tenant.organization()).unwrap();
    assert_eq!(right.value.verified_domains[0].name, "tarn.example");
    let error = world.run(world.tenant.organization()).unwrap_err();
    assert_eq!(error.kind, Kind::WrongTenant);
}

#[test]
fn nobody_as_manager_is_an_answer() {
    let world = World::new([refusal(404, "Request_ResourceNotFound", "no manager")]);
    let read = world.run(world.tenant.manager(USER)).unwrap();
    assert_eq!(read.value, None);
    assert_eq!(read.answers[0].status, 404);
}

#[test]
fn reads_side_by_side_share_one_token_and_one_slow_source_holds_up_none() {
    let world = World::new([
        Step::Hang,
        json_answer(200, &json!({"id": USER, "userPrincipalName": UPN})),
        Step::Hang,
    ]);
    let tenant = world.tenant.with_deadline(Duration::from_secs(4));
    let clock = world.clock.clone();
    let (slow, user_done) = world.run(async {
        futures_util::join!(tenant.risk_detections(USER), async {
            tenant.user(UPN).await.unwrap();
            clock.since_start()
        })
    });
    assert!(slow.is_err());
    assert_eq!(user_done, Duration::from_millis(300));
    assert_eq!(world.services.token_requests().len(), 1);
}
