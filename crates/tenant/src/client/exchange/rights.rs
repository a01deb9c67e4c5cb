//! Rights on a whole mailbox and whoever holds them (reference §6.2, §6.6).

use serde_json::{Value, json};

use super::{Cmdlet, wrong_object};
use crate::call::{
    CallSpec, EXCHANGE_GET_MAILBOX_PERMISSION, EXCHANGE_GET_RECIPIENT,
    EXCHANGE_GET_RECIPIENT_PERMISSION, EXCHANGE_GIVE_FULL_ACCESS, EXCHANGE_GIVE_SEND_AS,
    EXCHANGE_LIST_MAILBOXES, EXCHANGE_REMOVE_FULL_ACCESS, EXCHANGE_REMOVE_SEND_AS,
    EXCHANGE_SET_SEND_ON_BEHALF,
};
use crate::client::Tenant;
use crate::error::{Kind, TenantError};
use crate::model::{ExchangeRecipient, MailboxPermission, RecipientPermission};
use crate::wire::{Prepared, Read};

/// Whether a right is given or taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Giving {
    /// Given.
    Give,
    /// Taken away.
    Take,
}

impl Tenant {
    /// Who has full access to a mailbox, the mailbox itself and inherited rights included.
    pub async fn get_mailbox_permissions(
        &self,
        mailbox: &str,
    ) -> Result<Read<Vec<MailboxPermission>>, TenantError> {
        let spec = &EXCHANGE_GET_MAILBOX_PERMISSION;
        let cmdlet = Self::about(spec, "Get-MailboxPermission", "Identity", mailbox)?
            .with("ResultSize", "Unlimited");
        self.typed(spec, &cmdlet, Some(mailbox)).await
    }

    /// Who may send as a mailbox. Listed by mailbox and never by holder, which gives
    /// wrong results (reference §6.2).
    pub async fn get_recipient_permissions(
        &self,
        mailbox: &str,
    ) -> Result<Read<Vec<RecipientPermission>>, TenantError> {
        let spec = &EXCHANGE_GET_RECIPIENT_PERMISSION;
        let cmdlet = Self::about(spec, "Get-RecipientPermission", "Identity", mailbox)?
            .with("ResultSize", "Unlimited");
        self.typed(spec, &cmdlet, Some(mailbox)).await
    }

    /// Who a name in a list of rights is: a person, a guest, a group.
    ///
    /// Fails with [`Kind::NotFound`] if nobody is called so (somebody who was deleted,
    /// a SID), and with [`Kind::BadAnswer`] if it is the name of several.
    pub async fn get_recipient(&self, name: &str) -> Result<Read<ExchangeRecipient>, TenantError> {
        let spec = &EXCHANGE_GET_RECIPIENT;
        let cmdlet = Self::about(spec, "Get-Recipient", "Identity", name)?;
        let read: Read<Vec<ExchangeRecipient>> = self.typed(spec, &cmdlet, Some(name)).await?;
        let mut found = read.value.into_iter();
        match (found.next(), found.next()) {
            (Some(value), None) => Ok(Read {
                value,
                answers: read.answers,
                completeness: read.completeness,
            }),
            (None, _) => Err(TenantError::new(
                Kind::NotFound,
                spec,
                name,
                "no recipient was returned",
            )),
            _ => Err(wrong_object(
                spec,
                name,
                &read.answers,
                "several recipients have this name",
            )),
        }
    }

    /// The tenant's mailboxes, people's and shared ones, at most so many: whether there
    /// are more stands in the completeness.
    pub async fn list_mailboxes(
        &self,
        most: usize,
    ) -> Result<Read<Vec<ExchangeRecipient>>, TenantError> {
        let cmdlet = Cmdlet::new("Get-Recipient")
            .with(
                "RecipientTypeDetails",
                json!(["SharedMailbox", "UserMailbox"]),
            )
            .with("ResultSize", most);
        let read = self.rows(&EXCHANGE_LIST_MAILBOXES, &cmdlet, None).await?;
        let rows = read.value.into_iter().map(Value::Object).collect();
        let value = serde_json::from_value(Value::Array(rows)).map_err(|error| {
            wrong_object(
                &EXCHANGE_LIST_MAILBOXES,
                "mailboxes",
                &read.answers,
                &format!("the answer has another form than documented: {error}"),
            )
        })?;
        Ok(Read {
            value,
            answers: read.answers,
            completeness: read.completeness,
        })
    }

    /// Giving somebody full access to a mailbox, or taking it away. `who` is the
    /// holder as the list of rights shows it.
    pub fn prepare_full_access(
        &self,
        mailbox: &str,
        who: &str,
        giving: Giving,
    ) -> Result<Prepared, TenantError> {
        let (spec, name) = match giving {
            Giving::Give => (&EXCHANGE_GIVE_FULL_ACCESS, "Add-MailboxPermission"),
            Giving::Take => (&EXCHANGE_REMOVE_FULL_ACCESS, "Remove-MailboxPermission"),
        };
        self.prepare_right(spec, name, mailbox, ("User", who), "FullAccess")
    }

    /// Letting somebody send as a mailbox, or no longer.
    pub fn prepare_send_as(
        &self,
        mailbox: &str,
        who: &str,
        giving: Giving,
    ) -> Result<Prepared, TenantError> {
        let (spec, name) = match giving {
            Giving::Give => (&EXCHANGE_GIVE_SEND_AS, "Add-RecipientPermission"),
            Giving::Take => (&EXCHANGE_REMOVE_SEND_AS, "Remove-RecipientPermission"),
        };
        self.prepare_right(spec, name, mailbox, ("Trustee", who), "SendAs")
    }

    /// Letting somebody send on behalf of a mailbox, or no longer; whoever else is on
    /// the list stays there.
    pub fn prepare_send_on_behalf(
        &self,
        mailbox: &str,
        who: &str,
        giving: Giving,
    ) -> Result<Prepared, TenantError> {
        let spec = &EXCHANGE_SET_SEND_ON_BEHALF;
        let holder = named(spec, who)?;
        let word = match giving {
            Giving::Give => "Add",
            Giving::Take => "Remove",
        };
        // Without its type the table is refused (reference §6.2).
        let table = json!({"@odata.type": "#Exchange.GenericHashTable", word: [holder]});
        let cmdlet = Self::about(spec, "Set-Mailbox", "Identity", mailbox)?
            .with("GrantSendOnBehalfTo", table)
            .with("Confirm", false);
        self.prepare(spec, &cmdlet, Some(mailbox), holder)
    }

    fn prepare_right(
        &self,
        spec: &'static CallSpec,
        name: &str,
        mailbox: &str,
        (parameter, who): (&str, &str),
        right: &str,
    ) -> Result<Prepared, TenantError> {
        let holder = named(spec, who)?;
        let cmdlet: Cmdlet = Self::about(spec, name, "Identity", mailbox)?
            .with(parameter, holder)
            .with("AccessRights", json!([right]))
            .with("Confirm", false);
        self.prepare(spec, &cmdlet, Some(mailbox), holder)
    }
}

/// A holder that is somebody: an empty name could mean everybody.
pub(super) fn named<'a>(spec: &'static CallSpec, who: &'a str) -> Result<&'a str, TenantError> {
    if who.trim().is_empty() {
        let why = "name whose right it is";
        return Err(TenantError::new(Kind::BadInput, spec, who, why));
    }
    Ok(who)
}
