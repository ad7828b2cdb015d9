//! What hides changes from whoever asks git, and what nobody can decide.

use super::make::{self, Made};
use super::{BAD, GOOD};
use crate::support::{POLICY, Ran, Worktree};

/// Both backends, and what is taken where nobody says.
const BACKENDS: [&str; 3] = ["", "git", "git2"];

fn asked(tree: &Worktree, args: &[&str], backend: &str) -> Ran {
    tree.lane_env(args, &[("LANE_GIT_BACKEND", backend)])
}

#[test]
fn a_replaced_commit_is_seen_as_it_is() {
    let Made { tree, scratch: _scratch } = make::plain().unwrap();
    tree.lane(&["install", "--agent", "a2"]).ok();
    let good = tree.head();
    tree.sneak(BAD, "bad\n", "[A2] bad");
    tree.git(&["replace", &tree.head(), &good]).ok();
    for backend in BACKENDS {
        asked(&tree, &["check"], backend).fails(1).says(BAD);
    }
    tree.git(&["push", "-q", "origin", "HEAD:refs/heads/feat/a2/x"]).fails(1).says(BAD);
}

#[test]
fn a_graft_hides_nothing() {
    let Made { tree, scratch } = make::plain().unwrap();
    tree.lane(&["install", "--agent", "a2"]).ok();
    let base = tree.head();
    tree.sneak(BAD, "bad\n", "[A2] bad");
    tree.commit(GOOD, "good\n", "good");
    // The commit with the foreign file is cut out, and its file made to be the base's.
    let tip = tree.head();
    let bad = tree.git(&["rev-parse", "HEAD^"]).ok().out;
    let (bad, info) = (bad.trim(), scratch.root().join(".git/info"));
    std::fs::create_dir_all(&info).unwrap();
    for graft in
        [format!("{tip} {base}\n"), format!("{base} {bad}\n"), format!("{tip}\n"), format!("{bad}\n")]
    {
        std::fs::write(info.join("grafts"), &graft).unwrap();
        for backend in ["", "git"] {
            asked(&tree, &["check"], backend).fails(1).says(BAD);
        }
        asked(&tree, &["check"], "git2").fails(2).says("info/grafts").says("LANE_GIT_BACKEND");
        tree.git(&["push", "-q", "origin", "HEAD:refs/heads/feat/a2/x"]).fails(1).says(BAD);
    }
}

#[test]
fn a_staged_submodule_is_not_ignored() {
    let Made { tree, scratch: _scratch } = make::plain().unwrap();
    tree.lane(&["install", "--agent", "a2"]).ok();
    tree.git(&["config", "submodule.m.ignore", "all"]).ok();
    tree.git(&["config", "submodule.m.path", "services/revenue/m"]).ok();
    tree.git(&["config", "diff.ignoreSubmodules", "all"]).ok();
    tree.write(
        ".gitmodules",
        "[submodule \"m\"]\n\tpath = services/revenue/m\n\turl = ../m\n\tignore = all\n",
    );
    let entry = format!("160000,{},services/revenue/m", tree.head());
    tree.git(&["update-index", "--add", "--cacheinfo", &entry]).ok();
    for backend in BACKENDS {
        asked(&tree, &["check", "--staged"], backend).fails(1).says("services/revenue/m");
    }
    tree.git(&["commit", "-q", "-m", "x"]).fails(1).says("services/revenue/m");
}

#[test]
fn an_order_of_files_that_is_not_there() {
    let Made { tree, scratch: _scratch } = make::plain().unwrap();
    tree.lane(&["install", "--agent", "a2"]).ok();
    tree.commit(GOOD, "good\n", "good").ok();
    tree.git(&["config", "diff.orderFile", "/nowhere"]).ok();
    for backend in BACKENDS {
        asked(&tree, &["check"], backend).ok();
    }
    tree.git(&["push", "-q", "origin", "HEAD:refs/heads/feat/a2/x"]).ok();
    tree.write(BAD, "bad\n");
    tree.git(&["add", BAD]).ok();
    for backend in BACKENDS {
        asked(&tree, &["check", "--staged"], backend).fails(1).says(BAD);
    }
}

#[test]
fn lines_that_nobody_counts_are_not_none() {
    let Made { tree, scratch } = make::plain().unwrap();
    scratch.main().commit(".gitattributes", "*.bin -diff\n", "attributes").ok();
    scratch.git(&["push", "-q", "origin", "main"]).ok();
    tree.git(&["rebase", "-q", "origin/main"]).ok();
    tree.lane(&["install", "--agent", "a2"]).ok();
    tree.commit("services/rag_pipeline/a.bin", &"line\n".repeat(5000), "a").ok();
    for backend in BACKENDS {
        asked(&tree, &["check", "-v"], backend).says("binary, no lines counted: services/rag_pipeline/a.bin");
    }
}

#[test]
fn what_a_sparse_checkout_leaves_out_is_not_deleted() {
    for maker in [make::sparse_checkout, make::sparse_index] {
        let Made { tree, scratch: _scratch } = maker().unwrap();
        for backend in ["", "git"] {
            asked(&tree, &["check", "--worktree"], backend).ok();
        }
        asked(&tree, &["check", "--worktree"], "git2").fails(2).says("help: ");
    }
}

