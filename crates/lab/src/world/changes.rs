//! Changes of the directory, each with the audit entries that it leaves.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

pub(crate) use super::audit::Activity;
use super::directory::{Method, MethodKind, Password, Risk, User};
use super::logs::Target;
use super::tokens::{CaeCut, Cut, CutKind};
use super::{Grant, Origin, World};
use crate::unconfirmed::DELETED_METHOD;

const CORE: &str = "Core Directory";

impl World {
    /// Blocks or unblocks sign-in. Blocking is a critical event for continuous
    /// access evaluation; unblocking leaves Exchange closed for another 35 to
    /// 40 minutes (reference §2.1, §9.3).
    pub(crate) fn set_enabled(&mut self, now: Timestamp, by: &Origin, user: &str, enabled: bool) {
        self.keep_stale(now, user);
        let (old, name) = match self.users.get_mut(user) {
            Some(held) => {
                let old = std::mem::replace(&mut held.enabled, enabled);
                (
                    old,
                    if enabled {
                        "Enable account"
                    } else {
                        "Disable account"
                    },
                )
            }
            None => return,
        };
        if old && !enabled {
            self.cae_cut(now, user);
        }
        if !old && enabled {
            let delay = self.tenant.exchange_reopens;
            let until = self.after(now, "exchange reopens", delay);
            if let Some(held) = self.users.get_mut(user) {
                held.exchange_closed_until = Some(until);
            }
        }
        let target = self.user_target(
            user,
            vec![(
                String::from("AccountEnabled"),
                Some(json!([old]).to_string()),
                Some(json!([enabled]).to_string()),
            )],
        );
        self.audit_directory(
            now,
            by,
            &Activity {
                name,
                category: "UserManagement",
                service: CORE,
                operation: "Update",
            },
            vec![target],
        );
    }

    /// Ends the user's refresh tokens and cookies, after a few minutes
    /// (reference §2.1).
    pub(crate) fn revoke_sessions(&mut self, now: Timestamp, by: &Origin, user: &str) {
        self.keep_stale(now, user);
        let delay = self.tenant.revoke_delay;
        let effective = self.after(now, "revocation", delay);
        let elsewhere = self.belongs_elsewhere(user);
        let Some(held) = self.users.get_mut(user) else {
            return;
        };
        let old = std::mem::replace(&mut held.sessions_valid_from, now);
        // The call answers for a guest too, and ends nothing: the sessions are
        // the home tenant's (reference §2.1).
        if !elsewhere {
            held.cuts.push(Cut {
                kind: CutKind::Revoked,
                at: now,
                effective,
            });
            self.cae_cut(now, user);
        }
        let target = self.user_target(
            user,
            vec![(
                String::from("StsRefreshTokenValidFrom"),
                Some(json!([old]).to_string()),
                Some(json!([now]).to_string()),
            )],
        );
        self.audit_directory(
            now,
            by,
            &Activity {
                name: "Update StsRefreshTokenValidFrom Timestamp",
                category: "UserManagement",
                service: CORE,
                operation: "Update",
            },
            vec![target],
        );
    }

    /// Sets a password. `kind` says which row of §9.2 applies.
    pub(crate) fn set_password(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        text: &str,
        must_change: bool,
        kind: CutKind,
    ) {
        self.keep_stale(now, user);
        let Some(held) = self.users.get_mut(user) else {
            return;
        };
        held.password = Password::new(user, text);
        held.password_changed = now;
        held.must_change_password = must_change;
        held.cuts.push(Cut {
            kind,
            at: now,
            effective: now,
        });
        self.cae_cut(now, user);
        let target = self.user_target(user, Vec::new());
        let name = match kind {
            CutKind::UserChangedPassword => "Change user password",
            _ => "Reset password",
        };
        self.audit_directory(
            now,
            by,
            &Activity {
                name,
                category: "UserManagement",
                service: CORE,
                operation: "Update",
            },
            vec![target],
        );
    }

