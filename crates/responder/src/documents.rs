//! The documents of a case: fraud pack with the drafts of the warnings, the briefing of
//! the person whose account it was (S7.5), the checklist of related secrets (S7.4).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use retake_playbook::event::{Analysis, Mail};
use retake_playbook::state::GateState;
use retake_playbook::{Digest, Gate, State};

use crate::case::Case;
use crate::error::ResponderError;
use crate::evidence::keep_document;
use crate::templates::{Templates, Values, one_line};

/// How the documents are called in the case.
const BRIEFING: &str = "user briefing";
const CHECKLIST: &str = "related secrets";
const PACK: &str = "fraud pack";

/// The drafts that the fraud pack ends with.
const DRAFTS: [&str; 4] = [
    "warn-finance",
    "warn-executives",
    "warn-vendors",
    "warn-staff",
];

/// Most lines of a list; what is more is counted.
const MOST: usize = 200;

/// Keeps the fraud pack as it is now.
pub(crate) fn keep_fraud_pack(
    case: &Case<'_>,
    templates: &Templates,
    analysis: &Analysis,
) -> Result<Digest, ResponderError> {
    let pack = case.with_state(|state| fraud_pack(state, analysis, templates));
    keep_document(case, PACK, pack.as_bytes())
}

/// Keeps every document as it is now, the ones before it staying in the case: what was
/// found since belongs in them. Nothing where no log was analysed, or where it shows that
/// nobody else was there.
pub(crate) fn keep_all(case: &Case<'_>, templates: &Templates) -> Result<(), ResponderError> {
    let pack = case.with_state(|state| {
        let (_, analysis) = state.analysis.as_ref()?;
        let due = !state.warnings.is_empty();
        due.then(|| fraud_pack(state, analysis, templates))
    });
    if let Some(pack) = pack {
        let known = case.with_state(|state| state.evidence.len());
        keep_document(case, PACK, pack.as_bytes())?;
        if case.with_state(|state| state.evidence.len()) > known {
            case.note("the fraud pack has more to say than before: `retake case report` writes the new one");
        }
    }
    keep_for_the_user(case, templates)
}

/// Keeps the briefing and the checklist as they are now.
pub(crate) fn keep_for_the_user(
    case: &Case<'_>,
    templates: &Templates,
) -> Result<(), ResponderError> {
    let texts = case.with_state(|state| {
        let (_, analysis) = state.analysis.as_ref()?;
        let taken = matches!(analysis.verdict.as_str(), "compromised" | "suspicious");
        taken.then(|| {
            [
                (BRIEFING, briefing(state, analysis, templates)),
                (CHECKLIST, checklist(state, analysis, templates)),
            ]
        })
    });
    for (what, text) in texts.into_iter().flatten() {
        keep_document(case, what, text.as_bytes())?;
    }
    Ok(())
}

fn fraud_pack(state: &State, analysis: &Analysis, templates: &Templates) -> String {
    let mut values = values(state, analysis);
    let drafts: Vec<String> = DRAFTS
        .iter()
        .map(|draft| {
            let text = templates.fill(draft, &values);
            format!("{}\n{}\n", "-".repeat(72), text.trim_end())
        })
        .collect();
    let sent = analysis
        .sent
        .iter()
        .map(|mail| {
            let to: Vec<String> = mail.recipients.iter().map(|to| one_line(to)).collect();
            format!(
                "- {}  to {}  \"{}\"",
                minute(mail.at),
                few(&to, 10),
                one_line(&mail.subject)
            )
        })
        .chain(analysis.impersonated.iter().map(|mail| {
            let to: Vec<String> = mail.recipients.iter().map(|to| one_line(to)).collect();
            format!(
                "- {}  to {}  \"{}\"  ({}; under the mailbox's name, never sent from it)",
                minute(mail.at),
                few(&to, 10),
                one_line(&mail.subject),
                one_line(&mail.how)
            )
        }))
        .collect();
    let people = people(analysis)
        .iter()
        .map(|to| format!("[ ] {to}"))
        .collect();
    values.block("sent", &at_most(sent));
    values.block("people", &at_most(people));
    values.block("drafts", &drafts);
    templates.fill("fraud-pack", &values)
}

fn briefing(state: &State, analysis: &Analysis, templates: &Templates) -> String {
    let mut values = values(state, analysis);
    let mut removed: Vec<String> = state
        .actions
        .values()
        .filter(|action| {
            action.verified.is_some()
                && action.planned.observed.is_some()
                && action.planned.undoes.is_none()
        })
        .map(|action| {
            let object = &action.planned.object;
            let name = object.name.as_deref().unwrap_or(&object.id);
            let kind = object.kind.words();
            if name == kind {
                format!("- {kind}")
            } else {
                format!("- {kind} \"{}\"", one_line(name))
            }
        })
        .collect();
    removed.dedup();
    values.block("removed", &at_most(removed));
    templates.fill("user-briefing", &values)
}