/// Clones of a remote that went on: what a commit needs was never fetched.
fn gone_on(filter: &str) -> Made {
    let made = if filter == "tree:0" { make::treeless() } else { make::blobless() }.unwrap();
    made.tree.lane(&["install", "--agent", "a2"]).ok();
    let policy = POLICY.replace("max_age: 3h", "max_age: null").replace("max_lines: 300", "max_lines: 299");
    made.scratch.main().commit("policy.yaml", &policy, "another policy").ok();
    made.scratch.git(&["push", "-q", "origin", "main"]).ok();
    made.tree.git(&["fetch", "-q", "origin"]).ok();
    made
}

#[test]
fn what_a_partial_clone_does_not_have_is_not_fetched() {
    for filter in ["blob:none", "tree:0"] {
        let Made { tree, scratch: _scratch } = gone_on(filter);
        let before = tree.git(&["count-objects", "-v"]).ok().out;
        let ran = tree.commit(GOOD, "good\n", "good").fails(1).says("could not decide").says("partial clone");
        // The way out is a command that brings it.
        let mut said = ran.all();
        let mut steps = 0;
        while let Some(oid) = said.lines().find_map(|line| line.trim().strip_prefix("git cat-file -t ")) {
            tree.git(&["cat-file", "-t", oid.trim()]).ok();
            said = tree.git(&["commit", "-q", "-m", "good"]).all();
            steps += 1;
            assert!(steps < 5, "{said}");
        }
        assert_eq!(said, "", "{filter}");
        assert!(steps > 0 && before != tree.git(&["count-objects", "-v"]).ok().out);
        tree.commit(BAD, "bad\n", "bad").fails(1).says("error[foreign-path]");
    }
}

#[test]
fn trees_tell_of_files_whose_contents_are_not_here() {
    let Made { tree, scratch } = make::blobless().unwrap();
    tree.lane(&["install", "--agent", "a2"]).ok();
    tree.commit(GOOD, "good\n", "good").ok();
    // Contents of other lanes that went on are nobody's business here.
    scratch.main().commit(BAD, "by a4\n", "[A4] on").ok();
    scratch.git(&["push", "-q", "origin", "main"]).ok();
    tree.git(&["fetch", "-q", "origin"]).ok();
    let missing = |tree: &Worktree| {
        let ran = tree.git(&["rev-list", "--objects", "--all", "--missing=print"]).ok();
        ran.out.lines().filter(|line| line.starts_with('?')).count()
    };
    let before = missing(&tree);
    assert!(before > 0);
    tree.lane(&["check"]).ok();
    tree.commit(GOOD, "better\n", "better").ok();
    tree.git(&["push", "-q", "origin", "HEAD:refs/heads/feat/a2/x"]).ok();
    assert_eq!(missing(&tree), before, "nothing was fetched");
}

#[test]
fn an_extension_that_git_does_not_know() {
    let Made { tree, scratch: _scratch } = make::plain().unwrap();
    tree.lane(&["install", "--agent", "a2"]).ok();
    tree.git(&["config", "core.repositoryFormatVersion", "1"]).ok();
    tree.git(&["config", "extensions.tomorrow", "true"]).ok();
    for backend in BACKENDS {
        asked(&tree, &["check"], backend).fails(2).says("extension").says("help: ");
    }
}

#[test]
fn a_repository_of_another_user() {
    let made = make::plain().unwrap();
    made.tree.lane(&["install", "--agent", "a2"]).ok();
    if let Err(why) = make::chown(&made) {
        println!("skipped: {why}");
        return;
    }
    for backend in BACKENDS {
        asked(&made.tree, &["check"], backend).fails(2).says("another user").says("safe.directory");
    }
}

#[test]
fn history_that_a_shallow_clone_does_not_have() {
    let Made { tree, scratch } = make::shallow().unwrap();
    tree.lane(&["install", "--agent", "a2"]).ok();
    for name in ["c", "d", "e"] {
        scratch.main().commit(&format!("docs/{name}.md"), "x\n", name).ok();
    }
    scratch.git(&["push", "-q", "origin", "main"]).ok();
    tree.git(&["fetch", "-q", "--depth=1", "origin", "main"]).ok();
    for backend in BACKENDS {
        asked(&tree, &["check"], backend).fails(2).says("shallow").says("git fetch --deepen");
    }
    tree.commit(GOOD, "good\n", "good").fails(1).says("could not decide").says("shallow");
}

