//! Branches that are based on one another: what of one has landed, which one it is based on, and all that are below it.

mod chain;

use std::path::Path;
use std::time::Duration;

pub use chain::{Step, below};

use lane_core::error::Error;
use lane_core::facts::{Oid, RepoPath};
use lane_core::policy::Plan;
use lane_git::command::{in_worktree, run as run_git};
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
    let Some(template) = &plan.branch else {
        return Ok(None);
    };
    let Some(agent) = template.parse(branch).filter(|agent| !agent.is_empty()) else {
        return Ok(None);
    };
    let own = repo.commits(&[tip], &[landed])?;
    let place = |oid: Oid| own.iter().position(|known| *known == oid);
    let prefix = format!("refs/remotes/{}/", plan.policy.remote.value);
    let form = template.for_agent(agent);
    let literal = form.split('{').next().unwrap_or_default();
    let is_other = |name: &str| name != branch && template.parse(name) == Some(agent);
    let mut highest: Option<(usize, StackParent)> = None;
    for reference in repo.ref_names(&format!("{prefix}{literal}"))? {
        let name = reference.strip_prefix(&prefix).unwrap_or_default();
        let Some(oid) = repo.find_ref(&reference)?.filter(|oid| *oid != tip && is_other(name)) else {
            continue;
        };
        let found = match place(oid) {
            Some(at) => Some((at, StackParent::Pushed(name.to_owned()))),
            // One that is based on this branch was never left by it.
            None if repo.merge_base(oid, &[tip])? == Some(tip) => None,
            None => fork_point(root, &reference, tip)?
                .and_then(|left| Some((place(left)?, StackParent::Rewritten { reference, tip: oid, left }))),
        };
        if let Some(found) = found
            && highest.as_ref().is_none_or(|highest| highest.0 < found.0)
        {
            highest = Some(found);
        }
    }
    for (name, oid) in told.iter().filter(|(name, oid)| *oid != tip && is_other(name)) {
        if let Some(at) = place(*oid)
            && highest.as_ref().is_none_or(|highest| highest.0 < at)
        {
            highest = Some((at, StackParent::Pushed(name.clone())));
        }
    }
    let chain = OwnCommits { repo, root, tip, own: &own };
    for reference in repo.ref_names(&format!("refs/heads/{literal}"))? {
        let name = reference.strip_prefix("refs/heads/").unwrap_or_default();
        if is_other(name)
            && let Some((at, parent)) = chain.rewritten(&reference, &format!("{prefix}{name}"))?
            && highest.as_ref().is_none_or(|highest| highest.0 <= at)
        {
            highest = Some((at, parent));
        }
    }
    Ok(highest.map(|(_, lower)| lower))
}

/// The commits of a branch, parents before children.
struct OwnCommits<'a> {
    repo: &'a dyn Repository,
    root: &'a Path,
    tip: Oid,
    own: &'a [Oid],
}

impl OwnCommits<'_> {
    /// A branch of this repository that they were based on and that has changed since, with the place of the commit at which they
    /// left it; `tracking`: what the remote has of it.
    fn rewritten(&self, reference: &str, tracking: &str) -> Result<Option<(usize, StackParent)>, Error> {
        let Self { repo, root, tip, own } = *self;
        let Some(oid) = repo.find_ref(reference)?.filter(|oid| *oid != tip && !own.contains(oid)) else {
            return Ok(None);
        };
        // Based on these itself, or no further than what the remote has.
        if repo.merge_base(oid, &[tip])? == Some(tip) {
            return Ok(None);
        }
        if let Some(pushed) = repo.find_ref(tracking)?
            && repo.merge_base(oid, &[pushed])? == Some(oid)
        {
            return Ok(None);
        }
        let Some(left) = fork_point(root, reference, tip)? else {
            return Ok(None);
        };
        let Some(at) = own.iter().position(|known| *known == left) else {
            return Ok(None);
        };
        // What was cut from the same commit is beside it, not below.
        let is_below = first_of(root, reference).is_some_and(|first| first != left);
        let parent = || StackParent::Rewritten { reference: reference.to_owned(), tip: oid, left };
        Ok(is_below.then(|| (at, parent())))
    }
}

/// The commit at which a branch was made, by the oldest entry of its log.
fn first_of(root: &Path, reference: &str) -> Option<Oid> {
    let mut git = in_worktree(root);
    git.args(["reflog", "show", "--format=%H", reference, "--"]);
    let ran = run_git(git, None, SHORT).ok().filter(|ran| ran.ok)?;
    Oid::from_hex(ran.stdout.lines().next_back()?.trim())
}

/// Where a commit left a ref that was rewritten since, by the ref's log: git-merge-base(1).
fn fork_point(root: &Path, reference: &str, tip: Oid) -> Result<Option<Oid>, Error> {
    let mut git = in_worktree(root);
    git.args(["merge-base", "--fork-point", reference, &tip.to_string()]);
    let ran = run_git(git, None, SHORT)?;
    Ok(Oid::from_hex(ran.stdout.trim()).filter(|_| ran.ok))
}
