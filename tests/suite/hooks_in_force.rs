//! Hooks that git does not run any more: what still runs says so, and judges in their place.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::{Ran, Scratch, Worktree};

const OWN: &str = "services/rag_pipeline/a.py";
const FOREIGN: &str = "services/revenue/a.py";

fn hooks(scratch: &Scratch) -> PathBuf {
    scratch.root().join(".git/lane/hooks")
}

fn put(path: &Path, text: &str) {
    let _ = fs::remove_file(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// What a hook manager does that is installed later: it moves what is there aside, and never runs it again.
fn overwrite(scratch: &Scratch, names: &[&str]) {
    for name in names {
        let path = hooks(scratch).join(name);
        fs::rename(&path, path.with_extension("old")).unwrap();
        put(&path, "#!/bin/sh\nexit 0\n");
    }
}

/// A second worktree, of a3.
fn second(scratch: &Scratch) -> Worktree {
    let tree = scratch.worktree("a3", "feat/a3/x");
    tree.lane(&["install", "--agent", "a3"]).ok();
    tree
}

#[test]
fn what_a_manager_overwrote_is_judged_by_the_others_and_named() {
    let (scratch, tree) = Scratch::installed();
    let other = second(&scratch);
    overwrite(&scratch, &["pre-commit", "pre-push"]);
    tree.commit(FOREIGN, "x\n", "feat: a")
        .fails(1)
        .says("replaced or removed: pre-commit, pre-push; a git before 2.54 does not judge a plain git push then\n  help: git lane install")
        .says("foreign-path");
    tree.git(&["reset", "-q", "--hard"]).ok();
    let ran = tree.commit(OWN, "x\n", "feat: a").ok();
    assert_eq!(ran.all().matches("warning:").count(), 1, "{}", ran.all());
    // Any command says so, in any worktree.
    for command in ["check", "locks"] {
        other.lane(&[command]).says("replaced or removed: pre-commit, pre-push");
    }
    other.lane(&["-q", "check"]).does_not_say("replaced");
    other.lane(&["status"]).ok().says("hooks are not in force in any worktree");
    let lines = other.lane(&["status", "--format", "json"]).ok().json();
    let is_told =
        |line: &serde_json::Value| line["hooks"].as_str().is_some_and(|why| why.contains("pre-push"));
    assert_eq!(lines["lines"].as_array().unwrap().iter().filter(|line| is_told(line)).count(), 2);
    // And the command that it names mends it.
    other
        .lane(&["install"])
        .ok()
        .says("another program had overwritten a git-lane hook; its file now runs as");
    tree.commit(OWN, "y\n", "feat: a").ok().does_not_say("warning:");
    tree.lane(&["check"]).does_not_say("replaced");
}

#[test]
fn a_push_says_what_is_missing() {
    let (scratch, tree) = Scratch::installed();
    overwrite(&scratch, &["pre-commit", "commit-msg", "prepare-commit-msg"]);
    tree.commit(FOREIGN, "x\n", "[A2] feat: a").ok();
    tree.git(&["push", "-q", "origin", "HEAD"])
        .fails(1)
        .says("replaced or removed: pre-commit, prepare-commit-msg, commit-msg")
        .says("foreign-path");
}

/// `git lfs update --force` takes the hooks of pushes and checkouts, and none of a commit.
#[test]
#[cfg(target_os = "linux")]
fn a_commit_that_skips_its_hooks_still_says_that_pushes_are_not_judged() {
    let (scratch, tree) = Scratch::installed();
    let overwritten = "#!/bin/sh\ncommand -v git-lfs >/dev/null 2>&1 || exit 0\nexit 0\n";
    for name in ["pre-push", "post-checkout", "post-commit", "post-merge"] {
        put(&hooks(&scratch).join(name), overwritten);
    }
    let missing = "replaced or removed: pre-push; a git before 2.54 does not judge a plain git push then\n  help: git lane install";
    tree.write(FOREIGN, "x\n");
    tree.git(&["add", "-A"]).ok();
    let ran = tree.git(&["commit", "-q", "--no-verify", "-m", "feat: a"]).ok().says(missing);
    assert_eq!(ran.all().matches("warning:").count(), 1, "{}", ran.all());
    // A rebase of several commits says it once.
    tree.write(FOREIGN, "y\n");
    tree.git(&["commit", "-qanm", "feat: b"]).ok().says(missing);
    let ran = tree.git(&["rebase", "-q", "--force-rebase", "HEAD~2"]).ok();
    assert_eq!(ran.all().matches(missing.split('\n').next().unwrap()).count(), 1, "{}", ran.all());
    tree.lane(&["install"]).ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).fails(1).says("foreign-path");
}

/// How often a verdict refuses or passes a path of another agent.
fn verdicts(ran: &Ran) -> usize {
    ran.all().matches("error[foreign-path]").count()
}

#[test]
fn a_push_of_ours_is_judged_whatever_git_starts() {
    let (scratch, tree) = Scratch::installed();
    let there = || scratch.git(&["ls-remote", "origin", "refs/heads/feat/a2/x"]).ok().out;
    tree.commit(OWN, "x\n", "feat: a").ok();
    tree.lane(&["push"]).ok();
    let before = there();
    tree.sneak(FOREIGN, "x\n", "[A2] feat: b");
    // The hook judges, and nobody else.
    let ran = tree.lane(&["push"]).fails(1);
    assert_eq!(verdicts(&ran), 1, "{}", ran.all());
    overwrite(&scratch, &["pre-push"]);
    for args in [&["push"][..], &["push", "-f"], &["push", "--format", "json"], &["sync", "--push"]] {
        let ran = tree.lane(args).fails(1).says("foreign-path");
        assert_eq!(verdicts(&ran), 1, "{args:?}: {}", ran.all());
        assert_eq!(there(), before, "{args:?}");
    }
    tree.lane(&["install"]).ok();
    elsewhere(&scratch, "a2");
    tree.lane(&["push"]).fails(1).says("foreign-path");
    tree.lane(&["install"]).ok();
    fs::remove_dir_all(hooks(&scratch)).unwrap();
    tree.lane(&["push"]).fails(1).says("foreign-path");
    assert_eq!(there(), before);
    // What follows the rules is pushed.
    tree.git(&["reset", "-q", "--hard", "HEAD~1"]).ok();
    tree.sneak(OWN, "y\n", "[A2] feat: c");
    tree.lane(&["push"]).ok();
    assert_ne!(there(), before);
    // Not installed anywhere.
    scratch.lane(&["uninstall", "--all"]).ok();
    tree.sneak(FOREIGN, "x\n", "[A2] feat: b");
    tree.lane(&["push"]).fails(1).says("foreign-path");
}

#[test]
fn the_last_hook_of_a_commit_refuses_alone() {
    let (scratch, tree) = Scratch::installed();
    tree.commit(OWN, "x\n", "feat: a").ok();
    overwrite(&scratch, &["pre-commit", "commit-msg"]);
    tree.commit(FOREIGN, "x\n", "feat: b").fails(1).says("foreign-path").says("pre-commit, commit-msg");
    // Whoever asks for no hooks gets none, and a rebase goes through.
    tree.git(&["commit", "-q", "--no-verify", "-m", "feat: b"]).ok();
    tree.git(&["reset", "-q", "--hard", "HEAD~1"]).ok();
    scratch.write("new", "x\n");
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-q", "-m", "second"]).ok();
    tree.git(&["rebase", "-q", "main"]).ok();
}

#[test]
fn a_manager_that_runs_ours_under_another_name_is_no_trouble() {
    let (scratch, tree) = Scratch::installed();
    let path = hooks(&scratch).join("pre-commit");
    fs::rename(&path, path.with_extension("legacy")).unwrap();
    put(&path, "#!/bin/sh\nexec \"${0%/*}/pre-commit.legacy\" \"$@\"\n");
    tree.commit(FOREIGN, "x\n", "feat: a").fails(1).says("foreign-path");
    tree.git(&["reset", "-q", "--hard"]).ok();
    tree.commit(OWN, "x\n", "feat: a").ok().does_not_say("warning:");
    tree.git(&["push", "-q", "origin", "HEAD"]).ok().does_not_say("warning:");
    // Until it does not any more.
    put(&path, "#!/bin/sh\nexit 0\n");
    tree.commit(FOREIGN, "x\n", "feat: b")
        .fails(1)
        .says("foreign-path")
        .says("replaced or removed: pre-commit");
}

#[test]
fn a_claim_by_hand_is_stamped_by_whichever_hook_judges() {
    for gone in [&["pre-commit"][..], &["pre-commit", "commit-msg"], &["pre-commit", "prepare-commit-msg"]] {
        let (scratch, tree) = Scratch::installed();
        overwrite(&scratch, gone);
        tree.write(".locks/.common-lock-a2", "");
        tree.commit("services/common/a.py", "x\n", "feat: a\n\nWhy not.").ok();
        let message = tree.git(&["log", "-1", "--format=%B"]).ok().out;
        assert_eq!(message.trim(), "[A2] feat: a\n\nWhy not.\n\nLane-Lock: common@1", "{gone:?}");
        // Without a claim nobody has put anything in, and the commit is refused.
        fs::remove_file(tree.root.join(".locks/.common-lock-a2")).unwrap();
        tree.commit("services/common/b.py", "x\n", "feat: b").fails(1).says("`, which is not held");
    }
}

/// A commit of a2 that is warned of: large, and not too large.
fn large(tree: &Worktree) {
    tree.sneak(OWN, &"line\n".repeat(280), "[A2] feat: large");
}

fn warnings(ran: &Ran) -> usize {
    ran.all().matches("[oversized-change]").count()
}

#[test]
fn a_manager_that_asks_for_the_verdict_is_not_told_twice() {
    let asks = format!("#!/bin/sh\n'{}' hook pre-push\n", crate::support::LANE);
    // It was there before ours, and is run after it.
    let (scratch, tree) = Scratch::installed();
    put(&scratch.root().join(".git/hooks/pre-push"), &asks);
    tree.lane(&["install"]).ok();
    large(&tree);
    let ran = tree.git(&["push", "-q", "origin", "HEAD"]).ok();
    assert_eq!(warnings(&ran), 1, "{}", ran.all());
    // It took the place of ours.
    let (scratch, tree) = Scratch::installed();
    put(&hooks(&scratch).join("pre-push"), &asks);
    large(&tree);
    let ran = tree.git(&["push", "-q", "--dry-run", "origin", "HEAD"]).ok();
    assert_eq!(warnings(&ran), 1, "{}", ran.all());
    let ran = tree.lane(&["push"]).ok();
    assert_eq!(warnings(&ran), 1, "{}", ran.all());
    // What is pushed again is judged again.
    tree.sneak(FOREIGN, "x\n", "[A2] feat: foreign");
    for _ in 0..2 {
        tree.git(&["push", "-q", "origin", "HEAD"]).fails(1).says("foreign-path");
    }
}

#[test]
fn what_was_judged_for_a_push_that_failed_is_judged_again() {
    let (scratch, tree) = Scratch::installed();
    let other = scratch.worktree("a1", "feat/a1/x");
    other.lane(&["install", "--agent", "a1"]).ok();
    for name in ["pre-push", "pre-commit"] {
        let path = hooks(&scratch).join(name);
        fs::rename(&path, path.with_extension("legacy")).unwrap();
        put(&path, &format!("#!/bin/sh\nexec \"${{0%/*}}/{name}.legacy\" \"$@\"\n"));
    }
    tree.lane(&["lock", "common"]).ok();
    tree.commit("services/common/main.py", "mine\n", "feat: common").ok();
    let refuses = scratch.home().join("origin.git/hooks/pre-receive");
    put(&refuses, "#!/bin/sh\nexit 1\n");
    tree.git(&["push", "-q", "origin", "HEAD"]).fails(1).says("pre-receive hook declined");
    fs::remove_file(&refuses).unwrap();
    other.lane(&["lock", "common", "--steal", "--reason", "a hotfix"]).ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).fails(1).says("unlocked-path");
}

