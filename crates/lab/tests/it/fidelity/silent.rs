//! Where the documentation is silent, the lab can go either way, and each way
//! shows (reference: whatever is marked as not confirmed).

use jiff::SignedDuration;
use retake_lab::{Act, Acted, Fault, FaultKind, SWITCHES};
use serde_json::{Value, json};

use super::sign_in::{Signer, claims, with_assertion};
use crate::support::{Seen, Story};

/// What a client sees of a switch.
type Probe = fn(&mut Story) -> String;

/// One probe for each switch.
const PROBES: &[(&str, Probe)] = &[
    ("alternate_mobile_text", |story| {
        let methods = two_phones(story);
        let mobile = format!("{methods}/phoneMethods/3179e48a-750b-4051-897c-87b9720928f7");
        story.graph("DELETE", &mobile, None).body["error"]["message"].to_string()
    }),
    ("audit_search_v1", |story| {
        let body = json!({"displayName": "x", "filterStartDateTime": "2026-01-01T00:00:00Z", "filterEndDateTime": "2026-01-02T00:00:00Z"});
        let made = story.graph("POST", "/v1.0/security/auditLog/queries", Some(body));
        format!("{} {}", made.status, made.code())
    }),
    ("bind_limit", |story| {
        let user = story.user();
        for number in 0..1_100 {
            let session = format!("session-{number}");
            story.lab.act(
                Act::ReadInSession {
                    user: &user,
                    session: &session,
                },
                story.now,
            );
        }
        story.wait(SignedDuration::from_mins(100));
        story.renew();
        let (_, records, _) = super::records::search(story, &["MailItemsAccessed"]);
        let stopped =
            |record: &Value| record["auditData"]["OperationProperties"][1]["Value"] == "True";
        records.iter().any(stopped).to_string()
    }),
    ("default_method_text", |story| {
        let methods = two_phones(story);
        let all = story.get(&format!("{methods}/methods"));
        let said: Vec<String> = all
            .list()
            .iter()
            .map(|method| {
                let segment = match method["@odata.type"].as_str().unwrap() {
                    "#microsoft.graph.phoneAuthenticationMethod" => "phoneMethods",
                    "#microsoft.graph.microsoftAuthenticatorAuthenticationMethod" => {
                        "microsoftAuthenticatorMethods"
                    }
                    _ => return String::new(),
                };
                let id = method["id"].as_str().unwrap();
                let gone = story.graph("DELETE", &format!("{methods}/{segment}/{id}"), None);
                gone.body["error"]["message"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            })
            .filter(|text| text.to_lowercase().contains("default"))
            .map(|text| {
                text.contains("default method with other methods")
                    .to_string()
            })
            .collect();
        said.join(" ")
    }),
    ("deleted_method", |story| {
        let methods = two_phones(story);
        let id = "b6332ec1-7057-4abe-9331-3d72feddfe41";
        let gone = story.graph("DELETE", &format!("{methods}/phoneMethods/{id}"), None);
        assert_eq!(gone.status, 204);
        let list = story.get(&format!("{methods}/methods"));
        list.list()
            .iter()
            .any(|method| method["id"] == id)
            .to_string()
    }),
    ("device_after_revoke", |story| {
        let user = story.user();
        let act = Act::RegisterDevice {
            user: &user,
            hello: true,
        };
        let Acted::Done(device) = story.lab.act(act, story.now) else {
            return String::new();
        };
        story.wait(SignedDuration::from_mins(1));
        let path = format!("/v1.0/users/{user}/revokeSignInSessions");
        assert_eq!(story.graph("POST", &path, Some(json!({}))).status, 200);
        story.wait(SignedDuration::from_mins(10));
        format!(
            "{:?}",
            story.lab.act(Act::UseDevice { device: &device }, story.now)
        )
    }),
    ("restricted_text", |story| {
        let user = story.user();
        story.lab.act(Act::Restrict { user: &user }, story.now);
        let block = json!({"accountEnabled": false});
        let seen = story.graph("PATCH", &format!("/v1.0/users/{user}"), Some(block));
        assert_eq!(seen.code(), "Authorization_RequestDenied");
        seen.body["error"]["message"].to_string()
    }),
    ("app_service", |story| {
        let header = story.lab.briefing().identity_header.clone();
        let uri = "http://localhost:4141/msi/token?api-version=2019-08-01&resource=https://graph.microsoft.com";
        story
            .fetch(uri, &[("x-identity-header", &header)])
            .status
            .to_string()
    }),
    ("assertion_time", |story| {
        let signer = Signer::of(&story.lab.briefing().certificate_pem);
        let mut claims = claims(story);
        claims["exp"] = json!(story.now.as_second() - 3600);
        let assertion = signer.sign("PS256", &claims);
        with_assertion(story, &assertion).body["error_codes"].to_string()
    }),
    ("block_permission", |story| {
        for name in ["User.Read.All", "Directory.Read.All"] {
            assert!(story.lab.set_permission(name, false));
        }
        story.renew();
        let path = format!("/v1.0/users/{}", story.user());
        let block = json!({"accountEnabled": false});
        story.graph("PATCH", &path, Some(block)).status.to_string()
    }),
    ("challenge_body", |story| {
        challenged(story).body["error"]["message"].to_string()
    }),
    ("challenge_header", |story| {
        let seen = challenged(story);
        let all: Vec<&str> = seen
            .headers
            .get_all("www-authenticate")
            .iter()
            .map(|value| value.to_str().unwrap())
            .collect();
        assert!(all.iter().any(|text| text.contains("insufficient_claims")));
        all.join("\n")
    }),
    ("code_life", |story| {
        let operator = story.lab.briefing().operator.clone();
        let (tenant, id) = {
            let briefing = story.lab.briefing();
            (briefing.tenant_id.clone(), briefing.client_id.clone())
        };
        let cookie = story.lab.browser_session(&operator, story.now).unwrap();
        let seen = story.fetch(
            &format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize?client_id={id}&response_type=code&redirect_uri=http://localhost&scope=openid"),
            &[("cookie", &cookie)],
        );
        let to = seen.headers["location"].to_str().unwrap();
        let code = to
            .split("code=")
            .nth(1)
            .unwrap()
            .split('&')
            .next()
            .unwrap()
            .to_owned();
        story.wait(SignedDuration::from_mins(5));
        story
            .token(
                "token",
                &[
                    ("grant_type", "authorization_code"),
                    ("client_id", &id),
                    ("code", &code),
                    ("redirect_uri", "http://localhost"),
                ],
            )
            .status
            .to_string()
    }),
    ("confirm_role", |story| {
        story.lab.set_role("Security Operator", false);
        let token = operator(story);
        let user = story.user();
        let body = json!({"userIds": [user]});
        let path = "/v1.0/identityProtection/riskyUsers/confirmCompromised";
        (story.graph_as(&token, "POST", path, Some(body)).status == 403).to_string()
    }),
    ("exchange_front_door", |story| {
        let seen = mailbox(story, json!({}));
        let to = seen
            .headers
            .get("location")
            .map(|to| to.to_str().unwrap().contains(":446/"));
        format!("{} {to:?}", seen.status)
    }),
    ("exchange_limit", |story| {
        let statuses: Vec<u16> = (0..401)
            .map(|_| story.cmdlet("Get-RemoteDomain", json!({})).status)
            .collect();
        assert!(statuses[..400].iter().all(|status| *status == 200));
        statuses[400].to_string()
    }),
    ("exchange_missing", |story| {
        let seen = story.cmdlet("Get-Mailbox", json!({"Identity": "nobody@nowhere.example"}));
        let text = seen.body["error"]["details"][0]["message"]
            .as_str()
            .unwrap();
        assert!(text.contains("ManagementObjectNotFoundException"));
        format!("{} {}", seen.status, seen.code())
    }),
    ("exchange_page_size", |story| {
        // A hundred and more rules in one mailbox.
        let user = story.user();
        for number in 0..110 {
            let rule = json!({"Mailbox": user, "Name": format!("r{number}"), "SubjectContainsWords": ["x"], "MarkAsRead": true});
            assert_eq!(story.cmdlet("New-InboxRule", rule).status, 200);
        }
        let seen = story.cmdlet("Get-InboxRule", json!({"Mailbox": user}));
        seen.body.get("@odata.nextLink").is_some().to_string()
    }),
    ("exchange_pages", |story| {
        let body =
            json!({"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {}}}).to_string();
        let tenant = story.lab.briefing().tenant_id.clone();
        let mut uri = format!("https://outlook.office365.com/adminapi/beta/{tenant}/InvokeCommand");
        let mut status = 0;
        for _ in 0..2 {
            let request = http::Request::post(&uri)
                .header("authorization", format!("Bearer {}", story.exchange))
                .header("prefer", "odata.maxpagesize=2")
                .body(bytes::Bytes::from(body.clone()))
                .unwrap();
            let seen = story.send(request);
            status = seen.status;
            seen.body["@odata.nextLink"]
                .as_str()
                .unwrap_or_default()
                .clone_into(&mut uri);
        }
        status.to_string()
    }),
    ("exchange_rate_headers", |story| {
        mailbox(story, json!({}))
            .headers
            .contains_key("rate-limit-remaining")
            .to_string()
    }),
    ("exchange_throttle_body", |story| {
        let kind = FaultKind::Throttle { retry_after: None };
        story
            .lab
            .inject(Fault::on_path("/InvokeCommand", kind).times(1));
        let seen = mailbox(story, json!({}));
        assert_eq!(seen.status, 429);
        format!("{} {}", seen.raw.len().min(1), seen.body.is_object())
    }),
    ("interaction_details", |story| {
        story
            .lab
            .inject(Fault::on_path("/token", FaultKind::ClaimsChallenge).times(1));
        let seen = story.token("token", &[("grant_type", "refresh_token")]);
        assert_eq!(seen.body["error"], "interaction_required");
        seen.body.get("claims").is_some().to_string()
    }),
    ("lost_consent", |story| {
        let got = story.operator_token(&[]);
        let refresh = got.body["refresh_token"].as_str().unwrap().to_owned();
        let id = story.lab.briefing().client_id.clone();
        let mine = story
            .get(&format!("/v1.0/servicePrincipals(appId='{id}')?$select=id"))
            .body["id"]
            .clone();
        for grant in story.get("/v1.0/oauth2PermissionGrants").list().to_vec() {
            if grant["clientId"] == mine {
                story.graph(
                    "DELETE",
                    &format!(
                        "/v1.0/oauth2PermissionGrants/{}",
                        grant["id"].as_str().unwrap()
                    ),
                    None,
                );
            }
        }
        let seen = story.token(
            "token",
            &[
                ("grant_type", "refresh_token"),
                ("client_id", &id),
                ("refresh_token", &refresh),
            ],
        );
        seen.body["error_codes"].to_string()
    }),
    ("mail_denied_text", |story| {
        assert!(story.lab.set_permission("MailboxSettings.ReadWrite", false));
        story.renew();
        let path = format!(
            "/v1.0/users/{}/mailFolders/inbox/messageRules",
            story.user()
        );
        let seen = story.get(&path);
        assert_eq!(seen.code(), "ErrorAccessDenied");
        seen.body["error"]["message"].to_string()
    }),
    ("modified_properties", |story| {
        let user = story.user();
        let set = json!({"Identity": user, "ImapEnabled": false});
        assert_eq!(story.cmdlet("Set-CASMailbox", set).status, 200);
        story.wait(SignedDuration::from_mins(95));
        let (_, records, _) = super::records::search(story, &["Set-CASMailbox"]);
        records[0]["auditData"]["ModifiedProperties"].to_string()
    }),
    ("outlook_concurrency", |story| {
        let users = story
            .get("/v1.0/users?$select=userPrincipalName,mail")
            .list()
            .to_vec();
        let with_mail: Vec<String> = users
            .iter()
            .filter(|user| user["mail"].is_string())
            .map(|user| user["userPrincipalName"].as_str().unwrap().to_owned())
            .collect();
        assert!(with_mail.len() >= 5);
        // Five requests at the same moment, to as many mailboxes.
        let statuses: Vec<u16> = with_mail[..5]
            .iter()
            .map(|user| {
                let request = http::Request::get(format!(
                    "https://graph.microsoft.com/v1.0/users/{user}/mailboxSettings"
                ))
                .header("authorization", format!("Bearer {}", story.graph))
                .body(bytes::Bytes::new())
                .unwrap();
                match story
                    .lab
                    .handle(retake_lab::Call { request, round: 1 }, story.now)
                {
                    retake_lab::Reply::Answer { response, .. } => response.status().as_u16(),
                    _ => 0,
                }
            })
            .collect();
        format!("{statuses:?}")
    }),
    ("read_methods_role", |story| {
        for role in [
            "Privileged Authentication Administrator",
            "Security Operator",
        ] {
            story.lab.set_role(role, false);
        }
        let token = operator(story);
        let path = format!("/v1.0/users/{}/authentication/methods", story.user());
        story
            .graph_as(&token, "GET", &path, None)
            .status
            .to_string()
    }),
    ("reset_row", |story| {
        // A client with a secret holds another class of refresh token.
        let secret = story.lab.briefing().client_secret.clone();
        let got = story.operator_token(&[("client_secret", &secret)]);
        let refresh = got.body["refresh_token"].as_str().unwrap().to_owned();
        let (id, operator) = {
            let briefing = story.lab.briefing();
            (briefing.client_id.clone(), briefing.operator.clone())
        };
        let reset = json!({"passwordProfile": {"password": "Kx81-hq!_Trp02-wz", "forceChangePasswordNextSignIn": false}});
        assert_eq!(
            story
                .graph("PATCH", &format!("/v1.0/users/{operator}"), Some(reset))
                .status,
            204
        );
        story.wait(SignedDuration::from_mins(10));
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", id.as_str()),
            ("client_secret", secret.as_str()),
            ("refresh_token", refresh.as_str()),
        ];
        story.token("token", &fields).status.to_string()
    }),
    ("retry_after", |story| {
        let path = "/v1.0/admin/exchange/tracing/messageTraces?$top=1";
        for _ in 0..100 {
            story.get(path);
        }
        let seen = story.get(path);
        assert_eq!(seen.status, 429);
        seen.headers.contains_key("retry-after").to_string()
    }),
    ("revoke_role", |story| {
        for role in [
            "User Administrator",
            "Privileged Authentication Administrator",
        ] {
            story.lab.set_role(role, false);
        }
        let token = operator(story);
        let path = format!("/v1.0/users/{}/revokeSignInSessions", story.user());
        story
            .graph_as(&token, "POST", &path, Some(json!({})))
            .status
            .to_string()
    }),
    ("role_removal", |story| {
        let path = format!("/v1.0/users/{}", story.user());
        for role in [
            "User Administrator",
            "Privileged Authentication Administrator",
        ] {
            assert!(story.lab.set_role(role, false));
        }
        let reset = json!({"passwordProfile": {"password": "Kx81-hq!_Trp02-wz"}});
        story.graph("PATCH", &path, Some(reset)).status.to_string()
    }),
    ("rs256_with_sha256", |story| {
        let signer = Signer::of(&story.lab.briefing().certificate_pem);
        let assertion = signer.sign("mixed", &claims(story));
        with_assertion(story, &assertion).status.to_string()
    }),
];

/// A mobile and an alternate mobile number for the affected user; the path of its
/// methods.
fn two_phones(story: &mut Story) -> String {
    let methods = format!("/v1.0/users/{}/authentication", story.user());
    for kind in ["mobile", "alternateMobile"] {
        let body = json!({"phoneType": kind, "phoneNumber": "+49 30 23125000"});
        story.graph("POST", &format!("{methods}/phoneMethods"), Some(body));
    }
    methods
}

fn challenged(story: &mut Story) -> Seen {
    story
        .lab
        .inject(Fault::on_path("/users/", FaultKind::ClaimsChallenge).times(1));
    let path = format!("/v1.0/users/{}", story.user());
    let seen = story.get(&path);
    assert_eq!(seen.status, 401);
    seen
}

fn operator(story: &mut Story) -> String {
    let got = story.operator_token(&[]);
    got.body["access_token"].as_str().unwrap().to_owned()
}

fn mailbox(story: &mut Story, mut parameters: Value) -> Seen {
    parameters["Identity"] = json!(story.user());
    story.cmdlet("Get-Mailbox", parameters)
}

#[test]
fn every_switch_has_a_probe_and_every_variant_shows() {
    for switch in SWITCHES {
        let Some((_, probe)) = PROBES.iter().find(|(name, _)| *name == switch.name) else {
            panic!("{} has no probe", switch.name);
        };
        let mut seen = std::collections::BTreeMap::new();
        for (variant, _) in switch.variants {
            let mut story = Story::new(1);
            story.lab.set_unconfirmed(switch.name, variant).unwrap();
            let shown = probe(&mut story);
            if let Some(other) = seen.insert(shown.clone(), variant) {
                panic!("{}: {other} and {variant} both show {shown}", switch.name);
            }
            if *variant == switch.variants[0].0 {
                let mut plain = Story::new(1);
                assert_eq!(probe(&mut plain), shown, "{}: the default", switch.name);
            }
        }
    }
}
