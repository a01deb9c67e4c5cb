//! Judging settings of a mailbox, in which the attacker's and the owner's stand side by
//! side: the automatic reply, the lists of junk mail, the protocols, mobile devices, and
//! the service's block from sending.
//!
//! A setting is no object that somebody made: each value of it is, and each value is
//! judged by the record that brought it, by what stood there before, and by what it does.

use super::{Verdict, is_outside};
use crate::event::{Change, Facts, FieldChange, Observed, Origin};
use crate::state::State;
use crate::words::ObjectKind;

/// One of the lists of junk mail, by the parameter that sets it (reference §6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum JunkList {
    /// `TrustedSendersAndDomains`.
    Trusted,
    /// `TrustedRecipientsAndDomains`.
    Recipients,
    /// `BlockedSendersAndDomains`.
    Blocked,
}

impl JunkList {
    /// The parameter and property.
    pub const fn parameter(self) -> &'static str {
        match self {
            Self::Trusted => "TrustedSendersAndDomains",
            Self::Recipients => "TrustedRecipientsAndDomains",
            Self::Blocked => "BlockedSendersAndDomains",
        }
    }

    /// Every one.
    pub const ALL: [Self; 3] = [Self::Trusted, Self::Recipients, Self::Blocked];
}

/// An entry of the lists that is not the owner's, or not known to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JunkEntry {
    /// In which list.
    pub list: JunkList,
    /// The address or domain, as it is written there.
    pub entry: String,
    /// Why it is not taken for the owner's.
    pub why: String,
}

/// A protocol that somebody else switched on, and what it was before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reopened {
    /// The parameter of `Set-CASMailbox`.
    pub parameter: &'static str,
    /// Its value before; nothing where the mailbox follows the organisation.
    pub before: Option<bool>,
    /// Why.
    pub why: String,
}

/// Judges a setting; nothing for an object of another kind.
pub(super) fn judge(state: &State, observed: &Observed) -> Option<(Verdict, Vec<String>)> {
    Some(match &observed.facts {
        Facts::AutoReply { .. } => auto_reply(state, observed),
        Facts::JunkLists { .. } => junk_lists(state, observed),
        Facts::MailProtocols { .. } => protocols(state, observed),
        Facts::MobilePartnership { .. } => partnership(state, observed),
        Facts::SendingBlock { reason, .. } => (
            Verdict::Legitimate,
            vec![format!(
                "the service stopped this account from sending{}: that contains already, and is lifted last, when sign-in has been given back",
                reason
                    .as_ref()
                    .map(|reason| format!(" ({reason})"))
                    .unwrap_or_default()
            )],
        ),
        _ => return None,
    })
}

/// The entries of the junk lists that the attacker made, and those of which nobody
/// knows whose they are.
pub fn junk_entries(state: &State, observed: &Observed) -> (Vec<JunkEntry>, Vec<JunkEntry>) {
    let Facts::JunkLists {
        trusted,
        trusted_recipients,
        blocked,
        ..
    } = &observed.facts
    else {
        return (Vec::new(), Vec::new());
    };
    let (mut theirs, mut unknown) = (Vec::new(), Vec::new());
    let changes = changes_of(state, observed);
    let first = first_while_blocked(state, observed.object.kind);
    for (list, entries) in [
        (JunkList::Trusted, trusted),
        (JunkList::Recipients, trusted_recipients),
        (JunkList::Blocked, blocked),
    ] {
        for entry in entries {
            let made = |why: String| JunkEntry {
                list,
                entry: entry.clone(),
                why,
            };
            let harm = harm(state, list, entry);
            match (introduced(&changes, list, entry), harm) {
                (Brought::By(change), _) if change.by == Origin::Attacker => {
                    theirs.push(made(told("the attacker", change)));
                }
                (Brought::By(change), _) if change.by != Origin::Unknown => {}
                (Brought::Perhaps(change), Some(harm)) if change.by == Origin::Attacker => {
                    theirs.push(made(format!(
                        "{harm}; {}",
                        told(
                            "written by the attacker, perhaps beside the user's own,",
                            change
                        )
                    )));
                }
                (Brought::Perhaps(change), None) if change.by == Origin::Attacker => {
                    unknown.push(made(format!(
                        "the record of what the attacker wrote does not tell which entries stood there before (record {})",
                        change.record
                    )));
                }
                (Brought::By(_) | Brought::Perhaps(_), Some(harm)) => unknown.push(made(harm)),
                _ if first.is_some_and(|before| !holds(before, list, entry)) => {
                    theirs.push(made(
                        "not there when sign-in was blocked, and its owner could make nothing since"
                            .to_owned(),
                    ));
                }
                (Brought::Never, Some(harm)) => unknown.push(made(harm)),
                _ => {}
            }
        }
    }
    (theirs, unknown)
}

