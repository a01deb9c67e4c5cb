//! Judging what lies in the account's own mailbox: forwarding to a recipient of the
//! organisation, rules named like the system's, sweep rules.

use super::{Verdict, is_outside};
use crate::event::{Change, Facts, Observed, Origin};
use crate::state::State;
use crate::words::ObjectKind;

/// Whether a record that shares a name with a rule tells of another rule. A name is the
/// attacker's choice: whoever calls a rule as the system calls its own wants the two to
/// be taken for one, and whoever calls it as the user's is called wants the user's gone.
pub(super) fn tells_of_another(change: &Change, observed: &Observed) -> bool {
    let Facts::InboxRule {
        aliases,
        forwards_to,
        moves_to,
        deletes,
        marks_read,
        ..
    } = &observed.facts
    else {
        return false;
    };
    if observed.object.kind != ObjectKind::InboxRule {
        return false;
    }
    let known = || aliases.iter().chain([&observed.object.id]);
    if change
        .ids
        .iter()
        .any(|id| known().any(|alias| alias.eq_ignore_ascii_case(id)))
    {
        return false;
    }
    // Exchange numbers rules; a record that names another number is another rule's.
    let numbered = |id: &str| id.len() >= 8 && id.bytes().all(|digit| digit.is_ascii_digit());
    if change.ids.iter().any(|id| numbered(id)) && known().any(|alias| numbered(alias)) {
        return true;
    }
    // What the record says that the rule does, this rule has to do.
    let says = |parameter: &str| {
        change.parameters.lines().any(|line| {
            line.strip_prefix(parameter)
                .and_then(|value| value.strip_prefix(' '))
                .is_some_and(|value| !value.trim().is_empty() && value.trim() != "false")
        })
    };
    ((says("forwardto") || says("redirectto") || says("forwardasattachmentto"))
        && forwards_to.is_empty())
        || (says("deletemessage") && !deletes)
        || (says("movetofolder") && moves_to.is_none())
        || (says("markasread") && !marks_read)
}

/// Whose a forwarding is: it is known by its value alone, since a record with another
/// value tells of another forwarding. Where any of the two fields still holds what the
/// attacker wrote, all of it is theirs: the field that sleeps wakes when the other is
/// cleared (reference §6.2).
pub(super) fn forwarding_origin<'a>(
    candidates: &[&'a Change],
    facts: &Facts,
) -> Option<&'a Change> {
    let Facts::Forwarding {
        smtp,
        address,
        target,
        ..
    } = facts
    else {
        return None;
    };
    let mut marks: Vec<String> = smtp
        .iter()
        .chain(address.iter())
        .map(|mark| mark.to_lowercase())
        .collect();
    marks.extend(target.iter().flat_map(|target| target.names.clone()));
    // Only what is long enough not to stand in any text.
    marks.retain(|mark| mark.len() > 2);
    candidates
        .iter()
        .copied()
        .filter(|change| marks.iter().any(|mark| change.parameters.contains(mark)))
        .max_by_key(|change| (change.by == Origin::Attacker, change.at, change.by))
}

/// A forwarding of which no record says who set it. `ForwardingAddress` counts before
/// `ForwardingSmtpAddress`, and both are looked at: the one that sleeps is a way out too.
pub(super) fn forwarding(state: &State, facts: &Facts) -> (Verdict, Vec<String>) {
    let Facts::Forwarding {
        smtp,
        address,
        target,
        ..
    } = facts
    else {
        return (Verdict::Legitimate, Vec::new());
    };
    let mut reasons = Vec::new();
    match (address, target) {
        (Some(address), Some(target)) if target.group => reasons.push(format!(
            "forwards all mail to the group \"{address}\", whose members were not looked at, and no record says who set it"
        )),
        (Some(address), Some(target)) => {
            if let Some(outside) = target
                .outside
                .as_ref()
                .filter(|outside| is_outside(state, outside))
            {
                reasons.push(format!(
                    "forwards all mail to the contact \"{address}\", which is {outside} outside, and no record says who set it"
                ));
            }
        }
        (Some(address), None) if is_outside(state, address) => reasons.push(
            "forwards all mail outside, and no record says who set it".to_owned(),
        ),
        (Some(address), None) if !address.contains('@') => reasons.push(format!(
            "forwards all mail to \"{address}\", who could not be looked up, and no record says who set it"
        )),
        _ => {}
    }
    if smtp.iter().any(|to| is_outside(state, to)) {
        reasons.push(if address.is_some() {
            "a forwarding to an address outside sleeps behind the one that counts, and no record says who set it".to_owned()
        } else {
            "forwards all mail outside, and no record says who set it".to_owned()
        });
    }
    if reasons.is_empty() {
        (
            Verdict::Legitimate,
            vec!["forwards inside the organisation".to_owned()],
        )
    } else {
        (Verdict::Unclear, reasons)
    }
}

/// A sweep rule of which no record says who made it. Sweeping after days is what sweep
/// rules are for; sweeping at once hides.
pub(super) fn sweep(
    sender: &str,
    keep_days: Option<u32>,
    keep_latest: Option<u32>,
) -> (Verdict, Vec<String>) {
    if keep_days.is_some_and(|days| days > 1) || (keep_days.is_none() && keep_latest.is_none()) {
        return (
            Verdict::Legitimate,
            vec![format!(
                "no record says who made it; it tidies up old mail of {sender}"
            )],
        );
    }
    (
        Verdict::Unclear,
        vec![format!(
            "takes the mail of {sender} out of sight almost at once, and no record says who made it"
        )],
    )
}

/// Names that Exchange gives its own rules, in the languages that mailboxes have. This
/// only says what a rule pretends to be; whose it is, is told by who made it and by what
/// it does.
pub(super) fn is_called_like_the_systems(name: &str) -> bool {
    const JUNK: [&str; 9] = [
        "junkemailrule",
        "junkemailregel",
        "regelfürjunkemail",
        "règlecourrierindésirable",
        "règledecourrierindésirable",
        "regelvoorongewenstemail",
        "ongewenstemailregel",
        "regladecorreonodeseado",
        "regolapostaindesiderata",
    ];
    let plain: String = name
        .to_lowercase()
        .chars()
        .filter(|letter| letter.is_alphanumeric() || *letter == '.')
        .collect();
    plain.starts_with("microsoft.exchange.oof")
        || JUNK.contains(&plain.as_str())
        || plain == "clutter"
        || plain.starts_with("conversationhistoryrule")
}
