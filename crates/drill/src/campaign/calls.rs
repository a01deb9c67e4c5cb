//! Which call of the client's table a request is.

use std::fmt;

use bytes::Bytes;
use http::Request;
use retake_tenant::call::{
    CALLS, CallSpec, EXCHANGE_CHANGE, EXCHANGE_INVOKE, EXCHANGE_SET_KEEPING, SERVICE_PRINCIPALS,
    SIGN_IN, Service,
};
use serde_json::Value;

/// A call as the campaign tells it apart: an entry of the table, and for tokens
/// the service that the token is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    /// The entry.
    pub spec: &'static CallSpec,
    /// For which service a token is asked; nothing for other calls.
    pub token_for: Option<Service>,
    /// Whether it goes inside a `$batch`, which is a call of its own besides.
    pub in_batch: bool,
}

impl Called {
    /// What this request asks for; nothing if the client's table has no such call.
    pub fn of(request: &Request<Bytes>) -> Option<Self> {
        let candidates: Vec<&'static CallSpec> = CALLS
            .iter()
            .copied()
            .filter(|spec| {
                spec.method.as_str() == request.method().as_str()
                    && fits(spec.path_template, request.uri().path())
            })
            .collect();
        // Where one template fits literally, it is the one that is meant.
        let literal = |spec: &CallSpec| {
            spec.path_template
                .split('/')
                .filter(|part| !part.contains('{'))
                .count()
        };
        let most = candidates.iter().map(|spec| literal(spec)).max()?;
        let mut candidates = candidates.into_iter().filter(|spec| literal(spec) == most);
        let first = candidates.next()?;
        let spec = if first.service == Service::Exchange {
            cmdlet(request.body())
        } else if request.uri().path().ends_with("/$batch") {
            batch(request)?
        } else if candidates.next().is_some() {
            by_body(request)?
        } else {
            first
        };
        Some(Self {
            spec,
            token_for: (spec == &SIGN_IN).then(|| token_for(request.body())),
            in_batch: false,
        })
    }

    /// What is asked inside a batch, each with its path below the version; nothing for
    /// a request that is none.
    pub fn inside(request: &Request<Bytes>) -> Vec<(Self, String)> {
        let Some(version) = request.uri().path().strip_suffix("/$batch") else {
            return Vec::new();
        };
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let requests = body["requests"].as_array().cloned().unwrap_or_default();
        requests
            .iter()
            .filter_map(|inner| {
                let url = inner["url"].as_str()?;
                let asked = Request::builder()
                    .method(inner["method"].as_str()?)
                    .uri(format!("https://graph.example{version}{url}"))
                    .body(Bytes::from(inner["body"].to_string()))
                    .ok()?;
                let called = Self {
                    in_batch: true,
                    ..Self::of(&asked)?
                };
                Some((called, url.to_owned()))
            })
            .collect()
    }

    /// Its name in the table.
    pub fn name(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Called {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.spec.id)?;
        match self.token_for {
            Some(service) => write!(f, " for {}", service.words()),
            None if self.in_batch => f.write_str(" in a batch"),
            None => Ok(()),
        }
    }
}

/// Whether a path follows a template: as many segments, the literal ones equal.
fn fits(template: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    template.split('/').all(|wanted| {
        parts
            .next()
            .is_some_and(|part| match wanted.split_once('{') {
                None => part.eq_ignore_ascii_case(wanted),
                Some((before, _)) => !part.is_empty() && part.starts_with(before),
            })
    }) && parts.next().is_none()
}

/// Exchange's requests differ in the cmdlet alone, which the table names.
fn cmdlet(body: &[u8]) -> &'static CallSpec {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let name = body["CmdletInput"]["CmdletName"]
        .as_str()
        .unwrap_or_default();
    let parameters = &body["CmdletInput"]["Parameters"];
    let keeps = |name: &str| !parameters[name].is_null();
    if name == "Set-Mailbox" && (keeps("RetainDeletedItemsFor") || keeps("LitigationHoldEnabled")) {
        return &EXCHANGE_SET_KEEPING;
    }
    let named = format!("({name})");
    CALLS
        .iter()
        .copied()
        .find(|spec| spec.service == Service::Exchange && spec.does.ends_with(&named))
        .unwrap_or(if name.starts_with("Get-") {
            &EXCHANGE_INVOKE
        } else {
            &EXCHANGE_CHANGE
        })
}

