//! The installed hooks under real git: commits, pushes, and all that happens in between.

use crate::support::locks::hook;
use crate::support::{LANE, POLICY, Ran, Scratch, Worktree, stable};

#[test]
fn a_commit_in_the_lane_passes_and_is_tagged() {
    let (_scratch, tree) = Scratch::installed();
    let ran = tree.commit("services/rag_pipeline/a.py", "x\n", "feat: a").ok();
    assert_eq!(ran.all(), "", "a hook that has nothing to say is silent");
    assert_eq!(tree.git(&["log", "-1", "--format=%s"]).out, "[A2] feat: a\n");
}

#[test]
fn refusals_at_commit() {
    let (scratch, tree) = Scratch::installed();
    let ran = tree.commit("services/revenue/a.py", "x\n", "feat: a").fails(1).says("foreign-path");
    insta::assert_snapshot!(stable(&ran.err, &scratch));
    tree.git(&["restore", "--staged", "."]).ok();
    tree.commit("services/common/a.py", "x\n", "feat: a")
        .fails(1)
        .says("under the lock `common`, which is not held");
    tree.git(&["restore", "--staged", "."]).ok();
    tree.commit("notes.local", "x\n", "feat: a").fails(1).says("local-file");
    tree.git(&["restore", "--staged", "."]).ok();
    tree.commit("services/rag_pipeline/a.py", "x\n", "[A1] feat: a").fails(1).says("has the tag of a1");
    tree.git(&["checkout", "-q", "-b", "my-fix"]).ok();
    tree.commit("services/rag_pipeline/a.py", "x\n", "feat: a")
        .fails(1)
        .says("does not match the pattern")
        .says("git branch -m feat/a2/my-fix");
    tree.git(&["checkout", "-q", "-b", "feat/a1/x"]).ok();
    tree.commit("services/rag_pipeline/a.py", "x\n", "feat: a").fails(1).says("has the id of a1");
    tree.git(&["checkout", "-q", "feat/a2/x"]).ok();
    tree.commit("services/rag_pipeline/a.py", &"x\n".repeat(301), "feat: a")
        .fails(1)
        .says("oversized-change")
        .says("301 lines");
    assert_eq!(tree.git(&["log", "--format=%s"]).out, "first\n", "nothing was committed");
}

#[test]
fn locks_are_shared_by_all_worktrees() {
    let (scratch, tree) = Scratch::installed();
    let other = scratch.worktree("a1", "feat/a1/x");
    other.lane(&["install", "--agent", "a1"]).ok();
    tree.write(".locks/.common-lock-a2", "");
    tree.commit("services/common/a.py", "x\n", "feat: a").ok();
    other.commit("services/common/b.py", "x\n", "feat: b").fails(1).says("which a2 (GenAI) holds until");
    std::fs::remove_file(tree.root.join(".locks/.common-lock-a2")).unwrap();
    other.write(".locks/.common-lock-a1", "");
    other.git(&["commit", "-q", "-m", "feat: b"]).ok();
    // The lock went before the push: a2 has to take it again.
    tree.git(&["push", "-q", "origin", "feat/a2/x"]).fails(1).says("which a1 (MLOps) has taken since");
}

#[test]
fn the_oldest_claim_holds() {
    let (scratch, tree) = Scratch::installed();
    tree.write(".locks/.common-lock-a2", "");
    scratch.write(".locks/.common-lock-a1", "");
    let touch = |root: &std::path::Path, name: &str, when: &str| {
        let path = root.join(".locks").join(name);
        scratch.run(&scratch.home(), "touch", &["-d", when, path.to_str().unwrap()]).ok();
    };
    touch(&tree.root, ".common-lock-a2", "-10 minutes");
    touch(&scratch.root(), ".common-lock-a1", "-20 minutes");
    tree.commit("services/common/a.py", "x\n", "feat: a").fails(1).says("which a1 (MLOps) holds");
    touch(&scratch.root(), ".common-lock-a1", "-5 minutes");
    tree.git(&["commit", "-q", "-m", "feat: a"]).ok();
}

