//! Where each client looks for hooks, from a linked worktree above all, and which worktrees it makes.

use std::path::PathBuf;

use serde_json::json;

use super::claude::write;
use super::client::{Client, Moment};
use super::contract::{REASON, changes, read, refusal, repository, script};
use super::model::Turn;
use crate::support::Worktree;

macro_rules! each {
    ($($client:ident)+) => {$(
        mod $client {
            use super::super::client::Client;

            #[test]
            fn hooks_are_found_in_the_home_and_not_in_the_main_checkout() {
                super::hooks_are_found_in_the_home_and_not_in_the_main_checkout(Client::$client);
            }

            #[test]
            fn an_edit_of_another_checkout() {
                super::an_edit_of_another_checkout(Client::$client);
            }

            #[test]
            fn hooks_are_found_from_a_subfolder() {
                super::hooks_are_found_from_a_subfolder(Client::$client);
            }
        }
    )+};
}

each!(claude codex gemini copilot opencode);

/// A session in a linked worktree, and in which file its hooks are.
fn hooks_are_found_in_the_home_and_not_in_the_main_checkout(client: fn() -> Option<Client>) {
    for (place, refuses) in [("home", true), ("main checkout", false), ("worktree", true)] {
        let Some(client) = client() else { return };
        let (scratch, harness) = (repository(), client.harness);
        let at = scratch.worktree("a1", "feat/a1/x");
        let file = match place {
            "home" => scratch.home().join(harness.hooks_of_user()),
            "worktree" => at.root.join(harness.hooks_of_checkout()),
            _ => scratch.root().join(harness.hooks_of_checkout()),
        };
        let (turns, [edit, ..]) = changes(harness, &at);
        let hook = refusal(&scratch, harness);
        let session = client.at(Moment::BeforeTool, &hook).hooks_in(file).run(&at, turns);
        // Codex asks the main checkout instead, and that only where the worktree has such a folder too.
        let refuses = if harness.name() == "codex" { place == "home" } else { refuses };
        assert_eq!(session.after(edit).contains(REASON), refuses, "{place}: {}", session.ran.all());
        assert_eq!(read(&at, "a.txt") == "one\ntwo\n", refuses, "{place}: {}", session.ran.all());
    }
}

/// An edit from a linked worktree that lands in the main checkout: Gemini and opencode know their bounds, the others
/// ask the hook first. (Codex may write here because this is a temporary folder.)
fn an_edit_of_another_checkout(client: fn() -> Option<Client>) {
    for is_hooked in [false, true] {
        let Some(mut client) = client() else { return };
        let (scratch, harness) = (repository(), client.harness);
        let at = scratch.worktree("a1", "feat/a1/x");
        let mut turns = harness.edit(&at.root, scratch.root().join("a.txt").to_str().unwrap(), "two", "TWO");
        let edit = turns.len() - 1;
        turns.push(Turn::say("done"));
        if is_hooked {
            let hook = refusal(&scratch, harness);
            client =
                client.at(Moment::BeforeTool, &hook).hooks_in(scratch.home().join(harness.hooks_of_user()));
        }
        let session = client.run(&at, turns);
        let has_bounds = ["gemini", "opencode"].contains(&harness.name());
        let happened = read(&scratch.main(), "a.txt") != "one\ntwo\n";
        assert_eq!(happened, !is_hooked && !has_bounds, "{}", session.ran.all());
        if is_hooked && !has_bounds {
            assert!(session.after(edit).contains(REASON), "{}", session.after(edit));
        }
    }
}

/// A session that is started further down: not every client looks upwards for the hooks of the checkout.
fn hooks_are_found_from_a_subfolder(client: fn() -> Option<Client>) {
    for place in ["home", "checkout"] {
        let Some(client) = client() else { return };
        let (scratch, harness) = (repository(), client.harness);
        scratch.write("sub/a.txt", "one\ntwo\n");
        let at = Worktree { root: scratch.root().join("sub"), home: scratch.home() };
        let file = match place {
            "home" => scratch.home().join(harness.hooks_of_user()),
            _ => scratch.root().join(harness.hooks_of_checkout()),
        };
        let looks_up = ["codex", "opencode"].contains(&harness.name());
        let (turns, [edit, ..]) = changes(harness, &at);
        let hook = refusal(&scratch, harness);
        let session = client.at(Moment::BeforeTool, &hook).hooks_in(file).run(&at, turns);
        let refuses = place == "home" || looks_up;
        assert_eq!(session.after(edit).contains(REASON), refuses, "{place}: {}", session.ran.all());
        assert_eq!(read(&at, "a.txt") == "one\ntwo\n", refuses, "{place}: {}", session.ran.all());
    }
}

