//! Files that a tool is about to change: nothing of it is in any tree yet.

use std::path::Path;

use super::change_base::BaseChoice;
use super::collector::Collector;
use super::content;
use lane_core::content::MAX_FILE;
use lane_core::facts::{
    Change, Content, Fact, FileChange, FileVersion, ForeignWorktree, Lines, NewHit, Oid, RepoPath,
};
use lane_core::policy::model::Access;
use lane_core::rules::Need;
use lane_git::{Head, Read, find_in_tree};
use lane_os::path_of;

/// What is about to be edited.
#[derive(Debug, Clone, Default)]
pub struct EditSet {
    /// The files, from the worktree's root, and whether each is gone afterwards.
    pub files: Vec<(RepoPath, bool)>,
    /// What is to be written into them, as far as it is known.
    pub written: Vec<(RepoPath, String)>,
    /// The worktree, if it is not that of the session.
    pub foreign: Option<ForeignWorktree>,
    /// What was edited here before, as far as it is known.
    pub so_far: Vec<RepoPath>,
}

impl Collector<'_> {
    /// The edit as a change of its own: what already exists is for the hooks of the commit.
    pub(super) fn edit_change(&self, head: &Head, edited: &EditSet) -> Read<Change> {
        let mut change = self.empty_change(self.branch(head)?);
        change.head = head.oid;
        let tree = match head.oid {
            // There it counts what the base has, and not what the branch has added.
            Some(oid) if self.plan.has_area(Access::Append) => {
                self.root(self.base, &[oid], BaseChoice::Nearest)?.tree
            }
            Some(oid) => Some(self.repo.commit(oid)?.tree),
            None => None,
        };
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
        if self.wants(Need::Content) {
            change.content = self.content_to_write(&edited.written).into();
        }
        if self.wants(Need::Lines) {
            // A size that cannot be told refuses no edit: the commit is where it counts.
            change.lines = Fact::Known(self.size_so_far(head, &edited.so_far).unwrap_or_default());
        }
        Ok(change)
    }

    /// What is found in what is to be written, and is not in the file yet.
    fn content_to_write(&self, written: &[(RepoPath, String)]) -> Read<Content> {
        let mut content = Content::default();
        let root = self.repo.layout().worktree.as_deref().unwrap_or(Path::new(""));
        for (path, text) in written {
            let scan = content::scan_of(self.plan, path)?;
            let hits = if scan.is_nothing() { Vec::new() } else { scan.run(text.as_bytes()) };
            if hits.is_empty() {
                continue;
            }
            let place = root.join(path_of(&path.0));
            let is_read = std::fs::metadata(&place).is_ok_and(|data| data.len() <= MAX_FILE as u64);
            let there = if is_read { std::fs::read(&place).unwrap_or_default() } else { Vec::new() };
            let there = String::from_utf8_lossy(&there);
            for hit in hits {
                let line =
                    text.lines().nth(usize::try_from(hit.line - 1).unwrap_or_default()).unwrap_or_default();
                if !there.contains(line.trim()) {
                    let commits = Vec::new();
                    content.hits.push(NewHit { path: path.clone(), hit, in_whole: true, commits });
                }
            }
        }
        Ok(content)
    }

    /// The size of the change before the edit: from what is committed and what was edited here, and only where that comes near the
    /// limit, from all that is in the working tree.
    fn size_so_far(&self, head: &Head, so_far: &[RepoPath]) -> Read<Lines> {
        let Some(oid) = head.oid else { return Ok(Lines::default()) };
        let root = self.root(self.base, &[oid], BaseChoice::Nearest)?;
        let mut files = self.whole(&root, Some(self.repo.commit(oid)?.tree))?;
        files.retain(|file| !so_far.contains(&file.path));
        let mut lines = self.count(&files, root.tree)?;
        for path in so_far.iter().filter(|path| !self.plan.is_excluded(&path.0)) {
            let there = self.lines_on_disk(root.tree, path)?;
            lines.counted += there;
            for area in self.plan.limited_areas(&path.0, false) {
                lines.add_to_area(area, path, there);
            }
        }
        if !self.plan.reaches_limits(&lines) {
            return Ok(lines);
        }
        match self.worktree(head)?.lines {
            Fact::Known(exact) => Ok(exact),
            _ => Ok(Lines::default()),
        }
    }

    /// Lines added and deleted in one file, as it is on disk; none where it is not text.
    fn lines_on_disk(&self, base_tree: Option<Oid>, path: &RepoPath) -> Read<u64> {
        const LARGEST: u64 = 4 << 20;
        let old = match base_tree {
            Some(tree) => find_in_tree(self.repo, tree, &path.0)?,
            None => None,
        };
        let root = self.repo.layout().worktree.as_deref().unwrap_or(Path::new(""));
        let place = root.join(path_of(&path.0));
        let is_read = std::fs::metadata(&place).is_ok_and(|data| data.is_file() && data.len() <= LARGEST);
        let new = if is_read { std::fs::read(&place).unwrap_or_default() } else { Vec::new() };
        let old = old.filter(|version| !version.is_submodule()).map(|version| self.repo.blob(version.oid));
        let old = old.transpose()?.unwrap_or_default();
        if [&old, &new].into_iter().any(|bytes| bytes.contains(&0)) {
            return Ok(0);
        }
        let (added, deleted) = self.repo.line_diff(&old, &new)?;
        Ok(added + deleted)
    }

    /// What will be there: what it holds is not known, and a link stays one.
    fn version_on_disk(&self, path: &RepoPath) -> FileVersion {
        let root = self.repo.layout().worktree.as_deref().unwrap_or(Path::new(""));
        let data = std::fs::symlink_metadata(root.join(path_of(&path.0)));
        let is_link = data.is_ok_and(|data| data.is_symlink());
        FileVersion { mode: if is_link { 0o120_000 } else { 0o100_644 }, oid: Oid::ZERO }
    }
}
