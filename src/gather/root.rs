//! What a change grew from: its base, its merge base, and what it has of other protected branches.

use std::collections::HashMap;

use super::change_base::{self, BaseChoice};
use super::collector::Collector;
use super::policy_source::Base;
use lane_core::facts::{Change, FileChange, MergeBase, Oid, RepoPath, Unavailable, branch_of_ref};
use lane_git::tree_diff::tree_diff;
use lane_git::{RawCommit, Read};

/// What a change does not reach to. Where clocks were wrong by days, git and libgit2 both stop looking too soon, and take the
/// merge base for a commit of the change; nobody has to look for what is named.
fn beyond(merge_base: Option<MergeBase>, exclude: impl IntoIterator<Item = Oid>) -> Vec<Oid> {
    exclude.into_iter().chain(merge_base.map(|base| base.oid)).collect()
}

/// What a change grew from.
#[derive(Default)]
pub(super) struct Root {
    /// The branch; `None` before there is a commit.
    pub(super) base: Option<Base>,
    /// The commit.
    pub(super) merge_base: Option<MergeBase>,
    /// Its tree.
    pub(super) tree: Option<Oid>,
    /// The last commits of other protected branches that the change has.
    pub(super) merged_in: Vec<Oid>,
}

impl Root {
    /// What no commit of the change is reached by.
    pub(super) fn exclude(&self) -> Vec<Oid> {
        let base = self.base.as_ref().map(|base| base.oid);
        beyond(self.merge_base, base.into_iter().chain(self.merged_in.iter().copied()))
    }
}

impl Collector<'_> {
    /// Where tips left the base.
    pub(super) fn root(&self, base: Option<&Base>, tips: &[Oid], choice: BaseChoice) -> Read<Root> {
        let Some(base) = base else {
            return Err(self.no_base());
        };
        let origin = change_base::find(self.repo, self.plan, base, tips, choice)?;
        self.root_at(origin.base, origin.merge_base, origin.merged_in)
    }

    pub(super) fn root_at(&self, base: Base, merge_base: Option<Oid>, merged_in: Vec<Oid>) -> Read<Root> {
        match merge_base {
            Some(oid) => {
                let RawCommit { tree, time, .. } = self.repo.commit(oid)?;
                let merge_base = Some(MergeBase { oid, time });
                Ok(Root { base: Some(base), merge_base, tree: Some(tree), merged_in })
            }
            None if self.repo.is_shallow() => Err(self.too_shallow("the merge base with the base branch")),
            // An orphan branch: all of it is the change.
            None => Ok(Root { base: Some(base), merge_base: None, tree: None, merged_in }),
        }
    }

    /// The base that the policy names is not here.
    pub(super) fn no_base(&self) -> Unavailable {
        let name = &self.plan.policy.base.value;
        let remote = &self.plan.policy.remote.value;
        let tracking = format!("refs/remotes/{remote}/{name}");
        Unavailable::new(
            format!("the base branch `{name}` does not exist: neither {tracking} nor refs/heads/{name}"),
            // A clone of a single branch has no other refspec than that branch's.
            format!(
                "git fetch {remote} +refs/heads/{name}:{tracking}\nor, if there is no such branch, correct `base` in the policy"
            ),
        )
    }

    /// Notes what a change grew from.
    pub(super) fn grow(&self, change: &mut Change, root: &Root) -> Read<()> {
        change.merge_base = root.merge_base;
        change.has_merged_in = !root.merged_in.is_empty();
        if let Some(base) = &root.base {
            change.base = Some(base.oid);
            let policy = &self.plan.policy;
            let name = branch_of_ref(&base.reference, &policy.remote.value);
            let is_other = name.is_some_and(|name| name != policy.base.value);
            change.base_ref = is_other.then(|| self.as_typed(&base.reference));
            change.base_moved = self.base_moved(base.oid, root.merge_base)?;
        }
        Ok(())
    }

    /// The ref of a branch as it is called where the change comes from.
    pub(super) fn as_typed(&self, reference: &str) -> String {
        match reference.strip_prefix("refs/heads/") {
            Some(name) if self.event.is_server() => {
                format!("refs/remotes/{}/{name}", self.plan.policy.remote.value)
            }
            _ => reference.to_owned(),
        }
    }

    /// When the base got the newest commit that is older than `history.max_age` and that the change lacks: `None` where it
    /// has moved on since then alone. Whatever clocks said, nothing has happened before the change left the base.
    fn base_moved(&self, base: Oid, merge_base: Option<MergeBase>) -> Read<Option<i64>> {
        let (Some(left), Some(max_age)) = (merge_base, &self.plan.policy.history.max_age) else {
            return Ok(None);
        };
        let oldest = i64::try_from(max_age.value.seconds).unwrap_or(i64::MAX);
        let is_old = |time: i64| self.environment.now.saturating_sub(time) > oldest;
        let mut at = Some(base).filter(|base| *base != left.oid && is_old(left.time));
        while let Some(oid) = at.filter(|oid| *oid != left.oid) {
            let commit = self.repo.commit(oid)?;
            if commit.time < left.time {
                break;
            }
            if is_old(commit.time) {
                return Ok(Some(commit.time));
            }
            // What a merge brought to the base may be older than the merge.
            at = commit.parents.first().copied();
        }
        Ok(None)
    }

    /// The files that differ between what a change grew from and a tree. Where it has commits of other protected
    /// branches as well, that is a merge of them all, as far as it makes itself.
    pub(super) fn whole(&self, root: &Root, tree: Option<Oid>) -> Read<Vec<FileChange>> {
        let mut files = tree_diff(self.repo, root.tree, tree)?;
        let (Some(merge_base), Some(_)) = (root.merge_base, tree) else {
            return Ok(files);
        };
        for oid in &root.merged_in {
            let (merged, open) = self.repo.merged(merge_base.oid, *oid)?;
            let differ = tree_diff(self.repo, Some(merged), tree)?.into_iter();
            let mut differ: HashMap<RepoPath, FileChange> =
                differ.map(|file| (file.path.clone(), file)).collect();
            files = files
                .into_iter()
                .filter_map(
                    |file| if open.contains(&file.path) { Some(file) } else { differ.remove(&file.path) },
                )
                .collect();
        }
        Ok(files)
    }
}
