//! Files that a tool is about to change: nothing of it is in any tree yet.

use std::path::Path;

use super::collector::Collector;
use lane_core::facts::{Change, Fact, FileChange, FileVersion, ForeignWorktree, Oid, RepoPath};
use lane_git::{Head, Read, find_in_tree, path_of};

/// What is about to be edited.
#[derive(Debug, Clone, Default)]
pub struct EditSet {
    /// The files, from the worktree's root, and whether each is gone afterwards.
    pub files: Vec<(RepoPath, bool)>,
    /// The worktree, if it is not that of the session.
    pub foreign: Option<ForeignWorktree>,
}

impl Collector<'_> {
    /// The edit as a change of its own: what is there already is for the hooks of the commit.
    pub(super) fn edit_change(&self, head: &Head, edited: &EditSet) -> Read<Change> {
        let mut change = self.empty_change(self.branch(head)?);
        change.head = head.oid;
        let tree = head.oid.map(|oid| self.repo.commit(oid)).transpose()?.map(|commit| commit.tree);
        let mut files = Vec::new();
        for (path, is_removed) in &edited.files {
            let old = match tree {
                Some(tree) => find_in_tree(self.repo, tree, &path.0)?,
                None => None,
            };
            let new = (!is_removed).then(|| self.version_on_disk(path));
            files.push(FileChange { path: path.clone(), old, new });
        }
        change.staged = Fact::Known(files.clone());
        change.files = Fact::Known(files);
        Ok(change)
    }

    /// What will be there: what it holds is not known, and a link stays one.
    fn version_on_disk(&self, path: &RepoPath) -> FileVersion {
        let root = self.repo.layout().worktree.as_deref().unwrap_or(Path::new(""));
        let data = std::fs::symlink_metadata(root.join(path_of(&path.0)));
        let is_link = data.is_ok_and(|data| data.is_symlink());
        FileVersion { mode: if is_link { 0o120_000 } else { 0o100_644 }, oid: Oid::ZERO }
    }
}
