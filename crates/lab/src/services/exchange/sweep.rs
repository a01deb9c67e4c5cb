//! Sweep rules: a store apart from inbox rules (reference §6.2; the names are
//! those of `New-SweepRule` and of public scripts, the JSON is UNCONFIRMED).

use retake_playbook::ObjectKind;
use serde_json::{Value, json};

use super::{Cmdlet, Done, Rows, missing, row};
use crate::trace::TraceObject;
use crate::world::mailbox::SweepRule;

/// `Get-SweepRule`.
pub(super) fn get(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let user = cmdlet.mailbox("Mailbox")?;
    let world = &cmdlet.ask.world;
    let upn = world
        .users
        .get(&user)
        .map(|user| user.upn.clone())
        .unwrap_or_default();
    let rows = world
        .mailboxes
        .get(&user)
        .map(|mailbox| {
            mailbox
                .sweep_rules
                .iter()
                .map(|rule| rule_row(&upn, rule))
                .collect()
        })
        .unwrap_or_default();
    Ok(done(user, rows, Value::Null))
}

/// `New-SweepRule`.
pub(super) fn new(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let user = cmdlet.mailbox("Mailbox")?;
    let id = cmdlet
        .ask
        .world
        .next(&user, "sweep rule")
        .uuid()
        .to_string();
    let keep = cmdlet
        .parameter("KeepForDays")
        .and_then(Value::as_u64)
        .unwrap_or(10);
    let rule = SweepRule {
        id,
        name: cmdlet.text("Name").unwrap_or_default(),
        enabled: true,
        sender: cmdlet.text("Sender").unwrap_or_default(),
        source: cmdlet.text("SourceFolder"),
        destination: cmdlet.text("DestinationFolder"),
        keep_days: u32::try_from(keep).unwrap_or(10),
    };
    let upn = cmdlet
        .ask
        .world
        .users
        .get(&user)
        .map(|user| user.upn.clone())
        .unwrap_or_default();
    let shown = rule_row(&upn, &rule);
    if let Some(mailbox) = cmdlet.ask.world.mailboxes.get_mut(&user) {
        mailbox.sweep_rules.push(rule);
    }
    Ok(done(user, vec![shown], json!({"kind": "created"})))
}

/// `Remove-SweepRule`: client-side rules are not touched, this is no inbox rule.
pub(super) fn remove(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let user = cmdlet.mailbox("Mailbox")?;
    let wanted = cmdlet.text("Identity").unwrap_or_default();
    let id = wanted.rsplit('\\').next().unwrap_or(&wanted).to_owned();
    let gone = cmdlet
        .ask
        .world
        .mailboxes
        .get_mut(&user)
        .is_some_and(|mailbox| {
            let before = mailbox.sweep_rules.len();
            mailbox
                .sweep_rules
                .retain(|rule| rule.id != id && rule.name != id);
            mailbox.sweep_rules.len() < before
        });
    if !gone {
        return Err(missing(cmdlet.ask.world, &wanted));
    }
    Ok(done(user, Vec::new(), json!({"kind": "deleted"})))
}

fn done(user: String, rows: Vec<Value>, effect: Value) -> Done {
    Done {
        rows,
        target: Some(TraceObject::new(ObjectKind::Mailbox, user)),
        effect: (!effect.is_null()).then_some(effect),
        ..Done::default()
    }
}

fn rule_row(upn: &str, rule: &SweepRule) -> Value {
    let folder = |path: &Option<String>, usual: &str| {
        json!(path.clone().unwrap_or_else(|| format!("{upn}:\\{usual}")))
    };
    row(vec![
        ("Identity", json!(format!("{upn}\\{}", rule.id))),
        ("RuleId", json!(rule.id)),
        ("Name", json!(rule.name)),
        ("Enabled", json!(rule.enabled)),
        ("Sender", json!(rule.sender)),
        ("SourceFolder", folder(&rule.source, "Inbox")),
        (
            "DestinationFolder",
            folder(&rule.destination, "Deleted Items"),
        ),
        ("KeepForDays", json!(rule.keep_days)),
        ("KeepLatest", Value::Null),
        ("Provider", json!("Exchange16")),
        ("MailboxOwnerId", json!(upn)),
    ])
}
