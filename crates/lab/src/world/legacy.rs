//! What goes around modern sign-in: app passwords and SMTP AUTH (reference §0.9,
//! §2.2, §6.2), and the primary refresh token of a device (§4, §9.1, §9.3).

use jiff::{SignedDuration, Timestamp};

use super::audit::Activity;
use super::directory::{Password, User};
use super::tokens::{Class, CutKind, Resource};
use crate::unconfirmed::DEVICE_AFTER_REVOKE;

use super::{MethodKind, Origin, SignInKind, World};

/// A password for old programs, of which the directory keeps no text. A reset of
/// the account's own password leaves it alone.
#[derive(Clone, Debug)]
pub(crate) struct AppPassword {
    pub(crate) password: Password,
}

/// Protocols that take a name and a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Legacy {
    /// Handing mail in with SMTP AUTH: the one that is left.
    SmtpAuth,
    /// IMAP with a password.
    Imap,
    /// POP with a password.
    Pop,
    /// Exchange Web Services with a password.
    Ews,
    /// `ActiveSync` with a password.
    ActiveSync,
    /// Outlook's own protocol with a password.
    Mapi,
}

impl Legacy {
    /// `clientAppUsed` of the sign-in log.
    const fn words(self) -> &'static str {
        match self {
            Self::SmtpAuth => "Authenticated SMTP",
            Self::Imap => "IMAP4",
            Self::Pop => "POP3",
            Self::Ews => "Exchange Web Services",
            Self::ActiveSync => "Exchange ActiveSync",
            Self::Mapi => "MAPI Over HTTP",
        }
    }
}

/// A registered device with the token that it got when it was registered.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    /// Object id, which is not [`Device::identifier`].
    pub(crate) id: String,
    /// `deviceId`.
    pub(crate) identifier: String,
    pub(crate) display_name: String,
    /// `operatingSystem`.
    pub(crate) system: &'static str,
    /// Who registered it.
    pub(crate) owner: String,
    pub(crate) enabled: bool,
    pub(crate) registered: Timestamp,
    /// How its owner proved who they are: a reset ends what a password got.
    pub(crate) class: Class,
    /// When the token was last used: it is idle for 14 days at most.
    pub(crate) last_used: Timestamp,
}

/// A device that is about to be registered.
#[derive(Clone, Debug)]
pub(crate) struct NewDevice {
    pub(crate) name: String,
    pub(crate) system: &'static str,
    /// How its owner proves who they are.
    pub(crate) class: Class,
}

/// How long the token of a device may lie idle.
const IDLE: SignedDuration = SignedDuration::from_hours(14 * 24);

impl World {
    /// The user makes a password for an old program; its making is audited, and
    /// no interface lists it.
    pub(crate) fn make_app_password(&mut self, now: Timestamp, by: &Origin, user: &str) -> String {
        let text = self
            .next(user, "app password")
            .text(b"abcdefghijklmnopqrstuvwxyz", 16);
        if let Some(held) = self.users.get_mut(user) {
            held.app_passwords.push(AppPassword {
                password: Password::new(user, &text),
            });
        }
        self.app_password_audit(now, by, user, "Create application password for user");
        text
    }

    /// An administrator deletes all of a user's by hand, on the per-user page.
    pub(crate) fn delete_app_passwords(&mut self, now: Timestamp, by: &Origin, user: &str) {
        if let Some(held) = self.users.get_mut(user) {
            held.app_passwords.clear();
        }
        self.app_password_audit(now, by, user, "Delete application password for user");
    }

    fn app_password_audit(&mut self, now: Timestamp, by: &Origin, user: &str, name: &str) {
        let target = self.user_target(user, Vec::new());
        self.audit_directory(
            now,
            by,
            &Activity {
                name,
                category: "UserManagement",
                service: "Core Directory",
                operation: "Update",
            },
            vec![target],
        );
    }

