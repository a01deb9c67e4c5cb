//! Addresses of requests and of next pages: path segments, filters, tokens.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::forms::Forms;
use super::words::{are_protocol_words, is_secret};

/// What may stand unencoded in a path segment or a query value.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'$')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b',')
    .remove(b':')
    .remove(b'@')
    .remove(b'=');

/// Hosts that are the same for everybody.
pub(super) fn is_public_host(host: &str) -> bool {
    const HOSTS: [&str; 30] = [
        "graph.microsoft.com",
        "graph.microsoft.us",
        "dod-graph.microsoft.us",
        "microsoftgraph.chinacloudapi.cn",
        "login.microsoftonline.com",
        "login.microsoftonline.us",
        "login.partner.microsoftonline.cn",
        "login.chinacloudapi.cn",
        "login.microsoft.com",
        "login.windows.net",
        "sts.windows.net",
        "device.login.microsoftonline.com",
        "outlook.office365.com",
        "outlook.office.com",
        "outlook.office365.us",
        "outlook-dod.office365.us",
        "outlook.office365.cn",
        "manage.office.com",
        "manage-gcc.office.com",
        "manage.office365.us",
        "manage.protection.apps.mil",
        "ps.compliance.protection.outlook.com",
        "microsoft.com",
        "www.microsoft.com",
        "aka.ms",
        "schemas.microsoft.com",
        "docs.microsoft.com",
        "learn.microsoft.com",
        "developer.microsoft.com",
        "localhost",
    ];
    HOSTS.contains(&host)
}

impl Forms {
    /// `https://host:port` without anything after it.
    pub(super) fn origin(&mut self, origin: &str) -> String {
        let Some((scheme, authority)) = origin.split_once("://") else {
            return String::new();
        };
        // A name and password before the host have no place here.
        let host = authority.rsplit('@').next().unwrap_or_default();
        let (host, port) = match host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, Some(port)),
            _ => (host, None),
        };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let host = if is_public_host(&bare.to_lowercase()) {
            bare.to_lowercase()
        } else if bare.parse::<std::net::IpAddr>().is_ok() {
            let made = self.text(bare);
            if made.contains(':') {
                format!("[{made}]")
            } else {
                made
            }
        } else {
            self.domain(bare)
        };
        let scheme = if scheme.eq_ignore_ascii_case("http") {
            "http"
        } else {
            "https"
        };
        match port {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        }
    }

    /// A whole address.
    pub(super) fn absolute_url(&mut self, url: &str) -> String {
        let after = url.find("://").map_or(0, |at| at + 3);
        let end = url[after..]
            .find(['/', '?', '#'])
            .map_or(url.len(), |at| after + at);
        let origin = self.origin(&url[..end]);
        format!("{origin}{}", self.path_and_query(&url[end..]))
    }

    /// Path, query and fragment.
    pub(super) fn path_and_query(&mut self, text: &str) -> String {
        let (rest, fragment) = match text.split_once('#') {
            Some((rest, fragment)) => (rest, Some(fragment)),
            None => (text, None),
        };
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        let mut out = self.path(path);
        if let Some(query) = query {
            out.push('?');
            out.push_str(&self.query(query));
        }
        if let Some(fragment) = fragment {
            out.push('#');
            out.push_str(&self.path(fragment));
        }
        out
    }

    fn path(&mut self, path: &str) -> String {
        path.split('/')
            .map(|segment| {
                let segment = percent_decode_str(segment).decode_utf8_lossy();
                encoded(&self.segment(&segment))
            })
            .collect::<Vec<_>>()
            .join("/")
    }

    /// `users`, an id, or `servicePrincipals(appId='…')`.
    fn segment(&mut self, segment: &str) -> String {
        if segment.is_empty() || matches!(segment, "$metadata" | "$batch") {
            return segment.to_owned();
        }
        if let Some((name, inner)) = segment
            .split_once('(')
            .and_then(|(name, rest)| Some((name, rest.strip_suffix(')')?)))
            && are_protocol_words(name)
        {
            return format!("{name}({})", self.expression(inner));
        }
        self.text(segment)
    }

    fn query(&mut self, query: &str) -> String {
        query
            .split('&')
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                let name = percent_decode_str(name).decode_utf8_lossy().into_owned();
                let value = percent_decode_str(&value.replace('+', " "))
                    .decode_utf8_lossy()
                    .into_owned();
                let lower = name.to_lowercase();
                let value = if lower.contains("skiptoken") || lower.contains("deltatoken") {
                    self.text(&value)
                } else if is_secret(&name) || matches!(lower.as_str(), "code" | "state" | "nonce") {
                    super::REDACTED.to_owned()
                } else if matches!(
                    lower.as_str(),
                    "$filter" | "$search" | "$select" | "$orderby" | "$expand"
                ) {
                    self.expression(&value)
                } else {
                    self.text(&value)
                };
                let name = self.text(&name);
                format!("{}={}", encoded(&name), encoded(&value))
            })
            .collect::<Vec<_>>()
            .join("&")
    }

    /// An OData expression: what stands in quotes is the tenant's, what stands outside is the
    /// protocol's or a day or an id.
    fn expression(&mut self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('\'') {
            out.push_str(&self.outside(&rest[..at]));
            let quoted = &rest[at + 1..];
            let mut end = 0;
            // Two quotes are one of the text's own.
            loop {
                match quoted[end..].find('\'') {
                    Some(next) if quoted[end + next + 1..].starts_with('\'') => end += next + 2,
                    Some(next) => {
                        end += next;
                        break;
                    }
                    None => {
                        end = quoted.len();
                        break;
                    }
                }
            }
            let literal = quoted[..end].replace("''", "'");
            out.push('\'');
            out.push_str(&self.text(&literal).replace('\'', "''"));
            out.push('\'');
            rest = quoted.get(end + 1..).unwrap_or("");
        }
        out.push_str(&self.outside(rest));
        out
    }

    fn outside(&mut self, text: &str) -> String {
        let mut out = String::new();
        let mut word = String::new();
        for c in text.chars().chain(std::iter::once('\0')) {
            if c == '\0' || c.is_whitespace() || "(),/=".contains(c) {
                if !word.is_empty() {
                    out.push_str(&self.text(&word));
                    word.clear();
                }
                if c != '\0' {
                    out.push(c);
                }
            } else {
                word.push(c);
            }
        }
        out
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, KEPT).to_string()
}
