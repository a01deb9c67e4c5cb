//! Answers against the OpenAPI subsets: no unknown property, right types.

use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::{Map, Value, json};

/// Deviations from the subsets, each with its source.
const OPEN: [&str; 2] = [
    // reference §7.2: the object is the whole classic record, whose type
    // (defaultAuditData) the subset does not have.
    "microsoft.graph.security.auditData",
    // reference §0.11: isRecordCountLimitExceeded is on the resource page of
    // September 2026, which is newer than the subset.
    "microsoft.graph.security.auditLogQuery",
];

struct Subset {
    paths: Vec<(Vec<String>, Map<String, Value>)>,
    schemas: Value,
}

fn subset(version: &str) -> Option<&'static Subset> {
    static V1: OnceLock<Option<Subset>> = OnceLock::new();
    static BETA: OnceLock<Option<Subset>> = OnceLock::new();
    let cell = if version == "beta" { &BETA } else { &V1 };
    cell.get_or_init(|| load(version)).as_ref()
}

fn load(version: &str) -> Option<Subset> {
    let shared = std::env::var_os("RETAKE_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let file = shared.join(format!("reference/graph-openapi-subset-{version}.json"));
    let Ok(text) = std::fs::read_to_string(&file) else {
        retake_contract::skip_without_shared(&format!("the OpenAPI subset for {version}"));
        return None;
    };
    let mut document: Value = serde_json::from_str(&text).unwrap();
    let paths = document["paths"].take();
    let paths = paths
        .as_object()
        .unwrap()
        .iter()
        .map(|(path, item)| {
            let words = path
                .trim_matches('/')
                .split('/')
                .map(str::to_owned)
                .collect();
            (words, item.as_object().unwrap().clone())
        })
        .collect();
    let mut defs = Map::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let mut derived = Vec::new();
        derived_types(schema, &mut derived);
        defs.insert(name.clone(), convert(schema, true));
        let mut choices = vec![json!({"$ref": format!("#/$defs/{name}")})];
        choices.extend(
            derived
                .iter()
                .map(|name| json!({"$ref": format!("#/$defs/{name}")})),
        );
        let closed = if OPEN.contains(&name.as_str()) {
            json!({"$ref": format!("#/$defs/{name}")})
        } else {
            let choices: Vec<Value> = choices
                .into_iter()
                .map(|mut choice| {
                    choice["unevaluatedProperties"] = json!(false);
                    choice
                })
                .collect();
            json!({"anyOf": choices})
        };
        defs.insert(format!("{name}!"), closed);
    }
    Some(Subset {
        paths,
        schemas: Value::Object(defs),
    })
}

fn derived_types(schema: &Value, into: &mut Vec<String>) {
    for part in schema["allOf"]
        .as_array()
        .into_iter()
        .flatten()
        .chain([schema])
    {
        for name in part["x-derivedTypes"].as_array().into_iter().flatten() {
            into.push(name.as_str().unwrap().to_owned());
        }
    }
}

/// OpenAPI 3.0 to JSON Schema; references from properties go to the closed
/// form, those of `allOf` to the open one.
fn convert(schema: &Value, top: bool) -> Value {
    match schema {
        Value::Object(object) => {
            let mut out = Map::new();
            for (key, value) in object {
                match key.as_str() {
                    "$ref" => {
                        let name = value.as_str().unwrap().rsplit('/').next().unwrap();
                        let closed = if top { "" } else { "!" };
                        out.insert(key.clone(), json!(format!("#/$defs/{name}{closed}")));
                    }
                    "allOf" => {
                        let parts = value.as_array().unwrap();
                        out.insert(
                            key.clone(),
                            parts.iter().map(|part| convert(part, true)).collect(),
                        );
                    }
                    "properties" => {
                        let properties: Map<String, Value> = value
                            .as_object()
                            .unwrap()
                            .iter()
                            .map(|(name, schema)| (name.clone(), convert(schema, false)))
                            .collect();
                        out.insert(key.clone(), Value::Object(properties));
                    }
                    "items" | "additionalProperties" if value.is_object() => {
                        out.insert(key.clone(), convert(value, false));
                    }
                    "type"
                        if object["type"].is_string()
                            && object.get("nullable") == Some(&json!(true)) =>
                    {
                        out.insert(key.clone(), json!([value, "null"]));
                    }
                    "enum" if object.get("nullable") == Some(&json!(true)) => {
                        let mut list = value.as_array().unwrap().clone();
                        list.push(Value::Null);
                        out.insert(key.clone(), Value::Array(list));
                    }
                    "nullable" | "description" | "title" => {}
                    other if other.starts_with("x-") => {}
                    _ => {
                        out.insert(key.clone(), value.clone());
                    }
                }
            }
            Value::Object(out)
        }
        other => other.clone(),
    }
}

/// Panics when an answer on a known path does not fit.
pub(crate) fn check(method: &str, path: &str, status: u16, body: &Value) {
    let mut words = path.trim_matches('/').split('/');
    let Some(version @ ("v1.0" | "beta")) = words.next() else {
        return;
    };
    let Some(subset) = subset(version) else {
        return;
    };
    let words: Vec<&str> = words.collect();
    let known = subset.paths.iter().find(|(template, _)| {
        template.len() == words.len()
            && template
                .iter()
                .zip(&words)
                .all(|(template, word)| template.starts_with('{') || template == word)
    });
    let Some((_, item)) = known else { return };
    let Some(operation) = item.get(&method.to_lowercase()) else {
        assert!(
            status >= 400,
            "{method} {path} is not in the subset and was answered"
        );
        return;
    };
    let responses = operation["responses"].as_object().unwrap();
    if status >= 400 {
        let error = &body["error"];
        assert!(
            error["code"].is_string() && error["message"].is_string(),
            "{method} {path}: {body}"
        );
        return;
    }
    let response = responses
        .get(&status.to_string())
        .or_else(|| responses.get("2XX"))
        .unwrap_or_else(|| panic!("{method} {path}: status {status} is not declared"));
    let Some(schema) = response.pointer("/content/application~1json/schema") else {
        return;
    };
    let mut schema = convert(schema, false);
    if schema["type"] == "object" {
        schema["unevaluatedProperties"] = json!(false);
    }
    schema["$defs"] = subset.schemas.clone();
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap();
    let wrong: Vec<String> = validator
        .iter_errors(body)
        .take(5)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{method} {path}: {wrong:#?}\n{body:#}");
}
