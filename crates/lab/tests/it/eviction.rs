//! The whole attack evicted by hand, through the services alone, as any client
//! would do it; nothing but the public interface of the lab is used.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use retake_lab::{Ask, Call, Lab, Reply, Scenario};
use serde_json::{Value, json};

struct Hands {
    lab: Lab,
    now: Timestamp,
    graph: String,
    exchange: String,
    user: String,
}

impl Hands {
    fn at_the_alert(seed: u64) -> Self {
        let scenario = Scenario::find("invoice-fraud").unwrap();
        let lab = Lab::new(&scenario, seed).unwrap();
        let now = lab.start();
        let mut hands = Self {
            lab,
            now,
            graph: String::new(),
            exchange: String::new(),
            user: String::new(),
        };
        hands.renew_tokens();
        let truth = hands.truth();
        truth["account"]["id"]
            .as_str()
            .unwrap()
            .clone_into(&mut hands.user);
        hands
    }

    fn renew_tokens(&mut self) {
        self.graph = self.token("https://graph.microsoft.com/.default");
        self.exchange = self.token("https://outlook.office365.com/.default");
    }

    fn truth(&self) -> Value {
        self.lab.trace()[0].effect.as_ref().unwrap()["truth"].clone()
    }

    fn send(
        &mut self,
        method: &str,
        uri: &str,
        token: &str,
        kind: &str,
        body: String,
    ) -> (u16, Value) {
        self.now = self
            .now
            .checked_add(SignedDuration::from_millis(150))
            .unwrap();
        let request = http::Request::builder()
            .method(method)
            .uri(uri)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", kind)
            .body(Bytes::from(body))
            .unwrap();
        match self.lab.handle(Call { request, round: 1 }, self.now) {
            Reply::Answer { response, .. } => (
                response.status().as_u16(),
                serde_json::from_slice(response.body()).unwrap_or(Value::Null),
            ),
            other => panic!("{other:?}"),
        }
    }

    fn token(&mut self, scope: &str) -> String {
        let briefing = self.lab.briefing().clone();
        let body = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}&scope={}",
            briefing.client_id,
            url::form_urlencoded::byte_serialize(briefing.client_secret.as_bytes())
                .collect::<String>(),
            url::form_urlencoded::byte_serialize(scope.as_bytes()).collect::<String>(),
        );
        let uri = format!("/{}/oauth2/v2.0/token", briefing.tenant_id);
        let (status, answer) =
            self.send("POST", &uri, "", "application/x-www-form-urlencoded", body);
        assert_eq!(status, 200, "{answer}");
        answer["access_token"].as_str().unwrap().to_owned()
    }

    fn graph(&mut self, method: &str, path: &str, body: Value) -> Value {
        let body = if body.is_null() && method == "POST" {
            String::from("{}")
        } else if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let token = self.graph.clone();
        let (status, answer) = self.send(
            method,
            &format!("/v1.0{path}"),
            &token,
            "application/json",
            body,
        );
        assert!(status < 300, "{method} {path}: {status} {answer}");
        answer
    }

    fn cmdlet(&mut self, name: &str, parameters: Value) -> Value {
        let tenant = self.lab.briefing().tenant_id.clone();
        let body = json!({"CmdletInput": {"CmdletName": name, "Parameters": parameters}});
        let token = self.exchange.clone();
        let uri = format!("/adminapi/beta/{tenant}/InvokeCommand");
        let (status, answer) =
            self.send("POST", &uri, &token, "application/json", body.to_string());
        assert!(status < 300, "{name}: {status} {answer}");
        answer
    }

    fn wait(&mut self, length: SignedDuration) {
        self.now = self.now.checked_add(length).unwrap();
        self.lab.advance(self.now);
    }

    /// Every object of the attacker's so far, by artefact.
    fn objects(&self) -> Vec<(String, Value)> {
        let mut objects: Vec<(String, Value)> = self.truth()["artefacts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|held| (held["id"].as_str().unwrap().to_owned(), held.clone()))
            .collect();
        for line in self.lab.trace() {
            if let Some(effect) = &line.effect
                && effect["kind"] == "planted"
            {
                objects.push((
                    effect["artefact"].as_str().unwrap().to_owned(),
                    effect.clone(),
                ));
            }
        }
        objects
    }

    fn dead_since(&self, from: Timestamp) -> Vec<String> {
        let mut got: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for line in self.lab.trace().iter().filter(|line| line.at > from) {
            if let (Some(artefact), Some(outcome)) = (line.attempt, line.got) {
                got.entry(artefact.to_string())
                    .or_default()
                    .insert(format!("{outcome:?}"));
            }
        }
        got.into_iter()
            .filter(|(_, got)| got.iter().all(|outcome| outcome == "Nothing"))
            .map(|(artefact, _)| artefact)
            .collect()
    }

    /// Removes every method of the account, the default one last.
    fn delete_methods(&mut self) {
        let path = format!("/users/{}/authentication/methods", self.user);
        for _ in 0..2 {
            for method in self.graph("GET", &path, Value::Null)["value"]
                .as_array()
                .unwrap()
            {
                let kind = method["@odata.type"].as_str().unwrap();
                let kind = kind
                    .trim_start_matches("#microsoft.graph.")
                    .trim_end_matches("AuthenticationMethod");
                if kind == "password" {
                    continue;
                }
                let uri = format!(
                    "/v1.0/users/{}/authentication/{kind}Methods/{}",
                    self.user,
                    method["id"].as_str().unwrap()
                );
                let token = self.graph.clone();
                self.send("DELETE", &uri, &token, "application/json", String::new());
            }
        }
    }

    fn delete_rules(&mut self) {
        for (artefact, object) in self.objects() {
            let alias = object["aliases"][0].as_str().unwrap_or_default();
            if ["A07", "A08", "A09"].contains(&artefact.as_str()) {
                // Gone already is as good.
                let tenant = self.lab.briefing().tenant_id.clone();
                let body = json!({"CmdletInput": {"CmdletName": "Remove-InboxRule", "Parameters": {
                    "Mailbox": self.user, "Identity": alias, "Force": true, "Confirm": false}}});
                let token = self.exchange.clone();
                let uri = format!("/adminapi/beta/{tenant}/InvokeCommand");
                self.send("POST", &uri, &token, "application/json", body.to_string());
            }
        }
    }
}

