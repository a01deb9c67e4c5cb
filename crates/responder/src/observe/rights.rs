//! Rights on the whole mailbox: full access, send as, send on behalf (reference §6.2,
//! §6.6). Three lists, each of which shows holders in its own way; whom a name means
//! is looked up, and is no part of what a plan is bound to.

use futures_util::future::{join_all, join3};
use retake_playbook::event::{Facts, Holder, HolderKind, MailboxRight};
use retake_playbook::{ObjectKind, ObjectRef};
use retake_tenant::model::ExchangeRecipient;
use retake_tenant::{Answer, Kind, Read, Tenant, TenantError};

use super::{Found, Seen, whole};

/// Reads the three lists and looks up every holder.
pub(super) async fn mailbox_rights(tenant: &Tenant, user: &str) -> Result<Seen, TenantError> {
    let (full, send_as, behalf) = join3(
        list(tenant, user, MailboxRight::FullAccess),
        list(tenant, user, MailboxRight::SendAs),
        list(tenant, user, MailboxRight::SendOnBehalf),
    )
    .await;
    let lists = match (full, send_as, behalf) {
        (Ok(full), Ok(send_as), Ok(behalf)) => [full, send_as, behalf],
        (Err(error), ..) | (_, Err(error), _) | (.., Err(error)) => {
            return super::or_no_mailbox(tenant, user, error).await;
        }
    };
    let mut names: Vec<String> = lists.iter().flat_map(|read| read.value.clone()).collect();
    names.sort();
    names.dedup();
    let holders = join_all(names.iter().map(|name| holder(tenant, name))).await;
    let mut complete = Ok(());
    let mut answers = Vec::new();
    let mut objects = Vec::new();
    let rights = [
        MailboxRight::FullAccess,
        MailboxRight::SendAs,
        MailboxRight::SendOnBehalf,
    ];
    for (right, read) in rights.into_iter().zip(lists) {
        complete = complete.and(whole(&read));
        objects.extend(read.value.iter().map(|shown| {
            let holder = holders
                .iter()
                .map(|(holder, ..)| holder)
                .find(|holder| holder.shown == *shown)
                .cloned()
                .unwrap_or_else(|| Holder::unknown(shown));
            found(user, right, holder)
        }));
        answers.extend(read.answers);
    }
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
        remark: None,
        listed,
    })
}

/// The one list that a right stands in, without looking anybody up: what a plan is
/// bound to, and what shows that a right is gone.
pub(crate) async fn holders_of(
    tenant: &Tenant,
    user: &str,
    right: MailboxRight,
) -> Result<Seen, TenantError> {
    let read = list(tenant, user, right).await?;
    let objects = read
        .value
        .iter()
        .map(|shown| found(user, right, Holder::unknown(shown)))
        .collect();
    Ok(Seen::of(read, objects))
}

/// The right that an object is, from its id.
pub(crate) fn right_of(object: &ObjectRef) -> Option<MailboxRight> {
    object.id.split('|').nth(1).and_then(MailboxRight::of)
}

fn found(user: &str, right: MailboxRight, holder: Holder) -> Found {
    let object = ObjectRef::new(
        ObjectKind::MailboxRight,
        ObjectRef::right_id(user, right.name(), &holder.shown),
    )
    .named(format!("{} for {}", right.words(), holder.shown));
    let basis = Facts::MailboxRight {
        right,
        holder: Holder::unknown(&holder.shown),
    };
    let facts = Facts::MailboxRight { right, holder };
    Found {
        basis: Some(basis),
        ..Found::new(object, facts)
    }
}

/// Who holds this right, by the names in its list; the mailbox itself, inherited rows
/// and those that take away are no rights of anybody's.
pub(super) async fn list(
    tenant: &Tenant,
    user: &str,
    right: MailboxRight,
) -> Result<Read<Vec<String>>, TenantError> {
    let read = match right {
        MailboxRight::FullAccess => {
            let read = tenant.get_mailbox_permissions(user).await?;
            let names = read
                .value
                .iter()
                .filter(|row| row.deny != Some(true) && row.is_inherited != Some(true))
                .filter(|row| has(&row.access_rights, right))
                .filter_map(|row| row.user.clone())
                .collect();
            with(read, names)
        }
        MailboxRight::SendAs => {
            let read = tenant.get_recipient_permissions(user).await?;
            let names = read
                .value
                .iter()
                .filter(|row| row.is_inherited != Some(true))
                .filter(|row| {
                    row.access_control_type
                        .as_deref()
                        .is_none_or(|kind| kind.eq_ignore_ascii_case("Allow"))
                })
                .filter(|row| has(&row.access_rights, right))
                .filter_map(|row| row.trustee.clone())
                .collect();
            with(read, names)
        }
        MailboxRight::SendOnBehalf => {
            let read = tenant.get_mailbox(user).await?;
            let names = read.value.grant_send_on_behalf_to.clone();
            with(read, names)
        }
    };
    Ok(read)
}

