//! What the people of the company do all day.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::ways::{PasswordSignIn, Redemption};
use crate::world::known;
use crate::world::{Origin, Resource, Surface, World};

use super::Company;
use super::letters::Letter;

/// A person's own signed-in client.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// Its refresh token.
    pub(crate) refresh: String,
    /// Its session.
    pub(crate) session: String,
    /// The next renewal comes from the phone.
    pub(crate) turns: u64,
    /// Where the browser was last: what the person does there comes from this address,
    /// wherever the session began.
    pub(crate) desk: String,
}

/// The hours in which people work, in UTC.
const WORK_ENDS: i8 = 17;

impl Company {
    /// A person's client does its next thing: it renews its token, or signs in
    /// where it has none.
    pub(crate) fn client_turn(&mut self, world: &mut World, user: &str, now: Timestamp) {
        let chance = self.chance;
        let day = now.as_second().div_euclid(86_400);
        let away = self.enter_away(world, user, now);
        let Some(habits) = self.habits.get(user) else {
            return;
        };
        let at_home = chance
            .draw(user, "home day", day as u64)
            .happens(habits.at_home);
        let desk = match &away {
            Some((address, _)) => address.clone(),
            None if at_home => habits.home.enter(world, 3),
            None => self.office.enter(world, 2),
        };
        let client = habits.client.clone();
        let turns = client.as_ref().map_or(0, |client| client.turns);
        // Every third renewal is the phone's, on its own network.
        let by_phone = turns % 3 == 2;
        let (ip, agent) = if by_phone {
            (
                habits.mobile.enter(world, (turns % 40) + 4),
                habits.phone.clone(),
            )
        } else {
            (desk.clone(), habits.browser.clone())
        };
        if let Some(held) = &client {
            let origin =
                Origin::user(user, known::OUTLOOK_WEB, &ip, &agent).in_session(&held.session);
            let renewed = world.redeem(now, &origin, &Redemption::renewal(&held.refresh));
            if away.is_some_and(|(_, rated)| rated) {
                self.rate_travel(world, user, now, &ip, &agent);
            }
            if let Some(client) = self.habits.get_mut(user).and_then(|h| h.client.as_mut()) {
                client.turns += 1;
                if !by_phone {
                    client.desk.clone_from(&desk);
                }
            }
            let fresh_day = turns % 9 == 0;
            if renewed.is_ok() && !fresh_day {
                return;
            }
        }
        self.own_sign_in(world, user, now, &desk);
    }

    /// The person signs in with the password that they know.
    pub(crate) fn own_sign_in(
        &mut self,
        world: &mut World,
        user: &str,
        now: Timestamp,
        ip: &str,
    ) -> bool {
        let Some(habits) = self.habits.get(user) else {
            return false;
        };
        let factors: Vec<String> = world
            .users
            .get(user)
            .map(|held| {
                // Only what the person registered: the attacker's methods were
                // never in the person's hands.
                held.second_factors()
                    .filter(|method| !self.foreign_methods.contains(&method.id))
                    .map(|method| method.id.clone())
                    .collect()
            })
            .unwrap_or_default();
        let origin = Origin::user(user, known::OUTLOOK_WEB, ip, &habits.browser)
            .through(Surface::OutlookWeb);
        let password = habits.password.clone();
        let device = habits.device.clone().unwrap_or_default();
        let session = world.sign_in(
            now,
            &origin,
            &PasswordSignIn {
                user,
                password: &password,
                factors: &factors,
                resource: Resource::Exchange,
                risk: &[],
                device: &device,
            },
        );
        let Ok(session) = session else { return false };
        let scopes = [
            "Mail.ReadWrite",
            "Mail.Send",
            "MailboxSettings.ReadWrite",
            "User.Read",
        ]
        .map(String::from);
        let Some(refresh) = world.issue_refresh(now, &session, known::OUTLOOK_WEB, &scopes) else {
            return false;
        };
        if let Some(habits) = self.habits.get_mut(user) {
            let turns = habits.client.as_ref().map_or(1, |client| client.turns);
            habits.client = Some(Client {
                refresh,
                session,
                turns,
                desk: ip.to_owned(),
            });
        }
        true
    }

