//! Codex.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::claude;
use super::client::{Harness, Hook, Moment, PROMPT};
use super::model::Turn;
use crate::support::Worktree;

pub struct Codex {
    /// Runs hooks that nobody has reviewed. Otherwise they are skipped in silence.
    pub trusts_all: bool,
}

impl Harness for Codex {
    fn name(&self) -> &'static str {
        "codex"
    }

    fn package(&self) -> &'static str {
        "@openai/codex"
    }

    fn event(&self, moment: Moment) -> &'static str {
        claude::Claude.event(moment)
    }

    fn matcher(&self) -> &'static str {
        "apply_patch|Bash"
    }

    fn hooks_of_checkout(&self) -> &'static str {
        ".codex/hooks.json"
    }

    fn hooks_of_user(&self) -> &'static str {
        ".codex/hooks.json"
    }

    fn write_hooks(&self, path: &Path, hooks: &[Hook]) {
        claude::write(path, &json!({"hooks": claude::entries(hooks)}));
    }

    fn start(&self, command: &mut Command, at: &Worktree, url: &str) {
        // A model that it does not know would have no apply_patch.
        let provider =
            format!(r#"{{name="script",base_url="{url}/v1",wire_api="responses",env_key="SCRIPT_KEY"}}"#);
        // A worktree is as trusted as the checkout that it belongs to.
        let main = at.git(&["rev-parse", "--path-format=absolute", "--git-common-dir"]).ok().out;
        let main = main.trim().trim_end_matches("/.git");
        command
            .env("SCRIPT_KEY", "made-up")
            .args(["exec", "--json", "-s", "workspace-write"])
            .args(self.trusts_all.then_some("--dangerously-bypass-hook-trust"))
            .args(["-c", r#"model="gpt-5.5""#, "-c", r#"model_provider="script""#])
            .args(["-c", &format!("model_providers.script={provider}")])
            .args(["-c", "features.enable_request_compression=false"])
            .args(["-c", &format!(r#"projects={{"{main}"={{trust_level="trusted"}}}}"#)])
            .arg(PROMPT);
    }

    fn edit(&self, _: &Path, path: &str, old: &str, new: &str) -> Vec<Turn> {
        vec![patch(&format!("*** Update File: {path}\n@@\n-{old}\n+{new}\n"))]
    }

    fn create(&self, _: &Path, path: &str, text: &str) -> Turn {
        let lines: String = text.lines().map(|line| format!("+{line}\n")).collect();
        patch(&format!("*** Add File: {path}\n{lines}"))
    }

    fn shell(&self, command: &str) -> Turn {
        Turn::call("exec_command", json!({"cmd": command}))
    }

    fn deny(&self, reason: &str) -> Value {
        claude::Claude.deny(reason)
    }
}

/// The turn that applies a patch, of which this is the inside.
pub fn patch(files: &str) -> Turn {
    Turn::call("apply_patch", json!(format!("*** Begin Patch\n{files}*** End Patch\n")))
}
