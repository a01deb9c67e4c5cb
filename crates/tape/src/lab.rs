//! The recorded requests, sent to a lab: are its answers of the same form?

use std::collections::{BTreeMap, HashMap, HashSet};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use jiff::{SignedDuration, Timestamp};
use percent_encoding::percent_decode_str;
use retake_lab::{Call, Fault, FaultKind, Lab, Reply};
use retake_tenant::{CallSpec, Service};
use serde::Serialize;
use serde_json::Value;

use crate::batch::unbatched;
use crate::compare::{Difference, bodies, places};
use crate::form::{Answer, Body, Exchange, Tape};
use crate::redact::REDACTED;
use crate::replay::{call_of, cmdlet_of};

/// What a comparison with the lab found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Answers whose form was compared.
    pub compared: usize,
    /// Where they differ.
    pub differences: Vec<Difference>,
    /// Places at which one side had nothing to compare with, by call.
    pub open: BTreeMap<String, Vec<String>>,
    /// Exchanges that were not compared: line, and why.
    pub left_out: Vec<(usize, String)>,
}

/// Sends what was asked on the tape to this lab, in the tape's order and at its pace, and compares
/// the answers' status, headers of interest, keys and types.
///
/// What the tape's tenant calls something, the lab calls something else: names are learned from the
/// answers, place by place, beginning with the affected account. A refusal that depends on the moment
/// (429, 5xx) is ordered from the lab as a fault.
pub fn compare(tape: &Tape, lab: Lab) -> Comparison {
    let mut there = There::new(tape, lab);
    let mut found = Comparison::default();
    for (line, exchange) in unbatched(tape) {
        let exchange = match exchange {
            Ok(exchange) => exchange,
            Err((_, why)) => {
                found.left_out.push((line, why));
                continue;
            }
        };
        let exchange = &exchange;
        let Some((call, values)) = call_of(exchange) else {
            found
                .left_out
                .push((line, "none of the client's calls".into()));
            continue;
        };
        let Some(answer) = &exchange.answer else {
            found.left_out.push((line, "nothing was answered".into()));
            continue;
        };
        match there.ask(exchange, call, &values, answer) {
            Err(why) => found.left_out.push((line, why)),
            Ok((status, headers, body)) => {
                let mut add = |place: &str, tape: String, lab: String| {
                    found.differences.push(Difference {
                        line,
                        call: call.id.to_owned(),
                        place: place.to_owned(),
                        tape,
                        lab,
                    });
                };
                if status == answer.status {
                    headers_of(&answer.headers, &headers, answer.body.is_empty(), &mut add);
                } else {
                    add("status", answer.status.to_string(), status.to_string());
                }
                found.compared += 1;
                match (&answer.body, &body) {
                    (Body::Json(said), Body::Json(ours)) if status == answer.status => {
                        for place in places(ours) {
                            there.shown.insert((call.id.to_owned(), place));
                        }
                        let both = bodies(said, ours);
                        for (place, tape, lab) in both.differences {
                            add(&place, tape, lab);
                        }
                        if !both.open.is_empty() {
                            let open = found.open.entry(call.id.to_owned()).or_default();
                            open.extend(both.open);
                            open.sort();
                            open.dedup();
                        }
                    }
                    (said, ours)
                        if status == answer.status && said.is_empty() != ours.is_empty() =>
                    {
                        let shown = |body: &Body| if body.is_empty() { "empty" } else { "there" };
                        add("the body", shown(said).into(), shown(ours).into());
                    }
                    _ => {}
                }
            }
        }
    }
    // What the lab shows in another answer to the same call is missing by chance: its people and
    // what they did are not on the tape.
    let shown = there.shown;
    let (by_chance, differences) = found.differences.into_iter().partition(|one| {
        one.lab == "missing" && shown.contains(&(one.call.clone(), one.place.clone()))
    });
    found.differences = differences;
    let by_chance: Vec<Difference> = by_chance;
    for one in by_chance {
        let open = found.open.entry(one.call).or_default();
        if !open.contains(&one.place) {
            open.push(one.place);
        }
    }
    found
}

/// Headers of interest: whether they are there, and the type of what is in the body.
fn headers_of(
    tape: &BTreeMap<String, String>,
    lab: &BTreeMap<String, String>,
    empty: bool,
    add: &mut impl FnMut(&str, String, String),
) {
    for name in [
        "retry-after",
        "content-type",
        "location",
        "www-authenticate",
    ] {
        let (said, ours) = (tape.get(name), lab.get(name));
        let (said, ours) = (said.map(|v| essence(v)), ours.map(|v| essence(v)));
        let same = match name {
            "content-type" => said == ours || empty,
            _ => said.is_some() == ours.is_some(),
        };
        if !same {
            let shown = |value: Option<String>| value.unwrap_or("missing".into());
            add(&format!("header {name}"), shown(said), shown(ours));
        }
    }
}

