//! A responder with nothing but requests.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use jiff::{SignedDuration, Timestamp};
use retake_lab::{Call, Lab, Reply, Scenario};
use serde_json::{Value, json};

use crate::openapi;

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) raw: Bytes,
    pub(crate) body: Value,
}

impl Seen {
    pub(crate) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn list(&self) -> &[Value] {
        self.body["value"].as_array().map_or(&[], Vec::as_slice)
    }
}

/// A lab and a responder in front of it.
pub(crate) struct Story {
    pub(crate) lab: Lab,
    pub(crate) now: Timestamp,
    pub(crate) graph: String,
    pub(crate) exchange: String,
}

pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

impl Story {
    pub(crate) fn new(seed: u64) -> Self {
        Self::with(Lab::new(&Scenario::find("invoice-fraud").unwrap(), seed).unwrap())
    }

    pub(crate) fn with(lab: Lab) -> Self {
        let mut story = Self {
            now: lab.start(),
            lab,
            graph: String::new(),
            exchange: String::new(),
        };
        story.graph = story.app_token("https://graph.microsoft.com/.default");
        story.exchange = story.app_token("https://outlook.office365.com/.default");
        story
    }

    pub(crate) fn user(&self) -> String {
        self.lab.briefing().affected.clone()
    }

    pub(crate) fn wait(&mut self, by: SignedDuration) {
        self.now = self.now.checked_add(by).unwrap();
        self.lab.advance(self.now);
    }

    pub(crate) fn raw(&mut self, request: Request<Bytes>) -> Reply {
        self.now = self
            .now
            .checked_add(SignedDuration::from_millis(150))
            .unwrap();
        self.lab.handle(Call { request, round: 1 }, self.now)
    }

    pub(crate) fn send(&mut self, request: Request<Bytes>) -> Seen {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let Reply::Answer { response, after } = self.raw(request) else {
            panic!("{method} {path}: no answer");
        };
        assert_eq!(after, Duration::ZERO);
        let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        openapi::check(method.as_str(), &path, response.status().as_u16(), &body);
        Seen {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            raw: response.body().clone(),
            body,
        }
    }

    pub(crate) fn token(&mut self, endpoint: &str, fields: &[(&str, &str)]) -> Seen {
        let tenant = self.lab.briefing().tenant_id.clone();
        let request = Request::post(format!(
            "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/{endpoint}"
        ))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::from(form(fields)))
        .unwrap();
        self.send(request)
    }

    /// A form to any path of the sign-in service.
    pub(crate) fn form_to(&mut self, path: &str, fields: &[(&str, &str)]) -> Seen {
        let request = Request::post(format!("https://login.microsoftonline.com/{path}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(form(fields)))
            .unwrap();
        self.send(request)
    }

    /// A GET at the sign-in service or a machine's identity endpoint.
    pub(crate) fn fetch(&mut self, uri: &str, headers: &[(&str, &str)]) -> Seen {
        let mut request = Request::get(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Bytes::new()).unwrap())
    }

    /// New tokens for the app, as it is granted now.
    pub(crate) fn renew(&mut self) {
        self.graph = self.app_token("https://graph.microsoft.com/.default");
        self.exchange = self.app_token("https://outlook.office365.com/.default");
    }

    pub(crate) fn app_token(&mut self, scope: &str) -> String {
        let (id, secret) = {
            let briefing = self.lab.briefing();
            (briefing.client_id.clone(), briefing.client_secret.clone())
        };
        let seen = self.token(
            "token",
            &[
                ("grant_type", "client_credentials"),
                ("client_id", &id),
                ("client_secret", &secret),
                ("scope", scope),
            ],
        );
        assert_eq!(seen.status, 200, "{:?}", seen.body);
        seen.body["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) fn graph(&mut self, method: &str, path: &str, body: Option<Value>) -> Seen {
        let token = self.graph.clone();
        self.graph_as(&token, method, path, body)
    }

    pub(crate) fn graph_as(
        &mut self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Seen {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("https://graph.microsoft.com{path}"))
            .header("authorization", format!("Bearer {token}"));
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body
            .map(|body| Bytes::from(body.to_string()))
            .unwrap_or_default();
        self.send(request.body(body).unwrap())
    }

    pub(crate) fn get(&mut self, path: &str) -> Seen {
        self.graph("GET", path, None)
    }

    pub(crate) fn cmdlet(&mut self, name: &str, parameters: Value) -> Seen {
        let token = self.exchange.clone();
        self.cmdlet_as(&token, name, parameters)
    }

    pub(crate) fn cmdlet_as(&mut self, token: &str, name: &str, parameters: Value) -> Seen {
        let tenant = self.lab.briefing().tenant_id.clone();
        let body = json!({"CmdletInput": {"CmdletName": name, "Parameters": parameters}});
        let request = Request::post(format!(
            "https://outlook.office365.com/adminapi/beta/{tenant}/InvokeCommand"
        ))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(Bytes::from(body.to_string()))
        .unwrap();
        self.send(request)
    }

    pub(crate) fn account(&mut self) -> Value {
        let user = self.user();
        self.get(&format!(
            "/v1.0/users/{user}?$select=id,accountEnabled,signInSessionsValidFromDateTime,userPrincipalName,displayName"
        ))
        .body
    }

    pub(crate) fn truth(&self) -> Value {
        self.lab.trace()[0].effect.as_ref().unwrap()["truth"].clone()
    }

    /// Lines of the attacker after the alert that try this artefact.
    pub(crate) fn attempts(&self, artefact: &str) -> Vec<(Timestamp, String)> {
        self.lab
            .trace()
            .iter()
            .filter(|line| line.at > self.lab.start())
            .filter(|line| line.attempt.is_some_and(|id| id.to_string() == artefact))
            .map(|line| (line.at, serde_json::to_value(line.got).unwrap().to_string()))
            .collect()
    }

    /// A token of the operator, by device code.
    pub(crate) fn operator_token(&mut self, extra: &[(&str, &str)]) -> Seen {
        let id = self.lab.briefing().client_id.clone();
        let operator = self.lab.briefing().operator.clone();
        let code = self.token(
            "devicecode",
            &[
                ("client_id", &id),
                (
                    "scope",
                    "https://graph.microsoft.com/.default openid offline_access",
                ),
            ],
        );
        assert_eq!(code.status, 200, "{:?}", code.body);
        let user_code = code.body["user_code"].as_str().unwrap().to_owned();
        let device_code = code.body["device_code"].as_str().unwrap().to_owned();
        let mut fields = vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("client_id", id.as_str()),
            ("device_code", device_code.as_str()),
        ];
        fields.extend_from_slice(extra);
        let pending = self.token("token", &fields);
        assert_eq!(pending.body["error"], "authorization_pending");
        assert!(
            self.lab
                .approve_device_code(&user_code, &operator, self.now)
        );
        self.token("token", &fields)
    }
}
