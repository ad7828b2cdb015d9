//! Locks that are given back by themselves, once their work has landed.

use crate::support::Worktree;
use crate::support::locks::{Clones, with_locks};

const ON_PUSH: &str = "ttl: 2h, release: on-push";
const ON_MERGE: &str = "ttl: 2h, release: on-merge";

#[test]
fn locks_are_given_back_when_their_work_is_pushed() {
    let (_scratch, one, two) = with_locks("ttl: 2h, release: on-push");
    two.lane(&["lock", "common"]).ok();
    two.git(&["push", "-q", "origin", "HEAD"]).ok().does_not_say("released");
    two.commit("services/common/a.py", "x\n", "feat: a").ok();
    two.commit("services/common/b.py", "x\n", "feat: b").ok();
    two.git(&["push", "-q", "origin", "HEAD~1:refs/heads/feat/a2/x"]).ok();
    one.lane(&["lock", "common"]).fails(1); // one commit is still here
    two.git(&["push", "-q", "origin", "HEAD"]).ok();
    one.lane(&["lock", "common"]).ok().says("released `common` of a2: its work is pushed");
    // With `git lane push` at once.
    one.commit("services/common/c.py", "x\n", "feat: c").ok();
    one.lane(&["push"]).ok().says("released `common` of a1");
    // A hook does it too.
    two.lane(&["lock", "common"]).ok();
    two.commit("services/common/d.py", "x\n", "feat: d").ok();
    two.git(&["push", "-q", "origin", "HEAD"]).ok();
    one.commit("services/orchestrator/x.py", "x\n", "feat: x").ok().says("released `common` of a2");
}

#[test]
fn locks_are_given_back_when_their_work_is_on_the_base() {
    let (scratch, one, two) = with_locks("ttl: 2h, release: on-merge");
    two.lane(&["lock", "common"]).ok();
    two.commit("services/common/a.py", "x\n", "feat: a").ok();
    two.git(&["push", "-q", "origin", "HEAD"]).ok();
    one.lane(&["lock", "common"]).fails(1).does_not_say("released");
    // A squash makes another commit of it, the trailers somewhere in its text.
    scratch.git(&["merge", "-q", "--squash", "feat/a2/x"]).ok();
    let text = "Merged: a (#1)\n\n* [A2] feat: a\n\nLane-Lock: common@1\n\nmore words";
    scratch.git(&["commit", "-q", "--no-verify", "-m", text]).ok();
    scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    one.lane(&["lock", "common"]).ok().says("released `common` of a2: its work is on the base");
}

/// A lock on all of it, one commit under it, pushed.
fn push_one(tree: &Worktree) {
    tree.lane(&["lock", "common"]).ok();
    tree.commit("services/common/a.py", "x\n", "feat: a").ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
}

#[test]
fn work_that_reached_the_base_before_anybody_looked_is_pushed() {
    let (scratch, one, two) = with_locks(ON_PUSH);
    push_one(&two);
    scratch.git(&["merge", "-q", "--ff-only", "feat/a2/x"]).ok();
    scratch.git(&["push", "-q", "--no-verify", "origin", "main", ":feat/a2/x"]).ok();
    one.git(&["fetch", "-q", "--prune"]).ok();
    one.lane(&["lock", "common"]).ok().says("released `common` of a2: its work is pushed");
}

#[test]
fn another_branch_in_the_worktree_changes_nothing() {
    let (_scratch, one, two) = with_locks(ON_PUSH);
    push_one(&two);
    // One more on another branch, not pushed; then a third branch is checked out.
    two.git(&["switch", "-q", "-c", "feat/a2/y"]).ok();
    two.commit("services/common/b.py", "x\n", "feat: b").ok();
    two.git(&["switch", "-q", "-c", "feat/a2/z", "origin/main"]).ok();
    one.lane(&["lock", "common"]).fails(1).does_not_say("released");
    two.git(&["push", "-q", "origin", "feat/a2/y"]).ok();
    one.lane(&["lock", "common"]).ok().says("released `common` of a2");
}

