//! Hooks put into real worktrees, and taken out again.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::support::install::{Sandbox, chaining, result, write};

const SCRIPTS: [&str; 6] =
    ["applypatch-msg", "commit-msg", "pre-commit", "pre-merge-commit", "pre-push", "prepare-commit-msg"];

/// Installs twice and uninstalls in a worktree; every byte must come back.
fn round_trip(sandbox: &Sandbox, worktree: &Path) {
    let before = sandbox.snapshot();
    sandbox.install(worktree, &["--agent", "a1"]);
    let installed = sandbox.snapshot();
    let hooks = sandbox.main().join(".git/lane/hooks");
    assert_eq!(sandbox.git(worktree, &["config", "core.hooksPath"]), hooks.to_str().unwrap());
    assert_eq!(sandbox.git(worktree, &["config", "lane.agent"]), "a1");
    assert_eq!(sandbox.git(worktree, &["config", "lane.base"]), "main");
    for name in SCRIPTS {
        assert!(hooks.join(name).is_file(), "{name}");
    }
    let said = sandbox.install(worktree, &[]);
    assert!(said.contains("(a1): hooks already installed"), "{said}");
    assert!(sandbox.snapshot() == installed, "a second install changes nothing");
    sandbox.git(worktree, &["status"]);
    let said = sandbox.uninstall(worktree);
    assert!(said.contains("hooks removed"), "{said}");
    let after = sandbox.snapshot();
    let names: Vec<_> = after.keys().filter(|path| after.get(*path) != before.get(*path)).collect();
    assert!(after == before, "{names:?}");
}

#[test]
fn a_plain_repository() {
    let sandbox = Sandbox::with_repo();
    round_trip(&sandbox, &sandbox.main());
}

#[test]
fn a_linked_worktree() {
    let sandbox = Sandbox::with_repo();
    round_trip(&sandbox, &sandbox.worktree("wt"));
}

#[test]
fn hooks_of_the_repositorys_own() {
    let sandbox = Sandbox::with_repo();
    write(&sandbox.main().join(".git/hooks/pre-commit"), "#!/bin/sh\nexit 0\n");
    write(&sandbox.main().join(".git/hooks/post-commit"), "#!/bin/sh\nexit 0\n");
    round_trip(&sandbox, &sandbox.main());
    let said = sandbox.install(&sandbox.main(), &[]);
    assert!(said.contains(".git/hooks (post-commit, pre-commit)"), "{said}");
    assert!(sandbox.main().join(".git/lane/hooks/post-commit").is_file());
}

#[test]
fn a_hooks_path_of_the_repository() {
    let sandbox = Sandbox::with_repo();
    write(&sandbox.main().join(".husky/_/pre-commit"), "#!/bin/sh\nexit 0\n");
    write(&sandbox.main().join(".husky/_/h"), "");
    sandbox.git(&sandbox.main(), &["config", "core.hooksPath", ".husky/_"]);
    round_trip(&sandbox, &sandbox.main());
    let said = sandbox.install(&sandbox.main(), &[]);
    assert!(said.contains("husky") && said.contains("(pre-commit)"), "{said}");
}

#[test]
fn a_hooks_path_of_the_worktree() {
    let sandbox = Sandbox::with_repo();
    sandbox.git(&sandbox.main(), &["config", "extensions.worktreeConfig", "true"]);
    sandbox.git(&sandbox.main(), &["config", "--worktree", "core.hooksPath", "mine"]);
    write(&sandbox.main().join("mine/post-merge"), "#!/bin/sh\nlefthook run\n");
    round_trip(&sandbox, &sandbox.main());
    let said = sandbox.install(&sandbox.main(), &[]);
    assert!(said.contains("lefthook") && said.contains("mine (post-merge)"), "{said}");
}

#[test]
fn a_hooks_path_of_the_user() {
    let sandbox = Sandbox::with_repo();
    sandbox.git(&sandbox.main(), &["config", "--global", "core.hooksPath", "~/all"]);
    write(&sandbox.root.join("all/pre-push"), "#!/bin/sh\nexit 0\n");
    round_trip(&sandbox, &sandbox.main());
    let said = sandbox.install(&sandbox.main(), &[]);
    assert!(said.contains("all (pre-push)"), "{said}");
}

#[test]
fn a_configuration_without_a_last_newline() {
    let sandbox = Sandbox::with_repo();
    let config = sandbox.main().join(".git/config");
    let text = fs::read_to_string(&config).unwrap() + "[a]\n\tb = c";
    fs::write(&config, text).unwrap();
    round_trip(&sandbox, &sandbox.main());
}

