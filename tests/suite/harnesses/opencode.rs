//! opencode: its hooks are functions of a plug-in; this one runs commands.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::client::{Harness, Hook, Moment, PROMPT};
use super::model::Turn;
use crate::support::Worktree;

pub struct Opencode;

impl Harness for Opencode {
    fn name(&self) -> &'static str {
        "opencode"
    }

    fn package(&self) -> &'static str {
        "opencode-ai"
    }

    fn event(&self, moment: Moment) -> &'static str {
        match moment {
            Moment::SessionStart => "experimental.chat.system.transform",
            Moment::BeforeTool => "tool.execute.before",
            Moment::Stop => "session.idle",
        }
    }

    fn matcher(&self) -> &'static str {
        "edit|write|apply_patch|bash"
    }

    fn hooks_of_checkout(&self) -> &'static str {
        ".opencode/plugins/test.js"
    }

    fn hooks_of_user(&self) -> &'static str {
        ".config/opencode/plugins/test.js"
    }

    fn write_hooks(&self, path: &Path, hooks: &[Hook]) {
        let hooks: Vec<Value> = hooks
            .iter()
            .map(|hook| json!({"event": hook.event, "matcher": hook.matcher, "command": hook.command}))
            .collect();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, PLUGIN.replace("HOOKS", &json!(hooks).to_string())).unwrap();
    }

    fn start(&self, command: &mut Command, _: &Worktree, url: &str) {
        let provider = json!({
            "npm": "@ai-sdk/anthropic", "name": "script",
            "options": {"baseURL": format!("{url}/v1"), "apiKey": "made-up"},
            "models": {"script": {"name": "script", "tool_call": true}, "gpt-5": {"name": "gpt", "tool_call": true}},
        });
        let configuration = json!({
            "model": "script/script", "autoupdate": false, "share": "disabled", "snapshot": false,
            "permission": {"edit": "allow", "bash": "allow"}, "provider": {"script": provider},
        });
        command
            .env("OPENCODE_CONFIG_CONTENT", configuration.to_string())
            .env("OPENCODE_DISABLE_AUTOUPDATE", "1")
            .env("OPENCODE_DISABLE_LSP_DOWNLOAD", "1")
            .env("OPENCODE_DISABLE_MODELS_FETCH", "1")
            .args(["run", "--format", "json", PROMPT]);
    }

    fn edit(&self, root: &Path, path: &str, old: &str, new: &str) -> Vec<Turn> {
        let path = root.join(path);
        vec![
            Turn::call("read", json!({"filePath": path})),
            Turn::call("edit", json!({"filePath": path, "oldString": old, "newString": new})),
        ]
    }

    fn create(&self, root: &Path, path: &str, text: &str) -> Turn {
        Turn::call("write", json!({"filePath": root.join(path), "content": text}))
    }

    fn shell(&self, command: &str) -> Turn {
        Turn::call("bash", json!({"command": command, "description": "a command"}))
    }

    /// Nothing reads it: the plug-in throws what stands on standard error.
    fn deny(&self, _: &str) -> Value {
        json!({})
    }
}

const PLUGIN: &str = r#"import { spawnSync } from "node:child_process"
const hooks = HOOKS
const run = (event, tool, payload) => {
  let out = ""
  for (const hook of hooks) {
    if (hook.event !== event || !new RegExp(`^(${hook.matcher || ".*"})$`).test(tool)) continue
    const ran = spawnSync("sh", ["-c", hook.command], { input: JSON.stringify(payload), encoding: "utf8" })
    if (ran.status === 2) throw new Error(ran.stderr)
    out += ran.stdout
  }
  return out
}
export const Test = async () => ({
  "tool.execute.before": async (input, output) => { run("tool.execute.before", input.tool, { input, output }) },
  "tool.execute.after": async (input, output) => { run("tool.execute.after", input.tool, { input, output }) },
  "experimental.chat.system.transform": async (input, output) => {
    const text = run("experimental.chat.system.transform", "", { input, output })
    if (text) output.system.push(text)
  },
  "shell.env": async (input, output) => { run("shell.env", "", { input, output }) },
  event: async ({ event }) => { run(event.type, "", event) },
})
"#;
