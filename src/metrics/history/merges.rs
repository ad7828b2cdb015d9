//! Conflicts that somebody resolved: merges that git, tried again, cannot make by itself.

use std::time::Duration;

use super::super::Query;
use super::cache::Cache;
use super::overlap;
use super::walk::read_all;
use crate::conflicts::{Clash, Forecast, forecast};
use lane_core::facts::{Oid, Unavailable};
use lane_core::identity::of_branch;
use lane_core::metrics::history::{History, HistoryCommit, Landing};
use lane_core::metrics::merge_subject::MergeSubject;
use lane_core::metrics::{ChangeCount, ConflictKind, LostMerge, Metrics, Missing};
use lane_git::{Read, Repository};

/// How long all merges together may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A merge of the period, and the agent whose change it belongs to.
struct Merge {
    oid: Oid,
    parents: (Oid, Oid),
    at: i64,
    agents: Vec<String>,
}

/// The conflicts that were resolved in the period, oldest first: in what was merged, and on branches that are open.
pub fn resolved(
    query: &Query,
    history: &History,
    landings: &[Landing],
    counts: &[&ChangeCount],
    cache: &mut Cache,
    metrics: &mut Metrics,
) -> Vec<LostMerge> {
    overlap::without(query, history, landings, counts, cache);
    let mut merges = Vec::new();
    for landing in landings {
        let agent = landing.agent.as_ref().map(|(agent, _)| agent.as_str());
        merges.extend(history.commits_of(landing).filter_map(|commit| merge(query, commit, agent)));
    }
    match on_open_branches(query) {
        Ok(more) => merges.extend(more),
        Err(why) => metrics.missing.push(Missing {
            what: "conflicts".to_owned(),
            reason: format!("merges on open branches could not be read: {}", why.reason),
            help: why.help,
        }),
    }
    merges.sort_by_key(|merge| merge.at);
    let open: Vec<&Merge> = merges.iter().filter(|merge| cache.conflict(merge.oid).is_none()).collect();
    let pairs: Vec<(Oid, Oid)> = open.iter().map(|merge| merge.parents).collect();
    let mut unknown: Vec<Unavailable> = Vec::new();
    for (merge, found) in open.iter().zip(forecast(query.repo, &pairs, PATIENCE)) {
        match found {
            Forecast::Clean => cache.keep_conflict(merge.oid, Vec::new()),
            Forecast::Conflicts(files) => cache.keep_conflict(merge.oid, files.iter().map(path).collect()),
            Forecast::Unknown(why) => unknown.push(why),
        }
    }
    if let Some(why) = unknown.first() {
        let (count, of) = (unknown.len(), merges.len());
        metrics.missing.push(Missing {
            what: "conflicts".to_owned(),
            reason: format!("{count} of {of} merges could not be tried again: {}", why.reason),
            help: why.help.clone(),
        });
    }
    let lost = |merge: Merge| {
        let files = cache.conflict(merge.oid).filter(|files| !files.is_empty())?.to_vec();
        Some(LostMerge {
            kind: ConflictKind::Merge,
            commit: Some(merge.oid.to_string()),
            at: Some(merge.at),
            agents: merge.agents,
            files,
        })
    };
    merges.into_iter().filter_map(lost).collect()
}

fn path(clash: &Clash) -> String {
    clash.path.to_string()
}

/// A commit as a merge to try again. Of more than two parents git merges only what has no conflicts.
fn merge(query: &Query, commit: &HistoryCommit, agent: Option<&str>) -> Option<Merge> {
    let [ours, theirs] = commit.parents[..] else { return None };
    let is_wanted = query.period.from <= commit.committed && commit.committed < query.period.to;
    let said = MergeSubject::of(&commit.message);
    let named = [said.branch, said.into].into_iter().flatten();
    let named = named.filter_map(|branch| of_branch(query.plan, &branch).map(str::to_owned));
    let mut agents: Vec<String> = agent.map(str::to_owned).into_iter().chain(named).collect();
    let mut seen = std::collections::HashSet::new();
    agents.retain(|agent| seen.insert(agent.clone()));
    is_wanted.then_some(Merge { oid: commit.oid, parents: (ours, theirs), at: commit.committed, agents })
}

/// The merges on branches that the base does not have yet.
fn on_open_branches(query: &Query) -> Read<Vec<Merge>> {
    let Some(base) = &query.loaded.base else { return Ok(Vec::new()) };
    let mut merges = Vec::new();
    let mut known = vec![base.oid];
    for (name, tip) in super::branches::open(query)? {
        let oids = query.repo.commits(&[tip], &known)?;
        let agent = of_branch(query.plan, super::branches::short(query, &name));
        let commits = read_all(query.repo, &oids)?;
        merges.extend(commits.iter().filter_map(|commit| merge(query, commit, agent)));
        known.push(tip);
    }
    Ok(merges)
}