#[test]
fn a_takeover_evicted_in_the_right_order_stays_out() {
    for seed in [1, 2, 3] {
        let mut hands = Hands::at_the_alert(seed);
        let user = hands.user.clone();
        hands.graph(
            "PATCH",
            &format!("/users/{user}"),
            json!({"accountEnabled": false}),
        );
        hands.graph(
            "POST",
            &format!("/users/{user}/revokeSignInSessions"),
            json!({}),
        );
        hands.wait(SignedDuration::from_mins(1));
        hands.graph(
            "PATCH",
            &format!("/users/{user}"),
            json!({"passwordProfile": {"password": "Nobody-knows-17-this!", "forceChangePasswordNextSignIn": true}}),
        );
        for _ in 0..10 {
            hands.delete_methods();
            hands.delete_rules();
            hands.wait(SignedDuration::from_mins(10));
            hands.renew_tokens();
        }
        hands.cmdlet(
            "Set-Mailbox",
            json!({"Identity": user, "ForwardingAddress": null, "ForwardingSmtpAddress": null, "DeliverToMailboxAndForward": false}),
        );
        let grants = hands
            .objects()
            .into_iter()
            .filter(|(artefact, _)| artefact == "A20");
        for (_, grant) in grants.collect::<Vec<_>>() {
            let id = grant["object"]["id"].as_str().unwrap();
            hands.graph(
                "DELETE",
                &format!("/oauth2PermissionGrants/{id}"),
                Value::Null,
            );
        }
        hands.graph(
            "POST",
            &format!("/users/{user}/revokeSignInSessions"),
            json!({}),
        );
        hands.graph(
            "PATCH",
            &format!("/users/{user}"),
            json!({"accountEnabled": true}),
        );
        let ask = Ask {
            role: String::from("user"),
            task: String::from("first_sign_in"),
            detail: Value::Null,
        };
        let answer = hands.lab.ask(ask, hands.now);
        hands.wait(answer.after);
        let from = hands.now;
        hands.wait(SignedDuration::from_hours(25));
        assert_eq!(
            hands.dead_since(from),
            [
                "A01", "A02", "A03", "A04", "A07", "A08", "A09", "A13", "A20"
            ],
            "seed {seed}"
        );
    }
}

#[test]
fn without_a_response_the_same_seed_tells_the_same_story_and_all_of_it_works() {
    let run = || {
        let mut hands = Hands::at_the_alert(20);
        let from = hands.now;
        hands.wait(SignedDuration::from_hours(6));
        assert!(hands.dead_since(from).is_empty());
        hands.lab.trace_jsonl()
    };
    assert_eq!(run(), run());
}
