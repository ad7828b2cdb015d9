//! `git lane teardown`: nothing is lost.
#![cfg(unix)]

use crate::support::locks::follow;
use crate::support::setup::{Bare, policy};
use crate::support::{Worktree, stable};

fn bare() -> (Bare, Worktree) {
    let bare = Bare::new(&policy(
        2,
        "  - { name: cache, run: \"mkdir -p .cache.local && touch .cache.local/x\" }\n",
    ));
    bare.lane(&["setup"]).ok();
    let tree = bare.tree("a1");
    (bare, tree)
}

/// It is refused for this, and nothing is touched; then it is undone.
fn refused(bare: &Bare, tree: &Worktree, words: &[&str]) {
    let before = bare.everything();
    let mut ran = bare.lane(&["teardown", "a1", "--delete-branch"]).fails(1).says("the worktree of a1");
    for word in words {
        ran = ran.says(word);
    }
    let after = bare.everything();
    let git_reads =
        |path: &std::path::Path| path.ends_with("index") || path.to_string_lossy().contains("lane/");
    // libgit2 gives an object that it would write a new date, and leaves it.
    let is_same = |path: &std::path::Path| match path.to_string_lossy().contains("/objects/") {
        true => after.get(path).map(|now| &now.2) == before.get(path).map(|then| &then.2),
        false => after.get(path) == before.get(path),
    };
    let changed: Vec<_> = before.keys().filter(|path| !git_reads(path) && !is_same(path)).collect();
    assert!(changed.is_empty(), "{changed:?}");
    assert!(tree.root.is_dir());
}

#[test]
fn it_goes_when_nothing_is_lost_and_comes_back() {
    let (bare, tree) = bare();
    tree.lane(&["teardown", "a1"]).fails(2).says("the current folder is in");
    bare.lane(&["teardown", "a1"]).ok().says("removed the worktree").says("the branch feat/a1/main");
    assert!(!tree.root.exists());
    bare.at.git(&["rev-parse", "-q", "--verify", "feat/a1/main"]).ok();
    bare.assert_works("a2");
    bare.lane(&["setup", "a1"]).ok().says("ran cache");
    bare.assert_works("a1");
    bare.lane(&["teardown", "a1", "--delete-branch"]).ok().says("deleted the branch feat/a1/main");
    bare.at.git(&["rev-parse", "-q", "--verify", "feat/a1/main"]).fails(1);
    bare.lane(&["teardown", "a1"]).ok().says("no worktree");
    bare.lane(&["teardown", "a9"]).fails(2).says("unknown agent");
}

#[test]
fn a_removal_that_was_killed_goes_on() {
    let (bare, tree) = bare();
    let (root, entry) = (&tree.root, bare.at.root.join("worktrees/wt-a1"));
    let notes = bare.at.root.join("lane/setup/a1.json");
    let killed = || {
        let mut state: serde_json::Value = serde_json::from_slice(&std::fs::read(&notes).unwrap()).unwrap();
        state["removing"] = serde_json::json!({ "root": root, "git_dir": entry });
        std::fs::write(&notes, state.to_string()).unwrap();
    };
    // Some files were deleted by then, in no certain order; what came since is somebody's.
    killed();
    for name in ["requirements.txt", ".git", "AGENT_FOCUS.md"] {
        std::fs::remove_file(root.join(name)).unwrap();
    }
    tree.write("mine.txt", "mine\n");
    bare.lane(&["teardown", "a1"]).fails(1).says("not in git: mine.txt").does_not_say("requirements.txt");
    std::fs::remove_file(root.join("mine.txt")).unwrap();
    bare.lane(&["teardown", "a1"]).ok().says("removed the worktree");
    assert!(!root.exists() && !entry.exists());
    // One could not be deleted, and git goes on to its own folder.
    bare.lane(&["setup", "a1"]).ok();
    killed();
    std::fs::remove_dir_all(&entry).unwrap();
    let ran = bare.lane(&["teardown", "a1"]).fails(2).says("but files are left in it");
    follow(&bare.at, &ran, "then remove the folder: ").ok();
    bare.lane(&["teardown", "a1"]).ok().says("no worktree at");
    bare.lane(&["setup", "a1"]).ok();
    bare.assert_works("a1");
}

