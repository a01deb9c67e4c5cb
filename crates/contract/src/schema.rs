//! From OpenAPI 3.0 schemas, as the subsets write them, to JSON Schema 2020-12.
//!
//! What the conversion decides, beyond spelling:
//!
//! - Inheritance (`allOf`) is flattened, so that each type has one closed list of properties
//!   and an unknown one is refused by plain `additionalProperties`.
//! - A value whose type has derived types is judged by its `@odata.type`.
//! - Annotations (`@odata.…`, `name@odata.…`) are taken anywhere.
//! - Open entity types (users, groups, …) take schema and directory extensions only; the
//!   metadata's "anything goes" would let every misspelling through.
//! - Nullability that the subset does not carry is taken as allowed: that is a single value
//!   of a complex or enumerated type, and whatever came from the typings.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{Addition, Allowance};

type Object = Map<String, Value>;
type Result<T> = std::result::Result<T, String>;

/// Names that carry annotations rather than properties.
const ANNOTATION: &str = r"^[^@]*@odata\.";
/// Names of directory extensions and schema extensions.
const EXTENSION: &str = r"^(extension_[0-9a-fA-F]{32}|ext[0-9a-z]{8})_\w+$";
const COMPONENTS: &str = "#/components/schemas/";
const ENTITY: &str = "microsoft.graph.entity";
/// Marks a type of which nothing is known but its name.
const OPAQUE: &str = "x-opaque";

/// Puts the allowances of one version into the named schemas of its subset.
///
/// # Errors
///
/// An allowance for a type or place that the subset does not have, and one that adds what
/// the subset has already: the table stays free of dead rows.
pub(crate) fn extend<'a>(
    schemas: &mut Object,
    allowances: impl Iterator<Item = &'a Allowance>,
) -> Result<()> {
    for allowance in allowances {
        let base = allowance.schema;
        match &allowance.addition {
            Addition::Property { name, schema } => {
                let shape: Value = serde_json::from_str(schema)
                    .map_err(|error| format!("allowance {base}.{name}: {error}"))?;
                let properties = schemas
                    .get_mut(base)
                    .and_then(|schema| schema.pointer_mut(allowance.within))
                    .map(own_part)
                    .and_then(|part| part.get_mut("properties"))
                    .and_then(Value::as_object_mut)
                    .ok_or_else(|| format!("allowance {base}.{name}: no such place"))?;
                if properties.insert((*name).to_owned(), shape).is_some() {
                    return Err(format!("allowance {base}.{name}: the subset has it"));
                }
            }
            Addition::Derived { name } => {
                if !schemas.contains_key(base) {
                    return Err(format!("allowance {name}: no type {base}"));
                }
                let derived = json!({"allOf": [
                    {"$ref": format!("{COMPONENTS}{base}")},
                    {"type": "object", "properties": {}, OPAQUE: true},
                ]});
                if schemas.insert((*name).to_owned(), derived).is_some() {
                    return Err(format!("allowance {name}: the subset has it"));
                }
            }
        }
    }
    Ok(())
}

/// The JSON Schema definitions of all named types, to stand under `$defs`.
pub(crate) fn definitions(schemas: &Object) -> Result<Object> {
    let mut children: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, schema) in schemas {
        if let Some(base) = base_of(schema) {
            children.entry(base).or_default().push(name);
        }
    }
    let mut definitions = Object::new();
    for (name, schema) in schemas {
        if is_enumeration(schema) {
            definitions.insert(name.clone(), inline(schema)?);
            continue;
        }
        definitions.insert(own(name), flattened(schemas, name)?);
        definitions.insert(
            name.clone(),
            by_type(name, schema, &descendants(&children, name)),
        );
    }
    Ok(definitions)
}

