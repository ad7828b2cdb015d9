//! Claude Code.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::client::{Harness, Hook, Moment, PROMPT};
use super::model::Turn;
use crate::support::Worktree;

pub struct Claude;

impl Harness for Claude {
    fn name(&self) -> &'static str {
        "claude"
    }

    fn package(&self) -> &'static str {
        "@anthropic-ai/claude-code"
    }

    fn event(&self, moment: Moment) -> &'static str {
        match moment {
            Moment::SessionStart => "SessionStart",
            Moment::BeforeTool => "PreToolUse",
            Moment::Stop => "Stop",
        }
    }

    fn matcher(&self) -> &'static str {
        "Edit|Write|NotebookEdit|Bash"
    }

    fn hooks_of_checkout(&self) -> &'static str {
        ".claude/settings.json"
    }

    fn hooks_of_user(&self) -> &'static str {
        ".claude/settings.json"
    }

    fn write_hooks(&self, path: &Path, hooks: &[Hook]) {
        write(path, &json!({"hooks": entries(hooks)}));
    }

    fn start(&self, command: &mut Command, _: &Worktree, url: &str) {
        command
            .env("ANTHROPIC_BASE_URL", url)
            .env("ANTHROPIC_API_KEY", "sk-ant-made-up")
            .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
            .env("DISABLE_AUTOUPDATER", "1")
            .args(["-p", PROMPT, "--permission-mode", "acceptEdits"])
            .arg("--allowedTools=Bash,Edit,Write,Read,NotebookEdit")
            .args(["--output-format", "stream-json", "--verbose"]);
    }

    fn edit(&self, root: &Path, path: &str, old: &str, new: &str) -> Vec<Turn> {
        let path = root.join(path);
        // It edits nothing that it has not read.
        vec![
            Turn::call("Read", json!({"file_path": path})),
            Turn::call("Edit", json!({"file_path": path, "old_string": old, "new_string": new})),
        ]
    }

    fn create(&self, root: &Path, path: &str, text: &str) -> Turn {
        Turn::call("Write", json!({"file_path": root.join(path), "content": text}))
    }

    fn shell(&self, command: &str) -> Turn {
        Turn::call("Bash", json!({"command": command, "description": "a command"}))
    }

    fn deny(&self, reason: &str) -> Value {
        json!({"hookSpecificOutput": {
            "hookEventName": "PreToolUse", "permissionDecision": "deny", "permissionDecisionReason": reason,
        }})
    }
}

/// The turns that change a cell of a notebook: the tool has to be looked for first.
pub fn edit_notebook(path: &Path, cell: &str, source: &str) -> Vec<Turn> {
    let input = json!({"notebook_path": path, "cell_id": cell, "new_source": source, "edit_mode": "replace"});
    vec![
        Turn::call("ToolSearch", json!({"query": "select:NotebookEdit", "max_results": 5})),
        Turn::call("Read", json!({"file_path": path})),
        Turn::call("NotebookEdit", input),
    ]
}

/// Hooks as Claude Code and Codex write them.
pub fn entries(hooks: &[Hook]) -> Value {
    let mut events = json!({});
    for hook in hooks {
        let mut entry = json!({"hooks": [{"type": "command", "command": hook.command}]});
        if !hook.matcher.is_empty() {
            entry["matcher"] = json!(hook.matcher);
        }
        match events[&hook.event].as_array_mut() {
            Some(entries) => entries.push(entry),
            None => events[&hook.event] = json!([entry]),
        }
    }
    events
}

pub fn write(path: &Path, value: &Value) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, serde_json::to_string_pretty(value).unwrap()).unwrap();
}