    /// Signs in with a name and a password. Basic authentication is gone for
    /// everything but SMTP AUTH; there an app password does, and the account's own
    /// where no second factor is registered.
    pub(crate) fn legacy_sign_in(
        &mut self,
        now: Timestamp,
        origin: &Origin,
        protocol: Legacy,
        user: &str,
        password: &str,
    ) -> bool {
        let Some(held) = self.users.get(user) else {
            return false;
        };
        let own = held.password.matches(user, password) && held.second_factors().next().is_none();
        let app = held
            .app_passwords
            .iter()
            .any(|app| app.password.matches(user, password));
        let open = self.mailboxes.get(user).is_some_and(|mailbox| {
            !mailbox
                .smtp_auth_disabled
                .unwrap_or(self.tenant.smtp_auth_disabled)
        });
        let error = if !held.password.matches(user, password) && !app {
            50_126
        } else if !held.enabled {
            50_057
        } else if protocol != Legacy::SmtpAuth {
            53_003
        } else if !own && !app {
            50_076
        } else {
            0
        };
        let mut entry =
            self.sign_in_entry(now, SignInKind::Interactive, origin, Resource::Exchange);
        protocol.words().clone_into(&mut entry.client_app);
        entry.error = error;
        self.record_sign_in(entry);
        error == 0 && open
    }

    /// Registers a device for a user; it gets a primary refresh token.
    pub(crate) fn register_device(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        class: Class,
    ) -> String {
        let name = format!(
            "DESKTOP-{}",
            self.next(user, "device name").hex(6).to_uppercase()
        );
        let device = NewDevice {
            name,
            system: "Windows",
            class,
        };
        self.register_device_as(now, by, user, device)
    }

    /// The same with a name and a system.
    pub(crate) fn register_device_as(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        device: NewDevice,
    ) -> String {
        let NewDevice {
            name,
            system,
            class,
        } = device;
        let id = self.next(user, "device").uuid().to_string();
        let identifier = self.next(user, "device id").uuid().to_string();
        self.devices.insert(
            id.clone(),
            Device {
                id: id.clone(),
                identifier: identifier.clone(),
                display_name: name.clone(),
                system,
                owner: user.to_owned(),
                enabled: true,
                registered: now,
                class,
                last_used: now,
            },
        );
        if class == Class::NonPassword {
            self.add_method(
                now,
                by,
                user,
                MethodKind::WindowsHello {
                    display_name: name.clone(),
                },
            );
        }
        let device = super::logs::Target {
            id: id.clone(),
            kind: String::from("Device"),
            name,
            upn: None,
            modified: Vec::new(),
        };
        let owner = self.user_target(user, Vec::new());
        let entry = self.audit_directory(
            now,
            by,
            &Activity {
                name: "Register device",
                category: "Device",
                service: "Device Registration Service",
                operation: "Add",
            },
            vec![device, owner],
        );
        if let Some(entry) = self.logs.directory.get_mut(entry) {
            entry.details.push((String::from("Device Id"), identifier));
            entry
                .details
                .push((String::from("Device OS"), system.to_owned()));
        }
        id
    }

    /// Whether the token of a device still gets others. It ends with the device,
    /// the account, a revocation, and with a reset where a password got it; the
    /// one that Windows Hello got lives on (reference §9.3).
    pub(crate) fn device_token_lives(&mut self, now: Timestamp, device: &str) -> bool {
        let Some(held) = self.devices.get(device) else {
            return false;
        };
        let spared = self.unconfirmed.variant(&DEVICE_AFTER_REVOKE) == "lives";
        let survives = |user: &User| {
            let cut = self.refresh_cut(user, held.class, held.registered, now);
            user.enabled && cut.is_none_or(|cut| spared && cut.kind == CutKind::Revoked)
        };
        let lives = held.enabled
            && now.duration_since(held.last_used) < IDLE
            && self.users.get(&held.owner).is_some_and(survives);
        if lives && let Some(held) = self.devices.get_mut(device) {
            held.last_used = now;
        }
        lives
    }

    /// Enables or disables a device.
    pub(crate) fn set_device_enabled(
        &mut self,
        now: Timestamp,
        by: &Origin,
        device: &str,
        on: bool,
    ) {
        let Some(held) = self.devices.get_mut(device) else {
            return;
        };
        let old = std::mem::replace(&mut held.enabled, on);
        let target = super::logs::Target {
            id: device.to_owned(),
            kind: String::from("Device"),
            name: held.display_name.clone(),
            upn: None,
            modified: vec![(
                String::from("AccountEnabled"),
                Some(format!("[{old}]")),
                Some(format!("[{on}]")),
            )],
        };
        self.audit_directory(
            now,
            by,
            &Activity {
                name: "Update device",
                category: "Device",
                service: "Core Directory",
                operation: "Update",
            },
            vec![target],
        );
    }
}
