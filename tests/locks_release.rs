//! Locks that are given back by themselves, once their work has landed.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod locks_support;
mod support;

use locks_support::with_locks;
use support::Worktree;

const ON_PUSH: &str = "ttl: 2h, release: on-push";
const ON_MERGE: &str = "ttl: 2h, release: on-merge";

#[test]
fn locks_are_given_back_when_their_work_is_pushed() {
    let (_scratch, one, two) = with_locks("ttl: 2h, release: on-push");
    two.lane(&["lock", "common"]).ok();
    two.git(&["push", "-q", "origin", "HEAD"]).ok().does_not_say("gave back");
    two.commit("services/common/a.py", "x\n", "feat: a").ok();
    two.commit("services/common/b.py", "x\n", "feat: b").ok();
    two.git(&["push", "-q", "origin", "HEAD~1:refs/heads/feat/a2/x"]).ok();
    one.lane(&["lock", "common"]).fails(1); // one commit is still here
    two.git(&["push", "-q", "origin", "HEAD"]).ok();
    one.lane(&["lock", "common"]).ok().says("gave back `common` of a2: its work is pushed");
    // With `git lane push` at once.
    one.commit("services/common/c.py", "x\n", "feat: c").ok();
    one.lane(&["push"]).ok().says("gave back `common` of a1");
    // A hook does it too.
    two.lane(&["lock", "common"]).ok();
    two.commit("services/common/d.py", "x\n", "feat: d").ok();
    two.git(&["push", "-q", "origin", "HEAD"]).ok();
    one.commit("services/orchestrator/x.py", "x\n", "feat: x").ok().says("gave back `common` of a2");
}

#[test]
fn locks_are_given_back_when_their_work_is_on_the_base() {
    let (scratch, one, two) = with_locks("ttl: 2h, release: on-merge");
    two.lane(&["lock", "common"]).ok();
    two.commit("services/common/a.py", "x\n", "feat: a").ok();
    two.git(&["push", "-q", "origin", "HEAD"]).ok();
    one.lane(&["lock", "common"]).fails(1).does_not_say("gave back");
    // A squash makes another commit of it, the trailers somewhere in its text.
    scratch.git(&["merge", "-q", "--squash", "feat/a2/x"]).ok();
    let text = "Merged: a (#1)\n\n* [A2] feat: a\n\nLane-Lock: common@1\n\nmore words";
    scratch.git(&["commit", "-q", "--no-verify", "-m", text]).ok();
    scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    one.lane(&["lock", "common"]).ok().says("gave back `common` of a2: its work is on the base");
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
    one.lane(&["lock", "common"]).ok().says("gave back `common` of a2: its work is pushed");
}

#[test]
fn another_branch_in_the_worktree_changes_nothing() {
    let (_scratch, one, two) = with_locks(ON_PUSH);
    push_one(&two);
    // One more on another branch, not pushed; then a third branch is checked out.
    two.git(&["switch", "-q", "-c", "feat/a2/y"]).ok();
    two.commit("services/common/b.py", "x\n", "feat: b").ok();
    two.git(&["switch", "-q", "-c", "feat/a2/z", "origin/main"]).ok();
    one.lane(&["lock", "common"]).fails(1).does_not_say("gave back");
    two.git(&["push", "-q", "origin", "feat/a2/y"]).ok();
    one.lane(&["lock", "common"]).ok().says("gave back `common` of a2");
}

#[test]
fn what_is_being_worked_on_keeps_its_lock() {
    for release in [ON_PUSH, ON_MERGE] {
        let (scratch, one, two) = with_locks(release);
        push_one(&two);
        scratch.git(&["merge", "-q", "--ff-only", "feat/a2/x"]).ok();
        scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
        two.write("services/common/new.py", "x\n");
        one.lane(&["locks"]).ok().says("common: a2").does_not_say("gave back");
        two.git(&["add", "-A"]).ok();
        one.lane(&["locks"]).ok().says("common: a2").does_not_say("gave back");
        // The very commit that is under way.
        two.git(&["commit", "-q", "-m", "feat: new"]).ok().does_not_say("gave back");
        one.lane(&["locks"]).ok().says("common: a2");
    }
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
    one.lane(&["lock", "common"]).ok().says("gave back `common` of a2: its work is on the base");
}

#[test]
fn a_repository_that_only_looks_the_same_gives_nothing_back() {
    let (scratch, one, two) = with_locks(ON_PUSH);
    push_one(&two);
    // As in a container with the same paths on the same machine.
    std::fs::write(scratch.root().join(".git/lane/locks/repository.json"), "\"another\"").unwrap();
    one.lane(&["lock", "common"]).fails(1).does_not_say("gave back");
}
