//! Rights on mailboxes, as far as judgement needs them.

use serde::{Deserialize, Serialize};

/// A right on a whole mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailboxRight {
    /// Opening it, reading, moving, deleting.
    FullAccess,
    /// Sending under its name, with nobody else's shown.
    SendAs,
    /// Sending on its behalf, with the own name shown beside.
    SendOnBehalf,
}

impl MailboxRight {
    /// As Exchange calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FullAccess => "FullAccess",
            Self::SendAs => "SendAs",
            Self::SendOnBehalf => "SendOnBehalf",
        }
    }

    /// What a record that gives it has among its parameters, in lower case.
    pub const fn mark(self) -> &'static str {
        match self {
            Self::FullAccess => "fullaccess",
            Self::SendAs => "sendas",
            Self::SendOnBehalf => "grantsendonbehalfto",
        }
    }

    /// What its holder may do, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::FullAccess => "full access",
            Self::SendAs => "sending as the mailbox",
            Self::SendOnBehalf => "sending on behalf of the mailbox",
        }
    }

    /// The right with this name, in any case.
    pub fn of(name: &str) -> Option<Self> {
        [Self::FullAccess, Self::SendAs, Self::SendOnBehalf]
            .into_iter()
            .find(|right| right.name().eq_ignore_ascii_case(name.trim()))
    }
}

/// The entry that holds for everybody who has none of their own.
pub const DEFAULT: &str = "Default";
/// The entry that holds for whoever did not sign in.
pub const ANONYMOUS: &str = "Anonymous";

/// Whether an entry of a folder's list stands for no single holder: it is there in every
/// list, and can be lowered, not removed.
pub fn is_standing_entry(shown: &str) -> bool {
    [DEFAULT, ANONYMOUS]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(shown.trim()))
}

/// What an entry for nobody in particular says in a folder that nobody touched: the
/// calendar shows when somebody is busy, every other folder nothing.
pub fn ordinary_rights(folder_type: &str, shown: &str) -> &'static str {
    let calendar = folder_type.eq_ignore_ascii_case("Calendar");
    if calendar && shown.trim().eq_ignore_ascii_case(DEFAULT) {
        "AvailabilityOnly"
    } else {
        "None"
    }
}

/// Whether these rights on a folder show what lies in it: roles and single rights as the
/// cmdlets have them, and the words of mailbox records.
pub fn reads_folder<'a>(rights: impl IntoIterator<Item = &'a str>) -> bool {
    const READING: [&str; 10] = [
        "owner",
        "publishingeditor",
        "editor",
        "publishingauthor",
        "author",
        "noneditingauthor",
        "reviewer",
        "readitems",
        // Who owns a folder gives itself the rest.
        "folderowner",
        "readany",
    ];
    rights
        .into_iter()
        .flat_map(|text| text.split([',', ';']))
        .any(|right| {
            READING
                .iter()
                .any(|one| right.trim().eq_ignore_ascii_case(one))
        })
}

/// Whether a folder of this type (`FolderType`) holds mail, as all do that are not known
/// to hold something else.
pub fn holds_mail(folder_type: &str) -> bool {
    const OTHER: [&str; 6] = [
        "calendar", "contacts", "tasks", "notes", "journal", "birthday",
    ];
    let folder_type = folder_type.to_ascii_lowercase();
    !OTHER.iter().any(|other| folder_type.starts_with(other))
}

/// Whoever holds a right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// As the list of rights shows them.
    pub shown: String,
    /// Of what kind they are.
    #[serde(default)]
    pub kind: HolderKind,
    /// Other names and ids of theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// The name that they sign in with, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upn: Option<String>,
}

impl Holder {
    /// By what they are named to a service: a name that several people may have only where
    /// nothing better is known.
    pub fn unmistakable(&self) -> &str {
        self.upn.as_deref().unwrap_or(&self.shown)
    }

    /// Somebody of whom nothing else is known.
    pub fn unknown(shown: impl Into<String>) -> Self {
        Self {
            shown: shown.into(),
            kind: HolderKind::Unknown,
            names: Vec::new(),
            upn: None,
        }
    }
}

/// Of what kind the holder of a right is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HolderKind {
    /// Somebody of the organisation, or a mailbox of theirs.
    Inside,
    /// A guest.
    Guest,
    /// Somebody outside, known as a contact or an address alone.
    Outside,
    /// A group: whoever is in it holds the right.
    Group,
    /// Nobody any more: the account behind it is gone.
    Nobody,
    /// Everybody in the organisation.
    Everybody,
    /// Anybody at all, without signing in.
    Anybody,
    /// Not known.
    #[default]
    Unknown,
}

impl HolderKind {
    /// Whether they belong to somebody else's organisation.
    pub const fn is_foreign(self) -> bool {
        matches!(self, Self::Guest | Self::Outside)
    }

    /// The words a person reads.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Inside => "somebody of the organisation",
            Self::Guest => "a guest",
            Self::Outside => "somebody outside",
            Self::Group => "a group",
            Self::Nobody => "nobody any more",
            Self::Everybody => "everybody in the organisation",
            Self::Anybody => "anybody, without signing in",
            Self::Unknown => "somebody who could not be looked up",
        }
    }
}
