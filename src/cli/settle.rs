//! Giving locks back once their work has landed: `locks.release` of the policy.

use super::output::complain;
use super::session::Session;
use super::trace;
use crate::facts::{LOCK_TRAILER, Message, Oid};
use crate::gather::tree_diff::tree_diff;
use crate::gather::worktrees::{Worktree, worktrees};
use crate::gather::{Read, Repository};
use crate::locks::keeper::Keeper;
use crate::locks::protocol::Claim;
use crate::locks::record::Lease;
use crate::locks::scope::lockable;
use crate::policy::model::Release;

/// Gives back the locks of this repository's worktrees whose work has landed, and says so. What cannot be
/// found out changes nothing: a lock that is kept for too long ends by its time.
pub(super) fn settle(session: &Session, keeper: &mut Keeper<'_>) {
    let plan = &session.loaded.plan;
    let release = plan.policy.locks.release.value;
    if release == Release::Manual {
        return;
    }
    for area in lockable(plan) {
        let Ok(Some(tip)) = keeper.tip(area) else {
            continue;
        };
        for lease in &tip.record.leases {
            let judge = keeper.judge();
            let is_here = judge.world().machine().shares_clock(&lease.stake.machine);
            if !is_here || judge.lease(lease).is_over() {
                continue;
            }
            match has_landed(session, lease, area, release) {
                Ok(Some(how)) => give_back(keeper, lease, area, how),
                Ok(None) => {}
                Err(why) => {
                    trace::debug(|| format!("whether {} has landed: {}", lease.stake.scope, why.reason))
                }
            }
        }
    }
}

fn give_back(keeper: &mut Keeper<'_>, lease: &Lease, area: &str, how: &str) {
    let scope = lease.stake.scope_in(area);
    let Lease { stake, generation, .. } = lease;
    let claim = Claim::of_return(&scope, &stake.agent, &stake.worktree, Some(how));
    match keeper.release(&claim, Some(*generation)) {
        Ok(Ok(_)) => complain(&format!("git-lane: gave back `{}` of {}: {how}\n", stake.scope, stake.agent)),
        Ok(Err(_)) => {} // somebody else was faster
        Err(error) => trace::debug(|| format!("{} stays locked: {error}", stake.scope)),
    }
}

/// The branch of a lock's worktree, if that is one of this repository's.
fn branch_of(session: &Session, lease: &Lease) -> Read<Option<String>> {
    let trees = worktrees(session.repo.layout())?;
    let is_it = |tree: &Worktree| tree.root.as_os_str() == lease.stake.worktree.as_str();
    let Some(tree) = trees.into_iter().find(is_it) else {
        return Ok(None);
    };
    let head = std::fs::read_to_string(tree.git_dir.join("HEAD")).unwrap_or_default();
    Ok(head.trim().strip_prefix("ref: refs/heads/").map(str::to_owned))
}

/// How the work done under a lock has landed, in words; `None` if it has not, or if there is none.
fn has_landed(session: &Session, lease: &Lease, area: &str, release: Release) -> Read<Option<&'static str>> {
    let repo: &dyn Repository = &session.repo;
    let (plan, base) = (&session.loaded.plan, session.loaded.base.as_ref());
    let (Some(branch), Some(base)) = (branch_of(session, lease)?, base) else {
        return Ok(None);
    };
    let Some(tip) = repo.find_ref(&format!("refs/heads/{branch}"))? else {
        return Ok(None);
    };
    if release == Release::OnPush {
        let tracking = format!("refs/remotes/{}/{branch}", plan.policy.remote.value);
        let Some(pushed) = repo.find_ref(&tracking)? else {
            return Ok(None);
        };
        let is_all = !any_under(repo, lease, tip, &[pushed, base.oid])?;
        let is_some = any_under(repo, lease, pushed, &[base.oid])?;
        return Ok((is_all && is_some).then_some("its work is pushed"));
    }
    let Some(before) = lease.base.as_deref().and_then(Oid::from_hex).filter(|oid| repo.has(*oid)) else {
        return Ok(None);
    };
    if !any_under(repo, lease, base.oid, &[before])? {
        return Ok(None);
    }
    // A squash or a rebase makes other commits of it: what counts is that the files are the same there.
    let scope = lease.stake.scope_in(area);
    let (ours, theirs) = (repo.commit(tip)?.tree, repo.commit(base.oid)?.tree);
    let files = tree_diff(repo, Some(theirs), Some(ours))?;
    let is_open = files.iter().any(|file| scope.has(&file.path.0, file.is_folder(), plan.folds_case()));
    Ok((!is_open).then_some("its work is on the base"))
}

/// Whether some commit that `tip` has and `without` have not was made under a lock.
fn any_under(repo: &dyn Repository, lease: &Lease, tip: Oid, without: &[Oid]) -> Read<bool> {
    Ok(newest_under(repo, lease, tip, without)?.is_some())
}

/// When the newest commit was made that bears a lock's generation, in seconds since the epoch. A squash
/// keeps the trailer somewhere in the text.
fn newest_under(repo: &dyn Repository, lease: &Lease, tip: Oid, without: &[Oid]) -> Read<Option<i64>> {
    let token = format!("{LOCK_TRAILER}: {}@{}", lease.stake.scope, lease.generation);
    for oid in repo.commits(&[tip], without)?.into_iter().rev() {
        let commit = repo.commit(oid)?;
        let message = Message { text: commit.message };
        if message.text.lines().any(|line| line.trim() == token) {
            return Ok(Some(commit.time));
        }
    }
    Ok(None)
}

/// For how many seconds a lock of this repository has been held with no commit made under it.
pub(super) fn idle(session: &Session, lease: &Lease, now: i64) -> Option<u64> {
    let repo: &dyn Repository = &session.repo;
    let branch = branch_of(session, lease).ok()??;
    let tip = repo.find_ref(&format!("refs/heads/{branch}")).ok()??;
    let base: Vec<Oid> = session.loaded.base.iter().map(|base| base.oid).collect();
    let last = newest_under(repo, lease, tip, &base).ok()?;
    u64::try_from(now - last.unwrap_or(lease.since).max(lease.since)).ok()
}
