//! The tenant: who works there, from where and on what.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Options;
use crate::dice::{Dice, Guid};

/// City, state, country, latitude, longitude.
pub(crate) type Place = (&'static str, &'static str, &'static str, f64, f64);

/// Where the tenant may be at home: each row a country, with its cities.
const HOMES: [&[Place]; 5] = [
    &[
        ("Leeds", "England", "GB", 53.80, -1.55),
        ("Bristol", "England", "GB", 51.45, -2.59),
        ("Glasgow", "Scotland", "GB", 55.86, -4.25),
    ],
    &[
        ("Hamburg", "Hamburg", "DE", 53.55, 9.99),
        ("Kassel", "Hessen", "DE", 51.31, 9.48),
        ("Augsburg", "Bayern", "DE", 48.37, 10.90),
    ],
    &[
        ("Lyon", "Rhone", "FR", 45.76, 4.84),
        ("Nantes", "Loire-Atlantique", "FR", 47.22, -1.55),
        ("Lille", "Nord", "FR", 50.63, 3.06),
    ],
    &[
        ("Utrecht", "Utrecht", "NL", 52.09, 5.12),
        ("Groningen", "Groningen", "NL", 53.22, 6.57),
        ("Eindhoven", "Noord-Brabant", "NL", 51.44, 5.47),
    ],
    &[
        ("Porto", "Porto", "PT", 41.15, -8.61),
        ("Lisboa", "Lisboa", "PT", 38.72, -9.14),
        ("Faro", "Faro", "PT", 37.02, -7.93),
    ],
];

/// Where people travel to, and attackers sit.
const ABROAD: [Place; 9] = [
    ("Madrid", "Madrid", "ES", 40.42, -3.70),
    ("Milano", "Lombardia", "IT", 45.46, 9.19),
    ("Chicago", "Illinois", "US", 41.88, -87.63),
    ("Toronto", "Ontario", "CA", 43.65, -79.38),
    ("Singapore", "", "SG", 1.35, 103.82),
    ("Warszawa", "Mazowieckie", "PL", 52.23, 21.01),
    ("Lagos", "Lagos", "NG", 6.52, 3.38),
    ("Dubai", "Dubai", "AE", 25.20, 55.27),
    ("Bucuresti", "Bucuresti", "RO", 44.43, 26.10),
];

const GIVEN: [&str; 32] = [
    "adele", "bruno", "carla", "daan", "elin", "farid", "grace", "hanna", "ivo", "jonas", "karim",
    "lena", "mila", "noor", "oskar", "paula", "quinn", "rosa", "samir", "tessa", "umar", "vera",
    "wim", "xenia", "yara", "zeno", "aoife", "bela", "chen", "dilan", "emre", "fleur",
];
const FAMILY: [&str; 32] = [
    "abbott", "baker", "costa", "dekker", "egger", "fischer", "garcia", "haas", "ivers", "jansen",
    "keller", "lopes", "moreau", "nolan", "okafor", "peters", "quist", "rossi", "schmid", "tanaka",
    "ulrich", "vogel", "walker", "xu", "young", "zeller", "arnaud", "bauer", "clarke", "duval",
    "eriksen", "ferreira",
];
const WORDS: [&str; 12] = [
    "alder", "birch", "cedar", "delta", "ember", "fjord", "grove", "harbor", "indigo", "juniper",
    "kestrel", "lumen",
];

/// A network: a number, its addresses and where they are.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(crate) number: u32,
    v4: (u8, u8),
    v6: u16,
    pub(crate) place: Place,
}

/// An address and its network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct From {
    pub(crate) address: IpAddr,
    pub(crate) network: usize,
}

/// What somebody works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Machine {
    Laptop,
    Phone,
    Server,
}

/// What somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Worker,
    Traveller,
    Admin,
    Marketing,
    Assistant,
    Service,
}

