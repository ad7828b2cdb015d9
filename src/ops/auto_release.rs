//! Giving locks back once their work has landed: `locks.release` of the policy.

use std::collections::HashSet;

use super::Session;
use crate::locks::manager::LockManager;
use lane_core::facts::{LOCK_TRAILER, Oid, RepoPath};
use lane_core::locks::protocol::Claim;
use lane_core::locks::record::Lease;
use lane_core::locks::scope::{Scope, lockable};
use lane_core::policy::model::Release;
use lane_git::in_progress::in_progress;
use lane_git::tree_diff::tree_diff;
use lane_git::worktrees::worktrees;
use lane_git::{GitRepo, RawCommit, Read, Repository};

/// The locks of a remote may be known from so many milliseconds ago.
const RECENT: u64 = 10_000;

/// What else is known when locks are released.
#[derive(Default)]
pub struct Landing<'a> {
    /// What the command itself is about to do something with: an agent, and its scopes.
    pub kept_locks: Option<(&'a str, &'a [Scope])>,
    /// What the remote has since a moment ago.
    pub pushed_tip: Option<Oid>,
}

impl Landing<'_> {
    fn is_kept(&self, lease: &Lease, area: &str) -> bool {
        self.kept_locks.is_some_and(|(agent, scopes)| {
            let is_it = |scope: &Scope| scope.area == area && scope.text == lease.stake.scope;
            lease.stake.agent == agent && scopes.iter().any(is_it)
        })
    }
}

/// Releases the locks of this repository's worktrees whose work has landed, and says so. What cannot be
/// found out changes nothing: a lock that is kept for too long ends by its time.
pub fn release_landed(session: &Session, manager: &mut LockManager<'_>, landing: &Landing<'_>) {
    let plan = &session.loaded.plan;
    let release = plan.policy.locks.release.value;
    if release == Release::Manual {
        return;
    }
    for area in lockable(plan) {
        let Ok(Some(tip)) = manager.tip(area) else {
            continue;
        };
        let own = manager.repository();
        for lease in &tip.record.leases {
            let is_over = manager.judge().lease(lease).is_over();
            if own.is_none() || lease.stake.repository != own || is_over || landing.is_kept(lease, area) {
                continue;
            }
            match (ReleaseTask { session, lease, area }.has_landed(release, landing.pushed_tip)) {
                // Nobody waits twice for a remote that does not answer.
                Ok(Some(how)) if manager.refresh(RECENT).is_ok() => {
                    give_back(session, manager, lease, area, how);
                }
                Ok(Some(_)) => return,
                Ok(None) => {}
                Err(why) => {
                    log::debug!("whether {} has landed: {}", lease.stake.scope, why.reason)
                }
            }
        }
    }
}

fn give_back(session: &Session, manager: &mut LockManager<'_>, lease: &Lease, area: &str, how: &str) {
    let scope = lease.stake.scope_in(area);
    let Lease { stake, generation, .. } = lease;
    let claim = Claim::of_return(&scope, &stake.agent, &stake.worktree, Some(how)).on_base(session.base());
    match manager.release(&claim, Some(*generation)) {
        Ok(Ok(_)) => session.ui.message(&format!("released `{}` of {}: {how}", stake.scope, stake.agent)),
        Ok(Err(_)) => {} // somebody else was faster
        Err(error) => log::debug!("{} stays locked: {error}", stake.scope),
    }
}

/// For how many seconds a lock of this repository has been held with no commit made under it.
pub fn idle(session: &Session, manager: &LockManager<'_>, lease: &Lease, now: i64) -> Option<u64> {
    let own = manager.repository();
    if own.is_none() || lease.stake.repository != own {
        return None;
    }
    let work = ReleaseTask { session, lease, area: &lease.stake.scope };
    let base: Vec<Oid> = session.loaded.base.iter().map(|base| base.oid).collect();
    let commits = work.commits(&work.local_tips().ok()?, &base).ok()?;
    let last = commits.iter().map(|commit| commit.time).max();
    u64::try_from(now - last.unwrap_or(lease.since).max(lease.since)).ok()
}

/// What was done under one lock.
struct ReleaseTask<'a> {
    session: &'a Session,
    lease: &'a Lease,
    area: &'a str,
}

