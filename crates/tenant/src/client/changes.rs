//! Changes through Graph: prepared here, sent by [`Tenant::submit`].

use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::{Value, json};
use url::Url;
use zeroize::Zeroizing;

use super::Tenant;
use crate::call::{
    CREATE_GRANT, CREATE_INBOX_RULE, CallSpec, DELETE_GRANT, DELETE_INBOX_RULE, DELETE_METHOD,
    DISABLE_APP, ENABLE_APP, GIVE_ROLE, REMOVE_ROLE, SET_DEFAULT_METHOD, USER_BLOCK,
    USER_CONFIRM_COMPROMISED, USER_RESET_PASSWORD, USER_REVOKE, USER_UNBLOCK,
};
use crate::error::{Kind, TenantError};
use crate::escape::powershell_string;
use crate::model::{Grant, MessageRule, MethodKind};
use crate::wire::{Body, Builder, Equivalent, Outgoing, Prepared};

/// What stands where a secret would, in everything that is shown.
const HIDDEN_PASSWORD: &str = "<new password>";

impl Tenant {
    /// Blocking sign-in. Nothing else is in the request: one refused property would fail all (reference §2.1).
    pub fn prepare_block(&self, user_id: &str) -> Result<Prepared, TenantError> {
        self.enable(&USER_BLOCK, user_id, false)
    }

    /// Allowing sign-in again.
    pub fn prepare_unblock(&self, user_id: &str) -> Result<Prepared, TenantError> {
        self.enable(&USER_UNBLOCK, user_id, true)
    }

    fn enable(
        &self,
        spec: &'static CallSpec,
        user_id: &str,
        enabled: bool,
    ) -> Result<Prepared, TenantError> {
        self.graph_change(
            spec,
            user_id,
            &[user_id],
            Some(json!({ "accountEnabled": enabled })),
            |_| {
                format!(
                    "Update-MgUser -UserId {} -AccountEnabled:${enabled}",
                    powershell_string(user_id)
                )
            },
        )
    }

    /// Ending all sessions and refresh tokens. Repeating it does no harm. An
    /// empty object is sent because a missing body was refused (reference §2.1).
    pub fn prepare_revoke(&self, user_id: &str) -> Result<Prepared, TenantError> {
        self.graph_change(&USER_REVOKE, user_id, &[user_id], Some(json!({})), |_| {
            format!(
                "Revoke-MgUserSignInSession -UserId {}",
                powershell_string(user_id)
            )
        })
    }

    /// Setting a new password, which the person must change at the next sign-in if told so.
    pub fn prepare_reset_password(
        &self,
        user_id: &str,
        password: SecretString,
        force_change: bool,
    ) -> Result<Prepared, TenantError> {
        if password.expose_secret().is_empty() {
            let why = "a password cannot be empty";
            return Err(TenantError::new(
                Kind::BadInput,
                &USER_RESET_PASSWORD,
                user_id,
                why,
            ));
        }
        let body = secret_body(&PasswordChange {
            password_profile: PasswordProfile {
                force_change_password_next_sign_in: force_change,
                password: password.expose_secret(),
            },
        })
        .ok_or_else(|| {
            TenantError::new(
                Kind::BadInput,
                &USER_RESET_PASSWORD,
                user_id,
                "the password cannot be written",
            )
        })?;
        let outgoing = Builder::new(&USER_RESET_PASSWORD, user_id, &[user_id])
            .body(Body::Secret {
                json: body,
                secret: password,
            })
            .build()?;
        let shown = json!({"passwordProfile": {
            "forceChangePasswordNextSignIn": force_change, "password": HIDDEN_PASSWORD}});
        let equivalent = Equivalent {
            http: http_text(&self.profile().endpoints.graph, &outgoing, &shown),
            powershell: format!(
                "Update-MgUser -UserId {} -PasswordProfile @{{ Password = '{HIDDEN_PASSWORD}'; \
                 ForceChangePasswordNextSignIn = ${force_change} }}",
                powershell_string(user_id)
            ),
        };
        Ok(Prepared {
            outgoing,
            equivalent,
        })
    }

    /// Marking the account as compromised, which sets its risk to high.
    pub fn prepare_confirm_compromised(&self, user_id: &str) -> Result<Prepared, TenantError> {
        let body = json!({ "userIds": [user_id] });
        self.graph_change(&USER_CONFIRM_COMPROMISED, user_id, &[], Some(body), |_| {
            format!(
                "Confirm-MgRiskyUserCompromised -UserIds {}",
                powershell_string(user_id)
            )
        })
    }

