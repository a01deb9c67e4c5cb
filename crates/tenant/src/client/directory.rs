//! Accounts, their methods, and the tenant itself.

use super::Tenant;
use crate::call::{
    DELETED_USERS, DOMAINS, METHODS, ORGANIZATION, RISKY_USER, SIGN_IN_PREFERENCES,
    TEMPORARY_ACCESS_PASSES, USER, USER_MANAGER, USER_MEMBER_OF, USERS_BY_ADDRESS,
};
use crate::error::{Kind, TenantError};
use crate::escape::odata_string;
use crate::model::{
    DeletedUser, DirectoryObject, Domain, Method, Organization, RiskyUser, SignInPreferences, User,
};
use crate::wire::{Builder, Read};

impl Tenant {
    /// An account by object id or sign-in name.
    pub async fn user(&self, user: &str) -> Result<Read<User>, TenantError> {
        let read: Read<User> = self
            .one(Builder::new(&USER, user, &[user]).query("$select", User::SELECT))
            .await?;
        let asked_by_id = read.value.id.eq_ignore_ascii_case(user);
        let asked_by_name = read.value.user_principal_name.eq_ignore_ascii_case(user);
        if asked_by_id || asked_by_name {
            return Ok(read);
        }
        // Block and reset go by the id that this returns, so another
        // account's answer must not pass.
        let error = TenantError::new(
            Kind::BadAnswer {
                effect_unknown: false,
            },
            &USER,
            user,
            "another account was returned than the one that was asked for",
        );
        Err(match read.answers.last() {
            Some(answer) => error.with_answer(answer),
            None => error,
        })
    }

    /// The accounts that have this address, now or as a former name. The prefix
    /// tells the primary one from the others, so both are asked for.
    pub async fn users_by_address(&self, address: &str) -> Result<Read<Vec<User>>, TenantError> {
        let has = |prefix: &str| {
            format!(
                "proxyAddresses/any(p:p eq {})",
                odata_string(&format!("{prefix}:{address}"))
            )
        };
        let filter = format!("{} or {}", has("smtp"), has("SMTP"));
        self.list(
            Builder::new(&USERS_BY_ADDRESS, address, &[])
                .query("$filter", &filter)
                .query("$select", User::SELECT),
        )
        .await
    }

    /// The accounts that were deleted and can still be restored.
    pub async fn deleted_users(&self) -> Result<Read<Vec<DeletedUser>>, TenantError> {
        self.list(
            Builder::new(&DELETED_USERS, "deleted users", &[])
                .query("$select", DeletedUser::SELECT),
        )
        .await
    }

    /// The tenant's domains, each with who signs its people in.
    pub async fn domains(&self) -> Result<Read<Vec<Domain>>, TenantError> {
        self.list(Builder::new(&DOMAINS, "domains", &[])).await
    }

    /// Who the account's manager is; `None` if nobody.
    pub async fn manager(&self, user: &str) -> Result<Read<Option<DirectoryObject>>, TenantError> {
        let builder = Builder::new(&USER_MANAGER, user, &[user]).query(
            "$select",
            "id,displayName,userPrincipalName,mail,mobilePhone,businessPhones",
        );
        match self.one::<DirectoryObject>(builder).await {
            Ok(read) => Ok(read.map(Some)),
            Err(error) if error.kind == Kind::NotFound => match error.answer.clone() {
                Some(answer) => Ok(super::whole(None, answer)),
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// The groups, active roles and units that the account is in, also through other groups.
    pub async fn transitive_member_of(
        &self,
        user: &str,
    ) -> Result<Read<Vec<DirectoryObject>>, TenantError> {
        self.list(Builder::new(&USER_MEMBER_OF, user, &[user]))
            .await
    }

    /// The tenant's id, name and domains.
    ///
    /// Fails with [`Kind::WrongTenant`] if the profile names the tenant by its
    /// id and another one answers.
    pub async fn organization(&self) -> Result<Read<Organization>, TenantError> {
        let read = self
            .list::<Organization>(Builder::new(&ORGANIZATION, "", &[]))
            .await?;
        let last = read.answers.last().cloned();
        let wrong = |kind, why: &str| {
            let error = TenantError::new(kind, &ORGANIZATION, &self.profile().tenant_id, why);
            match &last {
                Some(answer) => error.with_answer(answer),
                None => error,
            }
        };
        let mut all = read.value.into_iter();
        let (Some(organization), None) = (all.next(), all.next()) else {
            return Err(wrong(
                Kind::BadAnswer {
                    effect_unknown: false,
                },
                "the tenant should be one organization",
            ));
        };
        let named = &self.profile().tenant_id;
        let is_domain = named.contains('.');
        let matches = if is_domain {
            organization
                .verified_domains
                .iter()
                .any(|domain| domain.name.eq_ignore_ascii_case(named))
        } else {
            organization.id.eq_ignore_ascii_case(named)
        };
        if !matches {
            return Err(wrong(
                Kind::WrongTenant,
                &format!("the tenant that answered is {}", organization.id),
            ));
        }
        Ok(Read {
            value: organization,
            answers: read.answers,
            completeness: read.completeness,
        })
    }

    /// The account's authentication methods, of known and unknown kinds.
    pub async fn authentication_methods(
        &self,
        user: &str,
    ) -> Result<Read<Vec<Method>>, TenantError> {
        self.list(Builder::new(&METHODS, user, &[user])).await
    }

    /// Which kind of method is the default (beta).
    pub async fn sign_in_preferences(
        &self,
        user: &str,
    ) -> Result<Read<SignInPreferences>, TenantError> {
        self.one(Builder::new(&SIGN_IN_PREFERENCES, user, &[user]))
            .await
    }

    /// The account's temporary access passes, without their values.
    pub async fn temporary_access_passes(
        &self,
        user: &str,
    ) -> Result<Read<Vec<Method>>, TenantError> {
        self.list(Builder::new(&TEMPORARY_ACCESS_PASSES, user, &[user]))
            .await
    }

    /// The account's risk state; `None` if it never was at risk.
    pub async fn risky_user(&self, user_id: &str) -> Result<Read<Option<RiskyUser>>, TenantError> {
        match self
            .one::<RiskyUser>(Builder::new(&RISKY_USER, user_id, &[user_id]))
            .await
        {
            Ok(read) => Ok(read.map(Some)),
            Err(error) if error.kind == Kind::NotFound => match error.answer.clone() {
                Some(answer) => Ok(super::whole(None, answer)),
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }
}
