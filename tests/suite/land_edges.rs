//! `git lane land` where git, the worktree or a command is not as usual.

use crate::advice::sh;
use crate::land::{clones, policy, work, worktrees};
use crate::support::Worktree;
use crate::support::locks::Clones;

/// Others move the base.
fn move_base(clones: &Clones) {
    let two = &clones.two;
    two.git(&["switch", "-q", "--detach", "origin/main"]).ok();
    two.sneak("docs/other.md", "other\n", "other");
    two.git(&["push", "-q", "--no-verify", "origin", "HEAD:main"]).ok();
}

fn base(clones: &Clones) -> Vec<String> {
    let log = clones.at_origin(&["log", "--format=%s", "main"]).ok().out;
    log.lines().map(str::to_owned).collect()
}

fn commit(tree: &Worktree, subject: &str) {
    tree.git(&["commit", "-q", "--no-verify", "--allow-empty", "-m", subject]).ok();
}

#[test]
fn several_commits_are_one_on_a_base_that_moved() {
    for backend in ["git2", "git"] {
        let clones = clones("squash: true");
        let one = &clones.one;
        work(one, "orchestrator", "one");
        work(one, "orchestrator", "two");
        move_base(&clones);
        let mut command = one.command(crate::support::LANE);
        command.arg("land").env("LANE_GIT_BACKEND", backend);
        crate::support::Ran::from(command.output().unwrap()).ok();
        assert_eq!(base(&clones), ["[A1] feat: one", "[A2] other", "first"]);
        clones.at_origin(&["fsck", "--strict"]).ok();
    }
}

#[test]
fn a_squashed_commit_keeps_to_the_rules_of_messages_and_signatures() {
    let policy = policy("squash: true").replace("max_age: 3h", "max_age: 3h, signatures: required");
    let policy =
        policy.replace("types: []", "types: [], pattern: '^feat: ', subject_max: 20, sign_off: required");
    let clones = Clones::with_policy(&policy, "remote: origin");
    let one = &clones.one;
    let key = "ssh-keygen -q -t ed25519 -N '' -f \"$HOME/key\"; git config gpg.format ssh; \
               git config user.signingKey \"$HOME/key\"";
    sh(one, key).ok();
    for name in ["one", "two"] {
        one.write(&format!("services/orchestrator/{name}.py"), "x = 1\n");
        one.git(&["add", "-A"]).ok();
        one.git(&["commit", "-q", "-s", "-S", "-m", &format!("feat: {name}")]).ok();
    }
    let ran = one.lane(&["land"]).fails(1).says("[unsigned-commit]");
    ran.says("it lands as a new commit");
    sh(one, "git config commit.gpgSign true").ok();
    one.lane(&["land"]).ok();
    assert_eq!(base(&clones), ["[A1] feat: one", "first"]);
}

#[test]
fn nothing_lands_on_the_branch_of_another() {
    let clones = clones("");
    let one = &clones.one;
    one.git(&["push", "-q", "--no-verify", "origin", "HEAD:refs/heads/feat/a2/y"]).ok();
    work(one, "orchestrator", "one");
    let ran = one.lane(&["land", "--base", "feat/a2/y"]).fails(2);
    ran.says("`feat/a2/y` is not a protected branch, so nothing lands on it");
    let there = clones.at_origin(&["log", "--format=%s", "feat/a2/y"]).ok().out;
    assert_eq!(there.trim(), "first");
    crate::advice::sh(one, "git lane land").ok();
}

#[test]
fn settings_for_people_change_nothing() {
    let clones = clones("");
    let one = &clones.one;
    for (key, value) in
        [("rebase.backend", "apply"), ("rebase.rebaseMerges", "true"), ("rebase.autoSquash", "true")]
    {
        one.git(&["config", key, value]).ok();
    }
    work(one, "orchestrator", "one");
    one.commit("services/orchestrator/one.py", "x = 2\n", "fixup! [A1] feat: one").ok();
    commit(one, "[A1] chore: empty");
    move_base(&clones);
    one.lane(&["land"]).ok();
    let subjects = ["[A1] chore: empty", "[A1] fixup! [A1] feat: one", "[A1] feat: one", "other", "first"];
    assert_eq!(base(&clones).len(), subjects.len(), "{:?}", base(&clones));
}

#[test]
fn commands_see_all_files_of_a_sparse_checkout() {
    let clones = clones("run: ['test -e docs/other.md']");
    let one = &clones.one;
    work(one, "orchestrator", "one");
    move_base(&clones);
    one.git(&["sparse-checkout", "set", "services/orchestrator"]).ok();
    one.lane(&["land"]).ok();
    assert!(!one.root.join("docs").exists(), "the worktree stays sparse");
}

#[test]
fn what_a_command_leaves_running_ends_with_it() {
    let clones = clones("run: ['sleep 60 & echo $! > $HOME/left']");
    work(&clones.one, "orchestrator", "one");
    clones.one.lane(&["land"]).ok();
    let process = std::fs::read_to_string(clones.scratch.home().join("left")).unwrap();
    let is_gone = || {
        let state = std::fs::read_to_string(format!("/proc/{}/stat", process.trim())).unwrap_or_default();
        state.is_empty() || state.contains(") Z ")
    };
    for _ in 0..200 {
        if is_gone() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("{process} is still there");
}

#[test]
fn nothing_lands_on_a_base_that_is_being_rebased() {
    let (scratch, one, _two) = worktrees("");
    work(&one, "orchestrator", "one");
    let main = scratch.main();
    main.git(&["branch", "-q", "other"]).ok();
    main.sneak("docs/x.md", "x\n", "on main");
    main.git(&["switch", "-q", "other"]).ok();
    main.sneak("docs/x.md", "y\n", "on other");
    main.git(&["switch", "-q", "main"]).ok();
    let before = main.head();
    main.git(&["rebase", "-q", "other"]).fails(1);
    let ran = one.lane(&["land"]).fails(2).says("`main` is being rebased in");
    ran.says("see how it stands");
    assert_eq!(one.git(&["rev-parse", "main"]).ok().out.trim(), before);
    main.git(&["rebase", "--abort"]).ok();
    one.lane(&["land"]).ok();
    assert_eq!(one.git(&["log", "-1", "--format=%s", "main"]).ok().out.trim(), "[A1] feat: one");
}

#[test]
fn nothing_lands_beside_a_locked_worktree_that_is_away() {
    let (scratch, one, _two) = worktrees("");
    work(&one, "orchestrator", "one");
    let main = scratch.main();
    main.git(&["switch", "-q", "-c", "elsewhere"]).ok();
    main.git(&["worktree", "add", "-q", "../away", "main"]).ok();
    main.git(&["worktree", "lock", "../away"]).ok();
    let (there, away) = (scratch.home().join("away"), scratch.home().join("gone"));
    std::fs::rename(&there, &away).unwrap();
    one.lane(&["land"]).fails(2).says("which is locked and not there");
    std::fs::rename(&away, &there).unwrap();
    one.lane(&["land"]).ok();
    assert_eq!(scratch.run(&there, "git", &["status", "--porcelain"]).ok().out, "");
}
