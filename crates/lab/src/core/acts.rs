//! What people and programs do around the tenant's interfaces, for whoever
//! rehearses it: app passwords, SMTP AUTH, devices, desktop Outlook. No request
//! of a responder does any of this.

use jiff::Timestamp;

use super::Lab;
use crate::world::known;
use crate::world::legacy::Legacy;
use crate::world::tokens::Class;
use crate::world::{MethodKind, Origin, Surface};

/// One thing that somebody does; accounts by user principal name or object id.
#[derive(Clone, Copy, Debug)]
pub enum Act<'a> {
    /// The user makes a password for an old program.
    MakeAppPassword {
        /// Whose.
        user: &'a str,
    },
    /// An administrator deletes all of a user's app passwords, by hand.
    DeleteAppPasswords {
        /// Whose.
        user: &'a str,
    },
    /// A program signs in with a name and a password.
    LegacySignIn {
        /// How.
        protocol: Legacy,
        /// As whom.
        user: &'a str,
        /// With what.
        password: &'a str,
    },
    /// The user registers a device.
    RegisterDevice {
        /// Whose.
        user: &'a str,
        /// Signed in by Windows Hello instead of a password.
        hello: bool,
    },
    /// An administrator puts the user into a restricted management unit.
    Restrict {
        /// Whom.
        user: &'a str,
    },
    /// The user makes a rule that only desktop Outlook runs.
    MakeClientSideRule {
        /// Whose.
        user: &'a str,
        /// Its name.
        name: &'a str,
    },
    /// An administrator assigns a hardware token to the user.
    AssignToken {
        /// Whose.
        user: &'a str,
        /// Its serial number.
        serial: &'a str,
    },
    /// A device asks for a token with its primary refresh token.
    UseDevice {
        /// Its object id.
        device: &'a str,
    },
    /// Desktop Outlook downloads the inbox.
    SyncInbox {
        /// Whose.
        user: &'a str,
    },
    /// Somebody opens the newest message of the inbox, each time in a session of
    /// its own.
    ReadInSession {
        /// Whose.
        user: &'a str,
        /// The session.
        session: &'a str,
    },
}

/// What came of an act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acted {
    /// It worked; with what it made.
    Done(String),
    /// It was refused.
    Refused,
}

impl Lab {
    /// Lets somebody do something at `now`.
    pub fn act(&mut self, act: Act<'_>, now: Timestamp) -> Acted {
        let now = self.until(now);
        let world = &mut self.world;
        let who = |world: &crate::world::World, key: &str| world.user_id(key).unwrap_or_default();
        let origin = |user: &str, surface| {
            Origin::user(user, known::OFFICE_DESKTOP, "192.0.2.77", "Old program/1.0")
                .through(surface)
        };
        let worked = |worked: bool| {
            if worked {
                Acted::Done(String::new())
            } else {
                Acted::Refused
            }
        };
        match act {
            Act::MakeAppPassword { user } => {
                let user = who(world, user);
                Acted::Done(world.make_app_password(now, &origin(&user, Surface::Entra), &user))
            }
            Act::DeleteAppPasswords { user } => {
                let user = who(world, user);
                let mut by = origin(&user, Surface::Portal);
                by.user = None;
                world.delete_app_passwords(now, &by, &user);
                Acted::Done(String::new())
            }
            Act::LegacySignIn {
                protocol,
                user,
                password,
            } => {
                let user = who(world, user);
                let by = origin(&user, Surface::OutlookDesktop);
                worked(world.legacy_sign_in(now, &by, protocol, &user, password))
            }
            Act::RegisterDevice { user, hello } => {
                let user = who(world, user);
                let class = if hello {
                    Class::NonPassword
                } else {
                    Class::Password
                };
                Acted::Done(world.register_device(
                    now,
                    &origin(&user, Surface::Entra),
                    &user,
                    class,
                ))
            }
            Act::Restrict { user } => {
                let user = who(world, user);
                Acted::Done(world.restrict(&user))
            }
            Act::MakeClientSideRule { user, name } => {
                let user = who(world, user);
                worked(world.make_client_side_rule(&user, name))
            }
            Act::AssignToken { user, serial } => {
                let user = who(world, user);
                let mut by = origin(&user, Surface::Portal);
                by.user = None;
                let serial = serial.to_owned();
                Acted::Done(world.add_method(now, &by, &user, MethodKind::HardwareOath { serial }))
            }
            Act::UseDevice { device } => worked(world.device_token_lives(now, device)),
            Act::SyncInbox { user } => {
                let user = who(world, user);
                let Some(inbox) = world.mailboxes.get(&user).map(|m| m.well_known("inbox")) else {
                    return Acted::Refused;
                };
                world.record_sync(now, &origin(&user, Surface::OutlookDesktop), &user, &inbox);
                Acted::Done(String::new())
            }
            Act::ReadInSession { user, session } => {
                let user = who(world, user);
                let newest = world.mailboxes.get(&user).and_then(|mailbox| {
                    let inbox = mailbox.well_known("inbox");
                    mailbox
                        .messages
                        .values()
                        .filter(|message| message.folder == inbox)
                        .max_by_key(|message| (message.received, message.id.clone()))
                        .map(|message| message.id.clone())
                });
                let Some(newest) = newest else {
                    return Acted::Refused;
                };
                let by = origin(&user, Surface::OutlookWeb).in_session(session);
                world.record_reads(now, &by, &user, std::slice::from_ref(&newest));
                Acted::Done(newest)
            }
        }
    }
}
