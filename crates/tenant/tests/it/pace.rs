//! Who waits for whom: limits kept before a service has to say so, waits shared by
//! every case of a tenant, and containment that waits for nobody.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use retake_tenant::client::AuditAbout;
use retake_tenant::edge::{Clock as _, Entropy, SharedWaits};
use retake_tenant::{Kind, Pacer};
use serde_json::json;

use crate::world::{Step, USER, World, empty, json_answer, page, refusal, start};

fn nothing() -> Step {
    page(&json!([]), None)
}

#[test]
fn log_reports_go_five_in_ten_seconds_without_being_told() {
    let world = World::new((0..12).map(|_| nothing()));
    let reads = (0..12).map(|_| {
        let tenant = world.tenant.with_deadline(Duration::from_mins(1));
        async move {
            tenant
                .directory_audits(AuditAbout::Everything, start(), None)
                .await
        }
    });
    assert!(world.run(join_all(reads)).iter().all(Result::is_ok));
    let at: Vec<Duration> = world.services.seen().iter().map(|seen| seen.at).collect();
    for window in at.windows(6) {
        assert!(window[5] >= window[0] + Duration::from_secs(10), "{at:?}");
    }
}

#[test]
fn a_mailbox_is_asked_four_things_at_once_and_another_mailbox_does_not_wait() {
    let world = World::new((0..7).map(|_| nothing()));
    let users = [USER, USER, USER, USER, USER, USER, "other@tarn.example"];
    let reads = users.map(|user| {
        let tenant = world.tenant.clone();
        async move { tenant.graph_inbox_rules(user).await }
    });
    world.run(join_all(reads));
    let first = world.services.seen()[0].at;
    let begun = world.services.seen();
    let at_once = |other: bool| {
        begun
            .iter()
            .filter(|seen| seen.at == first && seen.url.contains("other%40") == other)
            .count()
    };
    assert_eq!((at_once(false), at_once(true)), (4, 1));
    assert_eq!(begun.len(), 7);
}

#[test]
fn what_one_case_is_told_every_case_of_the_tenant_keeps_and_block_does_not() {
    let world = World::new([
        refusal(429, "TooManyRequests", "x").with("retry-after", "20"),
        // The block, at once.
        empty(204),
        // The first case again, and the second.
        json_answer(
            200,
            &json!({"id": USER, "userPrincipalName": "a@b.example"}),
        ),
        json_answer(
            200,
            &json!({"id": USER, "userPrincipalName": "a@b.example"}),
        ),
    ]);
    let pacer = Pacer::default();
    let first = world.tenant.with_pacer(pacer.clone());
    let second = world.tenant.with_pacer(pacer.clone());
    let third = world.tenant.with_pacer(pacer);
    let clock = world.clock.clone();
    let block = third.prepare_block(USER).unwrap();
    let (a, (b, c)) = world.run(async {
        let later = async {
            clock.sleep(Duration::from_secs(2)).await;
            let blocked = async {
                let done = third.submit(&block).await;
                (done, clock.since_start())
            };
            futures_util::future::join(blocked, second.user(USER)).await
        };
        futures_util::future::join(first.user(USER), later).await
    });
    assert!(a.is_ok() && c.is_ok());
    assert!(b.0.is_ok());
    assert!(b.1 < Duration::from_secs(3), "the block waited: {:?}", b.1);
    let seen = world.services.seen();
    assert_eq!(seen[1].method, "PATCH");
    for read in &seen[2..] {
        assert!(read.at >= Duration::from_secs(20), "{:?}", read.at);
    }
}

/// What would be files.
#[derive(Default)]
struct Notes(Mutex<HashMap<(String, String), Timestamp>>);

impl SharedWaits for Notes {
    fn not_before(&self, tenant: &str, service: &str) -> Option<Timestamp> {
        let key = (tenant.to_owned(), service.to_owned());
        self.0.lock().unwrap().get(&key).copied()
    }

    fn hold(&self, tenant: &str, service: &str, until: Timestamp) {
        let key = (tenant.to_owned(), service.to_owned());
        self.0.lock().unwrap().insert(key, until);
    }
}

#[test]
fn another_process_keeps_a_wait_that_only_this_one_was_told() {
    let notes = Arc::new(Notes::default());
    let world = World::new([
        refusal(429, "TooManyRequests", "x").with("retry-after", "40"),
        nothing(),
    ]);
    let shared = || Pacer::default().with_shared(Arc::clone(&notes) as Arc<dyn SharedWaits>);
    let told = world.tenant.with_pacer(shared());
    let error = world.run(told.authentication_methods(USER)).unwrap_err();
    assert_eq!(error.kind, Kind::Throttled);
    assert_eq!(notes.0.lock().unwrap().len(), 1);

    // Nothing in common with the first but the notes.
    let other = world.tenant.with_pacer(shared());
    let error = world.run(other.authentication_methods(USER)).unwrap_err();
    assert_eq!(error.kind, Kind::Throttled);
    assert!(error.to_string().contains("not sent"), "{error}");
    assert_eq!(world.services.seen().len(), 1, "it was not even asked");
    let patient = other.with_deadline(Duration::from_mins(2));
    world.run(patient.authentication_methods(USER)).unwrap();
    assert!(world.services.seen()[1].at >= Duration::from_secs(40));
}

#[test]
fn a_wait_far_in_the_future_is_somebody_elses_clock_and_ignored() {
    let notes = Notes::default();
    let key = (crate::world::TENANT.to_owned(), "directory".to_owned());
    let year = Timestamp::from_second(start().as_second() + 365 * 86_400).unwrap();
    notes.0.lock().unwrap().insert(key, year);
    let world = World::new([nothing()]);
    let tenant = world
        .tenant
        .with_pacer(Pacer::default().with_shared(Arc::new(notes)));
    world.run(tenant.authentication_methods(USER)).unwrap();
}

#[test]
fn a_date_is_waited_out_as_seconds_are() {
    let until = "Mon, 02 Mar 2026 08:00:09 GMT";
    let world = World::new([
        refusal(429, "TooManyRequests", "x").with("retry-after", until),
        nothing(),
    ]);
    world
        .run(world.tenant.authentication_methods(USER))
        .unwrap();
    assert!(world.services.seen()[1].at >= Duration::from_secs(9));
}

struct Same(u8);

impl Entropy for Same {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

#[test]
fn clients_turned_away_together_come_back_apart() {
    let again_at = |byte| {
        let world = World::new([refusal(429, "TooManyRequests", "x"), nothing()]);
        let tenant = world
            .tenant
            .with_pacer(Pacer::default().with_entropy(Arc::new(Same(byte))));
        world.run(tenant.authentication_methods(USER)).unwrap();
        world.services.seen()[1].at
    };
    assert!(again_at(0) < again_at(128));
    assert!(again_at(128) < again_at(255));
}