fn with<T>(read: Read<T>, mut names: Vec<String>) -> Read<Vec<String>> {
    names.retain(|name| !is_self(name));
    names.sort();
    names.dedup();
    Read {
        value: names,
        answers: read.answers,
        completeness: read.completeness,
    }
}

/// A flags list is one text with commas inside a list (reference §6.6).
fn has(rights: &[String], right: MailboxRight) -> bool {
    rights
        .iter()
        .flat_map(|text| text.split(','))
        .any(|name| MailboxRight::of(name) == Some(right))
}

/// The mailbox itself, and the service's own accounts.
fn is_self(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    name.starts_with("NT AUTHORITY\\") || name == "S-1-5-10" || name == "S-1-5-18"
}

/// Whom a name means, with the answers that say so; or why it could not be looked up.
pub(super) async fn holder(tenant: &Tenant, shown: &str) -> (Holder, Vec<Answer>, Option<String>) {
    let unknown = Holder::unknown(shown);
    // A SID that the list could not resolve itself belongs to nobody any more.
    if shown.starts_with("S-1-") {
        let holder = Holder {
            kind: HolderKind::Nobody,
            ..unknown
        };
        return (holder, Vec::new(), None);
    }
    match tenant.get_recipient(shown).await {
        Ok(read) => {
            let (holder, mut answers) = (known(shown, &read.value), read.answers);
            let (holder, more) = with_sign_in_name(tenant, holder, &read.value).await;
            answers.extend(more);
            (holder, answers, None)
        }
        Err(error) if matches!(error.kind, Kind::NotFound | Kind::NoMailbox) => {
            let holder = Holder {
                kind: HolderKind::Nobody,
                ..unknown
            };
            (holder, super::refusals([&error]), None)
        }
        // The name of several people: which of them is for a person to say.
        Err(error) if matches!(error.kind, Kind::BadAnswer { .. } | Kind::BadInput) => {
            (unknown, super::refusals([&error]), None)
        }
        Err(error) => {
            let why = format!("whom \"{shown}\" means could not be read: {error}");
            (unknown, Vec::new(), Some(why))
        }
    }
}

fn known(shown: &str, recipient: &ExchangeRecipient) -> Holder {
    let details = recipient
        .recipient_type_details
        .as_deref()
        .unwrap_or_default();
    let lower = details.to_ascii_lowercase();
    let kind = match lower.as_str() {
        "guestmailuser" => HolderKind::Guest,
        "mailuser" | "mailcontact" | "mailforestcontact" => HolderKind::Outside,
        _ if lower.contains("group") => HolderKind::Group,
        _ if lower.ends_with("mailbox") || lower == "user" => HolderKind::Inside,
        _ => HolderKind::Unknown,
    };
    let mut names: Vec<String> = [
        &recipient.name,
        &recipient.display_name,
        &recipient.primary_smtp_address,
        &recipient.external_directory_object_id,
    ]
    .into_iter()
    .flatten()
    .filter(|name| *name != shown)
    .cloned()
    .collect();
    names.sort();
    names.dedup();
    Holder {
        shown: shown.to_owned(),
        kind,
        names,
        upn: shown.contains('@').then(|| shown.to_owned()),
    }
}

/// Logs know a person by the name that they sign in with, which a list by display
/// names does not show. That it is missing takes nothing from the right.
async fn with_sign_in_name(
    tenant: &Tenant,
    holder: Holder,
    recipient: &ExchangeRecipient,
) -> (Holder, Vec<Answer>) {
    let person = matches!(holder.kind, HolderKind::Inside | HolderKind::Guest);
    let Some(id) = recipient
        .external_directory_object_id
        .as_deref()
        .filter(|_| person && holder.upn.is_none())
    else {
        return (holder, Vec::new());
    };
    match tenant.user(id).await {
        Ok(read) => (
            Holder {
                upn: Some(read.value.user_principal_name),
                ..holder
            },
            read.answers,
        ),
        Err(_) => (holder, Vec::new()),
    }
}
