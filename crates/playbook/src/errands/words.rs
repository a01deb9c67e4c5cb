//! The words of errands: who, which page, which cmdlet, which object, what answer.
//!
//! Pages are those of the admin centres as Microsoft names them, cmdlets those of the
//! Microsoft Graph PowerShell SDK and of Exchange Online PowerShell. What comes from the
//! tenant stands in quotes, so that a name of the attacker's making ends no command.

use crate::ActionKind;
use crate::event::{Facts, Observed};
use crate::steps::StepId;
use crate::words::{ObjectKind, ObjectRef};

/// How objects of one kind are looked at and removed by hand.
#[derive(Clone, Copy, Debug)]
pub struct ByHand {
    /// The kind.
    pub kind: ObjectKind,
    /// The kind's word in names of tasks.
    pub word: &'static str,
    /// The step.
    pub step: StepId,
    /// Who can.
    pub who: &'static str,
    /// What it takes.
    role: &'static str,
    /// The page that shows it.
    page: &'static str,
    /// The cmdlet that lists it.
    list: &'static str,
    /// What is done to one of them on that page.
    act: &'static str,
    /// The cmdlet that does it.
    cmdlet: &'static str,
}

const ENTRA: &str = "identity_admin";
const EXCHANGE: &str = "mail_admin";

macro_rules! hands {
    ($($kind:ident $word:literal $step:literal $part:literal $who:ident $role:literal:
       $page:literal, $list:literal; $act:literal, $cmdlet:literal.)*) => {
        &[$(ByHand {
            kind: ObjectKind::$kind,
            word: $word,
            step: StepId::new($step, $part),
            who: $who,
            role: $role,
            page: $page,
            list: $list,
            act: $act,
            cmdlet: $cmdlet,
        }),*]
    };
}

