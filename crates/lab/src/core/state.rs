//! The tenant's configuration in a form that two runs can be compared by.

use serde_json::{Value, json};

use crate::world::{InboxRule, Mailbox, MethodKind, World};

/// Everything that a response is about, by names instead of generated ids.
pub(super) fn canonical(world: &World) -> Value {
    let mut users = serde_json::Map::new();
    for user in world.users.values() {
        let mut methods: Vec<Value> = user
            .methods
            .iter()
            .map(|method| {
                json!({
                    "kind": method.kind.type_name(),
                    "shows": method_words(&method.kind),
                    "default": user.default_method.as_deref() == Some(&method.id),
                })
            })
            .collect();
        sort(&mut methods);
        let mut roles = world.roles_of(&user.id);
        roles.sort_unstable();
        users.insert(
            user.upn.clone(),
            json!({
                "accountEnabled": user.enabled,
                "mustChangePassword": user.must_change_password,
                "mobilePhone": user.mobile_phone,
                "otherMails": user.other_mails,
                "methods": methods,
                "roles": roles,
                "riskState": user.risk.as_ref().map(|risk| risk.state.as_str()),
            }),
        );
    }
    let mut mailboxes = serde_json::Map::new();
    for mailbox in world.mailboxes.values() {
        let upn = upn_of(world, &mailbox.user);
        let list = |rules: &[InboxRule]| {
            let mut rules: Vec<Value> = rules.iter().map(|rule| rule_json(mailbox, rule)).collect();
            sort(&mut rules);
            rules
        };
        let rights = |rights: &[crate::world::mailbox::MailboxRight]| -> Vec<Value> {
            rights
                .iter()
                .map(|right| json!({"holder": right.holder, "rights": right.rights}))
                .collect()
        };
        mailboxes.insert(
            upn,
            json!({
                "rules": list(&mailbox.rules),
                "clientSideRules": list(&mailbox.client_side_rules),
                "forwardingSmtpAddress": mailbox.forwarding_smtp,
                "forwardingAddress": mailbox.forwarding_address,
                "deliverToMailboxAndForward": mailbox.deliver_and_forward,
                "autoReply": [mailbox.auto_reply.state(), mailbox.auto_reply.internal.as_str(), mailbox.auto_reply.external.as_str()],
                "junkLists": [&mailbox.trusted_senders, &mailbox.trusted_recipients, &mailbox.blocked_senders],
                "sweepRules": mailbox.sweep_rules.iter().map(|rule| json!([rule.name, rule.sender, rule.keep_days, rule.keep_latest, rule.destination])).collect::<Vec<_>>(),
                "mobileDevices": mailbox.mobile_devices.iter().map(|device| device.id.as_str()).collect::<Vec<_>>(),
                "permissions": rights(&mailbox.permissions),
                "sendAs": rights(&mailbox.send_as),
                "sendOnBehalf": mailbox.send_on_behalf,
                "folderRights": mailbox.folder_rights.iter().map(|entry| json!([mailbox.listed_folder(&entry.folder).map(|folder| folder.path), entry.holder, entry.rights, entry.flags])).collect::<Vec<_>>(),
                "protocols": {"imap": mailbox.imap, "pop": mailbox.pop, "ews": mailbox.ews, "smtpAuthDisabled": mailbox.smtp_auth_disabled},
                "audit": mailbox.audit_enabled,
            }),
        );
    }
    let mut grants: Vec<Value> = world
        .grants
        .values()
        .map(|grant| {
            json!({
                "app": world.service_principals.get(&grant.client_id).map(|app| app.app_id.as_str()),
                "user": grant.principal_id.as_deref().map(|user| upn_of(world, user)),
                "scopes": grant.scopes,
            })
        })
        .collect();
    sort(&mut grants);
    let apps: serde_json::Map<String, Value> = world
        .service_principals
        .values()
        .map(|app| {
            (
                app.app_id.clone(),
                json!({"displayName": app.display_name, "accountEnabled": app.enabled}),
            )
        })
        .collect();
    json!({
        "users": users,
        "mailboxes": mailboxes,
        "grants": grants,
        "servicePrincipals": apps,
        "tenant": {"autoForwardingMode": world.tenant.auto_forwarding, "audit": world.tenant.audit_on},
    })
}

fn upn_of(world: &World, user: &str) -> String {
    world
        .users
        .get(user)
        .map_or_else(|| user.to_owned(), |user| user.upn.clone())
}

fn method_words(kind: &MethodKind) -> String {
    match kind {
        MethodKind::Phone { number, kind } => format!("{} {number}", kind.word()),
        MethodKind::Email { address } => address.clone(),
        MethodKind::Authenticator { display_name, .. }
        | MethodKind::Fido2 { display_name, .. }
        | MethodKind::WindowsHello { display_name } => display_name.clone(),
        MethodKind::HardwareOath { serial } => serial.clone(),
        MethodKind::Password
        | MethodKind::SoftwareOath
        | MethodKind::TemporaryAccessPass { .. } => String::new(),
    }
}

fn rule_json(mailbox: &Mailbox, rule: &InboxRule) -> Value {
    let folder = |id: &Option<String>| {
        id.as_ref()
            .map(|id| mailbox.folder_path(id))
            .unwrap_or_default()
    };
    json!({
        "name": rule.name,
        "enabled": rule.enabled,
        "hidden": rule.hidden,
        "conditions": format!("{:?}", rule.conditions),
        "exceptions": format!("{:?}", rule.exceptions),
        "forwardTo": rule.actions.forward_to.iter().map(|a| a.address.as_str()).collect::<Vec<_>>(),
        "redirectTo": rule.actions.redirect_to.iter().map(|a| a.address.as_str()).collect::<Vec<_>>(),
        "forwardAsAttachmentTo": rule.actions.forward_as_attachment_to.iter().map(|a| a.address.as_str()).collect::<Vec<_>>(),
        "moveTo": folder(&rule.actions.move_to_folder),
        "copyTo": folder(&rule.actions.copy_to_folder),
        "delete": rule.actions.delete,
        "permanentDelete": rule.actions.permanent_delete,
        "markAsRead": rule.actions.mark_as_read,
        "stop": rule.actions.stop_processing,
    })
}

fn sort(values: &mut [Value]) {
    values.sort_by_cached_key(ToString::to_string);
}