    /// Registers a method and returns its id; the first second factor becomes
    /// the default by itself.
    pub(crate) fn add_method(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        kind: MethodKind,
    ) -> String {
        let id = match &kind {
            MethodKind::Phone { kind, .. } => kind.method_id().to_owned(),
            MethodKind::Password => super::known::PASSWORD_METHOD.to_owned(),
            _ => self.next(user, "method").uuid().to_string(),
        };
        self.keep_stale(now, user);
        let words = kind.audit_words();
        let second = kind.preference().is_some();
        if let Some(held) = self.users.get_mut(user) {
            held.methods.retain(|method| method.id != id);
            held.methods.push(Method {
                id: id.clone(),
                kind,
                created: Some(now),
            });
            if second && held.default_method.is_none() {
                held.default_method = Some(id.clone());
            }
        }
        let own = by.user.as_deref() == Some(user);
        self.method_audit(
            now,
            by,
            user,
            if own {
                "User registered security info"
            } else {
                "Admin registered security info"
            },
            "Add",
            &format!("{} registered {words}", if own { "User" } else { "Admin" }),
        );
        id
    }

    /// Removes a method; the default moves to nothing when it was the last.
    pub(crate) fn delete_method(&mut self, now: Timestamp, by: &Origin, user: &str, id: &str) {
        let span = match self.unconfirmed.variant(&DELETED_METHOD) {
            "lags" => self.tenant.stale_reads.max(SignedDuration::from_secs(60)),
            _ => self.tenant.stale_reads,
        };
        self.keep_stale_for(now, user, span);
        let Some(held) = self.users.get_mut(user) else {
            return;
        };
        let Some(at) = held.methods.iter().position(|method| method.id == id) else {
            return;
        };
        let gone = held.methods.remove(at);
        if held.default_method.as_deref() == Some(id) {
            held.default_method = None;
        }
        let own = by.user.as_deref() == Some(user);
        self.method_audit(
            now,
            by,
            user,
            if own {
                "User deleted security info"
            } else {
                "Admin deleted security info"
            },
            "Delete",
            &format!(
                "{} deleted {}",
                if own { "User" } else { "Admin" },
                gone.kind.audit_words()
            ),
        );
    }

    /// Makes another method the default second factor.
    pub(crate) fn set_default_method(&mut self, now: Timestamp, by: &Origin, user: &str, id: &str) {
        if let Some(held) = self.users.get_mut(user) {
            held.default_method = Some(id.to_owned());
        }
        self.method_audit(
            now,
            by,
            user,
            "User changed default security info",
            "Update",
            "User changed the default security info",
        );
    }

    /// A user (or an administrator for everyone) consents to an app; returns
    /// the grant's id.
    pub(crate) fn consent(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: Option<&str>,
        principal: &str,
        scopes: &[&str],
    ) -> String {
        let resource = self
            .principal_of_app(super::known::GRAPH)
            .map(|p| p.id.clone())
            .unwrap_or_default();
        let id = self.next(principal, "grant").text(
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
            32,
        ) + &self.next(principal, "grant tail").text(
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
            11,
        );
        let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        self.grants.insert(
            id.clone(),
            Grant {
                id: id.clone(),
                client_id: principal.to_owned(),
                principal_id: user.map(str::to_owned),
                resource_id: resource,
                scopes: scopes.clone(),
            },
        );
        let (app_id, name) = self
            .service_principals
            .get(principal)
            .map(|p| (p.app_id.clone(), p.display_name.clone()))
            .unwrap_or_default();
        let scope = scopes.join(" ");
        let kind = if user.is_some() {
            "Principal"
        } else {
            "AllPrincipals"
        };
        let words = format!(
            "[] => [[Id: {id}, ClientId: {principal}, PrincipalId: {}, ResourceId: , ConsentType: {kind}, Scope: {scope}, CreatedDateTime: , LastModifiedDateTime ]]; ",
            user.unwrap_or_default()
        );
        let text = |value: &str| Some(json!(value).to_string());
        let app = Target {
            id: principal.to_owned(),
            kind: String::from("ServicePrincipal"),
            name,
            upn: None,
            modified: vec![
                (
                    String::from("ConsentContext.IsAdminConsent"),
                    None,
                    text(if user.is_some() { "False" } else { "True" }),
                ),
                (
                    String::from("ConsentContext.OnBehalfOfAll"),
                    None,
                    text(if user.is_some() { "False" } else { "True" }),
                ),
                (
                    String::from("ConsentAction.Permissions"),
                    None,
                    text(&words),
                ),
                (
                    String::from("TargetId.ServicePrincipalNames"),
                    None,
                    text(&app_id),
                ),
            ],
        };
        let grant = Target {
            id: id.clone(),
            kind: String::from("Other"),
            name: String::new(),
            upn: None,
            modified: vec![
                (
                    String::from("DelegatedPermissionGrant.Scope"),
                    None,
                    text(&format!(" {scope}")),
                ),
                (
                    String::from("DelegatedPermissionGrant.ConsentType"),
                    None,
                    text(kind),
                ),
                (
                    String::from("ServicePrincipal.ObjectID"),
                    None,
                    text(principal),
                ),
                (String::from("ServicePrincipal.AppId"), None, text(&app_id)),
            ],
        };
        for (activity, operation, target) in [
            ("Add delegated permission grant", "Assign", grant),
            ("Consent to application", "Assign", app),
        ] {
            self.audit_directory(
                now,
                by,
                &Activity {
                    name: activity,
                    category: "ApplicationManagement",
                    service: CORE,
                    operation,
                },
                vec![target],
            );
        }
        id
    }

