//! Nothing that names somebody and no secret gets on a tape, in whatever field and encoding.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::world::recorded;

/// What must not be found: a name, an address, a secret, identifiers of each form.
const SEEDS: [&str; 12] = [
    "Zyxwquorn Plimborg",
    "zyxwquorn.plimborg@plimborg-trading.com",
    "plimborg-trading.com",
    "hunter2-Vq!8r\u{e9}",
    "203.0.113.77",
    "2a02:8071:9d1:4b00::77",
    "9d41c1be-5c6a-4f0e-8b7b-3f2a5f1c7e55",
    "AAMkAGViNDU2Q0FBQUFBQUFB",
    "+49 170 5558812",
    "48151623420815",
    "2031-03-07",
    "RE: Zyxwquorn 'Plimborg'\u{202e} <x>",
];

/// How a text could be spelled elsewhere.
fn spellings(seed: &str) -> Vec<String> {
    let json = Value::from(seed).to_string();
    let twice = Value::from(json.clone()).to_string();
    let hex = seed
        .bytes()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect::<String>();
    let utf16: Vec<u8> = seed.encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        seed.to_owned(),
        seed.to_lowercase(),
        seed.to_uppercase(),
        json.trim_matches('"').to_owned(),
        twice.trim_matches(['"', '\\']).to_owned(),
        utf8_percent_encode(seed, NON_ALPHANUMERIC).to_string(),
        seed.replace(' ', "+"),
        seed.replace(' ', "%20"),
        seed.replace('\'', "''"),
        seed.replace('@', "_"),
        STANDARD.encode(seed).trim_end_matches('=').to_owned(),
        URL_SAFE_NO_PAD.encode(seed),
        STANDARD.encode(utf16).trim_end_matches('=').to_owned(),
        seed.chars().rev().collect(),
        hex.clone(),
        hex.to_uppercase(),
        seed.replace('-', ""),
    ]
}

fn clean(tape: &str) {
    let lower = tape.to_lowercase();
    for seed in SEEDS {
        for spelling in spellings(seed) {
            assert!(
                !lower.contains(&spelling.to_lowercase()),
                "{spelling:?} of {seed:?} is in {tape}"
            );
        }
    }
    // Not even a part of a name.
    for part in ["zyxwquorn", "plimborg", "hunter2", "5558812", "AAMkAG"] {
        assert!(!lower.contains(&part.to_lowercase()), "{part}: {tape}");
    }
}

/// Every text of a body becomes this seed, in one of the ways in which it could stand there.
fn flooded(value: &Value, seed: &str, ordinal: &mut usize) -> Value {
    match value {
        Value::String(_) => {
            *ordinal += 1;
            Value::from(match *ordinal % 9 {
                0 => format!("smtp:{seed}"),
                1 => json!([{"Name": seed, "Value": {"deep": [seed]}}]).to_string(),
                2 => STANDARD.encode(seed),
                3 => format!(
                    "https://graph.microsoft.com/v1.0/users('{seed}')/messages?$filter=x eq '{seed}'&$skiptoken={seed}#{seed}"
                ),
                4 => format!("The user {seed} was not found, {seed}."),
                5 => format!("{seed}\\{seed}"),
                6 => utf8_percent_encode(seed, NON_ALPHANUMERIC).to_string(),
                7 => format!("<a href=\"mailto:{seed}\">{seed}</a>\n{seed}"),
                _ => seed.to_owned(),
            })
        }
        Value::Array(items) => items
            .iter()
            .map(|item| flooded(item, seed, ordinal))
            .collect(),
        Value::Object(object) => object
            .iter()
            .map(|(key, item)| (key.clone(), flooded(item, seed, ordinal)))
            .collect(),
        other => other.clone(),
    }
}

/// Bodies of each service, as the documentation shows them.
fn bodies() -> Vec<Value> {
    vec![
        json!({"@odata.context": "c", "@odata.nextLink": "n", "value": [{
            "id": "i", "userPrincipalName": "u", "displayName": "d", "mail": "m", "city": "c",
            "accountEnabled": true, "proxyAddresses": ["p"], "userAgent": "a", "ipAddress": "i",
            "location": {"city": "c", "geoCoordinates": {"latitude": 52.51, "longitude": 13.4}},
            "status": {"errorCode": 50126, "failureReason": "f"}, "riskLevel": "r",
            "@odata.type": "t", "phoneNumber": "n", "conditions": {"subjectContains": ["s"]},
            "createdDateTime": "c", "extension_9d41c1be5c6a4f0e8b7b3f2a5f1c7e55_plimborg": "e",
            "customSecurityAttributes": {"Plimborg": {"Zyxwquorn": "v"}},
        }]}),
        json!({"error": {"code": "c", "message": "m", "innerError": {"request-id": "r", "date": "d"},
            "details": [{"code": "c", "message": "m", "target": "t"}]}}),
        json!({"error": "e", "error_description": "d", "error_codes": [7_000_215], "claims": "c",
            "suberror": "s", "correlation_id": "i", "error_uri": "u"}),
        json!({"requests": [{"id": "i", "method": "m", "url": "u", "headers": {"x": "h", "Prefer": "p"}, "body": {"a": "b"}}],
            "@odata.context": "c"}),
        json!({"responses": [{"id": "i", "status": 200, "headers": {"x": "h", "Location": "l"},
            "body": {"value": [{"displayName": "d", "id": "i"}]}, "other": "o"}]}),
        json!({"token_type": "t", "expires_in": 3599, "access_token": "a", "refresh_token": "r",
            "id_token": "i", "client_info": "c", "scope": "s"}),
        json!({"user_code": "u", "device_code": "d", "message": "m", "verification_uri": "v"}),
        json!({"CmdletInput": {"CmdletName": "n", "Parameters": {"Identity": "i", "Password": "p"}}}),
        json!({"passwordProfile": {"password": "p", "forceChangePasswordNextSignIn": true}}),
        json!({"value": [{"Operation": "o", "AuditData": "a", "Parameters":
            [{"Name": "n", "Value": "v"}], "RuleIdentity": 4_815_162_342_081_500_u64}]}),
    ]
}

