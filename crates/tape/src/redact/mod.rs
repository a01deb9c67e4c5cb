//! What may stand on a tape. Everything that is not known to be harmless is replaced.
//!
//! A text stays only if each of its words is a word of the protocol (`words.txt`); identifiers,
//! addresses, domains, network addresses and days are replaced in their own form, so that a reader
//! of the tape finds a GUID where a GUID was; anything else becomes a made-up word. The same text is
//! replaced by the same text everywhere on one tape, under a random key that is forgotten with the
//! [`Redactor`]. Secrets are not replaced but cut out: nothing on the tape depends on them.

mod forms;
mod url;
mod words;

use bytes::Bytes;
use http::{HeaderMap, header};
use jiff::Timestamp;
use retake_tenant::edge::Entropy;
use serde_json::{Map, Value};
use zeroize::{Zeroize as _, Zeroizing};

use crate::batch::is_batch;
use crate::form::Body;
use crate::record::{ANSWERED, ASKED};
use forms::Forms;
use words::{is_free_text, is_secret};

/// What stands where a secret was.
pub const REDACTED: &str = "<redacted>";

/// How deep a body may be nested; what lies deeper is not kept.
const DEPTH: usize = 64;

/// Replaces whatever could name or identify somebody.
pub struct Redactor {
    forms: Forms,
}

impl Redactor {
    /// With a key and a shift of days of its own.
    pub fn new(entropy: &dyn Entropy) -> Self {
        Self {
            forms: Forms::new(entropy),
        }
    }

    /// A tenant id, client id or domain.
    pub fn identifier(&mut self, text: &str) -> String {
        self.forms.text(text)
    }

    /// A moment with its day shifted.
    pub fn moment(&self, moment: Timestamp) -> Timestamp {
        let text = moment.to_string();
        self.forms
            .day_shifted(&text)
            .and_then(|text| text.parse().ok())
            .unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Scheme, host and port.
    pub fn origin(&mut self, origin: &str) -> String {
        self.forms.origin(origin)
    }

    /// Path and query.
    pub fn url(&mut self, path_and_query: &str) -> String {
        self.forms.path_and_query(path_and_query)
    }

    /// The value of a header.
    pub fn header(&mut self, name: &str, value: &str) -> String {
        match name {
            // Names and quoted values; what was challenged for can hold a token.
            "www-authenticate" => self.challenge(value),
            // A number of seconds; a date is replaced like any text.
            "retry-after"
                if value.len() <= 6 && value.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                value.to_owned()
            }
            "content-type" => media_type(value),
            "prefer" | "preference-applied" => self.forms.words(value),
            _ => self.forms.text(value),
        }
    }

    fn challenge(&mut self, value: &str) -> String {
        let mut parts = Vec::new();
        for (index, part) in value.split('"').enumerate() {
            // Every second part stood in quotes.
            parts.push(if index % 2 == 1 {
                let name = parts.last().map_or("", |before: &String| before.as_str());
                if name.trim_end().ends_with("claims=") {
                    REDACTED.to_owned()
                } else {
                    self.forms.text(part)
                }
            } else {
                self.forms.words(part)
            });
        }
        parts.join("\"")
    }

    /// A body. The secrets that are cut out of it are added to `secrets`, so that the caller can
    /// see to it that they stand nowhere else.
    pub fn body(
        &mut self,
        headers: &HeaderMap,
        body: &Bytes,
        secrets: &mut Vec<Zeroizing<String>>,
    ) -> Body {
        if body.is_empty() {
            return Body::Empty;
        }
        let form = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
        if form {
            return Body::Form(self.form(body, secrets));
        }
        match serde_json::from_slice::<Value>(body) {
            Ok(value) if is_batch(&value) => Body::Json(self.batch(value, secrets)),
            Ok(value) => Body::Json(self.json(value, secrets)),
            Err(_) => Body::Opaque(body.len()),
        }
    }