/// A schema that stands in an operation: a body, not a named type.
pub(crate) fn body(schema: &Value) -> Result<Value> {
    let mut converted = inline(schema)?;
    // A list answer without its list is no answer; nothing else is ever required, since
    // every read may select the properties that it wants.
    let is_list = converted.pointer("/properties/value/type") == Some(&json!("array"));
    if let (true, Some(object)) = (is_list, converted.as_object_mut()) {
        object.insert("required".to_owned(), json!(["value"]));
    }
    Ok(converted)
}

/// The value of a named type, judged by the type that it says it is.
fn by_type(name: &str, schema: &Value, descendants: &[&str]) -> Value {
    if descendants.is_empty() {
        return reference(&own(name));
    }
    let says =
        |rule: Value| json!({"properties": {"@odata.type": rule}, "required": ["@odata.type"]});
    let names: Vec<String> = std::iter::once(name)
        .chain(descendants.iter().copied())
        .map(|it| format!("#{it}"))
        .collect();
    let abstract_base = own_part_of(schema).get("x-derivedTypes").is_some()
        && own_part_of(schema).get("x-abstract").is_some();
    let untyped = if abstract_base {
        json!({"required": ["@odata.type"]})
    } else {
        reference(&own(name))
    };
    let mut rules = vec![json!({
        "if": {"required": ["@odata.type"]},
        "then": {"properties": {"@odata.type": {"enum": names}}},
        "else": untyped,
    })];
    for it in std::iter::once(name).chain(descendants.iter().copied()) {
        rules.push(json!({
            "if": says(json!({"const": format!("#{it}")})),
            "then": reference(&own(it)),
        }));
    }
    json!({"type": "object", "allOf": rules})
}

/// One type with everything it inherits, closed.
fn flattened(schemas: &Object, name: &str) -> Result<Value> {
    let mut properties = Object::new();
    let mut required = Vec::new();
    let (mut open, mut opaque, mut is_entity) = (false, false, false);
    let mut next = Some(name);
    while let Some(current) = next {
        is_entity |= current == ENTITY;
        let schema = schemas
            .get(current)
            .ok_or_else(|| format!("no type {current}"))?;
        let part = own_part_of(schema);
        open |= part.get("additionalProperties") == Some(&json!(true));
        opaque |= part.get(OPAQUE).is_some();
        for (property, shape) in part
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            properties
                .entry(property.clone())
                .or_insert(optional(shape)?);
        }
        // Navigation properties come with `$expand`; the subset names but does not follow them.
        for property in strings(part.get("x-navigationProperties")) {
            properties.entry(property.to_owned()).or_insert(json!(true));
        }
        required.extend(strings(part.get("required")).map(str::to_owned));
        next = base_of(schema);
    }
    properties.insert(
        "@odata.type".to_owned(),
        json!({"const": format!("#{name}")}),
    );
    let mut patterns = json!({ANNOTATION: true});
    if open && is_entity {
        patterns = json!({ANNOTATION: true, EXTENSION: true});
    }
    Ok(json!({
        "type": "object",
        "properties": properties,
        "patternProperties": patterns,
        "required": required,
        "additionalProperties": opaque || (open && !is_entity),
    }))
}

/// A property: as [`inline`], and null where the subset does not say whether it may be.
fn optional(schema: &Value) -> Result<Value> {
    let unstated = schema.get("nullable").is_none()
        && (schema.get("$ref").is_some() || schema.get("x-source").is_some());
    let converted = inline(schema)?;
    Ok(if unstated {
        json!({"if": {"type": "null"}, "else": converted})
    } else {
        converted
    })
}

