//! `retake tenant` and `retake teardown` as a stranger meets them, and the guide that
//! leads there: every command in it exists, and the lab takes it to a green check.

use std::collections::BTreeSet;

use retake_responder::preflight::{PERMISSIONS, Set};
use serde_json::Value;

use crate::stranger::{Home, Served};

/// A home with a served lab and a profile of it.
fn practice() -> (Home, Served) {
    let home = Home::new();
    let served = Served::to(&home);
    let added = home.retake(&["tenant", "add", "practice", "--cloud", "lab", "--no-check"]);
    assert_eq!(added.code, 0, "{}", added.session());
    (home, served)
}

#[test]
fn a_stranger_adds_the_lab_and_the_check_is_green_over_tls() {
    let home = Home::new();
    let served = Served::to(&home);
    let before = served.state();
    let added = home.retake(&["tenant", "add", "practice", "--cloud", "lab"]);
    assert_eq!(added.code, 0, "{}", added.session());
    for part in [
        "REGISTRATION",
        "To read",
        "To respond",
        "Optional",
        "ActivityFeed.Read",
        "MANIFEST",
        "ready",
    ] {
        assert!(added.stdout.contains(part), "{part}: {}", added.stdout);
    }
    assert!(!added.stdout.contains("CANNOT"), "{}", added.stdout);

    let checked = home.retake(&["tenant", "check", "practice"]);
    assert_eq!(checked.code, 0, "{}", checked.session());
    assert!(checked.stdout.lines().count() <= 30, "{}", checked.stdout);
    assert_eq!(checked.stdout.matches("S2.1").count(), 1);
    for part in [
        "unified audit log",
        "external forwarding",
        "30 days",
        "licences",
    ] {
        assert!(checked.stdout.contains(part), "{part}: {}", checked.stdout);
    }
    assert_eq!(served.changes(), 0, "a check changes nothing");
    assert_eq!(served.state(), before);

    let listed = home.retake(&["tenant", "list"]);
    assert!(listed.stdout.contains("practice"), "{}", listed.stdout);
}