#[test]
fn the_right_index_is_judged() {
    let (_scratch, tree) = Scratch::installed();
    // commit -a: the index is index.lock
    tree.write("services/revenue/main.py", "changed\n");
    tree.git(&["commit", "-q", "-a", "-m", "x"]).fails(1).says("services/revenue/main.py");
    // commit PATH: only that path, whatever else is staged
    tree.git(&["add", "-A"]).ok();
    tree.write("services/rag_pipeline/main.py", "changed\n");
    tree.git(&["commit", "-q", "-m", "x", "services/rag_pipeline/main.py"]).ok();
    tree.git(&["commit", "-q", "-m", "x"]).fails(1).says("services/revenue/main.py");
    tree.git(&["restore", "--staged", "."]).ok();
    tree.git(&["checkout", "-q", "."]).ok();
    // intent to add is no content
    tree.write("services/revenue/later.py", "x\n");
    tree.git(&["add", "-N", "services/revenue/later.py"]).ok();
    tree.commit("services/rag_pipeline/b.py", "x\n", "x").ok();
}

#[test]
fn amend_fixup_squash_and_autosquash() {
    let (_scratch, tree) = Scratch::installed();
    tree.commit("services/rag_pipeline/a.py", "x\n", "feat: a").ok();
    tree.commit("services/rag_pipeline/b.py", "x\n", "feat: b").ok();
    tree.write("services/rag_pipeline/a.py", "y\n");
    tree.git(&["add", "-A"]).ok();
    tree.git(&["commit", "-q", "--fixup", "HEAD~1"]).ok();
    assert_eq!(tree.git(&["log", "-1", "--format=%s"]).out, "fixup! [A2] feat: a\n");
    tree.git(&["commit", "-q", "--amend", "--no-edit"]).ok();
    let rebase = tree
        .command("git")
        .args(["rebase", "-q", "-i", "--autosquash", "main"])
        .env("GIT_SEQUENCE_EDITOR", "true")
        .output();
    Ran::from(rebase.unwrap()).ok();
    assert_eq!(tree.git(&["log", "--format=%s", "main.."]).out, "[A2] feat: b\n[A2] feat: a\n");
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
}

#[test]
fn the_branch_is_known_inside_a_rebase() {
    let (scratch, tree) = Scratch::installed();
    tree.commit("services/rag_pipeline/main.py", "mine\n", "feat: a").ok();
    scratch.main().commit("services/rag_pipeline/main.py", "theirs\n", "upstream").ok();
    tree.git(&["rebase", "-q", "main"]).fails(1);
    tree.write("services/rag_pipeline/main.py", "both\n");
    tree.git(&["add", "-A"]).ok();
    tree.git(&["commit", "-q", "-m", "feat: a, solved"]).ok();
    tree.git(&["rebase", "--continue"]).ok();
    assert_eq!(tree.git(&["rev-parse", "--abbrev-ref", "HEAD"]).out, "feat/a2/x\n");
    tree.git(&["rebase", "-q", "--onto", "main~1", "main"]);
}

#[test]
fn merges_are_told_at_commit_and_refused_at_push() {
    let (scratch, tree) = Scratch::installed();
    tree.commit("services/rag_pipeline/a.py", "x\n", "feat: a").ok();
    scratch.main().commit("services/revenue/up.py", &"x\n".repeat(400), "upstream").ok();
    scratch.git(&["push", "-q", "origin", "main"]).ok();
    let merged = tree.git(&["merge", "-q", "--no-edit", "main"]).ok();
    merged.says("warning[merge-commit]").does_not_say("foreign-path").does_not_say("oversized");
    tree.git(&["push", "-q", "origin", "HEAD"])
        .fails(1)
        .says("error[merge-commit]")
        .does_not_say("foreign-path");
}

