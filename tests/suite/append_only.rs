//! `access: append` on real repositories: at the edit, the commit, the push, on a server and in CI.

use crate::advice::{commands, sh};
use crate::support::server::{Server, push};
use crate::support::{LANE, POLICY, Scratch, Worktree};

fn policy() -> String {
    let areas = "areas:\n  - { name: released, paths: [/released/], access: append }";
    POLICY.replacen("areas:", areas, 1).replace("max_age: 3h", "max_age: null")
}

/// A worktree of a2 with hooks; the base has a released file.
fn installed() -> (Scratch, Worktree) {
    let scratch = Scratch::with_policy(&policy());
    scratch.write("released/1.sql", "one\n");
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-q", "-m", "release"]).ok();
    scratch.add_origin();
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.lane(&["install", "--agent", "a2"]).ok();
    (scratch, tree)
}

#[test]
fn files_are_added_and_stay() {
    let (_scratch, tree) = installed();
    tree.commit("released/2.sql", "two\n", "feat: two").ok();
    tree.commit("released/2.sql", "two!\n", "feat: better").ok();
    let refused = tree.commit("released/1.sql", "other\n", "feat: one").fails(1);
    let refused = refused.says("error[append-only]").says("changed in the area `released`");
    // As it says: the edit stays, and nothing of it is in a commit.
    for command in commands(&refused.all()).iter().filter(|command| command.starts_with("git restore")) {
        sh(&tree, command).ok();
    }
    assert_eq!(tree.git(&["status", "--porcelain"]).ok().out, " M released/1.sql\n");
    tree.git(&["rm", "-q", "-f", "released/1.sql"]).ok();
    tree.git(&["commit", "-q", "-m", "feat: gone"]).fails(1).says("removed in the area `released`");
    tree.git(&["restore", "--staged", "--worktree", "released/1.sql"]).ok();
    tree.git(&["mv", "released/1.sql", "released/3.sql"]).ok();
    tree.git(&["commit", "-q", "-m", "feat: renamed"]).fails(1).says("append-only");
    tree.git(&["mv", "released/3.sql", "released/1.sql"]).ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
}

#[test]
fn what_commits_undo_is_as_it_was() {
    let (_scratch, tree) = installed();
    tree.sneak("released/1.sql", "other\n", "[A2] feat: other");
    let refused = tree.git(&["push", "-q", "origin", "HEAD"]).fails(1).says("append-only");
    let drop = commands(&refused.all()).into_iter().find(|command| command.starts_with("git lane drop"));
    tree.sneak("released/1.sql", "one\n", "[A2] feat: back");
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
    tree.sneak("released/1.sql", "other\n", "[A2] feat: other again");
    sh(&tree, &drop.unwrap()).ok();
    tree.lane(&["check"]).ok();
}

#[test]
fn a_server_and_ci_say_the_same() {
    let server = Server::with(&policy());
    let main = server.scratch.main();
    main.sneak("released/1.sql", "one\n", "release");
    main.git(&["push", "-q", "origin", "main"]).ok();
    let tree = server.clone("two", "feat/a2/x");
    tree.sneak("released/2.sql", "two\n", "[A2] feat: two");
    push(&tree, &["HEAD"]).ok();
    tree.sneak("released/1.sql", "other\n", "[A2] feat: one");
    push(&tree, &["HEAD"]).fails(1).says("append-only");
    tree.lane(&["ci", "--base", "origin/main", "--head", "HEAD", "--branch", "feat/a2/x"])
        .fails(1)
        .says("append-only");
    main.sneak("released/1.sql", "mended\n", "a maintainer mends it");
    main.git(&["push", "-q", "origin", "main"]).ok();
}

#[test]
fn the_edit_is_told() {
    let (_scratch, tree) = installed();
    let edit = |path: &str| {
        let path = tree.root.join(path);
        let payload = serde_json::json!({
            "hook_event_name": "PreToolUse", "session_id": "s", "cwd": tree.root, "tool_name": "Edit",
            "tool_input": { "file_path": path, "old_string": "o", "new_string": "n" },
        });
        let mut command = tree.command(LANE);
        command.args(["hook", "agent", "claude"]);
        crate::support::with_input(command, payload.to_string().as_bytes())
    };
    assert!(edit("released/1.sql").all().contains("append-only"));
    tree.commit("released/2.sql", "two\n", "feat: two").ok();
    assert!(!edit("released/2.sql").all().contains("append-only"));
    assert!(!edit("released/3.sql").all().contains("append-only"));
    tree.lane(&["who", "released/1.sql"]).ok().says("anyone, until it is on the base");
}
