//! What each action sends: the one request that carries it out, or takes it back.

use retake_playbook::event::{
    Facts, Holder, MailboxRight, Planned, is_standing_entry, ordinary_rights,
};
use retake_playbook::judge::{JunkList, junk_entries, preference, reopened, restored_values};
use retake_playbook::undo::CannotUndo;
use retake_playbook::{ActionKind, plan};
use retake_tenant::client::Giving;
use retake_tenant::edge::Entropy;
use retake_tenant::model::{AutoReply, Forwarding, Keeping, MethodKind};
use retake_tenant::{Kind, Prepared, Tenant, TenantError};
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::explain::ByHand;
use crate::observe::user_key;
use crate::undo::{NoWay, Past, prepare_reverse, set_reset_attribute};

use super::{Hand, facts, seen};

impl Hand<'_> {
    /// The request of an action, or of its undo.
    pub(super) fn request_of(&self, planned: &Planned) -> Result<Prepared, NoWay> {
        let Some(of) = planned.undoes else {
            return Ok(self.prepare(planned, true)?);
        };
        let state = self.case.state();
        let Some(action) = state.actions.get(&of) else {
            return Err(NoWay::Cannot(CannotUndo::NoSuchAction(of)));
        };
        prepare_reverse(self.tenant, &Past::new(self.case, &state, action))
    }

    /// The request of an action. Without `for_real` a password is a placeholder.
    pub(super) fn prepare(
        &self,
        planned: &Planned,
        for_real: bool,
    ) -> Result<Prepared, TenantError> {
        let state = self.case.state();
        // What lies in another mailbox is changed there.
        let user = match &planned.object.mailbox {
            Some(mailbox) => mailbox.clone(),
            None => user_key(&state).unwrap_or_default(),
        };
        let tenant = self.tenant;
        match planned.kind {
            ActionKind::BlockSignIn => tenant.prepare_block(&user),
            ActionKind::RestoreSignIn => tenant.prepare_unblock(&user),
            ActionKind::RevokeSessions => tenant.prepare_revoke(&user),
            ActionKind::ResetPassword => {
                let password = if for_real {
                    random_password(self.entropy)
                } else {
                    SecretString::from("not-the-password".to_owned())
                };
                tenant.prepare_reset_password(&user, password, true)
            }
            ActionKind::RemoveMethod => {
                let kind = match facts(&state, planned) {
                    Some(Facts::Method { method, .. }) => MethodKind::of(method),
                    _ => MethodKind::Unknown,
                };
                tenant.prepare_delete_method(&user, kind, &planned.object.id)
            }
            ActionKind::RemoveInboxRule => {
                let id = match facts(&state, planned) {
                    Some(Facts::InboxRule {
                        graph_id: Some(id), ..
                    }) => id,
                    _ => &planned.object.id,
                };
                tenant.prepare_delete_graph_rule(&user, id)
            }
            ActionKind::RemoveHiddenRule | ActionKind::RemoveRuleInExchange => {
                tenant.prepare_remove_inbox_rule(&user, &planned.object.id)
            }
            ActionKind::ClearForwarding => {
                tenant.prepare_set_forwarding(&user, &Forwarding::default())
            }
            ActionKind::RaiseRetention => tenant.prepare_set_keeping(
                &user,
                Keeping {
                    single_item_recovery: Some(true),
                    retain_days: Some(plan::RETAIN_DAYS),
                    litigation_hold: None,
                },
            ),
            ActionKind::HoldMailbox => tenant.prepare_set_keeping(
                &user,
                Keeping {
                    litigation_hold: Some(true),
                    ..Keeping::default()
                },
            ),
            ActionKind::RemoveGrant => tenant.prepare_delete_grant(&planned.object.id),
            ActionKind::RemoveMailboxRight => {
                let Some(Facts::MailboxRight { right, holder }) = facts(&state, planned) else {
                    return Err(nothing_known(planned));
                };
                prepare_right(tenant, &user, *right, holder, Giving::Take)
            }
            ActionKind::RemoveFolderRight => {
                let Some(Facts::FolderRight {
                    folder,
                    folder_type,
                    holder,
                    ..
                }) = facts(&state, planned)
                else {
                    return Err(nothing_known(planned));
                };
                let who = holder.shown.as_str();
                if is_standing_entry(who) {
                    // What stands in every list is lowered, not removed.
                    let ordinary = [ordinary_rights(folder_type, who).to_owned()];
                    tenant.prepare_set_folder_right(&user, folder, who, &ordinary)
                } else {
                    tenant.prepare_remove_folder_right(&user, folder, holder.unmistakable())
                }
            }
            ActionKind::RemoveSweepRule => {
                tenant.prepare_remove_sweep_rule(&user, &planned.object.id)
            }
            ActionKind::SwitchOffAutoReply => {
                tenant.prepare_set_auto_reply(&user, &AutoReply::default())
            }
            ActionKind::RemoveJunkEntries => {
                let entries = seen(&state, planned)
                    .map(|observed| junk_entries(&state, observed).0)
                    .unwrap_or_default();
                let lists: Vec<(&str, Vec<String>)> = JunkList::ALL
                    .into_iter()
                    .map(|list| {
                        let of_list = entries.iter().filter(|entry| entry.list == list);
                        (
                            list.parameter(),
                            of_list.map(|entry| entry.entry.clone()).collect(),
                        )
                    })
                    .collect();
                tenant.prepare_change_junk_lists(&user, &lists, false)
            }
            ActionKind::RestoreProtocols => {
                let switches: Vec<(&str, Option<bool>)> = seen(&state, planned)
                    .map(|observed| reopened(&state, observed))
                    .unwrap_or_default()
                    .into_iter()
                    .map(|one| (one.parameter, one.before))
                    .collect();
                tenant.prepare_set_protocols(&user, &switches)
            }
            ActionKind::RemovePartnership => {
                tenant.prepare_remove_mobile_device(&user, &planned.object.id)
            }
            ActionKind::LiftSendingBlock => {
                let address = planned.object.name.as_deref().unwrap_or(&user);
                tenant.prepare_lift_sending_block(address)
            }
            ActionKind::ChooseDefaultMethod => {
                let word = facts(&state, planned).and_then(preference);
                tenant.prepare_set_default_method(&user, word.unwrap_or_default())
            }
            ActionKind::DisableDevice => tenant.prepare_disable_device(&planned.object.id),
            ActionKind::RemoveAppRole => tenant.prepare_delete_app_role(&user, &planned.object.id),
            ActionKind::RestoreResetAttribute => {
                let restored =
                    seen(&state, planned).and_then(|observed| restored_values(&state, observed));
                match restored {
                    Some(to) => set_reset_attribute(tenant, &user, &to.attribute, &to.values),
                    // Nothing of the attacker's is there any more: as it is seen.
                    None => match facts(&state, planned) {
                        Some(Facts::ResetAttribute { attribute, values }) => {
                            set_reset_attribute(tenant, &user, attribute, values)
                        }
                        _ => set_reset_attribute(tenant, &user, "", &[]),
                    },
                }
            }
            ActionKind::DisableApp => tenant.prepare_disable_app(&planned.object.id),
            ActionKind::RemoveRole => tenant.prepare_remove_role(&planned.object.id),
        }
    }

    /// How each action of the latest plan is done by hand.
    pub(crate) fn by_hand(&self) -> Vec<ByHand> {
        self.case
            .state()
            .plan_actions()
            .map(|action| match self.prepare(&action.planned, false) {
                Ok(prepared) => ByHand::of(&prepared),
                Err(error) => ByHand {
                    call: error.to_string(),
                    powershell: String::new(),
                },
            })
            .collect()
    }
}