#[test]
fn a_merge_with_conflicts_is_judged_by_what_it_brings_in() {
    let (scratch, tree) = Scratch::installed();
    tree.commit("services/rag_pipeline/main.py", "mine\n", "feat: a").ok();
    scratch.main().write("services/revenue/up.py", "x\n");
    scratch.git(&["add", "-A"]).ok();
    scratch.main().commit("services/rag_pipeline/main.py", "theirs\n", "upstream").ok();
    scratch.git(&["push", "-q", "origin", "main"]).ok();
    tree.git(&["merge", "-q", "--no-edit", "main"]).fails(1);
    tree.write("services/rag_pipeline/main.py", "both\n");
    tree.git(&["add", "-A"]).ok();
    tree.git(&["commit", "-q", "--no-edit"]).ok().says("warning[merge-commit]").does_not_say("foreign-path");
    // What a merge smuggles in is seen.
    tree.git(&["reset", "-q", "--hard", "HEAD~1"]).ok();
    tree.git(&["merge", "-q", "--no-edit", "main"]).fails(1);
    tree.write("services/rag_pipeline/main.py", "both\n");
    tree.write("services/revenue/smuggled.py", "x\n");
    tree.git(&["add", "-A"]).ok();
    tree.git(&["commit", "-q", "--no-edit"]).fails(1).says("services/revenue/smuggled.py");
    tree.git(&["commit", "-q", "--no-edit", "--no-verify"]).ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).fails(1).says("services/revenue/smuggled.py");
}

#[test]
fn cherry_pick_revert_am_and_stash() {
    let (scratch, tree) = Scratch::installed();
    tree.commit("services/rag_pipeline/a.py", "x\n", "feat: a").ok();
    tree.git(&["revert", "--no-edit", "HEAD"]).ok();
    tree.git(&["cherry-pick", "HEAD~1"]).ok();
    tree.write("services/rag_pipeline/a.py", "stashed\n");
    tree.git(&["stash", "-q"]).ok();
    tree.git(&["stash", "pop", "-q"]).ok();
    tree.git(&["checkout", "-q", "."]).ok();
    let patch = tree.git(&["format-patch", "-1", "--stdout"]).ok().out;
    tree.git(&["reset", "-q", "--hard", "HEAD~1"]).ok();
    let patch_file = scratch.home().join("patch");
    std::fs::write(&patch_file, patch).unwrap();
    tree.git(&["am", "-q", patch_file.to_str().unwrap()]).ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
    // A pick of another's work is not stopped by git, but by the push.
    let other = scratch.worktree("a4", "feat/a4/x");
    other.sneak("services/revenue/a.py", "x\n", "[A4] theirs");
    tree.git(&["cherry-pick", "feat/a4/x"]).ok();
    tree.git(&["push", "-q", "origin", "HEAD"])
        .fails(1)
        .says("services/revenue/a.py")
        .says("with the tag of a4");
}

#[test]
fn what_no_verify_let_in_is_refused_at_push() {
    let (scratch, tree) = Scratch::installed();
    tree.sneak("services/revenue/a.py", "x\n", "[A2] one");
    let bad = tree.head();
    let ran = tree.commit("services/rag_pipeline/a.py", "x\n", "two").fails(1).says("services/revenue/a.py");
    assert!(
        suggested(&ran).starts_with("git lane drop -- "),
        "taking it back in a commit would not pass the push"
    );
    tree.sneak("services/rag_pipeline/a.py", "x\n", "[A2] two");
    let ran = tree.git(&["push", "-q", "origin", "HEAD"]).fails(1).says(&bad[..10]);
    insta::assert_snapshot!(stable(&ran.err, &scratch));
    // Taking it back makes the next commit pass, but not the push: it is still in history.
    tree.git(&["rm", "-q", "services/revenue/a.py"]).ok();
    tree.git(&["commit", "-q", "-m", "take it back"]).ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).fails(1).says("only in").says(&bad[..10]);
    tree.git(&["reset", "-q", "--soft", "main"]).ok();
    tree.git(&["commit", "-q", "-m", "feat: clean"]).ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
}

