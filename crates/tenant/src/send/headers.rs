//! What headers of an answer say: how long to wait, which host.

use std::time::Duration;

use http::{HeaderMap, header};
use jiff::Timestamp;
use url::Url;

use crate::call::Service;

/// Domains under which one cloud's Exchange has its regional hosts (reference §1.1,
/// §6.3). A token is never sent to another cloud, let alone anywhere else.
const EXCHANGE_CLOUDS: &[&[&str]] = &[
    &["office365.com", "outlook.com"],
    &["office365.us"],
    &["office365.cn", "outlook.cn"],
];

/// The names of this machine: one host.
const LOOPBACK: &[&str] = &["localhost", "127.0.0.1", "[::1]"];

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

/// Where an answer sends us, if a token of this service may go there: to the host
/// that was asked, to one of the same cloud's Exchange, or below Graph's own name.
/// Port 446 of Exchange is an inner one: the same host answers at 443, or where the
/// services are given with a port, at that (reference §6.3).
pub(crate) fn regional_host(service: Service, from: &Url, location: &str) -> Option<Url> {
    let mut url = from.join(location).ok()?;
    let (home, host) = (from.host_str()?, url.host_str()?);
    let same = host == home || (LOOPBACK.contains(&host) && LOOPBACK.contains(&home));
    let kin = match service {
        Service::Exchange => EXCHANGE_CLOUDS
            .iter()
            .any(|cloud| within(host, cloud) && within(home, cloud)),
        Service::Graph | Service::Activity => within(host, &[home]),
        Service::SignIn => false,
    };
    if url.scheme() != "https" || !url.username().is_empty() || !(same || kin) {
        return None;
    }
    if url.port() == Some(446) && service == Service::Exchange {
        url.set_port(from.port()).ok()?;
    }
    (url.port() == from.port()).then_some(url)
}

/// Whether a host is one of these domains or below one.
fn within(host: &str, domains: &[&str]) -> bool {
    domains.iter().any(|domain| {
        host.strip_suffix(domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_token_stays_within_the_service_of_its_cloud() {
        let to = |service: Service, from: &str, location: &str| {
            let from = Url::parse(from).ok()?;
            regional_host(service, &from, location).map(|url| url.origin().ascii_serialization())
        };
        let home = "https://outlook.office365.com";
        let lab = "https://localhost:8443";
        for (service, from, location, at) in [
            (
                Service::Exchange,
                home,
                "https://eur05.outlook.office365.com:446/adminapi/beta/t/InvokeCommand",
                "https://eur05.outlook.office365.com",
            ),
            (
                Service::Exchange,
                "https://outlook.office365.us",
                "https://r1.outlook.office365.us/",
                "https://r1.outlook.office365.us",
            ),
            (
                Service::Exchange,
                lab,
                "https://127.0.0.1:446/adminapi",
                "https://127.0.0.1:8443",
            ),
            (
                Service::Graph,
                "https://graph.microsoft.com",
                "https://eur.graph.microsoft.com/v1.0/users",
                "https://eur.graph.microsoft.com",
            ),
        ] {
            assert_eq!(
                to(service, from, location).as_deref(),
                Some(at),
                "{location}"
            );
        }
        for (service, from, location) in [
            (
                Service::Exchange,
                home,
                "https://office365.com.evil.example/",
            ),
            (Service::Exchange, home, "https://eviloffice365.com/"),
            (
                Service::Exchange,
                home,
                "http://eur05.outlook.office365.com/",
            ),
            (Service::Exchange, home, "https://outlook.office365.us/"),
            (
                Service::Exchange,
                home,
                "https://eve@outlook.office365.com/",
            ),
            (
                Service::Exchange,
                home,
                "https://outlook.office365.com:8080/",
            ),
            (Service::Exchange, lab, "https://outlook.office365.com/"),
            (Service::Exchange, lab, "https://localhost:9000/"),
            (
                Service::Graph,
                "https://graph.microsoft.com",
                "https://reports.office.com/data",
            ),
        ] {
            assert_eq!(to(service, from, location), None, "{location}");
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
