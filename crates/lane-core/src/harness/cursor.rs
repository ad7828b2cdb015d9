//! Cursor: <https://cursor.com/docs/hooks>. With `failClosed`, what is let through is said.

use serde_json::{Value, json};

use super::{Harness, Moment, Occasion, ToolAction, command_of, edit_of, patch, text};

pub static HARNESS: Harness = Harness {
    id: "cursor",
    name: "Cursor",
    variables: &["CURSOR_AGENT", "CURSOR_TRACE_ID"],
    project: &["CURSOR_PROJECT_DIR"],
    read,
    refuse: |reason| Some(json!({ "permission": "deny", "user_message": reason, "agent_message": reason })),
    allow: Some(|| json!({ "permission": "allow" })),
    note: Some(|text| json!({ "permission": "allow", "agent_message": text }).to_string()),
    note_after: None,
    context: |text| json!({ "additional_context": text }).to_string(),
    continue_turn: |reason| Some(json!({ "followup_message": reason })),
};

fn read(payload: &Value, event: Option<&str>) -> Occasion {
    let moment = match text(payload, "hook_event_name").or(event).unwrap_or_default() {
        "preToolUse" | "PreToolUse" => {
            let input = payload.get("tool_input").unwrap_or(&Value::Null);
            Moment::Tool(actions(text(payload, "tool_name").unwrap_or_default(), input))
        }
        "beforeShellExecution" => Moment::Tool(command_of("beforeShellExecution", payload)),
        "sessionStart" => Moment::Start,
        "stop" => {
            let turns = payload.get("loop_count").and_then(Value::as_u64).unwrap_or(0);
            Moment::Stop { is_repeated: turns > 0 }
        }
        _ => Moment::Other,
    };
    let roots = payload.get("workspace_roots").and_then(Value::as_array);
    let root = roots.and_then(|roots| roots.first()).and_then(Value::as_str);
    let folder = text(payload, "cwd").filter(|folder| !folder.is_empty()).or(root);
    Occasion { folder: folder.map(str::to_owned), project: root.map(str::to_owned), moment }
}

fn actions(tool: &str, input: &Value) -> Vec<ToolAction> {
    match tool {
        "Write" | "Edit" | "StrReplace" | "MultiEdit" | "Delete" | "EditNotebook" => {
            let mut actions = edit_of(tool, input, &["file_path", "path", "target_notebook"]);
            if let (true, Some(ToolAction::Edit(edit))) = (tool == "Delete", actions.first_mut()) {
                edit.is_removed = true;
            }
            actions
        }
        "ApplyPatch" | "apply_patch" => {
            match super::first(input, &["patch", "patchText", "input", "command"]) {
                Some(text) => patch::actions(tool, text),
                None => vec![ToolAction::Unreadable(format!("`{tool}` holds no patch"))],
            }
        }
        "Shell" | "Bash" => command_of(tool, input),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::about;

    #[test]
    fn tools() {
        let write = r#"{"hook_event_name":"preToolUse","tool_name":"Write","tool_input":{"file_path":"/r/a"},"workspace_roots":["/r"]}"#;
        assert_eq!(about("cursor", write), "/r/a");
        let delete = r#"{"hook_event_name":"preToolUse","tool_name":"Delete","tool_input":{"path":"/r/a"}}"#;
        assert_eq!(about("cursor", delete), "-/r/a");
        assert_eq!(about("cursor", r#"{"hook_event_name":"beforeShellExecution","command":"ls"}"#), "$ ls");
    }
}
