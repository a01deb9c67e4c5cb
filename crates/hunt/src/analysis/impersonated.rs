//! Mail under the account's name that was never sent from it: handed to the tenant from
//! outside (Direct Send, reference §15.6). It makes no takeover; the fraud in it is real.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::profile::{Network, Networks};
use super::scope::Scope;
use crate::answer::ImpersonatedMail;
use crate::event::{Event, Source};

/// How long the record of a mail that was sent may take to appear (reference §7.2).
const RECORDED_WITHIN: SignedDuration = SignedDuration::from_mins(90);
/// A service that sends for the account has done so on so many days.
const SERVICE_DAYS: usize = 3;

/// What the message trace has under the account's name from an address at which the
/// account was never active, to people of its own organisation, without any record that it
/// was sent. (What goes to strangers under its name is a forward of its own rules, or never
/// came past this tenant.)
///
/// Says nothing where it cannot be told: where no mail of the account's has such a record
/// (sending is not audited), or its record may still come.
pub(super) fn find(
    scope: &Scope<'_>,
    networks: &Networks,
    own_domains: &BTreeSet<String>,
    now: Timestamp,
) -> Vec<ImpersonatedMail> {
    let recorded: HashSet<&str> = scope
        .all
        .iter()
        .filter(|event| event.is_send())
        .flat_map(|event| event.message_ids.iter().map(String::as_str))
        .collect();
    let rows: Vec<&Event> = scope
        .all
        .iter()
        .filter(|event| {
            event.source == Source::MessageTrace && event.sender.as_deref() == Some(scope.upn())
        })
        .copied()
        .collect();
    let is_recorded = |event: &Event| {
        event
            .message_ids
            .iter()
            .any(|id| recorded.contains(id.as_str()))
    };
    if !rows.iter().any(|row| is_recorded(row)) {
        return Vec::new();
    }
    let inside = |event: &Event| {
        event.recipients.iter().any(|to| {
            to.rsplit_once('@')
                .is_some_and(|(_, domain)| own_domains.contains(&domain.to_lowercase()))
        })
    };
    let own: BTreeSet<Network> = scope
        .own
        .iter()
        .filter_map(|event| networks.of(event))
        .collect();
    let mut days: BTreeMap<Network, BTreeSet<i64>> = BTreeMap::new();
    for row in &rows {
        if let Some(network) = networks.of(row) {
            days.entry(network).or_default().insert(row.day());
        }
    }
    let mut found: BTreeMap<String, ImpersonatedMail> = BTreeMap::new();
    for row in rows {
        let (Some(address), Some(network), Some(id)) =
            (row.address, networks.of(row), row.message_ids.first())
        else {
            continue;
        };
        let known = own.contains(&network)
            || days
                .get(&network)
                .is_some_and(|days| days.len() >= SERVICE_DAYS);
        if is_recorded(row)
            || known
            || !inside(row)
            || now.duration_since(row.time) < RECORDED_WITHIN
        {
            continue;
        }
        let mail = found.entry(id.clone()).or_insert_with(|| ImpersonatedMail {
            at: row.time,
            message_id: id.clone(),
            subject: row.subject.clone(),
            recipients: Vec::new(),
            address: address.to_string(),
            events: Vec::new(),
        });
        mail.recipients.extend(row.recipients.iter().cloned());
        mail.events.push(row.record_id.clone());
    }
    let mut found: Vec<ImpersonatedMail> = found.into_values().collect();
    for mail in &mut found {
        mail.recipients.sort();
        mail.recipients.dedup();
        mail.events.sort();
    }
    found.sort();
    found
}
