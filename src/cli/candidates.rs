//! Values that a shell completes: agents, areas, branches, rules, requests, worktrees. Whatever cannot be read has no
//! candidates, and nothing is said about it: somebody is in the middle of typing.

use std::ffi::OsStr;

use clap::builder::StyledStr;
use clap_complete::engine::{ArgValueCompleter, PathCompleter, ValueCompleter as _};
use clap_complete::{ArgValueCandidates, CompletionCandidate};

use crate::ops::{Session, Silent};
use crate::requests::log::RequestLog;
use lane_core::policy::Policy;
use lane_core::policy::model::Access;
use lane_core::rules::RULES;
use lane_git::worktrees::worktrees;
use lane_git::{GitRepo, Repository};

fn candidate(value: &str, help: &str) -> CompletionCandidate {
    CompletionCandidate::new(value).help((!help.is_empty()).then(|| StyledStr::from(help.to_owned())))
}

fn of_policy(list: impl FnOnce(&Policy) -> Vec<CompletionCandidate>) -> Vec<CompletionCandidate> {
    Session::open(Silent, None).map(|session| list(&session.loaded.plan.policy)).unwrap_or_default()
}

/// The agents of the policy.
pub fn agents() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        of_policy(|policy| {
            let agents = policy.agents.0.iter();
            agents
                .map(|agent| {
                    let name = agent.name.as_ref().map_or("", |name| &name.value);
                    candidate(&agent.id.value, name)
                })
                .collect()
        })
    })
}

/// The areas of the policy.
pub fn areas() -> ArgValueCandidates {
    ArgValueCandidates::new(|| of_policy(|policy| areas_of(policy, |_| true)))
}

fn areas_of(policy: &Policy, is_wanted: impl Fn(Access) -> bool) -> Vec<CompletionCandidate> {
    let areas = policy.areas.iter().filter(|area| is_wanted(area.access.value));
    areas
        .map(|area| {
            let paths: Vec<&str> = area.paths.iter().map(|path| path.value.as_str()).collect();
            candidate(&area.name.value, &paths.join(" "))
        })
        .collect()
}

/// The services of the lanes.
pub fn services() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        of_policy(|policy| {
            let agents = policy.agents.0.iter();
            let services =
                agents.flat_map(|agent| agent.services.iter().map(move |service| (agent, service)));
            services.map(|(agent, service)| candidate(&service.value, &agent.id.value)).collect()
        })
    })
}

/// What can be locked: areas whose access is a lock, and paths.
pub fn scopes() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let areas = of_policy(|policy| areas_of(policy, |access| access == Access::Lock));
        let mut found = starting(areas, current);
        found.extend(PathCompleter::any().complete(current));
        found
    })
}

/// Folders: the worktrees of the repository first.
pub fn folders() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let trees = GitRepo::open().ok().and_then(|repo| worktrees(repo.layout()).ok()).unwrap_or_default();
        let trees = trees.iter().map(|tree| candidate(&tree.root.to_string_lossy(), "worktree"));
        let mut found = starting(trees.collect(), current);
        found.extend(PathCompleter::dir().complete(current));
        found
    })
}

fn starting(candidates: Vec<CompletionCandidate>, current: &OsStr) -> Vec<CompletionCandidate> {
    let start = current.as_encoded_bytes();
    let fits = |candidate: &CompletionCandidate| candidate.get_value().as_encoded_bytes().starts_with(start);
    candidates.into_iter().filter(fits).collect()
}

/// The local branches.
pub fn branches() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let names =
            GitRepo::open().ok().and_then(|repo| repo.ref_names("refs/heads/").ok()).unwrap_or_default();
        names.iter().filter_map(|name| Some(candidate(name.strip_prefix("refs/heads/")?, ""))).collect()
    })
}

/// The rules.
pub fn rules() -> ArgValueCandidates {
    ArgValueCandidates::new(|| RULES.iter().map(|rule| candidate(rule.id, rule.summary)).collect())
}

/// The requests as this clone knows them.
pub fn requests() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let Ok(session) = Session::open(Silent, None) else {
            return Vec::new();
        };
        let all = RequestLog::new(&session.repo, &session.loaded.plan).all();
        let tips = all.into_iter().flatten().filter_map(|(_, tip)| tip.ok());
        tips.map(|tip| candidate(&tip.record.id, &tip.record.reason)).collect()
    })
}
