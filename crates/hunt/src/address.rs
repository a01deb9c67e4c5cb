//! Addresses as logs write them: bare, with a port, in brackets, mapped
//! (reference §7.3: all four forms occur in public samples).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The address without port, brackets or IPv4-in-IPv6 wrapping; none for
/// text that is no address.
pub fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = text
        .parse::<IpAddr>()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
        .or_else(|| {
            let inner = text.strip_prefix('[')?;
            let (inner, _) = inner.split_once(']')?;
            inner.parse().ok()
        })?;
    let address = match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    };
    (!address.is_unspecified()).then_some(address)
}

/// The neighbourhood that stands in for a network whose number is not known:
/// the /24 of an IPv4 address, the /48 of an IPv6 one.
pub fn neighbourhood(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, 0))
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

/// What a provider is commonly given at once, wherever its customers' addresses move
/// about: the /16 of an IPv4 address, the /32 of an IPv6 one.
pub fn allocation(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, 0, 0))
        }
        IpAddr::V6(v6) => {
            let [a, b, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_form_of_an_address_gives_the_same_one() {
        for text in [
            "203.0.113.7",
            "203.0.113.7:50123",
            " 203.0.113.7 ",
            "::ffff:203.0.113.7",
            "[::ffff:203.0.113.7]:443",
        ] {
            assert_eq!(parse(text).unwrap().to_string(), "203.0.113.7", "{text}");
        }
        assert_eq!(
            parse("[2001:db8::1]:54809").unwrap().to_string(),
            "2001:db8::1"
        );
        for text in ["", "<null>", "Unknown", "::", "0.0.0.0", "1.2.3"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
