//! Builds and integration: what CI made of the commits on the base.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Builds, Distribution, Integration};

/// One job of CI on one commit, the newest of its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CiJob {
    /// Its name.
    pub name: String,
    /// What came of it.
    pub state: JobState,
    /// When it began, in seconds since the epoch, where that is known.
    pub started_at: Option<i64>,
    /// When it ended.
    pub completed_at: Option<i64>,
}

/// What came of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// It runs, or is still to begin.
    Pending,
    /// It succeeded.
    Succeeded,
    /// It failed, timed out, could not start, or wants somebody to act.
    Failed,
    /// It decides nothing: it was skipped, cancelled, outdated or neutral.
    Neutral,
}

/// Where jobs of CI that were read are kept, below the common git folder.
pub const KEPT: &str = "lane/github-jobs.json";

/// A pause between jobs of one commit that is longer than this, in seconds, ends its build: what comes after it was run
/// again by hand, or on a timer.
const PAUSE: i64 = 600;
/// The newest runs that the report lists.
const RUNS: usize = 1_000;

impl CiJob {
    /// How long it took, in seconds.
    fn seconds(&self) -> Option<u64> {
        u64::try_from(self.completed_at? - self.started_at?).ok()
    }
}

/// Whether a commit's jobs all succeeded; `None` while one runs, and where none decides anything.
pub fn is_success(jobs: &[CiJob]) -> Option<bool> {
    let has = |state: JobState| jobs.iter().any(|job| job.state == state);
    match (has(JobState::Failed), has(JobState::Pending), has(JobState::Succeeded)) {
        (true, _, _) => Some(false),
        (false, false, true) => Some(true),
        _ => None,
    }
}

/// When a commit's build began, and how many seconds it took: from the start of the first job to the end of the last one,
/// as somebody waits for it.
pub fn build(jobs: &[CiJob]) -> Option<(i64, u64)> {
    if jobs.iter().any(|job| job.state == JobState::Pending) {
        return None;
    }
    let ran = jobs.iter().filter(|job| job.state != JobState::Neutral);
    let mut spans: Vec<(i64, i64)> =
        ran.filter_map(|job| Some((job.started_at?, job.completed_at?))).collect();
    spans.retain(|(start, end)| start <= end);
    spans.sort_unstable();
    let (start, mut end) = *spans.first()?;
    for (next, its_end) in &spans[1..] {
        if *next > end.saturating_add(PAUSE) {
            break;
        }
        end = end.max(*its_end);
    }
    Some((start, u64::try_from(end - start).ok()?))
}

/// The builds of these commits.
pub fn builds<'j>(source: &str, commits: impl IntoIterator<Item = &'j [CiJob]>) -> Option<Builds> {
    let (mut runs, mut jobs) = (Vec::new(), BTreeMap::<String, Vec<u64>>::new());
    for commit in commits {
        runs.extend(build(commit));
        for job in commit.iter().filter(|job| matches!(job.state, JobState::Succeeded | JobState::Failed)) {
            if let Some(seconds) = job.seconds() {
                jobs.entry(job.name.clone()).or_default().push(seconds);
            }
        }
    }
    let time = Distribution::of(runs.iter().map(|(_, seconds)| *seconds))?;
    runs.sort_unstable();
    let newest = runs.split_off(runs.len().saturating_sub(RUNS));
    let jobs = jobs.into_iter().filter_map(|(name, seconds)| Some((name, Distribution::of(seconds)?)));
    Some(Builds { source: source.to_owned(), time: Some(time), jobs: jobs.collect(), runs: newest })
}

/// How many of these commits CI let pass.
pub fn integration<'j>(source: &str, commits: impl IntoIterator<Item = &'j [CiJob]>) -> Option<Integration> {
    let decided: Vec<bool> = commits.into_iter().filter_map(is_success).collect();
    let succeeded = decided.iter().filter(|is_success| **is_success).count();
    let share = (!decided.is_empty()).then(|| succeeded as f64 / decided.len() as f64);
    share.map(|share| Integration {
        source: source.to_owned(),
        succeeded,
        failed: decided.len() - succeeded,
        share: Some(share),
        merged: None,
        closed: None,
        open: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use JobState::{Failed, Neutral, Pending, Succeeded};

    fn job(name: &str, state: JobState, span: (i64, i64)) -> CiJob {
        CiJob { name: name.to_owned(), state, started_at: Some(span.0), completed_at: Some(span.1) }
    }

    #[test]
    fn one_failure_fails_and_what_decides_nothing_does_not() {
        let of = |states: &[JobState]| {
            let jobs: Vec<CiJob> = states.iter().map(|state| job("x", *state, (0, 1))).collect();
            is_success(&jobs)
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[Succeeded, Neutral]), Some(true));
        assert_eq!(of(&[Neutral]), None);
        assert_eq!(of(&[Succeeded, Pending]), None);
        assert_eq!(of(&[Succeeded, Failed, Pending]), Some(false));
    }

    #[test]
    fn a_build_is_from_the_first_start_to_the_last_end_without_what_was_run_again() {
        assert_eq!(build(&[job("a", Succeeded, (100, 160)), job("b", Failed, (110, 400))]), Some((100, 300)));
        assert_eq!(
            build(&[job("a", Succeeded, (100, 160)), job("b", Succeeded, (700, 760))]),
            Some((100, 660))
        );
        assert_eq!(
            build(&[job("a", Succeeded, (100, 160)), job("b", Succeeded, (90_000, 90_060))]),
            Some((100, 60))
        );
        assert_eq!(build(&[job("a", Neutral, (0, 9_999)), job("b", Succeeded, (100, 160))]), Some((100, 60)));
        assert_eq!(build(&[job("a", Pending, (0, 0))]), None);
        assert_eq!(build(&[job("a", Succeeded, (5, 4))]), None);
    }

    #[test]
    fn times_and_shares_over_commits() {
        let commits = [
            vec![job("test", Succeeded, (0, 60)), job("lint", Succeeded, (0, 10))],
            vec![job("test", Failed, (100, 280))],
            vec![],
        ];
        let lists = || commits.iter().map(Vec::as_slice);
        let found = builds("GitHub", lists());
        let time = found.as_ref().and_then(|builds| builds.time).map(|time| (time.count, time.min, time.max));
        assert_eq!(time, Some((2, 60, 180)));
        assert_eq!(
            found.map(|builds| builds.jobs.keys().cloned().collect()),
            Some(vec!["lint".to_owned(), "test".to_owned()])
        );
        assert_eq!(integration("GitHub", lists()).and_then(|found| found.share), Some(0.5));
        assert!(integration("GitHub", [&[][..]]).is_none());
    }
}
