//! Where the responder stands in the tenant, and what that means for each step.

use std::collections::BTreeMap;

use retake_playbook::steps::StepId;
use retake_tenant::call::{EXCHANGE_GET_MAILBOX, EXCHANGE_GET_OUTBOUND_POLICY};
use retake_tenant::{CallSpec, Kind, Service, TenantError, TokenFacts};
use serde::Serialize;

use super::rights::{
    self, Role, Set, SignedInAs, covers, has_another_way, needed, reaches, role_for, roles,
};
use super::steps::NEEDS;

/// Everything that is known about the rights of whoever is signed in. What is not
/// known is `None`, and is never taken for missing.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Which kind of sign-in.
    pub signed_in: SignedInAs,
    /// Who.
    pub who: Identity,
    /// What the Graph token says that it carries.
    pub graph: Option<Vec<String>>,
    /// What the Exchange token says that it carries.
    pub exchange: Option<Vec<String>>,
    /// Names of the directory roles that are assigned directly.
    pub roles: Option<Vec<String>>,
    /// What a call itself has shown, by the call's id.
    pub shown: BTreeMap<&'static str, Shown>,
}

/// Who is signed in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// Name of the app, where it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// App id of the registration.
    pub app_id: String,
    /// Object id of the service principal or person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_id: Option<String>,
    /// The person's sign-in name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
}

/// What a call has shown about its rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// It went through.
    Allowed,
    /// Refused for want of a permission or role.
    Refused,
    /// The tenant has no licence for it.
    NoLicence,
    /// It failed for another reason, which says nothing.
    Failed,
}

impl Shown {
    /// What this outcome shows.
    pub fn of<T>(outcome: &Result<T, TenantError>) -> Self {
        match outcome {
            Ok(_) => Self::Allowed,
            Err(error) => match error.kind {
                // Who is told that an object is not there was let in before.
                Kind::NotFound => Self::Allowed,
                Kind::PermissionMissing { .. } => Self::Refused,
                Kind::LicenceMissing => Self::NoLicence,
                _ => Self::Failed,
            },
        }
    }
}

/// Whether something can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Can {
    /// A harmless call went through, or the token carries what a change needs.
    Yes,
    /// Something is missing.
    No,
    /// It could not be found out.
    Unknown,
}

/// One thing to grant, to whom, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Grant {
    /// The permission or role, by its name.
    pub name: String,
    /// The whole order, as a person carries it out.
    pub order: String,
}

/// What a step can do with these rights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepStanding {
    /// The step.
    pub step: StepId,
    /// What it is.
    pub title: &'static str,
    /// Whether it can run.
    pub can: Can,
    /// What to grant so that it can.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
    /// What else stands in the way, or could not be found out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What is known about one right.
enum Right {
    Held,
    Missing(Grant),
    Unknown(String),
}

impl Standing {
    /// What the tokens say, before anything was asked for.
    pub fn of_tokens(
        client_id: &str,
        graph: Option<&TokenFacts>,
        exchange: Option<&TokenFacts>,
    ) -> Self {
        let person = graph.is_some_and(|facts| facts.scp.is_some() || facts.upn.is_some());
        Self {
            signed_in: if person {
                SignedInAs::Person
            } else {
                SignedInAs::App
            },
            who: Identity {
                app: None,
                app_id: client_id.to_owned(),
                object_id: graph.and_then(|facts| facts.object_id.clone()),
                person: graph.and_then(|facts| facts.upn.clone()),
            },
            graph: graph.map(permissions_of),
            exchange: exchange.map(permissions_of),
            roles: None,
            shown: BTreeMap::new(),
        }
    }

    /// Notes what a call has shown.
    pub fn saw<T>(&mut self, call: &'static CallSpec, outcome: &Result<T, TenantError>) {
        self.shown.insert(call.id, Shown::of(outcome));
    }

    /// What each step of this set can do.
    pub fn steps(&self, set: Set) -> Vec<StepStanding> {
        NEEDS
            .iter()
            .map(|needs| {
                let calls = needs.calls.iter().copied().filter(|call| set.makes(call));
                self.step(needs.step, calls, set)
            })
            .collect()
    }

