//! The ways into an account that need no request of the responder's: signing
//! in, renewing, self-service reset. Own clients and the attacker use the same.

use jiff::{SignedDuration, Timestamp};

use crate::unconfirmed::LOST_CONSENT;
use crate::world::access::Wanted;
use crate::world::issue::AccessWish;
use crate::world::tokens::{Class, CutKind};
use crate::world::{
    AccessToken, MethodKind, Origin, RefreshToken, Resource, SignInKind, World, known,
};

/// An attempt to sign in with a password.
#[derive(Clone, Debug)]
pub(crate) struct PasswordSignIn<'a> {
    /// Whose account, by object id.
    pub(crate) user: &'a str,
    /// The password that is typed.
    pub(crate) password: &'a str,
    /// Methods in hand, by id; the first registered one is used.
    pub(crate) factors: &'a [String],
    /// What is signed in to.
    pub(crate) resource: Resource,
    /// Risk events that Identity Protection sees in it.
    pub(crate) risk: &'a [&'static str],
    /// The device's id, if it is registered.
    pub(crate) device: &'a str,
}

/// What a refresh token is to be redeemed for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Redemption<'a> {
    /// The token.
    pub(crate) refresh: &'a str,
    /// The client that asks; `None` for one that is played and is the token's
    /// own.
    pub(crate) client: Option<Client<'a>>,
    /// What for: a refresh token is not bound to a resource.
    pub(crate) resource: Resource,
    /// Which scopes; `None` for what is left of the token's own.
    pub(crate) wanted: Option<&'a Wanted>,
    /// The client understands claims challenges.
    pub(crate) cae: bool,
}

impl<'a> Redemption<'a> {
    /// The token's own client renews what it has, for Graph.
    pub(crate) const fn renewal(refresh: &'a str) -> Self {
        Self {
            refresh,
            client: None,
            resource: Resource::Graph,
            wanted: None,
            cae: false,
        }
    }
}

/// A client at the token endpoint.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client<'a> {
    /// Its id.
    pub(crate) id: &'a str,
    /// It has proven itself with a credential.
    pub(crate) proven: bool,
}

/// The reason texts of sign-in logs (reference §1.3).
pub(crate) fn reason(error: u32) -> &'static str {
    match error {
        50_034 => "The user account does not exist in the directory.",
        50_055 => "The password is expired.",
        50_057 => "User account is disabled.",
        50_074 => "Strong Authentication is required.",
        50_126 => "Error validating credentials due to invalid username or password.",
        50_132 | 50_133 => "Session is invalid due to expiration or recent password change.",
        135_011 => "Device used during the authentication is disabled.",
        700_003 => "Device object was not found in the tenant directory.",
        50_173 => "The provided grant has expired due to it being revoked.",
        65_001 => "The user or administrator has not consented to use the application.",
        7_000_112 => "Application is disabled.",
        0 => "",
        _ => "Other.",
    }
}

impl World {
    /// Signs in with a password and, where the account has one, a second
    /// factor; returns the session. The log gets an entry either way.
    ///
    /// A wrong password is answered before a block, as Entra does: who does not
    /// know the password does not learn that the account is disabled.
    pub(crate) fn sign_in(
        &mut self,
        now: Timestamp,
        origin: &Origin,
        wish: &PasswordSignIn<'_>,
    ) -> Result<String, u32> {
        let Some(user) = self.users.get(wish.user) else {
            return Err(50_034);
        };
        let right = user.password.matches(wish.user, wish.password);
        let needs_factor = user.second_factors().next().is_some();
        let factor = wish
            .factors
            .iter()
            .filter_map(|id| user.method(id))
            .find(|method| method.kind.is_second_factor())
            .map(|method| method.kind.clone());
        let error = if !right {
            50_126
        } else if !user.enabled {
            50_057
        } else if user.must_change_password {
            50_055
        } else if needs_factor && factor.is_none() {
            50_074
        } else {
            0
        };
        let mut entry = self.sign_in_entry(now, SignInKind::Interactive, origin, wish.resource);
        entry.error = error;
        reason(error).clone_into(&mut entry.reason);
        "oAuth2".clone_into(&mut entry.protocol);
        wish.device.clone_into(&mut entry.device_id);
        if needs_factor {
            "multiFactorAuthentication".clone_into(&mut entry.requirement);
        }
        entry.steps = vec![(String::from("Password"), right)];
        if let Some(kind) = &factor
            && right
        {
            entry
                .steps
                .push((factor_words(kind).to_owned(), error == 0));
        }
        if error == 0 && !wish.risk.is_empty() {
            "medium".clone_into(&mut entry.risk_level);
            "atRisk".clone_into(&mut entry.risk_state);
            entry.risk_events = wish.risk.iter().map(|event| (*event).to_owned()).collect();
        }
        if error != 0 {
            self.record_sign_in(entry);
            return Err(error);
        }
        let session = match &origin.session {
            Some(session) if self.tokens.sessions.contains_key(session) => session.clone(),
            _ => self.open_session(now, wish.user, Class::Password, factor.is_some(), origin),
        };
        entry.session = Some(session.clone());
        self.record_sign_in(entry);
        Ok(session)
    }