#[test]
fn every_pushed_ref_is_judged_whatever_is_checked_out() {
    let (_scratch, tree) = Scratch::installed();
    tree.git(&["checkout", "-q", "-b", "feat/a2/bad"]).ok();
    tree.sneak("services/revenue/a.py", "x\n", "[A2] bad");
    tree.git(&["checkout", "-q", "-b", "feat/a2/good", "main"]).ok();
    tree.commit("services/rag_pipeline/a.py", "x\n", "good").ok();
    let both = ["push", "-q", "origin", "feat/a2/good:feat/a2/good", "feat/a2/bad:feat/a2/bad"];
    tree.git(&both)
        .fails(1)
        .says("(pushing refs/heads/feat/a2/bad)")
        .says("git lane drop --branch feat/a2/bad -- services/revenue/a.py");
    assert_eq!(tree.git(&["ls-remote", "origin", "refs/heads/feat/*"]).out, "", "nothing was pushed");
    tree.git(&["push", "-q", "origin", "feat/a2/good"]).ok();
}

#[test]
fn pushes_of_all_kinds() {
    let (scratch, tree) = Scratch::installed();
    tree.commit("services/rag_pipeline/a.py", "x\n", "one").ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).ok(); // new
    tree.git(&["push", "-q", "origin", "HEAD"]).ok(); // nothing
    tree.git(&["commit", "-q", "--amend", "-m", "again"]).ok();
    tree.git(&["push", "-q", "--force-with-lease", "origin", "HEAD"]).ok(); // rewritten
    tree.git(&["tag", "v1"]).ok();
    tree.git(&["tag", "-a", "-m", "x", "v2"]).ok();
    tree.git(&["tag", "blob", "HEAD:requirements.txt"]).ok();
    tree.git(&["push", "-q", "origin", "--tags"]).ok();
    tree.git(&["push", "-q", "origin", ":feat/a2/x"]).ok(); // deleted
    tree.git(&["push", "-q", "origin", "HEAD:main"]).fails(1).says("moves the protected branch `main`");
    tree.git(&["push", "-q", "origin", "+HEAD~1:main", "HEAD:refs/heads/release/1"])
        .fails(1)
        .says("creates the protected branch");
    tree.git(&["push", "-q", "origin", ":main"]).fails(1).says("deletes the protected branch");
    tree.git(&["push", "-q", "origin", "HEAD:feat/a1/y"]).fails(1).says("has the id of a1");
    tree.git(&["push", "-q", "origin", "HEAD:other"]).fails(1).says("does not match the pattern");
    // A tag does not carry past the hook what a branch may not.
    tree.sneak("services/revenue/a.py", "x\n", "[A2] bad");
    tree.git(&["tag", "v3"]).ok();
    tree.git(&["push", "-q", "origin", "v3"]).fails(1).says("services/revenue/a.py");
    scratch.git(&["push", "-q", "origin", "main"]).ok();
}

#[test]
fn a_push_by_address_is_judged_too() {
    let (scratch, tree) = Scratch::installed();
    tree.sneak("services/revenue/a.py", "x\n", "[A2] bad");
    let url = scratch.home().join("origin.git");
    tree.git(&["push", "-q", url.to_str().unwrap(), "HEAD"]).fails(1).says("services/revenue/a.py");
}

#[test]
fn maintainers_work_as_they_are_used_to() {
    let (scratch, _tree) = Scratch::installed();
    scratch.lane(&["install"]).ok();
    let main = scratch.main();
    main.commit("policy.yaml", &POLICY.replace("300", "400"), "raise the limit").ok();
    main.commit("services/revenue/a.py", &"x\n".repeat(900), "large").ok();
    main.commit("notes.local", "x\n", "oops").fails(1).says("local-file");
    main.git(&["restore", "--staged", "."]).ok();
    scratch.git(&["push", "-q", "origin", "main"]).ok();
    assert_eq!(main.git(&["log", "-1", "--format=%s"]).out, "large\n", "no tag for maintainers");
}

