//! Rights on single folders of a mailbox (reference §6.2), who can read through them,
//! and the audit records that giving, changing and taking them leaves (§7.3).

use jiff::Timestamp;
use retake_playbook::ObjectRef;
use serde_json::{Value, json};

use super::mail::merge;
use super::rights::Right;
use super::{Mailbox, Origin, Surface, UserType, World};

/// Whoever has no entry of their own and is signed in.
pub(crate) const DEFAULT: &str = "Default";
/// Whoever is not signed in.
pub(crate) const ANONYMOUS: &str = "Anonymous";

/// An entry of a folder's list that somebody set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FolderEntry {
    /// The folder's id.
    pub(crate) folder: String,
    /// Directory id of a person or group, [`DEFAULT`], [`ANONYMOUS`], or the text itself.
    pub(crate) holder: String,
    /// Roles and single rights, as the cmdlets call them.
    pub(crate) rights: Vec<String>,
    /// `SharingPermissionFlags`.
    pub(crate) flags: Vec<String>,
}

/// A folder as `Get-MailboxFolderStatistics` lists it: those for mail, and the others.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) id: String,
    pub(crate) name: String,
    /// With backslashes.
    pub(crate) path: String,
    /// `FolderType`.
    pub(crate) kind: &'static str,
}

impl Mailbox {
    /// Every folder of the mailbox, the root and the calendar too.
    pub(crate) fn listed_folders(&self) -> Vec<Listed> {
        let named = |word: &str, names: [&str; 4], kind: &'static str| {
            let name = names[match self.language.get(..2) {
                Some("de") => 1,
                Some("fr") => 2,
                Some("nl") => 3,
                _ => 0,
            }];
            Listed {
                id: self.folder_id(word),
                name: name.to_owned(),
                path: format!("\\{name}"),
                kind,
            }
        };
        let mut listed = vec![
            named(
                "root",
                [
                    "Top of Information Store",
                    "Oberste Ebene des Informationsspeichers",
                    "Haut de la banque d'informations",
                    "Bovenste niveau van gegevensarchief",
                ],
                "Root",
            ),
            named(
                "calendar",
                ["Calendar", "Kalender", "Calendrier", "Agenda"],
                "Calendar",
            ),
        ];
        listed.extend(self.folders.values().map(|folder| {
            Listed {
                id: folder.id.clone(),
                name: folder.display_name.clone(),
                path: self.folder_path(&folder.id),
                kind: folder
                    .well_known
                    .as_deref()
                    .map_or("User Created", folder_type),
            }
        }));
        listed
    }

    /// A folder by its id or by its path in the mailbox's language; the root without
    /// either.
    pub(crate) fn listed_folder(&self, key: &str) -> Option<Listed> {
        let key = key.trim();
        let path = key.trim_matches('\\').to_lowercase();
        self.listed_folders().into_iter().find(|folder| {
            folder.id == key
                || (path.is_empty() && folder.kind == "Root")
                || folder.path.trim_matches('\\').to_lowercase() == path
        })
    }

    /// What an entry for nobody in particular says in a folder that nobody touched.
    fn ordinary(&self, folder: &str, holder: &str) -> &'static str {
        if holder == DEFAULT && folder == self.folder_id("calendar") {
            "AvailabilityOnly"
        } else {
            "None"
        }
    }

    /// What somebody's entry says; nothing where they have none.
    pub(crate) fn folder_rights_of(&self, folder: &str, holder: &str) -> Option<Vec<String>> {
        self.folder_rights
            .iter()
            .find(|entry| entry.folder == folder && entry.holder == holder)
            .map(|entry| entry.rights.clone())
            .or_else(|| is_standing(holder).then(|| vec![self.ordinary(folder, holder).to_owned()]))
    }
}

/// What became of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    /// It is there now.
    Made,
    /// It was there with these rights and has others.
    Changed(Vec<String>),
    /// It is gone, or says what such a folder says by itself.
    Gone,
    /// Nothing.
    Same,
}

