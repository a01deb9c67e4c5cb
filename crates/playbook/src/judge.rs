//! Judging objects: is this the attacker's, the user's own, or not known?
//!
//! Judgement rests on who made an object, when, from where, and on what it does.
//! It never rests on a name, an id or an address by itself.

mod identity;
mod rights;

use serde::Serialize;

use crate::event::{Change, Facts, Observed, Origin};
use crate::state::State;
use crate::words::{ArtefactId, ObjectKind, ObjectRef};

mod mailbox;
mod reset;
mod settings;

pub use identity::{preference, presumed_default};
pub use reset::{ResetValues, restored_values};
pub use settings::{JunkEntry, JunkList, Reopened, junk_entries, reopened};

/// The logs that tell whose a change was. Without one of them a foothold may look like
/// the user's own, so nothing is declared clean before each was read.
pub const LOGS_FOR_JUDGEMENT: [&str; 5] = [
    "sign-ins, interactive",
    "sign-ins, non-interactive",
    AUDITS_ABOUT,
    AUDITS_BY,
    UNIFIED_AUDIT,
];

/// Whose an object is, with the reasons.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judgement {
    /// The object.
    pub object: ObjectRef,
    /// Whose.
    pub verdict: Verdict,
    /// What it would be if it is the attacker's.
    pub artefact: Option<ArtefactId>,
    /// Why.
    pub reasons: Vec<String>,
}

/// How an object is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The attacker's: it goes.
    Foothold,
    /// Odd, and nothing says whose: a person decides, it stays.
    Unclear,
    /// The user's own, or harmless in what it does: it stays.
    Legitimate,
}

/// Judges every object of the latest snapshot.
pub fn judge(state: &State) -> Vec<Judgement> {
    let Some(snapshot) = state.snapshot() else {
        return Vec::new();
    };
    snapshot
        .objects
        .iter()
        .filter(|observed| !is_empty(&observed.facts))
        .map(|observed| judge_one(state, observed))
        .collect()
}

/// What is there in every mailbox and is nobody's foothold: a forwarding that forwards
/// nowhere, and how long it keeps what is deleted, which a case raises whoever set it; a
/// device that is switched off, which gets nobody anything; and that the account opens
/// other mailboxes is no thing that anybody left.
fn is_empty(facts: &Facts) -> bool {
    matches!(
        facts,
        Facts::Forwarding {
            smtp: None,
            address: None,
            ..
        } | Facts::Opened { .. }
            | Facts::Keeping { .. }
            | Facts::Device { enabled: false, .. }
            | Facts::App { enabled: false, .. }
    ) || matches!(facts, Facts::AutoReply { state, .. } if state == "disabled")
}

fn judge_one(state: &State, observed: &Observed) -> Judgement {
    let artefact = match &observed.object.mailbox {
        Some(_) => Some(ArtefactId::SHARED_MAILBOX),
        None => artefact_of(state, &observed.facts),
    };
    let judged = |verdict, reasons| Judgement {
        object: observed.object.clone(),
        verdict,
        artefact,
        reasons,
    };
    if let Some(order) = crate::undo::kept(state, observed) {
        let reason = format!("kept by order of {}: {}", order.by, order.reason);
        return judged(Verdict::Legitimate, vec![reason]);
    }
    let origin = origin_of(state, observed);
    // What a record says goes before what somebody remembers.
    let told = origin.is_some_and(|change| change.by != Origin::Unknown);
    if !told && let Some((by, at, owners)) = crate::errands::owner_said(state, observed) {
        let when = at.strftime("%Y-%m-%d %H:%M:%S UTC");
        let (verdict, whose) = if owners {
            (Verdict::Legitimate, "it is the owner's")
        } else {
            (Verdict::Foothold, "it is not the owner's")
        };
        return judged(verdict, vec![format!("{by} says on {when} that {whose}")]);
    }
    if let Some((verdict, reasons)) =
        settings::judge(state, observed).or_else(|| reset::judge(state, observed))
    {
        return judged(verdict, reasons);
    }
    if let Some(change) = origin {
        match change.by {
            Origin::Attacker => {
                return judged(Verdict::Foothold, told_by("the attacker", change));
            }
            Origin::User => return judged(Verdict::Legitimate, told_by("the user", change)),
            Origin::Responder => return judged(Verdict::Legitimate, told_by("us", change)),
            // Somebody gave it lately, and nobody knows whether in good faith.
            Origin::Unknown if matches!(observed.facts, Facts::Role { .. }) => {
                return judged(Verdict::Unclear, told_by("somebody", change));
            }
            Origin::Unknown => {}
        }
    }
    if let Some(reason) = appeared_while_blocked(state, observed) {
        return judged(Verdict::Foothold, vec![reason]);
    }
    let (verdict, reasons) = by_what_it_does(state, &observed.facts);
    judged(verdict, reasons)
}

