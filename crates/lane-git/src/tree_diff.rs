//! Which files two trees differ in. Subtrees with one id are not opened, so the cost follows the
//! change and not the repository.

use std::cmp::Ordering;

use super::raw_tree::RawTree;
use super::repository::{Read, Repository};
use lane_core::facts::{FileChange, Oid, RepoPath};

/// The files that differ, sorted by path. `None` is the empty tree.
///
/// # Errors
/// A tree cannot be read, or more differs than is read for one verdict.
pub fn tree_diff(repo: &dyn Repository, old: Option<Oid>, new: Option<Oid>) -> Read<Vec<FileChange>> {
    let mut changes = Vec::new();
    repo.budget().compare();
    if old != new {
        compare(repo, old, new, 0, &mut Vec::new(), &mut changes)?;
        changes.sort_by(|a, b| a.path.cmp(&b.path));
    }
    Ok(changes)
}

fn read(repo: &dyn Repository, tree: Option<Oid>) -> Read<RawTree> {
    tree.map_or_else(|| Ok(RawTree::empty()), |oid| repo.raw_tree(oid))
}

fn compare(
    repo: &dyn Repository,
    old: Option<Oid>,
    new: Option<Oid>,
    depth: usize,
    prefix: &mut Vec<u8>,
    changes: &mut Vec<FileChange>,
) -> Read<()> {
    repo.budget().tree(repo, depth)?;
    let (old, new) = (read(repo, old)?, read(repo, new)?);
    let (mut olds, mut news) = (old.entries(), new.entries());
    loop {
        olds.skip_same(&mut news);
        let (ahead, other) = (olds.clone().next(), news.clone().next());
        let order = match (&ahead, &other) {
            (None, None) => return Ok(()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => old.order(new),
        };
        let one = if order == Ordering::Greater { None } else { olds.next() };
        let two = if order == Ordering::Less { None } else { news.next() };
        // A file in the place of a folder, or the other way about, stands elsewhere in the tree: both are seen alone.
        let (Some(name), true) =
            (one.or(two).map(|entry| entry.name), one.map(|e| e.version) != two.map(|e| e.version))
        else {
            continue;
        };
        let length = prefix.len();
        prefix.extend_from_slice(name);
        let is_folder = one.or(two).is_some_and(|entry| entry.is_folder());
        let (one, two) = (one.map(|e| e.version), two.map(|e| e.version));
        if is_folder {
            prefix.push(b'/');
            compare(repo, one.map(|e| e.oid), two.map(|e| e.oid), depth + 1, prefix, changes)?;
        } else {
            repo.budget().file(repo, prefix)?;
            changes.push(FileChange { path: RepoPath(prefix.clone()), old: one, new: two });
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
