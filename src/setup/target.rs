//! What the policy wants of an agent's worktree, and what git has of it.

use std::fs;
use std::path::{Path, PathBuf};

use super::state::hash;
use crate::gather::LoadedPolicy;
use crate::install;
use lane_core::error::Error;
use lane_core::facts::Unavailable;
use lane_core::policy::Plan;
use lane_git::worktrees::worktrees;
use lane_git::{Layout, Repository};

/// One agent's worktree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub agent: String,
    /// The root of the worktree.
    pub root: PathBuf,
    /// The branch that it starts on, without `refs/heads/`.
    pub branch: String,
    /// What the branch is made from if it is not there: a full ref, or a commit.
    pub from: Option<String>,
    /// The base branch.
    pub base: String,
    /// The agent that the worktree is installed for now.
    pub installed: Option<String>,
    /// The name and the hash of the command of each step.
    pub steps: Vec<(String, String)>,
}

/// The agents that were named, or all that have a worktree.
///
/// # Errors
/// One that the policy does not have, or that has no worktree.
pub(super) fn select(
    repo: &dyn Repository,
    loaded: &LoadedPolicy,
    ids: &[String],
) -> Result<Vec<Target>, Error> {
    let plan = &loaded.plan;
    for id in ids {
        let agent = plan.agent(id)?;
        if agent.worktree.is_none() {
            return Err(Error::usage(
                format!("{id} has no worktree in {}", plan.source.name),
                format!("add one: `agents.{id}.worktree: ../wt-{id}`"),
            ));
        }
    }
    let roots = install::worktrees_of(plan, repo.layout())?;
    let is_wanted = |(id, _): &(String, PathBuf)| ids.is_empty() || ids.contains(id);
    let mut targets = Vec::new();
    for (agent, root) in roots.into_iter().filter(is_wanted) {
        targets.push(target(repo, loaded, agent, root)?);
    }
    if targets.is_empty() {
        return Err(Error::usage(
            format!("no agent has a worktree in {}", plan.source.name),
            "add one to each agent: `worktree: ../wt-a1`",
        ));
    }
    // Two who set the same agents up wait for one another in the same order.
    targets.sort_by(|a, b| a.agent.cmp(&b.agent));
    Ok(targets)
}

fn target(repo: &dyn Repository, loaded: &LoadedPolicy, id: String, root: PathBuf) -> Result<Target, Error> {
    let policy = &loaded.plan.policy;
    let written =
        policy.agent(&id).and_then(|agent| agent.branch.as_ref()).map(|branch| branch.value.clone());
    let branch = written.unwrap_or_else(|| default_branch(&loaded.plan, &id));
    // Work of this agent that another clone pushed is gone on with; all else begins at the base.
    let pushed = format!("refs/remotes/{}/{branch}", policy.remote.value);
    let from = match repo.find_ref(&pushed)? {
        Some(_) => Some(pushed),
        None => loaded.base.as_ref().map(|base| base.reference.clone()),
    };
    let root = fs::canonicalize(&root).unwrap_or(root);
    let installed = match entry_of(repo.layout(), &root)? {
        Some(git_dir) => install::installed_agent(repo.layout(), &git_dir)?,
        None => None,
    };
    let steps = policy.provision.iter();
    let steps = steps.map(|step| (step.name.value.clone(), hash(step.run.value.as_bytes()))).collect();
    let base = policy.base.value.clone();
    Ok(Target { agent: id, root, branch, from, base, installed, steps })
}

/// `feat/{agent}/{feature}` gives `feat/a1/main`; without a pattern, the agent's own name is the branch's.
fn default_branch(plan: &Plan, id: &str) -> String {
    plan.branch.as_ref().map_or_else(|| format!("{id}/main"), |names| names.usual(id))
}

/// The git folder of the worktree at a root, also where that root is gone.
///
/// # Errors
/// The worktrees cannot be listed.
pub(super) fn entry_of(layout: &Layout, root: &Path) -> Result<Option<PathBuf>, Error> {
    let present = worktrees(layout)?;
    if let Some(found) = present.iter().find(|tree| install::is_same(&tree.root, root)) {
        return Ok(Some(found.git_dir.clone()));
    }
    Ok(gone_entry(&layout.common_dir, root))
}

/// The git folder of a worktree whose own folder is gone, or not whole: gitrepository-layout(5),
/// `worktrees/<id>/gitdir`.
pub(super) fn gone_entry(common_dir: &Path, root: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(common_dir.join("worktrees")).ok()?.flatten();
    entries.map(|entry| entry.path()).find(|git_dir| {
        let pointer = fs::read_to_string(git_dir.join("gitdir")).unwrap_or_default();
        let pointer = git_dir.join(pointer.trim_end());
        pointer.parent().is_some_and(|at| install::is_same(at, root))
    })
}

/// The root of an agent's worktree as the policy has it, whether it is there or not.
///
/// # Errors
/// The worktrees cannot be listed.
pub fn root_of(repo: &dyn Repository, plan: &Plan, agent: &str) -> Result<Option<PathBuf>, Error> {
    let named = install::worktrees_of(plan, repo.layout())?;
    Ok(named.into_iter().find(|(id, _)| id == agent).map(|(_, root)| fs::canonicalize(&root).unwrap_or(root)))
}

/// The name of an agent's worktree, as the policy has it: as [`worktree_name`] says it there, and as git will name
/// it where it is not made yet. `None`: the policy gives it none.
///
/// # Errors
/// The worktrees cannot be listed.
pub fn worktree_name_of(repo: &dyn Repository, plan: &Plan, agent: &str) -> Result<Option<String>, Error> {
    let Some(root) = root_of(repo, plan, agent)? else { return Ok(None) };
    let layout = repo.layout();
    Ok(match entry_of(layout, &root)? {
        Some(git_dir) => Some(worktree_name(&Layout { git_dir, ..layout.clone() })),
        None => root.file_name().map(|name| format!("worktrees/{}", name.to_string_lossy())),
    })
}

/// A worktree's name in its repository: `worktrees/<id>`, or `.` for the main one.
pub fn worktree_name(layout: &Layout) -> String {
    match layout.git_dir.strip_prefix(&layout.common_dir) {
        Ok(name) if !name.as_os_str().is_empty() => name.to_string_lossy().into_owned(),
        _ => ".".to_owned(),
    }
}

/// That there is nothing to make a branch from. `remote`: where the base may be, if there is such a remote.
pub(super) fn no_base(target: &Target, remote: Option<&str>) -> Error {
    let Target { branch, base, agent, .. } = target;
    let how = match remote {
        Some(remote) => format!("fetch it: git fetch {remote} {base}:refs/remotes/{remote}/{base}"),
        None => format!(
            "create its first commit, with the policy for example, on {base}: git add policy.yaml\n\
             git commit -m 'chore: a policy for our agents'"
        ),
    };
    Unavailable::new(
        format!("the branch {branch} cannot be created: the base `{base}` is not here"),
        format!("{how}\nthen rerun: git lane setup {agent}"),
    )
    .into()
}