    /// An app came into the tenant: the first consent to it brings it.
    pub(crate) fn app_added(&mut self, now: Timestamp, by: &Origin, principal: &str) {
        let name = self
            .service_principals
            .get(principal)
            .map(|app| app.display_name.clone())
            .unwrap_or_default();
        self.audit_directory(
            now,
            by,
            &Activity {
                name: "Add service principal",
                category: "ApplicationManagement",
                service: CORE,
                operation: "Add",
            },
            vec![Target {
                id: principal.to_owned(),
                kind: String::from("ServicePrincipal"),
                name,
                upn: None,
                modified: Vec::new(),
            }],
        );
    }

    /// Removes a grant.
    pub(crate) fn delete_grant(&mut self, now: Timestamp, by: &Origin, id: &str) {
        let Some(grant) = self.grants.remove(id) else {
            return;
        };
        let span = self.tenant.stale_reads;
        if !span.is_zero() {
            let until = self.after(now, "stale grant", (SignedDuration::ZERO, span));
            self.ghosts.push((until, grant.clone()));
        }
        let target = self.grant_target(&grant, Some(&grant.scopes.join(" ")), None);
        self.audit_directory(
            now,
            by,
            &Activity {
                name: "Remove delegated permission grant",
                category: "ApplicationManagement",
                service: CORE,
                operation: "Unassign",
            },
            vec![target],
        );
    }

    /// Narrows or widens a grant.
    pub(crate) fn set_grant_scopes(
        &mut self,
        now: Timestamp,
        by: &Origin,
        id: &str,
        scopes: Vec<String>,
    ) {
        let Some(grant) = self.grants.get_mut(id) else {
            return;
        };
        let old = std::mem::replace(&mut grant.scopes, scopes).join(" ");
        let grant = grant.clone();
        let target = self.grant_target(&grant, Some(&old), Some(&grant.scopes.join(" ")));
        self.audit_directory(
            now,
            by,
            &Activity {
                name: "Update delegated permission grant",
                category: "ApplicationManagement",
                service: CORE,
                operation: "Update",
            },
            vec![target],
        );
    }

    /// Enables or disables an app for everyone.
    pub(crate) fn set_principal_enabled(
        &mut self,
        now: Timestamp,
        by: &Origin,
        id: &str,
        enabled: bool,
    ) {
        let Some(principal) = self.service_principals.get_mut(id) else {
            return;
        };
        let old = std::mem::replace(&mut principal.enabled, enabled);
        let target = Target {
            id: id.to_owned(),
            kind: String::from("ServicePrincipal"),
            name: principal.display_name.clone(),
            upn: None,
            modified: vec![(
                String::from("AccountEnabled"),
                Some(json!([old]).to_string()),
                Some(json!([enabled]).to_string()),
            )],
        };
        self.audit_directory(
            now,
            by,
            &Activity {
                name: "Update service principal",
                category: "ApplicationManagement",
                service: CORE,
                operation: "Update",
            },
            vec![target],
        );
    }