    /// Deleting an authentication method, by the path of its kind: there is no
    /// path for all kinds (reference §2.2).
    ///
    /// Fails with [`Kind::BadInput`] for the password, which can only be
    /// reset, and for kinds that cannot be addressed.
    pub fn prepare_delete_method(
        &self,
        user_id: &str,
        kind: MethodKind,
        method_id: &str,
    ) -> Result<Prepared, TenantError> {
        let Some((spec, segment)) = kind.deletion() else {
            let why = format!("a {} cannot be deleted by this interface", kind.words());
            return Err(TenantError::new(
                Kind::BadInput,
                &DELETE_METHOD,
                method_id,
                why,
            ));
        };
        let values = [user_id, segment, method_id];
        self.graph_change(spec, method_id, &values, None, |url| {
            format!("Invoke-MgGraphRequest -Method DELETE -Uri {url}")
        })
    }

    /// Choosing the kind of method that is asked for first: `push`, `oath`,
    /// `voiceMobile`, `voiceAlternateMobile`, `voiceOffice` or `sms` (beta).
    pub fn prepare_set_default_method(
        &self,
        user_id: &str,
        preferred: &str,
    ) -> Result<Prepared, TenantError> {
        let body = json!({ "userPreferredMethodForSecondaryAuthentication": preferred });
        let shown = powershell_string(&body.to_string());
        self.graph_change(
            &SET_DEFAULT_METHOD,
            user_id,
            &[user_id],
            Some(body),
            |url| format!("Invoke-MgGraphRequest -Method PATCH -Uri {url} -Body {shown}"),
        )
    }

    /// Deleting an inbox rule through Graph. Unlike Exchange's cmdlet this leaves client-side rules alone.
    pub fn prepare_delete_graph_rule(
        &self,
        user_id: &str,
        rule_id: &str,
    ) -> Result<Prepared, TenantError> {
        self.graph_change(
            &DELETE_INBOX_RULE,
            rule_id,
            &[user_id, rule_id],
            None,
            |_| {
                format!(
                    "Remove-MgUserMailFolderMessageRule -UserId {} -MailFolderId 'inbox' -MessageRuleId {}",
                    powershell_string(user_id),
                    powershell_string(rule_id)
                )
            },
        )
    }

    /// Putting back a rule that was read before. It gets a new id.
    pub fn prepare_create_graph_rule(
        &self,
        user_id: &str,
        rule: &MessageRule,
    ) -> Result<Prepared, TenantError> {
        let body = writable(rule, &["id", "hasError", "isReadOnly"]);
        let shown = powershell_string(&body.to_string());
        let name = rule.display_name.as_deref().unwrap_or(&rule.id);
        self.graph_change(&CREATE_INBOX_RULE, name, &[user_id], Some(body), |url| {
            format!("Invoke-MgGraphRequest -Method POST -Uri {url} -Body {shown}")
        })
    }

    /// Withdrawing a consent. Tokens that the app holds live on until they end (reference §0.3).
    pub fn prepare_delete_grant(&self, grant_id: &str) -> Result<Prepared, TenantError> {
        self.graph_change(&DELETE_GRANT, grant_id, &[grant_id], None, |_| {
            format!(
                "Remove-MgOauth2PermissionGrant -OAuth2PermissionGrantId {}",
                powershell_string(grant_id)
            )
        })
    }

    /// Putting back a consent that was read before. It may get a new id.
    pub fn prepare_create_grant(&self, grant: &Grant) -> Result<Prepared, TenantError> {
        let mut body = json!({
            "clientId": grant.client_id,
            "consentType": grant.consent_type,
            "principalId": grant.principal_id,
            "resourceId": grant.resource_id,
            "scope": grant.scope,
        });
        clean(&mut body);
        let shown = powershell_string(&body.to_string());
        self.graph_change(&CREATE_GRANT, &grant.id, &[], Some(body), |url| {
            format!("Invoke-MgGraphRequest -Method POST -Uri {url} -Body {shown}")
        })
    }

