//! The staged tree, read out of the index in all states that git leaves one in, beside `git write-tree`.

use std::fs;

use crate::support::{Ran, Scratch};
use lane_git::{Git2Repository, staged_tree};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// What is done to an index, with a number that picks a file.
#[derive(Debug, Clone, Copy)]
enum Step {
    Add(u8),
    Remove(u8),
    Intend(u8),
    Chmod(u8),
    SkipWorktree(u8),
    WriteTree,
    Commit,
    Version(u8),
    Split(bool),
    RecordEnd(bool),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..12_u8).prop_map(Step::Add),
        2 => (0..12_u8).prop_map(Step::Remove),
        1 => (0..12_u8).prop_map(Step::Intend),
        2 => (0..12_u8).prop_map(Step::Chmod),
        1 => (0..12_u8).prop_map(Step::SkipWorktree),
        3 => Just(Step::WriteTree),
        2 => Just(Step::Commit),
        2 => (2..5_u8).prop_map(Step::Version),
        1 => any::<bool>().prop_map(Step::Split),
        1 => any::<bool>().prop_map(Step::RecordEnd),
    ]
}

fn path(number: u8) -> String {
    let folder = ["", "a/", "a/b/", "TREE/"][usize::from(number % 4)];
    format!("{folder}f{number}")
}

fn take(scratch: &Scratch, step: Step, at: usize) {
    // What does not apply (a file that is not there) is refused by git and changes nothing.
    let git = |args: &[&str]| drop(scratch.git(args));
    match step {
        Step::Add(number) => {
            scratch.write(&path(number), &format!("{at}\n"));
            git(&["add", "--", &path(number)]);
        }
        Step::Remove(number) => git(&["rm", "-q", "--cached", "--", &path(number)]),
        Step::Intend(number) => {
            scratch.write(&path(number), "later\n");
            git(&["add", "-N", "--", &path(number)]);
        }
        Step::Chmod(number) => git(&["update-index", "--chmod=+x", "--", &path(number)]),
        Step::SkipWorktree(number) => git(&["update-index", "--skip-worktree", "--", &path(number)]),
        Step::WriteTree => git(&["write-tree"]),
        Step::Commit => git(&["commit", "-q", "-m", "x"]),
        Step::Version(version) => git(&["update-index", "--index-version", &version.to_string()]),
        Step::Split(true) => git(&["update-index", "--split-index"]),
        Step::Split(false) => git(&["update-index", "--no-split-index"]),
        Step::RecordEnd(on) => git(&["config", "index.recordEndOfIndexEntries", &on.to_string()]),
    }
}

/// The tree that git would write of a copy of the index, so that the index itself stays as it is.
fn gits(scratch: &Scratch) -> String {
    let copy = scratch.root().join(".git/index-copy");
    fs::copy(scratch.root().join(".git/index"), &copy).unwrap();
    let ran = scratch.main().command("git").arg("write-tree").env("GIT_INDEX_FILE", &copy).output();
    Ran::from(ran.unwrap()).ok().out.trim().to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 12,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(11),
        ..ProptestConfig::default()
    })]

    #[test]
    fn it_is_what_git_writes_or_cannot_be_read(steps in prop::collection::vec(any_step(), 1..14)) {
        let scratch = Scratch::new();
        let index = scratch.root().join(".git/index");
        let mut is_split = false;
        for (at, step) in steps.iter().enumerate() {
            take(&scratch, *step, at);
            if let Step::Split(on) = step {
                is_split = *on;
            }
            let theirs = gits(&scratch);
            let repo = Git2Repository::open_at(&scratch.root()).unwrap();
            match staged_tree(&repo, &index) {
                Ok(tree) => prop_assert_eq!(tree.unwrap().to_string(), theirs, "{:?} after {}", steps, at),
                // libgit2 reads no split index: then nothing is decided, and not something wrong.
                Err(why) => prop_assert!(is_split, "{} {:?} after {}", why.reason, steps, at),
            }
        }
    }
}

#[test]
fn a_sparse_index_has_the_whole_tree() {
    let scratch = Scratch::new();
    scratch.git(&["sparse-checkout", "set", "--sparse-index", "services/revenue"]).ok();
    scratch.write("services/revenue/new.py", "x\n");
    scratch.git(&["add", "services/revenue/new.py"]).ok();
    let theirs = scratch.git(&["write-tree"]).ok().out.trim().to_owned(); // brings TREE up to date, as a commit does
    let index = fs::read(scratch.root().join(".git/index")).unwrap();
    let has = |bytes: &[u8]| index.windows(bytes.len()).any(|some| some == bytes);
    assert!(has(b"sdir"));
    let repo = Git2Repository::open_at(&scratch.root()).unwrap();
    match staged_tree(&repo, &scratch.root().join(".git/index")) {
        Ok(ours) => assert_eq!(ours.unwrap().to_string(), theirs),
        // Gits before 2.40 leave a sparse index's TREE as it is; then nothing but git reads it.
        Err(why) => assert!(has(b"TREE") && has(b"\0-1 ") && why.reason.contains("sdir"), "{}", why.reason),
    }
}

#[test]
fn where_git_records_the_end_of_the_entries_the_tree_is_found_there() {
    let scratch = Scratch::new();
    scratch.git(&["config", "index.recordEndOfIndexEntries", "true"]).ok();
    scratch.write("new.py", "x\n");
    scratch.git(&["add", "new.py"]).ok();
    let theirs = scratch.git(&["write-tree"]).ok().out.trim().to_owned();
    let index = scratch.root().join(".git/index");
    let mut bytes = fs::read(&index).unwrap();
    assert_eq!(&bytes[bytes.len() - 52..bytes.len() - 48], b"EOIE");
    // Whoever walks the entries finds one that is not merged, and builds another tree or none.
    bytes[12 + 60] |= 0x10;
    fs::write(&index, bytes).unwrap();
    let repo = Git2Repository::open_at(&scratch.root()).unwrap();
    assert_eq!(staged_tree(&repo, &index).unwrap().unwrap().to_string(), theirs);
}