    fn form(&mut self, body: &[u8], secrets: &mut Vec<Zeroizing<String>>) -> Vec<(String, String)> {
        ::url::form_urlencoded::parse(body)
            .map(|(name, value)| {
                let value = Zeroizing::new(value.into_owned());
                // In a form, a code or a state is one of the sign-in's.
                if is_secret(&name) || matches!(&*name, "code" | "state" | "nonce" | "username") {
                    secrets.push(value);
                    return (self.forms.words(&name), REDACTED.to_owned());
                }
                let value = match &*name {
                    "scope" => value
                        .split(' ')
                        .map(|scope| self.forms.text(scope))
                        .collect::<Vec<_>>()
                        .join(" "),
                    _ => self.forms.text(&value),
                };
                (self.forms.words(&name), value)
            })
            .collect()
    }

    /// A batch, or the answer to one: what is in it is replaced as if it had gone alone.
    fn batch(&mut self, value: Value, secrets: &mut Vec<Zeroizing<String>>) -> Value {
        let Value::Object(object) = value else {
            return self.json(value, secrets);
        };
        let mut kept = Map::new();
        for (name, value) in object {
            let value = match (name.as_str(), value) {
                ("requests" | "responses", Value::Array(items)) => Value::Array(
                    items
                        .into_iter()
                        .map(|item| self.batched(item, secrets))
                        .collect(),
                ),
                (_, value) => self.value(&name, value, Around::default(), secrets, 0),
            };
            kept.insert(self.forms.key(&name, false), value);
        }
        Value::Object(kept)
    }

    fn batched(&mut self, item: Value, secrets: &mut Vec<Zeroizing<String>>) -> Value {
        let Value::Object(object) = item else {
            return self.json(item, secrets);
        };
        let mut kept = Map::new();
        for (name, value) in object {
            let value = match (name.as_str(), value) {
                // The client numbers what it sends.
                ("id", Value::String(id))
                    if id.len() <= 2 && id.bytes().all(|byte| byte.is_ascii_digit()) =>
                {
                    Value::String(id)
                }
                ("url", Value::String(url)) => Value::from(self.url(&url)),
                ("headers", Value::Object(headers)) => self.batched_headers(&headers),
                ("body", body) => self.json(body, secrets),
                (_, value) => self.value(&name, value, Around::default(), secrets, 0),
            };
            kept.insert(self.forms.key(&name, false), value);
        }
        Value::Object(kept)
    }

    /// The same headers that are kept of a request of its own.
    fn batched_headers(&mut self, headers: &Map<String, Value>) -> Value {
        let mut kept = Map::new();
        for (name, value) in headers {
            let lower = name.to_lowercase();
            let wanted = ASKED.contains(&lower.as_str()) || ANSWERED.contains(&lower.as_str());
            if let (true, Some(value)) = (wanted, value.as_str()) {
                kept.insert(name.clone(), Value::from(self.header(&lower, value)));
            }
        }
        Value::Object(kept)
    }

    /// A value and all that is in it.
    pub fn json(&mut self, value: Value, secrets: &mut Vec<Zeroizing<String>>) -> Value {
        self.value("", value, Around::default(), secrets, 0)
    }

    fn value(
        &mut self,
        key: &str,
        value: Value,
        around: Around,
        secrets: &mut Vec<Zeroizing<String>>,
        depth: usize,
    ) -> Value {
        if depth > DEPTH {
            return Value::from(REDACTED);
        }
        match value {
            Value::Null | Value::Bool(_) => value,
            Value::String(text) if is_secret(key) => {
                if !text.is_empty() {
                    secrets.push(Zeroizing::new(text));
                }
                Value::from(REDACTED)
            }
            Value::Number(_) if is_secret(key) && !key.to_lowercase().contains("expires") => {
                Value::from(0)
            }
            Value::Number(number) => self.number(key, number),
            Value::String(text) => Value::from(self.string(key, text, around, secrets, depth)),
            Value::Array(items) => Value::Array(
                items
                    .into_iter()
                    .map(|item| self.value(key, item, around, secrets, depth + 1))
                    .collect(),
            ),
            Value::Object(object) => {
                let around = Around::of(key, &object, around);
                let mut kept = Map::new();
                for (name, item) in object {
                    let item = self.value(&name, item, around, secrets, depth + 1);
                    kept.insert(self.forms.key(&name, around.private_keys), item);
                }
                Value::Object(kept)
            }
        }
    }