/// Somebody with an account.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) upn: String,
    pub(crate) id: Guid,
    pub(crate) key: String,
    pub(crate) mailbox: Guid,
    pub(crate) role: Role,
    /// How much of the tenant's work is theirs.
    pub(crate) weight: f64,
    pub(crate) office: usize,
    pub(crate) office_days: f64,
    pub(crate) home: usize,
    pub(crate) carrier: usize,
    pub(crate) ipv6: bool,
    /// Whether the directory knows their laptop.
    pub(crate) joined: bool,
    pub(crate) desk: usize,
    /// Days that a session on the laptop lasts.
    pub(crate) session_days: i64,
    pub(crate) new_phone: Option<i64>,
    pub(crate) boss: Option<usize>,
}

/// The tenant.
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) id: Guid,
    pub(crate) domain: String,
    pub(crate) users: Vec<User>,
    pub(crate) networks: Vec<Network>,
    pub(crate) hotels: Vec<usize>,
    pub(crate) hosting: Vec<usize>,
    /// Providers of homes in the country that no user is with.
    pub(crate) neighbours: Vec<usize>,
    pub(crate) tunnel: usize,
    pub(crate) servers: usize,
    /// Days that the corpus spans, and its first midnight, in seconds since 1970.
    pub(crate) days: i64,
    pub(crate) start: i64,
}

impl World {
    pub(crate) fn new(options: &Options) -> Self {
        let seed = options.seed;
        let mut dice = Dice::of(&[seed, 1]);
        let cities = *dice.pick(&HOMES);
        let mut world = Self {
            seed,
            id: dice.guid(),
            domain: options
                .domain
                .clone()
                .unwrap_or_else(|| format!("{}-{}.example", dice.pick(&WORDS), dice.pick(&WORDS))),
            users: Vec::new(),
            networks: Vec::new(),
            hotels: Vec::new(),
            hosting: Vec::new(),
            neighbours: Vec::new(),
            tunnel: 0,
            servers: 0,
            days: options.days.max(1),
            start: options.start - options.start.rem_euclid(86_400),
        };
        let mut taken = BTreeSet::new();
        let mut add = |networks: &mut Vec<Network>, dice: &mut Dice, place: Place| {
            let v4 = loop {
                let v4 = (dice.between(20, 95) as u8, dice.below(256) as u8);
                if taken.insert(v4) {
                    break v4;
                }
            };
            networks.push(Network {
                number: dice.between(2_000, 64_000) as u32,
                v4,
                v6: networks.len() as u16 + 0x100,
                place,
            });
            networks.len() - 1
        };
        let networks = &mut world.networks;
        let many = |networks: &mut Vec<Network>,
                    dice: &mut Dice,
                    count: usize,
                    places: &[Place],
                    add: &mut dyn FnMut(&mut Vec<Network>, &mut Dice, Place) -> usize|
         -> Vec<usize> {
            (0..count)
                .map(|_| {
                    let place = *dice.pick(places);
                    add(networks, dice, place)
                })
                .collect()
        };
        let offices = many(networks, &mut dice, 2, cities, &mut add);
        let homes = many(networks, &mut dice, 4, cities, &mut add);
        let carriers = many(networks, &mut dice, 2, cities, &mut add);
        world.neighbours = many(networks, &mut dice, 3, cities, &mut add);
        world.hotels = many(networks, &mut dice, 8, &ABROAD, &mut add);
        world.hosting = many(networks, &mut dice, 10, &ABROAD, &mut add);
        let exit = many(networks, &mut dice, 2, cities, &mut add);
        world.tunnel = exit[0];
        world.servers = exit[1];

        let mut names = BTreeSet::new();
        for number in 0..options.users.max(4) {
            let mut dice = Dice::of(&[seed, 2, number as u64]);
            let mut name = format!("{}.{}", dice.pick(&GIVEN), dice.pick(&FAMILY));
            if !names.insert(name.clone()) {
                name = format!("{name}{number}");
                names.insert(name.clone());
            }
            let role = match number % 25 {
                3 => Role::Admin,
                7 => Role::Marketing,
                11 => Role::Assistant,
                16 => Role::Service,
                2 | 13 | 20 => Role::Traveller,
                _ => Role::Worker,
            };
            if role == Role::Service {
                name = format!(
                    "svc-{}{number}",
                    dice.pick(&["scan", "backup", "erp", "sync"])
                );
            }
            world.users.push(User {
                upn: format!("{name}@{}", world.domain),
                name,
                id: dice.guid(),
                key: format!("1003{:012X}", dice.next() >> 16),
                mailbox: dice.guid(),
                role,
                weight: 0.0,
                office: *dice.pick(&offices),
                office_days: [0.0, 0.4, 0.6, 0.95][dice.below(4) as usize],
                home: *dice.pick(&homes),
                carrier: *dice.pick(&carriers),
                ipv6: dice.chance(0.2),
                joined: dice.chance(0.6),
                desk: dice.below(4) as usize,
                session_days: dice.between(1, 14),
                new_phone: dice
                    .chance(0.12)
                    .then(|| dice.between(2, options.days.max(3) - 1)),
                boss: (role == Role::Assistant).then(|| number.saturating_sub(5)),
            });
        }
        // The order of names must not tell who works most.
        let count = world.users.len();
        let step = (3..=count + 3)
            .find(|step| gcd(*step, count) == 1)
            .unwrap_or(1);
        let weights: Vec<f64> = (0..count)
            .map(|rank| 1.0 / ((rank + 1) as f64).powf(options.zipf))
            .collect();
        let sum: f64 = weights.iter().sum();
        for (rank, weight) in weights.iter().enumerate() {
            world.users[(rank * step + 1) % count].weight = weight / sum;
        }
        world
    }

