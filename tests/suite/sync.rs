//! Rebasing on the base: what is safe is done, and nothing is lost.

use crate::support::locks::with_locks;
use crate::support::{Scratch, Worktree, stable};

/// The base moves on: by somebody else, on the remote.
fn move_base(scratch: &Scratch, path: &str, text: &str) {
    scratch.main().sneak(path, text, "feat: the base moves on");
    scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    // As if it was pushed from another clone: this one does not know of it.
    scratch.git(&["update-ref", "refs/remotes/origin/main", "main~1"]).ok();
}

fn log(tree: &Worktree) -> Vec<String> {
    tree.git(&["log", "--format=%s"]).ok().out.lines().map(str::to_owned).collect()
}

/// What was said, without what differs from run to run.
fn plain(text: &str, scratch: &Scratch) -> String {
    let text = stable(text, scratch);
    let lines = text.lines().map(|line| match line.split_once("on origin/main: ") {
        Some((before, _)) => format!("{before}on origin/main: <commit>"),
        None => line.to_owned(),
    });
    lines.filter(|line| !line.starts_with("From ") && !line.contains("->")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_branch_is_rebased_and_pushed() {
    let (scratch, two) = Scratch::installed();
    two.commit("services/rag_pipeline/x.py", "x\n", "feat: x").ok();
    two.git(&["push", "-q", "origin", "HEAD"]).ok();
    move_base(&scratch, "base.txt", "base\n");
    two.write("services/rag_pipeline/untracked.py", "mine\n");
    let ran = two.lane(&["sync"]).ok();
    assert!(ran.out.contains("a2: rebased `feat/a2/x` on origin/main, 1 new commit; was "), "{}", ran.out);
    assert_eq!(log(&two), ["[A2] feat: x", "feat: the base moves on", "first"]);
    two.lane(&["sync"]).ok().says("is already up to date with origin/main");
    assert_eq!(
        std::fs::read_to_string(two.root.join("services/rag_pipeline/untracked.py")).unwrap(),
        "mine\n"
    );
    two.lane(&["sync", "--push"]).ok();
    assert_eq!(two.git(&["rev-parse", "origin/feat/a2/x"]).ok().out.trim(), two.head());
    let json = two.lane(&["sync", "--push", "--format", "json"]).ok().json();
    let done = &json["worktrees"][0];
    assert_eq!(
        (&done["state"], &done["agent"], &done["pushed"]),
        (&"current".into(), &"a2".into(), &true.into())
    );
}

#[test]
fn what_somebody_else_pushed_is_not_overwritten() {
    let (scratch, two) = Scratch::installed();
    two.commit("services/rag_pipeline/x.py", "x\n", "feat: x").ok();
    two.git(&["push", "-q", "origin", "HEAD"]).ok();
    let clone = Worktree { root: scratch.home().join("clone"), home: scratch.home() };
    scratch.run(&scratch.home(), "git", &["clone", "-q", "origin.git", "clone"]).ok();
    clone.git(&["switch", "-q", "feat/a2/x"]).ok();
    clone.sneak("services/rag_pipeline/theirs.py", "theirs\n", "[A2] feat: theirs");
    clone.git(&["push", "-q", "origin", "HEAD"]).ok();
    move_base(&scratch, "base.txt", "base\n");
    two.lane(&["sync", "--push"]).fails(1).says("git log HEAD..refs/remotes/origin/feat/a2/x");
    let there =
        || scratch.run(&scratch.home().join("origin.git"), "git", &["log", "--format=%s", "feat/a2/x"]);
    assert!(there().ok().out.starts_with("[A2] feat: theirs\n"));
    // What it says works, and keeps what both did.
    two.git(&["rebase", "--autostash", "refs/remotes/origin/feat/a2/x"]).ok();
    two.lane(&["sync"]).ok();
    two.lane(&["push", "--force-with-lease"]).ok();
    let subjects = two.git(&["log", "--format=%s", "origin/main..HEAD"]).ok().out;
    assert_eq!(subjects, "[A2] feat: theirs\n[A2] feat: x\n");
    assert!(there().ok().out.starts_with(&subjects));
}

#[test]
fn uncommitted_work_is_refused_or_put_aside() {
    let (scratch, two) = Scratch::installed();
    two.commit("services/rag_pipeline/x.py", "x\n", "feat: x").ok();
    move_base(&scratch, "base.txt", "base\n");
    let before = two.head();
    two.write("services/rag_pipeline/x.py", "edited\n");
    let ran = two.lane(&["sync"]).fails(1);
    insta::assert_snapshot!(plain(&ran.all(), &scratch));
    assert_eq!(two.head(), before);
    two.git(&["config", "rebase.autoStash", "true"]).ok();
    two.lane(&["sync", "--push"]).fails(1).says("not committed");
    two.lane(&["sync", "--autostash"]).ok().says("rebased");
    assert_ne!(two.head(), before);
    assert_eq!(std::fs::read_to_string(two.root.join("services/rag_pipeline/x.py")).unwrap(), "edited\n");
}

#[test]
fn work_that_does_not_fit_any_more_stays_in_the_stash() {
    let (scratch, two) = Scratch::installed();
    two.commit("own.txt", "own\n", "feat: own").ok();
    move_base(&scratch, "requirements.txt", "theirs\n");
    two.write("requirements.txt", "mine\n");
    two.lane(&["sync", "--autostash"]).fails(1).says("it is safe in the stash").says("git stash drop");
    assert!(two.git(&["stash", "show", "-p"]).ok().out.contains("+mine"));
    // What it says works.
    two.write("requirements.txt", "both\n");
    two.git(&["add", "requirements.txt"]).ok();
    two.git(&["stash", "drop", "-q"]).ok();
    two.lane(&["sync", "--autostash"]).ok().says("already");
}

#[test]
fn ignored_files_that_any_step_would_write_over() {
    let (scratch, two) = Scratch::installed();
    std::fs::write(scratch.root().join(".git/info/exclude"), "*.ign\n").unwrap();
    // The branch's own history has had it, and somebody's secrets are there now.
    two.sneak("conf.ign", "once\n", "one");
    two.git(&["rm", "-q", "conf.ign"]).ok();
    two.git(&["commit", "-q", "--no-verify", "-m", "two"]).ok();
    two.write("conf.ign", "real\n");
    move_base(&scratch, "base.txt", "base\n");
    two.lane(&["sync"]).fails(1).says("conf.ign is not committed").says("move it out of the worktree");
    two.lane(&["sync", "--all"]).says("conf.ign is not committed");
    assert_eq!(std::fs::read_to_string(two.root.join("conf.ign")).unwrap(), "real\n");
    // A folder of such files where a file was.
    std::fs::remove_file(two.root.join("conf.ign")).unwrap();
    two.write("conf.ign/x", "real\n");
    two.lane(&["sync"]).fails(1).says("conf.ign/x is not committed");
    std::fs::remove_dir_all(two.root.join("conf.ign")).unwrap();
    // A file where the base has a folder by now.
    two.write("folder.ign", "real\n");
    scratch.main().sneak("folder.ign/a", "theirs\n", "a folder");
    scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    two.lane(&["sync"]).fails(1).says("folder.ign is not committed");
    assert_eq!(std::fs::read_to_string(two.root.join("folder.ign")).unwrap(), "real\n");
    std::fs::remove_file(two.root.join("folder.ign")).unwrap();
    two.lane(&["sync"]).ok();
    assert_eq!(log(&two)[..2], ["[A2] two", "[A2] one"]);
}

#[test]
fn a_stop_without_a_conflict_says_what_git_says() {
    let (scratch, two) = Scratch::installed();
    two.sneak("own.txt", "own\n", "own");
    move_base(&scratch, "base.txt", "base\n");
    // Not ignored, and only a step in the middle writes it.
    two.git(&["config", "commit.gpgSign", "true"]).ok();
    two.git(&["config", "gpg.program", "false"]).ok();
    let ran = two.lane(&["sync"]).fails(1).does_not_say("0 files").says("rebase --abort");
    assert!(ran.err.contains("gpg failed to sign"), "{}", ran.err);
}

#[test]
fn two_at_once() {
    let (scratch, two) = Scratch::installed();
    let one = scratch.worktree("a1", "feat/a1/x");
    move_base(&scratch, "base.txt", "base\n");
    for n in 0..20 {
        scratch.git(&["branch", "-q", &format!("b{n}"), "main"]).ok();
    }
    scratch.git(&["push", "-q", "--no-verify", "origin", "--all"]).ok();
    scratch.git(&["update-ref", "refs/remotes/origin/main", "main~1"]).ok();
    let run = |tree: &Worktree| {
        let mut command = tree.command(crate::support::LANE);
        command.args(["sync", "-q"]).stderr(std::process::Stdio::piped()).spawn().unwrap()
    };
    for child in [run(&one), run(&two), run(&one), run(&two)] {
        let ran = crate::support::Ran::from(child.wait_with_output().unwrap());
        // Two in one worktree may meet in the middle of a rebase.
        assert!(ran.code == 0 || ran.err.contains("rebase"), "{}", ran.err);
    }
}

#[test]
fn a_branch_that_stands_on_the_base_is_pushed_too() {
    let (scratch, two) = Scratch::installed();
    let _idle = scratch.worktree("a1", "feat/a1/x");
    two.commit("services/rag_pipeline/x.py", "x\n", "feat: x").ok();
    two.lane(&["sync", "--all", "--push"]).ok();
    assert_eq!(two.git(&["rev-parse", "origin/feat/a2/x"]).ok().out.trim(), two.head());
    two.git(&["rev-parse", "-q", "--verify", "origin/feat/a1/x"]).fails(1);
}

#[test]
fn what_a_rebase_would_leave_out_or_overwrite() {
    let (scratch, two) = Scratch::installed();
    two.commit("services/rag_pipeline/x.py", "x\n", "feat: x").ok();
    two.git(&["switch", "-q", "-c", "feat/a2/side", "main"]).ok();
    two.commit("services/rag_pipeline/y.py", "y\n", "feat: y").ok();
    two.git(&["switch", "-q", "feat/a2/x"]).ok();
    two.git(&["merge", "-q", "--no-verify", "-m", "[A2] chore: both", "feat/a2/side"]).ok();
    move_base(&scratch, "base.txt", "base\n");
    let before = two.head();
    two.lane(&["sync"]).fails(1).says("is a merge").says("git rebase --rebase-merges");
    assert_eq!(two.head(), before);
    // An ignored file of which the base has one by now.
    two.git(&["reset", "-q", "--hard", "HEAD~1"]).ok();
    std::fs::write(scratch.root().join(".git/info/exclude"), "conf.ign\n").unwrap();
    two.write("conf.ign", "mine\n");
    scratch.write("conf.ign", "theirs\n");
    scratch.git(&["add", "-f", "conf.ign"]).ok();
    scratch.git(&["commit", "-q", "--no-verify", "-m", "feat: conf"]).ok();
    scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    two.lane(&["sync"]).fails(1).says("conf.ign is not committed");
    assert_eq!(std::fs::read_to_string(two.root.join("conf.ign")).unwrap(), "mine\n");
}

#[test]
fn conflicts_stop_it_and_say_how_to_go_on() {
    let (scratch, two) = Scratch::installed();
    two.commit("shared.txt", "two\n", "feat: two").ok();
    let before = two.head();
    move_base(&scratch, "shared.txt", "base\n");
    let ran = two.lane(&["sync", "--push"]).fails(1);
    insta::assert_snapshot!(plain(&ran.all(), &scratch));
    assert!(ran.all().contains("(Test, "), "who changed it on the base: {}", ran.all());
    two.lane(&["sync"]).fails(1).says("a rebase is in progress");
    two.lane(&["status"]).ok().says("(rebase)");
    two.git(&["rebase", "--abort"]).ok();
    assert_eq!(two.head(), before);
    let json = two.lane(&["sync", "--format", "json"]).fails(1).json();
    let done = &json["worktrees"][0];
    assert_eq!((&done["state"], &done["undone"]), (&"conflict".into(), &false.into()));
    assert_eq!(done["files"][0]["path"], "shared.txt");
}

#[test]
fn all_that_are_idle() {
    let (scratch, two) = Scratch::installed();
    let tree = |name: &str| {
        let tree = scratch.worktree(name, &format!("feat/{name}/x"));
        tree.lane(&["install", "--agent", name]).ok();
        tree
    };
    let (one, three, four) = (tree("a1"), tree("a3"), tree("a4"));
    two.commit("own.txt", "two\n", "feat: two").ok();
    one.commit("shared.txt", "one\n", "feat: one").ok();
    three.commit("three.txt", "three\n", "feat: three").ok();
    three.write("new.txt", "not yet committed\n");
    let before = [&one, &three].map(Worktree::head);
    move_base(&scratch, "shared.txt", "base\n");
    // Whoever calls it does not speak for the others.
    let ran = two.lane_env(&["sync", "--all", "--push"], &[("AGENT_ID", "a2")]).fails(1);
    insta::assert_snapshot!(plain(&ran.err, &scratch));
    assert_eq!([&one, &three].map(Worktree::head), before, "left as they were");
    assert!(!one.git(&["status"]).ok().out.contains("rebase"));
    assert_eq!(log(&two), ["[A2] feat: two", "feat: the base moves on", "first"]);
    assert_eq!(log(&four)[0], "feat: the base moves on");
    assert_eq!(two.git(&["rev-parse", "origin/feat/a2/x"]).ok().out.trim(), two.head());
    let json = two.lane(&["sync", "--all", "--format", "json"]).fails(1).json();
    let states: Vec<_> =
        json["worktrees"].as_array().unwrap().iter().map(|done| done["state"].clone()).collect();
    assert_eq!(states, ["skipped", "conflict", "current", "skipped", "current"]);
    two.lane(&["sync", "--all", "--autostash"]).fails(2).says("cannot be used with");
}

#[test]
fn locks_that_are_more_than_half_over_live_on() {
    let (scratch, one, _) = with_locks("ttl: 2h, min_ttl: 1s, grace: 1s");
    let left = |tree: &Worktree| {
        tree.lane(&["locks", "--format", "json"]).ok().json()["locks"][0]["left"].as_u64().unwrap()
    };
    one.lane(&["lock", "common", "--ttl", "6s"]).ok();
    one.lane(&["sync"]).ok().does_not_say("renewed");
    std::thread::sleep(std::time::Duration::from_millis(3_200));
    move_base(&scratch, "base.txt", "base\n");
    one.lane(&["sync"]).ok().says("renewed `common`");
    assert!(left(&one) >= 5);
}

#[test]
fn what_cannot_be_synced() {
    let (scratch, two) = Scratch::installed();
    scratch.lane(&["sync"]).fails(1).says("a protected branch");
    two.git(&["checkout", "-q", "--detach"]).ok();
    two.lane(&["sync"]).fails(1).says("HEAD is detached, or on a branch without commits");
    two.git(&["switch", "-q", "feat/a2/x"]).ok();
    scratch.git(&["remote", "set-url", "origin", "../nowhere.git"]).ok();
    two.lane(&["sync"]).fails(2).says("could not be fetched; nothing was rebased");
    scratch.git(&["remote", "remove", "origin"]).ok();
    two.lane(&["sync"]).ok().says("no remote `origin`");
}
