//! What the objects of a mailbox are and do.

use retake_playbook::event::Facts;

use crate::text::When;

/// Adds what an object of the mailbox is and does.
pub(super) fn facts(facts: &Facts, parts: &mut Vec<String>) {
    match facts {
        Facts::SweepRule {
            enabled,
            sender,
            source,
            destination,
            keep_days,
            keep_latest,
            ..
        } => {
            parts.push("sweep rule".to_owned());
            if !enabled {
                parts.push("switched off".to_owned());
            }
            parts.push(format!("takes mail of {sender}"));
            if let Some(source) = source {
                parts.push(format!("from {source}"));
            }
            parts.push(match destination {
                Some(destination) => format!("to {destination}"),
                None => "to Deleted Items".to_owned(),
            });
            match (keep_latest, keep_days) {
                (Some(number), _) => parts.push(format!("all but the newest {number}")),
                (None, Some(days)) => parts.push(format!("after {days} days")),
                (None, None) => {}
            }
        }
        Facts::AutoReply {
            state,
            audience,
            external,
            ..
        } => {
            parts.push(format!("automatic reply, {state}"));
            if let Some(audience) = audience {
                parts.push(format!("outside: {audience}"));
            }
            if !external.is_empty() {
                parts.push(format!("says \"{external}\""));
            }
        }
        Facts::JunkLists {
            trusted,
            trusted_recipients,
            blocked,
            ..
        } => {
            for (words, list) in [
                ("never junk from", trusted),
                ("never junk to", trusted_recipients),
                ("always junk from", blocked),
            ] {
                if !list.is_empty() {
                    parts.push(format!("{words} {}", list.join(", ")));
                }
            }
            if parts.is_empty() {
                parts.push("no entries".to_owned());
            }
        }
        Facts::MailProtocols {
            imap,
            pop,
            ews,
            smtp_auth_disabled,
        } => {
            let word = |on: Option<bool>| match on {
                Some(true) => "on",
                Some(false) => "off",
                None => "not said",
            };
            parts.push(format!(
                "IMAP {}, POP {}, EWS {}",
                word(*imap),
                word(*pop),
                word(*ews)
            ));
            parts.push(
                match smtp_auth_disabled {
                    Some(true) => "SMTP AUTH off",
                    Some(false) => "SMTP AUTH on",
                    None => "SMTP AUTH as the organisation has it",
                }
                .to_owned(),
            );
        }
        Facts::MobilePartnership {
            device,
            model,
            client,
            first_sync,
            access,
        } => {
            parts.extend(model.clone());
            parts.extend(client.iter().map(|client| format!("through {client}")));
            parts.push(format!("device {device}"));
            if let Some(first) = first_sync {
                parts.push(format!("paired {}", When(*first)));
            }
            parts.extend(access.clone());
        }
        Facts::SendingBlock { reason, since } => {
            parts.push("stopped from sending by the service".to_owned());
            parts.extend(reason.clone());
            if let Some(since) = since {
                parts.push(format!("since {}", When(*since)));
            }
        }
        _ => {}
    }
}
