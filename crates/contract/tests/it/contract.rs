//! The checker finds what is wrong and leaves alone what is right.

use retake_contract::{
    ALLOWED, Contract, Exchange, Verdict, exchanges, shared_dir, skip_without_shared,
};
use serde_json::{Value, json};

const USER: &str = "5b0f6d1e-3c55-4a8e-9c40-0d4b1d1f6a01";

fn contract() -> Option<Contract> {
    let Some(shared) = shared_dir() else {
        skip_without_shared("the OpenAPI subsets");
        return None;
    };
    Some(Contract::load(&shared).unwrap())
}

/// One exchange, from path to verdict. `null` stands for no body.
fn verdict(contract: &Contract, request: (&str, &str, Value), answer: (u16, Value)) -> Verdict {
    let bytes = |value: &Value| {
        if value.is_null() {
            Vec::new()
        } else {
            value.to_string().into_bytes()
        }
    };
    let found = exchanges(
        request.0,
        request.1,
        &bytes(&request.2),
        answer.0,
        &bytes(&answer.1),
    )
    .unwrap();
    let [exchange]: [Exchange; 1] = found.try_into().unwrap();
    contract.check(&exchange)
}

#[track_caller]
fn valid(contract: &Contract, request: (&str, &str, Value), answer: (u16, Value)) {
    let name = format!("{} {}", request.0, request.1);
    assert_eq!(verdict(contract, request, answer), Verdict::Valid, "{name}");
}

/// One thing is wrong, and what is said about it contains `expected`.
#[track_caller]
fn invalid(
    contract: &Contract,
    request: (&str, &str, Value),
    answer: (u16, Value),
    expected: &str,
) {
    match verdict(contract, request, answer) {
        Verdict::Invalid(wrong) => assert!(
            wrong.len() == 1 && wrong[0].contains(expected),
            "expected one complaint with {expected:?}, got {wrong:#?}"
        ),
        other => panic!("expected a complaint with {expected:?}, got {other:?}"),
    }
}

#[test]
fn a_block_is_valid_and_its_misspellings_are_not() {
    let Some(contract) = contract() else { return };
    let path = format!("/v1.0/users/{USER}");
    let patch = |body| ("PATCH", path.as_str(), body);
    valid(
        &contract,
        patch(json!({"accountEnabled": false})),
        (204, Value::Null),
    );
    invalid(
        &contract,
        patch(json!({"accountEnabled": "false"})),
        (204, Value::Null),
        "/accountEnabled",
    );
    invalid(
        &contract,
        patch(json!({"acountEnabled": false})),
        (204, Value::Null),
        "acountEnabled",
    );
    invalid(
        &contract,
        patch(Value::Null),
        (204, Value::Null),
        "body is missing",
    );
    invalid(
        &contract,
        patch(json!({"accountEnabled": false})),
        (301, Value::Null),
        "status 301",
    );
    invalid(
        &contract,
        patch(json!({"accountEnabled": false})),
        (204, json!({})),
        "a body",
    );
    valid(
        &contract,
        patch(json!({"passwordProfile": {"password": "x", "forceChangePasswordNextSignIn": true}})),
        (204, Value::Null),
    );
    invalid(
        &contract,
        patch(json!({"passwordProfile": {"password": "x", "forceChange": true}})),
        (204, Value::Null),
        "request/passwordProfile",
    );
}