#[test]
fn what_is_being_worked_on_keeps_its_lock() {
    for release in [ON_PUSH, ON_MERGE] {
        let (scratch, one, two) = with_locks(release);
        push_one(&two);
        scratch.git(&["merge", "-q", "--ff-only", "feat/a2/x"]).ok();
        scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
        two.write("services/common/new.py", "x\n");
        one.lane(&["locks"]).ok().says("common: a2").does_not_say("released");
        two.git(&["add", "-A"]).ok();
        one.lane(&["locks"]).ok().says("common: a2").does_not_say("released");
        // The very commit that is in progress.
        two.git(&["commit", "-q", "-m", "feat: new"]).ok().does_not_say("released");
        one.lane(&["locks"]).ok().says("common: a2");
    }
}

#[test]
fn a_rebase_or_a_worktree_that_moved_keeps_its_lock() {
    let (scratch, one, two) = with_locks(ON_PUSH);
    push_one(&two);
    two.write("services/common/wip.py", "x\n");
    let moved = scratch.home().join("moved");
    scratch.git(&["worktree", "move", two.root.to_str().unwrap(), moved.to_str().unwrap()]).ok();
    one.lane(&["locks"]).ok().says("common: a2").does_not_say("released");

    let (_scratch, one, two) = with_locks(ON_PUSH);
    push_one(&two);
    let paused = two
        .command("git")
        .args(["rebase", "-q", "-i", "HEAD~1"])
        .env("GIT_SEQUENCE_EDITOR", "echo break >")
        .output();
    assert!(paused.unwrap().status.success());
    one.lane(&["locks"]).ok().says("common: a2").does_not_say("released");
    two.git(&["rebase", "--abort"]).ok();
    one.lane(&["locks"]).ok().says("released `common` of a2");
}

#[test]
fn a_sparse_checkout_and_a_clone_of_one_branch() {
    let (_scratch, one, two) = with_locks(ON_PUSH);
    two.git(&["sparse-checkout", "set", "--no-cone", "/*", "!services/common/main.py"]).ok();
    push_one(&two);
    one.lane(&["locks"]).ok().says("released `common` of a2");

    let clones = Clones::with("remote: origin, release: on-push");
    let two = &clones.two;
    two.git(&["config", "remote.origin.fetch", "+refs/heads/main:refs/remotes/origin/main"]).ok();
    two.lane(&["lock", "common"]).ok();
    two.commit("services/common/a.py", "x\n", "feat: a").ok();
    two.lane(&["push"]).ok().says("released `common` of a2");
}

#[test]
fn a_lock_that_is_asked_for_is_not_given_back_first() {
    let (_scratch, _one, two) = with_locks(ON_PUSH);
    push_one(&two);
    two.lane(&["lock", "common", "--renew"]).ok().says("renewed `common`").does_not_say("released");
}

#[test]
fn what_others_change_on_the_base_does_not_keep_it() {
    let (scratch, one, two) = with_locks(ON_MERGE);
    push_one(&two);
    scratch.git(&["merge", "-q", "--squash", "feat/a2/x"]).ok();
    scratch.git(&["commit", "-q", "--no-verify", "-m", "Merged\n\nLane-Lock: common@1"]).ok();
    scratch.write("services/common/other.py", "x\n");
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-q", "--no-verify", "-m", "a maintainer's own"]).ok();
    scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    one.lane(&["lock", "common"]).ok().says("released `common` of a2: its work is on the base");
}

#[test]
fn a_repository_that_only_looks_the_same_gives_nothing_back() {
    let (scratch, one, two) = with_locks(ON_PUSH);
    push_one(&two);
    // A copy of it all, as in a container with the same paths on the same machine.
    let file = scratch.root().join(".git/lane/locks/repository.json");
    let text = std::fs::read(&file).unwrap();
    std::fs::rename(&file, scratch.home().join("kept")).unwrap();
    std::fs::write(&file, text).unwrap();
    one.lane(&["lock", "common"]).fails(1).does_not_say("released");
}
