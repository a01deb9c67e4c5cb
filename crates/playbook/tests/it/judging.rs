//! Whose is it? The cases where a hasty judge takes the wrong thing away.

use retake_playbook::event::{Facts, HolderKind, MailboxRight, Observed, Origin};
use retake_playbook::judge::{Verdict, judge};
use retake_playbook::machine::Phase;
use retake_playbook::{ActionKind, ObjectKind, ObjectRef};

use crate::story::{Story, change, folder_right, method, right, rule};

fn verdicts(story: &Story) -> Vec<(String, Verdict)> {
    judge(&story.state)
        .into_iter()
        .map(|judgement| (judgement.object.id, judgement.verdict))
        .collect()
}

#[test]
fn two_rules_of_one_name_are_told_apart_by_what_they_do() {
    let mut story = Story::begin();
    story.objects = vec![
        rule("own", "Invoices", &["books@example.test"]),
        rule("theirs", "Invoices", &["drop@elsewhere.test"]),
    ];
    story.changes = vec![
        change(
            ObjectKind::InboxRule,
            &["Invoices"],
            "forwardto books@example.test",
            Origin::User,
        ),
        change(
            ObjectKind::InboxRule,
            &["Invoices"],
            "forwardto drop@elsewhere.test",
            Origin::Attacker,
        ),
    ];
    story.go_to(Phase::Approving);
    assert_eq!(
        verdicts(&story),
        [
            ("own".into(), Verdict::Legitimate),
            ("theirs".into(), Verdict::Foothold)
        ]
    );
}

#[test]
fn an_old_forward_outside_without_a_record_is_left_for_a_person() {
    let mut story = Story::begin();
    story.objects = vec![rule("old", "to my own", &["ada@home.test"])];
    story.go_to(Phase::Approving);
    assert_eq!(verdicts(&story), [("old".into(), Verdict::Unclear)]);
    let plan = story.state.plan().unwrap();
    assert!(plan.actions.iter().all(|action| action.object.id != "old"));
    assert_eq!(plan.left[0].object.id, "old");
}

#[test]
fn a_rule_that_changes_while_its_owner_is_blocked_is_the_attackers() {
    let mut story = Story::begin();
    story.objects = vec![rule("r", "News", &[])];
    story.go_to(Phase::Draining);
    assert_eq!(verdicts(&story), [("r".into(), Verdict::Legitimate)]);
    story.objects = vec![rule("r", "News", &["drop@elsewhere.test"])];
    story.go_to(Phase::Checking);
    story.go_on();
    assert_eq!(verdicts(&story), [("r".into(), Verdict::Foothold)]);
}

#[test]
fn a_method_of_unknown_origin_goes_and_a_key_in_the_hand_stays() {
    let mut story = Story::begin();
    story.objects = vec![
        method("sms", "phoneAuthenticationMethod", true, "+1 555 0100"),
        method("app", "softwareOathAuthenticationMethod", false, "totp"),
        method("key", "fido2AuthenticationMethod", false, "key ring"),
        method("pw", "passwordAuthenticationMethod", false, ""),
    ];
    story.go_to(Phase::Approving);
    let removed: Vec<&str> = story
        .state
        .plan_actions()
        .filter(|action| action.planned.kind == ActionKind::RemoveMethod)
        .map(|action| action.planned.object.id.as_str())
        .collect();
    // The default one last (reference §2.3).
    assert_eq!(removed, ["app", "sms"]);
}

#[test]
fn a_record_about_the_owners_phone_does_not_vouch_for_another() {
    let mut story = Story::begin();
    story.objects = vec![method(
        "theirs",
        "phoneAuthenticationMethod",
        false,
        "+1 555 0199",
    )];
    story.changes = vec![change(
        ObjectKind::Method,
        &["phoneAuthenticationMethod", "+1 555 0100"],
        "",
        Origin::User,
    )];
    story.go_to(Phase::Approving);
    assert_eq!(verdicts(&story), [("theirs".into(), Verdict::Foothold)]);
}

