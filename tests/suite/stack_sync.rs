//! Stacks of branches that are rebased and pushed together, and nothing of anybody that is lost by it: docs/stacks.md.

use crate::advice::{commands, sh};
use crate::support::{Scratch, Worktree};

const MINE: &str = "services/rag_pipeline/x.py";

/// feat/a2/x with two commits, and feat/a2/up above it with one; `pushed`: both are on the remote.
fn stack(pushed: bool) -> (Scratch, Worktree) {
    let (scratch, tree) = Scratch::installed();
    tree.commit(MINE, "a\n", "feat: a").ok();
    tree.commit(MINE, "a\nb\n", "feat: b").ok();
    tree.git(&["switch", "-q", "-c", "feat/a2/up"]).ok();
    tree.commit("services/rag_pipeline/up.py", "up\n", "feat: up").ok();
    if pushed {
        tree.lane(&["push", "--stack"]).ok();
    }
    (scratch, tree)
}

/// The base moves on, on the remote.
fn move_base(scratch: &Scratch, path: &str, text: &str) {
    scratch.main().sneak(path, text, "feat: the base moves on");
    scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
}

fn subjects(tree: &Worktree, branch: &str) -> String {
    tree.git(&["log", "--format=%s", &format!("origin/main..{branch}")])
        .ok()
        .out
        .replace("[A2] ", "")
        .replace('\n', ";")
}

fn at(tree: &Worktree, name: &str) -> String {
    tree.git(&["rev-parse", name]).ok().out.trim().to_owned()
}

#[test]
fn a_sync_moves_the_branches_below_and_no_others() {
    for squashed in [false, true] {
        let (scratch, tree) = stack(true);
        tree.git(&["switch", "-q", "-c", "feat/a2/top"]).ok();
        tree.commit("services/rag_pipeline/top.py", "t\n", "feat: top").ok();
        // Copies, another agent's branch and one of nobody point to the same commits.
        let others = ["feat/a2/copy", "feat/a1/theirs", "copy", "feat/a2/backup"];
        let at = ["HEAD", "HEAD~1", "HEAD~1", "HEAD~3"];
        others.iter().zip(at).for_each(|(name, at)| drop(tree.git(&["branch", "-q", name, at]).ok()));
        let places = || others.map(|name| tree.git(&["rev-parse", name]).ok().out);
        let before = places();
        if squashed {
            scratch.git(&["merge", "-q", "--squash", "feat/a2/x"]).ok();
            scratch.git(&["commit", "-q", "--no-verify", "-m", "feat: a and b (#1)"]).ok();
        } else {
            scratch.main().sneak("docs/m.md", "m\n", "docs: m");
        }
        scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
        let json = tree.lane(&["sync", "--format", "json"]).ok().json();
        let along = json["worktrees"][0]["along"].as_array().unwrap().clone();
        let names: Vec<_> = along.iter().map(|one| one["branch"].as_str().unwrap()).collect();
        let below: &[&str] = if squashed { &["feat/a2/up"] } else { &["feat/a2/x", "feat/a2/up"] };
        assert_eq!(names, below);
        assert_eq!(places(), before, "{squashed}");
        let count = if squashed { "2" } else { "4" };
        assert_eq!(tree.git(&["rev-list", "--count", "origin/main..HEAD"]).ok().out.trim(), count);
        assert_eq!(
            tree.git(&["rev-parse", "feat/a2/up"]).ok().out,
            tree.git(&["rev-parse", "HEAD~1"]).ok().out
        );
        // All or none of them is pushed.
        tree.lane(&["push", "--stack"]).fails(1);
        let pushed = tree.lane(&["push", "--stack", "-f", "--format", "json"]).ok().json();
        let below: Vec<String> = below.iter().map(|name| format!("refs/heads/{name}")).collect();
        assert_eq!(pushed["below"], serde_json::json!(below));
        tree.lane(&["sync"]).ok().says("is already up to date with origin/main");
    }
}

