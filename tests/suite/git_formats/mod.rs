//! Every format of repository that git makes: what a commit through the hooks, a push and `git lane check` come
//! to on it. `docs/formats.md` says the same, and is held to it.

mod make;
mod traps;

use std::fmt;

use crate::support::Worktree;
use make::{Made, Maker};

/// What one question came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// What is wrong was refused, what is right went through.
    Right,
    /// Exit code 2, with the way out.
    Undecided,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Right => "right",
            Self::Undecided => "could not decide",
        })
    }
}

const BAD: &str = "services/revenue/main.py";
const GOOD: &str = "services/rag_pipeline/main.py";

/// Commits to a foreign lane, and to the own one.
#[track_caller]
fn commit(tree: &Worktree) -> Outcome {
    let bad = tree.commit(BAD, "bad\n", "bad").fails(1).says("nothing was committed");
    if bad.all().contains("could not decide") {
        assert!(bad.all().contains("help: "), "{}", bad.all());
        return Outcome::Undecided;
    }
    bad.says("error[foreign-path]").says(BAD);
    tree.git(&["reset", "-q", "--hard"]).ok();
    tree.commit(GOOD, "good\n", "good").ok();
    assert_eq!(tree.git(&["log", "-1", "--format=%s"]).out, "[A2] good\n");
    Outcome::Right
}

/// Asks about a branch with a foreign file on it, past the hooks, and about one without.
#[track_caller]
fn check(tree: &Worktree) -> (Outcome, String) {
    let good = tree.lane(&["check", "-v"]);
    if good.code == 2 {
        assert!(good.all().contains("help: "), "{}", good.all());
        return (Outcome::Undecided, String::new());
    }
    let good = good.ok();
    tree.sneak(BAD, "bad\n", "[A2] bad");
    for args in [&["check"][..], &["check", "--range", "origin/main..HEAD", "--agent", "a2"]] {
        tree.lane(args).fails(1).says("error[foreign-path]").says(BAD);
    }
    let reader = good.out.lines().find_map(|line| line.strip_prefix("repository: read by "));
    (Outcome::Right, reader.unwrap_or_default().to_owned())
}

/// Pushes the branch with the foreign file, and the one without.
#[track_caller]
fn push(tree: &Worktree) -> Outcome {
    tree.git(&["push", "-q", "origin", "HEAD:refs/heads/feat/a2/pushed"])
        .fails(1)
        .says("error[foreign-path]")
        .says(BAD);
    tree.git(&["reset", "-q", "--hard", "HEAD^"]).ok();
    tree.git(&["push", "-q", "origin", "HEAD:refs/heads/feat/a2/pushed"]).ok();
    Outcome::Right
}

/// What is not staged is judged the same.
#[track_caller]
fn working_tree(tree: &Worktree) {
    tree.lane(&["check", "--worktree"]).ok();
    tree.write(BAD, "bad\n");
    let before = tree.git(&["count-objects", "-v"]).out;
    tree.lane(&["check", "--worktree"]).fails(1).says(BAD);
    assert_eq!(tree.git(&["count-objects", "-v"]).out, before, "nothing is written");
    tree.git(&["checkout", "-q", "--", BAD]).ok();
}

/// The other commands.
#[track_caller]
fn around(tree: &Worktree) {
    tree.lane(&["lock", "common"]).ok().says("locked `common`");
    tree.lane(&["locks"]).ok().says("a2");
    tree.commit("services/common/main.py", "locked\n", "locked").ok();
    tree.lane(&["unlock", "common"]).ok();
    tree.lane(&["status"]).ok().says("a2");
    tree.lane(&["doctor"]).ok();
    tree.lane(&["uninstall"]).ok();
}

/// No backend lets through what is wrong: it is refused, or nothing can be decided.
#[track_caller]
fn forced(tree: &Worktree) {
    tree.write(BAD, "bad\n");
    tree.git(&["add", "-f", BAD]).ok();
    for backend in ["git", "git2"] {
        for args in [&["check", "--staged"][..], &["check"]] {
            let ran = tree.lane_env(args, &[("LANE_GIT_BACKEND", backend)]);
            match ran.code {
                1 => ran.says("error[foreign-path]"),
                2 => ran.says("help: "),
                code => panic!("{backend}: exit code {code}\n{}", ran.all()),
            };
        }
    }
    tree.git(&["reset", "-q", "--hard"]).ok();
}

/// Makes a repository of one format, tries everything, and holds the table to it.
#[track_caller]
fn try_format(name: &str, maker: Maker) {
    let made = match maker() {
        Ok(made) => made,
        Err(why) => {
            println!("skipped: {name}: {why}");
            return;
        }
    };
    let Made { tree, scratch: _scratch } = &made;
    tree.lane(&["install", "--agent", "a2"]).ok();
    forced(tree);
    let commit = commit(tree);
    working_tree(tree);
    let (check, reader) = check(tree);
    let push = push(tree);
    around(tree);
    let forced = std::env::var("LANE_GIT_BACKEND").unwrap_or_default();
    if forced.is_empty() {
        let row = format!("| {name} | {reader} | {commit} | {push} | {check} |");
        let table = include_str!("../../../docs/formats.md");
        assert!(table.lines().any(|line| line.starts_with(&row)), "docs/formats.md has no line\n{row}");
    }
}

/// One test for each line of the table.
macro_rules! formats {
    ($($test:ident: $name:literal, $maker:expr;)*) => {
        $(#[test]
        fn $test() {
            try_format($name, $maker);
        })*

        #[test]
        fn the_table_has_every_format() {
            let table = include_str!("../../../docs/formats.md");
            for name in [$($name),*] {
                assert!(table.contains(&format!("| {name} |")), "docs/formats.md has no line for {name}");
            }
        }
    };
}

formats! {
    plain: "as `git init` makes it", make::plain;
    sha256: "SHA-256 objects", make::sha256;
    reftable: "reftable", make::reftable;
    ref_storage_files: "`extensions.refStorage=files`", make::ref_storage_files;
    compat_object_format: "`extensions.compatObjectFormat`", make::compat_object_format;
    blobless: "partial clone, `blob:none`", make::blobless;
    treeless: "partial clone, `tree:0`", make::treeless;
    marked_partial: "`extensions.partialClone`", make::marked_partial;
    split_index: "split index", make::split_index;
    sparse_index: "sparse index", make::sparse_index;
    sparse_checkout: "sparse checkout", make::sparse_checkout;
    shallow: "shallow clone", make::shallow;
    alternates: "alternates", make::alternates;
    replace_refs: "replace refs", make::replace_refs;
    grafts: "grafts", make::grafts;
    submodules: "submodules with `ignore=all`", make::submodules;
    within_a_submodule: "inside of a submodule", make::within_a_submodule;
    worktree_config: "`extensions.worktreeConfig`", make::worktree_config;
    relative_worktrees: "relative worktrees", make::relative_worktrees;
    ignore_case: "`core.ignoreCase`", make::ignore_case;
    fsmonitor: "fsmonitor", make::fsmonitor;
    untracked_cache: "untracked cache", make::untracked_cache;
    index_v2: "index version 2", make::index_v2;
    index_v3: "index version 3", make::index_v3;
    index_v4: "index version 4", make::index_v4;
    skip_hash: "`index.skipHash`", make::skip_hash;
    bare: "bare with worktrees", make::bare;
    precious_objects: "`extensions.preciousObjects`", make::precious_objects;
    safe_directory: "another user's, named by `safe.directory`", make::safe_directory;
    order_file: "`diff.orderFile`", make::order_file;
    all_at_once: "SHA-256, reftable, split index together", make::all_at_once;
}
