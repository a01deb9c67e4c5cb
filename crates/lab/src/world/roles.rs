//! Giving and taking directory roles (reference §3, §7.3).

use jiff::Timestamp;
use serde_json::json;

use super::changes::Activity;
use super::logs::Target;
use super::{Origin, RoleAssignment, World};
use crate::services::graph::directory::role_name;

impl World {
    /// Assigns a directory role for the whole tenant; the assignment's id, or nothing where
    /// the principal holds the role already.
    pub(crate) fn give_role(
        &mut self,
        now: Timestamp,
        by: &Origin,
        principal: &str,
        role: &str,
    ) -> Option<String> {
        if self.roles_of(principal).contains(&role) {
            return None;
        }
        let id = self.next(principal, "role assignment").text(
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
            43,
        );
        self.roles.push(RoleAssignment {
            id: id.clone(),
            principal_id: principal.to_owned(),
            role: role.to_owned(),
            unit: None,
        });
        self.role_audit(now, by, principal, role, true);
        Some(id)
    }

    /// Removes an assignment; false where there is none of this id.
    pub(crate) fn take_role(&mut self, now: Timestamp, by: &Origin, id: &str) -> bool {
        let Some(place) = self.roles.iter().position(|held| held.id == id) else {
            return false;
        };
        let held = self.roles.remove(place);
        self.role_audit(now, by, &held.principal_id, &held.role, false);
        true
    }

    /// "Add member to role" names the member first and what role it is by its properties.
    fn role_audit(&mut self, now: Timestamp, by: &Origin, principal: &str, role: &str, add: bool) {
        let name = role_name(role).to_owned();
        let quoted = |text: &str| Some(json!(text).to_string());
        let property = |key: &str, text: &str| {
            let (old, new) = if add {
                (None, quoted(text))
            } else {
                (quoted(text), None)
            };
            (key.to_owned(), old, new)
        };
        let mut member = self.user_target(
            principal,
            vec![
                property("Role.ObjectID", role),
                property("Role.DisplayName", &name),
                property("Role.TemplateId", role),
            ],
        );
        if member.upn.is_none() {
            member.kind = String::from("ServicePrincipal");
        }
        let target = Target {
            id: role.to_owned(),
            kind: String::from("Role"),
            name,
            upn: None,
            modified: Vec::new(),
        };
        self.audit_directory(
            now,
            by,
            &Activity {
                name: if add {
                    "Add member to role"
                } else {
                    "Remove member from role"
                },
                category: "RoleManagement",
                service: "Core Directory",
                operation: if add { "Assign" } else { "Unassign" },
            },
            vec![member, target],
        );
    }
}