fn inline(schema: &Value) -> Result<Value> {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let name = target
            .strip_prefix(COMPONENTS)
            .ok_or_else(|| format!("a reference to outside of the schemas: {target}"))?;
        return Ok(reference(name));
    }
    let kind = schema
        .get("type")
        .and_then(Value::as_str)
        .ok_or_else(|| format!("no type in {schema}"))?;
    let mut converted = match kind {
        "object" => object(schema)?,
        "array" => {
            let items = schema
                .get("items")
                .ok_or_else(|| format!("no items in {schema}"))?;
            json!({"items": inline(items)?})
        }
        "string" => string(schema)?,
        "integer" => integer(schema),
        "boolean" | "number" => json!({}),
        other => return Err(format!("type {other} is not one of OpenAPI's")),
    };
    let nullable = schema.get("nullable") == Some(&json!(true));
    converted["type"] = if nullable {
        json!([kind, "null"])
    } else {
        json!(kind)
    };
    if let (true, Some(members)) = (
        nullable,
        converted.get_mut("enum").and_then(Value::as_array_mut),
    ) {
        members.push(Value::Null);
    }
    Ok(converted)
}

fn object(schema: &Value) -> Result<Value> {
    let Some(declared) = schema.get("properties").and_then(Value::as_object) else {
        // Nothing is known of its inside (the typings name a type the subset does not have).
        return Ok(json!({}));
    };
    let mut properties = Object::new();
    for (name, shape) in declared {
        properties.insert(name.clone(), optional(shape)?);
    }
    Ok(json!({
        "properties": properties,
        "patternProperties": {ANNOTATION: true},
        "required": schema.get("required").cloned().unwrap_or_else(|| json!([])),
        "additionalProperties": schema.get("additionalProperties") == Some(&json!(true)),
    }))
}

fn string(schema: &Value) -> Result<Value> {
    if let Some(members) = schema.get("enum") {
        return Ok(json!({"enum": members}));
    }
    if schema.get("x-flags").is_some() {
        let members: Vec<&str> = strings(schema.get("x-members")).collect();
        let any = members.join("|");
        return Ok(json!({"pattern": format!("^({any})(, ?({any}))*$")}));
    }
    Ok(match schema.get("format").and_then(Value::as_str) {
        None | Some("base64url") => json!({}),
        Some(format @ ("date-time" | "date" | "duration" | "uuid")) => json!({"format": format}),
        // Edm.TimeOfDay has no zone; JSON Schema's `time` wants one.
        Some("time") => json!({"pattern": r"^\d{2}:\d{2}(:\d{2}(\.\d{1,12})?)?$"}),
        Some(other) => return Err(format!("format {other} is not known here")),
    })
}

fn integer(schema: &Value) -> Value {
    if schema.get("format") == Some(&json!("int32")) {
        json!({"minimum": i32::MIN, "maximum": i32::MAX})
    } else {
        json!({})
    }
}

fn is_enumeration(schema: &Value) -> bool {
    schema.get("type") == Some(&json!("string"))
}

fn base_of(schema: &Value) -> Option<&str> {
    schema
        .get("allOf")?
        .as_array()?
        .iter()
        .find_map(|part| part.get("$ref")?.as_str()?.strip_prefix(COMPONENTS))
}

/// The part of a named type that is its own: the whole, or the inline member of `allOf`.
fn own_part_of(schema: &Value) -> &Value {
    schema
        .get("allOf")
        .and_then(Value::as_array)
        .and_then(|parts| parts.iter().find(|part| part.get("$ref").is_none()))
        .unwrap_or(schema)
}

fn own_part(schema: &mut Value) -> &mut Value {
    let at = schema
        .get("allOf")
        .and_then(Value::as_array)
        .and_then(|parts| parts.iter().position(|part| part.get("$ref").is_none()));
    match at {
        Some(index) => &mut schema["allOf"][index],
        None => schema,
    }
}

fn descendants<'a>(children: &BTreeMap<&str, Vec<&'a str>>, name: &str) -> Vec<&'a str> {
    let mut found: Vec<&str> = children.get(name).cloned().unwrap_or_default();
    let mut index = 0;
    while let Some(current) = found.get(index).copied() {
        found.extend(children.get(current).into_iter().flatten());
        index += 1;
    }
    found
}

fn own(name: &str) -> String {
    format!("{name}-own")
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/$defs/{name}")})
}

fn strings(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}
