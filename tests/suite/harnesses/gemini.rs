//! Gemini CLI.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::claude;
use super::client::{Harness, Hook, Moment, PROMPT};
use super::model::Turn;
use crate::support::Worktree;

pub struct Gemini;

impl Harness for Gemini {
    fn name(&self) -> &'static str {
        "gemini"
    }

    fn package(&self) -> &'static str {
        "@google/gemini-cli"
    }

    fn event(&self, moment: Moment) -> &'static str {
        match moment {
            Moment::SessionStart => "SessionStart",
            Moment::BeforeTool => "BeforeTool",
            Moment::Stop => "AfterAgent",
        }
    }

    fn matcher(&self) -> &'static str {
        "replace|write_file|run_shell_command"
    }

    fn hooks_of_checkout(&self) -> &'static str {
        ".gemini/settings.json"
    }

    fn hooks_of_user(&self) -> &'static str {
        ".gemini/settings.json"
    }

    fn write_hooks(&self, path: &Path, hooks: &[Hook]) {
        claude::write(path, &json!({"hooks": claude::entries(hooks)}));
    }

    fn start(&self, command: &mut Command, at: &Worktree, url: &str) {
        // How to log in it takes from no argument and no variable; what else the file has stays.
        let path = at.home.join(".gemini/settings.json");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|_| "{}".to_owned());
        let mut settings: Value = serde_json::from_str(&text).unwrap();
        settings["security"]["auth"]["selectedType"] = json!("gemini-api-key");
        settings["privacy"]["usageStatisticsEnabled"] = json!(false);
        settings["general"]["enableAutoUpdate"] = json!(false);
        claude::write(&path, &settings);
        command
            .env("GOOGLE_GEMINI_BASE_URL", url)
            .env("GEMINI_API_KEY", "made-up")
            .env("GEMINI_CLI_TRUST_WORKSPACE", "true")
            .args(["-p", PROMPT, "-m", "gemini-2.5-flash", "--approval-mode", "yolo", "--skip-trust"])
            .args(["--output-format", "json"]);
    }

    fn edit(&self, _: &Path, path: &str, old: &str, new: &str) -> Vec<Turn> {
        let input =
            json!({"file_path": path, "old_string": old, "new_string": new, "instruction": "replace it"});
        vec![Turn::call("replace", input)]
    }

    fn create(&self, _: &Path, path: &str, text: &str) -> Turn {
        Turn::call("write_file", json!({"file_path": path, "content": text}))
    }

    fn shell(&self, command: &str) -> Turn {
        Turn::call("run_shell_command", json!({"command": command, "description": "a command"}))
    }

    fn deny(&self, reason: &str) -> Value {
        json!({"decision": "deny", "reason": reason})
    }
}