#[test]
fn another_hooks_path_does_not_put_ours_out_of_force() {
    let (scratch, tree) = Scratch::installed();
    for (args, folder) in [
        (&["config", "--worktree", "core.hooksPath", "/nowhere"][..], &tree),
        (&["config", "core.hooksPath", ".husky/_"], &scratch.main()),
        (&["config", "--global", "core.hooksPath", "/nowhere"], &tree),
        (&["config", "--worktree", "--unset-all", "core.hooksPath"], &tree),
    ] {
        folder.git(args).ok();
        tree.commit(FOREIGN, "x\n", "feat: a")
            .fails(1)
            .says("foreign-path")
            .does_not_say("warning: git-lane's");
    }
}

/// Puts the hooks of a worktree out of force as no `git config` does.
fn elsewhere(scratch: &Scratch, name: &str) {
    let path = scratch.root().join(format!(".git/worktrees/{name}/config.worktree"));
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}[core]\n\thooksPath = /nowhere\n")).unwrap();
}

#[test]
fn hooks_of_another_worktree_are_looked_at_too() {
    let (scratch, tree) = Scratch::installed();
    let other = second(&scratch);
    let plain = scratch.worktree("plain", "fix");
    elsewhere(&scratch, "a3");
    let said = format!("not in force in {}: core.hooksPath is /nowhere", other.root.display());
    let help = format!("help: git lane -C {} install", other.root.display());
    tree.commit(OWN, "x\n", "feat: a").ok().says(&said).says(&help);
    tree.git(&["push", "-q", "origin", "HEAD"])
        .ok()
        .says(&said)
        .says(&format!("{}: git-lane's hooks are not installed", plain.root.display()));
    for from in [&tree, &other, &plain, &scratch.main()] {
        from.lane(&["doctor"])
            .fails(1)
            .says("core.hooksPath is /nowhere")
            .says("git-lane's hooks are not installed");
    }
    other.lane(&["check"]).says("not in force in this worktree: core.hooksPath is /nowhere");
    plain.lane(&["check"]).says("not in force in this worktree: git-lane's hooks are not installed");
    scratch.lane(&["check"]).does_not_say("in this worktree");
    scratch.lane(&["status"]).ok().says(&said);
    // The commands that it names.
    tree.lane(&["-C", other.root.to_str().unwrap(), "install"]).ok();
    tree.lane(&["-C", plain.root.to_str().unwrap(), "install"]).ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).ok().does_not_say("not in force");
    other.commit(FOREIGN, "x\n", "feat: a").fails(1).says("foreign-path");
}