    /// Taking a directory role away, by the id of its assignment.
    pub fn prepare_remove_role(&self, assignment: &str) -> Result<Prepared, TenantError> {
        self.graph_change(&REMOVE_ROLE, assignment, &[assignment], None, |_| {
            format!(
                "Remove-MgRoleManagementDirectoryRoleAssignment -UnifiedRoleAssignmentId {}",
                powershell_string(assignment)
            )
        })
    }

    /// Giving a directory role, by its template id, to a principal over a scope (`/` for
    /// the whole tenant). The assignment gets a new id.
    pub fn prepare_give_role(
        &self,
        principal: &str,
        role: &str,
        scope: &str,
    ) -> Result<Prepared, TenantError> {
        let body = json!({
            "principalId": principal,
            "roleDefinitionId": role,
            "directoryScopeId": scope,
        });
        let shown = powershell_string(&body.to_string());
        self.graph_change(&GIVE_ROLE, principal, &[], Some(body), |url| {
            format!("Invoke-MgGraphRequest -Method POST -Uri {url} -Body {shown}")
        })
    }

    /// Stopping an app, by its service principal's object id, from getting
    /// tokens for anybody. It is never deleted: it is evidence (reference §5).
    pub fn prepare_disable_app(&self, id: &str) -> Result<Prepared, TenantError> {
        self.enable_app(&DISABLE_APP, id, false)
    }

    /// Letting an app get tokens again.
    pub fn prepare_enable_app(&self, id: &str) -> Result<Prepared, TenantError> {
        self.enable_app(&ENABLE_APP, id, true)
    }

    fn enable_app(
        &self,
        spec: &'static CallSpec,
        id: &str,
        enabled: bool,
    ) -> Result<Prepared, TenantError> {
        let body = json!({ "accountEnabled": enabled });
        self.graph_change(spec, id, &[id], Some(body), |_| {
            format!(
                "Update-MgServicePrincipal -ServicePrincipalId {} -AccountEnabled:${enabled}",
                powershell_string(id)
            )
        })
    }

    /// `powershell` gets the full URL as a PowerShell string.
    pub(super) fn graph_change(
        &self,
        spec: &'static CallSpec,
        target: &str,
        values: &[&str],
        body: Option<Value>,
        powershell: impl FnOnce(&str) -> String,
    ) -> Result<Prepared, TenantError> {
        let mut builder = Builder::new(spec, target, values);
        if let Some(body) = &body {
            builder = builder.json(body);
        }
        let outgoing = builder.build()?;
        let graph = &self.profile().endpoints.graph;
        let url = format!(
            "{}{}",
            graph.origin().ascii_serialization(),
            outgoing.request.url
        );
        let equivalent = Equivalent {
            http: http_text(graph, &outgoing, &body.unwrap_or_default()),
            powershell: powershell(&powershell_string(&url)),
        };
        Ok(Prepared {
            outgoing,
            equivalent,
        })
    }
}

/// Method, URL and body as a person would write them down.
pub(super) fn http_text(base: &Url, outgoing: &Outgoing, body: &Value) -> String {
    let line = format!(
        "{} {}{}",
        outgoing.request.method,
        base.origin().ascii_serialization(),
        outgoing.request.url
    );
    if body.is_null() {
        line
    } else {
        format!("{line}\n{body}")
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PasswordChange<'a> {
    password_profile: PasswordProfile<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PasswordProfile<'a> {
    force_change_password_next_sign_in: bool,
    password: &'a str,
}

/// JSON around a secret, in memory that is wiped. The buffer is large enough
/// from the beginning, because growing would leave copies behind.
fn secret_body(change: &PasswordChange<'_>) -> Option<Zeroizing<Vec<u8>>> {
    let longest = change.password_profile.password.len() * 6 + 256;
    let mut json = Zeroizing::new(Vec::with_capacity(longest));
    serde_json::to_writer(&mut *json, change).ok()?;
    Some(json)
}

/// What was read, as it can be written: without what the service sets itself.
fn writable(object: &impl Serialize, read_only: &[&str]) -> Value {
    let mut value = serde_json::to_value(object).unwrap_or_default();
    clean(&mut value);
    if let Value::Object(fields) = &mut value {
        fields.retain(|name, _| !read_only.contains(&name.as_str()));
    }
    value
}

/// Removes nulls and annotations (`@odata.etag` and the like) at every depth.
fn clean(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, value| !name.contains('@') && !value.is_null());
            fields.values_mut().for_each(clean);
        }
        Value::Array(items) => items.iter_mut().for_each(clean),
        _ => {}
    }
}
