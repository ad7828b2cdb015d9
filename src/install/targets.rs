//! The worktrees that an installation is for.

use std::fs;
use std::path::{Path, PathBuf};

use super::os::is_same_file;
use super::outcome::{State, WorktreeOutcome};
use super::settings::OWN_CONFIG;
use super::{InstallOptions, ini, os};
use lane_core::error::Error;
use lane_core::policy::Plan;
use lane_git::worktrees::{Worktree, worktrees};
use lane_git::{Layout, Repository};

/// A worktree to install into.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub root: PathBuf,
    pub git_dir: PathBuf,
    /// Whose it is said to be now; `None`: as before.
    pub agent: Option<String>,
}

impl Target {
    /// Where this worktree lies, for looking up its hooks.
    pub fn layout(&self, layout: &Layout) -> Layout {
        let (git_dir, common_dir) = (self.git_dir.clone(), layout.common_dir.clone());
        Layout { git_dir, common_dir, worktree: Some(self.root.clone()) }
    }
}

/// Refuses what cannot be installed, before anything is touched.
pub(crate) fn check(plan: &Plan, options: &InstallOptions) -> Result<(), Error> {
    if let Some(id) = &options.agent {
        plan.agent(id)?;
    }
    check_binary(&options.binary)
}

/// Refuses what the scripts could not start.
pub(crate) fn check_binary(binary: &Path) -> Result<(), Error> {
    if !binary.is_absolute() || !os::is_executable(binary) {
        return Err(Error::usage(
            format!("{} is not the absolute path of a program", binary.display()),
            "hooks start git-lane by its path: install it permanently, then run it from there",
        ));
    }
    Ok(())
}

/// The worktree that the command runs in, first, and those that the policy names.
pub(crate) fn targets(
    repo: &dyn Repository,
    plan: &Plan,
    options: &InstallOptions,
) -> Result<(Vec<Target>, Vec<WorktreeOutcome>), Error> {
    let layout = repo.layout();
    let Some(root) = &layout.worktree else {
        return Err(Error::usage(
            "a bare repository has no worktree to install hooks into",
            "judge pushes to it: git lane install --server\n\
             or run it in one of its worktrees (see `git worktree list`; `git lane setup` creates those of the policy)",
        ));
    };
    let agent = options.agent.clone();
    let mut targets = vec![Target { root: root.clone(), git_dir: layout.git_dir.clone(), agent }];
    let mut missing = Vec::new();
    if !options.all {
        return Ok((targets, missing));
    }
    let present = worktrees(layout)?;
    for (id, root) in policy_worktrees(plan, layout, &present) {
        let root_there = fs::canonicalize(&root).ok();
        let there = root_there.and_then(|root| present.iter().find(|tree| is_same(&tree.root, &root)));
        match there {
            Some(tree) if is_same(&tree.git_dir, &layout.git_dir) => {
                targets[0].agent = targets[0].agent.take().or(Some(id));
            }
            Some(Worktree { root, git_dir }) => {
                targets.push(Target { root: root.clone(), git_dir: git_dir.clone(), agent: Some(id) });
            }
            None => missing.push(WorktreeOutcome {
                root,
                branch: plan.policy.agent(&id).and_then(|agent| Some(agent.branch.as_ref()?.value.clone())),
                agent: Some(id),
                state: State::NoWorktree,
                chained: None,
            }),
        }
    }
    Ok((targets, missing))
}

/// The worktrees that the policy names, by agent.
pub(crate) fn policy_worktrees(plan: &Plan, layout: &Layout, present: &[Worktree]) -> Vec<(String, PathBuf)> {
    let main = present.iter().find(|tree| tree.git_dir == layout.common_dir);
    // A bare repository has no main worktree: its own folder stands for one.
    let from = main.map_or(&layout.common_dir, |tree| &tree.root);
    let agents = plan.policy.agents.0.iter();
    let named = agents.filter_map(|agent| Some((agent, agent.worktree.as_ref()?)));
    named
        .map(|(agent, path)| (agent.id.value.clone(), lane_git::join(from, Path::new(&path.value))))
        .collect()
}

/// The worktrees that the policy names, by agent, whether they are there or not.
///
/// # Errors
/// The worktrees that are there cannot be listed.
pub fn worktrees_of(plan: &Plan, layout: &Layout) -> Result<Vec<(String, PathBuf)>, Error> {
    Ok(policy_worktrees(plan, layout, &worktrees(layout)?))
}

/// The worktrees of these agents, at these roots.
pub(crate) fn targets_at(layout: &Layout, agents: &[(String, PathBuf)]) -> Result<Vec<Target>, Error> {
    let present = worktrees(layout)?;
    let target = |(agent, root): &(String, PathBuf)| {
        let tree = present.iter().find(|tree| is_same(&tree.root, root))?;
        let (root, git_dir) = (tree.root.clone(), tree.git_dir.clone());
        Some(Target { root, git_dir, agent: Some(agent.clone()) })
    };
    Ok(agents.iter().filter_map(target).collect())
}

/// Whether two paths lead to one place.
pub fn is_same(one: &Path, other: &Path) -> bool {
    one == other || is_same_file(one, other)
}

/// All values of `core.hooksPath` that hold in a worktree, lowest scope first. The repository was
/// opened in one worktree: for another, that one's own values give way to the other's.
pub(crate) fn hooks_paths(
    repo: &dyn Repository,
    git_dir: &Path,
    is_extension_on: bool,
) -> Result<Vec<String>, Error> {
    let mut values = repo.config("core.hooksPath")?;
    if !is_extension_on || is_same(git_dir, &repo.layout().git_dir) {
        return Ok(values);
    }
    let own = own_values(&repo.layout().git_dir)?;
    if values.ends_with(&own) {
        values.truncate(values.len() - own.len());
    }
    values.extend(own_values(git_dir)?);
    Ok(values)
}

fn own_values(git_dir: &Path) -> Result<Vec<String>, Error> {
    let text = os::read(&git_dir.join(OWN_CONFIG))?.unwrap_or_default();
    let values = ini::values(&text, "core.hookspath").into_iter();
    Ok(values.map(|value| String::from_utf8_lossy(&value).into_owned()).collect())
}
