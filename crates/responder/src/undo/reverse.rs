//! The way back of each kind of action: what is sent, and what shows that the object
//! is as it was. One arm each.

use retake_playbook::event::{Facts, Observed, is_standing_entry};
use retake_playbook::judge::{JunkList, junk_entries, reopened, restored_values};
use retake_playbook::undo::{CannotUndo, content, sign_in_without};
use retake_playbook::{ActionKind, ObjectKind};
use retake_tenant::client::Giving;
use retake_tenant::model::{
    AppRoleAssignment, AutoReply, ExchangeRule, Forwarding, Grant, Keeping, Mailbox, MessageRule,
    SweepRule,
};
use retake_tenant::{Prepared, Tenant, TenantError};

use super::past::Past;
use crate::act::prepare_right;
use crate::difference::difference;
use crate::observe::rules::content as content_of_rule;
use crate::observe::{Found, content_of, user_key};

/// Why there is no request.
pub(crate) enum NoWay {
    /// The case does not hold what is needed.
    Cannot(CannotUndo),
    /// The request cannot be built.
    Tenant(Box<TenantError>),
}

impl From<TenantError> for NoWay {
    fn from(error: TenantError) -> Self {
        Self::Tenant(Box::new(error))
    }
}

/// The request that takes an action back, from what was saved before it.
pub(crate) fn prepare_reverse(tenant: &Tenant, past: &Past<'_>) -> Result<Prepared, NoWay> {
    let planned = &past.action.planned;
    // What lay in another mailbox comes back there.
    let user = match &planned.object.mailbox {
        Some(mailbox) => mailbox.clone(),
        None => user_key(past.state).unwrap_or_default(),
    };
    match planned.kind {
        ActionKind::BlockSignIn | ActionKind::RestoreSignIn => {
            match sign_in_without(past.state, planned.action) {
                Some(false) => Ok(tenant.prepare_block(&user)?),
                _ => Ok(tenant.prepare_unblock(&user)?),
            }
        }
        ActionKind::RemoveInboxRule
        | ActionKind::RemoveHiddenRule
        | ActionKind::RemoveRuleInExchange => {
            // Through Graph where the case has Graph's form of it: that leaves the
            // mailbox's client-side rules alone (reference §0.6).
            if planned.kind == ActionKind::RemoveInboxRule
                && let Some(mut rule) = graph_rule(past)
            {
                if is_nameless(rule.display_name.as_deref()) {
                    rule.display_name = Some(NAMELESS.to_owned());
                }
                return Ok(tenant.prepare_create_graph_rule(&user, &rule)?);
            }
            let mut row = exchange_rule(past).ok_or_else(|| not_saved(past, "the rule"))?;
            if is_nameless(row.name.as_deref()) {
                row.name = Some(NAMELESS.to_owned());
            }
            Ok(tenant.prepare_create_inbox_rule(&user, &row)?)
        }
        ActionKind::ClearForwarding => {
            let saved = forwarding(past).ok_or_else(|| not_saved(past, "the forwarding"))?;
            Ok(tenant.prepare_set_forwarding(&user, &saved)?)
        }
        ActionKind::RaiseRetention => {
            let was = keeping(past).ok_or_else(|| not_saved(past, "the retention time"))?;
            let was = Keeping {
                litigation_hold: None,
                ..was
            };
            Ok(tenant.prepare_set_keeping(&user, was)?)
        }
        ActionKind::HoldMailbox => {
            let was = Keeping {
                litigation_hold: Some(false),
                ..Keeping::default()
            };
            Ok(tenant.prepare_set_keeping(&user, was)?)
        }
        ActionKind::RemoveGrant => {
            let grant: Grant = past
                .row_named("id")
                .ok_or_else(|| not_saved(past, "the consent"))?;
            Ok(tenant.prepare_create_grant(&grant)?)
        }
        ActionKind::RemoveAppRole => {
            let held: AppRoleAssignment = past
                .row_named("id")
                .ok_or_else(|| not_saved(past, "the app role"))?;
            Ok(tenant.prepare_create_app_role(&user, &held)?)
        }
        ActionKind::RestoreResetAttribute => match past.facts() {
            Some(Facts::ResetAttribute { attribute, values }) => {
                Ok(set_reset_attribute(tenant, &user, attribute, values)?)
            }
            _ => Err(not_saved(past, "the attribute")),
        },
        ActionKind::RemoveMailboxRight => {
            let Some(Facts::MailboxRight { right, holder }) = past.facts() else {
                return Err(not_saved(past, "the right"));
            };
            Ok(prepare_right(tenant, &user, *right, holder, Giving::Give)?)
        }
        ActionKind::RemoveFolderRight => {
            let Some(Facts::FolderRight {
                folder,
                rights,
                sharing,
                holder,
                ..
            }) = past.facts()
            else {
                return Err(not_saved(past, "the right"));
            };
            let who = holder.shown.as_str();
            Ok(if is_standing_entry(who) {
                tenant.prepare_set_folder_right(&user, folder, who, rights)?
            } else {
                let who = holder.unmistakable();
                tenant.prepare_give_folder_right(&user, folder, who, rights, sharing)?
            })
        }
        ActionKind::DisableApp => Ok(tenant.prepare_enable_app(past.id())?),
        ActionKind::RemoveRole => match past.facts() {
            Some(Facts::Role {
                role,
                scope,
                principal,
                ..
            }) => Ok(tenant.prepare_give_role(principal, role, scope)?),
            _ => Err(not_saved(past, "the role")),
        },
        ActionKind::DisableDevice => Ok(tenant.prepare_enable_device(past.id())?),
        ActionKind::RemoveSweepRule => {
            let rule: SweepRule = past
                .row_named("Identity")
                .ok_or_else(|| not_saved(past, "the sweep rule"))?;
            Ok(tenant.prepare_create_sweep_rule(&user, &rule)?)
        }
        ActionKind::SwitchOffAutoReply => {
            let reply = auto_reply(past).ok_or_else(|| not_saved(past, "the automatic reply"))?;
            Ok(tenant.prepare_set_auto_reply(&user, &reply)?)
        }
        ActionKind::RemoveJunkEntries => {
            let lists = junk_removed(past);
            if lists.is_empty() {
                return Err(not_saved(past, "which entries were removed"));
            }
            Ok(tenant.prepare_change_junk_lists(&user, &lists, true)?)
        }
        ActionKind::RestoreProtocols => {
            let switches = switched(past);
            if switches.is_empty() {
                return Err(not_saved(past, "which protocols were on"));
            }
            Ok(tenant.prepare_set_protocols(&user, &switches)?)
        }
        ActionKind::RevokeSessions
        | ActionKind::ResetPassword
        | ActionKind::RemovePartnership
        | ActionKind::LiftSendingBlock
        | ActionKind::ChooseDefaultMethod
        | ActionKind::RemoveMethod => {
            // The catalogue has no way back for them, and they are never planned.
            Err(not_saved(past, "a way back"))
        }
    }
}

