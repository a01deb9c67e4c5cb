//! Judging what belongs to the identity: methods, devices.

use jiff::{SignedDuration, Timestamp};

use crate::event::{Change, Facts, Looked, Observed};
use crate::state::State;
use crate::words::{ArtefactId, ObjectKind};

use super::{AUDITS_ABOUT, AUDITS_BY, Verdict};

/// How far apart an object's own time and that of the record about it may lie.
const SAME_ACT: SignedDuration = SignedDuration::from_secs(60);

/// Whether a record tells of the making of this object, although it does not name it:
/// records of methods name their kind only (reference §2.2), so the time has to fit; or,
/// where the service keeps no time, there is one method of that kind and this is the
/// last record of one.
pub(super) fn tells_of(state: &State, change: &Change, observed: &Observed) -> bool {
    match &observed.facts {
        Facts::Method {
            created: Some(created),
            ..
        } => registers(change) && change.at.duration_since(*created).abs() <= SAME_ACT,
        Facts::Method { method, .. } => {
            registers(change) && names_kind(change, method) && of_kind(state, method) == 1
        }
        Facts::Device {
            registered: Some(registered),
            ..
        } => {
            change.kind == ObjectKind::Device
                && registers_device(change)
                && change.at.duration_since(*registered).abs() <= SAME_ACT
        }
        // The record names the app and not the assignment (reference §7.3).
        Facts::AppRole {
            resource, created, ..
        } => {
            matches!(change.kind, ObjectKind::AppRole | ObjectKind::OauthGrant)
                && assigns_to_a_user(change)
                && change
                    .ids
                    .iter()
                    .any(|id| id.eq_ignore_ascii_case(resource))
                && created.is_none_or(|created| change.at.duration_since(created).abs() <= SAME_ACT)
        }
        _ => false,
    }
}

fn assigns_to_a_user(change: &Change) -> bool {
    change
        .operation
        .to_lowercase()
        .contains("add app role assignment grant to user")
}

/// A record of a registration, by its operation or the reason that it gives.
fn registers(change: &Change) -> bool {
    let operation = change.operation.to_lowercase();
    change.kind == ObjectKind::Method
        && (operation.contains("registered security info")
            || operation.starts_with("add fido2")
            || operation.starts_with("add windows hello")
            || operation.starts_with("add passwordless")
            || operation.starts_with("add platform"))
}

fn registers_device(change: &Change) -> bool {
    let operation = change.operation.to_lowercase();
    operation.contains("register device")
        || operation.contains("add device")
        || operation.contains("add registered owner")
}

/// Whether the record says that the method was of this kind.
fn names_kind(change: &Change, method: &str) -> bool {
    let words: &[&str] = match method.to_ascii_lowercase().as_str() {
        "phoneauthenticationmethod" => &["phone"],
        "emailauthenticationmethod" => &["email"],
        "softwareoathauthenticationmethod" => &["with code", "software oath"],
        "hardwareoathauthenticationmethod" => &["hardware"],
        "externalauthenticationmethod" => &["external"],
        _ => return false,
    };
    change.ids.iter().any(|id| {
        let id = id.to_lowercase();
        words.iter().any(|word| id.contains(word))
    })
}

/// Which method is the default, where several are of the kind that is: the one that was
/// made last before the last record of a change of the default; without such a record
/// nobody knows.
pub fn presumed_default(state: &State) -> Option<&Observed> {
    let (_, analysis) = state.analysis.as_ref()?;
    let changed = analysis
        .changes
        .iter()
        .filter(|change| {
            let operation = change.operation.to_lowercase();
            change.kind == ObjectKind::Method
                && (operation.contains("changed default security info")
                    || operation.contains("signinpreferences"))
        })
        .map(|change| change.at)
        .max()?
        .checked_add(SAME_ACT)
        .ok()?;
    let made = |seen: &Observed| match &seen.facts {
        Facts::Method {
            created: Some(created),
            ..
        } => Some(*created),
        _ => analysis
            .changes
            .iter()
            .filter(|change| tells_of(state, change, seen))
            .map(|change| change.at)
            .max(),
    };
    state
        .snapshot()?
        .objects
        .iter()
        .filter(|seen| matches!(seen.facts, Facts::Method { default: true, .. }))
        .filter_map(|seen| Some((made(seen).filter(|made| *made <= changed)?, seen)))
        .max_by_key(|(made, _)| *made)
        .map(|(_, seen)| seen)
}

/// How many methods of this kind the account has.
fn of_kind(state: &State, method: &str) -> usize {
    state.snapshot().map_or(0, |snapshot| {
        snapshot
            .objects
            .iter()
            .filter(|seen| {
                matches!(&seen.facts, Facts::Method { method: other, .. } if other.eq_ignore_ascii_case(method))
            })
            .count()
    })
}

/// A device of which no record says who registered it.
pub(super) fn device(state: &State, facts: &Facts) -> (Verdict, Vec<String>) {
    let Facts::Device { registered, .. } = facts else {
        return (Verdict::Unclear, Vec::new());
    };
    let first_bad = state
        .analysis
        .as_ref()
        .and_then(|(_, analysis)| analysis.first_known_bad);
    match (registered, first_bad) {
        (Some(registered), Some(bad)) if *registered < bad => (
            Verdict::Legitimate,
            vec![format!(
                "registered on {}, before the first event known to be the attacker's",
                registered.strftime("%Y-%m-%d %H:%M UTC")
            )],
        ),
        (Some(registered), None) => (
            Verdict::Legitimate,
            vec![format!(
                "registered on {}, and no event is known to be an attacker's",
                registered.strftime("%Y-%m-%d %H:%M UTC")
            )],
        ),
        (Some(registered), Some(_)) => (
            Verdict::Unclear,
            vec![format!(
                "registered on {}, when a stranger was in the account, and no record says by whom: ask its owner",
                registered.strftime("%Y-%m-%d %H:%M UTC")
            )],
        ),
        (None, _) => (
            Verdict::Unclear,
            vec!["nobody knows when it was registered or by whom: ask its owner".to_owned()],
        ),
    }
}

