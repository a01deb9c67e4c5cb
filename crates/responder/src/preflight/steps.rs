//! Which calls each step of the playbook makes: the one table from which the
//! declared permissions, the manifest and the page of permissions follow.

use retake_playbook::steps::StepId;
use retake_tenant::CallSpec;
use retake_tenant::call::{
    APP_ROLE_ASSIGNED_TO, APP_ROLES_OF_USER, AUDIT_QUERIES, AUDIT_QUERY, AUDIT_QUERY_BETA,
    AUDIT_QUERY_CREATE, AUDIT_QUERY_CREATE_BETA, AUDIT_RECORDS, AUDIT_RECORDS_BETA,
    CREATE_APP_ROLE, CREATE_GRANT, CREATE_INBOX_RULE, DELETE_APP_ROLE, DELETE_GRANT,
    DELETE_INBOX_RULE, DELETE_METHOD, DELETE_METHOD_BETA, DIRECTORY_AUDITS, DISABLE_APP,
    DISABLE_DEVICE, DOMAINS, ENABLE_APP, ENABLE_DEVICE, EXCHANGE_CREATE_INBOX_RULE,
    EXCHANGE_CREATE_SWEEP_RULE, EXCHANGE_GET_AUDIT_CONFIG, EXCHANGE_GET_AUTO_REPLY,
    EXCHANGE_GET_BLOCKED_SENDER, EXCHANGE_GET_FOLDER_RIGHTS, EXCHANGE_GET_FOLDERS,
    EXCHANGE_GET_INBOX_RULES, EXCHANGE_GET_JUNK_LISTS, EXCHANGE_GET_MAILBOX,
    EXCHANGE_GET_MAILBOX_PERMISSION, EXCHANGE_GET_MOBILE_DEVICES, EXCHANGE_GET_OUTBOUND_POLICY,
    EXCHANGE_GET_PROTOCOLS, EXCHANGE_GET_RECIPIENT, EXCHANGE_GET_RECIPIENT_PERMISSION,
    EXCHANGE_GET_SWEEP_RULES, EXCHANGE_GIVE_FOLDER_RIGHT, EXCHANGE_GIVE_FULL_ACCESS,
    EXCHANGE_GIVE_SEND_AS, EXCHANGE_LIFT_SENDING_BLOCK, EXCHANGE_LIST_MAILBOXES,
    EXCHANGE_REMOVE_FOLDER_RIGHT, EXCHANGE_REMOVE_FULL_ACCESS, EXCHANGE_REMOVE_INBOX_RULE,
    EXCHANGE_REMOVE_MOBILE_DEVICE, EXCHANGE_REMOVE_SEND_AS, EXCHANGE_REMOVE_SWEEP_RULE,
    EXCHANGE_SET_AUTO_REPLY, EXCHANGE_SET_FOLDER_RIGHT, EXCHANGE_SET_FORWARDING,
    EXCHANGE_SET_JUNK_LISTS, EXCHANGE_SET_KEEPING, EXCHANGE_SET_PROTOCOLS,
    EXCHANGE_SET_SEND_ON_BEHALF, GIVE_ROLE, GRANTS_OF_USER, INBOX_RULES, LICENCES, MESSAGE_TRACES,
    METHODS, ORGANIZATION, OWNED_DEVICES, REGISTERED_DEVICES, REMOVE_ROLE, RISK_DETECTIONS,
    ROLE_ASSIGNMENTS, SERVICE_PRINCIPAL, SERVICE_PRINCIPAL_BY_APP_ID, SERVICE_PRINCIPALS,
    SET_DEFAULT_METHOD, SIGN_IN_PREFERENCES, SIGN_INS_BETA, USER, USER_BLOCK, USER_MEMBER_OF,
    USER_RESET_PASSWORD, USER_REVOKE, USER_SET_OTHER_MAILS, USER_SET_PHONES, USER_UNBLOCK, USERS,
};

/// A step and every call that it makes in the tenant.
#[derive(Clone, Copy, Debug)]
pub struct StepNeeds {
    /// The step.
    pub step: StepId,
    /// Its calls, the token service's left out.
    pub calls: &'static [&'static CallSpec],
}

const fn needs(step: u8, part: u8, calls: &'static [&'static CallSpec]) -> StepNeeds {
    StepNeeds {
        step: StepId::new(step, part),
        calls,
    }
}

/// What the searches of the unified audit log are made of.
const AUDIT_SEARCH: &[&CallSpec] = &[
    &AUDIT_QUERY_CREATE,
    &AUDIT_QUERY_CREATE_BETA,
    &AUDIT_QUERY,
    &AUDIT_QUERY_BETA,
    &AUDIT_RECORDS,
    &AUDIT_RECORDS_BETA,
];

