//! What is usual for the user: networks, devices, clients, countries.
//!
//! Something is established when it was there long enough before the alert
//! and on enough different days; both bounds shrink with a short history. An
//! attacker's few days before the alert establish nothing.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::held::Held;
use super::past::Past;
use super::scope::{Scope, sessions};
use crate::address::{allocation, neighbourhood};
use crate::agent;
use crate::event::{Event, Outcome};
use crate::moment::day_of;

/// A network: by number where a log says it, else by neighbourhood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Network {
    Number(u32),
    Near(IpAddr),
}

/// Finds the network of an address, also in logs that do not number them.
#[derive(Debug, Default)]
pub(super) struct Networks {
    exact: HashMap<IpAddr, u32>,
    /// Nothing for a neighbourhood that two networks share.
    near: HashMap<IpAddr, Option<u32>>,
    countries: HashMap<IpAddr, String>,
}

impl Networks {
    /// Learns from a record that says both. Where two disagree, which one counts does not
    /// depend on their order.
    pub(super) fn add(&mut self, event: &Event) {
        let Some(address) = event.address else {
            return;
        };
        if let Some(country) = &event.place.country {
            let known = self.countries.entry(address).or_default();
            if known.is_empty() || country < known {
                known.clone_from(country);
            }
        }
        if let Some(number) = event.network {
            self.exact
                .entry(address)
                .and_modify(|known| *known = number.min(*known))
                .or_insert(number);
            self.near
                .entry(neighbourhood(address))
                .and_modify(|known| *known = known.filter(|known| *known == number))
                .or_insert(Some(number));
        }
    }

    /// The country of an event, also in logs that do not say it.
    fn country<'e>(&'e self, event: &'e Event) -> Option<&'e str> {
        event
            .place
            .country
            .as_deref()
            .or_else(|| self.countries.get(&event.address?).map(String::as_str))
    }

    pub(super) fn of(&self, event: &Event) -> Option<Network> {
        if let Some(number) = event.network {
            return Some(Network::Number(number));
        }
        Some(self.of_address(event.address?))
    }

    /// Where the network has no number: what its provider may have been given.
    pub(super) fn surroundings(&self, event: &Event) -> Option<IpAddr> {
        matches!(self.of(event)?, Network::Near(_))
            .then_some(event.address)
            .flatten()
            .map(allocation)
    }

    pub(super) fn of_address(&self, address: IpAddr) -> Network {
        let near = neighbourhood(address);
        self.exact
            .get(&address)
            .copied()
            .or_else(|| self.near.get(&near).copied().flatten())
            .map_or(Network::Near(near), Network::Number)
    }
}

#[derive(Debug, Default)]
struct Habit {
    first: Option<Timestamp>,
    days: BTreeSet<i64>,
}

impl Habit {
    fn add(&mut self, time: Timestamp) {
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.days.insert(day_of(time));
    }
}

#[derive(Debug, Default)]
struct Surroundings {
    all: Habit,
    /// Only of addresses whose network no log numbers.
    unnumbered: Habit,
}

/// One of them is a day from this moment at most.
pub(super) fn within_a_day(times: &BTreeSet<Timestamp>, time: Timestamp) -> bool {
    let day = SignedDuration::from_hours(24);
    let from = time.checked_sub(day).unwrap_or(Timestamp::MIN);
    let to = time.checked_add(day).unwrap_or(Timestamp::MAX);
    times.range(from..=to).next().is_some()
}

/// The user's habits up to the alert.
#[derive(Debug)]
pub(super) struct Profile {
    networks: HashMap<Network, Habit>,
    /// By [`allocation`]: where logs do not number networks, people are moved about in it.
    surroundings: HashMap<IpAddr, Surroundings>,
    devices: HashMap<String, Habit>,
    clients: HashMap<String, Habit>,
    agents: BTreeSet<String>,
    countries: HashMap<String, Habit>,
    /// At least half of the sign-ins say their country.
    tells_countries: bool,
    /// Kinds of client that showed a registered device.
    with_device: BTreeSet<String>,
    /// When the user's own devices were in which network, and what the same program
    /// carried on there in a session that such a device began: on a journey they are in
    /// networks that establish nothing.
    journeys: HashMap<Network, BTreeSet<Timestamp>>,
    /// Those addresses of theirs that others of the organisation work from.
    exits: HashSet<IpAddr>,
    /// What the user's own programs carried from place to place.
    pub(super) held: Held,
    /// Established means: first seen before this …
    before: Timestamp,
    /// … and on at least so many days.
    days: usize,
    /// Too little to compare with.
    pub(super) thin: bool,
    /// How long the history is.
    pub(super) span: SignedDuration,
}

