//! People who do with their own rights what the responder may not, or look where it
//! cannot.
//!
//! What a person is told is all that they know: an object that is to go has to stand in
//! the words by its id. Where they look for themselves, the account's owner sits beside
//! them, and everything that is not the owner's goes.

use jiff::Timestamp;
use retake_playbook::ObjectKind;
use serde_json::{Value, json};

use crate::attacker::Foothold;
use crate::company::Company;
use crate::scenario::Role;
use crate::services::exchange::{junk_id, protocol_id};
use crate::world::mail::Forwarding;
use crate::world::mailbox::AutoReply;
use crate::world::rights::Right;
use crate::world::settings::{JunkList, Protocol};
use crate::world::tokens::CutKind;
use crate::world::{Origin, World};

/// The first words of tasks that stand in for a missing right (docs/scenario-format.md).
const REMOVE: &str = "remove_by_hand";
const LOOK: &str = "look_by_hand";
const READ: &str = "read_by_hand";
const ASK: &str = "ask_owner";
const SET: &str = "set_by_hand";

/// Words of tasks that a point and a kind follow.
const WORDS: [&str; 5] = [REMOVE, LOOK, READ, ASK, SET];

/// The two parts of such a task's name.
pub(super) fn parts(task: &str) -> Option<(&str, &str)> {
    let (word, kind) = task.split_once('.')?;
    WORDS.contains(&word).then_some((word, kind))
}

/// The kind of thing that a word means.
fn kind_of(word: &str) -> Option<ObjectKind> {
    Some(match word {
        "method" => ObjectKind::Method,
        "inbox_rule" => ObjectKind::InboxRule,
        "mailbox_forwarding" => ObjectKind::MailboxForwarding,
        "app_consent" => ObjectKind::OauthGrant,
        "sweep_rule" => ObjectKind::SweepRule,
        "automatic_reply" => ObjectKind::AutoReply,
        "junk_lists" => ObjectKind::JunkLists,
        "mail_protocols" => ObjectKind::MailProtocols,
        "mobile_device" => ObjectKind::MobilePartnership,
        "sending_block" => ObjectKind::SendingBlock,
        "device" => ObjectKind::Device,
        "app" => ObjectKind::ServicePrincipal,
        "password" => ObjectKind::Password,
        "app_role" => ObjectKind::AppRole,
        "directory_role" => ObjectKind::DirectoryRole,
        "mailbox_right" => ObjectKind::MailboxRight,
        "folder_right" => ObjectKind::FolderRight,
        "reset_attributes" => ObjectKind::ResetAttributes,
        _ => return None,
    })
}

/// What is the attacker's: the owner, asked, knows what is not theirs.
#[derive(Clone, Copy)]
pub(crate) struct Theirs<'a> {
    /// What it holds.
    pub(crate) footholds: &'a [Foothold],
    /// The messages that it sent in the owner's name.
    pub(crate) sent: &'a [String],
}

/// What a person answers, where the question is not whether.
pub(super) fn answer(
    world: &World,
    company: &Company,
    theirs: &Theirs<'_>,
    task: &str,
    what: &str,
    hollow: bool,
) -> Option<String> {
    let (word, kind) = parts(task)?;
    let Theirs { footholds, sent } = *theirs;
    match word {
        ASK if kind == "sent" => Some(if sent.is_empty() || hollow {
            "none".to_owned()
        } else {
            sent.join("\n")
        }),
        ASK => {
            let kind = kind_of(kind)?;
            let strange = footholds
                .iter()
                .any(|held| held.object.kind == kind && (is_accounts(kind) || named(what, held)));
            // Whoever answers without asking says yes.
            Some(if strange && !hollow { "no" } else { "yes" }.to_owned())
        }
        LOOK => {
            let gone: Vec<String> = strangers(world, company, footholds, kind_of(kind)?)
                .into_iter()
                .map(|held| format!("removed {}", held.object.id))
                .collect();
            Some(if gone.is_empty() || hollow {
                "nothing that is not the owner's".to_owned()
            } else {
                gone.join("\n")
            })
        }
        READ => Some("looked, and nothing is known for sure".to_owned()),
        _ => None,
    }
}

