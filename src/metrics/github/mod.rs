//! What GitHub knows of the period: pull requests, runs of CI on what was merged, and coverage that a job left behind.
//! Only with a token, and never for long: what was read of a commit is kept, so that the next report goes on from there.

mod artifacts;
mod kept;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use lane_core::identity::of_branch;
use lane_core::metrics::ci::{CiJob, builds, integration};
use lane_core::metrics::{Integration, MergedPull, Metrics, Missing, Period};
use lane_core::policy::Plan;
use lane_git::GitRepo;
use lane_git::Repository;
use lane_github::{Clock, Error, GitHub, Patience, PullOutcome, Settings};

use super::Query;
use kept::KeptJobs;

/// How long commits are asked about; the rest is for the next report.
const BUDGET: Duration = Duration::from_secs(45);
/// How many ask at the same time.
const ASKING: usize = 4;
/// What is missing where runs of CI are.
const BOTH: &str = "builds and integration";
/// Where this is known from.
const SOURCE: &str = "GitHub";

/// A clock that waits for no limit: what GitHub does not answer now is missing, and said to be.
struct NoWaitClock;

impl Clock for NoWaitClock {
    fn now(&self) -> i64 {
        jiff::Timestamp::now().as_second()
    }

    fn sleep(&self, time: Duration) {
        // Between two tries of the same; limits are not waited for.
        std::thread::sleep(time.min(Duration::from_secs(1)));
    }
}

fn connect(settings: &Settings) -> Result<GitHub, Error> {
    let patience =
        Patience { connect: Duration::from_secs(5), answer: Duration::from_secs(20), limits: Duration::ZERO };
    GitHub::with(settings, &patience, Box::new(NoWaitClock))
}

/// What GitHub says of the period before anything else is read.
pub struct Answers {
    settings: Settings,
    github: GitHub,
    /// The pull requests that were merged.
    pub pulls: Vec<MergedPull>,
}

/// Asks for the pull requests of the period, and puts their numbers into the report. `None` where GitHub cannot be asked;
/// the report says why.
pub fn ask(
    repo: &GitRepo,
    plan: &Plan,
    period: Period,
    agent: Option<&str>,
    metrics: &mut Metrics,
) -> Option<Answers> {
    let remote = &plan.policy.remote.value;
    let address = repo.config(&format!("remote.{remote}.url")).ok().and_then(|mut found| found.pop());
    let connected = Settings::of_process(address.as_deref())
        .and_then(|settings| connect(&settings).map(|github| (settings, github)));
    let (settings, github) = match connected {
        Ok(connected) => connected,
        Err(error) => {
            metrics.missing.push(missing(BOTH, &error));
            return None;
        }
    };
    metrics.repository = github.repository().to_string();
    let pulls = match github.pull_outcomes(&plan.policy.base.value, period.from) {
        Ok(pulls) => pulls,
        Err(error) => {
            metrics.missing.push(missing("pull requests", &error));
            return Some(Answers { settings, github, pulls: Vec::new() });
        }
    };
    count_pulls(plan, period, agent, metrics, &pulls);
    let merged = |pull: PullOutcome| {
        pull.merged_at?;
        Some(MergedPull {
            commit: pull.merge_commit?,
            number: pull.number,
            opened_at: pull.created_at,
            branch: (!pull.is_fork).then_some(pull.head_ref),
        })
    };
    let pulls = pulls.into_iter().filter_map(merged).collect();
    Some(Answers { settings, github, pulls })
}

/// Puts into the report what GitHub says of builds, integration and coverage.
pub fn read(query: &Query, metrics: &mut Metrics) {
    let Some(answers) = query.github else { return };
    read_jobs(query, metrics, &answers.settings);
    if metrics.coverage.is_none() {
        artifacts::read(query, metrics, &answers.github);
    }
}

fn missing(what: &str, error: &Error) -> Missing {
    Missing { what: what.to_owned(), reason: error.to_string(), help: Some(error.help()) }
}

