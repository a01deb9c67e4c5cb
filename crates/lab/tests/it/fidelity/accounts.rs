//! Accounts that are not an ordinary member with a licence and a mailbox.

use jiff::SignedDuration;
use serde_json::json;

use super::{story, text};
use retake_lab::Scenario;

fn percent(key: &str) -> String {
    key.replace('%', "%25")
        .replace('#', "%23")
        .replace('@', "%40")
        .replace('\'', "%27")
}

/// Reference, how to read it, and §2.1.
#[test]
fn a_guests_name_is_found_percent_encoded_and_cut_short_without() {
    let mut story = guest();
    let upn = story.user();
    assert!(upn.contains("#EXT#@"), "{upn}");
    let read = story.get(&format!(
        "/v1.0/users/{}?$select=id,userType,mail",
        percent(&upn)
    ));
    assert_eq!(read.status, 200, "{:?}", read.body);
    assert_eq!(read.body["userType"], "Guest");
    let before_the_hash = upn.split('#').next().unwrap().to_owned();
    assert_eq!(
        story.get(&format!("/v1.0/users/{before_the_hash}")).status,
        404
    );
}

fn guest() -> crate::support::Story {
    let mut all: toml::Table = text(&[("account", "kind = \"guest\"")]).parse().unwrap();
    for (list, word) in [("step", "do"), ("bait", "kind")] {
        all[list].as_array_mut().unwrap().retain(|item| {
            let word = item[word].as_str().unwrap();
            ["phish", "open_session", "consent_app"].contains(&word)
        });
    }
    all["money_moved"] = toml::Value::Boolean(false);
    let evict = ["A01", "A02", "A03", "A20"].map(toml::Value::from);
    all["expect"]["evict"] = toml::Value::Array(evict.to_vec());
    let scenario = Scenario::parse("guest.toml".as_ref(), &all.to_string()).unwrap();
    crate::support::Story::with(retake_lab::Lab::new(&scenario, 1).unwrap())
}

/// Reference §2.1 (revoke sessions), §9.2: nothing here ends a guest's tokens.
#[test]
fn revoking_a_guest_succeeds_and_ends_nothing() {
    let mut story = guest();
    let id = story.truth()["account"]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1.0/users/{id}/revokeSignInSessions");
    assert_eq!(story.graph("POST", &path, Some(json!({}))).status, 200);
    let revoked = story.now;
    story.wait(SignedDuration::from_mins(45));
    assert!(
        story
            .attempts("A02")
            .iter()
            .any(|(at, got)| *at > revoked && got.contains("token")),
        "{:?}",
        story.attempts("A02")
    );
    // The password is the home tenant's.
    let body = json!({"passwordProfile": {"password": "Longer-than-8!", "forceChangePasswordNextSignIn": true}});
    let refused = story.graph("PATCH", &format!("/v1.0/users/{id}"), Some(body));
    assert_eq!(
        (refused.status, refused.code()),
        (400, "Request_BadRequest")
    );
}

/// Reference §0.8, §3: neither tenant-wide roles nor application permissions count.
#[test]
fn a_restricted_units_member_is_out_of_reach_of_tenant_wide_rights() {
    for (roles, wanted) in [("[]", 403), ("[\"User Administrator\"]", 204)] {
        let mut story = story(
            &[
                ("account", "kind = \"restricted\""),
                ("responder", &format!("unit_roles = {roles}")),
            ],
            2,
        );
        let user = story.user();
        let read = story.get(&format!(
            "/v1.0/users/{user}?$select=isManagementRestricted"
        ));
        assert_eq!(read.body["isManagementRestricted"], true);
        let path = format!("/v1.0/users/{user}");
        let block = story.graph("PATCH", &path, Some(json!({"accountEnabled": false})));
        assert_eq!(block.status, wanted, "{roles}: {:?}", block.body);
        let revoke = story.graph(
            "POST",
            &format!("{path}/revokeSignInSessions"),
            Some(json!({})),
        );
        assert_eq!(revoke.status == 200, wanted == 204, "{roles}");
        if wanted == 403 {
            assert_eq!(block.code(), "Authorization_RequestDenied");
            let unit = story.get(&format!("{path}/transitiveMemberOf"));
            assert!(unit.list().iter().any(|object| {
                object["@odata.type"] == "#microsoft.graph.administrativeUnit"
                    && object["isMemberManagementRestricted"] == true
            }));
        }
        // The mailbox is not the unit's to protect.
        let set = story.cmdlet(
            "Set-Mailbox",
            json!({"Identity": user, "ForwardingSmtpAddress": null, "ForwardingAddress": null}),
        );
        assert_eq!(set.status, 200, "{:?}", set.body);
    }
}

/// Reference §2.1, the table of who may reset and change whom.
#[test]
fn a_protected_administrator_needs_a_role_above_it() {
    let account = "kind = \"administrator\"\nroles = [\"Exchange Administrator\"]";
    for (role, wanted) in [
        ("User Administrator", 403),
        ("Privileged Authentication Administrator", 204),
    ] {
        let roles = format!("roles = [\"{role}\"]");
        let mut story = story(&[("account", account), ("responder", &roles)], 2);
        let path = format!("/v1.0/users/{}", story.user());
        let block = story.graph("PATCH", &path, Some(json!({"accountEnabled": false})));
        assert_eq!(block.status, wanted, "{role}: {:?}", block.body);
    }
}

