//! Matching in a stream, and correlating what matched.

use std::collections::BTreeSet;

use retake_hunt::{Detection, Detections, Event, Import};

fn sign_in(id: usize, user: &str, time: &str, rest: &str) -> String {
    format!(
        r#"{{"id": "s{id}", "createdDateTime": "{time}", "userPrincipalName": "{user}", "appId": "a", "appDisplayName": "b", "ipAddress": "198.51.100.20", "isInteractive": true, "status": {{"errorCode": 0}}{rest}}}"#
    )
}

fn events(records: &[String]) -> Vec<Event> {
    let mut import = Import::new();
    import.add_bytes("records", records.join("\n").as_bytes());
    let imported = import.finish();
    assert_eq!(imported.counts.damaged, 0, "{:?}", imported.damaged);
    imported.events
}

fn detection(matches: &str, correlate: &str) -> Result<Detection, String> {
    let text = format!(
        "id = \"D9999\"\ntitle = \"t\"\nwhy = \"w\"\nseverity = \"low\"\ntechnique = [\"T1\"]\nconfidence = 0.5\n\
         match = '{matches}'\nknown_good = [\"k\"]\nactions = [\"a\"]\n[correlate]\n{correlate}\n\
         [[must]]\nwhat = \"x\"\nrecords = \"{{}}\"\n[[must_not]]\nwhat = \"x\"\nrecords = \"{{}}\"\n"
    );
    Detection::parse("D9999", &text).map_err(|error| error.to_string())
}

fn found(detection: Detection, records: &[String]) -> Vec<(String, Vec<String>)> {
    let mut detections = Detections::builtin().unwrap();
    detections.add(detection);
    detections
        .find(&events(records), &BTreeSet::new())
        .into_iter()
        .filter(|finding| finding.detection == "D9999")
        .map(|finding| (finding.user, finding.events))
        .collect()
}

const SIGN_IN: &str = "event.kind is \"sign_in\"";
const NEW: &str = "kind = \"new\"\ngroup_by = [\"user.name\"]\nvalue = [\"source.geo.country_iso_code\"]\nhistory = \"10d\"\nat_least_days = 3\n";

