//! The parsed policy that the hooks of a commit keep for one another.

use std::fs;
use std::path::PathBuf;

use crate::support::{POLICY, Scratch, Worktree};

const LANE_OF_A2: &str = "services/rag_pipeline/a.py";
const LANE_OF_ANOTHER: &str = "services/revenue/a.py";

/// A worktree of a2 with its hooks, a remote, and the file in which the parsed policy is kept.
fn kept() -> (Scratch, Worktree, PathBuf) {
    let (scratch, tree) = Scratch::installed();
    let file = scratch.root().join(".git/lane/parsed-policy");
    assert!(!file.exists());
    tree.commit("notes.md", "x\n", "feat: a").ok();
    assert!(file.exists(), "the first commit keeps it");
    (scratch, tree, file)
}

/// Commits are judged by the policy as it is.
fn assert_judged(tree: &Worktree, text: &str) {
    tree.commit(LANE_OF_ANOTHER, text, "feat: b").fails(1).says("foreign-path");
    tree.git(&["reset", "-q"]).ok();
    tree.commit(LANE_OF_A2, text, "feat: c").ok();
}

#[test]
fn what_is_kept_gives_the_same_verdict() {
    let (_scratch, tree, file) = kept();
    let before = fs::read(&file).unwrap();
    assert_judged(&tree, "y\n");
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn what_does_not_read_back_is_parsed_again() {
    let (_scratch, tree, file) = kept();
    let whole = fs::read(&file).unwrap();
    let mut altered = whole.clone();
    let last = altered.len() - 1;
    altered[last] ^= 1;
    let older = String::from_utf8_lossy(&whole).replacen("git-lane ", "git-lane 0.0.0-", 1);
    for (at, other) in [&whole[..whole.len() / 2], b"", &altered, older.as_bytes()].into_iter().enumerate() {
        fs::write(&file, other).unwrap();
        assert_judged(&tree, &format!("{at}\n"));
        assert_eq!(fs::read(&file).unwrap(), whole, "it is kept anew");
    }
}

/// A policy in which a2 has what another agent had, on main and on the remote.
fn swap(scratch: &Scratch) {
    let swapped = POLICY.replacen("[viral_engine, rag_pipeline", "[viral_engine, revenue", 1);
    let swapped = swapped.replacen("[revenue, event_bus", "[rag_pipeline, event_bus", 1);
    assert_eq!(swapped.len(), POLICY.len());
    scratch.write("policy.yaml", &swapped.replace("max_age: 3h", "max_age: null"));
    scratch.git(&["commit", "-q", "--no-verify", "-am", "[A1] chore: policy"]).ok();
    scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
}

#[test]
fn another_policy_is_another_tree() {
    let (scratch, tree, file) = kept();
    let before = fs::read(&file).unwrap();
    swap(&scratch);
    tree.commit(LANE_OF_A2, "y\n", "feat: b").fails(1).says("foreign-path");
    assert_ne!(fs::read(&file).unwrap(), before);
    tree.git(&["reset", "-q"]).ok();
    tree.commit(LANE_OF_ANOTHER, "y\n", "feat: b").ok();
}

/// Who may write it could take the hooks away as well; what leaves the machine is judged by the text.
#[test]
fn it_serves_commits_alone() {
    let (_scratch, tree, file) = kept();
    let (other, other_tree, forged) = kept();
    swap(&other);
    other_tree.commit(LANE_OF_ANOTHER, "y\n", "feat: b").ok();
    let split = |path: &PathBuf| {
        let bytes = fs::read(path).unwrap();
        let head = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        (bytes[..head].to_vec(), bytes[head..].to_vec())
    };
    fs::write(&file, [split(&file).0, split(&forged).1].concat()).unwrap();
    tree.commit(LANE_OF_ANOTHER, "y\n", "feat: b").ok();
    tree.lane(&["check"]).fails(1).says("foreign-path");
    tree.git(&["push", "-q", "origin", "HEAD"]).fails(1).says("foreign-path");
}

/// What only says where the policy is does not take its place.
#[test]
fn a_policy_on_another_base_is_kept() {
    let (scratch, tree) = Scratch::installed();
    let file = scratch.root().join(".git/lane/parsed-policy");
    let own = POLICY.replace("base: main", "base: develop");
    scratch.git(&["switch", "-q", "-c", "develop"]).ok();
    scratch.write("policy.yaml", &own.replace("max_age: 3h", "max_age: null"));
    scratch.git(&["commit", "-q", "--no-verify", "-am", "[A1] chore: policy"]).ok();
    scratch.git(&["push", "-q", "--no-verify", "origin", "develop"]).ok();
    scratch.git(&["switch", "-q", "main"]).ok();
    scratch.write("policy.yaml", &own);
    scratch.git(&["commit", "-q", "--no-verify", "-am", "[A1] chore: base"]).ok();
    scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    tree.git(&["reset", "-q", "--hard", "origin/develop"]).ok();
    tree.commit("notes.md", "x\n", "feat: a").ok();
    let before = fs::metadata(&file).unwrap().modified().unwrap();
    let bound_to = scratch.git(&["rev-parse", "develop:policy.yaml"]).ok().out;
    assert!(String::from_utf8_lossy(&fs::read(&file).unwrap()).contains(bound_to.trim()));
    assert_judged(&tree, "y\n");
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), before, "it is not written again");
}

#[test]
fn uninstall_takes_it_away() {
    let (scratch, tree, file) = kept();
    tree.lane(&["uninstall", "--all"]).ok();
    assert!(!file.exists() && !scratch.root().join(".git/lane").exists());
}
