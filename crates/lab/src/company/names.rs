//! The words that companies, people, apps and mails are named with.
//!
//! Addresses come from the ranges kept for benchmarks (198.18.0.0/15) and
//! documentation (2001:db8::/32), domains from `.example`, networks from the
//! private range of AS numbers: nothing here points at anybody.

/// Every given name and surname that people of a lab's company may have.
pub fn names_of_people() -> impl Iterator<Item = &'static str> {
    GIVEN.into_iter().chain(SURNAMES)
}

pub(crate) const GIVEN: [&str; 48] = [
    "Amira", "Anton", "Beatrix", "Bruno", "Carla", "Cem", "Dagny", "Dario", "Edda", "Emil",
    "Farida", "Felix", "Greta", "Hanno", "Ines", "Ivo", "Jasmin", "Jonas", "Karla", "Kofi", "Lena",
    "Luca", "Maren", "Mateo", "Milan", "Nadia", "Nils", "Olga", "Oskar", "Paula", "Pavel",
    "Quentin", "Ruben", "Runa", "Sanna", "Selim", "Silvia", "Tessa", "Theo", "Ulrike", "Vera",
    "Viktor", "Wanda", "Xenia", "Yara", "Yusuf", "Zita", "Zoran",
];

pub(crate) const SURNAMES: [&str; 56] = [
    "Abels",
    "Adeyemi",
    "Ahlgren",
    "Baumann",
    "Becker",
    "Bianchi",
    "Brandt",
    "Castell",
    "Dietz",
    "Dumont",
    "Eklund",
    "Engel",
    "Faber",
    "Fontaine",
    "Gerlach",
    "Grimaldi",
    "Haas",
    "Hartwig",
    "Ivanova",
    "Jansen",
    "Jovanovic",
    "Kaya",
    "Keller",
    "Kessler",
    "Kowalski",
    "Lindqvist",
    "Lorenz",
    "Maier",
    "Marchetti",
    "Mertens",
    "Moreau",
    "Nagel",
    "Novak",
    "Oberlin",
    "Okafor",
    "Petersen",
    "Pohl",
    "Quast",
    "Rinaldi",
    "Roth",
    "Sander",
    "Santos",
    "Schreiber",
    "Seidel",
    "Simic",
    "Thalberg",
    "Tremblay",
    "Ulbrich",
    "Vargas",
    "Vogt",
    "Weiland",
    "Winter",
    "Yilmaz",
    "Zander",
    "Ziegler",
    "Zimmer",
];

pub(crate) const COMPANY_FIRST: [&str; 24] = [
    "Alder", "Amber", "Birken", "Brass", "Cobalt", "Dorn", "Eiger", "Falken", "Granit", "Halden",
    "Iller", "Kiesel", "Lahn", "Linden", "Marien", "Nord", "Oder", "Pelikan", "Quarz", "Rhein",
    "Salm", "Tannen", "Ulmen", "Weser",
];

pub(crate) const COMPANY_SECOND: [&str; 20] = [
    "bau",
    "chem",
    "druck",
    "feld",
    "glas",
    "hafen",
    "holz",
    "kraft",
    "logistik",
    "metall",
    "moebel",
    "optik",
    "papier",
    "pumpen",
    "stahl",
    "technik",
    "textil",
    "tor",
    "verpackung",
    "werk",
];

pub(crate) const COMPANY_FORM: [&str; 6] = ["GmbH", "AG", "KG", "SE", "& Co. KG", "Group"];