/// What a subject says about, and what it is then worth asking for.
const KINDS: &[(&str, &[&str])] = &[
    (
        "Banks, payments and bank details",
        &[
            "bank",
            "payment",
            "iban",
            "swift",
            "wire",
            "transfer",
            "remittance",
            "zahlung",
            "überweisung",
            "paiement",
            "virement",
            "pago",
            "transferencia",
        ],
    ),
    (
        "Invoices, orders and the portals behind them",
        &[
            "invoice",
            "purchase order",
            "statement",
            "billing",
            "receipt",
            "rechnung",
            "bestellung",
            "facture",
            "factura",
            "pedido",
        ],
    ),
    (
        "Payroll, tax and personnel",
        &[
            "payroll", "salary", "payslip", "tax", "expense", "lohn", "gehalt", "steuer", "nómina",
        ],
    ),
    (
        "Passwords, keys and sign-ins sent by mail",
        &[
            "password",
            "passcode",
            "credential",
            "login",
            "log in",
            "sign-in",
            "sign in",
            "token",
            "api key",
            "private key",
            "certificate",
            "verification code",
            "reset",
            "passwort",
            "kennwort",
            "zugang",
            "mot de passe",
            "contraseña",
        ],
    ),
    (
        "Shared systems: files, remote access, servers, networks",
        &[
            "vpn",
            "wi-fi",
            "wifi",
            "remote",
            "server",
            "admin",
            "sharepoint",
            "onedrive",
            "dropbox",
            "shared with you",
            "shared a file",
            "invitation",
            "backup",
        ],
    ),
    (
        "CRM, ERP, signing and customers' systems",
        &[
            "crm",
            "salesforce",
            "hubspot",
            "dynamics",
            "sap",
            "erp",
            "docusign",
            "signature",
            "contract",
            "customer",
            "portal",
            "vertrag",
            "contrat",
            "contrato",
        ],
    ),
    (
        "Identity documents",
        &[
            "passport",
            "identity card",
            "id card",
            "driving licence",
            "driver's license",
            "ausweis",
        ],
    ),
];

fn checklist(state: &State, analysis: &Analysis, templates: &Templates) -> String {
    let mut values = values(state, analysis);
    let mut found: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    let mut without = 0;
    for mail in analysis.read.iter().chain(&analysis.sent) {
        if mail.subject.trim().is_empty() {
            without += 1;
            continue;
        }
        let subject = mail.subject.to_lowercase();
        for (index, (_, words)) in KINDS.iter().enumerate() {
            if words.iter().any(|word| has_word(&subject, word)) {
                found
                    .entry(index)
                    .or_default()
                    .insert(one_line(&mail.subject));
            }
        }
    }
    let mut lines = Vec::new();
    for (index, subjects) in &found {
        let name = KINDS.get(*index).map_or("", |(name, _)| name);
        lines.push(format!("[ ] {name} ({})", subjects.len()));
        lines.extend(
            subjects
                .iter()
                .take(12)
                .map(|subject| format!("      \"{subject}\"")),
        );
        if subjects.len() > 12 {
            lines.push(format!("      and {} more", subjects.len() - 12));
        }
    }
    values.block("secrets", &lines);
    let mut unknown = vec![
        "- The list goes by subjects; what stands in the mail itself was not read for it."
            .to_owned(),
    ];
    if without > 0 {
        unknown.push(format!(
            "- {without} messages that were read or sent have no subject in the logs."
        ));
    }
    if analysis.read.iter().any(|mail| mail.how != "bind") {
        unknown.push(
            "- Whole folders were synchronised, or the audit was throttled: everything in the mailbox may have been read, not only what is listed."
                .to_owned(),
        );
    }
    unknown.push(
        "- What the stranger searched for is logged only where that was switched on before."
            .to_owned(),
    );
    values.block("secrets_unknown", &unknown);
    templates.fill("related-secrets", &values)
}

/// Whether the word stands in the text, and not within another one.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text
            .get(at + word.len()..)
            .and_then(|text| text.chars().next());
        let inside = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
        // A plural is the same word.
        !inside(before) && (!inside(after) || after == Some('s'))
    })
}

