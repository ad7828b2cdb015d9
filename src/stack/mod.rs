//! Branches that are based on one another: what of one has landed, which one it is based on, and all that are below it.

mod chain;
mod rewritten;

use std::path::Path;
use std::time::Duration;

pub use chain::{Step, below};
use rewritten::OwnCommits;

use lane_core::error::Error;
use lane_core::facts::{Oid, RepoPath};
use lane_core::policy::Plan;
use lane_git::tree_diff::tree_diff;
use lane_git::{Read, Repository};

/// Whatever only looks.
const SHORT: Duration = Duration::from_secs(60);
/// A branch with more commits than this is rebased as git does it.
const MOST: usize = 200;
/// How many new commits of the base are looked at.
const NEW: usize = 500;

/// The last commit of a branch that the base has already in other commits: its lower part, or all of it, was squashed.
/// A merge of it into the base would change nothing, as it is now or as it was when that landed.
///
/// # Errors
/// History cannot be read.
pub fn landed(repo: &dyn Repository, onto: Oid, before: Oid) -> Result<Option<Oid>, Error> {
    let own = repo.commits(&[before], &[onto])?;
    let Some(left) = repo.merge_base(onto, &[before])?.filter(|_| own.len() <= MOST) else {
        return Ok(None);
    };
    let mut trees = vec![repo.commit(left)?.tree];
    for oid in &own {
        let commit = repo.commit(*oid)?;
        if commit.parents.len() != 1 {
            return Ok(None);
        }
        trees.push(commit.tree);
    }
    let mut new = Vec::new();
    for oid in repo.commits(&[onto], &[before])?.into_iter().rev().take(NEW) {
        let commit = repo.commit(oid)?;
        if let Some(parent) = commit.parents.first() {
            new.push((oid, paths(repo, repo.commit(*parent)?.tree, commit.tree)?));
        }
    }
    for (at, oid) in own.iter().enumerate().rev() {
        let touched = paths(repo, trees[0], trees[at + 1])?;
        if touched.is_empty() {
            continue;
        }
        let mut places =
            std::iter::once(onto).chain(new.iter().filter(|new| new.1 == touched).map(|new| new.0));
        let mut is_there = false;
        for place in places.by_ref() {
            let (merged, open) = repo.merged(place, *oid)?;
            if open.is_empty() && merged == repo.commit(place)?.tree {
                is_there = true;
                break;
            }
        }
        if is_there {
            // Later commits that come to nothing together are kept.
            let first = (0..=at).find(|first| trees[first + 1] == trees[at + 1]).unwrap_or(at);
            return Ok(Some(own[first]));
        }
    }
    Ok(None)
}

fn paths(repo: &dyn Repository, from: Oid, to: Oid) -> Read<Vec<RepoPath>> {
    let files = tree_diff(repo, Some(from), Some(to))?;
    Ok(files.into_iter().map(|file| file.path).collect())
}

/// What a branch of a stack is based on.
pub enum StackParent {
    /// A pushed branch that has not landed.
    Pushed(String),
    /// One that was rebased since then.
    Rewritten {
        /// That branch.
        reference: String,
        /// Its new tip.
        tip: Oid,
        /// The commit at which this branch left it.
        left: Oid,
    },
}

/// The branch of the same agent that a branch is based on, above what has landed: a pushed one, or one that was rewritten, there
/// or here. `told`: what the remote was found to have besides what refs here say.
///
/// # Errors
/// Refs or history cannot be read.
pub fn lower(
    repo: &dyn Repository,
    plan: &Plan,
    root: &Path,
    branch: &str,
    tip: Oid,
    landed: Oid,
    told: &[(String, Oid)],
) -> Result<Option<StackParent>, Error> {
    let Some(names) = &plan.branch else {
        return Ok(None);
    };
    let Some(agent) = names.parse(branch).filter(|agent| !agent.is_empty()) else {
        return Ok(None);
    };
    let own = OwnCommits::new(repo, root, tip, &repo.commits(&[tip], &[landed])?);
    let prefix = format!("refs/remotes/{}/", plan.policy.remote.value);
    let beginning = names.beginning_for(agent);
    let is_other = |name: &str| name != branch && names.parse(name) == Some(agent);
    let mut highest: Option<(usize, StackParent)> = None;
    for reference in repo.ref_names(&format!("{prefix}{beginning}"))? {
        let name = reference.strip_prefix(&prefix).unwrap_or_default();
        let Some(oid) = repo.find_ref(&reference)?.filter(|oid| *oid != tip && is_other(name)) else {
            continue;
        };
        let found = match own.place(oid) {
            Some(at) => Some((at, StackParent::Pushed(name.to_owned()))),
            None => {
                let left = own.left(&reference, oid)?;
                left.map(|(at, left)| (at, StackParent::Rewritten { reference, tip: oid, left }))
            }
        };
        highest = higher(highest, found);
    }
    for (name, oid) in told.iter().filter(|(name, oid)| *oid != tip && is_other(name)) {
        let found = own.place(*oid).map(|at| (at, StackParent::Pushed(name.clone())));
        highest = higher(highest, found);
    }
    for reference in repo.ref_names(&format!("refs/heads/{beginning}"))? {
        let name = reference.strip_prefix("refs/heads/").unwrap_or_default();
        let Some(oid) = repo.find_ref(&reference)?.filter(|oid| own.place(*oid).is_none() && is_other(name))
        else {
            continue;
        };
        let pushed = repo.find_ref(&format!("{prefix}{name}"))?;
        if let Some((at, left)) = own.left_here(&reference, oid, pushed)?
            && highest.as_ref().is_none_or(|highest| highest.0 <= at)
        {
            highest = Some((at, StackParent::Rewritten { reference, tip: oid, left }));
        }
    }
    Ok(highest.map(|(_, lower)| lower))
}

/// The one with the higher place; the first of two that are equal.
fn higher(
    one: Option<(usize, StackParent)>,
    other: Option<(usize, StackParent)>,
) -> Option<(usize, StackParent)> {
    match (&one, &other) {
        (Some(one), Some(other)) if one.0 < other.0 => {}
        (None, _) => {}
        _ => return one,
    }
    other
}

/// Whether what the remote has of a branch has all that is here of it.
fn is_part(repo: &dyn Repository, here: Oid, pushed: Option<Oid>) -> Read<bool> {
    Ok(match pushed {
        Some(pushed) => here == pushed || repo.merge_base(here, &[pushed])? == Some(here),
        None => false,
    })
}
