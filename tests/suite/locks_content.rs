//! Locks order content: nobody reverts, or works past, what landed under a lock.

use crate::support::locks::{two, with_policy};
use crate::support::server::{Server, policy};
use crate::support::{POLICY, Ran, Scratch, Worktree};

const PATH: &str = "services/common/main.py";

/// What the file is after one of its lines was changed.
fn text(line: usize, to: &str) -> String {
    let mut lines = ["line"; 20];
    lines[line] = to;
    lines.join("\n") + "\n"
}

/// A server that has the locks and allows merges, and clones of both agents with their hooks.
fn server() -> (Server, Worktree, Worktree) {
    let policy = policy().replace("ttl: 2h, remote: null", "ttl: 2h, remote: origin");
    let server = Server::with(&policy.replace("merges: deny", "merges: allow"));
    let agent = |id: &str| {
        let tree = server.clone(&format!("clone-{id}"), &format!("feat/{id}/x"));
        tree.lane(&["install", "--agent", id]).ok();
        tree
    };
    let (one, two) = (agent("a1"), agent("a2"));
    (server, one, two)
}

/// Pushes past the hooks of the clone: it is the server that judges.
fn push(tree: &Worktree, refspec: &str) -> Ran {
    tree.git(&["push", "--no-verify", "-f", "origin", refspec])
}

/// The host merges a branch.
fn land(scratch: &Scratch, branch: &str) {
    let branch = format!("refs/heads/{branch}");
    scratch.run(&scratch.home().join("origin.git"), "git", &["update-ref", "refs/heads/main", &branch]).ok();
    scratch.git(&["fetch", "-q", "origin"]).ok();
}

/// a2 changes a line under its lock, pushes and gives back; then a1 does so, and it lands.
fn both_in_turn(server: &Server, one: &Worktree, two: &Worktree) {
    two.lane(&["lock", "common"]).ok();
    two.commit(PATH, &text(2, "two"), "feat: two").ok();
    two.lane(&["push"]).ok();
    two.lane(&["unlock", "common"]).ok();
    one.lane(&["lock", "common"]).ok();
    one.commit(PATH, &text(2, "one"), "feat: one").ok();
    one.lane(&["push"]).ok();
    land(&server.scratch, "feat/a1/x");
    one.lane(&["unlock", "common"]).ok();
    two.git(&["fetch", "-q", "origin"]).ok();
}

/// What the policy job says of the branch of a2 as it stands there.
fn ci(tree: &Worktree) -> Ran {
    tree.lane(&["ci", "--base", "origin/main", "--head", "HEAD", "--agent", "a2", "--branch", "feat/a2/x"])
}

#[test]
fn an_older_branch_is_no_way_around_the_lock() {
    let (server, one, two) = server();
    two.sneak("services/rag_pipeline/a.py", "x\n", "[A2] mine");
    push(&two, "HEAD").ok();
    one.lane(&["lock", "common"]).ok();
    one.commit(PATH, &text(2, "one"), "feat: one").ok();
    one.lane(&["push"]).ok();
    land(&server.scratch, "feat/a1/x");
    one.lane(&["unlock", "common"]).ok();
    two.git(&["fetch", "-q", "origin"]).ok();
    two.git(&["reset", "-q", "--hard", "origin/main"]).ok();
    two.sneak(PATH, &"line\n".repeat(20), "[A2] feat: other things");
    push(&two, "HEAD:refs/heads/feat/a2/fresh").fails(1).says("unlocked-path");
    push(&two, "HEAD:refs/heads/feat/a2/x").fails(1).says("unlocked-path").says("`, which is not held");
    two.git(&["push", "-f", "origin", "HEAD:refs/heads/feat/a2/x"]).fails(1).says("(pre-push, a2)");
    two.lane(&["check"]).fails(1).says("unlocked-path");
    // Whoever holds the lock now may do just that.
    two.lane(&["lock", "common"]).ok();
    push(&two, "HEAD:refs/heads/feat/a2/x").ok();
}

#[test]
fn a_rebase_with_ones_own_side_needs_the_lock() {
    let (server, one, two) = server();
    both_in_turn(&server, &one, &two);
    two.git(&["rebase", "-q", "-X", "theirs", "origin/main"]).ok();
    push(&two, "HEAD").fails(1).says("which a1 (MLOps) has taken");
    two.git(&["push", "-f", "origin", "HEAD"]).fails(1).says("(pre-push, a2)");
    ci(&two).fails(1).says("error[unlocked-path]").says("has taken since");
    // What is said leads on.
    two.lane(&["lock", "common"]).ok();
    two.git(&["rebase", "-q", "--force-rebase", "origin/main"]).ok();
    two.lane(&["push", "--force-with-lease"]).ok();
    assert!(two.git(&["log", "-1", "--format=%B"]).ok().out.contains("Lane-Lock: common@3"));
}