    /// Whether one call can be made.
    pub fn call(&self, call: &'static CallSpec, set: Set) -> Can {
        self.step(StepId::new(1, 5), std::iter::once(call), set).can
    }

    /// What to grant for one call, in words.
    pub fn orders(&self, call: &'static CallSpec, set: Set) -> Vec<String> {
        self.step(StepId::new(1, 5), std::iter::once(call), set)
            .grants
            .into_iter()
            .map(|grant| grant.order)
            .collect()
    }

    fn step(
        &self,
        step: StepId,
        calls: impl Iterator<Item = &'static CallSpec>,
        set: Set,
    ) -> StepStanding {
        let mut standing = StepStanding {
            step,
            title: step.title(),
            can: Can::Yes,
            grants: Vec::new(),
            notes: Vec::new(),
        };
        for call in calls {
            if self.shown.get(call.id) == Some(&Shown::NoLicence) {
                note(
                    &mut standing.notes,
                    format!("cannot {}: the tenant has no licence for it", call.does),
                );
                continue;
            }
            if has_another_way(call) {
                if let Some(why) = self.goes_through_exchange(call, set) {
                    note(&mut standing.notes, why);
                }
                continue;
            }
            for right in self.rights(call, set) {
                match right {
                    Right::Held => {}
                    Right::Missing(grant) => {
                        standing.can = Can::No;
                        if !standing.grants.contains(&grant) {
                            standing.grants.push(grant);
                        }
                    }
                    Right::Unknown(why) => {
                        if standing.can == Can::Yes {
                            standing.can = Can::Unknown;
                        }
                        note(&mut standing.notes, why);
                    }
                }
            }
        }
        standing.grants.sort();
        standing
    }

    /// Why rules are handled through Exchange alone, if they are, and what spares the
    /// mailbox what that costs.
    fn goes_through_exchange(&self, call: &'static CallSpec, set: Set) -> Option<String> {
        const COST: &str = "inbox rules are read and removed through Exchange alone, and any such removal takes Outlook's client-side rules of the mailbox with it";
        if !reaches(call, self.signed_in) {
            return Some(format!(
                "{COST}: Graph lets a signed-in person into no mailbox but their own"
            ));
        }
        self.rights(call, set)
            .into_iter()
            .find_map(|right| match right {
                Right::Missing(grant) => Some(format!("{COST}; to spare them, {}", grant.order)),
                Right::Held | Right::Unknown(_) => None,
            })
    }

    /// Permission and role for a call, as far as they are known.
    fn rights(&self, call: &'static CallSpec, set: Set) -> Vec<Right> {
        // A batch may what the calls in it may.
        let tried = call.batch_of().unwrap_or(call);
        let shown = self.shown.get(tried.id).copied();
        let reads_mailboxes = || {
            call.service == Service::Exchange
                && [&EXCHANGE_GET_MAILBOX, &EXCHANGE_GET_OUTBOUND_POLICY]
                    .iter()
                    .any(|other| self.shown.get(other.id) == Some(&Shown::Allowed))
        };
        let allowed = shown == Some(Shown::Allowed) || (shown.is_none() && reads_mailboxes());
        if allowed && !call.change {
            return vec![Right::Held];
        }
        let permission = self.permission(call, set, shown);
        let refused_by_role = shown == Some(Shown::Refused) && matches!(permission, Right::Held);
        let mut rights = vec![permission];
        if let Some(role) = role_for(call, self.signed_in) {
            rights.push(self.role(role, set, refused_by_role));
        }
        rights
    }

    fn permission(&self, call: &'static CallSpec, set: Set, shown: Option<Shown>) -> Right {
        let claims = match call.service {
            Service::Exchange => self.exchange.as_ref(),
            _ => self.graph.as_ref(),
        };
        let name = needed(call, set, self.signed_in);
        match claims {
            Some(claims) if carries(claims, call) => Right::Held,
            Some(_) => Right::Missing(self.permission_grant(name, call.service)),
            None if shown == Some(Shown::Refused) => {
                Right::Missing(self.permission_grant(name, call.service))
            }
            None => Right::Unknown(format!(
                "whether `{name}` is there could not be found out: the token for {} could not be read",
                call.service.words()
            )),
        }
    }