/// Every kind that a snapshot reads. `{upn}` is the account, `{id}` the object.
#[rustfmt::skip]
pub const LOOKED_AT: &[ByHand] = hands! {
    Method "method" 4 2 ENTRA "Authentication Administrator":
        "Entra admin centre, Users, {upn}, Authentication methods",
        "Get-MgUserAuthenticationMethod -UserId {upn}";
        "Delete (the default method last)",
        "Remove-MgUserAuthenticationPhoneMethod -UserId {upn} -PhoneAuthenticationMethodId {id}, and so for each kind".
    InboxRule "inbox_rule" 5 1 EXCHANGE "Exchange Administrator":
        "no page of the admin centres shows a mailbox's rules; Outlook on the web as the user (Settings, Mail, Rules) shows those that are not hidden",
        "Get-InboxRule -Mailbox {upn} -IncludeHidden | Format-List Name,Identity,Enabled,ForwardTo,RedirectTo,ForwardAsAttachmentTo,MoveToFolder,DeleteMessage,MarkAsRead";
        "Delete (in Exchange that takes Outlook's client-only rules of the mailbox with it: export them in Outlook first)",
        "Remove-InboxRule -Mailbox {upn} -Identity {id} -AlwaysDeleteOutlookRulesBlob".
    MailboxForwarding "mailbox_forwarding" 3 5 EXCHANGE "Exchange Recipient Administrator":
        "Exchange admin centre, Recipients, Mailboxes, {upn}, Mail flow settings, Email forwarding",
        "Get-Mailbox -Identity {upn} | Format-List ForwardingSmtpAddress,ForwardingAddress,DeliverToMailboxAndForward";
        "switch both forwardings off, in one change",
        "Set-Mailbox -Identity {upn} -ForwardingSmtpAddress $null -ForwardingAddress $null -DeliverToMailboxAndForward $false".
    OauthGrant "app_consent" 5 3 ENTRA "Cloud Application Administrator":
        "Entra admin centre, Users, {upn}, Applications; then Enterprise applications, the app, Permissions, User consent",
        "Get-MgUserOauth2PermissionGrant -UserId {upn} -All | Format-List Id,ClientId,Scope";
        "Revoke (and the app's own page, Properties, Enabled for users to sign in: No, where nobody else uses it)",
        "Remove-MgOauth2PermissionGrant -OAuth2PermissionGrantId {id}".
    SweepRule "sweep_rule" 5 1 EXCHANGE "Exchange Administrator":
        "no page of the admin centres shows sweep rules; Outlook on the web as the user (Settings, Mail, Sweep)",
        "Get-SweepRule -Mailbox {upn} | Format-List Name,RuleId,Enabled,Sender,DestinationFolder,KeepForDays,KeepLatest";
        "Delete", "Remove-SweepRule -Mailbox {upn} -Identity {id}".
    AutoReply "automatic_reply" 3 5 EXCHANGE "Exchange Recipient Administrator":
        "Exchange admin centre, Recipients, Mailboxes, {upn}, Others, Automatic replies",
        "Get-MailboxAutoReplyConfiguration -Identity {upn} | Format-List AutoReplyState,ExternalAudience,InternalMessage,ExternalMessage";
        "keep the text for the case, then switch it off",
        "Set-MailboxAutoReplyConfiguration -Identity {upn} -AutoReplyState Disabled".
    JunkLists "junk_lists" 5 1 EXCHANGE "Exchange Recipient Administrator":
        "no page of the admin centres shows them; Outlook on the web as the user (Settings, Mail, Junk email)",
        "Get-MailboxJunkEmailConfiguration -Identity {upn} | Format-List TrustedSendersAndDomains,TrustedRecipientsAndDomains,BlockedSendersAndDomains";
        "take out each entry that is not the owner's",
        "Set-MailboxJunkEmailConfiguration -Identity {upn} -TrustedSendersAndDomains @{Remove='…'} -BlockedSendersAndDomains @{Remove='…'}".
    MailProtocols "mail_protocols" 5 1 EXCHANGE "Exchange Recipient Administrator":
        "Exchange admin centre, Recipients, Mailboxes, {upn}, General, Manage email apps settings",
        "Get-CASMailbox -Identity {upn} | Format-List ImapEnabled,PopEnabled,EwsEnabled,SmtpClientAuthenticationDisabled";
        "switch off each protocol that no program of the owner's uses",
        "Set-CASMailbox -Identity {upn} -ImapEnabled $false -PopEnabled $false -SmtpClientAuthenticationDisabled $true".
    MobilePartnership "mobile_device" 5 1 EXCHANGE "Exchange Recipient Administrator":
        "Exchange admin centre, Recipients, Mailboxes, {upn}, General, Mobile devices",
        "Get-MobileDevice -Mailbox {upn} | Format-List Identity,DeviceId,DeviceModel,FirstSyncTime";
        "Remove (never Wipe)", "Remove-MobileDevice -Identity {id}".
    SendingBlock "sending_block" 7 1 EXCHANGE "Security Administrator":
        "Defender portal, Email & collaboration, Review, Restricted entities",
        "Get-BlockedSenderAddress -SenderAddress {upn}";
        "Unblock, last of all and only once sign-in has been given back",
        "Remove-BlockedSenderAddress -SenderAddress {upn}".
    Device "device" 5 4 ENTRA "Cloud Device Administrator":
        "Entra admin centre, Users, {upn}, Devices",
        "Get-MgUserRegisteredDevice -UserId {upn} -All; Get-MgUserOwnedDevice -UserId {upn} -All";
        "Disable (never Delete: keys and evidence go with it)",
        "Update-MgDevice -DeviceId {id} -AccountEnabled:$false".
    ServicePrincipal "app" 5 3 ENTRA "Cloud Application Administrator":
        "Entra admin centre, Enterprise applications, newest first; for each its Permissions, Admin consent",
        "Get-MgServicePrincipal -All | Format-List Id,AppId,DisplayName,AccountEnabled,AppOwnerOrganizationId";
        "Properties, Enabled for users to sign in: No (never Delete: the consent is evidence)",
        "Update-MgServicePrincipal -ServicePrincipalId {id} -AccountEnabled:$false".
    MailboxRight "mailbox_right" 5 2 EXCHANGE "Exchange Recipient Administrator":
        "Exchange admin centre, Recipients, Mailboxes, {upn}, Delegation",
        "Get-MailboxPermission -Identity {upn}; Get-RecipientPermission -Identity {upn}; (Get-Mailbox {upn}).GrantSendOnBehalfTo";
        "take out whom the owner does not name",
        "Remove-MailboxPermission, Remove-RecipientPermission or Set-Mailbox -GrantSendOnBehalfTo @{Remove='…'}, for {id}".
    FolderRight "folder_right" 5 2 EXCHANGE "Exchange Recipient Administrator":
        "no page of the admin centres shows rights on folders; desktop Outlook as the user (folder, Properties, Permissions)",
        "Get-MailboxFolderPermission -Identity {upn}:\\Inbox, and so for each folder of Get-MailboxFolderStatistics -Identity {upn}";
        "take out whom the owner does not name, and set Default and Anonymous to None",
        "Remove-MailboxFolderPermission -Identity {upn}:\\… -User {id}".
    AppRole "app_role" 5 3 ENTRA "Cloud Application Administrator":
        "Entra admin centre, Users, {upn}, Applications",
        "Get-MgUserAppRoleAssignment -UserId {upn} -All";
        "Remove", "Remove-MgUserAppRoleAssignment -UserId {upn} -AppRoleAssignmentId {id}".
    DirectoryRole "directory_role" 3 5 ENTRA "Privileged Role Administrator":
        "Entra admin centre, Users, {upn}, Assigned roles",
        "Get-MgRoleManagementDirectoryRoleAssignment -Filter \"principalId eq '{account}'\"";
        "Remove assignments", "Remove-MgRoleManagementDirectoryRoleAssignment -UnifiedRoleAssignmentId {id}".
    ResetAttributes "reset_attributes" 4 4 ENTRA "Authentication Administrator":
        "Entra admin centre, Users, {upn}, Properties, Contact information",
        "Get-MgUser -UserId {upn} -Property MobilePhone,BusinessPhones,OtherMails";
        "set each to what the owner says on the telephone, from the personnel file",
        "Update-MgUser -UserId {upn} -MobilePhone '…' -OtherMails @('…')".
};

