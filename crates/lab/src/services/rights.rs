//! Who may do what: permissions of the token and roles of whoever holds it
//! (reference §2.1, §3, §12).

use crate::unconfirmed::ROLE_REMOVAL;
use crate::world::known::role;
use crate::world::{AccessToken, World};

/// Whoever stands behind a bearer token.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) token: AccessToken,
}

/// What is to be done to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Reset the password.
    Reset,
    /// Change a sensitive attribute: enabled, phones, other mails, methods.
    Change,
}

impl Caller {
    /// Whether the token carries one of these permissions.
    pub(crate) fn has(&self, permissions: &[&str]) -> bool {
        let held = if self.token.user.is_some() {
            &self.token.scopes
        } else {
            &self.token.roles
        };
        permissions
            .iter()
            .any(|wanted| held.iter().any(|name| name.eq_ignore_ascii_case(wanted)))
    }

    /// Whether an app acts for itself.
    pub(crate) fn is_app(&self) -> bool {
        self.token.user.is_none()
    }

    /// Whether the signed-in user is this one.
    pub(crate) fn is(&self, user: &str) -> bool {
        self.token.user.as_deref() == Some(user)
    }

    /// Object id of the principal whose roles count: the signed-in user, or
    /// the app's service principal.
    pub(crate) fn principal(&self, world: &World) -> String {
        match &self.token.user {
            Some(user) => user.clone(),
            None => world
                .principal_of_app(&self.token.app_id)
                .map(|principal| principal.id.clone())
                .unwrap_or_default(),
        }
    }

    /// Whether the principal holds one of these roles.
    pub(crate) fn holds(&self, world: &World, roles: &[&str]) -> bool {
        let held = self.directory_roles(world);
        roles
            .iter()
            .any(|wanted| held.iter().any(|held| held == wanted))
    }

    /// Roles that count: those that the principal holds now, or those that the
    /// token was issued with (not confirmed which).
    fn directory_roles(&self, world: &World) -> Vec<String> {
        if world.unconfirmed.variant(&ROLE_REMOVAL) == "next_token" {
            return self.token.directory_roles.clone();
        }
        world
            .roles_of(&self.principal(world))
            .into_iter()
            .map(str::to_owned)
            .collect()
    }

    /// Roles that count for a change of this target: over a member of a restricted
    /// unit only those over that unit do.
    fn roles_over(&self, world: &World, target: &str) -> Vec<String> {
        if world.restricted_unit(target).is_none() {
            return self.directory_roles(world);
        }
        world
            .roles_over(&self.principal(world), target)
            .into_iter()
            .map(str::to_owned)
            .collect()
    }

    /// Whether the roles allow the act on this target: a delegated caller
    /// always needs a role, an app only for a target that is protected, and
    /// for any password (reference §2.1).
    pub(crate) fn outranks(&self, world: &World, target: &str, act: Act) -> bool {
        let rank = Rank::of(world, target);
        let restricted = world.restricted_unit(target).is_some();
        if self.is_app() && act == Act::Change && rank == Rank::Plain && !restricted {
            return true;
        }
        // The least role that an app needs for a password is User
        // Administrator; lesser ones count for people only.
        let allowed = rank.may(act);
        let held = self.roles_over(world, target);
        held.iter().any(|held| {
            let held = &held.as_str();
            allowed.contains(held)
                && !(self.is_app()
                    && act == Act::Reset
                    && [
                        role::PASSWORD_ADMINISTRATOR,
                        role::HELPDESK_ADMINISTRATOR,
                        role::AUTHENTICATION_ADMINISTRATOR,
                    ]
                    .contains(held))
        })
    }
}

/// How protected a target is: the rows of the table in reference §2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// No role, or one that protects nobody.
    Plain,
    /// Readers of reports and messages.
    Reader,
    /// Helpdesk Administrator.
    Helpdesk,
    /// User or Groups Administrator.
    UserAdministrator,
    /// Authentication Administrator.
    Authentication,
    /// Anything above, or a role-assignable group.
    Protected,
}

impl Rank {
    /// The rank of a user.
    pub(crate) fn of(world: &World, user: &str) -> Self {
        let by_role = world.roles_of(user).into_iter().map(|held| match held {
            role::DIRECTORY_READERS | role::GUEST_INVITER | role::PASSWORD_ADMINISTRATOR => {
                Self::Plain
            }
            role::MESSAGE_CENTER_READER | role::REPORTS_READER => Self::Reader,
            role::HELPDESK_ADMINISTRATOR => Self::Helpdesk,
            role::USER_ADMINISTRATOR | role::GROUPS_ADMINISTRATOR => Self::UserAdministrator,
            role::AUTHENTICATION_ADMINISTRATOR => Self::Authentication,
            _ => Self::Protected,
        });
        let by_group = world.groups.values().filter_map(|group| {
            let inside = group
                .members
                .iter()
                .chain(&group.owners)
                .any(|id| id == user);
            (group.assignable_to_role && inside).then_some(Self::Protected)
        });
        by_role.chain(by_group).max().unwrap_or(Self::Plain)
    }

    /// Roles that may do this to a user of the rank.
    fn may(self, act: Act) -> &'static [&'static str] {
        use role::{
            AUTHENTICATION_ADMINISTRATOR as AUTH, GLOBAL_ADMINISTRATOR as GLOBAL,
            HELPDESK_ADMINISTRATOR as HELP, PASSWORD_ADMINISTRATOR as PASS,
            PRIVILEGED_AUTHENTICATION_ADMINISTRATOR as PRIV, USER_ADMINISTRATOR as USER,
        };
        match (self, act) {
            (Self::Plain, Act::Reset) => &[PASS, HELP, AUTH, USER, PRIV, GLOBAL],
            (Self::Reader, Act::Reset) => &[HELP, AUTH, USER, PRIV, GLOBAL],
            (Self::Plain | Self::Reader, Act::Change) => &[AUTH, USER, PRIV, GLOBAL],
            (Self::Helpdesk, Act::Reset) => &[HELP, USER, PRIV, GLOBAL],
            (Self::Helpdesk, Act::Change) | (Self::UserAdministrator, _) => &[USER, PRIV, GLOBAL],
            (Self::Authentication, _) => &[AUTH, PRIV, GLOBAL],
            (Self::Protected, _) => &[PRIV, GLOBAL],
        }
    }
}