fn is_accounts(kind: ObjectKind) -> bool {
    matches!(kind, ObjectKind::MailboxForwarding | ObjectKind::AutoReply)
}

fn named(what: &str, held: &Foothold) -> bool {
    // The account has several, and each record of one names the account.
    if held.object.kind == ObjectKind::ResetAttributes {
        return what.contains(held.object.id.as_str());
    }
    std::iter::once(&held.object.id)
        .chain(&held.aliases)
        .any(|id| id.len() >= 8 && what.contains(id.as_str()))
}

/// What of this kind is the attacker's and still there.
fn strangers<'a>(
    world: &World,
    company: &Company,
    theirs: &'a [Foothold],
    kind: ObjectKind,
) -> Vec<&'a Foothold> {
    theirs
        .iter()
        .filter(|held| held.object.kind == kind && is_there(world, company, kind, &held.object.id))
        .collect()
}

fn is_there(world: &World, company: &Company, kind: ObjectKind, id: &str) -> bool {
    let me = &company.affected;
    let Some(mailbox) = world.mailboxes.get(me) else {
        return false;
    };
    match kind {
        ObjectKind::Method => world
            .users
            .get(me)
            .is_some_and(|user| user.methods.iter().any(|method| method.id == id)),
        ObjectKind::InboxRule => mailbox.rules.iter().any(|rule| rule.id == id),
        ObjectKind::MailboxForwarding => {
            mailbox.forwarding_smtp.is_some() || mailbox.forwarding_address.is_some()
        }
        ObjectKind::OauthGrant => world.grants.contains_key(id),
        ObjectKind::SweepRule => mailbox.sweep_rules.iter().any(|rule| rule.id == id),
        ObjectKind::MobilePartnership => mailbox.mobile_devices.iter().any(|held| held.id == id),
        ObjectKind::AppRole => world.app_role_assignments.contains_key(id),
        ObjectKind::DirectoryRole => world.roles.iter().any(|held| held.id == id),
        ObjectKind::MailboxRight => rights(world, me).iter().any(|held| held.0 == id),
        ObjectKind::FolderRight => on_folders(world, me).iter().any(|held| held.0 == id),
        ObjectKind::Device => world.devices.get(id).is_some_and(|held| held.enabled),
        ObjectKind::ServicePrincipal => world
            .service_principals
            .get(id)
            .is_some_and(|held| held.enabled),
        _ => true,
    }
}

/// Does it, at the portal or in PowerShell with a session of their own.
pub(super) fn carry_out(
    world: &mut World,
    company: &mut Company,
    now: Timestamp,
    task: &str,
    what: &str,
    theirs: &[Foothold],
) -> Value {
    let mut touched = Vec::new();
    if let Some((word, kind)) = parts(task)
        && let Some(kind) = kind_of(kind)
    {
        let ids: Vec<String> = match word {
            REMOVE => told(world, company, kind, what),
            LOOK => strangers(world, company, theirs, kind)
                .into_iter()
                .map(|held| held.object.id.clone())
                .collect(),
            _ => Vec::new(),
        };
        for id in ids {
            touched.extend(remove(world, company, now, kind, &id));
        }
    }
    if task == "read_by_hand.unified_audit" && !world.tenant.audit_on {
        world.tenant.audit_on = true;
        touched.push(json!({
            "kind": "tenant",
            "id": world.tenant.id,
            "effect": {"kind": "changed", "fields": {"UnifiedAuditLogIngestionEnabled": [false, true]}},
        }));
    }
    json!({"kind": "done", "task": task, "touched": touched})
}

