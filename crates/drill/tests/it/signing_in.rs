//! Every way of signing in meets the lab's token endpoint, which was written from the
//! documentation by other hands: both sides agree, for two services each.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, header};
use retake_drill::wire::SharedLab;
use retake_drill::{RehearsalError, SeededEntropy, Stage, profile, run_with, wire};
use retake_lab::{Call, Reply, Scenario};
use retake_tenant::edge::{
    BoxFuture, Browser, ClientCertificate, Clock as _, Files, Loopback, Means,
};
use retake_tenant::{Credential, IdentityHost, Tenant};
use secrecy::SecretString;

/// Signs in on a fresh stage and reads the account from Graph and its mailbox from Exchange.
fn reads_with(sign_in: impl AsyncFnOnce(&Stage) -> Tenant) {
    let scenario = Scenario::find("invoice-fraud").unwrap();
    run_with(&scenario, 2, "retake", async |stage: Stage| {
        let affected = wire::lock(&stage.lab).briefing().affected.clone();
        let tenant = sign_in(&stage).await;
        let user = tenant.user(&affected).await.unwrap();
        assert_eq!(user.value.user_principal_name, affected);
        let rules = tenant.get_inbox_rules(&affected, true).await.unwrap();
        assert!(!rules.value.is_empty());
        Ok::<_, RehearsalError>(None)
    })
    .unwrap();
}

fn with(stage: &Stage, credential: Credential, means: Means) -> Tenant {
    Tenant::with_means(
        profile(stage, Some(credential)),
        Arc::new(stage.transport.clone()),
        Arc::new(stage.time.clone()),
        Means {
            entropy: Some(Arc::new(SeededEntropy::new(stage.seed))),
            ..means
        },
    )
}

#[test]
fn a_certificate_signs_in_to_the_lab() {
    reads_with(async |stage| {
        let pem = wire::lock(&stage.lab).briefing().certificate_pem.clone();
        let certificate = ClientCertificate::from_pem(&SecretString::from(pem)).unwrap();
        let credential = Credential::Certificate(Arc::new(certificate));
        with(stage, credential, Means::default())
    });
}

/// The file that a platform keeps for its workload.
struct TokenFile(String);

impl Files for TokenFile {
    fn read(&self, _: &Path) -> io::Result<SecretString> {
        Ok(SecretString::from(self.0.clone()))
    }
}

#[test]
fn a_workload_identity_signs_in_to_the_lab() {
    reads_with(async |stage| {
        let token = wire::lock(&stage.lab)
            .workload_token(stage.time.now())
            .unwrap();
        let credential = Credential::WorkloadIdentity {
            token_file: "/var/run/token".into(),
        };
        let files: Arc<dyn Files> = Arc::new(TokenFile(token));
        let means = Means {
            files: Some(files),
            ..Means::default()
        };
        with(stage, credential, means)
    });
}

#[test]
fn a_managed_identity_signs_in_to_the_lab() {
    reads_with(async |stage| {
        let credential = Credential::ManagedIdentity {
            identity: None,
            host: IdentityHost::VirtualMachine,
        };
        let means = Means {
            metadata: Some(Arc::new(stage.transport.clone())),
            ..Means::default()
        };
        with(stage, credential, means)
    });
}

/// The operator's browser: it holds the operator's session, and follows the answer of
/// the authorize page to the loopback address.
#[derive(Clone)]
struct OperatorsBrowser {
    lab: SharedLab,
    stage: Stage,
    sent_back: Arc<Mutex<Option<String>>>,
}

impl Browser for OperatorsBrowser {
    fn listen(&self) -> BoxFuture<'_, io::Result<Box<dyn Loopback>>> {
        let loopback: Box<dyn Loopback> = Box::new(self.clone());
        Box::pin(async { Ok(loopback) })
    }

    fn open(&self, url: &str) {
        let now = self.stage.time.now();
        let mut lab = wire::lock(&self.lab);
        let operator = lab.briefing().operator.clone();
        let cookie = lab.browser_session(&operator, now).unwrap();
        let request = Request::get(url)
            .header(header::COOKIE, cookie)
            .body(Bytes::new())
            .unwrap();
        let Reply::Answer { response, .. } = lab.handle(Call { request, round: 0 }, now) else {
            panic!("no answer")
        };
        let location = response.headers()[header::LOCATION].to_str().unwrap();
        let back = location
            .strip_prefix("http://localhost:50000")
            .unwrap_or_else(|| panic!("{location}"));
        *self.sent_back.lock().unwrap() = Some(back.to_owned());
    }
}

impl Loopback for OperatorsBrowser {
    fn port(&self) -> u16 {
        50_000
    }

    fn request(&mut self) -> BoxFuture<'_, io::Result<SecretString>> {
        let back = self.sent_back.lock().unwrap().take();
        Box::pin(async move {
            back.map(SecretString::from)
                .ok_or(io::ErrorKind::NotFound.into())
        })
    }

    fn answer<'a>(&'a mut self, _: u16, _: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }
}

#[test]
fn a_person_signs_in_to_the_lab_in_a_browser() {
    reads_with(async |stage| {
        let browser: Arc<dyn Browser> = Arc::new(OperatorsBrowser {
            lab: Arc::clone(&stage.lab),
            stage: stage.clone(),
            sent_back: Arc::default(),
        });
        let means = Means {
            browser: Some(browser),
            ..Means::default()
        };
        let tenant = with(stage, Credential::Browser, means);
        tenant.sign_in_in_browser().await.unwrap();
        tenant
    });
}
