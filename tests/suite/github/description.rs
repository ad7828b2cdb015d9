//! GitHub's OpenAPI description, as far as we call it: holds requests and answers against it, and gives its examples.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::Validator;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::graphql;

#[derive(Deserialize)]
pub struct Description {
    pub operations: Vec<Operation>,
    #[serde(rename = "$defs")]
    defs: Value,
}

#[derive(Deserialize)]
pub struct Operation {
    pub method: String,
    pub path: String,
    parameters: Vec<Parameter>,
    body: Option<Value>,
    answers: Map<String, Value>,
}

#[derive(Deserialize)]
struct Parameter {
    name: String,
    #[serde(rename = "in")]
    place: String,
    required: bool,
    schema: Value,
}

pub static DESCRIPTION: LazyLock<Description> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../schemas/github-openapi.json")).unwrap());

impl Description {
    /// The operation of a method and a path, and the values of the parameters in the path.
    pub fn find(&self, method: &str, path: &str) -> Option<(&Operation, Vec<(String, String)>)> {
        self.operations
            .iter()
            .filter(|operation| operation.method == method)
            .find_map(|operation| Some((operation, captures(&operation.path, path)?)))
    }

    /// What is wrong with a request.
    pub fn faults(&self, method: &str, url: &url::Url, body: Option<&Value>) -> Vec<String> {
        let path = url.path();
        let path = path.strip_prefix("/api/v3").unwrap_or(path);
        if method == "POST" && path.ends_with("/graphql") {
            return body.map_or_else(|| vec!["the body is missing".to_owned()], graphql::faults);
        }
        let Some((operation, in_path)) = self.find(method, path) else {
            return vec![format!("{method} {path}: no such operation")];
        };
        let in_query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let mut faults = Vec::new();
        for (place, given) in [("path", &in_path), ("query", &in_query)] {
            for (name, value) in given {
                let known = operation.parameters.iter().find(|p| p.place == place && p.name == *name);
                match known {
                    None => faults.push(format!("unknown parameter {name}")),
                    Some(known) => {
                        let value = typed(&known.schema, value);
                        faults.extend(self.violations(&known.schema, &value, name));
                    }
                }
            }
        }
        for parameter in operation.parameters.iter().filter(|parameter| parameter.required) {
            if !in_path.iter().chain(&in_query).any(|(name, _)| *name == parameter.name) {
                faults.push(format!("parameter {} is missing", parameter.name));
            }
        }
        match (&operation.body, body) {
            (Some(schema), Some(body)) => faults.extend(self.violations(&closed(schema), body, "body")),
            (Some(_), None) => faults.push("the body is missing".to_owned()),
            (None, Some(_)) => faults.push("there should be no body".to_owned()),
            (None, None) => {}
        }
        faults
    }

    /// What is wrong with an answer.
    pub fn answer_faults(&self, operation: &Operation, status: u16, body: &Value) -> Vec<String> {
        match operation.answers.get(&status.to_string()) {
            Some(answer) => self.violations(&answer["schema"], body, "answer"),
            None => vec![format!("{} {} has no answer {status}", operation.method, operation.path)],
        }
    }

    fn violations(&self, schema: &Value, value: &Value, name: &str) -> Vec<String> {
        static COMPILED: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
        let mut compiled = COMPILED.lock().unwrap();
        let validator = compiled.entry(schema.to_string()).or_insert_with(|| {
            let schema = json!({ "$defs": self.defs, "allOf": [schema] });
            Arc::new(jsonschema::validator_for(&schema).unwrap())
        });
        let validator = validator.clone();
        drop(compiled);
        validator.iter_errors(value).map(|e| format!("{name}: {e} at {}", e.instance_path())).collect()
    }
}

impl Operation {
    /// The examples of its answers, each with its status.
    pub fn examples(&self) -> impl Iterator<Item = (u16, &Value)> {
        self.answers.iter().flat_map(|(status, answer)| {
            let status: u16 = status.parse().unwrap();
            answer["examples"].as_array().unwrap().iter().map(move |example| (status, example))
        })
    }
}

/// The first example of an operation, by its template.
pub fn example(method: &str, template: &str) -> Value {
    let operation = DESCRIPTION.operations.iter().find(|o| o.method == method && o.path == template);
    let operation = operation.unwrap_or_else(|| panic!("{method} {template}"));
    mended(template, operation.examples().next().unwrap().1.clone())
}