impl World {
    /// How the list of a folder shows a holder: by the display name.
    pub(crate) fn shown_in_folder(&self, holder: &str) -> String {
        self.shown_holder(Right::SendOnBehalf, holder)
    }

    /// The id of an entry in the trace, made of what it is on and whose it is.
    pub(crate) fn folder_object(&self, user: &str, folder: &str, holder: &str) -> String {
        ObjectRef::right_id(user, folder, &self.shown_in_folder(holder))
    }

    /// Whether somebody can read a folder now, with an account that is there and enabled:
    /// by their own entry, by a group's, and without either by `Default`, which holds for
    /// people of the organisation. What `Anonymous` says opens nobody's mail here: that it
    /// does anywhere is in no source.
    pub(crate) fn may_read_folder(&self, user: &str, folder: &str, who: &str) -> bool {
        let (Some(mailbox), Some(account)) = (self.mailboxes.get(user), self.users.get(who)) else {
            return false;
        };
        if !account.enabled {
            return false;
        }
        if let Some(own) = mailbox.folder_rights_of(folder, who) {
            return reads(&own);
        }
        let teams: Vec<Vec<String>> = self
            .groups
            .values()
            .filter(|group| group.members.iter().any(|id| id == who))
            .filter_map(|group| mailbox.folder_rights_of(folder, &group.id))
            .collect();
        if !teams.is_empty() {
            return teams.iter().any(|rights| reads(rights));
        }
        account.user_type == UserType::Member
            && mailbox
                .folder_rights_of(folder, DEFAULT)
                .is_some_and(|rights| reads(&rights))
    }

    /// Sets what somebody may do in a folder; no rights at all take the entry away, and
    /// put one for nobody in particular back to what it says by itself.
    #[expect(
        clippy::too_many_arguments,
        reason = "who, whose, where, to whom, what"
    )]
    pub(crate) fn set_folder_right(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        folder: &str,
        holder: &str,
        rights: &[String],
        flags: &[String],
    ) -> Set {
        let Some(mailbox) = self.mailboxes.get_mut(user) else {
            return Set::Same;
        };
        let ordinary = is_standing(holder).then(|| mailbox.ordinary(folder, holder).to_owned());
        let before = mailbox.folder_rights_of(folder, holder);
        let was_extra = mailbox
            .folder_rights
            .iter()
            .any(|entry| entry.folder == folder && entry.holder == holder);
        let kept: Vec<String> = match &ordinary {
            Some(ordinary) if rights.is_empty() => vec![ordinary.clone()],
            _ => rights.to_vec(),
        };
        let stays = match &ordinary {
            Some(ordinary) => kept != [ordinary.clone()],
            None => !kept.is_empty(),
        };
        if before.as_ref() == Some(&kept) {
            return Set::Same;
        }
        mailbox
            .folder_rights
            .retain(|entry| !(entry.folder == folder && entry.holder == holder));
        if stays {
            mailbox.folder_rights.push(FolderEntry {
                folder: folder.to_owned(),
                holder: holder.to_owned(),
                rights: kept.clone(),
                flags: flags.to_vec(),
            });
            mailbox.folder_rights.sort();
        }
        let set = match (was_extra, stays) {
            (false, false) => Set::Same,
            // Less than by itself is a change of what was there.
            (false, true) if ordinary.is_some() && !reads(&kept) => {
                Set::Changed(before.clone().unwrap_or_default())
            }
            (false, true) => Set::Made,
            (true, false) => Set::Gone,
            (true, true) => Set::Changed(before.clone().unwrap_or_default()),
        };
        self.folder_audit(now, by, user, folder, holder, before.is_some(), &kept);
        set
    }

    /// A program of the user's leaves a record of the mailbox, an administrator's cmdlet
    /// one of its own (reference §7.3).
    #[expect(
        clippy::too_many_arguments,
        reason = "who, whose, where, to whom, what"
    )]
    fn folder_audit(
        &mut self,
        now: Timestamp,
        by: &Origin,
        user: &str,
        folder: &str,
        holder: &str,
        was_there: bool,
        rights: &[String],
    ) {
        let Some(place) = self
            .mailboxes
            .get(user)
            .and_then(|mailbox| mailbox.listed_folder(folder))
        else {
            return;
        };
        if by.surface == Surface::ExchangePowerShell {
            let upn = self
                .users
                .get(user)
                .map(|user| user.upn.clone())
                .unwrap_or_default();
            let identity = format!("{upn}:{}", place.path);
            let mut parameters = vec![
                json!({"Name": "Identity", "Value": identity}),
                json!({"Name": "User", "Value": self.shown_in_folder(holder)}),
            ];
            let cmdlet = match (rights.is_empty(), was_there) {
                (true, _) => "Remove-MailboxFolderPermission",
                (false, true) => "Set-MailboxFolderPermission",
                (false, false) => "Add-MailboxFolderPermission",
            };
            if !rights.is_empty() {
                parameters.push(json!({"Name": "AccessRights", "Value": rights.join(";")}));
            }
            self.exchange_admin_audit(now, by, user, cmdlet, &identity, parameters);
            return;
        }
        let operation = match (rights.is_empty(), was_there) {
            (true, _) => "RemoveFolderPermissions",
            (false, true) => "ModifyFolderPermissions",
            (false, false) => "AddFolderPermissions",
        };
        let member = self
            .users
            .get(holder)
            .map_or_else(|| self.shown_in_folder(holder), |user| user.upn.clone());
        let mut extra = self.mailbox_audit(user, by);
        merge(
            &mut extra,
            json!({
                "Item": {
                    "Id": Value::Null,
                    "ParentFolder": {
                        "Id": place.id,
                        "Path": place.path,
                        "Name": place.name,
                        "MemberUpn": member,
                        "MemberRights": member_rights(rights),
                    },
                },
            }),
        );
        self.audit(now, "ExchangeItem", operation, by, "", extra);
    }
}

