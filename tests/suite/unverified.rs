//! `history: { unverified: deny }`: a branch of an agent is moved to no commit that the hooks would have refused, whichever
//! command of git moves it; and git goes on as always with everything else.

use crate::support::{POLICY, Scratch, Worktree};

const OWN: &str = "services/rag_pipeline/a.py";
const FOREIGN: &str = "services/revenue/a.py";

/// A worktree of a2, hooks and remote, under a policy that asks for verdicts.
fn guarded() -> (Scratch, Worktree) {
    let policy = POLICY.replace("max_age: 3h", "max_age: null, unverified: deny");
    assert!(policy.contains("unverified: deny"));
    let scratch = Scratch::with_policy(&policy);
    scratch.add_origin();
    let a2 = scratch.worktree("a2", "feat/a2/x");
    a2.lane(&["install", "--agent", "a2"]).ok();
    assert!(scratch.root().join(".git/lane/hooks/reference-transaction").exists());
    (scratch, a2)
}

/// Commits on a branch of their own that no hook has seen, as somebody without hooks makes them.
fn unseen(scratch: &Scratch, path: &str) -> String {
    let other = scratch.home().join("other");
    scratch.run(&scratch.home(), "git", &["clone", "-q", "origin.git", "other"]).ok();
    let other = Worktree { root: other, home: scratch.home() };
    other.commit(path, "x\n", "feat: a").ok();
    other.git(&["format-patch", "-q", "-1", "-o", scratch.home().to_str().unwrap()]).ok();
    scratch.git(&["fetch", "-q", other.root.to_str().unwrap(), "HEAD"]).ok();
    other.head()
}

#[test]
fn it_is_installed_only_where_the_policy_asks() {
    let (scratch, a2) = Scratch::installed();
    assert!(!scratch.root().join(".git/lane/hooks/reference-transaction").exists());
    a2.sneak(FOREIGN, "x\n", "feat: a");
    let (scratch, a2) = guarded();
    std::fs::remove_file(scratch.root().join(".git/lane/hooks/reference-transaction")).unwrap();
    a2.lane(&["doctor"]).fails(1).says("needs reference-transaction, which is not installed");
    a2.lane(&["install"]).ok();
    a2.lane(&["doctor"]).does_not_say("needs reference-transaction");
    a2.lane(&["uninstall", "--all"]).ok();
    assert!(!scratch.root().join(".git/lane").exists());
    a2.sneak(FOREIGN, "x\n", "feat: a");
}