/// The part of a header that has a form.
fn essence(value: &str) -> String {
    value
        .split(';')
        .next()
        .unwrap_or(value)
        .trim()
        .to_lowercase()
}

/// The lab, and what things of the tape are called there.
struct There {
    lab: Lab,
    now: Timestamp,
    /// From the tape's days to the lab's.
    shift: SignedDuration,
    /// A name on the tape and the lab's.
    names: HashMap<String, String>,
    /// A next page on the tape and the lab's.
    pages: HashMap<String, String>,
    tokens: HashMap<&'static str, (String, Timestamp)>,
    /// Every place of a call at which the lab ever showed something.
    shown: HashSet<(String, String)>,
}

type Came = (u16, BTreeMap<String, String>, Body);

impl There {
    fn new(tape: &Tape, lab: Lab) -> Self {
        let start = lab.start();
        let briefing = lab.briefing();
        let names = HashMap::from([
            (tape.header.tenant.clone(), briefing.tenant_id.clone()),
            (tape.header.client.clone(), briefing.client_id.clone()),
        ]);
        Self {
            now: start,
            shift: start.duration_since(tape.header.started),
            lab,
            names,
            pages: HashMap::new(),
            tokens: HashMap::new(),
            shown: HashSet::new(),
        }
    }

    fn ask(
        &mut self,
        exchange: &Exchange,
        call: &'static CallSpec,
        values: &[String],
        answer: &Answer,
    ) -> Result<Came, String> {
        let at = SignedDuration::from_millis(i64::try_from(exchange.at_ms).unwrap_or(i64::MAX));
        let at = self.lab.start().checked_add(at).unwrap_or(self.now);
        self.now = self.now.max(at);
        if matches!(answer.body, Body::Opaque(_)) {
            return Err("the answer was not whole, or no JSON".into());
        }
        let came = if call.service == Service::SignIn {
            self.sign_in(exchange, answer)?
        } else {
            if answer.status == 401 {
                return Err("what a token may and when it ends is the tenant's".into());
            }
            self.learn_the_account(call, values);
            let known = self.knows(exchange, call, values);
            self.order_the_refusal(answer, call);
            let came = self.service(exchange, call)?;
            // What has no counterpart in the lab cannot be found or changed there.
            if !known && came.0 != answer.status {
                return Err("the lab has nothing that would stand for what it is about".into());
            }
            came
        };
        if (200..300).contains(&came.0)
            && let (Body::Json(said), Body::Json(ours)) = (&answer.body, &came.2)
        {
            self.learn(said, ours);
        }
        Ok(came)
    }

    /// The first account that is read is the affected one.
    fn learn_the_account(&mut self, call: &CallSpec, values: &[String]) {
        if call.id == "graph.user.read"
            && let [user] = values
            && !self.names.contains_key(user)
            && !self
                .names
                .values()
                .any(|name| *name == self.lab.briefing().affected)
        {
            let affected = self.lab.briefing().affected.clone();
            self.names.insert(user.clone(), affected);
        }
    }

    /// Whether everything that the path names is known by the lab's name.
    fn knows(&self, exchange: &Exchange, call: &CallSpec, values: &[String]) -> bool {
        let gaps: Vec<&str> = call
            .path_template
            .split('{')
            .skip(1)
            .filter_map(|part| part.split('}').next())
            .collect();
        let path = values
            .iter()
            .zip(&gaps)
            .all(|(value, gap)| ["type", "folder"].contains(gap) || self.names.contains_key(value));
        let identity = exchange
            .request
            .body
            .json()
            .and_then(|body| body.pointer("/CmdletInput/Parameters")?.as_object())
            .into_iter()
            .flatten()
            .filter(|(name, _)| ["Identity", "Mailbox"].contains(&name.as_str()))
            .filter_map(|(_, value)| value.as_str())
            .all(|named| self.names.contains_key(named) || self.folder(named).is_some());
        path && identity
    }

