//! App roles of a user, and the properties that self-service reset goes by.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::Story;

/// The records of the directory with this name, the newest first.
fn records(story: &mut Story, name: &str) -> Vec<Value> {
    story.wait(SignedDuration::from_mins(10));
    story.renew();
    let seen = story.get("/v1.0/auditLogs/directoryAudits?$top=100");
    assert_eq!(seen.status, 200, "{:?}", seen.body);
    seen.list()
        .iter()
        .filter(|record| record["activityDisplayName"] == name)
        .cloned()
        .collect()
}

/// The new value of a property in a record.
fn modified<'a>(record: &'a Value, name: &str) -> Option<&'a Value> {
    record["targetResources"]
        .as_array()?
        .iter()
        .filter_map(|target| target["modifiedProperties"].as_array())
        .flatten()
        .find(|property| property["displayName"] == name)
}

/// Reference §5, §7.3: user-to-app access is listed, given and withdrawn apart from
/// consents, and its records name the app and not the assignment.
#[test]
fn an_app_role_of_a_user_is_assigned_listed_and_withdrawn_and_a_consent_stays() {
    let mut story = Story::new(4);
    let user = story.user();
    let grants = format!("/v1.0/users/{user}/oauth2PermissionGrants");
    let before = story.get(&grants);
    let app = before.list()[0]["clientId"].as_str().unwrap().to_owned();
    let roles = format!("/v1.0/users/{user}/appRoleAssignments");
    let account = story.account()["id"].as_str().unwrap().to_owned();
    let body = json!({
        "principalId": account,
        "resourceId": app,
        "appRoleId": "00000000-0000-0000-0000-000000000000",
    });
    let made = story.graph("POST", &roles, Some(body.clone()));
    assert_eq!(made.status, 201, "{:?}", made.body);
    let id = made.body["id"].as_str().unwrap().to_owned();
    let again = story.graph("POST", &roles, Some(body));
    assert_eq!((again.status, again.code()), (400, "Request_BadRequest"));
    let listed = story.get(&roles);
    let row = listed
        .list()
        .iter()
        .find(|row| row["id"] == id.as_str())
        .unwrap();
    assert_eq!(row["resourceId"], app.as_str());
    assert_eq!(row["principalType"], "User");
    assert!(row["createdDateTime"].is_string());
    let added = records(&mut story, "Add app role assignment grant to user");
    let target = &added[0]["targetResources"][0];
    assert_eq!(target["id"], app.as_str());
    assert!(!added[0].to_string().contains(&id), "{}", added[0]);
    assert!(modified(&added[0], "User.ObjectID").is_some());

    let path = format!("{roles}/{id}");
    assert_eq!(story.graph("DELETE", &path, None).status, 204);
    assert_eq!(story.graph("DELETE", &path, None).status, 404);
    assert!(
        story
            .get(&roles)
            .list()
            .iter()
            .all(|row| row["id"] != id.as_str())
    );
    assert_eq!(story.get(&grants).list().len(), before.list().len());
    assert_eq!(
        records(&mut story, "Remove app role assignment from user").len(),
        1
    );
}

/// Reference §2.1: phone and other mail are properties of the account; what they were
/// and are stands in the record.
#[test]
fn what_self_service_reset_goes_by_is_set_and_recorded_with_what_it_was() {
    let mut story = Story::new(2);
    let user = story.user();
    let path = format!("/v1.0/users/{user}");
    for (property, word, values) in [
        (
            "otherMails",
            "OtherMail",
            [json!(["a@home.example"]), json!(["b@home.example"])],
        ),
        ("mobilePhone", "Mobile", [json!("+49 151 1"), json!(null)]),
        (
            "businessPhones",
            "TelephoneNumber",
            [json!(["+49 30 1"]), json!([])],
        ),
    ] {
        for value in &values {
            let set = story.graph("PATCH", &path, Some(json!({ property: value })));
            assert_eq!(set.status, 204, "{:?}", set.body);
            let read = story.get(&format!("{path}?$select={property}"));
            assert_eq!(&read.body[property], value);
        }
        let written = records(&mut story, "Update user");
        let changes: Vec<(String, String)> = written
            .iter()
            .filter_map(|record| modified(record, word))
            .map(|change| {
                let text = |side: &str| change[side].as_str().unwrap_or_default().to_owned();
                (text("oldValue"), text("newValue"))
            })
            .collect();
        let as_list = |value: &Value| match value {
            Value::String(text) => json!([text]).to_string(),
            Value::Null => json!([]).to_string(),
            list => list.to_string(),
        };
        let last = (as_list(&values[0]), as_list(&values[1]));
        assert!(changes.contains(&last), "{last:?} in {changes:?}");
    }
}

/// Reference §2.1, §2.2: whoever holds the phone or address gets a new password, as long
/// as it stands there and the account is open.
#[test]
fn a_changed_contact_resets_the_password_until_it_is_gone_or_the_account_blocked() {
    let scenario = retake_lab::Scenario::find("device-code").unwrap();
    let lab = retake_lab::Lab::new(&scenario, 3).unwrap();
    let mut story = Story::with(lab);
    let truth = story.truth();
    let held = truth["artefacts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|held| held["id"] == "A42")
        .unwrap()
        .clone();
    let property = held["object"]["id"]
        .as_str()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap();
    let got = |story: &Story| story.attempts("A42").last().map(|(_, got)| got.clone());
    story.wait(SignedDuration::from_mins(30));
    assert_eq!(got(&story).as_deref(), Some("\"token\""));
    let path = format!("/v1.0/users/{}", story.user());
    let empty = if property == "mobilePhone" {
        json!(null)
    } else {
        json!([])
    };
    story.renew();
    let cleared = story.graph("PATCH", &path, Some(json!({ property: empty })));
    assert_eq!(cleared.status, 204, "{:?}", cleared.body);
    story.wait(SignedDuration::from_mins(30));
    assert_eq!(got(&story).as_deref(), Some("\"nothing\""));
}