/// Every step that calls the tenant, in the playbook's order. A step that is not
/// here asks people or computes, and needs nothing.
pub static NEEDS: &[StepNeeds] = &[
    needs(1, 1, &[&USER, &DOMAINS]),
    needs(1, 2, &[&SIGN_INS_BETA, &RISK_DETECTIONS]),
    needs(1, 3, &[&MESSAGE_TRACES]),
    needs(
        1,
        4,
        &[
            &USER,
            &METHODS,
            &SIGN_IN_PREFERENCES,
            &INBOX_RULES,
            &EXCHANGE_GET_INBOX_RULES,
            &EXCHANGE_GET_MAILBOX,
            &GRANTS_OF_USER,
            &SERVICE_PRINCIPAL,
            &SERVICE_PRINCIPALS,
            &EXCHANGE_GET_MAILBOX_PERMISSION,
            &EXCHANGE_GET_RECIPIENT_PERMISSION,
            &EXCHANGE_GET_FOLDERS,
            &EXCHANGE_GET_FOLDER_RIGHTS,
            &EXCHANGE_GET_RECIPIENT,
            &EXCHANGE_LIST_MAILBOXES,
            &USER_MEMBER_OF,
            &EXCHANGE_GET_RECIPIENT,
            &EXCHANGE_GET_SWEEP_RULES,
            &EXCHANGE_GET_AUTO_REPLY,
            &EXCHANGE_GET_JUNK_LISTS,
            &EXCHANGE_GET_PROTOCOLS,
            &EXCHANGE_GET_MOBILE_DEVICES,
            &EXCHANGE_GET_BLOCKED_SENDER,
            // Identity.
            &REGISTERED_DEVICES,
            &OWNED_DEVICES,
            &APP_ROLE_ASSIGNED_TO,
            &APP_ROLES_OF_USER,
            &ROLE_ASSIGNMENTS,
        ],
    ),
    needs(
        1,
        5,
        &[
            &ORGANIZATION,
            &LICENCES,
            &ROLE_ASSIGNMENTS,
            &EXCHANGE_GET_OUTBOUND_POLICY,
            &EXCHANGE_GET_AUDIT_CONFIG,
            &SERVICE_PRINCIPAL_BY_APP_ID,
            &USERS,
            &AUDIT_QUERIES,
        ],
    ),
    needs(1, 6, &[&SIGN_INS_BETA]),
    needs(1, 8, &[&EXCHANGE_GET_MAILBOX, &EXCHANGE_SET_KEEPING]),
    needs(2, 1, &[&USER, &USER_BLOCK]),
    needs(2, 4, &[&USER, &ROLE_ASSIGNMENTS]),
    needs(
        2,
        6,
        &[
            &USER,
            &ROLE_ASSIGNMENTS,
            &USER_BLOCK,
            &USER_REVOKE,
            &SIGN_INS_BETA,
        ],
    ),
    needs(3, 1, &[&USER, &USER_REVOKE]),
    needs(3, 3, &[&SIGN_INS_BETA]),
    needs(
        3,
        5,
        &[
            &INBOX_RULES,
            &EXCHANGE_GET_INBOX_RULES,
            &EXCHANGE_GET_MAILBOX,
            &DELETE_INBOX_RULE,
            &CREATE_INBOX_RULE,
            &EXCHANGE_REMOVE_INBOX_RULE,
            &EXCHANGE_CREATE_INBOX_RULE,
            &EXCHANGE_SET_FORWARDING,
            &EXCHANGE_GET_MAILBOX_PERMISSION,
            &EXCHANGE_GET_RECIPIENT_PERMISSION,
            &EXCHANGE_GET_FOLDERS,
            &EXCHANGE_GET_FOLDER_RIGHTS,
            &EXCHANGE_REMOVE_FOLDER_RIGHT,
            &EXCHANGE_SET_FOLDER_RIGHT,
            &EXCHANGE_GIVE_FOLDER_RIGHT,
            &EXCHANGE_REMOVE_FULL_ACCESS,
            &EXCHANGE_REMOVE_SEND_AS,
            &EXCHANGE_SET_SEND_ON_BEHALF,
            &EXCHANGE_GIVE_FULL_ACCESS,
            &EXCHANGE_GIVE_SEND_AS,
            &EXCHANGE_GET_RECIPIENT,
            &EXCHANGE_GET_AUTO_REPLY,
            &EXCHANGE_SET_AUTO_REPLY,
            // Identity.
            &REGISTERED_DEVICES,
            &OWNED_DEVICES,
            &DISABLE_DEVICE,
            &ENABLE_DEVICE,
            &SERVICE_PRINCIPAL,
            &DISABLE_APP,
            &ENABLE_APP,
            &ROLE_ASSIGNMENTS,
            &REMOVE_ROLE,
            &GIVE_ROLE,
        ],
    ),
    needs(4, 1, &[&USER, &USER_RESET_PASSWORD]),
    needs(
        4,
        2,
        &[
            &METHODS,
            &SIGN_IN_PREFERENCES,
            &SET_DEFAULT_METHOD,
            &DELETE_METHOD,
            &DELETE_METHOD_BETA,
        ],
    ),
    needs(4, 3, &[&DIRECTORY_AUDITS]),
    needs(4, 4, &[&USER, &USER_SET_OTHER_MAILS, &USER_SET_PHONES]),
    needs(
        5,
        1,
        &[
            &INBOX_RULES,
            &EXCHANGE_GET_INBOX_RULES,
            &DELETE_INBOX_RULE,
            &CREATE_INBOX_RULE,
            &EXCHANGE_REMOVE_INBOX_RULE,
            &EXCHANGE_CREATE_INBOX_RULE,
            &EXCHANGE_GET_SWEEP_RULES,
            &EXCHANGE_REMOVE_SWEEP_RULE,
            &EXCHANGE_CREATE_SWEEP_RULE,
            &EXCHANGE_GET_JUNK_LISTS,
            &EXCHANGE_SET_JUNK_LISTS,
            &EXCHANGE_GET_PROTOCOLS,
            &EXCHANGE_SET_PROTOCOLS,
            &EXCHANGE_GET_MOBILE_DEVICES,
            &EXCHANGE_REMOVE_MOBILE_DEVICE,
        ],
    ),
    needs(
        5,
        3,
        &[
            &GRANTS_OF_USER,
            &SERVICE_PRINCIPAL,
            &SERVICE_PRINCIPALS,
            &DELETE_GRANT,
            &CREATE_GRANT,
            &APP_ROLES_OF_USER,
            &DELETE_APP_ROLE,
            &CREATE_APP_ROLE,
        ],
    ),
    needs(6, 1, &[&SIGN_INS_BETA, &DIRECTORY_AUDITS, &RISK_DETECTIONS]),
    needs(6, 2, &[&MESSAGE_TRACES]),
    needs(6, 3, AUDIT_SEARCH),
    needs(
        7,
        1,
        &[
            &USER,
            &USER_UNBLOCK,
            &EXCHANGE_GET_BLOCKED_SENDER,
            &EXCHANGE_LIFT_SENDING_BLOCK,
        ],
    ),
    needs(7, 2, &[&METHODS]),
    needs(
        7,
        3,
        &[
            &USER,
            &METHODS,
            &INBOX_RULES,
            &EXCHANGE_GET_INBOX_RULES,
            &EXCHANGE_GET_MAILBOX,
            &GRANTS_OF_USER,
            &SERVICE_PRINCIPAL,
            &SERVICE_PRINCIPALS,
            &EXCHANGE_GET_MAILBOX_PERMISSION,
            &EXCHANGE_GET_RECIPIENT_PERMISSION,
            &EXCHANGE_GET_FOLDERS,
            &EXCHANGE_GET_FOLDER_RIGHTS,
            &EXCHANGE_GET_RECIPIENT,
            &EXCHANGE_LIST_MAILBOXES,
            &USER_MEMBER_OF,
            &SIGN_INS_BETA,
            &DIRECTORY_AUDITS,
            &EXCHANGE_GET_RECIPIENT,
            &EXCHANGE_GET_SWEEP_RULES,
            &EXCHANGE_GET_AUTO_REPLY,
            &EXCHANGE_GET_JUNK_LISTS,
            &EXCHANGE_GET_PROTOCOLS,
            &EXCHANGE_GET_MOBILE_DEVICES,
            &EXCHANGE_GET_BLOCKED_SENDER,
            // Identity.
            &REGISTERED_DEVICES,
            &OWNED_DEVICES,
            &APP_ROLE_ASSIGNED_TO,
            &APP_ROLES_OF_USER,
            &ROLE_ASSIGNMENTS,
        ],
    ),
];

/// The steps that make this call.
pub fn steps_of(call: &CallSpec) -> impl Iterator<Item = StepId> {
    NEEDS
        .iter()
        .filter(move |needs| needs.calls.iter().any(|other| other.id == call.id))
        .map(|needs| needs.step)
}

#[cfg(test)]
mod tests {
    use retake_playbook::catalogue::ACTIONS;
    use retake_playbook::steps::Reach;

    use super::*;

    #[test]
    fn the_table_stands_in_the_playbooks_order_and_names_steps_that_are_done() {
        for pair in NEEDS.windows(2) {
            assert!(pair[0].step < pair[1].step, "{}", pair[1].step);
        }
        for needs in NEEDS {
            let spec = needs.step.spec().unwrap();
            assert_ne!(spec.reach, Reach::Absent, "{}", needs.step);
            assert!(!needs.calls.is_empty(), "{}", needs.step);
        }
    }

    #[test]
    fn the_step_of_every_action_changes_something() {
        for action in ACTIONS {
            let needs = NEEDS
                .iter()
                .find(|needs| needs.step == action.step)
                .unwrap_or_else(|| panic!("{}", action.title));
            assert!(
                needs.calls.iter().any(|call| call.change),
                "{}",
                action.title
            );
        }
    }
}