/// The protocols that the attacker switched on and that are on, with what they were.
pub fn reopened(state: &State, observed: &Observed) -> Vec<Reopened> {
    let Facts::MailProtocols { .. } = &observed.facts else {
        return Vec::new();
    };
    let changes = changes_of(state, observed);
    let first = first_while_blocked(state, ObjectKind::MailProtocols);
    let mut reopened = Vec::new();
    for parameter in SWITCHES {
        let now = switch(&observed.facts, parameter);
        if !is_open(parameter, now) {
            continue;
        }
        let last = changes
            .iter()
            .rev()
            .find_map(|change| Some((*change, field(change, parameter)?)));
        match last {
            Some((change, field))
                if change.by == Origin::Attacker
                    && is_open(parameter, read_switch(Some(&field.to))) =>
            {
                // What is switched on was off: of SMTP AUTH the organisation's setting
                // decides, of the others off is what it was.
                let before = match &field.from {
                    Some(from) => read_switch(Some(from)),
                    None if parameter == SMTP_AUTH => None,
                    None => Some(false),
                };
                if !is_open(parameter, before) || before.is_none() {
                    reopened.push(Reopened {
                        parameter,
                        before,
                        why: told("the attacker", change),
                    });
                }
            }
            Some(_) => {}
            None => {
                if let Some(before) = first.map(|facts| switch(facts, parameter))
                    && !is_open(parameter, before)
                {
                    reopened.push(Reopened {
                        parameter,
                        before,
                        why: "it was off when sign-in was blocked, and its owner could change nothing since".to_owned(),
                    });
                }
            }
        }
    }
    reopened
}

const SMTP_AUTH: &str = "SmtpClientAuthenticationDisabled";
const SWITCHES: [&str; 4] = ["ImapEnabled", "PopEnabled", "EwsEnabled", SMTP_AUTH];

fn switch(facts: &Facts, parameter: &str) -> Option<bool> {
    match (facts, parameter) {
        (Facts::MailProtocols { imap, .. }, "ImapEnabled") => *imap,
        (Facts::MailProtocols { pop, .. }, "PopEnabled") => *pop,
        (Facts::MailProtocols { ews, .. }, "EwsEnabled") => *ews,
        (
            Facts::MailProtocols {
                smtp_auth_disabled, ..
            },
            _,
        ) => *smtp_auth_disabled,
        _ => None,
    }
}

/// Whether this value lets a program in. A mailbox that follows the organisation is not
/// opened by anybody in particular.
fn is_open(parameter: &str, value: Option<bool>) -> bool {
    if parameter == SMTP_AUTH {
        value == Some(false)
    } else {
        value == Some(true)
    }
}

fn read_switch(text: Option<&str>) -> Option<bool> {
    match text?.trim().trim_matches('"').to_lowercase().as_str() {
        "true" | "$true" => Some(true),
        "false" | "$false" => Some(false),
        _ => None,
    }
}

