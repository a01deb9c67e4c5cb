//! A tenant that answers whatever a test says, a clock that stands, entropy that is known.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use retake_tape::{Recorder, RecordingTransport};
use retake_tenant::edge::{BoxFuture, Clock, Entropy, Transport, TransportError};
use retake_tenant::{Credential, Endpoints, Profile};
use secrecy::SecretString;

pub(crate) struct Says(pub(crate) Mutex<http::Response<Bytes>>);

impl Transport for Says {
    fn send(
        &self,
        _: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        let answer = self.0.lock().unwrap().clone();
        Box::pin(async move { Ok(answer) })
    }
}

pub(crate) struct Noon;

impl Clock for Noon {
    fn now(&self) -> jiff::Timestamp {
        "2026-09-10T12:00:00Z".parse().unwrap()
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

pub(crate) struct Known(pub(crate) u8);

impl Entropy for Known {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

pub(crate) fn profile() -> Profile {
    Profile {
        name: "Zyxwquorn".to_owned(),
        tenant_id: "6f9c2f0a-71de-4c3b-9a52-0d3c7d1e8b11".to_owned(),
        home_tenant_id: None,
        endpoints: Endpoints::worldwide(),
        client_id: "11aa22bb-33cc-44dd-85ee-66ff77aa88bb".to_owned(),
        credential: Credential::ClientSecret(SecretString::from("unused")),
        ca_pem: None,
    }
}

/// Records one exchange and gives the tape's text.
pub(crate) async fn recorded(
    request: http::Request<Bytes>,
    answer: http::Response<Bytes>,
) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tape.jsonl");
    let recorder = Recorder::create(&path, false, &profile(), Arc::new(Noon), &Known(7)).unwrap();
    let recorder = Arc::new(recorder);
    let transport = RecordingTransport::new(Says(Mutex::new(answer)), Arc::clone(&recorder));
    transport.send(request).await.unwrap();
    recorder.finish().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    (dir, text)
}