#[test]
fn a_forwarding_is_known_by_its_value_and_an_empty_one_is_nothing() {
    let forwarding = |to: Option<&str>| {
        let mut observed = rule("u1", "", &[]);
        observed.object = retake_playbook::ObjectRef::new(ObjectKind::MailboxForwarding, "u1");
        observed.facts = Facts::Forwarding {
            smtp: to.map(str::to_owned),
            address: None,
            keeps_copy: true,
            target: None,
        };
        observed
    };
    let mut story = Story::begin();
    story.changes = vec![change(
        ObjectKind::MailboxForwarding,
        &["u1"],
        "forwardingsmtpaddress smtp:drop@elsewhere.test",
        Origin::Attacker,
    )];
    for (value, expected) in [
        (None, vec![]),
        (
            Some("drop@elsewhere.test"),
            vec![("u1".to_owned(), Verdict::Foothold)],
        ),
        (
            Some("desk@example.test"),
            vec![("u1".to_owned(), Verdict::Legitimate)],
        ),
        (
            Some("ada@home.test"),
            vec![("u1".to_owned(), Verdict::Unclear)],
        ),
    ] {
        let mut story = Story {
            state: story.state.clone(),
            now: story.now,
            rows: story.rows.clone(),
            objects: vec![forwarding(value)],
            changes: story.changes.clone(),
            first_known_bad: None,
            unread: None,
            account: Story::account(),
            reopened_by_somebody: false,
            no_takeover: false,
        };
        story.go_to(Phase::Approving);
        assert_eq!(verdicts(&story), expected, "{value:?}");
    }
}

#[test]
fn a_strangers_right_without_a_record_is_cut_and_a_colleagues_stays_for_a_person() {
    for which in [
        MailboxRight::FullAccess,
        MailboxRight::SendAs,
        MailboxRight::SendOnBehalf,
    ] {
        let mut story = Story::begin();
        story.objects = vec![
            right(which, "a-guest", HolderKind::Guest),
            right(which, "b-contact", HolderKind::Outside),
            right(which, "c-colleague", HolderKind::Inside),
            right(which, "d-team", HolderKind::Group),
            right(which, "e-left", HolderKind::Nobody),
            right(which, "f-unread", HolderKind::Unknown),
        ];
        story.go_to(Phase::Approving);
        let told: Vec<Verdict> = verdicts(&story).into_iter().map(|(_, told)| told).collect();
        let (cut, ask) = (Verdict::Foothold, Verdict::Unclear);
        assert_eq!(told, [cut, cut, ask, ask, ask, ask], "{which:?}");
        let plan = story.state.plan().unwrap();
        let cuts: Vec<_> = plan
            .actions
            .iter()
            .filter(|action| action.kind == ActionKind::RemoveMailboxRight)
            .collect();
        assert_eq!(cuts.len(), 2);
        assert!(cuts.iter().all(|cut| cut.step.to_string() == "S3.5"));
        assert_eq!(plan.left.len(), 4);
    }
}

#[test]
fn who_gave_a_right_decides_and_a_record_of_another_mailbox_or_right_says_nothing() {
    let given = |operation: &str, parameters: &str, by| {
        let mut change = change(
            ObjectKind::MailboxRight,
            &["kim@example.test"],
            parameters,
            by,
        );
        change.operation = operation.to_owned();
        change
    };
    let full = "accessrights fullaccess";
    let judged = |changes: Vec<_>| {
        let mut story = Story::begin();
        story.objects = vec![right(
            MailboxRight::FullAccess,
            "kim@example.test",
            HolderKind::Inside,
        )];
        story.changes = changes;
        story.go_to(Phase::Approving);
        verdicts(&story)[0].1
    };
    let mut begun = Story::begin();
    begun.go_to(Phase::Approving);
    let upn = begun.state.account.unwrap().upn;
    let ours = format!("identity {upn}\n{full}");
    assert_eq!(
        judged(vec![given(
            "Add-MailboxPermission",
            &ours,
            Origin::Attacker
        )]),
        Verdict::Foothold
    );
    assert_eq!(
        judged(vec![given("Add-MailboxPermission", &ours, Origin::User)]),
        Verdict::Legitimate
    );
    // The same holder at another mailbox; another right at this one.
    let other = format!("identity board@example.test\n{full}");
    let send = format!("identity {upn}\naccessrights sendas");
    for elsewhere in [other, send] {
        assert_eq!(
            judged(vec![given(
                "Add-MailboxPermission",
                &elsewhere,
                Origin::Attacker
            )]),
            Verdict::Unclear
        );
    }
    // That we took it once does not make it ours when it is there again.
    let mut ours_once = given("Remove-MailboxPermission", &ours, Origin::Responder);
    ours_once.at = "2026-03-01T05:00:00Z".parse().unwrap();
    assert_eq!(
        judged(vec![
            given("Add-MailboxPermission", &ours, Origin::Attacker),
            ours_once
        ]),
        Verdict::Foothold
    );
}