#[test]
fn the_same_layout_works_elsewhere() {
    let (scratch, tree) = Scratch::installed();
    scratch.lane(&["install"]).ok();
    let place = scratch.home().join("else/where");
    fs::create_dir_all(&place).unwrap();
    for name in ["repo", "a2"] {
        fs::rename(scratch.home().join(name), place.join(name)).unwrap();
    }
    let main = Worktree { root: place.join("repo"), home: scratch.home() };
    let tree = Worktree { root: place.join("a2"), ..tree };
    // A container sees the paths that git wrote as they are there.
    main.git(&["worktree", "repair", tree.root.to_str().unwrap()]).ok();
    main.git(&["remote", "set-url", "origin", scratch.home().join("origin.git").to_str().unwrap()]).ok();
    tree.commit(FOREIGN, "x\n", "feat: a").fails(1).says("foreign-path");
    tree.git(&["reset", "-q", "--hard"]).ok();
    tree.commit(OWN, "x\n", "feat: a").ok().does_not_say("warning:");
    assert_eq!(tree.git(&["log", "-1", "--format=%s"]).out, "[A2] feat: a\n");
    tree.sneak(FOREIGN, "x\n", "feat: b");
    tree.git(&["push", "-q", "origin", "HEAD"]).fails(1).says("foreign-path");
    main.git(&["commit", "-q", "--allow-empty", "-m", "x"]).ok();
    // Installed anew there, each script starts the program at once again.
    tree.lane(&["install"]).ok();
    main.lane(&["doctor"]).does_not_say("problem  hooks");
    main.lane(&["uninstall", "--all"]).ok();
    assert!(!main.root.join(".git/lane").exists());
}

