//! Folders of a mailbox and the rights on each (reference §6.2). Folders are named by
//! their ids, because their names are in the mailbox's language, and may hold the very
//! characters that a path is written with.

use serde_json::json;

use super::{Cmdlet, wrong_object};
use crate::call::{
    CallSpec, EXCHANGE_GET_FOLDER_RIGHTS, EXCHANGE_GET_FOLDERS, EXCHANGE_GIVE_FOLDER_RIGHT,
    EXCHANGE_REMOVE_FOLDER_RIGHT, EXCHANGE_SET_FOLDER_RIGHT,
};
use crate::client::Tenant;
use crate::error::{Kind, TenantError};
use crate::model::{FolderPermission, MailboxFolder};
use crate::wire::{Prepared, Read};

impl Tenant {
    /// The folders of a mailbox, those for mail and all others.
    ///
    /// Fails with [`Kind::BadAnswer`] if the service lists none: every mailbox has some.
    pub async fn get_folders(
        &self,
        mailbox: &str,
    ) -> Result<Read<Vec<MailboxFolder>>, TenantError> {
        let spec = &EXCHANGE_GET_FOLDERS;
        let cmdlet = Self::about(spec, "Get-MailboxFolderStatistics", "Identity", mailbox)?
            .with("ResultSize", "Unlimited");
        let read: Read<Vec<MailboxFolder>> = self.typed(spec, &cmdlet, Some(mailbox)).await?;
        if read.value.is_empty() {
            let why = "no folder was returned, and every mailbox has some";
            return Err(wrong_object(spec, mailbox, &read.answers, why));
        }
        Ok(read)
    }

    /// Who has rights on one folder, by its id; `Default` and `Anonymous` included.
    pub async fn get_folder_rights(
        &self,
        mailbox: &str,
        folder: &str,
    ) -> Result<Read<Vec<FolderPermission>>, TenantError> {
        let spec = &EXCHANGE_GET_FOLDER_RIGHTS;
        let cmdlet = Self::about_folder(spec, "Get-MailboxFolderPermission", mailbox, folder)?
            .with("ResultSize", "Unlimited");
        self.typed(spec, &cmdlet, Some(mailbox)).await
    }

    /// Giving somebody rights on a folder; `flags` are those of a delegate on a calendar.
    pub fn prepare_give_folder_right(
        &self,
        mailbox: &str,
        folder: &str,
        who: &str,
        rights: &[String],
        flags: &[String],
    ) -> Result<Prepared, TenantError> {
        let spec = &EXCHANGE_GIVE_FOLDER_RIGHT;
        let mut cmdlet = Self::about_folder(spec, "Add-MailboxFolderPermission", mailbox, folder)?
            .with("User", super::rights::named(spec, who)?)
            .with("AccessRights", some(spec, who, rights)?);
        if !flags.is_empty() {
            // Nobody is told of it: it was theirs before.
            cmdlet = cmdlet
                .with("SharingPermissionFlags", json!(flags))
                .with("SendNotificationToUser", false);
        }
        let cmdlet = cmdlet.with("Confirm", false);
        self.prepare(spec, &cmdlet, Some(mailbox), who)
    }

    /// Setting what an entry that is there already may do: the way with `Default` and
    /// `Anonymous`, which stand in every list.
    pub fn prepare_set_folder_right(
        &self,
        mailbox: &str,
        folder: &str,
        who: &str,
        rights: &[String],
    ) -> Result<Prepared, TenantError> {
        let spec = &EXCHANGE_SET_FOLDER_RIGHT;
        let cmdlet = Self::about_folder(spec, "Set-MailboxFolderPermission", mailbox, folder)?
            .with("User", super::rights::named(spec, who)?)
            .with("AccessRights", some(spec, who, rights)?)
            .with("Confirm", false);
        self.prepare(spec, &cmdlet, Some(mailbox), who)
    }

    /// Taking somebody's rights on a folder away.
    pub fn prepare_remove_folder_right(
        &self,
        mailbox: &str,
        folder: &str,
        who: &str,
    ) -> Result<Prepared, TenantError> {
        let spec = &EXCHANGE_REMOVE_FOLDER_RIGHT;
        let cmdlet = Self::about_folder(spec, "Remove-MailboxFolderPermission", mailbox, folder)?
            .with("User", super::rights::named(spec, who)?)
            .with("Confirm", false);
        self.prepare(spec, &cmdlet, Some(mailbox), who)
    }

    /// A cmdlet about one folder of one mailbox: the mailbox, a colon, the folder's id.
    fn about_folder(
        spec: &'static CallSpec,
        name: &str,
        mailbox: &str,
        folder: &str,
    ) -> Result<Cmdlet, TenantError> {
        // Without a folder the identity would be another one's.
        if folder.trim().is_empty() || mailbox.trim().is_empty() || mailbox.contains(':') {
            let why = "name one mailbox and one folder of it by its id";
            return Err(TenantError::new(Kind::BadInput, spec, mailbox, why));
        }
        let identity = format!("{mailbox}:{folder}");
        Self::about(spec, name, "Identity", &identity)
    }
}

/// Rights that are some: an empty list is no right that anybody could be given.
fn some(
    spec: &'static CallSpec,
    who: &str,
    rights: &[String],
) -> Result<serde_json::Value, TenantError> {
    if rights.is_empty() {
        let why = "name the rights, or None";
        return Err(TenantError::new(Kind::BadInput, spec, who, why));
    }
    Ok(json!(rights))
}
