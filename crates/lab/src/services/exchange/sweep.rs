//! Sweep rules: a store apart from inbox rules (reference §6.2; the names are
//! those of `New-SweepRule` and of public scripts, the JSON is UNCONFIRMED).

use retake_playbook::ObjectKind;
use serde_json::{Value, json};

use super::{Cmdlet, Done, Rows, bad, missing, row};
use crate::trace::TraceObject;
use crate::world::World;
use crate::world::mailbox::SweepRule;

/// `Get-SweepRule`.
pub(super) fn get(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let user = cmdlet.mailbox("Mailbox")?;
    let world = &cmdlet.ask.world;
    let rules: Vec<&SweepRule> = world
        .mailboxes
        .get(&user)
        .map(|mailbox| mailbox.sweep_rules.iter().collect())
        .unwrap_or_default();
    let shows = rules
        .iter()
        .map(|rule| TraceObject::new(ObjectKind::SweepRule, rule.id.clone()))
        .collect();
    let rows = rules
        .into_iter()
        .map(|rule| rule_row(world, &user, rule))
        .collect();
    Ok(Done {
        rows,
        target: Some(TraceObject::new(ObjectKind::Mailbox, user)),
        shows,
        ..Done::default()
    })
}

/// `New-SweepRule`: by days or by number, one of the two.
pub(super) fn new(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let user = cmdlet.mailbox("Mailbox")?;
    let number = |name: &str| {
        cmdlet
            .parameter(name)
            .and_then(Value::as_u64)
            .and_then(|number| u32::try_from(number).ok())
    };
    let (keep_days, keep_latest) = (number("KeepForDays"), number("KeepLatest"));
    if keep_days.is_none() && keep_latest.is_none() {
        return Err(bad(
            "KeepForDays or KeepLatest is needed.",
            "ParameterBindingException",
        ));
    }
    let draft = SweepRule {
        id: String::new(),
        name: cmdlet.text("Name").unwrap_or_default(),
        enabled: true,
        sender: cmdlet.text("Sender").unwrap_or_default(),
        source: cmdlet.text("SourceFolder"),
        destination: cmdlet.text("DestinationFolder"),
        keep_days,
        keep_latest,
    };
    let (now, origin) = (cmdlet.ask.now, cmdlet.origin());
    let id = cmdlet
        .ask
        .world
        .create_sweep_rule(now, &origin, &user, draft);
    let world = &cmdlet.ask.world;
    let rows = world
        .mailboxes
        .get(&user)
        .and_then(|mailbox| mailbox.sweep_rules.iter().find(|rule| rule.id == id))
        .map(|rule| rule_row(world, &user, rule))
        .into_iter()
        .collect();
    Ok(done(id, rows, json!({"kind": "created"})))
}

/// `Remove-SweepRule`: client-side rules are not touched, this is no inbox rule.
pub(super) fn remove(cmdlet: &mut Cmdlet<'_, '_>) -> Rows {
    let user = cmdlet.mailbox("Mailbox")?;
    let wanted = cmdlet.text("Identity").unwrap_or_default();
    let (now, origin) = (cmdlet.ask.now, cmdlet.origin());
    match cmdlet
        .ask
        .world
        .delete_sweep_rule(now, &origin, &user, &wanted)
    {
        Some(id) => Ok(done(id, Vec::new(), json!({"kind": "deleted"}))),
        None => Err(missing(cmdlet.ask.world, &wanted)),
    }
}

fn done(id: String, rows: Vec<Value>, effect: Value) -> Done {
    Done {
        rows,
        target: Some(TraceObject::new(ObjectKind::SweepRule, id)),
        effect: Some(effect),
        ..Done::default()
    }
}

fn rule_row(world: &World, user: &str, rule: &SweepRule) -> Value {
    let upn = world.upn(user);
    let usual = |word: &str| {
        world
            .mailboxes
            .get(user)
            .and_then(|mailbox| mailbox.folder(word))
            .map(|folder| folder.display_name.clone())
            .unwrap_or_default()
    };
    let folder = |path: &Option<String>, word: &str| {
        json!(
            path.clone()
                .unwrap_or_else(|| format!("{upn}:\\{}", usual(word)))
        )
    };
    row(vec![
        ("Identity", json!(world.sweep_identity(user, &rule.id))),
        ("RuleId", json!(rule.id)),
        ("Name", json!(rule.name)),
        ("Enabled", json!(rule.enabled)),
        ("Sender", json!(rule.sender)),
        ("SourceFolder", folder(&rule.source, "inbox")),
        (
            "DestinationFolder",
            folder(&rule.destination, "deleteditems"),
        ),
        ("KeepForDays", json!(rule.keep_days)),
        ("KeepLatest", json!(rule.keep_latest)),
        ("Provider", json!("Exchange16")),
        ("MailboxOwnerId", json!(upn)),
    ])
}