    /// A name and a password posted to the token endpoint without any page (ROPC,
    /// reference §1.3): where a second factor is registered it is refused.
    pub(crate) fn post_password(
        &mut self,
        now: Timestamp,
        origin: &Origin,
        user: &str,
        password: &str,
    ) -> Result<String, u32> {
        let Some(held) = self.users.get(user) else {
            return Err(50_034);
        };
        let error = if !held.password.matches(user, password) {
            50_126
        } else if !held.enabled {
            50_057
        } else if held.second_factors().next().is_some() {
            50_076
        } else {
            0
        };
        let mut entry = self.sign_in_entry(now, SignInKind::Interactive, origin, Resource::Graph);
        entry.error = error;
        reason(error).clone_into(&mut entry.reason);
        "ropc".clone_into(&mut entry.protocol);
        entry.steps = vec![(String::from("Password"), error != 50_126)];
        if error != 0 {
            self.record_sign_in(entry);
            return Err(error);
        }
        let session = self.open_session(now, user, Class::Password, false, origin);
        entry.session = Some(session.clone());
        self.record_sign_in(entry);
        Ok(session)
    }

    /// Signs in with a temporary access pass, which needs neither password nor second
    /// factor (reference §2.4); the session, or the error.
    pub(crate) fn sign_in_with_pass(
        &mut self,
        now: Timestamp,
        origin: &Origin,
        user: &str,
        pass: &str,
    ) -> Result<String, u32> {
        let Some(held) = self.users.get(user) else {
            return Err(50_034);
        };
        let valid = held.method(pass).is_some_and(|method| match &method.kind {
            MethodKind::TemporaryAccessPass {
                starts, minutes, ..
            } => {
                let ends = starts
                    .checked_add(SignedDuration::from_mins(i64::from(*minutes)))
                    .unwrap_or(Timestamp::MAX);
                *starts <= now && now < ends
            }
            _ => false,
        });
        let error = if !held.enabled {
            50_057
        } else if valid {
            0
        } else {
            50_126
        };
        let mut entry = self.sign_in_entry(now, SignInKind::Interactive, origin, Resource::Graph);
        entry.error = error;
        reason(error).clone_into(&mut entry.reason);
        "oAuth2".clone_into(&mut entry.protocol);
        "multiFactorAuthentication".clone_into(&mut entry.requirement);
        entry.steps = vec![(String::from("Temporary Access Pass"), error == 0)];
        if error != 0 {
            self.record_sign_in(entry);
            return Err(error);
        }
        let session = self.open_session(now, user, Class::NonPassword, true, origin);
        entry.session = Some(session.clone());
        self.record_sign_in(entry);
        Ok(session)
    }

