//! What happened, before any log told of it.

use crate::dice::Guid;
use crate::world::From;

/// Somebody did something.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    /// Seconds since 1970.
    pub(crate) time: i64,
    pub(crate) who: Who,
    /// The audit record's id; the sign-in's own for sign-ins.
    pub(crate) id: Guid,
    pub(crate) from: Option<From>,
    pub(crate) agent: String,
    /// The Entra session.
    pub(crate) session: Guid,
    /// The sign-in whose token it was done with.
    pub(crate) sign_in: Guid,
    pub(crate) app: App,
    pub(crate) what: What,
    /// A story's, and so in no way to be lost.
    pub(crate) told: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    User(usize),
    /// An application by itself.
    App,
    /// The service.
    Service,
    /// Somebody elsewhere.
    Stranger(String),
}

/// A program: id and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct App {
    pub(crate) id: String,
    pub(crate) name: String,
}

impl App {
    pub(crate) fn known((id, name): (&str, &str)) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
        }
    }
}

// Microsoft's own programs and services, by the ids that its documentation lists.
pub(crate) const OWA: (&str, &str) = ("9199bf20-a13f-4107-85dc-02114787ef48", "One Outlook Web");
pub(crate) const OFFICE: (&str, &str) =
    ("d3590ed6-52b3-4102-aeff-aad2292ab01c", "Microsoft Office");
pub(crate) const MOBILE: (&str, &str) = ("27922004-5251-4030-b22d-91ecd9a37ea4", "Outlook Mobile");
pub(crate) const PORTAL: (&str, &str) = ("4765445b-32c6-49b0-83e6-1d93765276ca", "OfficeHome");
pub(crate) const TEAMS: (&str, &str) = ("1fec8e78-bce4-4aaf-ab1b-5451cc387264", "Microsoft Teams");
pub(crate) const SHELL: (&str, &str) = (
    "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
    "Microsoft Azure CLI",
);

/// One sign-in.
#[derive(Clone, Debug)]
pub(crate) struct SignIn {
    pub(crate) interactive: bool,
    /// 0 for success.
    pub(crate) code: u32,
    pub(crate) protocol: &'static str,
    pub(crate) transfer: &'static str,
    pub(crate) factor: Factor,
    pub(crate) device: Option<Guid>,
    pub(crate) client: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Factor {
    /// Given there and then.
    Given,
    /// By an earlier sign-in's claim.
    Claim,
    /// Not asked for.
    None,
}

/// A message.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub(crate) id: String,
    pub(crate) subject: String,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    SignIn(SignIn),
    /// `MailItemsAccessed`.
    Read {
        mailbox: usize,
        folder: &'static str,
        mails: Vec<Mail>,
        sync: bool,
    },
    Send {
        mailbox: usize,
        mail: Mail,
        to: Vec<String>,
    },
    /// Mail from outside: only the message trace tells of it.
    Arrive {
        sender: String,
        mail: Mail,
        to: usize,
    },
    /// An operation on items of a mailbox.
    Items {
        mailbox: usize,
        operation: &'static str,
        mails: Vec<Mail>,
        folder: &'static str,
    },
    /// An Exchange cmdlet, or a change of rules from Outlook.
    Cmdlet {
        operation: &'static str,
        mailbox: usize,
        object: String,
        parameters: Vec<(&'static str, String)>,
    },
    Rules {
        mailbox: usize,
        parameters: Vec<(&'static str, String)>,
    },
    /// A change in the directory: told by the unified log and by directory audits.
    Directory {
        activity: &'static str,
        service: &'static str,
        category: &'static str,
        reason: String,
        target: Target,
        changed: Vec<(&'static str, String, String)>,
    },
    File(&'static str, u32),
    Teams(&'static str),
    Page(&'static str),
    Noise(&'static str),
    Alert(&'static str),
    Other(u32),
}

#[derive(Clone, Debug)]
pub(crate) enum Target {
    User(usize),
    App {
        id: String,
        principal: Guid,
        name: String,
    },
}