fn week(user: &str, country: &str, from: usize) -> Vec<String> {
    (1..=7)
        .map(|day| {
            sign_in(
                from + day,
                user,
                &format!("2026-03-0{day}T09:00:00Z"),
                &format!(r#", "location": {{"countryOrRegion": "{country}"}}"#),
            )
        })
        .collect()
}

fn abroad(id: usize, day: usize) -> String {
    sign_in(
        id,
        "a@x.example",
        &format!("2026-03-{day:02}T09:00:00Z"),
        r#", "location": {"countryOrRegion": "FR"}"#,
    )
}

#[test]
fn a_new_value_is_one_that_the_users_own_past_does_not_hold() {
    let new = || detection(SIGN_IN, NEW).unwrap();
    let mut records = week("a@x.example", "DE", 0);
    records.push(abroad(20, 9));
    assert_eq!(
        found(new(), &records),
        [("a@x.example".to_owned(), vec!["s20".to_owned()])]
    );
    // Known from then on.
    records.push(abroad(21, 10));
    assert_eq!(found(new(), &records)[0].1, ["s20"]);
    // A past of two days says nothing.
    assert!(
        found(
            new(),
            &[
                week("a@x.example", "DE", 0)[..2].to_vec(),
                vec![abroad(20, 9)]
            ]
            .concat()
        )
        .is_empty()
    );
    // So does one that is longer ago than the history.
    assert!(
        found(
            new(),
            &[week("a@x.example", "DE", 0), vec![abroad(20, 28)]].concat()
        )
        .is_empty()
    );
    // What others use is not strange.
    let common = || detection(SIGN_IN, &format!("{NEW}common = 2")).unwrap();
    let one = week("b@x.example", "FR", 30);
    let two = week("c@x.example", "FR", 40);
    assert_eq!(
        found(common(), &[records.clone(), one.clone()].concat()).len(),
        1
    );
    assert!(found(common(), &[records, one, two].concat()).is_empty());
}

#[test]
fn travel_is_judged_by_speed_and_distance() {
    let travel = || {
        detection(
            SIGN_IN,
            "kind = \"travel\"\ngroup_by = [\"user.name\"]\nspeed = 1000\ndistance = 500",
        )
        .unwrap()
    };
    let at = |id, time: &str, lat: f64, lon: f64| {
        sign_in(
            id,
            "a@x.example",
            time,
            &format!(
                r#", "location": {{"countryOrRegion": "DE", "geoCoordinates": {{"latitude": {lat}, "longitude": {lon}}}}}"#
            ),
        )
    };
    let berlin = at(1, "2026-03-02T09:00:00Z", 52.52, 13.40);
    for (time, lat, lon, expected) in [
        // London is 930 km away.
        ("2026-03-02T09:30:00Z", 51.51, -0.13, true),
        ("2026-03-02T10:30:00Z", 51.51, -0.13, false),
        // Potsdam is near, however fast.
        ("2026-03-02T09:00:01Z", 52.39, 13.06, false),
    ] {
        let records = [berlin.clone(), at(2, time, lat, lon)];
        assert_eq!(!found(travel(), &records).is_empty(), expected, "{time}");
    }
}

#[test]
fn keys_that_a_kind_does_not_know_are_refused() {
    for (correlate, why) in [
        (
            "kind = \"count\"\ngroup_by = [\"user.name\"]\nat_least = 3",
            "`within` is missing",
        ),
        (
            "kind = \"count\"\ngroup_by = [\"user.name\"]\nat_least = 1\nwithin = \"1h\"",
            "2 or more",
        ),
        (
            "kind = \"count\"\ngroup_by = [\"user.name\"]\nat_least = 3\nwithin = \"1h\"\nspeed = 3",
            "`speed` has no meaning",
        ),
        (
            "kind = \"count\"\ngroup_by = [\"no.column\"]\nat_least = 3\nwithin = \"1h\"",
            "no column",
        ),
        (
            "kind = \"count\"\ngroup_by = []\nat_least = 3\nwithin = \"1h\"",
            "may not be empty",
        ),
        (
            "kind = \"count\"\ngroup_by = [\"user.name\"]\nat_least = 3\nwithin = \"-1h\"",
            "no length of time",
        ),
        (
            "kind = \"sequence\"\ngroup_by = [\"user.name\"]\nwithin = \"1h\"",
            "`then` is missing",
        ),
    ] {
        let error = detection(SIGN_IN, correlate).unwrap_err();
        assert!(error.contains(why), "{correlate}: {error}");
    }
}

/// All records of all fixtures: every kind of correlation has something to do.
fn all_fixtures(detections: &Detections) -> Vec<Event> {
    let mut import = Import::new();
    for detection in detections.iter() {
        for fixture in &detection.must {
            import.add_bytes(&fixture.what, fixture.records.as_bytes());
        }
    }
    import.finish().events
}

#[test]
fn order_repetition_and_threads_change_nothing() {
    let detections = Detections::builtin().unwrap();
    let events = all_fixtures(&detections);
    let mut matcher = detections.matcher();
    for (event, number) in events.iter().zip(0..) {
        matcher.feed(number, event);
    }
    let expected: Vec<_> = matcher
        .finish(None)
        .into_iter()
        .map(|raised| raised.finding)
        .collect();
    let raised: BTreeSet<&str> = expected
        .iter()
        .map(|finding| finding.detection.as_str())
        .collect();
    assert!(raised.len() > 45, "{}", raised.len());
    for threads in [1, 2, 5] {
        let mut matchers: Vec<_> = (0..threads).map(|_| detections.matcher()).collect();
        // Backwards, each event twice, dealt out.
        for (event, number) in events.iter().rev().chain(&events).zip(0_u64..) {
            let place = usize::try_from(number).unwrap() * 7 % threads;
            matchers[place].feed(number, event);
        }
        let mut all = detections.matcher();
        for matcher in matchers.into_iter().rev() {
            all.merge(matcher);
        }
        let found: Vec<_> = all
            .finish(None)
            .into_iter()
            .map(|raised| raised.finding)
            .collect();
        assert_eq!(found, expected, "{threads} threads");
    }
}