/// What a reading of the objects of the kind says about an undo.
#[derive(Default)]
pub(crate) struct Shown {
    /// The object that is there again.
    pub(crate) object: Option<String>,
    /// What is there instead and was not made by this case: nothing is sent then.
    pub(crate) in_the_way: Option<String>,
    /// What is not as it was, in words.
    pub(crate) differs: Vec<String>,
}

/// Whether the tenant shows the object as it was before the action. By what it is and
/// does, because an object that is made again has another id.
pub(crate) fn shows_reversed(past: &Past<'_>, seen: &[Found]) -> Shown {
    let planned = &past.action.planned;
    match planned.kind {
        ActionKind::RemoveInboxRule
        | ActionKind::RemoveHiddenRule
        | ActionKind::RemoveRuleInExchange => rule(past, seen),
        ActionKind::RemoveGrant => grant(past, seen),
        // A right has no id of its own: the same one to the same holder is the right.
        ActionKind::RemoveMailboxRight => Shown {
            object: seen
                .iter()
                .find(|found| found.object().id == past.id())
                .map(|found| found.object().id.clone()),
            ..Shown::default()
        },
        // An entry has no id either: the same rights of the same holder on the same folder.
        ActionKind::RemoveFolderRight => folder_right(past, seen),
        ActionKind::ClearForwarding => setting(past, seen, |facts| {
            matches!(
                facts,
                Facts::Forwarding {
                    smtp: None,
                    address: None,
                    ..
                }
            )
        }),
        ActionKind::RaiseRetention => kept(past, seen, |facts| match facts {
            Facts::Keeping {
                retain_days,
                single_item_recovery,
                ..
            } => (*retain_days, *single_item_recovery),
            _ => (None, None),
        }),
        ActionKind::HoldMailbox => kept(past, seen, |facts| match facts {
            Facts::Keeping {
                litigation_hold, ..
            } => *litigation_hold,
            _ => None,
        }),
        ActionKind::RemoveSweepRule => sweep_rule(past, seen),
        ActionKind::SwitchOffAutoReply => setting(
            past,
            seen,
            |facts| matches!(facts, Facts::AutoReply { state, .. } if state == "disabled"),
        ),
        ActionKind::RemoveJunkEntries => {
            let removed = junk_removed(past);
            setting(past, seen, |facts| {
                removed.iter().all(|(parameter, entries)| {
                    let held = junk_list(facts, parameter);
                    entries.iter().all(|entry| !held.contains(entry))
                })
            })
        }
        ActionKind::RestoreProtocols => {
            let switched = switched(past);
            setting(past, seen, |facts| {
                switched
                    .iter()
                    .all(|(parameter, was)| protocol(facts, parameter) != *was)
            })
        }
        // Read from the account itself, or without a way back.
        ActionKind::RemovePartnership
        | ActionKind::LiftSendingBlock
        | ActionKind::BlockSignIn
        | ActionKind::RestoreSignIn
        | ActionKind::RevokeSessions
        | ActionKind::ResetPassword
        | ActionKind::RemoveMethod
        | ActionKind::ChooseDefaultMethod => Shown::default(),
        ActionKind::RemoveAppRole => app_role(past, seen),
        ActionKind::RestoreResetAttribute => {
            let left = seen_before(past).and_then(|was| restored_values(past.state, was));
            setting(past, seen, |facts| match (facts, &left) {
                (Facts::ResetAttribute { values, .. }, Some(left)) => *values == left.values,
                _ => false,
            })
        }
        // The same role over the same scope, under whatever id.
        ActionKind::RemoveRole => Shown {
            object: past.facts().and_then(|was| {
                seen.iter()
                    .find(|found| content(found.facts()) == content(was))
                    .map(|found| found.object().id.clone())
            }),
            ..Shown::default()
        },
        ActionKind::DisableDevice | ActionKind::DisableApp => setting(past, seen, |facts| {
            matches!(
                facts,
                Facts::Device { enabled: false, .. } | Facts::App { enabled: false, .. }
            )
        }),
    }
}

