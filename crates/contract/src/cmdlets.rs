//! Exchange's cmdlets as the documentation has them, and whether a call and its
//! answer keep to that.
//!
//! There is no machine-readable description of `InvokeCommand` (reference §6.3), so
//! this table is written by hand from the reference's own tables and from the cmdlets'
//! pages that those name. A property that no row names is refused: then either the
//! lab has made it up, or the table lacks it and the source for it has to be found.

use serde_json::{Map, Value};

/// What a parameter takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Takes {
    /// A text that is not empty; a null or empty identity means every object (reference §6.2).
    Text,
    /// A text, or null to clear.
    TextOrNull,
    /// A switch or boolean.
    Bool,
    /// A number.
    Number,
    /// A number, or the word `Unlimited`.
    Size,
    /// A list of texts, or one text.
    Texts,
    /// Entries to add or to remove, as a typed table; or the whole list.
    Entries,
    /// A switch, or null to let the organisation decide.
    BoolOrNull,
}

/// A cmdlet.
#[derive(Debug)]
pub struct Cmdlet {
    /// Verb and noun.
    pub name: &'static str,
    /// The parameters that it takes besides [`COMMON`].
    pub parameters: &'static [(&'static str, Takes)],
    /// Of those, the ones without which it means every object or fails.
    pub needs: &'static [&'static str],
    /// The properties of its output, without the notes on types beside them; none
    /// for a cmdlet that gives nothing.
    pub output: &'static [&'static str],
    /// Where parameters and output are known from.
    pub source: &'static str,
}

/// Parameters that every cmdlet takes.
pub const COMMON: &[(&str, Takes)] = &[
    ("Confirm", Takes::Bool),
    ("WhatIf", Takes::Bool),
    ("Verbose", Takes::Bool),
    ("ErrorAction", Takes::Text),
    ("WarningAction", Takes::Text),
];

/// What an inbox rule is made of, in the names that the parameters of New-InboxRule
/// and the properties of Get-InboxRule share.
const RULE: &[&str] = &[
    "ApplyCategory",
    "BodyContainsWords",
    "CopyToFolder",
    "DeleteMessage",
    "Description",
    "Enabled",
    "ErrorType",
    "ExceptIfBodyContainsWords",
    "ExceptIfFrom",
    "ExceptIfFromAddressContainsWords",
    "ExceptIfSubjectContainsWords",
    "ExceptIfSubjectOrBodyContainsWords",
    "ForwardAsAttachmentTo",
    "ForwardTo",
    "From",
    "FromAddressContainsWords",
    "HasAttachment",
    "Identity",
    "InError",
    "IsValid",
    "MailboxOwnerId",
    "MarkAsRead",
    "MoveToFolder",
    "MyNameInToBox",
    "Name",
    "ObjectState",
    "Priority",
    "RecipientAddressContainsWords",
    "RedirectTo",
    "RuleIdentity",
    "SoftDeleteMessage",
    "StopProcessingRules",
    "SubjectContainsWords",
    "SubjectOrBodyContainsWords",
    "SupportedByTask",
];

const SWEEP: &[&str] = &[
    "DestinationFolder",
    "Enabled",
    "Identity",
    "KeepForDays",
    "KeepLatest",
    "MailboxOwnerId",
    "Name",
    "Provider",
    "RuleId",
    "Sender",
    "SourceFolder",
    "SystemCategory",
];

const NAMED_RULE: &[(&str, Takes)] = &[
    ("Mailbox", Takes::Text),
    ("Identity", Takes::Text),
    ("Force", Takes::Bool),
    ("AlwaysDeleteOutlookRulesBlob", Takes::Bool),
];

const RULE_SOURCE: &str = "reference §6.2, §6.6; EX:Get-InboxRule.md, New-InboxRule.md";

