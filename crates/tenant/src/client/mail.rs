//! The mailbox through Graph.

use jiff::Timestamp;

use super::Tenant;
use super::logs::odata_time;
use crate::call::{FOLDER_MESSAGES, INBOX_RULES, MAIL_FOLDERS};
use crate::error::TenantError;
use crate::model::{MailFolder, Message, MessageRule};
use crate::wire::{Builder, Read};

impl Tenant {
    /// The inbox rules that Outlook shows. Hidden rules, and rules with actions
    /// that Graph cannot express, are missing or shown in part (reference
    /// §0.6): [`Tenant::get_inbox_rules`] has all.
    pub async fn graph_inbox_rules(
        &self,
        user: &str,
    ) -> Result<Read<Vec<MessageRule>>, TenantError> {
        self.list(Builder::new(&INBOX_RULES, user, &[user])).await
    }

    /// The mailbox's top folders, hidden ones too.
    pub async fn mail_folders(&self, user: &str) -> Result<Read<Vec<MailFolder>>, TenantError> {
        self.list(
            Builder::new(&MAIL_FOLDERS, user, &[user])
                .query("includeHiddenFolders", "true")
                .query("$top", "100"),
        )
        .await
    }

    /// Envelopes of a folder's messages, newest first; `folder` is an id or a
    /// well-known name such as `sentitems`. With `since`, only messages sent or
    /// received from then on, whichever the folder is about.
    pub async fn messages(
        &self,
        user: &str,
        folder: &str,
        since: Option<Timestamp>,
    ) -> Result<Read<Vec<Message>>, TenantError> {
        // Outlook wants what is sorted by to be filtered by first, so the one
        // time serves both.
        let time = if folder.eq_ignore_ascii_case("sentitems") {
            "sentDateTime"
        } else {
            "receivedDateTime"
        };
        let mut builder = Builder::new(&FOLDER_MESSAGES, user, &[user, folder])
            .query("$select", Message::SELECT)
            .header("prefer", "IdType=\"ImmutableId\"");
        if let Some(since) = since {
            builder = builder.query("$filter", &format!("{time} ge {}", odata_time(since)));
        }
        self.list(
            builder
                .query("$orderby", &format!("{time} desc"))
                .query("$top", "100"),
        )
        .await
    }
}