/// What a right shows, and to whom, decides where no record does; the words are the
/// mailbox's language and decide nothing.
#[test]
fn a_right_on_a_folder_without_a_record_is_judged_by_what_it_shows_to_whom() {
    use HolderKind::{Anybody, Everybody, Group, Guest, Inside, Outside};
    let (cut, ask, stays) = (Verdict::Foothold, Verdict::Unclear, Verdict::Legitimate);
    let cases: [(&str, &[&str], HolderKind, Verdict); 14] = [
        ("Inbox", &["Reviewer"], Guest, cut),
        ("SentItems", &["FolderVisible", "ReadItems"], Outside, cut),
        ("User Created", &["Editor"], Guest, cut),
        ("Inbox", &["Editor"], Inside, ask),
        ("Inbox", &["Reviewer"], Group, ask),
        ("Inbox", &["Reviewer"], Everybody, cut),
        ("Root", &["Owner"], Everybody, cut),
        ("User Created", &["Reviewer"], Everybody, ask),
        ("User Created", &["Reviewer"], Anybody, cut),
        // Dropping mail in shows none.
        ("Inbox", &["Contributor"], Everybody, stays),
        ("Inbox", &["CreateItems"], Guest, ask),
        ("Calendar", &["Editor"], Inside, stays),
        ("Calendar", &["LimitedDetails"], Everybody, stays),
        ("Calendar", &["Reviewer"], Guest, ask),
    ];
    for (folder_type, rights, kind, expected) in cases {
        let mut story = Story::begin();
        let one = folder_right(folder_type, "\\Posteingang", rights, "somebody", kind);
        story.objects = vec![one];
        story.go_to(Phase::Approving);
        let what = format!("{folder_type} {rights:?} {kind:?}");
        assert_eq!(verdicts(&story)[0].1, expected, "{what}");
        let cuts: Vec<_> = story
            .state
            .plan()
            .unwrap()
            .actions
            .iter()
            .filter(|action| action.kind == ActionKind::RemoveFolderRight)
            .map(|action| action.step.to_string())
            .collect();
        let planned: &[&str] = if expected == cut { &["S3.5"] } else { &[] };
        assert_eq!(cuts, planned, "{what}");
    }
}

