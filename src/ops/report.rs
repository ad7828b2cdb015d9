//! The report on a period.

use std::path::PathBuf;

use super::Session;
use crate::gather::repository_name;
use crate::machine::ThisMachine;
use crate::metrics::{Query, SECTIONS, coverage, github};
use lane_core::error::Error;
use lane_core::locks::world::World;
use lane_core::metrics::moment::Moment;
use lane_core::metrics::words::timestamp;
use lane_core::metrics::{Metrics, Period, goals};
use lane_git::Repository;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// When the period begins.
    pub since: Moment,
    /// When it ends; none: now.
    pub until: Option<Moment>,
    /// The agent that alone is reported on.
    pub agent: Option<String>,
    /// Reports of coverage, where they are not in the usual places.
    pub coverage: Vec<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self { since: Moment::Ago(14 * 86_400), until: None, agent: None, coverage: Vec::new() }
    }
}

/// Reads every section of the report.
///
/// # Errors
/// An agent that the policy does not have, a period that ends before it begins or is still to come, or a report of coverage
/// that cannot be read.
pub fn report(session: &Session, options: &Options) -> Result<Metrics, Error> {
    let plan = &session.loaded.plan;
    let now = ThisMachine::new().now().wall;
    let period = period(options, now)?;
    let repository = repository_name(&session.repo.layout().common_dir);
    let base =
        session.loaded.base.as_ref().map_or(plan.policy.base.value.as_str(), |base| short(&base.reference));
    let base = base.to_owned();
    let agent = options.agent.as_deref();
    if let Some(agent) = agent {
        plan.agent(agent)?;
    }
    let coverage = coverage::named(&options.coverage)?;
    let mut metrics = Metrics::empty(repository, base, period, options.agent.clone());
    let answers = github::ask(&session.repo, plan, period, agent, &mut metrics);
    let query = Query {
        repo: &session.repo,
        loaded: &session.loaded,
        plan,
        period,
        agent,
        github: answers.as_ref(),
        coverage: &coverage,
        now,
    };
    for read in SECTIONS {
        read(&query, &mut metrics);
    }
    metrics.sort_rows(plan);
    metrics.goals = goals::measure(plan, &metrics);
    Ok(metrics)
}

/// The period that is asked for. What is still to come has nothing in it.
fn period(options: &Options, now: i64) -> Result<Period, Error> {
    // The end is no part of it, and this second is.
    let end = now.saturating_add(1);
    let (from, to) = (options.since.time(now), options.until.map_or(end, |until| until.time(now)).min(end));
    if from > now {
        return Err(Error::usage(
            format!("the period begins in the future: {}", timestamp(from)),
            "name an earlier moment with --since",
        ));
    }
    if from >= to {
        return Err(Error::usage(
            format!("the period has no time in it: from {} to {}", timestamp(from), timestamp(to)),
            "name an earlier moment with --since, or a later one with --until",
        ));
    }
    Ok(Period { from, to })
}

/// `refs/remotes/origin/main` as `origin/main`.
fn short(reference: &str) -> &str {
    let rest = reference.strip_prefix("refs/").unwrap_or(reference);
    rest.strip_prefix("heads/").or_else(|| rest.strip_prefix("remotes/")).unwrap_or(rest)
}
