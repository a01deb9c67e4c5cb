//! What the attacker did with the access, in a sentence each.

use std::collections::{BTreeMap, BTreeSet};

use retake_hunt::retrace::{DeedKind, Deeds};
use retake_hunt::{Analysis, By, HowRead, Source};

use super::layout::quoted;
use crate::text::{When, count};

/// A question and its answer: "nothing seen" and "cannot be told" are two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sum {
    /// `read`, `sent`, …
    pub(super) label: &'static str,
    /// In words.
    pub(super) answer: String,
    /// Something was done.
    pub(super) seen: bool,
}

/// Read, sent, changed, deleted, shared, who else; and what others sent in
/// the account's name.
pub(super) fn sums(user: &str, analysis: &Analysis, deeds: &Deeds) -> Vec<Sum> {
    let mut sums = vec![
        read(analysis, deeds),
        sent(user, analysis),
        changed(analysis, deeds),
        deleted(analysis, deeds),
        shared(analysis, deeds),
        who_else(analysis),
    ];
    if !analysis.impersonated.is_empty() {
        sums.push(Sum {
            label: "posing",
            answer: format!(
                "{} in this name came from outside and never from the account",
                count(analysis.impersonated.len(), "message", "messages")
            ),
            seen: true,
        });
    }
    sums
}

fn sum(label: &'static str, parts: &[String], analysis: &Analysis, needs: &[Source]) -> Sum {
    let seen = !parts.is_empty();
    let answer = if seen {
        parts.join("; ")
    } else if needs.iter().any(|source| has(analysis, *source)) {
        "nothing seen".to_owned()
    } else {
        let names: Vec<&str> = needs.iter().map(|source| source.words()).collect();
        format!("cannot be told: no {} given", names.join(" and no "))
    };
    Sum {
        label,
        answer,
        seen,
    }
}

fn has(analysis: &Analysis, source: Source) -> bool {
    analysis
        .coverage
        .iter()
        .any(|line| line.source == source && line.from.is_some())
}

fn read(analysis: &Analysis, deeds: &Deeds) -> Sum {
    let read = &analysis.blast.read;
    let mut parts = Vec::new();
    let messages: BTreeSet<&str> = read
        .iter()
        .filter_map(|mail| mail.message_id.as_deref())
        .collect();
    if !messages.is_empty() {
        parts.push(count(messages.len(), "message", "messages"));
    }
    let folders: BTreeSet<&str> = read
        .iter()
        .filter(|mail| mail.how == HowRead::Sync)
        .map(|mail| mail.folder.as_deref().unwrap_or("a folder without a name"))
        .collect();
    if !folders.is_empty() {
        let names: Vec<String> = folders.iter().take(3).map(|name| quoted(name)).collect();
        parts.push(format!(
            "{} as a whole ({}{})",
            count(folders.len(), "folder", "folders"),
            names.join(", "),
            more(folders.len(), 3)
        ));
    }
    if let Some(first) = read
        .iter()
        .filter(|mail| mail.how == HowRead::Throttled)
        .map(|mail| mail.at)
        .min()
    {
        parts.push(format!(
            "recording was throttled from {}: assume everything",
            When(first)
        ));
    }
    let files = deeds.count(DeedKind::Read);
    if files > 0 {
        parts.push(count(small(files), "file access", "file accesses"));
    }
    let unrecorded = analysis
        .coverage
        .iter()
        .filter(|line| line.source == Source::Ual && line.from.is_some())
        .flat_map(|line| &line.gaps)
        .any(|gap| gap.why.contains("MailItemsAccessed"));
    if unrecorded && messages.is_empty() && folders.is_empty() {
        parts.push("which mail cannot be told: no MailItemsAccessed records".to_owned());
        let seen = parts.len() > 1;
        return Sum {
            label: "read",
            answer: parts.join("; "),
            seen,
        };
    }
    sum("read", &parts, analysis, &[Source::Ual])
}

fn sent(user: &str, analysis: &Analysis) -> Sum {
    let sent = &analysis.blast.sent;
    let mut parts = Vec::new();
    if !sent.is_empty() {
        let recipients: BTreeSet<&str> = sent
            .iter()
            .flat_map(|mail| &mail.recipients)
            .map(String::as_str)
            .collect();
        let domain = |address: &str| {
            address
                .rsplit_once('@')
                .map(|(_, domain)| domain.to_owned())
        };
        let own = domain(user);
        let outside = recipients
            .iter()
            .filter(|address| domain(address) != own)
            .count();
        let to = if recipients.is_empty() {
            ", recipients not recorded".to_owned()
        } else {
            format!(
                " to {}, {outside} at other domains",
                count(recipients.len(), "address", "addresses")
            )
        };
        let subjects: BTreeSet<&str> = sent
            .iter()
            .filter_map(|mail| mail.subject.as_deref())
            .filter(|subject| !subject.is_empty())
            .collect();
        let named: Vec<String> = subjects.iter().take(2).map(|text| quoted(text)).collect();
        let named = if named.is_empty() {
            String::new()
        } else {
            format!(": {}{}", named.join(", "), more(subjects.len(), 2))
        };
        parts.push(format!(
            "{}{to}{named}",
            count(sent.len(), "message", "messages")
        ));
    }
    sum(
        "sent",
        &parts,
        analysis,
        &[Source::Ual, Source::MessageTrace],
    )
}