#[test]
fn who_raised_a_folder_decides_and_a_record_of_another_folder_or_less_says_nothing() {
    let judged = |changes: Vec<(&str, &str, Origin)>| {
        let mut story = Story::begin();
        story.objects = vec![folder_right(
            "User Created",
            "\\Ablage",
            &["Reviewer"],
            "Default",
            HolderKind::Everybody,
        )];
        story.changes = changes
            .into_iter()
            .enumerate()
            .map(|(index, (operation, parameters, by))| {
                let mut change = change(ObjectKind::FolderRight, &["Default"], parameters, by);
                change.operation = operation.to_owned();
                change.at = format!("2026-03-01T0{index}:00:00Z").parse().unwrap();
                change
            })
            .collect();
        story.go_to(Phase::Approving);
        verdicts(&story)[0].1
    };
    let (add, set) = ("AddFolderPermissions", "Set-MailboxFolderPermission");
    let here = "folderpath \\ablage\nmemberrights readany, visible";
    assert_eq!(
        judged(vec![(add, here, Origin::Attacker)]),
        Verdict::Foothold
    );
    assert_eq!(judged(vec![(add, here, Origin::User)]), Verdict::Legitimate);
    let by_id = format!(
        "accessrights reviewer\nidentity {}:id-of-\\ablage",
        Story::account().upn
    );
    assert_eq!(
        judged(vec![(set, by_id.as_str(), Origin::User)]),
        Verdict::Legitimate
    );
    // Another folder; a mailbox of somebody else's.
    for elsewhere in [
        "folderpath \\ablage\\alt\nmemberrights readany",
        "folderpath \\ablage\nmailboxownerupn board@example.test\nmemberrights readany",
        "accessrights reviewer\nidentity board@example.test:\\ablage",
    ] {
        let told = judged(vec![(add, elsewhere, Origin::Attacker)]);
        assert_eq!(told, Verdict::Unclear, "{elsewhere}");
    }
    // We lowered it once; that it is raised again is not our doing.
    let lowered = "accessrights none\nfolderpath \\ablage";
    assert_eq!(
        judged(vec![
            (add, here, Origin::Attacker),
            (set, lowered, Origin::Responder)
        ]),
        Verdict::Foothold
    );
    assert_eq!(
        judged(vec![
            (add, here, Origin::Attacker),
            ("RemoveFolderPermissions", here, Origin::Responder)
        ]),
        Verdict::Foothold
    );
}

/// Others go on working in a mailbox that several people open, so a rule that
/// is new there while the account is blocked says nothing; a record does.
#[test]
fn in_a_shared_mailbox_a_record_decides_and_being_new_says_nothing() {
    let elsewhere = |id: &str, name: &str, to: &str| {
        let mut rule = rule(id, name, &[to]);
        rule.object = rule.object.in_mailbox("office");
        rule
    };
    let mut again = Story::begin();
    again.objects = vec![
        elsewhere("box\\1", "theirs", "drop@elsewhere.test"),
        elsewhere("box\\2", "the office's", "adviser@elsewhere.test"),
    ];
    again.changes = vec![change(
        ObjectKind::InboxRule,
        &["box\\1"],
        "forwardto drop@elsewhere.test",
        Origin::Attacker,
    )];
    again.go_to(Phase::Approving);
    assert_eq!(
        verdicts(&again),
        [
            ("box\\1".into(), Verdict::Foothold),
            ("box\\2".into(), Verdict::Unclear)
        ]
    );
    let judged = judge(&again.state);
    assert!(
        judged
            .iter()
            .all(|one| one.artefact.unwrap().to_string() == "A61")
    );
    let plan = again.state.plan().unwrap();
    let cut: Vec<_> = plan
        .actions
        .iter()
        .filter(|action| action.object.mailbox.as_deref() == Some("office"))
        .collect();
    assert_eq!(cut.len(), 1);
    assert_eq!(cut[0].step.to_string(), "S3.5");
    assert_eq!(plan.left.len(), 1);
}

#[test]
fn a_device_is_the_attackers_by_its_record_and_the_users_by_its_age() {
    use crate::story::device;
    let mut story = Story::begin();
    story.objects = vec![
        device("old", 60 * 24 * 40),
        device("new", 60 * 20),
        device("theirs", 60 * 30),
    ];
    story.first_known_bad = Some("2026-02-27T13:00:00Z".parse().unwrap());
    story.changes = vec![change(
        ObjectKind::Device,
        &["theirs"],
        "",
        Origin::Attacker,
    )];
    story.go_to(Phase::Approving);
    assert_eq!(
        verdicts(&story),
        [
            ("old".into(), Verdict::Legitimate),
            ("new".into(), Verdict::Unclear),
            ("theirs".into(), Verdict::Foothold),
        ]
    );
    let plan = story.state.plan().unwrap();
    let cut: Vec<ActionKind> = plan.actions.iter().map(|action| action.kind).collect();
    assert!(cut.contains(&ActionKind::DisableDevice), "{cut:?}");
}

