//! What a mailbox keeps of what is deleted from it: `Set-Mailbox` with the switches
//! of retention and hold (reference §14.1).

use retake_playbook::ObjectKind;
use serde_json::{Map, Value, json};

use super::{Cmdlet, Done, Rows, bad, missing, net_time};
use crate::trace::TraceObject;
use crate::world::{Keeping, Mailbox, World};

const NAMES: [&str; 3] = [
    "LitigationHoldEnabled",
    "RetainDeletedItemsFor",
    "SingleItemRecoveryEnabled",
];
/// The longest that deleted items are kept without a hold, in days.
const LONGEST: u32 = 30;

/// Whether a `Set-Mailbox` names one of them.
pub(super) fn is_named(cmdlet: &Cmdlet<'_, '_>) -> bool {
    NAMES.iter().any(|name| cmdlet.parameter(name).is_some())
}

/// As `Get-Mailbox` shows them.
pub(super) fn properties(world: &World, mailbox: &Mailbox) -> Vec<(&'static str, Value)> {
    let keeping = &mailbox.keeping;
    let (since, owner) = match &keeping.held {
        Some((since, owner)) => (net_time(*since), json!(owner)),
        None => (Value::Null, json!("")),
    };
    let capabilities: &[&str] = if world.tenant.has_litigation_hold {
        &["BPOS_S_Enterprise"]
    } else {
        &["BPOS_S_Standard"]
    };
    vec![
        ("LitigationHoldEnabled", json!(keeping.litigation_hold)),
        ("LitigationHoldDate", since),
        ("LitigationHoldOwner", owner),
        (
            "SingleItemRecoveryEnabled",
            json!(keeping.single_item_recovery),
        ),
        ("RetainDeletedItemsFor", json!(days(keeping.retain_days))),
        ("PersistedCapabilities", json!(capabilities)),
    ]
}

/// Sets what is named. A hold that is not licensed fails as a whole.
pub(super) fn set(cmdlet: &mut Cmdlet<'_, '_>, user: String) -> Rows {
    let world = &cmdlet.ask.world;
    let old = world
        .mailboxes
        .get(&user)
        .map(|mailbox| mailbox.keeping.clone())
        .ok_or_else(|| missing(world, &user))?;
    let mut to = old.clone();
    if let Some(value) = cmdlet.parameter("SingleItemRecoveryEnabled") {
        to.single_item_recovery = switch(value)?;
    }
    if let Some(value) = cmdlet.parameter("RetainDeletedItemsFor") {
        to.retain_days = value
            .as_str()
            .and_then(whole_days)
            .filter(|days| *days <= LONGEST)
            .ok_or_else(|| {
                bad(
                    "The value must be a time span of at most 30.00:00:00.",
                    "ParameterTransformationException",
                )
            })?;
    }
    if let Some(value) = cmdlet.parameter("LitigationHoldEnabled") {
        to.litigation_hold = switch(value)?;
    }
    if to.litigation_hold && !old.litigation_hold && !world.tenant.has_litigation_hold {
        return Err(bad(
            "The mailbox isn't licensed for litigation hold.",
            "RecipientTaskException",
        ));
    }
    let (now, origin) = (cmdlet.ask.now, cmdlet.origin());
    let fields = fields(&old, &to);
    cmdlet.ask.world.set_keeping(now, &origin, &user, to);
    let mut warnings = Vec::new();
    if fields.is_empty() {
        warnings.push(String::from(
            "The command completed successfully but no settings were modified.",
        ));
    } else if fields.contains_key("LitigationHoldEnabled") {
        warnings.push(String::from(
            "The hold setting may take up to 60 minutes to take effect.",
        ));
    }
    Ok(Done {
        warnings,
        target: Some(TraceObject::new(ObjectKind::Mailbox, user)),
        effect: Some(json!({"kind": "changed", "fields": fields})),
        ..Done::default()
    })
}

fn fields(old: &Keeping, to: &Keeping) -> Map<String, Value> {
    let mut fields = Map::new();
    if old.single_item_recovery != to.single_item_recovery {
        fields.insert(
            "SingleItemRecoveryEnabled".into(),
            json!([old.single_item_recovery, to.single_item_recovery]),
        );
    }
    if old.retain_days != to.retain_days {
        fields.insert(
            "RetainDeletedItemsFor".into(),
            json!([days(old.retain_days), days(to.retain_days)]),
        );
    }
    if old.litigation_hold != to.litigation_hold {
        fields.insert(
            "LitigationHoldEnabled".into(),
            json!([old.litigation_hold, to.litigation_hold]),
        );
    }
    fields
}

fn switch(value: &Value) -> Result<bool, crate::services::answer::Answer> {
    value.as_bool().ok_or_else(|| {
        bad(
            "Cannot convert the value to a boolean.",
            "ParameterTransformationException",
        )
    })
}

/// `14.00:00:00`, as .NET writes a span of whole days.
fn days(days: u32) -> String {
    format!("{days}.00:00:00")
}

fn whole_days(text: &str) -> Option<u32> {
    let days = text.strip_suffix(".00:00:00").unwrap_or(text);
    days.parse().ok()
}
