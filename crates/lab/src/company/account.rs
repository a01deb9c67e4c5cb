//! Making the affected account what the scenario says it is.

use jiff::{SignedDuration, Timestamp};

use crate::chance::Chance;
use crate::scenario::{AccountKind, Affected, FIRST_FURTHER, Move, Scenario};
use crate::world::standing::OnPremises;
use crate::world::{Origin, RoleAssignment, Surface, User, UserType, World, known};

use super::{Company, before, names};

/// How long before the alert an account is renamed.
pub(crate) const RENAMED: SignedDuration = SignedDuration::from_hours(2);
/// How long before the alert it is deleted.
pub(crate) const DELETED: SignedDuration = SignedDuration::from_mins(20);

/// What has to be so before the account gets its mailbox.
pub(super) fn shape(user: &mut User, scenario: &Scenario, world: &World, chance: Chance) {
    let kind = scenario.account().kind;
    user.has_mailbox = kind.has_mailbox();
    match kind {
        AccountKind::Guest => {
            let home = format!(
                "{}-{}.example",
                chance
                    .draw("guest", "home", 0)
                    .word(&names::COMPANY_SECOND)
                    .to_lowercase(),
                chance.draw("guest", "home", 1).below(90) + 10
            );
            let alias = user.upn.split('@').next().unwrap_or_default().to_owned();
            user.user_type = UserType::Guest;
            user.mail = format!("{alias}@{home}");
            user.upn = format!("{alias}_{home}#EXT#@{}", world.tenant.initial_domain);
            user.proxy_addresses = vec![format!("SMTP:{}", user.mail)];
            user.licences.clear();
            // Its methods are its home tenant's.
            user.methods.clear();
            user.default_method = None;
            user.department = String::new();
        }
        AccountKind::NoLicence | AccountKind::NoMailbox => {
            user.mail = String::new();
            user.proxy_addresses.clear();
            if kind == AccountKind::NoLicence {
                user.licences.clear();
            }
        }
        AccountKind::SharedMailbox => user.licences.clear(),
        _ => {}
    }
    // A password alone opens nothing where a second factor is registered.
    let sprayed = scenario
        .steps()
        .any(|step| step.action == Move::SprayPasswords);
    if sprayed {
        user.methods
            .retain(|method| !method.kind.is_second_factor());
        user.default_method = None;
    }
}

/// What lies around the account: roles, unit, on-premises twin, federation.
pub(super) fn place(
    world: &mut World,
    scenario: &Scenario,
    chance: Chance,
    affected: &str,
    responder: &str,
    alert: Timestamp,
) {
    let account = scenario.account();
    for name in &account.roles {
        give_role(world, affected, name, None);
    }
    match account.kind {
        AccountKind::SharedMailbox => {
            if let Some(mailbox) = world.mailboxes.get_mut(affected) {
                mailbox.shared = true;
            }
        }
        AccountKind::Restricted => {
            let id = world.restrict(affected);
            for name in &scenario.responder.unit_roles {
                give_role(world, responder, name, Some(&id));
            }
        }
        AccountKind::Synced => {
            synchroniser(world, chance, alert);
            if let Some(user) = world.users.get_mut(affected) {
                user.on_premises = Some(OnPremises {
                    enabled: true,
                    new_password: None,
                    last_sync: alert,
                    account_name: user.upn.split('@').next().unwrap_or_default().to_owned(),
                    immutable_id: format!("{}==", chance.draw(affected, "anchor", 0).hex(22)),
                });
            }
        }
        AccountKind::Federated => world.tenant.federated = true,
        _ => {}
    }
}

/// The colleagues whose accounts are taken too, with their roles: by seed, of those who
/// have no part in the response.
pub(super) fn further(
    world: &mut World,
    scenario: &Scenario,
    chance: Chance,
    colleagues: &[String],
) -> Vec<String> {
    let free = colleagues.get(FIRST_FURTHER..).unwrap_or_default();
    chance
        .order("company", "further accounts", free.len())
        .into_iter()
        .filter_map(|index| free.get(index))
        .zip(scenario.further())
        .map(|(user, further)| {
            for name in &further.roles {
                give_role(world, user, name, None);
            }
            user.clone()
        })
        .collect()
}

fn give_role(world: &mut World, principal: &str, name: &str, unit: Option<&str>) {
    let Some(role) = known::role_template(name) else {
        return;
    };
    let id = world.new_id("role assignment");
    world.roles.push(RoleAssignment {
        id,
        principal_id: principal.to_owned(),
        role: role.to_owned(),
        unit: unit.map(str::to_owned),
    });
}

/// The account under which the synchronisation writes.
fn synchroniser(world: &mut World, chance: Chance, alert: Timestamp) {
    let id = chance.draw("synchronisation", "id", 0).uuid().to_string();
    let upn = format!(
        "Sync_SRV{}_{}@{}",
        chance.draw("synchronisation", "server", 0).below(9) + 1,
        chance.draw("synchronisation", "account", 0).hex(12),
        world.tenant.initial_domain
    );
    let mut user = User::new(
        &id,
        &upn,
        "On-Premises Directory Synchronization Service Account",
        before(alert, 900),
    );
    user.has_mailbox = false;
    user.mail = String::new();
    user.proxy_addresses.clear();
    world.add_user(user);
}

impl Company {
    /// The name that the alert gives, where it is no longer the account's.
    pub(crate) fn former_name(&self) -> Option<&str> {
        self.former_name.as_deref()
    }

    /// What happens to the account itself shortly before the alert.
    pub(crate) fn change_account(&mut self, world: &mut World, account: &Affected, now: Timestamp) {
        let ip = self.office.enter(world, 2);
        let by = Origin::user(
            self.colleagues.first().map_or("", String::as_str),
            known::OFFICE_HOME,
            &ip,
            "",
        )
        .through(Surface::Portal);
        let me = self.affected.clone();
        match account.kind {
            AccountKind::Renamed => {
                let Some(upn) = world.users.get(&me).map(|user| user.upn.clone()) else {
                    return;
                };
                let (alias, domain) = upn.split_once('@').unwrap_or((&upn, ""));
                let given = alias.split('.').next().unwrap_or(alias);
                let surname = self
                    .chance
                    .draw("renamed", "surname", 0)
                    .word(&names::SURNAMES)
                    .to_lowercase();
                let to = format!("{given}.{surname}-{}@{domain}", alias.len());
                world.rename(now, &by, &me, &to, account.keeps_former_address);
            }
            AccountKind::Deleted => world.delete_user(now, &by, &me),
            _ => {}
        }
    }
}
