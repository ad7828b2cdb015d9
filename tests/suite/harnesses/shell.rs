//! What each client's shell has in its environment, and what becomes of a commit there.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::client::{Client, Moment};
use super::contract::{repository, script};
use super::model::Turn;
use crate::support::Scratch;

/// How a program sees which client has started it: a hook, and a command of the model.
#[test]
fn the_environment_names_the_client() {
    for (client, in_hook, in_shell) in [
        (Client::claude(), "CLAUDE_PROJECT_DIR=", "CLAUDECODE=1"),
        // A hook of Codex has nothing of its own.
        (Client::codex(), "HOME=", "CODEX_THREAD_ID="),
        (Client::gemini(), "GEMINI_PROJECT_DIR=", "GEMINI_CLI=1"),
        (Client::copilot(), "COPILOT_PROJECT_DIR=", "COPILOT_CLI=1"),
        (Client::opencode(), "HOME=", "OPENCODE=1"),
    ] {
        let Some(client) = client else { continue };
        let (scratch, harness) = (repository(), client.harness);
        let at = scratch.main();
        let hook = script(&scratch, "env.sh", "cat >/dev/null\nenv >\"$HOME/hook.env\"\n");
        let turns = vec![harness.shell("env >shell.env"), Turn::say("done")];
        let session = client.at(Moment::BeforeTool, &hook).run(&at, turns);
        for (file, variable) in
            [(scratch.home().join("hook.env"), in_hook), (at.root.join("shell.env"), in_shell)]
        {
            let text = std::fs::read_to_string(&file).unwrap_or_else(|_| panic!("{}", session.ran.all()));
            let is_there = text.lines().any(|line| line.starts_with(variable));
            assert!(is_there, "no {variable} in {}:\n{text}", file.display());
        }
    }
}

/// Gemini's shell has an empty `core.hooksPath`: only hooks of the configuration, which git has since 2.54, remain.
#[test]
fn gemini_commits_past_the_hooks_folder_but_not_past_the_configuration() {
    let version = Scratch::empty().git(&["version"]).ok().out;
    let minor = version.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or(0);
    for (client, is_configured, commits) in
        [(Client::claude(), false, false), (Client::gemini(), false, true), (Client::gemini(), true, false)]
    {
        let Some(client) = client else { continue };
        if is_configured && minor < 54 {
            continue;
        }
        let scratch = repository();
        let at = scratch.main();
        let hook = scratch.root().join(".git/hooks/pre-commit");
        std::fs::write(&hook, "#!/bin/sh\necho refused >&2\nexit 1\n").unwrap();
        std::fs::set_permissions(&hook, PermissionsExt::from_mode(0o755)).unwrap();
        if is_configured {
            at.git(&["config", "hook.test.event", "pre-commit"]).ok();
            at.git(&["config", "hook.test.command", hook.to_str().unwrap()]).ok();
        }
        let head = at.head();
        let turns = vec![client.harness.shell("git commit --allow-empty -m x"), Turn::say("done")];
        let session = client.run(&at, turns);
        assert_eq!(at.head() != head, commits, "{}: {}", client.harness.name(), session.after(0));
    }
}

/// Its sandbox keeps the repository's own folder from being written, unless that is named.
#[test]
fn codex_commits_where_the_repository_is_a_writable_root() {
    for is_root in [false, true] {
        let Some(mut client) = Client::codex() else { return };
        let scratch = repository();
        let at = scratch.worktree("a1", "feat/a1/x");
        if is_root {
            let git = scratch.root().join(".git");
            let roots = json!([git.join("worktrees/a1"), git]).to_string();
            client = client.arg("-c").arg(&format!("sandbox_workspace_write.writable_roots={roots}"));
        }
        let head = at.head();
        let session =
            client.run(&at, vec![client.harness.shell("git commit --allow-empty -m x"), Turn::say("done")]);
        assert_eq!(at.head() != head, is_root, "{}", session.after(0));
    }
}