/// Whose an event looks like, by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Own(String),
    Foreign(String),
    Unclear(String),
}

impl Whose {
    pub(super) fn is_own(&self) -> bool {
        matches!(self, Self::Own(_))
    }

    pub(super) fn is_foreign(&self) -> bool {
        matches!(self, Self::Foreign(_))
    }

    pub(super) fn why(&self) -> &str {
        match self {
            Self::Own(why) | Self::Foreign(why) | Self::Unclear(why) => why,
        }
    }
}

impl Profile {
    /// Learns from the user's successful sign-ins up to `anchor`, without those of earlier
    /// intrusions.
    pub(super) fn learn(
        scope: &Scope<'_>,
        networks: &Networks,
        anchor: Timestamp,
        past: &Past,
    ) -> Self {
        let sign_ins: Vec<&Event> = scope
            .own
            .iter()
            .filter(|event| {
                event.is_sign_in() && event.outcome != Outcome::Failure && event.time <= anchor
            })
            .filter(|event| !past.holds(event, networks))
            .copied()
            .collect();
        let since = sign_ins.first().map_or(anchor, |event| event.time);
        let span = anchor.duration_since(since);
        let age = (span / 4).clamp(
            SignedDuration::from_hours(24),
            SignedDuration::from_hours(24 * 7),
        );
        let long = span >= SignedDuration::from_hours(24 * 14);
        let mut profile = Self {
            networks: HashMap::new(),
            surroundings: HashMap::new(),
            devices: HashMap::new(),
            clients: HashMap::new(),
            agents: BTreeSet::new(),
            countries: HashMap::new(),
            tells_countries: false,
            with_device: BTreeSet::new(),
            journeys: HashMap::new(),
            exits: scope
                .own
                .iter()
                .filter_map(|event| event.address.filter(|it| scope.exits.contains(it)))
                .collect(),
            held: Held::default(),
            before: anchor.checked_sub(age).unwrap_or(anchor),
            days: if long { 3 } else { 2 },
            thin: true,
            span,
        };
        let mut days = BTreeSet::new();
        for event in &sign_ins {
            days.insert(event.day());
            if let Some(id) = &event.device.id {
                profile
                    .devices
                    .entry(id.clone())
                    .or_default()
                    .add(event.time);
            }
            if let Some(network) = networks.of(event) {
                profile.networks.entry(network).or_default().add(event.time);
            }
            if let Some(address) = event.address {
                let around = profile.surroundings.entry(allocation(address)).or_default();
                around.all.add(event.time);
                if networks.surroundings(event).is_some() {
                    around.unnumbered.add(event.time);
                }
            }
            if let Some(program) = scope.program(event) {
                profile
                    .clients
                    .entry(program.to_owned())
                    .or_default()
                    .add(event.time);
            }
            if let Some(country) = networks.country(event) {
                profile
                    .countries
                    .entry(country.to_owned())
                    .or_default()
                    .add(event.time);
            }
        }
        profile.agents = sign_ins
            .iter()
            .filter(|event| event.time <= profile.before)
            .filter_map(|event| event.user_agent.clone())
            .collect();
        profile.with_device = sign_ins
            .iter()
            .filter(|event| event.device.id.is_some())
            .filter_map(|event| scope.program(event).map(str::to_owned))
            .collect();
        let with_country = sign_ins
            .iter()
            .filter(|event| networks.country(event).is_some())
            .count();
        profile.tells_countries = with_country * 2 >= sign_ins.len();
        profile.thin = sign_ins.len() < 5 || days.len() < 3;
        let mut journeys: HashMap<Network, BTreeSet<Timestamp>> = HashMap::new();
        let mut begun: BTreeSet<(&str, Network, Option<&str>)> = BTreeSet::new();
        for event in scope
            .own
            .iter()
            .filter(|event| event.is_sign_in() && event.outcome == Outcome::Success)
        {
            let Some(network) = networks.of(event) else {
                continue;
            };
            let program = event.user_agent.as_deref();
            if event
                .device
                .id
                .as_deref()
                .is_some_and(|id| profile.knows_device(id))
            {
                begun.extend(sessions(event).map(|session| (session, network, program)));
            } else if !sessions(event).any(|session| begun.contains(&(session, network, program))) {
                continue;
            }
            // The device, or what it began there: renewals do not show the device.
            journeys.entry(network).or_default().insert(event.time);
        }
        profile.journeys = journeys;
        profile
    }

