//! What looks like a stranger and is the user: journeys, a VPN, a new phone.

use jiff::{SignedDuration, Timestamp};

use crate::world::directory::Risk;
use crate::world::logs::RiskDetection;
use crate::world::{MethodKind, Origin, Surface, World, known};

use super::life::add;
use super::places::Network;
use super::{Company, before, names, places};

/// Where the affected user's computer is for a while.
#[derive(Clone, Debug)]
pub(crate) struct Journey {
    from: Timestamp,
    until: Timestamp,
    network: Network,
    /// Identity Protection rates its first sign-in, after the fact.
    rated: bool,
}

impl Company {
    /// Some days, weeks before the alert. Whoever travels does so overnight: nobody is at
    /// the desk in the morning and in a hotel an hour later.
    pub(super) fn travelled(&mut self, alert: Timestamp) {
        let days = self.chance.draw("bait", "journey", 0).between(4, 12);
        let from = midnight(before(alert, days));
        let network = self.networks.take("journey", &names::JOURNEYS);
        self.journeys.push(Journey {
            from,
            until: add(from, SignedDuration::from_hours(48)),
            network,
            rated: false,
        });
    }

    /// From a day or two before the alert to some days after it.
    pub(super) fn travels(&mut self, alert: Timestamp) {
        let draw = |purpose: &str| self.chance.draw("bait", purpose, 1);
        let from = midnight(before(alert, draw("travels").between(1, 2)));
        let rated = draw("travel rated").happens(50);
        let network = self.networks.take("journey now", &names::JOURNEYS);
        self.journeys.push(Journey {
            from,
            until: midnight(add(alert, SignedDuration::from_hours(72))),
            network,
            rated,
        });
    }

    /// Whole days now and then, for weeks, and from some hours before the alert on. What
    /// leaves through the VPN comes out of the same network each time.
    pub(super) fn tunnels(&mut self, alert: Timestamp) {
        let network = self.networks.take("vpn", &names::JOURNEYS);
        let rated = self.chance.draw("bait", "vpn rated", 0).happens(50);
        let hours = self.hours("vpn now", 2, 4);
        let begin = alert.checked_sub(hours).unwrap_or(alert);
        let days = [8, 10, 15, 17, 22, 24]
            .map(|days| midnight(before(alert, days)))
            .map(|day| (day, add(day, SignedDuration::from_hours(24)), false));
        let today = (begin, add(alert, SignedDuration::from_hours(5)), rated);
        for (from, until, rated) in days.into_iter().chain([today]) {
            // Asked first: the VPN carries what is sent from a hotel, too.
            let journey = Journey {
                from,
                until,
                network: network.clone(),
                rated,
            };
            self.journeys.insert(0, journey);
        }
    }

    fn hours(&self, purpose: &str, low: i64, high: i64) -> SignedDuration {
        self.chance.draw("bait", purpose, 1).duration(
            SignedDuration::from_hours(low),
            SignedDuration::from_hours(high),
        )
    }

    /// The address that the user's computer shows, and whether Identity Protection
    /// finds it worth a rating: the first time only.
    pub(super) fn enter_away(
        &mut self,
        world: &mut World,
        user: &str,
        now: Timestamp,
    ) -> Option<(String, bool)> {
        if user != self.affected {
            return None;
        }
        let journey = self
            .journeys
            .iter_mut()
            .find(|journey| journey.from <= now && now < journey.until)?;
        let rated = std::mem::take(&mut journey.rated);
        Some((journey.network.enter(world, 11), rated))
    }

    /// Identity Protection's own view of a sign-in, hours later and wrong: too far from
    /// the last one (`unlikelyTravel`, worked out offline; reference §7.1).
    pub(super) fn rate_travel(
        &self,
        world: &mut World,
        user: &str,
        now: Timestamp,
        ip: &str,
        agent: &str,
    ) {
        let id = world.new_id("risk detection");
        let sign_in = world
            .logs
            .sign_ins
            .last()
            .map(|entry| (entry.id.clone(), entry.correlation.clone()))
            .unwrap_or_default();
        let late = self
            .chance
            .draw("bait", "rated after", 0)
            .duration(SignedDuration::from_mins(8), SignedDuration::from_mins(95));
        world.logs.risk.push(RiskDetection {
            id,
            at: now,
            visible_at: add(now, late),
            user: user.to_owned(),
            event: String::from("unlikelyTravel"),
            level: String::from("medium"),
            state: String::from("atRisk"),
            timing: String::from("offline"),
            ip: ip.to_owned(),
            request_id: sign_in.0,
            correlation: sign_in.1,
            user_agent: agent.to_owned(),
        });
        if let Some(user) = world.users.get_mut(user) {
            user.risk = Some(Risk {
                level: String::from("medium"),
                state: String::from("atRisk"),
                detail: String::from("none"),
                updated: now,
            });
        }
    }

    /// When the affected user gets a new phone: in working hours of the day before
    /// the alert.
    pub(super) fn buys_phone(&mut self, alert: Timestamp) {
        let ago = self.hours("new phone", 20, 26);
        self.new_phone = alert.checked_sub(ago).ok();
    }

    /// The new phone is set up: the user signs in at the desk, registers its
    /// authenticator and takes the old one away; mail comes to the new phone.
    pub(crate) fn change_phone(&mut self, world: &mut World, now: Timestamp) {
        let me = self.affected.clone();
        let desk = self.office.enter(world, 2);
        if !self.own_sign_in(world, &me, now, &desk) {
            return;
        }
        let Some(habits) = self.habits.get_mut(&me) else {
            return;
        };
        let draw = |purpose: &str| self.chance.draw("new phone", purpose, 0);
        habits.phone = places::phone_agent(self.chance, "new phone");
        let mut origin =
            Origin::user(&me, known::MY_SIGN_INS, &desk, &habits.browser).through(Surface::Entra);
        origin.session = habits.client.as_ref().map(|client| client.session.clone());
        let old: Vec<String> = world
            .users
            .get(&me)
            .map(|user| {
                user.methods
                    .iter()
                    .filter(|method| matches!(method.kind, MethodKind::Authenticator { .. }))
                    .map(|method| method.id.clone())
                    .collect()
            })
            .unwrap_or_default();
        let id = world.add_method(
            add(now, SignedDuration::from_mins(2)),
            &origin,
            &me,
            MethodKind::Authenticator {
                display_name: draw("model").word(&names::PHONES).to_owned(),
                device_tag: String::from("SoftwareTokenActivated"),
                version: format!("6.{}.{}", draw("app").between(2404, 2410), 7000),
            },
        );
        for old in old {
            world.delete_method(add(now, SignedDuration::from_mins(4)), &origin, &me, &old);
        }
        if let Some(user) = world.users.get_mut(&me) {
            user.default_method = Some(id.clone());
        }
        self.kept.push(super::Kept {
            object: retake_playbook::ObjectRef::new(retake_playbook::ObjectKind::Method, id),
            aliases: Vec::new(),
            why: String::from("the authenticator on the user's own new phone"),
        });
    }
}

/// The beginning of the day, in UTC.
fn midnight(at: Timestamp) -> Timestamp {
    let second = at.as_second();
    Timestamp::from_second(second - second.rem_euclid(86_400)).unwrap_or(at)
}
