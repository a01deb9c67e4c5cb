//! What the attacker did with the access: sent, read, changed, reached.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use retake_playbook::ObjectKind;

use super::intruder::Intruder;
use super::profile::{Networks, Profile};
use super::scope::{Scope, sessions};
use crate::answer::{
    Blast, By, Change, ChangedItem, Fingerprint, HowRead, ReachedAccount, ReadMail, SentMail,
};
use crate::event::{Event, MailAccess, Outcome, Source};

/// How long before the attacker's first event another account must have been at an
/// address to count as somebody who works from there.
const BEFORE_THE_ATTACKER: SignedDuration = SignedDuration::from_hours(48);

/// Events of other accounts that come from the attacker's addresses, sessions
/// or tokens. An address that the other account has long worked from does not
/// make it a victim: it is a shared exit.
pub(super) fn elsewhere<'a>(
    scope: &Scope<'a>,
    print: &Fingerprint,
    intruder: &Intruder<'_>,
) -> Vec<&'a Event> {
    let addresses: BTreeSet<&str> = print.addresses.iter().map(String::as_str).collect();
    let marks: BTreeSet<&str> = print
        .sessions
        .iter()
        .chain(&print.token_ids)
        .map(String::as_str)
        .collect();
    if addresses.is_empty() && marks.is_empty() {
        return Vec::new();
    }
    // Whoever was there only while the attacker was has not long worked from there.
    let came = intruder
        .clusters
        .iter()
        .filter(|cluster| cluster.attacker)
        .flat_map(|cluster| &cluster.events)
        .map(|event| event.time)
        .min()
        .and_then(|first| first.checked_sub(BEFORE_THE_ATTACKER).ok());
    let mut days: BTreeMap<(&str, String), BTreeSet<i64>> = BTreeMap::new();
    let mut long_there: BTreeSet<(&str, String)> = BTreeSet::new();
    for event in &scope.all {
        if let (Some(user), Some(address)) = (&event.user, event.address)
            && event.outcome != Outcome::Failure
            && addresses.contains(address.to_string().as_str())
        {
            days.entry((user, address.to_string()))
                .or_default()
                .insert(event.day());
            if came.is_some_and(|came| event.time < came) {
                long_there.insert((user, address.to_string()));
            }
        }
    }
    scope
        .all
        .iter()
        .filter(|event| {
            event.user.is_some()
                && !scope.acts(event)
                && !scope.is_responder(event)
                && event.source != Source::MessageTrace
                // An app that acts for itself is nobody's account.
                && !event
                    .user
                    .as_deref()
                    .is_some_and(|user| user.to_ascii_lowercase().starts_with("serviceprincipal_"))
        })
        .filter(|event| {
            let by_mark = sessions(event)
                .chain(event.token_id.as_deref())
                .any(|mark| marks.contains(mark));
            let by_address = event.address.is_some_and(|address| {
                let text = address.to_string();
                addresses.contains(text.as_str())
                    && event.user.as_deref().is_none_or(|user| {
                        let key = (user, text);
                        !long_there.contains(&key)
                            || days.get(&key).is_none_or(|days| days.len() < 3)
                    })
            });
            by_mark || by_address
        })
        .copied()
        .collect()
}

