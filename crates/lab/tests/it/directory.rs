//! Users, methods, consents, and who may change them.

use serde_json::json;

use crate::support::Story;

#[test]
fn a_block_reads_back_and_says_what_changed() {
    // reference §2.1
    let mut story = Story::new(1);
    let before = story.account();
    assert_eq!(before["accountEnabled"], true);
    let id = before["id"].as_str().unwrap().to_owned();
    let seen = story.graph(
        "PATCH",
        &format!("/v1.0/users/{id}"),
        Some(json!({"accountEnabled": false})),
    );
    assert_eq!((seen.status, seen.raw.len()), (204, 0));
    let line = story.lab.trace().last().unwrap().clone();
    assert_eq!(line.actor.to_string(), "responder");
    assert_eq!(line.target.as_ref().unwrap().id, id);
    assert_eq!(
        line.effect.unwrap()["fields"]["accountEnabled"],
        json!([true, false])
    );
    story.wait(jiff::SignedDuration::from_mins(5));
    assert_eq!(story.account()["accountEnabled"], false);
}

#[test]
fn an_unknown_user_is_a_404_in_graphs_words() {
    // reference §10.1; ids with signs that break a path or a filter
    let mut story = Story::new(1);
    for key in [
        "nobody@nowhere.example",
        "o%27brien%40x.example",
        "x%23EXT%23%40y.onmicrosoft.com",
        "50%25",
    ] {
        let seen = story.get(&format!("/v1.0/users/{key}"));
        assert_eq!(
            (seen.status, seen.code()),
            (404, "Request_ResourceNotFound"),
            "{key}"
        );
        assert!(seen.body["error"]["innerError"]["request-id"].is_string());
    }
    let seen = story.get("/v1.0/users?$filter=userPrincipalName%20eq%20'o''brien@x.example'");
    assert_eq!((seen.status, seen.list().len()), (200, 0));
    let seen = story.get("/v1.0/users?$filter=userPrincipalName%20like%20'x'");
    assert_eq!(
        (seen.status, seen.code()),
        (400, "Request_UnsupportedQuery")
    );
    let user = story.user();
    let seen = story.get(&format!("/v1.0/users/{user}?$select=id,nonsense"));
    assert_eq!(seen.status, 400);
}

#[test]
fn a_list_is_followed_to_its_end() {
    // reference §2.1
    let mut story = Story::new(1);
    let all = story.get("/v1.0/users?$top=999").list().len();
    let mut next = String::from("/v1.0/users?$top=2");
    let (mut seen, mut pages) = (0, 0);
    loop {
        let page = story.get(&next);
        seen += page.list().len();
        pages += 1;
        let Some(link) = page.body["@odata.nextLink"].as_str() else {
            break;
        };
        link.trim_start_matches("https://graph.microsoft.com")
            .clone_into(&mut next);
    }
    assert_eq!(seen, all);
    assert!(pages > 1);
}

#[test]
fn the_default_method_goes_last() {
    // reference §2.3: refused with 400 while others remain, then 204
    let mut story = Story::new(1);
    let user = story.user();
    let base = format!("/v1.0/users/{user}/authentication");
    let listed = story.get(&format!("{base}/methods"));
    let typed = |kind: &str| match kind {
        "#microsoft.graph.phoneAuthenticationMethod" => Some("phoneMethods"),
        "#microsoft.graph.emailAuthenticationMethod" => Some("emailMethods"),
        "#microsoft.graph.microsoftAuthenticatorAuthenticationMethod" => {
            Some("microsoftAuthenticatorMethods")
        }
        "#microsoft.graph.softwareOathAuthenticationMethod" => Some("softwareOathMethods"),
        "#microsoft.graph.fido2AuthenticationMethod" => Some("fido2Methods"),
        _ => None,
    };
    let mut open: Vec<String> = listed
        .list()
        .iter()
        .filter_map(|method| {
            let segment = typed(method["@odata.type"].as_str().unwrap())?;
            Some(format!(
                "{base}/{segment}/{}",
                method["id"].as_str().unwrap()
            ))
        })
        .collect();
    assert!(open.len() >= 2, "{listed:?}");
    let (mut passes, mut refused) = (0, 0);
    while !open.is_empty() {
        let mut left = Vec::new();
        for path in open {
            let seen = story.graph("DELETE", &path, None);
            if seen.status == 400 {
                assert_eq!(seen.code(), "badRequest");
                refused += 1;
                left.push(path);
            } else {
                assert_eq!(seen.status, 204, "{:?}", seen.body);
            }
        }
        open = left;
        passes += 1;
        assert!(passes < 5);
    }
    let refusals = refused;
    let gone = story.get(&format!("{base}/methods"));
    let kinds: Vec<&str> = gone
        .list()
        .iter()
        .filter_map(|m| m["@odata.type"].as_str())
        .filter(|k| typed(k).is_some())
        .collect();
    assert_eq!(kinds, [""; 0]);
    // Whether a refusal came depends on where the seed put the default.
    assert!(refusals <= 3);
    // The untyped path does not delete at all.
    let seen = story.graph(
        "DELETE",
        &format!("{base}/methods/28c10230-6103-485e-b985-444c60001490"),
        None,
    );
    assert_eq!(seen.status, 404);
}