/// The operations with examples that break their own schemas.
pub const CONTRADICTORY: [&str; 4] = [
    "/repos/{owner}/{repo}/collaborators/{username}/permission",
    "/repos/{owner}/{repo}/pulls",
    "/repos/{owner}/{repo}/pulls/{pull_number}",
    "/repos/{owner}/{repo}/activity",
];

/// The same example as its schema has it.
pub fn mended(template: &str, mut example: Value) -> Value {
    let items = match &mut example {
        Value::Array(items) => items.iter_mut().collect(),
        item => vec![item],
    };
    for item in items.into_iter().filter_map(Value::as_object_mut) {
        if template.ends_with("/pulls") || template.ends_with("/pulls/{pull_number}") {
            item.insert("requested_teams".to_owned(), json!([]));
        }
        if template.ends_with("/permission") {
            item["user"]["role_name"] = json!("admin");
        }
        if template.ends_with("/activity") {
            // From before the endpoint was released.
            for (old, new) in [("pushed_at", "timestamp"), ("pusher", "actor")] {
                let value = item.remove(old).unwrap();
                item.insert(new.to_owned(), value);
            }
            item.remove("push_type").unwrap();
            item.insert("activity_type".to_owned(), json!("push"));
        }
    }
    example
}

fn captures(template: &str, path: &str) -> Option<Vec<(String, String)>> {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    if template.len() != path.len() {
        return None;
    }
    let mut found = Vec::new();
    for (wanted, given) in template.into_iter().zip(path) {
        match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => found.push((name.to_owned(), given.to_owned())),
            None if wanted == given => {}
            None => return None,
        }
    }
    Some(found)
}

/// A parameter as the type that its schema wants.
fn typed(schema: &Value, text: &str) -> Value {
    match schema["type"].as_str() {
        Some("integer") => text.parse::<i64>().map_or(json!(text), |number| json!(number)),
        Some("boolean") => text.parse::<bool>().map_or(json!(text), |flag| json!(flag)),
        _ => json!(text),
    }
}

/// The schema with no room for properties that it does not name: GitHub ignores a misspelt one.
fn closed(schema: &Value) -> Value {
    match schema {
        Value::Object(object) => {
            let mut object: Map<String, Value> =
                object.iter().map(|(key, value)| (key.clone(), closed(value))).collect();
            if object.get("properties").is_some_and(Value::is_object) {
                object.entry("additionalProperties").or_insert(json!(false));
            }
            Value::Object(object)
        }
        Value::Array(items) => items.iter().map(closed).collect(),
        other => other.clone(),
    }
}

#[test]
fn wrong_requests_are_found() {
    let faults = |method, path: &str, body: Option<Value>| {
        let url = url::Url::parse(&format!("http://localhost{path}")).unwrap();
        DESCRIPTION.faults(method, &url, body.as_ref()).join("\n")
    };
    assert_eq!(faults("GET", "/repos/o/n/pulls/7", None), "");
    assert_eq!(faults("GET", "/repos/o/n/pulls?head=a:b&per_page=100", None), "");
    assert!(faults("GET", "/repos/o/n/pulls?heads=a:b", None).contains("unknown parameter heads"));
    assert!(faults("GET", "/repos/o/n/pulls?state=gone", None).contains("state:"));
    assert!(faults("GET", "/repos/o/n/pulls/seven", None).contains("pull_number:"));
    assert!(faults("PUT", "/repos/o/n/pulls/7", None).contains("no such operation"));
    let check = |extra: Value| {
        let mut body =
            json!({ "name": "x", "head_sha": "1", "status": "completed", "conclusion": "success" });
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        faults("POST", "/repos/o/n/check-runs", Some(body))
    };
    assert_eq!(check(json!({})), "");
    assert!(check(json!({ "summary": "misplaced" })).contains("summary"));
    assert!(check(json!({ "conclusion": "passed" })).contains("passed"));
    assert!(check(json!({ "output": { "title": "t", "summary": "s".repeat(65_536) } })).contains("body:"));
    assert!(faults("POST", "/repos/o/n/issues/1/comments", Some(json!({ "text": "" }))).contains("body"));
}
