//! Through which proxy requests go.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::{TransportError, TransportErrorKind};

/// An HTTP proxy, and the hosts that are reached without it. This machine
/// itself never is. [`fmt::Debug`] shows no password.
#[derive(Clone)]
pub struct ProxyRoute {
    address: SecretString,
    except: String,
}

impl ProxyRoute {
    /// Through the proxy at this address (`http://host:port`, with
    /// `name:password@` if it wants that, the scheme may be left out) for all
    /// hosts but these: names with their subdomains, addresses and networks,
    /// separated by commas, `*` for all.
    ///
    /// Fails if it is no address, or that of a proxy that does not speak HTTP.
    pub fn new(address: &str, except: &str) -> Result<Self, TransportError> {
        let refused = |why: &str| {
            Err(TransportError::new(
                TransportErrorKind::Proxy,
                format!("the proxy's address cannot be used: {why}"),
            ))
        };
        let with_scheme = if address.contains("://") {
            address.to_owned()
        } else {
            format!("http://{address}")
        };
        let Ok(url) = Url::parse(&with_scheme) else {
            return refused("it is no address");
        };
        if url.scheme().starts_with("socks") {
            return refused("only HTTP proxies can be used, and it is a SOCKS proxy");
        }
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return refused("it must be `http://host:port`");
        }
        Ok(Self {
            address: with_scheme.into(),
            except: except.to_owned(),
        })
    }

    /// Host and port, without name and password.
    pub fn shown(&self) -> String {
        Url::parse(self.address.expose_secret())
            .ok()
            .and_then(|url| {
                let port = url.port_or_known_default()?;
                Some(format!("{}:{port}", url.host_str()?))
            })
            .unwrap_or_default()
    }

    /// Whether the address carries a name or password.
    pub fn has_credentials(&self) -> bool {
        Url::parse(self.address.expose_secret())
            .is_ok_and(|url| url.password().is_some() || !url.username().is_empty())
    }

    pub(super) fn address(&self) -> &str {
        self.address.expose_secret()
    }

    pub(super) fn exceptions(&self) -> String {
        format!("localhost,127.0.0.0/8,::1,{}", self.except)
    }
}

impl fmt::Debug for ProxyRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyRoute({})", self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_leave_out_the_scheme_and_shows_no_password() {
        let proxy = ProxyRoute::new("rosa:s3cr3t@proxy.example:3128", "").unwrap();
        assert_eq!(proxy.shown(), "proxy.example:3128");
        assert!(proxy.has_credentials());
        assert!(!format!("{proxy:?}").contains("s3cr3t"));
        let proxy = ProxyRoute::new("http://[::1]:8080", "").unwrap();
        assert_eq!(proxy.shown(), "[::1]:8080");
        assert!(!proxy.has_credentials());
    }

    #[test]
    fn what_is_no_http_proxy_is_refused_with_the_reason() {
        for (address, word) in [
            ("socks5://proxy.example:1080", "SOCKS"),
            ("ftp://proxy.example", "http://"),
            ("http://", "no address"),
            ("http://s3cr3t:x y@", "no address"),
        ] {
            let error = ProxyRoute::new(address, "").unwrap_err();
            assert_eq!(error.kind, TransportErrorKind::Proxy);
            assert!(error.message.contains(word), "{error}");
            assert!(!error.message.contains("s3cr3t"), "{error}");
        }
    }
}
