//! Which lines there are: the agents of the policy, and the further worktrees.

use std::path::PathBuf;

use super::Line;
use crate::install::{is_same, policy_worktrees};
use lane_core::error::Error;
use lane_core::facts::Unavailable;
use lane_core::policy::Plan;
use lane_core::policy::model::Unidentified;
use lane_core::report::quote;
use lane_git::worktrees::registered;
use lane_git::{Layout, Repository};

/// One line to be: a worktree, or an agent whose worktree is not there.
#[derive(Debug, Clone)]
pub struct Lane {
    /// The agent, where the policy says that the worktree is its.
    pub agent: Option<String>,
    /// The worktree.
    pub root: PathBuf,
    /// Its git folder; `None` where git knows of no such worktree.
    pub git_dir: Option<PathBuf>,
}

/// The worktrees of the policy's agents in its order, then the others, the main one first.
///
/// # Errors
/// The list cannot be read.
pub fn lanes(repo: &dyn Repository, plan: &Plan) -> Result<Vec<Lane>, Error> {
    let layout = repo.layout();
    let mut trees = registered(layout)?;
    // A bare repository that is called `.git` has no main worktree.
    trees.retain(|tree| tree.git_dir != layout.common_dir || has_main(layout, repo));
    let mut lanes = Vec::new();
    for (agent, root) in policy_worktrees(plan, layout, &trees) {
        let at = trees.iter().position(|tree| is_same(&tree.root, &root));
        let tree = at.map(|at| trees.remove(at));
        let (root, git_dir) = tree.map_or((root, None), |tree| (tree.root, Some(tree.git_dir)));
        lanes.push(Lane { agent: Some(agent), root, git_dir });
    }
    lanes.extend(trees.into_iter().map(|tree| Lane {
        agent: None,
        root: tree.root,
        git_dir: Some(tree.git_dir),
    }));
    Ok(lanes)
}

fn has_main(layout: &Layout, repo: &dyn Repository) -> bool {
    layout.worktree.is_some() && !lane_git::config_bool(repo, "core.bare").unwrap_or(false)
}

/// Whether nobody is known to work in a linked worktree where the policy wants an agent to be: a coding agent's commits
/// are refused there, whatever the verdict on a maintainer's would be. `line`: as it was read.
pub(super) fn is_unassigned(plan: &Plan, line: &Line) -> bool {
    let policy = &plan.policy;
    let is_shared = line.branch.as_deref().is_some_and(|branch| plan.protected(branch).is_some());
    let is_refused = policy.unidentified.agent.value == Unidentified::Deny && !policy.agents.0.is_empty();
    line.agent.is_none() && line.check.is_some() && is_refused && !is_shared
}

/// Says of all such worktrees what an agent there lacks.
pub(super) fn unassigned_note(lines: &[Line]) -> Option<String> {
    let roots: Vec<&PathBuf> =
        lines.iter().filter(|line| line.is_unassigned).filter_map(|line| line.root.as_ref()).collect();
    let first = quote(roots.first()?.as_os_str().as_encoded_bytes());
    let all = roots.iter().map(|root| root.display().to_string()).collect::<Vec<_>>().join(", ");
    Some(format!(
        "no agent is assigned to {all}: commits of a coding agent are refused there; assign one: git lane -C {first} join ID"
    ))
}

/// Gives lines to agents that have none, puts all in order: a worktree may be an agent's by its configuration or
/// its branch alone.
pub(super) fn adopt(repo: &dyn Repository, plan: &Plan, lines: &mut Vec<Line>) {
    let policy = &plan.policy;
    let mut first = Vec::new();
    for agent in &policy.agents.0 {
        let id = &agent.id.value;
        let (mut own, rest): (Vec<Line>, Vec<Line>) =
            lines.drain(..).partition(|line| line.agent.as_ref() == Some(id));
        *lines = rest;
        // Where it works elsewhere, the worktree that is missing says nothing new.
        if own.iter().any(|line| line.root.is_some()) {
            own.retain(|line| line.root.is_some());
        }
        if own.is_empty() {
            own.push(Line { agent: Some(id.clone()), ..Line::default() });
        }
        for line in own.iter_mut().filter(|line| line.root.is_none()) {
            elsewhere(repo, plan, line);
        }
        first.append(&mut own);
    }
    first.append(lines);
    *lines = first;
}

/// The branch of an agent that has no worktree here, if the repository knows it.
fn elsewhere(repo: &dyn Repository, plan: &Plan, line: &mut Line) {
    let policy = &plan.policy;
    let agent = line.agent.as_ref().and_then(|id| policy.agent(id));
    if line.troubles.is_empty() {
        let help = "git worktree add PATH BRANCH\nthen, in it: git lane install --agent ID";
        line.troubles.push(Unavailable::new("it has no worktree here", help));
    }
    let Some(branch) = agent.and_then(|agent| agent.branch.as_ref()).map(|branch| &branch.value) else {
        return;
    };
    let remote = &policy.remote.value;
    for reference in [format!("refs/heads/{branch}"), format!("refs/remotes/{remote}/{branch}")] {
        if let Ok(Some(oid)) = repo.find_ref(&reference) {
            line.branch = Some(branch.clone());
            line.head = Some(oid);
            break;
        }
    }
}
