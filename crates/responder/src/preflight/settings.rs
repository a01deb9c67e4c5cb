//! How the tenant is set where it matters in a takeover, and which logs there are.

use retake_tenant::CallSpec;
use retake_tenant::call::{
    AUDIT_QUERIES, AUDIT_QUERY_CREATE, DIRECTORY_AUDITS, MESSAGE_TRACES, RISK_DETECTIONS,
    SIGN_INS_BETA,
};
use retake_tenant::client::Licence;
use serde::Serialize;
use serde_json::{Map, Value};

use super::rights::Set;
use super::standing::{Can, Shown, Standing};

/// A log that a case reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogSource {
    /// Its name.
    pub name: &'static str,
    /// Whether it can be read.
    pub can: Can,
    /// How far back it reaches, or why it does not.
    pub reach: String,
}

/// A setting of the tenant that matters in a takeover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// What.
    pub what: &'static str,
    /// Whether it is as it should be; `None` where it could not be read.
    pub good: Option<bool>,
    /// In words.
    pub detail: String,
}

/// The logs, and how far back they reach (reference §11).
pub(super) fn sources(
    standing: &Standing,
    set: Set,
    licences: Option<&[Licence]>,
    audit_on: Option<bool>,
) -> Vec<LogSource> {
    let (p1, p2) = premium(licences);
    let entra = match (p1, p2) {
        (Some(true), _) | (_, Some(true)) => "30 days",
        (Some(false), Some(false)) => "7 days, without Entra ID P1",
        _ => "7 or 30 days, depending on the licence",
    };
    let risk = match (p1, p2) {
        (_, Some(true)) => "90 days",
        (_, Some(false)) => "not without Entra ID P2",
        _ => "7, 30 or 90 days, depending on the licence",
    };
    let audit = match audit_on {
        Some(true) => "180 days, a year for some records with Audit (Premium)",
        Some(false) => "the unified audit log is off: nothing is recorded",
        None => "180 days where the unified audit log is on",
    };
    [
        ("sign-ins", &SIGN_INS_BETA, entra),
        ("directory audits", &DIRECTORY_AUDITS, entra),
        ("risk detections", &RISK_DETECTIONS, risk),
        ("unified audit log", &AUDIT_QUERY_CREATE, audit),
        ("message trace", &MESSAGE_TRACES, "90 days, 10 in one query"),
    ]
    .into_iter()
    .map(|(name, call, reach): (_, &'static CallSpec, &str)| {
        let probe = if call.id == AUDIT_QUERY_CREATE.id {
            &AUDIT_QUERIES
        } else {
            call
        };
        let (can, reach) = match standing.shown.get(probe.id) {
            Some(Shown::NoLicence) => (Can::No, "the tenant has no licence for it".to_owned()),
            _ => (standing.call(call, set), reach.to_owned()),
        };
        LogSource { name, can, reach }
    })
    .collect()
}

/// Whether the tenant has Entra ID P1 and P2 (reference §11).
fn premium(licences: Option<&[Licence]>) -> (Option<bool>, Option<bool>) {
    let Some(licences) = licences else {
        return (None, None);
    };
    let has = |plan: &str| {
        licences
            .iter()
            .filter(|licence| licence.capability_status.as_deref() != Some("Suspended"))
            .flat_map(|licence| &licence.service_plans)
            .any(|found| found.service_plan_name.eq_ignore_ascii_case(plan))
    };
    (Some(has("AAD_PREMIUM")), Some(has("AAD_PREMIUM_P2")))
}

pub(super) type Rows = Vec<Map<String, Value>>;

pub(super) fn flag(rows: &Rows, name: &str) -> Option<bool> {
    rows.iter().find_map(|row| row.get(name)?.as_bool())
}

/// The policy for forwarding outside (reference §6.2).
pub(super) fn forwarding(policies: &Result<Rows, String>) -> Setting {
    let what = "external forwarding";
    let rows = match policies {
        Ok(rows) => rows,
        Err(why) => {
            return Setting {
                what,
                good: None,
                detail: format!("could not be read: {why}"),
            };
        }
    };
    let modes: Vec<(String, String)> = rows
        .iter()
        .filter_map(|row| {
            let text = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
            Some((
                text("Name").unwrap_or_default(),
                text("AutoForwardingMode")?,
            ))
        })
        .collect();
    let worst = |mode: &str| {
        modes
            .iter()
            .any(|(_, found)| found.eq_ignore_ascii_case(mode))
    };
    let (good, words) = if modes.is_empty() {
        (None, "no policy says".to_owned())
    } else if worst("On") {
        (
            Some(false),
            "allowed: rules and forwards send mail outside".to_owned(),
        )
    } else if worst("Automatic") {
        (
            Some(false),
            "Automatic: off in tenants made since 2021, possibly on in older ones; set it to Off"
                .to_owned(),
        )
    } else {
        (
            Some(true),
            "off: forwards to outside are bounced".to_owned(),
        )
    };
    let listed: Vec<String> = modes
        .iter()
        .map(|(name, mode)| format!("{name}: {mode}"))
        .collect();
    Setting {
        what,
        good,
        detail: if listed.is_empty() {
            words
        } else {
            format!("{words} ({})", listed.join(", "))
        },
    }
}

pub(super) fn auditing(audit: &Result<Rows, String>, on: Option<bool>) -> Setting {
    Setting {
        what: "unified audit log",
        good: on,
        detail: match (audit, on) {
            (_, Some(true)) => "on".to_owned(),
            (_, Some(false)) => {
                "off: what was read and sent can only be known from now on, once it is switched on"
                    .to_owned()
            }
            (Err(why), None) => format!("could not be read: {why}"),
            (Ok(_), None) => "the tenant does not say whether it is on".to_owned(),
        },
    }
}

pub(super) fn licensing(licences: Option<&[Licence]>) -> Setting {
    let detail = match licences {
        None => "could not be read".to_owned(),
        Some(licences) => {
            let names: Vec<&str> = licences
                .iter()
                .map(|licence| licence.sku_part_number.as_str())
                .collect();
            let entra = match premium(Some(licences)) {
                (_, Some(true)) => "Entra ID P2",
                (Some(true), _) => "Entra ID P1",
                _ => "no Entra ID premium",
            };
            format!("{entra} ({})", names.join(", "))
        }
    };
    Setting {
        what: "licences",
        good: premium(licences).0,
        detail,
    }
}