    pub(crate) fn dice(&self, parts: &[u64]) -> Dice {
        let mut all = vec![self.seed];
        all.extend(parts);
        Dice::of(&all)
    }

    /// One of the network's addresses.
    pub(crate) fn address(&self, network: usize, host: u16, ipv6: bool) -> From {
        let it = &self.networks[network % self.networks.len()];
        let [high, low] = host.to_be_bytes();
        let address = if ipv6 {
            IpAddr::V6(Ipv6Addr::new(
                0x2001,
                0xdb8,
                it.v6,
                u16::from(high),
                0,
                0,
                host,
                u16::from(low) | 1,
            ))
        } else {
            IpAddr::V4(Ipv4Addr::new(it.v4.0, it.v4.1, high, low.max(1)))
        };
        From { address, network }
    }

    /// What the user's machine says of itself on that day.
    pub(crate) fn agent(&self, user: usize, machine: Machine, day: i64) -> String {
        let user = &self.users[user];
        // Browsers of one tenant update together, four weeks apart.
        let version = 118 + self.seed % 9 + (day.max(0) / 28) as u64;
        match machine {
            Machine::Server => format!("python-requests/2.{}", 20 + self.seed % 12),
            Machine::Phone if user.new_phone.is_some_and(|new| day >= new) == user.ipv6 => {
                "Outlook-iOS/713.2420501.prod.iphone (4.36.0)".to_owned()
            }
            Machine::Phone => "Outlook-Android/4.2415.1".to_owned(),
            Machine::Laptop => browser(user.desk, version),
        }
    }

    /// The device id of the laptop, if the directory knows it.
    pub(crate) fn device(&self, user: usize) -> Option<Guid> {
        self.users[user]
            .joined
            .then(|| self.dice(&[3, user as u64]).guid())
    }
}

pub(crate) fn browser(kind: usize, version: u64) -> String {
    match kind {
        0 => format!(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36 Edg/{version}.0.0.0"
        ),
        1 => format!(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
        ),
        2 => format!(
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.{} Safari/605.1.15",
            version % 7
        ),
        3 => format!(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"
        ),
        _ => format!(
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
        ),
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