#[test]
fn a_worktree_made_in_another_ones_folder_has_its_hooks() {
    let (_scratch, tree) = Scratch::installed();
    tree.git(&["worktree", "add", "-q", "-b", "feat/a2/sub", "some/where/deep"]).ok();
    let sub = Worktree { root: tree.root.join("some/where/deep"), ..tree };
    sub.commit(FOREIGN, "x\n", "feat: a").fails(1);
}

#[test]
fn uninstall_gives_back_what_setup_wrote_too() {
    for text in ["", "*.o\n", "# no end"] {
        let (scratch, tree) = Scratch::installed();
        let exclude = scratch.root().join(".git/info/exclude");
        fs::create_dir_all(exclude.parent().unwrap()).unwrap();
        fs::write(&exclude, text).unwrap();
        scratch.lane(&["setup", "a3"]).ok();
        tree.lane(&["check"]).ok();
        assert!(fs::read_to_string(&exclude).unwrap().contains("git-lane"));
        scratch.lane(&["uninstall", "--all"]).ok().says("info/exclude no longer hides these from git:");
        assert_eq!(fs::read_to_string(&exclude).unwrap_or_default(), text);
        assert!(!scratch.root().join(".git/lane").exists());
    }
}

/// A git that starts hooks from its configuration: the one on the path, or the one that `LANE_TEST_GIT` names.
fn newer_git() -> Option<PathBuf> {
    let named = std::env::var_os("LANE_TEST_GIT").map(PathBuf::from);
    let git = named.unwrap_or_else(|| PathBuf::from("git"));
    let said = std::process::Command::new(&git).arg("--version").output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let minor = said.split('.').nth(1)?.parse::<u32>().ok()?;
    (said.starts_with("git version 2.") && minor >= 54).then_some(git)
}

