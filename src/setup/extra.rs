//! A worktree beside an agent's own: made where a harness asks for one, and removed once nothing in it would be lost.

use std::path::Path;

use super::provision::Reporter;
use super::state::{LockedState, unwritable};
use super::target::{Target, worktree_name};
use super::teardown::delete_branch;
use super::{git, join, losses, quoted};
use crate::gather::LoadedPolicy;
use crate::install;
use lane_core::error::Error;
use lane_git::worktrees::Worktree;
use lane_git::{GitRepo, Layout, Repository};
use losses::Loss;

/// Adds a worktree on a branch of its own, as Claude Code does. `from`: what a new branch starts at.
///
/// # Errors
/// git cannot make it.
pub fn add(layout: &Layout, root: &Path, branch: &str, from: &str) -> Result<(), Error> {
    let common_dir = &layout.common_dir;
    let reference = format!("refs/heads/{branch}");
    let is_there = {
        let mut args = || ["rev-parse", "--verify", "-q", &reference].map(str::to_owned).to_vec();
        git::common(common_dir, None, &mut args)?.ok
    };
    let path = root.to_string_lossy().into_owned();
    let _turn = super::tree::one_at_a_time(common_dir)?;
    let ran = git::common(common_dir, None, &mut || {
        let words: Vec<&str> = match is_there {
            true => vec!["worktree", "add", &path, branch],
            false => vec!["worktree", "add", "--no-track", "-b", branch, &path, from],
        };
        words.into_iter().map(str::to_owned).collect()
    })?;
    if ran.ok {
        return Ok(());
    }
    Err(Error::write(
        format!("the worktree {path} could not be created: {}", ran.error_text()),
        "fix this, then start again, or name another one",
    ))
}

/// Removes a worktree that git itself finds nothing in to lose, and its branch where that is merged.
///
/// # Errors
/// git refuses.
pub fn remove_plain(layout: &Layout, root: &Path, branch: Option<&str>) -> Result<(), Error> {
    let path = root.to_string_lossy().into_owned();
    let ran = git::common(&layout.common_dir, None, &mut || {
        vec!["worktree".to_owned(), "remove".to_owned(), path.clone()]
    })?;
    if !ran.ok {
        return Err(Error::usage(
            format!("the worktree {path} was not removed: {}", ran.error_text()),
            format!("see what is in it: git -C {} status", quoted(root)),
        ));
    }
    if let Some(branch) = branch {
        let mut args = || ["branch", "-d", "--", branch].map(str::to_owned).to_vec();
        // One with commits of its own stays.
        let _ = git::common(&layout.common_dir, None, &mut args)?;
    }
    Ok(())
}

/// Removes a worktree that an agent has beside its own, and its branch where that is merged. `Err` of losses: nothing was touched.
///
/// # Errors
/// Something cannot be read, or git refuses.
pub fn remove(
    repo: &dyn Repository,
    loaded: &LoadedPolicy,
    tree: &Worktree,
    agent: &str,
    reporter: &dyn Reporter,
) -> Result<Vec<Loss>, Error> {
    let layout = repo.layout();
    let head = GitRepo::open_at(&tree.root)?.head()?;
    let branch = head.branch.as_deref().and_then(|name| name.strip_prefix("refs/heads/")).unwrap_or_default();
    let name = worktree_name(&Layout { git_dir: tree.git_dir.clone(), ..layout.clone() });
    let noted = join::state_name(agent, &name);
    let target = Target {
        agent: noted.clone(),
        root: tree.root.clone(),
        branch: branch.to_owned(),
        from: None,
        base: loaded.plan.policy.base.value.clone(),
        installed: install::installed_agent(layout, &tree.git_dir)?,
        steps: Vec::new(),
    };
    let held = LockedState::open(&layout.common_dir, &noted, reporter)?;
    let found = losses::in_worktree(repo, loaded, &target, &tree.git_dir)?;
    if !found.is_empty() {
        return Ok(found);
    }
    remove_plain(layout, &tree.root, None)?;
    crate::ports::forget(&layout.common_dir, agent, &name)?;
    held.forget()?;
    if !branch.is_empty() {
        let target = Target { agent: agent.to_owned(), ..target };
        delete_branch(repo, loaded, &target, branch, &mut Vec::new(), &mut Vec::new())?;
    }
    Ok(found)
}

/// Holds off whoever looks for a free lane at the same time.
///
/// # Errors
/// The lock file cannot be written.
pub fn one_at_a_time(common_dir: &Path) -> Result<std::fs::File, Error> {
    let path = common_dir.join("lane/setup/harness.lock");
    lane_git::state_file::locked(&path).map_err(|error| unwritable(&path, &error))
}
