//! The transport over real TLS, against a server that misbehaves on purpose.

use std::sync::Arc;

use bytes::Bytes;
use retake_tenant::edge::{ReqwestTransport, Transport as _, TransportErrorKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// A server for as many connections as answers; each is written as it is and the connection closed.
async fn serve(answers: Vec<&'static [u8]>) -> (u16, String) {
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let pem = certified.cert.pem();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(
        certified.signing_key.serialize_der(),
    ));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        for answer in answers {
            let (socket, _) = listener.accept().await.unwrap();
            // A client that does not trust us ends the handshake.
            if let Ok(mut stream) = acceptor.accept(socket).await {
                let mut request = vec![0; 16 * 1024];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(answer).await;
                let _ = stream.shutdown().await;
            }
        }
    });
    (port, pem)
}

fn get(port: u16) -> http::Request<Bytes> {
    http::Request::get(format!(
        "https://localhost:{port}/v1.0/users/a%23b?$select=id"
    ))
    .body(Bytes::new())
    .unwrap()
}

#[tokio::test]
async fn answers_come_back_as_they_were_sent() {
    let (port, pem) = serve(vec![
        b"HTTP/1.1 302 Found\r\nlocation: https://evil.example/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        b"HTTP/1.1 403 Forbidden\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\nconnection: close\r\n\r\n\0\0\0\0",
        b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\nconnection: close\r\n\r\n{\"value\":[",
        b"",
    ])
    .await;
    let transport = ReqwestTransport::new(Some(&pem)).unwrap();

    let redirect = transport.send(get(port)).await.unwrap();
    assert_eq!(redirect.status(), 302);
    assert_eq!(redirect.headers()["location"], "https://evil.example/");

    let labelled = transport.send(get(port)).await.unwrap();
    assert_eq!(labelled.body().as_ref(), b"\0\0\0\0");

    let truncated = transport.send(get(port)).await.unwrap_err();
    assert_eq!(truncated.kind, TransportErrorKind::Body);

    let nothing = transport.send(get(port)).await.unwrap_err();
    assert_eq!(nothing.kind, TransportErrorKind::Reset, "{nothing}");
    assert!(
        !nothing.to_string().contains("users"),
        "no address in errors: {nothing}"
    );
}

#[tokio::test]
async fn who_is_not_trusted_or_not_there_is_told_apart() {
    let (port, _) = serve(vec![b""]).await;
    let (_, other_pem) = serve(vec![]).await;
    let transport = ReqwestTransport::new(Some(&other_pem)).unwrap();
    let error = transport.send(get(port)).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Tls, "{error}");

    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let error = transport.send(get(port)).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Connect, "{error}");
    assert!(ReqwestTransport::new(Some("not a certificate")).is_err());
}