/// The cmdlets that the client runs, and those beside them that it may come to run.
pub const CMDLETS: &[Cmdlet] = &[
    Cmdlet {
        name: "Get-InboxRule",
        parameters: &[
            ("Mailbox", Takes::Text),
            ("Identity", Takes::Text),
            ("IncludeHidden", Takes::Bool),
            ("BypassScopeCheck", Takes::Bool),
            ("ResultSize", Takes::Size),
        ],
        needs: &["Mailbox"],
        output: RULE,
        source: RULE_SOURCE,
    },
    Cmdlet {
        name: "New-InboxRule",
        parameters: &[
            ("Mailbox", Takes::Text),
            ("Name", Takes::Text),
            ("SubjectContainsWords", Takes::Texts),
            ("SubjectOrBodyContainsWords", Takes::Texts),
            ("BodyContainsWords", Takes::Texts),
            ("FromAddressContainsWords", Takes::Texts),
            ("From", Takes::Texts),
            ("ForwardTo", Takes::Texts),
            ("RedirectTo", Takes::Texts),
            ("ForwardAsAttachmentTo", Takes::Texts),
            ("MoveToFolder", Takes::Text),
            ("MarkAsRead", Takes::Bool),
            ("DeleteMessage", Takes::Bool),
            ("StopProcessingRules", Takes::Bool),
            ("SoftDeleteMessage", Takes::Bool),
            ("ApplyCategory", Takes::Texts),
            ("CopyToFolder", Takes::Text),
            ("HasAttachment", Takes::Bool),
            ("MyNameInToBox", Takes::Bool),
            ("RecipientAddressContainsWords", Takes::Texts),
            ("ExceptIfBodyContainsWords", Takes::Texts),
            ("ExceptIfFrom", Takes::Texts),
            ("ExceptIfFromAddressContainsWords", Takes::Texts),
            ("ExceptIfSubjectContainsWords", Takes::Texts),
            ("ExceptIfSubjectOrBodyContainsWords", Takes::Texts),
            ("Priority", Takes::Number),
            ("Force", Takes::Bool),
            ("AlwaysDeleteOutlookRulesBlob", Takes::Bool),
        ],
        needs: &["Mailbox", "Name"],
        output: RULE,
        source: RULE_SOURCE,
    },
    Cmdlet {
        name: "Disable-InboxRule",
        parameters: NAMED_RULE,
        needs: &["Mailbox", "Identity"],
        output: &[],
        source: "reference §6.2; EX:Disable-InboxRule.md",
    },
    Cmdlet {
        name: "Enable-InboxRule",
        parameters: NAMED_RULE,
        needs: &["Mailbox", "Identity"],
        output: &[],
        source: "reference §6.2; EX:Enable-InboxRule.md",
    },
    Cmdlet {
        name: "Remove-InboxRule",
        parameters: NAMED_RULE,
        needs: &["Mailbox", "Identity"],
        output: &[],
        source: "reference §6.2; EX:Remove-InboxRule.md",
    },
    Cmdlet {
        name: "Get-Mailbox",
        parameters: &[
            ("Identity", Takes::Text),
            ("Anr", Takes::Text),
            ("Filter", Takes::Text),
            ("RecipientTypeDetails", Takes::Texts),
            ("IncludeInactiveMailbox", Takes::Bool),
            ("ResultSize", Takes::Size),
        ],
        needs: &["Identity"],
        output: &[
            "AccountDisabled",
            "Alias",
            "AuditAdmin",
            "AuditDelegate",
            "AuditEnabled",
            "AuditLogAgeLimit",
            "AuditOwner",
            "DefaultAuditSet",
            "DelayHoldApplied",
            "DeliverToMailboxAndForward",
            "DisplayName",
            "ElcProcessingDisabled",
            "EmailAddresses",
            "EnforcedTimestamps",
            "ExchangeGuid",
            "ExternalDirectoryObjectId",
            "ForwardingAddress",
            "ForwardingSmtpAddress",
            "GrantSendOnBehalfTo",
            "Guid",
            "Identity",
            "InPlaceHolds",
            "LitigationHoldDate",
            "LitigationHoldDuration",
            "LitigationHoldEnabled",
            "LitigationHoldOwner",
            "Name",
            "PersistedCapabilities",
            "PrimarySmtpAddress",
            "RecipientTypeDetails",
            "RetainDeletedItemsFor",
            "RetentionHoldEnabled",
            "RulesQuota",
            "SingleItemRecoveryEnabled",
            "StsRefreshTokensValidFrom",
            "UserPrincipalName",
            "WhenMailboxCreated",
        ],
        source: "reference §6.2, §6.6; EX:Get-Mailbox.md, Set-Mailbox.md",
    },
    Cmdlet {
        name: "Set-Mailbox",
        parameters: &[
            ("Identity", Takes::Text),
            ("ForwardingAddress", Takes::TextOrNull),
            ("ForwardingSmtpAddress", Takes::TextOrNull),
            ("DeliverToMailboxAndForward", Takes::Bool),
            ("AuditEnabled", Takes::Bool),
            ("Force", Takes::Bool),
            ("GrantSendOnBehalfTo", Takes::Entries),
            ("LitigationHoldEnabled", Takes::Bool),
            ("RetainDeletedItemsFor", Takes::Text),
            ("SingleItemRecoveryEnabled", Takes::Bool),
        ],
        needs: &["Identity"],
        output: &[],
        source: "reference §6.2, §14.1; EX:Set-Mailbox.md",
    },
    Cmdlet {
        name: "Get-MailboxPermission",
        parameters: &[
            ("Identity", Takes::Text),
            ("User", Takes::Text),
            ("Owner", Takes::Bool),
            ("ResultSize", Takes::Size),
        ],
        needs: &["Identity"],
        output: &[
            "AccessRights",
            "Deny",
            "Identity",
            "InheritanceType",
            "IsInherited",
            "PrimarySmtpAddress",
            "User",
            "UserSid",
        ],
        source: "reference §6.2, §6.6; EX:Get-MailboxPermission.md",
    },
    Cmdlet {
        name: "Add-MailboxPermission",
        parameters: &[
            ("Identity", Takes::Text),
            ("User", Takes::Text),
            ("AccessRights", Takes::Texts),
            ("InheritanceType", Takes::Text),
            ("AutoMapping", Takes::Bool),
        ],
        needs: &["Identity", "User", "AccessRights"],
        output: &[],
        source: "reference §6.2 (the other way of removing it); EX:Add-MailboxPermission.md",
    },
    Cmdlet {
        name: "Remove-MailboxPermission",
        parameters: &[
            ("Identity", Takes::Text),
            ("User", Takes::Text),
            ("AccessRights", Takes::Texts),
            ("InheritanceType", Takes::Text),
        ],
        needs: &["Identity", "User", "AccessRights"],
        output: &[],
        source: "reference §6.2; EX:Remove-MailboxPermission.md",
    },
    Cmdlet {
        name: "Add-RecipientPermission",
        parameters: &[
            ("Identity", Takes::Text),
            ("Trustee", Takes::Text),
            ("AccessRights", Takes::Texts),
        ],
        needs: &["Identity", "Trustee", "AccessRights"],
        output: &[],
        source: "reference §6.2 (the other way of removing it); EX:Add-RecipientPermission.md",
    },
    Cmdlet {
        name: "Remove-RecipientPermission",
        parameters: &[
            ("Identity", Takes::Text),
            ("Trustee", Takes::Text),
            ("AccessRights", Takes::Texts),
        ],
        needs: &["Identity", "Trustee", "AccessRights"],
        output: &[],
        source: "reference §6.2; EX:Remove-RecipientPermission.md",
    },
    Cmdlet {
        name: "Get-Recipient",
        parameters: &[
            ("Identity", Takes::Text),
            ("Anr", Takes::Text),
            ("Filter", Takes::Text),
            ("RecipientType", Takes::Texts),
            ("RecipientTypeDetails", Takes::Texts),
            ("ResultSize", Takes::Size),
        ],
        // Without an identity every recipient of the kinds that are asked for, which is meant.
        needs: &[],
        output: &[
            "Alias",
            "DisplayName",
            "EmailAddresses",
            "ExternalDirectoryObjectId",
            "ExternalEmailAddress",
            "Guid",
            "Identity",
            "Name",
            "PrimarySmtpAddress",
            "RecipientType",
            "RecipientTypeDetails",
            "WhenCreated",
        ],
        source: "reference §6.3, §6.6; EX:Get-Recipient.md",
    },
    Cmdlet {
        name: "Get-RecipientPermission",
        parameters: &[
            ("Identity", Takes::Text),
            ("Trustee", Takes::Text),
            ("ResultSize", Takes::Size),
        ],
        needs: &["Identity"],
        output: &[
            "AccessControlType",
            "AccessRights",
            "Identity",
            "InheritanceType",
            "IsInherited",
            "Trustee",
            "TrusteeSidString",
            "TrusteeWithPrimarySmtpAddress",
        ],
        source: "reference §6.2, §6.6; EX:Get-RecipientPermission.md",
    },
    // Folders, and rights on them.
    Cmdlet {
        name: "Get-MailboxFolderStatistics",
        parameters: &[
            ("Identity", Takes::Text),
            ("FolderScope", Takes::Text),
            ("IncludeOldestAndNewestItems", Takes::Bool),
            ("ResultSize", Takes::Size),
        ],
        needs: &["Identity"],
        output: &[
            "ContainerClass",
            "FolderId",
            "FolderPath",
            "FolderSize",
            "FolderType",
            "Identity",
            "ItemsInFolder",
            "ItemsInFolderAndSubfolders",
            "Name",
        ],
        source: "reference §6.2, §14.2; EX:Get-MailboxFolderStatistics.md",
    },
    Cmdlet {
        name: "Get-MailboxFolderPermission",
        parameters: &[
            ("Identity", Takes::Text),
            ("User", Takes::Text),
            ("ResultSize", Takes::Size),
        ],
        needs: &["Identity"],
        output: &[
            "AccessRights",
            "FolderName",
            "Identity",
            "SharingPermissionFlags",
            "User",
        ],
        source: "reference §6.2; EX:Get-MailboxFolderPermission.md",
    },
    Cmdlet {
        name: "Add-MailboxFolderPermission",
        parameters: &[
            ("Identity", Takes::Text),
            ("User", Takes::Text),
            ("AccessRights", Takes::Texts),
            ("SharingPermissionFlags", Takes::Texts),
            ("SendNotificationToUser", Takes::Bool),
        ],
        needs: &["Identity", "User", "AccessRights"],
        output: &[
            "AccessRights",
            "FolderName",
            "Identity",
            "SharingPermissionFlags",
            "User",
        ],
        source: "reference §6.2 (the other way of removing it); EX:Add-MailboxFolderPermission.md",
    },
    Cmdlet {
        name: "Set-MailboxFolderPermission",
        parameters: &[
            ("Identity", Takes::Text),
            ("User", Takes::Text),
            ("AccessRights", Takes::Texts),
            ("SharingPermissionFlags", Takes::Texts),
            ("SendNotificationToUser", Takes::Bool),
        ],
        needs: &["Identity", "User", "AccessRights"],
        output: &[],
        source: "reference §6.2; EX:Set-MailboxFolderPermission.md",
    },
    Cmdlet {
        name: "Remove-MailboxFolderPermission",
        parameters: &[("Identity", Takes::Text), ("User", Takes::Text)],
        needs: &["Identity", "User"],
        output: &[],
        source: "reference §6.2; EX:Remove-MailboxFolderPermission.md",
    },
    Cmdlet {
        name: "Get-AdminAuditLogConfig",
        parameters: &[],
        needs: &[],
        output: &[
            "AdminAuditLogAgeLimit",
            "AdminAuditLogEnabled",
            "Identity",
            "Name",
            "UnifiedAuditLogFirstOptInDate",
            "UnifiedAuditLogIngestionEnabled",
        ],
        source: "reference §6.2, §6.6; EX:Get-AdminAuditLogConfig.md, Set-AdminAuditLogConfig.md",
    },
    Cmdlet {
        name: "Get-HostedOutboundSpamFilterPolicy",
        // No ResultSize: seen to be refused (reference §6.6).
        parameters: &[("Identity", Takes::Text)],
        needs: &[],
        output: &[
            "ActionWhenThresholdReached",
            "AutoForwardingMode",
            "Identity",
            "IsDefault",
            "Name",
            "RecipientLimitExternalPerHour",
            "RecipientLimitInternalPerHour",
            "RecipientLimitPerDay",
        ],
        source: "reference §6.2, §6.6; EX:Set-HostedOutboundSpamFilterPolicy.md",
    },
    // The account's own mailbox: recipients, sweep rules.
    Cmdlet {
        name: "Get-MailboxAutoReplyConfiguration",
        parameters: &[("Identity", Takes::Text), ("ResultSize", Takes::Size)],
        needs: &["Identity"],
        output: &[
            "AutoReplyState",
            "EndTime",
            "ExternalAudience",
            "ExternalMessage",
            "Identity",
            "InternalMessage",
            "MailboxOwnerId",
            "StartTime",
        ],
        source: "reference §6.2; EX:Get-MailboxAutoReplyConfiguration.md",
    },
    Cmdlet {
        name: "Set-MailboxAutoReplyConfiguration",
        parameters: &[
            ("Identity", Takes::Text),
            ("AutoReplyState", Takes::Text),
            ("InternalMessage", Takes::TextOrNull),
            ("ExternalMessage", Takes::TextOrNull),
            ("ExternalAudience", Takes::Text),
            ("StartTime", Takes::Text),
            ("EndTime", Takes::Text),
        ],
        needs: &["Identity"],
        output: &[],
        source: "reference §6.2; EX:Set-MailboxAutoReplyConfiguration.md",
    },
    Cmdlet {
        name: "Get-MailboxJunkEmailConfiguration",
        parameters: &[("Identity", Takes::Text), ("ResultSize", Takes::Size)],
        needs: &["Identity"],
        output: &[
            "BlockedSendersAndDomains",
            "ContactsTrusted",
            "Enabled",
            "Identity",
            "MailboxOwnerId",
            "TrustedListsOnly",
            "TrustedRecipientsAndDomains",
            "TrustedSendersAndDomains",
        ],
        source: "reference §6.2; EX:Get-MailboxJunkEmailConfiguration.md",
    },
    Cmdlet {
        name: "Set-MailboxJunkEmailConfiguration",
        parameters: &[
            ("Identity", Takes::Text),
            ("Enabled", Takes::Bool),
            ("TrustedSendersAndDomains", Takes::Entries),
            ("TrustedRecipientsAndDomains", Takes::Entries),
            ("BlockedSendersAndDomains", Takes::Entries),
            ("ContactsTrusted", Takes::Bool),
        ],
        needs: &["Identity"],
        output: &[],
        source: "reference §6.2; EX:Set-MailboxJunkEmailConfiguration.md",
    },
    Cmdlet {
        name: "Get-CASMailbox",
        parameters: &[("Identity", Takes::Text), ("ResultSize", Takes::Size)],
        needs: &["Identity"],
        output: &[
            "ActiveSyncAllowedDeviceIDs",
            "ActiveSyncBlockedDeviceIDs",
            "ActiveSyncEnabled",
            "ECPEnabled",
            "EwsEnabled",
            "Identity",
            "ImapEnabled",
            "MAPIEnabled",
            "MacOutlookEnabled",
            "OWAEnabled",
            "OWAforDevicesEnabled",
            "OneWinNativeOutlookEnabled",
            "OutlookMobileEnabled",
            "PopEnabled",
            "SmtpClientAuthenticationDisabled",
            "UniversalOutlookEnabled",
        ],
        source: "reference §6.2; EX:Set-CASMailbox.md",
    },
    Cmdlet {
        name: "Set-CASMailbox",
        parameters: &[
            ("Identity", Takes::Text),
            ("ImapEnabled", Takes::Bool),
            ("PopEnabled", Takes::Bool),
            ("EwsEnabled", Takes::Bool),
            ("SmtpClientAuthenticationDisabled", Takes::BoolOrNull),
        ],
        needs: &["Identity"],
        output: &[],
        source: "reference §6.2; EX:Set-CASMailbox.md",
    },
    Cmdlet {
        name: "Get-MobileDevice",
        parameters: &[("Mailbox", Takes::Text), ("ResultSize", Takes::Size)],
        needs: &["Mailbox"],
        output: &[
            "ClientType",
            "DeviceAccessState",
            "DeviceId",
            "DeviceModel",
            "DeviceType",
            "FirstSyncTime",
            "FriendlyName",
            "Identity",
            "UserDisplayName",
        ],
        source: "reference §6.2; EX:Get-MobileDevice.md",
    },
    Cmdlet {
        // Never the cmdlet that wipes: it is in no table.
        name: "Remove-MobileDevice",
        parameters: &[("Identity", Takes::Text)],
        needs: &["Identity"],
        output: &[],
        source: "reference §6.2; EX:Remove-MobileDevice.md",
    },
    Cmdlet {
        name: "Get-BlockedSenderAddress",
        parameters: &[("SenderAddress", Takes::Text)],
        needs: &[],
        output: &["CreatedDatetime", "Reason", "SenderAddress"],
        source: "reference §6.2, §15.5; EX:Get-BlockedSenderAddress.md",
    },
    Cmdlet {
        name: "Remove-BlockedSenderAddress",
        parameters: &[("SenderAddress", Takes::Text), ("Reason", Takes::Text)],
        needs: &["SenderAddress"],
        output: &[],
        source: "reference §6.2, §15.5; EX:Remove-BlockedSenderAddress.md",
    },
    Cmdlet {
        name: "Get-SweepRule",
        parameters: &[
            ("Mailbox", Takes::Text),
            ("Identity", Takes::Text),
            ("ResultSize", Takes::Size),
        ],
        needs: &["Mailbox"],
        output: SWEEP,
        source: "reference §6.2; EX:New-SweepRule.md",
    },
    Cmdlet {
        name: "New-SweepRule",
        parameters: &[
            ("Mailbox", Takes::Text),
            ("Name", Takes::Text),
            ("Provider", Takes::Text),
            ("Sender", Takes::Text),
            ("SourceFolder", Takes::Text),
            ("DestinationFolder", Takes::Text),
            ("KeepForDays", Takes::Number),
            ("KeepLatest", Takes::Number),
            ("Enabled", Takes::Bool),
        ],
        needs: &["Name", "Provider"],
        output: SWEEP,
        source: "reference §6.2; EX:New-SweepRule.md",
    },
    Cmdlet {
        name: "Remove-SweepRule",
        parameters: &[("Mailbox", Takes::Text), ("Identity", Takes::Text)],
        needs: &["Identity"],
        output: &[],
        source: "reference §6.2; EX:Remove-SweepRule.md",
    },
];

