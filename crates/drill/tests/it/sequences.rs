//! Sequences as files, and the runner against a tenant of a few answers.

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use retake_drill::VirtualTime;
use retake_drill::sequence::{Access, Runner, Sequence, SequenceError};
use retake_tenant::edge::{
    BoxFuture, Clock, Entropy, Transport, TransportError, TransportErrorKind,
};
use serde_json::{Value, json};

fn parse(text: &str) -> Result<Sequence, SequenceError> {
    Sequence::parse(Path::new("mine.toml"), text)
}

const HEAD: &str =
    "schema = \"retake.sequence/1\"\nid = \"mine\"\ntitle = \"Mine\"\nsource = \"me\"\n";

#[test]
fn the_four_controls_are_there_and_can_be_read() {
    let names: Vec<_> = Sequence::names().collect();
    assert_eq!(
        names,
        [
            "none",
            "password-reset-only",
            "reset-before-block",
            "remove-everything"
        ]
    );
    for name in names {
        assert_eq!(Sequence::find(name).unwrap().id, name);
    }
}

#[test]
fn a_file_that_does_not_fit_is_refused_with_file_line_and_reason() {
    let cases = [
        (
            "[[operation]]\ndo = \"wait\"\n",
            "mine.toml:5: a `wait` needs `for`, such as \"10m\"",
        ),
        (
            "[[operation]]\ndo = \"wait\"\nfor = \"ten minutes\"\n",
            "mine.toml:7: `ten minutes` is not a length of time: write for example 90s, 4m, 26h or 3d",
        ),
        (
            "\n[[operation]]\ndo = \"send\"\ngraph = \"PATCH users\"\n",
            "mine.toml:6: `PATCH users` is not a request: write for example `GET /v1.0/users`",
        ),
        (
            "[[operation]]\ndo = \"send\"\n",
            "mine.toml:5: an operation has either `graph` or `exchange`",
        ),
        (
            "[[operation]]\ndo = \"send\"\neach = \"rules\"\ngraph = \"DELETE /v1.0/x/{item.id}\"\n",
            "mine.toml:5: `each` names `rules`, which no earlier `list` keeps",
        ),
        (
            "[[operation]]\ndo = \"send\"\ngraph = \"DELETE /v1.0/x/{item.id}\"\n",
            "mine.toml:5: `{item.id}` needs `each`: there is no item otherwise",
        ),
        (
            "[[operation]]\ndo = \"send\"\ngraph = \"DELETE /v1.0/x/{account.name}\"\n",
            "mine.toml:5: `{account.name}` stands for nothing",
        ),
        (
            "[[operation]]\ndo = \"list\"\ngraph = \"GET /v1.0/users\"\n",
            "mine.toml:5: a `list` needs `into`: the name under which it keeps the items",
        ),
    ];
    for (text, expected) in cases {
        let error = parse(&format!("{HEAD}{text}")).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let error = parse(&HEAD.replace("mine", "retake")).unwrap_err();
    assert!(
        error.to_string().starts_with("mine.toml:2: id `retake`"),
        "{error}"
    );
    let error = parse(&HEAD.replace("sequence/1", "sequence/9")).unwrap_err();
    assert!(error.to_string().contains("mine.toml:1"), "{error}");
    let error = parse(&format!("{HEAD}[[operation]]\ndo = \"dance\"\n")).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("mine.toml:6: unknown variant `dance`"),
        "{error}"
    );
    let error = Sequence::find("no-such-thing").unwrap_err();
    assert!(matches!(error, SequenceError::NotFound { .. }), "{error}");
}

