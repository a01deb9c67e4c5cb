//! Cmdlets of a mailbox's settings: automatic reply, junk lists, protocols, mobile
//! devices, the service's block from sending (reference §6.2, §15.5).
//!
//! A mobile device is removed and never wiped: no call here reaches what is on it.

use serde_json::json;

use super::{Cmdlet, Tenant, wrong_object};
use crate::call::{
    CallSpec, EXCHANGE_GET_AUTO_REPLY, EXCHANGE_GET_BLOCKED_SENDER, EXCHANGE_GET_JUNK_LISTS,
    EXCHANGE_GET_MOBILE_DEVICES, EXCHANGE_GET_PROTOCOLS, EXCHANGE_LIFT_SENDING_BLOCK,
    EXCHANGE_REMOVE_MOBILE_DEVICE, EXCHANGE_SET_AUTO_REPLY, EXCHANGE_SET_JUNK_LISTS,
    EXCHANGE_SET_PROTOCOLS,
};
use crate::error::{Kind, TenantError};
use crate::model::{AutoReply, BlockedSender, ClientAccess, JunkConfiguration, MobileDevice};
use crate::wire::{Prepared, Read};

impl Tenant {
    /// The automatic reply of a mailbox.
    pub async fn get_auto_reply(&self, mailbox: &str) -> Result<Read<AutoReply>, TenantError> {
        let spec = &EXCHANGE_GET_AUTO_REPLY;
        let cmdlet = Self::about(
            spec,
            "Get-MailboxAutoReplyConfiguration",
            "Identity",
            mailbox,
        )?;
        self.single(spec, &cmdlet, mailbox).await
    }

    /// Safe senders and junk lists of a mailbox.
    pub async fn get_junk_lists(
        &self,
        mailbox: &str,
    ) -> Result<Read<JunkConfiguration>, TenantError> {
        let spec = &EXCHANGE_GET_JUNK_LISTS;
        let cmdlet = Self::about(
            spec,
            "Get-MailboxJunkEmailConfiguration",
            "Identity",
            mailbox,
        )?;
        self.single(spec, &cmdlet, mailbox).await
    }

    /// How programs reach a mailbox.
    pub async fn get_protocols(&self, mailbox: &str) -> Result<Read<ClientAccess>, TenantError> {
        let spec = &EXCHANGE_GET_PROTOCOLS;
        let cmdlet = Self::about(spec, "Get-CASMailbox", "Identity", mailbox)?;
        self.single(spec, &cmdlet, mailbox).await
    }

    /// The mobile devices that are paired with a mailbox.
    pub async fn get_mobile_devices(
        &self,
        mailbox: &str,
    ) -> Result<Read<Vec<MobileDevice>>, TenantError> {
        let spec = &EXCHANGE_GET_MOBILE_DEVICES;
        let cmdlet = Self::about(spec, "Get-MobileDevice", "Mailbox", mailbox)?;
        let read: Read<Vec<MobileDevice>> = self.typed(spec, &cmdlet, Some(mailbox)).await?;
        if read.value.iter().any(|device| device.key().is_none()) {
            let why = "a device without an identity was returned";
            return Err(wrong_object(spec, mailbox, &read.answers, why));
        }
        Ok(read)
    }

    /// The accounts that the service stopped from sending, of the whole tenant.
    pub async fn get_blocked_senders(&self) -> Result<Read<Vec<BlockedSender>>, TenantError> {
        let spec = &EXCHANGE_GET_BLOCKED_SENDER;
        let cmdlet = Cmdlet::new("Get-BlockedSenderAddress");
        self.typed(spec, &cmdlet, None).await
    }

    /// Setting the automatic reply: state, audience, both texts, times. What is nothing
    /// is cleared where it is a text, and left alone otherwise.
    pub fn prepare_set_auto_reply(
        &self,
        mailbox: &str,
        reply: &AutoReply,
    ) -> Result<Prepared, TenantError> {
        let spec = &EXCHANGE_SET_AUTO_REPLY;
        let mut cmdlet = Self::about(
            spec,
            "Set-MailboxAutoReplyConfiguration",
            "Identity",
            mailbox,
        )?
        .with(
            "AutoReplyState",
            reply.auto_reply_state.as_deref().unwrap_or("Disabled"),
        )
        .with_or_clear("InternalMessage", reply.internal_message.as_deref())
        .with_or_clear("ExternalMessage", reply.external_message.as_deref());
        for (name, value) in [
            ("ExternalAudience", &reply.external_audience),
            ("StartTime", &reply.start_time),
            ("EndTime", &reply.end_time),
        ] {
            if let Some(value) = value {
                cmdlet = cmdlet.with(name, value.as_str());
            }
        }
        let cmdlet = cmdlet.with("Confirm", false);
        self.prepare(spec, &cmdlet, Some(mailbox), mailbox)
    }