fn told_by(who: &str, change: &Change) -> Vec<String> {
    let mut reasons = vec![format!(
        "made by {who} on {}: {} (record {})",
        change.at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        change.operation,
        change.record
    )];
    reasons.extend(change.reasons.iter().cloned());
    reasons
}

/// The last change in the logs that made this object what it is.
fn origin_of<'a>(state: &'a State, observed: &Observed) -> Option<&'a Change> {
    let (_, analysis) = state.analysis.as_ref()?;
    let candidates: Vec<&Change> = analysis
        .changes
        .iter()
        .filter(|change| {
            identity::is_of_kind(change.kind, observed.object.kind)
                && (names(change, observed) || identity::tells_of(state, change, observed))
        })
        .filter(|change| {
            !matches!(
                observed.object.kind,
                ObjectKind::MailboxRight | ObjectKind::FolderRight
            ) || rights::gives(state, change, observed)
        })
        .filter(|change| !mailbox::tells_of_another(change, observed))
        .filter(|change| !identity::gives_to_another(state, change, observed))
        .collect();
    if let Facts::Forwarding { .. } = observed.facts {
        return mailbox::forwarding_origin(&candidates, &observed.facts);
    }
    // Two objects may carry one name. Where some of the records also tell what
    // the object does, only those count.
    let marks = marks(&observed.facts);
    let told: Vec<&Change> = candidates
        .iter()
        .copied()
        .filter(|change| {
            !marks.is_empty() && marks.iter().all(|mark| change.parameters.contains(mark))
        })
        .collect();
    let pool = match (&observed.facts, told.is_empty()) {
        // A right is known by which it is: a record of another tells nothing of it.
        (Facts::MailboxRight { .. }, true) => return None,
        (_, true) => candidates,
        (_, false) => told,
    };
    pool.into_iter().max_by_key(|change| (change.at, change.by))
}

fn names(change: &Change, observed: &Observed) -> bool {
    let known: Vec<String> = known_as(observed);
    change
        .ids
        .iter()
        .any(|id| known.iter().any(|name| name.eq_ignore_ascii_case(id)))
}

fn known_as(observed: &Observed) -> Vec<String> {
    let mut known = vec![observed.object.id.clone()];
    known.extend(observed.object.name.clone());
    match &observed.facts {
        Facts::InboxRule { name, aliases, .. } | Facts::SweepRule { name, aliases, .. } => {
            known.push(name.clone());
            known.extend(aliases.iter().cloned());
        }
        Facts::Grant {
            client,
            app_id,
            app_name,
            ..
        } => {
            known.push(client.clone());
            known.extend(app_id.clone());
            known.extend(app_name.clone());
        }
        // Never by its type alone: a record about the owner's phone must not
        // vouch for the attacker's.
        Facts::Method { detail, .. } => known.extend(detail.clone()),
        Facts::Device { identifier, .. } => known.extend(identifier.clone()),
        Facts::App { app_id, .. } => known = vec![observed.object.id.clone(), app_id.clone()],
        // Its name is the app's, and of the app others tell too.
        Facts::AppRole { .. } => known = vec![observed.object.id.clone()],
        Facts::MailboxRight { holder, .. } | Facts::FolderRight { holder, .. } => {
            known.extend(rights::names_of(holder));
        }
        // Records name the role and the member, never the assignment (reference §7.3).
        Facts::Role { role, .. } => known = vec![observed.object.id.clone(), role.clone()],
        // Known by its value, or judged value by value; or no thing that anybody makes.
        Facts::Opened { .. }
        | Facts::Forwarding { .. }
        | Facts::Keeping { .. }
        | Facts::AutoReply { .. }
        | Facts::JunkLists { .. }
        | Facts::MailProtocols { .. }
        | Facts::MobilePartnership { .. }
        | Facts::ResetAttribute { .. }
        | Facts::SendingBlock { .. } => {}
    }
    known.retain(|name| !name.is_empty());
    known
}