/// A setting that every mailbox or account has once: it is as it was, or as the case
/// left it, or somebody changed it since.
fn setting(past: &Past<'_>, seen: &[Found], as_left: impl Fn(&Facts) -> bool) -> Shown {
    let (Some(was), Some(now)) = (
        past.facts(),
        seen.iter().find(|found| {
            found.object().kind == past.action.planned.object.kind && found.object().id == past.id()
        }),
    ) else {
        return Shown::default();
    };
    if content_of(was) == now.content() {
        return Shown {
            object: Some(now.object().id.clone()),
            ..Shown::default()
        };
    }
    Shown {
        in_the_way: (!as_left(now.facts())).then(|| differs(was, now.facts())),
        ..Shown::default()
    }
}

/// How long the mailbox keeps what is deleted, of which each action sets a part:
/// the other's part is none of this one's business.
fn kept<T: PartialEq>(past: &Past<'_>, seen: &[Found], part: impl Fn(&Facts) -> T) -> Shown {
    let own = |found: &&Found| found.object().kind == past.action.planned.object.kind;
    let (Some(was), Some(now)) = (past.facts(), seen.iter().find(own)) else {
        return Shown::default();
    };
    Shown {
        object: (part(was) == part(now.facts())).then(|| now.object().id.clone()),
        ..Shown::default()
    }
}

/// An entry of a folder's list: with the same rights it is as it was, with others
/// somebody set it since.
fn folder_right(past: &Past<'_>, seen: &[Found]) -> Shown {
    let (Some(was), Some(now)) = (
        past.facts(),
        seen.iter().find(|found| found.object().id == past.id()),
    ) else {
        return Shown::default();
    };
    match (was, now.facts()) {
        (
            Facts::FolderRight { rights: was, .. },
            Facts::FolderRight {
                rights: now_held, ..
            },
        ) if was == now_held => Shown {
            object: Some(now.object().id.clone()),
            ..Shown::default()
        },
        (was, held) => Shown {
            in_the_way: Some(differs(was, held)),
            ..Shown::default()
        },
    }
}