#[test]
fn a_branch_below_that_moves_while_a_rebase_waits_stays_where_it_is() {
    let (scratch, tree) = stack(true);
    move_base(&scratch, "services/rag_pipeline/up.py", "base\n");
    tree.lane(&["sync"]).fails(1).says("services/rag_pipeline/up.py");
    let more = "git update-ref refs/heads/feat/a2/x $(git commit-tree -p feat/a2/x -m '[A2] feat: c' 'feat/a2/x^{tree}')";
    sh(&tree, more).ok();
    let solve = "echo both >services/rag_pipeline/up.py; git add -A; GIT_EDITOR=true git rebase --continue";
    sh(&tree, solve).fails(1);
    let told = commands(&tree.lane(&["sync"]).all());
    assert_eq!(told, ["git rebase --quit"]);
    sh(&tree, &told[0]).ok();
    assert_eq!(subjects(&tree, "feat/a2/up"), "feat: up;feat: b;feat: a;");
    assert_eq!(subjects(&tree, "feat/a2/x"), "feat: c;feat: b;feat: a;");
    tree.git(&["status", "--porcelain"]).ok().does_not_say("up.py");
    tree.lane(&["sync"]).ok().says("is already up to date");
}

#[test]
fn what_is_reworded_on_top_of_a_stack_leaves_it_whole() {
    let (_scratch, tree) = stack(true);
    let lower = at(&tree, "feat/a2/x");
    for n in 0..2 {
        tree.write(&format!("services/rag_pipeline/{n}.py"), "x\n");
        tree.git(&["add", "-A"]).ok();
        tree.git(&["-c", "core.hooksPath=/dev/null", "commit", "-q", "-m", "feat: no tag"]).ok();
    }
    let push = ["push", "-q", "origin", "HEAD"];
    let told = commands(&tree.git(&push).fails(1).says("[untagged-message]").all());
    assert_eq!(told.len(), 1, "{told:?}");
    sh(&tree, &told[0]).ok();
    tree.git(&push).ok();
    tree.git(&["merge-base", "--is-ancestor", &lower, "HEAD"]).ok();
    assert_eq!(at(&tree, "feat/a2/x"), lower);
}

#[test]
fn a_stack_with_a_merge_is_rebased_by_hand_as_a_whole() {
    let (scratch, tree) = stack(false);
    tree.git(&["switch", "-q", "-c", "side", "HEAD~1"]).ok();
    tree.sneak("services/rag_pipeline/side.py", "s\n", "[A2] feat: side");
    tree.git(&["switch", "-q", "feat/a2/up"]).ok();
    tree.git(&["merge", "-q", "--no-verify", "--no-ff", "-m", "[A2] my merge", "side"]).ok();
    tree.git(&["branch", "-q", "-D", "side"]).ok();
    move_base(&scratch, "docs/m.md", "m\n");
    let told = commands(&tree.lane(&["sync"]).fails(1).says("is a merge").all());
    assert_eq!(told, ["git rebase --rebase-merges --update-refs refs/remotes/origin/main"]);
    sh(&tree, &told[0]).ok();
    assert_eq!(subjects(&tree, "feat/a2/x"), "feat: b;feat: a;");
    assert_eq!(at(&tree, "feat/a2/x"), at(&tree, "HEAD^1~1"));
    tree.lane(&["sync"]).ok().says("is already up to date");
}

#[test]
fn a_branch_beside_another_is_not_rebased_on_it() {
    let (_scratch, tree) = stack(true);
    tree.git(&["switch", "-q", "-c", "feat/a2/try", "feat/a2/up~1"]).ok();
    tree.commit("services/rag_pipeline/try.py", "t\n", "feat: try").ok();
    tree.git(&["switch", "-q", "feat/a2/up"]).ok();
    tree.lane(&["sync"]).ok().says("is already up to date with origin/main");
    // A review of the lower one adds a commit: what is above goes on top of it, pushed or not.
    tree.git(&["switch", "-q", "feat/a2/x"]).ok();
    tree.commit(MINE, "a\nb\nc\n", "fix: c").ok();
    tree.lane(&["sync"]).ok().says("is already up to date");
    tree.git(&["switch", "-q", "feat/a2/up"]).ok();
    tree.lane(&["sync"]).ok().says("rebased `feat/a2/up` on feat/a2/x");
    assert_eq!(subjects(&tree, "HEAD"), "feat: up;fix: c;feat: b;feat: a;");
}