const PASSWORD: ByHand = ByHand {
    kind: ObjectKind::Password,
    word: "password",
    step: StepId::new(4, 1),
    who: ENTRA,
    role: "User Administrator",
    page: "Entra admin centre, Users, {upn}",
    list: "Get-MgUser -UserId {upn} -Property LastPasswordChangeDateTime",
    act: "Reset password; keep what it shows for the hand-over by telephone",
    cmdlet: "Update-MgUser -UserId {upn} -PasswordProfile @{Password='…'; ForceChangePasswordNextSignIn=$true}",
};

/// How objects of this kind are handled by hand.
pub(super) fn hand(kind: ObjectKind) -> Option<&'static ByHand> {
    if kind == ObjectKind::Password {
        return Some(&PASSWORD);
    }
    LOOKED_AT.iter().find(|hand| hand.kind == kind)
}

/// A log, and where a person looks at it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Log {
    /// Its word in names of tasks.
    pub(super) word: &'static str,
    /// The names of its sources.
    pub(super) sources: &'static [&'static str],
    pub(super) step: StepId,
    pub(super) who: &'static str,
    page: &'static str,
    cmdlet: &'static str,
    answer: &'static str,
}

/// Every log that a case reads.
pub(super) const LOGS: &[Log] = &[
    Log {
        word: "sign_ins",
        sources: &[
            "sign-ins, interactive",
            "sign-ins, non-interactive",
            "sign-ins from the attacker's addresses",
        ],
        step: StepId::new(6, 1),
        who: ENTRA,
        page: "Entra admin centre, Users, {upn}, Sign-in logs, both the interactive and the non-interactive tab, as far back as they reach (7 days without Entra ID P1, 30 with it)",
        cmdlet: "Get-MgBetaAuditLogSignIn -Filter \"userId eq '{account}'\"",
        answer: "the time, address, place, app and device of every sign-in that the owner, asked by telephone, does not know; or that there is none; or that the page shows nothing",
    },
    Log {
        word: "directory_audits",
        sources: &[crate::judge::AUDITS_ABOUT, crate::judge::AUDITS_BY],
        step: StepId::new(6, 4),
        who: ENTRA,
        page: "Entra admin centre, Users, {upn}, Audit logs",
        cmdlet: "Get-MgAuditLogDirectoryAudit -Filter \"targetResources/any(t: t/id eq '{account}')\"",
        answer: "each registration of security info, consent, device or role in it that the owner does not know, with its time; or that there is none",
    },
    Log {
        word: "unified_audit",
        sources: &[crate::judge::UNIFIED_AUDIT],
        step: StepId::new(6, 3),
        who: EXCHANGE,
        page: "Purview portal, Audit, Search, with {upn} as the user",
        cmdlet: "Search-UnifiedAuditLog -UserIds {upn} -StartDate … -EndDate … -ResultSize 5000",
        answer: "each New-InboxRule, Set-InboxRule, UpdateInboxRules, Set-Mailbox and consent in it that the owner does not know, with its time; or that there is none",
    },
    Log {
        word: "message_trace",
        sources: &["message trace"],
        step: StepId::new(6, 2),
        who: EXCHANGE,
        page: "Exchange admin centre, Mail flow, Message trace, sender {upn}, ten days",
        cmdlet: "Get-MessageTraceV2 -SenderAddress {upn} -StartDate … -EndDate …",
        answer: "subject, recipients and time of every message that the owner did not write; or that there is none",
    },
    Log {
        word: "risk",
        sources: &["risk detections"],
        step: StepId::new(1, 2),
        who: ENTRA,
        page: "Entra admin centre, Protection, Risky activities, Risk detections, filtered by {upn}",
        cmdlet: "Get-MgRiskDetection -Filter \"userId eq '{account}'\"",
        answer: "type, time and address of each detection; or that there is none, or that the page asks for a licence",
    },
];

