//! Rights on the mailbox that the attacker gave to accounts in its hands: a guest
//! that it invited, or a colleague whose account it holds as well. They work while
//! the mailbox's own account is blocked.

use jiff::Timestamp;
use retake_playbook::{ArtefactId, ObjectKind};
use serde_json::{Value, json};

use super::{Attacker, Foothold};
use crate::company::{Company, names};
use crate::trace::{Actor, Got, Service, Trace, TraceLine, TraceObject};
use crate::world::rights::Right;
use crate::world::{Address, Mail, Origin, Surface, UserType, World, known};

/// A right that the attacker gave.
#[derive(Clone, Debug)]
struct Given {
    artefact: ArtefactId,
    right: Right,
    /// Whose it is, by object id.
    holder: String,
    /// Its id in the trace.
    object: String,
}

/// What it holds by rights.
#[derive(Clone, Debug, Default)]
pub(super) struct Hands {
    given: Vec<Given>,
    guest: Option<String>,
    /// Mail that was not read through a right yet.
    fresh: Vec<String>,
    sent: u64,
}

impl Hands {
    /// A message arrived in the mailbox.
    pub(super) fn arrived(&mut self, id: &str) {
        self.fresh.push(id.to_owned());
        if self.fresh.len() > 12 {
            self.fresh.remove(0);
        }
    }

    /// The rights that are no longer there.
    pub(super) fn gone(&self, world: &World, user: &str) -> Vec<String> {
        self.given
            .iter()
            .filter(|given| !world.holders(user, given.right).contains(&given.holder))
            .map(|given| given.object.clone())
            .collect()
    }
}

impl Hands {
    /// A colleague whose account it holds: one that it gave a right before.
    pub(super) fn colleague(&self, world: &World) -> Option<String> {
        self.given
            .iter()
            .map(|given| &given.holder)
            .find(|holder| {
                world
                    .users
                    .get(*holder)
                    .is_some_and(|user| user.user_type == UserType::Member)
            })
            .cloned()
    }
}

impl Attacker {
    /// Gives a right on the mailbox to an account in its hands.
    pub(super) fn give_right(
        &mut self,
        world: &mut World,
        company: &Company,
        trace: &mut Trace,
        now: Timestamp,
        right: Right,
    ) {
        if self.live_access(world, now).is_none() {
            return;
        }
        let holder = self.right_holder(world, company, trace, now, right);
        let origin = self.origin(world, Surface::OutlookWeb);
        let victim = self.victim.clone();
        if !world.give_right(now, &origin, &victim, right, &holder) {
            return;
        }
        let artefact = match right {
            Right::FullAccess => ArtefactId::FULL_ACCESS,
            Right::SendAs => ArtefactId::SEND_AS,
            Right::SendOnBehalf => ArtefactId::SEND_ON_BEHALF,
        };
        let object = world.right_object(&victim, right, &holder);
        let mut aliases = vec![world.shown_holder(right, &holder)];
        if let Some(user) = world.users.get(&holder) {
            aliases.extend([user.upn.clone(), user.display_name.clone()]);
        }
        aliases.sort();
        aliases.dedup();
        self.delegated.given.push(Given {
            artefact,
            right,
            holder,
            object: object.clone(),
        });
        let foothold = Foothold {
            artefact,
            object: TraceObject::new(ObjectKind::MailboxRight, object),
            aliases,
        };
        self.plant_line(trace, now, "give_right", foothold, true);
    }

    /// Whom it gives a right: a guest of its own always for sending as the mailbox,
    /// else a guest or a colleague whose account it holds.
    fn right_holder(
        &mut self,
        world: &mut World,
        company: &Company,
        trace: &mut Trace,
        now: Timestamp,
        right: Right,
    ) -> String {
        let draw = self.chance.draw("right", right.as_str(), 0);
        if right != Right::SendAs && draw.happens(40) {
            let held = world.holders(&self.victim, right);
            let free: Vec<&String> = company
                .colleagues
                .iter()
                .skip(5)
                .filter(|id| !held.contains(id))
                .collect();
            let colleague = self
                .chance
                .draw("right", "colleague", 0)
                .choose(&free)
                .copied();
            if let Some(colleague) = colleague {
                return colleague.clone();
            }
        }
        self.own_guest(world, trace, now)
    }