impl ReleaseTask<'_> {
    fn repo(&self) -> &dyn Repository {
        &self.session.repo
    }

    fn scope(&self) -> Scope {
        self.lease.stake.scope_in(self.area)
    }

    /// How it has landed, in words; `None` if it has not, or if there is none.
    fn has_landed(&self, release: Release, just_pushed: Option<Oid>) -> Read<Option<&'static str>> {
        let Some(base) = self.session.loaded.base.as_ref().map(|base| base.oid) else {
            return Ok(None);
        };
        let before = self.lease.base.as_deref().and_then(Oid::from_hex).filter(|oid| self.repo().has(*oid));
        let before = before.unwrap_or(base);
        let on_base = self.commits(&[base], &[before])?;
        // Commits come oldest first.
        let landed = on_base.last();
        let remote = &self.session.loaded.plan.policy.remote.value;
        let mut pushed = self.repo().tips(&format!("refs/remotes/{remote}/"))?;
        pushed.extend(just_pushed);
        let (tips, has, how) = match release {
            Release::OnPush => {
                let has: Vec<Oid> = pushed.iter().copied().chain([base]).collect();
                if self.commits(&has, &[before])?.is_empty() {
                    return Ok(None);
                }
                (self.local_tips()?, has, "its work is pushed")
            }
            _ if landed.is_none() => return Ok(None),
            _ => {
                let tips = self.local_tips()?.into_iter().chain(pushed).collect();
                (tips, vec![base], "its work is on the base")
            }
        };
        if self.is_open(&tips, &has, landed)? || self.is_dirty()? {
            return Ok(None);
        }
        Ok(Some(how))
    }

    /// Whether some tip has commits made under the lock that are not among what has landed. A squash or a
    /// rebase makes other commits of them: what counts is whether the files that they change are, at the tip,
    /// what they were when the work landed.
    fn is_open(&self, tips: &[Oid], has: &[Oid], landed: Option<&RawCommit>) -> Read<bool> {
        if self.commits(tips, has)?.is_empty() {
            return Ok(false);
        }
        let Some(landed) = landed else {
            return Ok(true);
        };
        for tip in tips {
            let mut paths: HashSet<RepoPath> = HashSet::new();
            for commit in self.commits(&[*tip], has)? {
                paths.extend(self.changed(self.parent_tree(&commit)?, Some(commit.tree))?);
            }
            let differ = self.changed(Some(landed.tree), Some(self.repo().commit(*tip)?.tree))?;
            if differ.iter().any(|path| paths.contains(path)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn parent_tree(&self, commit: &RawCommit) -> Read<Option<Oid>> {
        let parent = commit.parents.first();
        parent.map(|parent| Ok(self.repo().commit(*parent)?.tree)).transpose()
    }

    /// The paths under the lock that differ between two trees.
    fn changed(&self, old: Option<Oid>, new: Option<Oid>) -> Read<Vec<RepoPath>> {
        let (scope, fold) = (self.scope(), self.session.loaded.plan.folds_case());
        let files = tree_diff(self.repo(), old, new)?.into_iter();
        Ok(files
            .filter(|file| scope.has(&file.path.0, file.is_folder(), fold))
            .map(|file| file.path)
            .collect())
    }

    /// Whether something under the lock is being worked on, in its worktree or another one of its agent:
    /// staged or not, in the very commit whose hook asks, or in a rebase or a merge that is in progress. So it is
    /// where the worktree is not where it was.
    fn is_dirty(&self) -> Read<bool> {
        let mut is_there = false;
        for tree in worktrees(self.session.repo.layout())? {
            let is_its = tree.root.display().to_string() == self.lease.stake.worktree;
            is_there |= is_its;
            let repo = GitRepo::open_at(&tree.root)?;
            if !is_its && repo.config("lane.agent")?.pop().as_deref() != Some(self.lease.stake.agent.as_str())
            {
                continue;
            }
            if in_progress(&tree.git_dir).is_some_and(|it| it.word != "bisect") {
                return Ok(true);
            }
            let (scope, fold) = (self.scope(), self.session.loaded.plan.folds_case());
            if lane_git::command::changed_files(&tree.root)?.iter().any(|path| scope.has(path, false, fold)) {
                return Ok(true);
            }
        }
        Ok(!is_there)
    }

    /// All branches of this repository, and what is checked out on none.
    fn local_tips(&self) -> Read<Vec<Oid>> {
        let mut tips = self.repo().tips("refs/heads/")?;
        for tree in worktrees(self.session.repo.layout())? {
            let head = std::fs::read_to_string(tree.git_dir.join("HEAD")).unwrap_or_default();
            tips.extend(Oid::from_hex(head.trim()));
        }
        tips.sort_unstable();
        tips.dedup();
        Ok(tips)
    }

    /// The commits that `tips` have, `without` have not, and that say they were made under this lock, oldest
    /// first. A squash keeps the trailer somewhere in its text.
    fn commits(&self, tips: &[Oid], without: &[Oid]) -> Read<Vec<RawCommit>> {
        let token = format!("{LOCK_TRAILER}: {}@{}", self.lease.stake.scope, self.lease.generation);
        let mut found = Vec::new();
        for oid in self.repo().commits(tips, without)? {
            let commit = self.repo().commit(oid)?;
            if commit.message.lines().any(|line| line.trim() == token) {
                found.push(commit);
            }
        }
        Ok(found)
    }
}