    /// An administrator marks the user as compromised: risk high, which is a
    /// critical event for continuous access evaluation (reference §7.1).
    pub(crate) fn confirm_compromised(&mut self, now: Timestamp, by: &Origin, user: &str) {
        if let Some(held) = self.users.get_mut(user) {
            held.risk = Some(Risk {
                level: String::from("high"),
                state: String::from("confirmedCompromised"),
                detail: String::from("adminConfirmedUserCompromised"),
                updated: now,
            });
        }
        self.cae_cut(now, user);
        let target = self.user_target(user, Vec::new());
        self.audit_directory(
            now,
            by,
            &Activity {
                name: "Admin confirmed user compromised",
                category: "UserManagement",
                service: "Identity Protection",
                operation: "Update",
            },
            vec![target],
        );
    }

    /// A critical event of continuous access evaluation for a user.
    pub(crate) fn cae_cut(&mut self, now: Timestamp, user: &str) {
        let delay = self.tenant.cae_delay;
        let effective = self.after(now, "cae", delay);
        if let Some(held) = self.users.get_mut(user) {
            held.cae_cuts.push(CaeCut { at: now, effective });
        }
    }

    /// The user as directory reads show it at `now`: stale for a while after a
    /// write, if the scenario wants that.
    pub(crate) fn shown_user(&self, id: &str, now: Timestamp) -> Option<&User> {
        let user = self.users.get(id)?;
        Some(match &user.stale {
            Some((until, old)) if now < *until => old,
            _ => user,
        })
    }

    /// Grants as directory reads show them at `now`: deleted ones still for a
    /// while, if the scenario wants that.
    pub(crate) fn shown_grants(&self, now: Timestamp) -> impl Iterator<Item = &Grant> {
        let ghosts = self
            .ghosts
            .iter()
            .filter(move |(until, _)| now < *until)
            .map(|(_, grant)| grant);
        self.grants.values().chain(ghosts)
    }

    fn keep_stale(&mut self, now: Timestamp, id: &str) {
        self.keep_stale_for(now, id, self.tenant.stale_reads);
    }

    fn keep_stale_for(&mut self, now: Timestamp, id: &str, span: SignedDuration) {
        if span.is_zero() {
            return;
        }
        let until = self.after(now, "stale read", (SignedDuration::ZERO, span));
        if let Some(user) = self.users.get_mut(id) {
            let mut old = Box::new(user.clone());
            old.stale = None;
            user.stale = Some((until, old));
        }
    }

    /// A user as the target of an audit entry.
    pub(crate) fn user_target(
        &self,
        id: &str,
        modified: Vec<(String, Option<String>, Option<String>)>,
    ) -> Target {
        let user = self.users.get(id);
        Target {
            id: id.to_owned(),
            kind: String::from("User"),
            name: user
                .map(|user| user.display_name.clone())
                .unwrap_or_default(),
            upn: user.map(|user| user.upn.clone()),
            modified,
        }
    }

    fn grant_target(&self, grant: &Grant, old: Option<&str>, new: Option<&str>) -> Target {
        let app = self.service_principals.get(&grant.client_id);
        let text = |value: Option<&str>| value.map(|value| json!(value).to_string());
        Target {
            id: grant.id.clone(),
            kind: String::from("Other"),
            name: String::new(),
            upn: None,
            modified: vec![
                (
                    String::from("DelegatedPermissionGrant.Scope"),
                    text(old),
                    text(new),
                ),
                (
                    String::from("ServicePrincipal.ObjectID"),
                    None,
                    text(Some(&grant.client_id)),
                ),
                (
                    String::from("ServicePrincipal.AppId"),
                    None,
                    text(app.map(|app| app.app_id.as_str())),
                ),
            ],
        }
    }

    fn method_audit(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        name: &str,
        operation: &str,
        reason: &str,
    ) {
        let target = self.user_target(user, Vec::new());
        let index = self.audit_directory(
            now,
            by,
            &Activity {
                name,
                category: "UserManagement",
                service: "Authentication Methods",
                operation,
            },
            vec![target],
        );
        if let Some(entry) = self.logs.directory.get_mut(index) {
            reason.clone_into(&mut entry.reason);
        }
    }
}