    /// Gets an access token with the primary refresh token of a device, or the error
    /// (reference §4, §9.3).
    pub(crate) fn sign_in_with_device(
        &mut self,
        now: Timestamp,
        origin: &Origin,
        device: &str,
    ) -> Result<AccessToken, u32> {
        let Some(held) = self.devices.get(device).cloned() else {
            return Err(700_003);
        };
        let enabled = self.users.get(&held.owner).is_some_and(|user| user.enabled);
        let lives = self.device_token_lives(now, device);
        let error = if lives {
            0
        } else if !held.enabled {
            135_011
        } else if !enabled {
            50_057
        } else {
            50_173
        };
        let mut origin = origin.clone();
        origin.user = Some(held.owner.clone());
        known::AUTHENTICATION_BROKER.clone_into(&mut origin.app_id);
        if error == 0 && origin.session.is_none() {
            origin.session = Some(self.open_session(now, &held.owner, held.class, true, &origin));
        }
        let mut entry =
            self.sign_in_entry(now, SignInKind::NonInteractive, &origin, Resource::Graph);
        entry.error = error;
        reason(error).clone_into(&mut entry.reason);
        "primaryRefreshToken".clone_into(&mut entry.incoming_token);
        "oAuth2".clone_into(&mut entry.protocol);
        "multiFactorAuthentication".clone_into(&mut entry.requirement);
        entry.device_id.clone_from(&held.identifier);
        let sign_in = entry.id.clone();
        self.record_sign_in(entry);
        if error != 0 {
            return Err(error);
        }
        Ok(self.issue_access(
            now,
            AccessWish {
                user: Some(&held.owner),
                app_id: known::AUTHENTICATION_BROKER,
                resource: Resource::Graph,
                scopes: ["Mail.ReadWrite", "Mail.Send", "MailboxSettings.ReadWrite"]
                    .map(String::from)
                    .to_vec(),
                roles: Vec::new(),
                cae: false,
                session: origin.session.as_deref(),
                sign_in: &sign_in,
            },
        ))
    }

    /// Redeems a refresh token for an access token, or says with which error it
    /// is refused. The log gets an entry for what is known to be somebody's.
    ///
    /// The one place where a refresh token becomes an access token: for the
    /// token endpoint as for clients that are played.
    pub(crate) fn redeem(
        &mut self,
        now: Timestamp,
        origin: &Origin,
        asked: &Redemption<'_>,
    ) -> Result<AccessToken, u32> {
        let token = self
            .tokens
            .refresh
            .get(asked.refresh)
            .filter(|token| asked.client.is_none_or(|client| token.app_id == client.id))
            .cloned()
            .ok_or(70_000_u32)?;
        if token.class == Class::ConfidentialClient
            && asked.client.is_some_and(|client| !client.proven)
        {
            return Err(7_000_218);
        }
        let resource = asked.resource;
        let wanted = match asked.wanted {
            Some(wanted) => wanted.clone(),
            None => Wanted::StillGranted(token.scopes.clone()),
        };
        let scopes = self.allowed_scopes(&token.app_id, &token.user, resource, &wanted);
        let error = self.redemption_error(&token, scopes.is_none(), now);
        let mut origin = origin.clone();
        origin.user = Some(token.user.clone());
        origin.app_id.clone_from(&token.app_id);
        origin.session = Some(token.session.clone());
        let mut entry = self.sign_in_entry(now, SignInKind::NonInteractive, &origin, resource);
        entry.error = error;
        reason(error).clone_into(&mut entry.reason);
        "refreshToken".clone_into(&mut entry.incoming_token);
        "oAuth2".clone_into(&mut entry.protocol);
        if let Some(session) = self.tokens.sessions.get(&token.session) {
            if session.mfa {
                "multiFactorAuthentication".clone_into(&mut entry.requirement);
                entry.steps = vec![(String::from("Previously satisfied"), true)];
            }
            if session.device_code {
                "deviceCodeFlow".clone_into(&mut entry.transfer);
            }
        }
        let sign_in = entry.id.clone();
        self.record_sign_in(entry);
        if error != 0 {
            return Err(error);
        }
        // The old one stays valid, and each use renews it (reference §9.1).
        if let Some(held) = self.tokens.refresh.get_mut(asked.refresh) {
            held.last_used = now;
        }
        Ok(self.issue_access(
            now,
            AccessWish {
                user: Some(&token.user),
                app_id: &token.app_id,
                resource,
                scopes: scopes.unwrap_or_default(),
                roles: Vec::new(),
                cae: asked.cae,
                session: Some(&token.session),
                sign_in: &sign_in,
            },
        ))
    }