    fn string(
        &mut self,
        key: &str,
        mut text: String,
        around: Around,
        secrets: &mut Vec<Zeroizing<String>>,
        depth: usize,
    ) -> String {
        let trimmed = text.trim_start();
        if trimmed.starts_with(['{', '['])
            && let Ok(inner) = serde_json::from_str::<Value>(trimmed)
        {
            text.zeroize();
            return self
                .value(key, inner, around, secrets, depth + 1)
                .to_string();
        }
        if around.error && matches!(key, "message" | "error_description" | "description") {
            return self.forms.words(&text);
        }
        if around.free || (is_free_text(key) && !(around.pair && key.eq_ignore_ascii_case("name")))
        {
            return self.forms.free(&text);
        }
        self.forms.text(&text)
    }

    /// Numbers that could number somebody are replaced by others with as many digits.
    fn number(&mut self, key: &str, number: serde_json::Number) -> Value {
        let lower = key.to_lowercase();
        if ["latitude", "longitude", "altitude"].contains(&lower.as_str()) {
            return Value::from(0.5);
        }
        let count = [
            "error_codes",
            "errorcode",
            "expires_in",
            "ext_expires_in",
            "interval",
        ]
        .contains(&lower.as_str())
            || lower.contains("size")
            || lower.contains("count");
        match number.as_u64() {
            Some(value) if value >= 100_000 && !count => {
                let digits = self.forms.digits(&value.to_string());
                digits
                    .parse::<u64>()
                    .map_or(Value::from(value % 10), Value::from)
            }
            _ if number.is_f64() => Value::from(
                number
                    .as_f64()
                    .map_or(0.5, |value| value.trunc() % 1000.0 + 0.5),
            ),
            Some(_) => Value::Number(number),
            None if number.as_i64().is_some_and(|value| value > -100_000) => Value::Number(number),
            None => Value::from(-1),
        }
    }
}

/// The media type without its parameters, if it is one that a service or the client uses.
fn media_type(value: &str) -> String {
    let essence = value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_lowercase();
    let known = [
        "application/json",
        "application/problem+json",
        "application/x-www-form-urlencoded",
        "application/xml",
        "text/html",
        "text/plain",
    ];
    if known.contains(&essence.as_str()) {
        essence
    } else {
        "application/octet-stream".to_owned()
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor(…)")
    }
}

/// What is known of the objects around a value.
#[derive(Clone, Copy, Default)]
struct Around {
    /// It is an error, whose message is the service's.
    error: bool,
    /// It is a pair of name and value, whose name is a property's or parameter's.
    pair: bool,
    /// Nothing in it is the protocol's: a place, a letter.
    free: bool,
    /// Its keys are the tenant's.
    private_keys: bool,
}

impl Around {
    fn of(key: &str, object: &Map<String, Value>, outer: Self) -> Self {
        let key = key.to_lowercase();
        let has = |name: &str| object.keys().any(|key| key.eq_ignore_ascii_case(name));
        Self {
            error: outer.error || has("error") || key == "error" || has("error_description"),
            pair: has("name") && has("value"),
            free: outer.free
                || ["location", "body"].contains(&key.as_str())
                // `{"Name": "Subject…", "Value": …}`: what the pair is about decides.
                || (has("value")
                    && ["Name", "name"]
                        .iter()
                        .find_map(|name| object.get(*name)?.as_str())
                        .is_some_and(is_free_text)),
            private_keys: outer.private_keys
                || key.contains("customsecurity")
                || key.contains("extension"),
        }
    }
}
