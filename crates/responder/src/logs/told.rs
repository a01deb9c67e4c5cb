//! What the hunt answers, in the words of a case.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use retake_hunt::{By, HowRead};
use retake_playbook::ObjectKind;
use retake_playbook::event::{
    Account, Analysis, Change, Event, FieldChange, Fingerprint, Looked, Mail, Origin, Source,
};

use super::{Log, back};
use crate::case::Case;
use crate::error::ResponderError;

/// Records before a renaming name the account as it was called then: they are
/// about the same account, and are analysed under its present name.
pub(super) fn under_one_name<'a>(
    events: &'a [retake_hunt::Event],
    account: &Account,
) -> Cow<'a, [retake_hunt::Event]> {
    let upn = account.upn.to_lowercase();
    if account
        .addresses
        .iter()
        .all(|address| address.eq_ignore_ascii_case(&upn))
    {
        return Cow::Borrowed(events);
    }
    let mut events = events.to_vec();
    let rename = |name: &mut Option<String>| {
        if let Some(held) = name
            && account
                .addresses
                .iter()
                .any(|address| address.eq_ignore_ascii_case(held))
        {
            held.clone_from(&upn);
        }
    };
    for event in &mut events {
        for name in [
            &mut event.user,
            &mut event.sender,
            &mut event.mailbox,
            &mut event.object,
        ] {
            rename(name);
        }
        for target in &mut event.targets {
            rename(&mut target.upn);
        }
    }
    Cow::Owned(events)
}

pub(super) fn could_not(case: &Case<'_>, quick: bool, why: &str) -> Result<(), ResponderError> {
    case.append(Event::Analysed(Analysis {
        quick,
        verdict: "unknown".to_owned(),
        path: "unknown".to_owned(),
        confidence: 0.0,
        reasons: vec![why.to_owned()],
        first_known_bad: None,
        last_known_bad: None,
        fingerprint: Fingerprint::default(),
        changes: Vec::new(),
        sent: Vec::new(),
        impersonated: Vec::new(),
        read: Vec::new(),
        accounts: Vec::new(),
        sources: Vec::new(),
    }))?;
    Ok(())
}

/// How long after an event its record may take to appear (reference §7.2).
pub(super) const AUDIT_LAG: SignedDuration = SignedDuration::from_mins(90);

pub(super) fn analysis(
    quick: bool,
    answer: retake_hunt::Analysis,
    mut sources: Vec<Source>,
    now: Timestamp,
) -> Analysis {
    for source in &mut sources {
        if source.name == Log::Audit.name() && source.looked == Looked::Whole {
            source.why = Some(format!(
                "events after {} may not be in it yet",
                back(now, AUDIT_LAG)
            ));
        }
    }
    let mut reasons: Vec<String> = answer
        .path_evidence
        .iter()
        .filter(|evidence| evidence.path == answer.path)
        .map(|evidence| match evidence.for_or_against {
            retake_hunt::ForOrAgainst::For => format!("for: {}", evidence.text),
            retake_hunt::ForOrAgainst::Against => format!("against: {}", evidence.text),
        })
        .collect();
    reasons.extend(answer.reasons.iter().map(|reason| reason.text.clone()));
    let blast = answer.blast;
    Analysis {
        quick,
        verdict: answer.verdict.name().to_owned(),
        path: answer.path.name().to_owned(),
        confidence: answer.confidence,
        reasons,
        first_known_bad: answer.first_known_bad,
        last_known_bad: answer.last_known_bad,
        fingerprint: Fingerprint {
            addresses: answer.fingerprint.addresses,
            sessions: answer.fingerprint.sessions,
            user_agents: answer.fingerprint.user_agents,
            apps: answer.fingerprint.apps,
        },
        changes: answer.changes.into_iter().map(change).collect(),
        sent: blast
            .sent
            .into_iter()
            .filter_map(|mail| {
                Some(Mail {
                    message: mail.message_id?,
                    subject: mail.subject.unwrap_or_default(),
                    recipients: mail.recipients,
                    at: mail.at,
                    how: "sent".to_owned(),
                })
            })
            .collect(),
        impersonated: answer
            .impersonated
            .into_iter()
            .map(|mail| Mail {
                message: mail.message_id,
                subject: mail.subject.unwrap_or_default(),
                recipients: mail.recipients,
                at: mail.at,
                how: format!("from outside, {}", mail.address),
            })
            .collect(),
        read: blast
            .read
            .into_iter()
            .filter_map(|mail| {
                Some(Mail {
                    message: mail.message_id?,
                    subject: mail.subject.unwrap_or_default(),
                    recipients: Vec::new(),
                    at: mail.at,
                    how: match mail.how {
                        HowRead::Bind => "bind",
                        HowRead::Sync => "sync",
                        HowRead::Throttled => "throttled",
                    }
                    .to_owned(),
                })
            })
            .collect(),
        accounts: blast
            .accounts
            .into_iter()
            .map(|account| account.user)
            .collect(),
        sources,
    }
}

pub(super) fn change(change: retake_hunt::Change) -> Change {
    let mut ids = change.object_ids;
    ids.extend(change.name);
    let parameters: Vec<String> = change
        .parameters
        .iter()
        .map(|(name, value)| format!("{name} {value}").to_lowercase())
        .collect();
    let fields = if is_setting(change.object_kind) {
        change
            .parameters
            .iter()
            .map(|(name, value)| FieldChange {
                name: name.clone(),
                from: change.was.get(name).cloned(),
                to: value.clone(),
            })
            .collect()
    } else {
        Vec::new()
    };
    Change {
        at: change.at,
        operation: change.operation,
        kind: change.object_kind,
        ids,
        parameters: parameters.join("\n"),
        by: match change.by {
            By::Attacker => Origin::Attacker,
            By::User => Origin::User,
            By::Responder => Origin::Responder,
            By::Unknown => Origin::Unknown,
        },
        reasons: change.reasons,
        record: change.record_id,
        fields,
    }
}

/// Whether the values of this kind of object are judged one by one.
pub(super) const fn is_setting(kind: ObjectKind) -> bool {
    matches!(
        kind,
        ObjectKind::AutoReply
            | ObjectKind::JunkLists
            | ObjectKind::MailProtocols
            | ObjectKind::ResetAttributes
    )
}
