//! Mailboxes besides the account's own: which of them it can open (S2.5), and what is
//! set up in them (A61).
//!
//! There is no question that lists every mailbox somebody has a right on (reference
//! §6.3, cost), so mailboxes are asked one by one: those that the logs show it in,
//! then shared ones, then the others, as far as the limit reaches. Which ones it opens
//! changes seldom and is asked once a day; what is set up in them, at every snapshot.

use std::collections::BTreeSet;

use futures_util::future::{join, join_all, join4};
use jiff::{SignedDuration, Timestamp};
use retake_playbook::event::{Facts, Looked, Observed};
use retake_playbook::{ObjectKind, ObjectRef, State};
use retake_tenant::model::ExchangeRecipient;
use retake_tenant::{Answer, Read, Tenant, TenantError};

use super::{Found, Seen, forwarding, rules};

/// The name of the source that shows which mailboxes the account opens.
pub(super) const LIST: &str = "mailboxes that the account opens";
/// The name of the source that shows rules, forwards and automatic replies in other mailboxes.
pub(super) const SETTINGS: &str = "rules, forwards and automatic replies in other mailboxes";
/// How many mailboxes are asked who has rights on them.
const ASKED: usize = 60;
/// In how many of those that the account opens it is read what is set up.
const OPENED: usize = 20;
/// How many are asked at once.
const AT_ONCE: usize = 8;
/// For how long the list of mailboxes that the account opens is taken as known.
const KNOWN_FOR: SignedDuration = SignedDuration::from_hours(24);

/// A mailbox that the account opens: object id and address.
pub(super) type Opened = (String, String);

/// What a look at other mailboxes gave.
pub(super) struct Elsewhere {
    /// The list of mailboxes, unless it is known from before.
    pub(super) list: Option<Result<Seen, TenantError>>,
    /// What is set up in them; nothing where there is none.
    pub(super) settings: Option<Seen>,
}

/// Looks at the mailboxes that the account opens.
pub(super) async fn look(
    tenant: &Tenant,
    user: &str,
    known: Option<Vec<Opened>>,
    who: &Names,
) -> Elsewhere {
    let (list, opened) = match known {
        Some(opened) => (None, opened),
        None => match opened_by(tenant, user, who).await {
            Ok(seen) => {
                let opened = opened_in(
                    seen.objects
                        .iter()
                        .map(|found| (&found.object, &found.facts)),
                );
                (Some(Ok(seen)), opened)
            }
            Err(error) => (Some(Err(error)), Vec::new()),
        },
    };
    let settings = if opened.is_empty() {
        None
    } else {
        Some(settings(tenant, &opened).await)
    };
    Elsewhere { list, settings }
}

/// Names under which lists of rights may show the account.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    own: BTreeSet<String>,
    /// Mailboxes that the logs show it in.
    seen_in: BTreeSet<String>,
}

impl Names {
    /// As the case knows them.
    pub(super) fn of(state: &State) -> Self {
        let mut own = BTreeSet::new();
        if let Some(account) = &state.account {
            own.extend(account.addresses.iter().cloned());
            own.extend(
                [&account.id, &account.upn, &account.display_name]
                    .into_iter()
                    .chain(account.mail.as_ref())
                    .map(|name| name.to_lowercase()),
            );
        }
        let seen_in = state
            .analysis
            .iter()
            .flat_map(|(_, analysis)| &analysis.accounts)
            .map(|name| name.to_lowercase())
            .collect();
        Self { own, seen_in }
    }
}

/// The mailboxes that the last list names, if it is recent and was read.
pub(super) fn known(state: &State, now: Timestamp) -> Option<Vec<Opened>> {
    let last = state.snapshots.iter().rev().find(|snapshot| {
        snapshot
            .sources
            .iter()
            .any(|read| read.name == LIST && read.looked == Looked::Whole)
    })?;
    let fresh = now.duration_since(last.at) <= KNOWN_FOR;
    fresh.then(|| {
        opened_in(
            last.objects
                .iter()
                .map(|Observed { object, facts, .. }| (object, facts)),
        )
    })
}

fn opened_in<'a>(objects: impl Iterator<Item = (&'a ObjectRef, &'a Facts)>) -> Vec<Opened> {
    objects
        .filter_map(|(object, facts)| match facts {
            Facts::Opened { address, full, .. } if !full.is_empty() => {
                Some((object.id.clone(), address.clone()))
            }
            _ => None,
        })
        .take(OPENED)
        .collect()
}

