//! Profiles of real tenants, up to the point where the tenant would answer:
//! what stands in the way is said with code and hint, and no secret with it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};

use crate::stranger::{Home, Ran, Served};

const TENANT: &str = "6f0c1b1e-52a7-4a0e-9d4b-0d2f7a3c9e11";

fn profile(home: &Home, name: &str, text: &str) {
    let tenants = home.path().join("tenants");
    std::fs::create_dir_all(&tenants).unwrap();
    std::fs::write(
        tenants.join(format!("{name}.toml")),
        format!("tenant_id = \"{TENANT}\"\n{text}\n"),
    )
    .unwrap();
}

/// A profile with a client secret, in a file of its own.
fn with_secret(home: &Home, name: &str, more: &str) {
    let secret = private(home, "secret", "c1ient-s3cr3t");
    let text = format!("client_id = \"app\"\nsecret_file = {secret:?}\n{more}");
    profile(home, name, &text);
}

fn private(home: &Home, name: &str, text: &str) -> std::path::PathBuf {
    let file = home.path().join(name);
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    file
}

fn contain(home: &Home, name: &str, environment: &[(&str, &str)]) -> Ran {
    let arguments = ["contain", "ida@tarn.example", "--tenant", name];
    let mut command = home.command(&arguments);
    command.envs(environment.iter().copied());
    let ran = Ran::of(&arguments, command.output().unwrap());
    assert!(!ran.session().contains("s3cr3t"), "{}", ran.session());
    ran
}

fn says(ran: &Ran, code: &str, exit: i32, words: &[&str]) {
    let session = ran.session();
    assert_eq!(ran.code, exit, "{session}");
    for word in words.iter().chain([&code]) {
        assert!(session.contains(word), "`{word}` is not in: {session}");
    }
}

/// A port that nobody listens at.
fn closed() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// A proxy that connects everybody with `to`, and what it was asked for.
fn proxy(to: SocketAddr) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&asked);
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let mut lines = BufReader::new(socket.try_clone().unwrap());
            let mut first = String::new();
            lines.read_line(&mut first).unwrap();
            let mut line = String::new();
            while lines.read_line(&mut line).unwrap() > 2 {
                line.clear();
            }
            notes.lock().unwrap().push(first);
            let mut socket = socket;
            socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            let mut onward = TcpStream::connect(to).unwrap();
            let (mut back, mut there) = (onward.try_clone().unwrap(), socket.try_clone().unwrap());
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut back, &mut there);
                let _ = there.shutdown(std::net::Shutdown::Both);
            });
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut socket, &mut onward);
                let _ = onward.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    (address, asked)
}

#[test]
fn the_proxy_of_the_profile_or_the_environment_is_named_when_it_does_not_serve() {
    let home = Home::new();
    with_secret(&home, "plain", "");
    with_secret(&home, "own", "proxy = \"http://proxy.tarn.invalid:3128\"");
    with_secret(
        &home,
        "talkative",
        "proxy = \"http://rosa:s3cr3t@proxy.example:3128\"",
    );
    let gone = closed();
    let with_password = format!("http://rosa:s3cr3t@{gone}");
    let hint = "HTTPS_PROXY or ALL_PROXY";
    let ran = contain(&home, "plain", &[("HTTPS_PROXY", &with_password)]);
    says(
        &ran,
        "RT4005",
        4,
        &[&gone, "login.microsoftonline.com", hint],
    );
    let ran = contain(&home, "plain", &[("all_proxy", &gone)]);
    says(&ran, "RT4005", 4, &[&gone]);
    // The profile's own comes first.
    let ran = contain(&home, "own", &[("HTTPS_PROXY", &with_password)]);
    says(&ran, "RT4005", 4, &["proxy.tarn.invalid:3128"]);
    let ran = contain(&home, "plain", &[("ALL_PROXY", "socks5://127.0.0.1:1080")]);
    says(&ran, "RT4005", 4, &["SOCKS"]);
    let ran = contain(&home, "talkative", &[]);
    says(&ran, "RT2002", 2, &["`proxy`", "profiles hold no secrets"]);
}

#[test]
fn a_proxy_that_looks_into_connections_is_found_out_by_its_certificate() {
    let home = Home::new();
    let served = Served::to(&home);
    with_secret(&home, "plain", "");
    let (address, asked) = proxy(served.server.addr());
    let address = address.to_string();
    let ran = contain(&home, "plain", &[("HTTPS_PROXY", &address)]);
    says(
        &ran,
        "RT4004",
        4,
        &[
            "the certificate of login.microsoftonline.com",
            "Retake lab, for one run",
            "`ca_file`",
        ],
    );
    // Trusted, it is still another host's.
    let ca = private(&home, "ca.pem", served.server.ca_pem());
    with_secret(&home, "trusting", &format!("ca_file = {ca:?}"));
    let ran = contain(&home, "trusting", &[("HTTPS_PROXY", &address)]);
    says(&ran, "RT4004", 4, &["is for another name"]);
    for line in asked.lock().unwrap().iter() {
        assert_eq!(line, "CONNECT login.microsoftonline.com:443 HTTP/1.1\r\n");
    }
}

