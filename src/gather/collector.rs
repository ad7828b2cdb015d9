//! One change: its merge base, files, commits and lines.

use std::collections::HashSet;

use super::change_base::{self, BaseChoice};
use super::content::Sides;
use super::environment::{Environment, merging};
use super::identity;
use super::policy_source::Base;
use super::push::PushLine;
use super::root::Root;
use super::stack::Stacks;
use lane_core::facts::{Change, Event, Fact, FileChange, Lines, Oid, RepoPath, Unavailable};
use lane_core::policy::Plan;
use lane_core::rules::Need;
use lane_git::lines;
use lane_git::revision;
use lane_git::tree_cache::staged_tree;
use lane_git::tree_diff::{merge_diff, tree_diff};
use lane_git::{Head, Read, Repository};

/// What every change is gathered with.
pub(super) struct Collector<'a> {
    pub(super) repo: &'a dyn Repository,
    pub(super) environment: &'a Environment,
    pub(super) plan: &'a Plan,
    pub(super) base: Option<&'a Base>,
    pub(super) needs: Vec<Need>,
    pub(super) event: Event,
    pub(super) stacks: Stacks,
}

impl Collector<'_> {
    pub(super) fn wants(&self, need: Need) -> bool {
        self.needs.contains(&need)
    }

    fn wants_content(&self) -> bool {
        [Need::Sizes, Need::Twins, Need::Content].into_iter().any(|need| self.wants(need))
    }

    /// The branch that HEAD is on, or will be on again after a rebase.
    pub(super) fn branch(&self, head: &Head) -> Read<Option<String>> {
        identity::branch(self.repo, head)
    }

    pub(super) fn empty_change(&self, branch: Option<String>) -> Change {
        Change { branch, base: self.base.map(|base| base.oid), ..Change::default() }
    }

    pub(super) fn message_only(&self, head: &Head, asks_files: bool) -> Read<Change> {
        let mut change = self.empty_change(self.branch(head)?);
        change.head = head.oid;
        change.lines = Fact::NotGathered;
        change.is_merging = !self.merge_heads()?.is_empty();
        if asks_files {
            change.staged = Fact::Known(self.staged_files(head, self.index_tree()?)?);
        }
        Ok(change)
    }

    /// The files of the commit that is being made, and nothing else.
    pub(super) fn commit_change(&self, head: &Head, is_amend: bool) -> Read<Change> {
        let mut change = self.empty_change(self.branch(head)?);
        change.head = head.oid;
        let tree = self.index_tree()?;
        let mut files = if is_amend { Vec::new() } else { self.staged_files(head, tree)? };
        // `commit --amend -m` does not tell the hook that it amends; that nothing is new does.
        if let (true, Some(oid)) = (files.is_empty(), head.oid) {
            let parent = self.repo.commit(oid)?.parents.first().copied();
            let before = parent.map(|oid| self.repo.commit(oid)).transpose()?;
            files = tree_diff(self.repo, before.map(|commit| commit.tree), tree)?;
        }
        change.staged = Fact::Known(files);
        Ok(change)
    }

    pub(super) fn index_tree(&self) -> Read<Option<Oid>> {
        let layout = self.repo.layout();
        if layout.worktree.is_none() && self.environment.index_file.is_none() {
            return Err(Unavailable::new(
                "a bare repository has no index",
                "name two commits: git lane check --range A..B",
            ));
        }
        let index = match &self.environment.index_file {
            Some(path) => path.clone(),
            None => layout.git_dir.join("index"),
        };
        staged_tree(self.repo, &index, self.event)
    }

    pub(super) fn merge_heads(&self) -> Read<Vec<Oid>> {
        let path = self.repo.layout().git_dir.join("MERGE_HEAD");
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(text.lines().filter_map(|line| Oid::from_hex(line.trim())).collect()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Ok(if self.event == Event::PreMergeCommit { merging() } else { Vec::new() })
            }
            Err(error) => Err(Unavailable::new(
                format!("{} cannot be read: {error}", path.display()),
                "check whether a merge is in progress: git status",
            )),
        }
    }

    /// Files of the commit that is being made; for a merge, what it alone brings in.
    pub(super) fn staged_files(&self, head: &Head, staged: Option<Oid>) -> Read<Vec<FileChange>> {
        let tree_of = |oid: Oid| Ok(Some(self.repo.commit(oid)?.tree));
        let Some(oid) = head.oid else {
            return tree_diff(self.repo, None, staged);
        };
        let merging = self.merge_heads()?;
        let (Some(staged), false) = (staged, merging.is_empty()) else {
            return tree_diff(self.repo, tree_of(oid)?, staged);
        };
        let parents: Read<Vec<Option<Oid>>> = std::iter::once(oid).chain(merging).map(tree_of).collect();
        merge_diff(self.repo, &parents?, staged)
    }

    pub(super) fn staged(&self, head: &Head, with_commits: bool) -> Read<Change> {
        let tree = match self.index_tree() {
            // A bare repository has branches to judge all the same.
            Err(_) if with_commits && self.repo.layout().worktree.is_none() => match head.oid {
                Some(oid) => Some(self.repo.commit(oid)?.tree),
                None => None,
            },
            tree => tree?,
        };
        self.up_to(head, tree, with_commits)
    }

    pub(super) fn worktree(&self, head: &Head) -> Read<Change> {
        let tree = self.repo.worktree_tree()?;
        self.up_to(head, Some(tree), true)
    }

    /// The change from the merge base to HEAD and on to a tree.
    fn up_to(&self, head: &Head, tree: Option<Oid>, with_commits: bool) -> Read<Change> {
        let mut change = self.empty_change(self.branch(head)?);
        change.head = head.oid;
        let merging = self.merge_heads()?;
        change.is_merging = !merging.is_empty();
        let root = match head.oid {
            None => Root::default(),
            Some(oid) => {
                let tips: Vec<Oid> = std::iter::once(oid).chain(merging.iter().copied()).collect();
                self.root(self.base, &tips, BaseChoice::Nearest)?
            }
        };
        self.grow(&mut change, &root)?;
        let files = self.whole(&root, tree)?;
        change.tree = tree;
        // At the start of a branch the commit that is being made is the whole change.
        let is_start = change.merge_base.map(|base| base.oid) == head.oid && !change.is_merging;
        change.staged = Fact::Known(if is_start { files.clone() } else { self.staged_files(head, tree)? });
        change.files = Fact::Known(files);
        let new = if with_commits { &change.files } else { &change.staged };
        change.policy = self.policy(new, tree);
        if with_commits && let Some(oid) = head.oid {
            let unpushed = self.unpushed_of(oid)?;
            let commits = self.begin_commits(&[oid], &root.exclude(), unpushed.as_ref());
            let edition = self.edition(&change)?;
            change.unchanged = self.unchanged_since_push(&change, oid, edition)?;
            change.lines = self.lines(&change.files, root.tree);
            change.commits = commits.and_then(|commits| commits.finish(self, oid, edition)).into();
        } else {
            change.lines = self.lines(&change.files, root.tree);
        }
        if self.wants_content() {
            let parents = std::iter::once(head.oid)
                .flatten()
                .chain(merging)
                .map(|oid| Ok(Some(self.repo.commit(oid)?.tree)));
            let parents: Vec<Option<Oid>> = parents.collect::<Read<_>>()?;
            let parents = if change.is_merging && !with_commits { parents.as_slice() } else { &[] };
            let sides = Sides { base: root.tree, tree, parents, only_staged: !with_commits };
            self.read_files(&mut change, &sides);
        }
        if let Some(oid) = head.oid {
            self.count_from_pushed(&mut change, &root, oid, tree, &[])?;
        }
        Ok(change)
    }

    /// The local base branch as it is typed, if a change is based on commits of it that the base does not have: somebody
    /// committed there and has not pushed yet.
    pub(super) fn unpushed_base(&self, changes: &[Change]) -> Read<Option<String>> {
        let local = format!("refs/heads/{}", self.plan.policy.base.value);
        let Some(base) = self.base.filter(|base| base.reference != local) else {
            return Ok(None);
        };
        let Some(tip) = self.repo.find_ref(&local)?.filter(|tip| *tip != base.oid) else {
            return Ok(None);
        };
        let moved = changes.iter().filter(|change| change.head != change.merge_base.map(|base| base.oid));
        for head in moved.filter_map(|change| change.head) {
            if let Some(shared) = self.repo.merge_base(tip, &[head])?
                && self.repo.merge_base(base.oid, &[shared])? != Some(shared)
            {
                // git takes a short name for a tag before it takes it for a branch.
                let is_shadowed = revision::is_shadowed(self.repo, &local)?;
                return Ok(Some(if is_shadowed { local } else { self.plan.policy.base.value.clone() }));
            }
        }
        Ok(None)
    }

    pub(super) fn too_shallow(&self, what: &str) -> Unavailable {
        Unavailable::new(
            format!("{what} is not available: this clone is shallow"),
            format!(
                "fetch more history: git fetch --deepen=100 {0}\nor all of it: git fetch --unshallow {0}",
                self.plan.policy.remote.value
            ),
        )
    }

    fn lines(&self, files: &Fact<Vec<FileChange>>, base_tree: Option<Oid>) -> Fact<Lines> {
        if !self.wants(Need::Lines) {
            return Fact::NotGathered;
        }
        match files {
            Fact::Known(files) => self.count(files, base_tree).into(),
            Fact::Unavailable(why) => Fact::Unavailable(why.clone()),
            Fact::NotGathered => Fact::NotGathered,
        }
    }

    /// The lines of files that differ, and what of them is in areas with a limit of their own.
    pub(super) fn count(&self, files: &[FileChange], base_tree: Option<Oid>) -> Read<Lines> {
        let is_limited = self.plan.limits_areas();
        let areas = |file: &FileChange| match is_limited {
            true => self.plan.limited_areas(&file.path.0, file.is_folder()),
            false => Vec::new(),
        };
        lines::count_by_area(self.repo, files, base_tree, &|path| self.plan.is_excluded(path), &areas)
    }

    /// The commits of a branch that the remote does not have, where nobody pushes and it is asked all the same.
    fn unpushed_of(&self, tip: Oid) -> Read<Option<HashSet<Oid>>> {
        let has = self.repo.tips(&format!("refs/remotes/{}/", self.plan.policy.remote.value))?;
        if self.event != Event::Check || has.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.repo.commits(&[tip], &has)?.into_iter().collect()))
    }

    /// The remote's own edition of a branch that is here.
    fn edition(&self, change: &Change) -> Read<Option<Oid>> {
        match &change.branch {
            Some(branch) => {
                self.repo.find_ref(&format!("refs/remotes/{}/{branch}", self.plan.policy.remote.value))
            }
            None => Ok(None),
        }
    }

    /// What a push of this branch would rewrite and leave as it is.
    fn unchanged_since_push(
        &self,
        change: &Change,
        tip: Oid,
        edition: Option<Oid>,
    ) -> Read<HashSet<RepoPath>> {
        match edition {
            Some(old) if self.repo.merge_base(old, &[tip])? != Some(old) => self.unchanged(change, old, tip),
            _ => Ok(HashSet::new()),
        }
    }

    /// The files of a change that are the same at two commits, and that the base has in the same version at the
    /// merge bases of both: on top of another one, the same content reverts what landed in between.
    pub(super) fn unchanged(&self, change: &Change, old: Oid, tip: Oid) -> Read<HashSet<RepoPath>> {
        let tree = |oid: Oid| -> Read<Oid> { Ok(self.repo.commit(oid)?.tree) };
        let mut changed = tree_diff(self.repo, Some(tree(old)?), Some(tree(tip)?))?;
        let before = change.base.map(|base| self.repo.merge_base(base, &[old])).transpose()?.flatten();
        let after = change.merge_base.map(|base| base.oid);
        if before != after {
            let before = before.map(tree).transpose()?;
            changed.extend(tree_diff(self.repo, before, after.map(tree).transpose()?)?);
        }
        let changed: HashSet<&RepoPath> = changed.iter().map(|file| &file.path).collect();
        let files = change.files.known().into_iter().flatten().map(|file| &file.path);
        Ok(files.filter(|path| !changed.contains(path)).cloned().collect())
    }

    pub(super) fn range(&self, from: Oid, to: Oid) -> Read<Change> {
        let mut change = self.empty_change(None);
        let base = Base { reference: String::new(), oid: from };
        let root = self.root_at(base, self.repo.merge_base(from, &[to])?, Vec::new())?;
        self.fill(&mut change, &root, to, None, None, &[])?;
        Ok(change)
    }

    /// A change that waits to be merged; none of it counts as seen before.
    pub(super) fn proposed(&self, from: Oid, to: Oid, branch: Option<&str>) -> Read<Change> {
        let mut change = self.empty_change(branch.map(str::to_owned));
        let reference = self.base.map(|base| base.reference.clone()).unwrap_or_default();
        let base = Base { reference, oid: from };
        let root = self.root(Some(&base), &[to], BaseChoice::Given)?;
        change.cut_from = change_base::origin_branch(self.repo, self.plan, &base, to)?;
        self.fill(&mut change, &root, to, None, None, &[])?;
        change.committer = Some(self.repo.commit(to)?.committer);
        change.elsewhere = change.branch.clone();
        Ok(change)
    }

    /// Fills in what `tip` adds. `edition`: what the remote has of the branch; `pushes`: all that the push brings.
    pub(super) fn fill(
        &self,
        change: &mut Change,
        root: &Root,
        tip: Oid,
        unpushed: Option<&HashSet<Oid>>,
        edition: Option<Oid>,
        pushes: &[PushLine],
    ) -> Read<()> {
        change.head = Some(tip);
        self.grow(change, root)?;
        let tree = self.repo.commit(tip)?.tree;
        change.tree = Some(tree);
        change.files = match &root.base {
            Some(base) if self.repo.merge_bases(base.oid, tip)?.len() > 1 => {
                self.effect(base.oid, tip).into()
            }
            _ => self.whole(root, Some(tree)).into(),
        };
        change.policy = self.policy(&change.files, Some(tree));
        // Lines are counted while git looks at the files of the commits.
        let commits = self.begin_commits(&[tip], &root.exclude(), unpushed);
        change.lines = self.lines(&change.files, root.tree);
        change.commits = commits.and_then(|commits| commits.finish(self, tip, edition)).into();
        let sides = Sides { base: root.tree, tree: Some(tree), parents: &[], only_staged: false };
        self.read_files(change, &sides);
        self.count_from_pushed(change, root, tip, Some(tree), pushes)?;
        Ok(())
    }

    /// What a merge of the change would make of the base. Where the two have several merge bases, no one of
    /// them shows that: whoever chooses the dates of commits could choose between them. What a person would have
    /// to merge counts as touched.
    pub(super) fn effect(&self, base: Oid, tip: Oid) -> Read<Vec<FileChange>> {
        let (before, after) = (self.repo.commit(base)?.tree, self.repo.commit(tip)?.tree);
        // A merge reads all there is: what differs is known to be no more than can be.
        let mut differ = tree_diff(self.repo, Some(before), Some(after))?;
        let (merged, open) = self.repo.merged(base, tip)?;
        let mut files = tree_diff(self.repo, Some(before), Some(merged))?;
        files.retain(|file| !open.contains(&file.path));
        differ.retain(|file| open.contains(&file.path));
        files.append(&mut differ);
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }
}
