//! Whose is it? What lies in a mailbox besides rules that forward.

use retake_playbook::event::{Change, Facts, FieldChange, Observed, Origin, Recipient};
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
            no_takeover: false,
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

fn field(name: &str, from: Option<&str>, to: &str) -> FieldChange {
    FieldChange {
        name: name.into(),
        from: from.map(str::to_owned),
        to: to.into(),
    }
}

fn set(kind: ObjectKind, by: Origin, fields: Vec<FieldChange>) -> Change {
    Change {
        fields,
        ..change(kind, &["u1"], "", by)
    }
}

fn judged_with(objects: Vec<Observed>, changes: Vec<Change>) -> Story {
    let mut story = Story::begin();
    story.objects = objects;
    story.changes = changes;
    story.go_to(Phase::Approving);
    story
}

fn reply(text: &str) -> Observed {
    seen(
        ObjectKind::AutoReply,
        "u1",
        Facts::AutoReply {
            state: "enabled".into(),
            audience: Some("all".into()),
            internal: String::new(),
            external: text.into(),
            from: None,
            until: None,
        },
    )
}

#[test]
fn an_automatic_reply_is_the_attackers_by_its_record_and_the_users_holiday_text_stays() {
    let theirs = "Please pay to our new account from now on.";
    let said = |text: &str| {
        vec![field(
            "ExternalMessage",
            None,
            &format!("<html>{text}</html>"),
        )]
    };
    for (text, by, expected) in [
        (theirs, Some(Origin::Attacker), Verdict::Foothold),
        (
            "On leave until Monday.",
            Some(Origin::User),
            Verdict::Legitimate,
        ),
        ("On leave until Monday.", None, Verdict::Legitimate),
        ("Write to me at ada@elsewhere.test", None, Verdict::Unclear),
        (
            "Our new account: LT61 3250 0112 2334 4556",
            None,
            Verdict::Unclear,
        ),
        ("Ask my deputy, bo@example.test", None, Verdict::Legitimate),
    ] {
        let changes = by
            .map(|by| set(ObjectKind::AutoReply, by, said(text)))
            .into_iter()
            .collect();
        let story = judged_with(vec![reply(text)], changes);
        assert_eq!(judged(&story)[0].1, expected, "{text} {by:?}");
    }
    // The user's own text is known from the attacker's, whichever was set last.
    let story = judged_with(
        vec![reply("On leave until Monday.")],
        vec![
            set(ObjectKind::AutoReply, Origin::Attacker, said(theirs)),
            set(
                ObjectKind::AutoReply,
                Origin::User,
                said("On leave until Monday."),
            ),
        ],
    );
    assert_eq!(judged(&story)[0].1, Verdict::Legitimate);
}

fn lists(trusted: &[&str], blocked: &[&str]) -> Observed {
    let owned = |list: &[&str]| list.iter().map(|&entry| entry.to_owned()).collect();
    seen(
        ObjectKind::JunkLists,
        "u1",
        Facts::JunkLists {
            enabled: true,
            trusted: owned(trusted),
            trusted_recipients: vec![],
            blocked: owned(blocked),
            contacts_trusted: false,
        },
    )
}

fn theirs(story: &Story, observed: &Observed) -> Vec<String> {
    let (theirs, _) = retake_playbook::judge::junk_entries(&story.state, observed);
    theirs.into_iter().map(|entry| entry.entry).collect()
}

#[test]
fn only_the_entries_that_the_attacker_brought_go() {
    let trusted = "TrustedSendersAndDomains";
    let observed = lists(&["bank.test", "evil.test"], &["spam.test"]);
    let told = |from: Option<&str>, by| {
        vec![set(
            ObjectKind::JunkLists,
            by,
            vec![field(trusted, from, "bank.test;evil.test")],
        )]
    };
    let story = judged_with(
        vec![observed.clone()],
        told(Some("bank.test"), Origin::Attacker),
    );
    assert_eq!(theirs(&story, &observed), ["evil.test"]);
    assert_eq!(judged(&story)[0].1, Verdict::Foothold);
    // The user's own record of before tells as much as the old value would.
    let mut changes = vec![set(
        ObjectKind::JunkLists,
        Origin::User,
        vec![field(trusted, None, "bank.test")],
    )];
    changes[0].at = "2026-02-01T00:00:00Z".parse().unwrap();
    changes.extend(told(None, Origin::Attacker));
    let story = judged_with(vec![observed.clone()], changes);
    assert_eq!(theirs(&story, &observed), ["evil.test"]);
    // Without either nobody knows which were there: a person decides, nothing goes.
    let story = judged_with(vec![observed.clone()], told(None, Origin::Attacker));
    assert_eq!(theirs(&story, &observed), Vec::<String>::new());
    assert_eq!(judged(&story)[0].1, Verdict::Unclear);
    // The user's own stay.
    let story = judged_with(
        vec![observed.clone()],
        told(Some("bank.test"), Origin::User),
    );
    assert_eq!(judged(&story)[0].1, Verdict::Legitimate);
    // What the organisation writes is junk to nobody, whoever said so.
    let observed = lists(&[], &["security@example.test"]);
    let story = judged_with(vec![observed], vec![]);
    assert_eq!(judged(&story)[0].1, Verdict::Unclear);
}