/// What the attacker's events have in common that the user's have not.
pub(super) fn fingerprint(
    intruder: &Intruder<'_>,
    profile: &Profile,
    networks: &Networks,
    changes: &[Change],
) -> Fingerprint {
    let mut addresses = BTreeSet::new();
    let mut numbers = BTreeSet::new();
    let mut agents = BTreeSet::new();
    let mut marks = BTreeSet::new();
    let mut tokens = BTreeSet::new();
    let mut devices = BTreeSet::new();
    for event in intruder
        .clusters
        .iter()
        .filter(|cluster| cluster.attacker)
        .flat_map(|cluster| &cluster.events)
    {
        addresses.extend(event.address.map(|address| address.to_string()));
        if let Some(super::profile::Network::Number(number)) = networks
            .of(event)
            .filter(|network| !profile.knows_network(*network))
        {
            numbers.insert(number);
        }
        agents.extend(
            event
                .user_agent
                .clone()
                .filter(|text| !profile.knows_agent(text)),
        );
        marks.extend(sessions(event).map(str::to_owned));
        tokens.extend(event.token_id.clone());
        devices.extend(
            event
                .device
                .id
                .clone()
                .filter(|id| !profile.knows_device(id)),
        );
    }
    let apps: BTreeSet<String> = changes
        .iter()
        .filter(|change| {
            change.by == By::Attacker
                && matches!(
                    change.object_kind,
                    ObjectKind::OauthGrant | ObjectKind::ServicePrincipal
                )
        })
        .flat_map(|change| change.object_ids.iter().cloned())
        .filter(|id| crate::token::token_id(id).is_some())
        .collect();
    Fingerprint {
        addresses: addresses.into_iter().collect(),
        networks: numbers.into_iter().collect(),
        user_agents: agents.into_iter().collect(),
        sessions: marks.into_iter().collect(),
        token_ids: tokens.into_iter().collect(),
        apps: apps.into_iter().collect(),
        devices: devices.into_iter().collect(),
    }
}

/// Sums up. `app_events` are those of apps that the attacker had consent for.
pub(super) fn blast(
    scope: &Scope<'_>,
    intruder: &Intruder<'_>,
    elsewhere: &[&Event],
    app_events: &[&Event],
    print: &Fingerprint,
    changes: &[Change],
) -> Blast {
    let bad: Vec<&Event> = scope
        .all
        .iter()
        .filter(|event| intruder.is_bad(event) && !scope.is_responder(event))
        .chain(elsewhere)
        .chain(app_events)
        .copied()
        .collect();
    let mut blast = Blast {
        sent: sent(scope, &bad, print),
        read: read(scope, &bad),
        changed: changed(&bad, changes),
        accounts: accounts(scope, &bad, elsewhere),
    };
    blast.sent.sort();
    blast.read.sort();
    blast.read.dedup();
    blast.changed.sort();
    blast.changed.dedup();
    blast
}

fn sent(scope: &Scope<'_>, bad: &[&Event], print: &Fingerprint) -> Vec<SentMail> {
    let mut mails: BTreeMap<String, SentMail> = BTreeMap::new();
    for event in bad {
        if !event.is_send() || event.outcome == Outcome::Failure {
            continue;
        }
        let id = event.message_ids.first().cloned();
        let key = id.clone().unwrap_or_else(|| event.record_id.clone());
        let mail = mails.entry(key).or_insert_with(|| SentMail {
            at: event.time,
            message_id: id,
            subject: event.subject.clone(),
            recipients: Vec::new(),
            events: Vec::new(),
        });
        mail.recipients.extend(event.recipients.iter().cloned());
        mail.events.push(event.record_id.clone());
    }
    for event in scope
        .all
        .iter()
        .filter(|event| event.source == Source::MessageTrace)
    {
        let Some(id) = event.message_ids.first() else {
            continue;
        };
        let from_attacker = event.sender.as_deref() == Some(scope.upn())
            && event
                .address
                .is_some_and(|address| print.addresses.contains(&address.to_string()));
        if let Some(mail) = mails.get_mut(id) {
            mail.recipients.extend(event.recipients.iter().cloned());
            mail.subject = mail.subject.take().or_else(|| event.subject.clone());
            mail.events.push(event.record_id.clone());
        } else if from_attacker {
            mails.insert(
                id.clone(),
                SentMail {
                    at: event.time,
                    message_id: Some(id.clone()),
                    subject: event.subject.clone(),
                    recipients: event.recipients.clone(),
                    events: vec![event.record_id.clone()],
                },
            );
        }
    }
    mails
        .into_values()
        .map(|mut mail| {
            mail.recipients.sort();
            mail.recipients.dedup();
            mail.events.sort();
            mail.events.dedup();
            mail
        })
        .collect()
}