#[test]
fn an_answer_of_the_wrong_type_with_an_unknown_property_or_a_null_is_caught() {
    let Some(contract) = contract() else { return };
    let get = || ("GET", "/v1.0/auditLogs/signIns?$top=1", Value::Null);
    let page = |changes: Value| {
        let mut sign_in = json!({
            "id": "66ea54eb-6301-4ee5-be62-ff5a759b0100",
            "createdDateTime": "2026-05-04T08:15:30.1234567Z",
            "userId": USER,
            "ipAddress": "203.0.113.7",
            "isInteractive": true,
            "riskLevelDuringSignIn": "none",
            "riskEventTypes_v2": [],
            "location": null,
            "status": {"errorCode": 0, "failureReason": "Other.", "additionalDetails": null},
        });
        for (key, value) in changes.as_object().unwrap() {
            sign_in[key] = value.clone();
        }
        json!({"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#auditLogs/signIns", "value": [sign_in]})
    };
    valid(&contract, get(), (200, page(json!({}))));
    valid(
        &contract,
        get(),
        (200, page(json!({"ipAddress@odata.type": "#String"}))),
    );
    for (changes, place) in [
        (json!({"isInteractive": "yes"}), "/value/0/isInteractive"),
        (
            json!({"status": {"errorCode": "0"}}),
            "/value/0/status/errorCode",
        ),
        (
            json!({"status": {"errorCode": 3_000_000_000_u32}}),
            "/value/0/status/errorCode",
        ),
        (
            json!({"createdDateTime": "yesterday"}),
            "/value/0/createdDateTime",
        ),
        (json!({"createdDateTime": null}), "/value/0/createdDateTime"),
        (json!({"userId": null}), "/value/0/userId"),
        (
            json!({"riskLevelDuringSignIn": "grave"}),
            "/value/0/riskLevelDuringSignIn",
        ),
        (
            json!({"riskEventTypes_v2": [null]}),
            "/value/0/riskEventTypes_v2/0",
        ),
        (json!({"location": {"town": "Essen"}}), "/value/0/location"),
        // Beta has it, v1.0 has not.
        (json!({"sessionId": "x"}), "sessionId"),
    ] {
        invalid(&contract, get(), (200, page(changes)), place);
    }
    invalid(&contract, get(), (206, page(json!({}))), "status 206");
    invalid(
        &contract,
        get(),
        (200, json!({"@odata.context": "x"})),
        "value",
    );
    invalid(&contract, get(), (200, Value::Null), "body is missing");
    let beta = ("GET", "/beta/auditLogs/signIns", Value::Null);
    valid(
        &contract,
        beta,
        (
            200,
            page(json!({"sessionId": "x", "incomingTokenType": "refreshToken"})),
        ),
    );
}

#[test]
fn a_method_is_judged_by_the_type_that_it_says_it_is() {
    let Some(contract) = contract() else { return };
    let path = format!("/v1.0/users/{USER}/authentication/methods");
    let answer = |method: Value| (200, json!({"value": [method]}));
    let get = || ("GET", path.as_str(), Value::Null);
    let phone = "#microsoft.graph.phoneAuthenticationMethod";
    valid(
        &contract,
        get(),
        answer(
            json!({"@odata.type": phone, "id": "1", "phoneNumber": "+49 201 5550100", "phoneType": "mobile"}),
        ),
    );
    invalid(
        &contract,
        get(),
        answer(json!({"@odata.type": phone, "id": "1", "emailAddress": "x@y.example"})),
        "emailAddress",
    );
    invalid(
        &contract,
        get(),
        answer(json!({"@odata.type": "#microsoft.graph.user", "id": "1"})),
        "/value/0/@odata.type",
    );
    invalid(&contract, get(), answer(json!({"id": "1"})), "@odata.type");
    let beta = path.replace("v1.0", "beta");
    let hardware = json!({"@odata.type": "#microsoft.graph.hardwareOathAuthenticationMethod", "id": "1", "serial": "x"});
    valid(&contract, ("GET", &beta, Value::Null), answer(hardware));
}

#[test]
fn directory_extensions_are_taken_and_misspelt_properties_of_a_user_are_not() {
    let Some(contract) = contract() else { return };
    let path = format!("/v1.0/users/{USER}?$select=displayName");
    let get = || ("GET", path.as_str(), Value::Null);
    let extension = format!("extension_{}_costCentre", "0".repeat(32));
    valid(
        &contract,
        get(),
        (200, json!({"displayName": "A", extension: "4711"})),
    );
    valid(
        &contract,
        get(),
        (200, json!({"displayName": "A", "manager": {"anything": 1}})),
    );
    invalid(
        &contract,
        get(),
        (200, json!({"display_name": "A"})),
        "display_name",
    );
}