#[test]
fn uncommitted_untracked_and_local_files() {
    let (bare, tree) = bare();
    tree.write("requirements.txt", "changed\n");
    tree.write("new.txt", "new\n");
    tree.write("notes.local", "mine\n");
    tree.write("AGENT_FOCUS.md", "mine\n");
    let words = ["not committed: requirements.txt", "not in git: new.txt", "AGENT_FOCUS.md, notes.local"];
    refused(&bare, &tree, &words);
    let said = bare.lane(&["teardown", "a1"]).fails(1).err;
    insta::assert_snapshot!(stable(&said, &bare.scratch));
    tree.git(&["checkout", "-q", "."]).ok();
    for name in ["new.txt", "notes.local", "AGENT_FOCUS.md"] {
        std::fs::remove_file(tree.root.join(name)).unwrap();
    }
    let json = bare.lane(&["teardown", "a1", "--format", "json"]).ok().json();
    assert_eq!(json["state"], "done");
}

#[test]
fn what_lies_in_ignored_folders() {
    let (bare, tree) = bare();
    std::fs::write(bare.at.root.join("info/exclude"), "*.ign\n*.local\n.agent.env\nAGENT_FOCUS.md\n")
        .unwrap();
    let folder = tree.root.join("x.ign");
    std::fs::create_dir(&folder).unwrap();
    tree.git(&["init", "-q", "x.ign/nested"]).ok();
    refused(&bare, &tree, &["x.ign/nested/ (a separate repository or worktree)"]);
    std::fs::remove_dir_all(folder.join("nested")).unwrap();
    tree.git(&["worktree", "add", "-q", "-b", "feat/a2/x", "x.ign/tree"]).ok();
    refused(&bare, &tree, &["x.ign/tree/ (a separate repository or worktree)"]);
    tree.git(&["worktree", "remove", "x.ign/tree"]).ok();
    std::thread::sleep(std::time::Duration::from_millis(20));
    std::fs::write(folder.join("key.local"), "mine\n").unwrap();
    refused(&bare, &tree, &["x.ign/key.local"]);
    std::fs::remove_file(folder.join("key.local")).unwrap();
    std::fs::write(folder.join("cache"), "anybody's\n").unwrap();
    bare.lane(&["teardown", "a1"]).ok();
}

#[test]
fn a_worktree_that_was_moved_is_not_forgotten_with_work_in_it() {
    let (bare, tree) = bare();
    let moved = bare.at.home.join("moved");
    tree.git(&["switch", "-q", "--detach"]).ok();
    tree.sneak("services/one/x.py", "x\n", "[A1] feat: x");
    std::fs::rename(&tree.root, &moved).unwrap();
    let ran = bare.lane(&["teardown", "a1"]).fails(1).says("its folder is missing, and commits up to");
    ran.says("git worktree repair NEW_PLACE");
    bare.lane(&["setup", "a1"]).fails(1).says("was moved to").says("worktree repair");
    std::fs::create_dir(bare.at.home.join("further")).unwrap();
    std::fs::rename(&moved, bare.at.home.join("further/moved")).unwrap();
    bare.lane(&["setup", "a1"]).fails(1).says("its folder is missing, and commits up to");
    std::fs::rename(bare.at.home.join("further/moved"), &moved).unwrap();
    bare.at.git(&["worktree", "repair", moved.to_str().unwrap()]).ok();
    std::fs::rename(&moved, &tree.root).unwrap();
    bare.at.git(&["worktree", "repair", tree.root.to_str().unwrap()]).ok();
    tree.git(&["switch", "-q", "feat/a1/main"]).ok();
    std::fs::rename(&tree.root, &moved).unwrap();
    bare.lane(&["teardown", "a1"]).ok();
}

#[test]
fn branches_of_others_stay() {
    let (bare, tree) = bare();
    let other = bare.tree("a2");
    tree.git(&["switch", "-q", "--detach"]).ok();
    other.git(&["switch", "-q", "feat/a1/main"]).ok();
    bare.lane(&["teardown", "a1", "--delete-branch"]).ok().says("is on it");
    other.git(&["log", "-1"]).ok();
    other.git(&["switch", "-q", "feat/a2/main"]).ok();
    bare.lane(&["setup", "a1"]).ok();
    tree.git(&["switch", "-q", "-c", "feat/a2/idea"]).ok();
    bare.lane(&["teardown", "a1", "--delete-branch"]).ok().says("it is not one of a1");
    bare.at.git(&["rev-parse", "-q", "--verify", "feat/a2/idea"]).ok();
}

