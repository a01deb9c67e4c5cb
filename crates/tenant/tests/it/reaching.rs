//! The way to a tenant over real sockets: proxies, certificate authorities,
//! names, and machines with one kind of address only. Everything is on the
//! loopback address; each failure says what to do.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use rcgen::{CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use retake_tenant::edge::{
    ProxyRoute, ReqwestTransport, SystemClock, Transport, TransportError, TransportErrorKind,
};
use retake_tenant::{Credential, Kind, Tenant};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::world::{SECRET, UPN, profile};

/// The name under which the service is known; no name server has it.
const HOST: &str = "graph.tarn.invalid";

/// A server on this address whose certificate is for these names, and the
/// certificate authority that issued it.
async fn serve(
    bind: &str,
    names: &[&str],
    valid: Option<(i32, i32)>,
) -> (std::net::SocketAddr, String) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    authority
        .distinguished_name
        .push(DnType::CommonName, "Tarn Inspection CA");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    if let Some((from, until)) = valid {
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
    }
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(bind).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            // A client that does not trust us ends the handshake.
            if let Ok(mut stream) = acceptor.accept(socket).await {
                let mut request = vec![0; 16 * 1024];
                let _ = stream.read(&mut request).await;
                let _ = stream
                    .write_all(
                        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\nhere",
                    )
                    .await;
                let _ = stream.shutdown().await;
            }
        }
    });
    (address, authority.pem())
}

/// What a proxy does with those who connect.
#[derive(Clone, Copy, PartialEq)]
enum Does {
    Forward,
    WantPassword,
    Refuse,
}

/// A proxy that takes every CONNECT to this server, and what it was asked.
async fn proxy(bind: &str, to: std::net::SocketAddr, does: Does) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind(bind).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let mut socket = BufReader::new(socket);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && socket.read_line(&mut head).await.unwrap_or(0) > 0
            {
            }
            let allowed = head.to_lowercase().contains("proxy-authorization: basic");
            notes.lock().unwrap().push(head);
            let answer: &[u8] = match does {
                Does::WantPassword if !allowed => {
                    b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n"
                }
                Does::Refuse => b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n",
                _ => b"HTTP/1.1 200 OK\r\n\r\n",
            };
            let _ = socket.write_all(answer).await;
            if answer.starts_with(b"HTTP/1.1 200") {
                let mut onward = TcpStream::connect(to).await.unwrap();
                tokio::spawn(async move {
                    let _ = tokio::io::copy_bidirectional(&mut socket, &mut onward).await;
                });
            }
        }
    });
    (port, asked)
}

async fn get(transport: &ReqwestTransport, url: &str) -> Result<Bytes, TransportError> {
    let request = http::Request::get(url).body(Bytes::new()).unwrap();
    transport.send(request).await.map(http::Response::into_body)
}

/// The error as a person reads it, of a client with this transport.
async fn told(transport: ReqwestTransport, base: &str) -> (Kind, String) {
    let mut profile = profile(Credential::ClientSecret(SECRET.to_owned().into()));
    profile.endpoints = retake_tenant::Endpoints::all_at(&base.parse().unwrap());
    let tenant = Tenant::new(profile, Arc::new(transport), Arc::new(SystemClock))
        .with_deadline(Duration::from_secs(20));
    let error = tenant.user(UPN).await.unwrap_err();
    (error.kind.clone(), format!("{error}\n{}", error.hint()))
}