#[test]
fn a_temporary_access_pass_is_shown_once() {
    // reference §2.4
    let mut story = Story::new(1);
    let user = story.user();
    let path = format!("/v1.0/users/{user}/authentication/temporaryAccessPassMethods");
    let made = story.graph(
        "POST",
        &path,
        Some(json!({"lifetimeInMinutes": 60, "isUsableOnce": true})),
    );
    assert_eq!(made.status, 201, "{:?}", made.body);
    let pass = made.body["temporaryAccessPass"]
        .as_str()
        .unwrap()
        .to_owned();
    let listed = story.get(&path);
    assert_eq!(listed.list().len(), 1);
    assert!(listed.list()[0]["temporaryAccessPass"].is_null());
    assert!(
        !story.lab.trace_jsonl().contains(&pass),
        "never in the trace"
    );
    let bad = story.graph("POST", &path, Some(json!({"lifetimeInMinutes": 5})));
    assert_eq!(bad.status, 400);
}

#[test]
fn a_grant_can_be_listed_narrowed_and_deleted_but_never_dated() {
    // reference §5
    let mut story = Story::new(1);
    let id = story.account()["id"].as_str().unwrap().to_owned();
    let listed = story.get(&format!("/v1.0/users/{id}/oauth2PermissionGrants"));
    assert!(!listed.list().is_empty());
    assert!(
        listed
            .list()
            .iter()
            .all(|grant| grant["principalId"] == json!(id))
    );
    let everyone =
        story.get("/v1.0/oauth2PermissionGrants?$filter=consentType%20eq%20'AllPrincipals'");
    assert!(
        everyone
            .list()
            .iter()
            .all(|grant| grant["principalId"].is_null())
    );
    let grant = listed.list()[0].clone();
    let path = format!(
        "/v1.0/oauth2PermissionGrants/{}",
        grant["id"].as_str().unwrap()
    );
    let app = story.get(&format!(
        "/v1.0/servicePrincipals/{}",
        grant["clientId"].as_str().unwrap()
    ));
    assert_eq!(app.status, 200);
    let by_app = story.get(&format!(
        "/v1.0/servicePrincipals(appId='{}')",
        app.body["appId"].as_str().unwrap()
    ));
    assert_eq!(by_app.body["id"], app.body["id"]);
    assert_eq!(
        story
            .graph("PATCH", &path, Some(json!({"scope": "User.Read"})))
            .status,
        204
    );
    assert_eq!(story.get(&path).body["scope"], " User.Read");
    assert_eq!(story.graph("DELETE", &path, None).status, 204);
    assert_eq!(story.get(&path).status, 404);
    // Put back, it is the same consent under another id.
    let mut back = grant.clone();
    back.as_object_mut().unwrap().remove("id");
    let made = story.graph("POST", "/v1.0/oauth2PermissionGrants", Some(back.clone()));
    assert_eq!(made.status, 201, "{:?}", made.body);
    assert_eq!(made.body["scope"], grant["scope"]);
    assert_eq!(
        story
            .graph("POST", "/v1.0/oauth2PermissionGrants", Some(back))
            .status,
        409
    );
}

