//! What is there that a policy can speak of.

use std::collections::BTreeSet;
use std::time::Duration;

use super::policy_source::Base;
use super::survey::MOST_FILES;
use lane_core::facts::{FileChange, Oid, Unavailable};
use lane_core::policy::{Inventory, Refs};
use lane_git::command::{in_worktree, run};
use lane_git::tree_diff::tree_diff;
use lane_git::worktrees::worktrees;
use lane_git::{Layout, Read, Repository};

/// How long git may take to list its remotes.
const LIMIT: Duration = Duration::from_secs(10);

/// The files of the base, of HEAD and of the working tree, the worktrees, branches and remotes.
///
/// # Errors
/// A tree or the list of worktrees cannot be read, or there are more files than are looked at.
pub fn inventory(repo: &dyn Repository, base: Option<&Base>) -> Read<Inventory> {
    repo.budget().list(repo, MOST_FILES);
    let inventory = all(repo, base);
    repo.budget().end();
    inventory.map_err(|why| Unavailable {
        reason: format!("whether services and patterns match a file could not be checked: {}", why.reason),
        ..why
    })
}

fn all(repo: &dyn Repository, base: Option<&Base>) -> Read<Inventory> {
    let mut trees: Vec<Oid> = Vec::new();
    for commit in repo.head()?.oid.into_iter().chain(base.map(|base| base.oid)) {
        trees.push(repo.commit(commit)?.tree);
    }
    // Where it cannot be read, as in a merge with conflicts, what is committed has to do.
    if repo.layout().worktree.is_some()
        && let Ok(tree) = repo.worktree_tree()
    {
        trees.push(tree);
    }
    let mut files = Vec::new();
    let mut last = None;
    for tree in trees {
        let there = |file: FileChange| file.new.is_some().then(|| (file.is_folder(), file.path.0));
        files.extend(tree_diff(repo, last, Some(tree))?.into_iter().filter_map(there));
        last = Some(tree);
    }
    let files = files.into_iter().map(|(is_folder, path)| (path, is_folder)).collect();
    let trees = worktrees(repo.layout())?;
    let canonical = |root: &std::path::Path| std::fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    let common_dir = &repo.layout().common_dir;
    let main = match trees.first() {
        Some(tree) if tree.git_dir == *common_dir => Some(canonical(&tree.root)),
        _ => Some(canonical(common_dir)), // as elsewhere, its own folder stands for a main worktree
    };
    let worktrees =
        trees.iter().map(|tree| canonical(&tree.root)).filter(|root| Some(root) != main.as_ref()).collect();
    Ok(Inventory { files, main, worktrees, refs: refs(repo)? })
}

/// The names of all remotes; none where git does not list them.
pub(super) fn remotes(layout: &Layout) -> BTreeSet<String> {
    let mut git = in_worktree(layout.worktree.as_ref().unwrap_or(&layout.common_dir));
    git.arg("remote");
    let listed = run(git, None, LIMIT).ok().filter(|ran| ran.ok).map(|ran| ran.stdout).unwrap_or_default();
    listed.lines().map(str::to_owned).collect()
}

/// The branches, here and of all remotes, and the remotes. What git does not list is not missed.
fn refs(repo: &dyn Repository) -> Read<Refs> {
    let remotes = remotes(repo.layout());
    let mut branches = BTreeSet::new();
    for prefix in
        remotes.iter().map(|remote| format!("refs/remotes/{remote}/")).chain(["refs/heads/".to_owned()])
    {
        let names = repo.ref_names(&prefix)?;
        branches.extend(
            names
                .iter()
                .filter_map(|name| name.strip_prefix(&prefix))
                .filter(|name| *name != "HEAD")
                .map(str::to_owned),
        );
    }
    Ok(Refs { branches, remotes })
}
