//! The JSON Schema of the policy file, for editors: in draft 7, which is what language servers and the schema store read alike, and
//! without what a strict validator does not know. <https://github.com/SchemaStore/schemastore/blob/master/CONTRIBUTING.md>

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::Policy;

/// The schema's name, and where the schema store would have it.
pub const ADDRESS: &str = "https://www.schemastore.org/git-lane.json";

/// The keys that a file must have, by type; the types hold every default filled in, so that they need more.
const REQUIRED: [(&str, &[&str]); 5] = [
    ("", &["version"]),
    ("Area", &["name", "paths", "access"]),
    ("Database", &["schema"]),
    ("CustomRule", &["id", "run"]),
    ("Provision", &["name", "run"]),
];

/// The comment by which YAML's language servers find the schema.
pub fn modeline() -> String {
    format!("# yaml-language-server: $schema={ADDRESS}\n")
}

/// The schema.
pub fn schema() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| settings.definitions_path = "/$defs".into());
    let mut schema = settings.into_generator().into_root_schema_for::<Policy>().to_value();
    if let Some(definitions) = schema.get_mut("$defs").and_then(Value::as_object_mut) {
        for definition in definitions.values_mut() {
            definition.as_object_mut().map(|object| object.remove("required"));
        }
    }
    for (name, keys) in REQUIRED {
        let object = if name.is_empty() { Some(&mut schema) } else { schema["$defs"].get_mut(name) };
        if let Some(object) = object {
            object["required"] = json!(keys);
        }
    }
    simplify(&mut schema);
    let mut named = Map::from_iter([("$schema".to_owned(), Value::Null), ("$id".to_owned(), json!(ADDRESS))]);
    if let Value::Object(object) = schema {
        named.extend(object);
    }
    Value::Object(named)
}

/// Takes out the formats of Rust's numbers, and makes alternatives of several types in one place.
fn simplify(node: &mut Value) {
    match node {
        Value::Array(items) => items.iter_mut().for_each(simplify),
        Value::Object(object) => {
            if object
                .get("format")
                .is_some_and(|format| format.as_str().is_some_and(|word| word.starts_with("uint")))
            {
                object.remove("format");
            }
            let kinds: Vec<Value> = match object.get("type") {
                Some(Value::Array(kinds)) => kinds.clone(),
                _ => Vec::new(),
            };
            if kinds.len() > 2 || kinds.len() == 2 && !kinds.contains(&json!("null")) {
                object.remove("type");
                let pattern = object.remove("pattern");
                let each = kinds.into_iter().map(|kind| match &pattern {
                    Some(pattern) if kind == "string" => json!({ "type": kind, "pattern": pattern }),
                    _ => json!({ "type": kind }),
                });
                object.insert("anyOf".to_owned(), each.collect());
            }
            object.values_mut().for_each(simplify);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each node that a strict validator would not take.
    fn wrong(node: &Value, path: &str, found: &mut Vec<String>) {
        match node {
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(at, item)| wrong(item, &format!("{path}/{at}"), found))
            }
            Value::Object(object) => {
                let many = object
                    .get("type")
                    .and_then(Value::as_array)
                    .is_some_and(|kinds| kinds.iter().filter(|kind| **kind != "null").count() > 1);
                // In draft 7, what stands beside a reference is not looked at.
                let beside = object.contains_key("$ref") && object.len() > 1;
                if many || beside || object.get("format").is_some_and(Value::is_string) {
                    found.push(format!("{path}: {node}"));
                }
                object.iter().for_each(|(key, below)| wrong(below, &format!("{path}/{key}"), found));
            }
            _ => {}
        }
    }

    #[test]
    fn the_schema_is_what_the_schema_store_takes() {
        let schema = schema();
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
        assert_eq!(schema["$id"], ADDRESS);
        assert_eq!(schema["additionalProperties"], false);
        let mut found = Vec::new();
        wrong(&schema, "", &mut found);
        assert!(found.is_empty(), "{found:#?}");
    }
}
