//! The app registration that a profile needs: which permissions and roles, why each,
//! as a manifest, and how it is taken away again.

use std::fmt::Write as _;

use retake_responder::preflight::{
    FOR_PRIVILEGED, OPTIONAL, Permission, Resource, Set, SignedInAs, roles, steps_of_role,
};
use serde_json::{Value, json};

use crate::profile::{Cloud, SignInWay};

/// A registration as it is to be made.
pub(super) struct Registration<'a> {
    /// The profile's name.
    pub(super) name: &'a str,
    /// The tenant.
    pub(super) tenant: &'a str,
    /// Where its administrators consent.
    pub(super) authority: &'static str,
    /// What it is for.
    pub(super) set: Set,
    /// Who signs in through it.
    pub(super) signed_in: SignedInAs,
    /// How.
    pub(super) way: SignInWay,
}

/// The address of a cloud's sign-in (reference §1.1).
pub(super) const fn authority(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Worldwide | Cloud::Gcc | Cloud::Lab => "https://login.microsoftonline.com",
        Cloud::GccHigh | Cloud::Dod => "https://login.microsoftonline.us",
        Cloud::China => "https://login.partner.microsoftonline.cn",
    }
}

impl Registration<'_> {
    /// Its rights, those to read and those to respond apart, each with its reason.
    // Writing to a String cannot fail, so the results are not looked at.
    pub(super) fn page(&self) -> String {
        let kind = match self.signed_in {
            SignedInAs::App => "application",
            SignedInAs::Person => "delegated",
        };
        let mut page = format!(
            "REGISTRATION for `{}`, the {} set, {kind} permissions\n",
            self.name,
            self.set.word()
        );
        for (title, changes) in [("To read", false), ("To respond", true)] {
            let permissions: Vec<&Permission> = self
                .set
                .permissions()
                .filter(|permission| {
                    (permission.calls(self.set).any(|call| call.change)) == changes
                })
                .collect();
            if permissions.is_empty() {
                continue;
            }
            let _ = writeln!(page, "\n{title}");
            for permission in permissions {
                match permission.name_for(self.signed_in) {
                    Some(name) => {
                        let _ = writeln!(page, "  {name} ({})", permission.resource.name());
                        let _ = writeln!(page, "      {}", why(permission, self.set));
                    }
                    None => {
                        let _ = writeln!(
                            page,
                            "  none for {}: Graph lets a signed-in person into no mailbox but their own; rules are read and removed through Exchange",
                            permission.name
                        );
                    }
                }
            }
        }
        let _ = writeln!(page, "\nOptional, in no manifest");
        for optional in OPTIONAL {
            let _ = writeln!(
                page,
                "  {} ({})\n      {}; without it: {}",
                optional.name, optional.of, optional.why, optional.without
            );
        }
        let whose = match self.signed_in {
            SignedInAs::App => "the app's service principal",
            SignedInAs::Person => "the person who responds",
        };
        let _ = writeln!(page, "\nRoles for {whose}");
        for role in roles(self.set, self.signed_in) {
            let steps: Vec<String> = steps_of_role(role, self.set, self.signed_in)
                .iter()
                .map(ToString::to_string)
                .collect();
            let _ = writeln!(page, "  {}\n      {}", role.name, steps.join(", "));
        }
        if self.set == Set::Response {
            let _ = writeln!(
                page,
                "  {FOR_PRIVILEGED}\n      only while an account that holds a role itself is taken back"
            );
        }
        page
    }

    /// The body of `POST /v1.0/applications`, which `az rest` and `New-MgApplication` take
    /// as it is. Permissions whose id is not confirmed are not in it.
    pub(super) fn manifest(&self) -> Value {
        let mut access = Vec::new();
        for resource in [Resource::Graph, Resource::Exchange] {
            let entries: Vec<Value> = self
                .set
                .permissions()
                .filter(|permission| permission.resource == resource)
                .filter_map(|permission| {
                    let (id, kind) = self.id(permission)?;
                    Some(json!({"id": id, "type": kind}))
                })
                .collect();
            if !entries.is_empty() {
                access.push(json!({
                    "resourceAppId": resource.app_id(),
                    "resourceAccess": entries,
                }));
            }
        }
        let mut manifest = json!({
            "displayName": format!("Retake {} ({})", self.set.word(), self.name),
            "signInAudience": "AzureADMyOrg",
            "requiredResourceAccess": access,
        });
        if self.signed_in == SignedInAs::Person {
            manifest["isFallbackPublicClient"] = json!(true);
        }
        if self.way == SignInWay::Browser {
            // Entra ignores the port of a loopback address (reference §1.3).
            manifest["publicClient"] = json!({"redirectUris": ["http://localhost"]});
        }
        manifest
    }

    /// The manifest with how to use it.
    pub(super) fn manifest_page(&self) -> String {
        let mut page = format!(
            "MANIFEST (az rest --method POST --url https://graph.microsoft.com/v1.0/applications --body @FILE)\n{:#}\n",
            self.manifest()
        );
        let by_name: Vec<&str> = self
            .set
            .permissions()
            .filter(|permission| self.id(permission).is_none())
            .filter_map(|permission| permission.name_for(self.signed_in))
            .collect();
        if !by_name.is_empty() {
            let _ = writeln!(
                page,
                "\nTo be added by name, because no published list confirms the id: {}",
                by_name.join(", ")
            );
        }
        page
    }

    /// Where an administrator consents.
    pub(super) fn consent(&self, client: &str) -> String {
        format!(
            "\nCONSENT, as an administrator of the tenant:\n  {}/{}/adminconsent?client_id={client}",
            self.authority, self.tenant
        )
    }

    fn id(&self, permission: &Permission) -> Option<(&'static str, &'static str)> {
        match self.signed_in {
            SignedInAs::App => permission.role_id.map(|id| (id, "Role")),
            SignedInAs::Person => permission.scope_id.map(|id| (id, "Scope")),
        }
    }
}