#[test]
fn staged_and_unpushed_work() {
    let (bare, tree) = bare();
    tree.write("services/s1/x", "x\n");
    tree.git(&["add", "-A"]).ok();
    refused(&bare, &tree, &["not committed: services/s1/x"]);
    tree.git(&["commit", "-q", "-m", "feat: x"]).ok();
    refused(&bare, &tree, &["not pushed: ", "feat: x", "lane push"]);
    tree.git(&["checkout", "-q", "--detach"]).ok();
    refused(&bare, &tree, &["HEAD is detached; create a branch"]);
    tree.git(&["checkout", "-q", "feat/a1/main"]).ok();
    // Pushed, but not merged: the worktree may go, the branch stays.
    let tip = tree.head();
    bare.at.git(&["update-ref", "refs/remotes/origin/feat/a1/main", &tip]).ok();
    bare.lane(&["teardown", "a1", "--delete-branch"]).ok().says("removed").says("not merged");
    assert_eq!(bare.at.git(&["rev-parse", "feat/a1/main"]).ok().out.trim(), tip);
}

#[test]
fn edits_that_git_was_told_not_to_look_at() {
    let (bare, tree) = bare();
    tree.git(&["config", "status.showUntrackedFiles", "no"]).ok();
    std::os::unix::fs::symlink("1.txt", tree.root.join("data/link")).unwrap();
    tree.git(&["add", "-A"]).ok();
    tree.git(&["-c", "core.hooksPath=/dev/null", "commit", "-q", "-m", "a link"]).ok();
    tree.git(&["update-ref", "refs/heads/main", "HEAD"]).ok();
    for (flag, undo, path) in [
        ("--assume-unchanged", "--no-assume-unchanged", "data/1.txt"),
        ("--skip-worktree", "--no-skip-worktree", "data/2.txt"),
        ("--skip-worktree", "--no-skip-worktree", "data/link"),
    ] {
        tree.git(&["update-index", flag, path]).ok();
        std::fs::remove_file(tree.root.join(path)).unwrap();
        std::fs::write(tree.root.join(path), "mine\n").unwrap();
        assert_eq!(tree.git(&["status", "--porcelain"]).ok().out, "");
        refused(&bare, &tree, &["hidden from git status", path, "update-index --no-assume-unchanged"]);
        for command in crate::advice::commands(&bare.lane(&["teardown", "a1"]).all()) {
            crate::advice::sh(&bare.at, &command).ok();
        }
        assert_eq!(tree.git(&["ls-files", "-v", path]).out, format!("H {path}\n"), "{undo}");
        tree.git(&["checkout", "-q", "--", path]).ok();
        tree.git(&["update-index", flag, path]).ok();
    }
    // Absent, as in a sparse checkout: nothing is lost.
    std::fs::remove_file(tree.root.join("data/2.txt")).unwrap();
    bare.lane(&["teardown", "a1"]).ok();
}

#[test]
fn commits_that_only_the_worktree_remembers() {
    let (bare, tree) = bare();
    let commit = |subject: &str| {
        tree.git(&["-c", "core.hooksPath=/dev/null", "commit", "-q", "--allow-empty", "-m", subject]).ok();
        tree.git(&["rev-parse", "HEAD"]).ok().out.trim().to_owned()
    };
    // What a branch was reset from stands in the branch's own reflog, and that stays.
    commit("on the branch");
    tree.git(&["reset", "-q", "--hard", "HEAD~1"]).ok();
    tree.git(&["checkout", "-q", "--detach"]).ok();
    let lost = commit("on no branch");
    tree.git(&["checkout", "-q", "feat/a1/main"]).ok();
    refused(&bare, &tree, &["on no branch, and known only to this worktree:", "on no branch", &lost[..7]]);
    tree.git(&["branch", "kept", &lost]).ok();
    let own = commit("by a ref of the worktree's own");
    tree.git(&["reset", "-q", "--hard", "HEAD~1"]).ok();
    tree.git(&["update-ref", "refs/worktree/mine", &own]).ok();
    bare.at.git(&["reflog", "expire", "--expire=now", "feat/a1/main"]).ok();
    refused(&bare, &tree, &["by a ref of the worktree's own"]);
    tree.git(&["update-ref", "-d", "refs/worktree/mine"]).ok();
    tree.git(&["reflog", "expire", "--expire=now", "HEAD"]).ok();
    bare.lane(&["teardown", "a1"]).ok();
    bare.at.git(&["cat-file", "-e", &lost]).ok();
}

