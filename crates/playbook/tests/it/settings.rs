//! Whose is it? What lies in a mailbox besides rules that forward.

use retake_playbook::event::{Facts, Observed, Origin, Recipient};
use retake_playbook::judge::{Verdict, judge};
use retake_playbook::machine::Phase;
use retake_playbook::{ActionKind, ArtefactId, ObjectKind, ObjectRef};

use crate::story::{Story, change, digest, rule};

fn judged(story: &Story) -> Vec<(String, Verdict, Option<ArtefactId>)> {
    judge(&story.state)
        .into_iter()
        .map(|judgement| (judgement.object.id, judgement.verdict, judgement.artefact))
        .collect()
}

fn seen(kind: ObjectKind, id: &str, facts: Facts) -> Observed {
    Observed {
        object: ObjectRef::new(kind, id),
        digest: digest(&format!("{facts:?}")),
        evidence: vec![digest("answer")],
        facts,
    }
}

fn hidden(id: &str, number: &str, name: &str, moves_to: Option<&str>) -> Observed {
    let mut observed = rule(id, name, &[]);
    if let Facts::InboxRule {
        hidden,
        aliases,
        moves_to: to,
        marks_read,
        ..
    } = &mut observed.facts
    {
        *hidden = true;
        *aliases = vec![number.to_owned()];
        *to = moves_to.map(str::to_owned);
        *marks_read = moves_to.is_some();
    }
    observed
}

#[test]
fn the_systems_own_rule_stays_though_the_attackers_bears_its_name() {
    let mut story = Story::begin();
    story.objects = vec![
        hidden("system", "9223372036854775801", "Junk E-Mail Rule", None),
        hidden(
            "theirs",
            "9223372036854775802",
            "Junk E-Mail Rule",
            Some("Archive"),
        ),
    ];
    // By its number in one record, by what it does in the other.
    for parameters in [
        "ruleactions [{\"actiontype\":\"move\"}]\nruleid 9223372036854775802",
        "movetofolder archive\nmarkasread true",
    ] {
        let ids: &[&str] = if parameters.contains("ruleid") {
            &["Junk E-Mail Rule", "9223372036854775802"]
        } else {
            &["Junk E-Mail Rule"]
        };
        let mut story = Story {
            state: story.state.clone(),
            now: story.now,
            rows: story.rows.clone(),
            objects: story.objects.clone(),
            first_known_bad: None,
            changes: vec![change(
                ObjectKind::InboxRule,
                ids,
                parameters,
                Origin::Attacker,
            )],
            unread: None,
            account: Story::account(),
            reopened_by_somebody: false,
        };
        story.go_to(Phase::Approving);
        assert_eq!(
            judged(&story),
            [
                (
                    "system".into(),
                    Verdict::Legitimate,
                    Some(ArtefactId::DISGUISED_RULE)
                ),
                (
                    "theirs".into(),
                    Verdict::Foothold,
                    Some(ArtefactId::DISGUISED_RULE)
                ),
            ],
            "{parameters}"
        );
    }
}

fn forwarding(smtp: Option<&str>, address: Option<&str>, target: Option<Recipient>) -> Observed {
    seen(
        ObjectKind::MailboxForwarding,
        "u1",
        Facts::Forwarding {
            smtp: smtp.map(str::to_owned),
            address: address.map(str::to_owned),
            keeps_copy: true,
            target,
        },
    )
}

fn contact(outside: Option<&str>, group: bool) -> Recipient {
    Recipient {
        outside: outside.map(str::to_owned),
        group,
        names: vec!["tax adviser".into(), "tax.adviser".into()],
    }
}