/// What a record about this object would have to mention.
fn marks(facts: &Facts) -> Vec<String> {
    match facts {
        Facts::InboxRule {
            forwards_to,
            moves_to,
            ..
        } => forwards_to
            .iter()
            .chain(moves_to.iter())
            .map(|mark| mark.to_lowercase())
            .collect(),
        Facts::MailboxRight { right, .. } => vec![right.mark().to_owned()],
        Facts::SweepRule { sender, .. } => vec![sender.to_lowercase()],
        _ => Vec::new(),
    }
}

/// While we keep the account blocked, its owner can make nothing: what was not
/// in the first snapshot, or has become another thing since, is the attacker's.
///
/// An app is the tenant's, not the account's: others may add one at any time, and assign
/// it to the account.
fn appeared_while_blocked(state: &State, observed: &Observed) -> Option<String> {
    // Others go on working in a mailbox that several people open.
    if matches!(
        observed.object.kind,
        ObjectKind::ServicePrincipal | ObjectKind::AppRole
    ) || observed.object.mailbox.is_some()
    {
        return None;
    }
    let blocked_at = state.contained_since()?;
    let first = state
        .snapshots
        .iter()
        .find(|snapshot| snapshot.at >= blocked_at && looked_at(snapshot, observed.object.kind))?;
    let latest = state.snapshot()?;
    // What was seen in part says nothing about what became of it since.
    if first.snapshot == latest.snapshot || !looked_at(latest, observed.object.kind) {
        return None;
    }
    let before = first
        .objects
        .iter()
        .find(|seen| seen.object.id == observed.object.id);
    match before {
        Some(seen) if seen.digest == observed.digest || is_same(&seen.facts, &observed.facts) => {
            None
        }
        Some(_) => Some(format!(
            "changed after sign-in was blocked at {}, when its owner could change nothing",
            blocked_at.strftime("%H:%M:%S UTC")
        )),
        None => Some(format!(
            "not there when sign-in was blocked at {}, and its owner could make nothing since",
            blocked_at.strftime("%H:%M:%S UTC")
        )),
    }
}

/// Whether an object is what it was before. Which method is the default, and who the
/// recipient of a forwarding is, comes from a read of its own, which may fail in one
/// snapshot and not in the other: that makes no other object of it.
fn is_same(before: &Facts, now: &Facts) -> bool {
    let (mut before, mut now) = (before.clone(), now.clone());
    rights::without_holder(&mut before);
    rights::without_holder(&mut now);
    match (&mut before, &now) {
        (Facts::Method { default, .. }, Facts::Method { default: now, .. }) => *default = *now,
        (Facts::Forwarding { target, .. }, Facts::Forwarding { target: now, .. })
            if target.is_none() || now.is_none() =>
        {
            target.clone_from(now);
        }
        _ => {}
    }
    before == now
}

/// The mailboxes besides its own that the account could open or send as, by address
/// (S2.5): as the last snapshot that asked for them has it.
pub fn reached(state: &State) -> Vec<&str> {
    state
        .snapshots
        .iter()
        .rev()
        .map(|snapshot| {
            snapshot
                .objects
                .iter()
                .filter_map(|observed| match &observed.facts {
                    Facts::Opened { address, .. } => Some(address.as_str()),
                    _ => None,
                })
                .collect::<Vec<_>>()
        })
        .find(|addresses| !addresses.is_empty())
        .unwrap_or_default()
}

/// The log that tells of rules and forwarding, and beside others of consents.
pub const UNIFIED_AUDIT: &str = "unified audit log";
/// What the unified audit log kept from before the first window (S6.8).
pub const EARLIER_AUDIT: &str = "unified audit log, earlier";
/// What the message trace kept from before the first window (S6.8).
pub const EARLIER_TRACE: &str = "message trace, earlier";
/// The log that tells of methods that were registered for the account.
pub const AUDITS_ABOUT: &str = "directory audits about the account";
/// The log that tells of consents that the account gave.
pub const AUDITS_BY: &str = "directory audits by the account";

/// An object of which no record says whose it is, while the log that would say so
/// could not be read whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Undecided {
    /// The object.
    pub object: ObjectRef,
    /// Which log, and why it could not be read.
    pub why: String,
    /// Whether that log is closed for good, so that only a person can say.
    pub closed: bool,
}

