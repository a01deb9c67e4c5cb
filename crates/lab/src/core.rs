//! The lab: one tenant, what happens in it by itself, and the trace.
//!
//! A synchronous state machine. Time is passed in with each call; whatever is
//! due by then happens first, in order of time.

mod acts;
mod state;

pub use acts::{Act, Acted};

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;

use crate::fault::{ELSEWHERE, Fault, FaultKind, Faults};
use crate::people::{Ask, PersonAnswer};
use crate::play::{Briefing, Play};
use crate::scenario::{Scenario, ScenarioError};
use crate::services::token::COOKIE;
use crate::services::{Peer, serve};
use crate::trace::{Actor, Service, Trace, TraceLine, digest};
use crate::unconfirmed::NoSuchSwitch;
use crate::world::administer::PartnerApp;
use crate::world::practice::outside_token;
use crate::world::{Origin, Surface, World, known};

/// What people on our side sign in with.
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0";

/// One request to the tenant.
#[derive(Clone, Debug)]
pub struct Call {
    /// The request, with its whole body.
    pub request: Request<Bytes>,
    /// The client's sequential round of requests, for the trace; 0 if it has
    /// none.
    pub round: u32,
}

/// What comes back.
#[derive(Debug)]
pub enum Reply {
    /// An answer.
    Answer {
        /// The response with its whole body.
        response: Response<Bytes>,
        /// How much longer than the usual latency it takes.
        after: Duration,
    },
    /// Nothing, ever.
    Hang,
    /// The connection is cut.
    Reset,
}

/// A scenario being played for one seed.
#[derive(Debug)]
pub struct Lab {
    world: World,
    play: Play,
    trace: Trace,
    latency: Duration,
    now: Timestamp,
}

impl Lab {
    /// Builds the company and plays the attack up to the alert.
    pub fn new(scenario: &Scenario, seed: u64) -> Result<Self, ScenarioError> {
        let mut trace = Trace::default();
        let (mut world, play) = Play::open(scenario, seed, &mut trace);
        world.unconfirmed = scenario.unconfirmed();
        for fault in scenario.faults() {
            world.faults.add(fault.clone());
        }
        Ok(Self {
            now: play.start(),
            world,
            play,
            trace,
            latency: scenario.latency(),
        })
    }

    /// The moment of the alert, when the response begins.
    pub fn start(&self) -> Timestamp {
        self.play.start()
    }

    /// What a responder is told.
    pub fn briefing(&self) -> &Briefing {
        self.play.briefing()
    }

    /// How long a call takes.
    pub fn latency(&self) -> Duration {
        self.latency
    }

    /// Answers a request at `now`, after everything that is due by then. A time
    /// before the last one counts as the last one.
    pub fn handle(&mut self, call: Call, now: Timestamp) -> Reply {
        self.answer(&call, None, now)
    }

    /// The same with a fault for this very request, whatever was ordered: for a
    /// caller who tells requests apart by more than a [`Fault`] can say.
    pub fn handle_with(&mut self, call: Call, fault: FaultKind, now: Timestamp) -> Reply {
        self.answer(&call, Some(fault), now)
    }

    fn answer(&mut self, call: &Call, fault: Option<FaultKind>, now: Timestamp) -> Reply {
        let now = self.until(now);
        let peer = Peer {
            actor: None,
            ip: self.world.tenant.responder_ip.clone(),
            user_agent: String::new(),
            attempt: None,
            round: call.round,
        };
        if call.request.uri().host() == Some(ELSEWHERE) {
            return self.elsewhere(call, now);
        }
        let ordered = || self.world.faults.take(&call.request, false);
        let reply = match fault.or_else(ordered) {
            None => {
                let (response, _) =
                    serve(&mut self.world, &mut self.trace, &peer, &call.request, now);
                Reply::Answer {
                    response,
                    after: Duration::ZERO,
                }
            }
            Some(fault) => self.faulty(fault, &peer, &call.request, now),
        };
        self.play.route(&mut self.world, now);
        reply
    }

