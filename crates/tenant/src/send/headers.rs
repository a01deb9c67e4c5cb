//! What headers of an answer say: how long to wait, which claims, which host.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderMap, header};
use jiff::Timestamp;
use url::Url;

/// Domains under which Exchange's regional hosts live (reference §1.1, §6.3).
/// A token is never sent anywhere else.
const EXCHANGE_DOMAINS: &[&str] = &[
    "office365.com",
    "outlook.com",
    "office365.us",
    "office365.cn",
    "outlook.cn",
];

/// `Retry-After` in seconds or as a date.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(text)
        .ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

/// The claims that a 401 asks for (reference §1.4), decoded from base64.
/// Parameters come in any order, quoted or not, in one header or several.
pub(super) fn claims(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .find_map(|challenge| {
            let encoded = parameter(challenge, "claims")?;
            let bytes = STANDARD
                .decode(encoded)
                .or_else(|_| URL_SAFE_NO_PAD.decode(encoded.trim_end_matches('=')))
                .ok()?;
            let text = String::from_utf8(bytes).ok()?;
            serde_json::from_str::<serde_json::Value>(&text)
                .ok()
                .map(|_| text)
        })
}

fn parameter<'a>(challenge: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = challenge;
    loop {
        let (before, after) = rest.split_once('=')?;
        let key = before.rsplit([' ', ',', '\t']).next().unwrap_or_default();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once([',', ' ']).unwrap_or((after, "")),
        };
        if key.eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = next;
    }
}

/// The host that Exchange's front door names, if a token may go there. Port
/// 446 is an inner one: the same host answers at 443 (reference §6.3).
pub(super) fn regional_host(from: &Url, location: &str) -> Option<Url> {
    let mut url = from.join(location).ok()?;
    if url.port() == Some(446) {
        url.set_port(None).ok()?;
    }
    let host = url.host_str()?;
    let known = |host: &str| {
        EXCHANGE_DOMAINS.iter().any(|domain| {
            host.strip_suffix(domain)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    };
    let home = from.host_str()?;
    let allowed = host == home || (known(host) && known(home));
    (url.scheme() == "https" && url.username().is_empty() && allowed).then_some(url)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn claims_are_found_in_any_order_and_behind_another_scheme() {
        for challenge in [
            r#"Bearer realm="", authorization_uri=https://login.example/common, error="insufficient_claims", claims="eyJhIjoxfQ==""#,
            r#"PoP realm="x", nonce="abc=", Bearer claims=eyJhIjoxfQ, error="insufficient_claims""#,
        ] {
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_str(challenge) {
                headers.append(header::WWW_AUTHENTICATE, value);
            }
            assert_eq!(
                claims(&headers).as_deref(),
                Some(r#"{"a":1}"#),
                "{challenge}"
            );
        }
    }

    #[test]
    fn a_token_follows_a_redirect_only_within_exchange() {
        let from = Url::parse("https://outlook.office365.com").ok();
        let to = |location: &str| {
            regional_host(from.as_ref()?, location).map(|url| url.origin().ascii_serialization())
        };
        assert_eq!(
            to("https://eur05.outlook.office365.com:446/adminapi/beta/t/InvokeCommand").as_deref(),
            Some("https://eur05.outlook.office365.com")
        );
        for location in [
            "https://office365.com.evil.example/",
            "https://eviloffice365.com/",
            "http://eur05.outlook.office365.com/",
            "https://evil.example/",
        ] {
            assert_eq!(to(location), None, "{location}");
        }
    }

    #[test]
    fn retry_after_may_be_a_date() {
        let now: Timestamp = "2026-01-05T10:00:00Z".parse().unwrap_or_default();
        let mut headers = HeaderMap::new();
        headers.insert(
            header::RETRY_AFTER,
            HeaderValue::from_static("Mon, 05 Jan 2026 10:00:30 GMT"),
        );
        assert_eq!(retry_after(&headers, now), Some(Duration::from_secs(30)));
    }
}