/// Every object of which nobody can say whose it is, for want of a log. "No record" is an
/// answer only where somebody looked (product, tenet 7). Whose the owner says it is, it
/// is not here.
pub fn undecided(state: &State) -> Vec<Undecided> {
    let (Some((_, analysis)), Some(snapshot)) = (&state.analysis, state.snapshot()) else {
        return Vec::new();
    };
    let unread = |log: &&str| {
        let source = analysis
            .sources
            .iter()
            .find(|source| source.name == **log)?;
        let why = source.why.as_deref().unwrap_or("no reason is known");
        (source.looked != crate::event::Looked::Whole).then(|| {
            let why = format!("the {log} could not be read: {why}");
            (why, crate::errands::is_closed(source))
        })
    };
    snapshot
        .objects
        .iter()
        .filter(|observed| !is_empty(&observed.facts))
        .filter(|observed| crate::undo::kept(state, observed).is_none())
        .filter_map(|observed| {
            let origin = origin_of(state, observed);
            let untold = origin.is_none_or(|change| change.by == Origin::Unknown);
            let open = match settings::leaves_open(state, observed)
                .or_else(|| reset::leaves_open(state, observed))
            {
                Some(open) => open,
                None => untold && needs_record(state, &observed.facts),
            };
            // A verified publisher vouches for an app, and not for who let it in: where no
            // log can ever tell, its owner is asked about everything that reaches mail.
            let asked_anyway = untold && reaches_anything(&observed.facts);
            if !open && !asked_anyway {
                return None;
            }
            let mut logs: Vec<&str> = match observed.object.kind {
                ObjectKind::Method | ObjectKind::ResetAttributes => vec![AUDITS_ABOUT],
                ObjectKind::OauthGrant => vec![AUDITS_ABOUT, AUDITS_BY, UNIFIED_AUDIT],
                ObjectKind::Device
                | ObjectKind::ServicePrincipal
                | ObjectKind::AppRole
                | ObjectKind::DirectoryRole => {
                    vec![AUDITS_ABOUT, AUDITS_BY]
                }
                _ => vec![UNIFIED_AUDIT],
            };
            // A record of the making says whose only beside the sign-ins.
            if origin.is_some() {
                logs.extend(&LOGS_FOR_JUDGEMENT[..2]);
            }
            let found: Vec<(String, bool)> = logs.iter().filter_map(unread).collect();
            // What merely failed is read again first.
            let (why, closed) = found
                .iter()
                .find(|(_, closed)| !closed)
                .or_else(|| found.first())?
                .clone();
            if !open && !closed {
                return None;
            }
            let answered = closed && crate::errands::owner_said(state, observed).is_some();
            (!answered).then(|| Undecided {
                object: observed.object.clone(),
                why,
                closed,
            })
        })
        .collect()
}

/// Whether it is an outsider's app that reaches mail or files in the owner's name.
fn reaches_anything(facts: &Facts) -> bool {
    matches!(facts, Facts::Grant { first_party: false, scopes, .. }
        if scopes.iter().any(|scope| reaches_mail_or_files(scope)))
}

/// Whether what an object does leaves open whose it is.
fn needs_record(state: &State, facts: &Facts) -> bool {
    match facts {
        Facts::InboxRule {
            moves_to,
            marks_read,
            ..
        } if moves_to.is_some() || *marks_read => true,
        Facts::SweepRule { .. } => true,
        facts => by_what_it_does(state, facts).0 == Verdict::Unclear,
    }
}

fn looked_at(snapshot: &crate::event::Snapshot, kind: ObjectKind) -> bool {
    use crate::event::Looked;
    let source = source_of(kind);
    snapshot
        .sources
        .iter()
        .any(|read| read.name == source && read.looked == Looked::Whole)
}

/// The name of the snapshot source that shows objects of this kind.
pub fn source_of(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Method => "authentication methods",
        ObjectKind::InboxRule => "inbox rules",
        ObjectKind::MailboxForwarding | ObjectKind::Mailbox => "mailbox forwarding",
        ObjectKind::OauthGrant => "app consents",
        ObjectKind::SweepRule => "sweep rules",
        ObjectKind::MailboxRight => "rights on the mailbox",
        ObjectKind::FolderRight => "rights on folders",
        ObjectKind::AutoReply => "automatic reply",
        ObjectKind::JunkLists => "safe senders and junk lists",
        ObjectKind::MailProtocols => "mail protocols",
        ObjectKind::MobilePartnership => "mobile devices",
        ObjectKind::SendingBlock => "block from sending",
        ObjectKind::Device => "registered devices",
        ObjectKind::AppRole => "app roles",
        ObjectKind::ServicePrincipal => "apps with application permissions",
        ObjectKind::DirectoryRole => "directory roles",
        ObjectKind::ResetAttributes => "attributes for self-service reset",
        _ => "account",
    }
}