#[tokio::test]
async fn no_seed_is_on_the_tape_in_any_spelling_whatever_field_it_stood_in() {
    let mut ordinal = 0;
    for seed in SEEDS {
        let encoded = utf8_percent_encode(seed, NON_ALPHANUMERIC).to_string();
        let plain = seed.is_ascii().then_some(seed);
        for body in bodies() {
            let body = Bytes::from(flooded(&body, seed, &mut ordinal).to_string());
            let request = http::Request::post(format!(
                "https://graph.microsoft.com/v1.0/users/{encoded}/mailFolders('{encoded}')/messages?$filter=a%20eq%20%27{encoded}%27%20and%20{encoded}&{encoded}={encoded}&$search={encoded}"
            ))
            .header("authorization", format!("Bearer {}", URL_SAFE_NO_PAD.encode(seed)))
            .header("prefer", plain.unwrap_or("x"))
            .header("content-type", "application/json")
            .body(body.clone())
            .unwrap();
            let answer = http::Response::builder()
                .status(401)
                .header(
                    "location",
                    format!("https://{encoded}/{encoded}?x={encoded}"),
                )
                .header("request-id", plain.unwrap_or("x"))
                .header("retry-after", plain.unwrap_or("7"))
                .header("set-cookie", format!("ESTS={encoded}"))
                .header(
                    "www-authenticate",
                    format!(
                        "Bearer realm=\"{encoded}\", claims=\"{}\", x=\"{encoded}\"",
                        STANDARD.encode(seed)
                    ),
                )
                .body(body)
                .unwrap();
            let (_dir, tape) = recorded(request, answer).await;
            clean(&tape);
        }
        let form = format!(
            "client_id={encoded}&client_secret={encoded}&client_assertion={encoded}&code={encoded}&username={encoded}&password={encoded}&refresh_token={encoded}&scope={encoded}&{encoded}={encoded}"
        );
        let request = http::Request::post("https://login.microsoftonline.com/t/oauth2/v2.0/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(form))
            .unwrap();
        // Neither is a body kept that is not understood.
        let answer = http::Response::new(Bytes::from(format!("<html>{seed}")));
        let (_dir, tape) = recorded(request, answer).await;
        clean(&tape);
        assert!(
            tape.contains("client_secret") && tape.contains("opaque"),
            "{tape}"
        );
    }
}

#[tokio::test]
async fn the_same_name_is_replaced_by_the_same_one_in_its_own_form_everywhere() {
    let (id, address) = (SEEDS[6], SEEDS[1]);
    let request = http::Request::get(format!(
        "https://graph.microsoft.com/v1.0/users/{id}/oauth2PermissionGrants?$filter=principalId%20eq%20'{id}'%20and%20mail%20eq%20'{address}'"
    ))
    .body(Bytes::new())
    .unwrap();
    let body = json!({"value": [{"id": id, "mail": address, "upper": id.to_uppercase(),
        "proxyAddresses": [format!("SMTP:{address}")], "ipAddress": "203.0.113.77",
        "guest": "zyxwquorn_plimborg-trading.com#EXT#@contoso.onmicrosoft.com",
        "createdDateTime": "2026-07-01T10:11:12.5Z", "riskLevel": "high", "count": 3}]});
    let answer = http::Response::new(Bytes::from(body.to_string()));
    let (dir, text) = recorded(request, answer).await;
    let tape = retake_tape::read(&dir.path().join("tape.jsonl")).unwrap();
    let exchange = &tape.exchanges[0].1;
    let one = &exchange.answer.as_ref().unwrap().body.json().unwrap()["value"][0];
    let (new, mail) = (one["id"].as_str().unwrap(), one["mail"].as_str().unwrap());
    assert_eq!(new.len(), 36);
    assert_eq!(new.matches('-').count(), 4);
    assert_eq!(one["upper"], new.to_uppercase());
    assert!(mail.ends_with(".example") && mail.contains('@'), "{mail}");
    assert_eq!(one["proxyAddresses"][0], format!("SMTP:{mail}"));
    let guest = one["guest"].as_str().unwrap();
    assert!(
        guest.contains("#EXT#@") && guest.ends_with(".onmicrosoft.com"),
        "{guest}"
    );
    // Nobody's, not even an address that a lab gives out: else a reader could not tell it from a leak.
    let ip: std::net::Ipv4Addr = one["ipAddress"].as_str().unwrap().parse().unwrap();
    assert!((240..255).contains(&ip.octets()[0]), "{ip}");
    assert_eq!(exchange.request.url.matches(new).count(), 2, "{text}");
    assert!(exchange.request.url.contains(mail), "{text}");
    // What the services say stays, and of a moment the time of day.
    assert_eq!(one["riskLevel"], "high");
    assert_eq!(one["count"], 3);
    let at = one["createdDateTime"].as_str().unwrap();
    assert!(
        at.ends_with("T10:11:12.5Z") && !at.starts_with("2026"),
        "{at}"
    );
    let shift = tape.header.started;
    assert!(shift.to_string().ends_with("T12:00:00Z"));
    assert!(
        !text.contains("6f9c2f0a") && !text.contains("11aa22bb"),
        "{text}"
    );
}
