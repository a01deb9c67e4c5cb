//! What lies in the account's own mailbox besides rules and forwarding, and who the
//! recipients are that its settings name.

use retake_playbook::event::{Facts, Recipient};
use retake_playbook::{ObjectKind, ObjectRef};
use retake_tenant::model::{ExchangeRecipient, SweepRule};
use retake_tenant::{Tenant, TenantError};

use super::{Found, Seen, bare, or_no_mailbox};

/// Who a forwarding goes to. Names are not unique: of several that one name fits, the
/// one that leaves counts, since nothing says that it is not meant.
pub(super) fn target(recipients: &[ExchangeRecipient]) -> Option<Recipient> {
    let mut names: Vec<String> = recipients
        .iter()
        .flat_map(ExchangeRecipient::names)
        .map(str::to_lowercase)
        .collect();
    names.sort();
    names.dedup();
    let group = |recipient: &ExchangeRecipient| {
        recipient
            .recipient_type
            .iter()
            .chain(&recipient.recipient_type_details)
            .any(|kind| kind.to_lowercase().contains("group"))
    };
    (!recipients.is_empty()).then(|| Recipient {
        outside: recipients
            .iter()
            .filter_map(|recipient| recipient.external_email_address.as_deref())
            .map(bare)
            .next(),
        group: recipients.iter().any(group),
        names,
    })
}

/// The sweep rules.
pub(super) async fn sweep_rules(tenant: &Tenant, user: &str) -> Result<Seen, TenantError> {
    let rules = match tenant.get_sweep_rules(user).await {
        Ok(rules) => rules,
        Err(error) => return or_no_mailbox(tenant, user, error).await,
    };
    let objects = rules.value.iter().map(sweep_facts).collect();
    Ok(Seen::of(rules, objects))
}

fn sweep_facts(rule: &SweepRule) -> Found {
    let name = rule.name.clone().unwrap_or_default();
    let number = |text: &Option<String>| text.as_deref().and_then(|text| text.trim().parse().ok());
    let aliases = rule.identity.iter().chain(&rule.rule_id).cloned();
    Found::new(
        ObjectRef::new(ObjectKind::SweepRule, rule.key().unwrap_or_default()).named(&name),
        Facts::SweepRule {
            enabled: rule.enabled.unwrap_or(true),
            aliases: aliases.collect(),
            sender: rule.sender.as_deref().map(bare).unwrap_or_default(),
            source: rule.source_folder.clone(),
            destination: rule.destination_folder.clone(),
            keep_days: number(&rule.keep_for_days),
            keep_latest: number(&rule.keep_latest),
            provider: rule.provider.clone(),
            name,
        },
    )
}
