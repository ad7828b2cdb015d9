//! Codex: <https://developers.openai.com/codex/hooks>. Its hooks are those of Claude Code, its edits patches.

use serde_json::Value;

use super::{Harness, Occasion, ToolAction, claude, command_of, patch, text};

pub static HARNESS: Harness = Harness {
    id: "codex",
    name: "Codex",
    variables: &["CODEX_THREAD_ID", "CODEX_SESSION_ID", "CODEX_SANDBOX", "CODEX_CI"],
    project: &[],
    read,
    refuse: claude::refuse,
    allow: None,
    note: Some(claude::note_json),
    note_after: None,
    context: claude::context_json,
    continue_turn: claude::continue_json,
};

fn read(payload: &Value, event: Option<&str>) -> Occasion {
    claude::occasion(payload, event, actions)
}

fn actions(tool: &str, input: &Value) -> Vec<ToolAction> {
    match tool {
        "apply_patch" | "Edit" | "Write" => match text(input, "command").or(text(input, "input")) {
            Some(text) => patch::actions(tool, text),
            None => vec![ToolAction::Unreadable(format!("`{tool}` holds no patch"))],
        },
        "Bash" | "shell" | "local_shell" | "exec_command" | "unified_exec" => command_of(tool, input),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::about;

    #[test]
    fn a_patch_names_all_its_files() {
        let payload = r#"{"hook_event_name":"PreToolUse","tool_name":"apply_patch","tool_input":{"command":"*** Begin Patch\n*** Update File: a.py\n@@\n-x\n+y\n*** Add File: /r/b.py\n+z\n*** Delete File: c.py\n*** Update File: d.py\n*** Move to: e.py\n*** End Patch\n"}}"#;
        assert_eq!(about("codex", payload), "a.py, /r/b.py, -c.py, -d.py, e.py");
        let shell = r#"{"hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"command":"ls"}}"#;
        assert_eq!(about("codex", shell), "$ ls");
    }

    #[test]
    fn a_patch_that_cannot_be_read_is_said_to_be() {
        let payload =
            r#"{"hook_event_name":"PreToolUse","tool_name":"apply_patch","tool_input":{"command":"x"}}"#;
        assert_eq!(about("codex", payload), "? `apply_patch` names no file");
        let payload = r#"{"hook_event_name":"PreToolUse","tool_name":"apply_patch","tool_input":{}}"#;
        assert_eq!(about("codex", payload), "? `apply_patch` holds no patch");
    }
}