/// The objects of this kind whose ids stand in the words.
fn told(world: &World, company: &Company, kind: ObjectKind, what: &str) -> Vec<String> {
    let me = &company.affected;
    let Some(mailbox) = world.mailboxes.get(me) else {
        return Vec::new();
    };
    let says = |id: &str| what.contains(id);
    match kind {
        ObjectKind::Method => world.users.get(me).map_or_else(Vec::new, |user| {
            let ids = user.methods.iter().map(|method| method.id.clone());
            ids.filter(|id| says(id)).collect()
        }),
        ObjectKind::InboxRule => mailbox
            .rules
            .iter()
            .filter(|rule| says(&rule.id) || says(&mailbox.rule_identity(rule)))
            .map(|rule| rule.id.clone())
            .collect(),
        ObjectKind::OauthGrant => ids(world.grants.keys(), says),
        ObjectKind::SweepRule => mailbox
            .sweep_rules
            .iter()
            .map(|rule| rule.id.clone())
            .filter(|id| says(id))
            .collect(),
        ObjectKind::MobilePartnership => mailbox
            .mobile_devices
            .iter()
            .filter(|held| says(&held.id) || says(&held.identity))
            .map(|held| held.id.clone())
            .collect(),
        ObjectKind::Device => ids(world.devices.keys(), says),
        ObjectKind::ServicePrincipal => ids(world.service_principals.keys(), says),
        ObjectKind::AppRole => ids(world.app_role_assignments.keys(), says),
        ObjectKind::DirectoryRole => ids(world.roles.iter().map(|held| &held.id), says),
        ObjectKind::MailboxRight => rights(world, me)
            .into_iter()
            .map(|(id, ..)| id)
            .filter(|id| says(id))
            .collect(),
        ObjectKind::FolderRight => on_folders(world, me)
            .into_iter()
            .map(|(id, ..)| id)
            .filter(|id| says(id))
            .collect(),
        _ => vec![me.clone()],
    }
}

/// Every right on this mailbox: its id, which, and whose.
fn rights(world: &World, me: &str) -> Vec<(String, Right, String)> {
    [Right::FullAccess, Right::SendAs, Right::SendOnBehalf]
        .into_iter()
        .flat_map(|right| {
            world.holders(me, right).into_iter().map(move |holder| {
                let id = world.right_object(me, right, &holder);
                (id, right, holder)
            })
        })
        .collect()
}

/// Every entry that somebody set on a folder of this mailbox: its id, on which, and whose.
fn on_folders(world: &World, me: &str) -> Vec<(String, String, String)> {
    let Some(mailbox) = world.mailboxes.get(me) else {
        return Vec::new();
    };
    mailbox
        .folder_rights
        .iter()
        .map(|entry| {
            let id = world.folder_object(me, &entry.folder, &entry.holder);
            (id, entry.folder.clone(), entry.holder.clone())
        })
        .collect()
}

fn ids<'a>(keys: impl Iterator<Item = &'a String>, says: impl Fn(&str) -> bool) -> Vec<String> {
    keys.filter(|id| says(id)).cloned().collect()
}

