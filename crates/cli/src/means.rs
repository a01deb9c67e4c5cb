//! What signing in may use of this machine: its programs, a browser, its keyring.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use retake_tenant::edge::{BoxFuture, Browser, Keyring, KeyringError, Loopback, Programs, Ran};
use secrecy::zeroize::{Zeroize as _, Zeroizing};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::terminal::{Terminal, safe_at_length};

/// Programs of this machine, found as the shell finds them.
pub(crate) struct SystemPrograms;

impl Programs for SystemPrograms {
    fn run<'a>(
        &'a self,
        program: &'a str,
        arguments: &'a [&'a str],
    ) -> BoxFuture<'a, io::Result<Ran>> {
        Box::pin(async move {
            // The Azure command line is a batch file there.
            let file = if cfg!(windows) {
                format!("{program}.cmd")
            } else {
                program.to_owned()
            };
            let output = tokio::process::Command::new(file)
                .args(arguments)
                .stdin(Stdio::null())
                .kill_on_drop(true)
                .output()
                .await?;
            let mut stdout = output.stdout;
            let text = String::from_utf8_lossy(&stdout).into_owned();
            stdout.zeroize();
            Ok(Ran {
                success: output.status.success(),
                stdout: text.into(),
                stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            })
        })
    }
}

/// The person's browser: the address is shown, and opened where somebody sits.
pub(crate) struct SystemBrowser;

impl Browser for SystemBrowser {
    fn listen(&self) -> BoxFuture<'_, io::Result<Box<dyn Loopback>>> {
        Box::pin(async {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            let port = listener.local_addr()?.port();
            // Some browsers take `localhost` for this one first. Machines without it do without.
            let second = TcpListener::bind(("::1", port)).await.ok();
            let listener: Box<dyn Loopback> = Box::new(Listener {
                port,
                first: listener,
                second,
                waiting: None,
            });
            Ok(listener)
        })
    }

    fn open(&self, url: &str) {
        let terminal = Terminal::new(false);
        terminal.say(&format!(
            "Sign in as the administrator who responds, in a browser on this machine:\n\n{}\n",
            safe_at_length(url)
        ));
        if !terminal.is_interactive() {
            return;
        }
        let (program, arguments): (&str, &[&str]) = if cfg!(target_os = "macos") {
            ("open", &[])
        } else if cfg!(windows) {
            ("rundll32", &["url.dll,FileProtocolHandler"])
        } else {
            ("xdg-open", &[])
        };
        // Where it does not open, the address stands above.
        let _ = std::process::Command::new(program)
            .args(arguments)
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
    }
}

/// Longest request head that is read, and how long one may take to come:
/// browsers open connections before they need them.
const HEAD: usize = 16 * 1024;
const PATIENCE: Duration = Duration::from_secs(3);

struct Listener {
    port: u16,
    first: TcpListener,
    second: Option<TcpListener>,
    waiting: Option<TcpStream>,
}

impl Loopback for Listener {
    fn port(&self) -> u16 {
        self.port
    }

    fn request(&mut self) -> BoxFuture<'_, io::Result<SecretString>> {
        Box::pin(async move {
            loop {
                let mut stream = self.accept().await?;
                let head = tokio::time::timeout(PATIENCE, head(&mut stream)).await;
                let Ok(Some(target)) = head else { continue };
                self.waiting = Some(stream);
                return Ok(target);
            }
        })
    }

    fn answer<'a>(&'a mut self, status: u16, text: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let Some(mut stream) = self.waiting.take() else {
                return;
            };
            let word = if status == 200 { "OK" } else { "Bad Request" };
            // The address holds the code: it goes into no cache and no other page.
            let answer = format!(
                "HTTP/1.1 {status} {word}\r\ncontent-type: text/plain; charset=utf-8\r\n\
                 content-length: {}\r\ncache-control: no-store\r\nreferrer-policy: no-referrer\r\n\
                 connection: close\r\n\r\n{text}",
                text.len()
            );
            // A browser that left does not need it.
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        })
    }
}

impl Listener {
    async fn accept(&self) -> io::Result<TcpStream> {
        let Some(second) = &self.second else {
            return Ok(self.first.accept().await?.0);
        };
        tokio::select! {
            accepted = self.first.accept() => Ok(accepted?.0),
            accepted = second.accept() => Ok(accepted?.0),
        }
    }
}