#[test]
fn a_merge_with_ones_own_side_needs_the_lock() {
    for how in [&["-X", "ours"], &["-s", "ours"]] {
        let (server, one, two) = server();
        both_in_turn(&server, &one, &two);
        two.git(
            &[&["merge", "-q", "--no-verify", "-m", "[A2] chore: main"], &how[..], &["origin/main"]].concat(),
        )
        .ok();
        assert_eq!(std::fs::read_to_string(two.root.join(PATH)).unwrap(), text(2, "two"));
        push(&two, "HEAD").fails(1).says("unlocked-path").says("`, which is not held");
        push(&two, "HEAD:refs/heads/feat/a2/second").fails(1).says("unlocked-path");
        two.git(&["push", "origin", "HEAD"]).fails(1).says("(pre-push, a2)");
        ci(&two).fails(1).says("error[unlocked-path]");
        two.lane(&["lock", "common"]).ok();
        push(&two, "HEAD").ok();
        // It was judged then: what comes after it need not hold the lock for it.
        two.lane(&["unlock", "common"]).ok();
        two.sneak("services/rag_pipeline/a.py", "x\n", "[A2] mine");
        push(&two, "HEAD").ok();
    }
}

#[test]
fn a_second_head_on_the_newest_base_hides_nothing() {
    let (server, one, two) = server();
    both_in_turn(&server, &one, &two);
    two.git(&["switch", "-q", "-c", "feat/a2/new", "origin/main"]).ok();
    two.sneak("services/rag_pipeline/new.py", "x\n", "[A2] new");
    push(&two, "HEAD").ok();
    two.git(&["merge", "-q", "--no-verify", "-X", "theirs", "-m", "[A2] merge", "feat/a2/x"]).ok();
    push(&two, "HEAD:refs/heads/feat/a2/back").fails(1).says("unlocked-path");
}

#[test]
fn a_merge_that_takes_both_in_needs_nothing() {
    let (server, one, two) = server();
    two.lane(&["lock", "services/common/other.py"]).ok();
    two.commit("services/common/other.py", "x\n", "feat: two").ok();
    two.lane(&["push"]).ok();
    two.lane(&["unlock", "services/common/other.py"]).ok();
    one.lane(&["lock", "services/common/main.py"]).ok();
    one.commit(PATH, &text(2, "one"), "feat: one").ok();
    one.lane(&["push"]).ok();
    land(&server.scratch, "feat/a1/x");
    two.git(&["fetch", "-q", "origin"]).ok();
    two.git(&["merge", "-q", "-m", "[A2] chore: main", "origin/main"]).ok();
    push(&two, "HEAD").ok();
}

#[test]
fn what_is_made_anew_after_the_lock_ended_was_not_made_under_it() {
    let (server, _, two) = server();
    two.lane(&["lock", "common"]).ok();
    two.commit(PATH, &text(2, "two"), "feat: two").ok();
    two.lane(&["push"]).ok();
    two.lane(&["unlock", "common"]).ok();
    // Nobody takes the lock: a maintainer lands something there.
    server.scratch.main().sneak(PATH, &text(2, "lead"), "fix: lead");
    server.scratch.git(&["push", "-q", "origin", "main"]).ok();
    two.git(&["fetch", "-q", "origin"]).ok();
    two.git(&["rebase", "-q", "-X", "theirs", "origin/main"]).ok();
    let refused = push(&two, "HEAD").fails(1);
    refused.says("generation 1 of the lock `common`, which had expired before");
    ci(&two).fails(1).says("error[unlocked-path]");
    two.lane(&["lock", "common"]).ok();
    two.git(&["rebase", "-q", "--force-rebase", "origin/main"]).ok();
    two.lane(&["push", "--force-with-lease"]).ok();
    ci(&two).ok();
}