#[test]
fn a_loop_visits_every_item_of_every_page_and_tries_the_refused_once_more() {
    let text = format!(
        "{HEAD}
[[operation]]
do = \"list\"
graph = \"GET /v1.0/users/{{account.upn}}/authentication/methods\"
into = \"methods\"
skip = [{{ field = \"@odata.type\", is = \"#microsoft.graph.PASSWORDAuthenticationMethod\" }}]

[[operation]]
do = \"wait\"
for = \"10m\"

[[operation]]
do = \"send\"
each = \"methods\"
again = true
graph = \"DELETE /v1.0/users/{{account.upn}}/authentication/{{item.segment}}/{{item.id}}\"
"
    );
    let (seen, refused, took) = carry_out(&parse(&text).unwrap());
    let (upn, methods) = ("dana%40contoso.example", "authentication");
    assert_eq!(
        seen,
        [
            "POST /t-1/oauth2/v2.0/token".to_owned(),
            format!("GET /v1.0/users/{upn}/{methods}/methods"),
            "GET /v1.0/page-2".to_owned(),
            "POST /t-1/oauth2/v2.0/token".to_owned(),
            format!("DELETE /v1.0/users/{upn}/{methods}/phoneMethods/default"),
            format!("DELETE /v1.0/users/{upn}/{methods}/fido2Methods/a%2Fb"),
            format!("DELETE /v1.0/users/{upn}/{methods}/phoneMethods/default"),
        ]
    );
    assert_eq!(refused, 0);
    assert_eq!(took.as_secs(), 600);
}

#[test]
fn what_is_refused_does_not_stop_the_sequence_and_is_listed() {
    let text = format!(
        "{HEAD}
[[operation]]
do = \"send\"
what = \"remove the rule\"
exchange = \"Remove-InboxRule\"
parameters = {{ Mailbox = \"{{account.upn}}\", Identity = \"x\" }}

[[operation]]
do = \"send\"
graph = \"POST /v1.0/users/{{account.upn}}/revokeSignInSessions\"
body = {{}}
"
    );
    let (seen, refused, _) = carry_out(&parse(&text).unwrap());
    assert_eq!(refused, 1);
    assert!(seen.last().unwrap().ends_with("/revokeSignInSessions"));
}

/// Runs a sequence against [`FewAnswers`]: requests seen, how many refused, how long it took.
fn carry_out(sequence: &Sequence) -> (Vec<String>, usize, jiff::SignedDuration) {
    let start: jiff::Timestamp = "2026-09-02T09:00:00Z".parse().unwrap();
    let time = VirtualTime::starting_at(start);
    let tenant = FewAnswers {
        seen: Mutex::default(),
    };
    let access = Access {
        tenant: "t-1".into(),
        client_id: "app".into(),
        client_secret: "s&cret".into(),
        upn: "dana@contoso.example".into(),
        also: None,
    };
    let runner = Runner::new(&tenant, &time, &Zeros, access);
    let refused = time.block_on(runner.run(sequence)).unwrap();
    let seen = tenant.seen.lock().unwrap().clone();
    (seen, refused.len(), time.now().duration_since(start))
}

struct Zeros;

impl Entropy for Zeros {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

/// A token that lasts ten minutes, two pages of methods, a default method that
/// cannot go first, an Exchange that refuses everything.
struct FewAnswers {
    seen: Mutex<Vec<String>>,
}

impl FewAnswers {
    fn answer(&self, request: &Request<Bytes>) -> (u16, Value) {
        let path = request.uri().path().to_owned();
        let first_time = {
            let mut seen = self.seen.lock().unwrap();
            let line = format!("{} {path}", request.method());
            let first_time = !seen.contains(&line);
            seen.push(line);
            first_time
        };
        if path.ends_with("/token") {
            assert!(String::from_utf8_lossy(request.body()).contains("client_secret=s%26cret"));
            return (200, json!({"access_token": "t", "expires_in": 600}));
        }
        assert!(request.headers().contains_key("authorization"));
        if path.ends_with("/methods") {
            let method = |kind: &str, id: &str| json!({"@odata.type": format!("#microsoft.graph.{kind}AuthenticationMethod"), "id": id});
            return (
                200,
                json!({
                    "value": [method("password", "p"), method("phone", "default")],
                    "@odata.nextLink": "https://graph.microsoft.com/v1.0/page-2",
                }),
            );
        }
        if path.ends_with("/page-2") {
            return (
                200,
                json!({"value": [{"@odata.type": "#microsoft.graph.fido2AuthenticationMethod", "id": "a/b"}]}),
            );
        }
        if path.ends_with("/InvokeCommand") {
            return (403, Value::Null);
        }
        if path.ends_with("/default") && first_time {
            return (400, json!({"error": {"code": "badRequest"}}));
        }
        (204, Value::Null)
    }
}

impl Transport for FewAnswers {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let (status, body) = self.answer(&request);
        Box::pin(std::future::ready(
            Response::builder()
                .status(status)
                .body(Bytes::from(body.to_string()))
                .map_err(|error| TransportError::new(TransportErrorKind::Body, error.to_string())),
        ))
    }
}

#[test]
fn a_call_that_hangs_is_given_up_and_the_sequence_goes_on() {
    struct Hangs;
    impl Transport for Hangs {
        fn send(
            &self,
            _: Request<Bytes>,
        ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
            Box::pin(std::future::pending())
        }
    }
    let time = VirtualTime::starting_at("2026-09-02T09:00:00Z".parse().unwrap());
    let access = Access {
        tenant: "t".into(),
        client_id: "a".into(),
        client_secret: "s".into(),
        upn: "u@x".into(),
        also: None,
    };
    let started = time.now();
    let runner = Runner::new(&Hangs, &time, &Zeros, access);
    let sequence = Sequence::find("password-reset-only").unwrap();
    let refused = time.block_on(runner.run(&sequence)).unwrap();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].status, None);
    let waited = time.now().duration_since(started);
    assert_eq!(Duration::try_from(waited).unwrap(), Duration::from_secs(30));
}
