//! Hooks in files of JSON that others write to as well. What is there keeps its bytes: comments, order, spaces.

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstArray, CstInputValue, CstNode, CstObject, CstRootNode};
use serde_json::Value;

/// What every command of ours has in it.
pub(super) const MARKER: &str = "hook agent ";

/// The hooks of one harness.
#[derive(Debug, Clone)]
pub(super) struct Hooks {
    pub harness: &'static str,
    /// Keys of the file itself that have to be there: `"version": 1`.
    pub top: Vec<(&'static str, Value)>,
    /// By event, what is to be in its array.
    pub events: Vec<(&'static str, Value)>,
}

/// A file's text with the hooks in it; `None` where it is no JSON object.
pub(super) fn with(text: &str, hooks: &Hooks) -> Option<String> {
    let text = if text.trim().is_empty() { "{}\n" } else { text };
    let root = CstRootNode::parse(text, &ParseOptions::default()).ok()?;
    let object = root.object_value()?;
    for (key, value) in &hooks.top {
        if object.get(key).is_none() {
            object.append(key, input(value));
        }
    }
    let all = object.object_value_or_create("hooks")?;
    for (event, value) in &hooks.events {
        let array = all.array_value_or_create(event)?;
        let own: Vec<CstNode> = own_entries(&array, hooks.harness);
        match own.as_slice() {
            [one] if one.to_serde_value().as_ref() == Some(value) => {}
            old => {
                old.iter().for_each(|node| node.clone().remove());
                array.append(input(value));
            }
        }
    }
    Some(root.to_string())
}

/// A file's text without our hooks; `None` where nothing else is in it.
pub(super) fn without(text: &str, harness: &str) -> Option<String> {
    let Ok(root) = CstRootNode::parse(text, &ParseOptions::default()) else {
        return (!text.contains(MARKER)).then(|| text.to_owned());
    };
    let Some(object) = root.object_value() else {
        return Some(text.to_owned());
    };
    if let Some(all) = object.object_value("hooks") {
        for property in all.properties() {
            let Some(array) = property.array_value() else { continue };
            let own = own_entries(&array, harness);
            let is_all = own.len() == array.elements().len();
            if is_all && !own.is_empty() {
                property.remove();
            } else {
                own.into_iter().for_each(CstNode::remove);
            }
        }
        if all.properties().is_empty() {
            object.get("hooks").into_iter().for_each(|hooks| hooks.remove());
        }
    }
    let is_left = object.properties().iter().any(|property| !is_version(property.decoded_name().as_deref()));
    (is_left || has_comments(&object)).then(|| root.to_string())
}

fn is_version(name: Option<&str>) -> bool {
    name == Some("version")
}

fn has_comments(object: &CstObject) -> bool {
    object.children().iter().any(CstNode::is_comment)
}

/// Whether hooks of ours are in a file.
pub(super) fn has_hooks(text: &str, harness: &str) -> bool {
    text.contains(&format!("{MARKER}{harness}"))
}

/// The elements that start us.
fn own_entries(array: &CstArray, harness: &str) -> Vec<CstNode> {
    let elements = array.elements().into_iter();
    elements
        .filter(|node| node.to_serde_value().is_some_and(|value| has_hooks(&value.to_string(), harness)))
        .collect()
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(bool) => CstInputValue::Bool(*bool),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(values) => CstInputValue::Array(values.iter().map(input).collect()),
        Value::Object(map) => {
            CstInputValue::Object(map.iter().map(|(key, value)| (key.clone(), input(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CstRootNode, Hooks, ParseOptions, with, without};
    use serde_json::json;

    fn hooks(program: &str) -> Hooks {
        let command = format!("{program} hook agent claude");
        let events = vec![
            (
                "PreToolUse",
                json!({ "matcher": "Edit", "hooks": [{ "type": "command", "command": command }] }),
            ),
            ("Stop", json!({ "hooks": [{ "type": "command", "command": command }] })),
        ];
        Hooks { harness: "claude", top: Vec::new(), events }
    }

    #[test]
    fn what_is_there_keeps_its_bytes() {
        for text in [
            "{\n  // mine\n  \"model\": \"x\"\n}\n",
            "{ \"hooks\": { \"PreToolUse\": [ { \"matcher\": \"Bash\", \"hooks\": [] } ] }, \"a\": 1 }",
            "{\n\t\"hooks\": {\n\t\t\"PostToolUse\": []\n\t}\n}",
            "{\r\n  \"a\": [1, 2]\r\n}\r\n",
        ] {
            let written = with(text, &hooks("/a")).expect(text);
            assert!(written.contains("/a hook agent claude"), "{written}");
            assert_eq!(with(&written, &hooks("/a")).as_deref(), Some(written.as_str()), "again");
            let back = without(&written, "claude").expect(text);
            let value = |text: &str| {
                CstRootNode::parse(text, &ParseOptions::default()).ok().and_then(|root| root.to_serde_value())
            };
            assert_eq!(value(&back), value(text), "{back}");
        }
    }

    #[test]
    fn another_program_takes_the_place_of_the_first() {
        let first = with("", &hooks("/a")).expect("written");
        let second = with(&first, &hooks("/b")).expect("written");
        assert!(!second.contains("/a ") && second.matches("hook agent claude").count() == 2, "{second}");
        assert_eq!(without(&second, "claude"), None);
    }

    #[test]
    fn what_is_no_object_is_left_alone() {
        for text in ["[]", "{", "7", "{ \"hooks\": [] }", "{ \"hooks\": { \"Stop\": {} } }"] {
            assert_eq!(with(text, &hooks("/a")), None, "{text}");
        }
    }
}
