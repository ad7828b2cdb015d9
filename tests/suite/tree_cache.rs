//! The staged tree of a large index that the hooks of one commit tell each other.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use crate::support::{Scratch, Worktree};

/// A worktree of a2 with its hooks, in a repository whose index is larger than a megabyte, and where the staged tree is noted.
fn large() -> (Scratch, Worktree, PathBuf) {
    let scratch = Scratch::new();
    let blob = scratch.git(&["rev-parse", "HEAD:requirements.txt"]).ok().out;
    let mut entries = String::new();
    for at in 0..8000 {
        writeln!(entries, "100644 {}\tservices/rag_pipeline/{}/{at:05}", blob.trim(), "x".repeat(80))
            .unwrap();
    }
    scratch.main().git_stdin(&["update-index", "--index-info"], entries.as_bytes()).ok();
    scratch.git(&["commit", "-q", "-m", "chore: many"]).ok();
    scratch.git(&["reset", "-q", "--hard"]).ok();
    scratch.add_origin();
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.lane(&["install", "--agent", "a2"]).ok();
    let note = scratch.root().join(".git/lane/staged-tree");
    (scratch, tree, note)
}

/// Runs the hook as git does, which brings TREE up to date before.
fn pre_commit(tree: &Worktree) {
    tree.git(&["write-tree"]).ok();
    tree.lane(&["hook", "pre-commit"]).ok();
}

/// What the hook says of a message without trailers.
fn commit_msg(tree: &Worktree) -> crate::support::Ran {
    tree.write("../message", "[A2] feat: b\n");
    tree.lane(&["hook", "commit-msg", "../message"])
}

#[test]
fn it_is_noted_for_the_hook_of_the_message_and_bound_to_its_index() {
    let (_scratch, tree, note) = large();
    tree.commit("services/rag_pipeline/a.py", "x\n", "feat: a").ok().does_not_say("uncoordinated-path");
    let noted = fs::read_to_string(&note).unwrap();
    let written = tree.git(&["rev-parse", "HEAD^{tree}"]).ok().out;
    assert!(noted.ends_with(&format!(" {written}")), "{noted}");
    // With another index it says nothing.
    tree.write("requirements.txt", "x\n");
    tree.git(&["add", "requirements.txt"]).ok();
    commit_msg(&tree).says("uncoordinated-path");
    assert_eq!(fs::read_to_string(&note).unwrap(), noted, "only pre-commit notes");
    // With its own it is what is gone by: here it says that nothing is staged.
    pre_commit(&tree);
    let own = fs::read_to_string(&note).unwrap();
    assert_ne!(own, noted);
    commit_msg(&tree).says("uncoordinated-path");
    let head = own.rsplit_once(' ').unwrap().0;
    fs::write(&note, format!("{head} {written}")).unwrap();
    commit_msg(&tree).ok().does_not_say("uncoordinated-path");
    // Nothing else goes by it.
    tree.lane(&["check", "--staged"]).ok().says("2 files");
    tree.lane(&["hook", "pre-commit"]).ok();
    assert_eq!(fs::read_to_string(&note).unwrap(), own, "it is noted anew");
    // Where the entries ended is no more than a guess.
    let (index, _) = own.rsplit_once(' ').unwrap().0.rsplit_once(' ').unwrap();
    for guess in ["0", "12", "100000", "99999999999", "18446744073709551615"] {
        fs::write(&note, format!("{index} {guess} {written}")).unwrap();
        tree.lane(&["hook", "pre-commit"]).ok();
        assert_eq!(fs::read_to_string(&note).unwrap(), own, "{guess}");
    }
}

#[test]
fn what_is_no_note_is_passed_over() {
    let (_scratch, tree, note) = large();
    tree.write("requirements.txt", "x\n");
    tree.git(&["add", "requirements.txt"]).ok();
    pre_commit(&tree);
    let whole = fs::read_to_string(&note).unwrap();
    let head = whole.rsplit_once(' ').unwrap().0;
    let missing = "1".repeat(40);
    for other in
        ["", &whole[..whole.len() - 1], &format!("{head} {missing}\n"), &format!("{head} x\n"), "\n\n"]
    {
        fs::write(&note, other).unwrap();
        commit_msg(&tree).says("uncoordinated-path");
    }
    fs::remove_file(&note).unwrap();
    fs::create_dir(&note).unwrap();
    tree.lane(&["hook", "pre-commit"]).ok();
    commit_msg(&tree).says("uncoordinated-path");
}

#[test]
fn a_note_of_an_index_without_a_hash_is_not_gone_by() {
    let (scratch, tree, note) = large();
    scratch.git(&["config", "index.skipHash", "true"]).ok();
    tree.write("requirements.txt", "x\n");
    tree.commit("requirements.txt", "x\n", "feat: a").ok().says("uncoordinated-path");
    let before = tree.git(&["rev-parse", "HEAD^{tree}"]).ok().out;
    tree.write("requirements.txt", "y\n");
    tree.git(&["add", "requirements.txt"]).ok();
    pre_commit(&tree);
    let noted = fs::read_to_string(&note).unwrap();
    if !noted.contains(&"0".repeat(40)) {
        return; // a git that knows nothing of it
    }
    fs::write(&note, format!("{} {before}", noted.rsplit_once(' ').unwrap().0)).unwrap();
    commit_msg(&tree).says("uncoordinated-path");
}

#[test]
fn what_is_quickly_read_is_not_noted_and_uninstall_takes_notes_away() {
    let (scratch, tree) = Scratch::installed();
    tree.commit("services/rag_pipeline/a.py", "x\n", "feat: a").ok();
    assert!(!scratch.root().join(".git/lane/staged-tree").exists());
    let (scratch, tree, note) = large();
    tree.commit("services/rag_pipeline/a.py", "x\n", "feat: a").ok();
    assert!(note.exists());
    tree.lane(&["uninstall", "--all"]).ok();
    assert!(!scratch.root().join(".git/lane").exists());
}