    /// Lets happen whatever is due up to and including `to`.
    pub fn advance(&mut self, to: Timestamp) {
        self.until(to);
    }

    /// When the next thing happens by itself.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.play.next_due()
    }

    /// Asks a person on our side for a decision, or gives a task.
    pub fn ask(&mut self, ask: Ask, now: Timestamp) -> PersonAnswer {
        let now = self.until(now);
        self.play.ask(&self.world, &mut self.trace, &ask, now)
    }

    /// Gives sign-in back to the affected account with a clean password; for
    /// sequences that never do it themselves.
    pub fn finish_restore(&mut self, now: Timestamp) {
        let now = self.until(now);
        self.play
            .finish_restore(&mut self.world, &mut self.trace, now);
    }

    /// A user (the operator, as a rule) enters a device code and approves it;
    /// false when the code is unknown or too old, or the user is blocked.
    pub fn approve_device_code(&mut self, user_code: &str, user: &str, now: Timestamp) -> bool {
        let now = self.until(now);
        let Some(user) = self.world.user_id(user) else {
            return false;
        };
        let origin = Origin {
            user: Some(user),
            app_id: String::new(),
            ip: self.world.tenant.responder_ip.clone(),
            user_agent: String::from(BROWSER),
            session: None,
            token: None,
            surface: Surface::Entra,
        };
        self.world.approve_device_code(now, user_code, &origin)
    }

    /// The device code is turned down; false when it is unknown.
    pub fn decline_device_code(&mut self, user_code: &str, now: Timestamp) -> bool {
        self.until(now);
        self.world.decline_device_code(user_code)
    }

    /// Takes a permission of the responder's app registration away, or gives it
    /// back, as an administrator of the tenant does; false where nothing changes.
    /// A token that is out keeps what it carries (reference §1.3).
    pub fn set_permission(&mut self, permission: &str, granted: bool) -> bool {
        self.world.set_permission(permission, granted)
    }

    /// Gives a directory role to the responder's app and to the operator, or
    /// takes it away from both, as an administrator of the tenant does; false
    /// where nothing changes or the name is none.
    pub fn set_role(&mut self, role: &str, granted: bool) -> bool {
        self.world.set_role(role, granted)
    }

    /// An administrator of this tenant consents to the app of a partner who
    /// responds in several tenants: the app of another lab's briefing, with its
    /// secret and certificate, gets the rights that the responder's own app has
    /// here. False when it is here already.
    pub fn consent_partner(&mut self, partner: &Briefing, now: Timestamp) -> bool {
        let now = self.until(now);
        let app = PartnerApp {
            tenant: &partner.tenant_id,
            client_id: &partner.client_id,
            secret: &partner.client_secret,
            certificate: &partner.certificate_pem,
        };
        self.world.consent_partner(&app, now)
    }

    /// A certificate is uploaded to the responder's app registration, in DER or
    /// PEM; false when it is none.
    pub fn register_certificate(&mut self, certificate: &[u8]) -> bool {
        self.world.register_certificate(certificate)
    }

    /// Somebody signs in at a browser (the operator, as a rule): the cookie, as
    /// `NAME=VALUE`, with which that browser opens the authorize page; `None`
    /// when there is no such user or the account is blocked.
    pub fn browser_session(&mut self, user: &str, now: Timestamp) -> Option<String> {
        let now = self.until(now);
        let origin = Origin {
            user: Some(self.world.user_id(user)?),
            app_id: known::OFFICE_HOME.to_owned(),
            ip: self.world.tenant.responder_ip.clone(),
            user_agent: String::from(BROWSER),
            session: None,
            token: None,
            surface: Surface::Entra,
        };
        let session = self
            .world
            .sign_in_at_page(now, known::OFFICE_HOME, &origin)?;
        let value = self.world.issue_cookie(now, &session, false)?;
        Some(format!("{COOKIE}={value}"))
    }

    /// A token of the outside issuer that stands for the responder's app, as a
    /// platform puts it into a workload's token file: an hour long.
    pub fn workload_token(&self, now: Timestamp) -> Option<String> {
        let (issuer, subject) = &self.briefing().workload;
        outside_token(issuer, subject, now)
    }

    /// Says how the tenant behaves where the documentation is silent; the names
    /// are in [`crate::unconfirmed::SWITCHES`].
    pub fn set_unconfirmed(&mut self, name: &str, variant: &str) -> Result<(), NoSuchSwitch> {
        self.world.unconfirmed.set(name, variant)
    }

    /// Orders a fault for requests to come.
    pub fn inject(&mut self, fault: Fault) {
        self.world.faults.add(fault);
    }

    /// Takes all ordered faults back.
    pub fn clear_faults(&mut self) {
        self.world.faults = Faults::default();
    }

    /// What happened so far.
    pub fn trace(&self) -> &[TraceLine] {
        self.trace.lines()
    }

    /// The same, one JSON object a line.
    pub fn trace_jsonl(&self) -> String {
        let mut text = String::new();
        for line in self.trace.lines() {
            // A line is strings, numbers and JSON values: it always serialises.
            text.push_str(&serde_json::to_string(line).unwrap_or_default());
            text.push('\n');
        }
        text
    }

    /// The configuration of directory and mailboxes without times, secrets and
    /// generated ids, for comparing runs.
    pub fn final_state(&self) -> serde_json::Value {
        state::canonical(&self.world)
    }

    fn until(&mut self, now: Timestamp) -> Timestamp {
        let now = now.max(self.now);
        self.play.run_due(&mut self.world, &mut self.trace, now);
        self.now = now;
        now
    }

    /// Answers with a fault, and says in the trace which.
    fn faulty(
        &mut self,
        fault: FaultKind,
        peer: &Peer,
        request: &Request<Bytes>,
        now: Timestamp,
    ) -> Reply {
        fault.prepare(&mut self.world, request, now);
        let before = self.world.clone();
        let (mut response, n) = serve(&mut self.world, &mut self.trace, peer, request, now);
        let applied = fault.applies();
        if !applied {
            // The service never saw it, or only pretended.
            self.world = before;
        }
        if fault.answers() {
            fault.spoil(&mut self.world, request, now, &mut response);
        }
        if let Some(line) = self.trace.line_mut(n) {
            line.fault = Some(fault.word());
            if !applied {
                line.effect = None;
                line.shows = Vec::new();
            }
            // What came back does not hold those answers any more.
            if !fault.answers() || line.response_sha256 != Some(digest(response.body())) {
                line.inside = Vec::new();
            }
            if fault.answers() {
                line.status = Some(response.status().as_u16());
                line.response_sha256 = Some(digest(response.body()));
            } else {
                line.status = None;
                line.response_sha256 = None;
            }
        }
        match fault {
            FaultKind::Hang | FaultKind::HangAfterApplying => Reply::Hang,
            FaultKind::Reset | FaultKind::ResetAfterApplying => Reply::Reset,
            _ => Reply::Answer {
                response,
                after: fault.delay(),
            },
        }
    }

    /// What a client gets that followed a redirect out of the services: a
    /// success that is worth nothing. The trace says whether it brought a
    /// token.
    fn elsewhere(&mut self, call: &Call, now: Timestamp) -> Reply {
        let (path, method) = (call.request.uri().path(), call.request.method().as_str());
        let mut line = TraceLine::new(now, Actor::Responder, Service::Elsewhere, method);
        line.round = call.round;
        path.clone_into(&mut line.path);
        line.status = Some(200);
        let token = call.request.headers().contains_key("authorization");
        line.fault = Some(String::from(if token {
            "redirect_away_with_token"
        } else {
            "redirect_away"
        }));
        self.trace.push(line);
        let mut response = Response::new(Bytes::from_static(b"{\"value\":[]}"));
        response.headers_mut().insert(
            http::header::CONTENT_TYPE,
            http::HeaderValue::from_static("application/json"),
        );
        Reply::Answer {
            response,
            after: Duration::ZERO,
        }
    }
}