/// Whom a case is about.
#[derive(Clone, Copy)]
pub(super) struct Whom<'a> {
    pub(super) upn: &'a str,
    pub(super) id: &'a str,
}

impl Whom<'_> {
    fn fill(&self, text: &str, object: &str) -> String {
        text.replace("{account}", &inner(self.id))
            .replace("{upn}", &quoted(self.upn))
            .replace("{id}", &quoted(object))
    }

    fn page(&self, text: &str) -> String {
        text.replace("{upn}", self.upn)
    }
}

/// A text as one word of PowerShell: in single quotes, and those in it doubled, of
/// whichever form PowerShell takes for one.
pub fn quoted(text: &str) -> String {
    format!("'{}'", inner(text))
}

fn inner(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            // PowerShell takes the typographic ones for quotes as well.
            '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' => {
                whole.push(letter);
                whole.push(letter);
            }
            // A line break would end the command.
            letter if letter.is_control() => whole.push(' '),
            letter => whole.push(letter),
        }
    }
    whole
}

/// That a source could not be read, and why.
pub(super) fn unread(source: &str, why: &str) -> String {
    format!("The {source} could not be read: {}", sentence(why))
}

/// Looking at what we cannot read, and removing what is not the owner's.
pub(super) fn look(hand: &ByHand, whom: &Whom<'_>, why: &str) -> String {
    format!(
        "{} Either have that granted and give the same command again, or somebody with the role {} looks: {}; PowerShell: {}. With the owner on the telephone, go through every {} of {}. What the owner does not know: {}; PowerShell: {}. Keep a picture of each before. Answer with the name, id and time of each that was removed, or that there was none.",
        sentence(why),
        hand.role,
        whom.page(hand.page),
        whom.fill(hand.list, "…"),
        hand.kind.words(),
        whom.upn,
        hand.act,
        whom.fill(hand.cmdlet, "…"),
    )
}

/// Looking at other mailboxes, where we can read neither which they are nor what is set
/// there.
pub(super) fn elsewhere(whom: &Whom<'_>, why: &str) -> String {
    let upn = quoted(whom.upn);
    format!(
        "{why} Either have that granted and give the same command again, or somebody with the role Exchange Administrator looks: Exchange admin centre, Recipients, Mailboxes, Delegation of each shared mailbox; PowerShell: Get-Mailbox -ResultSize Unlimited | Get-MailboxPermission -User {upn}; Get-RecipientPermission -Trustee {upn} -ResultSize Unlimited. In each mailbox that {} opens: Get-InboxRule -IncludeHidden, ForwardingSmtpAddress and ForwardingAddress, Get-MailboxAutoReplyConfiguration, Get-MailboxPermission; what its owners do not know is kept as a picture and removed. Answer with the name, id and time of each that was removed, or that there was none.",
        whom.upn
    )
}

/// Removing one object that we can see and cannot remove.
pub(super) fn remove(hand: &ByHand, whom: &Whom<'_>, object: &ObjectRef, why: &str) -> String {
    let name = object.name.as_deref().unwrap_or(&object.id);
    let which = if object.kind == ObjectKind::Password {
        format!("The password of {} could not be reset", whom.upn)
    } else {
        format!(
            "The {} \"{name}\" ({}) of {} could not be removed, and still works",
            object.kind.words(),
            object.id,
            whom.upn
        )
    };
    format!(
        "{which}: {} Either have that granted and give the same command again, or somebody with the role {} does it: {}: {}; PowerShell: {}. Answer when it is done; it is then read whether it is so{}.",
        sentence(why),
        hand.role,
        whom.page(hand.page),
        hand.act,
        whom.fill(hand.cmdlet, &object.id),
        if hand.kind == ObjectKind::Password {
            String::new()
        } else {
            format!(" ({})", whom.fill(hand.list, "…"))
        },
    )
}

/// Asking whose an object is.
pub(super) fn ask(hand: &ByHand, whom: &Whom<'_>, observed: &Observed, why: &str) -> String {
    let object = &observed.object;
    format!(
        "No log that can be read tells who made the {} \"{}\" ({}) of {}{}. {} Ask the owner, at a telephone number that was known before and never by mail, whether they made it. Answer `yes` if it is theirs, `no` if it is not: then it is removed. To look at it: {}; PowerShell: {}.",
        object.kind.words(),
        object.name.as_deref().unwrap_or(&object.id),
        object.id,
        whom.upn,
        does(&observed.facts),
        sentence(why),
        whom.page(hand.page),
        whom.fill(hand.list, "…"),
    )
}