    /// When this person's client does its next thing.
    pub(crate) fn next_turn(&self, user: &str, now: Timestamp, ordinal: u64) -> Timestamp {
        let Some(habits) = self.habits.get(user) else {
            return Timestamp::MAX;
        };
        let wait = habits.every.pick(self.chance.draw(user, "turn", ordinal));
        self.working_moment(add(now, wait), habits.begins, user)
    }

    /// This moment, or the next beginning of work if nobody works then.
    fn working_moment(&self, at: Timestamp, begins: i8, user: &str) -> Timestamp {
        let mut at = at;
        for _ in 0..8 {
            let local = at.to_zoned(TimeZone::UTC);
            let free = matches!(local.weekday(), Weekday::Saturday | Weekday::Sunday);
            if !free && (begins..WORK_ENDS).contains(&local.hour()) {
                return at;
            }
            let early = !free && local.hour() < begins;
            let days = i64::from(!early);
            let midnight = at.as_second() - at.as_second().rem_euclid(86_400) + days * 86_400;
            let late = self
                .chance
                .draw(user, "arrives", midnight.unsigned_abs())
                .below(3_000) as i64;
            at = Timestamp::from_second(midnight + i64::from(begins) * 3_600 + late)
                .unwrap_or(Timestamp::MAX);
        }
        at
    }

    /// When the next mail of the history comes.
    pub(crate) fn next_post(&self, now: Timestamp, ordinal: u64) -> Timestamp {
        let minutes = self.chance.draw("post", "wait", ordinal).between(35, 95);
        self.working_moment(
            add(now, SignedDuration::from_mins(minutes as i64)),
            6,
            "post",
        )
    }

    /// What the next mail of the history is about.
    pub(crate) fn history_letter(&self, ordinal: u64) -> Letter {
        match self.chance.draw("post", "kind", ordinal).below(20) {
            0..=1 => Letter::ThreadReply,
            2..=8 => Letter::Money,
            9..=10 => Letter::Newsletter,
            11..=13 => Letter::Notice,
            14 => Letter::Booking,
            _ => Letter::SmallTalk,
        }
    }

    /// The affected user reads new mail and now and then answers.
    pub(crate) fn own_work(&self, world: &mut World, ordinal: u64, now: Timestamp) {
        let Some(habits) = self.habits.get(&self.affected) else {
            return;
        };
        let Some(client) = &habits.client else { return };
        let enabled = world
            .users
            .get(&self.affected)
            .is_some_and(|user| user.enabled);
        let live = world
            .tokens
            .refresh
            .get(&client.refresh)
            .is_some_and(|token| {
                world.users.get(&self.affected).is_some_and(|user| {
                    world
                        .refresh_cut(user, token.class, token.authenticated, now)
                        .is_none()
                })
            });
        if !enabled || !live {
            return;
        }
        let ip = &client.desk;
        let origin = Origin::user(&self.affected, known::OUTLOOK_WEB, ip, &habits.browser)
            .in_session(&client.session)
            .through(Surface::OutlookWeb);
        let unread: Vec<String> = world
            .mailboxes
            .get(&self.affected)
            .map(|mailbox| {
                let inbox = mailbox.well_known("inbox");
                mailbox
                    .messages
                    .values()
                    .filter(|message| message.folder == inbox && !message.read)
                    .map(|message| message.id.clone())
                    .take(6)
                    .collect()
            })
            .unwrap_or_default();
        world.record_reads(now, &origin, &self.affected, &unread);
        if let Some(mailbox) = world.mailboxes.get_mut(&self.affected) {
            for id in &unread {
                if let Some(message) = mailbox.messages.get_mut(id) {
                    message.read = true;
                }
            }
        }
        if ordinal.is_multiple_of(3) {
            let mail = self.own_letter(world, ordinal, now);
            world.send_mail(now, &origin, &self.affected, mail, true);
        }
    }
}

/// A moment later.
pub(crate) fn add(at: Timestamp, wait: SignedDuration) -> Timestamp {
    at.checked_add(wait).unwrap_or(Timestamp::MAX)
}