#[test]
fn what_the_hooks_would_refuse_moves_no_branch() {
    let (scratch, a2) = guarded();
    let head = a2.head();
    a2.write(FOREIGN, "x\n");
    a2.git(&["add", "-A"]).ok();
    let refused = |line: &[&str]| {
        let ran = a2.git(line);
        assert_ne!(ran.code, 0, "{line:?}: {}", ran.all());
        assert!(ran.all().contains("foreign-path"), "{line:?}: {}", ran.all());
        assert!(ran.all().contains("no branch was moved"), "{line:?}: {}", ran.all());
        assert!(!ran.all().contains("git lane drop"), "it is on no branch: {}", ran.all());
        assert_eq!(a2.git(&["rev-parse", "refs/heads/feat/a2/x"]).ok().out.trim(), head, "{line:?}");
    };
    refused(&["commit", "-q", "--no-verify", "-m", "feat: a"]);
    a2.git(&["reset", "-q", "--hard"]).ok();
    let commit = unseen(&scratch, FOREIGN);
    refused(&["cherry-pick", &commit]);
    a2.git(&["reset", "-q", "--hard"]).ok();
    refused(&["merge", "-q", "--no-verify", &commit]);
    a2.git(&["reset", "-q", "--hard"]).ok();
    refused(&["reset", "-q", "--hard", &commit]);
    a2.git(&["reset", "-q", "--hard"]).ok();
    refused(&["update-ref", "refs/heads/feat/a2/x", &commit]);
    refused(&["branch", "feat/a2/y", &commit]);
    let patch = scratch.home().join("0001-feat-a.patch");
    refused(&["am", "-q", "--no-verify", patch.to_str().unwrap()]);
    a2.git(&["am", "--abort"]);
    a2.git(&["reset", "-q", "--hard"]).ok();
    refused(&["pull", "-q", "--no-verify", "--rebase", scratch.home().join("other").to_str().unwrap()]);
    a2.git(&["rebase", "--abort"]);
    a2.git(&["reset", "-q", "--hard"]).ok();
    a2.git(&["switch", "-q", "feat/a2/x"]).ok();
    assert_eq!(a2.head(), head);
    // A message that commit-msg would have refused.
    a2.commit(OWN, "x\n", "feat: a").ok();
    let head = a2.head();
    let untold = a2.git(&["commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "nonsense"]).ok().out;
    let ran = a2.git(&["reset", "-q", "--soft", untold.trim()]);
    assert!(ran.code != 0 && ran.all().contains("untagged-message"), "{}", ran.all());
    assert_eq!(a2.head(), head);
}

#[test]
fn what_they_would_let_through_moves_it() {
    let (scratch, a2) = guarded();
    a2.commit(OWN, "1\n", "feat: one").ok();
    a2.commit(OWN, "2\n", "feat: two").ok();
    a2.commit(OWN, "3\n", "feat: three").ok();
    let tip = a2.head();
    a2.git(&["commit", "-q", "--amend", "--no-edit"]).ok();
    a2.write(OWN, "4\n");
    let tagged = a2.git(&["log", "-1", "--format=%B"]).ok().out;
    a2.git(&["commit", "-q", "-a", "--no-verify", "-m", tagged.trim()]).ok();
    a2.git(&["reset", "-q", "--hard", "HEAD~2"]).ok();
    a2.git(&["reset", "-q", "--hard", &tip]).ok();
    a2.git(&["branch", "feat/a2/y"]).ok();
    a2.git(&["branch", "-m", "feat/a2/y", "feat/a2/z"]).ok();
    a2.git(&["branch", "-D", "feat/a2/z"]).ok();
    a2.git(&["update-ref", "refs/heads/feat/a2/w", "HEAD~1"]).ok();
    // The base moves on, by somebody else.
    let other = scratch.home().join("other");
    scratch.run(&scratch.home(), "git", &["clone", "-q", "origin.git", "other"]).ok();
    let other = Worktree { root: other, home: scratch.home() };
    other.commit("services/revenue/b.py", "x\n", "feat: b").ok();
    other.git(&["push", "-q", "origin", "HEAD:main"]).ok();
    a2.git(&["fetch", "-q", "origin"]).ok();
    // In the middle of a rebase, and at its end.
    let todo = "sed -i '2s/^pick/edit/'";
    a2.git(&["-c", &format!("sequence.editor={todo}"), "rebase", "-q", "-i", "origin/main"]).ok();
    a2.write("services/rag_pipeline/c.py", "c\n");
    a2.git(&["stash", "-q", "-u"]).ok();
    a2.git(&["stash", "pop", "-q"]).ok();
    a2.git(&["add", "-A"]).ok();
    a2.git(&["rebase", "--continue"]).ok();
    assert_eq!(a2.git(&["symbolic-ref", "--short", "HEAD"]).ok().out.trim(), "feat/a2/x");
    a2.git(&["bisect", "start", "-q", "HEAD", "HEAD~3"]).ok();
    a2.git(&["bisect", "good"]);
    a2.git(&["bisect", "reset"]).ok();
    a2.lane(&["sync"]).ok();
    a2.lane(&["push"]).ok();
    // A branch that is only here, and one that others made.
    a2.git(&["switch", "-q", "-c", "feat/a2/v", "origin/main"]).ok();
    a2.git(&["merge", "-q", "--ff-only", "origin/feat/a2/x"]).ok();
    a2.git(&["fetch", "-q", "origin", "main:copy"]).ok();
    let mine = unseen_own(&scratch);
    a2.git(&["cherry-pick", &mine]).ok();
}

/// A commit that no hook has seen, with which nothing is wrong.
fn unseen_own(scratch: &Scratch) -> String {
    let other = Worktree { root: scratch.home().join("other"), home: scratch.home() };
    other.commit("services/rag_pipeline/new.py", "x\n", "[A2] feat: new").ok();
    scratch.git(&["fetch", "-q", other.root.to_str().unwrap(), "HEAD"]).ok();
    other.head()
}

#[test]
fn maintainers_and_refs_that_are_no_branches_are_let_through() {
    let (scratch, a2) = guarded();
    let main = scratch.main();
    main.lane(&["install"]);
    let commit = unseen(&scratch, FOREIGN);
    main.git(&["switch", "-q", "-c", "fix/x"]).ok();
    main.git(&["cherry-pick", &commit]).ok();
    main.sneak(
        "policy.yaml",
        &format!("{}\n# x\n", std::fs::read_to_string(main.root.join("policy.yaml")).unwrap()),
        "x",
    );
    a2.git(&["tag", "t", &commit]).ok();
    a2.git(&["update-ref", "refs/backup/x", &commit]).ok();
    a2.git(&["switch", "-q", "--detach", &commit]).ok();
    a2.git(&["switch", "-q", "feat/a2/x"]).ok();
    // Nor where git tells what has been, or what it has no locks for yet.
    for state in ["preparing", "committed", "aborted"] {
        a2.lane_stdin(&["hook", "reference-transaction", state], b"what").ok();
    }
    a2.lane_stdin(&["hook", "reference-transaction", "prepared"], b"cut short")
        .fails(2)
        .says("no branch was moved");
}

#[test]
fn a_refusal_after_the_files_were_written_says_the_way_back() {
    let (scratch, a2) = guarded();
    a2.commit(OWN, "1\n", "feat: one").ok();
    // On top of what the branch has: a fast-forward.
    let commit = {
        let tree = unseen(&scratch, FOREIGN);
        let line = ["commit-tree", &format!("{tree}^{{tree}}"), "-p", "HEAD", "-m", "[A2] feat: x"];
        a2.git(&line).ok().out.trim().to_owned()
    };
    let head = a2.head();
    for line in [["merge", "-q", &commit], ["reset", "--merge", &commit]] {
        // Own edits, one of them in the index.
        a2.write("services/rag_pipeline/staged.py", "staged\n");
        a2.git(&["add", "services/rag_pipeline/staged.py"]).ok();
        a2.write("services/rag_pipeline/untracked.py", "untracked\n");
        let ran = a2.git(&line);
        assert!(ran.code != 0 && ran.all().contains("foreign-path"), "{line:?}: {}", ran.all());
        assert!(a2.root.join(FOREIGN).exists(), "{line:?}");
        assert!(
            ran.all().contains("was not moved, but the index differs from it"),
            "{line:?}: {}",
            ran.all()
        );
        assert!(ran.all().contains("git stash push\n"), "{line:?}: {}", ran.all());
        a2.git(&["stash", "push"]).ok();
        assert_eq!(a2.head(), head);
        assert_eq!(a2.git(&["status", "--short"]).ok().out, "?? services/rag_pipeline/untracked.py\n");
        a2.git(&["stash", "show", "--patch"]).ok().says(FOREIGN);
        a2.git(&["stash", "drop", "-q"]).ok();
    }
    // Nothing but the branch would have changed.
    for line in [["reset", "--soft", &commit], ["branch", "feat/a2/y", &commit]] {
        let ran = a2.git(&line);
        assert_ne!(ran.code, 0, "{line:?}");
        assert!(!ran.all().contains("git stash"), "{line:?}: {}", ran.all());
    }
    let own = a2.head();
    a2.write(FOREIGN, "2\n");
    a2.git(&["add", FOREIGN]).ok();
    a2.git(&["update-ref", "-d", "ORIG_HEAD"]).ok();
    let ran = a2.git(&["commit", "-q", "--no-verify", "-m", "feat: x"]);
    assert!(ran.code != 0 && !ran.all().contains("git stash"), "{}", ran.all());
    assert_eq!(a2.head(), own);
    a2.git(&["rm", "-q", "-f", FOREIGN]).ok();
    // What takes several steps has its own way back.
    let ran = a2.git(&["cherry-pick", &commit]);
    assert!(ran.code != 0 && ran.all().contains("git cherry-pick --abort\n"), "{}", ran.all());
    a2.git(&["cherry-pick", "--abort"]).ok();
    assert_eq!(a2.git(&["status", "--short"]).ok().out, "?? services/rag_pipeline/untracked.py\n");
    // A message without a tag, on commits that no branch has.
    let untold = a2.git(&["commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "nonsense"]).ok().out;
    let ran = a2.git(&["reset", "-q", "--soft", untold.trim()]);
    assert!(ran.all().contains("make the commits again, with git's hooks on"), "{}", ran.all());
    assert!(!ran.all().contains("git rebase"), "{}", ran.all());
}

/// Notes each turn of a hook, and what it was given.
#[cfg(unix)]
fn noting(scratch: &Scratch, hook: &std::path::Path) -> impl Fn() -> String + use<> {
    use std::os::unix::fs::PermissionsExt;
    let log = scratch.home().join("turns");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(hook, format!("#!/bin/sh\necho \"$1\" >> '{0}'\ncat >> '{0}'\n", log.display())).unwrap();
    std::fs::set_permissions(hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    move || {
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        let _ = std::fs::remove_file(&log);
        said
    }
}

#[test]
#[cfg(unix)]
fn a_hook_that_was_there_before_has_its_turn_wherever_git_would_find_it() {
    let (scratch, a2) = guarded();
    let name = "reference-transaction";
    let elsewhere = scratch.home().join("my hooks");
    let places = [scratch.root().join(".git/hooks"), elsewhere.clone(), elsewhere.clone(), elsewhere.clone()];
    let value = elsewhere.to_str().unwrap();
    let included = scratch.home().join("included");
    std::fs::write(&included, format!("[core]\n\thooksPath = \"{value}\"\n")).unwrap();
    let condition = format!("includeIf.gitdir:{}/.path", scratch.home().display());
    let settings: [&[&str]; 4] = [
        &[],
        &["config", "core.hooksPath", value],
        &["config", "--global", "core.hooksPath", value],
        &["config", "--global", &condition, included.to_str().unwrap()],
    ];
    for (folder, setting) in places.iter().zip(settings) {
        let turns = noting(&scratch, &folder.join(name));
        if !setting.is_empty() {
            assert!(turns().is_empty());
            a2.git(&["tag", "before"]).ok();
            assert_eq!(turns(), "", "{setting:?}: not told to git yet");
            scratch.git(setting).ok();
        }
        a2.git(&["tag", "t"]).ok();
        let said = turns();
        assert!(said.contains("prepared\n") && said.contains("committed\n"), "{setting:?}: {said}");
        assert!(said.contains(" refs/tags/t\n"), "{setting:?}: {said}");
        a2.git(&["tag", "-d", "t"]).ok();
        if !setting.is_empty() {
            a2.git(&["tag", "-d", "before"]).ok();
            let scope: &[&str] = if setting[1] == "--global" { &["--global"] } else { &[] };
            let key = setting[setting.len() - 2];
            scratch.git(&[&["config"], scope, &["--unset-all", key]].concat()).ok();
        }
        std::fs::remove_file(folder.join(name)).unwrap();
        turns();
    }
    a2.git(&["tag", "t"]).ok();
}