/// The path and query of a GET request; `None` for anything else.
async fn head(stream: &mut TcpStream) -> Option<SecretString> {
    let mut head = Zeroizing::new(vec![0; HEAD]);
    let mut length = 0;
    while !head[..length].windows(4).any(|four| four == b"\r\n\r\n") {
        let read = stream.read(&mut head[length..]).await.ok()?;
        if read == 0 {
            return None;
        }
        length += read;
    }
    let text = std::str::from_utf8(&head[..length]).ok()?;
    let (target, version) = text
        .lines()
        .next()?
        .strip_prefix("GET ")?
        .rsplit_once(' ')?;
    (version.starts_with("HTTP/1.") && target.starts_with('/')).then(|| target.into())
}

/// The system's keyring: Keychain, Credential Manager, or the kernel's.
pub(crate) struct SystemKeyring;

impl SystemKeyring {
    fn entry(name: &str) -> Result<keyring::Entry, KeyringError> {
        keyring::Entry::new("retake", name).map_err(|error| failed(&error))
    }
}

impl Keyring for SystemKeyring {
    fn load(&self, name: &str) -> Result<Option<SecretString>, KeyringError> {
        match Self::entry(name)?.get_password() {
            Ok(secret) => Ok(Some(secret.into())),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }

    fn store(&self, name: &str, secret: &SecretString) -> Result<(), KeyringError> {
        Self::entry(name)?
            .set_password(secret.expose_secret())
            .map_err(|error| failed(&error))
    }

    fn remove(&self, name: &str) -> Result<(), KeyringError> {
        match Self::entry(name)?.delete_credential() {
            Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
            Err(error) => Err(failed(&error)),
        }
    }
}

/// Its words only: some of its errors carry what was stored.
fn failed(error: &keyring::Error) -> KeyringError {
    KeyringError(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(port: u16, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn the_browser_comes_back_to_a_port_of_this_machine_alone() {
        let mut listener = SystemBrowser.listen().await.unwrap();
        let port = listener.port();
        let browser = tokio::spawn(async move {
            // A connection that a browser opens ahead and never uses, and one that is no GET.
            let early = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            drop(early);
            ask(port, "POST / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
            ask(
                port,
                "GET /?code=c&state=s HTTP/1.1\r\nhost: localhost\r\n\r\n",
            )
            .await
        });
        let target = listener.request().await.unwrap();
        assert_eq!(target.expose_secret(), "/?code=c&state=s");
        listener.answer(200, "Signed in.").await;
        let answer = browser.await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("cache-control: no-store"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nSigned in."), "{answer}");
    }

    #[tokio::test]
    async fn a_browser_that_takes_localhost_for_ipv6_comes_back_too() {
        let mut listener = SystemBrowser.listen().await.unwrap();
        let port = listener.port();
        let browser = tokio::spawn(async move {
            let mut stream = TcpStream::connect(("::1", port)).await.unwrap();
            stream.write_all(b"GET /?x HTTP/1.1\r\n\r\n").await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        });
        assert_eq!(listener.request().await.unwrap().expose_secret(), "/?x");
        listener.answer(400, "no").await;
        assert!(browser.await.unwrap().starts_with("HTTP/1.1 400 "));
    }

    /// A bare container may have no keyring; then that is said, and nothing else happens.
    #[test]
    fn the_systems_keyring_keeps_a_secret_until_it_is_removed_or_says_why_it_cannot() {
        let name = format!("test/{}", std::process::id());
        let secret = SecretString::from("a refresh token of nobody");
        let clear = |error: &KeyringError| {
            let said = error.to_string();
            assert!(
                said.starts_with("the system's keyring cannot be used: "),
                "{said}"
            );
            assert!(said.len() > "the system's keyring cannot be used: ".len());
            assert!(!said.contains(secret.expose_secret()), "{said}");
        };
        match SystemKeyring.store(&name, &secret) {
            Ok(()) => {
                let kept = SystemKeyring.load(&name).unwrap().unwrap();
                assert_eq!(kept.expose_secret(), secret.expose_secret());
                SystemKeyring.remove(&name).unwrap();
                assert!(SystemKeyring.load(&name).unwrap().is_none());
                // What is not there any more is removed as well.
                SystemKeyring.remove(&name).unwrap();
            }
            Err(error) => {
                clear(&error);
                if let Err(error) = SystemKeyring.load(&name) {
                    clear(&error);
                }
            }
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_program_is_run_without_a_shell() {
        let ran = SystemPrograms
            .run("printf", &["%s|%s", "a b", "$HOME;x"])
            .await
            .unwrap();
        assert!(ran.success);
        assert_eq!(ran.stdout.expose_secret(), "a b|$HOME;x");
        assert!(
            SystemPrograms
                .run("no-such-program-here", &[])
                .await
                .is_err()
        );
    }
}