fn by_what_it_does(state: &State, facts: &Facts) -> (Verdict, Vec<String>) {
    match facts {
        // Reference §2.2 and step S4.2: with an unknown origin a method goes,
        // except a key that its owner holds in the hand.
        Facts::Method { method, .. } if state.restored_at.is_none() => {
            if is_password(method) {
                (
                    Verdict::Legitimate,
                    vec!["a password is reset, not removed".to_owned()],
                )
            } else if is_key_in_hand(method) {
                (
                    Verdict::Unclear,
                    vec!["no record says who registered this key; its owner holds it in the hand: ask".to_owned()],
                )
            } else if crate::acquit::logs_are_clean(state) {
                (
                    Verdict::Unclear,
                    vec!["no record says who registered it, and the logs, read whole, show nobody but the account's owner".to_owned()],
                )
            } else {
                (
                    Verdict::Foothold,
                    vec!["no record says who registered it; unknown goes, and its owner registers it again".to_owned()],
                )
            }
        }
        Facts::Method { .. } => (
            Verdict::Legitimate,
            vec!["registered after sign-in was given back".to_owned()],
        ),
        Facts::InboxRule {
            forwards_to,
            deletes,
            hidden,
            moves_to,
            marks_read,
            ..
        } => {
            let outside: Vec<&String> = forwards_to
                .iter()
                .filter(|address| is_outside(state, address))
                .collect();
            if !outside.is_empty() {
                (
                    Verdict::Unclear,
                    vec![format!(
                        "forwards outside to {}, and no record says who made it",
                        join(&outside)
                    )],
                )
            } else if *deletes {
                (
                    Verdict::Unclear,
                    vec!["deletes mail, and no record says who made it".to_owned()],
                )
            } else if *hidden && (moves_to.is_some() && *marks_read) {
                (
                    Verdict::Unclear,
                    vec![
                        "hidden, moves mail and marks it read, and no record says who made it"
                            .to_owned(),
                    ],
                )
            } else {
                (Verdict::Legitimate, vec!["no record says who made it, and what it does hides nothing and sends nothing outside".to_owned()])
            }
        }
        Facts::Forwarding { .. } => mailbox::forwarding(state, facts),
        Facts::SweepRule {
            sender,
            keep_days,
            keep_latest,
            ..
        } => mailbox::sweep(sender, *keep_days, *keep_latest),
        Facts::Opened { .. } => (
            Verdict::Legitimate,
            vec!["a mailbox that the account opens".to_owned()],
        ),
        Facts::MailboxRight { right, holder } => rights::by_holder(right.words(), holder),
        Facts::FolderRight { .. } => rights::folder(facts),
        // No foothold; or judged value by value, by [`settings::judge`].
        Facts::Keeping { .. }
        | Facts::AutoReply { .. }
        | Facts::JunkLists { .. }
        | Facts::MailProtocols { .. }
        | Facts::MobilePartnership { .. }
        | Facts::ResetAttribute { .. }
        | Facts::SendingBlock { .. } => (Verdict::Legitimate, Vec::new()),
        Facts::Grant {
            first_party,
            verified_publisher,
            scopes,
            ..
        } => {
            if *first_party {
                (Verdict::Legitimate, vec!["Microsoft's own app".to_owned()])
            } else if !verified_publisher && scopes.iter().any(|scope| reaches_mail_or_files(scope))
            {
                (Verdict::Unclear, vec!["reaches mail or files for an app whose publisher is not verified, and no record says who consented".to_owned()])
            } else {
                (
                    Verdict::Legitimate,
                    vec![
                        "no record says who consented; publisher verified or scopes harmless"
                            .to_owned(),
                    ],
                )
            }
        }
        Facts::Device { .. } => identity::device(state, facts),
        Facts::AppRole { created, .. } => identity::app_role(state, *created),
        Facts::App { .. } => identity::app(state, facts),
        Facts::Role { .. } => identity::role(state),
    }
}