#[tokio::test]
async fn a_proxy_carries_everything_but_what_is_excepted() {
    let (server, ca) = serve("127.0.0.1:0", &[HOST], None).await;
    let (port, asked) = proxy("127.0.0.1:0", server, Does::Forward).await;
    let route = ProxyRoute::new(&format!("http://127.0.0.1:{port}"), "").unwrap();
    let transport = ReqwestTransport::through(Some(&route), Some(&ca)).unwrap();
    let body = get(&transport, &format!("https://{HOST}/v1.0/x"))
        .await
        .unwrap();
    assert_eq!(body.as_ref(), b"here");
    let head = asked.lock().unwrap()[0].clone();
    assert!(head.starts_with(&format!("CONNECT {HOST}:443 ")), "{head}");
    assert!(!head.contains("/v1.0"), "the proxy sees the host only");

    for except in [HOST, ".tarn.invalid", "*"] {
        let route = ProxyRoute::new(&format!("127.0.0.1:{port}"), except).unwrap();
        let transport = ReqwestTransport::through(Some(&route), Some(&ca)).unwrap();
        let error = get(&transport, &format!("https://{HOST}/"))
            .await
            .unwrap_err();
        assert_eq!(error.kind, TransportErrorKind::Name, "{except}: {error}");
    }
    // This machine itself is never behind the proxy.
    let (here, ca) = serve("127.0.0.1:0", &["localhost"], None).await;
    let transport = ReqwestTransport::through(Some(&route), Some(&ca)).unwrap();
    get(&transport, &format!("https://localhost:{}/", here.port()))
        .await
        .unwrap();
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_proxy_that_wants_a_password_gets_it_from_its_address() {
    let (server, ca) = serve("127.0.0.1:0", &[HOST], None).await;
    let (port, asked) = proxy("127.0.0.1:0", server, Does::WantPassword).await;
    let route = ProxyRoute::new(&format!("http://rosa:p%40ss@127.0.0.1:{port}"), "").unwrap();
    let transport = ReqwestTransport::through(Some(&route), Some(&ca)).unwrap();
    get(&transport, &format!("https://{HOST}/")).await.unwrap();
    // rosa:p@ss
    assert!(asked.lock().unwrap()[0].contains("cm9zYTpwQHNz"));

    let route = ProxyRoute::new(&format!("http://127.0.0.1:{port}"), "").unwrap();
    let transport = ReqwestTransport::through(Some(&route), Some(&ca)).unwrap();
    let (kind, text) = told(transport, &format!("https://{HOST}")).await;
    assert_eq!(
        kind,
        Kind::Unreachable {
            effect_unknown: false
        }
    );
    for word in [
        "proxy authorization required",
        &format!("127.0.0.1:{port}"),
        "HTTPS_PROXY",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_or_refuses_is_named() {
    let (server, ca) = serve("127.0.0.1:0", &[HOST], None).await;
    let (refusing, _) = proxy("127.0.0.1:0", server, Does::Refuse).await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = closed.local_addr().unwrap().port();
    drop(closed);
    for address in [
        format!("127.0.0.1:{refusing}"),
        format!("127.0.0.1:{gone}"),
        "proxy.tarn.invalid:3128".to_owned(),
    ] {
        let route = ProxyRoute::new(&format!("rosa:s3cr3t@{address}"), "").unwrap();
        let transport = ReqwestTransport::through(Some(&route), Some(&ca)).unwrap();
        let (kind, text) = told(transport, &format!("https://{HOST}")).await;
        assert_eq!(
            kind,
            Kind::Unreachable {
                effect_unknown: false
            }
        );
        assert!(text.contains("no way through the proxy"), "{text}");
        assert!(text.contains(&address) && text.contains(HOST), "{text}");
        assert!(text.contains("NO_PROXY"), "{text}");
        assert!(!text.contains("s3cr3t"), "{text}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_says_whose_it_is_and_which_setting_helps() {
    let (server, ca) = serve("127.0.0.1:0", &["localhost"], None).await;
    let (_, other) = serve("127.0.0.1:0", &["localhost"], None).await;
    let base = format!("https://localhost:{}", server.port());
    let (kind, text) = told(ReqwestTransport::new(Some(&other)).unwrap(), &base).await;
    assert_eq!(
        kind,
        Kind::Unreachable {
            effect_unknown: false
        }
    );
    for word in [
        "localhost",
        "Tarn Inspection CA",
        "no authority that is trusted",
        "`ca_file`",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let trusting = ReqwestTransport::new(Some(&ca)).unwrap();
    assert!(get(&trusting, &base).await.is_ok());

    for (names, valid, word) in [
        (["other.example"], None, "is for another name"),
        (
            ["localhost"],
            Some((2001, 2002)),
            "has expired at 2002-01-01",
        ),
        (
            ["localhost"],
            Some((2901, 2902)),
            "not valid before 2901-01-01T00:00:00Z: is this machine's clock right?",
        ),
    ] {
        let (server, ca) = serve("127.0.0.1:0", &names, valid).await;
        let transport = ReqwestTransport::new(Some(&ca)).unwrap();
        let base = format!("https://localhost:{}", server.port());
        let error = get(&transport, &base).await.unwrap_err();
        assert_eq!(error.kind, TransportErrorKind::Tls, "{error}");
        assert!(error.to_string().contains(word), "{word}: {error}");
    }
}

#[tokio::test]
async fn a_machine_with_ipv6_only_reaches_the_service_and_the_proxy() {
    let (server, ca) = serve("[::1]:0", &["::1", HOST], None).await;
    let direct = ReqwestTransport::new(Some(&ca)).unwrap();
    get(&direct, &format!("https://[::1]:{}/", server.port()))
        .await
        .unwrap();

    let (port, asked) = proxy("[::1]:0", server, Does::Forward).await;
    let route = ProxyRoute::new(&format!("http://[::1]:{port}"), "").unwrap();
    let transport = ReqwestTransport::through(Some(&route), Some(&ca)).unwrap();
    get(&transport, &format!("https://{HOST}/")).await.unwrap();
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_name_that_nobody_knows_and_a_port_that_is_shut_are_told_apart() {
    let (_, ca) = serve("127.0.0.1:0", &["localhost"], None).await;
    let transport = || ReqwestTransport::new(Some(&ca)).unwrap();
    let (kind, text) = told(transport(), &format!("https://{HOST}")).await;
    assert_eq!(
        kind,
        Kind::Unreachable {
            effect_unknown: false
        }
    );
    for word in [
        "the name is not known",
        HOST,
        "could not be looked up",
        "HTTPS_PROXY",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let (_, text) = told(transport(), &format!("https://localhost:{port}")).await;
    assert!(
        text.contains("no connection") && text.contains("firewall"),
        "{text}"
    );
}

#[tokio::test]
async fn the_way_to_the_machines_own_identity_speaks_plain_http_and_others_do_not() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let _ = socket.read(&mut request).await;
            let _ = socket
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\nhere")
                .await;
        }
    });
    let url = format!("http://127.0.0.1:{port}/metadata/identity");
    let metadata = ReqwestTransport::metadata().unwrap();
    assert_eq!(get(&metadata, &url).await.unwrap().as_ref(), b"here");
    let (_, ca) = serve("127.0.0.1:0", &["localhost"], None).await;
    let ordinary = ReqwestTransport::new(Some(&ca)).unwrap();
    assert!(
        get(&ordinary, &url).await.is_err(),
        "no secret leaves without TLS"
    );
}