/// A password that nobody will ever type: the owner comes back by a temporary
/// access pass. 32 characters of four classes from 32 random bytes.
fn random_password(entropy: &dyn Entropy) -> SecretString {
    const LETTERS: &[u8; 64] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789-_+=.:#";
    let mut random = Zeroizing::new([0_u8; 32]);
    entropy.fill(&mut *random);
    let mut password = Zeroizing::new(String::with_capacity(36));
    for byte in random.iter() {
        password.push(char::from(LETTERS[usize::from(byte % 64)]));
    }
    // Whatever the bytes were, every class that a policy may want is there.
    password.push_str("aZ9-");
    SecretString::from(password.as_str().to_owned())
}

/// The request that gives a right on a mailbox, or takes it away.
pub(crate) fn prepare_right(
    tenant: &Tenant,
    mailbox: &str,
    right: MailboxRight,
    holder: &Holder,
    giving: Giving,
) -> Result<Prepared, TenantError> {
    let who = holder.shown.as_str();
    match right {
        MailboxRight::FullAccess => tenant.prepare_full_access(mailbox, who, giving),
        MailboxRight::SendAs => tenant.prepare_send_as(mailbox, who, giving),
        MailboxRight::SendOnBehalf => tenant.prepare_send_on_behalf(mailbox, who, giving),
    }
}

/// An object that no snapshot of the case holds cannot be changed.
fn nothing_known(planned: &Planned) -> TenantError {
    TenantError::new(
        Kind::BadInput,
        &retake_tenant::call::EXCHANGE_CHANGE,
        &planned.object.id,
        "the case has not seen what it is",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    struct Same(u8);

    impl Entropy for Same {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn a_password_has_every_class_whatever_the_entropy() {
        for byte in 0..=255 {
            let password = random_password(&Same(byte));
            let text = password.expose_secret();
            assert_eq!(text.len(), 36);
            assert!(text.bytes().any(|b| b.is_ascii_uppercase()));
            assert!(text.bytes().any(|b| b.is_ascii_lowercase()));
            assert!(text.bytes().any(|b| b.is_ascii_digit()));
        }
    }
}