    /// Why a refresh token is refused; 0 when it is not (reference §9.2, §9.3).
    fn redemption_error(&self, token: &RefreshToken, no_consent: bool, now: Timestamp) -> u32 {
        let Some(user) = self.users.get(&token.user) else {
            return 50_034;
        };
        if self
            .principal_of_app(&token.app_id)
            .is_none_or(|app| !app.enabled)
        {
            7_000_112
        } else if !user.enabled {
            50_057
        } else if let Some(cut) = self.refresh_cut(user, token.class, token.authenticated, now) {
            cut.kind.error()
        } else if now.duration_since(token.last_used) > SignedDuration::from_hours(90 * 24) {
            700_082
        } else if no_consent {
            match self.unconfirmed.variant(&LOST_CONSENT) {
                "invalid_grant" => 70_000,
                _ => 65_001,
            }
        } else {
            0
        }
    }

    /// Whether self-service reset accepts one of these methods: it must still
    /// be registered, and the account not be blocked.
    pub(crate) fn can_reset_with(&self, user: &str, methods: &[String]) -> Option<String> {
        let held = self.users.get(user)?;
        if !held.enabled {
            return None;
        }
        methods
            .iter()
            .find(|id| {
                held.method(id)
                    .is_some_and(|method| !matches!(method.kind, MethodKind::Password))
            })
            .cloned()
    }

    /// Completes a self-service reset with a method that is in hand.
    pub(crate) fn reset_by_self_service(
        &mut self,
        now: Timestamp,
        origin: &Origin,
        user: &str,
        methods: &[String],
        password: &str,
    ) -> bool {
        if self.can_reset_with(user, methods).is_none() {
            return false;
        }
        self.set_password(
            now,
            origin,
            user,
            password,
            false,
            CutKind::SelfServiceReset,
        );
        true
    }
}

/// How sign-in logs call a second factor.
fn factor_words(kind: &MethodKind) -> &'static str {
    match kind {
        MethodKind::Phone { .. } => "Text message",
        MethodKind::Authenticator { .. } => "Mobile app notification",
        MethodKind::SoftwareOath => "OATH verification code",
        MethodKind::HardwareOath { .. } => "OATH hardware token",
        MethodKind::Fido2 { .. } => "FIDO2 security key",
        MethodKind::WindowsHello { .. } => "Windows Hello for Business",
        MethodKind::TemporaryAccessPass { .. } => "Temporary Access Pass",
        MethodKind::Password | MethodKind::Email { .. } => "Password",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Chance;
    use crate::world::{ServicePrincipal, Tenant, User, known};

    #[test]
    fn a_refresh_token_lives_ninety_days_of_silence_and_each_use_renews_it() {
        // reference §9.1
        let begin = Timestamp::from_second(1_780_000_000).unwrap();
        let day = |days: i64| {
            begin
                .checked_add(SignedDuration::from_hours(days * 24))
                .unwrap()
        };
        let mut world = World::new(Chance::new(1), Tenant::new("t"));
        world.add_user(User::new("u", "u@t.example", "U", begin));
        let app = known::OUTLOOK_WEB;
        let principal = ServicePrincipal::new("p", app, "Mail", known::MICROSOFT_TENANT, begin);
        world.service_principals.insert("p".into(), principal);
        let origin = Origin::user("u", app, "192.0.2.1", "x");
        let session = world.open_session(begin, "u", Class::Password, true, &origin);
        let scopes = [String::from("Mail.Read")];
        let refresh = world.issue_refresh(begin, &session, app, &scopes).unwrap();
        for (days, outcome) in [(89, None), (178, None), (269, Some(700_082))] {
            let got = world.redeem(day(days), &origin, &Redemption::renewal(&refresh));
            assert_eq!(got.err(), outcome, "day {days}");
        }
    }
}