/// Commits that were made on the wrong branch, and are moved to a new one as people do it.
#[test]
fn commits_that_moved_to_another_branch_stay_there() {
    for (case, script) in [
        ("all of them", "git branch feat/a2/y; git reset -q --hard origin/main; git switch -q feat/a2/y"),
        ("the last", "git switch -qc feat/a2/y; git branch -qf feat/a2/x HEAD~1"),
        (
            "the last, and the other goes on",
            "git switch -qc feat/a2/y; git branch -qf feat/a2/x HEAD~1; git switch -q feat/a2/x; echo c >c; git add c; \
             git commit -q --no-verify -m '[A2] feat: c'; git switch -q feat/a2/y",
        ),
        (
            "forwarded by mistake and undone",
            "git switch -qc feat/a2/y; echo c >c; git add c; git commit -q --no-verify -m '[A2] feat: c'; \
             git switch -q feat/a2/x; git merge -q --ff-only feat/a2/y; git reset -q --hard ORIG_HEAD; echo d >d; git add d; \
             git commit -q --no-verify -m '[A2] feat: d'; git switch -q feat/a2/y",
        ),
    ] {
        let (scratch, tree) = Scratch::installed();
        tree.commit(MINE, "a\n", "feat: a").ok();
        tree.commit(MINE, "a\nb\n", "feat: b").ok();
        let ran = tree.command("sh").args(["-c", script]).output().unwrap();
        assert!(ran.status.success(), "{case}: {ran:?}");
        let before = subjects(&tree, "HEAD");
        assert!(before.contains("feat: a;"), "{case}: {before}");
        tree.lane(&["sync"]).ok().does_not_say("skipping");
        move_base(&scratch, "docs/m.md", "m\n");
        tree.lane(&["sync"]).ok().does_not_say("skipping");
        assert_eq!(subjects(&tree, "HEAD"), before, "{case}");
    }
}

/// What the base has by now comes to nothing in the branches, which all move none the less.
#[test]
fn a_part_that_is_on_the_base_already_does_not_tear_the_stack() {
    for whole in [true, false] {
        let (scratch, tree) = stack(true);
        tree.git(&["switch", "-q", "-c", "feat/a2/top"]).ok();
        tree.commit("services/rag_pipeline/top.py", "t\n", "feat: top").ok();
        if whole {
            scratch.main().sneak("docs/m.md", "m\n", "docs: m");
            scratch.git(&["cherry-pick", "feat/a2/up"]).ok();
        } else {
            scratch.write("docs/m.md", "m\n");
            scratch.main().sneak("services/rag_pipeline/up.py", "up\n", "feat: both");
        }
        scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
        for (key, value) in
            [("rebase.autoSquash", "true"), ("core.commentChar", "u"), ("sequence.editor", "false")]
        {
            tree.git(&["config", key, value]).ok();
        }
        let json = tree.lane(&["sync", "--format", "json"]).ok().json();
        assert_eq!(json["worktrees"][0]["along"].as_array().unwrap().len(), 2, "{json}");
        assert_eq!(subjects(&tree, "HEAD"), "feat: top;feat: b;feat: a;");
        assert_eq!(
            (at(&tree, "feat/a2/x"), at(&tree, "feat/a2/up")),
            (at(&tree, "HEAD~1"), at(&tree, "HEAD~1"))
        );
    }
}

#[test]
fn a_branch_that_was_just_begun_takes_along_what_is_at_its_tip() {
    let (scratch, tree) = stack(true);
    tree.git(&["switch", "-q", "-c", "feat/a2/new"]).ok();
    move_base(&scratch, "docs/m.md", "m\n");
    tree.lane(&["sync"]).ok().says("with it: `feat/a2/x`").says("with it: `feat/a2/up`");
    assert_eq!(at(&tree, "feat/a2/up"), tree.head());
}