fn rule(past: &Past<'_>, seen: &[Found]) -> Shown {
    let row = exchange_rule(past);
    let Some(was) = past.facts() else {
        return Shown::default();
    };
    let nameless = row
        .as_ref()
        .is_some_and(|row| is_nameless(row.name.as_deref()));
    let wanted = match &row {
        Some(row) if nameless => content_of_rule(&ExchangeRule {
            name: Some(NAMELESS.to_owned()),
            ..row.clone()
        }),
        Some(row) => content_of_rule(row),
        None => content_of(was),
    };
    let others = past.others();
    let may_be = |found: &&Found| {
        let own = found.object().id == past.id();
        own || !others.contains(&found.object().id)
    };
    if let Some(found) = seen
        .iter()
        .filter(may_be)
        .find(|found| found.content() == wanted)
    {
        let mut shown = Shown {
            object: Some(found.object().id.clone()),
            ..Shown::default()
        };
        let hidden = |facts: &Facts| matches!(facts, Facts::InboxRule { hidden: true, .. });
        if hidden(was) && !hidden(found.facts()) {
            let words = "it was hidden from Outlook and Graph, and is visible now";
            shown.differs.push(words.to_owned());
        }
        if nameless {
            let words = format!("it had no name, and is called \"{NAMELESS}\" now");
            shown.differs.push(words);
        }
        let place = row.as_ref().and_then(|row| row.priority);
        if let (Some(was), Some(now)) = (place, found.place())
            && was != now
        {
            let words = format!("it stood in place {was} of the order, and stands in {now}");
            shown.differs.push(words);
        }
        return shown;
    }
    let name = |facts: &Facts| match facts {
        Facts::InboxRule { name, .. } if nameless && name == NAMELESS => Some(String::new()),
        Facts::InboxRule { name, .. } => Some(name.clone()),
        _ => None,
    };
    Shown {
        in_the_way: seen
            .iter()
            .filter(may_be)
            .find(|found| name(found.facts()) == name(was))
            .map(|found| differs(was, found.facts())),
        ..Shown::default()
    }
}

fn grant(past: &Past<'_>, seen: &[Found]) -> Shown {
    let Some(was) = past.facts() else {
        return Shown::default();
    };
    let others = past.others();
    let client = |facts: &Facts| match facts {
        Facts::Grant { client, .. } => Some(client.clone()),
        _ => None,
    };
    let candidates: Vec<&Found> = seen
        .iter()
        .filter(|found| found.object().id == past.id() || !others.contains(&found.object().id))
        .filter(|found| client(found.facts()) == client(was))
        .collect();
    let wanted = content_of(was);
    if let Some(found) = candidates.iter().find(|found| found.content() == wanted) {
        return Shown {
            object: Some(found.object().id.clone()),
            ..Shown::default()
        };
    }
    Shown {
        in_the_way: candidates.first().map(|found| differs(was, found.facts())),
        ..Shown::default()
    }
}

/// An app role that is assigned again has another id.
fn app_role(past: &Past<'_>, seen: &[Found]) -> Shown {
    let Some(was) = past.facts() else {
        return Shown::default();
    };
    let others = past.others();
    let wanted = content_of(was);
    Shown {
        object: seen
            .iter()
            .filter(|found| found.object().id == past.id() || !others.contains(&found.object().id))
            .find(|found| found.content() == wanted)
            .map(|found| found.object().id.clone()),
        ..Shown::default()
    }
}

/// The request that sets a property which self-service reset goes by.
pub(crate) fn set_reset_attribute(
    tenant: &Tenant,
    user: &str,
    attribute: &str,
    values: &[String],
) -> Result<Prepared, TenantError> {
    match attribute {
        "otherMails" => tenant.prepare_set_other_mails(user, values),
        "mobilePhone" => tenant.prepare_set_mobile_phone(user, values.first().map(String::as_str)),
        _ => tenant.prepare_set_business_phones(user, values),
    }
}

/// What a rule without a name is called when it is made again: no interface makes one
/// without.
const NAMELESS: &str = "(no name)";

fn is_nameless(name: Option<&str>) -> bool {
    name.is_none_or(|name| name.trim().is_empty())
}

/// A sweep rule that is made again has another id.
fn sweep_rule(past: &Past<'_>, seen: &[Found]) -> Shown {
    let Some(was) = past.facts() else {
        return Shown::default();
    };
    let others = past.others();
    let wanted = content_of(was);
    let candidates = || {
        seen.iter()
            .filter(|found| found.object().kind == ObjectKind::SweepRule)
            .filter(|found| found.object().id == past.id() || !others.contains(&found.object().id))
    };
    if let Some(found) = candidates().find(|found| found.content() == wanted) {
        return Shown {
            object: Some(found.object().id.clone()),
            ..Shown::default()
        };
    }
    let name = |facts: &Facts| match facts {
        Facts::SweepRule { name, .. } => Some(name.clone()),
        _ => None,
    };
    Shown {
        in_the_way: candidates()
            .find(|found| name(found.facts()) == name(was))
            .map(|found| differs(was, found.facts())),
        ..Shown::default()
    }
}

