//! Gemini CLI: <https://geminicli.com/docs/hooks/reference>.

use serde_json::{Value, json};

use super::{Harness, Moment, Occasion, ToolAction, command_of, edit_of, text};

pub static HARNESS: Harness = Harness {
    id: "gemini",
    name: "Gemini CLI",
    variables: &["GEMINI_CLI"],
    project: &["GEMINI_PROJECT_DIR"],
    read,
    refuse: |reason| Some(json!({ "decision": "deny", "reason": reason })),
    allow: None,
    note: None,
    note_after: Some(|text| {
        json!({ "hookSpecificOutput": { "hookEventName": "AfterTool", "additionalContext": text }})
            .to_string()
    }),
    context: |text| {
        json!({ "hookSpecificOutput": { "hookEventName": "SessionStart", "additionalContext": text }})
            .to_string()
    },
    continue_turn: |reason| Some(json!({ "decision": "deny", "reason": reason })),
};

fn read(payload: &Value, event: Option<&str>) -> Occasion {
    let moment = match text(payload, "hook_event_name").or(event).unwrap_or_default() {
        "BeforeTool" => {
            let input = payload.get("tool_input").unwrap_or(&Value::Null);
            Moment::Tool(actions(text(payload, "tool_name").unwrap_or_default(), input))
        }
        "AfterTool" => {
            let input = payload.get("tool_input").unwrap_or(&Value::Null);
            Moment::Done(actions(text(payload, "tool_name").unwrap_or_default(), input))
        }
        "SessionStart" => Moment::Start,
        "AfterAgent" => Moment::Stop {
            is_repeated: payload.get("stop_hook_active").and_then(Value::as_bool).unwrap_or(false),
        },
        _ => Moment::Other,
    };
    Occasion { folder: text(payload, "cwd").map(str::to_owned), project: None, moment }
}

fn actions(tool: &str, input: &Value) -> Vec<ToolAction> {
    match tool {
        "write_file" | "replace" | "edit" => edit_of(tool, input, &["file_path"]),
        "run_shell_command" => command_of(tool, input),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{about, about_tool};

    #[test]
    fn tools() {
        let tool = |name: &str, input: &str| about_tool("gemini", "BeforeTool", name, input);
        assert_eq!(tool("replace", r#"{"file_path":"a.py"}"#), "a.py");
        assert_eq!(tool("write_file", r#"{"file_path":"/r/b.py"}"#), "/r/b.py");
        assert_eq!(tool("run_shell_command", r#"{"command":"ls"}"#), "$ ls");
        assert_eq!(tool("read_file", r#"{"file_path":"a.py"}"#), "");
        assert_eq!(about("gemini", r#"{"hook_event_name":"AfterAgent"}"#), "Stop { is_repeated: false }");
    }
}
