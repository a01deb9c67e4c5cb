//! The table of calls. A request that is not in it cannot be built.

use super::{CallSpec, Service, Verb};

/// Roles that may write authentication methods and reset passwords of people without a role;
/// for privileged people the last one is needed (reference §2.1, §2.2).
const METHOD_ROLES: &[&str] = &[
    "Authentication Administrator",
    "Privileged Authentication Administrator",
];
const PASSWORD_ROLES: &[&str] = &[
    "User Administrator",
    "Privileged Authentication Administrator",
];
const BLOCK_ROLES: &[&str] = &["Privileged Authentication Administrator"];
const EXCHANGE_READ_ROLES: &[&str] = &["Global Reader", "Exchange Administrator"];
const EXCHANGE_WRITE_ROLES: &[&str] =
    &["Exchange Recipient Administrator", "Exchange Administrator"];
const DEVICE_ROLES: &[&str] = &["Cloud Device Administrator", "Intune Administrator"];
const ROLE_GIVERS: &[&str] = &["Privileged Role Administrator"];
const CONSENT_ROLES: &[&str] = &["Cloud Application Administrator"];
const RISK_ROLES: &[&str] = &["Security Operator", "Security Administrator"];

macro_rules! calls {
    ($($name:ident: $id:literal, $does:literal;
       $service:ident $verb:ident $path:literal, $kind:ident;
       needs $permissions:expr, roles $roles:expr; $source:literal.)*) => {
        $(
            #[doc = concat!("`", $id, "`: ", $does, ".")]
            pub static $name: CallSpec = CallSpec {
                id: $id,
                does: $does,
                method: Verb::$verb,
                path_template: $path,
                permissions: $permissions,
                roles: $roles,
                service: Service::$service,
                change: calls!(@ $kind),
                source: $source,
            };
        )*

        /// Every call that the client can make.
        pub static CALLS: &[&CallSpec] = &[$(&$name),*];
    };
    (@ read) => { false };
    (@ change) => { true };
}