fn read(scope: &Scope<'_>, bad: &[&Event]) -> Vec<ReadMail> {
    // An audit record may leave the subject out; the trace of the same message has it.
    let mut subjects: BTreeMap<&str, &str> = BTreeMap::new();
    for event in &scope.all {
        for (id, subject) in event.folders.iter().flat_map(|folder| &folder.subjects) {
            subjects.insert(id, subject);
        }
        if let ([id], Some(subject)) = (event.message_ids.as_slice(), &event.subject) {
            subjects.entry(id).or_insert(subject);
        }
    }
    let mut list = Vec::new();
    for event in bad
        .iter()
        .filter(|event| event.is("MailItemsAccessed") && event.outcome != Outcome::Failure)
    {
        let mut add = |message_id: Option<String>, folder: Option<String>, how: HowRead| {
            let subject = message_id
                .as_deref()
                .and_then(|id| subjects.get(id))
                .map(|subject| (*subject).to_owned());
            list.push(ReadMail {
                at: event.time,
                message_id,
                subject,
                folder,
                how,
                record_id: event.record_id.clone(),
            });
        };
        if event.throttled {
            add(None, event.folder.clone(), HowRead::Throttled);
        }
        if event.mail_access == Some(MailAccess::Sync) {
            // The folder stands for every item in it, listed or not.
            let mut folders: Vec<Option<String>> = event
                .folders
                .iter()
                .map(|folder| folder.path.clone())
                .collect();
            if folders.is_empty() {
                folders.push(event.folder.clone());
            }
            for folder in folders {
                add(None, folder, HowRead::Sync);
            }
        }
        let how = if event.mail_access == Some(MailAccess::Sync) {
            HowRead::Sync
        } else {
            HowRead::Bind
        };
        if event.folders.is_empty() {
            event
                .message_ids
                .iter()
                .for_each(|id| add(Some(id.clone()), event.folder.clone(), how));
        }
        for folder in &event.folders {
            folder
                .message_ids
                .iter()
                .for_each(|id| add(Some(id.clone()), folder.path.clone(), how));
        }
    }
    list
}

const ITEM_CHANGES: [&str; 8] = [
    "MoveToDeletedItems",
    "SoftDelete",
    "HardDelete",
    "Move",
    "Update",
    "Create",
    "Copy",
    "RecordDelete",
];

fn changed(bad: &[&Event], changes: &[Change]) -> Vec<ChangedItem> {
    let objects = changes
        .iter()
        .filter(|change| change.by == By::Attacker)
        .map(|change| ChangedItem {
            at: change.at,
            operation: change.operation.clone(),
            kind: change.object_kind,
            ids: change.object_ids.clone(),
            record_id: change.record_id.clone(),
        });
    let items = bad
        .iter()
        .filter(|event| {
            ITEM_CHANGES.iter().any(|name| event.is(name)) && event.outcome != Outcome::Failure
        })
        .map(|event| ChangedItem {
            at: event.time,
            operation: event.operation.clone(),
            kind: ObjectKind::Message,
            ids: event.message_ids.clone(),
            record_id: event.record_id.clone(),
        });
    objects.chain(items).collect()
}

fn accounts(scope: &Scope<'_>, bad: &[&Event], elsewhere: &[&Event]) -> Vec<ReachedAccount> {
    let mut accounts: BTreeMap<(String, &'static str), (bool, BTreeSet<String>)> = BTreeMap::new();
    for event in elsewhere {
        if let Some(user) = &event.user {
            let entered = event.outcome == Outcome::Success;
            let entry = accounts
                .entry((
                    user.clone(),
                    "used from the attacker's address, session or token",
                ))
                .or_default();
            entry.0 |= entered;
            entry.1.insert(event.record_id.clone());
        }
    }
    for event in bad {
        if let Some(mailbox) = event.mailbox.as_ref().filter(|mailbox| {
            mailbox.as_str() != scope.upn() && Some(*mailbox) != event.user.as_ref()
        }) {
            let entry = accounts
                .entry((
                    mailbox.clone(),
                    "its mailbox was opened through this account",
                ))
                .or_default();
            entry.0 |= event.outcome != Outcome::Failure;
            entry.1.insert(event.record_id.clone());
        }
    }
    accounts
        .into_iter()
        .map(|((user, how), (entered, events))| ReachedAccount {
            user,
            how: how.to_owned(),
            entered,
            events: events.into_iter().collect(),
        })
        .collect()
}