    fn order_the_refusal(&mut self, answer: &Answer, call: &CallSpec) {
        let kind = match answer.status {
            429 => FaultKind::Throttle {
                retry_after: answer
                    .headers
                    .get("retry-after")
                    .and_then(|seconds| seconds.parse().ok()),
            },
            status @ 500.. => FaultKind::Status(status),
            _ => return,
        };
        let part = call.path_template.split('{').next().unwrap_or_default();
        self.lab.inject(Fault::on_path(part, kind).times(1));
    }

    fn service(&mut self, exchange: &Exchange, call: &CallSpec) -> Result<Came, String> {
        let token = self.token(call.service)?;
        let url = match self.pages.get(&normal(&exchange.request.url)) {
            Some(page) => page.clone(),
            None if exchange.request.url.to_lowercase().contains("skiptoken") => {
                return Err("the lab has fewer pages".into());
            }
            None => self.url(&exchange.request.url),
        };
        let body = match &exchange.request.body {
            Body::Json(value) => Bytes::from(self.named(value).to_string()),
            _ => Bytes::new(),
        };
        let mut request = http::Request::builder()
            .method(exchange.request.method.as_str())
            .uri(format!("{}{url}", exchange.request.origin))
            .header(AUTHORIZATION, format!("Bearer {token}"));
        for (name, value) in &exchange.request.headers {
            request = request.header(name, value);
        }
        if let Some(cmdlet) = cmdlet_of(exchange) {
            request = request.header("x-cmdletname", cmdlet);
        }
        self.send(request.body(body).map_err(|error| error.to_string())?)
    }

