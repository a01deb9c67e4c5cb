//! Whose is it? App roles of the account, and what self-service reset goes by.

use retake_playbook::event::{Change, Facts, FieldChange, Observed, Origin};
use retake_playbook::judge::{Verdict, judge, restored_values};
use retake_playbook::machine::Phase;
use retake_playbook::{ActionKind, ArtefactId, ObjectKind, ObjectRef};

use crate::story::{Story, change, digest};

fn seen(kind: ObjectKind, id: &str, facts: Facts) -> Observed {
    Observed {
        object: ObjectRef::new(kind, id),
        digest: digest(&format!("{facts:?}")),
        evidence: vec![digest("answer")],
        facts,
    }
}

fn attribute(name: &str, values: &[&str]) -> Observed {
    seen(
        ObjectKind::ResetAttributes,
        &format!("u1/{name}"),
        Facts::ResetAttribute {
            attribute: name.to_owned(),
            values: values.iter().map(|&value| value.to_owned()).collect(),
        },
    )
}

/// A record of a change of such a property.
fn told(at: &str, name: &str, from: Option<&str>, to: &str, by: Origin) -> Change {
    Change {
        at: at.parse().unwrap(),
        operation: "Update user".into(),
        fields: vec![FieldChange {
            name: name.into(),
            from: from.map(str::to_owned),
            to: to.into(),
        }],
        ..change(ObjectKind::ResetAttributes, &["u1"], "", by)
    }
}

fn role(id: &str, resource: &str, created: &str) -> Observed {
    seen(
        ObjectKind::AppRole,
        id,
        Facts::AppRole {
            resource: resource.to_owned(),
            app_name: Some("Supplier Desk".into()),
            role: None,
            created: Some(created.parse().unwrap()),
        },
    )
}

fn assigned(resource: &str, at: &str, by: Origin) -> Change {
    Change {
        at: at.parse().unwrap(),
        operation: "Add app role assignment grant to user".into(),
        ..change(ObjectKind::AppRole, &[resource], "", by)
    }
}

fn verdicts(story: &Story) -> Vec<(String, Verdict, Option<ArtefactId>)> {
    judge(&story.state)
        .into_iter()
        .map(|judgement| (judgement.object.id, judgement.verdict, judgement.artefact))
        .collect()
}

/// The values that an attribute has to have again, if anything is done about it.
fn wanted(story: &Story, name: &str) -> Option<Vec<String>> {
    let observed = story
        .state
        .snapshot()?
        .objects
        .iter()
        .find(|seen| seen.object.id == format!("u1/{name}"))?;
    restored_values(&story.state, observed).map(|restored| restored.values)
}

const BEFORE: &str = "2026-02-20T10:00:00Z";
const DURING: &str = "2026-02-28T10:00:00Z";
const LATER: &str = "2026-03-01T10:00:00Z";

#[test]
fn an_app_role_is_told_by_the_app_and_the_time_of_its_record() {
    let role_of = Some(ArtefactId::APP_ROLE);
    let mut story = Story::begin();
    story.first_known_bad = Some("2026-02-27T13:00:00Z".parse().unwrap());
    story.objects = vec![
        role("own", "sp1", BEFORE),
        role("old", "sp2", BEFORE),
        role("unsaid", "sp3", DURING),
        // The same app, which an administrator had assigned before in another role.
        role("theirs", "sp1", DURING),
    ];
    story.changes = vec![
        assigned("sp1", BEFORE, Origin::User),
        assigned("sp1", DURING, Origin::Attacker),
    ];
    story.go_to(Phase::Approving);
    assert_eq!(
        verdicts(&story),
        [
            ("own".into(), Verdict::Legitimate, role_of),
            ("old".into(), Verdict::Legitimate, role_of),
            ("unsaid".into(), Verdict::Unclear, role_of),
            ("theirs".into(), Verdict::Foothold, role_of),
        ]
    );
    let plan = story.state.plan().unwrap();
    let withdrawn: Vec<&str> = plan
        .actions
        .iter()
        .filter(|action| action.kind == ActionKind::RemoveAppRole)
        .map(|action| action.object.id.as_str())
        .collect();
    assert_eq!(withdrawn, ["theirs"]);
}