#[test]
fn as_json_it_has_a_schema_and_says_how_each_right_is_known() {
    let (home, _served) = practice();
    let checked = home.retake(&["tenant", "check", "practice", "--json"]);
    assert_eq!(checked.code, 0, "{}", checked.session());
    let found = checked.json();
    assert_eq!(found["schema"], "retake.check/1");
    assert_eq!(found["signed_in_as"], "app");
    assert_eq!(found["set"], "response");
    let names: BTreeSet<&str> = found["permissions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["name"].as_str().unwrap())
        .collect();
    let declared: BTreeSet<&str> = Set::Response.permissions().map(|one| one.name).collect();
    assert_eq!(names, declared);
    for line in found["permissions"].as_array().unwrap() {
        assert_eq!(line["can"], "yes", "{line}");
        // What only changes is read from the token; what reads was tried.
        let reads = PERMISSIONS
            .iter()
            .find(|one| one.name == line["name"])
            .unwrap()
            .calls(Set::Response)
            // The check does not read anybody's app roles.
            .any(|call| !call.change && call.id != "graph.apps.roles_of_user");
        let how = line["how"].as_str().unwrap();
        assert_eq!(how.contains("went through"), reads, "{line}");
    }
}

#[test]
fn a_missing_permission_is_named_with_its_steps_and_the_exit_code_says_so() {
    let (home, served) = practice();
    served.permit("User.RevokeSessions.All", false);
    let checked = home.retake(&["tenant", "check", "practice"]);
    assert_eq!(checked.code, 3, "{}", checked.session());
    let screen = &checked.stdout;
    assert!(screen.contains("CANNOT RUN S3.1"), "{screen}");
    assert!(screen.contains("`User.RevokeSessions.All`"), "{screen}");
    assert!(screen.contains(&served.briefing.client_id), "{screen}");
    assert!(screen.contains("admin consent"), "{screen}");
    // It is not only colour.
    assert!(!screen.contains('\u{1b}'), "{screen}");

    served.permit("User.RevokeSessions.All", true);
    assert_eq!(home.retake(&["tenant", "check", "practice"]).code, 0);
}

#[test]
fn a_missing_role_is_named_with_whom_to_give_it() {
    let (home, served) = practice();
    let role = |granted| {
        served
            .server
            .with(|lab, _| lab.set_role("Exchange Administrator", granted))
    };
    assert!(role(false));
    let checked = home.retake(&["tenant", "check", "practice"]);
    assert_eq!(checked.code, 3, "{}", checked.session());
    assert!(
        checked
            .stdout
            .contains("give the role `Exchange Administrator` to the service principal of the app"),
        "{}",
        checked.stdout
    );
    assert!(role(true));
    assert_eq!(home.retake(&["tenant", "check", "practice"]).code, 0);
}

#[test]
fn a_case_that_may_not_revoke_stops_before_anything_is_changed_and_goes_on_when_it_may() {
    let (home, served) = practice();
    served.permit("User.RevokeSessions.All", false);
    let user = served.user().to_owned();
    let contain = [
        "contain", &user, "--tenant", "practice", "--as", "Robin", "--yes",
    ];
    let stopped = home.retake(&contain);
    assert_eq!(stopped.code, 3, "{}", stopped.session());
    assert!(
        stopped.stderr.contains("nothing was changed"),
        "{}",
        stopped.stderr
    );
    assert!(
        stopped.stderr.contains("`User.RevokeSessions.All`"),
        "{}",
        stopped.stderr
    );
    assert_eq!(served.changes(), 0);

    served.permit("User.RevokeSessions.All", true);
    let contained = home.retake(&contain);
    assert_eq!(contained.code, 0, "{}", contained.session());
    assert_eq!(served.changes(), 2);
}

#[test]
fn a_break_glass_account_is_touched_on_purpose_alone_and_the_reason_stays() {
    let home = Home::new();
    let served = Served::to(&home);
    let user = served.user().to_owned();
    let added = home.retake(&[
        "tenant",
        "add",
        "practice",
        "--cloud",
        "lab",
        "--no-check",
        "--break-glass",
        &user,
    ]);
    assert_eq!(added.code, 0, "{}", added.session());
    let contain = [
        "contain", &user, "--tenant", "practice", "--as", "Robin", "--yes",
    ];
    let stopped = home.retake(&contain);
    assert_eq!(stopped.code, 1, "{}", stopped.session());
    assert!(
        stopped.stderr.contains("accounts for emergencies"),
        "{}",
        stopped.stderr
    );
    assert_eq!(served.changes(), 0);

    let mut on_purpose = contain.to_vec();
    on_purpose.extend([
        "--despite",
        "it is the phished account, the other one works",
    ]);
    let contained = home.retake(&on_purpose);
    assert_eq!(contained.code, 0, "{}", contained.session());
    assert_eq!(served.changes(), 2);
    let log = home.retake(&["case", "log", &home.case()]);
    assert!(log.stdout.contains("the other one works"), "{}", log.stdout);

    // The check says that it is no account for emergencies as it stands.
    let checked = home.retake(&["tenant", "check", "practice"]);
    assert!(
        checked.stdout.contains("it is disabled"),
        "{}",
        checked.stdout
    );
}

#[test]
fn a_script_without_enough_flags_is_told_which_and_writes_nothing() {
    let home = Home::new();
    let add = |more: &[&str]| {
        let mut all = vec!["tenant", "add", "contoso"];
        all.extend(more);
        home.retake(&all)
    };
    for (given, named) in [
        (&[][..], "--tenant-id"),
        (&["--tenant-id", "t1"][..], "--sign-in"),
        (
            &["--tenant-id", "t1", "--sign-in", "certificate"][..],
            "--certificate-file",
        ),
        (
            &["--tenant-id", "t1", "--sign-in", "owl"][..],
            "workload-identity",
        ),
        (&["--tenant-id", "t1", "--cloud", "owl"][..], "gcc-high"),
    ] {
        let refused = add(given);
        assert_eq!(refused.code, 2, "{}", refused.session());
        assert!(refused.stderr.contains(named), "{}", refused.session());
    }
    // Without a client id there is a registration to be made first.
    let manifest = home.path().join("retake.json");
    let first = add(&[
        "--tenant-id",
        "t1",
        "--sign-in",
        "device-code",
        "--manifest",
        manifest.to_str().unwrap(),
    ]);
    assert_eq!(first.code, 1, "{}", first.session());
    let manifest: Value = serde_json::from_slice(&std::fs::read(manifest).unwrap()).unwrap();
    assert_eq!(manifest["signInAudience"], "AzureADMyOrg");
    assert_eq!(manifest["isFallbackPublicClient"], true);
    assert!(
        manifest["requiredResourceAccess"][0]["resourceAccess"]
            .as_array()
            .unwrap()
            .len()
            > 8
    );
    assert_eq!(home.names(), ["retake.json"]);

    let second = add(&[
        "--tenant-id",
        "t1",
        "--sign-in",
        "device-code",
        "--client-id",
        "c1",
        "--no-check",
    ]);
    assert_eq!(second.code, 0, "{}", second.session());
    assert!(
        second.stdout.contains("/t1/adminconsent?client_id=c1"),
        "{}",
        second.stdout
    );
    let again = add(&["--tenant-id", "t2", "--sign-in", "device-code"]);
    assert_eq!(again.code, 2, "{}", again.session());
}

#[test]
fn teardown_says_what_stands_in_the_tenant_and_takes_the_profile_but_no_case() {
    let (home, served) = practice();
    let user = served.user().to_owned();
    let contained = home.retake(&[
        "contain", &user, "--tenant", "practice", "--as", "Robin", "--yes",
    ]);
    assert_eq!(contained.code, 0, "{}", contained.session());

    let asked = home.retake(&["teardown", "practice"]);
    assert_eq!(asked.code, 1, "{}", asked.session());
    assert!(home.names().contains(&"tenants/practice.toml".to_owned()));
    let done = home.retake(&["teardown", "practice", "--yes"]);
    assert_eq!(done.code, 0, "{}", done.session());
    assert!(!home.names().contains(&"tenants/practice.toml".to_owned()));
    assert_eq!(home.cases().len(), 1, "cases stay");
    assert_eq!(home.retake(&["tenant", "remove", "practice"]).code, 2);

    let real = home.retake(&[
        "tenant",
        "add",
        "contoso",
        "--tenant-id",
        "t1",
        "--sign-in",
        "device-code",
        "--client-id",
        "c1",
        "--no-check",
    ]);
    assert_eq!(real.code, 0, "{}", real.session());
    let torn = home.retake(&["teardown", "contoso", "--yes"]);
    assert!(
        torn.stdout.contains("az ad app delete --id c1"),
        "{}",
        torn.stdout
    );
}

/// The guide: each of its commands is one that the program knows, and each permission
/// of the response set has its reason there.
#[test]
fn the_guide_names_commands_that_exist_and_every_permission_with_its_reason() {
    let guide = include_str!("../../../../docs/guide/real-tenant.md");
    let home = Home::new();
    let mut commands = 0;
    for line in guide.lines().filter(|line| line.starts_with("retake ")) {
        commands += 1;
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        let name = words
            .iter()
            .position(|word| word.starts_with("--"))
            .unwrap_or(words.len());
        let parts: Vec<&str> = words[..name].iter().copied().take(2).collect();
        let mut help: Vec<&str> = parts.clone();
        help.push("--help");
        let known = home.retake(&help);
        assert_eq!(known.code, 0, "{line}: {}", known.session());
        for flag in words.iter().filter(|word| word.starts_with("--")) {
            assert!(known.stdout.contains(flag), "{line}: no {flag}");
        }
    }
    assert!(commands >= 6, "the guide lost its commands");
    for permission in Set::Response.permissions() {
        let row = format!("| {} | ", permission.name);
        let reason = guide.lines().find(|line| line.starts_with(&row));
        let steps = permission.steps(Set::Response);
        let reason = reason.unwrap_or_else(|| panic!("{} has no reason", permission.name));
        assert!(
            steps.iter().any(|step| reason.contains(&step.to_string())),
            "{reason}"
        );
    }
    for line in guide
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains(".All | "))
    {
        let name = line.trim_start_matches("| ").split(" | ").next().unwrap();
        assert!(
            Set::Response
                .permissions()
                .any(|permission| permission.name == name),
            "{name} is in the guide and not in the set"
        );
    }
}
