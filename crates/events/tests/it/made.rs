//! Events that are made up for the tests.

use jiff::{SignedDuration, Timestamp};
use retake_hunt::event::{FolderItems, MailAccess, Mfa, Modified, Origin, Outcome, Target};
use retake_hunt::{Event, Source};

/// Texts that a log may hold and a careless table loses.
pub(crate) const TEXTS: [&str; 12] = [
    "",
    " ",
    "\u{0}",
    "NULL",
    "a\r\nb\tc",
    "\"quoted\", 'and'; -- not",
    "=cmd|' /C calc'!A0",
    "\u{1f511}\u{1d11e} non-BMP",
    "\u{202e}txt.exe",
    "\u{feff}e\u{301}\u{fffd}",
    "\u{1b}[31mred\u{7}",
    "{\"json\":[1,2]}",
];

/// The same numbers for the same seed.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn text(&mut self) -> String {
        TEXTS[self.below(TEXTS.len() as u64) as usize].to_owned()
    }

    fn maybe(&mut self) -> Option<String> {
        (self.below(3) > 0).then(|| self.text())
    }

    fn list(&mut self) -> Vec<String> {
        (0..self.below(4)).map(|_| self.text()).collect()
    }
}

/// An event of this moment and user with nothing else of note.
pub(crate) fn plain(time: &str, user: &str, id: &str) -> Event {
    let mut event = Event::new(
        Source::Ual,
        time.parse().unwrap(),
        "MailItemsAccessed",
        "{}",
    );
    event.user = (!user.is_empty()).then(|| user.to_owned());
    id.clone_into(&mut event.record_id);
    event
}

/// An event with every field set to something hard.
pub(crate) fn hard(numbers: &mut Numbers) -> Event {
    let times = [
        "-009999-01-02T01:59:59Z",
        "-000001-06-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "1969-12-31T23:59:59.9999999Z",
        "1970-01-01T00:00:00Z",
        "2024-02-29T12:00:00.1234567Z",
        "2024-12-30T00:00:00Z",
        "2026-11-23T12:50:00.000001Z",
        "2026-11-23T12:50:00.000001001Z",
        "9999-12-30T22:00:00.999999999Z",
    ];
    let time: Timestamp = times[numbers.below(times.len() as u64) as usize]
        .parse()
        .unwrap();
    let source = Source::ALL[numbers.below(Source::ALL.len() as u64) as usize];
    let mut event = Event::new(source, time, "", "");
    event.operation = numbers.text();
    event.record_id = format!("{}-{}", numbers.text(), numbers.below(1_000_000));
    for field in [
        &mut event.tenant_id,
        &mut event.user,
        &mut event.user_id,
        &mut event.user_type,
        &mut event.workload,
        &mut event.record_type,
        &mut event.error_code,
        &mut event.reason,
        &mut event.place.city,
        &mut event.place.state,
        &mut event.place.country,
        &mut event.user_agent,
        &mut event.client,
        &mut event.app_id,
        &mut event.app_name,
        &mut event.resource_id,
        &mut event.resource_name,
        &mut event.session_id,
        &mut event.service_session_id,
        &mut event.token_id,
        &mut event.correlation_id,
        &mut event.device.id,
        &mut event.device.name,
        &mut event.device.os,
        &mut event.device.browser,
        &mut event.device.trust,
        &mut event.protocol,
        &mut event.transfer,
        &mut event.incoming_token,
        &mut event.conditional_access,
        &mut event.risk,
        &mut event.object,
        &mut event.mailbox,
        &mut event.logon_type,
        &mut event.sender,
        &mut event.subject,
        &mut event.folder,
    ] {
        *field = numbers.maybe();
    }
    event.outcome =
        [Outcome::Success, Outcome::Failure, Outcome::Unknown][numbers.below(3) as usize];
    event.address = ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "-"]
        [numbers.below(4) as usize]
        .parse()
        .ok();
    event.network = [None, Some(0), Some(u32::MAX)][numbers.below(3) as usize];
    event.place.coordinates = [
        None,
        Some((0.0, -0.0)),
        Some((-33.868_820_1, 151.209_290_2)),
    ][numbers.below(3) as usize];
    event.device.managed = [None, Some(true), Some(false)][numbers.below(3) as usize];
    event.interactive = [None, Some(true), Some(false)][numbers.below(3) as usize];
    event.mfa = [
        Mfa::Given,
        Mfa::Claim,
        Mfa::Missing,
        Mfa::NotRequired,
        Mfa::Unknown,
    ][numbers.below(5) as usize];
    event.mail_access =
        [None, Some(MailAccess::Bind), Some(MailAccess::Sync)][numbers.below(3) as usize];
    event.throttled = numbers.below(2) == 0;
    event.risk_types = numbers.list();
    event.recipients = numbers.list();
    event.message_ids = numbers.list();
    event.targets = (0..numbers.below(3))
        .map(|_| Target {
            id: numbers.maybe(),
            name: numbers.maybe(),
            upn: numbers.maybe(),
            kind: numbers.maybe(),
        })
        .collect();
    event.folders = (0..numbers.below(3))
        .map(|_| FolderItems {
            path: numbers.maybe(),
            message_ids: numbers.list(),
            subjects: [(numbers.text(), numbers.text())].into(),
        })
        .collect();
    for _ in 0..numbers.below(4) {
        event.parameters.insert(numbers.text(), numbers.text());
        let (old, new) = (numbers.text(), numbers.text());
        event.modified.insert(numbers.text(), Modified { old, new });
    }
    event.original = numbers.text().into();
    event.origin = Origin {
        input: numbers.text().into(),
        line: [1, 17, u64::MAX][numbers.below(3) as usize],
    };
    event
}

/// Events of a few users over some weeks, an hour apart and less.
pub(crate) fn weeks(users: u64, weeks: i64, events: u64) -> Vec<Event> {
    let mut numbers = Numbers(7);
    let begin: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    (0..events)
        .map(|number| {
            let seconds = numbers.below(weeks as u64 * 7 * 86_400);
            let time = begin + SignedDuration::from_secs(seconds as i64);
            let user = numbers.below(users + 1);
            let user = match user {
                0 => String::new(),
                user => format!("user{user}@contoso.example"),
            };
            let mut event = plain(&time.to_string(), &user, &format!("id-{number}"));
            event.original = format!("{{\"number\":{number},\"user\":\"{user}\"}}").into();
            event.address = Some([192, 0, 2, (number % 200) as u8].into());
            event
        })
        .collect()
}