#[test]
fn a_bare_repository_with_worktrees() {
    let sandbox = Sandbox::with_repo();
    sandbox.git(&sandbox.root, &["clone", "-q", "--bare", "main", "bare.git"]);
    let (bare, worktree) = (sandbox.root.join("bare.git"), sandbox.root.join("wt-a1"));
    sandbox.git(&bare, &["worktree", "add", "-q", "-b", "x", worktree.to_str().unwrap()]);
    let before = fs::read(bare.join("config")).unwrap();
    let said = sandbox.install(&worktree, &["--all"]);
    assert!(said.contains("(a1): hooks installed"), "{said}");
    assert!(said.contains("wt-a2 (a2): skipped"), "{said}");
    sandbox.git(&worktree, &["status"]);
    assert_eq!(sandbox.git(&bare, &["rev-parse", "--is-bare-repository"]), "true");
    assert!(sandbox.install(&worktree, &[]).contains("already"));
    assert!(sandbox.run(&bare, &["install"]).unwrap_err().contains("bare repository"));
    sandbox.uninstall(&worktree);
    assert_eq!(fs::read(bare.join("config")).unwrap(), before);
    assert!(!bare.join("config.worktree").exists() && !bare.join("lane").exists());
}

#[test]
fn a_submodule_with_worktrees() {
    let sandbox = Sandbox::with_repo();
    sandbox.git(&sandbox.root, &["init", "-q", "super"]);
    let top = sandbox.root.join("super");
    let allow = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../main", "sub"];
    let url = sandbox.main();
    let add = [&allow[..5], &[url.to_str().unwrap(), "sub"]].concat();
    sandbox.git(&top, &add);
    let (sub, git_dir) = (top.join("sub"), top.join(".git/modules/sub"));
    let before = fs::read(git_dir.join("config")).unwrap();
    sandbox.git(&sub, &["worktree", "add", "-q", "-b", "x", "../../wt"]);
    for worktree in [sub.clone(), sandbox.root.join("wt")] {
        sandbox.install(&worktree, &[]);
        for place in [&sub, &sandbox.root.join("wt")] {
            assert_eq!(sandbox.git(place, &["rev-parse", "--show-toplevel"]), place.to_str().unwrap());
            sandbox.git(place, &["status"]);
        }
        sandbox.uninstall(&worktree);
        assert_eq!(fs::read(git_dir.join("config")).unwrap(), before);
        assert!(!git_dir.join("config.worktree").exists());
    }
}

#[test]
fn all_worktrees_of_the_policy() {
    let sandbox = Sandbox::with_repo();
    let before = sandbox.snapshot();
    let said = sandbox.install(&sandbox.main(), &["--all"]);
    assert_eq!(said.matches("skipped").count(), 2, "{said}");
    sandbox.uninstall(&sandbox.main());
    assert!(sandbox.snapshot() == before);
    let (one, two) = (sandbox.worktree("wt-a1"), sandbox.worktree("wt-a2"));
    let before = sandbox.snapshot();
    let said = sandbox.install(&two, &["--all"]);
    assert_eq!(said.matches("hooks installed").count(), 2, "{said}");
    assert_eq!(sandbox.git(&one, &["config", "lane.agent"]), "a1");
    assert_eq!(sandbox.git(&two, &["config", "lane.agent"]), "a2");
    let said = sandbox.uninstall(&one);
    assert!(said.contains("hooks stay in") && said.contains("wt-a2"), "{said}");
    assert!(sandbox.main().join(".git/lane/hooks/pre-commit").exists());
    sandbox.run(&sandbox.main(), &["uninstall", "--all"]).unwrap();
    assert!(sandbox.snapshot() == before);
}

#[test]
fn a_file_that_names_another_agent_is_named() {
    let sandbox = Sandbox::with_repo();
    fs::write(sandbox.main().join(".agent.env"), "AGENT_ID=a2\n").unwrap();
    let said = sandbox.install(&sandbox.main(), &["--agent", "a1"]);
    assert!(said.contains(".agent.env says AGENT_ID=a2, but this worktree now belongs to a1"), "{said}");
    assert!(said.contains("git lane install --agent a2"), "{said}");
    let said = sandbox.install(&sandbox.main(), &["--agent", "a2"]);
    assert!(!said.contains("AGENT_ID"), "{said}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let sandbox = Sandbox::with_repo();
    let before = sandbox.snapshot();
    let error = sandbox.run(&sandbox.main(), &["install", "--agent", "A1"]).unwrap_err();
    assert!(
        error.contains("unknown agent `A1` in refs/heads/main:policy.yaml")
            && error.contains("did you mean `a1`?"),
        "{error}"
    );
    fs::remove_file(sandbox.lane()).unwrap();
    let error = sandbox.run(&sandbox.main(), &["install"]).unwrap_err();
    assert!(error.contains("is not the absolute path of a program"), "{error}");
    assert!(sandbox.snapshot() == before);
}

#[test]
fn a_lock_that_stays_is_named() {
    let sandbox = Sandbox::with_repo();
    fs::write(sandbox.main().join(".git/config.lock"), "").unwrap();
    let before = sandbox.snapshot();
    let error = sandbox.run(&sandbox.main(), &["install"]).unwrap_err();
    assert!(error.contains("config.lock exists") && error.contains("help: try again"), "{error}");
    assert!(sandbox.snapshot() == before);
}

#[test]
fn a_full_disk_changes_nothing() {
    let sandbox = Sandbox::with_repo();
    let two = sandbox.worktree("wt-a2");
    let full = |dir: &Path| {
        let before = sandbox.snapshot();
        let (command, _) = sandbox.lane_command(dir, &["install"]);
        // A limit of the size of files is as good as a full disk.
        let mut limited = sandbox.command("sh", dir);
        limited.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\""]);
        limited.arg(command.get_program()).args(command.get_args());
        limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = limited.env("LANE_TEST_OUT", "-").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("cannot be written"), "{said}");
        assert!(sandbox.snapshot() == before);
        said
    };
    assert!(full(&sandbox.main()).contains("lane/hooks/"));
    sandbox.install(&sandbox.main(), &[]);
    assert!(full(&two).contains("config.worktree"));
}

