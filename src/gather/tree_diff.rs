//! Which files two trees differ in. Subtrees with one id are not opened, so the cost follows the
//! change and not the repository.

use std::cmp::Ordering;

use super::repository::{Read, Repository, TreeEntry};
use crate::facts::{FileChange, FileVersion, Oid, RepoPath};

const FOLDER: u32 = 0o040_000;

/// The files that differ, sorted by path. `None` is the empty tree.
///
/// # Errors
/// A tree cannot be read.
pub fn tree_diff(repo: &dyn Repository, old: Option<Oid>, new: Option<Oid>) -> Read<Vec<FileChange>> {
    let mut changes = Vec::new();
    if old != new {
        compare(repo, old, new, &mut Vec::new(), &mut changes)?;
        changes.sort_by(|a, b| a.path.cmp(&b.path));
    }
    Ok(changes)
}

fn entries(repo: &dyn Repository, tree: Option<Oid>) -> Read<Vec<TreeEntry>> {
    let mut entries = match tree {
        Some(oid) => repo.tree(oid)?,
        None => Vec::new(),
    };
    // git sorts folders as if their names ended in a slash; here a name is compared with itself.
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

fn compare(
    repo: &dyn Repository,
    old: Option<Oid>,
    new: Option<Oid>,
    prefix: &mut Vec<u8>,
    changes: &mut Vec<FileChange>,
) -> Read<()> {
    let (old, new) = (entries(repo, old)?, entries(repo, new)?);
    let (mut olds, mut news) = (old.iter().peekable(), new.iter().peekable());
    loop {
        let order = match (olds.peek(), news.peek()) {
            (None, None) => return Ok(()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => old.name.cmp(&new.name),
        };
        let one = if order == Ordering::Greater { None } else { olds.next() };
        let two = if order == Ordering::Less { None } else { news.next() };
        let (Some(name), true) =
            (one.or(two).map(|entry| &entry.name), one.map(|e| e.version) != two.map(|e| e.version))
        else {
            continue;
        };
        let length = prefix.len();
        prefix.extend_from_slice(name);
        let folder =
            |entry: Option<&TreeEntry>| entry.filter(|e| e.version.mode == FOLDER).map(|e| e.version.oid);
        let file = |entry: Option<&TreeEntry>| -> Option<FileVersion> {
            entry.filter(|e| e.version.mode != FOLDER).map(|e| e.version)
        };
        if file(one).is_some() || file(two).is_some() {
            changes.push(FileChange { path: RepoPath(prefix.clone()), old: file(one), new: file(two) });
        }
        if folder(one) != folder(two) {
            prefix.push(b'/');
            compare(repo, folder(one), folder(two), prefix, changes)?;
        }
        prefix.truncate(length);
    }
}

/// What a merge alone brings in: the files that differ from every parent.
///
/// # Errors
/// A tree cannot be read.
pub fn merge_diff(repo: &dyn Repository, parents: &[Option<Oid>], tree: Oid) -> Read<Vec<FileChange>> {
    let mut brought: Option<Vec<FileChange>> = None;
    for parent in parents {
        let changes = tree_diff(repo, *parent, Some(tree))?;
        brought = Some(match brought {
            None => changes,
            Some(mut known) => {
                known.retain(|file| changes.binary_search_by(|other| other.path.cmp(&file.path)).is_ok());
                known
            }
        });
    }
    Ok(brought.unwrap_or_default())
}