#[test]
fn a_worktree_of_a_shallow_clone() {
    let Made { tree, scratch: _scratch } = make::shallow().unwrap();
    let root = tree.root.with_file_name("a1");
    tree.git(&["worktree", "add", "-q", "-b", "feat/a1/x", root.to_str().unwrap(), "origin/main"]).ok();
    let one = Worktree { root, home: tree.home.clone() };
    one.lane(&["install", "--agent", "a1"]).ok();
    one.commit("services/orchestrator/x.py", "good\n", "good").ok();
    one.commit("services/revenue/x.py", "bad\n", "bad").fails(1).says("foreign-path");
    one.git(&["reset", "-q", "--hard"]).ok();
    one.git(&["push", "-q", "origin", "HEAD"]).ok();
    one.lane(&["check", "-v"]).ok().says("repository: read by git");
    asked(&one, &["check"], "git2").fails(2).says("shallow clone").says("unset LANE_GIT_BACKEND");
    one.lane(&["status"]).ok().does_not_say("?");
    one.lane(&["sync"]).ok();
}

#[test]
fn before_the_first_commit() {
    for init in [&[][..], &["--ref-format=reftable"]] {
        let Ok(Made { tree, scratch: _scratch }) = make::unborn(init) else {
            println!("skipped: {init:?}: this git does not know it");
            continue;
        };
        tree.lane(&["install", "--agent", "a2"]).ok();
        for backend in ["", "git"] {
            asked(&tree, &["check", "-v"], backend).ok();
        }
        tree.commit(BAD, "bad\n", "bad").fails(1).says("error[foreign-path]");
        tree.git(&["rm", "-q", "--cached", BAD]).ok();
        tree.commit(GOOD, "good\n", "good").ok();
        tree.lane(&["check"]).ok();
    }
}

#[test]
fn who_reads_is_said_and_can_be_chosen() {
    let Made { tree, scratch } = make::split_index().unwrap();
    asked(&tree, &["check", "-v"], "git").ok().says("repository: read by git\n");
    asked(&tree, &["check", "-v", "--range", "main..HEAD"], "git2").ok().says("repository: read by git2\n");
    asked(&tree, &["check"], "git").ok().does_not_say("repository: read by");
    for args in [&["check"][..], &["status"], &["policy", "check"], &["hook", "pre-commit"]] {
        asked(&tree, args, "gix").fails(2).says("LANE_GIT_BACKEND").says("LANE_GIT_BACKEND=git2");
    }
    let json = asked(&tree, &["check", "--format", "json"], "git").ok().json();
    assert!(json.get("reader").is_none());
    // Without any git, what needs it says so.
    let nowhere = scratch.home().join("empty");
    std::fs::create_dir(&nowhere).unwrap();
    let env = [("PATH", nowhere.to_str().unwrap()), ("LANE_GIT_BACKEND", "git")];
    tree.lane_env(&["check"], &env).fails(2).says("git could not be started").says("PATH");
}

#[test]
fn a_server_of_another_format() {
    for maker in [make::sha256, make::reftable, make::all_at_once] {
        let Ok(Made { tree, scratch }) = maker() else {
            println!("skipped: this git does not know it");
            continue;
        };
        let server = Worktree { root: scratch.home().join("origin.git"), home: scratch.home() };
        server.lane(&["install", "--server"]).ok();
        let objects = || server.git(&["count-objects", "-v"]).ok().out;
        tree.sneak(BAD, "bad\n", "[A2] bad");
        let before = objects();
        let push = ["push", "-q", "origin", "HEAD:refs/heads/feat/a2/x"];
        tree.git(&push).fails(1).says("remote: ").says("foreign-path");
        assert_eq!(objects(), before, "what was refused is not kept");
        tree.git(&["reset", "-q", "--hard", "HEAD^"]).ok();
        tree.commit(GOOD, "good\n", "[A2] good").ok();
        tree.git(&push).ok();
        assert_eq!(server.git(&["rev-parse", "feat/a2/x"]).ok().out.trim(), tree.head());
    }
}

#[test]
fn a_worktree_that_is_gone_with_work_in_it() {
    for maker in [make::plain, make::reftable] {
        let Ok(Made { tree, scratch }) = maker() else {
            println!("skipped: this git does not know it");
            continue;
        };
        let gone = scratch.worktree("wt-a1-mlops", "feat/a1/x");
        gone.git(&["checkout", "-q", "--detach"]).ok();
        gone.sneak("services/orchestrator/main.py", "x\n", "[A1] on no branch");
        std::fs::remove_dir_all(&gone.root).unwrap();
        tree.lane(&["teardown", "a1"]).fails(1).says("on no branch");
    }
}

#[test]
fn no_hook_runs_for_a_question() {
    use std::os::unix::fs::PermissionsExt;
    let Made { tree, scratch } = make::split_index().unwrap();
    let (hooks, told) = (scratch.home().join("hooks"), scratch.home().join("told"));
    std::fs::create_dir(&hooks).unwrap();
    let hook = hooks.join("post-index-change");
    std::fs::write(&hook, format!("#!/bin/sh\ntouch '{}'\n", told.display())).unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    tree.write(GOOD, "good\n");
    tree.git(&["add", GOOD]).ok();
    tree.git(&["config", "core.hooksPath", hooks.to_str().unwrap()]).ok();
    for args in [&["check"][..], &["check", "--staged"], &["check", "--worktree"]] {
        asked(&tree, args, "git").ok();
        assert!(!told.exists(), "{args:?}");
    }
}
