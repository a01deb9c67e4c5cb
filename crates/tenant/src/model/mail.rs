//! The mailbox as Graph shows it: rules, folders, messages.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Other, lenient};

/// An inbox rule that Outlook shows (reference §6.1).
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageRule {
    /// Rule id.
    pub id: String,
    /// Name, chosen by whoever made it.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Order of execution.
    #[serde(default)]
    pub sequence: Option<i64>,
    /// Whether it acts.
    #[serde(default)]
    pub is_enabled: Option<bool>,
    /// Whether this interface cannot change it.
    #[serde(default)]
    pub is_read_only: Option<bool>,
    /// Whether it is broken.
    #[serde(default)]
    pub has_error: Option<bool>,
    /// On which messages; property names as in the reference.
    #[serde(default)]
    pub conditions: Option<Other>,
    /// On which not.
    #[serde(default)]
    pub exceptions: Option<Other>,
    /// What it does.
    #[serde(default)]
    pub actions: Option<RuleActions>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}

/// What a rule does with a message.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleActions {
    /// Forwards it.
    #[serde(
        default,
        deserialize_with = "lenient::list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub forward_to: Vec<Recipient>,
    /// Forwards it as an attachment.
    #[serde(
        default,
        deserialize_with = "lenient::list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub forward_as_attachment_to: Vec<Recipient>,
    /// Redirects it.
    #[serde(
        default,
        deserialize_with = "lenient::list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub redirect_to: Vec<Recipient>,
    /// Moves it to Deleted Items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete: Option<bool>,
    /// Deletes it for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permanent_delete: Option<bool>,
    /// Moves it to the folder with this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub move_to_folder: Option<String>,
    /// Copies it to the folder with this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_to_folder: Option<String>,
    /// Marks it as read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark_as_read: Option<bool>,
    /// Keeps later rules from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_processing_rules: Option<bool>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}

/// Somebody a message goes to or comes from.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Recipient {
    /// Name and address.
    #[serde(default)]
    pub email_address: EmailAddress,
}

/// A name and an address.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize)]
pub struct EmailAddress {
    /// The name, which proves nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The address; an inside one may be an Exchange path instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// A mail folder.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MailFolder {
    /// Folder id.
    pub id: String,
    /// Name, in the mailbox's language.
    #[serde(default)]
    pub display_name: Option<String>,
    /// The folder it is in.
    #[serde(default)]
    pub parent_folder_id: Option<String>,
    /// Whether Outlook hides it.
    #[serde(default)]
    pub is_hidden: Option<bool>,
    /// How many messages it holds.
    #[serde(default)]
    pub total_item_count: Option<u64>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}

/// The envelope of a message. Its text is never read.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Item id, immutable across moves because the client asks for that.
    pub id: String,
    /// The id that the message has everywhere.
    #[serde(default)]
    pub internet_message_id: Option<String>,
    /// Its thread.
    #[serde(default)]
    pub conversation_id: Option<String>,
    /// Subject.
    #[serde(default)]
    pub subject: Option<String>,
    /// Sender.
    #[serde(default)]
    pub from: Option<Recipient>,
    /// Recipients.
    #[serde(default, deserialize_with = "lenient::list")]
    pub to_recipients: Vec<Recipient>,
    /// Recipients of a copy.
    #[serde(default, deserialize_with = "lenient::list")]
    pub cc_recipients: Vec<Recipient>,
    /// Recipients of a hidden copy.
    #[serde(default, deserialize_with = "lenient::list")]
    pub bcc_recipients: Vec<Recipient>,
    /// Where answers go; another address than the sender's is a trick of payment fraud.
    #[serde(default, deserialize_with = "lenient::list")]
    pub reply_to: Vec<Recipient>,
    /// When it was sent.
    #[serde(default, deserialize_with = "lenient::time")]
    pub sent_date_time: Option<Timestamp>,
    /// When it came.
    #[serde(default, deserialize_with = "lenient::time")]
    pub received_date_time: Option<Timestamp>,
    /// Whether it has attachments.
    #[serde(default)]
    pub has_attachments: Option<bool>,
    /// The folder it is in.
    #[serde(default)]
    pub parent_folder_id: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub other: Other,
}

impl Message {
    /// The properties that are asked for: the envelope, no body.
    pub const SELECT: &str = "id,internetMessageId,conversationId,subject,from,toRecipients,ccRecipients,\
bccRecipients,replyTo,sentDateTime,receivedDateTime,hasAttachments,parentFolderId";
}