fn changed(analysis: &Analysis, deeds: &Deeds) -> Sum {
    let mut kinds: BTreeMap<&str, (usize, Vec<String>)> = BTreeMap::new();
    for change in analysis
        .changes
        .iter()
        .filter(|change| change.by == By::Attacker)
    {
        let entry = kinds.entry(change.object_kind.words()).or_default();
        entry.0 += 1;
        let name = change.name.as_deref().filter(|name| !name.is_empty());
        if let Some(name) = name.map(quoted)
            && entry.1.len() < 2
            && !entry.1.contains(&name)
        {
            entry.1.push(name);
        }
    }
    let mut parts: Vec<String> = kinds
        .into_iter()
        .map(|(kind, (number, names))| {
            let times = if number > 1 {
                format!(" ×{number}")
            } else {
                String::new()
            };
            if names.is_empty() {
                format!("{kind}{times}")
            } else {
                format!("{kind}{times} {}", names.join(", "))
            }
        })
        .collect();
    let items = analysis
        .blast
        .altered()
        .filter(|item| item.kind == retake_playbook::ObjectKind::Message)
        .count();
    if items > 0 {
        parts.push(format!(
            "{} moved or changed",
            count(items, "item of mail", "items of mail")
        ));
    }
    let files = deeds.count(DeedKind::Changed);
    if files > 0 {
        parts.push(count(small(files), "change of files", "changes of files"));
    }
    let unclear = analysis
        .changes
        .iter()
        .filter(|change| change.by == By::Unknown)
        .count();
    if unclear > 0 {
        parts.push(format!(
            "{} by nobody who can be told",
            count(unclear, "change", "changes")
        ));
    }
    sum(
        "changed",
        &parts,
        analysis,
        &[Source::Ual, Source::DirectoryAudits],
    )
}

fn deleted(analysis: &Analysis, deeds: &Deeds) -> Sum {
    let mut parts = Vec::new();
    let mail = analysis.blast.deleted().count();
    if mail > 0 {
        parts.push(count(mail, "deletion of mail", "deletions of mail"));
    }
    let files = deeds.count(DeedKind::Deleted);
    if files > 0 {
        parts.push(count(
            small(files),
            "deletion of files",
            "deletions of files",
        ));
    }
    sum("deleted", &parts, analysis, &[Source::Ual])
}

fn shared(analysis: &Analysis, deeds: &Deeds) -> Sum {
    let number = deeds.count(DeedKind::Shared);
    let mut parts = Vec::new();
    if number > 0 {
        let names: Vec<String> = deeds
            .list(DeedKind::Shared)
            .iter()
            .filter_map(|deed| deed.object.as_deref())
            .take(1)
            .map(quoted)
            .collect();
        parts.push(format!(
            "{}: {}{}",
            count(small(number), "act of sharing", "acts of sharing"),
            names.join(""),
            more(small(number), 1)
        ));
    }
    sum("shared", &parts, analysis, &[Source::Ual])
}

fn who_else(analysis: &Analysis) -> Sum {
    let mut accounts: Vec<_> = analysis.blast.accounts.iter().collect();
    accounts.sort_by_key(|account| (!account.entered, &account.user));
    accounts.dedup_by(|a, b| a.user == b.user);
    let named: Vec<String> = accounts
        .iter()
        .take(3)
        .map(|account| {
            format!(
                "{} ({})",
                crate::escape::visible_within(&account.user, 60),
                if account.entered { "entered" } else { "tried" }
            )
        })
        .collect();
    let mut parts = Vec::new();
    if !named.is_empty() {
        parts.push(format!(
            "{}: {}{}",
            count(accounts.len(), "account", "accounts"),
            named.join(", "),
            more(accounts.len(), 3)
        ));
    }
    sum(
        "who else",
        &parts,
        analysis,
        &[Source::Ual, Source::SignIns],
    )
}

fn more(all: usize, told: usize) -> String {
    if all > told {
        format!(" and {} more", all - told)
    } else {
        String::new()
    }
}

fn small(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