/// The steps that need it, and what it does in them.
fn why(permission: &Permission, set: Set) -> String {
    let steps: Vec<String> = permission
        .steps(set)
        .iter()
        .map(ToString::to_string)
        .collect();
    let mut does: Vec<&str> = permission.calls(set).map(|call| call.does).collect();
    does.dedup();
    format!("{}: {}", steps.join(", "), does.join("; "))
}

/// How an administrator takes the registration away.
pub(super) fn removal(tenant: &str, client: &str, signed_in: SignedInAs) -> String {
    let mut page = format!(
        "In the tenant {tenant}, as an administrator:\n  1. Entra admin centre, App registrations, {client}, Delete. Its permissions, secrets and certificates go with it.\n     az ad app delete --id {client}\n"
    );
    if signed_in == SignedInAs::Person {
        page.push_str(
            "  2. Take the roles away from the person who responded, if they were given for this.",
        );
    } else {
        page.push_str("  2. Its roles end with its service principal; look under Roles and administrators that none is left.");
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(set: Set, signed_in: SignedInAs, way: SignInWay) -> Registration<'static> {
        Registration {
            name: "contoso",
            tenant: "t1",
            authority: authority(Cloud::Worldwide),
            set,
            signed_in,
            way,
        }
    }

    #[test]
    fn every_permission_is_in_the_manifest_or_named_beside_it() {
        for set in [Set::ReadOnly, Set::Response] {
            for signed_in in [SignedInAs::App, SignedInAs::Person] {
                let registration = of(set, signed_in, SignInWay::Browser);
                let manifest = registration.manifest().to_string();
                let page = registration.manifest_page();
                let rights = registration.page();
                for permission in set.permissions() {
                    match (registration.id(permission), permission.name_for(signed_in)) {
                        (Some((id, _)), _) => assert!(manifest.contains(id)),
                        (None, Some(name)) => assert!(page.contains(name), "{name}"),
                        (None, None) => assert!(rights.contains(permission.name)),
                    }
                }
            }
        }
    }

    #[test]
    fn an_app_asks_for_roles_and_a_person_for_scopes_and_a_public_client() {
        let app = of(Set::Response, SignedInAs::App, SignInWay::Certificate).manifest();
        assert!(!app.to_string().contains("\"Scope\""));
        assert!(app.get("isFallbackPublicClient").is_none());
        let person = of(Set::Response, SignedInAs::Person, SignInWay::Browser).manifest();
        assert!(!person.to_string().contains("\"Role\""));
        assert_eq!(person["isFallbackPublicClient"], true);
        assert_eq!(
            person["publicClient"]["redirectUris"][0],
            "http://localhost"
        );
    }

    #[test]
    fn the_read_only_set_has_nothing_to_respond_with() {
        let page = of(Set::ReadOnly, SignedInAs::App, SignInWay::Secret).page();
        assert!(!page.contains("To respond"), "{page}");
        assert!(!page.contains("ReadWrite"), "{page}");
    }
}