/// Whether an entry stands for no single holder.
pub(crate) fn is_standing(holder: &str) -> bool {
    holder == DEFAULT || holder == ANONYMOUS
}

/// Whether these rights show what lies in a folder.
pub(crate) fn reads(rights: &[String]) -> bool {
    rights.iter().any(|right| {
        [
            "Owner",
            "PublishingEditor",
            "Editor",
            "PublishingAuthor",
            "Author",
            "NonEditingAuthor",
            "Reviewer",
            "ReadItems",
        ]
        .contains(&right.as_str())
    })
}

/// Rights one by one, as mailbox records spell them; the exact words are not confirmed.
fn member_rights(rights: &[String]) -> String {
    let mut words: Vec<&str> = Vec::new();
    for right in rights {
        words.extend_from_slice(match right.as_str() {
            "Owner" => &[
                "ReadAny",
                "Create",
                "EditAny",
                "DeleteAny",
                "CreateSubfolder",
                "Owner",
                "Visible",
            ],
            "PublishingEditor" | "Editor" => {
                &["ReadAny", "Create", "EditAny", "DeleteAny", "Visible"]
            }
            "PublishingAuthor" | "Author" => {
                &["ReadAny", "Create", "EditOwned", "DeleteOwned", "Visible"]
            }
            "NonEditingAuthor" => &["ReadAny", "Create", "DeleteOwned", "Visible"],
            "Reviewer" => &["ReadAny", "Visible"],
            "ReadItems" => &["ReadAny"],
            "FolderVisible" => &["Visible"],
            "AvailabilityOnly" => &["FreeBusySimple"],
            "LimitedDetails" => &["FreeBusySimple", "FreeBusyDetailed"],
            _ => &["None"],
        });
    }
    words.dedup();
    words.join(", ")
}

/// `FolderType` of a well-known folder.
fn folder_type(word: &str) -> &'static str {
    match word {
        "inbox" => "Inbox",
        "sentitems" => "SentItems",
        "drafts" => "Drafts",
        "deleteditems" => "DeletedItems",
        "junkemail" => "JunkEmail",
        "archive" => "Archive",
        "outbox" => "Outbox",
        "conversationhistory" => "ConversationHistory",
        _ => "User Created",
    }
}