/// Reference §2.1 (restore deleted user), §9.3.
#[test]
fn a_deleted_user_is_in_the_bin_and_comes_back_as_it_was() {
    let mut story = story(
        &[
            ("account", "kind = \"deleted\""),
            (
                "responder",
                "permissions = [\"User.Read.All\", \"User.DeleteRestore.All\", \"Exchange.ManageAsApp\"]",
            ),
        ],
        3,
    );
    let upn = story.user();
    assert_eq!(story.get(&format!("/v1.0/users/{upn}")).status, 404);
    let bin = story.get("/v1.0/directory/deletedItems/microsoft.graph.user");
    let held = bin.list()[0].clone();
    let id = held["id"].as_str().unwrap().to_owned();
    assert_eq!(
        held["userPrincipalName"],
        format!("{}{upn}", id.replace('-', ""))
    );
    assert!(held["deletedDateTime"].is_string());
    let back = story.graph(
        "POST",
        &format!("/v1.0/directory/deletedItems/{id}/restore"),
        Some(json!({})),
    );
    assert_eq!(back.status, 200, "{:?}", back.body);
    assert_eq!(story.get(&format!("/v1.0/users/{upn}")).status, 200);
}

/// The name in the alert is the old one; a mail address is no key of the directory.
#[test]
fn a_renamed_user_is_found_by_the_old_address_and_not_by_the_old_name() {
    let mut story = story(&[("account", "kind = \"renamed\"")], 3);
    let old = story.user();
    assert_eq!(story.get(&format!("/v1.0/users/{old}")).status, 404);
    let filter = format!("proxyAddresses/any(p:p eq 'smtp:{old}')").replace(' ', "%20");
    let found = story.get(&format!(
        "/v1.0/users?$filter={filter}&$select=id,userPrincipalName,proxyAddresses"
    ));
    assert_eq!(found.list().len(), 1, "{:?}", found.body);
    assert_ne!(found.list()[0]["userPrincipalName"], old.as_str());
}

/// Reference §2.1: for a synced user the on-premises value comes back.
#[test]
fn a_sync_cycle_puts_a_cloud_only_block_back() {
    let mut story = story(&[("account", "kind = \"synced\"\nsync_every = \"30m\"")], 4);
    let path = format!("/v1.0/users/{}", story.user());
    let block = story.graph("PATCH", &path, Some(json!({"accountEnabled": false})));
    assert_eq!(block.status, 204);
    story.wait(SignedDuration::from_mins(31));
    let read = story.get(&format!(
        "{path}?$select=accountEnabled,onPremisesSyncEnabled,onPremisesLastSyncDateTime"
    ));
    assert_eq!(read.body["accountEnabled"], true);
    assert_eq!(read.body["onPremisesSyncEnabled"], true);
    let body = json!({"passwordProfile": {"password": "Longer-than-8!"}});
    let refused = story.graph("PATCH", &path, Some(body));
    assert_eq!(refused.status, 400);
    assert!(
        refused.body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("on-premises mastered")
    );
}

/// Reference §2.1 (set password): not possible for federated users.
#[test]
fn a_federated_domain_says_so_and_its_passwords_are_not_ours() {
    let mut story = story(&[("account", "kind = \"federated\"")], 4);
    let user = story.user();
    let domain = user.split('@').next_back().unwrap();
    let domains = story.get("/v1.0/domains");
    let held = domains
        .list()
        .iter()
        .find(|held| held["id"] == domain)
        .unwrap();
    assert_eq!(held["authenticationType"], "Federated");
    let body = json!({"passwordProfile": {"password": "Longer-than-8!"}});
    let refused = story.graph("PATCH", &format!("/v1.0/users/{user}"), Some(body));
    assert_eq!(refused.status, 400);
}

/// A file whose account does not fit is refused with file, line and reason.
#[test]
fn an_account_that_does_not_fit_the_scenario_is_refused() {
    for (account, reason) in [
        (
            "kind = \"no_mailbox\"",
            "`read_mail` needs a mailbox, and a `no_mailbox` account has none",
        ),
        (
            "kind = \"administrator\"",
            "account.roles: an `administrator` holds at least one",
        ),
        (
            "roles = [\"Global Administrator\"]",
            "other accounts hold none",
        ),
        (
            "kind = \"administrator\"\nroles = [\"King\"]",
            "`King` is no directory role of the lab",
        ),
        (
            "alias = \"a@b\"",
            "account.alias: one or more characters without",
        ),
        ("kind = \"robot\"", "unknown variant `robot`"),
    ] {
        let text = text(&[("account", account)]);
        let error = Scenario::parse("mine.toml".as_ref(), &text).unwrap_err();
        let said = error.to_string();
        assert!(said.starts_with("mine.toml:"), "{said}");
        assert!(said.contains(reason), "{said}");
    }
}