/// A branch at the bottom is amended: what is above it moves, from the top as well.
#[test]
fn a_stack_follows_its_bottom() {
    let (_scratch, tree) = stack(true);
    tree.git(&["switch", "-q", "-c", "feat/a2/top"]).ok();
    tree.commit("services/rag_pipeline/top.py", "t\n", "feat: top").ok();
    tree.lane(&["push"]).ok();
    tree.git(&["switch", "-q", "feat/a2/x"]).ok();
    tree.write(MINE, "a\nB\n");
    tree.git(&["commit", "-qa", "--amend", "--no-edit"]).ok();
    tree.git(&["switch", "-q", "feat/a2/top"]).ok();
    tree.lane(&["sync", "--push"])
        .ok()
        .says("rebased `feat/a2/top` on feat/a2/x")
        .says("skipping 1 commit of its older version")
        .says("with it: `feat/a2/up`");
    assert_eq!(subjects(&tree, "HEAD"), "feat: top;feat: up;feat: b;feat: a;");
    for name in ["feat/a2/x", "feat/a2/up", "feat/a2/top"] {
        assert_eq!(at(&tree, name), at(&tree, &format!("origin/{name}")), "{name}");
    }
    // Squashed into one commit, likewise.
    tree.git(&["switch", "-q", "feat/a2/x"]).ok();
    tree.git(&["reset", "-q", "--soft", "HEAD~1"]).ok();
    tree.git(&["commit", "-q", "--amend", "--no-edit"]).ok();
    tree.git(&["switch", "-q", "feat/a2/top"]).ok();
    tree.lane(&["sync"]).ok();
    assert_eq!(subjects(&tree, "HEAD"), "feat: top;feat: up;feat: a;");
}

#[test]
fn what_others_add_to_a_lower_branch_is_taken_in_by_what_is_said() {
    let (scratch, tree) = stack(true);
    let clone = Worktree { root: scratch.home().join("clone"), home: scratch.home() };
    scratch.run(&scratch.home(), "git", &["clone", "-q", "origin.git", "clone"]).ok();
    clone.git(&["switch", "-q", "feat/a2/x"]).ok();
    clone.sneak("services/rag_pipeline/theirs.py", "theirs\n", "[A2] feat: theirs");
    clone.git(&["push", "-q", "origin", "HEAD"]).ok();
    // Behind what the remote has, a branch is neither moved nor pushed.
    tree.lane(&["sync"]).ok().says("rebased `feat/a2/up` on origin/feat/a2/x");
    assert_eq!(subjects(&tree, "HEAD"), "feat: up;feat: theirs;feat: b;feat: a;");
    tree.lane(&["push", "--stack", "-f"]).ok();
    assert_eq!(at(&tree, "origin/feat/a2/up"), tree.head());
    // With commits of one's own, the way out is said, branch by branch.
    tree.git(&["switch", "-q", "feat/a2/x"]).ok();
    tree.commit(MINE, "a\nb\nc\n", "feat: c").ok();
    tree.git(&["switch", "-q", "feat/a2/up"]).ok();
    tree.git(&["rebase", "-q", "feat/a2/x"]).ok();
    let ran =
        tree.lane(&["push", "--stack", "-f"]).fails(1).says("the remote has other commits on `feat/a2/x`");
    let told = [
        "git log feat/a2/x..refs/remotes/origin/feat/a2/x",
        "git switch feat/a2/x",
        "git rebase refs/remotes/origin/feat/a2/x",
        "git switch feat/a2/up",
        "git lane sync",
    ];
    let all = ran.all();
    let said: Vec<&str> = all.lines().map(str::trim).filter(|line| line.starts_with("git ")).collect();
    assert_eq!(said, told, "{all}");
    told.iter().for_each(|command| drop(crate::advice::sh(&tree, command).ok()));
    tree.lane(&["push", "--stack", "-f"]).ok();
    let origin = subjects(&tree, "origin/feat/a2/up");
    assert!(["feat: up;", "feat: c;", "feat: theirs;"].iter().all(|one| origin.contains(one)), "{origin}");
}

#[test]
fn a_branch_that_is_checked_out_elsewhere_is_rebased_there() {
    for pushed in [true, false] {
        let (scratch, tree) = stack(pushed);
        let other = scratch.home().join("it's lower");
        scratch.git(&["worktree", "add", "-q", other.to_str().unwrap(), "feat/a2/x"]).ok();
        let lower = Worktree { root: other, home: scratch.home() };
        lower.lane(&["install", "--agent", "a2"]).ok();
        move_base(&scratch, "docs/m.md", "m\n");
        let before = tree.head();
        let ran = tree.lane(&["sync"]).ok().says("`feat/a2/up` stays on `feat/a2/x`");
        assert_eq!(tree.head(), before);
        let command =
            ran.out.lines().map(str::trim).find(|line| line.starts_with("git -C ")).unwrap().to_owned();
        crate::advice::sh(&tree, &command).ok();
        tree.lane(&["sync"]).ok().says("rebased `feat/a2/up` on ");
        assert_eq!(subjects(&tree, "HEAD"), "feat: up;feat: b;feat: a;");
    }
}