/// The automatic reply as it was; times only where it was scheduled.
fn auto_reply(past: &Past<'_>) -> Option<AutoReply> {
    let mut reply: AutoReply = past.row(|row| row.get("AutoReplyState").is_some())?;
    let scheduled = reply
        .auto_reply_state
        .as_deref()
        .is_some_and(|state| state.eq_ignore_ascii_case("scheduled"));
    if !scheduled {
        (reply.start_time, reply.end_time) = (None, None);
    }
    Some(reply)
}

/// The object as the plan had seen it.
fn seen_before<'a>(past: &Past<'a>) -> Option<&'a Observed> {
    let planned = &past.action.planned;
    past.state
        .snapshots
        .iter()
        .rev()
        .flat_map(|snapshot| &snapshot.objects)
        .find(|seen| {
            seen.object == planned.object && Some(&seen.digest) == planned.observed.as_ref()
        })
}

/// The entries that were taken out of the lists of junk mail.
fn junk_removed(past: &Past<'_>) -> Vec<(&'static str, Vec<String>)> {
    let Some(was) = seen_before(past) else {
        return Vec::new();
    };
    let (removed, _) = junk_entries(past.state, was);
    JunkList::ALL
        .into_iter()
        .map(|list| {
            let of_list = removed.iter().filter(|entry| entry.list == list);
            (
                list.parameter(),
                of_list.map(|entry| entry.entry.clone()).collect::<Vec<_>>(),
            )
        })
        .filter(|(_, entries)| !entries.is_empty())
        .collect()
}

fn junk_list<'a>(facts: &'a Facts, parameter: &str) -> &'a [String] {
    match facts {
        Facts::JunkLists { trusted, .. } if parameter == JunkList::Trusted.parameter() => trusted,
        Facts::JunkLists { blocked, .. } if parameter == JunkList::Blocked.parameter() => blocked,
        Facts::JunkLists {
            trusted_recipients, ..
        } => trusted_recipients,
        _ => &[],
    }
}

/// The protocols that were set back, and what they were before that.
fn switched(past: &Past<'_>) -> Vec<(&'static str, Option<bool>)> {
    let Some(was) = seen_before(past) else {
        return Vec::new();
    };
    reopened(past.state, was)
        .into_iter()
        .map(|one| (one.parameter, protocol(&was.facts, one.parameter)))
        .collect()
}

fn protocol(facts: &Facts, parameter: &str) -> Option<bool> {
    let Facts::MailProtocols {
        imap,
        pop,
        ews,
        smtp_auth_disabled,
    } = facts
    else {
        return None;
    };
    match parameter {
        "ImapEnabled" => *imap,
        "PopEnabled" => *pop,
        "EwsEnabled" => *ews,
        _ => *smtp_auth_disabled,
    }
}

/// In which fields what is there differs from what was there.
fn differs(was: &Facts, now: &Facts) -> String {
    let differences = difference(&content(was), &content(now)).unwrap_or_default();
    format!(
        "somebody made or changed it since this case did: {}. It was left as it is",
        differences.join("; ")
    )
}

fn not_saved(past: &Past<'_>, what: &str) -> NoWay {
    NoWay::Cannot(CannotUndo::NotSaved {
        action: past.action.planned.action,
        why: format!("{what} as it was before is not in the case's evidence"),
    })
}

/// The rule as Exchange listed it before.
fn exchange_rule(past: &Past<'_>) -> Option<ExchangeRule> {
    past.row_named("Identity")
}

/// The rule as Graph listed it before.
fn graph_rule(past: &Past<'_>) -> Option<MessageRule> {
    let Some(Facts::InboxRule {
        graph_id: Some(id), ..
    }) = past.facts()
    else {
        return None;
    };
    past.row(|row| row.get("id").and_then(serde_json::Value::as_str) == Some(id))
}

/// How long the mailbox kept what is deleted, as it was before.
fn keeping(past: &Past<'_>) -> Option<Keeping> {
    let mailbox: Mailbox = past.row(|row| row.get("RetainDeletedItemsFor").is_some())?;
    Some(mailbox.keeping())
}

/// Both forwarding fields as they were before.
fn forwarding(past: &Past<'_>) -> Option<Forwarding> {
    debug_assert_eq!(
        past.action.planned.object.kind,
        ObjectKind::MailboxForwarding
    );
    let mailbox: Mailbox = past.row(|row| row.get("ForwardingSmtpAddress").is_some())?;
    Some(mailbox.forwarding())
}