fn auto_reply(state: &State, observed: &Observed) -> (Verdict, Vec<String>) {
    let Facts::AutoReply {
        internal, external, ..
    } = &observed.facts
    else {
        return (Verdict::Legitimate, Vec::new());
    };
    let changes = changes_of(state, observed);
    let says = |change: &&&Change| {
        ["ExternalMessage", "InternalMessage"].iter().any(|name| {
            field(change, name).is_some_and(|field| {
                let told = plain(&field.to);
                !told.is_empty() && [internal, external].iter().any(|text| plain(text) == told)
            })
        })
    };
    // The record with this very text, else the last that touched the reply.
    let change = changes
        .iter()
        .rfind(says)
        .or_else(|| changes.last())
        .copied();
    match change.map(|change| (change.by, change)) {
        Some((Origin::Attacker, change)) => {
            return (Verdict::Foothold, vec![told("the attacker", change)]);
        }
        Some((Origin::User, change)) => {
            return (Verdict::Legitimate, vec![told("the user", change)]);
        }
        Some((Origin::Responder, change)) => {
            return (Verdict::Legitimate, vec![told("us", change)]);
        }
        Some((Origin::Unknown, _)) | None => {}
    }
    // Others go on working in a mailbox that several people open.
    let before = first_while_blocked(state, ObjectKind::AutoReply)
        .filter(|_| observed.object.mailbox.is_none());
    if before.is_some_and(|before| *before != observed.facts) {
        return (
            Verdict::Foothold,
            vec![
                "it answers otherwise than when sign-in was blocked, and its owner could change nothing since"
                    .to_owned(),
            ],
        );
    }
    let text = format!("{internal} {external}");
    let outside: Vec<String> = addresses(&text)
        .into_iter()
        .filter(|address| is_outside(state, address))
        .collect();
    if !outside.is_empty() {
        return (
            Verdict::Unclear,
            vec![format!(
                "tells whoever writes to use {}, outside, and no record says who wrote it",
                outside.join(", ")
            )],
        );
    }
    if names_an_account(&text) {
        return (
            Verdict::Unclear,
            vec!["names a bank account, and no record says who wrote it".to_owned()],
        );
    }
    (
        Verdict::Legitimate,
        vec![
            "no record says who wrote it; it names no address outside and no bank account"
                .to_owned(),
        ],
    )
}

fn junk_lists(state: &State, observed: &Observed) -> (Verdict, Vec<String>) {
    let (theirs, unknown) = junk_entries(state, observed);
    let words = |entries: &[JunkEntry]| -> Vec<String> {
        entries
            .iter()
            .map(|entry| format!("{} {}: {}", entry.list.parameter(), entry.entry, entry.why))
            .collect()
    };
    if !theirs.is_empty() {
        return (Verdict::Foothold, words(&theirs));
    }
    if !unknown.is_empty() {
        return (Verdict::Unclear, words(&unknown));
    }
    (
        Verdict::Legitimate,
        vec!["no entry is known to be anybody's but the user's".to_owned()],
    )
}

fn protocols(state: &State, observed: &Observed) -> (Verdict, Vec<String>) {
    let reopened = reopened(state, observed);
    if reopened.is_empty() {
        return (
            Verdict::Legitimate,
            vec!["no protocol is known to have been switched on by anybody else".to_owned()],
        );
    }
    (
        Verdict::Foothold,
        reopened
            .into_iter()
            .map(|one| format!("{}: {}", one.parameter, one.why))
            .collect(),
    )
}

fn partnership(state: &State, observed: &Observed) -> (Verdict, Vec<String>) {
    let Facts::MobilePartnership {
        device, first_sync, ..
    } = &observed.facts
    else {
        return (Verdict::Legitimate, Vec::new());
    };
    let used = |by: Origin| {
        let (_, analysis) = state.analysis.as_ref()?;
        analysis
            .changes
            .iter()
            .filter(|change| change.kind == ObjectKind::MobilePartnership && change.by == by)
            .find(|change| change.ids.iter().any(|id| id.eq_ignore_ascii_case(device)))
    };
    match (used(Origin::Attacker), used(Origin::User)) {
        (Some(change), None) => {
            return (
                Verdict::Foothold,
                vec![told("used by the attacker", change)],
            );
        }
        (Some(change), Some(_)) => {
            return (
                Verdict::Unclear,
                vec![format!(
                    "used by the user and, it seems, by the attacker too (record {}): ask its owner",
                    change.record
                )],
            );
        }
        (None, Some(change)) => {
            return (Verdict::Legitimate, vec![told("used by the user", change)]);
        }
        (None, None) => {}
    }
    if let Some(reason) = super::appeared_while_blocked(state, observed) {
        return (Verdict::Foothold, vec![reason]);
    }
    let bad_since = state
        .analysis
        .as_ref()
        .and_then(|(_, analysis)| analysis.first_known_bad);
    match (first_sync, bad_since) {
        (Some(first), Some(bad)) if *first >= bad && state.restored_at.is_none() => (
            Verdict::Unclear,
            vec![format!(
                "paired on {}, after the attacker came in, and no record says by whom: ask the owner whether it is theirs",
                first.strftime("%Y-%m-%d %H:%M UTC")
            )],
        ),
        _ => (
            Verdict::Legitimate,
            vec!["paired before the attacker came in".to_owned()],
        ),
    }
}