#[test]
fn errors_are_held_to_their_shape_too() {
    let Some(contract) = contract() else { return };
    let path = format!("/v1.0/users/{USER}");
    let get = || ("GET", path.as_str(), Value::Null);
    let error = json!({"error": {
        "code": "Request_ResourceNotFound",
        "message": "Resource does not exist.",
        "innerError": {"date": "2026-05-04T08:15:30", "request-id": "a", "client-request-id": "b"},
    }});
    valid(&contract, get(), (404, error));
    valid(&contract, get(), (503, Value::Null));
    invalid(
        &contract,
        get(),
        (404, json!({"error": {"code": "x"}})),
        "message",
    );
    invalid(
        &contract,
        get(),
        (429, json!({"@odata.context": "x"})),
        "error",
    );
    let with_more = json!({"error": {"code": "x", "message": "y", "hint": "z"}});
    invalid(&contract, get(), (403, with_more), "hint");
}

#[test]
fn what_the_subset_does_not_have_is_unknown_and_not_valid() {
    let Some(contract) = contract() else { return };
    let of = |method: &str, path: &str| {
        verdict(&contract, (method, path, Value::Null), (200, json!({})))
    };
    assert_eq!(of("GET", "/v1.0/users/x/colour"), Verdict::Unknown);
    assert_eq!(of("DELETE", "/v1.0/organization"), Verdict::Unknown);
    assert_eq!(of("parameters", "/v1.0/users/x"), Verdict::Unknown);
}

#[test]
fn requests_to_other_services_are_none_of_its_business() {
    for path in [
        "/organizations/oauth2/v2.0/token",
        "/adminapi/beta/x/InvokeCommand",
        "/v1.0abc/users",
    ] {
        assert!(
            exchanges("POST", path, b"not json", 200, b"")
                .unwrap()
                .is_empty(),
            "{path}"
        );
    }
    let cut = exchanges("GET", "/v1.0/users", b"", 200, b"{\"value\":[");
    assert!(cut.unwrap_err().to_string().contains("answer is not JSON"));
}

#[test]
fn a_batch_comes_apart_and_each_part_is_judged() {
    let Some(contract) = contract() else { return };
    let sent = json!({"requests": [
        {"id": "1", "method": "GET", "url": "/users/x/mailFolders/inbox/messageRules"},
        {"id": "2", "method": "PATCH", "url": "users/x", "body": {"accountEnabled": 0},
         "headers": {"Content-Type": "application/json"}},
    ]});
    let came = json!({"responses": [
        {"id": "2", "status": 204, "headers": {}},
        {"id": "1", "status": 200, "headers": {}, "body": {"value": []}},
    ]});
    let read = |sent: &Value, came: &Value| {
        exchanges(
            "POST",
            "/v1.0/$batch",
            sent.to_string().as_bytes(),
            200,
            came.to_string().as_bytes(),
        )
    };
    let verdicts: Vec<Verdict> = read(&sent, &came)
        .unwrap()
        .iter()
        .map(|exchange| contract.check(exchange))
        .collect();
    assert_eq!(verdicts[0], Verdict::Valid);
    assert!(
        matches!(&verdicts[1], Verdict::Invalid(wrong) if wrong[0].contains("/accountEnabled"))
    );

    let mut one_missing = came.clone();
    one_missing["responses"].as_array_mut().unwrap().pop();
    assert!(
        read(&sent, &one_missing)
            .unwrap_err()
            .to_string()
            .contains("no answer to request 1")
    );
    let mut absolute = sent.clone();
    absolute["requests"][0]["url"] = json!("/v1.0/users/x");
    assert!(
        read(&absolute, &came)
            .unwrap_err()
            .to_string()
            .contains("not relative")
    );
}

#[test]
fn every_allowance_names_its_source() {
    for allowance in ALLOWED {
        assert!(
            allowance.source.contains("reference §"),
            "{allowance:?} has no section of the reference"
        );
    }
}
