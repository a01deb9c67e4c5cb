//! Carries a sequence out: raw requests, a token for each service, no cleverness.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{Method, Request, Response, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use retake_tenant::edge::{Clock, Entropy, Transport};
use serde_json::{Value, json};

use super::template::Scope;
use super::{Ask, Operation, Sequence};

const LOGIN: &str = "https://login.microsoftonline.com";
const GRAPH: &str = "https://graph.microsoft.com";
const EXCHANGE: &str = "https://outlook.office365.com";
/// How long one call may take.
const DEADLINE: Duration = Duration::from_secs(30);
/// How often a call is tried again when the service is busy.
const TRIES: u32 = 4;
/// How many pages of a list are followed.
const PAGES: u32 = 100;

/// What a runner is told: the account of the alert, and an app to sign in as.
#[derive(Clone)]
pub struct Access {
    /// The tenant's id.
    pub tenant: String,
    /// The app's id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// The affected account's user principal name.
    pub upn: String,
    /// The other account that the alert names, if it names one.
    pub also: Option<String>,
}

/// An operation that the tenant refused, or that could not be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What the sequence calls it, with the request.
    pub what: String,
    /// The HTTP status; nothing when no answer came.
    pub status: Option<u16>,
}

/// Carries sequences out.
pub struct Runner<'a> {
    transport: &'a dyn Transport,
    clock: &'a dyn Clock,
    access: Access,
    password: String,
    tokens: BTreeMap<&'static str, (String, Timestamp)>,
    lists: BTreeMap<String, Vec<Value>>,
    refused: Vec<Refused>,
}

impl<'a> Runner<'a> {
    /// A runner over this wire.
    pub fn new(
        transport: &'a dyn Transport,
        clock: &'a dyn Clock,
        entropy: &dyn Entropy,
        access: Access,
    ) -> Self {
        Self {
            transport,
            clock,
            access,
            password: password(entropy),
            tokens: BTreeMap::new(),
            lists: BTreeMap::new(),
            refused: Vec::new(),
        }
    }

    /// Carries every operation out and returns what was refused.
    pub async fn run(mut self, sequence: &Sequence) -> Vec<Refused> {
        for operation in &sequence.operations {
            match operation {
                Operation::Wait(length) => self.clock.sleep(*length).await,
                Operation::List {
                    what,
                    ask,
                    each,
                    into,
                    skip,
                } => {
                    let mut kept = Vec::new();
                    for outer in self.items(each.as_ref()) {
                        for mut item in self.list(what, ask, outer.as_ref()).await {
                            if skip.iter().any(|skip| skip.fits(&item)) {
                                continue;
                            }
                            if let (Some(outer), Value::Object(members)) = (&outer, &mut item) {
                                members.insert("of".to_owned(), outer.clone());
                            }
                            kept.push(item);
                        }
                    }
                    self.lists.entry(into.clone()).or_default().extend(kept);
                }
                Operation::Send {
                    what,
                    ask,
                    each,
                    again,
                } => self.send_each(what, ask, each.as_ref(), *again).await,
            }
        }
        self.refused
    }

    /// The items to loop over; one round without an item where there is no loop.
    fn items(&self, each: Option<&String>) -> Vec<Option<Value>> {
        match each {
            None => vec![None],
            Some(name) => self
                .lists
                .get(name)
                .into_iter()
                .flatten()
                .cloned()
                .map(Some)
                .collect(),
        }
    }

    async fn send_each(&mut self, what: &str, ask: &Ask, each: Option<&String>, again: bool) {
        let mut once_more = Vec::new();
        for item in self.items(each) {
            if let Err(refused) = self.send(what, ask, item.as_ref()).await {
                if again {
                    once_more.push(item);
                } else {
                    self.refused.push(refused);
                }
            }
        }
        for item in once_more {
            if let Err(refused) = self.send(what, ask, item.as_ref()).await {
                self.refused.push(refused);
            }
        }
    }

    async fn send(&mut self, what: &str, ask: &Ask, item: Option<&Value>) -> Result<(), Refused> {
        self.ask(what, ask, item, None).await.map(drop)
    }

    /// The items of an answer and of the pages that follow it.
    async fn list(&mut self, what: &str, ask: &Ask, item: Option<&Value>) -> Vec<Value> {
        let mut items = Vec::new();
        let mut next = None;
        for _ in 0..PAGES {
            let answer = match self.ask(what, ask, item, next.take()).await {
                Ok(answer) => answer,
                Err(refused) => {
                    self.refused.push(refused);
                    break;
                }
            };
            let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
            if let Some(value) = body.get("value").and_then(Value::as_array) {
                items.extend(value.iter().cloned());
            }
            match body.get("@odata.nextLink").and_then(Value::as_str) {
                Some(link) => next = Some(link.to_owned()),
                None => break,
            }
        }
        items
    }