#[test]
fn an_editor_finds_the_tag_in_the_message() {
    let (_scratch, tree) = Scratch::installed();
    tree.write("services/rag_pipeline/a.py", "x\n");
    tree.git(&["add", "-A"]).ok();
    let edit = |script: &str| -> Ran {
        let mut git = tree.command("git");
        git.args(["commit", "-q"]).env("GIT_EDITOR", script).output().unwrap().into()
    };
    edit("sh -c 'sed -i \"1s/$/feat: by hand/\" \"$1\"' -").ok();
    assert_eq!(tree.git(&["log", "-1", "--format=%s"]).out, "[A2] feat: by hand\n");
    tree.write("services/rag_pipeline/b.py", "x\n");
    tree.git(&["add", "-A"]).ok();
    edit("true").fails(1); // left as it was: a tag alone is no message
    edit("sh -c ': > \"$1\"' -").fails(1);
}

#[test]
fn a_message_that_no_editor_shows_is_completed_by_whichever_hook_runs() {
    let (scratch, tree) = Scratch::installed();
    let log = scratch.home().join("log");
    // The earlier hook of the repository has its turn as before.
    let earlier = scratch.root().join(".git/hooks/prepare-commit-msg");
    std::fs::create_dir_all(earlier.parent().unwrap()).unwrap();
    hook(&tree, &earlier, &format!("head -1 \"$1\" >> '{}'", log.display()));
    let subject = || tree.git(&["log", "-1", "--format=%s"]).out;
    let commit = |file: &str, args: &[&str]| {
        tree.write(&format!("services/rag_pipeline/{file}"), "x\n");
        tree.git(&["add", "-A"]).ok();
        tree.git(&[&["commit", "-q"], args].concat()).ok();
        assert_eq!(subject(), "[A2] feat: a\n", "{args:?}");
    };
    commit("a", &["-m", "feat: a"]);
    // Only where no command line can be seen has our first hook put the tag in already.
    let first = if cfg!(target_os = "linux") { "feat: a\n" } else { "[A2] feat: a\n" };
    assert_eq!(std::fs::read_to_string(&log).unwrap(), first);
    // commit-msg does not run.
    commit("b", &["--no-verify", "-m", "feat: a"]);
    commit("c", &["-nm", "feat: a"]);
    // Neither does ours.
    let script = scratch.root().join(".git/lane/hooks/commit-msg");
    hook(&tree, &script, "");
    commit("d", &["-m", "feat: a"]);
    std::fs::remove_file(&script).unwrap();
    commit("e", &["-m", "feat: a"]);
}

#[test]
fn coordinated_files() {
    let (_scratch, tree) = Scratch::installed();
    tree.commit("requirements.txt", "x\n", "feat: a").ok().says("warning[uncoordinated-path]");
    let quiet = ["commit", "-q", "--amend", "-m", "feat: a", "--trailer", "Coordinated-with: a1"];
    tree.git(&quiet).ok().does_not_say("uncoordinated");
    tree.git(&["push", "-q", "origin", "HEAD"]).ok().does_not_say("uncoordinated");
}

#[test]
fn a_stale_base_is_a_warning() {
    let scratch = Scratch::with_policy(POLICY);
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.lane(&["install", "--agent", "a2"]).ok();
    tree.commit("services/rag_pipeline/a.py", "x\n", "a").ok().does_not_say("stale-base");
    scratch.main().commit("docs/x", "x\n", "upstream").ok();
    tree.commit("services/rag_pipeline/b.py", "x\n", "b").ok().says("warning[stale-base]");
}

