//! The worktrees of a repository, read from its git folder.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::repository::{Head, Layout, Read, Repository};
use lane_core::facts::{Oid, Unavailable};
use lane_os::path_of;

/// One worktree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worktree {
    /// Its root.
    pub root: PathBuf,
    /// Its git folder.
    pub git_dir: PathBuf,
}

/// All worktrees whose folder is there, the main one first.
///
/// # Errors
/// The list cannot be read.
pub fn worktrees(layout: &Layout) -> Read<Vec<Worktree>> {
    let mut found = registered(layout)?;
    found.retain(|tree| tree.git_dir == layout.common_dir || tree.root.is_dir());
    Ok(found)
}

/// All worktrees that git knows of, the main one first; the folder of a linked one may be gone.
///
/// # Errors
/// The list cannot be read.
pub fn registered(layout: &Layout) -> Read<Vec<Worktree>> {
    let mut found: Vec<Worktree> = main_of(layout).into_iter().collect();
    let list = layout.common_dir.join("worktrees");
    let entries = match fs::read_dir(&list) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(unreadable(&list, &error)),
    };
    let temporary = temporary(layout);
    let mut linked = Vec::new();
    for entry in entries {
        let git_dir = entry.map_err(|error| unreadable(&list, &error))?.path();
        // Nobody works in those.
        linked.extend(linked_of(git_dir).filter(|tree| !tree.root.starts_with(&temporary)));
    }
    linked.sort_by(|a, b| a.root.cmp(&b.root));
    found.extend(linked);
    Ok(found)
}

/// Where git-lane makes worktrees for itself, which it removes again.
pub fn temporary(layout: &Layout) -> PathBuf {
    let common_dir = fs::canonicalize(&layout.common_dir).unwrap_or_else(|_| layout.common_dir.clone());
    common_dir.join("lane/land")
}

/// The main worktree, if there is one.
pub fn main_of(layout: &Layout) -> Option<Worktree> {
    let is_main = layout.git_dir == layout.common_dir;
    let root = match &layout.worktree {
        Some(root) if is_main => root.clone(),
        _ if layout.common_dir.ends_with(".git") => layout.common_dir.parent()?.to_owned(),
        _ => return None,
    };
    Some(Worktree { root, git_dir: layout.common_dir.clone() })
}

/// The linked worktree that has this git folder. One that is being added or removed is none for a moment.
pub fn linked_of(git_dir: PathBuf) -> Option<Worktree> {
    let pointer = fs::read(git_dir.join("gitdir")).ok()?;
    let root = git_dir.join(path_of(pointer.trim_ascii_end())).parent()?.to_owned();
    let root = fs::canonicalize(&root).unwrap_or(root);
    Some(Worktree { root, git_dir })
}

/// What git writes into HEAD where refs lie elsewhere: gitrepository-layout(5), `reftable`.
const ELSEWHERE: &str = "refs/heads/.invalid";

/// Where HEAD of a worktree points, whose folder may be gone. `git_dir`: its git folder.
///
/// # Errors
/// Its HEAD cannot be read.
pub fn head_of(repo: &dyn Repository, git_dir: &Path) -> Read<Head> {
    let head = fs::read_to_string(git_dir.join("HEAD")).unwrap_or_default();
    let mut branch = head.trim().strip_prefix("ref: ").map(str::to_owned);
    if branch.as_deref() != Some(ELSEWHERE) {
        let oid = match &branch {
            Some(name) => repo.find_ref(name)?,
            None => Oid::from_hex(head.trim()).filter(|oid| repo.has(*oid)),
        };
        return Ok(Head { branch, oid });
    }
    let name = if git_dir == repo.layout().common_dir {
        "main-worktree/HEAD".to_owned()
    } else {
        format!("worktrees/{}/HEAD", git_dir.file_name().unwrap_or_default().to_string_lossy())
    };
    branch = repo.symbolic_ref(&name)?;
    let oid = match &branch {
        Some(name) => repo.find_ref(name)?,
        None => Some(repo.resolve(&name)?),
    };
    Ok(Head { branch, oid })
}

fn unreadable(path: &Path, error: &std::io::Error) -> Unavailable {
    Unavailable::new(format!("{} cannot be read: {error}", path.display()), "check its permissions")
}
