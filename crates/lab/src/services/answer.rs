//! Answers: status, headers, body, and what the trace should know.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use jiff::Timestamp;
use retake_playbook::ObjectKind;
use serde_json::{Value, json};

use crate::trace::{TraceInside, TraceObject};

/// The body of an answer.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// Nothing.
    Empty,
    /// JSON.
    Json(Value),
    /// Bytes under this content type.
    Raw(&'static str, Vec<u8>),
}

/// An answer on its way back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Body,
    /// The main object, for the trace.
    pub(crate) target: Option<TraceObject>,
    /// What changed, for the trace.
    pub(crate) effect: Option<Value>,
    /// Objects whose state the answer shows, for the trace.
    pub(crate) shows: Vec<TraceObject>,
    /// The cmdlet, for the trace.
    pub(crate) operation: Option<String>,
    /// What was asked and answered in a batch, for the trace.
    pub(crate) inside: Vec<TraceInside>,
}

impl Answer {
    /// A status with JSON.
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Json(body),
            target: None,
            effect: None,
            shows: Vec::new(),
            operation: None,
            inside: Vec::new(),
        }
    }

    /// 204 without a body.
    pub(crate) fn no_content() -> Self {
        Self {
            status: 204,
            headers: Vec::new(),
            body: Body::Empty,
            target: None,
            effect: None,
            shows: Vec::new(),
            operation: None,
            inside: Vec::new(),
        }
    }

    /// An error in Graph's shape (reference §10.1); the inner error is filled
    /// in when the answer goes out.
    pub(crate) fn graph_error(status: u16, code: &str, message: &str) -> Self {
        Self::json(
            status,
            json!({"error": {"code": code, "message": message, "innerError": {}}}),
        )
    }

    /// An error of the Management Activity API.
    pub(crate) fn activity_error(status: u16, code: &str, message: &str) -> Self {
        Self::json(status, json!({"error": {"code": code, "message": message}}))
    }

    /// 404 for a directory object (reference §10.1).
    pub(crate) fn no_object(id: &str) -> Self {
        Self::graph_error(
            404,
            "Request_ResourceNotFound",
            &format!(
                "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
            ),
        )
    }

    /// 403 of the directory (reference §10.1).
    pub(crate) fn denied() -> Self {
        Self::graph_error(
            403,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        )
    }

    /// 403 of the directory for a member of a restricted management unit: the
    /// same code with a longer text (reference §10.1; the text is UNCONFIRMED).
    pub(crate) fn restricted() -> Self {
        Self::graph_error(
            403,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation. Target object is a member of a restricted management administrative unit and can only be modified by administrators scoped to that administrative unit.",
        )
    }

    /// 403 of the mail store (reference §10.1).
    pub(crate) fn mail_denied() -> Self {
        Self::graph_error(
            403,
            "ErrorAccessDenied",
            "Access is denied. Check credentials and try again.",
        )
    }

    /// 400 for a request that does not parse.
    pub(crate) fn bad_request(message: &str) -> Self {
        Self::graph_error(400, "BadRequest", message)
    }

    /// With a header.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// About this object.
    pub(crate) fn about(mut self, kind: ObjectKind, id: impl Into<String>) -> Self {
        self.target = Some(TraceObject::new(kind, id));
        self
    }

    /// With this change.
    pub(crate) fn effect(mut self, effect: Value) -> Self {
        self.effect = Some(effect);
        self
    }

    /// The HTTP response: with `Date`, request ids and the inner error.
    pub(crate) fn into_response<B: AsRef<[u8]>>(
        mut self,
        request: &Request<B>,
        now: Timestamp,
    ) -> Response<Bytes> {
        let client_id = request
            .headers()
            .get("client-request-id")
            .and_then(|id| id.to_str().ok())
            .filter(|id| !id.is_empty())
            .map(str::to_owned);
        let request_id = request_id(request, now);
        let client_id = client_id.unwrap_or_else(|| request_id.clone());
        if let Body::Json(body) = &mut self.body
            && let Some(inner) = body
                .pointer_mut("/error/innerError")
                .and_then(Value::as_object_mut)
        {
            inner.insert(
                "date".into(),
                json!(now.strftime("%Y-%m-%dT%H:%M:%S").to_string()),
            );
            inner.insert("request-id".into(), json!(request_id));
            inner.insert("client-request-id".into(), json!(client_id));
        }
        let (content_type, bytes) = match self.body {
            Body::Empty => (None, Bytes::new()),
            Body::Json(value) => (
                Some("application/json; charset=utf-8"),
                Bytes::from(value.to_string()),
            ),
            Body::Raw(kind, bytes) => (Some(kind), Bytes::from(bytes)),
        };
        let mut response = Response::new(bytes);
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        let mut set = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.append(name, value);
            }
        };
        if let Some(kind) = content_type
            && !self.headers.iter().any(|(name, _)| *name == "content-type")
        {
            set("content-type", kind);
        }
        set(
            "date",
            &now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        );
        set("request-id", &request_id);
        set("client-request-id", &client_id);
        for (name, value) in &self.headers {
            set(name, value);
        }
        response
    }
}

/// The service's id of a request: a hash of what was sent and when, so that
/// two runs agree.
fn request_id<B: AsRef<[u8]>>(request: &Request<B>, now: Timestamp) -> String {
    let object = format!(
        "{} {} {}",
        request.method(),
        request.uri(),
        now.as_nanosecond()
    );
    crate::chance::Chance::new(0)
        .draw(&object, "request id", 0)
        .uuid()
        .to_string()
}