    fn role(&self, role: &'static Role, set: Set, refused: bool) -> Right {
        let name = declared(role, set, self.signed_in);
        let does = |held: &String| {
            held.eq_ignore_ascii_case(role.name)
                || role.or.iter().any(|other| held.eq_ignore_ascii_case(other))
        };
        match &self.roles {
            Some(held) if held.iter().any(does) => Right::Held,
            Some(_) => Right::Missing(self.role_grant(name)),
            None if refused => Right::Missing(self.role_grant(name)),
            None => Right::Unknown(format!(
                "whether the role `{name}` is held could not be found out"
            )),
        }
    }

    /// The order to grant a permission.
    pub fn permission_grant(&self, name: &str, service: Service) -> Grant {
        let kind = match self.signed_in {
            SignedInAs::App => "application",
            SignedInAs::Person => "delegated",
        };
        let resource = match service {
            Service::Exchange => rights::Resource::Exchange,
            _ => rights::Resource::Graph,
        };
        Grant {
            name: name.to_owned(),
            order: format!(
                "grant the {kind} permission `{name}` ({}) to {}: Entra admin centre, App registrations, API permissions, then admin consent",
                resource.name(),
                self.who.app_words()
            ),
        }
    }

    /// The order to grant a role.
    pub fn role_grant(&self, role: &str) -> Grant {
        let whom = match (self.signed_in, &self.who.person) {
            (SignedInAs::Person, Some(person)) => person.clone(),
            _ => format!("the service principal of {}", self.who.app_words()),
        };
        Grant {
            name: role.to_owned(),
            order: format!(
                "give the role `{role}` to {whom}: Entra admin centre, Roles and administrators"
            ),
        }
    }
}

impl Identity {
    fn app_words(&self) -> String {
        match &self.app {
            Some(name) => format!("the app \"{name}\" ({})", self.app_id),
            None => format!("the app {}", self.app_id),
        }
    }
}