/// An app role of which no record says who assigned it.
pub(super) fn app_role(state: &State, created: Option<Timestamp>) -> (Verdict, Vec<String>) {
    let first_bad = state
        .analysis
        .as_ref()
        .and_then(|(_, analysis)| analysis.first_known_bad);
    let when = |at: Timestamp| at.strftime("%Y-%m-%d %H:%M UTC");
    match (created, first_bad) {
        (Some(at), Some(bad)) if at >= bad => (
            Verdict::Unclear,
            vec![format!(
                "assigned on {}, when a stranger was in the account, and no record says by whom: ask who looks after the app",
                when(at)
            )],
        ),
        (Some(at), Some(_)) => (
            Verdict::Legitimate,
            vec![format!(
                "assigned on {}, before the first event known to be the attacker's",
                when(at)
            )],
        ),
        (Some(at), None) => (
            Verdict::Legitimate,
            vec![format!(
                "assigned on {}, and no event is known to be an attacker's",
                when(at)
            )],
        ),
        (None, _) => (
            Verdict::Unclear,
            vec![
                "nobody knows when it was assigned or by whom: ask who looks after the app"
                    .to_owned(),
            ],
        ),
    }
}

/// Whether a record of this kind can tell of such an object: what brought an app in is
/// told as a consent, too.
pub(super) fn is_of_kind(told: ObjectKind, object: ObjectKind) -> bool {
    told == object
        || (object == ObjectKind::ServicePrincipal
            && matches!(told, ObjectKind::OauthGrant | ObjectKind::AppRole))
        || (object == ObjectKind::AppRole && told == ObjectKind::OauthGrant)
}

/// An app with permissions of its own of which no record says who let it in. Every
/// tenant has some, and with wide rights: only what was let in while the logs reach can
/// be told, and only by logs that were read.
pub(super) fn app(state: &State, facts: &Facts) -> (Verdict, Vec<String>) {
    if matches!(
        facts,
        Facts::App {
            first_party: true,
            ..
        }
    ) {
        return (Verdict::Legitimate, vec!["Microsoft's own app".to_owned()]);
    }
    let read = |log: &str| {
        state.analysis.as_ref().is_some_and(|(_, analysis)| {
            analysis
                .sources
                .iter()
                .any(|source| source.name == log && source.looked == Looked::Whole)
        })
    };
    if read(AUDITS_ABOUT) && read(AUDITS_BY) {
        (
            Verdict::Legitimate,
            vec!["no record says that this account had anything to do with it, as far back as the logs reach".to_owned()],
        )
    } else {
        (
            Verdict::Unclear,
            vec!["it holds wide permissions of its own, and the log that would tell who let it in was not read".to_owned()],
        )
    }
}

/// Whether a record tells of a role that somebody else was given or lost: those by the
/// account name other members too.
pub(super) fn gives_to_another(state: &State, change: &Change, observed: &Observed) -> bool {
    let Facts::Role { principal, .. } = &observed.facts else {
        return false;
    };
    // One that was taken away and is there was given again, or it is another.
    if change.operation.to_lowercase().starts_with("remove") {
        return true;
    }
    let upn = state.account.as_ref().map(|account| &account.upn);
    !change.ids.iter().any(|id| {
        id.eq_ignore_ascii_case(principal) || upn.is_some_and(|upn| id.eq_ignore_ascii_case(upn))
    })
}

/// A directory role of which no record says who gave it: given before the logs begin, by
/// whoever gives roles, and the account's own.
pub(super) fn role(state: &State) -> (Verdict, Vec<String>) {
    let read = state.analysis.as_ref().is_some_and(|(_, analysis)| {
        analysis
            .sources
            .iter()
            .any(|source| source.name == AUDITS_ABOUT && source.looked == Looked::Whole)
    });
    if read {
        (
            Verdict::Legitimate,
            vec!["given before the logs reach: no record of its assignment is in them".to_owned()],
        )
    } else {
        (
            Verdict::Unclear,
            vec!["the log that would tell who gave it was not read".to_owned()],
        )
    }
}

/// What a method would be among the artefacts.
pub(super) fn method_artefact(method: &str, default: bool) -> ArtefactId {
    if method.eq_ignore_ascii_case("temporaryAccessPassAuthenticationMethod") {
        ArtefactId::TEMPORARY_ACCESS_PASS
    } else if default {
        ArtefactId::DEFAULT_METHOD
    } else {
        ArtefactId::ADDED_METHOD
    }
}

/// The word under which a method can be chosen as the default: passkeys, Hello and
/// access passes cannot (reference §2.2).
pub fn preference(facts: &Facts) -> Option<&'static str> {
    let Facts::Method { method, detail, .. } = facts else {
        return None;
    };
    let phone = |kind: &str| detail.as_deref().is_some_and(|text| text.starts_with(kind));
    match method.to_ascii_lowercase().as_str() {
        "microsoftauthenticatorauthenticationmethod" => Some("push"),
        "softwareoathauthenticationmethod" | "hardwareoathauthenticationmethod" => Some("oath"),
        "phoneauthenticationmethod" if phone("alternateMobile") => Some("voiceAlternateMobile"),
        "phoneauthenticationmethod" if phone("mobile") => Some("sms"),
        "phoneauthenticationmethod" if phone("office") => Some("voiceOffice"),
        _ => None,
    }
}