/// Starts a hook from the configuration as such a git does.
fn configured(scratch: &Scratch, tree: &Worktree, name: &str, args: &[&str]) -> Ran {
    let script = scratch.root().join(".git/lane/configured").join(name);
    let git_dir = tree.git(&["rev-parse", "--absolute-git-dir"]).ok().out;
    let mut command = tree.command(script.to_str().unwrap());
    command.args(args).env("GIT_DIR", git_dir.trim()).output().unwrap().into()
}

#[test]
fn the_configured_hook_judges_where_the_script_does_not() {
    let (scratch, tree) = Scratch::installed();
    tree.write(FOREIGN, "x\n");
    tree.git(&["add", "-A"]).ok();
    let key = "hook.git-lane-pre-commit.command";
    assert!(scratch.git(&["config", key]).ok().out.trim().ends_with("lane/configured/pre-commit"));
    let ran = configured(&scratch, &tree, "pre-commit", &[]).ok();
    assert_eq!(ran.all(), "", "git starts the script next, which judges");
    elsewhere(&scratch, "a2");
    configured(&scratch, &tree, "pre-commit", &[]).fails(1).says("foreign-path").says("/nowhere");
    tree.lane(&["install"]).ok();
    overwrite(&scratch, &["pre-commit"]);
    configured(&scratch, &tree, "pre-commit", &[]).fails(1).says("foreign-path");
    // Of what a manager keeps beside its own, nobody can tell at first whether it is run.
    tree.lane(&["install"]).ok();
    let path = hooks(&scratch).join("pre-commit");
    fs::rename(&path, path.with_extension("legacy")).unwrap();
    put(&path, "#!/bin/sh\nexit 0\n");
    configured(&scratch, &tree, "pre-commit", &[]).fails(1).says("foreign-path").does_not_say("replaced");
    configured(&scratch, &tree, "pre-commit", &[]).fails(1).says("replaced or removed: pre-commit");
    tree.lane(&["install"]).ok();
    // A worktree that nobody installed anything in.
    let plain = scratch.worktree("plain", "feat/a3/y");
    plain.write("services/dashboard_api/main.py", "x\n");
    plain.git(&["add", "-A"]).ok();
    configured(&scratch, &plain, "pre-commit", &[]).ok();
    plain.write("services/rag_pipeline/main.py", "x\n");
    plain.git(&["add", "-A"]).ok();
    configured(&scratch, &plain, "pre-commit", &[]).fails(1).says("foreign-path");
    let zero = "0".repeat(40);
    configured(&scratch, &plain, "post-checkout", &[&zero, &plain.head(), "1"])
        .ok()
        .says("git-lane's hooks are not installed")
        .says("help: for an agent:\n          git lane join ID\n        for a maintainer:\n          git lane install\n");
    configured(&scratch, &plain, "post-checkout", &[&plain.head(), &plain.head(), "1"])
        .ok()
        .does_not_say("install");
    scratch.lane(&["uninstall", "--all"]).ok();
    scratch.git(&["config", "--get-regexp", "^hook"]).fails(1);
}