fn join(addresses: &[&String]) -> String {
    let texts: Vec<&str> = addresses.iter().map(|text| text.as_str()).collect();
    texts.join(", ")
}

fn is_password(method: &str) -> bool {
    method.eq_ignore_ascii_case("passwordAuthenticationMethod")
}

/// Bound to a thing that its owner holds: security key, Windows Hello, platform key.
fn is_key_in_hand(method: &str) -> bool {
    [
        "fido2AuthenticationMethod",
        "windowsHelloForBusinessAuthenticationMethod",
        "platformCredentialAuthenticationMethod",
    ]
    .iter()
    .any(|key| method.eq_ignore_ascii_case(key))
}

/// Whether an address lies outside the domains that the account itself uses.
pub fn is_outside(state: &State, address: &str) -> bool {
    let Some((_, domain)) = address.rsplit_once('@') else {
        // An Exchange-internal name such as `/o=ExchangeLabs/…`.
        return false;
    };
    let Some(account) = &state.account else {
        return true;
    };
    let own = account
        .addresses
        .iter()
        .chain([&account.upn])
        .chain(account.mail.as_ref());
    !own.filter_map(|address| address.rsplit_once('@'))
        .any(|(_, own)| own.eq_ignore_ascii_case(domain))
}

/// Scopes that give mail, files or lasting access to them (reference §5).
pub fn reaches_mail_or_files(scope: &str) -> bool {
    const REACH: [&str; 11] = [
        "mail.",
        "mailboxsettings.readwrite",
        "mailboxitem.",
        "imap.accessasuser.all",
        "pop.accessasuser.all",
        "smtp.send",
        "ews.accessasuser.all",
        "full_access_as_app",
        "files.read",
        "sites.",
        "directory.accessasuser.all",
    ];
    let scope = scope.to_ascii_lowercase();
    REACH.iter().any(|reach| scope.starts_with(reach))
}

/// What this object would be among the artefacts.
fn artefact_of(state: &State, facts: &Facts) -> Option<ArtefactId> {
    match facts {
        Facts::Method { method, .. } if is_password(method) => None,
        Facts::Method {
            method, default, ..
        } => Some(identity::method_artefact(method, *default)),
        Facts::Device { .. } => Some(ArtefactId::REGISTERED_DEVICE),
        Facts::AppRole { .. } => Some(ArtefactId::APP_ROLE),
        Facts::ResetAttribute { .. } => Some(ArtefactId::RESET_ATTRIBUTES),
        Facts::App { .. } => Some(ArtefactId::MALICIOUS_APP),
        Facts::Role { .. } => Some(ArtefactId::DIRECTORY_ROLE),
        Facts::InboxRule { name, .. } if mailbox::is_called_like_the_systems(name) => {
            Some(ArtefactId::DISGUISED_RULE)
        }
        Facts::InboxRule { hidden: true, .. } => Some(ArtefactId::HIDDEN_RULE),
        Facts::InboxRule { forwards_to, .. }
            if forwards_to.iter().any(|address| is_outside(state, address)) =>
        {
            Some(ArtefactId::FORWARDING_RULE)
        }
        Facts::InboxRule { .. } => Some(ArtefactId::HIDING_RULE),
        // The one that counts, of the two fields (reference §6.2).
        Facts::Forwarding {
            address: Some(_), ..
        } => Some(ArtefactId::CONTACT_FORWARDING),
        Facts::Forwarding { .. } => Some(ArtefactId::SMTP_FORWARDING),
        Facts::MailboxRight { right, .. } => Some(rights::artefact_of(*right)),
        Facts::FolderRight {
            folder_type,
            holder,
            ..
        } => Some(rights::folder_artefact(folder_type, holder)),
        Facts::SweepRule { .. } => Some(ArtefactId::SWEEP_RULE),
        Facts::AutoReply { .. } => Some(ArtefactId::AUTO_REPLY),
        Facts::JunkLists { .. } => Some(ArtefactId::JUNK_LISTS),
        Facts::MailProtocols { .. } => Some(ArtefactId::MAIL_PROTOCOLS),
        Facts::MobilePartnership { .. } => Some(ArtefactId::MOBILE_PARTNERSHIP),
        Facts::SendingBlock { .. } => Some(ArtefactId::SENDING_BLOCK),
        Facts::Grant { .. } => Some(ArtefactId::DELEGATED_GRANT),
        Facts::Keeping { .. } | Facts::Opened { .. } => None,
    }
}