#[test]
fn a_profile_that_lacks_something_says_what() {
    let home = Home::new();
    let certificate = private(
        &home,
        "cert.pem",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    let client = "client_id = \"app\"\n";
    for (name, text, words) in [
        (
            "no-id",
            "sign_in = \"device-code\"".to_owned(),
            "no `client_id`",
        ),
        (
            "no-file",
            format!("{client}sign_in = \"certificate\""),
            "no `certificate_file`",
        ),
        (
            "no-key",
            format!("{client}sign_in = \"certificate\"\ncertificate_file = {certificate:?}"),
            "holds no private key",
        ),
        (
            "no-token",
            format!("{client}sign_in = \"workload-identity\""),
            "no `token_file`",
        ),
        (
            "host",
            format!("{client}authority = \"evil.example\""),
            "`evil.example`",
        ),
        (
            "nobody",
            "partner_of = \"missing\"".to_owned(),
            "no profile `missing`",
        ),
        (
            "twice",
            format!("{client}partner_of = \"no-id\""),
            "`client_id` besides `partner_of`",
        ),
        (
            "chain",
            "partner_of = \"twice\"".to_owned(),
            "itself a customer's profile",
        ),
        ("machine", "sign_in = \"managed-identity\"".to_owned(), ""),
        (
            "customer",
            "partner_of = \"machine\"".to_owned(),
            "its own tenant only",
        ),
        (
            "far",
            "partner_of = \"no-id\"\ncloud = \"china\"".to_owned(),
            "another cloud",
        ),
    ] {
        profile(&home, name, &text);
        if !words.is_empty() {
            let ran = contain(&home, name, &[]);
            assert_eq!(ran.code, 2, "{}", ran.session());
            assert!(ran.session().contains(words), "{words}: {}", ran.session());
        }
    }
}

#[test]
fn a_machine_without_an_identity_says_so_and_no_proxy_is_asked() {
    let home = Home::new();
    profile(&home, "machine", "sign_in = \"managed-identity\"");
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/msi/token", service.local_addr().unwrap());
    let heard = std::thread::spawn(move || {
        let (mut socket, _) = service.accept().unwrap();
        let mut request = [0; 4096];
        let read = socket.read(&mut request).unwrap();
        let body = r#"{"statusCode":400,"message":"No managed identity here"}"#;
        write!(
            socket,
            "HTTP/1.1 400 Bad Request\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        String::from_utf8_lossy(&request[..read]).into_owned()
    });
    let ran = contain(
        &home,
        "machine",
        &[
            ("IDENTITY_ENDPOINT", &endpoint),
            ("IDENTITY_HEADER", "platform-s3cr3t"),
            ("HTTPS_PROXY", &closed()),
            ("HTTP_PROXY", &closed()),
        ],
    );
    says(
        &ran,
        "RT3004",
        3,
        &["No managed identity here", "another way"],
    );
    let heard = heard.join().unwrap().to_lowercase();
    assert!(
        heard.starts_with(
            "get /msi/token?api-version=2019-08-01&resource=https:%2f%2fgraph.microsoft.com "
        ),
        "{heard}"
    );
    assert!(
        heard.contains("x-identity-header: platform-s3cr3t"),
        "{heard}"
    );
}

#[test]
fn the_azure_command_line_is_asked_for_and_its_words_are_passed_on() {
    let home = Home::new();
    profile(&home, "cli", "sign_in = \"azure-cli\"");
    let ran = contain(&home, "cli", &[("PATH", "/nowhere")]);
    says(&ran, "RT3004", 3, &["`az` cannot be started", "Install it"]);

    let az = private(
        &home,
        "az",
        "#!/bin/sh\necho \"$@\" > \"$0.asked\"\necho \"ERROR: Please run 'az login' to setup account.\" >&2\nexit 1\n",
    );
    std::fs::set_permissions(&az, std::fs::Permissions::from_mode(0o700)).unwrap();
    let ran = contain(&home, "cli", &[("PATH", home.path().to_str().unwrap())]);
    says(
        &ran,
        "RT1006",
        1,
        &["Please run 'az login'", "az login --tenant"],
    );
    let asked = std::fs::read_to_string(home.path().join("az.asked")).unwrap();
    assert_eq!(
        asked.trim(),
        format!(
            "account get-access-token --resource https://graph.microsoft.com --tenant {TENANT} --output json"
        )
    );
}

#[test]
fn a_wrong_proxy_leaves_no_case_behind() {
    let home = Home::new();
    with_secret(&home, "plain", "");
    contain(&home, "plain", &[("HTTPS_PROXY", &closed())]);
    assert!(!home.database().exists(), "{:?}", home.names());
}