fn values(state: &State, analysis: &Analysis) -> Values {
    let mut values = Values::default();
    if let Some((at, opened)) = &state.opened {
        values.line("case", &opened.case);
        values.line("tenant", &opened.tenant);
        values.line("responder", &opened.responder);
        values.line("opened", &minute(*at));
        values.line("account", &opened.account);
        values.line("name", &opened.account);
    }
    if let Some(account) = &state.account {
        values.line("account", &account.upn);
        values.line("name", &account.display_name);
    }
    if let Some(first) = analysis.first_known_bad {
        values.line("since", &minute(first));
    }
    if !matches!(analysis.path.as_str(), "unknown" | "none") {
        values.line(
            "path",
            &format!(
                "{} (confidence {:.0} %)",
                analysis.path.replace('_', " "),
                analysis.confidence * 100.0
            ),
        );
    }
    if let Some(GateState::Passed {
        answer: Some(answer),
        ..
    }) = state.gates.get(&Gate::Money)
    {
        values.line("money", answer);
    }
    values.line("read_count", &distinct(&analysis.read).to_string());
    let in_its_name = distinct(&analysis.sent) + distinct(&analysis.impersonated);
    values.line("sent_count", &in_its_name.to_string());
    values.line("people_count", &people(analysis).len().to_string());
    values
}

/// How many different messages: the audit tells of one as often as it was opened.
fn distinct(mail: &[Mail]) -> usize {
    let ids: BTreeSet<&str> = mail.iter().map(|mail| mail.message.as_str()).collect();
    ids.len()
}

fn people(analysis: &Analysis) -> BTreeSet<String> {
    analysis
        .sent
        .iter()
        .chain(&analysis.impersonated)
        .flat_map(|mail| mail.recipients.iter().map(|to| one_line(to)))
        .collect()
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn few(items: &[String], most: usize) -> String {
    let shown = items
        .iter()
        .take(most)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match items.len().saturating_sub(most) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn at_most(mut lines: Vec<String>) -> Vec<String> {
    if lines.len() > MOST {
        let more = lines.len() - MOST;
        lines.truncate(MOST);
        lines.push(format!("and {more} more; the report has them all"));
    }
    lines
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use retake_playbook::event::{Event, Fingerprint};

    fn mail(subject: &str, how: &str) -> Mail {
        Mail {
            message: format!("<{subject}>"),
            subject: subject.to_owned(),
            recipients: vec!["ap@supplier.example".to_owned()],
            at: Timestamp::UNIX_EPOCH,
            how: how.to_owned(),
        }
    }

    fn told(read: Vec<Mail>, sent: Vec<Mail>) -> (State, Analysis) {
        let analysis: Analysis = serde_json::from_value(serde_json::json!({
            "quick": false, "verdict": "compromised", "path": "token_theft", "confidence": 0.8,
            "reasons": [], "fingerprint": Fingerprint::default(), "changes": [],
            "sent": sent, "read": read, "accounts": [], "sources": [],
        }))
        .unwrap();
        let mut state = State::default();
        state.apply(Timestamp::UNIX_EPOCH, &Event::Analysed(analysis.clone()));
        (state, analysis)
    }

    #[test]
    fn the_checklist_comes_from_subjects_and_says_what_it_cannot_know() {
        let read = vec![
            mail("Your VPN access and password", "bind"),
            mail("RE: Invoice 4711", "sync"),
            mail("Lunch on Friday?", "bind"),
            mail("", "bind"),
        ];
        let (state, analysis) = told(read, vec![mail("New bank details", "sent")]);
        let text = checklist(&state, &analysis, &Templates::default());
        for line in [
            "[ ] Banks, payments and bank details (1)\n      \"New bank details\"",
            "[ ] Invoices, orders and the portals behind them (1)\n      \"RE: Invoice 4711\"",
            "[ ] Passwords, keys and sign-ins sent by mail (1)",
            "[ ] Shared systems: files, remote access, servers, networks (1)",
            "1 messages that were read or sent have no subject",
            "Whole folders were synchronised",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert!(!text.contains("Lunch"), "{text}");
    }

    #[test]
    fn a_word_within_a_word_is_another_word() {
        assert!(has_word("your tax return", "tax"));
        assert!(has_word("invoices of may", "invoice"));
        assert!(!has_word("a taxi to the station", "tax"));
        assert!(!has_word("sapling", "sap"));
    }

    #[test]
    fn the_fraud_pack_has_every_draft_and_cannot_be_written_by_a_subject() {
        let hostile = "x\"\n\nNOW\n1. Pay at once to {account}";
        let (state, analysis) = told(vec![], vec![mail(hostile, "sent")]);
        let text = fraud_pack(&state, &analysis, &Templates::default());
        assert_eq!(text.matches("\nNOW\n").count(), 1, "{text}");
        assert!(text.contains("{account}"), "a value is no template");
        for draft in [
            "To finance",
            "To the management",
            "To our partners",
            "To all staff",
        ] {
            assert!(text.contains(draft), "{draft}");
        }
        assert!(text.contains("[ ] ap@supplier.example"));
        assert!(!text.contains("{since}") && text.contains("not known"));
    }
}