fn count_pulls(
    plan: &Plan,
    period: Period,
    agent: Option<&str>,
    metrics: &mut Metrics,
    pulls: &[PullOutcome],
) {
    let is_within = |time: Option<i64>| time.is_some_and(|time| (period.from..period.to).contains(&time));
    let agent_of = |pull: &PullOutcome| if pull.is_fork { None } else { of_branch(plan, &pull.head_ref) };
    let wanted = || pulls.iter().filter(|pull| agent.is_none_or(|agent| agent_of(pull) == Some(agent)));
    metrics.integration = Some(Integration {
        source: SOURCE.to_owned(),
        succeeded: 0,
        failed: 0,
        share: None,
        merged: Some(wanted().filter(|pull| is_within(pull.merged_at)).count()),
        closed: Some(wanted().filter(|pull| pull.merged_at.is_none() && is_within(pull.closed_at)).count()),
        open: Some(wanted().filter(|pull| pull.closed_at.is_none()).count()),
    });
}

/// What CI made of each commit that was merged.
fn read_jobs(query: &Query, metrics: &mut Metrics, settings: &Settings) {
    let common_dir = &query.repo.layout().common_dir;
    let kept = KeptJobs::open(common_dir, &settings.repository().to_string(), settings.api());
    let commits: Vec<String> = metrics.changes.iter().rev().map(|change| change.commit.clone()).collect();
    let unknown: Vec<&String> = commits.iter().filter(|commit| !kept.has(commit)).collect();
    let asked = ask_jobs(settings, &unknown);
    let mut jobs: BTreeMap<&str, &[CiJob]> = BTreeMap::new();
    for commit in &commits {
        if let Some(found) = kept.of(commit).or_else(|| asked.jobs.get(commit).map(Vec::as_slice)) {
            jobs.insert(commit, found);
        }
    }
    metrics.builds = builds(SOURCE, jobs.values().copied());
    if let Some(found) = integration(SOURCE, jobs.values().copied()) {
        let pulls = metrics.integration.take();
        let of = |count: fn(&Integration) -> Option<usize>| pulls.as_ref().and_then(count);
        let (merged, closed, open) =
            (of(|pulls| pulls.merged), of(|pulls| pulls.closed), of(|pulls| pulls.open));
        metrics.integration = Some(Integration { merged, closed, open, ..found });
    }
    match &asked.error {
        Some(error) => metrics.missing.push(missing(BOTH, error)),

        None if asked.left > 0 => metrics.missing.push(Missing {
            what: "builds".to_owned(),
            reason: format!(
                "{} older commits were not asked about within {} s",
                asked.left,
                BUDGET.as_secs()
            ),
            help: Some("run it again: what was read is kept".to_owned()),
        }),
        None if metrics.builds.is_none() && !commits.is_empty() => metrics.missing.push(Missing {
            what: "builds".to_owned(),
            reason: "GitHub knows no finished run of CI on what was merged".to_owned(),
            help: None,
        }),
        None => {}
    }
    kept.keep(asked.jobs, query.now);
}

/// What came of asking.
#[derive(Default)]
struct Asked {
    jobs: BTreeMap<String, Vec<CiJob>>,
    /// Why it was given up.
    error: Option<Error>,
    /// How many were not asked about.
    left: usize,
}

/// Asks about commits, some at the same time, the first of the list first, until the time is over or an answer says that it
/// is of no use to go on. A commit that GitHub does not have has no jobs.
fn ask_jobs(settings: &Settings, commits: &[&String]) -> Asked {
    let since = Instant::now();
    let state = Mutex::new((commits.iter(), Asked::default()));
    let work = || {
        let github = match connect(settings) {
            Ok(github) => github,
            Err(error) => {
                lock(&state).1.error = Some(error);
                return;
            }
        };
        loop {
            let next = {
                let mut state = lock(&state);
                if state.1.error.is_some() || since.elapsed() > BUDGET { None } else { state.0.next() }
            };
            let Some(commit) = next else { return };
            let found = github.jobs_of(commit);
            let mut state = lock(&state);
            match found {
                Ok(jobs) => drop(state.1.jobs.insert((*commit).clone(), jobs)),
                // One that was never pushed there.
                Err(Error::NotFound { .. }) | Err(Error::Answer { status: 422, .. }) => {
                    state.1.jobs.insert((*commit).clone(), Vec::new());
                }
                Err(error) => state.1.error = Some(error),
            }
        }
    };
    std::thread::scope(|scope| (0..ASKING.min(commits.len())).for_each(|_| drop(scope.spawn(work))));
    let (rest, mut asked) = state.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    asked.left = rest.len();
    asked
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
