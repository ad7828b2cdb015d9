//! All branches that one is based on.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::is_part;
use lane_core::facts::Oid;
use lane_core::policy::Plan;
use lane_core::policy::model::Agent;
use lane_git::{Read, Repository};

/// A branch of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its short name.
    pub branch: String,
    /// Its tip: here, or else as the remote has it.
    pub tip: Oid,
    /// How many commits it has above the branch below it, or above what the stack is based on.
    pub commits: usize,
    /// Whether it is a branch of this repository, with that tip.
    pub is_here: bool,
    /// What the remote has of it, as far as that is known here.
    pub pushed: Option<Oid>,
}

impl Step {
    /// Whether the remote has it as it is here.
    pub fn is_pushed(&self) -> bool {
        self.pushed == Some(self.tip)
    }
}

/// The branches of the same agent whose tips are commits of a branch below its own tip, lowest first. `above`: what the
/// stack is based on.
///
/// # Errors
/// Refs or history cannot be read.
pub fn below(
    repo: &dyn Repository,
    plan: &Plan,
    branch: &str,
    tip: Oid,
    above: Option<Oid>,
) -> Read<Vec<Step>> {
    let Some(names) = &plan.branch else {
        return Ok(Vec::new());
    };
    let Some(agent) = names.parse(branch).filter(|agent| !agent.is_empty()) else {
        return Ok(Vec::new());
    };
    let beginning = names.beginning_for(agent);
    // Its tip here, and what the remote has.
    let mut branches: BTreeMap<String, [Option<Oid>; 2]> = BTreeMap::new();
    let places_of = ["refs/heads/".to_owned(), format!("refs/remotes/{}/", plan.policy.remote.value)];
    for (place, prefix) in places_of.iter().enumerate() {
        for reference in repo.ref_names(&format!("{prefix}{beginning}"))? {
            let name = reference.strip_prefix(prefix.as_str()).unwrap_or_default();
            if name != branch && names.parse(name) == Some(agent) && plan.protected(name).is_none() {
                branches.entry(name.to_owned()).or_default()[place] = repo.find_ref(&reference)?;
            }
        }
    }
    if branches.is_empty() {
        return Ok(Vec::new());
    }
    let own = repo.commits(&[tip], above.as_slice())?;
    let places: HashMap<Oid, usize> = own.iter().enumerate().map(|(at, oid)| (*oid, at + 1)).collect();
    // A branch that was begun here and has nothing of its own yet is above what the remote has at its tip.
    let is_new = repo.find_ref(&format!("{}{branch}", places_of[1]))?.is_none();
    let mut steps: Vec<(usize, Step)> = Vec::new();
    for (branch, [here, pushed]) in branches {
        let is_below = |oid: &Oid| *oid != tip || is_new && pushed.is_some();
        let found = |oid: Option<Oid>| oid.filter(is_below).and_then(|oid| Some((oid, *places.get(&oid)?)));
        // Where the remote is further on, what is here is not what others see.
        let is_old = here != pushed && here.map_or(Ok(false), |here| is_part(repo, here, pushed))?;
        let is_here = found(here).is_some() && !is_old;
        let there = if is_here { found(here) } else { found(pushed).or(found(here)) };
        let is_kept = here.is_some() && pushed.is_none() && is_kept(repo, plan, &branch);
        if let Some((tip, at)) = there.filter(|_| !is_kept) {
            steps.push((at, Step { branch, tip, commits: 0, is_here, pushed }));
        }
    }
    steps.sort_by_key(|(at, _)| *at);
    // One that nobody else has, at the commit of one that was pushed, is a copy of it.
    let pushed: HashSet<usize> =
        steps.iter().filter(|(_, step)| step.pushed.is_some()).map(|(at, _)| *at).collect();
    steps.retain(|(at, step)| step.pushed.is_some() || !pushed.contains(at));
    let mut last = 0;
    for (at, step) in &mut steps {
        (step.commits, last) = (*at - last, *at);
    }
    Ok(steps.into_iter().map(|(_, step)| step).collect())
}

/// Whether a branch that nobody has pushed is there to keep commits, and not to be worked on: the policy gives it to no agent,
/// and by its log it was made and never moved.
fn is_kept(repo: &dyn Repository, plan: &Plan, branch: &str) -> bool {
    let own = |agent: &Agent| agent.branch.as_ref().is_some_and(|own| own.value == branch);
    if plan.policy.agents.0.iter().any(own) {
        return false;
    }
    let log = repo.layout().common_dir.join("logs/refs/heads").join(branch);
    // Where there is no log, nothing tells.
    std::fs::read_to_string(log).is_ok_and(|log| log.lines().count() < 2)
}
