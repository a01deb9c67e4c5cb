//! The cmdlets that show how the organisation is set.

#![allow(
    clippy::unnecessary_wraps,
    reason = "the table of cmdlets wants one shape"
)]

use retake_playbook::ObjectKind;
use serde_json::{Value, json};

use super::{Cmdlet, Done, Rows, net_time, row};
use crate::trace::TraceObject;

/// `Get-OrganizationConfig`.
pub(super) fn config(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let tenant = &cmdlet.ask.world.tenant;
    let rows = vec![row(vec![
        ("Name", json!(tenant.initial_domain)),
        ("DisplayName", json!(tenant.display_name)),
        ("AuditDisabled", json!(false)),
        ("EwsEnabled", Value::Null),
        ("OAuth2ClientProfileEnabled", json!(true)),
    ])];
    Ok(about(cmdlet, rows))
}

/// `Get-AdminAuditLogConfig`.
pub(super) fn audit_config(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let mut only = row(vec![
        (
            "UnifiedAuditLogIngestionEnabled",
            json!(cmdlet.ask.world.tenant.audit_on),
        ),
        (
            "UnifiedAuditLogFirstOptInDate",
            net_time(jiff::Timestamp::UNIX_EPOCH),
        ),
        ("AdminAuditLogEnabled", json!(true)),
        ("AdminAuditLogAgeLimit", json!("90.00:00:00")),
    ]);
    only["UnifiedAuditLogFirstOptInDate"] = Value::Null;
    Ok(about(cmdlet, vec![only]))
}

/// `Get-HostedOutboundSpamFilterPolicy`.
pub(super) fn outbound(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let rows = vec![row(vec![
        ("Identity", json!("Default")),
        ("Name", json!("Default")),
        ("IsDefault", json!(true)),
        (
            "AutoForwardingMode",
            json!(cmdlet.ask.world.tenant.auto_forwarding),
        ),
        ("RecipientLimitExternalPerHour", json!(0)),
        ("RecipientLimitInternalPerHour", json!(0)),
        ("RecipientLimitPerDay", json!(0)),
        ("ActionWhenThresholdReached", json!("BlockUserForToday")),
    ])];
    Ok(about(cmdlet, rows))
}

/// `Get-RemoteDomain`: the default one forwards.
pub(super) fn remote_domain(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let rows = vec![row(vec![
        ("Identity", json!("Default")),
        ("DomainName", json!("*")),
        ("AutoForwardEnabled", json!(true)),
        ("AutoReplyEnabled", json!(true)),
    ])];
    Ok(about(cmdlet, rows))
}

/// `Get-TransportRule`: none in the scenarios so far.
pub(super) fn transport_rules(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    Ok(about(cmdlet, Vec::new()))
}

fn about(cmdlet: &Cmdlet<'_, '_>, rows: Vec<Value>) -> Done {
    Done {
        rows,
        target: Some(TraceObject::new(
            ObjectKind::Tenant,
            cmdlet.ask.world.tenant.id.clone(),
        )),
        ..Done::default()
    }
}