fn does(facts: &Facts) -> String {
    let mut all: Vec<String> = Vec::new();
    match facts {
        Facts::InboxRule {
            forwards_to,
            moves_to,
            deletes,
            marks_read,
            hidden,
            conditions,
            ..
        } => {
            if *hidden {
                all.push("is hidden".to_owned());
            }
            if !forwards_to.is_empty() {
                all.push(format!("forwards to {}", forwards_to.join(", ")));
            }
            if let Some(folder) = moves_to {
                all.push(format!("moves to \"{folder}\""));
            }
            if *deletes {
                all.push("deletes".to_owned());
            }
            if *marks_read {
                all.push("marks as read".to_owned());
            }
            if conditions.len() > 2 {
                all.push(format!("when {conditions}"));
            }
        }
        Facts::Forwarding { smtp, address, .. } => {
            for to in [smtp, address].into_iter().flatten() {
                all.push(format!("forwards to {to}"));
            }
        }
        Facts::Grant { scopes, .. } => all.push(format!("may {}", scopes.join(" "))),
        Facts::SweepRule { sender, .. } => all.push(format!("sweeps mail of {sender}")),
        _ => {}
    }
    if all.is_empty() {
        String::new()
    } else {
        format!(", which {}", all.join(", "))
    }
}

/// Asking which mail the owner did not write.
pub(super) fn sent(whom: &Whom<'_>, why: &str) -> String {
    format!(
        "No log that can be read tells who sent which message of {}. {} Ask the owner, at a telephone number that was known before and never by mail, to go through what left in their name in the last ten days: Exchange admin centre, Mail flow, Message trace, sender {}, beside Sent Items; PowerShell: Get-MessageTraceV2 -SenderAddress {} -StartDate … -EndDate …. Answer with Message-ID, subject and recipients of each message that they did not write, one a line, or that there is none; whoever received one has to be warned by telephone.",
        whom.upn,
        sentence(why),
        whom.upn,
        quoted(whom.upn),
    )
}

/// Looking at a log that we cannot read.
pub(super) fn read(log: &Log, whom: &Whom<'_>, why: &str, unrecorded: bool) -> String {
    if unrecorded {
        return format!(
            "{} What happened until now is in no log, and nobody can say from one what was read or who made which rule. Somebody with the role Exchange Administrator switches it on for what comes: Purview portal, Audit, Start recording user and admin activity; PowerShell: Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled $true. Answer when it is on.",
            sentence(why)
        );
    }
    format!(
        "{} Either have that granted and give the same command again, or somebody who may looks: {}; PowerShell, where the licence allows it: {}. Answer with {}.",
        sentence(why),
        whom.page(log.page),
        whom.fill(log.cmdlet, "…"),
        log.answer
    )
}

/// The word of a setting in names of tasks.
pub(super) const fn setting_word(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::RaiseRetention => "retention",
        ActionKind::HoldMailbox => "hold",
        _ => "sending_block",
    }
}

/// Making a setting that we were refused.
pub(super) fn setting(kind: ActionKind, whom: &Whom<'_>, why: &str) -> String {
    let (what, page, cmdlet) = match kind {
        ActionKind::RaiseRetention => (
            "That deleted mail is kept for 30 days could not be set",
            "no page of the admin centres has it",
            "Set-Mailbox -Identity {upn} -RetainDeletedItemsFor 30 -SingleItemRecoveryEnabled $true",
        ),
        ActionKind::HoldMailbox => (
            "The mailbox could not be put on litigation hold",
            "Exchange admin centre, Recipients, Mailboxes, {upn}, Others, Litigation hold",
            "Set-Mailbox -Identity {upn} -LitigationHoldEnabled $true",
        ),
        _ => (
            "The block from sending could not be lifted",
            "Defender portal, Email & collaboration, Review, Restricted entities",
            "Remove-BlockedSenderAddress -SenderAddress {upn}",
        ),
    };
    format!(
        "{what}: {} Either have that granted, or somebody with the role Exchange Administrator does it: {}; PowerShell: {}. Answer when it is done.",
        sentence(why),
        whom.page(page),
        whom.fill(cmdlet, "…")
    )
}

/// With a capital at its beginning and a full stop at its end.
fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut letters = text.chars();
    let mut whole: String = letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default();
    if !whole.ends_with(['.', '!', '?']) {
        whole.push('.');
    }
    whole
}
