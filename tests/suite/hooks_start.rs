//! What starts the installed hooks: the program itself by its second name, or the shell.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::support::{LANE, Scratch, Worktree};

/// A worktree of a2 with the hooks of a program in the same file system, and that program.
fn installed() -> (Scratch, Worktree, PathBuf) {
    let scratch = Scratch::new();
    scratch.add_origin();
    let program = scratch.home().join("bin/git-lane");
    fs::create_dir(scratch.home().join("bin")).unwrap();
    fs::copy(LANE, &program).unwrap();
    let tree = scratch.worktree("a2", "feat/a2/x");
    let ran = tree.command(program.to_str().unwrap()).args(["install", "--agent", "a2"]).output();
    crate::support::Ran::from(ran.unwrap()).ok();
    (scratch, tree, program)
}

fn second_name(scratch: &Scratch) -> PathBuf {
    scratch.root().join(".git/lane/bin/git-lane")
}

fn script(scratch: &Scratch) -> PathBuf {
    scratch.root().join(".git/lane/hooks/pre-commit")
}

fn inode(path: &Path) -> u64 {
    fs::metadata(path).unwrap().ino()
}

fn put_script(path: &Path, text: &str) {
    fs::remove_file(path).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_program_starts_the_hooks_and_the_shell_could() {
    let (scratch, tree, program) = installed();
    let text = fs::read_to_string(script(&scratch)).unwrap();
    let first = format!("#!{} hook-script", second_name(&scratch).display());
    assert_eq!(text.lines().next(), Some(first.as_str()));
    assert_eq!(inode(&second_name(&scratch)), inode(&program));
    let ran = tree.commit("services/rag_pipeline/a.py", "x\n", "feat: a").ok();
    assert_eq!(ran.all(), "", "a hook that has nothing to say is silent");
    assert_eq!(tree.git(&["log", "-1", "--format=%s"]).out, "[A2] feat: a\n");
    tree.commit("services/revenue/a.py", "x\n", "feat: a").fails(1).says("foreign-path");
    // Programs that give a hook to the shell by hand get the same verdict.
    let by_shell = tree.command("sh").arg(script(&scratch)).output().unwrap();
    crate::support::Ran::from(by_shell).fails(1).says("foreign-path");
    tree.lane(&["doctor"])
        .does_not_say("was modified, or is of another version")
        .does_not_say("is started by");
}

/// The same with the program for hooks alone beside it, that much older.
fn installed_with_hooks(older: std::time::Duration) -> (Scratch, Worktree, PathBuf, PathBuf) {
    let (scratch, tree, program) = installed();
    let hooks = program.with_file_name("git-lane-hook");
    fs::copy(Path::new(LANE).with_file_name("git-lane-hook"), &hooks).unwrap();
    let written = fs::metadata(&program).unwrap().modified().unwrap();
    fs::File::open(&hooks).unwrap().set_modified(written - older).unwrap();
    let again = || tree.command(program.to_str().unwrap()).args(["install", "--agent", "a2"]).output();
    crate::support::Ran::from(again().unwrap()).ok();
    (scratch, tree, program, hooks)
}

#[test]
fn the_program_for_hooks_alone_starts_them() {
    // As an installer may leave them that writes both side by side.
    let (scratch, tree, program, hooks) = installed_with_hooks(std::time::Duration::from_secs(1));
    assert_eq!(inode(&second_name(&scratch)), inode(&hooks));
    tree.commit("services/rag_pipeline/a.py", "x\n", "feat: a").ok();
    assert_eq!(tree.git(&["log", "-1", "--format=%s"]).out, "[A2] feat: a\n");
    tree.commit("services/revenue/a.py", "x\n", "feat: a").fails(1).says("foreign-path");
    tree.lane(&["doctor"])
        .does_not_say(
            "was reinstalled since: each hook starts the previous program, which starts the new one",
        )
        .does_not_say("was modified, or is of another version");
    // The program alone is brought up to date: that one judges.
    let log = scratch.home().join("log");
    put_script(&program, &format!("#!/bin/sh\necho \"$*\" >> '{}'\nexit 0\n", log.display()));
    let later = fs::metadata(&hooks).unwrap().modified().unwrap() + std::time::Duration::from_secs(10);
    fs::File::open(&program).unwrap().set_modified(later).unwrap();
    tree.git(&["commit", "-q", "-m", "feat: a"]).ok();
    assert!(fs::read_to_string(&log).unwrap().starts_with("hook pre-commit"));
    tree.lane(&["doctor"])
        .says("was reinstalled since: each hook starts the previous program, which starts the new one");
    // And without it the second name judges.
    fs::remove_file(&program).unwrap();
    tree.commit("services/revenue/a.py", "y\n", "feat: a").fails(1).says("foreign-path");
    let alone = tree.command(hooks.to_str().unwrap()).arg("check").output().unwrap();
    crate::support::Ran::from(alone).fails(2).says("git lane --help");
}

#[test]
fn an_older_program_for_hooks_is_left_alone() {
    let (scratch, tree, program, _) = installed_with_hooks(std::time::Duration::from_secs(10));
    assert_eq!(inode(&second_name(&scratch)), inode(&program));
    tree.commit("services/revenue/a.py", "x\n", "feat: a").fails(1).says("foreign-path");
}

#[test]
fn a_program_that_is_gone_is_named_and_its_second_name_judges() {
    let (scratch, tree, program) = installed();
    fs::remove_file(&program).unwrap();
    tree.commit("services/rag_pipeline/a.py", "x\n", "feat: a")
        .ok()
        .says(&format!("{} is missing or not executable", program.display()))
        .says("git lane install");
    tree.commit("services/revenue/a.py", "x\n", "feat: b").fails(1).says("foreign-path");
    let before = tree.head();
    // Nothing is let through when the second name is gone, too.
    fs::remove_file(second_name(&scratch)).unwrap();
    tree.git(&["commit", "-q", "-m", "feat: a"]).fails(1).says("cannot");
    assert_eq!(tree.head(), before, "nothing was committed");
    tree.lane(&["doctor"]).fails(1).says("is started by");
}

#[test]
fn a_shell_finds_another_program_on_the_path_or_blocks() {
    let (scratch, tree, program) = installed();
    fs::remove_file(&program).unwrap();
    let run = |path: &str| {
        let ran = tree.command("/bin/sh").arg(script(&scratch)).env("PATH", path).output().unwrap();
        crate::support::Ran::from(ran)
    };
    tree.write("services/revenue/a.py", "x\n");
    tree.git(&["add", "-A"]).ok();
    run("/usr/bin:/bin")
        .fails(2)
        .says("pre-commit is blocked")
        .says(&format!("{} is missing or not executable", program.display()));
    let folder = Path::new(LANE).parent().unwrap().display();
    run(&format!("{folder}:/usr/bin:/bin")).fails(1).says("foreign-path");
}

#[test]
fn a_newer_program_judges_from_its_installation_on() {
    let (scratch, tree, program) = installed();
    let log = scratch.home().join("log");
    put_script(&program, &format!("#!/bin/sh\necho \"$*\" >> '{}'\nexit 0\n", log.display()));
    tree.commit("services/revenue/a.py", "x\n", "feat: a").ok();
    let said = fs::read_to_string(&log).unwrap();
    assert_eq!(said.lines().next(), Some("hook pre-commit"));
    assert!(said.contains("hook commit-msg "), "{said}");
    tree.lane(&["doctor"])
        .says("was reinstalled since: each hook starts the previous program, which starts the new one");
}

#[test]
fn a_path_that_no_first_line_holds_leaves_the_start_to_the_shell() {
    let scratch = Scratch::new();
    scratch.add_origin();
    let folder = scratch.home().join(format!("with spaces {}", "x".repeat(100)));
    fs::rename(scratch.root(), &folder).unwrap();
    let run = |program: &str, args: &[&str]| scratch.run(&folder, program, args);
    run(LANE, &["install"]).ok();
    let text = fs::read_to_string(folder.join(".git/lane/hooks/pre-commit")).unwrap();
    assert_eq!(text.lines().next(), Some("#!/bin/sh"));
    assert!(!folder.join(".git/lane/bin").exists());
    run("git", &["commit", "-q", "--allow-empty", "-m", "x"]).ok();
}

/// What a hook manager does that keeps the script that was there and runs it first.
fn keep_as(hooks: &Path, suffix: &str) {
    for name in ["pre-commit", "commit-msg", "pre-push", "prepare-commit-msg"] {
        fs::rename(hooks.join(name), hooks.join(format!("{name}{suffix}"))).unwrap();
        let text = format!("#!/bin/sh\nexec \"${{0%/*}}/{name}{suffix}\" \"$@\"\n");
        fs::write(hooks.join(name), text).unwrap();
        fs::set_permissions(hooks.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[test]
fn a_script_that_a_manager_renamed_judges_as_what_it_is() {
    for suffix in [".legacy", ".old"] {
        let (scratch, tree, _program) = installed();
        let hooks = script(&scratch).parent().unwrap().to_owned();
        keep_as(&hooks, suffix);
        tree.commit("services/rag_pipeline/a.py", "x\n", "feat: a").ok();
        assert_eq!(tree.git(&["log", "-1", "--format=%s"]).out, "[A2] feat: a\n");
        tree.commit("services/revenue/a.py", "x\n", "feat: a").fails(1).says("foreign-path");
        tree.sneak("services/revenue/a.py", "x\n", "feat: a");
        tree.git(&["push", "-q", "origin", "HEAD"]).fails(1).says("foreign-path");
        // Started by the shell, too.
        for name in ["pre-commit", "pre-push"] {
            let path = hooks.join(format!("{name}{suffix}"));
            let text = fs::read_to_string(&path).unwrap();
            let rest = text.split_once('\n').unwrap().1;
            fs::write(&path, format!("#!/bin/sh\n{rest}")).unwrap();
        }
        tree.commit("services/revenue/b.py", "x\n", "feat: a").fails(1).says("foreign-path");
    }
}

#[test]
fn uninstall_takes_the_second_name_away() {
    let (scratch, tree, _program) = installed();
    assert!(second_name(&scratch).exists());
    tree.lane(&["uninstall", "--all"]).ok();
    assert!(!scratch.root().join(".git/lane").exists());
}