#[test]
fn codex_takes_hooks_of_the_main_checkout_where_the_worktree_has_the_folder() {
    let Some(client) = Client::codex() else { return };
    let (scratch, harness) = (repository(), client.harness);
    let at = scratch.worktree("a1", "feat/a1/x");
    std::fs::create_dir(at.root.join(".codex")).unwrap();
    let file = scratch.root().join(harness.hooks_of_checkout());
    let client = client.at(Moment::BeforeTool, &refusal(&scratch, harness)).hooks_in(file);
    let session = client.run(&at, changes(harness, &at).0);
    assert!(session.after(0).contains(REASON), "{}", session.ran.all());
}

/// Whatever the hook is a part of, what the user has trusted is its definition: event, matcher, command, time.
#[test]
fn codex_runs_a_hook_that_is_trusted_by_its_hash() {
    const HASH: &str = "sha256:5539f5755adcdbfeee6ef955dcadddc8e03895df86bd545eb0528bfb81028bed";
    for (hash, refuses) in [(Some(HASH), true), (Some("sha256:00"), false), (None, false)] {
        let Some(client) = Client::careful_codex() else { return };
        let (scratch, harness) = (repository(), client.harness);
        let at = scratch.main();
        refusal(&scratch, harness);
        if let Some(hash) = hash {
            let key = format!("{}:pre_tool_use:0:0", at.root.join(harness.hooks_of_checkout()).display());
            let text = format!("[hooks.state.\"{key}\"]\ntrusted_hash = \"{hash}\"\n");
            std::fs::create_dir(scratch.home().join(".codex")).unwrap();
            std::fs::write(scratch.home().join(".codex/config.toml"), text).unwrap();
        }
        let client = client.hook("PreToolUse", "apply_patch", "sh \"$HOME/refuse.sh\"");
        let session = client.run(&at, changes(harness, &at).0);
        assert_eq!(session.after(0).contains(REASON), refuses, "{hash:?}: {}", session.ran.all());
    }
}

#[test]
fn claude_finds_the_local_settings_of_the_main_checkout_from_each_worktree() {
    for way in ["linked worktree", "its subfolder", "-w", "own local settings too"] {
        let Some(mut client) = Client::claude() else { return };
        let (scratch, harness) = (repository(), client.harness);
        let mut at = scratch.main();
        if way == "-w" {
            client = client.arg("-w").arg("x");
        } else {
            at = scratch.worktree("a1", "feat/a1/x");
        }
        if way == "its subfolder" {
            at.root.push("sub");
            std::fs::create_dir(&at.root).unwrap();
        }
        if way == "own local settings too" {
            write(&at.root.join(".claude/settings.local.json"), &json!({"hooks": {}, "permissions": {}}));
        }
        let file = scratch.root().join(".claude/settings.local.json");
        let write = Turn::call("Write", json!({"file_path": "c.txt", "content": "new\n"}));
        let hook = refusal(&scratch, harness);
        let session =
            client.at(Moment::BeforeTool, &hook).hooks_in(file).run(&at, vec![write, Turn::say("done")]);
        assert!(session.after(0).contains(REASON), "{way}: {}", session.after(0));
    }
}

/// `-w`, the tool and a subagent that is to be alone: each of them takes the worktree that the hook names.
#[test]
fn claude_takes_a_worktree_from_a_hook() {
    for way in ["-w", "tool", "subagent"] {
        let Some(mut client) = Client::claude() else { return };
        let scratch = repository();
        let at = scratch.main();
        let given: PathBuf = scratch.worktree("a1", "feat/a1/x").root;
        let hook = script(&scratch, "worktree.sh", &format!("cat >/dev/null\necho '{}'\n", given.display()));
        let write = Turn::call("Write", json!({"file_path": "w.txt", "content": "w\n"}));
        let turns = match way {
            "-w" => {
                client = client.arg("-w").arg("x");
                vec![write]
            }
            "tool" => vec![
                Turn::call("ToolSearch", json!({"query": "select:EnterWorktree", "max_results": 5})),
                Turn::call("EnterWorktree", json!({"name": "x"})),
                write,
            ],
            _ => {
                client = client.subagent("write it alone", vec![write, Turn::say("written")]);
                let input = json!({
                    "description": "a subagent", "prompt": "write it alone", "subagent_type": "general-purpose",
                    "isolation": "worktree",
                });
                vec![Turn::call("Agent", input)]
            }
        };
        let session = client.hook("WorktreeCreate", "", &hook).run(&at, turns);
        assert!(given.join("w.txt").exists(), "{way}: {}", session.ran.all());
        assert!(!at.root.join("w.txt").exists(), "{way}: {}", session.ran.all());
    }
}
