//! Who a bearer token speaks for, and whether it still does (reference §9.3).

use jiff::Timestamp;

use super::tokens::{AccessToken, Class, Cut, CutKind, Resource};
use super::{User, World};
use crate::unconfirmed::RESET_ROW;

/// Which scopes somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All that is granted (`.default`).
    Everything,
    /// These; one that is not granted refuses all.
    Exactly(Vec<String>),
    /// What is left of these.
    StillGranted(Vec<String>),
}

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
    pub(crate) fn refresh_cut<'u>(
        &self,
        user: &'u User,
        class: Class,
        authenticated: Timestamp,
        now: Timestamp,
    ) -> Option<&'u Cut> {
        let graph_as_portal = self.unconfirmed.variant(&RESET_ROW) == "entra_admin_centre";
        user.cuts.iter().find(|cut| {
            let kind = match cut.kind {
                // Which row a PATCH follows is not confirmed.
                CutKind::AdminReset if graph_as_portal => CutKind::AdminCentreReset,
                kind => kind,
            };
            kind.ends_refresh(class) && authenticated < cut.at && cut.effective <= now
        })
    }

    /// The same for a browser cookie.
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

    /// Application permissions that an app holds on a resource now.
    pub(crate) fn app_roles(&self, app_id: &str, resource: Resource) -> Vec<String> {
        self.registrations
            .get(&app_id.to_lowercase())
            .map(|registration| {
                registration
                    .app_roles
                    .iter()
                    .filter(|(held, _)| held == resource.app_id())
                    .map(|(_, role)| role.clone())
                    .collect()
            })
            .unwrap_or_default()
    }

    /// The scopes that an app gets for a user, or `None` when consent is
    /// missing. Microsoft's own apps hold their consent beforehand.
    pub(crate) fn allowed_scopes(
        &self,
        app_id: &str,
        user: &str,
        resource: Resource,
        wanted: &Wanted,
    ) -> Option<Vec<String>> {
        let own = self
            .principal_of_app(app_id)
            .is_some_and(|principal| principal.owner_tenant == super::known::MICROSOFT_TENANT);
        let granted: Vec<String> = self
            .granted_scopes(app_id, user, resource.app_id())
            .into_iter()
            .filter(|scope| {
                !["openid", "profile", "email", "offline_access"].contains(&scope.as_str())
            })
            .collect();
        let holds =
            |scope: &String| own || granted.iter().any(|held| held.eq_ignore_ascii_case(scope));
        match wanted {
            Wanted::Everything if own => Some(
                [
                    "Mail.ReadWrite",
                    "Mail.Send",
                    "MailboxSettings.ReadWrite",
                    "User.Read",
                ]
                .map(str::to_owned)
                .to_vec(),
            ),
            Wanted::Everything => (!granted.is_empty()).then_some(granted),
            Wanted::Exactly(scopes) => scopes.iter().all(holds).then(|| scopes.clone()),
            Wanted::StillGranted(scopes) => {
                let left: Vec<String> = scopes
                    .iter()
                    .filter(|scope| holds(scope))
                    .cloned()
                    .collect();
                (!left.is_empty()).then_some(left)
            }
        }
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
