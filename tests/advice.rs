//! What a finding or an error tells to type next is typed here, in the state in which it is told: it leads on, and
//! loses nothing.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use support::{Ran, Scratch, Worktree};

/// The commands that a message names: what follows `: ` in its lines of help, as it is printed.
fn commands(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_help = false;
    for line in text.lines() {
        in_help = line.starts_with("  help: ") || (in_help && line.starts_with("        "));
        let Some(line) = line.get(8..).filter(|_| in_help) else { continue };
        let is_command = |text: &str| ["git ", "rm ", "unset "].iter().any(|word| text.starts_with(word));
        if is_command(line) {
            found.push(line.to_owned());
        } else if let Some((_, command)) = line.split_once(": ").filter(|(_, command)| is_command(command)) {
            found.push(command.to_owned());
        }
    }
    found
}

/// Types a command as a shell reads it.
fn sh(tree: &Worktree, script: &str) -> Ran {
    let lane = std::path::Path::new(support::LANE).parent().unwrap();
    let path = format!("{}:{}", lane.display(), std::env::var("PATH").unwrap());
    tree.command("sh").env("PATH", path).args(["-c", script]).output().unwrap().into()
}

/// Two agents with worktrees beside the main one, which `git lane setup` makes.
fn with_worktrees() -> Scratch {
    let policy = "version: 1\nservices: { paths: \"services/{service}/**\" }\nagents:\n  \
                  a1: { services: [revenue], worktree: ../wt-a1, branch: feat/a1/main }\n  \
                  a2: { services: [rag_pipeline], worktree: ../wt-a2, branch: feat/a2/main }\n\
                  branch: { pattern: \"feat/{agent}/{feature}\", protected: [main] }\n";
    Scratch::with_policy(policy)
}

#[test]
fn setup_tells_how_a_worktree_that_was_moved_comes_back() {
    let scratch = with_worktrees();
    scratch.lane(&["setup"]).ok();
    let away = scratch.home().join("some where");
    scratch.git(&["worktree", "move", "../wt-a1", away.to_str().unwrap()]).ok();
    std::fs::write(away.join("note"), "kept\n").unwrap();
    scratch.lane(&["setup", "--dry-run"]).says("the policy has it in");
    let ran = scratch.lane(&["setup"]).fails(1).says("the worktree of a1 is in").does_not_say("switch");
    for command in commands(&ran.all()) {
        sh(&scratch.main(), &command).ok();
    }
    assert_eq!(std::fs::read_to_string(scratch.home().join("wt-a1/note")).unwrap(), "kept\n");
    scratch.lane(&["setup"]).ok().says("nothing to do");
    // The folder moved, and git does not know.
    std::fs::rename(scratch.home().join("wt-a1"), scratch.home().join("elsewhere")).unwrap();
    let ran = scratch.lane(&["setup"]).fails(1).says("was moved to");
    for command in commands(&ran.all()) {
        sh(&scratch.main(), &command).ok();
    }
    scratch.lane(&["setup"]).ok().says("nothing to do");
}

#[test]
fn setup_tells_what_to_switch_where_the_main_worktree_has_the_branch() {
    let scratch = with_worktrees();
    scratch.git(&["switch", "-q", "-c", "feat/a1/main"]).ok();
    let ran = scratch.lane(&["setup"]).fails(1).says("is checked out in the main worktree");
    let told = commands(&ran.all());
    assert_eq!(told.len(), 2, "{told:?}");
    for command in told {
        sh(&scratch.main(), &command).ok();
    }
}

#[test]
fn a_worktree_is_made_though_the_post_checkout_hook_fails() {
    let scratch = with_worktrees();
    let hook = scratch.root().join(".git/hooks/post-checkout");
    std::fs::write(&hook, "#!/bin/sh\necho no such tool >&2\nexit 127\n").unwrap();
    scratch.run(&scratch.root(), "chmod", &["+x", hook.to_str().unwrap()]).ok();
    scratch.lane(&["setup"]).ok().says("the post-checkout hook").says("no such tool");
    scratch.lane(&["setup"]).ok().does_not_say("post-checkout");
    for agent in ["a1", "a2"] {
        let tree = Worktree { root: scratch.home().join(format!("wt-{agent}")), home: scratch.home() };
        assert_eq!(tree.git(&["config", "lane.agent"]).out.trim(), agent);
        assert_eq!(tree.git(&["status", "--porcelain"]).out, "");
    }
}
