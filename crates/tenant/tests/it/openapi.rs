//! What the client sends, held against Microsoft's own description of it.

use std::path::PathBuf;

use retake_tenant::client::{AuditQuery, Tenant};
use retake_tenant::model::{Grant, MessageRule};
use retake_tenant::{Prepared, Verb, call};
use serde_json::{Value, json};

use crate::world::{USER, World, json_answer, start};

/// One of the OpenAPI subsets, if they are there.
fn subset(version: &str) -> Option<Value> {
    let shared = std::env::var_os("RETAKE_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = shared.join(format!("reference/graph-openapi-subset-{version}.json"));
    match std::fs::read(&path) {
        Ok(bytes) => Some(serde_json::from_slice(&bytes).unwrap()),
        Err(error) => {
            println!("skipped: {} cannot be read ({error})", path.display());
            None
        }
    }
}

/// Names of path parameters differ between the subsets and the table.
fn shape(path: &str) -> Vec<String> {
    path.split('/')
        .map(|part| {
            if part.starts_with('{') {
                "{}".to_owned()
            } else {
                part.to_owned()
            }
        })
        .collect()
}

/// Paths that are documented in words though the subsets do not have them.
const NOT_IN_SUBSETS: &[&str] = &[
    "graph.apps.find",       // an alternate key, not a path of its own
    "graph.apps.read_batch", // the rules of a batch are checked where batches are
    "graph.audit.create_beta",
    "graph.audit.status_beta",
    "graph.audit.records_beta",
    "graph.users.deleted",       // a cast of a path that they have
    "graph.methods.delete",      // one path for each kind
    "graph.methods.delete_beta", // likewise
];

#[test]
fn every_graph_call_of_the_table_is_a_documented_path() {
    let (Some(v1), Some(beta)) = (subset("v1.0"), subset("beta")) else {
        return;
    };
    for spec in call::CALLS {
        let (document, path) = if let Some(path) = spec.path_template.strip_prefix("/v1.0") {
            (&v1, path)
        } else if let Some(path) = spec.path_template.strip_prefix("/beta") {
            (&beta, path)
        } else {
            continue;
        };
        let wanted: Vec<_> = shape(path)
            .into_iter()
            .map(|part| if part == "inbox" { "{}".into() } else { part })
            .collect();
        let method = spec.method.as_str().to_lowercase();
        let documented = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .any(|(path, methods)| shape(path) == wanted && methods.get(&method).is_some());
        assert_eq!(
            documented,
            !NOT_IN_SUBSETS.contains(&spec.id),
            "{} {}",
            spec.id,
            spec.signature()
        );
    }
}

/// Graph's change bodies: which schema, which body.
fn bodies(tenant: &Tenant) -> Vec<(&'static str, &'static str, Prepared)> {
    let rule: MessageRule = serde_json::from_value(json!({"id": "r", "displayName": "n", "sequence": 1, "isEnabled": true,
        "conditions": {"senderContains": ["a"]}, "actions": {"forwardTo": [{"emailAddress": {"address": "a@b.example"}}], "markAsRead": true}}))
    .unwrap();
    let grant: Grant = serde_json::from_value(
        json!({"id": "g", "clientId": "c", "consentType": "Principal",
        "principalId": USER, "resourceId": "r", "scope": "Mail.Read"}),
    )
    .unwrap();
    vec![
        (
            "/users/{user-id}",
            "patch",
            tenant.prepare_block(USER).unwrap(),
        ),
        (
            "/users/{user-id}",
            "patch",
            tenant.prepare_unblock(USER).unwrap(),
        ),
        (
            "/identityProtection/riskyUsers/confirmCompromised",
            "post",
            tenant.prepare_confirm_compromised(USER).unwrap(),
        ),
        (
            "/users/{user-id}/mailFolders/{mailFolder-id}/messageRules",
            "post",
            tenant.prepare_create_graph_rule(USER, &rule).unwrap(),
        ),
        (
            "/oauth2PermissionGrants",
            "post",
            tenant.prepare_create_grant(&grant).unwrap(),
        ),
    ]
}

#[test]
fn bodies_of_changes_have_the_documented_form() {
    let Some(v1) = subset("v1.0") else {
        return;
    };
    let world = World::new([json_answer(201, &json!({"id": "q"}))]);
    for (path, method, prepared) in bodies(&world.tenant) {
        check(&v1, path, method, &prepared.body_json().unwrap());
    }
    let query = AuditQuery {
        display_name: "x".into(),
        start: start(),
        end: start(),
        record_types: vec!["ExchangeItemAggregated".into()],
        operations: vec!["Send".into()],
        users: vec!["a@b.example".into()],
        ip_addresses: vec!["192.0.2.1".into()],
        objects: vec!["o".into()],
    };
    world.run(world.tenant.start_audit_search(&query)).unwrap();
    let body = world.services.seen()[0].json();
    check(
        &v1,
        "/security/auditLog/queries",
        Verb::Post.as_str().to_lowercase().as_str(),
        &body,
    );
}

/// Validates a body, and that the schema knows every one of its properties.
fn check(document: &Value, path: &str, method: &str, body: &Value) {
    let schema =
        &document["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"];
    assert!(
        schema.is_object(),
        "{method} {path} has no body in the subset"
    );
    let mut whole = json!({"components": document["components"]});
    for (key, value) in schema.as_object().unwrap() {
        whole[key] = value.clone();
    }
    let validator = jsonschema::validator_for(&whole).unwrap();
    if let Err(error) = validator.validate(body) {
        panic!("{method} {path}: {error}");
    }
    let mut known = Vec::new();
    properties(document, schema, &mut known);
    for name in body.as_object().unwrap().keys() {
        assert!(
            known.contains(name),
            "{method} {path}: `{name}` is not documented"
        );
    }
}

fn properties(document: &Value, schema: &Value, known: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.trim_start_matches('#')).unwrap();
        properties(document, target, known);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        properties(document, part, known);
    }
    known.extend(
        schema["properties"]
            .as_object()
            .into_iter()
            .flat_map(|all| all.keys().cloned()),
    );
}