#[test]
fn a_number_in_the_owners_place_goes_and_the_owners_comes_back() {
    let mut story = Story::begin();
    story.objects = vec![
        attribute("mobilePhone", &["+44 7900"]),
        attribute("businessPhones", &["+49 30 1"]),
        attribute("otherMails", &[]),
    ];
    story.changes = vec![told(
        DURING,
        "Mobile",
        Some("[\"+49 151 2\"]"),
        "[\"+44 7900\"]",
        Origin::Attacker,
    )];
    story.go_to(Phase::Approving);
    assert_eq!(
        verdicts(&story)
            .into_iter()
            .map(|(_, verdict, _)| verdict)
            .collect::<Vec<_>>(),
        [Verdict::Foothold, Verdict::Legitimate, Verdict::Legitimate]
    );
    assert_eq!(
        wanted(&story, "mobilePhone"),
        Some(vec!["+49 151 2".into()])
    );
    let plan = story.state.plan().unwrap();
    assert!(
        plan.actions
            .iter()
            .any(|action| action.kind == ActionKind::RestoreResetAttribute)
    );
}

#[test]
fn of_several_addresses_the_attackers_alone_goes_also_when_the_owner_added_one_since() {
    let mut story = Story::begin();
    story.objects = vec![attribute(
        "otherMails",
        &["Own@Home.test", "x9@drop.test", "new@home.test"],
    )];
    story.changes = vec![
        told(
            DURING,
            "OtherMail",
            Some("[\"Own@Home.test\",\"second@home.test\"]"),
            "[\"Own@Home.test\",\"x9@drop.test\"]",
            Origin::Attacker,
        ),
        told(
            LATER,
            "OtherMail",
            Some("[\"Own@Home.test\",\"x9@drop.test\"]"),
            "[\"Own@Home.test\",\"x9@drop.test\",\"new@home.test\"]",
            Origin::User,
        ),
    ];
    story.go_to(Phase::Approving);
    assert_eq!(
        wanted(&story, "otherMails"),
        Some(vec![
            "Own@Home.test".into(),
            "new@home.test".into(),
            "second@home.test".into()
        ])
    );
}

#[test]
fn what_the_owner_has_changed_back_since_is_left_alone() {
    let mut story = Story::begin();
    story.objects = vec![attribute("mobilePhone", &["+49 151 3"])];
    story.changes = vec![
        told(
            DURING,
            "Mobile",
            Some("[\"+49 151 2\"]"),
            "[\"+44 7900\"]",
            Origin::Attacker,
        ),
        told(
            LATER,
            "Mobile",
            Some("[\"+44 7900\"]"),
            "[\"+49 151 3\"]",
            Origin::User,
        ),
    ];
    story.go_to(Phase::Approving);
    assert_eq!(wanted(&story, "mobilePhone"), None);
    assert_eq!(verdicts(&story)[0].1, Verdict::Legitimate);
}

#[test]
fn a_number_that_the_attacker_took_away_comes_back() {
    let mut story = Story::begin();
    story.objects = vec![attribute("mobilePhone", &[])];
    story.changes = vec![told(
        DURING,
        "Mobile",
        Some("[\"+49 151 2\"]"),
        "[]",
        Origin::Attacker,
    )];
    story.go_to(Phase::Approving);
    assert_eq!(
        wanted(&story, "mobilePhone"),
        Some(vec!["+49 151 2".into()])
    );
}

#[test]
fn without_the_value_before_or_the_author_a_person_is_asked() {
    for (from, by) in [
        (None, Origin::Attacker),
        (Some("[\"+49 151 2\"]"), Origin::Unknown),
    ] {
        let mut story = Story::begin();
        story.objects = vec![attribute("mobilePhone", &["+44 7900"])];
        story.changes = vec![told(DURING, "Mobile", from, "[\"+44 7900\"]", by)];
        story.go_to(Phase::Approving);
        assert_eq!(wanted(&story, "mobilePhone"), None, "{by:?}");
        assert_eq!(verdicts(&story)[0].1, Verdict::Unclear, "{by:?}");
    }
}