/// Whether no record decides whose a setting is, so that a log that could not be read
/// might.
pub(super) fn leaves_open(state: &State, observed: &Observed) -> Option<bool> {
    let (verdict, _) = judge(state, observed)?;
    Some(match &observed.facts {
        Facts::SendingBlock { .. } => false,
        Facts::AutoReply { .. } => {
            verdict == Verdict::Unclear || changes_of(state, observed).is_empty()
        }
        Facts::MailProtocols {
            smtp_auth_disabled, ..
        } => *smtp_auth_disabled == Some(false) && changes_of(state, observed).is_empty(),
        _ => verdict == Verdict::Unclear,
    })
}

/// The changes of this kind in the logs that concern this mailbox, oldest first.
fn changes_of<'a>(state: &'a State, observed: &Observed) -> Vec<&'a Change> {
    let Some((_, analysis)) = state.analysis.as_ref() else {
        return Vec::new();
    };
    // A setting of another mailbox goes by that mailbox's names, never by the account's.
    let elsewhere = observed.object.mailbox.is_some();
    let account = state.account.as_ref().filter(|_| !elsewhere);
    let named = observed.object.name.as_deref().filter(|_| elsewhere);
    let names: Vec<&str> = account
        .into_iter()
        .flat_map(|account| {
            [account.id.as_str(), account.upn.as_str()]
                .into_iter()
                .chain(account.upn.split('@').next())
                .chain(account.addresses.iter().map(String::as_str))
        })
        .chain([observed.object.id.as_str()])
        .chain(named)
        .chain(named.and_then(|address| address.split('@').next()))
        .collect();
    let is_ours = |id: &String| {
        let last = id.rsplit(['/', '\\']).next().unwrap_or(id);
        names
            .iter()
            .any(|name| name.eq_ignore_ascii_case(id) || name.eq_ignore_ascii_case(last))
    };
    let mut changes: Vec<&Change> = analysis
        .changes
        .iter()
        .filter(|change| change.kind == observed.object.kind)
        .filter(|change| (change.ids.is_empty() && !elsewhere) || change.ids.iter().any(is_ours))
        .collect();
    changes.sort_by_key(|change| (change.at, change.by));
    changes
}

/// What the setting was in the first snapshot after sign-in was blocked, if that is not
/// the latest one: since then its owner could change nothing.
fn first_while_blocked(state: &State, kind: ObjectKind) -> Option<&Facts> {
    if state.restored_at.is_some() {
        return None;
    }
    let blocked_at = state.contained_since()?;
    let first = state
        .snapshots
        .iter()
        .find(|snapshot| snapshot.at >= blocked_at && super::looked_at(snapshot, kind))?;
    let latest = state.snapshot()?;
    if first.snapshot == latest.snapshot || !super::looked_at(latest, kind) {
        return None;
    }
    first
        .objects
        .iter()
        .find(|seen| seen.object.kind == kind && seen.object.mailbox.is_none())
        .map(|seen| &seen.facts)
}

fn holds(facts: &Facts, list: JunkList, entry: &str) -> bool {
    let Facts::JunkLists {
        trusted,
        trusted_recipients,
        blocked,
        ..
    } = facts
    else {
        return true;
    };
    match list {
        JunkList::Trusted => trusted,
        JunkList::Recipients => trusted_recipients,
        JunkList::Blocked => blocked,
    }
    .iter()
    .any(|held| held.eq_ignore_ascii_case(entry))
}

/// What the records say about an entry.
enum Brought<'a> {
    /// This one brought it: it did not stand there before.
    By(&'a Change),
    /// This one wrote it, and what stood there before is not known.
    Perhaps(&'a Change),
    /// None mentions it.
    Never,
}

fn introduced<'a>(changes: &[&'a Change], list: JunkList, entry: &str) -> Brought<'a> {
    let mut brought = Brought::Never;
    let mut before: Option<Vec<String>> = None;
    for change in changes {
        let Some(field) = field(change, list.parameter()) else {
            continue;
        };
        let to = entries(&field.to);
        let adds = field.to.to_lowercase().contains("add=");
        let from = match &field.from {
            Some(from) => Some(entries(from)),
            None if adds => Some(Vec::new()),
            None => before.take(),
        };
        let has = |list: &[String]| list.iter().any(|held| held.eq_ignore_ascii_case(entry));
        if has(&to) {
            match &from {
                Some(from) if has(from) => {}
                Some(_) => brought = Brought::By(change),
                None => brought = Brought::Perhaps(change),
            }
        }
        before = (!adds).then_some(to);
    }
    brought
}

