//! A repository with a remote, and a clone in which a policy job runs.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{POLICY, Ran, Scratch, Worktree};

pub struct Job {
    pub scratch: Scratch,
    pub tree: Worktree,
}

impl Job {
    pub fn new() -> Self {
        Self::with_policy(&POLICY.replace("max_age: 3h", "max_age: null"))
    }

    pub fn with_policy(policy: &str) -> Self {
        let scratch = Scratch::with_policy(policy);
        scratch.add_origin();
        let tree = scratch.worktree("a2", "feat/a2/x");
        Self { scratch, tree }
    }

    /// A commit on the branch of a2, past all hooks.
    pub fn commit(&self, path: &str, text: &str, message: &str) -> String {
        self.tree.sneak(path, text, message);
        self.tree.head()
    }

    pub fn push(&self) {
        self.tree.git(&["push", "-q", "-f", "--no-verify", "origin", "HEAD"]).ok();
    }

    /// A clone as a job has it; `args`: how it is cloned.
    pub fn checkout(&self, args: &[&str]) -> Worktree {
        let root = self.scratch.home().join("ci");
        let _ = std::fs::remove_dir_all(&root);
        let url = format!("file://{}", self.scratch.home().join("origin.git").display());
        let args = [&["clone", "-q"], args, &[&url, root.to_str().unwrap()]].concat();
        self.scratch.run(&self.scratch.home(), "git", &args).ok();
        Worktree { root, home: self.scratch.home() }
    }

    pub fn rev(&self, name: &str) -> String {
        self.tree.git(&["rev-parse", name]).ok().out.trim().to_owned()
    }

    /// The payload of a pull request of this branch, changed.
    pub fn payload(&self, change: impl FnOnce(&mut Value)) -> Value {
        let mut payload = json!({
            "action": "synchronize",
            "pull_request": {
                "number": 7, "title": "[A2] feat: x", "labels": [], "user": { "login": "rag-bot" },
                "head": { "ref": "feat/a2/x", "sha": self.rev("HEAD"), "repo": { "full_name": "o/r" } },
                "base": { "ref": "main", "sha": self.rev("main"), "repo": { "full_name": "o/r" } },
            },
            "repository": { "full_name": "o/r", "default_branch": "main" },
        });
        change(&mut payload);
        payload
    }

    /// What the job says, as GitHub starts it.
    pub fn on_github(&self, at: &Worktree, args: &[&str], payload: &Value, env: &[(&str, &str)]) -> Ran {
        let file = self.scratch.home().join("event.json");
        std::fs::write(&file, payload.to_string()).unwrap();
        let event = if payload["merge_group"].is_object() { "merge_group" } else { "pull_request" };
        let own = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_EVENT_NAME", event),
            ("GITHUB_EVENT_PATH", file.to_str().unwrap()),
            ("GITHUB_REPOSITORY", "o/r"),
        ];
        at.lane_env(&[&["ci"], args].concat(), &[&own, env].concat())
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.scratch.home().join(name)
    }
}