/// A directory role is told by the record of its assignment, which names role and member:
/// one without any is older than the logs, and one that another member was given is not it.
#[test]
fn a_directory_role_is_the_attackers_by_the_record_that_names_the_member() {
    let role = |id: &str, role: &str| Observed {
        object: ObjectRef::new(ObjectKind::DirectoryRole, id),
        facts: Facts::Role {
            role: role.into(),
            name: None,
            scope: "/".into(),
            principal: "u-1".into(),
        },
        ..method("x", "x", false, "")
    };
    let judged = |changes: Vec<_>| {
        let mut story = Story::begin();
        story.objects = vec![role("old", "r-reports"), role("new", "r-exchange")];
        story.changes = changes;
        story.go_to(Phase::Approving);
        let plan = story.state.plan().unwrap();
        let removed: Vec<String> = plan
            .actions
            .iter()
            .filter(|action| action.kind == ActionKind::RemoveRole)
            .map(|action| action.object.id.clone())
            .collect();
        (verdicts(&story), removed)
    };
    let given = |ids: &[&str], by| {
        let mut given = change(ObjectKind::DirectoryRole, ids, "", by);
        given.operation = "Add member to role".into();
        given
    };
    let as_judged = |new| {
        [
            ("old".to_owned(), Verdict::Legitimate),
            ("new".to_owned(), new),
        ]
    };
    let (verdicts, removed) = judged(vec![given(&["u-1", "r-exchange"], Origin::Attacker)]);
    assert_eq!(verdicts, as_judged(Verdict::Foothold));
    assert_eq!(removed, ["new"]);
    // Given to somebody else, or by nobody who can be told: it stays.
    let (verdicts, removed) = judged(vec![given(&["u-2", "r-exchange"], Origin::Attacker)]);
    assert_eq!(verdicts[1].1, Verdict::Legitimate);
    assert_eq!(removed, Vec::<String>::new());
    let (verdicts, removed) = judged(vec![given(&["u-1", "r-exchange"], Origin::Unknown)]);
    assert_eq!(verdicts, as_judged(Verdict::Unclear));
    assert_eq!(removed, Vec::<String>::new());
}

/// A record of a registration names no method: its time does, and a method of the user's
/// own that stays is made the default before the attacker's can go.
#[test]
fn a_method_is_told_by_the_time_of_its_record_and_the_own_one_becomes_the_default() {
    let mut story = Story::begin();
    let mut own = method("own", "softwareOathAuthenticationMethod", false, "");
    let mut theirs = method(
        "theirs",
        "microsoftAuthenticatorAuthenticationMethod",
        true,
        "phone",
    );
    for (seen, at) in [
        (&mut own, "2026-02-20T10:00:00Z"),
        (&mut theirs, "2026-02-28T10:00:00Z"),
    ] {
        if let Facts::Method { created, .. } = &mut seen.facts {
            *created = Some(at.parse().unwrap());
        }
    }
    story.objects = vec![own, theirs];
    let told = |at: &str, by| {
        let mut told = change(ObjectKind::Method, &["nothing that names it"], "", by);
        told.operation = "User registered security info".into();
        told.at = at.parse().unwrap();
        told
    };
    story.changes = vec![
        told("2026-02-20T10:00:02Z", Origin::User),
        told("2026-02-28T10:00:02Z", Origin::Attacker),
    ];
    story.go_to(Phase::Approving);
    assert_eq!(
        verdicts(&story),
        [
            ("own".into(), Verdict::Legitimate),
            ("theirs".into(), Verdict::Foothold)
        ]
    );
    let plan = story.state.plan().unwrap();
    let methods: Vec<(ActionKind, &str)> = plan
        .actions
        .iter()
        .filter(|action| action.object.kind == ObjectKind::Method)
        .map(|action| (action.kind, action.object.id.as_str()))
        .collect();
    assert_eq!(
        methods,
        [
            (ActionKind::ChooseDefaultMethod, "own"),
            (ActionKind::RemoveMethod, "theirs")
        ]
    );
}