#[test]
fn git_lane_runs_inside_git() {
    // `git -C elsewhere` and exported variables do not lead a hook astray.
    let (scratch, tree) = Scratch::installed();
    tree.write("services/revenue/a.py", "x\n");
    let from: &Worktree = &scratch.main();
    let root = tree.root.to_str().unwrap();
    from.git(&["-C", root, "add", "-A"]).ok();
    from.git(&["-C", root, "commit", "-q", "-m", "x"]).fails(1).says("services/revenue/a.py");
    let git_dir = tree.git(&["rev-parse", "--absolute-git-dir"]).ok().out;
    let args = ["--git-dir", git_dir.trim(), "--work-tree", root, "commit", "-q", "-m", "x"];
    from.git(&args).fails(1).says("services/revenue/a.py");
}

/// The first command of a help text.
fn suggested(ran: &Ran) -> String {
    crate::advice::commands(&ran.err).into_iter().next().unwrap()
}

fn sh(tree: &Worktree, script: &str) -> Ran {
    let lane = std::path::Path::new(crate::support::LANE).parent().unwrap();
    let path = format!("{}:{}", lane.display(), std::env::var("PATH").unwrap());
    tree.command("sh").env("PATH", path).args(["-c", script]).output().unwrap().into()
}

#[test]
fn what_is_suggested_works_as_it_is_typed() {
    let (_scratch, tree) = Scratch::installed();
    // commit -a
    tree.write("services/revenue/main.py", "changed\n");
    tree.write("services/rag_pipeline/main.py", "changed\n");
    let ran = tree.git(&["commit", "-q", "-a", "-m", "x"]).fails(1);
    sh(&tree, &suggested(&ran)).ok();
    assert_eq!(tree.git(&["status", "--short"]).out, " M services/revenue/main.py\n", "the edit is kept");
    // from a subfolder
    tree.git(&["add", "-A"]).ok();
    let below = Worktree { root: tree.root.join("services/rag_pipeline"), home: tree.home.clone() };
    let ran = below.git(&["commit", "-q", "-m", "x"]).fails(1);
    sh(&below, &suggested(&ran)).ok();
    assert_eq!(tree.git(&["status", "--short"]).out, " M services/revenue/main.py\n");
    // two commits without a tag, and a foreign path, at push
    tree.git(&["stash", "-q"]).ok();
    for name in ["a", "b"] {
        tree.write(&format!("services/rag_pipeline/{name}.py"), "x\n");
        tree.git(&["add", "-A"]).ok();
        tree.git(&["-c", "core.hooksPath=/dev/null", "commit", "-q", "-m", name]).ok();
    }
    let ran = tree.git(&["push", "-q", "origin", "HEAD"]).fails(1).says("2 commits without the tag of a2");
    sh(&tree, &suggested(&ran)).ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
    tree.sneak("services/revenue/a.py", "x\n", "[A2] foreign");
    let ran = tree.git(&["push", "-q", "origin", "HEAD"]).fails(1);
    sh(&tree, &suggested(&ran)).ok();
    tree.git(&["push", "-q", "--force", "origin", "HEAD"]).ok();
    assert_eq!(tree.git(&["status", "--short"]).out, "?? services/revenue/a.py\n", "the edit is kept");
}

#[test]
fn a_hook_that_asks_git_lane_itself_is_run_once() {
    let (scratch, tree) = Scratch::installed();
    let hook = scratch.root().join(".git/hooks/pre-commit");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    let log = scratch.home().join("log");
    let text = format!("#!/bin/sh\necho ran >>'{}'\nexec '{LANE}' hook pre-commit \"$@\"\n", log.display());
    std::fs::write(&hook, text).unwrap();
    scratch.run(&scratch.home(), "chmod", &["+x", hook.to_str().unwrap()]).ok();
    tree.commit("services/rag_pipeline/a.py", "x\n", "feat: a").ok();
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "ran\n");
    tree.commit("services/revenue/a.py", "x\n", "feat: b").fails(1).says("foreign-path");
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "ran\n");
}
