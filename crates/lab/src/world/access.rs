//! Who a bearer token speaks for, and whether it still does (reference §9.3).

use jiff::Timestamp;

use super::tokens::{AccessToken, Class, Cut};
use super::{RoleAssignment, User, World};

/// Why a bearer token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Never issued by this tenant.
    Unknown,
    /// Past its time.
    Expired,
    /// Continuous access evaluation cut it; the moment of the event.
    Cut(Timestamp),
}

impl World {
    /// The token behind this text, if it is still good at `now`.
    ///
    /// A token without CAE lives to its expiry whatever happens to the user;
    /// one with CAE is refused once a cut has taken effect. App-only tokens are
    /// touched by nothing that is done to a user.
    pub(crate) fn bearer(&self, token: &str, now: Timestamp) -> Result<&AccessToken, Refusal> {
        let access = self.tokens.access.get(token).ok_or(Refusal::Unknown)?;
        if access.expires <= now {
            return Err(Refusal::Expired);
        }
        if let Some(at) = access.challenged {
            return Err(Refusal::Cut(at));
        }
        if access.cae {
            if let Some(user) = access.user.as_deref().and_then(|user| self.users.get(user)) {
                let cut = user
                    .cae_cuts
                    .iter()
                    .find(|cut| access.issued < cut.at && cut.effective <= now);
                if let Some(cut) = cut {
                    return Err(Refusal::Cut(cut.at));
                }
            } else {
                let disabled = self
                    .principal_of_app(&access.app_id)
                    .is_some_and(|principal| !principal.enabled);
                if disabled {
                    return Err(Refusal::Cut(now));
                }
            }
        }
        Ok(access)
    }

    /// The event that ended a refresh token of this class and authentication
    /// time, if one has taken effect.
    pub(crate) fn refresh_cut(
        user: &User,
        class: Class,
        authenticated: Timestamp,
        now: Timestamp,
    ) -> Option<&Cut> {
        user.cuts.iter().find(|cut| {
            cut.kind.ends_refresh(class) && authenticated < cut.at && cut.effective <= now
        })
    }

    /// The same for a browser cookie.
    #[allow(
        dead_code,
        reason = "browser cookies are kept; nobody signs in with one yet"
    )]
    pub(crate) fn cookie_cut(
        user: &User,
        class: Class,
        authenticated: Timestamp,
        now: Timestamp,
    ) -> Option<&Cut> {
        user.cuts.iter().find(|cut| {
            cut.kind.ends_cookie(class) && authenticated < cut.at && cut.effective <= now
        })
    }

    /// Takes an application permission of the responder's app away, or gives
    /// it back; false where nothing changes. Tokens that are out keep what they
    /// carry.
    pub(crate) fn set_permission(&mut self, permission: &str, granted: bool) -> bool {
        let resource = match permission {
            name if name.starts_with("Exchange.") => super::known::EXCHANGE,
            name if name.starts_with("ActivityFeed.") => super::known::MANAGEMENT,
            _ => super::known::GRAPH,
        };
        let app = self.tenant.responder_app.to_lowercase();
        let Some(registration) = self.registrations.get_mut(&app) else {
            return false;
        };
        let before = registration.app_roles.len();
        if !granted {
            registration
                .app_roles
                .retain(|(_, held)| !held.eq_ignore_ascii_case(permission));
        } else if !registration
            .app_roles
            .iter()
            .any(|(_, held)| held.eq_ignore_ascii_case(permission))
        {
            registration
                .app_roles
                .push((resource.to_owned(), permission.to_owned()));
        }
        registration.app_roles.len() != before
    }

    /// Takes a directory role of the responder's app away, or gives it back; false
    /// where nothing changes. Roles are looked at when a call comes, not when a token
    /// was made.
    pub(crate) fn set_role(&mut self, template: &str, granted: bool) -> bool {
        let Some(principal) = self
            .principal_of_app(&self.tenant.responder_app)
            .map(|principal| principal.id.clone())
        else {
            return false;
        };
        let is = |held: &RoleAssignment| held.principal_id == principal && held.role == template;
        let held = self.roles.iter().any(is);
        if granted && !held {
            let id = self.new_id("role assignment");
            self.roles.push(RoleAssignment {
                id,
                principal_id: principal.clone(),
                role: template.to_owned(),
            });
        } else if !granted {
            self.roles.retain(|held| !is(held));
        }
        held != granted
    }

    /// Delegated scopes that a user's app holds now on a resource: the user's
    /// own grants and those for everyone. Microsoft's own apps need none.
    pub(crate) fn granted_scopes(&self, app_id: &str, user: &str, resource: &str) -> Vec<String> {
        let Some(client) = self.principal_of_app(app_id) else {
            return Vec::new();
        };
        let resource = self.principal_of_app(resource).map(|p| p.id.as_str());
        let mut scopes: Vec<String> = self
            .grants
            .values()
            .filter(|grant| {
                grant.client_id == client.id
                    && Some(grant.resource_id.as_str()) == resource
                    && grant.principal_id.as_deref().is_none_or(|id| id == user)
            })
            .flat_map(|grant| grant.scopes.iter().cloned())
            .collect();
        scopes.sort();
        scopes.dedup();
        scopes
    }
}
