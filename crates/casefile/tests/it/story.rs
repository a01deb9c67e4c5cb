//! A small case, and the clock that it is told by.

use jiff::Timestamp;
use retake_casefile::{CaseId, SigningKey32, Store};
use retake_playbook::Event;
use retake_playbook::event::{CaseOpened, EvidenceKept, Request};
use retake_playbook::gate::Gate;

pub(crate) fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
}

pub(crate) fn key() -> SigningKey32 {
    SigningKey32::new([42; 32])
}

pub(crate) fn unread(why: &str) -> Event {
    Event::AccountUnread {
        why: why.to_owned(),
    }
}

pub(crate) fn opened(case: &str) -> Event {
    Event::CaseOpened(CaseOpened {
        case: case.to_owned(),
        tenant: "0f0e".to_owned(),
        account: "li.wei@example.org".to_owned(),
        responder: "Robin".to_owned(),
        alert: "Invoice with a changed bank account".to_owned(),
        program: "0.1.0".to_owned(),
    })
}

/// A case with two pieces of evidence and four records.
pub(crate) fn tell(store: &Store) -> CaseId {
    let case = store
        .create_case("0f0e", "li.wei@example.org", "case-1", at(0))
        .unwrap();
    store.append(&case, 0, at(0), &opened("case-1")).unwrap();
    let bodies: [&[u8]; 2] = [br#"{"accountEnabled":true}"#, "\u{0}ünïcode\n".as_bytes()];
    for (seq, body) in (1..).zip(bodies) {
        let digest = store.keep(&case, body).unwrap();
        let request = Request {
            method: "GET".to_owned(),
            url: "/v1.0/users/1".to_owned(),
            sha256: digest.clone(),
        };
        let kept = Event::EvidenceKept(EvidenceKept {
            digest,
            what: "the account".to_owned(),
            request: Some(request),
            status: Some(200),
            bytes: body.len() as u64,
        });
        store.append(&case, seq, at(1), &kept).unwrap();
    }
    let passed = Event::GatePassed {
        gate: Gate::Contain,
        by: "Robin \"R.\" Ø\u{202e}".to_owned(),
        answer: None,
    };
    store.append(&case, 3, at(2), &passed).unwrap();
    case
}