    /// Taking entries out of the lists of junk mail, or putting them in: parameter and
    /// entries. What others added meanwhile stays.
    pub fn prepare_change_junk_lists(
        &self,
        mailbox: &str,
        lists: &[(&str, Vec<String>)],
        add: bool,
    ) -> Result<Prepared, TenantError> {
        let spec = &EXCHANGE_SET_JUNK_LISTS;
        let mut cmdlet = Self::about(
            spec,
            "Set-MailboxJunkEmailConfiguration",
            "Identity",
            mailbox,
        )?;
        let word = if add { "Add" } else { "Remove" };
        for (parameter, entries) in lists.iter().filter(|(_, entries)| !entries.is_empty()) {
            // Untyped, the binder refuses it (reference §6.2, send on behalf).
            let change = json!({"@odata.type": "#Exchange.GenericHashTable", word: entries});
            cmdlet = cmdlet.with(parameter, change);
        }
        let cmdlet = cmdlet.with("Confirm", false);
        self.prepare(spec, &cmdlet, Some(mailbox), mailbox)
    }

    /// Setting protocols: parameter and value; nothing lets the organisation decide.
    pub fn prepare_set_protocols(
        &self,
        mailbox: &str,
        switches: &[(&str, Option<bool>)],
    ) -> Result<Prepared, TenantError> {
        let spec = &EXCHANGE_SET_PROTOCOLS;
        let mut cmdlet = Self::about(spec, "Set-CASMailbox", "Identity", mailbox)?;
        for (parameter, value) in switches {
            cmdlet = match value {
                Some(value) => cmdlet.with(parameter, *value),
                None => cmdlet.with_or_clear(parameter, None),
            };
        }
        let cmdlet = cmdlet.with("Confirm", false);
        self.prepare(spec, &cmdlet, Some(mailbox), mailbox)
    }

    /// Removing a mobile device's partnership by its identity. Nothing on the device is
    /// touched.
    pub fn prepare_remove_mobile_device(
        &self,
        mailbox: &str,
        identity: &str,
    ) -> Result<Prepared, TenantError> {
        let spec = &EXCHANGE_REMOVE_MOBILE_DEVICE;
        if identity.trim().is_empty() {
            let why = "a device is removed by its identity: an empty one means every device";
            return Err(TenantError::new(Kind::BadInput, spec, identity, why));
        }
        let cmdlet = Cmdlet::new("Remove-MobileDevice")
            .with("Identity", identity)
            .with("Confirm", false);
        self.prepare(spec, &cmdlet, Some(mailbox), identity)
    }

    /// Lifting the service's block from sending.
    pub fn prepare_lift_sending_block(&self, address: &str) -> Result<Prepared, TenantError> {
        let spec = &EXCHANGE_LIFT_SENDING_BLOCK;
        let cmdlet = Self::about(
            spec,
            "Remove-BlockedSenderAddress",
            "SenderAddress",
            address,
        )?
        .with("Confirm", false);
        self.prepare(spec, &cmdlet, None, address)
    }

    /// A cmdlet that has one row for one mailbox.
    async fn single<T: serde::de::DeserializeOwned>(
        &self,
        spec: &'static CallSpec,
        cmdlet: &Cmdlet,
        mailbox: &str,
    ) -> Result<Read<T>, TenantError> {
        let read: Read<Vec<T>> = self.typed(spec, cmdlet, Some(mailbox)).await?;
        let mut found = read.value.into_iter();
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(Read {
                value: one,
                answers: read.answers,
                completeness: read.completeness,
            }),
            (None, _) => Err(wrong_object(
                spec,
                mailbox,
                &read.answers,
                "the mailbox has no such configuration",
            )),
            _ => Err(wrong_object(
                spec,
                mailbox,
                &read.answers,
                "configurations of more than one mailbox were returned",
            )),
        }
    }
}