    fn established(&self, habit: Option<&Habit>) -> bool {
        habit.is_some_and(|habit| {
            habit.days.len() >= self.days && habit.first.is_some_and(|first| first <= self.before)
        })
    }

    pub(super) fn knows_network(&self, network: Network) -> bool {
        self.established(self.networks.get(&network))
    }

    /// Near addresses that the user has long worked from, of which no log tells whether
    /// they are of one network: the provider may have moved the user.
    pub(super) fn may_have_moved(&self, event: &Event, networks: &Networks) -> bool {
        event
            .address
            .and_then(|address| self.surroundings.get(&allocation(address)))
            .is_some_and(|around| {
                self.established(Some(match networks.of(event) {
                    Some(Network::Number(_)) => &around.unnumbered,
                    _ => &around.all,
                }))
            })
    }

    pub(super) fn knows_device(&self, id: &str) -> bool {
        self.established(self.devices.get(id))
    }

    /// Programs of this kind show a registered device of the user's, and this event does not.
    pub(super) fn shows_device(&self, event: &Event) -> bool {
        event.device.id.is_none()
            && event
                .user_agent
                .as_deref()
                .is_some_and(|text| self.with_device.contains(&agent::signature(text)))
    }

    /// The event is from an established network or device.
    pub(super) fn at_home(&self, event: &Event, networks: &Networks) -> bool {
        networks
            .of(event)
            .is_some_and(|network| self.knows_network(network))
            || event
                .device
                .id
                .as_deref()
                .is_some_and(|id| self.knows_device(id))
    }

    /// The exact user agent was used before the attack can have begun.
    pub(super) fn knows_agent(&self, text: &str) -> bool {
        self.agents.contains(text)
    }

    pub(super) fn knows_client(&self, text: &str) -> bool {
        self.established(self.clients.get(&agent::signature(text)))
    }

    pub(super) fn knows_country(&self, country: &str) -> bool {
        self.established(self.countries.get(country))
    }

    /// Enough is known of where the user works from that another country says something.
    pub(super) fn is_strange_country(&self, country: &str) -> bool {
        !self.thin && self.tells_countries && !self.knows_country(country)
    }

    /// One of the user's own devices was in this network within a day.
    pub(super) fn was_there(&self, network: Network, time: Timestamp) -> bool {
        self.journeys
            .get(&network)
            .is_some_and(|times| within_a_day(times, time))
    }

    /// Judges one event by device, network, client and country.
    pub(super) fn judge(&self, event: &Event, networks: &Networks) -> Whose {
        if self.thin {
            return Whose::Unclear("there is too little history to compare with".to_owned());
        }
        if let Some(id) = &event.device.id
            && self.knows_device(id)
        {
            let name = event.device.name.as_deref().unwrap_or(id);
            return Whose::Own(format!("from the user's own device {name}"));
        }
        let Some(network) = networks.of(event) else {
            return Whose::Unclear("the record has no address".to_owned());
        };
        let from = event.address.map_or_else(
            || "an unknown address".to_owned(),
            |address| address.to_string(),
        );
        if self.knows_network(network) {
            return Whose::Own(format!(
                "from {from}, in a network the user has long worked from"
            ));
        }
        if self.was_there(network, event.time) {
            return Whose::Own(format!(
                "from {from}, where the user's own device was that day"
            ));
        }
        if let Some(why) = self.held.claims(event, network) {
            return Whose::Own(format!("from {from}, {why}"));
        }
        // A provider's, a carrier's or the organisation's own: what the neighbours are says
        // nothing of who this is.
        if event.address.is_some_and(|it| self.exits.contains(&it)) {
            return Whose::Unclear(format!(
                "from {from}, a network new for the user, where several others work"
            ));
        }
        let client = event
            .user_agent
            .as_deref()
            .is_some_and(|text| self.knows_client(text));
        let country = networks
            .country(event)
            .is_some_and(|country| self.knows_country(country));
        // Records of work name no client; their session tells whose they are.
        if (client || !event.is_sign_in()) && self.may_have_moved(event, networks) {
            return Whose::Unclear(format!(
                "from {from}, near addresses that the user has long worked from, of which no log tells the network"
            ));
        }
        if event.device.managed == Some(true) {
            return Whose::Unclear(format!(
                "from {from}, a new network, but on a managed device"
            ));
        }
        if client && country && event.is_sign_in() {
            return Whose::Unclear(format!(
                "from {from}, a network new for the user, with the usual client in the usual country"
            ));
        }
        Whose::Foreign(format!(
            "from {from}, a network never established for the user, on no device of theirs"
        ))
    }
}
