//! Where a policy and a CODEOWNERS file give a path to different owners.

use std::collections::BTreeMap;

use super::{Codeowners, Host, is_owner, sorted};
use crate::policy::model::{Access, Agent};
use crate::policy::{Decision, Owner, Plan};

/// How many paths of each kind are named.
const NAMED: usize = 3;

/// Paths that the two give to different owners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parting {
    /// The owners by the policy, as the host knows them; none: nobody.
    pub policy: Vec<String>,
    /// The owners by CODEOWNERS.
    pub codeowners: Vec<String>,
    /// How many paths it is.
    pub count: usize,
    /// The first of them.
    pub first: Vec<String>,
}

/// The owners of an agent as a host knows them: what its `owner` says, or else its accounts on GitHub.
pub(super) fn owners_of(agent: &Agent, host: Host) -> Vec<String> {
    if !agent.owner.is_empty() {
        return agent.owner.iter().map(|owner| owner.value.clone()).collect();
    }
    let accounts = agent.identity.iter().flat_map(|identity| &identity.github);
    let accounts = accounts.filter(|_| host == Host::GitHub).map(|name| format!("@{}", name.value));
    accounts.filter(|owner| is_owner(owner)).collect()
}

/// The maintainers as a host knows them.
pub(super) fn maintainers(plan: &Plan, host: Host) -> Vec<String> {
    let names = plan.policy.maintainers.iter().map(|name| name.value.as_str());
    let owners = names.filter_map(|name| match name.strip_prefix("github:") {
        Some(account) => (host == Host::GitHub).then(|| format!("@{account}")),
        None => Some(name.to_owned()),
    });
    owners.filter(|owner| is_owner(owner)).collect()
}

/// The owners that a policy gives a path, as a host knows them; `None` where an agent or the maintainers own it that the policy
/// does not say that of.
pub fn policy_owners(plan: &Plan, host: Host, decision: &Decision<'_>) -> Option<Vec<String>> {
    let agents: Vec<&str> = decision.owner_ids();
    if agents.is_empty() {
        let is_maintained =
            matches!(decision.owner, Some(Owner::Area(area)) if area.access.value == Access::Maintainer);
        let owners = if is_maintained { maintainers(plan, host) } else { Vec::new() };
        return (!is_maintained || !owners.is_empty()).then_some(owners);
    }
    let mut owners = Vec::new();
    for id in agents {
        let of_agent = owners_of(plan.policy.agent(id)?, host);
        if of_agent.is_empty() {
            return None;
        }
        owners.extend(of_agent);
    }
    Some(owners)
}

/// Where the two part, on these files: with each, whether it is a link or a submodule. Paths whose owners the policy does not
/// name are left out. Most paths first.
pub fn partings(plan: &Plan, codeowners: &Codeowners, files: &[(Vec<u8>, bool)]) -> Vec<Parting> {
    let mut found: BTreeMap<(Vec<String>, Vec<String>), Vec<String>> = BTreeMap::new();
    let mut counts: BTreeMap<(Vec<String>, Vec<String>), usize> = BTreeMap::new();
    for (path, is_folder) in files {
        let decision = plan.decide(path, *is_folder);
        let Some(owners) = policy_owners(plan, codeowners.host, &decision) else { continue };
        let ours = sorted(owners.into_iter());
        let theirs: Vec<String> = codeowners.owners(path).owners.into_iter().map(str::to_owned).collect();
        if ours == theirs {
            continue;
        }
        let key = (ours, theirs);
        *counts.entry(key.clone()).or_default() += 1;
        let first = found.entry(key).or_default();
        if first.len() < NAMED {
            first.push(crate::facts::RepoPath(path.clone()).to_string());
        }
    }
    let mut partings: Vec<Parting> = found
        .into_iter()
        .map(|(key, first)| {
            let count = counts.get(&key).copied().unwrap_or_default();
            Parting { policy: key.0, codeowners: key.1, count, first }
        })
        .collect();
    partings.sort_by_key(|parting| std::cmp::Reverse(parting.count));
    partings
}