/// Asks mailbox after mailbox whether the account, or a group it is in, has a right.
async fn opened_by(tenant: &Tenant, user: &str, who: &Names) -> Result<Seen, TenantError> {
    let (groups, mailboxes) = join(
        tenant.transitive_member_of(user),
        tenant.list_mailboxes(ASKED + 1),
    )
    .await;
    let (groups, mailboxes) = (groups?, mailboxes?);
    let mut teams: Vec<(BTreeSet<String>, String)> = Vec::new();
    for group in &groups.value {
        let text = |name: &str| group.other.get(name).and_then(|value| value.as_str());
        let names: BTreeSet<String> = [
            Some(group.id.as_str()),
            group.display_name.as_deref(),
            text("mail"),
        ]
        .into_iter()
        .flatten()
        .map(str::to_lowercase)
        .collect();
        let shown = group
            .display_name
            .clone()
            .unwrap_or_else(|| group.id.clone());
        teams.push((names, shown));
    }
    let mut others: Vec<&ExchangeRecipient> = mailboxes
        .value
        .iter()
        .filter(|mailbox| {
            mailbox
                .external_directory_object_id
                .as_deref()
                .is_some_and(|id| !who.own.contains(&id.to_lowercase()) && id != user)
        })
        .collect();
    others.sort_by_key(|mailbox| rank(mailbox, who));
    let more = others.len() > ASKED || mailboxes.completeness.why().is_some();
    others.truncate(ASKED);

    let mut objects = Vec::new();
    let mut answers: Vec<Answer> = groups.answers;
    answers.extend(mailboxes.answers.iter().cloned());
    let mut missing = None;
    for some in others.chunks(AT_ONCE) {
        let read = join_all(
            some.iter()
                .map(|mailbox| holds(tenant, mailbox, who, &teams)),
        )
        .await;
        for (mailbox, read) in some.iter().zip(read) {
            match read {
                Ok((found, seen)) => {
                    // Of those on which it has no right the answers say nothing more.
                    if let Some(found) = found {
                        objects.push(found);
                        answers.extend(seen);
                    }
                }
                Err(error) => {
                    missing = Some(format!(
                        "rights on {} could not be read: {error}",
                        mailbox
                            .primary_smtp_address
                            .as_deref()
                            .unwrap_or("a mailbox")
                    ));
                }
            }
        }
    }
    let complete = missing.map_or(Ok(()), Err);
    Ok(Seen {
        listed: complete.is_ok(),
        complete,
        objects,
        answers,
        mailbox: None,
        remark: more.then(|| {
            format!(
                "there are more than {ASKED} mailboxes: those that the logs show the account in and shared ones were asked first, the rest was not"
            )
        }),
    })
}

/// Those that the logs show the account in first, then shared ones.
fn rank(mailbox: &ExchangeRecipient, who: &Names) -> (bool, bool, String) {
    let address = mailbox
        .primary_smtp_address
        .as_deref()
        .unwrap_or_default()
        .to_lowercase();
    let shared = mailbox
        .recipient_type_details
        .as_deref()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("SharedMailbox"));
    (!who.seen_in.contains(&address), !shared, address)
}

/// Which rights the account has on a mailbox, by itself or through a group.
async fn holds(
    tenant: &Tenant,
    mailbox: &ExchangeRecipient,
    who: &Names,
    teams: &[(BTreeSet<String>, String)],
) -> Result<(Option<Found>, Vec<Answer>), TenantError> {
    let id = mailbox
        .external_directory_object_id
        .as_deref()
        .unwrap_or_default();
    let (full, send_as) = join(
        super::rights::list(tenant, id, retake_playbook::event::MailboxRight::FullAccess),
        super::rights::list(tenant, id, retake_playbook::event::MailboxRight::SendAs),
    )
    .await;
    let (full, send_as) = (full?, send_as?);
    let through = |read: &Read<Vec<String>>| -> Vec<String> {
        let mut ways: Vec<String> = read
            .value
            .iter()
            .filter_map(|holder| {
                let lower = holder.to_lowercase();
                if who.own.contains(&lower) {
                    return Some("itself".to_owned());
                }
                teams
                    .iter()
                    .find(|(names, _)| names.contains(&lower))
                    .map(|(_, shown)| format!("the group {shown}"))
            })
            .collect();
        ways.sort();
        ways.dedup();
        ways
    };
    let (full_by, send_by) = (through(&full), through(&send_as));
    if full_by.is_empty() && send_by.is_empty() {
        return Ok((None, Vec::new()));
    }
    let address = mailbox
        .primary_smtp_address
        .clone()
        .or_else(|| mailbox.display_name.clone())
        .unwrap_or_else(|| id.to_owned());
    let object = ObjectRef::new(ObjectKind::Mailbox, id).named(&address);
    let mut answers = full.answers;
    answers.extend(send_as.answers);
    let facts = Facts::Opened {
        address,
        full: full_by,
        send_as: send_by,
    };
    Ok((Some(Found::new(object, facts)), answers))
}

/// Rules, sweep rules, forwards and automatic replies in these mailboxes. One that cannot be read takes no other with
/// it, and is said.
async fn settings(tenant: &Tenant, opened: &[Opened]) -> Seen {
    let mut all = Seen {
        objects: Vec::new(),
        answers: Vec::new(),
        complete: Ok(()),
        mailbox: None,
        remark: None,
        listed: true,
    };
    for some in opened.chunks(AT_ONCE) {
        let read = join_all(some.iter().map(|(id, _)| {
            join4(
                rules::inbox_rules(tenant, id),
                forwarding(tenant, id),
                super::settings::auto_reply(tenant, id),
                super::mailbox::sweep_rules(tenant, id),
            )
        }))
        .await;
        for ((id, address), (rules, forward, reply, sweeps)) in some.iter().zip(read) {
            for seen in [rules, forward, reply, sweeps] {
                match seen {
                    Ok(seen) => {
                        all.complete = all.complete.and(seen.complete);
                        all.answers.extend(seen.answers);
                        all.objects.extend(
                            seen.objects
                                .into_iter()
                                // How long it keeps what is deleted is not this case's.
                                .filter(|found| found.object.kind != ObjectKind::Mailbox)
                                .map(|found| placed(found, id, address)),
                        );
                    }
                    Err(error) => {
                        let why = format!("{address} could not be read: {error}");
                        all.complete = all.complete.and(Err(why));
                    }
                }
            }
        }
    }
    all.listed = all.complete.is_ok();
    all
}

/// The same object, with the mailbox that it lies in. What every mailbox has once is
/// known by the mailbox's address.
fn placed(mut found: Found, mailbox: &str, address: &str) -> Found {
    if matches!(
        found.object.kind,
        ObjectKind::MailboxForwarding | ObjectKind::AutoReply
    ) {
        found.object = found.object.named(address);
    }
    found.object = found.object.in_mailbox(mailbox);
    found
}