#[test]
fn the_agent_that_a_user_set_stays() {
    let sandbox = Sandbox::with_repo();
    sandbox.install(&sandbox.main(), &["--agent", "a1"]);
    sandbox.git(&sandbox.main(), &["config", "--worktree", "lane.agent", "a2"]);
    sandbox.git(&sandbox.main(), &["config", "--worktree", "core.editor", "vi"]);
    sandbox.install(&sandbox.main(), &[]);
    assert_eq!(sandbox.git(&sandbox.main(), &["config", "lane.agent"]), "a2");
    sandbox.uninstall(&sandbox.main());
    // The extension stays on, or git would stop reading the editor.
    assert_eq!(sandbox.git(&sandbox.main(), &["config", "core.editor"]), "vi");
    assert!(!sandbox.git(&sandbox.main(), &["config", "--list"]).contains("lane."));
}

#[test]
fn a_later_hooks_path_is_chained_again() {
    let sandbox = Sandbox::with_repo();
    sandbox.install(&sandbox.main(), &[]);
    sandbox.git(&sandbox.main(), &["config", "--worktree", "core.hooksPath", "mine"]);
    write(&sandbox.main().join("mine/pre-commit"), "#!/bin/sh\n");
    let said = sandbox.install(&sandbox.main(), &[]);
    assert!(said.contains("mine (pre-commit)"), "{said}");
    sandbox.uninstall(&sandbox.main());
    assert_eq!(sandbox.git(&sandbox.main(), &["config", "core.hooksPath"]), "mine");
}

#[test]
fn concurrent_installs_and_other_writers() {
    let sandbox = Sandbox::with_repo();
    let worktrees: Vec<_> = (0..8).map(|number| sandbox.worktree(&format!("w{number}"))).collect();
    let before = sandbox.snapshot();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let race = |what: &[&str]| {
        let run = |worktree: &std::path::PathBuf| {
            let (mut command, out) = sandbox.lane_command(worktree, what);
            (command.stdout(Stdio::null()).spawn().unwrap(), out)
        };
        let children: Vec<_> = worktrees.iter().map(run).collect();
        for (child, out) in children {
            result(child.wait_with_output().unwrap(), &out).unwrap();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                number += 1;
                // It may find the lock taken, like any two gits; what it wrote may not get lost.
                let value = number.to_string();
                let _ = sandbox.command("git", &sandbox.main()).args(["config", "x.y", &value]).output();
            }
        });
        for _ in 0..3 {
            race(&["install"]);
            for worktree in &worktrees {
                assert!(sandbox.git(worktree, &["config", "core.hooksPath"]).ends_with("lane/hooks"));
            }
            race(&["uninstall"]);
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    sandbox.git(&sandbox.main(), &["config", "--remove-section", "x"]);
    assert!(sandbox.snapshot() == before);
}

#[test]
fn the_script_passes_everything_on() {
    let sandbox = Sandbox::with_repo();
    let log = sandbox.root.join("log");
    write(&sandbox.lane(), &format!("#!/bin/sh\necho \"$*\" >>'{}'\nexit 3\n", log.display()));
    sandbox.install(&sandbox.main(), &[]);
    let script = sandbox.main().join(".git/lane/hooks/pre-push");
    let status = sandbox.command(&script, &sandbox.main()).args(["origin", "a b"]).status().unwrap();
    assert_eq!(status.code(), Some(3));
    assert_eq!(fs::read_to_string(&log).unwrap(), "hook pre-push origin a b\n");
}

