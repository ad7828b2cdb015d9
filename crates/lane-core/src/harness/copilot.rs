//! Copilot CLI: <https://docs.github.com/en/copilot/reference/hooks-configuration>. Its payload does not name the event.

use serde_json::{Value, json};

use super::{Harness, Moment, Occasion, ToolAction, command_of, edit_of, first, patch, text};

pub static HARNESS: Harness = Harness {
    id: "copilot",
    name: "Copilot",
    variables: &["COPILOT_CLI"],
    project: &[],
    read,
    refuse: |reason| Some(json!({ "permissionDecision": "deny", "permissionDecisionReason": reason })),
    allow: None,
    note: Some(|text| json!({ "additionalContext": text }).to_string()),
    note_after: None,
    context: |text| json!({ "additionalContext": text }).to_string(),
    continue_turn: |reason| Some(json!({ "decision": "block", "reason": reason })),
};

fn read(payload: &Value, event: Option<&str>) -> Occasion {
    let moment = match event.or(text(payload, "hook_event_name")).unwrap_or_default() {
        "sessionStart" => Moment::Start,
        "agentStop" => Moment::Stop {
            is_repeated: payload.get("stop_hook_active").and_then(Value::as_bool).unwrap_or(false),
        },
        _ => match text(payload, "toolName").or(text(payload, "tool_name")) {
            Some(tool) => Moment::Tool(actions(tool, &arguments(payload))),
            None => Moment::Other,
        },
    };
    Occasion { folder: text(payload, "cwd").map(str::to_owned), project: None, moment }
}

/// The arguments, which come as an object or as the text of one.
fn arguments(payload: &Value) -> Value {
    match payload.get("toolArgs").or_else(|| payload.get("tool_input")) {
        Some(Value::String(text)) => {
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
        }
        Some(value) => value.clone(),
        None => Value::Null,
    }
}

fn actions(tool: &str, input: &Value) -> Vec<ToolAction> {
    match tool {
        "edit" | "create" | "str_replace" | "str_replace_editor" | "write" => {
            edit_of(tool, input, &["path", "file_path"])
        }
        "apply_patch" => match input.as_str().or(first(input, &["input", "patch", "patchText", "command"])) {
            Some(text) => patch::actions(tool, text),
            None => vec![ToolAction::Unreadable(format!("`{tool}` holds no patch"))],
        },
        "bash" | "powershell" | "shell" => command_of(tool, input),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::about;

    #[test]
    fn arguments_are_an_object_or_its_text() {
        assert_eq!(about("copilot", r#"{"cwd":"/r","toolName":"edit","toolArgs":{"path":"/r/a"}}"#), "/r/a");
        assert_eq!(about("copilot", r#"{"toolName":"create","toolArgs":"{\"path\":\"b\"}"}"#), "b");
        assert_eq!(about("copilot", r#"{"toolName":"bash","toolArgs":{"command":"ls"}}"#), "$ ls");
        assert_eq!(about("copilot", r#"{"toolName":"edit","toolArgs":"{"}"#), "? `edit` names no file");
        assert_eq!(about("copilot", r#"{"toolName":"view","toolArgs":{"path":"a"}}"#), "");
    }
}
