//! The report on a period.

use std::path::{Path, PathBuf};

use super::Session;
use crate::machine::ThisMachine;
use crate::metrics::{Query, SECTIONS, github};
use lane_core::error::Error;
use lane_core::locks::world::World;
use lane_core::metrics::{Metrics, Period, goals};
use lane_git::Repository;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How many seconds back from now.
    pub since: u64,
    /// The agent that alone is reported on.
    pub agent: Option<String>,
    /// Reports of coverage, where they are not in the usual places.
    pub coverage: Vec<PathBuf>,
}

/// Reads every section of the report.
///
/// # Errors
/// An agent that the policy does not have.
pub fn report(session: &Session, options: &Options) -> Result<Metrics, Error> {
    let plan = &session.loaded.plan;
    let now = ThisMachine::new().now().wall;
    let period = Period { from: now.saturating_sub_unsigned(options.since), to: now };
    let repository = repository_name(&session.repo.layout().common_dir);
    let base =
        session.loaded.base.as_ref().map_or(plan.policy.base.value.as_str(), |base| short(&base.reference));
    let base = base.to_owned();
    let agent = options.agent.as_deref();
    if let Some(agent) = agent {
        plan.agent(agent)?;
    }
    let mut metrics = Metrics::empty(repository, base, period, options.agent.clone());
    let answers = github::ask(&session.repo, plan, period, agent, &mut metrics);
    let query = Query {
        repo: &session.repo,
        loaded: &session.loaded,
        plan,
        period,
        agent,
        github: answers.as_ref(),
        coverage: &options.coverage,
        now,
    };
    for read in SECTIONS {
        read(&query, &mut metrics);
    }
    metrics.sort_rows(plan);
    metrics.goals = goals::measure(plan, &metrics);
    Ok(metrics)
}

/// `refs/remotes/origin/main` as `origin/main`.
fn short(reference: &str) -> &str {
    let rest = reference.strip_prefix("refs/").unwrap_or(reference);
    rest.strip_prefix("heads/").or_else(|| rest.strip_prefix("remotes/")).unwrap_or(rest)
}

/// The name of the folder that has the repository, without `.git`.
fn repository_name(common_dir: &Path) -> String {
    let is_inside = common_dir.file_name().is_some_and(|name| name == ".git");
    let folder = if is_inside { common_dir.parent() } else { Some(common_dir) };
    let name = folder.and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    name.strip_suffix(".git").unwrap_or(&name).to_owned()
}
