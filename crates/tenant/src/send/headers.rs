//! What headers of an answer say: how long to wait, which host.

use std::time::Duration;

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