    /// The guest of its own, invited when it is first needed.
    pub(super) fn own_guest(
        &mut self,
        world: &mut World,
        trace: &mut Trace,
        now: Timestamp,
    ) -> String {
        if let Some(guest) = &self.delegated.guest {
            return guest.clone();
        }
        let given = self.chance.draw("guest", "given", 0).word(&names::GIVEN);
        let surname = self
            .chance
            .draw("guest", "surname", 0)
            .word(&names::SURNAMES);
        let address = format!(
            "{}.{}{}@{}.example",
            given.to_lowercase(),
            surname.to_lowercase(),
            self.chance.draw("guest", "number", 0).below(90) + 10,
            self.chance
                .draw("guest", "service", 0)
                .word(&names::MAIL_SERVICES)
        );
        let origin = self.origin(world, Surface::Entra);
        let guest = world.invite_guest(now, &origin, &address, &format!("{given} {surname}"));
        trace.push(
            TraceLine::new(now, Actor::Attacker, Service::Attack, "invite_guest")
                .about(ObjectKind::Account, guest.clone())
                .with_effect(json!({"kind": "created"})),
        );
        self.delegated.guest = Some(guest.clone());
        guest
    }

    /// A15, A16, A17: reads through full access, sends through the others, with the
    /// holder's own sign-in. A look between two rounds sends nothing.
    pub(super) fn try_rights(
        &mut self,
        world: &mut World,
        company: &Company,
        trace: &mut Trace,
        now: Timestamp,
        reaction: bool,
    ) {
        for given in self.delegated.given.clone() {
            let works = world.may_use(&self.victim, given.right, &given.holder);
            let origin = self.origin_of(world, &given.holder);
            let account = world
                .users
                .get(&given.holder)
                .map(|user| user.upn.clone())
                .unwrap_or_default();
            let mut effect = None;
            if works && given.right == Right::FullAccess {
                let fresh = std::mem::take(&mut self.delegated.fresh);
                effect = self.read(world, now, &origin, &fresh, 3);
            } else if works && !reaction {
                effect = Some(self.send_by_right(world, company, now, &origin, given.right));
            }
            if let Some(Value::Object(effect)) = &mut effect {
                effect.insert(String::from("account"), json!(account));
            }
            let word = if given.right == Right::FullAccess {
                "read_by_right"
            } else {
                "send_by_right"
            };
            let got = if works { Got::Data } else { Got::Nothing };
            let mut line = TraceLine::new(now, Actor::Attacker, Service::Attack, word)
                .attempting(given.artefact, got);
            line.effect = effect;
            trace.push(line);
        }
    }

    /// The origin of what it does with another account in its hands.
    pub(super) fn origin_of(&self, world: &mut World, user: &str) -> Origin {
        let own = self.origin(world, Surface::OutlookWeb);
        Origin::user(user, known::OUTLOOK_WEB, &own.ip, &self.kit.browser)
    }

    /// A line in the stolen thread, to a mailbox of its own: a test that the right works.
    fn send_by_right(
        &mut self,
        world: &mut World,
        company: &Company,
        now: Timestamp,
        origin: &Origin,
        right: Right,
    ) -> Value {
        let ordinal = self.delegated.sent;
        self.delegated.sent += 1;
        let draw = |purpose: &str| self.chance.draw("sent by right", purpose, ordinal);
        let [.., drop] = &self.kit.drops;
        let to = Address::new("", drop.clone());
        let mail = Mail {
            internet_message_id: format!(
                "<{}@{}>",
                draw("message id").hex(32),
                world.tenant.domain
            ),
            conversation: company.thread.conversation.clone(),
            subject: format!("RE: {}", company.thread.subject),
            from: Company::address(world, &self.victim),
            to: vec![to.clone()],
            cc: Vec::new(),
            bcc: Vec::new(),
            reply_to: Vec::new(),
            body: format!("About {}: see my last mail.", company.thread.reference),
            has_attachments: false,
            size: draw("size").between(2_000, 9_000) as u32,
            sent: now,
            from_ip: String::new(),
            automatic: false,
        };
        let id = mail.internet_message_id.clone();
        world.send_with_right(now, origin, &self.victim, right, mail);
        json!({"kind": "sent", "messages": [id], "recipients": [to.address]})
    }
}