/// Each hook reads the configuration with libgit2: what only git has a use for costs it nothing.
#[test]
fn hooks_of_the_configuration_are_read_by_git_alone() {
    let (scratch, tree) = Scratch::installed();
    let key = "hook.git-lane-pre-push.event";
    assert_eq!(tree.git(&["config", "--get", key]).ok().out, "pre-push\n");
    let read = lane_git_config(&tree, key);
    assert_eq!(read, Vec::<String>::new());
    // A git that does not know `%(prefix)` would not follow it: then the path is told as it is.
    let config = scratch.root().join(".git/config");
    let before = fs::read_to_string(&config).unwrap();
    let old = scratch.root().join("old-git");
    let script =
        "#!/bin/sh\ncase \" $* \" in *' --type=path '*) exit 1 ;; esac\nPATH=$REAL_PATH exec git \"$@\"\n";
    put(&old.join("git"), script);
    let path = std::env::var("PATH").unwrap();
    let with_old = format!("{}:{path}", old.display());
    tree.lane_env(&["install"], &[("REAL_PATH", &path), ("PATH", &with_old)]).ok();
    let after = fs::read_to_string(&config).unwrap();
    assert!(before.contains("%(prefix)/") && !after.contains("%(prefix)/"), "{after}");
    assert_eq!(lane_git_config(&tree, key), ["pre-push"]);
}

fn lane_git_config(tree: &Worktree, key: &str) -> Vec<String> {
    use lane_git::{Git2Repository, Repository};
    Git2Repository::open_at(&tree.root).unwrap().config(key).unwrap()
}

#[test]
fn a_newer_git_judges_once_and_always() {
    let Some(git) = newer_git() else { return };
    let git = git.to_str().unwrap();
    let (scratch, tree) = Scratch::installed();
    let run = |tree: &Worktree, args: &[&str]| Ran::from(tree.command(git).args(args).output().unwrap());
    let refused = |ran: Ran| {
        let ran = ran.fails(1);
        assert_eq!(ran.all().matches("error[foreign-path]").count(), 1, "{}", ran.all());
    };
    let commit = |tree: &Worktree, path: &str, more: &[&str]| {
        tree.write(path, format!("{:?}\n", std::time::SystemTime::now()));
        run(tree, &["add", "-A"]).ok();
        let ran = run(tree, &[more, &["commit", "-q", "-m", "feat: a"]].concat());
        run(tree, &["reset", "-q", "--hard"]).ok();
        ran
    };
    let nowhere = ["-c", "core.hooksPath=/nowhere"];
    put(&scratch.root().join(".git/hooks/pre-commit"), "#!/bin/sh\necho earlier\n");
    tree.lane(&["install"]).ok();
    for more in [&[][..], &nowhere] {
        refused(commit(&tree, FOREIGN, more));
        let ran = commit(&tree, OWN, more).ok();
        assert_eq!(ran.all().matches("earlier").count(), usize::from(more.is_empty()), "{}", ran.all());
        assert_eq!(run(&tree, &["log", "-1", "--format=%s"]).out, "[A2] feat: a\n");
    }
    // A manager that runs ours under another name.
    for name in ["pre-commit", "commit-msg", "pre-push"] {
        let path = hooks(&scratch).join(name);
        fs::rename(&path, path.with_extension("legacy")).unwrap();
        put(&path, &format!("#!/bin/sh\nexec \"${{0%/*}}/{name}.legacy\" \"$@\"\n"));
    }
    commit(&tree, OWN, &[]).ok().does_not_say("warning:");
    refused(commit(&tree, FOREIGN, &[]));
    commit(&tree, OWN, &[]).ok().does_not_say("warning:");
    tree.sneak(FOREIGN, "x\n", "feat: a");
    refused(run(&tree, &["push", "-q", "origin", "HEAD"]));
    run(&tree, &["reset", "-q", "--hard", "HEAD~1"]).ok();
    run(&tree, &["push", "-q", "origin", "HEAD"]).ok();
    // A manager that asks for the verdict itself.
    put(
        &hooks(&scratch).join("pre-push"),
        &format!("#!/bin/sh\nexec '{}' hook pre-push\n", crate::support::LANE),
    );
    large(&tree);
    let ran = run(&tree, &["push", "-q", "origin", "HEAD"]).ok();
    assert_eq!(warnings(&ran), 1, "{}", ran.all());
    // Of worktrees without hooks, whoever makes one is told.
    let root = scratch.home().join("plain");
    run(&scratch.main(), &["worktree", "add", "-b", "feat/a3/x", root.to_str().unwrap()])
        .ok()
        .says("git-lane's hooks are not installed");
    let plain = Worktree { root, home: scratch.home() };
    refused(commit(&plain, FOREIGN, &[]));
    commit(&plain, "services/dashboard_api/main.py", &[]).ok();
}
