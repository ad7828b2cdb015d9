//! What git's own history tells: changes, sizes, times, conflicts, contested files, lanes that are cut wrong.

use lane_core::facts::Unavailable;
use lane_core::metrics::agents::agents;
use lane_core::metrics::contested::contested;
use lane_core::metrics::history::{BaseName, Landing};
use lane_core::metrics::landed::{add_pulls, landed_change, lead_times, sizes};
use lane_core::metrics::lane_cuts::lane_cuts;
use lane_core::metrics::waivers::waivers;
use lane_core::metrics::{ChangeCount, Conflicts, LandedChange, LostMerge, Metrics, Missing};

use super::Query;
use walk::Walked;

mod branches;
mod cache;
mod counts;
mod forecast;
mod merges;
mod overlap;
mod rebases;
pub mod walk;

/// Seconds of a week.
const WEEK: f64 = 604_800.0;

/// Puts it into the report.
pub fn read(query: &Query, metrics: &mut Metrics) {
    let Some(base) = &query.loaded.base else {
        metrics.missing.push(no_base(query));
        return;
    };
    match walk::walk(query, base.oid) {
        Ok(walked) => tell(query, &walked, metrics),
        Err(why) => metrics.missing.push(missing("changes", why)),
    }
    branches::read(query, base, metrics);
    forecast::read(query, metrics);
}

/// Everything that follows from the changes that were merged.
fn tell(query: &Query, walked: &Walked, metrics: &mut Metrics) {
    let (plan, history) = (query.plan, &walked.history);
    metrics.missing.extend(walked.missing.iter().cloned());
    let mut landings: Vec<Landing> = history
        .landings(plan)
        .into_iter()
        .filter(|landing| walked.is_wanted(landing, query.period))
        .collect();
    add_pulls(
        plan,
        history,
        &mut landings,
        query.github.map(|github| github.pulls.as_slice()).unwrap_or_default(),
    );
    let mut cache = cache::Cache::open(query);
    let counted = counts::count(query, history, &landings, &mut cache);
    metrics.missing.extend(counts::missing(&counted));
    let counts: Vec<&ChangeCount> = counted.iter().map(|(count, _)| count).collect();
    let mut resolved = merges::resolved(query, history, &landings, &counts, &mut cache, metrics);
    resolved.extend(rebases::stopped(query, metrics));
    resolved.sort_by_key(|conflict| conflict.at);
    cache.save();
    let both: Vec<(&Landing, &ChangeCount)> = landings.iter().zip(counts.iter().copied()).collect();
    let is_own = |agent: Option<&str>| query.agent.is_none() || agent == query.agent;
    metrics.contested = contested(plan, &both, &resolved);
    metrics.contested.retain(|file| query.agent.is_none_or(|agent| file.agents.contains_key(agent)));
    // What a repository began with was not made together.
    let made = both.iter().filter(|(landing, _)| landing.before.is_some());
    metrics.lane_cuts = lane_cuts(plan, &made.map(|(_, count)| *count).collect::<Vec<_>>());
    metrics.lane_cuts.retain(|cut| is_own(Some(&cut.lane)) || is_own(Some(&cut.with)));
    let merged: Vec<(&Landing, LandedChange)> = both
        .into_iter()
        .map(|(landing, count)| (landing, landed_change(history, landing, count)))
        .filter(|(_, change)| is_own(change.agent.as_deref()))
        .collect();
    metrics.agents = agents(plan, history, &merged, &resolved, query.period, query.agent);
    metrics.waivers = waivers(history, &merged.iter().map(|(landing, _)| *landing).collect::<Vec<_>>());
    metrics.changes = merged.into_iter().map(|(_, change)| change).collect();
    metrics.sizes = sizes(&metrics.changes, plan.policy.change.max_lines.as_ref().map(|limit| limit.value));
    metrics.lead_time = lead_times(&metrics.changes);
    let is_involved =
        |conflict: &LostMerge| query.agent.is_none_or(|agent| conflict.agents.iter().any(|a| a == agent));
    metrics.conflicts =
        Conflicts { resolved: resolved.into_iter().filter(is_involved).collect(), ..Conflicts::default() };
    let from = walked.begin.map_or(query.period.from, |begin| begin.max(query.period.from));
    let weeks = (query.period.to - from) as f64 / WEEK;
    metrics.conflicts.per_week =
        (weeks > 0.0).then(|| metrics.conflicts.resolved.len() as f64 / weeks.max(1.0));
}

/// What could not be found out, with the reason that was given.
fn missing(what: &str, why: Unavailable) -> Missing {
    Missing { what: what.to_owned(), reason: why.reason, help: why.help }
}

/// The base that the policy names is not here, or has no commit yet.
fn no_base(query: &Query) -> Missing {
    let name = &query.plan.policy.base.value;
    let remote = &query.plan.policy.remote.value;
    let tracking = format!("refs/remotes/{remote}/{name}");
    let why = Unavailable::new(
        format!(
            "the base branch `{name}` does not exist: neither {tracking} nor refs/heads/{name} has a commit"
        ),
        format!(
            "git fetch {remote} +refs/heads/{name}:{tracking}\nor, if there is no such branch, correct `base` in the policy"
        ),
    );
    missing("changes", why)
}

/// How the base is called.
fn base_name<'q>(query: &Query<'q>) -> BaseName<'q> {
    let policy = &query.plan.policy;
    BaseName { branch: &policy.base.value, remote: &policy.remote.value }
}
