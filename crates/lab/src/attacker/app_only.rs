//! An app with rights of its own (A22): it needs no user any more.

use jiff::Timestamp;
use retake_playbook::{ArtefactId, ObjectKind};

use crate::company::Company;
use crate::trace::{Got, Trace, TraceObject};
use crate::world::{AppRegistration, Origin, ServicePrincipal, Surface, World};

use super::identity::own_hand;
use super::tick::attempt;
use super::{Attacker, Foothold};

/// The attacker's app.
#[derive(Clone, Debug)]
pub(super) struct OwnApp {
    client_id: String,
    pub(super) principal: String,
    /// A token that lives on when the app gets no more.
    token: Option<String>,
}

impl Attacker {
    /// An administrator, who is the affected user, consents in a session of their own
    /// to application permissions for an app of the attacker's (A22).
    pub(super) fn phish_app_consent(
        &mut self,
        world: &mut World,
        company: &Company,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        let Some(by) = own_hand(world, company, &self.victim) else {
            return;
        };
        let by = by.through(Surface::Entra);
        self.app_only(world, trace, now, &by, "phish_app_consent");
    }

    /// The same with a session that it stole.
    pub(super) fn consent_app_only(
        &mut self,
        world: &mut World,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        if self.live_access(world, now).is_none() {
            return;
        }
        let by = self.origin(world, Surface::Entra);
        self.app_only(world, trace, now, &by, "consent_app_only");
    }

    fn app_only(
        &mut self,
        world: &mut World,
        trace: &mut Trace,
        now: Timestamp,
        by: &Origin,
        word: &str,
    ) {
        let chance = self.chance;
        let draw = |purpose: &str| chance.draw("app-only", purpose, 0);
        let client_id = draw("client id").uuid().to_string();
        let principal = draw("principal").uuid().to_string();
        let name = format!(
            "{}{}{}",
            draw("first").word(&crate::company::names::APP_FIRST),
            draw("gap").word(&["", " ", "-"]),
            draw("second").word(&crate::company::names::APP_SECOND)
        );
        let mut app = ServicePrincipal::new(
            &principal,
            &client_id,
            &name,
            &draw("owner").uuid().to_string(),
            now,
        );
        app.verified_publisher = draw("verified").happens(25).then(|| format!("{name} Ltd"));
        world.service_principals.insert(principal.clone(), app);
        world.registrations.insert(
            client_id.clone(),
            AppRegistration {
                app_id: client_id.clone(),
                secret: Some(AppRegistration::digest(&draw("secret").hex(40))),
                ..AppRegistration::default()
            },
        );
        world.app_added(now, by, &principal);
        let roles: &[&str] = match draw("roles").below(3) {
            0 => &["Mail.ReadWrite", "Mail.Send"],
            1 => &["Mail.Read", "Mail.Send", "User.Read.All"],
            _ => &["Mail.ReadWrite", "Mail.Send", "Files.Read.All"],
        };
        world.consent_app_roles(now, by, &principal, roles);
        self.own_app = Some(OwnApp {
            client_id: client_id.clone(),
            principal: principal.clone(),
            token: None,
        });
        let foothold = Foothold {
            artefact: ArtefactId::MALICIOUS_APP,
            object: TraceObject::new(ObjectKind::ServicePrincipal, principal),
            aliases: vec![client_id],
        };
        self.plant_line(trace, now, word, foothold, true);
    }

    /// The app as whoever acts, with a token that it gets or still has.
    pub(super) fn own_app_hand(&mut self, world: &mut World, now: Timestamp) -> Option<Origin> {
        let mut app = self.own_app.clone()?;
        let ip = self.kit.app_host.enter(world, 23);
        let mut origin = Origin {
            user: None,
            app_id: app.client_id.clone(),
            ip,
            user_agent: self.kit.tool.clone(),
            session: None,
            token: None,
            surface: Surface::Graph,
        };
        if let Ok(access) = world.app_only_token(now, &origin) {
            app.token = Some(access.token);
        }
        let access = app
            .token
            .as_ref()
            .and_then(|token| world.bearer(token, now).ok())
            .map(|access| access.unique_id.clone());
        self.own_app = Some(app);
        origin.token = Some(access?);
        Some(origin)
    }

    /// A22: reads the user's new mail as the app.
    pub(super) fn try_own_app(&mut self, world: &mut World, trace: &mut Trace, now: Timestamp) {
        if self.own_app.is_none() {
            return;
        }
        let (got, effect) = match self.own_app_hand(world, now) {
            Some(origin) => {
                let fresh = std::mem::take(&mut self.fresh_own_app);
                (Some(Got::Data), self.read(world, now, &origin, &fresh, 2))
            }
            None => (None, None),
        };
        attempt(
            trace,
            now,
            "use_app",
            ArtefactId::MALICIOUS_APP,
            got,
            effect,
        );
    }

    /// Reads mail of somebody else too: the app's rights know no owner.
    pub(super) fn reach_further(
        world: &mut World,
        company: &Company,
        trace: &mut Trace,
        now: Timestamp,
        origin: &Origin,
    ) {
        let other = company.treasurer();
        let Some(mailbox) = world.mailboxes.get(&other) else {
            return;
        };
        let mut newest: Vec<(Timestamp, String, String)> = mailbox
            .messages
            .values()
            .map(|held| {
                (
                    held.received,
                    held.id.clone(),
                    held.internet_message_id.clone(),
                )
            })
            .collect();
        newest.sort();
        let (ids, messages): (Vec<String>, Vec<String>) = newest
            .into_iter()
            .rev()
            .take(2)
            .map(|(_, id, message)| (id, message))
            .unzip();
        if ids.is_empty() {
            return;
        }
        let upn = world
            .users
            .get(&other)
            .map(|user| user.upn.clone())
            .unwrap_or_default();
        world.record_reads(now, origin, &other, &ids);
        trace.push(
            crate::trace::TraceLine::new(
                now,
                crate::trace::Actor::Attacker,
                crate::trace::Service::Attack,
                "read_other_mailbox",
            )
            .about(ObjectKind::Mailbox, other)
            .with_effect(serde_json::json!({
                "kind": "read", "messages": messages, "account": upn,
            })),
        );
    }
}