/// The role of the set that does what this one does: nobody is told to give two.
fn declared(role: &'static Role, set: Set, signed_in: SignedInAs) -> &'static str {
    roles(set, signed_in)
        .iter()
        .map(|declared| declared.name)
        .find(|name| *name == role.name || role.or.contains(name))
        .unwrap_or(role.name)
}

/// What a token says that it carries, of either kind.
fn permissions_of(facts: &TokenFacts) -> Vec<String> {
    facts
        .roles
        .iter()
        .cloned()
        .chain(
            facts
                .scp
                .iter()
                .flat_map(|scopes| scopes.split_whitespace())
                .map(str::to_owned),
        )
        .collect()
}

/// Whether one of the claims lets the call through. A delegated scope for Exchange has
/// a name of its own.
fn carries(claims: &[String], call: &CallSpec) -> bool {
    claims.iter().any(|held| {
        call.permissions.iter().any(|wanted| covers(held, wanted))
            || (call.service == Service::Exchange && held == "Exchange.Manage")
    })
}

fn note(notes: &mut Vec<String>, text: String) {
    if !notes.contains(&text) {
        notes.push(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use retake_tenant::call::{DOMAINS, USER};

    /// An app that holds exactly what the response set declares.
    fn complete() -> Standing {
        let names: Vec<String> = Set::Response
            .permissions()
            .map(|permission| permission.name.to_owned())
            .collect();
        Standing {
            signed_in: SignedInAs::App,
            who: Identity {
                app: Some("Incident response".to_owned()),
                app_id: "a1".to_owned(),
                object_id: Some("o1".to_owned()),
                person: None,
            },
            graph: Some(names.clone()),
            exchange: Some(names),
            roles: Some(
                rights::roles(Set::Response, SignedInAs::App)
                    .iter()
                    .map(|role| role.name.to_owned())
                    .collect(),
            ),
            shown: BTreeMap::new(),
        }
    }

    #[test]
    fn with_the_declared_set_every_step_can_run() {
        for step in complete().steps(Set::Response) {
            assert_eq!(step.can, Can::Yes, "{step:?}");
        }
    }

    #[test]
    fn without_any_one_permission_exactly_its_steps_cannot_and_say_what_to_grant() {
        for permission in Set::Response.permissions() {
            let mut standing = complete();
            for claims in [&mut standing.graph, &mut standing.exchange] {
                claims
                    .as_mut()
                    .unwrap()
                    .retain(|name| name != permission.name);
            }
            // Rules have another way, which the step names with what it costs.
            let another = permission.calls(Set::Response).all(has_another_way);
            for step in standing.steps(Set::Response) {
                let needs = permission.steps(Set::Response).contains(&step.step);
                let cannot = needs && !another;
                assert_eq!(step.can == Can::No, cannot, "{}: {step:?}", permission.name);
                if needs {
                    let said = match &step.grants[..] {
                        [grant] => {
                            assert_eq!(grant.name, permission.name);
                            grant.order.clone()
                        }
                        [] if another => step.notes.join(" "),
                        other => panic!("{}: {other:?}", permission.name),
                    };
                    for part in [permission.name, "Incident response", "a1", "admin consent"] {
                        assert!(said.contains(part), "{said}");
                    }
                }
            }
        }
    }

    #[test]
    fn without_a_role_its_steps_cannot_and_say_to_whom_to_give_it() {
        for role in rights::roles(Set::Response, SignedInAs::App) {
            let mut standing = complete();
            standing
                .roles
                .as_mut()
                .unwrap()
                .retain(|held| held != role.name);
            let steps = standing.steps(Set::Response);
            let lacking: Vec<StepId> = steps
                .iter()
                .filter(|step| step.can == Can::No)
                .map(|step| step.step)
                .collect();
            assert_eq!(
                lacking,
                rights::steps_of_role(role, Set::Response, SignedInAs::App)
            );
            for step in steps.iter().filter(|step| step.can == Can::No) {
                assert!(
                    step.grants
                        .iter()
                        .all(|grant| grant.order.contains("service principal of the app")),
                    "{step:?}"
                );
            }
        }
    }

    #[test]
    fn what_is_not_known_is_not_missing() {
        let standing = Standing {
            graph: None,
            exchange: None,
            roles: None,
            ..complete()
        };
        for step in standing.steps(Set::Response) {
            assert_eq!(step.can, Can::Unknown, "{step:?}");
            assert!(step.grants.is_empty());
        }
    }

    #[test]
    fn a_call_that_went_through_outweighs_the_token_and_a_refusal_names_the_role() {
        let mut standing = complete();
        standing.graph = Some(Vec::new());
        for call in [&USER, &DOMAINS] {
            standing.shown.insert(call.id, Shown::Allowed);
        }
        let steps = standing.steps(Set::ReadOnly);
        assert_eq!(steps[0].can, Can::Yes, "{:?}", steps[0]);

        let mut standing = complete();
        standing.roles = None;
        standing
            .shown
            .insert(EXCHANGE_GET_MAILBOX.id, Shown::Refused);
        let snapshot = standing
            .steps(Set::Response)
            .into_iter()
            .find(|step| step.step == StepId::new(1, 4))
            .unwrap();
        assert_eq!(snapshot.can, Can::No);
        assert_eq!(snapshot.grants[0].name, "Exchange Administrator");
    }

    #[test]
    fn a_person_is_told_that_rules_go_through_exchange_and_what_that_costs() {
        let mut standing = Standing {
            signed_in: SignedInAs::Person,
            ..complete()
        };
        let roles = rights::roles(Set::Response, SignedInAs::Person);
        standing.roles = Some(roles.iter().map(|role| role.name.to_owned()).collect());
        let rules = standing
            .steps(Set::Response)
            .into_iter()
            .find(|step| step.step == StepId::new(5, 1))
            .unwrap();
        assert_eq!(rules.can, Can::Yes, "{rules:?}");
        assert!(rules.notes[0].contains("no mailbox but their own"));
        assert!(rules.notes[0].contains("client-side rules"));
    }
}
