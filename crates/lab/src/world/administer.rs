//! What an administrator of the tenant does for the responder's app: rights,
//! roles, certificates, and consent to a partner's app.

use jiff::Timestamp;

use super::registration::{AppRegistration, RegisteredCertificate};
use super::{RoleAssignment, ServicePrincipal, World, known};

/// The app of a partner who responds in several tenants.
#[derive(Clone, Debug)]
pub(crate) struct PartnerApp<'a> {
    /// The partner's tenant.
    pub(crate) tenant: &'a str,
    /// Client id.
    pub(crate) client_id: &'a str,
    /// Its secret.
    pub(crate) secret: &'a str,
    /// Its certificate, PEM.
    pub(crate) certificate: &'a str,
}

impl World {
    /// Consents to a partner's app with the permissions and roles of the
    /// responder's own; false when it is here already.
    pub(crate) fn consent_partner(&mut self, partner: &PartnerApp<'_>, now: Timestamp) -> bool {
        let client_id = partner.client_id.to_lowercase();
        let own = self.tenant.responder_app.to_lowercase();
        if self.registrations.contains_key(&client_id) {
            return false;
        }
        let (Some(mut registration), Some(mine)) = (
            self.registrations.get(&own).cloned(),
            self.principal_of_app(&own).map(|app| app.id.clone()),
        ) else {
            return false;
        };
        // Its credentials are the partner's; its rights are what is consented
        // here.
        partner.client_id.clone_into(&mut registration.app_id);
        registration.secret = Some(AppRegistration::digest(partner.secret));
        registration.certificates =
            x509_parser::pem::parse_x509_pem(partner.certificate.as_bytes())
                .ok()
                .and_then(|(_, pem)| RegisteredCertificate::read(&pem.contents))
                .into_iter()
                .collect();
        registration.federated.clear();
        self.registrations.insert(client_id.clone(), registration);
        let id = self.new_id("partner's principal");
        let app = ServicePrincipal::new(&id, &client_id, "Partner's response", partner.tenant, now);
        self.service_principals.insert(id.clone(), app);
        let roles: Vec<String> = self
            .roles_of(&mine)
            .into_iter()
            .map(str::to_owned)
            .collect();
        for role in roles {
            let assignment = self.new_id("role assignment");
            self.roles.push(RoleAssignment {
                id: assignment,
                principal_id: id.clone(),
                role,
                unit: None,
            });
        }
        true
    }

    /// Takes a permission of the responder's app away, application and delegated,
    /// or gives it back; false where nothing changes. Tokens that are out keep
    /// what they carry.
    pub(crate) fn set_permission(&mut self, permission: &str, granted: bool) -> bool {
        let resource = match permission {
            name if name.starts_with("Exchange.") => known::EXCHANGE,
            name if name.starts_with("ActivityFeed.") => known::MANAGEMENT,
            _ => known::GRAPH,
        };
        let app = self.tenant.responder_app.to_lowercase();
        self.set_scope(&app, resource, permission, granted);
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

    /// The same for what an administrator consented to for everybody who uses
    /// the app.
    fn set_scope(&mut self, app: &str, resource: &str, permission: &str, granted: bool) {
        let scope = match permission {
            "Exchange.ManageAsApp" => "Exchange.Manage",
            other => other,
        };
        let id_of = |app: &str| self.principal_of_app(app).map(|app| app.id.clone());
        let (Some(client), Some(resource)) = (id_of(app), id_of(resource)) else {
            return;
        };
        let grants = self.grants.values_mut().filter(|grant| {
            grant.client_id == client
                && grant.resource_id == resource
                && grant.principal_id.is_none()
        });
        for grant in grants {
            grant
                .scopes
                .retain(|held| !held.eq_ignore_ascii_case(scope));
            if granted {
                grant.scopes.push(scope.to_owned());
            }
        }
    }

    /// Gives a directory role to the responder's app and its operator, or takes
    /// it away; false where nothing changes or the name is none.
    pub(crate) fn set_role(&mut self, name: &str, granted: bool) -> bool {
        let Some(role) = known::role_template(name) else {
            return false;
        };
        let app = self
            .principal_of_app(&self.tenant.responder_app)
            .map(|app| app.id.clone());
        let operator = self.user_id(&self.tenant.operator);
        let mut changed = false;
        for principal in [app, operator].into_iter().flatten() {
            let held = |assignment: &RoleAssignment| {
                assignment.principal_id == principal && assignment.role == role
            };
            let has = self.roles.iter().any(held);
            if has && !granted {
                self.roles.retain(|assignment| !held(assignment));
            } else if granted && !has {
                let id = self.new_id("role assignment");
                self.roles.push(RoleAssignment {
                    id,
                    principal_id: principal.clone(),
                    role: role.to_owned(),
                    unit: None,
                });
            }
            changed |= has != granted;
        }
        changed
    }

    /// Uploads a certificate (DER or PEM) to the responder's app registration.
    pub(crate) fn register_certificate(&mut self, certificate: &[u8]) -> bool {
        let der = x509_parser::pem::parse_x509_pem(certificate)
            .map_or_else(|_| certificate.to_vec(), |(_, pem)| pem.contents);
        let app = self.tenant.responder_app.to_lowercase();
        match (
            RegisteredCertificate::read(&der),
            self.registrations.get_mut(&app),
        ) {
            (Some(certificate), Some(registration)) => {
                registration.certificates.push(certificate);
                true
            }
            _ => false,
        }
    }
}