calls! {
    SIGN_IN: "sign_in.token", "get an access token";
        SignIn Post "/{tenant}/oauth2/v2.0/token", read;
        needs &[], roles &[]; "reference §1.3".
    SIGN_IN_DEVICE_CODE: "sign_in.device_code", "ask for a code that a person enters in a browser";
        SignIn Post "/{tenant}/oauth2/v2.0/devicecode", read;
        needs &[], roles &[]; "reference §1.3".

    USER: "graph.user.read", "read an account";
        Graph Get "/v1.0/users/{user}", read;
        needs &["User.Read.All"], roles &[]; "reference §2.1".
    USER_MANAGER: "graph.user.manager", "read who the account's manager is";
        Graph Get "/v1.0/users/{user}/manager", read;
        needs &["User.Read.All"], roles &[]; "reference §2.1".
    USER_MEMBER_OF: "graph.user.member_of", "read the account's groups, roles and units";
        Graph Get "/v1.0/users/{user}/transitiveMemberOf", read;
        needs &["User.Read.All", "Directory.Read.All"], roles &[]; "reference §3".
    ORGANIZATION: "graph.organization.read", "read the tenant's name and domains";
        Graph Get "/v1.0/organization", read;
        needs &["Organization.Read.All", "Directory.Read.All"], roles &[]; "reference §12".
    USERS_BY_ADDRESS: "graph.users.by_address", "find the account that has an address, after it was renamed";
        Graph Get "/v1.0/users", read;
        needs &["User.Read.All"], roles &[]; "reference §2.1".
    DELETED_USERS: "graph.users.deleted", "find an account that was deleted";
        Graph Get "/v1.0/directory/deletedItems/microsoft.graph.user", read;
        needs &["User.Read.All"], roles &[]; "reference §2.1 (restore deleted user); Graph, list deleted items".
    DOMAINS: "graph.domains.list", "read which domains sign in at another provider";
        Graph Get "/v1.0/domains", read;
        needs &["Domain.Read.All", "Directory.Read.All"], roles &[]; "reference §0.1, §2.1; Graph, domain".

    USERS: "graph.user.list", "read one page of accounts, to see that accounts can be read";
        Graph Get "/v1.0/users", read;
        needs &["User.Read.All"], roles &[]; "reference §2.1".
    ROLE_ASSIGNMENTS: "graph.roles.of_principal", "read which directory roles somebody holds";
        Graph Get "/v1.0/roleManagement/directory/roleAssignments", read;
        needs &["RoleManagement.Read.Directory", "Directory.Read.All"], roles &[]; "reference §3".
    REMOVE_ROLE: "graph.roles.remove", "take a directory role away";
        Graph Delete "/v1.0/roleManagement/directory/roleAssignments/{assignment}", change;
        needs &["RoleManagement.ReadWrite.Directory"], roles ROLE_GIVERS; "reference §3".
    GIVE_ROLE: "graph.roles.give", "give a directory role back";
        Graph Post "/v1.0/roleManagement/directory/roleAssignments", change;
        needs &["RoleManagement.ReadWrite.Directory"], roles ROLE_GIVERS; "reference §3".
    LICENCES: "graph.licences.list", "read which licences the tenant has";
        Graph Get "/v1.0/subscribedSkus", read;
        needs &["Organization.Read.All", "LicenseAssignment.Read.All", "Directory.Read.All"], roles &[]; "reference §11".

    USER_BLOCK: "graph.user.block", "block sign-in";
        Graph Patch "/v1.0/users/{user}", change;
        needs &["User.EnableDisableAccount.All", "User.ReadWrite.All"], roles BLOCK_ROLES; "reference §2.1".
    USER_UNBLOCK: "graph.user.unblock", "allow sign-in again";
        Graph Patch "/v1.0/users/{user}", change;
        needs &["User.EnableDisableAccount.All", "User.ReadWrite.All"], roles BLOCK_ROLES; "reference §2.1".
    USER_REVOKE: "graph.user.revoke", "end all sessions and refresh tokens";
        Graph Post "/v1.0/users/{user}/revokeSignInSessions", change;
        needs &["User.RevokeSessions.All"], roles &[]; "reference §2.1".
    USER_RESET_PASSWORD: "graph.user.reset_password", "set a new password";
        Graph Patch "/v1.0/users/{user}", change;
        needs &["User-PasswordProfile.ReadWrite.All"], roles PASSWORD_ROLES; "reference §2.1".
    USER_SET_OTHER_MAILS: "graph.user.set_other_mails", "set the other mail addresses, which self-service reset goes by";
        Graph Patch "/v1.0/users/{user}", change;
        needs &["User-Mail.ReadWrite.All"], roles PASSWORD_ROLES; "reference §2.1; Graph, update user".
    USER_SET_PHONES: "graph.user.set_phones", "set the phone numbers, which self-service reset goes by";
        Graph Patch "/v1.0/users/{user}", change;
        needs &["User-Phone.ReadWrite.All"], roles PASSWORD_ROLES; "reference §2.1; Graph, update user".
    USER_CONFIRM_COMPROMISED: "graph.user.confirm_compromised", "mark the account as compromised";
        Graph Post "/v1.0/identityProtection/riskyUsers/confirmCompromised", change;
        needs &["IdentityRiskyUser.ReadWrite.All"], roles RISK_ROLES; "reference §7.1".

    METHODS: "graph.methods.list", "read the account's authentication methods";
        Graph Get "/v1.0/users/{user}/authentication/methods", read;
        needs &["UserAuthenticationMethod.Read.All"], roles &[]; "reference §2.2".
    SIGN_IN_PREFERENCES: "graph.methods.preferences", "read which method is the default";
        Graph Get "/beta/users/{user}/authentication/signInPreferences", read;
        needs &["UserAuthenticationMethod.Read.All"], roles &[]; "reference §2.2".
    SET_DEFAULT_METHOD: "graph.methods.set_default", "choose the default method";
        Graph Patch "/beta/users/{user}/authentication/signInPreferences", change;
        needs &["UserAuthenticationMethod.ReadWrite.All"], roles METHOD_ROLES; "reference §2.2".
    DELETE_METHOD: "graph.methods.delete", "delete an authentication method";
        Graph Delete "/v1.0/users/{user}/authentication/{type}/{method}", change;
        needs &["UserAuthenticationMethod.ReadWrite.All"], roles METHOD_ROLES; "reference §2.2, §2.3".
    DELETE_METHOD_BETA: "graph.methods.delete_beta", "delete an authentication method of a kind that v1.0 cannot address";
        Graph Delete "/beta/users/{user}/authentication/{type}/{method}", change;
        needs &["UserAuthenticationMethod.ReadWrite.All"], roles METHOD_ROLES; "reference §2.2, §2.3".
    TEMPORARY_ACCESS_PASSES: "graph.methods.temporary_access_passes", "read the account's temporary access passes";
        Graph Get "/v1.0/users/{user}/authentication/temporaryAccessPassMethods", read;
        needs &["UserAuthMethod-TAP.Read.All", "UserAuthenticationMethod.Read.All"], roles &[]; "reference §2.4".

    INBOX_RULES: "graph.rules.list", "read the inbox rules that Outlook shows";
        Graph Get "/v1.0/users/{user}/mailFolders/inbox/messageRules", read;
        needs &["MailboxSettings.Read"], roles &[]; "reference §6.1".
    DELETE_INBOX_RULE: "graph.rules.delete", "delete an inbox rule";
        Graph Delete "/v1.0/users/{user}/mailFolders/inbox/messageRules/{rule}", change;
        needs &["MailboxSettings.ReadWrite"], roles &[]; "reference §6.1".
    CREATE_INBOX_RULE: "graph.rules.create", "put back a deleted inbox rule";
        Graph Post "/v1.0/users/{user}/mailFolders/inbox/messageRules", change;
        needs &["MailboxSettings.ReadWrite"], roles &[]; "reference §6.1".
    MAIL_FOLDERS: "graph.mail.folders", "read the mailbox's folders";
        Graph Get "/v1.0/users/{user}/mailFolders", read;
        needs &["Mail.ReadBasic.All"], roles &[]; "reference §6.1".
    FOLDER_MESSAGES: "graph.mail.messages", "read the envelopes of a folder's messages";
        Graph Get "/v1.0/users/{user}/mailFolders/{folder}/messages", read;
        needs &["Mail.ReadBasic.All"], roles &[]; "reference §6.1, §8".

    GRANTS_OF_USER: "graph.grants.of_user", "read what apps may do in the account's name";
        Graph Get "/v1.0/users/{user}/oauth2PermissionGrants", read;
        needs &["Directory.Read.All", "DelegatedPermissionGrant.ReadWrite.All"], roles &[]; "reference §5".
    GRANTS: "graph.grants.list", "read an app's grants for everybody";
        Graph Get "/v1.0/oauth2PermissionGrants", read;
        needs &["Directory.Read.All"], roles &[]; "reference §5".
    GRANT: "graph.grants.read", "read one grant";
        Graph Get "/v1.0/oauth2PermissionGrants/{grant}", read;
        needs &["Directory.Read.All"], roles &[]; "reference §5".
    DELETE_GRANT: "graph.grants.delete", "withdraw an app's consent";
        Graph Delete "/v1.0/oauth2PermissionGrants/{grant}", change;
        needs &["DelegatedPermissionGrant.ReadWrite.All"], roles CONSENT_ROLES; "reference §5".
    CREATE_GRANT: "graph.grants.create", "put back a withdrawn consent";
        Graph Post "/v1.0/oauth2PermissionGrants", change;
        needs &["DelegatedPermissionGrant.ReadWrite.All"], roles CONSENT_ROLES; "reference §5".
    SERVICE_PRINCIPAL: "graph.apps.read", "read an app as it exists in the tenant";
        Graph Get "/v1.0/servicePrincipals/{app}", read;
        needs &["Application.Read.All"], roles &[]; "reference §5".
    SERVICE_PRINCIPALS: "graph.apps.read_batch", "read several apps in one request";
        Graph Post "/v1.0/$batch", read;
        needs &["Application.Read.All"], roles &[]; "reference §10 ($batch), §5".
    SERVICE_PRINCIPAL_BY_APP_ID: "graph.apps.find", "find an app by its app id";
        Graph Get "/v1.0/servicePrincipals(appId='{appId}')", read;
        needs &["Application.Read.All"], roles &[]; "reference §5".
    APP_ROLE_ASSIGNED_TO: "graph.apps.assigned_to", "read which apps hold permissions of their own on a resource";
        Graph Get "/v1.0/servicePrincipals/{app}/appRoleAssignedTo", read;
        needs &["Application.Read.All"], roles &[]; "reference §5".
    APP_ROLES_OF_USER: "graph.apps.roles_of_user", "read which app roles the account was assigned";
        Graph Get "/v1.0/users/{user}/appRoleAssignments", read;
        needs &["Directory.Read.All", "AppRoleAssignment.ReadWrite.All"], roles &[]; "reference §5".
    DELETE_APP_ROLE: "graph.apps.withdraw_role", "withdraw an app role from the account";
        Graph Delete "/v1.0/users/{user}/appRoleAssignments/{assignment}", change;
        needs &["AppRoleAssignment.ReadWrite.All"], roles CONSENT_ROLES; "reference §5".
    CREATE_APP_ROLE: "graph.apps.assign_role", "assign a withdrawn app role again";
        Graph Post "/v1.0/users/{user}/appRoleAssignments", change;
        needs &["AppRoleAssignment.ReadWrite.All"], roles CONSENT_ROLES; "reference §5".
    DISABLE_APP: "graph.apps.disable", "stop an app from getting tokens, for everybody";
        Graph Patch "/v1.0/servicePrincipals/{app}", change;
        needs &["Application.ReadWrite.All"], roles CONSENT_ROLES; "reference §5".
    ENABLE_APP: "graph.apps.enable", "let an app get tokens again";
        Graph Patch "/v1.0/servicePrincipals/{app}", change;
        needs &["Application.ReadWrite.All"], roles CONSENT_ROLES; "reference §5".

    REGISTERED_DEVICES: "graph.devices.registered", "read the devices on which the account is registered";
        Graph Get "/v1.0/users/{user}/registeredDevices", read;
        needs &["User.Read.All", "Directory.Read.All"], roles &[]; "reference §4".
    OWNED_DEVICES: "graph.devices.owned", "read the devices that the account owns";
        Graph Get "/v1.0/users/{user}/ownedDevices", read;
        needs &["User.Read.All", "Directory.Read.All"], roles &[]; "reference §4".
    DISABLE_DEVICE: "graph.devices.disable", "switch a device off: its primary refresh token is void";
        Graph Patch "/v1.0/devices/{device}", change;
        needs &["Device.ReadWrite.All"], roles DEVICE_ROLES; "reference §4, §9.3".
    ENABLE_DEVICE: "graph.devices.enable", "switch a device on again";
        Graph Patch "/v1.0/devices/{device}", change;
        needs &["Device.ReadWrite.All"], roles DEVICE_ROLES; "reference §4".

    SIGN_INS: "graph.logs.sign_ins", "read interactive sign-ins";
        Graph Get "/v1.0/auditLogs/signIns", read;
        needs &["AuditLog.Read.All"], roles &[]; "reference §7.1".
    SIGN_INS_BETA: "graph.logs.sign_ins_detailed", "read sign-ins with their sessions and tokens";
        Graph Get "/beta/auditLogs/signIns", read;
        needs &["AuditLog.Read.All"], roles &[]; "reference §0.4, §7.1".
    DIRECTORY_AUDITS: "graph.logs.directory_audits", "read changes in the directory";
        Graph Get "/v1.0/auditLogs/directoryAudits", read;
        needs &["AuditLog.Read.All"], roles &[]; "reference §7.1".
    RISKY_USER: "graph.risk.user", "read the account's risk state";
        Graph Get "/v1.0/identityProtection/riskyUsers/{user}", read;
        needs &["IdentityRiskyUser.Read.All"], roles &[]; "reference §7.1".
    RISK_DETECTIONS: "graph.risk.detections", "read risk detections";
        Graph Get "/v1.0/identityProtection/riskDetections", read;
        needs &["IdentityRiskEvent.Read.All"], roles &[]; "reference §7.1".
    AUDIT_QUERIES: "graph.audit.list", "read which audit searches there are";
        Graph Get "/v1.0/security/auditLog/queries", read;
        needs &["AuditLogsQuery.Read.All"], roles &[]; "reference §7.2".
    AUDIT_QUERY_CREATE: "graph.audit.create", "start a search of the unified audit log";
        Graph Post "/v1.0/security/auditLog/queries", read;
        needs &["AuditLogsQuery.Read.All"], roles &[]; "reference §7.2".
    AUDIT_QUERY_CREATE_BETA: "graph.audit.create_beta", "start a search of the unified audit log where v1.0 has none";
        Graph Post "/beta/security/auditLog/queries", read;
        needs &["AuditLogsQuery.Read.All"], roles &[]; "reference §0.16, §7.2".
    AUDIT_QUERY: "graph.audit.status", "see whether an audit search is done";
        Graph Get "/v1.0/security/auditLog/queries/{query}", read;
        needs &["AuditLogsQuery.Read.All"], roles &[]; "reference §7.2".
    AUDIT_QUERY_BETA: "graph.audit.status_beta", "see whether an audit search is done (beta)";
        Graph Get "/beta/security/auditLog/queries/{query}", read;
        needs &["AuditLogsQuery.Read.All"], roles &[]; "reference §7.2".
    AUDIT_RECORDS: "graph.audit.records", "read what an audit search found";
        Graph Get "/v1.0/security/auditLog/queries/{query}/records", read;
        needs &["AuditLogsQuery.Read.All"], roles &[]; "reference §7.2".
    AUDIT_RECORDS_BETA: "graph.audit.records_beta", "read what an audit search found (beta)";
        Graph Get "/beta/security/auditLog/queries/{query}/records", read;
        needs &["AuditLogsQuery.Read.All"], roles &[]; "reference §7.2".
    MESSAGE_TRACES: "graph.mail.traces", "read where messages went";
        Graph Get "/v1.0/admin/exchange/tracing/messageTraces", read;
        needs &["ExchangeMessageTrace.Read.All"], roles &[]; "reference §7.5".

    ACTIVITY_SUBSCRIPTIONS: "activity.subscriptions", "see which audit feeds are on for this app";
        Activity Get "/api/v1.0/{tenant}/activity/feed/subscriptions/list", read;
        needs &["ActivityFeed.Read"], roles &[]; "reference §7.2".
    ACTIVITY_START: "activity.start", "switch an audit feed on for this app";
        Activity Post "/api/v1.0/{tenant}/activity/feed/subscriptions/start", read;
        needs &["ActivityFeed.Read"], roles &[]; "reference §7.2".
    ACTIVITY_CONTENT: "activity.content", "list what an audit feed has";
        Activity Get "/api/v1.0/{tenant}/activity/feed/subscriptions/content", read;
        needs &["ActivityFeed.Read"], roles &[]; "reference §7.2".
    ACTIVITY_BLOB: "activity.blob", "read a part of an audit feed";
        Activity Get "/api/v1.0/{tenant}/activity/feed/audit/{content}", read;
        needs &["ActivityFeed.Read"], roles &[]; "reference §7.2".

    EXCHANGE_INVOKE: "exchange.invoke", "run a reading cmdlet";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", read;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_READ_ROLES; "reference §6.3".
    EXCHANGE_CHANGE: "exchange.change", "run a changing cmdlet";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", change;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_WRITE_ROLES; "reference §6.3".
    EXCHANGE_GET_INBOX_RULES: "exchange.rules.list", "read all inbox rules, hidden ones too (Get-InboxRule)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", read;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_READ_ROLES; "reference §6.2, §6.6".
    EXCHANGE_REMOVE_INBOX_RULE: "exchange.rules.remove", "remove an inbox rule (Remove-InboxRule)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", change;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_WRITE_ROLES; "reference §6.2".
    EXCHANGE_CREATE_INBOX_RULE: "exchange.rules.create", "put back a removed inbox rule (New-InboxRule)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", change;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_WRITE_ROLES; "reference §6.2, §6.6".
    EXCHANGE_GET_MAILBOX: "exchange.mailbox.read", "read forwarding and audit settings (Get-Mailbox)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", read;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_READ_ROLES; "reference §6.2, §6.6".
    EXCHANGE_SET_FORWARDING: "exchange.mailbox.set_forwarding", "set or clear both forwarding fields (Set-Mailbox)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", change;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_WRITE_ROLES; "reference §6.2".
    EXCHANGE_SET_KEEPING: "exchange.mailbox.set_keeping", "keep what is deleted for longer, or hold the mailbox (Set-Mailbox)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", change;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_WRITE_ROLES; "reference §14.1".
    EXCHANGE_GET_OUTBOUND_POLICY: "exchange.organisation.outbound", "read whether mail may be forwarded outside (Get-HostedOutboundSpamFilterPolicy)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", read;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_READ_ROLES; "reference §6.2, §6.6".
    EXCHANGE_GET_AUDIT_CONFIG: "exchange.organisation.audit", "read whether the unified audit log is on (Get-AdminAuditLogConfig)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", read;
        needs &["Exchange.ManageAsApp"], roles &["Security Reader", "Global Reader", "Exchange Administrator"]; "reference §6.2, §6.7".
    EXCHANGE_GET_MAILBOX_PERMISSION: "exchange.mailbox.permissions", "read who has full access (Get-MailboxPermission)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", read;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_READ_ROLES; "reference §6.2".
    EXCHANGE_GET_RECIPIENT_PERMISSION: "exchange.mailbox.send_as", "read who may send as the mailbox (Get-RecipientPermission)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", read;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_READ_ROLES; "reference §6.2".
    EXCHANGE_GET_RECIPIENT: "exchange.recipient.read", "read whom a name means: a person, a guest, a group (Get-Recipient)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", read;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_READ_ROLES; "reference §6.3; EX:Get-Recipient.md".
    EXCHANGE_LIST_MAILBOXES: "exchange.recipient.mailboxes", "list the tenant's mailboxes (Get-Recipient)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", read;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_READ_ROLES; "reference §6.3; EX:Get-Recipient.md".
    EXCHANGE_GIVE_FULL_ACCESS: "exchange.mailbox.give_full_access", "give full access to a mailbox back (Add-MailboxPermission)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", change;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_WRITE_ROLES; "reference §6.2; EX:Add-MailboxPermission.md".
    EXCHANGE_REMOVE_FULL_ACCESS: "exchange.mailbox.remove_full_access", "remove full access to a mailbox (Remove-MailboxPermission)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", change;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_WRITE_ROLES; "reference §6.2".
    EXCHANGE_GIVE_SEND_AS: "exchange.mailbox.give_send_as", "let somebody send as a mailbox again (Add-RecipientPermission)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", change;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_WRITE_ROLES; "reference §6.2; EX:Add-RecipientPermission.md".
    EXCHANGE_REMOVE_SEND_AS: "exchange.mailbox.remove_send_as", "let somebody no longer send as a mailbox (Remove-RecipientPermission)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", change;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_WRITE_ROLES; "reference §6.2".
    EXCHANGE_SET_SEND_ON_BEHALF: "exchange.mailbox.send_on_behalf", "set who may send on behalf of a mailbox (Set-Mailbox)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", change;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_WRITE_ROLES; "reference §6.2".

    EXCHANGE_GET_FOLDERS: "exchange.folders.list", "list a mailbox's folders, whatever they are called (Get-MailboxFolderStatistics)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", read;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_READ_ROLES; "reference §6.2; EX:Get-MailboxFolderStatistics.md".
    EXCHANGE_GET_FOLDER_RIGHTS: "exchange.folders.rights", "read who has rights on a folder (Get-MailboxFolderPermission)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", read;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_READ_ROLES; "reference §6.2; EX:Get-MailboxFolderPermission.md".
    EXCHANGE_GIVE_FOLDER_RIGHT: "exchange.folders.give_right", "give a right on a folder back (Add-MailboxFolderPermission)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", change;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_WRITE_ROLES; "reference §6.2; EX:Add-MailboxFolderPermission.md".
    EXCHANGE_SET_FOLDER_RIGHT: "exchange.folders.set_right", "set what Default or Anonymous may do in a folder (Set-MailboxFolderPermission)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", change;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_WRITE_ROLES; "reference §6.2; EX:Set-MailboxFolderPermission.md".
    EXCHANGE_REMOVE_FOLDER_RIGHT: "exchange.folders.remove_right", "take a right on a folder away (Remove-MailboxFolderPermission)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", change;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_WRITE_ROLES; "reference §6.2".

    EXCHANGE_GET_SWEEP_RULES: "exchange.sweep.list", "read a mailbox's sweep rules (Get-SweepRule)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", read;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_READ_ROLES; "reference §6.2".
    EXCHANGE_CREATE_SWEEP_RULE: "exchange.sweep.create", "make a sweep rule again (New-SweepRule)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", change;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_WRITE_ROLES; "reference §6.2".
    EXCHANGE_REMOVE_SWEEP_RULE: "exchange.sweep.remove", "remove a sweep rule (Remove-SweepRule)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", change;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_WRITE_ROLES; "reference §6.2".
    EXCHANGE_GET_AUTO_REPLY: "exchange.auto_reply.read", "read the automatic reply (Get-MailboxAutoReplyConfiguration)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", read;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_READ_ROLES; "reference §6.2".
    EXCHANGE_SET_AUTO_REPLY: "exchange.auto_reply.set", "set the automatic reply (Set-MailboxAutoReplyConfiguration)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", change;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_WRITE_ROLES; "reference §6.2".
    EXCHANGE_GET_JUNK_LISTS: "exchange.junk.read", "read safe senders and junk lists (Get-MailboxJunkEmailConfiguration)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", read;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_READ_ROLES; "reference §6.2".
    EXCHANGE_SET_JUNK_LISTS: "exchange.junk.set", "change safe senders and junk lists (Set-MailboxJunkEmailConfiguration)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", change;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_WRITE_ROLES; "reference §6.2".
    EXCHANGE_GET_PROTOCOLS: "exchange.protocols.read", "read which protocols reach the mailbox (Get-CASMailbox)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", read;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_READ_ROLES; "reference §6.2".
    EXCHANGE_SET_PROTOCOLS: "exchange.protocols.set", "set which protocols reach the mailbox (Set-CASMailbox)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", change;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_WRITE_ROLES; "reference §6.2".
    EXCHANGE_GET_MOBILE_DEVICES: "exchange.mobile.list", "read the mailbox's mobile devices (Get-MobileDevice)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", read;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_READ_ROLES; "reference §6.2".
    EXCHANGE_REMOVE_MOBILE_DEVICE: "exchange.mobile.remove", "remove a mobile device's partnership (Remove-MobileDevice)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", change;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_WRITE_ROLES; "reference §6.2".
    EXCHANGE_GET_BLOCKED_SENDER: "exchange.sending.read", "read who was stopped from sending (Get-BlockedSenderAddress)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", read;
        needs &["Exchange.ManageAsApp"], roles EXCHANGE_READ_ROLES; "reference §6.2, §15.5".
    EXCHANGE_LIFT_SENDING_BLOCK: "exchange.sending.lift", "lift the service's block from sending (Remove-BlockedSenderAddress)";
        Exchange Post "/adminapi/beta/{tenant}/InvokeCommand", change;
        needs &["Exchange.ManageAsApp"], roles &["Security Administrator", "Exchange Administrator"]; "reference §15.5".
}
