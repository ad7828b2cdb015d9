//! Copilot CLI.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::claude;
use super::client::{Harness, Hook, Moment, PROMPT};
use super::model::Turn;
use crate::support::Worktree;

pub struct Copilot;

impl Harness for Copilot {
    fn name(&self) -> &'static str {
        "copilot"
    }

    fn package(&self) -> &'static str {
        "@github/copilot"
    }

    fn event(&self, moment: Moment) -> &'static str {
        match moment {
            Moment::SessionStart => "sessionStart",
            Moment::BeforeTool => "preToolUse",
            Moment::Stop => "agentStop",
        }
    }

    /// It knows none: each tool is handed to the hook.
    fn matcher(&self) -> &'static str {
        ""
    }

    fn hooks_of_checkout(&self) -> &'static str {
        ".github/hooks/test.json"
    }

    fn hooks_of_user(&self) -> &'static str {
        ".copilot/hooks/test.json"
    }

    fn write_hooks(&self, path: &Path, hooks: &[Hook]) {
        let mut events = json!({});
        for hook in hooks {
            let entry = json!({"type": "command", "bash": hook.command, "timeoutSec": 10});
            match events[&hook.event].as_array_mut() {
                Some(entries) => entries.push(entry),
                None => events[&hook.event] = json!([entry]),
            }
        }
        claude::write(path, &json!({"version": 1, "hooks": events}));
    }

    fn start(&self, command: &mut Command, _: &Worktree, url: &str) {
        command
            .env("COPILOT_OFFLINE", "true")
            .env("COPILOT_AUTO_UPDATE", "false")
            .env("COPILOT_PROVIDER_TYPE", "anthropic")
            .env("COPILOT_PROVIDER_BASE_URL", url)
            .env("COPILOT_PROVIDER_API_KEY", "made-up")
            .env("COPILOT_MODEL", "claude-sonnet-4.5")
            .args(["-p", PROMPT, "--allow-all-tools", "--allow-all-paths", "--trust-folder"])
            .args(["--output-format", "json"]);
    }

    fn edit(&self, root: &Path, path: &str, old: &str, new: &str) -> Vec<Turn> {
        vec![Turn::call("edit", json!({"path": root.join(path), "old_str": old, "new_str": new}))]
    }

    fn create(&self, root: &Path, path: &str, text: &str) -> Turn {
        Turn::call("create", json!({"path": root.join(path), "file_text": text}))
    }

    fn shell(&self, command: &str) -> Turn {
        Turn::call("bash", json!({"command": command, "description": "a command", "mode": "sync"}))
    }

    fn deny(&self, reason: &str) -> Value {
        json!({"permissionDecision": "deny", "permissionDecisionReason": reason})
    }
}
