//! Cmdlets of one mailbox besides its rules and forwarding (reference §6.2).

use super::{Tenant, wrong_object};
use crate::call::{
    EXCHANGE_CREATE_SWEEP_RULE, EXCHANGE_GET_RECIPIENT, EXCHANGE_GET_SWEEP_RULES,
    EXCHANGE_REMOVE_SWEEP_RULE,
};
use crate::error::{Kind, TenantError};
use crate::model::{ExchangeRecipient, SweepRule};
use crate::wire::{Prepared, Read};

impl Tenant {
    /// Who a recipient is that a mailbox's setting names: by name, alias, address, guid.
    /// Names are not unique, so that there may be several.
    ///
    /// Fails with [`Kind::BadInput`] for an empty name, which would mean everybody.
    pub async fn get_recipients(
        &self,
        name: &str,
    ) -> Result<Read<Vec<ExchangeRecipient>>, TenantError> {
        let spec = &EXCHANGE_GET_RECIPIENT;
        let cmdlet = Self::about(spec, "Get-Recipient", "Identity", name)?;
        // Anchored at the organisation: the recipient may be no mailbox of it.
        self.typed(spec, &cmdlet, None).await
    }

    /// A mailbox's sweep rules: a store of their own (reference §6.2).
    pub async fn get_sweep_rules(
        &self,
        mailbox: &str,
    ) -> Result<Read<Vec<SweepRule>>, TenantError> {
        let spec = &EXCHANGE_GET_SWEEP_RULES;
        let cmdlet = Self::about(spec, "Get-SweepRule", "Mailbox", mailbox)?;
        let read: Read<Vec<SweepRule>> = self.typed(spec, &cmdlet, Some(mailbox)).await?;
        if read.value.iter().any(|rule| rule.key().is_none()) {
            let why = "a sweep rule without an identity was returned";
            return Err(wrong_object(spec, mailbox, &read.answers, why));
        }
        Ok(read)
    }

    /// Making a sweep rule again, as it was listed; it gets a new id.
    pub fn prepare_create_sweep_rule(
        &self,
        mailbox: &str,
        rule: &SweepRule,
    ) -> Result<Prepared, TenantError> {
        let spec = &EXCHANGE_CREATE_SWEEP_RULE;
        let name = rule.name.as_deref().unwrap_or("sweep rule");
        let mut cmdlet = Self::about(spec, "New-SweepRule", "Mailbox", mailbox)?
            .with("Name", name)
            .with("Provider", rule.provider.as_deref().unwrap_or("Exchange16"));
        for (parameter, value) in [
            ("Sender", &rule.sender),
            ("SourceFolder", &rule.source_folder),
            ("DestinationFolder", &rule.destination_folder),
        ] {
            if let Some(value) = value {
                cmdlet = cmdlet.with(parameter, value.as_str());
            }
        }
        for (parameter, value) in [
            ("KeepForDays", &rule.keep_for_days),
            ("KeepLatest", &rule.keep_latest),
        ] {
            if let Some(number) = value.as_deref().and_then(|text| text.parse::<u32>().ok()) {
                cmdlet = cmdlet.with(parameter, number);
            }
        }
        self.prepare(spec, &cmdlet, Some(mailbox), name)
    }

    /// Removing a sweep rule by its identity (`alias\RuleId`).
    pub fn prepare_remove_sweep_rule(
        &self,
        mailbox: &str,
        identity: &str,
    ) -> Result<Prepared, TenantError> {
        let spec = &EXCHANGE_REMOVE_SWEEP_RULE;
        let cmdlet = Self::about(spec, "Remove-SweepRule", "Mailbox", mailbox)?;
        if identity.trim().is_empty() {
            let why = "a sweep rule is removed by its identity";
            return Err(TenantError::new(Kind::BadInput, spec, identity, why));
        }
        let cmdlet = cmdlet.with("Identity", identity).with("Confirm", false);
        self.prepare(spec, &cmdlet, Some(mailbox), identity)
    }
}