#[test]
fn after_an_amend_and_a_rebase_it_goes() {
    let (bare, tree) = bare();
    let plain = ["-c", "core.hooksPath=/dev/null"];
    let git = |args: &[&str]| tree.git(&[&plain[..], args].concat()).ok();
    git(&["commit", "-q", "--allow-empty", "-m", "one"]);
    git(&["commit", "-q", "--allow-empty", "--amend", "-m", "one, better"]);
    git(&["commit", "-q", "--allow-empty", "-m", "fixup! one, better"]);
    git(&["-c", "sequence.editor=:", "rebase", "-q", "-i", "--autosquash", "HEAD~2"]);
    git(&["reset", "-q", "--hard", "main"]);
    bare.lane(&["teardown", "a1"]).ok();
}

#[test]
fn what_steps_made_is_told_from_what_somebody_put_there() {
    let steps = "  - { name: cache, run: \"mkdir -p .cache.local; echo made >.cache.local/x.local; echo m >stamp.local\" }\n";
    let bare = Bare::new(&policy(1, steps));
    bare.scratch.write("x", "");
    std::fs::write(bare.at.root.join("info/exclude"), "/.cache.local/\n/data2/\n").unwrap();
    bare.lane(&["setup"]).ok();
    let tree = bare.tree("a1");
    tree.write(".cache.local/notes.local", "mine\n");
    refused(&bare, &tree, &[".cache.local/notes.local"]);
    // Older than any step, and the notes of steps are written anew.
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(200_000);
    std::fs::File::open(tree.root.join(".cache.local/notes.local")).unwrap().set_modified(old).unwrap();
    refused(&bare, &tree, &[".cache.local/notes.local"]);
    std::fs::remove_file(tree.root.join(".cache.local/notes.local")).unwrap();
    // What a step made, and somebody changed.
    tree.write(".cache.local/x.local", "mine\n");
    refused(&bare, &tree, &[".cache.local/x.local"]);
    tree.write(".cache.local/x.local", "made\n");
    // Repositories in environments.
    for environment in ["data2/venv", "data2/node_modules"] {
        let inside = format!("{environment}/src/x");
        tree.write(&format!("{inside}/y"), "y");
        tree.write("data2/venv/pyvenv.cfg", "");
        tree.git(&["init", "-q", &inside]).ok();
        refused(&bare, &tree, &[&format!("{inside}/ (a separate repository")]);
        std::fs::remove_dir_all(tree.root.join("data2")).unwrap();
    }
    bare.lane(&["teardown", "a1"]).ok();
}

#[test]
fn a_submodule_a_link_and_a_worktree_that_is_elsewhere() {
    let (bare, tree) = bare();
    let home = bare.scratch.home();
    let plain = ["-c", "core.hooksPath=/dev/null", "-c", "protocol.file.allow=always"];
    let source = home.join("repo").display().to_string();
    tree.git(&[&plain[..], &["submodule", "-q", "add", &source, "sub"]].concat()).ok();
    tree.git(&[&plain[..], &["commit", "-q", "-m", "a submodule"]].concat()).ok();
    tree.git(&["update-ref", "refs/heads/main", "HEAD"]).ok();
    refused(&bare, &tree, &["submodules with their own repositories: sub", "git worktree remove --force"]);
    tree.git(&["reset", "-q", "--hard", "HEAD~1"]).ok();
    std::fs::remove_dir_all(tree.root.join("sub")).unwrap();
    std::fs::remove_dir_all(bare.at.root.join("worktrees/wt-a1/modules")).unwrap();
    // A link: git would empty the folder, and stop there.
    let real = home.join("real");
    std::fs::rename(&tree.root, &real).unwrap();
    std::os::unix::fs::symlink(&real, &tree.root).unwrap();
    bare.lane(&["teardown", "a1"]).fails(2).says("is a link to").says("git worktree repair");
    assert!(real.join("policy.yaml").is_file());
    std::fs::remove_file(&tree.root).unwrap();
    std::fs::rename(&real, &tree.root).unwrap();
    bare.at
        .git(&["worktree", "move", tree.root.to_str().unwrap(), home.join("there").to_str().unwrap()])
        .ok();
    bare.lane(&["teardown", "a1"]).fails(2).says("a1 works in").says("git worktree move");
    bare.at
        .git(&["worktree", "move", home.join("there").to_str().unwrap(), tree.root.to_str().unwrap()])
        .ok();
    // Without its `.git` nobody can tell.
    std::fs::remove_file(tree.root.join(".git")).unwrap();
    bare.lane(&["teardown", "a1"])
        .fails(1)
        .says("its `.git` file is missing, so its changes cannot be listed")
        .says("worktree repair");
    bare.lane(&["setup", "a1"])
        .fails(1)
        .says("has no `.git` file, so git cannot use it")
        .says("worktree repair");
    bare.at.git(&["worktree", "repair"]).ok();
    bare.lane(&["teardown", "a1"]).ok();
}