#[test]
fn what_was_made_in_time_may_be_pushed_later() {
    let (server, _, two) = server();
    two.lane(&["lock", "common"]).ok();
    server.scratch.main().sneak(PATH, &text(2, "lead"), "fix: lead");
    server.scratch.git(&["push", "-q", "origin", "main"]).ok();
    two.lane(&["sync"]).ok();
    two.commit(PATH, &text(3, "two"), "feat: two").ok();
    two.lane(&["unlock", "common"]).ok();
    push(&two, "HEAD").ok();
    // Nor does a squash of it that has landed stand in the way of what follows.
    server.scratch.git(&["fetch", "-q", "origin"]).ok();
    server.scratch.git(&["merge", "-q", "--squash", "origin/feat/a2/x"]).ok();
    server.scratch.git(&["commit", "-q", "-m", "feat: two (#1)"]).ok();
    server.scratch.git(&["push", "-q", "origin", "main"]).ok();
    two.git(&["fetch", "-q", "origin"]).ok();
    two.lane(&["lock", "common"]).ok().does_not_say("newer version");
    two.commit(PATH, &text(3, "two again"), "feat: two again").ok();
    two.lane(&["push"]).ok();
}

#[test]
fn a_lock_on_stale_content_says_so_and_is_not_worked_under() {
    let (scratch, one, two) = two();
    one.lane(&["lock", "common"]).ok().does_not_say("newer version");
    one.commit(PATH, &text(2, "one"), "feat: one").ok();
    one.git(&["push", "-q", "origin", "HEAD"]).ok();
    land(&scratch, "feat/a1/x");
    one.lane(&["unlock", "common"]).ok();
    let locked = two.lane(&["lock", "common", "--format", "json"]).ok();
    assert_eq!(locked.json()["missing"][0], PATH);
    let locked = two.lane(&["lock", "common"]).ok();
    locked
        .says("1 file under the lock has a newer version on origin/main")
        .says("    services/common/main.py\n");
    two.lane(&["lock", "services/common/other.py"]).ok().does_not_say("newer version");
    let refused = two.commit(PATH, &text(10, "two"), "feat: two");
    let refused = refused.fails(1).says("origin/main has a newer version that this branch does not contain");
    refused.says("git lane sync --autostash");
    two.lane(&["sync", "--autostash"]).ok();
    let both = text(10, "two").replacen("line\nline\nline", "line\nline\none", 1);
    assert_eq!(std::fs::read_to_string(two.root.join(PATH)).unwrap(), both);
    two.git(&["commit", "-q", "-a", "-m", "feat: two"]).ok();
    two.git(&["push", "-q", "origin", "HEAD"]).ok();
    // Other files of the area are not what has moved on.
    scratch.git(&["merge", "-q", "--ff-only", "origin/main"]).ok();
    scratch.main().sneak(PATH, &text(3, "lead"), "fix: lead");
    scratch.git(&["push", "-q", "origin", "main"]).ok();
    two.commit("services/common/other.py", "x\n", "feat: other").ok();
}

#[test]
fn what_was_committed_before_it_was_known_is_refused_at_the_push() {
    let (server, one, two) = server();
    one.lane(&["lock", "common"]).ok();
    one.commit(PATH, &text(2, "one"), "feat: one").ok();
    one.lane(&["push"]).ok();
    one.lane(&["unlock", "common"]).ok();
    two.lane(&["lock", "common"]).ok();
    two.commit(PATH, &text(10, "two"), "feat: two").ok();
    land(&server.scratch, "feat/a1/x");
    // The clone does not know of it, and the server does.
    let refused = two.git(&["push", "origin", "HEAD"]).fails(1).says("(pre-receive, a2)");
    refused.says("origin/main has a newer version").says("git lane sync --push");
    two.git(&["fetch", "-q", "origin"]).ok();
    two.git(&["push", "origin", "HEAD"]).fails(1).says("(pre-push, a2)");
    ci(&two).fails(1).says("error[unlocked-path]");
    two.lane(&["sync", "--push"]).ok();
    ci(&two).ok();
}

#[test]
fn a_maintainer_is_not_asked_to_take_anything_in() {
    let (scratch, one, _) = with_policy(POLICY, "ttl: 2h");
    one.lane(&["lock", "common"]).ok();
    one.commit(PATH, &text(2, "one"), "feat: one").ok();
    one.git(&["push", "-q", "origin", "HEAD:refs/heads/feat/a1/x"]).ok();
    one.lane(&["unlock", "common"]).ok();
    scratch.git(&["switch", "-q", "-c", "hotfix"]).ok();
    scratch.git(&["push", "-q", "origin", "origin/feat/a1/x:refs/heads/main"]).ok();
    scratch.git(&["fetch", "-q", "origin"]).ok();
    scratch.main().lane(&["install"]).ok();
    scratch.main().commit(PATH, &text(10, "lead"), "fix: lead").ok().does_not_say("newer version");
}