    /// A sign-in with the lab's own secret, or a wrong one where the tape's was refused.
    fn sign_in(&mut self, exchange: &Exchange, answer: &Answer) -> Result<Came, String> {
        let Body::Form(pairs) = &exchange.request.body else {
            return Err("a sign-in without a form".into());
        };
        let app = pairs
            .iter()
            .any(|(name, value)| name == "grant_type" && value == "client_credentials");
        let secret = pairs.iter().any(|(name, _)| name == "client_secret");
        if !app || !secret {
            return Err("only sign-ins with a client secret are played again".into());
        }
        let secret = if answer.status == 200 {
            self.lab.briefing().client_secret.clone()
        } else {
            "wrong".to_owned()
        };
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in pairs {
            match name.as_str() {
                "client_secret" => form.append_pair(name, &secret),
                _ => form.append_pair(name, &self.name(value)),
            };
        }
        let request = http::Request::post(format!(
            "{}{}",
            exchange.request.origin,
            self.url(&exchange.request.url)
        ))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from(form.finish()))
        .map_err(|error| error.to_string())?;
        self.send(request)
    }

    fn token(&mut self, service: Service) -> Result<String, String> {
        let resource = match service {
            Service::Exchange => "https://outlook.office365.com/.default",
            Service::Activity => "https://manage.office.com/.default",
            Service::Graph | Service::SignIn => "https://graph.microsoft.com/.default",
        };
        if let Some((token, until)) = self.tokens.get(resource)
            && self.now < *until
        {
            return Ok(token.clone());
        }
        let briefing = self.lab.briefing();
        let tenant = briefing.tenant_id.clone();
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &briefing.client_id)
            .append_pair("client_secret", &briefing.client_secret)
            .append_pair("scope", resource)
            .finish();
        let request = http::Request::post(format!(
            "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"
        ))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from(form))
        .map_err(|error| error.to_string())?;
        let (status, _, body) = self.send(request)?;
        let token = body
            .json()
            .and_then(|body| body.get("access_token")?.as_str())
            .ok_or_else(|| format!("the lab gave no token ({status})"))?
            .to_owned();
        let until = self
            .now
            .checked_add(SignedDuration::from_mins(30))
            .unwrap_or(self.now);
        self.tokens.insert(resource, (token.clone(), until));
        Ok(token)
    }

    fn send(&mut self, request: http::Request<Bytes>) -> Result<Came, String> {
        match self.lab.handle(Call { request, round: 0 }, self.now) {
            Reply::Answer { response, .. } => {
                let (parts, body) = response.into_parts();
                let headers = parts
                    .headers
                    .iter()
                    .filter_map(|(name, value)| {
                        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
                    })
                    .collect();
                let body = if body.is_empty() {
                    Body::Empty
                } else {
                    serde_json::from_slice(&body).map_or(Body::Opaque(body.len()), Body::Json)
                };
                Ok((parts.status.as_u16(), headers, body))
            }
            Reply::Hang | Reply::Reset => Err("the lab gave no answer".into()),
        }
    }

    /// Pairs what stands at the same places: identifiers, and the addresses of next pages.
    fn learn(&mut self, tape: &Value, lab: &Value) {
        match (tape, lab) {
            (Value::String(said), Value::String(ours)) if said.len() >= 4 && said != REDACTED => {
                self.names
                    .entry(said.clone())
                    .or_insert_with(|| ours.clone());
            }
            (Value::Array(said), Value::Array(ours)) => {
                for (index, item) in said.iter().enumerate() {
                    // The one that is known to be the same, or the one at the same place.
                    let known = item
                        .get("id")
                        .and_then(Value::as_str)
                        .and_then(|id| self.names.get(id))
                        .and_then(|id| ours.iter().find(|one| one["id"] == id.as_str()));
                    if let Some(other) = known.or_else(|| ours.get(index)).cloned() {
                        self.learn(item, &other);
                    }
                }
            }
            (Value::Object(said), Value::Object(ours)) => {
                for (key, item) in said {
                    let Some(other) = ours.get(key) else { continue };
                    match (key.as_str(), item, other) {
                        ("@odata.nextLink", Value::String(said), Value::String(ours)) => {
                            self.pages.insert(normal(said), path_of(ours));
                        }
                        _ => self.learn(item, other),
                    }
                }
            }
            _ => {}
        }
    }

    /// The lab's name for a text of the tape; days are moved to the lab's.
    fn name(&self, text: &str) -> String {
        if let Some(name) = self.names.get(text) {
            return name.clone();
        }
        if let Some(folder) = self.folder(text) {
            return folder;
        }
        if let Ok(moment) = text.parse::<Timestamp>() {
            let moved = moment.checked_add(self.shift).unwrap_or(moment);
            return moved.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        }
        text.to_owned()
    }

    /// The lab's name for a folder, which Exchange names by mailbox and id; `None` unless both
    /// are known.
    fn folder(&self, identity: &str) -> Option<String> {
        let (mailbox, folder) = identity.split_once(':')?;
        let (mailbox, folder) = (self.names.get(mailbox)?, self.names.get(folder)?);
        Some(format!("{mailbox}:{folder}"))
    }

    fn named(&self, value: &Value) -> Value {
        match value {
            Value::String(text) if text == REDACTED => Value::from("Rq7#tape-replay-2Lm"),
            Value::String(text) => Value::from(self.name(text)),
            Value::Array(items) => items.iter().map(|item| self.named(item)).collect(),
            Value::Object(object) => object
                .iter()
                .map(|(key, value)| (key.clone(), self.named(value)))
                .collect(),
            other => other.clone(),
        }
    }

    /// Path and query with the lab's names.
    fn url(&self, url: &str) -> String {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let mut out: Vec<String> = Vec::new();
        for segment in path.split('/') {
            let segment = decoded(segment);
            let named = match segment.split_once("='") {
                Some((before, rest)) => {
                    let (value, after) = rest.rsplit_once('\'').unwrap_or((rest, ""));
                    format!("{before}='{}'{after}", self.name(value))
                }
                None => self.name(&segment),
            };
            out.push(encoded(&named));
        }
        let mut url = out.join("/");
        for (index, pair) in query.split('&').filter(|pair| !pair.is_empty()).enumerate() {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            url.push(if index == 0 { '?' } else { '&' });
            url.push_str(name);
            url.push('=');
            url.push_str(&encoded(&self.expression(&decoded(value))));
        }
        url
    }

    /// A filter: quoted names, and days between spaces.
    fn expression(&self, text: &str) -> String {
        let mut out: Vec<String> = Vec::new();
        for (index, part) in text.split('\'').enumerate() {
            out.push(if index % 2 == 1 {
                self.name(part)
            } else {
                part.split(' ')
                    .map(|word| self.name(word))
                    .collect::<Vec<_>>()
                    .join(" ")
            });
        }
        out.join("'")
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
        .to_string()
        .replace("%2E", ".")
        .replace("%2D", "-")
        .replace("%5F", "_")
        .replace("%24", "$")
        .replace("%28", "(")
        .replace("%29", ")")
        .replace("%27", "'")
        .replace("%3D", "=")
}

/// Path and query of an address.
fn path_of(url: &str) -> String {
    let after = url.find("://").map_or(0, |at| at + 3);
    let from = url[after..].find('/').map_or(url.len(), |at| after + at);
    url[from..].to_owned()
}

/// Path and query, however they are encoded.
fn normal(url: &str) -> String {
    let url = if url.starts_with('/') {
        url.to_owned()
    } else {
        path_of(url)
    };
    decoded(&url.replace('+', " "))
}
