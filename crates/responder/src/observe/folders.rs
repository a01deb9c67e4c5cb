//! Rights on single folders of the mailbox (reference §6.2): one question for the
//! folders, then one for each. Folders are known by their ids and types, never by their
//! names, which are in the mailbox's language.

use futures_util::future::join_all;
use retake_playbook::event::{
    ANONYMOUS, DEFAULT, Facts, Holder, HolderKind, is_standing_entry, ordinary_rights,
};
use retake_playbook::{ObjectKind, ObjectRef};
use retake_tenant::model::{FolderPermission, MailboxFolder};
use retake_tenant::{Answer, Kind, Tenant, TenantError};

use super::{Found, Seen, whole};

/// How many folders are asked who has rights on them: a question takes about a second.
const ASKED: usize = 60;
/// How many are asked at once.
const AT_ONCE: usize = 8;

/// Reads the rights on every folder and looks up every holder.
pub(super) async fn folder_rights(tenant: &Tenant, user: &str) -> Result<Seen, TenantError> {
    let folders = match tenant.get_folders(user).await {
        Ok(folders) => folders,
        Err(error) => return super::or_no_mailbox(tenant, user, error).await,
    };
    let mut complete = whole(&folders);
    let mut listed: Vec<Folder> = folders.value.iter().filter_map(Folder::of).collect();
    listed.retain(|folder| !is_the_services_own(&folder.kind));
    listed.sort_by_key(Folder::rank);
    let all = listed.len();
    listed.truncate(ASKED);
    let mut answers = folders.answers;
    let mut entries: Vec<(Folder, FolderPermission)> = Vec::new();
    let (mut read_some, mut failed, mut without) = (false, None, Vec::new());
    for some in listed.chunks(AT_ONCE) {
        let reads = join_all(
            some.iter()
                .map(|folder| tenant.get_folder_rights(user, &folder.id)),
        )
        .await;
        for (folder, read) in some.iter().zip(reads) {
            match read {
                Ok(read) => {
                    read_some = true;
                    complete = complete.and(whole(&read));
                    answers.extend(read.answers);
                    entries.extend(read.value.into_iter().map(|entry| (folder.clone(), entry)));
                }
                // A folder of the service's own that has no list, or one that is gone meanwhile.
                Err(error) if error.kind == Kind::NotFound => {
                    without.push(folder.path.clone());
                }
                Err(error) => {
                    let why = format!(
                        "rights on the folder {} could not be read: {error}",
                        folder.path
                    );
                    complete = complete.and(Err(why));
                    failed = failed.or(Some(error));
                }
            }
        }
    }
    if let Some(error) = failed.filter(|_| !read_some) {
        return Err(error);
    }
    let kept: Vec<(Folder, String, FolderPermission)> = entries
        .into_iter()
        .filter_map(|(folder, entry)| {
            let who = entry.who()?.to_owned();
            is_more(&folder, &who, &entry).then_some((folder, who, entry))
        })
        .collect();
    let mut names: Vec<&str> = kept.iter().map(|(_, who, _)| who.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let holders = join_all(names.into_iter().map(|name| holder(tenant, name))).await;
    let objects = kept
        .iter()
        .map(|(folder, who, entry)| {
            let holder = holders
                .iter()
                .map(|(holder, ..)| holder)
                .find(|holder| holder.shown == *who)
                .cloned()
                .unwrap_or_else(|| Holder::unknown(who));
            found(user, folder, entry, holder)
        })
        .collect();
    let listed = complete.is_ok();
    for (_, seen, missing) in holders {
        answers.extend(seen);
        if let Some(why) = missing {
            complete = complete.and(Err(why));
        }
    }
    Ok(Seen {
        objects,
        answers,
        complete,
        mailbox: None,
        remark: remark(all, &without),
        listed,
    })
}

/// The rights on the folder that one right is on, without looking anybody up: what a
/// plan is bound to, and what shows that a right is gone.
pub(super) async fn rights_on(
    tenant: &Tenant,
    user: &str,
    object: &ObjectRef,
) -> Result<Seen, TenantError> {
    let folders = tenant.get_folders(user).await?;
    let id = object.id.split('|').nth(1).unwrap_or_default();
    let Some(folder) = folders
        .value
        .iter()
        .filter_map(Folder::of)
        .find(|folder| folder.id == id)
    else {
        // With the folder every right on it is gone.
        return Ok(Seen::of(folders, Vec::new()));
    };
    let read = tenant.get_folder_rights(user, &folder.id).await?;
    let objects = read
        .value
        .iter()
        .filter_map(|entry| {
            let who = entry.who()?;
            is_more(&folder, who, entry).then(|| found(user, &folder, entry, Holder::unknown(who)))
        })
        .collect();
    Ok(Seen::of(read, objects).also(folders))
}

/// A folder as far as its rights need it.
#[derive(Clone, Debug)]
struct Folder {
    id: String,
    /// With backslashes, as records write it.
    path: String,
    /// The service's `FolderType`.
    kind: String,
}

impl Folder {
    fn of(row: &MailboxFolder) -> Option<Self> {
        let id = row.folder_id.clone()?;
        let path = row
            .folder_path
            .clone()
            .or_else(|| row.name.clone())
            .unwrap_or_default();
        Some(Self {
            id,
            path: path.replace('/', "\\"),
            kind: row.folder_type.clone().unwrap_or_default(),
        })
    }

    /// What every mailbox has first, then what the user made, by path.
    fn rank(&self) -> (bool, String) {
        let own = self.kind.is_empty() || self.kind.eq_ignore_ascii_case("User Created");
        (own, self.path.clone())
    }
}

/// Folders of the service's own, which no program of the user's can open or share.
fn is_the_services_own(folder_type: &str) -> bool {
    const OWN: [&str; 7] = [
        "recoverableitems",
        "audits",
        "calendarlogging",
        "substrateholds",
        "discoveryholds",
        "versions",
        "purges",
    ];
    let folder_type = folder_type.to_ascii_lowercase();
    OWN.iter().any(|own| folder_type.starts_with(own))
}

/// Whether an entry gives more than every such folder does by itself.
fn is_more(folder: &Folder, who: &str, entry: &FolderPermission) -> bool {
    let rights = entry.rights();
    if is_standing_entry(who) {
        let ordinary = ordinary_rights(&folder.kind, who);
        rights
            .iter()
            .any(|right| !right.eq_ignore_ascii_case(ordinary))
    } else {
        !rights.is_empty()
    }
}

fn found(user: &str, folder: &Folder, entry: &FolderPermission, holder: Holder) -> Found {
    let rights = entry.rights();
    let object = ObjectRef::new(
        ObjectKind::FolderRight,
        ObjectRef::right_id(user, &folder.id, &holder.shown),
    )
    .named(format!(
        "{} on {} for {}",
        rights.join(", "),
        folder.path,
        holder.shown
    ));
    let facts = |path: &str, holder: Holder| Facts::FolderRight {
        folder: folder.id.clone(),
        path: path.to_owned(),
        folder_type: folder.kind.clone(),
        rights: rights.clone(),
        sharing: entry.flags(),
        holder,
    };
    Found {
        // A folder that is renamed or moved keeps its rights.
        basis: Some(facts("", Holder::unknown(&holder.shown))),
        ..Found::new(object, facts(&folder.path, holder))
    }
}

/// Whose an entry is, with the answers that say so; or why it could not be looked up.
async fn holder(tenant: &Tenant, shown: &str) -> (Holder, Vec<Answer>, Option<String>) {
    let of_kind = |kind| {
        let holder = Holder {
            kind,
            ..Holder::unknown(shown)
        };
        (holder, Vec::new(), None)
    };
    let upper = shown.to_ascii_uppercase();
    if shown.eq_ignore_ascii_case(DEFAULT) {
        of_kind(HolderKind::Everybody)
    } else if shown.eq_ignore_ascii_case(ANONYMOUS) {
        of_kind(HolderKind::Anybody)
    } else if upper.starts_with("NT USER:S-1-") {
        of_kind(HolderKind::Nobody)
    } else if upper.starts_with("EXCHANGEPUBLISHEDUSER.") {
        // Shared with an address outside that has no account here.
        of_kind(HolderKind::Outside)
    } else {
        super::rights::holder(tenant, shown).await
    }
}

fn remark(all: usize, without: &[String]) -> Option<String> {
    let mut said = Vec::new();
    if all > ASKED {
        said.push(format!(
            "there are {all} folders: {ASKED} were asked, those that every mailbox has first, the rest was not"
        ));
    }
    if !without.is_empty() {
        said.push(format!(
            "no list of rights is kept for {}",
            without.join(", ")
        ));
    }
    (!said.is_empty()).then(|| said.join("; "))
}