/// City, region, country, latitude, longitude.
pub(crate) type City = (&'static str, &'static str, &'static str, f64, f64);

/// Where companies of this lab have their office.
pub(crate) const HOME_CITIES: [City; 10] = [
    ("Hannover", "Niedersachsen", "DE", 52.37, 9.73),
    ("Bremen", "Bremen", "DE", 53.08, 8.80),
    ("Leipzig", "Sachsen", "DE", 51.34, 12.37),
    ("Kassel", "Hessen", "DE", 51.31, 9.49),
    ("Augsburg", "Bayern", "DE", 48.37, 10.90),
    ("Linz", "Oberoesterreich", "AT", 48.31, 14.29),
    ("Graz", "Steiermark", "AT", 47.07, 15.44),
    ("Winterthur", "Zuerich", "CH", 47.50, 8.72),
    ("Eindhoven", "Noord-Brabant", "NL", 51.44, 5.48),
    ("Aarhus", "Midtjylland", "DK", 56.16, 10.20),
];

/// Where people travel to.
pub(crate) const JOURNEYS: [City; 8] = [
    ("Lisbon", "Lisboa", "PT", 38.72, -9.14),
    ("Milan", "Lombardia", "IT", 45.46, 9.19),
    ("Dublin", "Dublin", "IE", 53.35, -6.26),
    ("Istanbul", "Istanbul", "TR", 41.01, 28.98),
    ("Dubai", "Dubayy", "AE", 25.20, 55.27),
    ("Chicago", "Illinois", "US", 41.88, -87.63),
    ("Singapore", "Singapore", "SG", 1.35, 103.82),
    ("Stockholm", "Stockholm", "SE", 59.33, 18.07),
];

/// Where machines are rented.
pub(crate) const HOSTING_CITIES: [City; 14] = [
    ("Amsterdam", "Noord-Holland", "NL", 52.37, 4.90),
    ("Bucharest", "Bucuresti", "RO", 44.43, 26.10),
    ("Chisinau", "Chisinau", "MD", 47.01, 28.86),
    ("Dallas", "Texas", "US", 32.78, -96.80),
    ("Frankfurt am Main", "Hessen", "DE", 50.11, 8.68),
    ("Helsinki", "Uusimaa", "FI", 60.17, 24.94),
    ("Johannesburg", "Gauteng", "ZA", -26.20, 28.05),
    ("Lagos", "Lagos", "NG", 6.52, 3.38),
    ("London", "England", "GB", 51.51, -0.13),
    ("Los Angeles", "California", "US", 34.05, -118.24),
    ("Paris", "Ile-de-France", "FR", 48.86, 2.35),
    ("Riga", "Riga", "LV", 56.95, 24.11),
    ("Sofia", "Sofia", "BG", 42.70, 23.32),
    ("Warsaw", "Mazowieckie", "PL", 52.23, 21.01),
];

/// Job title and department of colleagues, in the order in which a company
/// fills them. The first ones have a part in the response.
pub(crate) const JOBS: [(&str, &str); 13] = [
    ("IT administrator", "IT"),
    ("Head of finance", "Finance"),
    ("Managing director", "Management"),
    ("Service desk agent", "IT"),
    ("Treasury accountant", "Finance"),
    ("Purchasing manager", "Purchasing"),
    ("Sales representative", "Sales"),
    ("Project engineer", "Engineering"),
    ("Office manager", "Administration"),
    ("Warehouse lead", "Logistics"),
    ("Human resources partner", "Human Resources"),
    ("Marketing specialist", "Marketing"),
    ("Quality engineer", "Engineering"),
];

pub(crate) const GOODS: [&str; 14] = [
    "bearings",
    "cable ducts",
    "castings",
    "cleaning",
    "fasteners",
    "forklift lease",
    "freight",
    "gaskets",
    "packaging film",
    "pallets",
    "printed labels",
    "solvents",
    "steel profiles",
    "tool inserts",
];

pub(crate) const SMALL_TALK: [&str; 12] = [
    "Agenda for Thursday",
    "Parking at the south gate",
    "Canteen menu",
    "New badge readers",
    "Minutes of the steering meeting",
    "Holiday planning",
    "Printer on the second floor",
    "Handover notes",
    "Fire drill",
    "Customer visit next week",
    "Updated phone list",
    "Welcome to the team",
];

/// Names of mailbox services for addresses outside; `.example` is added.
pub(crate) const MAIL_SERVICES: [&str; 12] = [
    "boxmail",
    "brieftaube",
    "courrielo",
    "fastletter",
    "inboxen",
    "letterbox",
    "mailhive",
    "nimbuspost",
    "postfach24",
    "quickmail",
    "skyletters",
    "webpost",
];

/// Names an attacker gives to a rule so that nobody looks twice.
pub(crate) const PLAUSIBLE_RULE_NAMES: [&str; 14] = [
    "Archive old items",
    "Clean up",
    "Clutter",
    "Conversation sync",
    "Invoices (auto)",
    "Junk filter 2",
    "Mail sync",
    "Newsletter",
    "Outlook default",
    "RSS",
    "Spam",
    "Sync issues",
    "System",
    "Updates",
];

/// Names of one or two characters, or of almost nothing.
pub(crate) const SHORT_RULE_NAMES: [&str; 12] = [
    ".",
    "..",
    "...",
    "-",
    "_",
    ",",
    ";",
    "a",
    "l",
    "x",
    " .",
    "\u{200b}.",
];

/// Words that money mail contains.
pub(crate) const MONEY_WORDS: [&str; 6] = [
    "invoice",
    "payment",
    "remittance",
    "bank details",
    "overdue",
    "statement",
];

/// Apps that attackers name their own after.
pub(crate) const APP_FIRST: [&str; 12] = [
    "Mail", "Doc", "Inbox", "Office", "Sign", "Secure", "Team", "Cloud", "Backup", "Calendar",
    "Contract", "Share",
];
pub(crate) const APP_SECOND: [&str; 12] = [
    "Bridge",
    "Assistant",
    "Sync",
    "Viewer",
    "Hub",
    "Connect",
    "Pilot",
    "Flow",
    "Reader",
    "Desk",
    "Keeper",
    "Link",
];

/// Apps that a company uses and consented to.
pub(crate) const GOOD_MAIL_APPS: [&str; 6] = [
    "Threadnote for Outlook",
    "Kontora CRM Mail",
    "Postbuch Archiv",
    "Signaro Signatures",
    "Taskmill Mail to Task",
    "Ledgerly Receipts",
];
pub(crate) const GOOD_CALENDAR_APPS: [&str; 5] = [
    "Roomfinder",
    "Terminbote",
    "Meetly",
    "Planwise Calendar",
    "Shiftboard",
];

pub(crate) const DESKTOP_AGENTS: [(&str, &str, &str); 6] = [
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0 Safari/537.36 Edg/{v}.0.0.0",
        "Edge {v}.0.0",
        "Windows10",
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0 Safari/537.36",
        "Chrome {v}.0.0",
        "Windows10",
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{v}.0) Gecko/20100101 Firefox/{v}.0",
        "Firefox {v}.0",
        "Windows10",
    ),
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0 Safari/537.36",
        "Chrome {v}.0.0",
        "MacOs",
    ),
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:{v}.0) Gecko/20100101 Firefox/{v}.0",
        "Firefox {v}.0",
        "MacOs",
    ),
    (
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0 Safari/537.36",
        "Chrome {v}.0.0",
        "Linux",
    ),
];

/// Agents of programs, as attackers' tools show themselves.
pub(crate) const TOOL_AGENTS: [&str; 8] = [
    "python-requests/2.{v}.1",
    "axios/1.{v}.2",
    "Go-http-client/1.1",
    "node-fetch/2.6.{v}",
    "okhttp/4.{v}.0",
    "curl/8.{v}.0",
    "PostmanRuntime/7.{v}.0",
    "aiohttp/3.{v}.1",
];

pub(crate) const PHONES: [&str; 5] = ["iPhone 14", "iPhone 15", "Pixel 8", "SM-S921B", "SM-A546B"];