#[test]
fn what_was_squashed_on_the_base_is_there() {
    let (bare, tree) = bare();
    let git = |args: &[&str]| tree.git(&[&["-c", "core.hooksPath=/dev/null"], args].concat()).ok();
    tree.write("new.txt", "new\n");
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "one"]);
    git(&["commit", "-q", "--allow-empty", "-m", "two"]);
    refused(&bare, &tree, &["not pushed"]);
    let squashed = git(&["commit-tree", "-p", "main", "-m", "squashed", "HEAD^{tree}"]).out;
    git(&["update-ref", "refs/heads/main", squashed.trim()]);
    bare.lane(&["teardown", "a1", "--delete-branch"]).ok().says("is not merged into main");
    bare.at.git(&["rev-parse", "-q", "--verify", "feat/a1/main"]).ok();
}

#[test]
#[cfg(target_os = "linux")]
fn somebody_works_there() {
    let (bare, tree) = bare();
    let mut at_work = tree.command("sleep").arg("600").current_dir(tree.root.join("data")).spawn().unwrap();
    refused(&bare, &tree, &["running there: sleep", &at_work.id().to_string()]);
    at_work.kill().unwrap();
    at_work.wait().unwrap();
    bare.lane(&["teardown", "a1"]).ok();
}

#[test]
fn a_rebase_under_way_and_a_lock() {
    let (bare, tree) = bare();
    bare.lane(&["lock", "common", "--agent", "a1"]).ok();
    refused(&bare, &tree, &["a1 holds the lock `common`", "git lane unlock common --agent a1"]);
    bare.lane(&["unlock", "common", "--agent", "a1"]).ok();
    bare.lane(&["lock", "common", "--agent", "a2"]).ok();
    tree.sneak("requirements.txt", "one\n", "one");
    let one = tree.head();
    tree.git(&["reset", "-q", "--hard", "HEAD~1"]).ok();
    tree.sneak("requirements.txt", "two\n", "two");
    tree.git(&["rebase", "-q", &one]).fails(1);
    refused(&bare, &tree, &["a rebase is in progress", "rebase --continue"]);
    tree.git(&["rebase", "--abort"]).ok();
    tree.git(&["reset", "-q", "--hard", "main"]).ok();
    bare.at.git(&["worktree", "lock", "--reason", "on a stick", tree.root.to_str().unwrap()]).ok();
    refused(&bare, &tree, &["locked (on a stick)", "git worktree unlock"]);
    bare.at.git(&["worktree", "unlock", tree.root.to_str().unwrap()]).ok();
    bare.lane(&["teardown", "a1"]).ok();
    bare.lane(&["locks"]).ok().says("a2");
}

#[test]
fn a_schema_is_asked_for_twice() {
    let (bare, tree) = bare();
    bare.lane(&["teardown", "a1", "--drop-schema"]).fails(2).says("DATABASE_URL is not set");
    let env = [("DATABASE_URL", "postgresql://127.0.0.1:1/none")];
    let ran = bare.at.lane_env(&["teardown", "a1", "--drop-schema"], &env).fails(2);
    ran.says("this deletes everything in the schema agent_a1").says("--yes-drop agent_a1");
    bare.at
        .lane_env(&["teardown", "a1", "--drop-schema", "--yes-drop", "agent_a2"], &env)
        .fails(2)
        .says(": nothing was changed");
    assert!(tree.root.is_dir());
    bare.lane(&["teardown", "a1", "--yes-drop", "agent_a1"]).fails(2);
}