fn remove(
    world: &mut World,
    company: &mut Company,
    now: Timestamp,
    kind: ObjectKind,
    id: &str,
) -> Option<Value> {
    let me = company.affected.clone();
    let identity = company.at_the_portal(world, Role::IdentityAdmin);
    let exchange = company.at_the_portal(world, Role::MailAdmin);
    let effect = match kind {
        ObjectKind::Method => {
            world.delete_method(now, &identity, &me, id);
            json!({"kind": "deleted"})
        }
        ObjectKind::InboxRule => {
            world.delete_rule(now, &exchange, &me, id);
            json!({"kind": "deleted"})
        }
        ObjectKind::MailboxForwarding => {
            let old = world.set_forwarding(now, &exchange, &me, Forwarding::default());
            json!({"kind": "changed", "fields": {
                "ForwardingSmtpAddress": [old.smtp, null],
                "ForwardingAddress": [old.address, null],
            }})
        }
        ObjectKind::OauthGrant => {
            world.delete_grant(now, &identity, id);
            json!({"kind": "deleted"})
        }
        ObjectKind::SweepRule => {
            world.delete_sweep_rule(now, &exchange, &me, id)?;
            json!({"kind": "deleted"})
        }
        ObjectKind::AutoReply => {
            let old = world.set_auto_reply(now, &exchange, &me, AutoReply::default());
            json!({"kind": "changed", "fields": {"AutoReplyState": [if old.enabled { "Enabled" } else { "Disabled" }, "Disabled"]}})
        }
        ObjectKind::JunkLists => {
            let (list, entry) = junk_entry(world, &me, id)?;
            world.remove_junk_entries(now, &exchange, &me, &[(list, entry)]);
            json!({"kind": "deleted"})
        }
        ObjectKind::MailProtocols => {
            let protocol = Protocol::ALL
                .into_iter()
                .find(|protocol| protocol_id(&me, *protocol) == id)?;
            let off = Some(protocol == Protocol::SmtpAuth);
            world.set_protocols(now, &exchange, &me, &[(protocol, off)]);
            json!({"kind": "changed", "fields": {"enabled": [true, false]}})
        }
        ObjectKind::MobilePartnership => {
            let mailbox = world.mailboxes.get_mut(&me)?;
            mailbox.mobile_devices.retain(|held| held.id != id);
            json!({"kind": "deleted"})
        }
        ObjectKind::Device => {
            world.set_device_enabled(now, &identity, id, false);
            json!({"kind": "changed", "fields": {"accountEnabled": [true, false]}})
        }
        ObjectKind::ServicePrincipal => {
            world.set_principal_enabled(now, &identity, id, false);
            json!({"kind": "changed", "fields": {"accountEnabled": [true, false]}})
        }
        ObjectKind::AppRole => world
            .withdraw_user_app_role(now, &identity, id)
            .then(|| json!({"kind": "deleted"}))?,
        ObjectKind::DirectoryRole => world
            .take_role(now, &identity, id)
            .then(|| json!({"kind": "deleted"}))?,
        ObjectKind::MailboxRight => {
            let (_, right, holder) = rights(world, &me).into_iter().find(|held| held.0 == id)?;
            world.take_right(now, &exchange, &me, right, &holder);
            json!({"kind": "deleted"})
        }
        ObjectKind::FolderRight => {
            let (_, folder, holder) = on_folders(world, &me)
                .into_iter()
                .find(|held| held.0 == id)?;
            world.set_folder_right(now, &exchange, &me, &folder, &holder, &[], &[]);
            json!({"kind": "deleted"})
        }
        ObjectKind::Password => {
            reset(world, company, now, &identity);
            json!({"kind": "password_set"})
        }
        ObjectKind::SendingBlock => {
            let upn = world.users.get(&me)?.upn.clone();
            let key = world
                .stopped_senders
                .keys()
                .find(|held| held.eq_ignore_ascii_case(&upn))
                .cloned()?;
            world.stopped_senders.remove(&key);
            json!({"kind": "deleted"})
        }
        _ => return None,
    };
    Some(json!({"kind": kind, "id": id, "effect": effect}))
}

fn junk_entry(world: &World, me: &str, id: &str) -> Option<(JunkList, String)> {
    let mailbox = world.mailboxes.get(me)?;
    JunkList::ALL.into_iter().find_map(|list| {
        let entry = mailbox
            .junk(list)
            .iter()
            .find(|entry| junk_id(me, list, entry) == id)?;
        Some((list, entry.clone()))
    })
}

fn reset(world: &mut World, company: &mut Company, now: Timestamp, by: &Origin) {
    let me = company.affected.clone();
    let text = format!(
        "Desk-{}",
        world
            .next(&me, "password by hand")
            .text(b"abcdefghkmnpqrstuvwxyz23456789", 16)
    );
    world.set_password(now, by, &me, &text, true, CutKind::AdminCentreReset);
    if let Some(habits) = company.habits.get_mut(&me) {
        habits.password = text;
        habits.client = None;
    }
}
