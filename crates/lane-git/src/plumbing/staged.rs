//! Trees of an index and of the working tree: git-write-tree(1) on a copy of the index, with a folder of
//! objects of its own, so that the repository stays as it is.

use std::path::{Path, PathBuf};
use std::process::Command;

use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::Plumbing;
use super::process::{command_error, first_error, run};
use crate::repository::{Read, Repository};
use lane_core::facts::{Oid, Unavailable};

/// The tree that an index would be committed as.
pub(super) fn index_tree(repo: &Plumbing, index: &Path) -> Read<Oid> {
    let copy = copy_index(repo, index)?;
    let result = write_tree(repo, &copy, index);
    let _ = std::fs::remove_file(&copy);
    result
}

/// The tree of the working tree, all of it staged.
pub(super) fn worktree_tree(repo: &Plumbing) -> Read<Oid> {
    let Some(root) = &repo.layout().worktree else {
        return Err(command_error("the working tree", "a bare repository has none"));
    };
    let index = repo.layout().git_dir.join("index");
    let copy = if index.exists() { copy_index(repo, &index)? } else { copy_path(repo)? };
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
fn copy_path(repo: &Plumbing) -> Read<PathBuf> {
    let objects = repo.layout().common_dir.join("objects");
    Ok(repo.git.scratch(&objects)?.path().join("index"))
}

fn copy_index(repo: &Plumbing, index: &Path) -> Read<PathBuf> {
    let copy = copy_path(repo)?;
    let cannot = |error: std::io::Error| {
        Unavailable::new(
            format!("the index {} cannot be copied: {error}", index.display()),
            "check its permissions, and free space in the temporary folder (TMPDIR)",
        )
    };
    let bytes = std::fs::read(index).map_err(cannot)?;
    if !is_whole(&bytes, repo.objects.hash_len()) {
        return Err(unreadable(index, "its checksum does not match"));
    }
    std::fs::write(&copy, bytes).map_err(cannot)?;
    Ok(copy)
}

/// `index`: the one that `copy` was made of, for messages.
fn write_tree(repo: &Plumbing, copy: &Path, index: &Path) -> Read<Oid> {
    // What a partial clone does not have, the tree does not need.
    let ran = run(on_index(repo, &["write-tree", "--missing-ok"], copy), b"")?;
    if let (Some(0), Some(oid)) = (ran.code, Oid::from_hex(ran.text().trim())) {
        return Ok(oid);
    }
    if ran.stderr.contains(": unmerged (") {
        return Err(Unavailable::new(
            "the index has unmerged paths",
            "resolve the conflicts and `git add` the files (see `git status`)",
        ));
    }
    Err(unreadable(index, &first_error(&ran.stderr)))
}

fn unreadable(index: &Path, why: &str) -> Unavailable {
    Unavailable::new(
        format!("the index {} cannot be read: {why}", index.display()),
        "if it is damaged, move the file away and run `git reset` (the working tree is kept)",
    )
}

/// Whether an index ends in the hash of all before, which git itself does not look at when it commits; or in
/// zeros, where `index.skipHash` left it out. gitformat-index(5).
fn is_whole(bytes: &[u8], hash_len: usize) -> bool {
    let Some(at) = bytes.len().checked_sub(hash_len) else {
        return false;
    };
    let (body, checksum) = bytes.split_at(at);
    checksum.iter().all(|byte| *byte == 0)
        || match hash_len {
            20 => Sha1::digest(body)[..] == *checksum,
            _ => Sha256::digest(body)[..] == *checksum,
        }
}

fn empty_tree(repo: &Plumbing) -> Read<Oid> {
    let out = run(repo.git.command(&["mktree"]), b"")?.ok("the empty tree")?;
    let hex = String::from_utf8_lossy(&out);
    Oid::from_hex(hex.trim()).ok_or_else(|| command_error("the empty tree", "git returned no object id"))
}
