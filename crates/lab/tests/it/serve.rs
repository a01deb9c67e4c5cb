//! The lab over TLS and its control port.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use retake_lab::serve::{ClockMode, Decision, Options, Server};
use retake_lab::{Lab, Scenario};
use serde_json::{Value, json};

use crate::support::form;

fn start(options: Options) -> Server {
    let lab = Lab::new(&Scenario::find("invoice-fraud").unwrap(), 1).unwrap();
    Server::start(lab, options).unwrap()
}

/// One HTTPS request with nothing but rustls and the lab's authority; `None`
/// when the connection is cut.
fn https(server: &Server, head: &str, body: &str) -> Option<(u16, Value)> {
    use rustls::pki_types::pem::PemObject as _;
    let mut roots = rustls::RootCertStore::empty();
    let ca = rustls::pki_types::CertificateDer::from_pem_slice(server.ca_pem().as_bytes()).unwrap();
    roots.add(ca).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_root_certificates(roots)
    .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let mut session = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut socket = TcpStream::connect(server.addr()).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut stream = rustls::Stream::new(&mut session, &mut socket);
    let port = server.addr().port();
    write!(
        stream,
        "{head} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, serde_json::from_str(body).unwrap_or_default()))
}

fn control(server: &Server, order: &Value) -> Value {
    let mut stream = TcpStream::connect(server.control_addr()).unwrap();
    writeln!(stream, "{order}").unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap()
}

fn token_request(server: &Server) -> (String, String) {
    server.with(|lab, _| {
        let briefing = lab.briefing();
        (
            format!("POST /{}/oauth2/v2.0/token", briefing.tenant_id),
            form(&[
                ("grant_type", "client_credentials"),
                ("client_id", &briefing.client_id),
                ("client_secret", &briefing.client_secret),
                ("scope", "https://graph.microsoft.com/.default"),
            ]),
        )
    })
}

#[test]
fn a_foreign_client_finds_the_endpoints_and_gets_a_token() {
    let server = start(Options {
        clock: ClockMode::Stepped,
        ..Options::default()
    });
    let tenant = server.with(|lab, _| lab.briefing().tenant_id.clone());
    let (status, found) = https(
        &server,
        &format!("GET /{tenant}/v2.0/.well-known/openid-configuration"),
        "",
    )
    .unwrap();
    assert_eq!(status, 200);
    let base = format!("https://localhost:{}", server.addr().port());
    assert_eq!(
        found["token_endpoint"],
        json!(format!("{base}/{tenant}/oauth2/v2.0/token"))
    );
    assert_eq!(found["issuer"], json!(format!("{base}/{tenant}/v2.0")));
    let (head, body) = token_request(&server);
    let (status, token) = https(&server, &head, &body).unwrap();
    assert_eq!((status, &token["token_type"]), (200, &json!("Bearer")));
    server.shutdown();
}

#[test]
fn the_control_port_moves_the_clock_and_asks_people() {
    let server = start(Options {
        clock: ClockMode::Stepped,
        ..Options::default()
    });
    let begin: jiff::Timestamp = control(&server, &json!({"op": "now"}))["now"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(begin, server.with(|lab, _| lab.start()));
    let later: jiff::Timestamp = control(&server, &json!({"op": "advance", "seconds": 90}))["now"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(
        later.duration_since(begin),
        jiff::SignedDuration::from_secs(90)
    );
    let (head, body) = token_request(&server);
    https(&server, &head, &body).unwrap();
    let after: jiff::Timestamp = control(&server, &json!({"op": "now"}))["now"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(
        after.duration_since(later),
        jiff::SignedDuration::from_millis(150)
    );
    control(&server, &json!({"op": "hold", "on": true}));
    https(&server, &head, &body).unwrap();
    let held = control(&server, &json!({"op": "now"}));
    assert_eq!(
        held["now"]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .unwrap(),
        after
    );
    let answer = control(
        &server,
        &json!({"op": "ask", "ask": {"role": "approver", "task": "approve"}}),
    );
    assert_eq!(answer["answer"]["answer"], "approved", "{answer}");
    let trace = control(&server, &json!({"op": "trace"}));
    assert!(trace["trace"].as_str().unwrap().lines().count() > 3);
    assert!(control(&server, &json!({"op": "final_state"}))["final_state"]["users"].is_object());
    assert!(control(&server, &json!({"op": "what"}))["error"].is_string());
}

#[test]
fn a_test_may_cut_the_connection_before_and_after_the_effect() {
    let server = start(Options {
        clock: ClockMode::Stepped,
        on_request: Some(Box::new(|_, ordinal| match ordinal {
            0 => Decision::DropBefore,
            1 => Decision::DropAfter,
            _ => Decision::Handle,
        })),
        ..Options::default()
    });
    let (head, body) = token_request(&server);
    let lines = || server.with(|lab, _| lab.trace().len());
    let before = lines();
    assert!(https(&server, &head, &body).is_none());
    assert_eq!(lines(), before);
    assert!(https(&server, &head, &body).is_none());
    assert_eq!(lines(), before + 1);
    assert_eq!(https(&server, &head, &body).unwrap().0, 200);
}

#[test]
fn two_labs_have_two_authorities() {
    let (one, two) = (start(Options::default()), start(Options::default()));
    assert_ne!(one.ca_pem(), two.ca_pem());
    assert!(one.ca_pem().starts_with("-----BEGIN CERTIFICATE-----"));
}
