//! Networks, devices and the addresses of a company and of whoever attacks it.

use crate::chance::Chance;
use crate::world::{Place, World};

use super::names::{self, City};

/// A network of 254 addresses at one place.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    prefix: String,
    place: Place,
    /// Addresses are IPv6.
    wide: bool,
}

impl Network {
    /// The address of the host with this number.
    pub(crate) fn address(&self, host: u64) -> String {
        if self.wide {
            format!("{}::{:x}", self.prefix, host % 0xfffe + 1)
        } else {
            format!("{}.{}", self.prefix, host % 254 + 1)
        }
    }

    /// The same, and makes the address known to the sign-in logs.
    pub(crate) fn enter(&self, world: &mut World, host: u64) -> String {
        let address = self.address(host);
        world
            .places
            .entry(address.clone())
            .or_insert_with(|| self.place.clone());
        address
    }
}

/// Hands out networks that no two parties share.
#[derive(Clone, Debug)]
pub(crate) struct Networks {
    chance: Chance,
    free: Vec<usize>,
    given: u64,
}

impl Networks {
    /// All networks of this seed, in its order.
    pub(crate) fn new(chance: Chance) -> Self {
        Self {
            chance,
            // Two /16 ranges kept for benchmarks, cut into /24.
            free: chance.order("networks", "order", 512),
            given: 0,
        }
    }

    /// The next free network, somewhere in one of these cities.
    pub(crate) fn take(&mut self, purpose: &str, cities: &[City]) -> Network {
        let city = self
            .chance
            .draw(purpose, "city", self.given)
            .choose(cities)
            .copied()
            .unwrap_or(("Hannover", "Niedersachsen", "DE", 52.37, 9.73));
        self.take_at(purpose, city)
    }

    /// The next free network in this city.
    pub(crate) fn take_at(&mut self, purpose: &str, city: City) -> Network {
        let index = self.free.pop().unwrap_or_default();
        let wide = self.chance.draw(purpose, "ipv6", self.given).happens(12);
        let prefix = if wide {
            format!("2001:db8:{:x}:{index:x}", 0x100 + index * 7)
        } else {
            format!("198.{}.{}", 18 + index / 256, index % 256)
        };
        let asn = self
            .chance
            .draw("networks", "asn", self.given)
            .between(64_512, 65_534);
        self.given += 1;
        Network {
            prefix,
            wide,
            place: Place {
                city: city.0.to_owned(),
                state: city.1.to_owned(),
                country: city.2.to_owned(),
                latitude: city.3,
                longitude: city.4,
                asn: asn as u32,
            },
        }
    }
}

/// A user agent of a browser in a version of the time.
pub(crate) fn desktop_agent(chance: Chance, object: &str, ordinal: u64) -> String {
    let version = chance
        .draw(object, "browser version", ordinal)
        .between(128, 141);
    chance
        .draw(object, "browser", ordinal)
        .choose(&names::DESKTOP_AGENTS)
        .map(|agent| agent.0.replace("{v}", &version.to_string()))
        .unwrap_or_default()
}

/// A user agent of Outlook on a phone.
pub(crate) fn phone_agent(chance: Chance, object: &str) -> String {
    let build = chance.draw(object, "outlook build", 0).between(2410, 2438);
    if chance.draw(object, "phone system", 0).happens(55) {
        format!(
            "Outlook-iOS/{build}.1 (iPhone; CPU iPhone OS 17_{} like Mac OS X)",
            chance.draw(object, "ios", 0).between(1, 7)
        )
    } else {
        format!(
            "Outlook-Android/{build}.2 (Linux; Android {}; {})",
            chance.draw(object, "android", 0).between(12, 15),
            chance.draw(object, "phone", 0).word(&names::PHONES)
        )
    }
}

/// A user agent of a program, as tools show themselves.
pub(crate) fn tool_agent(chance: Chance, object: &str) -> String {
    chance
        .draw(object, "tool", 0)
        .word(&names::TOOL_AGENTS)
        .replace(
            "{v}",
            &chance
                .draw(object, "tool version", 0)
                .between(20, 39)
                .to_string(),
        )
}
