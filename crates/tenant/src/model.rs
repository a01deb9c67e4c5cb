//! What the services say, typed as far as the client or its callers look at it.
//!
//! Every type keeps the properties that it does not name in `other`, so that
//! nothing that a service says is lost between an answer and whoever judges
//! it. Texts are as the tenant holds them: whoever shows one escapes it.

use serde_json::{Map, Value};

mod directory;
mod exchange;
mod identity;
pub mod lenient;
mod mail;
mod settings;

pub use directory::{
    DeletedUser, DirectoryObject, Domain, Grant, Method, MethodKind, Organization, RiskyUser,
    ServicePrincipal, SignInPreferences, User,
};
pub use exchange::{
    ExchangeRecipient, ExchangeRule, FolderPermission, Forwarding, Keeping, Mailbox, MailboxFolder,
    MailboxPermission, RecipientPermission, SweepRule,
};
pub use identity::{AppRoleAssignment, Device};
pub use mail::{EmailAddress, MailFolder, Message, MessageRule, Recipient, RuleActions};
pub use settings::{AutoReply, BlockedSender, ClientAccess, JunkConfiguration, MobileDevice};

/// Properties without a name of their own here.
pub type Other = Map<String, Value>;

/// A log record as the service gave it; what it means is for `hunt` to say.
pub type Record = Value;