#[test]
fn a_missing_program_blocks() {
    let sandbox = Sandbox::with_repo();
    sandbox.install(&sandbox.main(), &[]);
    fs::remove_file(sandbox.lane()).unwrap();
    let commit = ["commit", "-q", "--allow-empty", "-m", "x"];
    let output = sandbox.command("git", &sandbox.main()).args(commit).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("pre-commit is blocked") && said.contains("run: git lane install"), "{said}");
    assert!(said.contains(sandbox.lane().to_str().unwrap()), "{said}");
}

#[test]
fn earlier_hooks_run_after_ours_as_git_ran_them() {
    let sandbox = Sandbox::with_repo();
    let log = sandbox.root.join("log");
    let hooks = sandbox.main().join(".git/hooks");
    let note = format!(
        "{{ echo \"theirs $*\"; pwd; env | grep ^GIT_ | grep -v '^GIT_\\(AUTHOR\\|COMMITTER\\)' | sort; }} >>'{}'\n",
        log.display()
    );
    write(&hooks.join("commit-msg"), &format!("#!/bin/sh\n{note}"));
    write(&hooks.join("pre-commit"), &note); // no first line
    write(&hooks.join("pre-push"), &format!("#!/bin/sh\n{note}cat >>'{}'\nexit 7\n", log.display()));
    let worktree = sandbox.worktree("wt");
    sandbox.git(&sandbox.root, &["init", "-q", "--bare", "remote"]);
    sandbox.git(&worktree, &["remote", "add", "origin", "../remote"]);
    let act = |name: &str| {
        fs::write(&log, "").unwrap();
        fs::write(worktree.join(name), "x").unwrap();
        sandbox.git(&worktree, &["add", "."]);
        let commit = sandbox.command("git", &worktree).args(["commit", "-q", "-m", "x y"]).output().unwrap();
        assert!(commit.status.success(), "{}", String::from_utf8_lossy(&commit.stderr));
        let push = sandbox.command("git", &worktree).args(["push", "origin", "HEAD"]).output().unwrap();
        assert!(!push.status.success());
        let head = sandbox.git(&worktree, &["rev-parse", "HEAD"]);
        fs::read_to_string(&log).unwrap().replace(&head, "<head>")
    };
    let alone = act("one");
    write(&sandbox.lane(), &chaining(&log));
    sandbox.install(&worktree, &[]);
    let chained = act("two");
    let (ours, theirs): (Vec<&str>, Vec<&str>) = chained.lines().partition(|line| line.starts_with("ours"));
    assert_eq!(theirs, alone.lines().collect::<Vec<_>>());
    assert!(alone.contains("HEAD <head> refs/heads/wt 0000"), "{alone}");
    assert_eq!(ours[0], "ours pre-commit");
    assert!(chained.find("ours pre-commit") < chained.find("theirs "), "{chained}");
}

#[test]
fn a_hook_written_over_ours_is_kept_and_runs() {
    let sandbox = Sandbox::with_repo();
    let log = sandbox.root.join("log");
    write(&sandbox.lane(), &chaining(&log));
    sandbox.install(&sandbox.main(), &[]);
    let lane = sandbox.main().join(".git/lane");
    let theirs = format!("#!/bin/sh\necho kept >>'{}'\n", log.display());
    write(&lane.join("hooks/pre-commit"), &theirs);
    let said = sandbox.install(&sandbox.main(), &[]);
    assert!(said.contains("lane/kept/pre-commit"), "{said}");
    write(&sandbox.main().join(".git/hooks/pre-commit"), &theirs.replace("kept", "earlier"));
    sandbox.git(&sandbox.main(), &["commit", "-q", "--allow-empty", "-m", "x"]);
    let log = fs::read_to_string(&log).unwrap();
    assert!(log.starts_with("ours pre-commit\nearlier\nkept\nours prepare-commit-msg"), "{log}");
    let said = sandbox.uninstall(&sandbox.main());
    assert!(said.contains("has hooks that git-lane did not write: they are kept"), "{said}");
    assert_eq!(fs::read_to_string(lane.join("kept/pre-commit")).unwrap(), theirs);
}

#[test]
fn a_copied_repository_does_not_chain_to_itself() {
    let sandbox = Sandbox::with_repo();
    let log = sandbox.root.join("log");
    write(&sandbox.lane(), &chaining(&log));
    sandbox.install(&sandbox.main(), &[]);
    let copy = sandbox.root.join("copy");
    let status = sandbox.command("cp", &sandbox.root).args(["-r", "main", "copy"]).status().unwrap();
    assert!(status.success());
    sandbox.git(&copy, &["commit", "-q", "--allow-empty", "-m", "x"]);
    assert_eq!(fs::read_to_string(&log).unwrap().matches("ours pre-commit").count(), 1);
    sandbox.install(&copy, &[]);
    assert!(sandbox.git(&copy, &["config", "core.hooksPath"]).contains("/copy/"));
}
