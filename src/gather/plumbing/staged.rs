//! Trees of an index and of the working tree: git-write-tree(1) on a copy of the index, with a folder of
//! objects of its own, so that the repository stays as it is.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Plumbing;
use super::process::{complaint, failed, run};
use crate::facts::{Oid, Unavailable};
use crate::gather::repository::{Read, Repository};

/// The tree that an index would be committed as.
pub(super) fn index_tree(repo: &Plumbing, index: &Path) -> Read<Oid> {
    let copy = copied(repo, index)?;
    let result = write_tree(repo, &copy, index);
    let _ = std::fs::remove_file(&copy);
    result
}

/// The tree of the working tree, all of it staged.
pub(super) fn worktree_tree(repo: &Plumbing) -> Read<Oid> {
    let Some(root) = &repo.layout().worktree else {
        return Err(failed("the working tree", "a bare repository has none"));
    };
    let index = repo.layout().git_dir.join("index");
    let copy = if index.exists() { copied(repo, &index)? } else { place(repo)? };
    let mut command = on_index(repo, &["add", "-A"], &copy);
    command.env("GIT_DIR", &repo.layout().git_dir).env("GIT_WORK_TREE", root);
    let result = run(command, b"")?
        .ok("the working tree")
        .and_then(|_| if copy.exists() { write_tree(repo, &copy, &index) } else { empty_tree(repo) });
    let _ = std::fs::remove_file(&copy);
    result
}

/// A git that takes a file for the index.
fn on_index(repo: &Plumbing, args: &[&str], index: &Path) -> Command {
    let mut command = repo.git.command(args);
    command.env("GIT_INDEX_FILE", index);
    command
}

/// Where a copy goes; nothing is there yet.
fn place(repo: &Plumbing) -> Read<PathBuf> {
    let objects = repo.layout().common_dir.join("objects");
    Ok(repo.git.scratch(&objects)?.path().join("index"))
}

fn copied(repo: &Plumbing, index: &Path) -> Read<PathBuf> {
    let copy = place(repo)?;
    let copying = std::fs::read(index).and_then(|bytes| std::fs::write(&copy, bytes));
    copying.map_err(|error| {
        Unavailable::new(
            format!("the index {} cannot be copied: {error}", index.display()),
            "look at its permissions, and at the room in the folder for temporary files (TMPDIR)",
        )
    })?;
    Ok(copy)
}

/// `index`: the one that `copy` was made of, for messages.
fn write_tree(repo: &Plumbing, copy: &Path, index: &Path) -> Read<Oid> {
    // What a partial clone does not have, the tree does not need.
    let ran = run(on_index(repo, &["write-tree", "--missing-ok"], copy), b"")?;
    if let (Some(0), Some(oid)) = (ran.code, Oid::from_hex(ran.text().trim())) {
        return Ok(oid);
    }
    if ran.err.contains(": unmerged (") {
        return Err(Unavailable::new(
            "the index has unmerged paths",
            "solve the conflicts and `git add` the files; git status lists them",
        ));
    }
    Err(Unavailable::new(
        format!("the index {} cannot be read: {}", index.display(), complaint(&ran.err)),
        "if it is damaged: move the file away and run `git reset` (the working tree stays as it is)",
    ))
}

fn empty_tree(repo: &Plumbing) -> Read<Oid> {
    let out = run(repo.git.command(&["mktree"]), b"")?.ok("the empty tree")?;
    let hex = String::from_utf8_lossy(&out);
    Oid::from_hex(hex.trim()).ok_or_else(|| failed("the empty tree", "git gave no id"))
}
