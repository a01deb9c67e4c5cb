//! The labelled events of `panther/`: twelve rules of somebody else's, mapped
//! by meaning. They are not in the repository: the tests find them beside it,
//! or say that they are absent.

use std::collections::BTreeSet;

use retake_hunt::{Detection, Detections, Import};
use serde_json::Value;

use crate::shared_data::shared;

/// What a rule means here.
struct Meaning {
    rule: &'static str,
    /// Detections that say the same; one of them is raised by what the rule
    /// raises, none by what it does not.
    detections: &'static [&'static str],
    why: &'static str,
}

const MEANINGS: [Meaning; 12] = [
    Meaning {
        rule: "azure_device_code_broker_client",
        detections: &["D0715"],
        why: "a device code for the broker; any other device code is D0705, less severe",
    },
    Meaning {
        rule: "azure_domain_trust_settings_modified",
        detections: &["D0802"],
        why: "federation of a domain; a domain's other properties are not",
    },
    Meaning {
        rule: "azure_failed_signins",
        detections: &["D0716"],
        why: "ten in an hour, as the rule's threshold says: one failure alone is nobody's finding",
    },
    Meaning {
        rule: "azure_invite_external_users",
        detections: &["D0310"],
        why: "a guest from outside the own domains",
    },
    Meaning {
        rule: "azure_legacyauth",
        detections: &["D0709"],
        why: "a success over an old protocol",
    },
    Meaning {
        rule: "azure_mfa_disabled",
        detections: &["D0407"],
        why: "a policy that is no longer enforced",
    },
    Meaning {
        rule: "azure_policy_changed",
        detections: &["D0408"],
        why: "changed or deleted, not added",
    },
    Meaning {
        rule: "azure_risklevel_passthrough",
        detections: &["D0903"],
        why: "a risk that is not dismissed",
    },
    Meaning {
        rule: "azure_ropc_login_no_mfa",
        detections: &["D0706"],
        why: "a password posted to the token endpoint, and accepted",
    },
    Meaning {
        rule: "microsoft365_brute_force_login_by_user",
        detections: &["D0716"],
        why: "ten in an hour, as the rule's threshold says",
    },
    Meaning {
        rule: "microsoft365_external_sharing",
        detections: &["D1303"],
        why: "shared with a guest; what the organisation allows stands in its own override",
    },
    Meaning {
        rule: "microsoft_graph_passthrough",
        detections: &["D0904"],
        why: "an alert that is more than information, and not resolved",
    },
];

/// The organisation of those labels allows these; in Retake such exceptions
/// are an override of the detection.
const EXCEPTIONS: [(&str, &str); 2] = [
    (
        "D1303",
        "\nand not record.TargetUserOrGroupName ends_with [\"@alloweddomain.com\", \"exception@outsider.com\"] \
         and not m365.object contains \"/documents/external/\"",
    ),
    (
        "D0709",
        "\nand not user.name is \"homer.simpson@springfield.org\"",
    ),
];

fn detections() -> Detections {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../detections");
    let mut detections = Detections::builtin().unwrap();
    for (id, exception) in EXCEPTIONS {
        let file = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.to_string_lossy().contains(id))
            .unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.replacen(
            "\n'''\nknown_good",
            &format!("{exception}\n'''\nknown_good"),
            1,
        );
        assert!(text.contains(exception), "{id}");
        detections.add(Detection::parse(id, &text).unwrap());
    }
    detections
}

/// The event as often as its rule's threshold asks, each with its own id and
/// a second later.
fn repeated(log: &Value, times: u64) -> String {
    (0..times)
        .map(|number| {
            let mut log = log.clone();
            if times > 1 {
                let at = format!("2023-07-26 22:{number:02}:30");
                let map = log.as_object_mut().unwrap();
                if map.contains_key("CreationTime") {
                    map.insert("CreationTime".into(), at.clone().into());
                    map.insert("Id".into(), format!("id-{number}").into());
                }
                if let Some(inner) = map.get_mut("properties").and_then(Value::as_object_mut) {
                    inner.insert("createdDateTime".into(), at.into());
                    inner.insert("id".into(), format!("id-{number}").into());
                }
            }
            log.to_string() + "\n"
        })
        .collect()
}

#[test]
fn every_labelled_event_is_raised_or_not_by_what_its_rule_means() {
    let Some(path) = shared("panther/labelled-events.jsonl") else {
        return;
    };
    let detections = detections();
    let text = std::fs::read_to_string(path).unwrap();
    let mut wrong = Vec::new();
    let mut rules = BTreeSet::new();
    for line in text.lines() {
        let labelled: Value = serde_json::from_str(line).unwrap();
        let rule = labelled["rule"].as_str().unwrap();
        let expected = labelled["expected"].as_bool().unwrap();
        let meaning = MEANINGS
            .iter()
            .find(|meaning| meaning.rule == rule)
            .unwrap_or_else(|| panic!("{rule} has no row"));
        rules.insert(rule.to_owned());
        let threshold = labelled["threshold"].as_u64().unwrap_or(1).max(1);
        let mut import = Import::new();
        import.add_bytes(rule, repeated(&labelled["log"], threshold).as_bytes());
        let imported = import.finish();
        let own = retake_hunt::detections::own_domains(&imported.events);
        let found = detections.find(&imported.events, &own);
        let raised = found
            .iter()
            .any(|finding| meaning.detections.contains(&finding.detection.as_str()));
        if imported.counts.kept != threshold || raised != expected {
            let ids: Vec<&str> = found.iter().map(|f| f.detection.as_str()).collect();
            wrong.push(format!(
                "{rule} / {}: labelled {expected}, raised {ids:?}, kept {}, {:?}; {}",
                labelled["test"],
                imported.counts.kept,
                imported.damaged.first().map(|d| &d.reason),
                meaning.why
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(rules.len(), MEANINGS.len());
}