/// Whether a request to `InvokeCommand` and its answer keep to the table: what is
/// wrong, one line each. Both bodies as they passed; an answer that is no success is
/// not looked into.
pub fn check_cmdlet(request: &Value, status: u16, answer: Option<&Value>) -> Vec<String> {
    let input = &request["CmdletInput"];
    let Some(name) = input["CmdletName"].as_str() else {
        return vec!["the request names no cmdlet".to_owned()];
    };
    let Some(cmdlet) = CMDLETS.iter().find(|cmdlet| cmdlet.name == name) else {
        return vec![format!("{name}: no such cmdlet in the table")];
    };
    let Some(parameters) = input["Parameters"].as_object() else {
        return vec![format!(
            "{name}: the parameters are no object (reference §6.3)"
        )];
    };
    let mut faults = parameters_of(cmdlet, parameters);
    if (200..300).contains(&status) {
        faults.extend(output_of(cmdlet, answer));
    }
    faults
}

fn parameters_of(cmdlet: &Cmdlet, given: &Map<String, Value>) -> Vec<String> {
    let name = cmdlet.name;
    let mut faults = Vec::new();
    for (parameter, value) in given {
        let known = cmdlet
            .parameters
            .iter()
            .chain(COMMON)
            .find(|(known, _)| known == parameter);
        match known {
            None => faults.push(format!("{name}: no such parameter: {parameter}")),
            Some((_, takes)) if !takes.fits(value) => {
                faults.push(format!("{name}: {parameter} takes {takes:?}, not {value}"));
            }
            Some(_) => {}
        }
    }
    let missing = cmdlet
        .needs
        .iter()
        .filter(|needed| !given.contains_key(**needed));
    faults.extend(missing.map(|needed| format!("{name}: {needed} is missing")));
    // Destructive cmdlets ask for confirmation, and nobody is there (reference §6.3).
    if name.starts_with("Remove-") && given.get("Confirm") != Some(&Value::Bool(false)) {
        faults.push(format!("{name}: Confirm is not switched off"));
    }
    faults
}