#[test]
fn an_operator_without_the_role_is_refused_what_the_app_may_do() {
    // reference §2.1, §10.1: permission and role
    let mut story = Story::new(1);
    let token = {
        // The same registration for a user who holds no role at all.
        let id = story.lab.briefing().client_id.clone();
        let code = story.token(
            "devicecode",
            &[
                ("client_id", &id),
                ("scope", "https://graph.microsoft.com/.default"),
            ],
        );
        let user = story.user();
        let user_code = code.body["user_code"].as_str().unwrap().to_owned();
        assert!(story.lab.approve_device_code(&user_code, &user, story.now));
        let seen = story.token(
            "token",
            &[
                ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
                ("client_id", &id),
                ("device_code", code.body["device_code"].as_str().unwrap()),
            ],
        );
        seen.body["access_token"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let operator = story.lab.briefing().operator.clone();
    let seen = story.graph_as(
        &token,
        "PATCH",
        &format!("/v1.0/users/{operator}"),
        Some(json!({"accountEnabled": false})),
    );
    assert_eq!(
        (seen.status, seen.code()),
        (403, "Authorization_RequestDenied")
    );
}

#[test]
fn a_batch_answers_each_request_by_its_id() {
    // reference §10
    let mut story = Story::new(1);
    let user = story.user();
    let seen = story.graph(
        "POST",
        "/v1.0/$batch",
        Some(json!({"requests": [
            {"id": "1", "method": "GET", "url": format!("/users/{user}?$select=id")},
            {"id": "2", "method": "GET", "url": "/users/nobody@nowhere.example"},
            {"id": "3", "method": "GET", "url": "/organization", "dependsOn": ["2"]},
        ]})),
    );
    let status = |id: &str| {
        seen.body["responses"]
            .as_array()
            .unwrap()
            .iter()
            .find(|r| r["id"] == id)
            .unwrap()["status"]
            .clone()
    };
    assert_eq!(
        (status("1"), status("2"), status("3")),
        (json!(200), json!(404), json!(424))
    );
    let twice = story.graph(
        "POST",
        "/v1.0/$batch",
        Some(json!({"requests": [{"id": "a", "method": "GET", "url": "/me"}, {"id": "A", "method": "GET", "url": "/me"}]})),
    );
    assert_eq!(twice.status, 400);
}

#[test]
fn the_default_shapes_hold() {
    let mut story = Story::new(5);
    let user = story.user();
    for path in [
        "/v1.0/organization",
        "/v1.0/subscribedSkus",
        "/v1.0/domains",
        "/v1.0/servicePrincipals?$top=5",
        "/v1.0/roleManagement/directory/roleDefinitions",
        "/v1.0/policies/authorizationPolicy",
        "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy",
    ] {
        let seen = story.get(path);
        assert!(
            seen.status == 200 || seen.status == 403,
            "{path}: {:?}",
            seen.body
        );
    }
    for below in [
        "",
        "/memberOf",
        "/transitiveMemberOf",
        "/manager",
        "/mailboxSettings",
        "/mailFolders",
        "/messages?$top=3",
        "/authentication/methods",
    ] {
        for version in ["v1.0", "beta"] {
            let seen = story.get(&format!("/{version}/users/{user}{below}"));
            assert!(
                seen.status == 200 || seen.status == 404,
                "{below}: {:?}",
                seen.body
            );
        }
    }
    let full = story.get(&format!("/v1.0/users/{user}?$select=*"));
    assert_eq!(full.status, 200);
    let preferences = story.get(&format!(
        "/beta/users/{user}/authentication/signInPreferences"
    ));
    assert_eq!(preferences.status, 200);
    assert_eq!(
        story
            .get(&format!(
                "/v1.0/users/{user}/authentication/signInPreferences"
            ))
            .status,
        404
    );
    assert_eq!(story.get("/v1.0/nonsense").status, 404);
}