#[test]
fn a_contact_is_outside_or_inside_by_where_it_leads_and_never_by_its_name() {
    let outside = Some(contact(Some("box@elsewhere.test"), false));
    for (facts, expected) in [
        (
            forwarding(None, Some("Tax Adviser"), outside.clone()),
            Verdict::Unclear,
        ),
        (
            forwarding(None, Some("Tax Adviser"), Some(contact(None, false))),
            Verdict::Legitimate,
        ),
        (
            forwarding(
                None,
                Some("Tax Adviser"),
                Some(contact(Some("desk@example.test"), false)),
            ),
            Verdict::Legitimate,
        ),
        (
            forwarding(None, Some("Tax Adviser"), Some(contact(None, true))),
            Verdict::Unclear,
        ),
        // Who it is could not be looked up: not known is not clean.
        (
            forwarding(None, Some("Tax Adviser"), None),
            Verdict::Unclear,
        ),
        // What sleeps behind an internal address is a way out, too.
        (
            forwarding(
                Some("drop@elsewhere.test"),
                Some("Tax Adviser"),
                Some(contact(None, false)),
            ),
            Verdict::Unclear,
        ),
    ] {
        let mut story = Story::begin();
        story.objects = vec![facts.clone()];
        story.go_to(Phase::Approving);
        assert_eq!(
            judged(&story),
            [("u1".into(), expected, Some(ArtefactId::CONTACT_FORWARDING))],
            "{facts:?}"
        );
    }
}

#[test]
fn a_record_that_names_the_contact_by_any_of_its_names_tells_whose_the_forward_is() {
    for (value, by, expected) in [
        ("Tax Adviser", Origin::Attacker, Verdict::Foothold),
        ("tax.adviser", Origin::Attacker, Verdict::Foothold),
        ("Tax Adviser", Origin::User, Verdict::Legitimate),
        ("Somebody Else", Origin::Attacker, Verdict::Unclear),
    ] {
        let mut story = Story::begin();
        story.objects = vec![forwarding(
            None,
            Some("Tax Adviser"),
            Some(contact(Some("box@elsewhere.test"), false)),
        )];
        story.changes = vec![change(
            ObjectKind::MailboxForwarding,
            &["u1"],
            &format!("forwardingaddress {}", value.to_lowercase()),
            by,
        )];
        story.go_to(Phase::Approving);
        assert_eq!(judged(&story)[0].1, expected, "{value} {by:?}");
        let clears = story.state.plan().is_some_and(|plan| {
            plan.actions
                .iter()
                .any(|action| action.kind == ActionKind::ClearForwarding)
        });
        assert_eq!(clears, expected == Verdict::Foothold, "{value}");
    }
}

#[test]
fn a_sweep_rule_goes_when_the_attacker_made_it_and_stays_when_it_tidies_up() {
    let sweep = |id: &str, days: Option<u32>, latest: Option<u32>| {
        seen(
            ObjectKind::SweepRule,
            id,
            Facts::SweepRule {
                name: "x".into(),
                enabled: true,
                aliases: vec![id.to_owned()],
                sender: "bank@vendor.test".into(),
                source: None,
                destination: None,
                keep_days: days,
                keep_latest: latest,
                provider: None,
            },
        )
    };
    let mut story = Story::begin();
    story.objects = vec![
        sweep("a\\hidden-now", None, Some(1)),
        sweep("a\\old", Some(10), None),
        sweep("a\\theirs", Some(10), None),
    ];
    story.changes = vec![change(
        ObjectKind::SweepRule,
        &["a\\theirs", "theirs"],
        "sender bank@vendor.test\nkeepfordays 10",
        Origin::Attacker,
    )];
    story.go_to(Phase::Approving);
    let verdicts: Vec<Verdict> = judged(&story)
        .into_iter()
        .map(|(_, verdict, _)| verdict)
        .collect();
    assert_eq!(
        verdicts,
        [Verdict::Unclear, Verdict::Legitimate, Verdict::Foothold]
    );
    let removed: Vec<&str> = story
        .state
        .plan()
        .unwrap()
        .actions
        .iter()
        .filter(|action| action.kind == ActionKind::RemoveSweepRule)
        .map(|action| action.object.id.as_str())
        .collect();
    assert_eq!(removed, ["a\\theirs"]);
}