fn output_of(cmdlet: &Cmdlet, answer: Option<&Value>) -> Vec<String> {
    let name = cmdlet.name;
    let Some(rows) = answer.and_then(|answer| answer["value"].as_array()) else {
        return vec![format!("{name}: the answer has no list (reference §6.3)")];
    };
    let mut faults = Vec::new();
    if !rows.is_empty() && cmdlet.output.is_empty() {
        faults.push(format!("{name}: gives nothing, and gave rows"));
    }
    for row in rows {
        let Some(row) = row.as_object() else {
            faults.push(format!("{name}: a row is no object"));
            continue;
        };
        let property = |key: &str| {
            key.strip_suffix("@odata.type")
                .or_else(|| key.strip_suffix("@data.type"))
                .unwrap_or(key)
                .to_owned()
        };
        let unknown = row
            .keys()
            .map(|key| property(key))
            .filter(|key| !cmdlet.output.is_empty() && !cmdlet.output.contains(&key.as_str()));
        faults.extend(unknown.map(|key| format!("{name}: no such property: {key}")));
    }
    faults.sort();
    faults.dedup();
    faults
}

impl Takes {
    fn fits(self, value: &Value) -> bool {
        let text = |value: &Value| value.as_str().is_some_and(|text| !text.trim().is_empty());
        match self {
            Self::Text => text(value),
            Self::TextOrNull => value.is_null() || text(value),
            Self::Bool => value.is_boolean(),
            Self::Number => value.is_number(),
            Self::Size => value.is_number() || value == "Unlimited",
            Self::BoolOrNull => value.is_null() || value.is_boolean(),
            Self::Entries if value.is_object() => {
                value["@odata.type"] == "#Exchange.GenericHashTable"
                    && ["Add", "Remove"].iter().any(|word| {
                        value[word]
                            .as_array()
                            .is_some_and(|list| !list.is_empty() && list.iter().all(text))
                    })
            }
            Self::Entries | Self::Texts => {
                text(value)
                    || value
                        .as_array()
                        .is_some_and(|list| !list.is_empty() && list.iter().all(text))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(name: &str, parameters: &Value) -> Value {
        json!({"CmdletInput": {"CmdletName": name, "Parameters": parameters}})
    }

    fn rows(rows: &Value) -> Value {
        json!({"@adminapi.warnings": [], "value": rows})
    }

    #[test]
    fn what_the_reference_shows_passes() {
        let request = call(
            "Get-InboxRule",
            &json!({"Mailbox": "u@x", "IncludeHidden": true}),
        );
        let answer = rows(
            &json!([{"Identity": "b\\1", "RuleIdentity@data.type": "System.UInt64",
            "RuleIdentity": 11_529_215_046_068_469_761_u64, "Name": "n", "ForwardTo@odata.type": "#Collection(String)", "ForwardTo": []}]),
        );
        assert_eq!(check_cmdlet(&request, 200, Some(&answer)), [""; 0]);
    }

    #[test]
    fn each_kind_of_mistake_is_caught() {
        let right = json!({"Mailbox": "u@x"});
        let empty = rows(&json!([]));
        for (request, answer, words) in [
            (call("Get-InboxRules", &right), &empty, "no such cmdlet"),
            (
                call("Get-InboxRule", &json!({"MailBox": "u@x", "Mailbox": "u"})),
                &empty,
                "no such parameter: MailBox",
            ),
            (
                call("Get-InboxRule", &json!({"Mailbox": null})),
                &empty,
                "Mailbox takes Text",
            ),
            (
                call("Get-InboxRule", &json!({"Mailbox": ""})),
                &empty,
                "Mailbox takes Text",
            ),
            (
                call("Get-InboxRule", &json!({})),
                &empty,
                "Mailbox is missing",
            ),
            (
                call(
                    "Get-InboxRule",
                    &json!({"Mailbox": "u", "IncludeHidden": "true"}),
                ),
                &empty,
                "IncludeHidden takes Bool",
            ),
            (call("Get-InboxRule", &Value::Null), &empty, "no object"),
            (
                call(
                    "Remove-InboxRule",
                    &json!({"Mailbox": "u", "Identity": "b\\1"}),
                ),
                &empty,
                "Confirm",
            ),
            (
                call("Get-InboxRule", &right),
                &rows(&json!([{"Hidden": true}])),
                "no such property: Hidden",
            ),
            (call("Get-InboxRule", &right), &json!({}), "no list"),
            (
                call("Set-Mailbox", &json!({"Identity": "u"})),
                &rows(&json!([{"Name": "x"}])),
                "gives nothing",
            ),
        ] {
            let faults = check_cmdlet(&request, 200, Some(answer));
            assert!(
                faults.iter().any(|fault| fault.contains(words)),
                "{words}: {faults:?}"
            );
        }
    }

    #[test]
    fn every_row_names_its_source_and_what_it_needs_exists() {
        for cmdlet in CMDLETS {
            assert!(cmdlet.source.starts_with("reference §6"), "{}", cmdlet.name);
            for needed in cmdlet.needs {
                let known = cmdlet.parameters.iter().any(|(name, _)| name == needed);
                assert!(known, "{} {needed}", cmdlet.name);
            }
            let same = CMDLETS.iter().filter(|other| other.name == cmdlet.name);
            assert_eq!(same.count(), 1);
        }
    }
}
