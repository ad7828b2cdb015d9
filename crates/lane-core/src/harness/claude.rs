//! Claude Code: <https://code.claude.com/docs/en/hooks>.

use serde_json::{Value, json};

use super::{Harness, Moment, Occasion, ToolAction, command_of, edit_of, text};

pub static HARNESS: Harness = Harness {
    id: "claude",
    name: "Claude Code",
    variables: &["CLAUDECODE", "CLAUDE_CODE_SESSION_ID", "AI_AGENT"],
    project: &["CLAUDE_PROJECT_DIR"],
    read,
    refuse,
    allow: None,
    note: Some(note_json),
    note_after: None,
    context: context_json,
    continue_turn: continue_json,
};

fn read(payload: &Value, event: Option<&str>) -> Occasion {
    occasion(payload, event, actions)
}

/// What Claude Code and those that took over its hooks say.
pub(super) fn occasion(
    payload: &Value,
    event: Option<&str>,
    deeds: impl Fn(&str, &Value) -> Vec<ToolAction>,
) -> Occasion {
    let moment = match text(payload, "hook_event_name").or(event).unwrap_or_default() {
        "PreToolUse" => {
            let input = payload.get("tool_input").unwrap_or(&Value::Null);
            Moment::Tool(deeds(text(payload, "tool_name").unwrap_or_default(), input))
        }
        "SessionStart" => Moment::Start,
        "Stop" | "SubagentStop" => Moment::Stop {
            is_repeated: payload.get("stop_hook_active").and_then(Value::as_bool).unwrap_or(false),
        },
        "WorktreeCreate" => Moment::Worktree { name: text(payload, "name").unwrap_or_default().to_owned() },
        "WorktreeRemove" => {
            Moment::Removal { root: text(payload, "worktree_path").unwrap_or_default().to_owned() }
        }
        _ => Moment::Other,
    };
    Occasion { folder: text(payload, "cwd").map(str::to_owned), project: None, moment }
}

fn actions(tool: &str, input: &Value) -> Vec<ToolAction> {
    match tool {
        "Edit" | "Write" | "MultiEdit" => edit_of(tool, input, &["file_path", "path"]),
        "NotebookEdit" => edit_of(tool, input, &["notebook_path", "file_path"]),
        "Bash" | "PowerShell" => command_of(tool, input),
        _ => Vec::new(),
    }
}

pub(super) fn refuse(reason: &str) -> Option<Value> {
    Some(json!({ "hookSpecificOutput": {
        "hookEventName": "PreToolUse",
        "permissionDecision": "deny",
        "permissionDecisionReason": reason,
    }}))
}

pub(super) fn note_json(text: &str) -> String {
    let output = json!({ "hookSpecificOutput": { "hookEventName": "PreToolUse", "additionalContext": text }});
    output.to_string()
}

pub(super) fn context_json(text: &str) -> String {
    let output =
        json!({ "hookSpecificOutput": { "hookEventName": "SessionStart", "additionalContext": text }});
    output.to_string()
}

pub(super) fn continue_json(reason: &str) -> Option<Value> {
    Some(json!({ "decision": "block", "reason": reason }))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{about, about_tool};

    #[test]
    fn tools() {
        let tool = |name: &str, input: &str| about_tool("claude", "PreToolUse", name, input);
        assert_eq!(tool("Edit", r#"{"file_path":"/r/a.py","old_string":"x","new_string":"y"}"#), "/r/a.py");
        assert_eq!(tool("Write", r#"{"file_path":"/r/b.py","content":""}"#), "/r/b.py");
        assert_eq!(tool("NotebookEdit", r#"{"notebook_path":"/r/n.ipynb","new_source":""}"#), "/r/n.ipynb");
        assert_eq!(tool("Bash", r#"{"command":"git status"}"#), "$ git status");
        assert_eq!(tool("Read", r#"{"file_path":"/r/a.py"}"#), "");
        assert_eq!(tool("Edit", "{}"), "? `Edit` names no file");
    }

    #[test]
    fn moments() {
        assert_eq!(about("claude", r#"{"hook_event_name":"SessionStart","source":"startup"}"#), "Start");
        assert_eq!(
            about("claude", r#"{"hook_event_name":"Stop","stop_hook_active":true}"#),
            "Stop { is_repeated: true }"
        );
        assert_eq!(
            about("claude", r#"{"hook_event_name":"WorktreeCreate","name":"x"}"#),
            r#"Worktree { name: "x" }"#
        );
        assert_eq!(
            about("claude", r#"{"hook_event_name":"WorktreeRemove","worktree_path":"/r/x"}"#),
            r#"Removal { root: "/r/x" }"#
        );
        assert_eq!(about("claude", r#"{"hook_event_name":"PostToolUse"}"#), "Other");
    }
}