/// The entries of a list as records write it: by semicolons or commas, with quotes or
/// without, also as `@{Add="a","b"}`.
fn entries(text: &str) -> Vec<String> {
    text.split([';', ',', '\n', '{', '}', '[', ']'])
        .map(|part| {
            let part = part.trim().trim_matches(['"', '\'', '@', ' ']);
            part.split_once('=').map_or(part, |(_, value)| value)
        })
        .map(|part| part.trim().trim_matches(['"', '\'']).to_lowercase())
        .filter(|part| !part.is_empty())
        .collect()
}

/// What an entry does that its owner would not want.
fn harm(state: &State, list: JunkList, entry: &str) -> Option<String> {
    let entry = entry.to_lowercase();
    let (_, analysis) = state.analysis.as_ref()?;
    let domain_of = |address: &str| {
        address
            .rsplit_once('@')
            .map(|(_, domain)| domain.to_lowercase())
    };
    if list == JunkList::Blocked {
        let own = state.account.as_ref()?;
        let inside = own
            .addresses
            .iter()
            .chain([&own.upn])
            .filter_map(|address| domain_of(address))
            .any(|domain| entry == domain || entry.ends_with(&format!("@{domain}")));
        if inside {
            return Some("keeps the organisation's own mail from the user".to_owned());
        }
        let written = analysis.sent.iter().flat_map(|mail| &mail.recipients);
        let hushed = written
            .map(|to| to.to_lowercase())
            .any(|to| to == entry || domain_of(&to).is_some_and(|domain| domain == entry));
        return hushed
            .then(|| "keeps the answers of somebody away whom the attacker wrote to".to_owned());
    }
    let theirs = analysis
        .changes
        .iter()
        .filter(|change| change.by == Origin::Attacker)
        .filter(|change| {
            matches!(
                change.kind,
                ObjectKind::InboxRule | ObjectKind::MailboxForwarding | ObjectKind::AutoReply
            )
        })
        .any(|change| {
            addresses(&change.parameters)
                .iter()
                .any(|address| *address == entry || domain_of(address).as_deref() == Some(&entry))
        });
    theirs.then(|| "lets mail through from where the attacker receives".to_owned())
}

fn field<'a>(change: &'a Change, name: &str) -> Option<&'a FieldChange> {
    change
        .fields
        .iter()
        .find(|field| field.name.eq_ignore_ascii_case(name))
}

fn told(who: &str, change: &Change) -> String {
    format!(
        "{who} on {}: {} (record {})",
        change.at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        change.operation,
        change.record
    )
}

/// A text without markup and spaces, in lower case: services wrap what was typed.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut inside = false;
    for letter in text.chars() {
        match letter {
            '<' => inside = true,
            '>' => inside = false,
            _ if !inside && letter.is_alphanumeric() => plain.extend(letter.to_lowercase()),
            _ => {}
        }
    }
    plain
}

/// Mail addresses in a text, in lower case.
fn addresses(text: &str) -> Vec<String> {
    text.split(|letter: char| letter.is_whitespace() || "<>()[]{};,\"'|".contains(letter))
        .map(|word| word.trim_matches(['.', ':', '!', '?', '=']).to_lowercase())
        .map(|word| {
            word.rsplit_once(':')
                .map_or(word.clone(), |(_, address)| address.to_owned())
        })
        .filter(|word| {
            word.split_once('@').is_some_and(|(local, domain)| {
                !local.is_empty() && domain.contains('.') && !domain.contains('@')
            })
        })
        .collect()
}

/// Whether a text holds what looks like an international bank account number: two
/// letters, two digits, and at least eleven more letters or digits.
fn names_an_account(text: &str) -> bool {
    let packed: String = text.chars().filter(|letter| *letter != ' ').collect();
    packed
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .any(|word| {
            let bytes = word.as_bytes();
            (0..bytes.len().saturating_sub(14)).any(|at| {
                let head = bytes.get(at..at + 4).unwrap_or_default();
                let tail = bytes.get(at + 4..).unwrap_or_default();
                matches!(head, [a, b, c, d] if a.is_ascii_uppercase() && b.is_ascii_uppercase() && c.is_ascii_digit() && d.is_ascii_digit())
                    && tail.iter().take(11).filter(|byte| byte.is_ascii_digit()).count() >= 9
            })
        })
}