#[test]
fn a_protocol_goes_back_to_what_it_was_and_old_ones_stay_on() {
    let smtp = "SmtpClientAuthenticationDisabled";
    let observed = seen(
        ObjectKind::MailProtocols,
        "u1",
        Facts::MailProtocols {
            imap: Some(true),
            pop: Some(true),
            ews: Some(true),
            smtp_auth_disabled: Some(false),
        },
    );
    let back = |changes| {
        let story = judged_with(vec![observed.clone()], changes);
        let back: Vec<(&str, Option<bool>)> =
            retake_playbook::judge::reopened(&story.state, &observed)
                .into_iter()
                .map(|one| (one.parameter, one.before))
                .collect();
        (back, judged(&story)[0].1)
    };
    let kind = ObjectKind::MailProtocols;
    assert_eq!(back(vec![]), (vec![], Verdict::Legitimate));
    // From the old value; without one, off, or for SMTP AUTH the organisation's word.
    let told = vec![
        field("ImapEnabled", Some("False"), "True"),
        field(smtp, Some("True"), "False"),
    ];
    assert_eq!(
        back(vec![set(kind, Origin::Attacker, told)]),
        (
            vec![("ImapEnabled", Some(false)), (smtp, Some(true))],
            Verdict::Foothold
        )
    );
    let untold = vec![
        field("ImapEnabled", None, "True"),
        field(smtp, None, "False"),
    ];
    assert_eq!(
        back(vec![set(kind, Origin::Attacker, untold)]).0,
        [("ImapEnabled", Some(false)), (smtp, None)]
    );
    // What was on already is not the attacker's for having been set once more.
    let again = vec![field("PopEnabled", Some("True"), "True")];
    assert_eq!(back(vec![set(kind, Origin::Attacker, again)]).0, []);
}

#[test]
fn a_phone_is_whose_hands_used_it() {
    let phone = |first: &str| {
        seen(
            ObjectKind::MobilePartnership,
            "ada\\ExchangeActiveSyncDevices\\EAS§iPhone§D1",
            Facts::MobilePartnership {
                device: "D1".into(),
                model: None,
                client: None,
                first_sync: Some(first.parse().unwrap()),
                access: None,
            },
        )
    };
    let used = |by| change(ObjectKind::MobilePartnership, &["d1"], "", by);
    for (changes, expected) in [
        (vec![used(Origin::Attacker)], Verdict::Foothold),
        (vec![used(Origin::User)], Verdict::Legitimate),
        (
            vec![used(Origin::User), used(Origin::Attacker)],
            Verdict::Unclear,
        ),
        (vec![], Verdict::Legitimate),
    ] {
        let story = judged_with(vec![phone("2025-01-01T00:00:00Z")], changes);
        assert_eq!(judged(&story)[0].1, expected);
    }
}

#[test]
fn a_rule_that_no_list_shows_is_a_persons_task() {
    let told = |number: &str, by| Change {
        operation: "UpdateInboxRules".into(),
        ..change(
            ObjectKind::InboxRule,
            &["x", number],
            "ruleoperation addmailboxrule",
            by,
        )
    };
    let task = |changes| {
        let story = judged_with(vec![hidden("r", "9223372036854775801", "x", None)], changes);
        retake_playbook::duties::duties(&story.state)
            .iter()
            .any(|duty| duty.name == "client_side_rules")
    };
    assert!(task(vec![told("9223372036854775899", Origin::Attacker)]));
    assert!(!task(vec![told("9223372036854775801", Origin::Attacker)]));
    assert!(!task(vec![told("9223372036854775899", Origin::User)]));
    assert!(!task(vec![]));
}

#[test]
fn the_block_from_sending_is_shown_early_and_lifted_after_sign_in_is_given_back() {
    let stopped = seen(
        ObjectKind::SendingBlock,
        "u1",
        Facts::SendingBlock {
            reason: Some("OutboundSpamLast24Hours=100".into()),
            since: None,
        },
    );
    let mut story = judged_with(vec![stopped], vec![]);
    let plan = story.state.plan().unwrap();
    assert!(
        plan.actions
            .iter()
            .all(|action| action.kind != ActionKind::LiftSendingBlock)
    );
    assert!(
        plan.left
            .iter()
            .any(|left| left.object.kind == ObjectKind::SendingBlock)
    );
    story.go_to(Phase::Restoring);
    story.make_plan();
    let kinds: Vec<ActionKind> = story
        .state
        .plan()
        .unwrap()
        .actions
        .iter()
        .map(|action| action.kind)
        .collect();
    assert_eq!(
        kinds,
        [ActionKind::RestoreSignIn, ActionKind::LiftSendingBlock]
    );
}