/// Which batch it is: that of the first call in it.
fn batch(request: &Request<Bytes>) -> Option<&'static CallSpec> {
    let (first, _) = Called::inside(request).into_iter().next()?;
    [&SERVICE_PRINCIPALS]
        .into_iter()
        .find(|batch| batch.batch_of() == Some(first.spec))
}

/// Changes of one object that differ in what they set.
fn by_body(request: &Request<Bytes>) -> Option<&'static CallSpec> {
    let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let user = request.uri().path().contains("/users/");
    let id = match (user, body["accountEnabled"].as_bool()) {
        (true, Some(false)) => "graph.user.block",
        (true, Some(true)) => "graph.user.unblock",
        (true, None) => "graph.user.reset_password",
        (false, Some(false)) => "graph.apps.disable",
        (false, _) => "graph.apps.enable",
    };
    CallSpec::by_id(id)
}

fn token_for(body: &[u8]) -> Service {
    let body = String::from_utf8_lossy(body);
    if body.contains("outlook") {
        Service::Exchange
    } else if body.contains("manage") {
        Service::Activity
    } else {
        Service::Graph
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn named(method: &str, path: &str, body: &str) -> Option<String> {
        let request = Request::builder()
            .method(method)
            .uri(format!("https://host.example{path}"))
            .body(Bytes::from(body.to_owned()))
            .unwrap();
        Called::of(&request).map(|called| called.name())
    }

    #[test]
    fn a_request_is_told_by_method_path_and_body() {
        for (method, path, body, name) in [
            ("GET", "/v1.0/users/u", "", "graph.user.read"),
            (
                "PATCH",
                "/v1.0/users/u",
                r#"{"accountEnabled":false}"#,
                "graph.user.block",
            ),
            (
                "PATCH",
                "/v1.0/users/u",
                r#"{"accountEnabled":true}"#,
                "graph.user.unblock",
            ),
            (
                "PATCH",
                "/v1.0/users/u",
                r#"{"passwordProfile":{}}"#,
                "graph.user.reset_password",
            ),
            ("GET", "/v1.0/users/u/mailFolders", "", "graph.mail.folders"),
            (
                "GET",
                "/v1.0/users/u/mailFolders/inbox/messageRules",
                "",
                "graph.rules.list",
            ),
            (
                "GET",
                "/v1.0/users/u/oauth2PermissionGrants",
                "",
                "graph.grants.of_user",
            ),
            (
                "POST",
                "/t/oauth2/v2.0/token",
                "scope=https%3A%2F%2Foutlook.office365.com%2F.default",
                "sign_in.token for Exchange Online",
            ),
            (
                "POST",
                "/adminapi/beta/t/InvokeCommand",
                r#"{"CmdletInput":{"CmdletName":"Get-InboxRule"}}"#,
                "exchange.rules.list",
            ),
            (
                "POST",
                "/adminapi/beta/t/InvokeCommand",
                r#"{"CmdletInput":{"CmdletName":"Set-Mailbox"}}"#,
                "exchange.mailbox.set_forwarding",
            ),
            (
                "POST",
                "/adminapi/beta/t/InvokeCommand",
                r#"{"CmdletInput":{"CmdletName":"Set-Mailbox","Parameters":{"LitigationHoldEnabled":true}}}"#,
                "exchange.mailbox.set_keeping",
            ),
        ] {
            assert_eq!(
                named(method, path, body).as_deref(),
                Some(name),
                "{method} {path}"
            );
        }
        assert_eq!(named("GET", "/v1.0/groups/g", ""), None);
    }

    #[test]
    fn a_batch_is_a_call_and_so_is_each_request_in_it() {
        let body = r#"{"requests":[{"id":"1","method":"GET","url":"/servicePrincipals/a"},
            {"id":"2","method":"GET","url":"/servicePrincipals/b"}]}"#;
        assert_eq!(
            named("POST", "/v1.0/$batch", body).as_deref(),
            Some("graph.apps.read_batch")
        );
        let request = Request::post("https://host.example/v1.0/$batch")
            .body(Bytes::from(body))
            .unwrap();
        let inside: Vec<(String, String)> = Called::inside(&request)
            .into_iter()
            .map(|(called, path)| (called.name(), path))
            .collect();
        let name = "graph.apps.read in a batch".to_owned();
        assert_eq!(
            inside,
            [
                (name.clone(), "/servicePrincipals/a".to_owned()),
                (name, "/servicePrincipals/b".to_owned())
            ]
        );
    }
}
