//! Where an account belongs: this tenant, another one, an on-premises
//! directory, another sign-in provider, a restricted unit (reference §0.8,
//! §2.1, §3), and what that does to changes of it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::audit::Activity;
use super::directory::{Password, User, UserType};
use super::tokens::{Cut, CutKind};
use super::{Origin, World};

/// What the on-premises directory holds about a synchronised account. It is the
/// master: its values come back at each cycle (reference §2.1).
#[derive(Clone, Debug)]
pub(crate) struct OnPremises {
    /// Whether the account is enabled there.
    pub(crate) enabled: bool,
    /// A password that was set there and not yet synchronised.
    pub(crate) new_password: Option<Password>,
    /// When the last cycle ran.
    pub(crate) last_sync: Timestamp,
    /// `onPremisesSamAccountName`.
    pub(crate) account_name: String,
    /// `onPremisesImmutableId`.
    pub(crate) immutable_id: String,
}

/// An administrative unit.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    /// Object id.
    pub(crate) id: String,
    /// Display name.
    pub(crate) display_name: String,
    /// `isMemberManagementRestricted`.
    pub(crate) restricted: bool,
    /// User ids.
    pub(crate) members: Vec<String>,
}

/// A user in the bin, from which it can be restored for 30 days.
#[derive(Clone, Debug)]
pub(crate) struct DeletedUser {
    /// The account as it was.
    pub(crate) user: User,
    /// When it was deleted.
    pub(crate) at: Timestamp,
}

/// Users that were deleted and can come back, by object id.
pub(crate) type Bin = BTreeMap<String, DeletedUser>;

/// How long a deleted user can be restored.
pub(crate) const RESTORABLE: SignedDuration = SignedDuration::from_hours(30 * 24);

impl World {
    /// The restricted management unit that a user is in, if in one.
    pub(crate) fn restricted_unit(&self, user: &str) -> Option<&Unit> {
        self.units
            .values()
            .find(|unit| unit.restricted && unit.members.iter().any(|member| member == user))
    }

    /// Puts a user into a restricted management unit of their own; its id.
    pub(crate) fn restrict(&mut self, user: &str) -> String {
        let id = self.next(user, "unit").uuid().to_string();
        self.units.insert(
            id.clone(),
            Unit {
                id: id.clone(),
                display_name: String::from("Protected people"),
                restricted: true,
                members: vec![user.to_owned()],
            },
        );
        id
    }

    /// Role templates that count for a change of this target: those of the whole
    /// tenant, or, where the target is in a restricted management unit, those
    /// over that unit alone (reference §0.8).
    pub(crate) fn roles_over(&self, principal: &str, target: &str) -> Vec<&str> {
        let unit = self.restricted_unit(target).map(|unit| unit.id.as_str());
        self.roles
            .iter()
            .filter(|held| held.principal_id == principal && held.unit.as_deref() == unit)
            .map(|held| held.role.as_str())
            .collect()
    }

    /// Whether a user of this name signs in at another provider.
    pub(crate) fn is_federated(&self, user: &User) -> bool {
        let domain = user.upn.rsplit('@').next().unwrap_or_default();
        self.tenant.federated && domain.eq_ignore_ascii_case(&self.tenant.domain)
    }

    /// One cycle of the on-premises synchronisation: what was changed in the
    /// cloud and not there comes undone. Returns whether sign-in was switched.
    pub(crate) fn synchronise(&mut self, now: Timestamp, user: &str) -> Option<bool> {
        let held = self.users.get_mut(user)?;
        let directory = held.on_premises.as_mut()?;
        directory.last_sync = now;
        let (wanted, password) = (directory.enabled, directory.new_password.take());
        let switched = held.enabled != wanted;
        if let Some(password) = password {
            held.password = password;
            held.password_changed = now;
            held.must_change_password = false;
            held.cuts.push(Cut {
                kind: CutKind::AdminReset,
                at: now,
                effective: now,
            });
            self.cae_cut(now, user);
        }
        if switched {
            let by = self.synchroniser();
            self.set_enabled(now, &by, user, wanted);
        }
        switched.then_some(wanted)
    }

    /// Who the logs say does what the synchronisation does: its own account.
    fn synchroniser(&self) -> Origin {
        let own = self
            .users
            .values()
            .find(|user| user.upn.starts_with("Sync_"))
            .map(|user| user.id.clone());
        let mut origin = Origin::user("", "", "", "");
        origin.user = own;
        origin.surface = super::Surface::Portal;
        origin
    }

    /// Gives an account another name. Its old address stays or goes with it.
    pub(crate) fn rename(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        upn: &str,
        keep_address: bool,
    ) {
        let Some(held) = self.users.get_mut(user) else {
            return;
        };
        let old = std::mem::replace(&mut held.upn, upn.to_owned());
        upn.clone_into(&mut held.mail);
        held.proxy_addresses = vec![format!("SMTP:{upn}")];
        if keep_address {
            held.proxy_addresses.push(format!("smtp:{old}"));
        }
        let target = self.user_target(
            user,
            vec![(
                String::from("UserPrincipalName"),
                Some(json!([old]).to_string()),
                Some(json!([upn]).to_string()),
            )],
        );
        self.audit_directory(
            now,
            by,
            &change_of_user("Update user", "Update"),
            vec![target],
        );
    }

    /// Puts an account into the bin: refresh is refused, CAE tokens are cut,
    /// others live to their end (reference §9.3).
    pub(crate) fn delete_user(&mut self, now: Timestamp, by: &Origin, user: &str) {
        self.cae_cut(now, user);
        let target = self.user_target(user, Vec::new());
        let Some(held) = self.users.remove(user) else {
            return;
        };
        self.deleted.insert(
            user.to_owned(),
            DeletedUser {
                user: held,
                at: now,
            },
        );
        self.audit_directory(
            now,
            by,
            &change_of_user("Delete user", "Delete"),
            vec![target],
        );
    }

    /// Takes an account out of the bin, as it was.
    pub(crate) fn restore_user(&mut self, now: Timestamp, by: &Origin, user: &str) -> bool {
        let Some(held) = self.deleted.remove(user) else {
            return false;
        };
        self.users.insert(user.to_owned(), held.user);
        let target = self.user_target(user, Vec::new());
        self.audit_directory(
            now,
            by,
            &change_of_user("Restore user", "Update"),
            vec![target],
        );
        true
    }

    /// The provider where an account signs in (its home tenant, its federation
    /// server) ends its sessions there and sets a new password. Nothing of it
    /// shows here.
    pub(crate) fn provider_resets(&mut self, now: Timestamp, user: &str, text: &str) {
        if let Some(held) = self.users.get_mut(user) {
            held.password = Password::new(user, text);
            held.cuts.push(Cut {
                kind: CutKind::Revoked,
                at: now,
                effective: now,
            });
        }
    }

    /// Whether the account's tokens are its home tenant's to end: revoking here
    /// does nothing to a guest (reference §2.1, §9.2).
    pub(crate) fn belongs_elsewhere(&self, user: &str) -> bool {
        self.users
            .get(user)
            .is_some_and(|user| user.user_type == UserType::Guest)
    }
}

const fn change_of_user<'a>(name: &'a str, operation: &'a str) -> Activity<'a> {
    Activity {
        name,
        category: "UserManagement",
        service: "Core Directory",
        operation,
    }
}