    /// One request, tried again while the service is busy. `link` is the next
    /// page of an earlier answer.
    async fn ask(
        &mut self,
        what: &str,
        ask: &Ask,
        item: Option<&Value>,
        link: Option<String>,
    ) -> Result<Response<Bytes>, Refused> {
        let scope = Scope {
            upn: &self.access.upn,
            also: self.access.also.as_deref(),
            tenant: &self.access.tenant,
            password: &self.password,
            item,
        };
        let unsent = |reason: String| Refused {
            what: format!("{what}: {reason}"),
            status: None,
        };
        let (host, method, uri, body) = match ask {
            Ask::Graph { method, path, body } => {
                let path = scope.path(path).map_err(unsent)?;
                let body = body.as_ref().map(|body| scope.json(body));
                let body = body.transpose().map_err(unsent)?;
                (GRAPH, method.clone(), format!("{GRAPH}{path}"), body)
            }
            Ask::Exchange { cmdlet, parameters } => {
                let parameters = scope.object(parameters).map_err(unsent)?;
                let uri = format!("{EXCHANGE}/adminapi/beta/{}/InvokeCommand", scope.tenant);
                let body = json!({"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}});
                (EXCHANGE, Method::POST, uri, Some(body))
            }
        };
        let uri = link.unwrap_or(uri);
        let name = format!("{what} ({method} {uri})");
        let refused = |status| Refused {
            what: name.clone(),
            status,
        };
        for _ in 0..TRIES {
            let token = self.token(host).await?;
            let mut request = Request::builder()
                .method(method.clone())
                .uri(&uri)
                .header(header::AUTHORIZATION, format!("Bearer {token}"))
                .header(header::ACCEPT_ENCODING, "identity");
            if body.is_some() {
                request = request.header(header::CONTENT_TYPE, "application/json");
            }
            let bytes = body.as_ref().map(Value::to_string).unwrap_or_default();
            let request = request
                .body(Bytes::from(bytes))
                .map_err(|error| unsent(error.to_string()))?;
            let Some(response) = self.call(request).await else {
                return Err(refused(None));
            };
            let status = response.status();
            if status.is_success() {
                return Ok(response);
            }
            if status != StatusCode::TOO_MANY_REQUESTS && status != StatusCode::SERVICE_UNAVAILABLE
            {
                return Err(refused(Some(status.as_u16())));
            }
            self.clock.sleep(retry_after(&response)).await;
        }
        Err(refused(Some(StatusCode::TOO_MANY_REQUESTS.as_u16())))
    }

    /// A token for the service, asked for when there is none or it is about to end.
    async fn token(&mut self, host: &'static str) -> Result<String, Refused> {
        let now = self.clock.now();
        if let Some((token, until)) = self.tokens.get(host)
            && now < *until
        {
            return Ok(token.clone());
        }
        let refused = |status| Refused {
            what: format!("a token for {host}"),
            status,
        };
        let field = |value: &str| utf8_percent_encode(value, NON_ALPHANUMERIC).to_string();
        let form = format!(
            "client_id={}&client_secret={}&scope={}&grant_type=client_credentials",
            field(&self.access.client_id),
            field(&self.access.client_secret),
            field(&format!("{host}/.default")),
        );
        let request = Request::post(format!("{LOGIN}/{}/oauth2/v2.0/token", self.access.tenant))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from(form))
            .map_err(|_| refused(None))?;
        let response = self.call(request).await.ok_or_else(|| refused(None))?;
        let status = response.status().as_u16();
        let answer: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        let (Some(token), Some(seconds)) = (
            answer.get("access_token").and_then(Value::as_str),
            answer.get("expires_in").and_then(Value::as_i64),
        ) else {
            return Err(refused(Some(status)));
        };
        let life = SignedDuration::from_secs((seconds - 300).max(0));
        let until = now.checked_add(life).unwrap_or(now);
        self.tokens.insert(host, (token.to_owned(), until));
        Ok(token.to_owned())
    }

    async fn call(&self, request: Request<Bytes>) -> Option<Response<Bytes>> {
        match select(self.transport.send(request), self.clock.sleep(DEADLINE)).await {
            Either::Left((answer, _)) => answer.ok(),
            Either::Right(_) => None,
        }
    }
}

fn retry_after(response: &Response<Bytes>) -> Duration {
    let seconds = response
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok())
        .unwrap_or(10);
    Duration::from_secs(seconds)
}

/// Twenty characters of four kinds, so that any password policy takes it.
fn password(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    let mut text = String::from("Rt7-");
    for byte in bytes {
        let digit = b"abcdefghijkmnpqrstuvwxyzABCDEFGH"
            .get(usize::from(byte % 32))
            .copied()
            .unwrap_or(b'x');
        text.push(char::from(digit));
    }
    text
}
